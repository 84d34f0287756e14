#include "sql/frontend/deparse.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "types/type.h"

#include "sql/frontend/coerce.h"
#include "sql/frontend/deparse_internal.h"
#include "sql/frontend/pg_data.h"

extern "C" {
#include "common/keywords.h"
}

namespace omendb::sql {

std::string quote_identifier(std::string_view name) {
  bool safe = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_');
  for (char c : name) safe = safe && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  if (safe) {
    int keyword = ScanKeywordLookup(std::string(name).c_str(), &ScanKeywords);
    if (keyword < 0 || ScanKeywordCategories[keyword] == UNRESERVED_KEYWORD) return std::string(name);
  }
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string quote_qualified(std::string_view schema, std::string_view name) {
  if (schema.empty()) return quote_identifier(name);
  return quote_identifier(schema) + "." + quote_identifier(name);
}

std::string quote_literal(std::string_view text) {
  std::string out = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

std::string quote_constant(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

namespace {

const DeparseHooks& no_hooks() {
  static const DeparseHooks none;
  return none;
}

bool is_string_constant(const Node* node) {
  if (node == nullptr || !IsA(node, A_Const)) return false;
  auto* c = reinterpret_cast<const A_Const*>(node);
  return !c->isnull && IsA(&c->val, String);
}

bool is_concatenation(const A_Expr* e) {
  return e->kind == AEXPR_OP && e->lexpr != nullptr && e->name->length == 1 &&
         std::strcmp(string_of(linitial(e->name)), "||") == 0;
}

// Where a varchar goes as it is.
bool takes_varchar(Oid type) {
  namespace oid = types::oid;
  return type == oid::kVarchar || type == oid::kAny || type == oid::kAnyElement || type == oid::kAnyNonArray ||
         type == oid::kAnyCompatible || type == oid::kAnyCompatibleNonArray;
}

std::string function_name(const FuncCall* f) { return string_of(llast(const_cast<List*>(f->funcname))); }
bool is_catalog_function(const FuncCall* f) {
  return f->funcname->length == 1 ||
         (f->funcname->length == 2 && std::strcmp(string_of(linitial(f->funcname)), "pg_catalog") == 0);
}

struct SqlTypeName {
  const char* internal;
  const char* sql;
};
constexpr std::array<SqlTypeName, 17> kSqlTypes{{{"int2", "smallint"},
                                                 {"int4", "integer"},
                                                 {"int8", "bigint"},
                                                 {"float4", "real"},
                                                 {"float8", "double precision"},
                                                 {"bool", "boolean"},
                                                 {"varchar", "character varying"},
                                                 {"bpchar", "character"},
                                                 {"numeric", "numeric"},
                                                 {"timestamp", "timestamp without time zone"},
                                                 {"timestamptz", "timestamp with time zone"},
                                                 {"time", "time without time zone"},
                                                 {"timetz", "time with time zone"},
                                                 {"varbit", "bit varying"},
                                                 {"bit", "bit"},
                                                 {"interval", "interval"},
                                                 {"char", "\"char\""}}};

}  // namespace

std::string deparse_type(const TypeName& type) {
  if (type.names == nullptr) not_supported("a type given by number");
  const int n = type.names->length;
  std::string name = string_of(llast(type.names));
  std::string schema = n > 1 ? string_of(list_nth(type.names, n - 2)) : "";
  std::string out, modifiers;
  if (type.typmods != nullptr && name != "interval") {
    each<Node>(type.typmods, [&](int i, const Node* modifier) {
      Deparser one(no_hooks());
      one.expression(modifier);
      modifiers += (i > 0 ? "," : "(") + one.take();
    });
    modifiers += ")";
  }
  const char* sql = nullptr;
  if (schema == "pg_catalog" || (schema.empty() && name != "char")) {
    for (const auto& known : kSqlTypes) {
      if (name == known.internal) sql = known.sql;
    }
  }
  if (sql != nullptr) {
    out = sql;
    // "timestamp(3) without time zone": the modifier stands inside.
    size_t space = std::strncmp(sql, "time", 4) == 0 ? out.find(' ') : std::string::npos;
    // Without a length these are not what their SQL names say: character is character(1).
    if (type.typmods == nullptr && name == "bpchar") out = "bpchar";
    if (type.typmods == nullptr && name == "bit") out = "\"bit\"";
    if (!modifiers.empty()) out.insert(space == std::string::npos ? out.size() : space, modifiers);
    if (name == "interval" && type.typmods != nullptr) {
      // INTERVAL's first modifier is a bit mask of fields.
      auto* mask = static_cast<const A_Const*>(linitial(type.typmods));
      switch (intVal(&mask->val)) {
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
      if (type.typmods->length > 1) {
        Deparser one(no_hooks());
        one.expression(static_cast<const Node*>(lsecond(type.typmods)));
        out += "(" + one.take() + ")";
      }
    }
  } else {
    out = quote_qualified(schema == "pg_catalog" ? "" : schema, name) + modifiers;
  }
  if (type.setof) out = "SETOF " + out;
  each<Node>(type.arrayBounds, [&](int, const Node*) { out += "[]"; });
  return out;
}

Oid type_printed_as(std::string_view name) {
  if (name.ends_with("[]")) {
    const types::TypeInfo* element = types::find_type(type_printed_as(name.substr(0, name.size() - 2)));
    return element == nullptr ? kInvalidOid : element->array;
  }
  for (const auto& known : kSqlTypes) {
    if (name == known.sql) name = known.internal;
  }
  const types::TypeInfo* info = types::find_type(name == "\"bit\"" ? "bit" : name);
  return info == nullptr ? kInvalidOid : info->oid;
}

std::string deparse_expression(const Node* node, const DeparseHooks& hooks, const std::string& context_type) {
  Deparser printer(hooks);
  if (!context_type.empty())
    printer.literal_as(node, context_type);
  else
    printer.expression(node);
  return printer.take();
}

void Deparser::literal_as(const Node* node, const std::string& type) {
  if (is_string_constant(node)) {
    if (constant_of(node, type)) return;
    constant(reinterpret_cast<const A_Const*>(node));
    out_ += "::" + type;
  } else if (IsA(node, A_Const) && reinterpret_cast<const A_Const*>(node)->isnull) {
    out_ += "NULL::" + type;
  } else {
    expression(node);
  }
}

void Deparser::list(const List* nodes) {
  each<Node>(nodes, [&](int i, const Node* node) {
    if (i > 0) out_ += ", ";
    expression(node);
  });
}

void Deparser::type_name(const TypeName* type) { out_ += hooks_.type ? hooks_.type(*type) : deparse_type(*type); }

void Deparser::operator_name(const List* name) {
  if (name->length == 1 || std::strcmp(string_of(linitial(name)), "pg_catalog") == 0) {
    out_ += string_of(llast(name));
  } else {
    out_ += "OPERATOR(" + quote_identifier(string_of(linitial(name))) + "." + string_of(llast(name)) + ")";
  }
}

std::string Deparser::column_text(const ColumnRef* ref) {
  if (single_from_ && hooks_.bare_columns_when_single && !IsA(llast(ref->fields), A_Star)) {
    return quote_identifier(string_of(llast(ref->fields)));
  }
  if (hooks_.column) return hooks_.column(*ref);
  std::string text;
  each<Node>(ref->fields, [&](int i, const Node* field) {
    if (i > 0) text += ".";
    text += IsA(field, A_Star) ? "*" : quote_identifier(string_of(field));
  });
  return text;
}

// ruleutils' isSimpleNode, as far as raw trees go.
bool Deparser::needs_parentheses(const Node* node, const Node* parent) const {
  switch (nodeTag(node)) {
    case T_A_Expr: {
      auto* e = reinterpret_cast<const A_Expr*>(node);
      if (e->kind == AEXPR_NULLIF) return false;
      if (!hooks_.pretty) return true;
      if (parent == nullptr) return false;
      if (IsA(parent, BoolExpr) || IsA(parent, FuncCall) || IsA(parent, CaseExpr) || IsA(parent, CoalesceExpr))
        return false;
      if (IsA(parent, A_Expr) && e->kind == AEXPR_OP && e->name->length == 1) {
        auto* p = reinterpret_cast<const A_Expr*>(parent);
        if (p->kind != AEXPR_OP || p->name->length != 1) return true;
        auto level = [](const char* op) {
          return op[1] != 0 ? 0 : (*op == '+' || *op == '-') ? 1 : (*op == '*' || *op == '/' || *op == '%') ? 2 : 0;
        };
        int mine = level(string_of(linitial(e->name))), theirs = level(string_of(linitial(p->name)));
        if (mine == 0 || theirs == 0 || e->lexpr == nullptr) return true;
        if (mine > theirs) return false;
        return mine < theirs || node != p->lexpr;
      }
      return true;
    }
    case T_BoolExpr:
      if (!hooks_.pretty) return true;
      if (parent == nullptr) return false;
      if (IsA(parent, BoolExpr)) {
        auto mine = reinterpret_cast<const BoolExpr*>(node)->boolop,
             theirs = reinterpret_cast<const BoolExpr*>(parent)->boolop;
        if (theirs == OR_EXPR && mine == AND_EXPR) return false;
        return !(mine == NOT_EXPR && theirs != NOT_EXPR);
      }
      return !(IsA(parent, FuncCall) || IsA(parent, CaseExpr) || IsA(parent, CoalesceExpr));
    case T_NullTest:
    case T_BooleanTest:
      if (!hooks_.pretty) return true;
      return parent != nullptr &&
             !(IsA(parent, BoolExpr) || IsA(parent, FuncCall) || IsA(parent, CaseExpr) || IsA(parent, CoalesceExpr));
    case T_SubLink: {
      auto kind = reinterpret_cast<const SubLink*>(node)->subLinkType;
      return kind == ANY_SUBLINK || kind == ALL_SUBLINK;
    }
    case T_CollateClause: return !hooks_.pretty || parent != nullptr;
    default: return false;
  }
}

void Deparser::expression_in(const Node* node, const Node* parent) {
  if (node == nullptr) return;
  const bool parentheses = needs_parentheses(node, parent);
  if (parentheses) out_ += '(';
  switch (nodeTag(node)) {
    case T_A_Const: constant(reinterpret_cast<const A_Const*>(node)); break;
    case T_ColumnRef: out_ += column_text(reinterpret_cast<const ColumnRef*>(node)); break;
    case T_ParamRef: out_ += "$" + std::to_string(reinterpret_cast<const ParamRef*>(node)->number); break;
    case T_A_Expr: a_expr(reinterpret_cast<const A_Expr*>(node), parent); break;
    case T_BoolExpr: bool_expr(reinterpret_cast<const BoolExpr*>(node), parent); break;
    case T_TypeCast: cast(reinterpret_cast<const TypeCast*>(node), parent); break;
    case T_FuncCall: function(reinterpret_cast<const FuncCall*>(node)); break;
    case T_CaseExpr: case_expr(reinterpret_cast<const CaseExpr*>(node)); break;
    case T_SubLink: sublink(reinterpret_cast<const SubLink*>(node), parent); break;
    case T_SQLValueFunction: value_function(reinterpret_cast<const SQLValueFunction*>(node)); break;
    case T_NullTest: {
      auto* t = reinterpret_cast<const NullTest*>(node);
      expression_in(reinterpret_cast<const Node*>(t->arg), node);
      out_ += t->nulltesttype == IS_NULL ? " IS NULL" : " IS NOT NULL";
      break;
    }
    case T_BooleanTest: {
      auto* t = reinterpret_cast<const BooleanTest*>(node);
      expression_in(reinterpret_cast<const Node*>(t->arg), node);
      constexpr const char* kTests[] = {" IS TRUE",      " IS NOT TRUE", " IS FALSE",
                                        " IS NOT FALSE", " IS UNKNOWN",  " IS NOT UNKNOWN"};
      out_ += kTests[t->booltesttype];
      break;
    }
    case T_CoalesceExpr:
      out_ += "COALESCE(";
      list(reinterpret_cast<const CoalesceExpr*>(node)->args);
      out_ += ')';
      break;
    case T_MinMaxExpr: {
      auto* m = reinterpret_cast<const MinMaxExpr*>(node);
      out_ += m->op == IS_GREATEST ? "GREATEST(" : "LEAST(";
      list(m->args);
      out_ += ')';
      break;
    }
    case T_A_ArrayExpr:
      out_ += "ARRAY[";
      list(reinterpret_cast<const A_ArrayExpr*>(node)->elements);
      out_ += ']';
      break;
    case T_RowExpr: {
      out_ += "ROW(";
      list(reinterpret_cast<const RowExpr*>(node)->args);
      out_ += ')';
      break;
    }
    case T_A_Indirection: {
      auto* a = reinterpret_cast<const A_Indirection*>(node);
      const bool field = IsA(linitial(a->indirection), String) || IsA(linitial(a->indirection), A_Star);
      const bool wrap = field || !IsA(a->arg, ColumnRef);
      if (wrap) out_ += '(';
      expression_in(a->arg, node);
      if (wrap) out_ += ')';
      indirection(a->indirection);
      break;
    }
    case T_CollateClause: {
      auto* c = reinterpret_cast<const CollateClause*>(node);
      expression_in(c->arg, node);
      out_ += " COLLATE ";
      each<Node>(c->collname,
                 [&](int i, const Node* part) { out_ += (i > 0 ? "." : "") + quote_identifier(string_of(part)); });
      break;
    }
    case T_GroupingFunc:
      out_ += "GROUPING(";
      list(reinterpret_cast<const GroupingFunc*>(node)->args);
      out_ += ')';
      break;
    case T_NamedArgExpr: {
      auto* a = reinterpret_cast<const NamedArgExpr*>(node);
      out_ += quote_identifier(a->name) + " => ";
      expression_in(reinterpret_cast<const Node*>(a->arg), node);
      break;
    }
    case T_SetToDefault: out_ += "DEFAULT"; break;
    default: not_supported("this construct in a stored expression");
  }
  if (parentheses) out_ += ')';
}

void Deparser::constant(const A_Const* c) {
  if (c->isnull) {
    out_ += "NULL";
    return;
  }
  switch (nodeTag(&c->val)) {
    case T_Integer: {
      int v = intVal(&c->val);
      out_ += v < 0 ? "'" + std::to_string(v) + "'::integer" : std::to_string(v);
      break;
    }
    case T_Float: {
      // Integers beyond int4 arrive as Float too.
      std::string text = c->val.fval.fval;
      const bool whole = text.find_first_of(".eE") == std::string::npos;
      const bool big = whole && (text.size() > 19 || (text.size() == 19 && text > "9223372036854775807"));
      if (whole && !big)
        out_ += text[0] == '-' ? "'" + text + "'::bigint" : "'" + text + "'::bigint";
      else
        out_ += text[0] == '-' || text.find_first_of("eE") != std::string::npos ? "'" + text + "'::numeric" : text;
      break;
    }
    case T_Boolean: out_ += boolVal(&c->val) ? "true" : "false"; break;
    case T_String: out_ += quote_constant(c->val.sval.sval); break;
    case T_BitString: {
      types::Value bits;
      throw_if_error(types::input(types::oid::kBit, -1, c->val.bsval.bsval, types::IoContext(), &bits));
      std::string text;
      types::output(types::oid::kBit, types::physical_type(types::oid::kBit, -1), bits.view(), types::IoContext(),
                    &text);
      out_ += "'" + text + "'::\"bit\"";
      break;
    }
    default: not_supported("this constant in a stored expression");
  }
}

// As far as a raw tree tells without analysis; "" when it does not.
std::string Deparser::type_of(const Node* node) const {
  if (node == nullptr || !hooks_.column_type) return {};
  switch (nodeTag(node)) {
    case T_ColumnRef: return hooks_.column_type(*reinterpret_cast<const ColumnRef*>(node));
    case T_TypeCast: {
      const TypeName& type = *reinterpret_cast<const TypeCast*>(node)->typeName;
      return hooks_.type ? hooks_.type(type) : deparse_type(type);
    }
    case T_CollateClause: return type_of(reinterpret_cast<const CollateClause*>(node)->arg);
    case T_FuncCall: {
      auto* f = reinterpret_cast<const FuncCall*>(node);
      if (!is_catalog_function(f)) return {};
      bool text = false;
      for (const ProcRow* proc : procs_named(function_name(f))) {
        if (static_cast<int>(proc->arguments.size()) != list_length(f->args)) continue;
        const Oid first = proc->arguments.empty() ? kInvalidOid : proc->arguments[0];
        if (first == types::oid::kAnyRange || first == kAnyMultirange) continue;  // lower and upper of text are meant
        if (proc->result != types::oid::kText) return {};
        text = true;
      }
      return text ? "text" : "";
    }
    case T_A_Expr: {
      auto* e = reinterpret_cast<const A_Expr*>(node);
      if (is_concatenation(e)) return concatenates_text(e) ? "text" : "";
      if (e->kind == AEXPR_OP && e->lexpr != nullptr && e->name->length == 1) {
        const std::string_view name = string_of(linitial(e->name));
        const std::string left =
            name == "->" || name == "->>" || name == "#>" || name == "#>>" ? type_of(e->lexpr) : "";
        if (left == "json" || left == "jsonb") return name.ends_with(">>") ? "text" : left;
      }
      return {};
    }
    default: return {};
  }
}

// || of text: neither side is an array, a document or bits.
bool Deparser::concatenates_text(const A_Expr* e) const {
  const auto may_be_text = [&](const Node* side) {
    if (is_string_constant(side)) return true;
    const std::string type = type_of(side);
    return !type.empty() && !type.ends_with("[]") && type != "jsonb" && type != "bytea" && type != "tsvector" &&
           type != "tsquery" && type.rfind("bit", 0) != 0;
  };
  return may_be_text(e->lexpr) && may_be_text(e->rexpr);
}

// Whether analysis makes text of a varchar at this place.
bool Deparser::takes_text(const FuncCall* f, int argument) const {
  if (!hooks_.column_type || !is_catalog_function(f)) return false;
  bool found = false;
  for (const ProcRow* proc : procs_named(function_name(f))) {
    if (static_cast<int>(proc->arguments.size()) != list_length(f->args)) continue;
    const Oid type = proc->arguments[static_cast<size_t>(argument)];
    if (takes_varchar(type)) return false;
    found = found || type == types::oid::kText;
  }
  return found;
}

std::string Deparser::literal_suffix(const Node* sibling) {
  const std::string type = type_of(sibling);
  if (type.rfind("character varying", 0) == 0) return "::text";
  if (type.rfind("character(", 0) == 0) return "::bpchar";
  if (type.rfind("numeric(", 0) == 0) return "::numeric";
  return type.empty() ? type : "::" + type;
}

/// As literal_suffix, for operators of json that take a name or a path.
std::string Deparser::json_suffix(const Node* parent, const Node* sibling) {
  const std::string type = type_of(sibling);
  const auto* expression = reinterpret_cast<const A_Expr*>(parent);
  if ((type == "json" || type == "jsonb") && expression->kind == AEXPR_OP) {
    const std::string_view name = string_of(llast(expression->name));
    if (name == "->" || name == "->>" || name == "?") return "::text";
    if (name == "#>" || name == "#>>" || name == "?|" || name == "?&" || name == "#-") return "::text[]";
  }
  return literal_suffix(sibling);
}

bool Deparser::is_varchar(const Node* node) const {
  return (IsA(node, ColumnRef) || IsA(node, TypeCast)) && type_of(node).rfind("character varying", 0) == 0;
}

void Deparser::as_text(const Node* node, const Node* parent) {
  if (!hooks_.pretty) out_ += '(';
  expression_in(node, parent);
  out_ += hooks_.pretty ? "::text" : ")::text";
}

/// The type that a bare number beside `sibling` becomes when it is not that of the number itself; "" for none.
std::string Deparser::number_cast(const Node* node, const Node* sibling) {
  if (!IsA(node, A_Const) || reinterpret_cast<const A_Const*>(node)->isnull) return {};
  const auto& value = reinterpret_cast<const A_Const*>(node)->val;
  const bool integer = IsA(&value, Integer);
  if (!integer && !IsA(&value, Float)) return {};
  const std::string type = type_of(sibling);
  if (type == "real" || type == "double precision") return "double precision";
  return integer && type.rfind("numeric", 0) == 0 && !type.ends_with("]") ? "numeric" : "";
}

/// One side of an operator whose other side is `sibling`.
void Deparser::operand(const Node* node, const Node* parent, const Node* sibling, bool cast_varchar) {
  if (is_string_constant(node)) {
    constant(reinterpret_cast<const A_Const*>(node));
    out_ += parent != nullptr && sibling != nullptr && IsA(parent, A_Expr) ? json_suffix(parent, sibling)
                                                                           : literal_suffix(sibling);
    return;
  }
  if (const std::string cast = number_cast(node, sibling); !cast.empty()) {
    if (!hooks_.pretty) out_ += '(';
    constant(reinterpret_cast<const A_Const*>(node));
    out_ += (hooks_.pretty ? "::" : ")::") + cast;
    return;
  }
  if (cast_varchar && is_varchar(node)) {
    as_text(node, parent);
    return;
  }
  expression_in(node, parent);
}

void Deparser::text_operand(const Node* node, const Node* parent) {
  operand(node, parent, nullptr, true);
  if (is_string_constant(node)) out_ += "::text";
}

void Deparser::a_expr(const A_Expr* e, const Node*) {
  auto* self = reinterpret_cast<const Node*>(e);
  switch (e->kind) {
    case AEXPR_OP:
    case AEXPR_LIKE:
    case AEXPR_ILIKE:
    case AEXPR_SIMILAR:
      if (hooks_.column_type && is_concatenation(e) && concatenates_text(e)) {
        text_operand(e->lexpr, self);
        out_ += " || ";
        text_operand(e->rexpr, self);
        return;
      }
      if (e->lexpr != nullptr) {
        operand(e->lexpr, self, e->rexpr, true);
        out_ += ' ';
      }
      operator_name(e->name);
      out_ += ' ';
      operand(e->rexpr, self, e->lexpr, true);
      if (e->kind != AEXPR_OP && is_string_constant(e->rexpr) && hooks_.column_type && literal_suffix(e->lexpr).empty())
        out_ += "::text";
      return;
    case AEXPR_OP_ANY:
    case AEXPR_OP_ALL:
      operand(e->lexpr, self, nullptr, true);
      out_ += ' ';
      operator_name(e->name);
      out_ += e->kind == AEXPR_OP_ANY ? " ANY (" : " ALL (";
      expression_in(e->rexpr, self);
      out_ += ')';
      return;
    case AEXPR_DISTINCT:
    case AEXPR_NOT_DISTINCT:
      operand(e->lexpr, self, e->rexpr, true);
      out_ += e->kind == AEXPR_DISTINCT ? " IS DISTINCT FROM " : " IS NOT DISTINCT FROM ";
      operand(e->rexpr, self, e->lexpr, true);
      return;
    case AEXPR_NULLIF:
      out_ += "NULLIF(";
      operand(e->lexpr, self, e->rexpr, true);
      out_ += ", ";
      operand(e->rexpr, self, e->lexpr, true);
      out_ += ')';
      return;
    case AEXPR_IN: {
      auto* items = reinterpret_cast<const List*>(e->rexpr);
      const bool negated = std::strcmp(string_of(linitial(e->name)), "<>") == 0;
      bool constants = true;
      each<Node>(items, [&](int, const Node* item) { constants = constants && IsA(item, A_Const); });
      std::string type = hooks_.column_type && IsA(e->lexpr, ColumnRef)
                             ? hooks_.column_type(*reinterpret_cast<const ColumnRef*>(e->lexpr))
                             : "";
      const bool varchar = type.rfind("character varying", 0) == 0;
      if (constants && !type.empty() && items->length > 1) {  // as PostgreSQL's analysis leaves it
        operand(e->lexpr, self, nullptr, true);
        out_ += negated ? " <> ALL (" : " = ANY (";
        if (varchar) out_ += '(';
        out_ += "ARRAY[";
        each<Node>(items, [&](int i, const Node* item) {
          if (i > 0) out_ += ", ";
          constant(reinterpret_cast<const A_Const*>(item));
          if (is_string_constant(item)) out_ += varchar ? "::character varying" : literal_suffix(e->lexpr);
        });
        out_ += varchar ? "])::text[])" : "])";
        return;
      }
      if (items->length == 1 && !type.empty()) {
        operand(e->lexpr, self, static_cast<const Node*>(linitial(items)), true);
        out_ += negated ? " <> " : " = ";
        operand(static_cast<const Node*>(linitial(items)), self, e->lexpr, true);
        return;
      }
      expression_in(e->lexpr, self);
      out_ += negated ? " NOT IN (" : " IN (";
      list(items);
      out_ += ')';
      return;
    }
    case AEXPR_BETWEEN:
    case AEXPR_NOT_BETWEEN: {
      auto* bounds = reinterpret_cast<const List*>(e->rexpr);
      const bool negated = e->kind == AEXPR_NOT_BETWEEN;
      const bool inner = !hooks_.pretty;
      if (inner) out_ += '(';
      operand(e->lexpr, self, static_cast<const Node*>(linitial(bounds)), true);
      out_ += negated ? " < " : " >= ";
      operand(static_cast<const Node*>(linitial(bounds)), self, e->lexpr, true);
      out_ += inner ? ") " : " ";
      out_ += negated ? "OR" : "AND";
      out_ += inner ? " (" : " ";
      operand(e->lexpr, self, static_cast<const Node*>(lsecond(bounds)), true);
      out_ += negated ? " > " : " <= ";
      operand(static_cast<const Node*>(lsecond(bounds)), self, e->lexpr, true);
      if (inner) out_ += ')';
      return;
    }
    case AEXPR_BETWEEN_SYM:
    case AEXPR_NOT_BETWEEN_SYM: {
      auto* bounds = reinterpret_cast<const List*>(e->rexpr);
      expression_in(e->lexpr, self);
      out_ += e->kind == AEXPR_BETWEEN_SYM ? " BETWEEN SYMMETRIC " : " NOT BETWEEN SYMMETRIC ";
      expression_in(static_cast<const Node*>(linitial(bounds)), self);
      out_ += " AND ";
      expression_in(static_cast<const Node*>(lsecond(bounds)), self);
      return;
    }
  }
  not_supported("this operator in a stored expression");
}

void Deparser::bool_expr(const BoolExpr* e, const Node*) {
  auto* self = reinterpret_cast<const Node*>(e);
  if (e->boolop == NOT_EXPR) {
    out_ += "NOT ";
    expression_in(static_cast<const Node*>(linitial(e->args)), self);
    return;
  }
  each<Node>(e->args, [&](int i, const Node* arg) {
    if (i > 0) out_ += e->boolop == AND_EXPR ? " AND " : " OR ";
    expression_in(arg, self);
  });
}

bool Deparser::constant_of(const Node* literal, const std::string& type) {
  if (!hooks_.constant) return false;
  const std::string text = hooks_.constant(reinterpret_cast<const A_Const*>(literal)->val.sval.sval, type);
  out_ += text;
  return !text.empty();
}

void Deparser::cast(const TypeCast* c, const Node*) {
  auto* self = reinterpret_cast<const Node*>(c);
  if (hooks_.reg_literal && is_string_constant(c->arg)) {
    std::string replaced = hooks_.reg_literal(reinterpret_cast<const A_Const*>(c->arg)->val.sval.sval, c->typeName);
    if (!replaced.empty()) {
      out_ += replaced + "::";
      type_name(c->typeName);
      return;
    }
  }
  if (is_string_constant(c->arg) && c->typeName->typmods == nullptr &&
      constant_of(c->arg, hooks_.type ? hooks_.type(*c->typeName) : deparse_type(*c->typeName))) {
    return;
  }
  const bool literal =
      IsA(c->arg, A_Const) && (is_string_constant(c->arg) || reinterpret_cast<const A_Const*>(c->arg)->isnull);
  if (IsA(c->arg, A_Const) && !literal) {
    auto* constant_arg = reinterpret_cast<const A_Const*>(c->arg);
    // The grammar makes true::boolean of TRUE. A number keeps its own type before the cast.
    const bool boolean = IsA(&constant_arg->val, Boolean);
    const bool parentheses = !boolean && !hooks_.pretty;
    if (parentheses) out_ += '(';
    constant(constant_arg);
    if (boolean) return;
    if (parentheses) out_ += ')';
  } else if (literal || (hooks_.pretty && !needs_parentheses(c->arg, self))) {
    expression_in(c->arg, self);
  } else {
    const bool twice = needs_parentheses(c->arg, self);
    if (!twice) out_ += '(';
    expression_in(c->arg, self);
    if (!twice) out_ += ')';
  }
  out_ += "::";
  type_name(c->typeName);
}

void Deparser::indirection(const List* steps) {
  each<Node>(steps, [&](int, const Node* step) {
    if (IsA(step, String)) {
      out_ += "." + quote_identifier(string_of(step));
    } else if (IsA(step, A_Star)) {
      out_ += ".*";
    } else {
      auto* indices = reinterpret_cast<const A_Indices*>(step);
      out_ += '[';
      if (indices->is_slice) {
        expression(indices->lidx);
        out_ += ':';
      }
      expression(indices->uidx);
      out_ += ']';
    }
  });
}

// Calls that SQL writes with words between the arguments. The raw tree has them as pg_catalog functions.
bool Deparser::special_function(const FuncCall* f, const std::string& name) {
  if (f->funcformat != COERCE_SQL_SYNTAX || f->args == nullptr) return false;
  auto arg = [&](int i) { return static_cast<const Node*>(list_nth(const_cast<List*>(f->args), i)); };
  const int n = f->args->length;
  auto* self = reinterpret_cast<const Node*>(f);
  auto words = [&](std::initializer_list<const char*> between) {
    int i = 0;
    for (const char* word : between) {
      if (i < n) {
        out_ += word;
        expression_in(arg(i++), self);
      }
    }
    out_ += ')';
    return true;
  };
  if (name == "timezone" && n == 2) {
    out_ += '(';
    expression_in(arg(1), self);
    out_ += " AT TIME ZONE ";
    expression_in(arg(0), self);
    out_ += ')';
    return true;
  }
  if (name == "extract" && n == 2 && is_string_constant(arg(0))) {
    out_ += "EXTRACT(" + quote_identifier(reinterpret_cast<const A_Const*>(arg(0))->val.sval.sval) + " FROM ";
    expression_in(arg(1), self);
    out_ += ')';
    return true;
  }
  if (name == "position" && n == 2) {
    out_ += "POSITION((";
    expression_in(arg(1), self);
    out_ += ") IN (";
    expression_in(arg(0), self);
    out_ += "))";
    return true;
  }
  if (name == "overlay" && n >= 3) {
    out_ += "OVERLAY(";
    return words({"", " PLACING ", " FROM ", " FOR "});
  }
  if (name == "substring" && n >= 2) {
    out_ += "SUBSTRING(";
    return words({"", " FROM ", " FOR "});
  }
  if (name == "overlaps" && n == 4) {
    out_ += "((";
    expression_in(arg(0), self);
    out_ += ", ";
    expression_in(arg(1), self);
    out_ += ") OVERLAPS (";
    expression_in(arg(2), self);
    out_ += ", ";
    expression_in(arg(3), self);
    out_ += "))";
    return true;
  }
  if ((name == "btrim" || name == "ltrim" || name == "rtrim") && n <= 2) {
    out_ += name == "btrim" ? "TRIM(BOTH" : name == "ltrim" ? "TRIM(LEADING" : "TRIM(TRAILING";
    if (n == 2) {
      out_ += ' ';
      expression_in(arg(1), self);
    }
    out_ += " FROM ";
    expression_in(arg(0), self);
    out_ += ')';
    return true;
  }
  if (name == "pg_collation_for" && n == 1) {
    out_ += "COLLATION FOR (";
    expression_in(arg(0), self);
    out_ += ')';
    return true;
  }
  return false;  // printed as a call of pg_catalog's function, which means the same
}

void Deparser::function(const FuncCall* f) {
  const std::string name = function_name(f);
  if (is_catalog_function(f) && special_function(f, name)) return;
  if (is_catalog_function(f)) {
    out_ += quote_identifier(name);
  } else {
    each<Node>(f->funcname,
               [&](int i, const Node* part) { out_ += (i > 0 ? "." : "") + quote_identifier(string_of(part)); });
  }
  out_ += '(';
  if (f->agg_distinct) out_ += "DISTINCT ";
  if (f->agg_star) out_ += '*';
  auto* self = reinterpret_cast<const Node*>(f);
  const int count = list_length(f->args);
  each<Node>(f->args, [&](int i, const Node* arg) {
    if (i > 0) out_ += ", ";
    if (f->func_variadic && i + 1 == count) out_ += "VARIADIC ";
    if (i == 0 && hooks_.reg_literal && is_string_constant(arg) &&
        (name == "nextval" || name == "currval" || name == "setval" || name == "pg_sequence_last_value")) {
      std::string replaced = hooks_.reg_literal(reinterpret_cast<const A_Const*>(arg)->val.sval.sval, nullptr);
      if (!replaced.empty()) {
        out_ += replaced + "::regclass";
        return;
      }
    }
    if (is_varchar(arg) && takes_text(f, i)) {
      as_text(arg, self);
      return;
    }
    expression_in(arg, self);
    if (hooks_.column_type && is_string_constant(arg)) out_ += "::text";
  });
  if (f->agg_order != nullptr && !f->agg_within_group) {
    out_ += " ORDER BY ";
    sort_list(f->agg_order);
  }
  out_ += ')';
  if (f->agg_within_group) {
    out_ += " WITHIN GROUP (ORDER BY ";
    sort_list(f->agg_order);
    out_ += ')';
  }
  if (f->agg_filter != nullptr) {
    out_ += " FILTER (WHERE ";
    expression(f->agg_filter);
    out_ += ')';
  }
  if (f->over != nullptr) {
    out_ += " OVER ";
    if (f->over->name != nullptr)
      out_ += quote_identifier(f->over->name);
    else
      window(f->over);
  }
}

void Deparser::case_expr(const CaseExpr* c) {
  auto* self = reinterpret_cast<const Node*>(c);
  line("CASE", 0, 4, 0);
  if (c->arg != nullptr) {
    out_ += ' ';
    expression_in(reinterpret_cast<const Node*>(c->arg), self);
  }
  each<CaseWhen>(c->args, [&](int, const CaseWhen* when) {
    line("WHEN ", 0, 0, 0);
    expression_in(reinterpret_cast<const Node*>(when->expr), self);
    out_ += " THEN ";
    expression_in(reinterpret_cast<const Node*>(when->result), self);
    if (hooks_.column_type && is_string_constant(reinterpret_cast<const Node*>(when->result))) out_ += "::text";
  });
  if (c->defresult != nullptr) {
    line("ELSE ", 0, 0, 0);
    expression_in(reinterpret_cast<const Node*>(c->defresult), self);
    if (hooks_.column_type && is_string_constant(reinterpret_cast<const Node*>(c->defresult))) out_ += "::text";
  }
  line("END", -4, 0, 0);
}

void Deparser::value_function(const SQLValueFunction* f) {
  constexpr const char* kNames[] = {"CURRENT_DATE",      "CURRENT_TIME",    "CURRENT_TIME",  "CURRENT_TIMESTAMP",
                                    "CURRENT_TIMESTAMP", "LOCALTIME",       "LOCALTIME",     "LOCALTIMESTAMP",
                                    "LOCALTIMESTAMP",    "CURRENT_ROLE",    "CURRENT_USER",  "USER",
                                    "SESSION_USER",      "CURRENT_CATALOG", "CURRENT_SCHEMA"};
  out_ += kNames[f->op];
  if (f->op == SVFOP_CURRENT_TIME_N || f->op == SVFOP_CURRENT_TIMESTAMP_N || f->op == SVFOP_LOCALTIME_N ||
      f->op == SVFOP_LOCALTIMESTAMP_N) {
    out_ += "(" + std::to_string(f->typmod) + ")";
  }
}

void Deparser::sublink(const SubLink* s, const Node*) {
  auto* self = reinterpret_cast<const Node*>(s);
  auto* select = reinterpret_cast<const SelectStmt*>(s->subselect);
  bool close = true;
  switch (s->subLinkType) {
    case EXISTS_SUBLINK: out_ += "EXISTS ("; break;
    case ARRAY_SUBLINK: out_ += "ARRAY("; break;
    case EXPR_SUBLINK: out_ += '('; break;
    case ANY_SUBLINK:
    case ALL_SUBLINK:
      expression_in(s->testexpr, self);
      if (s->operName == nullptr) {
        out_ += " IN (";
      } else {
        out_ += ' ';
        operator_name(s->operName);
        out_ += s->subLinkType == ANY_SUBLINK ? " ANY (" : " ALL (";
      }
      break;
    default: not_supported("this kind of subquery in a stored expression");
  }
  query(select, indent_, true);
  if (close) out_ += ')';
}

}  // namespace omendb::sql
