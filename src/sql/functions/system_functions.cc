// Functions of introspection: what psql, drivers and administration tools ask of the catalog. Named by prosrc, SQL-language
// ones "sql_<proname>" (register.h).
//
// Privileges beyond ownership are not kept and nothing is refused for lack of them, so the has_..._privilege functions say
// true for whatever exists.
#include <charconv>
#include <unordered_map>

#include "sql/frontend/deparse.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/pg_data.h"
#include "sql/functions/definitions.h"
#include "sql/functions/library.h"
#include "sql/functions/system_catalogs.h"
#include "sql/functions/system_rows.h"
#include "types/io.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql::functions {
namespace {

namespace oid = types::oid;
namespace cat = omendb::catalog;
using types::ValueView;

Oid oid_of(const ValueView& v) { return Oid{static_cast<uint32_t>(v.integer)}; }

/// A value or null from text: empty strings of definitions mean "there is no such thing".
ValueView text_or_null(RowCall& call, std::string text) {
  return text.empty() ? null_value() : call.text(std::move(text));
}

struct NameParts {
  std::string schema, name;
};

/// "schema.name" as SQL writes it, case folded outside quotes.
NameParts parse_name(std::string_view text) {
  std::vector<std::string> parts(1);
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        parts.back() += '"';
        ++i;
      } else if (c == '"') {
        in_quotes = false;
      } else {
        parts.back() += c;
      }
    } else if (c == '"') {
      in_quotes = true;
    } else if (c == '.') {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
  }
  NameParts out;
  out.name = parts.back();
  if (parts.size() > 1) out.schema = parts[parts.size() - 2];
  return out;
}

Oid find_relation_named(const NameView& names, std::string_view text) {
  NameParts parts = parse_name(text);
  if (parts.schema.empty()) return names.find_relation(parts.name);
  if (const SystemRelation* system = find_system_relation(parts.schema, parts.name)) return system->oid;
  const cat::Schema* schema = names.catalog().find_schema(parts.schema);
  return schema == nullptr ? kInvalidOid : names.catalog().find_relation(schema->oid, parts.name);
}

/// What belongs to an OID that only some catalogs' rows know, worked out once a catalog version.
struct OwnedOids {
  std::unordered_map<uint32_t, std::pair<Oid, size_t>> constraints;  // table or domain, position
};

std::shared_ptr<const OwnedOids> owned_oids(const std::shared_ptr<const cat::Catalog>& now) {
  static std::mutex mutex;
  static std::weak_ptr<const cat::Catalog> of;
  static std::shared_ptr<const OwnedOids> kept;
  std::lock_guard lock(mutex);
  if (kept != nullptr && of.lock() == now) return kept;
  auto made = std::make_shared<OwnedOids>();
  now->for_each_of<cat::Table>([&](const cat::Table& t) {
    for (size_t i = 0; i < t.constraints.size(); ++i) made->constraints[t.constraints[i].oid.value] = {t.oid, i};
  });
  now->for_each_of<cat::DomainType>([&](const cat::DomainType& d) {
    for (size_t i = 0; i < d.checks.size(); ++i) made->constraints[d.checks[i].oid.value] = {d.oid, i};
  });
  kept = made;
  of = now;
  return kept;
}

ValueView constraint_text(RowCall& call, Oid constraint, bool pretty) {
  auto now = call.services().catalog();
  auto owned = owned_oids(now);
  auto it = owned->constraints.find(constraint.value);
  if (it == owned->constraints.end()) return null_value();
  NameView names = names_of(call.services());
  if (const auto* table = now->find<cat::Table>(it->second.first)) {
    return call.text(constraint_definition(names, *table, table->constraints[it->second.second], pretty));
  }
  const auto* domain = now->find<cat::DomainType>(it->second.first);
  return call.text(domain_constraint_definition(names, domain->checks[it->second.second],
                                                names.type_name(domain->base_type, domain->typmod), pretty));
}

