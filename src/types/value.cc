#include "types/value.h"

namespace omendb::types {

ValueView ColumnView::at(size_t i) const {
  if (is_null(i)) return {};
  switch (physical.kind) {
    case Physical::kBool: return ValueView::of_integer(get<uint8_t>(i) != 0);
    case Physical::kInt16: return ValueView::of_integer(get<int16_t>(i));
    case Physical::kInt32: return ValueView::of_integer(get<int32_t>(i));
    case Physical::kUInt32: return ValueView::of_integer(get<uint32_t>(i));
    case Physical::kInt64: return ValueView::of_integer(get<int64_t>(i));
    case Physical::kInt128:
    case Physical::kUuid: return ValueView::of_wide(get<Int128>(i));
    case Physical::kFloat32: return ValueView::of_real(get<float>(i));
    case Physical::kFloat64: return ValueView::of_real(get<double>(i));
    case Physical::kInterval: return ValueView::of_interval(get<Interval>(i));
    case Physical::kBytes: return ValueView::of_bytes(bytes(i));
  }
  return {};
}

}  // namespace omendb::types
