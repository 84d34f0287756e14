// The query side's own interfaces: how a level of a query travels between FROM, SELECT, set operations, CTEs and DML.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/frontend/analyzer.h"
#include "sql/frontend/emit.h"
#include "sql/functions/system_catalogs.h"

struct RangeVar;
struct WithClause;
struct SortBy;
struct Alias;
struct FuncCall;

namespace omendb::sql {

/// Puts a value back at the end of a block.
template <class T>
class Restore {
 public:
  explicit Restore(T& place) : place_(place), saved_(place) {}
  ~Restore() { place_ = std::move(saved_); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& place_;
  T saved_;
};

/// One output column of a level.
struct Target {
  std::string name;
  TypedExpr expr;
  Node* raw = nullptr;  // what it was analysed from; null after expansion of a star
};

/// A SELECT (VALUES, set operation) whose output columns can still be given other types.
///
/// `node` is complete but for its select list, which `targets` will become (seal). A plain SELECT has its expressions there, so
/// that an unknown literal can still become whatever the context wants; anything else is wrapped as a subquery.
struct Level {
  std::unique_ptr<Scope> scope;
  duckdb::unique_ptr<duckdb::SelectNode> node;  // null: `complete` it is
  DuckNode complete;                            // a set operation: its columns are o1, o2, ...
  std::vector<Target> targets;                  // of `node`; of `complete`: references to nothing, types only
  std::vector<Tree> hidden;                     // follow the outputs
  bool order_matters = false;  // DISTINCT, ORDER BY or sets: a target's value may not be changed in place
  std::vector<RowMark> row_marks;
  size_t limit_column = SIZE_MAX, offset_column = SIZE_MAX;
  duckdb::CommonTableExpressionMap ctes;  // to be put on the outermost node

