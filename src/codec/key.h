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

/// The key form of an integer that is not null, ascending and of a column that is not `nullable`, as the number whose big-endian bytes it is.
inline uint64_t int8_key_word(int64_t value) { return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63); }
inline uint32_t int4_key_word(int32_t value) { return static_cast<uint32_t>(value) ^ (uint32_t{1} << 31); }
/// Bytes of such a form if the column's values have it, 8 or 4; otherwise 0.
inline uint32_t key_word_bytes(const KeyColumn& column) {
  if (column.nullable || column.descending) return 0;
  return column.physical.kind == types::Physical::kInt64   ? sizeof(uint64_t)
         : column.physical.kind == types::Physical::kInt32 ? sizeof(uint32_t)
                                                           : 0;
}

/// Such a form's bytes.
class KeyWord {
 public:
  KeyWord(uint64_t word, size_t bytes) : big_endian_(__builtin_bswap64(word << (64 - 8 * bytes))), bytes_(bytes) {}
  std::string_view bytes() const { return {reinterpret_cast<const char*>(&big_endian_), bytes_}; }

 private:
  const uint64_t big_endian_;
  const size_t bytes_;
};

/// Appends the key form of `value`. Composite keys are the columns' forms one after the other; every form is self-delimiting,
/// so a prefix of columns is a prefix of bytes.
/// Errors: 0A000 for a type without an order (json).
Status append_any_key(const KeyColumn& column, const types::ValueView& value, std::string* out);
/// The same; the integers that most keys are take no call.
[[gnu::always_inline]] inline Status append_key(const KeyColumn& column, const types::ValueView& value,
                                                std::string* out) {
  const uint32_t word_bytes = value.null ? 0 : key_word_bytes(column);
  if (word_bytes == sizeof(uint64_t)) {
    out->append(KeyWord(int8_key_word(value.integer), sizeof(uint64_t)).bytes());
    return {};
  }
  if (word_bytes == sizeof(uint32_t)) {
    out->append(KeyWord(int4_key_word(static_cast<int32_t>(value.integer)), sizeof(uint32_t)).bytes());
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
