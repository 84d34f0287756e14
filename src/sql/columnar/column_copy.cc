#include "sql/columnar/column_copy.h"

#include <algorithm>
#include <chrono>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/duck_table_entry.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/table/delete_state.hpp"

#include "sql/columnar/column_fill.h"
#include "sql/engine/row_decoder.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

using duckdb::DatabaseModificationType;

// Of the meaning of what is in a file, beside what DuckDB's and our own release say. 1: might have row groups without rows, behind which nothing is read.
constexpr const char* kFormat = "2";
// More changes than this share of the rows, and a file is made anew sooner than brought up to date.
constexpr uint64_t kChangesShare = 3, kChangesMin = 100000;
constexpr size_t kKeysPerCheck = 4096;
// Dead native rows, as a share of those alive, beyond which a copy is worn.
constexpr uint64_t kDeadShare = 3, kDeadMin = 100000;
constexpr std::chrono::milliseconds kCheckEvery{10};
constexpr std::chrono::seconds kPackAgain{60};  // after there was no memory for it

/// A copy that is not as it should be costs itself, never the server: the rows still have the answer.
void require(bool holds, const char* what) {
  if (!holds) throw SqlError(SqlState::kIndexCorrupted, std::string("copy in columns: ") + what);
}

bool same_value(types::Physical kind, const types::ValueView& a, const types::ValueView& b) {
  if (a.null || b.null) return a.null == b.null;
  switch (kind) {
    case types::Physical::kBytes: return a.bytes == b.bytes;
    case types::Physical::kInt128:
    case types::Physical::kUuid: return a.wide == b.wide;
    case types::Physical::kInterval: return a.interval == b.interval;
    default: return a.integer == b.integer;  // of reals, the bits
  }
}

void append_value(types::Physical kind, const types::ValueView& value, std::string* out) {
  const auto raw = [&](const auto& field) { out->append(reinterpret_cast<const char*>(&field), sizeof(field)); };
  raw(value.null);
  if (value.null) return;
  switch (kind) {
    case types::Physical::kBytes:
      raw(value.bytes.size());
      out->append(value.bytes);
      break;
    case types::Physical::kInt128:
    case types::Physical::kUuid: raw(value.wide); break;
    case types::Physical::kInterval:
      raw(value.interval.months), raw(value.interval.days), raw(value.interval.micros);
      break;
    default: raw(value.integer);
  }
}

/// Of what fits() compares, and of who writes: files of another shape are of no use.
std::string shape_of(const TableSchema& schema, const std::string& release) {
  std::string text = std::string(kFormat) + "|" + release + "|" + duckdb::DuckDB::SourceID() + "|" +
                     std::to_string(schema.table().storage.value);
  for (size_t i = 0; i < schema.types.size(); ++i) text += "|" + schema.names[i] + " " + schema.types[i].ToString();
  for (const auto& column : schema.table().columns) {
    text.push_back(column.missing ? '+' : '-');
    if (column.missing) append_value(column.physical.kind, column.missing->view(), &text);
  }
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  char shape[33];
  std::snprintf(shape, sizeof(shape), "%016lx%016lx", static_cast<unsigned long>(hash.high64),
                static_cast<unsigned long>(hash.low64));
  return shape;
}

/// A column that was added since gives rows that `schema` cannot read.
bool reads_rows_of(const TableSchema& schema, table::Database& database, txn::Transaction& transaction) {
  const auto catalog = database.catalog(transaction);
  const auto* table = catalog->find<catalog::Table>(schema.table().oid);
  return table != nullptr && table->storage == schema.table().storage &&
         table->columns.size() == schema.table().columns.size();
}

}  // namespace

ColumnReading::ColumnReading(table::Database& database)
    : ColumnReading(database, database.begin(txn::Isolation::kRepeatableRead, true)) {
  database_.begin_statement(*transaction_);
}

// --- One at a time folds or writes down ---

