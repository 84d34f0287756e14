// What a PostgreSQL type is, and how its values lie in memory, in rows and in DuckDB's vectors.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/strong_id.h"

namespace omendb::types {

/// Well-known type OIDs of PostgreSQL 15 (pg_type.dat).
namespace oid {
inline constexpr Oid kBool{16}, kBytea{17}, kChar{18}, kName{19}, kInt8{20}, kInt2{21}, kInt2Vector{22}, kInt4{23},
    kRegproc{24}, kText{25}, kOid{26}, kTid{27}, kXid{28}, kCid{29}, kOidVector{30}, kJson{114}, kXml{142},
    kPgNodeTree{194}, kFloat4{700}, kFloat8{701}, kUnknown{705}, kMoney{790}, kInet{869}, kAclItem{1033}, kBpchar{1042},
    kVarchar{1043}, kDate{1082}, kTime{1083}, kTimestamp{1114}, kTimestampTz{1184}, kInterval{1186}, kTimeTz{1266},
    kBit{1560}, kVarbit{1562}, kNumeric{1700}, kRefcursor{1790}, kRegprocedure{2202}, kRegoper{2203},
    kRegoperator{2204}, kRegclass{2205}, kRegtype{2206}, kRecord{2249}, kCstring{2275}, kAny{2276}, kAnyArray{2277},
    kVoid{2278}, kTrigger{2279}, kInternal{2281}, kAnyElement{2283}, kAnyNonArray{2776}, kUuid{2950}, kAnyEnum{3500},
    kJsonb{3802}, kAnyRange{3831}, kRegnamespace{4089}, kRegrole{4096}, kRegcollation{4191}, kRegconfig{3734},
    kRegdictionary{3769}, kJsonPath{4072}, kXid8{5069}, kPgLsn{3220}, kCidr{650}, kMacaddr{829}, kMacaddr8{774},
    kRecordArray{2287}, kTextArray{1009}, kInt4Array{1007}, kAnyCompatible{5077}, kAnyCompatibleArray{5078},
    kAnyCompatibleNonArray{5079};
}  // namespace oid

/// How a value lies in memory. The same in row decoding, in ColumnView and in DuckDB's flat vectors.
enum class Physical : uint8_t {
  kBool,      // uint8_t, 0 or 1
  kInt16,     // int2; decimals of at most 4 digits
  kInt32,     // int4, date (days since 1970-01-01; infinities: INT32_MAX, -INT32_MAX); decimals of at most 9 digits
  kUInt32,    // oid and the reg* types, xid
  kInt64,     // int8, time (microseconds), timestamp and timestamptz (microseconds since 1970-01-01 UTC; infinities:
              // INT64_MAX, -INT64_MAX); decimals of at most 18 digits
  kInt128,    // decimals of at most 38 digits; {uint64 low, int64 high}, aligned to 8: read it with memcpy
  kFloat32,   // float4; an enum value is its pg_enum.enumsortorder
  kFloat64,   // float8
  kInterval,  // types::Interval
  kUuid,  // laid out as kInt128: the big-endian 128-bit number with its top bit flipped, so that signed order is uuid order
  kBytes,  // text, varchar, bpchar (trailing spaces removed), name, "char", bytea, json, jsonb (canonical text),
           // numeric without a small precision (types/numeric.h), arrays (types/array.h), records
};

/// Physical form plus what numeric and bpchar need beside it.
struct PhysicalType {
  Physical kind = Physical::kBytes;
  uint8_t precision = 0;  // > 0: kInt16..kInt128 holds value * 10^scale, a DECIMAL(precision, scale)
  uint8_t scale = 0;
  int32_t width = 0;  // bpchar: number of characters that output pads to; 0: unknown
  bool is_decimal() const { return precision > 0; }
  bool operator==(const PhysicalType&) const = default;
};

struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
  bool operator==(const Interval&) const = default;  // field by field; PostgreSQL's order is in types/datetime.h
};

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

/// The physical form of a built-in type. Enums (kFloat32) and domains are the catalog's to resolve; an unknown OID gives kBytes.
/// numeric(p,s) with 1 <= p <= 38 and 0 <= s <= p is a decimal; any other numeric is kBytes.
PhysicalType physical_type(Oid type, int32_t typmod);

/// One row of pg_type that every part of the house needs (the full catalog is in sql/).
struct TypeInfo {
  Oid oid;
  std::string_view name;  // pg_type.typname
  int16_t length;         // typlen: -1 variable, -2 cstring
  bool by_value;
  char kind;       // typtype: b, c, d, e, p, r, m
  char category;   // typcategory
  bool preferred;  // typispreferred
  Oid element;     // typelem
  Oid array;       // typarray
};

/// The built-in type, or nullptr. Thread: any.
const TypeInfo* find_type(Oid type);
/// By typname ("int4", "_int4"), or nullptr.
const TypeInfo* find_type(std::string_view name);
/// The element type of an array type, kInvalidOid for anything else (int2vector and oidvector have elements too).
Oid array_element_type(Oid type);

/// typmod helpers, as PostgreSQL packs them.
constexpr int32_t numeric_typmod(int precision, int scale) { return ((precision << 16) | (scale & 0x7FF)) + 4; }
constexpr int numeric_typmod_precision(int32_t typmod) { return ((typmod - 4) >> 16) & 0xFFFF; }
constexpr int numeric_typmod_scale(int32_t typmod) { return (((typmod - 4) & 0x7FF) ^ 1024) - 1024; }
constexpr int32_t character_typmod(int length) { return length + 4; }

}  // namespace omendb::types
