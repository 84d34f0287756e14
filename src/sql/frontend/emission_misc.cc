// What belongs to no family: casts of booleans, sets, json built from any type, sequences.
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "types/array.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;
using types::PhysicalType;

namespace {

TypedExpr cast_to_result(Call& call) {
  const auto physical = physical_of(call.statement(), call.result, -1);
  return call.result_of(make_cast(std::move(call.args[0].duck), duck_type(call.result, physical)), call.result,
                        physical);
}

/// The enum's labels are known here; the argument only names the type.
const catalog::EnumType& enum_of(Call& call, size_t argument) {
  const auto* type =
      call.statement().catalog->find<catalog::EnumType>(base_type_of(call.statement(), call.args[argument].type));
  CHECK(type != nullptr);
  return *type;
}

TypedExpr enum_end(Call& call, bool first) {
  const auto& labels = enum_of(call, 0).labels;
  if (labels.empty()) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   "enum " + type_name(call.statement(), call.args[0].type) + " contains no values");
  }
  return typed_constant(call.statement(), call.result, -1, physical_of(call.statement(), call.result, -1),
                        types::ValueView::of_real((first ? labels.front() : labels.back()).sort_order), call.location);
}

/// enum_range: all labels, or those between two, of which a null has no bound.
TypedExpr enum_range(Call& call) {
  const Oid type = base_type_of(call.statement(), call.args[0].type);
  const PhysicalType physical = physical_of(call.statement(), type, -1);
  types::ArrayBuilder all(type, physical);
  for (const auto& label : enum_of(call, 0).labels) all.add(types::ValueView::of_real(label.sort_order));
  const types::Value bytes = types::Value::of_bytes(all.finish());
  TypedExpr range = typed_constant(call.statement(), call.result, -1, {Physical::kBytes}, bytes.view(), call.location);
  if (call.args.size() == 1) return range;
  return call.result_of(
      make_call("omen_enum_range", std::move(range.duck), std::move(call.args[0].duck), std::move(call.args[1].duck)));
}

}  // namespace

void add_misc_emitters() {
  add_emitter("bool_int4", cast_to_result);
  add_emitter("drandom", [](Call& call) { return call.result_of(make_call("random")); });
  add_emitter("setseed", [](Call& call) {
    return call.result_of(make_cast(make_call("setseed", std::move(call.args[0].duck)), LogicalType::VARCHAR));
  });
  add_emitter("gen_random_uuid", [](Call& call) { return call.result_of(make_call("gen_random_uuid")); });
  add_emitter("enum_first", [](Call& call) { return enum_end(call, true); });
  add_emitter("enum_last", [](Call& call) { return enum_end(call, false); });
  add_emitter("enum_range_all", enum_range);
  add_emitter("enum_range_bounds", enum_range);
  add_emitter("pg_typeof", [](Call& call) {
    return typed_constant(call.statement(), oid::kRegtype, -1, {Physical::kUInt32},
                          types::ValueView::of_integer(call.args[0].type.value), call.location);
  });
  add_emitter("int4_bool", [](Call& call) {
    return call.result_of(
        make_compare(duckdb::ExpressionType::COMPARE_NOTEQUAL, std::move(call.args[0].duck), make_integer(0)));
  });
}

}  // namespace omendb::sql
