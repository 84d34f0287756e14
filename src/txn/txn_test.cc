#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "txn/gc.h"
#include "txn/transaction.h"
#include "txn/cursor.h"
#include "txn/stamp.h"

namespace omendb::txn {
namespace {

constexpr StorageId kRows{20};

store::Options in_memory() {
  store::Options options;
  options.block_cache_bytes = 4 << 20;
  options.write_buffer_bytes = 4 << 20;
  return options;
}

struct House {
  explicit House(bool reaping = false) {
    if (reaping) reapers = std::make_shared<VersionReapers>();
    auto options = in_memory();
    options.reapers = reapers;
    auto opened = store::Store::open(options);
    CHECK(opened.ok());
    store = std::move(*opened);
    manager = std::make_unique<Manager>(*store, ManagerOptions{});
    CHECK(manager->start(nullptr).ok());
    if (reaping) reapers->connect(&manager->timeline(), manager->shared_loads());
  }
  ~House() {
    if (reapers) reapers->connect(nullptr, nullptr);
  }
  std::unique_ptr<BasicTransaction> begin(Isolation isolation = Isolation::kReadCommitted) {
    auto t = std::make_unique<BasicTransaction>();
    manager->begin(*t, isolation, false);
    manager->begin_statement(*t);
    return t;
  }
  void commit(std::unique_ptr<BasicTransaction>& t) { ASSERT_TRUE(manager->commit(*t).ok()); }
  std::string get(const BasicTransaction& t, const std::string& key) {
    std::string row;
    auto found = manager->reader().get(t.view(), kRows, key, &row);
    CHECK(found.ok());
    return *found ? row : "-";
  }
  std::string scan(const View& view, bool reverse = false, std::string lower = "", std::string upper = "") {
    VersionCursor cursor(*store, manager->loads(), view, kRows, lower, upper, reverse);
    std::string out;
    while (cursor.next()) out += std::string(cursor.key()) + "=" + std::string(cursor.row()) + " ";
    CHECK(cursor.status().ok());
    return out;
  }
  uint64_t entries() {
    auto it = store->iterate({});
    uint64_t n = 0;
    for (it->seek(storage_prefix(kRows)); it->valid(); it->next()) ++n;
    return n;
  }
  std::shared_ptr<VersionReapers> reapers;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Manager> manager;
};

TEST(Spill, RowsInTheStoreStayInvisibleUntilCommit) {
  House h;
  auto t = h.begin();
  t->writes.put(kRows, "a", "1", t->command);
  t->writes.put(kRows, "b", "1", t->command);
  ASSERT_TRUE(h.manager->spill(*t).ok());
  EXPECT_TRUE(t->writes.empty());
  auto other = h.begin();
  EXPECT_EQ(h.get(*other, "a"), "-");
  EXPECT_EQ(h.scan(other->view()), "");
  EXPECT_EQ(h.scan(t->view()), "");  // the statement's own writes
  h.manager->begin_statement(*t);
  EXPECT_EQ(h.get(*t, "a"), "1");
  t->writes.put(kRows, "b", "2", t->command);
  ASSERT_TRUE(h.manager->spill(*t).ok());
  EXPECT_EQ(h.scan(t->view()), "a=1 b=1 ");
  h.manager->begin_statement(*t);
  t->writes.erase(kRows, "a", t->command);
  h.manager->begin_statement(*t);
  EXPECT_EQ(h.scan(t->view()), "b=2 ");
  EXPECT_EQ(h.scan(t->view(), true), "b=2 ");
  h.commit(t);
  EXPECT_EQ(h.scan(other->view()), "");
  h.manager->begin_statement(*other);
  EXPECT_EQ(h.scan(other->view()), "b=2 ");
  h.manager->rollback(*other);
}

TEST(Spill, RollbackAndSavepointsDropWholeLoads) {
  House h;
  auto t = h.begin();
  t->writes.put(kRows, "a", "1", t->command);
  const Savepoint s = h.manager->savepoint(*t);
  h.manager->begin_statement(*t);
  t->writes.put(kRows, "a", "2", t->command);
  t->writes.put(kRows, "b", "2", t->command);
  ASSERT_TRUE(h.manager->spill(*t).ok());
  h.manager->begin_statement(*t);
  EXPECT_EQ(h.scan(t->view()), "a=2 b=2 ");
  h.manager->rollback_to(*t, s);
  h.manager->begin_statement(*t);
  EXPECT_EQ(h.scan(t->view()), "a=1 ");
  h.commit(t);
  auto u = h.begin();
  EXPECT_EQ(h.scan(u->view()), "a=1 ");
  u->writes.put(kRows, "c", "3", u->command);
  ASSERT_TRUE(h.manager->spill(*u).ok());
  h.manager->rollback(*u);
  auto r = h.begin();
  EXPECT_EQ(h.scan(r->view()), "a=1 ");
  h.manager->rollback(*r);
}

TEST(Spill, ARivalWaitsForTheTransactionNotTheRow) {
  House h;
  auto t = h.begin();
  ASSERT_EQ(h.manager->locks().acquire(t->locks, h.manager->locks().row(kRows, "a"), LockMode::kRowForUpdate,
                                       LockWait::kWait),
            LockOutcome::kGranted);
  t->writes.put(kRows, "a", "1", t->command);
  ASSERT_TRUE(h.manager->spill(*t).ok());
  EXPECT_FALSE(h.manager->locks().busy(LockOwner(), h.manager->locks().row(kRows, "a"), LockMode::kRowForUpdate));
  auto newest = h.manager->reader().newest(kRows, "a", nullptr, nullptr);
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest->pending_owner, t->id());
  EXPECT_FALSE(newest->exists);
  auto other = h.begin();
  std::thread decide([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(h.manager->commit(*t).ok());
  });
  EXPECT_EQ(h.manager->wait_for(*other, newest->pending_owner), LockOutcome::kGranted);
  decide.join();
  EXPECT_TRUE(h.manager->reader().newest(kRows, "a", nullptr, nullptr)->exists);
  h.manager->rollback(*other);
}

TEST(Spill, ARivalWaitsForWhatARollbackToASavepointLeftInTheStore) {
  House h;
  auto t = h.begin();
  t->writes.put(kRows, "a", "1", t->command);
  const Savepoint s = h.manager->savepoint(*t);
  t->writes.put(kRows, "b", "1", t->command);
  ASSERT_TRUE(h.manager->spill(*t).ok());
  h.manager->rollback_to(*t, s);
  EXPECT_EQ(h.manager->reader().newest(kRows, "a", nullptr, nullptr)->pending_owner, t->id());
  const Resource decision{Resource::Kind::kTransaction, t->id()};
  EXPECT_TRUE(h.manager->locks().busy(LockOwner(), decision, LockMode::kTransactionShare));
  h.manager->rollback(*t);
  EXPECT_FALSE(h.manager->locks().busy(LockOwner(), decision, LockMode::kTransactionShare));
}

TEST(Reaper, KeepsWhatTheOldestSnapshotNeedsAndNothingElse) {
  House h(true);
  for (int i = 0; i < 100; ++i) {
    auto t = h.begin();
    t->writes.put(kRows, "hot", std::to_string(i), t->command);
    h.commit(t);
  }
  auto old = h.begin(Isolation::kRepeatableRead);
  for (int i = 100; i < 200; ++i) {
    auto t = h.begin();
    t->writes.put(kRows, "hot", std::to_string(i), t->command);
    h.commit(t);
  }
  ASSERT_TRUE(h.store->flush().ok());
  ASSERT_TRUE(h.store->compact({}, {}).ok());
  EXPECT_EQ(h.scan(old->view()), "hot=99 ");
  EXPECT_EQ(h.entries(), 101u);
  h.manager->rollback(*old);
  auto t = h.begin();
  t->writes.put(kRows, "hot", "200", t->command);
  h.commit(t);
  ASSERT_TRUE(h.store->compact({}, {}).ok());
  EXPECT_EQ(h.entries(), 1u);
  auto dead = h.begin();
  dead->writes.put(kRows, "x", "1", dead->command);
  ASSERT_TRUE(h.manager->spill(*dead).ok());
  ASSERT_TRUE(h.store->compact({}, {}).ok());
  EXPECT_EQ(h.entries(), 2u);  // it may still commit
  h.manager->rollback(*dead);
  ASSERT_TRUE(h.store->compact({}, {}).ok());
  EXPECT_EQ(h.entries(), 1u);
}

TEST(Locks, RowModesConflictAsInPostgres) {
  LockManager locks;
  const bool conflict[4][4] = {
      {false, false, false, true}, {false, false, true, true}, {false, true, true, true}, {true, true, true, true}};
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 4; ++b) {
      LockOwner x, y;
      const Resource r = locks.row(kRows, "k");
      const auto mode = [](int m) { return static_cast<LockMode>(static_cast<int>(LockMode::kRowForKeyShare) + m); };
      ASSERT_EQ(locks.acquire(x, r, mode(a), LockWait::kNoWait), LockOutcome::kGranted);
      EXPECT_EQ(locks.acquire(y, r, mode(b), LockWait::kNoWait),
                conflict[a][b] ? LockOutcome::kNotAvailable : LockOutcome::kGranted)
          << a << " " << b;
      locks.release_all(x);
      locks.release_all(y);
    }
  }
}

