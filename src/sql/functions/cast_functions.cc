// Casts: type input and output, length coercions, and changes of physical form.
#include "sql/functions/library.h"
#include "types/io.h"
#include "types/utf8.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using types::ValueView;
namespace oid = types::oid;

namespace {

size_t character_count(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

/// Bytes of the first `n` characters.
size_t prefix_bytes(std::string_view text, size_t n) {
  size_t i = 0;
  while (i < text.size()) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      if (n == 0) break;
      --n;
    }
    ++i;
  }
  return i;
}

std::string_view without_trailing_spaces(std::string_view text) {
  const size_t end = text.find_last_not_of(' ');
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
}

/// varchar(n) and character(n): too long is an error, except for spaces, and except in an explicit cast, which cuts.
std::string_view limited(std::string_view text, int64_t typmod, bool is_explicit, const char* type) {
  if (typmod < 4) return text;
  const auto limit = static_cast<size_t>(typmod - 4);
  if (text.size() <= limit) return text;
  const size_t bytes = prefix_bytes(text, limit);
  if (bytes == text.size()) return text;
  if (!is_explicit && !without_trailing_spaces(text.substr(bytes)).empty()) {
    throw SqlError(SqlState::kStringDataRightTruncation,
                   std::string("value too long for type ") + type + "(" + std::to_string(limit) + ")");
  }
  return text.substr(0, bytes);
}

ValueView raise(RowCall&, const ValueView* a) {
  char code[6] = "XX000";
  if (a[0].bytes.size() == 5) a[0].bytes.copy(code, 5);
  throw SqlError(static_cast<SqlState>(pack_sqlstate(code)), std::string(a[1].bytes));
}

/// Of a value that a domain does not take: message, schema, domain and, unless it is NULL that it refuses, constraint.
ValueView refuse_value(RowCall&, const ValueView* a) {
  const bool check = !a[3].bytes.empty();
  SqlError error(check ? SqlState::kCheckViolation : SqlState::kNotNullViolation, std::string(a[0].bytes));
  error.info().schema = a[1].bytes;
  error.info().data_type = a[2].bytes;
  error.info().constraint = a[3].bytes;
  throw error;
}

}  // namespace

void add_cast_functions(Library& library) {
  library.row({"input",
               {kDescriptor, oid::kText},
               kDescribed,
               [](RowCall& call, const ValueView* a) {
                 const TypeArgument& t = call.types[0];
                 throw_if_error(types::input(
                     t.base,
                     t.physical.is_decimal() ? types::numeric_typmod(t.physical.precision, t.physical.scale) : -1,
                     a[0].bytes, call.io(), &call.value));
                 return call.value.view();
               },
               Volatility::kStable});
  library.row({"output",
               {kDescriptor, kAnyValue},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 const TypeArgument& t = call.types[0];
                 call.buffer.clear();
                 types::output(t.type, t.physical, a[0], call.io(), &call.buffer);
                 return call.bytes();
               },
               Volatility::kStable});
  library.row({"reinterpret", {kDescriptor, kAnyValue}, kDescribed, [](RowCall&, const ValueView* a) { return a[0]; }});
  library.row({"varchar", {oid::kText, oid::kInt4, oid::kBool}, oid::kText, [](RowCall&, const ValueView* a) {
                 return ValueView::of_bytes(limited(a[0].bytes, a[1].integer, a[2].integer != 0, "character varying"));
               }});
  library.row({"bpchar", {oid::kText, oid::kInt4, oid::kBool}, oid::kText, [](RowCall&, const ValueView* a) {
                 return ValueView::of_bytes(
                     without_trailing_spaces(limited(a[0].bytes, a[1].integer, a[2].integer != 0, "character")));
               }});
  library.row({"bpchar_pad", {oid::kText, oid::kInt4}, oid::kText, [](RowCall& call, const ValueView* a) {
                 const size_t have = character_count(a[0].bytes), width = static_cast<size_t>(a[1].integer);
                 if (have >= width) return a[0];
                 call.buffer.assign(a[0].bytes);
                 call.buffer.append(width - have, ' ');
                 return call.bytes();
               }});
  library.row({"raise", {kDescriptor, oid::kText, oid::kText}, kDescribed, raise, Volatility::kVolatile});
  library.row({"refuse_value",
               {kDescriptor, oid::kText, oid::kText, oid::kText, oid::kText},
               kDescribed,
               refuse_value,
               Volatility::kVolatile});
  for (const char* name : {"text_name", "bpchar_name"}) {
    // name keeps 63 bytes, cut at a character.
    library.row({name, {oid::kText}, oid::kName, [](RowCall&, const ValueView* a) {
                   std::string_view s = a[0].bytes;
                   if (s.size() > 63) {
                     size_t end = 63;
                     while (end > 0 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) --end;
                     s = s.substr(0, end);
                   }
                   return ValueView::of_bytes(s);
                 }});
  }
  library.row({"text_char", {oid::kText}, oid::kChar, [](RowCall& call, const ValueView* a) {
                 types::Value read;
                 throw_if_error(types::input(oid::kChar, -1, a[0].bytes, call.io(), &read));
                 return call.text(std::string(read.view().bytes));
               }});
  for (const char* name : {"char_text", "char_bpchar"}) {
    library.row({name, {oid::kChar}, oid::kText, [](RowCall& call, const ValueView* a) {
                   std::string text;
                   types::output(oid::kChar, {types::Physical::kBytes}, a[0], call.io(), &text);
                   return call.text(text);
                 }});
  }
  library.row({"chartoi4", {oid::kChar}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(a[0].bytes.empty() ? 0 : static_cast<signed char>(a[0].bytes[0]));
               }});
  library.row({"i4tochar", {oid::kInt4}, oid::kChar, [](RowCall& call, const ValueView* a) {
                 if (a[0].integer < -128 || a[0].integer > 127)
                   throw SqlError(SqlState::kNumericValueOutOfRange, "\"char\" out of range");
                 if (a[0].integer == 0) return call.text("");
                 return call.text(std::string(1, static_cast<char>(a[0].integer)));
               }});
  library.row({"i8tooid", {oid::kInt8}, oid::kOid, [](RowCall&, const ValueView* a) {
                 if (a[0].integer < 0 || a[0].integer > 4294967295LL)
                   throw SqlError(SqlState::kNumericValueOutOfRange, "OID out of range");
                 return a[0];
               }});
  library.row({"oidtoi8", {oid::kOid}, oid::kInt8, [](RowCall&, const ValueView* a) { return a[0]; }});
  library.row({"text_regclass",
               {oid::kText},
               oid::kRegclass,
               [](RowCall& call, const ValueView* a) {
                 throw_if_error(types::input(oid::kRegclass, -1, a[0].bytes, call.io(), &call.value));
                 return call.value.view();
               },
               Volatility::kStable});
}

}  // namespace omendb::sql::functions
