// Enums, composite types and domains.
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {

void Ddl::check_type_free(Oid schema, const std::string& name) {
  if (catalog()->find_type(schema, name) != kInvalidOid) {
    throw SqlError(SqlState::kDuplicateObject, "type " + quoted(name) + " already exists");
  }
}

namespace {

void check_label(const std::string& label) {
  if (label.size() > 63) {
    throw SqlError(SqlState::kInvalidName, "invalid enum label " + quoted(label))
        .detail("Labels must be 63 bytes or less.");
  }
}

}  // namespace

std::string Ddl::create_enum(CreateEnumStmt* stmt) {
  Place place = place_for(stmt->typeName);
  check_type_free(place.schema, place.name);
  catalog::EnumType type;
  type.oid = new_oid();
  type.array_type = new_oid();
  type.schema = place.schema;
  type.name = place.name;
  type.owner = current_role();
  for (const std::string& label : strings_of(stmt->vals)) {
    check_label(label);
    for (const auto& other : type.labels) {
      if (other.label == label) {
        throw SqlError(SqlState::kUniqueViolation,
                       "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"")
            .detail("Key (enumtypid, enumlabel)=(" + std::to_string(type.oid.value) + ", " + label +
                    ") already exists.");
      }
    }
    type.labels.push_back({.oid = new_oid(), .sort_order = static_cast<float>(type.labels.size() + 1), .label = label});
  }
  put(std::move(type));
  return "CREATE TYPE";
}

std::string Ddl::alter_enum(AlterEnumStmt* stmt) {
  Oid oid = lookup_type(stmt->typeName);
  if (oid == kInvalidOid)
    throw SqlError(SqlState::kUndefinedObject, "type " + quoted(strings_of(stmt->typeName).back()) + " does not exist");
  lock(oid, txn::ObjectLockMode::kExclusive);
  const auto* found = catalog()->find<catalog::EnumType>(oid);
  if (found == nullptr)
    throw SqlError(SqlState::kWrongObjectType, strings_of(stmt->typeName).back() + " is not an enum");
  check_owner(found->owner, "type", found->name);
  catalog::EnumType type = *found;
  auto position = [&](const std::string& label) {
    return std::find_if(type.labels.begin(), type.labels.end(), [&](const auto& l) { return l.label == label; });
  };
  if (stmt->oldVal != nullptr) {
    auto old = position(stmt->oldVal);
    if (old == type.labels.end()) {
      throw SqlError(SqlState::kInvalidParameterValue, quoted(stmt->oldVal) + " is not an existing enum label");
    }
    if (position(stmt->newVal) != type.labels.end()) {
      throw SqlError(SqlState::kDuplicateObject, "enum label " + quoted(stmt->newVal) + " already exists");
    }
    // Stored texts spell labels ('old'::type).
    old->label = stmt->newVal;
    bool used = false;
    const std::string literal = quote_constant(stmt->oldVal) + "::";
    catalog()->for_each_of<catalog::Table>([&](const catalog::Table& t) {
      for (const auto& c : t.columns) used = used || c.default_sql.find(literal) != std::string::npos;
      for (const auto& c : t.constraints)
        used = used || c.check_sql.find(quote_constant(stmt->oldVal)) != std::string::npos;
    });
    if (used) not_supported("renaming an enum label that a default or a constraint may use");
    put(std::move(type));
    return "ALTER TYPE";
  }
  const std::string label = stmt->newVal;
  check_label(label);
  if (position(label) != type.labels.end()) {
    if (!stmt->skipIfNewValExists)
      throw SqlError(SqlState::kDuplicateObject, "enum label " + quoted(label) + " already exists");
    notice(SqlState::kDuplicateObject, "enum label " + quoted(label) + " already exists, skipping");
    return "ALTER TYPE";
  }
  float order = type.labels.empty() ? 1 : type.labels.back().sort_order + 1;
  auto at = type.labels.end();
  if (stmt->newValNeighbor != nullptr) {
    at = position(stmt->newValNeighbor);
    if (at == type.labels.end()) {
      throw SqlError(SqlState::kInvalidParameterValue, quoted(stmt->newValNeighbor) + " is not an existing enum label");
    }
    if (stmt->newValIsAfter) ++at;
    // Values are stored as their sort order, so a new one goes between its neighbours and moves nobody.
    if (at == type.labels.begin())
      order = at->sort_order - 1;
    else if (at == type.labels.end())
      order = std::prev(at)->sort_order + 1;
    else
      order = (std::prev(at)->sort_order + at->sort_order) / 2;
    const bool fits = (at == type.labels.begin() || order > std::prev(at)->sort_order) &&
                      (at == type.labels.end() || order < at->sort_order);
    if (!fits) not_supported("an enum label between two labels that have no room between them");
  }
  type.labels.insert(at, {.oid = new_oid(), .sort_order = order, .label = label});
  put(std::move(type));
  return "ALTER TYPE";
}

std::string Ddl::create_composite(CompositeTypeStmt* stmt) {
  Place place = place_for(stmt->typevar);
  check_type_free(place.schema, place.name);
  StatementContext statement = context_.analysis(text_);
  catalog::CompositeType type;
  type.oid = new_oid();
  type.array_type = new_oid();
  type.relation = new_oid();
  type.schema = place.schema;
  type.name = place.name;
  type.owner = current_role();
  for_list<ColumnDef>(stmt->coldeflist, [&](ColumnDef* def) {
    for (const auto& other : type.columns) {
      if (other.name == def->colname)
        throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(def->colname) + " specified more than once");
    }
    catalog::Column column = column_of_type(def->colname, resolve_type(statement, def->typeName), def->collClause);
    column.attnum = static_cast<int16_t>(type.columns.size() + 1);
    type.columns.push_back(std::move(column));
  });
  put(std::move(type));
  return "CREATE TYPE";
}

void Ddl::add_domain_check(StatementContext& statement, catalog::DomainType& domain, ::Constraint* c) {
  catalog::Constraint check;
  check.oid = new_oid();
  check.kind = catalog::Constraint::Kind::kCheck;
  check.validated = !c->skip_validation;
  auto taken = [&](const std::string& name) {
    return std::any_of(domain.checks.begin(), domain.checks.end(),
                       [&](const auto& other) { return other.name == name; });
  };
  if (c->conname != nullptr && taken(c->conname)) {
    throw SqlError(SqlState::kDuplicateObject,
                   "constraint " + quoted(c->conname) + " for domain " + quoted(domain.name) + " already exists");
  }
  check.name = c->conname != nullptr ? c->conname : choose_name(domain.name, "", "check", taken);
  // VALUE reads like a column of that name.
  Scope scope;
  scope.statement = &statement;
  scope.kind = ExprKind::kCheckConstraint;
  ScopeItem item;
  ScopeColumn value;
  value.name = "value";
  value.duck_alias = "t";
  value.duck_name = "value";
  value.type = domain.base_type;
  value.typmod = domain.typmod;
  value.physical = physical_of(statement, domain.base_type, domain.typmod);
  item.columns.push_back(value);
  item.relation_visible = false;
  scope.items.push_back(item);
  (void)coerce_to_boolean(scope, analyze_expr(scope, c->raw_expr, ExprKind::kCheckConstraint), "CHECK");
  DeparseHooks hooks = store_hooks(statement, nullptr);
  hooks.column = [](const ColumnRef& ref) {
    std::string name = string_value(llast(ref.fields));
    return name == "value" ? std::string("VALUE") : quote_identifier(name);
  };
  check.check_sql = deparse_expression(c->raw_expr, hooks);
  domain.checks.push_back(std::move(check));
}

std::string Ddl::create_domain(CreateDomainStmt* stmt) {
  Place place = place_for(stmt->domainname);
  check_type_free(place.schema, place.name);
  StatementContext statement = context_.analysis(text_);
  TypeName unplaced = *stmt->typeName;  // errors of domains have no position
  unplaced.location = -1;
  ResolvedType base = resolve_type(statement, &unplaced);
  const types::TypeInfo* info = types::find_type(base.type);
  if (info != nullptr && info->kind == 'p') {
    throw SqlError(SqlState::kDatatypeMismatch,
                   quoted(strings_of(stmt->typeName->names).back()) + " is not a valid base type for a domain");
  }
  if (stmt->collClause != nullptr && info != nullptr && info->category != 'S' && info->category != 'A') {
    throw SqlError(SqlState::kDatatypeMismatch,
                   "collations are not supported by type " + format_type(*statement.catalog, base.type, -1));
  }
  catalog::DomainType domain;
  domain.oid = new_oid();
  domain.array_type = new_oid();
  domain.schema = place.schema;
  domain.name = place.name;
  domain.owner = current_role();
  domain.base_type = base.type;
  domain.typmod = base.typmod;
  bool null_given = false;
  for_list<::Constraint>(stmt->constraints, [&](::Constraint* c) {
    switch (c->contype) {
      case CONSTR_NOTNULL:
      case CONSTR_NULL:
        if (null_given && domain.not_null != (c->contype == CONSTR_NOTNULL)) {
          throw SqlError(SqlState::kSyntaxError, "conflicting NULL/NOT NULL constraints");
        }
        null_given = true;
        domain.not_null = c->contype == CONSTR_NOTNULL;
        break;
      case CONSTR_DEFAULT: {
        if (!domain.default_sql.empty()) throw SqlError(SqlState::kSyntaxError, "multiple default expressions");
        catalog::Column column;
        column.name = domain.name;
        column.type = base.type;
        column.typmod = base.typmod;
        domain.default_sql = default_text(statement, catalog::Table{}, column, c->raw_expr, false);
        break;
      }
      case CONSTR_CHECK: add_domain_check(statement, domain, c); break;
      case CONSTR_UNIQUE: throw SqlError(SqlState::kSyntaxError, "unique constraints not possible for domains");
      case CONSTR_PRIMARY: throw SqlError(SqlState::kSyntaxError, "primary key constraints not possible for domains");
      case CONSTR_FOREIGN: throw SqlError(SqlState::kSyntaxError, "foreign key constraints not possible for domains");
      case CONSTR_EXCLUSION: throw SqlError(SqlState::kSyntaxError, "exclusion constraints not possible for domains");
      case CONSTR_IDENTITY:
      case CONSTR_GENERATED:
        throw SqlError(SqlState::kInternalError,
                       "unrecognized constraint subtype: " + std::to_string(static_cast<int>(c->contype)));
      default:
        throw SqlError(SqlState::kFeatureNotSupported, "specifying constraint deferrability not supported for domains");
    }
  });
  put(std::move(domain));
  return "CREATE DOMAIN";
}

std::set<Oid> Ddl::domains_over(Oid domain) {
  std::set<Oid> result = {domain};
  catalog()->for_each_of<catalog::DomainType>([&](const catalog::DomainType& other) {
    if (other.base_type == domain) result.merge(domains_over(other.oid));
  });
  return result;
}

std::string Ddl::column_storing_within(Oid domain) {
  auto now = catalog();
  std::string found = column_storing(now->find<catalog::DomainType>(domain)->array_type);
  now->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& composite) {
    if (!found.empty()) return;
    for (const catalog::Column& column : composite.columns) {
      if (!column.dropped && column.type == domain) found = column_storing(composite.oid);
    }
  });
  return found;
}

