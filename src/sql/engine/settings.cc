#include "sql/engine/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "base/check.h"
#include "types/timezone.h"

// The assembler is given -I src (CMakeLists.txt).
__asm__(
    ".section .rodata\n.balign 16\n"
    "omendb_data_settings:\n"
    ".incbin \"sql/engine/data/settings.tsv\"\n"
    "omendb_data_settings_end:\n.byte 0\n.previous\n");
extern "C" const char omendb_data_settings[] __attribute__((visibility("hidden")));
extern "C" const char omendb_data_settings_end[] __attribute__((visibility("hidden")));

namespace omendb::sql {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  size_t at = 0;
  while (true) {
    const size_t next = text.find(separator, at);
    parts.emplace_back(text.substr(at, next == std::string_view::npos ? next : next - at));
    if (next == std::string_view::npos) return parts;
    at = next + 1;
  }
}

struct Definitions {
  std::vector<SettingDefinition> all;
  std::unordered_map<std::string, size_t> by_name;

  Definitions() {
    const std::string_view data(omendb_data_settings,
                                static_cast<size_t>(omendb_data_settings_end - omendb_data_settings));
    for (const auto& line : split(data, '\n')) {
      const auto fields = split(line, '\t');
      if (fields.size() < 10) continue;
      SettingDefinition d;
      d.name = fields[0];
      d.default_value = fields[1];
      d.unit = fields[2];
      d.category = fields[3];
      d.description = fields[4];
      d.context = fields[5];
      d.type = fields[6];
      if (!fields[7].empty()) d.values = split(fields[7], ',');
      if (!fields[8].empty()) d.min = std::atof(fields[8].c_str());
      if (!fields[9].empty()) d.max = std::atof(fields[9].c_str());
      by_name[lower(d.name)] = all.size();
      all.push_back(std::move(d));
    }
  }
};

const Definitions& definitions() {
  static const Definitions instance;
  return instance;
}

struct Unit {
  const char* name;
  double base;  // in the family's smallest: bytes, or microseconds
};
constexpr Unit kMemoryUnits[] = {
    {"B", 1}, {"kB", 1024}, {"MB", 1048576.0}, {"GB", 1073741824.0}, {"TB", 1099511627776.0}};
