// The pieces of execute_ddl. One Ddl runs one statement.
//
//   ddl.cc           dispatch; names, owners, locks; schemas, temporary tables
//   ddl_text.cc      the texts that the catalog keeps: making, reading and renaming in them
//   ddl_table.cc     CREATE TABLE and its columns; ddl_constraint.cc: keys, checks, references, indexes
//   ddl_alter.cc     ALTER TABLE; ddl_alter_type.cc: types of columns, row types; ddl_rows.cc: rows read and rewritten for it; CREATE TABLE AS
//   ddl_drop.cc      dependencies and DROP, TRUNCATE
//   ddl_rename.cc    RENAME, SET SCHEMA, OWNER
//   ddl_sequence.cc, ddl_type.cc, ddl_view.cc, ddl_role.cc
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "sql/error.h"
#include "sql/frontend/ddl.h"
#include "sql/frontend/deparse.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

inline std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

/// Runs `visit(element)` over a list of nodes.
template <class T, class Visit>
void for_list(const List* nodes, Visit visit) {
  if (nodes == nullptr) return;
  for (int i = 0; i < nodes->length; ++i) visit(static_cast<T*>(nodes->elements[i].ptr_value));
}
inline const char* string_value(const void* node) { return strVal(const_cast<void*>(node)); }
inline std::vector<std::string> strings_of(const List* list) {
  std::vector<std::string> out;
  for_list<Node>(list, [&](Node* node) { out.push_back(string_value(node)); });
  return out;
}

/// What a stored expression names.
struct TextUse {
  std::set<std::string> columns;  // bare names
  std::set<Oid> sequences;
  std::set<Oid> types;  // user-defined
};

class Ddl {
 public:
  Ddl(DdlContext& context, std::string_view text) : context_(context), text_(text) {}
  std::string run(Node* raw);

  // --- ddl.cc: the transaction and its catalog ---
  /// Newest. Kept to the end of the statement, so pointers into it live as long.
  const std::shared_ptr<const catalog::Catalog>& catalog();
  void put(catalog::Object object);
  void remove(Oid oid);
  void lock(Oid object, txn::ObjectLockMode mode);
  void notice(SqlState code, std::string message, std::string detail = {});
  /// DEBUG1: what is made besides.
  void debug(std::string message);
  void tell_implicit_index(const catalog::Table& table, const catalog::Index& index, bool primary,
                           bool created_with_table);
  void warning(SqlState code, std::string message);
  Oid new_oid() { return context_.database().new_oid(); }
  StorageId new_storage();
  Oid current_role();
  bool is_superuser();
  /// 42501 "must be owner of table t" unless the current role owns it.
  void check_owner(Oid owner, const char* kind, std::string_view name);
  Oid role_of(const RoleSpec* spec);

  // Names
  struct Place {
    Oid schema;
    std::string name;
    char persistence = 'p';
  };
  /// Where a new relation or type goes. Errors: 3F000, 42P16, 42501.
  Place place_for(const RangeVar* name);
  Place place_for(const List* name);
  Oid schema_oid(std::string_view name);  // 3F000
  Oid temp_schema(bool create);
  /// Relation along the search path; kInvalidOid when there is none. The OID may be a system relation's or a composite's.
  Oid lookup_relation(const char* schema, const char* name);
  Oid lookup_type(const List* name);
  /// The search path as relations and types are looked up: the temporary schema first, unless it has another place.
  std::vector<std::string> path_with_temp(const StatementContext& statement) const;
  /// As above, then locked; 42P01 when missing, unless missing_ok (kInvalidOid and no notice). System relations: 42501.
  Oid open_relation(const RangeVar* name, txn::ObjectLockMode mode, bool missing_ok, const char* kind = "relation");
  /// The table of that name, locked and owned. Errors: 42809 when it is something else.
  const catalog::Table* open_table(const RangeVar* name, txn::ObjectLockMode mode, bool missing_ok);
  std::string schema_name(Oid schema);
  /// Name with its schema when the search path does not find it.
  std::string visible_name(Oid schema, std::string_view name, bool type = false);
  std::string relation_text(Oid relation);  // for messages
  bool relation_visible(Oid schema, std::string_view name);
  /// A name for an object made without one: name1_name2_label, cut to 63 bytes, numbered until `taken` says no.
  static std::string choose_name(const std::string& name1, const std::string& name2, const std::string& label,
                                 const std::function<bool(const std::string&)>& taken);
  std::string choose_relation_name(Oid schema, const std::string& name1, const std::string& name2,
                                   const std::string& label);

