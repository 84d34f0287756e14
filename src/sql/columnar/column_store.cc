#include "sql/columnar/column_store.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/settings.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/transaction/duck_transaction.hpp"

#include "sql/columnar/column_copy.h"
#include "sql/columnar/column_file.h"
#include "sql/columnar/column_fill.h"
#include "sql/engine/scan.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

// A statement folds no more than this before it reads; with more the rows answer and the background catches up.
constexpr size_t kFoldMax = 500000;
constexpr size_t kOverlayMax = 100000;
constexpr auto kPeriod = std::chrono::milliseconds(100);

}  // namespace

// --- What a statement reads ---

const ColumnSnapshot::Table* ColumnSnapshot::find(const TableSchema& schema) const {
  const auto it = tables_.find(schema.table().storage.value);
  return it == tables_.end() ? nullptr : &it->second;
}

bool ColumnSnapshot::spoiled() const {
  return std::any_of(tables_.begin(), tables_.end(), [](const auto& table) { return table.second.copy->spoiled(); });
}

bool ColumnStatement::Scope::spoiled() const {
  return statement_->snapshot_ != nullptr && statement_->snapshot_->spoiled();
}

duckdb::shared_ptr<ColumnStatement> ColumnStatement::of(duckdb::ClientContext& context) {
  auto statement = context.registered_state->Get<ColumnStatement>(kKey);
  return statement != nullptr && statement->use_ != Use::kNone ? statement : nullptr;
}

ColumnStore& ColumnStatement::store_of(duckdb::ClientContext& context) {
  const auto statement = context.registered_state->Get<ColumnStatement>(kKey);
  CHECK(statement != nullptr);
  return statement->store_;
}

void ColumnStatement::open(duckdb::ClientContext& context,
                           const std::vector<std::shared_ptr<const TableSchema>>& tables) {
  snapshot_ = store_.open(context, services(context).transaction(), tables, forced());
  if (snapshot_ != nullptr && !snapshot_->empty()) opened_ = true;
}

ColumnStatement::Scope::Scope(duckdb::ClientContext& context, Use use)
    : statement_(context.registered_state->Get<ColumnStatement>(kKey)),
      outer_use_(statement_->use_),
      outer_columns_(statement_->columns_.exchange(false)),
      outer_rows_(statement_->rows_.exchange(false)),
      outer_opened_(statement_->opened_.exchange(false)),
      outer_snapshot_(std::move(statement_->snapshot_)) {
  statement_->use_ = use;
  statement_->snapshot_ = nullptr;
}

ColumnStatement::Scope::~Scope() {
  statement_->use_ = outer_use_;
  if (outer_columns_) statement_->columns_ = true;
  if (outer_rows_) statement_->rows_ = true;
  if (outer_opened_) statement_->opened_ = true;
  statement_->snapshot_ = std::move(outer_snapshot_);
}

namespace {

constexpr uint64_t kJoinKeysMin = 50, kJoinKeysMax = 20000, kRowsPerJoinKey = 20000;

void collect_scans(duckdb::LogicalOperator& op, std::vector<std::shared_ptr<const TableSchema>>* out) {
  for (auto& child : op.children) collect_scans(*child, out);
  if (op.type != duckdb::LogicalOperatorType::LOGICAL_GET) return;
  auto& get = op.Cast<duckdb::LogicalGet>();
  if (get.function.name == kScanFunction) out->push_back(get.bind_data->Cast<ScanBindData>().schema);
}

/// How many keys a join of these tables may hand to a scan at run time, one by one. On rows each saves reading many; a copy reads a row
/// in less than the key costs, so there only a few are worth it.
uint64_t join_keys(duckdb::ClientContext& context, const ColumnStatement& statement,
                   const std::vector<std::shared_ptr<const TableSchema>>& tables) {
  uint64_t rows = 0;
  for (const auto& schema : tables) {
    if (const auto* copy = statement.find(*schema))
      rows = std::max(rows, copy->rows);
    else if (engine_services(context).database().estimate_rows(*schema->access) > kJoinKeysMax)
      return kJoinKeysMax;
  }
  return std::clamp<uint64_t>(rows / kRowsPerJoinKey, kJoinKeysMin, kJoinKeysMax);
}

void open_copies(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  const auto statement = ColumnStatement::of(input.context);
  uint64_t keys = kJoinKeysMax;
  if (statement != nullptr) {
    if (statement->snapshot() != nullptr) return;  // a part of the statement, planned while it runs
    std::vector<std::shared_ptr<const TableSchema>> tables;
    collect_scans(*plan, &tables);
    if (!tables.empty()) statement->open(input.context, tables);
    if (statement->snapshot() != nullptr) keys = join_keys(input.context, *statement, tables);
  }
  duckdb::ClientConfig::GetConfig(input.context)
      .user_settings.SetUserSetting(duckdb::DynamicOrFilterThresholdSetting::SettingIndex,
                                    duckdb::Value::UBIGINT(keys));
}

}  // namespace

