#include "sql/frontend/dml.h"

#include <algorithm>

#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

using duckdb::ExpressionClass;

namespace {

std::string column_name(int16_t attnum) { return "c" + std::to_string(attnum); }

int16_t attnum_of(const std::string& column) { return static_cast<int16_t>(std::stoi(column.substr(1))); }

const char* verb_phrase(DmlVerb verb) {
  switch (verb) {
    case DmlVerb::kInsert: return "insert into";
    case DmlVerb::kUpdate: return "update";
    case DmlVerb::kDelete: return "delete from";
    default: return "merge into";
  }
}

[[noreturn]] void throw_not_updatable(const std::string& view, DmlVerb verb, const std::string& detail) {
  const char* doing = verb == DmlVerb::kInsert   ? "inserting into"
                      : verb == DmlVerb::kUpdate ? "updating"
                                                 : "deleting from";
  const char* event = verb == DmlVerb::kInsert ? "INSERT" : verb == DmlVerb::kUpdate ? "UPDATE" : "DELETE";
  throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                 std::string("cannot ") + verb_phrase(verb) + " view \"" + view + "\"")
      .detail(detail)
      .hint(std::string("To enable ") + doing + " the view, provide an INSTEAD OF " + event +
            " trigger or an unconditional ON " + event + " DO INSTEAD rule.");
}

// Why a view cannot be written through; null if nothing in its outline forbids it.
const char* not_updatable_reason(const SelectStmt* select) {
  if (select->distinctClause != nullptr) return "Views containing DISTINCT are not automatically updatable.";
  if (select->groupClause != nullptr) return "Views containing GROUP BY are not automatically updatable.";
  if (select->havingClause != nullptr) return "Views containing HAVING are not automatically updatable.";
  if (select->op != SETOP_NONE) return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
  if (select->withClause != nullptr) return "Views containing WITH are not automatically updatable.";
  if (select->limitCount != nullptr || select->limitOffset != nullptr) {
    return "Views containing LIMIT or OFFSET are not automatically updatable.";
  }
  if (list_length(select->fromClause) != 1 || !IsA(linitial(select->fromClause), RangeVar)) {
    return "Views that do not select from a single table or view are not automatically updatable.";
  }
  return nullptr;
}

const char* not_updatable_reason(const TypedExpr& output) {
  if (output.has_aggregate) return "Views that return aggregate functions are not automatically updatable.";
  if (output.has_window) return "Views that return window functions are not automatically updatable.";
  if (output.returns_set) return "Views that return set-returning functions are not automatically updatable.";
  return nullptr;
}

TargetRows open_relation_rows(StatementContext& statement, const Relation& relation, const std::string& duck_alias,
                              DmlVerb verb);

/// A check that null does not pass, as it passes a CHECK constraint.
Tree must_hold(const duckdb::ParsedExpression& condition) {
  return emit::coalesce(condition.Copy(), emit::boolean(false));
}

