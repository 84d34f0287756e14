#include "sql/functions/definitions.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "sql/frontend/analyzer.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/pg_data.h"
#include "sql/functions/system_catalogs.h"
#include "types/type.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

template <class T, class Visit>
void each_node(const List* nodes, Visit visit) {
  if (nodes == nullptr) return;
  for (int i = 0; i < nodes->length; ++i) visit(static_cast<const T*>(nodes->elements[i].ptr_value));
}
const char* text_of(const void* node) { return strVal(const_cast<void*>(node)); }

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string key_list(const catalog::Table& table, const std::vector<int16_t>& columns) {
  std::string out;
  for (int16_t attnum : columns) {
    out += (out.empty() ? "" : ", ") + quote_identifier(table.columns[static_cast<size_t>(attnum) - 1].name);
  }
  return "(" + out + ")";
}

DeparseHooks reading_hooks(const NameView& names, bool pretty) {
  DeparseHooks hooks;
  hooks.pretty = pretty;
  hooks.reg_literal = [&names](std::string_view literal, const TypeName* type) -> std::string {
    if (!is_number(literal) || (type != nullptr && std::string_view(text_of(llast(type->names))) != "regclass"))
      return {};
    std::string name = names.relation_name(Oid{static_cast<uint32_t>(std::stoul(std::string(literal)))});
    return name.empty() ? "" : quote_constant(name);
  };
  hooks.type = [&names](const TypeName& type) {
    std::string text = deparse_type(type);
    if (type.names == nullptr || type.names->length < 2) return text;
    const catalog::Schema* schema = names.catalog().find_schema(text_of(list_nth(type.names, type.names->length - 2)));
    if (schema == nullptr) return text;
    Oid found = names.catalog().find_type(schema->oid, text_of(llast(type.names)));
    if (found == kInvalidOid || !names.type_visible(found)) return text;
    return text.substr(quote_identifier(schema->name).size() + 1);
  };
  return hooks;
}

}  // namespace

std::vector<const catalog::Schema*> NameView::path() const {
  std::vector<const catalog::Schema*> schemas;
  const auto* temp = catalog_->find<catalog::Schema>(temp_schema_);
  if (temp != nullptr && std::find(search_path_.begin(), search_path_.end(), temp->name) == search_path_.end())
    schemas.push_back(temp);
  for (const std::string& name : search_path_) {
    if (const auto* schema = catalog_->find_schema(name)) schemas.push_back(schema);
  }
  return schemas;
}

Oid NameView::find_relation(std::string_view name) const {
  for (const auto* schema : path()) {
    if (const SystemRelation* system = find_system_relation(schema->name, name)) return system->oid;
    if (Oid found = catalog_->find_relation(schema->oid, name); found != kInvalidOid) return found;
  }
  return kInvalidOid;
}

Oid NameView::find_type(std::string_view name) const {
  for (const auto* schema : path()) {
    if (Oid found = catalog_->find_type(schema->oid, name); found != kInvalidOid) return found;
  }
  return kInvalidOid;
}

namespace {

struct Where {
  Oid schema;
  std::string name;
};

Where locate_relation(const catalog::Catalog& now, Oid relation) {
  if (const SystemRelation* system = find_system_relation(relation)) return {system->schema, system->name};
  if (auto object = now.object(relation))
    return {catalog::object_schema(*object), std::string(catalog::object_name(*object))};
  Where found;
  now.for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& t) {
    if (t.relation == relation) found = {t.schema, t.name};
  });
  return found;
}

Where locate_type(const catalog::Catalog& now, Oid type) {
  if (auto object = now.object(type))
    return {catalog::object_schema(*object), std::string(catalog::object_name(*object))};
  if (Oid relation = now.relation_of_row_type(type); relation != kInvalidOid) return locate_relation(now, relation);
  if (Oid element = now.element_of_array(type); element != kInvalidOid) {
    Where found = locate_type(now, element);
    found.name = "_" + found.name;
    return found;
  }
  return {};
}

}  // namespace

bool NameView::relation_visible(Oid relation) const {
  Where where = locate_relation(*catalog_, relation);
  return !where.name.empty() && find_relation(where.name) == relation;
}

bool NameView::type_visible(Oid type) const {
  Where where = locate_type(*catalog_, type);
  return where.name.empty() ? types::find_type(type) != nullptr : find_type(where.name) == type;
}

std::string NameView::schema_name(Oid schema) const {
  const auto* found = catalog_->find<catalog::Schema>(schema);
  return found == nullptr ? "" : found->name;
}

std::string NameView::relation_name(Oid relation) const {
  Where where = locate_relation(*catalog_, relation);
  if (where.name.empty()) return {};
  return find_relation(where.name) == relation ? quote_identifier(where.name)
                                               : quote_qualified(schema_name(where.schema), where.name);
}

