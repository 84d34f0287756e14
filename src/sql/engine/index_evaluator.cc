#include "sql/engine/index_evaluator.h"

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "duckdb/planner/operator/logical_get.hpp"

#include "sql/engine/bound_projection.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"
#include "sql/engine/scan.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

constexpr int64_t kIndexCollection = -3;  // only its columns matter
constexpr const char* kAlias = "r";

thread_local SessionImpl* t_session = nullptr;

class Compiled final : public CompiledIndex {
 public:
  Compiled(SessionImpl& session, const table::TableAccess& table, const table::TableAccess::IndexAccess& index)
      : layout_(table.layout()), missing_(table.table().columns) {
    StatementContext context = session.analysis("");
    Scope scope;
    scope.statement = &context;
    auto node = duckdb::make_uniq<duckdb::SelectNode>();
    auto add = [&](TypedExpr expression) {
      node->select_list.push_back(duckdb::unique_ptr<duckdb::ParsedExpression>(expression.duck.release()));
    };
    for (const auto& key : index.index.keys) {
      if (key.attnum != 0) continue;
      TypedExpr value =
          analyze_table_expression(context, &table.table(), kAlias, key.expression_sql, ExprKind::kIndexExpression);
      if (key.type != kInvalidOid) value = coerce(scope, std::move(value), key.type, -1, CoercionContext::kAssignment);
      outputs_.push_back(value.physical);
      add(std::move(value));
    }
    if (!index.index.predicate_sql.empty()) {
      has_predicate_ = true;
      TypedExpr predicate = analyze_table_expression(context, &table.table(), kAlias, index.index.predicate_sql,
                                                     ExprKind::kIndexPredicate);
      add(coerce_to_boolean(scope, std::move(predicate), "WHERE"));
    }
    auto rows = duckdb::make_uniq<duckdb::TableFunctionRef>();
    duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
    arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(kIndexCollection)));
    rows->function = duckdb::make_uniq<duckdb::FunctionExpression>(kRowsFunction, std::move(arguments));
    rows->alias = kAlias;
    node->from_table = std::move(rows);
    auto select = duckdb::make_uniq<duckdb::SelectStatement>();
    select->node = std::move(node);

    const TableSchema schema(*session.current_catalog(), std::make_shared<const table::TableAccess>(table));
    RowCollection& collection = session.set_row_collection(kIndexCollection);
    collection.names = schema.names;
    collection.types = schema.types;

    auto& duck = *session.connection().context;
    bound_ = bind_projection(duck, std::move(select), "this index expression");
    if (bound_.root->children[0]->type != duckdb::LogicalOperatorType::LOGICAL_GET) {
      not_supported("this index expression");
    }
    auto& get = bound_.root->children[0]->Cast<duckdb::LogicalGet>();
    duckdb::vector<duckdb::LogicalType> types;
    for (const auto& id : get.GetColumnIds()) {
      columns_.push_back(id.IsVirtualColumn() ? SIZE_MAX : id.GetPrimaryIndex());
      types.push_back(id.IsVirtualColumn() ? duckdb::LogicalType::BIGINT : schema.types[id.GetPrimaryIndex()]);
    }
    input_.Initialize(duckdb::Allocator::DefaultAllocator(), types, 1);
    output_.Initialize(duckdb::Allocator::DefaultAllocator(), bound_.root->types, 1);
    executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(duck, bound_.root->expressions);
  }

  void evaluate(std::string_view row, std::vector<types::Value>* expressions, bool* included) override {
    const codec::RowView view(layout_, row);
    input_.Reset();
    for (size_t i = 0; i < columns_.size(); ++i) {
      const size_t column = columns_[i];
      if (column >= layout_.column_count()) continue;
      types::ValueView value;
      if (!view.is_null(column)) {
        value = view.get(column);
      } else if (!view.present(column) && missing_[column].missing) {
        value = missing_[column].missing->view();
      }
      store_value(input_.data[i], 0, layout_.column(column), value);
    }
    input_.SetCardinality(1);
    output_.Reset();
    executor_->Execute(input_, output_);
    output_.SetCardinality(1);
    output_.Flatten();
    expressions->clear();
    for (size_t i = 0; i < outputs_.size(); ++i) expressions->emplace_back(load_value(output_.data[i], 0, outputs_[i]));
    *included = true;
    if (has_predicate_) {
      auto& predicate = output_.data[outputs_.size()];
      *included = !duckdb::FlatVector::IsNull(predicate, 0) && duckdb::FlatVector::GetData<bool>(predicate)[0];
    }
  }

 private:
  const codec::RowLayout layout_;
  const std::vector<catalog::Column> missing_;
  std::vector<types::PhysicalType> outputs_;
  bool has_predicate_ = false;
  BoundProjection bound_;
  std::vector<size_t> columns_;
  duckdb::DataChunk input_, output_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
};

}  // namespace

CurrentSession::CurrentSession(SessionImpl* session) : outer_(t_session) { t_session = session; }
CurrentSession::~CurrentSession() { t_session = outer_; }
SessionImpl* CurrentSession::get() { return t_session; }

std::unique_ptr<CompiledIndex> CompiledIndex::compile(SessionImpl& session, const table::TableAccess& table,
                                                      const table::TableAccess::IndexAccess& index) {
  return std::make_unique<Compiled>(session, table, index);
}

types::IoContext SessionIndexEvaluator::io() {
  SessionImpl* session = CurrentSession::get();
  return session == nullptr ? types::IoContext() : session->io_context();
}

Status SessionIndexEvaluator::evaluate(const table::TableAccess& table, const table::TableAccess::IndexAccess& index,
                                       std::string_view row, std::vector<types::Value>* expressions, bool* included) {
  SessionImpl* session = CurrentSession::get();
  if (session == nullptr) {
    return Status(SqlState::kFeatureNotSupported, "an index expression cannot be computed outside a statement");
  }
  return guarded("", [&] { session->compiled_index(table, index).evaluate(row, expressions, included); });
}

}  // namespace omendb::sql
