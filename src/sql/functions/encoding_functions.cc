// convert, convert_from, convert_to: between the server's encoding, UTF8, and LATIN1.
#include <cctype>

#include "sql/functions/library.h"
#include "types/utf8.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

enum class Encoding : uint8_t { kUtf8, kLatin1 };

/// By any of its names, written as one likes. `role`: source or destination.
Encoding encoding_of(std::string_view name, const char* role) {
  std::string plain;
  for (unsigned char c : name) {
    if (std::isalnum(c) != 0) plain += static_cast<char>(std::tolower(c));
  }
  if (plain == "utf8" || plain == "unicode") return Encoding::kUtf8;
  if (plain == "latin1" || plain == "iso88591") return Encoding::kLatin1;
  for (const char* known :
       {"sqlascii", "eucjp",        "euccn", "euckr",    "euctw",   "eucjis2004", "latin", "iso8859",
        "win",      "koi8",         "sjis",  "shiftjis", "big5",    "gbk",        "uhc",   "gb18030",
        "johab",    "muleinternal", "abc",   "alt",      "mskanji", "vscii",      "tcvn",  "windows"}) {
    if (plain.starts_with(known)) not_supported("encoding " + std::string(name));
  }
  throw SqlError(SqlState::kInvalidParameterValue,
                 std::string("invalid ") + role + " encoding name \"" + std::string(name) + "\"");
}

std::string to_utf8(std::string_view bytes, Encoding from) {
  if (from == Encoding::kUtf8) {
    throw_if_error(types::verify_utf8(bytes));
    return std::string(bytes);
  }
  std::string out;
  for (unsigned char c : bytes) {
    if (c == 0)
      throw SqlError(SqlState::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"LATIN1\": 0x00");
    types::append_utf8(c, &out);
  }
  return out;
}

std::string from_utf8(std::string_view text, Encoding to) {
  if (to == Encoding::kUtf8) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const uint32_t code = types::utf8_next(text, &at);
    if (code > 0xFF) {
      std::string bytes;
      for (size_t i = start; i < at; ++i) {
        char hex[8];
        std::snprintf(hex, sizeof(hex), "%s0x%02x", i == start ? "" : " ", static_cast<unsigned char>(text[i]));
        bytes += hex;
      }
      throw SqlError(
          SqlState::kUntranslatableCharacter,
          "character with byte sequence " + bytes + " in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"");
    }
    out += static_cast<char>(code);
  }
  return out;
}

}  // namespace

void add_encoding_functions(Library& library) {
  library.row({"pg_convert_from",
               {oid::kBytea, oid::kName},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 return call.text(to_utf8(a[0].bytes, encoding_of(a[1].bytes, "source")));
               },
               Volatility::kStable});
  library.row({"pg_convert_to",
               {oid::kText, oid::kName},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 return call.text(from_utf8(a[0].bytes, encoding_of(a[1].bytes, "destination")));
               },
               Volatility::kStable});
  library.row({"pg_convert",
               {oid::kBytea, oid::kName, oid::kName},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 const Encoding from = encoding_of(a[1].bytes, "source"), to = encoding_of(a[2].bytes, "destination");
                 return call.text(from_utf8(to_utf8(a[0].bytes, from), to));
               },
               Volatility::kStable});
}

}  // namespace omendb::sql::functions
