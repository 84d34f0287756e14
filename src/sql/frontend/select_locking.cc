// SELECT ... FOR UPDATE and its like: what is locked, and where it runs.
#include <set>

#include "sql/frontend/query.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

const char* lock_name(int strength) {
  switch (strength) {
    case LCS_FORKEYSHARE: return "FOR KEY SHARE";
    case LCS_FORSHARE: return "FOR SHARE";
    case LCS_FORNOKEYUPDATE: return "FOR NO KEY UPDATE";
    default: return "FOR UPDATE";
  }
}

namespace {

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

}  // namespace

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
        throw SqlError(SqlState::kSyntaxError, std::string(lock) + " must specify unqualified relation names",
                       var->location);
      }
      bool found = false;
      for (const ScopeItem& item : scope.items) {
        if (item.alias != var->relname || !item.relation_visible) continue;
        found = true;
        switch (item.kind) {
          case 't': add(item); break;
          case 'j':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a join",
                           var->location);
          case 'f':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a function",
                           var->location);
          case 'v':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to VALUES",
                           var->location);
          case 'c':
            throw SqlError(SqlState::kFeatureNotSupported, std::string(lock) + " cannot be applied to a WITH query",
                           var->location);
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

void run_locking_first(Level& level) {
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

}  // namespace omendb::sql
