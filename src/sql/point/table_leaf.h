// One table of a logical plan under its filters: what a key path can lead into.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "duckdb/planner/logical_operator.hpp"

#include "sql/point/bound_expressions.h"
#include "sql/point/row_access.h"

namespace omendb::sql {

struct TableLeaf {
  std::shared_ptr<const TableSchema> schema;
  std::vector<size_t> columns;  // in TableSchema's numbering, one for each of `bindings`
  Bindings bindings;

  /// Which column of the table `expression` is; SIZE_MAX: none.
  size_t column_of(const duckdb::Expression& expression) const;
  /// Does `expression` read that column of the table and no other?
  bool only_on(const duckdb::Expression& expression, size_t column) const;
  /// `predicates` as asked of the table, when the columns of `known` have values. The leaf must outlive the result.
  KeyPredicates asked(Tables known, const ExpressionViews& predicates) const;
};

/// A scan of one of our tables under filters, copies of which are appended to `predicates`; nullopt: something else.
std::optional<TableLeaf> table_leaf(duckdb::LogicalOperator& op, Expressions* predicates);

/// How `leaf` can be reached when the columns of `known` have values; nullopt: not by reading few rows.
std::optional<TableAccessPath> path_into(SessionImpl& session, const TableLeaf& leaf, Tables known,
                                         const ExpressionViews& predicates);

/// Makes the values in `path` ready to be computed over rows of `outer`, and takes the predicates that the path settles out of
/// `asked`, with which it was found. False: a value needs other columns.
bool enter_path(duckdb::ClientContext& context, const Bindings& outer, TableAccessPath* path, ExpressionViews* asked);

}  // namespace omendb::sql
