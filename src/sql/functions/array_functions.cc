// Arrays and records over types/array.h and types/record.h.
#include <cmath>

#include "codec/container_key.h"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "sql/functions/object_aggregates.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/datetime.h"
#include "types/numeric.h"
#include "types/record.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using types::ArrayBuilder;
using types::ArrayView;
using types::PhysicalType;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009}, kInt4Array{1007};

/// The form of an array's elements, whatever descriptor described them: decimals never lie in arrays.
PhysicalType plain(PhysicalType p) { return p.is_decimal() ? PhysicalType{types::Physical::kBytes} : p; }

ValueView done(RowCall& call, const Status& status) {
  throw_if_error(status);
  return call.bytes();
}

ValueView build_array(RowCall& call, const ValueView* a) {
  const TypeArgument& t = call.types[0];
  ArrayBuilder builder(t.type, plain(t.physical));
  for (size_t i = 0; i < call.argument_count; ++i) builder.add(a[i]);
  if (t.base == oid::kBpchar && t.physical.width > 0) builder.set_width(t.physical.width);
  return call.text(builder.finish());
}

/// ARRAY[ARRAY[..], ARRAY[..]]: one dimension more. Null and empty sub-arrays count as empty.
ValueView stack_arrays(RowCall& call, const ValueView* a) {
  const TypeArgument& t = call.types[0];
  ArrayBuilder builder(t.element, plain(t.element_physical));
  std::vector<int32_t> lengths, lowers;
  bool any_empty = false, first = true;
  for (size_t i = 0; i < call.argument_count; ++i) {
    if (a[i].null || ArrayView(a[i].bytes).dimensions() == 0) {
      any_empty = true;
      continue;
    }
    const ArrayView sub(a[i].bytes);
    std::vector<int32_t> sub_lengths, sub_lowers;
    for (int d = 0; d < sub.dimensions(); ++d) {
      sub_lengths.push_back(sub.length(d));
      sub_lowers.push_back(sub.lower(d));
    }
    if (first) {
      if (sub.dimensions() >= types::kArrayDimensionsMax) {
        throw SqlError(SqlState::kProgramLimitExceeded, "number of array dimensions (" +
                                                            std::to_string(sub.dimensions() + 1) +
                                                            ") exceeds the maximum allowed (6)");
      }
      lengths = sub_lengths;
      lowers = sub_lowers;
      first = false;
    } else if (lengths != sub_lengths || lowers != sub_lowers) {
      throw SqlError(SqlState::kArraySubscriptError,
                     "multidimensional arrays must have array expressions with matching dimensions");
    }
    for (size_t e = 0; e < sub.size(); ++e) builder.add(sub.is_null(e) ? ValueView() : sub.at(e));
  }
  if (first) return call.text(types::empty_array(t.element));
  if (any_empty)
    throw SqlError(SqlState::kArraySubscriptError,
                   "multidimensional arrays must have array expressions with matching dimensions");
  lengths.insert(lengths.begin(), static_cast<int32_t>(call.argument_count));
  lowers.insert(lowers.begin(), 1);
  builder.set_dimensions(lengths, lowers);
  return call.text(builder.finish());
}

ValueView subscript(RowCall& call, const ValueView* a) {
  std::vector<int32_t> at;
  for (size_t i = 1; i < call.argument_count; ++i) at.push_back(static_cast<int32_t>(a[i].integer));
  return types::array_subscript(ArrayView(a[0].bytes), at);
}

ValueView slice(RowCall& call, const ValueView* a) {
  // Groups of four: lower given, lower, upper given, upper.
  if (a[0].null) return null_value();
  std::vector<types::SliceBound> bounds;
  for (size_t i = 1; i + 3 < call.argument_count; i += 4) {
    types::SliceBound b;
    b.has_lower = a[i].integer != 0;
    b.has_upper = a[i + 2].integer != 0;
    if ((b.has_lower && a[i + 1].null) || (b.has_upper && a[i + 3].null)) return null_value();
    b.lower = static_cast<int32_t>(a[i + 1].integer);
    b.upper = static_cast<int32_t>(a[i + 3].integer);
    bounds.push_back(b);
  }
  return call.text(types::array_slice(a[0].bytes, bounds));
}

/// Rebuilds an array with other elements.
template <class F>
std::string map_elements(const ArrayView& a, Oid element, const PhysicalType& physical, F f) {
  ArrayBuilder builder(element, physical);
  types::Value held;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.is_null(i))
      builder.add_null();
    else if (const ValueView element = f(a.at(i), held); element.null)
      builder.add_null();
    else
      builder.add(element);
  }
  if (a.dimensions() > 0) {
    std::vector<int32_t> lengths, lowers;
    for (int d = 0; d < a.dimensions(); ++d) {
      lengths.push_back(a.length(d));
      lowers.push_back(a.lower(d));
    }
    builder.set_dimensions(lengths, lowers);
  }
  return builder.finish();
}

