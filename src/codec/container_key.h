// Order-preserving keys of values made of others: arrays, records, jsonb. The analyser's sort keys are these bytes, and keys of
// indexes have them as their bytes (key.h).
//
// Forms, all self-delimiting:
//   record   per field 0x01 and the value's key, or 0x02 for null; then 0x00: nulls last, fewer fields first
//   array    per element the same; then 0x00; then big-endian with the sign flipped the number of dimensions, each length, each
//            lower bound
//   jsonb    a kind (null 0, string 1, number 2, boolean 3, array 4, object 5) and what it holds; of arrays and objects the number of
//            members comes first. A scalar at the top is an array of one, before true ones.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/io.h"

namespace omendb::codec {

/// `catalog` tells what domains inside are over; nullptr: there are none.
/// Errors: 42883 for elements that have no order, 0A000 for others that have no key.
Status append_array_key(std::string_view array, const types::TypeCatalog* catalog, std::string* out);
Status append_record_key(std::string_view record, const types::TypeCatalog* catalog, std::string* out);
/// `document` is canonical text (types/json.h).
Status append_jsonb_key(std::string_view document, std::string* out);

}  // namespace omendb::codec