ValueView view_text(RowCall& call, Oid relation, bool pretty) {
  auto now = call.services().catalog();
  NameView names = names_of(call.services());
  if (const auto* view = now->find<cat::View>(relation)) return call.text(query_definition(names, view->sql, pretty));
  const auto* table = now->find<cat::Table>(relation);
  if (table != nullptr && table->is_materialized_view())
    return call.text(query_definition(names, table->view_sql, pretty));
  if (find_system_relation(relation) != nullptr) return null_value();
  if (now->object(relation) == nullptr) return null_value();
  return call.text("Not a view");
}

Oid relation_or_throw(RowCall& call, std::string_view text) {
  NameView names = names_of(call.services());
  Oid found = find_relation_named(names, text);
  if (found == kInvalidOid)
    throw SqlError(SqlState::kUndefinedTable, "relation \"" + std::string(text) + "\" does not exist");
  return found;
}

void add_definitions(Library& library) {
  auto row = [&](const char* name, std::vector<Oid> arguments, Oid result, RowFunction function, bool strict = true) {
    library.row({name, std::move(arguments), result, std::move(function), Volatility::kStable, strict});
  };
  row(
      "format_type", {oid::kOid, oid::kInt4}, oid::kText,
      [](RowCall& call, const ValueView* a) {
        if (a[0].null) return null_value();
        std::string text =
            names_of(call.services()).type_name(oid_of(a[0]), a[1].null ? -1 : static_cast<int32_t>(a[1].integer));
        // Without a modifier to speak of, the type is SQL's "character"; with the modifier -1 it is PostgreSQL's bpchar.
        if (a[1].null && text.rfind("bpchar", 0) == 0) text.replace(0, 6, "character");
        return call.text(std::move(text));
      },
      false);
  auto expr = [](RowCall& call, std::string_view stored, Oid relation, bool pretty) {
    auto now = call.services().catalog();
    // Index expressions may be a list; each is printed on its own.
    return text_or_null(call,
                        expression_text(names_of(call.services()), stored, now->find<cat::Table>(relation), pretty));
  };
  row("pg_get_expr", {oid::kPgNodeTree, oid::kOid}, oid::kText,
      [expr](RowCall& call, const ValueView* a) { return expr(call, a[0].bytes, oid_of(a[1]), false); });
  row("pg_get_expr_ext", {oid::kPgNodeTree, oid::kOid, oid::kBool}, oid::kText,
      [expr](RowCall& call, const ValueView* a) { return expr(call, a[0].bytes, oid_of(a[1]), a[2].integer != 0); });
  row("pg_get_constraintdef", {oid::kOid}, oid::kText,
      [](RowCall& call, const ValueView* a) { return constraint_text(call, oid_of(a[0]), false); });
  row("pg_get_constraintdef_ext", {oid::kOid, oid::kBool}, oid::kText,
      [](RowCall& call, const ValueView* a) { return constraint_text(call, oid_of(a[0]), a[1].integer != 0); });
  auto index = [](RowCall& call, Oid index_oid, int column, bool pretty) {
    const auto* found = call.services().catalog()->find<cat::Index>(index_oid);
    if (found == nullptr) return null_value();
    std::string text = index_definition(names_of(call.services()), *found, column, pretty);
    return column > 0 ? call.text(std::move(text)) : text_or_null(call, std::move(text));
  };
  row("pg_get_indexdef", {oid::kOid}, oid::kText,
      [index](RowCall& call, const ValueView* a) { return index(call, oid_of(a[0]), 0, false); });
  row("pg_get_indexdef_ext", {oid::kOid, oid::kInt4, oid::kBool}, oid::kText,
      [index](RowCall& call, const ValueView* a) {
        return index(call, oid_of(a[0]), static_cast<int>(a[1].integer), a[2].integer != 0);
      });
  row("pg_get_viewdef", {oid::kOid}, oid::kText,
      [](RowCall& call, const ValueView* a) { return view_text(call, oid_of(a[0]), false); });
  row("pg_get_viewdef_ext", {oid::kOid, oid::kBool}, oid::kText,
      [](RowCall& call, const ValueView* a) { return view_text(call, oid_of(a[0]), a[1].integer != 0); });
  row("pg_get_viewdef_wrap", {oid::kOid, oid::kInt4}, oid::kText,
      [](RowCall& call, const ValueView* a) { return view_text(call, oid_of(a[0]), true); });
  row("pg_get_viewdef_name", {oid::kText}, oid::kText,
      [](RowCall& call, const ValueView* a) { return view_text(call, relation_or_throw(call, a[0].bytes), false); });
  row("pg_get_viewdef_name_ext", {oid::kText, oid::kBool}, oid::kText, [](RowCall& call, const ValueView* a) {
    return view_text(call, relation_or_throw(call, a[0].bytes), a[1].integer != 0);
  });
  row("pg_get_userbyid", {oid::kOid}, oid::kName,
      [](RowCall& call, const ValueView* a) { return call.text(names_of(call.services()).role_name(oid_of(a[0]))); });
  row("pg_get_serial_sequence", {oid::kText, oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
    auto now = call.services().catalog();
    Oid relation = relation_or_throw(call, a[0].bytes);
    const auto* table = now->find<cat::Table>(relation);
    const auto* column = table == nullptr ? nullptr : table->find_column(a[1].bytes);
    if (column == nullptr) {
      throw SqlError(SqlState::kUndefinedColumn, "column \"" + std::string(a[1].bytes) + "\" of relation \"" +
                                                     std::string(parse_name(a[0].bytes).name) + "\" does not exist");
    }
    std::string found;
    now->for_each_of<cat::Sequence>([&](const cat::Sequence& s) {
      if (s.owned_by_table == relation && s.owned_by_column == column->attnum)
        found = names_of(call.services()).qualified_relation_name(s.oid);
    });
    return text_or_null(call, std::move(found));
  });
  // Objects that do not exist here have no definition.
  for (const char* name : {"pg_get_triggerdef", "pg_get_ruledef", "pg_get_partkeydef", "pg_get_partition_constraintdef",
                           "pg_get_statisticsobjdef", "pg_get_statisticsobjdef_columns", "pg_get_functiondef",
                           "pg_get_function_sqlbody"}) {
    row(name, {oid::kOid}, oid::kText, [](RowCall&, const ValueView*) { return null_value(); });
  }
  for (const char* name : {"pg_get_triggerdef_ext", "pg_get_ruledef_ext"}) {
    row(name, {oid::kOid, oid::kBool}, oid::kText, [](RowCall&, const ValueView*) { return null_value(); });
  }
  row("pg_get_function_arg_default", {oid::kOid, oid::kInt4}, oid::kText,
      [](RowCall&, const ValueView*) { return null_value(); });
  auto arguments = [](RowCall& call, Oid function, bool with_defaults) {
    const ProcRow* proc = find_proc(function);
    if (proc == nullptr) return null_value();
    NameView names = names_of(call.services());
    std::string out;
    const size_t first_default = proc->arguments.size() - static_cast<size_t>(proc->default_count);
    std::vector<std::string_view> defaults;
    if (with_defaults && proc->default_count > 0) {
      std::string_view rest = proc->defaults;
      for (size_t comma; (comma = rest.find(", ")) != std::string_view::npos; rest.remove_prefix(comma + 2))
        defaults.push_back(rest.substr(0, comma));
      defaults.push_back(rest);
    }
    for (size_t i = 0; i < proc->arguments.size(); ++i) {
      if (i > 0) out += ", ";
      if (proc->variadic != kInvalidOid && i + 1 == proc->arguments.size()) out += "VARIADIC ";
      if (!proc->argument_names[i].empty()) out += quote_identifier(proc->argument_names[i]) + " ";
      out += names.type_name(proc->arguments[i], -1);
      if (i >= first_default && i - first_default < defaults.size())
        out += " DEFAULT " + std::string(defaults[i - first_default]);
    }
    if (with_defaults) {
      for (size_t i = 0; i < proc->output_types.size(); ++i) {
        out += std::string(out.empty() ? "" : ", ") + "OUT " +
               (proc->output_names[i].empty() ? "" : quote_identifier(proc->output_names[i]) + " ") +
               names.type_name(proc->output_types[i], -1);
      }
    }
    return call.text(out);
  };
  row("pg_get_function_arguments", {oid::kOid}, oid::kText,
      [arguments](RowCall& call, const ValueView* a) { return arguments(call, oid_of(a[0]), true); });
  row("pg_get_function_identity_arguments", {oid::kOid}, oid::kText,
      [arguments](RowCall& call, const ValueView* a) { return arguments(call, oid_of(a[0]), false); });
  row("pg_get_function_result", {oid::kOid}, oid::kText, [](RowCall& call, const ValueView* a) {
    const ProcRow* proc = find_proc(oid_of(a[0]));
    if (proc == nullptr || proc->kind == 'p') return null_value();
    return call.text((proc->returns_set ? "SETOF " : "") + names_of(call.services()).type_name(proc->result, -1));
  });
}

