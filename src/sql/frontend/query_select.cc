// One SELECT: its clauses put together in PostgreSQL's order, and the doors of the query side.
#include <algorithm>

#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/window_expression.hpp"
#include "duckdb/parser/tableref/expressionlistref.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

// LimitOption as the grammar that we link numbers it; the header's numbers are those of another minor release.
constexpr int kLimitWithTies = 2;

std::string output_name(size_t i) { return "o" + std::to_string(i + 1); }

bool same_type(const TypedExpr& expr, Oid type, int32_t typmod) {
  return expr.kind == TypedExpr::Kind::kPlain && expr.type == type && (typmod == -1 || expr.typmod == typmod);
}

// ORDER BY ... FETCH FIRST n ROWS WITH TIES over the rows of `inner` (already sealed, its sort keys in hidden outputs).
struct Ties {
  Tree limit, offset;
};

duckdb::OrderByNode order_node(const SortItem& item, Tree expr) {
  return duckdb::OrderByNode(item.descending ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING,
                             item.nulls_first ? duckdb::OrderByNullType::NULLS_FIRST : duckdb::OrderByNullType::NULLS_LAST,
                             std::move(expr));
}

}  // namespace

void Level::open(StatementContext& statement) {
  if (complete == nullptr && !order_matters) return;
  std::string alias = statement.new_alias("q");
  duckdb::CommonTableExpressionMap outermost = std::move(ctes);
  ctes = duckdb::CommonTableExpressionMap();
  DuckNode inner = seal(statement);
  ctes = std::move(outermost);
  node = emit::select();
  node->from_table = emit::subquery(std::move(inner), alias);
  for (size_t i = 0; i < targets.size(); ++i) {
    TypedExpr& e = targets[i].expr;
    e.duck = emit::column(alias, output_name(i));
    e.has_aggregate = e.has_window = e.returns_set = e.is_volatile = false;
  }
  hidden.clear();
  order_matters = false;
  scope->duck_aliases.insert(alias);
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

void analyze_values(Level& level, SelectStmt* select) {
  Scope& scope = *level.scope;
  StatementContext& statement = *scope.statement;
  std::vector<std::vector<TypedExpr>> rows;
  ListCell* cell = nullptr;
  foreach (cell, select->valuesLists) {
    auto* list = static_cast<List*>(lfirst(cell));
    if (!rows.empty() && rows[0].size() != static_cast<size_t>(list_length(list))) {
      throw SqlError(SqlState::kSyntaxError, "VALUES lists must all be the same length",
                     exprLocation(reinterpret_cast<Node*>(list)));
    }
    std::vector<TypedExpr> row;
    ListCell* value = nullptr;
    foreach (value, list) {
      auto* node = static_cast<Node*>(lfirst(value));
      if (IsA(node, SetToDefault)) {
        throw SqlError(SqlState::kSyntaxError, "DEFAULT is not allowed in this context", exprLocation(node));
      }
      if (IsA(node, ColumnRef) && IsA(llast(reinterpret_cast<ColumnRef*>(node)->fields), A_Star)) {
        for (Target& t : expand_star(scope, reinterpret_cast<ColumnRef*>(node))) row.push_back(std::move(t.expr));
        continue;
      }
      row.push_back(analyze_expr(scope, node, ExprKind::kValues));
    }
    rows.push_back(std::move(row));
  }
  std::string alias = statement.new_alias("v");
  auto list_ref = duckdb::make_uniq<duckdb::ExpressionListRef>();
  list_ref->alias = alias;
  list_ref->values.resize(rows.size());
  ScopeItem item;
  item.alias = "*VALUES*";
  item.kind = 'v';
  for (size_t c = 0; c < rows[0].size(); ++c) {
    std::vector<TypedExpr*> column;
    for (auto& row : rows) column.push_back(&row[c]);
    Oid type = select_common_type(scope, column, "VALUES");
    int32_t typmod = column[0]->type == type ? column[0]->typmod : -1;
    for (TypedExpr* e : column) {
      if (e->kind != TypedExpr::Kind::kPlain || e->type != type || e->typmod != typmod) typmod = -1;
    }
    for (TypedExpr* e : column) *e = coerce(scope, std::move(*e), type, typmod, CoercionContext::kImplicit);
    types::PhysicalType physical = common_physical(scope, type, column);
    for (size_t r = 0; r < rows.size(); ++r) list_ref->values[r].push_back(owned(std::move(rows[r][c].duck)));
    ScopeColumn out;
    out.name = "column" + std::to_string(c + 1);
    out.duck_alias = alias;
    out.duck_name = "c" + std::to_string(c + 1);
    out.type = type;
    out.typmod = typmod;
    out.physical = physical;
    list_ref->expected_names.push_back(out.duck_name);
    list_ref->expected_types.push_back(duck_type(base_type_of(statement, type), out.physical));
    item.columns.push_back(std::move(out));
  }
  level.node = emit::select();
  level.node->from_table = std::move(list_ref);
  scope.duck_aliases.insert(alias);
  for (const ScopeColumn& column : item.columns) {
    Target target;
    target.name = column.name;
    target.expr = column_expr(column, -1);
    level.targets.push_back(std::move(target));
  }
  scope.items.push_back(std::move(item));
}

namespace {

const char* lock_name(LockClauseStrength strength) {
  switch (strength) {
    case LCS_FORKEYSHARE: return "FOR KEY SHARE";
    case LCS_FORSHARE: return "FOR SHARE";
    case LCS_FORNOKEYUPDATE: return "FOR NO KEY UPDATE";
    default: return "FOR UPDATE";
  }
}

table::RowLockMode lock_mode(LockClauseStrength strength) {
  switch (strength) {
    case LCS_FORKEYSHARE: return table::RowLockMode::kKeyShare;
    case LCS_FORSHARE: return table::RowLockMode::kShare;
    case LCS_FORNOKEYUPDATE: return table::RowLockMode::kNoKeyUpdate;
    default: return table::RowLockMode::kUpdate;
  }
}

void refuse_locking(const char* lock, const char* what) {
  throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " is not allowed with " + what);
}

void analyze_locking(Level& level, SelectStmt* select, bool grouped) {
  Scope& scope = *level.scope;
  ListCell* cell = nullptr;
  std::vector<std::string> aliases;
  foreach (cell, select->lockingClause) {
    auto* clause = lfirst_node(LockingClause, cell);
    const char* lock = lock_name(clause->strength);
    if (select->distinctClause != nullptr) refuse_locking(lock, "DISTINCT clause");
    if (select->groupClause != nullptr) refuse_locking(lock, "GROUP BY clause");
    if (select->havingClause != nullptr) refuse_locking(lock, "HAVING clause");
    if (grouped) refuse_locking(lock, "aggregate functions");
    for (const Target& target : level.targets) {
      if (target.expr.has_window) refuse_locking(lock, "window functions");
      if (target.expr.returns_set) refuse_locking(lock, "set-returning functions in the target list");
    }
    auto wait = clause->waitPolicy == LockWaitError  ? table::LockWait::kNoWait
                : clause->waitPolicy == LockWaitSkip ? table::LockWait::kSkip
                                                     : table::LockWait::kWait;
    auto add = [&](const ScopeItem& item) {
      const std::string& alias = item.columns[0].duck_alias;
      for (size_t i = 0; i < aliases.size(); ++i) {
        if (aliases[i] != alias) continue;
        RowMark& mark = level.row_marks[i];
        mark.mode = std::max(mark.mode, lock_mode(clause->strength));
        mark.wait = std::max(mark.wait, wait);
        return;
      }
      aliases.push_back(alias);
      level.row_marks.push_back(RowMark{item.relation, 0, lock_mode(clause->strength), wait});
      level.hidden.push_back(emit::column(alias, "_key"));
    };
    if (clause->lockedRels == nullptr) {
      for (const ScopeItem& item : scope.items) {
        if (is_table(item)) add(item);
        if (item.kind == 's') not_supported(std::string(lock) + " of a subquery or view");
      }
      continue;
    }
    ListCell* rel = nullptr;
    foreach (rel, clause->lockedRels) {
      auto* var = lfirst_node(RangeVar, rel);
      if (var->schemaname != nullptr) {
        throw SqlError(SqlState::kSyntaxError, std::string(lock) + " must specify unqualified relation names", var->location);
      }
      bool found = false;
      for (const ScopeItem& item : scope.items) {
        if (item.alias != var->relname || !item.relation_visible) continue;
        found = true;
        switch (item.kind) {
          case 't': add(item); break;
          case 'j': throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a join", var->location);
          case 'f':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a function", var->location);
          case 'v': throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to VALUES", var->location);
          case 'c':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a WITH query", var->location);
          default: not_supported(std::string(lock) + " of a subquery or view", var->location);
        }
        break;
      }
      if (!found) {
        throw SqlError(SqlState::kUndefinedTable,
                       std::string("relation \"") + var->relname + "\" in " + lock + " clause not found in FROM clause",
                       var->location);
      }
    }
  }
  for (size_t i = 0; i < level.row_marks.size(); ++i) level.row_marks[i].key_column = level.targets.size() + i;
}

bool is_plain_distinct(List* clause) { return clause != nullptr && linitial(clause) == nullptr; }

// SELECT DISTINCT ON: the items lead ORDER BY. Errors: 42P10.
void check_distinct_on(const std::vector<ClauseItem>& items, const std::vector<SortItem>& sort) {
  auto matches = [](const ClauseItem& a, const SortItem& b) {
    if (a.target != SIZE_MAX || b.target != SIZE_MAX) return a.target == b.target;
    return a.expr.duck && b.expr.duck && a.expr.duck->Equals(*b.expr.duck);
  };
  auto refuse = [](const ClauseItem& item) {
    throw SqlError(SqlState::kInvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                   item.expr.location);
  };
  bool skipped = false;
  for (const SortItem& s : sort) {
    auto found = std::find_if(items.begin(), items.end(), [&](const ClauseItem& i) { return matches(i, s); });
    if (found == items.end()) {
      skipped = true;
    } else if (skipped) {
      refuse(*found);
    }
  }
  for (const ClauseItem& i : items) {
    bool matched = std::any_of(sort.begin(), sort.end(), [&](const SortItem& s) { return matches(i, s); });
    if (skipped && !matched) refuse(i);
  }
}

// Puts the rows of `level` so far into a subquery, whose outputs (and hidden sort keys) the clauses that follow work on.
void wrap(Level& level, std::vector<SortItem>& sort, std::vector<ClauseItem>& distinct_on) {
  StatementContext& statement = *level.scope->statement;
  std::string alias = statement.new_alias("q");
  for (Target& target : level.targets) target.expr = resolve_unknown(*level.scope, std::move(target.expr));
  std::vector<Target> outer;
  for (size_t i = 0; i < level.targets.size(); ++i) {
    Target target;
    target.name = level.targets[i].name;
    target.expr = level.targets[i].expr.clone();
    target.expr.duck = emit::column(alias, output_name(i));
    target.expr.has_aggregate = target.expr.has_window = target.expr.returns_set = target.expr.is_volatile = false;
    outer.push_back(std::move(target));
  }
  auto carry = [&](TypedExpr& expr) {
    level.hidden.push_back(owned(std::move(expr.duck)));
    expr.duck = emit::column(alias, "h" + std::to_string(level.hidden.size()));
  };
  for (SortItem& s : sort) {
    if (s.target == SIZE_MAX) carry(s.expr);
  }
  for (ClauseItem& d : distinct_on) {
    if (d.target == SIZE_MAX) carry(d.expr);
  }
  duckdb::CommonTableExpressionMap ctes = std::move(level.ctes);
  level.ctes = duckdb::CommonTableExpressionMap();
  DuckNode inner = level.seal(statement);
  level.ctes = std::move(ctes);
  level.hidden.clear();
  level.node = emit::select();
  level.node->from_table = emit::subquery(std::move(inner), alias);
  level.targets = std::move(outer);
  level.scope->duck_aliases.insert(alias);
}

// A domain compares as its base type.
bool needs_key(const Level& level, const TypedExpr& e) { return needs_sort_key(base_type_of(*level.scope->statement, e.type), e.physical); }

Tree key_of(const Level& level, const TypedExpr& e) {
  return key_tree(base_type_of(*level.scope->statement, e.type), e.physical, e.duck->Copy());
}

// The value to sort, group or compare by; a number when it is simply an output column.
Tree sort_value(const Level& level, const SortItem& item) {
  if (item.target == SIZE_MAX) return key_of(level, item.expr);
  const TypedExpr& e = level.targets[item.target].expr;
  if (e.kind == TypedExpr::Kind::kPlain && needs_key(level, e)) return key_of(level, e);
  return emit::position(item.target + 1);
}

// FETCH FIRST n WITH TIES: a row passes when it stands after the offset and ranks within offset + n.
void with_ties(Level& level, std::vector<SortItem>& sort, Tree limit, Tree offset) {
  std::vector<ClauseItem> none;
  wrap(level, sort, none);
  auto window = [&](duckdb::ExpressionType type, const char* function) {
    auto w = duckdb::make_uniq<duckdb::WindowExpression>(type, "", "", function);
    w->start = duckdb::WindowBoundary::UNBOUNDED_PRECEDING;
    w->end = duckdb::WindowBoundary::CURRENT_ROW_RANGE;
    for (const SortItem& s : sort) {
      Tree by = key_of(level, s.target == SIZE_MAX ? s.expr : level.targets[s.target].expr);
      w->orders.push_back(order_node(s, std::move(by)));
    }
    return w;
  };
  level.hidden.push_back(window(duckdb::ExpressionType::WINDOW_ROW_NUMBER, "row_number"));
  level.hidden.push_back(window(duckdb::ExpressionType::WINDOW_RANK, "rank"));
  StatementContext& statement = *level.scope->statement;
  std::string alias = statement.new_alias("q");
  std::vector<Target> outer;
  for (size_t i = 0; i < level.targets.size(); ++i) {
    Target target;
    target.name = level.targets[i].name;
    target.expr = level.targets[i].expr.clone();
    target.expr.duck = emit::column(alias, output_name(i));
    outer.push_back(std::move(target));
  }
  duckdb::CommonTableExpressionMap ctes = std::move(level.ctes);
  level.ctes = duckdb::CommonTableExpressionMap();
  DuckNode inner = level.seal(statement);
  level.ctes = std::move(ctes);
  level.hidden.clear();
  level.node = emit::select();
  level.node->from_table = emit::subquery(std::move(inner), alias);
  level.targets = std::move(outer);
  if (offset == nullptr) offset = emit::integer(0);
  offset = emit::coalesce(std::move(offset), emit::integer(0));
  using duckdb::ExpressionType;
  std::vector<Tree> sum;
  sum.push_back(offset->Copy());
  sum.push_back(limit->Copy());
  Tree last = emit::call("+", std::move(sum));
  Tree where = emit::compare(ExpressionType::COMPARE_GREATERTHAN, emit::column(alias, "h1"), std::move(offset));
  where = emit::conjunction(std::move(where), emit::compare(ExpressionType::COMPARE_LESSTHANOREQUALTO, emit::column(alias, "h2"),
                                                            std::move(last)));
  where = emit::conjunction(std::move(where), emit::compare(ExpressionType::COMPARE_GREATERTHAN, std::move(limit), emit::integer(0)));
  level.node->where_clause = std::move(where);
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  order->orders.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST, emit::column(alias, "h1"));
  level.node->modifiers.push_back(std::move(order));
  level.scope->duck_aliases.insert(alias);
}

