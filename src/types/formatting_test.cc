#include "types/formatting.h"

#include "types/cases.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/formatting.inc"
    ;
#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string evaluate(const std::string& op, const CaseArguments& a) {
  IoContext c;
  c.time_zone = TimeZone::find("America/New_York");
  std::string out;
  Numeric n;
  bool null = false;
  int64_t t = 0;
  if (op == "to_date") {
    int32_t d = 0;
    TRY(to_date(a[0], a[1], &d));
    append_date(d, c, &out);
    return out;
  }
  if (op == "to_timestamp") {
    TRY(to_timestamp(a[0], a[1], *c.time_zone, &t));
    append_timestamptz(t, c, &out);
    return out;
  }
  if (op == "to_number") {
    TRY(to_number(a[0], a[1], &n));
    return n.to_text();
  }
  if (op == "numeric") {
    TRY(Numeric::parse(a[0], &n));
    TRY(to_char_numeric(n, a[1], &out));
    return out;
  }
  if (op == "float8") {
    double v = 0;
    TRY(parse_float8(a[0], &v));
    TRY(to_char_float8(v, a[1], &out));
    return out;
  }
  if (op == "int8") {
    TRY(to_char_int64(std::stoll(a[0]), a[1], &out));
    return out;
  }
  if (op == "timestamp") {
    TRY(parse_timestamp(a[0], -1, c, &t));
    TRY(to_char_timestamp(t, a[1], &null, &out));
    return null ? "\\N" : out;
  }
  if (op == "timestamptz") {
    TRY(parse_timestamptz(a[0], -1, c, &t));
    TRY(to_char_timestamptz(t, *c.time_zone, a[1], &null, &out));
    return null ? "\\N" : out;
  }
  if (op == "interval") {
    Interval i;
    TRY(parse_interval(a[0], -1, c, &i));
    TRY(to_char_interval(i, a[1], &out));
    return out;
  }
  return "?";
}

TEST(Formatting, AnswersAsPostgres) { run_cases("formatting", kCases, evaluate); }

}  // namespace
}  // namespace omendb::types
