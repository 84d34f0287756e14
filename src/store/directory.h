// The data directory's own files: FORMAT and LOCK.
#pragma once

#include <string>

#include "base/status.h"

namespace omendb::store {

/// Writes DIR/FORMAT. Errors: 58030.
Status write_format(const std::string& directory);
/// Checks DIR/FORMAT, and writes it where nothing is yet. Errors: XX001 for another format.
Status check_format(const std::string& directory);

/// DIR/LOCK, held while this lives. flock(2) goes with the process, so a killed server leaves nothing to clean up.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  /// Errors: F0001 when another process holds it.
  Status take(const std::string& directory);

 private:
  int fd_ = -1;
};

}  // namespace omendb::store