void register_column_opening(duckdb::DatabaseInstance& database) {
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = open_copies;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

// --- The store ---

ColumnStore::ColumnStore(table::Database& database, duckdb::DatabaseInstance& duck, const Options& options)
    : database_(database), duck_(duck), options_(options), failures_(options.warn) {
  if (!options_.directory.empty()) {
    std::filesystem::create_directories(options_.directory);
    duckdb::DBConfig::GetConfig(duck_).AddAllowedDirectory(options_.directory);
    find_files();
  }
  worker_ = std::thread([this] { work(); });
}

ColumnStore::~ColumnStore() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  stop_ = true;
  wake_.notify_all();
  worker_.join();
  write_all();
  reserve(0);
}

// --- Files ---

void ColumnStore::find_files() {
  std::vector<std::string> useless;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, ignored)) {
    const std::string path = entry.path().string();
    const auto storage = ColumnFile::storage_of(path);
    if (storage)
      found_.emplace_back(*storage, path);
    else
      useless.push_back(path);
  }
  for (const auto& path : useless) std::filesystem::remove(path, ignored);
  const MutexLock lock(mutex_);
  for (const auto& [storage, path] : found_) building_.insert(storage.value);
}

std::shared_ptr<const TableSchema> ColumnStore::committed_schema(StorageId storage) {
  ColumnReading reading(database_);
  const auto catalog = database_.catalog(*reading);
  std::shared_ptr<const TableSchema> schema;
  catalog->for_each([&](const catalog::Object& object) {
    const auto* table = std::get_if<catalog::Table>(&object);
    if (table == nullptr || table->storage != storage) return;
    schema = std::make_shared<const TableSchema>(*catalog, std::make_shared<table::TableAccess>(*catalog, *table));
  });
  return schema;
}

void ColumnStore::take_up_files() {
  std::unordered_set<uint32_t> taken;
  for (const auto& [storage, path] : found_) {
    std::shared_ptr<ColumnCopy> copy;
    try {
      const auto schema = stop_ || taken.contains(storage.value) ? nullptr : committed_schema(storage);
      if (schema != nullptr) {
        copy = ColumnCopy::take_up(database_, ColumnFile::open(duck_, path), schema, options_.release, publish_mutex_,
                                   [&] { return stop_.load(); });
      }
    } catch (...) {
      // Damaged, in whatever way.
    }
    if (copy == nullptr && !stop_) ColumnFile::remove(path);
    const MutexLock lock(mutex_);
    if (copy == nullptr) continue;
    taken.insert(storage.value);
    copies_[storage.value] = copy;
    building_.erase(storage.value);
    ++counters_.taken_up;
    built_.notify_all();
  }
  // What no copy asks for need not be remembered.
  if (!stop_ && !options_.directory.empty()) {
    ColumnReading reading(database_);
    const auto catalog = database_.catalog(*reading);
    catalog->for_each([&](const catalog::Object& object) {
      const auto* table = std::get_if<catalog::Table>(&object);
      if (table != nullptr && !taken.contains(table->storage.value)) {
        (void)database_.keep_changes(table::TableAccess(*catalog, *table), Timestamp());
      }
    });
  }
  const MutexLock lock(mutex_);
  for (const auto& [storage, path] : found_) {
    if (!taken.contains(storage.value)) building_.erase(storage.value);
  }
  taken_up_ = true;
  built_.notify_all();
}

void ColumnStore::await_taken_up() {
  MutexLock lock(mutex_);
  while (!taken_up_) lock.wait(built_);
}

