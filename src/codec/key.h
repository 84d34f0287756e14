// Order-preserving keys: memcmp order of the bytes is PostgreSQL's order of the values.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/value.h"

namespace omendb::codec {

/// One column of a key.
struct KeyColumn {
  Oid type;  // the type's order: text and bytea by bytes, numeric, interval, float with NaN last, ...
  types::PhysicalType physical;
  bool descending = false;
  bool nulls_first = false;
  bool nullable = false;  // primary keys are not: they pay no null byte
};

/// Appends the key form of `value`. Composite keys are the columns' forms one after the other; every form is self-delimiting,
/// so a prefix of columns is a prefix of bytes.
/// Errors: 0A000 for a type without an order (json).
Status append_any_key(const KeyColumn& column, const types::ValueView& value, std::string* out);
/// The same; the integers that most keys are take no call.
[[gnu::always_inline]] inline Status append_key(const KeyColumn& column, const types::ValueView& value,
                                                std::string* out) {
  const bool plain = !value.null && !column.nullable && !column.descending;
  if (plain && column.physical.kind == types::Physical::kInt64) {
    const uint64_t bytes = __builtin_bswap64(static_cast<uint64_t>(value.integer) ^ (uint64_t{1} << 63));
    out->append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
    return {};
  }
  if (plain && column.physical.kind == types::Physical::kInt32) {
    const uint32_t bytes = __builtin_bswap32(static_cast<uint32_t>(value.integer) ^ (uint32_t{1} << 31));
    out->append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
    return {};
  }
  const types::ValueView copy = value;  // so that the value itself need not lie in memory for those above
  return append_any_key(column, copy, out);
}

/// Reads one column back and advances `bytes`. Forms are lossless but where PostgreSQL's equality is:
/// trailing zeros of numerics, the sign of a floating zero, '1 mon' and '30 days'. Arrays, records and jsonb cannot be read back.
/// Errors: XX001 on damage, 0A000.
Status read_key(const KeyColumn& column, std::string_view* bytes, types::Value* out);

/// The smallest string that is greater than every string with this prefix; empty if there is none.
std::string prefix_successor(std::string_view prefix);

}  // namespace omendb::codec
