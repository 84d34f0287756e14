#include "codec/row.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "types/fixed_width.h"

namespace omendb::codec {
namespace {

using types::Physical;

}  // namespace

uint32_t fixed_bytes(Physical kind) {
  return kind == Physical::kBytes ? sizeof(uint32_t) : static_cast<uint32_t>(types::fixed_width(kind));
}

RowLayout::RowLayout(std::vector<types::PhysicalType> columns) : columns_(std::move(columns)) {
  CHECK(columns_.size() <= RowView::kCountMask);
  uint32_t offset = 0;
  int32_t variable = -1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    fixed_offset_.push_back(offset);
    variable_before_.push_back(variable);
    offset += fixed_bytes(columns_[i].kind);
    if (columns_[i].kind == Physical::kBytes) variable = static_cast<int32_t>(i);
  }
  fixed_offset_.push_back(offset);
  count_ = static_cast<uint32_t>(columns_.size());
  const uint32_t fixed = 2 + (count_ + 7) / 8;
  sections_ = RowView::sections(fixed, fixed + offset);
}

RowBuilder::RowBuilder(const RowLayout& layout) : layout_(layout), values_(layout.column_count()) {}

void RowBuilder::reset() {
  for (auto& value : values_) value.null = true;
}

void RowBuilder::set(size_t column, const types::ValueView& value) {
  CHECK(column < values_.size());
  values_[column] = value;
}

std::string_view RowBuilder::finish() {
  const size_t n = values_.size();
  const size_t fixed = 2 + (n + 7) / 8;
  const size_t variable = fixed + layout_.fixed_offset_[n];
  bytes_.assign(variable, '\0');
  store_raw<uint16_t>(bytes_.data(), static_cast<uint16_t>(n));
  for (size_t i = 0; i < n; ++i) {
    const types::ValueView& value = values_[i];
    const Physical kind = layout_.columns_[i].kind;
    if (value.null) bytes_[2 + i / 8] = static_cast<char>(bytes_[2 + i / 8] | (1 << (i % 8)));
    if (kind == Physical::kBytes) {
      if (!value.null) bytes_.append(value.bytes);
      store_raw<uint32_t>(bytes_.data() + fixed + layout_.fixed_offset_[i],
                          static_cast<uint32_t>(bytes_.size() - variable));
      continue;
    }
    if (value.null) continue;
    store_fixed(i, bytes_.data() + fixed + layout_.fixed_offset_[i]);
  }
  return bytes_;
}

void RowBuilder::store_fixed(size_t column, char* slot) const {
  types::store_fixed(layout_.columns_[column].kind, values_[column], slot);
}

std::string_view RowBuilder::patch(std::string_view row, const std::vector<size_t>& changed) {
  const size_t n = values_.size();
  const size_t fixed = 2 + (n + 7) / 8;
  const size_t variable = fixed + layout_.fixed_offset_[n];
  const RowView old(layout_, row);
  CHECK(old.complete());
  bytes_.assign(row);
  size_t first_bytes = SIZE_MAX;  // of the changed columns
  for (size_t column : changed) {
    char& nulls = bytes_[2 + column / 8];
    const auto bit = static_cast<unsigned char>(1 << (column % 8));
    nulls = static_cast<char>(values_[column].null ? nulls | bit : nulls & ~bit);
    char* slot = bytes_.data() + fixed + layout_.fixed_offset_[column];
    if (layout_.columns_[column].kind == Physical::kBytes) {
      first_bytes = std::min(first_bytes, column);
    } else if (values_[column].null) {
      std::memset(slot, 0, fixed_bytes(layout_.columns_[column].kind));  // as finish() leaves it
    } else {
      store_fixed(column, slot);
    }
  }
  if (first_bytes == SIZE_MAX) return bytes_;
  // From the first changed value on, the variable section is written anew.
  auto begin_of = [&](size_t column) {
    const int32_t before = layout_.variable_before_[column];
    return before < 0 ? 0 : old.end_of(static_cast<size_t>(before));
  };
  bytes_.resize(variable + begin_of(first_bytes));
  auto next = changed.begin();
  for (size_t i = first_bytes; i < n; ++i) {
    if (layout_.columns_[i].kind != Physical::kBytes) continue;
    while (next != changed.end() && *next < i) ++next;
    if (next == changed.end() || *next != i) {
      const uint32_t begin = begin_of(i);
      bytes_.append(row.substr(variable + begin, old.end_of(i) - begin));
    } else if (!values_[i].null) {
      bytes_.append(values_[i].bytes);
    }
    store_raw<uint32_t>(bytes_.data() + fixed + layout_.fixed_offset_[i],
                        static_cast<uint32_t>(bytes_.size() - variable));
  }
  return bytes_;
}

uint64_t RowView::sections_of(const RowLayout& layout, uint32_t count) {
  // Adding a column locks the table against every reader, so no row is wider than the layout that reads it.
  CHECK(count < layout.count_);
  const uint32_t fixed = 2 + (count + 7) / 8;
  return sections(fixed, fixed + layout.fixed_offset_[count]);
}

types::ValueView RowView::get(size_t column) const {
  if (is_null(column)) return {};
  const Physical kind = layout_.columns_[column].kind;
  return kind == Physical::kBytes ? types::ValueView::of_bytes(bytes(column)) : types::load_fixed(kind, fixed(column));
}

bool RowView::valid(const RowLayout& layout, std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const uint16_t head = load_raw<uint16_t>(bytes.data());
  const uint32_t written = head & kCountMask;
  if ((head >> 12) != 0 || written > layout.column_count()) return false;
  const size_t fixed = 2 + (written + 7) / 8;
  const size_t variable = fixed + layout.fixed_offset_[written];
  if (bytes.size() < variable) return false;
  uint32_t end = 0;
  for (uint32_t i = 0; i < written; ++i) {
    if (layout.columns_[i].kind != Physical::kBytes) continue;
    const uint32_t next = load_raw<uint32_t>(bytes.data() + fixed + layout.fixed_offset_[i]);
    if (next < end) return false;
    end = next;
  }
  return bytes.size() == variable + end;
}

}  // namespace omendb::codec
