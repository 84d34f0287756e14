#include "sql/point/point_plan.h"

#include <atomic>

#include "duckdb/execution/column_binding_resolver.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_parameter_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/planner.hpp"

#include "codec/key.h"
#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/row_writer.h"
#include "sql/engine/scan.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;
using duckdb::Expression;
using duckdb::ExpressionExecutor;
using duckdb::ExpressionType;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

constexpr size_t kValuesRowsMax = 64;

std::atomic<uint64_t> g_plans{0}, g_executions{0};

/// Cheap look at the parse tree, so that an analytical query is not bound twice.
bool may_be_point(const duckdb::QueryNode& node) {
  if (node.type != duckdb::QueryNodeType::SELECT_NODE || !node.modifiers.empty() || !node.cte_map.map.empty()) return false;
  const auto& select = node.Cast<duckdb::SelectNode>();
  if (!select.groups.group_expressions.empty() || select.having || select.qualify || select.sample) return false;
  if (select.from_table == nullptr) return true;
  switch (select.from_table->type) {
    case duckdb::TableReferenceType::TABLE_FUNCTION:
    case duckdb::TableReferenceType::EMPTY_FROM:
    case duckdb::TableReferenceType::EXPRESSION_LIST:
    case duckdb::TableReferenceType::SUBQUERY:
      return true;
    default:
      return false;
  }
}

bool row_independent(const Expression& expression) {
  if (expression.IsVolatile() || expression.HasSubquery()) return false;
  bool independent = expression.GetExpressionType() != ExpressionType::BOUND_REF &&
                     expression.GetExpressionType() != ExpressionType::BOUND_COLUMN_REF;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { independent = independent && row_independent(child); });
  return independent;
}

/// One step above the source: drop the row, or compute a new one.
struct Stage {
  bool is_filter = false;
  duckdb::unique_ptr<ExpressionExecutor> executor;
  DataChunk output;  // projections
  duckdb::vector<duckdb::LogicalType> types;
};

class Plan final : public PointPlan {
 public:
  /// False: the bound plan has another shape.
  bool match(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query, const Parameters& parameters);
  bool execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected) override;
  std::string describe() const override;

 private:
  enum class Source : uint8_t { kDummy, kRow, kValues };
  struct KeyPart {
    Expression* value = nullptr;                      // of the key column's type, or a wider integer
    duckdb::unique_ptr<ExpressionExecutor> executor;  // null: a parameter or a constant
    size_t parameter = SIZE_MAX;
    types::PhysicalType physical;                     // of `value`
    codec::KeyColumn column;
  };

  bool match_stages(duckdb::ClientContext& context, LogicalOperator& op);
  bool match_filter(duckdb::ClientContext& context, duckdb::LogicalFilter& filter, duckdb::LogicalGet* get);
  bool match_key(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                 duckdb::vector<duckdb::unique_ptr<Expression>>& predicates);
  size_t parameter_of(const Expression& expression) const;

  void set_parameters(const Parameters& parameters);
  /// False: no row can have this key.
  bool make_key(const Parameters& parameters);
  void load_row(std::string_view row);
  /// Runs the stages; null: the row was filtered out.
  DataChunk* compute();
  void write(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected, bool* general);
  void change(SessionImpl& session, DataChunk* output, const ChunkConsumer& consumer, uint64_t* affected);
  void deliver(DataChunk& chunk, const ChunkConsumer& consumer);
  void send_returning(DataChunk& output, const ChunkConsumer& consumer);

  std::shared_ptr<AnalyzedQuery> query_;
  duckdb::shared_ptr<duckdb::Binder> binder_;
  duckdb::unique_ptr<LogicalOperator> root_;  // owns the expressions
  duckdb::bound_parameter_map_t parameters_;
  std::vector<duckdb::LogicalType> parameter_types_;
  std::vector<duckdb::BoundParameterData*> parameter_slots_;
  bool slots_used_ = false;                   // an expression other than a key part reads parameters

  Source source_ = Source::kDummy;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<size_t> columns_;               // TableSchema's numbering, of input_
  std::vector<KeyPart> key_parts_;
  std::string key_, row_;
  DataChunk input_;
  duckdb::vector<duckdb::LogicalType> input_types_;
  std::vector<std::vector<duckdb::unique_ptr<ExpressionExecutor>>> value_rows_;
  std::vector<std::unique_ptr<Stage>> stages_;  // bottom up
  duckdb::SelectionVector selection_{1};
  std::unique_ptr<RowWriter> writer_;
  DataChunk returned_;
  duckdb::vector<duckdb::LogicalType> returned_types_;
};

