// What the planner knows about a table's contents: a sample of some thousand rows, taken when a query first plans over the
// table and again when its size has changed. It serves two ends: distinct counts for DuckDB's join order, and the share of rows
// that a range of an index holds, so that an index path is taken when it pays and not tried when it does not.
//
// Estimates only: no answer depends on them. Nothing here is told to DuckDB as a bound of values.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "table/database.h"

namespace omendb::sql {

struct TableStatistics {
  uint64_t rows = 0;                                   // when the sample was taken
  std::vector<uint64_t> distinct;                      // by position in the row layout; 0: unknown
  std::vector<std::vector<std::string>> index_sample;  // by secondary index: sorted key bytes of the sampled rows

  /// Estimated number of rows, of `rows_now`, whose entries in the index lie in `ranges`; UINT64_MAX: unknown.
  uint64_t rows_in(size_t index, const std::vector<table::KeyRange>& ranges, uint64_t rows_now) const;
};

/// The samples of all tables. Thread: any.
class StatisticsCache {
 public:
  /// Null for a small table. Takes the sample when there is none or the table has grown or shrunk by a fifth since.
  /// Cost: a look-up; a new sample some 10 ms. The transaction must have a snapshot. Errors of the store: null.
  std::shared_ptr<const TableStatistics> get(table::Database& database, txn::Transaction& transaction,
                                             const table::TableAccess& access);

 private:
  Mutex mutex_;
  struct Entry {
    std::shared_ptr<const TableStatistics> statistics;
    size_t columns = 0, indexes = 0;  // of the catalog version that it was taken with
  };
  std::unordered_map<uint32_t, Entry> entries_ GUARDED_BY(mutex_);  // by storage id
};

}  // namespace omendb::sql
