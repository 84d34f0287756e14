#include "server/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace omendb::server {

Result<DataDirectory> DataDirectory::acquire(const std::string& path, bool create) {
  const std::string name = "data directory \"" + path + "\"";
  if (create && ::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Status(SqlState::kIoError, "cannot create " + name + ": " + std::strerror(errno));
  struct stat info;
  if (::stat(path.c_str(), &info) != 0)
    return Status(SqlState::kUndefinedFile, "cannot open " + name + ": " + std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) return Status(SqlState::kIoError, name + " is not a directory");
  const std::string lock_path = path + "/omendb.lock";
  int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Status(SqlState::kIoError, name + " is not writable: " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    ssize_t n = ::pread(fd, owner, sizeof(owner) - 1, 0);
    ::close(fd);
    std::string pid(owner, n > 0 ? static_cast<size_t>(n) : 0);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return Status(SqlState::kLockFileExists,
                  name + " is in use by another process" + (pid.empty() ? "" : " (pid " + pid + ")"));
  }
  // The process id is for people; the lock is what counts.
  std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    Status status(SqlState::kIoError, name + " is not writable: " + std::strerror(errno));
    ::close(fd);
    return status;
  }
  return DataDirectory(path, fd);
}

DataDirectory::~DataDirectory() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace omendb::server
