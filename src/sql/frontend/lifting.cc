#include "sql/frontend/lifting.h"

#include <cstdlib>

#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/parameter_expression.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/analyzer.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

LiftedConstant::LiftedConstant(duckdb::Value value, std::shared_ptr<LiteralSlot> slot_in, Oid type_in,
                               int32_t typmod_in, types::PhysicalType physical_in)
    : ConstantExpression(std::move(value)),
      slot(std::move(slot_in)),
      type(type_in),
      typmod(typmod_in),
      physical(physical_in) {
  ++slot->live;
}

LiftedConstant::LiftedConstant(const LiftedConstant& other)
    : LiftedConstant(other.value, other.slot, other.type, other.typmod, other.physical) {}

duckdb::unique_ptr<duckdb::ParsedExpression> LiftedConstant::Copy() const {
  auto copy = duckdb::make_uniq<LiftedConstant>(*this);
  copy->CopyProperties(*this);
  return copy;
}

namespace {

/// The place of the constant in a constant expression: itself, or what the marker of int8 and int2 is around.
const duckdb::ParsedExpression* constant_node(const duckdb::ParsedExpression* node) {
  if (node == nullptr) return nullptr;
  if (node->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
    const auto& function = node->Cast<duckdb::FunctionExpression>();
    if (!function.function_name.starts_with("omen_const_") || function.children.size() != 1) return nullptr;
    node = function.children[0].get();
  }
  return node->GetExpressionClass() == duckdb::ExpressionClass::CONSTANT ? node : nullptr;
}

}  // namespace

const LiftedConstant* lifted_of(const TypedExpr& e) {
  return e.kind == TypedExpr::Kind::kPlain ? dynamic_cast<const LiftedConstant*>(constant_node(e.duck.get())) : nullptr;
}

TypedExpr remember(TypedExpr constant, std::shared_ptr<LiteralSlot> slot, int32_t typmod) {
  if (slot == nullptr) return constant;
  const auto* node = constant_node(constant.duck.get());
  CHECK(node != nullptr);
  duckdb::unique_ptr<duckdb::ParsedExpression> lifted = duckdb::make_uniq<LiftedConstant>(
      node->Cast<duckdb::ConstantExpression>().value, std::move(slot), constant.type, typmod, constant.physical);
  if (node == constant.duck.get()) {
    constant.duck = std::move(lifted);
  } else {
    constant.duck->Cast<duckdb::FunctionExpression>().children[0] = std::move(lifted);
  }
  return constant;
}

// --- Finding candidates ---

namespace {

using Found = std::vector<const A_Const*>;

void find_in_select(const SelectStmt* select, bool with_targets, Found* found);
void find_in_statement(Node* node, Found* found);

bool find_in_node(Node* node, void* found_in) {
  auto* found = static_cast<Found*>(found_in);
  if (node == nullptr) return false;
  switch (nodeTag(node)) {
    case T_A_Const: found->push_back(reinterpret_cast<A_Const*>(node)); return false;
    case T_SelectStmt:
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt: find_in_statement(node, found); return false;
    case T_FuncCall: {
      // What is sorted and what is aggregated are matched as expressions.
      auto* call = reinterpret_cast<FuncCall*>(node);
      if (call->agg_order != nullptr || call->agg_distinct || call->over != nullptr) return false;
      break;
    }
    case T_SortBy:
    case T_WindowDef:
    case T_GroupingSet:
    case T_InferClause:
    case T_LockingClause:
    case T_RangeFunction:
    case T_RangeTableFunc:
    case T_RangeTableSample:
    case T_TypeName:
    case T_ColumnDef:
    case T_MergeStmt: return false;
    default: break;
  }
  return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(find_in_node), found);
}

void find_in_list(List* list, Found* found) { find_in_node(reinterpret_cast<Node*>(list), found); }

void find_in_select(const SelectStmt* select, bool with_targets, Found* found) {
  if (select == nullptr) return;
  find_in_node(reinterpret_cast<Node*>(select->withClause), found);
  if (select->op != SETOP_NONE) {
    find_in_select(select->larg, false, found);
    find_in_select(select->rarg, false, found);
    return;
  }
  find_in_list(select->valuesLists, found);
  find_in_list(select->fromClause, found);
  find_in_node(select->whereClause, found);
  const bool matched = select->distinctClause != nullptr || select->groupClause != nullptr ||
                       select->havingClause != nullptr || select->sortClause != nullptr ||
                       select->windowClause != nullptr;
  if (with_targets && !matched) find_in_list(select->targetList, found);
}

void find_in_statement(Node* node, Found* found) {
  switch (nodeTag(node)) {
    case T_SelectStmt: find_in_select(reinterpret_cast<SelectStmt*>(node), true, found); break;
    case T_InsertStmt: {
      auto* insert = reinterpret_cast<InsertStmt*>(node);
      find_in_node(reinterpret_cast<Node*>(insert->withClause), found);
      find_in_node(insert->selectStmt, found);
      if (insert->onConflictClause != nullptr) {
        find_in_list(insert->onConflictClause->targetList, found);
        find_in_node(insert->onConflictClause->whereClause, found);
      }
      find_in_list(insert->returningList, found);
      break;
    }
    case T_UpdateStmt: {
      auto* update = reinterpret_cast<UpdateStmt*>(node);
      find_in_node(reinterpret_cast<Node*>(update->withClause), found);
      find_in_list(update->targetList, found);
      find_in_list(update->fromClause, found);
      find_in_node(update->whereClause, found);
      find_in_list(update->returningList, found);
      break;
    }
    case T_DeleteStmt: {
      auto* erase = reinterpret_cast<DeleteStmt*>(node);
      find_in_node(reinterpret_cast<Node*>(erase->withClause), found);
      find_in_list(erase->usingClause, found);
      find_in_node(erase->whereClause, found);
      find_in_list(erase->returningList, found);
      break;
    }
    default: break;
  }
}