  // --- ddl_drop_absent.cc ---
  /// True after the notice that the schema of a qualified name does not exist; 3F000 unless missing_ok.
  bool absent_schema(const std::vector<std::string>& name, bool missing_ok);
  std::optional<std::vector<Oid>> argument_types(const List* list, bool missing_ok);
  std::string drop_routine(DropStmt* stmt);
  std::string drop_of_relation(DropStmt* stmt);
  std::string drop_operator(DropStmt* stmt);
  std::string drop_cast(DropStmt* stmt);
  std::string drop_named(DropStmt* stmt);
  std::string drop_database(DropdbStmt* stmt);
  std::string drop_shared(const char* word, const char* tag, const char* name, bool missing_ok);

  // --- ddl_text.cc ---
  /// Analyses an expression over `table`'s columns (nullptr: none) with positions of the statement's text.
  TypedExpr analyze_in(StatementContext& statement, Node* node, const catalog::Table* table, ExprKind kind);
  TypedExpr analyze_check(StatementContext& statement, Node* node, const catalog::Table* table);
  /// The text that the catalog keeps. `table` is the one whose columns the expression names.
  std::string store_text(StatementContext& statement, const Node* node, const catalog::Table* table,
                         const std::string& literal_type = {});
  DeparseHooks store_hooks(StatementContext& statement, const catalog::Table* table);
  static TextUse uses_of(const catalog::Catalog& catalog, std::string_view text);
  static std::string rename_column_in(std::string_view text, const std::string& old_name, const std::string& new_name);
  static std::string rename_type_in(const catalog::Catalog& before, std::string_view text, Oid type,
                                    const std::string& new_qualified);

  // --- ddl_table.cc ---
  std::string create_table(CreateStmt* stmt);
  /// State of a table being made or altered: its object, and what is made with it.
  struct TableBuild {
    catalog::Table table;
    std::vector<catalog::Index> new_indexes;
    std::vector<catalog::Sequence> new_sequences;
    std::vector<std::pair<int16_t, std::string>> comments;  // LIKE INCLUDING COMMENTS
    std::vector<catalog::Comment> other_comments;           // as well, of constraints and indexes
    bool like_comments = false;
    struct PendingDefault {
      int16_t attnum;
      Node* expression;
      bool generated;
    };
    std::vector<PendingDefault> defaults;
    struct PendingConstraint {
      ::Constraint* constraint;
      std::string column;  // of a column constraint
    };
    std::vector<PendingConstraint> constraints;
    std::vector<Oid> like_indexes;  // indexes to be made again for this table, keys as column names
    std::map<Oid, std::map<int16_t, int16_t>> like_columns;  // of like_indexes: attnum there -> attnum here
  };
  bool name_taken(const TableBuild& build, const std::string& name);
  /// Adds a column with its NOT NULL, IDENTITY and serial; defaults, keys and checks are collected in `build`.
  void add_column(TableBuild& build, ColumnDef* def);
  void finish_defaults(TableBuild& build);
  void finish_constraints(TableBuild& build);
  std::string default_text(StatementContext& statement, const catalog::Table& table, const catalog::Column& column,
                           Node* expression, bool generated);
  void add_serial(TableBuild& build, catalog::Column& column, Oid type, const List* options, char identity);
  void copy_like(TableBuild& build, TableLikeClause* like);
  void copy_comment(TableBuild& build, Oid class_oid, Oid from, Oid to);
  /// WITH (...) and SET (...) of a relation; `of_table`: tables have an option of ours.
  void set_options(std::map<std::string, std::string>& options, const List* list, bool of_table = false);
  void reset_options(std::map<std::string, std::string>& options, const List* list);
  catalog::Column column_of_type(const std::string& name, const ResolvedType& type, const CollateClause* collate);
  /// Name of a type as stored text has it: schema.name, or SQL's name of a built-in one.
  std::string stored_type_name(Oid type, int32_t typmod);
  /// Writes the table, its indexes and sequences into the catalog.
  void commit_build(TableBuild& build);
  std::string create_table_as(CreateTableAsStmt* stmt);
  std::string select_into(SelectStmt* stmt);
  std::string fill_new_table(Node* query, IntoClause* into, bool materialized, bool if_not_exists);
  std::string refresh(RefreshMatViewStmt* stmt);

  // --- ddl_constraint.cc ---
  void add_check(TableBuild& build, ::Constraint* c, const std::string& column);
  /// PRIMARY KEY and UNIQUE: the constraint and its index. Returns the index's OID.
  Oid add_key(TableBuild& build, ::Constraint* c, const std::string& column);
  void add_reference(TableBuild& build, ::Constraint* c, const std::string& column);
  /// 0A000 for arrays and composites whose keys would have to know what a domain inside is over.
  void refuse_domain_within(Oid type);
  void check_indexable(Oid type, std::string_view method = "btree");
  /// The given name, checked to be new (42710), or table_column_label.
  std::string constraint_name(const TableBuild& build, const char* given, const std::string& columns,
                              const char* label);
  int16_t attnum_of(const catalog::Table& table, const std::string& name, const char* where);
  std::string create_index(IndexStmt* stmt);
  catalog::IndexKey index_key(const catalog::Table& table, IndexElem* element, std::string_view method);
  void fill_index(const catalog::Index& index);

