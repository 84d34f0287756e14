// How wide values are where they lie one after the other.
#pragma once

#include <cstddef>

#include "types/type.h"

namespace omendb::types {

/// In bytes. 0: kBytes, whose values are as long as they are.
constexpr size_t fixed_width(Physical kind) {
  switch (kind) {
    case Physical::kBool: return 1;
    case Physical::kInt16: return 2;
    case Physical::kInt32:
    case Physical::kUInt32:
    case Physical::kFloat32: return 4;
    case Physical::kInt64:
    case Physical::kFloat64: return 8;
    case Physical::kInt128:
    case Physical::kInterval:
    case Physical::kUuid: return 16;
    case Physical::kBytes: return 0;
  }
  return 0;
}

}  // namespace omendb::types
