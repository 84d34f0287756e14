#include "types/type.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "types/type_table.h"

namespace omendb::types {
namespace {

constexpr TypeInfo kTypes[] = {
#define OMENDB_ROW(number, name, length, by_value, kind, category, preferred, element, array) \
  {Oid{number}, name, length, by_value, kind, category, preferred, Oid{element}, Oid{array}},
    OMENDB_TYPE_TABLE(OMENDB_ROW)
#undef OMENDB_ROW
};
constexpr size_t kTypeCount = std::size(kTypes);
constexpr uint32_t kDirectMax = 10000;

struct Lookup {
  std::array<uint8_t, kDirectMax> place{};     // 1 + index in kTypes
  std::array<uint16_t, kTypeCount> by_name{};  // indexes in order of name
};
static_assert(kTypeCount < 255);

const Lookup& lookup() {
  static const Lookup table = [] {
    Lookup t;
    for (size_t i = 0; i < kTypeCount; ++i) {
      t.place[kTypes[i].oid.value] = static_cast<uint8_t>(i + 1);
      t.by_name[i] = static_cast<uint16_t>(i);
    }
    std::sort(t.by_name.begin(), t.by_name.end(),
              [](uint16_t a, uint16_t b) { return kTypes[a].name < kTypes[b].name; });
    return t;
  }();
  return table;
}

}  // namespace

const TypeInfo* find_type(Oid type) {
  if (type.value >= kDirectMax) return nullptr;
  uint8_t place = lookup().place[type.value];
  return place == 0 ? nullptr : &kTypes[place - 1];
}

const TypeInfo* find_type(std::string_view name) {
  const auto& order = lookup().by_name;
  auto it = std::lower_bound(order.begin(), order.end(), name,
                             [](uint16_t i, std::string_view n) { return kTypes[i].name < n; });
  return it != order.end() && kTypes[*it].name == name ? &kTypes[*it] : nullptr;
}

Oid array_element_type(Oid type) {
  const TypeInfo* info = find_type(type);
  if (info == nullptr || info->length != -1) return kInvalidOid;
  return info->category == 'A' || info->name == "_record" ? info->element : kInvalidOid;
}

PhysicalType physical_type(Oid type, int32_t typmod) {
  switch (type.value) {
    case oid::kBool.value: return {Physical::kBool};
    case oid::kInt2.value: return {Physical::kInt16};
    case oid::kInt4.value:
    case oid::kDate.value: return {Physical::kInt32};
    case oid::kOid.value:
    case oid::kXid.value:
    case oid::kCid.value:
    case oid::kRegproc.value:
    case oid::kRegprocedure.value:
    case oid::kRegoper.value:
    case oid::kRegoperator.value:
    case oid::kRegclass.value:
    case oid::kRegtype.value:
    case oid::kRegnamespace.value:
    case oid::kRegrole.value:
    case oid::kRegcollation.value:
    case oid::kRegconfig.value:
    case oid::kRegdictionary.value: return {Physical::kUInt32};
    case oid::kInt8.value:
    case oid::kTime.value:
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value:
    case oid::kXid8.value:
    case oid::kPgLsn.value:
    case oid::kMoney.value: return {Physical::kInt64};
    case oid::kFloat4.value: return {Physical::kFloat32};
    case oid::kFloat8.value: return {Physical::kFloat64};
    case oid::kInterval.value: return {Physical::kInterval};
    case oid::kUuid.value: return {Physical::kUuid};
    case oid::kBpchar.value: {
      PhysicalType p{Physical::kBytes};
      if (typmod > 4) p.width = typmod - 4;
      return p;
    }
    case oid::kNumeric.value: {
      if (typmod < 4) return {Physical::kBytes};
      int precision = numeric_typmod_precision(typmod);
      int scale = numeric_typmod_scale(typmod);
      if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return {Physical::kBytes};
      Physical kind = precision <= 4    ? Physical::kInt16
                      : precision <= 9  ? Physical::kInt32
                      : precision <= 18 ? Physical::kInt64
                                        : Physical::kInt128;
      return {kind, static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)};
    }
    default: return {Physical::kBytes};
  }
}

}  // namespace omendb::types
