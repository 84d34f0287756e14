// Rows as values: (1,"a b",).
//
// Bytes of a record (Physical::kBytes), version 2, little-endian: uint8 2 (an array begins with 1), uint8 1 when names follow, uint16
// number of fields n, then n times 16 bytes {uint32 type OID, uint8 Physical, uint8 precision, uint8 scale, uint8 1 for null,
// int32 bpchar width, uint32 end of the value}, then the values, then the names, each with a uint16 length before it.
// Only rows of a subquery carry names: those of a composite type are the catalog's to know, those of ROW() are f1, f2, ...
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::types {

class RecordBuilder {
 public:
  void add(Oid type, const PhysicalType& physical, const ValueView& value);
  /// The value of a field that lies in another form (a decimal for a numeric).
  void add(const CompositeField& field, const PhysicalType& physical, const ValueView& value);
  /// Names the next field that has none; all fields or no field.
  void add_name(std::string_view name);
  std::string finish();

 private:
  uint16_t count_ = 0;
  std::string head_, data_, names_;
};

class RecordView {
 public:
  /// Requires bytes that RecordBuilder wrote.
  explicit RecordView(std::string_view bytes);
  size_t size() const { return count_; }
  Oid type(size_t i) const;
  PhysicalType physical(size_t i) const;
  ValueView at(size_t i) const;
  /// Empty when the record carries no names.
  std::vector<std::string_view> names() const;

 private:
  std::string_view bytes_;
  uint32_t count_ = 0;
};

/// The form in which input() of a type leaves its value: a numeric with a modifier is a decimal, a domain's one too.
PhysicalType input_form(Oid type, int32_t typmod, const IoContext& context);
/// Tells a record from an array, where only the bytes are known.
inline bool is_record_bytes(std::string_view bytes) { return !bytes.empty() && bytes[0] == 2; }

void append_record(std::string_view bytes, const IoContext& context, std::string* out);
Status send_record(std::string_view bytes, const IoContext& context, std::string* out);
/// What send_record writes, read as a row of known fields. Errors: 42804 for other columns, 22P03 and 08P01 for what is cut short.
Status receive_record(std::span<const CompositeField> fields, std::string_view bytes, const IoContext& context,
                      std::string* out);
/// Text of a row of known fields (a composite type). Errors: 22P02 `malformed record literal: "..."`.
Status parse_record(std::span<const CompositeField> fields, std::string_view text, const IoContext& context,
                    std::string* out);
/// A value of a type in which the columns of a row type changed, in its new shape. `shape` says of
///   =            a value: it stays
///   [shape       an array: what becomes of its elements
///   (field...)   a record: its new fields, each the old one's position and its shape, or -OID:Physical:width; for one that is null
std::string reshape(std::string_view bytes, std::string_view shape);
/// btree order: field by field, nulls last; fewer fields come first.
int record_compare(std::string_view a, std::string_view b);

}  // namespace omendb::types