[[noreturn]] void throw_out_of_range(Oid type) {
  const char* name = type == oid::kInt2 ? "smallint" : type == oid::kInt4 ? "integer" : "bigint";
  throw SqlError(SqlState::kNumericValueOutOfRange, std::string(name) + " out of range");
}

ValueView integer_of_real(double value, Oid type) {
  // The bounds are powers of two, so they are exact; NaN fails both comparisons.
  const double bound = type == oid::kInt2 ? 32768.0 : type == oid::kInt4 ? 2147483648.0 : 9223372036854775808.0;
  const double rounded = std::rint(value);
  if (!(rounded >= -bound && rounded < bound)) throw_out_of_range(type);
  return int_value(static_cast<int64_t>(rounded));
}

ValueView cast_time(RowCall& call, Oid from, const ValueView& v, Oid to) {
  const types::TimeZone& zone = types::zone_of(call.io());
  if (from == oid::kDate) {
    int64_t out;
    throw_if_error(to == oid::kTimestamp ? types::date_to_timestamp(static_cast<int32_t>(v.integer), &out)
                                         : types::date_to_timestamptz(static_cast<int32_t>(v.integer), zone, &out));
    return int_value(out);
  }
  if (from == oid::kTimestamp && to == oid::kTimestampTz) {
    int64_t out;
    throw_if_error(types::timestamp_to_timestamptz(v.integer, zone, &out));
    return int_value(out);
  }
  int64_t local = v.integer;
  if (from == oid::kTimestampTz) throw_if_error(types::timestamptz_to_timestamp(v.integer, zone, &local));
  if (to == oid::kTimestamp) return int_value(local);
  if (to == oid::kDate) {
    int32_t out;
    throw_if_error(types::timestamp_to_date(local, &out));
    return int_value(out);
  }
  if (!types::timestamp_is_finite(local)) return null_value();
  return int_value(types::timestamp_time_of_day(local));
}

/// The pairs that coerce.cc sends here: their casts are not what text would give.
ValueView cast_element(RowCall& call, Oid from, const ValueView& v, Oid to, types::Value& held) {
  if (from == oid::kFloat4 || from == oid::kFloat8) return integer_of_real(v.real, to);
  if (from == oid::kBool) {
    if (to == oid::kInt4) return int_value(v.integer);
    held = types::Value::of_bytes(v.integer != 0 ? "true" : "false");
    return held.view();
  }
  if (from == oid::kNumeric) {
    const types::Numeric number = types::Numeric::from_bytes(v.bytes);
    int64_t wide = 0;
    int32_t middle = 0;
    int16_t narrow = 0;
    if (to == oid::kInt2) throw_if_error(number.to_int16(&narrow));
    if (to == oid::kInt4) throw_if_error(number.to_int32(&middle));
    if (to == oid::kInt8) throw_if_error(number.to_int64(&wide));
    return int_value(to == oid::kInt2 ? narrow : to == oid::kInt4 ? middle : wide);
  }
  return cast_time(call, from, v, to);
}

