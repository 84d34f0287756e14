// FROM: tables, views, subqueries, CTEs and joins, and which of their names are in sight where.
#include <algorithm>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/joinref.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

void note_seen(Scope& scope, const ScopeItem& item, const std::string& name) {
  Scope::SeenTable seen;
  seen.alias = item.alias;
  seen.name = name;
  for (const ScopeColumn& column : item.columns) {
    if (!column.hidden) seen.columns.push_back(column.name);
  }
  scope.seen_tables.push_back(std::move(seen));
}

FromItem from_single(Scope& scope, ScopeItem item, DuckTable ref, const std::string& duck_alias,
                     const std::string& name) {
  scope.duck_aliases.insert(duck_alias);
  note_seen(scope, item, name);
  FromItem result;
  result.ref = std::move(ref);
  result.columns = item.columns;
  result.items.push_back(std::move(item));
  return result;
}

namespace {

const ScopeCte* find_cte(Scope& scope, const std::string& name) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (ScopeCte& cte : level->ctes) {
      if (cte.name == name) {
        ++cte.references;
        return &cte;
      }
    }
  }
  return nullptr;
}

FromItem from_cte(Scope& scope, RangeVar* var, const ScopeCte& cte) {
  if (!cte.returns_rows) {
    throw SqlError(SqlState::kFeatureNotSupported, "WITH query \"" + cte.name + "\" does not have a RETURNING clause",
                   var->location);
  }
  if (scope.statement->recorder != nullptr && scope.statement->views_in_expansion.empty()) {
    scope.statement->recorder->relations[var] = kInvalidOid;
  }
  std::string alias = scope.statement->new_alias("r");
  ScopeItem item;
  item.alias = cte.name;
  item.kind = 'c';
  item.columns = cte.columns;
  for (ScopeColumn& column : item.columns) column.duck_alias = alias;
  apply_alias(item, var->alias);
  DuckTable ref =
      cte.run_first == SIZE_MAX
          ? emit::cte(cte.duck_name, alias)
          : emit::table_function("omen_rows", emit::integer(100 + static_cast<int64_t>(cte.run_first)), alias);
  return from_single(scope, std::move(item), std::move(ref), alias, cte.name);
}

std::vector<ScopeColumn> system_columns(const SystemRelation& relation, const std::string& alias) {
  std::vector<ScopeColumn> columns;
  int16_t attnum = 0;
  for (const SystemColumn& column : relation.columns) {
    ++attnum;
    ScopeColumn c;
    c.name = column.name;
    c.duck_alias = alias;
    c.duck_name = "c" + std::to_string(attnum);
    c.type = column.type;
    c.typmod = column.typmod;
    c.physical = types::physical_type(column.type, column.typmod);
    c.table = relation.oid;
    c.attnum = attnum;
    columns.push_back(std::move(c));
  }
  ScopeColumn tableoid;
  tableoid.name = "tableoid";
  tableoid.type = types::oid::kOid;
  tableoid.physical = types::physical_type(types::oid::kOid, -1);
  tableoid.merged = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(relation.oid.value));
  tableoid.hidden = true;
  columns.push_back(std::move(tableoid));
  return columns;
}

void set_lateral(std::vector<ScopeItem>& items, bool lateral_only, bool lateral_ok) {
  for (ScopeItem& item : items) {
    item.lateral_only = lateral_only;
    item.lateral_ok = lateral_ok;
  }
}

void check_conflicts(const std::vector<ScopeItem>& left, const std::vector<ScopeItem>& right) {
  for (const ScopeItem& r : right) {
    if (!r.relation_visible || r.alias.empty()) continue;
    for (const ScopeItem& l : left) {
      if (!l.relation_visible || l.alias != r.alias) continue;
      // Two tables of one name from different schemas, both without an alias, may stand together.
      if (!l.schema.empty() && !r.schema.empty() && l.relation != r.relation) continue;
      throw SqlError(SqlState::kDuplicateAlias, "table name \"" + r.alias + "\" specified more than once");
    }
  }
}