class ColumnCopy::Turn {
 public:
  Turn(ColumnCopy& copy, Busy as, const std::function<void()>& check = {}) : copy_(copy) {
    MutexLock lock(copy_.turn_mutex_);
    while (copy_.busy_ != Busy::kNo) {
      if (as == Busy::kFolding && copy_.busy_ == Busy::kWriting) return;
      lock.wait_for(copy_.turn_over_, kCheckEvery);
      if (check) check();
    }
    copy_.busy_ = as;
    taken_ = true;
  }
  ~Turn() {
    if (!taken_) return;
    const MutexLock lock(copy_.turn_mutex_);
    copy_.busy_ = Busy::kNo;
    copy_.turn_over_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  /// False: the copy is being written down, which may take long.
  bool taken() const { return taken_; }

 private:
  ColumnCopy& copy_;
  bool taken_ = false;
};

// --- Making ---

ColumnCopy::ColumnCopy(std::unique_ptr<ColumnFile> file, std::shared_ptr<const TableSchema> schema,
                       std::shared_ptr<txn::ChangeLog> log, const std::string& release)
    : file_(std::move(file)),
      schema_(std::move(schema)),
      log_(std::move(log)),
      shape_(shape_of(*schema_, release)),
      places_(duckdb::BufferManager::GetBufferManager(file_->attached().GetDatabase()),
              schema_->access->fixed_key_bytes()) {}

std::shared_ptr<ColumnCopy> ColumnCopy::build(table::Database& database, std::unique_ptr<ColumnFile> file,
                                              std::shared_ptr<const TableSchema> schema, const std::string& release,
                                              Effort effort, const std::function<bool()>& stop) {
  auto log = database.watch_changes(*schema->access);
  std::shared_ptr<ColumnCopy> copy(new ColumnCopy(std::move(file), std::move(schema), std::move(log), release));
  auto& attached = copy->file_->attached();
  ColumnReading reading(database);
  std::vector<KeyPlaces::Run> runs;
  {
    NativeWrite write(attached, DatabaseModificationType::INSERT_DATA | DatabaseModificationType::CREATE_CATALOG_ENTRY);
    auto info = duckdb::make_uniq<duckdb::CreateTableInfo>(attached.GetName(), DEFAULT_SCHEMA, ColumnFile::kRows);
    for (size_t i = 0; i < copy->schema_->types.size(); ++i) {
      info->columns.AddColumn(duckdb::ColumnDefinition(copy->schema_->names[i], copy->schema_->types[i]));
    }
    attached.GetCatalog().CreateTable(write.context(), std::move(info));
    column_step("build: begun");
    const FillRange all{{}, database.estimate_rows(*copy->schema_->access)};
    if (!fill_table(database, *reading, *copy->schema_, *copy->entry(write.context()), write.context(), effort, {all},
                    copy->places_, stop, &runs))
      return nullptr;
    column_step("build: filled");
    write.commit();
  }
  column_step("build: committed");
  copy->places_.place_run(&runs[0], 0);
  copy->places_.replace({}, std::move(runs[0]));
  copy->rows_ = copy->places_.size();
  copy->native_rows_ = copy->count_native_rows();
  require(copy->native_rows_ == copy->rows(), "its rows are not those that were written");
  copy->watermark_ = (*reading).snapshot().value;
  copy->unwritten_ = copy->rows();
  return copy;
}

bool ColumnCopy::find_places(const std::function<bool()>& stop) {
  duckdb::Connection connection(file_->attached().GetDatabase());
  auto result = connection.SendQuery("SELECT _key, rowid FROM " + file_->rows_name());
  if (result->HasError()) result->ThrowError();
  duckdb::unique_ptr<duckdb::DataChunk> chunk;
  duckdb::UnifiedVectorFormat keys, ids;
  duckdb::idx_t at = 0;
  std::string_view key;
  uint64_t rows = 0;
  int64_t id = 0;
  const auto next = [&] {
    while (chunk == nullptr || at == chunk->size()) {
      if (stop()) return false;
      chunk = result->Fetch();
      if (chunk == nullptr || chunk->size() == 0) {
        if (result->HasError()) result->ThrowError();
        chunk = nullptr;
        return false;
      }
      chunk->data[0].ToUnifiedFormat(chunk->size(), keys);
      chunk->data[1].ToUnifiedFormat(chunk->size(), ids);
      at = 0;
    }
    const auto& text = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(keys)[keys.sel->get_index(at)];
    key = std::string_view(text.GetData(), text.GetSize());
    id = duckdb::UnifiedVectorFormat::GetData<int64_t>(ids)[ids.sel->get_index(at)];
    ++at, ++rows;
    return true;
  };
  places_.fill([&](std::string_view* to_key, uint64_t* place) {
    if (!next()) return false;
    *to_key = key;
    *place = static_cast<uint64_t>(id);
    return true;
  });
  if (stop()) return false;
  native_rows_ = count_native_rows();
  rows_ = rows;
  loose_ = places_.loose();
  return true;
}

uint64_t ColumnCopy::count_native_rows() const {
  duckdb::Connection connection(file_->attached().GetDatabase());
  connection.BeginTransaction();
  const uint64_t rows = entry(*connection.context)->GetStorage().GetTotalRows();
  connection.Rollback();
  return rows;
}

std::shared_ptr<ColumnCopy> ColumnCopy::take_up(table::Database& database, std::unique_ptr<ColumnFile> file,
                                                std::shared_ptr<const TableSchema> schema, const std::string& release,
                                                std::shared_mutex& publish, const std::function<bool()>& stop) {
  const auto note = file->last_note();
  if (!note || note->position > database.last_commit()) return nullptr;
  auto log = database.watch_changes(*schema->access);
  const Timestamp watched = log->from();
  std::shared_ptr<ColumnCopy> copy(new ColumnCopy(std::move(file), std::move(schema), std::move(log), release));
  if (note->shape != copy->shape_ || !copy->find_places(stop)) return nullptr;
  column_step("take up: places found");
  ColumnReading reading(database);
  if (!reads_rows_of(*copy->schema_, database, *reading)) return nullptr;
  ColumnChanges changes;
  const uint64_t most = std::max(kChangesMin, copy->rows() / kChangesShare);
  const bool known =
      value_or_throw(database.changes_since(*copy->schema_->access, note->position, [&](std::string_view key) {
        if (changes.keys().size() <= most) changes.add(key);
      }));
  if (!known || changes.keys().size() > most || stop()) return nullptr;
  if (!changes.read(*copy->log_, watched, (*reading).snapshot())) return nullptr;
  changes.settle();
  copy->position_ = note->position.value;
  copy->replace(database, *reading, changes, publish, Effort(), {});
  column_step("take up: folded");
  return copy;
}

// --- Folding ---

bool ColumnCopy::is_worn(uint64_t dead) const { return dead > kDeadMin && dead > rows() / kDeadShare; }

ColumnCopy::Folded ColumnCopy::fold(table::Database& database, txn::Transaction& transaction,
                                    std::shared_mutex& publish, Effort effort, const std::function<void()>& check,
                                    FoldCount* folded) {
  *folded = {};
  if (transaction.snapshot() <= watermark()) return Folded::kDone;
  const Turn turn(*this, Busy::kFolding, check);
  if (!turn.taken()) return Folded::kLater;
  return fold_in_turn(database, transaction, publish, effort, check, folded);
}

ColumnCopy::Folded ColumnCopy::fold_in_turn(table::Database& database, txn::Transaction& transaction,
                                            std::shared_mutex& publish, Effort effort,
                                            const std::function<void()>& check, FoldCount* folded) {
  const Timestamp from = watermark(), to = transaction.snapshot();
  if (to <= from) return Folded::kDone;
  if (!reads_rows_of(*schema_, database, transaction)) return Folded::kNever;
  ColumnChanges changes;
  if (log_->last() > from || log_->from() > from) {
    if (!changes.read(*log_, from, to)) return Folded::kNever;
    changes.settle();
  }
  // What is wholly rewritten is made anew, beside what is there.
  uint64_t gone = 0;
  for (const auto& span : changes.spans()) {
    gone += places_.extent(span.first, span.last).keys();
  }
  if (gone > kDeadMin && is_worn(dead() + gone)) {
    to_be_remade_ = true;
    return Folded::kLater;
  }
  replace(database, transaction, changes, publish, effort, check);
  *folded = {changes.count(), changes.spans().size()};
  return Folded::kDone;
}

void ColumnCopy::replace(table::Database& database, txn::Transaction& transaction, const ColumnChanges& changes,
                         std::shared_mutex& publish, Effort effort, const std::function<void()>& check) {
  const Timestamp to = transaction.snapshot();
  if (changes.empty()) {
    watermark_.store(to.value, std::memory_order_release);
    return;
  }
  const auto& keys = changes.keys();
  NativeWrite write(file_->attached(), DatabaseModificationType::INSERT_DATA | DatabaseModificationType::DELETE_DATA);
  auto& entry = *this->entry(write.context());
  auto& table = entry.GetStorage();
  const uint64_t first_new = table.GetTotalRows();
  require(first_new == native_rows_, "native rows are not those noted");

  // What goes. Row ids in ascending order: DuckDB looks for each vector of rows once then.
  std::vector<duckdb::row_t> gone;
  std::vector<FillRange> ranges;
  std::vector<KeyPlaces::Extent> extents;
  for (const auto& span : changes.spans()) {
    extents.push_back(places_.extent(span.first, span.last, [&](uint64_t place) {
      if (check && gone.size() % kKeysPerCheck == 0) check();
      gone.push_back(static_cast<duckdb::row_t>(place));
    }));
    ranges.push_back({span.range(), span.keys});
  }
  KeyPlaces::Finder finder(places_);
  std::vector<std::optional<KeyPlaces::Found>> was(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (check && i % kKeysPerCheck == 0) check();
    if ((was[i] = finder.find(keys[i]))) gone.push_back(static_cast<duckdb::row_t>(was[i]->place));
  }
  std::sort(gone.begin(), gone.end());
  auto deletion = table.InitializeDelete(entry, write.context(), kNoConstraints);
  for (size_t at = 0; at < gone.size(); at += STANDARD_VECTOR_SIZE) {
    const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, gone.size() - at);
    duckdb::Vector ids(duckdb::LogicalType::ROW_TYPE, reinterpret_cast<duckdb::data_ptr_t>(gone.data() + at));
    require(table.Delete(*deletion, write.context(), ids, count) == count, "a place without its row");
  }
  column_step("fold: deleted");

