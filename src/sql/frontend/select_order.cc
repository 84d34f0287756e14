// The end of a SELECT: ORDER BY, LIMIT, OFFSET, WITH TIES, and what is computed after the sort.
#include <algorithm>
#include <set>

#include "duckdb/parser/expression/window_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

// LimitOption as the grammar that we link numbers it; the header's numbers are those of another minor release.
constexpr int kLimitWithTies = 2;

duckdb::OrderByNode order_node(const SortItem& item, Tree expr) {
  // All rows tie on a constant, which DuckDB would take for the number of an output.
  if (item.target == SIZE_MAX && expr->GetExpressionClass() == duckdb::ExpressionClass::CONSTANT)
    expr = emit::cast(emit::boolean(true), duckdb::LogicalType::BOOLEAN);
  return duckdb::OrderByNode(
      item.descending ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING,
      item.nulls_first ? duckdb::OrderByNullType::NULLS_FIRST : duckdb::OrderByNullType::NULLS_LAST, std::move(expr));
}

}  // namespace

void carry_into_subquery(Level& level, std::vector<SortItem>& sort, std::vector<ClauseItem>& distinct_on) {
  const std::string alias = level.scope->statement->new_alias("q");
  auto carry = [&](TypedExpr& expr) {
    level.hidden.push_back(owned(std::move(expr.duck)));
    expr.duck = emit::column(alias, "h" + std::to_string(level.hidden.size()));
  };
  for (SortItem& s : sort) {
    if (s.target == SIZE_MAX) carry(s.expr);
  }
  for (ClauseItem& d : distinct_on) {
    if (d.target == SIZE_MAX) carry(d.expr);
  }
  level.push_down(alias);
}

bool needs_key(const Level& level, const TypedExpr& e) {
  return needs_sort_key(base_type_of(*level.scope->statement, e.type), e.physical);
}

Tree key_of(const Level& level, const TypedExpr& e) {
  return key_tree(base_type_of(*level.scope->statement, e.type), e.physical, e.duck->Copy());
}

Tree sort_value(const Level& level, const SortItem& item) {
  if (item.target == SIZE_MAX) return key_of(level, item.expr);
  const TypedExpr& e = level.targets[item.target].expr;
  if (e.kind == TypedExpr::Kind::kPlain && needs_key(level, e)) return key_of(level, e);
  return emit::position(item.target + 1);
}

namespace {

// FETCH FIRST n WITH TIES: a row passes when it stands after the offset and ranks within offset + n.
void with_ties(Level& level, std::vector<SortItem>& sort, Tree limit, Tree offset) {
  std::vector<ClauseItem> none;
  carry_into_subquery(level, sort, none);
  auto window = [&](duckdb::ExpressionType type, const char* function) {
    auto w = duckdb::make_uniq<duckdb::WindowExpression>(type, "", "", function);
    w->start = duckdb::WindowBoundary::UNBOUNDED_PRECEDING;
    w->end = duckdb::WindowBoundary::CURRENT_ROW_RANGE;
    for (const SortItem& s : sort) {
      Tree by = key_of(level, s.target == SIZE_MAX ? s.expr : level.targets[s.target].expr);
      w->orders.push_back(order_node(s, std::move(by)));
    }
    return w;
  };
  level.hidden.push_back(window(duckdb::ExpressionType::WINDOW_ROW_NUMBER, "row_number"));
  level.hidden.push_back(window(duckdb::ExpressionType::WINDOW_RANK, "rank"));
  const std::string alias = level.scope->statement->new_alias("q");
  level.push_down(alias);
  if (offset == nullptr) offset = emit::integer(0);
  offset = emit::coalesce(std::move(offset), emit::integer(0));
  using duckdb::ExpressionType;
  std::vector<Tree> sum;
  sum.push_back(offset->Copy());
  sum.push_back(limit->Copy());
  Tree last = emit::call("+", std::move(sum));
  Tree where = emit::compare(ExpressionType::COMPARE_GREATERTHAN, emit::column(alias, "h1"), std::move(offset));
  where = emit::conjunction(std::move(where), emit::compare(ExpressionType::COMPARE_LESSTHANOREQUALTO,
                                                            emit::column(alias, "h2"), std::move(last)));
  where = emit::conjunction(std::move(where),
                            emit::compare(ExpressionType::COMPARE_GREATERTHAN, std::move(limit), emit::integer(0)));
  level.node->where_clause = std::move(where);
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  order->orders.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST,
                             emit::column(alias, "h1"));
  level.node->modifiers.push_back(std::move(order));
}

