// Time zones: the system's tzdata, fixed offsets, and PostgreSQL's abbreviations.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::types {

/// A zone, found once and kept for the life of the process. Immutable; Thread: any.
class TimeZone {
 public:
  static const TimeZone& utc();
  /// A zone by its name in any letter case ("europe/berlin", "UTC"), or a POSIX specification ("FOO5", "<+03>-03", "EST5EDT,M3.2.0,
  /// M11.1.0": positive is west; without rules daylight goes as in the United States). nullptr if there is none.
  static const TimeZone* find(std::string_view name);
  /// A fixed offset, named as PostgreSQL names the result of SET TIME ZONE 2 ("<+02>-02"). |seconds_east| < 168 hours.
  static const TimeZone* fixed(int32_t seconds_east);
  /// The value of SET TIME ZONE / a zone argument: a name, or a number of hours east ("-5", "+5.5").
  static const TimeZone* find_setting(std::string_view text);
  /// Every name of the system's tzdata, ordered (pg_timezone_names).
  static const std::vector<std::string>& names();

  const std::string& name() const { return name_; }

  struct Moment {
    int32_t offset = 0;  // seconds east
    bool daylight = false;
    std::string abbreviation;  // "CEST", "+03"
  };
  int32_t offset_at(int64_t unix_seconds) const;
  Moment moment_at(int64_t unix_seconds) const;
  /// Seconds east for a local time, given as if it were UTC. A time that a spring change skips takes the offset before it; one
  /// that comes twice in autumn takes the later reading (standard time), as PostgreSQL does.
  int32_t offset_of_local(int64_t local_seconds) const;

  /// What `lower_case` ("msk") last meant in this zone at or before the time, or first after it. False if it never meant anything.
  bool offset_of_abbreviation(std::string_view lower_case, int64_t unix_seconds, int32_t* offset) const;

  struct Impl;
  explicit TimeZone(std::unique_ptr<Impl> impl, std::string name);
  ~TimeZone();

 private:
  std::unique_ptr<Impl> impl_;  // null: UTC
  std::string name_;
};

/// A zone abbreviation ("est", lower case): a fixed offset, or (zone != nullptr) the zone whose own rules say it.
struct ZoneAbbreviation {
  std::string_view name;
  int32_t offset;
  bool daylight;
  std::string_view zone;  // empty: fixed
};
/// nullptr if unknown.
const ZoneAbbreviation* find_abbreviation(std::string_view lower_case);
const std::vector<ZoneAbbreviation>& zone_abbreviations();

}  // namespace omendb::types
