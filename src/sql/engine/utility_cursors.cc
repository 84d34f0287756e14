// PREPARE, EXECUTE, DEALLOCATE; DECLARE, FETCH, MOVE, CLOSE.
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"

#include "sql/engine/error_mapping.h"
#include "sql/engine/portal.h"
#include "sql/engine/utility.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

SessionImpl::NamedPortal& find_cursor(SessionImpl& session, const std::string& name) {
  auto it = session.portals().find(name);
  if (it == session.portals().end())
    throw SqlError(SqlState::kInvalidCursorName, "cursor \"" + name + "\" does not exist");
  return it->second;
}

std::string run_prepare(SessionImpl& session, const ParsedStatement& outer, const PrepareStmt* statement) {
  const std::string name = statement->name;
  if (session.prepared().count(name) > 0) {
    throw SqlError(SqlState::kDuplicatePstatement, "prepared statement \"" + name + "\" already exists");
  }
  std::vector<Oid> types;
  StatementContext context = session.analysis(*outer.text);
  for (int i = 0; statement->argtypes != nullptr && i < statement->argtypes->length; ++i) {
    types.push_back(
        resolve_type(context, static_cast<const TypeName*>(statement->argtypes->elements[i].ptr_value)).type);
  }
  auto prepared = session.prepare_inner(outer, statement->query, types);
  prepared->from_sql_prepare = true;
  session.prepared()[name] = std::move(prepared);
  return "PREPARE";
}

}  // namespace

std::shared_ptr<PreparedStatement> find_prepared_or_throw(SessionImpl& session, const std::string& name) {
  auto it = session.prepared().find(name);
  if (it == session.prepared().end()) {
    throw SqlError(SqlState::kInvalidSqlStatementName, "prepared statement \"" + name + "\" does not exist");
  }
  return it->second;
}

Parameters execute_parameters(SessionImpl& session, const ParsedStatement& outer, const PreparedStatement& prepared,
                              const ExecuteStmt* statement) {
  size_t given = statement->params == nullptr ? 0 : static_cast<size_t>(statement->params->length);
  // PostgreSQL does not look at what is given to a statement without parameters.
  if (prepared.parameter_types.empty()) given = 0;
  if (given != prepared.parameter_types.size()) {
    throw SqlError(SqlState::kSyntaxError,
                   std::string("wrong number of parameters for prepared statement \"") + statement->name + "\"")
        .detail("Expected " + std::to_string(prepared.parameter_types.size()) + " parameters but got " +
                std::to_string(given) + ".");
  }
  Parameters parameters;
  if (given > 0) session.next_command();
  for (size_t i = 0; i < given; ++i) {
    const Oid type = prepared.parameter_types[i];
    StatementContext context = session.analysis(*outer.text);
    Scope scope;
    scope.statement = &context;
    scope.kind = ExprKind::kExecuteParameter;
    TypedExpr value =
        analyze_expr(scope, static_cast<Node*>(statement->params->elements[i].ptr_value), ExprKind::kExecuteParameter);
    const Oid given_type = value.type;
    const int location = value.location;
    auto assigned = try_coerce(scope, std::move(value), type, -1, CoercionContext::kAssignment);
    if (!assigned) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     "parameter $" + std::to_string(i + 1) + " of type " +
                         format_type(*context.catalog, given_type, -1) + " cannot be coerced to the expected type " +
                         format_type(*context.catalog, type, -1),
                     location)
          .hint("You will need to rewrite or cast the expression.");
    }
    value = std::move(*assigned);
    parameters.types.push_back(base_type_of(context, type));
    const auto wanted = session.physical_of_type(type, -1);
    const auto physical = value.physical;
    types::Value result = session.evaluate(std::move(value));
    if (!result.is_null() && physical != wanted) {
      types::Value converted;
      throw_if_error(types::coerce_physical(base_type_of(context, type), physical, result.view(), -1, &converted));
      result = std::move(converted);
    }
    parameters.physical.push_back(wanted);
    parameters.values.push_back(std::move(result));
  }
  return parameters;
}

