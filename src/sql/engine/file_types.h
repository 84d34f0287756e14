// Types that files have, Parquet and CSV, as PostgreSQL's.
#pragma once

#include <optional>
#include <string>

#include "duckdb/common/types.hpp"
#include "duckdb/main/database.hpp"

#include "sql/frontend/emit.h"
#include "types/type.h"

namespace omendb::sql {

/// The counterpart of a file's type: the same values, in a type that holds them all.
///   unsigned integers     the next signed one; of 64 bits numeric(20)
///   enumerations          text
///   timestamps            of seconds, milliseconds: timestamp; of nanoseconds too, where they are whole microseconds (else 0A000 at run time)
///   lists of all these    arrays
///   structures, maps      none
struct FileType {
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;
};
std::optional<FileType> file_type(const duckdb::LogicalType& type);

/// `value`, which is of a file's type that has a counterpart, as duck_type() of that. `column` is for errors.
Tree file_value(Tree value, const duckdb::LogicalType& type, const std::string& column);

void register_file_values(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