// As PostgreSQL, computes volatile functions and set-returning ones after the sort, unless the sort needs them: nextval() counts in the
// order of the rows, and no further than LIMIT, and the rows of a set stand together. The sort becomes a subquery; what it has to
// carry for the late outputs are columns. True: done, the order and (but for sets) the limit too.
bool sort_before_late_outputs(Level& level, std::vector<SortItem>& sort, Tree& limit, Tree& offset) {
  bool sets = false, any = false;
  auto late = [&](size_t i) {
    const TypedExpr& e = level.targets[i].expr;
    if (e.kind != TypedExpr::Kind::kPlain || !(e.returns_set || e.is_volatile)) return false;
    return std::none_of(sort.begin(), sort.end(), [&](const SortItem& s) { return s.target == i; });
  };
  for (size_t i = 0; i < level.targets.size(); ++i) {
    const TypedExpr& e = level.targets[i].expr;
    if (!late(i)) {
      if (e.returns_set) return false;
      continue;
    }
    if (e.has_aggregate || e.has_window) return false;
    any = true;
    sets |= e.returns_set;
    bool plain = true;
    Tree copy(e.duck->Copy());
    visit_expressions(copy, [&](Tree& part) {
      plain &= part->GetExpressionClass() != duckdb::ExpressionClass::SUBQUERY;
      return plain;
    });
    if (!plain) return false;
  }
  for (const SortItem& s : sort) {
    if (s.target == SIZE_MAX && s.expr.returns_set) return false;
  }
  if (!any) return false;
  StatementContext& statement = *level.scope->statement;
  const std::string alias = statement.new_alias("q");
  std::vector<Target> outer;
  for (size_t i = 0; i < level.targets.size(); ++i) {
    Target target;
    target.name = level.targets[i].name;
    level.targets[i].expr = resolve_unknown(*level.scope, std::move(level.targets[i].expr));
    target.expr = level.targets[i].expr.clone();
    if (!late(i)) {
      target.expr.duck = emit::column(alias, output_name(i));
      target.expr.is_volatile = target.expr.has_aggregate = target.expr.has_window = false;
      target.expr.as_decimal.reset();
      target.expr.display_scale.reset();
      target.expr.fields.clear();
      target.expr.field_names.clear();
      outer.push_back(std::move(target));
      continue;
    }
    Tree tree = owned(std::move(target.expr.duck));
    visit_expressions(tree, [&](Tree& part) {
      if (part->GetExpressionClass() != duckdb::ExpressionClass::COLUMN_REF) return true;
      std::set<std::string> aliases;
      collect_aliases(*part, &aliases);
      if (aliases.size() != 1 || level.scope->duck_aliases.count(*aliases.begin()) == 0) return false;
      level.hidden.push_back(std::move(part));
      part = emit::column(alias, "h" + std::to_string(level.hidden.size()));
      return false;
    });
    target.expr.duck = std::move(tree);
    outer.push_back(std::move(target));
    level.targets[i].expr.duck = emit::boolean(true);
    level.targets[i].expr.type = types::oid::kBool;
    level.targets[i].expr.physical = {types::Physical::kBool};
    level.targets[i].expr.returns_set = level.targets[i].expr.is_volatile = false;
    level.targets[i].expr.as_decimal.reset();
    level.targets[i].expr.display_scale.reset();
    level.targets[i].expr.fields.clear();
  }
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  for (const SortItem& s : sort) order->orders.push_back(order_node(s, sort_value(level, s)));
  level.node->modifiers.push_back(std::move(order));
  if (!sets && limit != nullptr) {
    // Rows that OFFSET skips are computed too.
    auto modifier = duckdb::make_uniq<duckdb::LimitModifier>();
    modifier->limit = limit->Copy();
    if (offset != nullptr) {
      std::vector<Tree> sum;
      sum.push_back(emit::coalesce(offset->Copy(), emit::integer(0)));
      sum.push_back(std::move(modifier->limit));
      modifier->limit = emit::call("+", std::move(sum));
    }
    level.node->modifiers.push_back(std::move(modifier));
  }
  duckdb::CommonTableExpressionMap ctes = std::move(level.ctes);
  level.ctes = duckdb::CommonTableExpressionMap();
  DuckNode inner = level.seal(statement);
  level.ctes = std::move(ctes);
  level.hidden.clear();
  level.node = emit::select();
  level.node->from_table = emit::subquery(std::move(inner), alias);
  level.targets = std::move(outer);
  level.scope->duck_aliases.insert(alias);
  level.order_matters = true;
  return true;
}

}  // namespace

