// CHECK: our own mistakes stop the process, in every build, before they reach the disk.
#pragma once

namespace omendb {

/// Prints the failed condition and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace omendb

#define CHECK(condition) \
  do { \
    if (!(condition)) [[unlikely]] \
      ::omendb::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
