// ALTER TABLE ... ALTER COLUMN ... TYPE, and the attributes of composite types.
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {

std::optional<std::string> Ddl::change_column_type(const catalog::Table* old, catalog::Table& next,
                                                   AlterTableCmd* command) {
  auto now = catalog();
  const Oid oid = old->oid;
  auto* def = castNode(ColumnDef, command->def);
  StatementContext statement = context_.analysis(text_);
  const catalog::Column* named = old->find_column(command->name);
  if (named == nullptr) (void)attnum_of(*old, command->name, nullptr);
  catalog::Column& column = next.columns[static_cast<size_t>(named->attnum) - 1];
  const catalog::Column before = *named;
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
    if (!other.dropped && other.generated && other.attnum != column.attnum &&
        uses_of(*now, other.default_sql).columns.count(column.name) != 0) {
      throw SqlError(SqlState::kFeatureNotSupported, "cannot alter type of a column used by a generated column")
          .detail("Column " + quoted(column.name) + " is used by generated column " + quoted(other.name) + ".");
    }
  }
  if (before.generated && def->raw_default != nullptr) {
    throw SqlError(SqlState::kInvalidTableDefinition, "cannot specify USING when altering type of generated column");
  }
  if (before.identity != 0 && made.type != types::oid::kInt2 && made.type != types::oid::kInt4 &&
      made.type != types::oid::kInt8) {
    throw SqlError(SqlState::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
  }
  const std::string type_text = format_type(*now, made.type, made.typmod);
  Scope scope;
  scope.statement = &statement;
  std::string expression = quote_identifier(column.name);
  TypedExpr value;
  if (def->raw_default != nullptr) {
    value = analyze_in(statement, def->raw_default, old, ExprKind::kAlterColumnTransform);
    if (!try_coerce(scope, std::move(value), made.type, made.typmod, CoercionContext::kAssignment)) {
      throw SqlError(SqlState::kDatatypeMismatch, "result of USING clause for column " + quoted(column.name) +
                                                      " cannot be cast automatically to type " +
                                                      format_type(*now, made.type, -1))
          .hint("You might need to add an explicit cast.");
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
      throw SqlError(
          SqlState::kDatatypeMismatch,
          "column " + quoted(column.name) + " cannot be cast automatically to type " + format_type(*now, made.type, -1))
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
    TypedExpr value = analyze_table_expression(statement, nullptr, "", before.default_sql, ExprKind::kSelectTarget);
    if (!try_coerce(scope, std::move(value), made.type, made.typmod, CoercionContext::kAssignment)) {
      throw SqlError(SqlState::kDatatypeMismatch, "default for column " + quoted(column.name) +
                                                      " cannot be cast automatically to type " +
                                                      format_type(*now, made.type, -1));
    }
    // A literal of the old type is read again; anything else is cast.
    std::string literal = before.default_sql;
    if (literal[0] == '\'') {
      size_t cast = literal.rfind("'::");
      if (cast != std::string::npos && cast > 0) literal.resize(cast + 1);
    }
    column.default_sql = literal[0] == '\'' ? literal + "::" + stored_type_name(made.type, -1)
                                            : "(" + literal + ")::" + stored_type_name(made.type, -1);
    if (literal.find_first_not_of("0123456789") == std::string::npos) column.default_sql = literal;
    if (literal.rfind("nextval(", 0) == 0) column.default_sql = literal;
  }
  for (const auto& c : next.constraints) {
    const bool keyed = c.kind == catalog::Constraint::Kind::kPrimaryKey || c.kind == catalog::Constraint::Kind::kUnique;
    if (keyed && std::find(c.columns.begin(), c.columns.end(), column.attnum) != c.columns.end())
      check_indexable(made.type);
  }
  // Widening a string keeps every stored byte.
  const bool string = made.type == types::oid::kText || made.type == types::oid::kVarchar;
  const bool was_string = before.type == types::oid::kText || before.type == types::oid::kVarchar;
  const bool wider = made.type == types::oid::kText || made.typmod == -1 ||
                     (before.type == types::oid::kVarchar && before.typmod != -1 && before.typmod <= made.typmod);
  if (def->raw_default == nullptr &&
      ((string && was_string && wider) || (before.type == made.type && before.typmod == made.typmod))) {
    column.missing = before.missing;
    return std::nullopt;
  }
  return before.generated ? before.default_sql : expression;
}

void Ddl::alter_column_types(Oid oid, const std::vector<AlterTableCmd*>& commands) {
  auto now = catalog();
  const catalog::Table* old = now->find<catalog::Table>(oid);
  refuse_stored_rows(*old);
  catalog::Table next = *old;
  std::map<int16_t, std::string> expressions;
  std::set<int16_t> changed;
  for (AlterTableCmd* command : commands) {
    const int16_t attnum = attnum_of(*old, command->name, nullptr);
    if (!changed.insert(attnum).second) {
      throw SqlError(SqlState::kFeatureNotSupported, "cannot alter type of column " + quoted(command->name) + " twice");
    }
    if (auto expression = change_column_type(old, next, command)) expressions[attnum] = *expression;
  }
  if (expressions.empty())
    put(next);
  else
    rewrite_table(next, expressions, {});
  for (int16_t attnum : changed) finish_column_type(oid, old->columns[static_cast<size_t>(attnum) - 1]);
}

void Ddl::finish_column_type(Oid oid, const catalog::Column& before) {
  auto now = catalog();
  const catalog::Column made = now->find<catalog::Table>(oid)->columns[static_cast<size_t>(before.attnum) - 1];
  if (before.identity != 0) {
    std::vector<catalog::Sequence> mine;
    now->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
      if (s.owned_by_table == oid && s.owned_by_column == before.attnum && s.identity) mine.push_back(s);
    });
    for (auto& s : mine) {
      s.type = made.type;
      const int64_t max = made.type == types::oid::kInt2   ? INT16_MAX
                          : made.type == types::oid::kInt4 ? INT32_MAX
                                                           : INT64_MAX;
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

// --- Row types ---

std::string Ddl::column_storing(Oid type) {
  auto now = catalog();
  std::set<Oid> types{type}, seen;
  auto uses = [&](const catalog::Column& column) {
    const Oid element = now->element_of_array(column.type);
    return !column.dropped && types.count(element == kInvalidOid ? column.type : element) != 0;
  };
  // Types made of it store it too.
  for (size_t before = 0; before != types.size();) {
    before = types.size();
    now->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& composite) {
      if (std::any_of(composite.columns.begin(), composite.columns.end(), uses)) types.insert(composite.oid);
    });
    now->for_each_of<catalog::DomainType>([&](const catalog::DomainType& domain) {
      const Oid element = now->element_of_array(domain.base_type);
      if (types.count(element == kInvalidOid ? domain.base_type : element) != 0) types.insert(domain.oid);
    });
    now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
      if (std::any_of(table.columns.begin(), table.columns.end(), uses)) types.insert(table.row_type);
    });
  }
  std::string found;
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    for (const catalog::Column& column : table.columns) {
      if (found.empty() && uses(column)) found = table.name + "." + column.name;
    }
  });
  return found;
}

