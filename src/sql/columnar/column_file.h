// The DuckDB database that one copy lives in: a file of its own, so that it is written down, damaged and deleted alone.
//
//   DIR/STORAGE-ID.columns    both numbers in hexadecimal; a DuckDB database of two tables
//     rows    the table's columns as TableSchema has them, _key last; deleted rows keep their row ids
//     notes   position ubigint, shape varchar: one row more each time the file is written down, in the same step as the rows
//
// DuckDB writes no log of it, and its own checkpoint replaces what the file holds at one instant. Position P of the last note: whatever
// was committed at or below P is in the rows; commits after P may be. So what a file lacks is among the keys that changed since P.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "duckdb/main/attached_database.hpp"

#include "base/strong_id.h"

namespace omendb::sql {

/// Where a test pulls the plug: called with the name of each step of making, folding, writing down, taking up and dropping a copy.
extern std::atomic<void (*)(const char* step)> column_step_hook;
inline void column_step(const char* step) {
  if (auto* hook = column_step_hook.load(std::memory_order_relaxed)) hook(step);
}

struct ColumnNote {
  Timestamp position;
  std::string shape;  // of the rows, and who wrote them
};

/// Thread: any; write_down() beside no other change.
class ColumnFile {
 public:
  static constexpr const char* kRows = "rows";

  /// An empty database; without a directory it is in memory. Throws what DuckDB throws.
  static std::unique_ptr<ColumnFile> create(duckdb::DatabaseInstance& duck, const std::string& directory,
                                            StorageId storage);
  /// One that is there. Throws what DuckDB throws, for whatever is damaged where it looks.
  static std::unique_ptr<ColumnFile> open(duckdb::DatabaseInstance& duck, const std::string& path);
  /// Of which storage a file of the directory is, by its name.
  static std::optional<StorageId> storage_of(const std::string& path);
  /// Deletes what create() or a killed process left.
  static void remove(const std::string& path) noexcept;

  /// Statements that read it go on; the file stays.
  ~ColumnFile();
  ColumnFile(const ColumnFile&) = delete;
  ColumnFile& operator=(const ColumnFile&) = delete;

  duckdb::AttachedDatabase& attached() const { return *attached_; }
  bool persistent() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  /// As DuckDB's SQL names the table of the rows.
  std::string rows_name() const;
  std::optional<ColumnNote> last_note() const;
  /// The rows as they are now, and the note, on disk and all of it. Requires that there is a path. Throws what DuckDB throws; the database can
  /// then not be read any more.
  void write_down(const ColumnNote& note);

 private:
  ColumnFile(duckdb::DatabaseInstance& duck, std::string path, std::string name);
  std::string notes_name() const;

  duckdb::DatabaseInstance& duck_;
  const std::string path_, name_;
  duckdb::shared_ptr<duckdb::AttachedDatabase> attached_;
};

}  // namespace omendb::sql
