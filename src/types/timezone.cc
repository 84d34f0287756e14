#include "types/timezone.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unordered_map>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "types/datetime.h"
#include "types/scalar.h"
#include "types/zone_abbreviations.h"

namespace omendb::types {

namespace {

std::string lower(std::string_view s) {
  std::string r(s);
  for (char& c : r) c = ascii_lower(c);
  return r;
}

const char* zone_directory() {
  const char* dir = std::getenv("TZDIR");
  return dir != nullptr && *dir != '\0' ? dir : "/usr/share/zoneinfo";
}

struct NameTable {
  std::vector<std::string> names;
  std::unordered_map<std::string, std::string> by_lower;
};

// Lists the zone files once, so that names match in any case and nothing outside the directory can be named.
const NameTable& name_table() {
  static const NameTable& table = *[] {
    auto* t = new NameTable;
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path root = zone_directory();
    auto it = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      std::string relative = it->path().lexically_relative(root).string();
      if (it->is_directory(error)) {
        if (relative == "right" || relative == "posix") it.disable_recursion_pending();
        continue;
      }
      std::ifstream file(it->path(), std::ios::binary);
      char magic[4] = {};
      file.read(magic, 4);
      if (std::string_view(magic, 4) != "TZif" || relative == "posixrules" || relative == "localtime") continue;
      t->by_lower.emplace(lower(relative), relative);
      t->names.push_back(std::move(relative));
    }
    std::sort(t->names.begin(), t->names.end());
    return t;
  }();
  return table;
}

struct Cache {
  Mutex mutex;
  std::unordered_map<std::string, std::unique_ptr<const TimeZone>> zones GUARDED_BY(mutex);
};
Cache& cache() {
  static Cache& c = *new Cache;
  return c;
}

/// Reads a POSIX specification from left to right; every reader says whether it found what it wants.
class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }
  bool skip(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// Letters and whatever is neither digit, sign nor comma, or anything within <>. May be empty.
  bool name(std::string* out) {
    const size_t start = at_ + (at_ < text_.size() && text_[at_] == '<' ? 1 : 0);
    const bool quoted = start != at_;
    const size_t end = quoted ? text_.find('>', start) : text_.find_first_of("0123456789,+-", start);
    if (quoted && end == std::string_view::npos) return false;
    *out = text_.substr(start, end - start);
    at_ = quoted ? end + 1 : std::min(end, text_.size());
    return true;
  }

  bool number(int32_t low, int32_t high, int32_t* out) {
    const size_t start = at_;
    int32_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > high) return false;
    }
    *out = value;
    return at_ != start && value >= low;
  }

  /// [+-]hh[:mm[:ss]], up to a week.
  bool offset(int32_t* seconds) {
    const bool negative = skip('-');
    if (!negative) skip('+');
    int32_t hours = 0, minutes = 0, rest = 0;
    if (!number(0, 167, &hours)) return false;
    if (skip(':')) {
      if (!number(0, 59, &minutes)) return false;
      if (skip(':') && !number(0, 60, &rest)) return false;
    }
    *seconds = hours * 3600 + minutes * 60 + rest;
    if (negative) *seconds = -*seconds;
    return true;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kCycleYears = 400,
                  kCycleSeconds = 146097 * kSecondsPerDay;  // after which the calendar repeats itself

/// When in a year a change happens: Jn (without a leap day), n (with it) or Mm.w.d, and the time of that day.
struct PosixRule {
  char kind = 'M';
  int32_t month = 0, week = 0, day = 0, time = 2 * 3600;

  bool read(PosixReader* reader) {
    if (reader->skip('J')) {
      kind = 'J';
      if (!reader->number(1, 365, &day)) return false;
    } else if (reader->skip('M')) {
      if (!reader->number(1, 12, &month) || !reader->skip('.') || !reader->number(1, 5, &week) || !reader->skip('.') ||
          !reader->number(0, 6, &day)) {
        return false;
      }
    } else {
      kind = 'n';
      if (!reader->number(0, 365, &day)) return false;
    }
    return !reader->skip('/') || reader->offset(&time);
  }

  /// Seconds since 1970, by the clock that goes until then.
  int64_t local_seconds(int32_t year) const {
    int64_t days = days_of(year, 1, 1);
    if (kind == 'J') {
      days += day - 1 + (day >= 60 && days_in_month(year, 2) == 29);
    } else if (kind == 'n') {
      days += day;
    } else {
      days = days_of(year, month, 1);
      const int64_t weekday = ((days + 4) % 7 + 7) % 7;
      int64_t in_month = (day - weekday + 7) % 7 + static_cast<int64_t>(week - 1) * 7;
      if (in_month >= days_in_month(year, month)) in_month -= 7;
      days += in_month;
    }
    return days * kSecondsPerDay + time;
  }
};

/// STD[+-]hh[:mm[:ss]][DST[offset][,start[/time],end[/time]]] as PostgreSQL reads it: positive is west, no name at all will do for
/// STD, and without rules daylight goes by those of the United States. Both ends repeat for ever.
struct PosixZone {
  struct Change {
    int64_t at;
    bool daylight;
  };
  std::string names[2];         // [0] standard, [1] daylight
  int32_t offsets[2] = {0, 0};  // seconds east
  bool has_daylight = false;
  std::vector<Change> changes;  // of a cycle of years, in order; empty: always the same

  bool read(std::string_view text) {
    PosixReader reader(text);
    if (!reader.name(&names[0]) || !reader.offset(&offsets[0])) return false;
    offsets[0] = -offsets[0];
    if (reader.at_end()) return true;
    has_daylight = true;
    offsets[1] = offsets[0] + 3600;
    if (!reader.name(&names[1]) || names[1].empty()) return false;
    PosixReader rules(",M3.2.0,M11.1.0");
    if (!reader.at_end() && !reader.skip(',') && !reader.skip(';')) {
      if (!reader.offset(&offsets[1])) return false;
      offsets[1] = -offsets[1];
      if (!reader.at_end() && !reader.skip(',') && !reader.skip(';')) return false;
    }
    if (reader.at_end()) {
      reader = rules;
      reader.skip(',');
    }
    PosixRule start, end;
    if (!start.read(&reader) || !reader.skip(',') || !end.read(&reader) || !reader.at_end()) return false;
    for (int32_t year = kFirstYear; year < kFirstYear + kCycleYears; ++year) {
      const int64_t from = start.local_seconds(year) - offsets[0], to = end.local_seconds(year) - offsets[1];
      const int64_t length = (days_of(year + 1, 1, 1) - days_of(year, 1, 1)) * kSecondsPerDay;
      // Daylight that lasts all year, or no time at all, is no change.
      if (to > from && to - from >= length + offsets[1] - offsets[0]) continue;
      if (to == from) continue;
      changes.push_back({std::min(from, to), from < to});
      changes.push_back({std::max(from, to), from > to});
    }
    return true;
  }

  /// The last change at or before the time, and the first one after it. Requires changes.
  std::pair<Change, Change> around(int64_t unix_seconds) const {
    int64_t cycle = (unix_seconds - changes[0].at) / kCycleSeconds;
    if (unix_seconds < changes[0].at + cycle * kCycleSeconds) --cycle;
    const int64_t within = unix_seconds - cycle * kCycleSeconds;
    const auto next = std::upper_bound(changes.begin(), changes.end(), within,
                                       [](int64_t t, const Change& change) { return t < change.at; });
    Change before = *(next - 1), after = next == changes.end() ? changes[0] : *next;
    before.at += cycle * kCycleSeconds;
    after.at += (cycle + (next == changes.end())) * kCycleSeconds;
    return {before, after};
  }
  bool daylight_at(int64_t unix_seconds) const {
    return has_daylight && (changes.empty() || around(unix_seconds).first.daylight);
  }

  int32_t offset_of_local(int64_t local_seconds) const {
    if (changes.empty()) return offsets[has_daylight];
    const auto [before, boundary] = around(local_seconds - kSecondsPerDay);
    const int32_t earlier = offsets[before.daylight], later = offsets[boundary.daylight];
    const int64_t by_earlier = local_seconds - earlier, by_later = local_seconds - later;
    if (by_earlier < boundary.at && by_later < boundary.at) return earlier;
    if (by_earlier > boundary.at && by_later >= boundary.at) return later;
    return by_earlier > by_later ? earlier : later;  // skipped, or there twice
  }

 private:
  static constexpr int32_t kFirstYear = 1770;
};

}  // namespace

