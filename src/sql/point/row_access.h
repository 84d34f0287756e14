// Rows of one table by a key path, and the joins of small plans.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/common/enums/join_type.hpp"

#include "sql/engine/row_decoder.h"
#include "sql/point/key_path.h"
#include "sql/point/row_node.h"

namespace omendb::sql {

/// How the rows of a table are found.
struct TableAccessPath {
  std::shared_ptr<const TableSchema> schema;
  std::vector<size_t> columns;       // wanted, in TableSchema's numbering
  KeyPath key;
  size_t index = SIZE_MAX;           // secondary()[index]; SIZE_MAX: the primary key
  bool single = false;               // at most one row a key
  bool everything = false;           // a table of a few rows, read whole
  bool reverse = false;              // ranges: last row first

  /// Less is better: what it costs to read through it.
  int rank() const;
  duckdb::vector<duckdb::LogicalType> types() const;
  std::string describe() const;
};

/// The best path that the predicates give; nullopt: none that reads few rows.
std::optional<TableAccessPath> find_path(SessionImpl& session, std::shared_ptr<const TableSchema> schema, std::vector<size_t> columns,
                                         const KeyPredicates& predicates);

/// One column of an ORDER BY.
struct OrderedColumn {
  size_t column;                     // of the table, in the row layout
  bool descending, nulls_first;
  bool not_null = false;             // rows without a value are not wanted
};
/// A path that yields the table's rows in this order, for reading the first few; nullopt: none.
std::optional<TableAccessPath> find_ordered_path(std::shared_ptr<const TableSchema> schema, std::vector<size_t> columns,
                                                 const KeyPredicates& predicates, const std::vector<OrderedColumn>& order);

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
NodePtr make_collection(int64_t number, std::vector<size_t> columns, Bindings bindings, duckdb::vector<duckdb::LogicalType> types);

/// kInner, kLeft, kSingle (as kLeft; two matches are too many), kSemi, kAnti, kMark (a boolean column behind the left ones).
enum class SmallJoin : uint8_t { kInner, kLeft, kSingle, kSemi, kAnti, kMark };

struct JoinSpec {
  SmallJoin kind = SmallJoin::kInner;
  Expressions residual;              // over the left columns followed by the right ones
  Bindings bindings;                 // of the output
};

/// The inner table's rows are fetched for each row of `left`. Not for kMark.
NodePtr make_lookup_join(duckdb::ClientContext& context, NodePtr left, TableAccessPath path, JoinSpec spec);
/// Rows pair when their keys are equal; where `nulls_match[i]`, a null equals a null. Without keys all rows pair.
NodePtr make_hash_join(duckdb::ClientContext& context, NodePtr left, NodePtr right, Expressions left_keys, Expressions right_keys,
                       std::vector<bool> nulls_match, JoinSpec spec);

/// What a correlated subquery starts from: the distinct rows of `keys` over the rows of a node that runs before.
class DelimSource {
 public:
  DelimSource(duckdb::ClientContext& context, Expressions keys) : keys_(context, std::move(keys)) {}
  void load(duckdb::DataChunk& rows);
  duckdb::DataChunk& chunk() { return chunk_; }
  const duckdb::vector<duckdb::LogicalType>& types() const { return keys_.types(); }

 private:
  Computed keys_;
  duckdb::DataChunk chunk_;
};
/// Runs `left`, loads `source` with it and hands its rows on.
NodePtr make_delim(NodePtr left, std::shared_ptr<DelimSource> source);
NodePtr make_delim_get(std::shared_ptr<DelimSource> source, Bindings bindings);

}  // namespace omendb::sql
