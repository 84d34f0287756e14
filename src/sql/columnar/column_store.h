// columnar/: tables as columns, for statements that read much of them.
//
// A copy is a native DuckDB table that holds a table's rows as they were at a watermark M, a commit timestamp. The rows stay
// the truth: a copy is made from them, may be dropped at any time, and is brought from M to a later M' by reading the rows of the
// keys that commits in (M, M'] changed (txn/change_log.h) and replacing them by native row id. That is folding.
//
// A statement at snapshot S opens copies so: each is first folded up to S, unless that is too much; then the statement's DuckDB
// transaction is begun and the watermarks are noted, as one step that no fold comes between. Where nothing of the table
// changed between S and M the native table is the answer. Else it is read without the keys that did change, in either
// direction, or that the statement's own transaction has written, and those are read from the rows: the overlay. So every
// isolation level, older snapshots and own writes see what the rows would have given.
//
// A copy outlives the server: from time to time it is written down, and at the next start taken up as of then and folded up with what the
// store tells has changed since. A file that is damaged, of another shape or release, or whose changes the store does not remember is
// deleted. While a copy is written down statements do not fold it, and what it lacks is overlaid.
//
// What copies hold in memory beside DuckDB's buffers, the logs and those places that are not packed in pages, is reserved of DuckDB's memory. Where
// that is short, logs are trimmed to the copies' watermarks, and when it stays short the copy with the most such places is given up; commits never
// wait.
//
//   column_file.h    the file of one copy
//   column_fill.h    rows into a native table, by several threads
//   column_copy.h    one copy: its native table, the place of each key in it, folding, writing down, taking up
//   column_places.h  from a key to its native row id, in little memory; column_pages.h: the bytes of its pages
//   column_changes.h what a fold looks at: keys, and spans of them that loads wrote
//   column_store.h   all copies, what a statement may read of them, the thread that makes and folds them (column_upkeep.cc)
//   column_scan.h    a native scan under omen_scan, without what the overlay hides
//
// Which way a scan goes is decided when it starts (engine/scan.cc), by what its keys and filters would cost on rows.
//
// Invariants
//   1. A copy at M holds exactly the rows that a snapshot M sees, and its places (key -> native row id) are those rows'.
//   2. Watermark, places and the native commit change together, under the publish mutex; an opened statement holds them still.
//   3. A file holds every commit at or below the position it names, and nothing that is not in the store for good.
//   4. Nothing is read from a copy whose log does not reach over (min(S, M), max(S, M)].
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/main/client_context_state.hpp"

#include "base/mutex.h"
#include "sql/columnar/column_policy.h"
#include "sql/engine/table_schema.h"

namespace omendb::sql {

class ColumnCopy;
class ColumnStore;
struct Effort;  // column_fill.h

inline constexpr double kColumnScansWanted = 2;  // of the whole table, until a copy is made unasked
inline constexpr const char* kForgottenChanges = "more was written than its log of changes holds";

/// What a statement must not read from a copy, sorted.
struct ColumnOverlay {
  std::vector<int64_t> hidden;    // native row ids
  std::vector<std::string> keys;  // to be read from the rows
};

/// The copies that one statement may read. Immutable; valid while the statement's DuckDB transaction lasts.
class ColumnSnapshot {
 public:
  struct Table {
    duckdb::TableCatalogEntry* entry = nullptr;
    Timestamp watermark;
    uint64_t rows = 0;  // in the copy at the watermark
    std::shared_ptr<ColumnCopy> copy;
    std::shared_ptr<const ColumnOverlay> overlay;  // null: the copy alone is the answer
  };
  /// Null: this table is read as rows.
  const Table* find(const TableSchema& schema) const;
  bool spoiled() const;
  bool empty() const { return tables_.empty(); }

 private:
  friend class ColumnStore;
  std::unordered_map<uint32_t, Table> tables_;  // by storage id
};

/// What scans ask for the copies: the state of a session's running statement, in its connection's ClientContext.
class ColumnStatement : public duckdb::ClientContextState {
 public:
  static constexpr const char* kKey = "omendb_columns";
  explicit ColumnStatement(ColumnStore& store) : store_(store) {}
  /// Null: the statement that runs on `context` may not read copies.
  static duckdb::shared_ptr<ColumnStatement> of(duckdb::ClientContext& context);
  /// Of the session that has the connection.
  static ColumnStore& store_of(duckdb::ClientContext& context);

