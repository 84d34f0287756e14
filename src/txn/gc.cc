#include "txn/gc.h"

#include "txn/stamp.h"

namespace omendb::txn {

class VersionReaper final : public store::Reaper {
 public:
  VersionReaper(Timestamp horizon, std::shared_ptr<const Loads> loads, std::atomic<uint64_t>& dropped)
      : horizon_(horizon), loads_(std::move(loads)), dropped_(dropped) {}

  ~VersionReaper() override { dropped_.fetch_add(count_, std::memory_order_relaxed); }

  bool drop(std::string_view key, std::string_view) noexcept override {
    if (key.size() < kStorageBytes + kStampBytes) return false;
    const uint32_t storage = load_be32(key.data());
    if (storage < kFirstVersionedStorage && storage != kVersionedCatalogStorage.value) return false;
    const std::string_view prefix = key.substr(0, key.size() - kStampBytes);
    const bool same = prefix == last_;
    if (!same) {
      last_.assign(prefix);
      superseded_ = false;
    }
    if (superseded_) {
      ++count_;
      return true;
    }
    const Stamp stamp = stamp_of(key);
    uint64_t ts = stamp.number();
    if (stamp.is_load()) {
      const Loads::State state = loads_->find(stamp.number());
      if (state.kind == Loads::State::Kind::kPending) return false;
      if (state.kind == Loads::State::Kind::kDead) {
        ++count_;
        return true;
      }
      ts = state.value;
    }
    superseded_ = ts <= horizon_.value;
    return false;
  }

 private:
  const Timestamp horizon_;
  const std::shared_ptr<const Loads> loads_;
  std::atomic<uint64_t>& dropped_;
  uint64_t count_ = 0;
  std::string last_;
  bool superseded_ = false;
};

std::unique_ptr<store::Reaper> VersionReapers::make() noexcept {
  MutexLock lock(mutex_);
  if (timeline_ == nullptr) return nullptr;
  return std::make_unique<VersionReaper>(timeline_->horizon(), loads_, dropped_);
}

void VersionReapers::connect(Timeline* timeline, std::shared_ptr<const Loads> loads) {
  MutexLock lock(mutex_);
  timeline_ = timeline;
  loads_ = std::move(loads);
}

}  // namespace omendb::txn
