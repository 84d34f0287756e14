#include "sql/frontend/ddl.h"

#include <algorithm>

#include "sql/frontend/ddl_internal.h"
#include "sql/functions/system_catalogs.h"

namespace omendb::sql {

std::string temp_schema_name(int32_t backend_pid) { return "pg_temp_" + std::to_string(backend_pid); }

bool is_ddl(const Node* raw) {
  switch (nodeTag(raw)) {
    case T_SelectStmt: {
      auto* select = reinterpret_cast<const SelectStmt*>(raw);
      while (select->op != SETOP_NONE) select = select->larg;
      return select->intoClause != nullptr;
    }
    // clang-format off
    case T_CreateStmt: case T_IndexStmt: case T_AlterTableStmt: case T_DropStmt: case T_TruncateStmt: case T_RenameStmt:
    case T_ViewStmt: case T_CreateTableAsStmt: case T_RefreshMatViewStmt: case T_CreateSeqStmt: case T_AlterSeqStmt:
    case T_CommentStmt: case T_CreateSchemaStmt: case T_AlterObjectSchemaStmt: case T_AlterOwnerStmt: case T_CreateEnumStmt:
    case T_AlterEnumStmt: case T_CompositeTypeStmt: case T_CreateDomainStmt: case T_AlterDomainStmt: case T_CreateRoleStmt:
    case T_AlterRoleStmt: case T_DropRoleStmt: case T_GrantStmt: case T_GrantRoleStmt: case T_CreateExtensionStmt:
    case T_CreateFunctionStmt: case T_CreateTrigStmt: case T_RuleStmt: case T_CreatePolicyStmt: case T_AlterPolicyStmt:
    case T_CreateForeignTableStmt: case T_CreateFdwStmt: case T_CreateForeignServerStmt: case T_CreateUserMappingStmt:
    case T_ImportForeignSchemaStmt: case T_CreateAmStmt: case T_CreateEventTrigStmt: case T_AlterEventTrigStmt:
    case T_CreatePLangStmt: case T_DefineStmt: case T_CreateOpClassStmt: case T_CreateOpFamilyStmt: case T_AlterOpFamilyStmt:
    case T_AlterFunctionStmt: case T_CreateRangeStmt: case T_CreateCastStmt: case T_CreateTransformStmt: case T_CreateConversionStmt:
    case T_CreateStatsStmt: case T_AlterStatsStmt: case T_CreateTableSpaceStmt: case T_DropTableSpaceStmt:
    case T_AlterTableSpaceOptionsStmt: case T_AlterTableMoveAllStmt: case T_CreatedbStmt: case T_DropdbStmt: case T_AlterDatabaseStmt:
    case T_AlterExtensionStmt: case T_AlterExtensionContentsStmt: case T_AlterDefaultPrivilegesStmt: case T_AlterObjectDependsStmt:
    case T_AlterOperatorStmt: case T_AlterTypeStmt: case T_AlterCollationStmt: case T_AlterTSDictionaryStmt:
    case T_AlterTSConfigurationStmt: case T_CreatePublicationStmt: case T_AlterPublicationStmt: case T_CreateSubscriptionStmt:
    case T_AlterSubscriptionStmt: case T_DropSubscriptionStmt: case T_DropOwnedStmt: case T_ReassignOwnedStmt: case T_SecLabelStmt:
    case T_AlterFdwStmt: case T_AlterForeignServerStmt: case T_AlterUserMappingStmt: case T_DropUserMappingStmt:
      // clang-format on
      return true;
    default: return false;
  }
}

std::string execute_ddl(DdlContext& context, Node* raw, std::string_view statement_text) {
  return Ddl(context, statement_text).run(raw);
}

std::string Ddl::run(Node* raw) {
  switch (nodeTag(raw)) {
    case T_SelectStmt: return select_into(reinterpret_cast<SelectStmt*>(raw));
    case T_CreateStmt: return create_table(reinterpret_cast<CreateStmt*>(raw));
    case T_IndexStmt: return create_index(reinterpret_cast<IndexStmt*>(raw));
    case T_AlterTableStmt: return alter_table(reinterpret_cast<AlterTableStmt*>(raw));
    case T_DropStmt: return drop(reinterpret_cast<DropStmt*>(raw));
    case T_TruncateStmt: return truncate(reinterpret_cast<TruncateStmt*>(raw));
    case T_RenameStmt: return rename(reinterpret_cast<RenameStmt*>(raw));
    case T_ViewStmt: return create_view(reinterpret_cast<ViewStmt*>(raw));
    case T_CreateTableAsStmt: return create_table_as(reinterpret_cast<CreateTableAsStmt*>(raw));
    case T_RefreshMatViewStmt: return refresh(reinterpret_cast<RefreshMatViewStmt*>(raw));
    case T_CreateSeqStmt: return create_sequence(reinterpret_cast<CreateSeqStmt*>(raw));
    case T_AlterSeqStmt: return alter_sequence(reinterpret_cast<AlterSeqStmt*>(raw));
    case T_CommentStmt: return comment(reinterpret_cast<CommentStmt*>(raw));
    case T_CreateSchemaStmt: return create_schema(reinterpret_cast<CreateSchemaStmt*>(raw));
    case T_AlterObjectSchemaStmt: return set_schema(reinterpret_cast<AlterObjectSchemaStmt*>(raw));
    case T_AlterOwnerStmt: return set_owner(reinterpret_cast<AlterOwnerStmt*>(raw));
    case T_CreateEnumStmt: return create_enum(reinterpret_cast<CreateEnumStmt*>(raw));
    case T_AlterEnumStmt: return alter_enum(reinterpret_cast<AlterEnumStmt*>(raw));
    case T_CompositeTypeStmt: return create_composite(reinterpret_cast<CompositeTypeStmt*>(raw));
    case T_CreateDomainStmt: return create_domain(reinterpret_cast<CreateDomainStmt*>(raw));
    case T_AlterDomainStmt: return alter_domain(reinterpret_cast<AlterDomainStmt*>(raw));
    case T_CreateRoleStmt: return create_role(reinterpret_cast<CreateRoleStmt*>(raw));
    case T_AlterRoleStmt: return alter_role(reinterpret_cast<AlterRoleStmt*>(raw));
    case T_DropRoleStmt: return drop_role(reinterpret_cast<DropRoleStmt*>(raw));
    case T_GrantStmt: return grant(reinterpret_cast<GrantStmt*>(raw));
    case T_GrantRoleStmt: return grant_role(reinterpret_cast<GrantRoleStmt*>(raw));
    case T_CreateExtensionStmt: return create_extension(reinterpret_cast<CreateExtensionStmt*>(raw));
    case T_CreateFunctionStmt:
      not_supported(reinterpret_cast<CreateFunctionStmt*>(raw)->is_procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION");
    case T_CreateTrigStmt: not_supported("CREATE TRIGGER");
    case T_RuleStmt: not_supported("CREATE RULE");
    case T_CreatePolicyStmt:
    case T_AlterPolicyStmt: not_supported("row-level security");
    case T_CreateEventTrigStmt:
    case T_AlterEventTrigStmt: not_supported("event triggers");
    case T_CreateForeignTableStmt:
    case T_CreateFdwStmt:
    case T_CreateForeignServerStmt:
    case T_CreateUserMappingStmt:
    case T_ImportForeignSchemaStmt:
    case T_AlterFdwStmt:
    case T_AlterForeignServerStmt:
    case T_AlterUserMappingStmt:
    case T_DropUserMappingStmt: not_supported("foreign data");
    case T_CreatePLangStmt: not_supported("CREATE LANGUAGE");
    case T_DefineStmt: not_supported("CREATE AGGREGATE, OPERATOR, COLLATION, base types and text search objects");
    case T_CreateOpClassStmt:
    case T_CreateOpFamilyStmt:
    case T_AlterOpFamilyStmt: not_supported("operator classes");
    case T_AlterFunctionStmt: not_supported("ALTER FUNCTION");
    case T_CreateRangeStmt: not_supported("CREATE TYPE AS RANGE");
    case T_CreateCastStmt: not_supported("CREATE CAST");
    case T_CreateTransformStmt: not_supported("CREATE TRANSFORM");
    case T_CreateConversionStmt: not_supported("CREATE CONVERSION");
    case T_CreateStatsStmt:
    case T_AlterStatsStmt: not_supported("CREATE STATISTICS");
    case T_CreateTableSpaceStmt:
    case T_AlterTableSpaceOptionsStmt:
    case T_AlterTableMoveAllStmt: not_supported("tablespaces");
    case T_CreatedbStmt: not_supported("CREATE DATABASE");
    case T_DropdbStmt: return drop_database(reinterpret_cast<DropdbStmt*>(raw));
    case T_DropTableSpaceStmt: {
      auto* stmt = reinterpret_cast<DropTableSpaceStmt*>(raw);
      return drop_shared("tablespace", "DROP TABLESPACE", stmt->tablespacename, stmt->missing_ok);
    }
    case T_DropSubscriptionStmt: {
      auto* stmt = reinterpret_cast<DropSubscriptionStmt*>(raw);
      return drop_shared("subscription", "DROP SUBSCRIPTION", stmt->subname, stmt->missing_ok);
    }
    case T_AlterDatabaseStmt: not_supported("ALTER DATABASE");
    case T_CreatePublicationStmt:
    case T_AlterPublicationStmt:
    case T_CreateSubscriptionStmt:
    case T_AlterSubscriptionStmt: not_supported("logical replication");
    case T_AlterDefaultPrivilegesStmt: not_supported("ALTER DEFAULT PRIVILEGES");
    case T_DropOwnedStmt: not_supported("DROP OWNED");
    case T_ReassignOwnedStmt: not_supported("REASSIGN OWNED");
    case T_SecLabelStmt: not_supported("SECURITY LABEL");
    case T_AlterExtensionStmt:
    case T_AlterExtensionContentsStmt: not_supported("ALTER EXTENSION");
    case T_AlterTypeStmt: not_supported("ALTER TYPE SET");
    default: not_supported("this utility statement");
  }
}

// --- The transaction and its catalog ---

const std::shared_ptr<const catalog::Catalog>& Ddl::catalog() {
  auto now = context_.database().catalog(context_.transaction());
  if (held_.empty() || held_.back() != now) held_.push_back(std::move(now));
  return held_.back();
}

void Ddl::put(catalog::Object object) {
  Oid oid = catalog::object_oid(object);
  std::vector<catalog::Change> changes;
  changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(object))});
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
}

