#include "sql/frontend/walk.h"

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

namespace omendb::sql {

using Expr = duckdb::unique_ptr<duckdb::ParsedExpression>;

void visit_expressions(Expr& expr, const std::function<bool(Expr&)>& visit) {
  if (!visit(expr)) return;
  if (expr->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
    visit_query(*expr->Cast<duckdb::SubqueryExpression>().subquery->node, visit);
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(*expr, [&](Expr& child) { visit_expressions(child, visit); });
}

void replace(Expr& expr, Expr replacement) {
  replacement->SetAlias(expr->GetAlias());
  expr = std::move(replacement);
}

void visit_query(duckdb::QueryNode& node, const std::function<bool(Expr&)>& visit) {
  // The iterator descends into FROM, set operations and CTEs, and hands over expressions at their top.
  duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(node, [&](Expr& child) {
    if (child) visit_expressions(child, visit);
  });
}

void collect_aliases(const duckdb::ParsedExpression& expr, std::set<std::string>* aliases) {
  if (expr.GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
    const auto& column = expr.Cast<duckdb::ColumnRefExpression>();
    if (column.column_names.size() > 1) aliases->insert(column.column_names[0]);
    return;
  }
  if (expr.GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
    // The iterator over query nodes has no const form; nothing is changed.
    auto& node = *const_cast<duckdb::SubqueryExpression&>(expr.Cast<duckdb::SubqueryExpression>()).subquery->node;
    visit_query(node, [&](Expr& child) {
      if (child->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
        const auto& column = child->Cast<duckdb::ColumnRefExpression>();
        if (column.column_names.size() > 1) aliases->insert(column.column_names[0]);
      }
      return true;
    });
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expr, [&](const duckdb::ParsedExpression& child) { collect_aliases(child, aliases); });
}

}  // namespace omendb::sql
