// Foreign keys, enforced as PostgreSQL does it: what a statement wrote is looked at again when it is done, or, for deferred
// constraints, before the transaction commits.
//
// A new or changed child row locks its parent FOR KEY SHARE (so that it cannot go away before commit) and fails without one. A
// deleted or changed parent row is looked for among the children: an error, or the constraint's action, run as a statement of its
// own, whose own foreign keys are checked when it is done.
//
// Order: row by row as written; of one row, what it was the parent of comes before what it refers to. Statements in WITH leave their
// events to the statement as a whole.
//
// A child is checked as it then is: a row that is gone, or refers to something else by then, was checked (or will be) for that.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "codec/row.h"
#include "sql/engine/session_impl.h"

struct ConstraintsSetStmt;  // PostgreSQL's

namespace omendb::sql {

/// The foreign keys that a table has and those that point to it, at one catalog version.
struct ForeignKeys {
  struct Reference {
    Oid child;  // the table that has the constraint
    catalog::Constraint constraint;
  };
  std::vector<catalog::Constraint> own;
  std::vector<Reference> referencing;
  bool empty() const { return own.empty() && referencing.empty(); }
};

/// One row written, as one constraint has to know of it.
struct ForeignKeyEvent {
  enum class Kind : uint8_t { kChild, kParentDeleted, kParentChanged } kind;
  Oid child, constraint;
  std::string row_key;  // kChild
  std::vector<types::Value> old_values, new_values;
};

/// What a transaction has still to check. Restored to a mark by ROLLBACK TO.
class ForeignKeyQueue {
 public:
  struct State {
    std::vector<ForeignKeyEvent> deferred;             // until commit or SET CONSTRAINTS ... IMMEDIATE
    std::vector<table::Database::UniqueCheck> unique;  // likewise (unique_checks.h)
    std::optional<bool> all_deferred;                  // SET CONSTRAINTS ALL
    std::map<Oid, bool> deferred_by_constraint;        // ... by name
  };
  State state;
  // Of the parts of a WITH, until the whole statement is done:
  std::vector<ForeignKeyEvent> statement;
  std::vector<table::Database::UniqueCheck> statement_unique;

  bool is_deferred(const catalog::Constraint& constraint) const;
  bool pending_on(Oid table, const catalog::Catalog& catalog) const;
};

/// Checks and acts, in order. Throws 23503 and whatever an action raises.
void fire_foreign_keys(SessionImpl& session, std::vector<ForeignKeyEvent> events);
/// Everything deferred; more may be queued while it goes on.
void fire_deferred_foreign_keys(SessionImpl& session);
/// SET CONSTRAINTS.
void set_constraints(SessionImpl& session, const ConstraintsSetStmt* statement);

/// Collects what one statement does to one table.
class ForeignKeyChecks {
 public:
  ForeignKeyChecks(SessionImpl& session, std::shared_ptr<const TableSchema> schema);
  bool active() const { return keys_ != nullptr && !keys_->empty(); }
  void inserted(const std::string& key, const codec::RowView& row);
  /// `key` is the row's key before.
  void updated(const std::string& key, const codec::RowView& old_row, const codec::RowView& new_row);
  void deleted(const codec::RowView& row);
  void clear() { events_.clear(); }
  /// Fires, defers, or leaves the events to the whole statement.
  void finish();

 private:
  void add_child(const catalog::Constraint& constraint, const std::string& key, const codec::RowView& row);
  void add(const catalog::Constraint& constraint, ForeignKeyEvent event);
  void check_early();

  SessionImpl& session_;
  std::shared_ptr<const TableSchema> schema_;
  std::shared_ptr<const ForeignKeys> keys_;
  std::vector<ForeignKeyEvent> events_;
};

}  // namespace omendb::sql
