#include "sql/columnar/column_policy.h"

#include <algorithm>

#include "sql/engine/error_mapping.h"
#include "sql/engine/table_schema.h"

namespace omendb::sql {
namespace {

constexpr std::chrono::seconds kFirstRest{1}, kLongestRest{600};
constexpr size_t kFailuresMax = 1000;  // of tables that are gone, most of them

}  // namespace

ColumnsWanted columns_wanted(const catalog::Table& table) {
  const auto option = table.options.find(kColumnsOption);
  if (option == table.options.end() || option->second == "auto") return ColumnsWanted::kAuto;
  return option->second == "on" ? ColumnsWanted::kOn : ColumnsWanted::kOff;
}

const std::vector<std::shared_ptr<const TableSchema>>& WantedCopies::in(const catalog::Catalog& catalog) {
  if (catalog.version() == version_) return tables_;
  version_ = catalog.version();
  tables_.clear();
  catalog.for_each([&](const catalog::Object& object) {
    const auto* table = std::get_if<catalog::Table>(&object);
    if (table == nullptr || columns_wanted(*table) != ColumnsWanted::kOn) return;
    tables_.push_back(
        std::make_shared<const TableSchema>(catalog, std::make_shared<table::TableAccess>(catalog, *table)));
  });
  return tables_;
}

void ColumnFailures::note_current_exception(const catalog::Table& table, const char* what) {
  note(table, what, status_of_exception("").message());
}

void ColumnFailures::note(const catalog::Table& table, const char* what, const std::string& reason) {
  std::chrono::seconds rest;
  {
    const MutexLock lock(mutex_);
    if (failures_.size() >= kFailuresMax) failures_.clear();
    Failure& failure = failures_[table.storage.value];
    failure.table = table.oid;
    rest = std::min(kLongestRest, kFirstRest * (int64_t{1} << std::min<uint64_t>(failure.times++, 10)));
    failure.reason = reason;
    failure.retry = Clock::now() + rest;
    ++total_;
  }
  if (warn_ != nullptr)
    warn_("copy of table \"" + table.name + "\" in columns " + what + ": " + reason + "; not made again for " +
          std::to_string(rest.count()) + " s");
}

void ColumnFailures::forget(StorageId storage) {
  const MutexLock lock(mutex_);
  failures_.erase(storage.value);
}

bool ColumnFailures::may_try(StorageId storage, Clock::time_point now) const {
  const MutexLock lock(mutex_);
  const auto it = failures_.find(storage.value);
  return it == failures_.end() || now >= it->second.retry;
}

std::vector<ColumnFailures::Failure> ColumnFailures::list() const {
  const MutexLock lock(mutex_);
  std::vector<Failure> result;
  for (const auto& [storage, failure] : failures_) result.push_back(failure);
  return result;
}

uint64_t ColumnFailures::total() const {
  const MutexLock lock(mutex_);
  return total_;
}

}  // namespace omendb::sql
