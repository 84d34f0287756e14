#include "sql/point/point_plan.h"

#include <algorithm>
#include <atomic>

#include "duckdb/execution/column_binding_resolver.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_limit.hpp"
#include "duckdb/planner/operator/logical_order.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/planner.hpp"

#include "codec/key.h"
#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/file_tables.h"
#include "sql/engine/row_decoder.h"
#include "sql/engine/row_writer.h"
#include "sql/engine/scan.h"
#include "sql/point/key_path.h"
#include "sql/point/parameter_slots.h"
#include "sql/point/row_plan.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;
using duckdb::Expression;
using duckdb::ExpressionExecutor;
using duckdb::ExpressionType;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

constexpr size_t kValuesRowsMax = 64;
// More rows than these are DuckDB's work. A range is read to its end before anything is computed or written.
constexpr size_t kRangeRowsMax = 1024;

std::atomic<uint64_t> g_plans{0}, g_executions{0};

/// Cheap look at the parse tree, so that an analytical query is not bound twice.
bool may_be_point(const duckdb::QueryNode& node) {
  if (node.type != duckdb::QueryNodeType::SELECT_NODE || !node.cte_map.map.empty()) return false;
  for (const auto& modifier : node.modifiers) {
    if (modifier->type != duckdb::ResultModifierType::LIMIT_MODIFIER &&
        modifier->type != duckdb::ResultModifierType::ORDER_MODIFIER) {
      return false;
    }
  }
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

/// One step above the source: drop rows, or compute new ones.
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
  bool execute_now(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected);
  std::string describe() const override;

 private:
  enum class Source : uint8_t { kDummy, kRow, kRange, kValues };
  bool match_stages(duckdb::ClientContext& context, LogicalOperator& op);
  bool match_filter(duckdb::ClientContext& context, duckdb::LogicalFilter& filter, duckdb::LogicalGet* get);
  bool match_get(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                 duckdb::vector<duckdb::unique_ptr<Expression>>& predicates);
  size_t capacity() const { return source_ == Source::kRange ? STANDARD_VECTOR_SIZE : 1; }

  /// kRow: key_. kRange: range_. False: no row can match.
  bool make_key(const Parameters& parameters);
  /// The fetched rows into input_: batch_, or row_ for kRow.
  void load_batch();
  /// Runs the stages; null: every row was filtered out.
  DataChunk* compute();
  void insert(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected, bool* general);
  /// UPDATE and DELETE of the rows that `output` tells of.
  void change(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected);
  bool still_in_range(std::string_view row, std::string_view key) const;
  void write_change(SessionImpl& session, DataChunk& output, size_t row, const std::string& key, const std::string& old_row);
  void deliver(DataChunk& chunk, const ChunkConsumer& consumer);
  void send_returning(DataChunk& output, const std::vector<uint32_t>& rows, const ChunkConsumer& consumer);

  std::shared_ptr<AnalyzedQuery> query_;
  duckdb::shared_ptr<duckdb::Binder> binder_;
  duckdb::unique_ptr<LogicalOperator> root_;  // owns the expressions
  ParameterSlots slots_;

  Source source_ = Source::kDummy;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<size_t> columns_;               // TableSchema's numbering, of input_
  KeyPath path_;
  size_t index_ = SIZE_MAX;                   // kRange: secondary()[index_]; SIZE_MAX: the primary key
  uint64_t limit_ = UINT64_MAX;
  std::string key_, row_;
  table::KeyRange range_;
  RowBatch batch_;
  DataChunk input_;
  duckdb::vector<duckdb::LogicalType> input_types_;
  std::vector<std::vector<duckdb::unique_ptr<ExpressionExecutor>>> value_rows_;
  std::vector<std::unique_ptr<Stage>> stages_;  // bottom up
  duckdb::SelectionVector selection_{STANDARD_VECTOR_SIZE};
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
    if (!planner.plan || !ParameterSlots::all_bound(planner)) return;
    binder_ = planner.binder;
    root_ = std::move(planner.plan);
    if (!slots_.take(std::move(planner.value_map), parameters)) return;
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
    const bool from_table = source_ == Source::kRow || source_ == Source::kRange;
    if (query_->kind == QueryKind::kInsert ? from_table : !from_table || schema_->table().oid != query_->target) return false;
    if (query_->has_returning) returned_.Initialize(duckdb::Allocator::DefaultAllocator(), returned_types_, capacity());
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
      stage->output.Initialize(context, op.types, capacity());
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
    case LogicalOperatorType::LOGICAL_LIMIT: {
      auto& limit = op.Cast<duckdb::LogicalLimit>();
      if (op.children.size() != 1 || limit.limit_val.Type() != duckdb::LimitNodeType::CONSTANT_VALUE ||
          limit.offset_val.Type() != duckdb::LimitNodeType::UNSET || query_->kind != QueryKind::kSelect) {
        return false;
      }
      if (!match_stages(context, *op.children[0])) return false;
      limit_ = std::min<uint64_t>(limit_, limit.limit_val.GetConstantValue());
      return source_ != Source::kValues;
    }
    case LogicalOperatorType::LOGICAL_ORDER_BY:
      // One row is in order. Expressions of ORDER BY could still fail, so they must be columns.
      for (const auto& order : op.Cast<duckdb::LogicalOrder>().orders) {
        if (order.expression->GetExpressionType() != ExpressionType::BOUND_REF) return false;
      }
      return op.children.size() == 1 && op.Cast<duckdb::LogicalOrder>().projection_map.empty() &&
             match_stages(context, *op.children[0]) && (source_ == Source::kRow || source_ == Source::kDummy);
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
  if (get != nullptr && !match_get(context, *get, predicates)) return false;
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

/// Finds the primary key or an index that `predicates` give, and takes what it settles out of them.
bool Plan::match_get(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                     duckdb::vector<duckdb::unique_ptr<Expression>>& predicates) {
  if (get.function.name != kScanFunction || !get.projection_ids.empty()) return false;
  schema_ = get.bind_data->Cast<ScanBindData>().schema;
  const auto& access = *schema_->access;
  for (const auto& id : get.GetColumnIds()) {
    if (id.IsVirtualColumn() || id.GetPrimaryIndex() >= schema_->types.size()) return false;
    columns_.push_back(id.GetPrimaryIndex());
  }
  if (columns_.empty()) return false;
  source_ = Source::kRange;
  KeyPredicates given;
  for (auto& predicate : predicates) given.predicates.push_back(predicate.get());
  given.column_of = [this](const Expression& expression) {
    if (expression.GetExpressionType() != ExpressionType::BOUND_REF) return SIZE_MAX;
    return columns_[expression.Cast<duckdb::BoundReferenceExpression>().index];
  };
  given.is_value = row_independent;
  bool found = false;
  if (!access.key_columns().empty()) {
    KeyPath primary = match_key(*schema_, access.key_columns(), access.key_positions(), given);
    if (primary.equal.size() == access.key_columns().size()) source_ = Source::kRow;
    // A range open at one side is long, as a rule.
    found = primary.alternatives.empty() && (!primary.equal.empty() || (primary.lower && primary.upper));
    if (found) path_ = std::move(primary);
  }
  for (size_t i = 0; source_ != Source::kRow && i < access.secondary().size(); ++i) {
    const auto& index = access.secondary()[i];
    if (!index.index.predicate_sql.empty()) continue;
    KeyPath path = match_key(*schema_, index.columns, index.positions, given);
    if (path.equal.empty() || !path.alternatives.empty() || (found && path.equal.size() <= path_.equal.size())) continue;
    found = true;
    path_ = std::move(path);
    index_ = i;
  }
  if (!found) return false;
  path_.for_each([&](KeyPart& part) { part.prepare(context, [](duckdb::unique_ptr<Expression>&) {}); });

  // The settled predicates leave the list but must live on.
  auto holder = duckdb::make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND);
  duckdb::vector<duckdb::unique_ptr<Expression>> rest;
  for (size_t p = 0; p < predicates.size(); ++p) {
    const auto& used = path_.used;
    if (std::find(used.begin(), used.end(), p) != used.end()) {
      holder->children.push_back(std::move(predicates[p]));
    } else {
      rest.push_back(std::move(predicates[p]));
    }
  }
  predicates = std::move(rest);
  get.expressions.push_back(std::move(holder));  // root_ owns it from now on
  for (size_t column : columns_) input_types_.push_back(schema_->types[column]);
  input_.Initialize(context, input_types_, capacity());
  return true;
}

