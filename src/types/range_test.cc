#include "types/range.h"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

#include "types/compare.h"
#include "types/multirange.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

// A range over the numbers from 0 to 7 as the set of places that it covers: place 2n + 1 is the number n, the places beside it
// are the numbers between n and its neighbours.
constexpr int kNumbers = 8, kPlaces = 2 * kNumbers + 1;
using Places = std::bitset<kPlaces>;

struct Drawn {
  std::string bytes;
  Places places;
};

std::string numeric(int value, int scale) {
  return Numeric::from_scaled(value * std::vector<int>{1, 10, 100}[static_cast<size_t>(scale)], scale).to_bytes();
}

class Ranges {
 public:
  explicit Ranges(uint64_t seed) : random_(seed) {}
  std::mt19937_64& random() { return random_; }

  /// Of numrange, or of int4range, whose places are the numbers alone.
  Drawn draw(bool discrete) {
    const RangeType& type = *find_range_type(Oid{discrete ? 3904U : 3906U});
    Drawn drawn;
    if (pick(12) == 0) {
      drawn.bytes = Range().bytes();
      return drawn;
    }
    int from = pick(kNumbers), to = pick(kNumbers);
    if (from > to) std::swap(from, to);
    const std::string values[2] = {numeric(from, pick(3)), numeric(to, pick(3))};
    NewBound lower{pick(6) == 0, pick(2) == 0, discrete ? ValueView::of_integer(from) : ValueView::of_bytes(values[0])};
    NewBound upper{pick(6) == 0, pick(2) == 0, discrete ? ValueView::of_integer(to) : ValueView::of_bytes(values[1])};
    EXPECT_TRUE(make_range(type, lower, upper, &drawn.bytes).ok());
    for (int place = 0; place < kPlaces; ++place) {
      if (discrete && place % 2 == 0 && place > 0 && place < kPlaces - 1) continue;
      const int low = 2 * from + 1, high = 2 * to + 1;
      drawn.places[static_cast<size_t>(place)] = (lower.infinite || (lower.inclusive ? place >= low : place > low)) &&
                                                 (upper.infinite || (upper.inclusive ? place <= high : place < high));
    }
    return drawn;
  }

  Drawn draw_several(bool discrete) {
    std::vector<Drawn> parts;
    Drawn all;
    for (int i = pick(4); i > 0; --i) parts.push_back(draw(discrete));
    std::vector<Range> ranges;
    for (const Drawn& part : parts) {
      ranges.emplace_back(part.bytes);
      all.places |= part.places;
    }
    all.bytes = multirange_to_bytes(multirange_of_ranges(ranges));
    return all;
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  std::mt19937_64 random_;
};

int first(const Places& places) {
  for (int i = 0; i < kPlaces; ++i) {
    if (places[static_cast<size_t>(i)]) return i;
  }
  return kPlaces;
}
int last(const Places& places) {
  for (int i = kPlaces - 1; i >= 0; --i) {
    if (places[static_cast<size_t>(i)]) return i;
  }
  return -1;
}
/// All places from the first to the last, the gaps of a discrete type left out.
Places filled(const Places& places, bool discrete) {
  Places all;
  for (int i = first(places); i <= last(places); ++i) {
    if (!discrete || i % 2 == 1 || i == 0 || i == kPlaces - 1) all.set(static_cast<size_t>(i));
  }
  return all;
}

int sign(int v) { return v < 0 ? -1 : v > 0; }

std::string text(std::string_view bytes, bool discrete) {
  std::string out;
  append_range(*find_range_type(Oid{discrete ? 3904U : 3906U}), Range(bytes), IoContext(), &out);
  return out;
}

class RangeTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, RangeTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "int4" : "numeric"; });