  // What comes.
  std::vector<KeyPlaces::Run> runs;
  const auto stop = [&] {
    if (check) check();
    return false;
  };
  fill_table(database, transaction, *schema_, entry, write.context(), effort, ranges, places_, stop, &runs);
  uint64_t place = first_new;
  for (auto& run : runs) {
    places_.place_run(&run, place);
    place += run.keys();
  }
  const uint64_t of_spans = place - first_new;
  NativeAppend append(entry, write.context(), *schema_);
  std::vector<bool> there(keys.size());
  std::string row;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (check && i % kKeysPerCheck == 0) check();
    there[i] = value_or_throw(database.get(transaction, *schema_->access, keys[i], &row));
    if (there[i]) append.add(keys[i], row);
  }
  append.finish();
  const uint64_t come = of_spans + static_cast<uint64_t>(std::count(there.begin(), there.end(), true));
  column_step("fold: appended");

  {
    const std::unique_lock published(publish);
    write.commit();
    for (size_t i = runs.size(); i-- > 0;) places_.replace(extents[i], std::move(runs[i]));
    for (size_t i = 0; i < keys.size(); ++i) {
      if (there[i])
        places_.put(keys[i], was[i], place++);
      else
        places_.erase(keys[i], was[i]);
    }
    rows_ += come - gone.size();
    native_rows_ += come;
    unwritten_ += keys.size() + of_spans;
    watermark_.store(to.value, std::memory_order_release);
  }
  loose_ = places_.loose();
  require(table.GetTotalRows() == native_rows_, "native rows are not those noted");
  column_step("fold: committed");
}

