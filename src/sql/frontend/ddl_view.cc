// Views: CREATE VIEW, and the stored text of queries.
//
// A stored query has every star expanded, every column written alias.column, every relation and user-defined type with its
// schema. What each name means is what analysis recorded (NameRecorder).
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/parser.h"
#include "sql/functions/system_catalogs.h"

#include "sql/frontend/dml.h"
#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {
namespace {

std::string relation_name(const catalog::Catalog& now, Oid relation) {
  if (const SystemRelation* system = find_system_relation(relation))
    return quote_qualified(system->schema_name, system->name);
  auto object = now.object(relation);
  if (object == nullptr) return {};
  const auto* schema = now.find<catalog::Schema>(catalog::object_schema(*object));
  return quote_qualified(schema == nullptr ? "" : schema->name, catalog::object_name(*object));
}

}  // namespace

Ddl::StoredQuery Ddl::store_query(Node* select, const List* names) {
  if (!IsA(select, SelectStmt)) throw SqlError(SqlState::kSyntaxError, "views must be made of a SELECT");
  StatementContext statement = context_.analysis(text_);
  NameRecorder recorder;
  statement.recorder = &recorder;
  statement.parameters_fixed = true;
  AnalyzedQuery query = analyze_query(statement, select);
  if (!query.modifying_ctes.empty()) {
    throw SqlError(SqlState::kFeatureNotSupported, "views must not contain data-modifying statements in WITH");
  }
  StoredQuery stored;
  std::vector<std::string> given = strings_of(names);
  if (given.size() > query.outputs.size())
    throw SqlError(SqlState::kSyntaxError, "CREATE VIEW specifies more column names than columns");
  DeparseHooks hooks = store_hooks(statement, nullptr);
  for (size_t i = 0; i < query.outputs.size(); ++i) {
    const ColumnDescription& output = query.outputs[i];
    const std::string& name = i < given.size() ? given[i] : output.name;
    for (const auto& other : stored.columns) {
      if (other.name == name)
        throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(name) + " specified more than once");
    }
    catalog::Column column = column_of_type(name, {output.type, output.typmod, output.physical}, nullptr);
    column.attnum = static_cast<int16_t>(i + 1);
    stored.columns.push_back(std::move(column));
    hooks.output_names.push_back(name);
  }
  auto now = statement.catalog;
  std::set<Oid> used;
  hooks.relation = [&](const RangeVar& var) -> std::string {
    auto it = recorder.relations.find(&var);
    Oid relation = it != recorder.relations.end() ? it->second
                   : recorder.relations.empty()   ? lookup_relation(var.schemaname, var.relname)
                                                  : kInvalidOid;
    if (relation == kInvalidOid) return quote_qualified(var.schemaname == nullptr ? "" : var.schemaname, var.relname);
    if (find_system_relation(relation) == nullptr) used.insert(relation);
    return relation_name(*now, relation);
  };
  hooks.column = [&](const ColumnRef& ref) {
    auto it = recorder.columns.find(&ref);
    if (it != recorder.columns.end()) return quote_qualified(it->second.alias, it->second.column);
    std::string text;
    for_list<Node>(ref.fields, [&](Node* field) {
      text +=
          (text.empty() ? "" : ".") + (IsA(field, A_Star) ? std::string("*") : quote_identifier(string_value(field)));
    });
    return text;
  };
  std::map<const void*, std::vector<std::pair<std::string, std::string>>> stars;
  hooks.star = [&](const ColumnRef& ref) -> const std::vector<std::pair<std::string, std::string>>* {
    auto it = recorder.stars.find(&ref);
    if (it == recorder.stars.end()) return nullptr;
    auto& pairs = stars[&ref];
    pairs.clear();
    for (const auto& column : it->second) pairs.emplace_back(column.alias, column.column);
    return &pairs;
  };
  hooks.natural_columns = [&](const Node* join) -> const std::vector<std::string>* {
    auto it = recorder.natural_joins.find(join);
    if (it == recorder.natural_joins.end()) not_supported("NATURAL JOIN in a view");
    return &it->second;
  };
  auto type_hook = hooks.type;
  hooks.type = [&, type_hook](const TypeName& type) {
    std::string text = type_hook(type);
    if (type.names != nullptr) {
      if (Oid found = lookup_type(type.names); found != kInvalidOid) {
        Oid element = now->element_of_array(found);
        used.insert(element == kInvalidOid ? found : element);
      }
    }
    return text;
  };
  stored.sql = deparse_select(reinterpret_cast<SelectStmt*>(select), hooks);
  for (uint32_t oid : statement.other_dependencies) {
    if (now->object(Oid{oid}) != nullptr) used.insert(Oid{oid});
  }
  stored.dependencies.assign(used.begin(), used.end());
  Oid temp = temp_schema(false);
  for (Oid oid : used) {
    auto object = now->object(oid);
    if (temp != kInvalidOid && object != nullptr && catalog::object_schema(*object) == temp) stored.temporary = true;
  }
  return stored;
}

