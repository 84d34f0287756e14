// Pieces of DuckDB's parse tree, as the query side emits them (conventions: expr.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref.hpp"

namespace omendb::sql {

// DuckDB's own pointer type; it converts to std::unique_ptr by itself, the other way is owned().
using Tree = duckdb::unique_ptr<duckdb::ParsedExpression>;
using DuckTable = duckdb::unique_ptr<duckdb::TableRef>;
using DuckNode = duckdb::unique_ptr<duckdb::QueryNode>;

template <class T>
duckdb::unique_ptr<T> owned(std::unique_ptr<T> pointer) {
  return duckdb::unique_ptr<T>(pointer.release());
}

namespace emit {

Tree column(const std::string& alias, const std::string& name, int location = -1);
Tree integer(int64_t value);      // BIGINT
Tree position(size_t one_based);  // ORDER BY 2
Tree boolean(bool value);
Tree null_of(const duckdb::LogicalType& type);
Tree cast(Tree value, const duckdb::LogicalType& type);
Tree call(const std::string& name, std::vector<Tree> arguments);
Tree conjunction(Tree left, Tree right);  // AND; either may be null
Tree negation(Tree value);
Tree is_null(Tree value);
Tree is_not_null(Tree value);
Tree compare(duckdb::ExpressionType type, Tree left, Tree right);
Tree case_when(Tree condition, Tree value, Tree otherwise);
Tree coalesce(Tree left, Tree right);
Tree scalar_subquery(DuckNode node);

DuckTable table_function(const std::string& name, Tree argument, const std::string& alias);
DuckTable subquery(DuckNode node, const std::string& alias);
DuckTable cte(const std::string& name, const std::string& alias);
DuckTable cross(DuckTable left, DuckTable right);  // either may be null
DuckTable empty();

duckdb::unique_ptr<duckdb::SelectNode> select();
duckdb::unique_ptr<duckdb::SelectStatement> statement(DuckNode node);
inline Tree copy(const duckdb::ParsedExpression& e) { return e.Copy(); }

}  // namespace emit
}  // namespace omendb::sql
