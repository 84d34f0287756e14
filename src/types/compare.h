// The order of values: what ORDER BY, min, max, btree indexes and comparison operators of one type say.
#pragma once

#include "types/value.h"

namespace omendb::types {

/// True for types with a default order (json, xml and some internals have none).
bool is_orderable(Oid type);

/// -1, 0, 1 of two values that are not null and lie in form `physical`. Text orders by bytes, NaN is greatest, intervals by their
/// length, numerics by value. Requires is_orderable(type) for an order; equality of other types is that of their bytes.
int compare_values(Oid type, const PhysicalType& physical, const ValueView& a, const ValueView& b);
inline bool values_equal(Oid type, const PhysicalType& physical, const ValueView& a, const ValueView& b) {
  return compare_values(type, physical, a, b) == 0;
}

}  // namespace omendb::types
