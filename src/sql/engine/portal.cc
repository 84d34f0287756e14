#include "sql/engine/portal.h"

#include <algorithm>

#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/counting_sink.h"
#include "sql/engine/neighbourhood.h"
#include "sql/engine/route_counters.h"
#include "sql/engine/utility.h"
#include "sql/engine/vectors.h"
#include "sql/point/point_plan.h"

namespace omendb::sql {
namespace {

void append_rows(const std::vector<ColumnDescription>& descriptions, const std::vector<types::ColumnView>& columns,
                 size_t count, ChunkBuffer* buffer) {
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& column : descriptions) types.push_back(duck_type(column.type, column.physical));
  if (types.empty()) types.push_back(duckdb::LogicalType::BOOLEAN);  // rows without columns are counted all the same
  auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
  chunk->Initialize(duckdb::Allocator::DefaultAllocator(), types, std::max<size_t>(count, STANDARD_VECTOR_SIZE));
  for (size_t c = 0; c < columns.size(); ++c) {
    for (size_t i = 0; i < count; ++i) store_value(chunk->data[c], i, columns[c].physical, columns[c].at(i));
  }
  chunk->SetCardinality(count);
  buffer->append(*chunk);
}

void check_read_only(SessionImpl& session, const AnalyzedQuery& query) {
  const char* command = nullptr;
  switch (query.kind) {
    case QueryKind::kSelect: command = query.row_marks.empty() ? nullptr : "SELECT FOR UPDATE"; break;
    case QueryKind::kInsert: command = "INSERT"; break;
    case QueryKind::kUpdate: command = "UPDATE"; break;
    case QueryKind::kDelete: command = "DELETE"; break;
    case QueryKind::kMerge: command = "MERGE"; break;
  }
  if (command != nullptr && session.transaction().read_only()) {
    const auto* target = session.current_catalog()->find<catalog::Table>(query.target);
    if (target == nullptr || target->persistence != 't') session.check_writable(command);
  }
  for (const auto& cte : query.modifying_ctes) check_read_only(session, cte);
}

/// Rows on their way to the client.
class Sent final : public RowTarget {
 public:
  Sent(bool returns_rows, const std::vector<ColumnDescription>& columns, RowSink& sink)
      : returns_rows_(returns_rows), columns_(columns), sink_(sink) {}
  bool chunk(duckdb::DataChunk& chunk) override {
    count_ += chunk.size();
    if (returns_rows_) send_chunk(chunk, columns_, sink_);
    return true;
  }
  void rows(const std::vector<types::ColumnView>& columns, size_t count) override {
    count_ += count;
    if (returns_rows_) throw_if_error(sink_.rows(columns, count));
  }
  uint64_t count() const { return count_; }

 private:
  const bool returns_rows_;
  const std::vector<ColumnDescription>& columns_;
  RowSink& sink_;
  uint64_t count_ = 0;
};

/// Rows to be fetched later.
class Kept final : public RowTarget {
 public:
  Kept(ChunkBuffer& buffer, const std::vector<ColumnDescription>& columns) : buffer_(buffer), columns_(columns) {}
  bool chunk(duckdb::DataChunk& chunk) override {
    buffer_.append(chunk);
    return true;
  }
  void rows(const std::vector<types::ColumnView>& columns, size_t count) override {
    append_rows(columns_, columns, count, &buffer_);
  }

 private:
  ChunkBuffer& buffer_;
  const std::vector<ColumnDescription>& columns_;
};

}  // namespace

void send_chunk(duckdb::DataChunk& chunk, const std::vector<ColumnDescription>& columns, RowSink& sink) {
  if (chunk.size() == 0) return;
  std::vector<types::ColumnView> views;
  views.reserve(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    views.push_back(column_view(chunk.data[i], chunk.size(), columns[i].type, columns[i].typmod, columns[i].physical));
  }
  throw_if_error(sink.rows(views, chunk.size()));
}

