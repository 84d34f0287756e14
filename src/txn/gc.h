// Which versions does nobody need any more?
//
// While the store rewrites a run of entries, it shows them here in key order, so the versions of a key come newest first.
// Once one of them is committed at or below the horizon, every older one of that key is dropped. A version needs no recorded end
// for that: its successor is its end. Dead loads are dropped wherever they are met. Tombstones stay: whether an older version
// lies in a file outside the run is not known here. table/vacuum.cc removes whole dead keys.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "store/store.h"
#include "txn/timeline.h"

namespace omendb::txn {

/// Made before the store, connected to the manager once that has started: the files that recovery writes are not reaped.
class VersionReapers final : public store::ReaperFactory {
 public:
  std::unique_ptr<store::Reaper> make() noexcept override;
  /// nullptr: reap nothing from now on. `timeline` must live until then. A run that has begun goes on, on the store's own
  /// threads, and shares `loads`: a run that asked a table of loads that is gone would take every load for dead.
  void connect(Timeline* timeline, std::shared_ptr<const Loads> loads);
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  friend class VersionReaper;
  Mutex mutex_;
  Timeline* timeline_ = nullptr;
  std::shared_ptr<const Loads> loads_;
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace omendb::txn
