#include <benchmark/benchmark.h>

#include "sql/frontend/literal_scan.h"
#include "sql/frontend/parser.h"

namespace omendb::sql {
namespace {

constexpr const char* kTexts[] = {
    "SELECT abalance FROM pgbench_accounts WHERE aid = 123456;",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (7, 1, 123456, -4711, CURRENT_TIMESTAMP);",
};

void BM_ScanLiterals(benchmark::State& state) {
  const std::string_view sql = kTexts[state.range(0)];
  ScannedText scan;
  for (auto _ : state) benchmark::DoNotOptimize(scan_literals(sql, &scan));
}
BENCHMARK(BM_ScanLiterals)->Arg(0)->Arg(1);

void BM_Parse(benchmark::State& state) {
  const std::string_view sql = kTexts[state.range(0)];
  for (auto _ : state) benchmark::DoNotOptimize(ParseTree(sql).statements().size());
}
BENCHMARK(BM_Parse)->Arg(0)->Arg(1);

}  // namespace
}  // namespace omendb::sql

BENCHMARK_MAIN();
