// ALTER TABLE (and the forms that PostgreSQL's grammar gives to views, sequences and indexes through it).
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/ddl_internal.h"
#include "sql/frontend/query.h"

namespace omendb::sql {

std::string Ddl::alter_table(AlterTableStmt* stmt) {
  std::string tag;
  switch (stmt->objtype) {
    case OBJECT_TABLE: tag = "ALTER TABLE"; break;
    case OBJECT_VIEW: tag = "ALTER VIEW"; break;
    case OBJECT_INDEX: tag = "ALTER INDEX"; break;
    case OBJECT_SEQUENCE: tag = "ALTER SEQUENCE"; break;
    case OBJECT_MATVIEW: tag = "ALTER MATERIALIZED VIEW"; break;
    case OBJECT_TYPE: return alter_composite(stmt);
    default: not_supported("ALTER of this kind of object");
  }
  // As PostgreSQL's AlterTableGetLockLevel.
  txn::ObjectLockMode mode = txn::ObjectLockMode::kShareUpdateExclusive;
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) {
    if (command->subtype == AT_AddConstraint && castNode(Constraint, command->def)->contype == CONSTR_FOREIGN) {
      mode = std::max(mode, txn::ObjectLockMode::kShareRowExclusive);
      return;
    }
    switch (command->subtype) {
      case AT_SetStatistics:
      case AT_ValidateConstraint:
      case AT_SetRelOptions:
      case AT_ResetRelOptions:
      case AT_SetOptions:
      case AT_ResetOptions: break;
      default: mode = txn::ObjectLockMode::kAccessExclusive;
    }
  });
  Oid oid = open_relation(stmt->relation, mode, stmt->missing_ok);
  if (oid == kInvalidOid) {
    notice(SqlState::kSuccessfulCompletion,
           "relation " + quoted(stmt->relation->relname) + " does not exist, skipping");
    return tag;
  }
  auto now = catalog();
  const std::string_view kind = relation_kind(*now, oid);
  if (stmt->objtype == OBJECT_TABLE && kind == "composite type") refuse_composite(stmt->relation);
  const bool right = (stmt->objtype == OBJECT_TABLE) || (stmt->objtype == OBJECT_VIEW && kind == "view") ||
                     (stmt->objtype == OBJECT_INDEX && kind == "index") ||
                     (stmt->objtype == OBJECT_SEQUENCE && kind == "sequence") ||
                     (stmt->objtype == OBJECT_MATVIEW && kind == "materialized view");
  if (!right) {
    std::string wanted = tag.substr(6);
    for (char& c : wanted) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    throw SqlError(SqlState::kWrongObjectType,
                   quoted(stmt->relation->relname) + " is not " + (wanted == "index" ? "an " : "a ") + wanted);
  }
  auto object = now->object(oid);
  Oid owner = std::visit(
      [](const auto& o) -> Oid {
        if constexpr (requires { o.owner; })
          return o.owner;
        else
          return kInvalidOid;
      },
      *object);
  if (auto* index = now->find<catalog::Index>(oid)) owner = now->find<catalog::Table>(index->table)->owner;
  check_owner(owner, std::string(kind).c_str(), stmt->relation->relname);
  // PostgreSQL's passes: what drops goes first, then types, columns, constraints.
  bool using_given = false;
  std::vector<AlterTableCmd*> commands, types;
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) {
    if (command->subtype == AT_AlterColumnType) {
      types.push_back(command);
      using_given = using_given || castNode(ColumnDef, command->def)->raw_default != nullptr;
    }
    commands.push_back(command);
  });
  auto pass = [&](const AlterTableCmd* command) {
    switch (command->subtype) {
      case AT_DropConstraint:
      case AT_DropNotNull:
      case AT_DropExpression: return 0;
      // USING may name a column that goes.
      case AT_DropColumn: return using_given ? 2 : 0;
      case AT_AlterColumnType: return 1;
      case AT_AddColumn: return 2;
      case AT_DropIdentity: return 0;
      case AT_ColumnDefault: return command->def == nullptr ? 0 : 3;
      case AT_SetNotNull: return 3;
      case AT_AddIdentity: return 4;
      case AT_AddConstraint: {
        auto type = reinterpret_cast<const ::Constraint*>(command->def)->contype;
        return type == CONSTR_FOREIGN ? 6 : type == CONSTR_CHECK ? 5 : 4;
      }
      default: return 7;
    }
  };
  std::stable_sort(commands.begin(), commands.end(), [&](auto* a, auto* b) { return pass(a) < pass(b); });
  for (AlterTableCmd* command : commands) {
    try {
      // The new types of all columns in one go, each from the row as it was.
      const auto* target = catalog()->find<catalog::Table>(oid);
      const bool plain = target != nullptr && !target->is_materialized_view();
      if (!plain || command->subtype != AT_AlterColumnType)
        alter_one(oid, command);
      else if (command == types.front())
        alter_column_types(oid, types);
    } catch (const SqlError& error) {
      // PostgreSQL analyses these when it no longer has the statement's text, so their errors have no position.
      const bool key_over_index = command->subtype == AT_AddConstraint &&
                                  reinterpret_cast<const ::Constraint*>(command->def)->indexname != nullptr;
      if ((command->subtype == AT_AddConstraint && !key_over_index) || command->subtype == AT_ColumnDefault ||
          command->subtype == AT_AlterColumnType) {
        ErrorInfo info = error.info();
        info.position = 0;
        throw SqlError(std::move(info));
      }
      throw;
    }
  }
  return tag;
}