void add_construction(Library& library) {
  library.row({"array_empty", {kDescriptor}, kTextArray, [](RowCall& call, const ValueView*) {
                 return call.text(types::empty_array(call.types[0].element));
               }});
  RowSpec sub{"array_subscript", {kDescriptor, kTextArray}, kDescribed, subscript};
  sub.tail = oid::kInt4;
  library.row(std::move(sub));
  library.row({"array_relabel", {kDescriptor, kTextArray}, kTextArray, [](RowCall& call, const ValueView* a) {
                 const TypeArgument& t = call.types[0];
                 return call.text(map_elements(ArrayView(a[0].bytes), t.element, plain(t.element_physical),
                                               [](const ValueView& v, types::Value&) { return v; }));
               }});
  library.row({"array_domain",
               {kTextArray},
               kTextArray,
               [](RowCall& call, const ValueView* a) {
                 throw_if_error(types::check_elements(ArrayView(a[0].bytes).element_type(), a[0].bytes, call.io()));
                 return a[0];
               },
               Volatility::kStable});
  library.row({"array_cast_io",
               {kDescriptor, kDescriptor, kTextArray},
               kTextArray,
               [](RowCall& call, const ValueView* a) {
                 const TypeArgument &from = call.types[0], &to = call.types[1];
                 const ArrayView view(a[0].bytes);
                 return call.text(map_elements(
                     view, to.element, plain(to.element_physical), [&](const ValueView& v, types::Value& held) {
                       std::string text;
                       types::output(from.element, view.physical(), v, call.io(), &text);
                       if (from.element == oid::kBpchar && to.element != oid::kBpchar)
                         text.resize(text.find_last_not_of(' ') + 1);
                       throw_if_error(types::input_element(to.element, -1, text, call.io(), &held));
                       return held.view();
                     }));
               },
               Volatility::kStable});
  library.row({"array_cast",
               {kDescriptor, kDescriptor, kTextArray},
               kTextArray,
               [](RowCall& call, const ValueView* a) {
                 const TypeArgument &from = call.types[0], &to = call.types[1];
                 return call.text(map_elements(ArrayView(a[0].bytes), to.element, plain(to.element_physical),
                                               [&](const ValueView& v, types::Value& held) {
                                                 return cast_element(call, from.element, v, to.element, held);
                                               }));
               },
               Volatility::kStable});
  library.row({"array_typmod",
               {kDescriptor, kTextArray, oid::kBool},
               kTextArray,
               [](RowCall& call, const ValueView* a) {
                 const TypeArgument& t = call.types[0];
                 const ArrayView view(a[0].bytes);
                 return call.text(map_elements(
                     view, view.element_type(), view.physical(), [&](const ValueView& v, types::Value& held) {
                       std::string text;
                       types::output(view.element_type(), view.physical(), v, call.io(), &text);
                       if (view.element_type() == oid::kNumeric) {
                         throw_if_error(types::input(oid::kNumeric, -1, text, call.io(), &held));
                         types::Value rounded;
                         throw_if_error(
                             types::coerce_physical(oid::kNumeric, view.physical(), held.view(), t.typmod, &rounded));
                         text.clear();
                         types::output(oid::kNumeric, types::physical_type(oid::kNumeric, t.typmod), rounded.view(),
                                       call.io(), &text);
                         throw_if_error(types::input(oid::kNumeric, -1, text, call.io(), &held));
                       } else {
                         // An explicit cast cuts what is too long.
                         const bool character =
                             view.element_type() == oid::kVarchar || view.element_type() == oid::kBpchar;
                         if (character && a[1].integer != 0 && t.typmod >= 4) {
                           size_t end = 0;
                           for (int32_t n = t.typmod - 4; n > 0 && end < text.size(); --n) {
                             do ++end;
                             while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
                           }
                           text.resize(end);
                         }
                         throw_if_error(types::input_element(view.element_type(), t.typmod, text, call.io(), &held));
                       }
                       return held.view();
                     }));
               },
               Volatility::kStable});
  library.row({"array_key",
               {kDescriptor, kTextArray},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 // A composite type of the user's shares the arrays' DuckDB type.
                 const auto append =
                     types::is_record_bytes(a[0].bytes) ? codec::append_record_key : codec::append_array_key;
                 throw_if_error(append(a[0].bytes, call.io().catalog, &call.buffer));
                 return call.bytes();
               },
               Volatility::kStable});
  library.row({"record_key",
               {oid::kRecord},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 throw_if_error(codec::append_record_key(a[0].bytes, call.io().catalog, &call.buffer));
                 return call.bytes();
               },
               Volatility::kStable});
  // The elements as a DuckDB list, for operators over ANY and ALL.
  SetSpec elements{
      "array_elements", {kDescriptor, kTextArray}, {kDescribed}, [](RowCall&, const ValueView* a, RowSink& sink) {
        const ArrayView view(a[0].bytes);
        for (size_t i = 0; i < view.size(); ++i) sink.row(view.is_null(i) ? ValueView() : view.at(i));
      }};
  elements.null_list = true;
  library.set(std::move(elements));
  library.set(
      {"array_unnest", {kDescriptor, kTextArray}, {kDescribed}, [](RowCall&, const ValueView* a, RowSink& sink) {
         const ArrayView view(a[0].bytes);
         for (size_t i = 0; i < view.size(); ++i) sink.row(view.is_null(i) ? ValueView() : view.at(i));
       }});
  // information_schema's: each element of the first dimension with its number.
  library.set({"sql__pg_expandarray",
               {kDescriptor, kTextArray},
               {kDescribed, oid::kInt4},
               [](RowCall&, const ValueView* a, RowSink& sink) {
                 const ArrayView view(a[0].bytes);
                 if (view.dimensions() == 0) return;
                 for (int32_t i = 0; i < view.length(0); ++i) {
                   const auto n = static_cast<size_t>(i);
                   sink.row({view.dimensions() > 1 || view.is_null(n) ? ValueView() : view.at(n), int_value(i + 1)});
                 }
               }});
  library.set({"generate_subscripts_nodir",
               {kTextArray, oid::kInt4},
               {oid::kInt4},
               [](RowCall&, const ValueView* a, RowSink& sink) {
                 const ArrayView view(a[0].bytes);
                 const int64_t d = a[1].integer - 1;
                 if (d < 0 || d >= view.dimensions()) return;
                 for (int32_t i = view.lower(static_cast<int>(d)); i <= view.upper(static_cast<int>(d)); ++i)
                   sink.row(int_value(i));
               }});
  library.set({"generate_subscripts",
               {kTextArray, oid::kInt4, oid::kBool},
               {oid::kInt4},
               [](RowCall&, const ValueView* a, RowSink& sink) {
                 const ArrayView view(a[0].bytes);
                 const int64_t d = a[1].integer - 1;
                 if (d < 0 || d >= view.dimensions()) return;
                 const int32_t low = view.lower(static_cast<int>(d)), high = view.upper(static_cast<int>(d));
                 if (a[2].integer != 0) {
                   for (int32_t i = high; i >= low; --i) sink.row(int_value(i));
                 } else {
                   for (int32_t i = low; i <= high; ++i) sink.row(int_value(i));
                 }
               }});
}