bool Ddl::view_names_column(const catalog::Catalog&, const std::string& sql, Oid table, int16_t attnum) {
  ParseTree tree(sql);
  StatementContext statement = context_.analysis(sql);
  NameRecorder recorder;
  statement.recorder = &recorder;
  (void)analyze_query(statement, tree.statements().at(0).node);
  if (recorder.relations.empty()) return true;
  for (const auto& [node, column] : recorder.columns) {
    if (column.table == table && (column.attnum == attnum || column.attnum == 0)) return true;
  }
  return false;
}

std::string Ddl::rename_in_query(const std::string& sql, const Rename& what) {
  ParseTree tree(sql);
  StatementContext statement = context_.analysis(sql);
  NameRecorder recorder;
  statement.recorder = &recorder;
  auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
  AnalyzedQuery query = analyze_query(statement, tree.statements().at(0).node);
  DeparseHooks hooks;
  for (const auto& output : query.outputs) hooks.output_names.push_back(output.name);
  if (what.attnum != 0) {
    hooks.column = [&](const ColumnRef& ref) {
      auto it = recorder.columns.find(&ref);
      std::vector<std::string> parts;
      for_list<Node>(ref.fields, [&](Node* field) { parts.push_back(IsA(field, A_Star) ? "*" : string_value(field)); });
      if (it != recorder.columns.end() && it->second.table == what.relation && it->second.attnum == what.attnum) {
        if (it->second.alias.empty()) not_supported("renaming a column that a view joins by USING");
        parts.back() = what.new_column;
      }
      std::string text;
      for (const std::string& part : parts)
        text += (text.empty() ? "" : ".") + (part == "*" ? part : quote_identifier(part));
      return text;
    };
  } else if (what.relation != kInvalidOid) {
    // Called after the change: the old name is in the text, the new one in the catalog.
    hooks.relation = [&](const RangeVar& var) -> std::string {
      auto it = recorder.relations.find(&var);
      if (it == recorder.relations.end() || it->second != what.relation) {
        return quote_qualified(var.schemaname == nullptr ? "" : var.schemaname, var.relname);
      }
      return what.new_column;
    };
    hooks.implied_alias = [&](const RangeVar& var) -> std::string {
      auto it = recorder.relations.find(&var);
      return it != recorder.relations.end() && it->second == what.relation ? var.relname : "";
    };
  } else {
    hooks.type = [&](const TypeName& type) {
      std::string text = deparse_type(type);
      if (type.names == nullptr || type.names->length < 2 || lookup_type(type.names) == kInvalidOid) return text;
      Oid found = lookup_type(type.names);
      Oid element = statement.catalog->element_of_array(found);
      if (found != what.type && element != what.type) return text;
      size_t brackets = text.find("[]");
      return what.new_type + (brackets == std::string::npos ? "" : text.substr(brackets));
    };
  }
  return deparse_select(select, hooks);
}

