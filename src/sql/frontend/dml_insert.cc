// INSERT and ON CONFLICT.
#include <algorithm>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/expressionlistref.hpp"
#include "duckdb/parser/tableref/joinref.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/dml.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

const catalog::Column& column_at(const catalog::Table& table, int16_t attnum) {
  return table.columns[static_cast<size_t>(attnum) - 1];
}

// What a column may be given. True: take the default instead of the value.
bool takes_default(const catalog::Column& column, bool given, int overriding, int location) {
  auto refuse = [&](const std::string& detail, bool hint) {
    SqlError error(SqlState::kGeneratedAlways, "cannot insert a non-DEFAULT value into column \"" + column.name + "\"",
                   -1);
    error.info().detail = detail;
    if (hint) error.info().hint = "Use OVERRIDING SYSTEM VALUE to override.";
    throw error;
  };
  (void)location;
  if (!given) return true;
  if (column.identity != 0 && overriding == OVERRIDING_USER_VALUE) return true;
  if (column.identity == 'a' && overriding != OVERRIDING_SYSTEM_VALUE) {
    refuse("Column \"" + column.name + "\" is an identity column defined as GENERATED ALWAYS.", true);
  }
  if (column.generated) refuse("Column \"" + column.name + "\" is a generated column.", false);
  return false;
}

struct InsertColumns {
  std::vector<int16_t> attnums;
  std::vector<int> locations;
  std::vector<List*> parts;  // INSERT INTO t (a[1], c.f): what of the column each value goes to; null: all of it
  bool given = false;
};

InsertColumns insert_columns(const TargetRows& target, List* list, const std::string& relation) {
  InsertColumns columns;
  if (list == nullptr) {
    for (size_t i = 0; i < target.attnums.size(); ++i) columns.attnums.push_back(target.attnums[i]);
    columns.locations.assign(columns.attnums.size(), -1);
    columns.parts.assign(columns.attnums.size(), nullptr);
    return columns;
  }
  columns.given = true;
  ListCell* cell = nullptr;
  foreach (cell, list) {
    auto* name = lfirst_node(ResTarget, cell);
    int16_t attnum = target_attnum(target, relation, name->name, name->location, DmlVerb::kInsert);
    const auto before = std::find(columns.attnums.begin(), columns.attnums.end(), attnum);
    if (before != columns.attnums.end() &&
        (name->indirection == nullptr ||
         columns.parts[static_cast<size_t>(before - columns.attnums.begin())] == nullptr)) {
      throw SqlError(SqlState::kDuplicateColumn, std::string("column \"") + name->name + "\" specified more than once",
                     name->location);
    }
    columns.attnums.push_back(attnum);
    columns.locations.push_back(name->location);
    columns.parts.push_back(name->indirection);
  }
  return columns;
}

void check_count(const InsertColumns& columns, size_t expressions, int extra_location) {
  if (expressions > columns.attnums.size()) {
    throw SqlError(SqlState::kSyntaxError, "INSERT has more expressions than target columns", extra_location);
  }
  if (columns.given && expressions < columns.attnums.size()) {
    throw SqlError(SqlState::kSyntaxError, "INSERT has more target columns than expressions",
                   columns.locations[expressions]);
  }
}

void check_updatable(const TargetRows& target, const InsertColumns& columns, size_t count,
                     const std::string& relation) {
  for (size_t i = 0; i < std::min(count, columns.attnums.size()); ++i) {  // more of them are refused later
    if (columns.attnums[i] != 0) continue;
    size_t at = 0;
    for (const ScopeColumn& column : target.item.columns) {
      if (!column.hidden && target.attnums[at++] == 0) {
        target_attnum(target, relation, column.name, -1, DmlVerb::kInsert);
      }
    }
  }
}

