// Where a bound plan keeps the values of its parameters.
#pragma once

#include <vector>

#include "duckdb/planner/bound_parameter_map.hpp"
#include "duckdb/planner/planner.hpp"

#include "sql/engine/statement.h"

namespace omendb::sql {

class ParameterSlots {
 public:
  /// Whether every place where the planned statement reads a parameter knows its type.
  static bool all_bound(duckdb::Planner& planner);
  /// Takes DuckDB's slots. False: DuckDB gave a parameter another type than the statement has.
  bool take(duckdb::bound_parameter_map_t slots, const Parameters& parameters);
  /// Sets the values that the plan's expressions read.
  void set(const Parameters& parameters);

 private:
  struct Slot {
    duckdb::shared_ptr<duckdb::BoundParameterData> data;  // null: the plan does not read it
    duckdb::LogicalType type;                             // the statement's
  };
  std::vector<Slot> slots_;
};

}  // namespace omendb::sql
