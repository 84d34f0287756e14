#include "table/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "table/testing.h"

namespace omendb::table {
namespace {

using ::testing::ElementsAre;
using testing::Fixture;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::TableSpec;
using testing::TemporaryDirectory;

DatabaseOptions small() {
  DatabaseOptions options;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 8 << 20;
  return options;
}

/// Every claim holds in memory and on disk.
class DatabaseTest : public ::testing::TestWithParam<bool> {
 protected:
  DatabaseOptions options() {
    DatabaseOptions options = small();
    if (GetParam()) options.directory = directory_.path() + "/data";
    return options;
  }
  TemporaryDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(Stores, DatabaseTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "disk" : "memory"; });

TEST_P(DatabaseTest, RowsComeBackInKeyOrder) {
  Fixture f(options());
  auto t = f.begin();
  for (int id : {5, -3, 9, 0}) ASSERT_TRUE(f.insert(*t, id, id * 10).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto r = f.begin();
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(-3, -30), Pair(0, 0), Pair(5, 50), Pair(9, 90)));
  EXPECT_THAT(f.all(*r, true), ElementsAre(Pair(9, 90), Pair(5, 50), Pair(0, 0), Pair(-3, -30)));
  EXPECT_THAT(f.all(*r, false, {f.key(0), f.key(9)}), ElementsAre(Pair(0, 0), Pair(5, 50)));
  EXPECT_THAT(f.all(*r, true, {f.key(0), f.key(9)}), ElementsAre(Pair(5, 50), Pair(0, 0)));
  EXPECT_EQ(f.get(*r, 9), 90);
  EXPECT_EQ(f.get(*r, 8), std::nullopt);
}

TEST_P(DatabaseTest, PartsOfASplitHoldEveryRowOnce) {
  constexpr int kRows = 60000;
  DatabaseOptions with_spills = options();
  with_spills.write_set_bytes = 1 << 20;
  Fixture f(with_spills);
  auto t = f.begin();
  for (int id = 1; id <= kRows; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  // The first time rows come from the store, then from memory: a part's bounds must mean the same to both.
  for (int scan = 0; scan < 3; ++scan) {
    auto r = f.begin();
    const auto parts = f.database->split(*f.access, {}, 40);
    EXPECT_GT(parts.size(), 5u);
    std::vector<int> seen(kRows + 1, 0);
    for (const auto& part : parts) {
      for (const auto& [id, v] : f.all(*r, scan == 2, part)) ++seen[static_cast<size_t>(id)];
    }
    EXPECT_EQ(std::count(seen.begin() + 1, seen.end(), 1), kRows);
    f.database->rollback(*r);
  }
}

TEST_P(DatabaseTest, NobodySeesWhatIsNotCommitted) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  auto r = f.begin();
  EXPECT_THAT(f.all(*r), IsEmpty());
  ASSERT_TRUE(f.database->commit(*t).ok());
  EXPECT_THAT(f.all(*r), IsEmpty());
  f.next_statement(*r);
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(1, 0)));
}

TEST_P(DatabaseTest, RepeatableReadKeepsItsSnapshot) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto r = f.begin(txn::Isolation::kRepeatableRead);
  auto w = f.begin();
  ASSERT_TRUE(f.update(*w, 1, 11).ok());
  ASSERT_TRUE(f.insert(*w, 2, 20).ok());
  ASSERT_TRUE(f.database->commit(*w).ok());
  f.next_statement(*r);
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(1, 10)));
  EXPECT_EQ(f.get(*r, 2), std::nullopt);
  Status s = f.update(*r, 1, 12);
  EXPECT_TRUE(s.is(SqlState::kTRSerializationFailure));
  EXPECT_EQ(s.message(), "could not serialize access due to concurrent update");
}

TEST_P(DatabaseTest, AStatementDoesNotMeetItsOwnWrites) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  EXPECT_THAT(f.all(*t), IsEmpty());
  f.next_statement(*t);
  auto cursor = f.database->scan(*t, *f.access, {}, false);
  int met = 0;
  while (cursor->next()) {
    ++met;
    ASSERT_TRUE(f.insert(*t, f.id_of(cursor->row()) + 1).ok());
  }
  EXPECT_EQ(met, 1);
  f.next_statement(*t);
  EXPECT_THAT(f.all(*t), ElementsAre(Pair(1, 0), Pair(2, 0)));
}