// VALUES with one row: its expressions are the values.
void single_row(Scope& scope, List* list, const InsertColumns& columns, int overriding, RowBuilder& row) {
  size_t i = 0;
  ListCell* cell = nullptr;
  check_count(columns, static_cast<size_t>(list_length(list)),
              static_cast<size_t>(list_length(list)) > columns.attnums.size()
                  ? exprLocation(static_cast<Node*>(list_nth(list, static_cast<int>(columns.attnums.size()))))
                  : -1);
  std::map<int16_t, TypedExpr> partial;
  foreach (cell, list) {
    const catalog::Column& column = column_at(row.table(), columns.attnums[i]);
    auto* node = static_cast<Node*>(lfirst(cell));
    if (List* part = columns.parts[i++]) {
      if (is_default(node))
        throw SqlError(SqlState::kFeatureNotSupported, "cannot set an array element to DEFAULT", exprLocation(node));
      if (!partial.contains(column.attnum))
        partial[column.attnum] = typed_null(*scope.statement, column.type, column.typmod, -1);
      TypedExpr value = analyze_expr(scope, node, ExprKind::kValues);
      value.location = exprLocation(node);
      partial[column.attnum] = assign_part(scope, std::move(partial[column.attnum]), part, column.name,
                                           std::move(value), ExprKind::kInsertTarget, columns.locations[i - 1]);
      continue;
    }
    TypedExpr value = analyze_insert_value(scope, node, row.table(), column, overriding, ExprKind::kValues);
    if (!column.generated) row.set(column.attnum, std::move(value));
  }
  for (auto& [attnum, value] : partial)
    row.set(attnum, assign(scope, std::move(value), column_at(row.table(), attnum)));
}

void refuse_parts(const InsertColumns& columns) {
  for (size_t i = 0; i < columns.parts.size(); ++i) {
    if (columns.parts[i] != nullptr)
      not_supported("assignment to an array element or field from several rows", columns.locations[i]);
  }
}

// VALUES with several rows: a list of rows, each value assigned to its column's type on its own.
duckdb::unique_ptr<duckdb::SelectNode> many_rows(Scope& scope, List* rows, const InsertColumns& columns, int overriding,
                                                 RowBuilder& row) {
  refuse_parts(columns);
  StatementContext& statement = *scope.statement;
  std::string alias = statement.new_alias("v");
  auto values = duckdb::make_uniq<duckdb::ExpressionListRef>();
  values->alias = alias;
  size_t width = static_cast<size_t>(list_length(static_cast<List*>(linitial(rows))));
  ListCell* cell = nullptr;
  foreach (cell, rows) {
    auto* list = static_cast<List*>(lfirst(cell));
    if (static_cast<size_t>(list_length(list)) != width) {
      throw SqlError(SqlState::kSyntaxError, "VALUES lists must all be the same length",
                     exprLocation(reinterpret_cast<Node*>(list)));
    }
    check_count(columns, width,
                width > columns.attnums.size()
                    ? exprLocation(static_cast<Node*>(list_nth(list, static_cast<int>(columns.attnums.size()))))
                    : -1);
    duckdb::vector<Tree> out;
    size_t i = 0;
    ListCell* item = nullptr;
    foreach (item, list) {
      const catalog::Column& column = column_at(row.table(), columns.attnums[i++]);
      TypedExpr value = analyze_insert_value(scope, static_cast<Node*>(lfirst(item)), row.table(), column, overriding,
                                             ExprKind::kValues);
      if (!column.generated) out.push_back(owned(std::move(value.duck)));
    }
    values->values.push_back(std::move(out));
  }
  scope.duck_aliases.insert(alias);
  for (size_t i = 0; i < width; ++i) {
    const catalog::Column& column = column_at(row.table(), columns.attnums[i]);
    if (column.generated) continue;
    std::string name = "c" + std::to_string(column.attnum);
    values->expected_names.push_back(name);
    values->expected_types.push_back(duck_type(base_type_of(statement, column.type), column.physical));
    TypedExpr reference;
    reference.duck = emit::column(alias, name);
    row.set(column.attnum, std::move(reference));
  }
  auto source = emit::select();
  if (values->expected_names.empty()) {
    // Only generated columns were named: the rows count, nothing else.
    values->expected_names.push_back("c0");
    values->expected_types.push_back(duckdb::LogicalType::BOOLEAN);
    for (auto& out : values->values) out.push_back(emit::boolean(true));
  }
  source->from_table = std::move(values);
  return source;
}

