// Readers of the index and of the row cache hold nothing but an epoch, for the length of one step (index/epoch.h). One that
// gets stuck in a step keeps everything from being freed that is retired after it. Nothing can take the epoch from it; so the
// server says so: a warning when the bytes that wait pass a bound, and a line when they are gone.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace omendb::server {

class StallWatch {
 public:
  using Warn = std::function<void(const std::string&)>;
  static constexpr size_t kBytesMax = size_t{256} << 20;
  static constexpr int kEveryMs = 5000;

  /// Looks every `every_ms`; `warn` is called on a thread of its own.
  StallWatch(size_t bytes_max, int every_ms, Warn warn);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  void watch();

  const size_t bytes_max_;
  const int every_ms_;
  const Warn warn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace omendb::server
