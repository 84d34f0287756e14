// Aggregates whose answers differ from DuckDB's: floats by PostgreSQL's recurrences with its overflow errors, exact numerics, and what
// has no counterpart.
#include <cmath>

#include "sql/functions/object_aggregates.h"
#include "types/numeric_sum.h"

namespace omendb::sql::functions {

using duckdb::AggregateFunction;
using duckdb::AggregateInputData;
using duckdb::LogicalType;
using duckdb::string_t;
using types::Numeric;
using types::ValueView;

namespace {

[[noreturn]] void float_overflow() {
  throw SqlError(SqlState::kNumericValueOutOfRange, "value out of range: overflow");
}

/// DuckDB's shape of an aggregate over one column, around a state with add(value), merge(other) and a result.
template <class State, class Input, class Output>
struct UnaryOperation {
  template <class S>
  static void Initialize(S& state) {
    new (&state) S();
  }
  template <class I, class S, class Op>
  static void Operation(S& state, const I& input, duckdb::AggregateUnaryInput&) {
    state.add(input);
  }
  template <class I, class S, class Op>
  static void ConstantOperation(S& state, const I& input, duckdb::AggregateUnaryInput&, duckdb::idx_t count) {
    for (duckdb::idx_t i = 0; i < count; ++i) state.add(input);
  }
  template <class S, class Op>
  static void Combine(const S& source, S& target, AggregateInputData&) {
    target.merge(source);
  }
  template <class T, class S>
  static void Finalize(S& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (!state.finish(target, data.result)) data.ReturnNull();
  }
  static bool IgnoreNull() { return true; }
};

template <class State, class Input, class Output>
AggregateFunction unary_aggregate(const LogicalType& input, const LogicalType& output) {
  auto f = AggregateFunction::UnaryAggregate<State, Input, Output, UnaryOperation<State, Input, Output>>(input, output);
  return f;
}

template <class State, class Input, class Output>
struct DestructibleOperation : UnaryOperation<State, Input, Output> {
  template <class S>
  static void Destroy(S& state, AggregateInputData&) {
    state.~S();
  }
};

template <class State, class Input, class Output>
AggregateFunction owning_aggregate(const LogicalType& input, const LogicalType& output) {
  return AggregateFunction::UnaryAggregateDestructor<State, Input, Output, DestructibleOperation<State, Input, Output>,
                                                     duckdb::AggregateDestructorType::LEGACY>(input, output);
}

// --- Floats ---

template <class T>
struct FloatSum {
  T sum = 0;
  bool any = false;
  void add(T v) {
    if (!any) {
      sum = v;
      any = true;
      return;
    }
    const T r = sum + v;
    if (std::isinf(r) && !std::isinf(sum) && !std::isinf(v)) float_overflow();
    sum = r;
  }
  void merge(const FloatSum& o) {
    if (o.any) add(o.sum);
  }
  bool finish(T& target, duckdb::Vector&) const {
    target = sum;
    return any;
  }
};

/// N, Sx and Sxx by Youngs and Cramer, as float8_accum and float8_combine keep them.
struct Moments {
  double n = 0, sx = 0, sxx = 0;
  void add(double v) {
    n += 1;
    const double before = sx;
    sx += v;
    if (n > 1) {
      const double t = v * n - sx;
      sxx += t * t / (n * (n - 1));
      if (std::isinf(sx) || std::isinf(sxx)) {
        if (!std::isinf(before) && !std::isinf(v)) float_overflow();
        sxx = std::nan("");
      }
    } else if (std::isnan(v) || std::isinf(v)) {
      sxx = std::nan("");
    }
  }
  void merge(const Moments& o) {
    if (o.n == 0) return;
    if (n == 0) {
      *this = o;
      return;
    }
    const double t = sx / n - o.sx / o.n;
    const double both = n + o.n;
    sxx += o.sxx + n * o.n * t * t / both;
    sx += o.sx;
    n = both;
  }
};

struct FloatAverage : Moments {
  bool finish(double& target, duckdb::Vector&) const {
    target = sx / n;
    return n > 0;
  }
};
template <bool Sample, bool Root>
struct FloatVariance : Moments {
  bool finish(double& target, duckdb::Vector&) const {
    if (n == 0 || (Sample && n <= 1)) return false;
    const double v = sxx / (Sample ? n - 1 : n);
    target = Root ? std::sqrt(v) : v;
    return true;
  }
};

// --- Exact numerics ---

struct NumericSum {
  Numeric* sum = nullptr;
  int64_t count = 0;
  NumericSum() = default;
  ~NumericSum() { delete sum; }
  void add_number(const Numeric& v) {
    if (sum == nullptr) {
      sum = new Numeric(v);
      return;
    }
    Numeric out;
    throw_if_error(types::numeric_add(*sum, v, &out));
    *sum = std::move(out);
  }
  void add(const string_t& s) {
    ++count;
    add_number(Numeric::from_bytes(view_of(s)));
  }
  void merge(const NumericSum& o) {
    if (o.sum == nullptr) return;
    count += o.count;
    add_number(*o.sum);
  }
  bool bytes(std::string* out) const {
    if (sum == nullptr) return false;
    *out = sum->to_bytes();
    return true;
  }
};

template <bool Sample, bool Root>
struct NumericVariance {
  types::NumericSum* sum = nullptr;
  ~NumericVariance() { delete sum; }
  void add(const string_t& s) {
    if (sum == nullptr) sum = new types::NumericSum(true);
    sum->add(Numeric::from_bytes(view_of(s)));
  }
  void merge(const NumericVariance& o) {
    if (o.sum == nullptr) return;
    if (sum == nullptr) sum = new types::NumericSum(true);
    sum->merge(*o.sum);
  }
  bool bytes(std::string* out) const {
    if (sum == nullptr) return false;
    bool null = false;
    Numeric result;
    throw_if_error(Root ? sum->stddev(Sample, &null, &result) : sum->variance(Sample, &null, &result));
    if (!null) *out = result.to_bytes();
    return !null;
  }
};

/// A state over numerics as DuckDB's UnaryOperation takes it.
template <class State>
struct Unary : State {
  bool finish(string_t& target, duckdb::Vector& result) const {
    std::string out;
    if (!State::bytes(&out)) return false;
    target = duckdb::StringVector::AddStringOrBlob(result, out.data(), out.size());
    return true;
  }
};

/// The same as an object, for its distinct twin.
template <class State>
struct Object : AggregateState {
  State state;
  void add(RowCall&, const ValueView* a) override {
    state.add(string_t(a[0].bytes.data(), static_cast<uint32_t>(a[0].bytes.size())));
  }
  void merge(const AggregateState& other) override { state.merge(static_cast<const Object&>(other).state); }
  ValueView finish(RowCall& call) override {
    std::string out;
    return state.bytes(&out) ? call.text(out) : null_value();
  }
};

template <class State>
void add_numeric(Library& library, const char* name) {
  library.aggregate(name, owning_aggregate<Unary<State>, string_t, string_t>(duck_numeric_type(), duck_numeric_type()));
  add_distinct_aggregate(library,
                         {name, {types::oid::kNumeric}, types::oid::kNumeric, []() -> std::unique_ptr<AggregateState> {
                            return std::make_unique<Object<State>>();
                          }});
}

// --- Quantified subqueries ---

/// x op ANY (SELECT ...): 1 (true) if any is, else 2 (unknown) if any is null, else 0 (false). ALL is the mirror. An integer, so that a
/// correlated subquery without rows, whose aggregate DuckDB makes null, can be told from an unknown one; omen_truth makes the boolean.
template <bool Any>
struct Quantifier {
  bool decided = false, unknown = false;
};

template <bool Any>
void quantifier_update(duckdb::Vector inputs[], AggregateInputData&, duckdb::idx_t, duckdb::Vector& states,
                       duckdb::idx_t count) {
  duckdb::UnifiedVectorFormat in, st;
  inputs[0].ToUnifiedFormat(count, in);
  states.ToUnifiedFormat(count, st);
  auto** state = reinterpret_cast<Quantifier<Any>**>(st.data);
  const auto* data = reinterpret_cast<const bool*>(in.data);
  for (duckdb::idx_t i = 0; i < count; ++i) {
    auto& s = *state[st.sel->get_index(i)];
    const auto at = in.sel->get_index(i);
    if (!in.validity.RowIsValid(at))
      s.unknown = true;
    else if (data[at] == Any)
      s.decided = true;
  }
}
template <bool Any>
void quantifier_simple_update(duckdb::Vector inputs[], AggregateInputData&, duckdb::idx_t, duckdb::data_ptr_t state,
                              duckdb::idx_t count) {
  duckdb::UnifiedVectorFormat in;
  inputs[0].ToUnifiedFormat(count, in);
  auto& s = *reinterpret_cast<Quantifier<Any>*>(state);
  const auto* data = reinterpret_cast<const bool*>(in.data);
  for (duckdb::idx_t i = 0; i < count; ++i) {
    const auto at = in.sel->get_index(i);
    if (!in.validity.RowIsValid(at))
      s.unknown = true;
    else if (data[at] == Any)
      s.decided = true;
  }
}
template <bool Any>
struct QuantifierOperation {
  template <class S>
  static void Initialize(S& state) {
    new (&state) S();
  }
  template <class S, class Op>
  static void Combine(const S& source, S& target, AggregateInputData&) {
    target.decided |= source.decided;
    target.unknown |= source.unknown;
  }
  template <class T, class S>
  static void Finalize(S& state, T& target, duckdb::AggregateFinalizeData&) {
    target = state.decided ? (Any ? 1 : 0) : state.unknown ? 2 : Any ? 0 : 1;
  }
};

template <bool Any>
AggregateFunction quantifier() {
  using S = Quantifier<Any>;
  using Op = QuantifierOperation<Any>;
  AggregateFunction f({LogicalType::BOOLEAN}, LogicalType::INTEGER, AggregateFunction::StateSize<S>,
                      AggregateFunction::StateInitialize<S, Op>, quantifier_update<Any>,
                      AggregateFunction::StateCombine<S, Op>, AggregateFunction::StateFinalize<S, int32_t, Op>,
                      duckdb::FunctionNullHandling::SPECIAL_HANDLING, quantifier_simple_update<Any>);
  return f;
}

}  // namespace

void add_aggregates(Library& library) {
  const LogicalType& d = LogicalType::DOUBLE;
  library.aggregate("sum_float4",
                    unary_aggregate<FloatSum<float>, float, float>(LogicalType::FLOAT, LogicalType::FLOAT));
  library.aggregate("sum_float8", unary_aggregate<FloatSum<double>, double, double>(d, d));
  library.aggregate("avg_float8", unary_aggregate<FloatAverage, double, double>(d, d));
  library.aggregate("var_samp_float8", unary_aggregate<FloatVariance<true, false>, double, double>(d, d));
  library.aggregate("var_pop_float8", unary_aggregate<FloatVariance<false, false>, double, double>(d, d));
  library.aggregate("stddev_samp_float8", unary_aggregate<FloatVariance<true, true>, double, double>(d, d));
  library.aggregate("stddev_pop_float8", unary_aggregate<FloatVariance<false, true>, double, double>(d, d));
  add_numeric<NumericSum>(library, "sum_numeric");
  add_numeric<NumericVariance<true, false>>(library, "var_samp_numeric");
  add_numeric<NumericVariance<false, false>>(library, "var_pop_numeric");
  add_numeric<NumericVariance<true, true>>(library, "stddev_samp_numeric");
  add_numeric<NumericVariance<false, true>>(library, "stddev_pop_numeric");
  library.aggregate("any_true", quantifier<true>());
  library.aggregate("all_true", quantifier<false>());
}

}  // namespace omendb::sql::functions