namespace {

[[noreturn]] void no_column(const std::string& column, const std::string& table) {
  throw SqlError(SqlState::kUndefinedColumn,
                 "column " + quoted(column) + " of relation " + quoted(table) + " does not exist");
}

catalog::Column& column_named(catalog::Table& table, const char* name) {
  for (auto& column : table.columns) {
    if (!column.dropped && column.name == name) return column;
  }
  no_column(name, table.name);
}

/// What a subcommand calls itself that only tables take; null: another.
const char* table_action(const AlterTableCmd* command) {
  switch (command->subtype) {
    case AT_AddColumn: return "ADD COLUMN";
    case AT_DropColumn: return "DROP COLUMN";
    case AT_AddConstraint: return "ADD CONSTRAINT";
    case AT_DropConstraint: return "DROP CONSTRAINT";
    case AT_AlterColumnType: return "ALTER COLUMN ... SET DATA TYPE";
    case AT_SetNotNull: return "ALTER COLUMN ... SET NOT NULL";
    case AT_DropNotNull: return "ALTER COLUMN ... DROP NOT NULL";
    case AT_ColumnDefault: return "ALTER COLUMN ... SET DEFAULT";
    default: return nullptr;
  }
}

/// A table or sequence after SET LOGGED or SET UNLOGGED.
template <class Relation>
Relation with_persistence(Relation relation, bool logged) {
  if (relation.persistence == 't') {
    throw SqlError(SqlState::kInvalidTableDefinition,
                   "cannot change logged status of table " + quoted(relation.name) + " because it is temporary");
  }
  relation.persistence = logged ? 'p' : 'u';
  return relation;
}

/// SET STORAGE has no meaning for our storage, but its errors.
void check_storage(const catalog::Column& column, std::string storage, const catalog::Catalog& catalog) {
  for (char& c : storage) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (storage != "plain" && storage != "external" && storage != "extended" && storage != "main") {
    throw SqlError(SqlState::kInvalidParameterValue, "invalid storage type " + quoted(storage));
  }
  const types::TypeInfo* info = types::find_type(column.type);
  if (storage == "plain" || info == nullptr || info->length < 0) return;
  throw SqlError(SqlState::kFeatureNotSupported,
                 "column data type " + format_type(catalog, column.type, -1) + " can only have storage PLAIN");
}

}  // namespace

