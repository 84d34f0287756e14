// Functions over geometric values (types/geometry.h; PostgreSQL's manual, 9.11).
#include <cmath>
#include <optional>

#include "sql/functions/library.h"
#include "types/geometry.h"

namespace omendb::sql::functions {

using types::Box;
using types::Circle;
using types::Line;
using types::Lseg;
using types::Path;
using types::Point;
using types::Polygon;
using types::ValueView;
namespace oid = types::oid;

namespace {

/// The C++ type of an argument or a result, and how it lies.
template <class T>
struct Form;
template <>
struct Form<Point> {
  static constexpr Oid kType = oid::kPoint;
  static Point read(const ValueView& v) { return types::point_of(v.bytes); }
};
template <>
struct Form<Lseg> {
  static constexpr Oid kType = oid::kLseg;
  static Lseg read(const ValueView& v) { return types::lseg_of(v.bytes); }
};
template <>
struct Form<Box> {
  static constexpr Oid kType = oid::kBox;
  static Box read(const ValueView& v) { return types::box_of(v.bytes); }
};
template <>
struct Form<Line> {
  static constexpr Oid kType = oid::kLine;
  static Line read(const ValueView& v) { return types::line_of(v.bytes); }
};
template <>
struct Form<Path> {
  static constexpr Oid kType = oid::kPath;
  static Path read(const ValueView& v) { return types::path_of(v.bytes); }
};
template <>
struct Form<Polygon> {
  static constexpr Oid kType = oid::kPolygon;
  static Polygon read(const ValueView& v) { return types::polygon_of(v.bytes); }
};
template <>
struct Form<Circle> {
  static constexpr Oid kType = oid::kCircle;
  static Circle read(const ValueView& v) { return types::circle_of(v.bytes); }
};
template <>
struct Form<double> {
  static constexpr Oid kType = oid::kFloat8;
  static double read(const ValueView& v) { return v.real; }
};
template <>
struct Form<int32_t> {
  static constexpr Oid kType = oid::kInt4;
  static int32_t read(const ValueView& v) { return static_cast<int32_t>(v.integer); }
};
template <>
struct Form<bool> {
  static constexpr Oid kType = oid::kBool;
};
/// A result that may be null.
template <class T>
struct Form<std::optional<T>> : Form<T> {};

ValueView give(RowCall&, bool value) { return bool_value(value); }
ValueView give(RowCall&, int32_t value) { return int_value(value); }
ValueView give(RowCall&, double value) { return real_value(value); }
template <class T>
ValueView give(RowCall& call, const T& value) {
  return call.text(types::geometry_to_bytes(value));
}
template <class T>
ValueView give(RowCall& call, const std::optional<T>& value) {
  return value ? give(call, *value) : null_value();
}

template <class R, class A>
void add(Library& library, const char* name, R (*f)(A)) {
  using T = std::decay_t<A>;
  library.row({name, {Form<T>::kType}, Form<R>::kType, [f](RowCall& call, const ValueView* a) {
                 try {
                   return give(call, f(Form<T>::read(a[0])));
                 } catch (const types::GeometryError& error) {
                   throw SqlError(error.status);
                 }
               }});
}
template <class R, class A, class B>
void add(Library& library, const char* name, R (*f)(A, B)) {
  using T = std::decay_t<A>;
  using U = std::decay_t<B>;
  library.row({name, {Form<T>::kType, Form<U>::kType}, Form<R>::kType, [f](RowCall& call, const ValueView* a) {
                 try {
                   return give(call, f(Form<T>::read(a[0]), Form<U>::read(a[1])));
                 } catch (const types::GeometryError& error) {
                   throw SqlError(error.status);
                 }
               }});
}

/// The nearest point, if it is one at all.
std::optional<Point> found(double distance, const Point& at) {
  if (std::isnan(distance)) return std::nullopt;
  return at;
}
double slope(const Lseg& segment) { return types::slope(segment.p[0], segment.p[1]); }
double length(const Lseg& segment) { return types::distance(segment.p[0], segment.p[1]); }
Point middle(const Lseg& segment) {
  const Point& a = segment.p[0];
  const Point& b = segment.p[1];
  return {types::over(types::plus(a.x, b.x), 2), types::over(types::plus(a.y, b.y), 2)};
}
Box bounds(const Polygon& polygon) { return types::bounds(polygon.points); }
double least_zero(double distance) { return distance < 0 ? 0 : distance; }

void add_points(Library& library) {
  add(
      library, "construct_point", +[](double x, double y) {
        return Point{x, y};
      });
  add(
      library, "point_left", +[](const Point& a, const Point& b) { return types::is_less(a.x, b.x); });
  add(
      library, "point_right", +[](const Point& a, const Point& b) { return types::is_more(a.x, b.x); });
  add(
      library, "point_above", +[](const Point& a, const Point& b) { return types::is_more(a.y, b.y); });
  add(
      library, "point_below", +[](const Point& a, const Point& b) { return types::is_less(a.y, b.y); });
  add(
      library, "point_vert", +[](const Point& a, const Point& b) { return types::is_equal(a.x, b.x); });
  add(
      library, "point_horiz", +[](const Point& a, const Point& b) { return types::is_equal(a.y, b.y); });
  add(library, "point_eq", types::same_point);
  add(
      library, "point_ne", +[](const Point& a, const Point& b) { return !types::same_point(a, b); });
  add(
      library, "point_distance", +[](const Point& a, const Point& b) { return types::distance(a, b); });
  add(
      library, "point_slope", +[](const Point& a, const Point& b) { return types::slope(a, b); });
  add(library, "point_add", types::add);
  add(library, "point_sub", types::subtract);
  add(library, "point_mul", types::multiply);
  add(library, "point_div", types::divide);
  add(
      library, "point_box", +[](const Point& p) {
        return Box{p, p};
      });
}

/// Subscripts: from 0, null where there is nothing.
void add_parts(Library& library) {
  library.row({"geometry_number", {oid::kPoint, oid::kInt4}, oid::kFloat8, [](RowCall&, const ValueView* a) {
                 const auto i = static_cast<uint64_t>(a[1].integer);
                 if (i >= a[0].bytes.size() / 8) return null_value();
                 return real_value(types::geometry_number(a[0].bytes, i));
               }});
  library.row({"geometry_point", {oid::kBox, oid::kInt4}, oid::kPoint, [](RowCall& call, const ValueView* a) {
                 const auto i = static_cast<uint64_t>(a[1].integer);
                 if (i >= a[0].bytes.size() / 16) return null_value();
                 return call.text(std::string(a[0].bytes.substr(i * 16, 16)));
               }});
}

void add_lines(Library& library) {
  add(
      library, "line_construct_pp", +[](const Point& a, const Point& b) {
        if (types::same_point(a, b))
          throw SqlError(SqlState::kInvalidParameterValue, "invalid line specification: must be two distinct points");
        return types::line_through(a, types::slope(a, b));
      });
  add(
      library, "line_intersect", +[](const Line& a, const Line& b) { return types::meet(a, b, nullptr); });
  add(
      library, "line_parallel", +[](const Line& a, const Line& b) { return !types::meet(a, b, nullptr); });
  add(library, "line_perp", types::perpendicular);
  add(
      library, "line_vertical", +[](const Line& a) { return types::is_zero(a.b); });
  add(
      library, "line_horizontal", +[](const Line& a) { return types::is_zero(a.a); });
  add(library, "line_eq", types::same_line);
  add(
      library, "line_distance", +[](const Line& a, const Line& b) { return types::distance(a, b); });
  add(
      library, "line_interpt", +[](const Line& a, const Line& b) {
        Point at;
        return types::meet(a, b, &at) ? std::optional(at) : std::nullopt;
      });
  add(
      library, "inter_lb", +[](const Line& line, const Box& box) { return types::meet(line, box); });
  add(
      library, "close_ls", +[](const Line& line, const Lseg& segment) -> std::optional<Point> {
        if (slope(segment) == types::slope(line)) return std::nullopt;
        Point at;
        const double distance = types::nearest(segment, line, &at);
        return found(distance, at);
      });
  add(
      library, "close_pl", +[](const Point& point, const Line& line) {
        Point at;
        const double distance = types::nearest(line, point, &at);
        return found(distance, at);
      });
  add(
      library, "on_pl", +[](const Point& point, const Line& line) { return types::contains(line, point); });
  add(
      library, "on_sl", +[](const Lseg& segment, const Line& line) {
        return types::contains(line, segment.p[0]) && types::contains(line, segment.p[1]);
      });
  add(
      library, "inter_sl", +[](const Lseg& segment, const Line& line) { return types::meet(segment, line, nullptr); });
  add(
      library, "dist_pl", +[](const Point& point, const Line& line) { return types::nearest(line, point, nullptr); });
  add(
      library, "dist_lp", +[](const Line& line, const Point& point) { return types::nearest(line, point, nullptr); });
  add(
      library, "dist_sl", +[](const Lseg& s, const Line& line) { return types::nearest(s, line, nullptr); });
  add(
      library, "dist_ls", +[](const Line& line, const Lseg& s) { return types::nearest(s, line, nullptr); });
}

void add_segments(Library& library) {
  add(
      library, "lseg_construct", +[](const Point& a, const Point& b) {
        return Lseg{{a, b}};
      });
  add(library, "lseg_length", length);
  add(library, "lseg_center", middle);
  add(
      library, "lseg_parallel", +[](const Lseg& a, const Lseg& b) { return types::is_equal(slope(a), slope(b)); });
  add(
      library, "lseg_perp", +[](const Lseg& a, const Lseg& b) {
        return types::is_equal(slope(a), types::perpendicular_slope(b.p[0], b.p[1]));
      });
  add(
      library, "lseg_vertical", +[](const Lseg& a) { return types::is_equal(a.p[0].x, a.p[1].x); });
  add(
      library, "lseg_horizontal", +[](const Lseg& a) { return types::is_equal(a.p[0].y, a.p[1].y); });
  add(
      library, "lseg_eq", +[](const Lseg& a, const Lseg& b) {
        return types::same_point(a.p[0], b.p[0]) && types::same_point(a.p[1], b.p[1]);
      });
  add(
      library, "lseg_ne", +[](const Lseg& a, const Lseg& b) {
        return !types::same_point(a.p[0], b.p[0]) || !types::same_point(a.p[1], b.p[1]);
      });
  add(
      library, "lseg_lt", +[](const Lseg& a, const Lseg& b) { return types::is_less(length(a), length(b)); });
  add(
      library, "lseg_le", +[](const Lseg& a, const Lseg& b) { return types::is_at_most(length(a), length(b)); });
  add(
      library, "lseg_gt", +[](const Lseg& a, const Lseg& b) { return types::is_more(length(a), length(b)); });
  add(
      library, "lseg_ge", +[](const Lseg& a, const Lseg& b) { return types::is_at_least(length(a), length(b)); });
  add(
      library, "lseg_intersect", +[](const Lseg& a, const Lseg& b) { return types::meet(a, b, nullptr); });
  add(
      library, "lseg_interpt", +[](const Lseg& a, const Lseg& b) {
        Point at;
        return types::meet(a, b, &at) ? std::optional(at) : std::nullopt;
      });
  add(
      library, "lseg_distance", +[](const Lseg& a, const Lseg& b) { return types::nearest(a, b, nullptr); });
  add(
      library, "close_lseg", +[](const Lseg& a, const Lseg& b) -> std::optional<Point> {
        if (slope(a) == slope(b)) return std::nullopt;
        Point at;
        const double distance = types::nearest(b, a, &at);
        return found(distance, at);
      });
  add(
      library, "close_ps", +[](const Point& point, const Lseg& segment) {
        Point at;
        const double distance = types::nearest(segment, point, &at);
        return found(distance, at);
      });
  add(
      library, "on_ps", +[](const Point& point, const Lseg& segment) { return types::contains(segment, point); });
  add(
      library, "dist_ps", +[](const Point& point, const Lseg& s) { return types::nearest(s, point, nullptr); });
  add(
      library, "dist_sp", +[](const Lseg& s, const Point& point) { return types::nearest(s, point, nullptr); });
}

Box moved(const Box& box, const Point& by, Point (*change)(const Point&, const Point&)) {
  return {change(box.high, by), change(box.low, by)};
}

void add_boxes(Library& library) {
  const auto test = [&](const char* name, bool (*holds)(const Box&, const Box&)) { add(library, name, holds); };
  test("box_same",
       [](const Box& a, const Box& b) { return types::same_point(a.high, b.high) && types::same_point(a.low, b.low); });
  test("box_overlap", [](const Box& a, const Box& b) { return types::overlaps(a, b); });
  test("box_left", [](const Box& a, const Box& b) { return types::is_less(a.high.x, b.low.x); });
  test("box_overleft", [](const Box& a, const Box& b) { return types::is_at_most(a.high.x, b.high.x); });
  test("box_right", [](const Box& a, const Box& b) { return types::is_more(a.low.x, b.high.x); });
  test("box_overright", [](const Box& a, const Box& b) { return types::is_at_least(a.low.x, b.low.x); });
  test("box_below", [](const Box& a, const Box& b) { return types::is_less(a.high.y, b.low.y); });
  test("box_overbelow", [](const Box& a, const Box& b) { return types::is_at_most(a.high.y, b.high.y); });
  test("box_above", [](const Box& a, const Box& b) { return types::is_more(a.low.y, b.high.y); });
  test("box_overabove", [](const Box& a, const Box& b) { return types::is_at_least(a.low.y, b.low.y); });
  test("box_below_eq", [](const Box& a, const Box& b) { return types::is_at_most(a.high.y, b.low.y); });
  test("box_above_eq", [](const Box& a, const Box& b) { return types::is_at_least(a.low.y, b.high.y); });
  test("box_contain", [](const Box& a, const Box& b) { return types::contains(a, b); });
  test("box_contained", [](const Box& a, const Box& b) { return types::contains(b, a); });
  test("box_lt", [](const Box& a, const Box& b) { return types::is_less(types::area(a), types::area(b)); });
  test("box_le", [](const Box& a, const Box& b) { return types::is_at_most(types::area(a), types::area(b)); });
  test("box_eq", [](const Box& a, const Box& b) { return types::is_equal(types::area(a), types::area(b)); });
  test("box_ge", [](const Box& a, const Box& b) { return types::is_at_least(types::area(a), types::area(b)); });
  test("box_gt", [](const Box& a, const Box& b) { return types::is_more(types::area(a), types::area(b)); });
  add(
      library, "box_area", +[](const Box& a) { return types::area(a); });
  add(
      library, "box_width", +[](const Box& a) { return types::minus(a.high.x, a.low.x); });
  add(
      library, "box_height", +[](const Box& a) { return types::minus(a.high.y, a.low.y); });
  add(library, "box_center", types::center);
  add(
      library, "box_diagonal", +[](const Box& a) {
        return Lseg{{a.high, a.low}};
      });
  add(
      library, "box_distance",
      +[](const Box& a, const Box& b) { return types::distance(types::center(a), types::center(b)); });
  add(
      library, "box_intersect", +[](const Box& a, const Box& b) -> std::optional<Box> {
        if (!types::overlaps(a, b)) return std::nullopt;
        return Box{{std::min(a.high.x, b.high.x), std::min(a.high.y, b.high.y)},
                   {std::max(a.low.x, b.low.x), std::max(a.low.y, b.low.y)}};
      });
  add(
      library, "boxes_bound_box", +[](const Box& a, const Box& b) {
        return types::bounds({a.high, a.low, b.high, b.low});
      });
  add(library, "points_box", types::box_around);
  add(
      library, "box_add", +[](const Box& a, const Point& p) { return moved(a, p, types::add); });
  add(
      library, "box_sub", +[](const Box& a, const Point& p) { return moved(a, p, types::subtract); });
  add(
      library, "box_mul", +[](const Box& a, const Point& p) {
        const Box box = moved(a, p, types::multiply);
        return types::box_around(box.high, box.low);
      });
  add(
      library, "box_div", +[](const Box& a, const Point& p) {
        const Box box = moved(a, p, types::divide);
        return types::box_around(box.high, box.low);
      });
  add(
      library, "box_contain_pt", +[](const Box& box, const Point& p) { return types::contains(box, p); });
  add(
      library, "on_pb", +[](const Point& p, const Box& box) { return types::contains(box, p); });
  add(
      library, "on_sb",
      +[](const Lseg& s, const Box& box) { return types::contains(box, s.p[0]) && types::contains(box, s.p[1]); });
  add(
      library, "inter_sb", +[](const Lseg& s, const Box& box) { return types::meet(box, s, nullptr); });
  add(
      library, "close_pb", +[](const Point& p, const Box& box) {
        Point at;
        const double distance = types::nearest(box, p, &at);
        return found(distance, at);
      });
  add(
      library, "close_sb", +[](const Lseg& s, const Box& box) {
        Point at;
        const double distance = types::nearest(box, s, &at);
        return found(distance, at);
      });
  add(
      library, "dist_pb", +[](const Point& p, const Box& box) { return types::nearest(box, p, nullptr); });
  add(
      library, "dist_bp", +[](const Box& box, const Point& p) { return types::nearest(box, p, nullptr); });
  add(
      library, "dist_sb", +[](const Lseg& s, const Box& box) { return types::nearest(box, s, nullptr); });
  add(
      library, "dist_bs", +[](const Box& box, const Lseg& s) { return types::nearest(box, s, nullptr); });
  add(
      library, "box_poly", +[](const Box& a) {
        return Polygon{{a.low, {a.low.x, a.high.y}, a.high, {a.high.x, a.low.y}}};
      });
  add(
      library, "box_circle", +[](const Box& a) {
        const Point center = types::center(a);
        return Circle{center, types::distance(center, a.high)};
      });
}

Path moved(Path path, const Point& by, Point (*change)(const Point&, const Point&)) {
  for (Point& point : path.points) point = change(point, by);
  return path;
}

void add_paths(Library& library) {
  add(
      library, "path_area", +[](const Path& a) -> std::optional<double> {
        if (!a.closed) return std::nullopt;
        return types::area(a);
      });
  add(
      library, "path_length", +[](const Path& a) { return types::length(a); });
  add(
      library, "path_npoints", +[](const Path& a) { return static_cast<int32_t>(a.points.size()); });
  add(
      library, "path_isclosed", +[](const Path& a) { return a.closed; });
  add(
      library, "path_isopen", +[](const Path& a) { return !a.closed; });
  add(
      library, "path_close", +[](const Path& a) {
        return Path{true, a.points};
      });
  add(
      library, "path_open", +[](const Path& a) {
        return Path{false, a.points};
      });
  const auto by_size = [&](const char* name, bool (*holds)(const Path&, const Path&)) { add(library, name, holds); };
  by_size("path_n_lt", [](const Path& a, const Path& b) { return a.points.size() < b.points.size(); });
  by_size("path_n_le", [](const Path& a, const Path& b) { return a.points.size() <= b.points.size(); });
  by_size("path_n_eq", [](const Path& a, const Path& b) { return a.points.size() == b.points.size(); });
  by_size("path_n_ge", [](const Path& a, const Path& b) { return a.points.size() >= b.points.size(); });
  by_size("path_n_gt", [](const Path& a, const Path& b) { return a.points.size() > b.points.size(); });
  by_size("path_inter", [](const Path& a, const Path& b) { return types::meet(a, b); });
  add(
      library, "path_distance", +[](const Path& a, const Path& b) -> std::optional<double> {
        double distance = 0;
        if (!types::distance(a, b, &distance)) return std::nullopt;
        return distance;
      });
  add(
      library, "path_add", +[](const Path& a, const Path& b) -> std::optional<Path> {
        if (a.closed || b.closed) return std::nullopt;
        Path both = a;
        both.points.insert(both.points.end(), b.points.begin(), b.points.end());
        return both;
      });
  add(
      library, "path_add_pt", +[](const Path& a, const Point& p) { return moved(a, p, types::add); });
  add(
      library, "path_sub_pt", +[](const Path& a, const Point& p) { return moved(a, p, types::subtract); });
  add(
      library, "path_mul_pt", +[](const Path& a, const Point& p) { return moved(a, p, types::multiply); });
  add(
      library, "path_div_pt", +[](const Path& a, const Point& p) { return moved(a, p, types::divide); });
  add(
      library, "on_ppath", +[](const Point& p, const Path& a) { return types::contains(a, p); });
  add(
      library, "sql_path_contain_pt", +[](const Path& a, const Point& p) { return types::contains(a, p); });
  add(
      library, "dist_ppath", +[](const Point& p, const Path& a) { return types::distance(a, p); });
  add(
      library, "dist_pathp", +[](const Path& a, const Point& p) { return types::distance(a, p); });
  add(
      library, "path_poly", +[](const Path& a) {
        if (!a.closed) throw SqlError(SqlState::kInvalidParameterValue, "open path cannot be converted to polygon");
        return Polygon{a.points};
      });
}

Polygon polygon_around(int32_t count, const Circle& circle) {
  if (types::is_zero(circle.radius))
    throw SqlError(SqlState::kFeatureNotSupported, "cannot convert circle with radius zero to polygon");
  if (count < 2) throw SqlError(SqlState::kInvalidParameterValue, "must request at least 2 points");
  if (count >= (INT32_MAX - 40) / 16) throw SqlError(SqlState::kProgramLimitExceeded, "too many points requested");
  Polygon polygon;
  const double step = types::over(2.0 * M_PI, count);
  for (int32_t i = 0; i < count; ++i) {
    const double angle = types::times(step, i);
    polygon.points.push_back({types::minus(circle.center.x, types::times(circle.radius, std::cos(angle))),
                              types::plus(circle.center.y, types::times(circle.radius, std::sin(angle)))});
  }
  return polygon;
}

void add_polygons(Library& library) {
  const auto test = [&](const char* name, bool (*holds)(const Polygon&, const Polygon&)) { add(library, name, holds); };
  // By their bounds, exactly.
  test("poly_left", [](const Polygon& a, const Polygon& b) { return bounds(a).high.x < bounds(b).low.x; });
  test("poly_overleft", [](const Polygon& a, const Polygon& b) { return bounds(a).high.x <= bounds(b).high.x; });
  test("poly_right", [](const Polygon& a, const Polygon& b) { return bounds(a).low.x > bounds(b).high.x; });
  test("poly_overright", [](const Polygon& a, const Polygon& b) { return bounds(a).low.x >= bounds(b).low.x; });
  test("poly_below", [](const Polygon& a, const Polygon& b) { return bounds(a).high.y < bounds(b).low.y; });
  test("poly_overbelow", [](const Polygon& a, const Polygon& b) { return bounds(a).high.y <= bounds(b).high.y; });
  test("poly_above", [](const Polygon& a, const Polygon& b) { return bounds(a).low.y > bounds(b).high.y; });
  test("poly_overabove", [](const Polygon& a, const Polygon& b) { return bounds(a).low.y >= bounds(b).low.y; });
  test("poly_same", types::same_polygon);
  test("poly_overlap", [](const Polygon& a, const Polygon& b) { return types::overlaps(a, b); });
  test("poly_contain", [](const Polygon& a, const Polygon& b) { return types::contains(a, b); });
  test("poly_contained", [](const Polygon& a, const Polygon& b) { return types::contains(b, a); });
  add(
      library, "poly_contain_pt", +[](const Polygon& a, const Point& p) { return types::contains(a, p); });
  add(
      library, "pt_contained_poly", +[](const Point& p, const Polygon& a) { return types::contains(a, p); });
  add(
      library, "poly_distance", +[](const Polygon& a, const Polygon& b) -> std::optional<double> {
        if (types::overlaps(a, b)) return 0.0;
        double distance = 0;
        if (!types::distance(Path{true, a.points}, Path{true, b.points}, &distance)) return std::nullopt;
        return distance;
      });
  add(
      library, "dist_ppoly", +[](const Point& p, const Polygon& a) { return types::distance(a, p); });
  add(
      library, "dist_polyp", +[](const Polygon& a, const Point& p) { return types::distance(a, p); });
  add(
      library, "poly_npoints", +[](const Polygon& a) { return static_cast<int32_t>(a.points.size()); });
  add(
      library, "poly_center", +[](const Polygon& a) { return types::circle_around(a).center; });
  add(library, "poly_box", bounds);
  add(
      library, "poly_path", +[](const Polygon& a) {
        return Path{true, a.points};
      });
  add(library, "poly_circle", types::circle_around);
  add(library, "circle_poly", polygon_around);
  add(
      library, "sql_polygon", +[](const Circle& a) { return polygon_around(12, a); });
}

void add_circles(Library& library) {
  const auto test = [&](const char* name, bool (*holds)(const Circle&, const Circle&)) { add(library, name, holds); };
  test("circle_same", [](const Circle& a, const Circle& b) {
    return ((std::isnan(a.radius) && std::isnan(b.radius)) || types::is_equal(a.radius, b.radius)) &&
           types::same_point(a.center, b.center);
  });
  test("circle_overlap", [](const Circle& a, const Circle& b) {
    return types::is_at_most(types::distance(a.center, b.center), types::plus(a.radius, b.radius));
  });
  test("circle_contain", [](const Circle& a, const Circle& b) {
    return types::is_at_most(types::distance(a.center, b.center), types::minus(a.radius, b.radius));
  });
  test("circle_contained", [](const Circle& a, const Circle& b) {
    return types::is_at_most(types::distance(a.center, b.center), types::minus(b.radius, a.radius));
  });
  static constexpr auto right = [](const Circle& c) { return types::plus(c.center.x, c.radius); };
  static constexpr auto left = [](const Circle& c) { return types::minus(c.center.x, c.radius); };
  static constexpr auto top = [](const Circle& c) { return types::plus(c.center.y, c.radius); };
  static constexpr auto bottom = [](const Circle& c) { return types::minus(c.center.y, c.radius); };
  test("circle_left", [](const Circle& a, const Circle& b) { return types::is_less(right(a), left(b)); });
  test("circle_overleft", [](const Circle& a, const Circle& b) { return types::is_at_most(right(a), right(b)); });
  test("circle_right", [](const Circle& a, const Circle& b) { return types::is_more(left(a), right(b)); });
  test("circle_overright", [](const Circle& a, const Circle& b) { return types::is_at_least(left(a), left(b)); });
  test("circle_below", [](const Circle& a, const Circle& b) { return types::is_less(top(a), bottom(b)); });
  test("circle_overbelow", [](const Circle& a, const Circle& b) { return types::is_at_most(top(a), top(b)); });
  test("circle_above", [](const Circle& a, const Circle& b) { return types::is_more(bottom(a), top(b)); });
  test("circle_overabove", [](const Circle& a, const Circle& b) { return types::is_at_least(bottom(a), bottom(b)); });
  test("circle_lt", [](const Circle& a, const Circle& b) { return types::is_less(types::area(a), types::area(b)); });
  test("circle_le", [](const Circle& a, const Circle& b) { return types::is_at_most(types::area(a), types::area(b)); });
  test("circle_eq", [](const Circle& a, const Circle& b) { return types::is_equal(types::area(a), types::area(b)); });
  test("circle_ne", [](const Circle& a, const Circle& b) { return !types::is_equal(types::area(a), types::area(b)); });
  test("circle_ge",
       [](const Circle& a, const Circle& b) { return types::is_at_least(types::area(a), types::area(b)); });
  test("circle_gt", [](const Circle& a, const Circle& b) { return types::is_more(types::area(a), types::area(b)); });
  add(
      library, "cr_circle", +[](const Point& center, double radius) {
        return Circle{center, radius};
      });
  add(
      library, "circle_area", +[](const Circle& a) { return types::area(a); });
  add(
      library, "circle_diameter", +[](const Circle& a) { return types::times(a.radius, 2); });
  add(
      library, "circle_radius", +[](const Circle& a) { return a.radius; });
  add(
      library, "circle_center", +[](const Circle& a) { return a.center; });
  add(
      library, "circle_add_pt", +[](const Circle& a, const Point& p) {
        return Circle{types::add(a.center, p), a.radius};
      });
  add(
      library, "circle_sub_pt", +[](const Circle& a, const Point& p) {
        return Circle{types::subtract(a.center, p), a.radius};
      });
  add(
      library, "circle_mul_pt", +[](const Circle& a, const Point& p) {
        return Circle{types::multiply(a.center, p), types::times(a.radius, types::hypotenuse(p.x, p.y))};
      });
  add(
      library, "circle_div_pt", +[](const Circle& a, const Point& p) {
        return Circle{types::divide(a.center, p), types::over(a.radius, types::hypotenuse(p.x, p.y))};
      });
  add(
      library, "circle_contain_pt",
      +[](const Circle& a, const Point& p) { return types::distance(a.center, p) <= a.radius; });
  add(
      library, "pt_contained_circle",
      +[](const Point& p, const Circle& a) { return types::distance(a.center, p) <= a.radius; });
  add(
      library, "circle_distance", +[](const Circle& a, const Circle& b) {
        return least_zero(types::minus(types::distance(a.center, b.center), types::plus(a.radius, b.radius)));
      });
  add(
      library, "dist_pc", +[](const Point& p, const Circle& a) {
        return least_zero(types::minus(types::distance(p, a.center), a.radius));
      });
  add(
      library, "dist_cpoint", +[](const Circle& a, const Point& p) {
        return least_zero(types::minus(types::distance(p, a.center), a.radius));
      });
  add(
      library, "dist_cpoly", +[](const Circle& a, const Polygon& b) {
        return least_zero(types::minus(types::distance(b, a.center), a.radius));
      });
  add(
      library, "dist_polyc", +[](const Polygon& b, const Circle& a) {
        return least_zero(types::minus(types::distance(b, a.center), a.radius));
      });
  add(
      library, "circle_box", +[](const Circle& a) {
        const double half = types::over(a.radius, std::sqrt(2.0));
        const Point by{half, half};
        return Box{types::add(a.center, by), types::subtract(a.center, by)};
      });
}

}  // namespace

void add_geometry_functions(Library& library) {
  add_points(library);
  add_parts(library);
  add_lines(library);
  add_segments(library);
  add_boxes(library);
  add_paths(library);
  add_polygons(library);
  add_circles(library);
}

}  // namespace omendb::sql::functions
