// A session's settings (PostgreSQL's GUCs): 350 known ones by type, range, unit and enumeration, and custom ones with a dot.
//
// SET is transactional: rollback restores what was there, SET LOCAL ends with the transaction in any case, and a savepoint
// is a mark in the same undo log.
//
// Invariants
//   1. Every value in here passed its type's check; the parsed forms (IoContext, timeouts, search path) follow it at once.
//   2. Outside a transaction the undo log is empty.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/services.h"
#include "types/encoding.h"
#include "types/io.h"

namespace omendb::sql {

/// One row of the table of known settings (data/settings.tsv).
struct SettingDefinition {
  std::string name;           // as SHOW prints it: "DateStyle"
  std::string default_value;  // in the base unit, without it
  std::string unit;           // "", "ms", "s", "min", "B", "kB", "8kB", "MB"
  std::string category, description;
  std::string context;  // internal, postmaster, sighup, superuser, user, backend, superuser-backend
  std::string type;     // bool, integer, real, string, enum
  std::vector<std::string> values;
  double min = 0, max = 0;
};

/// Case does not matter; nullptr: no such setting. Thread: any.
const SettingDefinition* find_setting(std::string_view name);
const std::vector<SettingDefinition>& setting_definitions();

/// Thread: one at a time.
class Settings {
 public:
  Settings();

  /// Starts a session: values of the startup packet become what RESET goes back to. Errors: as set().
  Status set_default(const std::string& name, const std::string& value);

  /// SET name = value. `is_local`: until the end of the transaction. Errors: 42704, 22023, 55P02 (cannot be changed).
  Status set(const std::string& name, const std::string& value, bool is_local);
  /// SET name TO DEFAULT, RESET name.
  Status reset(const std::string& name, bool is_local);
  void reset_all();
  /// For the session itself: sets an internal setting without asking.
  void force(const std::string& name, const std::string& value);

  /// As SHOW prints it; nullopt: no such setting.
  std::optional<std::string> show(std::string_view name) const;
  /// In the base unit, as pg_settings.setting.
  std::optional<std::string> raw(std::string_view name) const;
  std::vector<SessionServices::SettingRow> all() const;
  std::string canonical_name(std::string_view name) const;

  // Transactions
  size_t mark() const { return undo_.size(); }
  void rollback_to(size_t mark);
  void commit();
  void rollback();
  bool has_changes() const { return !undo_.empty(); }

  // Parsed forms
  const types::IoContext& io() const { return io_; }
  types::IoContext& mutable_io() { return io_; }
  int64_t statement_timeout_ms() const { return statement_timeout_ms_; }
  int64_t lock_timeout_ms() const { return lock_timeout_ms_; }
  int64_t deadlock_timeout_ms() const { return deadlock_timeout_ms_; }
  const std::vector<std::string>& search_path() const { return search_path_; }  // "$user" not resolved
  int client_min_messages() const { return client_min_messages_; }              // rank; see notice_rank
  const std::string& default_isolation() const { return default_isolation_; }
  bool default_read_only() const { return default_read_only_; }
  const types::Encoding* client_encoding() const { return client_encoding_; }  // null: UTF8
  bool plan_cache() const { return plan_cache_; }
  /// Which way queries go (omendb.route).
  enum class Route : uint8_t { kAuto, kRows, kColumns };
  Route route() const { return route_; }
  bool boolean(std::string_view name) const;
  /// Grows with every change of a setting that analysis or planning reads: kept plans hold for one version.
  uint64_t version() const { return version_; }

  /// Names and values of reported settings that changed since the last call.
  std::vector<std::pair<std::string, std::string>> take_changed();
  std::vector<std::pair<std::string, std::string>> reported() const;

  /// Called for settings that act on the session (transaction_isolation, role, ...): may refuse.
  std::function<Status(const std::string& name, std::string* value)> on_set;

 private:
  struct Entry {
    std::string session;  // base unit
    std::optional<std::string> local;
    std::string reset;
    const std::string& current() const { return local ? *local : session; }
  };
  struct Undo {
    std::string name;
    std::optional<Entry> entry;  // nullopt: it did not exist
  };
  Status check(const SettingDefinition* definition, const std::string& given_name, std::string* value);
  void store(const std::string& key, const std::string& value, bool is_local);
  void apply(const std::string& key);
  std::string display(const SettingDefinition* definition, const std::string& value) const;

  std::map<std::string, Entry> entries_;  // by lower-case name
  std::vector<Undo> undo_;
  std::map<std::string, std::string> last_reported_;
  bool maybe_reported_ = false;
  uint64_t version_ = 0;
  types::IoContext io_;
  int64_t statement_timeout_ms_ = 0, lock_timeout_ms_ = 0, deadlock_timeout_ms_ = 1000;
  std::vector<std::string> search_path_;
  int client_min_messages_ = 0;
  std::string default_isolation_;
  bool default_read_only_ = false;
  const types::Encoding* client_encoding_ = nullptr;
  bool plan_cache_ = true;
  Route route_ = Route::kAuto;
};

/// Order of message severities: debug 0, log 1, notice 2 (and info, which always passes), warning 3, error 4.
int notice_rank(std::string_view severity);

/// Splits a list of identifiers ("a, \"B c\""), as search_path is written. False: malformed.
bool split_identifiers(std::string_view text, std::vector<std::string>* out);

/// A setting's boolean: on, off, true, false, yes, no, 1, 0 and unique prefixes.
std::optional<bool> parse_boolean(std::string_view text);

}  // namespace omendb::sql
