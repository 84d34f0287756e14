// Keys, checks, references and indexes.
#include <algorithm>
#include <set>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/pg_data.h"
#include "types/type.h"

#include "sql/frontend/coerce.h"

#include "sql/frontend/ddl_internal.h"
#include "sql/frontend/query.h"

namespace omendb::sql {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : "_") + name;
  return out;
}

/// Types with a default operator class of an access method, from pg_opclass.
const std::set<uint32_t>& types_with_opclass(std::string_view method) {
  static const auto load = [](std::string_view wanted) {
    std::set<uint32_t> types;
    PgDataTable t = parse_pg_data("pg_opclass");
    const size_t am = t.column("opcmethod"), is_default = t.column("opcdefault"), in = t.column("opcintype");
    for (const auto& row : t.rows) {
      if (row[am] == wanted && row[is_default] == "t")
        types.insert(static_cast<uint32_t>(std::stoul(std::string(row[in]))));
    }
    return types;
  };
  static const std::set<uint32_t> btree = load("403"), hash = load("405");
  return method == "hash" ? hash : btree;
}

/// Whether a btree operator family compares values of the two types.
bool of_one_family(Oid a, Oid b) {
  using namespace types;
  for (std::initializer_list<Oid> family : {std::initializer_list<Oid>{oid::kInt2, oid::kInt4, oid::kInt8},
                                            {oid::kFloat4, oid::kFloat8},
                                            {oid::kDate, oid::kTimestamp, oid::kTimestampTz},
                                            {oid::kText, oid::kName}}) {
    if (std::find(family.begin(), family.end(), a) != family.end() &&
        std::find(family.begin(), family.end(), b) != family.end())
      return true;
  }
  return false;
}

}  // namespace

int16_t Ddl::attnum_of(const catalog::Table& table, const std::string& name, const char* where) {
  const catalog::Column* column = table.find_column(name);
  if (column != nullptr) return column->attnum;
  if (where == nullptr) {
    throw SqlError(SqlState::kUndefinedColumn,
                   "column " + quoted(name) + " of relation " + quoted(table.name) + " does not exist");
  }
  throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(name) + " " + where + " does not exist");
}

void Ddl::refuse_domain_within(Oid type) {
  auto now = catalog();
  Oid base = type;
  while (auto* domain = now->find<catalog::DomainType>(base)) base = domain->base_type;
  Oid element = types::array_element_type(base);
  if (element == kInvalidOid) element = now->element_of_array(base);
  if (element != kInvalidOid) return refuse_domain_within(element);
  if (const auto* columns = composite_columns(*now, base)) {
    for (const catalog::Column& column : *columns) {
      if (!column.dropped) refuse_domain_within(column.type);
    }
    return;
  }
  // Keys are made of the bytes alone, which say the domain's name and not what it is over.
  if (base != type && types::physical_type(base, -1).kind == types::Physical::kBytes &&
      now->find<catalog::EnumType>(base) == nullptr) {
    not_supported("an index on values with type " + format_type(*now, type, -1) + " inside");
  }
}

void Ddl::check_indexable(Oid type, std::string_view method) {
  auto now = catalog();
  Oid base = type;
  while (auto* domain = now->find<catalog::DomainType>(base)) base = domain->base_type;
  if (now->find<catalog::EnumType>(base) != nullptr) return;
  if (composite_columns(*now, base) != nullptr) return refuse_domain_within(base);
  Oid element = types::array_element_type(base);
  if (element == kInvalidOid) element = now->element_of_array(base);
  if (element != kInvalidOid) {
    refuse_domain_within(element);
    return check_indexable(element, method);
  }
  // Binary-coercible to a type that has one.
  if (base == types::oid::kVarchar) base = types::oid::kText;
  if (base == types::oid::kCidr) base = types::oid::kInet;
  if (types_with_opclass(method).count(base.value) != 0) return;
  const types::TypeInfo* info = types::find_type(base);
  if (info != nullptr && (info->kind == 'r' || info->kind == 'm')) return;
  throw SqlError(SqlState::kUndefinedObject, "data type " + format_type(*now, type, -1) +
                                                 " has no default operator class for access method \"" +
                                                 std::string(method) + "\"")
      .hint("You must specify an operator class for the index or define a default operator class for the data type.");
}