TargetRows view_rows(StatementContext& statement, const catalog::View& view, const std::string& duck_alias,
                     DmlVerb verb) {
  DepthGuard guard(statement);
  Restore text(statement.text);
  Restore path(statement.search_path);
  Restore views(statement.views_in_expansion);
  statement.text = view.sql;
  statement.search_path = view.search_path;
  statement.views_in_expansion.push_back(view.oid);
  ParseTree tree(view.sql);
  auto* select = reinterpret_cast<SelectStmt*>(tree.statements()[0].node);
  if (const char* reason = not_updatable_reason(select)) throw_not_updatable(view.name, verb, reason);
  auto* var = linitial_node(RangeVar, select->fromClause);
  TargetRows base = open_relation_rows(statement, open_relation(statement, var), duck_alias, verb);
  base.item.alias = var->relname;
  base.item.schema.clear();
  apply_alias(base.item, var->alias);

  Scope scope;
  scope.statement = &statement;
  scope.items.push_back(base.item);
  scope.duck_aliases.insert(duck_alias);
  std::vector<Target> targets = analyze_targets(scope, select->targetList, ExprKind::kSelectTarget);
  TargetRows rows;
  rows.table = base.table;
  rows.where = std::move(base.where);
  rows.checks = std::move(base.checks);
  rows.item.relation = view.oid;
  rows.item.kind = 's';
  rows.item.alias = view.name;
  for (size_t i = 0; i < targets.size(); ++i) {
    TypedExpr& e = targets[i].expr;
    if (const char* reason = not_updatable_reason(e)) throw_not_updatable(view.name, verb, reason);
    e = resolve_unknown(scope, std::move(e));
    ScopeColumn column;
    column.name = i < view.columns.size() ? view.columns[i].name : targets[i].name;
    column.type = e.type;
    column.typmod = e.typmod;
    column.physical = e.physical;
    column.table = view.oid;
    column.attnum = static_cast<int16_t>(i + 1);
    int16_t attnum = 0;
    if (e.duck->GetExpressionClass() == ExpressionClass::COLUMN_REF) {
      const auto& ref = e.duck->Cast<duckdb::ColumnRefExpression>();
      column.duck_alias = ref.column_names[0];
      column.duck_name = ref.column_names[1];
      attnum = attnum_of(column.duck_name);
    } else {
      column.merged = std::shared_ptr<const duckdb::ParsedExpression>(std::move(e.duck));
    }
    rows.item.columns.push_back(std::move(column));
    rows.attnums.push_back(attnum);
  }
  if (select->whereClause != nullptr) {
    Tree where = boolean_tree(scope, analyze_expr(scope, select->whereClause, ExprKind::kWhere), "WHERE");
    if (view.check_option != 0) rows.checks.push_back({must_hold(*where), view.name});
    rows.where = emit::conjunction(std::move(rows.where), std::move(where));
  }
  if (view.check_option == 'c' && rows.checks.empty() && rows.where != nullptr) {
    rows.checks.push_back({must_hold(*rows.where), view.name});
  }
  return rows;
}

TargetRows open_relation_rows(StatementContext& statement, const Relation& relation, const std::string& duck_alias,
                              DmlVerb verb) {
  if (relation.system != nullptr) {
    throw SqlError(SqlState::kInsufficientPrivilege,
                   relation.system->kind == 'v' || relation.schema == "information_schema"
                       ? "permission denied for view " + relation.name
                       : "permission denied: \"" + relation.name + "\" is a system catalog");
  }
  if (relation.view != nullptr) {
    if (verb == DmlVerb::kMerge) not_supported("MERGE into a view");
    return view_rows(statement, *relation.view, duck_alias, verb);
  }
  if (relation.table == nullptr) {
    const auto* sequence = statement.catalog->find<catalog::Sequence>(relation.oid);
    throw SqlError(SqlState::kWrongObjectType,
                   "cannot change sequence \"" + (sequence ? sequence->name : relation.name) + "\"");
  }
  if (relation.table->is_materialized_view()) {
    if (verb != DmlVerb::kMerge)
      throw SqlError(SqlState::kWrongObjectType, "cannot change materialized view \"" + relation.name + "\"");
    throw SqlError(SqlState::kFeatureNotSupported, "cannot execute MERGE on relation \"" + relation.name + "\"")
        .detail("This operation is not supported for materialized views.");
  }
  TargetRows rows;
  rows.table = relation.table;
  rows.item.alias = relation.name;
  rows.item.schema = relation.schema;
  rows.item.relation = relation.oid;
  rows.item.kind = 't';
  rows.item.columns = table_columns(*relation.table, duck_alias);
  for (const ScopeColumn& column : rows.item.columns) {
    if (!column.hidden) rows.attnums.push_back(column.attnum);
  }
  return rows;
}

bool is_simple(const duckdb::ParsedExpression& e) {
  switch (e.GetExpressionClass()) {
    case ExpressionClass::CONSTANT:
    case ExpressionClass::PARAMETER:
    case ExpressionClass::COLUMN_REF: return true;
    case ExpressionClass::CAST: return is_simple(*e.Cast<duckdb::CastExpression>().child);
    default: return false;
  }
}

// Small enough to be computed twice rather than to stand in the way of a direct plan.
bool is_cheap(const duckdb::ParsedExpression& e, int* budget) {
  if (--*budget < 0 || e.GetExpressionClass() == ExpressionClass::SUBQUERY) return false;
  bool cheap = true;
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      e, [&](const duckdb::ParsedExpression& child) { cheap = cheap && is_cheap(child, budget); });
  return cheap;
}

}  // namespace

