#include "types/compare.h"

#include <cmath>

#include "types/array.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/numeric.h"
#include "types/range.h"
#include "types/record.h"

namespace omendb::types {
namespace {
template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}
/// Values of bpchar in arrays and records have their padding with them.
std::string_view without_spaces(std::string_view s) {
  while (s.ends_with(' ')) s.remove_suffix(1);
  return s;
}
}  // namespace

bool is_orderable(Oid type) {
  switch (type.value) {
    case oid::kJson.value:
    case oid::kXml.value:
    case oid::kJsonPath.value:
    case oid::kPgNodeTree.value:
    case oid::kXid.value:
    case oid::kCid.value:
    case oid::kAclItem.value: return false;
    default: break;
  }
  Oid element = array_element_type(type);
  return element == kInvalidOid || element == type || is_orderable(element);
}

int compare_values(Oid type, const PhysicalType& physical, const ValueView& a, const ValueView& b) {
  switch (physical.kind) {
    case Physical::kBool:
    case Physical::kInt16:
    case Physical::kInt32:
    case Physical::kUInt32: return order(a.integer, b.integer);
    case Physical::kInt64:
      if (type == oid::kXid8 || type == oid::kPgLsn) {
        return order(static_cast<uint64_t>(a.integer), static_cast<uint64_t>(b.integer));
      }
      return order(a.integer, b.integer);
    case Physical::kInt128:
    case Physical::kUuid: return order(a.wide, b.wide);
    case Physical::kFloat32:
    case Physical::kFloat64: {
      bool na = std::isnan(a.real), nb = std::isnan(b.real);
      if (na || nb) return static_cast<int>(na) - static_cast<int>(nb);
      return order(a.real, b.real);
    }
    case Physical::kInterval: return interval_compare(a.interval, b.interval);
    case Physical::kBytes: break;
  }
  int c;
  switch (type.value) {
    case oid::kNumeric.value: c = numeric_key(a.bytes).compare(numeric_key(b.bytes)); break;
    case 3906: c = range_key(a.bytes).compare(range_key(b.bytes)); break;            // numrange
    case 4532: c = multirange_key(a.bytes).compare(multirange_key(b.bytes)); break;  // nummultirange
    case oid::kBpchar.value: c = without_spaces(a.bytes).compare(without_spaces(b.bytes)); break;
    case oid::kJsonb.value: c = jsonb_compare(a.bytes, b.bytes); break;
    case oid::kRecord.value: c = record_compare(a.bytes, b.bytes); break;
    default:
      // A user's type that lies as bytes is a composite or an array of one's; the bytes tell which.
      if (find_type(type) == nullptr && is_record_bytes(a.bytes))
        c = record_compare(a.bytes, b.bytes);
      else if (find_type(type) == nullptr || array_element_type(type) != kInvalidOid)
        c = array_compare(a.bytes, b.bytes);
      else
        c = a.bytes.compare(b.bytes);
      break;
  }
  return c < 0 ? -1 : c > 0;
}

}  // namespace omendb::types