void add_questions(Library& library) {
  library.row({"array_cardinality", {kTextArray}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(static_cast<int64_t>(ArrayView(a[0].bytes).size()));
               }});
  library.row({"array_ndims", {kTextArray}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const int n = ArrayView(a[0].bytes).dimensions();
                 return n == 0 ? null_value() : int_value(n);
               }});
  auto bound = [&](const char* name, auto f) {
    library.row({name, {kTextArray, oid::kInt4}, oid::kInt4, [f](RowCall&, const ValueView* a) {
                   const ArrayView view(a[0].bytes);
                   const int64_t d = a[1].integer - 1;
                   return d < 0 || d >= view.dimensions() ? null_value() : int_value(f(view, static_cast<int>(d)));
                 }});
  };
  bound("array_lower", [](const ArrayView& v, int d) { return v.lower(d); });
  bound("array_upper", [](const ArrayView& v, int d) { return v.upper(d); });
  bound("array_length", [](const ArrayView& v, int d) { return v.length(d); });
  library.row({"array_dims", {kTextArray}, oid::kText, [](RowCall& call, const ValueView* a) {
                 std::string text = types::array_dims(a[0].bytes);
                 return text.empty() ? null_value() : call.text(std::move(text));
               }});
  auto relation = [&](const char* name, auto f) {
    library.row({name, {kTextArray, kTextArray}, oid::kBool, [f](RowCall&, const ValueView* a) {
                   return bool_value(f(a[0].bytes, a[1].bytes));
                 }});
  };
  relation("arraycontains", [](std::string_view a, std::string_view b) { return types::array_contains(a, b); });
  relation("arraycontained", [](std::string_view a, std::string_view b) { return types::array_contains(b, a); });
  relation("arrayoverlap", [](std::string_view a, std::string_view b) { return types::array_overlaps(a, b); });
  library.row({"btarraycmp", {kTextArray, kTextArray}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(types::array_compare(a[0].bytes, a[1].bytes));
               }});
}

