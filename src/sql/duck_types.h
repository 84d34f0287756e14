// PostgreSQL's types as DuckDB's. DuckDB knows only physical forms; what a value means is the analyser's knowledge
// (frontend/expr.h), so text, varchar, json and name are all VARCHAR.
#pragma once

#include "duckdb/common/types.hpp"

#include "types/type.h"

namespace omendb::sql {

/// kBool BOOLEAN; kInt16 SMALLINT; kInt32 INTEGER or DATE; kUInt32 UINTEGER; kInt64 BIGINT, TIME, TIMESTAMP or
/// TIMESTAMP_TZ; decimals DECIMAL(precision, scale); kFloat32 FLOAT; kFloat64 DOUBLE; kInterval INTERVAL; kUuid UUID;
/// kBytes: VARCHAR for text-like types, BLOB for bytea, numeric (alias "PGNUMERIC"), arrays (alias "PGARRAY") and
/// records (alias "PGRECORD"). DuckDB's catalog knows these names, since its sorts write a type down and read it again.
/// `type` is the base type for domains. User-defined types that lie as bytes are arrays or composites; both compare by
/// the same kind of key, and a user-defined OID gives "PGARRAY".
duckdb::LogicalType duck_type(Oid type, const types::PhysicalType& physical);
const duckdb::LogicalType& duck_numeric_type();  // BLOB, alias "PGNUMERIC"
const duckdb::LogicalType& duck_array_type();    // BLOB, alias "PGARRAY"
const duckdb::LogicalType& duck_record_type();   // BLOB, alias "PGRECORD"

/// Whether DuckDB's own comparison of a column's values is that of its key. jsonb is VARCHAR there, compared as it lies only where it
/// has been cast to text: that says nothing about the order of a key.
inline bool compares_as_key(Oid type) { return type != types::oid::kJsonb; }

}  // namespace omendb::sql
