// The range types: int4range, int8range, numrange, daterange, tsrange, tstzrange (PostgreSQL's manual, 8.17 and 9.20).
//
// Bytes of a range (Physical::kBytes). They order as the type does: the empty range first, then lower bounds, then upper.
//
//   empty        00
//   other   0 1  form of the bounds: 1 int4 and date, 2 int8 and timestamps, 3 numeric
//           ..   lower bound: 00 infinite | 01, key of the value, 00 inclusive or 01 exclusive
//           ..   upper bound: 01, key of the value, 00 exclusive or 01 inclusive | 02 infinite
//           ..   numeric only, and no part of the key: the display scales of both bounds, two bytes each, big-endian
//
// The key of a value is big-endian with its sign bit flipped; a numeric's is numeric_key(), which tells its own length.
// The ranges of discrete types are canonical, [a,b), as PostgreSQL's are; so equal ranges have equal keys.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::types {

enum class RangeForm : char { kInt32 = 1, kInt64 = 2, kNumeric = 3 };

struct RangeType {
  Oid range, multirange, element;
  RangeForm form;
  bool discrete;  // has a canonical form
};
/// By the range's OID, by its multirange's; nullptr for every other type.
const RangeType* find_range_type(Oid range);
const RangeType* find_multirange_type(Oid multirange);

/// One bound of a range that lies somewhere else.
struct RangeBound {
  bool lower = true;
  bool infinite = true;
  bool inclusive = false;  // never of an infinite one
  std::string_view key;
  uint16_t scale = 0;

  /// The value, not of an infinite one; a numeric's bytes go to storage.
  ValueView value(RangeForm form, std::string* storage) const;
  /// The same place as the bound of what lies on the other side of it.
  RangeBound other_side() const;
};

/// A range as its bytes say; holds views into them. Reading and writing follow no type: the bytes tell.
struct Range {
  RangeForm form = RangeForm::kInt32;
  bool empty = true;
  RangeBound lower{.lower = true}, upper{.lower = false};

  Range() = default;
  explicit Range(std::string_view bytes);
  /// Empty where nothing lies between the bounds, which must be in order.
  Range(RangeForm form, const RangeBound& lower, const RangeBound& upper);
  std::string bytes() const;
};

/// The part of a range's bytes, or of a multirange's, that orders it and tells it from others.
std::string_view range_key(std::string_view bytes);
std::string_view multirange_key(std::string_view bytes);
/// A range with such a key: numerics have the least scale that shows every digit.
std::string range_from_key(std::string_view key);
std::string multirange_from_key(std::string_view key);

/// What a range is made of.
struct NewBound {
  bool infinite = true;
  bool inclusive = false;
  ValueView value;  // as physical_type says
};
/// In canonical form. Errors: 22000 for bounds out of order, 22003 and 22008 at the type's end.
Status make_range(const RangeType& type, const NewBound& lower, const NewBound& upper, std::string* out);

// ---- forms ----
/// Errors: 22P02 `malformed range literal: "..."`, those of the bounds' input.
Status parse_range(const RangeType& type, std::string_view text, const IoContext& context, std::string* out);
void append_range(const RangeType& type, const Range& range, const IoContext& context, std::string* out);
Status receive_range(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out);
Status send_range(const RangeType& type, const Range& range, const IoContext& context, std::string* out);

// ---- operators. Empty ranges contain nothing, overlap nothing and lie nowhere ----
/// The order of any two bounds: an exclusive lower one lies behind its value, an exclusive upper one before it.
int compare_bounds(const RangeBound& a, const RangeBound& b);
bool range_contains(const Range& a, const Range& b);
bool range_contains_value(const Range& range, const ValueView& value);
bool range_overlaps(const Range& a, const Range& b);
bool range_adjacent(const Range& a, const Range& b);
bool range_before(const Range& a, const Range& b);
bool range_overleft(const Range& a, const Range& b);
bool range_overright(const Range& a, const Range& b);
Range range_intersect(const Range& a, const Range& b);
/// The least range that holds both.
Range range_merge(const Range& a, const Range& b);
/// Errors: 22000 for what would be two ranges.
Status range_union(const Range& a, const Range& b, Range* out);
Status range_minus(const Range& a, const Range& b, Range* out);

namespace range_parts {  // for multiranges
/// Takes one range's key off the front.
Range take_key(std::string_view* bytes);
void append_key(const Range& range, std::string* out);
void append_scales(const Range& range, std::string* out);
void take_scales(std::string_view* bytes, Range* range);
}  // namespace range_parts

}  // namespace omendb::types