void Ddl::alter_one(Oid oid, AlterTableCmd* command) {
  auto now = catalog();
  const catalog::Table* table = now->find<catalog::Table>(oid);
  if (command->subtype == AT_ChangeOwner) {
    change_owner(oid, role_of(command->newowner));
    return;
  }
  if (table == nullptr) {
    // Views, indexes and sequences: few forms apply.
    if (auto* view = now->find<catalog::View>(oid)) {
      catalog::View next = *view;
      switch (command->subtype) {
        case AT_SetRelOptions: set_options(next.options, castNode(List, command->def)); break;
        case AT_ResetRelOptions: reset_options(next.options, castNode(List, command->def)); break;
        case AT_ColumnDefault: not_supported("a default of a view's column");
        default: {
          const char* action = table_action(command);
          if (action == nullptr) not_supported("this form of ALTER VIEW");
          throw SqlError(SqlState::kWrongObjectType, std::string("ALTER action ") + action +
                                                         " cannot be performed on relation " + quoted(next.name))
              .detail("This operation is not supported for views.");
        }
      }
      if (auto it = next.options.find("check_option"); it != next.options.end())
        next.check_option = it->second == "local" ? 'l' : 'c';
      else
        next.check_option = 0;
      put(next);
      return;
    }
    if (auto* index = now->find<catalog::Index>(oid)) {
      catalog::Index next = *index;
      switch (command->subtype) {
        case AT_SetRelOptions: set_options(next.options, castNode(List, command->def)); break;
        case AT_ResetRelOptions: reset_options(next.options, castNode(List, command->def)); break;
        case AT_SetStatistics: return;
        default: not_supported("this form of ALTER INDEX");
      }
      put(next);
      return;
    }
    if (auto* sequence = now->find<catalog::Sequence>(oid);
        sequence != nullptr && (command->subtype == AT_SetLogged || command->subtype == AT_SetUnLogged)) {
      put(with_persistence(*sequence, command->subtype == AT_SetLogged));
      return;
    }
    not_supported("this form of ALTER");
  }
  if (const char* action = table_action(command); action != nullptr && table->is_materialized_view()) {
    throw SqlError(SqlState::kWrongObjectType,
                   std::string("ALTER action ") + action + " cannot be performed on relation " + quoted(table->name))
        .detail("This operation is not supported for materialized views.");
  }
  switch (command->subtype) {
    case AT_AddColumn: add_table_column(oid, command); return;
    case AT_AddConstraint:
    case AT_AddIndexConstraint: add_table_constraint(oid, castNode(Constraint, command->def)); return;
    case AT_AddIdentity:
    case AT_SetIdentity:
    case AT_DropIdentity: alter_identity(oid, command); return;
    case AT_DropConstraint: drop_constraint(oid, command); return;
    case AT_DropColumn: {
      if (is_system_column(command->name))
        throw SqlError(SqlState::kFeatureNotSupported, "cannot drop system column " + quoted(command->name));
      const catalog::Column* column = table->find_column(command->name);
      if (column == nullptr) {
        if (!command->missing_ok) no_column(command->name, table->name);
        notice(SqlState::kSuccessfulCompletion,
               "column " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist, skipping");
        return;
      }
      drop_things({Thing{.kind = Thing::Kind::kColumn, .oid = oid, .attnum = column->attnum}},
                  command->behavior == DROP_CASCADE);
      return;
    }
    case AT_AlterConstraint: {
      const auto* c = reinterpret_cast<const ::Constraint*>(command->def);
      const catalog::Constraint* found = table->find_constraint(c->conname);
      if (found == nullptr) {
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(c->conname) + " of relation " + quoted(table->name) + " does not exist");
      }
      if (found->kind != catalog::Constraint::Kind::kForeignKey) {
        throw SqlError(SqlState::kWrongObjectType, "constraint " + quoted(c->conname) + " of relation " +
                                                       quoted(table->name) + " is not a foreign key constraint");
      }
      catalog::Table next = *table;
      for (auto& constraint : next.constraints) {
        if (constraint.name != c->conname) continue;
        constraint.deferrable = c->deferrable;
        constraint.initially_deferred = c->initdeferred;
      }
      put(std::move(next));
      return;
    }
    case AT_ValidateConstraint: {
      const catalog::Constraint* found = table->find_constraint(command->name);
      if (found == nullptr) {
        throw SqlError(SqlState::kUndefinedObject, "constraint " + quoted(command->name) + " of relation " +
                                                       quoted(table->name) + " does not exist");
      }
      if (found->kind != catalog::Constraint::Kind::kCheck && found->kind != catalog::Constraint::Kind::kForeignKey) {
        throw SqlError(SqlState::kWrongObjectType, "constraint " + quoted(command->name) + " of relation " +
                                                       quoted(table->name) +
                                                       " is not a foreign key or check constraint");
      }
      if (found->validated) return;
      if (found->kind == catalog::Constraint::Kind::kForeignKey) {
        lock(found->referenced_table, txn::ObjectLockMode::kRowShare);
        validate_reference(*table, *found);
      } else {
        validate_check(*table, *found);
      }
      catalog::Table next = *table;
      for (auto& c : next.constraints) {
        if (c.name == command->name) c.validated = true;
      }
      put(std::move(next));
      return;
    }
    default: break;
  }

  catalog::Table next = *table;
  switch (command->subtype) {
    case AT_ColumnDefault: {
      catalog::Column& column = column_named(next, command->name);
      if (column.identity != 0) {
        SqlError error(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) +
                                                   " is an identity column");
        if (command->def == nullptr)
          throw std::move(error).hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
        throw error;
      }
      if (column.generated) {
        SqlError error(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) +
                                                   " is a generated column");
        if (command->def == nullptr)
          throw std::move(error).hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.");
        throw error;
      }
      if (command->def == nullptr) {
        column.default_sql.clear();
        break;
      }
      StatementContext statement = context_.analysis(text_);
      auto* constant = command->def;
      const bool null = IsA(constant, A_Const) && reinterpret_cast<A_Const*>(constant)->isnull &&
                        now->find<catalog::DomainType>(column.type) == nullptr;
      column.default_sql = null ? "" : default_text(statement, next, column, command->def, false);
      break;
    }
    case AT_DropNotNull: {
      catalog::Column& column = column_named(next, command->name);
      if (column.identity != 0) {
        throw SqlError(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) +
                                                   " is an identity column");
      }
      const auto* key = next.primary_constraint();
      if (key != nullptr && std::find(key->columns.begin(), key->columns.end(), column.attnum) != key->columns.end()) {
        throw SqlError(SqlState::kInvalidTableDefinition, "column " + quoted(column.name) + " is in a primary key");
      }
      column.not_null = false;
      break;
    }
    case AT_SetNotNull: {
      catalog::Column& column = column_named(next, command->name);
      if (column.not_null) return;
      validate_not_null(*table, column);
      column.not_null = true;
      break;
    }
    case AT_DropExpression: {
      catalog::Column& column = column_named(next, command->name);
      if (!column.generated) {
        if (!command->missing_ok) {
          throw SqlError(SqlState::kObjectNotInPrerequisiteState, "column " + quoted(column.name) + " of relation " +
                                                                      quoted(next.name) +
                                                                      " is not a stored generated column");
        }
        notice(SqlState::kSuccessfulCompletion, "column " + quoted(column.name) + " of relation " + quoted(next.name) +
                                                    " is not a stored generated column, skipping");
        return;
      }
      column.generated = false;
      column.default_sql.clear();
      break;
    }
    case AT_SetRelOptions: set_options(next.options, castNode(List, command->def), true); break;
    case AT_ResetRelOptions: reset_options(next.options, castNode(List, command->def)); break;
    case AT_SetLogged:
    case AT_SetUnLogged: {
      const bool logged = command->subtype == AT_SetLogged;
      next = with_persistence(next, logged);
      std::vector<catalog::Sequence> owned;
      now->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
        if (s.owned_by_table == oid) owned.push_back(with_persistence(s, logged));
      });
      for (auto& sequence : owned) put(std::move(sequence));
      break;
    }
    // Without meaning for our storage, or already so.
    case AT_SetStorage: check_storage(column_named(next, command->name), string_value(command->def), *now); return;
    case AT_SetOptions:
    case AT_ResetOptions:
      (void)column_named(next, command->name);
      for_list<DefElem>(castNode(List, command->def), [](DefElem* option) {
        const std::string_view name = option->defname;
        if (name == "n_distinct" || name == "n_distinct_inherited") return;
        throw SqlError(SqlState::kInvalidParameterValue, "unrecognized parameter " + quoted(name));
      });
      return;
    case AT_SetStatistics:
    case AT_SetCompression:
      if (command->name != nullptr) (void)column_named(next, command->name);
      return;
    case AT_ClusterOn: {
      const Oid index = now->find_relation(next.schema, command->name);
      if (std::find(next.indexes.begin(), next.indexes.end(), index) != next.indexes.end()) return;
      throw SqlError(SqlState::kUndefinedObject,
                     "index " + quoted(command->name) + " for table " + quoted(next.name) + " does not exist");
    }
    case AT_ReplicaIdentity: {
      const char* name = reinterpret_cast<ReplicaIdentityStmt*>(command->def)->name;
      if (name == nullptr) return;
      const Oid index = now->find_relation(next.schema, name);
      if (index == kInvalidOid) {
        throw SqlError(SqlState::kUndefinedObject,
                       "index " + quoted(name) + " for table " + quoted(next.name) + " does not exist");
      }
      if (std::find(next.indexes.begin(), next.indexes.end(), index) != next.indexes.end()) return;
      throw SqlError(SqlState::kWrongObjectType, quoted(name) + " is not an index for table " + quoted(next.name));
    }
    case AT_DropCluster:
    case AT_DropOids:
    case AT_DisableRowSecurity:
    case AT_NoForceRowSecurity:
    case AT_EnableTrigAll:
    case AT_DisableTrigAll:
    case AT_EnableTrigUser:
    case AT_DisableTrigUser: return;
    case AT_SetTableSpace:
      if (std::string_view(command->name) == "pg_default") return;
      throw SqlError(SqlState::kUndefinedObject, "tablespace " + quoted(command->name) + " does not exist");
    case AT_EnableRowSecurity:
    case AT_ForceRowSecurity: not_supported("row-level security");
    case AT_AddInherit:
    case AT_DropInherit: not_supported("table inheritance");
    case AT_AttachPartition:
    case AT_DetachPartition: not_supported("table partitioning");
    case AT_EnableTrig:
    case AT_DisableTrig:
    case AT_EnableAlwaysTrig:
    case AT_EnableReplicaTrig:
      throw SqlError(SqlState::kUndefinedObject,
                     "trigger " + quoted(command->name) + " for table " + quoted(next.name) + " does not exist");
    default: not_supported("this form of ALTER TABLE");
  }
  put(std::move(next));
}

