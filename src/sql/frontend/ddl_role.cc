// Roles. They are stored, log in and own things; privileges beyond ownership are not kept, so GRANT and REVOKE are accepted
// where they change nothing for anyone (superusers and owners have every privilege anyway) and refused elsewhere.
#include <algorithm>

#include "catalog/password.h"
#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {

std::string Ddl::kept_password(const std::string& role, const std::string& password) {
  if (password.empty() || catalog::password_matches(role, password, "")) {
    notice(SqlState::kSuccessfulCompletion, "empty string is not a valid password, clearing password");
    return "";
  }
  return catalog::password_verifier(role, password,
                                    context_.setting("password_encryption") == "md5"
                                        ? catalog::PasswordHash::kMd5
                                        : catalog::PasswordHash::kScramSha256);
}

bool Ddl::set_role_option(catalog::Role& role, const DefElem* def) {
  const std::string_view option = def->defname;
  if (option == "superuser")
    role.superuser = boolVal(def->arg);
  else if (option == "inherit")
    role.inherit = boolVal(def->arg);
  else if (option == "createrole")
    role.create_role = boolVal(def->arg);
  else if (option == "createdb")
    role.create_db = boolVal(def->arg);
  else if (option == "canlogin")
    role.login = boolVal(def->arg);
  else if (option == "isreplication")
    role.replication = boolVal(def->arg);
  else if (option == "bypassrls")
    role.bypass_rls = boolVal(def->arg);
  else if (option == "connectionlimit")
    role.connection_limit = intVal(def->arg);
  else if (option == "password")
    role.password = def->arg == nullptr ? "" : kept_password(role.name, strVal(def->arg));
  else
    return false;
  return true;
}

std::string Ddl::create_role(CreateRoleStmt* stmt) {
  const std::string name = stmt->role;
  const catalog::Role* me = catalog()->find<catalog::Role>(current_role());
  if (!me->superuser && !me->create_role)
    throw SqlError(SqlState::kInsufficientPrivilege, "permission denied to create role");
  if (name.rfind("pg_", 0) == 0) {
    throw SqlError(SqlState::kReservedName, "role name " + quoted(name) + " is reserved")
        .detail("Role names starting with \"pg_\" are reserved.");
  }
  if (catalog()->find_role(name) != nullptr)
    throw SqlError(SqlState::kDuplicateObject, "role " + quoted(name) + " already exists");
  catalog::Role role;
  role.oid = new_oid();
  role.name = name;
  role.login = stmt->stmt_type == ROLESTMT_USER;
  std::vector<std::pair<std::string, bool>> members;
  for_list<DefElem>(stmt->options, [&](DefElem* def) {
    std::string_view option = def->defname;
    if (set_role_option(role, def)) return;
    if (option == "validUntil")
      not_supported("VALID UNTIL");
    else if (option == "sysid")
      notice(SqlState::kSuccessfulCompletion, "SYSID can no longer be specified");
    else if (option == "addroleto") {
      for_list<RoleSpec>(castNode(List, def->arg), [&](RoleSpec* spec) { role.member_of.push_back(role_of(spec)); });
    } else if (option == "rolemembers" || option == "adminmembers") {
      for_list<RoleSpec>(castNode(List, def->arg), [&](RoleSpec* spec) {
        catalog::Role member = *catalog()->find<catalog::Role>(role_of(spec));
        member.member_of.push_back(role.oid);
        put(std::move(member));
      });
    } else {
      throw SqlError(SqlState::kSyntaxError, "option " + quoted(option) + " not recognized");
    }
  });
  if (role.superuser && !me->superuser)
    throw SqlError(SqlState::kInsufficientPrivilege, "must be superuser to create superusers");
  put(std::move(role));
  return "CREATE ROLE";
}

std::string Ddl::alter_role(AlterRoleStmt* stmt) {
  Oid oid = role_of(stmt->role);
  const catalog::Role* found = catalog()->find<catalog::Role>(oid);
  const catalog::Role* me = catalog()->find<catalog::Role>(current_role());
  catalog::Role role = *found;
  bool only_password = true;
  for_list<DefElem>(stmt->options, [&](DefElem* def) {
    std::string_view option = def->defname;
    only_password = only_password && option == "password";
    if (set_role_option(role, def)) return;
    if (option == "rolemembers") {
      for_list<RoleSpec>(castNode(List, def->arg), [&](RoleSpec* spec) {
        catalog::Role member = *catalog()->find<catalog::Role>(role_of(spec));
        auto at = std::find(member.member_of.begin(), member.member_of.end(), oid);
        if (stmt->action > 0 && at == member.member_of.end()) member.member_of.push_back(oid);
        if (stmt->action < 0 && at != member.member_of.end()) member.member_of.erase(at);
        put(std::move(member));
      });
    } else {
      not_supported("ALTER ROLE with this option");
    }
  });
  const bool allowed =
      me->superuser || (me->create_role && !found->superuser && !role.superuser) || (me->oid == oid && only_password);
  if (!allowed) throw SqlError(SqlState::kInsufficientPrivilege, "permission denied");
  put(std::move(role));
  return "ALTER ROLE";
}

