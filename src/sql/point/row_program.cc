#include "sql/point/row_program.h"

#include "sql/point/row_compiler.h"

namespace omendb::sql {

RowProgram::RowProgram(duckdb::ClientContext& context, ParameterSlots& parameters)
    : context_(context), parameter_slots_(parameters) {}
RowProgram::~RowProgram() = default;

void RowProgram::read_columns(std::shared_ptr<const TableSchema> schema, const std::vector<size_t>& columns) {
  schema_ = std::move(schema);
  slots_.clear();
  const codec::RowLayout& layout = schema_->access->layout();
  for (size_t column : columns) {
    RowSlot slot;
    slot.type = schema_->types[column];
    if (column == schema_->key_column()) {
      slot.kind = RowSlot::Kind::kKey;
    } else {
      slot.kind = RowSlot::Kind::kColumn;
      slot.index = column;
      slot.physical = layout.column(column);
    }
    slots_.push_back(std::move(slot));
  }
}

bool RowProgram::read_registers(const duckdb::vector<duckdb::LogicalType>& types) {
  slots_.clear();
  for (const auto& type : types) {
    const auto physical = physical_of(type);
    if (!physical) return false;
    RowSlot slot;
    slot.kind = RowSlot::Kind::kRegister;
    slot.index = registers_.size();
    slot.physical = *physical;
    slot.type = type;
    slots_.push_back(std::move(slot));
    registers_.emplace_back();
  }
  return true;
}

std::unique_ptr<RowExpression> RowProgram::compile(const duckdb::Expression& expression) {
  return RowCompiler(*this).compile(expression);
}

bool RowProgram::project(const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions) {
  std::vector<RowSlot> outputs;
  std::vector<Step> steps;
  for (const auto& expression : expressions) {
    auto compiled = compile(*expression);
    if (compiled == nullptr) return false;
    if (const RowSlot* slot = compiled->slot()) {
      outputs.push_back(*slot);
      continue;
    }
    RowSlot slot;
    slot.kind = RowSlot::Kind::kRegister;
    slot.index = registers_.size();
    slot.physical = *physical_of(expression->return_type);
    slot.type = expression->return_type;
    outputs.push_back(std::move(slot));
    steps.push_back({std::move(compiled), registers_.size()});
    registers_.emplace_back();
  }
  for (auto& step : steps) steps_.push_back(std::move(step));
  slots_ = std::move(outputs);
  return true;
}

bool RowProgram::filter(const duckdb::Expression& predicate) {
  auto compiled = compile(predicate);
  if (compiled == nullptr) return false;
  steps_.push_back({std::move(compiled), SIZE_MAX});
  return true;
}

bool RowProgram::run(std::string_view key, const codec::RowView* row) {
  key_ = key;
  row_ = row;
  for (auto& step : steps_) {
    const types::ValueView value = step.expression->evaluate(*this);
    if (step.target != SIZE_MAX)
      registers_[step.target] = value;
    else if (value.null || value.integer == 0)
      return false;
  }
  return true;
}

void RowProgram::set_parameters() {
  if (parameters_set_ || parameters_ == nullptr) return;
  parameter_slots_.set(*parameters_);
  parameters_set_ = true;
}

}  // namespace omendb::sql