// As PostgreSQL, computes volatile functions and set-returning ones after the sort, unless the sort needs them: nextval() counts in the
// order of the rows, and no further than LIMIT, and the rows of a set stand together. The sort becomes a subquery; what it has to
// carry for the late outputs are columns. True: done, the order and (but for sets) the limit too.
bool sort_before_late_outputs(Level& level, std::vector<SortItem>& sort, Tree& limit, Tree& offset) {
  bool sets = false, any = false;
  auto late = [&](size_t i) {
    const TypedExpr& e = level.targets[i].expr;
    if (e.kind != TypedExpr::Kind::kPlain || !(e.returns_set || e.is_volatile)) return false;
    return std::none_of(sort.begin(), sort.end(), [&](const SortItem& s) { return s.target == i; });
  };
  for (size_t i = 0; i < level.targets.size(); ++i) {
    const TypedExpr& e = level.targets[i].expr;
    if (!late(i)) {
      if (e.returns_set) return false;
      continue;
    }
    if (e.has_aggregate || e.has_window) return false;
    any = true;
    sets |= e.returns_set;
    bool plain = true;
    Tree copy(e.duck->Copy());
    visit_expressions(copy, [&](Tree& part) {
      plain &= part->GetExpressionClass() != duckdb::ExpressionClass::SUBQUERY;
      return plain;
    });
    if (!plain) return false;
  }
  for (const SortItem& s : sort) {
    if (s.target == SIZE_MAX && s.expr.returns_set) return false;
  }
  if (!any) return false;
  const std::string alias = level.scope->statement->new_alias("q");
  std::vector<TypedExpr> late_outputs(level.targets.size());
  for (size_t i = 0; i < level.targets.size(); ++i) {
    TypedExpr& e = level.targets[i].expr;
    e = resolve_unknown(*level.scope, std::move(e));
    if (!late(i)) continue;
    Tree tree(e.duck->Copy());
    visit_expressions(tree, [&](Tree& part) {
      if (part->GetExpressionClass() != duckdb::ExpressionClass::COLUMN_REF) return true;
      std::set<std::string> aliases;
      collect_aliases(*part, &aliases);
      if (aliases.size() != 1 || level.scope->duck_aliases.count(*aliases.begin()) == 0) return false;
      level.hidden.push_back(part->Copy());
      replace(part, emit::column(alias, "h" + std::to_string(level.hidden.size())));
      return false;
    });
    late_outputs[i] = e.clone();
    late_outputs[i].duck = std::move(tree);
    e.duck = emit::boolean(true);  // in its place below the sort
  }
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  for (const SortItem& s : sort) order->orders.push_back(order_node(s, sort_value(level, s)));
  level.node->modifiers.push_back(std::move(order));
  if (!sets && limit != nullptr) {
    // Rows that OFFSET skips are computed too.
    auto modifier = duckdb::make_uniq<duckdb::LimitModifier>();
    modifier->limit = limit->Copy();
    if (offset != nullptr) {
      std::vector<Tree> sum;
      sum.push_back(emit::coalesce(offset->Copy(), emit::integer(0)));
      sum.push_back(std::move(modifier->limit));
      modifier->limit = emit::call("+", std::move(sum));
    }
    level.node->modifiers.push_back(std::move(modifier));
  }
  level.push_down(alias);
  for (size_t i = 0; i < level.targets.size(); ++i) {
    TypedExpr& e = level.targets[i].expr;
    if (late_outputs[i].duck != nullptr) {
      e = std::move(late_outputs[i]);
      continue;
    }
    e.as_decimal.reset();
    e.display_scale.reset();
    e.fields.clear();
    e.field_names.clear();
  }
  level.order_matters = true;
  return true;
}

}  // namespace