std::string Ddl::constraint_name(const TableBuild& build, const char* given, const std::string& columns,
                                 const char* label) {
  auto taken = [&](const std::string& name) { return build.table.find_constraint(name) != nullptr; };
  if (given != nullptr) {
    if (taken(given)) {
      throw SqlError(SqlState::kDuplicateObject,
                     "constraint " + quoted(given) + " for relation " + quoted(build.table.name) + " already exists");
    }
    return given;
  }
  return choose_name(build.table.name, columns, label, taken);
}

void Ddl::add_check(TableBuild& build, ::Constraint* c, const std::string&) {
  StatementContext statement = context_.analysis(text_);
  (void)analyze_check(statement, c->raw_expr, &build.table);
  catalog::Constraint check;
  check.oid = new_oid();
  check.kind = catalog::Constraint::Kind::kCheck;
  check.check_sql = store_text(statement, c->raw_expr, &build.table);
  for (const std::string& name : uses_of(*statement.catalog, check.check_sql).columns) {
    if (const catalog::Column* column = build.table.find_column(name)) check.columns.push_back(column->attnum);
  }
  std::sort(check.columns.begin(), check.columns.end());
  check.no_inherit = c->is_no_inherit;
  check.validated = !c->skip_validation;
  check.name = constraint_name(
      build, c->conname,
      check.columns.size() == 1 ? build.table.columns[static_cast<size_t>(check.columns[0]) - 1].name : "", "check");
  build.table.constraints.push_back(std::move(check));
}

void Ddl::tell_implicit_index(const catalog::Table& table, const catalog::Index& index, bool primary,
                              bool created_with_table) {
  debug(std::string(created_with_table ? "CREATE TABLE / " : "ALTER TABLE / ADD ") +
        (primary ? "PRIMARY KEY" : "UNIQUE") + " will create implicit index " + quoted(index.name) + " for table " +
        quoted(table.name));
}

Oid Ddl::add_key(TableBuild& build, ::Constraint* c, const std::string& column) {
  catalog::Table& table = build.table;
  const bool primary = c->contype == CONSTR_PRIMARY;
  const bool rows_lie_under_it = primary && !c->deferrable;
  if (primary && table.primary_constraint() != nullptr) {
    throw SqlError(SqlState::kInvalidTableDefinition,
                   "multiple primary keys for table " + quoted(table.name) + " are not allowed", c->location);
  }
  std::vector<std::string> names = column.empty() ? strings_of(c->keys) : std::vector<std::string>{column};
  if (!column.empty() && c->keys != nullptr) names = strings_of(c->keys);
  catalog::Constraint key;
  key.oid = new_oid();
  key.kind = primary ? catalog::Constraint::Kind::kPrimaryKey : catalog::Constraint::Kind::kUnique;
  key.deferrable = c->deferrable;
  key.initially_deferred = c->initdeferred;
  catalog::Index index;
  index.oid = new_oid();
  index.schema = table.schema;
  index.table = table.oid;
  index.unique = true;
  index.primary = rows_lie_under_it;
  index.nulls_not_distinct = c->nulls_not_distinct;
  set_options(index.options, c->options);
  for (const std::string& name : names) {
    const catalog::Column* found = table.find_column(name);
    if (found == nullptr) {
      throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(name) + " named in key does not exist",
                     c->location);
    }
    if (std::find(key.columns.begin(), key.columns.end(), found->attnum) != key.columns.end()) {
      throw SqlError(
          SqlState::kDuplicateColumn,
          "column " + quoted(name) + " appears twice in " + (primary ? "primary key" : "unique") + " constraint",
          c->location);
    }
    check_indexable(found->type);
    key.columns.push_back(found->attnum);
    index.keys.push_back({.attnum = found->attnum});
    if (primary) table.columns[static_cast<size_t>(found->attnum) - 1].not_null = true;
  }
  std::vector<std::string> all = names;
  for (const std::string& name : strings_of(c->including)) {
    const catalog::Column* found = table.find_column(name);
    if (found == nullptr) {
      throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(name) + " named in key does not exist",
                     c->location);
    }
    index.included.push_back(found->attnum);
    all.push_back(name);
  }
  if (c->conname != nullptr) {
    key.name = constraint_name(build, c->conname, "", "");
    if (name_taken(build, key.name)) {
      throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(key.name) + " already exists");
    }
  } else {
    auto taken = [&](const std::string& name) {
      return name_taken(build, name) || table.find_constraint(name) != nullptr;
    };
    key.name =
        primary ? choose_name(table.name, "", "pkey", taken) : choose_name(table.name, joined(all), "key", taken);
  }
  index.name = key.name;
  index.storage = rows_lie_under_it ? table.storage : new_storage();
  key.index = index.oid;
  tell_implicit_index(table, index, primary, catalog()->find<catalog::Table>(table.oid) == nullptr);
  table.indexes.push_back(index.oid);
  table.constraints.push_back(std::move(key));
  build.new_indexes.push_back(std::move(index));
  return table.indexes.back();
}

