// base/: what every other folder stands on, and nothing a database would be needed for.
//
//   check.h      CHECK: our own mistakes stop the process
//   status.h     Status, Result<T>, ErrorInfo: expected trouble, with PostgreSQL's fields
//   sqlstate.h   every SQLSTATE of PostgreSQL 15
//   strong_id.h  Oid, StorageId, Timestamp: identities that cannot be mixed up
//   mutex.h      Mutex, MutexLock: locks whose use the compiler checks (clang)
//   clock.h      the seam for time, so that a test owns it
#pragma once

#include "base/check.h"
#include "base/mutex.h"
#include "base/sqlstate.h"
#include "base/status.h"
#include "base/strong_id.h"
