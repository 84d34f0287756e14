// Set-returning functions: generate_series. Those over arrays, JSON and regular expressions stand with their families.
#include "sql/functions/library.h"
#include "types/datetime.h"
#include "types/numeric.h"

namespace omendb::sql::functions {

using types::Numeric;
using types::ValueView;
namespace oid = types::oid;

namespace {

[[noreturn]] void zero_step() { throw SqlError(SqlState::kInvalidParameterValue, "step size cannot equal zero"); }

void integer_series(RowCall& call, const ValueView* a, RowSink& sink, int64_t step, int64_t limit) {
  if (step == 0) zero_step();
  int64_t at = a[0].integer;
  const int64_t stop = a[1].integer;
  size_t n = 0;
  while (step > 0 ? at <= stop : at >= stop) {
    sink.row(int_value(at));
    if ((++n & 0xFFFF) == 0) call.services().check_cancelled();
    if (__builtin_add_overflow(at, step, &at) || at > limit || at < -limit - 1) break;
  }
}

void numeric_series(RowCall& call, const ValueView* a, RowSink& sink) {
  const Numeric start = Numeric::from_bytes(a[0].bytes), stop = Numeric::from_bytes(a[1].bytes);
  const Numeric step = call.argument_count > 2 ? Numeric::from_bytes(a[2].bytes) : Numeric::from_int64(1);
  auto check = [](const Numeric& n, const char* what) {
    if (n.is_nan()) throw SqlError(SqlState::kInvalidParameterValue, std::string(what) + " value cannot be NaN");
    if (n.is_inf()) throw SqlError(SqlState::kInvalidParameterValue, std::string(what) + " value cannot be infinity");
  };
  check(start, "start");
  check(stop, "stop");
  if (step.is_nan()) throw SqlError(SqlState::kInvalidParameterValue, "step size cannot be NaN");
  if (step.is_inf()) throw SqlError(SqlState::kInvalidParameterValue, "step size cannot be infinity");
  if (step.is_zero()) zero_step();
  Numeric at = start;
  const int sign = step.sign();
  while (Numeric::compare(at, stop) * sign <= 0) {
    call.buffer = at.to_bytes();
    sink.row(call.bytes());
    if ((sink.count() & 0xFFF) == 0) call.services().check_cancelled();
    Numeric next;
    throw_if_error(types::numeric_add(at, step, &next));
    at = std::move(next);
  }
}

void timestamp_series(RowCall& call, const ValueView* a, RowSink& sink, bool zoned) {
  const types::Interval step = a[2].interval;
  const types::Int128 length = types::interval_micros(step);
  if (length == 0) zero_step();
  if (!types::timestamp_is_finite(a[0].integer) || !types::timestamp_is_finite(a[1].integer)) {
    if (a[0].integer != a[1].integer && !types::timestamp_is_finite(a[1].integer) &&
        types::timestamp_is_finite(a[0].integer)) {
      not_supported("an endless generate_series");
    }
    return;
  }
  int64_t at = a[0].integer;
  while (length > 0 ? at <= a[1].integer : at >= a[1].integer) {
    sink.row(int_value(at));
    if ((sink.count() & 0xFFF) == 0) call.services().check_cancelled();
    int64_t next;
    throw_if_error(zoned ? types::timestamptz_add(at, step, types::zone_of(call.io()), &next)
                         : types::timestamp_add(at, step, &next));
    at = next;
  }
}

}  // namespace

void add_set_functions(Library& library) {
  library.set(
      {"generate_series_int4", {oid::kInt4, oid::kInt4}, {oid::kInt4}, [](RowCall& c, const ValueView* a, RowSink& s) {
         integer_series(c, a, s, 1, INT32_MAX);
       }});
  library.set({"generate_series_step_int4",
               {oid::kInt4, oid::kInt4, oid::kInt4},
               {oid::kInt4},
               [](RowCall& c, const ValueView* a, RowSink& s) { integer_series(c, a, s, a[2].integer, INT32_MAX); }});
  library.set(
      {"generate_series_int8", {oid::kInt8, oid::kInt8}, {oid::kInt8}, [](RowCall& c, const ValueView* a, RowSink& s) {
         integer_series(c, a, s, 1, INT64_MAX);
       }});
  library.set({"generate_series_step_int8",
               {oid::kInt8, oid::kInt8, oid::kInt8},
               {oid::kInt8},
               [](RowCall& c, const ValueView* a, RowSink& s) { integer_series(c, a, s, a[2].integer, INT64_MAX); }});
  library.set({"generate_series_numeric", {oid::kNumeric, oid::kNumeric}, {oid::kNumeric}, numeric_series});
  library.set(
      {"generate_series_step_numeric", {oid::kNumeric, oid::kNumeric, oid::kNumeric}, {oid::kNumeric}, numeric_series});
  library.set({"generate_series_timestamp",
               {oid::kTimestamp, oid::kTimestamp, oid::kInterval},
               {oid::kTimestamp},
               [](RowCall& c, const ValueView* a, RowSink& s) { timestamp_series(c, a, s, false); }});
  library.set({"generate_series_timestamptz",
               {oid::kTimestampTz, oid::kTimestampTz, oid::kInterval},
               {oid::kTimestampTz},
               [](RowCall& c, const ValueView* a, RowSink& s) { timestamp_series(c, a, s, true); },
               Volatility::kStable});
}

}  // namespace omendb::sql::functions
