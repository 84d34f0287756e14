#include "sql/engine/domain_checks.h"

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/main/connection.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/emptytableref.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"

#include "sql/duck_types.h"
#include "sql/engine/bound_projection.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/vectors.h"
#include "sql/frontend/coerce.h"
#include "types/io.h"

namespace omendb::sql {
namespace {

bool has_rules(const catalog::Catalog& catalog, Oid type) {
  const auto* domain = catalog.find<catalog::DomainType>(type);
  if (domain == nullptr) return false;
  return domain->not_null || !domain->checks.empty() || has_rules(catalog, domain->base_type);
}

}  // namespace

/// A connection of our own: the session's may be running the very statement that reads the value.
struct DomainChecks::Duck {
  duckdb::unique_ptr<duckdb::Connection> connection;
};

/// The cast of a value to a domain, bound: SELECT VALUE::domain FROM (SELECT NULL::base) AS r(VALUE), of which only the expression
/// runs.
class DomainChecks::Compiled {
 public:
  Compiled(SessionImpl& session, duckdb::ClientContext& duck, const std::shared_ptr<const catalog::Catalog>& catalog,
           Oid domain) {
    StatementContext context;
    context.catalog = catalog;
    context.search_path = session.resolved_search_path(*catalog);
    context.current_user = session.current_user();
    context.io = &session.io_context();
    context.exact_numeric = true;
    Scope scope;
    scope.statement = &context;
    TypedExpr value;
    value.type = base_ = base_type_of(context, domain, &typmod_);
    value.typmod = typmod_;
    value.physical = physical_ = physical_of(context, base_, typmod_);
    value.duck.reset(new duckdb::ColumnRefExpression("value", "r"));
    TypedExpr checked = coerce(scope, std::move(value), domain, -1, CoercionContext::kImplicit);

    const duckdb::LogicalType type = duck_type(base_, physical_);
    auto row = duckdb::make_uniq<duckdb::SelectNode>();
    row->select_list.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type)));
    row->select_list.back()->SetAlias("value");
    row->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    auto inner = duckdb::make_uniq<duckdb::SelectStatement>();
    inner->node = std::move(row);
    auto node = duckdb::make_uniq<duckdb::SelectNode>();
    node->select_list.push_back(duckdb::unique_ptr<duckdb::ParsedExpression>(checked.duck.release()));
    node->from_table = duckdb::make_uniq<duckdb::SubqueryRef>(std::move(inner), "r");
    auto select = duckdb::make_uniq<duckdb::SelectStatement>();
    select->node = std::move(node);

    bound_ = bind_projection(duck, std::move(select), "this check of a domain");
    input_.Initialize(duckdb::Allocator::DefaultAllocator(), {type}, 1);
    output_.Initialize(duckdb::Allocator::DefaultAllocator(), bound_.root->types, 1);
    executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(duck, bound_.root->expressions);
  }

  void check(const types::PhysicalType& physical, const types::ValueView& value) {
    types::Value converted;
    types::ValueView view = value;
    if (base_ == types::oid::kNumeric && physical != physical_) {
      throw_if_error(types::coerce_physical(base_, physical, value, typmod_, &converted));
      view = converted.view();
    }
    input_.Reset();
    store_value(input_.data[0], 0, physical_, view);
    input_.SetCardinality(1);
    output_.Reset();
    executor_->Execute(input_, output_);
  }

 private:
  Oid base_;
  int32_t typmod_ = -1;
  types::PhysicalType physical_;
  BoundProjection bound_;
  duckdb::DataChunk input_, output_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
};

DomainChecks::DomainChecks(SessionImpl& session) : session_(session) {}
DomainChecks::~DomainChecks() = default;

Status DomainChecks::check(const std::shared_ptr<const catalog::Catalog>& catalog, Oid domain,
                           const types::PhysicalType& physical, const types::ValueView& value) {
  if (!has_rules(*catalog, domain)) return {};
  return guarded("", [&] {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (version_ != catalog->version()) {
      compiled_.clear();
      version_ = catalog->version();
    }
    if (duck_ == nullptr) {
      auto services = session_.connection().context->registered_state->Get<SessionServices>(SessionServices::kKey);
      duck_ = std::make_unique<Duck>(Duck{session_.engine().duck().connect(std::move(services))});
    }
    auto& compiled = compiled_[domain];
    if (compiled == nullptr)
      compiled = std::make_unique<Compiled>(session_, *duck_->connection->context, catalog, domain);
    compiled->check(physical, value);
  });
}

}  // namespace omendb::sql
