#include "base/background_threads.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace omendb {

namespace {
constexpr int kLowNice = 10;
}

void set_priority(pid_t thread, Priority priority) {
  // A failure leaves the priority as it is, which costs time and nothing else.
  const sched_param none{};
  const int policy = priority == Priority::kIdle ? SCHED_IDLE : sched_getscheduler(getpid());
  if (sched_getscheduler(thread) != policy) sched_setscheduler(thread, policy, &none);
  if (priority == Priority::kIdle) return;
  const int nice = getpriority(PRIO_PROCESS, static_cast<id_t>(getpid()));
  setpriority(PRIO_PROCESS, static_cast<id_t>(thread), priority == Priority::kLow ? std::max(nice, kLowNice) : nice);
}

void lower_priority(Priority priority) {
  if (priority != Priority::kNormal) set_priority(gettid(), priority);
}

BackgroundThreads::~BackgroundThreads() {
  {
    const MutexLock lock(mutex_);
    CHECK(waiting_.empty());
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void BackgroundThreads::run(const std::function<void()>& body) {
  Task task{.body = &body};
  MutexLock lock(mutex_);
  if (idle_ == 0) {
    threads_.emplace_back([this] { work(); });
  } else {
    --idle_;
  }
  waiting_.push_back(&task);
  wake_.notify_one();
  while (!task.done) lock.wait(task.ended);
  if (task.error) std::rethrow_exception(task.error);
}

void BackgroundThreads::work() {
  lower_priority(priority_);
  MutexLock lock(mutex_);
  while (true) {
    while (waiting_.empty()) {
      if (closing_) return;
      lock.wait(wake_);
    }
    Task* task = waiting_.back();
    waiting_.pop_back();
    lock.unlock();
    try {
      (*task->body)();
    } catch (...) {
      task->error = std::current_exception();
    }
    lock.lock();
    task->done = true;
    task->ended.notify_one();  // under the lock: the task is its caller's
    ++idle_;
  }
}

}  // namespace omendb