  // --- ddl_alter.cc ---
  std::string alter_table(AlterTableStmt* stmt);
  void alter_one(Oid table, AlterTableCmd* command);
  void add_table_column(Oid table, AlterTableCmd* command);
  void add_table_constraint(Oid table, ::Constraint* c);
  void add_key_over_index(TableBuild& build, ::Constraint* c);
  void alter_identity(Oid table, AlterTableCmd* command);
  void drop_constraint(Oid table, AlterTableCmd* command);
  void validate_check(const catalog::Table& table, const catalog::Constraint& c);
  void validate_reference(const catalog::Table& table, const catalog::Constraint& c);
  void validate_not_null(const catalog::Table& table, const catalog::Column& column);

  // --- ddl_alter_type.cc ---
  void alter_column_types(Oid table, const std::vector<AlterTableCmd*>& commands);
  /// Gives the column its type in `next`. Returns the expression over the old row that computes it; none: its bytes stay.
  std::optional<std::string> change_column_type(const catalog::Table* old, catalog::Table& next,
                                                AlterTableCmd* command);
  void finish_column_type(Oid table, const catalog::Column& before);
  /// "table.column" of a column that stores values of a row type, or of types made of it; empty: there is none.
  std::string column_storing(Oid type);
  /// 0A000 where columns store rows of the table, whose new column would not be null in them.
  void refuse_stored_rows(const catalog::Table& table);
  /// 42P16 for a column of the type that it belongs to, or of one made of that.
  void refuse_membership_in_itself(Oid member, Oid type, const std::string& name);
  /// What types::reshape() is to do with values of `type` when `changed` changes as `shape` says.
  std::string shape_of(Oid type, Oid changed, const std::string& shape);
  /// Gives the values of a row type that tables store the columns it has now; origins[i]: the position that column i had, -1: it is
  /// new. The catalog has the new columns already.
  void reshape_stored(Oid type, const std::vector<catalog::Column>& columns, const std::vector<int>& origins);
  /// The same for a table's row type.
  void reshape_stored(const catalog::Table& before);
  /// What cannot be read any more with a changed type because it names an attribute that is gone. 0A000 for what makes values of it.
  struct Dependent {
    std::string attribute, described;
  };
  void check_expressions_over(const catalog::Table& table, const catalog::CompositeType& before,
                              std::vector<Dependent>* dependents);
  void refuse_used_in_views(Oid type);
  std::string alter_composite(AlterTableStmt* stmt);
  std::string rename_attribute(RenameStmt* stmt);

  // --- ddl_rows.cc ---
  /// SELECT `expressions` FROM the table, each cast as an assignment to `targets`.
  AnalyzedQuery rows_query(std::string_view sql, const std::vector<catalog::Column>& targets);
  AnalyzedQuery assign_outputs(StatementContext& statement, AnalyzedQuery query,
                               const std::vector<catalog::Column>& targets);
  bool has_rows(const std::string& sql);
  std::optional<std::string> first_text(const std::string& sql);
  /// Replaces the table by `next` (same OID) in new storage. expressions: attnum -> SQL of the columns that change; shapes: attnum ->
  /// what types::reshape() is told.
  void rewrite_table(const catalog::Table& next, const std::map<int16_t, std::string>& expressions,
                     std::vector<catalog::Index> next_indexes, const std::string& key_being_made = {},
                     const std::map<int16_t, std::string>& shapes = {});
  /// New storage for a table and its indexes, without rows.
  void empty_table(Oid table);

  // --- ddl_drop.cc ---
  /// Something that can depend or be dropped.
  struct Thing {
    enum class Kind : uint8_t { kSchema, kRelation, kColumn, kConstraint, kDefault, kType, kDomainConstraint } kind;
    Oid oid;
    int16_t attnum = 0;  // kColumn, kDefault
    std::string name;    // kConstraint
    auto operator<=>(const Thing&) const = default;
  };
  struct Edge {
    Thing dependent;
    bool automatic;  // goes without asking
    std::string on;  // what it depends on, when that is not the thing itself ("type mood[]")
  };
  /// Whether a stored query names this column of the table. What cannot be told counts as yes.
  bool view_names_column(const catalog::Catalog& catalog, const std::string& sql, Oid table, int16_t attnum);
  bool can_be_grouped(const std::string& sql, const std::vector<std::string>& path,
                      const std::shared_ptr<const catalog::Catalog>& catalog);
  std::vector<Edge> dependents(const catalog::Catalog& catalog, const Thing& thing);
  std::string describe(const catalog::Catalog& catalog, const Thing& thing);
  /// Drops `targets` with what depends on them. Errors: 2BP01.
  void drop_things(const std::vector<Thing>& targets, bool cascade);
  void carry_out(const std::set<Thing>& doomed);
  std::string drop(DropStmt* stmt);
  std::string truncate(TruncateStmt* stmt);
  void drop_relation_object(const catalog::Catalog& catalog, Oid relation);
  void drop_comments(Oid object);

