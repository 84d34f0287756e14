#include "sql/engine/spill_files.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>

#include "duckdb/common/exception.hpp"
#include "duckdb/common/file_system.hpp"
#include "duckdb/common/local_file_system.hpp"
#include "duckdb/storage/buffer_manager.hpp"

namespace omendb::sql {
namespace {

constexpr uint64_t kKeptFree = uint64_t{1} << 30;
constexpr uint64_t kLookBytes = uint64_t{1} << 20;  // written between two looks at the disk

class SpillFiles final : public duckdb::LocalFileSystem {
 public:
  SpillFiles(duckdb::DatabaseInstance& instance, std::string directory, uint64_t given)
      : instance_(instance), directory_(std::move(directory)), given_(given) {}

  bool CanHandleFile(const std::string& path) override { return path.starts_with(directory_); }
  std::string GetName() const override { return "omendb_spill"; }

  void Write(duckdb::FileHandle& handle, void* buffer, int64_t bytes, duckdb::idx_t location) override {
    const auto size = static_cast<uint64_t>(bytes);
    if (written_.fetch_add(size, std::memory_order_relaxed) % kLookBytes < size) limit();
    duckdb::LocalFileSystem::Write(handle, buffer, bytes, location);
  }

 private:
  // The blocks after this one are refused where they would take too much, before they have a place in a file.
  void limit() {
    struct statvfs disk;
    if (::statvfs(directory_.c_str(), &disk) != 0) return;
    auto& buffers = duckdb::BufferManager::GetBufferManager(instance_);
    try {
      buffers.SetSwapLimit(spill_limit(buffers.GetUsedSwap(), uint64_t{disk.f_bavail} * disk.f_frsize, given_));
    } catch (const duckdb::OutOfMemoryException&) {
      // More has been spilled since. The next look counts it.
    }
  }

  duckdb::DatabaseInstance& instance_;
  const std::string directory_;
  const uint64_t given_;
  std::atomic<uint64_t> written_{0};
};

}  // namespace

uint64_t spill_limit(uint64_t used, uint64_t free, uint64_t given) {
  const uint64_t kept = std::min(kKeptFree, (used + free) / 10);
  const uint64_t limit = used + (free > kept ? free - kept : 0);
  return given == 0 ? limit : std::min(limit, std::max(given, used));
}

void install_spill_files(duckdb::DatabaseInstance& instance, const std::string& directory, uint64_t given) {
  duckdb::FileSystem::GetFileSystem(instance).RegisterSubSystem(
      duckdb::make_uniq<SpillFiles>(instance, directory, given));
}

}  // namespace omendb::sql
