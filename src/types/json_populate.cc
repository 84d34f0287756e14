#include "types/json_populate.h"

#include <vector>

#include "types/array.h"
#include "types/io_parts.h"
#include "types/json.h"
#include "types/record.h"

namespace omendb::types {

namespace {

/// The text that a type's input function reads.
Status text_of(std::string_view json, std::string* out) {
  if (json_kind(json) == JsonKind::kString) return json_unquote(json, out);
  out->assign(json);
  return {};
}

struct Elements {
  Oid element;
  int32_t typmod;
  const IoContext& context;
  std::vector<int32_t> lengths;
  std::vector<Value> values;
};

/// Takes an array's elements, level by level; every array of one level has one length.
Status collect(std::string_view json, size_t level, Elements* e) {
  auto malformed = [] {
    return Status(SqlState::kInvalidTextRepresentation, "malformed JSON array")
        .with_detail("Multidimensional arrays must have sub-arrays with matching dimensions.");
  };
  std::vector<std::string_view> members;
  JsonReader reader(json);
  for (std::string_view member; reader.next(&member);) members.push_back(member);
  if (level == e->lengths.size()) {
    if (level >= static_cast<size_t>(kArrayDimensionsMax)) {
      return Status(SqlState::kProgramLimitExceeded, "number of array dimensions exceeds the maximum allowed (6)");
    }
    // The first way down decides the number of dimensions.
    if (!e->values.empty()) return malformed();
    e->lengths.push_back(static_cast<int32_t>(members.size()));
  } else if (e->lengths[level] != static_cast<int32_t>(members.size())) {
    return malformed();
  }
  for (std::string_view member : members) {
    if (json_kind(member) == JsonKind::kArray && e->element != oid::kJson && e->element != oid::kJsonb) {
      RETURN_IF_ERROR(collect(member, level + 1, e));
      continue;
    }
    if (level + 1 != e->lengths.size()) {
      return Status(SqlState::kInvalidTextRepresentation, "expected JSON array")
          .with_hint("See the array element of the expected depth.");
    }
    Value value;
    RETURN_IF_ERROR(value_from_json(e->element, e->typmod, member, e->context, &value));
    e->values.push_back(std::move(value));
  }
  return {};
}

Status array_from_json(Oid element, int32_t typmod, std::string_view json, const IoContext& context, std::string* out) {
  Elements e{element, typmod, context, {}, {}};
  RETURN_IF_ERROR(collect(json, 0, &e));
  ArrayBuilder builder(element, input_form(element, typmod, context));
  for (const Value& value : e.values) builder.add(value.view());
  if (!e.values.empty()) builder.set_dimensions(e.lengths, std::vector<int32_t>(e.lengths.size(), 1));
  *out = builder.finish();
  return {};
}

}  // namespace

Status value_from_json(Oid type, int32_t typmod, std::string_view json, const IoContext& context, Value* out) {
  json = json_trim(json);
  const JsonKind kind = json_kind(json);
  if (kind == JsonKind::kNull) {
    *out = Value();
    return input_null(type, context);
  }
  if (is_domain(type, context)) {
    const DomainBase base(type, context);
    RETURN_IF_ERROR(value_from_json(base.type, base.typmod, json, context, out));
    return context.catalog->check_domain(type, base.physical(), out->view());
  }
  if (type == oid::kJson) {
    *out = Value(ValueView::of_bytes(json));
    return {};
  }
  if (type == oid::kJsonb) {
    std::string text;
    RETURN_IF_ERROR(jsonb_from_text(json, &text));
    *out = Value::of_bytes(std::move(text));
    return {};
  }
  Oid element = array_element_type(type);
  if (element == kInvalidOid && context.catalog != nullptr && find_type(type) == nullptr)
    element = context.catalog->element_type(type);
  std::string text;
  if (element != kInvalidOid && type != oid::kInt2Vector && type != oid::kOidVector && kind != JsonKind::kString) {
    if (kind != JsonKind::kArray) return Status(SqlState::kInvalidTextRepresentation, "expected JSON array");
    RETURN_IF_ERROR(array_from_json(element, typmod, json, context, &text));
    *out = Value::of_bytes(std::move(text));
    return {};
  }
  if (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'c' &&
      kind != JsonKind::kString) {
    if (kind != JsonKind::kObject) {
      return Status(SqlState::kInvalidParameterValue, std::string("cannot call populate_composite on ") +
                                                          (kind == JsonKind::kArray ? "an array" : "a scalar"));
    }
    RETURN_IF_ERROR(record_from_json(context.catalog->composite_fields(type), json, {}, context, &text));
    *out = Value::of_bytes(std::move(text));
    return {};
  }
  RETURN_IF_ERROR(text_of(json, &text));
  return input(type, typmod, text, context, out);
}

Status record_from_json(std::span<const CompositeField> fields, std::string_view object, std::string_view base,
                        const IoContext& context, std::string* out) {
  std::vector<std::pair<std::string, std::string_view>> members;
  JsonReader reader(object);
  std::string_view key, member;
  while (reader.next(&key, &member)) {
    std::string name;
    RETURN_IF_ERROR(json_unquote(key, &name));
    members.emplace_back(std::move(name), member);
  }
  RecordBuilder builder;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view* found = nullptr;
    for (const auto& [name, text] : members) {
      if (name == fields[i].name) found = &text;  // the last one counts
    }
    if (found == nullptr) {
      const RecordView old(base.empty() ? std::string_view("\2\0\0\0", 4) : base);
      if (i < old.size())
        builder.add(fields[i], old.physical(i), old.at(i));
      else
        builder.add(fields[i], fields[i].physical, {});
      if (base.empty()) RETURN_IF_ERROR(input_null(fields[i].type, context));
      continue;
    }
    Value value;
    RETURN_IF_ERROR(value_from_json(fields[i].type, fields[i].typmod, *found, context, &value));
    builder.add(fields[i], input_form(fields[i].type, fields[i].typmod, context), value.view());
  }
  *out = builder.finish();
  return {};
}

}  // namespace omendb::types
