// From a key to a visible, decoded row, beside SQLite's prepared SELECT, interleaved in one process: one JSON object a line.
//
//   lookup_bench [--json] [--n ROWS]... [--narrow] [--case SUBSTRING] [--rounds R]
//
// One table, an integer key, an integer and a text of 80 bytes (three with --narrow), the same rows in both. Ours: table::RowReader, by the key's
// number (in batches by its bytes), under one snapshot and three columns out of the row. Theirs: bind, step, three columns, reset, inside one transaction, the
// whole file in its cache. Time is the thread's CPU time; a round is a stretch of ours and one of theirs over the same keys, and the ratio the
// median over the rounds. Cases:
//
//   KEYS/lookup           uniform, sequential and Zipf-chosen (0.99) keys, everything in memory
//   KEYS/lookup-batch     the same, sixteen keys at a time that are known before the first is read (table/row_read.h)
//   KEYS/lookup-store     index and cache off
//   KEYS/cache-PERCENT    a cache of that share of the rows' bytes; the hit rate is a line of its own
//   KEYS/blocks-PERCENT   a row cache of 1 %, and a block cache of that share of the rows' bytes instead of one that holds everything, after
//                         every twentieth row was updated; the bytes read from files for a lookup are a line of their own
//   uniform/threads-N     beside one thread
//   restart/first-answer  from opening to the first row, with the index's checkpoint; index/memory: bytes a row, beside PostgreSQL's B-tree
#include <sqlite3.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <span>
#include <thread>

#include "base/clock.h"
#include "table/row_read.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::TableSpec;

struct Arguments {
  std::vector<int64_t> sizes;
  std::string only;
  int rounds = 7;
  bool narrow = false;
} arguments;

bool wanted(const std::string& name) {
  return arguments.only.empty() || name.find(arguments.only) != std::string::npos;
}

double cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[v.size() / 2];
}

/// Zipf-chosen ranks, spread over the keys by a multiplication (Gray et al., SIGMOD 1994).
class Zipf {
 public:
  Zipf(uint64_t n, double theta) : n_(n), theta_(theta) {
    for (uint64_t i = 1; i <= n; ++i) zeta_ += 1 / std::pow(static_cast<double>(i), theta);
    alpha_ = 1 / (1 - theta);
    const double two = 1 + std::pow(0.5, theta);
    eta_ = (1 - std::pow(2.0 / static_cast<double>(n), 1 - theta)) / (1 - two / zeta_);
  }
  uint64_t operator()(std::mt19937_64& random) {
    const double u = std::uniform_real_distribution<double>(0, 1)(random), uz = u * zeta_;
    uint64_t rank = 0;
    if (uz >= 1)
      rank = uz < 1 + std::pow(0.5, theta_)
                 ? 1
                 : static_cast<uint64_t>(static_cast<double>(n_) * std::pow(eta_ * u - eta_ + 1, alpha_));
    return std::min(rank, n_ - 1) * 0x9E3779B97F4A7C15ull % n_;
  }

 private:
  const uint64_t n_;
  const double theta_;
  double zeta_ = 0, alpha_, eta_;
};

