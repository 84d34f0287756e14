#include "sql/functions/object_aggregates.h"

#include <cmath>

#include "duckdb/planner/expression/bound_constant_expression.hpp"

#include "types/array.h"
#include "types/datetime.h"

namespace omendb::sql::functions {

using duckdb::AggregateInputData;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;
using types::PhysicalType;
using types::ValueView;
namespace oid = types::oid;

namespace {

struct Slot {
  AggregateState* state = nullptr;
};

struct SpecInfo : public duckdb::AggregateFunctionInfo {
  std::shared_ptr<AggregateSpec> spec;
};

struct BoundAggregate : public duckdb::FunctionData {
  std::shared_ptr<AggregateSpec> spec;
  duckdb::ClientContext* context = nullptr;
  std::vector<TypeArgument> types;
  std::vector<size_t> values;
  std::vector<PhysicalType> forms;
  PhysicalType result;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<BoundAggregate>(*this); }
  bool Equals(const duckdb::FunctionData& other_p) const override {
    const auto& other = other_p.Cast<BoundAggregate>();
    return spec == other.spec && types == other.types;
  }
};

PhysicalType form_of(const LogicalType& type) {
  using duckdb::PhysicalType;
  switch (type.InternalType()) {
    case PhysicalType::BOOL: return {types::Physical::kBool};
    case PhysicalType::INT16: return {types::Physical::kInt16};
    case PhysicalType::INT32: return {types::Physical::kInt32};
    case PhysicalType::UINT32: return {types::Physical::kUInt32};
    case PhysicalType::INT64: return {types::Physical::kInt64};
    case PhysicalType::INT128:
      return {type.id() == duckdb::LogicalTypeId::UUID ? types::Physical::kUuid : types::Physical::kInt128};
    case PhysicalType::FLOAT: return {types::Physical::kFloat32};
    case PhysicalType::DOUBLE: return {types::Physical::kFloat64};
    case PhysicalType::INTERVAL: return {types::Physical::kInterval};
    default: return {types::Physical::kBytes};
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext& context, duckdb::AggregateFunction& function,
                                              duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto data = duckdb::make_uniq<BoundAggregate>();
  data->spec = function.function_info->Cast<SpecInfo>().spec;
  data->context = &context;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Oid kind = data->spec->arguments[i];
    if (kind == kDescriptor) {
      CHECK(arguments[i]->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONSTANT);
      data->types.push_back(
          TypeArgument::parse(duckdb::StringValue::Get(arguments[i]->Cast<duckdb::BoundConstantExpression>().value)));
      continue;
    }
    data->values.push_back(i);
    data->forms.push_back(kind == kAnyValue ? form_of(arguments[i]->return_type) : types::physical_type(kind, -1));
    if (kind == kAnyValue) function.arguments[i] = arguments[i]->return_type;
  }
  if (data->spec->result == kDescribed) {
    data->result = data->types.at(0).physical;
    function.SetReturnType(duck_type(data->types.at(0).base, data->result));
  } else {
    data->result = types::physical_type(data->spec->result, -1);
  }
  return data;
}

idx_t state_size(const duckdb::AggregateFunction&) { return sizeof(Slot); }
void initialize(const duckdb::AggregateFunction&, duckdb::data_ptr_t state) { new (state) Slot(); }

/// A key is made by create_sort_key: bytes, or a number if it is short.
std::string key_bytes(const ValueView& key, const PhysicalType& form) {
  if (form.kind == types::Physical::kBytes) return std::string(key.bytes);
  return std::string(reinterpret_cast<const char*>(&key.integer), sizeof(key.integer));
}

template <class SlotAt>
void update_rows(Vector inputs[], AggregateInputData& input, idx_t count, SlotAt slot_at) {
  const auto& data = input.bind_data->Cast<BoundAggregate>();
  const size_t n = data.values.size();
  const size_t keys = data.spec->distinct ? 1 : 0;
  std::vector<duckdb::UnifiedVectorFormat> formats(n);
  for (size_t a = 0; a < n; ++a) inputs[data.values[a]].ToUnifiedFormat(count, formats[a]);
  RowCall call(data.context, data.types);
  call.argument_count = n - keys;
  std::vector<ValueView> values(n);
  for (idx_t row = 0; row < count; ++row) {
    bool null = false;
    for (size_t a = 0; a < n; ++a) {
      const auto at = formats[a].sel->get_index(row);
      const bool valid = formats[a].validity.RowIsValid(at);
      values[a] = valid ? value_at(formats[a].data, at, data.forms[a]) : ValueView();
      null = null || !valid;
    }
    if (null && data.spec->strict) continue;
    Slot& slot = slot_at(row);
    if (slot.state == nullptr) slot.state = data.spec->make().release();
    if (data.spec->distinct) {
      std::string key = key_bytes(values[0], data.forms[0]);
      if (slot.state->last_key == key) continue;
      slot.state->last_key = std::move(key);
    }
    slot.state->add(call, values.data() + keys);
  }
}

void update(Vector inputs[], AggregateInputData& input, idx_t, Vector& states, idx_t count) {
  duckdb::UnifiedVectorFormat format;
  states.ToUnifiedFormat(count, format);
  auto** slots = reinterpret_cast<Slot**>(format.data);
  update_rows(inputs, input, count, [&](idx_t row) -> Slot& { return *slots[format.sel->get_index(row)]; });
}
void simple_update(Vector inputs[], AggregateInputData& input, idx_t, duckdb::data_ptr_t state, idx_t count) {
  auto& slot = *reinterpret_cast<Slot*>(state);
  update_rows(inputs, input, count, [&](idx_t) -> Slot& { return slot; });
}

void combine(Vector& sources, Vector& targets, AggregateInputData& input, idx_t count) {
  const auto& data = input.bind_data->Cast<BoundAggregate>();
  duckdb::UnifiedVectorFormat from, to;
  sources.ToUnifiedFormat(count, from);
  targets.ToUnifiedFormat(count, to);
  auto** source = reinterpret_cast<Slot**>(from.data);
  auto** target = reinterpret_cast<Slot**>(to.data);
  for (idx_t i = 0; i < count; ++i) {
    const Slot& s = *source[from.sel->get_index(i)];
    Slot& t = *target[to.sel->get_index(i)];
    if (s.state == nullptr) continue;
    // The source is kept as it was: window segment trees combine it again.
    if (t.state == nullptr) t.state = data.spec->make().release();
    t.state->merge(*s.state);
  }
}

void finalize(Vector& states, AggregateInputData& input, Vector& result, idx_t count, idx_t offset) {
  const auto& data = input.bind_data->Cast<BoundAggregate>();
  duckdb::UnifiedVectorFormat format;
  states.ToUnifiedFormat(count, format);
  auto** slots = reinterpret_cast<Slot**>(format.data);
  RowCall call(data.context, data.types);
  const bool constant = states.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t i = 0; i < (constant ? 1 : count); ++i) {
    Slot& slot = *slots[format.sel->get_index(i)];
    ValueView value;
    if (slot.state != nullptr) {
      value = slot.state->finish(call);
    } else if (!data.spec->empty_is_null) {
      value = data.spec->make()->finish(call);
    }
    if (value.null)
      duckdb::FlatVector::SetNull(result, i + offset, true);
    else
      store(result, i + offset, data.result, value);
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void destroy(Vector& states, AggregateInputData&, idx_t count) {
  duckdb::UnifiedVectorFormat format;
  states.ToUnifiedFormat(count, format);
  auto** slots = reinterpret_cast<Slot**>(format.data);
  for (idx_t i = 0; i < count; ++i) {
    Slot& slot = *slots[format.sel->get_index(i)];
    delete slot.state;
    slot.state = nullptr;
  }
}

// --- string_agg ---

template <bool Bytes>
struct StringAggregate : AggregateState {
  std::string text, first_delimiter;
  bool any = false;
  void add(RowCall&, const ValueView* a) override {
    if (a[0].null) return;
    if (any) {
      if (!a[1].null) text += a[1].bytes;
    } else if (!a[1].null) {
      first_delimiter = a[1].bytes;
    }
    any = true;
    text += a[0].bytes;
  }
  void merge(const AggregateState& other_p) override {
    const auto& other = static_cast<const StringAggregate&>(other_p);
    if (!other.any) return;
    if (any)
      text += other.first_delimiter;
    else
      first_delimiter = other.first_delimiter;
    any = true;
    text += other.text;
  }
  ValueView finish(RowCall& call) override { return any ? call.text(text) : null_value(); }
};

// --- Intervals ---

template <bool Average>
struct IntervalAggregate : AggregateState {
  types::Interval sum{};
  int64_t count = 0;
  void add_interval(const types::Interval& i) {
    types::Interval out;
    throw_if_error(types::interval_add(sum, i, &out));
    sum = out;
  }
  void add(RowCall&, const ValueView* a) override {
    add_interval(a[0].interval);
    ++count;
  }
  void merge(const AggregateState& other_p) override {
    const auto& other = static_cast<const IntervalAggregate&>(other_p);
    add_interval(other.sum);
    count += other.count;
  }
  ValueView finish(RowCall&) override {
    if (count == 0) return null_value();
    if (!Average) return ValueView::of_interval(sum);
    types::Interval out;
    throw_if_error(types::interval_average(sum, count, &out));
    return ValueView::of_interval(out);
  }
};

// --- Regression: float8_regr_accum and float8_regr_combine ---

struct Regression : AggregateState {
  double n = 0, sx = 0, sxx = 0, sy = 0, syy = 0, sxy = 0;
  void add(RowCall&, const ValueView* a) override {
    const double y = a[0].real, x = a[1].real;
    const double sx0 = sx, sy0 = sy;
    n += 1;
    sx += x;
    sy += y;
    if (n > 1) {
      const double tx = x * n - sx, ty = y * n - sy, scale = 1.0 / (n * (n - 1));
      sxx += tx * tx * scale;
      syy += ty * ty * scale;
      sxy += tx * ty * scale;
      if (std::isinf(sx) || std::isinf(sxx) || std::isinf(sy) || std::isinf(syy) || std::isinf(sxy)) {
        if (((std::isinf(sx) || std::isinf(sxx)) && !std::isinf(sx0) && !std::isinf(x)) ||
            ((std::isinf(sy) || std::isinf(syy)) && !std::isinf(sy0) && !std::isinf(y)) ||
            (std::isinf(sxy) && !std::isinf(sx0) && !std::isinf(x) && !std::isinf(sy0) && !std::isinf(y))) {
          throw SqlError(SqlState::kNumericValueOutOfRange, "value out of range: overflow");
        }
        if (std::isinf(sxx)) sxx = std::nan("");
        if (std::isinf(syy)) syy = std::nan("");
        if (std::isinf(sxy)) sxy = std::nan("");
      }
    } else {
      if (std::isnan(x) || std::isinf(x)) sxx = sxy = std::nan("");
      if (std::isnan(y) || std::isinf(y)) syy = sxy = std::nan("");
    }
  }
  void merge(const AggregateState& other_p) override {
    const auto& o = static_cast<const Regression&>(other_p);
    if (o.n == 0) return;
    if (n == 0) {
      n = o.n, sx = o.sx, sxx = o.sxx, sy = o.sy, syy = o.syy, sxy = o.sxy;
      return;
    }
    const double both = n + o.n, tx = sx / n - o.sx / o.n, ty = sy / n - o.sy / o.n;
    sxx += o.sxx + n * o.n * tx * tx / both;
    syy += o.syy + n * o.n * ty * ty / both;
    sxy += o.sxy + n * o.n * tx * ty / both;
    sx += o.sx;
    sy += o.sy;
    n = both;
  }
};

template <ValueView (*Result)(const Regression&)>
struct RegressionOf : Regression {
  ValueView finish(RowCall&) override { return Result(*this); }
};

template <ValueView (*Result)(const Regression&)>
void add_regression(Library& library, const char* name, Oid result = oid::kFloat8, bool empty_is_null = true) {
  add_aggregate(library, {name,
                          {oid::kFloat8, oid::kFloat8},
                          result,
                          []() -> std::unique_ptr<AggregateState> { return std::make_unique<RegressionOf<Result>>(); },
                          true,
                          empty_is_null});
}

ValueView regression_count(const Regression& r) { return int_value(static_cast<int64_t>(r.n)); }
ValueView regression_sxx(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.sxx); }
ValueView regression_syy(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.syy); }
ValueView regression_sxy(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.sxy); }
ValueView regression_avgx(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.sx / r.n); }
ValueView regression_avgy(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.sy / r.n); }
ValueView regression_r2(const Regression& r) {
  if (r.n < 1 || r.sxx == 0) return null_value();
  if (r.syy == 0) return real_value(1.0);
  return real_value((r.sxy * r.sxy) / (r.sxx * r.syy));
}
ValueView regression_slope(const Regression& r) {
  return r.n < 1 || r.sxx == 0 ? null_value() : real_value(r.sxy / r.sxx);
}
ValueView regression_intercept(const Regression& r) {
  return r.n < 1 || r.sxx == 0 ? null_value() : real_value((r.sy - r.sx * r.sxy / r.sxx) / r.n);
}
ValueView correlation(const Regression& r) {
  return r.n < 1 || r.sxx == 0 || r.syy == 0 ? null_value() : real_value(r.sxy / std::sqrt(r.sxx * r.syy));
}
ValueView covariance_population(const Regression& r) { return r.n < 1 ? null_value() : real_value(r.sxy / r.n); }
ValueView covariance_sample(const Regression& r) { return r.n < 2 ? null_value() : real_value(r.sxy / (r.n - 1)); }