void Ddl::remove(Oid oid) {
  std::vector<catalog::Change> changes;
  changes.push_back({oid, nullptr});
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
}

void Ddl::lock(Oid object, txn::ObjectLockMode mode) {
  throw_if_error(context_.database().lock_object(context_.transaction(), object, mode, table::LockWait::kWait));
}

void Ddl::notice(SqlState code, std::string message, std::string detail) {
  ErrorInfo info;
  info.code = code;
  info.message = std::move(message);
  info.detail = std::move(detail);
  context_.notice("NOTICE", info);
}

void Ddl::debug(std::string message) {
  ErrorInfo info;
  info.code = SqlState::kSuccessfulCompletion;
  info.message = std::move(message);
  context_.notice("DEBUG", info);
}

void Ddl::warning(SqlState code, std::string message) {
  ErrorInfo info;
  info.code = code;
  info.message = std::move(message);
  context_.notice("WARNING", info);
}

StorageId Ddl::new_storage() {
  StorageId storage = context_.database().new_storage_id();
  context_.database().made_storage(context_.transaction(), storage);
  return storage;
}

Oid Ddl::current_role() {
  StatementContext statement = context_.analysis(text_);
  const catalog::Role* role = statement.catalog->find_role(statement.current_user);
  return role == nullptr ? catalog::oid::kBootstrapRole : role->oid;
}