void Ddl::add_reference(TableBuild& build, ::Constraint* c, const std::string& column) {
  catalog::Table& table = build.table;
  catalog::Constraint reference;
  reference.oid = new_oid();
  reference.kind = catalog::Constraint::Kind::kForeignKey;
  reference.deferrable = c->deferrable;
  reference.initially_deferred = c->initdeferred;
  reference.validated = !c->skip_validation;
  reference.on_update = c->fk_upd_action;
  reference.on_delete = c->fk_del_action;
  reference.match = c->fk_matchtype;
  if (c->fk_matchtype == 'p') throw SqlError(SqlState::kFeatureNotSupported, "MATCH PARTIAL not yet implemented");
  std::vector<std::string> names = c->fk_attrs != nullptr ? strings_of(c->fk_attrs) : std::vector<std::string>{column};
  for (const std::string& name : names) {
    if (is_system_column(name))
      throw SqlError(SqlState::kFeatureNotSupported, "system columns cannot be used in foreign keys");
    const catalog::Column* found = table.find_column(name);
    if (found == nullptr) {
      throw SqlError(SqlState::kUndefinedColumn,
                     "column " + quoted(name) + " referenced in foreign key constraint does not exist");
    }
    reference.columns.push_back(found->attnum);
  }
  for (const std::string& name : strings_of(c->fk_del_set_cols)) {
    const int16_t attnum = attnum_of(table, name, "referenced in foreign key constraint");
    if (std::find(reference.columns.begin(), reference.columns.end(), attnum) == reference.columns.end()) {
      throw SqlError(SqlState::kInvalidColumnReference,
                     "column " + quoted(name) + " referenced in ON DELETE SET action must be part of foreign key");
    }
    reference.on_delete_columns.push_back(attnum);
  }
  // The referenced table may be the one being made.
  const catalog::Table* target = nullptr;
  const bool self = table.name == c->pktable->relname &&
                    (c->pktable->schemaname == nullptr ? lookup_relation(nullptr, c->pktable->relname) == kInvalidOid ||
                                                             lookup_relation(nullptr, c->pktable->relname) == table.oid
                                                       : schema_name(table.schema) == c->pktable->schemaname);
  if (self) {
    target = &table;
  } else {
    Oid oid = open_relation(c->pktable, txn::ObjectLockMode::kShareRowExclusive, false);
    target = catalog()->find<catalog::Table>(oid);
    if (target == nullptr || target->is_materialized_view()) {
      throw SqlError(SqlState::kWrongObjectType,
                     "referenced relation " + quoted(c->pktable->relname) + " is not a table");
    }
    if (table.persistence == 'p' && target->persistence != 'p') {
      throw SqlError(SqlState::kInvalidTableDefinition,
                     "constraints on permanent tables may reference only permanent tables");
    }
    if (table.persistence == 't' && target->persistence != 't') {
      throw SqlError(SqlState::kInvalidTableDefinition,
                     "constraints on temporary tables may reference only temporary tables");
    }
  }
  reference.referenced_table = target->oid;
  std::vector<std::string> wanted = strings_of(c->pk_attrs);
  const auto refuse_deferrable = [&](const catalog::Constraint& key, const char* kind) {
    if (!key.deferrable) return;
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   std::string("cannot use a deferrable ") + kind + " for referenced table " + quoted(target->name));
  };
  if (wanted.empty()) {
    const auto* key = target->primary_constraint();
    if (key == nullptr) {
      throw SqlError(SqlState::kUndefinedObject,
                     "there is no primary key for referenced table " + quoted(target->name));
    }
    refuse_deferrable(*key, "primary key");
    reference.referenced_columns = key->columns;
  }
  for (const std::string& name : wanted) {
    if (is_system_column(name))
      throw SqlError(SqlState::kFeatureNotSupported, "system columns cannot be used in foreign keys");
    const catalog::Column* found = target->find_column(name);
    if (found == nullptr) {
      throw SqlError(SqlState::kUndefinedColumn,
                     "column " + quoted(name) + " referenced in foreign key constraint does not exist");
    }
    reference.referenced_columns.push_back(found->attnum);
  }
  // What a generated column is computed from would have to change.
  for (int16_t attnum : reference.columns) {
    if (!table.columns[static_cast<size_t>(attnum) - 1].generated) continue;
    auto sets = [](char action) { return action == FKCONSTR_ACTION_SETNULL || action == FKCONSTR_ACTION_SETDEFAULT; };
    if (sets(c->fk_upd_action) || c->fk_upd_action == FKCONSTR_ACTION_CASCADE) {
      throw SqlError(SqlState::kSyntaxError,
                     "invalid ON UPDATE action for foreign key constraint containing generated column");
    }
    if (sets(c->fk_del_action)) {
      throw SqlError(SqlState::kSyntaxError,
                     "invalid ON DELETE action for foreign key constraint containing generated column");
    }
  }
  if (reference.columns.size() != reference.referenced_columns.size()) {
    throw SqlError(SqlState::kInvalidForeignKey,
                   "number of referencing and referenced columns for foreign key disagree");
  }
  // A unique index over exactly these columns, in any order.
  auto sorted = [](std::vector<int16_t> v) {
    std::sort(v.begin(), v.end());
    return v;
  };
  auto wanted_set = sorted(reference.referenced_columns);
  const catalog::Constraint* deferrable = nullptr;
  for (Oid oid : target->indexes) {
    const catalog::Index* index = nullptr;
    for (const auto& made : build.new_indexes) {
      if (made.oid == oid) index = &made;
    }
    if (index == nullptr) index = catalog()->find<catalog::Index>(oid);
    if (index == nullptr || !index->unique || !index->predicate_sql.empty()) continue;
    std::vector<int16_t> columns;
    for (const auto& key : index->keys) columns.push_back(key.attnum);
    if (sorted(columns) != wanted_set || std::find(columns.begin(), columns.end(), 0) != columns.end()) continue;
    const auto constraint = std::find_if(target->constraints.begin(), target->constraints.end(), [&](const auto& k) {
      return k.index == oid && k.kind != catalog::Constraint::Kind::kForeignKey;
    });
    if (constraint != target->constraints.end() && constraint->deferrable) {
      deferrable = &*constraint;
      continue;
    }
    reference.index = oid;
    break;
  }
  if (reference.index == kInvalidOid && deferrable != nullptr) refuse_deferrable(*deferrable, "unique constraint");
  if (reference.index == kInvalidOid) {
    throw SqlError(SqlState::kInvalidForeignKey,
                   "there is no unique constraint matching given keys for referenced table " + quoted(target->name));
  }
  std::string name_part = joined(names);
  reference.name = constraint_name(build, c->conname, name_part, "fkey");
  StatementContext statement = context_.analysis(text_);
  for (size_t i = 0; i < reference.columns.size(); ++i) {
    const catalog::Column& from = table.columns[static_cast<size_t>(reference.columns[i]) - 1];
    const catalog::Column& to = target->columns[static_cast<size_t>(reference.referenced_columns[i]) - 1];
    if (from.type == to.type) continue;
    Scope scope;
    scope.statement = &statement;
    TypedExpr probe;
    probe.type = from.type;
    probe.typmod = from.typmod;
    probe.physical = from.physical;
    const CastRow* cast = find_cast(from.type, to.type);
    if ((cast == nullptr || cast->context != 'i') && !of_one_family(from.type, to.type)) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     "foreign key constraint " + quoted(reference.name) + " cannot be implemented")
          .detail("Key columns " + quoted(from.name) + " and " + quoted(to.name) +
                  " are of incompatible types: " + format_type(*statement.catalog, from.type, -1) + " and " +
                  format_type(*statement.catalog, to.type, -1) + ".");
    }
  }
  table.constraints.push_back(std::move(reference));
}