const ScopeColumn* join_column(const std::vector<ScopeColumn>& columns, const std::string& name, const char* side,
                               int location, size_t* position) {
  const ScopeColumn* found = nullptr;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].hidden || columns[i].name != name) continue;
    if (found != nullptr) {
      throw SqlError(SqlState::kAmbiguousColumn,
                     "common column name \"" + name + "\" appears more than once in " + side + " table", location);
    }
    found = &columns[i];
    *position = i;
  }
  if (found == nullptr) {
    throw SqlError(SqlState::kUndefinedColumn,
                   "column \"" + name + "\" specified in USING clause does not exist in " + side + " table", location);
  }
  return found;
}

ScopeColumn column_of(const std::string& name, TypedExpr expr) {
  ScopeColumn column;
  column.name = name;
  column.type = expr.type;
  column.typmod = expr.typmod;
  column.physical = expr.physical;
  column.table = expr.table;
  column.attnum = expr.attnum;
  column.merged = std::shared_ptr<const duckdb::ParsedExpression>(std::move(expr.duck));
  return column;
}

// DuckDB cannot null-extend a join whose condition holds a subquery or a column of an enclosing query, nor one with a lateral side by
// other conditions than comparisons of the two sides; and no join with a lateral side has subqueries in its condition. The nullable side becomes a lateral subquery that applies the condition itself;
// what names meant its columns now means the subquery's.
class NullableSide {
 public:
  NullableSide(StatementContext& statement, std::set<std::string> aliases)
      : alias_(statement.new_alias("q")), aliases_(std::move(aliases)), select_(emit::select()) {}

  void redirect(ScopeColumn& column) {
    Tree value;
    if (column.merged) {
      std::set<std::string> used;
      collect_aliases(*column.merged, &used);
      if (used.empty() || !std::includes(aliases_.begin(), aliases_.end(), used.begin(), used.end())) return;
      value = column.merged->Copy();
    } else {
      if (aliases_.count(column.duck_alias) == 0) return;
      value = emit::column(column.duck_alias, column.duck_name);
    }
    std::string& name = names_[value->ToString()];
    if (name.empty()) {
      name = "x" + std::to_string(names_.size());
      value->SetAlias(name);
      select_->select_list.push_back(std::move(value));
    }
    column.duck_alias = alias_;
    column.duck_name = name;
    column.merged = nullptr;
  }
  void redirect(ScopeItem& item) {
    bool touched = false;
    for (ScopeColumn& column : item.columns) {
      redirect(column);
      touched |= column.duck_alias == alias_;
    }
    if (touched && is_table(item)) item.kind = 's';
  }
  DuckTable finish(DuckTable side, Tree condition) {
    if (select_->select_list.empty()) select_->select_list.push_back(emit::boolean(true));
    select_->from_table = std::move(side);
    select_->where_clause = std::move(condition);
    return emit::subquery(std::move(select_), alias_);
  }
  const std::string& alias() const { return alias_; }

 private:
  std::string alias_;
  std::set<std::string> aliases_;
  duckdb::unique_ptr<duckdb::SelectNode> select_;
  std::map<std::string, std::string> names_;
};

bool has_subquery(const Tree& tree) {
  bool found = false;
  Tree copy = tree->Copy();
  visit_expressions(copy, [&](Tree& e) {
    found |= e->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY;
    return !found;
  });
  return found;
}

void split_conjunction(Tree tree, std::vector<Tree>* parts) {
  if (tree->GetExpressionType() != duckdb::ExpressionType::CONJUNCTION_AND) {
    parts->push_back(std::move(tree));
    return;
  }
  for (auto& child : tree->Cast<duckdb::ConjunctionExpression>().children) split_conjunction(std::move(child), parts);
}

/// Whether `tree` looks at rows of `side` and at nothing else.
bool looks_at_only(const duckdb::ParsedExpression& tree, const std::set<std::string>& side) {
  std::set<std::string> used;
  collect_aliases(tree, &used);
  return !used.empty() && std::includes(side.begin(), side.end(), used.begin(), used.end());
}