bool Ddl::is_superuser() {
  const catalog::Role* role = catalog()->find<catalog::Role>(current_role());
  return role != nullptr && role->superuser;
}

void Ddl::check_owner(Oid owner, const char* kind, std::string_view name) {
  Oid me = current_role();
  if (me == owner || is_superuser()) return;
  // A member of the owning role owns too.
  auto now = catalog();
  std::set<Oid> seen;
  std::vector<Oid> todo{me};
  while (!todo.empty()) {
    Oid next = todo.back();
    todo.pop_back();
    if (next == owner) return;
    if (!seen.insert(next).second) continue;
    if (auto* role = now->find<catalog::Role>(next))
      todo.insert(todo.end(), role->member_of.begin(), role->member_of.end());
  }
  throw SqlError(SqlState::kInsufficientPrivilege, std::string("must be owner of ") + kind + " " + std::string(name));
}

Oid Ddl::role_of(const RoleSpec* spec) {
  if (spec == nullptr) return current_role();
  if (spec->roletype == ROLESPEC_PUBLIC) return kInvalidOid;
  if (spec->roletype != ROLESPEC_CSTRING) return current_role();
  const catalog::Role* role = catalog()->find_role(spec->rolename);
  if (role == nullptr) throw SqlError(SqlState::kUndefinedObject, "role " + quoted(spec->rolename) + " does not exist");
  return role->oid;
}

// --- Names ---

std::string Ddl::schema_name(Oid schema) {
  const auto* found = catalog()->find<catalog::Schema>(schema);
  return found == nullptr ? "" : found->name;
}

