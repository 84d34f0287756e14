// An AnalyzedQuery run.
//
// SELECT streams its chunks. Data-modifying statements run their select to its end first and then apply what it yielded,
// row by row: lock, re-check under READ COMMITTED when the row changed meanwhile, check constraints, write. So a statement
// never meets its own writes, and no cursor is open while the transaction writes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "duckdb/common/types/column/column_data_collection.hpp"

#include "sql/columnar/column_store.h"
#include "sql/engine/session_impl.h"

namespace omendb::sql {

/// Takes a chunk, whose contents it may move away (take_chunk); false: no more are wanted.
using ChunkConsumer = std::function<bool(duckdb::DataChunk&)>;
inline duckdb::unique_ptr<duckdb::DataChunk> take_chunk(duckdb::DataChunk& chunk) {
  auto taken = duckdb::make_uniq<duckdb::DataChunk>();
  taken->Move(chunk);
  return taken;
}

/// What a route lets a statement do with copies in columns.
ColumnStatement::Use use_of_columns(Settings::Route route);

/// Runs a select on the session's DuckDB connection. Throws SqlError.
void run_select(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
                const ChunkConsumer& consumer);

/// 55000 when the query reads a materialized view that has no rows yet.
void refuse_unpopulated(SessionImpl& session, const AnalyzedQuery& query);
/// Locks the relations of `query` as its kind wants, and refuses those that are not populated. May wait.
void lock_relations(SessionImpl& session, const AnalyzedQuery& query);

/// Runs a query whose relations are locked, in the present command. `consumer` gets the rows of SELECT or RETURNING (the
/// first columns of its chunks are the outputs). Returns the number of rows that the command tag tells of a write.
uint64_t execute_query(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                       const ChunkConsumer& consumer);

/// The parts of execute_query in dml.cc and row_marks.cc.
uint64_t execute_write(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                       const ChunkConsumer& consumer);
void execute_locking_select(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                            const ChunkConsumer& consumer);

/// Chunks kept for later: in memory while they are few, then in DuckDB's buffers, which spill.
class ChunkBuffer {
 public:
  explicit ChunkBuffer(SessionImpl& session) : session_(session) {}
  /// Takes the chunk's contents.
  void append(duckdb::DataChunk& chunk);
  uint64_t row_count() const { return rows_; }
  /// The next chunk in order of arrival; nullptr: no more. What it returned stays valid until the next call.
  duckdb::DataChunk* next();
  /// From the first chunk again.
  void rewind();

 private:
  SessionImpl& session_;
  std::vector<duckdb::unique_ptr<duckdb::DataChunk>> chunks_;
  duckdb::unique_ptr<duckdb::ColumnDataCollection> spilled_;
  duckdb::ColumnDataScanState scan_;
  duckdb::DataChunk scanned_;
  bool scanning_ = false;
  size_t next_ = 0;
  uint64_t rows_ = 0;
};

/// The select for one re-check (EvalPlanQual): the item whose "_key" is output `key_column` reads omen_rows(collection) instead
/// of its table. Null: the item could not be found (the key comes out of a subquery).
duckdb::unique_ptr<duckdb::SelectStatement> recheck_select(const duckdb::SelectStatement& select, size_t key_column,
                                                           int64_t collection);

/// Row collections of the engine's own (analysis uses 0, 1 and 100 upwards).
inline constexpr int64_t kRecheckCollection = -1;
/// Fills a collection with one stored row of a table: "c<attnum>", "_key".
void fill_collection(SessionImpl& session, int64_t collection, const TableSchema& schema, std::string_view key,
                     std::string_view row);

/// "(1, null, abc)", of a row's live columns, as error details print it.
std::string describe_row(const SessionImpl& session, const TableSchema& schema, const codec::RowView& row);

}  // namespace omendb::sql