const char* why_not_updatable(StatementContext& statement, const SelectStmt* select) {
  const char* const no_columns = "Views that have no updatable columns are not automatically updatable.";
  if (const char* reason = not_updatable_reason(select)) return reason;
  const auto* var = linitial_node(RangeVar, select->fromClause);
  const Relation relation = open_relation(statement, var);
  bool column = false;
  if (relation.table == nullptr) {  // what the view below can do is not asked
    ListCell* cell;
    foreach (cell, select->targetList) column |= IsA(lfirst_node(ResTarget, cell)->val, ColumnRef);
    return column ? nullptr : no_columns;
  }
  if (relation.table->is_materialized_view())
    return "Views that do not select from a single table or view are not automatically updatable.";
  const std::string alias = statement.new_alias("t");
  TargetRows base = open_relation_rows(statement, relation, alias, DmlVerb::kUpdate);
  base.item.alias = var->relname;
  base.item.schema.clear();
  apply_alias(base.item, var->alias);
  Scope scope;
  scope.statement = &statement;
  scope.items.push_back(base.item);
  scope.duck_aliases.insert(alias);
  for (const Target& target : analyze_targets(scope, select->targetList, ExprKind::kSelectTarget)) {
    const TypedExpr& e = target.expr;
    if (const char* reason = not_updatable_reason(e)) return reason;
    column |= e.duck != nullptr && e.duck->GetExpressionClass() == ExpressionClass::COLUMN_REF;
  }
  return column ? nullptr : no_columns;
}

TargetRows open_target(StatementContext& statement, const RangeVar* var, const std::string& duck_alias, DmlVerb verb) {
  Relation relation = open_relation(statement, var);
  TargetRows rows = open_relation_rows(statement, relation, duck_alias, verb);
  rows.item.alias = var->alias != nullptr ? var->alias->aliasname : var->relname;
  if (var->alias != nullptr) {
    rows.item.schema.clear();
  } else {
    rows.item.schema = relation.schema;
  }
  return rows;
}

int16_t target_attnum(const TargetRows& target, const std::string& relation, const std::string& name, int location,
                      DmlVerb verb) {
  size_t i = 0;
  for (const ScopeColumn& column : target.item.columns) {
    if (column.hidden) {
      if (column.name == name) {
        throw SqlError(SqlState::kFeatureNotSupported, "cannot assign to system column \"" + name + "\"", location);
      }
      continue;
    }
    if (column.name == name) {
      if (target.attnums[i] == 0) {
        throw SqlError(SqlState::kFeatureNotSupported, std::string("cannot ") +
                                                           (verb == DmlVerb::kInsert ? "insert into" : "update") +
                                                           " column \"" + name + "\" of view \"" + relation + "\"")
            .detail("View columns that are not columns of their base relation are not updatable.");
      }
      return target.attnums[i];
    }
    ++i;
  }
  throw SqlError(SqlState::kUndefinedColumn, "column \"" + name + "\" of relation \"" + relation + "\" does not exist",
                 location);
}

TypedExpr assign(Scope& scope, TypedExpr value, const catalog::Column& column) {
  int location = value.location;
  Oid given = value.type;
  std::optional<TypedExpr> result =
      try_coerce(scope, std::move(value), column.type, column.typmod, CoercionContext::kAssignment);
  if (!result) {
    const catalog::Catalog& catalog = *scope.statement->catalog;
    throw SqlError(SqlState::kDatatypeMismatch,
                   "column \"" + column.name + "\" is of type " + format_type(catalog, column.type, -1) +
                       " but expression is of type " + format_type(catalog, given, -1),
                   location)
        .hint("You will need to rewrite or cast the expression.");
  }
  *result = without_spaces(std::move(*result));
  bool decimal = result->physical.is_decimal() || column.physical.is_decimal();
  if (decimal && !(result->physical == column.physical))
    *result = to_numeric_form(scope, std::move(*result), column.physical);
  return std::move(*result);
}

bool is_default(const Node* node) { return IsA(node, SetToDefault); }