void Ddl::rename_in_views(const Rename& what) {
  auto now = catalog();
  const Oid wanted = what.relation != kInvalidOid ? what.relation : what.type;
  auto uses = [&](const std::vector<Oid>& dependencies) {
    return std::find(dependencies.begin(), dependencies.end(), wanted) != dependencies.end();
  };
  std::vector<catalog::Object> changed;
  now->for_each_of<catalog::View>([&](const catalog::View& view) {
    if (!uses(view.dependencies)) return;
    catalog::View next = view;
    next.sql = rename_in_query(view.sql, what);
    changed.push_back(std::move(next));
  });
  now->for_each_of<catalog::Table>([&](const catalog::Table& table) {
    if (!table.is_materialized_view() || !uses(table.view_dependencies)) return;
    catalog::Table next = table;
    next.view_sql = rename_in_query(table.view_sql, what);
    changed.push_back(std::move(next));
  });
  for (auto& object : changed) put(std::move(object));
}

std::string Ddl::create_view(ViewStmt* stmt) {
  StoredQuery stored = store_query(stmt->query, stmt->aliases);
  if (stored.temporary && stmt->view->relpersistence == 'p' && stmt->view->schemaname == nullptr) {
    stmt->view->relpersistence = 't';
    notice(SqlState::kSuccessfulCompletion, "view " + quoted(stmt->view->relname) + " will be a temporary view");
  }
  if (stmt->view->relpersistence == 'u')
    throw SqlError(SqlState::kSyntaxError, "views cannot be unlogged because they do not have storage");
  Place place = place_for(stmt->view);
  Oid existing = catalog()->find_relation(place.schema, place.name);
  catalog::View view;
  if (existing != kInvalidOid) {
    if (!stmt->replace) throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists");
    lock(existing, txn::ObjectLockMode::kAccessExclusive);
    auto now = catalog();
    const catalog::View* old = now->find<catalog::View>(existing);
    if (old == nullptr) throw SqlError(SqlState::kWrongObjectType, quoted(place.name) + " is not a view");
    check_owner(old->owner, "view", old->name);
    view = *old;
    if (stored.columns.size() < old->columns.size())
      throw SqlError(SqlState::kInvalidTableDefinition, "cannot drop columns from view");
    for (size_t i = 0; i < old->columns.size(); ++i) {
      const catalog::Column &a = old->columns[i], &b = stored.columns[i];
      if (a.name != b.name) {
        throw SqlError(SqlState::kInvalidTableDefinition,
                       "cannot change name of view column " + quoted(a.name) + " to " + quoted(b.name))
            .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
      }
      if (a.type != b.type || a.typmod != b.typmod) {
        throw SqlError(SqlState::kInvalidTableDefinition, "cannot change data type of view column " + quoted(a.name) +
                                                              " from " + format_type(*now, a.type, a.typmod) + " to " +
                                                              format_type(*now, b.type, b.typmod));
      }
    }
  } else {
    view.oid = new_oid();
    view.row_type = new_oid();
    view.array_type = new_oid();
    view.schema = place.schema;
    view.name = place.name;
    view.owner = current_role();
  }
  view.sql = stored.sql;
  view.columns = std::move(stored.columns);
  view.dependencies = std::move(stored.dependencies);
  view.search_path = {"pg_catalog"};
  view.options.clear();
  set_options(view.options, stmt->options);
  view.check_option = stmt->withCheckOption == LOCAL_CHECK_OPTION      ? 'l'
                      : stmt->withCheckOption == CASCADED_CHECK_OPTION ? 'c'
                                                                       : 0;
  if (auto it = view.options.find("check_option"); it != view.options.end())
    view.check_option = it->second == "local" ? 'l' : 'c';
  else if (view.check_option != 0)
    view.options["check_option"] = view.check_option == 'l' ? "local" : "cascaded";
  if (view.check_option != 0) {
    StatementContext statement = context_.analysis(text_);
    if (const char* reason = why_not_updatable(statement, reinterpret_cast<const SelectStmt*>(stmt->query))) {
      throw SqlError(SqlState::kFeatureNotSupported,
                     "WITH CHECK OPTION is supported only on automatically updatable views")
          .hint(reason);
    }
  }
  put(std::move(view));
  return "CREATE VIEW";
}

}  // namespace omendb::sql
