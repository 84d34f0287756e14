#include "sql/engine/utility.h"

#include "sql/engine/error_mapping.h"
#include "sql/engine/foreign_keys.h"
#include "sql/engine/neighbourhood.h"
#include "sql/engine/portal.h"
#include "sql/frontend/ddl.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

struct TransactionModes {
  std::optional<txn::Isolation> isolation;
  std::optional<bool> read_only, deferrable;
};

TransactionModes transaction_modes(const List* options) {
  TransactionModes modes;
  for (int i = 0; options != nullptr && i < options->length; ++i) {
    const auto* option = static_cast<const DefElem*>(options->elements[i].ptr_value);
    const auto* constant = reinterpret_cast<const A_Const*>(option->arg);
    const std::string name = option->defname;
    if (name == "transaction_isolation") {
      const std::string level = constant->val.sval.sval;
      modes.isolation = level == "serializable"       ? txn::Isolation::kSerializable
                        : level == "repeatable read"  ? txn::Isolation::kRepeatableRead
                        : level == "read uncommitted" ? txn::Isolation::kReadUncommitted
                                                      : txn::Isolation::kReadCommitted;
    } else if (name == "transaction_read_only") {
      modes.read_only = constant->val.ival.ival != 0;
    } else if (name == "transaction_deferrable") {
      modes.deferrable = constant->val.ival.ival != 0;
    }
  }
  return modes;
}

std::string run_transaction(SessionImpl& session, const TransactionStmt* statement) {
  switch (statement->kind) {
    case TRANS_STMT_BEGIN:
    case TRANS_STMT_START: {
      const auto modes = transaction_modes(statement->options);
      session.begin_block(modes.isolation, modes.read_only);
      if (modes.deferrable) {
        std::string value = *modes.deferrable ? "on" : "off";
        throw_if_error(session.set_transaction_setting("transaction_deferrable", &value));
      }
      return statement->kind == TRANS_STMT_BEGIN ? "BEGIN" : "START TRANSACTION";
    }
    case TRANS_STMT_COMMIT: return session.commit_block(statement->chain);
    case TRANS_STMT_ROLLBACK: return session.rollback_block(statement->chain);
    case TRANS_STMT_SAVEPOINT: session.define_savepoint(statement->savepoint_name); return "SAVEPOINT";
    case TRANS_STMT_RELEASE: session.release_savepoint(statement->savepoint_name); return "RELEASE";
    case TRANS_STMT_ROLLBACK_TO: session.rollback_to_savepoint(statement->savepoint_name); return "ROLLBACK";
    case TRANS_STMT_PREPARE:
    case TRANS_STMT_COMMIT_PREPARED:
    case TRANS_STMT_ROLLBACK_PREPARED: break;
  }
  not_supported("two-phase commit (PREPARE TRANSACTION)");
}

std::string run_lock(SessionImpl& session, const LockStmt* statement) {
  session.require_block("LOCK TABLE");
  session.next_command();
  StatementContext context = session.analysis("");
  for (int i = 0; i < statement->relations->length; ++i) {
    const auto* range = static_cast<const RangeVar*>(statement->relations->elements[i].ptr_value);
    const Oid relation = find_relation(context, range->schemaname, range->relname);
    if (relation == kInvalidOid) {
      const std::string name =
          range->schemaname != nullptr ? std::string(range->schemaname) + "." + range->relname : range->relname;
      throw SqlError(SqlState::kUndefinedTable, "relation \"" + name + "\" does not exist");
    }
    const auto mode = static_cast<txn::ObjectLockMode>(statement->mode - 1);
    Status status = session.database().lock_object(
        session.transaction(), relation, mode, statement->nowait ? table::LockWait::kNoWait : table::LockWait::kWait);
    if (status.is(SqlState::kLockNotAvailable) && statement->nowait) {
      throw SqlError(SqlState::kLockNotAvailable,
                     std::string("could not obtain lock on relation \"") + range->relname + "\"");
    }
    throw_if_error(status);
  }
  return "LOCK TABLE";
}