TEST_P(DatabaseTest, SavepointsUndoRowsAndCatalog) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  const auto mark = f.database->savepoint(*t);
  f.next_statement(*t);
  ASSERT_TRUE(f.update(*t, 1, 11).ok());
  ASSERT_TRUE(f.insert(*t, 2, 20).ok());
  TableSpec other;
  other.name = "other";
  ASSERT_TRUE(make_table(*f.database, *t, other).ok());
  f.database->rollback_to(*t, mark);
  f.next_statement(*t);
  EXPECT_THAT(f.all(*t), ElementsAre(Pair(1, 10)));
  EXPECT_EQ(f.database->catalog(*t)->find_relation(catalog::oid::kPublicSchema, "other"), kInvalidOid);
  ASSERT_TRUE(f.insert(*t, 2, 21).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto r = f.begin();
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(1, 10), Pair(2, 21)));
}

TEST_P(DatabaseTest, DuplicateKeyIsReportedAsPostgresDoes) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  Status s = f.insert(*t, 1);
  EXPECT_TRUE(s.is(SqlState::kUniqueViolation));
  EXPECT_EQ(s.message(), "duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(s.info().detail, "Key (id)=(1) already exists.");
  EXPECT_EQ(s.info().schema, "public");
  EXPECT_EQ(s.info().table, "t");
  EXPECT_EQ(s.info().constraint, "t_pkey");
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto u = f.begin();
  EXPECT_TRUE(f.insert(*u, 1).is(SqlState::kUniqueViolation));
}

TEST_P(DatabaseTest, OnConflictReportsTheRowInTheWay) {
  TableSpec spec;
  spec.indexes = {{"t_v_key", {2}, true}};
  Fixture f(options(), spec);
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto u = f.begin();
  auto outcome = f.database->insert(*u, *f.access, f.row(2, 10), nullptr, true);
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->inserted);
  EXPECT_EQ(outcome->key, f.key(1));
  EXPECT_EQ(outcome->conflict_index, f.access->secondary()[0].index.oid);
  const std::vector<Oid> only_primary = {f.access->primary_index()};
  Status s = f.database->insert(*u, *f.access, f.row(2, 10), &only_primary, false).status();
  EXPECT_EQ(s.message(), "duplicate key value violates unique constraint \"t_v_key\"");
  EXPECT_EQ(s.info().detail, "Key (v)=(10) already exists.");
  // Nulls are never duplicates.
  EXPECT_TRUE(f.insert(*u, 3, std::nullopt).ok());
  EXPECT_TRUE(f.insert(*u, 4, std::nullopt).ok());
}