class Sqlite {
 public:
  Sqlite(const std::string& path, int64_t rows, std::string_view text) {
    CHECK(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          nullptr) == SQLITE_OK);
    run("pragma journal_mode=off; pragma synchronous=off; pragma cache_size=-8000000; begin;"
        "create table t(id integer primary key, v integer, s text)");
    sqlite3_stmt* insert = prepare("insert into t values(?, ?, ?)");
    for (int64_t id = 0; id < rows; ++id) {
      sqlite3_bind_int64(insert, 1, id);
      sqlite3_bind_int64(insert, 2, id % 1000);
      sqlite3_bind_text(insert, 3, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
      CHECK(sqlite3_step(insert) == SQLITE_DONE);
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    run("commit; begin");
    select_ = prepare("select id, v, s from t where id = ?");
    sqlite3_stmt* all = prepare("select sum(length(s)) from t");  // every page into its cache
    CHECK(sqlite3_step(all) == SQLITE_ROW);
    sqlite3_finalize(all);
  }
  ~Sqlite() {
    sqlite3_finalize(select_);
    sqlite3_close(db_);
  }
  uint64_t get(int64_t id) {
    sqlite3_bind_int64(select_, 1, id);
    CHECK(sqlite3_step(select_) == SQLITE_ROW);
    const auto sum = static_cast<uint64_t>(sqlite3_column_int64(select_, 0) + sqlite3_column_int64(select_, 1));
    const auto* text = sqlite3_column_text(select_, 2);
    const uint64_t out = sum + text[0] + static_cast<uint64_t>(sqlite3_column_bytes(select_, 2));
    sqlite3_reset(select_);
    return out;
  }

 private:
  void run(const char* sql) { CHECK(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    CHECK(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK);
    return statement;
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

template <class T>
[[gnu::always_inline]] inline T number(const codec::RowView& row, size_t column) {
  CHECK(!row.is_null(column));
  T value;
  std::memcpy(&value, row.fixed(column), sizeof(value));
  return value;
}

/// `key`: its number, or its bytes.
template <class Key>
[[gnu::always_inline]] inline uint64_t get(Fixture& f, RowReader& reader, Key key, txn::RowRef* row) {
  auto found = reader.read(key, row);
  CHECK(found.ok());
  CHECK(*found);
  const codec::RowView view(f.access->layout(), row->bytes());
  CHECK(!view.is_null(2));
  const std::string_view text = view.bytes(2);
  return static_cast<uint64_t>(number<int64_t>(view, 0) + number<int32_t>(view, 1)) +
         static_cast<unsigned char>(text[0]) + text.size();
}

/// The same, with `at_once` keys known in advance.
uint64_t get_many(Fixture& f, RowReader& reader, const std::vector<int64_t>& ids, size_t at_once, txn::RowRef* row) {
  uint64_t sum = 0;
  std::vector<std::string> keys(at_once);
  std::vector<std::string_view> views(at_once);
  for (size_t begin = 0; begin < ids.size(); begin += at_once) {
    const size_t n = std::min(at_once, ids.size() - begin);
    for (size_t i = 0; i < n; ++i) {
      keys[i].clear();
      CHECK(codec::append_key(f.access->key_columns()[0], types::ValueView::of_integer(ids[begin + i]), &keys[i]).ok());
      views[i] = keys[i];
    }
    prefetch_rows(*f.database, *f.access, std::span(views).first(n));
    for (size_t i = 0; i < n; ++i) sum += get(f, reader, views[i], row);
  }
  return sum;
}

uint64_t statistic(Fixture& f, const std::string& name) {
  for (const auto& [known, value] : f.database->statistics()) {
    if (known == name) return value;
  }
  return 0;
}

struct Result {
  double ours = 0, theirs = 0, ratio = 0, hits = 0;
};

/// Rounds of `count` lookups of the keys that `choose` gives, ours and theirs over the same.
template <class Choose>
Result compare(Fixture& f, Sqlite& sqlite, size_t count, Choose choose, size_t at_once = 1) {
  std::vector<double> ours, theirs, ratios;
  std::vector<int64_t> ids(count);
  txn::RowRef row;
  const uint64_t hits = statistic(f, "row_cache_hits");
  for (int round = 0; round < arguments.rounds; ++round) {
    for (int64_t& id : ids) id = choose();
    uint64_t sum = 0, sum_theirs = 0;
    auto t = f.begin();
    RowReader reader(*f.database, *t, *f.access);
    double start = cpu_ns();
    if (at_once == 1) {
      for (const int64_t id : ids) sum += get(f, reader, id, &row);
    } else {
      sum = get_many(f, reader, ids, at_once, &row);
    }
    ours.push_back((cpu_ns() - start) / static_cast<double>(count));
    start = cpu_ns();
    for (const int64_t id : ids) sum_theirs += sqlite.get(id);
    theirs.push_back((cpu_ns() - start) / static_cast<double>(count));
    ratios.push_back(ours.back() / theirs.back());
    CHECK(sum == sum_theirs);
  }
  return {median(ours), median(theirs), median(ratios),
          static_cast<double>(statistic(f, "row_cache_hits") - hits) /
              (static_cast<double>(count) * static_cast<double>(arguments.rounds))};
}

void line(const std::string& name, int64_t n, const char* metric, const char* unit, const char* peer, double ours,
          double theirs, double ratio, size_t samples) {
  std::printf(
      "{\"suite\":\"lookup\",\"case\":\"%s\",\"n\":%lld,\"metric\":\"%s\",\"unit\":\"%s\",\"peer\":\"%s\",\"ours\":%."
      "3f,"
      "\"theirs\":%.3f,\"ratio\":%.4f,\"better\":\"lower\",\"samples\":%zu}\n",
      name.c_str(), static_cast<long long>(n), metric, unit, peer, ours, theirs, ratio, samples);
  std::fflush(stdout);
}

void report(const std::string& name, int64_t n, const Result& r) {
  line(name, n, "cpu_time", "ns", "sqlite", r.ours, r.theirs, r.ratio, static_cast<size_t>(arguments.rounds));
}

void report_hits(const std::string& name, int64_t n, const Result& r) {
  report(name, n, r);
  std::printf(
      "{\"suite\":\"lookup\",\"case\":\"%s\",\"n\":%lld,\"metric\":\"cache_hit_rate\",\"unit\":\"1\",\"ours\":%.4f,"
      "\"better\":\"higher\",\"samples\":%d}\n",
      name.c_str(), static_cast<long long>(n), r.hits, arguments.rounds);
}

/// Bytes that this process has read from files, out of the system's cache or not.
uint64_t bytes_read() {
  unsigned long long bytes = 0;
  std::FILE* io = std::fopen("/proc/self/io", "r");
  CHECK(io != nullptr && std::fscanf(io, "rchar: %llu", &bytes) == 1);
  std::fclose(io);
  return bytes;
}

template <class Choose>
void blocks(const std::string& name, Fixture& f, Sqlite& sqlite, int64_t n, Choose choose) {
  (void)compare(f, sqlite, 100'000, choose);
  const uint64_t from = bytes_read();
  report(name, n, compare(f, sqlite, 100'000, choose));
  std::printf(
      "{\"suite\":\"lookup\",\"case\":\"%s\",\"n\":%lld,\"metric\":\"bytes_read\",\"unit\":\"bytes\",\"ours\":%.0f,"
      "\"better\":\"lower\",\"samples\":%d}\n",
      name.c_str(), static_cast<long long>(n), static_cast<double>(bytes_read() - from) / 100'000 / arguments.rounds,
      arguments.rounds);
  std::fflush(stdout);
}

/// Writes each row that `choose` gives once more as it is, in many commits.
template <class Choose>
void touch(Fixture& f, int64_t count, std::string_view text, Choose choose) {
  while (count > 0) {
    auto t = f.begin();
    for (int i = 0; i < 1000 && count > 0; ++i, --count) {
      const int64_t id = choose();
      CHECK(f.update(*t, id, id % 1000, text).ok());
    }
    CHECK(f.database->commit(*t).ok());
  }
}

void fill(Fixture& f, int64_t rows, std::string_view text) {
  auto t = f.begin();
  codec::RowBuilder builder(f.access->layout());
  for (int64_t id = 0; id < rows; ++id) {
    builder.reset();
    builder.set(0, types::ValueView::of_integer(id));
    builder.set(1, types::ValueView::of_integer(id % 1000));
    builder.set(2, types::ValueView::of_bytes(text));
    CHECK(f.database->insert(*t, *f.access, builder.finish(), nullptr, false).ok());
  }
  CHECK(f.database->commit(*t).ok());
}

void scan(Fixture& f) {
  auto t = f.begin();
  auto cursor = f.database->scan(*t, *f.access, {}, false);
  while (cursor->next()) {
  }
}

void two_threads(Fixture& f, int64_t rows) {
  constexpr int kLookups = 400'000;
  double alone = 0;
  for (const int threads : {1, 2}) {
    std::vector<double> spent;
    for (int round = 0; round < arguments.rounds; ++round) {
      std::atomic<int64_t> cpu{0};
      std::vector<std::thread> workers;
      for (int n = 0; n < threads; ++n) {
        workers.emplace_back([&, n] {
          std::mt19937_64 random(static_cast<uint64_t>(round * 2 + n));
          txn::RowRef row;
          auto t = f.begin();
          RowReader reader(*f.database, *t, *f.access);
          const double start = cpu_ns();
          for (int i = 0; i < kLookups; ++i) {
            (void)get(f, reader, static_cast<int64_t>(random() % static_cast<uint64_t>(rows)), &row);
          }
          cpu += static_cast<int64_t>(cpu_ns() - start);
        });
      }
      for (auto& w : workers) w.join();
      spent.push_back(static_cast<double>(cpu) / kLookups / threads);
    }
    const double ns = median(spent);
    if (threads == 1) alone = ns;
    line("uniform/threads-" + std::to_string(threads), rows, "cpu_time", "ns", "one thread", ns, alone, ns / alone,
         spent.size());
  }
}

void run(int64_t rows) {
  testing::TemporaryDirectory directory;
  const std::string text(arguments.narrow ? 3 : 80, 'x');
  TableSpec spec;
  spec.columns[0].type = types::oid::kInt8;
  const size_t row_bytes = (32 + 8 + 24 + text.size() + 7) / 8 * 8;  // as the cache lays rows out
  const auto options = [&](int percent) {
    DatabaseOptions o;
    o.directory = directory.path() + "/data";
    o.block_cache_bytes = 4ull << 30;
    // The reserve that the cache keeps free comes on top.
    o.row_cache_bytes = static_cast<size_t>(rows) * row_bytes / 100 * static_cast<size_t>(percent) * 105 / 100;
    o.learned_index = percent >= 0;
    return o;
  };
  Sqlite sqlite(directory.path() + "/sqlite.db", rows, text);
  std::mt19937_64 random(1);
  const auto uniform = [&] { return static_cast<int64_t>(random() % static_cast<uint64_t>(rows)); };
  int64_t next = 0;
  const auto sequential = [&] { return next = (next + 1) % rows; };
  Zipf chosen(static_cast<uint64_t>(rows), 0.99);
  const auto zipf = [&] { return static_cast<int64_t>(chosen(random)); };
  {
    Fixture f(options(0), spec);
    fill(f, rows, text);
  }
  {
    Fixture f = Fixture::existing(options(100));
    scan(f);
    if (wanted("uniform/lookup")) report("uniform/lookup", rows, compare(f, sqlite, 200'000, uniform));
    if (wanted("sequential/lookup")) report("sequential/lookup", rows, compare(f, sqlite, 200'000, sequential));
    if (wanted("zipf/lookup")) report("zipf/lookup", rows, compare(f, sqlite, 200'000, zipf));
    if (wanted("uniform/lookup-batch")) report("uniform/lookup-batch", rows, compare(f, sqlite, 200'000, uniform, 16));
    if (wanted("zipf/lookup-batch")) report("zipf/lookup-batch", rows, compare(f, sqlite, 200'000, zipf, 16));
    if (wanted("uniform/threads")) two_threads(f, rows);
    if (wanted("index/memory")) {
      // PostgreSQL 15: pg_relation_size of the primary key of a million bigints, inserted in order.
      constexpr double kBtreeBytes = 22.487;
      const double bytes = static_cast<double>(statistic(f, "index_bytes")) / static_cast<double>(rows);
      line("index/memory", rows, "bytes_a_row", "bytes", "postgresql 15 btree", bytes, kBtreeBytes, bytes / kBtreeBytes,
           1);
    }
  }
  if (wanted("restart/first-answer")) {
    // The goal is three seconds: there is no peer that restarts with everything in memory.
    constexpr double kGoal = 3;
    const auto from = std::chrono::steady_clock::now();
    Fixture f = Fixture::existing(options(100));
    txn::RowRef row;
    auto t = f.begin();
    RowReader reader(*f.database, *t, *f.access);
    (void)get(f, reader, rows / 2, &row);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    CHECK(statistic(f, "index_restored") == 1);
    line("restart/first-answer", rows, "wall_time", "s", "goal", seconds, kGoal, seconds / kGoal, 1);
  }
  if (wanted("lookup-store")) {
    Fixture f = Fixture::existing(options(-1));
    report("uniform/lookup-store", rows, compare(f, sqlite, 50'000, uniform));
    report("sequential/lookup-store", rows, compare(f, sqlite, 50'000, sequential));
    report("zipf/lookup-store", rows, compare(f, sqlite, 50'000, zipf));
  }
  for (const int percent : {1, 10, 50, 100}) {
    const std::string size = "/cache-" + std::to_string(percent);
    if (!wanted("uniform" + size) && !wanted("zipf" + size)) continue;
    for (const bool skewed : {false, true}) {
      Fixture f = Fixture::existing(options(percent));
      scan(f);
      {
        txn::RowRef row;
        auto t = f.begin();
        RowReader reader(*f.database, *t, *f.access);
        for (int64_t i = 0; i < rows / 4; ++i) (void)get(f, reader, skewed ? zipf() : uniform(), &row);
      }
      if (skewed) {
        report_hits("zipf" + size, rows, compare(f, sqlite, 100'000, zipf));
      } else {
        report_hits("uniform" + size, rows, compare(f, sqlite, 100'000, uniform));
      }
    }
  }
  bool touched = false;
  for (const int percent : {1, 10, 50, 100}) {
    const std::string size = "/blocks-" + std::to_string(percent);
    if (!wanted("uniform" + size) && !wanted("zipf" + size)) continue;
    if (!touched) {
      Fixture f = Fixture::existing(options(1));
      touch(f, rows / 20, text, uniform);
      touched = true;
    }
    DatabaseOptions o = options(1);
    o.block_cache_bytes = static_cast<size_t>(rows) * row_bytes / 100 * static_cast<size_t>(percent);
    Fixture f = Fixture::existing(o);
    blocks("uniform" + size, f, sqlite, rows, uniform);
    blocks("zipf" + size, f, sqlite, rows, zipf);
  }
}

}  // namespace
}  // namespace omendb::table

int main(int argc, char** argv) {
  auto& arguments = omendb::table::arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool more = i + 1 < argc;
    if (name == "--json") continue;  // there is no other form
    if (name == "--narrow") {
      arguments.narrow = true;
    } else if (name == "--n" && more) {
      arguments.sizes.push_back(std::atoll(argv[++i]));
    } else if (name == "--case" && more) {
      arguments.only = argv[++i];
    } else if (name == "--rounds" && more) {
      arguments.rounds = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "lookup_bench [--json] [--n ROWS]... [--narrow] [--case SUBSTRING] [--rounds R]\n");
      return name == "--help" ? 0 : 2;
    }
  }
  if (arguments.sizes.empty()) arguments.sizes = {1'000'000, 10'000'000};
  for (const int64_t n : arguments.sizes) omendb::table::run(n);
  return 0;
}