bool Plan::make_key(const Parameters& parameters) {
  path_.for_each([](KeyPart& part) { part.compute(nullptr); });
  if (source_ == Source::kRange) return path_.make_range(parameters, 0, &range_);
  key_.clear();
  for (const auto& part : path_.equal) {
    if (!part.append(parameters, 0, &key_)) return false;
  }
  return true;
}

void Plan::load_batch() {
  input_.Reset();
  if (source_ == Source::kRange || batch_.size() > 1) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      decode_column(*schema_, columns_[i], batch_, nullptr, batch_.size(), input_.data[i]);
    }
    input_.SetCardinality(batch_.size());
    return;
  }
  const auto& layout = schema_->access->layout();
  const codec::RowView view(layout, row_);
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
      const size_t count = stage->executor->SelectExpression(*chunk, selection_);
      if (count == 0) return nullptr;
      if (count < chunk->size()) chunk->Slice(selection_, count);
      continue;
    }
    const size_t count = chunk->size();
    stage->output.Reset();
    stage->executor->Execute(*chunk, stage->output);
    stage->output.SetCardinality(count);
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
  input_.Initialize(allocator, input_types, capacity());
  for (auto& stage : stages_) {
    if (stage->is_filter) continue;
    stage->output.Destroy();
    stage->output.Initialize(allocator, stage->types, capacity());
  }
  if (query_->has_returning) {
    returned_.Destroy();
    returned_.Initialize(allocator, returned_types_, capacity());
  }
}

