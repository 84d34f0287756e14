// engine/: everything between an analysed statement and rows.
//
//   duck_instance.h   the embedded DuckDB
//   scan.h            omen_scan: tables as DuckDB reads them; access_path.h, row_decoder.h
//   settings.h        SET, SHOW and what they mean
//   session_impl.h    one connection: transactions, statements, portals (this file)
//   executor.h        an AnalyzedQuery run: SELECT streamed, INSERT, UPDATE, DELETE, MERGE applied
//   utility.h         statements that are no queries
//   copy.h            COPY
//   ../point/         single-row statements without DuckDB's executor
//   ../columnar/      tables as columns
//
// Transaction states
//   kNone        no transaction; the next statement starts one in
//   kImplicit    which lasts until sync(), commits there, and is rolled back by an error
//   kBlock       after BEGIN
//   kFailed      an error in a block; only ROLLBACK, COMMIT (which rolls back) and ROLLBACK TO get out
//
// Invariants
//   1. transaction_ is set in kImplicit and kBlock, and in kFailed exactly when savepoints remain to go back to.
//   2. A statement reads and writes in two phases: no cursor of the transaction is open while it writes.
//   3. Portals that outlive the statement that opened them hold their rows, not a cursor.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "duckdb/main/connection.hpp"

#include "base/mutex.h"
#include "sql/conversation.h"
#include "sql/engine/duck_instance.h"
#include "sql/engine/index_evaluator.h"
#include "sql/engine/settings.h"
#include "sql/engine/statement.h"
#include "sql/engine/table_schema.h"
#include "sql/engine/timer.h"
#include "sql/frontend/ddl.h"
#include "sql/neighbours.h"

namespace omendb::sql {

class ColumnStore;
class FileTables;
class PlanCache;
class SmallPlans;
class SessionImpl;
struct ForeignKeys;
class ForeignKeyQueue;
class Neighbourhood;
class SessionNeighbours;

inline int64_t clock_now_us() { return system_clock().now_us(); }

class EngineImpl final : public Engine {
 public:
  EngineImpl(table::Database& database, const EngineOptions& options);
  ~EngineImpl() override;
  Result<std::unique_ptr<Session>> open_session(const SessionOptions& options, SessionClient& client) override;
  std::vector<std::pair<std::string, uint64_t>> statistics() override;

  table::Database& database() { return database_; }
  DuckInstance& duck() { return duck_; }
  Timer& timer() { return timer_; }
  StatisticsCache& table_statistics() { return statistics_; }
  ColumnStore& columns() { return *columns_; }
  Neighbourhood& neighbourhood() { return *neighbourhood_; }

 private:
  table::Database& database_;
  DuckInstance duck_;
  std::unique_ptr<ColumnStore> columns_;
  Timer timer_;
  StatisticsCache statistics_;
  SessionIndexEvaluator index_evaluator_;
  std::unique_ptr<Neighbourhood> neighbourhood_;
};

/// The face that DuckDB's functions see. Lives as long as any connection of the session.
class ServicesAdapter;
class SessionTypeCatalog;

enum class BlockState : uint8_t { kNone, kImplicit, kBlock, kFailed };

class SessionImpl final : public Session, public NotificationSource, public Conversation, public DdlContext {
 public:
  SessionImpl(EngineImpl& engine, const SessionOptions& options, SessionClient& client);
  ~SessionImpl() override;
  Status start();

