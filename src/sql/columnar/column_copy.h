// One table's copy in columns: its native table, and where each key's row stands in it.
//
// On disk it is as old as it was written down last. Before that the store is told to remember which keys change from then on, and
// everything that the copy holds is synced there; so after a crash the file and the keys that changed since give the copy again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/connection.hpp"

#include "base/mutex.h"
#include "sql/columnar/column_changes.h"
#include "sql/columnar/column_file.h"
#include "sql/columnar/column_places.h"
#include "sql/engine/table_schema.h"
#include "txn/change_log.h"

namespace omendb::sql {

struct Effort;  // column_fill.h

/// A read-only transaction at what is committed by now, or one that somebody began.
class ColumnReading {
 public:
  explicit ColumnReading(table::Database& database);
  ColumnReading(table::Database& database, std::unique_ptr<txn::Transaction> transaction)
      : database_(database), transaction_(std::move(transaction)) {}
  ~ColumnReading() { database_.rollback(*transaction_); }
  ColumnReading(const ColumnReading&) = delete;
  ColumnReading& operator=(const ColumnReading&) = delete;
  txn::Transaction& operator*() { return *transaction_; }

 private:
  table::Database& database_;
  const std::unique_ptr<txn::Transaction> transaction_;
};

/// Made by build() or take_up(), then changed by fold() alone. Thread: any, but for what says otherwise.
class ColumnCopy {
 public:
  /// Fills the file at the snapshot of a new transaction. Throws what DuckDB throws, and SqlError. Null: `stop` said so.
  static std::shared_ptr<ColumnCopy> build(table::Database& database, std::unique_ptr<ColumnFile> file,
                                           std::shared_ptr<const TableSchema> schema, const std::string& release,
                                           Effort effort, const std::function<bool()>& stop);
  /// Takes up what the file holds and folds in what has changed since. Null: the file is of no use, or `stop` said so. Throws as build().
  static std::shared_ptr<ColumnCopy> take_up(table::Database& database, std::unique_ptr<ColumnFile> file,
                                             std::shared_ptr<const TableSchema> schema, const std::string& release,
                                             std::shared_mutex& publish, const std::function<bool()>& stop);

  StorageId storage() const { return schema_->table().storage; }
  const TableSchema& schema() const { return *schema_; }
  /// Whether it holds what a scan by `schema` would read: no column is another, nor what older rows have in a column that came later.
  bool fits(const TableSchema& schema) const;
  const txn::ChangeLog& log() const { return *log_; }
  /// Nobody will ask for what was committed up to then, at most the watermark.
  void trim_log(Timestamp up_to) { log_->trim(std::min(up_to, watermark())); }
  Timestamp watermark() const { return Timestamp(watermark_.load(std::memory_order_acquire)); }
  uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }
  /// Native rows that are deleted.
  uint64_t dead() const { return native_rows_.load(std::memory_order_relaxed) - rows(); }
  /// Of the keys' places; own: those that are not DuckDB's buffers.
  uint64_t place_bytes() const { return places_.memory_bytes(); }
  uint64_t own_place_bytes() const { return places_.own_bytes(); }
  bool persistent() const { return file_->persistent(); }
  bool never_written() const { return persistent() && position_.load() == 0; }
  /// Changed rows that the file on disk does not have.
  uint64_t unwritten() const { return unwritten_.load(std::memory_order_relaxed); }

  std::chrono::steady_clock::time_point written_at() const {
    return std::chrono::steady_clock::time_point(written_at_.load());
  }

