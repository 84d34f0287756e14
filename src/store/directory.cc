#include "store/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace omendb::store {
namespace {
constexpr char kFormat[] = "omendb 1\n";
}

Status write_format(const std::string& directory) {
  const std::string path = directory + "/FORMAT";
  std::ofstream out(path, std::ios::binary);
  out << kFormat << std::flush;
  if (!out) return Status(SqlState::kIoError, "could not write \"" + path + "\"");
  return {};
}

Status check_format(const std::string& directory) {
  if (std::ifstream in(directory + "/FORMAT", std::ios::binary); in) {
    const std::string found((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (found == kFormat) return {};
    return Status(SqlState::kDataCorrupted, "data directory \"" + directory + "\" has another format")
        .with_detail("It says \"" + found.substr(0, found.find('\n')) + "\"; this server reads \"omendb 1\".");
  }
  if (std::filesystem::exists(directory + "/store")) {
    return Status(SqlState::kDataCorrupted, "data directory \"" + directory + "\" has no FORMAT file");
  }
  return write_format(directory);
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Status DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return Status(SqlState::kIoError, "could not open \"" + path + "\": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t n = ::pread(fd_, pid, sizeof(pid) - 1, 0);
    std::string holder(pid, n > 0 ? static_cast<size_t>(n) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return Status(SqlState::kLockFileExists, "data directory \"" + directory + "\" is in use by another server")
        .with_hint(holder.empty() ? "Stop the other server first." : "Process " + holder + " holds it.");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    return Status(SqlState::kIoError, "could not write \"" + path + "\": " + std::strerror(errno));
  }
  return {};
}

}  // namespace omendb::store
