#include "sql/point/table_leaf.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"
#include "duckdb/planner/operator/logical_get.hpp"

#include "sql/engine/scan.h"

namespace omendb::sql {

using duckdb::Expression;
using duckdb::ExpressionType;
using duckdb::LogicalOperatorType;

size_t TableLeaf::column_of(const Expression& expression) const {
  if (expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF) return SIZE_MAX;
  const auto& binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
  const auto found = std::find(bindings.begin(), bindings.end(), binding);
  return found == bindings.end() ? SIZE_MAX : columns[static_cast<size_t>(found - bindings.begin())];
}

bool TableLeaf::only_on(const Expression& expression, size_t column) const {
  if (expression.GetExpressionType() == ExpressionType::BOUND_COLUMN_REF) return column_of(expression) == column;
  bool only = true;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { only = only && only_on(child, column); });
  return only;
}

KeyPredicates TableLeaf::asked(Tables known, const ExpressionViews& predicates) const {
  KeyPredicates given;
  given.predicates = predicates;
  given.column_of = [this](const Expression& expression) { return column_of(expression); };
  given.is_value = [known = std::move(known)](const Expression& expression) { return within(expression, known); };
  return given;
}

std::optional<TableLeaf> table_leaf(duckdb::LogicalOperator& op, Expressions* predicates) {
  if (op.type == LogicalOperatorType::LOGICAL_FILTER) {
    auto& filter = op.Cast<duckdb::LogicalFilter>();
    if (!filter.projection_map.empty()) return std::nullopt;
    auto leaf = table_leaf(*op.children[0], predicates);
    if (leaf && !add_predicates(filter.expressions, predicates)) return std::nullopt;
    return leaf;
  }
  if (op.type != LogicalOperatorType::LOGICAL_GET) return std::nullopt;
  const auto& get = op.Cast<duckdb::LogicalGet>();
  if (get.function.name != kScanFunction || !get.projection_ids.empty() || !get.table_filters.filters.empty())
    return std::nullopt;
  TableLeaf leaf;
  leaf.schema = get.bind_data->Cast<ScanBindData>().schema;
  leaf.bindings = op.GetColumnBindings();
  for (const auto& id : get.GetColumnIds()) {
    if (id.IsVirtualColumn() || id.GetPrimaryIndex() >= leaf.schema->types.size()) return std::nullopt;
    leaf.columns.push_back(id.GetPrimaryIndex());
  }
  if (leaf.columns.empty()) leaf.columns.push_back(leaf.schema->key_column());  // only counted
  if (leaf.columns.size() != leaf.bindings.size()) return std::nullopt;
  return leaf;
}

std::optional<TableAccessPath> path_into(SessionImpl& session, const TableLeaf& leaf, Tables known,
                                         const ExpressionViews& predicates) {
  return find_path(session, leaf.schema, leaf.columns, leaf.asked(std::move(known), predicates));
}

bool enter_path(duckdb::ClientContext& context, const Bindings& outer, TableAccessPath* path, ExpressionViews* asked) {
  bool all = true;
  path->key.for_each([&](KeyPart& part) {
    part.prepare(context, [&](ExpressionPtr& value) { all = all && resolve_columns(value, outer); });
  });
  if (!all) return false;
  const ExpressionViews given = *asked;
  for (size_t used : path->key.used) asked->erase(std::find(asked->begin(), asked->end(), given[used]));
  return true;
}

}  // namespace omendb::sql
