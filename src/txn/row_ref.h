// A row that was read and not copied.
#pragma once

#include <string>
#include <string_view>

#include "index/epoch.h"

namespace omendb::txn {

/// A row where it lies: in the row cache, among the transaction's own writes, or in a copy here when it came from the store.
///
/// Pins an epoch from its making to its end, so it belongs to one thread and at most to one statement; many reads may go
/// through one. The bytes are there until the next read through it, and until the transaction writes.
class RowRef {
 public:
  std::string_view bytes() const { return bytes_; }

 private:
  friend class KeyReader;
  index::EpochGuard guard_;
  std::string_view bytes_;
  std::string copy_;
};

}  // namespace omendb::txn
