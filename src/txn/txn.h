// txn/: which version may I see, and may I commit?
//
// This header is the face that statements see; the parts behind it:
//   stamp.h        how versions lie in the store
//   timeline.h     numbers in commit order, the watermark, live snapshots, loads
//   write_set.h    what a transaction has written so far
//   locks.h        row and object locks, deadlocks; for SERIALIZABLE dependencies.h, on marks that key_marks.h keeps
//   directory.h    where the newest version of each key lies: the learned index over a storage
//   row_cache.h    newest rows in memory, one step behind the directory
//   versions.h     reading: the version of a key that a snapshot sees, copied or where it lies (row_ref.h)
//   ordered_reader.h  the same for many keys in order
//   cursor.h       reading ranges; behind it store_scan.h (every version passes by) and cached_scan.h (along the index)
//   commit.h       the commit pipeline: groups, one synced batch each
//   transaction.h  the transaction itself, spilling (load_writer.h), the manager that ties the parts together
//   gc.h           which versions nobody needs any more
//   change_log.h   which keys commits have changed, for who keeps a copy of rows
//
// States of a transaction
//   active -> committing -> committed        commit(): conflict-free by its locks, written, durable, installed, visible
//   active -> rolled back                    rollback(), or a refusal before anything was written (42P07, 53100, ...)
//   committing -> unknown                    the write failed: 40003; the store refuses writes until a restart decides
// A transaction that fails inside a statement stays active here; sql/ refuses statements until ROLLBACK.
//
// A version goes: own write (write set, by command number) -> [load: in the store under a load number, invisible]
// -> committed at a timestamp -> superseded by a newer one -> reaped once the horizon has passed its successor.
//
// Who wins. A writer locks a row before it writes it and keeps the lock to the end. Under the lock it looks at the newest
// committed version. READ COMMITTED goes on with that one (sql/ re-checks the condition); REPEATABLE READ refuses with
// 40001 when it is newer than the snapshot. So nothing is left to check at commit, and no history of commits is needed,
// however old a snapshot is. SERIALIZABLE runs as REPEATABLE READ, notes beside it what is read and written, and refuses
// orders that no serial one could give (dependencies.h): while reading and writing, or at the commit.
//
// Invariants
//   1. A snapshot is a timestamp S; it sees exactly the versions committed at or below S. S never exceeds the watermark.
//   2. The watermark only moves to a timestamp when every commit at or below it is durable, installed and published.
//   3. A key's versions lie in the store in commit order: a writer takes its number while it holds the row's lock, and
//      locks are given up after the commit is published. Loads too: a spill takes its number under the locks.
//   4. Durable before visible; locks released after visible.
//   5. A version is reaped only if a newer version of the same key is committed at or below the horizon, and the horizon is
//      at or below every snapshot alive and every one made later.
//   6. A load number means one transaction, before and after a crash: the clock is made durable above it first.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/strong_id.h"

namespace omendb::txn {

enum class Isolation : uint8_t { kReadUncommitted, kReadCommitted, kRepeatableRead, kSerializable };

/// Table-level lock modes, weakest first; the conflict table is PostgreSQL's (manual 13.3.1).
enum class ObjectLockMode : uint8_t {
  kAccessShare,
  kRowShare,
  kRowExclusive,
  kShareUpdateExclusive,
  kShare,
  kShareRowExclusive,
  kExclusive,
  kAccessExclusive
};

/// A mark in a transaction's writes, locks and catalog changes.
struct Savepoint {
  uint64_t write_mark = 0;
  uint64_t lock_mark = 0;
  uint64_t catalog_mark = 0;
};

/// One transaction. Made by table::Database::begin, ended by its commit or rollback. Thread: one at a time, but cancel().
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual Isolation isolation() const = 0;
  virtual bool read_only() const = 0;
  /// Only before the first statement; SET TRANSACTION checks that.
  virtual void set_isolation(Isolation isolation) = 0;
  virtual void set_read_only(bool read_only) = 0;
  virtual bool has_snapshot() const = 0;
  virtual bool has_writes() const = 0;
  virtual uint64_t id() const = 0;
  virtual Timestamp snapshot() const = 0;

  /// Wakes this transaction from any lock wait with 57014; checked by long loops too. Thread: any. Sticky until clear_cancel().
  virtual void cancel() = 0;
  virtual void clear_cancel() = 0;
  virtual bool cancelled() const = 0;
  /// 0: wait for ever. Microseconds.
  virtual void set_lock_timeout_us(int64_t timeout_us) = 0;
  virtual void set_deadlock_timeout_us(int64_t timeout_us) = 0;
  /// What deadlock reports call this transaction's session; its id until set.
  virtual void set_process_id(int32_t process_id) = 0;
};

}  // namespace omendb::txn
