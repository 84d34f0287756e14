// Who keeps a copy of a table's rows: what it is told of commits is enough to bring the copy up to any later snapshot.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using Rows = std::map<std::string, std::string>;

DatabaseOptions options(size_t write_set_bytes = 64 << 20) {
  DatabaseOptions o;
  o.block_cache_bytes = 8 << 20;
  o.write_buffer_bytes = 4 << 20;
  o.sync_commits = false;
  o.write_set_bytes = write_set_bytes;
  return o;
}

std::unique_ptr<txn::Transaction> reader(Fixture& f) { return f.begin(txn::Isolation::kRepeatableRead); }

Rows rows_at(Fixture& f, txn::Transaction& t) {
  Rows rows;
  auto cursor = f.database->scan(t, *f.access, {}, false);
  while (cursor->next()) rows.emplace(cursor->key(), cursor->row());
  CHECK(cursor->status().ok());
  return rows;
}

void fail_on_key(std::string_view) { FAIL(); }
void fail_on_span(const txn::KeySpan&) { FAIL(); }

/// Every key of a span that has a row for `t`, or has one in `rows`.
void keys_of_span(Fixture& f, txn::Transaction& t, const Rows& rows, const txn::KeySpan& span,
                  std::set<std::string>* keys) {
  auto cursor = f.database->scan(t, *f.access, {std::string(span.first), codec::prefix_successor(span.last)}, false);
  while (cursor->next()) keys->emplace(cursor->key());
  CHECK(cursor->status().ok());
  for (auto at = rows.lower_bound(std::string(span.first)); at != rows.end() && at->first <= span.last; ++at)
    keys->insert(at->first);
}

/// Reads every key that changed in (after, snapshot] again. False: the log does not reach back.
bool bring_up(Fixture& f, const txn::ChangeLog& log, Timestamp after, txn::Transaction& t, Rows* rows) {
  std::set<std::string> keys;
  Timestamp last = after;
  if (!log.read(
          after, t.snapshot(),
          [&](std::string_view key, Timestamp ts) {
            EXPECT_GE(ts, last);
            EXPECT_LE(ts, t.snapshot());
            last = ts;
            keys.emplace(key);
          },
          [&](const txn::KeySpan& span, Timestamp ts) {
            EXPECT_GE(ts, last);
            last = ts;
            keys_of_span(f, t, *rows, span, &keys);
          })) {
    return false;
  }
  for (const std::string& key : keys) {
    std::string row;
    auto found = f.database->get(t, *f.access, key, &row);
    CHECK(found.ok());
    if (*found) {
      (*rows)[key] = row;
    } else {
      rows->erase(key);
    }
  }
  return true;
}

std::set<std::string> own(Fixture& f, txn::Transaction& t) {
  std::set<std::string> keys;
  EXPECT_TRUE(f.database->own_changes(
      t, *f.access, [&](std::string_view key) { keys.emplace(key); },
      [&](const txn::KeySpan& span) { keys_of_span(f, t, {}, span, &keys); }));
  return keys;
}

/// Writers that insert, update, erase, move keys, undo to savepoints and roll back, while a copy follows.
void follow(size_t write_set_bytes, size_t change_log_bytes, bool must_reach) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  DatabaseOptions o = options(write_set_bytes);
  o.change_log_bytes = change_log_bytes;
  Fixture f(o);
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (uint64_t n = 0; n < 3; ++n) {
    writers.emplace_back([&, n] {
      std::mt19937_64 random(seed + n);
      while (!stop) {
        auto t = f.begin();
        t->set_deadlock_timeout_us(2000);
        const int writes = random() % 30 == 0 ? 100 : 1 + static_cast<int>(random() % 5);
        Status s;
        std::optional<txn::Savepoint> savepoint;
        for (int i = 0; i < writes && s.ok(); ++i) {
          f.next_statement(*t);
          const auto id = static_cast<int64_t>(random() % 2000), v = static_cast<int64_t>(random() % 1000);
          if (random() % 50 == 0) savepoint = f.database->savepoint(*t);
          if (savepoint.has_value() && random() % 50 == 0) f.database->rollback_to(*t, *savepoint);
          switch (random() % 4) {
            case 0: s = f.erase(*t, id); break;
            case 1: s = f.insert(*t, id, v, "text"); break;
            case 2: {
              auto locked = f.database->lock_row(*t, *f.access, f.key(id), RowLockMode::kUpdate, LockWait::kWait);
              if (!locked.ok()) {
                s = locked.status();
              } else if (locked->state != LockedRow::State::kGone) {
                s = f.database->update(*t, *f.access, f.key(id), locked->row, f.row(id + 2000, v));
              }
              break;
            }
            default: s = f.update(*t, id, v);
          }
          if (s.is(SqlState::kNoData) || s.is(SqlState::kUniqueViolation)) s = {};
        }
        // Every spill leaves a small file; more of them than the store merges would only make reads slow.
        std::this_thread::sleep_for(std::chrono::microseconds(300));
        if (s.ok() && random() % 5 != 0) {
          ASSERT_TRUE(f.database->commit(*t).ok());
        } else {
          f.database->rollback(*t);
        }
      }
    });
  }
  // A watch begins while commits are under way, is given up, and begins again.
  int reached = 0, missed = 0;
  for (int watch = 0; watch < 4; ++watch) {
    const auto log = f.database->watch_changes(*f.access);
    EXPECT_EQ(f.database->watch_changes(*f.access), log);
    auto t = reader(f);
    Timestamp at = t->snapshot();
    EXPECT_LE(log->from(), at);
    Rows copy = rows_at(f, *t);
    for (int round = 0; round < 25; ++round) {
      std::this_thread::sleep_for(std::chrono::milliseconds(round % 5));
      auto now = reader(f);
      if (bring_up(f, *log, at, *now, &copy)) {
        ++reached;
        ASSERT_EQ(copy, rows_at(f, *now)) << watch << " " << round;
      } else {
        ++missed;
        ASSERT_GT(log->from(), at);
        copy = rows_at(f, *now);
      }
      at = now->snapshot();
      if (round % 4 == 3) log->trim(at);
    }
  }
  stop = true;
  for (auto& w : writers) w.join();
  EXPECT_GT(reached, 0);
  if (must_reach) {
    EXPECT_EQ(missed, 0);
  }
}

