// Array operators and functions.
#include <algorithm>

#include "types/array.h"
#include "types/compare.h"
#include "types/numeric.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

Status subscript_error(std::string message) { return Status(SqlState::kArraySubscriptError, std::move(message)); }

std::vector<int32_t> lengths_of(const ArrayView& a) {
  std::vector<int32_t> v;
  for (int d = 0; d < a.dimensions(); ++d) v.push_back(a.length(d));
  return v;
}
std::vector<int32_t> lowers_of(const ArrayView& a) {
  std::vector<int32_t> v;
  for (int d = 0; d < a.dimensions(); ++d) v.push_back(a.lower(d));
  return v;
}

// A value given in another form (a decimal) as the array's own.
ValueView as_element(const PhysicalType& physical, const ValueView& value, std::string* storage) {
  if (value.null || !physical.is_decimal()) return value;
  storage->clear();
  Numeric::from_scaled(physical.kind == Physical::kInt128 ? value.wide : value.integer, physical.scale)
      .append_bytes(storage);
  return ValueView::of_bytes(*storage);
}

bool same(const ArrayView& a, const ValueView& x, const ValueView& y) {
  if (x.null || y.null) return x.null && y.null;
  return values_equal(a.element_type(), a.physical(), x, y);
}

}  // namespace

int array_compare(std::string_view x, std::string_view y) {
  ArrayView a(x), b(y);
  size_t n = std::min(a.size(), b.size());
  for (size_t i = 0; i < n; ++i) {
    bool na = a.is_null(i), nb = b.is_null(i);
    if (na && nb) continue;
    if (na) return 1;
    if (nb) return -1;
    int c = compare_values(a.element_type(), a.physical(), a.at(i), b.at(i));
    if (c != 0) return c;
  }
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  if (a.dimensions() != b.dimensions()) return a.dimensions() < b.dimensions() ? -1 : 1;
  for (int d = 0; d < a.dimensions(); ++d) {
    if (a.length(d) != b.length(d)) return a.length(d) < b.length(d) ? -1 : 1;
  }
  for (int d = 0; d < a.dimensions(); ++d) {
    if (a.lower(d) != b.lower(d)) return a.lower(d) < b.lower(d) ? -1 : 1;
  }
  return 0;
}

bool array_contains(std::string_view x, std::string_view y) {
  ArrayView a(x), b(y);
  for (size_t j = 0; j < b.size(); ++j) {
    if (b.is_null(j)) return false;
    ValueView want = b.at(j);
    bool found = false;
    for (size_t i = 0; i < a.size() && !found; ++i) {
      found = !a.is_null(i) && values_equal(a.element_type(), a.physical(), a.at(i), want);
    }
    if (!found) return false;
  }
  return true;
}

bool array_overlaps(std::string_view x, std::string_view y) {
  ArrayView a(x), b(y);
  for (size_t j = 0; j < b.size(); ++j) {
    if (b.is_null(j)) continue;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!a.is_null(i) && values_equal(a.element_type(), a.physical(), a.at(i), b.at(j))) return true;
    }
  }
  return false;
}

ValueView array_subscript(const ArrayView& array, std::span<const int32_t> subscripts) {
  size_t at = 0;
  return array.find(subscripts, &at) ? array.at(at) : ValueView();
}

