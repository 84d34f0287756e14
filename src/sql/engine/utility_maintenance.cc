// VACUUM, ANALYZE, REINDEX and CLUSTER: there is nothing to do, but what they name has to be there. Names of commands.
#include <algorithm>
#include <set>

#include "sql/engine/utility.h"
#include "sql/frontend/ddl.h"
#include "sql/frontend/pg_nodes.h"
#include "sql/frontend/analyzer.h"

namespace omendb::sql {
namespace {

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

Oid existing(StatementContext& context, const RangeVar* name) {
  const Oid oid = find_relation(context, name->schemaname, name->relname);
  if (oid != kInvalidOid) return oid;
  throw SqlError(
      SqlState::kUndefinedTable,
      "relation " +
          quoted(name->schemaname == nullptr ? name->relname : std::string(name->schemaname) + "." + name->relname) +
          " does not exist");
}

template <class Visit>
void each(const List* list, Visit visit) {
  for (int i = 0; list != nullptr && i < list->length; ++i)
    visit(static_cast<const Node*>(list->elements[i].ptr_value));
}

}  // namespace

std::string run_vacuum(SessionImpl& session, const Node* node) {
  const auto* statement = reinterpret_cast<const VacuumStmt*>(node);
  if (statement->is_vacuumcmd) session.refuse_in_block("VACUUM");
  bool analyzes = !statement->is_vacuumcmd;
  each(statement->options, [&](const Node* option) {
    analyzes = analyzes || std::string_view(reinterpret_cast<const DefElem*>(option)->defname) == "analyze";
  });
  StatementContext context = session.analysis("");
  each(statement->rels, [&](const Node* relation) {
    const auto* wanted = reinterpret_cast<const VacuumRelation*>(relation);
    if (wanted->va_cols != nullptr && !analyzes) {
      throw SqlError(SqlState::kFeatureNotSupported, "ANALYZE option must be specified when a column list is provided");
    }
    const auto* table = context.catalog->find<catalog::Table>(existing(context, wanted->relation));
    std::set<std::string> seen;
    each(wanted->va_cols, [&](const Node* column) {
      const std::string name = strVal(const_cast<Node*>(column));
      if (table == nullptr) return;
      if (table->find_column(name) == nullptr) {
        throw SqlError(SqlState::kUndefinedColumn,
                       "column " + quoted(name) + " of relation " + quoted(table->name) + " does not exist");
      }
      if (!seen.insert(name).second) {
        throw SqlError(SqlState::kDuplicateColumn,
                       "column " + quoted(name) + " of relation " + quoted(table->name) + " appears more than once");
      }
    });
  });
  return statement->is_vacuumcmd ? "VACUUM" : "ANALYZE";
}

std::string run_reindex(SessionImpl& session, const Node* node) {
  const auto* statement = reinterpret_cast<const ReindexStmt*>(node);
  StatementContext context = session.analysis("");
  switch (statement->kind) {
    case REINDEX_OBJECT_INDEX:
    case REINDEX_OBJECT_TABLE: {
      const Oid oid = existing(context, statement->relation);
      const bool wants_index = statement->kind == REINDEX_OBJECT_INDEX;
      if (oid.value < catalog::oid::kFirstUserOid) break;
      if (wants_index && context.catalog->find<catalog::Index>(oid) == nullptr) {
        throw SqlError(SqlState::kWrongObjectType, quoted(statement->relation->relname) + " is not an index");
      }
      if (!wants_index && context.catalog->find<catalog::Table>(oid) == nullptr) {
        throw SqlError(SqlState::kWrongObjectType,
                       quoted(statement->relation->relname) + " is not a table or materialized view");
      }
      break;
    }
    case REINDEX_OBJECT_SCHEMA:
      if (context.catalog->find_schema(statement->name) == nullptr) {
        throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(statement->name) + " does not exist");
      }
      break;
    case REINDEX_OBJECT_SYSTEM:
    case REINDEX_OBJECT_DATABASE:
      if (statement->name != nullptr && context.database_name != statement->name) {
        throw SqlError(SqlState::kFeatureNotSupported, "can only reindex the currently open database");
      }
      break;
  }
  return "REINDEX";
}

