// Names: relations along the search path, columns and rows in the scopes of a query, the stars of target lists.
#include <algorithm>
#include <array>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node.hpp"

#include "base/stack_depth.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/query.h"
#include "sql/frontend/record_shape.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

Oid find_in_schema(StatementContext& statement, Oid schema, std::string_view schema_name, const char* name) {
  if (const SystemRelation* system = find_system_relation(schema_name, name)) return system->oid;
  return statement.catalog->find_relation(schema, name);
}

std::string quoted_name(const RangeVar* var) {
  return var->schemaname != nullptr ? std::string(var->schemaname) + "." + var->relname : std::string(var->relname);
}

// The item that a table name means at one level. Errors: 42P09.
const ScopeItem* find_item_here(Scope& scope, const char* schema, const std::string& name, int location) {
  const ScopeItem* found = nullptr;
  for (const ScopeItem& item : scope.items) {
    if (!item.relation_visible || item.alias != name) continue;
    if (schema != nullptr && item.schema != schema) continue;
    if (item.lateral_only && !scope.lateral_active) continue;
    if (found != nullptr) {
      throw SqlError(SqlState::kAmbiguousAlias, "table reference \"" + name + "\" is ambiguous", location);
    }
    found = &item;
  }
  return found;
}

void check_lateral(const ScopeItem& item, const std::string& name, int location) {
  if (item.lateral_ok) return;
  throw SqlError(SqlState::kInvalidColumnReference, "invalid reference to FROM-clause entry for table \"" + name + "\"",
                 location)
      .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
}

const ScopeItem* find_item(Scope& scope, const char* schema, const std::string& name, int location) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    const ScopeItem* item = find_item_here(*level, schema, name, location);
    if (item == nullptr) continue;
    check_lateral(*item, name, location);
    if (level != &scope) level->referenced_from_below = true;
    return item;
  }
  return nullptr;
}

[[noreturn]] void throw_missing_table(Scope& scope, const char* schema, const std::string& name, int location) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const Scope::SeenTable& seen : level->seen_tables) {
      if (seen.alias == name) {
        throw SqlError(SqlState::kUndefinedTable, "invalid reference to FROM-clause entry for table \"" + name + "\"",
                       location)
            .hint("There is an entry for table \"" + name +
                  "\", but it cannot be referenced from this part of the query.");
      }
    }
  }
  for (Scope* level = &scope; level != nullptr && schema == nullptr; level = level->parent) {
    for (const Scope::SeenTable& seen : level->seen_tables) {
      if (seen.name == name && !seen.alias.empty()) {
        throw SqlError(SqlState::kUndefinedTable, "invalid reference to FROM-clause entry for table \"" + name + "\"",
                       location)
            .hint("Perhaps you meant to reference the table alias \"" + seen.alias + "\".");
      }
    }
  }
  throw SqlError(SqlState::kUndefinedTable, "missing FROM-clause entry for table \"" + name + "\"", location);
}

[[noreturn]] void refuse_system_column(const std::string& name, int location) {
  not_supported("system column \"" + name + "\"", location);
}

// Levenshtein distance as PostgreSQL uses it for its hints (costs 1, 1, 1).
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

[[noreturn]] void throw_missing_column(Scope& scope, const std::string& table, const std::string& column,
                                       int location) {
  SqlError error(
      SqlState::kUndefinedColumn,
      table.empty() ? "column \"" + column + "\" does not exist" : "column " + table + "." + column + " does not exist",
      location);
  // PostgreSQL's hint: the nearest name of every table in sight, if it is near enough and no more than two are.
  struct Candidate {
    std::string text;
    size_t distance;
  };
  std::vector<Candidate> best;
  size_t best_distance = 4;  // MAX_FUZZY_DISTANCE + 1
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const Scope::SeenTable& seen : level->seen_tables) {
      size_t penalty = table.empty() ? 0 : edit_distance(table, seen.alias);
      for (const std::string& name : seen.columns) {
        if (name == column && penalty == 0) {
          // It is there, out of sight.
          if (table.empty()) {
            throw std::move(error).hint("There is a column named \"" + name + "\" in table \"" + seen.alias +
                                        "\", but it cannot be referenced from this part of the query.");
          }
        }
        size_t distance = edit_distance(name, column) + penalty;
        if (distance > column.size() / 2) continue;
        if (distance < best_distance) {
          best_distance = distance;
          best.clear();
        }
        if (distance == best_distance) best.push_back({seen.alias + "." + name, distance});
      }
    }
  }
  if (best.size() == 1) {
    throw std::move(error).hint("Perhaps you meant to reference the column \"" + best[0].text + "\".");
  }
  if (best.size() == 2) {
    throw std::move(error).hint("Perhaps you meant to reference the column \"" + best[0].text + "\" or the column \"" +
                                best[1].text + "\".");
  }
  throw error;
}