void add_visibility(Library& library) {
  auto row = [&](const char* name, auto visible) {
    library.row({name,
                 {oid::kOid},
                 oid::kBool,
                 [visible](RowCall& call, const ValueView* a) -> ValueView { return visible(call, oid_of(a[0])); },
                 Volatility::kStable});
  };
  row("pg_table_is_visible", [](RowCall& call, Oid relation) {
    NameView names = names_of(call.services());
    return names.qualified_relation_name(relation).empty() ? null_value()
                                                           : bool_value(names.relation_visible(relation));
  });
  row("pg_type_is_visible",
      [](RowCall& call, Oid type) { return bool_value(names_of(call.services()).type_visible(type)); });
  row("pg_function_is_visible", [](RowCall&, Oid function) {
    const ProcRow* proc = find_proc(function);
    return proc == nullptr ? null_value() : bool_value(proc->schema == cat::oid::kPgCatalogSchema);
  });
  // Everything of these kinds is PostgreSQL's own and lies in pg_catalog.
  for (const char* name :
       {"pg_operator_is_visible", "pg_opclass_is_visible", "pg_opfamily_is_visible", "pg_collation_is_visible",
        "pg_conversion_is_visible", "pg_ts_config_is_visible", "pg_ts_dict_is_visible", "pg_ts_parser_is_visible",
        "pg_ts_template_is_visible", "pg_statistics_obj_is_visible"}) {
    row(name, [](RowCall&, Oid) { return bool_value(true); });
  }
}