void Ddl::refuse_stored_rows(const catalog::Table& table) {
  const std::string column = column_storing(table.row_type);
  if (column.empty()) return;
  throw SqlError(SqlState::kFeatureNotSupported, "cannot alter table " + quoted(table.name) + " because column " +
                                                     quoted(column) + " uses its row type");
}

std::string Ddl::alter_composite(AlterTableStmt* stmt) {
  Oid relation = lookup_relation(stmt->relation->schemaname, stmt->relation->relname);
  const catalog::CompositeType* found = nullptr;
  catalog()->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& type) {
    if (type.relation == relation) found = &type;
  });
  if (relation == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedTable, "relation " + quoted(stmt->relation->relname) + " does not exist");
  }
  if (found == nullptr)
    throw SqlError(SqlState::kWrongObjectType, quoted(stmt->relation->relname) + " is not a composite type");
  lock(found->oid, txn::ObjectLockMode::kAccessExclusive);
  check_owner(found->owner, "type", found->name);
  catalog::CompositeType next = *catalog()->find<catalog::CompositeType>(found->oid);
  if (const std::string column = column_storing(next.oid); !column.empty()) {
    throw SqlError(SqlState::kFeatureNotSupported,
                   "cannot alter type " + quoted(next.name) + " because column " + quoted(column) + " uses it");
  }
  refuse_used_in_views(next.oid);
  StatementContext statement = context_.analysis(text_);
  auto attribute = [&](const char* name) {
    return std::find_if(next.columns.begin(), next.columns.end(),
                        [&](const catalog::Column& c) { return c.name == name; });
  };
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) {
    if (command->subtype == AT_DropColumn) {
      auto at = attribute(command->name);
      if (at != next.columns.end()) {
        next.columns.erase(at);
        return;
      }
      const std::string text =
          "column " + quoted(command->name) + " of relation " + quoted(next.name) + " does not exist";
      if (!command->missing_ok) throw SqlError(SqlState::kUndefinedColumn, text);
      notice(SqlState::kSuccessfulCompletion, text + ", skipping");
      return;
    }
    auto* def = castNode(ColumnDef, command->def);
    const bool adds = command->subtype == AT_AddColumn;
    auto at = attribute(adds ? def->colname : command->name);
    if (adds && at != next.columns.end()) {
      throw SqlError(SqlState::kDuplicateColumn,
                     "column " + quoted(def->colname) + " of relation " + quoted(next.name) + " already exists");
    }
    if (!adds && at == next.columns.end()) {
      throw SqlError(SqlState::kUndefinedColumn,
                     "column " + quoted(command->name) + " of relation " + quoted(next.name) + " does not exist");
    }
    const ResolvedType type = resolve_type(statement, def->typeName);
    if (type.type == next.oid) {
      throw SqlError(SqlState::kInvalidTableDefinition,
                     "composite type " + next.name + " cannot be made a member of itself");
    }
    catalog::Column made = column_of_type(adds ? def->colname : at->name, type, def->collClause);
    if (adds)
      next.columns.push_back(std::move(made));
    else
      *at = std::move(made);
  });
  for (size_t i = 0; i < next.columns.size(); ++i) next.columns[i].attnum = static_cast<int16_t>(i + 1);
  put(std::move(next));
  return "ALTER TYPE";
}