constexpr Unit kTimeUnits[] = {{"us", 1}, {"ms", 1000}, {"s", 1e6}, {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};

double base_of(const std::string& unit, bool* memory) {
  *memory = true;
  if (unit == "8kB") return 8192;
  for (const auto& u : kMemoryUnits) {
    if (unit == u.name) return u.base;
  }
  *memory = false;
  for (const auto& u : kTimeUnits) {
    if (unit == u.name) return u.base;
  }
  return 1;
}

std::string number_text(double value, bool integer) {
  char buffer[64];
  if (integer) {
    std::snprintf(buffer, sizeof(buffer), "%.0f", value);
  } else {
    std::snprintf(buffer, sizeof(buffer), "%g", value);
  }
  return buffer;
}

Status invalid_value(const std::string& name, const std::string& value) {
  return Status(SqlState::kInvalidParameterValue, "invalid value for parameter \"" + name + "\": \"" + value + "\"");
}

/// "90s" with the setting's unit, into the base unit.
Status parse_number(const SettingDefinition& d, const std::string& name, std::string* value) {
  const char* begin = value->c_str();
  while (std::isspace(static_cast<unsigned char>(*begin))) ++begin;
  char* end = nullptr;
  double number = std::strtod(begin, &end);
  if (end == begin || std::isnan(number)) return invalid_value(name, *value);
  if (d.type == "integer" && (begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X'))) {
    number = static_cast<double>(std::strtoll(begin, &end, 16));
  }
  while (std::isspace(static_cast<unsigned char>(*end))) ++end;
  std::string suffix(end);
  while (!suffix.empty() && std::isspace(static_cast<unsigned char>(suffix.back()))) suffix.pop_back();
  if (!suffix.empty()) {
    if (d.unit.empty()) return invalid_value(name, *value);
    bool memory = false;
    const double base = base_of(d.unit, &memory);
    const Unit* found = nullptr;
    if (memory) {
      for (const auto& u : kMemoryUnits) {
        if (suffix == u.name) found = &u;
      }
    } else {
      for (const auto& u : kTimeUnits) {
        if (suffix == u.name) found = &u;
      }
    }
    if (found == nullptr) {
      return invalid_value(name, *value)
          .with_hint(memory ? "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
                            : "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".");
    }
    number = number * found->base / base;
  }
  const bool integer = d.type == "integer";
  if (integer) number = std::rint(number);
  if (number < d.min || number > d.max) {
    const std::string unit = d.unit.empty() ? "" : " " + d.unit;
    return Status(SqlState::kInvalidParameterValue,
                  number_text(number, integer) + unit + " is outside the valid range for parameter \"" + name + "\" (" +
                      number_text(d.min, integer) + " .. " + number_text(d.max, integer) + ")");
  }
  *value = number_text(number, integer);
  return Status();
}

struct DateStyle {
  types::DateFormat format = types::DateFormat::kIso;
  types::DateOrder order = types::DateOrder::kMdy;
};

Status parse_date_style(const std::string& value, const DateStyle& current, const DateStyle& initial, DateStyle* out,
                        std::string* canonical) {
  *out = current;
  bool has_format = false, has_order = false;
  std::vector<std::string> words;
  auto fail = [&](const std::string& detail) {
    return Status(SqlState::kInvalidParameterValue, "invalid value for parameter \"DateStyle\": \"" + value + "\"")
        .with_detail(detail);
  };
  if (!split_identifiers(value, &words)) return fail("List syntax is invalid.");
  for (const auto& original : words) {
    const std::string word = lower(original);
    auto format = [&](types::DateFormat f) {
      if (has_format && out->format != f) return false;
      out->format = f;
      has_format = true;
      return true;
    };
    auto order = [&](types::DateOrder o) {
      if (has_order && out->order != o) return false;
      out->order = o;
      has_order = true;
      return true;
    };
    bool ok = true;
    if (word == "iso")
      ok = format(types::DateFormat::kIso);
    else if (word == "sql")
      ok = format(types::DateFormat::kSql);
    else if (word.rfind("postgres", 0) == 0)
      ok = format(types::DateFormat::kPostgres);
    else if (word == "german") {
      ok = format(types::DateFormat::kGerman);
      if (!has_order) out->order = types::DateOrder::kDmy;
    } else if (word == "ymd")
      ok = order(types::DateOrder::kYmd);
    else if (word == "dmy" || word.rfind("euro", 0) == 0)
      ok = order(types::DateOrder::kDmy);
    else if (word == "mdy" || word == "us" || word.rfind("noneuro", 0) == 0)
      ok = order(types::DateOrder::kMdy);
    else if (word == "default") {
      if (!has_format) out->format = initial.format;
      if (!has_order) out->order = initial.order;
    } else {
      return fail("Unrecognized key word: \"" + original + "\".");
    }
    if (!ok) return fail("Conflicting \"datestyle\" specifications.");
  }
  static const char* const formats[] = {"ISO", "SQL", "Postgres", "German"};
  static const char* const orders[] = {"MDY", "DMY", "YMD"};
  *canonical = std::string(formats[static_cast<int>(out->format)]) + ", " + orders[static_cast<int>(out->order)];
  return Status();
}

constexpr const char* kReported[] = {"application_name",
                                     "client_encoding",
                                     "DateStyle",
                                     "default_transaction_read_only",
                                     "in_hot_standby",
                                     "integer_datetimes",
                                     "IntervalStyle",
                                     "is_superuser",
                                     "server_encoding",
                                     "server_version",
                                     "session_authorization",
                                     "standard_conforming_strings",
                                     "TimeZone"};

// What a literal of a type means, which object a name is, who asks, and which way a query must go.
constexpr const char* kReadByAnalysis[] = {"datestyle",    "timezone",    "intervalstyle", "extra_float_digits",
                                           "bytea_output", "search_path", "role",          "session_authorization",
                                           "omendb.route"};

bool valid_custom_name(std::string_view name) {
  bool start = true, dot = false;
  for (char c : name) {
    if (start) {
      if (!(std::isalpha(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80))) return false;
      start = false;
    } else if (c == '.') {
      dot = true;
      start = true;
    } else if (!(std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || (c & 0x80))) {
      return false;
    }
  }
  return dot && !start;
}

}  // namespace

const std::vector<SettingDefinition>& setting_definitions() { return definitions().all; }

const SettingDefinition* find_setting(std::string_view name) {
  const auto& all = definitions();
  auto it = all.by_name.find(lower(name));
  return it == all.by_name.end() ? nullptr : &all.all[it->second];
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = lower(text);
  auto prefix_of = [&](std::string_view full, size_t least) {
    return word.size() >= least && full.substr(0, word.size()) == word;
  };
  if (word.empty()) return std::nullopt;
  if (prefix_of("true", 1) || prefix_of("yes", 1) || word == "on" || word == "1") return true;
  if (prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2) || word == "0") return false;
  return std::nullopt;
}

bool split_identifiers(std::string_view text, std::vector<std::string>* out) {
  size_t at = 0;
  auto skip = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  };
  skip();
  if (at == text.size()) return true;
  while (true) {
    skip();
    std::string word;
    if (at < text.size() && text[at] == '"') {
      ++at;
      while (true) {
        if (at >= text.size()) return false;
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"') {
            word.push_back('"');
            at += 2;
            continue;
          }
          ++at;
          break;
        }
        word.push_back(text[at++]);
      }
    } else {
      while (at < text.size() && text[at] != ',' && !std::isspace(static_cast<unsigned char>(text[at]))) {
        word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(text[at++]))));
      }
      if (word.empty()) return false;
    }
    out->push_back(std::move(word));
    skip();
    if (at == text.size()) return true;
    if (text[at] != ',') return false;
    ++at;
  }
}

