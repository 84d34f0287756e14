// What a row costs: `table_bench [case...]`; cases: load build scan get serializable commit hot restart. One line of JSON a case.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <time.h>

#include "base/clock.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::TableSpec;

int64_t rows_wanted = 1'000'000;

void report(const char* name, double value, const char* unit, const char* better) {
  std::printf("{\"suite\":\"table\",\"case\":\"%s\",\"n\":%lld,\"metric\":%.1f,\"unit\":\"%s\",\"better\":\"%s\"}\n",
              name, static_cast<long long>(rows_wanted), value, unit, better);
  std::fflush(stdout);
}

/// Of this thread: what a shared machine leaves comparable.
int64_t cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Runs `work` for `count` operations and reports its cost on the wall's clock and on the thread's.
template <class Work>
void measure(const char* name, double count, Work work) {
  const int64_t start = monotonic_ns(), cpu = cpu_ns();
  work();
  const double wall = static_cast<double>(monotonic_ns() - start) / count;
  const double spent = static_cast<double>(cpu_ns() - cpu) / count;
  report(name, wall, "ns", "lower");
  report((std::string(name) + "_cpu").c_str(), spent, "ns", "lower");
}

double seconds_since(int64_t start) { return static_cast<double>(monotonic_ns() - start) / 1e9; }

/// Loads in one transaction, as COPY does. Returns rows a second.
double load(Fixture& f, bool shuffled, std::string_view text) {
  std::vector<int32_t> ids(static_cast<size_t>(rows_wanted));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i);
  if (shuffled) std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
  codec::RowBuilder builder(f.access->layout());
  const int64_t start = monotonic_ns(), cpu = cpu_ns();
  auto t = f.begin();
  for (const int32_t id : ids) {
    builder.reset();
    builder.set(0, types::ValueView::of_integer(id));
    builder.set(1, types::ValueView::of_integer(id % 1000));
    builder.set(2, types::ValueView::of_bytes(text));
    auto outcome = f.database->insert(*t, *f.access, builder.finish(), nullptr, false);
    CHECK(outcome.ok());
  }
  const Status s = f.database->commit(*t);
  CHECK(s.ok());
  report("load_cpu", static_cast<double>(cpu_ns() - cpu) / static_cast<double>(rows_wanted), "ns/row", "lower");
  return static_cast<double>(rows_wanted) / seconds_since(start);
}

void print_statistics(Fixture& f) {
  if (std::getenv("OMENDB_BENCH_STATISTICS") == nullptr) return;
  for (const auto& [name, value] : f.database->statistics()) {
    std::fprintf(stderr, "  %s %llu\n", name.c_str(), static_cast<unsigned long long>(value));
  }
}

