// WITH: common table expressions, recursive ones and those that modify data.
#include <algorithm>

#include "duckdb/parser/query_node/recursive_cte_node.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/query.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

// Calls `visit` for the children of a raw node. The walk is C code: nothing may be thrown through it.
template <class F>
bool walk_raw(Node* node, F& visit) {
  bool (*callback)(Node*, void*) = [](Node* child, void* context) { return (*static_cast<F*>(context))(child); };
  return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(callback)), &visit);
}

/// References to `name` below a node, as PostgreSQL's checkWellFormedRecursion counts them.
struct ReferenceFinder {
  const std::string& name;
  int count = 0;
  bool operator()(Node* node) {
    if (node == nullptr) return false;
    if (IsA(node, RangeVar)) {
      auto* var = reinterpret_cast<RangeVar*>(node);
      if (var->schemaname == nullptr && name == var->relname) ++count;
      return false;
    }
    if (IsA(node, SelectStmt)) {
      // An inner WITH of the same name hides ours.
      auto* select = reinterpret_cast<SelectStmt*>(node);
      if (select->withClause != nullptr) {
        ListCell* cell = nullptr;
        foreach (cell, select->withClause->ctes) {
          if (name == lfirst_node(CommonTableExpr, cell)->ctename) return false;
        }
      }
    }
    return walk_raw(node, *this);
  }
};

int count_references(const std::string& name, Node* node) {
  if (node == nullptr) return 0;
  ReferenceFinder finder{name};
  finder(node);
  return finder.count;
}

enum class RecursionPlace : uint8_t { kOk, kNonRecursiveTerm, kSubquery, kOuterJoin, kIntersect, kExcept };

/// Finds what is wrong with where the recursive term refers to itself.
struct RecursionChecker {
  const std::string& name;
  RecursionPlace place = RecursionPlace::kOk;
  int references = 0;
  RecursionPlace wrong = RecursionPlace::kOk;
  bool twice = false;
  int location = -1;

  bool operator()(Node* node) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
      case T_RangeVar: {
        auto* var = reinterpret_cast<RangeVar*>(node);
        if (var->schemaname != nullptr || name != var->relname) return false;
        location = var->location;
        if (place != RecursionPlace::kOk) {
          wrong = place;
          return true;
        }
        if (++references > 1) {
          twice = true;
          return true;
        }
        return false;
      }
      case T_SubLink:
        return inside(RecursionPlace::kSubquery, reinterpret_cast<SubLink*>(node)->subselect) ||
               (*this)(reinterpret_cast<SubLink*>(node)->testexpr);
      case T_JoinExpr: {
        auto* join = reinterpret_cast<JoinExpr*>(node);
        bool left_nullable = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
        bool right_nullable = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;
        return (left_nullable ? inside(RecursionPlace::kOuterJoin, join->larg) : (*this)(join->larg)) ||
               (right_nullable ? inside(RecursionPlace::kOuterJoin, join->rarg) : (*this)(join->rarg)) ||
               (*this)(join->quals);
      }
      case T_SelectStmt: {
        auto* select = reinterpret_cast<SelectStmt*>(node);
        if (select->op == SETOP_EXCEPT) {
          return (*this)(reinterpret_cast<Node*>(select->larg)) ||
                 inside(RecursionPlace::kExcept, reinterpret_cast<Node*>(select->rarg));
        }
        if (select->op == SETOP_INTERSECT && select->all) {
          return inside(RecursionPlace::kIntersect, reinterpret_cast<Node*>(select->larg)) ||
                 inside(RecursionPlace::kIntersect, reinterpret_cast<Node*>(select->rarg));
        }
        return walk_raw(node, *this);
      }
      default: return walk_raw(node, *this);
    }
  }
  bool inside(RecursionPlace where, Node* node) {
    RecursionPlace saved = place;
    if (place == RecursionPlace::kOk) place = where;
    bool stop = (*this)(node);
    place = saved;
    return stop;
  }
};