void Ddl::finish_constraints(TableBuild& build) {
  auto of_kind = [&](std::initializer_list<ConstrType> kinds, auto act) {
    for (auto& pending : build.constraints) {
      if (std::find(kinds.begin(), kinds.end(), pending.constraint->contype) != kinds.end())
        act(pending.constraint, pending.column);
    }
  };
  of_kind({CONSTR_EXCLUSION}, [](::Constraint* c, const std::string&) { not_supported("EXCLUDE", c->location); });
  of_kind({CONSTR_CHECK}, [&](::Constraint* c, const std::string& column) { add_check(build, c, column); });
  of_kind({CONSTR_PRIMARY}, [&](::Constraint* c, const std::string& column) { add_key(build, c, column); });
  // Two UNIQUE over the same columns are one, as in PostgreSQL.
  std::vector<std::vector<int16_t>> seen;
  of_kind({CONSTR_UNIQUE}, [&](::Constraint* c, const std::string& column) {
    std::vector<int16_t> columns;
    std::vector<std::string> names = c->keys != nullptr ? strings_of(c->keys) : std::vector<std::string>{column};
    for (const std::string& name : names) {
      if (auto* found = build.table.find_column(name)) columns.push_back(found->attnum);
    }
    const auto* primary = build.table.primary_constraint();
    const bool same_as_primary = primary != nullptr && columns == primary->columns && c->conname == nullptr &&
                                 c->including == nullptr && c->deferrable == primary->deferrable &&
                                 c->initdeferred == primary->initially_deferred;
    // Two that are checked at other times are two.
    columns.push_back(static_cast<int16_t>(-1 - (c->deferrable ? 1 : 0) - (c->initdeferred ? 2 : 0)));
    if (same_as_primary || (c->conname == nullptr && std::find(seen.begin(), seen.end(), columns) != seen.end()))
      return;
    seen.push_back(columns);
    add_key(build, c, column);
  });
  for (Oid oid : build.like_indexes) {
    const catalog::Index* source = catalog()->find<catalog::Index>(oid);
    const auto& moved = build.like_columns[oid];
    const catalog::Table* from = catalog()->find<catalog::Table>(source->table);
    const catalog::Constraint* constraint = nullptr;
    for (const auto& each : from->constraints) {
      if (each.index == oid && each.kind != catalog::Constraint::Kind::kForeignKey) constraint = &each;
    }
    const bool primary = constraint != nullptr && constraint->kind == catalog::Constraint::Kind::kPrimaryKey;
    if (primary && build.table.primary_constraint() != nullptr) {
      throw SqlError(SqlState::kInvalidTableDefinition,
                     "multiple primary keys for table " + quoted(build.table.name) + " are not allowed");
    }
    catalog::Index index = *source;
    index.oid = new_oid();
    index.schema = build.table.schema;
    index.table = build.table.oid;
    std::vector<std::string> names;
    for (auto& key : index.keys) {
      if (key.attnum != 0) key.attnum = moved.at(key.attnum);
      names.push_back(key.attnum != 0 ? build.table.columns[static_cast<size_t>(key.attnum) - 1].name : "expr");
    }
    for (auto& attnum : index.included) attnum = moved.at(attnum);
    auto taken = [&](const std::string& name) { return name_taken(build, name); };
    index.name = primary ? choose_name(build.table.name, "", "pkey", taken)
                         : choose_name(build.table.name, joined(names), constraint != nullptr ? "key" : "idx", taken);
    index.storage = source->primary ? build.table.storage : new_storage();
    if (build.like_comments) copy_comment(build, catalog::oid::kPgClass, oid, index.oid);
    if (constraint != nullptr) {
      tell_implicit_index(build.table, index, primary, false);  // PostgreSQL adds it to the table once that is there
      catalog::Constraint copy = *constraint;
      copy.oid = new_oid();
      if (build.like_comments) copy_comment(build, catalog::oid::kPgConstraint, constraint->oid, copy.oid);
      copy.index = index.oid;
      copy.name = index.name;
      for (auto& attnum : copy.columns) attnum = moved.at(attnum);
      for (auto attnum : copy.columns) {
        if (primary) build.table.columns[static_cast<size_t>(attnum) - 1].not_null = true;
      }
      build.table.constraints.push_back(std::move(copy));
    }
    build.table.indexes.push_back(index.oid);
    build.new_indexes.push_back(std::move(index));
  }
  of_kind({CONSTR_FOREIGN}, [&](::Constraint* c, const std::string& column) { add_reference(build, c, column); });
  build.constraints.clear();
}

