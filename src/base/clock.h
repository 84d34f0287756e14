// Time arrives through here, so that a test can own it.
#pragma once

#include <cstdint>

namespace omendb {

/// Wall-clock time. Thread: implementations are safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 00:00:00 UTC.
  virtual int64_t now_us() const = 0;
};

/// The machine's clock; lives as long as the process.
const Clock& system_clock();

/// Monotonic nanoseconds, for measuring; unrelated to the wall clock.
int64_t monotonic_ns();

}  // namespace omendb
