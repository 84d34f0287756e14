#include "sql/columnar/column_file.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <random>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database_manager.hpp"
#include "duckdb/parser/parsed_data/attach_info.hpp"
#include "duckdb/storage/storage_manager.hpp"
#include "duckdb/transaction/duck_transaction_manager.hpp"

namespace omendb::sql {
namespace {

constexpr const char* kSuffix = ".columns";

std::unique_ptr<duckdb::MaterializedQueryResult> query(duckdb::DatabaseInstance& duck, const std::string& sql) {
  duckdb::Connection connection(duck);
  auto result = connection.Query(sql);
  if (result->HasError()) result->ThrowError();
  return std::unique_ptr<duckdb::MaterializedQueryResult>(result.release());
}

std::string random_id() {
  std::random_device random;
  char id[17];
  std::snprintf(id, sizeof(id), "%08x%08x", random(), random());
  return id;
}

}  // namespace

std::atomic<void (*)(const char* step)> column_step_hook{nullptr};

ColumnFile::ColumnFile(duckdb::DatabaseInstance& duck, std::string path, std::string name)
    : duck_(duck), path_(std::move(path)), name_(std::move(name)) {
  duckdb::Connection connection(duck_);
  connection.BeginTransaction();
  duckdb::AttachInfo info;
  info.name = name_;
  info.path = path_.empty() ? ":memory:" : path_;
  // What it holds can be had from the rows, so no change of it waits for a disk.
  if (!path_.empty()) info.options["recovery_mode"] = duckdb::Value("no_wal_writes");
  info.options["hidden"] = duckdb::Value::BOOLEAN(true);
  duckdb::AttachOptions attach(info.options, duckdb::AccessMode::READ_WRITE);
  attached_ = duckdb::DatabaseManager::Get(duck_).AttachDatabase(*connection.context, info, attach);
  connection.Commit();
}

ColumnFile::~ColumnFile() {
  attached_.reset();
  try {
    duckdb::Connection connection(duck_);
    duckdb::DatabaseManager::Get(duck_).DetachDatabase(*connection.context, name_,
                                                       duckdb::OnEntryNotFound::RETURN_NULL);
  } catch (...) {
    // It is not to be found under its name any more, which is all that matters.
  }
}

std::unique_ptr<ColumnFile> ColumnFile::create(duckdb::DatabaseInstance& duck, const std::string& directory,
                                               StorageId storage) {
  const std::string id = random_id();
  std::string path;
  if (!directory.empty()) {
    char number[9];
    std::snprintf(number, sizeof(number), "%x", storage.value);
    path = directory + "/" + number + "-" + id + kSuffix;
  }
  std::unique_ptr<ColumnFile> file(new ColumnFile(duck, path, "columns_" + id));
  query(duck, "CREATE TABLE " + file->notes_name() + " (position UBIGINT, shape VARCHAR)");
  return file;
}

std::unique_ptr<ColumnFile> ColumnFile::open(duckdb::DatabaseInstance& duck, const std::string& path) {
  return std::unique_ptr<ColumnFile>(new ColumnFile(duck, path, "columns_" + random_id()));
}

std::optional<StorageId> ColumnFile::storage_of(const std::string& path) {
  const std::filesystem::path file(path);
  if (file.extension() != kSuffix) return std::nullopt;
  const std::string name = file.stem();
  uint32_t storage = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), storage, 16);
  if (parsed.ec != std::errc() || *parsed.ptr != '-') return std::nullopt;
  return StorageId(storage);
}

void ColumnFile::remove(const std::string& path) noexcept {
  if (path.empty()) return;
  std::error_code ignored;
  for (const char* suffix : {"", ".wal", ".wal.checkpoint", ".wal.recovery"})
    std::filesystem::remove(path + suffix, ignored);
}

std::string ColumnFile::rows_name() const { return "\"" + name_ + "\"." DEFAULT_SCHEMA ".\"" + kRows + "\""; }
std::string ColumnFile::notes_name() const { return "\"" + name_ + "\"." DEFAULT_SCHEMA ".notes"; }

std::optional<ColumnNote> ColumnFile::last_note() const {
  const auto result = query(duck_, "SELECT position, shape FROM " + notes_name() + " ORDER BY position DESC LIMIT 1");
  if (result->RowCount() == 0) return std::nullopt;
  return ColumnNote{Timestamp(result->GetValue(0, 0).GetValue<uint64_t>()),
                    duckdb::StringValue::Get(result->GetValue(1, 0))};
}

void ColumnFile::write_down(const ColumnNote& note) {
  query(duck_,
        "INSERT INTO " + notes_name() + " VALUES (" + std::to_string(note.position.value) + ", '" + note.shape + "')");
  column_step("write: noted");
  const auto lock = duckdb::DuckTransactionManager::Get(*attached_).TryGetCheckpointLock();
  if (lock == nullptr) throw duckdb::TransactionException("somebody changes the copy while it is written down");
  duckdb::CheckpointOptions options;
  // The other kind moves rows to where others were deleted, and so gives them other row ids.
  options.type = duckdb::CheckpointType::CONCURRENT_CHECKPOINT;
  options.action = duckdb::CheckpointAction::ALWAYS_CHECKPOINT;
  attached_->GetStorageManager().CreateCheckpoint(duckdb::QueryContext(), options);
  column_step("write: written");
}

}  // namespace omendb::sql