Oid Ddl::schema_oid(std::string_view name) {
  if (name == "pg_temp") {
    Oid temp = temp_schema(false);
    if (temp != kInvalidOid) return temp;
  }
  const catalog::Schema* schema = catalog()->find_schema(name);
  if (schema == nullptr) throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(name) + " does not exist");
  return schema->oid;
}

Oid Ddl::temp_schema(bool create) {
  std::string name = temp_schema_name(context_.backend_pid());
  if (const catalog::Schema* schema = catalog()->find_schema(name)) return schema->oid;
  if (!create) return kInvalidOid;
  Oid oid = new_oid();
  put(catalog::Schema{.oid = oid, .name = name, .owner = current_role()});
  return oid;
}

namespace {

void refuse_system_schema(Oid schema, std::string_view schema_name, std::string_view name) {
  if (schema == catalog::oid::kPgCatalogSchema || schema == catalog::oid::kInformationSchema) {
    throw SqlError(SqlState::kInsufficientPrivilege,
                   "permission denied to create \"" + std::string(schema_name) + "." + std::string(name) + "\"")
        .detail("System catalog modifications are currently disallowed.");
  }
}

}  // namespace

Ddl::Place Ddl::place_for(const RangeVar* name) {
  Place place{.name = name->relname, .persistence = name->relpersistence == 0 ? 'p' : name->relpersistence};
  if (name->catalogname != nullptr && context_.analysis(text_).database_name != name->catalogname) {
    throw SqlError(SqlState::kFeatureNotSupported, "cross-database references are not implemented: \"" +
                                                       std::string(name->catalogname) + "." + name->schemaname + "." +
                                                       name->relname + "\"");
  }
  if (name->schemaname != nullptr) {
    std::string_view schema = name->schemaname;
    const bool temporary = schema == "pg_temp" || schema == temp_schema_name(context_.backend_pid());
    if (temporary) {
      if (place.persistence == 'u') {
        throw SqlError(SqlState::kInvalidTableDefinition,
                       "only temporary relations may be created in temporary schemas",
                       name->location > 0 ? name->location : -1);
      }
      place.persistence = 't';
      place.schema = temp_schema(true);
      return place;
    }
    if (place.persistence == 't') {
      throw SqlError(SqlState::kInvalidTableDefinition, "cannot create temporary relation in non-temporary schema",
                     name->location > 0 ? name->location : -1);
    }
    if (catalog()->find_schema(schema) == nullptr) {
      throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(schema) + " does not exist",
                     name->location > 0 ? name->location : -1);
    }
    place.schema = schema_oid(schema);
    refuse_system_schema(place.schema, schema, place.name);
  } else if (place.persistence == 't') {
    place.schema = temp_schema(true);
  } else {
    StatementContext statement = context_.analysis(text_);
    for (const std::string& schema : statement.search_path) {
      // pg_catalog stands in the path because it is implied; nothing is made there.
      if (schema == temp_schema_name(context_.backend_pid())) {
        place.persistence = 't';
        place.schema = temp_schema(true);
        break;
      }
      const catalog::Schema* found = schema == "pg_catalog" ? nullptr : statement.catalog->find_schema(schema);
      if (found == nullptr) continue;
      place.schema = found->oid;
      refuse_system_schema(place.schema, found->name, place.name);
      break;
    }
    if (place.schema == kInvalidOid)
      throw SqlError(SqlState::kUndefinedSchema, "no schema has been selected to create in");
  }
  lock(place.schema, txn::ObjectLockMode::kAccessShare);
  return place;
}

Ddl::Place Ddl::place_for(const List* name) {
  RangeVar var{};
  std::vector<std::string> parts = strings_of(name);
  var.relname = parts.back().data();
  if (parts.size() > 1) var.schemaname = parts[parts.size() - 2].data();
  return place_for(&var);
}

std::vector<std::string> Ddl::path_with_temp(const StatementContext& statement) const {
  std::vector<std::string> path = statement.search_path;
  const std::string temp = temp_schema_name(context_.backend_pid());
  if (std::find(path.begin(), path.end(), temp) == path.end()) path.insert(path.begin(), temp);
  return path;
}

Oid Ddl::lookup_relation(const char* schema, const char* name) {
  StatementContext statement = context_.analysis(text_);
  auto in = [&](std::string_view schema_name) -> Oid {
    if (const SystemRelation* system = find_system_relation(schema_name, name)) return system->oid;
    const catalog::Schema* found = statement.catalog->find_schema(schema_name);
    return found == nullptr ? kInvalidOid : statement.catalog->find_relation(found->oid, name);
  };
  if (schema != nullptr) {
    if (std::string_view(schema) == "pg_temp") return in(temp_schema_name(context_.backend_pid()));
    return in(schema);
  }
  for (const std::string& each : path_with_temp(statement)) {
    if (Oid found = in(each); found != kInvalidOid) return found;
  }
  return kInvalidOid;
}

