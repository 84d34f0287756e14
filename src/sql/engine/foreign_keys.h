// Foreign keys, enforced as PostgreSQL does it: internal statements that run when the statement that wrote is done.
//
// A new or changed child row locks its parent FOR KEY SHARE (so that it cannot go away before commit) and fails without
// one. A deleted or changed parent row is looked for among the children: an error, or the constraint's action.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/row.h"
#include "sql/engine/session_impl.h"

namespace omendb::sql {

/// The foreign keys that a table has and those that point to it, at one catalog version.
struct ForeignKeys {
  struct Reference {
    Oid child;                    // the table that has the constraint
    catalog::Constraint constraint;
  };
  std::vector<catalog::Constraint> own;
  std::vector<Reference> referencing;
  bool empty() const { return own.empty() && referencing.empty(); }
};

/// Collects what one statement did to one table, and acts on it at the statement's end.
class ForeignKeyChecks {
 public:
  ForeignKeyChecks(SessionImpl& session, std::shared_ptr<const TableSchema> schema);
  bool active() const { return keys_ != nullptr && !keys_->empty(); }
  void inserted(const codec::RowView& row);
  void updated(const codec::RowView& old_row, const codec::RowView& new_row);
  void deleted(const codec::RowView& row);
  void clear() {
    children_.clear();
    parents_.clear();
  }
  /// Throws 23503.
  void finish();

 private:
  struct Values {
    size_t key;                                // in ForeignKeys::own or referencing
    std::vector<types::Value> old_values, new_values;
    bool is_delete = false;
  };
  std::vector<types::Value> values_of(const codec::RowView& row, const std::vector<int16_t>& columns) const;
  static bool same(const std::vector<types::Value>& a, const std::vector<types::Value>& b);
  void check_child(const catalog::Constraint& key, const std::vector<types::Value>& values);
  void act_on_parent(const ForeignKeys::Reference& reference, const Values& change);

  SessionImpl& session_;
  std::shared_ptr<const TableSchema> schema_;
  std::shared_ptr<const ForeignKeys> keys_;
  std::vector<Values> children_, parents_;
};

}  // namespace omendb::sql