TEST(Locks, AnUpgradeIsUndoneToWhatItWas) {
  LockManager locks;
  LockOwner a, b;
  const Resource r = locks.row(kRows, "k");
  ASSERT_EQ(locks.acquire(a, r, LockMode::kRowForShare, LockWait::kNoWait), LockOutcome::kGranted);
  const uint64_t mark = a.mark();
  ASSERT_EQ(locks.acquire(a, r, LockMode::kRowForUpdate, LockWait::kNoWait), LockOutcome::kGranted);
  EXPECT_EQ(locks.acquire(b, r, LockMode::kRowForShare, LockWait::kNoWait), LockOutcome::kNotAvailable);
  locks.release_to(a, mark);
  EXPECT_EQ(locks.acquire(b, r, LockMode::kRowForShare, LockWait::kNoWait), LockOutcome::kGranted);
  EXPECT_EQ(locks.acquire(b, r, LockMode::kRowForNoKeyUpdate, LockWait::kNoWait), LockOutcome::kNotAvailable);
  locks.release_all(a);
  EXPECT_EQ(locks.acquire(b, r, LockMode::kRowForNoKeyUpdate, LockWait::kNoWait), LockOutcome::kGranted);
  locks.release_all(b);
}

TEST(Locks, ManyOwnersInRandomOrderExcludeEachOtherAndEnd) {
  LockManager locks;
  constexpr int kThreads = 4, kKeys = 6;
  std::atomic<int> holders[kKeys] = {};
  std::atomic<int> deadlocks{0}, done{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&, n] {
      std::mt19937 random(n);
      for (int round = 0; round < 60; ++round) {
        LockOwner owner;
        owner.id = owner.process_id = n + 1;
        owner.deadlock_timeout_us = 2000;
        std::vector<int> held;
        for (int i = 0; i < 3; ++i) {
          const int k = static_cast<int>(random() % kKeys);
          bool fresh = false;
          const auto outcome = locks.acquire(owner, locks.row(kRows, std::to_string(k)), LockMode::kRowForUpdate,
                                             LockWait::kWait, &fresh);
          if (outcome == LockOutcome::kDeadlock) {
            ++deadlocks;
            break;
          }
          ASSERT_EQ(outcome, LockOutcome::kGranted);
          if (!fresh) continue;
          ASSERT_EQ(++holders[k], 1);
          held.push_back(k);
        }
        for (int k : held) --holders[k];
        locks.release_all(owner);
        ++done;
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(done.load(), kThreads * 60);
}

TEST(WriteSet, RollbackRestoresOlderVersions) {
  WriteSet w;
  w.put(kRows, "a", "1", 1);
  const uint64_t mark = w.mark();
  w.put(kRows, "a", "2", 2);
  w.erase(kRows, "a", 3);
  EXPECT_EQ(w.find(kRows, "a")->visible(3)->row, "2");
  EXPECT_EQ(w.find(kRows, "a")->visible(2)->row, "1");
  EXPECT_EQ(w.find(kRows, "a")->visible(1), nullptr);
  w.rollback_to(mark);
  EXPECT_EQ(w.find(kRows, "a")->newest->row, "1");
  w.rollback_to(0);
  EXPECT_EQ(w.find(kRows, "a"), nullptr);
}

}  // namespace
}  // namespace omendb::txn