[[noreturn]] void throw_recursion(const std::string& name, RecursionPlace place, int location) {
  const char* where = place == RecursionPlace::kNonRecursiveTerm ? "its non-recursive term"
                      : place == RecursionPlace::kSubquery       ? "a subquery"
                      : place == RecursionPlace::kOuterJoin      ? "an outer join"
                      : place == RecursionPlace::kIntersect      ? "INTERSECT"
                                                                 : "EXCEPT";
  throw SqlError(SqlState::kInvalidRecursion,
                 "recursive reference to query \"" + name + "\" must not appear within " + where, location);
}

void check_recursion(const std::string& name, RecursionPlace place, Node* node, int* references) {
  RecursionChecker checker{name};
  checker.place = place;
  checker.references = *references;
  checker(node);
  if (checker.wrong != RecursionPlace::kOk) throw_recursion(name, checker.wrong, checker.location);
  if (checker.twice) {
    throw SqlError(SqlState::kInvalidRecursion,
                   "recursive reference to query \"" + name + "\" must not appear more than once", checker.location);
  }
  *references = checker.references;
}

void name_columns(const CommonTableExpr* cte, std::vector<ScopeColumn>& columns) {
  size_t i = 0;
  ListCell* cell = nullptr;
  foreach (cell, cte->aliascolnames) {
    if (i >= columns.size()) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     std::string("WITH query \"") + cte->ctename + "\" has " + std::to_string(columns.size()) +
                         " columns available but " + std::to_string(list_length(cte->aliascolnames)) +
                         " columns specified",
                     cte->location);
    }
    columns[i++].name = strVal(lfirst(cell));
  }
}

duckdb::unique_ptr<duckdb::CommonTableExpressionInfo> info_of(const CommonTableExpr* cte, bool is_volatile,
                                                              DuckNode node) {
  auto info = duckdb::make_uniq<duckdb::CommonTableExpressionInfo>();
  info->query = emit::statement(std::move(node));
  // A volatile query has to run once, however often it is read.
  if (cte->ctematerialized == CTEMaterializeAlways || is_volatile) {
    info->materialized = duckdb::CTEMaterialize::CTE_MATERIALIZE_ALWAYS;
  } else if (cte->ctematerialized == CTEMaterializeNever) {
    info->materialized = duckdb::CTEMaterialize::CTE_MATERIALIZE_NEVER;
  }
  return info;
}