void add_changes(Library& library) {
  auto loose = [&](RowSpec spec) {
    spec.strict = false;
    library.row(std::move(spec));
  };
  loose({"array_cat", {kTextArray, kTextArray}, kTextArray, [](RowCall& call, const ValueView* a) {
           if (a[0].null) return a[1];
           if (a[1].null) return a[0];
           return done(call, types::array_cat(a[0].bytes, a[1].bytes, &call.buffer));
         }});
  loose({"array_append", {kTextArray, kDescriptor, kAnyValue}, kTextArray, [](RowCall& call, const ValueView* a) {
           const TypeArgument& t = call.types[0];
           std::string empty;
           if (a[0].null) empty = types::empty_array(t.type);
           return done(call, types::array_append(a[0].null ? std::string_view(empty) : a[0].bytes, t.physical, a[1],
                                                 &call.buffer));
         }});
  loose({"array_prepend", {kDescriptor, kAnyValue, kTextArray}, kTextArray, [](RowCall& call, const ValueView* a) {
           const TypeArgument& t = call.types[0];
           std::string empty;
           if (a[1].null) empty = types::empty_array(t.type);
           return done(call, types::array_prepend(t.physical, a[0], a[1].null ? std::string_view(empty) : a[1].bytes,
                                                  &call.buffer));
         }});
  loose({"array_remove", {kTextArray, kDescriptor, kAnyValue}, kTextArray, [](RowCall& call, const ValueView* a) {
           if (a[0].null) return null_value();
           return done(call, types::array_remove(a[0].bytes, call.types[0].physical, a[1], &call.buffer));
         }});
  loose({"array_replace",
         {kTextArray, kDescriptor, kAnyValue, kDescriptor, kAnyValue},
         kTextArray,
         [](RowCall& call, const ValueView* a) {
           if (a[0].null) return null_value();
           call.buffer.clear();
           types::array_replace(a[0].bytes, call.types[0].physical, a[1], a[2], &call.buffer);
           return call.bytes();
         }});
  for (bool with_start : {false, true}) {
    std::vector<Oid> args = {kTextArray, kDescriptor, kAnyValue};
    if (with_start) args.push_back(oid::kInt4);
    loose({with_start ? "array_position_start" : "array_position", args, oid::kInt4,
           [with_start](RowCall& call, const ValueView* a) {
             if (a[0].null) return null_value();
             if (with_start && a[2].null)
               throw SqlError(SqlState::kNullValueNotAllowed, "initial position must not be null");
             bool found = false;
             int32_t position = 0;
             throw_if_error(types::array_position(a[0].bytes, call.types[0].physical, a[1],
                                                  with_start ? static_cast<int32_t>(a[2].integer) : 0, with_start,
                                                  &found, &position));
             return found ? int_value(position) : null_value();
           }});
  }
  loose({"array_positions", {kTextArray, kDescriptor, kAnyValue}, kInt4Array, [](RowCall& call, const ValueView* a) {
           if (a[0].null) return null_value();
           return done(call, types::array_positions(a[0].bytes, call.types[0].physical, a[1], &call.buffer));
         }});
  for (bool with_lowers : {false, true}) {
    std::vector<Oid> args = {kDescriptor, kAnyValue, kInt4Array};
    if (with_lowers) args.push_back(kInt4Array);
    loose({with_lowers ? "array_fill_with_lower_bounds" : "array_fill", args, kTextArray,
           [with_lowers](RowCall& call, const ValueView* a) {
             if (a[1].null || (with_lowers && a[2].null)) {
               throw SqlError(SqlState::kNullValueNotAllowed, "dimension array or low bound array cannot be null");
             }
             auto numbers = [](std::string_view bytes) {
               const ArrayView view(bytes);
               if (view.dimensions() > 1) {
                 throw SqlError(SqlState::kArraySubscriptError, "wrong number of array subscripts")
                     .detail("Dimension array must be one dimensional.");
               }
               std::vector<int32_t> list;
               for (size_t i = 0; i < view.size(); ++i) {
                 if (view.is_null(i)) throw SqlError(SqlState::kNullValueNotAllowed, "dimension values cannot be null");
                 list.push_back(static_cast<int32_t>(view.at(i).integer));
               }
               return list;
             };
             const auto lengths = numbers(a[1].bytes);
             const auto lowers = with_lowers ? numbers(a[2].bytes) : std::vector<int32_t>(lengths.size(), 1);
             return done(call, types::array_fill(call.types[0].type, call.types[0].physical, a[0], lengths, lowers,
                                                 &call.buffer));
           }});
  }
  // The thresholds that a value reaches. They are sorted, or the answer means nothing.
  library.row(
      {"width_bucket_array", {kDescriptor, kAnyValue, kTextArray}, oid::kInt4, [](RowCall&, const ValueView* a) {
         const ArrayView thresholds(a[1].bytes);
         if (thresholds.dimensions() > 1)
           throw SqlError(SqlState::kArraySubscriptError, "thresholds must be one-dimensional array");
         if (thresholds.has_nulls())
           throw SqlError(SqlState::kNullValueNotAllowed, "thresholds array must not contain NULLs");
         size_t low = 0, high = thresholds.size();
         while (low < high) {
           const size_t middle = (low + high) / 2;
           if (types::compare_values(thresholds.element_type(), thresholds.physical(), a[0], thresholds.at(middle)) < 0)
             high = middle;
           else
             low = middle + 1;
         }
         return int_value(static_cast<int64_t>(low));
       }});
  // Enum labels of an array from one to another; a null is no bound.
  loose({"enum_range", {kTextArray, oid::kFloat4, oid::kFloat4}, kTextArray, [](RowCall& call, const ValueView* a) {
           const ArrayView all(a[0].bytes);
           types::ArrayBuilder some(all.element_type(), all.physical());
           for (size_t i = 0; i < all.size(); ++i) {
             const double at = all.at(i).real;
             if ((a[1].null || at >= a[1].real) && (a[2].null || at <= a[2].real)) some.add(all.at(i));
           }
           return call.text(some.finish());
         }});
  library.row({"trim_array", {kTextArray, oid::kInt4}, kTextArray, [](RowCall& call, const ValueView* a) {
                 return done(call, types::trim_array(a[0].bytes, static_cast<int32_t>(a[1].integer), &call.buffer));
               }});
  library.row({"array_to_text",
               {kTextArray, oid::kText},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 types::array_to_string(a[0].bytes, a[1].bytes, nullptr, call.io(), &call.buffer);
                 return call.bytes();
               },
               Volatility::kStable});
  RowSpec with_null{"array_to_text_null",
                    {kTextArray, oid::kText, oid::kText},
                    oid::kText,
                    [](RowCall& call, const ValueView* a) {
                      if (a[0].null || a[1].null) return null_value();
                      call.buffer.clear();
                      types::array_to_string(a[0].bytes, a[1].bytes, a[2].null ? nullptr : &a[2].bytes, call.io(),
                                             &call.buffer);
                      return call.bytes();
                    },
                    Volatility::kStable};
  loose(std::move(with_null));
  for (bool with_null_text : {false, true}) {
    std::vector<Oid> args = {oid::kText, oid::kText};
    if (with_null_text) args.push_back(oid::kText);
    loose({with_null_text ? "text_to_array_null" : "text_to_array", args, kTextArray,
           [with_null_text](RowCall& call, const ValueView* a) {
             if (a[0].null) return null_value();
             call.buffer.clear();
             types::string_to_array(a[0].bytes, a[1].null ? nullptr : &a[1].bytes,
                                    with_null_text && !a[2].null ? &a[2].bytes : nullptr, &call.buffer);
             return call.bytes();
           }});
    std::vector<Oid> set_args = args;
    SetSpec set{with_null_text ? "text_to_table_null" : "text_to_table",
                set_args,
                {oid::kText},
                [with_null_text](RowCall&, const ValueView* a, RowSink& sink) {
                  if (a[0].null) return;
                  std::string bytes;
                  types::string_to_array(a[0].bytes, a[1].null ? nullptr : &a[1].bytes,
                                         with_null_text && !a[2].null ? &a[2].bytes : nullptr, &bytes);
                  const ArrayView view(bytes);
                  for (size_t i = 0; i < view.size(); ++i) sink.row(view.is_null(i) ? ValueView() : view.at(i));
                }};
    set.strict = false;
    library.set(std::move(set));
  }
}

