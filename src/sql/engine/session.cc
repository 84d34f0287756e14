#include <algorithm>

#include "sql/columnar/column_store.h"
#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"
#include "sql/engine/file_tables.h"
#include "sql/engine/foreign_keys.h"
#include "sql/engine/neighbourhood.h"
#include "sql/engine/plan_cache.h"
#include "sql/engine/portal.h"
#include "sql/engine/route_counters.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/type_catalog.h"
#include "sql/engine/utility.h"

namespace omendb::sql {
namespace {}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(table::Database& database, const EngineOptions& options) {
  std::unique_ptr<Engine> engine;
  Status status = guarded("", [&] { engine = std::make_unique<EngineImpl>(database, options); });
  if (!status.ok()) return status;
  return engine;
}

EngineImpl::EngineImpl(table::Database& database, const EngineOptions& options)
    : database_(database),
      duck_(options),
      columns_(std::make_unique<ColumnStore>(database, duck_.instance(),
                                             ColumnStore::Options{.directory = options.columns_directory,
                                                                  .release = options.release,
                                                                  .threads = static_cast<size_t>(duck_.threads()),
                                                                  .stands_back = options.stand_back,
                                                                  .places_max = duck_.memory_bytes() / 4,
                                                                  .reserved_max = duck_.memory_bytes() / 4,
                                                                  .warn = options.warn})),
      neighbourhood_(std::make_unique<Neighbourhood>(options.backends)) {
  database_.set_index_evaluator(&index_evaluator_);
}

std::vector<std::pair<std::string, uint64_t>> EngineImpl::statistics() { return engine_counters(*columns_); }

EngineImpl::~EngineImpl() { database_.set_index_evaluator(nullptr); }

Result<std::unique_ptr<Session>> EngineImpl::open_session(const SessionOptions& options, SessionClient& client) {
  std::unique_ptr<SessionImpl> session;
  Status status = guarded("", [&] { session = std::make_unique<SessionImpl>(*this, options, client); });
  if (status.ok()) status = session->start();
  if (!status.ok()) return status;
  return std::unique_ptr<Session>(std::move(session));
}

SessionImpl::SessionImpl(EngineImpl& engine, const SessionOptions& options, SessionClient& client)
    : engine_(engine),
      options_(options),
      client_(client),
      session_user_(options.user),
      role_(options.user),
      plan_cache_(std::make_unique<PlanCache>()) {
  services_ = duckdb::make_shared_ptr<ServicesAdapter>(*this);
  type_catalog_ = std::make_unique<SessionTypeCatalog>(*this);
  files_ = std::make_unique<FileTables>(*this);
  foreign_key_queue_ = std::make_unique<ForeignKeyQueue>();
  neighbours_ = std::make_unique<SessionNeighbours>(*this, engine.neighbourhood());
  settings_.mutable_io().catalog = type_catalog_.get();
  settings_.force("session_authorization", session_user_);
}

Status SessionImpl::start() {
  for (const auto& [name, value] : options_.settings) RETURN_IF_ERROR(settings_.set_default(name, value));
  settings_.on_set = [this](const std::string& name, std::string* value) {
    return set_transaction_setting(name, value);
  };
  settings_.take_changed();
  if (options_.database != "postgres") {  // a data directory is one database
    return Status(SqlState::kInvalidCatalogName, "database \"" + options_.database + "\" does not exist");
  }
  return guarded("", [&] {
    const auto catalog = current_catalog();
    const catalog::Role* role = catalog->find_role(options_.user);
    if (role == nullptr) {
      throw SqlError(SqlState::kInvalidAuthorizationSpecification, "role \"" + options_.user + "\" does not exist");
    }
    settings_.force("is_superuser", role->superuser ? "on" : "off");
    finish_rollback();
  });
}

SessionImpl::~SessionImpl() {
  try {
    portals_.clear();
    if (transaction_ || state_ != BlockState::kNone) finish_rollback();
    // Temporary tables go with the session.
    const auto catalog = current_catalog();
    if (temp_schema(*catalog) != kInvalidOid) {
      next_command();
      drop_temp_objects(*this);
      finish_commit();
    } else {
      finish_rollback();
    }
  } catch (...) {
    // Nobody is left to be told; the next start removes what stayed.
    if (transaction_) engine_.database().rollback(*transaction_);
  }
  connection_.reset();
}

std::vector<Notification> SessionImpl::take_notifications() { return neighbours_->take(); }
bool SessionImpl::has_notifications() const { return neighbours_->waiting_notifications(); }
void SessionImpl::on_notification(std::function<void()> wake) { neighbours_->on_arrival(std::move(wake)); }

// --- Preparing ---

Result<std::vector<std::shared_ptr<const ParsedStatement>>> SessionImpl::parse(std::string_view sql) {
  try {
    return parse_or_throw(sql);
  } catch (...) {
    return fail_with_current_exception(sql);
  }
}

std::vector<std::shared_ptr<const ParsedStatement>> SessionImpl::parse_or_throw(std::string_view sql) {
  if (auto known = plan_cache_->find(sql)) return {known->parsed};
  if (auto known = plan_cache_->find_control(sql)) return {known};
  std::vector<std::shared_ptr<const ParsedStatement>> result;
  auto tree = std::make_shared<const ParseTree>(sql);
  auto text = std::make_shared<const std::string>(sql);
  for (const auto& statement : tree->statements()) {
    auto parsed = std::make_shared<ParsedStatement>();
    parsed->tree = tree;
    parsed->text = text;
    parsed->node = statement.node;
    parsed->location = statement.location;
    parsed->length = statement.length;
    parsed->alone = tree->statements().size() == 1;
    result.push_back(std::move(parsed));
  }
  if (result.size() == 1 && is_transaction_control(result[0]->node)) plan_cache_->keep_control(result[0]);
  return result;
}

Result<std::shared_ptr<PreparedStatement>> SessionImpl::prepare(std::shared_ptr<const ParsedStatement> statement,
                                                                const std::vector<Oid>& parameter_types) {
  const auto text =
      statement != nullptr ? statement->text : nullptr;  // outlives the statement, for the error's position
  try {
    return prepare_or_throw(std::move(statement), parameter_types);
  } catch (...) {
    return fail_with_current_exception(text != nullptr ? std::string_view(*text) : std::string_view());
  }
}

Result<std::shared_ptr<PreparedStatement>> SessionImpl::prepare_simple(
    std::shared_ptr<const ParsedStatement> statement) {
  preparing_simple_ = true;
  auto prepared = prepare(std::move(statement), {});
  preparing_simple_ = false;
  return prepared;
}

void SessionImpl::check_not_failed(const ParsedStatement* statement) {
  if (state_ != BlockState::kFailed) return;
  if (statement != nullptr && ends_failed_transaction(statement->node)) return;
  throw SqlError(SqlState::kInFailedSqlTransaction,
                 "current transaction is aborted, commands ignored until end of transaction block");
}

std::shared_ptr<PreparedStatement> SessionImpl::prepare_or_throw(std::shared_ptr<const ParsedStatement> statement,
                                                                 const std::vector<Oid>& parameter_types) {
  if (statement == nullptr) return std::make_shared<PreparedStatement>();
  check_not_failed(statement.get());

  const bool cacheable = statement->alone && parameter_types.empty();
  if (cacheable) {
    // An outdated one may be held by a client who was told its columns: it is not analysed again for another.
    if (auto cached = plan_cache_->find(*statement->text);
        cached != nullptr && is_current(*cached) && !(preparing_simple_ && !cached->parameter_types.empty())) {
      statement_catalog_ = current_catalog();
      return cached;
    }
  }
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->parsed = std::move(statement);
  prepared->given_types = parameter_types;
  prepared->prepared_at_us = clock_now_us();
  if (is_query(prepared->parsed->node)) {
    prepared->kind = StatementKind::kQuery;
    ensure_analyzed(*prepared);
    if (cacheable) plan_cache_->keep(prepared);
  } else {
    prepared->kind = StatementKind::kUtility;
    if (!is_transaction_control(prepared->parsed->node)) ensure_transaction();
    describe_utility(*this, *prepared);
  }
  return prepared;
}

std::shared_ptr<PreparedStatement> SessionImpl::prepare_inner(const ParsedStatement& outer, Node* node,
                                                              const std::vector<Oid>& parameter_types) {
  auto parsed = std::make_shared<ParsedStatement>(outer);
  parsed->node = node;
  parsed->alone = false;
  return prepare_or_throw(std::move(parsed), parameter_types);
}

AnalyzedQuery SessionImpl::analyze(Node* node, std::string_view text, std::vector<Oid>* parameter_types) {
  StatementContext context = analysis(text);
  context.parameter_types = *parameter_types;
  context.parameters_fixed = preparing_simple_;
  AnalyzedQuery query = analyze_query(context, node);
  *parameter_types = context.parameter_types;
  return query;
}

bool SessionImpl::is_current(const PreparedStatement& statement) {
  return statement.query && statement.settings_version == settings_.version() &&
         statement.catalog_version == current_catalog()->version();
}

void SessionImpl::ensure_analyzed(PreparedStatement& statement) {
  if (statement.kind != StatementKind::kQuery) return;
  const auto catalog = current_catalog();
  statement_catalog_ = catalog;
  if (is_current(statement)) return;
  const bool again = statement.query != nullptr;
  std::vector<Oid> types = again ? statement.parameter_types : statement.given_types;
  auto query = std::make_shared<AnalyzedQuery>(analyze(statement.parsed->node, statement.text(), &types));
  if (cursor_named(statement.parsed->node) != nullptr) types.pop_back();  // the key, which the portal gives
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == kInvalidOid || types[i] == types::oid::kUnknown) {
      throw SqlError(SqlState::kIndeterminateDatatype,
                     "could not determine data type of parameter $" + std::to_string(i + 1));
    }
  }
  const bool returns_rows = query->kind == QueryKind::kSelect || query->has_returning;
  if (again) {
    const bool same = returns_rows == statement.returns_rows &&
                      std::equal(query->outputs.begin(), query->outputs.end(), statement.columns.begin(),
                                 statement.columns.end(), [](const ColumnDescription& a, const ColumnDescription& b) {
                                   return a.type == b.type && a.typmod == b.typmod && a.name == b.name;
                                 });
    if (!same) throw result_type_changed();
  }
  statement.returns_rows = returns_rows;
  statement.columns = query->outputs;
  statement.parameter_types = std::move(types);
  statement.query = std::move(query);
  statement.catalog_version = catalog->version();
  statement.settings_version = settings_.version();
  statement.point = nullptr;
  statement.point_tried = false;
}

