// Inside datetime: what a date/time text says, by PostgreSQL's rules.
#pragma once

#include <cstdint>
#include <string_view>

#include "types/datetime.h"

namespace omendb::types::internal {

struct ParsedMoment {
  enum class Outcome : uint8_t { kDate, kTimeOnly, kEpoch, kLate, kEarly } outcome = Outcome::kDate;
  CivilTime civil;        // kDate and kTimeOnly: local
  bool has_date = false;  // year, month and day were given
  bool zone_given = false;
  int32_t zone_west = 0;                      // seconds west, when no named zone
  const TimeZone* zone = nullptr;             // named
  const ZoneAbbreviation* dynamic = nullptr;  // named `zone` by an abbreviation
};

/// Fields are recognised by their shape; numbers of a date are placed by what is known already (a month name, the number of digits,
/// DateOrder). `type` is how errors call it. `time_only`: a time is asked for, and a date beside it is welcome.
/// Errors: 22007, 22008, 22009, 22023.
Status parse_moment(std::string_view text, std::string_view type, const IoContext& context, bool time_only,
                    ParsedMoment* out);

}  // namespace omendb::types::internal