void TextRows::send(RowSink& sink) const {
  constexpr size_t kBatch = 1024;
  for (size_t first = 0; first < rows_.size(); first += kBatch) {
    const size_t count = std::min(kBatch, rows_.size() - first);
    std::vector<std::vector<types::StringRef>> data(columns_, std::vector<types::StringRef>(count));
    std::vector<types::ColumnView> views(columns_);
    for (size_t c = 0; c < columns_; ++c) {
      for (size_t i = 0; i < count; ++i) {
        const std::string& value = rows_[first + i][c];
        const duckdb::string_t text(value.data(), static_cast<uint32_t>(value.size()));
        static_assert(sizeof(text) == sizeof(types::StringRef));
        std::memcpy(&data[c][i], &text, sizeof(text));
      }
      views[c].type = types::oid::kText;
      views[c].data = data[c].data();
    }
    throw_if_error(sink.rows(views, count));
  }
}

void PortalImpl::describe_again() {
  if (statement_->kind != StatementKind::kUtility || !is_cursor_utility(statement_->parsed->node)) return;
  returns_rows_ = describe_cursor_utility(session_, statement_->parsed->node, &columns_);
}

void PortalImpl::make_ready() {
  while (true) {
    if (statement_->lifted && !session_.is_current(*statement_)) {
      statement_ = session_.prepare_or_throw(session_.parse_or_throw(text_).at(0), {});
      parameters_ = Parameters();
    }
    session_.ensure_analyzed(*statement_);
    lock_relations(session_, *statement_->query);
    if (session_.current_catalog()->version() == statement_->catalog_version) return;
  }
}

void PortalImpl::run(RowTarget& target) {
  make_ready();
  PreparedStatement& statement = *statement_;
  const bool same_shape = statement.columns.size() == columns_.size() &&
                          std::equal(columns_.begin(), columns_.end(), statement.columns.begin(),
                                     [](const ColumnDescription& a, const ColumnDescription& b) {
                                       return a.type == b.type && a.typmod == b.typmod;
                                     });
  if (!same_shape) throw result_type_changed();
  const auto query = statement.query;  // stays alive if the statement is analysed again
  take_current_key();
  check_read_only(session_, *query);
  session_.next_command();

  if (!statement.point_tried) {
    statement.point_tried = true;
    statement.point = PointPlan::try_create(session_, query, parameters_);
  }
  if (statement.point != nullptr) {
    const RouteTimer timer;
    if (statement.point->execute(session_, parameters_, target, &affected_)) {
      timer.done(statement.point->route());
      return;
    }
  }
  affected_ =
      execute_query(session_, *query, parameters_, [&](duckdb::DataChunk& chunk) { return target.chunk(chunk); });
}

std::string PortalImpl::tag(uint64_t sent) const {
  switch (statement_->query->kind) {
    case QueryKind::kSelect: return "SELECT " + std::to_string(sent);
    case QueryKind::kInsert: return "INSERT 0 " + std::to_string(affected_);
    case QueryKind::kUpdate: return "UPDATE " + std::to_string(affected_);
    case QueryKind::kDelete: return "DELETE " + std::to_string(affected_);
    case QueryKind::kMerge: return "MERGE " + std::to_string(affected_);
  }
  return "";
}

Result<Portal::Progress> PortalImpl::execute(uint64_t max_rows, RowSink& sink) {
  const SessionImpl::StatementScope scope(session_);
  session_.neighbours().note_statement(statement_->text(), statement_->kind == StatementKind::kUtility);
  try {
    session_.check_not_failed(statement_->parsed.get());
    Progress progress = execute_or_throw(max_rows, sink);
    if (progress.complete) session_.stop_clock();
    return progress;
  } catch (...) {
    done_ = true;
    const std::string text(text_.empty() ? statement_->text() : text_);
    Status status = session_.fail_with_current_exception(text);
    return status;
  }
}

