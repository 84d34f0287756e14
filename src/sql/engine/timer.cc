#include "sql/engine/timer.h"

namespace omendb::sql {

Timer::Timer() : thread_([this] { run(); }) {}

Timer::~Timer() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

uint64_t Timer::schedule(Clock::time_point deadline, std::function<void()> call) {
  MutexLock lock(mutex_);
  const uint64_t id = next_id_++;
  const bool first = calls_.empty() || deadline < calls_.begin()->first.first;
  calls_.emplace(std::make_pair(deadline, id), std::move(call));
  deadlines_.emplace(id, deadline);
  if (first) wake_.notify_all();
  return id;
}

void Timer::cancel(uint64_t id) {
  MutexLock lock(mutex_);  // calls run under the lock, so none is running now
  auto it = deadlines_.find(id);
  if (it == deadlines_.end()) return;
  calls_.erase({it->second, id});
  deadlines_.erase(it);
}

void Timer::run() {
  MutexLock lock(mutex_);
  while (!stop_) {
    if (calls_.empty()) {
      lock.wait(wake_);
      continue;
    }
    const auto now = Clock::now();
    auto first = calls_.begin();
    if (first->first.first > now) {
      lock.wait_for(wake_, first->first.first - now);
      continue;
    }
    auto call = std::move(first->second);
    deadlines_.erase(first->first.second);
    calls_.erase(first);
    call();
  }
}

}  // namespace omendb::sql
