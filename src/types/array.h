// PostgreSQL's arrays: up to six dimensions with lower bounds, elements that may be null.
//
// Bytes of an array (Physical::kBytes), version 1, little-endian:
//
//   0   1  version, 1                    4   4  element type OID
//   1   1  number of dimensions, 0..6    8   4  width of bpchar elements, 0: their padding lies with them
//   2   1  Physical of the elements     12  8d  d times: int32 length, int32 lower bound
//   3   1  1: a null bitmap follows      ..      null bitmap, bit i set: element i is not null, (n + 7) / 8 bytes
//   then fixed-length elements one after the other (nulls are zero), or for kBytes n uint32 ends and the bytes.
//
// The empty array has no dimension. Elements lie in the form physical_type(element type, -1); a numeric is always bytes here.
// The bytes hold no bitmap when nothing is null, so arrays of canonical elements are canonical.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::types {

inline constexpr int kArrayDimensionsMax = 6;
inline constexpr int64_t kArrayElementsMax = 134217727;

/// Reads an array; `bytes` must outlive it and come from ArrayBuilder. Cheap to make.
class ArrayView {
 public:
  explicit ArrayView(std::string_view bytes);
  /// False for bytes that ArrayBuilder never wrote (use before reading what came from elsewhere).
  static bool is_valid(std::string_view bytes);

  Oid element_type() const { return element_; }
  const PhysicalType& physical() const { return physical_; }
  int dimensions() const { return dimensions_; }
  int32_t length(int dimension) const { return read_int(12 + 8 * static_cast<size_t>(dimension)); }
  int32_t lower(int dimension) const { return read_int(16 + 8 * static_cast<size_t>(dimension)); }
  int32_t upper(int dimension) const { return lower(dimension) + length(dimension) - 1; }
  size_t size() const { return size_; }
  bool has_nulls() const { return nulls_; }
  bool is_null(size_t i) const {
    return nulls_ && ((static_cast<unsigned char>(bytes_[bitmap_ + i / 8]) >> (i % 8)) & 1) == 0;
  }
  ValueView at(size_t i) const;
  /// Position of the element with these subscripts; false when out of bounds or of another number of dimensions.
  bool find(std::span<const int32_t> subscripts, size_t* position) const;

 private:
  int32_t read_int(size_t at) const;
  std::string_view bytes_;
  Oid element_;
  PhysicalType physical_;
  int dimensions_ = 0;
  bool nulls_ = false;
  size_t size_ = 0, bitmap_ = 0, data_ = 0, width_ = 0;
};

/// Makes an array, element after element (last subscript fastest).
class ArrayBuilder {
 public:
  /// `physical` is the form of the values that add() takes; decimals are turned into bytes.
  ArrayBuilder(Oid element, const PhysicalType& physical);
  /// Null views become null elements.
  void add(const ValueView& value);
  void add_null() { add(ValueView()); }
  size_t size() const { return count_; }
  /// Without it: one dimension from 1, or none when empty. The product of lengths must be size().
  void set_dimensions(std::span<const int32_t> lengths, std::span<const int32_t> lowers);
  void set_width(int32_t width) { width_ = width; }
  /// The bytes; the builder may not be used again.
  std::string finish();

 private:
  Oid element_;
  PhysicalType from_;
  Physical kind_;
  int32_t width_ = 0;
  size_t count_ = 0, null_count_ = 0;
  std::vector<bool> null_;
  std::string data_;
  std::vector<uint32_t> ends_;
  std::vector<int32_t> lengths_, lowers_;
};

std::string empty_array(Oid element);

// ---- forms ----
/// Type input of an element. As input(), but a bpchar has its padding with it: an array's elements may be of several lengths.
Status input_element(Oid element, int32_t typmod, std::string_view text, const IoContext& context, Value* out);
/// The elements of an array that came about in another way than by input or receive, when they are a domain's.
Status check_elements(Oid element, std::string_view array, const IoContext& context);
/// '{1,NULL,"a b"}', '[0:2]={..}'. Errors: 22P02 `malformed array literal: "..."`, those of the element's input.
Status parse_array(Oid element, int32_t typmod, std::string_view text, const IoContext& context, std::string* out);
void append_array(std::string_view bytes, const IoContext& context, std::string* out);
Status receive_array(Oid element, int32_t typmod, std::string_view bytes, const IoContext& context, std::string* out);
Status send_array(std::string_view bytes, const IoContext& context, std::string* out);
/// int2vector and oidvector: "1 2 3", arrays with lower bound 0.
Status parse_vector(Oid element, std::string_view text, std::string* out);
void append_vector(std::string_view bytes, std::string* out);

// ---- operators ----
/// btree order: elements one by one, then number of elements, dimensions, lengths, lower bounds.
int array_compare(std::string_view a, std::string_view b);
/// @>, <@ (swap the arguments) and &&; nulls match nothing.
bool array_contains(std::string_view a, std::string_view b);
bool array_overlaps(std::string_view a, std::string_view b);

/// a[i][j]: null view when out of bounds.
ValueView array_subscript(const ArrayView& array, std::span<const int32_t> subscripts);
/// a[l:u]...: missing bounds are the array's own. The result's lower bounds are 1.
struct SliceBound {
  bool has_lower = false, has_upper = false;
  int32_t lower = 1, upper = 0;
};
std::string array_slice(std::string_view array, std::span<const SliceBound> bounds);
/// UPDATE .. SET a[i] = v. A one-dimensional array grows, gaps become null. Errors: 2202E.
Status array_assign(std::string_view array, std::span<const int32_t> subscripts, const PhysicalType& physical,
                    const ValueView& value, std::string* out);
/// UPDATE .. SET a[l:u] = source: takes the source's elements in their order. Errors: 2202E, 54000.
Status array_assign_slice(std::string_view array, std::span<const SliceBound> bounds, std::string_view source,
                          std::string* out);

// ---- functions. Errors: 2202E, 0A000, 22000 as PostgreSQL's ----
Status array_cat(std::string_view a, std::string_view b, std::string* out);
Status array_append(std::string_view array, const PhysicalType& physical, const ValueView& value, std::string* out);
Status array_prepend(const PhysicalType& physical, const ValueView& value, std::string_view array, std::string* out);
Status array_remove(std::string_view array, const PhysicalType& physical, const ValueView& value, std::string* out);
void array_replace(std::string_view array, const PhysicalType& physical, const ValueView& from, const ValueView& to,
                   std::string* out);
/// Subscript of the first element equal to `value` (null is equal to null here) from subscript `start` on; *found false if none.
Status array_position(std::string_view array, const PhysicalType& physical, const ValueView& value, int32_t start,
                      bool has_start, bool* found, int32_t* position);
Status array_positions(std::string_view array, const PhysicalType& physical, const ValueView& value, std::string* out);
Status array_fill(Oid element, const PhysicalType& physical, const ValueView& value, std::span<const int32_t> lengths,
                  std::span<const int32_t> lowers, std::string* out);
Status trim_array(std::string_view array, int32_t count, std::string* out);
/// `null_text` null: nulls are left out.
void array_to_string(std::string_view array, std::string_view delimiter, const std::string_view* null_text,
                     const IoContext& context, std::string* out);
/// text[]. delimiter null: every character an element; empty: the whole string one. Fields equal to null_text are null.
void string_to_array(std::string_view text, const std::string_view* delimiter, const std::string_view* null_text,
                     std::string* out);
/// array_dims: "[1:3][1:2]"; empty string for an empty array (SQL null).
std::string array_dims(std::string_view array);

}  // namespace omendb::types
