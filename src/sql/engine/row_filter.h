// Filters that are decided on a row's bytes, before anything of it is copied or decoded: a column of fixed length or a
// string, compared with a constant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "duckdb/planner/table_filter.hpp"

#include "sql/engine/table_schema.h"

namespace omendb::sql {

class RowFilter {
 public:
  explicit RowFilter(const TableSchema& schema) : schema_(schema) {}

  /// Takes over `filter` on column `column` (in TableSchema's numbering). False: it is of a kind that only vectors can decide, and
  /// nothing was taken.
  bool take(size_t column, const duckdb::TableFilter& filter);
  bool empty() const { return conditions_.empty(); }
  /// Whether every condition is true of the row (null is not).
  bool passes(std::string_view row) const;

 private:
  struct Condition {
    size_t column;
    types::Physical kind;
    duckdb::ExpressionType comparison;
    int64_t integer = 0;
    std::string bytes;
  };
  const TableSchema& schema_;
  std::vector<Condition> conditions_;
};

}  // namespace omendb::sql
