#include "types/geometry.h"

#include <cmath>
#include <limits>

#include "types/geometry_parts.h"

namespace omendb::types {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[noreturn]] void fail(SqlState code, const char* message) { throw GeometryError{Status(code, message)}; }
[[noreturn]] void overflow() { fail(SqlState::kNumericValueOutOfRange, "value out of range: overflow"); }
[[noreturn]] void underflow() { fail(SqlState::kNumericValueOutOfRange, "value out of range: underflow"); }

}  // namespace

// ---- numbers ----

double plus(double a, double b) {
  const double sum = a + b;
  if (std::isinf(sum) && !std::isinf(a) && !std::isinf(b)) overflow();
  return sum;
}
double minus(double a, double b) {
  const double difference = a - b;
  if (std::isinf(difference) && !std::isinf(a) && !std::isinf(b)) overflow();
  return difference;
}
double times(double a, double b) {
  const double product = a * b;
  if (std::isinf(product) && !std::isinf(a) && !std::isinf(b)) overflow();
  if (product == 0 && a != 0 && b != 0) underflow();
  return product;
}
double over(double a, double b) {
  if (b == 0 && !std::isnan(a)) fail(SqlState::kDivisionByZero, "division by zero");
  const double quotient = a / b;
  if (std::isinf(quotient) && !std::isinf(a)) overflow();
  if (quotient == 0 && a != 0 && !std::isinf(b)) underflow();
  return quotient;
}
double hypotenuse(double x, double y) {
  if (std::isinf(x) || std::isinf(y)) return kInfinity;
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<double>::quiet_NaN();
  double longer = std::fabs(x), shorter = std::fabs(y);
  if (longer < shorter) std::swap(longer, shorter);
  if (shorter == 0) return longer;
  const double ratio = shorter / longer;
  const double result = longer * std::sqrt(1.0 + ratio * ratio);
  if (std::isinf(result)) overflow();
  if (result == 0) underflow();
  return result;
}
// ---- points and lines ----

bool same_point(const Point& a, const Point& b) {
  // What is not a number is equal to itself, and then the other coordinate counts exactly.
  if (std::isnan(a.x) || std::isnan(a.y) || std::isnan(b.x) || std::isnan(b.y)) {
    const auto equal = [](double l, double r) { return std::isnan(l) ? std::isnan(r) : l == r; };
    return equal(a.x, b.x) && equal(a.y, b.y);
  }
  return is_equal(a.x, b.x) && is_equal(a.y, b.y);
}
double distance(const Point& a, const Point& b) { return hypotenuse(minus(a.x, b.x), minus(a.y, b.y)); }
Point add(const Point& a, const Point& b) { return {plus(a.x, b.x), plus(a.y, b.y)}; }
Point subtract(const Point& a, const Point& b) { return {minus(a.x, b.x), minus(a.y, b.y)}; }
Point multiply(const Point& a, const Point& b) {
  return {minus(times(a.x, b.x), times(a.y, b.y)), plus(times(a.x, b.y), times(a.y, b.x))};
}
Point divide(const Point& a, const Point& b) {
  const double size = plus(times(b.x, b.x), times(b.y, b.y));
  return {over(plus(times(a.x, b.x), times(a.y, b.y)), size), over(minus(times(b.x, a.y), times(a.x, b.y)), size)};
}
double slope(const Point& a, const Point& b) {
  if (is_equal(a.x, b.x)) return kInfinity;
  if (is_equal(a.y, b.y)) return 0;
  return over(minus(a.y, b.y), minus(a.x, b.x));
}
double perpendicular_slope(const Point& a, const Point& b) {
  if (is_equal(a.x, b.x)) return 0;
  if (is_equal(a.y, b.y)) return kInfinity;
  return over(minus(a.x, b.x), minus(b.y, a.y));
}

