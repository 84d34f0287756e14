#include "sql/point/row_compile.h"

#include <algorithm>
#include <unordered_set>

#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_any_join.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_delim_get.hpp"
#include "duckdb/planner/operator/logical_distinct.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_limit.hpp"
#include "duckdb/planner/operator/logical_order.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_set_operation.hpp"

#include "sql/engine/scan.h"
#include "sql/point/row_access.h"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionType;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using ExpressionPtr = duckdb::unique_ptr<Expression>;
using Tables = std::unordered_set<duckdb::idx_t>;

void collect_tables(const Expression& expression, Tables* tables) {
  if (expression.GetExpressionType() == ExpressionType::BOUND_COLUMN_REF) {
    tables->insert(expression.Cast<duckdb::BoundColumnRefExpression>().binding.table_index);
  }
  duckdb::ExpressionIterator::EnumerateChildren(expression, [&](const Expression& child) { collect_tables(child, tables); });
}

std::vector<Expression*> views_of(const Expressions& expressions) {
  std::vector<Expression*> views;
  for (const auto& expression : expressions) views.push_back(expression.get());
  return views;
}

bool within(const Expression& expression, const Tables& tables) {
  Tables used;
  collect_tables(expression, &used);
  return std::all_of(used.begin(), used.end(), [&](auto table) { return tables.count(table) > 0; });
}

Tables tables_of(const Bindings& bindings) {
  Tables tables;
  for (const auto& binding : bindings) tables.insert(binding.table_index);
  return tables;
}

/// A join's inputs and conditions, taken apart: relations that join in any order, and predicates that all must hold.
struct JoinGroup {
  std::vector<LogicalOperator*> leaves;
  Expressions predicates;
  // Projections on the way are dissolved: their columns, as expressions over the leaves.
  Bindings projected;
  Expressions projections;
};

