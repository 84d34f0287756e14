#include "sql/functions/system_rows.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <unordered_map>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/common/types/vector.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/parser/parsed_data/create_table_function_info.hpp"

#include "sql/duck_types.h"
#include "sql/error.h"
#include "sql/frontend/pg_data.h"
#include "sql/services.h"
#include "types/io.h"

namespace omendb::sql {
namespace {

using types::Physical;

const std::unordered_map<std::string, SystemSource>& sources() {
  static const auto all = [] {
    SystemSources list;
    add_object_sources(&list);
    add_view_sources(&list);
    add_information_sources(&list);
    std::unordered_map<std::string, SystemSource> map;
    for (auto& [name, source] : list) {
      size_t dot = name.find('.');
      CHECK(find_system_relation(name.substr(0, dot), name.substr(dot + 1)) != nullptr);
      CHECK(map.emplace(name, std::move(source)).second);
    }
    return map;
  }();
  return all;
}

struct Rows {
  std::vector<std::unique_ptr<duckdb::DataChunk>> chunks;
};

/// The newest version of each cached relation.
class RowsCache {
 public:
  std::shared_ptr<const Rows> get(const SystemRelation& relation, const SystemSource& source,
                                  const SystemContext& context) {
    {
      std::lock_guard lock(mutex_);
      auto it = entries_.find(relation.oid);
      if (it != entries_.end() && (source.constant || it->second.version == context.catalog.version()))
        return it->second.rows;
    }
    SystemRows sink(relation);
    source.produce(context, sink);
    auto rows = std::make_shared<Rows>();
    rows->chunks = sink.take();
    std::lock_guard lock(mutex_);
    entries_[relation.oid] = {context.catalog.version(), rows};
    return rows;
  }

