// Lifting: which literals of a statement may become parameters, so that its plan serves every statement of its shape.
//
// The statement is analysed as it stands, literals and all, so types, overloads, names and typmods come out as always. But a constant that is
// a literal's value remembers its slot. Whoever looks at such a value to decide something (constant_of) marks the slot, and the
// literal stays what it is. In the end the remembered constants that are left are swapped for parameters of exactly their types.
//
// Invariants
//   1. A literal is lifted only if its value went nowhere but into constants that replace() swapped: `live` counts those that exist.
//   2. Literals where equal text means equal expression (GROUP BY, ORDER BY, DISTINCT and the select lists they are matched with, ON
//      CONFLICT's target) are never remembered.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/literal_scan.h"
#include "types/type.h"

struct Node;  // PostgreSQL's

namespace omendb::sql {

struct AnalyzedQuery;
struct TypedExpr;

struct LiteralSlot {
  size_t literal = 0;     // in ScannedText::literals
  bool negative = false;  // the grammar made the '-' before it its sign
  bool looked_at = false;
  int live = 0;  // constants that remember this slot
  /// The plan holds for numbers of just so many digits, `scale` of them behind the point; 0: it does not matter.
  int precision = 0, scale = 0;
};

/// A constant that is the value of a literal.
class LiftedConstant final : public duckdb::ConstantExpression {
 public:
  LiftedConstant(duckdb::Value value, std::shared_ptr<LiteralSlot> slot, Oid type, int32_t typmod,
                 types::PhysicalType physical);
  LiftedConstant(const LiftedConstant& other);
  ~LiftedConstant() override { --slot->live; }
  duckdb::unique_ptr<duckdb::ParsedExpression> Copy() const override;

  const std::shared_ptr<LiteralSlot> slot;
  const Oid type;
  const int32_t typmod;  // given to the type's input function; of a numeric in bytes: its display scale
  const types::PhysicalType physical;
};

/// The lifted constant that `e` is, seen through the marker of int8 and int2; nullptr: it is none.
const LiftedConstant* lifted_of(const TypedExpr& e);
/// `constant` (a constant expression) remembers `slot` from now on; a null slot: nothing.
TypedExpr remember(TypedExpr constant, std::shared_ptr<LiteralSlot> slot, int32_t typmod = -1);

/// One analysis of one statement.
class Lifting {
 public:
  /// `node`: the statement's raw tree; `scan`: of `text`, which it was parsed from.
  Lifting(Node* node, std::string_view text, const ScannedText& scan);

  /// For the analyser: the slot of an A_Const, nullptr when it is none of the candidates.
  std::shared_ptr<LiteralSlot> find(const void* constant) const;

  /// Where a parameter's value comes from.
  struct Source {
    size_t literal = 0;
    bool negative = false;
    Oid type;
    int32_t typmod = -1;
    types::PhysicalType physical;
    int precision = 0, scale = 0;  // as LiteralSlot
  };
  /// Swaps constants for parameters $1, $2, ... in `query`, and says where each comes from. False: not this statement; drop `query`.
  bool replace(AnalyzedQuery& query, std::vector<Source>* sources);

 private:
  std::unordered_map<const void*, std::shared_ptr<LiteralSlot>> slots_;
};

}  // namespace omendb::sql
