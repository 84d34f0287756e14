// What a statement's functions and scans may ask of the session that runs it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duckdb/main/client_context.hpp"
#include "duckdb/main/client_context_state.hpp"

#include "catalog/catalog.h"
#include "table/database.h"
#include "types/io.h"

namespace omendb::sql {

/// Implemented by the session (engine/), reached from any DuckDB function through services(context).
/// Thread: a statement's DuckDB tasks may call it in parallel; everything here is fixed while a statement runs, or locks.
class SessionServices : public duckdb::ClientContextState {
 public:
  static constexpr const char* kKey = "omendb_session";

  virtual table::Database& database() = 0;
  /// Not null while a statement runs.
  virtual txn::Transaction& transaction() = 0;
  /// The catalog that the running statement was analysed with.
  virtual std::shared_ptr<const catalog::Catalog> catalog() = 0;
  virtual std::shared_ptr<const table::TableAccess> table_access(Oid table) = 0;
  virtual const types::IoContext& io() = 0;

  virtual int64_t transaction_start_us() = 0;
  virtual int64_t statement_start_us() = 0;
  virtual int64_t clock_us() = 0;

  virtual std::string current_user() = 0;
  virtual std::string session_user() = 0;
  virtual std::string database_name() = 0;
  virtual int32_t backend_pid() = 0;
  /// Names as written in search_path with "$user" resolved; pg_catalog is implied first unless named.
  virtual std::vector<std::string> search_path() = 0;
  /// The session's pg_temp schema; kInvalidOid: none yet.
  virtual Oid temp_schema() = 0;

  virtual std::optional<std::string> get_setting(std::string_view name) = 0;
  virtual Status set_setting(std::string_view name, std::string_view value, bool is_local) = 0;
  struct SettingRow {
    std::string name, setting, unit, category, description, context, type, boot_value, reset_value;
  };
  virtual std::vector<SettingRow> all_settings() = 0;

  struct Cursor {
    std::string name, statement;
    bool hold = false, binary = false, scrollable = false;
    int64_t created_us = 0;
  };
  /// Open cursors and named portals, by name.
  virtual std::vector<Cursor> cursors() = 0;
  struct Prepared {
    std::string name, statement;
    std::vector<Oid> parameter_types;
    bool from_sql = false;
    int64_t prepared_us = 0;
  };
  /// Statements prepared under a name, by name.
  virtual std::vector<Prepared> prepared_statements() = 0;

  virtual int64_t sequence_nextval(Oid sequence) = 0;  // throws SqlError
  virtual int64_t sequence_currval(Oid sequence) = 0;
  virtual int64_t sequence_lastval() = 0;
  virtual void sequence_setval(Oid sequence, int64_t value, bool is_called) = 0;

  /// The other sessions.
  virtual class Neighbours& neighbours() = 0;

  virtual void notice(std::string_view severity, const ErrorInfo& info) = 0;
  /// Throws 57014 when the statement was cancelled; for long loops and pg_sleep.
  virtual void check_cancelled() = 0;
};

/// The services of the session on whose connection `context` runs. CHECKs that there is one.
SessionServices& services(duckdb::ClientContext& context);

}  // namespace omendb::sql
