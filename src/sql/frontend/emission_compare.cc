// Comparisons. Written so that DuckDB can push them into a scan: no cast around a plain column where the other side can move.
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::ExpressionType;
using types::Physical;
using types::PhysicalType;

namespace {

constexpr Oid kNumrange{3906}, kNummultirange{4532};

/// The comparison that a function's name ends in.
ExpressionType kind_of(std::string_view source) {
  std::string_view tail = source.substr(source.size() - 2);
  if (tail == "eq") return ExpressionType::COMPARE_EQUAL;
  if (tail == "ne") return ExpressionType::COMPARE_NOTEQUAL;
  if (tail == "lt") return ExpressionType::COMPARE_LESSTHAN;
  if (tail == "le") return ExpressionType::COMPARE_LESSTHANOREQUALTO;
  if (tail == "gt") return ExpressionType::COMPARE_GREATERTHAN;
  return ExpressionType::COMPARE_GREATERTHANOREQUALTO;
}

TypedExpr compared(Call& call, ExpressionType type, DuckExpr left, DuckExpr right) {
  return call.result_of(make_compare(type, std::move(left), std::move(right)), oid::kBool, {Physical::kBool});
}

/// Types whose DuckDB order is PostgreSQL's.
TypedExpr plain_compare(Call& call) {
  return compared(call, kind_of(call.proc.source), std::move(call.args[0].duck), std::move(call.args[1].duck));
}

/// Decimals that DuckDB's binder brings to one type without losing digits.
bool decimals_align(const PhysicalType& a, const PhysicalType& b) {
  const int scale = std::max(a.scale, b.scale);
  const int whole = std::max(a.precision - a.scale, b.precision - b.scale);
  return scale + whole <= 38;
}

DuckExpr numeric_key(Scope& scope, TypedExpr e) {
  TypedExpr plain = to_plain(scope, std::move(e));
  return make_call("omen_numeric_key", std::move(plain.duck));
}

TypedExpr numeric_compare(Call& call) {
  const ExpressionType type = kind_of(call.proc.source);
  TypedExpr &l = call.args[0], &r = call.args[1];
  for (TypedExpr* e : {&l, &r}) {
    if (e->as_decimal) {
      e->duck = std::move(e->as_decimal);
      e->physical = e->decimal_form;
      e->display_scale.reset();
    }
  }
  if (l.physical.is_decimal() && r.physical.is_decimal()) {
    // A constant takes the other side's form where that loses nothing.
    auto adapt = [&](TypedExpr& constant, const TypedExpr& other) {
      if (!is_constant_value(constant) || is_constant_value(other)) return;
      if (constant.physical.scale <= other.physical.scale) {
        TypedExpr moved = to_numeric_form(call.scope, constant.clone(), other.physical);
        if (is_constant_value(moved)) constant = std::move(moved);
      }
    };
    adapt(l, r);
    adapt(r, l);
    if (decimals_align(l.physical, r.physical)) {
      return compared(call, type, std::move(l.duck), std::move(r.duck));
    }
  }
  DuckExpr left = numeric_key(call.scope, std::move(l)), right = numeric_key(call.scope, std::move(r));
  return compared(call, type, std::move(left), std::move(right));
}

/// date against timestamp: the timestamp becomes a date, so that a date column stays bare. x < ts is x < ceil(ts), and so on.
TypedExpr date_with_timestamp(Call& call, bool date_is_left) {
  std::string source(call.proc.source);
  // date_lt_timestamp, timestamp_lt_date
  const size_t at = date_is_left ? 5 : source.find('_') + 1;
  const ExpressionType type = kind_of(std::string_view(source).substr(at, 2));
  TypedExpr &date = call.args[date_is_left ? 0 : 1], &stamp = call.args[date_is_left ? 1 : 0];
  const bool with_zone = stamp.type == oid::kTimestampTz;
  ExpressionType as_date_left = date_is_left ? type : duckdb::FlipComparisonExpression(type);
  if (with_zone || type == ExpressionType::COMPARE_EQUAL || type == ExpressionType::COMPARE_NOTEQUAL) {
    DuckExpr moved = make_call(with_zone ? "omen_date_timestamptz" : "omen_date_timestamp", std::move(date.duck));
    return compared(call, as_date_left, std::move(moved), std::move(stamp.duck));
  }
  // d < ts and d >= ts want the first date that is not before ts; d <= ts and d > ts the last one that is not after it.
  const bool ceiling =
      as_date_left == ExpressionType::COMPARE_LESSTHAN || as_date_left == ExpressionType::COMPARE_GREATERTHANOREQUALTO;
  DuckExpr bound =
      make_call(ceiling ? "omen_timestamp_date_ceiling" : "omen_timestamp_date_floor", std::move(stamp.duck));
  return compared(call, as_date_left, std::move(date.duck), std::move(bound));
}

TypedExpr date_timestamp_compare(Call& call) { return date_with_timestamp(call, true); }
TypedExpr timestamp_date_compare(Call& call) { return date_with_timestamp(call, false); }

/// timestamp against timestamptz: the timestamp is read in the session's zone.
TypedExpr timestamp_timestamptz_compare(Call& call) {
  const bool zoned_left = call.args[0].type == oid::kTimestampTz;
  const std::string source(call.proc.source);
  const ExpressionType type = kind_of(std::string_view(source).substr(source.find('_') + 1, 2));
  DuckExpr left = std::move(call.args[0].duck), right = std::move(call.args[1].duck);
  if (zoned_left)
    right = make_call("omen_timestamp_timestamptz", std::move(right));
  else
    left = make_call("omen_timestamp_timestamptz", std::move(left));
  return compared(call, type, std::move(left), std::move(right));
}

TypedExpr array_compare(Call& call) {
  const std::string& source = std::string(call.proc.source);
  const Oid array = call.args[0].type;
  auto key = [&](TypedExpr& e) {
    return make_call("omen_array_key", make_text(type_descriptor(call.statement(), array, {Physical::kBytes})),
                     std::move(e.duck));
  };
  return compared(call, kind_of(source), key(call.args[0]), key(call.args[1]));
}

TypedExpr record_compare(Call& call) {
  auto key = [](TypedExpr& e) { return sort_key(e.type, e.physical, std::move(e.duck)); };
  DuckExpr left = key(call.args[0]), right = key(call.args[1]);
  return compared(call, kind_of(call.proc.source), std::move(left), std::move(right));
}

/// The bytes of ranges order as they are, up to the display scales of numerics.
TypedExpr range_compare(Call& call) {
  auto key = [&](TypedExpr& e) {
    return sort_key(base_type_of(call.statement(), e.type), e.physical, std::move(e.duck));
  };
  DuckExpr left = key(call.args[0]), right = key(call.args[1]);
  return compared(call, kind_of(call.proc.source), std::move(left), std::move(right));
}

/// DuckDB brings days into months and no months into days: to it a month less a day is not 29 days.
TypedExpr interval_compare(Call& call) {
  auto key = [](TypedExpr& e) { return sort_key(oid::kInterval, e.physical, std::move(e.duck)); };
  DuckExpr left = key(call.args[0]), right = key(call.args[1]);
  return compared(call, kind_of(call.proc.source), std::move(left), std::move(right));
}

/// Equal jsonb values may differ in the scales of their numbers, so every comparison goes through jsonb_cmp.
TypedExpr jsonb_compare(Call& call) {
  const ExpressionType type = kind_of(call.proc.source);
  DuckExpr order = make_call("omen_jsonb_cmp", std::move(call.args[0].duck), std::move(call.args[1].duck));
  return compared(call, type, std::move(order), make_integer(0));
}

TypedExpr starts_with_emitter(Call& call) { return call.result_of(make_function("starts_with", call.take_args())); }

}  // namespace