/// The condition of an outer join that keeps the rows of `kept`: a part that asks about these alone is put into an equality with
/// the other side. DuckDB would compare every pair of rows for it:
///     a LEFT JOIN b ON a.k = b.k AND a.v < 3    is    a LEFT JOIN b ON CASE WHEN a.v < 3 THEN a.k END = b.k
Tree hashable(Tree condition, const std::set<std::string>& kept, const std::set<std::string>& other) {
  std::vector<Tree> parts;
  split_conjunction(std::move(condition), &parts);
  Tree* key = nullptr;
  for (Tree& part : parts) {
    if (part->GetExpressionType() != duckdb::ExpressionType::COMPARE_EQUAL) continue;
    auto& equal = part->Cast<duckdb::ComparisonExpression>();
    if (looks_at_only(*equal.left, kept) && looks_at_only(*equal.right, other)) key = &equal.left;
    if (looks_at_only(*equal.right, kept) && looks_at_only(*equal.left, other)) key = &equal.right;
    if (key != nullptr) break;
  }
  Tree asked, rest;
  for (Tree& part : parts) {
    Tree& into = key != nullptr && looks_at_only(*part, kept) ? asked : rest;
    into = emit::conjunction(std::move(into), std::move(part));
  }
  if (asked != nullptr) {
    auto null = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value());
    *key = emit::case_when(std::move(asked), std::move(*key), std::move(null));
  }
  return rest;
}

bool is_true(const duckdb::ParsedExpression& condition) {
  if (condition.GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) return false;
  const duckdb::Value& value = condition.Cast<duckdb::ConstantExpression>().value;
  return !value.IsNull() && value.GetValue<bool>();
}

/// Whether something in `table` refers to one of `aliases`.
bool looks_at(DuckTable& table, const std::set<std::string>& aliases) {
  duckdb::SelectNode node;
  node.from_table = std::move(table);
  bool found = false;
  visit_query(node, [&](Tree& e) {
    if (e->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
      const auto& names = e->Cast<duckdb::ColumnRefExpression>().column_names;
      found |= names.size() > 1 && aliases.count(names[0]) != 0;
    }
    return !found;
  });
  table = std::move(node.from_table);
  return found;
}

std::set<std::string> without(const std::set<std::string>& all, const std::set<std::string>& some) {
  std::set<std::string> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::inserter(rest, rest.end()));
  return rest;
}

