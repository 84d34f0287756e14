// Dates, times and intervals over types/datetime.h.
#include <cmath>
#include <optional>

#include "duckdb/common/types/interval.hpp"

#include "sql/functions/library.h"
#include "types/datetime.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using duckdb::ScalarFunction;
using types::Interval;
using types::ValueView;
namespace oid = types::oid;

namespace {

ValueView interval_value(const Interval& i) { return ValueView::of_interval(i); }
int32_t date_of(const ValueView& v) { return static_cast<int32_t>(v.integer); }

/// A row function from a Status function that fills one result.
template <class R, class F>
RowFunction yields(F f) {
  return [f](RowCall& call, const ValueView* a) {
    R out{};
    throw_if_error(f(call, a, &out));
    if constexpr (std::is_same_v<R, Interval>)
      return interval_value(out);
    else if constexpr (std::is_floating_point_v<R>)
      return real_value(out);
    else
      return int_value(out);
  };
}

const types::TimeZone& zone(RowCall& call) { return types::zone_of(call.io()); }

constexpr Oid kDate = oid::kDate, kTime = oid::kTime, kTs = oid::kTimestamp, kTz = oid::kTimestampTz,
              kIv = oid::kInterval, kTtz = oid::kTimeTz, kText = oid::kText, kInt4 = oid::kInt4, kFloat8 = oid::kFloat8,
              kBool = oid::kBool, kNumeric = oid::kNumeric;

void add_conversions(Library& library) {
  library.row({"date_timestamp", {kDate}, kTs, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::date_to_timestamp(date_of(a[0]), out);
               })});
  library.row({"date_timestamptz",
               {kDate},
               kTz,
               yields<int64_t>([](RowCall& c, const ValueView* a, int64_t* out) {
                 return types::date_to_timestamptz(date_of(a[0]), zone(c), out);
               }),
               Volatility::kStable});
  library.row({"timestamp_date", {kTs}, kDate, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
                 return types::timestamp_to_date(a[0].integer, out);
               })});
  library.row({"timestamptz_date",
               {kTz},
               kDate,
               yields<int32_t>([](RowCall& c, const ValueView* a, int32_t* out) {
                 return types::timestamptz_to_date(a[0].integer, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"timestamp_timestamptz",
               {kTs},
               kTz,
               yields<int64_t>([](RowCall& c, const ValueView* a, int64_t* out) {
                 return types::timestamp_to_timestamptz(a[0].integer, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"timestamptz_timestamp",
               {kTz},
               kTs,
               yields<int64_t>([](RowCall& c, const ValueView* a, int64_t* out) {
                 return types::timestamptz_to_timestamp(a[0].integer, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"timestamp_time", {kTs}, kTime, [](RowCall&, const ValueView* a) {
                 return types::timestamp_is_finite(a[0].integer) ? int_value(types::timestamp_time_of_day(a[0].integer))
                                                                 : null_value();
               }});
  library.row({"timestamptz_time",
               {kTz},
               kTime,
               [](RowCall& c, const ValueView* a) {
                 if (!types::timestamp_is_finite(a[0].integer)) return null_value();
                 int64_t local;
                 throw_if_error(types::timestamptz_to_timestamp(a[0].integer, zone(c), &local));
                 return int_value(types::timestamp_time_of_day(local));
               },
               Volatility::kStable});
  library.row({"timestamptz_timetz",
               {kTz},
               kTtz,
               [](RowCall& c, const ValueView* a) {
                 if (!types::timestamp_is_finite(a[0].integer)) return null_value();
                 int64_t local;
                 throw_if_error(types::timestamptz_to_timestamp(a[0].integer, zone(c), &local));
                 const auto west = static_cast<int32_t>((a[0].integer - local) / types::kMicrosPerSecond);
                 return c.text(types::timetz_to_bytes({types::timestamp_time_of_day(local), west}));
               },
               Volatility::kStable});
  library.row({"interval_time", {kIv}, kTime, [](RowCall&, const ValueView* a) {
                 int64_t t = a[0].interval.micros % types::kMicrosPerDay;
                 return int_value(t < 0 ? t + types::kMicrosPerDay : t);
               }});
  library.row({"time_interval", {kTime}, kIv, [](RowCall&, const ValueView* a) {
                 return interval_value({0, 0, a[0].integer});
               }});
  library.row({"timetz_time", {kTtz}, kTime, [](RowCall&, const ValueView* a) {
                 return int_value(types::timetz_from_bytes(a[0].bytes).time);
               }});
  library.row({"time_timetz",
               {kTime},
               kTtz,
               [](RowCall& c, const ValueView* a) {
                 const int32_t east = zone(c).offset_at(c.services().transaction_start_us() / types::kMicrosPerSecond);
                 return c.text(types::timetz_to_bytes({a[0].integer, -east}));
               },
               Volatility::kStable});
  library.row({"timestamp_scale", {kTs, kInt4}, kTs, [](RowCall&, const ValueView* a) {
                 return int_value(types::round_timestamp(a[0].integer, static_cast<int32_t>(a[1].integer)));
               }});
  library.row({"timestamptz_scale", {kTz, kInt4}, kTz, [](RowCall&, const ValueView* a) {
                 return int_value(types::round_timestamp(a[0].integer, static_cast<int32_t>(a[1].integer)));
               }});
  library.row({"time_scale", {kTime, kInt4}, kTime, [](RowCall&, const ValueView* a) {
                 return int_value(types::round_micros(a[0].integer, static_cast<int32_t>(a[1].integer)));
               }});
  library.row({"timetz_scale", {kTtz, kInt4}, kTtz, [](RowCall& c, const ValueView* a) {
                 types::TimeTz t = types::timetz_from_bytes(a[0].bytes);
                 t.time = types::round_micros(t.time, static_cast<int32_t>(a[1].integer));
                 return c.text(types::timetz_to_bytes(t));
               }});
  library.row({"interval_scale", {kIv, kInt4}, kIv, [](RowCall&, const ValueView* a) {
                 Interval i = a[0].interval;
                 throw_if_error(types::apply_interval_typmod(&i, static_cast<int32_t>(a[1].integer)));
                 return interval_value(i);
               }});
  // Bounds of a timestamp among dates, for comparisons that leave a date column bare.
  auto bound = [](bool ceiling) {
    return [ceiling](RowCall&, const ValueView* a) {
      const int64_t t = a[0].integer;
      if (t == types::kTimestampInfinity) return int_value(types::kDateInfinity);
      if (t == types::kTimestampMinusInfinity) return int_value(types::kDateMinusInfinity);
      int64_t days = t / types::kMicrosPerDay;
      const int64_t rest = t % types::kMicrosPerDay;
      if (rest < 0) --days;
      if (ceiling && rest != 0) ++days;
      return int_value(days);
    };
  };
  library.row({"timestamp_date_floor", {kTs}, kDate, bound(false)});
  library.row({"timestamp_date_ceiling", {kTs}, kDate, bound(true)});
}

void add_arithmetic(Library& library) {
  library.row({"date_pli", {kDate, kInt4}, kDate, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
                 return types::date_add_days(date_of(a[0]), static_cast<int32_t>(a[1].integer), out);
               })});
  library.row(
      {"sql_integer_pl_date", {kInt4, kDate}, kDate, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
         return types::date_add_days(date_of(a[1]), static_cast<int32_t>(a[0].integer), out);
       })});
  library.row({"date_mii", {kDate, kInt4}, kDate, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
                 if (a[1].integer == INT32_MIN) return Status(SqlState::kDatetimeValueOutOfRange, "date out of range");
                 return types::date_add_days(date_of(a[0]), static_cast<int32_t>(-a[1].integer), out);
               })});
  library.row({"date_mi", {kDate, kDate}, kInt4, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
                 return types::date_diff(date_of(a[0]), date_of(a[1]), out);
               })});
  auto date_interval = [](bool minus, bool flipped) {
    return yields<int64_t>([minus, flipped](RowCall&, const ValueView* a, int64_t* out) {
      const ValueView &d = a[flipped ? 1 : 0], &i = a[flipped ? 0 : 1];
      Interval span = i.interval;
      if (minus) RETURN_IF_ERROR(types::interval_negate(i.interval, &span));
      int64_t t;
      RETURN_IF_ERROR(types::date_to_timestamp(date_of(d), &t));
      return types::timestamp_add(t, span, out);
    });
  };
  library.row({"date_pl_interval", {kDate, kIv}, kTs, date_interval(false, false)});
  library.row({"date_mi_interval", {kDate, kIv}, kTs, date_interval(true, false)});
  library.row({"sql_interval_pl_date", {kIv, kDate}, kTs, date_interval(false, true)});
  auto stamp_interval = [](bool minus, bool flipped, bool zoned) {
    return yields<int64_t>([minus, flipped, zoned](RowCall& c, const ValueView* a, int64_t* out) {
      const ValueView &t = a[flipped ? 1 : 0], &i = a[flipped ? 0 : 1];
      Interval span = i.interval;
      if (minus) RETURN_IF_ERROR(types::interval_negate(i.interval, &span));
      return zoned ? types::timestamptz_add(t.integer, span, zone(c), out) : types::timestamp_add(t.integer, span, out);
    });
  };
  library.row({"timestamp_pl_interval", {kTs, kIv}, kTs, stamp_interval(false, false, false)});
  library.row({"timestamp_mi_interval", {kTs, kIv}, kTs, stamp_interval(true, false, false)});
  library.row({"sql_interval_pl_timestamp", {kIv, kTs}, kTs, stamp_interval(false, true, false)});
  library.row({"timestamptz_pl_interval", {kTz, kIv}, kTz, stamp_interval(false, false, true), Volatility::kStable});
  library.row({"timestamptz_mi_interval", {kTz, kIv}, kTz, stamp_interval(true, false, true), Volatility::kStable});
  library.row({"sql_interval_pl_timestamptz", {kIv, kTz}, kTz, stamp_interval(false, true, true), Volatility::kStable});
  for (Oid t : {kTs, kTz}) {
    library.row({"timestamp_mi", {t, t}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                   return types::timestamp_diff(a[0].integer, a[1].integer, out);
                 })});
    library.row({"timestamp_finite", {t}, kBool, [](RowCall&, const ValueView* a) {
                   return bool_value(types::timestamp_is_finite(a[0].integer));
                 }});
  }
  library.row({"date_finite", {kDate}, kBool, [](RowCall&, const ValueView* a) {
                 return bool_value(types::date_is_finite(date_of(a[0])));
               }});
  library.row({"interval_finite", {kIv}, kBool, [](RowCall&, const ValueView*) { return bool_value(true); }});
  library.row({"timestamp_age", {kTs, kTs}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::timestamp_age(a[0].integer, a[1].integer, out);
               })});
  library.row({"timestamptz_age",
               {kTz, kTz},
               kIv,
               yields<Interval>([](RowCall& c, const ValueView* a, Interval* out) {
                 return types::timestamptz_age(a[0].integer, a[1].integer, zone(c), out);
               }),
               Volatility::kStable});
  // age(x): from the midnight that today began with.
  library.row({"sql_age",
               {kTs},
               kIv,
               yields<Interval>([](RowCall& c, const ValueView* a, Interval* out) {
                 int32_t today;
                 int64_t midnight;
                 RETURN_IF_ERROR(types::timestamptz_to_date(c.services().transaction_start_us(), zone(c), &today));
                 RETURN_IF_ERROR(types::date_to_timestamp(today, &midnight));
                 return types::timestamp_age(midnight, a[0].integer, out);
               }),
               Volatility::kStable});
  library.row({"sql_age",
               {kTz},
               kIv,
               yields<Interval>([](RowCall& c, const ValueView* a, Interval* out) {
                 int32_t today;
                 int64_t midnight;
                 RETURN_IF_ERROR(types::timestamptz_to_date(c.services().transaction_start_us(), zone(c), &today));
                 RETURN_IF_ERROR(types::date_to_timestamptz(today, zone(c), &midnight));
                 return types::timestamptz_age(midnight, a[0].integer, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"time_pl_interval", {kTime, kIv}, kTime, [](RowCall&, const ValueView* a) {
                 return int_value(types::time_add(a[0].integer, a[1].interval));
               }});
  library.row({"sql_interval_pl_time", {kIv, kTime}, kTime, [](RowCall&, const ValueView* a) {
                 return int_value(types::time_add(a[1].integer, a[0].interval));
               }});
  library.row({"time_mi_interval", {kTime, kIv}, kTime, [](RowCall&, const ValueView* a) {
                 Interval span;
                 throw_if_error(types::interval_negate(a[1].interval, &span));
                 return int_value(types::time_add(a[0].integer, span));
               }});
  library.row({"time_mi_time", {kTime, kTime}, kIv, [](RowCall&, const ValueView* a) {
                 return interval_value({0, 0, a[0].integer - a[1].integer});
               }});
  library.row({"timetz_pl_interval", {kTtz, kIv}, kTtz, [](RowCall& c, const ValueView* a) {
                 return c.text(
                     types::timetz_to_bytes(types::timetz_add(types::timetz_from_bytes(a[0].bytes), a[1].interval)));
               }});
  library.row({"timetz_mi_interval", {kTtz, kIv}, kTtz, [](RowCall& c, const ValueView* a) {
                 Interval span;
                 throw_if_error(types::interval_negate(a[1].interval, &span));
                 return c.text(types::timetz_to_bytes(types::timetz_add(types::timetz_from_bytes(a[0].bytes), span)));
               }});
  for (bool flipped : {false, true}) {
    std::vector<Oid> args = flipped ? std::vector<Oid>{kTime, kDate} : std::vector<Oid>{kDate, kTime};
    library.row({flipped ? "sql_timedate_pl" : "datetime_timestamp", args, kTs,
                 yields<int64_t>([flipped](RowCall&, const ValueView* a, int64_t* out) {
                   RETURN_IF_ERROR(types::date_to_timestamp(date_of(a[flipped ? 1 : 0]), out));
                   if (types::timestamp_is_finite(*out)) *out += a[flipped ? 0 : 1].integer;
                   return Status();
                 })});
  }
  library.row({"sql_timestamptz",
               {kDate, kTime},
               kTz,
               yields<int64_t>([](RowCall& c, const ValueView* a, int64_t* out) {
                 int64_t local;
                 RETURN_IF_ERROR(types::date_to_timestamp(date_of(a[0]), &local));
                 if (types::timestamp_is_finite(local)) local += a[1].integer;
                 return types::timestamp_to_timestamptz(local, zone(c), out);
               }),
               Volatility::kStable});
  for (bool flipped : {false, true}) {
    std::vector<Oid> args = flipped ? std::vector<Oid>{kTtz, kDate} : std::vector<Oid>{kDate, kTtz};
    library.row({flipped ? "sql_timetzdate_pl" : "datetimetz_timestamptz", args, kTz,
                 yields<int64_t>([flipped](RowCall&, const ValueView* a, int64_t* out) {
                   const types::TimeTz time = types::timetz_from_bytes(a[flipped ? 0 : 1].bytes);
                   RETURN_IF_ERROR(types::date_to_timestamp(date_of(a[flipped ? 1 : 0]), out));
                   if (types::timestamp_is_finite(*out))
                     *out += time.time + int64_t{time.zone} * types::kMicrosPerSecond;
                   return Status();
                 })});
  }
  library.row({"interval_pl", {kIv, kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_add(a[0].interval, a[1].interval, out);
               })});
  library.row({"interval_mi", {kIv, kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_sub(a[0].interval, a[1].interval, out);
               })});
  library.row({"interval_um", {kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_negate(a[0].interval, out);
               })});
  library.row({"interval_mul", {kIv, kFloat8}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_multiply(a[0].interval, a[1].real, out);
               })});
  library.row({"mul_d_interval", {kFloat8, kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_multiply(a[1].interval, a[0].real, out);
               })});
  library.row({"interval_div", {kIv, kFloat8}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::interval_divide(a[0].interval, a[1].real, out);
               })});
  library.row({"interval_justify_hours", {kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::justify_hours(a[0].interval, out);
               })});
  library.row({"interval_justify_days", {kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::justify_days(a[0].interval, out);
               })});
  library.row(
      {"interval_justify_interval", {kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
         return types::justify_interval(a[0].interval, out);
       })});
  library.row({"make_interval",
               {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
               kIv,
               yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 auto n = [&](int i) { return static_cast<int32_t>(a[i].integer); };
                 return types::make_interval(n(0), n(1), n(2), n(3), n(4), n(5), a[6].real, out);
               })});
}

