// What copies in columns cost: making one, folding, counting with changes beside, writing down, taking up. On disk, one session.
//
//   column_bench [ROWS] [KEYS] [DIRECTORY]    default 10,000,000 rows, int keys, a directory that is deleted afterwards
//
// KEYS: int or bigint (1, 2, 3 ...), random (bigints), uuid (random), text ('customer 17'), word (32 random digits), pair (two ints).
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string_view>
#include <thread>

#include "sql/columnar/column_store.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/testing.h"
#include "table/testing.h"

namespace omendb::sql {
namespace {

/// Of the wall, and of all threads' processors: the second says more on a busy machine.
struct Time {
  double wall_ms = 0, cpu_ms = 0;
  bool operator<(const Time& other) const { return wall_ms < other.wall_ms; }
};

double cpu_ms() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

Time once(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpu_ms();
  f();
  return {std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(), cpu_ms() - cpu};
}

Time middle(std::vector<Time> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Time median(const std::function<void()>& f) {
  std::vector<Time> times;
  for (int i = 0; i < 7; ++i) times.push_back(once(f));
  return middle(times);
}

void report(const char* what, Time time) {
  std::printf("%-40s %12.2f ms wall %12.2f ms CPU\n", what, time.wall_ms, time.cpu_ms);
  std::fflush(stdout);
}

constexpr int kFolds = 21;

/// What the primary key is, and its value for a number.
struct Kind {
  const char* name;
  const char* column;
  const char* value;
};
constexpr Kind kKinds[] = {
    {"int", "id int", "i"},
    {"bigint", "id bigint", "i"},
    {"random", "id bigint", "(random() * 4294967295)::bigint * 2147483648 + (random() * 2147483647)::bigint"},
    {"uuid", "id uuid", "md5(i::text)::uuid"},
    {"text", "id text", "'customer ' || i"},
    {"word", "id text", "md5(i::text)"},
    {"pair", "id int, id2 int", "i / 100, i % 100"},
};

class Bench {
 public:
  Bench(uint64_t rows, const Kind& kind, std::string directory)
      : rows_(rows), kind_(kind), directory_(std::move(directory)) {
    start();
  }

  void all() {
    const bool pair = kind_.name == std::string_view("pair");
    run(std::string("CREATE TABLE t (") + kind_.column + ", a int, b int, c text, n int, PRIMARY KEY (id" +
        (pair ? ", id2" : "") + "))");
    report("load", once([&] {
             for (uint64_t at = 0; at < rows_; at += 1'000'000) load(at, std::min(at + 1'000'000, rows_));
           }));
    report("make a copy", once([&] { run("SELECT omendb_build_columns('t')"); }));
    places("of the new copy");
    report("write it down", once([&] { store().write_all(); }));
    run("SET omendb.route = columns");
    report("count(*)", median([&] { run("SELECT count(*) FROM t"); }));
    report("sum of an int", median([&] { run("SELECT sum(a) FROM t"); }));

    std::vector<Time> folds, counts;
    for (int i = 0; i < kFolds; ++i) {
      change(i);
      folds.push_back(once([&] { store().fold_all(); }));
      counts.push_back(once([&] { run("SELECT count(*) FROM t"); }));
    }
    report("fold 10,000 updated rows", middle(folds));
    places("then");
    report("count(*) after it", middle(counts));
    report("sum of an int after it", median([&] { run("SELECT sum(a) FROM t"); }));

    auto old = db_->connect();
    old->run("SET omendb.route = columns");
    old->run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t LIMIT 1");
    change(kFolds);
    store().fold_all();
    report("count(*) with 10,000 keys laid over", median([&] { old->run("SELECT count(*) FROM t"); }));
    report("sum with 10,000 keys laid over", median([&] { old->run("SELECT sum(a) FROM t"); }));
    old.reset();

    // A load's rows reach the copy: by the background, as it commits, or here.
    const bool ascending = kind_.value == std::string_view("i") || pair;
    const uint64_t more = rows_ / 10, spans = store().counters().folded_spans, builds = store().counters().builds;
    report("load a tenth more", once([&] { load(rows_, rows_ + more); }));
    report("fold it", once([&] { store().fold_all(); }));
    places("then");
    // Who folded counts it a moment later.
    for (int i = 0; ascending && store().counters().folded_spans == spans && i < 1000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(!ascending || store().counters().folded_spans > spans);
    CHECK(store().counters().builds == builds);
    CHECK(store().list()[0].rows == rows_ + more);
    report("sum of an int after it", median([&] { run("SELECT sum(a) FROM t"); }));

    report("write down 220,000 changes and it", once([&] { store().write_all(); }));
    places("then");
    change(kFolds + 1);
    report("stop", once([&] { stop(); }));
    report("start", once([&] { start(); }));
    report("take up", once([&] { store().await_taken_up(); }));
    CHECK(store().list().size() == 1);
    places("then");
    CHECK(store().list()[0].rows == rows_ + more);
    run("SET omendb.route = columns");
    report("count(*) then", median([&] { run("SELECT count(*) FROM t"); }));
  }

 private:
  void start() {
    db_ = std::make_unique<testing::TestDatabase>(directory_);
    session_ = db_->connect();
  }
  void stop() {
    session_.reset();
    db_.reset();
  }
  ColumnStore& store() { return static_cast<EngineImpl&>(*db_->engine).columns(); }
  void run(const std::string& sql) {
    const std::string result = session_->run(sql);
    if (result.starts_with("ERROR")) std::fprintf(stderr, "%s\n%s\n", sql.c_str(), result.c_str());
    CHECK(!result.starts_with("ERROR"));
  }
  void load(uint64_t after, uint64_t up_to) {
    run(std::string("INSERT INTO t SELECT ") + kind_.value + ", i % 1000, i, 'row ' || i, i FROM generate_series(" +
        std::to_string(after + 1) + ", " + std::to_string(up_to) + ") i");
  }
  void places(const char* when) {
    const auto copy = store().list().at(0);
    std::printf("%-40s %12.2f bytes a row\n", (std::string("places ") + when).c_str(),
                static_cast<double>(copy.place_bytes) / static_cast<double>(copy.rows));
  }
  /// 10,000 rows all over the table.
  void change(int i) {
    const uint64_t step = std::max<uint64_t>(1, rows_ / 10'000);
    run("UPDATE t SET b = b + 1 WHERE n % " + std::to_string(step) + " = " +
        std::to_string(static_cast<uint64_t>(i) % step));
  }
  const uint64_t rows_;
  const Kind& kind_;
  const std::string directory_;
  std::unique_ptr<testing::TestDatabase> db_;
  std::unique_ptr<testing::TestSession> session_;
};

}  // namespace
}  // namespace omendb::sql

int main(int count, char** words) {
  const uint64_t rows = count > 1 ? std::strtoull(words[1], nullptr, 10) : 10'000'000;
  const std::string_view keys = count > 2 ? words[2] : "int";
  omendb::table::testing::TemporaryDirectory directory;
  for (const auto& kind : omendb::sql::kKinds) {
    if (kind.name != keys) continue;
    omendb::sql::Bench(rows, kind, count > 3 ? words[3] : directory.path()).all();
    return 0;
  }
  std::fprintf(stderr, "column_bench: no such keys\n");
  return 2;
}
