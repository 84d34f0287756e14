// What TPC-C's population and its transactions draw alike (specification 5.11, clauses 2.1.6, 4.3.2): random numbers, names.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace htap {

class Random {
 public:
  explicit Random(uint64_t seed, uint64_t row = 0) : state_(seed * 0x9E3779B97F4A7C15ull + row * 0xD1B54A32D192ED03ull + 1) { next(); }
  uint64_t next() {  // SplitMix64
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  /// Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>((static_cast<unsigned __int128>(next()) * static_cast<uint64_t>(high - low + 1)) >> 64);
  }
  bool one_in(int64_t n) { return between(1, n) == 1; }
  std::string text(int64_t low, int64_t high) { return letters(between(low, high), 62); }
  std::string digits(int64_t count) { return letters(count, 10); }
  /// Not uniform: clause 2.1.6. `c` is constant over a run.
  int64_t skewed(int64_t a, int64_t c, int64_t low, int64_t high) {
    return (((between(0, a) | between(low, high)) + c) % (high - low + 1)) + low;
  }

 private:
  std::string letters(int64_t count, int64_t kinds) {
    static constexpr char kLetters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string out(static_cast<size_t>(count), ' ');
    for (char& c : out) c = kLetters[between(0, kinds - 1)];
    return out;
  }
  uint64_t state_;
};

inline std::string last_name(int64_t number) {
  static constexpr std::array<const char*, 10> kSyllables = {"BAR", "OUGHT", "ABLE", "PRI", "PRES",
                                                             "ESE", "ANTI", "CALLY", "ATION", "EING"};
  return std::string(kSyllables[static_cast<size_t>(number / 100)]) + kSyllables[static_cast<size_t>(number / 10 % 10)] +
         kSyllables[static_cast<size_t>(number % 10)];
}

inline constexpr int64_t kItems = 100'000, kDistricts = 10, kCustomers = 3000, kOrders = 3000, kFirstNewOrder = 2101;
// Clause 2.1.6.1: the difference between the constants of loading and of running is one of those allowed.
inline constexpr int64_t kLastNameLoad = 157, kLastNameRun = 223, kCustomerRun = 259, kItemRun = 4211;

}  // namespace htap