Portal::Progress PortalImpl::execute_or_throw(uint64_t max_rows, RowSink& sink) {
  Progress progress;
  if (statement_->kind == StatementKind::kEmpty) {
    progress.empty_query = true;
    return progress;
  }
  if (statement_->kind == StatementKind::kUtility) {
    if (done_) throw SqlError(SqlState::kObjectNotInPrerequisiteState, "portal \"\" cannot be run");
    if (started_) return execute_rest(max_rows, sink);
    if (returns_rows_ && max_rows > 0) {
      // The rows of a utility statement are few; they are kept and handed out as asked for.
      started_ = true;
      ChunkBufferSink keep(session_, columns_);
      utility_tag_ = run_utility(session_, *statement_, parameters_, keep);
      rows_ = keep.take();
      return execute_rest(max_rows, sink);
    }
    done_ = true;
    // Rows of a cursor that was not there yet when the portal was bound have no description.
    CountingSink forgotten;
    progress.tag = run_utility(session_, *statement_, parameters_, returns_rows_ ? sink : forgotten);
    return progress;
  }

  if (max_rows == 0 && !started_) {
    if (done_) {
      if (!statement_->returns_rows)
        throw SqlError(SqlState::kObjectNotInPrerequisiteState, "portal \"\" cannot be run");
      progress.tag = tag(0);
      return progress;
    }
    done_ = true;
    Sent sent(statement_->returns_rows, columns_, sink);
    run(sent);
    progress.tag = tag(sent.count());
    return progress;
  }
  if (!started_ && done_) {
    progress.tag = tag(0);
    return progress;
  }
  materialize();
  return execute_rest(max_rows, sink);
}

Portal::Progress PortalImpl::execute_rest(uint64_t max_rows, RowSink& sink) {
  Progress progress;
  uint64_t sent = 0;
  while (max_rows == 0 || sent < max_rows) {
    if (position_ >= static_cast<int64_t>(rows_->row_count())) {
      position_ = static_cast<int64_t>(rows_->row_count()) + 1;
      break;
    }
    seek(position_ + 1);  // MOVE may have been there since
    size_t count = chunk_->size() - offset_;
    if (max_rows != 0) count = std::min<size_t>(count, max_rows - sent);
    send(*chunk_, offset_, count, sink);
    position_ += static_cast<int64_t>(count);
    sent += count;
  }
  if (max_rows != 0 && sent == max_rows) {
    progress.complete = false;
    return progress;
  }
  progress.tag = statement_->kind == StatementKind::kUtility ? utility_tag_ : tag(sent);
  return progress;
}

void PortalImpl::materialize() {
  if (started_) return;
  started_ = true;
  rows_ = std::make_unique<ChunkBuffer>(session_);
  if (statement_->kind == StatementKind::kUtility) {
    ChunkBufferSink keep(session_, columns_);
    utility_tag_ = run_utility(session_, *statement_, parameters_, keep);
    rows_ = keep.take();
    return;
  }
  Kept kept(*rows_, columns_);
  run(kept);
}

void PortalImpl::send(duckdb::DataChunk& chunk, size_t first, size_t count, RowSink& sink) {
  if (count == 0) return;
  if (first == 0 && count == chunk.size()) {
    send_chunk(chunk, columns_, sink);
    return;
  }
  duckdb::DataChunk part;
  part.InitializeEmpty(chunk.GetTypes());
  duckdb::SelectionVector selection(count);
  for (size_t i = 0; i < count; ++i) selection.set_index(i, first + i);
  part.Slice(chunk, selection, count);
  send_chunk(part, columns_, sink);
}

void PortalImpl::seek(int64_t number) {
  if (chunk_ == nullptr || number < chunk_first_) {
    rows_->rewind();
    chunk_ = rows_->next();
    chunk_first_ = 1;
  }
  while (chunk_ != nullptr && number >= chunk_first_ + static_cast<int64_t>(chunk_->size())) {
    chunk_first_ += static_cast<int64_t>(chunk_->size());
    chunk_ = rows_->next();
  }
  CHECK(chunk_ != nullptr);
  offset_ = static_cast<size_t>(number - chunk_first_);
}

void PortalImpl::take_current_key() {
  const char* name = cursor_named(statement_->parsed->node);
  if (name == nullptr) return;
  auto it = session_.portals().find(name);
  if (it == session_.portals().end())
    throw SqlError(SqlState::kInvalidCursorName, std::string("cursor \"") + name + "\" does not exist");
  std::string key = static_cast<PortalImpl&>(*it->second.portal).current_key(name, statement_->query->target);
  const size_t number = statement_->query->parameter_types.size();
  parameters_.types.resize(number);
  parameters_.physical.resize(number);
  parameters_.values.resize(number);
  parameters_.types.back() = types::oid::kBytea;
  parameters_.physical.back() = types::physical_type(types::oid::kBytea, -1);
  parameters_.values.back() = types::Value::of_bytes(std::move(key));
}

