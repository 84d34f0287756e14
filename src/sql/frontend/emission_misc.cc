// What belongs to no family: casts of booleans, sets, json built from any type, sequences.
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;

namespace {

TypedExpr cast_to_result(Call& call) {
  const auto physical = physical_of(call.statement(), call.result, -1);
  return call.result_of(make_cast(std::move(call.args[0].duck), duck_type(call.result, physical)), call.result, physical);
}

}  // namespace

void add_misc_emitters() {
  add_emitter("bool_int4", cast_to_result);
  add_emitter("drandom", [](Call& call) { return call.result_of(make_call("random")); });
  add_emitter("setseed", [](Call& call) {
    return call.result_of(make_cast(make_call("setseed", std::move(call.args[0].duck)), LogicalType::VARCHAR));
  });
  add_emitter("gen_random_uuid", [](Call& call) { return call.result_of(make_call("gen_random_uuid")); });
  add_emitter("pg_typeof", [](Call& call) {
    return typed_constant(call.statement(), oid::kRegtype, -1, {Physical::kUInt32},
                          types::ValueView::of_integer(call.args[0].type.value), call.location);
  });
  add_emitter("int4_bool", [](Call& call) {
    return call.result_of(make_compare(duckdb::ExpressionType::COMPARE_NOTEQUAL, std::move(call.args[0].duck), make_integer(0)));
  });
}

}  // namespace omendb::sql
