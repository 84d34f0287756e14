// UNION, INTERSECT, EXCEPT: trees of selects whose columns are brought to common types.
#include "duckdb/parser/expression/window_expression.hpp"
#include "duckdb/parser/query_node/set_operation_node.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/query.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

const char* set_name(SetOperation op) {
  switch (op) {
    case SETOP_INTERSECT: return "INTERSECT";
    case SETOP_EXCEPT: return "EXCEPT";
    default: return "UNION";
  }
}

DuckNode set_node(duckdb::SetOperationType type, bool all, DuckNode left, DuckNode right) {
  // Chains of UNION ALL are one node with many children: no depth, no binder recursion.
  if (type == duckdb::SetOperationType::UNION && all && left->type == duckdb::QueryNodeType::SET_OPERATION_NODE &&
      left->modifiers.empty() && left->cte_map.map.empty()) {
    auto& chain = left->Cast<duckdb::SetOperationNode>();
    if (chain.setop_type == type && chain.setop_all) {
      chain.children.push_back(std::move(right));
      return left;
    }
  }
  auto node = duckdb::make_uniq<duckdb::SetOperationNode>();
  node->setop_type = type;
  node->setop_all = all;
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return node;
}

Tree call1(const char* name, Tree a) {
  std::vector<Tree> arguments;
  arguments.push_back(std::move(a));
  return emit::call(name, std::move(arguments));
}

Tree call2(const char* name, Tree a, Tree b) {
  std::vector<Tree> arguments;
  arguments.push_back(std::move(a));
  arguments.push_back(std::move(b));
  return emit::call(name, std::move(arguments));
}

// What tells rows of these columns apart.
duckdb::vector<Tree> keys_of(StatementContext& statement, const std::vector<Target>& targets,
                             const std::string& alias) {
  duckdb::vector<Tree> keys;
  for (size_t i = 0; i < targets.size(); ++i) {
    const TypedExpr& e = targets[i].expr;
    keys.push_back(key_tree(base_type_of(statement, e.type), e.physical, emit::column(alias, output_name(i))));
  }
  return keys;
}

// Rows of one side with a mark of the side, and with ALL their number among the equal ones.
DuckNode marked(StatementContext& statement, DuckNode side, const std::vector<Target>& targets, int64_t mark,
                bool all) {
  std::string alias = statement.new_alias("q");
  auto node = emit::select();
  node->from_table = emit::subquery(std::move(side), alias);
  for (size_t i = 0; i < targets.size(); ++i) {
    node->select_list.push_back(emit::column(alias, output_name(i)));
    node->select_list.back()->SetAlias(output_name(i));
  }
  node->select_list.push_back(emit::integer(mark));
  node->select_list.back()->SetAlias("side");
  if (all) {
    auto nth =
        duckdb::make_uniq<duckdb::WindowExpression>(duckdb::ExpressionType::WINDOW_ROW_NUMBER, "", "", "row_number");
    nth->partitions = keys_of(statement, targets, alias);
    nth->SetAlias("nth");
    node->select_list.push_back(std::move(nth));
  }
  return node;
}

// A set operation over columns that are equal by a key, not by their bytes: group both sides by the keys. With ALL, the first of equal
// rows on one side goes with the first on the other, the second with the second.
DuckNode keyed(StatementContext& statement, const Level& level, SetOperation op, bool all, DuckNode left,
               DuckNode right) {
  size_t columns = level.targets.size();
  DuckNode both =
      set_node(duckdb::SetOperationType::UNION, true, marked(statement, std::move(left), level.targets, 0, all),
               marked(statement, std::move(right), level.targets, 1, all));
  std::string alias = statement.new_alias("q");
  auto node = emit::select();
  node->from_table = emit::subquery(std::move(both), alias);
  duckdb::GroupingSet set;
  for (size_t i = 0; i < columns; ++i) {
    node->select_list.push_back(call2("arg_min", emit::column(alias, output_name(i)), emit::column(alias, "side")));
    node->select_list.back()->SetAlias(output_name(i));
  }
  node->groups.group_expressions = keys_of(statement, level.targets, alias);
  if (all) node->groups.group_expressions.push_back(emit::column(alias, "nth"));
  for (size_t i = 0; i < node->groups.group_expressions.size(); ++i) set.insert(i);
  node->groups.grouping_sets.push_back(std::move(set));
  using duckdb::ExpressionType;
  auto side_is = [&](const char* aggregate, int64_t value) {
    return emit::compare(ExpressionType::COMPARE_EQUAL, call1(aggregate, emit::column(alias, "side")),
                         emit::integer(value));
  };
  if (op == SETOP_INTERSECT) node->having = emit::conjunction(side_is("min", 0), side_is("max", 1));
  if (op == SETOP_EXCEPT) node->having = side_is("max", 0);
  return node;
}

Level analyze_branch(Scope& scope, SelectStmt* select);

