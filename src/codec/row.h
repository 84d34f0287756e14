// codec/: values to bytes and back. row.h: the bytes of a row; key.h: the bytes by which rows are ordered.
//
// Row bytes, format 1 (little-endian; n = number of columns when the row was written):
//
//   offset 0   u16   n in the low 12 bits, format - 1 in the high 4
//   2          (n + 7) / 8 bytes: bit i of byte i / 8 is set when column i is null
//   then       the fixed section: a slot for each column, in column order, null or not. A fixed-length value lies in its
//              slot; a variable-length value's slot is the u32 end of its bytes in the variable section (it starts where
//              the variable-length column before it ends)
//   then       the variable section
//
// So any column is found in constant time, and a row written before a column was added stays readable: n says so.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types/value.h"

namespace omendb::codec {

/// Bytes of a column's slot in the fixed section.
uint32_t fixed_bytes(types::Physical kind);

/// The physical columns of a table in attnum order, dropped ones included (a dropped column is always null in new rows).
/// Immutable; Thread: any.
class RowLayout {
 public:
  explicit RowLayout(std::vector<types::PhysicalType> columns);
  size_t column_count() const { return count_; }
  const types::PhysicalType& column(size_t i) const { return columns_[i]; }

 private:
  friend class RowBuilder;
  friend class RowView;
  std::vector<types::PhysicalType> columns_;
  std::vector<uint32_t> fixed_offset_;    // of column i in the fixed section; one more: the length of the section
  std::vector<int32_t> variable_before_;  // the nearest variable-length column before i; -1: none
  // Of a row with every column: how many, and where its sections begin (RowView::sections()).
  uint32_t count_ = 0;
  uint64_t sections_ = 0;
};

/// Writes one row at a time; reusable.
class RowBuilder {
 public:
  explicit RowBuilder(const RowLayout& layout);
  /// Forgets the values: every column is null again.
  void reset();
  /// The value's bytes must live until finish().
  void set(size_t column, const types::ValueView& value);
  /// The bytes, valid until the next call.
  std::string_view finish();
  /// The bytes of `row` with the values of the columns `changed` (ascending), which were set; the others are taken as they lie. Requires
  /// a row that has every column of the layout (RowView::complete). Valid until the next call.
  std::string_view patch(std::string_view row, const std::vector<size_t>& changed);

 private:
  void store_fixed(size_t column, char* slot) const;
  const RowLayout& layout_;
  std::vector<types::ValueView> values_;
  std::string bytes_;
};

/// Reads a row. `bytes` must outlive the view. A row written with fewer columns than the layout has reads null there
/// (present(i) is false: the caller supplies the column's missing value).
class RowView {
 public:
  RowView(const RowLayout& layout, std::string_view bytes) : layout_(layout), bytes_(bytes) {
    uint16_t head;
    std::memcpy(&head, bytes_.data(), sizeof(head));
    count_ = head & kCountMask;
    // A branch, and not arithmetic with the count: the processor guesses it, and asks for values before the row's first bytes have come.
    if (count_ == layout.count_) [[likely]] {
      sections_ = layout.sections_;
    } else {
      sections_ = sections_of(layout, count_);
    }
  }
  bool present(size_t column) const { return column < count_; }
  bool complete() const { return count_ == layout_.column_count(); }
  bool is_null(size_t column) const {
    return column >= count_ || ((static_cast<unsigned char>(bytes_[2 + column / 8]) >> (column % 8)) & 1) != 0;
  }
  types::ValueView get(size_t column) const;
  /// Requires !is_null(column) and a kBytes column.
  [[gnu::always_inline]] std::string_view bytes(size_t column) const {
    uint32_t begin = 0;
    if (int32_t before = layout_.variable_before_[column]; before >= 0) begin = end_of(static_cast<size_t>(before));
    return {bytes_.data() + variable_at() + begin, end_of(column) - begin};
  }
  /// Address of a fixed-length value, unaligned. Requires !is_null(column).
  const char* fixed(size_t column) const { return bytes_.data() + fixed_at() + layout_.fixed_offset_[column]; }

  /// Whether `bytes` are a whole row of this layout. Bytes from outside (a damaged store) are asked first.
  static bool valid(const RowLayout& layout, std::string_view bytes);

 private:
  friend class RowBuilder;
  friend class RowLayout;
  static constexpr uint32_t kCountMask = 0x0FFF;
  /// Where they begin in a row of fewer columns than the layout has.
  static uint64_t sections_of(const RowLayout& layout, uint32_t count);
  /// Offsets of the two sections as one word, which stays in a register: two numbers went over the stack, and each instruction
  /// less lets a processor see further into the next look-up.
  static uint64_t sections(uint32_t fixed, uint32_t variable) { return uint64_t{variable} << 32 | fixed; }
  uint32_t fixed_at() const { return static_cast<uint32_t>(sections_); }
  uint32_t variable_at() const { return static_cast<uint32_t>(sections_ >> 32); }
  uint32_t end_of(size_t column) const {
    uint32_t end;
    std::memcpy(&end, fixed(column), sizeof(end));
    return end;
  }
  const RowLayout& layout_;
  std::string_view bytes_;
  uint32_t count_ = 0;  // columns in these bytes, at most the layout's
  uint64_t sections_ = 0;
};

}  // namespace omendb::codec