const std::vector<Oid>& SessionImpl::parameter_types(const PreparedStatement& statement) const {
  return statement.parameter_types;
}

const std::vector<ColumnDescription>* SessionImpl::result_columns(const PreparedStatement& statement) const {
  return statement.returns_rows ? &statement.columns : nullptr;
}

Result<std::unique_ptr<Portal>> SessionImpl::bind(std::shared_ptr<PreparedStatement> statement,
                                                  const std::vector<ParameterValue>& values) {
  const std::string text(statement->text());
  try {
    check_not_failed(statement->parsed.get());
    if (values.size() != statement->parameter_types.size()) {
      throw SqlError(SqlState::kProtocolViolation, "bind message supplies " + std::to_string(values.size()) +
                                                       " parameters, but prepared statement \"\" requires " +
                                                       std::to_string(statement->parameter_types.size()));
    }
    Parameters parameters;
    parameters.types = statement->parameter_types;
    parameters.values.resize(values.size());
    if (!values.empty()) {
      statement_catalog_ = current_catalog();  // input functions of enums, domains and reg* look things up
      types::IoContext io = settings_.io();
      io.now_us = transaction_start_us_;
      for (size_t i = 0; i < values.size(); ++i) {
        const Oid type = parameters.types[i];
        parameters.physical.push_back(physical_of_type(type, -1));
        // The value lies as one of the type below the domains.
        int32_t typmod = -1;
        for (Oid base = type; base != kInvalidOid; base = type_catalog_->base_type(base, &typmod))
          parameters.types[i] = base;
        Status taken = values[i].null     ? types::input_null(type, io)
                       : values[i].binary ? types::receive(type, -1, values[i].bytes, io, &parameters.values[i])
                                          : types::input(type, -1, values[i].bytes, io, &parameters.values[i]);
        if (taken.ok()) continue;
        ErrorInfo info = taken.info();
        const std::string number = std::to_string(i + 1);
        if (info.message == "incorrect binary data format") info.message += " in bind parameter " + number;
        // PostgreSQL hides the value, unless log_parameter_max_length_on_error says otherwise.
        info.context = "parameter $" + number + (values[i].binary || values[i].null ? "" : " = '...'");
        throw SqlError(std::move(info));
      }
    }
    ensure_analyzed(*statement);  // before its result is described
    return bind_values(std::move(statement), std::move(parameters));
  } catch (...) {
    return fail_with_current_exception(text);
  }
}

