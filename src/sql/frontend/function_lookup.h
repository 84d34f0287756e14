// Which function or operator a call means: PostgreSQL's parse_func.c and parse_oper.c (manual, chapter 10).
#pragma once

#include <string>
#include <vector>

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/pg_data.h"

namespace omendb::sql {

/// A function that could be meant, its parameters arranged as the call has its arguments.
struct FunctionCandidate {
  const ProcRow* proc = nullptr;
  std::vector<Oid> arguments;  // one a call argument (or default), variadics spread out
  std::vector<int> positions;  // named notation: parameter number of call argument i; empty: in order
  int variadic_count = 0;      // call arguments that VARIADIC swallows; 0: none
  int default_count = 0;       // trailing parameters filled from their defaults
};

struct FunctionChoice {
  enum class Kind : uint8_t { kNotFound, kAmbiguous, kFunction, kCoercion } kind = Kind::kNotFound;
  FunctionCandidate candidate;
  Oid coercion_target;  // kCoercion: text(x), int4('5')
};

/// func_get_detail. `schema` is empty when unqualified; `names` holds the argument names of the trailing named arguments.
FunctionChoice find_function(const StatementContext& statement, const std::string& schema, const std::string& name,
                             const std::vector<Oid>& actual, const std::vector<std::string>& names, bool variadic_call);
/// "name(integer, text)"
std::string function_signature(const StatementContext& statement, const std::string& name,
                               const std::vector<Oid>& actual, const std::vector<std::string>& names = {});

/// The operator for operands of these types; left kInvalidOid: prefix. Errors: 42883, 42725.
const OperatorRow* find_operator_for(const StatementContext& statement, const std::string& schema,
                                     const std::string& name, Oid left, Oid right, int location);
/// As above; nullptr when there is none.
const OperatorRow* try_operator_for(const StatementContext& statement, const std::string& name, Oid left, Oid right);

/// `left name right` with both sides coerced (left nullopt: prefix operator): make_op.
TypedExpr apply_operator(Scope& scope, const std::string& schema, const std::string& name,
                         std::optional<TypedExpr> left, TypedExpr right, int location);

}  // namespace omendb::sql