Oid Ddl::lookup_type(const List* name) {
  StatementContext statement = context_.analysis(text_);
  std::vector<std::string> parts = strings_of(name);
  auto in = [&](std::string_view schema_name) -> Oid {
    const catalog::Schema* found = statement.catalog->find_schema(schema_name);
    return found == nullptr ? kInvalidOid : statement.catalog->find_type(found->oid, parts.back());
  };
  if (parts.size() > 1) return in(parts[parts.size() - 2]);
  for (const std::string& each : path_with_temp(statement)) {
    if (Oid found = in(each); found != kInvalidOid) return found;
  }
  return kInvalidOid;
}

Oid Ddl::open_relation(const RangeVar* name, txn::ObjectLockMode mode, bool missing_ok, const char* kind) {
  for (;;) {
    Oid found = lookup_relation(name->schemaname, name->relname);
    if (found == kInvalidOid) {
      if (missing_ok) return found;
      if (name->schemaname != nullptr && catalog()->find_schema(name->schemaname) == nullptr &&
          std::string_view(name->schemaname) != "pg_temp") {
        throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(name->schemaname) + " does not exist");
      }
      std::string full =
          name->schemaname == nullptr ? name->relname : std::string(name->schemaname) + "." + name->relname;
      throw SqlError(SqlState::kUndefinedTable, std::string(kind) + " " + quoted(full) + " does not exist");
    }
    if (find_system_relation(found) != nullptr) {
      throw SqlError(SqlState::kInsufficientPrivilege,
                     "permission denied: " + quoted(name->relname) + " is a system catalog");
    }
    lock(found, mode);
    // The name may have moved while we waited.
    if (lookup_relation(name->schemaname, name->relname) == found) return found;
  }
}

const catalog::Table* Ddl::open_table(const RangeVar* name, txn::ObjectLockMode mode, bool missing_ok) {
  Oid oid = open_relation(name, mode, missing_ok);
  if (oid == kInvalidOid) return nullptr;
  auto now = catalog();
  const auto* table = now->find<catalog::Table>(oid);
  if (table == nullptr || table->is_materialized_view()) {
    throw SqlError(SqlState::kWrongObjectType, quoted(name->relname) + " is not a table");
  }
  check_owner(table->owner, "table", table->name);
  return now->find<catalog::Table>(oid);
}

bool Ddl::relation_visible(Oid schema, std::string_view name) {
  std::string text(name);
  return lookup_relation(nullptr, text.c_str()) == catalog()->find_relation(schema, name);
}

std::string Ddl::visible_name(Oid schema, std::string_view name, bool type) {
  if (type) {
    StatementContext statement = context_.analysis(text_);
    for (const std::string& each : statement.search_path) {
      const catalog::Schema* found = statement.catalog->find_schema(each);
      if (found == nullptr || statement.catalog->find_type(found->oid, name) == kInvalidOid) continue;
      return found->oid == schema ? quote_identifier(name) : quote_qualified(schema_name(schema), name);
    }
    return quote_qualified(schema_name(schema), name);
  }
  return relation_visible(schema, name) ? quote_identifier(name) : quote_qualified(schema_name(schema), name);
}

std::string Ddl::relation_text(Oid relation) {
  auto object = catalog()->object(relation);
  if (object == nullptr) return {};
  return visible_name(catalog::object_schema(*object), catalog::object_name(*object));
}

void refuse_composite(const RangeVar* name) {
  throw SqlError(SqlState::kWrongObjectType, quoted(name->relname) + " is a composite type")
      .hint("Use ALTER TYPE instead.");
}

std::string_view relation_kind(const catalog::Catalog& catalog, Oid relation) {
  if (auto* table = catalog.find<catalog::Table>(relation))
    return table->is_materialized_view() ? "materialized view" : "table";
  if (catalog.find<catalog::View>(relation) != nullptr) return "view";
  if (catalog.find<catalog::Index>(relation) != nullptr) return "index";
  if (catalog.find<catalog::Sequence>(relation) != nullptr) return "sequence";
  return "composite type";
}

