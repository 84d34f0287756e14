// The objects of the catalog, as plain values. An object never changes once it is in a Catalog: a new version replaces it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strong_id.h"
#include "types/value.h"

namespace omendb::catalog {

/// OIDs of PostgreSQL's own catalogs, used as classid in comments and dependencies, and of fixed objects.
namespace oid {
inline constexpr Oid kPgClass{1259}, kPgType{1247}, kPgProc{1255}, kPgNamespace{2615}, kPgConstraint{2606},
    kPgAttrdef{2604}, kPgAuthid{1260}, kPgDatabase{1262};
inline constexpr Oid kPgCatalogSchema{11}, kPublicSchema{2200}, kInformationSchema{13000}, kBootstrapRole{10},
    kDatabase{5};
inline constexpr uint32_t kFirstUserOid = 16384;
}  // namespace oid

struct Schema {
  Oid oid;
  std::string name;
  Oid owner = oid::kBootstrapRole;
};

struct Column {
  int16_t attnum = 0;  // 1-based, never reused
  std::string name;
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;  // resolved when the column was made (enums and domains included)
  bool not_null = false;
  bool dropped = false;
  std::string default_sql;  // SQL text of the default, names qualified; empty: none. An identity column's is nextval
  char identity = 0;        // 'a' always, 'd' by default
  bool generated = false;   // default_sql is GENERATED ALWAYS AS (...) STORED
  Oid collation;            // kInvalidOid: not collatable; 100: default, 950: C
  /// Value of rows written before the column was added (PostgreSQL's attmissingval); unset: null.
  std::optional<types::Value> missing;
};

struct Constraint {
  enum class Kind : char { kPrimaryKey = 'p', kUnique = 'u', kCheck = 'c', kForeignKey = 'f' };
  Oid oid;
  std::string name;
  Kind kind = Kind::kCheck;
  std::vector<int16_t> columns;
  std::string check_sql;  // kCheck: the expression, names of columns bare
  Oid index;              // kPrimaryKey, kUnique
  bool deferrable = false;
  bool initially_deferred = false;
  bool validated = true;
  bool no_inherit = false;
  // kForeignKey
  Oid referenced_table;
  std::vector<int16_t> referenced_columns;
  char on_update = 'a';  // a no action, r restrict, c cascade, n set null, d set default
  char on_delete = 'a';
  std::vector<int16_t> on_delete_columns;  // ON DELETE SET NULL (x, ...); empty: all of `columns`
  char match = 's';                        // s simple, f full
};

struct IndexKey {
  int16_t attnum = 0;  // 0: an expression
  std::string expression_sql;
  bool descending = false;
  bool nulls_first = false;
  std::string opclass;           // as written, when it is not the type's default; its order is the default's
  Oid collation;                 // kInvalidOid: the column's
  Oid type;                      // of an expression; kInvalidOid for a column
  types::PhysicalType physical;  // of an expression
};

struct Index {
  Oid oid;
  Oid schema;
  std::string name;
  Oid table;
  StorageId storage;  // of the index entries; the primary index has the table's own storage
  bool unique = false;
  bool primary = false;  // the rows lie in its order; a deferrable primary key's index is like any other
  bool nulls_not_distinct = false;
  std::vector<IndexKey> keys;
  std::vector<int16_t> included;
  std::string predicate_sql;  // partial index; empty: none
  std::string method = "btree";
  std::map<std::string, std::string> options;
};

struct Table {
  Oid oid;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  char persistence = 'p';  // p permanent, u unlogged, t temporary
  StorageId storage;
  std::vector<Column> columns;  // by attnum, dropped ones included
  std::vector<Constraint> constraints;
  std::vector<Oid> indexes;  // the primary one included, as PostgreSQL's pg_index lists it
  Oid row_type;
  Oid array_type;
  std::map<std::string, std::string> options;
  char on_commit = 'n';  // temporary: n preserve, d delete rows, D drop
  // A materialized view is a table that remembers its SELECT (fields as in View).
  std::string view_sql;
  std::vector<std::string> view_search_path;
  std::vector<Oid> view_dependencies;
  bool populated = true;
  bool is_materialized_view() const { return !view_sql.empty(); }
  /// The columns that the rows lie in the order of; empty: rows have a hidden key, an ascending 8-byte number. They are the primary
  /// key's, unless it is deferrable: then two rows may have one for a while.
  std::vector<int16_t> primary_key() const;
  const Constraint* primary_constraint() const;
  const Column* find_column(std::string_view name) const;  // live columns only
  /// By attnum; nullptr when there is none or it was dropped.
  const Column* column(int16_t attnum) const;
  const Constraint* find_constraint(std::string_view name) const;
};

struct View {
  Oid oid;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  std::string sql;                       // the SELECT
  std::vector<std::string> search_path;  // under which `sql` is read
  std::vector<Column> columns;           // names and types, fixed when the view was made
  std::vector<Oid> dependencies;         // relations, types and functions that `sql` names
  Oid row_type;
  Oid array_type;
  char check_option = 0;  // 'l' local, 'c' cascaded
  std::map<std::string, std::string> options;
};

struct Sequence {
  Oid oid;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  StorageId storage;  // of its counter, which is not transactional
  Oid type;           // int2, int4 or int8
  int64_t start = 1, increment = 1, min = 1, max = INT64_MAX, cache = 1;
  bool cycle = false;
  Oid owned_by_table;
  int16_t owned_by_column = 0;
  bool identity = false;
  char persistence = 'p';
};

struct EnumLabel {
  Oid oid;
  float sort_order = 0;
  std::string label;
};

struct EnumType {
  Oid oid;
  Oid array_type;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  std::vector<EnumLabel> labels;  // by sort_order
};

struct DomainType {
  Oid oid;
  Oid array_type;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  Oid base_type;
  int32_t typmod = -1;
  bool not_null = false;
  std::string default_sql;
  std::vector<Constraint> checks;  // check_sql over VALUE
};

struct CompositeType {
  Oid oid;
  Oid array_type;
  Oid schema;
  std::string name;
  Oid owner = oid::kBootstrapRole;
  Oid relation;  // its row in pg_class
  std::vector<Column> columns;
};

struct Role {
  Oid oid;
  std::string name;
  bool superuser = false, create_role = false, create_db = false, login = false, replication = false, inherit = true,
       bypass_rls = false;
  int connection_limit = -1;
  std::string password;  // a verifier (password.h); empty: none
  std::vector<Oid> member_of;
};

/// COMMENT ON; keyed by what it describes.
struct Comment {
  Oid oid;
  Oid class_oid;
  Oid object;
  int32_t sub_object = 0;  // column number
  std::string text;
};

using Object = std::variant<Schema, Table, Index, View, Sequence, EnumType, DomainType, CompositeType, Role, Comment>;

Oid object_oid(const Object& object);
/// Its unqualified name; empty for a comment.
std::string_view object_name(const Object& object);
/// The schema it lives in; kInvalidOid for schemas, roles and comments.
Oid object_schema(const Object& object);

}  // namespace omendb::catalog
