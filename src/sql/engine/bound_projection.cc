#include "sql/engine/bound_projection.h"

#include "duckdb/execution/column_binding_resolver.hpp"
#include "duckdb/planner/planner.hpp"

#include "sql/error.h"

namespace omendb::sql {

BoundProjection bind_projection(duckdb::ClientContext& duck, duckdb::unique_ptr<duckdb::SelectStatement> select,
                                const char* what) {
  BoundProjection bound;
  duck.RunFunctionInTransaction([&] {
    duckdb::Planner planner(duck);
    planner.CreatePlan(std::move(select));
    bound.binder = planner.binder;
    bound.root = std::move(planner.plan);
  });
  bound.root->ResolveOperatorTypes();
  duckdb::ColumnBindingResolver().VisitOperator(*bound.root);
  if (bound.root->type != duckdb::LogicalOperatorType::LOGICAL_PROJECTION) not_supported(what);
  return bound;
}

}  // namespace omendb::sql