std::string NameView::qualified_relation_name(Oid relation) const {
  Where where = locate_relation(*catalog_, relation);
  return where.name.empty() ? "" : quote_qualified(schema_name(where.schema), where.name);
}

std::string NameView::role_name(Oid role) const {
  const auto* found = catalog_->find<catalog::Role>(role);
  return found == nullptr ? "unknown (OID=" + std::to_string(role.value) + ")" : found->name;
}

namespace {

/// The types of PostgreSQL's own that types/ does not know: rows of system views, the domains of information_schema, ...
const std::unordered_map<uint32_t, std::string>& built_in_type_names() {
  static const auto all = [] {
    std::unordered_map<uint32_t, std::string> names;
    const PgDataTable t = parse_pg_data("pg_type");
    auto number = [](std::string_view field) { return static_cast<uint32_t>(std::stoul(std::string(field))); };
    const size_t oid = t.column("oid"), name = t.column("typname"), schema = t.column("typnamespace"),
                 element = t.column("typelem"), category = t.column("typcategory");
    for (const auto& row : t.rows) {
      names[number(row[oid])] =
          (row[schema] == "11" ? "" : "information_schema.") + quote_identifier(unescape_pg_data(row[name]));
    }
    for (const auto& row : t.rows) {
      if (row[category] == "A" && row[element] != "0") names[number(row[oid])] = names[number(row[element])] + "[]";
    }
    return names;
  }();
  return all;
}

}  // namespace

std::string NameView::type_name(Oid type, int32_t typmod) const {
  if (type == kInvalidOid) return "-";
  if (types::find_type(type) == nullptr) {
    Oid element = catalog_->element_of_array(type);
    Oid base = element == kInvalidOid ? type : element;
    Where where = locate_type(*catalog_, base);
    if (where.name.empty()) {
      const auto built_in = built_in_type_names().find(base.value);
      return built_in == built_in_type_names().end() ? "???" : built_in->second;
    }
    std::string name = find_type(where.name) == base ? quote_identifier(where.name)
                                                     : quote_qualified(schema_name(where.schema), where.name);
    return element == kInvalidOid ? name : name + "[]";
  }
  const types::TypeInfo* info = types::find_type(type);
  Oid element = info->category == 'A' ? info->element : kInvalidOid;
  const bool vector = type.value == 22 || type.value == 30;  // int2vector and oidvector
  if (element != kInvalidOid && info->length == -1 && !vector) return type_name(element, typmod) + "[]";
  auto in_parentheses = [&](std::string_view name, int32_t n) {
    return std::string(name) + "(" + std::to_string(n) + ")";
  };
  const bool has = typmod >= 0;
  switch (type.value) {
    case 16: return "boolean";
    case 18: return "\"char\"";
    case 21: return "smallint";
    case 23: return "integer";
    case 20: return "bigint";
    case 700: return "real";
    case 701: return "double precision";
    case 1042: return has ? in_parentheses("character", typmod - 4) : "bpchar";
    case 1043: return has ? in_parentheses("character varying", typmod - 4) : "character varying";
    case 1560: return has ? in_parentheses("bit", typmod) : "bit";
    case 1562: return has ? in_parentheses("bit varying", typmod) : "bit varying";
    case 1700:
      if (!has) return "numeric";
      return "numeric(" + std::to_string(types::numeric_typmod_precision(typmod)) + "," +
             std::to_string(types::numeric_typmod_scale(typmod)) + ")";
    case 1083: return (has ? in_parentheses("time", typmod) : "time") + " without time zone";
    case 1266: return (has ? in_parentheses("time", typmod) : "time") + " with time zone";
    case 1114: return (has ? in_parentheses("timestamp", typmod) : "timestamp") + " without time zone";
    case 1184: return (has ? in_parentheses("timestamp", typmod) : "timestamp") + " with time zone";
    case 1186: {
      if (!has) return "interval";
      std::string out = "interval";
      switch ((typmod >> 16) & 0x7FFF) {
        case 0x4: out += " year"; break;
        case 0x2: out += " month"; break;
        case 0x8: out += " day"; break;
        case 0x400: out += " hour"; break;
        case 0x800: out += " minute"; break;
        case 0x1000: out += " second"; break;
        case 0x6: out += " year to month"; break;
        case 0x408: out += " day to hour"; break;
        case 0xC08: out += " day to minute"; break;
        case 0x1C08: out += " day to second"; break;
        case 0xC00: out += " hour to minute"; break;
        case 0x1C00: out += " hour to second"; break;
        case 0x1800: out += " minute to second"; break;
        default: break;
      }
      if ((typmod & 0xFFFF) != 0xFFFF) out += "(" + std::to_string(typmod & 0xFFFF) + ")";
      return out;
    }
    default: return quote_identifier(info->name);
  }
}