// The alias under which the FROM list of a recursive term names `cte`; null when it does so only inside of subqueries.
const char* recursive_alias(const std::string& cte, Node* node) {
  if (node == nullptr) return nullptr;
  if (IsA(node, RangeVar)) {
    auto* var = reinterpret_cast<RangeVar*>(node);
    if (var->schemaname != nullptr || cte != var->relname) return nullptr;
    return var->alias != nullptr ? var->alias->aliasname : var->relname;
  }
  if (IsA(node, JoinExpr)) {
    auto* join = reinterpret_cast<JoinExpr*>(node);
    const char* left = recursive_alias(cte, join->larg);
    return left != nullptr ? left : recursive_alias(cte, join->rarg);
  }
  return nullptr;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// SEARCH and CYCLE of a recursive item, as PostgreSQL's rewriteSearchAndCycle has them: both terms are wrapped into a select that
/// computes the sequence, the mark and the path beside the term's own columns. In the recursive term these columns of the row before
/// are found by name, not by *.
///
/// Owns the wrappers; the recursive term's target list is longer while this lives.
class SearchAndCycle {
 public:
  SearchAndCycle(CommonTableExpr* cte, SelectStmt* query)
      : cte_(cte), query_(query), own_targets_(query->rarg->targetList) {
    search_ = reinterpret_cast<CTESearchClause*>(cte->search_clause);
    cycle_ = reinterpret_cast<CTECycleClause*>(cte->cycle_clause);
  }
  SearchAndCycle(const SearchAndCycle&) = delete;
  SearchAndCycle& operator=(const SearchAndCycle&) = delete;
  ~SearchAndCycle() { query_->rarg->targetList = own_targets_; }

  /// Analyses what marks a cycle; before the terms.
  void check_mark(Scope& scope) const {
    if (cycle_ == nullptr) return;
    TypedExpr value = analyze_expr(scope, cycle_->cycle_mark_value, ExprKind::kSelectTarget);
    TypedExpr otherwise = analyze_expr(scope, cycle_->cycle_mark_default, ExprKind::kSelectTarget);
    Oid type = select_common_type(scope, {&value, &otherwise}, "CYCLE");
    coerce(scope, std::move(value), type, -1, CoercionContext::kImplicit);
    coerce(scope, std::move(otherwise), type, -1, CoercionContext::kImplicit);
    check_groupable(*scope.statement, type, -1);
  }

  /// `columns`: those of the item, named. The wrapped terms are `left` and `right` afterwards.
  void wrap(const std::vector<ScopeColumn>& columns) {
    check_terms();
    check_names(columns);
    const std::string before = quote_identifier(alias_) + ".";
    std::vector<std::string> names;
    for (const ScopeColumn& column : columns) names.push_back(quote_identifier(column.name));
    std::vector<std::string> first = names, next = names, given = names, carried;
    auto add = [&](const std::string& name, const std::string& at_first, const std::string& then) {
      first.push_back(at_first + " AS " + name);
      next.push_back(then + " AS " + name);
      given.push_back(name);
      carried.push_back(before + name);
      ++added_;
    };
    if (search_ != nullptr) {
      const std::string name = quote_identifier(search_->search_seq_column);
      const std::string row = joined(columns_of(search_->search_col_list));
      if (search_->search_breadth_first) {
        add(name, "ROW(0::int8, " + row + ")", "ROW(\"*DEPTH*\" + 1, " + row + ")");
      } else {
        add(name, "ARRAY[ROW(" + row + ")]", name + " || ROW(" + row + ")");
      }
    }
    std::string condition;
    if (cycle_ != nullptr) {
      const std::string mark = quote_identifier(cycle_->cycle_mark_column);
      const std::string path = quote_identifier(cycle_->cycle_path_column);
      const std::string row = "ROW(" + joined(columns_of(cycle_->cycle_col_list)) + ")";
      add(mark, "CASE WHEN false THEN NULL ELSE NULL END",
          "CASE WHEN " + row + " = ANY (" + path + ") THEN NULL ELSE NULL END");
      add(path, "ARRAY[" + row + "]", path + " || " + row);
      condition = " WHERE " + mark + " <> NULL";
    }
    shown_ = added_;
    // The depth of a row is a field of its sequence, where SQL has no name for it.
    if (search_ != nullptr && search_->search_breadth_first) add("\"*DEPTH*\"", "0::int8", "\"*DEPTH*\" + 1");

    trees_.emplace_back("SELECT " + joined(first) + " FROM (SELECT) \"*TLOCRN*\"(" + joined(names) + ")");
    left = patched(trees_.back(), columns.size(), query_->larg);
    const size_t own = static_cast<size_t>(list_length(own_targets_));
    trees_.emplace_back("SELECT " + joined(std::vector<std::string>(own, "1")) + ", " + joined(carried));
    List* longer = reinterpret_cast<SelectStmt*>(trees_.back().statements().at(0).node)->targetList;
    for (size_t i = 0; i < own; ++i) longer->elements[i] = own_targets_->elements[i];
    query_->rarg->targetList = longer;
    trees_.emplace_back("SELECT " + joined(next) + " FROM (SELECT) \"*TROCRN*\"(" + joined(given) + ")" + condition);
    right = patched(trees_.back(), columns.size(), query_->rarg);
    if (cycle_ != nullptr) reinterpret_cast<A_Expr*>(right->whereClause)->rexpr = cycle_->cycle_mark_value;
  }

  /// Columns behind the item's own: those to be seen, and all of them.
  size_t shown() const { return shown_; }
  size_t added() const { return added_; }

  SelectStmt* left = nullptr;
  SelectStmt* right = nullptr;

 private:
  void check_terms() {
    auto check = [](const SelectStmt* term, const char* side, SqlState code) {
      if (term->op == SETOP_NONE) return;
      throw SqlError(code,
                     std::string("with a SEARCH or CYCLE clause, the ") + side + " side of the UNION must be a SELECT");
    };
    check(query_->larg, "left", SqlState::kFeatureNotSupported);
    check(query_->rarg, "right", SqlState::kSyntaxError);
    ListCell* cell = nullptr;
    foreach (cell, query_->rarg->fromClause) {
      if (alias_ == nullptr) alias_ = recursive_alias(cte_->ctename, static_cast<Node*>(lfirst(cell)));
    }
    if (alias_ == nullptr) {
      throw SqlError(SqlState::kFeatureNotSupported,
                     std::string("with a SEARCH or CYCLE clause, the recursive reference to WITH query \"") +
                         cte_->ctename + "\" must be at the top level of its right-hand SELECT");
    }
  }

  void check_names(const std::vector<ScopeColumn>& columns) const {
    auto is_column = [&](std::string_view name) {
      return std::any_of(columns.begin(), columns.end(), [&](const ScopeColumn& c) { return c.name == name; });
    };
    auto check_list = [&](List* list, const std::string& what, int location) {
      std::vector<std::string> seen;
      ListCell* cell = nullptr;
      foreach (cell, list) {
        std::string name = strVal(lfirst(cell));
        if (!is_column(name)) {
          throw SqlError(SqlState::kSyntaxError, what + " column \"" + name + "\" not in WITH query column list",
                         location);
        }
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
          throw SqlError(SqlState::kDuplicateColumn, what + " column \"" + name + "\" specified more than once",
                         location);
        }
        seen.push_back(std::move(name));
      }
    };
    auto check_new = [&](const char* name, const std::string& what, int location) {
      if (!is_column(name)) return;
      throw SqlError(SqlState::kSyntaxError,
                     what + " column name \"" + name + "\" already used in WITH query column list", location);
    };
    auto check_other = [&](const char* a, const char* b, const std::string& what, int location) {
      if (std::string_view(a) == b) throw SqlError(SqlState::kSyntaxError, what + " are the same", location);
    };
    if (search_ != nullptr) {
      check_list(search_->search_col_list, "search", search_->location);
      check_new(search_->search_seq_column, "search sequence", search_->location);
    }
    if (cycle_ != nullptr) {
      check_list(cycle_->cycle_col_list, "cycle", cycle_->location);
      check_new(cycle_->cycle_mark_column, "cycle mark", cycle_->location);
      check_new(cycle_->cycle_path_column, "cycle path", cycle_->location);
      check_other(cycle_->cycle_mark_column, cycle_->cycle_path_column,
                  "cycle mark column name and cycle path column name", cycle_->location);
    }
    if (search_ != nullptr && cycle_ != nullptr) {
      check_other(search_->search_seq_column, cycle_->cycle_mark_column,
                  "search sequence column name and cycle mark column name", search_->location);
      check_other(search_->search_seq_column, cycle_->cycle_path_column,
                  "search sequence column name and cycle path column name", search_->location);
    }
  }

  static std::vector<std::string> columns_of(List* list) {
    std::vector<std::string> names;
    ListCell* cell = nullptr;
    foreach (cell, list) names.push_back(quote_identifier(strVal(lfirst(cell))));
    return names;
  }

  // The select of `tree`, whose FROM is `term`, and whose CASE is between the two marks.
  SelectStmt* patched(ParseTree& tree, size_t column_count, SelectStmt* term) const {
    auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
    reinterpret_cast<RangeSubselect*>(linitial(select->fromClause))->subquery = reinterpret_cast<Node*>(term);
    if (cycle_ != nullptr) {
      const size_t mark = column_count + (search_ != nullptr ? 1 : 0);
      auto* target = static_cast<ResTarget*>(list_nth(select->targetList, static_cast<int>(mark)));
      auto* choice = reinterpret_cast<CaseExpr*>(target->val);
      reinterpret_cast<CaseWhen*>(linitial(choice->args))->result = reinterpret_cast<Expr*>(cycle_->cycle_mark_value);
      choice->defresult = reinterpret_cast<Expr*>(cycle_->cycle_mark_default);
    }
    return select;
  }

  CommonTableExpr* cte_;
  SelectStmt* query_;
  List* own_targets_;
  CTESearchClause* search_ = nullptr;
  CTECycleClause* cycle_ = nullptr;
  const char* alias_ = nullptr;
  size_t shown_ = 0, added_ = 0;
  std::vector<ParseTree> trees_;
};

