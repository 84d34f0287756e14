#include "txn/ordered_reader.h"

namespace omendb::txn {

Result<bool> OrderedReader::get(std::string_view key, std::string* row) {
  index::Payload payload = 0;
  {
    index::EpochGuard guard;
    std::string_view bytes;
    const auto found = reader_.in_memory(view_, storage_, key, directory_, &bytes, &payload, reader_.counters());
    if (found == VersionReader::InMemory::kRow) row->assign(bytes);
    if (found != VersionReader::InMemory::kAskStore) return found == VersionReader::InMemory::kRow;
  }
  if (payload != 0 && KeyDirectory::place_kind(payload) == KeyDirectory::Place::Kind::kRow) {
    const Stamp stamp = KeyDirectory::place(payload).stamp;
    if (reader_.sees(view_, stamp)) {
      ASSIGN_OR_RETURN(const bool found, reader_.get_exact(storage_, key, stamp, row, directory_));
      if (found) return true;
    }
  }
  reader_.counters().walked.add();
  if (!scan_.has_value()) scan_.emplace(store_, loads_, view_, storage_, key, std::string_view(), false);
  if (ended_) return false;
  if (!waits_ || scan_->key() < key) {
    scan_->seek(key);
    waits_ = scan_->next();
    ended_ = !waits_;
    RETURN_IF_ERROR(scan_->status());
    if (ended_) return false;
  }
  if (scan_->key() != key) return false;
  row->assign(scan_->row());
  return true;
}

}  // namespace omendb::txn
