// Values of SQL types as json: to_json and its kin.
#include "types/array.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/record.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

// Nested arrays: {{1,2},{3,4}} is [[1,2],[3,4]].
Status array_level(const ArrayView& a, int dimension, size_t* at, const IoContext& context, bool canonical,
                   std::string* out) {
  out->push_back('[');
  for (int32_t i = 0; i < a.length(dimension); ++i) {
    if (i > 0) out->append(canonical ? ", " : ",");
    if (dimension + 1 < a.dimensions()) {
      RETURN_IF_ERROR(array_level(a, dimension + 1, at, context, canonical, out));
    } else {
      RETURN_IF_ERROR(json_from_value(a.element_type(), a.physical(), a.at(*at), context, canonical, out));
      ++*at;
    }
  }
  out->push_back(']');
  return {};
}

/// A row as an object. Fields are named by its type, by the record itself, or f1, f2, ...
Status json_from_record(Oid type, const RecordView& record, const IoContext& context, bool canonical,
                        std::string* out) {
  std::vector<CompositeField> fields;
  if (type != oid::kRecord) fields = context.catalog->composite_fields(type);
  const std::vector<std::string_view> names = record.names();
  std::vector<std::pair<std::string, std::string>> members;
  for (size_t i = 0; i < record.size(); ++i) {
    std::string text;
    RETURN_IF_ERROR(json_from_value(record.type(i), record.physical(i), record.at(i), context, canonical, &text));
    std::string name = i < fields.size()  ? fields[i].name
                       : i < names.size() ? std::string(names[i])
                                          : "f" + std::to_string(i + 1);
    members.emplace_back(std::move(name), std::move(text));
  }
  if (canonical) {
    append_jsonb_object(std::move(members), out);
    return {};
  }
  out->push_back('{');
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out->push_back(',');
    append_json_string(members[i].first, out);
    out->append(":").append(members[i].second);
  }
  out->push_back('}');
  return {};
}

}  // namespace

Status json_from_value(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                       bool canonical, std::string* out) {
  if (value.null) {
    out->append("null");
    return {};
  }
  if (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'd') {
    int32_t typmod = -1;
    return json_from_value(context.catalog->base_type(type, &typmod), physical, value, context, canonical, out);
  }
  if (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'c') {
    return json_from_record(type, RecordView(value.bytes), context, canonical, out);
  }
  switch (type.value) {
    case oid::kBool.value: out->append(value.integer != 0 ? "true" : "false"); return {};
    case oid::kInt2.value:
    case oid::kInt4.value:
    case oid::kInt8.value: append_int64(value.integer, out); return {};
    case oid::kFloat4.value:
    case oid::kFloat8.value:
    case oid::kNumeric.value: {
      std::string text;
      output(type, physical, value, context, &text);
      if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
        append_json_string(text, out);
      } else if (canonical && type != oid::kNumeric) {
        Numeric n;
        RETURN_IF_ERROR(Numeric::parse(text, &n));
        n.append_text(out);
      } else {
        out->append(text);
      }
      return {};
    }
    case oid::kDate.value:
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value: {
      IoContext iso = context;
      iso.date_format = DateFormat::kIso;
      std::string text;
      if (type == oid::kDate) {
        append_date(static_cast<int32_t>(value.integer), iso, &text);
      } else {
        if (type == oid::kTimestamp)
          append_timestamp(value.integer, iso, &text);
        else
          append_timestamptz(value.integer, iso, &text);
        size_t space = text.find(' ');
        if (timestamp_is_finite(value.integer) && space != std::string::npos) text[space] = 'T';
        if (type == oid::kTimestampTz && timestamp_is_finite(value.integer)) {
          // ISO 8601 wants minutes in the zone.
          bool bc = text.ends_with(" BC");
          std::string tail = bc ? " BC" : "";
          if (bc) text.resize(text.size() - 3);
          size_t sign = text.find_last_of("+-");
          if (text.size() - sign == 3) text += ":00";
          text += tail;
        }
      }
      append_json_string(text, out);
      return {};
    }
    case oid::kJson.value:
      if (!canonical) {
        out->append(value.bytes);
        return {};
      } else {
        std::string text;
        RETURN_IF_ERROR(jsonb_from_text(value.bytes, &text));
        out->append(text);
        return {};
      }
    case oid::kJsonb.value: out->append(value.bytes); return {};
    case oid::kRecord.value: return json_from_record(type, RecordView(value.bytes), context, canonical, out);
    default: break;
  }
  bool array = array_element_type(type) != kInvalidOid && type != oid::kInt2Vector && type != oid::kOidVector;
  if (!array && context.catalog != nullptr && find_type(type) == nullptr) {
    array = context.catalog->element_type(type) != kInvalidOid;
  }
  if (array || type == oid::kInt2Vector || type == oid::kOidVector) {
    ArrayView a(value.bytes);
    if (a.size() == 0) {
      out->append("[]");
      return {};
    }
    size_t at = 0;
    return array_level(a, 0, &at, context, canonical, out);
  }
  std::string text;
  output(type, physical, value, context, &text);
  append_json_string(text, out);
  return {};
}

}  // namespace omendb::types
