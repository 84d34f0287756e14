// Where exceptions end: whatever was thrown inside sql/ becomes a Status with PostgreSQL's SQLSTATE and wording.
#pragma once

#include <string_view>

#include "duckdb/common/error_data.hpp"

#include "base/status.h"
#include "sql/error.h"

namespace omendb::sql {

/// A DuckDB error: an SqlError that travelled through DuckDB comes back field by field, DuckDB's own errors get the SQLSTATE
/// and the words that PostgreSQL has for them. Stack traces are dropped.
SqlError map_duck_error(const duckdb::ErrorData& error);

/// Status of the exception in flight; call inside catch (...). `text`: the statement, to turn byte locations into positions.
Status status_of_exception(std::string_view text);

/// Status of `error`; a byte location becomes a position in characters.
Status status_of_error(const SqlError& error, std::string_view text);

/// Runs `body`; exceptions become a Status.
template <class Body>
Status guarded(std::string_view text, Body&& body) {
  try {
    body();
    return Status();
  } catch (...) {
    return status_of_exception(text);
  }
}

/// Throws the error that a DuckDB result holds.
[[noreturn]] inline void throw_duck_error(const duckdb::ErrorData& error) { throw map_duck_error(error); }

}  // namespace omendb::sql
