// Rows as values: (1,"a b",).
//
// Bytes of a record (Physical::kBytes), version 1, little-endian: uint32 number of fields n, then n times 16 bytes {uint32 type OID,
// uint8 Physical, uint8 precision, uint8 scale, uint8 1 for null, int32 bpchar width, uint32 end of the value}, then the values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::types {

struct RecordField {
  Oid type;
  int32_t typmod = -1;
  PhysicalType physical;
};

class RecordBuilder {
 public:
  void add(Oid type, const PhysicalType& physical, const ValueView& value);
  std::string finish();

 private:
  uint32_t count_ = 0;
  std::string head_, data_;
};

class RecordView {
 public:
  /// Requires bytes that RecordBuilder wrote.
  explicit RecordView(std::string_view bytes);
  size_t size() const { return count_; }
  Oid type(size_t i) const;
  PhysicalType physical(size_t i) const;
  ValueView at(size_t i) const;

 private:
  std::string_view bytes_;
  uint32_t count_ = 0;
};

void append_record(std::string_view bytes, const IoContext& context, std::string* out);
Status send_record(std::string_view bytes, const IoContext& context, std::string* out);
/// Text of a row of known fields (a composite type). Errors: 22P02 `malformed record literal: "..."`.
Status parse_record(std::span<const RecordField> fields, std::string_view text, const IoContext& context, std::string* out);
/// btree order: field by field, nulls last; fewer fields come first.
int record_compare(std::string_view a, std::string_view b);

}  // namespace omendb::types