/// Analyses one item of a WITH into the scope; `later_writes`: a data-modifying item follows and may read it.
class CteAnalyzer {
 public:
  CteAnalyzer(Scope& scope, duckdb::CommonTableExpressionMap& ctes)
      : scope_(scope), statement_(*scope.statement), ctes_(ctes) {}

  void modifying(CommonTableExpr* cte) {
    if (scope_.parent != nullptr) {
      throw SqlError(SqlState::kFeatureNotSupported,
                     "WITH clause containing a data-modifying statement must be at the top level", cte->location);
    }
    auto query = std::make_shared<AnalyzedQuery>();
    // Its own WITH items run before it, so its number is known only afterwards.
    switch (nodeTag(cte->ctequery)) {
      case T_InsertStmt: *query = analyze_insert(statement_, &scope_, cte->ctequery); break;
      case T_UpdateStmt: *query = analyze_update(statement_, &scope_, cte->ctequery); break;
      case T_DeleteStmt: *query = analyze_delete(statement_, &scope_, cte->ctequery); break;
      default: throw SqlError(SqlState::kFeatureNotSupported, "MERGE not supported in WITH query", cte->location);
    }
    ScopeCte entry;
    entry.name = cte->ctename;
    entry.returns_rows = query->has_returning;
    entry.columns = columns_of(query->outputs);
    name_columns(cte, entry.columns);
    run_first(std::move(query), std::move(entry));
  }

