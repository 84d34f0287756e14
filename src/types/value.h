// Values as they travel between folders: one value (ValueView, Value) and a column of them (ColumnView).
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "types/type.h"

namespace omendb::types {

/// One value that does not own its bytes; valid as long as whatever it was read from.
/// Which member holds it follows from the PhysicalType: kBool..kInt64, kUInt32 -> integer (sign-extended; kUInt32
/// zero-extended); kFloat32, kFloat64 -> real; kInt128, kUuid -> wide; kInterval -> interval; kBytes -> bytes.
struct ValueView {
  bool null = true;
  union {
    int64_t integer;
    double real;
    Interval interval;
  };
  Int128 wide = 0;
  std::string_view bytes;

  ValueView() : integer(0) {}
  static ValueView of_integer(int64_t v) {
    ValueView r;
    r.null = false;
    r.integer = v;
    return r;
  }
  static ValueView of_real(double v) {
    ValueView r;
    r.null = false;
    r.real = v;
    return r;
  }
  static ValueView of_wide(Int128 v) {
    ValueView r;
    r.null = false;
    r.wide = v;
    return r;
  }
  static ValueView of_interval(Interval v) {
    ValueView r;
    r.null = false;
    r.interval = v;
    return r;
  }
  static ValueView of_bytes(std::string_view v) {
    ValueView r;
    r.null = false;
    r.bytes = v;
    return r;
  }
};

/// One value that owns its bytes.
class Value {
 public:
  Value() = default;
  explicit Value(const ValueView& view) : view_(view), storage_(view.bytes) {}
  static Value of_bytes(std::string bytes) {
    Value v;
    v.view_.null = false;
    v.storage_ = std::move(bytes);
    return v;
  }
  bool is_null() const { return view_.null; }
  /// Valid while this Value lives and is not assigned.
  ValueView view() const {
    ValueView v = view_;
    v.bytes = storage_;
    return v;
  }

 private:
  ValueView view_;
  std::string storage_;
};

/// A string of a column: 16 bytes, short ones inlined ("German string"; the layout of DuckDB's string_t).
struct alignas(8) StringRef {
  uint32_t length;
  char bytes[12];  // the string itself, or its first four characters and then a pointer to all of it
  std::string_view view() const {
    if (length <= sizeof(bytes)) return {bytes, length};
    const char* pointer;
    std::memcpy(&pointer, bytes + 4, sizeof(pointer));
    return {pointer, length};
  }
};
static_assert(sizeof(StringRef) == 16);

/// A flat column of `count` values; owns nothing.
struct ColumnView {
  Oid type;
  int32_t typmod = -1;
  PhysicalType physical;
  const void* data = nullptr;          // array of the physical type; kBytes: StringRef[]
  const uint64_t* validity = nullptr;  // bit i of word i / 64: value i is not null; nullptr: none is null

  bool is_null(size_t i) const { return validity != nullptr && ((validity[i / 64] >> (i % 64)) & 1) == 0; }
  template <class T>
  T get(size_t i) const {
    T value;
    std::memcpy(&value, static_cast<const char*>(data) + i * sizeof(T), sizeof(T));
    return value;
  }
  std::string_view bytes(size_t i) const { return static_cast<const StringRef*>(data)[i].view(); }
  /// Value i in the general form; a switch on physical.kind, so not for inner loops.
  ValueView at(size_t i) const;
};

}  // namespace omendb::types