std::string Ddl::choose_name(const std::string& name1, const std::string& name2, const std::string& label,
                             const std::function<bool(const std::string&)>& taken) {
  // Cuts to whole characters, the longer of the two names first.
  auto cut = [](std::string s, size_t n) {
    if (s.size() <= n) return s;
    while (n > 0 && (static_cast<unsigned char>(s[n]) & 0xC0) == 0x80) --n;
    s.resize(n);
    return s;
  };
  for (int pass = 0;; ++pass) {
    std::string suffix = pass == 0 ? label : label + std::to_string(pass);
    size_t overhead = suffix.empty() ? 0 : suffix.size() + 1;
    if (!name2.empty()) ++overhead;
    const size_t available = 63 - overhead;
    size_t a = name1.size(), b = name2.size();
    while (a + b > available) {
      if (a > b)
        --a;
      else
        --b;
    }
    std::string name = cut(name1, a);
    if (!name2.empty()) name += "_" + cut(name2, b);
    if (!suffix.empty()) name += "_" + suffix;
    if (!taken(name)) return name;
  }
}

std::string Ddl::choose_relation_name(Oid schema, const std::string& name1, const std::string& name2,
                                      const std::string& label) {
  auto now = catalog();
  return choose_name(name1, name2, label,
                     [&](const std::string& name) { return now->find_relation(schema, name) != kInvalidOid; });
}

// --- Options ---

std::string def_text(const DefElem* def) {
  if (def->arg == nullptr) return "true";
  switch (nodeTag(def->arg)) {
    case T_Integer: return std::to_string(intVal(def->arg));
    case T_Float: return castNode(Float, def->arg)->fval;
    case T_Boolean: return boolVal(def->arg) ? "true" : "false";
    case T_String: return strVal(def->arg);
    case T_TypeName: return strVal(llast(castNode(TypeName, def->arg)->names));
    case T_List: {
      std::string out;
      for (const std::string& part : strings_of(castNode(List, def->arg))) out += (out.empty() ? "" : ".") + part;
      return out;
    }
    case T_A_Star: return "*";
    default: throw SqlError(SqlState::kSyntaxError, std::string(def->defname) + " requires a value");
  }
}

int64_t def_int64(const DefElem* def) {
  if (def->arg == nullptr)
    throw SqlError(SqlState::kSyntaxError, std::string(def->defname) + " requires a numeric value");
  if (IsA(def->arg, Integer)) return intVal(def->arg);
  if (IsA(def->arg, Float)) {
    const char* text = castNode(Float, def->arg)->fval;
    char* end = nullptr;
    errno = 0;
    long long value = std::strtoll(text, &end, 10);
    if (errno != 0 || *end != 0) {
      throw SqlError(SqlState::kNumericValueOutOfRange,
                     "value \"" + std::string(text) + "\" is out of range for type bigint");
    }
    return value;
  }
  throw SqlError(SqlState::kSyntaxError, std::string(def->defname) + " requires a numeric value");
}

bool def_bool(const DefElem* def) {
  std::string text = def_text(def);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text == "true" || text == "on" || text == "1" || text == "yes") return true;
  if (text == "false" || text == "off" || text == "0" || text == "no") return false;
  throw SqlError(SqlState::kSyntaxError, std::string(def->defname) + " requires a Boolean value");
}

// --- Schemas, comments, extensions ---