void Plan::send_returning(DataChunk& output, const std::vector<uint32_t>& rows, const ChunkConsumer& consumer) {
  if (!query_->has_returning || rows.empty()) return;
  returned_.Reset();
  if (rows.size() == output.size()) {
    for (size_t i = 0; i < query_->returning.size(); ++i) returned_.data[i].Reference(output.data[query_->returning[i]]);
  } else {
    duckdb::SelectionVector selection(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) selection.set_index(i, rows[i]);
    for (size_t i = 0; i < query_->returning.size(); ++i) {
      returned_.data[i].Slice(output.data[query_->returning[i]], selection, rows.size());
    }
  }
  returned_.SetCardinality(rows.size());
  deliver(returned_, consumer);
}

void Plan::insert(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected, bool* general) {
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
  writer_->constraints().inserted(outcome.key, codec::RowView(writer_->schema().access->layout(), row));
  ++*affected;
  send_returning(output, {0}, consumer);
}

void Plan::write_change(SessionImpl& session, DataChunk& output, size_t row, const std::string& key, const std::string& old_row) {
  auto& database = session.database();
  const auto& access = *schema_->access;
  const WriteAction& action = query_->actions[0];
  const codec::RowView old_view(access.layout(), old_row);
  if (action.kind == WriteAction::Kind::kDelete) {
    throw_if_error(database.erase(session.transaction(), access, key, old_row));
    writer_->constraints().deleted(old_view);
  } else {
    const std::string_view new_row = writer_->build(action, output, row);
    throw_if_error(database.update(session.transaction(), access, key, old_row, new_row));
    writer_->constraints().updated(key, old_view, codec::RowView(access.layout(), new_row));
  }
}

