// Rows on their way into a copy's native table.
#pragma once

#include <functional>

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/connection.hpp"
#include "duckdb/storage/table/append_state.hpp"
#include "duckdb/transaction/meta_transaction.hpp"

#include "sql/columnar/column_places.h"
#include "sql/engine/row_decoder.h"
#include "sql/engine/table_schema.h"

namespace omendb::sql {

/// A DuckDB transaction that writes a copy's database; rolled back unless committed.
class NativeWrite {
 public:
  NativeWrite(duckdb::AttachedDatabase& attached, duckdb::DatabaseModificationType modification);
  ~NativeWrite();
  duckdb::ClientContext& context() { return *connection_.context; }
  void commit();

 private:
  duckdb::Connection connection_;
  bool committed_ = false;
};

extern const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> kNoConstraints;

/// Collects rows into chunks of the native table's columns.
class RowChunks {
 public:
  explicit RowChunks(const TableSchema& schema);
  /// True: the chunk is full and must be taken.
  bool add(std::string_view key, std::string_view row) {
    batch_.add(key, row);
    return batch_.size() == STANDARD_VECTOR_SIZE;
  }
  bool empty() const { return batch_.size() == 0; }
  /// The rows so far. Valid until the next add().
  duckdb::DataChunk& take();

 private:
  const TableSchema& schema_;
  duckdb::DataChunk chunk_;
  RowBatch batch_;
};

/// Rows one after another. Without any it does nothing to the table: DuckDB begins an append with a new row group where it suggests one, and a
/// scan ends at a group without rows. Thread: one at a time.
class NativeAppend {
 public:
  NativeAppend(duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, const TableSchema& schema);
  void add(std::string_view key, std::string_view row) {
    if (rows_.add(key, row)) append(rows_.take());
  }
  /// Rows of the same columns.
  void add(duckdb::DataChunk& chunk);
  void finish();

 private:
  void append(duckdb::DataChunk& chunk);

  duckdb::TableCatalogEntry& entry_;
  duckdb::ClientContext& context_;
  duckdb::LocalAppendState state_;
  bool begun_ = false;
  RowChunks rows_;
};

/// Rows of a range of keys, and about how many they are.
struct FillRange {
  table::KeyRange range;
  uint64_t rows;
};

/// What making or folding a copy may take of the machine. `paced`: each thread leaves most of a processor to others that want it.
struct Effort {
  size_t threads = 1;
  bool paced = false;
};

/// Adds the rows of the ranges that the transaction's statement sees. They stand in the table as in `ranges`, each range's in
/// the order of the keys; *runs gets the keys of each, for `places`. `stop` is asked now and then, by the calling thread; it may throw.
/// False: it said so. Throws what DuckDB throws, and SqlError.
bool fill_table(table::Database& database, txn::Transaction& transaction, const TableSchema& schema,
                duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, Effort effort,
                const std::vector<FillRange>& ranges, const KeyPlaces& places, const std::function<bool()>& stop,
                std::vector<KeyPlaces::Run>* runs);

}  // namespace omendb::sql