void apply_order_and_limit(Level& level, SelectStmt* select, std::vector<SortItem>& sort, Tree limit, Tree offset) {
  if (static_cast<int>(select->limitOption) == kLimitWithTies) {
    if (sort.empty()) throw SqlError(SqlState::kSyntaxError, "WITH TIES cannot be specified without ORDER BY clause");
    if (!level.row_marks.empty()) not_supported("a locking clause with WITH TIES");
    if (limit != nullptr) {
      with_ties(level, sort, std::move(limit), std::move(offset));
      level.order_matters = true;
      return;
    }
  }
  if (static_cast<int>(select->limitOption) == kLimitWithTies && select->limitCount != nullptr && IsA(select->limitCount, A_Const) &&
      reinterpret_cast<A_Const*>(select->limitCount)->isnull) {
    throw SqlError(SqlState::kInvalidRowCountInLimitClause, "row count cannot be null in FETCH FIRST ... WITH TIES clause");
  }
  const bool simple = select->distinctClause == nullptr && select->groupClause == nullptr && select->havingClause == nullptr &&
                      select->op == SETOP_NONE && level.node != nullptr && !level.scope->has_aggregates && level.row_marks.empty();
  if (!sort.empty() && !(simple && sort_before_late_outputs(level, sort, limit, offset))) {
    auto order = duckdb::make_uniq<duckdb::OrderModifier>();
    for (const SortItem& s : sort) order->orders.push_back(order_node(s, sort_value(level, s)));
    level.node->modifiers.push_back(std::move(order));
    level.order_matters = true;
  }
  if (limit == nullptr && offset == nullptr) return;
  if (!level.row_marks.empty()) {
    // Counted by the executor, over rows that it could lock.
    if (limit != nullptr) {
      // Of one table, where a row's key tells it from the others if they are asked for again.
      if (level.scope->items.size() == 1) level.node->modifiers.push_back(first_candidates(level, *limit, offset.get()));
      level.limit_column = level.targets.size() + level.hidden.size();
      level.hidden.push_back(std::move(limit));
    }
    if (offset != nullptr) {
      level.offset_column = level.targets.size() + level.hidden.size();
      level.hidden.push_back(std::move(offset));
    }
    return;
  }
  auto modifier = duckdb::make_uniq<duckdb::LimitModifier>();
  modifier->limit = std::move(limit);
  modifier->offset = std::move(offset);
  level.node->modifiers.push_back(std::move(modifier));
  level.order_matters = true;
}