bool Plan::match(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query, const Parameters& parameters) {
  query_ = std::move(query);
  auto& context = *session.connection().context;
  bool matched = false;
  context.RunFunctionInTransaction([&] {
    duckdb::Planner planner(context);
    auto statement = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(query_->select->Copy());
    statement->named_param_map.clear();
    for (size_t i = 0; i < parameters.types.size(); ++i) statement->named_param_map[std::to_string(i + 1)] = i + 1;
    planner.CreatePlan(std::move(statement));
    if (!planner.plan || !planner.properties.bound_all_parameters) return;
    binder_ = planner.binder;
    root_ = std::move(planner.plan);
    parameters_ = std::move(planner.value_map);
    for (size_t i = 0; i < parameters.types.size(); ++i) {
      auto slot = parameters_.find(std::to_string(i + 1));
      const auto type = duck_type(parameters.types[i], parameters.physical[i]);
      if (slot != parameters_.end() && slot->second->return_type != type) return;
      parameter_types_.push_back(type);
      parameter_slots_.push_back(slot == parameters_.end() ? nullptr : slot->second.get());
    }
    root_->ResolveOperatorTypes();
    duckdb::ColumnBindingResolver().VisitOperator(*root_);
    matched = match_stages(context, *root_);
  });
  if (!matched) return false;

  for (const auto& output : query_->outputs) returned_types_.push_back(duck_type(output.type, output.physical));
  // Of several proposed rows one may meet a row that another one made; the general path tells them apart.
  if (query_->conflict && query_->conflict->do_update && value_rows_.size() > 1) return false;
  if (query_->kind != QueryKind::kSelect) {
    writer_ = std::make_unique<RowWriter>(session, session.table_schema(query_->target));
    if (source_ == Source::kRow && schema_->table().oid != query_->target) return false;
    if (query_->kind != QueryKind::kInsert && source_ != Source::kRow) return false;
    if (query_->has_returning) returned_.Initialize(duckdb::Allocator::DefaultAllocator(), returned_types_, 1);
  }
  ++g_plans;
  return true;
}

/// Walks down to the source, then lists the stages bottom up.
bool Plan::match_stages(duckdb::ClientContext& context, LogicalOperator& op) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_PROJECTION: {
      if (op.children.size() != 1 || !match_stages(context, *op.children[0])) return false;
      for (const auto& expression : op.expressions) {
        if (expression->HasSubquery()) return false;
      }
      auto stage = std::make_unique<Stage>();
      stage->executor = duckdb::make_uniq<ExpressionExecutor>(context, op.expressions);
      stage->types = op.types;
      stage->output.Initialize(context, op.types, 1);
      stages_.push_back(std::move(stage));
      return true;
    }
    case LogicalOperatorType::LOGICAL_FILTER: {
      auto& filter = op.Cast<duckdb::LogicalFilter>();
      if (!filter.projection_map.empty() || op.children.size() != 1) return false;
      auto* child = op.children[0].get();
      if (child->type == LogicalOperatorType::LOGICAL_GET) return match_filter(context, filter, &child->Cast<duckdb::LogicalGet>());
      return match_stages(context, *child) && match_filter(context, filter, nullptr);
    }
    case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
      source_ = Source::kDummy;
      input_types_ = op.types;
      input_.Initialize(context, op.types, 1);
      return true;
    case LogicalOperatorType::LOGICAL_EXPRESSION_GET: {
      auto& values = op.Cast<duckdb::LogicalExpressionGet>();
      if (values.expressions.size() > kValuesRowsMax || op.children.size() != 1 ||
          op.children[0]->type != LogicalOperatorType::LOGICAL_DUMMY_SCAN) {
        return false;
      }
      source_ = Source::kValues;
      for (auto& row : values.expressions) {
        value_rows_.emplace_back();
        for (auto& value : row) {
          if (value->HasSubquery()) return false;
          value_rows_.back().push_back(duckdb::make_uniq<ExpressionExecutor>(context, *value));
        }
      }
      input_types_ = op.types;
      input_.Initialize(context, op.types, 1);
      slots_used_ = true;
      return true;
    }
    default:
      return false;
  }
}

