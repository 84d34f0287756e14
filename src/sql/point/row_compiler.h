// Bound expressions made into what a RowProgram runs.
#pragma once

#include "sql/point/row_program.h"

namespace omendb::sql {

/// Compiles over the slots that the program has now.
class RowCompiler {
 public:
  explicit RowCompiler(RowProgram& program) : program_(program) {}
  /// Null: a value without a physical form.
  std::unique_ptr<RowExpression> compile(const duckdb::Expression& expression);

 private:
  using Children = std::vector<std::unique_ptr<RowExpression>>;
  /// Of our own; null: DuckDB's to compute. `*foldable`: of constants it is a constant.
  std::unique_ptr<RowExpression> own(const duckdb::Expression& expression, bool* foldable);
  std::unique_ptr<RowExpression> function(const duckdb::Expression& expression, bool* foldable);
  std::unique_ptr<RowExpression> cast(const duckdb::Expression& expression);
  std::unique_ptr<RowExpression> comparison(duckdb::ExpressionType type, const duckdb::Expression& left,
                                            const duckdb::Expression& right);
  bool compile_all(const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions, Children* out);

  RowProgram& program_;
  bool all_constant_ = true;  // of the leaves compiled last
};

}  // namespace omendb::sql
