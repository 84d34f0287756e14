// The tables of CH-benCHmark in COPY's text format: TPC-C's nine (specification 5.11, clause 4.3.3) and TPC-H's supplier, nation and
// region beside them.
//
//   htap_generate TABLE WAREHOUSES
//
// The same arguments give the same bytes on every machine.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <vector>

#include "population.h"

namespace {

using htap::Random;
using namespace std::string_literals;

constexpr const char* kLoaded = "2010-06-01 12:00:00";

// A customer's nation is the first letter of its state, so nations are numbered by letters.
constexpr std::array<const char*, 62> kNations = {
    "Angola", "Algeria", "Argentina", "Armenia", "Australia", "Austria", "Belgium", "Brazil", "Bulgaria", "Cambodia", "Cameroon",
    "Canada", "Chile", "China", "Colombia", "Croatia", "Cuba", "Cyprus", "Denmark", "Ecuador", "Egypt", "Ethiopia", "Finland",
    "France", "Germany", "Ghana", "Greece", "Hungary", "Iceland", "India", "Indonesia", "Iran", "Iraq", "Ireland", "Israel",
    "Italy", "Japan", "Jordan", "Kenya", "Kuwait", "Lebanon", "Malaysia", "Mexico", "Morocco", "Mozambique", "Nepal", "Norway",
    "Oman", "Peru", "Poland", "Portugal", "Qatar", "Romania", "Senegal", "Spain", "Sweden", "Thailand", "Tunisia", "Turkey",
    "United Kingdom", "Uruguay", "Vietnam"};
constexpr std::array<const char*, 5> kRegions = {"Africa", "America", "Asia", "Europe", "Middle East"};
// Of each nation above, a region's number.
constexpr std::string_view kRegionOf = "00122331320112131331403330333224434324044210023413343033204312";
static_assert(kRegionOf.size() == kNations.size());
constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string data_of(Random& r) {
  std::string data = r.text(26, 50);
  if (r.one_in(10)) data.replace(static_cast<size_t>(r.between(0, static_cast<int64_t>(data.size()) - 8)), 8, "ORIGINAL");
  return data;
}
std::string zip(Random& r) { return r.digits(4) + "11111"; }
std::string address(Random& r) {
  return r.text(10, 20) + "\t" + r.text(10, 20) + "\t" + r.text(10, 20) + "\t" + r.text(2, 2) + "\t" + zip(r);
}
std::string cents(int64_t n) {
  char out[32];
  std::snprintf(out, sizeof(out), "%s%lld.%02lld", n < 0 ? "-" : "", static_cast<long long>(std::abs(n) / 100),
                static_cast<long long>(std::abs(n) % 100));
  return out;
}
std::string rate(int64_t n) {
  char out[32];
  std::snprintf(out, sizeof(out), "0.%04lld", static_cast<long long>(n));
  return out;
}
void line(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}
std::string n(int64_t number) { return std::to_string(number); }

void item() {
  for (int64_t i = 1; i <= htap::kItems; ++i) {
    Random r(1, static_cast<uint64_t>(i));
    line(n(i) + "\t" + n(r.between(1, 10'000)) + "\t" + r.text(14, 24) + "\t" + cents(r.between(100, 10'000)) + "\t" + data_of(r));
  }
}
void warehouse(int64_t w) {
  Random r(2, static_cast<uint64_t>(w));
  line(n(w) + "\t" + r.text(6, 10) + "\t" + address(r) + "\t" + rate(r.between(0, 2000)) + "\t300000.00");
}
void stock(int64_t w) {
  for (int64_t i = 1; i <= htap::kItems; ++i) {
    Random r(3, static_cast<uint64_t>(w * htap::kItems + i));
    std::string out = n(i) + "\t" + n(w) + "\t" + n(r.between(10, 100));
    for (int d = 0; d < htap::kDistricts; ++d) out += "\t" + r.text(24, 24);
    line(out + "\t0\t0\t0\t" + data_of(r));
  }
}
void district(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    Random r(4, static_cast<uint64_t>(w * htap::kDistricts + d));
    line(n(d) + "\t" + n(w) + "\t" + r.text(6, 10) + "\t" + address(r) + "\t" + rate(r.between(0, 2000)) + "\t30000.00\t" +
         n(htap::kOrders + 1));
  }
}
void customer(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    for (int64_t c = 1; c <= htap::kCustomers; ++c) {
      Random r(5, static_cast<uint64_t>((w * htap::kDistricts + d) * htap::kCustomers + c));
      const int64_t name = c <= 1000 ? c - 1 : r.skewed(255, htap::kLastNameLoad, 0, 999);
      line(n(c) + "\t" + n(d) + "\t" + n(w) + "\t" + r.text(8, 16) + "\tOE\t" + htap::last_name(name) + "\t" + address(r) + "\t" +
           r.digits(16) + "\t" + kLoaded + "\t" + (r.one_in(10) ? "BC" : "GC") + "\t50000.00\t" + rate(r.between(0, 5000)) +
           "\t-10.00\t10.00\t1\t0\t" + r.text(300, 500));
    }
  }
}
void history(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    for (int64_t c = 1; c <= htap::kCustomers; ++c) {
      Random r(6, static_cast<uint64_t>((w * htap::kDistricts + d) * htap::kCustomers + c));
      line(n(c) + "\t" + n(d) + "\t" + n(w) + "\t" + n(d) + "\t" + n(w) + "\t" + kLoaded + "\t10.00\t" + r.text(12, 24));
    }
  }
}
/// An order's line count, which orders and order_line both draw first.
int64_t line_count(Random& r) { return r.between(5, 15); }
Random order_random(int64_t w, int64_t d, int64_t o) {
  return Random(7, static_cast<uint64_t>((w * htap::kDistricts + d) * htap::kOrders + o));
}
void orders(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    std::vector<int64_t> customers(htap::kCustomers);
    std::iota(customers.begin(), customers.end(), 1);
    Random shuffle(8, static_cast<uint64_t>(w * htap::kDistricts + d));
    for (int64_t i = htap::kCustomers - 1; i > 0; --i) std::swap(customers[static_cast<size_t>(i)], customers[static_cast<size_t>(shuffle.between(0, i))]);
    for (int64_t o = 1; o <= htap::kOrders; ++o) {
      Random r = order_random(w, d, o);
      const int64_t lines = line_count(r);
      line(n(o) + "\t" + n(d) + "\t" + n(w) + "\t" + n(customers[static_cast<size_t>(o - 1)]) + "\t" + kLoaded + "\t" +
           (o < htap::kFirstNewOrder ? n(r.between(1, 10)) : "\\N"s) + "\t" + n(lines) + "\t1");
    }
  }
}
void order_line(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    for (int64_t o = 1; o <= htap::kOrders; ++o) {
      Random r = order_random(w, d, o);
      const bool open = o >= htap::kFirstNewOrder;
      const int64_t lines = line_count(r);
      for (int64_t l = 1; l <= lines; ++l) {
        line(n(o) + "\t" + n(d) + "\t" + n(w) + "\t" + n(l) + "\t" + n(r.between(1, htap::kItems)) + "\t" + n(w) + "\t" +
             (open ? "\\N" : kLoaded) + "\t5\t" + (open ? cents(r.between(1, 999'999)) : "0.00"s) + "\t" + r.text(24, 24));
      }
    }
  }
}
void new_order(int64_t w) {
  for (int64_t d = 1; d <= htap::kDistricts; ++d) {
    for (int64_t o = htap::kFirstNewOrder; o <= htap::kOrders; ++o) line(n(o) + "\t" + n(d) + "\t" + n(w));
  }
}
void supplier() {
  for (int64_t s = 0; s < 10'000; ++s) {
    Random r(9, static_cast<uint64_t>(s));
    char name[32];
    std::snprintf(name, sizeof(name), "Supplier#%09lld", static_cast<long long>(s));
    std::string comment = r.text(25, 90);
    // Query 16 leaves these out.
    if (s % 2000 == 5) comment += " bad";
    line(n(s) + "\t" + name + "\t" + r.text(10, 40) + "\t" + n(kLetters[static_cast<size_t>(r.between(0, 61))]) + "\t" +
         r.digits(15) + "\t" + cents(r.between(-99'999, 999'999)) + "\t" + comment);
  }
}
void nation() {
  for (size_t i = 0; i < kNations.size(); ++i) {
    Random r(10, i);
    line(n(kLetters[i]) + "\t" + kNations[i] + "\t" + kRegionOf[i] + "\t" + r.text(30, 100));
  }
}
void region() {
  for (size_t i = 0; i < kRegions.size(); ++i) {
    Random r(11, i);
    line(n(static_cast<int64_t>(i)) + "\t" + kRegions[i] + "\t" + r.text(30, 100));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: htap_generate TABLE WAREHOUSES\n");
    return 2;
  }
  const std::string_view table = argv[1];
  const int64_t warehouses = std::atoll(argv[2]);
  if (table == "item") return item(), 0;
  if (table == "supplier") return supplier(), 0;
  if (table == "nation") return nation(), 0;
  if (table == "region") return region(), 0;
  constexpr std::pair<std::string_view, void (*)(int64_t)> kTables[] = {
      {"warehouse", warehouse}, {"stock", stock},           {"district", district},    {"customer", customer}, {"history", history},
      {"orders", orders},       {"order_line", order_line}, {"new_order", new_order}};
  for (const auto& [name, make] : kTables) {
    if (name != table) continue;
    for (int64_t w = 1; w <= warehouses; ++w) make(w);
    return 0;
  }
  std::fprintf(stderr, "htap_generate: no table %s\n", argv[1]);
  return 2;
}
