// Between types:: values and DuckDB's vectors. A flat vector and a ColumnView are the same bytes (types/type.h), so only
// single values are ever converted.
#pragma once

#include "duckdb/common/types/data_chunk.hpp"
#include "duckdb/common/types/value.hpp"

#include "types/value.h"

namespace omendb::sql {

/// A view of `vector`, which is flattened first if it is not flat. Valid as long as the vector is.
types::ColumnView column_view(duckdb::Vector& vector, size_t count, Oid type, int32_t typmod,
                              const types::PhysicalType& physical);

/// Writes one value into a flat vector; bytes are copied into the vector's heap.
void store_value(duckdb::Vector& vector, size_t row, const types::PhysicalType& physical,
                 const types::ValueView& value);

/// Reads one value of a flat vector; bytes stay the vector's.
types::ValueView load_value(const duckdb::Vector& vector, size_t row, const types::PhysicalType& physical);

/// `value` as a DuckDB value of `type` (which is duck_type of `physical`).
duckdb::Value duck_value(const types::ValueView& value, const types::PhysicalType& physical,
                         const duckdb::LogicalType& type);

/// The reverse; views the bytes of `value`.
types::ValueView value_view(const duckdb::Value& value, const types::PhysicalType& physical);

}  // namespace omendb::sql
