// GROUP BY: grouping sets, the rule that ungrouped columns may not be used, and primary keys that lift it.
#include <algorithm>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

using duckdb::ExpressionClass;
using duckdb::ExpressionType;

namespace {

constexpr size_t kSetsMax = 4096;

using Sets = std::vector<std::vector<size_t>>;

Sets cross(const Sets& a, const Sets& b) {
  Sets result;
  for (const auto& x : a) {
    for (const auto& y : b) {
      std::vector<size_t> both = x;
      for (size_t k : y) {
        if (std::find(both.begin(), both.end(), k) == both.end()) both.push_back(k);
      }
      result.push_back(std::move(both));
    }
  }
  if (result.size() > kSetsMax) {
    throw SqlError(SqlState::kStatementTooComplex, "too many grouping sets present (maximum 4096)");
  }
  return result;
}

Tree any_value(Tree value) {
  std::vector<Tree> arguments;
  arguments.push_back(std::move(value));
  return emit::call("any_value", std::move(arguments));
}

}  // namespace

std::optional<size_t> Grouping::find_key(const duckdb::ParsedExpression& expr) const {
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].expr->Equals(expr)) return i;
  }
  return std::nullopt;
}

size_t Grouping::add_key(const TypedExpr& expr) {
  if (expr.has_aggregate) {
    throw SqlError(SqlState::kGroupingError, "aggregate functions are not allowed in GROUP BY", expr.location);
  }
  if (expr.has_window) {
    throw SqlError(SqlState::kWindowingError, "window functions are not allowed in GROUP BY", expr.location);
  }
  check_groupable(*scope_.statement, expr.type, expr.location);
  if (auto known = find_key(*expr.duck)) return *known;
  Key key;
  key.expr = expr.duck->Copy();
  key.type = base_type_of(*scope_.statement, expr.type);
  key.physical = expr.physical;
  key.by_sort_key = needs_sort_key(key.type, expr.physical);
  keys_.push_back(std::move(key));
  return keys_.size() - 1;
}

std::vector<std::vector<size_t>> Grouping::sets_of(Node* node, std::vector<Target>& targets) {
  if (IsA(node, GroupingSet)) {
    has_sets_ = true;
    auto* set = reinterpret_cast<GroupingSet*>(node);
    std::vector<Sets> parts;
    ListCell* cell = nullptr;
    foreach (cell, set->content) parts.push_back(sets_of(static_cast<Node*>(lfirst(cell)), targets));
    Sets result;
    switch (set->kind) {
      case GROUPING_SET_EMPTY: return {{}};
      case GROUPING_SET_SETS:
        for (Sets& part : parts) result.insert(result.end(), part.begin(), part.end());
        return result;
      case GROUPING_SET_ROLLUP:
        for (size_t n = parts.size() + 1; n-- > 0;) {
          Sets prefix = {{}};
          for (size_t i = 0; i < n; ++i) prefix = cross(prefix, parts[i]);
          result.insert(result.end(), prefix.begin(), prefix.end());
        }
        return result;
      case GROUPING_SET_CUBE:
        if (parts.size() > 12)
          throw SqlError(SqlState::kTooManyColumns, "CUBE is limited to 12 elements", set->location);
        for (size_t mask = size_t{1} << parts.size(); mask-- > 0;) {
          Sets subset = {{}};
          for (size_t i = 0; i < parts.size(); ++i) {
            if ((mask >> (parts.size() - 1 - i)) & 1) subset = cross(subset, parts[i]);
          }
          result.insert(result.end(), subset.begin(), subset.end());
        }
        return result;
      default: not_supported("this form of GROUP BY", set->location);
    }
  }
  if (IsA(node, RowExpr) && reinterpret_cast<RowExpr*>(node)->row_format == COERCE_IMPLICIT_CAST) {
    Sets result = {{}};
    ListCell* cell = nullptr;
    foreach (cell, reinterpret_cast<RowExpr*>(node)->args) {
      result = cross(result, sets_of(static_cast<Node*>(lfirst(cell)), targets));
    }
    return result;
  }
  ClauseItem item = resolve_clause_item(scope_, node, targets, ExprKind::kGroupBy, "GROUP BY");
  TypedExpr expr = item.target == SIZE_MAX ? std::move(item.expr) : targets[item.target].expr.clone();
  if (expr.location < 0) expr.location = exprLocation(node);
  if (expr.returns_set) {
    // A set-returning function that is grouped by runs below the grouping: as an item of FROM.
    std::string alias = scope_.statement->new_alias("g");
    auto rows = emit::select();
    rows->from_table = emit::empty();
    Tree value = expr.duck->Copy();
    value->SetAlias("c1");
    rows->select_list.push_back(std::move(value));
    node_.from_table = emit::cross(std::move(node_.from_table), emit::subquery(std::move(rows), alias));
    scope_.duck_aliases.insert(alias);
    for (Target& target : targets) {
      if (!target.expr.duck) continue;
      duckdb::unique_ptr<duckdb::ParsedExpression> tree(owned(std::move(target.expr.duck)));
      visit_expressions(tree, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& e) {
        if (!e->Equals(*expr.duck)) return true;
        replace(e, emit::column(alias, "c1"));
        return false;
      });
      target.expr.duck = std::move(tree);
    }
    expr.duck = emit::column(alias, "c1");
    expr.returns_set = false;
  }
  return {{add_key(expr)}};
}

