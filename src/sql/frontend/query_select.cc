// One SELECT: its clauses put together in PostgreSQL's order, and the doors of the query side.
#include <algorithm>

#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/expressionlistref.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

void analyze_values(Level& level, SelectStmt* select) {
  Scope& scope = *level.scope;
  StatementContext& statement = *scope.statement;
  std::vector<std::vector<TypedExpr>> rows;
  ListCell* cell = nullptr;
  foreach (cell, select->valuesLists) {
    auto* list = static_cast<List*>(lfirst(cell));
    if (!rows.empty() && rows[0].size() != static_cast<size_t>(list_length(list))) {
      throw SqlError(SqlState::kSyntaxError, "VALUES lists must all be the same length",
                     exprLocation(reinterpret_cast<Node*>(list)));
    }
    std::vector<TypedExpr> row;
    ListCell* value = nullptr;
    foreach (value, list) {
      auto* node = static_cast<Node*>(lfirst(value));
      if (IsA(node, SetToDefault)) {
        throw SqlError(SqlState::kSyntaxError, "DEFAULT is not allowed in this context", exprLocation(node));
      }
      if (IsA(node, ColumnRef) && IsA(llast(reinterpret_cast<ColumnRef*>(node)->fields), A_Star)) {
        for (Target& t : expand_star(scope, reinterpret_cast<ColumnRef*>(node))) row.push_back(std::move(t.expr));
        continue;
      }
      row.push_back(analyze_expr(scope, node, ExprKind::kValues));
    }
    rows.push_back(std::move(row));
  }
  std::string alias = statement.new_alias("v");
  auto list_ref = duckdb::make_uniq<duckdb::ExpressionListRef>();
  list_ref->alias = alias;
  list_ref->values.resize(rows.size());
  ScopeItem item;
  item.alias = "*VALUES*";
  item.kind = 'v';
  for (size_t c = 0; c < rows[0].size(); ++c) {
    std::vector<TypedExpr*> column;
    for (auto& row : rows) column.push_back(&row[c]);
    Oid type = select_common_type(scope, column, "VALUES");
    int32_t typmod = column[0]->type == type ? column[0]->typmod : -1;
    for (TypedExpr* e : column) {
      if (e->kind != TypedExpr::Kind::kPlain || e->type != type || e->typmod != typmod) typmod = -1;
    }
    for (TypedExpr* e : column) *e = coerce(scope, std::move(*e), type, typmod, CoercionContext::kImplicit);
    types::PhysicalType physical = common_physical(scope, type, column);
    for (size_t r = 0; r < rows.size(); ++r) list_ref->values[r].push_back(owned(std::move(rows[r][c].duck)));
    ScopeColumn out;
    out.name = "column" + std::to_string(c + 1);
    out.duck_alias = alias;
    out.duck_name = "c" + std::to_string(c + 1);
    out.type = type;
    out.typmod = typmod;
    out.physical = physical;
    list_ref->expected_names.push_back(out.duck_name);
    list_ref->expected_types.push_back(duck_type(base_type_of(statement, type), out.physical));
    item.columns.push_back(std::move(out));
  }
  level.node = emit::select();
  level.node->from_table = std::move(list_ref);
  scope.duck_aliases.insert(alias);
  for (const ScopeColumn& column : item.columns) {
    Target target;
    target.name = column.name;
    target.expr = column_expr(column, -1);
    level.targets.push_back(std::move(target));
  }
  scope.items.push_back(std::move(item));
}

namespace {

bool is_plain_distinct(List* clause) { return clause != nullptr && linitial(clause) == nullptr; }

// SELECT DISTINCT ON: the items lead ORDER BY. Errors: 42P10.
void check_distinct_on(const std::vector<ClauseItem>& items, const std::vector<SortItem>& sort) {
  auto matches = [](const ClauseItem& a, const SortItem& b) {
    if (a.target != SIZE_MAX || b.target != SIZE_MAX) return a.target == b.target;
    return a.expr.duck && b.expr.duck && a.expr.duck->Equals(*b.expr.duck);
  };
  auto refuse = [](const ClauseItem& item) {
    throw SqlError(SqlState::kInvalidColumnReference,
                   "SELECT DISTINCT ON expressions must match initial ORDER BY expressions", item.expr.location);
  };
  bool skipped = false;
  for (const SortItem& s : sort) {
    auto found = std::find_if(items.begin(), items.end(), [&](const ClauseItem& i) { return matches(i, s); });
    if (found == items.end()) {
      skipped = true;
    } else if (skipped) {
      refuse(*found);
    }
  }
  for (const ClauseItem& i : items) {
    bool matched = std::any_of(sort.begin(), sort.end(), [&](const SortItem& s) { return matches(i, s); });
    if (skipped && !matched) refuse(i);
  }
}

}  // namespace