void Ddl::refuse_used_in_views(Oid type) {
  auto check = [&](const std::vector<Oid>& dependencies) {
    if (std::find(dependencies.begin(), dependencies.end(), type) != dependencies.end())
      not_supported("altering a composite type that views use");
  };
  catalog()->for_each_of<catalog::View>([&](const catalog::View& view) { check(view.dependencies); });
  catalog()->for_each_of<catalog::Table>([&](const catalog::Table& table) { check(table.view_dependencies); });
}

std::string Ddl::rename_attribute(RenameStmt* stmt) {
  Oid relation = lookup_relation(stmt->relation->schemaname, stmt->relation->relname);
  std::optional<catalog::CompositeType> type;
  catalog()->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& each) {
    if (each.relation == relation) type = each;
  });
  if (relation == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedTable, "relation " + quoted(stmt->relation->relname) + " does not exist");
  }
  if (!type) throw SqlError(SqlState::kWrongObjectType, quoted(stmt->relation->relname) + " is not a composite type");
  lock(type->oid, txn::ObjectLockMode::kAccessExclusive);
  check_owner(type->owner, "type", type->name);
  refuse_used_in_views(type->oid);
  auto attribute = [&](std::string_view name) {
    return std::find_if(type->columns.begin(), type->columns.end(),
                        [&](const catalog::Column& c) { return c.name == name; });
  };
  auto found = attribute(stmt->subname);
  if (found == type->columns.end())
    throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(stmt->subname) + " does not exist");
  if (attribute(stmt->newname) != type->columns.end()) {
    throw SqlError(SqlState::kDuplicateColumn,
                   "column " + quoted(stmt->newname) + " of relation " + quoted(type->name) + " already exists");
  }
  found->name = stmt->newname;
  put(std::move(*type));
  return "ALTER TYPE";
}

}  // namespace omendb::sql
