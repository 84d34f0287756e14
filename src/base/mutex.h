// Mutex with Clang's thread-safety annotations, which libstdc++'s std::mutex lacks.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define OMENDB_ANNOTATION(x) __attribute__((x))
#else
#define OMENDB_ANNOTATION(x)
#endif
#define GUARDED_BY(mutex) OMENDB_ANNOTATION(guarded_by(mutex))
#define REQUIRES(...) OMENDB_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) OMENDB_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace omendb {

class OMENDB_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() OMENDB_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() OMENDB_ANNOTATION(release_capability()) { mutex_.unlock(); }
  bool try_lock() OMENDB_ANNOTATION(try_acquire_capability(true)) { return mutex_.try_lock(); }
  std::mutex& native() { return mutex_; }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope. wait() gives it up while sleeping on a condition.
class OMENDB_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) OMENDB_ANNOTATION(acquire_capability(mutex)) : lock_(mutex.native()) {}
  ~MutexLock() OMENDB_ANNOTATION(release_capability()) = default;
  void wait(std::condition_variable& condition) { condition.wait(lock_); }
  template <class Duration>
  bool wait_for(std::condition_variable& condition, Duration duration) {
    return condition.wait_for(lock_, duration) == std::cv_status::no_timeout;
  }
  void unlock() OMENDB_ANNOTATION(release_capability()) { lock_.unlock(); }
  void lock() OMENDB_ANNOTATION(acquire_capability()) { lock_.lock(); }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace omendb