void Ddl::validate_not_null(const catalog::Table& table, const catalog::Column& column) {
  const std::string name = quote_qualified(schema_name(table.schema), table.name);
  if (!has_rows("SELECT 1 AS one FROM ONLY " + name + " WHERE " + quote_identifier(column.name) + " IS NULL LIMIT 1"))
    return;
  SqlError error(SqlState::kNotNullViolation,
                 "column " + quoted(column.name) + " of relation " + quoted(table.name) + " contains null values");
  error.info().schema = schema_name(table.schema);
  error.info().table = table.name;
  error.info().column = column.name;
  throw error;
}

void Ddl::validate_check(const catalog::Table& table, const catalog::Constraint& c) {
  const std::string name = quote_qualified(schema_name(table.schema), table.name);
  if (!has_rows("SELECT 1 AS one FROM ONLY " + name + " WHERE NOT (" + c.check_sql + ") LIMIT 1")) return;
  SqlError error(SqlState::kCheckViolation, "check constraint " + quoted(c.name) + " of relation " +
                                                quoted(table.name) + " is violated by some row");
  error.info().schema = schema_name(table.schema);
  error.info().table = table.name;
  error.info().constraint = c.name;
  throw error;
}

void Ddl::validate_reference(const catalog::Table& table, const catalog::Constraint& c) {
  const catalog::Table* target = catalog()->find<catalog::Table>(c.referenced_table);
  std::string names, values, on, without;
  for (size_t i = 0; i < c.columns.size(); ++i) {
    const std::string& name = table.columns[static_cast<size_t>(c.columns[i]) - 1].name;
    const std::string from = "f." + quote_identifier(name);
    const std::string to =
        "p." + quote_identifier(target->columns[static_cast<size_t>(c.referenced_columns[i]) - 1].name);
    names += (i > 0 ? ", " : "") + name;
    values += (i > 0 ? " || ', ' || " : "") + ("coalesce(" + from + "::pg_catalog.text, 'null')");
    on += (i > 0 ? " AND " : "") + from + " = " + to;
    // MATCH FULL lets nulls pass only together.
    without += (i == 0 ? "" : c.match == 'f' ? " OR " : " AND ") + from + " IS NOT NULL";
  }
  std::string mixed = "false";
  for (size_t i = 0; c.match == 'f' && i < c.columns.size(); ++i) {
    mixed += " OR f." + quote_identifier(table.columns[static_cast<size_t>(c.columns[i]) - 1].name) + " IS NULL";
  }
  const auto found =
      first_text("SELECT CASE WHEN " + mixed + " THEN '' ELSE " + values + " END FROM ONLY " +
                 quote_qualified(schema_name(table.schema), table.name) + " f WHERE (" + without +
                 ") AND NOT EXISTS (SELECT 1 AS one FROM ONLY " +
                 quote_qualified(schema_name(target->schema), target->name) + " p WHERE " + on + ") LIMIT 1");
  if (!found) return;
  SqlError error(SqlState::kForeignKeyViolation, "insert or update on table " + quoted(table.name) +
                                                     " violates foreign key constraint " + quoted(c.name));
  error.info().detail =
      found->empty() ? "MATCH FULL does not allow mixing of null and nonnull key values."
                     : "Key (" + names + ")=(" + *found + ") is not present in table " + quoted(target->name) + ".";
  error.info().schema = schema_name(table.schema);
  error.info().table = table.name;
  error.info().constraint = c.name;
  throw error;
}

