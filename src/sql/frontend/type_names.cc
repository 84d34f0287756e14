// Names of types: TypeName nodes in, format_type's text out, and what the catalog adds to the built-in types.
#include <algorithm>

#include "base/check.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;

namespace {

using catalog::CompositeType;
using catalog::DomainType;
using catalog::EnumType;

/// pg_type of PostgreSQL's own types that types/ does not know (composite rows of catalogs, ranges, text search ...).
struct RareType {
  Oid oid, element, array;
  std::string_view name;
  char kind, category;
  bool preferred, in_catalog;  // false: information_schema's
};

const std::vector<RareType>& rare_types() {
  static const std::vector<RareType> all = [] {
    std::vector<RareType> result;
    PgDataTable t = parse_pg_data("pg_type");
    const size_t o = t.column("oid"), n = t.column("typname"), k = t.column("typtype"), c = t.column("typcategory"),
                 p = t.column("typispreferred"), e = t.column("typelem"), a = t.column("typarray"),
                 schema = t.column("typnamespace");
    for (const auto& r : t.rows) {
      result.push_back({Oid{static_cast<uint32_t>(std::stoul(std::string(r[o])))},
                        Oid{static_cast<uint32_t>(std::stoul(std::string(r[e])))},
                        Oid{static_cast<uint32_t>(std::stoul(std::string(r[a])))}, r[n], r[k][0], r[c][0], r[p] == "t",
                        r[schema] == "11"});
    }
    std::sort(result.begin(), result.end(), [](const RareType& x, const RareType& y) { return x.oid < y.oid; });
    return result;
  }();
  return all;
}

const RareType* find_rare(Oid type) {
  const auto& all = rare_types();
  auto it = std::lower_bound(all.begin(), all.end(), type, [](const RareType& t, Oid o) { return t.oid < o; });
  return it != all.end() && it->oid == type ? &*it : nullptr;
}

const RareType* find_rare(std::string_view name) {
  for (const auto& t : rare_types()) {
    if (t.in_catalog && t.name == name) return &t;
  }
  return nullptr;
}

/// Names of a user's type by OID, arrays apart; empty: no such type.
std::string user_type_name(const catalog::Catalog& catalog, Oid type) {
  auto qualified = [&](Oid schema, const std::string& name) {
    const auto* s = catalog.find<catalog::Schema>(schema);
    std::string quoted = name;
    if (s == nullptr || s->name == "public" || s->name.starts_with("pg_temp")) return quoted;
    return s->name + "." + quoted;
  };
  if (auto* e = catalog.find<EnumType>(type)) return qualified(e->schema, e->name);
  if (auto* d = catalog.find<DomainType>(type)) return qualified(d->schema, d->name);
  if (auto* c = catalog.find<CompositeType>(type)) return qualified(c->schema, c->name);
  if (auto* t = catalog.table_of_row_type(type)) return qualified(t->schema, t->name);
  return "";
}

constexpr int kIntervalFullRange = 0x7FFF;

std::string interval_fields(int range) {
  auto bit = [](int field) { return 1 << field; };
  // Bit numbers of PostgreSQL's datetime fields: MONTH 1, YEAR 2, DAY 3, HOUR 10, MINUTE 11, SECOND 12.
  const int y = bit(2), mo = bit(1), d = bit(3), h = bit(10), mi = bit(11), s = bit(12);
  struct {
    int mask;
    const char* text;
  } all[] = {{y, " year"},
             {mo, " month"},
             {d, " day"},
             {h, " hour"},
             {mi, " minute"},
             {s, " second"},
             {y | mo, " year to month"},
             {d | h, " day to hour"},
             {d | h | mi, " day to minute"},
             {d | h | mi | s, " day to second"},
             {h | mi, " hour to minute"},
             {h | mi | s, " hour to second"},
             {mi | s, " minute to second"}};
  for (const auto& entry : all) {
    if (entry.mask == range) return entry.text;
  }
  return "";
}

std::string with_typmod(const char* name, int32_t typmod) {
  return std::string(name) + "(" + std::to_string(typmod) + ")";
}

std::string format_builtin(const RareType& type, int32_t typmod) {
  const bool has = typmod >= 0;
  switch (type.oid.value) {
    case 1560: return has ? with_typmod("bit", typmod) : "bit";
    case 16: return "boolean";
    case 1042: return has ? with_typmod("character", typmod - 4) : "character";
    case 18: return "\"char\"";
    case 700: return "real";
    case 701: return "double precision";
    case 23: return "integer";
    case 20: return "bigint";
    case 21: return "smallint";
    case 1700:
      return has ? "numeric(" + std::to_string(types::numeric_typmod_precision(typmod)) + "," +
                       std::to_string(types::numeric_typmod_scale(typmod)) + ")"
                 : "numeric";
    case 1186: {
      if (!has) return "interval";
      const int precision = typmod & 0xFFFF, range = (typmod >> 16) & 0x7FFF;
      std::string text = "interval";
      if (range != kIntervalFullRange) text += interval_fields(range);
      if (precision != 0xFFFF) text += "(" + std::to_string(precision) + ")";
      return text;
    }
    case 1083: return (has ? with_typmod("time", typmod) : "time") + std::string(" without time zone");
    case 1266: return (has ? with_typmod("time", typmod) : "time") + std::string(" with time zone");
    case 1114: return (has ? with_typmod("timestamp", typmod) : "timestamp") + std::string(" without time zone");
    case 1184: return (has ? with_typmod("timestamp", typmod) : "timestamp") + std::string(" with time zone");
    case 1562: return has ? with_typmod("bit varying", typmod) : "bit varying";
    case 1043: return has ? with_typmod("character varying", typmod - 4) : "character varying";
    default: return std::string(type.name);
  }
}

}  // namespace

