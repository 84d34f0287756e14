#include "sql/engine/constraints.h"

#include "sql/engine/executor.h"

namespace omendb::sql {

Constraints::Constraints(SessionImpl& session, std::shared_ptr<const TableSchema> schema)
    : session_(session), schema_(std::move(schema)), foreign_keys_(session, schema_) {
  const auto& columns = schema_->table().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].not_null && !columns[i].dropped) not_null_.push_back(i);
  }
  for (const auto& index : schema_->access->secondary()) has_deferrable_ = has_deferrable_ || index.deferrable;
}

std::string Constraints::schema_name() const {
  const auto* schema = session_.statement_catalog()->find<catalog::Schema>(schema_->table().schema);
  return schema == nullptr ? "" : schema->name;
}

void Constraints::check_not_null(std::string_view row) const {
  if (not_null_.empty()) return;
  const codec::RowView view(schema_->access->layout(), row);
  for (size_t position : not_null_) {
    if (!view.is_null(position)) continue;
    const auto& table = schema_->table();
    const auto& column = table.columns[position];
    SqlError error(SqlState::kNotNullViolation, "null value in column \"" + column.name + "\" of relation \"" +
                                                    table.name + "\" violates not-null constraint");
    error.info().detail = "Failing row contains " + describe_row(session_, *schema_, view) + ".";
    error.info().schema = schema_name();
    error.info().table = table.name;
    error.info().column = column.name;
    throw error;
  }
}

void Constraints::violated(const WriteAction::Check& check, std::string_view row) const {
  const codec::RowView view(schema_->access->layout(), row);
  const auto& table = schema_->table();
  SqlError error(check.view_check ? SqlState::kWithCheckOptionViolation : SqlState::kCheckViolation,
                 check.view_check ? "new row violates check option for view \"" + check.constraint + "\""
                                  : "new row for relation \"" + table.name + "\" violates check constraint \"" +
                                        check.constraint + "\"");
  error.info().detail = "Failing row contains " + describe_row(session_, *schema_, view) + ".";
  if (!check.view_check) {
    error.info().schema = schema_name();
    error.info().table = table.name;
    error.info().constraint = check.constraint;
  }
  throw error;
}

}  // namespace omendb::sql
