// Constraints that the writer of a row checks: NOT NULL, CHECK (computed by the select), foreign keys, and
// deferrable unique ones.
#pragma once

#include <memory>
#include <string_view>

#include "codec/row.h"
#include "sql/engine/foreign_keys.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/unique_checks.h"

namespace omendb::sql {

/// Checks of one statement on one table. Errors: 23502, 23514, 44000, 23503, as SqlError.
class Constraints {
 public:
  Constraints(SessionImpl& session, std::shared_ptr<const TableSchema> schema);

  void check_not_null(std::string_view row) const;
  /// Throws: `check` said false of `row`.
  [[noreturn]] void violated(const WriteAction::Check& check, std::string_view row) const;

  /// Forgets what an earlier statement, ended by an error, left to check.
  void start_statement() { foreign_keys_.clear(); }
  // What was written; foreign keys and deferrable unique ones are checked when the statement is done.
  void inserted(const std::string& key, const codec::RowView& row) {
    if (foreign_keys_.active()) foreign_keys_.inserted(key, row);
  }
  void updated(const std::string& key, const codec::RowView& old_row, const codec::RowView& new_row) {
    if (foreign_keys_.active()) foreign_keys_.updated(key, old_row, new_row);
  }
  void deleted(const codec::RowView& row) {
    if (foreign_keys_.active()) foreign_keys_.deleted(row);
  }
  void finish_statement() {
    if (has_deferrable_) settle_unique_checks(session_);
    if (foreign_keys_.active()) foreign_keys_.finish();
  }
  /// Whether finish_statement() may fail: rows must not go out before.
  bool checked_at_end() const { return foreign_keys_.active() || has_deferrable_; }

 private:
  std::string schema_name() const;
  SessionImpl& session_;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<size_t> not_null_;  // positions
  ForeignKeyChecks foreign_keys_;
  bool has_deferrable_ = false;  // unique indexes
};

}  // namespace omendb::sql
