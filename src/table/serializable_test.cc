#include "table/serializable.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::TableSpec;
using txn::Isolation;

constexpr auto kSerializable = Isolation::kSerializable;

Fixture filled(const TableSpec& spec = {}, int64_t rows = 10) {
  Fixture f({}, spec);
  auto t = f.begin();
  for (int64_t i = 0; i < rows; ++i) CHECK(f.insert(*t, i, i * 10).ok());
  CHECK(f.database->commit(*t).ok());
  return f;
}

uint64_t marks(Fixture& f) {
  for (const auto& [name, value] : f.database->statistics()) {
    if (name == "serializable_marks") return value;
  }
  return UINT64_MAX;
}

/// Both read by `read`, each updates its row, both commit: whether the second was refused.
template <class Read>
bool skew(Fixture& f, Read read, int64_t first = 1, int64_t second = 2) {
  auto a = f.begin(kSerializable), b = f.begin(kSerializable);
  read(*a);
  read(*b);
  CHECK(f.update(*a, first, 7).ok());
  CHECK(f.update(*b, second, 7).ok());
  CHECK(f.database->commit(*a).ok());
  const Status status = f.database->commit(*b);
  CHECK(status.ok() || status.is(SqlState::kTRSerializationFailure));
  return !status.ok();
}

TEST(Serializable, EveryWayOfReadingIsSeen) {
  TableSpec spec;
  spec.indexes = {{"by_v", {2}, false}};
  Fixture f = filled(spec);
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.get(t, 1), (void)f.get(t, 2); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.read(t, 1), (void)f.read(t, 2); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.all(t); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.all(t, true); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.all(t, false, {f.key(1), f.key(3)}); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.drain(*f.database->scan_index(t, *f.access, 0, {}, false)); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { (void)f.drain(*f.database->scan_index(t, *f.access, 0, {}, true)); }));
  EXPECT_TRUE(skew(f, [&](auto& t) { ASSERT_TRUE(note_whole_read(*f.database, t, *f.access).ok()); }));
  EXPECT_FALSE(skew(f, [&](auto&) {}));
  EXPECT_FALSE(skew(f, [&](auto& t) { (void)f.get(t, 5); }));
  EXPECT_FALSE(skew(f, [&](auto& t) { (void)f.all(t, false, {f.key(3), f.key(9)}); }));
}

TEST(Serializable, AScanThatStopsHasNotReadTheRest) {
  Fixture f = filled();
  const auto first = [&](auto& t, bool reverse) {
    auto cursor = f.database->scan(t, *f.access, {}, reverse);
    ASSERT_TRUE(cursor->next());
    ASSERT_TRUE(cursor->next());
  };
  EXPECT_TRUE(skew(
      f, [&](auto& t) { first(t, false); }, 0, 1));
  EXPECT_FALSE(skew(
      f, [&](auto& t) { first(t, false); }, 2, 3));
  EXPECT_TRUE(skew(
      f, [&](auto& t) { first(t, true); }, 9, 8));
  EXPECT_FALSE(skew(
      f, [&](auto& t) { first(t, true); }, 7, 6));
}

