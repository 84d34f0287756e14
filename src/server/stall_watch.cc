#include "server/stall_watch.h"

#include <chrono>
#include <utility>

#include "index/epoch.h"

namespace omendb::server {

StallWatch::StallWatch(size_t bytes_max, int every_ms, Warn warn)
    : bytes_max_(bytes_max), every_ms_(every_ms), warn_(std::move(warn)), thread_([this] { watch(); }) {}

StallWatch::~StallWatch() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StallWatch::watch() {
  bool stalled = false;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(every_ms_), [this] { return ending_; })) {
    const size_t waiting = index::epoch_waiting_bytes();
    if ((waiting > bytes_max_) == stalled) continue;
    stalled = !stalled;
    if (stalled) {
      warn_(std::to_string(waiting >> 20) + " MB of the index wait for a reader that lags " +
            std::to_string(index::epoch_pinned_behind()) + " epochs behind");
    } else {
      warn_("memory of the index that waited for a reader was freed");
    }
  }
}

}  // namespace omendb::server
