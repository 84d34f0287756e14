#include "types/datetime.h"

#include "types/cases.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/datetime.inc"
    ;

IoContext context_of(std::string_view settings) {
  IoContext c;
  c.time_zone = TimeZone::find("America/New_York");
  if (settings.starts_with("SQL")) c.date_format = DateFormat::kSql;
  if (settings.starts_with("Postgres")) c.date_format = DateFormat::kPostgres;
  if (settings.starts_with("German")) c.date_format = DateFormat::kGerman;
  if (settings.find("DMY") != settings.npos) c.date_order = DateOrder::kDmy;
  if (settings.find("YMD") != settings.npos) c.date_order = DateOrder::kYmd;
  if (settings.ends_with("|sql_standard")) c.interval_style = IntervalStyle::kSqlStandard;
  if (settings.ends_with("|iso_8601")) c.interval_style = IntervalStyle::kIso8601;
  if (settings.ends_with("|postgres_verbose")) c.interval_style = IntervalStyle::kPostgresVerbose;
  c.now_us = 1795000000000000;
  return c;
}

std::string through(Oid type, int32_t typmod, const std::string& text, const IoContext& c) {
  Value v;
  if (Status s = input(type, typmod, text, c, &v); !s.ok()) return case_error(s);
  PhysicalType physical = physical_type(type, typmod);
  std::string out, binary, again;
  output(type, physical, v.view(), c, &out);
  Value back;
  EXPECT_TRUE(send(type, physical, v.view(), c, &binary).ok());
  EXPECT_TRUE(receive(type, typmod, binary, c, &back).ok());
  output(type, physical, back.view(), c, &again);
  EXPECT_EQ(again, out);
  return out;
}

#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string evaluate(const std::string& op, const CaseArguments& a) {
  IoContext c = context_of(a.size() > 1 ? a.back() : "");
  const TimeZone& zone = *c.time_zone;
  if (op == "date") return through(oid::kDate, -1, a[0], c);
  if (op == "time") return through(oid::kTime, -1, a[0], c);
  if (op == "timetz") return through(oid::kTimeTz, -1, a[0], c);
  if (op == "timestamp") return through(oid::kTimestamp, -1, a[0], c);
  if (op == "timestamptz") return through(oid::kTimestampTz, -1, a[0], c);
  if (op == "interval") return through(oid::kInterval, -1, a[0], c);
  c = context_of("");
  if (op.starts_with("interval_typmod ")) return through(oid::kInterval, std::stoi(op.substr(16)), a[0], c);
  if (op.starts_with("timestamp_typmod ")) return through(oid::kTimestamp, std::stoi(op.substr(17)), a[0], c);

  std::string out;
  int64_t t = 0, u = 0, v = 0;
  int32_t d = 0;
  Interval i, j, k;
  FieldResult field;
  auto timestamp = [&](const std::string& s, int64_t* to) { return parse_timestamp(s, -1, c, to); };
  auto timestamptz = [&](const std::string& s, int64_t* to) { return parse_timestamptz(s, -1, c, to); };
  auto interval = [&](const std::string& s, Interval* to) { return parse_interval(s, -1, c, to); };
  auto print = [&](int64_t x) {
    append_timestamp(x, c, &out);
    return out;
  };
  auto printtz = [&](int64_t x) {
    append_timestamptz(x, c, &out);
    return out;
  };
  auto printi = [&](const Interval& x) {
    append_interval(x, c.interval_style, &out);
    return out;
  };
  auto printf = [&](bool real) -> std::string {
    if (field.null) return "\\N";
    if (!real) return field.numeric.to_text();
    append_float8(field.real, 1, &out);
    return out;
  };
  // clang-format off
  if (op == "timestamp_add") { TRY(timestamp(a[0], &t)); TRY(interval(a[1], &i)); TRY(timestamp_add(t, i, &v)); return print(v); }
  if (op == "timestamptz_add") { TRY(timestamptz(a[0], &t)); TRY(interval(a[1], &i)); TRY(timestamptz_add(t, i, zone, &v)); return printtz(v); }
  if (op == "timestamp_diff") { TRY(timestamp(a[0], &t)); TRY(timestamp(a[1], &u)); TRY(timestamp_diff(t, u, &k)); return printi(k); }
  if (op == "age") { TRY(timestamp(a[0], &t)); TRY(timestamp(a[1], &u)); TRY(timestamp_age(t, u, &k)); return printi(k); }
  if (op == "agetz") { TRY(timestamptz(a[0], &t)); TRY(timestamptz(a[1], &u)); TRY(timestamptz_age(t, u, zone, &k)); return printi(k); }
  if (op == "trunc") { TRY(timestamp(a[1], &t)); TRY(date_trunc_timestamp(a[0], t, &v)); return print(v); }
  if (op == "trunctz") { TRY(timestamptz(a[1], &t)); TRY(date_trunc_timestamptz(a[0], t, zone, &v)); return printtz(v); }
  if (op == "trunc_interval") { TRY(interval(a[1], &i)); TRY(date_trunc_interval(a[0], i, &k)); return printi(k); }
  if (op == "extract" || op == "part") { TRY(timestamp(a[0], &t)); TRY(extract_timestamp(a[1], t, &field)); return printf(op == "part"); }
  if (op == "extracttz") { TRY(timestamptz(a[0], &t)); TRY(extract_timestamptz(a[1], t, zone, &field)); return printf(false); }
  if (op == "extract_interval" || op == "part_interval") { TRY(interval(a[0], &i)); TRY(extract_interval(a[1], i, &field)); return printf(op == "part_interval"); }
  if (op == "extract_date") { TRY(parse_date(a[0], c, &d)); TRY(extract_date(a[1], d, &field)); return printf(false); }
  if (op == "extract_time") { TRY(parse_time(a[0], -1, c, &t)); TRY(extract_time(a[1], t, &field)); return printf(false); }
  if (op == "extract_timetz") { TimeTz z; TRY(parse_timetz(a[0], -1, c, &z)); TRY(extract_timetz(a[1], z, &field)); return printf(false); }
  if (op == "at_zone") { TRY(timestamp(a[0], &t)); TRY(timestamp_at_zone(a[1], t, &v)); return printtz(v); }
  if (op == "tz_at_zone") { TRY(timestamptz(a[0], &t)); TRY(timestamptz_at_zone(a[1], t, &v)); return print(v); }
  if (op == "interval_mul") { TRY(interval(a[0], &i)); TRY(interval_multiply(i, std::stod(a[1]), &k)); return printi(k); }
  if (op == "interval_div") { TRY(interval(a[0], &i)); TRY(interval_divide(i, std::stod(a[1]), &k)); return printi(k); }
  if (op == "interval_add") { TRY(interval(a[0], &i)); TRY(interval(a[1], &j)); TRY(interval_add(i, j, &k)); return printi(k); }
  if (op == "interval_sub") { TRY(interval(a[0], &i)); TRY(interval(a[1], &j)); TRY(interval_sub(i, j, &k)); return printi(k); }
  if (op == "interval_compare") { TRY(interval(a[0], &i)); TRY(interval(a[1], &j)); return std::to_string(interval_compare(i, j)); }
  if (op == "justify_hours") { TRY(interval(a[0], &i)); TRY(justify_hours(i, &k)); return printi(k); }
  if (op == "justify_days") { TRY(interval(a[0], &i)); TRY(justify_days(i, &k)); return printi(k); }
  if (op == "justify_interval") { TRY(interval(a[0], &i)); TRY(justify_interval(i, &k)); return printi(k); }
  if (op == "bin") { TRY(interval(a[0], &i)); TRY(timestamp(a[1], &t)); TRY(timestamp(a[2], &u)); TRY(date_bin(i, t, u, &v)); return print(v); }
  if (op == "make_date") { TRY(make_date(std::stoi(a[0]), std::stoi(a[1]), std::stoi(a[2]), &d)); append_date(d, c, &out); return out; }
  if (op == "make_time") { TRY(make_time(std::stoi(a[0]), std::stoi(a[1]), std::stod(a[2]), &t)); append_time(t, &out); return out; }
  if (op == "to_timestamp") { TRY(timestamp_of_seconds(std::stod(a[0]), &t)); return printtz(t); }
  if (op == "timestamptz_date") { TRY(timestamptz(a[0], &t)); TRY(timestamptz_to_date(t, zone, &d)); append_date(d, c, &out); return out; }
  if (op == "timestamp_tz") { TRY(timestamp(a[0], &t)); TRY(timestamp_to_timestamptz(t, zone, &v)); return printtz(v); }
  if (op == "timestamptz_ts") { TRY(timestamptz(a[0], &t)); TRY(timestamptz_to_timestamp(t, zone, &v)); return print(v); }
  if (op == "time_add") { TRY(parse_time(a[0], -1, c, &t)); TRY(interval(a[1], &i)); append_time(time_add(t, i), &out); return out; }
  // clang-format on
  if (op == "overlaps") {
    int64_t w = 0;
    TRY(timestamp(a[0], &t));
    TRY(timestamp(a[1], &u));
    TRY(timestamp(a[2], &v));
    TRY(timestamp(a[3], &w));
    return overlaps(t, u, v, w) ? "true" : "false";
  }
  return "?";
}

