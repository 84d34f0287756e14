// PostgreSQL's raw parse tree, in C++. Include it after every other header: PostgreSQL's c.h defines macros (printf,
// Min, ERROR, ...) that would bite them; the worst are undone below.
#pragma once

extern "C" {
#include "postgres.h"
#include "nodes/parsenodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include <pg_query.h>
#undef INFO
#include <pg_query/pg_query_internal.h>
}
#undef printf
#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef fprintf
#undef vprintf
#undef vfprintf
#undef strerror
#undef strerror_r
#undef Min
#undef Max
#undef Abs
#undef ERROR
#undef WARNING
#undef NOTICE
#undef LOG
#undef DEBUG1
#undef FATAL
#undef PANIC
#undef Assert
#undef StaticAssert