std::string array_slice(std::string_view bytes, std::span<const SliceBound> bounds) {
  ArrayView a(bytes);
  ArrayBuilder out(a.element_type(), a.physical());
  int n = a.dimensions();
  if (n == 0 || static_cast<int>(bounds.size()) > n) return out.finish();
  int32_t lower[kArrayDimensionsMax], upper[kArrayDimensionsMax];
  std::vector<int32_t> lengths, lowers;
  for (int d = 0; d < n; ++d) {
    lower[d] = a.lower(d);
    upper[d] = a.upper(d);
    if (d < static_cast<int>(bounds.size())) {
      const SliceBound& b = bounds[static_cast<size_t>(d)];
      if (b.has_lower) lower[d] = std::max(lower[d], b.lower);
      if (b.has_upper) upper[d] = std::min(upper[d], b.upper);
    }
    if (lower[d] > upper[d]) return out.finish();
    lengths.push_back(upper[d] - lower[d] + 1);
    lowers.push_back(1);
  }
  int32_t at[kArrayDimensionsMax];
  for (int d = 0; d < n; ++d) at[d] = lower[d];
  for (;;) {
    size_t position = 0;
    CHECK(a.find({at, static_cast<size_t>(n)}, &position));
    out.add(a.at(position));
    int d = n - 1;
    while (d >= 0 && at[d] == upper[d]) {
      at[d] = lower[d];
      --d;
    }
    if (d < 0) break;
    ++at[d];
  }
  out.set_dimensions(lengths, lowers);
  return out.finish();
}

Status array_assign(std::string_view bytes, std::span<const int32_t> subscripts, const PhysicalType& physical,
                    const ValueView& given, std::string* out) {
  ArrayView a(bytes);
  std::string storage;
  ValueView value = as_element(physical, given, &storage);
  ArrayBuilder builder(a.element_type(), a.physical());
  auto n = static_cast<int>(subscripts.size());
  if (n < 1 || n > kArrayDimensionsMax) return subscript_error("wrong number of array subscripts");
  if (a.dimensions() == 0) {
    std::vector<int32_t> lengths(subscripts.size(), 1);
    builder.add(value);
    builder.set_dimensions(lengths, subscripts);
    *out = builder.finish();
    return {};
  }
  if (a.dimensions() != n) return subscript_error("wrong number of array subscripts");
  if (n > 1) {
    size_t position = 0;
    if (!a.find(subscripts, &position)) return subscript_error("array subscript out of range");
    for (size_t i = 0; i < a.size(); ++i) builder.add(i == position ? value : a.at(i));
    builder.set_dimensions(lengths_of(a), lowers_of(a));
    *out = builder.finish();
    return {};
  }
  int64_t lower = std::min<int64_t>(a.lower(0), subscripts[0]), upper = std::max<int64_t>(a.upper(0), subscripts[0]);
  if (upper - lower + 1 > kArrayElementsMax) {
    return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
  }
  for (int64_t i = lower; i <= upper; ++i) {
    if (i == subscripts[0])
      builder.add(value);
    else if (i < a.lower(0) || i > a.upper(0))
      builder.add_null();
    else
      builder.add(a.at(static_cast<size_t>(i - a.lower(0))));
  }
  auto length = static_cast<int32_t>(upper - lower + 1), low = static_cast<int32_t>(lower);
  builder.set_dimensions({&length, 1}, {&low, 1});
  *out = builder.finish();
  return {};
}

Status array_cat(std::string_view x, std::string_view y, std::string* out) {
  ArrayView a(x), b(y);
  auto incompatible = [](std::string detail) {
    return Status(SqlState::kArraySubscriptError, "cannot concatenate incompatible arrays")
        .with_detail(std::move(detail));
  };
  if (a.dimensions() == 0 && b.dimensions() > 0) {
    out->assign(y);
    return {};
  }
  if (b.dimensions() == 0) {
    out->assign(x);
    return {};
  }
  int da = a.dimensions(), db = b.dimensions();
  std::vector<int32_t> lengths, lowers;
  auto differing = [&] {
    return incompatible("Arrays with differing element dimensions are not compatible for concatenation.");
  };
  if (da == db) {
    lengths = lengths_of(a);
    lowers = lowers_of(a);
    lengths[0] += b.length(0);
    for (int d = 1; d < da; ++d) {
      if (a.length(d) != b.length(d) || a.lower(d) != b.lower(d)) {
        return incompatible("Arrays with differing element dimensions are not compatible for concatenation.");
      }
    }
  } else if (da == db - 1) {
    lengths = lengths_of(b);
    lowers = lowers_of(b);
    ++lengths[0];
    for (int d = 0; d < da; ++d) {
      if (a.length(d) != b.length(d + 1) || a.lower(d) != b.lower(d + 1)) return differing();
    }
  } else if (da == db + 1) {
    lengths = lengths_of(a);
    lowers = lowers_of(a);
    ++lengths[0];
    for (int d = 0; d < db; ++d) {
      if (b.length(d) != a.length(d + 1) || b.lower(d) != a.lower(d + 1)) return differing();
    }
  } else {
    return incompatible("Arrays of " + std::to_string(da) + " and " + std::to_string(db) +
                        " dimensions are not compatible for concatenation.");
  }
  ArrayBuilder builder(a.element_type(), a.physical());
  for (size_t i = 0; i < a.size(); ++i) builder.add(a.at(i));
  for (size_t i = 0; i < b.size(); ++i) builder.add(b.at(i));
  builder.set_dimensions(lengths, lowers);
  *out = builder.finish();
  return {};
}