  void plain(CommonTableExpr* cte, bool later_writes) {
    bool had_volatile = statement_.has_volatile;
    statement_.has_volatile = false;
    Level level = analyze_level(statement_, &scope_, reinterpret_cast<SelectStmt*>(cte->ctequery));
    bool is_volatile = statement_.has_volatile;
    statement_.has_volatile |= had_volatile;
    ScopeCte entry;
    entry.name = cte->ctename;
    if (later_writes && scope_.parent == nullptr) {
      auto query = std::make_shared<AnalyzedQuery>();
      for (size_t i = 0; i < level.targets.size(); ++i) {
        query->outputs.push_back(describe(statement_, level.targets[i].name, level.targets[i].expr));
        query->returning.push_back(i);
      }
      entry.columns = level.columns(statement_, "");
      for (size_t i = 0; i < entry.columns.size(); ++i) entry.columns[i].duck_name = "c" + std::to_string(i + 1);
      name_columns(cte, entry.columns);
      query->select = emit::statement(level.seal(statement_));
      run_first(std::move(query), std::move(entry));
      return;
    }
    DuckNode node = level.seal(statement_);
    entry.columns = level.columns(statement_, "");
    name_columns(cte, entry.columns);
    add(cte, std::move(entry), is_volatile, std::move(node));
  }

