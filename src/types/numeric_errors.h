// Inside numeric: the errors that several of its functions raise, in PostgreSQL's words.
#pragma once

#include "base/status.h"

namespace omendb::types::internal {

inline Status numeric_overflow() { return Status(SqlState::kNumericValueOutOfRange, "value overflows numeric format"); }
inline Status division_by_zero() { return Status(SqlState::kDivisionByZero, "division by zero"); }

}  // namespace omendb::types::internal