namespace {
Status extend(std::string_view array, const PhysicalType& physical, const ValueView& given, bool front,
              std::string* out) {
  ArrayView a(array);
  if (a.dimensions() > 1) {
    return Status(SqlState::kDataException, "argument must be empty or one-dimensional array");
  }
  std::string storage;
  ValueView value = as_element(physical, given, &storage);
  ArrayBuilder builder(a.element_type(), a.physical());
  if (front) builder.add(value);
  for (size_t i = 0; i < a.size(); ++i) builder.add(a.at(i));
  if (!front) builder.add(value);
  auto length = static_cast<int32_t>(builder.size());
  int32_t lower = a.dimensions() == 1 ? a.lower(0) : 1;
  if (lower > INT32_MAX - length) return Status(SqlState::kNumericValueOutOfRange, "integer out of range");
  builder.set_dimensions({&length, 1}, {&lower, 1});
  *out = builder.finish();
  return {};
}
}  // namespace

Status array_append(std::string_view array, const PhysicalType& physical, const ValueView& value, std::string* out) {
  return extend(array, physical, value, false, out);
}
Status array_prepend(const PhysicalType& physical, const ValueView& value, std::string_view array, std::string* out) {
  return extend(array, physical, value, true, out);
}

Status array_remove(std::string_view array, const PhysicalType& physical, const ValueView& given, std::string* out) {
  ArrayView a(array);
  if (a.dimensions() > 1) {
    return Status(SqlState::kFeatureNotSupported, "removing elements from multidimensional arrays is not supported");
  }
  std::string storage;
  ValueView value = as_element(physical, given, &storage);
  ArrayBuilder builder(a.element_type(), a.physical());
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same(a, a.at(i), value)) builder.add(a.at(i));
  }
  if (builder.size() == a.size()) {
    out->assign(array);
    return {};
  }
  if (builder.size() > 0) {
    auto length = static_cast<int32_t>(builder.size());
    int32_t lower = a.lower(0);
    builder.set_dimensions({&length, 1}, {&lower, 1});
  }
  *out = builder.finish();
  return {};
}

void array_replace(std::string_view array, const PhysicalType& physical, const ValueView& given_from,
                   const ValueView& given_to, std::string* out) {
  ArrayView a(array);
  std::string from_storage, to_storage;
  ValueView from = as_element(physical, given_from, &from_storage), to = as_element(physical, given_to, &to_storage);
  ArrayBuilder builder(a.element_type(), a.physical());
  for (size_t i = 0; i < a.size(); ++i) builder.add(same(a, a.at(i), from) ? to : a.at(i));
  builder.set_dimensions(lengths_of(a), lowers_of(a));
  *out = builder.finish();
}

