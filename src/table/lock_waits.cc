#include "table/lock_waits.h"

#include "table/database_impl.h"

namespace omendb::table {

std::vector<LockWaitOf> lock_waits(Database& database) {
  std::vector<LockWaitOf> waits;
  auto& database_impl = static_cast<DatabaseImpl&>(database);
  database_impl.manager().locks().for_each_wait([&](const txn::LockOwner& waiter, const txn::LockOwner& blocker) {
    waits.push_back({waiter.process_id, blocker.process_id});
  });
  database_impl.manager().dependencies().for_each_wait([&](int32_t waiter, int32_t blocker) {
    waits.push_back({waiter, blocker});
  });
  return waits;
}

}  // namespace omendb::table