/// Does the tree's constant say what the text's literal says?
bool agrees(const A_Const& constant, const ScannedLiteral& literal, bool negative, std::string_view text) {
  const std::string_view written = text.substr(literal.begin, literal.end - literal.begin);
  if (constant.isnull) return false;
  switch (nodeTag(&constant.val.node)) {
    case T_Integer:
      return literal.kind == LiteralKind::kInt4 &&
             constant.val.ival.ival == (negative ? -literal.integer : literal.integer);
    case T_Float: {
      const std::string_view value = constant.val.fval.fval;
      if (literal.kind != LiteralKind::kInt8 && literal.kind != LiteralKind::kNumeric) return false;
      return negative ? value.starts_with('-') && value.substr(1) == written : value == written;
    }
    case T_String: return literal.kind == LiteralKind::kString && constant.val.sval.sval == string_value(written);
    default: return false;
  }
}

}  // namespace

Lifting::Lifting(Node* node, std::string_view text, const ScannedText& scan) {
  Found found;
  find_in_statement(node, &found);
  std::unordered_map<uint32_t, std::pair<size_t, bool>> literal_at;  // number, and whether it is with its sign
  for (size_t i = 0; i < scan.literals.size(); ++i) {
    literal_at[scan.literals[i].begin] = {i, false};
    if (scan.literals[i].minus != UINT32_MAX) literal_at[scan.literals[i].minus] = {i, true};
  }
  for (const A_Const* constant : found) {
    if (constant->location < 0) continue;
    auto at = literal_at.find(static_cast<uint32_t>(constant->location));
    if (at == literal_at.end()) continue;
    const auto [literal, negative] = at->second;
    if (!agrees(*constant, scan.literals[literal], negative, text)) continue;
    auto slot = std::make_shared<LiteralSlot>();
    slot->literal = literal;
    slot->negative = negative;
    slots_.emplace(constant, std::move(slot));
  }
}

std::shared_ptr<LiteralSlot> Lifting::find(const void* constant) const {
  auto it = slots_.find(constant);
  return it == slots_.end() ? nullptr : it->second;
}

// --- Swapping ---

namespace {

using Expr = duckdb::unique_ptr<duckdb::ParsedExpression>;

bool operator==(const Lifting::Source& a, const Lifting::Source& b) {
  return a.literal == b.literal && a.type == b.type && a.typmod == b.typmod && a.physical == b.physical;
}

void swap_constants(duckdb::QueryNode& node, std::vector<Lifting::Source>* sources) {
  visit_query(node, [&](Expr& e) {
    // DuckDB's binder gives a parameter under two casts the outer type. An integer may have it; the others need a wall between.
    const auto* cast =
        e->GetExpressionClass() == duckdb::ExpressionClass::CAST ? &e->Cast<duckdb::CastExpression>() : nullptr;
    const auto* constant =
        dynamic_cast<const LiftedConstant*>(constant_node(cast == nullptr ? e.get() : cast->child.get()));
    if (constant == nullptr) return true;
    const LiteralSlot& slot = *constant->slot;
    if (slot.looked_at) return false;
    Lifting::Source source{slot.literal,       slot.negative,  constant->type, constant->typmod,
                           constant->physical, slot.precision, slot.scale};
    // A comparison with an int8 column casts as well, unseen from here.
    bool wall = cast == nullptr && constant->type == types::oid::kInt4;
    if (cast != nullptr && constant->type == types::oid::kInt4) {
      const auto target = cast->cast_type.id();
      if (target == duckdb::LogicalTypeId::BIGINT) {
        source.type = types::oid::kInt8;
        source.physical = {types::Physical::kInt64};
      } else if (target == duckdb::LogicalTypeId::SMALLINT) {
        source.type = types::oid::kInt2;
        source.physical = {types::Physical::kInt16};
      } else {
        wall = true;
      }
    } else if (cast != nullptr) {
      return true;  // comes again as the cast's child
    }
    size_t i = 0;
    while (i < sources->size() && !((*sources)[i] == source)) ++i;
    if (i == sources->size()) sources->push_back(source);
    auto parameter = duckdb::make_uniq<duckdb::ParameterExpression>();
    parameter->identifier = std::to_string(i + 1);
    Expr swapped =
        duckdb::make_uniq<duckdb::CastExpression>(duck_type(source.type, source.physical), std::move(parameter));
    if (wall) {
      duckdb::vector<Expr> arguments;
      arguments.push_back(std::move(swapped));
      swapped = duckdb::make_uniq<duckdb::FunctionExpression>("omen_const_int4", std::move(arguments));
    }
    if (wall && cast != nullptr) {
      e->Cast<duckdb::CastExpression>().child = std::move(swapped);
      return false;
    }
    const std::string alias = e->GetAlias();
    e = std::move(swapped);
    e->SetAlias(alias);
    return false;
  });
}

}  // namespace

bool Lifting::replace(AnalyzedQuery& query, std::vector<Source>* sources) {
  if (!query.modifying_ctes.empty() || query.kind == QueryKind::kMerge) return false;
  swap_constants(*query.select->node, sources);
  if (query.conflict && query.conflict->update) swap_constants(*query.conflict->update->node, sources);
  for (const auto& [constant, slot] : slots_) {
    if (slot->live != 0 && !slot->looked_at) return false;
  }
  return true;
}

}  // namespace omendb::sql