namespace {

/// PostgreSQL computes windows over sorted rows and sends them as they lie, and people read results in that order: without an ORDER BY
/// of its own, the statement is ordered as its windows are, if one of their orderings begins with all the others.
void order_like_windows(Level& level) {
  std::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> windows;
  for (const Target& target : level.targets) {
    if (target.expr.returns_set) return;
    if (!target.expr.has_window) continue;
    duckdb::unique_ptr<duckdb::ParsedExpression> tree(target.expr.duck->Copy().release());
    visit_expressions(tree, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& e) {
      if (e->GetExpressionClass() == duckdb::ExpressionClass::WINDOW) {
        windows.push_back(std::move(e));
        e = emit::boolean(true);
        return false;
      }
      return true;
    });
  }
  auto orders_of = [](const duckdb::WindowExpression& w) {
    duckdb::vector<duckdb::OrderByNode> orders;
    for (const auto& p : w.partitions) orders.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST, p->Copy());
    for (const auto& o : w.orders) orders.emplace_back(o.type, o.null_order, o.expression->Copy());
    return orders;
  };
  duckdb::vector<duckdb::OrderByNode> longest;
  for (const auto& w : windows) {
    auto orders = orders_of(w->Cast<duckdb::WindowExpression>());
    if (orders.size() < longest.size()) std::swap(orders, longest);
    for (size_t i = 0; i < longest.size() && i < orders.size(); ++i) {
      const auto &a = longest[i], &b = orders[i];
      if (a.type != b.type || a.null_order != b.null_order || !a.expression->Equals(*b.expression)) return;
    }
    if (orders.size() > longest.size()) longest = std::move(orders);
  }
  std::erase_if(longest, [](const duckdb::OrderByNode& o) { return o.expression->GetExpressionClass() == duckdb::ExpressionClass::CONSTANT; });
  if (longest.empty()) return;
  auto order = duckdb::make_uniq<duckdb::OrderModifier>();
  order->orders = std::move(longest);
  level.node->modifiers.push_back(std::move(order));
  level.order_matters = true;
}

}  // namespace

