#include "sql/functions/library.h"
#include "sql/functions/object_aggregates.h"
#include "sql/functions/system_rows.h"

#include <charconv>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/parser/parsed_data/create_aggregate_function_info.hpp"
#include "duckdb/parser/parsed_data/create_scalar_function_info.hpp"
#include "duckdb/parser/parsed_data/create_type_info.hpp"
#include "duckdb/planner/collation_binding.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/function/function_binder.hpp"

namespace omendb::sql {

namespace functions {

using types::Physical;
using types::PhysicalType;
using types::ValueView;

TypeArgument TypeArgument::parse(const std::string& text) {
  int64_t numbers[9] = {};
  const char* p = text.data();
  const char* end = p + text.size();
  for (auto& n : numbers) {
    auto [next, error] = std::from_chars(p, end, n);
    CHECK(error == std::errc());
    p = next < end ? next + 1 : next;
  }
  TypeArgument t;
  t.type = Oid{static_cast<uint32_t>(numbers[0])};
  t.base = Oid{static_cast<uint32_t>(numbers[1])};
  t.typmod = static_cast<int32_t>(numbers[2]);
  t.physical.kind = static_cast<Physical>(numbers[3]);
  t.physical.precision = static_cast<uint8_t>(numbers[4]);
  t.physical.scale = static_cast<uint8_t>(numbers[5]);
  t.physical.width = static_cast<int32_t>(numbers[6]);
  t.element = Oid{static_cast<uint32_t>(numbers[7])};
  t.element_physical.kind = static_cast<Physical>(numbers[8]);
  return t;
}

ValueView value_at(const void* data, size_t i, const PhysicalType& physical) {
  switch (physical.kind) {
    case Physical::kBool: return ValueView::of_integer(static_cast<const uint8_t*>(data)[i] != 0);
    case Physical::kInt16: return ValueView::of_integer(static_cast<const int16_t*>(data)[i]);
    case Physical::kInt32: return ValueView::of_integer(static_cast<const int32_t*>(data)[i]);
    case Physical::kUInt32: return ValueView::of_integer(static_cast<const uint32_t*>(data)[i]);
    case Physical::kInt64: return ValueView::of_integer(static_cast<const int64_t*>(data)[i]);
    case Physical::kInt128:
    case Physical::kUuid: return ValueView::of_wide(from_hugeint(static_cast<const duckdb::hugeint_t*>(data)[i]));
    case Physical::kFloat32: return ValueView::of_real(static_cast<const float*>(data)[i]);
    case Physical::kFloat64: return ValueView::of_real(static_cast<const double*>(data)[i]);
    case Physical::kInterval: {
      const auto& v = static_cast<const duckdb::interval_t*>(data)[i];
      return ValueView::of_interval({v.months, v.days, v.micros});
    }
    case Physical::kBytes: return ValueView::of_bytes(view_of(static_cast<const duckdb::string_t*>(data)[i]));
  }
  return {};
}

void store(duckdb::Vector& result, size_t i, const PhysicalType& physical, const ValueView& v) {
  using duckdb::FlatVector;
  switch (physical.kind) {
    case Physical::kBool: FlatVector::GetData<bool>(result)[i] = v.integer != 0; break;
    case Physical::kInt16: FlatVector::GetData<int16_t>(result)[i] = static_cast<int16_t>(v.integer); break;
    case Physical::kInt32: FlatVector::GetData<int32_t>(result)[i] = static_cast<int32_t>(v.integer); break;
    case Physical::kUInt32: FlatVector::GetData<uint32_t>(result)[i] = static_cast<uint32_t>(v.integer); break;
    case Physical::kInt64: FlatVector::GetData<int64_t>(result)[i] = v.integer; break;
    case Physical::kInt128:
    case Physical::kUuid: FlatVector::GetData<duckdb::hugeint_t>(result)[i] = to_hugeint(v.wide); break;
    case Physical::kFloat32: FlatVector::GetData<float>(result)[i] = static_cast<float>(v.real); break;
    case Physical::kFloat64: FlatVector::GetData<double>(result)[i] = v.real; break;
    case Physical::kInterval: {
      auto& out = FlatVector::GetData<duckdb::interval_t>(result)[i];
      out.months = v.interval.months;
      out.days = v.interval.days;
      out.micros = v.interval.micros;
      break;
    }
    case Physical::kBytes:
      FlatVector::GetData<duckdb::string_t>(result)[i] =
          duckdb::StringVector::AddStringOrBlob(result, v.bytes.data(), v.bytes.size());
      break;
  }
}

duckdb::LogicalType logical_type(Oid type) { return duck_type(type, types::physical_type(type, -1)); }

void RowSink::put(size_t index, size_t column, const ValueView& value) {
  if (index >= duckdb::ListVector::GetListCapacity(list_))
    duckdb::ListVector::Reserve(list_, std::max<size_t>(2 * index, 64));
  duckdb::Vector& child = duckdb::ListVector::GetEntry(list_);
  duckdb::Vector& target = columns_.size() > 1 ? *duckdb::StructVector::GetEntries(child)[column] : child;
  if (value.null)
    duckdb::FlatVector::SetNull(target, index, true);
  else
    store(target, index, columns_[column], value);
}

void RowSink::row(const std::vector<ValueView>& values) {
  for (size_t i = 0; i < values.size(); ++i) put(next_, i, values[i]);
  ++next_;
}

namespace {

/// What a bound row function needs: the parsed descriptors and the form of every value.
struct RowData : public duckdb::FunctionData {
  const RowSpec* spec = nullptr;
  const SetSpec* set = nullptr;
  std::vector<PhysicalType> columns;  // of a set
  std::vector<TypeArgument> types;
  std::vector<size_t> values;       // positions of arguments that are values
  std::vector<PhysicalType> forms;  // one a value
  PhysicalType result;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    auto copy = duckdb::make_uniq<RowData>();
    copy->spec = spec;
    copy->set = set;
    copy->columns = columns;
    copy->types = types;
    copy->values = values;
    copy->forms = forms;
    copy->result = result;
    return copy;
  }
  bool Equals(const duckdb::FunctionData& other_p) const override {
    const auto& other = other_p.Cast<RowData>();
    return spec == other.spec && set == other.set && types == other.types && forms == other.forms;
  }
};

/// The physical form that a DuckDB type has, for values without a descriptor.
PhysicalType form_of(const duckdb::LogicalType& type) {
  switch (type.InternalType()) {
    case duckdb::PhysicalType::BOOL: return {Physical::kBool};
    case duckdb::PhysicalType::INT16: return {Physical::kInt16};
    case duckdb::PhysicalType::INT32: return {Physical::kInt32};
    case duckdb::PhysicalType::UINT32: return {Physical::kUInt32};
    case duckdb::PhysicalType::INT64: return {Physical::kInt64};
    case duckdb::PhysicalType::INT128:
      return {type.id() == duckdb::LogicalTypeId::UUID ? Physical::kUuid : Physical::kInt128};
    case duckdb::PhysicalType::FLOAT: return {Physical::kFloat32};
    case duckdb::PhysicalType::DOUBLE: return {Physical::kFloat64};
    case duckdb::PhysicalType::INTERVAL: return {Physical::kInterval};
    default: return {Physical::kBytes};
  }
}

void bind_arguments(RowData* data, const std::vector<Oid>& declared, Oid tail, duckdb::ScalarFunction& function,
                    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const bool any_tail = !declared.empty() && declared.back() == kAnyTail;
  const size_t fixed = declared.size() - (any_tail ? 1 : 0);
  for (size_t i = 0; i < arguments.size(); ++i) {
    Oid kind = i < fixed ? declared[i] : any_tail ? ((i - fixed) % 2 == 0 ? kDescriptor : kAnyValue) : tail;
    if (kind == kDescriptor) {
      CHECK(arguments[i]->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONSTANT);
      data->types.push_back(
          TypeArgument::parse(duckdb::StringValue::Get(arguments[i]->Cast<duckdb::BoundConstantExpression>().value)));
      continue;
    }
    data->values.push_back(i);
    data->forms.push_back(kind == kAnyValue ? form_of(arguments[i]->return_type) : types::physical_type(kind, -1));
    if (kind == kAnyValue && i < function.arguments.size()) function.arguments[i] = arguments[i]->return_type;
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind_row(const RowSpec* spec, duckdb::ScalarFunction& function,
                                                  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto data = duckdb::make_uniq<RowData>();
  data->spec = spec;
  bind_arguments(data.get(), spec->arguments, spec->tail, function, arguments);
  if (spec->result == kDescribed) {
    const TypeArgument& t = data->types.at(0);
    data->result = t.physical;
    function.SetReturnType(duck_type(t.base, t.physical));
  } else {
    data->result = types::physical_type(spec->result, -1);
  }
  return data;
}

void run_row(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& function = state.expr.Cast<duckdb::BoundFunctionExpression>();
  const auto& data = function.bind_info->Cast<RowData>();
  const RowSpec& spec = *data.spec;
  const bool constant = spec.volatility != Volatility::kVolatile && args.AllConstant();
  const size_t count = constant ? 1 : args.size();
  const size_t value_count = data.values.size();
  std::vector<duckdb::UnifiedVectorFormat> formats(value_count);
  for (size_t a = 0; a < value_count; ++a) args.data[data.values[a]].ToUnifiedFormat(args.size(), formats[a]);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  std::vector<ValueView> values(value_count);
  RowCall call(state.HasContext() ? &state.GetContext() : nullptr, data.types);
  call.argument_count = value_count;
  for (size_t row = 0; row < count; ++row) {
    bool null = false;
    for (size_t a = 0; a < value_count; ++a) {
      const auto at = formats[a].sel->get_index(row);
      if (!formats[a].validity.RowIsValid(at)) {
        values[a] = ValueView();
        null = true;
      } else {
        values[a] = value_at(formats[a].data, at, data.forms[a]);
      }
    }
    ValueView out;
    if (!null || !spec.strict) out = spec.function(call, values.data());
    if (out.null) {
      duckdb::FlatVector::SetNull(result, row, true);
    } else {
      store(result, row, data.result, out);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

/// Types of a set's rows: the list's element.
duckdb::unique_ptr<duckdb::FunctionData> bind_set(const SetSpec* spec, duckdb::ScalarFunction& function,
                                                  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto data = duckdb::make_uniq<RowData>();
  data->set = spec;
  bind_arguments(data.get(), spec->arguments, kInvalidOid, function, arguments);
  duckdb::child_list_t<duckdb::LogicalType> fields;
  for (Oid column : spec->columns) {
    PhysicalType physical;
    duckdb::LogicalType type;
    if (column == kDescribed) {
      const TypeArgument& t = data->types.at(0);
      physical = t.physical;
      type = duck_type(t.base, t.physical);
    } else {
      physical = types::physical_type(column, -1);
      type = duck_type(column, physical);
    }
    data->columns.push_back(physical);
    fields.emplace_back("f" + std::to_string(fields.size() + 1), type);
  }
  function.SetReturnType(
      duckdb::LogicalType::LIST(fields.size() == 1 ? fields[0].second : duckdb::LogicalType::STRUCT(fields)));
  return data;
}

void run_set(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& function = state.expr.Cast<duckdb::BoundFunctionExpression>();
  const auto& data = function.bind_info->Cast<RowData>();
  const SetSpec& spec = *data.set;
  const bool constant = spec.volatility != Volatility::kVolatile && args.AllConstant();
  const size_t count = constant ? 1 : args.size();
  const size_t value_count = data.values.size();
  std::vector<duckdb::UnifiedVectorFormat> formats(value_count);
  for (size_t a = 0; a < value_count; ++a) args.data[data.values[a]].ToUnifiedFormat(args.size(), formats[a]);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  std::vector<ValueView> values(value_count);
  RowCall call(state.HasContext() ? &state.GetContext() : nullptr, data.types);
  call.argument_count = value_count;
  RowSink sink(result, data.columns);
  for (size_t row = 0; row < count; ++row) {
    bool null = false;
    for (size_t a = 0; a < value_count; ++a) {
      const auto at = formats[a].sel->get_index(row);
      const bool valid = formats[a].validity.RowIsValid(at);
      values[a] = valid ? value_at(formats[a].data, at, data.forms[a]) : ValueView();
      null = null || !valid;
    }
    const size_t first = sink.count();
    if (!null || !spec.strict)
      spec.function(call, values.data(), sink);
    else if (spec.null_list)
      duckdb::FlatVector::SetNull(result, row, true);
    auto& entry = duckdb::ListVector::GetData(result)[row];
    entry.offset = first;
    entry.length = sink.count() - first;
  }
  duckdb::ListVector::SetListSize(result, sink.count());
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

duckdb::FunctionStability stability_of(Volatility v) {
  switch (v) {
    case Volatility::kImmutable: return duckdb::FunctionStability::CONSISTENT;
    case Volatility::kStable: return duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY;
    case Volatility::kVolatile: return duckdb::FunctionStability::VOLATILE;
  }
  return duckdb::FunctionStability::VOLATILE;
}

/// DuckDB's function as a carrier of our spec: bind callbacks are plain pointers, so the spec travels in function_info.
struct RowInfo : public duckdb::ScalarFunctionInfo {
  explicit RowInfo(std::shared_ptr<RowSpec> s) : spec(std::move(s)) {}
  std::shared_ptr<RowSpec> spec;
};

struct SetInfo : public duckdb::ScalarFunctionInfo {
  explicit SetInfo(std::shared_ptr<SetSpec> s) : spec(std::move(s)) {}
  std::shared_ptr<SetSpec> spec;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_set_callback(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  return bind_set(function.GetExtraFunctionInfo().Cast<SetInfo>().spec.get(), function, arguments);
}

/// The DuckDB types of declared arguments, and their shape (OwnFunction).
duckdb::vector<duckdb::LogicalType> declared_types(const std::vector<Oid>& declared, std::string* shape,
                                                   duckdb::LogicalType* tail) {
  duckdb::vector<duckdb::LogicalType> arguments;
  for (size_t i = 0; i < declared.size(); ++i) {
    const Oid a = declared[i];
    if (a == kDescriptor) {
      arguments.push_back(duckdb::LogicalType::VARCHAR);
      *shape += i + 1 < declared.size() && declared[i + 1] == kAnyValue ? 'd' : 'r';
    } else if (a == kAnyTail) {
      *tail = duckdb::LogicalType::ANY;
      *shape += 't';
    } else {
      arguments.push_back(a == kAnyValue ? duckdb::LogicalType::ANY : logical_type(a));
      *shape += 'v';
    }
  }
  return arguments;
}

duckdb::unique_ptr<duckdb::FunctionData> bind_row_callback(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  return bind_row(function.GetExtraFunctionInfo().Cast<RowInfo>().spec.get(), function, arguments);
}

}  // namespace

std::optional<BoundRowFunction> bound_row_function(const duckdb::BoundFunctionExpression& call) {
  BoundRowFunction bound;
  if (const auto* data = dynamic_cast<const RowData*>(call.bind_info.get())) {
    if (data->spec == nullptr) return std::nullopt;
    bound.function = data->spec->function;
    bound.types = data->types;
    bound.values = data->values;
    bound.result = data->result.kind;
    bound.strict = data->spec->strict;
    bound.volatility = data->spec->volatility;
    return bound;
  }
  const auto& forms = Library::instance().row_forms;
  const auto form = forms.find(call.function.name);
  if (form == forms.end()) return std::nullopt;
  std::vector<duckdb::LogicalType> arguments;
  for (const auto& child : call.children) {
    bound.values.push_back(arguments.size());
    arguments.push_back(child->return_type);
  }
  bound.function = form->second(arguments, call.return_type);
  bound.result = form_of(call.return_type).kind;
  return bound.function ? std::optional(std::move(bound)) : std::nullopt;
}

void Library::scalar(const std::string& name, duckdb::ScalarFunction function, Volatility volatility) {
  const std::string full = "omen_" + name;
  function.name = full;
  function.SetStability(stability_of(volatility));
  function.SetFallible();
  auto it = scalars.find(full);
  if (it == scalars.end()) it = scalars.emplace(full, duckdb::ScalarFunctionSet(full)).first;
  it->second.AddFunction(std::move(function));
  own.emplace(name, OwnFunction{});
  auto entry = own.find(name);
  entry->second.name = entry->first;
}

void Library::row(RowSpec spec) {
  auto shared = std::make_shared<RowSpec>(std::move(spec));
  duckdb::LogicalType tail(duckdb::LogicalTypeId::INVALID);
  std::string shape;
  auto arguments = declared_types(shared->arguments, &shape, &tail);
  if (shared->tail == kAnyValue)
    tail = duckdb::LogicalType::ANY;
  else if (shared->tail != kInvalidOid)
    tail = logical_type(shared->tail);
  duckdb::ScalarFunction function(
      arguments, shared->result == kDescribed ? duckdb::LogicalType::ANY : logical_type(shared->result), run_row,
      bind_row_callback);
  function.varargs = tail;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  function.SetExtraFunctionInfo(duckdb::make_shared_ptr<RowInfo>(shared));
  scalar(shared->name, std::move(function), shared->volatility);
  auto entry = own.find(shared->name);
  entry->second.shape = shape;
}

void Library::set(SetSpec spec) {
  auto shared = std::make_shared<SetSpec>(std::move(spec));
  duckdb::LogicalType tail(duckdb::LogicalTypeId::INVALID);
  std::string shape;
  auto arguments = declared_types(shared->arguments, &shape, &tail);
  duckdb::ScalarFunction function(arguments, duckdb::LogicalType::LIST(duckdb::LogicalType::ANY), run_set,
                                  bind_set_callback);
  function.varargs = tail;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  function.SetExtraFunctionInfo(duckdb::make_shared_ptr<SetInfo>(shared));
  scalar(shared->name, std::move(function), shared->volatility);
  own.find(shared->name)->second.shape = shape;
}

void Library::aggregate(const std::string& name, duckdb::AggregateFunction function) {
  const std::string full = "omen_" + name;
  function.name = full;
  auto it = aggregates.find(full);
  if (it == aggregates.end()) it = aggregates.emplace(full, duckdb::AggregateFunctionSet(full)).first;
  it->second.AddFunction(std::move(function));
}

void add_bytea_functions(Library& library);          // bytea_functions.cc
void add_bit_functions(Library& library);            // bit_functions.cc
void add_money_functions(Library& library);          // money_functions.cc
void add_network_functions(Library& library);        // network_functions.cc
void add_geometry_functions(Library& library);       // geometry_functions.cc
void add_range_functions(Library& library);          // range_functions.cc
void add_json_populate_functions(Library& library);  // json_populate_functions.cc
void add_escape_functions(Library& library);         // escape_functions.cc
void add_encoding_functions(Library& library);       // encoding_functions.cc

Library::Library() {
  add_core_functions(*this);
  add_numeric_functions(*this);
  add_cast_functions(*this);
  add_text_functions(*this);
  add_bytea_functions(*this);
  add_bit_functions(*this);
  add_money_functions(*this);
  add_network_functions(*this);
  add_geometry_functions(*this);
  add_range_functions(*this);
  add_json_populate_functions(*this);
  add_escape_functions(*this);
  add_encoding_functions(*this);
  add_query_functions(*this);
  add_datetime_functions(*this);
  add_set_functions(*this);
  add_catalog_functions(*this);
  add_array_functions(*this);
  add_json_functions(*this);
  add_pattern_functions(*this);
  add_session_functions(*this);
  add_column_functions(*this);
  add_administration_functions(*this);
  add_aggregates(*this);
  add_statistics(*this);
}

const Library& Library::instance() {
  static const Library library;
  return library;
}

namespace {

/// Numerics and arrays lie as bytes that memcmp does not order: DuckDB's binder asks here before it compares, groups or sorts them.
bool push_key(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& source,
              const duckdb::LogicalType& type, duckdb::CollationType kind) {
  if (type.id() != duckdb::LogicalTypeId::BLOB || !type.HasAlias() || kind != duckdb::CollationType::ALL_COLLATIONS)
    return false;
  if (type.GetAlias() != duck_numeric_type().GetAlias()) return false;
  auto& entry = duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::ScalarFunctionCatalogEntry>(
      context, DEFAULT_SCHEMA, "omen_numeric_key");
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> children;
  children.push_back(std::move(source));
  duckdb::FunctionBinder binder(context);
  duckdb::ErrorData error;
  source = binder.BindScalarFunction(entry, std::move(children), error);
  return true;
}

}  // namespace
}  // namespace functions

void register_functions(duckdb::DatabaseInstance& db) {
  register_system_relations(db);
  auto& catalog = duckdb::Catalog::GetSystemCatalog(db);
  auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(db);
  for (const duckdb::LogicalType& type : {duck_numeric_type(), duck_array_type(), duck_record_type()}) {
    duckdb::CreateTypeInfo info(type.GetAlias(), type);
    info.internal = true;
    catalog.CreateType(transaction, info);
  }
  const auto& library = functions::Library::instance();
  for (const auto& [name, set] : library.scalars) {
    duckdb::CreateScalarFunctionInfo info(set);
    info.internal = true;
    catalog.CreateFunction(transaction, info);
  }
  for (const auto& [name, set] : library.aggregates) {
    duckdb::CreateAggregateFunctionInfo info(set);
    info.internal = true;
    catalog.CreateFunction(transaction, info);
  }
  duckdb::DBConfig::GetConfig(db).GetCollationBinding().RegisterCollation(
      duckdb::CollationCallback(functions::push_key));
}

const OwnFunction* find_own_function(std::string_view name) {
  const auto& own = functions::Library::instance().own;
  auto it = own.find(name);
  return it == own.end() ? nullptr : &it->second;
}

}  // namespace omendb::sql
