#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <tuple>

#include "codec/key.h"
#include "codec/row.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/json.h"
#include "types/numeric.h"
#include "types/range.h"
#include "types/record.h"

namespace omendb::codec {
namespace {

using types::Physical;
using types::Value;
using types::ValueView;

/// A random value of a kind, drawn from few enough that equal and neighbouring ones are met.
class Values {
 public:
  explicit Values(uint64_t seed) : random_(seed) {}
  std::mt19937_64& random() { return random_; }

  Value draw(Physical kind, Oid type) {
    switch (kind) {
      case Physical::kBool: return Value(ValueView::of_integer(pick(2)));
      case Physical::kInt16: return Value(ValueView::of_integer(static_cast<int16_t>(number())));
      case Physical::kInt32: return Value(ValueView::of_integer(static_cast<int32_t>(number())));
      case Physical::kUInt32: return Value(ValueView::of_integer(static_cast<uint32_t>(number())));
      case Physical::kInt64: return Value(ValueView::of_integer(number()));
      case Physical::kInt128:
      case Physical::kUuid: return Value(ValueView::of_wide(wide()));
      case Physical::kFloat32: return Value(ValueView::of_real(static_cast<float>(real())));
      case Physical::kFloat64: return Value(ValueView::of_real(real()));
      case Physical::kInterval:
        return Value(ValueView::of_interval({static_cast<int32_t>(pick(5)) - 2, static_cast<int32_t>(pick(90)) - 45,
                                             static_cast<int64_t>(pick(5)) * 43200000000LL - 86400000000LL}));
      case Physical::kBytes:
        if (type == types::oid::kNumeric) {
          types::Numeric n = types::Numeric::from_scaled(number() % 1000000007, static_cast<int>(pick(12)));
          if (pick(20) == 0) n = pick(2) ? types::Numeric::nan() : types::Numeric::infinity(pick(2));
          return Value::of_bytes(n.to_bytes());
        }
        if (const types::RangeType* range = types::find_range_type(type)) return draw_range(*range);
        std::string s(pick(6), ' ');
        for (char& c : s) c = "\0\1\2a\xFE\xFF"[pick(6)];
        return Value::of_bytes(s);
    }
    return {};
  }

