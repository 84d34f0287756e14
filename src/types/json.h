// json and jsonb. Both are text here: json as it was written, jsonb in the one canonical form that PostgreSQL prints (keys by length,
// then bytes, the last duplicate kept, one space after ':' and ',', numbers as numeric prints them). Equal jsonb values have equal bytes
// but for the scales of numbers (1.0 and 1.00).
//
// Functions with "jsonb" in their name need canonical text and give canonical text; the others take either.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "types/io.h"
#include "types/numeric.h"

namespace omendb::types {

enum class JsonKind : uint8_t { kNull, kString, kNumber, kBool, kArray, kObject };

/// Checks json text. Errors: 22P02 `invalid input syntax for type json` with PostgreSQL's detail; 54001 when nested too deeply.
Status json_validate(std::string_view text);
/// Whether every string of valid text has a text: what is looked for in json reads all of it. Errors: 22P05 for \u0000, 22P02 for lone surrogates.
Status json_check_strings(std::string_view text);
/// The canonical form of any json text. Errors: as json_validate; 22P05 for \u0000; 22003 for numbers beyond numeric.
Status jsonb_from_text(std::string_view text, std::string* out);

/// What the (valid) text holds, surrounding space ignored.
JsonKind json_kind(std::string_view text);
const char* json_kind_name(JsonKind kind);  // "object", "array", "string", "number", "boolean", "null"
std::string_view json_trim(std::string_view text);

/// Walks the members of an object or the elements of an array, in order. Requires valid text.
class JsonReader {
 public:
  explicit JsonReader(std::string_view container);
  /// The next value (without surrounding space) and, for an object, its key as written, in quotes. False at the end.
  bool next(std::string_view* key, std::string_view* value);
  bool next(std::string_view* value) {
    std::string_view key;
    return next(&key, value);
  }

 private:
  std::string_view s_;
  size_t at_ = 0;
  bool object_ = false;
};

/// The text of a string literal ("..." with escapes). Errors: 22P05 for \u0000, 22P02 for a lone surrogate.
Status json_unquote(std::string_view literal, std::string* out);
void append_json_string(std::string_view text, std::string* out);

// ---- access ----
/// doc -> 'key' and doc -> n (negative counts from the end). The value's text; false: SQL null.
bool json_field(std::string_view doc, std::string_view key, std::string_view* value);
bool json_element(std::string_view doc, int64_t index, std::string_view* value);
/// As json_element, for jsonb: a scalar counts as an array of itself.
bool jsonb_element(std::string_view doc, int64_t index, std::string_view* value);
/// doc #> path.
bool json_path(std::string_view doc, std::span<const std::string_view> path, std::string_view* value);
/// What ->> makes of a value that -> found: strings without quotes; *null for json null.
Status json_as_text(std::string_view value, bool* null, std::string* out);
size_t json_count(std::string_view container);

// ---- jsonb operators ----
bool jsonb_contains(std::string_view a, std::string_view b);    // @>
bool jsonb_exists(std::string_view doc, std::string_view key);  // ?
void jsonb_concat(std::string_view a, std::string_view b, std::string* out);
/// doc - text, doc - integer, doc - text[], doc #- path. Errors: 22023.
Status jsonb_delete_key(std::string_view doc, std::string_view key, std::string* out);
Status jsonb_delete_keys(std::string_view doc, std::span<const std::string_view> keys, std::string* out);
Status jsonb_delete_index(std::string_view doc, int64_t index, std::string* out);
Status jsonb_delete_path(std::string_view doc, std::span<const std::string_view> path, std::string* out);
Status jsonb_set(std::string_view doc, std::span<const std::string_view> path, std::string_view value, bool create,
                 std::string* out);
Status jsonb_insert(std::string_view doc, std::span<const std::string_view> path, std::string_view value, bool after,
                    std::string* out);
/// SET doc[path] = value: creates what the path names and is not there, filling arrays with nulls. Requires canonical text and a path.
/// Errors: 22023 over a scalar or a negative index before the start, 22P02 for an array's key that is no integer.
Status jsonb_assign(std::string_view doc, std::span<const std::string_view> path, std::string_view value,
                    std::string* out);
/// btree order of jsonb.
int jsonb_compare(std::string_view a, std::string_view b);

// ---- functions of both ----
/// Without null members of objects. `canonical`: with jsonb's spaces.
void json_strip_nulls(std::string_view doc, bool canonical, std::string* out);
void jsonb_pretty(std::string_view doc, std::string* out);
/// Errors: 22023 `cannot get array length of a scalar`, `... of a non-array`.
Status json_array_length(std::string_view doc, int32_t* out);
/// The number of a jsonb value, for casts. Errors: 22023 `cannot cast jsonb string to type numeric`.
Status jsonb_to_numeric(std::string_view doc, const char* type, Numeric* out);
Status jsonb_to_bool(std::string_view doc, bool* out);

/// to_json / to_jsonb of a value: numbers and booleans bare, dates in ISO 8601, json as it is, arrays and records inside out.
/// `canonical` gives jsonb.
Status json_from_value(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                       bool canonical, std::string* out);
/// Canonical object of pairs (key text, canonical value): sorts and keeps the last of equal keys.
void append_jsonb_object(std::vector<std::pair<std::string, std::string>> members, std::string* out);

}  // namespace omendb::types
