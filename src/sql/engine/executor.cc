#include "sql/engine/executor.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "duckdb/main/pending_query_result.hpp"
#include "duckdb/main/query_result.hpp"
#include "duckdb/main/stream_query_result.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/joinref.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"

#include "base/processor_time.h"
#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/file_tables.h"
#include "sql/engine/foreign_keys.h"
#include "sql/engine/route_counters.h"
#include "sql/engine/row_decoder.h"
#include "sql/engine/scan.h"
#include "sql/engine/standing_back.h"
#include "sql/engine/unique_checks.h"
#include "sql/engine/vectors.h"
#include "sql/point/row_plan.h"

namespace omendb::sql {
namespace {

constexpr size_t kChunksInMemory = 64;

/// The item of a FROM clause that is known as `alias`.
duckdb::TableRef* find_item(duckdb::TableRef* ref, const std::string& alias) {
  if (ref == nullptr) return nullptr;
  if (ref->type == duckdb::TableReferenceType::JOIN) {
    auto& join = ref->Cast<duckdb::JoinRef>();
    if (auto* found = find_item(join.left.get(), alias)) return found;
    return find_item(join.right.get(), alias);
  }
  return ref->alias == alias ? ref : nullptr;
}

/// The scan whose "_key" is `expression`, looked for in `node` and the subqueries that hand it up.
duckdb::TableFunctionRef* find_scan(duckdb::QueryNode& query, const duckdb::ParsedExpression& expression) {
  if (query.type != duckdb::QueryNodeType::SELECT_NODE) return nullptr;
  if (expression.GetExpressionClass() != duckdb::ExpressionClass::COLUMN_REF) return nullptr;
  const auto& reference = expression.Cast<duckdb::ColumnRefExpression>();
  if (!reference.IsQualified()) return nullptr;
  auto& node = query.Cast<duckdb::SelectNode>();
  auto* item = find_item(node.from_table.get(), reference.GetTableName());
  if (item == nullptr) return nullptr;
  if (item->type == duckdb::TableReferenceType::TABLE_FUNCTION) {
    return reference.GetColumnName() == "_key" ? &item->Cast<duckdb::TableFunctionRef>() : nullptr;
  }
  if (item->type != duckdb::TableReferenceType::SUBQUERY) return nullptr;
  auto& inner = *item->Cast<duckdb::SubqueryRef>().subquery->node;
  if (inner.type != duckdb::QueryNodeType::SELECT_NODE) return nullptr;
  for (const auto& output : inner.Cast<duckdb::SelectNode>().select_list) {
    const std::string name =
        output->GetAlias().empty() && output->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF
            ? output->Cast<duckdb::ColumnRefExpression>().GetColumnName()
            : output->GetAlias();
    if (name == reference.GetColumnName()) return find_scan(inner, *output);
  }
  return nullptr;
}

}  // namespace

ColumnStatement::Use use_of_columns(Settings::Route route) {
  switch (route) {
    case Settings::Route::kRows: return ColumnStatement::Use::kNone;
    case Settings::Route::kColumns: return ColumnStatement::Use::kForced;
    case Settings::Route::kAuto: break;
  }
  return ColumnStatement::Use::kWhereItPays;
}

namespace {

using Clock = std::chrono::steady_clock;
// A statement that has not ended by then stands back behind short ones, when there are any, and looks for them again so often.
constexpr std::chrono::milliseconds kShort{2}, kLook{10};
// How long it is taken from a statement that the machine is others'.
constexpr std::chrono::milliseconds kRaisedKnown{1000};
// Other threads have the statement's last tasks: the time to look again.
constexpr std::chrono::microseconds kOthersWork{20};
// What comes back sooner had nothing to do.
constexpr std::chrono::microseconds kNoWork{5};

/// A select that is being run, by one thread after another.
class Run {
 public:
  Run(SessionImpl& session, duckdb::PendingQueryResult& pending, const ChunkConsumer& consumer)
      : session_(session), pending_(pending), consumer_(consumer) {}

  /// False: the time was over before the last row.
  bool until(Clock::time_point deadline) {
    while (result_ == nullptr) {
      const auto state = pending_.ExecuteTask();
      if (duckdb::PendingQueryResult::IsResultReady(state)) {
        if (pending_.HasError()) return true;
        result_ = pending_.Execute();
      } else if (state == duckdb::PendingExecutionResult::BLOCKED) {
        const auto began = Clock::now();
        pending_.WaitForTask();
        waited_ += Clock::now() - began;
      } else if (state == duckdb::PendingExecutionResult::NO_TASKS_AVAILABLE) {
        wait_for_others();
      }
      if (Clock::now() >= deadline) return false;
    }
    while (true) {
      if (!has_chunk()) {
        if (Clock::now() >= deadline) return false;
        continue;
      }
      auto chunk = result_->FetchRaw();  // null after an error too
      if (chunk == nullptr || chunk->size() == 0) return true;
      session_.check_cancelled();
      if (!consumer_(*chunk)) return true;
      if (Clock::now() >= deadline) return false;
    }
  }
  /// Waits for the statement's other threads, so far.
  Clock::duration waited() const { return waited_; }
  duckdb::ErrorData error() const {
    duckdb::BaseQueryResult& ended = result_ == nullptr ? static_cast<duckdb::BaseQueryResult&>(pending_) : *result_;
    return ended.HasError() ? ended.GetErrorObject() : duckdb::ErrorData();
  }