/// What PostgreSQL says of its own objects, by object and catalog.
const std::map<std::pair<uint32_t, uint32_t>, std::string>& built_in_descriptions() {
  static const auto all = [] {
    std::map<std::pair<uint32_t, uint32_t>, std::string> texts;
    PgDataTable t = parse_pg_data("pg_description");
    auto number = [](std::string_view field) { return static_cast<uint32_t>(std::stoul(std::string(field))); };
    const size_t object = t.column("objoid"), klass = t.column("classoid"), sub = t.column("objsubid"),
                 text = t.column("description");
    for (const auto& row : t.rows) {
      if (row[sub] == "0") texts[{number(row[object]), number(row[klass])}] = unescape_pg_data(row[text]);
    }
    return texts;
  }();
  return all;
}

ValueView description(RowCall& call, Oid class_oid, Oid object, int32_t sub) {
  const auto* comment = call.services().catalog()->find_comment(class_oid, object, sub);
  if (comment != nullptr) return call.text(comment->text);
  if (sub != 0) return null_value();
  const auto found = built_in_descriptions().find({object.value, class_oid.value});
  return found == built_in_descriptions().end() ? null_value() : call.text(found->second);
}

Oid class_named(std::string_view name) {
  const SystemRelation* relation = find_system_relation("pg_catalog", name);
  return relation == nullptr ? kInvalidOid : relation->oid;
}