  // Session
  Result<std::vector<std::shared_ptr<const ParsedStatement>>> parse(std::string_view sql) override;
  std::unique_ptr<Portal> recall(std::string_view sql) override;
  Result<std::shared_ptr<PreparedStatement>> prepare(std::shared_ptr<const ParsedStatement> statement,
                                                     const std::vector<Oid>& parameter_types) override;
  Result<std::shared_ptr<PreparedStatement>> prepare_simple(std::shared_ptr<const ParsedStatement> statement) override;
  const std::vector<Oid>& parameter_types(const PreparedStatement& statement) const override;
  const std::vector<ColumnDescription>* result_columns(const PreparedStatement& statement) const override;
  Result<std::unique_ptr<Portal>> bind(std::shared_ptr<PreparedStatement> statement,
                                       const std::vector<ParameterValue>& parameters) override;
  Status store_prepared(const std::string& name, std::shared_ptr<PreparedStatement> statement) override;
  Result<std::shared_ptr<PreparedStatement>> find_prepared(const std::string& name) override;
  void close_prepared(const std::string& name) override;
  Status store_portal(const std::string& name, std::unique_ptr<Portal> portal) override;
  Result<Portal*> find_portal(const std::string& name) override;
  void close_portal(const std::string& name) override;
  void fail() override;
  Status sync() override;
  void begin_implicit_block() override { implicit_block_ = true; }
  TransactionState transaction_state() const override;
  std::vector<std::pair<std::string, std::string>> take_changed_parameters() override {
    return settings_.take_changed();
  }
  std::vector<std::pair<std::string, std::string>> reported_parameters() const override { return settings_.reported(); }
  std::string setting(const std::string& name) const override { return show_setting(name).value_or(""); }
  const types::IoContext& io_context() const override { return settings_.io(); }
  void cancel() override { interrupt("canceling statement due to user request"); }

  // NotificationSource
  std::vector<Notification> take_notifications() override;
  bool has_notifications() const override;
  void on_notification(std::function<void()> wake) override;

  // Conversation
  void start_clock() override;
  bool clock_expired() const override { return clock_end_ && Timer::Clock::now() >= *clock_end_; }
  const types::Encoding* client_encoding() const override { return settings_.client_encoding(); }
  void stop_clock() { clock_end_.reset(); }

  // DdlContext
  table::Database& database() override { return engine_.database(); }
  txn::Transaction& transaction() override;
  StatementContext analysis(std::string_view text) override;
  int32_t backend_pid() override { return options_.process_id; }
  bool in_transaction_block() override { return state_ == BlockState::kBlock || implicit_block_; }
  void notice(std::string_view severity, const ErrorInfo& info) override;
  uint64_t copy_rows(AnalyzedQuery query, std::shared_ptr<const catalog::Catalog> catalog,
                     const catalog::Table& target) override;
  bool has_rows(AnalyzedQuery query) override;
  std::optional<std::string> first_text(AnalyzedQuery query) override;
  types::Value evaluate(TypedExpr expression) override;
  std::vector<Oid> parameter_types() override { return ddl_parameters_ ? ddl_parameters_->types : std::vector<Oid>(); }

  // --- For the engine's own files ---

  EngineImpl& engine() { return engine_; }
  Settings& settings() { return settings_; }
  SessionClient& client() { return client_; }
  const SessionOptions& options() const { return options_; }
  std::string current_user() const { return role_; }
  const std::string& session_user() const { return session_user_; }
  BlockState block_state() const { return state_; }
  bool implicit_block() const { return implicit_block_; }

  /// The transaction's catalog, newest. Starts a transaction when there is none.
  std::shared_ptr<const catalog::Catalog> current_catalog();
  /// The catalog the running statement was analysed with.
  const std::shared_ptr<const catalog::Catalog>& statement_catalog() const { return statement_catalog_; }
  void set_statement_catalog(std::shared_ptr<const catalog::Catalog> catalog) {
    statement_catalog_ = std::move(catalog);
  }
  std::shared_ptr<const TableSchema> table_schema(Oid table);
  /// For copy_rows: a table that only `catalog` has.
  std::shared_ptr<const TableSchema> make_schema(const catalog::Catalog& catalog, const catalog::Table& table) const;
  /// Foreign keys of and to a table, by the statement's catalog.
  std::shared_ptr<const ForeignKeys> foreign_keys(Oid table);
  /// What the transaction has still to check.
  ForeignKeyQueue& foreign_key_queue() { return *foreign_key_queue_; }
  /// A part of a WITH is running: its foreign keys are checked with those of the whole statement.
  bool in_with_statement() const { return with_depth_ > 0; }
  class WithPart {
   public:
    explicit WithPart(SessionImpl& session) : session_(session) { ++session_.with_depth_; }
    ~WithPart() { --session_.with_depth_; }