void ColumnCopy::pack_places(std::shared_mutex& publish) {
  const auto now = std::chrono::steady_clock::now();
  if (now < pack_next_) return;
  const Turn turn(*this, Busy::kWriting);
  try {
    auto packed = places_.pack();
    KeyPlaces::Old old;  // which takes a while to be freed
    const std::unique_lock published(publish);
    old = places_.adopt(std::move(packed));
    loose_ = false;
  } catch (const duckdb::OutOfMemoryException&) {
    pack_next_ = now + kPackAgain;
  }
}

// --- Writing down ---

ColumnCopy::Folded ColumnCopy::write_down(table::Database& database, std::shared_mutex& publish, Effort effort) {
  if (!persistent()) return Folded::kDone;
  const Turn turn(*this, Busy::kWriting);
  const auto& access = *schema_->access;
  // The place first: whatever the fold sees beyond it is told again when the file is taken up.
  const Timestamp position = database.change_position();
  {
    ColumnReading reading(database);
    FoldCount folded;
    if (const Folded done = fold_in_turn(database, *reading, publish, effort, {}, &folded); done != Folded::kDone)
      return done;
    // What the file will hold must be in the store for good before: a copy never knows more than the rows.
    uint64_t kept = 0;
    position_.compare_exchange_strong(kept, position.value);
    throw_if_error(database.keep_changes(access, Timestamp(position_)));
  }
  column_step("write: armed");
  file_->write_down({position, shape_});
  // Until here the file as it was before would be taken up.
  if (position_.exchange(position.value) != position.value) throw_if_error(database.keep_changes(access, position));
  column_step("write: done");
  unwritten_ = 0;
  written_at_ = std::chrono::steady_clock::now().time_since_epoch();
  return Folded::kDone;
}

