// A statement on its way: its text and raw tree, then what analysis and planning made of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/frontend/analyzer.h"
#include "sql/frontend/parser.h"
#include "sql/session.h"

namespace omendb::sql {

class PointPlan;

class ParsedStatement {
 public:
  std::shared_ptr<const ParseTree> tree;
  std::shared_ptr<const std::string> text;  // of the whole string; node locations count in it
  Node* node = nullptr;
  size_t location = 0, length = 0;  // of this statement in `text`
  bool alone = true;                // the only statement of its string

  std::string_view sql() const { return std::string_view(*text).substr(location, length); }
};

/// What kind of work a statement is.
enum class StatementKind : uint8_t { kEmpty, kQuery, kUtility };

class PreparedStatement {
 public:
  std::shared_ptr<const ParsedStatement> parsed;  // null: the empty query
  StatementKind kind = StatementKind::kEmpty;
  std::vector<Oid> given_types;  // as the client named them; the rest is inferred
  std::vector<Oid> parameter_types;
  bool returns_rows = false;
  std::vector<ColumnDescription> columns;

  // kQuery, valid for one version of the catalog and of the settings that analysis reads.
  std::shared_ptr<AnalyzedQuery> query;
  uint64_t catalog_version = 0;
  uint64_t settings_version = 0;
  std::shared_ptr<PointPlan> point;  // null: none fits
  bool point_tried = false;
  bool from_sql_prepare = false;
  bool lifted = false;  // of a shape (plan_cache.h): its parameters are literals; it is never analysed again
  int64_t prepared_at_us = 0;

  std::string_view text() const { return parsed ? std::string_view(*parsed->text) : std::string_view(); }
};

/// Values of a portal's parameters, in their physical forms.
struct Parameters {
  std::vector<types::Value> values;
  std::vector<Oid> types;
  std::vector<types::PhysicalType> physical;
};

}  // namespace omendb::sql
