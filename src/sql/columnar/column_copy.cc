#include "sql/columnar/column_copy.h"

#include <algorithm>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/duck_table_entry.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/parser/parsed_data/drop_info.hpp"
#include "duckdb/planner/constraints/bound_check_constraint.hpp"
#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/table/append_state.hpp"
#include "duckdb/storage/table/delete_state.hpp"
#include "duckdb/transaction/meta_transaction.hpp"

#include "sql/engine/row_decoder.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

using duckdb::DatabaseModificationType;

constexpr uint64_t kRowsPerCheck = 4096;

// A dropped table's name is taken until no transaction sees it any more, so no name is used twice.
std::atomic<uint64_t> g_copies{0};

/// A DuckDB transaction that writes the copies' database; rolled back unless committed.
class NativeWrite {
 public:
  NativeWrite(duckdb::AttachedDatabase& attached, DatabaseModificationType modification) : connection_(attached.GetDatabase()) {
    connection_.BeginTransaction();
    duckdb::MetaTransaction::Get(context()).ModifyDatabase(attached, modification);
  }
  ~NativeWrite() {
    if (committed_) return;
    try {
      connection_.Rollback();
    } catch (...) {
      // The transaction is gone in any case.
    }
  }
  duckdb::ClientContext& context() { return *connection_.context; }
  void commit() {
    connection_.Commit();
    committed_ = true;
  }

 private:
  duckdb::Connection connection_;
  bool committed_ = false;
};

const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> kNoConstraints;

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

/// Rows on their way into a native table.
class NativeAppend {
 public:
  NativeAppend(duckdb::TableCatalogEntry& entry, duckdb::ClientContext& context, const TableSchema& schema)
      : table_(entry.GetStorage()), context_(context), schema_(schema) {
    table_.InitializeLocalAppend(state_, entry, context, kNoConstraints);
    chunk_.Initialize(duckdb::Allocator::DefaultAllocator(), schema.types);
    batch_.clear();
  }
  void add(std::string_view key, std::string_view row) {
    batch_.add(key, row);
    if (batch_.size() == STANDARD_VECTOR_SIZE) flush();
  }
  void finish() {
    if (batch_.size() > 0) flush();
    table_.FinalizeLocalAppend(state_);
  }

 private:
  void flush() {
    chunk_.Reset();
    for (size_t c = 0; c < schema_.types.size(); ++c) {
      decode_column(schema_, c, batch_, nullptr, batch_.size(), chunk_.data[c]);
    }
    chunk_.SetCardinality(batch_.size());
    table_.LocalAppend(state_, context_, chunk_, false);
    batch_.clear();
  }

  duckdb::DataTable& table_;
  duckdb::ClientContext& context_;
  const TableSchema& schema_;
  duckdb::LocalAppendState state_;
  duckdb::DataChunk chunk_;
  RowBatch batch_;
};

}  // namespace

ColumnCopy::ColumnCopy(duckdb::AttachedDatabase& attached, std::shared_ptr<const TableSchema> schema,
                       std::shared_ptr<txn::ChangeLog> log)
    : attached_(attached),
      schema_(std::move(schema)),
      log_(std::move(log)),
      name_("t" + std::to_string(schema_->table().storage.value) + "_" + std::to_string(++g_copies)),
      places_({schema_->access->fixed_key_bytes()}) {}

std::shared_ptr<ColumnCopy> ColumnCopy::build(table::Database& database, duckdb::AttachedDatabase& attached,
                                              std::shared_ptr<const TableSchema> schema, const std::atomic<bool>& stop) {
  const auto access = schema->access;
  auto log = database.watch_changes(*access);
  std::shared_ptr<ColumnCopy> copy(new ColumnCopy(attached, std::move(schema), std::move(log)));
  auto transaction = database.begin(txn::Isolation::kRepeatableRead, true);
  database.begin_statement(*transaction);

  NativeWrite write(attached, DatabaseModificationType::INSERT_DATA | DatabaseModificationType::CREATE_CATALOG_ENTRY);
  auto info = duckdb::make_uniq<duckdb::CreateTableInfo>(attached.GetName(), DEFAULT_SCHEMA, copy->name_);
  for (size_t i = 0; i < copy->schema_->types.size(); ++i) {
    info->columns.AddColumn(duckdb::ColumnDefinition(copy->schema_->names[i], copy->schema_->types[i]));
  }
  attached.GetCatalog().CreateTable(write.context(), std::move(info));

  NativeAppend append(*copy->entry(write.context()), write.context(), *copy->schema_);
  auto cursor = database.scan(*transaction, *access, {}, false);
  uint64_t rows = 0;
  const bool ascending = copy->places_.bulk_load([&](std::string_view* key, index::Payload* place) {
    if (rows % kRowsPerCheck == 0 && stop) return false;
    if (!cursor->next()) return false;
    *key = cursor->key();
    *place = rows++;
    append.add(*key, cursor->row());
    return true;
  });
  throw_if_error(cursor->status());
  CHECK(ascending);
  if (stop) return nullptr;
  append.finish();
  write.commit();
  copy->rows_ = copy->native_rows_ = rows;
  copy->watermark_ = transaction->snapshot().value;
  database.rollback(*transaction);
  return copy;
}

