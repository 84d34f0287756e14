// BEGIN to COMMIT: the session's transaction states (session_impl.h).
#include "sql/engine/error_mapping.h"
#include "sql/engine/foreign_keys.h"
#include "sql/engine/neighbourhood.h"
#include "sql/engine/plan_cache.h"
#include "sql/engine/portal.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/type_catalog.h"
#include "sql/engine/unique_checks.h"
#include "table/serializable.h"

namespace omendb::sql {
namespace {

txn::Isolation parse_isolation(const std::string& text) {
  if (text == "serializable") return txn::Isolation::kSerializable;
  if (text == "repeatable read") return txn::Isolation::kRepeatableRead;
  if (text == "read uncommitted") return txn::Isolation::kReadUncommitted;
  return txn::Isolation::kReadCommitted;
}

const char* isolation_text(txn::Isolation isolation) {
  switch (isolation) {
    case txn::Isolation::kSerializable: return "serializable";
    case txn::Isolation::kRepeatableRead: return "repeatable read";
    case txn::Isolation::kReadUncommitted: return "read uncommitted";
    case txn::Isolation::kReadCommitted: return "read committed";
  }
  return "read committed";
}

}  // namespace

txn::Transaction& SessionImpl::transaction() {
  CHECK(transaction_ != nullptr);
  return *transaction_;
}

void SessionImpl::start_transaction(BlockState state) {
  CHECK(transaction_ == nullptr);
  isolation_ = parse_isolation(settings_.default_isolation());
  read_only_ = settings_.default_read_only();
  auto transaction = engine_.database().begin(isolation_, read_only_);
  transaction->set_lock_timeout_us(settings_.lock_timeout_ms() * 1000);
  transaction->set_process_id(options_.process_id);
  transaction->set_deadlock_timeout_us(settings_.deadlock_timeout_ms() * 1000);
  {
    MutexLock lock(interrupt_mutex_);
    transaction_ = std::move(transaction);
  }
  state_ = state;
  statement_ran_ = false;
  transaction_start_us_ = clock_now_us();
  settings_.mutable_io().now_us = transaction_start_us_;
}

void SessionImpl::ensure_transaction() {
  if (transaction_ == nullptr) {
    if (state_ == BlockState::kFailed) {
      throw SqlError(SqlState::kInFailedSqlTransaction,
                     "current transaction is aborted, commands ignored until end of transaction block");
    }
    start_transaction(BlockState::kImplicit);
  }
}

std::shared_ptr<const catalog::Catalog> SessionImpl::current_catalog() {
  ensure_transaction();
  return engine_.database().catalog(*transaction_);
}

void SessionImpl::next_command() {
  ensure_transaction();
  statement_ran_ = true;
  if (settings_.lock_timeout_ms() >= 0) transaction_->set_lock_timeout_us(settings_.lock_timeout_ms() * 1000);
  transaction_->set_deadlock_timeout_us(settings_.deadlock_timeout_ms() * 1000);
  if (isolation_ != txn::Isolation::kSerializable) return engine_.database().begin_statement(*transaction_);
  if (read_only_ && !transaction_->has_snapshot())
    table::set_deferrable(*transaction_, show_setting("transaction_deferrable") == "on");
  engine_.database().begin_statement(*transaction_);
  check_cancelled();  // a deferrable one may have waited
}

void SessionImpl::check_writable(const char* command) {
  if (transaction_->read_only()) {
    throw SqlError(SqlState::kReadOnlySqlTransaction,
                   std::string("cannot execute ") + command + " in a read-only transaction");
  }
}

void SessionImpl::require_block(const char* command) {
  if (!in_transaction_block()) {
    throw SqlError(SqlState::kNoActiveSqlTransaction, std::string(command) + " can only be used in transaction blocks");
  }
}

void SessionImpl::require_savepoint_block(const char* command) {
  // The implicit block of a string of statements will not do.
  if (state_ != BlockState::kBlock) {
    throw SqlError(SqlState::kNoActiveSqlTransaction, std::string(command) + " can only be used in transaction blocks");
  }
}

void SessionImpl::refuse_in_block(const char* command) {
  if (in_transaction_block()) {
    throw SqlError(SqlState::kActiveSqlTransaction, std::string(command) + " cannot run inside a transaction block");
  }
}

TransactionState SessionImpl::transaction_state() const {
  switch (state_) {
    case BlockState::kBlock: return TransactionState::kInTransaction;
    case BlockState::kFailed: return TransactionState::kFailed;
    default: return TransactionState::kIdle;
  }
}

void SessionImpl::drop_transaction_portals(bool commits) {
  for (auto it = portals_.begin(); it != portals_.end();) {
    if (it->second.kept || (commits && it->second.hold)) {
      ++it;
    } else {
      it = bury_portal(it);
    }
  }
}

void SessionImpl::end_transaction_state() {
  {
    MutexLock lock(interrupt_mutex_);
    transaction_.reset();
  }
  savepoints_.clear();
  collections_.clear();
  *foreign_key_queue_ = ForeignKeyQueue();
  neighbours_->rolled_back();  // what a commit published is gone from it already
  state_ = BlockState::kNone;
}

void SessionImpl::finish_commit() {
  CHECK(transaction_ != nullptr);
  try {
    fire_deferred_foreign_keys(*this);
    fire_deferred_unique_checks(*this, true);
    if (transaction_->has_writes()) run_on_commit_actions(*this);
  } catch (...) {
    finish_rollback();
    throw;
  }
  drop_transaction_portals(true);
  Status status = engine_.database().commit(*transaction_);
  if (status.ok()) {
    settings_.commit();
    neighbours_->committed();
    for (auto& [name, named] : portals_) {
      named.kept = true;
      named.savepoint_depth = 0;
    }
  } else {
    settings_.rollback();
    drop_transaction_portals(false);
  }
  end_transaction_state();
  throw_if_error(status);
}

void SessionImpl::finish_rollback() {
  drop_transaction_portals(false);
  if (transaction_) engine_.database().rollback(*transaction_);
  settings_.rollback();
  end_transaction_state();
}

void SessionImpl::fail() {
  stop_clock();
  switch (state_) {
    case BlockState::kNone: break;
    case BlockState::kImplicit: finish_rollback(); break;
    case BlockState::kBlock:
      // Locks and writes go at once, as far back as a savepoint can still be asked for.
      // Portals older than the savepoint outlive it. The names of the others stay to the end: what these are asked for is refused
      // for the transaction's sake.
      for (auto& [name, named] : portals_) {
        if (!named.kept && named.savepoint_depth >= savepoints_.size())
          dead_portals_.push_back(std::move(named.portal));
      }
      if (savepoints_.empty()) {
        engine_.database().rollback(*transaction_);
        neighbours_->rolled_back();
        MutexLock lock(interrupt_mutex_);
        transaction_.reset();
      } else {
        restore(savepoints_.back());
      }
      foreign_key_queue_->statement.clear();
      foreign_key_queue_->statement_unique.clear();
      collections_.clear();
      state_ = BlockState::kFailed;
      break;
    case BlockState::kFailed: break;
  }
}

Status SessionImpl::sync() {
  implicit_block_ = false;
  stop_clock();
  if (state_ != BlockState::kImplicit) {
    // SET outside a transaction has none to wait for.
    if (state_ == BlockState::kNone && settings_.has_changes()) settings_.commit();
    return Status();
  }
  try {
    finish_commit();
    return Status();
  } catch (...) {
    Status status = status_of_exception("");
    if (state_ != BlockState::kNone) finish_rollback();
    return status;
  }
}

std::string SessionImpl::begin_block(std::optional<txn::Isolation> isolation, std::optional<bool> read_only) {
  if (state_ == BlockState::kBlock || state_ == BlockState::kFailed) {
    ErrorInfo info;
    info.code = SqlState::kActiveSqlTransaction;
    info.message = "there is already a transaction in progress";
    notice("WARNING", info);
  } else {
    // What ran before in the same message group becomes part of the block, as in PostgreSQL.
    if (transaction_ == nullptr) start_transaction(BlockState::kBlock);
    state_ = BlockState::kBlock;
  }
  if (isolation) {
    std::string value = isolation_text(*isolation);
    throw_if_error(set_transaction_setting("transaction_isolation", &value));
  }
  if (read_only) {
    std::string value = *read_only ? "on" : "off";
    throw_if_error(set_transaction_setting("transaction_read_only", &value));
  }
  return "BEGIN";
}

std::string SessionImpl::commit_block(bool chain) {
  const auto isolation = isolation_;
  const bool read_only = read_only_;
  std::string deferrable = chain ? show_setting("transaction_deferrable").value_or("off") : "";
  std::string tag = "COMMIT";
  switch (state_) {
    case BlockState::kBlock: finish_commit(); break;
    case BlockState::kFailed:
      finish_rollback();
      tag = "ROLLBACK";
      break;
    default: {
      if (chain)
        throw SqlError(SqlState::kNoActiveSqlTransaction, "COMMIT AND CHAIN can only be used in transaction blocks");
      ErrorInfo info;
      info.code = SqlState::kNoActiveSqlTransaction;
      info.message = "there is no transaction in progress";
      notice("WARNING", info);
      if (state_ == BlockState::kImplicit) finish_commit();
      break;
    }
  }
  if (chain) {
    start_transaction(BlockState::kBlock);
    transaction_->set_isolation(isolation);
    isolation_ = isolation;
    set_read_only(read_only);
    throw_if_error(set_transaction_setting("transaction_deferrable", &deferrable));
  }
  return tag;
}

std::string SessionImpl::rollback_block(bool chain) {
  const auto isolation = isolation_;
  const bool read_only = read_only_;
  std::string deferrable = chain ? show_setting("transaction_deferrable").value_or("off") : "";
  if (state_ == BlockState::kBlock || state_ == BlockState::kFailed) {
    finish_rollback();
  } else {
    if (chain)
      throw SqlError(SqlState::kNoActiveSqlTransaction, "ROLLBACK AND CHAIN can only be used in transaction blocks");
    ErrorInfo info;
    info.code = SqlState::kNoActiveSqlTransaction;
    info.message = "there is no transaction in progress";
    notice("WARNING", info);
    if (state_ == BlockState::kImplicit) finish_rollback();
  }
  if (chain) {
    start_transaction(BlockState::kBlock);
    transaction_->set_isolation(isolation);
    isolation_ = isolation;
    set_read_only(read_only);
    throw_if_error(set_transaction_setting("transaction_deferrable", &deferrable));
  }
  return "ROLLBACK";
}

void SessionImpl::set_read_only(bool read_only) {
  transaction_->set_read_only(read_only);
  read_only_ = read_only;
}

void SessionImpl::restore(const SavepointMark& mark) {
  engine_.database().rollback_to(*transaction_, mark.mark);
  settings_.rollback_to(mark.settings_mark);
  neighbours_->rolled_back_to(mark.notify_mark);
  set_read_only(mark.read_only);
  foreign_key_queue_->state = *std::static_pointer_cast<const ForeignKeyQueue::State>(mark.foreign_keys);
}

void SessionImpl::define_savepoint(const std::string& name) {
  require_savepoint_block("SAVEPOINT");
  savepoints_.push_back({name, engine_.database().savepoint(*transaction_), settings_.mark(),
                         std::make_shared<const ForeignKeyQueue::State>(foreign_key_queue_->state), neighbours_->mark(),
                         read_only_});
}

void SessionImpl::release_savepoint(const std::string& name) {
  require_savepoint_block("RELEASE SAVEPOINT");
  for (size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name == name) {
      set_read_only(savepoints_[i].read_only);
      savepoints_.resize(i);
      return;
    }
  }
  throw SqlError(SqlState::kSEInvalidSpecification, "savepoint \"" + name + "\" does not exist");
}

