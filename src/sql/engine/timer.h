// Calls back at a deadline: statement timeouts. One thread for all sessions.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <thread>

#include "base/mutex.h"

namespace omendb::sql {

/// Thread: any.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;
  Timer();
  ~Timer();
  /// `call` runs on the timer's thread; it must be short and must not call the timer.
  uint64_t schedule(Clock::time_point deadline, std::function<void()> call);
  /// After it returns the call does not run any more (unless it ran already).
  void cancel(uint64_t id);

 private:
  void run();
  Mutex mutex_;
  std::condition_variable wake_;
  bool stop_ GUARDED_BY(mutex_) = false;
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::map<std::pair<Clock::time_point, uint64_t>, std::function<void()>> calls_ GUARDED_BY(mutex_);
  std::map<uint64_t, Clock::time_point> deadlines_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace omendb::sql