duckdb::unique_ptr<duckdb::SelectNode> from_select(Scope& scope, SelectStmt* select, const InsertColumns& columns,
                                                   int overriding, RowBuilder& row,
                                                   duckdb::CommonTableExpressionMap& ctes) {
  refuse_parts(columns);
  SelectOptions options;
  options.keep_unknown = true;
  Level level = analyze_level(*scope.statement, &scope, select, options);
  int extra = -1;
  if (level.targets.size() > columns.attnums.size() && level.targets[columns.attnums.size()].raw != nullptr) {
    extra = exprLocation(level.targets[columns.attnums.size()].raw);
  }
  check_count(columns, level.targets.size(), extra);
  // Unknown literals take the column's type where they stand; then anything that a default must not be computed below
  // of (grouping, sorting, row-making functions) or before (what may draw from the same sequence) goes into a subquery.
  std::vector<bool> assigned(level.targets.size());
  for (size_t i = 0; i < level.targets.size(); ++i) {
    if (level.targets[i].expr.kind == TypedExpr::Kind::kPlain) continue;
    level.targets[i].expr = assign(scope, std::move(level.targets[i].expr), column_at(row.table(), columns.attnums[i]));
    assigned[i] = true;
  }
  bool plain = level.node != nullptr && !level.order_matters && !level.scope->has_aggregates &&
               level.node->groups.group_expressions.empty() && level.node->having == nullptr &&
               level.node->groups.grouping_sets.empty();
  for (const Target& t : level.targets)
    plain = plain && !t.expr.has_window && !t.expr.returns_set && !t.expr.is_volatile;
  if (!plain) {
    level.order_matters = true;
    level.open(*scope.statement);
  }
  for (size_t i = 0; i < level.targets.size(); ++i) {
    const catalog::Column& column = column_at(row.table(), columns.attnums[i]);
    if (takes_default(column, true, overriding, -1)) continue;
    TypedExpr value = std::move(level.targets[i].expr);
    if (level.targets[i].raw != nullptr) value.location = exprLocation(level.targets[i].raw);
    if (!assigned[i]) value = assign(scope, std::move(value), column);
    row.set(column.attnum, std::move(value));
  }
  for (const std::string& alias : level.scope->duck_aliases) scope.duck_aliases.insert(alias);
  for (auto& [name, info] : level.ctes.map) ctes.map.insert(name, std::move(info));
  return std::move(level.node);
}

}  // namespace

TypedExpr analyze_insert_value(Scope& scope, Node* node, const catalog::Table& table, const catalog::Column& column,
                               int overriding, ExprKind kind) {
  if (takes_default(column, !is_default(node), overriding, exprLocation(node))) {
    if (column.generated) return TypedExpr();
    if (!is_default(node)) analyze_expr(scope, node, kind);  // for its errors
    return default_value(scope, table, column);
  }
  TypedExpr value = analyze_expr(scope, node, kind);
  if (exprLocation(node) >= 0) value.location = exprLocation(node);
  return assign(scope, std::move(value), column);
}

AnalyzedQuery analyze_insert(StatementContext& statement, Scope* parent, Node* raw) {
  auto* stmt = reinterpret_cast<InsertStmt*>(raw);
  AnalyzedQuery query;
  query.kind = QueryKind::kInsert;
  Scope scope;
  scope.statement = &statement;
  scope.parent = parent;
  duckdb::CommonTableExpressionMap ctes;
  if (stmt->withClause != nullptr) analyze_with(scope, ctes, stmt->withClause);

  // The alias is only known once the builder exists, which needs the table.
  std::string probe = statement.new_alias("n");
  TargetRows target = open_target(statement, stmt->relation, probe, DmlVerb::kInsert);
  const catalog::Table& table = *target.table;
  query.target = table.oid;
  RowBuilder row(scope, table);
  std::string relation = stmt->relation->relname;
  InsertColumns columns = insert_columns(target, stmt->cols, relation);

  auto* select = reinterpret_cast<SelectStmt*>(stmt->selectStmt);
  int overriding = stmt->override;
  duckdb::unique_ptr<duckdb::SelectNode> source;
  bool values = select != nullptr && select->valuesLists != nullptr && select->sortClause == nullptr &&
                select->limitOffset == nullptr && select->limitCount == nullptr && select->lockingClause == nullptr &&
                select->withClause == nullptr;
  if (select == nullptr) {
    source = emit::select();
    source->from_table = emit::empty();
  } else if (values) {
    check_updatable(target, columns,
                    static_cast<size_t>(list_length(static_cast<List*>(linitial(select->valuesLists)))), relation);
    if (list_length(select->valuesLists) == 1) {
      source = emit::select();
      source->from_table = emit::empty();
      single_row(scope, static_cast<List*>(linitial(select->valuesLists)), columns, overriding, row);
    } else {
      source = many_rows(scope, select->valuesLists, columns, overriding, row);
    }
  } else {
    check_updatable(target, columns, columns.attnums.size(), relation);
    source = from_select(scope, select, columns, overriding, row, ctes);
  }
  row.fill("");
  row.derive();

  TargetRows new_row = open_target(statement, stmt->relation, row.new_row(), DmlVerb::kInsert);
  row.add_view_checks(new_row);
  add_xmax(new_row.item, duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(0)));
  std::vector<Target> returning =
      analyze_returning(scope, statement, stmt->returningList, std::move(new_row.item), {}, row.new_row());
  query.has_returning = stmt->returningList != nullptr;
  describe_returning(statement, returning, &query);
  if (stmt->onConflictClause != nullptr) {
    std::unique_ptr<ConflictClause> conflict =
        analyze_on_conflict(scope, stmt->onConflictClause, stmt->relation, target, stmt->returningList, nullptr);
    query.conflict = std::move(*conflict);
  }
  row.set_returning(std::move(returning));
  WriteAction action;
  action.kind = WriteAction::Kind::kInsert;
  DuckNode node = row.build(std::move(source), &action, &query.returning);
  if (query.conflict && query.conflict->update) {
    duckdb::CommonTableExpressionMap copy = ctes.Copy();
    attach_ctes(query.conflict->update->node, copy);
  }
  attach_ctes(node, ctes);
  query.actions.push_back(std::move(action));
  query.select = emit::statement(std::move(node));
  return query;
}

