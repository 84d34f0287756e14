// A level of a query while its outputs may still change.
#include "sql/frontend/query.h"

#include "sql/frontend/coerce.h"

namespace omendb::sql {
namespace {

bool same_type(const TypedExpr& expr, Oid type, int32_t typmod) {
  return expr.kind == TypedExpr::Kind::kPlain && expr.type == type && (typmod == -1 || expr.typmod == typmod);
}

}  // namespace

std::string output_name(size_t i) { return "o" + std::to_string(i + 1); }

void Level::push_down(const std::string& alias) {
  duckdb::CommonTableExpressionMap outermost = std::move(ctes);
  ctes = duckdb::CommonTableExpressionMap();
  DuckNode inner = seal(*scope->statement);
  ctes = std::move(outermost);
  hidden.clear();
  node = emit::select();
  node->from_table = emit::subquery(std::move(inner), alias);
  for (size_t i = 0; i < targets.size(); ++i) {
    TypedExpr& e = targets[i].expr;
    e.duck = emit::column(alias, output_name(i));
    e.has_aggregate = e.has_window = e.returns_set = e.is_volatile = false;
  }
  scope->duck_aliases.insert(alias);
}

void Level::open(StatementContext& statement) {
  if (complete == nullptr && !order_matters) return;
  push_down(statement.new_alias("q"));
  order_matters = false;
}

void Level::coerce_target(size_t i, Oid type, int32_t typmod, CoercionContext context) {
  if (same_type(targets[i].expr, type, typmod)) return;
  bool in_place = node != nullptr && (targets[i].expr.kind != TypedExpr::Kind::kPlain || !order_matters);
  if (!in_place) open(*scope->statement);
  targets[i].expr = coerce(*scope, std::move(targets[i].expr), type, typmod, context);
}

DuckNode Level::seal(StatementContext&) {
  DuckNode result;
  if (complete != nullptr) {
    result = std::move(complete);
  } else {
    for (size_t i = 0; i < targets.size(); ++i) {
      targets[i].expr = resolve_unknown(*scope, std::move(targets[i].expr));
      targets[i].expr.duck->SetAlias(output_name(i));
      node->select_list.push_back(owned(std::move(targets[i].expr.duck)));
    }
    for (size_t i = 0; i < hidden.size(); ++i) {
      hidden[i]->SetAlias("h" + std::to_string(i + 1));
      node->select_list.push_back(std::move(hidden[i]));
    }
    if (node->select_list.empty()) {
      // SELECT without columns: DuckDB wants one; nobody reads it.
      node->select_list.push_back(emit::boolean(true));
      node->select_list.back()->SetAlias("o0");
    }
    result = std::move(node);
  }
  for (auto& [name, info] : ctes.map) result->cte_map.map.insert(name, std::move(info));
  ctes.map.clear();
  return result;
}

std::vector<ScopeColumn> Level::columns(StatementContext&, const std::string& duck_alias) const {
  std::vector<ScopeColumn> result;
  for (size_t i = 0; i < targets.size(); ++i) {
    const TypedExpr& e = targets[i].expr;
    ScopeColumn column;
    column.name = targets[i].name;
    column.duck_alias = duck_alias;
    column.duck_name = output_name(i);
    column.type = e.type;
    column.typmod = e.typmod;
    column.physical = e.physical;
    column.table = e.table;
    column.attnum = e.attnum;
    result.push_back(std::move(column));
  }
  return result;
}

}  // namespace omendb::sql
