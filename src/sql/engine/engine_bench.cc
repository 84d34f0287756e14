// What a statement costs in the session: point statements by both protocols, scans, inserts. In-memory database, one thread.
#include <benchmark/benchmark.h>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

struct Fixture {
  testing::TestDatabase db;
  std::unique_ptr<testing::TestSession> s = db.connect();
  Fixture() {
    s->run("CREATE TABLE a (aid int PRIMARY KEY, bid int, abalance int, filler char(84))");
    s->run("INSERT INTO a SELECT i, i % 10, 0, 'filler' FROM generate_series(1, 200000) i");
  }
};

Fixture& fixture() {
  static Fixture instance;
  return instance;
}

void PreparedSelect(benchmark::State& state) {
  auto& f = fixture();
  auto prepared = *f.s->prepare("SELECT abalance FROM a WHERE aid = $1");
  int i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(f.s->run(prepared, {std::to_string(i++ % 200000 + 1)}));
}
BENCHMARK(PreparedSelect);

void SimpleSelect(benchmark::State& state) {
  auto& f = fixture();
  int i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.s->run("SELECT abalance FROM a WHERE aid = " + std::to_string(i++ % 200000 + 1)));
  }
}
BENCHMARK(SimpleSelect);

void RepeatedSelect(benchmark::State& state) {
  auto& f = fixture();
  for (auto _ : state) benchmark::DoNotOptimize(f.s->run("SELECT abalance FROM a WHERE aid = 77"));
}
BENCHMARK(RepeatedSelect);

void PreparedUpdate(benchmark::State& state) {
  auto& f = fixture();
  auto prepared = *f.s->prepare("UPDATE a SET abalance = abalance + $1 WHERE aid = $2");
  int i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(f.s->run(prepared, {"5", std::to_string(i++ % 200000 + 1)}));
}
BENCHMARK(PreparedUpdate);

void SelectOne(benchmark::State& state) {
  auto& f = fixture();
  for (auto _ : state) benchmark::DoNotOptimize(f.s->run("SELECT 1"));
}
BENCHMARK(SelectOne);

void Query(benchmark::State& state, const char* sql) {
  auto& f = fixture();
  for (auto _ : state) benchmark::DoNotOptimize(f.s->run(sql));
  state.SetItemsProcessed(state.iterations() * 200000);
}
BENCHMARK_CAPTURE(Query, count, "SELECT count(*) FROM a")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Query, sum, "SELECT sum(abalance), sum(aid) FROM a")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Query, filter, "SELECT count(*) FROM a WHERE bid = 3 AND abalance >= 0")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Query, group, "SELECT bid, count(*), max(filler) FROM a GROUP BY bid")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Query, range, "SELECT count(*) FROM a WHERE aid BETWEEN 1000 AND 1100");

}  // namespace
}  // namespace omendb::sql

BENCHMARK_MAIN();