TEST_P(RangeTest, OperatorsAreThoseOfSets) {
  const bool discrete = GetParam();
  const Oid type{discrete ? 3904U : 3906U};
  Ranges ranges(11);
  for (int i = 0; i < 50000; ++i) {
    const Drawn x = ranges.draw(discrete), y = ranges.draw(discrete);
    const Range a(x.bytes), b(y.bytes);
    SCOPED_TRACE(text(x.bytes, discrete) + " and " + text(y.bytes, discrete));
    const bool both = x.places.any() && y.places.any();
    ASSERT_EQ(a.empty, x.places.none());
    ASSERT_EQ(range_contains(a, b), (y.places & ~x.places).none());
    ASSERT_EQ(range_overlaps(a, b), (x.places & y.places).any());
    ASSERT_EQ(range_before(a, b), both && last(x.places) < first(y.places));
    ASSERT_EQ(range_overleft(a, b), both && last(x.places) <= last(y.places));
    ASSERT_EQ(range_overright(a, b), both && first(x.places) >= first(y.places));
    const Places together = x.places | y.places;
    const bool joined = together == filled(together, discrete);
    ASSERT_EQ(range_adjacent(a, b), both && joined && (x.places & y.places).none());
    // Bytes order as the type: the empty range, then by first place, then by last.
    const int order = !both ? static_cast<int>(x.places.any()) - static_cast<int>(y.places.any())
                      : first(x.places) != first(y.places) ? first(x.places) - first(y.places)
                                                           : last(x.places) - last(y.places);
    ASSERT_EQ(sign(range_key(x.bytes).compare(range_key(y.bytes))), sign(order));
    ASSERT_EQ(compare_values(type, {Physical::kBytes}, ValueView::of_bytes(x.bytes), ValueView::of_bytes(y.bytes)),
              sign(order));
    // What comes out is the set, and bytes that say so: they contain it and lie within it.
    Range made;
    auto is = [&](const Range& range, const Places& places) {
      const std::string bytes = range.bytes();
      const Range again(bytes);
      for (int n = 0; n < kNumbers; ++n) {
        const std::string value = numeric(n, 0);
        if (range_contains_value(range, discrete ? ValueView::of_integer(n) : ValueView::of_bytes(value)) !=
            places[static_cast<size_t>(2 * n + 1)])
          return false;
      }
      return again.empty == places.none() && range_key(again.bytes()) == range_key(bytes);
    };
    ASSERT_TRUE(is(range_intersect(a, b), x.places & y.places));
    ASSERT_TRUE(is(range_merge(a, b), filled(together, discrete)));
    ASSERT_EQ(range_union(a, b, &made).ok(), !both || joined);
    if (!both || joined) {
      ASSERT_TRUE(is(made, together));
    }
    const Places rest = x.places & ~y.places;
    const bool whole = rest == filled(rest, discrete);
    ASSERT_EQ(range_minus(a, b, &made).ok(), whole);
    if (whole) {
      ASSERT_TRUE(is(made, rest));
    }
  }
}

TEST_P(RangeTest, MultirangesAreSets) {
  const bool discrete = GetParam();
  const Oid type{discrete ? 4451U : 4532U};
  Ranges ranges(12);
  for (int i = 0; i < 50000; ++i) {
    const Drawn x = ranges.draw_several(discrete), y = ranges.draw_several(discrete);
    const Multirange a = multirange_of(x.bytes), b = multirange_of(y.bytes);
    auto is = [&](const Multirange& made, const Places& places) {
      const std::string bytes = multirange_to_bytes(made);
      // Nothing in it touches, so there is one form of every set.
      if (multirange_key(multirange_to_bytes(multirange_of_ranges(made))) != multirange_key(bytes)) return false;
      for (int n = 0; n < kNumbers; ++n) {
        const std::string value = numeric(n, 0);
        if (multirange_contains_value(made, discrete ? ValueView::of_integer(n) : ValueView::of_bytes(value)) !=
            places[static_cast<size_t>(2 * n + 1)])
          return false;
      }
      return made.empty() == places.none();
    };
    ASSERT_TRUE(is(a, x.places));
    ASSERT_TRUE(is(multirange_union(a, b), x.places | y.places));
    ASSERT_TRUE(is(multirange_intersect(a, b), x.places & y.places));
    ASSERT_TRUE(is(multirange_minus(a, b), x.places & ~y.places));
    ASSERT_EQ(multirange_contains(a, b), (y.places & ~x.places).none());
    ASSERT_EQ(multirange_overlaps(a, b), (x.places & y.places).any());
    const ValueView left = ValueView::of_bytes(x.bytes), right = ValueView::of_bytes(y.bytes);
    ASSERT_EQ(compare_values(type, {Physical::kBytes}, left, right) == 0, x.places == y.places);
    ASSERT_EQ(multirange_key(multirange_from_key(multirange_key(x.bytes))), multirange_key(x.bytes));
  }
}

TEST(Range, TextAndWireReadBack) {
  Ranges ranges(13);
  const IoContext context;
  for (int i = 0; i < 20000; ++i) {
    for (const bool discrete : {false, true}) {
      for (const bool multi : {false, true}) {
        const Drawn x = multi ? ranges.draw_several(discrete) : ranges.draw(discrete);
        const Oid type{multi ? (discrete ? 4451U : 4532U) : (discrete ? 3904U : 3906U)};
        const ValueView value = ValueView::of_bytes(x.bytes);
        std::string text, wire;
        Value read, received;
        output(type, {Physical::kBytes}, value, context, &text);
        ASSERT_TRUE(input(type, -1, text, context, &read).ok()) << text;
        ASSERT_EQ(read.view().bytes, x.bytes) << text;
        ASSERT_TRUE(send(type, {Physical::kBytes}, value, context, &wire).ok());
        ASSERT_TRUE(receive(type, -1, wire, context, &received).ok()) << text;
        ASSERT_EQ(received.view().bytes, x.bytes) << text;
        for (size_t cut = 0; cut < wire.size(); ++cut)
          ASSERT_FALSE(receive(type, -1, wire.substr(0, cut), context, &received).ok()) << text;
      }
    }
  }
}

}  // namespace
}  // namespace omendb::types