std::string run_discard(SessionImpl& session, const DiscardStmt* statement) {
  switch (statement->target) {
    case DISCARD_ALL: {
      session.refuse_in_block("DISCARD ALL");
      const auto catalog = session.current_catalog();
      if (session.temp_schema(*catalog) != kInvalidOid) {
        session.next_command();
        drop_temp_objects(session);
      }
      session.discard_all();
      return "DISCARD ALL";
    }
    case DISCARD_PLANS: return "DISCARD PLANS";
    case DISCARD_SEQUENCES:
      session.sequence_values().clear();
      session.last_sequence() = kInvalidOid;
      return "DISCARD SEQUENCES";
    case DISCARD_TEMP:
      session.ensure_transaction();
      session.next_command();
      drop_temp_objects(session);
      return "DISCARD TEMP";
  }
  return "DISCARD";
}

/// What is still to be checked would find another table than the one it was noted for.
void refuse_pending_checks(SessionImpl& session, const RangeVar* table, const char* command) {
  const auto& queue = session.foreign_key_queue();
  if (queue.state.deferred.empty() && queue.state.unique.empty()) return;
  StatementContext context = session.analysis("");
  const Oid relation = find_relation(context, table->schemaname, table->relname);
  if (queue.pending_on(relation, *context.catalog)) {
    throw SqlError(SqlState::kObjectInUse, std::string("cannot ") + command + " \"" + table->relname +
                                               "\" because it has pending trigger events");
  }
}

/// CREATE TABLE AS EXECUTE: as if the prepared SELECT stood there.
std::string create_table_as_execute(SessionImpl& session, const ParsedStatement& outer,
                                    const CreateTableAsStmt* statement) {
  const auto* execute = reinterpret_cast<const ExecuteStmt*>(statement->query);
  const std::shared_ptr<PreparedStatement> prepared = find_prepared_or_throw(session, execute->name);
  if (nodeTag(prepared->parsed->node) != T_SelectStmt) {
    throw SqlError(SqlState::kWrongObjectType, "prepared statement is not a SELECT");
  }
  const Parameters parameters = execute_parameters(session, outer, *prepared, execute);
  const SessionImpl::DdlParameters given(session, parameters);
  CreateTableAsStmt create = *statement;
  create.query = prepared->parsed->node;
  const std::string tag = execute_ddl(session, reinterpret_cast<Node*>(&create), *outer.text);
  return create.into->skipData && !create.if_not_exists ? "SELECT 0" : tag;
}

}  // namespace

ColumnDescription text_column(const std::string& name) {
  ColumnDescription column;
  column.name = name;
  column.type = types::oid::kText;
  return column;
}

bool is_query(const Node* node) {
  switch (nodeTag(node)) {
    case T_SelectStmt:
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt:
    case T_MergeStmt: return !is_ddl(node);
    default: return false;
  }
}

bool is_transaction_control(const Node* node) { return nodeTag(node) == T_TransactionStmt; }

bool ends_failed_transaction(const Node* node) {
  if (!is_transaction_control(node)) return false;
  const auto kind = reinterpret_cast<const TransactionStmt*>(node)->kind;
  return kind == TRANS_STMT_COMMIT || kind == TRANS_STMT_ROLLBACK || kind == TRANS_STMT_ROLLBACK_TO;
}

void describe_utility(SessionImpl& session, PreparedStatement& statement) {
  Node* node = statement.parsed->node;
  switch (nodeTag(node)) {
    case T_VariableShowStmt:
      describe_show(session, node, &statement.columns);
      statement.returns_rows = true;
      break;
    case T_ExplainStmt: describe_explain(session, statement); break;
    case T_DeclareCursorStmt: {
      Node* query = reinterpret_cast<const DeclareCursorStmt*>(node)->query;
      if (!is_query(query)) break;
      statement.parameter_types =
          session.prepare_inner(*statement.parsed, query, statement.given_types)->parameter_types;
      break;
    }
    case T_CreateTableAsStmt: {
      const auto* create = reinterpret_cast<const CreateTableAsStmt*>(node);
      if (nodeTag(create->query) != T_SelectStmt) break;
      auto types = session.prepare_inner(*statement.parsed, create->query, statement.given_types)->parameter_types;
      if (create->objtype == OBJECT_MATVIEW && !types.empty()) {
        throw SqlError(SqlState::kFeatureNotSupported, "materialized views may not be defined using bound parameters");
      }
      statement.parameter_types = std::move(types);
      break;
    }
    case T_SelectStmt: {
      const WithoutInto select(reinterpret_cast<SelectStmt*>(node));
      statement.parameter_types =
          session.prepare_inner(*statement.parsed, node, statement.given_types)->parameter_types;
      break;
    }
    default:
      if (is_cursor_utility(node)) statement.returns_rows = describe_cursor_utility(session, node, &statement.columns);
      break;
  }
}

