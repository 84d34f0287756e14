// Operators and functions of json and jsonb.
#include <algorithm>
#include <functional>

#include "types/array.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/record.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

bool is_container(JsonKind kind) { return kind == JsonKind::kArray || kind == JsonKind::kObject; }

Status invalid_parameter(std::string message) {
  return Status(SqlState::kInvalidParameterValue, std::move(message));
}

// Decoded key of a member; a key that cannot be decoded is compared as written.
std::string decoded(std::string_view literal) {
  std::string text;
  if (!json_unquote(literal, &text).ok()) text.assign(literal);
  return text;
}

bool key_is(std::string_view literal, std::string_view key) {
  if (literal.find('\\') == std::string_view::npos) return literal.substr(1, literal.size() - 2) == key;
  return decoded(literal) == key;
}

bool parse_index(std::string_view text, int64_t* index) {
  std::string_view s = text;
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  int32_t v = 0;
  if (s.empty() || is_space(s.back()) || !parse_int4(s, &v).ok()) return false;
  *index = v;
  return true;
}

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

// Writes a canonical container again from its members.
class Writer {
 public:
  Writer(JsonKind kind, std::string* out) : kind_(kind), out_(out) { out_->push_back(kind == JsonKind::kObject ? '{' : '['); }
  void member(std::string_view key_literal, std::string_view value) {
    separate();
    if (kind_ == JsonKind::kObject) out_->append(key_literal).append(": ");
    out_->append(value);
  }
  void separate() {
    if (!first_) out_->append(", ");
    first_ = false;
  }
  void close() { out_->push_back(kind_ == JsonKind::kObject ? '}' : ']'); }

 private:
  JsonKind kind_;
  std::string* out_;
  bool first_ = true;
};

