// At which priority a long statement goes on while short ones run beside it (docs/decisions/0043).
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "base/background_threads.h"
#include "base/mutex.h"

namespace omendb::sql {

/// What came of the time that a statement ran at one priority.
struct StandingSample {
  using Duration = std::chrono::nanoseconds;
  Duration wall{0};
  Duration cpu{0};      // processor time of the statement's thread
  Duration queued{0};   // it could have run, and had no processor
  Duration waited{0};   // it waited for workers, and then for a processor
  Duration workers{0};  // processor time of all workers
  Duration process{0};  // processor time of all threads of the server
};

/// Decides for one statement, by samples alone. SCHED_IDLE is for what short statements leave. When that is next to nothing it takes a share of its own, at nice
/// 10, for twice as long each time in a row. When others than this server have most of the processors, and nice 10 is next to nothing
/// too, it takes what everybody has as long as they do: short statements gain little from its standing back then. Thread: one at a time.
class StandingBack {
 public:
  /// `raised`: others that are not this server have most of the processors, as another statement has found.
  StandingBack(unsigned processors, bool raised);

  Priority priority() const { return priority_; }
  /// How long until the next sample.
  std::chrono::milliseconds time() const { return priority_ == Priority::kIdle ? kSlice : kStep; }
  /// Takes what came of it. True: workers in SCHED_IDLE hold the statement up, for they get no processor.
  bool take(const StandingSample& sample);

 private:
  static constexpr std::chrono::milliseconds kSlice{50}, kStep{200}, kPeriodMax{3200};
  // To ask again whether a lower priority would do costs some parts of tasks there, of which each may take seconds.
  static constexpr std::chrono::milliseconds kRaised{30000};
  // The least that a thread puts up with, of the time in which nothing but the processor keeps it waiting. At nice 10 there is half a
  // processor beside the server's own short statements, a tenth beside one thread that wants all of it, 3 % beside three.
  static constexpr double kIdleShareMin = 0.1, kLowShareMin = 0.15;

  const unsigned processors_;
  Priority priority_ = Priority::kIdle;
  std::chrono::milliseconds left_{0};        // at this priority
  std::chrono::milliseconds period_{kStep};  // the next time at nice 10
};

/// Whether so much processor time of this server in `wall` means that others have most of the machine.
bool others_have_most(std::chrono::nanoseconds process, std::chrono::nanoseconds wall, unsigned processors);

/// Watches over a statement's work on threads of low priority. A part of a task is not cut short when its time is over, and on a
/// thread that gets next to nothing it may take half a minute: the thread has a higher priority then, where the server may give it
/// (CAP_SYS_NICE), until the work is done. Has a thread of its own. Thread: one calls run().
class OverdueWatch {
 public:
  explicit OverdueWatch(unsigned processors) : processors_(processors), watcher_([this] { watch(); }) {}
  ~OverdueWatch();
  OverdueWatch(const OverdueWatch&) = delete;
  OverdueWatch& operator=(const OverdueWatch&) = delete;

  /// Calls `body` on the calling thread, which has `priority` and gets it back.
  void run(Priority priority, const std::function<void()>& body);

 private:
  using Clock = std::chrono::steady_clock;
  // Ten slices: at a tenth of a processor, which is enough in SCHED_IDLE, a part of a task of one slice takes so long.
  static constexpr std::chrono::milliseconds kOverdue{500};
  void watch();

  const unsigned processors_;
  Mutex mutex_;
  std::condition_variable wake_;
  bool closing_ GUARDED_BY(mutex_) = false;
  pid_t thread_ GUARDED_BY(mutex_) = 0;  // 0: nothing runs
  Priority priority_ GUARDED_BY(mutex_) = Priority::kNormal;
  Clock::time_point since_ GUARDED_BY(mutex_);  // at this priority
  std::chrono::nanoseconds process_ GUARDED_BY(mutex_){0};
  std::thread watcher_;
};

}  // namespace omendb::sql