void add_making(Library& library) {
  library.row(
      {"make_date", {kInt4, kInt4, kInt4}, kDate, yields<int32_t>([](RowCall&, const ValueView* a, int32_t* out) {
         return types::make_date(static_cast<int32_t>(a[0].integer), static_cast<int32_t>(a[1].integer),
                                 static_cast<int32_t>(a[2].integer), out);
       })});
  library.row(
      {"make_time", {kInt4, kInt4, kFloat8}, kTime, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
         return types::make_time(static_cast<int32_t>(a[0].integer), static_cast<int32_t>(a[1].integer), a[2].real,
                                 out);
       })});
  auto stamp = [](const ValueView* a, int64_t* out) {
    auto n = [&](int i) { return static_cast<int32_t>(a[i].integer); };
    return types::make_timestamp(n(0), n(1), n(2), n(3), n(4), a[5].real, out);
  };
  library.row({"make_timestamp",
               {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
               kTs,
               yields<int64_t>([stamp](RowCall&, const ValueView* a, int64_t* out) { return stamp(a, out); })});
  library.row({"make_timestamptz",
               {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
               kTz,
               yields<int64_t>([stamp](RowCall& c, const ValueView* a, int64_t* out) {
                 int64_t local;
                 RETURN_IF_ERROR(stamp(a, &local));
                 return types::timestamp_to_timestamptz(local, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"make_timestamptz_at_timezone",
               {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8, kText},
               kTz,
               yields<int64_t>([stamp](RowCall&, const ValueView* a, int64_t* out) {
                 int64_t local;
                 RETURN_IF_ERROR(stamp(a, &local));
                 return types::timestamp_at_plain_zone(a[6].bytes, local, out);
               })});
  library.row({"float8_timestamptz", {kFloat8}, kTz, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::timestamp_of_seconds(a[0].real, out);
               })});
}

void add_fields(Library& library) {
  auto field = [&](const char* extract, const char* part, Oid type, auto f,
                   Volatility volatility = Volatility::kImmutable) {
    library.row({extract,
                 {kText, type},
                 kNumeric,
                 [f](RowCall& c, const ValueView* a) {
                   types::FieldResult r;
                   throw_if_error(f(c, a, &r));
                   if (r.null) return null_value();
                   c.buffer.clear();
                   r.numeric.append_bytes(&c.buffer);
                   return c.bytes();
                 },
                 volatility});
    if (part[0] == '\0') return;
    library.row({part,
                 {kText, type},
                 kFloat8,
                 [f](RowCall& c, const ValueView* a) {
                   types::FieldResult r;
                   throw_if_error(f(c, a, &r));
                   return r.null ? null_value() : real_value(r.real);
                 },
                 volatility});
  };
  field("extract_date", "", kDate, [](RowCall&, const ValueView* a, types::FieldResult* r) {
    return types::extract_date(a[0].bytes, date_of(a[1]), r);
  });
  // date_part takes a date for a timestamp, and so has hours of it.
  library.row({"sql_date_part", {kText, kDate}, kFloat8, [](RowCall&, const ValueView* a) {
                 int64_t timestamp = 0;
                 throw_if_error(types::date_to_timestamp(date_of(a[1]), &timestamp));
                 types::FieldResult r;
                 throw_if_error(types::extract_timestamp(a[0].bytes, timestamp, &r));
                 return r.null ? null_value() : real_value(r.real);
               }});
  field("extract_time", "time_part", kTime, [](RowCall&, const ValueView* a, types::FieldResult* r) {
    return types::extract_time(a[0].bytes, a[1].integer, r);
  });
  field("extract_timetz", "timetz_part", kTtz, [](RowCall&, const ValueView* a, types::FieldResult* r) {
    return types::extract_timetz(a[0].bytes, types::timetz_from_bytes(a[1].bytes), r);
  });
  field("extract_timestamp", "timestamp_part", kTs, [](RowCall&, const ValueView* a, types::FieldResult* r) {
    return types::extract_timestamp(a[0].bytes, a[1].integer, r);
  });
  field(
      "extract_timestamptz", "timestamptz_part", kTz,
      [](RowCall& c, const ValueView* a, types::FieldResult* r) {
        return types::extract_timestamptz(a[0].bytes, a[1].integer, zone(c), r);
      },
      Volatility::kStable);
  field("extract_interval", "interval_part", kIv, [](RowCall&, const ValueView* a, types::FieldResult* r) {
    return types::extract_interval(a[0].bytes, a[1].interval, r);
  });

  // extract of a whole field; the field is constant within a call.
  auto whole = [](std::string_view name, int64_t days, int64_t micros_of_day) -> int64_t {
    if (name == "hour") return micros_of_day / types::kMicrosPerHour;
    if (name == "minute") return micros_of_day / types::kMicrosPerMinute % 60;
    int32_t y, m, d;
    types::civil_of_days(days, &y, &m, &d);
    if (name == "year") return y > 0 ? y : y - 1;
    if (name == "month") return m;
    if (name == "day") return d;
    if (name == "quarter") return (m - 1) / 3 + 1;
    if (name == "doy") return days - types::days_of(y, 1, 1) + 1;
    const int64_t weekday = ((days + 4) % 7 + 7) % 7;
    if (name == "dow") return weekday;
    if (name == "isodow") return weekday == 0 ? 7 : weekday;
    int32_t iso_year;
    const int week = types::iso_week(y, m, d, &iso_year);
    if (name == "week") return week;
    return iso_year > 0 ? iso_year : iso_year - 1;  // isoyear
  };
  // A year is infinite, which the result's form cannot hold; what comes round is null.
  auto infinite = [](std::string_view field, duckdb::ValidityMask& mask, size_t row) -> int64_t {
    if (field.ends_with("year"))
      throw SqlError(SqlState::kFeatureNotSupported, "the year of an infinite date or timestamp is not supported");
    mask.SetInvalid(row);
    return 0;
  };
  library.scalar("extract_whole",
                 ScalarFunction({LogicalType::VARCHAR, LogicalType::DATE}, LogicalType::BIGINT,
                                binary_or_null<duckdb::string_t, duckdb::date_t, int64_t>(
                                    [=](duckdb::string_t f, duckdb::date_t d, duckdb::ValidityMask& mask, size_t row) {
                                      return types::date_is_finite(d.days) ? whole(view_of(f), d.days, 0)
                                                                           : infinite(view_of(f), mask, row);
                                    })));
  library.scalar(
      "extract_whole",
      ScalarFunction({LogicalType::VARCHAR, LogicalType::TIMESTAMP}, LogicalType::BIGINT,
                     binary_or_null<duckdb::string_t, duckdb::timestamp_t, int64_t>(
                         [=](duckdb::string_t f, duckdb::timestamp_t t, duckdb::ValidityMask& mask, size_t row) {
                           if (!types::timestamp_is_finite(t.value)) return infinite(view_of(f), mask, row);
                           int64_t days = t.value / types::kMicrosPerDay, rest = t.value % types::kMicrosPerDay;
                           if (rest < 0) --days, rest += types::kMicrosPerDay;
                           return whole(view_of(f), days, rest);
                         })));
  // Keys of window frames over RANGE: microseconds, and for timetz the zone below them (as its order has it).
  library.scalar("range_key", ScalarFunction({LogicalType::TIME}, LogicalType::HUGEINT,
                                             unary<duckdb::dtime_t, duckdb::hugeint_t>(
                                                 [](duckdb::dtime_t t) { return duckdb::hugeint_t(t.micros); })));
  // Intervals are compared, grouped and sorted by it too.
  library.scalar("range_key", ScalarFunction({LogicalType::INTERVAL}, LogicalType::HUGEINT,
                                             unary<duckdb::interval_t, duckdb::hugeint_t>([](duckdb::interval_t i) {
                                               return to_hugeint(types::interval_micros({i.months, i.days, i.micros}));
                                             })));
  library.scalar(
      "range_key",
      ScalarFunction(
          {LogicalType::BLOB}, LogicalType::HUGEINT, unary<duckdb::string_t, duckdb::hugeint_t>([](duckdb::string_t s) {
            const types::TimeTz t = types::timetz_from_bytes(view_of(s));
            return to_hugeint(types::Int128{t.time + int64_t{t.zone} * types::kMicrosPerSecond} * (1 << 18) + t.zone);
          })));
  // Of an offset, the days and months do not count.
  library.scalar("range_time_offset",
                 ScalarFunction({LogicalType::INTERVAL}, LogicalType::HUGEINT,
                                unary<duckdb::interval_t, duckdb::hugeint_t>(
                                    [](duckdb::interval_t i) { return duckdb::hugeint_t(i.micros); })));
  library.row({"timestamp_trunc", {kText, kTs}, kTs, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::date_trunc_timestamp(a[0].bytes, a[1].integer, out);
               })});
  library.row({"timestamptz_trunc",
               {kText, kTz},
               kTz,
               yields<int64_t>([](RowCall& c, const ValueView* a, int64_t* out) {
                 return types::date_trunc_timestamptz(a[0].bytes, a[1].integer, zone(c), out);
               }),
               Volatility::kStable});
  library.row({"timestamptz_trunc_zone",
               {kText, kTz, kText},
               kTz,
               yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 const types::TimeZone* tz = nullptr;
                 int32_t fixed = 0;
                 RETURN_IF_ERROR(types::find_zone_argument(a[2].bytes, &tz, &fixed));
                 return types::date_trunc_timestamptz(a[0].bytes, a[1].integer,
                                                      tz != nullptr ? *tz : *types::TimeZone::fixed(fixed), out);
               })});
  library.row({"interval_trunc", {kText, kIv}, kIv, yields<Interval>([](RowCall&, const ValueView* a, Interval* out) {
                 return types::date_trunc_interval(a[0].bytes, a[1].interval, out);
               })});
  library.row({"timestamp_bin", {kIv, kTs, kTs}, kTs, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::date_bin(a[0].interval, a[1].integer, a[2].integer, out);
               })});
  library.row({"timestamptz_bin", {kIv, kTz, kTz}, kTz, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::date_bin(a[0].interval, a[1].integer, a[2].integer, out);
               })});
}

