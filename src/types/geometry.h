// The geometric types: point, line, lseg, box, path, polygon, circle (PostgreSQL's manual, 8.8 and 9.11). All are kBytes that lie
// as they go over the wire: big-endian float8s, behind a path's "closed" byte and a path's or polygon's number of points.
//
// Comparisons are PostgreSQL's: what is nearer than 1e-6 is equal, but where a comment says "exactly".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/io.h"
#include "types/type.h"

namespace omendb::types {

namespace oid {
inline constexpr Oid kPoint{600}, kLseg{601}, kPath{602}, kBox{603}, kPolygon{604}, kLine{628}, kCircle{718};
}  // namespace oid

inline bool is_geometric(Oid type) {
  return (type.value >= 600 && type.value <= 604) || type == oid::kLine || type == oid::kCircle;
}

struct Point {
  double x = 0, y = 0;
};
struct Lseg {
  Point p[2];
};
/// Corners: no coordinate of `low` is greater than that of `high`.
struct Box {
  Point high, low;
};
/// Ax + By + C = 0.
struct Line {
  double a = 0, b = 0, c = 0;
};
struct Path {
  bool closed = false;
  std::vector<Point> points;
};
struct Polygon {
  std::vector<Point> points;
};
struct Circle {
  Point center;
  double radius = 0;
};

/// What they lie as. Requires bytes that geometry_to_bytes or receive_geometry made.
Point point_of(std::string_view bytes);
Lseg lseg_of(std::string_view bytes);
Box box_of(std::string_view bytes);
Line line_of(std::string_view bytes);
Path path_of(std::string_view bytes);
Polygon polygon_of(std::string_view bytes);
Circle circle_of(std::string_view bytes);
double geometry_number(std::string_view bytes, size_t i);  // of those that are numbers only
std::string geometry_to_bytes(const Point& value);
std::string geometry_to_bytes(const Lseg& value);
std::string geometry_to_bytes(const Box& value);
std::string geometry_to_bytes(const Line& value);
std::string geometry_to_bytes(const Path& value);
std::string geometry_to_bytes(const Polygon& value);
std::string geometry_to_bytes(const Circle& value);

/// Errors: 22P02, 22003.
Status parse_geometry(Oid type, std::string_view text, std::string* out);
void append_geometry(Oid type, std::string_view bytes, int extra_float_digits, std::string* out);
/// Errors: 22P03, 08P01.
Status receive_geometry(Oid type, std::string_view bytes, std::string* out);

// ---- comparisons of numbers ----
inline constexpr double kGeometryEpsilon = 1.0E-06;
inline bool is_zero(double a) { return __builtin_fabs(a) <= kGeometryEpsilon; }
inline bool is_equal(double a, double b) { return a == b || __builtin_fabs(a - b) <= kGeometryEpsilon; }
inline bool is_less(double a, double b) { return a + kGeometryEpsilon < b; }
inline bool is_at_most(double a, double b) { return a <= b + kGeometryEpsilon; }
inline bool is_more(double a, double b) { return a > b + kGeometryEpsilon; }
inline bool is_at_least(double a, double b) { return a + kGeometryEpsilon >= b; }

/// Arithmetic that throws nothing away: a GeometryError where a finite calculation leaves the range of float8.
struct GeometryError {
  Status status;
};
double plus(double a, double b);
double minus(double a, double b);
double times(double a, double b);
double over(double a, double b);
double hypotenuse(double x, double y);

// ---- points and lines ----
bool same_point(const Point& a, const Point& b);
double distance(const Point& a, const Point& b);
Point add(const Point& a, const Point& b);
Point subtract(const Point& a, const Point& b);
/// As complex numbers.
Point multiply(const Point& a, const Point& b);
Point divide(const Point& a, const Point& b);
double slope(const Point& a, const Point& b);
double perpendicular_slope(const Point& a, const Point& b);
Line line_through(const Point& point, double slope);
double slope(const Line& line);
double perpendicular_slope(const Line& line);
bool same_line(const Line& a, const Line& b);
bool perpendicular(const Line& a, const Line& b);
double distance(const Line& a, const Line& b);

// ---- what lies on or in what ----
bool contains(const Line& line, const Point& point);
bool contains(const Lseg& segment, const Point& point);
bool contains(const Box& box, const Point& point);  // exactly
bool contains(const Box& outer, const Box& inner);
bool contains(const Path& path, const Point& point);  // on an open one, in a closed one
bool contains(const Polygon& polygon, const Point& point);
bool contains(const Polygon& outer, const Polygon& inner);
bool overlaps(const Box& a, const Box& b);
bool overlaps(const Polygon& a, const Polygon& b);
bool same_polygon(const Polygon& a, const Polygon& b);

// ---- where they meet; `at` may be null ----
bool meet(const Line& a, const Line& b, Point* at);
bool meet(const Lseg& segment, const Line& line, Point* at);
bool meet(const Lseg& a, const Lseg& b, Point* at);
bool meet(const Box& box, const Lseg& segment, Point* nearest_to_center);
bool meet(const Line& line, const Box& box);
bool meet(const Path& a, const Path& b);

// ---- the nearest point of the first to the second, and how far it is; `at` may be null ----
double nearest(const Line& line, const Point& point, Point* at);
double nearest(const Lseg& segment, const Point& point, Point* at);
double nearest(const Lseg& segment, const Line& line, Point* at);
double nearest(const Lseg& segment, const Lseg& to, Point* at);
double nearest(const Box& box, const Point& point, Point* at);
double nearest(const Box& box, const Lseg& segment, Point* at);
double distance(const Path& path, const Point& point);
/// False: neither has a segment.
bool distance(const Path& a, const Path& b, double* out);
double distance(const Polygon& polygon, const Point& point);

// ---- made of others ----
Box box_around(const Point& a, const Point& b);
Box bounds(const std::vector<Point>& points);
Point center(const Box& box);
Circle circle_around(const Polygon& polygon);
double length(const Path& path);
double area(const Path& path);
double area(const Box& box);
double area(const Circle& circle);

}  // namespace omendb::types
