// Range bytes, and what ranges are made of.
#include "types/range.h"

#include "base/check.h"
#include "types/datetime.h"
#include "types/io_parts.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

constexpr RangeType kRangeTypes[] = {
    {Oid{3904}, Oid{4451}, oid::kInt4, RangeForm::kInt32, true},
    {Oid{3906}, Oid{4532}, oid::kNumeric, RangeForm::kNumeric, false},
    {Oid{3908}, Oid{4533}, oid::kTimestamp, RangeForm::kInt64, false},
    {Oid{3910}, Oid{4534}, oid::kTimestampTz, RangeForm::kInt64, false},
    {Oid{3912}, Oid{4535}, oid::kDate, RangeForm::kInt32, true},
    {Oid{3926}, Oid{4536}, oid::kInt8, RangeForm::kInt64, true},
};

constexpr char kEmpty = 0;
constexpr char kLowerInfinite = 0, kFinite = 1, kUpperInfinite = 2;
constexpr size_t kScaleBytes = 4;  // of both bounds

constexpr uint32_t kTop32 = uint32_t{1} << 31;
constexpr uint64_t kTop64 = uint64_t{1} << 63;

size_t key_length(RangeForm form, std::string_view bytes) {
  switch (form) {
    case RangeForm::kInt32: return 4;
    case RangeForm::kInt64: return 8;
    case RangeForm::kNumeric: return numeric_key_length(bytes);
  }
  return 0;
}

RangeBound take_bound(RangeForm form, bool lower, std::string_view* bytes) {
  CHECK(!bytes->empty());
  RangeBound bound{.lower = lower};
  const char mark = bytes->front();
  bytes->remove_prefix(1);
  if (mark == (lower ? kLowerInfinite : kUpperInfinite)) return bound;
  CHECK(mark == kFinite);
  const size_t length = key_length(form, *bytes);
  CHECK(length > 0);
  CHECK(bytes->size() > length);
  bound.infinite = false;
  bound.key = bytes->substr(0, length);
  bound.inclusive = ((*bytes)[length] == 0) == lower;
  bytes->remove_prefix(length + 1);
  return bound;
}

void append_bound(const RangeBound& bound, std::string* out) {
  if (bound.infinite) {
    out->push_back(bound.lower ? kLowerInfinite : kUpperInfinite);
    return;
  }
  out->push_back(kFinite);
  out->append(bound.key);
  out->push_back(bound.inclusive == bound.lower ? 0 : 1);
}

/// The order of two bounds' places alone, inclusive or not.
int compare_places(const RangeBound& a, const RangeBound& b) {
  if (a.infinite || b.infinite) {
    const int x = !a.infinite ? 0 : a.lower ? -1 : 1;
    const int y = !b.infinite ? 0 : b.lower ? -1 : 1;
    return x - y;
  }
  return a.key.compare(b.key);
}

void append_value_key(RangeForm form, const ValueView& value, std::string* out) {
  switch (form) {
    case RangeForm::kInt32: append_be32(static_cast<uint32_t>(value.integer) ^ kTop32, out); break;
    case RangeForm::kInt64: append_be64(static_cast<uint64_t>(value.integer) ^ kTop64, out); break;
    case RangeForm::kNumeric: out->append(numeric_key(value.bytes)); break;
  }
}

RangeBound stored_bound(RangeForm form, bool lower, const NewBound& from, std::string* key) {
  RangeBound bound{.lower = lower};
  if (from.infinite) return bound;
  append_value_key(form, from.value, key);
  bound.infinite = false;
  bound.inclusive = from.inclusive;
  bound.key = *key;
  if (form == RangeForm::kNumeric) bound.scale = load_be16(from.value.bytes.data() + from.value.bytes.size() - 2);
  return bound;
}

/// One more than a bound of a discrete type.
Status step(const RangeType& type, NewBound* bound) {
  int64_t& v = bound->value.integer;
  switch (type.element.value) {
    case oid::kInt4.value:
      if (v == INT32_MAX) return Status(SqlState::kNumericValueOutOfRange, "integer out of range");
      break;
    case oid::kInt8.value:
      if (v == INT64_MAX) return Status(SqlState::kNumericValueOutOfRange, "bigint out of range");
      break;
    default:
      if (v == kDateInfinity || v == kDateMinusInfinity) return {};
      if (!date_in_range(v + 1)) return Status(SqlState::kDatetimeValueOutOfRange, "date out of range");
      break;
  }
  ++v;
  bound->inclusive = !bound->inclusive;
  return {};
}

}  // namespace

