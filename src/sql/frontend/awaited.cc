// Doors of neighbours that are built at the same time (names and subqueries, sessions): weak, so that theirs win as soon as they are
// linked; until then a call says so. This file goes when they are there.
#include "sql/frontend/analyzer.h"
#include "sql/services.h"

namespace omendb::sql {

__attribute__((weak)) TypedExpr resolve_column(Scope&, ColumnRef*) { not_supported("a column reference"); }
__attribute__((weak)) SubqueryResult analyze_subquery(Scope*, StatementContext&, SelectStmt*) { not_supported("a subquery"); }
__attribute__((weak)) Scope* level_of(Scope&, const duckdb::ParsedExpression&) { return nullptr; }
__attribute__((weak)) SessionServices& services(duckdb::ClientContext&) { not_supported("a session"); }

}  // namespace omendb::sql
