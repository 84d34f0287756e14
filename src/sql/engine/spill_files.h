// What DuckDB's operators spill, and how much of the disk it may take.
#pragma once

#include <cstdint>
#include <string>

#include "duckdb/main/database.hpp"

namespace omendb::sql {

/// How much may be spilled in all, in bytes, with `used` of it there already and `free` left on the disk; `given`: the setting, 0 for
/// none. A part of the disk stays free, for commits need it.
uint64_t spill_limit(uint64_t used, uint64_t free, uint64_t given);

/// Once for an instance, which has to outlive its files; then from any thread. From now on files in `directory` keep to spill_limit. DuckDB asks once what the disk has, but others write to it as well; and a
/// block that finds no room is lost for good, with the space of all before it in its file.
void install_spill_files(duckdb::DatabaseInstance& instance, const std::string& directory, uint64_t given);

}  // namespace omendb::sql
