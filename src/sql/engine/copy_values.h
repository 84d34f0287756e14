// The forms in which nearly every COPY file writes its values, read without a detour: plain integers, ISO dates, decimals
// that need no rounding, text within its length.
#pragma once

#include <string_view>

#include "types/value.h"

namespace omendb::sql {

/// Reads `text` as types::input would. False: not one of the plain forms, and types::input must decide (and word the error).
/// `text` is valid UTF-8; bytes of the result are its bytes.
bool quick_value(Oid type, int32_t typmod, const types::PhysicalType& physical, std::string_view text,
                 types::ValueView* out);

}  // namespace omendb::sql
