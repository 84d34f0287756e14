// ALTER TABLE (and the forms that PostgreSQL's grammar gives to views, sequences and indexes through it).
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {

std::string Ddl::alter_table(AlterTableStmt* stmt) {
  std::string tag;
  switch (stmt->objtype) {
    case OBJECT_TABLE: tag = "ALTER TABLE"; break;
    case OBJECT_VIEW: tag = "ALTER VIEW"; break;
    case OBJECT_INDEX: tag = "ALTER INDEX"; break;
    case OBJECT_SEQUENCE: tag = "ALTER SEQUENCE"; break;
    case OBJECT_MATVIEW: tag = "ALTER MATERIALIZED VIEW"; break;
    case OBJECT_TYPE: not_supported("ALTER TYPE of a composite type");
    default: not_supported("ALTER of this kind of object");
  }
  txn::ObjectLockMode mode = txn::ObjectLockMode::kShareUpdateExclusive;
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) {
    switch (command->subtype) {
      case AT_SetStatistics: case AT_ValidateConstraint: case AT_SetRelOptions: case AT_ResetRelOptions: case AT_SetOptions:
      case AT_ResetOptions:
        break;
      default: mode = txn::ObjectLockMode::kAccessExclusive;
    }
  });
  Oid oid = open_relation(stmt->relation, mode, stmt->missing_ok);
  if (oid == kInvalidOid) {
    notice(SqlState::kSuccessfulCompletion, "relation " + quoted(stmt->relation->relname) + " does not exist, skipping");
    return tag;
  }
  auto now = catalog();
  const std::string_view kind = relation_kind(*now, oid);
  const bool right = (stmt->objtype == OBJECT_TABLE) || (stmt->objtype == OBJECT_VIEW && kind == "view") ||
                     (stmt->objtype == OBJECT_INDEX && kind == "index") || (stmt->objtype == OBJECT_SEQUENCE && kind == "sequence") ||
                     (stmt->objtype == OBJECT_MATVIEW && kind == "materialized view");
  if (!right) {
    std::string wanted = tag.substr(6);
    for (char& c : wanted) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    throw SqlError(SqlState::kWrongObjectType, quoted(stmt->relation->relname) + " is not " + (wanted == "index" ? "an " : "a ") + wanted);
  }
  auto object = now->object(oid);
  Oid owner = std::visit([](const auto& o) -> Oid { if constexpr (requires { o.owner; }) return o.owner; else return kInvalidOid; }, *object);
  if (auto* index = now->find<catalog::Index>(oid)) owner = now->find<catalog::Table>(index->table)->owner;
  check_owner(owner, std::string(kind).c_str(), stmt->relation->relname);
  // PostgreSQL's passes: what drops goes first, then types, columns, constraints.
  auto pass = [](const AlterTableCmd* command) {
    switch (command->subtype) {
      case AT_DropColumn: case AT_DropConstraint: case AT_DropNotNull: case AT_DropExpression: return 0;
      case AT_AlterColumnType: return 1;
      case AT_AddColumn: return 2;
      case AT_ColumnDefault: case AT_SetIdentity: case AT_DropIdentity: return command->def == nullptr ? 0 : 3;
      case AT_AddIdentity: return 3;
      case AT_SetNotNull: return 4;
      case AT_AddConstraint: {
        auto type = reinterpret_cast<const ::Constraint*>(command->def)->contype;
        return type == CONSTR_FOREIGN ? 6 : type == CONSTR_CHECK ? 5 : 4;
      }
      default: return 7;
    }
  };
  std::vector<AlterTableCmd*> commands;
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) { commands.push_back(command); });
  std::stable_sort(commands.begin(), commands.end(), [&](auto* a, auto* b) { return pass(a) < pass(b); });
  for (AlterTableCmd* command : commands) {
    try {
      alter_one(oid, command);
    } catch (const SqlError& error) {
      // PostgreSQL analyses these when it no longer has the statement's text, so their errors have no position.
      const bool key = command->subtype == AT_AddConstraint && reinterpret_cast<const ::Constraint*>(command->def)->contype != CONSTR_CHECK;
      if (key || command->subtype == AT_ColumnDefault || command->subtype == AT_AlterColumnType) {
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
  throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(column) + " of relation " + quoted(table) + " does not exist");
}

catalog::Column& column_named(catalog::Table& table, const char* name) {
  for (auto& column : table.columns) {
    if (!column.dropped && column.name == name) return column;
  }
  no_column(name, table.name);
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
          const char* action = command->subtype == AT_AddColumn ? "ADD COLUMN" : command->subtype == AT_DropColumn ? "DROP COLUMN"
                               : command->subtype == AT_AddConstraint ? "ADD CONSTRAINT" : command->subtype == AT_DropConstraint ? "DROP CONSTRAINT"
                               : command->subtype == AT_AlterColumnType ? "ALTER COLUMN ... SET DATA TYPE" : command->subtype == AT_SetNotNull ? "ALTER COLUMN ... SET NOT NULL"
                               : command->subtype == AT_DropNotNull ? "ALTER COLUMN ... DROP NOT NULL" : nullptr;
          if (action == nullptr) not_supported("this form of ALTER VIEW");
          throw SqlError(SqlState::kWrongObjectType, std::string("ALTER action ") + action + " cannot be performed on relation " + quoted(next.name))
              .detail("This operation is not supported for views.");
        }
      }
      if (auto it = next.options.find("check_option"); it != next.options.end()) next.check_option = it->second == "local" ? 'l' : 'c';
      else next.check_option = 0;
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
    not_supported("this form of ALTER");
  }
  switch (command->subtype) {
    case AT_AddColumn: add_table_column(oid, command); return;
    case AT_AddConstraint: case AT_AddIndexConstraint: add_table_constraint(oid, castNode(Constraint, command->def)); return;
    case AT_AlterColumnType: alter_column_type(oid, command); return;
    case AT_AddIdentity: case AT_SetIdentity: case AT_DropIdentity: alter_identity(oid, command); return;
    case AT_DropConstraint: drop_constraint(oid, command); return;
    case AT_DropColumn: {
      const catalog::Column* column = table->find_column(command->name);
      if (column == nullptr) {
        if (!command->missing_ok) no_column(command->name, table->name);
        notice(SqlState::kSuccessfulCompletion, "column " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist, skipping");
        return;
      }
      drop_things({Thing{.kind = Thing::Kind::kColumn, .oid = oid, .attnum = column->attnum}}, command->behavior == DROP_CASCADE);
      return;
    }
    case AT_AlterConstraint: {
      const auto* c = reinterpret_cast<const ::Constraint*>(command->def);
      const catalog::Constraint* found = table->find_constraint(c->conname);
      if (found == nullptr) {
        throw SqlError(SqlState::kUndefinedObject, "constraint " + quoted(c->conname) + " of relation " + quoted(table->name) + " does not exist");
      }
      if (found->kind != catalog::Constraint::Kind::kForeignKey) {
        throw SqlError(SqlState::kWrongObjectType, "constraint " + quoted(c->conname) + " of relation " + quoted(table->name) + " is not a foreign key constraint");
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
        throw SqlError(SqlState::kUndefinedObject, "constraint " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist");
      }
      if (found->kind != catalog::Constraint::Kind::kCheck && found->kind != catalog::Constraint::Kind::kForeignKey) {
        throw SqlError(SqlState::kWrongObjectType, "constraint " + quoted(command->name) + " of relation " + quoted(table->name) +
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
        SqlError error(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) + " is an identity column");
        if (command->def == nullptr) throw std::move(error).hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
        throw error;
      }
      if (column.generated) {
        SqlError error(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) + " is a generated column");
        if (command->def == nullptr) throw std::move(error).hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.");
        throw error;
      }
      if (command->def == nullptr) {
        column.default_sql.clear();
        break;
      }
      StatementContext statement = context_.analysis(text_);
      auto* constant = command->def;
      const bool null = IsA(constant, A_Const) && reinterpret_cast<A_Const*>(constant)->isnull;
      column.default_sql = null ? "" : default_text(statement, next, column, command->def, false);
      break;
    }
    case AT_DropNotNull: {
      catalog::Column& column = column_named(next, command->name);
      if (column.identity != 0) {
        throw SqlError(SqlState::kSyntaxError, "column " + quoted(column.name) + " of relation " + quoted(next.name) + " is an identity column");
      }
      auto key = next.primary_key();
      if (std::find(key.begin(), key.end(), column.attnum) != key.end()) {
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
          throw SqlError(SqlState::kObjectNotInPrerequisiteState, "column " + quoted(column.name) + " of relation " + quoted(next.name) + " is not a stored generated column");
        }
        notice(SqlState::kSuccessfulCompletion, "column " + quoted(column.name) + " of relation " + quoted(next.name) + " is not a stored generated column, skipping");
        return;
      }
      column.generated = false;
      column.default_sql.clear();
      break;
    }
    case AT_SetRelOptions: set_options(next.options, castNode(List, command->def), true); break;
    case AT_ResetRelOptions: reset_options(next.options, castNode(List, command->def)); break;
    case AT_SetLogged: next.persistence = 'p'; break;
    case AT_SetUnLogged: next.persistence = 'u'; break;
    // Without meaning for our storage, or already so.
    case AT_SetStatistics: case AT_SetStorage: case AT_SetCompression: case AT_SetOptions: case AT_ResetOptions:
      if (command->name != nullptr) (void)column_named(next, command->name);
      return;
    case AT_ClusterOn: case AT_DropCluster: case AT_DropOids: case AT_ReplicaIdentity: case AT_DisableRowSecurity: case AT_NoForceRowSecurity:
    case AT_EnableTrigAll: case AT_DisableTrigAll: case AT_EnableTrigUser: case AT_DisableTrigUser:
      return;
    case AT_SetTableSpace:
      if (std::string_view(command->name) == "pg_default") return;
      throw SqlError(SqlState::kUndefinedObject, "tablespace " + quoted(command->name) + " does not exist");
    case AT_EnableRowSecurity: case AT_ForceRowSecurity: not_supported("row-level security");
    case AT_AddInherit: case AT_DropInherit: not_supported("table inheritance");
    case AT_AttachPartition: case AT_DetachPartition: not_supported("table partitioning");
    case AT_EnableTrig: case AT_DisableTrig: case AT_EnableAlwaysTrig: case AT_EnableReplicaTrig:
      throw SqlError(SqlState::kUndefinedObject, "trigger " + quoted(command->name) + " for table " + quoted(next.name) + " does not exist");
    default: not_supported("this form of ALTER TABLE");
  }
  put(std::move(next));
}