std::unique_ptr<duckdb::ParsedExpression> sort_key(Oid type, const PhysicalType& physical,
                                                   std::unique_ptr<duckdb::ParsedExpression> value) {
  if (!needs_sort_key(type, physical)) return value;
  if (physical.kind == Physical::kInterval) return make_call("omen_range_key", std::move(value));
  if (type == oid::kBpchar) return make_call("rtrim", std::move(value), make_text(" "));
  if (type == oid::kNumeric) return make_call("omen_numeric_key", std::move(value));
  if (type == oid::kJsonb) return make_call("omen_jsonb_key", std::move(value));
  if (type == oid::kRecord) return make_call("omen_record_key", std::move(value));
  if (type == kNumrange) return make_call("omen_numrange_key", std::move(value));
  if (type == kNummultirange) return make_call("omen_nummultirange_key", std::move(value));
  PhysicalType form{Physical::kBytes};
  StatementContext none;
  none.catalog = catalog::Catalog::initial();
  return make_call("omen_array_key", make_text(type_descriptor(none, type, form)), std::move(value));
}

bool needs_sort_key(Oid type, const PhysicalType& physical) {
  if (physical.kind == Physical::kInterval) return true;
  if (physical.kind != Physical::kBytes || physical.is_decimal()) return false;
  if (type == oid::kBpchar) return physical.width == kOwnSpaces;
  if (type == oid::kNumeric || type == oid::kJsonb || type == oid::kRecord || type == kNumrange ||
      type == kNummultirange)
    return true;
  const types::TypeInfo* info = types::find_type(type);
  if (info == nullptr) return type.value >= catalog::oid::kFirstUserOid;  // composites, and arrays of the user's types
  return info->category == 'A' || type == oid::kOidVector || type == oid::kInt2Vector || info->element == oid::kRecord;
}

