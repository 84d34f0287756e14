// ALTER TABLE ... ALTER COLUMN ... TYPE, and the attributes of composite types.
#include <algorithm>
#include <cctype>
#include <functional>

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
  refuse_membership_in_itself(type.type, old->row_type, old->name);
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
  // In PostgreSQL's order, which its message shows: arrays first, then what depends on the type by age, each with its own dependents.
  Oid array;
  if (auto* composite = now->find<catalog::CompositeType>(type)) array = composite->array_type;
  if (auto* domain = now->find<catalog::DomainType>(type)) array = domain->array_type;
  if (auto* table = now->table_of_row_type(type)) array = table->array_type;
  if (array != kInvalidOid) {
    if (std::string found = column_storing(array); !found.empty()) return found;
  }
  std::map<Oid, std::function<std::string()>> users;
  auto column_of = [&](const std::vector<catalog::Column>& columns) {
    return std::find_if(columns.begin(), columns.end(),
                        [&](const catalog::Column& c) { return !c.dropped && c.type == type; });
  };
  now->for_each_of<catalog::DomainType>([&](const catalog::DomainType& domain) {
    if (domain.base_type == type) users[domain.oid] = [this, oid = domain.oid] { return column_storing(oid); };
  });
  now->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& composite) {
    if (column_of(composite.columns) != composite.columns.end())
      users[composite.oid] = [this, oid = composite.oid] { return column_storing(oid); };
  });
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    const auto column = column_of(table.columns);
    if (column == table.columns.end()) return;
    users[table.oid] = [name = table.name + "." + column->name] { return name; };
  });
  for (const auto& [oid, find] : users) {
    if (std::string found = find(); !found.empty()) return found;
  }
  return {};
}

void Ddl::refuse_membership_in_itself(Oid member, Oid type, const std::string& name) {
  if (shape_of(member, type, "()") == "=") return;
  throw SqlError(SqlState::kInvalidTableDefinition, "composite type " + name + " cannot be made a member of itself");
}

std::string Ddl::shape_of(Oid type, Oid changed, const std::string& shape) {
  auto now = catalog();
  while (const auto* domain = now->find<catalog::DomainType>(type)) type = domain->base_type;
  if (type == changed) return shape;
  if (type.value < catalog::oid::kFirstUserOid) return "=";
  if (const Oid element = now->element_of_array(type); element != kInvalidOid) {
    const std::string inner = shape_of(element, changed, shape);
    return inner == "=" ? inner : "[" + inner;
  }
  const auto* columns = composite_columns(*now, type);
  if (columns == nullptr) return "=";
  std::string fields;
  bool changes = false;
  int position = 0;
  for (const catalog::Column& column : *columns) {
    if (column.dropped) continue;
    const std::string inner = shape_of(column.type, changed, shape);
    changes = changes || inner != "=";
    fields += std::to_string(position++) + inner;
  }
  return changes ? "(" + fields + ")" : "=";
}

void Ddl::reshape_stored(Oid type, const std::vector<catalog::Column>& columns, const std::vector<int>& origins) {
  auto now = catalog();
  StatementContext statement = context_.analysis(text_);
  std::string shape = "(";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (origins[i] >= 0) {
      shape += std::to_string(origins[i]) + "=";
      continue;
    }
    int32_t typmod = columns[i].typmod;
    const Oid base = base_type_of(statement, columns[i].type, &typmod);
    const int32_t width = base == types::oid::kBpchar && typmod >= 4 ? typmod - 4 : 0;
    shape += "-" + std::to_string(columns[i].type.value) + ":" +
             std::to_string(static_cast<int>(physical_of(statement, base, -1).kind)) + ":" + std::to_string(width) +
             ";";
  }
  shape += ")";
  std::map<Oid, std::map<int16_t, std::string>> tables;
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    for (const catalog::Column& column : table.columns) {
      if (column.dropped) continue;
      if (std::string of_column = shape_of(column.type, type, shape); of_column != "=")
        tables[table.oid][column.attnum] = std::move(of_column);
    }
  });
  for (const auto& [oid, shapes] : tables) {
    lock(oid, txn::ObjectLockMode::kAccessExclusive);
    rewrite_table(*catalog()->find<catalog::Table>(oid), {}, {}, {}, shapes);
  }
}

void Ddl::reshape_stored(const catalog::Table& before) {
  const catalog::Table* after = catalog()->find<catalog::Table>(before.oid);
  if (after == nullptr || column_storing(after->row_type).empty()) return;
  std::map<int16_t, int> positions;
  for (const catalog::Column& column : before.columns) {
    if (!column.dropped) positions.emplace(column.attnum, static_cast<int>(positions.size()));
  }
  std::vector<catalog::Column> live;
  std::vector<int> origins;
  for (const catalog::Column& column : after->columns) {
    if (column.dropped) continue;
    const auto found = positions.find(column.attnum);
    origins.push_back(found == positions.end() ? -1 : found->second);
    live.push_back(column);
  }
  reshape_stored(after->row_type, live, origins);
}