std::string run_cluster(SessionImpl& session, const Node* node) {
  const auto* statement = reinterpret_cast<const ClusterStmt*>(node);
  if (statement->relation == nullptr) return "CLUSTER";
  StatementContext context = session.analysis("");
  const auto* table = context.catalog->find<catalog::Table>(existing(context, statement->relation));
  if (table == nullptr)
    throw SqlError(SqlState::kWrongObjectType,
                   quoted(statement->relation->relname) + " is not a table or materialized view");
  if (statement->indexname == nullptr) {
    throw SqlError(SqlState::kUndefinedObject,
                   "there is no previously clustered index for table " + quoted(table->name));
  }
  const Oid index = context.catalog->find_relation(table->schema, statement->indexname);
  if (std::find(table->indexes.begin(), table->indexes.end(), index) == table->indexes.end()) {
    throw SqlError(SqlState::kUndefinedObject,
                   "index " + quoted(statement->indexname) + " for table " + quoted(table->name) + " does not exist");
  }
  return "CLUSTER";
}

std::string ddl_name(const Node* node) {
  auto kind = [](ObjectType type) -> std::string {
    switch (type) {
      case OBJECT_TABLE: return "TABLE";
      case OBJECT_VIEW: return "VIEW";
      case OBJECT_INDEX: return "INDEX";
      case OBJECT_SEQUENCE: return "SEQUENCE";
      case OBJECT_MATVIEW: return "MATERIALIZED VIEW";
      case OBJECT_SCHEMA: return "SCHEMA";
      case OBJECT_TYPE:
      case OBJECT_ATTRIBUTE: return "TYPE";
      case OBJECT_DOMAIN:
      case OBJECT_DOMCONSTRAINT: return "DOMAIN";
      case OBJECT_ROLE: return "ROLE";
      case OBJECT_EXTENSION: return "EXTENSION";
      case OBJECT_FUNCTION: return "FUNCTION";
      default: return "TABLE";
    }
  };
  switch (nodeTag(node)) {
    case T_SelectStmt: return "SELECT INTO";
    case T_CreateStmt: return "CREATE TABLE";
    case T_CreateTableAsStmt: {
      const auto* create = reinterpret_cast<const CreateTableAsStmt*>(node);
      return create->objtype == OBJECT_MATVIEW ? "CREATE MATERIALIZED VIEW"
             : create->is_select_into          ? "SELECT INTO"
                                               : "CREATE TABLE AS";
    }
    case T_IndexStmt: return "CREATE INDEX";
    case T_ViewStmt: return "CREATE VIEW";
    case T_CreateSeqStmt: return "CREATE SEQUENCE";
    case T_AlterSeqStmt: return "ALTER SEQUENCE";
    case T_CreateSchemaStmt: return "CREATE SCHEMA";
    case T_CreateEnumStmt:
    case T_CompositeTypeStmt: return "CREATE TYPE";
    case T_AlterEnumStmt: return "ALTER TYPE";
    case T_CreateDomainStmt: return "CREATE DOMAIN";
    case T_AlterDomainStmt: return "ALTER DOMAIN";
    case T_CreateRoleStmt: return "CREATE ROLE";
    case T_AlterRoleStmt: return "ALTER ROLE";
    case T_DropRoleStmt: return "DROP ROLE";
    case T_CreateExtensionStmt: return "CREATE EXTENSION";
    case T_RefreshMatViewStmt: return "REFRESH MATERIALIZED VIEW";
    case T_CommentStmt: return "COMMENT";
    case T_TruncateStmt: return "TRUNCATE TABLE";
    case T_GrantStmt: return reinterpret_cast<const GrantStmt*>(node)->is_grant ? "GRANT" : "REVOKE";
    case T_GrantRoleStmt: return reinterpret_cast<const GrantRoleStmt*>(node)->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
    case T_AlterTableStmt: return "ALTER " + kind(reinterpret_cast<const AlterTableStmt*>(node)->objtype);
    case T_DropStmt: return "DROP " + kind(reinterpret_cast<const DropStmt*>(node)->removeType);
    case T_RenameStmt: {
      const auto* rename = reinterpret_cast<const RenameStmt*>(node);
      return "ALTER " + kind(rename->renameType == OBJECT_COLUMN ? rename->relationType : rename->renameType);
    }
    case T_AlterObjectSchemaStmt:
      return "ALTER " + kind(reinterpret_cast<const AlterObjectSchemaStmt*>(node)->objectType);
    case T_AlterOwnerStmt: return "ALTER " + kind(reinterpret_cast<const AlterOwnerStmt*>(node)->objectType);
    default: return "DDL statements";
  }
}

}  // namespace omendb::sql
