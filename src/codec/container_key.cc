#include "codec/container_key.h"

#include "codec/key.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/json.h"
#include "types/numeric.h"
#include "types/record.h"

namespace omendb::codec {
namespace {

namespace oid = types::oid;
using types::JsonKind;
using types::Physical;
using types::PhysicalType;
using types::ValueView;

Oid below_domains(Oid type, const types::TypeCatalog* catalog) {
  int32_t typmod = -1;
  while (catalog != nullptr && types::find_type(type) == nullptr && catalog->type_kind(type) == 'd')
    type = catalog->base_type(type, &typmod);
  return type;
}

Status check_orderable(Oid type) {
  if (types::is_orderable(type)) return {};
  return Status(SqlState::kUndefinedFunction,
                "could not identify a comparison function for type " + std::string(types::find_type(type)->name));
}

/// One element or field; `type` is below domains.
Status append_member(Oid type, const PhysicalType& physical, ValueView value, const types::TypeCatalog* catalog,
                     std::string* out) {
  if (value.null) {
    out->push_back('\2');
    return {};
  }
  out->push_back('\1');
  if (physical.is_decimal()) {
    types::Value plain;
    RETURN_IF_ERROR(types::coerce_physical(oid::kNumeric, physical, value, -1, &plain));
    return append_key(KeyColumn{oid::kNumeric, {Physical::kBytes}}, plain.view(), out);
  }
  // A type of the user's that lies as bytes is an array or a composite; the bytes tell which.
  const bool nested = physical.kind == Physical::kBytes && (type == oid::kRecord || types::find_type(type) == nullptr ||
                                                            types::array_element_type(type) != kInvalidOid);
  if (nested) {
    return types::is_record_bytes(value.bytes) ? append_record_key(value.bytes, catalog, out)
                                               : append_array_key(value.bytes, catalog, out);
  }
  // A bpchar in an array or a record has its padding with it, which does not count.
  while (type == oid::kBpchar && value.bytes.ends_with(' ')) value.bytes.remove_suffix(1);
  return append_key(KeyColumn{type, physical}, value, out);
}

void append_number(uint32_t n, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(n >> shift));
}

Status append_json_string(std::string_view literal, std::string* out) {
  std::string text;
  RETURN_IF_ERROR(types::json_unquote(literal, &text));
  for (char c : text) {
    out->push_back(c);
    if (c == '\0') out->push_back('\xFF');
  }
  out->append("\0\0", 2);
  return {};
}

Status append_json(std::string_view document, bool top, std::string* out) {
  const JsonKind kind = types::json_kind(document);
  const std::string_view value = types::json_trim(document);
  if (kind == JsonKind::kArray || kind == JsonKind::kObject) {
    out->push_back(kind == JsonKind::kArray ? '\4' : '\5');
    append_number(static_cast<uint32_t>(types::json_count(value)), out);
    if (top && kind == JsonKind::kArray) out->push_back('\1');
    types::JsonReader reader(value);
    std::string_view key, member;
    while (reader.next(&key, &member)) {
      if (kind == JsonKind::kObject) RETURN_IF_ERROR(append_json_string(key, out));
      RETURN_IF_ERROR(append_json(member, false, out));
    }
    return {};
  }
  if (top) {
    out->push_back('\4');
    append_number(1, out);
    out->push_back('\0');
  }
  switch (kind) {
    case JsonKind::kNull: out->push_back('\0'); return {};
    case JsonKind::kString: out->push_back('\1'); return append_json_string(value, out);
    case JsonKind::kNumber: {
      types::Numeric n;
      RETURN_IF_ERROR(types::Numeric::parse(value, &n));
      out->push_back('\2');
      out->append(types::numeric_key(n.to_bytes()));
      return {};
    }
    default: out->append(value == "true" ? "\3\1" : std::string_view("\3\0", 2)); return {};
  }
}

}  // namespace

Status append_record_key(std::string_view bytes, const types::TypeCatalog* catalog, std::string* out) {
  const types::RecordView record(bytes);
  for (size_t i = 0; i < record.size(); ++i) {
    const Oid type = below_domains(record.type(i), catalog);
    RETURN_IF_ERROR(check_orderable(type));
    RETURN_IF_ERROR(append_member(type, record.physical(i), record.at(i), catalog, out));
  }
  out->push_back('\0');
  return {};
}

Status append_array_key(std::string_view bytes, const types::TypeCatalog* catalog, std::string* out) {
  const types::ArrayView array(bytes);
  const Oid element = below_domains(array.element_type(), catalog);
  RETURN_IF_ERROR(check_orderable(element));
  for (size_t i = 0; i < array.size(); ++i) {
    const ValueView value = array.is_null(i) ? ValueView() : array.at(i);
    RETURN_IF_ERROR(append_member(element, array.physical(), value, catalog, out));
  }
  out->push_back('\0');
  const auto number = [out](int32_t n) { append_number(static_cast<uint32_t>(n) ^ 0x80000000U, out); };
  number(array.dimensions());
  for (int d = 0; d < array.dimensions(); ++d) number(array.length(d));
  for (int d = 0; d < array.dimensions(); ++d) number(array.lower(d));
  return {};
}

Status append_jsonb_key(std::string_view document, std::string* out) { return append_json(document, true, out); }

}  // namespace omendb::codec