 private:
  Value draw_range(const types::RangeType& type) {
    if (pick(10) == 0) return Value::of_bytes(types::Range().bytes());
    Value ends[2];
    for (Value& end : ends) end = draw(types::physical_type(type.element, -1).kind, type.element);
    const auto form = types::physical_type(type.element, -1);
    if (types::compare_values(type.element, form, ends[0].view(), ends[1].view()) > 0) std::swap(ends[0], ends[1]);
    types::NewBound bounds[2];
    for (int i = 0; i < 2; ++i) bounds[i] = {pick(5) == 0, pick(2) == 0, ends[i].view()};
    std::string bytes;
    return types::make_range(type, bounds[0], bounds[1], &bytes).ok() ? Value::of_bytes(bytes) : draw_range(type);
  }
  uint64_t pick(uint64_t n) { return random_() % n; }
  types::Int128 wide() { return (types::Int128{number()} << 64) | static_cast<uint64_t>(number()); }
  int64_t number() {
    switch (pick(6)) {
      case 0: return static_cast<int64_t>(random_());
      case 1: return std::numeric_limits<int64_t>::min() + static_cast<int64_t>(pick(2));
      case 2: return std::numeric_limits<int64_t>::max();
      default: return static_cast<int64_t>(pick(7)) - 3;
    }
  }
  double real() {
    const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, -NAN, 1e-310, -1e-310, 1.5, -1.5, 1e300};
    return pick(3) ? special[pick(11)]
                   : std::ldexp(static_cast<double>(random_()) - 9e18, static_cast<int>(pick(200)) - 100);
  }
  std::mt19937_64 random_;
};

int sign(auto a, auto b) { return a < b ? -1 : b < a ? 1 : 0; }

/// PostgreSQL's order of two values that are not null.
int order(Physical kind, Oid type, const ValueView& a, const ValueView& b) {
  switch (kind) {
    case Physical::kInt128:
    case Physical::kUuid: return sign(a.wide, b.wide);
    case Physical::kFloat32:
    case Physical::kFloat64:
      if (std::isnan(a.real) || std::isnan(b.real)) return sign(std::isnan(a.real), std::isnan(b.real));
      return sign(a.real, b.real);
    case Physical::kInterval: {
      const auto span = [](const types::Interval& i) {
        return (types::Int128{i.months} * 30 + i.days) * 86400000000LL + i.micros;
      };
      return sign(span(a.interval), span(b.interval));
    }
    case Physical::kBytes:
      if (type == types::oid::kNumeric) return sign(types::numeric_key(a.bytes), types::numeric_key(b.bytes));
      if (types::find_range_type(type) != nullptr) return types::compare_values(type, {Physical::kBytes}, a, b);
      return sign(a.bytes, b.bytes);
    default: return sign(a.integer, b.integer);
  }
}

const std::pair<Physical, Oid> kKinds[] = {{Physical::kBool, types::oid::kBool},
                                           {Physical::kInt16, types::oid::kInt2},
                                           {Physical::kInt32, types::oid::kInt4},
                                           {Physical::kUInt32, types::oid::kOid},
                                           {Physical::kInt64, types::oid::kInt8},
                                           {Physical::kInt128, types::oid::kNumeric},
                                           {Physical::kFloat32, types::oid::kFloat4},
                                           {Physical::kFloat64, types::oid::kFloat8},
                                           {Physical::kInterval, types::oid::kInterval},
                                           {Physical::kUuid, types::oid::kUuid},
                                           {Physical::kBytes, types::oid::kText},
                                           {Physical::kBytes, types::oid::kNumeric},
                                           {Physical::kBytes, Oid{3926}},
                                           {Physical::kBytes, Oid{3906}}};

TEST(Key, OrderOfBytesIsOrderOfValues) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Values values(seed);
  for (int round = 0; round < 30000; ++round) {
    std::vector<KeyColumn> columns(1 + values.random()() % 3);
    int expected = 0;
    std::string ka, kb;
    std::vector<Value> as;
    for (auto& column : columns) {
      const auto& [kind, type] = kKinds[values.random()() % std::size(kKinds)];
      column.type = type;
      column.physical.kind = kind;
      column.nullable = values.random()() % 2 == 0;
      column.descending = values.random()() % 2 == 0;
      column.nulls_first = values.random()() % 2 == 0;
      const bool null_a = column.nullable && values.random()() % 4 == 0;
      const bool null_b = column.nullable && values.random()() % 4 == 0;
      const Value a = null_a ? Value() : values.draw(kind, type), b = null_b ? Value() : values.draw(kind, type);
      if (expected == 0) {
        if (null_a || null_b) {
          expected = null_a == null_b ? 0 : (null_a == column.nulls_first ? -1 : 1);
        } else {
          expected = order(kind, type, a.view(), b.view()) * (column.descending ? -1 : 1);
        }
      }
      ASSERT_TRUE(append_key(column, a.view(), &ka).ok());
      ASSERT_TRUE(append_key(column, b.view(), &kb).ok());
      as.push_back(a);
    }
    ASSERT_EQ(sign(ka.compare(kb), 0), expected) << "round " << round;

    std::string_view rest = ka;
    for (size_t i = 0; i < columns.size(); ++i) {
      Value back;
      ASSERT_TRUE(read_key(columns[i], &rest, &back).ok());
      ASSERT_EQ(back.is_null(), as[i].is_null());
      if (!back.is_null()) {
        ASSERT_EQ(order(columns[i].physical.kind, columns[i].type, back.view(), as[i].view()), 0);
      }
    }
    ASSERT_TRUE(rest.empty());
  }
}

TEST(Key, ArraysRecordsAndJsonbAreInTheirOrder) {
  namespace oid = types::oid;
  const types::IoContext io;
  const auto json = [](std::string_view text) {
    std::string bytes;
    EXPECT_TRUE(types::jsonb_from_text(text, &bytes).ok());
    return bytes;
  };
  const auto array = [&](std::string_view text) {
    std::string bytes;
    EXPECT_TRUE(types::parse_array(oid::kInt4, -1, text, io, &bytes).ok());
    return bytes;
  };
  const auto record = [](std::optional<int> a, std::optional<std::string> b) {
    types::RecordBuilder builder;
    builder.add(oid::kInt4, {Physical::kInt32}, a ? ValueView::of_integer(*a) : ValueView());
    builder.add(oid::kText, {Physical::kBytes}, b ? ValueView::of_bytes(*b) : ValueView());
    return builder.finish();
  };
  const std::pair<Oid, std::vector<std::string>> ascending[] = {
      {oid::kJsonb, {json("[]"),        json("null"),      json("\"\""),
                     json("\"a\""),     json("\"ab\""),    json("-1"),
                     json("1.5"),       json("20"),        json("false"),
                     json("true"),      json("[null]"),    json("[1]"),
                     json("[true]"),    json("[[]]"),      json("[{}]"),
                     json("[1,1]"),     json("{}"),        json("{\"a\":1}"),
                     json("{\"a\":2}"), json("{\"b\":0}"), json("{\"a\":1,\"b\":0}")}},
      {oid::kInt4Array,
       {array("{}"), array("{-1}"), array("[0:0]={1}"), array("{1}"), array("{1,2}"), array("{{1,2}}"), array("{1,3}"),
        array("{1,NULL}"), array("{2}"), array("{NULL}")}},
      {Oid{16385},
       {record(-1, "b"), record(1, ""), record(1, std::string("\0", 1)), record(1, std::string("\0z", 2)),
        record(1, "a"), record(1, std::nullopt), record(2, ""), record(std::nullopt, "a")}}};
  for (const auto& [type, values] : ascending) {
    for (const bool descending : {false, true}) {
      const KeyColumn column{type, {Physical::kBytes}, descending};
      std::string before;
      for (const std::string& value : values) {
        std::string key;
        ASSERT_TRUE(append_key(column, ValueView::of_bytes(value), &key).ok());
        // Whatever the next column has: forms end where they end.
        if (!before.empty()) {
          EXPECT_EQ(before + "\xFF" < key + '\0', !descending) << &value - values.data();
        }
        before = std::move(key);
      }
    }
  }
  std::string one, other;
  const KeyColumn column{oid::kJsonb, {Physical::kBytes}};
  ASSERT_TRUE(append_key(column, ValueView::of_bytes(json("{\"a\":1}")), &one).ok());
  ASSERT_TRUE(append_key(column, ValueView::of_bytes(json("{\"a\":1.00}")), &other).ok());
  EXPECT_EQ(one, other);
}