 private:
  /// Does a part of the work, if there is any for this thread. False: FetchRaw() would wait, and hold a processor while it does.
  bool has_chunk() {
    if (result_->type != duckdb::QueryResultType::STREAM_RESULT) return true;
    auto& stream = result_->Cast<duckdb::StreamQueryResult>();
    const auto began = Clock::now();
    try {
      const auto state = stream.ExecuteTask();
      if (state == duckdb::StreamExecutionResult::BLOCKED) {
        stream.WaitForTask();
        waited_ += Clock::now() - began;
        return false;
      }
      if (state != duckdb::StreamExecutionResult::CHUNK_NOT_READY) return true;
    } catch (...) {
      return true;  // fetching says what it is
    }
    if (Clock::now() - began < kNoWork) wait_for_others();
    return false;
  }
  void wait_for_others() {
    const auto began = Clock::now();
    std::this_thread::sleep_for(kOthersWork);
    waited_ += Clock::now() - began;  // several times what was asked for
  }

  SessionImpl& session_;
  duckdb::PendingQueryResult& pending_;
  const ChunkConsumer& consumer_;
  duckdb::unique_ptr<duckdb::QueryResult> result_;
  Clock::duration waited_{0};
};

/// Runs it for `time` on the calling thread, and says what came of it. `ended`: it has ended.
StandingSample run_measured(DuckInstance& duck, Run& run, std::chrono::milliseconds time, bool* ended) {
  StandingSample sample;
  const auto began = Clock::now();
  const auto cpu = cpu_time(CLOCK_THREAD_CPUTIME_ID), process = cpu_time(CLOCK_PROCESS_CPUTIME_ID),
             waited = run.waited();
  const auto workers = duck.workers_time();
  const auto queued = queued_time();
  *ended = run.until(began + time);
  if (*ended) return sample;
  sample.wall = Clock::now() - began;
  sample.cpu = cpu_time(CLOCK_THREAD_CPUTIME_ID) - cpu;
  sample.process = cpu_time(CLOCK_PROCESS_CPUTIME_ID) - process;
  sample.waited = run.waited() - waited;
  sample.workers = duck.workers_time() - workers;
  const auto queued_now = queued_time();
  sample.queued = queued && queued_now ? *queued_now - *queued : sample.wall - sample.waited - sample.cpu;
  return sample;
}

/// Runs it to its end: where it is, and while there are short statements, at the priority that is left for it.
void run_long(DuckInstance& duck, Run& run) {
  // Until when a statement that begins takes it from others that the machine is not this server's.
  static std::atomic<Clock::time_point> raised_until{Clock::time_point()};
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  const bool raised = Clock::now() < raised_until.load(std::memory_order_relaxed);
  StandingBack standing(processors, raised);
  if (raised) count_stand_back(StandBackCount::kRaised);
  std::optional<OverdueWatch> watch;
  for (bool ended = false; !ended;) {
    if (!duck.stands_back()) {
      ended = run.until(Clock::now() + kLook);
      continue;
    }
    StandingSample sample;
    const auto time = standing.time();
    const Priority before = standing.priority();
    const auto slice = [&] { sample = run_measured(duck, run, time, &ended); };
    if (before == Priority::kNormal) {
      duck.raise_workers(time);
      slice();
    } else {
      if (!watch) watch.emplace(processors);
      (before == Priority::kIdle ? duck.idle_threads() : duck.low_threads()).run([&] { watch->run(before, slice); });
    }
    if (ended) return;
    if (standing.take(sample)) duck.free_workers();
    // Not by a statement that ends before it has looked: one after the other they would keep it up for ever.
    if (standing.priority() == Priority::kNormal)
      raised_until.store(Clock::now() + kRaisedKnown, std::memory_order_relaxed);
    if (standing.priority() == before) continue;
    if (standing.priority() == Priority::kLow) count_stand_back(StandBackCount::kNice);
    if (standing.priority() == Priority::kNormal) count_stand_back(StandBackCount::kRaised);
  }
}

/// Runs the select once. What DuckDB found wrong, if anything; `consumer` may have had rows by then.
duckdb::ErrorData run_once(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
                           const ChunkConsumer& consumer) {
  auto& connection = session.connection();
  auto statement = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(select.Copy());
  duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
  statement->named_param_map.clear();
  for (size_t i = 0; i < parameters.values.size(); ++i) {
    const std::string name = std::to_string(i + 1);
    const auto type = duck_type(parameters.types[i], parameters.physical[i]);
    statement->named_param_map[name] = i + 1;
    values[name] =
        duckdb::BoundParameterData(duck_value(parameters.values[i].view(), parameters.physical[i], type), type);
  }

  auto pending = connection.context->PendingQuery(std::move(statement), values, true);
  if (pending->HasError()) return pending->GetErrorObject();
  // The query's start forgets an interrupt that came before it.
  session.check_cancelled();
  Run run(session, *pending, consumer);
  auto& duck = session.engine().duck();
  (void)duck.stands_back();  // the workers that help from the start
  if (!run.until(Clock::now() + kShort)) run_long(duck, run);
  return run.error();
}

}  // namespace

void run_select(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
                const ChunkConsumer& consumer) {
  const RouteTimer timer;
  if (auto* plans = session.small_plans(); plans != nullptr && plans->run(session, select, parameters, consumer)) {
    timer.done(StatementRoute::kSmall);
    return;
  }
  auto use = use_of_columns(session.settings().route());
  while (true) {
    const ColumnStatement::Scope columns(*session.connection().context, use);
    bool consumed = false;
    const auto error = run_once(session, select, parameters, [&](duckdb::DataChunk& chunk) {
      consumed = true;
      return consumer(chunk);
    });
    if (!error.HasError()) {
      timer.done(columns.columns() ? StatementRoute::kColumns : StatementRoute::kRows);
      return;
    }
    session.check_cancelled();
    if (consumed || !columns.spoiled()) {
      throw_if_file_error(*session.connection().context, error);
      throw_duck_error(error);
    }
    use = ColumnStatement::Use::kNone;  // a copy is damaged: the rows have the answer
  }
}

void refuse_unpopulated(SessionImpl& session, const AnalyzedQuery& query) {
  for (Oid relation : query.relations) {
    const auto* table = session.statement_catalog()->find<catalog::Table>(relation);
    if (table == nullptr || table->populated || !table->is_materialized_view()) continue;
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   "materialized view \"" + table->name + "\" has not been populated")
        .hint("Use the REFRESH MATERIALIZED VIEW command.");
  }
}

