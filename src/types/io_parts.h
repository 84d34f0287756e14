// Inside io: the families of types whose forms live in files of their own, and big-endian numbers.
#pragma once

#include "base/bytes.h"
#include "types/io.h"

namespace omendb::types {

inline void append_be16(uint16_t v, std::string* out) { append_raw(__builtin_bswap16(v), out); }
inline void append_be32(uint32_t v, std::string* out) { append_raw(__builtin_bswap32(v), out); }
inline void append_be64(uint64_t v, std::string* out) { append_raw(__builtin_bswap64(v), out); }

// The types that io.cc does not know itself: dates and times, json, arrays, records, money. `handled` says whether the type is one.
Status input_part(Oid type, int32_t typmod, std::string_view text, const IoContext& context, Value* out, bool* handled);
bool output_part(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                 std::string* out);
Status receive_part(Oid type, int32_t typmod, std::string_view bytes, const IoContext& context, Value* out,
                    bool* handled);
Status send_part(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                 std::string* out, bool* handled);
/// Applies a typmod to a value that is in its type's only form; false when there is nothing to do.
bool coerce_part(Oid type, const ValueView& value, int32_t typmod, Value* out);

}  // namespace omendb::types