int notice_rank(std::string_view severity) {
  const std::string word = lower(severity);
  if (word.rfind("debug", 0) == 0) return 0;
  if (word == "log") return 1;
  if (word == "notice") return 2;
  if (word == "warning") return 3;
  if (word == "error") return 4;
  return 5;
}

Settings::Settings() {
  for (const auto& d : setting_definitions()) {
    Entry entry;
    entry.session = entry.reset = d.default_value;
    entries_[lower(d.name)] = std::move(entry);
  }
  for (const char* name :
       {"datestyle", "timezone", "intervalstyle", "extra_float_digits", "bytea_output", "statement_timeout",
        "lock_timeout", "deadlock_timeout", "search_path", "client_min_messages"}) {
    apply(name);
  }
  for (const auto& [name, value] : reported()) last_reported_[name] = value;
}

Status Settings::check(const SettingDefinition* d, const std::string& name, std::string* value) {
  if (d == nullptr) return Status();
  if (d->context == "internal") {
    return Status(SqlState::kCantChangeRuntimeParam, "parameter \"" + d->name + "\" cannot be changed");
  }
  if (d->context == "postmaster") {
    return Status(SqlState::kCantChangeRuntimeParam,
                  "parameter \"" + d->name + "\" cannot be changed without restarting the server");
  }
  if (d->context == "sighup") {
    return Status(SqlState::kCantChangeRuntimeParam, "parameter \"" + d->name + "\" cannot be changed now");
  }
  if (d->type == "bool") {
    const auto parsed = parse_boolean(*value);
    if (!parsed)
      return Status(SqlState::kInvalidParameterValue, "parameter \"" + d->name + "\" requires a Boolean value");
    *value = *parsed ? "on" : "off";
  } else if (d->type == "integer" || d->type == "real") {
    RETURN_IF_ERROR(parse_number(*d, d->name, value));
  } else if (d->type == "enum") {
    const std::string word = lower(*value);
    bool found = std::find(d->values.begin(), d->values.end(), word) != d->values.end();
    if (!found) {
      // Synonyms that are not advertised.
      if (auto boolean = parse_boolean(word);
          boolean && std::find(d->values.begin(), d->values.end(), *boolean ? "on" : "off") != d->values.end()) {
        *value = *boolean ? "on" : "off";
        return Status();
      }
      if (lower(d->name) == "client_min_messages" &&
          (word == "debug" || word == "info" || word == "fatal" || word == "panic")) {
        *value = word == "debug" ? "debug2" : word == "info" ? "info" : "error";
        return Status();
      }
      std::string hint;
      for (const auto& v : d->values) hint += (hint.empty() ? "" : ", ") + v;
      return Status(SqlState::kInvalidParameterValue,
                    "invalid value for parameter \"" + name + "\": \"" + *value + "\"")
          .with_hint("Available values: " + hint + ".");
    }
    *value = word;
  }

  const std::string key = lower(d->name);
  if (key == "datestyle") {
    DateStyle current{io_.date_format, io_.date_order}, initial, parsed;
    std::string canonical;
    RETURN_IF_ERROR(parse_date_style(entries_[key].reset, DateStyle(), DateStyle(), &initial, &canonical));
    RETURN_IF_ERROR(parse_date_style(*value, current, initial, &parsed, &canonical));
    *value = canonical;
  } else if (key == "timezone" || key == "log_timezone") {
    const types::TimeZone* zone = types::TimeZone::find_setting(*value);
    if (zone == nullptr) return invalid_value(d->name, *value);
    constexpr int64_t kMidnight2000 = 946684800;
    if (zone->offset_at(kMidnight2000) % 60 != 0 && zone == types::TimeZone::find(*value)) {
      return Status(SqlState::kInvalidParameterValue, "time zone \"" + *value + "\" appears to use leap seconds")
          .with_detail("PostgreSQL does not support leap seconds.");
    }
    *value = zone->name();
  } else if (key == "client_encoding") {
    const types::Encoding* encoding = types::Encoding::find(*value);
    if (encoding == nullptr) return invalid_value(d->name, *value);
    if (!encoding->converts()) {
      Status refused = invalid_value(d->name, *value);
      return Status(SqlState::kFeatureNotSupported, refused.message())
          .with_detail("Conversion between " + std::string(encoding->name()) + " and UTF8 is not supported.");
    }
    if (*value != "UNICODE") *value = encoding->name();  // old clients look for the name that they gave
  } else if (key == "search_path" || key == "temp_tablespaces") {
    std::vector<std::string> names;
    if (!split_identifiers(*value, &names)) {
      return invalid_value(d->name, *value).with_detail("List syntax is invalid.");
    }
  } else if (key == "application_name" || key == "cluster_name") {
    for (char& c : *value) {
      if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
    }
    if (value->size() > 63) value->resize(63);
  } else if (key == "standard_conforming_strings" && *value == "off") {
    return Status(SqlState::kFeatureNotSupported, "standard_conforming_strings = off is not supported");
  }
  return Status();
}