TypedExpr analyze_table_expression(StatementContext& statement, const catalog::Table* table,
                                   const std::string& duck_alias, std::string_view sql, ExprKind kind) {
  std::string text = "SELECT " + std::string(sql);
  Restore saved_text(statement.text);
  statement.text = text;
  ParseTree tree(text);
  auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
  auto* target = linitial_node(ResTarget, select->targetList);
  Scope scope;
  scope.statement = &statement;
  if (table != nullptr) {
    ScopeItem item;
    item.alias = table->name;
    item.relation = table->oid;
    item.kind = 't';
    item.columns = table_columns(*table, duck_alias);
    scope.items.push_back(std::move(item));
    scope.duck_aliases.insert(duck_alias);
  }
  try {
    return resolve_unknown(scope, analyze_expr(scope, target->val, kind));
  } catch (SqlError& error) {
    throw SqlError(std::move(error.info()));  // the places are not the statement's
  }
}

TypedExpr default_value(Scope& scope, const catalog::Table& table, const catalog::Column& column) {
  StatementContext& statement = *scope.statement;
  std::string sql = column.generated ? "" : column.default_sql;
  Oid type = column.type;
  while (sql.empty()) {
    const auto* domain = statement.catalog->find<catalog::DomainType>(type);
    if (domain == nullptr) break;
    sql = domain->default_sql;
    type = domain->base_type;
  }
  if (sql.empty() && statement.catalog->find<catalog::DomainType>(column.type) == nullptr) {
    TypedExpr null;
    null.duck = emit::null_of(duck_type(base_type_of(statement, column.type), column.physical));
    null.type = column.type;
    null.typmod = column.typmod;
    null.physical = column.physical;
    return null;
  }
  if (sql.empty()) {
    TypedExpr null;
    null.kind = TypedExpr::Kind::kNull;
    null.type = types::oid::kUnknown;
    return assign(scope, std::move(null), column);
  }
  return assign(scope, analyze_table_expression(statement, &table, "", sql, ExprKind::kColumnDefault), column);
}

void substitute_columns(Tree& tree, const std::string& alias, const std::function<Tree(const std::string&)>& value) {
  visit_expressions(tree, [&](Tree& e) {
    if (e->GetExpressionClass() != ExpressionClass::COLUMN_REF) return true;
    const auto& ref = e->Cast<duckdb::ColumnRefExpression>();
    if (ref.column_names.size() != 2 || ref.column_names[0] != alias) return false;
    if (Tree replacement = value(ref.column_names[1])) replace(e, std::move(replacement));
    return false;
  });
}

RowBuilder::RowBuilder(Scope& scope, const catalog::Table& table)
    : scope_(scope),
      table_(table),
      new_row_(scope.statement->new_alias("n")),
      values_(table.columns.size()),
      volatile_(table.columns.size()) {}

void RowBuilder::set(int16_t attnum, TypedExpr value) {
  size_t i = static_cast<size_t>(attnum) - 1;
  values_[i] = owned(std::move(value.duck));
  volatile_[i] = value.is_volatile;
}

void RowBuilder::fill(const std::string& old_row) {
  for (const catalog::Column& column : table_.columns) {
    if (column.dropped || column.generated || is_set(column.attnum)) continue;
    if (old_row.empty()) {
      set(column.attnum, default_value(scope_, table_, column));
    } else {
      values_[static_cast<size_t>(column.attnum) - 1] = emit::column(old_row, column_name(column.attnum));
    }
  }
}

