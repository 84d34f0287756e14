// Aggregates and window functions. An aggregate may be made of several DuckDB aggregates under an expression (avg is a sum, a count
// and one division), each with the same FILTER, DISTINCT and OVER.
#include <algorithm>
#include <unordered_map>

#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/window_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;
using types::PhysicalType;

namespace {

duckdb::vector<duckdb::OrderByNode> copy_orders(const duckdb::vector<duckdb::OrderByNode>& orders) {
  duckdb::vector<duckdb::OrderByNode> result;
  for (const auto& o : orders) result.emplace_back(o.type, o.null_order, o.expression->Copy());
  return result;
}

void set_frame(duckdb::WindowExpression& w, const AggregateCall::Window& window) {
  for (const auto& p : window.partitions) w.partitions.push_back(p->Copy());
  w.orders = copy_orders(window.orders);
  w.start = static_cast<duckdb::WindowBoundary>(window.start);
  w.end = static_cast<duckdb::WindowBoundary>(window.end);
  w.exclude_clause = static_cast<duckdb::WindowExcludeMode>(window.exclude);
  if (window.start_offset) w.start_expr = window.start_offset->Copy();
  if (window.end_offset) w.end_expr = window.end_offset->Copy();
}

constexpr std::string_view kOwn = "omen_";

/// What tells the arguments of a DISTINCT aggregate apart where their bytes do not; null: the bytes do. DuckDB does not see that a subquery
/// it orders by is the argument, and refuses that, so where the order counts such an argument has a key too.
DuckExpr distinct_key(const AggregateCall& agg, bool ordered) {
  const auto& args = agg.call.args;
  const bool wanted = std::any_of(args.begin(), args.end(),
                                  [&](const TypedExpr& a) {
                                    return needs_sort_key(base_type_of(agg.call.statement(), a.type), a.physical);
                                  }) ||
                      (ordered && std::any_of(agg.orders.begin(), agg.orders.end(),
                                              [](const auto& o) { return o.expression->HasSubquery(); }));
  if (!agg.distinct || !wanted || agg.orders.empty()) return nullptr;
  std::vector<DuckExpr> parts;
  for (const auto& order : agg.orders) {
    parts.push_back(DuckExpr(order.expression->Copy().release()));
    parts.push_back(make_text("ASC NULLS LAST"));
  }
  return make_function("create_sort_key", std::move(parts));
}

/// One DuckDB aggregate with the call's DISTINCT, FILTER, ORDER BY and OVER.
DuckExpr aggregate(AggregateCall& agg, std::string name, std::vector<DuckExpr> arguments, bool ordered = false,
                   DuckExpr extra_filter = nullptr) {
  bool distinct = agg.distinct;
  if (name.starts_with(kOwn)) {
    if (DuckExpr key = distinct_key(agg, ordered)) {
      name.insert(kOwn.size(), "distinct_");
      arguments.insert(arguments.begin(), std::move(key));
      ordered = true;
      distinct = false;
    }
  }
  DuckExpr filter = agg.filter ? copy_of(agg.filter) : nullptr;
  if (extra_filter) filter = filter ? make_and(std::move(filter), std::move(extra_filter)) : std::move(extra_filter);
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
  for (auto& a : arguments) children.push_back(duck_ptr(std::move(a)));
  if (agg.window != nullptr) {
    auto w = std::make_unique<duckdb::WindowExpression>(duckdb::ExpressionType::WINDOW_AGGREGATE, "", "", name);
    w->children = std::move(children);
    w->distinct = distinct;
    if (filter) w->filter_expr = duck_ptr(std::move(filter));
    set_frame(*w, *agg.window);
    return w;
  }
  auto f = std::make_unique<duckdb::FunctionExpression>(name, std::move(children));
  f->distinct = distinct;
  if (filter) f->filter = duck_ptr(std::move(filter));
  f->order_bys = duckdb::make_uniq<duckdb::OrderModifier>();
  if (ordered) f->order_bys->orders = copy_orders(agg.orders);
  return f;
}

template <class... Args>
DuckExpr aggregate_of(AggregateCall& agg, const std::string& name, Args... arguments) {
  std::vector<DuckExpr> list;
  (list.push_back(std::move(arguments)), ...);
  return aggregate(agg, name, std::move(list));
}

TypedExpr result_of(AggregateCall& agg, DuckExpr duck, const PhysicalType& physical) {
  TypedExpr e = typed(std::move(duck), agg.call.result, physical, {}, agg.call.location);
  return e;
}
TypedExpr result_of(AggregateCall& agg, DuckExpr duck) {
  return result_of(agg, std::move(duck), physical_of(agg.call.statement(), agg.call.result, -1));
}

const LogicalType& wide_integer() {
  static const LogicalType type = LogicalType::DECIMAL(38, 0);
  return type;
}

/// The sum of a numeric argument, as a decimal when it is one.
TypedExpr numeric_sum(AggregateCall& agg, const TypedExpr& arg) {
  if (arg.as_decimal && !agg.distinct) {
    DuckExpr sum = aggregate_of(agg, "sum", copy_of(arg.as_decimal));
    DuckExpr scale = aggregate_of(agg, "max", copy_of(arg.display_scale));
    return result_of(agg, make_call("omen_numeric_rescale", std::move(sum), std::move(scale)), {Physical::kBytes});
  }
  if (arg.physical.is_decimal()) {
    return result_of(agg, aggregate_of(agg, "sum", copy_of(arg.duck)), decimal_form(38, arg.physical.scale));
  }
  return result_of(agg, aggregate_of(agg, "omen_sum_numeric", copy_of(arg.duck)), {Physical::kBytes});
}

TypedExpr emit_sum(AggregateCall& agg) {
  TypedExpr& arg = agg.call.args[0];
  switch (arg.type.value) {
    case 21:
    case 23:
    case 790: return result_of(agg, make_cast(aggregate_of(agg, "sum", std::move(arg.duck)), LogicalType::BIGINT));
    case 20:
      return result_of(agg, make_cast(aggregate_of(agg, "sum", std::move(arg.duck)), wide_integer()),
                       decimal_form(38, 0));
    case 700: return result_of(agg, aggregate_of(agg, "omen_sum_float4", std::move(arg.duck)));
    case 701: return result_of(agg, aggregate_of(agg, "omen_sum_float8", std::move(arg.duck)));
    case 1700: return numeric_sum(agg, arg);
    case 1186: return result_of(agg, aggregate_of(agg, "omen_sum_interval", std::move(arg.duck)));
    default: not_supported("sum(" + type_name(agg.call.statement(), arg.type) + ")", agg.call.location);
  }
}

TypedExpr emit_avg(AggregateCall& agg) {
  TypedExpr& arg = agg.call.args[0];
  switch (arg.type.value) {
    case 21:
    case 23:
    case 20: {
      DuckExpr count = aggregate_of(agg, "count", copy_of(arg.duck));
      DuckExpr sum = make_cast(aggregate_of(agg, "sum", std::move(arg.duck)), wide_integer());
      return result_of(agg, make_call("omen_numeric_avg", make_call("omen_numeric", std::move(sum)), std::move(count)));
    }
    case 1700: {
      DuckExpr counted = arg.as_decimal ? copy_of(arg.as_decimal)
                         : agg.distinct ? sort_key(arg.type, arg.physical, copy_of(arg.duck))
                                        : copy_of(arg.duck);
      DuckExpr count = aggregate_of(agg, "count", std::move(counted));
      TypedExpr sum = to_plain(agg.call.scope, numeric_sum(agg, arg));
      return result_of(agg, make_call("omen_numeric_avg", std::move(sum.duck), std::move(count)), {Physical::kBytes});
    }
    case 700:
      return result_of(agg, aggregate_of(agg, "omen_avg_float8", make_cast(std::move(arg.duck), LogicalType::DOUBLE)));
    case 701: return result_of(agg, aggregate_of(agg, "omen_avg_float8", std::move(arg.duck)));
    case 1186: return result_of(agg, aggregate_of(agg, "omen_avg_interval", std::move(arg.duck)));
    default: not_supported("avg(" + type_name(agg.call.statement(), arg.type) + ")", agg.call.location);
  }
}

TypedExpr emit_min_max(AggregateCall& agg) {
  const bool max = agg.call.proc.name == "max";
  TypedExpr& arg = agg.call.args[0];
  PhysicalType physical = arg.physical;
  const Oid base = base_type_of(agg.call.statement(), arg.type);
  DuckExpr duck;
  if (needs_sort_key(base, physical)) {
    DuckExpr key = sort_key(base, physical, copy_of(arg.duck));
    duck = aggregate_of(agg, max ? "arg_max" : "arg_min", std::move(arg.duck), std::move(key));
  } else {
    duck = aggregate_of(agg, max ? "max" : "min", std::move(arg.duck));
  }
  return result_of(agg, std::move(duck), physical);
}

TypedExpr emit_count(AggregateCall& agg) {
  if (agg.star) return result_of(agg, aggregate(agg, "count_star", {}));
  TypedExpr& arg = agg.call.args[0];
  DuckExpr value = agg.distinct
                       ? sort_key(base_type_of(agg.call.statement(), arg.type), arg.physical, std::move(arg.duck))
                       : std::move(arg.duck);
  return result_of(agg, aggregate_of(agg, "count", std::move(value)));
}

TypedExpr native(AggregateCall& agg, const char* name) {
  if (agg.call.result == oid::kBit) not_supported(std::string(name) + "(bit)", agg.call.location);
  return result_of(agg, aggregate(agg, name, agg.call.take_args()));
}

/// Variances: of integers and numerics exact, of floats by PostgreSQL's own recurrence.
TypedExpr emit_variance(AggregateCall& agg) {
  std::string name(agg.call.proc.name);
  if (name == "stddev") name = "stddev_samp";
  if (name == "variance") name = "var_samp";
  TypedExpr& arg = agg.call.args[0];
  if (arg.type == oid::kFloat4 || arg.type == oid::kFloat8) {
    return result_of(
        agg, aggregate_of(agg, "omen_" + name + "_float8", make_cast(std::move(arg.duck), LogicalType::DOUBLE)));
  }
  if (arg.type == oid::kInt2 || arg.type == oid::kInt4 || arg.type == oid::kInt8) {
    arg.duck = make_cast(std::move(arg.duck), LogicalType::DECIMAL(19, 0));
    arg.physical = decimal_form(19, 0);
  }
  return result_of(
      agg, aggregate_of(agg, "omen_" + name + "_numeric", std::move(to_plain(agg.call.scope, std::move(arg)).duck)));
}

TypedExpr emit_two_argument_statistic(AggregateCall& agg) {
  if (agg.call.proc.name == "regr_count" && !agg.distinct) {
    // A count to DuckDB as well, which knows that a correlated subquery's count of no rows is 0.
    const auto& args = agg.call.args;
    DuckExpr both = make_and(make_is_null(copy_of(args[0].duck), true), make_is_null(copy_of(args[1].duck), true));
    return result_of(agg, aggregate(agg, "count_star", {}, false, std::move(both)));
  }
  return result_of(agg, aggregate(agg, "omen_" + std::string(agg.call.proc.name), agg.call.take_args()));
}

TypedExpr emit_string_agg(AggregateCall& agg) {
  const bool bytes = agg.call.result == oid::kBytea;
  return result_of(agg, aggregate(agg, bytes ? "omen_bytea_agg" : "omen_string_agg", agg.call.take_args(), true));
}

TypedExpr emit_array_agg(AggregateCall& agg) {
  TypedExpr value = to_plain(agg.call.scope, std::move(agg.call.args[0]));
  if (base_type_of(agg.call.statement(), value.type) == oid::kBpchar) {
    value.duck = bpchar_padded(value);
    value.physical = agg.call.args[0].physical = element_physical(agg.call.statement(), value.type);
  }
  std::vector<DuckExpr> args;
  args.push_back(make_text(type_descriptor(agg.call.statement(), agg.call.result, {Physical::kBytes})));
  args.push_back(make_descriptor(agg.call.statement(), value));
  args.push_back(std::move(value.duck));
  return result_of(agg, aggregate(agg, "omen_array_agg", std::move(args), true));
}

/// range_agg and range_intersect_agg, of ranges or of multiranges.
TypedExpr emit_range_agg(AggregateCall& agg) {
  const bool multi = type_kind(agg.call.statement(), base_type_of(agg.call.statement(), agg.call.args[0].type)) == 'm';
  return result_of(agg, aggregate(agg, std::string("omen_") + (multi ? "multi" : "") + std::string(agg.call.proc.name),
                                  agg.call.take_args()));
}

TypedExpr emit_json_agg(AggregateCall& agg) {
  std::vector<DuckExpr> args;
  for (auto& a : agg.call.args) {
    TypedExpr value = to_plain(agg.call.scope, std::move(a));
    args.push_back(make_descriptor(agg.call.statement(), value));
    args.push_back(std::move(value.duck));
  }
  return result_of(agg, aggregate(agg, "omen_" + std::string(agg.call.proc.name), std::move(args), true));
}

/// Ordered-set aggregates over the sorted list of values: list(x ORDER BY ...) FILTER (x IS NOT NULL).
TypedExpr emit_ordered_set(AggregateCall& agg) {
  const std::string name(agg.call.proc.name);
  std::vector<TypedExpr>& args = agg.call.args;
  const bool has_fraction = name != "mode";
  TypedExpr value = args[has_fraction ? 1 : 0].clone();
  if (has_fraction && args[0].has_aggregate)
    not_supported(name + " with an aggregate in its direct argument", agg.call.location);
  const PhysicalType physical = value.physical;
  std::vector<DuckExpr> list_args;
  DuckExpr not_null = make_is_null(copy_of(value.duck), true);
  const bool several = has_fraction && is_array(agg.call.statement(), args[0].type);
  if (several || (name == "percentile_cont" && agg.call.result == oid::kInterval)) {
    const Oid array = several ? agg.call.result : array_type_of(agg.call.statement(), value.type);
    DuckExpr descriptor = make_text(type_descriptor(agg.call.statement(), array, {Physical::kBytes}));
    TypedExpr plain = to_plain(agg.call.scope, std::move(value));
    list_args.push_back(copy_of(descriptor));
    list_args.push_back(make_descriptor(agg.call.statement(), plain));
    list_args.push_back(std::move(plain.duck));
    DuckExpr sorted = aggregate(agg, "omen_array_agg", std::move(list_args), true, std::move(not_null));
    if (several)
      return result_of(
          agg, make_call("omen_" + name + "_array", std::move(descriptor), std::move(sorted), std::move(args[0].duck)));
    return result_of(agg, make_call("omen_percentile_cont_interval", std::move(sorted), std::move(args[0].duck)));
  }
  list_args.push_back(copy_of(value.duck));
  DuckExpr list = aggregate(agg, "list", std::move(list_args), true, copy_of(not_null));
  if (name == "mode") {
    std::vector<DuckExpr> key_args;
    key_args.push_back(sort_key(base_type_of(agg.call.statement(), value.type), physical, std::move(value.duck)));
    DuckExpr keys = aggregate(agg, "list", std::move(key_args), true, std::move(not_null));
    return result_of(agg, make_call("omen_list_mode", std::move(list), std::move(keys)), physical);
  }
  if (name == "percentile_disc") {
    DuckExpr index = make_call("omen_percentile_index", make_call("len", copy_of(list)), std::move(args[0].duck));
    return result_of(agg, make_call("list_extract", std::move(list), std::move(index)), physical);
  }
  return result_of(agg, make_call("omen_percentile_cont", std::move(list), std::move(args[0].duck)));
}

/// rank, dense_rank, percent_rank and cume_dist of a row that is not there: counts of the rows before it.
TypedExpr emit_hypothetical(AggregateCall& agg) {
  const std::string name(agg.call.proc.name);
  const size_t n = agg.orders.size();
  DuckExpr before, equal;
  std::vector<DuckExpr> keys;
  DuckExpr direct_null;
  for (size_t i = n; i-- > 0;) {
    const duckdb::OrderByNode& order = agg.orders[i];
    const TypedExpr& given = agg.call.args[i];
    DuckExpr key(order.expression->Copy().release());
    DuckExpr value = sort_key(base_type_of(agg.call.statement(), given.type), given.physical, copy_of(given.duck));
    const bool nulls_first = order.null_order == duckdb::OrderByNullType::NULLS_FIRST;
    const bool descending = order.type == duckdb::OrderType::DESCENDING;
    using duckdb::ExpressionType;
    auto constant = [](bool b) { return make_constant(duckdb::Value::BOOLEAN(b)); };
    DuckExpr lower = make_compare(descending ? ExpressionType::COMPARE_GREATERTHAN : ExpressionType::COMPARE_LESSTHAN,
                                  copy_of(key), copy_of(value));
    DuckExpr precedes =
        make_case(make_is_null(copy_of(key)), nulls_first ? make_is_null(copy_of(value), true) : constant(false),
                  make_case(make_is_null(copy_of(value)), constant(!nulls_first), std::move(lower)));
    DuckExpr same = make_compare(ExpressionType::COMPARE_NOT_DISTINCT_FROM, copy_of(key), copy_of(value));
    DuckExpr missing = make_is_null(copy_of(value));
    direct_null = direct_null ? make_and(std::move(missing), std::move(direct_null)) : std::move(missing);
    before = before ? make_or(std::move(precedes), make_and(copy_of(same), std::move(before))) : std::move(precedes);
    equal = equal ? make_and(std::move(same), std::move(equal)) : std::move(same);
    keys.insert(keys.begin(), std::move(key));
  }
  auto count = [&](DuckExpr condition) { return aggregate(agg, "count_star", {}, false, std::move(condition)); };
  auto sum = [](DuckExpr a, DuckExpr b) { return make_call("+", std::move(a), std::move(b)); };
  auto one = [] { return make_constant(duckdb::Value::BIGINT(1)); };
  auto real = [](DuckExpr e) { return make_cast(std::move(e), LogicalType::DOUBLE); };
  DuckExpr result;
  if (name == "rank") {
    result = sum(count(std::move(before)), one());
  } else if (name == "dense_rank") {
    std::vector<DuckExpr> row;
    row.push_back(make_function("row", std::move(keys)));
    agg.distinct = true;
    result = sum(aggregate(agg, "count", std::move(row), false, std::move(before)), one());
  } else if (name == "percent_rank") {
    result = make_case(
        make_compare(duckdb::ExpressionType::COMPARE_EQUAL, count(nullptr), make_constant(duckdb::Value::BIGINT(0))),
        make_constant(duckdb::Value::DOUBLE(0)), make_call("/", real(count(std::move(before))), real(count(nullptr))));
  } else {
    DuckExpr upto = make_or(std::move(before), std::move(equal));
    result = make_call("/", real(sum(count(std::move(upto)), one())), real(sum(count(nullptr), one())));
  }
  // The direct arguments stand outside the aggregates too, where they must be grouped.
  DuckExpr never = make_and(std::move(direct_null), make_constant(duckdb::Value::BOOLEAN(false)));
  const PhysicalType physical = physical_of(agg.call.statement(), agg.call.result, -1);
  result = make_case(std::move(never), make_constant(duckdb::Value(duck_type(agg.call.result, physical))),
                     std::move(result));
  return result_of(agg, std::move(result));
}

using AggregateEmitter = TypedExpr (*)(AggregateCall&);

const std::unordered_map<std::string_view, AggregateEmitter>& aggregate_table() {
  static const std::unordered_map<std::string_view, AggregateEmitter> table = [] {
    std::unordered_map<std::string_view, AggregateEmitter> t = {
        {"sum", emit_sum},
        {"avg", emit_avg},
        {"min", emit_min_max},
        {"max", emit_min_max},
        {"count", emit_count},
        {"bool_and", [](AggregateCall& a) { return native(a, "bool_and"); }},
        {"every", [](AggregateCall& a) { return native(a, "bool_and"); }},
        {"bool_or", [](AggregateCall& a) { return native(a, "bool_or"); }},
        {"bit_and", [](AggregateCall& a) { return native(a, "bit_and"); }},
        {"bit_or", [](AggregateCall& a) { return native(a, "bit_or"); }},
        {"bit_xor", [](AggregateCall& a) { return native(a, "bit_xor"); }},
        {"string_agg", emit_string_agg},
        {"range_agg", emit_range_agg},
        {"range_intersect_agg", emit_range_agg},
        {"array_agg", emit_array_agg}};
    for (const char* n : {"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"}) t[n] = emit_json_agg;
    for (const char* n : {"stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"})
      t[n] = emit_variance;
    for (const char* n : {"corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
                          "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy"}) {
      t[n] = emit_two_argument_statistic;
    }
    for (const char* n : {"percentile_cont", "percentile_disc", "mode"}) t[n] = emit_ordered_set;
    for (const char* n : {"rank", "dense_rank", "percent_rank", "cume_dist"}) t[n] = emit_hypothetical;
    return t;
  }();
  return table;
}

}  // namespace