  const ColumnSnapshot::Table* find(const TableSchema& schema) const {
    return snapshot_ == nullptr ? nullptr : snapshot_->find(schema);
  }
  std::shared_ptr<const ColumnSnapshot> snapshot() const { return snapshot_; }
  /// Every scan goes to a copy, whatever it would cost on rows.
  bool forced() const { return use_ == Use::kForced; }
  /// Readies the copies of the tables that the statement reads.
  void open(duckdb::ClientContext& context, const std::vector<std::shared_ptr<const TableSchema>>& tables);
  /// Which way a scan goes. Thread: any.
  void note_scan(bool reads_copy) { (reads_copy ? columns_ : rows_) = true; }

  enum class Use : uint8_t { kNone, kWhereItPays, kForced };  // kForced: copies that are missing are made first
  /// Around a statement's planning and running: what it may do with copies, and what it opened.
  class Scope {
   public:
    Scope(duckdb::ClientContext& context, Use use);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    /// A copy that the statement opened could not be read.
    bool spoiled() const;
    /// What the statement, and those in it, did so far: some scan reads a copy, some scan reads rows, copies were there to be read.
    bool columns() const { return statement_->columns_; }
    bool rows() const { return statement_->rows_; }
    bool opened() const { return statement_->opened_; }

   private:
    duckdb::shared_ptr<ColumnStatement> statement_;
    const Use outer_use_;
    const bool outer_columns_, outer_rows_, outer_opened_;
    std::shared_ptr<const ColumnSnapshot> outer_snapshot_;
  };

 private:
  ColumnStore& store_;
  Use use_ = Use::kNone;
  std::atomic<bool> columns_{false}, rows_{false}, opened_{false};
  std::shared_ptr<const ColumnSnapshot> snapshot_;
};

/// Every copy of a database. Thread: any.
class ColumnStore {
 public:
  struct Options {
    std::string directory;             // of the copies' files, and of nothing else; empty: in memory
    std::string release;               // files of another are not taken up
    size_t threads = 1;                // that make a copy; unasked, half of them
    bool stands_back = false;          // what is made and folded unasked leaves processors to others that want them
    uint64_t rows_min = 5000;          // smaller tables are copied at command only
    bool automatic = true;             // tables that are scanned again and again are copied unasked
    size_t places_max = 512ull << 20;  // bytes of keys' places beyond which no table is copied unasked
    size_t reserved_max = SIZE_MAX;    // bytes of DuckDB's memory that places and logs take from statements
    void (*warn)(const std::string& line) = nullptr;  // for the log: why a copy was given up
  };
  /// Throws what DuckDB throws.
  ColumnStore(table::Database& database, duckdb::DatabaseInstance& duck, const Options& options);
  ~ColumnStore();

  /// Readies the copies of `tables` and begins the DuckDB transaction of the statement that runs on `context`. Null: there are none.
  /// Cost: folding what was committed since, about a microsecond a changed key.
  std::shared_ptr<const ColumnSnapshot> open(duckdb::ClientContext& context, txn::Transaction& transaction,
                                             const std::vector<std::shared_ptr<const TableSchema>>& tables,
                                             bool forced);
  /// A scan read `rows` rows of the table for want of a copy.
  void note_scan(const std::shared_ptr<const TableSchema>& schema, uint64_t rows);

  /// Sees to it that there is a copy of the table's committed rows. False: there can be none, for the table's storage is not committed or its
  /// owner wants none, or `stop` said so. Throws SqlError.
  bool build(const catalog::Table& table, const std::function<bool()>& stop = {});
  /// False: there was none.
  bool drop(StorageId storage);
  /// Folds all copies up to what is committed by now; those that are worn are made anew.
  void fold_all();
  /// Returns once the files that were there at the start have been taken up or deleted.
  void await_taken_up();
  /// Puts all copies on disk that have changed since they were.
  void write_all();
  /// Compares every copy with its places and with the rows at its watermark. XX002 with the first difference.
  Status verify();