FromItem from_join(Scope& scope, JoinExpr* join) {
  std::set<std::string> before_left = scope.duck_aliases;
  FromItem left = analyze_from_item(scope, join->larg);
  std::set<std::string> before_right = scope.duck_aliases;
  // LATERAL items on the right see the left side; a reference is refused when the join would null-extend the left.
  bool lateral_ok = join->jointype == JOIN_INNER || join->jointype == JOIN_LEFT;
  size_t before = scope.items.size();
  std::vector<ScopeItem> shown = left.items;
  set_lateral(shown, true, lateral_ok);
  for (ScopeItem& item : shown) scope.items.push_back(std::move(item));
  FromItem right = analyze_from_item(scope, join->rarg);
  scope.items.resize(before);
  check_conflicts(left.items, right.items);

  std::vector<std::string> using_names;
  if (join->isNatural) {
    for (const ScopeColumn& l : left.columns) {
      if (l.hidden) continue;
      for (const ScopeColumn& r : right.columns) {
        if (!r.hidden && r.name == l.name) {
          if (std::find(using_names.begin(), using_names.end(), l.name) != using_names.end()) {
            throw SqlError(SqlState::kAmbiguousColumn,
                           "common column name \"" + l.name + "\" appears more than once in left table");
          }
          using_names.push_back(l.name);
          break;
        }
      }
    }
  } else if (join->usingClause != nullptr) {
    ListCell* cell = nullptr;
    foreach (cell, join->usingClause) {
      std::string name = strVal(lfirst(cell));
      if (std::find(using_names.begin(), using_names.end(), name) != using_names.end()) {
        throw SqlError(SqlState::kDuplicateColumn,
                       "column name \"" + name + "\" appears more than once in USING clause");
      }
      using_names.push_back(name);
    }
  }

  FromItem result;
  Tree condition;
  std::vector<ScopeColumn> merged;
  std::vector<bool> left_used(left.columns.size()), right_used(right.columns.size());
  for (const std::string& name : using_names) {
    size_t l = 0, r = 0;
    const ScopeColumn* left_column = join_column(left.columns, name, "left", -1, &l);
    const ScopeColumn* right_column = join_column(right.columns, name, "right", -1, &r);
    left_used[l] = right_used[r] = true;
    TypedExpr a = column_expr(*left_column, -1), b = column_expr(*right_column, -1);
    Oid type = select_common_type(scope, {&a, &b}, "JOIN/USING");
    TypedExpr equal = make_operator(scope, "=", column_expr(*left_column, -1), column_expr(*right_column, -1), -1);
    condition = emit::conjunction(std::move(condition), boolean_tree(scope, std::move(equal), "JOIN/USING"));
    int32_t typmod = a.type == type && b.type == type && a.typmod == b.typmod ? a.typmod : -1;
    bool left_plain = a.type == type && a.typmod == typmod, right_plain = b.type == type && b.typmod == typmod;
    if (!left_plain) a = coerce(scope, std::move(a), type, typmod, CoercionContext::kImplicit);
    if (!right_plain) b = coerce(scope, std::move(b), type, typmod, CoercionContext::kImplicit);
    if (join->jointype == JOIN_FULL) {
      TypedExpr both = std::move(a);
      both.duck = emit::coalesce(owned(std::move(both.duck)), owned(std::move(b.duck)));
      both.table = kInvalidOid;
      both.attnum = 0;
      merged.push_back(column_of(name, std::move(both)));
    } else if (join->jointype == JOIN_RIGHT || (join->jointype == JOIN_INNER && !left_plain && right_plain)) {
      merged.push_back(right_plain ? *right_column : column_of(name, std::move(b)));
    } else {
      merged.push_back(left_plain ? *left_column : column_of(name, std::move(a)));
    }
  }
  result.columns = merged;
  for (size_t i = 0; i < left.columns.size(); ++i) {
    if (!left_used[i] && !left.columns[i].hidden) result.columns.push_back(left.columns[i]);
  }
  for (size_t i = 0; i < right.columns.size(); ++i) {
    if (!right_used[i] && !right.columns[i].hidden) result.columns.push_back(right.columns[i]);
  }

  for (ScopeItem& item : left.items) {
    item.nullable |= join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
  }
  for (ScopeItem& item : right.items) {
    item.nullable |= join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;
  }
  std::vector<ScopeItem> inside = std::move(left.items);
  for (ScopeItem& item : right.items) inside.push_back(std::move(item));
  set_lateral(inside, false, true);

  if (join->quals != nullptr) {
    // ON sees the two sides of this join and what is outside of the query, nothing else of the FROM list.
    Restore items(scope.items);
    scope.items = inside;
    TypedExpr on = analyze_expr(scope, join->quals, ExprKind::kJoinOn);
    condition = boolean_tree(scope, std::move(on), "JOIN/ON");
  }

  auto ref = duckdb::make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::REGULAR);
  if (condition != nullptr && join->jointype != JOIN_FULL) {
    std::set<std::string> ours = without(scope.duck_aliases, before_left);
    std::set<std::string> used;
    collect_aliases(*condition, &used);
    const bool is_left = join->jointype != JOIN_RIGHT, inner = join->jointype == JOIN_INNER;
    const bool foreign =
        has_subquery(condition) || (!inner && !std::includes(ours.begin(), ours.end(), used.begin(), used.end()));
    const auto is_lateral = [&] { return is_left && looks_at(right.ref, without(before_right, before_left)); };
    if (inner ? foreign && is_lateral() : foreign || (!is_true(*condition) && is_lateral())) {
      NullableSide side(*scope.statement,
                        is_left ? without(scope.duck_aliases, before_right) : without(before_right, before_left));
      for (ScopeItem& item : inside) side.redirect(item);
      for (ScopeColumn& column : merged) side.redirect(column);
      for (ScopeColumn& column : result.columns) side.redirect(column);
      scope.duck_aliases.insert(side.alias());
      DuckTable nullable = side.finish(std::move(is_left ? right.ref : left.ref), std::move(condition));
      ref->type = inner ? duckdb::JoinType::INNER : duckdb::JoinType::LEFT;
      ref->condition = emit::boolean(true);
      ref->left = std::move(is_left ? left.ref : right.ref);
      ref->right = std::move(nullable);
    }
  }
  if (ref->left == nullptr) {
    switch (join->jointype) {
      case JOIN_LEFT: ref->type = duckdb::JoinType::LEFT; break;
      case JOIN_RIGHT: ref->type = duckdb::JoinType::RIGHT; break;
      case JOIN_FULL: ref->type = duckdb::JoinType::OUTER; break;
      default: ref->type = duckdb::JoinType::INNER; break;
    }
    ref->left = std::move(left.ref);
    ref->right = std::move(right.ref);
    if (condition != nullptr) {
      const auto ours = without(before_right, before_left), theirs = without(scope.duck_aliases, before_right);
      const bool keeps_left = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;
      const bool keeps_right = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
      if (keeps_left) condition = hashable(std::move(condition), ours, theirs);
      if (keeps_right) condition = hashable(std::move(condition), theirs, ours);
      ref->condition = std::move(condition);
    } else if (join->jointype == JOIN_INNER) {
      ref->ref_type = duckdb::JoinRefType::CROSS;
    } else {
      ref->condition = emit::boolean(true);
    }
  }
  result.ref = std::move(ref);

  // Bare names mean the join's own columns; the parts stay in sight by their table names unless the join has an alias.
  for (ScopeItem& item : inside) item.columns_visible = false;
  ScopeItem own;
  own.kind = 'j';
  own.columns = result.columns;
  if (join->alias != nullptr) {
    inside.clear();
    apply_alias(own, join->alias);
    result.columns = own.columns;
    note_seen(scope, own, "");
  } else {
    own.relation_visible = false;
  }
  if (join->join_using_alias != nullptr && join->alias == nullptr) {
    ScopeItem alias;
    alias.kind = 'j';
    alias.alias = join->join_using_alias->aliasname;
    alias.columns = merged;
    alias.columns_visible = false;
    check_conflicts(inside, {alias});
    inside.push_back(std::move(alias));
  }
  inside.push_back(std::move(own));
  result.items = std::move(inside);
  return result;
}

