// Doors of neighbours that are built at the same time (sessions): weak, so that theirs win as soon as they are
// linked; until then a call says so. This file goes when they are there.
#include "sql/error.h"
#include "sql/services.h"

namespace omendb::sql {

__attribute__((weak)) SessionServices& services(duckdb::ClientContext&) { not_supported("a session"); }

}  // namespace omendb::sql