void add_descriptions(Library& library) {
  library.row({"sql_col_description",
               {oid::kOid, oid::kInt4},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 return description(call, cat::oid::kPgClass, oid_of(a[0]), static_cast<int32_t>(a[1].integer));
               },
               Volatility::kStable});
  library.row(
      {"sql_obj_description",
       {oid::kOid, oid::kName},
       oid::kText,
       [](RowCall& call, const ValueView* a) { return description(call, class_named(a[1].bytes), oid_of(a[0]), 0); },
       Volatility::kStable});
  library.row({"sql_obj_description",
               {oid::kOid},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 // The old form, without a catalog: whichever object has this OID.
                 std::string text;
                 const auto found = built_in_descriptions().lower_bound({oid_of(a[0]).value, 0});
                 if (found != built_in_descriptions().end() && found->first.first == oid_of(a[0]).value)
                   text = found->second;
                 call.services().catalog()->for_each_of<cat::Comment>([&](const cat::Comment& c) {
                   if (c.object == oid_of(a[0]) && c.sub_object == 0) text = c.text;
                 });
                 return text_or_null(call, std::move(text));
               },
               Volatility::kStable});
  library.row(
      {"sql_shobj_description",
       {oid::kOid, oid::kName},
       oid::kText,
       [](RowCall& call, const ValueView* a) { return description(call, class_named(a[1].bytes), oid_of(a[0]), 0); },
       Volatility::kStable});
}

int64_t indexes_bytes(RowCall& call, Oid relation) {
  int64_t bytes = 0;
  if (const auto* table = call.services().catalog()->find<cat::Table>(relation)) {
    for (Oid index : table->indexes) bytes += estimated_bytes(call.services(), index);
  }
  return bytes;
}

int64_t database_bytes(RowCall& call) {
  int64_t bytes = 0;
  call.services().catalog()->for_each_of<cat::Table>(
      [&](const cat::Table& t) { bytes += estimated_bytes(call.services(), t.oid) + indexes_bytes(call, t.oid); });
  return bytes;
}

void add_sizes(Library& library) {
  auto row = [&](const char* name, std::vector<Oid> arguments, auto size) {
    library.row({name, std::move(arguments), oid::kInt8,
                 [size](RowCall& call, const ValueView* a) -> ValueView { return int_value(size(call, a)); },
                 Volatility::kVolatile});
  };
  auto relation = [](RowCall& call, const ValueView* a) { return estimated_bytes(call.services(), oid_of(a[0])); };
  row("pg_relation_size", {oid::kRegclass, oid::kText}, relation);
  row("sql_pg_relation_size", {oid::kRegclass}, relation);
  row("pg_table_size", {oid::kRegclass}, relation);
  row("pg_indexes_size", {oid::kRegclass},
      [](RowCall& call, const ValueView* a) { return indexes_bytes(call, oid_of(a[0])); });
  row("pg_total_relation_size", {oid::kRegclass}, [](RowCall& call, const ValueView* a) {
    return estimated_bytes(call.services(), oid_of(a[0])) + indexes_bytes(call, oid_of(a[0]));
  });
  row("pg_database_size_oid", {oid::kOid}, [](RowCall& call, const ValueView*) { return database_bytes(call); });
  row("pg_database_size_name", {oid::kName}, [](RowCall& call, const ValueView*) { return database_bytes(call); });
  row("pg_tablespace_size_oid", {oid::kOid}, [](RowCall& call, const ValueView*) { return database_bytes(call); });
  row("pg_tablespace_size_name", {oid::kName}, [](RowCall& call, const ValueView*) { return database_bytes(call); });
  row("pg_stat_get_live_tuples", {oid::kOid}, [](RowCall& call, const ValueView* a) -> int64_t {
    auto access = call.services().catalog()->find<cat::Table>(oid_of(a[0])) == nullptr
                      ? nullptr
                      : call.services().table_access(oid_of(a[0]));
    return access == nullptr ? 0 : static_cast<int64_t>(call.services().database().estimate_rows(*access));
  });
}

