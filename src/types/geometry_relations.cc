// How shapes lie to each other: where they meet, what of one is nearest to another, what is on or in it.
#include <array>
#include <cmath>
#include <limits>

#include "types/geometry_parts.h"

namespace omendb::types {

// ---- where they meet ----

bool meet(const Line& a, const Line& b, Point* at) {
  double x, y;
  if (!is_zero(a.b)) {
    if (is_equal(b.a, times(a.a, over(b.b, a.b)))) return false;
    x = over(minus(times(a.b, b.c), times(b.b, a.c)), minus(times(a.a, b.b), times(b.a, a.b)));
    y = over(-plus(times(a.a, x), a.c), a.b);
  } else if (!is_zero(b.b)) {
    if (is_equal(a.a, times(b.a, over(a.b, b.b)))) return false;
    x = over(minus(times(b.b, a.c), times(a.b, b.c)), minus(times(b.a, a.b), times(a.a, b.b)));
    y = over(-plus(times(b.a, x), b.c), b.b);
  } else {
    return false;
  }
  if (at != nullptr) *at = {x == 0 ? 0 : x, y == 0 ? 0 : y};  // not -0
  return true;
}

namespace {

Line line_of_segment(const Lseg& segment) { return line_through(segment.p[0], slope(segment.p[0], segment.p[1])); }

/// The four sides, in the order in which PostgreSQL tries them: of two that are equally near, the first one counts.
std::array<Lseg, 4> sides(const Box& box) {
  const Point upper_left{box.low.x, box.high.y}, lower_right{box.high.x, box.low.y};
  return {Lseg{{box.low, upper_left}}, Lseg{{box.high, upper_left}}, Lseg{{box.low, lower_right}},
          Lseg{{box.high, lower_right}}};
}

}  // namespace

bool meet(const Lseg& segment, const Line& line, Point* at) {
  Point point;
  if (!meet(line_of_segment(segment), line, &point) || !contains(segment, point)) return false;
  if (at == nullptr) return true;
  // An end that is met is given as it is, without what rounding made of it.
  *at = same_point(segment.p[0], point) ? segment.p[0] : same_point(segment.p[1], point) ? segment.p[1] : point;
  return true;
}

bool meet(const Lseg& a, const Lseg& b, Point* at) {
  Point point;
  if (!meet(a, line_of_segment(b), &point) || !contains(b, point)) return false;
  if (at != nullptr) *at = point;
  return true;
}

bool meet(const Box& box, const Lseg& segment, Point* nearest_to_center) {
  if (!overlaps(box_around(segment.p[0], segment.p[1]), box)) return false;
  if (nearest_to_center != nullptr) nearest(segment, center(box), nearest_to_center);
  if (contains(box, segment.p[0]) || contains(box, segment.p[1])) return true;
  for (const Lseg& side : sides(box)) {
    if (meet(side, segment, nullptr)) return true;
  }
  return false;
}

bool meet(const Line& line, const Box& box) {
  for (const Lseg& side : sides(box)) {
    if (meet(side, line, nullptr)) return true;
  }
  return false;
}

bool meet(const Path& a, const Path& b) {
  if (!overlaps(bounds(a.points), bounds(b.points))) return false;
  return any_segment(a,
                     [&](const Lseg& s) { return any_segment(b, [&](const Lseg& t) { return meet(s, t, nullptr); }); });
}

// ---- the nearest point ----

double nearest(const Line& line, const Point& point, Point* at) {
  Point foot;
  if (!meet(line_through(point, perpendicular_slope(line)), line, &foot)) {
    if (at != nullptr) *at = point;
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (at != nullptr) *at = foot;
  return distance(foot, point);
}

double nearest(const Lseg& segment, const Line& line, Point* at) {
  if (meet(segment, line, at)) return 0;
  const double first = nearest(line, segment.p[0], nullptr), second = nearest(line, segment.p[1], nullptr);
  const size_t end = first < second ? 0 : 1;
  if (at != nullptr) *at = segment.p[end];
  return end == 0 ? first : second;
}

double nearest(const Lseg& segment, const Point& point, Point* at) {
  Point foot;
  nearest(segment, line_through(point, perpendicular_slope(segment.p[0], segment.p[1])), &foot);
  if (at != nullptr) *at = foot;
  return distance(foot, point);
}

double nearest(const Lseg& segment, const Lseg& to, Point* at) {
  if (meet(segment, to, at)) return 0;
  Point best;
  double least = nearest(segment, to.p[0], &best);
  const auto nearer = [&](double d, const Point& point) {
    if (!less(d, least)) return;
    least = d;
    best = point;
  };
  Point point;
  const double other = nearest(segment, to.p[1], &point);
  nearer(other, point);
  nearer(nearest(to, segment.p[0], nullptr), segment.p[0]);
  nearer(nearest(to, segment.p[1], nullptr), segment.p[1]);
  if (at != nullptr) *at = best;
  return least;
}

namespace {

template <class Shape>
double nearest_side(const Box& box, const Shape& shape, Point* at) {
  double least = 0;
  bool first = true;
  for (const Lseg& side : sides(box)) {
    Point point;
    const double d = nearest(side, shape, &point);
    if (!first && !less(d, least)) continue;
    first = false;
    least = d;
    if (at != nullptr) *at = point;
  }
  return least;
}

}  // namespace

double nearest(const Box& box, const Point& point, Point* at) {
  if (!contains(box, point)) return nearest_side(box, point, at);
  if (at != nullptr) *at = point;
  return 0;
}
double nearest(const Box& box, const Lseg& segment, Point* at) {
  return meet(box, segment, at) ? 0 : nearest_side(box, segment, at);
}

double distance(const Path& path, const Point& point) {
  double least = 0;
  bool found = false;
  any_segment(path, [&](const Lseg& segment) {
    const double d = nearest(segment, point, nullptr);
    if (!found || less(d, least)) least = d;
    found = true;
    return false;
  });
  return least;
}

bool distance(const Path& a, const Path& b, double* out) {
  bool found = false;
  any_segment(a, [&](const Lseg& s) {
    return any_segment(b, [&](const Lseg& t) {
      const double d = nearest(s, t, nullptr);
      if (!found || less(d, *out)) *out = d;
      found = true;
      return false;
    });
  });
  return found;
}

double distance(const Polygon& polygon, const Point& point) {
  return contains(polygon, point) ? 0 : distance(Path{true, polygon.points}, point);
}

// ---- on and in ----

bool contains(const Line& line, const Point& point) {
  return is_zero(plus(plus(times(line.a, point.x), times(line.b, point.y)), line.c));
}
bool contains(const Lseg& segment, const Point& point) {
  return is_equal(plus(distance(point, segment.p[0]), distance(point, segment.p[1])),
                  distance(segment.p[0], segment.p[1]));
}
bool contains(const Box& box, const Point& point) {
  return box.high.x >= point.x && box.low.x <= point.x && box.high.y >= point.y && box.low.y <= point.y;
}
bool contains(const Box& outer, const Box& inner) {
  return is_at_least(outer.high.x, inner.high.x) && is_at_most(outer.low.x, inner.low.x) &&
         is_at_least(outer.high.y, inner.high.y) && is_at_most(outer.low.y, inner.low.y);
}
bool overlaps(const Box& a, const Box& b) {
  return is_at_most(a.low.x, b.high.x) && is_at_most(b.low.x, a.high.x) && is_at_most(a.low.y, b.high.y) &&
         is_at_most(b.low.y, a.high.y);
}

namespace {

constexpr int kOnEdge = INT32_MAX;

/// How the edge from `before` to `p` crosses the ray from the origin along positive x: 2 and -2 across it, 1 and -1 where it begins
/// or ends on it, by direction; 0 not at all; kOnEdge when it goes through the origin.
int crossing(const Point& p, const Point& before) {
  if (is_zero(p.y)) {
    if (is_zero(p.x)) return kOnEdge;
    const bool right = is_more(p.x, 0);
    if (is_zero(before.y)) return (right ? is_more(before.x, 0) : is_less(before.x, 0)) ? 0 : kOnEdge;
    return !right ? 0 : is_less(before.y, 0) ? 1 : -1;
  }
  const int up = is_more(p.y, 0) ? 1 : -1;
  const auto same_side = [up](double v) { return up < 0 ? is_less(v, 0) : is_more(v, 0); };
  if (is_zero(before.y)) return is_less(before.x, 0) ? 0 : up;
  if (same_side(before.y)) return 0;
  if (is_at_least(p.x, 0) && is_more(before.x, 0)) return 2 * up;
  if (is_less(p.x, 0) && is_at_most(before.x, 0)) return 0;
  const double z = minus(times(minus(p.x, before.x), p.y), times(minus(p.y, before.y), p.x));
  if (is_zero(z)) return kOnEdge;
  return same_side(z) ? 0 : 2 * up;
}

/// Also on the edge.
bool is_inside(const Point& point, const std::vector<Point>& points) {
  const Point first = subtract(points[0], point);
  Point before = first;
  int total = 0;
  for (size_t i = 1; i <= points.size(); ++i) {
    const Point next = i == points.size() ? first : subtract(points[i], point);
    const int crossed = crossing(next, before);
    if (crossed == kOnEdge) return true;
    total += crossed;
    before = next;
  }
  return total != 0;
}

/// Whether the segment is inside, as far as the edges from `start` on can tell: it is cut where it crosses them.
bool is_inside(const Point& a, const Point& b, const std::vector<Point>& points, size_t start);

/// The same for a segment that begins, at `a`, on an edge.
bool is_inside_from(const Point& a, const Point& b, const Lseg& edge, const std::vector<Point>& points, size_t start) {
  const Lseg segment{{a, b}};
  const bool at_first = same_point(a, edge.p[0]), at_second = !at_first && same_point(a, edge.p[1]);
  if (!at_first && contains(segment, edge.p[0])) return is_inside(b, edge.p[0], points, start);
  if (!at_second && contains(segment, edge.p[1])) return is_inside(b, edge.p[1], points, start);
  return true;  // the others will tell
}

bool is_inside(const Point& a, const Point& b, const std::vector<Point>& points, size_t start) {
  const Lseg segment{{a, b}};
  Lseg edge;
  edge.p[0] = points[start == 0 ? points.size() - 1 : start - 1];
  bool inside = true, cut = false;
  for (size_t i = start; i < points.size() && inside; ++i) {
    edge.p[1] = points[i];
    Point at;
    if (contains(edge, a)) {
      if (contains(edge, b)) return true;
      inside = is_inside_from(a, b, edge, points, i + 1);
    } else if (contains(edge, b)) {
      inside = is_inside_from(b, a, edge, points, i + 1);
    } else if (meet(segment, edge, &at)) {
      cut = true;
      inside = is_inside(a, at, points, i + 1) && is_inside(b, at, points, i + 1);
    }
    edge.p[0] = edge.p[1];
  }
  if (!inside || cut) return inside;
  return is_inside(Point{over(plus(a.x, b.x), 2), over(plus(a.y, b.y), 2)}, points);
}

}  // namespace

bool contains(const Path& path, const Point& point) {
  if (path.closed) return is_inside(point, path.points);
  return any_segment(path, [&](const Lseg& segment) { return contains(segment, point); });
}
bool contains(const Polygon& polygon, const Point& point) { return is_inside(point, polygon.points); }

bool contains(const Polygon& outer, const Polygon& inner) {
  if (!contains(bounds(outer.points), bounds(inner.points))) return false;
  Point before = inner.points.back();
  for (const Point& point : inner.points) {
    if (!is_inside(before, point, outer.points, 0)) return false;
    before = point;
  }
  return true;
}

bool overlaps(const Polygon& a, const Polygon& b) {
  if (!overlaps(bounds(a.points), bounds(b.points))) return false;
  const Path edges_a{true, a.points}, edges_b{true, b.points};
  const bool cross = any_segment(
      edges_a, [&](const Lseg& s) { return any_segment(edges_b, [&](const Lseg& t) { return meet(s, t, nullptr); }); });
  return cross || is_inside(a.points[0], b.points) || is_inside(b.points[0], a.points);
}

bool same_polygon(const Polygon& a, const Polygon& b) {
  const size_t count = a.points.size();
  if (count != b.points.size()) return false;
  const auto matches = [&](size_t from, bool forward) {
    for (size_t i = 1; i < count; ++i) {
      if (!same_point(b.points[(from + (forward ? i : count - i)) % count], a.points[i])) return false;
    }
    return true;
  };
  for (size_t i = 0; i < count; ++i) {
    if (same_point(b.points[i], a.points[0]) && (matches(i, true) || matches(i, false))) return true;
  }
  return false;
}

}  // namespace omendb::types