const RangeType* find_range_type(Oid range) {
  for (const RangeType& type : kRangeTypes) {
    if (type.range == range) return &type;
  }
  return nullptr;
}

const RangeType* find_multirange_type(Oid multirange) {
  for (const RangeType& type : kRangeTypes) {
    if (type.multirange == multirange) return &type;
  }
  return nullptr;
}

ValueView RangeBound::value(RangeForm form, std::string* storage) const {
  switch (form) {
    case RangeForm::kInt32: return ValueView::of_integer(static_cast<int32_t>(load_be32(key.data()) ^ kTop32));
    case RangeForm::kInt64: return ValueView::of_integer(static_cast<int64_t>(load_be64(key.data()) ^ kTop64));
    case RangeForm::kNumeric: break;
  }
  storage->assign(key);
  append_be16(scale, storage);
  return ValueView::of_bytes(*storage);
}

RangeBound RangeBound::other_side() const {
  RangeBound other = *this;
  other.lower = !lower;
  other.inclusive = !inclusive;
  return other;
}

// ---- bytes ----

namespace range_parts {

Range take_key(std::string_view* bytes) {
  Range range;
  CHECK(!bytes->empty());
  const char mark = bytes->front();
  bytes->remove_prefix(1);
  if (mark == kEmpty) return range;
  CHECK(mark <= static_cast<char>(RangeForm::kNumeric));
  range.empty = false;
  range.form = static_cast<RangeForm>(mark);
  range.lower = take_bound(range.form, true, bytes);
  range.upper = take_bound(range.form, false, bytes);
  return range;
}

void append_key(const Range& range, std::string* out) {
  if (range.empty) {
    out->push_back(kEmpty);
    return;
  }
  out->push_back(static_cast<char>(range.form));
  append_bound(range.lower, out);
  append_bound(range.upper, out);
}

void append_scales(const Range& range, std::string* out) {
  if (range.empty || range.form != RangeForm::kNumeric) return;
  append_be16(range.lower.scale, out);
  append_be16(range.upper.scale, out);
}

void take_scales(std::string_view* bytes, Range* range) {
  if (range->empty || range->form != RangeForm::kNumeric) return;
  CHECK(bytes->size() >= kScaleBytes);
  range->lower.scale = load_be16(bytes->data());
  range->upper.scale = load_be16(bytes->data() + 2);
  bytes->remove_prefix(kScaleBytes);
}

}  // namespace range_parts

Range::Range(std::string_view bytes) {
  *this = range_parts::take_key(&bytes);
  range_parts::take_scales(&bytes, this);
}

Range::Range(RangeForm f, const RangeBound& l, const RangeBound& u) : form(f), lower(l), upper(u) {
  const int order = compare_places(lower, upper);
  CHECK(order <= 0);
  empty = order == 0 && !(lower.inclusive && upper.inclusive);
}

std::string Range::bytes() const {
  std::string out;
  range_parts::append_key(*this, &out);
  range_parts::append_scales(*this, &out);
  return out;
}

std::string_view range_key(std::string_view bytes) {
  const bool scaled = bytes[0] == static_cast<char>(RangeForm::kNumeric);
  return bytes.substr(0, bytes.size() - (scaled ? kScaleBytes : 0));
}

namespace {
void set_least_scales(Range* range) {
  if (range->empty || range->form != RangeForm::kNumeric) return;
  for (RangeBound* bound : {&range->lower, &range->upper}) {
    Numeric number;
    if (bound->infinite) continue;
    CHECK(Numeric::from_key(bound->key, &number));
    bound->scale = static_cast<uint16_t>(number.dscale);
  }
}
}  // namespace

std::string range_from_key(std::string_view key) {
  Range range = range_parts::take_key(&key);
  set_least_scales(&range);
  return range.bytes();
}

std::string_view multirange_key(std::string_view bytes) {
  std::string_view rest = bytes;
  while (rest.front() != kEmpty) (void)range_parts::take_key(&rest);
  return bytes.substr(0, bytes.size() - rest.size() + 1);
}

std::string multirange_from_key(std::string_view key) {
  std::string out(key), scales;
  while (key.front() != kEmpty) {
    Range range = range_parts::take_key(&key);
    set_least_scales(&range);
    range_parts::append_scales(range, &scales);
  }
  return out + scales;
}