  void recursive(CommonTableExpr* cte, bool later_writes) {
    std::string name = cte->ctename;
    if (!IsA(cte->ctequery, SelectStmt)) {
      throw SqlError(SqlState::kInvalidRecursion,
                     "recursive query \"" + name + "\" must not contain data-modifying statements", cte->location);
    }
    auto* select = reinterpret_cast<SelectStmt*>(cte->ctequery);
    if (select->op != SETOP_UNION) {
      throw SqlError(
          SqlState::kInvalidRecursion,
          "recursive query \"" + name + "\" does not have the form non-recursive-term UNION [ALL] recursive-term",
          cte->location);
    }
    int none = 0;
    check_recursion(name, RecursionPlace::kNonRecursiveTerm, reinterpret_cast<Node*>(select->larg), &none);
    int references = 0;
    check_recursion(name, RecursionPlace::kOk, reinterpret_cast<Node*>(select->rarg), &references);
    auto refuse = [&](const void* clause, const char* what) {
      if (clause == nullptr) return;
      throw SqlError(SqlState::kFeatureNotSupported, std::string(what) + " in a recursive query is not implemented",
                     exprLocation(static_cast<const Node*>(clause)));
    };
    refuse(select->sortClause, "ORDER BY");
    refuse(select->limitOffset, "OFFSET");
    refuse(select->limitCount, "LIMIT");
    refuse(select->lockingClause, "FOR UPDATE/SHARE");

    Scope inner;
    inner.statement = &statement_;
    inner.parent = &scope_;
    duckdb::CommonTableExpressionMap inner_ctes;
    if (select->withClause != nullptr) analyze_with(inner, inner_ctes, select->withClause);

    SelectStmt* first_term = select->larg;
    SelectStmt* next_term = select->rarg;
    std::optional<SearchAndCycle> walked;
    if (cte->search_clause != nullptr || cte->cycle_clause != nullptr) {
      walked.emplace(cte, select);
      walked->check_mark(inner);
      // What the first term's columns are called; it is analysed for good below.
      NameRecorder* recorder = std::exchange(statement_.recorder, nullptr);
      std::vector<ScopeColumn> own = analyze_level(statement_, &inner, first_term).columns(statement_, "");
      statement_.recorder = recorder;
      name_columns(cte, own);
      walked->wrap(own);
      first_term = walked->left;
      next_term = walked->right;
    }
    bool had_volatile = statement_.has_volatile;
    statement_.has_volatile = false;
    Level left = analyze_level(statement_, &inner, first_term);
    for (Target& target : left.targets) {
      types::PhysicalType physical = physical_of(statement_, target.expr.type, target.expr.typmod);
      if (target.expr.physical.is_decimal() && !(target.expr.physical == physical)) {
        left.open(statement_);
        break;
      }
    }
    for (Target& target : left.targets) {
      types::PhysicalType physical = physical_of(statement_, target.expr.type, target.expr.typmod);
      if (target.expr.duck && target.expr.physical.is_decimal() && !(target.expr.physical == physical)) {
        target.expr = to_numeric_form(scope_, std::move(target.expr), physical);
      }
    }
    ScopeCte entry;
    entry.name = name;
    entry.duck_name = statement_.new_alias("w");
    entry.columns = left.columns(statement_, "");
    for (ScopeColumn& column : entry.columns) {
      column.table = kInvalidOid;
      column.attnum = 0;
    }
    name_columns(cte, entry.columns);
    entry.recursive_in_progress = true;
    inner.ctes.push_back(entry);
    if (walked) {
      auto hide = [](std::vector<ScopeColumn>& columns, size_t from) {
        for (size_t i = from; i < columns.size(); ++i) columns[i].hidden = true;
      };
      hide(inner.ctes.back().columns, entry.columns.size() - walked->added());
      hide(entry.columns, entry.columns.size() - walked->added() + walked->shown());
    }
    SelectOptions options;
    options.keep_unknown = true;
    Level right = analyze_level(statement_, &inner, next_term, options);
    if (left.targets.size() != right.targets.size()) {
      throw SqlError(SqlState::kSyntaxError, "each UNION query must have the same number of columns");
    }
    if (right.scope->has_aggregates) {
      int location = -1;
      for (const Target& t : right.targets) {
        if (t.expr.has_aggregate && location < 0) location = t.expr.location;
      }
      throw SqlError(SqlState::kInvalidRecursion,
                     "aggregate functions are not allowed in a recursive query's recursive term", location);
    }
    for (size_t i = 0; i < left.targets.size(); ++i) {
      TypedExpr& l = left.targets[i].expr;
      TypedExpr& r = right.targets[i].expr;
      Oid type = select_common_type(scope_, {&l, &r}, "UNION");
      int32_t typmod =
          r.kind == TypedExpr::Kind::kPlain && r.type == type && l.type == type && l.typmod == r.typmod ? l.typmod : -1;
      if (r.kind != TypedExpr::Kind::kPlain && l.type == type) typmod = -1;
      if (type != l.type || (typmod != l.typmod && r.kind == TypedExpr::Kind::kPlain)) {
        throw SqlError(SqlState::kDatatypeMismatch,
                       "recursive query \"" + name + "\" column " + std::to_string(i + 1) + " has type " +
                           format_type(*statement_.catalog, l.type, l.typmod) + " in non-recursive term but type " +
                           format_type(*statement_.catalog, type, typmod) + " overall",
                       l.location)
            .hint("Cast the output of the non-recursive term to the correct type.");
      }
      right.coerce_target(i, l.type, l.typmod, CoercionContext::kImplicit);
      if (!(right.targets[i].expr.physical == l.physical) &&
          (l.physical.is_decimal() || right.targets[i].expr.physical.is_decimal())) {
        right.open(statement_);
        right.targets[i].expr = to_numeric_form(scope_, std::move(right.targets[i].expr), l.physical);
      }
      // Rows that differ in a sequence or a path differ in a column of their own.
      if (!select->all && (!walked || i + walked->added() < left.targets.size())) {
        check_groupable(statement_, l.type, -1);
        if (needs_sort_key(base_type_of(statement_, l.type), l.physical)) {
          not_supported(l.physical.kind == types::Physical::kInterval ? "a recursive UNION over interval columns"
                                                                      : "a recursive UNION over numeric columns",
                        cte->location);
        }
      }
    }
    bool is_volatile = statement_.has_volatile;
    statement_.has_volatile |= had_volatile;
    auto node = duckdb::make_uniq<duckdb::RecursiveCTENode>();
    node->ctename = entry.duck_name;
    node->union_all = select->all;
    for (size_t i = 0; i < left.targets.size(); ++i) node->aliases.push_back(output_name(i));
    node->left = left.seal(statement_);
    node->right = right.seal(statement_);
    for (auto& [key, value] : inner_ctes.map) {
      node->left->cte_map.map.insert(key, value->Copy());
      node->right->cte_map.map.insert(key, std::move(value));
    }
    entry.recursive_in_progress = false;
    auto info = info_of(cte, is_volatile, nullptr);
    info->aliases = node->aliases;
    info->query->node = std::move(node);
    if (later_writes && scope_.parent == nullptr) {
      auto query = std::make_shared<AnalyzedQuery>();
      auto rows = emit::select();
      std::string alias = statement_.new_alias("r");
      rows->from_table = emit::cte(entry.duck_name, alias);
      for (size_t i = 0; i < entry.columns.size(); ++i) {
        ScopeColumn& column = entry.columns[i];
        rows->select_list.push_back(emit::column(alias, column.duck_name));
        TypedExpr expr = column_expr(column, -1);
        query->outputs.push_back(describe(statement_, column.name, expr));
        query->returning.push_back(i);
        column.duck_name = "c" + std::to_string(i + 1);
      }
      rows->cte_map.map.insert(entry.duck_name, std::move(info));
      query->select = emit::statement(std::move(rows));
      run_first(std::move(query), std::move(entry));
      return;
    }
    ctes_.map.insert(entry.duck_name, std::move(info));
    scope_.ctes.push_back(std::move(entry));
  }