std::string format_type(const catalog::Catalog& catalog, Oid type, int32_t typmod) {
  if (type == kInvalidOid) return "-";
  if (const RareType* info = find_rare(type)) {
    if (info->category == 'A' && info->element != kInvalidOid && info->name.starts_with("_")) {
      return format_type(catalog, info->element, typmod) + "[]";
    }
    return format_builtin(*info, typmod);
  }
  std::string name = user_type_name(catalog, type);
  if (!name.empty()) return name;
  Oid element = catalog.element_of_array(type);
  if (element != kInvalidOid) return format_type(catalog, element, typmod) + "[]";
  return "???";
}

std::string type_name(const StatementContext& statement, Oid type) { return format_type(*statement.catalog, type, -1); }

Oid base_type_of(const StatementContext& statement, Oid type, int32_t* typmod) {
  while (type.value >= catalog::oid::kFirstUserOid) {
    const auto* domain = statement.catalog->find<DomainType>(type);
    if (domain == nullptr) break;
    type = domain->base_type;
    if (typmod != nullptr && *typmod < 0) *typmod = domain->typmod;
  }
  return type;
}

char type_kind(const StatementContext& statement, Oid type) {
  if (const RareType* info = find_rare(type)) return info->kind;
  const auto& c = *statement.catalog;
  if (c.find<EnumType>(type) != nullptr) return 'e';
  if (c.find<DomainType>(type) != nullptr) return 'd';
  if (c.find<CompositeType>(type) != nullptr || c.relation_of_row_type(type) != kInvalidOid) return 'c';
  return 'b';
}

char type_category(const StatementContext& statement, Oid type, bool* preferred) {
  if (preferred != nullptr) *preferred = false;
  type = base_type_of(statement, type);
  if (const RareType* info = find_rare(type)) {
    if (preferred != nullptr) *preferred = info->preferred;
    return info->category;
  }
  switch (type_kind(statement, type)) {
    case 'e': return 'E';
    case 'c': return 'C';
    default: return statement.catalog->element_of_array(type) != kInvalidOid ? 'A' : 'U';
  }
}

Oid element_type_of(const StatementContext& statement, Oid type) {
  type = base_type_of(statement, type);
  if (const RareType* info = find_rare(type)) {
    // True arrays only: point, name and the like have elements too, but are not arrays. The vectors are arrays here.
    if (info->category == 'A' && info->kind == 'b') return info->element;
    if (type == oid::kInt2Vector || type == oid::kOidVector || info->element == oid::kRecord) return info->element;
    return kInvalidOid;
  }
  return statement.catalog->element_of_array(type);
}

bool is_array(const StatementContext& statement, Oid type) { return element_type_of(statement, type) != kInvalidOid; }

Oid array_type_of(const StatementContext& statement, Oid element) {
  if (const RareType* info = find_rare(element)) return info->array;
  const auto& c = *statement.catalog;
  if (auto* e = c.find<EnumType>(element)) return e->array_type;
  if (auto* d = c.find<DomainType>(element)) return d->array_type;
  if (auto* t = c.find<CompositeType>(element)) return t->array_type;
  if (auto* t = c.table_of_row_type(element)) return t->array_type;
  return kInvalidOid;
}