namespace {

std::string run_execute(SessionImpl& session, const ParsedStatement& outer, const ExecuteStmt* statement,
                        RowSink& sink) {
  auto prepared = find_prepared_or_throw(session, statement->name);
  PortalImpl portal(session, prepared, execute_parameters(session, outer, *prepared, statement));
  return portal.execute_or_throw(0, sink).tag;
}

std::string run_declare(SessionImpl& session, const ParsedStatement& outer, const DeclareCursorStmt* statement,
                        const Parameters& parameters) {
  const std::string name = statement->portalname;
  const bool hold = (statement->options & CURSOR_OPT_HOLD) != 0;
  if (!hold) session.require_block("DECLARE CURSOR");
  if (!is_query(statement->query) || nodeTag(statement->query) != T_SelectStmt) {
    throw SqlError(SqlState::kInvalidCursorDefinition, "DECLARE CURSOR must not contain data-modifying statements");
  }
  if (session.portals().count(name) > 0) {
    throw SqlError(SqlState::kDuplicateCursor, "cursor \"" + name + "\" already exists");
  }
  auto prepared = session.prepare_inner(outer, statement->query, parameters.types);
  const Oid key_table = add_cursor_key(statement->query, *prepared);
  auto portal = std::make_unique<PortalImpl>(session, std::move(prepared), parameters);
  portal->has_key_of(key_table);
  portal->materialize();  // a cursor shows the snapshot of its DECLARE, whatever is written later
  throw_if_error(session.store_portal(name, std::move(portal)));
  auto& named = session.portals()[name];
  named.cursor = true;
  named.hold = hold;
  named.binary = (statement->options & CURSOR_OPT_BINARY) != 0;
  named.scrollable = (statement->options & CURSOR_OPT_NO_SCROLL) == 0;
  named.statement = *outer.text;
  return "DECLARE CURSOR";
}

std::string run_fetch(SessionImpl& session, const FetchStmt* statement, RowSink& sink) {
  auto& named = find_cursor(session, statement->portalname);
  PortalImpl::Direction direction = PortalImpl::Direction::kForward;
  switch (statement->direction) {
    case FETCH_FORWARD: direction = PortalImpl::Direction::kForward; break;
    case FETCH_BACKWARD: direction = PortalImpl::Direction::kBackward; break;
    case FETCH_ABSOLUTE: direction = PortalImpl::Direction::kAbsolute; break;
    case FETCH_RELATIVE: direction = PortalImpl::Direction::kRelative; break;
  }
  auto& portal = static_cast<PortalImpl&>(*named.portal);
  const bool scrollable = !named.cursor || named.scrollable;
  const uint64_t rows = portal.fetch(direction, statement->howMany, statement->ismove ? nullptr : &sink, scrollable);
  return (statement->ismove ? "MOVE " : "FETCH ") + std::to_string(rows);
}

}  // namespace

std::vector<SessionServices::Cursor> SessionImpl::cursors() const {
  std::vector<SessionServices::Cursor> result;
  for (const auto& [name, named] : portals_) {
    if (named.cursor)
      result.push_back({name, named.statement, named.hold, named.binary, named.scrollable, named.created_us});
    else if (!name.empty())
      result.push_back({name, std::string(static_cast<const PortalImpl&>(*named.portal).text()), false, false, false,
                        named.created_us});
  }
  return result;
}

std::vector<SessionServices::Prepared> SessionImpl::prepared_statements() const {
  std::vector<SessionServices::Prepared> result;
  for (const auto& [name, statement] : prepared_) {
    if (!name.empty()) {
      result.push_back({name, std::string(statement->text()), statement->parameter_types, statement->from_sql_prepare,
                        statement->prepared_at_us});
    }
  }
  return result;
}

const char* cursor_named(const Node* node) {
  const Node* where = nodeTag(node) == T_UpdateStmt   ? reinterpret_cast<const UpdateStmt*>(node)->whereClause
                      : nodeTag(node) == T_DeleteStmt ? reinterpret_cast<const DeleteStmt*>(node)->whereClause
                                                      : nullptr;
  if (where == nullptr || !IsA(where, CurrentOfExpr)) return nullptr;
  return reinterpret_cast<const CurrentOfExpr*>(where)->cursor_name;
}