void Ddl::add_table_column(Oid oid, AlterTableCmd* command) {
  auto* def = castNode(ColumnDef, command->def);
  auto now = catalog();
  const catalog::Table* old = now->find<catalog::Table>(oid);
  if (old->find_column(def->colname) != nullptr) {
    if (!command->missing_ok) {
      throw SqlError(SqlState::kDuplicateColumn,
                     "column " + quoted(def->colname) + " of relation " + quoted(old->name) + " already exists");
    }
    notice(SqlState::kDuplicateColumn,
           "column " + quoted(def->colname) + " of relation " + quoted(old->name) + " already exists, skipping");
    return;
  }
  TableBuild build;
  build.table = *old;
  add_column(build, def);
  auto constraints = std::move(build.constraints);
  build.constraints.clear();
  Node* default_node = build.defaults.empty() ? nullptr : build.defaults[0].expression;
  finish_defaults(build);
  catalog::Column& column = build.table.columns.back();
  refuse_membership_in_itself(column.type, old->row_type, old->name);
  const std::string name = quote_qualified(schema_name(old->schema), old->name);
  bool rewrite = column.generated || !build.new_sequences.empty();
  const auto* domain_of_column = now->find<catalog::DomainType>(column.type);
  if (rewrite || !column.default_sql.empty() ||
      (domain_of_column != nullptr && (domain_of_column->not_null || !domain_of_column->checks.empty()))) {
    refuse_stored_rows(*old);
  }
  const bool not_null = column.not_null;
  if (!rewrite && !column.default_sql.empty()) {
    StatementContext statement = context_.analysis(text_);
    Scope scope;
    scope.statement = &statement;
    scope.kind = ExprKind::kColumnDefault;
    TypedExpr value = analyze_in(statement, default_node, nullptr, ExprKind::kColumnDefault);
    if (value.is_volatile || statement.has_volatile) {
      rewrite = true;
    } else {
      // One value for all rows that are there already.
      value = coerce(scope, std::move(value), column.type, column.typmod, CoercionContext::kAssignment);
      if (base_type_of(statement, column.type) == types::oid::kNumeric) {
        value = to_numeric_form(scope, std::move(value), physical_of(statement, column.type, column.typmod));
      }
      types::Value constant = context_.evaluate(std::move(value));
      if (!constant.is_null()) column.missing = std::move(constant);
    }
  } else if (!rewrite) {
    // A domain's default counts where the column has none.
    if (auto* domain = now->find<catalog::DomainType>(column.type);
        domain != nullptr && (!domain->default_sql.empty() || domain->not_null || !domain->checks.empty())) {
      if (!domain->default_sql.empty()) not_supported("ADD COLUMN of a domain with a default");
    }
  }
  const catalog::Column made = column;
  if (rewrite) {
    std::map<int16_t, std::string> expressions{{made.attnum, made.default_sql}};
    catalog::Table next = build.table;
    // The sequences must be there before their values are drawn.
    for (auto& sequence : build.new_sequences) put(sequence);
    rewrite_table(next, expressions, {});
  } else {
    if (not_null && !made.missing) {
      if (has_rows("SELECT 1 AS one FROM ONLY " + name + " LIMIT 1")) {
        throw SqlError(SqlState::kNotNullViolation,
                       "column " + quoted(made.name) + " of relation " + quoted(old->name) + " contains null values");
      }
    }
    const catalog::Table before = *old;
    commit_build(build);
    reshape_stored(before);
  }
  if (rewrite && not_null) validate_not_null(*catalog()->find<catalog::Table>(oid), made);
  for (const auto& pending : constraints) {
    if (pending.constraint->keys == nullptr &&
        (pending.constraint->contype == CONSTR_PRIMARY || pending.constraint->contype == CONSTR_UNIQUE)) {
      // A column constraint names its column by standing beside it.
      ListCell cell;
      String node{};
      node.type = T_String;
      node.sval = const_cast<char*>(pending.column.c_str());
      cell.ptr_value = &node;
      List list{};
      list.type = T_List;
      list.length = 1;
      list.elements = &cell;
      pending.constraint->keys = &list;
      add_table_constraint(oid, pending.constraint);
      pending.constraint->keys = nullptr;
    } else if (pending.constraint->contype == CONSTR_FOREIGN && pending.constraint->fk_attrs == nullptr) {
      TableBuild reference;
      reference.table = *catalog()->find<catalog::Table>(oid);
      add_reference(reference, pending.constraint, pending.column);
      const catalog::Constraint made = reference.table.constraints.back();
      validate_reference(*catalog()->find<catalog::Table>(oid), made);
      commit_build(reference);
    } else {
      add_table_constraint(oid, pending.constraint);
    }
  }
}