   private:
    SessionImpl& session_;
  };
  /// A DDL statement with parameters is running.
  class DdlParameters {
   public:
    DdlParameters(SessionImpl& session, const Parameters& parameters) : session_(session) {
      session_.ddl_parameters_ = &parameters;
    }
    ~DdlParameters() { session_.ddl_parameters_ = nullptr; }

   private:
    SessionImpl& session_;
  };
  /// The bound expressions of an index, kept while its definition is the same.
  CompiledIndex& compiled_index(const table::TableAccess& table, const table::TableAccess::IndexAccess& index);
  /// Runs a statement of our own inside the present one (foreign keys), as a command of its own. Throws SqlError.
  void run_internal(const std::string& sql, Parameters parameters, RowSink& sink);
  std::vector<std::string> resolved_search_path(const catalog::Catalog& catalog) const;
  Oid temp_schema(const catalog::Catalog& catalog) const;
  types::PhysicalType physical_of_type(Oid type, int32_t typmod);

  void ensure_transaction();
  /// The next command of the transaction; for READ COMMITTED a new snapshot.
  void next_command();
  /// Throws 25006 when the transaction is read-only.
  void check_writable(const char* command);
  /// Throws 25001 / 25P01 like PostgreSQL's PreventInTransactionBlock and RequireTransactionBlock.
  void require_block(const char* command);
  void refuse_in_block(const char* command);
  void require_savepoint_block(const char* command);
  /// As SHOW prints it; knows the transaction's own settings.
  std::optional<std::string> show_setting(std::string_view name) const;
  std::vector<SessionServices::SettingRow> all_settings() const;
  std::vector<SessionServices::Cursor> cursors() const;
  std::vector<SessionServices::Prepared> prepared_statements() const;

  // Transaction control (transaction_control.cc). Each returns the command tag.
  std::string begin_block(std::optional<txn::Isolation> isolation, std::optional<bool> read_only);
  std::string commit_block(bool chain);
  std::string rollback_block(bool chain);
  void define_savepoint(const std::string& name);
  void release_savepoint(const std::string& name);
  void rollback_to_savepoint(const std::string& name);
  Status set_transaction_setting(const std::string& name, std::string* value);

  duckdb::Connection& connection();
  RowCollection& set_row_collection(int64_t number);
  const RowCollection& row_collection(int64_t number) const;
  void drop_row_collection(int64_t number) { collections_.erase(number); }

  /// The small plans (../point/row_plan.h) of the statement that runs, if it has any.
  SmallPlans* small_plans() { return small_plans_; }
  class SmallPlansScope {
   public:
    SmallPlansScope(SessionImpl& session, SmallPlans* plans) : session_(session), outer_(session.small_plans_) {
      session.small_plans_ = plans;
    }
    ~SmallPlansScope() { session_.small_plans_ = outer_; }
    SmallPlansScope(const SmallPlansScope&) = delete;
    SmallPlansScope& operator=(const SmallPlansScope&) = delete;

   private:
    SessionImpl& session_;
    SmallPlans* outer_;
  };

  /// Was it analysed at the present catalog and settings?
  bool is_current(const PreparedStatement& statement);
  /// Analyses (again, when the catalog moved on) and leaves the statement ready to run.
  void ensure_analyzed(PreparedStatement& statement);
  AnalyzedQuery analyze(Node* node, std::string_view text, std::vector<Oid>* parameter_types);
  std::vector<std::shared_ptr<const ParsedStatement>> parse_or_throw(std::string_view sql);
  std::shared_ptr<PreparedStatement> prepare_or_throw(std::shared_ptr<const ParsedStatement> statement,
                                                      const std::vector<Oid>& parameter_types);
  /// A prepared statement of a node inside another statement (EXPLAIN, DECLARE, COPY, PREPARE).
  std::shared_ptr<PreparedStatement> prepare_inner(const ParsedStatement& outer, Node* node,
                                                   const std::vector<Oid>& parameter_types);
  std::unique_ptr<Portal> bind_values(std::shared_ptr<PreparedStatement> statement, Parameters parameters);

