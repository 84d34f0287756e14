#include "sql/columnar/column_fill.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/optimistic_data_writer.hpp"
#include "duckdb/transaction/duck_transaction.hpp"

#include "base/mutex.h"
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
};

bool fill_part(table::Database& database, txn::Transaction& transaction, const TableSchema& schema, duckdb::DataTable& table,
               duckdb::ClientContext& context, const std::function<bool()>& stop, Part& part) {
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
  auto cursor = database.scan(transaction, *schema.access, part.range, false);
  for (uint64_t rows = 0; cursor->next(); ++rows) {
    if (rows % kRowsPerCheck == 0 && stop()) return false;
    if (chunks.add(cursor->key(), cursor->row())) append();
  }
  throw_if_error(cursor->status());
  if (!chunks.empty()) append();
  collection.FinalizeAppend(duckdb::TransactionData(0, 0), state);
  if (collection.GetTotalRows() >= table.GetRowGroupSize()) {
    part.writer->WriteUnflushedRowGroups(*part.rows);
    part.writer->FinalFlush();
  }
  return true;
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
  for (size_t c = 0; c < schema_.types.size(); ++c) decode_column(schema_, c, batch_, nullptr, batch_.size(), chunk_.data[c]);
  chunk_.SetCardinality(batch_.size());
  batch_.clear();
  return chunk_;
}

NativeAppend::NativeAppend(duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, const TableSchema& schema)
    : table_(entry.GetStorage()), context_(context), rows_(schema) {
  table_.InitializeLocalAppend(state_, entry, context, kNoConstraints);
}

void NativeAppend::flush() { table_.LocalAppend(state_, context_, rows_.take(), false); }

void NativeAppend::finish() {
  if (!rows_.empty()) flush();
  table_.FinalizeLocalAppend(state_);
}

bool fill_table(table::Database& database, txn::Transaction& transaction, const TableSchema& schema, duckdb::TableCatalogEntry& entry,
                duckdb::ClientContext& context, size_t threads, const std::function<bool()>& stop) {
  auto& table = entry.GetStorage();
  std::vector<table::KeyRange> ranges{table::KeyRange{}};
  const uint64_t estimate = database.estimate_rows(*schema.access);
  if (threads > 1 && estimate >= 2 * kRowsPerPart && !entry.ParentCatalog().InMemory()) {
    ranges = database.split(*schema.access, {}, std::min<size_t>(4 * threads, estimate / kRowsPerPart));
  }
  if (ranges.size() == 1) {
    NativeAppend append(entry, context, schema);
    auto cursor = database.scan(transaction, *schema.access, {}, false);
    for (uint64_t rows = 0; cursor->next(); ++rows) {
      if (rows % kRowsPerCheck == 0 && stop()) return false;
      append.add(cursor->key(), cursor->row());
    }
    throw_if_error(cursor->status());
    append.finish();
    return true;
  }

  std::vector<Part> parts(ranges.size());
  for (size_t i = 0; i < parts.size(); ++i) parts[i].range = std::move(ranges[i]);
  std::atomic<size_t> next{0};
  std::atomic<bool> complete{true};
  Mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      for (size_t i = next.fetch_add(1); i < parts.size(); i = next.fetch_add(1)) {
        if (!fill_part(database, transaction, schema, table, context, stop, parts[i])) complete = false;
      }
    } catch (...) {
      next = parts.size();
      const MutexLock lock(mutex);
      error = std::current_exception();
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(threads, parts.size()); ++i) helpers.emplace_back(work);
  work();
  for (auto& helper : helpers) helper.join();
  if (error != nullptr) std::rethrow_exception(error);
  if (!complete) return false;

  for (Part& part : parts) {
    if (part.rows->collection->GetTotalRows() >= table.GetRowGroupSize()) {
      table.LocalMerge(context, *part.rows);
      table.GetOptimisticWriter(context).Merge(*part.writer);
      continue;
    }
    duckdb::LocalAppendState state;
    table.InitializeLocalAppend(state, entry, context, kNoConstraints);
    for (auto& chunk : part.rows->collection->Chunks(duckdb::DuckTransaction::Get(context, entry.ParentCatalog()))) {
      table.LocalAppend(state, context, chunk, false);
    }
    table.FinalizeLocalAppend(state);
  }
  return true;
}

}  // namespace omendb::sql