int run(const std::set<std::string>& cases) {
  const auto wanted = [&](const char* name) { return cases.empty() || cases.contains(name); };
  testing::TemporaryDirectory directory;
  DatabaseOptions options;
  options.directory = directory.path() + "/data";
  const std::string text(80, 'x');

  if (wanted("load")) {
    for (const bool shuffled : {false, true}) {
      DatabaseOptions own = options;
      own.directory += shuffled ? "_shuffled" : "_ordered";
      Fixture f(own);
      report(shuffled ? "load_shuffled_narrow" : "load_ordered_narrow", load(f, shuffled, "abc"), "rows/s", "higher");
      print_statistics(f);
    }
    DatabaseOptions own = options;
    own.directory += "_indexed";
    TableSpec spec;
    spec.indexes = {{"t_v_idx", {2}, false}};
    Fixture f(own, spec);
    report("load_ordered_one_index", load(f, false, "abc"), "rows/s", "higher");
  }

  Fixture f(options);
  report("load_ordered_100_bytes", load(f, false, text), "rows/s", "higher");

  if (wanted("build")) {
    auto t = f.begin();
    const int64_t start = monotonic_ns();
    CHECK(f.add_index(*t, {"t_s_v_idx", {3, 2}, false}).ok());
    CHECK(f.database->commit(*t).ok());
    report("build_index", static_cast<double>(rows_wanted) / seconds_since(start), "rows/s", "higher");
  }
  if (wanted("scan")) {
    for (int round = 0; round < 3; ++round) {
      auto t = f.begin();
      measure(round == 0 ? "scan_cold" : "scan", static_cast<double>(rows_wanted), [&] {
        auto cursor = f.database->scan(*t, *f.access, {}, false);
        uint64_t rows = 0, bytes = 0;
        while (cursor->next()) {
          ++rows;
          bytes += cursor->row().size();
        }
        CHECK(rows == static_cast<uint64_t>(rows_wanted));
      });
    }
    {
      auto t = f.begin();
      measure("scan_reverse", static_cast<double>(rows_wanted), [&] {
        auto cursor = f.database->scan(*t, *f.access, {}, true);
        while (cursor->next()) {
        }
      });
    }
    {
      auto t = f.begin();
      auto parts = f.database->split(*f.access, {}, 2);
      const int64_t start = monotonic_ns();
      std::vector<std::thread> threads;
      std::atomic<uint64_t> rows{0};
      for (const auto& part : parts) {
        threads.emplace_back([&, part] {
          auto cursor = f.database->scan(*t, *f.access, part, false);
          uint64_t n = 0;
          while (cursor->next()) ++n;
          rows += n;
        });
      }
      for (auto& thread : threads) thread.join();
      CHECK(rows == static_cast<uint64_t>(rows_wanted));
      report("scan_two_threads", seconds_since(start) * 1e9 / static_cast<double>(rows_wanted), "ns/row", "lower");
    }
  }
  if (wanted("get")) {
    std::mt19937_64 random(7);
    std::string row;
    for (const bool present : {true, false}) {
      auto t = f.begin();
      constexpr int kGets = 300'000;
      std::vector<std::string> keys;
      for (int i = 0; i < kGets; ++i) {
        keys.push_back(
            f.key(static_cast<int64_t>(random() % static_cast<uint64_t>(rows_wanted)) + (present ? 0 : rows_wanted)));
      }
      measure(present ? "get" : "get_absent", kGets, [&] {
        for (const auto& key : keys) {
          auto found = f.database->get(*t, *f.access, key, &row);
          CHECK(found.ok());
          CHECK(*found == present);
        }
      });
    }
    {
      // As autocommit SELECTs do.
      constexpr int kGets = 100'000;
      measure("get_transaction", kGets, [&] {
        for (int i = 0; i < kGets; ++i) {
          auto t = f.begin();
          auto found = f.database->get(
              *t, *f.access, f.key(static_cast<int64_t>(random() % static_cast<uint64_t>(rows_wanted))), &row);
          CHECK(found.ok());
          CHECK(f.database->commit(*t).ok());
        }
      });
    }
  }
  if (wanted("serializable")) {
    // What the marks cost, and what they cost while one transaction that stays open keeps those of the finished ones.
    std::mt19937_64 random(11);
    std::string row;
    const auto id = [&] { return static_cast<int64_t>(random() % static_cast<uint64_t>(rows_wanted - 100)); };
    for (const char* how : {"repeatable_read", "serializable", "serializable_beside_old"}) {
      const auto isolation = how[0] == 's' ? txn::Isolation::kSerializable : txn::Isolation::kRepeatableRead;
      const auto old = std::string_view(how).ends_with("old") ? f.begin(isolation) : nullptr;
      const auto name = [&](const char* what) { return std::string(how) + "_" + what; };
      measure(name("10_gets").c_str(), 20'000, [&] {
        for (int i = 0; i < 20'000; ++i) {
          auto t = f.begin(isolation);
          for (int g = 0; g < 10; ++g) CHECK(f.database->get(*t, *f.access, f.key(id()), &row).ok());
          CHECK(f.database->commit(*t).ok());
        }
      });
      measure(name("scan_of_100").c_str(), 10'000, [&] {
        for (int i = 0; i < 10'000; ++i) {
          auto t = f.begin(isolation);
          const int64_t first = id();
          CHECK(f.all(*t, false, {f.key(first), f.key(first + 100)}).size() == 100);
          CHECK(f.database->commit(*t).ok());
        }
      });
      measure(name("2_updates").c_str(), 5'000, [&] {
        for (int i = 0; i < 5'000; ++i) {
          auto t = f.begin(isolation);
          for (int u = 0; u < 2; ++u) CHECK(f.update(*t, id(), i, text).ok());
          CHECK(f.database->commit(*t).ok());
        }
      });
    }
  }
  if (wanted("commit")) {
    for (const int threads : {1, 2, 8, 16}) {
      std::atomic<int64_t> done{0};
      const int64_t start = monotonic_ns();
      const int64_t end = start + 2'000'000'000;
      std::vector<std::thread> workers;
      for (int n = 0; n < threads; ++n) {
        workers.emplace_back([&, n] {
          std::mt19937_64 random(static_cast<uint64_t>(n));
          while (monotonic_ns() < end) {
            auto t = f.begin();
            Status s;
            for (int i = 0; i < 4 && s.ok(); ++i) {
              const int64_t slice = rows_wanted / threads;
              s = f.update(*t, n * slice + static_cast<int64_t>(random() % static_cast<uint64_t>(slice)), i, text);
            }
            CHECK(s.ok());
            CHECK(f.database->commit(*t).ok());
            ++done;
          }
        });
      }
      for (auto& w : workers) w.join();
      const std::string name = "commit_4_updates_" + std::to_string(threads) + "_threads";
      report(name.c_str(), static_cast<double>(done) / seconds_since(start), "commits/s", "higher");
    }
  }
  if (wanted("hot")) {
    // One row updated over and over, as pgbench's branches, then scanned.
    for (int i = 0; i < 10'000; ++i) {
      auto t = f.begin();
      CHECK(f.update(*t, 5, i, text).ok());
      CHECK(f.database->commit(*t).ok());
    }
    auto t = f.begin();
    std::string row;
    measure("hot_row_get", 10'000, [&] {
      for (int i = 0; i < 10'000; ++i) CHECK(f.database->get(*t, *f.access, f.key(5), &row).ok());
    });
    measure("hot_row_scan_10", 1000, [&] {
      for (int i = 0; i < 1000; ++i) CHECK(f.all(*t, false, {f.key(0), f.key(10)}).size() == 10);
    });
  }
  if (wanted("restart")) {
    const int64_t start = monotonic_ns();
    f.reopen();
    auto t = f.begin();
    CHECK(f.get(*t, 1).has_value());
    report("restart", seconds_since(start) * 1e3, "ms", "lower");
  }
  print_statistics(f);
  return 0;
}

}  // namespace
}  // namespace omendb::table

int main(int argc, char** argv) {
  std::set<std::string> cases;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--rows=", 7) == 0) {
      omendb::table::rows_wanted = std::atoll(argv[i] + 7);
    } else {
      cases.insert(argv[i]);
    }
  }
  return omendb::table::run(cases);
}