  struct Counters {
    std::atomic<uint64_t> builds{0}, folds{0}, folded_keys{0}, folded_spans{0}, drops{0}, written{0}, taken_up{0},
        pressed{0};
  };
  Counters& counters() { return counters_; }
  struct CopyStatistics {
    Oid table;
    Timestamp watermark;
    /// What was committed since: changed keys (SIZE_MAX: too many to tell), commits that changed them, the keys' bytes.
    uint64_t lag = 0, lag_commits = 0, lag_bytes = 0;
    uint64_t rows = 0, dead = 0, place_bytes = 0, log_bytes = 0;
  };
  std::vector<CopyStatistics> list();
  /// Sums of these, and the counters, by name.
  std::vector<std::pair<std::string, uint64_t>> statistics();
  const ColumnFailures& failures() const { return failures_; }

 private:
  struct Wish {
    double rows_scanned = 0;  // decayed
    std::shared_ptr<const TableSchema> schema;
  };
  std::shared_ptr<ColumnCopy> find(const TableSchema& schema);
  std::shared_ptr<const ColumnOverlay> overlay(ColumnCopy& copy, txn::Transaction& transaction, bool* readable);
  /// The table as it is committed. Null: no committed table has the storage.
  std::shared_ptr<const TableSchema> committed_schema(StorageId storage);
  /// Sees to it that there is a copy that is not `worn`, which is read until then.
  bool make(std::shared_ptr<const TableSchema> schema, const std::shared_ptr<ColumnCopy>& worn,
            const std::function<bool()>& stop = {});
  void remake(const std::shared_ptr<ColumnCopy>& worn, const std::function<bool()>& stop = {});
  /// Of the calling thread: the worker's, or that of a statement that waits.
  Effort effort() const;
  /// Deletes files that nobody can take up, and notes the others.
  void find_files();
  void take_up_files();
  std::vector<std::shared_ptr<ColumnCopy>> all();
  /// Folds, unless the copy is being written down; a copy that cannot be is dropped, and the answer is false.
  /// `check` may throw 57014, which leaves the copy as it was.
  bool fold_or_drop(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction,
                    const std::function<void()>& check = {});
  bool write_or_drop(const std::shared_ptr<ColumnCopy>& copy);
  /// Folds up to the transaction's snapshot, however long it takes. False: the copy was dropped or made anew.
  bool bring_up(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction);
  /// With a reason, it is a failure that is told.
  void remove(const std::shared_ptr<ColumnCopy>& copy, const char* reason = nullptr);

  // column_upkeep.cc: the worker's
  void work();
  void maintain();
  /// Drops a copy that nobody is to have, folds one that lags, trims its log. False: it is gone.
  bool fold_lagging(const std::shared_ptr<ColumnCopy>& copy);
  /// Asked while a copy is made: looks after the others now and then.
  bool ends_making();
  /// Of all copies' places and logs.
  uint64_t held_bytes();
  /// Counts so many bytes as DuckDB's, who then has less for itself. False: there is not so much.
  bool reserve(uint64_t bytes);
  /// Trims logs, and in the end gives up a copy, when places and logs do not fit into the memory for analytics.
  void keep_to_memory();

  table::Database& database_;
  duckdb::DatabaseInstance& duck_;
  const Options options_;
  std::vector<std::pair<StorageId, std::string>> found_;  // files at the start; the worker's
  Counters counters_;
  ColumnFailures failures_;
  WantedCopies wanted_;  // the worker's, as the next two
  std::chrono::steady_clock::time_point next_look_;
  int pressed_ = 0;  // periods in which memory was short
  std::atomic<uint64_t> reserved_{0};
  std::shared_mutex publish_mutex_;  // shared: a statement opens copies; exclusive: a fold becomes visible

  Mutex mutex_;
  std::unordered_map<uint32_t, std::shared_ptr<ColumnCopy>> copies_ GUARDED_BY(mutex_);  // by storage id
  std::unordered_set<uint32_t> building_ GUARDED_BY(mutex_);                             // or being taken up
  std::unordered_map<uint32_t, Wish> wishes_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  bool taken_up_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> stop_{false};  // ends a copy that is being made
  std::condition_variable wake_, built_;
  std::thread worker_;
};

/// The rule that opens a statement's copies before DuckDB optimises its plan.
void register_column_opening(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