 private:
  struct Entry {
    uint64_t version;
    std::shared_ptr<const Rows> rows;
  };
  std::mutex mutex_;
  std::unordered_map<Oid, Entry> entries_;
};

RowsCache& cache() {
  static RowsCache instance;
  return instance;
}

// --- The table function ---

struct BindData : public duckdb::TableFunctionData {
  explicit BindData(const SystemRelation& r) : relation(&r) {}
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<BindData>(*relation); }
  bool Equals(const duckdb::FunctionData& other) const override { return relation == other.Cast<BindData>().relation; }
  const SystemRelation* relation;
};

struct ScanState : public duckdb::GlobalTableFunctionState {
  std::shared_ptr<const Rows> rows;
  std::vector<duckdb::idx_t> columns;
  size_t next = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&, duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  std::string name = input.inputs[0].GetValue<std::string>();
  size_t dot = name.find('.');
  const SystemRelation* relation = dot == std::string::npos
                                       ? find_system_relation("pg_catalog", name)
                                       : find_system_relation(name.substr(0, dot), name.substr(dot + 1));
  if (relation == nullptr) throw SqlError(SqlState::kUndefinedTable, "relation \"" + name + "\" does not exist");
  for (size_t i = 0; i < relation->columns.size(); ++i) {
    const SystemColumn& column = relation->columns[i];
    types.push_back(duck_type(column.type, types::physical_type(column.type, column.typmod)));
    names.push_back("c" + std::to_string(i + 1));
  }
  return duckdb::make_uniq<BindData>(*relation);
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init(duckdb::ClientContext& context,
                                                          duckdb::TableFunctionInitInput& input) {
  const SystemRelation& relation = *input.bind_data->Cast<BindData>().relation;
  auto state = duckdb::make_uniq<ScanState>();
  state->columns.assign(input.column_ids.begin(), input.column_ids.end());
  auto it = sources().find(relation.schema_name + "." + relation.name);
  if (it == sources().end()) {
    state->rows = std::make_shared<Rows>();
    return state;
  }
  SessionServices& session = services(context);
  NameView names = names_of(session);
  const auto is_live = [&](duckdb::idx_t column) {
    const auto& live = it->second.live;
    return column < relation.columns.size() &&
           std::find(live.begin(), live.end(), relation.columns[column].name) != live.end();
  };
  const bool cached = it->second.cached && std::none_of(state->columns.begin(), state->columns.end(), is_live);
  SystemContext system{names.catalog(), names, cached ? nullptr : &session};
  if (cached) {
    state->rows = cache().get(relation, it->second, system);
  } else {
    SystemRows sink(relation);
    it->second.produce(system, sink);
    auto rows = std::make_shared<Rows>();
    rows->chunks = sink.take();
    state->rows = std::move(rows);
  }
  return state;
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  auto& state = input.global_state->Cast<ScanState>();
  if (state.next >= state.rows->chunks.size()) {
    output.SetCardinality(0);
    return;
  }
  duckdb::DataChunk& chunk = *state.rows->chunks[state.next++];
  for (size_t i = 0; i < state.columns.size(); ++i) {
    if (state.columns[i] < chunk.ColumnCount()) {
      output.data[i].Reference(chunk.data[state.columns[i]]);
    } else {
      // A row id that a count asks for and nobody reads.
      output.data[i].SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      duckdb::ConstantVector::SetNull(output.data[i], true);
    }
  }
  output.SetCardinality(chunk.size());
}

}  // namespace

NameView names_of(SessionServices& services) {
  return NameView(services.catalog(), services.search_path(), services.temp_schema());
}

// --- Rows ---

SystemRows::SystemRows(const SystemRelation& relation) : relation_(relation) {
  for (const SystemColumn& column : relation.columns) {
    physical_.push_back(types::physical_type(column.type, column.typmod));
    const types::TypeInfo* info = types::find_type(column.type);
    const bool text = column.type == types::oid::kText || column.type == types::oid::kName ||
                      column.type == types::oid::kVarchar || column.type == types::oid::kChar ||
                      column.type == types::oid::kPgNodeTree;
    parsed_.push_back(!text && info != nullptr && physical_.back().kind == Physical::kBytes);
  }
}

size_t SystemRows::position(std::string_view column) const {
  for (size_t i = 0; i < relation_.columns.size(); ++i) {
    if (relation_.columns[i].name == column) return i;
  }
  CHECK(!"a system relation has no such column");
}

void SystemRows::begin_row() {
  if (chunks_.empty() || row_ + 1 == STANDARD_VECTOR_SIZE) {
    auto chunk = std::make_unique<duckdb::DataChunk>();
    duckdb::vector<duckdb::LogicalType> types;
    for (size_t i = 0; i < physical_.size(); ++i) types.push_back(duck_type(relation_.columns[i].type, physical_[i]));
    chunk->Initialize(duckdb::Allocator::DefaultAllocator(), types);
    chunks_.push_back(std::move(chunk));
    row_ = 0;
  } else {
    ++row_;
  }
  duckdb::DataChunk& chunk = *chunks_.back();
  chunk.SetCardinality(row_ + 1);
  for (size_t i = 0; i < physical_.size(); ++i) duckdb::FlatVector::SetNull(chunk.data[i], row_, true);
}

void SystemRows::put_null(size_t column) { duckdb::FlatVector::SetNull(chunks_.back()->data[column], row_, true); }

void SystemRows::put_integer(size_t column, int64_t v) {
  duckdb::Vector& vector = chunks_.back()->data[column];
  duckdb::FlatVector::SetNull(vector, row_, false);
  switch (physical_[column].kind) {
    case Physical::kBool: duckdb::FlatVector::GetData<bool>(vector)[row_] = v != 0; return;
    case Physical::kInt16: duckdb::FlatVector::GetData<int16_t>(vector)[row_] = static_cast<int16_t>(v); return;
    case Physical::kInt32: duckdb::FlatVector::GetData<int32_t>(vector)[row_] = static_cast<int32_t>(v); return;
    case Physical::kUInt32: duckdb::FlatVector::GetData<uint32_t>(vector)[row_] = static_cast<uint32_t>(v); return;
    case Physical::kInt64: duckdb::FlatVector::GetData<int64_t>(vector)[row_] = v; return;
    case Physical::kFloat32: duckdb::FlatVector::GetData<float>(vector)[row_] = static_cast<float>(v); return;
    case Physical::kFloat64: duckdb::FlatVector::GetData<double>(vector)[row_] = static_cast<double>(v); return;
    default: put_text(column, std::to_string(v));
  }
}

void SystemRows::put_real(size_t column, double v) {
  duckdb::Vector& vector = chunks_.back()->data[column];
  duckdb::FlatVector::SetNull(vector, row_, false);
  if (physical_[column].kind == Physical::kFloat32)
    duckdb::FlatVector::GetData<float>(vector)[row_] = static_cast<float>(v);
  else
    duckdb::FlatVector::GetData<double>(vector)[row_] = v;
}

void SystemRows::put_text(size_t column, std::string_view v) {
  duckdb::Vector& vector = chunks_.back()->data[column];
  std::string bytes;
  if (physical_[column].kind == Physical::kInterval) {
    types::Value value;
    if (!types::input(relation_.columns[column].type, -1, v, types::IoContext(), &value).ok()) return;
    types::Interval interval = value.view().interval;
    duckdb::FlatVector::SetNull(vector, row_, false);
    duckdb::FlatVector::GetData<duckdb::interval_t>(vector)[row_] = {interval.months, interval.days, interval.micros};
    return;
  }
  CHECK(physical_[column].kind == Physical::kBytes);
  if (parsed_[column]) {
    types::Value value;
    Status status = types::input(relation_.columns[column].type, -1, v, types::IoContext(), &value);
    if (!status.ok()) throw SqlError(status);
    bytes = value.view().bytes;
    v = bytes;
  }
  duckdb::FlatVector::SetNull(vector, row_, false);
  duckdb::FlatVector::GetData<duckdb::string_t>(vector)[row_] =
      duckdb::StringVector::AddStringOrBlob(vector, v.data(), v.size());
}

void SystemRows::put_field(size_t column, std::string_view field) {
  if (field == "\\N") {
    put_null(column);
    return;
  }
  switch (physical_[column].kind) {
    case Physical::kBool: put_integer(column, field == "t" ? 1 : 0); return;
    case Physical::kInt16:
    case Physical::kInt32:
    case Physical::kUInt32:
    case Physical::kInt64: {
      int64_t v = 0;
      std::from_chars(field.data(), field.data() + field.size(), v);
      put_integer(column, v);
      return;
    }
    case Physical::kFloat32:
    case Physical::kFloat64: put_real(column, std::strtod(std::string(field).c_str(), nullptr)); return;
    default: put_text(column, unescape_pg_data(field));
  }
}

std::vector<std::unique_ptr<duckdb::DataChunk>> SystemRows::take() { return std::move(chunks_); }

void add_static_rows(const SystemContext&, std::string_view table, SystemRows& rows) {
  PgDataTable data = parse_pg_data(table);
  const SystemRelation* relation = find_system_relation("pg_catalog", table);
  CHECK(relation != nullptr);
  std::vector<size_t> from;
  for (const SystemColumn& column : relation->columns) from.push_back(data.column(column.name));
  for (const auto& line : data.rows) {
    rows.begin_row();
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] != SIZE_MAX) rows.put_field(i, line[from[i]]);
    }
  }
}

