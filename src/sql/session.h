// sql/session.h: the door of sql/. PostgreSQL's SQL in, columns of values out; no DuckDB and no libpg_query in sight.
//
// An Engine is one per database; a Session is one per connection and owns the transaction (DuckDB never does).
// A statement goes parse -> prepare -> bind (a Portal) -> execute; the simple protocol runs them in a row.
//
// Session states (PostgreSQL's TBLOCK): kIdle -> (BEGIN) kInTransaction -> (error) kFailed -> (ROLLBACK) kIdle.
// Outside BEGIN, statements up to the next sync() form one implicit transaction: sync() commits it, an error rolls
// it back. In state kFailed everything but ROLLBACK, COMMIT and ROLLBACK TO is refused with 25P02.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "table/database.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::sql {

/// RowDescription of one result column.
struct ColumnDescription {
  std::string name;
  Oid table;  // kInvalidOid: not a plain column
  int16_t attnum = 0;
  Oid type;
  int16_t type_length = -1;
  int32_t typmod = -1;
  types::PhysicalType physical;
};

/// Takes result rows. Errors stop the statement (a client that went away: 08006).
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// `columns` match the portal's description and are valid during the call only.
  virtual Status rows(const std::vector<types::ColumnView>& columns, size_t count) = 0;
};

/// Feeds COPY FROM STDIN. read() appends the next bytes to *out; false: the end (CopyDone). Errors: CopyFail (57014), lost client.
class CopySource {
 public:
  virtual ~CopySource() = default;
  virtual Result<bool> read(std::string* out) = 0;
};
/// Takes COPY TO STDOUT, a line or a part of one at a time.
class CopySink {
 public:
  virtual ~CopySink() = default;
  virtual Status write(std::string_view bytes) = 0;
};

/// What the session tells its client outside results. Called on the thread that executes.
class SessionClient {
 public:
  virtual ~SessionClient() = default;
  /// NoticeResponse; severity: "WARNING", "NOTICE", "INFO", ...
  virtual void notice(std::string_view severity, const ErrorInfo& info) = 0;
  /// CopyInResponse / CopyOutResponse have to be sent; then the stream to use.
  virtual Result<CopySource*> begin_copy_in(size_t column_count, bool binary) = 0;
  virtual Result<CopySink*> begin_copy_out(size_t column_count, bool binary) = 0;
};

enum class TransactionState : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

class ParsedStatement;    // one statement of a string, not analysed yet
class PreparedStatement;  // analysed; parameter and result types known

struct ParameterValue {
  bool null = true;
  bool binary = false;
  std::string_view bytes;  // the wire's bytes
};

/// A bound statement, being executed.
class Portal {
 public:
  virtual ~Portal() = default;
  /// Empty for statements that return no rows.
  virtual const std::vector<ColumnDescription>& columns() const = 0;
  /// False: NoData.
  virtual bool returns_rows() const = 0;
  struct Progress {
    bool complete = true;  // false: max_rows reached, more may follow
    std::string tag;       // complete: CommandComplete's text ("SELECT 3"); empty query: ""
    bool empty_query = false;
  };
  /// Sends up to `max_rows` rows (0: all) to `sink`. An error ends the portal and fails the transaction.
  virtual Result<Progress> execute(uint64_t max_rows, RowSink& sink) = 0;
};

struct SessionOptions {
  std::string user = "postgres";
  std::string database = "postgres";
  std::string remote_address;                                 // empty: none
  int32_t process_id = 0;                                     // pg_backend_pid()
  std::vector<std::pair<std::string, std::string>> settings;  // of the startup packet
};

class Session {
 public:
  virtual ~Session() = default;

  /// Cuts `sql` into statements; none for an empty string or comments only. `sql` is valid during the call.
  /// Errors: 42601 with position, 22021.
  virtual Result<std::vector<std::shared_ptr<const ParsedStatement>>> parse(std::string_view sql) = 0;
  /// A statement that needs none of parse, prepare and bind because the session knows its text, or its text but for literals. Null: it
  /// does not. `sql` must outlive the portal.
  virtual std::unique_ptr<Portal> recall(std::string_view sql) = 0;
  /// Analyses. A null `statement` is the empty query. Types of parameters that are kInvalidOid are inferred. Errors: everything a statement's text can be wrong in.
  virtual Result<std::shared_ptr<PreparedStatement>> prepare(std::shared_ptr<const ParsedStatement> statement,
                                                             const std::vector<Oid>& parameter_types) = 0;
  /// The same for a simple query, which has no parameters. Errors: also 42P02.
  virtual Result<std::shared_ptr<PreparedStatement>> prepare_simple(
      std::shared_ptr<const ParsedStatement> statement) = 0;
  virtual const std::vector<Oid>& parameter_types(const PreparedStatement& statement) const = 0;
  /// Result columns; null: NoData.
  virtual const std::vector<ColumnDescription>* result_columns(const PreparedStatement& statement) const = 0;
  /// Errors: 08P01 for a wrong number of parameters, 22P02, 22P03 ... for their values, with the context "parameter $N ...".
  virtual Result<std::unique_ptr<Portal>> bind(std::shared_ptr<PreparedStatement> statement,
                                               const std::vector<ParameterValue>& parameters) = 0;