void Grouping::analyze(List* clause, bool distinct_sets, std::vector<Target>& targets) {
  if (clause == nullptr) return;
  active_ = true;
  sets_ = {{}};
  ListCell* cell = nullptr;
  foreach (cell, clause) sets_ = cross(sets_, sets_of(static_cast<Node*>(lfirst(cell)), targets));
  if (distinct_sets) {
    Sets unique;
    std::vector<std::set<size_t>> seen;
    for (auto& set : sets_) {
      std::set<size_t> as_set(set.begin(), set.end());
      if (std::find(seen.begin(), seen.end(), as_set) != seen.end()) continue;
      seen.push_back(std::move(as_set));
      unique.push_back(set);
    }
    sets_ = std::move(unique);
  }
}

bool Grouping::depends_on_primary_key(const std::string& alias) const {
  for (const ScopeItem& item : scope_.items) {
    if (!is_table(item) || item.columns.empty() || item.columns[0].duck_alias != alias) continue;
    const auto* table = scope_.statement->catalog->find<catalog::Table>(item.relation);
    if (table == nullptr) return false;
    std::vector<int16_t> primary = table->primary_key();
    if (primary.empty()) return false;
    for (int16_t attnum : primary) {
      auto key = find_key(*emit::column(alias, "c" + std::to_string(attnum)));
      if (!key) return false;
      for (const auto& set : sets_) {
        if (std::find(set.begin(), set.end(), *key) == set.end()) return false;
      }
    }
    return true;
  }
  return false;
}

void Grouping::check(Tree& expr) { walk(expr, 0); }

void Grouping::check(std::unique_ptr<duckdb::ParsedExpression>& expr) {
  Tree tree = owned(std::move(expr));
  walk(tree, 0);
  expr = std::move(tree);
}

Tree Grouping::group_form(const Key& key) {
  Tree expr = key.expr->Copy();
  // A bare constant would be the number of an output column.
  return expr->GetExpressionClass() == ExpressionClass::CONSTANT
             ? emit::cast(std::move(expr), duck_type(key.type, key.physical))
             : std::move(expr);
}

