// Inside io: the families of types whose forms live in files of their own, and big-endian numbers.
#pragma once

#include "base/bytes.h"
#include "types/io.h"

namespace omendb::types {

inline void append_be16(uint16_t v, std::string* out) { append_raw(__builtin_bswap16(v), out); }
inline void append_be32(uint32_t v, std::string* out) { append_raw(__builtin_bswap32(v), out); }
inline void append_be64(uint64_t v, std::string* out) { append_raw(__builtin_bswap64(v), out); }

/// Of a receive() that leaves bytes over. Whoever called it says where: Bind, a record's column, an array's element.
inline Status incorrect_binary_format() {
  return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
}
inline Status part_received(Status status, const std::string& part) {
  if (status.ok() || status.info().message != "incorrect binary data format") return status;
  return Status(SqlState::kInvalidBinaryRepresentation, "improper binary format in " + part);
}

/// Types of the user's have other OIDs where the value comes from; those that PostgreSQL is born with have not.
inline bool may_stand_for(Oid sent, Oid expected) {
  constexpr uint32_t kFirstOthers = 10000;
  return sent == expected || sent.value >= kFirstOthers || expected.value >= kFirstOthers;
}
inline std::string numbered_name(Oid type, const IoContext& context) {
  const auto name = context.catalog == nullptr ? std::nullopt : context.catalog->type_name(type);
  return std::to_string(type.value) + " (" + name.value_or("???") + ")";
}

inline bool is_domain(Oid type, const IoContext& context) {
  return context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'd';
}
/// What lies below a domain, and below the domains it is over.
struct DomainBase {
  Oid type;
  int32_t typmod = -1;
  DomainBase(Oid domain, const IoContext& context) : type(domain) {
    while (is_domain(type, context)) type = context.catalog->base_type(type, &typmod);
  }
  PhysicalType physical() const { return physical_type(type, typmod); }
};

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
