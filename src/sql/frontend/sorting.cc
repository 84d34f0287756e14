// ORDER BY, LIMIT, and how an item of ORDER BY, GROUP BY or DISTINCT ON finds its output column.
#include <algorithm>

#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

bool has_order(StatementContext& statement, Oid type, bool equality_is_enough) {
  while (const auto* domain = statement.catalog->find<catalog::DomainType>(type)) type = domain->base_type;
  switch (type.value) {
    case 114:  // json
    case 142:  // xml
    case 194:  // pg_node_tree
    case 600:
    case 601:
    case 602:
    case 603:
    case 604:
    case 628:
    case 718:  // point, lseg, path, box, polygon, line, circle
      return false;
    case 28:
    case 29:  // xid, cid: hashed only
      return equality_is_enough;
    default: break;
  }
  Oid element = types::array_element_type(type);
  if (element != kInvalidOid && element != type) return has_order(statement, element, equality_is_enough);
  return true;
}

bool same(const Target& target, const TypedExpr& expr, Node* raw) {
  // Types that lie alike are told apart: a jsonb and its text are one tree, and sort differently.
  const bool one_type = target.expr.type == expr.type;
  if (one_type && target.expr.duck && expr.duck && target.expr.duck->Equals(*expr.duck)) return true;
  // Subqueries get new aliases each time they are analysed, so they are compared as they were written.
  return target.raw != nullptr && equal(target.raw, raw);
}

bool same_output(const Target& a, const Target& b) {
  if (a.expr.duck && b.expr.duck) return a.expr.duck->Equals(*b.expr.duck);
  return a.expr.kind == b.expr.kind && a.expr.literal == b.expr.literal && a.expr.parameter == b.expr.parameter;
}

}  // namespace

void check_sortable(StatementContext& statement, Oid type, int location) {
  if (has_order(statement, type, false)) return;
  throw SqlError(SqlState::kUndefinedFunction,
                 "could not identify an ordering operator for type " + format_type(*statement.catalog, type, -1),
                 location)
      .hint("Use an explicit ordering operator or modify the query.");
}

void check_groupable(StatementContext& statement, Oid type, int location) {
  if (has_order(statement, type, true)) return;
  throw SqlError(SqlState::kUndefinedFunction,
                 "could not identify an equality operator for type " + format_type(*statement.catalog, type, -1),
                 location);
}

ClauseItem resolve_clause_item(Scope& scope, Node* node, std::vector<Target>& targets, ExprKind kind,
                               const char* clause) {
  ClauseItem item;
  auto found_target = [&](size_t i) {
    targets[i].expr = resolve_unknown(scope, std::move(targets[i].expr));
    item.target = i;
    item.expr.location = exprLocation(node);
  };
  if (IsA(node, ColumnRef)) {
    auto* ref = reinterpret_cast<ColumnRef*>(node);
    if (list_length(ref->fields) == 1 && IsA(linitial(ref->fields), String)) {
      std::string name = strVal(linitial(ref->fields));
      bool as_output = kind != ExprKind::kGroupBy || find_column_here(scope, name, ref->location) == nullptr;
      if (as_output) {
        size_t found = SIZE_MAX;
        for (size_t i = 0; i < targets.size(); ++i) {
          if (targets[i].name != name) continue;
          if (found != SIZE_MAX && !same_output(targets[found], targets[i])) {
            throw SqlError(SqlState::kAmbiguousColumn, std::string(clause) + " \"" + name + "\" is ambiguous",
                           ref->location);
          }
          if (found == SIZE_MAX) found = i;
        }
        if (found != SIZE_MAX) {
          found_target(found);
          return item;
        }
      }
    }
  }
  if (IsA(node, A_Const)) {
    auto* constant = reinterpret_cast<A_Const*>(node);
    if (constant->isnull || nodeTag(&constant->val) != T_Integer) {
      throw SqlError(SqlState::kSyntaxError, std::string("non-integer constant in ") + clause, constant->location);
    }
    int position = intVal(&constant->val);
    if (position < 1 || static_cast<size_t>(position) > targets.size()) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     std::string(clause) + " position " + std::to_string(position) + " is not in select list",
                     constant->location);
    }
    found_target(static_cast<size_t>(position) - 1);
    return item;
  }
  item.expr = resolve_unknown(scope, analyze_expr(scope, node, kind));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (same(targets[i], item.expr, node)) {
      item.target = i;
      return item;
    }
  }
  return item;
}

bool analyze_sort_direction(const SortBy* by, bool* nulls_first) {
  bool descending = by->sortby_dir == SORTBY_DESC;
  if (by->sortby_dir == SORTBY_USING) {
    std::string name = strVal(llast(by->useOp));
    if (name == ">") {
      descending = true;
    } else if (name != "<") {
      throw SqlError(SqlState::kWrongObjectType, "operator " + name + " is not a valid ordering operator", by->location)
          .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.");
    }
  }
  *nulls_first = by->sortby_nulls == SORTBY_NULLS_DEFAULT ? descending : by->sortby_nulls == SORTBY_NULLS_FIRST;
  return descending;
}

