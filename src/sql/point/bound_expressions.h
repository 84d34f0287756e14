// Questions about the bound expressions of a logical plan, and copies of them over the columns of a node.
#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "sql/point/row_node.h"

namespace omendb::sql {

using ExpressionPtr = duckdb::unique_ptr<duckdb::Expression>;
/// Expressions that somebody else owns.
using ExpressionViews = std::vector<duckdb::Expression*>;
/// DuckDB's numbers of a plan's tables, and of its other producers of columns.
using Tables = std::unordered_set<duckdb::idx_t>;

ExpressionViews views_of(const Expressions& expressions);
Tables tables_of(const Bindings& bindings);
Bindings joined(const Bindings& left, const Bindings& right);

/// Neither volatile nor with a subquery: a small plan may compute it, and compute it again if it gives up.
bool is_repeatable(const duckdb::Expression& expression);
bool are_repeatable(const Expressions& expressions);
/// Does `expression` read columns of `tables` only? One without columns does.
bool within(const duckdb::Expression& expression, const Tables& tables);

/// Appends copies of `given` to `predicates`, one for each that has to hold. False: one is not repeatable.
bool add_predicates(const Expressions& given, Expressions* predicates);

/// Copies over the positions of `bindings`; nullopt: they need other columns, or one is not repeatable.
std::optional<Expressions> resolved(const ExpressionViews& expressions, const Bindings& bindings);
std::optional<Expressions> resolved(const Expressions& expressions, const Bindings& bindings);

}  // namespace omendb::sql