template <class State>
std::unique_ptr<AggregateState> make_state() {
  return std::make_unique<State>();
}

}  // namespace

namespace {

void add(Library& library, AggregateSpec spec) {
  auto shared = std::make_shared<AggregateSpec>(std::move(spec));
  duckdb::vector<LogicalType> arguments;
  for (Oid a : shared->arguments) {
    arguments.push_back(a == kDescriptor ? LogicalType(LogicalType::VARCHAR)
                        : a == kAnyValue ? LogicalType(LogicalType::ANY)
                                         : logical_type(a));
  }
  duckdb::AggregateFunction function(
      arguments, shared->result == kDescribed ? LogicalType(LogicalType::ANY) : logical_type(shared->result),
      state_size, initialize, update, combine, finalize, duckdb::FunctionNullHandling::SPECIAL_HANDLING, simple_update,
      bind, destroy);
  auto info = duckdb::make_shared_ptr<SpecInfo>();
  info->spec = shared;
  function.function_info = info;
  library.aggregate(shared->name, std::move(function));
}

}  // namespace

void add_distinct_aggregate(Library& library, AggregateSpec spec) {
  spec.name = "distinct_" + spec.name;
  spec.arguments.insert(spec.arguments.begin(), kAnyValue);
  spec.distinct = true;
  add(library, std::move(spec));
}