void Ddl::add_table_constraint(Oid oid, ::Constraint* c) {
  auto now = catalog();
  TableBuild build;
  build.table = *now->find<catalog::Table>(oid);
  const std::string name = quote_qualified(schema_name(build.table.schema), build.table.name);
  switch (c->contype) {
    case CONSTR_CHECK: {
      add_check(build, c, "");
      catalog::Constraint made = build.table.constraints.back();
      if (made.validated) validate_check(*now->find<catalog::Table>(oid), made);
      commit_build(build);
      return;
    }
    case CONSTR_PRIMARY:
    case CONSTR_UNIQUE: {
      if (c->indexname != nullptr) {
        add_key_over_index(build, c);
        return;
      }
      if (c->contype == CONSTR_PRIMARY) {
        for (const std::string& column : strings_of(c->keys)) (void)column_named(build.table, column.c_str());
      }
      std::vector<std::string> names = strings_of(c->keys);
      add_key(build, c, "");
      const catalog::Index index = build.new_indexes.back();
      const auto no_nulls = [&] {
        const catalog::Table* old = now->find<catalog::Table>(oid);
        for (const auto& key : index.keys) {
          const catalog::Column& column = old->columns[static_cast<size_t>(key.attnum) - 1];
          if (!column.not_null) validate_not_null(*old, column);
        }
      };
      if (index.primary) {
        no_nulls();
        // Rows lie in the order of their key: they move.
        rewrite_table(build.table, {}, build.new_indexes, index.name);
        return;
      }
      commit_build(build);
      fill_index(index);
      if (c->contype == CONSTR_PRIMARY) no_nulls();
      return;
    }
    case CONSTR_FOREIGN: {
      add_reference(build, c, "");
      catalog::Constraint made = build.table.constraints.back();
      if (made.validated) validate_reference(*now->find<catalog::Table>(oid), made);
      commit_build(build);
      return;
    }
    case CONSTR_EXCLUSION: not_supported("EXCLUDE", c->location);
    default: not_supported("this constraint in ALTER TABLE");
  }
}