struct TimeZone::Impl {
  absl::TimeZone zone;
  std::optional<PosixZone> posix;  // instead of it
};

TimeZone::TimeZone(std::unique_ptr<Impl> impl, std::string name) : impl_(std::move(impl)), name_(std::move(name)) {}
TimeZone::~TimeZone() = default;

const TimeZone& TimeZone::utc() {
  static const TimeZone& zone = *find("UTC");
  return zone;
}

const std::vector<std::string>& TimeZone::names() { return name_table().names; }

const TimeZone* TimeZone::find(std::string_view text) {
  if (text.empty() || text.size() > 255) return nullptr;
  std::string key = lower(text);
  Cache& c = cache();
  {
    MutexLock lock(c.mutex);
    auto it = c.zones.find(key);
    if (it != c.zones.end()) return it->second.get();
  }
  std::unique_ptr<TimeZone> made;
  const auto& known = name_table().by_lower;
  if (auto it = known.find(key); it != known.end()) {
    auto impl = std::make_unique<Impl>();
    if (absl::LoadTimeZone(it->second, &impl->zone)) made = std::make_unique<TimeZone>(std::move(impl), it->second);
  }
  if (made == nullptr) {
    PosixZone posix;
    std::string upper(text);  // PostgreSQL shows specifications in capitals
    for (char& c : upper) c = ascii_upper(c);
    if (key == "utc" || key == "gmt") {
      made = std::make_unique<TimeZone>(nullptr, key == "utc" ? "UTC" : "GMT");  // a machine without tzdata has these
    } else if (posix.read(upper)) {
      auto impl = std::make_unique<Impl>();
      impl->posix = std::move(posix);
      made = std::make_unique<TimeZone>(std::move(impl), std::move(upper));
    } else {
      return nullptr;
    }
  }
  MutexLock lock(c.mutex);
  return c.zones.emplace(std::move(key), std::move(made)).first->second.get();
}

