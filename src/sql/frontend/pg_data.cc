#include "sql/frontend/pg_data.h"

#include <charconv>
#include <unordered_map>

#include "base/check.h"

// The assembler is given -I src (CMakeLists.txt).
#define EMBED(name) \
  __asm__( \
      ".section .rodata\n.balign 16\n" \
      "omendb_data_" #name \
      ":\n" \
      ".incbin \"sql/frontend/data/" #name \
      ".tsv\"\n" \
      "omendb_data_" #name "_end:\n.byte 0\n.previous\n"); \
  extern "C" const char omendb_data_##name[] __attribute__((visibility("hidden"))); \
  extern "C" const char omendb_data_##name##_end[] __attribute__((visibility("hidden")));

EMBED(pg_proc)
EMBED(pg_operator)
EMBED(pg_cast)
EMBED(pg_type)
EMBED(pg_aggregate)
EMBED(pg_language)
EMBED(pg_collation)
EMBED(pg_am)
EMBED(pg_opclass)
EMBED(pg_opfamily)
EMBED(pg_amop)
EMBED(pg_amproc)
EMBED(pg_range)
EMBED(pg_conversion)
EMBED(pg_ts_config)
EMBED(pg_ts_config_map)
EMBED(pg_ts_dict)
EMBED(pg_ts_parser)
EMBED(pg_ts_template)
EMBED(pg_description)
EMBED(system_relations)
EMBED(system_attributes)

namespace omendb::sql {

namespace {

struct Embedded {
  std::string_view name, text;
};

const std::vector<Embedded>& embedded() {
#define ENTRY(name) \
  { \
#name, { omendb_data_##name, static_cast<size_t>(omendb_data_##name##_end - omendb_data_##name) } \
  }
  static const std::vector<Embedded> all = {
      ENTRY(pg_proc),          ENTRY(pg_operator),      ENTRY(pg_cast),        ENTRY(pg_type),
      ENTRY(pg_aggregate),     ENTRY(pg_language),      ENTRY(pg_collation),   ENTRY(pg_am),
      ENTRY(pg_opclass),       ENTRY(pg_opfamily),      ENTRY(pg_amop),        ENTRY(pg_amproc),
      ENTRY(pg_range),         ENTRY(pg_conversion),    ENTRY(pg_ts_config),   ENTRY(pg_ts_config_map),
      ENTRY(pg_ts_dict),       ENTRY(pg_ts_parser),     ENTRY(pg_ts_template), ENTRY(pg_description),
      ENTRY(system_relations), ENTRY(system_attributes)};
#undef ENTRY
  return all;
}

uint32_t number(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string_view> cut(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == separator) {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  return parts;
}

/// {a,b,"",c}; the arrays of pg_proc quote nothing else.
std::vector<std::string_view> cut_array(std::string_view text) {
  if (text == "\\N" || text.size() < 2) return {};
  auto parts = cut(text.substr(1, text.size() - 2), ',');
  for (auto& part : parts) {
    if (part.size() >= 2 && part.front() == '"') part = part.substr(1, part.size() - 2);
  }
  return parts;
}

std::string_view or_empty(std::string_view field) { return field == "\\N" ? std::string_view{} : field; }

struct Data {
  std::vector<ProcRow> procs;
  std::vector<OperatorRow> operators;
  std::unordered_map<uint32_t, const ProcRow*> proc_by_oid;
  std::unordered_map<std::string_view, std::vector<const ProcRow*>> proc_by_name;
  std::unordered_map<uint32_t, const OperatorRow*> operator_by_oid;
  std::unordered_map<std::string_view, std::vector<const OperatorRow*>> operator_by_name;
  std::vector<CastRow> casts;
  std::unordered_map<uint64_t, const CastRow*> cast_by_types;
  std::vector<AggregateRow> aggregates;
  std::unordered_map<uint32_t, const AggregateRow*> aggregate_by_function;

  Data() {
    load_procs();
    load_operators();
    load_casts();
    load_aggregates();
  }

  void load_procs() {
    PgDataTable t = parse_pg_data("pg_proc");
    const size_t oid = t.column("oid"), name = t.column("proname"), schema = t.column("pronamespace"),
                 language = t.column("prolang"), variadic = t.column("provariadic"), kind = t.column("prokind"),
                 strict = t.column("proisstrict"), retset = t.column("proretset"), vol = t.column("provolatile"),
                 defaults = t.column("pronargdefaults"), result = t.column("prorettype"),
                 args = t.column("proargtypes"), all = t.column("proallargtypes"), modes = t.column("proargmodes"),
                 names = t.column("proargnames"), default_text = t.column("proargdefaults"),
                 source = t.column("prosrc");
    procs.reserve(t.rows.size());
    for (const auto& r : t.rows) {
      ProcRow p;
      p.oid = Oid{number(r[oid])};
      p.name = r[name];
      p.schema = Oid{number(r[schema])};
      p.language = Oid{number(r[language])};
      p.variadic = Oid{number(r[variadic])};
      p.kind = r[kind][0];
      p.strict = r[strict] == "t";
      p.returns_set = r[retset] == "t";
      p.volatility = r[vol][0];
      p.default_count = static_cast<int>(number(r[defaults]));
      p.result = Oid{number(r[result])};
      for (auto a : cut(r[args], ' ')) p.arguments.push_back(Oid{number(a)});
      auto all_types = cut_array(r[all]);
      auto all_modes = cut_array(r[modes]);
      auto all_names = cut_array(r[names]);
      if (all_modes.empty()) {
        p.argument_names = all_names;
      } else {
        for (size_t i = 0; i < all_modes.size(); ++i) {
          const char mode = all_modes[i][0];
          std::string_view n = i < all_names.size() ? all_names[i] : std::string_view{};
          if (mode == 'i' || mode == 'b' || mode == 'v') p.argument_names.push_back(n);
          if (mode == 'o' || mode == 'b' || mode == 't') {
            p.output_types.push_back(Oid{number(all_types[i])});
            p.output_names.push_back(n);
          }
        }
      }
      p.argument_names.resize(p.arguments.size());
      p.defaults = or_empty(r[default_text]);
      p.source = r[source];
      procs.push_back(std::move(p));
    }
    for (const auto& p : procs) {
      proc_by_oid[p.oid.value] = &p;
      proc_by_name[p.name].push_back(&p);
    }
  }

  void load_operators() {
    PgDataTable t = parse_pg_data("pg_operator");
    const size_t oid = t.column("oid"), name = t.column("oprname"), left = t.column("oprleft"),
                 right = t.column("oprright"), result = t.column("oprresult"), com = t.column("oprcom"),
                 neg = t.column("oprnegate"), code = t.column("oprcode");
    for (const auto& r : t.rows) {
      operators.push_back({Oid{number(r[oid])}, r[name], Oid{number(r[left])}, Oid{number(r[right])},
                           Oid{number(r[result])}, Oid{number(r[com])}, Oid{number(r[neg])}, Oid{number(r[code])}});
    }
    for (const auto& o : operators) {
      operator_by_oid[o.oid.value] = &o;
      operator_by_name[o.name].push_back(&o);
    }
  }

  void load_casts() {
    PgDataTable t = parse_pg_data("pg_cast");
    const size_t source = t.column("castsource"), target = t.column("casttarget"), function = t.column("castfunc"),
                 context = t.column("castcontext"), method = t.column("castmethod");
    for (const auto& r : t.rows) {
      casts.push_back(
          {Oid{number(r[source])}, Oid{number(r[target])}, Oid{number(r[function])}, r[context][0], r[method][0]});
    }
    for (const auto& c : casts) cast_by_types[uint64_t{c.source.value} << 32 | c.target.value] = &c;
  }

  void load_aggregates() {
    PgDataTable t = parse_pg_data("pg_aggregate");
    const size_t function = t.column("aggfnoid"), kind = t.column("aggkind"), direct = t.column("aggnumdirectargs");
    for (const auto& r : t.rows) {
      aggregates.push_back({Oid{number(r[function])}, r[kind][0], static_cast<int>(number(r[direct]))});
    }
    for (const auto& a : aggregates) aggregate_by_function[a.function.value] = &a;
  }
};

const Data& data() {
  static const Data instance;
  return instance;
}

template <class Map, class Key>
auto lookup(const Map& map, const Key& key) -> decltype(map.begin()->second) {
  auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace

std::string_view pg_data_text(std::string_view table) {
  for (const auto& entry : embedded()) {
    if (entry.name == table) return entry.text;
  }
  return {};
}

const std::vector<std::string_view>& pg_data_tables() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> result;
    for (const auto& entry : embedded()) result.push_back(entry.name);
    return result;
  }();
  return names;
}

size_t PgDataTable::column(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return i;
  }
  return SIZE_MAX;
}

PgDataTable parse_pg_data(std::string_view table) {
  PgDataTable result;
  std::string_view text = pg_data_text(table);
  CHECK(!text.empty());
  bool header = true;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (header) {
      result.columns = cut(line, '\t');
      header = false;
    } else {
      result.rows.push_back(cut(line, '\t'));
      CHECK(result.rows.back().size() == result.columns.size());
    }
  }
  return result;
}

std::string unescape_pg_data(std::string_view field) {
  std::string out;
  out.reserve(field.size());
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      out += field[i];
      continue;
    }
    switch (field[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'v': out += '\v'; break;
      default: out += field[i];
    }
  }
  return out;
}

const std::vector<ProcRow>& pg_procs() { return data().procs; }
const ProcRow* find_proc(Oid oid) { return lookup(data().proc_by_oid, oid.value); }
const std::vector<OperatorRow>& pg_operators() { return data().operators; }
const OperatorRow* find_operator(Oid oid) { return lookup(data().operator_by_oid, oid.value); }
const AggregateRow* find_aggregate(Oid function) { return lookup(data().aggregate_by_function, function.value); }

const std::vector<const ProcRow*>& procs_named(std::string_view name) {
  static const std::vector<const ProcRow*> none;
  auto it = data().proc_by_name.find(name);
  return it == data().proc_by_name.end() ? none : it->second;
}

const std::vector<const OperatorRow*>& operators_named(std::string_view name) {
  static const std::vector<const OperatorRow*> none;
  auto it = data().operator_by_name.find(name);
  return it == data().operator_by_name.end() ? none : it->second;
}

const CastRow* find_cast(Oid source, Oid target) {
  return lookup(data().cast_by_types, uint64_t{source.value} << 32 | target.value);
}

}  // namespace omendb::sql
