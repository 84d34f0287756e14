#include "txn/cached_scan.h"

#include <algorithm>

namespace omendb::txn {
namespace {

constexpr size_t kBatchKeys = 128;
constexpr size_t kSeekKeys = 64;
constexpr size_t kBatchBytes = 256 << 10;
// A row fetched alone costs as much as some sixteen that the store gives in order.
constexpr size_t kFetchShare = 16;
// Where rows are not in memory and will not be, so many pass before memory is asked again.
constexpr size_t kStoreRun = 4096;

}  // namespace

CachedScan::CachedScan(store::Store& store, const Loads& loads, const VersionReader& reader, const View& view,
                       StorageId storage, KeyDirectory& directory, std::string_view lower, std::string_view upper,
                       bool reverse)
    : store_(store),
      loads_(loads),
      reader_(reader),
      view_{view.snapshot},
      storage_(storage),
      directory_(directory),
      reverse_(reverse),
      lower_(lower),
      upper_(upper),
      cursor_(directory.index().cursor(kSeekKeys)) {}

void CachedScan::give(std::string_view key, std::string_view row) {
  items_.push_back({bytes_.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(row.size())});
  bytes_.append(key);
  bytes_.append(row);
}

/// The next batch's keys. Requires a guard: the payloads are followed while it is held.
void CachedScan::read_entries() {
  entries_.clear();
  keys_.clear();
  bool more;
  if (!reverse_) {
    std::string from = lower_;
    if (started_) from.assign(last_).push_back('\0');  // the least key beyond it
    more = cursor_.seek(from);
  } else if (!started_ && upper_.empty()) {
    more = cursor_.seek_last();
  } else {
    const std::string& to = started_ ? last_ : upper_;
    more = cursor_.seek_for_prev(to);
    if (more && cursor_.key() == to) more = cursor_.prev();
  }
  while (more) {
    const std::string_view key = cursor_.key();
    if (reverse_ ? key < lower_ : !upper_.empty() && key >= upper_) break;
    const index::Payload payload = cursor_.payload();
    directory_.prefetch(payload);
    entries_.push_back({keys_.size(), static_cast<uint32_t>(key.size()), payload});
    keys_.append(key);
    if (entries_.size() == wanted_) break;
    more = cursor_.next_in(reverse_);
  }
  if (entries_.size() < wanted_) done_ = true;
  wanted_ = std::min(wanted_ * 4, kBatchKeys);
}

/// Gives the batch's rows out of the cache. False: too many are not there; nothing was given. Requires a guard.
bool CachedScan::from_cache() {
  size_t elsewhere = 0;
  for (Entry& e : entries_) {
    const auto place = KeyDirectory::place(e.payload);
    const bool cached = place.kind == KeyDirectory::Place::Kind::kCached && place.row->commit_ts <= view_.snapshot;
    const bool dead = place.kind == KeyDirectory::Place::Kind::kTombstone && !place.stamp.is_load() &&
                      place.stamp.number() <= view_.snapshot.value;
    elsewhere += !cached && !dead;
  }
  if (elsewhere > 1 && elsewhere * kFetchShare > entries_.size()) return false;
  uint64_t cached_rows = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    const auto place = KeyDirectory::place(e.payload);
    if (place.kind == KeyDirectory::Place::Kind::kCached && place.row->commit_ts <= view_.snapshot) {
      give(key_of(e), place.row->row());
      ++cached_rows;
    } else {
      auto found = reader_.get(view_, storage_, key_of(e), &row_buffer_, &directory_);
      if (!found.ok()) {
        status_ = found.status();
        break;
      }
      if (*found) give(key_of(e), row_buffer_);
    }
    if (bytes_.size() > kBatchBytes && i + 1 < entries_.size()) {
      entries_.resize(i + 1);
      done_ = false;
    }
  }
  reader_.counters().scanned_cached.add(cached_rows);
  in_store_ = false;
  return true;
}

/// Gives the store's rows up to the batch's last key, and offers them to the cache.
void CachedScan::from_store() {
  const bool looks = std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) {
    return KeyDirectory::place_kind(e.payload) == KeyDirectory::Place::Kind::kLook;
  });
  if (rows_ == nullptr) {
    rows_ = std::make_unique<StoreScan>(store_, loads_, view_, storage_, lower_, upper_, reverse_);
    rows_->seek(key_of(entries_.front()));
    row_waits_ = false;
  } else if (looks || !in_store_) {
    // What the directory does not know for certain is written down from a look at the store that began after it was asked.
    if (looks) rows_->renew();
    rows_->seek(key_of(entries_.front()));
    row_waits_ = false;
  }
  in_store_ = true;
  RowCache* cache = directory_.row_cache();
  const bool admits = cache != nullptr && cache->has_room();
  const std::string_view last = key_of(entries_.back());
  offers_.clear();
  size_t entry = 0;
  std::string_view settled_to = last;
  while (row_waits_ || rows_->next()) {
    row_waits_ = before(last, rows_->key());
    if (row_waits_) break;
    give(rows_->key(), rows_->row());
    while (entry < entries_.size() && before(key_of(entries_[entry]), rows_->key())) ++entry;
    if (entry < entries_.size() && rows_->newest() && key_of(entries_[entry]) == rows_->key()) {
      const index::Payload payload = entries_[entry].payload;
      directory_.settled(rows_->key(), payload, rows_->stamp(), false);
      if (admits && KeyDirectory::place_kind(payload) != KeyDirectory::Place::Kind::kCached) {
        offers_.push_back({items_.size() - 1, rows_->stamp(), rows_->commit_ts()});
      }
    }
    if (bytes_.size() > kBatchBytes && rows_->key() != last) {
      done_ = false;  // the rest of the keys is read again
      settled_to = rows_->key();
      break;
    }
  }
  last_.assign(settled_to);
  status_ = rows_->status();
  reader_.counters().scanned_store.add(items_.size());
  run_after_ = !admits && !looks && status_.ok() && !done_ && settled_to == last;
  if (offers_.empty()) return;
  admitted_.clear();
  for (const Offer& offer : offers_) {
    const Item& item = items_[offer.item];
    const std::string_view all(bytes_);
    admitted_.push_back({all.substr(item.at, item.key_bytes), all.substr(item.at + item.key_bytes, item.row_bytes),
                         offer.stamp, offer.commit_ts});
  }
  cache->admit_scanned(directory_, admitted_);
}

/// Rows straight from the store, which stands right behind last_.
bool CachedScan::next_of_run() {
  if (!row_waits_ && !rows_->next()) {
    status_ = rows_->status();
    run_ = 0;
    done_ = true;
    return false;
  }
  row_waits_ = false;
  key_ = rows_->key();
  row_ = rows_->row();
  if (--run_ == 0) {
    last_.assign(key_);
    reader_.counters().scanned_store.add(kStoreRun);
  }
  return true;
}

bool CachedScan::fill() {
  items_.clear();
  at_ = 0;
  while (items_.empty()) {
    if (run_after_) {  // also after a batch of which the store gave nothing
      run_after_ = false;
      run_ = kStoreRun;
      return true;
    }
    if (done_ || !status_.ok()) return false;
    bytes_.clear();
    {
      index::EpochGuard guard;
      read_entries();
      if (entries_.empty()) return false;
      if (from_cache()) {
        if (!entries_.empty()) last_.assign(key_of(entries_.back()));
        started_ = true;
        continue;
      }
    }
    from_store();
    started_ = true;
  }
  return true;
}

}  // namespace omendb::txn
