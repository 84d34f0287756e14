#include "types/multirange.h"

#include <algorithm>

#include "types/io_parts.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {

Multirange multirange_of(std::string_view bytes) {
  Multirange ranges;
  for (;;) {
    Range range = range_parts::take_key(&bytes);
    if (range.empty) break;
    ranges.push_back(range);
  }
  for (Range& range : ranges) range_parts::take_scales(&bytes, &range);
  return ranges;
}

std::string multirange_to_bytes(const Multirange& ranges) {
  std::string out;
  for (const Range& range : ranges) range_parts::append_key(range, &out);
  range_parts::append_key(Range(), &out);
  for (const Range& range : ranges) range_parts::append_scales(range, &out);
  return out;
}

Multirange multirange_of_ranges(std::vector<Range> ranges) {
  std::erase_if(ranges, [](const Range& range) { return range.empty; });
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    const int lower = compare_bounds(a.lower, b.lower);
    return lower != 0 ? lower < 0 : compare_bounds(a.upper, b.upper) < 0;
  });
  Multirange joined;
  for (const Range& range : ranges) {
    if (!joined.empty() && (range_overlaps(joined.back(), range) || range_adjacent(joined.back(), range)))
      joined.back() = range_merge(joined.back(), range);
    else
      joined.push_back(range);
  }
  return joined;
}

Range multirange_span(const Multirange& ranges) {
  return ranges.empty() ? Range() : range_merge(ranges.front(), ranges.back());
}

// ---- text ----

namespace {

Status malformed(std::string_view text, const char* detail) {
  return Status(SqlState::kInvalidTextRepresentation, "malformed multirange literal: \"" + std::string(text) + "\"")
      .with_detail(detail);
}

/// The length of the range that text begins with, up to its bracket; npos if it has none. White space escapes nothing, as in PostgreSQL.
size_t range_length(std::string_view text) {
  bool quoted = false, escaped = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_space(c)) continue;
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '"')
        ++i;
      else
        quoted = !quoted;
    } else if (!quoted && (c == ']' || c == ')')) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Status parse_multirange(const RangeType& type, std::string_view text, const IoContext& context, std::string* out) {
  RETURN_IF_ERROR(verify_utf8(text));
  size_t at = 0;
  auto skip_space = [&] {
    while (at < text.size() && is_space(text[at])) ++at;
  };
  skip_space();
  if (at == text.size() || text[at] != '{') return malformed(text, "Missing left brace.");
  ++at;
  std::vector<std::string> values;
  for (bool first = true;; first = false) {
    skip_space();
    if (at == text.size()) return malformed(text, "Unexpected end of input.");
    if (first && text[at] == '}') break;
    if (text[at] == '[' || text[at] == '(') {
      const size_t length = range_length(text.substr(at));
      if (length == std::string_view::npos) return malformed(text, "Unexpected end of input.");
      RETURN_IF_ERROR(parse_range(type, text.substr(at, length), context, &values.emplace_back()));
      at += length;
    } else if (equal_ignoring_case(text.substr(at, 5), "empty")) {
      at += 5;
    } else {
      return malformed(text, "Expected range start.");
    }
    skip_space();
    if (at == text.size()) return malformed(text, "Unexpected end of input.");
    if (text[at] == '}') break;
    if (text[at] != ',') return malformed(text, "Expected comma or end of multirange.");
    ++at;
  }
  ++at;
  skip_space();
  if (at != text.size()) return malformed(text, "Junk after closing right brace.");
  std::vector<Range> ranges(values.begin(), values.end());
  *out = multirange_to_bytes(multirange_of_ranges(std::move(ranges)));
  return {};
}

void append_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const Range& range : multirange_of(bytes)) {
    if (!first) out->push_back(',');
    first = false;
    append_range(type, range, context, out);
  }
  out->push_back('}');
}

// ---- wire ----

Status receive_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out) {
  const Status too_short(SqlState::kProtocolViolation, "insufficient data left in message");
  auto take_number = [&](uint32_t* number) -> Status {
    if (bytes.size() < 4) return too_short;
    *number = load_be32(bytes.data());
    bytes.remove_prefix(4);
    return {};
  };
  uint32_t count = 0;
  RETURN_IF_ERROR(take_number(&count));
  std::vector<std::string> values;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t length = 0;
    RETURN_IF_ERROR(take_number(&length));
    if (bytes.size() < length) return too_short;
    RETURN_IF_ERROR(receive_range(type, bytes.substr(0, length), context, &values.emplace_back()));
    bytes.remove_prefix(length);
  }
  if (!bytes.empty()) return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
  std::vector<Range> ranges(values.begin(), values.end());
  *out = multirange_to_bytes(multirange_of_ranges(std::move(ranges)));
  return {};
}

Status send_multirange(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out) {
  const Multirange ranges = multirange_of(bytes);
  append_be32(static_cast<uint32_t>(ranges.size()), out);
  for (const Range& range : ranges) {
    std::string value;
    RETURN_IF_ERROR(send_range(type, range, context, &value));
    append_be32(static_cast<uint32_t>(value.size()), out);
    out->append(value);
  }
  return {};
}

// ---- operators ----

bool multirange_contains(const Multirange& a, const Range& b) {
  if (b.empty) return true;
  // The last range that begins no later than b.
  auto after = std::upper_bound(a.begin(), a.end(), b,
                                [](const Range& x, const Range& y) { return compare_bounds(x.lower, y.lower) < 0; });
  return after != a.begin() && range_contains(*std::prev(after), b);
}

bool multirange_contains(const Multirange& a, const Multirange& b) {
  return std::all_of(b.begin(), b.end(), [&](const Range& range) { return multirange_contains(a, range); });
}

bool multirange_contains_value(const Multirange& a, const ValueView& value) {
  return std::any_of(a.begin(), a.end(), [&](const Range& range) { return range_contains_value(range, value); });
}

bool multirange_overlaps(const Multirange& a, const Multirange& b) {
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (range_overlaps(a[i], b[j])) return true;
    if (compare_bounds(a[i].upper, b[j].upper) < 0)
      ++i;
    else
      ++j;
  }
  return false;
}

Multirange multirange_union(const Multirange& a, const Multirange& b) {
  std::vector<Range> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return multirange_of_ranges(std::move(all));
}

Multirange multirange_intersect(const Multirange& a, const Multirange& b) {
  Multirange both;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (const Range part = range_intersect(a[i], b[j]); !part.empty) both.push_back(part);
    if (compare_bounds(a[i].upper, b[j].upper) < 0)
      ++i;
    else
      ++j;
  }
  return both;
}

Multirange multirange_minus(const Multirange& a, const Multirange& b) {
  Multirange left;
  size_t j = 0;
  for (Range rest : a) {
    while (j < b.size() && range_before(b[j], rest)) ++j;
    for (size_t k = j; k < b.size() && !rest.empty && range_overlaps(rest, b[k]); ++k) {
      if (compare_bounds(rest.lower, b[k].lower) < 0) {
        left.emplace_back(rest.form, rest.lower, b[k].lower.other_side());
      }
      if (compare_bounds(rest.upper, b[k].upper) > 0)
        rest = Range(rest.form, b[k].upper.other_side(), rest.upper);
      else
        rest = Range();
    }
    if (!rest.empty) left.push_back(rest);
  }
  return left;
}

}  // namespace omendb::types