bool ColumnStore::write_or_drop(const std::shared_ptr<ColumnCopy>& copy) {
  try {
    switch (copy->write_down(database_, publish_mutex_, effort())) {
      case ColumnCopy::Folded::kDone: ++counters_.written; return true;
      case ColumnCopy::Folded::kLater: return true;
      case ColumnCopy::Folded::kNever: break;
    }
  } catch (...) {
    // No room on the disk, or none in memory; a copy that was half written down is not to be read.
  }
  remove(copy);
  return false;
}

void ColumnStore::write_all() {
  for (const auto& copy : all()) {
    if (copy->persistent() && (copy->unwritten() > 0 || copy->pending(database_.last_commit()) > 0))
      write_or_drop(copy);
  }
}

// --- Finding, folding, opening ---

std::vector<std::shared_ptr<ColumnCopy>> ColumnStore::all() {
  std::vector<std::shared_ptr<ColumnCopy>> copies;
  const MutexLock lock(mutex_);
  for (const auto& [storage, copy] : copies_) copies.push_back(copy);
  return copies;
}

std::shared_ptr<ColumnCopy> ColumnStore::find(const TableSchema& schema) {
  const MutexLock lock(mutex_);
  const auto it = copies_.find(schema.table().storage.value);
  return it != copies_.end() && !it->second->spoiled() && it->second->fits(schema) ? it->second : nullptr;
}

bool ColumnStore::fold_or_drop(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction,
                               const std::function<void()>& check) {
  ColumnCopy::FoldCount folded;
  bool done = false;
  try {
    done = copy->fold(database_, transaction, publish_mutex_, effort(), check, &folded) != ColumnCopy::Folded::kNever;
  } catch (const duckdb::InterruptException&) {
    throw;
  } catch (const SqlError& error) {
    if (error.info().code == SqlState::kQueryCanceled) throw;
    failures_.note_current_exception(copy->schema().table(), "was dropped");
  } catch (...) {
    // Whatever it was, the rows still have the answer, and the next copy is made from them.
    failures_.note_current_exception(copy->schema().table(), "was dropped");
  }
  if (!done) {
    remove(copy, copy->pending(transaction.snapshot()) == SIZE_MAX ? kForgottenChanges : nullptr);
    return false;
  }
  if (folded.keys > 0) {
    ++counters_.folds;
    counters_.folded_keys += folded.keys;
    counters_.folded_spans += folded.spans;
  }
  if (copy->worn()) wake_.notify_all();
  return true;
}

std::shared_ptr<const ColumnOverlay> ColumnStore::overlay(ColumnCopy& copy, txn::Transaction& transaction,
                                                          bool* readable) {
  *readable = false;
  const Timestamp at = copy.watermark(), snapshot = transaction.snapshot();
  const Timestamp from = std::min(at, snapshot), to = std::max(at, snapshot);
  const bool own = database_.has_own_changes(transaction, *copy.schema().access);
  auto result = std::make_shared<ColumnOverlay>();
  ColumnChanges changes;
  if (from < to && (copy.log().last() > from || copy.log().from() > from)) {
    if (copy.log().count(from, to) > kOverlayMax) return nullptr;
    if (!changes.read(copy.log(), from, to)) return nullptr;
  }
  if (own) {
    uint64_t count = changes.count();
    const bool complete = database_.own_changes(
        transaction, *copy.schema().access,
        [&](std::string_view key) {
          if (++count <= kOverlayMax) changes.add(key);
        },
        [&](const txn::KeySpan& span) {
          if ((count += span.keys) <= kOverlayMax) changes.add(span);
        });
    if (!complete || count > kOverlayMax) return nullptr;
  }
  *readable = true;
  if (changes.empty()) return nullptr;
  changes.settle();
  result->keys = changes.keys();
  try {
    result->hidden = copy.places(changes);
  } catch (const duckdb::OutOfMemoryException&) {
    *readable = false;
    return nullptr;
  }
  for (const auto& span : changes.spans()) {
    auto cursor = database_.scan(transaction, *copy.schema().access, span.range(), false);
    while (cursor->next()) result->keys.emplace_back(cursor->key());
    throw_if_error(cursor->status());
  }
  if (!changes.spans().empty()) std::sort(result->keys.begin(), result->keys.end());
  std::sort(result->hidden.begin(), result->hidden.end());
  return result;
}

