// Row bytes: any column in constant time, columns added later read as missing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "types/value.h"

namespace omendb::codec {

/// The physical columns of a table in attnum order, dropped ones included (a dropped column is always null in new rows).
/// Immutable; Thread: any.
class RowLayout {
 public:
  explicit RowLayout(std::vector<types::PhysicalType> columns);
  size_t column_count() const { return columns_.size(); }
  const types::PhysicalType& column(size_t i) const { return columns_[i]; }

 private:
  friend class RowBuilder;
  friend class RowView;
  std::vector<types::PhysicalType> columns_;
  std::vector<uint32_t> fixed_offset_;  // of column i in the fixed section; variable-length columns hold a 4-byte end offset there
};

/// Writes one row at a time; reusable.
class RowBuilder {
 public:
  explicit RowBuilder(const RowLayout& layout);
  /// Forgets the values: every column is null again.
  void reset();
  void set(size_t column, const types::ValueView& value);
  /// The bytes, valid until the next call.
  std::string_view finish();

 private:
  const RowLayout& layout_;
  std::vector<types::ValueView> values_;
  std::string bytes_;
};

/// Reads a row. `bytes` must outlive the view. A row written with fewer columns than the layout has reads null there
/// (present(i) is false: the caller supplies the column's missing value).
class RowView {
 public:
  RowView(const RowLayout& layout, std::string_view bytes);
  bool present(size_t column) const;
  bool is_null(size_t column) const;
  types::ValueView get(size_t column) const;
  /// Requires !is_null(column) and a kBytes column.
  std::string_view bytes(size_t column) const;
  /// Address of a fixed-length value, unaligned. Requires !is_null(column).
  const char* fixed(size_t column) const;

 private:
  const RowLayout& layout_;
  std::string_view bytes_;
};

}  // namespace omendb::codec
