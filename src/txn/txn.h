// txn/: which version may I see, and may I commit?
//
// (essay, states and invariants belong here: see DESIGN.md "Transactions")
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
  kAccessShare, kRowShare, kRowExclusive, kShareUpdateExclusive, kShare, kShareRowExclusive, kExclusive, kAccessExclusive
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
};

}  // namespace omendb::txn