void add_comparison_emitters() {
  for (const char* base :
       {"int2", "int4",  "int8", "int24", "int42",  "int28",  "int82",   "int48",   "int84", "bool", "bpchar",
        "name", "bytea", "bit",  "oid",   "float4", "float8", "float48", "float84", "char",  "xid",  "xid8"}) {
    for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      static std::vector<std::unique_ptr<std::string>> names;
      names.push_back(std::make_unique<std::string>(std::string(base) + op));
      add_emitter(*names.back(), plain_compare);
    }
  }
  for (const char* base : {"text", "date", "time", "timetz", "timestamp", "uuid", "enum", "name", "nametext",
                           "textname", "pg_lsn", "cash", "network", "macaddr", "macaddr8"}) {
    for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      static std::vector<std::unique_ptr<std::string>> names;
      names.push_back(std::make_unique<std::string>(std::string(base) + "_" + op));
      add_emitter(*names.back(), plain_compare);
    }
  }
  for (const char* name :
       {"texteq", "textne", "nameeqtext", "nameeqtext", "namenetext", "namelttext", "nameletext", "namegttext",
        "namegetext", "texteqname", "textnename", "textltname", "textlename", "textgtname", "textgename"}) {
    add_emitter(name, [](Call& call) {
      std::string_view s = call.proc.source;
      if (s.starts_with("text") && s.ends_with("name"))
        s = s.substr(4, 2);
      else if (s.starts_with("name") && s.ends_with("text"))
        s = s.substr(4, 2);
      return compared(call, kind_of(s), std::move(call.args[0].duck), std::move(call.args[1].duck));
    });
  }
  for (const char* name : {"text_pattern_lt", "text_pattern_le", "text_pattern_gt", "text_pattern_ge",
                           "bpchar_pattern_lt", "bpchar_pattern_le", "bpchar_pattern_gt", "bpchar_pattern_ge"}) {
    add_emitter(name, plain_compare);
  }
  for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    static std::vector<std::unique_ptr<std::string>> names;
    auto keep = [&](std::string s) -> std::string_view {
      names.push_back(std::make_unique<std::string>(std::move(s)));
      return *names.back();
    };
    add_emitter(keep(std::string("numeric_") + op), numeric_compare);
    add_emitter(keep(std::string("date_") + op + "_timestamp"), date_timestamp_compare);
    add_emitter(keep(std::string("date_") + op + "_timestamptz"), date_timestamp_compare);
    add_emitter(keep(std::string("timestamp_") + op + "_date"), timestamp_date_compare);
    add_emitter(keep(std::string("timestamptz_") + op + "_date"), timestamp_date_compare);
    add_emitter(keep(std::string("timestamp_") + op + "_timestamptz"), timestamp_timestamptz_compare);
    add_emitter(keep(std::string("timestamptz_") + op + "_timestamp"), timestamp_timestamptz_compare);
    add_emitter(keep(std::string("interval_") + op), interval_compare);
    add_emitter(keep(std::string("array_") + op), array_compare);
    add_emitter(keep(std::string("record_") + op), record_compare);
    add_emitter(keep(std::string("jsonb_") + op), jsonb_compare);
    add_emitter(keep(std::string("range_") + op), range_compare);
    add_emitter(keep(std::string("multirange_") + op), range_compare);
  }
  add_emitter("text_starts_with", starts_with_emitter);
}

}  // namespace omendb::sql
