#include "sql/engine/type_catalog.h"

#include <algorithm>
#include <charconv>

#include "sql/engine/session_impl.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/pg_data.h"
#include "sql/functions/system_catalogs.h"

namespace omendb::sql {
namespace {

/// "schema.name" or "name", quotes undone and bare names folded. Errors: 42602.
Result<std::pair<std::string, std::string>> split_name(std::string_view text) {
  std::vector<std::string> parts(1);
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      ++at;
      while (at < text.size()) {
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"')
            ++at;
          else
            break;
        }
        parts.back().push_back(text[at++]);
      }
      if (at >= text.size()) return Status(SqlState::kInvalidName, "invalid name syntax");
      ++at;
    } else if (text[at] == '.') {
      parts.emplace_back();
      ++at;
    } else {
      const char c = text[at++];
      parts.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    }
  }
  if (parts.size() == 1) return std::make_pair(std::string(), parts[0]);
  if (parts.size() == 2) return std::make_pair(parts[0], parts[1]);
  if (parts.size() == 3) return std::make_pair(parts[1], parts[2]);
  return Status(SqlState::kInvalidName, "invalid name syntax");
}

}  // namespace

const std::shared_ptr<const catalog::Catalog>& SessionTypeCatalog::catalog() const {
  static const std::shared_ptr<const catalog::Catalog> initial = catalog::Catalog::initial();
  return session_.statement_catalog() ? session_.statement_catalog() : initial;
}

std::optional<std::string> SessionTypeCatalog::enum_label(Oid type, float sort_order) const {
  const auto* enum_type = catalog()->find<catalog::EnumType>(type);
  if (enum_type == nullptr) return std::nullopt;
  for (const auto& label : enum_type->labels) {
    if (label.sort_order == sort_order) return label.label;
  }
  return std::nullopt;
}

std::optional<float> SessionTypeCatalog::enum_sort_order(Oid type, std::string_view text) const {
  const auto* enum_type = catalog()->find<catalog::EnumType>(type);
  if (enum_type == nullptr) return std::nullopt;
  for (const auto& label : enum_type->labels) {
    if (label.label == text) return label.sort_order;
  }
  return std::nullopt;
}

std::optional<std::string> SessionTypeCatalog::type_name(Oid type) const { return format_type(*catalog(), type, -1); }

char SessionTypeCatalog::type_kind(Oid type) const {
  if (catalog()->find<catalog::EnumType>(type) != nullptr) return 'e';
  if (catalog()->find<catalog::DomainType>(type) != nullptr) return 'd';
  if (composite_columns(*catalog(), type) != nullptr) return 'c';
  return 0;
}

Oid SessionTypeCatalog::element_type(Oid type) const { return catalog()->element_of_array(type); }

Oid SessionTypeCatalog::base_type(Oid type, int32_t* typmod) const {
  const auto* domain = catalog()->find<catalog::DomainType>(type);
  if (domain == nullptr) return kInvalidOid;
  *typmod = domain->typmod;
  return domain->base_type;
}

Status SessionTypeCatalog::check_domain(Oid domain, const types::PhysicalType& physical,
                                        const types::ValueView& value) const {
  return domains_.check(catalog(), domain, physical, value);
}

std::vector<types::CompositeField> SessionTypeCatalog::composite_fields(Oid type) const {
  std::vector<types::CompositeField> fields;
  const auto* columns = composite_columns(*catalog(), type);
  if (columns == nullptr) return fields;
  for (const auto& column : *columns) {
    if (column.dropped) continue;
    types::CompositeField field{column.name, column.type, column.typmod, {}};
    Oid base = column.type;
    int32_t typmod = column.typmod;
    while (type_kind(base) == 'd') base = base_type(base, &typmod);
    field.physical =
        type_kind(base) == 'e' ? types::PhysicalType{types::Physical::kFloat32} : types::physical_type(base, -1);
    if (base == types::oid::kBpchar && typmod >= 4) field.physical.width = typmod - 4;
    fields.push_back(std::move(field));
  }
  return fields;
}

