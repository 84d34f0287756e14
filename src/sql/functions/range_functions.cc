// Functions over ranges and multiranges (types/range.h, types/multirange.h; PostgreSQL's manual, 9.20).
#include "sql/functions/object_aggregates.h"
#include "types/array.h"
#include "types/multirange.h"

namespace omendb::sql::functions {

using types::Multirange;
using types::Range;
using types::RangeBound;
using types::ValueView;
namespace oid = types::oid;

namespace {

/// All ranges and multiranges lie as one type of DuckDB's.
constexpr Oid kRange{3904}, kRangeArray{3905};

Range range(const ValueView& value) { return Range(value.bytes); }
ValueView range(RowCall& call, const Range& value) { return call.text(value.bytes()); }
Multirange multirange(const ValueView& value) { return types::multirange_of(value.bytes); }
ValueView multirange(RowCall& call, const Multirange& value) { return call.text(types::multirange_to_bytes(value)); }

Range span(const ValueView& value, bool multi) {
  return multi ? types::multirange_span(multirange(value)) : range(value);
}

/// One range as the multirange of it.
Multirange ranges(const ValueView& value, bool multi) {
  if (multi) return multirange(value);
  const Range one = range(value);
  return one.empty ? Multirange() : Multirange{one};
}

// --- Construction ---

ValueView construct(RowCall& call, const ValueView* a, std::string_view brackets) {
  const types::RangeType* type = types::find_range_type(call.types[0].base);
  CHECK(type != nullptr);
  const types::NewBound lower{.infinite = a[0].null, .inclusive = brackets[0] == '[', .value = a[0]};
  const types::NewBound upper{.infinite = a[1].null, .inclusive = brackets[1] == ']', .value = a[1]};
  throw_if_error(types::make_range(*type, lower, upper, &call.buffer));
  return call.bytes();
}

ValueView construct_with_brackets(RowCall& call, const ValueView* a) {
  if (a[2].null) throw SqlError(SqlState::kDataException, "range constructor flags argument must not be null");
  const std::string_view brackets = a[2].bytes;
  if (brackets.size() != 2 || (brackets[0] != '[' && brackets[0] != '(') ||
      (brackets[1] != ']' && brackets[1] != ')')) {
    throw SqlError(SqlState::kSyntaxError, "invalid range bound flags")
        .hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\".");
  }
  return construct(call, a, brackets);
}

/// multirange(range, ...)
ValueView construct_multirange(RowCall& call, const ValueView* a) {
  const types::ArrayView array(a[0].bytes);
  if (array.dimensions() > 1) {
    throw SqlError(SqlState::kCardinalityViolation, "multiranges cannot be constructed from multidimensional arrays");
  }
  std::vector<Range> parts;
  for (size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      throw SqlError(SqlState::kNullValueNotAllowed, "multirange values cannot contain null members");
    }
    parts.push_back(range(array.at(i)));
  }
  return multirange(call, types::multirange_of_ranges(std::move(parts)));
}

void add_construction(Library& library) {
  RowSpec two{"range_constructor2",
              {kDescriptor, kDescriptor, kAnyValue, kDescriptor, kAnyValue},
              kDescribed,
              [](RowCall& call, const ValueView* a) { return construct(call, a, "[)"); }};
  two.strict = false;
  library.row(std::move(two));
  RowSpec three{"range_constructor3",
                {kDescriptor, kDescriptor, kAnyValue, kDescriptor, kAnyValue, oid::kText},
                kDescribed,
                construct_with_brackets};
  three.strict = false;
  library.row(std::move(three));
  for (const char* name : {"int4range_canonical", "int8range_canonical", "daterange_canonical"}) {
    library.row({name, {kRange}, kRange, [](RowCall&, const ValueView* a) { return a[0]; }});
  }
  library.row(
      {"multirange_constructor0", {}, kRange, [](RowCall& call, const ValueView*) { return multirange(call, {}); }});
  library.row({"multirange_constructor1", {kRange}, kRange, [](RowCall& call, const ValueView* a) {
                 return multirange(call, ranges(a[0], false));
               }});
  library.row({"multirange_constructor2", {kRangeArray}, kRange, construct_multirange});
  library.set(
      {"multirange_unnest", {kDescriptor, kRange}, {kDescribed}, [](RowCall&, const ValueView* a, RowSink& sink) {
         for (const Range& part : multirange(a[0])) {
           const std::string bytes = part.bytes();
           sink.row(ValueView::of_bytes(bytes));
         }
       }});
}

