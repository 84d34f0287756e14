#include "sql/point/point_plan.h"

#include <algorithm>
#include <atomic>

#include "duckdb/execution/column_binding_resolver.hpp"
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
#include "sql/point/output_rows.h"
#include "sql/point/parameter_slots.h"
#include "sql/point/row_plan.h"
#include "sql/point/row_program.h"
#include "table/row_read.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;
using duckdb::Expression;
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
    case duckdb::TableReferenceType::SUBQUERY: return true;
    default: return false;
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

class Plan final : public PointPlan {
 public:
  /// False: the bound plan has another shape.
  bool match(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query, const Parameters& parameters);
  bool execute(SessionImpl& session, const Parameters& parameters, RowTarget& target, uint64_t* affected) override;
  std::string describe() const override;

 private:
  enum class Source : uint8_t { kDummy, kRow, kRange, kValues };
  bool match_stages(duckdb::ClientContext& context, LogicalOperator& op);
  bool match_filter(duckdb::ClientContext& context, duckdb::LogicalFilter& filter, duckdb::LogicalGet* get);
  bool match_get(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                 duckdb::vector<duckdb::unique_ptr<Expression>>& predicates);

  /// kRow: key_. kRange: range_. False: no row can match.
  bool make_key(const Parameters& parameters);
  void read_row(SessionImpl& session, uint64_t* affected);
  /// False: too many rows.
  bool read_range(SessionImpl& session, uint64_t* affected);
  /// Rows that need no table: inserted, or selected. False: a conflict to update.
  bool compute_rows(SessionImpl& session, uint64_t* affected);

  /// Runs the program over a row, and does with what it yields as the statement says.
  void take(SessionImpl& session, std::string_view key, std::string_view row, uint64_t* affected);
  /// UPDATE and DELETE of the row that the program has seen.
  void change(SessionImpl& session, std::string_view key, uint64_t* affected);
  void write_change(SessionImpl& session, std::string_view key, std::string_view old_row);
  bool still_in_range(std::string_view row, std::string_view key) const;
  /// The program's outputs become a row of the result.
  void yield();

  std::shared_ptr<AnalyzedQuery> query_;
  duckdb::shared_ptr<duckdb::Binder> binder_;
  duckdb::unique_ptr<LogicalOperator> root_;  // owns the expressions
  ParameterSlots slots_;

  Source source_ = Source::kDummy;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<size_t> columns_;  // TableSchema's numbering, of input_
  KeyPath path_;
  bool path_needs_parameters_ = false;  // DuckDB computes a part of it
  size_t index_ = SIZE_MAX;             // kRange: secondary()[index_]; SIZE_MAX: the primary key
  uint64_t limit_ = UINT64_MAX;
  std::string key_, row_;
  table::KeyRange range_;
  RowBatch batch_;
  std::vector<std::vector<std::unique_ptr<RowExpression>>> value_rows_;
  std::optional<RowProgram> program_;
  std::unique_ptr<RowWriter> writer_;
  std::vector<size_t> changed_;  // kUpdate: positions of columns that are not as they were
  OutputRows outputs_;
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
    program_.emplace(context, slots_);
    root_->ResolveOperatorTypes();
    duckdb::ColumnBindingResolver().VisitOperator(*root_);
    matched = match_stages(context, *root_);
  });
  if (!matched) return false;

  // Of several proposed rows one may meet a row that another one made; the general path tells them apart.
  if (query_->conflict && query_->conflict->do_update && value_rows_.size() > 1) return false;
  if (query_->kind != QueryKind::kSelect) {
    const bool from_table = source_ == Source::kRow || source_ == Source::kRange;
    if (query_->kind == QueryKind::kInsert ? from_table : !from_table || schema_->table().oid != query_->target)
      return false;
    writer_ = std::make_unique<RowWriter>(session, session.table_schema(query_->target));
  }
  if (query_->kind == QueryKind::kUpdate) {
    const auto& row = query_->actions[0].row;
    for (size_t i = 0; i < row.size(); ++i) {
      const RowSlot* slot = row[i] == SIZE_MAX ? nullptr : &program_->slots()[row[i]];
      if (slot == nullptr || slot->kind != RowSlot::Kind::kColumn || slot->index != i) changed_.push_back(i);
    }
  }
  outputs_.set_columns(query_->outputs);
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
      return program_->project(op.expressions);
    }
    case LogicalOperatorType::LOGICAL_FILTER: {
      auto& filter = op.Cast<duckdb::LogicalFilter>();
      if (!filter.projection_map.empty() || op.children.size() != 1) return false;
      auto* child = op.children[0].get();
      if (child->type == LogicalOperatorType::LOGICAL_GET)
        return match_filter(context, filter, &child->Cast<duckdb::LogicalGet>());
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
    case LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR:  // engine/row_at_a_time.h, as everything here is
      return match_stages(context, *op.children[0]);
    case LogicalOperatorType::LOGICAL_DUMMY_SCAN: source_ = Source::kDummy; return true;
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
          value_rows_.back().push_back(program_->compile(*value));
          if (value_rows_.back().back() == nullptr) return false;
        }
      }
      return program_->read_registers(op.types);
    }
    default: return false;
  }
}

