#include "sql/columnar/column_fill.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/optimistic_data_writer.hpp"
#include "duckdb/transaction/duck_transaction.hpp"

#include "base/mutex.h"
#include "base/processor_time.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

constexpr uint64_t kRowsPerCheck = 4096;
// Where two parts meet a row group stays incomplete, so parts are of several.
constexpr uint64_t kRowsPerPart = 500'000;

/// A range of rows in a collection of its own, on disk but for what does not fill a block.
struct Part {
  table::KeyRange range;
  std::unique_ptr<duckdb::OptimisticDataWriter> writer;
  duckdb::unique_ptr<duckdb::OptimisticWriteCollection> rows;
  KeyPlaces::Run keys;
};

bool fill_part(table::Database& database, txn::Transaction& transaction, const TableSchema& schema,
               duckdb::DataTable& table, duckdb::ClientContext& context, const KeyPlaces& places,
               const std::function<bool()>& stop, Part& part) {
  part.writer = std::make_unique<duckdb::OptimisticDataWriter>(context, table);
  part.rows = part.writer->CreateCollection(table, schema.types);
  auto& collection = *part.rows->collection;
  collection.InitializeEmpty();
  duckdb::TableAppendState state;
  collection.InitializeAppend(state);
  RowChunks chunks(schema);
  const auto append = [&] {
    if (collection.Append(chunks.take(), state)) part.writer->WriteNewRowGroup(*part.rows);
  };
  KeyPlaces::RunWriter keys(places);
  auto cursor = database.scan(transaction, *schema.access, part.range, false);
  while (cursor->next()) {
    if (keys.keys() % kRowsPerCheck == 0 && stop()) return false;
    keys.add(cursor->key());
    if (chunks.add(cursor->key(), cursor->row())) append();
  }
  throw_if_error(cursor->status());
  if (!chunks.empty()) append();
  collection.FinalizeAppend(duckdb::TransactionData(0, 0), state);
  if (collection.GetTotalRows() >= table.GetRowGroupSize()) {
    part.writer->WriteUnflushedRowGroups(*part.rows);
    part.writer->FinalFlush();
  }
  part.keys = keys.take();
  return true;
}

/// Fills the parts. False: `stop` said so.
bool fill_parts(table::Database& database, txn::Transaction& transaction, const TableSchema& schema,
                duckdb::DataTable& table, duckdb::ClientContext& context, const KeyPlaces& places, Effort effort,
                const std::function<bool()>& stop, std::vector<Part>& parts) {
  std::atomic<size_t> next{0};
  std::atomic<bool> over{false};
  Mutex mutex;
  std::exception_ptr error;
  const auto work = [&](const std::function<bool()>& enough) {
    Pace pace(effort.paced);
    const auto step = [&] {
      pace.rest();
      return enough();
    };
    try {
      for (size_t i = next.fetch_add(1); i < parts.size(); i = next.fetch_add(1)) {
        if (!fill_part(database, transaction, schema, table, context, places, step, parts[i])) over = true;
      }
    } catch (...) {
      over = true;
      const MutexLock lock(mutex);
      error = std::current_exception();
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(effort.threads, parts.size()); ++i)
    helpers.emplace_back(work, [&] { return over.load(); });
  work([&] { return over.load() || stop(); });
  for (auto& helper : helpers) helper.join();
  if (error != nullptr) std::rethrow_exception(error);
  return !over;
}

}  // namespace

const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> kNoConstraints;

NativeWrite::NativeWrite(duckdb::AttachedDatabase& attached, duckdb::DatabaseModificationType modification)
    : connection_(attached.GetDatabase()) {
  connection_.BeginTransaction();
  duckdb::MetaTransaction::Get(context()).ModifyDatabase(attached, modification);
}

NativeWrite::~NativeWrite() {
  if (committed_) return;
  try {
    connection_.Rollback();
  } catch (...) {
    // The transaction is gone in any case.
  }
}

void NativeWrite::commit() {
  connection_.Commit();
  committed_ = true;
}