catalog::IndexKey Ddl::index_key(const catalog::Table& table, IndexElem* element, std::string_view method) {
  StatementContext statement = context_.analysis(text_);
  catalog::IndexKey key;
  Oid type;
  if (element->name != nullptr) {
    const catalog::Column* column = table.find_column(element->name);
    if (column == nullptr)
      throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(element->name) + " does not exist");
    key.attnum = column->attnum;
    type = column->type;
  } else {
    TypedExpr analyzed = analyze_in(statement, element->expr, &table, ExprKind::kIndexExpression);
    if (analyzed.is_volatile) {
      throw SqlError(SqlState::kInvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE");
    }
    Scope scope;
    scope.statement = &statement;
    analyzed = resolve_unknown(scope, std::move(analyzed));
    type = analyzed.type;
    key.type = analyzed.type;
    key.physical = physical_of(statement, analyzed.type, analyzed.typmod);
    if (key.physical != analyzed.physical)
      analyzed = coerce(scope, std::move(analyzed), type, -1, CoercionContext::kExplicit);
    key.expression_sql = store_text(statement, element->expr, &table);
  }
  if (element->opclass == nullptr) {
    check_indexable(type, method);
  } else {
    key.opclass = strings_of(element->opclass).back();
    // Orders that differ from the type's own would be wrong; with byte-ordered text the pattern classes are the same order.
    const bool fine = key.opclass.ends_with("_pattern_ops") || key.opclass.ends_with("_ops");
    bool known = false;
    PgDataTable t = parse_pg_data("pg_opclass");
    const size_t name = t.column("opcname"), am = t.column("opcmethod"), is_default = t.column("opcdefault");
    const size_t input = t.column("opcintype");
    bool is_the_default = false;
    Oid wanted;
    for (const auto& row : t.rows) {
      if (row[name] != key.opclass || row[am] != "403") continue;
      known = true;
      wanted = Oid{static_cast<uint32_t>(std::stoul(std::string(row[input])))};
      is_the_default = row[is_default] == "t";
    }
    if (!known || !fine) {
      throw SqlError(SqlState::kUndefinedObject, "operator class " + quoted(key.opclass) +
                                                     " does not exist for access method \"" + std::string(method) +
                                                     "\"");
    }
    const Oid base = base_type_of(statement, type);
    const types::TypeInfo* wanted_type = types::find_type(wanted);
    const bool any = wanted_type == nullptr || wanted_type->category == 'P';
    if (!any && base != wanted && !(wanted == types::oid::kText && base == types::oid::kVarchar) &&
        !(wanted == types::oid::kInet && base == types::oid::kCidr)) {
      throw SqlError(SqlState::kDatatypeMismatch, "operator class " + quoted(key.opclass) +
                                                      " does not accept data type " +
                                                      format_type(*statement.catalog, type, -1));
    }
    if (is_the_default)
      key.opclass.clear();
    else if (!key.opclass.ends_with("_pattern_ops"))
      not_supported("operator class " + key.opclass);
  }
  if (element->collation != nullptr) {
    std::string collation = strings_of(element->collation).back();
    key.collation = collation == "default" ? Oid{100}
                    : collation == "C"     ? Oid{950}
                    : collation == "POSIX" ? Oid{951}
                                           : kInvalidOid;
    if (key.collation == kInvalidOid) {
      throw SqlError(SqlState::kUndefinedObject,
                     "collation " + quoted(collation) + " for encoding \"UTF8\" does not exist");
    }
  }
  auto refuse_options = [&](const char* options) {
    throw SqlError(SqlState::kFeatureNotSupported,
                   "access method \"" + std::string(method) + "\" does not support " + options + " options");
  };
  if (method != "btree" && element->ordering != SORTBY_DEFAULT) refuse_options("ASC/DESC");
  if (method != "btree" && element->nulls_ordering != SORTBY_NULLS_DEFAULT) refuse_options("NULLS FIRST/LAST");
  key.descending = element->ordering == SORTBY_DESC;
  key.nulls_first = element->nulls_ordering == SORTBY_NULLS_FIRST ||
                    (element->nulls_ordering == SORTBY_NULLS_DEFAULT && key.descending);
  return key;
}