TEST(Changes, ACopyFollowsWriters) { follow(64 << 20, 64 << 20, true); }

// What went to the store before a watch began cannot be told, and is not passed over.
TEST(Changes, ACopyFollowsWritersThatSpill) { follow(8 << 10, 64 << 20, false); }

TEST(Changes, ACopyFollowsWithinASmallBound) { follow(8 << 10, 16 << 10, false); }

TEST(Changes, KeysOfALoadComeWithItsCommit) {
  Fixture f(options(1));  // every write goes to the store at once
  const auto log = f.database->watch_changes(*f.access);
  auto t = f.begin();
  for (int id = 0; id < 20; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
  EXPECT_TRUE(f.database->has_own_changes(*t, *f.access));
  EXPECT_EQ(own(f, *t).size(), 20u);
  const Timestamp before = f.database->last_commit();
  EXPECT_EQ(log->last(), log->from());
  ASSERT_TRUE(f.database->commit(*t).ok());
  EXPECT_EQ(log->last(), f.database->last_commit());
  EXPECT_EQ(log->count(before, f.database->last_commit()), 20u);
}

TEST(Changes, AWatchThatBeginsAfterALoadSaysThatItKnowsNothing) {
  DatabaseOptions o = options(1);
  o.change_log_bytes = 16;
  Fixture f(o);
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1, 1).ok());
  const auto log = f.database->watch_changes(*f.access);
  const Timestamp began = log->from();
  EXPECT_EQ(began, f.database->last_commit());
  ASSERT_TRUE(f.insert(*t, 2, 2).ok());
  EXPECT_TRUE(f.database->has_own_changes(*t, *f.access));
  EXPECT_FALSE(f.database->own_changes(*t, *f.access, fail_on_key, fail_on_span));
  ASSERT_TRUE(f.database->commit(*t).ok());
  EXPECT_EQ(log->from(), f.database->last_commit());
  EXPECT_GT(log->from(), began);
  EXPECT_EQ(log->count(began, f.database->last_commit()), SIZE_MAX);
}

