// enum_first, enum_last, enum_range. An enum's value is its label's sort order.
#include "sql/functions/library.h"
#include "types/array.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009};

/// The enum as this transaction knows it.
const catalog::EnumType& enum_of(RowCall& call) {
  const auto* type = call.services().catalog()->find<catalog::EnumType>(call.types[0].type);
  if (type == nullptr) throw SqlError(SqlState::kFeatureNotSupported, "could not determine actual enum type");
  return *type;
}

ValueView end_of(RowCall& call, bool first) {
  const catalog::EnumType& type = enum_of(call);
  if (type.labels.empty()) throw SqlError(SqlState::kObjectNotInPrerequisiteState, "enum " + type.name + " contains no values");
  return real_value(first ? type.labels.front().sort_order : type.labels.back().sort_order);
}

/// The labels from one to another; a null bound is the end there.
ValueView range_of(RowCall& call, const ValueView& from, const ValueView& to) {
  types::ArrayBuilder builder(call.types[0].type, call.types[0].physical);
  for (const auto& label : enum_of(call).labels) {
    if (!from.null && label.sort_order < from.real) continue;
    if (!to.null && label.sort_order > to.real) continue;
    builder.add(real_value(label.sort_order));
  }
  call.buffer = builder.finish();
  return call.bytes();
}

}  // namespace

void add_enum_functions(Library& library) {
  auto loose = [&](RowSpec spec) {
    spec.strict = false;
    spec.volatility = Volatility::kStable;
    library.row(std::move(spec));
  };
  loose({"enum_first", {kDescriptor, kAnyValue}, kDescribed, [](RowCall& call, const ValueView*) { return end_of(call, true); }});
  loose({"enum_last", {kDescriptor, kAnyValue}, kDescribed, [](RowCall& call, const ValueView*) { return end_of(call, false); }});
  loose({"enum_range_all", {kDescriptor, kAnyValue}, kTextArray, [](RowCall& call, const ValueView*) { return range_of(call, null_value(), null_value()); }});
  loose({"enum_range_bounds", {kDescriptor, kAnyValue, kDescriptor, kAnyValue}, kTextArray,
         [](RowCall& call, const ValueView* a) { return range_of(call, a[0], a[1]); }});
}

}  // namespace omendb::sql::functions
