// Housekeeping, on a thread of its own: bodies of rows that a committed DROP or a rollback left behind.
#include <algorithm>

#include "table/database_impl.h"
#include "txn/stamp.h"

namespace omendb::table {

void DatabaseImpl::maintain() {
  for (;;) {
    {
      MutexLock lock(maintenance_mutex_);
      if (closing_) return;
      if (drops_.empty()) {
        lock.wait_for(maintenance_wake_, std::chrono::seconds(1));
      } else {
        lock.wait_for(maintenance_wake_, std::chrono::milliseconds(50));
      }
      if (closing_) return;
    }
    drop_unneeded_storages(false);
  }
}

void DatabaseImpl::drop_unneeded_storages(bool closing) {
  const Timestamp horizon = manager_.timeline().horizon();
  std::vector<Drop> ready;
  {
    MutexLock lock(maintenance_mutex_);
    auto keep = std::partition(drops_.begin(), drops_.end(),
                               [&](const Drop& d) { return !closing && d.after > horizon; });
    ready.assign(keep, drops_.end());
    drops_.erase(keep, drops_.end());
  }
  for (const Drop& drop : ready) {
    // If this fails the rows stay behind until the next start finds that nobody owns them.
    (void)store_->drop_range(txn::storage_prefix(drop.storage),
                             txn::storage_prefix(StorageId(drop.storage.value + 1)));
    std::string sequence = txn::storage_prefix(catalog::kSequenceStorage);
    sequence.resize(txn::kStorageBytes + 4);
    txn::put_u32(drop.storage.value, sequence.data() + txn::kStorageBytes);
    store::Batch batch;
    batch.erase(sequence);
    (void)store_->write(batch, store::Sync::kNo);
  }
}

}  // namespace omendb::table
