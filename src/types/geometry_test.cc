#include "types/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace omendb::types {
namespace {

TEST(Geometry, TextAndBinaryFormsGiveTheValueBack) {
  std::mt19937_64 random(11);
  const auto number = [&] {
    return std::ldexp(static_cast<double>(static_cast<int64_t>(random())), -static_cast<int>(random() % 90));
  };
  const auto point = [&] { return Point{number(), number()}; };
  const auto points = [&] {
    std::vector<Point> list(1 + random() % 5);
    for (Point& p : list) p = point();
    return list;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::pair<Oid, std::string> values[] = {
        {oid::kPoint, geometry_to_bytes(point())},
        {oid::kLseg, geometry_to_bytes(Lseg{{point(), point()}})},
        {oid::kBox, geometry_to_bytes(box_around(point(), point()))},
        {oid::kLine, geometry_to_bytes(Line{1 + std::fabs(number()), number(), number()})},
        {oid::kPath, geometry_to_bytes(Path{random() % 2 == 0, points()})},
        {oid::kPolygon, geometry_to_bytes(Polygon{points()})},
        {oid::kCircle, geometry_to_bytes(Circle{point(), std::fabs(number())})}};
    for (const auto& [type, bytes] : values) {
      std::string text, back;
      append_geometry(type, bytes, 1, &text);
      ASSERT_TRUE(parse_geometry(type, text, &back).ok()) << text;
      EXPECT_EQ(back, bytes) << text;
      ASSERT_TRUE(receive_geometry(type, bytes, &back).ok()) << text;
      EXPECT_EQ(back, bytes) << text;
      // What is cut short is no value.
      EXPECT_FALSE(receive_geometry(type, bytes.substr(0, random() % bytes.size()), &back).ok()) << text;
      (void)parse_geometry(type, text.substr(0, random() % text.size()), &back).ok();
    }
  }
}

TEST(Geometry, ASquareIsInItselfAndOutsideOfItsNotch) {
  const Polygon square{{{0, 0}, {4, 0}, {4, 4}, {0, 4}}}, notched{{{0, 0}, {4, 0}, {4, 4}, {2, 1}, {0, 4}}};
  EXPECT_TRUE(contains(square, square));
  EXPECT_TRUE(contains(square, notched));
  EXPECT_FALSE(contains(notched, square));
  EXPECT_TRUE(contains(notched, Point{2, 1}));
  EXPECT_FALSE(contains(notched, Point{2, 2}));
  EXPECT_DOUBLE_EQ(distance(square, Point{7, 8}), 5);
}

}  // namespace
}  // namespace omendb::types
