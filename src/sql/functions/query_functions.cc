// What clauses of a query compute: LIMIT and OFFSET refuse negative numbers.
#include "sql/functions/library.h"

namespace omendb::sql::functions {

using types::ValueView;

void add_query_functions(Library& library) {
  auto not_negative = [&](const char* name, const char* clause, SqlState code) {
    RowSpec spec;
    spec.name = name;
    spec.arguments = {types::oid::kInt8};
    spec.result = types::oid::kInt8;
    spec.function = [clause, code](RowCall&, const ValueView* arguments) {
      if (arguments[0].integer < 0) throw SqlError(code, std::string(clause) + " must not be negative");
      return arguments[0];
    };
    library.row(std::move(spec));
  };
  not_negative("limit", "LIMIT", SqlState::kInvalidRowCountInLimitClause);
  not_negative("offset", "OFFSET", SqlState::kInvalidRowCountInResultOffsetClause);
}

}  // namespace omendb::sql::functions
