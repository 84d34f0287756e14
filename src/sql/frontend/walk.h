// Walks over DuckDB's parse tree, subqueries included. Aliases are unique within a statement, so an alias tells the level.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/query_node.hpp"

namespace omendb::sql {

/// The table aliases of all column references in `expr`.
void collect_aliases(const duckdb::ParsedExpression& expr, std::set<std::string>* aliases);
/// Calls `visit` for every expression below and at `expr`, parents first; false: its children are left out.
void visit_expressions(duckdb::unique_ptr<duckdb::ParsedExpression>& expr,
                       const std::function<bool(duckdb::unique_ptr<duckdb::ParsedExpression>&)>& visit);
/// Puts `replacement` in the place of `expr`, under the name that it has as an output of a select.
void replace(duckdb::unique_ptr<duckdb::ParsedExpression>& expr,
             duckdb::unique_ptr<duckdb::ParsedExpression> replacement);
void visit_query(duckdb::QueryNode& node,
                 const std::function<bool(duckdb::unique_ptr<duckdb::ParsedExpression>&)>& visit);

}  // namespace omendb::sql