std::string run_utility(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                        RowSink& sink) {
  Node* node = statement.parsed->node;
  if (is_transaction_control(node)) return run_transaction(session, reinterpret_cast<const TransactionStmt*>(node));
  // Input and output of enums and reg* look names up in it: it has to know what the statement before made.
  session.set_statement_catalog(session.current_catalog());
  if (is_cursor_utility(node)) return run_cursor_utility(session, statement, parameters, sink);
  switch (nodeTag(node)) {
    case T_VariableSetStmt: return run_set(session, node);
    case T_VariableShowStmt: return run_show(session, node, sink);
    case T_ExplainStmt: return run_explain(session, statement, parameters, sink);
    case T_CopyStmt: return run_copy(session, statement, parameters);
    case T_LockStmt: return run_lock(session, reinterpret_cast<const LockStmt*>(node));
    case T_DiscardStmt: return run_discard(session, reinterpret_cast<const DiscardStmt*>(node));
    case T_UnlistenStmt: {
      const char* channel = reinterpret_cast<const UnlistenStmt*>(node)->conditionname;
      session.neighbours().unlisten(channel == nullptr ? "" : channel);
      return "UNLISTEN";
    }
    case T_ListenStmt:
      session.neighbours().listen(reinterpret_cast<const ListenStmt*>(node)->conditionname);
      return "LISTEN";
    case T_NotifyStmt: {
      const auto* notify = reinterpret_cast<const NotifyStmt*>(node);
      session.neighbours().notify(notify->conditionname, notify->payload == nullptr ? "" : notify->payload);
      return "NOTIFY";
    }
    case T_VacuumStmt: return run_vacuum(session, node);
    case T_CheckPointStmt: return "CHECKPOINT";
    case T_ReindexStmt: return run_reindex(session, node);
    case T_ClusterStmt: return run_cluster(session, node);
    case T_ConstraintsSetStmt:
      set_constraints(session, reinterpret_cast<const ConstraintsSetStmt*>(node));
      return "SET CONSTRAINTS";
    case T_DoStmt: not_supported("DO");
    case T_CallStmt: not_supported("CALL");
    case T_LoadStmt: not_supported("LOAD");
    case T_AlterSystemStmt: not_supported("ALTER SYSTEM");
    default: break;
  }
  if (!is_ddl(node)) not_supported("this statement");
  session.check_writable(ddl_name(node).c_str());
  session.next_command();
  if (nodeTag(node) == T_AlterTableStmt)
    refuse_pending_checks(session, reinterpret_cast<const AlterTableStmt*>(node)->relation, "ALTER TABLE");
  if (nodeTag(node) == T_IndexStmt)
    refuse_pending_checks(session, reinterpret_cast<const IndexStmt*>(node)->relation, "CREATE INDEX");
  if (nodeTag(node) == T_DropStmt && reinterpret_cast<const DropStmt*>(node)->removeType == OBJECT_TABLE) {
    const List* tables = reinterpret_cast<const DropStmt*>(node)->objects;
    for (int i = 0; i < tables->length; ++i) {
      const auto* names = static_cast<const List*>(tables->elements[i].ptr_value);
      const auto name = [&](int n) { return static_cast<const String*>(names->elements[n].ptr_value)->sval; };
      RangeVar table{};
      table.relname = name(names->length - 1);
      table.schemaname = names->length > 1 ? name(names->length - 2) : nullptr;
      refuse_pending_checks(session, &table, "DROP TABLE");
    }
  }
  if (nodeTag(node) == T_TruncateStmt) {
    const List* tables = reinterpret_cast<const TruncateStmt*>(node)->relations;
    for (int i = 0; i < tables->length; ++i)
      refuse_pending_checks(session, static_cast<const RangeVar*>(tables->elements[i].ptr_value), "TRUNCATE");
  }
  if (nodeTag(node) == T_CreateTableAsStmt &&
      nodeTag(reinterpret_cast<CreateTableAsStmt*>(node)->query) == T_ExecuteStmt) {
    return create_table_as_execute(session, *statement.parsed, reinterpret_cast<const CreateTableAsStmt*>(node));
  }
  const SessionImpl::DdlParameters given(session, parameters);
  return execute_ddl(session, node, *statement.parsed->text);
}

}  // namespace omendb::sql