Status make_range(const RangeType& type, const NewBound& lower, const NewBound& upper, std::string* out) {
  NewBound low = lower, high = upper;
  std::string low_key, high_key;
  RangeBound from = stored_bound(type.form, true, low, &low_key);
  RangeBound to = stored_bound(type.form, false, high, &high_key);
  if (compare_places(from, to) > 0) {
    return Status(SqlState::kDataException, "range lower bound must be less than or equal to range upper bound");
  }
  Range range(type.form, from, to);
  if (type.discrete && !range.empty) {
    if (!low.infinite && !low.inclusive) RETURN_IF_ERROR(step(type, &low));
    if (!high.infinite && high.inclusive) RETURN_IF_ERROR(step(type, &high));
    low_key.clear();
    high_key.clear();
    from = stored_bound(type.form, true, low, &low_key);
    to = stored_bound(type.form, false, high, &high_key);
    range = Range(type.form, from, to);
  }
  *out = range.bytes();
  return {};
}

// ---- operators ----

int compare_bounds(const RangeBound& a, const RangeBound& b) {
  const int order = compare_places(a, b);
  if (order != 0 || a.infinite) return order;
  // Where the bound stands beside its value.
  auto side = [](const RangeBound& bound) { return bound.inclusive ? 0 : bound.lower ? 1 : -1; };
  return side(a) - side(b);
}

bool range_contains(const Range& a, const Range& b) {
  if (b.empty) return true;
  return !a.empty && compare_bounds(a.lower, b.lower) <= 0 && compare_bounds(a.upper, b.upper) >= 0;
}

bool range_contains_value(const Range& range, const ValueView& value) {
  if (range.empty) return false;
  std::string key;
  append_value_key(range.form, value, &key);
  const RangeBound at{.lower = true, .infinite = false, .inclusive = true, .key = key};
  return compare_bounds(range.lower, at) <= 0 && compare_bounds(range.upper, at) >= 0;
}

bool range_overlaps(const Range& a, const Range& b) {
  if (a.empty || b.empty) return false;
  return compare_bounds(a.lower, b.upper) <= 0 && compare_bounds(b.lower, a.upper) <= 0;
}

bool range_adjacent(const Range& a, const Range& b) {
  if (a.empty || b.empty) return false;
  auto meet = [](const RangeBound& upper, const RangeBound& lower) {
    return !upper.infinite && !lower.infinite && upper.key == lower.key && upper.inclusive != lower.inclusive;
  };
  return meet(a.upper, b.lower) || meet(b.upper, a.lower);
}

bool range_before(const Range& a, const Range& b) {
  return !a.empty && !b.empty && compare_bounds(a.upper, b.lower) < 0;
}
bool range_overleft(const Range& a, const Range& b) {
  return !a.empty && !b.empty && compare_bounds(a.upper, b.upper) <= 0;
}
bool range_overright(const Range& a, const Range& b) {
  return !a.empty && !b.empty && compare_bounds(a.lower, b.lower) >= 0;
}

Range range_intersect(const Range& a, const Range& b) {
  if (!range_overlaps(a, b)) return Range();
  return Range(a.form, compare_bounds(a.lower, b.lower) >= 0 ? a.lower : b.lower,
               compare_bounds(a.upper, b.upper) <= 0 ? a.upper : b.upper);
}

Range range_merge(const Range& a, const Range& b) {
  if (a.empty) return b;
  if (b.empty) return a;
  return Range(a.form, compare_bounds(a.lower, b.lower) < 0 ? a.lower : b.lower,
               compare_bounds(a.upper, b.upper) > 0 ? a.upper : b.upper);
}

Status range_union(const Range& a, const Range& b, Range* out) {
  if (!a.empty && !b.empty && !range_overlaps(a, b) && !range_adjacent(a, b)) {
    return Status(SqlState::kDataException, "result of range union would not be contiguous");
  }
  *out = range_merge(a, b);
  return {};
}

Status range_minus(const Range& a, const Range& b, Range* out) {
  *out = a;
  if (!range_overlaps(a, b)) return {};
  const bool left = compare_bounds(a.lower, b.lower)<0, right = compare_bounds(a.upper, b.upper)> 0;
  if (left && right) {
    return Status(SqlState::kDataException, "result of range difference would not be contiguous");
  }
  if (left)
    *out = Range(a.form, a.lower, b.lower.other_side());
  else if (right)
    *out = Range(a.form, b.upper.other_side(), a.upper);
  else
    *out = Range();
  return {};
}

}  // namespace omendb::types