FromItem from_subselect(Scope& scope, RangeSubselect* sub) {
  Restore active(scope.lateral_active);
  Restore kind(scope.kind);
  scope.lateral_active = sub->lateral;
  scope.kind = ExprKind::kFromSubselect;
  Level level = analyze_level(*scope.statement, &scope, reinterpret_cast<SelectStmt*>(sub->subquery));
  return from_level(scope, std::move(level), sub->alias);
}

}  // namespace

void apply_alias(ScopeItem& item, const Alias* alias) {
  if (alias == nullptr) return;
  item.alias = alias->aliasname;
  item.schema.clear();
  size_t i = 0;
  size_t visible = static_cast<size_t>(
      std::count_if(item.columns.begin(), item.columns.end(), [](const ScopeColumn& c) { return !c.hidden; }));
  ListCell* cell = nullptr;
  foreach (cell, alias->colnames) {
    if (i >= visible) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     "table \"" + item.alias + "\" has " + std::to_string(visible) + " columns available but " +
                         std::to_string(list_length(alias->colnames)) + " columns specified");
    }
    item.columns[i++].name = strVal(lfirst(cell));
  }
}

void add_items(Scope& scope, std::vector<ScopeItem> items) {
  check_conflicts(scope.items, items);
  for (ScopeItem& item : items) scope.items.push_back(std::move(item));
}

FromItem from_level(Scope& scope, Level level, const Alias* alias) {
  std::string duck_alias = scope.statement->new_alias("r");
  DuckNode node = level.seal(*scope.statement);
  ScopeItem item;
  item.kind = 's';
  item.columns = level.columns(*scope.statement, duck_alias);
  apply_alias(item, alias);
  return from_single(scope, std::move(item), emit::subquery(std::move(node), duck_alias), duck_alias, item.alias);
}

