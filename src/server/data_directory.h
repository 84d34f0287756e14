// A data directory belongs to one process at a time.
#pragma once

#include <string>

#include "base/status.h"

namespace omendb::server {

/// Holds the lock file of a data directory (DIR/omendb.lock, an flock, gone with the process however it ends).
class DataDirectory {
 public:
  /// Makes the directory if `create` and it does not exist; its parent must. Errors: one line for the operator (58P01,
  /// 58030, F0001 when another process has it).
  static Result<DataDirectory> acquire(const std::string& path, bool create);
  DataDirectory(DataDirectory&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::string& path() const { return path_; }

 private:
  DataDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

}  // namespace omendb::server