std::shared_ptr<const ColumnSnapshot> ColumnStore::open(duckdb::ClientContext& context, txn::Transaction& transaction,
                                                        const std::vector<std::shared_ptr<const TableSchema>>& tables,
                                                        bool forced) {
  std::vector<std::shared_ptr<ColumnCopy>> copies;
  const auto check = [&] { services(context).check_cancelled(); };
  for (const auto& schema : tables) {
    auto copy = find(*schema);
    if (copy == nullptr && forced && build(schema->table(), [&] { return context.interrupted.load(); }))
      copy = find(*schema);
    if (copy == nullptr || std::find(copies.begin(), copies.end(), copy) != copies.end()) continue;
    const size_t pending = copy->pending(transaction.snapshot());
    if (pending == SIZE_MAX) {
      remove(copy, kForgottenChanges);
      continue;
    }
    if (pending <= kFoldMax) {
      ColumnReading reading(database_, database_.begin_beside(transaction));
      if (!fold_or_drop(copy, *reading, check)) continue;
    } else {
      wake_.notify_all();
    }
    copies.push_back(std::move(copy));
  }
  if (copies.empty()) return nullptr;

  auto snapshot = std::make_shared<ColumnSnapshot>();
  const std::shared_lock published(publish_mutex_);
  for (const auto& copy : copies) {
    bool readable = false;
    ColumnSnapshot::Table table;
    table.overlay = overlay(*copy, transaction, &readable);
    if (!readable) continue;
    duckdb::DuckTransaction::Get(context, copy->attached());
    table.entry = copy->entry(context);
    table.copy = copy;
    table.watermark = copy->watermark();
    table.rows = copy->rows();
    snapshot->tables_.emplace(copy->storage().value, std::move(table));
  }
  return snapshot;
}

void ColumnStore::note_scan(const std::shared_ptr<const TableSchema>& schema, uint64_t rows) {
  if (!options_.automatic || rows < options_.rows_min) return;
  const uint32_t storage = schema->table().storage.value;
  if (columns_wanted(schema->table()) == ColumnsWanted::kOff || !failures_.may_try(schema->table().storage)) return;
  bool enough = false;
  {
    const MutexLock lock(mutex_);
    // One of another shape than the table's is nobody's.
    const auto copy = copies_.find(storage);
    if ((copy != copies_.end() && copy->second->fits(*schema)) || building_.contains(storage)) return;
    Wish& wish = wishes_[storage];
    wish.rows_scanned += static_cast<double>(rows);
    wish.schema = schema;
    enough = wish.rows_scanned >= kColumnScansWanted * static_cast<double>(rows);
  }
  if (enough) wake_.notify_all();
}

bool ColumnStore::build(const catalog::Table& table, const std::function<bool()>& stop) {
  // As it is committed: what a transaction has made or changed and not committed is nobody else's.
  auto schema = committed_schema(table.storage);
  if (schema == nullptr || schema->table().oid != table.oid || columns_wanted(schema->table()) == ColumnsWanted::kOff)
    return false;
  return make(std::move(schema), nullptr, stop);
}

bool ColumnStore::make(std::shared_ptr<const TableSchema> schema, const std::shared_ptr<ColumnCopy>& worn,
                       const std::function<bool()>& stop) {
  const StorageId storage = schema->table().storage;
  {
    // Who comes while it is made waits for it.
    MutexLock lock(mutex_);
    while (building_.contains(storage.value)) {
      lock.wait_for(built_, kPeriod);
      lock.unlock();  // `stop` may look after the other copies meanwhile
      const bool stopped = stop_ || (stop && stop());
      lock.lock();
      if (stopped) return false;
    }
    const auto it = copies_.find(storage.value);
    const auto current = it == copies_.end() ? nullptr : it->second;
    if (worn != nullptr && current != worn) return false;
    if (worn == nullptr && current != nullptr && !current->spoiled() && current->fits(*schema)) return true;
    building_.insert(storage.value);
  }
  std::shared_ptr<ColumnCopy> copy, old;
  std::string path;
  const auto leave = [&] {
    if (copy == nullptr) ColumnFile::remove(path);
    const MutexLock lock(mutex_);
    building_.erase(storage.value);
    wishes_.erase(storage.value);
    if (copy != nullptr) {
      ++counters_.builds;
      old = std::exchange(copies_[storage.value], copy);
    }
    built_.notify_all();
  };
  try {
    auto file = ColumnFile::create(duck_, options_.directory, storage);
    path = file->path();
    copy = ColumnCopy::build(database_, std::move(file), schema, options_.release, effort(),
                             [&] { return stop_ || (stop && stop()); });
  } catch (...) {
    failures_.note_current_exception(schema->table(), "could not be made");
    leave();
    throw;
  }
  failures_.forget(storage);
  leave();
  if (old != nullptr) {
    column_step("swap: begun");
    old->discard();
    column_step("swap: discarded");
  }
  return copy != nullptr;
}

