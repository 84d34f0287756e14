// Who waits for whom.
#pragma once

#include <cstdint>
#include <vector>

#include "table/database.h"

namespace omendb::table {

/// A process that waits for a lock, and one that holds it or stands before it in the queue.
struct LockWaitOf {
  int32_t process_id, blocked_by;
};

/// All of them, of rows, objects, transactions and snapshots that are not known to be safe yet, at about one moment. Cost: a look at every lock there is. Thread: any.
std::vector<LockWaitOf> lock_waits(Database& database);

}  // namespace omendb::table
