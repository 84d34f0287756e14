// UPDATE and DELETE.
#include <algorithm>

#include "duckdb/parser/expression/columnref_expression.hpp"

#include "sql/frontend/dml.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

// The target in sight of FROM and USING only as something that must not be referred to.
DuckTable analyze_other_tables(Scope& scope, const TargetRows& target, List* list) {
  ScopeItem hidden = target.item;
  hidden.lateral_only = true;
  hidden.lateral_ok = false;
  scope.items.push_back(std::move(hidden));
  note_seen(scope, target.item, target.table->name);
  DuckTable others = analyze_from(scope, list);
  scope.items[0].lateral_only = false;
  scope.items[0].lateral_ok = true;
  return others;
}

const CurrentOfExpr* current_of(const Node* where) {
  return where != nullptr && IsA(where, CurrentOfExpr) ? reinterpret_cast<const CurrentOfExpr*>(where) : nullptr;
}

// WHERE CURRENT OF: the row whose key is the value of one more parameter, the last one, which the executor gives.
Tree at_cursor(Scope& scope, const std::string& alias) {
  if (scope.parent != nullptr) not_supported("WHERE CURRENT OF in WITH");
  StatementContext& statement = *scope.statement;
  statement.reads_clock = true;  // the number of its parameters is its own
  statement.parameter_types.push_back(types::oid::kBytea);
  TypedExpr key;
  key.kind = TypedExpr::Kind::kUntypedParameter;
  key.parameter = static_cast<int>(statement.parameter_types.size());
  key.type = types::oid::kUnknown;
  key = coerce(scope, std::move(key), types::oid::kBytea, -1, CoercionContext::kImplicit);
  return emit::compare(duckdb::ExpressionType::COMPARE_EQUAL, emit::column(alias, "_key"), owned(std::move(key.duck)));
}

TypedExpr analyze_set_value(Scope& scope, Node* node, const catalog::Table& table, const catalog::Column& column,
                            int location) {
  auto refuse = [&](const std::string& detail) {
    throw SqlError(SqlState::kGeneratedAlways, "column \"" + column.name + "\" can only be updated to DEFAULT")
        .detail(detail);
  };
  if (is_default(node)) {
    if (column.generated) return TypedExpr();
    return default_value(scope, table, column);
  }
  if (column.identity == 'a')
    refuse("Column \"" + column.name + "\" is an identity column defined as GENERATED ALWAYS.");
  if (column.generated) refuse("Column \"" + column.name + "\" is a generated column.");
  TypedExpr value = analyze_expr(scope, node, ExprKind::kUpdateSource);
  value.location = exprLocation(node) >= 0 ? exprLocation(node) : location;
  return assign(scope, std::move(value), column);
}

}  // namespace