std::vector<SortItem> analyze_sort(Scope& scope, List* sort, std::vector<Target>& targets, bool only_names) {
  std::vector<SortItem> items;
  ListCell* cell = nullptr;
  foreach (cell, sort) {
    auto* by = lfirst_node(SortBy, cell);
    if (only_names && !IsA(by->node, A_Const)) {
      bool name = IsA(by->node, ColumnRef) && list_length(reinterpret_cast<ColumnRef*>(by->node)->fields) == 1 &&
                  IsA(linitial(reinterpret_cast<ColumnRef*>(by->node)->fields), String);
      bool known = false;
      if (name) {
        std::string text = strVal(linitial(reinterpret_cast<ColumnRef*>(by->node)->fields));
        for (const Target& t : targets) known |= t.name == text;
        if (!known) {
          throw SqlError(SqlState::kUndefinedColumn, "column \"" + text + "\" does not exist", exprLocation(by->node));
        }
      } else {
        throw SqlError(SqlState::kFeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                       exprLocation(by->node))
            .detail("Only result column names can be used, not expressions or functions.")
            .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.");
      }
    }
    ClauseItem found = resolve_clause_item(scope, by->node, targets, ExprKind::kOrderBy, "ORDER BY");
    SortItem item;
    item.target = found.target;
    item.expr = std::move(found.expr);
    item.descending = analyze_sort_direction(by, &item.nulls_first);
    check_sortable(*scope.statement, item.target == SIZE_MAX ? item.expr.type : targets[item.target].expr.type,
                   exprLocation(by->node));
    // What sorts already sorts nothing more.
    const bool known = item.target != SIZE_MAX && std::any_of(items.begin(), items.end(), [&](const SortItem& i) {
                         return i.target == item.target;
                       });
    if (!known) items.push_back(std::move(item));
  }
  return items;
}

Tree analyze_limit(Scope& scope, Node* node, ExprKind kind) {
  if (node == nullptr) return nullptr;
  const char* name = kind == ExprKind::kLimit ? "LIMIT" : "OFFSET";
  if (IsA(node, A_Const)) {
    auto* constant = reinterpret_cast<A_Const*>(node);
    if (constant->isnull) return nullptr;  // LIMIT ALL, LIMIT NULL
    if (nodeTag(&constant->val) == T_Integer && intVal(&constant->val) >= 0)
      return emit::integer(intVal(&constant->val));
  }
  TypedExpr expr = analyze_expr(scope, node, kind);
  int location = exprLocation(node);
  Oid given = expr.type;
  std::optional<TypedExpr> number =
      try_coerce(scope, std::move(expr), types::oid::kInt8, -1, CoercionContext::kAssignment);
  if (!number) {
    throw SqlError(SqlState::kDatatypeMismatch,
                   std::string("argument of ") + name + " must be type bigint, not type " +
                       format_type(*scope.statement->catalog, given, -1),
                   location);
  }
  std::set<std::string> aliases;
  collect_aliases(*number->duck, &aliases);
  for (const std::string& alias : aliases) {
    if (scope.duck_aliases.count(alias) != 0) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     std::string("argument of ") + name + " must not contain variables", location);
    }
  }
  std::vector<Tree> arguments;
  arguments.push_back(owned(std::move(number->duck)));
  return emit::call(kind == ExprKind::kLimit ? "omen_limit" : "omen_offset", std::move(arguments));
}

duckdb::unique_ptr<duckdb::LimitModifier> first_candidates(const Level& level, const duckdb::ParsedExpression& limit,
                                                           const duckdb::ParsedExpression* offset) {
  constexpr int64_t kLimitMax = int64_t{1} << 40;  // sums of such do not overflow
  const auto call = [](const char* name, Tree a, Tree b) {
    std::vector<Tree> arguments;
    arguments.push_back(std::move(a));
    arguments.push_back(std::move(b));
    return emit::call(name, std::move(arguments));
  };
  const auto bounded = [&](const duckdb::ParsedExpression& count) {
    return call("least", count.Copy(), emit::integer(kLimitMax));
  };
  const bool skips = std::any_of(level.row_marks.begin(), level.row_marks.end(),
                                 [](const RowMark& mark) { return mark.wait == table::LockWait::kSkip; });
  auto modifier = duckdb::make_uniq<duckdb::LimitModifier>();
  modifier->limit = call("+", bounded(limit), emit::integer(skips ? 64 : 4));
  if (offset != nullptr) modifier->limit = call("+", std::move(modifier->limit), bounded(*offset));
  return modifier;
}

}  // namespace omendb::sql