const std::vector<catalog::Column>* composite_columns(const catalog::Catalog& catalog, Oid type) {
  if (const auto* composite = catalog.find<CompositeType>(type)) return &composite->columns;
  const Oid relation = catalog.relation_of_row_type(type);
  if (const auto* table = catalog.find<catalog::Table>(relation)) return &table->columns;
  if (const auto* view = catalog.find<catalog::View>(relation)) return &view->columns;
  return nullptr;
}

bool is_composite(const StatementContext& statement, Oid type) {
  return type_kind(statement, base_type_of(statement, type)) == 'c';
}

types::PhysicalType physical_of(StatementContext& statement, Oid type, int32_t typmod) {
  type = base_type_of(statement, type, &typmod);
  if (type.value < catalog::oid::kFirstUserOid) {
    types::PhysicalType physical = types::physical_type(type, typmod);
    if (type == oid::kBpchar && typmod >= 4) physical.width = typmod - 4;
    return physical;
  }
  if (statement.catalog->find<EnumType>(type) != nullptr) return {types::Physical::kFloat32};
  return {types::Physical::kBytes};
}

namespace {

[[noreturn]] void no_such_type(const std::string& name, int location) {
  throw SqlError(SqlState::kUndefinedObject, "type \"" + name + "\" does not exist", location);
}

Oid find_type_named(StatementContext& statement, const std::vector<std::string>& names, int location) {
  std::string full;
  for (const auto& n : names) full += (full.empty() ? "" : ".") + n;
  const std::string& name = names.back();
  auto user_type = [&](std::string_view schema_name) {
    const auto* schema = statement.catalog->find_schema(schema_name);
    if (schema == nullptr) return kInvalidOid;
    Oid found = statement.catalog->find_type(schema->oid, name);
    if (found == kInvalidOid && name.starts_with("_")) {
      Oid element = statement.catalog->find_type(schema->oid, name.substr(1));
      if (element != kInvalidOid) found = array_type_of(statement, element);
    }
    if (found == kInvalidOid) {
      Oid relation = statement.catalog->find_relation(schema->oid, name);
      if (const auto* table = statement.catalog->find<catalog::Table>(relation))
        found = table->row_type;
      else if (const auto* view = statement.catalog->find<catalog::View>(relation))
        found = view->row_type;
    }
    return found;
  };
  if (names.size() > 3) {
    throw SqlError(SqlState::kSyntaxError, "improper qualified name (too many dotted names): " + full, location);
  }
  if (names.size() >= 2) {
    std::string schema = names[names.size() - 2];
    if (const auto* temp = statement.catalog->find<catalog::Schema>(statement.temp_schema);
        schema == "pg_temp" && temp != nullptr)
      schema = temp->name;
    if (names.size() == 3 && names[0] != statement.database_name) {
      throw SqlError(SqlState::kFeatureNotSupported, "cross-database references are not implemented: " + full,
                     location);
    }
    if (schema == "pg_catalog") {
      if (const RareType* t = find_rare(name)) return t->oid;
    } else if (statement.catalog->find_schema(schema) == nullptr) {
      throw SqlError(SqlState::kInvalidSchemaName, "schema \"" + schema + "\" does not exist", location);
    }
    if (schema == "information_schema") {
      if (name == "sql_identifier") return oid::kName;
      if (name == "cardinal_number") return oid::kInt4;
      if (name == "character_data" || name == "yes_or_no") return oid::kVarchar;
      if (name == "time_stamp") return oid::kTimestampTz;
    }
    Oid found = user_type(schema);
    if (found == kInvalidOid) no_such_type(full, location);
    return found;
  }
  // Types of temporary tables come first, unless the path says where their schema stands.
  if (const auto* temp = statement.catalog->find<catalog::Schema>(statement.temp_schema);
      temp != nullptr && std::find(statement.search_path.begin(), statement.search_path.end(), temp->name) ==
                             statement.search_path.end()) {
    if (Oid found = user_type(temp->name); found != kInvalidOid) return found;
  }
  bool tried_builtin = false;
  for (const auto& schema : statement.search_path) {
    if (schema == "pg_catalog") {
      tried_builtin = true;
      if (const RareType* t = find_rare(name)) return t->oid;
    } else if (Oid found = user_type(schema); found != kInvalidOid) {
      return found;
    }
  }
  if (!tried_builtin) {
    if (const RareType* t = find_rare(name)) return t->oid;
  }
  no_such_type(full, location);
}

int32_t typmod_of(StatementContext& statement, Oid type, const TypeName* name) {
  if (name->typmods == nullptr) return name->typemod;
  std::vector<int> values;
  ListCell* cell;
  foreach (cell, name->typmods) {
    Node* node = static_cast<Node*>(lfirst(cell));
    if (IsA(node, A_Const) && !reinterpret_cast<A_Const*>(node)->isnull &&
        nodeTag(&reinterpret_cast<A_Const*>(node)->val.node) == T_Integer) {
      values.push_back(reinterpret_cast<A_Const*>(node)->val.ival.ival);
    } else {
      throw SqlError(SqlState::kSyntaxError, "type modifiers must be simple constants or identifiers", name->location);
    }
  }
  auto invalid = [&](const std::string& message) -> SqlError {
    return SqlError(SqlState::kInvalidParameterValue, message, name->location);
  };
  auto one = [&]() {
    if (values.size() != 1) throw invalid("invalid type modifier");
    return values[0];
  };
  switch (type.value) {
    case 1043:
    case 1042: {
      const char* text = type == oid::kVarchar ? "varchar" : "char";
      const int n = one();
      if (n < 1) throw invalid(std::string("length for type ") + text + " must be at least 1");
      if (n > 10485760) throw invalid(std::string("length for type ") + text + " cannot exceed 10485760");
      return n + 4;
    }
    case 1700: {
      if (values.size() > 2 || values.empty()) throw invalid("invalid NUMERIC type modifier");
      if (values[0] < 1 || values[0] > 1000) {
        throw invalid("NUMERIC precision " + std::to_string(values[0]) + " must be between 1 and 1000");
      }
      const int scale = values.size() == 2 ? values[1] : 0;
      if (scale < -1000 || scale > 1000) {
        throw invalid("NUMERIC scale " + std::to_string(scale) + " must be between -1000 and 1000");
      }
      return types::numeric_typmod(values[0], scale);
    }
    case 1083:
    case 1266:
    case 1114:
    case 1184: {
      const int n = one();
      const bool stamp = type == oid::kTimestamp || type == oid::kTimestampTz;
      const bool zone = type == oid::kTimestampTz || type == oid::kTimeTz;
      if (n < 0) {
        throw invalid(std::string(stamp ? "TIMESTAMP(" : "TIME(") + std::to_string(n) + ")" +
                      (zone ? " WITH TIME ZONE" : "") + " precision must not be negative");
      }
      return std::min(n, 6);
    }
    case 1186: {
      if (values.empty() || values.size() > 2) throw invalid("invalid INTERVAL type modifier");
      const int range = values[0];
      if (values.size() == 1) return range == kIntervalFullRange ? -1 : (range << 16) | 0xFFFF;
      if (values[1] < 0) throw invalid("INTERVAL(" + std::to_string(values[1]) + ") precision must not be negative");
      return (range << 16) | std::min(values[1], 6);
    }
    case 1560:
    case 1562: return one();
    default:
      throw SqlError(SqlState::kSyntaxError,
                     "type modifier is not allowed for type \"" + type_name(statement, type) + "\"", name->location);
  }
}

}  // namespace

ResolvedType resolve_type(StatementContext& statement, const TypeName* name) {
  ResolvedType result;
  if (name->pct_type) not_supported("%TYPE", name->location);
  if (name->names == nullptr) {
    result.type = Oid{name->typeOid};
  } else {
    std::vector<std::string> names;
    ListCell* cell;
    foreach (cell, name->names) names.emplace_back(strVal(lfirst(cell)));
    result.type = find_type_named(statement, names, name->location);
  }
  result.typmod = typmod_of(statement, result.type, name);
  if (name->arrayBounds != nullptr) {
    Oid element = result.type;
    result.type = array_type_of(statement, element);
    if (result.type == kInvalidOid) {
      throw SqlError(SqlState::kUndefinedObject,
                     "could not find array type for data type " + type_name(statement, element), name->location);
    }
  }
  if (result.type.value >= catalog::oid::kFirstUserOid) statement.other_dependencies.insert(result.type.value);
  result.physical = physical_of(statement, result.type, result.typmod);
  return result;
}

}  // namespace omendb::sql