TEST(Key, DamagedBytesAreRefused) {
  KeyColumn column{types::oid::kText, {Physical::kBytes}};
  for (std::string_view bytes : {std::string_view("abc"), std::string_view("\1", 1), std::string_view()}) {
    Value out;
    EXPECT_TRUE(read_key(column, &bytes, &out).is(SqlState::kDataCorrupted));
  }
}

TEST(Key, PrefixSuccessorIsTheLeastGreaterString) {
  EXPECT_EQ(prefix_successor("a"), "b");
  EXPECT_EQ(prefix_successor(std::string("a\xFF\xFF")), "b");
  EXPECT_EQ(prefix_successor("\xFF"), "");
  EXPECT_EQ(prefix_successor(""), "");
}

TEST(Row, ColumnsComeBackAndMissingOnesAreNull) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Values values(seed);
  for (int round = 0; round < 2000; ++round) {
    std::vector<types::PhysicalType> columns(1 + values.random()() % 20);
    std::vector<Oid> types(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto& [kind, type] = kKinds[values.random()() % std::size(kKinds)];
      columns[i].kind = kind;
      types[i] = type;
    }
    const RowLayout layout(columns);
    RowBuilder builder(layout);
    std::vector<Value> written(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      if (values.random()() % 3 == 0) continue;
      written[i] = values.draw(columns[i].kind, types[i]);
      builder.set(i, written[i].view());
    }
    const std::string bytes(builder.finish());
    auto wider = columns;
    wider.resize(columns.size() + values.random()() % 9, {Physical::kBytes});
    const RowLayout read_layout(wider);
    ASSERT_TRUE(RowView::valid(read_layout, bytes));
    ASSERT_FALSE(RowView::valid(read_layout, bytes + "x"));
    const RowView view(read_layout, bytes);
    for (size_t i = 0; i < wider.size(); ++i) {
      ASSERT_EQ(view.present(i), i < columns.size());
      const bool null = i >= columns.size() || written[i].is_null();
      ASSERT_EQ(view.is_null(i), null);
      if (!null) {
        ASSERT_EQ(order(columns[i].kind, types[i], view.get(i), written[i].view()), 0);
      }
    }
  }
}

TEST(Row, APatchedRowIsTheRowWrittenAnew) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Values values(seed);
  for (int round = 0; round < 5000; ++round) {
    std::vector<types::PhysicalType> columns(1 + values.random()() % 12);
    std::vector<Oid> types(columns.size());
    for (size_t i = 0; i < columns.size(); ++i)
      std::tie(columns[i].kind, types[i]) = kKinds[values.random()() % std::size(kKinds)];
    const RowLayout layout(columns);
    RowBuilder builder(layout), anew(layout), patched(layout);
    std::vector<Value> before(columns.size()), after(columns.size());
    std::vector<size_t> changed;
    auto draw = [&](size_t i) { return values.random()() % 4 == 0 ? Value() : values.draw(columns[i].kind, types[i]); };
    for (size_t i = 0; i < columns.size(); ++i) {
      after[i] = before[i] = draw(i);
      builder.set(i, before[i].view());
      if (values.random()() % 3 == 0) {
        changed.push_back(i);
        after[i] = draw(i);
        patched.set(i, after[i].view());
      }
      anew.set(i, after[i].view());
    }
    const std::string old(builder.finish());
    ASSERT_EQ(patched.patch(old, changed), anew.finish());
    const RowLayout wider([&] {
      auto more = columns;
      more.push_back({Physical::kInt32});
      return more;
    }());
    ASSERT_TRUE(RowView(layout, old).complete());
    ASSERT_FALSE(RowView(wider, old).complete());
  }
}

}  // namespace
}  // namespace omendb::codec