TEST_P(DatabaseTest, IndexScansFollowUpdates) {
  TableSpec spec;
  spec.indexes = {{"t_v_idx", {2}, false}};
  Fixture f(options(), spec);
  auto t = f.begin();
  for (int id = 1; id <= 5; ++id) ASSERT_TRUE(f.insert(*t, id, 100 - id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto old = f.begin(txn::Isolation::kRepeatableRead);
  auto u = f.begin();
  ASSERT_TRUE(f.update(*u, 3, 1).ok());
  ASSERT_TRUE(f.erase(*u, 5).ok());
  f.next_statement(*u);
  EXPECT_THAT(f.drain(*f.database->scan_index(*u, *f.access, 0, {}, false)),
              ElementsAre(Pair(3, 1), Pair(4, 96), Pair(2, 98), Pair(1, 99)));
  ASSERT_TRUE(f.database->commit(*u).ok());
  EXPECT_THAT(f.drain(*f.database->scan_index(*old, *f.access, 0, {}, true)),
              ElementsAre(Pair(1, 99), Pair(2, 98), Pair(3, 97), Pair(4, 96), Pair(5, 95)));
  EXPECT_TRUE(f.database->verify().ok());
}

TEST_P(DatabaseTest, ChangedPrimaryKeyMovesTheRow) {
  TableSpec spec;
  spec.indexes = {{"t_v_idx", {2}, false}};
  Fixture f(options(), spec);
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  ASSERT_TRUE(f.insert(*t, 2, 20).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto u = f.begin();
  auto locked = f.database->lock_row(*u, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  ASSERT_TRUE(locked.ok());
  EXPECT_TRUE(f.database->update(*u, *f.access, f.key(1), locked->row, f.row(2, 10)).is(SqlState::kUniqueViolation));
  ASSERT_TRUE(f.database->update(*u, *f.access, f.key(1), locked->row, f.row(7, 10)).ok());
  ASSERT_TRUE(f.database->commit(*u).ok());
  auto r = f.begin();
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(2, 20), Pair(7, 10)));
  EXPECT_THAT(f.drain(*f.database->scan_index(*r, *f.access, 0, {}, false)), ElementsAre(Pair(7, 10), Pair(2, 20)));
  EXPECT_TRUE(f.database->verify().ok());
}

TEST_P(DatabaseTest, RowsWithoutAKeyKeepTheirOrderOfArrival) {
  TableSpec spec;
  spec.primary_key = false;
  Fixture f(options(), spec);
  for (int round = 0; round < 3; ++round) {
    auto t = f.begin();
    ASSERT_TRUE(f.insert(*t, 7, round).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  auto r = f.begin();
  EXPECT_THAT(f.all(*r), ElementsAre(Pair(7, 0), Pair(7, 1), Pair(7, 2)));
}

TEST_P(DatabaseTest, SelfModifiedRowsAreTold) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  auto locked = f.database->lock_row(*t, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  ASSERT_TRUE(locked.ok());
  EXPECT_EQ(locked->state, LockedRow::State::kSelf);
  f.next_statement(*t);
  locked = f.database->lock_row(*t, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  EXPECT_EQ(locked->state, LockedRow::State::kCurrent);
  EXPECT_EQ(f.value_of(locked->row), 10);
}

TEST_P(DatabaseTest, ReadCommittedMeetsTheNewestVersion) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  ASSERT_TRUE(f.insert(*t, 2, 20).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto r = f.begin();
  auto w = f.begin();
  ASSERT_TRUE(f.update(*w, 1, 11).ok());
  ASSERT_TRUE(f.erase(*w, 2).ok());
  ASSERT_TRUE(f.database->commit(*w).ok());
  auto changed = f.database->lock_row(*r, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->state, LockedRow::State::kChanged);
  EXPECT_EQ(f.value_of(changed->row), 11);
  auto gone = f.database->lock_row(*r, *f.access, f.key(2), RowLockMode::kUpdate, LockWait::kWait);
  EXPECT_EQ(gone->state, LockedRow::State::kGone);
}

TEST_P(DatabaseTest, LocksWaitTimeOutAndSkip) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 10).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto a = f.begin();
  ASSERT_TRUE(f.update(*a, 1, 11).ok());
  auto b = f.begin();
  auto nowait = f.database->lock_row(*b, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kNoWait);
  EXPECT_TRUE(nowait.status().is(SqlState::kLockNotAvailable));
  EXPECT_EQ(nowait.status().message(), "could not obtain lock on row in relation \"t\"");
  auto skip = f.database->lock_row(*b, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kSkip);
  EXPECT_EQ(skip->state, LockedRow::State::kSkipped);
  b->set_lock_timeout_us(20'000);
  auto timeout = f.database->lock_row(*b, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  EXPECT_TRUE(timeout.status().is(SqlState::kLockNotAvailable));
  EXPECT_EQ(timeout.status().message(), "canceling statement due to lock timeout");
  b->set_lock_timeout_us(0);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    b->cancel();
  });
  auto cancelled = f.database->lock_row(*b, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  canceller.join();
  EXPECT_TRUE(cancelled.status().is(SqlState::kQueryCanceled));
  b->clear_cancel();
  std::thread committer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(f.database->commit(*a).ok());
  });
  auto got = f.database->lock_row(*b, *f.access, f.key(1), RowLockMode::kUpdate, LockWait::kWait);
  committer.join();
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->state, LockedRow::State::kChanged);
  EXPECT_EQ(f.value_of(got->row), 11);
}

TEST_P(DatabaseTest, DeadlocksAcrossRowsAndTablesAreBroken) {
  Fixture f(options());
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto a = f.begin(), b = f.begin();
  const Oid table = f.access->table().oid;
  a->set_deadlock_timeout_us(30'000);
  b->set_deadlock_timeout_us(30'000);
  ASSERT_TRUE(f.update(*a, 1, 1).ok());
  ASSERT_TRUE(f.database->lock_object(*b, table, txn::ObjectLockMode::kShare, LockWait::kWait).ok());
  Status sa, sb;
  std::thread other([&] {
    sb = f.update(*b, 1, 2);
    f.database->rollback(*b);
  });
  sa = f.database->lock_object(*a, table, txn::ObjectLockMode::kAccessExclusive, LockWait::kWait);
  f.database->rollback(*a);
  other.join();
  ASSERT_NE(sa.ok(), sb.ok());
  const Status& victim = sa.ok() ? sb : sa;
  EXPECT_TRUE(victim.is(SqlState::kTRDeadlockDetected));
  EXPECT_EQ(victim.message(), "deadlock detected");
  EXPECT_THAT(victim.info().detail, ::testing::HasSubstr("waits for AccessExclusiveLock on relation"));
  EXPECT_THAT(victim.info().detail, ::testing::HasSubstr("waits for ShareLock on transaction"));
}

TEST_P(DatabaseTest, InsertWaitsForAnUndecidedRival) {
  Fixture f(options());
  for (const bool rival_commits : {true, false}) {
    const int id = rival_commits ? 1 : 2;
    auto a = f.begin(), b = f.begin();
    ASSERT_TRUE(f.insert(*a, id).ok());
    std::thread decide([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (rival_commits) {
        EXPECT_TRUE(f.database->commit(*a).ok());
      } else {
        f.database->rollback(*a);
      }
    });
    const Status s = f.insert(*b, id);
    decide.join();
    EXPECT_EQ(s.ok(), !rival_commits);
    f.database->rollback(*b);
  }
}

TEST(Database, RestartKeepsEverythingAndNumbersGoOn) {
  TemporaryDirectory directory;
  DatabaseOptions options = small();
  options.directory = directory.path() + "/data";
  TableSpec spec;
  spec.indexes = {{"t_v_idx", {2}, false}};
  Fixture f(options, spec);
  const Oid before = f.database->new_oid();
  for (int id = 0; id < 100; ++id) {
    auto t = f.begin();
    ASSERT_TRUE(f.insert(*t, id, id).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  f.reopen();
  EXPECT_GT(f.database->new_oid(), before);
  auto r = f.begin();
  EXPECT_EQ(f.all(*r).size(), 100u);
  ASSERT_TRUE(f.update(*r, 7, 700).ok());
  ASSERT_TRUE(f.database->commit(*r).ok());
  EXPECT_TRUE(f.database->verify().ok());
  f.reopen();
  auto r2 = f.begin();
  EXPECT_EQ(f.get(*r2, 7), 700);
}

TEST(Database, TheSchemaPublicStaysDroppedAndCanBeMadeAgain) {
  TemporaryDirectory directory;
  DatabaseOptions options = small();
  options.directory = directory.path() + "/data";
  Fixture f(options);
  auto t = f.begin();
  ASSERT_TRUE(
      f.database->change_catalog(*t, {{f.access->table().oid, nullptr}, {catalog::oid::kPublicSchema, nullptr}}).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  const auto reopen = [&] {
    f.access.reset();
    f.database.reset();
    f.open();
    t = f.begin();
    return f.database->catalog(*t)->find_schema("public");
  };
  EXPECT_EQ(reopen(), nullptr);
  const catalog::Schema again{.oid = f.database->new_oid(), .name = "public", .owner = catalog::oid::kBootstrapRole};
  ASSERT_TRUE(f.database->change_catalog(*t, {{again.oid, std::make_shared<const catalog::Object>(again)}}).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  const auto* found = reopen();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->oid, again.oid);
}

TEST(Database, ASecondServerIsRefused) {
  TemporaryDirectory directory;
  DatabaseOptions options = small();
  options.directory = directory.path() + "/data";
  Fixture f(options);
  auto second = Database::open(options);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().is(SqlState::kLockFileExists));
}

TEST(Database, SequencesSkipButNeverRepeat) {
  TemporaryDirectory directory;
  DatabaseOptions options = small();
  options.directory = directory.path() + "/data";
  Fixture f(options);
  catalog::Sequence s;
  s.name = "seq";
  s.storage = f.database->new_storage_id();
  s.max = 5;
  for (int expected = 1; expected <= 5; ++expected) EXPECT_EQ(*f.database->sequence_next(s), expected);
  const Status end = f.database->sequence_next(s).status();
  EXPECT_TRUE(end.is(SqlState::kSequenceGeneratorLimitExceeded));
  EXPECT_EQ(end.message(), "nextval: reached maximum value of sequence \"seq\" (5)");
  s.max = INT64_MAX;
  ASSERT_TRUE(f.database->sequence_set(s, 40, false).ok());
  EXPECT_EQ(*f.database->sequence_next(s), 40);
  f.reopen();
  EXPECT_EQ(*f.database->sequence_next(s), 41);
  EXPECT_EQ(f.database->sequence_state(s)->last_value, 41);
}

}  // namespace
}  // namespace omendb::table