/// ANY and ALL with SQL's nulls: of a type's own comparison (as compare_values says), and of a bool[] of any operator over the elements.
void add_quantifiers(Library& library) {
  library.row({"truth", {oid::kInt4}, oid::kBool, [](RowCall&, const ValueView* a) {
                 return a[0].integer == 2 ? null_value() : bool_value(a[0].integer == 1);
               }});
  for (bool any : {true, false}) {
    // (comparison, value, array): the comparison is a set of bits, 1 for less, 2 for equal, 4 for greater.
    RowSpec compare{any ? "array_compare_any" : "array_compare_all",
                    {oid::kInt4, kDescriptor, kAnyValue, kTextArray},
                    oid::kBool,
                    [any](RowCall& call, const ValueView* a) {
                      if (a[2].null) return null_value();
                      const ArrayView view(a[2].bytes);
                      bool unknown = a[1].null && view.size() > 0;
                      for (size_t i = 0; i < view.size() && !a[1].null; ++i) {
                        if (view.is_null(i)) {
                          unknown = true;
                          continue;
                        }
                        const int order = types::compare_values(call.types[0].base, view.physical(), a[1], view.at(i));
                        const int bit = order < 0 ? 1 : order == 0 ? 2 : 4;
                        if (((a[0].integer & bit) != 0) == any) return bool_value(any);
                      }
                      return unknown ? null_value() : bool_value(!any);
                    }};
    compare.strict = false;
    library.row(std::move(compare));
    library.scalar(
        any ? "list_any" : "list_all",
        duckdb::ScalarFunction({LogicalType::LIST(LogicalType::BOOLEAN)}, LogicalType::BOOLEAN,
                               [any](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
                                 auto& child = duckdb::ListVector::GetEntry(args.data[0]);
                                 duckdb::UnifiedVectorFormat lists, elements;
                                 args.data[0].ToUnifiedFormat(args.size(), lists);
                                 child.ToUnifiedFormat(duckdb::ListVector::GetListSize(args.data[0]), elements);
                                 const auto* entries = reinterpret_cast<const duckdb::list_entry_t*>(lists.data);
                                 const auto* values = reinterpret_cast<const bool*>(elements.data);
                                 const bool constant = args.AllConstant();
                                 result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
                                 auto* out = duckdb::FlatVector::GetData<bool>(result);
                                 for (duckdb::idx_t row = 0; row < (constant ? 1 : args.size()); ++row) {
                                   const auto at = lists.sel->get_index(row);
                                   if (!lists.validity.RowIsValid(at)) {
                                     duckdb::FlatVector::SetNull(result, row, true);
                                     continue;
                                   }
                                   bool decided = false, unknown = false;
                                   for (duckdb::idx_t i = 0; i < entries[at].length && !decided; ++i) {
                                     const auto e = elements.sel->get_index(entries[at].offset + i);
                                     if (!elements.validity.RowIsValid(e))
                                       unknown = true;
                                     else
                                       decided = values[e] == any;
                                   }
                                   if (!decided && unknown)
                                     duckdb::FlatVector::SetNull(result, row, true);
                                   else
                                     out[row] = decided ? any : !any;
                                 }
                                 if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
                               }));
  }
}

