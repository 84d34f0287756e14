#include "types/geometry.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "types/io_parts.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[noreturn]] void fail(SqlState code, const char* message) { throw GeometryError{Status(code, message)}; }
[[noreturn]] void overflow() { fail(SqlState::kNumericValueOutOfRange, "value out of range: overflow"); }
[[noreturn]] void underflow() { fail(SqlState::kNumericValueOutOfRange, "value out of range: underflow"); }

/// PostgreSQL's order of float8: NaN is greatest, and equal to itself.
bool less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

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

// ---- bytes ----

namespace {

double float_at(std::string_view bytes, size_t i) {
  const uint64_t bits = load_be64(bytes.data() + i * 8);
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
Point point_at(std::string_view bytes, size_t i) { return {float_at(bytes, 2 * i), float_at(bytes, 2 * i + 1)}; }
void put(double value, std::string* out) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  append_be64(bits, out);
}
void put(const Point& value, std::string* out) {
  put(value.x, out);
  put(value.y, out);
}
void put(const std::vector<Point>& points, std::string* out) {
  append_be32(static_cast<uint32_t>(points.size()), out);
  for (const Point& point : points) put(point, out);
}
std::vector<Point> points_of(std::string_view bytes) {
  std::vector<Point> points(load_be32(bytes.data()));
  for (size_t i = 0; i < points.size(); ++i) points[i] = point_at(bytes.substr(4), i);
  return points;
}

}  // namespace

Point point_of(std::string_view bytes) { return point_at(bytes, 0); }
Lseg lseg_of(std::string_view bytes) { return {{point_at(bytes, 0), point_at(bytes, 1)}}; }
Box box_of(std::string_view bytes) { return {point_at(bytes, 0), point_at(bytes, 1)}; }
Line line_of(std::string_view bytes) { return {float_at(bytes, 0), float_at(bytes, 1), float_at(bytes, 2)}; }
Path path_of(std::string_view bytes) { return {bytes[0] != 0, points_of(bytes.substr(1))}; }
Polygon polygon_of(std::string_view bytes) { return {points_of(bytes)}; }
Circle circle_of(std::string_view bytes) { return {point_at(bytes, 0), float_at(bytes, 2)}; }

double geometry_number(std::string_view bytes, size_t i) { return float_at(bytes, i); }