// --- Parts ---

void add_parts(Library& library) {
  for (bool multi : {false, true}) {
    const std::string prefix = multi ? "multirange_" : "range_";
    for (bool lower : {true, false}) {
      const auto bound = [multi, lower](const ValueView& value) {
        const Range whole = span(value, multi);
        return std::pair(whole, lower ? whole.lower : whole.upper);
      };
      const std::string name = prefix + (lower ? "lower" : "upper");
      library.row({name, {kDescriptor, kRange}, kDescribed, [bound](RowCall& call, const ValueView* a) {
                     const auto [whole, end] = bound(a[0]);
                     return whole.empty || end.infinite ? null_value() : end.value(whole.form, &call.buffer);
                   }});
      library.row({name + "_inc", {kRange}, oid::kBool, [bound](RowCall&, const ValueView* a) {
                     const auto [whole, end] = bound(a[0]);
                     return bool_value(!whole.empty && end.inclusive);
                   }});
      library.row({name + "_inf", {kRange}, oid::kBool, [bound](RowCall&, const ValueView* a) {
                     const auto [whole, end] = bound(a[0]);
                     return bool_value(!whole.empty && end.infinite);
                   }});
    }
    library.row({prefix + "send",
                 {kDescriptor, kAnyValue},
                 oid::kBytea,
                 [](RowCall& call, const ValueView* a) {
                   call.buffer.clear();
                   const TypeArgument& of = call.types[0];
                   throw_if_error(types::send(of.base, of.physical, a[0], call.io(), &call.buffer));
                   return call.bytes();
                 },
                 Volatility::kStable});
    library.row({prefix + "empty", {kRange}, oid::kBool, [multi](RowCall&, const ValueView* a) {
                   return bool_value(span(a[0], multi).empty);
                 }});
    const auto key = multi ? types::multirange_key : types::range_key;
    library.row({prefix + "cmp", {kRange, kRange}, oid::kInt4, [key](RowCall&, const ValueView* a) {
                   const int order = key(a[0].bytes).compare(key(a[1].bytes));
                   return int_value(order < 0 ? -1 : order > 0);
                 }});
    library.row(
        {multi ? "nummultirange_key" : "numrange_key", {kRange}, oid::kBytea, [key](RowCall&, const ValueView* a) {
           return ValueView::of_bytes(key(a[0].bytes));
         }});
  }
}

// --- Where ranges lie ---

/// `name` of all four pairs: range_name, range_name_multirange, multirange_name_range, multirange_name_multirange.
template <class F>
void add_pairs(Library& library, const std::string& name, F holds) {
  for (bool left : {false, true}) {
    for (bool right : {false, true}) {
      std::string full = (left ? "multirange_" : "range_") + name;
      if (left || right) full += right ? "_multirange" : "_range";
      library.row({full, {kRange, kRange}, oid::kBool, [left, right, holds](RowCall&, const ValueView* a) {
                     return bool_value(holds(a[0], left, a[1], right));
                   }});
    }
  }
}

/// What depends on the outermost bounds alone.
void add_places(Library& library, const char* name, bool (*holds)(const Range&, const Range&)) {
  add_pairs(library, name, [holds](const ValueView& a, bool left, const ValueView& b, bool right) {
    return holds(span(a, left), span(b, right));
  });
}

bool contains(const ValueView& a, bool left, const ValueView& b, bool right) {
  if (!left && !right) return types::range_contains(range(a), range(b));
  return types::multirange_contains(ranges(a, left), ranges(b, right));
}

bool overlaps(const ValueView& a, bool left, const ValueView& b, bool right) {
  if (!left && !right) return types::range_overlaps(range(a), range(b));
  return types::multirange_overlaps(ranges(a, left), ranges(b, right));
}

void add_questions(Library& library) {
  add_places(library, "before", types::range_before);
  add_places(library, "after", [](const Range& a, const Range& b) { return types::range_before(b, a); });
  add_places(library, "overleft", types::range_overleft);
  add_places(library, "overright", types::range_overright);
  add_places(library, "adjacent", types::range_adjacent);
  add_pairs(library, "overlaps", overlaps);
  add_pairs(library, "contains", contains);
  add_pairs(library, "contained_by",
            [](const ValueView& a, bool left, const ValueView& b, bool right) { return contains(b, right, a, left); });
  for (bool multi : {false, true}) {
    const std::string kind = multi ? "multirange" : "range";
    const auto holds = [multi](const ValueView& in, const ValueView& value) {
      return bool_value(multi ? types::multirange_contains_value(multirange(in), value)
                              : types::range_contains_value(range(in), value));
    };
    library.row(
        {kind + "_contains_elem", {kRange, kDescriptor, kAnyValue}, oid::kBool, [holds](RowCall&, const ValueView* a) {
           return holds(a[0], a[1]);
         }});
    library.row({"elem_contained_by_" + kind,
                 {kDescriptor, kAnyValue, kRange},
                 oid::kBool,
                 [holds](RowCall&, const ValueView* a) { return holds(a[1], a[0]); }});
  }
}