FromItem analyze_from_relation(Scope& scope, RangeVar* var) {
  StatementContext& statement = *scope.statement;
  if (var->schemaname == nullptr) {
    if (const ScopeCte* cte = find_cte(scope, var->relname)) return from_cte(scope, var, *cte);
  }
  Relation relation = open_relation(statement, var);
  ScopeItem item;
  item.alias = var->relname;
  item.schema = relation.schema;
  item.relation = relation.oid;
  item.kind = relation.table != nullptr ? 't' : relation.system != nullptr ? 'p' : 's';
  std::string alias = statement.new_alias("r");
  if (relation.view != nullptr) {
    Level level = expand_view(statement, *relation.view);
    DuckNode node = level.seal(statement);
    item.columns = level.columns(statement, alias);
    for (size_t i = 0; i < item.columns.size() && i < relation.view->columns.size(); ++i) {
      item.columns[i].name = relation.view->columns[i].name;
      item.columns[i].table = relation.view->oid;
      item.columns[i].attnum = relation.view->columns[i].attnum;
    }
    apply_alias(item, var->alias);
    return from_single(scope, std::move(item), emit::subquery(std::move(node), alias), alias, var->relname);
  }
  DuckTable ref;
  if (relation.system != nullptr) {
    item.columns = system_columns(*relation.system, alias);
    ref = emit::table_function("omen_catalog",
                               duckdb::make_uniq<duckdb::ConstantExpression>(
                                   duckdb::Value(relation.system->schema_name + "." + relation.system->name)),
                               alias);
  } else if (relation.table != nullptr) {
    item.columns = table_columns(*relation.table, alias);
    ref = emit::table_function(
        "omen_scan", duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(relation.oid.value)), alias);
  } else {
    const ScopeColumn of_counter[] = {{.name = "last_value", .type = types::oid::kInt8},
                                      {.name = "log_cnt", .type = types::oid::kInt8},
                                      {.name = "is_called", .type = types::oid::kBool}};
    auto counter = emit::select();
    counter->from_table = emit::empty();
    for (int64_t i = 0; i < 3; ++i) {
      ScopeColumn column = of_counter[i];
      column.duck_alias = alias;
      column.duck_name = "c" + std::to_string(i + 1);
      column.physical = types::physical_type(column.type, -1);
      column.table = relation.oid;
      column.attnum = static_cast<int16_t>(i + 1);
      std::vector<Tree> arguments;
      arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(relation.oid.value)));
      arguments.push_back(emit::integer(i));
      Tree value = emit::call("omen_sequence_counter", std::move(arguments));
      if (i == 2) value = emit::compare(duckdb::ExpressionType::COMPARE_NOTEQUAL, std::move(value), emit::integer(0));
      value->SetAlias(column.duck_name);
      counter->select_list.push_back(std::move(value));
      item.columns.push_back(std::move(column));
    }
    statement.has_volatile = true;
    ref = emit::subquery(std::move(counter), alias);
  }
  apply_alias(item, var->alias);
  return from_single(scope, std::move(item), std::move(ref), alias, var->relname);
}

FromItem analyze_from_item(Scope& scope, Node* node) {
  DepthGuard guard(*scope.statement);
  switch (nodeTag(node)) {
    case T_RangeVar: return analyze_from_relation(scope, reinterpret_cast<RangeVar*>(node));
    case T_RangeSubselect: return from_subselect(scope, reinterpret_cast<RangeSubselect*>(node));
    case T_RangeFunction: return analyze_from_function(scope, node);
    case T_JoinExpr: return from_join(scope, reinterpret_cast<JoinExpr*>(node));
    case T_RangeTableFunc: not_supported("XMLTABLE", reinterpret_cast<RangeTableFunc*>(node)->location);
    case T_RangeTableSample: not_supported("TABLESAMPLE", reinterpret_cast<RangeTableSample*>(node)->location);
    default: not_supported("this FROM item");
  }
}

DuckTable analyze_from(Scope& scope, List* from) {
  DuckTable result;
  ListCell* cell = nullptr;
  foreach (cell, from) {
    FromItem item = analyze_from_item(scope, static_cast<Node*>(lfirst(cell)));
    set_lateral(item.items, true, true);
    add_items(scope, std::move(item.items));
    result = emit::cross(std::move(result), std::move(item.ref));
  }
  set_lateral(scope.items, false, true);
  return result;
}

}  // namespace omendb::sql