  /// Around the execution of one statement: clocks, timeouts, cancellation. Nested ones do nothing.
  class StatementScope {
   public:
    explicit StatementScope(SessionImpl& session);
    ~StatementScope();

   private:
    SessionImpl& session_;
    CurrentSession current_;
    bool outer_;
    uint64_t timer_ = 0;
  };
  void check_cancelled();
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  void interrupt(std::string reason);
  /// The error of a cancelled statement, whatever DuckDB called it.
  Status cancelled_status();
  void flush_notices();
  void queue_notice(std::string_view severity, const ErrorInfo& info);

  int64_t transaction_start_us() const { return transaction_start_us_; }
  int64_t statement_start_us() const { return statement_start_us_; }

  /// Fails the transaction and returns the status, with `text` for positions. Call inside catch (...).
  Status fail_with_current_exception(std::string_view text);
  void check_not_failed(const ParsedStatement* statement);

  // Prepared statements and cursors by name
  std::map<std::string, std::shared_ptr<PreparedStatement>>& prepared() { return prepared_; }
  struct NamedPortal {
    std::unique_ptr<Portal> portal;
    bool cursor = false, hold = false, binary = false, scrollable = false;
    bool kept = false;  // WITH HOLD, and the transaction that declared it is committed
    std::string statement;
    int64_t created_us = 0;
    size_t savepoint_depth = 0;
  };
  std::map<std::string, NamedPortal>& portals() { return portals_; }
  /// Removes a portal that may be the one being executed.
  std::map<std::string, NamedPortal>::iterator bury_portal(std::map<std::string, NamedPortal>::iterator it);
  void bury_portals();
  void discard_all();

  // Sequences, for currval and lastval.
  std::unordered_map<Oid, int64_t>& sequence_values() { return sequence_values_; }
  Oid& last_sequence() { return last_sequence_; }

  ServicesAdapter& services() { return *services_; }
  SessionNeighbours& neighbours() { return *neighbours_; }

 private:
  friend class ServicesAdapter;
  friend class StatementScope;

  struct SavepointMark {
    std::string name;
    txn::Savepoint mark;
    size_t settings_mark;
    std::shared_ptr<const void> foreign_keys;  // ForeignKeyQueue::State
    size_t notify_mark;
    bool read_only;  // of the transaction around it, and again when it ends, either way
  };
  void start_transaction(BlockState state);
  /// Commits transaction_ and leaves kNone. Throws on an error; the transaction is gone in any case.
  void finish_commit();
  void finish_rollback();
  void end_transaction_state();
  /// Of the running transaction.
  void set_read_only(bool read_only);
  /// Back to where the savepoint was.
  void restore(const SavepointMark& mark);
  void drop_transaction_portals(bool commits);

  EngineImpl& engine_;
  const SessionOptions options_;
  std::optional<Timer::Clock::time_point> clock_end_;  // of statement_timeout
  SessionClient& client_;
  Settings settings_;
  std::string session_user_, role_;
  duckdb::shared_ptr<ServicesAdapter> services_;
  std::unique_ptr<SessionTypeCatalog> type_catalog_;
  std::unique_ptr<SessionNeighbours> neighbours_;
  std::unique_ptr<FileTables> files_;
  duckdb::unique_ptr<duckdb::Connection> connection_;

  BlockState state_ = BlockState::kNone;
  bool implicit_block_ = false;
  std::unique_ptr<txn::Transaction> transaction_;
  bool statement_ran_ = false;  // in this transaction: SET TRANSACTION comes too late
  txn::Isolation isolation_ = txn::Isolation::kReadCommitted;
  bool read_only_ = false;
  std::vector<SavepointMark> savepoints_;
  int64_t transaction_start_us_ = 0, statement_start_us_ = 0;

