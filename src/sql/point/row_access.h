// Rows of one table by a key path, and the nodes that read them; rows that the session keeps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/engine/row_decoder.h"
#include "sql/point/key_path.h"
#include "sql/point/row_node.h"

namespace omendb::sql {

/// How the rows of a table are found.
struct TableAccessPath {
  std::shared_ptr<const TableSchema> schema;
  std::vector<size_t> columns;  // wanted, in TableSchema's numbering
  KeyPath key;
  size_t index = SIZE_MAX;  // secondary()[index]; SIZE_MAX: the primary key
  bool single = false;      // at most one row a key
  bool everything = false;  // a table of a few rows, read whole
  bool reverse = false;     // ranges: last row first

  /// Less is better: what it costs to read through it, beside rows that another node computes.
  int rank() const;
  static constexpr int kComputedRank = 2;
  duckdb::vector<duckdb::LogicalType> types() const;
  std::string describe() const;
};

/// The best path that the predicates give; nullopt: none that reads few rows.
std::optional<TableAccessPath> find_path(SessionImpl& session, std::shared_ptr<const TableSchema> schema,
                                         std::vector<size_t> columns, const KeyPredicates& predicates);

/// One column of an ORDER BY.
struct OrderedColumn {
  size_t column;  // of the table, in the row layout
  bool descending, nulls_first;
  bool not_null = false;  // rows without a value are not wanted
};
/// A path that yields the table's rows in this order, for reading the first few; nullopt: none.
std::optional<TableAccessPath> find_ordered_path(std::shared_ptr<const TableSchema> schema, std::vector<size_t> columns,
                                                 const KeyPredicates& predicates,
                                                 const std::vector<OrderedColumn>& order);

/// Fetches rows by a path, for one row of the outer chunk after the other.
class RowFetcher {
 public:
  RowFetcher(TableAccessPath path, size_t rows_max) : path_(std::move(path)), rows_max_(rows_max) {}
  const TableAccessPath& path() const { return path_; }
  /// Begins a run over the rows of `outer` (null: one run, no outer row).
  void start(duckdb::DataChunk* outer);
  /// Adds the rows for outer row `row`. False: too many.
  bool fetch(RunContext& context, size_t row);
  size_t size() const { return batch_.size(); }
  /// Decodes what was fetched into `output`, whose vectors have room.
  void decode(duckdb::DataChunk& output) const;

 private:
  bool fetch_key(RunContext& context, const std::string& key);
  bool fetch_range(RunContext& context, const table::KeyRange& range);

  TableAccessPath path_;
  size_t rows_max_;
  RowBatch batch_;
  std::string key_, row_;
  std::vector<std::string> keys_;
};

NodePtr make_rows(TableAccessPath path, Bindings bindings);
/// The first rows of an ordered path that pass `residual`: as many as `limit` and `offset` (may be null) together.
NodePtr make_first_rows(duckdb::ClientContext& context, TableAccessPath path, Bindings bindings, Expressions residual,
                        duckdb::unique_ptr<duckdb::Expression> limit, duckdb::unique_ptr<duckdb::Expression> offset);

/// Rows of a collection that the session keeps (omen_rows), the columns at `columns` of it.
NodePtr make_collection(int64_t number, std::vector<size_t> columns, Bindings bindings,
                        duckdb::vector<duckdb::LogicalType> types);

}  // namespace omendb::sql