namespace {

bool unique_over(const catalog::Index& index, const std::set<int16_t>& attnums) {
  std::set<int16_t> keys;
  for (const catalog::IndexKey& key : index.keys) keys.insert(key.attnum);
  return keys == attnums;
}

// The indexes that ON CONFLICT (...) means. Errors: 42P10.
std::vector<Oid> infer_arbiters(Scope& scope, InferClause* infer, const RangeVar* var, const TargetRows& target) {
  StatementContext& statement = *scope.statement;
  const catalog::Table& table = *target.table;
  std::vector<Oid> arbiters;
  if (infer->conname != nullptr) {
    for (const catalog::Constraint& constraint : table.constraints) {
      if (constraint.name != infer->conname) continue;
      if (constraint.index == kInvalidOid) {
        throw SqlError(SqlState::kWrongObjectType, "constraint in ON CONFLICT clause has no associated index");
      }
      arbiters.push_back(constraint.index);
      return arbiters;
    }
    throw SqlError(SqlState::kUndefinedObject, std::string("constraint \"") + infer->conname + "\" for table \"" +
                                                   table.name + "\" does not exist");
  }
  std::string alias = statement.new_alias("i");
  Scope here;
  here.statement = &statement;
  TargetRows rows = open_target(statement, var, alias, DmlVerb::kInsert);
  here.items.push_back(rows.item);
  here.duck_aliases.insert(alias);
  std::set<int16_t> attnums;
  std::vector<Tree> expressions;
  ListCell* cell = nullptr;
  foreach (cell, infer->indexElems) {
    auto* element = lfirst_node(IndexElem, cell);
    if (element->ordering != SORTBY_DEFAULT || element->nulls_ordering != SORTBY_NULLS_DEFAULT) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     element->ordering != SORTBY_DEFAULT ? "ASC/DESC is not allowed in ON CONFLICT clause"
                                                         : "NULLS FIRST/LAST is not allowed in ON CONFLICT clause",
                     exprLocation(reinterpret_cast<Node*>(infer)));
    }
    Tree e;
    if (element->name != nullptr) {
      const ScopeColumn* column = find_column_here(here, element->name, -1);
      if (column == nullptr) {
        throw SqlError(SqlState::kUndefinedColumn, std::string("column \"") + element->name + "\" does not exist",
                       infer->location);
      }
      e = owned(column_expr(*column, -1).duck);
    } else {
      e = owned(analyze_expr(here, element->expr, ExprKind::kIndexExpression).duck);
    }
    if (e->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
      attnums.insert(static_cast<int16_t>(std::stoi(e->Cast<duckdb::ColumnRefExpression>().column_names[1].substr(1))));
    } else if (std::none_of(expressions.begin(), expressions.end(), [&](const Tree& x) { return x->Equals(*e); })) {
      expressions.push_back(std::move(e));
    }
  }
  Tree predicate;
  if (infer->whereClause != nullptr) {
    predicate = boolean_tree(here, analyze_expr(here, infer->whereClause, ExprKind::kIndexPredicate), "WHERE");
  }
  for (Oid oid : table.indexes) {
    const auto* index = statement.catalog->find<catalog::Index>(oid);
    if (index == nullptr || !index->unique) continue;
    std::set<int16_t> wanted = attnums;
    if (!expressions.empty()) wanted.insert(0);
    if (!unique_over(*index, wanted)) continue;
    size_t matched = 0, own = 0;
    for (const catalog::IndexKey& key : index->keys) {
      if (key.attnum != 0) continue;
      ++own;
      Tree e = owned(
          analyze_table_expression(statement, &table, alias, key.expression_sql, ExprKind::kIndexExpression).duck);
      matched +=
          std::any_of(expressions.begin(), expressions.end(), [&](const Tree& x) { return x->Equals(*e); }) ? 1 : 0;
    }
    if (matched != own || own < expressions.size()) continue;
    if (!index->predicate_sql.empty()) {
      // The clause's WHERE has to imply the index's: here, to be the same.
      if (predicate == nullptr) continue;
      TypedExpr of_index =
          analyze_table_expression(statement, &table, alias, index->predicate_sql, ExprKind::kIndexPredicate);
      if (!boolean_tree(here, std::move(of_index), "WHERE")->Equals(*predicate)) continue;
    }
    arbiters.push_back(oid);
  }
  if (arbiters.empty()) {
    throw SqlError(SqlState::kInvalidColumnReference,
                   "there is no unique or exclusion constraint matching the ON CONFLICT specification");
  }
  return arbiters;
}

}  // namespace