bool Plan::match_filter(duckdb::ClientContext& context, duckdb::LogicalFilter& filter, duckdb::LogicalGet* get) {
  for (const auto& expression : filter.expressions) {
    if (expression->HasSubquery()) return false;
  }
  duckdb::LogicalFilter::SplitPredicates(filter.expressions);
  duckdb::vector<duckdb::unique_ptr<Expression>>& predicates = filter.expressions;
  if (get != nullptr && !match_get(context, *get, predicates)) return false;
  for (const auto& predicate : predicates) {
    if (!program_->filter(*predicate)) return false;
  }
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
    if (path.equal.empty() || !path.alternatives.empty() || (found && path.equal.size() <= path_.equal.size()))
      continue;
    found = true;
    path_ = std::move(path);
    index_ = i;
  }
  if (!found) return false;
  path_.for_each([&](KeyPart& part) {
    part.prepare(context, [](duckdb::unique_ptr<Expression>&) {});
    path_needs_parameters_ = path_needs_parameters_ || part.is_computed();
  });

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
  program_->read_columns(schema_, columns_);
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

void Plan::yield() {
  outputs_.add_row();
  for (size_t i = 0; i < query_->outputs.size(); ++i) outputs_.put(i, program_->output(query_->returning[i]));
}

void Plan::take(SessionImpl& session, std::string_view key, std::string_view row, uint64_t* affected) {
  const codec::RowView view(schema_->access->layout(), row);
  if (!program_->run(key, &view)) return;
  if (query_->kind == QueryKind::kSelect)
    yield();
  else
    change(session, key, affected);
}

void Plan::change(SessionImpl& session, std::string_view key, uint64_t* affected) {
  using State = table::LockedRow::State;
  const auto& access = *schema_->access;
  const auto locked = value_or_throw(session.database().lock_row(
      session.transaction(), access, key, RowWriter::lock_mode(query_->actions[0]), table::LockWait::kWait));
  if (locked.state == State::kChanged) {
    // EvalPlanQual: the same conditions and expressions over the newest version. A row found by an index may have left its range, or
    // changed its key; the predicates that the key settled are asked again by looking.
    if (!locked.key.empty()) {
      if (source_ == Source::kRow) return;
      key = locked.key;
    }
    if (source_ == Source::kRange && !still_in_range(locked.row, key)) return;
    const codec::RowView newest(access.layout(), locked.row);
    if (!program_->run(key, &newest)) return;
    write_change(session, key, locked.row);
  } else if (locked.state == State::kCurrent) {
    write_change(session, key, locked.row);
  } else {
    return;
  }
  ++*affected;
}

void Plan::write_change(SessionImpl& session, std::string_view key, std::string_view old_row) {
  auto& database = session.database();
  const auto& access = *schema_->access;
  const WriteAction& action = query_->actions[0];
  if (query_->has_returning) yield();  // what it returns may lie where the write puts something else
  const codec::RowView old_view(access.layout(), old_row);
  if (action.kind == WriteAction::Kind::kDelete) {
    throw_if_error(database.erase(session.transaction(), access, key, old_row));
    writer_->constraints().deleted(old_view);
    return;
  }
  const auto value = [this](size_t output, size_t) { return program_->output(output); };
  const std::string_view new_row =
      old_view.complete() ? writer_->patch(action, old_row, changed_, value) : writer_->build(action, value);
  throw_if_error(database.update(session.transaction(), access, key, old_row, new_row));
  writer_->constraints().updated(std::string(key), old_view, codec::RowView(access.layout(), new_row));
}