bool ColumnCopy::fold(table::Database& database, txn::Transaction& transaction, std::shared_mutex& publish, size_t* folded) {
  const MutexLock lock(fold_mutex_);
  *folded = 0;
  const Timestamp from = watermark(), to = transaction.snapshot();
  if (to <= from) return true;
  if (log_->last() <= from && log_->from() <= from) {
    watermark_.store(to.value, std::memory_order_release);
    return true;
  }
  std::vector<std::string> keys;
  if (!log_->read(from, to, [&](std::string_view key, Timestamp) { keys.emplace_back(key); })) return false;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.empty()) {
    watermark_.store(to.value, std::memory_order_release);
    return true;
  }

  NativeWrite write(attached_, DatabaseModificationType::INSERT_DATA | DatabaseModificationType::DELETE_DATA);
  auto* found = this->entry(write.context());
  if (found == nullptr) return false;  // somebody has dropped it meanwhile
  auto& entry = *found;
  auto& table = entry.GetStorage();
  const uint64_t first_new = table.GetTotalRows();
  require(first_new == native_rows_, "native rows are not those noted");

  duckdb::Vector ids(duckdb::LogicalType::ROW_TYPE);
  auto* id = duckdb::FlatVector::GetData<duckdb::row_t>(ids);
  auto deletion = table.InitializeDelete(entry, write.context(), kNoConstraints);
  size_t ids_held = 0;
  uint64_t gone = 0, come = 0;
  const auto flush = [&] {
    if (ids_held > 0) require(table.Delete(*deletion, write.context(), ids, ids_held) == ids_held, "a place without its row");
    ids_held = 0;
  };
  for (const auto& key : keys) {
    const auto place = places_.find(key);
    if (!place) continue;
    id[ids_held++] = static_cast<duckdb::row_t>(*place);
    ++gone;
    if (ids_held == STANDARD_VECTOR_SIZE) flush();
  }
  flush();

  NativeAppend append(entry, write.context(), *schema_);
  std::vector<bool> there(keys.size());
  std::string row;
  for (size_t i = 0; i < keys.size(); ++i) {
    there[i] = value_or_throw(database.get(transaction, *schema_->access, keys[i], &row));
    if (!there[i]) continue;
    ++come;
    append.add(keys[i], row);
  }
  append.finish();

  {
    const std::unique_lock published(publish);
    write.commit();
    uint64_t place = first_new;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (there[i]) places_.upsert(keys[i], place++);
      else places_.erase(keys[i]);
    }
    rows_ += come - gone;
    native_rows_ += come;
    watermark_.store(to.value, std::memory_order_release);
  }
  require(table.GetTotalRows() == native_rows_, "native rows are not those noted");
  *folded = keys.size();
  return true;
}

bool ColumnCopy::fits(const TableSchema& schema) const {
  if (schema.types != schema_->types) return false;
  if (!schema.has_missing && !schema_->has_missing) return true;
  const auto& mine = schema_->table().columns;
  const auto& theirs = schema.table().columns;
  for (size_t i = 0; i < mine.size(); ++i) {
    if (mine[i].missing.has_value() != theirs[i].missing.has_value()) return false;
    if (mine[i].missing && !same_value(mine[i].physical.kind, mine[i].missing->view(), theirs[i].missing->view())) return false;
  }
  return true;
}

std::optional<int64_t> ColumnCopy::place(std::string_view key) const {
  const auto found = places_.find(key);
  if (!found) return std::nullopt;
  return static_cast<int64_t>(*found);
}

duckdb::TableCatalogEntry* ColumnCopy::entry(duckdb::ClientContext& context) const {
  return attached_.GetCatalog()
      .GetEntry<duckdb::TableCatalogEntry>(context, DEFAULT_SCHEMA, name_, duckdb::OnEntryNotFound::RETURN_NULL)
      .get();
}

void ColumnCopy::destroy() {
  NativeWrite write(attached_, DatabaseModificationType::DROP_CATALOG_ENTRY);
  if (entry(write.context()) == nullptr) return;
  duckdb::DropInfo drop;
  drop.type = duckdb::CatalogType::TABLE_ENTRY;
  drop.catalog = attached_.GetName();
  drop.schema = DEFAULT_SCHEMA;
  drop.name = name_;
  attached_.GetCatalog().DropEntry(write.context(), drop);
  write.commit();
}

Status ColumnCopy::verify(table::Database& database, txn::Transaction& transaction) {
  const MutexLock lock(fold_mutex_);
  const auto wrong = [&](const std::string& what) { return Status(SqlState::kIndexCorrupted, "copy of table \"" + schema_->table().name + "\" in columns: " + what); };
  duckdb::Connection connection(attached_.GetDatabase());
  auto result = connection.Query("SELECT rowid, * FROM \"" + attached_.GetName() + "\"." DEFAULT_SCHEMA "." + name_);
  if (result->HasError()) return wrong(result->GetError());
  uint64_t rows = 0;
  RowBatch batch;
  duckdb::DataChunk expected;
  expected.Initialize(duckdb::Allocator::DefaultAllocator(), schema_->types);
  while (auto chunk = result->Fetch()) {
    if (chunk->size() == 0) break;
    for (size_t i = 0; i < chunk->size(); ++i) {
      const auto rowid = chunk->GetValue(0, i).GetValue<int64_t>();
      const std::string key = duckdb::StringValue::Get(chunk->GetValue(chunk->ColumnCount() - 1, i));
      const auto found = place(key);
      if (!found || *found != rowid) return wrong("a key's place is not its row's");
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
  if (places_.size() != rows) return wrong(std::to_string(places_.size()) + " places for " + std::to_string(rows) + " rows");
  return Status();
}

}  // namespace omendb::sql