// --- array_agg ---

struct ArrayAggregate : AggregateState {
  std::vector<types::Value> values;
  void add(RowCall&, const ValueView* a) override { values.emplace_back(a[0]); }
  void merge(const AggregateState& other) override {
    const auto& o = static_cast<const ArrayAggregate&>(other);
    values.insert(values.end(), o.values.begin(), o.values.end());
  }
  ValueView finish(RowCall& call) override {
    const TypeArgument &array = call.types[0], &input = call.types[1];
    if (input.element != kInvalidOid && input.base == array.base) return stacked(call, array);
    ArrayBuilder builder(input.type, plain(input.physical));
    for (const auto& v : values) builder.add(v.view());
    if (input.base == oid::kBpchar && input.physical.width > 0) builder.set_width(input.physical.width);
    return call.text(builder.finish());
  }
  /// array_agg(anyarray): inputs of one shape, one dimension more.
  ValueView stacked(RowCall& call, const TypeArgument& array) {
    ArrayBuilder builder(array.element, plain(array.element_physical));
    std::vector<int32_t> lengths, lowers;
    bool first = true;
    for (const auto& v : values) {
      if (v.is_null()) throw SqlError(SqlState::kNullValueNotAllowed, "cannot accumulate null arrays");
      const ArrayView sub(v.view().bytes);
      if (sub.dimensions() == 0) throw SqlError(SqlState::kArraySubscriptError, "cannot accumulate empty arrays");
      std::vector<int32_t> l, b;
      for (int d = 0; d < sub.dimensions(); ++d) {
        l.push_back(sub.length(d));
        b.push_back(sub.lower(d));
      }
      if (first)
        lengths = l, lowers = b;
      else if (l != lengths || b != lowers)
        throw SqlError(SqlState::kArraySubscriptError, "cannot accumulate arrays of different dimensionality");
      first = false;
      for (size_t e = 0; e < sub.size(); ++e) builder.add(sub.is_null(e) ? ValueView() : sub.at(e));
    }
    lengths.insert(lengths.begin(), static_cast<int32_t>(values.size()));
    lowers.insert(lowers.begin(), 1);
    builder.set_dimensions(lengths, lowers);
    return call.text(builder.finish());
  }
};

constexpr const char* kNullSubscript = "array subscript in assignment must not be null";

/// array_set(element, array, value's form, value, subscripts ...): a null array counts as an empty one.
ValueView set_element(RowCall& call, const ValueView* a) {
  std::vector<int32_t> subscripts;
  for (size_t i = 2; i < call.argument_count; ++i) {
    if (a[i].null) throw SqlError(SqlState::kNullValueNotAllowed, kNullSubscript);
    subscripts.push_back(static_cast<int32_t>(a[i].integer));
  }
  const std::string array = a[0].null ? types::empty_array(call.types[0].type) : std::string(a[0].bytes);
  return done(call, types::array_assign(array, subscripts, plain(call.types[1].physical), a[1], &call.buffer));
}

/// array_set_slice(element, array, source, four arguments a bound ...): a null source changes nothing.
ValueView set_slice(RowCall& call, const ValueView* a) {
  if (a[1].null) return a[0];
  std::vector<types::SliceBound> bounds;
  for (size_t i = 2; i + 3 < call.argument_count; i += 4) {
    types::SliceBound b;
    b.has_lower = a[i].integer != 0;
    b.has_upper = a[i + 2].integer != 0;
    if ((b.has_lower && a[i + 1].null) || (b.has_upper && a[i + 3].null))
      throw SqlError(SqlState::kNullValueNotAllowed, kNullSubscript);
    if (b.has_lower) b.lower = static_cast<int32_t>(a[i + 1].integer);
    if (b.has_upper) b.upper = static_cast<int32_t>(a[i + 3].integer);
    bounds.push_back(b);
  }
  const std::string array = a[0].null ? types::empty_array(call.types[0].type) : std::string(a[0].bytes);
  return done(call, types::array_assign_slice(array, bounds, a[1].bytes, &call.buffer));
}

