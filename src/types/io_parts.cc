#include "types/io_parts.h"

namespace omendb::types {

Status input_part(Oid, int32_t, std::string_view, const IoContext&, Value*, bool* handled) {
  *handled = false;
  return {};
}
bool output_part(Oid, const PhysicalType&, const ValueView&, const IoContext&, std::string*) { return false; }
Status receive_part(Oid, int32_t, std::string_view, const IoContext&, Value*, bool* handled) {
  *handled = false;
  return {};
}
Status send_part(Oid, const PhysicalType&, const ValueView&, const IoContext&, std::string*, bool* handled) {
  *handled = false;
  return {};
}
bool coerce_part(Oid, const ValueView&, int32_t, Value*) { return false; }

}  // namespace omendb::types