void analyze_plain_select(Level& level, SelectStmt* select, SelectOptions options) {
  Scope& scope = *level.scope;
  StatementContext& statement = *scope.statement;
  bool values = select->valuesLists != nullptr;
  ListCell* cell = nullptr;
  foreach (cell, select->windowClause) {
    auto* window = lfirst_node(WindowDef, cell);
    if (window->name == nullptr) continue;
    if (!scope.windows.emplace(window->name, window).second) {
      throw SqlError(SqlState::kWindowingError, std::string("window \"") + window->name + "\" is already defined", window->location);
    }
  }
  if (values) {
    analyze_values(level, select);
  } else {
    level.node = emit::select();
    DuckTable from = analyze_from(scope, select->fromClause);
    level.node->from_table = from != nullptr ? std::move(from) : emit::empty();
    level.targets = analyze_targets(scope, select->targetList, ExprKind::kSelectTarget);
  }
  if (select->whereClause != nullptr) {
    TypedExpr where = analyze_expr(scope, select->whereClause, ExprKind::kWhere);
    level.node->where_clause = boolean_tree(scope, std::move(where), "WHERE");
  }
  Tree having;
  if (select->havingClause != nullptr) {
    having = boolean_tree(scope, analyze_expr(scope, select->havingClause, ExprKind::kHaving), "HAVING");
  }
  std::vector<SortItem> sort = analyze_sort(scope, select->sortClause, level.targets, false);
  Grouping grouping(scope, *level.node);
  grouping.analyze(select->groupClause, select->groupDistinct, level.targets);

  bool distinct = is_plain_distinct(select->distinctClause);
  std::vector<ClauseItem> distinct_on;
  if (distinct) {
    for (Target& target : level.targets) {
      target.expr = resolve_unknown(scope, std::move(target.expr));
      check_groupable(statement, target.expr.type, target.expr.location);
    }
    for (const SortItem& s : sort) {
      if (s.target == SIZE_MAX) {
        throw SqlError(SqlState::kInvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                       s.expr.location);
      }
    }
  } else if (select->distinctClause != nullptr) {
    foreach (cell, select->distinctClause) {
      ClauseItem item = resolve_clause_item(scope, static_cast<Node*>(lfirst(cell)), level.targets, ExprKind::kDistinctOn, "DISTINCT ON");
      check_groupable(statement, item.target == SIZE_MAX ? item.expr.type : level.targets[item.target].expr.type, item.expr.location);
      distinct_on.push_back(std::move(item));
    }
    check_distinct_on(distinct_on, sort);
  }
  Tree offset = analyze_limit(scope, select->limitOffset, ExprKind::kOffset);
  Tree limit = analyze_limit(scope, select->limitCount, ExprKind::kLimit);

  if (select->lockingClause != nullptr) analyze_locking(level, select, scope.has_aggregates);
  if (scope.has_aggregates || having != nullptr) grouping.set_active();
  if (grouping.active()) {
    for (Target& target : level.targets) {
      if (target.expr.duck) grouping.check(target.expr.duck);
    }
    if (having != nullptr) grouping.check(having);
    for (SortItem& s : sort) {
      if (s.expr.duck) grouping.check(s.expr.duck);
    }
    for (ClauseItem& d : distinct_on) {
      if (d.expr.duck) grouping.check(d.expr.duck);
    }
    grouping.finish();
    level.node->having = std::move(having);
  }
  if (distinct || !distinct_on.empty()) {
    // What DuckDB compares by: an output's number, or a key where the type's own bytes do not tell equality.
    bool keys = false;
    if (distinct) {
      for (const Target& t : level.targets) keys |= needs_key(level, t.expr);
    } else {
      for (const ClauseItem& d : distinct_on) {
        const TypedExpr& e = d.target == SIZE_MAX ? d.expr : level.targets[d.target].expr;
        keys |= needs_key(level, e);
      }
    }
    if (keys) wrap(level, sort, distinct_on);
    auto modifier = duckdb::make_uniq<duckdb::DistinctModifier>();
    if (distinct && keys) {
      for (const Target& t : level.targets) modifier->distinct_on_targets.push_back(key_of(level, t.expr));
    }
    for (const ClauseItem& d : distinct_on) {
      SortItem as_sort;
      as_sort.target = d.target;
      if (d.target == SIZE_MAX) as_sort.expr = d.expr.clone();
      modifier->distinct_on_targets.push_back(sort_value(level, as_sort));
    }
    level.node->modifiers.push_back(std::move(modifier));
    level.order_matters = true;
  }
  if (options.top && sort.empty() && !distinct && distinct_on.empty()) order_like_windows(level);
  apply_order_and_limit(level, select, sort, std::move(limit), std::move(offset));
}