void add_zones(Library& library) {
  library.row({"timestamp_zone", {kText, kTs}, kTz, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::timestamp_at_zone(a[0].bytes, a[1].integer, out);
               })});
  library.row({"timestamptz_zone", {kText, kTz}, kTs, yields<int64_t>([](RowCall&, const ValueView* a, int64_t* out) {
                 return types::timestamptz_at_zone(a[0].bytes, a[1].integer, out);
               })});
  library.row({"timetz_zone",
               {kText, kTtz},
               kTtz,
               [](RowCall& c, const ValueView* a) {
                 types::TimeTz out;
                 throw_if_error(types::timetz_at_zone(a[0].bytes, types::timetz_from_bytes(a[1].bytes), c.io(), &out));
                 return c.text(types::timetz_to_bytes(out));
               },
               Volatility::kStable});
  library.row({"timetz_izone", {kIv, kTtz}, kTtz, [](RowCall& c, const ValueView* a) {
                 int32_t east;
                 throw_if_error(types::interval_zone_offset(a[0].interval, &east));
                 const types::TimeTz from = types::timetz_from_bytes(a[1].bytes);
                 const int64_t t =
                     (from.time + (int64_t{from.zone} + east) * types::kMicrosPerSecond) % types::kMicrosPerDay;
                 return c.text(types::timetz_to_bytes({t < 0 ? t + types::kMicrosPerDay : t, -east}));
               }});
  auto shifted = [](int sign) {
    return yields<int64_t>([sign](RowCall&, const ValueView* a, int64_t* out) {
      int32_t east;
      RETURN_IF_ERROR(types::interval_zone_offset(a[0].interval, &east));
      *out = types::timestamp_is_finite(a[1].integer) ? a[1].integer + sign * east * types::kMicrosPerSecond
                                                      : a[1].integer;
      return Status();
    });
  };
  library.row({"timestamp_izone", {kIv, kTs}, kTz, shifted(-1)});
  library.row({"timestamptz_izone", {kIv, kTz}, kTs, shifted(1)});
}