void RowBuilder::derive() {
  for (const catalog::Column& column : table_.columns) {
    if (column.dropped || !column.generated) continue;
    TypedExpr value =
        assign(scope_,
               analyze_table_expression(statement(), &table_, new_row_, column.default_sql, ExprKind::kGeneratedColumn),
               column);
    generated_[column.attnum] = owned(std::move(value.duck));
  }
  for (const catalog::Constraint& constraint : table_.constraints) {
    if (constraint.kind != catalog::Constraint::Kind::kCheck) continue;
    TypedExpr condition =
        analyze_table_expression(statement(), &table_, new_row_, constraint.check_sql, ExprKind::kCheckConstraint);
    checks_.push_back({boolean_tree(scope_, std::move(condition), "CHECK"), constraint.name, false});
  }
  // The first by name is the one that a row is said to violate.
  std::sort(checks_.begin(), checks_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
}

void RowBuilder::add_view_checks(const TargetRows& at_new_row) {
  for (const TargetRows::Check& check : at_new_row.checks)
    checks_.push_back({check.condition->Copy(), check.view, true});
}

size_t RowBuilder::add_leading(Tree value) {
  leading_.push_back(std::move(value));
  return leading_.size() - 1;
}

// Generated columns stand for their expressions, which are immutable; other columns for `value`.
void RowBuilder::substitute(Tree& tree, const std::function<Tree(int16_t)>& value) const {
  substitute_columns(tree, new_row_, [&](const std::string& column) -> Tree {
    if (column == "_key") return emit::boolean(true);  // only tableoid asks, for whether there is a row
    int16_t attnum = attnum_of(column);
    if (auto generated = generated_.find(attnum); generated != generated_.end()) {
      Tree copy = generated->second->Copy();
      substitute_columns(copy, new_row_, [&](const std::string& inner) { return value(attnum_of(inner)); });
      return copy;
    }
    return value(attnum);
  });
}

bool RowBuilder::must_nest() {
  // Values that something else reads as well.
  std::vector<int> uses(values_.size());
  auto count = [&](const duckdb::ParsedExpression& e) {
    Tree copy = e.Copy();
    substitute_columns(copy, new_row_, [&](const std::string& column) -> Tree {
      if (column == "_key") return nullptr;
      int16_t attnum = attnum_of(column);
      auto generated = generated_.find(attnum);
      if (generated == generated_.end()) {
        ++uses[static_cast<size_t>(attnum) - 1];
      } else {
        Tree inner = generated->second->Copy();
        substitute_columns(inner, new_row_, [&](const std::string& name) -> Tree {
          ++uses[static_cast<size_t>(attnum_of(name)) - 1];
          return nullptr;
        });
      }
      return nullptr;
    });
  };
  for (const auto& [attnum, e] : generated_) count(*e);
  for (const CheckExpr& check : checks_) count(*check.condition);
  for (const Target& target : returning_) {
    if (target.expr.duck && target.expr.duck->GetExpressionClass() != ExpressionClass::COLUMN_REF)
      count(*target.expr.duck);
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (uses[i] == 0 || values_[i] == nullptr || is_simple(*values_[i])) continue;
    int budget = 8;
    if (volatile_[i] || !is_cheap(*values_[i], &budget)) return true;
  }
  return false;
}

DuckNode RowBuilder::build(duckdb::unique_ptr<duckdb::SelectNode> source, WriteAction* action,
                           std::vector<size_t>* returning) {
  duckdb::unique_ptr<duckdb::SelectNode> select;
  std::function<Tree(int16_t)> value;
  std::vector<Tree> outer_values(values_.size());
  if (must_nest()) {
    std::string alias = statement().new_alias("q");
    select = emit::select();
    std::map<std::pair<std::string, std::string>, std::string> carried;
    auto add = [&](Tree e, const std::string& name) {
      e->SetAlias(name);
      source->select_list.push_back(std::move(e));
    };
    for (size_t i = 0; i < leading_.size(); ++i) {
      std::string name = "l" + std::to_string(i + 1);
      add(std::move(leading_[i]), name);
      leading_[i] = emit::column(alias, name);
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i] == nullptr) continue;
      std::string name = column_name(static_cast<int16_t>(i + 1));
      add(std::move(values_[i]), name);
      values_[i] = emit::column(alias, name);
    }
    // Columns of the statement's other tables that RETURNING reads.
    for (Target& target : returning_) {
      Tree tree = owned(std::move(target.expr.duck));
      visit_expressions(tree, [&](Tree& e) {
        if (e->GetExpressionClass() != ExpressionClass::COLUMN_REF) return true;
        const auto& ref = e->Cast<duckdb::ColumnRefExpression>();
        const std::string& from = ref.column_names[0];
        if (ref.column_names.size() != 2 || from == new_row_ || scope_.duck_aliases.count(from) == 0) return false;
        std::string& name = carried[{from, ref.column_names[1]}];
        if (name.empty()) {
          name = "p" + std::to_string(carried.size());
          add(e->Copy(), name);
        }
        replace(e, emit::column(alias, name));
        return false;
      });
      target.expr.duck = std::move(tree);
    }
    select->from_table = emit::subquery(std::move(source), alias);
    scope_.duck_aliases.insert(alias);
  } else {
    select = std::move(source);
  }
  value = [&](int16_t attnum) -> Tree {
    const Tree& v = values_[static_cast<size_t>(attnum) - 1];
    CHECK(v != nullptr);
    return v->Copy();
  };

  for (Tree& e : leading_) select->select_list.push_back(std::move(e));
  action->row.assign(table_.columns.size(), SIZE_MAX);
  for (const catalog::Column& column : table_.columns) {
    if (column.dropped) continue;
    size_t i = static_cast<size_t>(column.attnum) - 1;
    Tree e;
    if (auto generated = generated_.find(column.attnum); generated != generated_.end()) {
      e = generated->second->Copy();
      substitute(e, value);
    } else {
      e = values_[i]->Copy();
    }
    action->row[i] = select->select_list.size();
    select->select_list.push_back(std::move(e));
  }
  for (CheckExpr& check : checks_) {
    substitute(check.condition, value);
    action->checks.push_back({select->select_list.size(), check.name, check.view});
    select->select_list.push_back(std::move(check.condition));
  }
  for (Target& target : returning_) {
    Tree tree = owned(std::move(target.expr.duck));
    if (tree->GetExpressionClass() == ExpressionClass::COLUMN_REF) {
      const auto& ref = tree->Cast<duckdb::ColumnRefExpression>();
      if (ref.column_names[0] == new_row_ && ref.column_names[1] != "_key") {
        returning->push_back(action->row[static_cast<size_t>(attnum_of(ref.column_names[1])) - 1]);
        continue;
      }
    }
    substitute(tree, value);
    returning->push_back(select->select_list.size());
    select->select_list.push_back(std::move(tree));
  }
  // A table without columns: the row counts, nothing else.
  if (select->select_list.empty()) select->select_list.push_back(emit::boolean(true));
  for (size_t i = 0; i < select->select_list.size(); ++i) select->select_list[i]->SetAlias("o" + std::to_string(i + 1));
  return select;
}