namespace {

std::vector<ColumnDescription> describe_targets(StatementContext& statement, const Level& level) {
  std::vector<ColumnDescription> outputs;
  for (const Target& t : level.targets) outputs.push_back(describe(statement, t.name, t.expr));
  return outputs;
}

// A locking SELECT below the top runs before the statement; what stands in its place reads the rows it locked.
void run_before(Level& level) {
  StatementContext& statement = *level.scope->statement;
  auto query = std::make_shared<AnalyzedQuery>();
  query->row_marks = std::move(level.row_marks);
  query->limit_column = level.limit_column;
  query->offset_column = level.offset_column;
  std::vector<Target> targets = std::move(level.targets);
  level.targets.clear();
  for (const Target& t : targets) {
    Target copy;
    copy.name = t.name;
    copy.expr = t.expr.clone();
    level.targets.push_back(std::move(copy));
  }
  DuckNode node = level.seal(statement);
  std::set<std::string> aliases;
  visit_query(*node, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& e) {
    if (e->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) collect_aliases(*e, &aliases);
    return true;
  });
  for (Scope* outer = level.scope->parent; outer != nullptr; outer = outer->parent) {
    for (const std::string& alias : aliases) {
      if (outer->duck_aliases.count(alias) != 0) not_supported("a locking clause in a correlated subquery");
    }
    for (const ScopeCte& cte : outer->ctes) {
      if (cte.references > 0 && cte.run_first == SIZE_MAX) not_supported("a locking clause in a subquery beside WITH");
    }
  }
  query->outputs = describe_targets(statement, level);
  for (size_t i = 0; i < targets.size(); ++i) query->returning.push_back(i);
  query->select = emit::statement(std::move(node));
  std::string alias = statement.new_alias("r");
  int64_t number = 100 + static_cast<int64_t>(statement.run_first.size());
  statement.run_first.push_back(std::move(query));
  level.node = emit::select();
  level.node->from_table = emit::table_function("omen_rows", emit::integer(number), alias);
  for (size_t i = 0; i < level.targets.size(); ++i) {
    level.targets[i].expr.duck = emit::column(alias, "c" + std::to_string(i + 1));
  }
  level.row_marks.clear();
  level.hidden.clear();
  level.limit_column = level.offset_column = SIZE_MAX;
  level.order_matters = false;
}

}  // namespace