TEST(Serializable, AbsentKeysAndGapsAreRead) {
  TableSpec spec;
  spec.indexes = {{"by_v", {2}, false}};
  Fixture f = filled(spec, 0);
  for (const bool through_index : {false, true}) {
    auto a = f.begin(kSerializable), b = f.begin(kSerializable);
    for (auto* t : {a.get(), b.get()}) {
      if (through_index) {
        (void)f.drain(*f.database->scan_index(*t, *f.access, 0, {}, false));
      } else {
        EXPECT_EQ(f.get(*t, 100), std::nullopt);
        EXPECT_EQ(f.get(*t, 101), std::nullopt);
      }
    }
    ASSERT_TRUE(f.insert(*a, 100, 1).ok());
    ASSERT_TRUE(f.insert(*b, 101, 1).ok());
    ASSERT_TRUE(f.database->commit(*a).ok());
    EXPECT_FALSE(f.database->commit(*b).ok());
    auto t = f.begin();
    ASSERT_TRUE(f.erase(*t, 100).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
}

TEST(Serializable, RowsThatWentToTheStoreBeforeTheCommitCount) {
  DatabaseOptions options;
  options.write_set_bytes = 1 << 16;
  Fixture f(options);
  auto a = f.begin(kSerializable), b = f.begin(kSerializable);
  EXPECT_EQ(f.get(*b, 500), std::nullopt);
  (void)f.get(*a, -1);
  for (int64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(f.insert(*a, i, i, "some text to fill the write set").ok());
  ASSERT_TRUE(f.insert(*b, -1, 0).ok());
  ASSERT_TRUE(f.database->commit(*a).ok());
  EXPECT_FALSE(f.database->commit(*b).ok());
}

TEST(Serializable, OtherLevelsLeaveNothing) {
  Fixture f = filled();
  for (const auto isolation : {Isolation::kReadCommitted, Isolation::kRepeatableRead}) {
    auto t = f.begin(isolation), other = f.begin(kSerializable);
    (void)f.all(*t);
    ASSERT_TRUE(f.update(*t, 1, 3).ok());
    EXPECT_EQ(marks(f), 0u);
    (void)f.all(*other);
    EXPECT_EQ(marks(f), 1u);
    ASSERT_TRUE(f.database->commit(*t).ok());
    ASSERT_TRUE(f.database->commit(*other).ok());
    EXPECT_EQ(marks(f), 0u);
  }
}

TEST(Serializable, ADuplicateOfWhatWasReadIsARefusal) {
  Fixture f = filled({}, 0);
  auto a = f.begin(kSerializable), b = f.begin(kSerializable);
  (void)f.get(*a, 1);
  (void)f.get(*b, 1);
  ASSERT_TRUE(f.insert(*a, 1).ok());
  ASSERT_TRUE(f.database->commit(*a).ok());
  EXPECT_TRUE(f.insert(*b, 1).is(SqlState::kTRSerializationFailure));
  f.database->rollback(*b);

  auto c = f.begin(kSerializable), d = f.begin(kSerializable);
  (void)f.get(*c, 2);
  ASSERT_TRUE(f.insert(*c, 2).ok());
  ASSERT_TRUE(f.database->commit(*c).ok());
  EXPECT_TRUE(f.insert(*d, 2).is(SqlState::kUniqueViolation));  // it had not looked
  f.database->rollback(*d);
}

// Everybody may go off call who sees two others on call. Without the dependencies, sooner or later nobody is.
TEST(Serializable, ThreadsKeepWhatEachOfThemKeeps) {
  Fixture f;
  constexpr int64_t kDoctors = 3;
  {
    auto t = f.begin();
    for (int64_t i = 0; i < kDoctors; ++i) ASSERT_TRUE(f.insert(*t, i, 1).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  std::atomic<int> refused{0}, done{0}, broken{0};
  std::vector<std::thread> threads;
  for (int64_t me = 0; me < kDoctors; ++me) {
    threads.emplace_back([&, me] {
      std::mt19937 random(static_cast<unsigned>(me));
      for (int round = 0; round < 300; ++round) {
        auto t = f.begin(kSerializable);
        int64_t on_call = 0;
        auto cursor = f.database->scan(*t, *f.access, {}, random() % 2 == 0);
        bool mine = false;
        while (cursor->next()) {
          on_call += f.value_of(cursor->row());
          mine = mine || (f.id_of(cursor->row()) == me && f.value_of(cursor->row()) == 1);
        }
        Status status = cursor->status();
        cursor.reset();
        if (status.ok() && on_call < 1) ++broken;
        if (status.ok()) status = f.update(*t, me, mine && on_call >= 2 ? 0 : 1);
        if (status.ok()) {
          status = f.database->commit(*t);
        } else {
          f.database->rollback(*t);
        }
        ++(status.ok() ? done : refused);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken, 0);
  EXPECT_GT(done, 0);
  EXPECT_EQ(marks(f), 0u);
  RecordProperty("refused", refused);
}

}  // namespace
}  // namespace omendb::table