Level combine(Scope& scope, SelectStmt* select, Level left, Level right) {
  StatementContext& statement = *scope.statement;
  const char* name = set_name(select->op);
  if (left.targets.size() != right.targets.size()) {
    int location = -1;
    SelectStmt* first = select->rarg;
    while (first->op != SETOP_NONE && first->larg != nullptr) first = first->larg;
    if (first->targetList != nullptr) location = exprLocation(static_cast<Node*>(linitial(first->targetList)));
    throw SqlError(SqlState::kSyntaxError, std::string("each ") + name + " query must have the same number of columns",
                   location);
  }
  Level result;
  result.scope = std::make_unique<Scope>();
  result.scope->statement = &statement;
  result.scope->parent = &scope;
  bool keys = false;
  for (size_t i = 0; i < left.targets.size(); ++i) {
    TypedExpr& l = left.targets[i].expr;
    TypedExpr& r = right.targets[i].expr;
    Oid type = select_common_type(scope, {&l, &r}, name);
    int32_t typmod = l.kind == TypedExpr::Kind::kPlain && r.kind == TypedExpr::Kind::kPlain && l.type == type &&
                             r.type == type && l.typmod == r.typmod
                         ? l.typmod
                         : -1;
    left.coerce_target(i, type, typmod, CoercionContext::kImplicit);
    right.coerce_target(i, type, typmod, CoercionContext::kImplicit);
    // Values of one type may lie in different physical forms (numeric).
    if (!(left.targets[i].expr.physical == right.targets[i].expr.physical)) {
      left.open(statement);
      right.open(statement);
      common_physical(scope, type, {&left.targets[i].expr, &right.targets[i].expr});
    }
    types::PhysicalType physical = left.targets[i].expr.physical;
    if (!(select->op == SETOP_UNION && select->all)) check_groupable(statement, type, -1);
    Target target;
    target.name = left.targets[i].name;
    target.expr.type = type;
    target.expr.typmod = typmod;
    target.expr.physical = physical;
    keys |= needs_sort_key(base_type_of(statement, type), physical);
    result.targets.push_back(std::move(target));
  }
  DuckNode l = left.seal(statement), r = right.seal(statement);
  if (keys && !(select->op == SETOP_UNION && select->all)) {
    result.complete = keyed(statement, result, select->op, select->all, std::move(l), std::move(r));
  } else {
    auto type = select->op == SETOP_INTERSECT ? duckdb::SetOperationType::INTERSECT
                : select->op == SETOP_EXCEPT  ? duckdb::SetOperationType::EXCEPT
                                              : duckdb::SetOperationType::UNION;
    result.complete = set_node(type, select->all, std::move(l), std::move(r));
  }
  result.order_matters = true;
  return result;
}

Level analyze_side(Scope& scope, SelectStmt* select) {
  bool leaf = select->op == SETOP_NONE || select->sortClause != nullptr || select->limitOffset != nullptr ||
              select->limitCount != nullptr || select->lockingClause != nullptr || select->withClause != nullptr;
  if (select->intoClause != nullptr) {
    throw SqlError(SqlState::kSyntaxError, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT",
                   exprLocation(reinterpret_cast<Node*>(select->intoClause)));
  }
  if (!leaf) return analyze_branch(scope, select);
  SelectOptions options;
  options.keep_unknown = true;
  return analyze_level(*scope.statement, &scope, select, options);
}

Level analyze_branch(Scope& scope, SelectStmt* select) {
  DepthGuard guard(*scope.statement);
  Level left = analyze_side(scope, select->larg);
  Level right = analyze_side(scope, select->rarg);
  return combine(scope, select, std::move(left), std::move(right));
}

}  // namespace

void analyze_set_operation(Level& level, SelectStmt* select) {
  if (select->lockingClause != nullptr) {
    auto* clause = linitial_node(LockingClause, select->lockingClause);
    const char* lock = clause->strength == LCS_FORKEYSHARE      ? "FOR KEY SHARE"
                       : clause->strength == LCS_FORSHARE       ? "FOR SHARE"
                       : clause->strength == LCS_FORNOKEYUPDATE ? "FOR NO KEY UPDATE"
                                                                : "FOR UPDATE";
    throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " is not allowed with UNION/INTERSECT/EXCEPT");
  }
  // A chain of unions leans to the left and may be long: walk it instead of recursing.
  std::vector<SelectStmt*> chain;
  SelectStmt* at = select;
  do {
    chain.push_back(at);
    at = at->larg;
  } while (at->op != SETOP_NONE && at->sortClause == nullptr && at->limitOffset == nullptr &&
           at->limitCount == nullptr && at->lockingClause == nullptr && at->withClause == nullptr &&
           at->intoClause == nullptr);
  IntoClause* into = at->intoClause;  // SELECT ... INTO of the leftmost member is the statement's
  at->intoClause = nullptr;
  Level result = analyze_side(*level.scope, at);
  at->intoClause = into;
  while (!chain.empty()) {
    Level right = analyze_side(*level.scope, chain.back()->rarg);
    result = combine(*level.scope, chain.back(), std::move(result), std::move(right));
    chain.pop_back();
  }
  level.complete = std::move(result.complete);
  level.targets = std::move(result.targets);
  level.order_matters = true;

  std::vector<SortItem> sort = analyze_sort(*level.scope, select->sortClause, level.targets, true);
  Tree offset = analyze_limit(*level.scope, select->limitOffset, ExprKind::kOffset);
  Tree limit = analyze_limit(*level.scope, select->limitCount, ExprKind::kLimit);
  if (sort.empty() && limit == nullptr && offset == nullptr) return;
  level.open(*level.scope->statement);
  apply_order_and_limit(level, select, sort, std::move(limit), std::move(offset));
}

}  // namespace omendb::sql
