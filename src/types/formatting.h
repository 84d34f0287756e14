// to_char, to_date, to_timestamp, to_number: PostgreSQL's formatting templates.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/datetime.h"
#include "types/numeric.h"

namespace omendb::types {

/// to_char(timestamp, format); *null for an infinite timestamp (SQL null). Errors: as PostgreSQL's.
Status to_char_timestamp(int64_t timestamp, std::string_view format, bool* null, std::string* out);
Status to_char_timestamptz(int64_t timestamp, const TimeZone& zone, std::string_view format, bool* null,
                           std::string* out);
Status to_char_interval(const Interval& interval, std::string_view format, std::string* out);

/// Errors: 22007, 22008.
Status to_date(std::string_view text, std::string_view format, int32_t* out);
Status to_timestamp(std::string_view text, std::string_view format, const TimeZone& zone, int64_t* out);

/// to_char(number, format). Errors: 42601 for a format that contradicts itself.
Status to_char_numeric(const Numeric& value, std::string_view format, std::string* out);
/// `narrow`: the value is an integer, and V must not take it past that type's range; else bigint's. Errors: 22003.
Status to_char_int64(int64_t value, std::string_view format, std::string* out, bool narrow = false);
Status to_char_float8(double value, std::string_view format, std::string* out);
Status to_char_float4(float value, std::string_view format, std::string* out);
/// Errors: 22P02.
Status to_number(std::string_view text, std::string_view format, Numeric* out);

}  // namespace omendb::types