void analyze_plain_select(Level& level, SelectStmt* select, SelectOptions options) {
  Scope& scope = *level.scope;
  StatementContext& statement = *scope.statement;
  bool values = select->valuesLists != nullptr;
  ListCell* cell = nullptr;
  foreach (cell, select->windowClause) {
    auto* window = lfirst_node(WindowDef, cell);
    if (window->name == nullptr) continue;
    if (!scope.windows.emplace(window->name, window).second) {
      throw SqlError(SqlState::kWindowingError, std::string("window \"") + window->name + "\" is already defined",
                     window->location);
    }
  }
  if (values) {
    analyze_values(level, select);
  } else {
    level.node = emit::select();
    DuckTable from = analyze_from(scope, select->fromClause);
    level.node->from_table = from != nullptr ? std::move(from) : emit::empty();
    level.targets = analyze_targets(scope, select->targetList, ExprKind::kSelectTarget);
  }
  if (select->whereClause != nullptr) {
    TypedExpr where = analyze_expr(scope, select->whereClause, ExprKind::kWhere);
    level.node->where_clause = boolean_tree(scope, std::move(where), "WHERE");
  }
  Tree having;
  if (select->havingClause != nullptr) {
    having = boolean_tree(scope, analyze_expr(scope, select->havingClause, ExprKind::kHaving), "HAVING");
  }
  std::vector<SortItem> sort = analyze_sort(scope, select->sortClause, level.targets, false);
  Grouping grouping(scope, *level.node);
  grouping.analyze(select->groupClause, select->groupDistinct, level.targets);

  bool distinct = is_plain_distinct(select->distinctClause);
  std::vector<ClauseItem> distinct_on;
  if (distinct) {
    for (Target& target : level.targets) {
      target.expr = resolve_unknown(scope, std::move(target.expr));
      check_groupable(statement, target.expr.type, target.expr.location);
    }
    for (const SortItem& s : sort) {
      if (s.target == SIZE_MAX) {
        throw SqlError(SqlState::kInvalidColumnReference,
                       "for SELECT DISTINCT, ORDER BY expressions must appear in select list", s.expr.location);
      }
    }
  } else if (select->distinctClause != nullptr) {
    foreach (cell, select->distinctClause) {
      ClauseItem item = resolve_clause_item(scope, static_cast<Node*>(lfirst(cell)), level.targets,
                                            ExprKind::kDistinctOn, "DISTINCT ON");
      check_groupable(statement, item.target == SIZE_MAX ? item.expr.type : level.targets[item.target].expr.type,
                      item.expr.location);
      distinct_on.push_back(std::move(item));
    }
    check_distinct_on(distinct_on, sort);
    if (options.top && sort.empty()) {
      // PostgreSQL sorts to find the groups, so its rows come in that order, and programs have come to expect it.
      for (const ClauseItem& d : distinct_on) {
        SortItem& item = sort.emplace_back();
        item.target = d.target;
        if (d.target == SIZE_MAX) item.expr = d.expr.clone();
      }
    }
  }
  Tree offset = analyze_limit(scope, select->limitOffset, ExprKind::kOffset);
  Tree limit = analyze_limit(scope, select->limitCount, ExprKind::kLimit);

  if (select->lockingClause != nullptr) analyze_locking(level, select, scope.has_aggregates);
  if (scope.has_aggregates || having != nullptr) grouping.set_active();
  if (grouping.active()) {
    for (Target& target : level.targets) {
      if (target.expr.duck) grouping.check(target.expr.duck);
    }
    if (having != nullptr) grouping.check(having);
    for (SortItem& s : sort) {
      if (s.expr.duck) grouping.check(s.expr.duck);
    }
    for (ClauseItem& d : distinct_on) {
      if (d.expr.duck) grouping.check(d.expr.duck);
    }
    grouping.finish();
    if (having != nullptr && !scope.has_aggregates && select->groupClause == nullptr &&
        statement.parameter_types.empty()) {
      // One row, whatever FROM and WHERE say: they are not read.
      level.node->from_table = emit::empty();
      level.node->where_clause = nullptr;
    }
    level.node->having = std::move(having);
  }
  if (distinct || !distinct_on.empty()) {
    // What DuckDB compares by: an output's number, or a key where the type's own bytes do not tell equality.
    bool keys = false;
    if (distinct) {
      for (const Target& t : level.targets) keys |= needs_key(level, t.expr);
    } else {
      for (const ClauseItem& d : distinct_on) {
        const TypedExpr& e = d.target == SIZE_MAX ? d.expr : level.targets[d.target].expr;
        keys |= needs_key(level, e);
      }
    }
    if (keys) carry_into_subquery(level, sort, distinct_on);
    auto modifier = duckdb::make_uniq<duckdb::DistinctModifier>();
    if (distinct && keys) {
      for (const Target& t : level.targets) modifier->distinct_on_targets.push_back(key_of(level, t.expr));
    }
    for (const ClauseItem& d : distinct_on) {
      SortItem as_sort;
      as_sort.target = d.target;
      if (d.target == SIZE_MAX) as_sort.expr = d.expr.clone();
      modifier->distinct_on_targets.push_back(sort_value(level, as_sort));
    }
    level.node->modifiers.push_back(std::move(modifier));
    level.order_matters = true;
  }
  if (options.top && sort.empty() && !distinct && distinct_on.empty()) order_like_windows(level);
  apply_order_and_limit(level, select, sort, std::move(limit), std::move(offset));
}