Level analyze_level(StatementContext& statement, Scope* parent, SelectStmt* select, SelectOptions options) {
  DepthGuard guard(statement);
  Level level;
  level.scope = std::make_unique<Scope>();
  level.scope->statement = &statement;
  level.scope->parent = parent;
  if (select->intoClause != nullptr && !options.top) {
    throw SqlError(SqlState::kSyntaxError, "SELECT ... INTO is not allowed here",
                   exprLocation(reinterpret_cast<Node*>(select->intoClause)));
  }
  if (select->withClause != nullptr) analyze_with(level, select->withClause);
  if (select->op != SETOP_NONE) {
    analyze_set_operation(level, select);
  } else {
    if (select->valuesLists != nullptr && select->lockingClause != nullptr) {
      auto* clause = linitial_node(LockingClause, select->lockingClause);
      throw SqlError(SqlState::kFeatureNotSupported, std::string(lock_name(clause->strength)) + " cannot be applied to VALUES");
    }
    analyze_plain_select(level, select, options);
  }
  if (!options.keep_unknown) {
    for (Target& target : level.targets) {
      if (target.expr.kind != TypedExpr::Kind::kPlain) target.expr = resolve_unknown(*level.scope, std::move(target.expr));
    }
  }
  if (!options.top && !level.row_marks.empty()) run_before(level);
  return level;
}

SubqueryResult analyze_subquery(Scope* outer, StatementContext& statement, SelectStmt* select) {
  Level level = analyze_level(statement, outer, select);
  SubqueryResult result;
  DuckNode node = level.seal(statement);
  result.columns = level.columns(statement, "");
  result.select = emit::statement(std::move(node));
  return result;
}

namespace {

/// A view keeps its columns; a file that has others by now must not be cast into them unseen.
void check_file_column(StatementContext& statement, const catalog::View& view, size_t i, const TypedExpr& now) {
  const catalog::Column& column = view.columns[i];
  if (now.type == types::oid::kUnknown || (now.type == column.type && (now.type != types::oid::kNumeric || now.typmod == column.typmod))) return;
  throw SqlError(SqlState::kDatatypeMismatch, "column \"" + column.name + "\" of view \"" + view.name + "\" is of type " +
                                                  format_type(*statement.catalog, column.type, column.typmod) + ", but its file's is now of type " +
                                                  format_type(*statement.catalog, now.type, now.typmod))
      .hint("Create the view anew.");
}

}  // namespace