void add_clock(Library& library) {
  auto at = [&](const char* name, Oid type, Volatility v, auto f) {
    library.row({name, {}, type, [f](RowCall& c, const ValueView*) { return f(c); }, v});
  };
  at("now", kTz, Volatility::kStable, [](RowCall& c) { return int_value(c.services().transaction_start_us()); });
  at("statement_timestamp", kTz, Volatility::kStable,
     [](RowCall& c) { return int_value(c.services().statement_start_us()); });
  at("clock_timestamp", kTz, Volatility::kVolatile, [](RowCall& c) { return int_value(c.services().clock_us()); });
  at("current_date", kDate, Volatility::kStable, [](RowCall& c) {
    int32_t d;
    throw_if_error(types::timestamptz_to_date(c.services().transaction_start_us(), zone(c), &d));
    return int_value(d);
  });
  auto local = [](RowCall& c) {
    int64_t t;
    throw_if_error(types::timestamptz_to_timestamp(c.services().transaction_start_us(), zone(c), &t));
    return t;
  };
  at("localtimestamp", kTs, Volatility::kStable, [local](RowCall& c) { return int_value(local(c)); });
  at("localtime", kTime, Volatility::kStable,
     [local](RowCall& c) { return int_value(types::timestamp_time_of_day(local(c))); });
  at("current_time", kTtz, Volatility::kStable, [local](RowCall& c) {
    const int64_t t = local(c);
    const auto west = static_cast<int32_t>((c.services().transaction_start_us() - t) / types::kMicrosPerSecond);
    return c.text(types::timetz_to_bytes({types::timestamp_time_of_day(t), west}));
  });
  library.row({"timeofday",
               {},
               kText,
               [](RowCall& c, const ValueView*) {
                 const int64_t now = c.services().clock_us();
                 int64_t t;
                 throw_if_error(types::timestamptz_to_timestamp(now, zone(c), &t));
                 const types::CivilTime civil = types::civil_of(t);
                 int64_t days = t / types::kMicrosPerDay - (t % types::kMicrosPerDay < 0);
                 char text[80];
                 std::snprintf(text, sizeof(text), "%.3s %.3s %02d %02d:%02d:%02d.%06d %04d %s",
                               types::internal::kDayNames[((days + 4) % 7 + 7) % 7],
                               types::internal::kMonthNames[civil.month - 1], civil.day, civil.hour, civil.minute,
                               civil.second, civil.micros, civil.year,
                               zone(c).moment_at(now / types::kMicrosPerSecond).abbreviation.c_str());
                 return c.text(text);
               },
               Volatility::kVolatile});
}