void add_xmax(ScopeItem& target, Tree value) {
  if (!has_system_columns(target)) return;
  ScopeColumn xmax;
  xmax.name = "xmax";
  xmax.type = types::oid::kXid;
  xmax.physical = types::physical_type(xmax.type, -1);
  xmax.merged = std::move(value);
  xmax.hidden = true;
  target.columns.push_back(std::move(xmax));
}

std::vector<Target> analyze_returning(Scope& outer, StatementContext& statement, List* list, ScopeItem target,
                                      const std::vector<ScopeItem>& others, const std::string& row_alias) {
  std::vector<Target> targets;
  if (list == nullptr) return targets;
  Scope scope;
  scope.statement = &statement;
  scope.parent = &outer;
  scope.items.push_back(std::move(target));
  for (const ScopeItem& item : others) scope.items.push_back(item);
  scope.duck_aliases = outer.duck_aliases;
  scope.duck_aliases.insert(row_alias);
  scope.seen_tables = outer.seen_tables;
  targets = analyze_targets(scope, list, ExprKind::kReturning);
  for (Target& t : targets) t.expr = resolve_unknown(scope, std::move(t.expr));
  return targets;
}

void describe_returning(StatementContext& statement, const std::vector<Target>& returning, AnalyzedQuery* query) {
  for (const Target& t : returning) query->outputs.push_back(describe(statement, t.name, t.expr));
}

void attach_ctes(DuckNode& node, duckdb::CommonTableExpressionMap& ctes) {
  for (auto& [name, info] : ctes.map) node->cte_map.map.insert(name, std::move(info));
  ctes = duckdb::CommonTableExpressionMap();
}

DuckTable scan_of(const catalog::Table& table, const std::string& alias) {
  return emit::table_function(
      "omen_scan", duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(table.oid.value)), alias);
}

}  // namespace omendb::sql
