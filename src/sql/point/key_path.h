// From predicates to rows: which of them give the columns of a key (the primary key, or an index) their values.
//
// The side of a predicate that is not the key's column may be anything that has a value before the row is read: a constant, a
// parameter, or an expression over rows that were read earlier (the outer side of a nested loop).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/expression.hpp"

#include "codec/key.h"
#include "sql/engine/statement.h"
#include "sql/engine/table_schema.h"

namespace omendb::sql {

/// One value of a key column.
class KeyPart {
 public:
  KeyPart(duckdb::Expression& value, types::PhysicalType physical, codec::KeyColumn column);
  /// The row's whole key, as it is stored: a value of "_key".
  static KeyPart stored_key(duckdb::Expression& value);

  const codec::KeyColumn& column() const { return column_; }
  /// After matching: how the value is computed. `resolve` turns column references into positions in the outer chunk.
  void prepare(duckdb::ClientContext& context,
               const std::function<void(duckdb::unique_ptr<duckdb::Expression>&)>& resolve);
  /// Whether compute() has something to do: then it reads the parameters where DuckDB keeps them.
  bool is_computed() const { return executor_ != nullptr; }
  /// The values for all rows of `outer`; null: there are none, the value is the same for all.
  void compute(duckdb::DataChunk* outer);
  /// Appends the value for row `row` of the outer chunk. False: null, or beyond the column's type, so that no row can have it.
  bool append(const Parameters& parameters, size_t row, std::string* key) const;

 private:
  duckdb::Expression* value_;     // of the column's type, or a wider integer
  types::PhysicalType physical_;  // of the value
  codec::KeyColumn column_;
  bool stored_key_ = false;
  size_t parameter_ = SIZE_MAX;
  duckdb::unique_ptr<duckdb::Expression> resolved_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;  // null: a parameter or a constant
  duckdb::unique_ptr<duckdb::Vector> computed_;
};

/// What leads to rows through one key: values of its first columns, then alternatives or bounds of the next one.
struct KeyPath {
  std::vector<KeyPart> equal;
  std::vector<KeyPart> alternatives;    // IN over the column after `equal`; empty: none
  std::optional<KeyPart> lower, upper;  // bounds of that column
  bool lower_open = false, upper_open = false;
  std::optional<codec::KeyColumn> not_null;  // that column, if its nulls are left out
  std::vector<size_t> used;                  // predicates that equality settles; the others must still be asked

  bool empty() const { return equal.empty() && alternatives.empty() && !lower && !upper; }
  void for_each(const std::function<void(KeyPart&)>& call);
  /// The range of keys for row `row` of the outer chunk. False: no key.
  bool make_range(const Parameters& parameters, size_t row, table::KeyRange* range) const;
};

struct KeyPredicates {
  std::vector<duckdb::Expression*> predicates;
  /// The column of the table (position in the row layout) that an expression is; SIZE_MAX: none.
  std::function<size_t(const duckdb::Expression&)> column_of;
  /// Is it known before the row is read?
  std::function<bool(const duckdb::Expression&)> is_value;
};

/// The longest path through a key of `columns`, which stand at `positions` of the row layout (SIZE_MAX: an expression).
KeyPath match_key(const TableSchema& schema, const std::vector<codec::KeyColumn>& columns,
                  const std::vector<size_t>& positions, const KeyPredicates& predicates);

/// The path by "_key" itself, which WHERE CURRENT OF asks for; empty: no predicate gives it.
KeyPath match_stored_key(const TableSchema& schema, const KeyPredicates& predicates);

}  // namespace omendb::sql