// Order of object keys in canonical text.
bool key_before(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Adds or replaces one member.
void put_member(std::string_view object, std::string_view key, std::string_view value, std::string* out) {
  std::string wanted(key);
  std::string literal;
  append_json_string(key, &literal);
  Writer w(JsonKind::kObject, out);
  JsonReader reader(object);
  std::string_view k, v;
  bool placed = false;
  while (reader.next(&k, &v)) {
    if (k == literal) {
      w.member(literal, value);
      placed = true;
      continue;
    }
    if (!placed && key_before(wanted, decoded(k))) {
      w.member(literal, value);
      placed = true;
    }
    w.member(k, v);
  }
  if (!placed) w.member(literal, value);
  w.close();
}

enum class PathEdit : uint8_t { kSet, kSetOrCreate, kInsertBefore, kInsertAfter, kDelete };

Status bad_path_element(size_t level, std::string_view text) {
  return Status(SqlState::kInvalidTextRepresentation, "path element at position " + std::to_string(level + 1) +
                                                          " is not an integer: \"" + std::string(text) + "\"");
}

Status edit_path(std::string_view doc, std::span<const std::string_view> path, size_t level, std::string_view value,
                 PathEdit edit, std::string* out) {
  JsonKind kind = json_kind(doc);
  bool last = level + 1 == path.size();
  if (kind == JsonKind::kObject) {
    std::string literal;
    append_json_string(path[level], &literal);
    JsonReader reader(doc);
    std::string_view k, v;
    bool found = false;
    while (!found && reader.next(&k, &v)) found = k == literal;
    if (!found) {
      if (last && edit != PathEdit::kDelete && edit != PathEdit::kSet) put_member(doc, path[level], value, out);
      else out->append(doc);
      return {};
    }
    if (last && (edit == PathEdit::kInsertBefore || edit == PathEdit::kInsertAfter)) {
      return Status(SqlState::kInvalidParameterValue, "cannot replace existing key")
          .with_hint("Try using the function jsonb_set to replace key value.");
    }
    Writer w(kind, out);
    JsonReader again(doc);
    while (again.next(&k, &v)) {
      if (k != literal) {
        w.member(k, v);
      } else if (last) {
        if (edit != PathEdit::kDelete) w.member(k, value);
      } else {
        std::string inner;
        RETURN_IF_ERROR(edit_path(v, path, level + 1, value, edit, &inner));
        w.member(k, inner);
      }
    }
    w.close();
    return {};
  }
  if (kind == JsonKind::kArray) {
    int64_t index = 0;
    if (!parse_index(path[level], &index)) return bad_path_element(level, path[level]);
    auto count = static_cast<int64_t>(json_count(doc));
    bool before_start = false;
    if (index < 0) {
      if (-index > count) {
        before_start = true;
        index = INT64_MIN;
      } else {
        index += count;
      }
    }
    if (index > count) index = count;
    bool creating = last && (edit == PathEdit::kSetOrCreate || edit == PathEdit::kInsertBefore || edit == PathEdit::kInsertAfter);
    Writer w(kind, out);
    if ((before_start || count == 0) && creating) w.member({}, value);
    JsonReader reader(doc);
    std::string_view v;
    int64_t i = 0;
    for (; reader.next(&v); ++i) {
      if (i != index) {
        w.member({}, v);
        continue;
      }
      if (!last) {
        std::string inner;
        RETURN_IF_ERROR(edit_path(v, path, level + 1, value, edit, &inner));
        w.member({}, inner);
        continue;
      }
      if (edit == PathEdit::kInsertBefore) w.member({}, value);
      if (edit == PathEdit::kInsertBefore || edit == PathEdit::kInsertAfter) w.member({}, v);
      if (edit == PathEdit::kSet || edit == PathEdit::kSetOrCreate || edit == PathEdit::kInsertAfter) w.member({}, value);
    }
    if (creating && count > 0 && index == count) w.member({}, value);
    w.close();
    return {};
  }
  out->append(doc);
  return {};
}

Status edit(std::string_view doc, std::span<const std::string_view> path, std::string_view value, PathEdit how,
            const char* scalar_message, std::string* out) {
  doc = json_trim(doc);
  if (!is_container(json_kind(doc))) return invalid_parameter(scalar_message);
  if (path.empty() || (json_count(doc) == 0 && (how == PathEdit::kSet || how == PathEdit::kDelete))) {
    out->assign(doc);
    return {};
  }
  std::string made;
  RETURN_IF_ERROR(edit_path(doc, path, 0, value, how, &made));
  *out = std::move(made);
  return {};
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

void jsonb_concat(std::string_view a, std::string_view b, std::string* out) {
  a = json_trim(a);
  b = json_trim(b);
  JsonKind ka = json_kind(a), kb = json_kind(b);
  std::string made;
  if (ka == JsonKind::kObject && kb == JsonKind::kObject) {
    std::vector<std::pair<std::string, std::string>> members;
    for (std::string_view doc : {a, b}) {
      JsonReader reader(doc);
      std::string_view k, v;
      while (reader.next(&k, &v)) members.emplace_back(decoded(k), std::string(v));
    }
    append_jsonb_object(std::move(members), &made);
  } else {
    Writer w(JsonKind::kArray, &made);
    for (std::string_view doc : {a, b}) {
      if (json_kind(doc) != JsonKind::kArray) {
        w.member({}, doc);
        continue;
      }
      JsonReader reader(doc);
      for (std::string_view v; reader.next(&v);) w.member({}, v);
    }
    w.close();
  }
  *out = std::move(made);
}

Status jsonb_delete_key(std::string_view doc, std::string_view key, std::string* out) {
  return jsonb_delete_keys(doc, {&key, 1}, out);
}

Status jsonb_delete_keys(std::string_view doc, std::span<const std::string_view> keys, std::string* out) {
  doc = json_trim(doc);
  JsonKind kind = json_kind(doc);
  if (!is_container(kind)) return invalid_parameter("cannot delete from scalar");
  std::string made;
  Writer w(kind, &made);
  JsonReader reader(doc);
  std::string_view k, v;
  while (reader.next(&k, &v)) {
    bool drop = false;
    for (std::string_view key : keys) {
      if (kind == JsonKind::kObject) drop = drop || key_is(k, key);
      else drop = drop || (json_kind(v) == JsonKind::kString && key_is(v, key));
    }
    if (!drop) w.member(k, v);
  }
  w.close();
  *out = std::move(made);
  return {};
}

Status jsonb_delete_index(std::string_view doc, int64_t index, std::string* out) {
  doc = json_trim(doc);
  JsonKind kind = json_kind(doc);
  if (!is_container(kind)) return invalid_parameter("cannot delete from scalar");
  if (kind == JsonKind::kObject) return invalid_parameter("cannot delete from object using integer index");
  if (index < 0) index += static_cast<int64_t>(json_count(doc));
  std::string made;
  Writer w(kind, &made);
  JsonReader reader(doc);
  int64_t i = 0;
  for (std::string_view v; reader.next(&v); ++i) {
    if (i != index) w.member({}, v);
  }
  w.close();
  *out = std::move(made);
  return {};
}

Status jsonb_delete_path(std::string_view doc, std::span<const std::string_view> path, std::string* out) {
  return edit(doc, path, {}, PathEdit::kDelete, "cannot delete path in scalar", out);
}

Status jsonb_set(std::string_view doc, std::span<const std::string_view> path, std::string_view value, bool create,
                 std::string* out) {
  return edit(doc, path, value, create ? PathEdit::kSetOrCreate : PathEdit::kSet, "cannot set path in scalar", out);
}

Status jsonb_insert(std::string_view doc, std::span<const std::string_view> path, std::string_view value, bool after,
                    std::string* out) {
  return edit(doc, path, value, after ? PathEdit::kInsertAfter : PathEdit::kInsertBefore, "cannot set path in scalar",
              out);
}

int jsonb_compare(std::string_view a, std::string_view b) { return a == b ? 0 : compare(a, b, true); }

void json_strip_nulls(std::string_view doc, bool canonical, std::string* out) {
  doc = json_trim(doc);
  JsonKind kind = json_kind(doc);
  if (!is_container(kind)) {
    if (kind == JsonKind::kString && !canonical) {
      std::string text;
      if (json_unquote(doc, &text).ok()) {
        append_json_string(text, out);
        return;
      }
    }
    out->append(doc);
    return;
  }
  out->push_back(kind == JsonKind::kObject ? '{' : '[');
  JsonReader reader(doc);
  std::string_view key, value;
  bool first = true;
  while (reader.next(&key, &value)) {
    if (kind == JsonKind::kObject && json_kind(value) == JsonKind::kNull) continue;
    if (!first) out->append(canonical ? ", " : ",");
    first = false;
    if (kind == JsonKind::kObject) {
      append_json_string(decoded(key), out);
      out->append(canonical ? ": " : ":");
    }
    json_strip_nulls(value, canonical, out);
  }
  out->push_back(kind == JsonKind::kObject ? '}' : ']');
}

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

namespace {

// Nested arrays: {{1,2},{3,4}} is [[1,2],[3,4]].
Status array_level(const ArrayView& a, int dimension, size_t* at, const IoContext& context, bool canonical,
                   std::string* out) {
  out->push_back('[');
  for (int32_t i = 0; i < a.length(dimension); ++i) {
    if (i > 0) out->append(canonical ? ", " : ",");
    if (dimension + 1 < a.dimensions()) {
      RETURN_IF_ERROR(array_level(a, dimension + 1, at, context, canonical, out));
    } else {
      RETURN_IF_ERROR(json_from_value(a.element_type(), a.physical(), a.at(*at), context, canonical, out));
      ++*at;
    }
  }
  out->push_back(']');
  return {};
}

/// A row as an object. Fields are named by its type, by the record itself, or f1, f2, ...
Status json_from_record(Oid type, const RecordView& record, const IoContext& context, bool canonical, std::string* out) {
  std::vector<CompositeField> fields;
  if (type != oid::kRecord) fields = context.catalog->composite_fields(type);
  const std::vector<std::string_view> names = record.names();
  std::vector<std::pair<std::string, std::string>> members;
  for (size_t i = 0; i < record.size(); ++i) {
    std::string text;
    RETURN_IF_ERROR(json_from_value(record.type(i), record.physical(i), record.at(i), context, canonical, &text));
    std::string name = i < fields.size() ? fields[i].name : i < names.size() ? std::string(names[i]) : "f" + std::to_string(i + 1);
    members.emplace_back(std::move(name), std::move(text));
  }
  if (canonical) {
    append_jsonb_object(std::move(members), out);
    return {};
  }
  out->push_back('{');
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out->push_back(',');
    append_json_string(members[i].first, out);
    out->append(":").append(members[i].second);
  }
  out->push_back('}');
  return {};
}

}  // namespace

Status json_from_value(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                       bool canonical, std::string* out) {
  if (value.null) {
    out->append("null");
    return {};
  }
  if (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'd') {
    int32_t typmod = -1;
    return json_from_value(context.catalog->base_type(type, &typmod), physical, value, context, canonical, out);
  }
  if (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'c') {
    return json_from_record(type, RecordView(value.bytes), context, canonical, out);
  }
  switch (type.value) {
    case oid::kBool.value: out->append(value.integer != 0 ? "true" : "false"); return {};
    case oid::kInt2.value:
    case oid::kInt4.value:
    case oid::kInt8.value: append_int64(value.integer, out); return {};
    case oid::kFloat4.value:
    case oid::kFloat8.value:
    case oid::kNumeric.value: {
      std::string text;
      output(type, physical, value, context, &text);
      if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
        append_json_string(text, out);
      } else if (canonical && type != oid::kNumeric) {
        Numeric n;
        RETURN_IF_ERROR(Numeric::parse(text, &n));
        n.append_text(out);
      } else {
        out->append(text);
      }
      return {};
    }
    case oid::kDate.value:
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value: {
      IoContext iso = context;
      iso.date_format = DateFormat::kIso;
      std::string text;
      if (type == oid::kDate) {
        append_date(static_cast<int32_t>(value.integer), iso, &text);
      } else {
        if (type == oid::kTimestamp) append_timestamp(value.integer, iso, &text);
        else append_timestamptz(value.integer, iso, &text);
        size_t space = text.find(' ');
        if (timestamp_is_finite(value.integer) && space != std::string::npos) text[space] = 'T';
        if (type == oid::kTimestampTz && timestamp_is_finite(value.integer)) {
          // ISO 8601 wants minutes in the zone.
          bool bc = text.ends_with(" BC");
          std::string tail = bc ? " BC" : "";
          if (bc) text.resize(text.size() - 3);
          size_t sign = text.find_last_of("+-");
          if (text.size() - sign == 3) text += ":00";
          text += tail;
        }
      }
      append_json_string(text, out);
      return {};
    }
    case oid::kJson.value:
      if (!canonical) {
        out->append(value.bytes);
        return {};
      } else {
        std::string text;
        RETURN_IF_ERROR(jsonb_from_text(value.bytes, &text));
        out->append(text);
        return {};
      }
    case oid::kJsonb.value: out->append(value.bytes); return {};
    case oid::kRecord.value: return json_from_record(type, RecordView(value.bytes), context, canonical, out);
    default: break;
  }
  bool array = array_element_type(type) != kInvalidOid && type != oid::kInt2Vector && type != oid::kOidVector;
  if (!array && context.catalog != nullptr && find_type(type) == nullptr) {
    array = context.catalog->element_type(type) != kInvalidOid;
  }
  if (array || type == oid::kInt2Vector || type == oid::kOidVector) {
    ArrayView a(value.bytes);
    if (a.size() == 0) {
      out->append("[]");
      return {};
    }
    size_t at = 0;
    return array_level(a, 0, &at, context, canonical, out);
  }
  std::string text;
  output(type, physical, value, context, &text);
  append_json_string(text, out);
  return {};
}

}  // namespace omendb::types