TypedExpr whole_row(Scope& scope, const ScopeItem& item, int location) {
  if (scope.statement->catalog->find<catalog::Sequence>(item.relation) != nullptr) {
    throw SqlError(SqlState::kWrongObjectType,
                   "relation \"" + scope.statement->catalog->find<catalog::Sequence>(item.relation)->name +
                       "\" does not have a composite type");
  }
  std::vector<TypedExpr> fields;
  std::vector<std::string> names;
  for (const ScopeColumn& column : item.columns) {
    if (column.hidden) continue;
    fields.push_back(column_expr(column, location));
    names.push_back(column.name);
  }
  Oid row_type = types::oid::kRecord;
  if (item.relation != kInvalidOid) {
    if (const auto* table = scope.statement->catalog->find<catalog::Table>(item.relation)) row_type = table->row_type;
    if (const auto* view = scope.statement->catalog->find<catalog::View>(item.relation)) row_type = view->row_type;
  }
  if (row_type == kInvalidOid) row_type = types::oid::kRecord;
  TypedExpr row = make_row(scope, std::move(fields), std::move(names), row_type);
  if (row_type == types::oid::kRecord) {
    std::vector<DuckExpr> list;
    list.push_back(make_text(type_descriptor(*scope.statement, types::oid::kName, {types::Physical::kBytes})));
    for (const std::string& name : row.field_names) list.push_back(make_text(name));
    row.duck = make_call("omen_record_names", std::move(row.duck), make_function("omen_array", std::move(list)));
  }
  if (item.nullable) {
    // The row that an outer join extended with nulls is null, not a row of nulls.
    Tree present;
    if (is_table(item)) {
      present = emit::is_not_null(emit::column(item.columns[0].duck_alias, "_key"));
    } else {
      // A subquery has no key: a row of it that has nulls only counts as absent.
      for (const TypedExpr& field : row.fields) {
        Tree one = emit::is_not_null(emit::copy(*field.duck));
        if (present == nullptr) {
          present = std::move(one);
        } else {
          present = duckdb::make_uniq<duckdb::ConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_OR,
                                                                     std::move(present), std::move(one));
        }
      }
    }
    if (present != nullptr) row.duck = emit::case_when(std::move(present), owned(std::move(row.duck)), nullptr);
  }
  row.location = location;
  return row;
}

const ScopeColumn* column_of_item(const ScopeItem& item, const std::string& name, int location) {
  const ScopeColumn* found = nullptr;
  for (const ScopeColumn& column : item.columns) {
    if (column.name != name) continue;
    if (found != nullptr) {
      throw SqlError(SqlState::kAmbiguousColumn, "column reference \"" + name + "\" is ambiguous", location);
    }
    found = &column;
  }
  return found;
}

std::string field_text(const ColumnRef* ref, int i) {
  auto* node = static_cast<Node*>(list_nth(ref->fields, i));
  return nodeTag(node) == T_String ? strVal(node) : "*";
}

// A column as a stored view writes it: by the table it comes from, unless JOIN USING merged it.
NameRecorder::Column recorded(const ScopeItem* item, const ScopeColumn& column) {
  NameRecorder::Column result;
  if (item != nullptr) result.alias = item->alias;
  result.column = column.name;
  result.table = column.table;
  result.attnum = column.attnum;
  return result;
}