void add_records(Library& library) {
  RowSpec record{"record", {kDescriptor, kAnyTail}, kDescribed, [](RowCall& call, const ValueView* a) {
                   types::RecordBuilder builder;
                   for (size_t i = 0; i < call.argument_count; ++i)
                     builder.add(call.types[i + 1].type, call.types[i + 1].physical, a[i]);
                   return call.text(builder.finish());
                 }};
  record.strict = false;
  library.row(std::move(record));
  library.row({"record_names", {oid::kRecord, kTextArray}, oid::kRecord, [](RowCall& call, const ValueView* a) {
                 const types::RecordView view(a[0].bytes);
                 const ArrayView names(a[1].bytes);
                 types::RecordBuilder builder;
                 for (size_t i = 0; i < view.size(); ++i) builder.add(view.type(i), view.physical(i), view.at(i));
                 for (size_t i = 0; i < names.size(); ++i) builder.add_name(names.at(i).bytes);
                 return call.text(builder.finish());
               }});
  library.row({"reshape", {kTextArray, oid::kText}, kTextArray, [](RowCall& call, const ValueView* a) {
                 return call.text(types::reshape(a[0].bytes, a[1].bytes));
               }});
  library.row({"record_field",
               {kDescriptor, kDescriptor, kAnyValue, oid::kInt4},
               kDescribed,
               [](RowCall& call, const ValueView* a) {
                 const types::RecordView view(a[0].bytes);
                 const auto i = static_cast<size_t>(a[1].integer - 1);
                 if (i >= view.size()) return null_value();
                 const ValueView v = view.at(i);
                 if (v.null || !view.physical(i).is_decimal()) return v;
                 throw_if_error(types::coerce_physical(oid::kNumeric, view.physical(i), v, -1, &call.value));
                 return call.value.view();
               }});
}

}  // namespace

RowFunction over_array(size_t fixed, RowFunction function) {
  return [fixed, function = std::move(function)](RowCall& call, const ValueView* a) {
    const ArrayView view(a[fixed].bytes);
    TypeArgument element;
    element.type = element.base = view.element_type();
    element.physical = view.physical();
    const std::vector<TypeArgument> types(view.size(), element);
    std::vector<ValueView> arguments(a, a + fixed);
    for (size_t i = 0; i < view.size(); ++i) arguments.push_back(view.is_null(i) ? ValueView() : view.at(i));
    RowCall inner = call.with(types);
    inner.argument_count = arguments.size();
    const ValueView result = function(inner, arguments.data());
    return result.null ? null_value() : call.text(std::string(result.bytes));
  };
}

void add_array_functions(Library& library) {
  add_construction(library);
  // omen_array(descriptor, values of one type ...): the values have whatever form the descriptor says.
  RowSpec array{"array", {kDescriptor}, kTextArray, build_array};
  array.strict = false;
  array.tail = kAnyValue;
  library.row(std::move(array));
  RowSpec stack{"array_of_arrays", {kDescriptor}, kTextArray, stack_arrays};
  stack.strict = false;
  stack.tail = kTextArray;
  library.row(std::move(stack));
  RowSpec slices{"array_slice", {kDescriptor, kTextArray}, kTextArray, slice};
  slices.strict = false;
  slices.tail = kAnyValue;
  library.row(std::move(slices));
  RowSpec set{"array_set", {kDescriptor, kTextArray, kDescriptor, kAnyValue}, kTextArray, set_element};
  set.strict = false;
  set.tail = oid::kInt4;
  library.row(std::move(set));
  RowSpec set_part{"array_set_slice", {kDescriptor, kTextArray, kTextArray}, kTextArray, set_slice};
  set_part.strict = false;
  set_part.tail = kAnyValue;
  library.row(std::move(set_part));
  add_questions(library);
  add_changes(library);
  add_quantifiers(library);
  add_records(library);
  add_aggregate(library, {"array_agg",
                          {kDescriptor, kDescriptor, kAnyValue},
                          kDescribed,
                          []() -> std::unique_ptr<AggregateState> { return std::make_unique<ArrayAggregate>(); },
                          false});
}

}  // namespace omendb::sql::functions