void Plan::change(SessionImpl& session, DataChunk& output, const ChunkConsumer& consumer, uint64_t* affected) {
  using State = table::LockedRow::State;
  auto& database = session.database();
  const auto& access = *schema_->access;
  const auto mode = writer_->lock_mode(query_->actions[0]);
  output.Flatten();
  std::vector<uint32_t> written;
  std::vector<std::pair<std::string, std::string>> changed;
  for (size_t i = 0; i < output.size(); ++i) {
    std::string key(load_value(output.data[query_->key], i, {}).bytes);
    auto locked = value_or_throw(database.lock_row(session.transaction(), access, key, mode, table::LockWait::kWait));
    if (locked.state == State::kCurrent) {
      write_change(session, output, i, key, locked.row);
      written.push_back(static_cast<uint32_t>(i));
      ++*affected;
    } else if (locked.state == State::kChanged) {
      changed.emplace_back(std::move(key), std::move(locked.row));
    }
  }
  send_returning(output, written, consumer);
  for (auto& [key, newest] : changed) {
    // EvalPlanQual: the same conditions and expressions over the newest version. A row found by an index may have left its range;
    // the predicates that the key settled are asked again by looking.
    if (source_ == Source::kRange && !still_in_range(newest, key)) continue;
    key_ = key;
    row_ = newest;
    batch_.clear();
    batch_.add(key_, row_);
    load_batch();
    DataChunk* again = compute();
    if (again == nullptr) continue;
    again->Flatten();
    write_change(session, *again, 0, key, newest);
    ++*affected;
    send_returning(*again, {0}, consumer);
  }
}

bool Plan::still_in_range(std::string_view row, std::string_view key) const {
  std::string bytes;
  if (index_ == SIZE_MAX) {
    bytes = key;
  } else {
    const auto& index = schema_->access->secondary()[index_];
    const codec::RowView view(schema_->access->layout(), row);
    for (size_t i = 0; i < index.columns.size(); ++i) {
      if (index.positions[i] == SIZE_MAX) break;
      const auto value = view.is_null(index.positions[i]) ? types::ValueView() : view.get(index.positions[i]);
      throw_if_error(codec::append_key(index.columns[i], value, &bytes));
    }
  }
  return bytes >= range_.lower && (range_.upper.empty() || bytes < range_.upper);
}

bool Plan::execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected) {
  if (!writer_ || !query_->has_returning || !writer_->constraints().checked_at_end()) return execute_now(session, parameters, consumer, affected);
  // RETURNING rows wait until the foreign keys of the statement are checked.
  std::vector<duckdb::unique_ptr<DataChunk>> rows;
  const bool done = execute_now(session, parameters, [&](DataChunk& chunk) {
    rows.push_back(take_chunk(chunk));
    return true;
  }, affected);
  for (size_t i = 0; done && i < rows.size() && consumer(*rows[i]); ++i) {
  }
  return done;
}

bool Plan::execute_now(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected) {
  *affected = 0;
  if (writer_) writer_->constraints().start_statement();
  slots_.set(parameters);
  auto& database = session.database();
  switch (source_) {
    case Source::kRow:
    case Source::kRange: {
      if (limit_ == 0 || !make_key(parameters)) break;
      if (source_ == Source::kRow) {
        if (!value_or_throw(database.get(session.transaction(), *schema_->access, key_, &row_))) break;
      } else {
        batch_.clear();
        auto cursor = index_ == SIZE_MAX ? database.scan(session.transaction(), *schema_->access, range_, false)
                                         : database.scan_index(session.transaction(), *schema_->access, index_, range_, false);
        while (cursor->next()) {
          if (batch_.size() >= kRangeRowsMax) return false;
          batch_.add(cursor->key(), cursor->row());
        }
        throw_if_error(cursor->status());
        if (batch_.size() == 0) break;
      }
      load_batch();
      DataChunk* output = compute();
      if (output == nullptr) break;
      if (query_->kind == QueryKind::kSelect) {
        if (output->size() > limit_) {
          output->Flatten();
          output->SetCardinality(limit_);
        }
        deliver(*output, consumer);
      } else {
        change(session, *output, consumer, affected);
      }
      break;
    }
    case Source::kDummy:
    case Source::kValues: {
      const size_t rows = limit_ == 0 ? 0 : source_ == Source::kDummy ? 1 : value_rows_.size();
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
        insert(session, *output, consumer, affected, &general);
        if (general) return false;
      }
      break;
    }
  }
  ++g_executions;
  if (writer_) writer_->constraints().finish_statement();
  return true;
}

