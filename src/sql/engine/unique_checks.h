// Deferrable unique constraints: rows that may be duplicates (table/database.h: UniqueCheck) are looked at again when their statement is
// done, or, while the constraint is deferred, before the transaction commits.
#pragma once

#include "sql/engine/session_impl.h"

namespace omendb::sql {

/// At the end of a statement: checks what it wrote, defers it, or, inside a WITH, leaves it to the whole statement. Throws 23505.
void settle_unique_checks(SessionImpl& session);
/// Checks all that is deferred, or only what is so no longer (SET CONSTRAINTS).
void fire_deferred_unique_checks(SessionImpl& session, bool all);

}  // namespace omendb::sql