 private:
  std::vector<ScopeColumn> columns_of(const std::vector<ColumnDescription>& outputs) {
    std::vector<ScopeColumn> columns;
    for (size_t i = 0; i < outputs.size(); ++i) {
      ScopeColumn column;
      column.name = outputs[i].name;
      column.duck_name = "c" + std::to_string(i + 1);
      column.type = outputs[i].type;
      column.typmod = outputs[i].typmod;
      column.physical = outputs[i].physical;
      columns.push_back(std::move(column));
    }
    return columns;
  }

  void run_first(std::shared_ptr<AnalyzedQuery> query, ScopeCte entry) {
    entry.run_first = statement_.run_first.size();
    statement_.run_first.push_back(std::move(query));
    scope_.ctes.push_back(std::move(entry));
  }

  void add(const CommonTableExpr* cte, ScopeCte entry, bool is_volatile, DuckNode node) {
    entry.duck_name = statement_.new_alias("w");
    ctes_.map.insert(entry.duck_name, info_of(cte, is_volatile, std::move(node)));
    scope_.ctes.push_back(std::move(entry));
  }

  Scope& scope_;
  StatementContext& statement_;
  duckdb::CommonTableExpressionMap& ctes_;
};

// WITH RECURSIVE lets an item refer to later ones: each comes after what it needs.
std::vector<CommonTableExpr*> in_dependency_order(std::vector<CommonTableExpr*> items) {
  std::vector<CommonTableExpr*> ordered;
  while (!items.empty()) {
    bool moved = false;
    for (size_t i = 0; i < items.size(); ++i) {
      bool ready = true;
      for (size_t j = 0; j < items.size() && ready; ++j) {
        if (j != i) ready = count_references(items[j]->ctename, items[i]->ctequery) == 0;
      }
      if (!ready) continue;
      ordered.push_back(items[i]);
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      moved = true;
      break;
    }
    if (!moved) {
      throw SqlError(SqlState::kFeatureNotSupported, "mutual recursion between WITH items is not implemented",
                     items[0]->location);
    }
  }
  return ordered;
}

}  // namespace