bool ColumnStore::drop(StorageId storage) {
  std::shared_ptr<ColumnCopy> copy;
  {
    const MutexLock lock(mutex_);
    const auto it = copies_.find(storage.value);
    if (it == copies_.end()) return false;
    copy = it->second;
  }
  remove(copy);
  return true;
}

void ColumnStore::remove(const std::shared_ptr<ColumnCopy>& copy, const char* reason) {
  {
    const MutexLock lock(mutex_);
    const auto it = copies_.find(copy->storage().value);
    if (it == copies_.end() || it->second != copy) return;
    copies_.erase(it);
  }
  ++counters_.drops;
  if (reason != nullptr) failures_.note(copy->schema().table(), "was dropped", reason);
  copy->destroy(database_);
}

bool ColumnStore::bring_up(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction) {
  while (fold_or_drop(copy, transaction)) {
    if (copy->watermark() >= transaction.snapshot()) return true;
    if (copy->worn()) {
      remake(copy);
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // it is being written down
  }
  return false;
}

void ColumnStore::fold_all() {
  for (const auto& copy : all()) {
    ColumnReading reading(database_);
    bring_up(copy, *reading);
  }
}

Status ColumnStore::verify() {
  for (const auto& copy : all()) {
    ColumnReading reading(database_);
    if (bring_up(copy, *reading)) RETURN_IF_ERROR(copy->verify(database_, *reading));
  }
  return Status();
}

std::vector<ColumnStore::CopyStatistics> ColumnStore::list() {
  std::vector<CopyStatistics> result;
  const Timestamp now = database_.last_commit();
  std::vector<std::shared_ptr<ColumnCopy>> copies;
  {
    const MutexLock lock(mutex_);
    for (const auto& [storage, copy] : copies_) copies.push_back(copy);
  }
  for (const auto& copy : copies) {
    CopyStatistics of{.table = copy->schema().table().oid, .watermark = copy->watermark()};
    of.rows = copy->rows();
    of.dead = copy->dead();
    of.place_bytes = copy->place_bytes();
    of.log_bytes = copy->log().bytes();
    Timestamp last = of.watermark;
    const auto count = [&](uint64_t keys, size_t bytes, Timestamp ts) {
      of.lag += keys;
      of.lag_bytes += bytes;
      if (ts != last) ++of.lag_commits;
      last = ts;
    };
    const bool known = copy->log().read(
        of.watermark, now, [&](std::string_view key, Timestamp ts) { count(1, key.size(), ts); },
        [&](const txn::KeySpan& span, Timestamp ts) { count(span.keys, span.first.size() + span.last.size(), ts); });
    if (!known) of.lag = SIZE_MAX;
    result.push_back(of);
  }
  return result;
}

std::vector<std::pair<std::string, uint64_t>> ColumnStore::statistics() {
  uint64_t copies = 0, rows = 0, commits = 0, bytes = 0, places = 0, logs = 0;
  for (const auto& copy : list()) {
    places += copy.place_bytes;
    logs += copy.log_bytes;
    ++copies;
    rows += copy.rows;
    commits += copy.lag_commits;
    bytes += copy.lag_bytes;
  }
  return {{"columns_copies", copies},
          {"columns_rows", rows},
          {"columns_lag_commits", commits},
          {"columns_lag_bytes", bytes},
          {"columns_place_bytes", places},
          {"columns_log_bytes", logs},
          {"columns_reserved_bytes", reserved_.load()},
          {"columns_pressed", counters_.pressed.load()},
          {"columns_made", counters_.builds.load()},
          {"columns_dropped", counters_.drops.load()},
          {"columns_failed", failures_.total()},
          {"columns_folds", counters_.folds.load()},
          {"columns_folded_keys", counters_.folded_keys.load()},
          {"columns_folded_spans", counters_.folded_spans.load()}};
}

}  // namespace omendb::sql