std::string PortalImpl::current_key(const std::string& cursor, Oid table) {
  auto refuse = [&](const std::string& what) {
    const auto* object = session_.current_catalog()->find<catalog::Table>(table);
    throw SqlError(SqlState::kInvalidCursorState,
                   "cursor \"" + cursor + "\" " + what + (object == nullptr ? "" : " \"" + object->name + "\""));
  };
  if (statement_->kind != StatementKind::kQuery || statement_->query->kind != QueryKind::kSelect) {
    throw SqlError(SqlState::kInvalidCursorState, "cursor \"" + cursor + "\" is not a SELECT query");
  }
  size_t column = SIZE_MAX;
  if (!statement_->query->row_marks.empty()) {
    for (const RowMark& mark : statement_->query->row_marks) {
      if (mark.table != table) continue;
      if (column != SIZE_MAX) refuse("has multiple FOR UPDATE/SHARE references to table");
      column = mark.key_column;
    }
    if (column == SIZE_MAX) refuse("does not have a FOR UPDATE/SHARE reference to table");
  } else if (key_table_ != table || rows_ == nullptr) {
    refuse("is not a simply updatable scan of table");
  }
  if (position_ < 1 || position_ > static_cast<int64_t>(rows_->row_count())) {
    throw SqlError(SqlState::kInvalidCursorState, "cursor \"" + cursor + "\" is not positioned on a row");
  }
  seek(position_);
  if (column == SIZE_MAX && chunk_->ColumnCount() != columns_.size() + 1)
    refuse("is not a simply updatable scan of table");
  if (column == SIZE_MAX) column = columns_.size();
  const duckdb::Value key = chunk_->GetValue(column, offset_);
  return key.IsNull() ? std::string() : duckdb::StringValue::Get(key);
}

uint64_t PortalImpl::fetch(Direction direction, int64_t count, RowSink* sink, bool scrollable) {
  materialize();
  const auto total = static_cast<int64_t>(rows_->row_count());
  int64_t first = 0, wanted = 0;  // rows first .. first + wanted - 1, or downwards
  bool backward = false;
  switch (direction) {
    case Direction::kForward:
    case Direction::kBackward: {
      backward = direction == Direction::kBackward;
      if (count < 0) {
        backward = !backward;
        count = count == INT64_MIN ? INT64_MAX : -count;
      }
      if (count == 0) {
        first = position_;
        wanted = position_ >= 1 && position_ <= total ? 1 : 0;
        backward = wanted > 0 && sink != nullptr;
        break;
      }
      if (!backward) {
        first = position_ + 1;
        wanted = std::clamp<int64_t>(total - position_, 0, count);
        position_ = wanted < count ? total + 1 : position_ + count;
        if (position_ > total + 1) position_ = total + 1;
      } else {
        first = position_ - 1;
        wanted = std::clamp<int64_t>(position_ - 1, 0, count);
        position_ = wanted < count ? 0 : position_ - count;
      }
      break;
    }
    case Direction::kAbsolute:
    case Direction::kRelative: {
      int64_t target = direction == Direction::kRelative ? position_ + count : count >= 0 ? count : total + 1 + count;
      target = std::clamp<int64_t>(target, 0, total + 1);
      // To read the row again is a step back as well.
      backward = target < position_ || (target == position_ && position_ > 0 && position_ <= total &&
                                        (direction == Direction::kAbsolute || sink != nullptr));
      if (backward && !scrollable) break;
      position_ = target;
      first = target;
      wanted = target >= 1 && target <= total ? 1 : 0;
      break;
    }
  }
  if (backward && !scrollable) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.");
  }
  if (sink == nullptr) return static_cast<uint64_t>(wanted);
  const bool descending = backward && (direction == Direction::kForward || direction == Direction::kBackward);
  for (int64_t done = 0; done < wanted;) {
    seek(descending ? first - done : first + done);
    const size_t take = descending ? 1 : std::min<size_t>(chunk_->size() - offset_, static_cast<size_t>(wanted - done));
    send(*chunk_, offset_, take, *sink);
    done += static_cast<int64_t>(take);
  }
  return static_cast<uint64_t>(wanted);
}

Status ChunkBufferSink::rows(const std::vector<types::ColumnView>& columns, size_t count) {
  return guarded("", [&] { append_rows(columns_, columns, count, buffer_.get()); });
}

}  // namespace omendb::sql
