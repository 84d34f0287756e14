// Which tables are copied: what their owners want (WITH (omendb.columns = on | off | auto)), and which copies could not be made lately.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "catalog/catalog.h"

namespace omendb::sql {

struct TableSchema;

inline constexpr const char* kColumnsOption = "omendb.columns";

enum class ColumnsWanted : uint8_t {
  kAuto,  // when it is scanned again and again
  kOn,    // at once, and again when it was lost
  kOff,   // never
};
ColumnsWanted columns_wanted(const catalog::Table& table);

/// The tables whose owners want a copy, by the newest catalog that was asked about. Thread: one at a time.
class WantedCopies {
 public:
  /// Cost: a comparison of versions, unless the catalog has changed.
  const std::vector<std::shared_ptr<const TableSchema>>& in(const catalog::Catalog& catalog);

 private:
  uint64_t version_ = UINT64_MAX;
  std::vector<std::shared_ptr<const TableSchema>> tables_;
};

/// Copies that could not be made or kept, so that nobody tries again and again: after a failure the table is left alone for a second, after
/// the next for two, up to ten minutes. Thread: any.
class ColumnFailures {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ColumnFailures(void (*warn)(const std::string& line)) : warn_(warn) {}
  /// Notes and logs it. Inside catch (...): the reason is the exception's.
  void note_current_exception(const catalog::Table& table, const char* what);
  void note(const catalog::Table& table, const char* what, const std::string& reason);
  void forget(StorageId storage);
  bool may_try(StorageId storage, Clock::time_point now = Clock::now()) const;

  struct Failure {
    Oid table;
    uint64_t times = 0;
    std::string reason;
    Clock::time_point retry;
  };
  std::vector<Failure> list() const;
  uint64_t total() const;

 private:
  void (*const warn_)(const std::string& line);
  mutable Mutex mutex_;
  std::unordered_map<uint32_t, Failure> failures_ GUARDED_BY(mutex_);  // by storage id
  uint64_t total_ GUARDED_BY(mutex_) = 0;
};

}  // namespace omendb::sql