std::string expression_text(const NameView& names, std::string_view stored, const catalog::Table* table, bool pretty,
                            const std::string& value_type) {
  if (stored.empty()) return {};
  ParseTree tree("SELECT " + std::string(stored));
  auto* select = reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node);
  auto* node = static_cast<const ResTarget*>(linitial(select->targetList))->val;
  DeparseHooks hooks = reading_hooks(names, pretty);
  if (table == nullptr) {
    // Only a domain's check has a column and no table: VALUE, which the grammar reads as a column of that name.
    hooks.column = [](const ColumnRef& ref) -> std::string {
      std::string name = text_of(llast(ref.fields));
      return name == "value" ? "VALUE" : quote_identifier(name);
    };
  }
  hooks.column_type = [&](const ColumnRef& ref) -> std::string {
    if (table == nullptr) return value_type;
    if (IsA(llast(ref.fields), A_Star)) return {};
    const catalog::Column* column = table->find_column(text_of(llast(ref.fields)));
    return column == nullptr ? "" : names.type_name(column->type, column->typmod);
  };
  return deparse_expression(node, hooks);
}

std::string constraint_definition(const NameView& names, const catalog::Table& table, const catalog::Constraint& c,
                                  bool pretty) {
  using Kind = catalog::Constraint::Kind;
  std::string out;
  switch (c.kind) {
    case Kind::kCheck: {
      std::string text = expression_text(names, c.check_sql, &table, pretty);
      out = "CHECK (" + text + ")";
      if (c.no_inherit) out += " NO INHERIT";
      break;
    }
    case Kind::kPrimaryKey:
    case Kind::kUnique: {
      const auto* index = names.catalog().find<catalog::Index>(c.index);
      out = c.kind == Kind::kPrimaryKey ? "PRIMARY KEY " : "UNIQUE ";
      if (index != nullptr && index->nulls_not_distinct) out += "NULLS NOT DISTINCT ";
      out += key_list(table, c.columns);
      if (index != nullptr && !index->included.empty()) out += " INCLUDE " + key_list(table, index->included);
      break;
    }
    case Kind::kForeignKey: {
      const auto* target = names.catalog().find<catalog::Table>(c.referenced_table);
      out = "FOREIGN KEY " + key_list(table, c.columns) + " REFERENCES " + names.relation_name(c.referenced_table);
      if (target != nullptr) out += key_list(*target, c.referenced_columns);
      if (c.match == 'f') out += " MATCH FULL";
      auto action = [](char a) -> const char* {
        switch (a) {
          case 'r': return "RESTRICT";
          case 'c': return "CASCADE";
          case 'n': return "SET NULL";
          case 'd': return "SET DEFAULT";
          default: return nullptr;
        }
      };
      if (action(c.on_update) != nullptr) out += std::string(" ON UPDATE ") + action(c.on_update);
      if (action(c.on_delete) != nullptr) out += std::string(" ON DELETE ") + action(c.on_delete);
      if (!c.on_delete_columns.empty()) out += " " + key_list(table, c.on_delete_columns);
      break;
    }
  }
  if (c.deferrable) out += " DEFERRABLE";
  if (c.initially_deferred) out += " INITIALLY DEFERRED";
  if (!c.validated) out += " NOT VALID";
  return out;
}

std::string domain_constraint_definition(const NameView& names, const catalog::Constraint& c,
                                         const std::string& base_type, bool pretty) {
  return "CHECK (" + expression_text(names, c.check_sql, nullptr, pretty, base_type) + ")" +
         (c.validated ? "" : " NOT VALID");
}

std::string index_expression_name(const std::string& stored) {
  ParseTree tree("SELECT " + stored);
  auto* select = reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node);
  std::string name = target_name(static_cast<const ResTarget*>(linitial(select->targetList))->val);
  return name == "?column?" ? "expr" : name;
}

