#include "sql/point/row_compile.h"

#include <algorithm>
#include <climits>

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_any_join.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_delim_get.hpp"
#include "duckdb/planner/operator/logical_distinct.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_limit.hpp"
#include "duckdb/planner/operator/logical_order.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_set_operation.hpp"

#include "sql/engine/scan.h"
#include "sql/point/join_group.h"
#include "sql/point/key_order.h"
#include "sql/point/row_join.h"
#include "sql/point/table_leaf.h"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionType;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

/// `node` with the columns `wanted`, in that order; nullptr: it lacks one.
NodePtr in_order(duckdb::ClientContext& context, NodePtr node, const Bindings& wanted) {
  const Bindings& bindings = node->bindings();
  if (bindings == wanted) return node;
  Expressions outputs;
  for (const auto& binding : wanted) {
    const auto at = std::find(bindings.begin(), bindings.end(), binding);
    if (at == bindings.end()) return nullptr;
    const auto& type = node->types()[static_cast<size_t>(at - bindings.begin())];
    outputs.push_back(duckdb::make_uniq<duckdb::BoundColumnRefExpression>(type, binding));
    resolve_columns(outputs.back(), bindings);
  }
  return make_project(context, std::move(node), std::move(outputs), wanted);
}

class Compiler {
 public:
  explicit Compiler(SessionImpl& session) : session_(session), context_(*session.connection().context) {}
  std::vector<Expressions> take_kept() { return std::move(kept_); }