void Ddl::validate_not_null(const catalog::Table& table, const catalog::Column& column) {
  const std::string name = quote_qualified(schema_name(table.schema), table.name);
  if (!has_rows("SELECT 1 AS one FROM ONLY " + name + " WHERE " + quote_identifier(column.name) + " IS NULL LIMIT 1")) return;
  SqlError error(SqlState::kNotNullViolation, "column " + quoted(column.name) + " of relation " + quoted(table.name) + " contains null values");
  error.info().schema = schema_name(table.schema);
  error.info().table = table.name;
  error.info().column = column.name;
  throw error;
}

void Ddl::validate_check(const catalog::Table& table, const catalog::Constraint& c) {
  const std::string name = quote_qualified(schema_name(table.schema), table.name);
  if (!has_rows("SELECT 1 AS one FROM ONLY " + name + " WHERE NOT (" + c.check_sql + ") LIMIT 1")) return;
  SqlError error(SqlState::kCheckViolation, "check constraint " + quoted(c.name) + " of relation " + quoted(table.name) + " is violated by some row");
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
    const std::string to = "p." + quote_identifier(target->columns[static_cast<size_t>(c.referenced_columns[i]) - 1].name);
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
  const auto found = first_text("SELECT CASE WHEN " + mixed + " THEN '' ELSE " + values + " END FROM ONLY " +
                                quote_qualified(schema_name(table.schema), table.name) + " f WHERE (" + without +
                                ") AND NOT EXISTS (SELECT 1 AS one FROM ONLY " + quote_qualified(schema_name(target->schema), target->name) +
                                " p WHERE " + on + ") LIMIT 1");
  if (!found) return;
  SqlError error(SqlState::kForeignKeyViolation, "insert or update on table " + quoted(table.name) + " violates foreign key constraint " + quoted(c.name));
  error.info().detail = found->empty() ? "MATCH FULL does not allow mixing of null and nonnull key values."
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
      throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(def->colname) + " of relation " + quoted(old->name) + " already exists");
    }
    notice(SqlState::kDuplicateColumn, "column " + quoted(def->colname) + " of relation " + quoted(old->name) + " already exists, skipping");
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
  const std::string name = quote_qualified(schema_name(old->schema), old->name);
  bool rewrite = column.generated || !build.new_sequences.empty();
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
    if (auto* domain = now->find<catalog::DomainType>(column.type); domain != nullptr && (!domain->default_sql.empty() || domain->not_null || !domain->checks.empty())) {
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
        throw SqlError(SqlState::kNotNullViolation, "column " + quoted(made.name) + " of relation " + quoted(old->name) + " contains null values");
      }
    }
    commit_build(build);
  }
  if (rewrite && not_null) validate_not_null(*catalog()->find<catalog::Table>(oid), made);
  for (const auto& pending : constraints) {
    if (pending.constraint->keys == nullptr && (pending.constraint->contype == CONSTR_PRIMARY || pending.constraint->contype == CONSTR_UNIQUE)) {
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
    case CONSTR_PRIMARY: case CONSTR_UNIQUE: {
      if (c->indexname != nullptr) {
        // USING INDEX: the index becomes the constraint's, and takes its name.
        Oid index_oid = now->find_relation(build.table.schema, c->indexname);
        const catalog::Index* index = now->find<catalog::Index>(index_oid);
        if (index == nullptr) throw SqlError(SqlState::kUndefinedObject, "index " + quoted(c->indexname) + " does not exist");
        if (index->table != oid) {
          throw SqlError(SqlState::kObjectNotInPrerequisiteState, "index " + quoted(c->indexname) + " does not belong to table " + quoted(build.table.name));
        }
        if (!index->unique) throw SqlError(SqlState::kWrongObjectType, quoted(c->indexname) + " is not a unique index").detail("Cannot create a primary key or unique constraint using such an index.");
        if (!index->predicate_sql.empty()) throw SqlError(SqlState::kWrongObjectType, quoted(c->indexname) + " is a partial index").detail("Cannot create a primary key or unique constraint using such an index.");
        for (const auto& key : index->keys) {
          if (key.attnum == 0) throw SqlError(SqlState::kWrongObjectType, "index " + quoted(c->indexname) + " contains expressions").detail("Cannot create a primary key or unique constraint using such an index.");
          if (key.descending || key.nulls_first) throw SqlError(SqlState::kWrongObjectType, "index " + quoted(c->indexname) + " column number 1 does not have default sorting behavior").detail("Cannot create a primary key or unique constraint using such an index.");
        }
        if (c->contype == CONSTR_PRIMARY) not_supported("PRIMARY KEY USING INDEX");
        catalog::Index next = *index;
        catalog::Constraint key;
        key.oid = new_oid();
        key.kind = catalog::Constraint::Kind::kUnique;
        key.name = c->conname == nullptr ? next.name : c->conname;
        key.index = index_oid;
        for (const auto& k : next.keys) key.columns.push_back(k.attnum);
        if (next.name != key.name) {
          notice(SqlState::kSuccessfulCompletion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index " + quoted(next.name) + " to " + quoted(key.name));
        }
        next.name = key.name;
        build.table.constraints.push_back(std::move(key));
        put(std::move(next));
        put(std::move(build.table));
        return;
      }
      std::vector<std::string> names = strings_of(c->keys);
      add_key(build, c, "");
      const catalog::Index index = build.new_indexes.back();
      if (index.primary) {
        const catalog::Table* old = now->find<catalog::Table>(oid);
        for (const auto& key : index.keys) {
          const catalog::Column& column = old->columns[static_cast<size_t>(key.attnum) - 1];
          if (!column.not_null) validate_not_null(*old, column);
        }
        // Rows lie in the order of their key: they move.
        rewrite_table(build.table, {}, build.new_indexes, index.name);
        return;
      }
      commit_build(build);
      fill_index(index);
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

void Ddl::alter_column_type(Oid oid, AlterTableCmd* command) {
  auto now = catalog();
  const catalog::Table* old = now->find<catalog::Table>(oid);
  auto* def = castNode(ColumnDef, command->def);
  StatementContext statement = context_.analysis(text_);
  catalog::Table next = *old;
  catalog::Column& column = column_named(next, command->name);
  const catalog::Column before = column;
  ResolvedType type = resolve_type(statement, def->typeName);
  catalog::Column made = column_of_type(column.name, type, def->collClause);
  // Views and generated columns over it stand in the way; PostgreSQL says so too.
  for (const Edge& edge : dependents(*now, Thing{.kind = Thing::Kind::kColumn, .oid = oid, .attnum = column.attnum})) {
    if (edge.dependent.kind == Thing::Kind::kRelation && now->find<catalog::Index>(edge.dependent.oid) == nullptr &&
        now->find<catalog::Sequence>(edge.dependent.oid) == nullptr) {
      throw SqlError(SqlState::kFeatureNotSupported, "cannot alter type of a column used by a view or rule")
          .detail("rule _RETURN on " + describe(*now, edge.dependent) + " depends on column " + quoted(column.name));
    }
  }
  for (const auto& other : next.columns) {
    if (!other.dropped && other.generated && other.attnum != column.attnum && uses_of(*now, other.default_sql).columns.count(column.name) != 0) {
      throw SqlError(SqlState::kFeatureNotSupported, "cannot alter type of a column used by a generated column")
          .detail("Column " + quoted(column.name) + " is used by generated column " + quoted(other.name) + ".");
    }
  }
  if (before.generated && def->raw_default != nullptr) {
    throw SqlError(SqlState::kInvalidTableDefinition, "cannot specify USING when altering type of generated column");
  }
  if (before.identity != 0 && made.type != types::oid::kInt2 && made.type != types::oid::kInt4 && made.type != types::oid::kInt8) {
    throw SqlError(SqlState::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
  }
  const std::string type_text = format_type(*now, made.type, made.typmod);
  Scope scope;
  scope.statement = &statement;
  std::string expression = quote_identifier(column.name);
  TypedExpr value;
  if (def->raw_default != nullptr) {
    value = analyze_in(statement, def->raw_default, old, ExprKind::kAlterColumnTransform);
    Oid from = value.type;
    if (!try_coerce(scope, std::move(value), made.type, made.typmod, CoercionContext::kAssignment)) {
      throw SqlError(SqlState::kDatatypeMismatch, "result of USING clause for column " + quoted(column.name) + " cannot be cast automatically to type " +
                         format_type(*now, made.type, -1))
          .hint("You might need to add an explicit cast.");
      (void)from;
    }
    expression = store_text(statement, def->raw_default, old);
  } else {
    // PostgreSQL allows what an assignment allows.
    ColumnRef ref{};
    ref.type = T_ColumnRef;
    ref.location = -1;
    String name{};
    name.type = T_String;
    name.sval = column.name.data();
    ListCell cell;
    cell.ptr_value = &name;
    List fields{};
    fields.type = T_List;
    fields.length = 1;
    fields.elements = &cell;
    ref.fields = &fields;
    value = analyze_in(statement, reinterpret_cast<Node*>(&ref), old, ExprKind::kAlterColumnTransform);
    if (!try_coerce(scope, std::move(value), made.type, made.typmod, CoercionContext::kAssignment)) {
      throw SqlError(SqlState::kDatatypeMismatch, "column " + quoted(column.name) + " cannot be cast automatically to type " + format_type(*now, made.type, -1))
          .hint("You might need to specify \"USING " + quote_identifier(column.name) + "::" + type_text + "\".");
    }
  }
  // The default must follow.
  column.type = made.type;
  column.typmod = made.typmod;
  column.physical = made.physical;
  column.collation = made.collation;
  column.missing.reset();
  if (!before.default_sql.empty() && before.identity == 0 && !before.generated && before.type != made.type) {
    // A literal of the old type is read again; anything else is cast.
    std::string literal = before.default_sql;
    if (literal[0] == '\'') {
      size_t cast = literal.rfind("'::");
      if (cast != std::string::npos && cast > 0) literal.resize(cast + 1);
    }
    column.default_sql = literal[0] == '\'' ? literal + "::" + stored_type_name(made.type, -1) : "(" + literal + ")::" + stored_type_name(made.type, -1);
    if (literal.find_first_not_of("0123456789") == std::string::npos) column.default_sql = literal;
    if (literal.rfind("nextval(", 0) == 0) column.default_sql = literal;
  }
  for (const auto& c : next.constraints) {
    const bool keyed = c.kind == catalog::Constraint::Kind::kPrimaryKey || c.kind == catalog::Constraint::Kind::kUnique;
    if (keyed && std::find(c.columns.begin(), c.columns.end(), column.attnum) != c.columns.end()) check_indexable(made.type);
  }
  // Widening a string keeps every stored byte.
  const bool string = made.type == types::oid::kText || made.type == types::oid::kVarchar;
  const bool was_string = before.type == types::oid::kText || before.type == types::oid::kVarchar;
  const bool wider = made.type == types::oid::kText || made.typmod == -1 ||
                     (before.type == types::oid::kVarchar && before.typmod != -1 && before.typmod <= made.typmod);
  if (def->raw_default == nullptr && ((string && was_string && wider) || (before.type == made.type && before.typmod == made.typmod))) {
    column.missing = before.missing;
    put(next);
  } else {
    if (before.generated) expression = before.default_sql;
    rewrite_table(next, {{column.attnum, expression}}, {});
  }
  if (before.identity != 0) {
    now = catalog();
    std::vector<catalog::Sequence> mine;
    now->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
      if (s.owned_by_table == oid && s.owned_by_column == before.attnum && s.identity) mine.push_back(s);
    });
    for (auto& s : mine) {
      s.type = made.type;
      const int64_t max = made.type == types::oid::kInt2 ? INT16_MAX : made.type == types::oid::kInt4 ? INT32_MAX : INT64_MAX;
      if (s.increment > 0) s.max = max;
      put(s);
    }
  }
  const catalog::Table* after = catalog()->find<catalog::Table>(oid);
  if (before.not_null) validate_not_null(*after, after->columns[static_cast<size_t>(before.attnum) - 1]);
  for (const auto& c : after->constraints) {
    if (c.kind == catalog::Constraint::Kind::kCheck && c.validated &&
        std::find(c.columns.begin(), c.columns.end(), before.attnum) != c.columns.end()) {
      validate_check(*after, c);
    }
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
    if (!column.not_null) {
      throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " must be declared NOT NULL before identity can be added");
    }
    if (column.identity != 0) throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " is already an identity column");
    if (!column.default_sql.empty()) throw SqlError(SqlState::kObjectNotInPrerequisiteState, where + " already has a default value");
    if (column.type != types::oid::kInt2 && column.type != types::oid::kInt4 && column.type != types::oid::kInt8) {
      throw SqlError(SqlState::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
    }
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
  if (restart) restart_sequence(std::move(sequence), *restart);
  else put(std::move(sequence));
}

void Ddl::drop_constraint(Oid oid, AlterTableCmd* command) {
  auto now = catalog();
  const catalog::Table* table = now->find<catalog::Table>(oid);
  const catalog::Constraint* found = table->find_constraint(command->name);
  if (found == nullptr) {
    if (!command->missing_ok) {
      throw SqlError(SqlState::kUndefinedObject, "constraint " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist");
    }
    notice(SqlState::kSuccessfulCompletion, "constraint " + quoted(command->name) + " of relation " + quoted(table->name) + " does not exist, skipping");
    return;
  }
  drop_things({Thing{.kind = Thing::Kind::kConstraint, .oid = oid, .name = found->name}}, command->behavior == DROP_CASCADE);
}

}  // namespace omendb::sql