// The item by whose name a column that was found bare can be written.
const ScopeItem* naming_item(Scope& scope, const ScopeColumn& column) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const ScopeItem& item : level->items) {
      if (item.alias.empty() || !item.relation_visible || column.merged) continue;
      for (const ScopeColumn& c : item.columns) {
        if (!c.merged && c.duck_alias == column.duck_alias && c.duck_name == column.duck_name && c.name == column.name)
          return &item;
      }
    }
  }
  return nullptr;
}

void check_catalog_name(Scope& scope, const ColumnRef* ref, const std::string& catalog) {
  if (catalog == scope.statement->database_name) return;
  std::string name;
  for (int i = 0; i < list_length(ref->fields); ++i) name += (i > 0 ? "." : "") + field_text(ref, i);
  throw SqlError(SqlState::kFeatureNotSupported, "cross-database references are not implemented: " + name,
                 ref->location);
}

void record_column(Scope& scope, const ColumnRef* ref, const ScopeItem* item, const ScopeColumn& column) {
  NameRecorder* recorder = scope.statement->recorder;
  if (recorder == nullptr || !scope.statement->views_in_expansion.empty()) return;
  recorder->columns[ref] = recorded(item, column);
}

Target target_of(const ScopeColumn& column, int location) {
  Target target;
  target.name = column.name;
  target.expr = column_expr(column, location);
  return target;
}

}  // namespace

DepthGuard::DepthGuard(StatementContext& statement) : statement_(statement) {
  if (++statement_.depth > 400) {
    --statement_.depth;
    throw SqlError(stack_too_deep());
  }
}

std::string schema_name(StatementContext& statement, Oid schema) {
  const auto* found = statement.catalog->find<catalog::Schema>(schema);
  return found != nullptr ? found->name : std::string();
}

Oid find_relation(StatementContext& statement, const char* schema, const char* name) {
  if (schema != nullptr) {
    if (std::string_view(schema) == "pg_temp") {
      return statement.temp_schema == kInvalidOid ? kInvalidOid
                                                  : statement.catalog->find_relation(statement.temp_schema, name);
    }
    const catalog::Schema* found = statement.catalog->find_schema(schema);
    return found == nullptr ? kInvalidOid : find_in_schema(statement, found->oid, schema, name);
  }
  if (const auto* temp = statement.catalog->find<catalog::Schema>(statement.temp_schema);
      temp != nullptr && std::find(statement.search_path.begin(), statement.search_path.end(), temp->name) ==
                             statement.search_path.end()) {
    Oid oid = statement.catalog->find_relation(statement.temp_schema, name);
    if (oid != kInvalidOid) return oid;
  }
  for (const std::string& path : statement.search_path) {
    const catalog::Schema* found = statement.catalog->find_schema(path);
    if (found == nullptr) continue;
    Oid oid = find_in_schema(statement, found->oid, path, name);
    if (oid != kInvalidOid) return oid;
  }
  return kInvalidOid;
}