std::string index_definition(const NameView& names, const catalog::Index& index, int column, bool pretty) {
  const auto* table = names.catalog().find<catalog::Table>(index.table);
  if (table == nullptr) return {};
  auto key_text = [&](const catalog::IndexKey& key) {
    if (key.attnum != 0) return quote_identifier(table->columns[static_cast<size_t>(key.attnum) - 1].name);
    std::string text = expression_text(names, key.expression_sql, table, pretty);
    // A bare function call needs no parentheses of its own.
    ParseTree tree("SELECT " + key.expression_sql);
    auto* select = reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node);
    auto* node = static_cast<const ResTarget*>(linitial(select->targetList))->val;
    const bool call =
        IsA(node, FuncCall) || IsA(node, CoalesceExpr) || IsA(node, MinMaxExpr) || IsA(node, SQLValueFunction);
    return call ? text : "(" + text + ")";
  };
  if (column > 0) {
    const auto n = static_cast<size_t>(column);
    if (n <= index.keys.size()) return key_text(index.keys[n - 1]);
    if (n <= index.keys.size() + index.included.size()) {
      return quote_identifier(table->columns[static_cast<size_t>(index.included[n - 1 - index.keys.size()]) - 1].name);
    }
    return {};
  }
  std::string out = std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " + quote_identifier(index.name) +
                    " ON " + (pretty ? names.relation_name(index.table) : names.qualified_relation_name(index.table)) +
                    " USING " + index.method + " (";
  for (size_t i = 0; i < index.keys.size(); ++i) {
    const auto& key = index.keys[i];
    if (i > 0) out += ", ";
    out += key_text(key);
    if (key.collation != kInvalidOid) {
      const Oid own = key.attnum == 0 ? Oid{100} : table->columns[static_cast<size_t>(key.attnum) - 1].collation;
      if (own != key.collation)
        out += key.collation == Oid{950}   ? " COLLATE \"C\""
               : key.collation == Oid{951} ? " COLLATE \"POSIX\""
                                           : " COLLATE \"default\"";
    }
    if (!key.opclass.empty()) out += " " + key.opclass;
    if (key.descending) {
      out += " DESC";
      if (!key.nulls_first) out += " NULLS LAST";
    } else if (key.nulls_first) {
      out += " NULLS FIRST";
    }
  }
  out += ")";
  if (!index.included.empty()) out += " INCLUDE " + key_list(*table, index.included);
  if (index.nulls_not_distinct) out += " NULLS NOT DISTINCT";
  if (!index.options.empty()) {
    std::string options;
    for (const auto& [name, value] : index.options)
      options += (options.empty() ? "" : ", ") + quote_identifier(name) + "='" + value + "'";
    out += " WITH (" + options + ")";
  }
  if (!index.predicate_sql.empty()) out += " WHERE " + expression_text(names, index.predicate_sql, table, pretty);
  return out;
}

std::string query_definition(const NameView& names, const std::string& stored_sql, bool pretty) {
  ParseTree tree(stored_sql);
  auto* select = reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node);
  DeparseHooks hooks = reading_hooks(names, pretty);
  auto relation_of = [&](const RangeVar& var) -> Oid {
    if (var.schemaname == nullptr) return kInvalidOid;  // a common table expression
    if (const SystemRelation* system = find_system_relation(var.schemaname, var.relname)) return system->oid;
    const catalog::Schema* schema = names.catalog().find_schema(var.schemaname);
    return schema == nullptr ? kInvalidOid : names.catalog().find_relation(schema->oid, var.relname);
  };
  // Columns by their table's alias, for the casts that literals get.
  std::map<std::string, const std::vector<catalog::Column>*> columns;
  std::function<void(const Node*)> collect = [&](const Node* item) {
    if (IsA(item, JoinExpr)) {
      collect(reinterpret_cast<const JoinExpr*>(item)->larg);
      collect(reinterpret_cast<const JoinExpr*>(item)->rarg);
    } else if (IsA(item, RangeVar)) {
      auto* var = reinterpret_cast<const RangeVar*>(item);
      Oid relation = relation_of(*var);
      const std::string alias = var->alias != nullptr ? var->alias->aliasname : var->relname;
      if (auto* table = names.catalog().find<catalog::Table>(relation)) columns[alias] = &table->columns;
      if (auto* view = names.catalog().find<catalog::View>(relation)) columns[alias] = &view->columns;
    }
  };
  each_node<Node>(select->fromClause, collect);
  hooks.column_type = [&](const ColumnRef& ref) -> std::string {
    if (ref.fields->length != 2 || IsA(llast(ref.fields), A_Star)) return {};
    auto it = columns.find(text_of(linitial(ref.fields)));
    if (it == columns.end()) return {};
    for (const auto& column : *it->second) {
      if (!column.dropped && column.name == text_of(llast(ref.fields)))
        return names.type_name(column.type, column.typmod);
    }
    return {};
  };
  hooks.relation = [&](const RangeVar& var) -> std::string {
    Oid relation = relation_of(var);
    if (relation == kInvalidOid) return quote_qualified(var.schemaname == nullptr ? "" : var.schemaname, var.relname);
    return names.relation_name(relation);
  };
  return deparse_select(select, hooks) + ";";
}

}  // namespace omendb::sql