Status array_position(std::string_view array, const PhysicalType& physical, const ValueView& given, int32_t start,
                      bool has_start, bool* found, int32_t* position) {
  ArrayView a(array);
  *found = false;
  if (a.dimensions() > 1) {
    return Status(SqlState::kFeatureNotSupported, "searching for elements in multidimensional arrays is not supported");
  }
  std::string storage;
  ValueView value = as_element(physical, given, &storage);
  for (size_t i = 0; i < a.size(); ++i) {
    auto subscript = static_cast<int32_t>(a.lower(0) + static_cast<int64_t>(i));
    if (has_start && subscript < start) continue;
    if (same(a, a.at(i), value)) {
      *found = true;
      *position = subscript;
      return {};
    }
  }
  return {};
}

Status array_positions(std::string_view array, const PhysicalType& physical, const ValueView& given, std::string* out) {
  ArrayView a(array);
  if (a.dimensions() > 1) {
    return Status(SqlState::kFeatureNotSupported, "searching for elements in multidimensional arrays is not supported");
  }
  std::string storage;
  ValueView value = as_element(physical, given, &storage);
  ArrayBuilder builder(oid::kInt4, physical_type(oid::kInt4, -1));
  for (size_t i = 0; i < a.size(); ++i) {
    if (same(a, a.at(i), value)) builder.add(ValueView::of_integer(a.lower(0) + static_cast<int64_t>(i)));
  }
  *out = builder.finish();
  return {};
}

Status array_fill(Oid element, const PhysicalType& physical, const ValueView& value, std::span<const int32_t> lengths,
                  std::span<const int32_t> lowers, std::string* out) {
  if (!lowers.empty() && lowers.size() != lengths.size()) return subscript_error("wrong number of array subscripts");
  ArrayBuilder builder(element, physical);
  int64_t count = lengths.empty() ? 0 : 1;
  for (int32_t n : lengths) {
    if (n < 0) return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
    count *= n;
    if (count > kArrayElementsMax) {
      return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
    }
  }
  for (int64_t i = 0; i < count; ++i) builder.add(value);
  if (count > 0) {
    std::vector<int32_t> low(lowers.begin(), lowers.end());
    low.resize(lengths.size(), 1);
    builder.set_dimensions(lengths, low);
  }
  *out = builder.finish();
  return {};
}

Status trim_array(std::string_view array, int32_t count, std::string* out) {
  ArrayView a(array);
  int32_t length = a.dimensions() > 0 ? a.length(0) : 0;
  if (count < 0 || count > length) {
    return Status(SqlState::kArrayElementError,
                  "number of elements to trim must be between 0 and " + std::to_string(length));
  }
  if (a.dimensions() == 0) {
    out->assign(array);
    return {};
  }
  SliceBound bound;
  bound.has_upper = true;
  bound.upper = a.upper(0) - count;
  *out = array_slice(array, {&bound, 1});
  return {};
}

void array_to_string(std::string_view array, std::string_view delimiter, const std::string_view* null_text,
                     const IoContext& context, std::string* out) {
  ArrayView a(array);
  bool first = true;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.is_null(i) && null_text == nullptr) continue;
    if (!first) out->append(delimiter);
    first = false;
    if (a.is_null(i))
      out->append(*null_text);
    else
      output(a.element_type(), a.physical(), a.at(i), context, out);
  }
}

void string_to_array(std::string_view text, const std::string_view* delimiter, const std::string_view* null_text,
                     std::string* out) {
  ArrayBuilder builder(oid::kText, {Physical::kBytes});
  auto add = [&](std::string_view field) {
    if (null_text != nullptr && field == *null_text)
      builder.add_null();
    else
      builder.add(ValueView::of_bytes(field));
  };
  if (text.empty()) {
  } else if (delimiter == nullptr) {
    for (size_t at = 0; at < text.size();) {
      size_t width = std::min(utf8_width(text[at]), text.size() - at);
      add(text.substr(at, width));
      at += width;
    }
  } else if (delimiter->empty()) {
    add(text);
  } else {
    size_t from = 0;
    for (size_t at; (at = text.find(*delimiter, from)) != std::string_view::npos; from = at + delimiter->size()) {
      add(text.substr(from, at - from));
    }
    add(text.substr(from));
  }
  *out = builder.finish();
}

}  // namespace omendb::types