const TimeZone* TimeZone::fixed(int32_t seconds_east) {
  if (seconds_east <= -168 * 3600 || seconds_east >= 168 * 3600) return nullptr;
  auto spell = [](int32_t seconds, bool minus) {
    std::string s(1, minus ? '-' : '+');
    int32_t size = std::abs(seconds);
    auto two = [&](int v) {
      s.push_back(static_cast<char>('0' + v / 10 % 10));
      s.push_back(static_cast<char>('0' + v % 10));
    };
    if (size >= 360000) s.push_back('1');
    two(size / 3600 % 100);
    if (size % 3600 != 0) {
      s.push_back(':');
      two(size / 60 % 60);
      if (size % 60 != 0) {
        s.push_back(':');
        two(size % 60);
      }
    }
    return s;
  };
  return find("<" + spell(seconds_east, seconds_east < 0) + ">" + spell(seconds_east, seconds_east >= 0));
}

const TimeZone* TimeZone::find_setting(std::string_view text) {
  std::string_view s = trim_space(text);
  double hours = 0;
  std::string_view number = s;
  if (!number.empty() && number[0] == '+') number.remove_prefix(1);
  auto [p, error] = std::from_chars(number.data(), number.data() + number.size(), hours);
  if (error == std::errc() && p == number.data() + number.size() && std::fabs(hours) < 168) {
    return fixed(static_cast<int32_t>(hours * 3600));
  }
  return find(text);
}