void lock_relations(SessionImpl& session, const AnalyzedQuery& query) {
  auto& database = session.database();
  auto& transaction = session.transaction();
  for (Oid relation : query.relations) {
    auto mode = txn::ObjectLockMode::kAccessShare;
    if (relation == query.target && query.kind != QueryKind::kSelect) {
      mode = txn::ObjectLockMode::kRowExclusive;
    } else {
      for (const auto& mark : query.row_marks) {
        if (mark.table == relation) mode = txn::ObjectLockMode::kRowShare;
      }
    }
    throw_if_error(database.lock_object(transaction, relation, mode, table::LockWait::kWait));
  }
  refuse_unpopulated(session, query);
  for (const auto& cte : query.modifying_ctes) lock_relations(session, cte);
}

namespace {

/// The statement itself, its WITH done.
uint64_t execute_main(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                      const ChunkConsumer& consumer) {
  if (query.kind != QueryKind::kSelect) return execute_write(session, query, parameters, consumer);
  if (query.row_marks.empty())
    run_select(session, *query.select, parameters, consumer);
  else
    execute_locking_select(session, query, parameters, consumer);
  return 0;
}

}  // namespace

uint64_t execute_query(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                       const ChunkConsumer& consumer) {
  for (size_t i = 0; i < query.modifying_ctes.size(); ++i) {
    const AnalyzedQuery& cte = query.modifying_ctes[i];
    RowCollection rows;
    for (size_t c = 0; c < cte.outputs.size(); ++c) {
      rows.names.push_back("c" + std::to_string(c + 1));
      rows.types.push_back(duck_type(cte.outputs[c].type, cte.outputs[c].physical));
    }
    session.set_row_collection(100 + static_cast<int64_t>(i)) = std::move(rows);
  }
  for (size_t i = 0; i < query.modifying_ctes.size(); ++i) {
    const SessionImpl::WithPart part(session);
    std::vector<duckdb::unique_ptr<duckdb::DataChunk>> chunks;
    execute_query(session, query.modifying_ctes[i], parameters, [&](duckdb::DataChunk& chunk) {
      chunks.push_back(take_chunk(chunk));
      // A locking SELECT yields its hidden columns (keys, limits) as well.
      const size_t outputs = query.modifying_ctes[i].outputs.size();
      if (chunks.back()->ColumnCount() > outputs) {
        duckdb::DataChunk hidden;
        chunks.back()->Split(hidden, outputs);
      }
      return true;
    });
    RowCollection rows;
    rows.names = session.row_collection(100 + static_cast<int64_t>(i)).names;
    rows.types = session.row_collection(100 + static_cast<int64_t>(i)).types;
    rows.chunks = std::move(chunks);
    session.set_row_collection(100 + static_cast<int64_t>(i)) = std::move(rows);
  }
  auto& left = session.foreign_key_queue().statement;
  const auto& left_unique = session.foreign_key_queue().statement_unique;
  if ((left.empty() && left_unique.empty()) || session.in_with_statement())
    return execute_main(session, query, parameters, consumer);
  // The parts of WITH left keys to check when the whole statement is done; its rows wait for that.
  ChunkBuffer rows(session);
  uint64_t affected = 0;
  {
    const SessionImpl::WithPart part(session);
    affected = execute_main(session, query, parameters, [&](duckdb::DataChunk& chunk) {
      rows.append(chunk);
      return true;
    });
  }
  settle_unique_checks(session);
  fire_foreign_keys(session, std::exchange(left, {}));
  while (duckdb::DataChunk* chunk = rows.next()) {
    if (!consumer(*chunk)) break;
  }
  return affected;
}