void apply_order_and_limit(Level& level, SelectStmt* select, std::vector<SortItem>& sort, Tree limit, Tree offset) {
  if (static_cast<int>(select->limitOption) == kLimitWithTies) {
    if (sort.empty()) throw SqlError(SqlState::kSyntaxError, "WITH TIES cannot be specified without ORDER BY clause");
    if (!level.row_marks.empty()) not_supported("a locking clause with WITH TIES");
    if (limit != nullptr) {
      with_ties(level, sort, std::move(limit), std::move(offset));
      level.order_matters = true;
      return;
    }
  }
  if (static_cast<int>(select->limitOption) == kLimitWithTies && select->limitCount != nullptr &&
      IsA(select->limitCount, A_Const) && reinterpret_cast<A_Const*>(select->limitCount)->isnull) {
    throw SqlError(SqlState::kInvalidRowCountInLimitClause,
                   "row count cannot be null in FETCH FIRST ... WITH TIES clause");
  }
  const bool simple = select->distinctClause == nullptr && select->groupClause == nullptr &&
                      select->havingClause == nullptr && select->op == SETOP_NONE && level.node != nullptr &&
                      !level.scope->has_aggregates && level.row_marks.empty();
  if (!sort.empty() && !(simple && sort_before_late_outputs(level, sort, limit, offset))) {
    auto order = duckdb::make_uniq<duckdb::OrderModifier>();
    for (const SortItem& s : sort) order->orders.push_back(order_node(s, sort_value(level, s)));
    level.node->modifiers.push_back(std::move(order));
    level.order_matters = true;
  }
  if (limit == nullptr && offset == nullptr) return;
  if (!level.row_marks.empty()) {
    // Counted by the executor, over rows that it could lock.
    if (limit != nullptr) {
      // Of one table, where a row's key tells it from the others if they are asked for again.
      if (level.scope->items.size() == 1)
        level.node->modifiers.push_back(first_candidates(level, *limit, offset.get()));
      level.limit_column = level.targets.size() + level.hidden.size();
      level.hidden.push_back(std::move(limit));
    }
    if (offset != nullptr) {
      level.offset_column = level.targets.size() + level.hidden.size();
      level.hidden.push_back(std::move(offset));
    }
    return;
  }
  auto modifier = duckdb::make_uniq<duckdb::LimitModifier>();
  modifier->limit = std::move(limit);
  modifier->offset = std::move(offset);
  level.node->modifiers.push_back(std::move(modifier));
  level.order_matters = true;
}

void order_like_windows(Level& level) {
  std::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> windows;
  for (const Target& target : level.targets) {
    if (target.expr.returns_set) return;
    if (!target.expr.has_window) continue;
    duckdb::unique_ptr<duckdb::ParsedExpression> tree(target.expr.duck->Copy().release());
    visit_expressions(tree, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& e) {
      if (e->GetExpressionClass() == duckdb::ExpressionClass::WINDOW) {
        windows.push_back(std::move(e));
        e = emit::boolean(true);
        return false;
      }
      return true;
    });
  }
  auto orders_of = [](const duckdb::WindowExpression& w) {
    duckdb::vector<duckdb::OrderByNode> orders;
    for (const auto& p : w.partitions)
      orders.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST, p->Copy());
    for (const auto& o : w.orders) orders.emplace_back(o.type, o.null_order, o.expression->Copy());
    return orders;
  };
  duckdb::vector<duckdb::OrderByNode> longest;
  for (const auto& w : windows) {
    auto orders = orders_of(w->Cast<duckdb::WindowExpression>());
    if (orders.size() < longest.size()) std::swap(orders, longest);
    for (size_t i = 0; i < longest.size() && i < orders.size(); ++i) {
      const auto &a = longest[i], &b = orders[i];
      if (a.type != b.type || a.null_order != b.null_order || !a.expression->Equals(*b.expression)) return;
    }
    if (orders.size() > longest.size()) longest = std::move(orders);
  }
  std::erase_if(longest, [](const duckdb::OrderByNode& o) {
    return o.expression->GetExpressionClass() == duckdb::ExpressionClass::CONSTANT;
  });
  if (longest.empty()) return;
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  order->orders = std::move(longest);
  level.node->modifiers.push_back(std::move(order));
  level.order_matters = true;
}

}  // namespace omendb::sql