std::optional<std::string> SessionTypeCatalog::object_name(Oid reg_type, Oid object) const {
  const auto& cat = *catalog();
  auto qualified = [&](Oid schema_oid, const std::string& name, auto visible) -> std::string {
    if (visible) return quote_identifier(name);
    const auto* schema = cat.find<catalog::Schema>(schema_oid);
    return (schema ? quote_identifier(schema->name) + "." : "") + quote_identifier(name);
  };
  if (reg_type == types::oid::kRegclass) {
    if (const auto* system = find_system_relation(object)) {
      return system->schema_name == "pg_catalog" ? quote_identifier(system->name)
                                                 : system->schema_name + "." + quote_identifier(system->name);
    }
    const auto found = cat.object(object);
    if (found == nullptr) return std::nullopt;
    Oid schema;
    std::string name;
    std::visit(
        [&](const auto& o) {
          using T = std::decay_t<decltype(o)>;
          if constexpr (std::is_same_v<T, catalog::Table> || std::is_same_v<T, catalog::View> ||
                        std::is_same_v<T, catalog::Index> || std::is_same_v<T, catalog::Sequence>) {
            schema = o.schema;
            name = o.name;
          }
        },
        *found);
    if (name.empty()) return std::nullopt;
    bool visible = false;
    for (const auto& path : session_.resolved_search_path(cat)) {
      const auto* candidate = cat.find_schema(path);
      if (candidate == nullptr) continue;
      const Oid first = cat.find_relation(candidate->oid, name);
      if (first == kInvalidOid) continue;
      visible = first == object;
      break;
    }
    return qualified(schema, name, visible);
  }
  if (reg_type == types::oid::kRegtype) return format_type(cat, object, -1);
  if (reg_type == types::oid::kRegnamespace) {
    const auto* schema = cat.find<catalog::Schema>(object);
    if (schema == nullptr) return std::nullopt;
    return quote_identifier(schema->name);
  }
  if (reg_type == types::oid::kRegrole) {
    const auto* role = cat.find<catalog::Role>(object);
    if (role == nullptr) return std::nullopt;
    return quote_identifier(role->name);
  }
  if (reg_type == types::oid::kRegproc || reg_type == types::oid::kRegprocedure) {
    const auto* proc = find_proc(object);
    if (proc == nullptr) return std::nullopt;
    std::string name(proc->name);
    if (reg_type == types::oid::kRegproc) return name;
    name += "(";
    for (size_t i = 0; i < proc->arguments.size(); ++i) {
      if (i > 0) name += ",";
      name += format_type(cat, proc->arguments[i], -1);
    }
    return name + ")";
  }
  if (reg_type == types::oid::kRegoper || reg_type == types::oid::kRegoperator) {
    const auto* op = find_operator(object);
    if (op == nullptr) return std::nullopt;
    std::string name(op->name);
    if (reg_type == types::oid::kRegoper) return name;
    auto side = [&](Oid type) { return type == kInvalidOid ? std::string("NONE") : format_type(cat, type, -1); };
    return name + "(" + side(op->left) + "," + side(op->right) + ")";
  }
  return std::nullopt;
}

