// What INSERT, UPDATE, DELETE, MERGE and ON CONFLICT share: the table written, and the row that is to be written.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sql/frontend/query.h"

namespace omendb::sql {

/// The rows of the statement's target, as its names are seen when the base table's row stands at some duck alias. A simple
/// view is its base table under other names, with its WHERE.
struct TargetRows {
  const catalog::Table* table = nullptr;
  ScopeItem item;                // columns of the table or view
  std::vector<int16_t> attnums;  // of the base table, one a visible column of `item`; 0: an expression
  Tree where;                    // of views; null: none
  struct Check {
    Tree condition;
    std::string view;
  };
  std::vector<Check> checks;  // WITH CHECK OPTION
};

enum class DmlVerb : uint8_t { kInsert, kUpdate, kDelete, kMerge };

/// Opens the target and names it `duck_alias`. Errors: 42P01, 42501 for system relations, 55000 for views that cannot be
/// written through.
TargetRows open_target(StatementContext& statement, const RangeVar* var, const std::string& duck_alias, DmlVerb verb);
/// The base table's attnum of a column that SET or a column list names. Errors: 42703, 0A000, 55000.
int16_t target_attnum(const TargetRows& target, const std::string& relation, const std::string& name, int location,
                      DmlVerb verb);

/// Brings a value into a column (assignment). Errors: 42804.
TypedExpr assign(Scope& scope, TypedExpr value, const catalog::Column& column);
/// What DEFAULT means for a column: its expression, its domain's, or null. Not for generated columns.
TypedExpr default_value(Scope& scope, const catalog::Table& table, const catalog::Column& column);
bool is_default(const Node* node);
/// `base` (a column's value of its type) with the part that `path` names replaced by `value`. `kind`: of the path's subscripts.
/// Errors: 42804, 42703, 42803.
TypedExpr assign_part(Scope& scope, TypedExpr base, List* path, const std::string& column, TypedExpr value,
                      ExprKind kind, int location);

/// A row on its way into a table: its values, what follows from them, and the select that yields it all.
///
/// What depends on the new row (generated columns, CHECK, RETURNING) is analysed over columns "c<attnum>" at the alias
/// new_row(). build() either writes the values in their place, or, where a value must not be computed twice, puts the values into
/// an inner select.
class RowBuilder {
 public:
  RowBuilder(Scope& scope, const catalog::Table& table);
  const catalog::Table& table() const { return table_; }
  const std::string& new_row() const { return new_row_; }
  StatementContext& statement() { return *scope_.statement; }

  /// `value` is assigned already.
  void set(int16_t attnum, TypedExpr value);
  bool is_set(int16_t attnum) const { return values_[static_cast<size_t>(attnum) - 1] != nullptr; }
  /// Fills what is not set: by `old_row` (a duck alias of the existing row), or by defaults if it is empty.
  void fill(const std::string& old_row);
  /// Computes generated columns and CHECK constraints; after fill().
  void derive();
  void add_view_checks(const TargetRows& at_new_row);
  /// An output in front of the row; returns its position.
  size_t add_leading(Tree value);
  void set_returning(std::vector<Target> targets) { returning_ = std::move(targets); }

  /// Makes the select. `source` has its FROM and WHERE. Fills `action` and the positions of RETURNING's outputs.
  DuckNode build(duckdb::unique_ptr<duckdb::SelectNode> source, WriteAction* action, std::vector<size_t>* returning);

  // For MERGE, which puts several rows into one select.
  std::vector<Tree>& values() { return values_; }
  std::map<int16_t, Tree>& generated() { return generated_; }
  struct CheckExpr {
    Tree condition;
    std::string name;
    bool view = false;
  };
  std::vector<CheckExpr>& checks() { return checks_; }

 private:
  bool must_nest();
  void substitute(Tree& tree, const std::function<Tree(int16_t)>& value) const;

  Scope& scope_;
  const catalog::Table& table_;
  std::string new_row_;
  std::vector<Tree> values_;  // by attnum - 1
  std::vector<bool> volatile_;
  std::map<int16_t, Tree> generated_;
  std::vector<CheckExpr> checks_;
  std::vector<Tree> leading_;
  std::vector<Target> returning_;
};

/// Replaces the columns of `alias`, everywhere below `tree`.
void substitute_columns(Tree& tree, const std::string& alias,
                        const std::function<Tree(const std::string& column)>& value);
/// Shows xmax in RETURNING where rows are inserted: 0, or whatever tells a row that was updated for a conflict from one that
/// was inserted.
void add_xmax(ScopeItem& target, Tree value);
/// RETURNING: analyses the list with the target's row at `row_alias`, and `others` (FROM items) in sight.
std::vector<Target> analyze_returning(Scope& scope, StatementContext& statement, List* list, ScopeItem target,
                                      const std::vector<ScopeItem>& others, const std::string& row_alias);
void describe_returning(StatementContext& statement, const std::vector<Target>& returning, AnalyzedQuery* query);
void attach_ctes(DuckNode& node, duckdb::CommonTableExpressionMap& ctes);
/// SET a = 1, (b, c) = (2, 3), (d, e) = (SELECT ...): into the row. Returns the attnums set.
std::vector<size_t> analyze_set_clause(Scope& scope, List* list, const TargetRows& target, const std::string& relation,
                                       RowBuilder& row);
/// One value of INSERT or MERGE's INSERT: an expression or DEFAULT, under the rules of identity and generated columns.
TypedExpr analyze_insert_value(Scope& scope, Node* node, const catalog::Table& table, const catalog::Column& column,
                               int overriding, ExprKind kind);
/// What keeps a view of this SELECT from being written through, in PostgreSQL's words; null: nothing.
const char* why_not_updatable(StatementContext& statement, const SelectStmt* select);
DuckTable scan_of(const catalog::Table& table, const std::string& alias);
std::unique_ptr<ConflictClause> analyze_on_conflict(Scope& scope, void* clause, const RangeVar* var,
                                                    const TargetRows& target, List* returning,
                                                    std::vector<Target>* returned);

}  // namespace omendb::sql
