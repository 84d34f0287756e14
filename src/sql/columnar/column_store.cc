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
#include "sql/engine/scan.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

// A statement folds no more than this before it reads; with more the rows answer and the background catches up.
constexpr size_t kFoldMax = 500000;
constexpr size_t kOverlayMax = 100000;
// The background folds a copy that lags by so many changes.
constexpr size_t kFoldSoon = 2000;
constexpr auto kPeriod = std::chrono::milliseconds(100);
constexpr double kDecay = 0.999;    // of a wish, a period: half is gone after a minute
constexpr double kScansWanted = 2;  // of the whole table, until a copy is made unasked
// Dead native rows, as a share of all, beyond which a copy is made anew.
constexpr uint64_t kDeadShare = 3, kDeadMin = 100000;
constexpr uint64_t kPlaceBytes = 24;  // of a key, about
constexpr const char* kForgotten = "more was written than its log of changes holds";

// The background writes a copy down when so many changes, and this share of the rows, are not on disk; any change after a while.
constexpr uint64_t kWriteSoon = 100000, kWriteShare = 10;
constexpr std::chrono::seconds kWritePeriod{30}, kWriteLate{300};

}  // namespace

// --- What a statement reads ---

const ColumnSnapshot::Table* ColumnSnapshot::find(const TableSchema& schema) const {
  const auto it = tables_.find(schema.table().storage.value);
  return it == tables_.end() ? nullptr : &it->second;
}

bool ColumnSnapshot::spoiled() const {
  return std::any_of(tables_.begin(), tables_.end(), [](const auto& table) { return table.second.copy->spoiled(); });
}

bool ColumnStatement::Scope::spoiled() const { return statement_->snapshot_ != nullptr && statement_->snapshot_->spoiled(); }

duckdb::shared_ptr<ColumnStatement> ColumnStatement::of(duckdb::ClientContext& context) {
  auto statement = context.registered_state->Get<ColumnStatement>(kKey);
  return statement != nullptr && statement->use_ != Use::kNone ? statement : nullptr;
}

ColumnStore& ColumnStatement::store_of(duckdb::ClientContext& context) {
  const auto statement = context.registered_state->Get<ColumnStatement>(kKey);
  CHECK(statement != nullptr);
  return statement->store_;
}

void ColumnStatement::open(duckdb::ClientContext& context, const std::vector<std::shared_ptr<const TableSchema>>& tables) {
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
    if (const auto* copy = statement.find(*schema)) rows = std::max(rows, copy->rows);
    else if (engine_services(context).database().estimate_rows(*schema->access) > kJoinKeysMax) return kJoinKeysMax;
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
      .user_settings.SetUserSetting(duckdb::DynamicOrFilterThresholdSetting::SettingIndex, duckdb::Value::UBIGINT(keys));
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
}

// --- Files ---

void ColumnStore::find_files() {
  std::vector<std::string> useless;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, ignored)) {
    const std::string path = entry.path().string();
    const auto storage = ColumnFile::storage_of(path);
    if (storage) found_.emplace_back(*storage, path);
    else useless.push_back(path);
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
        copy = ColumnCopy::take_up(database_, ColumnFile::open(duck_, path), schema, options_.release, publish_mutex_, [&] { return stop_.load(); });
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
    if (copy->write_down(database_, publish_mutex_)) {
      ++counters_.written;
      return true;
    }
  } catch (...) {
    // No room on the disk, or none in memory; a copy that was half written down is not to be read.
  }
  remove(copy);
  return false;
}