  std::shared_ptr<const catalog::Catalog> statement_catalog_;
  std::unordered_map<Oid, std::shared_ptr<const TableSchema>> schemas_;
  uint64_t schemas_version_ = 0;
  std::unordered_map<Oid, std::shared_ptr<const ForeignKeys>> foreign_keys_;
  uint64_t foreign_keys_version_ = UINT64_MAX;
  std::unique_ptr<ForeignKeyQueue> foreign_key_queue_;
  int with_depth_ = 0;
  const Parameters* ddl_parameters_ = nullptr;
  struct IndexEntry {
    std::string definition;
    std::unique_ptr<CompiledIndex> compiled;
  };
  std::unordered_map<Oid, IndexEntry> compiled_indexes_;
  std::unordered_map<std::string, std::shared_ptr<PreparedStatement>>
      internal_statements_;  // by text and parameter types
  std::map<int64_t, RowCollection> collections_;
  SmallPlans* small_plans_ = nullptr;

  std::map<std::string, std::shared_ptr<PreparedStatement>> prepared_;
  bool preparing_simple_ = false;  // what is analysed meanwhile has no parameters
  std::map<std::string, NamedPortal> portals_;
  std::vector<std::unique_ptr<Portal>>
      dead_portals_;  // COMMIT may end the very portal it runs in; freed at the next statement
  std::unique_ptr<PlanCache> plan_cache_;
  std::unordered_map<Oid, int64_t> sequence_values_;
  Oid last_sequence_;

  int statement_depth_ = 0;
  std::atomic<bool> cancelled_{false};
  Mutex interrupt_mutex_;
  bool running_ GUARDED_BY(interrupt_mutex_) = false;
  std::string cancel_reason_ GUARDED_BY(interrupt_mutex_);
  SqlState cancel_code_ GUARDED_BY(interrupt_mutex_) = SqlState::kQueryCanceled;
  Mutex notices_mutex_;
  std::vector<std::pair<std::string, ErrorInfo>> notices_ GUARDED_BY(notices_mutex_);
};

/// SessionServices over a SessionImpl.
class ServicesAdapter final : public EngineServices {
 public:
  explicit ServicesAdapter(SessionImpl& session) : session_(session) {}
  table::Database& database() override { return session_.database(); }
  txn::Transaction& transaction() override { return session_.transaction(); }
  std::shared_ptr<const catalog::Catalog> catalog() override { return session_.statement_catalog(); }
  std::shared_ptr<const table::TableAccess> table_access(Oid table) override {
    return session_.table_schema(table)->access;
  }
  const types::IoContext& io() override { return session_.settings().io(); }
  int64_t transaction_start_us() override { return session_.transaction_start_us(); }
  int64_t statement_start_us() override { return session_.statement_start_us(); }
  int64_t clock_us() override;
  std::string current_user() override { return session_.current_user(); }
  std::string session_user() override { return session_.session_user(); }
  std::string database_name() override { return session_.options().database; }
  int32_t backend_pid() override { return session_.options().process_id; }
  std::vector<std::string> search_path() override;
  Oid temp_schema() override;
  std::optional<std::string> get_setting(std::string_view name) override { return session_.show_setting(name); }
  Status set_setting(std::string_view name, std::string_view value, bool is_local) override;
  std::vector<SettingRow> all_settings() override { return session_.all_settings(); }
  std::vector<Cursor> cursors() override { return session_.cursors(); }
  std::vector<Prepared> prepared_statements() override { return session_.prepared_statements(); }
  int64_t sequence_nextval(Oid sequence) override;
  int64_t sequence_currval(Oid sequence) override;
  int64_t sequence_lastval() override;
  void sequence_setval(Oid sequence, int64_t value, bool is_called) override;
  Neighbours& neighbours() override;
  void notice(std::string_view severity, const ErrorInfo& info) override { session_.queue_notice(severity, info); }
  void check_cancelled() override { session_.check_cancelled(); }

  std::shared_ptr<const TableSchema> table_schema(Oid table) override { return session_.table_schema(table); }
  const RowCollection& row_collection(int64_t number) override { return session_.row_collection(number); }
  std::shared_ptr<const TableStatistics> statistics(const TableSchema& schema) override {
    return session_.engine().table_statistics().get(session_.database(), session_.transaction(), *schema.access);
  }
  int scan_threads() const override { return session_.engine().duck().threads(); }

 private:
  const catalog::Sequence& find_sequence(Oid sequence);
  SessionImpl& session_;
  Mutex mutex_;  // sequences: tasks of one statement run in parallel
};

}  // namespace omendb::sql
