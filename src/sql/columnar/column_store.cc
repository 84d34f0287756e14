#include "sql/columnar/column_store.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database_manager.hpp"
#include "duckdb/main/settings.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/parser/parsed_data/attach_info.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/transaction/duck_transaction.hpp"

#include "sql/columnar/column_copy.h"
#include "sql/engine/scan.h"
#include "sql/error.h"

namespace omendb::sql {
namespace {

constexpr const char* kDatabase = "omendb_columns";
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

/// A transaction of the store's own at what is committed by now.
class Reading {
 public:
  explicit Reading(table::Database& database) : Reading(database, database.begin(txn::Isolation::kRepeatableRead, true)) {
    database_.begin_statement(*transaction_);
  }
  Reading(table::Database& database, std::unique_ptr<txn::Transaction> transaction)
      : database_(database), transaction_(std::move(transaction)) {}
  ~Reading() { database_.rollback(*transaction_); }
  txn::Transaction& operator*() { return *transaction_; }

 private:
  table::Database& database_;
  const std::unique_ptr<txn::Transaction> transaction_;
};

}  // namespace

// --- What a statement reads ---

const ColumnSnapshot::Table* ColumnSnapshot::find(const TableSchema& schema) const {
  const auto it = tables_.find(schema.table().storage.value);
  return it == tables_.end() ? nullptr : &it->second;
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

void ColumnStatement::open(duckdb::ClientContext& context, const std::vector<std::shared_ptr<const TableSchema>>& tables) {
  snapshot_ = store_.open(context, services(context).transaction(), tables, forced());
}

ColumnStatement::Scope::Scope(duckdb::ClientContext& context, Use use)
    : statement_(context.registered_state->Get<ColumnStatement>(kKey)),
      outer_use_(statement_->use_),
      outer_snapshot_(std::move(statement_->snapshot_)) {
  statement_->use_ = use;
  statement_->snapshot_ = nullptr;
}

ColumnStatement::Scope::~Scope() {
  statement_->use_ = outer_use_;
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
    : database_(database), duck_(duck), options_(options) {
  if (!options_.file.empty()) {
    // What is there was written at a watermark whose successors nobody remembers.
    for (const char* suffix : {"", ".wal"}) std::filesystem::remove(options_.file + suffix);
    std::filesystem::create_directories(std::filesystem::path(options_.file).parent_path());
    for (const char* suffix : {"", ".wal"}) duckdb::DBConfig::GetConfig(duck_).AddAllowedPath(options_.file + suffix);
  }
  duckdb::Connection connection(duck_);
  connection.BeginTransaction();
  duckdb::AttachInfo info;
  info.name = kDatabase;
  info.path = options_.file.empty() ? ":memory:" : options_.file;
  // A copy is written to its file by checkpoints alone: it is as old as the last one after a crash, and the rows know the rest.
  if (!options_.file.empty()) info.options["recovery_mode"] = duckdb::Value("no_wal_writes");
  info.options["hidden"] = duckdb::Value::BOOLEAN(true);
  duckdb::AttachOptions attach(info.options, duckdb::AccessMode::READ_WRITE);
  attached_ = duckdb::DatabaseManager::Get(duck_).AttachDatabase(*connection.context, info, attach);
  connection.Commit();
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
}

std::shared_ptr<ColumnCopy> ColumnStore::find(const TableSchema& schema) {
  const MutexLock lock(mutex_);
  const auto it = copies_.find(schema.table().storage.value);
  return it != copies_.end() && it->second->fits(schema) ? it->second : nullptr;
}

bool ColumnStore::fold_or_drop(const std::shared_ptr<ColumnCopy>& copy, txn::Transaction& transaction) {
  size_t folded = 0;
  bool done = false;
  try {
    done = copy->fold(database_, transaction, publish_mutex_, &folded);
  } catch (const duckdb::InterruptException&) {
    throw;
  } catch (...) {
    // Whatever it was, the rows still have the answer, and the next copy is made from them.
  }
  if (!done) {
    remove(copy);
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
  for (const auto& schema : tables) {
    auto copy = find(*schema);
    if (copy == nullptr && forced && build(schema->table())) copy = find(*schema);
    if (copy == nullptr || std::find(copies.begin(), copies.end(), copy) != copies.end()) continue;
    const size_t pending = copy->pending(transaction.snapshot());
    if (pending == SIZE_MAX) {
      remove(copy);
      continue;
    }
    if (pending <= kFoldMax) {
      Reading reading(database_, database_.begin_beside(transaction));
      if (!fold_or_drop(copy, *reading)) continue;
    } else {
      wake_.notify_all();
    }
    copies.push_back(std::move(copy));
  }
  if (copies.empty()) return nullptr;

  auto snapshot = std::make_shared<ColumnSnapshot>();
  const std::shared_lock published(publish_mutex_);
  duckdb::DuckTransaction::Get(context, *attached_);
  for (const auto& copy : copies) {
    bool readable = false;
    ColumnSnapshot::Table table;
    table.overlay = overlay(*copy, transaction, &readable);
    table.entry = copy->entry(context);
    if (!readable || table.entry == nullptr) continue;
    table.watermark = copy->watermark();
    table.rows = copy->rows();
    snapshot->tables_.emplace(copy->storage().value, std::move(table));
  }
  return snapshot;
}

void ColumnStore::note_scan(const std::shared_ptr<const TableSchema>& schema, uint64_t rows) {
  if (!options_.automatic || rows < options_.rows_min) return;
  const uint32_t storage = schema->table().storage.value;
  bool enough = false;
  {
    const MutexLock lock(mutex_);
    if (copies_.contains(storage) || building_.contains(storage)) return;
    Wish& wish = wishes_[storage];
    wish.rows_scanned += static_cast<double>(rows);
    wish.schema = schema;
    enough = wish.rows_scanned >= kScansWanted * static_cast<double>(rows);
  }
  if (enough) wake_.notify_all();
}

bool ColumnStore::build(const catalog::Table& table) {
  std::shared_ptr<const TableSchema> schema;
  {
    // As it is committed: what a transaction has made or changed and not committed is nobody else's.
    Reading reading(database_);
    const auto catalog = database_.catalog(*reading);
    const auto* committed = catalog->find<catalog::Table>(table.oid);
    if (committed == nullptr || committed->storage != table.storage) return false;
    schema = std::make_shared<const TableSchema>(*catalog, std::make_shared<table::TableAccess>(*catalog, *committed));
  }
  const uint32_t storage = table.storage.value;
  {
    MutexLock lock(mutex_);
    while (building_.contains(storage)) lock.wait(built_);
    if (const auto it = copies_.find(storage); it != copies_.end() && it->second->fits(*schema)) return true;
    building_.insert(storage);
  }
  std::shared_ptr<ColumnCopy> copy, old;
  const auto leave = [&] {
    const MutexLock lock(mutex_);
    building_.erase(storage);
    wishes_.erase(storage);
    if (copy != nullptr) old = std::exchange(copies_[storage], copy);
    built_.notify_all();
  };
  try {
    copy = ColumnCopy::build(database_, *attached_, schema, stop_);
  } catch (...) {
    leave();
    throw;
  }
  leave();
  if (old != nullptr) old->destroy();
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

void ColumnStore::remove(const std::shared_ptr<ColumnCopy>& copy) {
  {
    const MutexLock lock(mutex_);
    const auto it = copies_.find(copy->storage().value);
    if (it == copies_.end() || it->second != copy) return;
    copies_.erase(it);
  }
  ++counters_.drops;
  try {
    copy->destroy();
  } catch (...) {
    // It takes room until the next copy of this table, or the next start.
  }
}

void ColumnStore::fold_all() {
  std::vector<std::shared_ptr<ColumnCopy>> copies;
  {
    const MutexLock lock(mutex_);
    for (const auto& [storage, copy] : copies_) copies.push_back(copy);
  }
  for (const auto& copy : copies) {
    Reading reading(database_);
    fold_or_drop(copy, *reading);
  }
}

Status ColumnStore::verify() {
  std::vector<std::shared_ptr<ColumnCopy>> copies;
  {
    const MutexLock lock(mutex_);
    for (const auto& [storage, copy] : copies_) copies.push_back(copy);
  }
  for (const auto& copy : copies) {
    Reading reading(database_);
    if (!fold_or_drop(copy, *reading)) continue;
    RETURN_IF_ERROR(copy->verify(database_, *reading));
  }
  return Status();
}

std::vector<ColumnStore::CopyStatistics> ColumnStore::list() {
  std::vector<CopyStatistics> result;
  const Timestamp now = database_.last_commit();
  const MutexLock lock(mutex_);
  for (const auto& [storage, copy] : copies_) {
    result.push_back({copy->schema().table().oid, copy->watermark(), copy->rows(), copy->dead(), copy->pending(now), copy->place_bytes(),
                      copy->log().bytes()});
  }
  return result;
}

// --- The background ---

void ColumnStore::work() {
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
  std::vector<std::shared_ptr<ColumnCopy>> copies;
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
      Reading reading(database_);
      const auto* table = database_.catalog(*reading)->find<catalog::Table>(copy->schema().table().oid);
      if (table == nullptr || table->storage != copy->storage()) {
        remove(copy);
        continue;
      }
      const size_t pending = copy->pending(database_.last_commit());
      if (pending == SIZE_MAX) {
        remove(copy);
        continue;
      }
      if (pending >= kFoldSoon && !fold_or_drop(copy, *reading)) continue;
    }
    if (copy->dead() > kDeadMin && copy->dead() > copy->rows() / kDeadShare) {
      remove(copy);
      wanted.push_back(copy->schema().table());
    }
  }
  for (const auto& table : wanted) {
    try {
      build(table);
    } catch (...) {
      // The rows answer; the table is scanned again if it matters.
    }
  }
}

}  // namespace omendb::sql