bool is_aggregate_call(const duckdb::FunctionExpression& call) {
  static const std::unordered_map<std::string_view, int> own = {{"sum", 0},
                                                                {"count", 0},
                                                                {"count_star", 0},
                                                                {"min", 0},
                                                                {"max", 0},
                                                                {"arg_min", 0},
                                                                {"arg_max", 0},
                                                                {"bool_and", 0},
                                                                {"bool_or", 0},
                                                                {"bit_and", 0},
                                                                {"bit_or", 0},
                                                                {"bit_xor", 0},
                                                                {"list", 0},
                                                                {"omen_sum_numeric", 0},
                                                                {"omen_sum_float4", 0},
                                                                {"omen_sum_float8", 0},
                                                                {"omen_avg_float8", 0},
                                                                {"omen_sum_interval", 0},
                                                                {"omen_avg_interval", 0},
                                                                {"omen_string_agg", 0},
                                                                {"omen_bytea_agg", 0},
                                                                {"omen_array_agg", 0},
                                                                {"omen_range_agg", 0},
                                                                {"omen_range_intersect_agg", 0},
                                                                {"omen_multirange_agg", 0},
                                                                {"omen_multirange_intersect_agg", 0},
                                                                {"omen_any_true", 0},
                                                                {"omen_all_true", 0}};
  std::string_view name = call.function_name;
  if (own.contains(name) || name.starts_with("omen_distinct_")) return true;
  if (!name.starts_with(kOwn)) return false;
  name.remove_prefix(kOwn.size());
  for (std::string_view tail : {"_float8", "_numeric"}) {
    if (name.ends_with(tail) && (name.starts_with("stddev_") || name.starts_with("var_"))) return true;
  }
  return aggregate_table().contains(name) &&
         (name.starts_with("json") || name.starts_with("regr_") || name.starts_with("co"));
}