Oid add_cursor_key(const Node* node, PreparedStatement& statement) {
  const auto* raw = reinterpret_cast<const SelectStmt*>(node);
  if (raw->op != SETOP_NONE || raw->distinctClause != nullptr || raw->groupClause != nullptr ||
      raw->havingClause != nullptr || raw->withClause != nullptr || raw->lockingClause != nullptr ||
      raw->fromClause == nullptr || raw->fromClause->length != 1 || statement.columns.empty()) {
    return kInvalidOid;
  }
  AnalyzedQuery& query = *statement.query;
  if (!query.modifying_ctes.empty() || query.select->node->type != duckdb::QueryNodeType::SELECT_NODE)
    return kInvalidOid;
  auto& select = query.select->node->Cast<duckdb::SelectNode>();
  if (select.from_table == nullptr || select.from_table->type != duckdb::TableReferenceType::TABLE_FUNCTION) {
    return kInvalidOid;
  }
  const auto& scan = *select.from_table->Cast<duckdb::TableFunctionRef>().function;
  if (scan.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return kInvalidOid;
  const auto& call = scan.Cast<duckdb::FunctionExpression>();
  if (call.function_name != "omen_scan" || call.children.empty() ||
      call.children[0]->GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) {
    return kInvalidOid;
  }
  bool grouped = !select.groups.group_expressions.empty();
  std::function<void(const duckdb::ParsedExpression&)> look = [&](const duckdb::ParsedExpression& e) {
    const auto kind = e.GetExpressionClass();
    grouped = grouped || kind == duckdb::ExpressionClass::WINDOW ||
              (kind == duckdb::ExpressionClass::FUNCTION && is_aggregate_call(e.Cast<duckdb::FunctionExpression>()));
    duckdb::ParsedExpressionIterator::EnumerateChildren(e, look);
  };
  for (const auto& e : select.select_list) look(*e);
  if (grouped) return kInvalidOid;
  auto key = duckdb::make_uniq<duckdb::ColumnRefExpression>("_key", select.from_table->alias);
  key->SetAlias("h1");
  select.select_list.push_back(std::move(key));
  statement.point_tried = true;  // the plans beside DuckDB's yield no more than the outputs
  statement.point = nullptr;
  return Oid{static_cast<uint32_t>(call.children[0]->Cast<duckdb::ConstantExpression>().value.GetValue<int64_t>())};
}

bool is_cursor_utility(const Node* node) {
  switch (nodeTag(node)) {
    case T_PrepareStmt:
    case T_ExecuteStmt:
    case T_DeallocateStmt:
    case T_DeclareCursorStmt:
    case T_FetchStmt:
    case T_ClosePortalStmt: return true;
    default: return false;
  }
}

bool describe_cursor_utility(SessionImpl& session, const Node* node, std::vector<ColumnDescription>* columns) {
  columns->clear();
  if (nodeTag(node) == T_ExecuteStmt) {
    auto it = session.prepared().find(reinterpret_cast<const ExecuteStmt*>(node)->name);
    if (it == session.prepared().end()) return false;
    session.ensure_analyzed(*it->second);
    *columns = it->second->columns;
    return it->second->returns_rows;
  }
  if (nodeTag(node) == T_FetchStmt) {
    const auto* fetch = reinterpret_cast<const FetchStmt*>(node);
    auto it = session.portals().find(fetch->portalname);
    if (fetch->ismove || it == session.portals().end()) return false;
    *columns = it->second.portal->columns();
    return true;
  }
  return false;
}

std::string run_cursor_utility(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                               RowSink& sink) {
  const Node* node = statement.parsed->node;
  switch (nodeTag(node)) {
    case T_PrepareStmt: return run_prepare(session, *statement.parsed, reinterpret_cast<const PrepareStmt*>(node));
    case T_ExecuteStmt:
      return run_execute(session, *statement.parsed, reinterpret_cast<const ExecuteStmt*>(node), sink);
    case T_DeallocateStmt: {
      const char* name = reinterpret_cast<const DeallocateStmt*>(node)->name;
      if (name == nullptr) {
        session.prepared().clear();
        return "DEALLOCATE ALL";
      }
      find_prepared_or_throw(session, name);
      session.prepared().erase(name);
      return "DEALLOCATE";
    }
    case T_DeclareCursorStmt:
      return run_declare(session, *statement.parsed, reinterpret_cast<const DeclareCursorStmt*>(node), parameters);
    case T_FetchStmt: return run_fetch(session, reinterpret_cast<const FetchStmt*>(node), sink);
    case T_ClosePortalStmt: {
      const char* name = reinterpret_cast<const ClosePortalStmt*>(node)->portalname;
      if (name == nullptr) {
        session.bury_portals();
        return "CLOSE CURSOR ALL";
      }
      find_cursor(session, name);
      session.bury_portal(session.portals().find(name));
      return "CLOSE CURSOR";
    }
    default: break;
  }
  return "";
}

}  // namespace omendb::sql
