// Which columns are a row's key to others: a lock that is for the key alone, as foreign keys take, is for these.
#pragma once

#include "table/database.h"

namespace omendb::table {

/// Whether foreign keys may refer to the index's columns (PostgreSQL's INDEX_ATTR_BITMAP_KEY).
inline bool is_key(const TableAccess::IndexAccess& index) {
  return index.index.unique && !index.deferrable && !index.needs_evaluator;
}

}  // namespace omendb::table