std::string geometry_to_bytes(const Point& value) {
  std::string bytes;
  put(value, &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Lseg& value) {
  std::string bytes;
  put(value.p[0], &bytes);
  put(value.p[1], &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Box& value) {
  std::string bytes;
  put(value.high, &bytes);
  put(value.low, &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Line& value) {
  std::string bytes;
  put(value.a, &bytes);
  put(value.b, &bytes);
  put(value.c, &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Path& value) {
  std::string bytes(1, value.closed ? '\1' : '\0');
  put(value.points, &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Polygon& value) {
  std::string bytes;
  put(value.points, &bytes);
  return bytes;
}
std::string geometry_to_bytes(const Circle& value) {
  std::string bytes;
  put(value.center, &bytes);
  put(value.radius, &bytes);
  return bytes;
}

Status receive_geometry(Oid type, std::string_view bytes, std::string* out) {
  const auto bad = [](const std::string& text) { return Status(SqlState::kInvalidBinaryRepresentation, text); };
  const auto need = [&](size_t size) -> Status {
    if (bytes.size() < size) return Status(SqlState::kProtocolViolation, "insufficient data left in message");
    return bytes.size() > size ? incorrect_binary_format() : Status();
  };
  if (type == oid::kPath || type == oid::kPolygon) {
    const size_t head = type == oid::kPath ? 5 : 4;
    if (bytes.size() < head) return Status(SqlState::kProtocolViolation, "insufficient data left in message");
    const auto count = static_cast<int32_t>(load_be32(bytes.data() + head - 4));
    // As many as their number of bytes fits an int32 in PostgreSQL.
    const int32_t size_there = type == oid::kPath ? 16 : 40;
    if (count <= 0 || count >= (INT32_MAX - size_there) / 16) {
      return bad(std::string("invalid number of points in external \"") + (type == oid::kPath ? "path" : "polygon") +
                 "\" value");
    }
    RETURN_IF_ERROR(need(head + static_cast<size_t>(count) * 16));
    *out = bytes;
    if (type == oid::kPath) (*out)[0] = bytes[0] != 0 ? '\1' : '\0';
    return {};
  }
  RETURN_IF_ERROR(need(type == oid::kPoint ? 16 : type == oid::kLine || type == oid::kCircle ? 24 : 32));
  *out = bytes;
  if (type == oid::kBox) {
    const Box box = box_of(bytes);
    *out = geometry_to_bytes(box_around(box.high, box.low));
  } else if (type == oid::kLine) {
    const Line line = line_of(bytes);
    if (is_zero(line.a) && is_zero(line.b)) return bad("invalid line specification: A and B cannot both be zero");
  } else if (type == oid::kCircle && circle_of(bytes).radius < 0) {
    return bad("invalid radius in external \"circle\" value");
  }
  return {};
}

// ---- text ----

namespace {

/// Reads points as all these types spell them: with and without parentheses, of which some may be left out.
class GeometryReader {
 public:
  GeometryReader(const char* type, std::string_view text) : type_(type), whole_(text), rest_(text) {}

  Status invalid() const {
    return Status(SqlState::kInvalidTextRepresentation,
                  std::string("invalid input syntax for type ") + type_ + ": \"" + std::string(whole_) + "\"");
  }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  void skip() { rest_.remove_prefix(1); }
  bool take(char c) {
    if (peek() != c) return false;
    skip();
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && is_space(rest_[0])) skip();
  }
  /// Whether the parenthesis here is the only one from here on.
  bool only_parenthesis() const { return peek() == '(' && rest_.find('(', 1) == std::string_view::npos; }
  /// Skips a parenthesis that another one follows.
  bool take_outer_parenthesis() {
    if (peek() != '(') return false;
    size_t next = 1;
    while (next < rest_.size() && is_space(rest_[next])) ++next;
    if (next == rest_.size() || rest_[next] != '(') return false;
    rest_.remove_prefix(next);
    return true;
  }

  Status number(double* out) {
    skip_space();
    size_t size = number_size();
    if (size == 0) return invalid();
    const std::string_view digits = rest_.substr(0, size);
    const Status status = parse_float8(digits, out);
    if (!status.ok()) return status.info().code == SqlState::kNumericValueOutOfRange ? status : invalid();
    rest_.remove_prefix(size);
    skip_space();
    return {};
  }
  Status pair(Point* out) {
    skip_space();
    const bool parenthesis = take('(');
    RETURN_IF_ERROR(number(&out->x));
    if (!take(',')) return invalid();
    RETURN_IF_ERROR(number(&out->y));
    if (!parenthesis) return {};
    if (!take(')')) return invalid();
    skip_space();
    return {};
  }
  Status points(size_t count, bool brackets_allowed, std::vector<Point>* out, bool* brackets) {
    skip_space();
    int depth = 0;
    *brackets = peek() == '[';
    if (*brackets) {
      if (!brackets_allowed) return invalid();
      ++depth;
      skip();
    } else if (take_outer_parenthesis()) {
      ++depth;
    } else if (only_parenthesis()) {
      ++depth;
      skip();
      skip_space();
    }
    for (size_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(pair(&out->emplace_back()));
      (void)take(',');
    }
    while (depth > 0) {
      if (!take(')') && !(*brackets && depth == 1 && take(']'))) return invalid();
      --depth;
      skip_space();
    }
    return {};
  }
  /// Half of the numbers, as the commas count them; 0: not a list of pairs.
  size_t pairs() const {
    size_t commas = 0;
    for (char c : whole_) commas += c == ',';
    return commas % 2 == 1 ? (commas + 1) / 2 : 0;
  }
  Status end() const { return at_end() ? Status() : invalid(); }

 private:
  /// What strtod would take.
  size_t number_size() const {
    size_t at = 0;
    if (at < rest_.size() && (rest_[at] == '+' || rest_[at] == '-')) ++at;
    for (const char* word : {"infinity", "inf", "nan"}) {
      const size_t size = std::strlen(word);
      if (equal_ignoring_case(rest_.substr(at, size), word)) return at + size;
    }
    const auto digits = [&] {
      const size_t start = at;
      while (at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '9') ++at;
      return at - start;
    };
    size_t count = digits();
    if (at < rest_.size() && rest_[at] == '.') {
      ++at;
      count += digits();
    }
    if (count == 0) return 0;
    if (at < rest_.size() && (rest_[at] | 0x20) == 'e') {
      const size_t before = at++;
      if (at < rest_.size() && (rest_[at] == '+' || rest_[at] == '-')) ++at;
      if (digits() == 0) at = before;
    }
    return at;
  }

  const char* type_;
  std::string_view whole_, rest_;
};

Status parse_line(GeometryReader& reader, Line* out) {
  const auto bad = [](const char* text) { return Status(SqlState::kInvalidTextRepresentation, text); };
  reader.skip_space();
  if (reader.take('{')) {
    RETURN_IF_ERROR(reader.number(&out->a));
    if (!reader.take(',')) return reader.invalid();
    RETURN_IF_ERROR(reader.number(&out->b));
    if (!reader.take(',')) return reader.invalid();
    RETURN_IF_ERROR(reader.number(&out->c));
    if (!reader.take('}')) return reader.invalid();
    reader.skip_space();
    RETURN_IF_ERROR(reader.end());
    if (is_zero(out->a) && is_zero(out->b)) return bad("invalid line specification: A and B cannot both be zero");
    return {};
  }
  std::vector<Point> points;
  bool brackets = false;
  RETURN_IF_ERROR(reader.points(2, true, &points, &brackets));
  RETURN_IF_ERROR(reader.end());
  if (same_point(points[0], points[1])) return bad("invalid line specification: must be two distinct points");
  *out = line_through(points[0], slope(points[0], points[1]));
  return {};
}

Status parse_path(GeometryReader& reader, Path* out) {
  const size_t count = reader.pairs();
  if (count == 0) return reader.invalid();
  reader.skip_space();
  const bool outer = reader.only_parenthesis();
  if (outer) reader.skip();
  bool brackets = false;
  RETURN_IF_ERROR(reader.points(count, true, &out->points, &brackets));
  if (outer) {
    if (!reader.take(')')) return reader.invalid();
    reader.skip_space();
  }
  out->closed = !brackets;
  return reader.end();
}

Status parse_circle(GeometryReader& reader, Circle* out) {
  reader.skip_space();
  const bool angle = reader.take('<');
  const bool outer = angle || reader.take_outer_parenthesis();
  RETURN_IF_ERROR(reader.pair(&out->center));
  (void)reader.take(',');
  RETURN_IF_ERROR(reader.number(&out->radius));
  if (out->radius < 0) return reader.invalid();
  if (outer) {
    if (!reader.take(')') && !reader.take('>')) return reader.invalid();
    reader.skip_space();
  }
  return reader.end();
}

Status parse(Oid type, std::string_view text, std::string* out) {
  bool brackets = false;
  std::vector<Point> points;
  switch (type.value) {
    case oid::kPoint.value: {
      GeometryReader reader("point", text);
      Point value;
      RETURN_IF_ERROR(reader.pair(&value));
      *out = geometry_to_bytes(value);
      return reader.end();
    }
    case oid::kLseg.value: {
      GeometryReader reader("lseg", text);
      RETURN_IF_ERROR(reader.points(2, true, &points, &brackets));
      *out = geometry_to_bytes(Lseg{{points[0], points[1]}});
      return reader.end();
    }
    case oid::kBox.value: {
      GeometryReader reader("box", text);
      RETURN_IF_ERROR(reader.points(2, false, &points, &brackets));
      *out = geometry_to_bytes(box_around(points[0], points[1]));
      return reader.end();
    }
    case oid::kLine.value: {
      GeometryReader reader("line", text);
      Line value;
      RETURN_IF_ERROR(parse_line(reader, &value));
      *out = geometry_to_bytes(value);
      return {};
    }
    case oid::kPath.value: {
      GeometryReader reader("path", text);
      Path value;
      RETURN_IF_ERROR(parse_path(reader, &value));
      *out = geometry_to_bytes(value);
      return {};
    }
    case oid::kPolygon.value: {
      GeometryReader reader("polygon", text);
      const size_t count = reader.pairs();
      if (count == 0) return reader.invalid();
      RETURN_IF_ERROR(reader.points(count, false, &points, &brackets));
      *out = geometry_to_bytes(Polygon{std::move(points)});
      return reader.end();
    }
    default: {
      GeometryReader reader("circle", text);
      Circle value;
      RETURN_IF_ERROR(parse_circle(reader, &value));
      *out = geometry_to_bytes(value);
      return {};
    }
  }
}

}  // namespace

Status parse_geometry(Oid type, std::string_view text, std::string* out) {
  try {
    return parse(type, text, out);
  } catch (const GeometryError& error) {
    return error.status;
  }
}

void append_geometry(Oid type, std::string_view bytes, int digits, std::string* out) {
  const auto number = [&](double value) { append_float8(value, digits, out); };
  const auto pair = [&](const Point& point) {
    out->push_back('(');
    number(point.x);
    out->push_back(',');
    number(point.y);
    out->push_back(')');
  };
  const auto list = [&](const std::vector<Point>& points, bool closed) {
    out->push_back(closed ? '(' : '[');
    for (size_t i = 0; i < points.size(); ++i) {
      if (i > 0) out->push_back(',');
      pair(points[i]);
    }
    out->push_back(closed ? ')' : ']');
  };
  switch (type.value) {
    case oid::kPoint.value: return pair(point_of(bytes));
    case oid::kLseg.value: {
      const Lseg value = lseg_of(bytes);
      return list({value.p[0], value.p[1]}, false);
    }
    case oid::kBox.value: {
      const Box value = box_of(bytes);
      pair(value.high);
      out->push_back(',');
      return pair(value.low);
    }
    case oid::kLine.value: {
      const Line value = line_of(bytes);
      out->push_back('{');
      number(value.a);
      out->push_back(',');
      number(value.b);
      out->push_back(',');
      number(value.c);
      return out->push_back('}');
    }
    case oid::kPath.value: {
      const Path value = path_of(bytes);
      return list(value.points, value.closed);
    }
    case oid::kPolygon.value: return list(polygon_of(bytes).points, true);
    default: {
      const Circle value = circle_of(bytes);
      out->push_back('<');
      pair(value.center);
      out->push_back(',');
      number(value.radius);
      return out->push_back('>');
    }
  }
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

namespace {

/// Calls f(segment) for every segment of the path until it answers true.
template <class F>
bool any_segment(const Path& path, F f) {
  const size_t count = path.points.size();
  for (size_t i = path.closed ? 0 : 1; i < count; ++i) {
    if (f(Lseg{{path.points[i == 0 ? count - 1 : i - 1], path.points[i]}})) return true;
  }
  return false;
}

}  // namespace

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