std::string Ddl::create_schema(CreateSchemaStmt* stmt) {
  Oid owner = role_of(stmt->authrole);
  std::string name = stmt->schemaname != nullptr ? stmt->schemaname : catalog()->find<catalog::Role>(owner)->name;
  if (name.rfind("pg_", 0) == 0) {
    throw SqlError(SqlState::kReservedName, "unacceptable schema name " + quoted(name))
        .detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  if (catalog()->find_schema(name) != nullptr) {
    if (!stmt->if_not_exists) throw SqlError(SqlState::kDuplicateSchema, "schema " + quoted(name) + " already exists");
    notice(SqlState::kDuplicateSchema, "schema " + quoted(name) + " already exists, skipping");
    return "CREATE SCHEMA";
  }
  put(catalog::Schema{.oid = new_oid(), .name = name, .owner = owner});
  // The elements are statements whose unqualified names mean the new schema. Tables and views first, as PostgreSQL does.
  auto place = [&](RangeVar* var) {
    if (var->schemaname == nullptr) {
      var->schemaname = name.data();
    } else if (name != var->schemaname) {
      throw SqlError(SqlState::kInvalidSchemaDefinition, "CREATE specifies a schema (" + std::string(var->schemaname) +
                                                             ") different from the one being created (" + name + ")");
    }
  };
  auto run_kind = [&](auto wanted) {
    for_list<Node>(stmt->schemaElts, [&](Node* element) {
      if (!wanted(nodeTag(element))) return;
      switch (nodeTag(element)) {
        case T_CreateStmt: place(reinterpret_cast<CreateStmt*>(element)->relation); break;
        case T_ViewStmt: place(reinterpret_cast<ViewStmt*>(element)->view); break;
        case T_IndexStmt: place(reinterpret_cast<IndexStmt*>(element)->relation); break;
        case T_CreateSeqStmt: place(reinterpret_cast<CreateSeqStmt*>(element)->sequence); break;
        case T_GrantStmt: break;
        default: not_supported("this element of CREATE SCHEMA");
      }
      run(element);
    });
  };
  run_kind([](NodeTag tag) { return tag == T_CreateSeqStmt; });
  run_kind([](NodeTag tag) { return tag == T_CreateStmt; });
  run_kind([](NodeTag tag) { return tag == T_ViewStmt; });
  run_kind([](NodeTag tag) { return tag != T_CreateSeqStmt && tag != T_CreateStmt && tag != T_ViewStmt; });
  return "CREATE SCHEMA";
}

std::string Ddl::comment(CommentStmt* stmt) {
  Oid class_oid, object;
  int32_t sub = 0;
  auto now = catalog();
  auto relation = [&](const char* kind) {
    std::vector<std::string> parts = strings_of(castNode(List, stmt->object));
    RangeVar var{};
    var.relname = parts.back().data();
    if (parts.size() > 1) var.schemaname = parts[parts.size() - 2].data();
    object = open_relation(&var, txn::ObjectLockMode::kShareUpdateExclusive, false);
    class_oid = catalog::oid::kPgClass;
    now = catalog();
    if (relation_kind(*now, object) != kind) {
      throw SqlError(SqlState::kWrongObjectType,
                     quoted(var.relname) + " is not " + (*kind == 'i' ? "an " : "a ") + kind);
    }
  };
  switch (stmt->objtype) {
    case OBJECT_TABLE: relation("table"); break;
    case OBJECT_VIEW: relation("view"); break;
    case OBJECT_MATVIEW: relation("materialized view"); break;
    case OBJECT_INDEX: relation("index"); break;
    case OBJECT_SEQUENCE: relation("sequence"); break;
    case OBJECT_COLUMN: {
      std::vector<std::string> parts = strings_of(castNode(List, stmt->object));
      std::string column = parts.back();
      parts.pop_back();
      RangeVar var{};
      var.relname = parts.back().data();
      if (parts.size() > 1) var.schemaname = parts[parts.size() - 2].data();
      object = open_relation(&var, txn::ObjectLockMode::kShareUpdateExclusive, false);
      class_oid = catalog::oid::kPgClass;
      now = catalog();
      const std::vector<catalog::Column>* columns = nullptr;
      if (auto* table = now->find<catalog::Table>(object)) columns = &table->columns;
      if (auto* view = now->find<catalog::View>(object)) columns = &view->columns;
      if (columns == nullptr)
        throw SqlError(
            SqlState::kWrongObjectType,
            quoted(var.relname) + " is not a table, view, materialized view, composite type, or foreign table");
      for (const auto& c : *columns) {
        if (!c.dropped && c.name == column) sub = c.attnum;
      }
      if (sub == 0) {
        throw SqlError(SqlState::kUndefinedColumn,
                       "column " + quoted(column) + " of relation " + quoted(var.relname) + " does not exist");
      }
      break;
    }
    case OBJECT_SCHEMA:
      object = schema_oid(strVal(stmt->object));
      class_oid = catalog::oid::kPgNamespace;
      break;
    case OBJECT_ROLE: {
      const catalog::Role* role = now->find_role(strVal(stmt->object));
      if (role == nullptr)
        throw SqlError(SqlState::kUndefinedObject, "role " + quoted(strVal(stmt->object)) + " does not exist");
      object = role->oid;
      class_oid = catalog::oid::kPgAuthid;
      break;
    }
    case OBJECT_DATABASE:
      object = catalog::oid::kDatabase;
      class_oid = catalog::oid::kPgDatabase;
      break;
    case OBJECT_TYPE:
    case OBJECT_DOMAIN: {
      auto* type = castNode(TypeName, stmt->object);
      object = lookup_type(type->names);
      if (object == kInvalidOid)
        throw SqlError(SqlState::kUndefinedObject,
                       "type " + quoted(strings_of(type->names).back()) + " does not exist");
      class_oid = catalog::oid::kPgType;
      break;
    }
    case OBJECT_TABCONSTRAINT: {
      std::vector<std::string> parts = strings_of(castNode(List, stmt->object));
      std::string constraint = parts.back();
      parts.pop_back();
      RangeVar var{};
      var.relname = parts.back().data();
      if (parts.size() > 1) var.schemaname = parts[parts.size() - 2].data();
      const catalog::Table* table = open_table(&var, txn::ObjectLockMode::kShareUpdateExclusive, false);
      const catalog::Constraint* found = table->find_constraint(constraint);
      if (found == nullptr) {
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(constraint) + " for table " + quoted(table->name) + " does not exist");
      }
      object = found->oid;
      class_oid = catalog::oid::kPgConstraint;
      break;
    }
    case OBJECT_DOMCONSTRAINT: {
      auto* parts = castNode(List, stmt->object);
      auto* type = castNode(TypeName, linitial(parts));
      const std::string constraint = string_value(lsecond(parts)), name = strings_of(type->names).back();
      const Oid oid = lookup_type(type->names);
      if (oid == kInvalidOid) throw SqlError(SqlState::kUndefinedObject, "type " + quoted(name) + " does not exist");
      const auto* domain = now->find<catalog::DomainType>(oid);
      if (domain == nullptr) throw SqlError(SqlState::kWrongObjectType, name + " is not a domain");
      for (const auto& c : domain->checks) {
        if (c.name == constraint) object = c.oid;
      }
      if (object == kInvalidOid) {
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(constraint) + " for domain " + name + " does not exist");
      }
      class_oid = catalog::oid::kPgConstraint;
      break;
    }
    case OBJECT_EXTENSION: return "COMMENT";
    default: not_supported("COMMENT ON this kind of object");
  }
  now = catalog();
  const catalog::Comment* old = now->find_comment(class_oid, object, sub);
  if (stmt->comment == nullptr || *stmt->comment == 0) {
    if (old != nullptr) remove(old->oid);
  } else {
    put(catalog::Comment{.oid = old != nullptr ? old->oid : new_oid(),
                         .class_oid = class_oid,
                         .object = object,
                         .sub_object = sub,
                         .text = stmt->comment});
  }
  return "COMMENT";
}