bool Plan::match_filter(duckdb::ClientContext& context, duckdb::LogicalFilter& filter, duckdb::LogicalGet* get) {
  for (const auto& expression : filter.expressions) {
    if (expression->HasSubquery()) return false;
  }
  duckdb::LogicalFilter::SplitPredicates(filter.expressions);
  duckdb::vector<duckdb::unique_ptr<Expression>>& predicates = filter.expressions;
  if (get != nullptr && !match_key(context, *get, predicates)) return false;
  if (predicates.empty()) return true;
  auto stage = std::make_unique<Stage>();
  stage->is_filter = true;
  if (predicates.size() == 1) {
    stage->executor = duckdb::make_uniq<ExpressionExecutor>(context, *predicates[0]);
  } else {
    auto all = duckdb::make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND);
    all->children = std::move(predicates);
    predicates.clear();
    predicates.push_back(std::move(all));
    stage->executor = duckdb::make_uniq<ExpressionExecutor>(context, *predicates[0]);
  }
  stages_.push_back(std::move(stage));
  return true;
}

size_t Plan::parameter_of(const Expression& expression) const {
  if (expression.GetExpressionType() != ExpressionType::VALUE_PARAMETER) return SIZE_MAX;
  const auto& identifier = expression.Cast<duckdb::BoundParameterExpression>().identifier;
  return static_cast<size_t>(std::stoul(identifier)) - 1;
}

bool is_integer(types::Physical kind) {
  return kind == types::Physical::kInt16 || kind == types::Physical::kInt32 || kind == types::Physical::kInt64;
}

std::optional<types::Physical> integer_kind(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case duckdb::LogicalTypeId::SMALLINT: return types::Physical::kInt16;
    case duckdb::LogicalTypeId::INTEGER: return types::Physical::kInt32;
    case duckdb::LogicalTypeId::BIGINT: return types::Physical::kInt64;
    default: return std::nullopt;
  }
}

/// Takes the equalities that give the primary key out of `predicates`.
bool Plan::match_key(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                     duckdb::vector<duckdb::unique_ptr<Expression>>& predicates) {
  if (get.function.name != kScanFunction || !get.projection_ids.empty()) return false;
  schema_ = get.bind_data->Cast<ScanBindData>().schema;
  const auto& access = *schema_->access;
  if (access.key_columns().empty()) return false;
  for (const auto& id : get.GetColumnIds()) {
    if (id.IsVirtualColumn() || id.GetPrimaryIndex() >= schema_->types.size()) return false;
    columns_.push_back(id.GetPrimaryIndex());
  }
  std::vector<size_t> used;
  for (size_t k = 0; k < access.key_columns().size(); ++k) {
    const auto& key_column = access.key_columns()[k];
    bool found = false;
    for (size_t p = 0; p < predicates.size() && !found; ++p) {
      if (predicates[p]->GetExpressionType() != ExpressionType::COMPARE_EQUAL) continue;
      auto& comparison = predicates[p]->Cast<duckdb::BoundComparisonExpression>();
      for (int side = 0; side < 2 && !found; ++side) {
        Expression* column = side == 0 ? comparison.left.get() : comparison.right.get();
        Expression* value = side == 0 ? comparison.right.get() : comparison.left.get();
        if (!row_independent(*value)) continue;
        types::PhysicalType physical = key_column.physical;
        if (column->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
          // int4 column = int8 value: the column was widened. Narrow the value instead.
          auto& cast = column->Cast<duckdb::BoundCastExpression>();
          const auto wide = integer_kind(cast.return_type);
          if (cast.try_cast || !is_integer(key_column.physical.kind) || key_column.physical.is_decimal() || !wide) continue;
          physical.kind = *wide;
          column = cast.child.get();
        }
        if (column->GetExpressionType() != ExpressionType::BOUND_REF) continue;
        const size_t index = column->Cast<duckdb::BoundReferenceExpression>().index;
        if (columns_[index] != access.key_positions()[k]) continue;
        if (physical.kind == key_column.physical.kind && value->return_type != schema_->types[columns_[index]]) continue;
        KeyPart part;
        part.value = value;
        part.physical = physical;
        part.column = key_column;
        part.parameter = parameter_of(*value);
        if (part.parameter == SIZE_MAX && value->GetExpressionType() != ExpressionType::VALUE_CONSTANT) {
          part.executor = duckdb::make_uniq<ExpressionExecutor>(context, *value);
          slots_used_ = true;
        }
        key_parts_.push_back(std::move(part));
        used.push_back(p);
        found = true;
      }
    }
    if (!found) return false;
  }
  // The used predicates leave the list but must live on.
  auto holder = duckdb::make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND);
  duckdb::vector<duckdb::unique_ptr<Expression>> rest;
  for (size_t p = 0; p < predicates.size(); ++p) {
    if (std::find(used.begin(), used.end(), p) != used.end()) {
      holder->children.push_back(std::move(predicates[p]));
    } else {
      rest.push_back(std::move(predicates[p]));
    }
  }
  predicates = std::move(rest);
  get.expressions.push_back(std::move(holder));  // root_ owns it from now on
  source_ = Source::kRow;
  duckdb::vector<duckdb::LogicalType> types;
  for (size_t column : columns_) types.push_back(schema_->types[column]);
  if (types.empty()) return false;
  input_types_ = types;
  input_.Initialize(context, types, 1);
  return true;
}

