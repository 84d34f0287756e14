// Places of keys against std::map: keys of many kinds, put, erased, in spans, packed, taken up again.
#include "sql/columnar/column_places.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sql/engine/duck_instance.h"
#include "sql/error.h"
#include "table/testing.h"

namespace omendb::sql {
namespace {

using Random = std::mt19937_64;
using Model = std::map<std::string, uint64_t>;

std::string big_endian(uint64_t value, size_t bytes = 8) {
  std::string out;
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

struct Kind {
  const char* name;
  uint32_t fixed_key_bytes;
  std::function<std::string(Random&, uint64_t)> key;  // by chance, or the i-th in order where that is told
};

const Kind kKinds[] = {
    {"Sequential", 8, [](Random&, uint64_t i) { return big_endian(0x8000000000000000 + i); }},
    {"Stepping", 8, [](Random&, uint64_t i) { return big_endian(i * 512 + 7); }},
    {"Numbers", 8, [](Random& random, uint64_t) { return big_endian(random()); }},
    {"Small", 4, [](Random& random, uint64_t i) { return big_endian(i * 3 + random() % 3, 4); }},
    {"Clusters", 8, [](Random& random, uint64_t) { return big_endian((random() % 50) << 50 | random() % 5000); }},
    {"Uuid", 0, [](Random& random, uint64_t) { return big_endian(random()) + big_endian(random()); }},
    {"Pairs", 0, [](Random&, uint64_t i) { return big_endian(i / 300) + big_endian(i % 300, 4); }},
    {"Text", 0, [](Random&, uint64_t i) { return "customer " + std::to_string(i) + std::string("\0\1", 2); }},
    {"Bytes", 0,  // keys that begin others, the empty one, the same end behind sizes that differ
     [](Random& random, uint64_t) {
       std::string key;
       for (size_t n = random() % 12; n > 0; --n)
         key.push_back(
             "\0\1\xff"
             "abc"[random() % 6]);
       return random() % 2 == 0 ? key : key + "bc";
     }},
    {"Long", 0,
     [](Random& random, uint64_t) {
       const auto letter = static_cast<char>('a' + random() % 3);
       return std::string(random() % 64 == 0 ? 5000 + random() % 60000 : random() % 600, letter) + big_endian(random());
     }},
};

class Places : public testing::TestWithParam<Kind> {
 protected:
  Places()
      : duck_([] {
          EngineOptions options;
          options.memory_bytes = 512 << 20;
          options.threads = 1;
          return options;
        }()) {
    const char* told = std::getenv("OMENDB_PLACES_TEST_SEED");
    seed_ = told != nullptr ? std::strtoull(told, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
    RecordProperty("seed", std::to_string(seed_));
  }
  duckdb::BufferManager& buffers() { return duckdb::BufferManager::GetBufferManager(duck_.instance()); }
  std::unique_ptr<KeyPlaces> make() { return std::make_unique<KeyPlaces>(buffers(), GetParam().fixed_key_bytes); }

  std::string key() { return GetParam().key(random_, random_() % (2 * rows_ + 1)); }
  bool is_long() const { return GetParam().name == std::string("Long"); }

  /// As a new copy has them.
  void build(KeyPlaces& places, size_t rows) {
    rows_ = rows;
    std::set<std::string> keys;
    for (size_t i = 0; i < rows; ++i) keys.insert(GetParam().key(random_, 2 * i));
    // In two parts, as two threads read them.
    KeyPlaces::Run run;
    KeyPlaces::RunWriter writer(places);
    for (const auto& one : keys) {
      if (writer.keys() == rows / 3) run.append(writer.take());
      writer.add(one);
      model_[one] = next_place_++;
    }
    run.append(writer.take());
    places.place_run(&run, 0);
    places.replace({}, std::move(run));
  }

  /// Single keys and spans of them, looked up first and then changed at once.
  void fold(KeyPlaces& places) {
    std::vector<std::pair<std::string, std::string>> spans;
    for (size_t n = random_() % 4; n > 0; --n) {
      std::string a = key(), b = key();
      if (random_() % 2 == 0 && !model_.empty()) {
        // Short ones, from a key that is there.
        const auto from = model_.lower_bound(a);
        if (from != model_.end()) {
          a = from->first;
          auto to = from;
          for (size_t i = random_() % 300; i > 0 && std::next(to) != model_.end(); --i) ++to;
          b = to->first;
        }
      }
      if (b < a) std::swap(a, b);
      if (std::all_of(spans.begin(), spans.end(), [&](const auto& span) { return span.second < a || b < span.first; }))
        spans.emplace_back(a, b);
    }
    std::sort(spans.begin(), spans.end());
    std::set<std::string> keys;
    for (size_t n = random_() % 3000; n > 0; --n) {
      const std::string one = key();
      if (std::none_of(spans.begin(), spans.end(),
                       [&](const auto& span) { return span.first <= one && one <= span.second; }))
        keys.insert(one);
    }

    std::vector<KeyPlaces::Extent> extents;
    std::vector<KeyPlaces::Run> runs;
    Model after = model_;
    for (const auto& [first, last] : spans) {
      std::vector<int64_t> gone, expected;
      extents.push_back(
          places.extent(first, last, [&](uint64_t place) { gone.push_back(static_cast<int64_t>(place)); }));
      EXPECT_EQ(extents.back().keys(), gone.size());
      const auto begin = after.lower_bound(first), end = after.upper_bound(last);
      for (auto it = begin; it != end; ++it) expected.push_back(static_cast<int64_t>(it->second));
      after.erase(begin, end);
      std::sort(gone.begin(), gone.end()), std::sort(expected.begin(), expected.end());
      ASSERT_EQ(gone, expected);
      std::set<std::string> come;
      const size_t most = random_() % 2 == 0 ? 0 : is_long() ? 5000 : 20000;
      if (most > 0 || random_() % 2 == 0) come.insert(first);
      for (size_t n = most; n > 0; --n) {
        const std::string one = key();
        if (first <= one && one <= last) come.insert(one);
      }
      KeyPlaces::RunWriter writer(places);
      for (const auto& one : come) writer.add(one);
      runs.push_back(writer.take());
      places.place_run(&runs.back(), next_place_);
      for (const auto& one : come) after[one] = next_place_++;
    }
    std::vector<std::optional<KeyPlaces::Found>> was;
    KeyPlaces::Finder finder(places);
    for (const auto& one : keys) {
      was.push_back(finder.find(one));
      const auto it = model_.find(one);
      ASSERT_EQ(was.back().has_value(), it != model_.end());
      if (was.back()) {
        ASSERT_EQ(was.back()->place, it->second);
      }
    }
    for (size_t i = runs.size(); i-- > 0;) places.replace(extents[i], std::move(runs[i]));
    size_t at = 0;
    for (const auto& one : keys) {
      if (random_() % 4 == 0) {
        places.erase(one, was[at]);
        after.erase(one);
      } else {
        places.put(one, was[at], next_place_);
        after[one] = next_place_++;
      }
      ++at;
    }
    model_ = std::move(after);
  }

  void check(const KeyPlaces& places) {
    ASSERT_EQ(places.size(), model_.size());
    KeyPlaces::Finder finder(places), jumping(places);
    for (const auto& [one, place] : model_) {
      const auto found = finder.find(one);
      ASSERT_TRUE(found.has_value());
      ASSERT_EQ(found->place, place);
    }
    for (int i = 0; i < 3000; ++i) {
      std::string one = key();
      if (i % 3 == 0 && !one.empty()) one.back() = static_cast<char>(one.back() + 1);
      if (i % 7 == 0) one.push_back('\0');
      if (GetParam().fixed_key_bytes > 0 && one.size() != GetParam().fixed_key_bytes) continue;
      const auto it = model_.find(one);
      const auto found = jumping.find(one);
      ASSERT_EQ(found.has_value(), it != model_.end());
      if (found) {
        ASSERT_EQ(found->place, it->second);
      }
    }
  }

  /// As after a restart: from the rows in the order in which they stand.
  std::unique_ptr<KeyPlaces> taken_up() {
    std::vector<std::pair<uint64_t, std::string_view>> rows;
    for (const auto& [one, place] : model_) rows.emplace_back(place, one);
    std::sort(rows.begin(), rows.end());
    auto places = make();
    auto at = rows.begin();
    places->fill([&](std::string_view* one, uint64_t* place) {
      if (at == rows.end()) return false;
      *one = at->second;
      *place = at++->first;
      return true;
    });
    return places;
  }

  DuckInstance duck_;
  uint64_t seed_ = 0;
  Random random_;
  Model model_;
  uint64_t next_place_ = 0;
  size_t rows_ = 1;
};

TEST_P(Places, AreAsAMapHasThem) {
  SCOPED_TRACE("OMENDB_PLACES_TEST_SEED=" + std::to_string(seed_));
  for (const size_t rows : {size_t{0}, size_t{1}, size_t{5000}, is_long() ? size_t{8000} : size_t{40000}}) {
    model_.clear();
    next_place_ = 0;
    auto places = make();
    build(*places, rows);
    check(*places);
    for (int round = 0; round < 8; ++round) {
      fold(*places);
      check(*places);
      if (HasFatalFailure()) return;
      if (random_() % 4 == 0) {
        places->adopt(places->pack());
        check(*places);
      }
      if (random_() % 4 == 0) {
        places = taken_up();
        check(*places);
      }
      if (HasFatalFailure()) return;
    }
    places.reset();
  }
}

TEST_P(Places, ReturnAllMemory) {
  const uint64_t before = buffers().GetUsedMemory();
  auto places = make();
  build(*places, is_long() ? 8000 : 50000);
  EXPECT_GT(buffers().GetUsedMemory(), before);
  fold(*places);
  places->adopt(places->pack());
  EXPECT_GT(places->memory_bytes(), places->own_bytes());
  places.reset();
  EXPECT_EQ(buffers().GetUsedMemory(), before);
}

INSTANTIATE_TEST_SUITE_P(OfKeys, Places, testing::ValuesIn(kKinds), [](const auto& info) { return info.param.name; });

class PlacesOfNumbers : public testing::Test {
 protected:
  static EngineOptions small(const std::string& temp_directory) {
    EngineOptions options;
    options.memory_bytes = 16 << 20;
    options.threads = 1;
    options.temp_directory = temp_directory;
    return options;
  }
  static KeyPlaces::Run random_run(const KeyPlaces& places, size_t count, std::vector<std::string>* keys) {
    Random random(1);
    for (size_t i = 0; i < count; ++i) keys->push_back(big_endian(random()));
    std::sort(keys->begin(), keys->end());
    KeyPlaces::RunWriter writer(places);
    for (const auto& key : *keys) writer.add(key);
    auto run = writer.take();
    places.place_run(&run, 0);
    return run;
  }
};

TEST_F(PlacesOfNumbers, TakeBitsWhereTheyAreConsecutive) {
  const table::testing::TemporaryDirectory directory;
  DuckInstance duck(small(directory.path()));
  KeyPlaces places(duckdb::BufferManager::GetBufferManager(duck.instance()), 8);
  constexpr uint64_t kKeys = 1'000'000;
  KeyPlaces::RunWriter writer(places);
  for (uint64_t i = 0; i < kKeys; ++i) writer.add(big_endian(i));
  auto run = writer.take();
  places.place_run(&run, 0);
  places.replace({}, std::move(run));
  EXPECT_LT(places.memory_bytes(), kKeys * 3 / 10);
  // One that moved costs its entry, and the marks of its page.
  const std::string key = big_endian(77);
  places.put(key, KeyPlaces::Finder(places).find(key), kKeys);
  EXPECT_LT(places.memory_bytes(), kKeys * 5 / 10);
}

TEST_F(PlacesOfNumbers, AreNotAllInMemoryWhereThatIsShort) {
  const table::testing::TemporaryDirectory directory;
  DuckInstance duck(small(directory.path()));
  auto& buffers = duckdb::BufferManager::GetBufferManager(duck.instance());
  KeyPlaces places(buffers, 8);
  std::vector<std::string> keys;
  places.replace({}, random_run(places, 6'000'000, &keys));
  EXPECT_GT(places.memory_bytes(), 30u << 20);
  EXPECT_LE(buffers.GetUsedMemory(), 16u << 20);
  EXPECT_LT(places.own_bytes(), 1u << 20);
  KeyPlaces::Finder finder(places);
  for (size_t i = 0; i < keys.size(); i += 101) {
    const auto found = finder.find(keys[i]);
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->place, i);
  }
}

TEST_F(PlacesOfNumbers, WithoutADirectoryToGoToFailAlone) {
  DuckInstance duck(small(""));
  KeyPlaces places(duckdb::BufferManager::GetBufferManager(duck.instance()), 8);
  std::vector<std::string> keys;
  EXPECT_THROW(random_run(places, 6'000'000, &keys), duckdb::OutOfMemoryException);
  EXPECT_EQ(places.size(), 0u);
}

TEST_F(PlacesOfNumbers, TellOfAKeyThatComesTwice) {
  DuckInstance duck(small(""));
  for (const uint64_t twice : {uint64_t{5}, uint64_t{9000}, uint64_t{20000}}) {
    KeyPlaces places(duckdb::BufferManager::GetBufferManager(duck.instance()), 8);
    uint64_t i = 0;
    std::string key;
    EXPECT_THROW(places.fill([&](std::string_view* one, uint64_t* place) {
      if (i > 20001) return false;
      key = big_endian(i == 20001 ? twice : i);
      *one = key;
      *place = i++;
      return true;
    }),
                 SqlError);
  }
}

}  // namespace
}  // namespace omendb::sql
