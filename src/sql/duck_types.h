// PostgreSQL's types as DuckDB's. DuckDB knows only physical forms; what a value means is the analyser's knowledge
// (frontend/expr.h), so text, varchar, json and name are all VARCHAR.
#pragma once

#include "duckdb/common/types.hpp"

#include "types/type.h"

namespace omendb::sql {

/// kBool BOOLEAN; kInt16 SMALLINT; kInt32 INTEGER or DATE; kUInt32 UINTEGER; kInt64 BIGINT, TIME, TIMESTAMP or
/// TIMESTAMP_TZ; decimals DECIMAL(precision, scale); kFloat32 FLOAT; kFloat64 DOUBLE; kInterval INTERVAL; kUuid UUID;
/// kBytes: VARCHAR for text-like types, BLOB for bytea, numeric (alias "NUMERIC"), arrays (alias "PGARRAY") and records
/// (alias "PGRECORD").
duckdb::LogicalType duck_type(Oid type, const types::PhysicalType& physical);

}  // namespace omendb::sql