void Plan::set_parameters(const Parameters& parameters) {
  for (size_t i = 0; i < parameters.values.size(); ++i) {
    if (parameter_slots_[i] == nullptr) continue;
    parameter_slots_[i]->SetValue(duck_value(parameters.values[i].view(), parameters.physical[i], parameter_types_[i]));
  }
}

bool Plan::make_key(const Parameters& parameters) {
  key_.clear();
  for (auto& part : key_parts_) {
    duckdb::Value computed;
    types::ValueView value;
    if (part.parameter != SIZE_MAX) {
      value = parameters.values[part.parameter].view();
    } else if (part.executor == nullptr) {
      value = value_view(part.value->Cast<duckdb::BoundConstantExpression>().value, part.physical);
    } else {
      duckdb::Vector result(part.value->return_type, 1);
      part.executor->ExecuteExpression(result);
      computed = result.GetValue(0);
      value = value_view(computed, part.physical);
    }
    if (value.null) return false;
    if (part.physical.kind != part.column.physical.kind) {
      const int64_t low = part.column.physical.kind == types::Physical::kInt16   ? INT16_MIN
                          : part.column.physical.kind == types::Physical::kInt32 ? INT32_MIN
                                                                                 : INT64_MIN;
      if (value.integer < low || value.integer > ~low) return false;
    }
    throw_if_error(codec::append_key(part.column, value, &key_));
  }
  return true;
}

void Plan::load_row(std::string_view row) {
  input_.Reset();
  const auto& layout = schema_->access->layout();
  const codec::RowView view(layout, row);
  for (size_t i = 0; i < columns_.size(); ++i) {
    auto& vector = input_.data[i];
    const size_t column = columns_[i];
    if (column == schema_->key_column()) {
      store_value(vector, 0, {}, types::ValueView::of_bytes(key_));
    } else if (!view.is_null(column)) {
      store_value(vector, 0, layout.column(column), view.get(column));
    } else {
      const auto& missing = schema_->table().columns[column].missing;
      const bool absent = schema_->has_missing && missing && !view.present(column);
      store_value(vector, 0, layout.column(column), absent ? missing->view() : types::ValueView());
    }
  }
  input_.SetCardinality(1);
}

DataChunk* Plan::compute() {
  DataChunk* chunk = &input_;
  for (auto& stage : stages_) {
    if (stage->is_filter) {
      if (stage->executor->SelectExpression(*chunk, selection_) == 0) return nullptr;
      continue;
    }
    stage->output.Reset();
    stage->executor->Execute(*chunk, stage->output);
    stage->output.SetCardinality(1);
    chunk = &stage->output;
  }
  return chunk;
}

void Plan::deliver(DataChunk& chunk, const ChunkConsumer& consumer) {
  consumer(chunk);
  if (chunk.ColumnCount() != 0) return;
  // The consumer took the chunk, and with it buffers that it shares with the ones before it: they all start anew.
  auto& allocator = duckdb::Allocator::DefaultAllocator();
  const auto input_types = input_types_;
  input_.Destroy();
  input_.Initialize(allocator, input_types, 1);
  for (auto& stage : stages_) {
    if (stage->is_filter) continue;
    stage->output.Destroy();
    stage->output.Initialize(allocator, stage->types, 1);
  }
  if (query_->has_returning) {
    returned_.Destroy();
    returned_.Initialize(allocator, returned_types_, 1);
  }
}

void Plan::send_returning(DataChunk& output, const ChunkConsumer& consumer) {
  if (!query_->has_returning) return;
  returned_.Reset();
  for (size_t i = 0; i < query_->returning.size(); ++i) returned_.data[i].Reference(output.data[query_->returning[i]]);
  returned_.SetCardinality(1);
  deliver(returned_, consumer);
}

