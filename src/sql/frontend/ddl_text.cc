// Stored expressions: from the raw tree to the text that the catalog keeps, and back.
#include <functional>
#include <optional>

#include "duckdb/parser/parsed_expression.hpp"

#include "sql/frontend/parser.h"

#include "sql/frontend/ddl_internal.h"
#include "sql/frontend/query.h"

namespace omendb::sql {
namespace {

/// The tree of one expression. Owns it.
class ParsedText {
 public:
  explicit ParsedText(std::string_view text) : tree_("SELECT " + std::string(text)) {
    auto* select = reinterpret_cast<SelectStmt*>(tree_.statements().at(0).node);
    node_ = static_cast<ResTarget*>(linitial(select->targetList))->val;
  }
  Node* node() const { return node_; }

 private:
  ParseTree tree_;
  Node* node_;
};

/// What a literal is to PostgreSQL from the moment it is read, printed as it prints constants: 'today' is this day for good.
/// Empty: text, and what the catalog has to look up.
std::string constant_text(std::string_view literal, Oid type, const std::string& type_name,
                          const types::IoContext& io) {
  const types::TypeInfo* info = types::find_type(type);
  if (info == nullptr || info->kind == 'p') return {};
  const types::TypeInfo* value = info->category == 'A' ? types::find_type(info->element) : info;
  if (value == nullptr || value->category == 'S' || value->category == 'Z' || value->oid == types::oid::kJson ||
      value->name.starts_with("reg")) {
    return {};
  }
  types::Value read;
  if (!types::input(type, -1, literal, io, &read).ok()) return {};  // analysis says so
  std::string text;
  types::output(type, types::physical_type(type, -1), read.view(), types::IoContext(), &text);
  if (type == types::oid::kBool) return text == "t" ? "true" : "false";
  const bool digit = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (digit && type == types::oid::kInt4) return text;
  if (digit && type == types::oid::kNumeric && text.find('.') != std::string::npos) return text;
  return quote_constant(text) + "::" + type_name;
}

/// The user-defined type of a qualified TypeName; kInvalidOid for a built-in one.
Oid user_type(const catalog::Catalog& catalog, const TypeName& type) {
  if (type.names == nullptr || type.names->length < 2) return kInvalidOid;
  const catalog::Schema* schema = catalog.find_schema(string_value(list_nth(type.names, type.names->length - 2)));
  if (schema == nullptr) return kInvalidOid;
  return catalog.find_type(schema->oid, string_value(llast(type.names)));
}

/// Calls a function for every column reference of a raw expression. The walk is C code: the function must not throw.
struct ColumnRefs {
  const std::function<void(const ColumnRef&)>& visit;
  bool operator()(Node* node) {
    if (node == nullptr) return false;
    if (IsA(node, ColumnRef)) visit(*reinterpret_cast<ColumnRef*>(node));
    bool (*callback)(Node*, void*) = [](Node* child, void* context) {
      return (*static_cast<ColumnRefs*>(context))(child);
    };
    return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(callback)), this);
  }
};

/// What defaults, checks and generated columns may not name.
void refuse_columns(Node* node, const catalog::Table* table, ExprKind kind) {
  std::optional<SqlError> refused;
  const std::function<void(const ColumnRef&)> look = [&](const ColumnRef& ref) {
    if (refused) return;
    if (kind == ExprKind::kColumnDefault) {
      refused =
          SqlError(SqlState::kFeatureNotSupported, "cannot use column reference in DEFAULT expression", ref.location);
      return;
    }
    auto* last = static_cast<Node*>(llast(ref.fields));
    const std::string name = IsA(last, String) ? string_value(last) : table->name;
    const catalog::Column* column = IsA(last, String) ? table->find_column(name) : nullptr;
    if (column == nullptr && is_system_column(name)) {
      if (name == "tableoid")
        refused =
            SqlError(SqlState::kFeatureNotSupported, "tableoid in a stored expression is not supported", ref.location);
      else
        refused = SqlError(SqlState::kInvalidColumnReference,
                           kind == ExprKind::kCheckConstraint
                               ? "system column " + quoted(name) + " reference in check constraint is invalid"
                               : "cannot use system column " + quoted(name) + " in column generation expression",
                           ref.location);
    } else if (kind == ExprKind::kGeneratedColumn && column != nullptr && column->generated) {
      refused =
          SqlError(SqlState::kInvalidObjectDefinition,
                   "cannot use generated column " + quoted(name) + " in column generation expression", ref.location)
              .detail("A generated column cannot reference another generated column.");
    } else if (kind == ExprKind::kGeneratedColumn && column == nullptr && name == table->name) {
      refused = SqlError(SqlState::kInvalidObjectDefinition,
                         "cannot use whole-row variable in column generation expression", ref.location)
                    .detail("This would cause the generated column to depend on its own value.");
    }
  };
  ColumnRefs{look}(node);
  if (refused) throw *refused;
}

}  // namespace