void add_privileges(Library& library) {
  // Every form of every has_..._privilege, from pg_proc itself.
  std::map<std::string, bool> done;
  for (const ProcRow& proc : pg_procs()) {
    const bool privilege = proc.name.rfind("has_", 0) == 0 && proc.name.ends_with("_privilege");
    if ((!privilege && proc.name != "pg_has_role") || proc.returns_set) continue;
    if (!done.emplace(std::string(proc.source), true).second) continue;
    const bool table = proc.name == "has_table_privilege" || proc.name == "has_any_column_privilege" ||
                       proc.name == "has_column_privilege" || proc.name == "has_sequence_privilege";
    const bool schema = proc.name == "has_schema_privilege";
    const bool column = proc.name == "has_column_privilege";
    const size_t count = proc.arguments.size();
    // (user,) object (, column), privilege
    const size_t object = count - 2 - (column ? 1 : 0);
    const bool by_name = proc.arguments[object] == oid::kText;
    library.row({std::string(proc.source), proc.arguments, oid::kBool,
                 [=](RowCall& call, const ValueView* a) {
                   if (table) {
                     if (by_name) {
                       relation_or_throw(call, a[object].bytes);
                     } else {
                       NameView names = names_of(call.services());
                       if (names.qualified_relation_name(oid_of(a[object])).empty()) return null_value();
                     }
                   } else if (schema && by_name) {
                     NameParts parts = parse_name(a[object].bytes);
                     if (call.services().catalog()->find_schema(parts.name) == nullptr) {
                       throw SqlError(SqlState::kUndefinedSchema, "schema \"" + parts.name + "\" does not exist");
                     }
                   }
                   return bool_value(true);
                 },
                 Volatility::kStable});
  }
}

