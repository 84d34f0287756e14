// What administration tools ask beside the catalog: sizes as people read them, options, keywords, privileges as rows.
#include <array>

#include "sql/functions/library.h"
#include "types/array.h"
#include "types/numeric.h"

namespace omendb::sql::functions {

using types::Numeric;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009};

struct SizeUnit {
  const char* name;
  int64_t limit;   // sizes from here on are told in the next unit
  bool round;
  int bits;        // of a byte count to this unit
};
constexpr std::array<SizeUnit, 6> kSizeUnits = {{{"bytes", 10 * 1024, false, 0}, {"kB", 20 * 1024 - 1, true, 10}, {"MB", 20 * 1024 - 1, true, 20},
                                                 {"GB", 20 * 1024 - 1, true, 30}, {"TB", 20 * 1024 - 1, true, 40}, {"PB", INT64_MAX, true, 50}}};

/// A size of at least one unit is kept doubled on the way, so that the last half decides the rounding.
std::string size_text(types::Int128 size) {
  for (size_t i = 0;; ++i) {
    const SizeUnit& unit = kSizeUnits[i];
    if (i + 1 == kSizeUnits.size() || (size < 0 ? -size : size) < unit.limit) {
      if (unit.round) size = (size + (size < 0 ? -1 : 1)) / 2;
      return std::to_string(static_cast<int64_t>(size)) + " " + unit.name;
    }
    const SizeUnit& next = kSizeUnits[i + 1];
    const int bits = next.bits - unit.bits - (next.round ? 1 : 0) + (unit.round ? 1 : 0);
    size /= static_cast<types::Int128>(1) << bits;
  }
}

void add_size_texts(Library& library) {
  library.row({"pg_size_pretty", {oid::kInt8}, oid::kText, [](RowCall& call, const ValueView* a) { return call.text(size_text(a[0].integer)); }});
  library.row({"pg_size_pretty_numeric", {oid::kNumeric}, oid::kText, [](RowCall& call, const ValueView* a) {
    const Numeric size = Numeric::from_bytes(a[0].bytes);
    int64_t whole = 0;
    Numeric truncated;
    types::numeric_trunc(size, 0, &truncated);
    throw_if_error(truncated.to_int64(&whole));
    if (whole > -kSizeUnits[0].limit && whole < kSizeUnits[0].limit) {
      std::string text;
      types::output(oid::kNumeric, {types::Physical::kBytes}, a[0], call.io(), &text);
      return call.text(text + " bytes");
    }
    return call.text(size_text(whole));
  }});
}

/// pg_options_to_table: {a=1,b} as rows.
void add_options(Library& library) {
  library.set({"pg_options_to_table", {kTextArray}, {oid::kText, oid::kText}, [](RowCall&, const ValueView* a, RowSink& sink) {
    const types::ArrayView options(a[0].bytes);
    for (size_t i = 0; i < options.size(); ++i) {
      if (options.is_null(i)) continue;
      const std::string_view text = options.at(i).bytes;
      const size_t equals = text.find('=');
      if (equals == std::string_view::npos) sink.row({ValueView::of_bytes(text), null_value()});
      else sink.row({ValueView::of_bytes(text.substr(0, equals)), ValueView::of_bytes(text.substr(equals + 1))});
    }
  }});
}

/// Nothing is partitioned: no relation is part of a tree.
void add_partitions(Library& library) {
  library.set({"pg_partition_tree", {oid::kRegclass}, {oid::kRegclass, oid::kRegclass, oid::kBool, oid::kInt4},
               [](RowCall&, const ValueView*, RowSink&) {}, Volatility::kStable});
  library.set({"pg_partition_ancestors", {oid::kRegclass}, {oid::kRegclass}, [](RowCall&, const ValueView*, RowSink&) {}, Volatility::kStable});
  library.row({"pg_partition_root", {oid::kRegclass}, oid::kRegclass, [](RowCall&, const ValueView*) { return null_value(); }, Volatility::kStable});
}

}  // namespace

void add_administration_functions(Library& library) {
  add_size_texts(library);
  add_options(library);
  add_partitions(library);
}

}  // namespace omendb::sql::functions