TypedExpr emit_aggregate(AggregateCall& agg) {
  const auto& table = aggregate_table();
  auto it = table.find(agg.call.proc.name);
  if (it == table.end()) not_supported("aggregate " + std::string(agg.call.proc.name), agg.call.location);
  return it->second(agg);
}

TypedExpr emit_window_function(AggregateCall& agg) {
  const std::string_view source = agg.call.proc.source;
  Call& call = agg.call;
  using duckdb::ExpressionType;
  auto window = [&](ExpressionType type, const char* name, std::vector<DuckExpr> children) {
    auto w = std::make_unique<duckdb::WindowExpression>(type, "", "", name);
    for (auto& c : children) w->children.push_back(duck_ptr(std::move(c)));
    set_frame(*w, *agg.window);
    return w;
  };
  auto simple = [&](ExpressionType type, const char* name) { return result_of(agg, window(type, name, {})); };
  auto one = [](DuckExpr e) {
    std::vector<DuckExpr> list;
    list.push_back(std::move(e));
    return list;
  };
  if (source == "window_row_number") return simple(ExpressionType::WINDOW_ROW_NUMBER, "row_number");
  if (source == "window_rank") return simple(ExpressionType::WINDOW_RANK, "rank");
  if (source == "window_dense_rank") return simple(ExpressionType::WINDOW_RANK_DENSE, "dense_rank");
  if (source == "window_percent_rank") return simple(ExpressionType::WINDOW_PERCENT_RANK, "percent_rank");
  if (source == "window_cume_dist") return simple(ExpressionType::WINDOW_CUME_DIST, "cume_dist");
  if (source == "window_ntile" && !call.args[0].duck->IsScalar()) {
    // The first row's argument counts for all of its partition.
    auto whole = [&](ExpressionType type, const char* name, std::vector<DuckExpr> children) {
      auto w = window(type, name, std::move(children));
      w->start = duckdb::WindowBoundary::UNBOUNDED_PRECEDING;
      w->end = duckdb::WindowBoundary::UNBOUNDED_FOLLOWING;
      w->exclude_clause = duckdb::WindowExcludeMode::NO_OTHER;
      return w;
    };
    DuckExpr n = whole(ExpressionType::WINDOW_FIRST_VALUE, "first_value", one(std::move(call.args[0].duck)));
    DuckExpr rows = whole(ExpressionType::WINDOW_AGGREGATE, "count_star", {});
    DuckExpr row = window(ExpressionType::WINDOW_ROW_NUMBER, "row_number", {});
    return result_of(agg, make_call("omen_ntile_of", std::move(row), std::move(rows),
                                    make_call("omen_ntile_argument", std::move(n))));
  }
  if (source == "window_ntile") {
    DuckExpr n = make_call("omen_ntile_argument", std::move(call.args[0].duck));
    return result_of(agg,
                     make_cast(window(ExpressionType::WINDOW_NTILE, "ntile", one(std::move(n))), LogicalType::INTEGER));
  }
  if (source.starts_with("window_lag") || source.starts_with("window_lead")) {
    const bool lag = source.starts_with("window_lag");
    std::vector<TypedExpr*> values = {&call.args[0]};
    if (call.args.size() == 3) values.push_back(&call.args[2]);
    const PhysicalType physical = common_physical(call.scope, call.result, values);
    auto w = window(lag ? ExpressionType::WINDOW_LAG : ExpressionType::WINDOW_LEAD, lag ? "lag" : "lead",
                    one(std::move(call.args[0].duck)));
    if (call.args.size() >= 2) w->offset_expr = duck_ptr(make_cast(std::move(call.args[1].duck), LogicalType::BIGINT));
    if (call.args.size() == 3) w->default_expr = duck_ptr(std::move(call.args[2].duck));
    return result_of(agg, std::move(w), physical);
  }
  if (source == "window_first_value" || source == "window_last_value") {
    const PhysicalType physical = call.args[0].physical;
    const bool first = source == "window_first_value";
    return result_of(agg,
                     window(first ? ExpressionType::WINDOW_FIRST_VALUE : ExpressionType::WINDOW_LAST_VALUE,
                            first ? "first_value" : "last_value", one(std::move(call.args[0].duck))),
                     physical);
  }
  if (source == "window_nth_value") {
    const PhysicalType physical = call.args[0].physical;
    std::vector<DuckExpr> children = one(std::move(call.args[0].duck));
    children.push_back(make_call("omen_nth_argument", make_cast(std::move(call.args[1].duck), LogicalType::BIGINT)));
    return result_of(agg, window(ExpressionType::WINDOW_NTH_VALUE, "nth_value", std::move(children)), physical);
  }
  not_supported("window function " + std::string(call.proc.name), call.location);
}

}  // namespace omendb::sql
