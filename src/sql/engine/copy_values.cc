#include "sql/engine/copy_values.h"

#include "types/datetime.h"

namespace omendb::sql {
namespace {

namespace oid = types::oid;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool quick_integer(std::string_view text, size_t digits_max, int64_t* out) {
  size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  if (at == text.size() || text.size() - at > digits_max) return false;
  int64_t value = 0;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return false;
    value = value * 10 + (text[at] - '0');
  }
  *out = negative ? -value : value;
  return true;
}

bool quick_decimal(std::string_view text, const types::PhysicalType& physical, int64_t* out) {
  size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  if (text.size() - at > 18) return false;
  int64_t value = 0;
  size_t whole = 0, scale = 0;
  for (; at < text.size() && is_digit(text[at]); ++at, ++whole) value = value * 10 + (text[at] - '0');
  if (at < text.size()) {
    if (text[at] != '.') return false;
    for (++at; at < text.size() && is_digit(text[at]); ++at, ++scale) value = value * 10 + (text[at] - '0');
    if (at < text.size()) return false;
  }
  if (whole == 0 || scale > physical.scale || whole + physical.scale > physical.precision) return false;
  for (; scale < physical.scale; ++scale) value *= 10;
  *out = negative ? -value : value;
  return true;
}

/// YYYY-MM-DD, which means the same under every DateStyle.
bool quick_date(std::string_view text, int64_t* out) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!is_digit(text[i])) return false;
  }
  const auto number = [&](size_t first, size_t count) {
    int32_t value = 0;
    for (size_t i = first; i < first + count; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  // The 29th and later days of a month are left to those who know the calendar.
  const int32_t year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 28) return false;
  *out = types::days_of(year, month, day);
  return true;
}

}  // namespace

bool quick_value(Oid type, int32_t typmod, const types::PhysicalType& physical, std::string_view text,
                 types::ValueView* out) {
  int64_t integer = 0;
  switch (type.value) {
    case oid::kInt2.value:
      if (!quick_integer(text, 4, &integer)) return false;
      break;
    case oid::kInt4.value:
      if (!quick_integer(text, 9, &integer)) return false;
      break;
    case oid::kInt8.value:
      if (!quick_integer(text, 18, &integer)) return false;
      break;
    case oid::kNumeric.value:
      if (!physical.is_decimal() || physical.kind == types::Physical::kInt128 ||
          physical.kind == types::Physical::kBytes)
        return false;
      if (!quick_decimal(text, physical, &integer)) return false;
      break;
    case oid::kDate.value:
      if (!quick_date(text, &integer)) return false;
      break;
    case oid::kText.value: *out = types::ValueView::of_bytes(text); return true;
    case oid::kVarchar.value:
      if (typmod >= 4 && text.size() > static_cast<size_t>(typmod - 4)) return false;
      *out = types::ValueView::of_bytes(text);
      return true;
    case oid::kBpchar.value: {
      if (typmod < 4 || text.size() > static_cast<size_t>(typmod - 4)) return false;
      const size_t last = text.find_last_not_of(' ');
      *out = types::ValueView::of_bytes(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
      return true;
    }
    default: return false;
  }
  *out = types::ValueView::of_integer(integer);
  return true;
}

}  // namespace omendb::sql