bool Plan::compute_rows(SessionImpl& session, uint64_t* affected) {
  auto& database = session.database();
  const size_t rows = source_ == Source::kDummy ? 1 : value_rows_.size();
  for (size_t i = 0; i < rows; ++i) {
    if (source_ == Source::kValues) {
      for (size_t c = 0; c < value_rows_[i].size(); ++c)
        program_->set_register(c, program_->evaluate(*value_rows_[i][c]));
    }
    if (!program_->run({}, nullptr)) continue;
    if (query_->kind == QueryKind::kSelect) {
      yield();
      continue;
    }
    const std::string_view row =
        writer_->build(query_->actions[0], [this](size_t output, size_t) { return program_->output(output); });
    const auto* conflict = query_->conflict ? &*query_->conflict : nullptr;
    const auto& access = *writer_->schema().access;
    auto outcome = value_or_throw(database.insert(
        session.transaction(), access, row, conflict ? &conflict->arbiters : nullptr, conflict && conflict->any_index));
    if (!outcome.inserted) {
      if (conflict->do_update) return false;
      continue;
    }
    writer_->constraints().inserted(outcome.key, codec::RowView(access.layout(), row));
    ++*affected;
    if (query_->has_returning) yield();
  }
  return true;
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

void Plan::read_row(SessionImpl& session, uint64_t* affected) {
  const auto& access = *schema_->access;
  if (query_->kind == QueryKind::kSelect && program_->is_plain()) {
    txn::RowRef row;  // holds up what the index frees, so nothing that waits or takes long is done meanwhile
    table::RowReader reader(session.database(), session.transaction(), access);
    if (value_or_throw(reader.read(key_, &row))) take(session, key_, row.bytes(), affected);
    return;
  }
  if (value_or_throw(session.database().get(session.transaction(), access, key_, &row_)))
    take(session, key_, row_, affected);
}

bool Plan::read_range(SessionImpl& session, uint64_t* affected) {
  auto& database = session.database();
  batch_.clear();
  {
    auto cursor = index_ == SIZE_MAX
                      ? database.scan(session.transaction(), *schema_->access, range_, false)
                      : database.scan_index(session.transaction(), *schema_->access, index_, range_, false);
    while (cursor->next()) {
      if (batch_.size() >= kRangeRowsMax) return false;
      batch_.add(cursor->key(), cursor->row());
    }
    throw_if_error(cursor->status());
  }
  for (size_t i = 0; i < batch_.size() && outputs_.size() < limit_; ++i)
    take(session, batch_.key(i), batch_.row(i), affected);
  return true;
}

bool Plan::execute(SessionImpl& session, const Parameters& parameters, RowTarget& target, uint64_t* affected) {
  *affected = 0;
  outputs_.clear();
  if (writer_) writer_->constraints().start_statement();
  if (path_needs_parameters_) slots_.set(parameters);
  program_->start(parameters);
  if (limit_ > 0) {
    switch (source_) {
      case Source::kRow:
        if (make_key(parameters)) read_row(session, affected);
        break;
      case Source::kRange:
        if (make_key(parameters) && !read_range(session, affected)) return false;
        break;
      case Source::kDummy:
      case Source::kValues:
        if (!compute_rows(session, affected)) return false;
        break;
    }
  }
  ++g_executions;
  // Rows of RETURNING wait until the foreign keys of the statement are checked.
  if (writer_) writer_->constraints().finish_statement();
  if (outputs_.size() > 0) target.rows(outputs_.views(), outputs_.size());
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
    if (constraint.kind == catalog::Constraint::Kind::kPrimaryKey && !constraint.deferrable)
      text += " using " + constraint.name;
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
  bool execute(SessionImpl& session, const Parameters& parameters, RowTarget& target, uint64_t* affected) override {
    if (insert_ != nullptr && insert_->execute(session, parameters, target, affected)) return true;
    *affected = 0;
    const ChunkConsumer consumer = [&](DataChunk& chunk) { return target.chunk(chunk); };
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
  StatementRoute route() const override { return insert_ != nullptr ? StatementRoute::kPoint : StatementRoute::kSmall; }

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
  if (query->reads_clock && reads_files(*query->select))
    return nullptr;  // binding it opens the files, for no plan of ours
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