// --- ChunkBuffer ---

void ChunkBuffer::append(duckdb::DataChunk& chunk) {
  rows_ += chunk.size();
  if (spilled_ == nullptr && chunks_.size() < kChunksInMemory) {
    chunks_.push_back(take_chunk(chunk));
    return;
  }
  if (spilled_ == nullptr) {
    spilled_ = duckdb::make_uniq<duckdb::ColumnDataCollection>(*session_.connection().context, chunk.GetTypes());
    for (auto& kept : chunks_) spilled_->Append(*kept);
    chunks_.clear();
  }
  spilled_->Append(chunk);
}

duckdb::DataChunk* ChunkBuffer::next() {
  if (spilled_ == nullptr) return next_ < chunks_.size() ? chunks_[next_++].get() : nullptr;
  if (!scanning_) {
    spilled_->InitializeScan(scan_);
    if (scanned_.ColumnCount() == 0) spilled_->InitializeScanChunk(scanned_);
    scanning_ = true;
  }
  scanned_.Reset();
  if (!spilled_->Scan(scan_, scanned_)) return nullptr;
  return &scanned_;
}

void ChunkBuffer::rewind() {
  next_ = 0;
  scanning_ = false;
}

// --- Re-checks ---

duckdb::unique_ptr<duckdb::SelectStatement> recheck_select(const duckdb::SelectStatement& select, size_t key_column,
                                                           int64_t collection) {
  auto copy = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(select.Copy());
  if (copy->node->type != duckdb::QueryNodeType::SELECT_NODE) return nullptr;
  auto& node = copy->node->Cast<duckdb::SelectNode>();
  if (key_column >= node.select_list.size()) return nullptr;
  auto* item = find_scan(node, *node.select_list[key_column]);
  if (item == nullptr) return nullptr;
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(collection)));
  item->function = duckdb::make_uniq<duckdb::FunctionExpression>(kRowsFunction, std::move(arguments));
  return copy;
}

void fill_collection(SessionImpl& session, int64_t number, const TableSchema& schema, std::string_view key,
                     std::string_view row) {
  RowCollection& collection = session.set_row_collection(number);
  collection.names = schema.names;
  collection.types = schema.types;
  auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
  chunk->Initialize(duckdb::Allocator::DefaultAllocator(), schema.types, 1);
  RowBatch batch;
  batch.clear();
  batch.add(key, row);
  for (size_t c = 0; c < schema.types.size(); ++c) decode_column(schema, c, batch, nullptr, 1, chunk->data[c]);
  chunk->SetCardinality(1);
  collection.chunks.push_back(std::move(chunk));
}

std::string describe_row(const SessionImpl& session, const TableSchema& schema, const codec::RowView& row) {
  constexpr size_t kFieldMax = 64;
  std::string text = "(";
  bool first = true;
  const auto& columns = schema.table().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].dropped) continue;
    if (!first) text += ", ";
    first = false;
    if (row.is_null(i)) {
      text += "null";
      continue;
    }
    std::string value;
    types::output(columns[i].type, columns[i].physical, row.get(i), session.io_context(), &value);
    if (value.size() > kFieldMax) {
      size_t cut = kFieldMax;
      while (cut > 0 && (static_cast<unsigned char>(value[cut]) & 0xC0) == 0x80) --cut;
      value.resize(cut);
      value += "...";
    }
    text += value;
  }
  return text + ")";
}

}  // namespace omendb::sql
