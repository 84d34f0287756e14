// Multiranges: int4multirange and its kin (PostgreSQL's manual, 8.17.10).
//
// Bytes: the keys of the ranges one after the other (types/range.h), 00, then the display scales of numerics' ranges. Up to the
// scales they order as the type does: range by range, and what has no more comes first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "types/range.h"

namespace omendb::types {

/// Ranges in order, none empty, none touching the next. Views into bytes that lie elsewhere.
using Multirange = std::vector<Range>;

Multirange multirange_of(std::string_view bytes);
std::string multirange_to_bytes(const Multirange& ranges);
/// Any ranges, brought into order, and those joined that touch.
Multirange multirange_of_ranges(std::vector<Range> ranges);
/// From the first range's lower bound to the last one's upper; empty if there is none.
Range multirange_span(const Multirange& ranges);

/// Errors: 22P02 `malformed multirange literal: "..."`, those of the ranges' input.
Status parse_multirange(const RangeType& type, std::string_view text, const IoContext& context, std::string* out);
void append_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out);
Status receive_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out);
Status send_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out);

bool multirange_contains(const Multirange& a, const Range& b);
bool multirange_contains(const Multirange& a, const Multirange& b);
bool multirange_contains_value(const Multirange& a, const ValueView& value);
bool multirange_overlaps(const Multirange& a, const Multirange& b);
Multirange multirange_union(const Multirange& a, const Multirange& b);
Multirange multirange_intersect(const Multirange& a, const Multirange& b);
Multirange multirange_minus(const Multirange& a, const Multirange& b);

}  // namespace omendb::types