std::string Ddl::alter_domain(AlterDomainStmt* stmt) {
  Oid oid = lookup_type(stmt->typeName);
  const std::string name = strings_of(stmt->typeName).back();
  if (oid == kInvalidOid) throw SqlError(SqlState::kUndefinedObject, "type " + quoted(name) + " does not exist");
  lock(oid, txn::ObjectLockMode::kAccessExclusive);
  const auto* found = catalog()->find<catalog::DomainType>(oid);
  if (found == nullptr) throw SqlError(SqlState::kWrongObjectType, name + " is not a domain");
  check_owner(found->owner, "domain", found->name);
  catalog::DomainType domain = *found;
  StatementContext statement = context_.analysis(text_);
  // Columns of this type, and of domains over it, must satisfy what is new. Arrays and records of it are not looked into.
  auto every_column = [&](auto check) {
    const std::set<Oid> types = domains_over(oid);
    for (const Oid type : types) {
      const std::string stored_in = column_storing_within(type);
      if (stored_in.empty()) continue;
      throw SqlError(SqlState::kFeatureNotSupported,
                     "cannot alter type " + quoted(domain.name) + " because column " + quoted(stored_in) + " uses it");
    }
    catalog()->for_each_of<catalog::Table>([&](const catalog::Table& table) {
      for (const auto& column : table.columns) {
        if (!column.dropped && types.contains(column.type)) check(table, column);
      }
    });
  };
  auto violated = [&](const catalog::Table& table, const catalog::Column& column, const char* what) {
    throw SqlError(SqlState::kCheckViolation,
                   "column " + quoted(column.name) + " of table " + quoted(table.name) + " contains " + what);
  };
  auto validate = [&](const catalog::Constraint& check) {
    every_column([&](const catalog::Table& table, const catalog::Column& column) {
      const std::string over = "(SELECT " + quote_identifier(column.name) +
                               "::" + stored_type_name(domain.base_type, -1) + " AS value FROM ONLY " +
                               quote_qualified(schema_name(table.schema), table.name) + ") d";
      if (has_rows("SELECT 1 AS one FROM " + over + " WHERE NOT (" + check.check_sql + ") LIMIT 1")) {
        violated(table, column, "values that violate the new constraint");
      }
    });
  };
  switch (stmt->subtype) {
    case 'T': {
      domain.default_sql.clear();
      if (stmt->def != nullptr) {
        catalog::Column column;
        column.name = domain.name;
        column.type = domain.base_type;
        column.typmod = domain.typmod;
        domain.default_sql = default_text(statement, catalog::Table{}, column, stmt->def, false);
      }
      break;
    }
    case 'N': domain.not_null = false; break;
    case 'O':
      every_column([&](const catalog::Table& table, const catalog::Column& column) {
        if (has_rows("SELECT 1 AS one FROM ONLY " + quote_qualified(schema_name(table.schema), table.name) + " WHERE " +
                     quote_identifier(column.name) + " IS NULL LIMIT 1")) {
          SqlError error(SqlState::kNotNullViolation,
                         "column " + quoted(column.name) + " of table " + quoted(table.name) + " contains null values");
          throw error;
        }
      });
      domain.not_null = true;
      break;
    case 'C': {
      auto* c = castNode(Constraint, stmt->def);
      if (c->contype != CONSTR_CHECK) not_supported("this constraint of a domain");
      add_domain_check(statement, domain, c);
      if (!c->skip_validation) validate(domain.checks.back());
      break;
    }
    case 'X': {
      auto it =
          std::find_if(domain.checks.begin(), domain.checks.end(), [&](const auto& c) { return c.name == stmt->name; });
      if (it == domain.checks.end()) {
        const std::string text =
            "constraint " + quoted(stmt->name) + " of domain " + quoted(domain.name) + " does not exist";
        if (!stmt->missing_ok) throw SqlError(SqlState::kUndefinedObject, text);
        notice(SqlState::kSuccessfulCompletion, text + ", skipping");
        return "ALTER DOMAIN";
      }
      domain.checks.erase(it);
      break;
    }
    case 'V': {
      auto it =
          std::find_if(domain.checks.begin(), domain.checks.end(), [&](const auto& c) { return c.name == stmt->name; });
      if (it == domain.checks.end()) {
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(stmt->name) + " of domain " + quoted(domain.name) + " does not exist");
      }
      if (!it->validated) validate(*it);
      it->validated = true;
      break;
    }
    default: not_supported("this form of ALTER DOMAIN");
  }
  put(std::move(domain));
  return "ALTER DOMAIN";
}

}  // namespace omendb::sql