Result<Oid> SessionTypeCatalog::object_oid(Oid reg_type, std::string_view text) const {
  const auto& cat = *catalog();
  ASSIGN_OR_RETURN(auto name, split_name(text));
  const auto& [schema_name, object_name] = name;
  const auto* temp_schema = cat.find<catalog::Schema>(session_.temp_schema(cat));
  std::vector<std::string> path = schema_name == "pg_temp" && temp_schema != nullptr
                                      ? std::vector<std::string>{temp_schema->name}
                                  : schema_name.empty() ? session_.resolved_search_path(cat)
                                                        : std::vector<std::string>{schema_name};
  if (schema_name.empty()) {
    if (temp_schema != nullptr && std::find(path.begin(), path.end(), temp_schema->name) == path.end())
      path.insert(path.begin(), temp_schema->name);
  }
  if (reg_type == types::oid::kRegclass) {
    for (const auto& schema : path) {
      if (const auto* system = find_system_relation(schema, object_name)) return system->oid;
      const auto* found = cat.find_schema(schema);
      if (found == nullptr) continue;
      if (const Oid oid = cat.find_relation(found->oid, object_name); oid != kInvalidOid) return oid;
    }
    return Status(SqlState::kUndefinedTable, "relation \"" + std::string(text) + "\" does not exist");
  }
  if (reg_type == types::oid::kRegtype) {
    for (const auto& schema : path) {
      const auto* found = cat.find_schema(schema);
      if (found == nullptr) continue;
      if (const Oid oid = cat.find_type(found->oid, object_name); oid != kInvalidOid) return oid;
    }
    // Names of the grammar ("integer", "character varying") are read as SQL reads them.
    static const std::pair<const char*, Oid> spelled[] = {{"integer", types::oid::kInt4},
                                                          {"int", types::oid::kInt4},
                                                          {"bigint", types::oid::kInt8},
                                                          {"smallint", types::oid::kInt2},
                                                          {"boolean", types::oid::kBool},
                                                          {"real", types::oid::kFloat4},
                                                          {"double precision", types::oid::kFloat8},
                                                          {"character varying", types::oid::kVarchar},
                                                          {"character", types::oid::kBpchar},
                                                          {"char", types::oid::kBpchar},
                                                          {"decimal", types::oid::kNumeric},
                                                          {"timestamp without time zone", types::oid::kTimestamp},
                                                          {"timestamp with time zone", types::oid::kTimestampTz},
                                                          {"time without time zone", types::oid::kTime},
                                                          {"time with time zone", types::oid::kTimeTz},
                                                          {"bit varying", types::oid::kVarbit},
                                                          {"\"char\"", types::oid::kChar}};
    std::string base(text);
    const bool array = base.size() > 2 && base.substr(base.size() - 2) == "[]";
    if (array) base.resize(base.size() - 2);
    Oid found = kInvalidOid;
    for (const auto& [spelling, oid] : spelled) {
      if (base == spelling) found = oid;
    }
    if (found == kInvalidOid) {
      auto inner = split_name(base);
      if (inner.ok()) {
        if (const auto* info = types::find_type(inner->second)) found = info->oid;
      }
    }
    if (found != kInvalidOid && array) found = types::find_type(found)->array;
    if (found != kInvalidOid) return found;
    return Status(SqlState::kUndefinedObject, "type \"" + std::string(text) + "\" does not exist");
  }
  if (reg_type == types::oid::kRegnamespace) {
    const auto* schema = cat.find_schema(object_name);
    if (schema == nullptr) return Status(SqlState::kInvalidSchemaName, "schema \"" + object_name + "\" does not exist");
    return schema->oid;
  }
  if (reg_type == types::oid::kRegrole) {
    const auto* role = cat.find_role(object_name);
    if (role == nullptr) return Status(SqlState::kUndefinedObject, "role \"" + object_name + "\" does not exist");
    return role->oid;
  }
  if (reg_type == types::oid::kRegproc) {
    const auto& found = procs_named(object_name);
    if (found.empty())
      return Status(SqlState::kUndefinedFunction, "function \"" + std::string(text) + "\" does not exist");
    if (found.size() > 1) {
      return Status(SqlState::kAmbiguousFunction, "more than one function named \"" + std::string(text) + "\"");
    }
    return found[0]->oid;
  }
  if (reg_type == types::oid::kRegprocedure || reg_type == types::oid::kRegoperator) {
    const bool procedure = reg_type == types::oid::kRegprocedure;
    const size_t open = text.find('(');
    if (open == std::string_view::npos || text.back() != ')') {
      return Status(SqlState::kInvalidTextRepresentation, "expected a left parenthesis");
    }
    std::vector<Oid> arguments;
    for (std::string_view rest = text.substr(open + 1, text.size() - open - 2); !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      std::string_view argument = rest.substr(0, comma);
      while (argument.starts_with(' ')) argument.remove_prefix(1);
      while (argument.ends_with(' ')) argument.remove_suffix(1);
      if (!procedure && (argument == "none" || argument == "NONE")) {
        arguments.push_back(kInvalidOid);
      } else {
        ASSIGN_OR_RETURN(const Oid type, object_oid(types::oid::kRegtype, argument));
        arguments.push_back(type);
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (procedure) {
      ASSIGN_OR_RETURN(auto function, split_name(text.substr(0, open)));
      for (const ProcRow* proc : procs_named(function.second)) {
        if (proc->arguments == arguments) return proc->oid;
      }
      return Status(SqlState::kUndefinedFunction, "function \"" + std::string(text) + "\" does not exist");
    }
    std::string_view name = text.substr(0, open);
    if (name.starts_with("pg_catalog.")) name.remove_prefix(11);
    for (const OperatorRow* row : operators_named(name)) {
      if (arguments.size() == 2 && row->left == arguments[0] && row->right == arguments[1]) return row->oid;
    }
    return Status(SqlState::kUndefinedFunction, "operator does not exist: " + std::string(text));
  }
  return Status(SqlState::kFeatureNotSupported, "input of this reg type is not supported");
}

}  // namespace omendb::sql