void Ddl::alter_identity(Oid oid, AlterTableCmd* command) {
  auto now = catalog();
  TableBuild build;
  build.table = *now->find<catalog::Table>(oid);
  catalog::Column& column = column_named(build.table, command->name);
  const std::string where = "column " + quoted(column.name) + " of relation " + quoted(build.table.name);
  if (command->subtype == AT_AddIdentity) {
    auto* c = castNode(Constraint, command->def);
    if (column.type != types::oid::kInt2 && column.type != types::oid::kInt4 && column.type != types::oid::kInt8) {
      throw SqlError(SqlState::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
    }
    if (!column.not_null) {
      throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                     where + " must be declared NOT NULL before identity can be added");
    }
    if (column.identity != 0)
      throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " is already an identity column");
    if (!column.default_sql.empty())
      throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " already has a default value");
    add_serial(build, column, column.type, c->options, c->generated_when);
    commit_build(build);
    return;
  }
  if (column.identity == 0) {
    if (command->subtype == AT_DropIdentity && command->missing_ok) {
      notice(SqlState::kSuccessfulCompletion, where + " is not an identity column, skipping");
      return;
    }
    throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " is not an identity column");
  }
  catalog::Sequence sequence;
  now->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
    if (s.owned_by_table == oid && s.owned_by_column == column.attnum && s.identity) sequence = s;
  });
  if (command->subtype == AT_DropIdentity) {
    column.identity = 0;
    column.default_sql.clear();
    commit_build(build);
    if (sequence.oid != kInvalidOid) {
      context_.database().drop_storage(context_.transaction(), sequence.storage);
      remove(sequence.oid);
    }
    return;
  }
  std::vector<ListCell> cells;
  for_list<DefElem>(castNode(List, command->def), [&](DefElem* def) {
    if (std::string_view(def->defname) == "generated") {
      column.identity = def_text(def)[0] == 'a' || std::atoi(def_text(def).c_str()) == 'a' ? 'a' : 'd';
      return;
    }
    ListCell cell;
    cell.ptr_value = def;
    cells.push_back(cell);
  });
  commit_build(build);
  if (cells.empty()) return;
  List list{};
  list.type = T_List;
  list.length = static_cast<int>(cells.size());
  list.elements = cells.data();
  std::optional<int64_t> restart;
  sequence_options(sequence, &list, false, &restart);
  if (restart)
    restart_sequence(std::move(sequence), *restart);
  else
    put(std::move(sequence));
}

void Ddl::drop_constraint(Oid oid, AlterTableCmd* command) {
  auto now = catalog();
  const catalog::Table* table = now->find<catalog::Table>(oid);
  const catalog::Constraint* found = table->find_constraint(command->name);
  if (found == nullptr) {
    if (!command->missing_ok) {
      throw SqlError(SqlState::kUndefinedObject,
                     "constraint " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist");
    }
    notice(SqlState::kSuccessfulCompletion,
           "constraint " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist, skipping");
    return;
  }
  drop_things({Thing{.kind = Thing::Kind::kConstraint, .oid = oid, .name = found->name}},
              command->behavior == DROP_CASCADE);
}

}  // namespace omendb::sql