TEST(DateTime, AnswersAsPostgres) { run_cases("datetime", kCases, evaluate); }

TEST(DateTime, CalendarIsItsOwnInverse) {
  for (int64_t days = -2440588; days < 3000000; days += 97) {
    int32_t y = 0, m = 0, d = 0;
    civil_of_days(days, &y, &m, &d);
    ASSERT_EQ(days_of(y, m, d), days);
  }
}

TEST(DateTime, WordsOfNow) {
  IoContext c = context_of("");  // 2026-11-18 06:26:40 in New York
  std::string out;
  int32_t d = 0;
  int64_t t = 0;
  ASSERT_TRUE(parse_date("tomorrow", c, &d).ok());
  append_date(d, c, &out);
  EXPECT_EQ(out, "2026-11-19");
  ASSERT_TRUE(parse_timestamptz("now", -1, c, &t).ok());
  EXPECT_EQ(t, c.now_us);
  ASSERT_TRUE(parse_timestamp("yesterday 10:00", -1, c, &t).ok());
  out.clear();
  append_timestamp(t, c, &out);
  EXPECT_EQ(out, "2026-11-17 10:00:00");
}

TEST(TimeZones, FixedOffsetsAreNamedAsPostgresNamesThem) {
  EXPECT_EQ(TimeZone::find_setting("-5")->name(), "<-05>+05");
  EXPECT_EQ(TimeZone::find_setting("5.5")->name(), "<+05:30>-05:30");
  EXPECT_EQ(TimeZone::find_setting("0")->name(), "<+00>-00");
  EXPECT_EQ(TimeZone::find("america/NEW_york")->name(), "America/New_York");
  EXPECT_EQ(TimeZone::find("../../etc/passwd"), nullptr);
  EXPECT_EQ(TimeZone::find("UTC")->moment_at(0).abbreviation, "UTC");
}

}  // namespace
}  // namespace omendb::types