void ColumnCopy::destroy(table::Database& database) noexcept {
  column_step("drop: begun");
  discard();
  column_step("drop: discarded");
  if (persistent()) (void)database.keep_changes(*schema_->access, Timestamp());
  column_step("drop: forgotten");
}

bool ColumnCopy::fits(const TableSchema& schema) const {
  if (schema.types != schema_->types) return false;
  if (!schema.has_missing && !schema_->has_missing) return true;
  const auto& mine = schema_->table().columns;
  const auto& theirs = schema.table().columns;
  for (size_t i = 0; i < mine.size(); ++i) {
    if (mine[i].missing.has_value() != theirs[i].missing.has_value()) return false;
    if (mine[i].missing && !same_value(mine[i].physical.kind, mine[i].missing->view(), theirs[i].missing->view()))
      return false;
  }
  return true;
}

std::vector<int64_t> ColumnCopy::places(const ColumnChanges& changes) const {
  std::vector<int64_t> result;
  KeyPlaces::Finder finder(places_);
  for (const auto& key : changes.keys()) {
    if (const auto found = finder.find(key)) result.push_back(static_cast<int64_t>(found->place));
  }
  for (const auto& span : changes.spans()) {
    places_.extent(span.first, span.last, [&](uint64_t place) { result.push_back(static_cast<int64_t>(place)); });
  }
  return result;
}

duckdb::TableCatalogEntry* ColumnCopy::entry(duckdb::ClientContext& context) const {
  return file_->attached()
      .GetCatalog()
      .GetEntry<duckdb::TableCatalogEntry>(context, DEFAULT_SCHEMA, ColumnFile::kRows,
                                           duckdb::OnEntryNotFound::THROW_EXCEPTION)
      .get();
}

Status ColumnCopy::verify(table::Database& database, txn::Transaction& transaction) {
  const Turn turn(*this, Busy::kWriting);
  const auto wrong = [&](const std::string& what) {
    return Status(SqlState::kIndexCorrupted, "copy of table \"" + schema_->table().name + "\" in columns: " + what);
  };
  duckdb::Connection connection(file_->attached().GetDatabase());
  auto result = connection.Query("SELECT rowid, * FROM " + file_->rows_name());
  if (result->HasError()) return wrong(result->GetError());
  uint64_t rows = 0;
  KeyPlaces::Finder finder(places_);
  RowBatch batch;
  duckdb::DataChunk expected;
  expected.Initialize(duckdb::Allocator::DefaultAllocator(), schema_->types);
  while (auto chunk = result->Fetch()) {
    if (chunk->size() == 0) break;
    for (size_t i = 0; i < chunk->size(); ++i) {
      const auto rowid = chunk->GetValue(0, i).GetValue<int64_t>();
      const std::string key = duckdb::StringValue::Get(chunk->GetValue(chunk->ColumnCount() - 1, i));
      const auto found = finder.find(key);
      if (!found || found->place != static_cast<uint64_t>(rowid)) return wrong("a key's place is not its row's");
      std::string row;
      auto exists = database.get(transaction, *schema_->access, key, &row);
      if (!exists.ok()) return exists.status();
      if (!exists.value()) return wrong("a row that does not exist");
      batch.clear();
      batch.add(key, row);
      expected.Reset();
      for (size_t c = 0; c < schema_->types.size(); ++c) {
        decode_column(*schema_, c, batch, nullptr, 1, expected.data[c]);
        if (!duckdb::Value::NotDistinctFrom(expected.data[c].GetValue(0), chunk->GetValue(c + 1, i))) {
          return wrong("column " + schema_->names[c] + " differs from the row");
        }
      }
      ++rows;
    }
  }
  if (rows != this->rows()) return wrong(std::to_string(rows) + " rows, " + std::to_string(this->rows()) + " noted");
  uint64_t in_table = 0;
  const auto cursor = database.scan(transaction, *schema_->access, {}, false);
  while (cursor->next()) ++in_table;
  RETURN_IF_ERROR(cursor->status());
  if (rows != in_table) return wrong(std::to_string(rows) + " rows of the table's " + std::to_string(in_table));
  if (places_.size() != rows)
    return wrong(std::to_string(places_.size()) + " places for " + std::to_string(rows) + " rows");
  return Status();
}

}  // namespace omendb::sql
