// Rows a second through RowEncoder, per column type; what a large SELECT costs beside executing it.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "pgwire/data_row.h"

namespace omendb::pgwire {
namespace {

namespace oid = types::oid;
using types::Physical;

constexpr size_t kRows = 2048;  // a chunk of the executor

void encode(benchmark::State& state, Oid type, types::PhysicalType physical, const void* data, bool binary) {
  types::ColumnView column;
  column.type = type;
  column.physical = physical;
  column.data = data;
  std::vector<types::ColumnView> columns(static_cast<size_t>(state.range(0)), column);
  types::IoContext context;
  RowEncoder encoder;
  Buffer out;
  int64_t bytes = 0;
  for (auto _ : state) {
    encoder.begin(context, columns.size());
    for (size_t i = 0; i < columns.size(); ++i) encoder.set_column(i, {type, physical, binary});
    for (size_t row = 0; row < kRows;) {
      out.clear();
      row = *encoder.encode(columns, row, kRows, 64 << 10, &out);
      bytes += static_cast<int64_t>(out.size());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));
  state.SetBytesProcessed(bytes);
}

template <class T>
std::vector<T> numbers(int64_t step) {
  std::vector<T> values(kRows);
  for (size_t i = 0; i < kRows; ++i) values[i] = static_cast<T>(static_cast<int64_t>(i) * step);
  return values;
}

void BM_int4(benchmark::State& state) {
  auto v = numbers<int32_t>(104'729);
  encode(state, oid::kInt4, {Physical::kInt32}, v.data(), false);
}
void BM_int8_binary(benchmark::State& state) {
  auto v = numbers<int64_t>(1'299'709);
  encode(state, oid::kInt8, {Physical::kInt64}, v.data(), true);
}
void BM_decimal(benchmark::State& state) {
  auto v = numbers<int64_t>(104'729);
  encode(state, oid::kNumeric, {Physical::kInt64, 15, 2}, v.data(), false);
}
void BM_date(benchmark::State& state) {
  auto v = numbers<int32_t>(7);
  encode(state, oid::kDate, {Physical::kInt32}, v.data(), false);
}
void BM_timestamp(benchmark::State& state) {
  auto v = numbers<int64_t>(86'400'123'456);
  encode(state, oid::kTimestamp, {Physical::kInt64}, v.data(), false);
}
void BM_float8(benchmark::State& state) {
  std::vector<double> v(kRows);
  for (size_t i = 0; i < kRows; ++i) v[i] = static_cast<double>(i) / 7;
  encode(state, oid::kFloat8, {Physical::kFloat64}, v.data(), false);
}
void BM_text20(benchmark::State& state) {
  static const std::string text = "twenty characters ..";
  std::vector<types::StringRef> v(kRows);
  for (auto& ref : v) {
    ref.length = static_cast<uint32_t>(text.size());
    std::memcpy(ref.bytes, text.data(), 4);
    const char* pointer = text.data();
    std::memcpy(ref.bytes + 4, &pointer, sizeof(pointer));
  }
  encode(state, oid::kText, {Physical::kBytes}, v.data(), false);
}
BENCHMARK(BM_int4)->Arg(1)->Arg(10);
BENCHMARK(BM_int8_binary)->Arg(10);
BENCHMARK(BM_decimal)->Arg(10);
BENCHMARK(BM_date)->Arg(10);
BENCHMARK(BM_timestamp)->Arg(10);
BENCHMARK(BM_float8)->Arg(10);
BENCHMARK(BM_text20)->Arg(10);

}  // namespace
}  // namespace omendb::pgwire

BENCHMARK_MAIN();