  // --- ddl_rename.cc ---
  std::string rename(RenameStmt* stmt);
  std::string set_schema(AlterObjectSchemaStmt* stmt);
  std::string set_owner(AlterOwnerStmt* stmt);
  void change_owner(Oid object, Oid owner);
  void rename_column(Oid relation, const std::string& old_name, const std::string& new_name);
  void move_relation(Oid relation, Oid schema, const std::string& name);
  void move_type(Oid type, Oid schema, const std::string& name);

  // --- ddl_sequence.cc ---
  std::string create_sequence(CreateSeqStmt* stmt);
  std::string alter_sequence(AlterSeqStmt* stmt);
  /// `changed` tells whether RESTART was given, and the value.
  void sequence_options(catalog::Sequence& sequence, const List* options, bool is_new, std::optional<int64_t>* restart);
  void restart_sequence(catalog::Sequence sequence, int64_t value);

  // --- ddl_type.cc ---
  std::string create_enum(CreateEnumStmt* stmt);
  std::string alter_enum(AlterEnumStmt* stmt);
  std::string create_composite(CompositeTypeStmt* stmt);
  std::string create_domain(CreateDomainStmt* stmt);
  std::string alter_domain(AlterDomainStmt* stmt);
  /// A domain and those over it.
  std::set<Oid> domains_over(Oid domain);
  /// "table.column" of a column that has a domain's values inside its own; empty: there is none.
  std::string column_storing_within(Oid domain);
  void add_domain_check(StatementContext& statement, catalog::DomainType& domain, ::Constraint* c);
  void check_type_free(Oid schema, const std::string& name);

  // --- ddl_view.cc ---
  std::string create_view(ViewStmt* stmt);
  /// The text of a query that the catalog keeps, and what it names.
  struct StoredQuery {
    std::string sql;
    std::vector<catalog::Column> columns;
    std::vector<Oid> dependencies;
    bool temporary = false;
  };
  StoredQuery store_query(Node* select, const List* names);
  /// Stored queries of views and materialized views that `affected` picks, read with `before` and written again so that
  /// they mean the same in the present catalog, where relations or one column have other names.
  struct Rename {
    Oid relation;        // renamed or moved; or the table of the column
    int16_t attnum = 0;  // 0: the relation itself (or its schema)
    std::string new_column;
    Oid type;  // a renamed type instead
    std::string new_type;
  };
  std::string rename_in_query(const std::string& sql, const Rename& what);
  void rename_in_views(const Rename& what);
  void rename_type_everywhere(const catalog::Catalog& before, Oid type, const std::string& new_name);

  // --- ddl_role.cc ---
  /// What is kept of it: a verifier, or nothing of an empty one.
  std::string kept_password(const std::string& role, const std::string& password);
  /// The options that CREATE and ALTER share; false: another.
  bool set_role_option(catalog::Role& role, const DefElem* def);
  std::string create_role(CreateRoleStmt* stmt);
  std::string alter_role(AlterRoleStmt* stmt);
  std::string drop_role(DropRoleStmt* stmt);
  std::string grant(GrantStmt* stmt);
  std::string grant_role(GrantRoleStmt* stmt);

  // ddl.cc
  std::string create_schema(CreateSchemaStmt* stmt);
  std::string comment(CommentStmt* stmt);
  std::string create_extension(CreateExtensionStmt* stmt);

  DdlContext& context_;
  std::string_view text_;
  std::deque<std::shared_ptr<const catalog::Catalog>> held_;
};

/// 42809: the columns of a composite type are ALTER TYPE's.
[[noreturn]] void refuse_composite(const RangeVar* name);
/// Message of 42809 and its hint: `"v" is not a table`, HINT "Use DROP VIEW to remove a view.".
std::string_view relation_kind(const catalog::Catalog& catalog,
                               Oid relation);  // "table", "view", "index", "sequence", ...
/// The SET clause's or option's value as text.
std::string def_text(const DefElem* def);
int64_t def_int64(const DefElem* def);
bool def_bool(const DefElem* def);

}  // namespace omendb::sql