void add_lookups(Library& library) {
  auto reg = [&](const char* name, Oid type) {
    library.row({name,
                 {oid::kText},
                 type,
                 [type](RowCall& call, const ValueView* a) {
                   const types::TypeCatalog* known = call.io().catalog;
                   if (known == nullptr) return null_value();
                   auto found = known->object_oid(type, a[0].bytes);
                   return found.ok() && *found != kInvalidOid ? int_value((*found).value) : null_value();
                 },
                 Volatility::kStable});
  };
  reg("to_regtype", oid::kRegtype);
  reg("to_regproc", oid::kRegproc);
  reg("to_regprocedure", oid::kRegprocedure);
  reg("to_regoper", oid::kRegoper);
  reg("to_regoperator", oid::kRegoperator);
  reg("to_regnamespace", oid::kRegnamespace);
  reg("to_regrole", oid::kRegrole);
  reg("to_regcollation", oid::kRegcollation);
  library.row({"to_regclass",
               {oid::kText},
               oid::kRegclass,
               [](RowCall& call, const ValueView* a) {
                 NameView names = names_of(call.services());
                 Oid found = find_relation_named(names, a[0].bytes);
                 return found == kInvalidOid ? null_value() : int_value(found.value);
               },
               Volatility::kStable});
  library.row({"current_schemas",
               {oid::kBool},
               Oid{1003},
               [](RowCall& call, const ValueView* a) {
                 NameView names = names_of(call.services());
                 std::vector<std::string> schemas;
                 const bool implied = a[0].integer != 0;
                 if (implied && call.services().temp_schema() != kInvalidOid)
                   schemas.push_back(names.schema_name(call.services().temp_schema()));
                 for (const std::string& name : call.services().search_path()) {
                   if (names.catalog().find_schema(name) == nullptr || (!implied && name == "pg_catalog")) continue;
                   schemas.push_back(name);
                 }
                 types::Value value;
                 throw_if_error(types::input(Oid{1003}, -1, text_array_literal(schemas), types::IoContext(), &value));
                 call.buffer = std::string(value.view().bytes);
                 return call.bytes();
               },
               Volatility::kStable});
  library.row({"current_schema",
               {},
               oid::kName,
               [](RowCall& call, const ValueView*) {
                 NameView names = names_of(call.services());
                 for (const std::string& name : call.services().search_path()) {
                   if (name != "pg_catalog" && names.catalog().find_schema(name) != nullptr) return call.text(name);
                 }
                 return null_value();
               },
               Volatility::kStable});
  struct Encoding {
    const char* name;
    int number;
  };
  // clang-format off
  static constexpr Encoding kEncodings[] = {{"SQL_ASCII", 0}, {"EUC_JP", 1}, {"EUC_CN", 2}, {"EUC_KR", 3}, {"EUC_TW", 4}, {"EUC_JIS_2004", 5},
      {"UTF8", 6}, {"MULE_INTERNAL", 7}, {"LATIN1", 8}, {"LATIN2", 9}, {"LATIN3", 10}, {"LATIN4", 11}, {"LATIN5", 12}, {"LATIN6", 13},
      {"LATIN7", 14}, {"LATIN8", 15}, {"LATIN9", 16}, {"LATIN10", 17}, {"WIN1256", 18}, {"WIN1258", 19}, {"WIN866", 20}, {"WIN874", 21},
      {"KOI8R", 22}, {"WIN1251", 23}, {"WIN1252", 24}, {"ISO_8859_5", 25}, {"ISO_8859_6", 26}, {"ISO_8859_7", 27}, {"ISO_8859_8", 28},
      {"WIN1250", 29}, {"WIN1253", 30}, {"WIN1254", 31}, {"WIN1255", 32}, {"WIN1257", 33}, {"KOI8U", 34}, {"SJIS", 35}, {"BIG5", 36},
      {"GBK", 37}, {"UHC", 38}, {"GB18030", 39}, {"JOHAB", 40}, {"SHIFT_JIS_2004", 41}};
  // clang-format on
  library.row({"PG_encoding_to_char",
               {oid::kInt4},
               oid::kName,
               [](RowCall& call, const ValueView* a) {
                 for (const auto& e : kEncodings) {
                   if (e.number == a[0].integer) return call.text(e.name);
                 }
                 return call.text("");
               },
               Volatility::kStable});
  library.row({"PG_char_to_encoding",
               {oid::kName},
               oid::kInt4,
               [](RowCall&, const ValueView* a) {
                 std::string wanted;
                 for (char ch : a[0].bytes) {
                   if (std::isalnum(static_cast<unsigned char>(ch)))
                     wanted += static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
                 }
                 for (const auto& e : kEncodings) {
                   std::string name;
                   for (const char* p = e.name; *p != 0; ++p) {
                     if (*p != '_') name += *p;
                   }
                   if (name == wanted) return int_value(e.number);
                 }
                 return int_value(-1);
               },
               Volatility::kStable});
  library.row({"getdatabaseencoding",
               {},
               oid::kName,
               [](RowCall& call, const ValueView*) { return call.text("UTF8"); },
               Volatility::kStable});
  library.row({"pg_client_encoding",
               {},
               oid::kName,
               [](RowCall& call, const ValueView*) {
                 return call.text(call.services().get_setting("client_encoding").value_or("UTF8"));
               },
               Volatility::kStable});
  library.row({"pg_my_temp_schema",
               {},
               oid::kOid,
               [](RowCall& call, const ValueView*) { return int_value(call.services().temp_schema().value); },
               Volatility::kStable});
  library.row({"pg_is_other_temp_schema",
               {oid::kOid},
               oid::kBool,
               [](RowCall& call, const ValueView* a) {
                 std::string name = names_of(call.services()).schema_name(oid_of(a[0]));
                 return bool_value(name.rfind("pg_temp_", 0) == 0 && oid_of(a[0]) != call.services().temp_schema());
               },
               Volatility::kStable});
  library.row({"pg_tablespace_location",
               {oid::kOid},
               oid::kText,
               [](RowCall& call, const ValueView*) { return call.text(""); },
               Volatility::kStable});
  library.row({"pg_collation_actual_version",
               {oid::kOid},
               oid::kText,
               [](RowCall&, const ValueView*) { return null_value(); },
               Volatility::kVolatile});
  library.row({"row_security_active",
               {oid::kOid},
               oid::kBool,
               [](RowCall&, const ValueView*) { return bool_value(false); },
               Volatility::kStable});
  library.row({"row_security_active_name",
               {oid::kText},
               oid::kBool,
               [](RowCall&, const ValueView*) { return bool_value(false); },
               Volatility::kStable});
  library.row({"pg_relation_is_publishable",
               {oid::kRegclass},
               oid::kBool,
               [](RowCall& call, const ValueView* a) {
                 const auto* table = call.services().catalog()->find<cat::Table>(oid_of(a[0]));
                 return bool_value(table != nullptr && table->persistence == 'p' && !table->is_materialized_view());
               },
               Volatility::kStable});
  library.row({"pg_relation_filenode",
               {oid::kRegclass},
               oid::kOid,
               [](RowCall& call, const ValueView* a) {
                 return call.services().catalog()->object(oid_of(a[0])) == nullptr ? null_value() : a[0];
               },
               Volatility::kStable});
  library.row({"pg_get_replica_identity_index",
               {oid::kRegclass},
               oid::kRegclass,
               [](RowCall& call, const ValueView* a) {
                 const auto* table = call.services().catalog()->find<cat::Table>(oid_of(a[0]));
                 for (size_t i = 0; table != nullptr && i < table->constraints.size(); ++i) {
                   if (table->constraints[i].kind == cat::Constraint::Kind::kPrimaryKey &&
                       !table->constraints[i].deferrable)
                     return int_value(table->constraints[i].index.value);
                 }
                 return null_value();
               },
               Volatility::kStable});
  library.row({"pg_relation_is_updatable",
               {oid::kRegclass, oid::kBool},
               oid::kInt4,
               [](RowCall& call, const ValueView* a) {
                 const auto* table = call.services().catalog()->find<cat::Table>(oid_of(a[0]));
                 return int_value(table != nullptr && !table->is_materialized_view() ? 28 : 0);
               },
               Volatility::kStable});
  library.row({"pg_column_is_updatable",
               {oid::kRegclass, oid::kInt2, oid::kBool},
               oid::kBool,
               [](RowCall& call, const ValueView* a) {
                 const auto* table = call.services().catalog()->find<cat::Table>(oid_of(a[0]));
                 return bool_value(table != nullptr && !table->is_materialized_view() && a[1].integer > 0);
               },
               Volatility::kStable});
  library.row({"pg_sequence_last_value",
               {oid::kRegclass},
               oid::kInt8,
               [](RowCall& call, const ValueView* a) {
                 const auto* sequence = call.services().catalog()->find<cat::Sequence>(oid_of(a[0]));
                 if (sequence == nullptr) return null_value();
                 auto state = value_or_throw(call.services().database().sequence_state(*sequence));
                 return state.is_called ? int_value(state.last_value) : null_value();
               },
               Volatility::kVolatile});
  library.row({"pg_describe_object",
               {oid::kOid, oid::kOid, oid::kInt4},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 auto now = call.services().catalog();
                 NameView names = names_of(call.services());
                 const Oid object = oid_of(a[1]);
                 if (oid_of(a[0]) == cat::oid::kPgClass) {
                   std::string name = names.relation_name(object);
                   if (name.empty()) return null_value();
                   std::string kind = now->find<cat::View>(object) != nullptr       ? "view"
                                      : now->find<cat::Index>(object) != nullptr    ? "index"
                                      : now->find<cat::Sequence>(object) != nullptr ? "sequence"
                                                                                    : "table";
                   if (a[2].integer > 0) {
                     if (const auto* table = now->find<cat::Table>(object)) {
                       if (const auto* column = table->column(static_cast<int16_t>(a[2].integer)))
                         return call.text("column " + quote_identifier(column->name) + " of " + kind + " " + name);
                     }
                   }
                   return call.text(kind + " " + name);
                 }
                 if (oid_of(a[0]) == cat::oid::kPgNamespace)
                   return call.text("schema " + quote_identifier(names.schema_name(object)));
                 if (oid_of(a[0]) == cat::oid::kPgType) return call.text("type " + names.type_name(object, -1));
                 if (oid_of(a[0]) == cat::oid::kPgAuthid) return call.text("role " + names.role_name(object));
                 return null_value();
               },
               Volatility::kStable});
}

}  // namespace

void add_catalog_functions(Library& library) {
  add_definitions(library);
  add_visibility(library);
  add_descriptions(library);
  add_sizes(library);
  add_privileges(library);
  add_lookups(library);
}

}  // namespace omendb::sql::functions