std::string Ddl::drop_role(DropRoleStmt* stmt) {
  for_list<RoleSpec>(stmt->roles, [&](RoleSpec* spec) {
    const catalog::Role* role = spec->roletype == ROLESPEC_CSTRING ? catalog()->find_role(spec->rolename) : nullptr;
    if (role == nullptr) {
      const std::string name = spec->rolename == nullptr ? "" : spec->rolename;
      if (!stmt->missing_ok) throw SqlError(SqlState::kUndefinedObject, "role " + quoted(name) + " does not exist");
      notice(SqlState::kSuccessfulCompletion, "role " + quoted(name) + " does not exist, skipping");
      return;
    }
    const catalog::Role* me = catalog()->find<catalog::Role>(current_role());
    if (!me->superuser && !me->create_role)
      throw SqlError(SqlState::kInsufficientPrivilege, "permission denied to drop role");
    if (role->oid == me->oid) throw SqlError(SqlState::kObjectInUse, "current user cannot be dropped");
    if (role->oid == catalog::oid::kBootstrapRole) {
      throw SqlError(SqlState::kDependentObjectsStillExist,
                     "cannot drop role " + role->name + " because it is required by the database system");
    }
    std::string detail;
    catalog()->for_each([&](const catalog::Object& object) {
      std::visit(
          [&](const auto& o) {
            if constexpr (requires {
                            o.owner;
                            o.name;
                          }) {
              if (o.owner != role->oid) return;
              using T = std::decay_t<decltype(o)>;
              std::string what = std::is_same_v<T, catalog::Schema> ? "schema "
                                 : std::is_same_v<T, catalog::EnumType> || std::is_same_v<T, catalog::DomainType> ||
                                         std::is_same_v<T, catalog::CompositeType>
                                     ? "type "
                                     : std::string(relation_kind(*catalog(), o.oid)) + " ";
              detail += (detail.empty() ? "owner of " : "\nowner of ") + what + o.name;
            }
          },
          object);
    });
    if (!detail.empty()) {
      throw SqlError(SqlState::kDependentObjectsStillExist,
                     "role " + quoted(role->name) + " cannot be dropped because some objects depend on it")
          .detail(detail);
    }
    const Oid gone = role->oid;
    std::vector<catalog::Role> members;
    catalog()->for_each_of<catalog::Role>([&](const catalog::Role& r) {
      if (std::find(r.member_of.begin(), r.member_of.end(), gone) != r.member_of.end()) members.push_back(r);
    });
    for (auto& member : members) {
      member.member_of.erase(std::remove(member.member_of.begin(), member.member_of.end(), gone),
                             member.member_of.end());
      put(std::move(member));
    }
    drop_comments(gone);
    remove(gone);
  });
  return "DROP ROLE";
}

std::string Ddl::grant_role(GrantRoleStmt* stmt) {
  if (!is_superuser())
    throw SqlError(SqlState::kInsufficientPrivilege, "must be superuser to grant membership in a role");
  for_list<AccessPriv>(stmt->granted_roles, [&](AccessPriv* granted) {
    const catalog::Role* role = catalog()->find_role(granted->priv_name);
    if (role == nullptr)
      throw SqlError(SqlState::kUndefinedObject, "role " + quoted(granted->priv_name) + " does not exist");
    const Oid oid = role->oid;
    for_list<RoleSpec>(stmt->grantee_roles, [&](RoleSpec* spec) {
      catalog::Role member = *catalog()->find<catalog::Role>(role_of(spec));
      auto at = std::find(member.member_of.begin(), member.member_of.end(), oid);
      if (stmt->is_grant && at == member.member_of.end()) member.member_of.push_back(oid);
      if (!stmt->is_grant && at != member.member_of.end()) member.member_of.erase(at);
      put(std::move(member));
    });
  });
  return stmt->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
}

std::string Ddl::grant(GrantStmt* stmt) {
  const char* tag = stmt->is_grant ? "GRANT" : "REVOKE";
  // The objects must exist, as in PostgreSQL.
  if (stmt->targtype == ACL_TARGET_OBJECT && (stmt->objtype == OBJECT_TABLE || stmt->objtype == OBJECT_SEQUENCE)) {
    for_list<RangeVar>(stmt->objects, [&](RangeVar* var) {
      if (lookup_relation(var->schemaname, var->relname) == kInvalidOid) {
        throw SqlError(SqlState::kUndefinedTable, "relation " + quoted(var->relname) + " does not exist");
      }
    });
  }
  if (stmt->objtype == OBJECT_SCHEMA || stmt->targtype == ACL_TARGET_ALL_IN_SCHEMA) {
    for_list<Node>(stmt->objects, [&](Node* name) { (void)schema_oid(string_value(name)); });
  }
  for_list<RoleSpec>(stmt->grantees, [&](RoleSpec* spec) {
    Oid grantee = role_of(spec);
    const catalog::Role* role = grantee == kInvalidOid ? nullptr : catalog()->find<catalog::Role>(grantee);
    if (role != nullptr && role->superuser && stmt->is_grant) return;
    if (stmt->is_grant && role != nullptr && grantee == current_role()) return;
    not_supported(std::string(tag) + (role == nullptr ? " for PUBLIC" : " for a role that is no superuser"));
  });
  return tag;
}

}  // namespace omendb::sql