std::unique_ptr<ConflictClause> analyze_on_conflict(Scope& outer, void* clause, const RangeVar* var,
                                                    const TargetRows& target, List* returning_list,
                                                    std::vector<Target>*) {
  auto* on_conflict = static_cast<OnConflictClause*>(clause);
  StatementContext& statement = *outer.statement;
  auto result = std::make_unique<ConflictClause>();
  if (on_conflict->infer == nullptr) {
    if (on_conflict->action == ONCONFLICT_UPDATE) {
      throw SqlError(SqlState::kSyntaxError,
                     "ON CONFLICT DO UPDATE requires inference specification or constraint name", on_conflict->location)
          .hint("For example, ON CONFLICT (column_name).");
    }
    result->any_index = true;
    return result;
  }
  result->arbiters = infer_arbiters(outer, on_conflict->infer, var, target);
  if (on_conflict->action != ONCONFLICT_UPDATE) return result;

  result->do_update = true;
  std::string existing = statement.new_alias("e"), proposed = statement.new_alias("x");
  Scope scope;
  scope.statement = &statement;
  scope.parent = &outer;
  TargetRows rows = open_target(statement, var, existing, DmlVerb::kUpdate);
  TargetRows excluded = open_target(statement, var, proposed, DmlVerb::kUpdate);
  excluded.item.alias = "excluded";
  excluded.item.schema.clear();
  excluded.item.columns_visible = false;
  for (ScopeColumn& column : excluded.item.columns) {
    column.table = kInvalidOid;
    column.attnum = 0;
  }
  scope.items = {rows.item, excluded.item};
  scope.duck_aliases = {existing, proposed};

  RowBuilder row(scope, *target.table);
  result->action.kind = WriteAction::Kind::kUpdate;
  result->action.changed = analyze_set_clause(scope, on_conflict->targetList, rows, var->relname, row);
  Tree condition = emit::boolean(true);
  if (on_conflict->whereClause != nullptr) {
    condition = boolean_tree(scope, analyze_expr(scope, on_conflict->whereClause, ExprKind::kWhere), "WHERE");
  }
  row.fill(existing);
  row.derive();
  row.add_leading(std::move(condition));
  TargetRows new_row = open_target(statement, var, row.new_row(), DmlVerb::kUpdate);
  row.add_view_checks(new_row);
  // The row was locked before it was updated, and that is what PostgreSQL's new version says.
  add_xmax(new_row.item, emit::cast(emit::call("omen_pg_current_xact_id", {}), duckdb::LogicalType::UINTEGER));
  row.set_returning(analyze_returning(scope, statement, returning_list, std::move(new_row.item), {}, row.new_row()));

  auto source = emit::select();
  auto join = duckdb::make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::REGULAR);
  join->left = emit::table_function("omen_rows", emit::integer(0), existing);
  join->right = emit::table_function("omen_rows", emit::integer(1), proposed);
  join->condition = emit::compare(duckdb::ExpressionType::COMPARE_EQUAL, emit::column(existing, "_ordinal"),
                                  emit::column(proposed, "_ordinal"));
  source->from_table = std::move(join);
  DuckNode node = row.build(std::move(source), &result->action, &result->returning);
  result->update = emit::statement(std::move(node));
  return result;
}

}  // namespace omendb::sql