Level expand_view(StatementContext& statement, const catalog::View& view) {
  if (std::find(statement.views_in_expansion.begin(), statement.views_in_expansion.end(), view.oid) !=
      statement.views_in_expansion.end()) {
    throw SqlError(SqlState::kInvalidObjectDefinition,
                   "infinite recursion detected in rules for relation \"" + view.name + "\"");
  }
  Restore text(statement.text);
  Restore path(statement.search_path);
  Restore views(statement.views_in_expansion);
  const bool reads_files = std::exchange(statement.reads_files, false);
  statement.text = view.sql;
  statement.search_path = view.search_path;
  statement.views_in_expansion.push_back(view.oid);
  ParseTree tree(view.sql);
  if (tree.statements().size() != 1 || !IsA(tree.statements()[0].node, SelectStmt)) {
    throw SqlError(SqlState::kInternalError, "view \"" + view.name + "\" is not a SELECT");
  }
  try {
    Level level = analyze_level(statement, nullptr, reinterpret_cast<SelectStmt*>(tree.statements()[0].node));
    if (level.targets.size() != view.columns.size()) {
      throw SqlError(SqlState::kInternalError, "view \"" + view.name + "\" has a wrong number of columns");
    }
    for (size_t i = 0; i < view.columns.size(); ++i) {
      if (statement.reads_files) check_file_column(statement, view, i, level.targets[i].expr);
      level.coerce_target(i, view.columns[i].type, view.columns[i].typmod, CoercionContext::kExplicit);
    }
    for (Target& target : level.targets) target.raw = nullptr;  // the tree dies here
    for (auto& [name, window] : level.scope->windows) window = nullptr;
    statement.reads_files = statement.reads_files || reads_files;
    return level;
  } catch (SqlError& error) {
    // Places in the view's text mean nothing to who wrote the statement.
    if (statement.reads_files && error.info().code == SqlState::kUndefinedColumn) {
      error.info().detail = "A file that view \"" + view.name + "\" reads has other columns than it had when the view was made.";
      error.info().hint.clear();
    }
    throw SqlError(std::move(error.info()));
  }
}

ColumnDescription describe(StatementContext& statement, const std::string& name, const TypedExpr& expr) {
  ColumnDescription column;
  column.name = name;
  column.table = expr.table;
  column.attnum = expr.attnum;
  column.type = expr.type;
  column.typmod = expr.type == types::oid::kRecord ? -1 : expr.typmod;
  column.physical = expr.physical;
  // A domain is shown as its base type.
  while (const auto* domain = statement.catalog->find<catalog::DomainType>(column.type)) {
    column.type = domain->base_type;
    column.typmod = domain->typmod;
  }
  if (const types::TypeInfo* info = types::find_type(column.type)) {
    column.type_length = info->length;
  } else if (statement.catalog->find<catalog::EnumType>(column.type) != nullptr) {
    column.type_length = 4;
  }
  return column;
}

AnalyzedQuery analyze_query(StatementContext& statement, Node* raw) {
  AnalyzedQuery query;
  switch (nodeTag(raw)) {
    case T_SelectStmt: {
      SelectOptions options;
      options.top = true;
      Level level = analyze_level(statement, nullptr, reinterpret_cast<SelectStmt*>(raw), options);
      DuckNode node = level.seal(statement);
      query.outputs = describe_targets(statement, level);
      for (size_t i = 0; i < query.outputs.size(); ++i) query.returning.push_back(i);
      query.row_marks = std::move(level.row_marks);
      query.limit_column = level.limit_column;
      query.offset_column = level.offset_column;
      query.select = emit::statement(std::move(node));
      break;
    }
    case T_InsertStmt: query = analyze_insert(statement, nullptr, raw); break;
    case T_UpdateStmt: query = analyze_update(statement, nullptr, raw); break;
    case T_DeleteStmt: query = analyze_delete(statement, nullptr, raw); break;
    case T_MergeStmt: query = analyze_merge(statement, nullptr, raw); break;
    default: throw SqlError(SqlState::kInternalError, "analyze_query: not a query");
  }
  for (const std::shared_ptr<AnalyzedQuery>& first : statement.run_first) query.modifying_ctes.push_back(std::move(*first));
  statement.run_first.clear();
  query.parameter_types = statement.parameter_types;
  for (uint32_t oid : statement.relations) query.relations.push_back(Oid{oid});
  query.is_volatile = statement.has_volatile;
  query.reads_clock = statement.reads_clock;
  return query;
}

}  // namespace omendb::sql