std::vector<size_t> analyze_set_clause(Scope& scope, List* list, const TargetRows& target, const std::string& relation,
                                       RowBuilder& row) {
  const catalog::Table& table = *target.table;
  StatementContext& statement = *scope.statement;
  std::vector<size_t> changed;
  std::map<int16_t, TypedExpr> partial;
  ListCell* cell = nullptr;
  foreach (cell, list) {
    auto* item = lfirst_node(ResTarget, cell);
    std::map<int16_t, TypedExpr>::iterator part = partial.end();
    if (item->indirection != nullptr) {
      // SET t.a = ... reads as the field a of a column t.
      int16_t found = 0;
      for (size_t i = 0; i < target.attnums.size(); ++i) found = target.item.columns[i].name == item->name ? 1 : found;
      if (found == 0) {
        throw SqlError(SqlState::kUndefinedColumn,
                       std::string("column \"") + item->name + "\" of relation \"" + relation + "\" does not exist",
                       item->location);
      }
    }
    int16_t attnum = target_attnum(target, relation, item->name, item->location, DmlVerb::kUpdate);
    const catalog::Column& column = table.columns[static_cast<size_t>(attnum) - 1];
    if (item->indirection != nullptr) {
      // Several parts of one column may be set, one after the other.
      part = partial.find(attnum);
      if (part == partial.end() &&
          std::find(changed.begin(), changed.end(), static_cast<size_t>(attnum)) == changed.end()) {
        for (size_t i = 0; i < target.attnums.size(); ++i) {
          if (target.attnums[i] != attnum) continue;
          part = partial.emplace(attnum, column_expr(target.item.columns[i], -1)).first;
          changed.push_back(static_cast<size_t>(attnum));
        }
      }
      if (part != partial.end() && !IsA(item->val, MultiAssignRef) && !is_default(item->val)) {
        TypedExpr value = analyze_expr(scope, item->val, ExprKind::kUpdateSource);
        value.location = exprLocation(item->val);
        part->second = assign_part(scope, std::move(part->second), item->indirection, column.name, std::move(value),
                                   ExprKind::kUpdateSource, item->location);
        continue;
      }
      if (part != partial.end() && is_default(item->val)) {
        throw SqlError(SqlState::kFeatureNotSupported, "cannot set an array element to DEFAULT",
                       exprLocation(item->val));
      }
      if (part != partial.end())
        not_supported("assignment to an array element or field of several columns", item->location);
    }
    if (std::find(changed.begin(), changed.end(), static_cast<size_t>(attnum)) != changed.end()) {
      throw SqlError(SqlState::kSyntaxError, std::string("multiple assignments to same column \"") + item->name + "\"");
    }
    changed.push_back(static_cast<size_t>(attnum));
    Node* node = item->val;
    TypedExpr value;
    if (!IsA(node, MultiAssignRef)) {
      value = analyze_set_value(scope, node, table, column, item->location);
    } else {
      auto* multi = reinterpret_cast<MultiAssignRef*>(node);
      if (IsA(multi->source, RowExpr)) {
        // Each value is a node, or a column that a star in the row stands for.
        std::vector<std::pair<Node*, TypedExpr>> values;
        ListCell* field = nullptr;
        foreach (field, reinterpret_cast<RowExpr*>(multi->source)->args) {
          auto* source = static_cast<Node*>(lfirst(field));
          if (IsA(source, ColumnRef) && IsA(llast(reinterpret_cast<ColumnRef*>(source)->fields), A_Star)) {
            for (Target& t : expand_star(scope, reinterpret_cast<ColumnRef*>(source)))
              values.emplace_back(source, std::move(t.expr));
          } else {
            values.emplace_back(source, TypedExpr());
          }
        }
        if (values.size() != static_cast<size_t>(multi->ncolumns)) {
          throw SqlError(SqlState::kSyntaxError, "number of columns does not match number of values",
                         exprLocation(multi->source));
        }
        auto& [source, starred] = values[static_cast<size_t>(multi->colno) - 1];
        value = starred.duck == nullptr ? analyze_set_value(scope, source, table, column, item->location)
                                        : assign(scope, std::move(starred), column);
      } else if (IsA(multi->source, SubLink) &&
                 reinterpret_cast<SubLink*>(multi->source)->subLinkType == EXPR_SUBLINK) {
        // Each column takes its own scalar subquery, so that more than one row stays an error.
        auto* sublink = reinterpret_cast<SubLink*>(multi->source);
        SubqueryResult sub = analyze_subquery(&scope, statement, reinterpret_cast<SelectStmt*>(sublink->subselect));
        if (sub.columns.size() != static_cast<size_t>(multi->ncolumns)) {
          throw SqlError(SqlState::kSyntaxError, "number of columns does not match number of values",
                         sublink->location);
        }
        const ScopeColumn& wanted = sub.columns[static_cast<size_t>(multi->colno) - 1];
        std::string alias = statement.new_alias("q");
        auto select = emit::select();
        select->from_table = emit::subquery(std::move(sub.select->node), alias);
        select->select_list.push_back(emit::column(alias, wanted.duck_name));
        value.duck = emit::scalar_subquery(std::move(select));
        value.type = wanted.type;
        value.typmod = wanted.typmod;
        value.physical = wanted.physical;
        value.location = sublink->location;
        if (column.identity == 'a' || column.generated)
          analyze_set_value(scope, multi->source, table, column, item->location);
        value = assign(scope, std::move(value), column);
      } else {
        throw SqlError(SqlState::kFeatureNotSupported,
                       "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
                       exprLocation(multi->source));
      }
    }
    if (!column.generated) row.set(attnum, std::move(value));
  }
  for (auto& [attnum, value] : partial)
    row.set(attnum, assign(scope, std::move(value), table.columns[static_cast<size_t>(attnum) - 1]));
  return changed;
}

