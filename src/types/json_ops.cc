// What json and jsonb values are asked: parts of them, what they contain, their order.
#include <algorithm>

#include "types/json.h"
#include "types/json_parts.h"

namespace omendb::types {

using namespace internal;  // json_parts.h

namespace {

bool scalar_equal(std::string_view a, std::string_view b) {
  JsonKind ka = json_kind(a);
  if (ka != json_kind(b)) return false;
  if (ka != JsonKind::kNumber) return a == b;
  Numeric x, y;
  return Numeric::parse(a, &x).ok() && Numeric::parse(b, &y).ok() && Numeric::compare(x, y) == 0;
}

bool contains(std::string_view a, std::string_view b) {
  JsonKind ka = json_kind(a), kb = json_kind(b);
  if (ka != kb) return false;
  std::string_view key, value, found;
  if (ka == JsonKind::kObject) {
    JsonReader reader(b);
    while (reader.next(&key, &value)) {
      // Canonical keys are escaped in one way only: compare them as written.
      bool have = false;
      JsonReader other(a);
      std::string_view k;
      while (!have && other.next(&k, &found)) have = k == key;
      if (!have) return false;
      JsonKind kind = json_kind(value);
      if (json_kind(found) != kind) return false;
      if (is_container(kind) ? !contains(found, value) : !scalar_equal(found, value)) return false;
    }
    return true;
  }
  if (ka == JsonKind::kArray) {
    JsonReader reader(b);
    while (reader.next(&value)) {
      bool container = is_container(json_kind(value));
      bool have = false;
      JsonReader other(a);
      while (!have && other.next(&found)) {
        if (is_container(json_kind(found)) != container) continue;
        have = container ? contains(found, value) : scalar_equal(found, value);
      }
      if (!have) return false;
    }
    return true;
  }
  return scalar_equal(a, b);
}

int kind_rank(JsonKind kind) { return static_cast<int>(kind); }

int compare(std::string_view a, std::string_view b, bool top) {
  JsonKind ka = json_kind(a), kb = json_kind(b);
  // At the top a scalar counts as an array of one element (a "raw scalar").
  bool sa = top && !is_container(ka), sb = top && !is_container(kb);
  if (sa || sb) {
    if (sa && sb) return compare(a, b, false);
    if (ka == JsonKind::kObject || kb == JsonKind::kObject) return ka == JsonKind::kObject ? 1 : -1;
    size_t na = sa ? 1 : json_count(a), nb = sb ? 1 : json_count(b);
    if (na != nb) return na < nb ? -1 : 1;
    return sa ? -1 : 1;
  }
  if (ka != kb) return kind_rank(ka) < kind_rank(kb) ? -1 : 1;
  switch (ka) {
    case JsonKind::kNull: return 0;
    case JsonKind::kBool: return a == b ? 0 : a == "true" ? 1 : -1;
    case JsonKind::kNumber: {
      Numeric x, y;
      (void)Numeric::parse(a, &x).ok();
      (void)Numeric::parse(b, &y).ok();
      return Numeric::compare(x, y);
    }
    case JsonKind::kString: {
      int c = decoded(a).compare(decoded(b));
      return c < 0 ? -1 : c > 0;
    }
    case JsonKind::kArray:
    case JsonKind::kObject: break;
  }
  size_t na = json_count(a), nb = json_count(b);
  if (na != nb) return na < nb ? -1 : 1;
  JsonReader ra(a), rb(b);
  std::string_view key_a, key_b, va, vb;
  while (ra.next(&key_a, &va) && rb.next(&key_b, &vb)) {
    if (ka == JsonKind::kObject) {
      int c = decoded(key_a).compare(decoded(key_b));
      if (c != 0) return c < 0 ? -1 : 1;
    }
    int c = compare(va, vb, false);
    if (c != 0) return c;
  }
  return 0;
}

void pretty(std::string_view doc, int depth, std::string* out) {
  JsonKind kind = json_kind(doc);
  if (!is_container(kind)) {
    out->append(doc);
    return;
  }
  auto line = [&](int level) {
    out->push_back('\n');
    out->append(static_cast<size_t>(level) * 4, ' ');
  };
  out->push_back(kind == JsonKind::kObject ? '{' : '[');
  JsonReader reader(doc);
  std::string_view key, value;
  bool first = true;
  while (reader.next(&key, &value)) {
    if (!first) out->push_back(',');
    first = false;
    line(depth + 1);
    if (kind == JsonKind::kObject) out->append(key).append(": ");
    pretty(value, depth + 1, out);
  }
  line(depth);
  out->push_back(kind == JsonKind::kObject ? '}' : ']');
}

}  // namespace

bool json_field(std::string_view doc, std::string_view key, std::string_view* value) {
  if (json_kind(doc) != JsonKind::kObject) return false;
  JsonReader reader(doc);
  std::string_view k, v;
  bool found = false;
  while (reader.next(&k, &v)) {
    if (key_is(k, key)) {  // json may repeat a key; the last one counts
      *value = v;
      found = true;
    }
  }
  return found;
}

bool json_element(std::string_view doc, int64_t index, std::string_view* value) {
  if (json_kind(doc) != JsonKind::kArray) return false;
  if (index < 0) index += static_cast<int64_t>(json_count(doc));
  if (index < 0) return false;
  JsonReader reader(doc);
  for (std::string_view v; reader.next(&v); --index) {
    if (index == 0) {
      *value = v;
      return true;
    }
  }
  return false;
}

bool jsonb_element(std::string_view doc, int64_t index, std::string_view* value) {
  if (is_container(json_kind(doc))) return json_element(doc, index, value);
  *value = json_trim(doc);
  return index == 0 || index == -1;
}

bool json_path(std::string_view doc, std::span<const std::string_view> path, std::string_view* value) {
  std::string_view at = json_trim(doc);
  for (std::string_view step : path) {
    JsonKind kind = json_kind(at);
    int64_t index = 0;
    if (kind == JsonKind::kObject) {
      if (!json_field(at, step, &at)) return false;
    } else if (kind == JsonKind::kArray) {
      if (!parse_index(step, &index) || !json_element(at, index, &at)) return false;
    } else {
      return false;
    }
  }
  *value = at;
  return true;
}

Status json_as_text(std::string_view value, bool* null, std::string* out) {
  value = json_trim(value);
  JsonKind kind = json_kind(value);
  *null = kind == JsonKind::kNull;
  if (kind == JsonKind::kString) return json_unquote(value, out);
  out->assign(value);
  return {};
}

bool jsonb_contains(std::string_view a, std::string_view b) {
  JsonKind ka = json_kind(a), kb = json_kind(b);
  if (ka == JsonKind::kArray && !is_container(kb)) {  // an array may contain a bare scalar
    JsonReader reader(a);
    for (std::string_view v; reader.next(&v);) {
      if (!is_container(json_kind(v)) && scalar_equal(v, b)) return true;
    }
    return false;
  }
  return contains(a, b);
}

bool jsonb_exists(std::string_view doc, std::string_view key) {
  std::string_view value;
  switch (json_kind(doc)) {
    case JsonKind::kObject: return json_field(doc, key, &value);
    case JsonKind::kArray: {
      JsonReader reader(doc);
      while (reader.next(&value)) {
        if (json_kind(value) == JsonKind::kString && key_is(value, key)) return true;
      }
      return false;
    }
    case JsonKind::kString: return key_is(json_trim(doc), key);
    default: return false;
  }
}

int jsonb_compare(std::string_view a, std::string_view b) { return a == b ? 0 : compare(a, b, true); }

void jsonb_pretty(std::string_view doc, std::string* out) { pretty(json_trim(doc), 0, out); }

Status json_array_length(std::string_view doc, int32_t* out) {
  JsonKind kind = json_kind(doc);
  if (kind == JsonKind::kObject) return invalid_parameter("cannot get array length of a non-array");
  if (kind != JsonKind::kArray) return invalid_parameter("cannot get array length of a scalar");
  *out = static_cast<int32_t>(json_count(doc));
  return {};
}

namespace {
Status cannot_cast(JsonKind kind, const char* type) {
  const char* name = kind == JsonKind::kNumber ? "numeric" : json_kind_name(kind);
  return invalid_parameter("cannot cast jsonb " + std::string(name) + " to type " + type);
}
}  // namespace

Status jsonb_to_numeric(std::string_view doc, const char* type, Numeric* out) {
  JsonKind kind = json_kind(doc);
  if (kind != JsonKind::kNumber) return cannot_cast(kind, type);
  return Numeric::parse(doc, out);
}

Status jsonb_to_bool(std::string_view doc, bool* out) {
  JsonKind kind = json_kind(doc);
  if (kind != JsonKind::kBool) return cannot_cast(kind, "boolean");
  *out = json_trim(doc) == "true";
  return {};
}

}  // namespace omendb::types
