// A session's statements that need no parsing and no analysis any more: by their text, and by their shape.
//
// A statement that came twice with different literals gets a plan for its shape (frontend/lifting.h): the statement analysed with the
// literals that may vary as parameters. From then on a text of that shape is scanned (frontend/literal_scan.h), its literals are read by their
// types' input functions under the settings of the moment, and the plan runs. Whatever is unusual (a literal that is
// no value of its type, an aborted transaction, a changed catalog) goes the long way, so errors are the long way's own.
//
// Invariants
//   1. A plan of a shape is a point plan (sql/point). What DuckDB optimises is planned with its literals.
//   2. A plan serves one version of the catalog and of the settings.
//   3. Numbers of entries and bytes are bounded; full, the cache starts anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/engine/statement.h"
#include "sql/frontend/lifting.h"

namespace omendb::sql {

class SessionImpl;

/// Thread: one at a time (a session's).
class PlanCache {
 public:
  struct Counters {
    uint64_t hits = 0;    // statements that ran a plan of their shape, or of their text, unparsed
    uint64_t misses = 0;  // simple statements that did not
    uint64_t plans = 0;   // plans made for shapes
  };
  const Counters& counters() const { return counters_; }

  /// By text. nullptr: not known.
  std::shared_ptr<PreparedStatement> find(std::string_view text) const;
  /// Remembers a statement that was parsed and analysed for a text of its own.
  void keep(const std::shared_ptr<PreparedStatement>& statement);
  /// BEGIN, COMMIT and their kin are known by their trees alone.
  std::shared_ptr<const ParsedStatement> find_control(std::string_view text) const;
  void keep_control(const std::shared_ptr<const ParsedStatement>& statement);

  struct Match {
    std::shared_ptr<PreparedStatement> statement;
    Parameters parameters;
  };
  /// The plan for `text` and the values of its literals; a plan is made when the shape is known and has none. False: parse it.
  /// Errors: none. Requires a transaction that has not failed.
  bool match(SessionImpl& session, std::string_view text, Match* match);

  void clear();

 private:
  struct Plan {
    std::shared_ptr<PreparedStatement> statement;
    std::vector<std::string> fixed;        // literal by literal: its text, "" where it was lifted
    std::vector<Lifting::Source> sources;  // of the parameters
  };
  struct Shape {
    std::weak_ptr<PreparedStatement> first;  // the statement as it came first
    std::vector<Plan> plans;
    uint64_t hits = 0, made = 0;
    bool barred = false;  // no plan of this shape is worth having
    uint64_t catalog_version = 0, settings_version = 0;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  bool fits(const Plan& plan, std::string_view text) const;
  /// Reads the literals. False: one of them is no value of its type.
  bool bind(SessionImpl& session, const Plan& plan, std::string_view text, Parameters* parameters) const;
  /// Null: nothing of it can be lifted, or it is no point plan.
  const Plan* make_plan(SessionImpl& session, std::string_view text, Shape* shape, Match* match);

  ByText<std::shared_ptr<PreparedStatement>> statements_;
  ByText<std::shared_ptr<const ParsedStatement>> controls_;
  ByText<Shape> shapes_;
  size_t shape_bytes_ = 0, plan_count_ = 0;
  ScannedText scan_;     // of the text that match() saw last
  std::string scanned_;  // that text, when its shape waits for keep()
  Counters counters_;
};

}  // namespace omendb::sql
