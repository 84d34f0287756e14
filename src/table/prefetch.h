// Reading many rows by key, which the caller knows before the first of them is read.
#pragma once

#include <span>
#include <string_view>

#include "table/database.h"

namespace omendb::table {

/// Starts loading what Database::get() of these keys, one after the other, would wait for: their cache misses in the index and the
/// row cache overlap. A hint, without effect on any answer. Some 16 to 64 keys at a time: more than a cache holds help nobody.
void prefetch_rows(Database& database, const TableAccess& table, std::span<const std::string_view> keys);

}  // namespace omendb::table
