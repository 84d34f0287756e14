#include "sql/engine/duck_workers.h"

#include <pthread.h>
#include <unistd.h>

#include <ctime>
#include <utility>

namespace omendb::sql {

DuckWorkers::DuckWorkers(duckdb::TaskScheduler& scheduler, int threads) : scheduler_(scheduler) {
  for (const Priority priority : {Priority::kNormal, Priority::kLow, Priority::kIdle}) {
    Crew& crew = crew_of(priority);
    crew.priority = priority;
    crew.works = priority == Priority::kNormal;
    for (int i = 0; i < threads; ++i) crew.threads.emplace_back([this, &crew] { work(crew); });
  }
}

DuckWorkers::~DuckWorkers() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    for (Crew& crew : crews_) crew.works = false;
  }
  wake_.notify_all();
  for (Crew& crew : crews_) {
    while (crew.inside > 0) {
      scheduler_.Signal(crew.inside);
      std::this_thread::yield();
    }
    for (auto& thread : crew.threads) thread.join();
  }
}

void DuckWorkers::use(Priority priority) {
  Crew& crew = crew_of(priority);
  if (!crew.works) {
    const MutexLock lock(mutex_);
    if (closing_) return;
    if (std::exchange(crew.raised, false)) {
      for (const pid_t thread : crew.ids) set_priority(thread, crew.priority);
    }
    for (Crew& other : crews_) other.works = &other == &crew;
    wake_.notify_all();
  }
  size_t asleep = 0;
  for (Crew& other : crews_) asleep += &other == &crew ? 0 : other.inside.load();
  if (asleep > 0) scheduler_.Signal(asleep);
}

std::chrono::nanoseconds DuckWorkers::processor_time() {
  std::chrono::nanoseconds total{0};
  for (Crew& crew : crews_) {
    for (auto& thread : crew.threads) {
      clockid_t clock;
      timespec time{};
      if (pthread_getcpuclockid(thread.native_handle(), &clock) == 0) clock_gettime(clock, &time);
      total += std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }
  }
  return total;
}

void DuckWorkers::raise_others() {
  const MutexLock lock(mutex_);
  for (Crew& crew : crews_) {
    if (crew.works || std::exchange(crew.raised, true)) continue;
    for (const pid_t thread : crew.ids) set_priority(thread, Priority::kNormal);
  }
}

void DuckWorkers::work(Crew& crew) {
  {
    const MutexLock lock(mutex_);
    lower_priority(crew.priority);
    crew.ids.push_back(gettid());
  }
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!crew.works && !closing_) lock.wait(wake_);
      if (closing_) return;
      ++crew.inside;
    }
    scheduler_.ExecuteForever(&crew.works);
    --crew.inside;
    // What woke it up may have been meant for the others.
    if (scheduler_.GetNumberOfTasks() > 0) scheduler_.Signal(1);
  }
}

}  // namespace omendb::sql