/// (s1, e1) OVERLAPS (s2, e2) with nulls, as the SQL standard wants it.
using Moment = std::optional<int64_t>;
ValueView overlap(Moment s1, Moment e1, Moment s2, Moment e2) {
  auto order = [](Moment& s, Moment& e) {
    if (!s) {
      if (!e) return false;
      s = e;
      e.reset();
    } else if (e && *s > *e) {
      std::swap(s, e);
    }
    return true;
  };
  if (!order(s1, e1) || !order(s2, e2)) return null_value();
  if (*s1 > *s2) {
    if (!e2) return null_value();
    if (*s1 < *e2) return bool_value(true);
    if (!e1) return null_value();
    return bool_value(false);
  }
  if (*s1 < *s2) {
    if (!e1) return null_value();
    if (*s2 < *e1) return bool_value(true);
    if (!e2) return null_value();
    return bool_value(false);
  }
  if (!e1 || !e2) return null_value();
  return bool_value(true);
}

void add_overlaps(Library& library) {
  for (Oid t : {kTs, kTz, kTime}) {
    auto moment = [](const ValueView& v) { return v.null ? Moment() : Moment(v.integer); };
    auto ended = [t](RowCall& c, const ValueView& start, const ValueView& end, bool is_interval) -> Moment {
      if (end.null) return {};
      if (!is_interval) return end.integer;
      if (start.null) return {};
      int64_t out;
      if (t == kTime) return types::time_add(start.integer, end.interval);
      throw_if_error(t == kTz ? types::timestamptz_add(start.integer, end.interval, zone(c), &out)
                              : types::timestamp_add(start.integer, end.interval, &out));
      return out;
    };
    for (int shape = 0; shape < 4; ++shape) {
      const bool first = (shape & 1) != 0, second = (shape & 2) != 0;
      const char* name = shape == 0 ? (t == kTime ? "overlaps_time" : "overlaps_timestamp") : "sql_overlaps";
      RowSpec spec{name, {t, first ? kIv : t, t, second ? kIv : t}, kBool, [=](RowCall& c, const ValueView* a) {
                     return overlap(moment(a[0]), ended(c, a[0], a[1], first), moment(a[2]),
                                    ended(c, a[2], a[3], second));
                   }};
      spec.strict = false;
      if (t == kTz) spec.volatility = Volatility::kStable;
      library.row(std::move(spec));
    }
  }
}

}  // namespace

void add_datetime_functions(Library& library) {
  add_conversions(library);
  add_arithmetic(library);
  add_making(library);
  add_fields(library);
  add_zones(library);
  add_clock(library);
  add_overlaps(library);
}

}  // namespace omendb::sql::functions
