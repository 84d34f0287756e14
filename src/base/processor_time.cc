#include "base/processor_time.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <thread>

namespace omendb {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Steps are taken together until they are worth a look.
constexpr milliseconds kLookEvery{2}, kRestMax{100};
// Others want the processor if so much of the time that a step took was waiting for one.
constexpr int kQueuedShare = 8;
constexpr int kRestsPerWork = 3;

}  // namespace

nanoseconds cpu_time(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

std::optional<nanoseconds> queued_time() {
  std::ifstream file("/proc/thread-self/schedstat");
  int64_t ran = 0, queued = 0;
  if (!(file >> ran >> queued)) return std::nullopt;
  return nanoseconds(queued);
}

// Waiting was rest as well.
nanoseconds Pace::rest_after(nanoseconds cpu, nanoseconds queued) {
  if (queued * kQueuedShare < cpu) return nanoseconds(0);
  return std::clamp<nanoseconds>(kRestsPerWork * cpu - queued, nanoseconds(0), kRestMax);
}

Pace::Pace(bool on) : on_(on) {
  if (!on_) return;
  cpu_ = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  const auto queued = queued_time();
  on_ = queued.has_value();
  queued_ = queued.value_or(nanoseconds(0));
}

void Pace::rest() {
  if (!on_) return;
  const nanoseconds cpu = cpu_time(CLOCK_THREAD_CPUTIME_ID) - cpu_;
  if (cpu < kLookEvery) return;
  const nanoseconds time = rest_after(cpu, queued_time().value_or(queued_) - queued_);
  if (time > nanoseconds(0)) std::this_thread::sleep_for(time);
  cpu_ = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  queued_ = queued_time().value_or(queued_);
}

}  // namespace omendb
