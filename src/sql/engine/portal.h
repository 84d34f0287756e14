// A bound statement being executed: the Portal of session.h.
#pragma once

#include "sql/engine/executor.h"
#include "sql/engine/session_impl.h"

namespace omendb::sql {

class RowTarget;  // point/point_plan.h

class PortalImpl final : public Portal {
 public:
  /// `text`: the statement's own where `statement` is lifted; must outlive the portal.
  PortalImpl(SessionImpl& session, std::shared_ptr<PreparedStatement> statement, Parameters parameters,
             std::string_view text = {})
      : session_(session),
        statement_(std::move(statement)),
        parameters_(std::move(parameters)),
        text_(text),
        columns_(statement_->columns),
        returns_rows_(statement_->returns_rows) {}

  const std::vector<ColumnDescription>& columns() const override { return columns_; }
  bool returns_rows() const override { return returns_rows_; }
  /// FETCH and EXECUTE return what has the name by now, whatever had it when they were prepared.
  void describe_again();
  std::string_view text() const { return text_.empty() ? statement_->text() : text_; }
  Result<Progress> execute(uint64_t max_rows, RowSink& sink) override;

  /// As execute, for callers inside sql/ that have an error handling of their own.
  Progress execute_or_throw(uint64_t max_rows, RowSink& sink);

  // Cursors. Every row is there once one was asked for.
  /// Reads all rows into the portal, so that it can be moved in and outlive its transaction (WITH HOLD).
  void materialize();
  /// FETCH and MOVE: positions the cursor and sends rows to `sink` (null: MOVE). Returns the number of rows passed.
  enum class Direction : uint8_t { kForward, kBackward, kAbsolute, kRelative };
  uint64_t fetch(Direction direction, int64_t count, RowSink* sink, bool scrollable);
  /// The rows' last column is the key of the row of `table` that each is made of.
  void has_key_of(Oid table) { key_table_ = table; }
  /// WHERE CURRENT OF `cursor`, which this is: the key of the row of `table` it stands at. Errors: 24000.
  std::string current_key(const std::string& cursor, Oid table);

 private:
  /// Analysis, locks, and analysis again when the catalog changed while a lock was waited for.
  void make_ready();
  void run(RowTarget& target);
  void take_current_key();
  void send(duckdb::DataChunk& chunk, size_t first, size_t count, RowSink& sink);
  Progress execute_rest(uint64_t max_rows, RowSink& sink);
  std::string tag(uint64_t sent) const;

  SessionImpl& session_;
  std::shared_ptr<PreparedStatement> statement_;
  Parameters parameters_;
  std::string_view text_;
  std::vector<ColumnDescription> columns_;
  bool returns_rows_;
  bool started_ = false, done_ = false;
  uint64_t affected_ = 0;
  std::string utility_tag_;
  std::unique_ptr<ChunkBuffer> rows_;
  duckdb::DataChunk* chunk_ = nullptr;  // of rows_, partly sent
  size_t offset_ = 0;
  Oid key_table_;
  // Cursors: row numbers count from 1; position_ 0 is before the first row, one more than the number of rows after the last.
  /// Makes row `number` (1-based) the one at chunk_ / offset_.
  void seek(int64_t number);
  int64_t position_ = 0;
  int64_t chunk_first_ = 0;  // number of the first row of chunk_
};

/// Sends a chunk's first columns as the views that `columns` describe.
void send_chunk(duckdb::DataChunk& chunk, const std::vector<ColumnDescription>& columns, RowSink& sink);

/// A RowSink that keeps what it gets.
class ChunkBufferSink final : public RowSink {
 public:
  ChunkBufferSink(SessionImpl& session, const std::vector<ColumnDescription>& columns)
      : columns_(columns), buffer_(std::make_unique<ChunkBuffer>(session)) {}
  Status rows(const std::vector<types::ColumnView>& columns, size_t count) override;
  std::unique_ptr<ChunkBuffer> take() { return std::move(buffer_); }

 private:
  const std::vector<ColumnDescription>& columns_;
  std::unique_ptr<ChunkBuffer> buffer_;
};

/// Rows made of text values, for SHOW and its kin: every column is text.
class TextRows {
 public:
  explicit TextRows(size_t columns) : columns_(columns) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  size_t size() const { return rows_.size(); }
  void send(RowSink& sink) const;

 private:
  size_t columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace omendb::sql