RowChunks::RowChunks(const TableSchema& schema) : schema_(schema) {
  chunk_.Initialize(duckdb::Allocator::DefaultAllocator(), schema.types);
  batch_.clear();
}

duckdb::DataChunk& RowChunks::take() {
  chunk_.Reset();
  for (size_t c = 0; c < schema_.types.size(); ++c)
    decode_column(schema_, c, batch_, nullptr, batch_.size(), chunk_.data[c]);
  chunk_.SetCardinality(batch_.size());
  batch_.clear();
  return chunk_;
}

NativeAppend::NativeAppend(duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, const TableSchema& schema)
    : entry_(entry), context_(context), rows_(schema) {}

void NativeAppend::append(duckdb::DataChunk& chunk) {
  auto& table = entry_.GetStorage();
  if (!std::exchange(begun_, true)) table.InitializeLocalAppend(state_, entry_, context_, kNoConstraints);
  table.LocalAppend(state_, context_, chunk, false);
}

void NativeAppend::add(duckdb::DataChunk& chunk) {
  if (!rows_.empty()) append(rows_.take());
  append(chunk);
}

void NativeAppend::finish() {
  if (!rows_.empty()) append(rows_.take());
  if (begun_) entry_.GetStorage().FinalizeLocalAppend(state_);
}

bool fill_table(table::Database& database, txn::Transaction& transaction, const TableSchema& schema,
                duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, Effort effort,
                const std::vector<FillRange>& ranges, const KeyPlaces& places, const std::function<bool()>& stop,
                std::vector<KeyPlaces::Run>* runs) {
  auto& table = entry.GetStorage();
  // A range is one part to be filled beside others, or several, or is read here.
  std::vector<Part> parts;
  std::vector<size_t> parts_of;
  for (const FillRange& range : ranges) {
    const size_t before = parts.size();
    // Also for one thread: a part is compressed and written before the commit, which others may wait for.
    if (range.rows >= table.GetRowGroupSize() && !entry.ParentCatalog().InMemory()) {
      const size_t most = effort.threads > 1 && range.rows >= 2 * kRowsPerPart
                              ? std::min<size_t>(4 * effort.threads, range.rows / kRowsPerPart)
                              : 1;
      for (auto& one : database.split(*schema.access, range.range, most)) parts.emplace_back().range = std::move(one);
    }
    parts_of.push_back(parts.size() - before);
  }
  if (!parts.empty() && !fill_parts(database, transaction, schema, table, context, places, effort, stop, parts))
    return false;

  auto part = parts.begin();
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (parts_of[i] == 0) {
      NativeAppend append(entry, context, schema);
      Pace pace(effort.paced);
      auto cursor = database.scan(transaction, *schema.access, ranges[i].range, false);
      KeyPlaces::RunWriter keys(places);
      while (cursor->next()) {
        if (keys.keys() % kRowsPerCheck == 0) {
          pace.rest();
          if (stop()) return false;
        }
        append.add(cursor->key(), cursor->row());
        keys.add(cursor->key());
      }
      throw_if_error(cursor->status());
      append.finish();
      runs->push_back(keys.take());
      continue;
    }
    KeyPlaces::Run& run = runs->emplace_back();
    for (const auto end = part + static_cast<ptrdiff_t>(parts_of[i]); part != end; ++part) {
      if (stop()) return false;
      if (part->rows->collection->GetTotalRows() == 0) continue;
      const bool whole = part->rows->collection->GetTotalRows() >= table.GetRowGroupSize();
      run.append(std::move(part->keys));
      if (whole) {
        table.LocalMerge(context, *part->rows);
        table.GetOptimisticWriter(context).Merge(*part->writer);
        continue;
      }
      NativeAppend append(entry, context, schema);
      for (auto& chunk : part->rows->collection->Chunks(duckdb::DuckTransaction::Get(context, entry.ParentCatalog())))
        append.add(chunk);
      append.finish();
    }
  }
  return true;
}

}  // namespace omendb::sql