namespace {

/// Whether the text has `.name` in it.
bool names_field(const std::string& sql, const std::string& name) {
  const std::string field = "." + quote_identifier(name);
  const auto goes_on = [](char c) { return c == '_' || c == '$' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (size_t at = sql.find(field); at != std::string::npos; at = sql.find(field, at + 1)) {
    if (at + field.size() == sql.size() || !goes_on(sql[at + field.size()])) return true;
  }
  return false;
}

}  // namespace

void Ddl::check_expressions_over(const catalog::Table& table, const catalog::CompositeType& before,
                                 std::vector<Dependent>* dependents) {
  auto now = catalog();
  const bool stores = std::any_of(table.columns.begin(), table.columns.end(), [&](const catalog::Column& c) {
    return !c.dropped && shape_of(c.type, before.oid, "()") != "=";
  });
  auto check = [&](const std::string& sql, ExprKind kind, const std::string& described,
                   const catalog::Column* assigned = nullptr) {
    if (sql.empty() || (!stores && sql.find(before.name) == std::string::npos)) return;
    try {
      StatementContext statement = context_.analysis(sql);
      TypedExpr value = analyze_table_expression(statement, &table, "t", sql, kind);
      Scope scope;
      scope.statement = &statement;
      if (assigned != nullptr)
        (void)coerce(scope, std::move(value), assigned->type, assigned->typmod, CoercionContext::kAssignment);
    } catch (SqlError&) {
      // It named an attribute that is gone, or made a value of the type out of fewer fields than it has now.
      const auto* after = now->find<catalog::CompositeType>(before.oid);
      for (const catalog::Column& column : before.columns) {
        const bool stays = std::any_of(after->columns.begin(), after->columns.end(),
                                       [&](const catalog::Column& c) { return c.name == column.name; });
        if (stays || !names_field(sql, column.name)) continue;
        dependents->push_back({column.name, described});
        return;
      }
      not_supported("altering a composite type that " + described + " makes values of");
    }
  };
  for (const catalog::Column& column : table.columns) {
    if (column.dropped || column.default_sql.empty()) continue;
    check(column.default_sql, column.generated ? ExprKind::kGeneratedColumn : ExprKind::kColumnDefault,
          (column.generated ? "column " : "default value for column ") + column.name + " of table " + table.name,
          &column);
  }
  for (const auto& constraint : table.constraints) {
    check(constraint.check_sql, ExprKind::kCheckConstraint,
          "constraint " + constraint.name + " on table " + table.name);
  }
  for (Oid oid : table.indexes) {
    const auto* index = now->find<catalog::Index>(oid);
    for (const auto& key : index->keys) check(key.expression_sql, ExprKind::kIndexExpression, "index " + index->name);
    check(index->predicate_sql, ExprKind::kIndexPredicate, "index " + index->name);
  }
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
  refuse_used_in_views(next.oid);
  const catalog::CompositeType before = next;
  const std::string stored_in = column_storing(next.oid);
  std::vector<int> origins;
  for (size_t i = 0; i < next.columns.size(); ++i) origins.push_back(static_cast<int>(i));
  StatementContext statement = context_.analysis(text_);
  auto attribute = [&](const char* name) {
    return std::find_if(next.columns.begin(), next.columns.end(),
                        [&](const catalog::Column& c) { return c.name == name; });
  };
  for_list<AlterTableCmd>(stmt->cmds, [&](AlterTableCmd* command) {
    if (command->subtype == AT_DropColumn) {
      auto at = attribute(command->name);
      if (at != next.columns.end()) {
        origins.erase(origins.begin() + (at - next.columns.begin()));
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
    refuse_membership_in_itself(type.type, next.oid, next.name);
    catalog::Column made = column_of_type(adds ? def->colname : at->name, type, def->collClause);
    if (adds) {
      next.columns.push_back(std::move(made));
      origins.push_back(-1);
      return;
    }
    if (!stored_in.empty()) {
      throw SqlError(SqlState::kFeatureNotSupported,
                     "cannot alter type " + quoted(next.name) + " because column " + quoted(stored_in) + " uses it");
    }
    *at = std::move(made);
  });
  for (size_t i = 0; i < next.columns.size(); ++i) next.columns[i].attnum = static_cast<int16_t>(i + 1);
  put(next);
  auto now = catalog();
  std::vector<Dependent> dependents;
  now->for_each_of<catalog::Table>(
      [&](const catalog::Table& table) { check_expressions_over(table, before, &dependents); });
  now->for_each_of<catalog::DomainType>([&](const catalog::DomainType& domain) {
    if (shape_of(domain.base_type, next.oid, "()") == "=") return;
    for (const catalog::Column& column : before.columns) {
      if (attribute(column.name.c_str()) != next.columns.end()) continue;
      for (const auto& c : domain.checks) {
        if (names_field(c.check_sql, column.name)) dependents.push_back({column.name, "constraint " + c.name});
      }
    }
  });
  if (!dependents.empty()) {
    const std::string& first = dependents[0].attribute;
    const std::string what = "column " + first + " of composite type " + next.name;
    std::string detail;
    for (const Dependent& d : dependents) {
      if (d.attribute == first) detail += (detail.empty() ? "" : "\n") + d.described + " depends on " + what;
    }
    throw SqlError(SqlState::kDependentObjectsStillExist, "cannot drop " + what + " because other objects depend on it")
        .detail(detail)
        .hint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (!stored_in.empty()) reshape_stored(next.oid, next.columns, origins);
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
  const catalog::CompositeType before = *type;
  found->name = stmt->newname;
  put(std::move(*type));
  // The texts of expressions would keep the old name.
  std::vector<Dependent> dependents;
  catalog()->for_each_of<catalog::Table>(
      [&](const catalog::Table& table) { check_expressions_over(table, before, &dependents); });
  if (!dependents.empty()) not_supported("renaming an attribute that " + dependents[0].described + " uses");
  return "ALTER TYPE";
}

}  // namespace omendb::sql
