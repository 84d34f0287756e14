// One table's copy in columns: its native table, and where each key's row stands in it.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/connection.hpp"

#include "base/mutex.h"
#include "index/index.h"
#include "sql/engine/table_schema.h"
#include "txn/change_log.h"

namespace omendb::sql {

/// Made by build(), then changed by fold() alone. Thread: any, but for what says otherwise.
class ColumnCopy {
 public:
  /// Makes the native table at the snapshot of a new transaction. Throws what DuckDB throws, and SqlError. Null: `stop` was set.
  static std::shared_ptr<ColumnCopy> build(table::Database& database, duckdb::AttachedDatabase& attached,
                                           std::shared_ptr<const TableSchema> schema, const std::atomic<bool>& stop);

  StorageId storage() const { return schema_->table().storage; }
  const TableSchema& schema() const { return *schema_; }
  /// Whether it holds what a scan by `schema` would read: no column is another, nor what older rows have in a column that came later.
  bool fits(const TableSchema& schema) const;
  const txn::ChangeLog& log() const { return *log_; }
  Timestamp watermark() const { return Timestamp(watermark_.load(std::memory_order_acquire)); }
  uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }
  /// Native rows that are deleted.
  uint64_t dead() const { return native_rows_.load(std::memory_order_relaxed) - rows(); }
  uint64_t place_bytes() const { return places_.memory_bytes(); }

  /// Changes that a fold up to `ts` would have to look at. SIZE_MAX: it cannot be folded any more.
  size_t pending(Timestamp ts) const { return log_->count(watermark(), ts); }
  /// Brings the copy to the transaction's snapshot, if that is later. Holds `publish` for the change itself. False: the log does not
  /// reach back, or the copy was dropped meanwhile. Returns the number of keys in *folded. Throws what DuckDB throws; the copy then is to be dropped.
  bool fold(table::Database& database, txn::Transaction& transaction, std::shared_mutex& publish, size_t* folded);

  /// Native row id of a key. Requires `publish` to be held, in either way.
  std::optional<int64_t> place(std::string_view key) const;
  /// The native table as the context's transaction sees it; null: it is not there.
  duckdb::TableCatalogEntry* entry(duckdb::ClientContext& context) const;
  /// Drops the native table.
  void destroy();
  /// Requires that no fold runs. XX002.
  Status verify(table::Database& database, txn::Transaction& transaction);

 private:
  ColumnCopy(duckdb::AttachedDatabase& attached, std::shared_ptr<const TableSchema> schema,
             std::shared_ptr<txn::ChangeLog> log);

  duckdb::AttachedDatabase& attached_;
  const std::shared_ptr<const TableSchema> schema_;
  const std::shared_ptr<txn::ChangeLog> log_;
  const std::string name_;
  index::OrderedIndex places_;
  Mutex fold_mutex_;
  std::atomic<uint64_t> watermark_{0}, rows_{0}, native_rows_{0};
};

}  // namespace omendb::sql
