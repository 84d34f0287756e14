#include "txn/cursor.h"

namespace omendb::txn {

VersionCursor::VersionCursor(store::Store& store, const Loads& loads, const View& view, StorageId storage,
                             std::string_view lower, std::string_view upper, bool reverse, const CursorMemory& memory)
    : store_(store),
      loads_(loads),
      view_(view),
      storage_(storage),
      reverse_(reverse),
      memory_(memory),
      lower_(lower),
      upper_(upper) {}

/// (Re)starts both sides; after a move of own writes to the store, beyond the key given last.
void VersionCursor::open() {
  std::string lower = lower_, upper = upper_;
  if (has_last_) {
    if (reverse_) {
      upper = last_key_;
    } else {
      lower = last_key_;
    }
  }
  in_store_.reset();
  in_memory_.reset();
  const bool nothing = reverse_ && has_last_ && upper.empty();  // the empty key was given
  const bool own_loads = view_.own_loads != nullptr && !view_.own_loads->empty();
  if (!nothing && memory_.directory != nullptr && !own_loads) {
    in_memory_.emplace(store_, loads_, *memory_.reader, view_, storage_, *memory_.directory, lower, upper, reverse_);
  } else if (!nothing) {
    in_store_.emplace(store_, loads_, view_, storage_, lower, upper, reverse_);
  }

  own_ = view_.writes != nullptr ? view_.writes->find(storage_) : nullptr;
  own_valid_ = false;
  if (view_.writes != nullptr) {
    generation_ = view_.writes->generation();
    own_memory_ = view_.writes->memory();
  }
  if (own_ != nullptr) {
    if (reverse_) {
      own_begin_ = own_->lower_bound(std::string_view(lower_));
      own_at_ = has_last_        ? own_->lower_bound(std::string_view(last_key_))
                : upper_.empty() ? own_->end()
                                 : own_->lower_bound(std::string_view(upper_));
    } else {
      own_at_ =
          has_last_ ? own_->upper_bound(std::string_view(last_key_)) : own_->lower_bound(std::string_view(lower_));
      own_end_ = upper_.empty() ? own_->end() : own_->lower_bound(std::string_view(upper_));
    }
    advance_own();
  }
  advance_committed();
  if (has_last_ && committed_valid_ && committed_key_ == last_key_) advance_committed();
}

void VersionCursor::advance_committed() {
  if (in_memory_.has_value()) {
    committed_valid_ = in_memory_->next();
    if (committed_valid_) {
      committed_key_ = in_memory_->key();
      committed_row_ = in_memory_->row();
    } else {
      status_ = in_memory_->status();
    }
    return;
  }
  committed_valid_ = in_store_.has_value() && in_store_->next();
  if (committed_valid_) {
    committed_key_ = in_store_->key();
    committed_row_ = in_store_->row();
  } else if (in_store_.has_value()) {
    status_ = in_store_->status();
  }
}

/// Moves the own side to its next entry that this command sees. Tombstones count: they hide the store's row.
void VersionCursor::advance_own() {
  own_valid_ = false;
  if (reverse_) {
    while (own_at_ != own_begin_) {
      // Entries below the lower bound may have come since, so the bound is checked by key.
      --own_at_;
      if (own_at_->first < lower_) return;
      if ((own_version_ = own_at_->second.visible(view_.command)) != nullptr) {
        own_key_ = own_at_->first;
        own_valid_ = true;
        return;
      }
    }
    return;
  }
  while (own_at_ != own_end_) {
    const auto at = own_at_++;
    if (!upper_.empty() && at->first >= upper_) return;
    if ((own_version_ = at->second.visible(view_.command)) != nullptr) {
      own_key_ = at->first;
      own_valid_ = true;
      return;
    }
  }
}

bool VersionCursor::next() {
  if (!status_.ok()) return false;
  if (!started_) {
    started_ = true;
    open();
  } else if (view_.writes != nullptr && view_.writes->generation() != generation_) {
    open();
  } else {
    if (from_own_) advance_own();
    if (from_committed_) advance_committed();
  }
  for (;;) {
    if (!status_.ok()) return false;
    from_own_ = from_committed_ = false;
    if (own_valid_ && committed_valid_) {
      const int order = own_key_.compare(committed_key_);
      from_own_ = reverse_ ? order >= 0 : order <= 0;
      from_committed_ = reverse_ ? order <= 0 : order >= 0;
    } else {
      from_own_ = own_valid_;
      from_committed_ = committed_valid_;
    }
    if (!from_own_ && !from_committed_) return false;
    if (from_own_ && own_version_->tombstone) {
      advance_own();
      if (from_committed_) advance_committed();
      continue;
    }
    key_ = from_own_ ? own_key_ : committed_key_;
    row_ = from_own_ ? own_version_->row : committed_row_;
    if (view_.writes != nullptr) {
      last_key_.assign(key_);
      has_last_ = true;
    }
    return true;
  }
}

}  // namespace omendb::txn
