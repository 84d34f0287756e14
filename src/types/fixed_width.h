// How wide values are where they lie one after the other (rows, arrays, columns), and how they lie there.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "types/type.h"
#include "types/value.h"

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

/// The value at `at`. Not for kBytes, which lie elsewhere.
inline ValueView load_fixed(Physical kind, const char* at) {
  switch (kind) {
    case Physical::kBool: return ValueView::of_integer(*at != 0);
    case Physical::kInt16: return ValueView::of_integer(load_raw<int16_t>(at));
    case Physical::kInt32: return ValueView::of_integer(load_raw<int32_t>(at));
    case Physical::kUInt32: return ValueView::of_integer(load_raw<uint32_t>(at));
    case Physical::kInt64: return ValueView::of_integer(load_raw<int64_t>(at));
    case Physical::kInt128:
    case Physical::kUuid: return ValueView::of_wide(load_raw<Int128>(at));
    case Physical::kFloat32: return ValueView::of_real(load_raw<float>(at));
    case Physical::kFloat64: return ValueView::of_real(load_raw<double>(at));
    case Physical::kInterval: return ValueView::of_interval(load_raw<Interval>(at));
    case Physical::kBytes: break;
  }
  return {};
}

/// Writes a value that is not null. For kBytes it does nothing.
inline void store_fixed(Physical kind, const ValueView& value, char* at) {
  switch (kind) {
    case Physical::kBool: *at = value.integer != 0 ? 1 : 0; break;
    case Physical::kInt16: store_raw(at, static_cast<int16_t>(value.integer)); break;
    case Physical::kInt32: store_raw(at, static_cast<int32_t>(value.integer)); break;
    case Physical::kUInt32: store_raw(at, static_cast<uint32_t>(value.integer)); break;
    case Physical::kInt64: store_raw(at, value.integer); break;
    case Physical::kInt128:
    case Physical::kUuid: store_raw(at, value.wide); break;
    case Physical::kFloat32: store_raw(at, static_cast<float>(value.real)); break;
    case Physical::kFloat64: store_raw(at, value.real); break;
    case Physical::kInterval: store_raw(at, value.interval); break;
    case Physical::kBytes: break;
  }
}

}  // namespace omendb::types