AnalyzedQuery analyze_update(StatementContext& statement, Scope* parent, Node* raw) {
  auto* stmt = reinterpret_cast<UpdateStmt*>(raw);
  AnalyzedQuery query;
  query.kind = QueryKind::kUpdate;
  Scope scope;
  scope.statement = &statement;
  scope.parent = parent;
  duckdb::CommonTableExpressionMap ctes;
  if (stmt->withClause != nullptr) analyze_with(scope, ctes, stmt->withClause);

  std::string alias = statement.new_alias("r");
  TargetRows target = open_target(statement, stmt->relation, alias, DmlVerb::kUpdate);
  query.target = target.table->oid;
  scope.duck_aliases.insert(alias);
  DuckTable others = analyze_other_tables(scope, target, stmt->fromClause);
  std::vector<ScopeItem> other_items(scope.items.begin() + 1, scope.items.end());

  RowBuilder row(scope, *target.table);
  Tree where;
  if (stmt->whereClause != nullptr && current_of(stmt->whereClause) == nullptr) {
    where = boolean_tree(scope, analyze_expr(scope, stmt->whereClause, ExprKind::kWhere), "WHERE");
  }
  where = emit::conjunction(std::move(target.where), std::move(where));
  WriteAction action;
  action.kind = WriteAction::Kind::kUpdate;
  action.changed = analyze_set_clause(scope, stmt->targetList, target, stmt->relation->relname, row);
  row.fill(alias);
  row.derive();
  query.key = row.add_leading(emit::column(alias, "_key"));
  TargetRows new_row = open_target(statement, stmt->relation, row.new_row(), DmlVerb::kUpdate);
  row.add_view_checks(new_row);
  std::vector<Target> returning =
      analyze_returning(scope, statement, stmt->returningList, std::move(new_row.item), other_items, row.new_row());
  query.has_returning = stmt->returningList != nullptr;
  describe_returning(statement, returning, &query);
  row.set_returning(std::move(returning));

  if (current_of(stmt->whereClause) != nullptr) where = emit::conjunction(std::move(where), at_cursor(scope, alias));
  auto source = emit::select();
  source->from_table = emit::cross(scan_of(*target.table, alias), std::move(others));
  source->where_clause = std::move(where);
  DuckNode node = row.build(std::move(source), &action, &query.returning);
  attach_ctes(node, ctes);
  query.actions.push_back(std::move(action));
  query.select = emit::statement(std::move(node));
  return query;
}

AnalyzedQuery analyze_delete(StatementContext& statement, Scope* parent, Node* raw) {
  auto* stmt = reinterpret_cast<DeleteStmt*>(raw);
  AnalyzedQuery query;
  query.kind = QueryKind::kDelete;
  Scope scope;
  scope.statement = &statement;
  scope.parent = parent;
  duckdb::CommonTableExpressionMap ctes;
  if (stmt->withClause != nullptr) analyze_with(scope, ctes, stmt->withClause);

  std::string alias = statement.new_alias("r");
  TargetRows target = open_target(statement, stmt->relation, alias, DmlVerb::kDelete);
  query.target = target.table->oid;
  scope.duck_aliases.insert(alias);
  DuckTable others = analyze_other_tables(scope, target, stmt->usingClause);
  Tree where;
  if (stmt->whereClause != nullptr && current_of(stmt->whereClause) == nullptr) {
    where = boolean_tree(scope, analyze_expr(scope, stmt->whereClause, ExprKind::kWhere), "WHERE");
  }
  where = emit::conjunction(std::move(target.where), std::move(where));
  std::vector<Target> returning;
  if (stmt->returningList != nullptr) {
    Scope rows;
    rows.statement = &statement;
    rows.parent = &scope;
    rows.items = scope.items;
    rows.duck_aliases = scope.duck_aliases;
    rows.seen_tables = scope.seen_tables;
    returning = analyze_targets(rows, stmt->returningList, ExprKind::kReturning);
    for (Target& t : returning) t.expr = resolve_unknown(rows, std::move(t.expr));
  }
  query.has_returning = stmt->returningList != nullptr;
  describe_returning(statement, returning, &query);

  if (current_of(stmt->whereClause) != nullptr) where = emit::conjunction(std::move(where), at_cursor(scope, alias));
  auto select = emit::select();
  select->from_table = emit::cross(scan_of(*target.table, alias), std::move(others));
  select->where_clause = std::move(where);
  query.key = 0;
  select->select_list.push_back(emit::column(alias, "_key"));
  for (Target& t : returning) {
    query.returning.push_back(select->select_list.size());
    select->select_list.push_back(owned(std::move(t.expr.duck)));
  }
  for (size_t i = 0; i < select->select_list.size(); ++i) select->select_list[i]->SetAlias("o" + std::to_string(i + 1));
  WriteAction action;
  action.kind = WriteAction::Kind::kDelete;
  query.actions.push_back(std::move(action));
  DuckNode node = std::move(select);
  attach_ctes(node, ctes);
  query.select = emit::statement(std::move(node));
  return query;
}

}  // namespace omendb::sql