Line line_through(const Point& point, double slope) {
  if (std::isinf(slope)) return {-1, 0, point.x};
  if (slope == 0) return {0, -1, point.y};
  Line line{slope, -1, minus(point.y, times(slope, point.x))};
  if (line.c == 0) line.c = 0;  // not -0
  return line;
}
double slope(const Line& line) {
  if (is_zero(line.a)) return 0;
  if (is_zero(line.b)) return kInfinity;
  return over(line.a, -line.b);
}
double perpendicular_slope(const Line& line) {
  if (is_zero(line.a)) return kInfinity;
  if (is_zero(line.b)) return 0;
  return over(line.b, line.a);
}
bool same_line(const Line& a, const Line& b) {
  for (double part : {a.a, a.b, a.c, b.a, b.b, b.c}) {
    if (!std::isnan(part)) continue;
    const auto equal = [](double l, double r) { return std::isnan(l) ? std::isnan(r) : l == r; };
    return equal(a.a, b.a) && equal(a.b, b.b) && equal(a.c, b.c);
  }
  const double ratio = !is_zero(b.a)   ? over(a.a, b.a)
                       : !is_zero(b.b) ? over(a.b, b.b)
                       : !is_zero(b.c) ? over(a.c, b.c)
                                       : 1;
  return is_equal(a.a, times(ratio, b.a)) && is_equal(a.b, times(ratio, b.b)) && is_equal(a.c, times(ratio, b.c));
}
bool perpendicular(const Line& a, const Line& b) {
  if (is_zero(a.a)) return is_zero(b.b);
  if (is_zero(b.a)) return is_zero(a.b);
  if (is_zero(a.b)) return is_zero(b.a);
  if (is_zero(b.b)) return is_zero(a.a);
  return is_equal(over(times(a.a, b.a), times(a.b, b.b)), -1);
}
double distance(const Line& a, const Line& b) {
  if (meet(a, b, nullptr)) return 0;
  const auto usable = [](double part) { return !is_zero(part) && !std::isnan(part); };
  const double ratio = usable(a.a) && usable(b.a) ? over(a.a, b.a) : usable(a.b) && usable(b.b) ? over(a.b, b.b) : 1;
  return over(std::fabs(minus(a.c, times(ratio, b.c))), hypotenuse(a.a, a.b));
}

// ---- made of others ----

Box box_around(const Point& a, const Point& b) {
  Box box{a, b};
  if (less(box.high.x, box.low.x)) std::swap(box.high.x, box.low.x);
  if (less(box.high.y, box.low.y)) std::swap(box.high.y, box.low.y);
  return box;
}
Box bounds(const std::vector<Point>& points) {
  Box box{points[0], points[0]};
  for (const Point& point : points) {
    if (less(point.x, box.low.x)) box.low.x = point.x;
    if (less(point.y, box.low.y)) box.low.y = point.y;
    if (less(box.high.x, point.x)) box.high.x = point.x;
    if (less(box.high.y, point.y)) box.high.y = point.y;
  }
  return box;
}
Point center(const Box& box) { return {over(plus(box.high.x, box.low.x), 2), over(plus(box.high.y, box.low.y), 2)}; }
Circle circle_around(const Polygon& polygon) {
  Circle circle;
  const auto count = static_cast<double>(polygon.points.size());
  for (const Point& point : polygon.points) circle.center = add(circle.center, point);
  circle.center = {over(circle.center.x, count), over(circle.center.y, count)};
  for (const Point& point : polygon.points) circle.radius = plus(circle.radius, distance(point, circle.center));
  circle.radius = over(circle.radius, count);
  return circle;
}
double length(const Path& path) {
  double sum = 0;
  any_segment(path, [&](const Lseg& segment) {
    sum = plus(sum, distance(segment.p[0], segment.p[1]));
    return false;
  });
  return sum;
}
double area(const Path& path) {
  double sum = 0;
  const size_t count = path.points.size();
  for (size_t i = 0; i < count; ++i) {
    const Point& here = path.points[i];
    const Point& next = path.points[(i + 1) % count];
    sum = minus(plus(sum, times(here.x, next.y)), times(here.y, next.x));
  }
  return over(std::fabs(sum), 2);
}
double area(const Box& box) { return times(minus(box.high.x, box.low.x), minus(box.high.y, box.low.y)); }
double area(const Circle& circle) { return times(times(circle.radius, circle.radius), M_PI); }

}  // namespace omendb::types