/// A table under filters: what a key path can lead into.
struct TableLeaf {
  duckdb::LogicalGet* get = nullptr;
  std::shared_ptr<const TableSchema> schema;
  std::vector<size_t> columns;
  Bindings bindings;
};

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
    for (const auto& expression : op.expressions) {
      if (expression->IsVolatile() || expression->HasSubquery()) return nullptr;
    }
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_PROJECTION: return project(op.Cast<duckdb::LogicalProjection>());
      case LogicalOperatorType::LOGICAL_FILTER:
      case LogicalOperatorType::LOGICAL_GET:
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
        return group(op);
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
      default:
        return nullptr;
    }
  }

 private:
  /// Copies of `expressions`, over the columns of `bindings`; nullopt: they need others.
  std::optional<Expressions> resolved(const Expressions& expressions, const Bindings& bindings) const {
    Expressions copies;
    for (const auto& expression : expressions) {
      if (expression->IsVolatile() || expression->HasSubquery()) return std::nullopt;
      copies.push_back(expression->Copy());
      if (!resolve_columns(copies.back(), bindings)) return std::nullopt;
    }
    return copies;
  }

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

  static bool limit_value(duckdb::BoundLimitNode& node, ExpressionPtr* out) {
    switch (node.Type()) {
      case duckdb::LimitNodeType::UNSET:
        return true;
      case duckdb::LimitNodeType::CONSTANT_VALUE:
        *out = duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value::BIGINT(static_cast<int64_t>(node.GetConstantValue())));
        return true;
      case duckdb::LimitNodeType::EXPRESSION_VALUE: {
        *out = node.GetValueExpression().Copy();
        Tables used;
        collect_tables(**out, &used);
        return used.empty() && !(*out)->IsVolatile() && !(*out)->HasSubquery();
      }
      default:
        return false;
    }
  }

  NodePtr limit(duckdb::LogicalLimit& op) {
    ExpressionPtr count, offset;
    if (!limit_value(op.limit_val, &count) || !limit_value(op.offset_val, &offset)) return nullptr;
    NodePtr input;
    if (count) input = first_rows(*op.children[0], *count, offset.get());
    if (input == nullptr) input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    return make_limit(context_, std::move(input), std::move(count), std::move(offset));
  }

  /// ORDER BY and LIMIT over one table, whose rows a key gives in that order; or LIMIT alone.
  NodePtr first_rows(LogicalOperator& below, const Expression& count, const Expression* offset) {
    LogicalOperator* op = &below;
    duckdb::LogicalOrder* sort = nullptr;
    if (op->type == LogicalOperatorType::LOGICAL_ORDER_BY) {
      sort = &op->Cast<duckdb::LogicalOrder>();
      if (!sort->projection_map.empty()) return nullptr;
      op = op->children[0].get();
    }
    std::vector<LogicalOperator*> projections;
    while (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
      projections.push_back(op);
      op = op->children[0].get();
    }
    Expressions predicates;
    auto leaf = table_leaf(*op, &predicates);
    if (!leaf) return nullptr;
    std::vector<OrderedColumn> order;
    for (size_t i = 0; sort != nullptr && i < sort->orders.size(); ++i) {
      const Expression* key = sort->orders[i].expression.get();
      for (auto* projection : projections) {
        if (key->GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) return nullptr;
        key = projection->expressions[key->Cast<duckdb::BoundColumnRefExpression>().binding.column_index].get();
      }
      const size_t column = column_of(*leaf, *key);
      if (column == SIZE_MAX) return nullptr;
      order.push_back({column, sort->orders[i].type == duckdb::OrderType::DESCENDING,
                       sort->orders[i].null_order == duckdb::OrderByNullType::NULLS_FIRST});
    }
    auto path = find_ordered_path(leaf->schema, leaf->columns, predicates_on(*leaf, {}, views_of(predicates)), order);
    if (!path) return nullptr;
    NodePtr node = ordered_rows(*leaf, std::move(*path), std::move(predicates), count, offset);
    if (node == nullptr) return nullptr;
    for (auto it = projections.rbegin(); it != projections.rend(); ++it) {
      auto outputs = resolved((*it)->expressions, node->bindings());
      if (!outputs) return nullptr;
      node = make_project(context_, std::move(node), std::move(*outputs), (*it)->GetColumnBindings());
    }
    return node;  // in order already
  }

  /// The first rows of `path`, an ordered one, that pass `predicates`.
  NodePtr ordered_rows(const TableLeaf& leaf, TableAccessPath path, Expressions predicates, const Expression& count,
                       const Expression* offset) {
    std::vector<Expression*> pending = views_of(predicates);
    if (!prepare_path(&path, {})) return nullptr;
    settle(path, std::vector<Expression*>(pending), &pending);
    Expressions residual;
    for (auto* predicate : pending) {
      residual.push_back(predicate->Copy());
      if (!resolve_columns(residual.back(), leaf.bindings)) return nullptr;
    }
    kept_.push_back(std::move(predicates));
    return make_first_rows(context_, std::move(path), leaf.bindings, std::move(residual), count.Copy(),
                           offset == nullptr ? nullptr : offset->Copy());
  }

  NodePtr distinct(duckdb::LogicalDistinct& op) {
    if (op.order_by != nullptr) return nullptr;  // DISTINCT ON ... ORDER BY: which row is the first is the order's matter
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
    if (NodePtr ends = ends_of_keys(op)) return ends;
    NodePtr input = compile(*op.children[0]);
    if (input == nullptr) return nullptr;
    auto groups = resolved(op.groups, input->bindings());
    auto aggregates = resolved(op.expressions, input->bindings());
    if (!groups || !aggregates) return nullptr;
    return make_aggregate(context_, std::move(input), std::move(*groups), std::move(*aggregates), op.GetColumnBindings());
  }

  /// min() and max() of columns of one table that keys are ordered by: each reads the first row at its end of one.
  NodePtr ends_of_keys(duckdb::LogicalAggregate& op) {
    if (!op.groups.empty()) return nullptr;
    const duckdb::BoundConstantExpression one(duckdb::Value::BIGINT(1));
    const Bindings bindings = op.GetColumnBindings();
    NodePtr node;
    for (size_t i = 0; i < op.expressions.size(); ++i) {
      if (op.expressions[i]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return nullptr;
      const auto& call = op.expressions[i]->Cast<duckdb::BoundAggregateExpression>();
      const bool min_max = call.function.name == "min" || call.function.name == "max";
      if (!min_max || call.filter || call.order_bys || call.children.size() != 1) return nullptr;
      Expressions predicates;
      const auto leaf = table_leaf(*op.children[0], &predicates);
      if (!leaf) return nullptr;
      const size_t column = column_of(*leaf, *call.children[0]);
      if (column == SIZE_MAX) return nullptr;
      const auto asked = views_of(predicates);
      auto path = find_ordered_path(leaf->schema, leaf->columns, predicates_on(*leaf, {}, asked),
                                    {{.column = column, .descending = call.function.name == "max", .nulls_first = false, .not_null = true}});
      if (!path) return nullptr;
      // What other columns have to be may lead to fewer rows by another key.
      for (size_t p = 0; p < asked.size(); ++p) {
        const auto& used = path->key.used;
        if (std::find(used.begin(), used.end(), p) != used.end() || only_on(*asked[p], *leaf, column)) continue;
        if (path_into(*leaf, {}, asked)) return nullptr;
        break;
      }
      NodePtr row = ordered_rows(*leaf, std::move(*path), std::move(predicates), one, nullptr);
      if (row == nullptr) return nullptr;
      Expressions own;
      own.push_back(call.Copy());
      if (!resolve_columns(own.back(), row->bindings())) return nullptr;
      row = make_aggregate(context_, std::move(row), {}, std::move(own), {bindings[i]});
      if (row == nullptr) return nullptr;
      if (node == nullptr) {
        node = std::move(row);
      } else {
        JoinSpec spec;
        spec.bindings = joined(node->bindings(), row->bindings());
        node = make_hash_join(context_, std::move(node), std::move(row), {}, {}, {}, std::move(spec));
      }
    }
    return node;
  }

  // --- Joins ---

  /// A get under filters, whose predicates are appended (as copies); nullopt: something else.
  std::optional<TableLeaf> table_leaf(LogicalOperator& op, Expressions* predicates) {
    if (op.type == LogicalOperatorType::LOGICAL_FILTER) {
      auto& filter = op.Cast<duckdb::LogicalFilter>();
      if (!filter.projection_map.empty()) return std::nullopt;
      auto leaf = table_leaf(*op.children[0], predicates);
      if (leaf && !add_predicates(filter.expressions, predicates)) return std::nullopt;
      return leaf;
    }
    if (op.type != LogicalOperatorType::LOGICAL_GET) return std::nullopt;
    TableLeaf leaf;
    leaf.get = &op.Cast<duckdb::LogicalGet>();
    if (leaf.get->function.name != kScanFunction || !leaf.get->projection_ids.empty() || !leaf.get->table_filters.filters.empty()) {
      return std::nullopt;
    }
    leaf.schema = leaf.get->bind_data->Cast<ScanBindData>().schema;
    leaf.bindings = op.GetColumnBindings();
    for (const auto& id : leaf.get->GetColumnIds()) {
      if (id.IsVirtualColumn() || id.GetPrimaryIndex() >= leaf.schema->types.size()) return std::nullopt;
      leaf.columns.push_back(id.GetPrimaryIndex());
    }
    if (leaf.columns.empty()) leaf.columns.push_back(leaf.schema->key_column());  // only counted
    if (leaf.columns.size() != leaf.bindings.size()) return std::nullopt;
    return leaf;
  }

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

  bool add_predicates(const Expressions& given, Expressions* predicates) {
    Expressions copies;
    for (const auto& expression : given) {
      if (expression->IsVolatile() || expression->HasSubquery()) return false;
      copies.push_back(expression->Copy());
    }
    duckdb::LogicalFilter::SplitPredicates(copies);
    for (auto& copy : copies) predicates->push_back(std::move(copy));
    return true;
  }

  static ExpressionPtr condition_of(const duckdb::JoinCondition& condition) {
    return duckdb::make_uniq<duckdb::BoundComparisonExpression>(condition.comparison, condition.left->Copy(), condition.right->Copy());
  }

  /// The conditions of a join as predicates over both sides. False: a form not known here.
  bool conditions_of(duckdb::LogicalJoin& join, Expressions* predicates) {
    Expressions conditions;
    if (join.type == LogicalOperatorType::LOGICAL_ANY_JOIN) {
      conditions.push_back(join.Cast<duckdb::LogicalAnyJoin>().condition->Copy());
    } else {
      auto& comparison = join.Cast<duckdb::LogicalComparisonJoin>();
      for (const auto& condition : comparison.conditions) conditions.push_back(condition_of(condition));
      if (comparison.predicate) conditions.push_back(comparison.predicate->Copy());
    }
    return add_predicates(conditions, predicates);
  }

  bool gather(LogicalOperator& op, JoinGroup* group) {
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_FILTER:
        if (!op.Cast<duckdb::LogicalFilter>().projection_map.empty()) return false;
        return gather(*op.children[0], group) && add_predicates(op.expressions, &group->predicates);
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
        return gather(*op.children[0], group) && gather(*op.children[1], group);
      case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
      case LogicalOperatorType::LOGICAL_ANY_JOIN: {
        auto& join = op.Cast<duckdb::LogicalJoin>();
        if (join.join_type != duckdb::JoinType::INNER || join.HasProjectionMap()) break;
        return gather(*op.children[0], group) && gather(*op.children[1], group) && conditions_of(join, &group->predicates);
      }
      case LogicalOperatorType::LOGICAL_PROJECTION: {
        // Dissolved over what joins; a projection of anything else (aggregates, ...) is a leaf.
        const auto below = op.children[0]->type;
        if (below != LogicalOperatorType::LOGICAL_GET && below != LogicalOperatorType::LOGICAL_FILTER &&
            below != LogicalOperatorType::LOGICAL_COMPARISON_JOIN && below != LogicalOperatorType::LOGICAL_CROSS_PRODUCT &&
            below != LogicalOperatorType::LOGICAL_PROJECTION) {
          break;
        }
        for (const auto& expression : op.expressions) {
          if (expression->IsVolatile() || expression->HasSubquery()) return false;
        }
        if (!gather(*op.children[0], group)) return false;
        const auto bindings = op.GetColumnBindings();
        for (size_t i = 0; i < op.expressions.size(); ++i) {
          ExpressionPtr column = op.expressions[i]->Copy();
          substitute(column, *group);
          group->projected.push_back(bindings[i]);
          group->projections.push_back(std::move(column));
        }
        return true;
      }
      default:
        break;
    }
    group->leaves.push_back(&op);
    return true;
  }

  /// Columns of dissolved projections become what they are computed from.
  static void substitute(ExpressionPtr& expression, const JoinGroup& group) {
    if (expression->GetExpressionType() == ExpressionType::BOUND_COLUMN_REF) {
      const auto& binding = expression->Cast<duckdb::BoundColumnRefExpression>().binding;
      const auto found = std::find(group.projected.begin(), group.projected.end(), binding);
      if (found != group.projected.end()) {
        expression = group.projections[static_cast<size_t>(found - group.projected.begin())]->Copy();
      }
      return;
    }
    duckdb::ExpressionIterator::EnumerateChildren(*expression, [&](ExpressionPtr& child) { substitute(child, group); });
  }

  /// Which column of the table `expression` is; SIZE_MAX: none.
  static size_t column_of(const TableLeaf& leaf, const Expression& expression) {
    if (expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) return SIZE_MAX;
    const auto& binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
    const auto found = std::find(leaf.bindings.begin(), leaf.bindings.end(), binding);
    return found == leaf.bindings.end() ? SIZE_MAX : leaf.columns[static_cast<size_t>(found - leaf.bindings.begin())];
  }

  /// Whether `expression` reads that column of the table and no other.
  static bool only_on(const Expression& expression, const TableLeaf& leaf, size_t column) {
    if (expression.GetExpressionType() == ExpressionType::BOUND_COLUMN_REF) return column_of(leaf, expression) == column;
    bool only = true;
    duckdb::ExpressionIterator::EnumerateChildren(expression, [&](const Expression& child) { only = only && only_on(child, leaf, column); });
    return only;
  }

  /// `predicates` as asked of `leaf`, when the columns of `known` have values. `leaf` must outlive the result.
  static KeyPredicates predicates_on(const TableLeaf& leaf, Tables known, const std::vector<Expression*>& predicates) {
    KeyPredicates given;
    given.predicates = predicates;
    given.column_of = [&leaf](const Expression& expression) { return column_of(leaf, expression); };
    given.is_value = [known = std::move(known)](const Expression& expression) { return within(expression, known); };
    return given;
  }

  /// How `leaf` can be reached when the columns of `known` have values.
  std::optional<TableAccessPath> path_into(const TableLeaf& leaf, Tables known, const std::vector<Expression*>& predicates) {
    return find_path(session_, leaf.schema, leaf.columns, predicates_on(leaf, std::move(known), predicates));
  }

  bool prepare_path(TableAccessPath* path, const Bindings& outer) {
    bool all = true;
    path->key.for_each([&](KeyPart& part) {
      part.prepare(context_, [&](ExpressionPtr& value) { all = all && resolve_columns(value, outer); });
    });
    return all;
  }

  /// Filters `node` by those of `pending` that its columns suffice for.
  NodePtr apply(NodePtr node, std::vector<Expression*>* pending) {
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

  static void settle(const TableAccessPath& path, const std::vector<Expression*>& asked, std::vector<Expression*>* pending) {
    for (size_t used : path.key.used) pending->erase(std::find(pending->begin(), pending->end(), asked[used]));
  }

  static Bindings joined(const Bindings& left, const Bindings& right) {
    Bindings both = left;
    both.insert(both.end(), right.begin(), right.end());
    return both;
  }

  NodePtr group(LogicalOperator& op) {
    JoinGroup group;
    if (!gather(op, &group)) return nullptr;
    if (group.leaves.size() == 1 && group.leaves[0] == &op && op.type != LogicalOperatorType::LOGICAL_GET) return nullptr;
    for (auto& predicate : group.predicates) substitute(predicate, group);

    struct Leaf {
      std::optional<TableLeaf> table;
      NodePtr node;
      bool done = false;
    };
    std::vector<Leaf> leaves(group.leaves.size());
    for (size_t i = 0; i < leaves.size(); ++i) {
      leaves[i].table = table_leaf(*group.leaves[i], &group.predicates);
      if (leaves[i].table) continue;
      leaves[i].node = group.leaves[i]->type == LogicalOperatorType::LOGICAL_GET
                           ? collection(group.leaves[i]->Cast<duckdb::LogicalGet>())
                           : compile(*group.leaves[i]);
      if (leaves[i].node == nullptr) return nullptr;
    }
    std::vector<Expression*> pending = views_of(group.predicates);

    NodePtr node;
    for (size_t step = 0; step < leaves.size(); ++step) {
      const Tables known = node == nullptr ? Tables() : tables_of(node->bindings());
      // The cheapest way on: a key from what is known, then rows that another node computes, then a tiny table.
      size_t best = SIZE_MAX;
      int best_rank = 100;
      std::optional<TableAccessPath> best_path;
      for (size_t i = 0; i < leaves.size(); ++i) {
        if (leaves[i].done) continue;
        if (!leaves[i].table) {
          if (best_rank > 2) {
            best = i;
            best_rank = 2;
            best_path.reset();
          }
          continue;
        }
        auto path = path_into(*leaves[i].table, known, pending);
        if (!path || path->rank() >= best_rank) continue;
        best = i;
        best_rank = path->rank();
        best_path = std::move(path);
      }
      if (best == SIZE_MAX) return nullptr;
      Leaf& leaf = leaves[best];
      leaf.done = true;
      NodePtr right;
      if (best_path && node != nullptr && !best_path->everything) {
        if (!prepare_path(&*best_path, node->bindings())) return nullptr;
        settle(*best_path, std::vector<Expression*>(pending), &pending);
        JoinSpec spec;
        spec.bindings = joined(node->bindings(), leaf.table->bindings);
        node = make_lookup_join(context_, std::move(node), std::move(*best_path), std::move(spec));
      } else {
        if (best_path) {
          if (!prepare_path(&*best_path, {})) return nullptr;
          settle(*best_path, std::vector<Expression*>(pending), &pending);
          right = apply(make_rows(std::move(*best_path), leaf.table->bindings), &pending);
        } else {
          right = apply(std::move(leaf.node), &pending);
        }
        if (right == nullptr) return nullptr;
        node = node == nullptr ? std::move(right) : inner_hash_join(std::move(node), std::move(right), &pending);
      }
      if (node == nullptr) return nullptr;
      node = apply(std::move(node), &pending);
      if (node == nullptr) return nullptr;
    }
    if (!pending.empty()) return nullptr;
    kept_.push_back(std::move(group.predicates));
    if (group.projected.empty()) return node;

    // Everything below, and the dissolved projections' columns.
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
  bool take_keys(const Bindings& left, const Bindings& right, std::vector<Expression*>* pending, HashKeys* keys) {
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

  NodePtr inner_hash_join(NodePtr left, NodePtr right, std::vector<Expression*>* pending) {
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
    if (!conditions_of(op, &predicates)) return nullptr;
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
    std::vector<Expression*> pending = views_of(predicates);
    auto path = path_into(*leaf, tables_of(node->bindings()), pending);
    if (!path || path->everything || !prepare_path(&*path, node->bindings())) return nullptr;
    settle(*path, std::vector<Expression*>(pending), &pending);
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
      case duckdb::JoinType::ANTI:
        return left;
      case duckdb::JoinType::MARK:
        return joined(left, {duckdb::ColumnBinding(op.mark_index, 0)});
      default:
        return joined(left, right);
    }
  }

  NodePtr join_sides(NodePtr left, duckdb::LogicalJoin& op, Expressions predicates, JoinSpec spec) {
    LogicalOperator& right_op = *op.children[1];
    const bool correlated = op.type == LogicalOperatorType::LOGICAL_DELIM_JOIN;
    if (!correlated && spec.kind != SmallJoin::kMark) {
      Expressions all;
      for (const auto& predicate : predicates) all.push_back(predicate->Copy());
      if (auto leaf = table_leaf(right_op, &all)) {
        std::vector<Expression*> pending = views_of(all);
        auto path = path_into(*leaf, tables_of(left->bindings()), pending);
        if (!path) return nullptr;
        if (!path->everything) {
          if (!prepare_path(&*path, left->bindings())) return nullptr;
          settle(*path, std::vector<Expression*>(pending), &pending);
          if (!take_residual(joined(left->bindings(), leaf->bindings), pending, &spec)) return nullptr;
          kept_.push_back(std::move(all));
          spec.bindings = join_bindings(op, left->bindings(), leaf->bindings);
          return make_lookup_join(context_, std::move(left), std::move(*path), std::move(spec));
        }
      }
    }
    NodePtr right = compile(right_op);
    if (right == nullptr) return nullptr;
    std::vector<Expression*> pending = views_of(predicates);
    HashKeys keys;
    if (!take_keys(left->bindings(), right->bindings(), &pending, &keys)) return nullptr;
    if (spec.kind == SmallJoin::kMark) {
      // Null or false is plain for one column only, or where nulls are equal.
      const bool plain = std::all_of(keys.nulls_match.begin(), keys.nulls_match.end(), [](bool match) { return match; });
      if (!pending.empty() || (!plain && keys.nulls_match.size() > 1)) return nullptr;
    }
    if (!take_residual(joined(left->bindings(), right->bindings()), pending, &spec)) return nullptr;
    spec.bindings = join_bindings(op, left->bindings(), right->bindings());
    return make_hash_join(context_, std::move(left), std::move(right), std::move(keys.left), std::move(keys.right),
                          std::move(keys.nulls_match), std::move(spec));
  }

  static bool take_residual(const Bindings& bindings, const std::vector<Expression*>& pending, JoinSpec* spec) {
    for (auto* predicate : pending) {
      spec->residual.push_back(predicate->Copy());
      if (!resolve_columns(spec->residual.back(), bindings)) return false;
    }
    return true;
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