TEST(Changes, ALoadBeyondTheBoundSaysThatItWasForgotten) {
  DatabaseOptions o = options(1);
  o.change_log_bytes = 4096;
  Fixture f(o);
  const auto log = f.database->watch_changes(*f.access);
  auto t = f.begin();
  for (int id = 0; id < 500; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
  EXPECT_FALSE(f.database->own_changes(*t, *f.access, fail_on_key, fail_on_span));
  ASSERT_TRUE(f.database->commit(*t).ok());
  EXPECT_EQ(log->from(), f.database->last_commit());
}

// A load whose keys lie beside one another takes no room to speak of, whatever its size, also when the watch begins while it runs.
TEST(Changes, ALoadIsToldAsSpans) {
  for (const bool watched_before : {true, false}) {
    DatabaseOptions o = options(512 << 10);  // a load goes to the store in some parts
    o.change_log_bytes = 256 << 10;
    Fixture f(o);
    std::shared_ptr<txn::ChangeLog> log;
    if (watched_before) log = f.database->watch_changes(*f.access);
    const auto load = [&](int from, int to, int step, bool commit) {
      auto t = f.begin();
      for (int id = from; id < to; id += step) ASSERT_TRUE(f.insert(*t, id, id).ok());
      if (commit) {
        ASSERT_TRUE(f.database->commit(*t).ok());
      }
    };
    auto t = f.begin();
    for (int id = 0; id < 20'000; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
    if (!watched_before) log = f.database->watch_changes(*f.access);
    const Timestamp began = f.database->last_commit();
    Rows copy;
    f.next_statement(*t);
    EXPECT_EQ(own(f, *t).size(), 20'000u);
    ASSERT_TRUE(f.database->commit(*t).ok());
    load(50'000, 60'000, 1, true);   // beyond all
    load(20'000, 30'000, 1, false);  // rolled back
    load(30'000, 49'000, 2, true);   // every other key
    load(30'001, 49'001, 2, true);   // those between
    const uint64_t keys = log->count(began, f.database->last_commit());
    EXPECT_GE(keys, 49'000u);
    EXPECT_LT(keys, 52'000u);
    EXPECT_LE(log->bytes(), 256u << 10);
    uint64_t singles = 0, spans = 0;
    ASSERT_TRUE(log->read(
        began, f.database->last_commit(), [&](std::string_view, Timestamp) { ++singles; },
        [&](const txn::KeySpan&, Timestamp) { ++spans; }));
    EXPECT_LT(singles, 5000u);  // the ends of the transactions, too small to be looked at
    EXPECT_LT(spans, 200u);
    auto now = reader(f);
    ASSERT_TRUE(bring_up(f, *log, began, *now, &copy));
    EXPECT_EQ(copy, rows_at(f, *now));
  }
}

TEST(Changes, KeysThatOthersLieBetweenAreToldOneByOne) {
  Fixture f(options());
  auto t = f.begin();
  for (int id = 0; id < 60'000; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  const auto log = f.database->watch_changes(*f.access);
  t = f.begin();
  for (int id = 0; id < 60'000; id += 10) ASSERT_TRUE(f.update(*t, id, 1).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  uint64_t singles = 0;
  ASSERT_TRUE(log->read(
      log->from(), f.database->last_commit(), [&](std::string_view, Timestamp) { ++singles; },
      [](const txn::KeySpan&, Timestamp) { FAIL(); }));
  EXPECT_EQ(singles, 6000u);
}

TEST(Changes, OwnOnesAreThoseNotUndone) {
  Fixture f(options());
  auto t = f.begin();
  EXPECT_FALSE(f.database->has_own_changes(*t, *f.access));
  ASSERT_TRUE(f.insert(*t, 1, 1).ok());
  const txn::Savepoint savepoint = f.database->savepoint(*t);
  ASSERT_TRUE(f.insert(*t, 2, 2).ok());
  EXPECT_EQ(own(f, *t).size(), 2u);
  f.database->rollback_to(*t, savepoint);
  EXPECT_EQ(own(f, *t), std::set<std::string>{f.key(1)});
  EXPECT_TRUE(f.database->has_own_changes(*t, *f.access));
}

TEST(Changes, RecordingEndsWithTheLastWatcher) {
  Fixture f(options());
  auto log = f.database->watch_changes(*f.access);
  const auto commit = [&](int id) {
    auto t = f.begin();
    ASSERT_TRUE(f.insert(*t, id, id).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  };
  commit(1);
  EXPECT_EQ(log->last(), f.database->last_commit());
  log.reset();
  commit(2);
  log = f.database->watch_changes(*f.access);
  EXPECT_EQ(log->from(), f.database->last_commit());
  EXPECT_EQ(log->bytes(), 0u);
  commit(3);
  EXPECT_EQ(log->last(), f.database->last_commit());
}

// A copy on disk, as of a snapshot, is brought up after any number of restarts from what the store got since and what has left it.
TEST(Changes, ACopyIsBroughtUpAfterRestarts) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  testing::TemporaryDirectory directory;
  DatabaseOptions o = options(16 << 10);
  o.directory = directory.path() + "/data";
  Fixture f(o);
  const auto write = [&](int count) {
    auto t = f.begin();
    for (int i = 0; i < count; ++i) {
      f.next_statement(*t);
      const auto id = static_cast<int64_t>(random() % 3000);
      const Status s = random() % 3 == 0   ? f.erase(*t, id)
                       : random() % 2 == 0 ? f.insert(*t, id, i)
                                           : f.update(*t, id, i);
      ASSERT_TRUE(s.ok() || s.is(SqlState::kNoData) || s.is(SqlState::kUniqueViolation)) << s.message();
    }
    ASSERT_TRUE(f.database->commit(*t).ok());
  };
  const auto wait_for_vacuum = [&] {
    const auto removed = [&] {
      for (const auto& [name, value] : f.database->statistics()) {
        if (name == "dead_keys_removed") return value;
      }
      return uint64_t{0};
    };
    for (uint64_t before = removed() + 1, n = 0; before != removed() && n < 100; ++n) {
      before = removed();
      std::this_thread::sleep_for(std::chrono::milliseconds(120));
    }
  };
  write(4000);
  EXPECT_FALSE(*f.database->changes_since(*f.access, Timestamp(1), [](std::string_view) { FAIL(); }));
  Timestamp position = f.database->change_position();
  ASSERT_TRUE(f.database->keep_changes(*f.access, position).ok());
  Rows copy;
  {
    auto t = reader(f);
    copy = rows_at(f, *t);
  }
  for (int round = 0; round < 6; ++round) {
    for (int n = 0; n < 20; ++n) write(1 + static_cast<int>(random() % 30));
    // One whose versions are in the store before the place is taken, and committed after.
    auto late = f.begin();
    for (int id = 0; id < 300; ++id) {
      f.next_statement(*late);
      const Status s = f.update(*late, id, round * 1000 + id);
      ASSERT_TRUE(s.ok() || s.is(SqlState::kNoData)) << s.message();
    }
    const Timestamp next = f.database->change_position();
    ASSERT_TRUE(f.database->commit(*late).ok());
    for (int n = 0; n < 5; ++n) write(1 + static_cast<int>(random() % 200));
    wait_for_vacuum();
    if (round % 2 == 0) f.reopen();
    auto t = reader(f);
    std::set<std::string> keys;
    const auto known = f.database->changes_since(*f.access, position, [&](std::string_view key) { keys.emplace(key); });
    ASSERT_TRUE(known.ok()) << known.status().message();
    ASSERT_TRUE(*known);
    for (const std::string& key : keys) {
      std::string row;
      if (*f.database->get(*t, *f.access, key, &row)) {
        copy[key] = row;
      } else {
        copy.erase(key);
      }
    }
    ASSERT_EQ(copy, rows_at(f, *t)) << round;
    position = next;  // before this round's last commits: they are told again
    ASSERT_TRUE(f.database->keep_changes(*f.access, position).ok());
    EXPECT_FALSE(
        *f.database->changes_since(*f.access, Timestamp(position.value - 1), [](std::string_view) { FAIL(); }));
  }
  ASSERT_TRUE(f.database->keep_changes(*f.access, Timestamp()).ok());
  f.reopen();
  EXPECT_FALSE(*f.database->changes_since(*f.access, f.database->change_position(), [](std::string_view) { FAIL(); }));
}

// More keys than may be kept leave the store: that is told, and is not forgotten until the copy is past them.
TEST(Changes, TooManyKeysThatLeaveTheStoreAreNotKept) {
  testing::TemporaryDirectory directory;
  DatabaseOptions o = options(1 << 20);
  o.directory = directory.path() + "/data";
  o.change_log_bytes = 4096;
  Fixture f(o);
  const auto write = [&](int from, int to, bool insert) {
    auto t = f.begin();
    for (int id = from; id < to; ++id) {
      f.next_statement(*t);
      ASSERT_TRUE((insert ? f.insert(*t, id, id) : f.erase(*t, id)).ok());
    }
    ASSERT_TRUE(f.database->commit(*t).ok());
  };
  const auto known = [&](Timestamp position) {
    return *f.database->changes_since(*f.access, position, [](std::string_view) {});
  };
  const auto left = [&](uint64_t keys) {
    for (int n = 0; n < 200; ++n) {
      for (const auto& [name, value] : f.database->statistics()) {
        if (name == "dead_keys_removed" && value >= keys) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  };
  write(0, 3000, true);
  const Timestamp first = f.database->change_position();
  ASSERT_TRUE(f.database->keep_changes(*f.access, first).ok());
  write(0, 50, false);
  ASSERT_TRUE(left(50));
  EXPECT_TRUE(known(first));
  write(50, 2000, false);
  ASSERT_TRUE(left(2000));
  EXPECT_FALSE(known(first));
  // Who has a copy of then may not go on as if nothing had been lost; who has read the rows since may.
  ASSERT_TRUE(f.database->keep_changes(*f.access, first).ok());
  EXPECT_FALSE(known(first));
  f.reopen();
  EXPECT_FALSE(known(first));
  auto t = reader(f);
  const Timestamp second = f.database->change_position();
  ASSERT_TRUE(f.database->keep_changes(*f.access, second).ok());
  EXPECT_TRUE(known(second));
  EXPECT_FALSE(known(first));
}

}  // namespace
}  // namespace omendb::table
