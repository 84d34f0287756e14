// base/: what every other folder stands on, and nothing a database would be needed for.
//
//   check.h      CHECK: our own mistakes stop the process
//   status.h     Status, Result<T>, ErrorInfo: expected trouble, with PostgreSQL's fields
//   sqlstate.h   every SQLSTATE of PostgreSQL 15
//   strong_id.h  Oid, StorageId, Timestamp: identities that cannot be mixed up
//   mutex.h      Mutex, MutexLock: locks whose use the compiler checks (clang)
//   clock.h      the seam for time, so that a test owns it
//   bytes.h      numbers among bytes, unaligned: in the machine's order, and big-endian
//   striped_counter.h     a counter that many threads add to without sharing a cache line
//   background_threads.h  threads that stand back for short work
//   stack_depth.h         how deep a recursion over outside input may go
#pragma once

#include "base/check.h"
#include "base/mutex.h"
#include "base/sqlstate.h"
#include "base/status.h"
#include "base/strong_id.h"
