// Threads that stand back: long work on them leaves the processors to short work.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace omendb {

/// Linux gives each thread a policy and a nice value of its own (sched(7)).
enum class Priority : uint8_t {
  kNormal,
  kLow,   // nice 10: a tenth of a processor that others want as well
  kIdle,  // SCHED_IDLE: what nobody else wants, and gone at once when somebody does
};
/// Of a thread of this process, and those that it will create; kNormal is what the process's first thread has. Without privileges
/// no thread gets a higher priority than it has: it stays as it is then.
void set_priority(pid_t thread, Priority priority);
/// Of the calling thread.
void lower_priority(Priority priority);

/// Threads on which callers have work done. There are as many as callers at the same time; those without work wait. Thread: any.
class BackgroundThreads {
 public:
  explicit BackgroundThreads(Priority priority) : priority_(priority) {}
  /// No caller is in run() any more.
  ~BackgroundThreads();
  BackgroundThreads(const BackgroundThreads&) = delete;
  BackgroundThreads& operator=(const BackgroundThreads&) = delete;

  /// Runs `body` on one of the threads and returns when it is done; what it throws is thrown here.
  /// Throws std::system_error if a thread is needed and the system gives none.
  void run(const std::function<void()>& body);

 private:
  struct Task {
    const std::function<void()>* body;
    std::exception_ptr error;
    bool done = false;
    std::condition_variable ended;
  };
  void work();

  const Priority priority_;
  Mutex mutex_;
  std::vector<Task*> waiting_ GUARDED_BY(mutex_);  // as many as notified threads
  size_t idle_ GUARDED_BY(mutex_) = 0;             // threads without work, less waiting tasks
  bool closing_ GUARDED_BY(mutex_) = false;
  std::condition_variable wake_;
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace omendb