  /// Statements prepared by name, shared by Parse and SQL's PREPARE. Errors: 42P05, 26000.
  virtual Status store_prepared(const std::string& name, std::shared_ptr<PreparedStatement> statement) = 0;
  virtual Result<std::shared_ptr<PreparedStatement>> find_prepared(const std::string& name) = 0;
  virtual void close_prepared(const std::string& name) = 0;
  /// Cursors and named portals, shared by Bind and SQL's DECLARE. Errors: 42P03, 34000. A portal of a transaction dies with it.
  virtual Status store_portal(const std::string& name, std::unique_ptr<Portal> portal) = 0;
  virtual Result<Portal*> find_portal(const std::string& name) = 0;
  virtual void close_portal(const std::string& name) = 0;

  /// Called after every error, the session's own and those that the protocol layer met: fails the transaction as a failed
  /// statement does. Again, or outside any transaction: nothing.
  virtual void fail() = 0;
  /// End of a simple query, or Sync: commits or rolls back the implicit transaction. Errors: those of commit.
  virtual Status sync() = 0;
  /// A simple query of several statements runs them as one implicit transaction block; called before each of them (an inner
  /// COMMIT ends a block, and the next statement begins another). Inside a block: nothing.
  virtual void begin_implicit_block() = 0;
  virtual TransactionState transaction_state() const = 0;

  /// Settings reported by ParameterStatus that changed since the last call, name and value.
  virtual std::vector<std::pair<std::string, std::string>> take_changed_parameters() = 0;
  /// All 13 reported settings, for the start of a connection.
  virtual std::vector<std::pair<std::string, std::string>> reported_parameters() const = 0;
  virtual std::string setting(const std::string& name) const = 0;
  virtual const types::IoContext& io_context() const = 0;

  /// Thread: any. The running statement, if there is one, ends with 57014 (or what `reason` says).
  virtual void cancel() = 0;
};

/// Every session of the server, as pg_cancel_backend, pg_terminate_backend and pg_stat_activity see them. Thread: any.
class Backends {
 public:
  virtual ~Backends() = default;
  struct Backend {
    int32_t process_id = 0;
    std::string user, database, remote_address;
    int64_t start_us = 0;  // since 1970
    bool active = false;   // a worker is at it: not waiting for its client
    char transaction_state = 'I';
  };
  /// False: no such process.
  virtual bool cancel(int32_t process_id) = 0;
  /// The client gets FATAL 57P01. False: no such process.
  virtual bool terminate(int32_t process_id) = 0;
  virtual std::vector<Backend> list() = 0;
};

struct EngineOptions {
  size_t memory_bytes = 0;        // for DuckDB's operators; 0: an eighth of the machine
  std::string temp_directory;     // for spilling
  std::string columns_directory;  // where tables are kept as columns; empty: in memory
  std::string release;            // a copy in columns that another release wrote is not used
  size_t temp_bytes = 0;         // of what is spilled; 0: what the disk has free but for a tenth (engine/spill_files.h)
  int threads = 0;               // analytical threads; 0: one a core
  bool stand_back = true;        // statements that take long, and what helps them, run at low priority
  Backends* backends = nullptr;  // must outlive the engine; nullptr: no server around it
  void (*warn)(const std::string& line) = nullptr;  // for the operator's log
};

/// Thread: any.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(table::Database& database, const EngineOptions& options);
  virtual ~Engine() = default;
  /// `client` must outlive the session. Errors: 42704 for an unknown setting, 3D000, 28000.
  virtual Result<std::unique_ptr<Session>> open_session(const SessionOptions& options, SessionClient& client) = 0;
  /// Counters, by name: the routes that statements took, the copies in columns.
  virtual std::vector<std::pair<std::string, uint64_t>> statistics() = 0;
};

}  // namespace omendb::sql
