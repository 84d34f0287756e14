// Geometric values as bytes and as text.
#include <array>
#include <cmath>
#include <cstring>

#include "types/geometry.h"
#include "types/io_parts.h"
#include "types/scalar.h"

namespace omendb::types {

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

}  // namespace omendb::types
