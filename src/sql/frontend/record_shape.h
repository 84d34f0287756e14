// The fields of records whose type has no name: rows of functions with several OUT parameters, ROW(...), rows of subqueries. As in
// PostgreSQL, the typmod of a record says which shape it has; -1: not known. These typmods stay inside: clients see -1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/strong_id.h"

namespace omendb::sql {

struct TypedExpr;
struct StatementContext;

struct RecordField {
  std::string name;
  Oid type;
  int32_t typmod = -1;
  bool operator==(const RecordField&) const = default;
};
using RecordShape = std::vector<RecordField>;

/// The typmod of records of this shape. Shapes are kept for the life of the process, so there are at most kRecordShapesMax of them;
/// past that, -1: the fields of such records cannot be named. Thread: any.
int32_t record_typmod(RecordShape shape);
inline constexpr int32_t kRecordShapesMax = 100'000;
/// nullptr: the typmod names no shape. What it points to stays. Thread: any.
const RecordShape* record_shape(int32_t typmod);

/// The fields of a value of a composite type or of a record whose shape is known; empty for anything else.
RecordShape record_fields(const StatementContext& statement, const TypedExpr& value);

}  // namespace omendb::sql
