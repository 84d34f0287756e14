// Assignment to a slice of an array.
#include <algorithm>
#include <optional>
#include <vector>

#include "types/array.h"

namespace omendb::types {

namespace {

Status wrong(const char* message) { return Status(SqlState::kArraySubscriptError, message); }

/// An array being changed: its elements in place, its bounds beside them.
struct Elements {
  std::vector<ValueView> values;
  std::vector<int32_t> lengths, lowers;

  std::string finish(Oid element, const PhysicalType& physical, int32_t width) const {
    ArrayBuilder builder(element, physical);
    for (const ValueView& v : values) builder.add(v);
    builder.set_dimensions(lengths, lowers);
    if (width > 0) builder.set_width(width);
    return builder.finish();
  }
};

/// Makes a one-dimensional array reach from `lower` to `upper`, with nulls where nothing was.
void grow(Elements* e, int32_t lower, int32_t upper) {
  if (lower < e->lowers[0]) {
    e->values.insert(e->values.begin(), static_cast<size_t>(e->lowers[0] - lower), ValueView());
    e->lengths[0] += e->lowers[0] - lower;
    e->lowers[0] = lower;
  }
  if (upper >= e->lowers[0] + e->lengths[0]) {
    e->lengths[0] = upper - e->lowers[0] + 1;
    e->values.resize(static_cast<size_t>(e->lengths[0]));
  }
}

}  // namespace

Status array_assign_slice(std::string_view array, std::span<const SliceBound> bounds, std::string_view source,
                          std::string* out) {
  const ArrayView old(array), from(source);
  Elements e;
  for (int d = 0; d < old.dimensions(); ++d) {
    e.lengths.push_back(old.length(d));
    e.lowers.push_back(old.lower(d));
  }
  for (size_t i = 0; i < old.size(); ++i) e.values.push_back(old.is_null(i) ? ValueView() : old.at(i));

  std::vector<int32_t> lower, upper;
  size_t count = 1;
  const bool empty = old.dimensions() == 0;
  if (!empty && static_cast<size_t>(old.dimensions()) < bounds.size()) return wrong("wrong number of array subscripts");
  const size_t dimensions = empty ? bounds.size() : static_cast<size_t>(old.dimensions());
  if (dimensions > kArrayDimensionsMax) {
    return Status(SqlState::kProgramLimitExceeded, "number of array dimensions (" + std::to_string(dimensions) +
                                                       ") exceeds the maximum allowed (" +
                                                       std::to_string(kArrayDimensionsMax) + ")");
  }
  for (size_t d = 0; d < dimensions; ++d) {
    const SliceBound b = d < bounds.size() ? bounds[d] : SliceBound{};
    if (empty && !(b.has_lower && b.has_upper)) {
      return wrong("array slice subscript must provide both boundaries")
          .with_detail("When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
    }
    lower.push_back(b.has_lower ? b.lower : e.lowers[d]);
    upper.push_back(b.has_upper ? b.upper : e.lowers[d] + e.lengths[d] - 1);
    if (upper[d] < lower[d]) {
      if (d < bounds.size()) return wrong("upper bound cannot be less than lower bound");
    }
    if (!empty && dimensions > 1 && (lower[d] < e.lowers[d] || upper[d] >= e.lowers[d] + e.lengths[d])) {
      return wrong("array subscript out of range");
    }
    const int64_t length = static_cast<int64_t>(upper[d]) - lower[d] + 1;
    if (length > kArrayElementsMax) {
      return Status(SqlState::kProgramLimitExceeded,
                    "array size exceeds the maximum allowed (" + std::to_string(kArrayElementsMax) + ")");
    }
    count *= static_cast<size_t>(length);
  }
  if (from.size() < count) return wrong("source array too small");
  if (empty) {
    e.lowers = lower;
    for (size_t d = 0; d < dimensions; ++d) e.lengths.push_back(upper[d] - lower[d] + 1);
    e.values.resize(count);
  } else if (dimensions == 1) {
    const int64_t reach = std::max<int64_t>(upper[0], static_cast<int64_t>(e.lowers[0]) + e.lengths[0] - 1) -
                          std::min<int64_t>(lower[0], e.lowers[0]) + 1;
    if (reach > kArrayElementsMax) {
      return Status(SqlState::kProgramLimitExceeded,
                    "array size exceeds the maximum allowed (" + std::to_string(kArrayElementsMax) + ")");
    }
    grow(&e, lower[0], upper[0]);
  }
  // Odometer over the slice, last subscript fastest.
  std::vector<int32_t> at = lower;
  for (size_t i = 0; i < count; ++i) {
    size_t position = 0;
    for (size_t d = 0; d < dimensions; ++d)
      position = position * static_cast<size_t>(e.lengths[d]) + static_cast<size_t>(at[d] - e.lowers[d]);
    e.values[position] = from.is_null(i) ? ValueView() : from.at(i);
    for (size_t d = dimensions; d-- > 0;) {
      if (++at[d] <= upper[d]) break;
      at[d] = lower[d];
    }
  }
  *out = e.finish(old.element_type(), old.physical(), old.physical().width);
  return {};
}

}  // namespace omendb::types
