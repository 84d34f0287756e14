// Text: DuckDB's functions where they count in characters and answer as PostgreSQL's do.
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;

namespace {

/// LIKE: DuckDB's has no escape character, so a pattern with a backslash is ours.
TypedExpr like(Call& call, const char* native, const char* own, bool negated) {
  TypedExpr &text = call.args[0], &pattern = call.args[1];
  DuckExpr subject = text.type == oid::kBpchar ? bpchar_padded(text) : std::move(text.duck);
  const duckdb::Value* constant = constant_of(pattern);
  const bool plain = constant != nullptr && duckdb::StringValue::Get(*constant).find('\\') == std::string::npos;
  DuckExpr duck = make_call(plain ? native : own, std::move(subject), std::move(pattern.duck));
  if (negated && !plain) duck = make_not(std::move(duck));
  return call.result_of(std::move(duck), oid::kBool, {Physical::kBool});
}
TypedExpr text_like(Call& call) { return like(call, "~~", "omen_textlike", false); }
TypedExpr text_not_like(Call& call) { return like(call, "!~~", "omen_textlike", true); }
TypedExpr text_ilike(Call& call) { return like(call, "~~*", "omen_texticlike", false); }
TypedExpr text_not_ilike(Call& call) { return like(call, "!~~*", "omen_texticlike", true); }

TypedExpr concatenate(Call& call) {
  // The cast gives a null that DuckDB folds this to its type.
  const LogicalType& type = call.result == oid::kBytea ? LogicalType::BLOB : LogicalType::VARCHAR;
  return call.result_of(make_cast(make_function("||", call.take_args()), type));
}
/// text || anynonarray: the other side by its output function.
TypedExpr concatenate_any(Call& call) {
  // By the cast to text, not the output function: true || 'x' is truex.
  TypedExpr left = coerce(call.scope, std::move(call.args[0]), oid::kText, -1, CoercionContext::kExplicit);
  TypedExpr right = coerce(call.scope, std::move(call.args[1]), oid::kText, -1, CoercionContext::kExplicit);
  DuckExpr duck = make_cast(make_call("||", std::move(left.duck), std::move(right.duck)), LogicalType::VARCHAR);
  TypedExpr e = call.result_of(std::move(duck));
  inherit_flags(e, left);
  inherit_flags(e, right);
  return e;
}

TypedExpr bool_text(Call& call) {
  return call.result_of(make_cast(std::move(call.args[0].duck), LogicalType::VARCHAR));
}

TypedExpr relabelled(Call& call) { return call.result_of(std::move(call.args[0].duck)); }

TypedExpr length_coercion(Call& call) {
  const duckdb::Value* typmod = constant_of(call.args[1]);
  if (typmod == nullptr) not_supported("a length coercion with a variable length", call.location);
  const duckdb::Value* is_explicit = constant_of(call.args[2]);
  TypedExpr value = std::move(call.args[0]);
  value.type = call.result;
  value.typmod = -1;
  return coerce_typmod(call.scope, std::move(value), typmod->GetValue<int32_t>(),
                       is_explicit != nullptr && is_explicit->GetValue<bool>() ? CoercionContext::kExplicit
                                                                               : CoercionContext::kImplicit);
}

/// concat(...): nulls vanish, those of an array that is given as VARIADIC too.
TypedExpr concat(Call& call) {
  if (call.variadic_array) {
    DuckExpr separator = call.args.size() > 1 ? std::move(call.args[0].duck) : make_text("");
    return call.result_of(make_call("omen_array_to_text", std::move(call.args.back().duck), std::move(separator)));
  }
  std::vector<DuckExpr> args;
  TypedExpr flags;
  for (auto& a : call.args) {
    inherit_flags(flags, a);
    TypedExpr text = to_text_by_output(call.scope, std::move(a));
    args.push_back(std::move(text.duck));
  }
  const bool skip = call.proc.source == "text_concat_ws";
  TypedExpr e = call.result_of(make_function(skip ? "concat_ws" : "concat", std::move(args)));
  inherit_flags(e, flags);
  return e;
}

/// substring(text similar pattern escape e).
TypedExpr substring_similar(Call& call) {
  Scope& scope = call.scope;
  std::vector<TypedExpr> escape, search;
  for (size_t i : {1, 2}) escape.push_back(std::move(call.args[i]));
  TypedExpr pattern = emit_named(scope, "similar_to_escape_2", std::move(escape), oid::kText, call.location);
  search.push_back(std::move(call.args[0]));
  search.push_back(std::move(pattern));
  return emit_named(scope, "textregexsubstr", std::move(search), oid::kText, call.location);
}

TypedExpr octet_length(Call& call) {
  DuckExpr text = call.args[0].type == oid::kBpchar ? bpchar_padded(call.args[0]) : std::move(call.args[0].duck);
  return call.result_of(make_call("omen_octet_length", std::move(text)));
}

}  // namespace

void add_text_emitters() {
  for (const char* s : {"textlike", "bpcharlike", "namelike"}) add_emitter(s, text_like);
  for (const char* s : {"textnlike", "bpcharnlike", "namenlike"}) add_emitter(s, text_not_like);
  for (const char* s : {"texticlike", "bpchariclike", "nameiclike"}) add_emitter(s, text_ilike);
  for (const char* s : {"texticnlike", "bpcharicnlike", "nameicnlike"}) add_emitter(s, text_not_ilike);
  add_emitter("textcat", concatenate);
  add_emitter("byteacat", concatenate);
  add_emitter("sql:textanycat", concatenate_any);
  add_emitter("sql:anytextcat", concatenate_any);
  add_emitter("booltext", bool_text);
  // rtrim(text), and the cast from character to text, whose values have no trailing spaces here anyway.
  add_emitter("rtrim1", [](Call& call) {
    if (call.args[0].type == oid::kBpchar) return call.result_of(std::move(call.args[0].duck));
    return call.result_of(make_call("rtrim", std::move(call.args[0].duck), make_text(" ")));
  });
  add_emitter("sql:bit_length", [](Call& call) {
    if (call.args[0].type == oid::kBit)
      return call.result_of(make_call("omen_bitlength", std::move(call.args[0].duck)));
    return call.result_of(
        make_call("*", make_call("omen_octet_length", std::move(call.args[0].duck)), make_integer(8)));
  });
  add_emitter("name_text", relabelled);
  add_emitter("name_bpchar", relabelled);
  add_emitter("varchar", length_coercion);
  add_emitter("bpchar", length_coercion);
  add_emitter("text_concat", concat);
  add_emitter("text_concat_ws", concat);
  add_emitter("textoctetlen", octet_length);
  add_emitter("bpcharoctetlen", octet_length);
  add_emitter("sql:substring", substring_similar);
  add_emitter("byteaoctetlen", octet_length);
  add_emitter("lower", [](Call& call) { return call.result_of(make_function("lower", call.take_args())); });
}

}  // namespace omendb::sql