std::unique_ptr<Portal> SessionImpl::bind_values(std::shared_ptr<PreparedStatement> statement, Parameters parameters) {
  auto portal = std::make_unique<PortalImpl>(*this, std::move(statement), std::move(parameters));
  portal->describe_again();
  return portal;
}

types::PhysicalType SessionImpl::physical_of_type(Oid type, int32_t typmod) {
  if (types::find_type(type) != nullptr) return types::physical_type(type, typmod);
  StatementContext context = analysis("");
  return physical_of(context, type, typmod);
}

StatementContext SessionImpl::analysis(std::string_view text) {
  StatementContext context;
  context.catalog = current_catalog();
  context.search_path = resolved_search_path(*context.catalog);
  context.current_user = role_;
  context.database_name = options_.database;
  context.temp_schema = temp_schema(*context.catalog);
  context.io = &settings_.io();
  settings_.mutable_io().now_us = transaction_start_us_;
  context.text = text;
  context.parameters_fixed = true;  // none; queries that may have some say so
  context.files = files_.get();
  context.notice = [this](std::string_view severity, const ErrorInfo& info) { queue_notice(severity, info); };
  return context;
}

std::vector<std::string> SessionImpl::resolved_search_path(const catalog::Catalog& catalog) const {
  std::vector<std::string> path;
  bool named_pg_catalog = false;
  for (const auto& name : settings_.search_path()) {
    if (name == "$user") {
      if (catalog.find_schema(role_) != nullptr) path.push_back(role_);
    } else if (name == "pg_temp") {
      path.push_back(temp_schema_name(options_.process_id));
    } else {
      named_pg_catalog = named_pg_catalog || name == "pg_catalog";
      path.push_back(name);
    }
  }
  if (!named_pg_catalog) path.insert(path.begin(), "pg_catalog");
  return path;
}