Relation open_relation(StatementContext& statement, const RangeVar* var) {
  if (var->catalogname != nullptr && statement.database_name != var->catalogname) {
    throw SqlError(SqlState::kFeatureNotSupported,
                   std::string("cross-database references are not implemented: \"") + var->catalogname + "." +
                       (var->schemaname != nullptr ? var->schemaname : "") + "." + var->relname + "\"",
                   var->location);
  }
  Oid oid = find_relation(statement, var->schemaname, var->relname);
  if (oid == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedTable, "relation \"" + quoted_name(var) + "\" does not exist", var->location);
  }
  if (statement.recorder != nullptr && statement.views_in_expansion.empty()) statement.recorder->relations[var] = oid;
  Relation relation;
  relation.oid = oid;
  relation.system = find_system_relation(oid);
  if (relation.system != nullptr) {
    relation.schema = relation.system->schema_name;
    relation.name = relation.system->name;
    return relation;
  }
  relation.table = statement.catalog->find<catalog::Table>(oid);
  relation.view = statement.catalog->find<catalog::View>(oid);
  if (relation.table != nullptr) {
    relation.schema = schema_name(statement, relation.table->schema);
    relation.name = relation.table->name;
  } else if (relation.view != nullptr) {
    relation.schema = schema_name(statement, relation.view->schema);
    relation.name = relation.view->name;
  } else if (statement.catalog->find<catalog::Index>(oid) != nullptr) {
    throw SqlError(SqlState::kWrongObjectType, "cannot open relation \"" + std::string(var->relname) + "\"",
                   var->location)
        .detail("This operation is not supported for indexes.");
  } else if (statement.catalog->find<catalog::Sequence>(oid) == nullptr) {
    throw SqlError(SqlState::kWrongObjectType, "\"" + std::string(var->relname) + "\" is a composite type",
                   var->location);
  }
  statement.relations.insert(oid.value);
  return relation;
}

bool is_system_column(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames{"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool has_system_columns(const ScopeItem& item) {
  return std::any_of(item.columns.begin(), item.columns.end(),
                     [](const ScopeColumn& c) { return c.hidden && c.name == "tableoid"; });
}

std::vector<ScopeColumn> table_columns(const catalog::Table& table, const std::string& alias) {
  std::vector<ScopeColumn> columns;
  for (const catalog::Column& column : table.columns) {
    if (column.dropped) continue;
    ScopeColumn c;
    c.name = column.name;
    c.duck_alias = alias;
    c.duck_name = "c" + std::to_string(column.attnum);
    c.type = column.type;
    c.typmod = column.typmod;
    c.physical = column.physical;
    c.table = table.oid;
    c.attnum = column.attnum;
    columns.push_back(std::move(c));
  }
  ScopeColumn tableoid;
  tableoid.name = "tableoid";
  tableoid.duck_alias = alias;
  tableoid.duck_name = "_key";
  tableoid.type = types::oid::kOid;
  tableoid.physical = types::physical_type(types::oid::kOid, -1);
  tableoid.merged = emit::case_when(
      emit::is_null(emit::column(alias, "_key")), duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value()),
      duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UINTEGER(table.oid.value)));
  tableoid.hidden = true;
  columns.push_back(std::move(tableoid));
  return columns;
}

TypedExpr column_expr(const ScopeColumn& column, int location) {
  TypedExpr expr;
  expr.duck = column.merged ? column.merged->Copy() : emit::column(column.duck_alias, column.duck_name, location);
  expr.type = column.type;
  expr.typmod = column.typmod;
  expr.physical = column.physical;
  expr.table = column.table;
  expr.attnum = column.attnum;
  expr.location = location;
  return expr;
}

const ScopeColumn* find_column_here(Scope& scope, const std::string& name, int location) {
  const ScopeColumn* found = nullptr;
  const ScopeItem* where = nullptr;
  for (const ScopeItem& item : scope.items) {
    if (!item.columns_visible) continue;
    if (item.lateral_only && !scope.lateral_active) continue;
    const ScopeColumn* column = column_of_item(item, name, location);
    if (column == nullptr || (column->hidden && found != nullptr)) continue;
    if (found != nullptr && !found->hidden) {
      throw SqlError(SqlState::kAmbiguousColumn, "column reference \"" + name + "\" is ambiguous", location);
    }
    found = column;
    where = &item;
  }
  if (where != nullptr) check_lateral(*where, where->alias, location);
  return found;
}

