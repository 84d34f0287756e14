// Index expressions and partial predicates, computed for table/ while it writes a row or builds an index.
#pragma once

#include <memory>

#include "table/database.h"

namespace omendb::sql {

class SessionImpl;

/// One per engine, installed in the database. A call comes on the thread of the session that writes and uses that session.
class SessionIndexEvaluator final : public table::IndexEvaluator {
 public:
  Status evaluate(const table::TableAccess& table, const table::TableAccess::IndexAccess& index, std::string_view row,
                  std::vector<types::Value>* expressions, bool* included) override;
  types::IoContext io() override;
};

/// Marks the session whose statement runs on this thread.
class CurrentSession {
 public:
  explicit CurrentSession(SessionImpl* session);
  ~CurrentSession();
  static SessionImpl* get();

 private:
  SessionImpl* outer_;
};

/// An index's expressions, bound; a session keeps those it uses.
class CompiledIndex {
 public:
  virtual ~CompiledIndex() = default;
  virtual void evaluate(std::string_view row, std::vector<types::Value>* expressions, bool* included) = 0;
  static std::unique_ptr<CompiledIndex> compile(SessionImpl& session, const table::TableAccess& table,
                                                const table::TableAccess::IndexAccess& index);
};

}  // namespace omendb::sql