Oid SessionImpl::temp_schema(const catalog::Catalog& catalog) const {
  const catalog::Schema* schema = catalog.find_schema(temp_schema_name(options_.process_id));
  return schema == nullptr ? kInvalidOid : schema->oid;
}

std::shared_ptr<const TableSchema> SessionImpl::make_schema(const catalog::Catalog& catalog,
                                                            const catalog::Table& table) const {
  return std::make_shared<const TableSchema>(catalog, std::make_shared<const table::TableAccess>(catalog, table));
}

std::shared_ptr<const TableSchema> SessionImpl::table_schema(Oid oid) {
  const auto& catalog = statement_catalog_;
  if (schemas_version_ != catalog->version()) {
    schemas_.clear();
    schemas_version_ = catalog->version();
  }
  auto& schema = schemas_[oid];
  if (schema == nullptr) {
    const auto* table = catalog->find<catalog::Table>(oid);
    if (table == nullptr) {
      schemas_.erase(oid);
      throw SqlError(SqlState::kUndefinedTable, "relation with OID " + std::to_string(oid.value) + " does not exist");
    }
    schema = make_schema(*catalog, *table);
  }
  return schema;
}

std::shared_ptr<const ForeignKeys> SessionImpl::foreign_keys(Oid table) {
  if (foreign_keys_version_ != statement_catalog_->version()) {
    foreign_keys_.clear();
    foreign_keys_version_ = statement_catalog_->version();
    std::unordered_map<Oid, std::shared_ptr<ForeignKeys>> found;
    auto of = [&](Oid oid) -> ForeignKeys& {
      auto& entry = found[oid];
      if (entry == nullptr) entry = std::make_shared<ForeignKeys>();
      return *entry;
    };
    statement_catalog_->for_each([&](const catalog::Object& object) {
      const auto* owner = std::get_if<catalog::Table>(&object);
      if (owner == nullptr) return;
      for (const auto& constraint : owner->constraints) {
        if (constraint.kind != catalog::Constraint::Kind::kForeignKey) continue;
        of(owner->oid).own.push_back(constraint);
        of(constraint.referenced_table).referencing.push_back({owner->oid, constraint});
      }
    });
    for (auto& [oid, keys] : found) foreign_keys_.emplace(oid, std::move(keys));
  }
  auto it = foreign_keys_.find(table);
  return it == foreign_keys_.end() ? nullptr : it->second;
}

