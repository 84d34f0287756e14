// convert, convert_from, convert_to: between UTF8, the server's encoding, and the others (types/encoding.h).
#include "sql/functions/library.h"
#include "types/encoding.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

using types::Encoding;

/// `role`: source or destination.
const Encoding& encoding_of(std::string_view name, const char* role) {
  const Encoding* encoding = Encoding::find(name);
  if (encoding != nullptr) return *encoding;
  throw SqlError(SqlState::kInvalidParameterValue,
                 std::string("invalid ") + role + " encoding name \"" + std::string(name) + "\"");
}

/// PostgreSQL converts between UTF8 and the others, not between any two of those.
std::string convert(std::string_view bytes, const Encoding& from, const Encoding& to) {
  const bool same = &from == &to;
  if (!same && (!from.converts() || !to.converts() || (!from.is_utf8() && !to.is_utf8()))) {
    throw SqlError(SqlState::kUndefinedFunction, "default conversion function for encoding \"" +
                                                     std::string(from.name()) + "\" to \"" + std::string(to.name()) +
                                                     "\" does not exist");
  }
  std::string text, out;
  throw_if_error(from.to_utf8(bytes, &text));
  if (same) return std::string(bytes);
  throw_if_error(to.from_utf8(text, &out));
  return out;
}

const Encoding& server_encoding() { return *Encoding::find("UTF8"); }

}  // namespace

void add_encoding_functions(Library& library) {
  library.row({"pg_convert_from",
               {oid::kBytea, oid::kName},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 return call.text(convert(a[0].bytes, encoding_of(a[1].bytes, "source"), server_encoding()));
               },
               Volatility::kStable});
  library.row({"pg_convert_to",
               {oid::kText, oid::kName},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 return call.text(convert(a[0].bytes, server_encoding(), encoding_of(a[1].bytes, "destination")));
               },
               Volatility::kStable});
  library.row({"pg_convert",
               {oid::kBytea, oid::kName, oid::kName},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 const Encoding& from = encoding_of(a[1].bytes, "source");
                 return call.text(convert(a[0].bytes, from, encoding_of(a[2].bytes, "destination")));
               },
               Volatility::kStable});
}

}  // namespace omendb::sql::functions