TypedExpr Ddl::analyze_in(StatementContext& statement, Node* node, const catalog::Table* table, ExprKind kind) {
  if (kind == ExprKind::kColumnDefault || kind == ExprKind::kCheckConstraint || kind == ExprKind::kGeneratedColumn)
    refuse_columns(node, table, kind);
  Scope scope;
  scope.statement = &statement;
  scope.kind = kind;
  if (table != nullptr) {
    ScopeItem item;
    item.alias = table->name;
    item.schema = schema_name(table->schema);
    item.relation = table->oid;
    for (const catalog::Column& column : table->columns) {
      if (column.dropped) continue;
      ScopeColumn c;
      c.name = column.name;
      c.duck_alias = "t";
      c.duck_name = "c" + std::to_string(column.attnum);
      c.type = column.type;
      c.typmod = column.typmod;
      c.physical = column.physical;
      c.table = table->oid;
      c.attnum = column.attnum;
      item.columns.push_back(std::move(c));
    }
    Scope::SeenTable seen{.alias = table->name, .name = table->name, .columns = {}};
    for (const ScopeColumn& column : item.columns) seen.columns.push_back(column.name);
    scope.seen_tables.push_back(std::move(seen));
    scope.items.push_back(std::move(item));
  }
  return analyze_expr(scope, node, kind);
}

TypedExpr Ddl::analyze_check(StatementContext& statement, Node* node, const catalog::Table* table) {
  Scope scope;
  scope.statement = &statement;
  scope.kind = ExprKind::kCheckConstraint;
  return coerce_to_boolean(scope, analyze_in(statement, node, table, ExprKind::kCheckConstraint), "CHECK");
}

std::string Ddl::store_text(StatementContext& statement, const Node* node, const catalog::Table* table,
                            const std::string& literal_type) {
  return deparse_expression(node, store_hooks(statement, table), literal_type);
}