void Settings::store(const std::string& key, const std::string& value, bool is_local) {
  auto it = entries_.find(key);
  undo_.push_back({key, it == entries_.end() ? std::nullopt : std::optional<Entry>(it->second)});
  Entry& entry = entries_[key];
  if (is_local) {
    entry.local = value;
  } else {
    entry.session = value;
    entry.local.reset();
  }
  apply(key);
}

Status Settings::set_default(const std::string& name, const std::string& value) {
  const SettingDefinition* d = find_setting(name);
  if (d == nullptr && !valid_custom_name(name)) {
    return Status(SqlState::kUndefinedObject, "unrecognized configuration parameter \"" + name + "\"");
  }
  std::string checked = value;
  RETURN_IF_ERROR(check(d, name, &checked));
  Entry& entry = entries_[lower(name)];
  entry.session = entry.reset = checked;
  entry.local.reset();
  apply(lower(name));
  return Status();
}

Status Settings::set(const std::string& name, const std::string& value, bool is_local) {
  const SettingDefinition* d = find_setting(name);
  if (d == nullptr && entries_.count(lower(name)) == 0 && !valid_custom_name(name)) {
    if (name.find('.') != std::string::npos) {
      return Status(SqlState::kInvalidName, "invalid configuration parameter name \"" + name + "\"")
          .with_detail("Custom parameter names must be two or more simple identifiers separated by dots.");
    }
    return Status(SqlState::kUndefinedObject, "unrecognized configuration parameter \"" + name + "\"");
  }
  std::string checked = value;
  RETURN_IF_ERROR(check(d, name, &checked));
  const std::string key = lower(name);
  if (on_set) RETURN_IF_ERROR(on_set(key, &checked));
  store(key, checked, is_local);
  return Status();
}

