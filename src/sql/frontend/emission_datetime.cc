// Dates and times.
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;

namespace {

/// extract(field from x) with a constant field that is a whole number keeps out of numerics.
TypedExpr extract_from(Call& call, const char* type) {
  const duckdb::Value* field = constant_of(call.args[0]);
  if (field != nullptr) {
    const std::string name = duckdb::StringValue::Get(*field);
    for (const char* known :
         {"year", "month", "day", "hour", "minute", "quarter", "dow", "doy", "week", "isodow", "isoyear"}) {
      if (name != known) continue;
      const bool time_field = name == "hour" || name == "minute";
      if (std::string_view(type) == "date" && time_field) break;
      if (std::string_view(type) == "time" && !time_field) break;
      DuckExpr number = make_call("omen_extract_whole", std::move(call.args[0].duck), std::move(call.args[1].duck));
      const auto form = decimal_form(10, 0);
      return call.result_of(make_cast(std::move(number), duck_type(oid::kNumeric, form)), oid::kNumeric, form);
    }
  }
  return call.result_of(make_function("omen_" + std::string(call.proc.source), call.take_args()));
}

}  // namespace

void add_datetime_emitters() {
  add_emitter("extract_date", [](Call& call) { return extract_from(call, "date"); });
  add_emitter("extract_timestamp", [](Call& call) { return extract_from(call, "timestamp"); });
}

}  // namespace omendb::sql