CompiledIndex& SessionImpl::compiled_index(const table::TableAccess& table,
                                           const table::TableAccess::IndexAccess& index) {
  std::string definition = std::to_string(table.layout().column_count()) + index.index.predicate_sql;
  for (const auto& key : index.index.keys) definition += "\n" + key.expression_sql;
  IndexEntry& entry = compiled_indexes_[index.index.oid];
  if (entry.compiled == nullptr || entry.definition != definition) {
    entry.compiled = CompiledIndex::compile(*this, table, index);
    entry.definition = std::move(definition);
  }
  return *entry.compiled;
}

void SessionImpl::run_internal(const std::string& sql, Parameters parameters, RowSink& sink) {
  const auto outer_catalog = statement_catalog_;
  std::string key = sql;
  for (Oid type : parameters.types) key += "," + std::to_string(type.value);
  auto& prepared = internal_statements_[key];
  if (prepared == nullptr) {
    auto parsed = value_or_throw(parse(sql));
    auto made = std::make_shared<PreparedStatement>();
    made->parsed = parsed.at(0);
    made->given_types = parameters.types;
    made->kind = StatementKind::kQuery;
    prepared = std::move(made);
  }
  ensure_analyzed(*prepared);
  PortalImpl portal(*this, prepared, std::move(parameters));
  portal.execute_or_throw(0, sink);
  statement_catalog_ = outer_catalog;
}

// --- By name ---

Status SessionImpl::store_prepared(const std::string& name, std::shared_ptr<PreparedStatement> statement) {
  if (!name.empty() && prepared_.count(name) > 0) {
    fail();
    return Status(SqlState::kDuplicatePstatement, "prepared statement \"" + name + "\" already exists");
  }
  prepared_[name] = std::move(statement);
  return Status();
}

Result<std::shared_ptr<PreparedStatement>> SessionImpl::find_prepared(const std::string& name) {
  auto it = prepared_.find(name);
  if (it == prepared_.end()) {
    fail();
    return Status(SqlState::kInvalidSqlStatementName, name.empty()
                                                          ? "unnamed prepared statement does not exist"
                                                          : "prepared statement \"" + name + "\" does not exist");
  }
  return it->second;
}

void SessionImpl::close_prepared(const std::string& name) { prepared_.erase(name); }

Status SessionImpl::store_portal(const std::string& name, std::unique_ptr<Portal> portal) {
  if (!name.empty() && portals_.count(name) > 0) {
    fail();
    return Status(SqlState::kDuplicateCursor, "cursor \"" + name + "\" already exists");
  }
  NamedPortal& named = portals_[name];
  named = NamedPortal();
  named.portal = std::move(portal);
  named.created_us = statement_start_us_;
  named.savepoint_depth = savepoints_.size();
  return Status();
}