Status Settings::reset(const std::string& name, bool is_local) {
  const std::string key = lower(name);
  const SettingDefinition* d = find_setting(name);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    if (valid_custom_name(name)) return Status();
    return Status(SqlState::kUndefinedObject, "unrecognized configuration parameter \"" + name + "\"");
  }
  if (d != nullptr && d->context != "user" && d->context != "superuser") {
    std::string unused = it->second.reset;
    RETURN_IF_ERROR(check(d, name, &unused));
  }
  std::string value = it->second.reset;
  if (on_set) RETURN_IF_ERROR(on_set(key, &value));
  store(key, value, is_local);
  return Status();
}

void Settings::reset_all() {
  std::vector<std::string> names;
  for (const auto& [key, entry] : entries_) {
    if (entry.current() == entry.reset) continue;
    const SettingDefinition* d = find_setting(key);
    if (d != nullptr && d->context != "user" && d->context != "superuser") continue;
    if (key.rfind("transaction_", 0) == 0 || key == "session_authorization" || key == "role") continue;
    names.push_back(key);
  }
  for (const auto& key : names) store(key, entries_[key].reset, false);
}

void Settings::force(const std::string& name, const std::string& value) {
  const std::string key = lower(name);
  Entry& entry = entries_[key];
  entry.session = value;
  entry.local.reset();
  apply(key);
}

std::string Settings::display(const SettingDefinition* d, const std::string& value) const {
  if (d == nullptr || d->unit.empty() || (d->type != "integer" && d->type != "real")) return value;
  const double number = std::atof(value.c_str());
  if (number <= 0) return value;
  bool memory = false;
  const double total = number * base_of(d->unit, &memory);
  // The largest unit that divides the value.
  const Unit* best = nullptr;
  if (memory) {
    for (const auto& u : kMemoryUnits) {
      if (std::fmod(total, u.base) == 0) best = &u;
    }
  } else {
    for (const auto& u : kTimeUnits) {
      if (std::fmod(total, u.base) == 0) best = &u;
    }
  }
  if (best == nullptr) return value + d->unit;
  return number_text(total / best->base, true) + best->name;
}

std::optional<std::string> Settings::show(std::string_view name) const {
  auto it = entries_.find(lower(name));
  if (it == entries_.end()) return std::nullopt;
  return display(find_setting(name), it->second.current());
}

std::optional<std::string> Settings::raw(std::string_view name) const {
  auto it = entries_.find(lower(name));
  if (it == entries_.end()) return std::nullopt;
  return it->second.current();
}

std::string Settings::canonical_name(std::string_view name) const {
  const SettingDefinition* d = find_setting(name);
  return d != nullptr ? d->name : std::string(name);
}

bool Settings::boolean(std::string_view name) const {
  const auto value = raw(name);
  return value && *value == "on";
}

std::vector<SessionServices::SettingRow> Settings::all() const {
  std::vector<SessionServices::SettingRow> rows;
  for (const auto& d : setting_definitions()) {
    const Entry& entry = entries_.at(lower(d.name));
    rows.push_back(
        {d.name, entry.current(), d.unit, d.category, d.description, d.context, d.type, d.default_value, entry.reset});
  }
  for (const auto& [key, entry] : entries_) {
    if (find_setting(key) != nullptr) continue;
    rows.push_back({key, entry.current(), "", "Customized Options", "", "user", "string", "", entry.reset});
  }
  return rows;
}

