// json into values of SQL types: json_populate_record, json_to_record and their kin.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/io.h"

namespace omendb::types {

/// A json value as `type`: objects become composites, arrays arrays, anything else goes through the type's input by its text; null is null.
/// The result lies as input() leaves it. Errors: 22P02, 22023, those of the type's input.
Status value_from_json(Oid type, int32_t typmod, std::string_view json, const IoContext& context, Value* out);
/// An object as a record of these fields; what it lacks comes from `base` (a record of the same fields, or empty: null).
Status record_from_json(std::span<const CompositeField> fields, std::string_view object, std::string_view base,
                        const IoContext& context, std::string* out);

}  // namespace omendb::types
