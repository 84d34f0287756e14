#include "sql/point/output_rows.h"

#include <algorithm>
#include <cstring>

#include "types/fixed_width.h"

namespace omendb::sql {
namespace {

using types::Physical;

constexpr size_t kBlockBytes = 4096;
constexpr size_t kKeptBytes = 64 * 1024;

}  // namespace

void OutputRows::set_columns(const std::vector<ColumnDescription>& columns) {
  columns_.clear();
  views_.clear();
  for (const auto& description : columns) {
    const size_t width = types::fixed_width(description.physical.kind);
    columns_.push_back({width > 0 ? width : sizeof(types::StringRef), {}, {}});
    types::ColumnView view;
    view.type = description.type;
    view.typmod = description.typmod;
    view.physical = description.physical;
    views_.push_back(view);
  }
}

void OutputRows::clear() {
  count_ = 0;
  for (auto& column : columns_) {
    column.data.clear();
    column.validity.clear();
    column.has_null = false;
  }
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty() && blocks_[0].second > kKeptBytes) blocks_.clear();
  used_ = 0;
}

char* OutputRows::allocate(size_t bytes) {
  if (blocks_.empty() || blocks_.back().second - used_ < bytes) {
    const size_t size = std::max(bytes, blocks_.size() * 8 * kBlockBytes + kBlockBytes);
    blocks_.emplace_back(std::make_unique<char[]>(size), size);
    used_ = 0;
  }
  char* at = blocks_.back().first.get() + used_;
  used_ += bytes;
  return at;
}

void OutputRows::put(size_t column, const types::ValueView& value) {
  Column& out = columns_[column];
  const size_t row = count_ - 1;
  if (row % 64 == 0) out.validity.push_back(~uint64_t{0});
  out.data.resize((row + 1) * out.width);
  char* at = out.data.data() + row * out.width;
  if (value.null) {
    out.validity[row / 64] &= ~(uint64_t{1} << (row % 64));
    out.has_null = true;
    return;
  }
  if (views_[column].physical.kind != Physical::kBytes) {
    types::store_fixed(views_[column].physical.kind, value, at);
    return;
  }
  const std::string_view bytes = value.bytes;
  types::StringRef ref{};
  ref.length = static_cast<uint32_t>(bytes.size());
  if (bytes.size() <= sizeof(ref.bytes)) {
    bytes.copy(ref.bytes, bytes.size());
  } else {
    char* copy = allocate(bytes.size());
    bytes.copy(copy, bytes.size());
    bytes.copy(ref.bytes, 4);
    std::memcpy(ref.bytes + 4, &copy, sizeof(copy));
  }
  store_raw(at, ref);
}

const std::vector<types::ColumnView>& OutputRows::views() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    views_[i].data = columns_[i].data.data();
    views_[i].validity = columns_[i].has_null ? columns_[i].validity.data() : nullptr;
  }
  return views_;
}

}  // namespace omendb::sql
