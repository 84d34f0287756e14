// The two directions of COPY, for copy_to.cc, which dispatches.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "sql/engine/session_impl.h"

namespace omendb::sql {

/// `statement` is a CopyStmt. Returns the number of rows.
uint64_t copy_from(SessionImpl& session, const void* statement, std::string_view text);
/// `value` as a field of COPY's text format, appended.
void append_copy_text(std::string_view value, char delimiter, std::string* out);
/// Position in the row layout of a column that COPY names. Throws 42703, 42P10.
size_t find_copy_column(const catalog::Table& table, const std::string& name);

}  // namespace omendb::sql
