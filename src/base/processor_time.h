// What threads get of the processors, and how a long task leaves others their part.
#pragma once

#include <time.h>

#include <chrono>
#include <optional>

namespace omendb {

/// Of CLOCK_THREAD_CPUTIME_ID or CLOCK_PROCESS_CPUTIME_ID.
std::chrono::nanoseconds cpu_time(clockid_t clock);
/// How long the calling thread could have run and had no processor, so far (proc_schedstat); nothing: the system does not say.
std::optional<std::chrono::nanoseconds> queued_time();

/// A long task takes a quarter of a processor where others want it too. It has everybody's priority and takes time off between its steps:
/// a thread of lower priority can be starved, and with it whatever it holds meanwhile, as a snapshot. Thread: the task's.
class Pace {
 public:
  /// Off: rest() does nothing.
  explicit Pace(bool on);
  /// Between two steps: sleeps, a tenth of a second at most, if the last steps had to wait for a processor.
  void rest();
  /// How long, after so much work and so much waiting for a processor.
  static std::chrono::nanoseconds rest_after(std::chrono::nanoseconds cpu, std::chrono::nanoseconds queued);

 private:
  bool on_;
  std::chrono::nanoseconds cpu_{0}, queued_{0};  // up to the last rest
};

}  // namespace omendb