  /// Changes that a fold up to `ts` would have to look at. SIZE_MAX: it cannot be folded any more.
  size_t pending(Timestamp ts) const { return log_->count(watermark(), ts); }
  enum class Folded {
    kDone,
    kLater,  // the copy is being written down, or is worn(): it stays at its watermark
    kNever,  // the log does not reach back
  };
  /// What a fold did.
  struct FoldCount {
    uint64_t keys = 0, spans = 0;  // looked at; the keys of spans, about, among them
  };
  /// Brings the copy to the transaction's snapshot, if that is later. Holds `publish` for the change itself. Throws what DuckDB
  /// throws; the copy then is to be dropped. `check` (which may be empty) is called now and then while nothing is done yet that could not
  /// be left; what it throws comes out.
  Folded fold(table::Database& database, txn::Transaction& transaction, std::shared_mutex& publish, Effort effort,
              const std::function<void()>& check, FoldCount* folded);
  /// Folds, and puts the copy on disk as it is then. Answers and throws as fold(). Statements read the copy meanwhile, but none folds.
  Folded write_down(table::Database& database, std::shared_mutex& publish, Effort effort);
  /// Keys have come or moved so that their places take less memory when they are packed anew.
  bool places_loose() const { return loose_.load(std::memory_order_relaxed); }
  /// Does that; statements do not fold meanwhile. Where there is no memory for it, the places stay as they are for a while. Thread: one at a time.
  void pack_places(std::shared_mutex& publish);
  /// So many rows are dead, or would be by the next fold, that it costs less to make it anew.
  bool worn() const { return to_be_remade_.load(std::memory_order_relaxed) || is_worn(dead()); }

  /// Native row ids of what is there of the keys. Requires `publish` to be held, in either way. Throws what DuckDB throws for want of memory.
  std::vector<int64_t> places(const ColumnChanges& changes) const;
  /// The native table as the context's transaction sees it.
  duckdb::TableCatalogEntry* entry(duckdb::ClientContext& context) const;
  duckdb::AttachedDatabase& attached() const { return file_->attached(); }
  /// A read of it has failed: it must not be opened again.
  void spoil() { spoiled_ = true; }
  bool spoiled() const { return spoiled_; }
  /// Deletes the file; who reads it goes on. destroy(): and nobody takes the copy's place, so the store need not remember for it.
  void discard() noexcept {
    if (persistent()) ColumnFile::remove(file_->path());
  }
  void destroy(table::Database& database) noexcept;
  /// XX002.
  Status verify(table::Database& database, txn::Transaction& transaction);

 private:
  class Turn;
  enum class Busy : uint8_t { kNo, kFolding, kWriting };

  ColumnCopy(std::unique_ptr<ColumnFile> file, std::shared_ptr<const TableSchema> schema,
             std::shared_ptr<txn::ChangeLog> log, const std::string& release);
  /// Reads the places from the native table. False: `stop` said so.
  bool find_places(const std::function<bool()>& stop);
  uint64_t count_native_rows() const;
  Folded fold_in_turn(table::Database& database, txn::Transaction& transaction, std::shared_mutex& publish,
                      Effort effort, const std::function<void()>& check, FoldCount* folded);
  /// Puts the rows of what changed as the transaction sees them in the place of those that are there.
  void replace(table::Database& database, txn::Transaction& transaction, const ColumnChanges& changes,
               std::shared_mutex& publish, Effort effort, const std::function<void()>& check);
  bool is_worn(uint64_t dead) const;

  const std::unique_ptr<ColumnFile> file_;
  const std::shared_ptr<const TableSchema> schema_;
  const std::shared_ptr<txn::ChangeLog> log_;
  const std::string shape_;
  KeyPlaces places_;
  Mutex turn_mutex_;
  std::condition_variable turn_over_;
  Busy busy_ GUARDED_BY(turn_mutex_) = Busy::kNo;
  std::atomic<uint64_t> watermark_{0}, rows_{0}, native_rows_{0}, unwritten_{0};
  std::atomic<bool> spoiled_{false}, to_be_remade_{false}, loose_{false};
  std::chrono::steady_clock::time_point pack_next_{};
  std::atomic<std::chrono::steady_clock::duration> written_at_{std::chrono::steady_clock::now().time_since_epoch()};
  std::atomic<uint64_t> position_{0};  // from where the store remembers what changed; 0: it does not yet
};

}  // namespace omendb::sql
