#include "sql/engine/standing_back.h"

#include <unistd.h>

#include <ctime>

namespace omendb::sql {
namespace {

bool less(StandingSample::Duration part, double share, StandingSample::Duration whole) {
  return static_cast<double>(part.count()) < share * static_cast<double>(whole.count());
}

std::chrono::nanoseconds process_time() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

bool others_have_most(std::chrono::nanoseconds process, std::chrono::nanoseconds wall, unsigned processors) {
  return less(process, 0.5, wall * processors);
}

StandingBack::StandingBack(unsigned processors, bool raised) : processors_(processors) {
  if (!raised) return;
  priority_ = Priority::kNormal;
  left_ = kRaised;
}

bool StandingBack::take(const StandingSample& sample) {
  const double share_min = priority_ == Priority::kIdle ? kIdleShareMin : kLowShareMin;
  // All that is left to do is the workers', and they do not do it.
  const bool workers_starve = 2 * sample.waited > sample.wall && less(sample.workers, share_min, sample.waited);
  // A wait for workers lasts until there is a processor to notice its end.
  const auto wanted = std::min(sample.cpu + sample.queued, sample.wall - sample.waited);
  const bool starves = workers_starve || less(sample.cpu, share_min, wanted);
  const bool crowded = others_have_most(sample.process, sample.wall, processors_);

  switch (priority_) {
    case Priority::kIdle:
      if (starves) {
        priority_ = Priority::kLow;
        left_ = period_;
        period_ = std::min(2 * period_, kPeriodMax);
      } else {
        period_ = kStep;
      }
      return workers_starve;
    case Priority::kLow:
      if (starves && crowded) {
        priority_ = Priority::kNormal;
        left_ = kRaised;
        return false;
      }
      break;
    case Priority::kNormal:
      if (!crowded) left_ = std::chrono::milliseconds(0);
      break;
  }
  left_ -= std::chrono::duration_cast<std::chrono::milliseconds>(sample.wall);
  if (left_ <= std::chrono::milliseconds(0)) priority_ = Priority::kIdle;
  return false;
}

OverdueWatch::~OverdueWatch() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  watcher_.join();
}

void OverdueWatch::run(Priority priority, const std::function<void()>& body) {
  {
    const MutexLock lock(mutex_);
    thread_ = gettid();
    priority_ = priority;
    since_ = Clock::now();
    process_ = process_time();
  }
  wake_.notify_one();
  struct End {
    OverdueWatch& watch;
    Priority own;
    ~End() {
      const MutexLock lock(watch.mutex_);
      watch.thread_ = 0;
      if (watch.priority_ != own) set_priority(gettid(), own);
    }
  } const end{*this, priority};
  body();
}

void OverdueWatch::watch() {
  MutexLock lock(mutex_);
  while (!closing_) {
    if (thread_ == 0 || priority_ == Priority::kNormal) {
      lock.wait(wake_);
      continue;
    }
    const auto now = Clock::now();
    if (now < since_ + kOverdue) {
      lock.wait_for(wake_, since_ + kOverdue - now);
      continue;
    }
    const auto process = process_time();
    if (priority_ == Priority::kIdle) {
      priority_ = Priority::kLow;
    } else if (others_have_most(process - process_, now - since_, processors_)) {
      priority_ = Priority::kNormal;
    }
    set_priority(thread_, priority_);
    since_ = now;
    process_ = process;
  }
}

}  // namespace omendb::sql