void Settings::rollback_to(size_t mark) {
  while (undo_.size() > mark) {
    Undo undo = std::move(undo_.back());
    undo_.pop_back();
    if (undo.entry) {
      entries_[undo.name] = std::move(*undo.entry);
    } else {
      entries_.erase(undo.name);
    }
    apply(undo.name);
  }
}

void Settings::commit() {
  if (undo_.empty()) return;
  std::set<std::string> touched;
  for (const auto& undo : undo_) touched.insert(undo.name);
  undo_.clear();
  for (const auto& key : touched) {
    auto it = entries_.find(key);
    if (it == entries_.end() || !it->second.local) continue;
    it->second.local.reset();
    apply(key);
  }
}

void Settings::rollback() {
  if (!undo_.empty()) rollback_to(0);
}

void Settings::apply(const std::string& key) {
  auto it = entries_.find(key);
  if (it == entries_.end()) return;
  maybe_reported_ = true;
  if (std::find(std::begin(kReadByAnalysis), std::end(kReadByAnalysis), key) != std::end(kReadByAnalysis)) ++version_;
  const std::string& value = it->second.current();
  if (key == "datestyle") {
    DateStyle parsed;
    std::string canonical;
    if (parse_date_style(value, DateStyle(), DateStyle(), &parsed, &canonical).ok()) {
      io_.date_format = parsed.format;
      io_.date_order = parsed.order;
    }
  } else if (key == "timezone") {
    io_.time_zone = types::TimeZone::find_setting(value);
  } else if (key == "intervalstyle") {
    io_.interval_style = value == "postgres_verbose" ? types::IntervalStyle::kPostgresVerbose
                         : value == "sql_standard"   ? types::IntervalStyle::kSqlStandard
                         : value == "iso_8601"       ? types::IntervalStyle::kIso8601
                                                     : types::IntervalStyle::kPostgres;
  } else if (key == "extra_float_digits") {
    io_.extra_float_digits = std::atoi(value.c_str());
  } else if (key == "bytea_output") {
    io_.bytea_escape = value == "escape";
  } else if (key == "statement_timeout") {
    statement_timeout_ms_ = std::atoll(value.c_str());
  } else if (key == "lock_timeout") {
    lock_timeout_ms_ = std::atoll(value.c_str());
  } else if (key == "deadlock_timeout") {
    deadlock_timeout_ms_ = std::atoll(value.c_str());
  } else if (key == "search_path") {
    search_path_.clear();
    split_identifiers(value, &search_path_);
  } else if (key == "client_encoding") {
    client_encoding_ = types::Encoding::find(value);
    if (client_encoding_ != nullptr && client_encoding_->is_utf8()) client_encoding_ = nullptr;
  } else if (key == "client_min_messages") {
    client_min_messages_ = notice_rank(value);
  } else if (key == "default_transaction_isolation") {
    default_isolation_ = value;
  } else if (key == "default_transaction_read_only") {
    default_read_only_ = value == "on";
  } else if (key == "omendb.plan_cache") {
    plan_cache_ = value == "on";
  } else if (key == "omendb.route") {
    route_ = value == "rows" ? Route::kRows : value == "columns" ? Route::kColumns : Route::kAuto;
  }
}

std::vector<std::pair<std::string, std::string>> Settings::reported() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const char* name : kReported) result.emplace_back(name, show(name).value_or(""));
  return result;
}

std::vector<std::pair<std::string, std::string>> Settings::take_changed() {
  std::vector<std::pair<std::string, std::string>> changed;
  if (!maybe_reported_) return changed;
  maybe_reported_ = false;
  for (auto& [name, value] : reported()) {
    auto& last = last_reported_[name];
    if (last == value) continue;
    last = value;
    changed.emplace_back(std::move(name), std::move(value));
  }
  return changed;
}

}  // namespace omendb::sql