void Plan::write(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected, bool* general) {
  auto& database = session.database();
  output.Flatten();
  const std::string_view row = writer_->build(query_->actions[0], output, 0);
  const auto* conflict = query_->conflict ? &*query_->conflict : nullptr;
  auto outcome = value_or_throw(database.insert(session.transaction(), *writer_->schema().access, row,
                                                conflict ? &conflict->arbiters : nullptr, conflict && conflict->any_index));
  if (!outcome.inserted) {
    *general = conflict->do_update;
    return;
  }
  writer_->constraints().inserted(codec::RowView(writer_->schema().access->layout(), row));
  ++*affected;
  send_returning(output, consumer);
}

void Plan::change(SessionImpl& session, DataChunk* output, const ChunkConsumer& consumer, uint64_t* affected) {
  auto& database = session.database();
  const auto& access = *schema_->access;
  const WriteAction& action = query_->actions[0];
  auto locked = value_or_throw(
      database.lock_row(session.transaction(), access, key_, writer_->lock_mode(action), table::LockWait::kWait));
  switch (locked.state) {
    case table::LockedRow::State::kCurrent:
      break;
    case table::LockedRow::State::kChanged:
      // EvalPlanQual: the same expressions over the newest version.
      load_row(locked.row);
      output = compute();
      if (output == nullptr) return;
      break;
    case table::LockedRow::State::kGone:
    case table::LockedRow::State::kSkipped:
    case table::LockedRow::State::kSelf:
      return;
  }
  output->Flatten();
  const codec::RowView old_row(access.layout(), locked.row);
  if (action.kind == WriteAction::Kind::kDelete) {
    throw_if_error(database.erase(session.transaction(), access, key_, locked.row));
    writer_->constraints().deleted(old_row);
  } else {
    const std::string_view new_row = writer_->build(action, *output, 0);
    throw_if_error(database.update(session.transaction(), access, key_, locked.row, new_row));
    writer_->constraints().updated(old_row, codec::RowView(access.layout(), new_row));
  }
  ++*affected;
  send_returning(*output, consumer);
}

bool Plan::execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected) {
  ++g_executions;
  *affected = 0;
  if (writer_) writer_->constraints().start_statement();
  set_parameters(parameters);
  switch (source_) {
    case Source::kRow: {
      if (!make_key(parameters)) return true;
      if (!value_or_throw(session.database().get(session.transaction(), *schema_->access, key_, &row_))) return true;
      load_row(row_);
      DataChunk* output = compute();
      if (output == nullptr) return true;
      if (query_->kind == QueryKind::kSelect) {
        deliver(*output, consumer);
      } else {
        change(session, output, consumer, affected);
      }
      break;
    }
    case Source::kDummy:
    case Source::kValues: {
      const size_t rows = source_ == Source::kDummy ? 1 : value_rows_.size();
      for (size_t i = 0; i < rows; ++i) {
        input_.Reset();
        if (source_ == Source::kValues) {
          for (size_t c = 0; c < value_rows_[i].size(); ++c) value_rows_[i][c]->ExecuteExpression(input_.data[c]);
        }
        input_.SetCardinality(1);
        DataChunk* output = compute();
        if (output == nullptr) continue;
        if (query_->kind == QueryKind::kSelect) {
          deliver(*output, consumer);
          continue;
        }
        bool general = false;
        write(session, *output, consumer, affected, &general);
        if (general) return false;
      }
      break;
    }
  }
  if (writer_) writer_->constraints().finish_statement();
  return true;
}

std::string Plan::describe() const {
  const char* verb = query_->kind == QueryKind::kInsert   ? "Point Insert on "
                     : query_->kind == QueryKind::kUpdate ? "Point Update on "
                     : query_->kind == QueryKind::kDelete ? "Point Delete on "
                                                          : "Point Lookup on ";
  if (query_->kind == QueryKind::kInsert) return verb + writer_->schema().table().name;
  if (source_ != Source::kRow) return "Result";
  std::string text = verb + schema_->table().name;
  for (const auto& constraint : schema_->table().constraints) {
    if (constraint.kind == catalog::Constraint::Kind::kPrimaryKey) text += " using " + constraint.name;
  }
  return text;
}

}  // namespace

std::shared_ptr<PointPlan> PointPlan::try_create(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query,
                                                 const Parameters& parameters) {
  if (!query->row_marks.empty() || !query->modifying_ctes.empty() || query->kind == QueryKind::kMerge) return nullptr;
  if (!may_be_point(*query->select->node)) return nullptr;
  auto plan = std::make_shared<Plan>();
  if (!plan->match(session, std::move(query), parameters)) return nullptr;
  return plan;
}

PointCounters point_counters() { return {g_plans, g_executions}; }

}  // namespace omendb::sql