void ColumnStore::write_all() {
  for (const auto& copy : all()) {
    if (copy->persistent() && (copy->unwritten() > 0 || copy->pending(database_.last_commit()) > 0)) write_or_drop(copy);
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

bool ColumnStore::fold_or_drop(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction, const std::function<void()>& check) {
  size_t folded = 0;
  bool done = false;
  try {
    done = copy->fold(database_, transaction, publish_mutex_, check, &folded) != ColumnCopy::Folded::kNever;
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
    remove(copy, copy->pending(transaction.snapshot()) == SIZE_MAX ? kForgotten : nullptr);
    return false;
  }
  if (folded > 0) {
    ++counters_.folds;
    counters_.folded_keys += folded;
  }
  return true;
}

std::shared_ptr<const ColumnOverlay> ColumnStore::overlay(ColumnCopy& copy, txn::Transaction& transaction, bool* readable) {
  *readable = false;
  const Timestamp at = copy.watermark(), snapshot = transaction.snapshot();
  const Timestamp from = std::min(at, snapshot), to = std::max(at, snapshot);
  const bool own = database_.has_own_changes(transaction, *copy.schema().access);
  auto result = std::make_shared<ColumnOverlay>();
  if (from < to && (copy.log().last() > from || copy.log().from() > from)) {
    if (copy.log().count(from, to) > kOverlayMax) return nullptr;
    if (!copy.log().read(from, to, [&](std::string_view key, Timestamp) { result->keys.emplace_back(key); })) return nullptr;
  }
  if (own) {
    bool few = true;
    const bool complete = database_.own_changes(transaction, *copy.schema().access, [&](std::string_view key) {
      few = few && result->keys.size() <= kOverlayMax;
      if (few) result->keys.emplace_back(key);
    });
    if (!complete || !few) return nullptr;
  }
  *readable = true;
  if (result->keys.empty()) return nullptr;
  std::sort(result->keys.begin(), result->keys.end());
  result->keys.erase(std::unique(result->keys.begin(), result->keys.end()), result->keys.end());
  for (const auto& key : result->keys) {
    if (const auto place = copy.place(key)) result->hidden.push_back(*place);
  }
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
    if (copy == nullptr && forced && build(schema->table(), [&] { return context.interrupted.load(); })) copy = find(*schema);
    if (copy == nullptr || std::find(copies.begin(), copies.end(), copy) != copies.end()) continue;
    const size_t pending = copy->pending(transaction.snapshot());
    if (pending == SIZE_MAX) {
      remove(copy, kForgotten);
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
    enough = wish.rows_scanned >= kScansWanted * static_cast<double>(rows);
  }
  if (enough) wake_.notify_all();
}

bool ColumnStore::build(const catalog::Table& table, size_t threads, const std::function<bool()>& stop) {
  // As it is committed: what a transaction has made or changed and not committed is nobody else's.
  auto schema = committed_schema(table.storage);
  if (schema == nullptr || schema->table().oid != table.oid || columns_wanted(schema->table()) == ColumnsWanted::kOff) return false;
  {
    MutexLock lock(mutex_);
    while (building_.contains(table.storage.value)) lock.wait(built_);
    const auto it = copies_.find(table.storage.value);
    if (it != copies_.end() && !it->second->spoiled() && it->second->fits(*schema)) return true;
  }
  return make(std::move(schema), threads, stop);
}

bool ColumnStore::make(std::shared_ptr<const TableSchema> schema, size_t threads, const std::function<bool()>& stop) {
  const StorageId storage = schema->table().storage;
  {
    MutexLock lock(mutex_);
    while (building_.contains(storage.value)) lock.wait(built_);
    building_.insert(storage.value);
  }
  std::shared_ptr<ColumnCopy> copy, old;
  std::string path;
  const auto leave = [&] {
    if (copy == nullptr) ColumnFile::remove(path);
    const MutexLock lock(mutex_);
    building_.erase(storage.value);
    wishes_.erase(storage.value);
    if (copy != nullptr) old = std::exchange(copies_[storage.value], copy);
    built_.notify_all();
  };
  try {
    auto file = ColumnFile::create(duck_, options_.directory, storage);
    path = file->path();
    copy = ColumnCopy::build(database_, std::move(file), schema, options_.release, threads, [&] { return stop_ || (stop && stop()); });
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
  if (copy != nullptr) ++counters_.builds;
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

void ColumnStore::fold_all() {
  for (const auto& copy : all()) {
    ColumnReading reading(database_);
    fold_or_drop(copy, *reading);
  }
}

Status ColumnStore::verify() {
  for (const auto& copy : all()) {
    ColumnReading reading(database_);
    bool there = true;
    do {
      there = fold_or_drop(copy, *reading);
      if (there && copy->watermark() < (*reading).snapshot()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (there && copy->watermark() < (*reading).snapshot());
    if (there) RETURN_IF_ERROR(copy->verify(database_, *reading));
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
    const bool known = copy->log().read(of.watermark, now, [&](std::string_view key, Timestamp ts) {
      ++of.lag;
      of.lag_bytes += key.size();
      if (ts != last) ++of.lag_commits;
      last = ts;
    });
    if (!known) of.lag = SIZE_MAX;
    result.push_back(of);
  }
  return result;
}

std::vector<std::pair<std::string, uint64_t>> ColumnStore::statistics() {
  uint64_t copies = 0, rows = 0, commits = 0, bytes = 0;
  for (const auto& copy : list()) {
    ++copies;
    rows += copy.rows;
    commits += copy.lag_commits;
    bytes += copy.lag_bytes;
  }
  return {{"columns_copies", copies},         {"columns_rows", rows},
          {"columns_lag_commits", commits},   {"columns_lag_bytes", bytes},
          {"columns_made", counters_.builds.load()}, {"columns_dropped", counters_.drops.load()},
          {"columns_failed", failures_.total()}, {"columns_folds", counters_.folds.load()},
          {"columns_folded_keys", counters_.folded_keys.load()}};
}

// --- The background ---

void ColumnStore::work() {
  lower_priority(options_.priority);
  take_up_files();
  MutexLock lock(mutex_);
  while (!closing_) {
    lock.wait_for(wake_, kPeriod);
    if (closing_) return;
    lock.unlock();
    maintain();
    lock.lock();
  }
}

void ColumnStore::maintain() {
  std::vector<std::shared_ptr<ColumnCopy>> copies, worn;
  std::vector<catalog::Table> wanted;
  uint64_t places = 0;
  {
    const MutexLock lock(mutex_);
    for (const auto& [storage, copy] : copies_) {
      copies.push_back(copy);
      places += copy->rows() * kPlaceBytes;
    }
    for (auto it = wishes_.begin(); it != wishes_.end();) {
      Wish& wish = it->second;
      const auto rows = static_cast<double>(database_.estimate_rows(*wish.schema->access));
      const auto more = static_cast<uint64_t>(rows) * kPlaceBytes;
      if (wish.rows_scanned >= kScansWanted * rows && places + more <= options_.places_max) {
        places += more;
        wanted.push_back(wish.schema->table());
        it = wishes_.erase(it);
        continue;
      }
      wish.rows_scanned *= kDecay;
      it = wish.rows_scanned < rows / 100 ? wishes_.erase(it) : std::next(it);
    }
  }
  for (const auto& copy : copies) {
    {
      ColumnReading reading(database_);
      const auto catalog = database_.catalog(*reading);
      const auto* table = catalog->find<catalog::Table>(copy->schema().table().oid);
      if (table == nullptr || table->storage != copy->storage() || columns_wanted(*table) == ColumnsWanted::kOff || copy->spoiled()) {
        remove(copy);
        continue;
      }
      const size_t pending = copy->pending(database_.last_commit());
      if (pending == SIZE_MAX) {
        remove(copy, kForgotten);
        continue;
      }
      if (pending >= kFoldSoon && !fold_or_drop(copy, *reading)) continue;
    }
    if (copy->dead() > kDeadMin && copy->dead() > copy->rows() / kDeadShare) {
      worn.push_back(copy);
      continue;
    }
    const auto since = std::chrono::steady_clock::now() - copy->written_at();
    const uint64_t unwritten = copy->persistent() ? copy->unwritten() : 0;
    const bool soon = unwritten >= kWriteSoon && unwritten >= copy->rows() / kWriteShare && since >= kWritePeriod;
    if (soon || copy->never_written() || (unwritten > 0 && since >= kWriteLate)) write_or_drop(copy);
  }
  const size_t threads = std::max<size_t>(1, options_.threads / 2);  // nobody waits for it, and others have work to do
  for (const auto& copy : worn) {
    try {
      // The worn one is read until then.
      if (const auto schema = committed_schema(copy->storage())) make(schema, threads);
    } catch (...) {
      remove(copy);
    }
  }
  {
    ColumnReading reading(database_);
    for (const auto& schema : wanted_.in(*database_.catalog(*reading))) {
      if (find(*schema) == nullptr && failures_.may_try(schema->table().storage)) wanted.push_back(schema->table());
    }
  }
  for (const auto& table : wanted) {
    try {
      build(table, threads);
    } catch (...) {
      // The rows answer; the failure is noted.
    }
  }
}

}  // namespace omendb::sql
