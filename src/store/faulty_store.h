// A store that fails when a test says so.
#pragma once

#include <atomic>
#include <memory>

#include "store/store.h"

namespace omendb::store {

/// What goes wrong, and when: counted down by each write or ingestion (disk_full_in: and by what is put aside), fires once at 0; negative: never.
struct FaultPlan {
  std::atomic<int64_t> disk_full_in{-1};  // fails with 53100, nothing is written; the store goes on
  std::atomic<int64_t> lost_in{-1};       // fails with 40003 and is not there; the store has failed
  std::atomic<int64_t> unknown_in{-1};    // fails with 40003 and is there; the store has failed
  std::atomic<int64_t> delay_us{0};       // every write takes this much longer
};

/// `plan` must outlive the store.
std::unique_ptr<Store> make_faulty(std::unique_ptr<Store> inner, FaultPlan* plan);

}  // namespace omendb::store