TypedExpr resolve_column(Scope& scope, ColumnRef* ref) {
  int count = list_length(ref->fields);
  auto* last = static_cast<Node*>(llast(ref->fields));
  bool star = nodeTag(last) == T_A_Star;

  if (count == 1 && !star) {
    std::string name = field_text(ref, 0);
    for (Scope* level = &scope; level != nullptr; level = level->parent) {
      if (auto special = level->special_names.find(name); special != level->special_names.end()) {
        TypedExpr expr = special->second.clone();
        expr.location = ref->location;
        return expr;
      }
      const ScopeColumn* column = find_column_here(*level, name, ref->location);
      if (column == nullptr) continue;
      if (level != &scope) level->referenced_from_below = true;
      if (scope.statement->recorder != nullptr) record_column(scope, ref, naming_item(*level, *column), *column);
      return column_expr(*column, ref->location);
    }
    if (const ScopeItem* item = find_item(scope, nullptr, name, ref->location))
      return whole_row(scope, *item, ref->location);
    for (Scope* level = &scope; level != nullptr && is_system_column(name); level = level->parent) {
      for (const ScopeItem& seen : level->items) {
        if (seen.columns_visible && has_system_columns(seen)) refuse_system_column(name, ref->location);
      }
    }
    throw_missing_column(scope, "", name, ref->location);
  }
  if (count == 1) {
    throw SqlError(SqlState::kSyntaxError, "row expansion via \"*\" is not supported here", ref->location);
  }

  const char* schema = nullptr;
  std::string schema_text;
  if (count > 4) {
    throw SqlError(SqlState::kSyntaxError, "improper qualified name (too many dotted names)", ref->location);
  }
  if (count == 4) check_catalog_name(scope, ref, field_text(ref, 0));
  if (count >= 3) {
    schema_text = field_text(ref, count - 3);
    schema = schema_text.c_str();
  }
  std::string table = field_text(ref, count - 2);
  const ScopeItem* item = find_item(scope, schema, table, ref->location);
  if (item == nullptr) {
    // a.b.c may also be a field of the column b of the table a: the expression side takes fields of (a.b) itself.
    throw_missing_table(scope, schema, table, ref->location);
  }
  if (star) return whole_row(scope, *item, ref->location);
  std::string name = field_text(ref, count - 1);
  const ScopeColumn* column = column_of_item(*item, name, ref->location);
  if (column == nullptr && is_system_column(name) && has_system_columns(*item)) {
    refuse_system_column(name, ref->location);
  }
  if (column == nullptr) throw_missing_column(scope, table, name, ref->location);
  record_column(scope, ref, item, *column);
  return column_expr(*column, ref->location);
}

std::vector<Target> expand_star(Scope& scope, ColumnRef* ref) {
  int count = list_length(ref->fields);
  std::vector<Target> targets;
  NameRecorder* recorder = scope.statement->views_in_expansion.empty() ? scope.statement->recorder : nullptr;
  if (count == 1) {
    bool any = false;
    for (const ScopeItem& item : scope.items) {
      if (!item.columns_visible || item.lateral_only) continue;
      any = true;
      for (const ScopeColumn& column : item.columns) {
        if (column.hidden) continue;
        targets.push_back(target_of(column, ref->location));
        if (recorder != nullptr) recorder->stars[ref].push_back(recorded(naming_item(scope, column), column));
      }
    }
    if (!any) {
      throw SqlError(SqlState::kSyntaxError, "SELECT * with no tables specified is not valid", ref->location);
    }
    return targets;
  }
  const char* schema = nullptr;
  std::string schema_text;
  if (count > 4)
    throw SqlError(SqlState::kSyntaxError, "improper qualified name (too many dotted names)", ref->location);
  if (count == 4) check_catalog_name(scope, ref, field_text(ref, 0));
  if (count >= 3) {
    schema_text = field_text(ref, count - 3);
    schema = schema_text.c_str();
  }
  std::string table = field_text(ref, count - 2);
  const ScopeItem* item = find_item(scope, schema, table, ref->location);
  if (item == nullptr) throw_missing_table(scope, schema, table, ref->location);
  for (const ScopeColumn& column : item->columns) {
    if (column.hidden) continue;
    targets.push_back(target_of(column, ref->location));
    if (recorder != nullptr) recorder->stars[ref].push_back(recorded(item, column));
  }
  return targets;
}