Level analyze_level(StatementContext& statement, Scope* parent, SelectStmt* select, SelectOptions options) {
  DepthGuard guard(statement);
  Level level;
  level.scope = std::make_unique<Scope>();
  level.scope->statement = &statement;
  level.scope->parent = parent;
  if (select->intoClause != nullptr && !options.top) {
    throw SqlError(SqlState::kSyntaxError, "SELECT ... INTO is not allowed here",
                   exprLocation(reinterpret_cast<Node*>(select->intoClause)));
  }
  if (select->withClause != nullptr) analyze_with(level, select->withClause);
  if (select->op != SETOP_NONE) {
    analyze_set_operation(level, select);
  } else {
    if (select->valuesLists != nullptr && select->lockingClause != nullptr) {
      auto* clause = linitial_node(LockingClause, select->lockingClause);
      throw SqlError(SqlState::kFeatureNotSupported,
                     std::string(lock_name(clause->strength)) + " cannot be applied to VALUES");
    }
    analyze_plain_select(level, select, options);
  }
  if (!options.keep_unknown) {
    for (Target& target : level.targets) {
      if (target.expr.kind != TypedExpr::Kind::kPlain)
        target.expr = resolve_unknown(*level.scope, std::move(target.expr));
    }
  }
  if (!options.top && !level.row_marks.empty()) run_locking_first(level);
  return level;
}

SubqueryResult analyze_subquery(Scope* outer, StatementContext& statement, SelectStmt* select) {
  Level level = analyze_level(statement, outer, select);
  SubqueryResult result;
  DuckNode node = level.seal(statement);
  result.columns = level.columns(statement, "");
  result.select = emit::statement(std::move(node));
  return result;
}

namespace {

/// A view keeps its columns; a file that has others by now must not be cast into them unseen.
void check_file_column(StatementContext& statement, const catalog::View& view, size_t i, const TypedExpr& now) {
  const catalog::Column& column = view.columns[i];
  if (now.type == types::oid::kUnknown ||
      (now.type == column.type && (now.type != types::oid::kNumeric || now.typmod == column.typmod)))
    return;
  throw SqlError(SqlState::kDatatypeMismatch,
                 "column \"" + column.name + "\" of view \"" + view.name + "\" is of type " +
                     format_type(*statement.catalog, column.type, column.typmod) + ", but its file's is now of type " +
                     format_type(*statement.catalog, now.type, now.typmod))
      .hint("Create the view anew.");
}

}  // namespace