std::string Plan::describe() const {
  const char* verb = query_->kind == QueryKind::kInsert   ? "Point Insert on "
                     : query_->kind == QueryKind::kUpdate ? "Point Update on "
                     : query_->kind == QueryKind::kDelete ? "Point Delete on "
                                                          : "Point Lookup on ";
  if (query_->kind == QueryKind::kInsert) return verb + writer_->schema().table().name;
  if (source_ != Source::kRow && source_ != Source::kRange) return "Result";
  std::string text = verb + schema_->table().name;
  if (source_ == Source::kRange) {
    text = std::string("Short Range ") + text.substr(6);
    if (index_ != SIZE_MAX) return text + " using " + schema_->access->secondary()[index_].index.name;
  }
  for (const auto& constraint : schema_->table().constraints) {
    if (constraint.kind == catalog::Constraint::Kind::kPrimaryKey) text += " using " + constraint.name;
  }
  return text;
}

/// A statement whose selects are small plans: the rows themselves, or what a write or a locking SELECT works through. An upsert is
/// tried as a point insert first.
class SmallStatement final : public PointPlan {
 public:
  SmallStatement(std::shared_ptr<AnalyzedQuery> query, std::shared_ptr<Plan> insert)
      : query_(std::move(query)), insert_(std::move(insert)), plans_(selects_of(*query_)) {}
  /// False: not for small plans.
  bool make(SessionImpl& session, const Parameters& parameters) {
    const RowPlan* main = plans_.main(session, parameters);
    if (main == nullptr) return false;
    description_ = insert_ != nullptr ? insert_->describe() : main->describe();
    ++g_plans;
    return true;
  }
  bool execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer, uint64_t* affected) override {
    if (insert_ != nullptr && insert_->execute(session, parameters, consumer, affected)) return true;
    *affected = 0;
    const uint64_t answered = plans_.answered();
    if (query_->kind == QueryKind::kSelect && query_->row_marks.empty()) {
      if (!plans_.run(session, *query_->select, parameters, consumer)) return false;
    } else {
      const SessionImpl::SmallPlansScope scope(session, &plans_);
      *affected = execute_query(session, *query_, parameters, consumer);
    }
    if (plans_.answered() > answered) ++g_executions;  // else DuckDB ran it
    return true;
  }
  std::string describe() const override { return description_; }
  const char* route() const override { return insert_ != nullptr ? "point" : "small"; }

 private:
  static std::vector<const duckdb::SelectStatement*> selects_of(const AnalyzedQuery& query) {
    std::vector<const duckdb::SelectStatement*> selects{query.select.get()};
    if (query.conflict && query.conflict->update) selects.push_back(query.conflict->update.get());
    return selects;
  }

  std::shared_ptr<AnalyzedQuery> query_;
  std::shared_ptr<Plan> insert_;
  SmallPlans plans_;
  std::string description_;
};

}  // namespace

std::shared_ptr<PointPlan> PointPlan::try_create(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query,
                                                 const Parameters& parameters) {
  if (!query->modifying_ctes.empty() || session.settings().route() != Settings::Route::kAuto) return nullptr;
  if (query->reads_clock && reads_files(*query->select)) return nullptr;  // binding it opens the files, for no plan of ours
  std::shared_ptr<Plan> point;
  if (query->row_marks.empty() && query->kind != QueryKind::kMerge && may_be_point(*query->select->node)) {
    point = std::make_shared<Plan>();
    if (!point->match(session, query, parameters)) point = nullptr;
  }
  const bool upsert = query->conflict && query->conflict->do_update;
  if (point != nullptr && !upsert) return point;
  auto small = std::make_shared<SmallStatement>(std::move(query), point);
  if (small->make(session, parameters)) return small;
  return point;
}

PointCounters point_counters() { return {g_plans, g_executions}; }

}  // namespace omendb::sql