  /// Puts all of it so far, but for WITH, into a subquery `alias` of a new node, whose targets are the outputs of the old. Hidden columns
  /// are h1, h2, ... of `alias` then.
  void push_down(const std::string& alias);
  /// Makes `targets` the outputs of a plain SELECT that may be changed, wrapping `complete` or an ordered node.
  void open(StatementContext& statement);
  /// Gives output i another type, in place when that cannot change the rows.
  void coerce_target(size_t i, Oid type, int32_t typmod, CoercionContext context);
  /// Writes the outputs as o1, o2, ... and returns the whole. Unknown literals become text.
  DuckNode seal(StatementContext& statement);
  std::vector<ScopeColumn> columns(StatementContext& statement, const std::string& duck_alias) const;
};

/// The name of output i (from 0) of a level that is complete.
std::string output_name(size_t i);

struct SelectOptions {
  bool top = false;           // row marks and INTO are the caller's to handle
  bool keep_unknown = false;  // leave unknown literals to the caller (INSERT ... SELECT, sets)
};

Level analyze_level(StatementContext& statement, Scope* parent, SelectStmt* select, SelectOptions options = {});
/// The parts that analyze_level puts together.
void analyze_set_operation(Level& level, SelectStmt* select);
void analyze_plain_select(Level& level, SelectStmt* select, SelectOptions options);
void analyze_values(Level& level, SelectStmt* select);
void analyze_with(Level& level, WithClause* with);
/// As above for a statement that is not a SELECT: CTEs go to `scope` and `ctes`.
void analyze_with(Scope& scope, duckdb::CommonTableExpressionMap& ctes, WithClause* with);

// --- Names (names.cc) ---

struct Relation {
  const catalog::Table* table = nullptr;
  const catalog::View* view = nullptr;
  const SystemRelation* system = nullptr;
  Oid oid;
  std::string schema, name;
};
/// The relation that a RangeVar names. Errors: 42P01, and 42809 for what cannot be read from.
Relation open_relation(StatementContext& statement, const RangeVar* var);
std::string schema_name(StatementContext& statement, Oid schema);
bool is_system_column(std::string_view name);  // ctid, xmin, ...
/// Of a relation with rows of its own: views, subqueries and functions have none.
bool has_system_columns(const ScopeItem& item);
/// Columns of a table as a scope item sees them at `alias`; tableoid is hidden among them.
std::vector<ScopeColumn> table_columns(const catalog::Table& table, const std::string& alias);
TypedExpr column_expr(const ScopeColumn& column, int location);
/// Columns that `*` or `alias.*` stands for.
std::vector<Target> expand_star(Scope& scope, ColumnRef* ref);
std::vector<Target> analyze_targets(Scope& scope, List* targets, ExprKind kind);
/// Finds a bare column name in this level only; nullptr if there is none. Errors: 42702.
const ScopeColumn* find_column_here(Scope& scope, const std::string& name, int location);
/// `reference` as users wrote it: "t.a".
std::string display_name(Scope& scope, const std::string& duck_alias, const std::string& duck_name);

// --- FROM (from_clause.cc, from_function.cc, from_file.cc) ---

inline bool is_table(const ScopeItem& item) { return item.kind == 't'; }

struct FromItem {
  DuckTable ref;
  std::vector<ScopeItem> items;      // what it makes visible
  std::vector<ScopeColumn> columns;  // of the item as a whole
};
/// Analyses the items of a FROM list into scope.items.
DuckTable analyze_from(Scope& scope, List* from);
FromItem analyze_from_item(Scope& scope, Node* node);
FromItem analyze_from_relation(Scope& scope, RangeVar* var);
FromItem analyze_from_function(Scope& scope, Node* range_function);
/// read_parquet(...) and read_csv(...); nullopt: it is neither (from_file.cc).
std::optional<FromItem> analyze_from_file(Scope& scope, Node* range_function);
/// `ref`, which makes `item` visible; `name`: the table's, for hints.
FromItem from_single(Scope& scope, ScopeItem item, DuckTable ref, const std::string& duck_alias,
                     const std::string& name);
/// Notes `item` for the hints of errors about names that are not found.
void note_seen(Scope& scope, const ScopeItem& item, const std::string& name);
/// The function's name, unless it is called in another schema than pg_catalog; empty then.
std::string system_function_name(const FuncCall* call);
/// Applies `AS alias(c1, c2)`. Errors: 42P10 for too many names.
void apply_alias(ScopeItem& item, const Alias* alias);
void add_items(Scope& scope, std::vector<ScopeItem> items);  // checks for duplicate names: 42712
/// A node of AS (...) made into an item of its own.
FromItem from_level(Scope& scope, Level level, const Alias* alias);
/// The select of a view, analysed anew where it stands.
Level expand_view(StatementContext& statement, const catalog::View& view);

// --- GROUP BY, ORDER BY, LIMIT (grouping.cc, sorting.cc, select_order.cc) ---

struct SortItem {
  size_t target = SIZE_MAX;  // SIZE_MAX: `expr`
  TypedExpr expr;
  bool descending = false;
  bool nulls_first = false;
};
/// What ORDER BY, GROUP BY and DISTINCT ON items mean: an output column (by name or number) or an expression.
struct ClauseItem {
  size_t target = SIZE_MAX;
  TypedExpr expr;
};
ClauseItem resolve_clause_item(Scope& scope, Node* node, std::vector<Target>& targets, ExprKind kind,
                               const char* clause);
std::vector<SortItem> analyze_sort(Scope& scope, List* sort, std::vector<Target>& targets, bool only_names);
/// Whether values compare by a key of their own (a domain: as its base type), and that key.
bool needs_key(const Level& level, const TypedExpr& e);
Tree key_of(const Level& level, const TypedExpr& e);
/// The value to sort, group or compare by; a number when it is simply an output column.
Tree sort_value(const Level& level, const SortItem& item);
/// Puts the rows of `level` so far into a subquery, whose outputs (and hidden sort keys) the clauses that follow work on.
void carry_into_subquery(Level& level, std::vector<SortItem>& sort, std::vector<ClauseItem>& distinct_on);
/// PostgreSQL computes windows over sorted rows and sends them as they lie, and people read results in that order: without an ORDER BY
/// of its own, the statement is ordered as its windows are, if one of their orderings begins with all the others.
void order_like_windows(Level& level);
void apply_order_and_limit(Level& level, SelectStmt* select, std::vector<SortItem>& sort, Tree limit, Tree offset);
bool analyze_sort_direction(const SortBy* by, bool* nulls_first);
/// LIMIT and OFFSET as int8 that raises 2201W / 2201X when negative; null for none.
Tree analyze_limit(Scope& scope, Node* node, ExprKind kind);
/// The end of a locking select: as many rows as LIMIT wants and some that may turn out to be locked or gone. The executor asks without it
/// when those are not enough.
duckdb::unique_ptr<duckdb::LimitModifier> first_candidates(const Level& level, const duckdb::ParsedExpression& limit,
                                                           const duckdb::ParsedExpression* offset);
/// Refuses types that have no order (json) as PostgreSQL does: 42883.
void check_sortable(StatementContext& statement, Oid type, int location);
void check_groupable(StatementContext& statement, Oid type, int location);

/// GROUP BY and the rules of aggregation for one level.
class Grouping {
 public:
  Grouping(Scope& scope, duckdb::SelectNode& node) : scope_(scope), node_(node) {}
  void analyze(List* clause, bool distinct_sets, std::vector<Target>& targets);
  bool active() const { return active_; }
  void set_active() { active_ = true; }
  /// Checks an expression that is computed after grouping and rewrites what DuckDB needs otherwise. Errors: 42803.
  void check(std::unique_ptr<duckdb::ParsedExpression>& expr);
  void check(Tree& expr);
  /// Writes the groups into the node; after the last check().
  void finish();