Level expand_view(StatementContext& statement, const catalog::View& view) {
  if (std::find(statement.views_in_expansion.begin(), statement.views_in_expansion.end(), view.oid) !=
      statement.views_in_expansion.end()) {
    throw SqlError(SqlState::kInvalidObjectDefinition,
                   "infinite recursion detected in rules for relation \"" + view.name + "\"");
  }
  Restore text(statement.text);
  Restore path(statement.search_path);
  Restore views(statement.views_in_expansion);
  const bool reads_files = std::exchange(statement.reads_files, false);
  statement.text = view.sql;
  statement.search_path = view.search_path;
  statement.views_in_expansion.push_back(view.oid);
  ParseTree tree(view.sql);
  if (tree.statements().size() != 1 || !IsA(tree.statements()[0].node, SelectStmt)) {
    throw SqlError(SqlState::kInternalError, "view \"" + view.name + "\" is not a SELECT");
  }
  try {
    Level level = analyze_level(statement, nullptr, reinterpret_cast<SelectStmt*>(tree.statements()[0].node));
    if (level.targets.size() != view.columns.size()) {
      throw SqlError(SqlState::kInternalError, "view \"" + view.name + "\" has a wrong number of columns");
    }
    for (size_t i = 0; i < view.columns.size(); ++i) {
      if (statement.reads_files) check_file_column(statement, view, i, level.targets[i].expr);
      level.coerce_target(i, view.columns[i].type, view.columns[i].typmod, CoercionContext::kExplicit);
    }
    for (Target& target : level.targets) target.raw = nullptr;  // the tree dies here
    for (auto& [name, window] : level.scope->windows) window = nullptr;
    statement.reads_files = statement.reads_files || reads_files;
    return level;
  } catch (SqlError& error) {
    // Places in the view's text mean nothing to who wrote the statement.
    if (statement.reads_files && error.info().code == SqlState::kUndefinedColumn) {
      error.info().detail =
          "A file that view \"" + view.name + "\" reads has other columns than it had when the view was made.";
      error.info().hint.clear();
    }
    throw SqlError(std::move(error.info()));
  }
}

ColumnDescription describe(StatementContext& statement, const std::string& name, const TypedExpr& expr) {
  ColumnDescription column;
  column.name = name;
  column.table = expr.table;
  column.attnum = expr.attnum;
  column.type = expr.type;
  column.typmod = expr.type == types::oid::kRecord ? -1 : expr.typmod;
  column.physical = expr.physical;
  // A domain is shown as its base type.
  while (const auto* domain = statement.catalog->find<catalog::DomainType>(column.type)) {
    column.type = domain->base_type;
    column.typmod = domain->typmod;
  }
  if (const types::TypeInfo* info = types::find_type(column.type)) {
    column.type_length = info->length;
  } else if (statement.catalog->find<catalog::EnumType>(column.type) != nullptr) {
    column.type_length = 4;
  }
  return column;
}

std::vector<ColumnDescription> describe_targets(StatementContext& statement, const Level& level) {
  std::vector<ColumnDescription> outputs;
  for (const Target& t : level.targets) outputs.push_back(describe(statement, t.name, t.expr));
  return outputs;
}

AnalyzedQuery analyze_query(StatementContext& statement, Node* raw) {
  AnalyzedQuery query;
  switch (nodeTag(raw)) {
    case T_SelectStmt: {
      SelectOptions options;
      options.top = true;
      Level level = analyze_level(statement, nullptr, reinterpret_cast<SelectStmt*>(raw), options);
      DuckNode node = level.seal(statement);
      query.outputs = describe_targets(statement, level);
      for (size_t i = 0; i < query.outputs.size(); ++i) query.returning.push_back(i);
      query.row_marks = std::move(level.row_marks);
      query.limit_column = level.limit_column;
      query.offset_column = level.offset_column;
      query.select = emit::statement(std::move(node));
      break;
    }
    case T_InsertStmt: query = analyze_insert(statement, nullptr, raw); break;
    case T_UpdateStmt: query = analyze_update(statement, nullptr, raw); break;
    case T_DeleteStmt: query = analyze_delete(statement, nullptr, raw); break;
    case T_MergeStmt: query = analyze_merge(statement, nullptr, raw); break;
    default: throw SqlError(SqlState::kInternalError, "analyze_query: not a query");
  }
  for (const std::shared_ptr<AnalyzedQuery>& first : statement.run_first)
    query.modifying_ctes.push_back(std::move(*first));
  statement.run_first.clear();
  query.parameter_types = statement.parameter_types;
  for (uint32_t oid : statement.relations) query.relations.push_back(Oid{oid});
  query.is_volatile = statement.has_volatile;
  query.reads_clock = statement.reads_clock;
  return query;
}

}  // namespace omendb::sql
