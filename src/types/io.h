// Text and binary forms of values: PostgreSQL's type input, output, receive and send functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/value.h"

namespace omendb::types {

class TimeZone;  // types/datetime.h

/// A column of a composite type.
struct CompositeField {
  std::string name;
  Oid type;
  int32_t typmod = -1;
  PhysicalType physical;  // in records: as physical_type says, enums and domains resolved, numerics as bytes
};

/// What only a catalog can answer about values. Implemented by sql/; every call may return nullopt for "no such".
class TypeCatalog {
 public:
  virtual ~TypeCatalog() = default;
  virtual std::optional<std::string> enum_label(Oid type, float sort_order) const = 0;
  virtual std::optional<float> enum_sort_order(Oid type, std::string_view label) const = 0;
  /// Text of a reg* value ("schema.table" when not on the search path); nullopt prints the number.
  virtual std::optional<std::string> object_name(Oid reg_type, Oid object) const = 0;
  virtual Result<Oid> object_oid(Oid reg_type, std::string_view name) const = 0;
  /// For types outside the built-in table (enums, domains, arrays of them).
  virtual std::optional<std::string> type_name(Oid type) const = 0;
  virtual char type_kind(Oid type) const = 0;                  // 'e' enum, 'd' domain, 'c' composite, 0 unknown
  virtual Oid element_type(Oid type) const = 0;                // of a user-defined array type
  virtual Oid base_type(Oid type, int32_t* typmod) const = 0;  // of a domain
  /// Whether a value of its base type, which lies in form `physical`, may stand in a domain. Errors: 23502, 23514, and
  /// what evaluating its checks finds. Thread: any.
  virtual Status check_domain(Oid, const PhysicalType&, const ValueView&) const { return {}; }
  virtual std::vector<CompositeField> composite_fields(Oid) const { return {}; }  // of a table's row type too
};

enum class DateOrder : uint8_t { kMdy, kDmy, kYmd };
enum class DateFormat : uint8_t { kIso, kSql, kPostgres, kGerman };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };

/// The session settings that text forms depend on. Lives in the session; Thread: read by the session's statements.
struct IoContext {
  DateFormat date_format = DateFormat::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  int extra_float_digits = 1;
  bool bytea_escape = false;
  const TimeZone* time_zone = nullptr;   // nullptr: UTC
  int64_t now_us = 0;                    // transaction start, for 'now', 'today', ...
  const TypeCatalog* catalog = nullptr;  // nullptr: built-in types only
};

// What lies below reads values of domains as PostgreSQL does: wherever one stands (alone, in an array, in a record),
// its constraints are checked, those of a NULL too.

/// Type input: the value of `text` as `type` with `typmod` applied (length, precision), in the physical form
/// physical_type(type, typmod). Errors: PostgreSQL's (22P02, 22007, 22008, 22003, 22001, 22021, ...), without position.
Status input(Oid type, int32_t typmod, std::string_view text, const IoContext& context, Value* out);

/// What input and receive make of a NULL: that is no business of a type, unless it is a domain.
Status input_null(Oid type, const IoContext& context);

/// Type output, appended to `out`. `value` must not be null and lies in form `physical`.
void output(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context, std::string* out);

/// Binary receive. Errors: 22P03 for a wrong length, 22021 for bad UTF-8, and what the type says.
Status receive(Oid type, int32_t typmod, std::string_view bytes, const IoContext& context, Value* out);

/// Binary send, appended to `out` (no length word). Errors: 42883 when the type has no binary form.
Status send(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context, std::string* out);

/// What a value of varchar(n) or bpchar(n) becomes of `text`: an assignment must not lose anything but spaces (22001), an explicit
/// cast cuts; bpchar loses its trailing spaces. Without a length the text stays as it is. Also for bit strings (22026, 22001).
Status apply_length(Oid type, int32_t typmod, std::string_view text, bool explicit_cast, std::string* out);

/// Converts between physical forms of one type (numeric: decimal of one scale to another, decimal to bytes, and back),
/// applying `typmod` as an assignment does: rounding, length checks. Errors: 22003, 22001.
Status coerce_physical(Oid type, const PhysicalType& from, const ValueView& value, int32_t typmod, Value* out);

}  // namespace omendb::types