// --- Ranges of ranges ---

void add_arithmetic(Library& library) {
  const auto of_ranges = [&](const char* name, auto f) {
    library.row({name, {kRange, kRange}, kRange, [f](RowCall& call, const ValueView* a) {
                   Range out;
                   throw_if_error(f(range(a[0]), range(a[1]), &out));
                   return range(call, out);
                 }});
  };
  of_ranges("range_union", types::range_union);
  of_ranges("range_minus", types::range_minus);
  of_ranges("range_intersect", [](const Range& a, const Range& b, Range* out) {
    *out = types::range_intersect(a, b);
    return Status();
  });
  of_ranges("range_merge", [](const Range& a, const Range& b, Range* out) {
    *out = types::range_merge(a, b);
    return Status();
  });
  library.row({"range_merge_from_multirange", {kRange}, kRange, [](RowCall& call, const ValueView* a) {
                 return range(call, span(a[0], true));
               }});
  const auto of_multiranges = [&](const char* name, Multirange (*f)(const Multirange&, const Multirange&)) {
    library.row({name, {kRange, kRange}, kRange, [f](RowCall& call, const ValueView* a) {
                   return multirange(call, f(multirange(a[0]), multirange(a[1])));
                 }});
  };
  of_multiranges("multirange_union", types::multirange_union);
  of_multiranges("multirange_minus", types::multirange_minus);
  of_multiranges("multirange_intersect", types::multirange_intersect);
}

// --- Aggregates ---

/// All values of the group, as bytes.
struct RangeAggregate : AggregateState {
  std::vector<std::string> values;
  void add(RowCall&, const ValueView* a) override { values.emplace_back(a[0].bytes); }
  void merge(const AggregateState& other) override {
    const auto& o = static_cast<const RangeAggregate&>(other);
    values.insert(values.end(), o.values.begin(), o.values.end());
  }
};

template <bool multi>
struct UnionOfRanges : RangeAggregate {
  ValueView finish(RowCall& call) override {
    std::vector<Range> all;
    for (const std::string& value : values) {
      const Multirange parts = ranges(ValueView::of_bytes(value), multi);
      all.insert(all.end(), parts.begin(), parts.end());
    }
    return multirange(call, types::multirange_of_ranges(std::move(all)));
  }
};

/// Keeps what all values so far have in common.
template <bool multi>
struct IntersectionOfRanges : AggregateState {
  std::optional<std::string> common;
  void take(std::string_view bytes) {
    if (!common)
      common = bytes;
    else if (multi)
      common = types::multirange_to_bytes(
          types::multirange_intersect(types::multirange_of(*common), types::multirange_of(bytes)));
    else
      common = types::range_intersect(Range(*common), Range(bytes)).bytes();
  }
  void add(RowCall&, const ValueView* a) override { take(a[0].bytes); }
  void merge(const AggregateState& other) override {
    const auto& o = static_cast<const IntersectionOfRanges&>(other);
    if (o.common) take(*o.common);
  }
  ValueView finish(RowCall& call) override { return common ? call.text(*common) : null_value(); }
};

template <class State>
void add_range_aggregate(Library& library, const char* name) {
  add_aggregate(
      library, {name, {kRange}, kRange, []() -> std::unique_ptr<AggregateState> { return std::make_unique<State>(); }});
}

}  // namespace

void add_range_functions(Library& library) {
  add_construction(library);
  add_parts(library);
  add_questions(library);
  add_arithmetic(library);
  add_range_aggregate<UnionOfRanges<false>>(library, "range_agg");
  add_range_aggregate<UnionOfRanges<true>>(library, "multirange_agg");
  add_range_aggregate<IntersectionOfRanges<false>>(library, "range_intersect_agg");
  add_range_aggregate<IntersectionOfRanges<true>>(library, "multirange_intersect_agg");
}

}  // namespace omendb::sql::functions