Result<Portal*> SessionImpl::find_portal(const std::string& name) {
  auto it = portals_.find(name);
  if (it == portals_.end()) {
    fail();
    return Status(SqlState::kInvalidCursorName, "portal \"" + name + "\" does not exist");
  }
  if (it->second.portal == nullptr) {
    return Status(SqlState::kInFailedSqlTransaction,
                  "current transaction is aborted, commands ignored until end of transaction block");
  }
  return it->second.portal.get();
}

void SessionImpl::close_portal(const std::string& name) { portals_.erase(name); }

std::map<std::string, SessionImpl::NamedPortal>::iterator SessionImpl::bury_portal(
    std::map<std::string, NamedPortal>::iterator it) {
  dead_portals_.push_back(std::move(it->second.portal));
  return portals_.erase(it);
}

void SessionImpl::bury_portals() {
  for (auto it = portals_.begin(); it != portals_.end();) it = bury_portal(it);
}

void SessionImpl::discard_all() {
  bury_portals();
  prepared_.clear();
  plan_cache_->clear();
  sequence_values_.clear();
  last_sequence_ = kInvalidOid;
  neighbours_->unlisten("");
  neighbours_->unlock_all();
  settings_.reset_all();
}

// --- Errors, cancellation, notices ---

Status SessionImpl::fail_with_current_exception(std::string_view text) {
  Status status = status_of_exception(text);
  if (cancelled() && (status.is(SqlState::kQueryCanceled) || status.is(SqlState::kInternalError))) {
    status = cancelled_status();
  }
  fail();
  return status;
}

Status SessionImpl::cancelled_status() {
  MutexLock lock(interrupt_mutex_);
  return Status(cancel_code_, cancel_reason_.empty() ? "canceling statement due to user request" : cancel_reason_);
}

void SessionImpl::interrupt(std::string reason) {
  MutexLock lock(interrupt_mutex_);
  if (!running_ || cancelled_) return;
  cancel_reason_ = std::move(reason);
  cancel_code_ = SqlState::kQueryCanceled;
  cancelled_ = true;
  if (connection_) connection_->context->Interrupt();
  if (transaction_) transaction_->cancel();
}

void SessionImpl::check_cancelled() {
  if (cancelled()) throw SqlError(cancelled_status());
}

void SessionImpl::start_clock() {
  const int64_t timeout = settings_.statement_timeout_ms();
  if (timeout <= 0) {
    clock_end_.reset();
  } else if (!clock_end_) {
    clock_end_ = Timer::Clock::now() + std::chrono::milliseconds(timeout);
  }
}

SessionImpl::StatementScope::StatementScope(SessionImpl& session)
    : session_(session), current_(&session), outer_(session.statement_depth_++ == 0) {
  if (!outer_) return;
  session.dead_portals_.clear();
  session.statement_start_us_ = clock_now_us();
  {
    MutexLock lock(session.interrupt_mutex_);
    session.cancelled_ = false;
    session.running_ = true;
  }
  session.start_clock();
  if (session.clock_end_) {
    timer_ = session.engine_.timer().schedule(
        *session.clock_end_, [&session] { session.interrupt("canceling statement due to statement timeout"); });
  }
}

SessionImpl::StatementScope::~StatementScope() {
  --session_.statement_depth_;
  if (!outer_) return;
  if (timer_ != 0) session_.engine_.timer().cancel(timer_);
  bool was_cancelled;
  {
    MutexLock lock(session_.interrupt_mutex_);
    session_.running_ = false;
    was_cancelled = session_.cancelled_;
    if (was_cancelled && session_.transaction_) session_.transaction_->clear_cancel();
  }
  session_.flush_notices();
  session_.neighbours_->note_idle(static_cast<char>(session_.transaction_state()));
}

void SessionImpl::notice(std::string_view severity, const ErrorInfo& info) { queue_notice(severity, info); }

void SessionImpl::queue_notice(std::string_view severity, const ErrorInfo& info) {
  if (severity != "INFO" && notice_rank(severity) < settings_.client_min_messages()) return;
  MutexLock lock(notices_mutex_);
  notices_.emplace_back(severity, info);
}

