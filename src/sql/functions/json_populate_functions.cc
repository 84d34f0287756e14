// json_populate_record(set) and json_to_record(set), of json and jsonb.
#include "sql/functions/library.h"
#include "types/array.h"
#include "types/json.h"
#include "types/json_populate.h"
#include "types/record.h"

namespace omendb::sql::functions {

using types::CompositeField;
using types::JsonKind;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009};

std::vector<CompositeField> fields_of(RowCall& call, const TypeArgument& type) {
  const auto* catalog = call.io().catalog;
  CHECK(catalog != nullptr);
  std::vector<CompositeField> fields = catalog->composite_fields(type.base);
  if (fields.empty())
    throw SqlError(SqlState::kDatatypeMismatch, "first argument of json_populate_record must be a row type");
  return fields;
}

/// The columns of AS x(a int, ...): names and type descriptors.
std::vector<CompositeField> fields_of(std::string_view names, std::string_view descriptors) {
  const types::ArrayView n(names), d(descriptors);
  std::vector<CompositeField> fields;
  for (size_t i = 0; i < n.size(); ++i) {
    const TypeArgument t = TypeArgument::parse(std::string(d.at(i).bytes));
    fields.push_back({std::string(n.at(i).bytes), t.type, t.typmod, t.physical});
  }
  return fields;
}

void require_object(std::string_view json) {
  const JsonKind kind = types::json_kind(json);
  if (kind == JsonKind::kObject) return;
  throw SqlError(SqlState::kInvalidParameterValue, std::string("cannot call populate_composite on ") +
                                                       (kind == JsonKind::kArray ? "an array" : "a scalar"));
}

template <class F>
void each_object(std::string_view json, const char* function, F f) {
  const JsonKind kind = types::json_kind(json);
  if (kind != JsonKind::kArray) {
    throw SqlError(
        SqlState::kInvalidParameterValue,
        std::string("cannot call ") + function + (kind == JsonKind::kObject ? " on an object" : " on a scalar"));
  }
  types::JsonReader reader(json);
  for (std::string_view member; reader.next(&member);) {
    if (types::json_kind(member) != JsonKind::kObject) {
      throw SqlError(SqlState::kInvalidParameterValue,
                     std::string("argument of ") + function + " must be an array of objects");
    }
    f(member);
  }
}

void add_for(Library& library, const std::string& prefix, Oid type) {
  auto name = [&](const char* tail) { return prefix + tail; };
  const std::vector<Oid> arguments = type == oid::kJson ? std::vector<Oid>{kDescriptor, kAnyValue, type, oid::kBool}
                                                        : std::vector<Oid>{kDescriptor, kAnyValue, type};
  const std::string one = name("_populate_record"), set = name("_populate_recordset"), to_one = name("_to_record"),
                    to_set = name("_to_recordset");
  RowSpec populate{one, arguments, kDescribed,
                   [](RowCall& call, const ValueView* a) {
                     const auto fields = fields_of(call, call.types[0]);
                     if (a[1].null) return a[0];
                     require_object(a[1].bytes);
                     throw_if_error(types::record_from_json(
                         fields, a[1].bytes, a[0].null ? std::string_view() : a[0].bytes, call.io(), &call.buffer));
                     return call.bytes();
                   },
                   Volatility::kStable};
  populate.strict = false;
  library.row(std::move(populate));
  SetSpec populate_set{set,
                       arguments,
                       {kDescribed},
                       [set](RowCall& call, const ValueView* a, RowSink& sink) {
                         if (a[1].null) return;
                         const auto fields = fields_of(call, call.types[0]);
                         each_object(a[1].bytes, set.c_str(), [&](std::string_view object) {
                           std::string record;
                           throw_if_error(types::record_from_json(
                               fields, object, a[0].null ? std::string_view() : a[0].bytes, call.io(), &record));
                           sink.row(ValueView::of_bytes(record));
                         });
                       },
                       Volatility::kStable};
  populate_set.strict = false;
  library.set(std::move(populate_set));
  // The analyser calls these with the columns of the definition list in front.
  library.row({to_one + "_as",
               {kTextArray, kTextArray, type},
               oid::kRecord,
               [](RowCall& call, const ValueView* a) {
                 require_object(a[2].bytes);
                 throw_if_error(types::record_from_json(fields_of(a[0].bytes, a[1].bytes), a[2].bytes, {}, call.io(),
                                                        &call.buffer));
                 return call.bytes();
               },
               Volatility::kStable});
  library.set({to_set + "_as",
               {kTextArray, kTextArray, type},
               {oid::kRecord},
               [to_set](RowCall& call, const ValueView* a, RowSink& sink) {
                 const auto fields = fields_of(a[0].bytes, a[1].bytes);
                 each_object(a[2].bytes, to_set.c_str(), [&](std::string_view object) {
                   std::string record;
                   throw_if_error(types::record_from_json(fields, object, {}, call.io(), &record));
                   sink.row(ValueView::of_bytes(record));
                 });
               },
               Volatility::kStable});
}

}  // namespace

void add_json_populate_functions(Library& library) {
  add_for(library, "json", oid::kJson);
  add_for(library, "jsonb", oid::kJsonb);
}

}  // namespace omendb::sql::functions
