// The parts of expression analysis, one function a family of nodes; analyze_expr (analyzer.h) is the door.
#pragma once

#include <string>

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/function_lookup.h"

struct A_Const;
struct A_Expr;
struct A_Indirection;
struct CaseExpr;
struct FuncCall;
struct MinMaxExpr;
struct RowExpr;
struct RowExpr;
struct SubLink;
struct SQLValueFunction;

namespace omendb::sql {

/// Analyses `node` where the scope's kind already says where we are.
TypedExpr analyze_node(Scope& scope, Node* node);
std::vector<TypedExpr> analyze_list(Scope& scope, List* list);

TypedExpr analyze_constant(Scope& scope, const A_Const* node);
TypedExpr analyze_a_expr(Scope& scope, A_Expr* node);
TypedExpr analyze_sublink(Scope& scope, SubLink* node);
TypedExpr analyze_function_call(Scope& scope, FuncCall* node);
TypedExpr analyze_indirection(Scope& scope, A_Indirection* node);
TypedExpr analyze_array(Scope& scope, Node* array_expr, Oid type, Oid element, int32_t typmod);
/// (row or composite).name; throws 42703 when there is no such field.
TypedExpr select_field(Scope& scope, TypedExpr base, const std::string& name, int location);
/// Subscripts on an array value or jsonb.
TypedExpr subscript(Scope& scope, TypedExpr base, std::vector<Node*> indices);

/// ANY (or ALL) of `test` over the rows of a select, which it sees as `alias`.
DuckExpr quantified_subquery(bool any, std::unique_ptr<duckdb::SelectStatement> select, const std::string& alias,
                             DuckExpr test);

/// What stands in ROW(...), its stars expanded, untyped literals and parameters as they are; and the record of such fields.
std::vector<TypedExpr> analyze_row_fields(Scope& scope, const RowExpr* node);
TypedExpr row_of(Scope& scope, std::vector<TypedExpr> fields);
/// = <> < <= > >= over rows of equal length (make_row_comparison_op).
TypedExpr compare_rows(Scope& scope, const std::string& schema, const std::string& name, std::vector<TypedExpr> left,
                       std::vector<TypedExpr> right, int location);
/// ROW(...) op (SELECT ...): with the columns of the subquery's one row; null without one.
TypedExpr compare_row_with_subquery(Scope& scope, const std::string& schema, const std::string& name, Node* row,
                                    SubLink* node, int location);
/// IS [NOT] DISTINCT FROM.
TypedExpr distinct_from(Scope& scope, TypedExpr left, TypedExpr right, bool negated, int location);
TypedExpr case_of(Scope& scope, std::vector<std::pair<TypedExpr, TypedExpr>> branches, TypedExpr otherwise,
                  const char* construct);
TypedExpr coalesce_of(Scope& scope, std::vector<TypedExpr> args, int location);

/// "WHERE", "JOIN conditions", ... as error messages name the place; what may not stand there is refused with it.
std::string place_phrase(ExprKind kind);

/// Literal text of an operator's or function's qualified name.
void split_name(List* names, std::string* schema, std::string* name);

}  // namespace omendb::sql