void SessionImpl::flush_notices() {
  std::vector<std::pair<std::string, ErrorInfo>> notices;
  {
    MutexLock lock(notices_mutex_);
    notices.swap(notices_);
  }
  for (const auto& [severity, info] : notices) client_.notice(severity, info);
}

duckdb::Connection& SessionImpl::connection() {
  if (connection_ == nullptr) {
    auto connection = engine_.duck().connect(services_);
    connection->context->registered_state->Insert(ColumnStatement::kKey,
                                                  duckdb::make_shared_ptr<ColumnStatement>(engine_.columns()));
    MutexLock lock(interrupt_mutex_);
    connection_ = std::move(connection);
  }
  return *connection_;
}

RowCollection& SessionImpl::set_row_collection(int64_t number) {
  RowCollection& collection = collections_[number];
  collection = RowCollection();
  return collection;
}

const RowCollection& SessionImpl::row_collection(int64_t number) const {
  auto it = collections_.find(number);
  if (it == collections_.end()) throw SqlError(SqlState::kInternalError, "no such row collection");
  return it->second;
}

// --- What DuckDB's functions ask ---

Neighbours& ServicesAdapter::neighbours() { return session_.neighbours(); }
int64_t ServicesAdapter::clock_us() { return clock_now_us(); }

std::vector<std::string> ServicesAdapter::search_path() { return session_.resolved_search_path(*catalog()); }
Oid ServicesAdapter::temp_schema() { return session_.temp_schema(*catalog()); }

Status ServicesAdapter::set_setting(std::string_view name, std::string_view value, bool is_local) {
  return session_.settings().set(std::string(name), std::string(value), is_local);
}

const catalog::Sequence& ServicesAdapter::find_sequence(Oid oid) {
  const auto* sequence = session_.statement_catalog()->find<catalog::Sequence>(oid);
  if (sequence == nullptr) {
    throw SqlError(SqlState::kUndefinedTable, "relation with OID " + std::to_string(oid.value) + " does not exist");
  }
  return *sequence;
}

int64_t ServicesAdapter::sequence_nextval(Oid oid) {
  const auto& sequence = find_sequence(oid);
  if (session_.transaction().read_only()) {
    throw SqlError(SqlState::kReadOnlySqlTransaction, "cannot execute nextval() in a read-only transaction");
  }
  const int64_t value = value_or_throw(database().sequence_next(sequence));
  MutexLock lock(mutex_);
  session_.sequence_values()[oid] = value;
  session_.last_sequence() = oid;
  return value;
}

int64_t ServicesAdapter::sequence_currval(Oid oid) {
  const auto& sequence = find_sequence(oid);
  MutexLock lock(mutex_);
  auto it = session_.sequence_values().find(oid);
  if (it == session_.sequence_values().end()) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   "currval of sequence \"" + sequence.name + "\" is not yet defined in this session");
  }
  return it->second;
}

int64_t ServicesAdapter::sequence_lastval() {
  MutexLock lock(mutex_);
  if (session_.last_sequence() == kInvalidOid ||
      session_.statement_catalog()->find<catalog::Sequence>(session_.last_sequence()) == nullptr) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState, "lastval is not yet defined in this session");
  }
  return session_.sequence_values()[session_.last_sequence()];
}

void ServicesAdapter::sequence_setval(Oid oid, int64_t value, bool is_called) {
  const auto& sequence = find_sequence(oid);
  if (session_.transaction().read_only()) {
    throw SqlError(SqlState::kReadOnlySqlTransaction, "cannot execute setval() in a read-only transaction");
  }
  if (value < sequence.min || value > sequence.max) {
    throw SqlError(SqlState::kNumericValueOutOfRange,
                   "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" + sequence.name +
                       "\" (" + std::to_string(sequence.min) + ".." + std::to_string(sequence.max) + ")");
  }
  throw_if_error(database().sequence_set(sequence, value, is_called));
  MutexLock lock(mutex_);
  if (is_called) session_.sequence_values()[oid] = value;
}

}  // namespace omendb::sql