namespace {

// (expression).*: the fields of a record, or of a composite column one by one.
std::vector<Target> expand_record(Scope& scope, A_Indirection* node, ExprKind kind) {
  A_Indirection inner = *node;
  List shorter = *node->indirection;  // shares the cells
  Node* argument = node->arg;
  if (shorter.length > 1) {
    shorter.length -= 1;
    inner.indirection = &shorter;
    argument = reinterpret_cast<Node*>(&inner);
  }
  TypedExpr record = analyze_expr(scope, argument, kind);
  std::vector<Target> targets;
  if (!record.fields.empty()) {
    for (size_t i = 0; i < record.fields.size(); ++i) {
      Target target;
      target.name = i < record.field_names.size() ? record.field_names[i] : "f" + std::to_string(i + 1);
      target.expr = record.fields[i].clone();
      targets.push_back(std::move(target));
    }
    return targets;
  }
  const RecordShape shape = record_fields(*scope.statement, record);
  if (shape.empty()) {
    if (record.type == types::oid::kRecord) {
      throw SqlError(SqlState::kWrongObjectType, "record type has not been registered");
    }
    throw SqlError(SqlState::kWrongObjectType,
                   "type " + format_type(*scope.statement->catalog, record.type, -1) + " is not composite",
                   exprLocation(argument));
  }
  for (const RecordField& column : shape) {
    String name{};
    name.type = T_String;
    name.sval = const_cast<char*>(column.name.c_str());
    ListCell cell;
    cell.ptr_value = &name;
    List path{};
    path.type = T_List;
    path.length = path.max_length = 1;
    path.elements = &cell;
    A_Indirection field{};
    field.type = T_A_Indirection;
    field.arg = argument;
    field.indirection = &path;
    Target target;
    target.name = column.name;
    target.expr = analyze_expr(scope, reinterpret_cast<Node*>(&field), kind);
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace

std::vector<Target> analyze_targets(Scope& scope, List* targets, ExprKind kind) {
  std::vector<Target> result;
  ListCell* cell = nullptr;
  foreach (cell, targets) {
    auto* target = lfirst_node(ResTarget, cell);
    if (IsA(target->val, ColumnRef)) {
      auto* ref = reinterpret_cast<ColumnRef*>(target->val);
      if (IsA(llast(ref->fields), A_Star)) {
        for (Target& t : expand_star(scope, ref)) result.push_back(std::move(t));
        continue;
      }
    }
    if (IsA(target->val, A_Indirection)) {
      auto* indirection = reinterpret_cast<A_Indirection*>(target->val);
      if (IsA(llast(indirection->indirection), A_Star)) {
        for (Target& t : expand_record(scope, indirection, kind)) result.push_back(std::move(t));
        continue;
      }
    }
    Target t;
    t.raw = target->val;
    t.expr = analyze_expr(scope, target->val, kind);
    t.name = target->name != nullptr ? target->name : target_name(target->val);
    result.push_back(std::move(t));
  }
  return result;
}

std::vector<std::pair<std::string, TypedExpr>> analyze_target_list(Scope& scope, List* targets, ExprKind kind) {
  std::vector<std::pair<std::string, TypedExpr>> result;
  for (Target& t : analyze_targets(scope, targets, kind)) result.emplace_back(std::move(t.name), std::move(t.expr));
  return result;
}

std::string display_name(Scope& scope, const std::string& duck_alias, const std::string& duck_name) {
  std::string fallback = duck_name;
  for (const ScopeItem& item : scope.items) {
    for (const ScopeColumn& column : item.columns) {
      if (column.hidden || column.merged || column.duck_alias != duck_alias || column.duck_name != duck_name) continue;
      if (!item.alias.empty()) return item.alias + "." + column.name;
      fallback = column.name;
    }
  }
  return fallback;
}

Scope* level_of(Scope& scope, const duckdb::ParsedExpression& expr) {
  std::set<std::string> aliases;
  collect_aliases(expr, &aliases);
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const std::string& alias : aliases) {
      if (level->duck_aliases.count(alias) != 0) return level;
    }
  }
  return nullptr;
}

}  // namespace omendb::sql