int32_t TimeZone::offset_at(int64_t unix_seconds) const {
  if (impl_ == nullptr) return 0;
  if (impl_->posix) return impl_->posix->offsets[impl_->posix->daylight_at(unix_seconds)];
  return impl_->zone.At(absl::FromUnixSeconds(unix_seconds)).offset;
}

TimeZone::Moment TimeZone::moment_at(int64_t unix_seconds) const {
  Moment m;
  if (impl_ == nullptr) {
    m.abbreviation = name_;
    return m;
  }
  if (impl_->posix) {
    m.daylight = impl_->posix->daylight_at(unix_seconds);
    m.offset = impl_->posix->offsets[m.daylight];
    m.abbreviation = impl_->posix->names[m.daylight];
    return m;
  }
  auto info = impl_->zone.At(absl::FromUnixSeconds(unix_seconds));
  m.offset = info.offset;
  m.daylight = info.is_dst;
  m.abbreviation = info.zone_abbr;
  return m;
}

int32_t TimeZone::offset_of_local(int64_t local_seconds) const {
  if (impl_ == nullptr) return 0;
  if (impl_->posix) return impl_->posix->offset_of_local(local_seconds);
  absl::CivilSecond civil = absl::CivilSecond(1970, 1, 1, 0, 0, 0) + local_seconds;
  auto info = impl_->zone.At(civil);
  absl::Time t = info.kind == absl::TimeZone::TimeInfo::REPEATED ? info.post : info.pre;
  return static_cast<int32_t>(local_seconds - absl::ToUnixSeconds(t));
}

bool TimeZone::offset_of_abbreviation(std::string_view lower_case, int64_t unix_seconds, int32_t* offset) const {
  if (impl_ == nullptr || impl_->posix) return false;
  auto matches = [&](int64_t at) {
    auto info = impl_->zone.At(absl::FromUnixSeconds(at));
    if (!equal_ignoring_case(info.zone_abbr, lower_case)) return false;
    *offset = info.offset;
    return true;
  };
  if (matches(unix_seconds)) return true;
  absl::TimeZone::CivilTransition transition;
  auto instant_before = [&](int64_t at) {  // of the period before `at`
    if (!impl_->zone.PrevTransition(absl::FromUnixSeconds(at), &transition)) return INT64_MIN;
    return absl::ToUnixSeconds(impl_->zone.At(transition.from).trans) - 1;
  };
  int64_t at = unix_seconds + 1;
  for (int i = 0; i < 1000; ++i) {
    at = instant_before(at);
    if (at == INT64_MIN) break;
    if (matches(at)) return true;
  }
  at = unix_seconds;
  for (int i = 0; i < 1000; ++i) {
    if (!impl_->zone.NextTransition(absl::FromUnixSeconds(at), &transition)) break;
    at = absl::ToUnixSeconds(impl_->zone.At(transition.to).trans);
    if (matches(at)) return true;
  }
  return false;
}

const std::vector<ZoneAbbreviation>& zone_abbreviations() {
  static const std::vector<ZoneAbbreviation>& table = *new std::vector<ZoneAbbreviation>{
#define OMENDB_FIXED(name, offset, daylight) {name, offset, daylight, {}},
#define OMENDB_ZONE(name, zone) {name, 0, false, zone},
      OMENDB_ZONE_ABBREVIATIONS(OMENDB_FIXED, OMENDB_ZONE)
#undef OMENDB_FIXED
#undef OMENDB_ZONE
  };
  return table;
}

const ZoneAbbreviation* find_abbreviation(std::string_view name) {
  const auto& table = zone_abbreviations();
  auto it = std::lower_bound(table.begin(), table.end(), name,
                             [](const ZoneAbbreviation& a, std::string_view n) { return a.name < n; });
  return it != table.end() && it->name == name ? &*it : nullptr;
}

}  // namespace omendb::types