DeparseHooks Ddl::store_hooks(StatementContext& statement, const catalog::Table* table) {
  DeparseHooks hooks;
  hooks.column = [table](const ColumnRef& ref) {
    // "t.a" of its own table is stored as "a": the table's name may change.
    std::string text;
    const int skip = table != nullptr && !IsA(llast(ref.fields), A_Star) ? ref.fields->length - 1 : 0;
    for (int i = skip; i < ref.fields->length; ++i) {
      auto* field = static_cast<Node*>(ref.fields->elements[i].ptr_value);
      text +=
          (text.empty() ? "" : ".") + (IsA(field, A_Star) ? std::string("*") : quote_identifier(string_value(field)));
    }
    return text;
  };
  hooks.type = [this, now = statement.catalog](const TypeName& type) {
    std::string text = deparse_type(type);
    if (type.names == nullptr || type.names->length > 1) return text;
    // A user-defined type found along the search path gets its schema.
    Oid found = lookup_type(type.names);
    if (found == kInvalidOid) return text;
    auto object = now->object(found);
    Oid schema;
    if (object != nullptr) {
      schema = catalog::object_schema(*object);
    } else if (Oid relation = now->relation_of_row_type(found); relation != kInvalidOid) {
      schema = catalog::object_schema(*now->object(relation));
    } else if (Oid element = now->element_of_array(found); element != kInvalidOid) {
      if (auto element_object = now->object(element)) schema = catalog::object_schema(*element_object);
    }
    const std::string name = schema_name(schema);
    return name.empty() ? text : quote_identifier(name) + "." + text;
  };
  hooks.reg_literal = [this](std::string_view literal, const TypeName* type) -> std::string {
    if (type != nullptr && std::string_view(string_value(llast(type->names))) != "regclass") return {};
    if (literal.empty() || literal.find_first_not_of("0123456789") == std::string_view::npos) return {};
    ParseTree tree("SELECT FROM " + std::string(literal));
    auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
    auto* var = static_cast<Node*>(linitial(select->fromClause));
    if (!IsA(var, RangeVar)) return {};
    auto* name = reinterpret_cast<RangeVar*>(var);
    Oid found = lookup_relation(name->schemaname, name->relname);
    if (found == kInvalidOid) {
      throw SqlError(SqlState::kUndefinedTable, "relation " + quoted(literal) + " does not exist");
    }
    return "'" + std::to_string(found.value) + "'";
  };
  hooks.constant = [&statement](std::string_view literal, const std::string& type) {
    return constant_text(literal, type_printed_as(type), type, *statement.io);
  };
  hooks.output_name = [](const Node* node) { return target_name(const_cast<Node*>(node)); };
  return hooks;
}

TextUse Ddl::uses_of(const catalog::Catalog& catalog, std::string_view text) {
  TextUse use;
  if (text.empty()) return use;
  ParsedText parsed(text);
  DeparseHooks hooks;
  hooks.column = [&](const ColumnRef& ref) {
    auto* last = static_cast<Node*>(llast(ref.fields));
    if (IsA(last, String)) use.columns.insert(string_value(last));
    return std::string("x");
  };
  hooks.type = [&](const TypeName& type) {
    if (Oid found = user_type(catalog, type); found != kInvalidOid) {
      Oid element = catalog.element_of_array(found);
      use.types.insert(element == kInvalidOid ? found : element);
    }
    return std::string("x");
  };
  hooks.reg_literal = [&](std::string_view literal, const TypeName* type) -> std::string {
    if (type != nullptr && std::string_view(string_value(llast(type->names))) != "regclass") return {};
    if (!literal.empty() && literal.find_first_not_of("0123456789") == std::string_view::npos) {
      use.sequences.insert(Oid{static_cast<uint32_t>(std::stoul(std::string(literal)))});
    }
    return {};
  };
  (void)deparse_expression(parsed.node(), hooks);
  return use;
}

std::string Ddl::rename_column_in(std::string_view text, const std::string& old_name, const std::string& new_name) {
  if (text.empty()) return {};
  ParsedText parsed(text);
  DeparseHooks hooks;
  hooks.column = [&](const ColumnRef& ref) {
    std::string out;
    for_list<Node>(ref.fields, [&](Node* field) {
      if (!out.empty()) out += ".";
      if (IsA(field, A_Star))
        out += "*";
      else
        out += quote_identifier(old_name == string_value(field) ? new_name : string_value(field));
    });
    return out;
  };
  return deparse_expression(parsed.node(), hooks);
}

std::string Ddl::rename_type_in(const catalog::Catalog& before, std::string_view text, Oid type,
                                const std::string& new_qualified) {
  if (text.empty()) return {};
  ParsedText parsed(text);
  DeparseHooks hooks;
  hooks.type = [&](const TypeName& name) {
    std::string out = deparse_type(name);
    Oid found = user_type(before, name);
    if (found == kInvalidOid) return out;
    if (found == type) {
      size_t brackets = out.find("[]");
      return new_qualified + (brackets == std::string::npos ? "" : out.substr(brackets));
    }
    return out;
  };
  return deparse_expression(parsed.node(), hooks);
}

}  // namespace omendb::sql