// --- Helpers of producers ---

std::string array_literal(const std::vector<int16_t>& values) {
  std::string out = "{";
  for (int16_t v : values) out += (out.size() > 1 ? "," : "") + std::to_string(v);
  return out + "}";
}

std::string text_array_literal(const std::vector<std::string>& values) {
  std::string out = "{";
  for (const std::string& v : values) {
    if (out.size() > 1) out += ",";
    out += '"';
    for (char c : v) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::string options_literal(const std::map<std::string, std::string>& options) {
  std::vector<std::string> values;
  for (const auto& [name, value] : options) values.push_back(name + "=" + value);
  return text_array_literal(values);
}

const catalog::Constraint* constraint_of_index(const catalog::Catalog& catalog, const catalog::Index& index) {
  const auto* table = catalog.find<catalog::Table>(index.table);
  if (table == nullptr) return nullptr;
  for (const auto& c : table->constraints) {
    if (c.index == index.oid && c.kind != catalog::Constraint::Kind::kForeignKey) return &c;
  }
  return nullptr;
}

TypeShape type_shape(const catalog::Catalog& catalog, Oid type) {
  static const auto built_in = [] {
    std::unordered_map<uint32_t, TypeShape> shapes;
    PgDataTable t = parse_pg_data("pg_type");
    const size_t oid = t.column("oid"), length = t.column("typlen"), by_value = t.column("typbyval"),
                 align = t.column("typalign"), storage = t.column("typstorage");
    for (const auto& row : t.rows) {
      shapes[static_cast<uint32_t>(std::stoul(std::string(row[oid])))] = {
          static_cast<int16_t>(std::stoi(std::string(row[length]))), row[by_value] == "t", row[align][0],
          row[storage][0]};
    }
    return shapes;
  }();
  if (auto it = built_in.find(type.value); it != built_in.end()) return it->second;
  if (catalog.find<catalog::EnumType>(type) != nullptr) return {4, true, 'i', 'p'};
  if (const auto* domain = catalog.find<catalog::DomainType>(type)) return type_shape(catalog, domain->base_type);
  return {-1, false, 'd', 'x'};
}

void register_system_relations(duckdb::DatabaseInstance& db) {
  duckdb::TableFunction function("omen_catalog", {duckdb::LogicalType::VARCHAR}, scan, bind, init);
  function.projection_pushdown = true;
  duckdb::CreateTableFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  info.internal = true;
  auto& system = duckdb::Catalog::GetSystemCatalog(db);
  auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(db);
  system.CreateFunction(transaction, info);
}

}  // namespace omendb::sql