void analyze_with(Scope& scope, duckdb::CommonTableExpressionMap& ctes, WithClause* with) {
  std::vector<CommonTableExpr*> items;
  ListCell* cell = nullptr;
  foreach (cell, with->ctes) {
    auto* cte = lfirst_node(CommonTableExpr, cell);
    for (CommonTableExpr* other : items) {
      if (std::string_view(other->ctename) == cte->ctename) {
        throw SqlError(SqlState::kDuplicateAlias,
                       std::string("WITH query name \"") + cte->ctename + "\" specified more than once", cte->location);
      }
    }
    items.push_back(cte);
  }
  if (with->recursive) items = in_dependency_order(std::move(items));
  CteAnalyzer analyzer(scope, ctes);
  for (size_t i = 0; i < items.size(); ++i) {
    CommonTableExpr* cte = items[i];
    bool later_writes = std::any_of(items.begin() + static_cast<std::ptrdiff_t>(i), items.end(),
                                    [](CommonTableExpr* later) { return !IsA(later->ctequery, SelectStmt); });
    try {
      if (with->recursive && count_references(cte->ctename, cte->ctequery) > 0) {
        analyzer.recursive(cte, later_writes);
      } else if (cte->search_clause != nullptr || cte->cycle_clause != nullptr) {
        throw SqlError(SqlState::kSyntaxError, "WITH query is not recursive", cte->location);
      } else if (!IsA(cte->ctequery, SelectStmt)) {
        analyzer.modifying(cte);
      } else {
        analyzer.plain(cte, later_writes);
      }
    } catch (SqlError& error) {
      // A name that an item of this WITH has, which is not in sight yet.
      for (size_t j = i;
           j < items.size() && error.info().code == SqlState::kUndefinedTable && error.info().detail.empty(); ++j) {
        const std::string name = items[j]->ctename;
        if (error.info().message != "relation \"" + name + "\" does not exist") continue;
        error.info().detail =
            "There is a WITH item named \"" + name + "\", but it cannot be referenced from this part of the query.";
        error.info().hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.";
      }
      throw;
    }
  }
}

void analyze_with(Level& level, WithClause* with) { analyze_with(*level.scope, level.ctes, with); }

}  // namespace omendb::sql
