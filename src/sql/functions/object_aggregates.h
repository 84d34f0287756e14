// Aggregates whose state is an object: any number of arguments, row by row. For the long tail (string_agg, array_agg, regr_...).
#pragma once

#include <optional>

#include "sql/functions/library.h"

namespace omendb::sql::functions {

class AggregateState {
 public:
  virtual ~AggregateState() = default;
  virtual void add(RowCall& call, const types::ValueView* args) = 0;
  /// Rows of `other` come after ours.
  virtual void merge(const AggregateState& other) = 0;
  virtual types::ValueView finish(RowCall& call) = 0;

  std::optional<std::string> last_key;  // of a distinct aggregate
};

struct AggregateSpec {
  std::string name;
  std::vector<Oid> arguments;  // as RowSpec's
  Oid result;
  std::unique_ptr<AggregateState> (*make)() = nullptr;
  bool strict = true;         // rows with a null argument are skipped
  bool empty_is_null = true;  // no row: null, else make()->finish
  bool distinct = false;      // set by add_distinct_aggregate
};

/// And its distinct twin.
void add_aggregate(Library& library, AggregateSpec spec);
/// Values may be equal and yet other bytes (1.0 and 1.00), so DuckDB's DISTINCT is not PostgreSQL's: "distinct_NAME" takes a key before the
/// arguments, must be called in the order of the keys, and leaves out a row whose key is the last row's.
void add_distinct_aggregate(Library& library, AggregateSpec spec);
void add_statistics(Library& library);

}  // namespace omendb::sql::functions