void add_aggregate(Library& library, AggregateSpec spec) {
  add_distinct_aggregate(library, spec);
  add(library, std::move(spec));
}

void add_statistics(Library& library) {
  add_aggregate(library,
                {"string_agg", {oid::kText, oid::kText}, oid::kText, make_state<StringAggregate<false>>, false});
  add_aggregate(library,
                {"bytea_agg", {oid::kBytea, oid::kBytea}, oid::kBytea, make_state<StringAggregate<true>>, false});
  add_aggregate(library, {"sum_interval", {oid::kInterval}, oid::kInterval, make_state<IntervalAggregate<false>>});
  add_aggregate(library, {"avg_interval", {oid::kInterval}, oid::kInterval, make_state<IntervalAggregate<true>>});
  add_regression<regression_count>(library, "regr_count", oid::kInt8, false);
  add_regression<regression_sxx>(library, "regr_sxx");
  add_regression<regression_syy>(library, "regr_syy");
  add_regression<regression_sxy>(library, "regr_sxy");
  add_regression<regression_avgx>(library, "regr_avgx");
  add_regression<regression_avgy>(library, "regr_avgy");
  add_regression<regression_r2>(library, "regr_r2");
  add_regression<regression_slope>(library, "regr_slope");
  add_regression<regression_intercept>(library, "regr_intercept");
  add_regression<correlation>(library, "corr");
  add_regression<covariance_population>(library, "covar_pop");
  add_regression<covariance_sample>(library, "covar_samp");

  // Arguments of window functions and ordered-set aggregates.
  library.row({"ntile_argument", {oid::kInt4}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 if (a[0].integer <= 0)
                   throw SqlError(SqlState::kInvalidArgumentForNtile, "argument of ntile must be greater than zero");
                 return a[0];
               }});
  // ntile whose argument is no constant: the row's number, the rows of the partition, the first row's argument.
  library.row({"ntile_of", {oid::kInt8, oid::kInt8, oid::kInt8}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const int64_t row = a[0].integer, each = a[1].integer / a[2].integer,
                               larger = a[1].integer % a[2].integer;
                 if (row <= larger * (each + 1)) return int_value((row - 1) / (each + 1) + 1);
                 return int_value(larger + (row - larger * (each + 1) - 1) / each + 1);
               }});
  library.row({"nth_argument", {oid::kInt8}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 if (a[0].integer <= 0)
                   throw SqlError(SqlState::kInvalidArgumentForNthValue,
                                  "argument of nth_value must be greater than zero");
                 return a[0];
               }});
  auto fraction = [](double p) {
    if (p < 0 || p > 1 || std::isnan(p)) {
      char text[64];
      std::snprintf(text, sizeof(text), "percentile value %g is not between 0 and 1", p);
      throw SqlError(SqlState::kNumericValueOutOfRange, text);
    }
  };
  library.row({"percentile_index", {oid::kInt8, oid::kFloat8}, oid::kInt8, [fraction](RowCall&, const ValueView* a) {
                 fraction(a[1].real);
                 return int_value(std::max<int64_t>(
                     static_cast<int64_t>(std::ceil(a[1].real * static_cast<double>(a[0].integer))), 1));
               }});
  // Percentiles over a sorted array: several at once, and those between two intervals.
  const Oid array{1009}, fractions{1022};
  auto several = [fraction](RowCall& call, const ValueView* a, const types::PhysicalType& physical, auto one) {
    const types::ArrayView wanted(a[1].bytes);
    types::ArrayBuilder result(call.types[0].element, physical);
    std::vector<int32_t> lengths, lowers;
    for (int d = 0; d < wanted.dimensions(); ++d) {
      lengths.push_back(wanted.length(d));
      lowers.push_back(wanted.lower(d));
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted.is_null(i)) {
        result.add_null();
        continue;
      }
      fraction(wanted.at(i).real);
      one(wanted.at(i).real, &result);
    }
    result.set_dimensions(lengths, lowers);
    return call.text(result.finish());
  };
  auto between = [](const types::ArrayView& sorted, double p) {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<size_t>(std::floor(place)), high = static_cast<size_t>(std::ceil(place));
    types::Value value;
    const ValueView a = sorted.at(low), b = sorted.at(high);
    const double part = place - static_cast<double>(low);
    if (low == high) return types::Value(a);
    if (sorted.physical().kind != types::Physical::kInterval)
      return types::Value(real_value(a.real + part * (b.real - a.real)));
    types::Interval step;
    throw_if_error(types::interval_sub(b.interval, a.interval, &step));
    throw_if_error(types::interval_multiply(step, part, &step));
    throw_if_error(types::interval_add(step, a.interval, &step));
    return types::Value(ValueView::of_interval(step));
  };
  library.row(
      {"percentile_disc_array", {kDescriptor, array, fractions}, array, [several](RowCall& call, const ValueView* a) {
         const types::ArrayView sorted(a[0].bytes);
         return several(call, a, sorted.physical(), [&](double p, types::ArrayBuilder* result) {
           result->add(sorted.at(
               std::max<size_t>(static_cast<size_t>(std::ceil(p * static_cast<double>(sorted.size()))), 1) - 1));
         });
       }});
  library.row({"percentile_cont_array",
               {kDescriptor, array, fractions},
               array,
               [several, between](RowCall& call, const ValueView* a) {
                 const types::ArrayView sorted(a[0].bytes);
                 return several(call, a, sorted.physical(),
                                [&](double p, types::ArrayBuilder* result) { result->add(between(sorted, p).view()); });
               }});
  library.row({"percentile_cont_interval",
               {array, oid::kFloat8},
               oid::kInterval,
               [fraction, between](RowCall& call, const ValueView* a) {
                 fraction(a[1].real);
                 call.value = between(types::ArrayView(a[0].bytes), a[1].real);
                 return call.value.view();
               }});
  // The most frequent of a sorted list, by the keys beside it; of several, the first.
  duckdb::ScalarFunction mode(
      {LogicalType::LIST(LogicalType::ANY), LogicalType::LIST(LogicalType::ANY)}, LogicalType::ANY,
      [](duckdb::DataChunk& args, duckdb::ExpressionState&, Vector& result) {
        result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
        for (idx_t row = 0; row < args.size(); ++row) {
          const duckdb::Value list = args.data[0].GetValue(row), key_list = args.data[1].GetValue(row);
          duckdb::Value best(result.GetType());
          size_t best_count = 0;
          if (!list.IsNull()) {
            const auto &items = duckdb::ListValue::GetChildren(list), &keys = duckdb::ListValue::GetChildren(key_list);
            for (size_t i = 0; i < items.size();) {
              size_t j = i + 1;
              while (j < items.size() && duckdb::Value::NotDistinctFrom(keys[i], keys[j])) ++j;
              if (j - i > best_count) {
                best = items[i];
                best_count = j - i;
              }
              i = j;
            }
          }
          result.SetValue(row, best);
        }
      },
      [](duckdb::ClientContext&, duckdb::ScalarFunction& f,
         duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments)
          -> duckdb::unique_ptr<duckdb::FunctionData> {
        for (size_t i = 0; i < arguments.size(); ++i) f.arguments[i] = arguments[i]->return_type;
        f.SetReturnType(duckdb::ListType::GetChildType(arguments[0]->return_type));
        return nullptr;
      });
  library.scalar("list_mode", std::move(mode));
  library.scalar("percentile_cont",
                 duckdb::ScalarFunction(
                     {LogicalType::LIST(LogicalType::DOUBLE), LogicalType::DOUBLE}, LogicalType::DOUBLE,
                     [fraction](duckdb::DataChunk& args, duckdb::ExpressionState&, Vector& result) {
                       auto& child = duckdb::ListVector::GetEntry(args.data[0]);
                       duckdb::UnifiedVectorFormat elements;
                       child.ToUnifiedFormat(duckdb::ListVector::GetListSize(args.data[0]), elements);
                       const auto* data = reinterpret_cast<const double*>(elements.data);
                       auto at = [&](idx_t i) { return data[elements.sel->get_index(i)]; };
                       duckdb::BinaryExecutor::Execute<duckdb::list_entry_t, double, double>(
                           args.data[0], args.data[1], result, args.size(), [&](duckdb::list_entry_t list, double p) {
                             fraction(p);
                             const double place = p * static_cast<double>(list.length - 1);
                             const auto low = static_cast<idx_t>(std::floor(place)),
                                        high = static_cast<idx_t>(std::ceil(place));
                             const double a = at(list.offset + low);
                             if (low == high) return a;
                             return a + (place - static_cast<double>(low)) * (at(list.offset + high) - a);
                           });
                     }));
}

}  // namespace omendb::sql::functions