void Grouping::walk(duckdb::unique_ptr<duckdb::ParsedExpression>& expr, int depth) {
  bool column = expr->GetExpressionClass() == ExpressionClass::COLUMN_REF;
  if (depth == 0 || column) {
    if (auto found = find_key(*expr)) {
      const Key& key = keys_[*found];
      if (!key.by_sort_key) {
        expr = group_form(key);
        return;
      }
      // Grouped by its key, the value itself is that of some row of the group.
      Tree value = any_value(std::move(expr));
      bool everywhere = std::all_of(sets_.begin(), sets_.end(), [&](const auto& set) {
        return std::find(set.begin(), set.end(), *found) != set.end();
      });
      if (!everywhere) {
        duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
        arguments.push_back(key_tree(key.type, key.physical, key.expr->Copy()));
        Tree grouping =
            duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::GROUPING_FUNCTION, std::move(arguments));
        value = emit::case_when(emit::compare(ExpressionType::COMPARE_EQUAL, std::move(grouping), emit::integer(0)),
                                std::move(value), nullptr);
      }
      expr = std::move(value);
      return;
    }
  }
  if (column) {
    const auto& ref = expr->Cast<duckdb::ColumnRefExpression>();
    if (ref.column_names.size() != 2 || scope_.duck_aliases.count(ref.column_names[0]) == 0) return;
    const std::string& alias = ref.column_names[0];
    if (depends_on_primary_key(alias)) {
      Key key;
      key.expr = expr->Copy();
      keys_.push_back(std::move(key));
      for (auto& set : sets_) set.push_back(keys_.size() - 1);
      return;
    }
    std::string name = display_name(scope_, alias, ref.column_names[1]);
    int location = expr->GetQueryLocation().IsValid() ? static_cast<int>(expr->GetQueryLocation().GetIndex()) : -1;
    throw SqlError(
        SqlState::kGroupingError,
        depth == 0 ? "column \"" + name + "\" must appear in the GROUP BY clause or be used in an aggregate function"
                   : "subquery uses ungrouped column \"" + name + "\" from outer query",
        location);
  }
  if (expr->GetExpressionClass() == ExpressionClass::FUNCTION) {
    const auto& call = expr->Cast<duckdb::FunctionExpression>();
    if (is_aggregate_call(call)) {
      std::set<std::string> aliases;
      collect_aliases(*expr, &aliases);
      bool ours = false, deeper = false;
      for (const std::string& alias : aliases) {
        bool known = false;
        for (Scope* level = &scope_; level != nullptr; level = level->parent) {
          if (level->duck_aliases.count(alias) == 0) continue;
          known = true;
          ours |= level == &scope_;
        }
        deeper |= !known;
      }
      if (depth == 0 || (!deeper && ours)) {
        aggregate_left_ = true;
        return;
      }
    }
  }
  if (expr->GetExpressionType() == ExpressionType::GROUPING_FUNCTION) {
    for (auto& argument : expr->Cast<duckdb::OperatorExpression>().children) {
      auto found = find_key(*argument);
      if (!found) {
        throw SqlError(
            SqlState::kGroupingError,
            "arguments to GROUPING must be grouping expressions of the associated query level",
            argument->GetQueryLocation().IsValid() ? static_cast<int>(argument->GetQueryLocation().GetIndex()) : -1);
      }
      if (keys_[*found].by_sort_key)
        argument = key_tree(keys_[*found].type, keys_[*found].physical, std::move(argument));
    }
    return;
  }
  if (expr->GetExpressionClass() == ExpressionClass::SUBQUERY) {
    walk_query(*expr->Cast<duckdb::SubqueryExpression>().subquery->node, depth + 1);
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      *expr, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& child) { walk(child, depth); });
}

void Grouping::walk_query(duckdb::QueryNode& node, int depth) {
  duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
      node, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& child) {
        if (child) walk(child, depth);
      });
}

void Grouping::finish() {
  if (keys_.empty() && !has_sets_) {
    // Where every aggregate was folded away, nothing else tells DuckDB that all rows are one group.
    if (!aggregate_left_) node_.groups.grouping_sets.emplace_back();
    return;
  }
  for (Key& key : keys_) {
    Tree expr = key.by_sort_key ? key_tree(key.type, key.physical, std::move(key.expr)) : group_form(key);
    node_.groups.group_expressions.push_back(std::move(expr));
  }
  for (const auto& set : sets_) {
    duckdb::GroupingSet out;
    for (size_t k : set) out.insert(k);
    node_.groups.grouping_sets.push_back(std::move(out));
  }
}

}  // namespace omendb::sql