void Ddl::fill_index(const catalog::Index& index) {
  auto now = catalog();
  const catalog::Table* table = now->find<catalog::Table>(index.table);
  table::TableAccess access(*now, *table);
  for (size_t i = 0; i < access.secondary().size(); ++i) {
    if (access.secondary()[i].index.oid != index.oid) continue;
    throw_if_error(context_.database().build_index(context_.transaction(), access, i));
    return;
  }
}

void Ddl::add_key_over_index(TableBuild& build, ::Constraint* c) {
  auto now = catalog();
  const std::string name = quoted(c->indexname);
  auto refuse = [&](const std::string& message) {
    throw SqlError(SqlState::kWrongObjectType, message, c->location)
        .detail("Cannot create a primary key or unique constraint using such an index.");
  };
  const bool primary = c->contype == CONSTR_PRIMARY;
  const catalog::Index* index = now->find<catalog::Index>(now->find_relation(build.table.schema, c->indexname));
  if (index == nullptr) throw SqlError(SqlState::kUndefinedObject, "index " + name + " does not exist", c->location);
  for (const auto& other : build.table.constraints) {
    if (other.kind == catalog::Constraint::Kind::kForeignKey || other.index != index->oid) continue;
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   "index " + name + " is already associated with a constraint", c->location);
  }
  if (index->table != build.table.oid) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                   "index " + name + " does not belong to table " + quoted(build.table.name), c->location);
  }
  if (!index->unique) refuse(name + " is not a unique index");
  for (size_t i = 0; i < index->keys.size(); ++i) {
    if (index->keys[i].attnum == 0) refuse("index " + name + " contains expressions");
  }
  if (!index->predicate_sql.empty()) refuse(name + " is a partial index");
  for (size_t i = 0; i < index->keys.size(); ++i) {
    if (index->keys[i].descending || index->keys[i].nulls_first) {
      refuse("index " + name + " column number " + std::to_string(i + 1) + " does not have default sorting behavior");
    }
  }
  if (primary && build.table.primary_constraint() != nullptr) {
    throw SqlError(SqlState::kInvalidTableDefinition,
                   "multiple primary keys for table " + quoted(build.table.name) + " are not allowed");
  }
  catalog::Index next = *index;
  catalog::Constraint key;
  key.oid = new_oid();
  key.kind = primary ? catalog::Constraint::Kind::kPrimaryKey : catalog::Constraint::Kind::kUnique;
  key.deferrable = c->deferrable;
  key.initially_deferred = c->initdeferred;
  key.name = c->conname == nullptr ? next.name : c->conname;
  key.index = next.oid;
  for (const auto& k : next.keys) key.columns.push_back(k.attnum);
  if (next.name != key.name) {
    notice(SqlState::kSuccessfulCompletion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index " +
                                                quoted(next.name) + " to " + quoted(key.name));
  }
  next.name = key.name;
  build.table.constraints.push_back(std::move(key));
  if (primary) {
    const catalog::Table* old = now->find<catalog::Table>(build.table.oid);
    for (const auto& k : next.keys) {
      catalog::Column& column = build.table.columns[static_cast<size_t>(k.attnum) - 1];
      if (!column.not_null) validate_not_null(*old, column);
      column.not_null = true;
    }
  }
  if (!primary || c->deferrable) {
    put(std::move(next));
    put(std::move(build.table));
    return;
  }
  next.primary = true;
  rewrite_table(build.table, {}, {next}, next.name);
}

