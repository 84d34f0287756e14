#include "sql/engine/scan.h"

#include <algorithm>
#include <atomic>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/common/types/selection_vector.hpp"
#include "duckdb/execution/execution_context.hpp"
#include "duckdb/execution/partition_info.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/parser/parsed_data/create_table_function_info.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/table/column_segment.hpp"

#include "sql/columnar/column_scan.h"
#include "sql/engine/access_path.h"
#include "sql/engine/row_decoder.h"
#include "sql/engine/row_filter.h"
#include "sql/error.h"
#include "table/ordered_rows.h"
#include "table/serializable.h"

namespace omendb::sql {
namespace {

using duckdb::ClientContext;
using duckdb::DataChunk;
using duckdb::idx_t;

// Under this many rows the threads cost more than they save.
constexpr uint64_t kParallelRows = 60000;
constexpr uint64_t kRowsPerTask = 20000;
constexpr size_t kLookupsPerTask = 2048;
constexpr uint64_t kRowsPerCheck = 4096;  // for an interrupt, when filters let nothing through
// An index scan fetches row by row, at some forty times the cost of a row of a full scan. Whether it pays is estimated from the
// table's sample; where there is none it is found out by trying.
constexpr uint64_t kProbeRowsMin = 2000;
constexpr uint64_t kProbeShare = 40;
// A row that is looked up costs as much as so many that are read from a copy in columns.
constexpr uint64_t kColumnarShare = 200;
constexpr uint64_t kColumnarRowsMin = 1000;

struct Counters {
  std::atomic<uint64_t> rows_read{0}, column_rows{0}, delta_rows{0}, full_scans{0}, lookups{0}, range_scans{0},
      index_scans{0}, column_scans{0};
} g_counters;

/// A part of the scan that one thread does; rows of part i come before those of part i + 1.
struct Task {
  size_t first_key = 0, key_count = 0;  // of AccessPath::keys
  table::KeyRange range;
};

struct ScanGlobalState : public duckdb::GlobalTableFunctionState {
  explicit ScanGlobalState(const TableSchema& schema) : row_filter(schema) {}
  AccessPath path;
  std::vector<Task> tasks;
  std::atomic<size_t> next_task{0};
  idx_t threads = 1;
  uint64_t row_limit = 0;  // one thread then; 0: none
  bool selective = false;  // a filter that decides, not one that only speeds up (a heap's bound)
  bool reverse = false;
  std::vector<size_t> columns;  // scanned, in TableSchema's numbering
  std::vector<size_t> output;   // positions in `columns`
  struct Filter {
    size_t column;  // position in `columns`
    const duckdb::TableFilter* filter;
  };
  std::vector<Filter> filters;
  RowFilter row_filter;              // the filters that need no vectors
  std::unique_ptr<ColumnScan> copy;  // read first; the path then holds what its overlay wants from the rows
  bool keys_wanted = false;
  idx_t MaxThreads() const override { return threads; }
};

struct ScanLocalState : public duckdb::LocalTableFunctionState {
  std::unique_ptr<ColumnScan::Local> copy;  // null: none, or read to its end
  bool has_task = false;
  size_t task = 0;
  size_t next_key = 0;
  std::unique_ptr<table::RowCursor> cursor;
  std::unique_ptr<table::OrderedRows> ordered;  // of an overlay's keys, which a thread meets in ascending order
  RowBatch batch;
  std::string row;
  uint64_t approved_rows = 0;  // with a row limit
  DataChunk filtered;          // the filter columns of a batch
  std::vector<duckdb::unique_ptr<duckdb::TableFilterState>> filter_states;
  duckdb::SelectionVector selection{STANDARD_VECTOR_SIZE};
};

duckdb::unique_ptr<duckdb::FunctionData> bind_scan(ClientContext& context, duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<duckdb::LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  const Oid table(static_cast<uint32_t>(input.inputs[0].GetValue<int64_t>()));
  auto data = duckdb::make_uniq<ScanBindData>(engine_services(context).table_schema(table));
  types = data->schema->types;
  names = data->schema->names;
  return data;
}

/// Of the table's copy, or an estimate.
uint64_t table_rows(ClientContext& context, const TableSchema& schema) {
  const auto statement = ColumnStatement::of(context);
  const auto* copy = statement == nullptr ? nullptr : statement->find(schema);
  return copy != nullptr ? copy->rows : engine_services(context).database().estimate_rows(*schema.access);
}

/// True when the index path reads so much that a full scan is cheaper, of which it may read one row in `share`.
bool index_reads_too_much(EngineServices& services, const TableSchema& schema, const AccessPath& path, uint64_t rows,
                          uint64_t share) {
  if (path.unique || rows < kProbeRowsMin) return false;
  const uint64_t limit = std::max<uint64_t>(64, rows / share);
  if (const auto statistics = services.statistics(schema)) {
    if (const uint64_t estimate = statistics->rows_in(path.index, path.ranges, rows); estimate != UINT64_MAX)
      return estimate > limit;
  }
  uint64_t seen = 0;
  for (const auto& range : path.ranges) {
    auto cursor = services.database().scan_index(services.transaction(), *schema.access, path.index, range, false);
    while (cursor->next()) {
      if (++seen > limit) return true;
    }
    throw_if_error(cursor->status());
  }
  return false;
}

/// Whether a copy in columns answers sooner than `path` does.
bool reads_copy(EngineServices& services, const TableSchema& schema, const AccessPath& path, uint64_t rows) {
  switch (path.kind) {
    case AccessPath::Kind::kFull: return true;
    case AccessPath::Kind::kLookup: return path.keys.size() > std::max(kColumnarRowsMin, rows / kColumnarShare);
    case AccessPath::Kind::kIndex: return index_reads_too_much(services, schema, path, rows, kColumnarShare);
    case AccessPath::Kind::kRange: {
      uint64_t seen = 0;
      for (const auto& range : path.ranges) {
        auto cursor = services.database().scan(services.transaction(), *schema.access, range, false);
        while (cursor->next()) {
          if (++seen > kColumnarRowsMin) return true;
        }
        throw_if_error(cursor->status());
      }
      return false;
    }
  }
  return false;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init_global(ClientContext& context,
                                                                 duckdb::TableFunctionInitInput& input) {
  const auto& bind_data = input.bind_data->Cast<ScanBindData>();
  const auto& schema = *bind_data.schema;
  auto& services = engine_services(context);
  auto& database = services.database();
  auto state = duckdb::make_uniq<ScanGlobalState>(schema);
  state->row_limit = bind_data.row_limit;
  state->reverse = bind_data.reverse;

  for (auto id : input.column_ids) {
    // DuckDB asks for a row id when a count needs no column at all.
    state->columns.push_back(id < schema.types.size() ? static_cast<size_t>(id) : SIZE_MAX);
    state->keys_wanted = state->keys_wanted || state->columns.back() == schema.key_column();
  }
  if (input.CanRemoveFilterColumns()) {
    state->output.assign(input.projection_ids.begin(), input.projection_ids.end());
  } else {
    for (size_t i = 0; i < state->columns.size(); ++i) state->output.push_back(i);
  }

  std::vector<ColumnBounds> bounds(schema.column_count());
  if (input.filters) {
    for (auto& [position, filter] : input.filters->filters) {
      const size_t column = state->columns[position];
      if (!state->row_filter.take(column, *filter)) state->filters.push_back({position, filter.get()});
      state->selective = state->selective || (filter->filter_type != duckdb::TableFilterType::DYNAMIC_FILTER &&
                                              filter->filter_type != duckdb::TableFilterType::OPTIONAL_FILTER);
      if (column < bounds.size()) bounds[column].narrow(*filter);
    }
  }

  const uint64_t rows = table_rows(context, schema);
  state->path = choose_access_path(*schema.access, bounds, rows);
  const auto statement = ColumnStatement::of(context);
  if (statement != nullptr && state->row_limit == 0 && !state->keys_wanted) {
    const auto* table = statement->find(schema);
    if (table != nullptr && (statement->forced() || reads_copy(services, schema, state->path, rows))) {
      state->copy = std::make_unique<ColumnScan>(context, statement->snapshot(), *table, state->columns, input);
      ++g_counters.column_scans;
      throw_if_error(table::note_whole_read(database, services.transaction(), *schema.access));
      state->path = AccessPath();
      state->path.kind = AccessPath::Kind::kLookup;
      if (table->overlay != nullptr) state->path.keys = table->overlay->keys;
    } else if (table == nullptr && state->path.kind == AccessPath::Kind::kFull) {
      ColumnStatement::store_of(context).note_scan(bind_data.schema, rows);
    }
  }
  if (statement != nullptr) statement->note_scan(state->copy != nullptr);
  if (state->path.kind == AccessPath::Kind::kIndex) {
    if (state->row_limit > 0 && !state->path.unique) {
      // Index order is not key order: all of the index's rows, or the limit by walking the key.
      if (index_reads_too_much(services, schema, state->path, rows, kProbeShare)) {
        state->path = AccessPath();
      } else {
        state->row_limit = 0;
      }
    } else if (index_reads_too_much(services, schema, state->path, rows, kProbeShare)) {
      state->path = AccessPath();
    }
  }

  switch (state->path.kind) {
    case AccessPath::Kind::kLookup:
      g_counters.lookups += state->path.keys.size();
      for (size_t first = 0; first < state->path.keys.size(); first += kLookupsPerTask) {
        Task task;
        task.first_key = first;
        task.key_count = std::min(kLookupsPerTask, state->path.keys.size() - first);
        state->tasks.push_back(std::move(task));
      }
      break;
    case AccessPath::Kind::kIndex:
      ++g_counters.index_scans;
      for (auto& range : state->path.ranges) {
        Task task;
        task.range = range;
        state->tasks.push_back(std::move(task));
      }
      break;
    case AccessPath::Kind::kFull:
    case AccessPath::Kind::kRange: {
      const bool full = state->path.kind == AccessPath::Kind::kFull;
      ++(full ? g_counters.full_scans : g_counters.range_scans);
      if (full && state->row_limit == 0)
        throw_if_error(table::note_whole_read(database, services.transaction(), *schema.access));
      std::vector<table::KeyRange> ranges = full ? std::vector<table::KeyRange>{{}} : state->path.ranges;
      if (state->row_limit == 0 && rows > kParallelRows && ranges.size() == 1 && services.scan_threads() > 1) {
        ranges = database.split(*schema.access, ranges[0], std::min<size_t>(512, rows / kRowsPerTask + 1));
      }
      for (auto& range : ranges) {
        Task task;
        task.range = std::move(range);
        state->tasks.push_back(std::move(task));
      }
      break;
    }
  }
  if (state->row_limit > 0 && state->reverse) {
    std::reverse(state->tasks.begin(), state->tasks.end());
    std::reverse(state->path.keys.begin(), state->path.keys.end());
    if (state->path.kind == AccessPath::Kind::kLookup) {
      size_t first = 0;
      for (auto& task : state->tasks) {
        task.first_key = first;
        first += task.key_count;
      }
    }
  }
  state->threads =
      rows > kParallelRows && state->row_limit == 0
          ? std::max<idx_t>(1, std::min<idx_t>(state->tasks.size(), static_cast<idx_t>(services.scan_threads())))
          : 1;
  if (state->copy != nullptr) state->threads = std::max(state->threads, state->copy->max_threads());
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> init_local(duckdb::ExecutionContext& context,
                                                               duckdb::TableFunctionInitInput& input,
                                                               duckdb::GlobalTableFunctionState* global_state) {
  const auto& schema = *input.bind_data->Cast<ScanBindData>().schema;
  const auto& global = global_state->Cast<ScanGlobalState>();
  auto state = duckdb::make_uniq<ScanLocalState>();
  if (!global.filters.empty()) {
    duckdb::vector<duckdb::LogicalType> types;
    for (const auto& filter : global.filters) {
      state->filter_states.push_back(duckdb::TableFilterState::Initialize(context.client, *filter.filter));
      types.push_back(global.columns[filter.column] == SIZE_MAX ? duckdb::LogicalType::BIGINT
                                                                : schema.types[global.columns[filter.column]]);
    }
    state->filtered.Initialize(context.client, types);
  }
  if (global.copy != nullptr) state->copy = global.copy->init_local(context, input);
  return state;
}

/// Reads the next rows into local.batch; false: the scan is over.
bool read_batch(EngineServices& services, const TableSchema& schema, ScanGlobalState& global, ScanLocalState& local,
                const std::atomic<bool>& interrupted) {
  auto& database = services.database();
  local.batch.clear();
  size_t batch_rows = STANDARD_VECTOR_SIZE;
  if (global.row_limit > 0) {
    if (local.approved_rows >= global.row_limit) return false;
    const uint64_t left = global.row_limit - local.approved_rows;
    batch_rows = std::min<size_t>(batch_rows, global.selective ? std::max<uint64_t>(64, left * 2) : left);
  }
  while (true) {
    if (!local.has_task) {
      const size_t task = global.next_task++;
      if (task >= global.tasks.size()) return false;
      local.has_task = true;
      local.task = task;
      local.next_key = 0;
      if (global.path.kind == AccessPath::Kind::kIndex) {
        local.cursor = database.scan_index(services.transaction(), *schema.access, global.path.index,
                                           global.tasks[task].range, false);
      } else if (global.path.kind != AccessPath::Kind::kLookup) {
        local.cursor = database.scan(services.transaction(), *schema.access, global.tasks[task].range,
                                     global.row_limit > 0 && global.reverse);
      }
    }
    const Task& task = global.tasks[local.task];
    uint64_t seen = 0;
    const auto keep = [&](std::string_view key, std::string_view row) {
      ++seen;
      if (global.row_filter.empty() || global.row_filter.passes(row)) local.batch.add(key, row);
    };
    if (global.path.kind == AccessPath::Kind::kLookup) {
      if (global.copy != nullptr && local.ordered == nullptr)
        local.ordered = table::ordered_rows(database, services.transaction(), *schema.access);
      for (; local.next_key < task.key_count && local.batch.size() < batch_rows; ++local.next_key) {
        const std::string& key = global.path.keys[task.first_key + local.next_key];
        auto found = local.ordered != nullptr ? local.ordered->get(key, &local.row)
                                              : database.get(services.transaction(), *schema.access, key, &local.row);
        if (value_or_throw(std::move(found))) keep(key, local.row);
      }
      if (local.next_key >= task.key_count) local.has_task = false;
    } else {
      while (local.batch.size() < batch_rows) {
        if (!local.cursor->next()) {
          throw_if_error(local.cursor->status());
          local.cursor.reset();
          local.has_task = false;
          break;
        }
        keep(global.keys_wanted ? local.cursor->key() : std::string_view(), local.cursor->row());
        if (seen % kRowsPerCheck == 0 && interrupted) throw duckdb::InterruptException();
      }
    }
    (global.copy == nullptr ? g_counters.rows_read : g_counters.delta_rows) += seen;
    if (local.batch.size() > 0) return true;
  }
}

void scan(ClientContext& context, duckdb::TableFunctionInput& input, DataChunk& output) {
  const auto& schema = *input.bind_data->Cast<ScanBindData>().schema;
  auto& global = input.global_state->Cast<ScanGlobalState>();
  auto& local = input.local_state->Cast<ScanLocalState>();
  auto& services = engine_services(context);

  if (local.copy != nullptr) {
    global.copy->next(context, *local.copy, output);
    if (output.size() > 0) {
      g_counters.column_rows += output.size();
      return;
    }
    local.copy.reset();
  }
  while (read_batch(services, schema, global, local, context.interrupted)) {
    const size_t read = local.batch.size();
    idx_t approved = read;
    const duckdb::SelectionVector* selected = nullptr;
    if (!global.filters.empty()) {
      local.filtered.Reset();
      duckdb::SelectionVector all;
      all.Initialize(nullptr);
      for (size_t f = 0; f < global.filters.size() && approved > 0; ++f) {
        auto& vector = local.filtered.data[f];
        decode_column(schema, global.columns[global.filters[f].column], local.batch, nullptr, read, vector);
        duckdb::UnifiedVectorFormat format;
        vector.ToUnifiedFormat(read, format);
        duckdb::ColumnSegment::FilterSelection(all, vector, format, *global.filters[f].filter, *local.filter_states[f],
                                               read, approved);
      }
      if (approved == 0) {
        if (context.interrupted) throw duckdb::InterruptException();
        continue;
      }
      if (approved < read) {
        local.selection.Initialize(all);
        selected = &local.selection;
      }
    }
    local.approved_rows += approved;
    for (size_t i = 0; i < global.output.size(); ++i) {
      const size_t position = global.output[i];
      if (global.columns[position] == SIZE_MAX) {
        // A row id nobody looks at.
        output.data[i].SetVectorType(duckdb::VectorType::FLAT_VECTOR);
        std::memset(duckdb::FlatVector::GetData(output.data[i]), 0, approved * sizeof(int64_t));
        continue;
      }
      size_t filter = 0;
      while (filter < global.filters.size() && global.filters[filter].column != position) ++filter;
      if (filter < global.filters.size()) {
        if (selected == nullptr) {
          output.data[i].Reference(local.filtered.data[filter]);
        } else {
          output.data[i].Slice(local.filtered.data[filter], *selected, approved);
        }
      } else {
        decode_column(schema, global.columns[position], local.batch, selected, approved, output.data[i]);
      }
    }
    output.SetCardinality(approved);
    return;
  }
  output.SetCardinality(0);
}

duckdb::unique_ptr<duckdb::NodeStatistics> scan_cardinality(ClientContext& context, const duckdb::FunctionData* data) {
  const auto rows = table_rows(context, *data->Cast<ScanBindData>().schema);
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

/// Whether an answer may come from what is known of a copy: a serializable transaction has to read, for what it reads is noted.
bool answers_from_knowledge(ClientContext& context) {
  return engine_services(context).transaction().isolation() != txn::Isolation::kSerializable;
}

/// Of a copy that is the whole answer, what its native table knows, bounds included. Else distinct counts alone, which DuckDB orders
/// joins by: rows may be written that lie beyond any bound.
duckdb::unique_ptr<duckdb::BaseStatistics> scan_statistics(ClientContext& context, const duckdb::FunctionData* data,
                                                           duckdb::column_t column) {
  const auto& schema = *data->Cast<ScanBindData>().schema;
  if (column >= schema.column_count()) return nullptr;
  if (const auto statement = ColumnStatement::of(context)) {
    const auto* table = statement->find(schema);
    if (table != nullptr && table->overlay == nullptr && answers_from_knowledge(context)) {
      return ColumnScan::statistics(context, *table, column);
    }
  }
  const auto statistics = engine_services(context).statistics(schema);
  if (statistics == nullptr || statistics->distinct[column] == 0) return nullptr;
  auto result = duckdb::BaseStatistics::CreateUnknown(schema.types[column]);
  result.SetDistinctCount(statistics->distinct[column]);
  return result.ToUnique();
}

/// How many rows there are, where that is certain: then a count reads none.
duckdb::vector<duckdb::PartitionStatistics> scan_partition_statistics(ClientContext& context,
                                                                      duckdb::GetPartitionStatsInput& input) {
  const auto statement = ColumnStatement::of(context);
  if (statement == nullptr || !answers_from_knowledge(context)) return {};
  const auto* table = statement->find(*input.bind_data->Cast<ScanBindData>().schema);
  if (table == nullptr || table->overlay != nullptr) return {};
  return ColumnScan::partition_statistics(context, *table);
}

duckdb::InsertionOrderPreservingMap<std::string> scan_to_string(duckdb::TableFunctionToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> result;
  result["Table"] = input.bind_data->Cast<ScanBindData>().schema->table().name;
  return result;
}

duckdb::InsertionOrderPreservingMap<std::string> scan_dynamic_to_string(
    duckdb::TableFunctionDynamicToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> result;
  const auto& schema = *input.bind_data->Cast<ScanBindData>().schema;
  result["Table"] = schema.table().name;
  if (!input.global_state) return result;
  const auto& global = input.global_state->Cast<ScanGlobalState>();
  if (global.copy == nullptr) {
    result["Access"] = global.path.describe(*schema.access);
    return result;
  }
  const auto& table = global.copy->table();
  result["Access"] = "Columns";
  result["Watermark"] = std::to_string(table.watermark.value);
  result["Rows From Columns"] =
      std::to_string(table.rows - (table.overlay == nullptr ? 0 : table.overlay->hidden.size()));
  if (table.overlay != nullptr) result["Keys From Rows"] = std::to_string(table.overlay->keys.size());
  return result;
}

duckdb::OperatorPartitionData scan_partition(ClientContext& context, duckdb::TableFunctionGetPartitionInput& input) {
  const auto& global = input.global_state->Cast<ScanGlobalState>();
  auto& local = input.local_state->Cast<ScanLocalState>();
  if (local.copy != nullptr) return global.copy->partition(context, *local.copy, input);
  // What the overlay adds comes after all of the copy.
  constexpr idx_t kAfterCopy = idx_t(1) << 40;
  return duckdb::OperatorPartitionData(local.task + (global.copy != nullptr ? kAfterCopy : 0));
}

// --- omen_rows ---

struct RowsState : public duckdb::GlobalTableFunctionState {
  size_t next_chunk = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_rows(ClientContext& context, duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<duckdb::LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  const auto number = input.inputs[0].GetValue<int64_t>();
  const auto& collection = engine_services(context).row_collection(number);
  types = collection.types;
  names = collection.names;
  return duckdb::make_uniq<RowsBindData>(number);
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init_rows(ClientContext&, duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<RowsState>();
}

void scan_rows(ClientContext& context, duckdb::TableFunctionInput& input, DataChunk& output) {
  const auto& collection = engine_services(context).row_collection(input.bind_data->Cast<RowsBindData>().number);
  auto& state = input.global_state->Cast<RowsState>();
  while (state.next_chunk < collection.chunks.size()) {
    auto& chunk = *collection.chunks[state.next_chunk++];
    if (chunk.size() == 0) continue;
    output.Reference(chunk);
    return;
  }
  output.SetCardinality(0);
}

duckdb::unique_ptr<duckdb::NodeStatistics> rows_cardinality(ClientContext& context, const duckdb::FunctionData* data) {
  idx_t rows = 0;
  for (const auto& chunk : engine_services(context).row_collection(data->Cast<RowsBindData>().number).chunks) {
    rows += chunk->size();
  }
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

}  // namespace

void register_scan_functions(duckdb::DatabaseInstance& database) {
  duckdb::TableFunction scan_function(kScanFunction, {duckdb::LogicalType::BIGINT}, scan, bind_scan, init_global,
                                      init_local);
  scan_function.projection_pushdown = true;
  scan_function.filter_pushdown = true;
  scan_function.filter_prune = true;
  scan_function.cardinality = scan_cardinality;
  scan_function.statistics = scan_statistics;
  scan_function.to_string = scan_to_string;
  scan_function.dynamic_to_string = scan_dynamic_to_string;
  scan_function.get_partition_data = scan_partition;
  scan_function.get_partition_stats = scan_partition_statistics;

  duckdb::TableFunction rows_function(kRowsFunction, {duckdb::LogicalType::BIGINT}, scan_rows, bind_rows, init_rows);
  rows_function.cardinality = rows_cardinality;

  auto& catalog = duckdb::Catalog::GetSystemCatalog(database);
  auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
  for (auto* function : {&scan_function, &rows_function}) {
    duckdb::CreateTableFunctionInfo info(*function);
    info.internal = true;
    catalog.CreateFunction(transaction, info);
  }
}

ScanCounters scan_counters() {
  return {g_counters.rows_read, g_counters.column_rows, g_counters.delta_rows,  g_counters.full_scans,
          g_counters.lookups,   g_counters.range_scans, g_counters.index_scans, g_counters.column_scans};
}

}  // namespace omendb::sql
