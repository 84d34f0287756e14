#include "sql/point/parameter_slots.h"

#include "sql/duck_types.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {

bool ParameterSlots::take(duckdb::bound_parameter_map_t slots, const Parameters& parameters) {
  for (size_t i = 0; i < parameters.types.size(); ++i) {
    Slot slot;
    slot.type = duck_type(parameters.types[i], parameters.physical[i]);
    if (auto found = slots.find(std::to_string(i + 1)); found != slots.end()) {
      slot.data = found->second;
      if (slot.data->return_type != slot.type) return false;
    }
    slots_.push_back(std::move(slot));
  }
  return true;
}

void ParameterSlots::set(const Parameters& parameters) {
  for (size_t i = 0; i < parameters.values.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.data == nullptr) continue;
    slot.data->SetValue(duck_value(parameters.values[i].view(), parameters.physical[i], slot.type));
  }
}

}  // namespace omendb::sql
