// input() of every type over arbitrary text: what is accepted must print, and its print must be accepted and print the same.
// The first byte chooses the type and the styles.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "types/array.h"
#include "types/datetime.h"
#include "types/formatting.h"
#include "types/io.h"
#include "types/json.h"
#include "types/network.h"
#include "types/range.h"
#include "types/regex.h"
#include "types/text.h"
#include "types/utf8.h"

namespace {

using namespace omendb;
using namespace omendb::types;

constexpr Oid kTypes[] = {
    oid::kInt2,       oid::kInt4,  oid::kInt8,    oid::kFloat4,   oid::kFloat8,      oid::kNumeric,  oid::kBool,
    oid::kText,       oid::kBytea, oid::kUuid,    oid::kDate,     oid::kTime,        oid::kTimeTz,   oid::kTimestamp,
    oid::kInet,       oid::kCidr,  oid::kMacaddr, oid::kMacaddr8, oid::kTimestampTz, oid::kInterval, oid::kJson,
    oid::kJsonb,      Oid{1007},   Oid{1009},     Oid{1231},      oid::kMoney,       oid::kTid,      oid::kPgLsn,
    oid::kInt2Vector, oid::kOid,   oid::kChar,    oid::kName,     Oid{3904},         Oid{3906},      Oid{3908},
    Oid{3910},        Oid{3912},   Oid{3926},     Oid{4451},      Oid{4532},         Oid{4534},      Oid{3905}};
constexpr size_t kTypeCount = sizeof(kTypes) / sizeof(kTypes[0]);

void round_trip(Oid type, std::string_view text, const IoContext& context) {
  Value value;
  if (!input(type, -1, text, context, &value).ok()) return;
  PhysicalType physical = physical_type(type, -1);
  std::string first, second, binary;
  output(type, physical, value.view(), context, &first);
  // The old styles print a day and month that the order YMD does not read, and zone abbreviations that name no one zone.
  if (context.date_format != DateFormat::kIso &&
      (type == oid::kTimestampTz || type == oid::kTimestamp || type == oid::kDate || find_range_type(type) != nullptr ||
       find_multirange_type(type) != nullptr))
    return;
  if (type == oid::kInterval && context.interval_style == IntervalStyle::kSqlStandard) return;
  Value again;
  Status s = input(type, -1, first, context, &again);
  CHECK(s.ok());
  output(type, physical, again.view(), context, &second);
  CHECK(first == second);
  CHECK(send(type, physical, value.view(), context, &binary).ok());
  Value back;
  CHECK(receive(type, -1, binary, context, &back).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4000) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  IoContext context;
  context.date_format = static_cast<DateFormat>(data[1] & 3);
  context.date_order = static_cast<DateOrder>((data[1] >> 2) % 3);
  context.interval_style = static_cast<IntervalStyle>((data[1] >> 4) & 3);
  context.time_zone = (data[1] & 64) != 0 ? TimeZone::find("America/New_York") : nullptr;
  size_t what = data[0] % (kTypeCount + 4);
  if (what < kTypeCount) {
    round_trip(kTypes[what], text, context);
    Value value;
    (void)receive(kTypes[what], -1, text, context, &value).ok();
    return 0;
  }
  if (!verify_utf8(text).ok()) return 0;
  size_t cut = utf8_clip(text, text.size() / 2).size();
  std::string_view a = text.substr(0, cut), b = text.substr(cut);
  std::string out;
  bool yes = false;
  if (what == kTypeCount) {
    if (text.size() < 60) (void)regex_matches(a, b, false, &yes).ok();
  } else if (what == kTypeCount + 1) {
    std::optional<std::string_view> arguments[] = {a, std::nullopt};
    if (b.size() < 12) (void)text_format(b, arguments, &out).ok();
  } else if (what == kTypeCount + 2) {
    int64_t t = 0;
    (void)to_timestamp(a, b, TimeZone::utc(), &t).ok();
    (void)to_char_timestamp(t, b, &yes, &out).ok();
  } else {
    Numeric n;
    (void)to_number(a, b, &n).ok();
    (void)to_char_numeric(n, b, &out).ok();
  }
  return 0;
}
