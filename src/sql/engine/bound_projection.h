// Expressions that run outside of any statement, row by row: of an index, of a domain's checks.
#pragma once

#include "duckdb/main/client_context.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::sql {

struct BoundProjection {
  duckdb::shared_ptr<duckdb::Binder> binder;  // owns what the expressions refer to
  duckdb::unique_ptr<duckdb::LogicalOperator> root;
};

/// `select` bound in a transaction of its own, not optimized. Errors: those of binding; 0A000, naming `what`, unless it is a projection.
BoundProjection bind_projection(duckdb::ClientContext& duck, duckdb::unique_ptr<duckdb::SelectStatement> select,
                                const char* what);

}  // namespace omendb::sql