 private:
  struct Key {
    Tree expr;
    Oid type;
    types::PhysicalType physical;
    bool by_sort_key = false;
  };
  size_t add_key(const TypedExpr& expr);
  /// A key as GROUP BY has it and as the outputs must have it, so that DuckDB sees that they are one.
  static Tree group_form(const Key& key);
  std::vector<std::vector<size_t>> sets_of(Node* node, std::vector<Target>& targets);
  std::optional<size_t> find_key(const duckdb::ParsedExpression& expr) const;
  bool depends_on_primary_key(const std::string& alias) const;
  void walk(duckdb::unique_ptr<duckdb::ParsedExpression>& expr, int depth);
  void walk_query(duckdb::QueryNode& node, int depth);

  Scope& scope_;
  duckdb::SelectNode& node_;
  std::vector<Key> keys_;
  std::vector<std::vector<size_t>> sets_;
  bool active_ = false;
  bool has_sets_ = false;
  bool aggregate_left_ = false;
};

// --- Locking clauses (select_locking.cc) ---

/// "FOR UPDATE", of a LockClauseStrength.
const char* lock_name(int strength);
/// The locking clauses of a level, into its row marks. Errors: 0A000 beside what makes rows of several, 42P01.
void analyze_locking(Level& level, SelectStmt* select, bool grouped);
/// A locking SELECT below the top runs before the statement; what stands in its place reads the rows it locked.
void run_locking_first(Level& level);

// --- Data-modifying statements (dml*.cc) ---
struct DmlContext;
AnalyzedQuery analyze_insert(StatementContext& statement, Scope* parent, Node* raw);
AnalyzedQuery analyze_update(StatementContext& statement, Scope* parent, Node* raw);
AnalyzedQuery analyze_delete(StatementContext& statement, Scope* parent, Node* raw);
AnalyzedQuery analyze_merge(StatementContext& statement, Scope* parent, Node* raw);

/// As coerce_to_boolean and sort_key, in the pointer type of DuckDB's tree.
inline Tree boolean_tree(Scope& scope, TypedExpr expr, const char* construct) {
  return owned(coerce_to_boolean(scope, std::move(expr), construct).duck);
}
inline Tree key_tree(Oid type, const types::PhysicalType& physical, Tree value) {
  return owned(sort_key(type, physical, std::move(value)));
}

ColumnDescription describe(StatementContext& statement, const std::string& name, const TypedExpr& expr);
std::vector<ColumnDescription> describe_targets(StatementContext& statement, const Level& level);

/// Guards the native stack: queries nested deeper than this end with 54001.
class DepthGuard {
 public:
  explicit DepthGuard(StatementContext& statement);
  ~DepthGuard() { --statement_.depth; }

 private:
  StatementContext& statement_;
};

}  // namespace omendb::sql
