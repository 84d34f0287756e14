#include "types/timezone.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "types/scalar.h"
#include "types/zone_abbreviations.h"

namespace omendb::types {

struct TimeZone::Impl {
  absl::TimeZone zone;
};

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

bool parse_offset(std::string_view s, size_t* at, int32_t* seconds) {
  int part[3] = {0, 0, 0};
  size_t i = *at;
  for (int k = 0; k < 3; ++k) {
    if (k > 0) {
      if (i >= s.size() || s[i] != ':') break;
      ++i;
    }
    size_t start = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9' && i - start < 3) part[k] = part[k] * 10 + (s[i++] - '0');
    if (i == start) return false;
  }
  if (part[0] > 167 || part[1] > 59 || part[2] > 59) return false;
  *seconds = part[0] * 3600 + part[1] * 60 + part[2];
  *at = i;
  return true;
}

// NAME[+-]hh[:mm[:ss]] or <NAME>..., without a daylight rule.
bool parse_posix(std::string_view s, int32_t* seconds_east) {
  size_t i = 0;
  if (!s.empty() && s[0] == '<') {
    i = s.find('>');
    if (i == std::string_view::npos) return false;
    ++i;
  } else {
    while (i < s.size() && ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z')) ++i;
    if (i != 0 && i < 3) return false;  // no name at all will do
  }
  bool east = false;
  if (i < s.size() && (s[i] == '+' || s[i] == '-')) east = s[i++] == '-';
  int32_t seconds = 0;
  if (!parse_offset(s, &i, &seconds) || i != s.size()) return false;
  *seconds_east = east ? seconds : -seconds;
  return true;
}

}  // namespace

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
    int32_t east = 0;
    if (key == "utc" || key == "gmt") {
      made = std::make_unique<TimeZone>(nullptr, key == "utc" ? "UTC" : "GMT");  // a machine without tzdata has these
    } else if (parse_posix(text, &east)) {
      made = std::make_unique<TimeZone>(nullptr, std::string(text));
      made->fixed_offset_ = east;
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
  if (impl_ == nullptr) return fixed_offset_;
  return impl_->zone.At(absl::FromUnixSeconds(unix_seconds)).offset;
}

TimeZone::Moment TimeZone::moment_at(int64_t unix_seconds) const {
  Moment m;
  if (impl_ == nullptr) {
    m.offset = fixed_offset_;
    if (name_[0] == '<') {
      m.abbreviation = name_.substr(1, name_.find('>') - 1);
    } else {
      m.abbreviation = name_.substr(0, name_.find_first_of("+-0123456789"));
    }
    return m;
  }
  auto info = impl_->zone.At(absl::FromUnixSeconds(unix_seconds));
  m.offset = info.offset;
  m.daylight = info.is_dst;
  m.abbreviation = info.zone_abbr;
  return m;
}

int32_t TimeZone::offset_of_local(int64_t local_seconds) const {
  if (impl_ == nullptr) return fixed_offset_;
  absl::CivilSecond civil = absl::CivilSecond(1970, 1, 1, 0, 0, 0) + local_seconds;
  auto info = impl_->zone.At(civil);
  absl::Time t = info.kind == absl::TimeZone::TimeInfo::REPEATED ? info.post : info.pre;
  return static_cast<int32_t>(local_seconds - absl::ToUnixSeconds(t));
}

bool TimeZone::offset_of_abbreviation(std::string_view lower_case, int64_t unix_seconds, int32_t* offset) const {
  if (impl_ == nullptr) return false;
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