std::string Ddl::create_index(IndexStmt* stmt) {
  if (stmt->concurrent && context_.in_transaction_block()) {
    throw SqlError(SqlState::kActiveSqlTransaction, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  if (stmt->tableSpace != nullptr && std::string_view(stmt->tableSpace) != "pg_default") {
    throw SqlError(SqlState::kUndefinedObject, "tablespace " + quoted(stmt->tableSpace) + " does not exist");
  }
  std::string method = stmt->accessMethod == nullptr ? "btree" : stmt->accessMethod;
  if (method == "gin" || method == "gist" || method == "brin" || method == "spgist")
    not_supported("an index of access method " + method);
  if (method != "btree" && method != "hash") {
    throw SqlError(SqlState::kUndefinedObject, "access method " + quoted(method) + " does not exist");
  }
  if (method == "hash" && stmt->unique) {
    throw SqlError(SqlState::kFeatureNotSupported, "access method \"hash\" does not support unique indexes");
  }
  if (method == "hash" && list_length(stmt->indexParams) > 1) {
    throw SqlError(SqlState::kFeatureNotSupported, "access method \"hash\" does not support multicolumn indexes");
  }
  Oid oid = open_relation(stmt->relation, txn::ObjectLockMode::kShare, false);
  auto now = catalog();
  const catalog::Table* table = now->find<catalog::Table>(oid);
  if (relation_kind(*now, oid) == "composite type")
    throw SqlError(SqlState::kWrongObjectType, quoted(stmt->relation->relname) + " is a composite type");
  if (table == nullptr) {
    throw SqlError(SqlState::kWrongObjectType, "cannot create index on relation " + quoted(stmt->relation->relname))
        .detail("This operation is not supported for " + std::string(relation_kind(*now, oid)) +
                (relation_kind(*now, oid) == "index" ? "es." : "s."));
  }
  check_owner(table->owner, "table", table->name);
  catalog::Index index;
  index.oid = new_oid();
  index.schema = table->schema;
  index.table = oid;
  index.unique = stmt->unique;
  index.nulls_not_distinct = stmt->nulls_not_distinct;
  index.method = method;
  set_options(index.options, stmt->options);
  std::vector<std::string> names;
  for_list<IndexElem>(stmt->indexParams, [&](IndexElem* element) {
    index.keys.push_back(index_key(*table, element, method));
    std::string name = element->name != nullptr ? element->name : target_name(element->expr);
    if (name == "?column?") name = "expr";
    // Equal names within one index are numbered.
    std::string base = name;
    for (int n = 1; std::find(names.begin(), names.end(), name) != names.end(); ++n) name = base + std::to_string(n);
    names.push_back(name);
  });
  for_list<IndexElem>(stmt->indexIncludingParams, [&](IndexElem* element) {
    if (element->name == nullptr)
      throw SqlError(SqlState::kFeatureNotSupported, "expressions are not supported in included columns");
    const catalog::Column* column = table->find_column(element->name);
    if (column == nullptr)
      throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(element->name) + " does not exist");
    index.included.push_back(column->attnum);
    names.push_back(element->name);
  });
  if (stmt->whereClause != nullptr) {
    StatementContext statement = context_.analysis(text_);
    Scope scope;
    scope.statement = &statement;
    TypedExpr predicate =
        coerce_to_boolean(scope, analyze_in(statement, stmt->whereClause, table, ExprKind::kIndexPredicate), "WHERE");
    if (predicate.is_volatile) {
      throw SqlError(SqlState::kInvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE");
    }
    index.predicate_sql = store_text(statement, stmt->whereClause, table);
  }
  if (stmt->idxname != nullptr) {
    index.name = stmt->idxname;
    if (now->find_relation(index.schema, index.name) != kInvalidOid) {
      if (!stmt->if_not_exists)
        throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(index.name) + " already exists");
      notice(SqlState::kDuplicateTable, "relation " + quoted(index.name) + " already exists, skipping");
      return "CREATE INDEX";
    }
  } else {
    index.name = choose_relation_name(index.schema, table->name, joined(names), "idx");
  }
  index.storage = new_storage();
  catalog::Table next = *table;
  next.indexes.push_back(index.oid);
  std::vector<catalog::Change> changes;
  changes.push_back({index.oid, std::make_shared<const catalog::Object>(index)});
  changes.push_back({next.oid, std::make_shared<const catalog::Object>(std::move(next))});
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
  fill_index(index);
  return "CREATE INDEX";
}

}  // namespace omendb::sql
