// functions/: what PostgreSQL computes and DuckDB does not, as DuckDB functions.
//
// Every function here is named "omen_<name>", where <name> is mostly the prosrc of PostgreSQL's function (pg_proc), so that
// emission (frontend/emission.h) finds it without a table of its own.
//
// Invariants
//   1. Arguments and results have the plain physical form of their types (duck_types.h): numerics are bytes, unless the
//      function says otherwise.
//   2. Errors are SqlError with PostgreSQL's SQLSTATE and words.
//   3. Functions are strict (a null argument gives null) unless they say otherwise; what PostgreSQL calls stable is
//      consistent within a query, what it calls volatile is volatile.
//   4. A function that may fail is marked so (DuckDB must not move it before the filter that guards it).
#pragma once

#include <string>
#include <string_view>

namespace duckdb {
class DatabaseInstance;
}

namespace omendb::sql {

/// Registers every function, aggregate and table function, and the order of numerics and arrays (collations).
void register_functions(duckdb::DatabaseInstance& db);

/// What analysis has to know of one of our scalar functions.
struct OwnFunction {
  std::string_view name;  // without "omen_"
  /// Its arguments, one letter each: v a value; d the type descriptor (emission.h) of the value that follows; r the descriptor of the
  /// result; t any number of descriptors, each followed by its value. Values beyond the letters are passed as they are.
  std::string shape;
};
/// By name without "omen_"; nullptr: there is none. Thread: any.
const OwnFunction* find_own_function(std::string_view name);

}  // namespace omendb::sql