void SessionImpl::rollback_to_savepoint(const std::string& name) {
  if (state_ != BlockState::kFailed) require_savepoint_block("ROLLBACK TO SAVEPOINT");
  for (size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name != name) continue;
    restore(savepoints_[i]);
    savepoints_.resize(i + 1);
    // Cursors opened since are gone.
    for (auto it = portals_.begin(); it != portals_.end();) {
      if (!it->first.empty() && it->second.savepoint_depth > i) {
        it = bury_portal(it);
      } else {
        ++it;
      }
    }
    state_ = BlockState::kBlock;
    return;
  }
  throw SqlError(SqlState::kSEInvalidSpecification, "savepoint \"" + name + "\" does not exist");
}

std::optional<std::string> SessionImpl::show_setting(std::string_view name) const {
  const std::string canonical = settings_.canonical_name(name);
  if (canonical == "transaction_isolation") {
    if (state_ == BlockState::kNone) return settings_.show("default_transaction_isolation");
    return isolation_text(isolation_);
  }
  if (canonical == "transaction_read_only") {
    if (state_ == BlockState::kNone) return settings_.show("default_transaction_read_only");
    return read_only_ ? "on" : "off";
  }
  if (canonical == "transaction_deferrable") {
    const auto chosen = transaction_ != nullptr ? table::deferrable(*transaction_) : std::nullopt;
    return chosen ? *chosen ? "on" : "off" : settings_.show("default_transaction_deferrable");
  }
  if (canonical == "omendb.plan_cache_hits") return std::to_string(plan_cache_->counters().hits);
  if (canonical == "omendb.plan_cache_misses") return std::to_string(plan_cache_->counters().misses);
  if (canonical == "omendb.plan_cache_plans") return std::to_string(plan_cache_->counters().plans);
  return settings_.show(name);
}

