// jsonb changed: concatenation, members and elements put in and taken out.
#include <algorithm>

#include "types/json.h"
#include "types/json_parts.h"

namespace omendb::types {

using namespace internal;  // json_parts.h

namespace {

// Writes a canonical container again from its members.
class Writer {
 public:
  Writer(JsonKind kind, std::string* out) : kind_(kind), out_(out) {
    out_->push_back(kind == JsonKind::kObject ? '{' : '[');
  }
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
      if (last && edit != PathEdit::kDelete && edit != PathEdit::kSet)
        put_member(doc, path[level], value, out);
      else
        out->append(doc);
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
    bool creating =
        last && (edit == PathEdit::kSetOrCreate || edit == PathEdit::kInsertBefore || edit == PathEdit::kInsertAfter);
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
      if (edit == PathEdit::kSet || edit == PathEdit::kSetOrCreate || edit == PathEdit::kInsertAfter)
        w.member({}, value);
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

}  // namespace

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
      if (kind == JsonKind::kObject)
        drop = drop || key_is(k, key);
      else
        drop = drop || (json_kind(v) == JsonKind::kString && key_is(v, key));
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

}  // namespace omendb::types
