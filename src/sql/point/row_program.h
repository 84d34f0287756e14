// What a point plan computes of one row: the filters and projections of a bound plan, run over values (types::ValueView) instead of
// DuckDB's vectors. A vector of one row costs its executor some hundred nanoseconds an expression; a value costs ten.
//
// A bound expression means here what it means in DuckDB, because it is either one of few that have one meaning (columns, constants,
// parameters, integer and decimal arithmetic, comparisons, AND, OR, NOT, IS NULL, CASE, COALESCE, IN, widening casts), or one of our own
// functions, called as its vector form calls it (functions/library.h), or DuckDB's executor over a vector of one row. The
// executor also has the last word where arithmetic leaves its type, so that errors are the same to the letter.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "duckdb/planner/expression.hpp"

#include "codec/row.h"
#include "sql/engine/statement.h"
#include "sql/engine/table_schema.h"
#include "sql/point/parameter_slots.h"

namespace omendb::sql {

/// The physical form of values of a DuckDB type; nullopt: none of ours (lists, structs, ...).
std::optional<types::PhysicalType> physical_of(const duckdb::LogicalType& type);

/// Where a value stands that needs no computing.
struct RowSlot {
  enum class Kind : uint8_t { kColumn, kKey, kParameter, kConstant, kRegister };
  Kind kind = Kind::kConstant;
  size_t index = 0;  // column of the row layout, parameter, register
  types::PhysicalType physical;
  duckdb::LogicalType type;
  std::shared_ptr<const types::Value> constant;
};

class RowExpression;

/// Built once a plan; then start() an execution and run() row by row. Thread: one at a time.
class RowProgram {
 public:
  /// `parameters`: the plan's, for the expressions that DuckDB computes.
  RowProgram(duckdb::ClientContext& context, ParameterSlots& parameters);
  ~RowProgram();

  // Building. The slots are what the next expressions refer to by position; adding a projection replaces them.
  const std::vector<RowSlot>& slots() const { return slots_; }
  /// The source: columns of a table (TableSchema's numbering) ...
  void read_columns(std::shared_ptr<const TableSchema> schema, const std::vector<size_t>& columns);
  /// ... or values that set_register() gives, of these types. False: a type without a physical form.
  bool read_registers(const duckdb::vector<duckdb::LogicalType>& types);
  /// False: an expression that cannot be computed here. The expressions must outlive the program.
  bool project(const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions);
  bool filter(const duckdb::Expression& predicate);
  /// An expression beside the steps, for evaluate(); null: cannot be computed here.
  std::unique_ptr<RowExpression> compile(const duckdb::Expression& expression);
  /// Whether no step runs longer than reading a row does: no function of which that is not known.
  bool is_plain() const { return plain_; }

  // Running.
  void start(const Parameters& parameters) {
    parameters_ = &parameters;
    parameters_set_ = false;
  }
  /// Runs the steps over a row; false: a filter dropped it. `row` and `key` must live as long as the outputs are read; null: no table.
  bool run(std::string_view key, const codec::RowView* row);
  /// Output `i` of the row that run() saw. Valid until the next run(), and as long as the row is.
  types::ValueView output(size_t i) const { return read(slots_[i]); }
  void set_register(size_t i, const types::ValueView& value) { registers_[i] = value; }
  types::ValueView evaluate(RowExpression& expression);

  // For expressions.
  types::ValueView read(const RowSlot& slot) const;
  /// Before DuckDB computes something: its parameters have their values.
  void set_parameters();
  duckdb::ClientContext& context() { return context_; }

 private:
  friend class RowCompiler;
  struct Step {
    std::unique_ptr<RowExpression> expression;
    size_t target;  // a register; SIZE_MAX: a filter
  };
  types::ValueView column(size_t i) const;

  duckdb::ClientContext& context_;
  ParameterSlots& parameter_slots_;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<RowSlot> slots_;
  std::vector<Step> steps_;
  std::vector<types::ValueView> registers_;
  bool plain_ = true;
  const Parameters* parameters_ = nullptr;
  bool parameters_set_ = false;
  std::string_view key_;
  const codec::RowView* row_ = nullptr;
};

/// A computation of one value.
class RowExpression {
 public:
  virtual ~RowExpression() = default;
  /// Bytes of the value are valid until the same expression is evaluated again.
  virtual types::ValueView evaluate(RowProgram& program) = 0;
  /// Not null: nothing is computed, the value stands there.
  virtual const RowSlot* slot() const { return nullptr; }
};

inline types::ValueView RowProgram::evaluate(RowExpression& expression) { return expression.evaluate(*this); }

inline types::ValueView RowProgram::read(const RowSlot& slot) const {
  switch (slot.kind) {
    case RowSlot::Kind::kColumn: return column(slot.index);
    case RowSlot::Kind::kKey: return types::ValueView::of_bytes(key_);
    case RowSlot::Kind::kParameter: return parameters_->values[slot.index].view();
    case RowSlot::Kind::kConstant: return slot.constant->view();
    case RowSlot::Kind::kRegister: return registers_[slot.index];
  }
  return {};
}

inline types::ValueView RowProgram::column(size_t i) const {
  if (!row_->is_null(i)) return row_->get(i);
  if (!schema_->has_missing || row_->present(i)) return {};
  const auto& missing = schema_->table().columns[i].missing;
  return missing ? missing->view() : types::ValueView();
}

}  // namespace omendb::sql