std::vector<SessionServices::SettingRow> SessionImpl::all_settings() const {
  auto rows = settings_.all();
  for (auto& row : rows) {
    if (row.name.starts_with("omendb.plan_cache_")) row.setting = show_setting(row.name).value_or("");
  }
  return rows;
}

Status SessionImpl::set_transaction_setting(const std::string& name, std::string* value) {
  if (name == "transaction_isolation") {
    if (transaction_ == nullptr) return Status();
    const auto isolation = parse_isolation(*value);
    if (isolation != isolation_) {
      if (statement_ran_ && transaction_->has_snapshot()) {
        return Status(SqlState::kActiveSqlTransaction,
                      "SET TRANSACTION ISOLATION LEVEL must be called before any query");
      }
      if (!savepoints_.empty()) {
        return Status(SqlState::kActiveSqlTransaction,
                      "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
      }
      transaction_->set_isolation(isolation);
      isolation_ = isolation;
    }
  } else if (name == "transaction_read_only") {
    if (transaction_ == nullptr) return Status();
    const bool read_only = *value == "on";
    if (!read_only && read_only_ && !savepoints_.empty()) {
      return Status(SqlState::kActiveSqlTransaction,
                    "cannot set transaction read-write mode inside a read-only transaction");
    }
    if (!read_only && read_only_ && statement_ran_ && transaction_->has_snapshot()) {
      return Status(SqlState::kActiveSqlTransaction, "transaction read-write mode must be set before any query");
    }
    set_read_only(read_only);
  } else if (name == "transaction_deferrable") {
    if (transaction_ == nullptr) return Status();
    if (!savepoints_.empty()) {
      return Status(SqlState::kActiveSqlTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
    }
    if (statement_ran_ && transaction_->has_snapshot()) {
      return Status(SqlState::kActiveSqlTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
    }
    table::set_deferrable(*transaction_, *value == "on");
  } else if (name == "session_authorization" && (value->empty() || *value == "default")) {
    session_user_ = role_ = *value = options_.user;
  } else if (name == "session_authorization") {
    try {
      if (current_catalog()->find_role(*value) == nullptr) {
        return Status(SqlState::kInvalidParameterValue, "role \"" + *value + "\" does not exist");
      }
    } catch (const SqlError& error) {
      return Status(error.info());
    }
    session_user_ = role_ = *value;
  } else if (name == "role") {
    if (*value == "none") {
      role_ = session_user_;
      return Status();
    }
    try {
      if (current_catalog()->find_role(*value) == nullptr) {
        return Status(SqlState::kInvalidParameterValue, "role \"" + *value + "\" does not exist");
      }
    } catch (const SqlError& error) {
      return Status(error.info());
    }
    role_ = *value;
  }
  return Status();
}

}  // namespace omendb::sql