std::string Ddl::create_extension(CreateExtensionStmt* stmt) {
  if (std::string_view(stmt->extname) == "plpgsql") {
    if (!stmt->if_not_exists) throw SqlError(SqlState::kDuplicateObject, "extension \"plpgsql\" already exists");
    notice(SqlState::kDuplicateObject, "extension \"plpgsql\" already exists, skipping");
    return "CREATE EXTENSION";
  }
  throw SqlError(SqlState::kFeatureNotSupported, "extension " + quoted(stmt->extname) + " is not available")
      .hint("The extension must first be installed on the system where PostgreSQL is running.");
}

// --- Temporary tables ---

bool run_on_commit_actions(DdlContext& context) {
  auto now = context.database().catalog(context.transaction());
  const catalog::Schema* schema = now->find_schema(temp_schema_name(context.backend_pid()));
  if (schema == nullptr) return false;
  std::vector<std::pair<Oid, char>> work;
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    if (table.schema == schema->oid && table.on_commit != 'n') work.emplace_back(table.oid, table.on_commit);
  });
  // Whoever refers to rows that go now has to lose its own.
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    for (const catalog::Constraint& c : table.constraints) {
      const auto* target =
          c.kind == catalog::Constraint::Kind::kForeignKey ? now->find<catalog::Table>(c.referenced_table) : nullptr;
      if (target == nullptr || target->schema != schema->oid || target->on_commit != 'd' || table.on_commit == 'd')
        continue;
      throw SqlError(SqlState::kFeatureNotSupported, "unsupported ON COMMIT and foreign key combination")
          .detail("Table " + quoted(table.name) + " references " + quoted(target->name) +
                  ", but they do not have the same ON COMMIT setting.");
    }
  });
  Ddl ddl(context, "");
  for (auto [table, action] : work) {
    if (action == 'D')
      ddl.drop_things({Ddl::Thing{.kind = Ddl::Thing::Kind::kRelation, .oid = table}}, true);
    else
      ddl.empty_table(table);
  }
  return !work.empty();
}

void drop_temp_objects(DdlContext& context) {
  Ddl ddl(context, "");
  Oid schema = ddl.temp_schema(false);
  if (schema == kInvalidOid) return;
  ddl.drop_things({Ddl::Thing{.kind = Ddl::Thing::Kind::kSchema, .oid = schema}}, true);
}

}  // namespace omendb::sql