  NodePtr compile(LogicalOperator& op) {
    if (!are_repeatable(op.expressions)) return nullptr;
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_PROJECTION: return project(op.Cast<duckdb::LogicalProjection>());
      case LogicalOperatorType::LOGICAL_FILTER:
      case LogicalOperatorType::LOGICAL_GET:
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT: return group(op);
      case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
      case LogicalOperatorType::LOGICAL_ANY_JOIN:
        if (op.Cast<duckdb::LogicalJoin>().join_type == duckdb::JoinType::INNER) return group(op);
        return join(op.Cast<duckdb::LogicalJoin>());
      case LogicalOperatorType::LOGICAL_DELIM_JOIN: return join(op.Cast<duckdb::LogicalJoin>());
      case LogicalOperatorType::LOGICAL_DELIM_GET:
        if (delims_.empty()) return nullptr;
        return make_delim_get(delims_.back(), op.GetColumnBindings());
      case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY: return aggregate(op.Cast<duckdb::LogicalAggregate>());
      case LogicalOperatorType::LOGICAL_ORDER_BY: return order(op.Cast<duckdb::LogicalOrder>());
      case LogicalOperatorType::LOGICAL_LIMIT: return limit(op.Cast<duckdb::LogicalLimit>());
      case LogicalOperatorType::LOGICAL_DISTINCT: return distinct(op.Cast<duckdb::LogicalDistinct>());
      case LogicalOperatorType::LOGICAL_UNION: return append(op.Cast<duckdb::LogicalSetOperation>());
      case LogicalOperatorType::LOGICAL_DUMMY_SCAN: {
        // One row; its column is nobody's.
        std::vector<Expressions> rows(1);
        rows[0].push_back(duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value::BOOLEAN(true)));
        return make_values(context_, std::move(rows), op.GetColumnBindings(), {duckdb::LogicalType::BOOLEAN});
      }
      case LogicalOperatorType::LOGICAL_EXPRESSION_GET: return values(op.Cast<duckdb::LogicalExpressionGet>());
      case LogicalOperatorType::LOGICAL_EMPTY_RESULT: {
        op.ResolveOperatorTypes();
        return make_values(context_, {}, op.GetColumnBindings(), op.types);
      }
      default: return nullptr;
    }
  }

 private:
  NodePtr project(duckdb::LogicalProjection& op) {
    NodePtr input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    auto outputs = resolved(op.expressions, input->bindings());
    if (!outputs) return nullptr;
    return make_project(context_, std::move(input), std::move(*outputs), op.GetColumnBindings());
  }

  NodePtr order(duckdb::LogicalOrder& op) {
    if (!op.projection_map.empty()) return nullptr;
    NodePtr input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    Expressions keys;
    duckdb::vector<duckdb::OrderType> orders;
    duckdb::vector<duckdb::OrderByNullType> nulls;
    for (const auto& node : op.orders) {
      keys.push_back(node.expression->Copy());
      orders.push_back(node.type);
      nulls.push_back(node.null_order);
    }
    auto ready = resolved(keys, input->bindings());
    if (!ready) return nullptr;
    return make_order(context_, std::move(input), std::move(*ready), std::move(orders), std::move(nulls));
  }

  /// LIMIT's or OFFSET's number; nullptr: none is given. False: it is no number that is the same for all rows.
  static bool limit_value(duckdb::BoundLimitNode& node, ExpressionPtr* out) {
    switch (node.Type()) {
      case duckdb::LimitNodeType::UNSET: return true;
      case duckdb::LimitNodeType::CONSTANT_VALUE:
        *out = duckdb::make_uniq<duckdb::BoundConstantExpression>(
            duckdb::Value::BIGINT(static_cast<int64_t>(node.GetConstantValue())));
        return true;
      case duckdb::LimitNodeType::EXPRESSION_VALUE: {
        *out = node.GetValueExpression().Copy();
        return within(**out, {}) && is_repeatable(**out);
      }
      default: return false;
    }
  }

  NodePtr limit(duckdb::LogicalLimit& op) {
    ExpressionPtr count, offset;
    if (!limit_value(op.limit_val, &count) || !limit_value(op.offset_val, &offset)) return nullptr;
    NodePtr input;
    if (count) input = first_rows_of_key(session_, *op.children[0], *count, offset.get(), &kept_);
    if (input == nullptr) input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    return make_limit(context_, std::move(input), std::move(count), std::move(offset));
  }

  NodePtr distinct(duckdb::LogicalDistinct& op) {
    if (op.order_by != nullptr)
      return nullptr;  // DISTINCT ON ... ORDER BY: which row is the first is the order's matter
    NodePtr input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    auto keys = resolved(op.distinct_targets, input->bindings());
    if (!keys) return nullptr;
    return make_distinct(context_, std::move(input), std::move(*keys));
  }

  NodePtr append(duckdb::LogicalSetOperation& op) {
    if (!op.setop_all) return nullptr;
    std::vector<NodePtr> inputs;
    for (auto& child : op.children) {
      NodePtr input = compile(*child);
      inputs.push_back(input == nullptr ? nullptr : in_order(context_, std::move(input), child->GetColumnBindings()));
      if (inputs.back() == nullptr || inputs.back()->types() != inputs.front()->types()) return nullptr;
    }
    return make_append(std::move(inputs), op.GetColumnBindings());
  }

  NodePtr values(duckdb::LogicalExpressionGet& op) {
    if (op.expressions.size() > kSmallRows || op.children.size() != 1 ||
        op.children[0]->type != LogicalOperatorType::LOGICAL_DUMMY_SCAN) {
      return nullptr;
    }
    std::vector<Expressions> rows;
    for (const auto& row : op.expressions) {
      auto ready = resolved(row, {});
      if (!ready) return nullptr;
      rows.push_back(std::move(*ready));
    }
    return make_values(context_, std::move(rows), op.GetColumnBindings(), op.expr_types);
  }

  NodePtr aggregate(duckdb::LogicalAggregate& op) {
    if (op.grouping_sets.size() > 1 || !op.grouping_functions.empty()) return nullptr;
    if (NodePtr ends = ends_of_keys(session_, op, &kept_)) return ends;
    NodePtr input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    auto groups = resolved(op.groups, input->bindings());
    auto aggregates = resolved(op.expressions, input->bindings());
    if (!groups || !aggregates) return nullptr;
    return make_aggregate(context_, std::move(input), std::move(*groups), std::move(*aggregates),
                          op.GetColumnBindings());
  }

  /// omen_rows: a collection that the session keeps.
  NodePtr collection(duckdb::LogicalGet& get) {
    if (get.function.name != kRowsFunction || !get.projection_ids.empty()) return nullptr;
    std::vector<size_t> columns;
    duckdb::vector<duckdb::LogicalType> types;
    for (const auto& id : get.GetColumnIds()) {
      if (id.IsVirtualColumn()) return nullptr;
      columns.push_back(id.GetPrimaryIndex());
      types.push_back(get.returned_types[id.GetPrimaryIndex()]);
    }
    const auto bindings = get.GetColumnBindings();
    if (columns.empty() || columns.size() != bindings.size()) return nullptr;
    return make_collection(get.bind_data->Cast<RowsBindData>().number, std::move(columns), bindings, std::move(types));
  }

  // --- Joins ---

  /// Filters `node` by those of `pending` that its columns suffice for.
  NodePtr apply(NodePtr node, ExpressionViews* pending) {
    const Tables known = tables_of(node->bindings());
    Expressions ready;
    for (size_t i = 0; i < pending->size();) {
      if (!within(*(*pending)[i], known)) {
        ++i;
        continue;
      }
      ready.push_back((*pending)[i]->Copy());
      if (!resolve_columns(ready.back(), node->bindings())) return nullptr;
      pending->erase(pending->begin() + static_cast<ptrdiff_t>(i));
    }
    return ready.empty() ? std::move(node) : make_filter(context_, std::move(node), std::move(ready));
  }

  /// A relation of a join group: a table that keys may lead into, or another node.
  struct Leaf {
    std::optional<TableLeaf> table;
    NodePtr node;
    bool done = false;
  };

  NodePtr group(LogicalOperator& op) {
    auto group = join_group(op);
    if (!group) return nullptr;
    std::vector<Leaf> leaves(group->leaves.size());
    for (size_t i = 0; i < leaves.size(); ++i) {
      LogicalOperator& leaf = *group->leaves[i];
      leaves[i].table = table_leaf(leaf, &group->predicates);
      if (leaves[i].table) continue;
      leaves[i].node =
          leaf.type == LogicalOperatorType::LOGICAL_GET ? collection(leaf.Cast<duckdb::LogicalGet>()) : compile(leaf);
      if (leaves[i].node == nullptr) return nullptr;
    }
    ExpressionViews pending = views_of(group->predicates);
    NodePtr node;
    for (size_t step = 0; step < leaves.size(); ++step) {
      node = join_next(std::move(node), &leaves, &pending);
      if (node == nullptr) return nullptr;
    }
    if (!pending.empty()) return nullptr;
    kept_.push_back(std::move(group->predicates));
    return group->projected.empty() ? std::move(node) : with_projected(std::move(node), std::move(*group));
  }

  /// Joins `node` (null: nothing yet) with the leaf that is cheapest to reach from it.
  NodePtr join_next(NodePtr node, std::vector<Leaf>* leaves, ExpressionViews* pending) {
    const Tables known = node == nullptr ? Tables() : tables_of(node->bindings());
    Leaf* best = nullptr;
    int best_rank = INT_MAX;
    std::optional<TableAccessPath> path;
    for (Leaf& leaf : *leaves) {
      if (leaf.done) continue;
      std::optional<TableAccessPath> way;
      if (leaf.table && !(way = path_into(session_, *leaf.table, known, *pending))) continue;
      const int rank = way ? way->rank() : TableAccessPath::kComputedRank;
      if (rank >= best_rank) continue;
      best = &leaf;
      best_rank = rank;
      path = std::move(way);
    }
    if (best == nullptr) return nullptr;
    best->done = true;

    const bool lookup = path && node != nullptr && !path->everything;
    if (path && !enter_path(context_, lookup ? node->bindings() : Bindings(), &*path, pending)) return nullptr;
    if (lookup) {
      JoinSpec spec;
      spec.bindings = joined(node->bindings(), best->table->bindings);
      node = make_lookup_join(context_, std::move(node), std::move(*path), std::move(spec));
    } else {
      NodePtr right = apply(path ? make_rows(std::move(*path), best->table->bindings) : std::move(best->node), pending);
      if (right == nullptr) return nullptr;
      node = node == nullptr ? std::move(right) : inner_hash_join(std::move(node), std::move(right), pending);
    }
    return node == nullptr ? nullptr : apply(std::move(node), pending);
  }

  /// The columns of `node`, and those of the group's dissolved projections behind them.
  NodePtr with_projected(NodePtr node, JoinGroup group) {
    Bindings bindings = node->bindings();
    Expressions outputs;
    for (size_t i = 0; i < bindings.size(); ++i) {
      outputs.push_back(duckdb::make_uniq<duckdb::BoundColumnRefExpression>(node->types()[i], bindings[i]));
    }
    for (size_t i = 0; i < group.projected.size(); ++i) {
      bindings.push_back(group.projected[i]);
      outputs.push_back(std::move(group.projections[i]));
    }
    for (auto& output : outputs) {
      if (!resolve_columns(output, node->bindings())) return nullptr;
    }
    return make_project(context_, std::move(node), std::move(outputs), std::move(bindings));
  }

  struct HashKeys {
    Expressions left, right;
    std::vector<bool> nulls_match;
  };
  /// Takes the equalities between the two sides out of `pending`.
  bool take_keys(const Bindings& left, const Bindings& right, ExpressionViews* pending, HashKeys* keys) {
    const Tables left_tables = tables_of(left), right_tables = tables_of(right);
    for (size_t i = 0; i < pending->size();) {
      Expression& predicate = *(*pending)[i];
      const auto type = predicate.GetExpressionType();
      if (type != ExpressionType::COMPARE_EQUAL && type != ExpressionType::COMPARE_NOT_DISTINCT_FROM) {
        ++i;
        continue;
      }
      const auto& sides = predicate.Cast<duckdb::BoundComparisonExpression>();
      const bool straight = within(*sides.left, left_tables) && within(*sides.right, right_tables);
      const bool turned = !straight && within(*sides.right, left_tables) && within(*sides.left, right_tables);
      if (!straight && !turned) {
        ++i;
        continue;
      }
      keys->left.push_back((straight ? sides.left : sides.right)->Copy());
      keys->right.push_back((straight ? sides.right : sides.left)->Copy());
      if (!resolve_columns(keys->left.back(), left) || !resolve_columns(keys->right.back(), right)) return false;
      keys->nulls_match.push_back(type == ExpressionType::COMPARE_NOT_DISTINCT_FROM);
      pending->erase(pending->begin() + static_cast<ptrdiff_t>(i));
    }
    return true;
  }

  NodePtr inner_hash_join(NodePtr left, NodePtr right, ExpressionViews* pending) {
    HashKeys keys;
    if (!take_keys(left->bindings(), right->bindings(), pending, &keys)) return nullptr;
    JoinSpec spec;
    spec.bindings = joined(left->bindings(), right->bindings());
    return make_hash_join(context_, std::move(left), std::move(right), std::move(keys.left), std::move(keys.right),
                          std::move(keys.nulls_match), std::move(spec));
  }

  /// Joins whose order matters: outer, semi, anti, mark, single; correlated ones too.
  NodePtr join(duckdb::LogicalJoin& op) {
    JoinSpec spec;
    switch (op.join_type) {
      case duckdb::JoinType::INNER: spec.kind = SmallJoin::kInner; break;  // a correlated one
      case duckdb::JoinType::LEFT: spec.kind = SmallJoin::kLeft; break;
      case duckdb::JoinType::SINGLE: spec.kind = SmallJoin::kSingle; break;
      case duckdb::JoinType::SEMI: spec.kind = SmallJoin::kSemi; break;
      case duckdb::JoinType::ANTI: spec.kind = SmallJoin::kAnti; break;
      case duckdb::JoinType::MARK: spec.kind = SmallJoin::kMark; break;
      default: return nullptr;
    }
    if (op.HasProjectionMap()) return nullptr;
    Expressions predicates;
    if (!add_conditions(op, &predicates)) return nullptr;
    NodePtr left = compile(*op.children[0]);
    if (left == nullptr) return spec.kind == SmallJoin::kSemi ? semi_from_right(op, std::move(predicates)) : nullptr;

    const bool correlated = op.type == LogicalOperatorType::LOGICAL_DELIM_JOIN;
    if (correlated) {
      auto& delim = op.Cast<duckdb::LogicalComparisonJoin>();
      if (delim.delim_flipped) return nullptr;
      auto keys = resolved(delim.duplicate_eliminated_columns, left->bindings());
      if (!keys) return nullptr;
      auto source = std::make_shared<DelimSource>(context_, std::move(*keys));
      left = make_delim(std::move(left), source);
      delims_.push_back(std::move(source));
    }
    NodePtr result = join_sides(std::move(left), op, std::move(predicates), std::move(spec));
    if (correlated) delims_.pop_back();
    return result;
  }

  /// WHERE x IN (SELECT ...), where the subquery has few rows and its values lead into the table.
  NodePtr semi_from_right(duckdb::LogicalJoin& op, Expressions predicates) {
    if (op.type != LogicalOperatorType::LOGICAL_COMPARISON_JOIN) return nullptr;
    Expressions keys;
    for (const auto& condition : op.Cast<duckdb::LogicalComparisonJoin>().conditions) {
      if (condition.comparison != ExpressionType::COMPARE_EQUAL) return nullptr;
      keys.push_back(condition.right->Copy());
    }
    if (keys.size() != predicates.size()) return nullptr;
    auto leaf = table_leaf(*op.children[0], &predicates);
    if (!leaf) return nullptr;
    NodePtr right = compile(*op.children[1]);
    if (right == nullptr) return nullptr;
    for (auto& key : keys) {
      if (!resolve_columns(key, right->bindings())) return nullptr;
    }
    // A row of the table meets one of the distinct values at most.
    NodePtr node = make_distinct(context_, std::move(right), std::move(keys));
    ExpressionViews pending = views_of(predicates);
    auto path = path_into(session_, *leaf, tables_of(node->bindings()), pending);
    if (!path || path->everything || !enter_path(context_, node->bindings(), &*path, &pending)) return nullptr;
    JoinSpec spec;
    spec.bindings = joined(node->bindings(), leaf->bindings);
    if (!take_residual(spec.bindings, pending, &spec)) return nullptr;
    kept_.push_back(std::move(predicates));
    return make_lookup_join(context_, std::move(node), std::move(*path), std::move(spec));
  }

  /// The columns of a join, as the nodes have them: not in the order of the logical plan.
  static Bindings join_bindings(duckdb::LogicalJoin& op, const Bindings& left, const Bindings& right) {
    switch (op.join_type) {
      case duckdb::JoinType::SEMI:
      case duckdb::JoinType::ANTI: return left;
      case duckdb::JoinType::MARK: return joined(left, {duckdb::ColumnBinding(op.mark_index, 0)});
      default: return joined(left, right);
    }
  }

  /// The join of `left` with what is right in `op`: by keys into a table, or hashed.
  NodePtr join_sides(NodePtr left, duckdb::LogicalJoin& op, Expressions predicates, JoinSpec spec) {
    LogicalOperator& right_op = *op.children[1];
    const bool correlated = op.type == LogicalOperatorType::LOGICAL_DELIM_JOIN;
    if (!correlated && spec.kind != SmallJoin::kMark) {
      Expressions all;
      for (const auto& predicate : predicates) all.push_back(predicate->Copy());
      if (auto leaf = table_leaf(right_op, &all)) {
        ExpressionViews pending = views_of(all);
        auto path = path_into(session_, *leaf, tables_of(left->bindings()), pending);
        if (!path) return nullptr;
        if (!path->everything) {
          if (!enter_path(context_, left->bindings(), &*path, &pending)) return nullptr;
          if (!take_residual(joined(left->bindings(), leaf->bindings), pending, &spec)) return nullptr;
          kept_.push_back(std::move(all));
          spec.bindings = join_bindings(op, left->bindings(), leaf->bindings);
          return make_lookup_join(context_, std::move(left), std::move(*path), std::move(spec));
        }
      }
    }
    NodePtr right = compile(right_op);
    if (right == nullptr) return nullptr;
    ExpressionViews pending = views_of(predicates);
    HashKeys keys;
    if (!take_keys(left->bindings(), right->bindings(), &pending, &keys)) return nullptr;
    if (spec.kind == SmallJoin::kMark) {
      // Null or false is plain for one column only, or where nulls are equal.
      const bool plain =
          std::all_of(keys.nulls_match.begin(), keys.nulls_match.end(), [](bool match) { return match; });
      if (!pending.empty() || (!plain && keys.nulls_match.size() > 1)) return nullptr;
    }
    if (!take_residual(joined(left->bindings(), right->bindings()), pending, &spec)) return nullptr;
    spec.bindings = join_bindings(op, left->bindings(), right->bindings());
    return make_hash_join(context_, std::move(left), std::move(right), std::move(keys.left), std::move(keys.right),
                          std::move(keys.nulls_match), std::move(spec));
  }

  static bool take_residual(const Bindings& bindings, const ExpressionViews& pending, JoinSpec* spec) {
    auto residual = resolved(pending, bindings);
    if (residual) spec->residual = std::move(*residual);
    return residual.has_value();
  }

  SessionImpl& session_;
  duckdb::ClientContext& context_;
  std::vector<std::shared_ptr<DelimSource>> delims_;  // of the correlated joins around, innermost last
  std::vector<Expressions> kept_;                     // predicates that key paths point into
};

}  // namespace

NodePtr compile_small_plan(SessionImpl& session, LogicalOperator& plan, std::vector<Expressions>* kept) {
  Compiler compiler(session);
  NodePtr node = compiler.compile(plan);
  if (node == nullptr) return nullptr;
  *kept = compiler.take_kept();
  return in_order(*session.connection().context, std::move(node), plan.GetColumnBindings());
}

}  // namespace omendb::sql
