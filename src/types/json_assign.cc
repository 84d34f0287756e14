// Assignment to a part of a jsonb value: UPDATE ... SET doc['a'][2] = value.
#include <charconv>

#include "types/json.h"

namespace omendb::types {

namespace {

/// Gaps longer than this would make a document larger than any value may be.
constexpr int32_t kGapMax = 1 << 27;

bool as_index(std::string_view step, int32_t* index) {
  if (!step.empty() && step[0] == '+') step.remove_prefix(1);
  auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), *index);
  return error == std::errc() && !step.empty() && end == step.data() + step.size();
}

using Path = std::span<const std::string_view>;

/// What a path that leads nowhere yet becomes: arrays for integers, with nulls before the place, objects for anything else.
Status make_path(Path path, std::string_view value, std::string* out) {
  std::string closing;
  for (std::string_view step : path) {
    int32_t index = 0;
    if (as_index(step, &index)) {
      if (index > kGapMax) return Status(SqlState::kProgramLimitExceeded, "jsonb array is too long");
      out->push_back('[');
      for (int32_t i = 0; i < index; ++i) out->append("null, ");
      closing.insert(closing.begin(), ']');
    } else {
      out->push_back('{');
      append_json_string(step, out);
      out->append(": ");
      closing.insert(closing.begin(), '}');
    }
  }
  out->append(value);
  out->append(closing);
  return {};
}

Status assign(std::string_view doc, Path path, size_t level, std::string_view value, std::string* out) {
  if (level == path.size()) {
    out->append(value);
    return {};
  }
  const JsonKind kind = json_kind(doc);
  std::string_view key, member;
  JsonReader reader(kind == JsonKind::kObject || kind == JsonKind::kArray ? doc : std::string_view("[]"));
  if (kind == JsonKind::kObject) {
    std::vector<std::pair<std::string, std::string>> members;
    bool found = false;
    while (reader.next(&key, &member)) {
      std::string name, text;
      RETURN_IF_ERROR(json_unquote(key, &name));
      if (name == path[level]) {
        found = true;
        RETURN_IF_ERROR(assign(member, path, level + 1, value, &text));
      } else {
        text = member;
      }
      members.emplace_back(std::move(name), std::move(text));
    }
    if (!found) {
      std::string made;
      RETURN_IF_ERROR(make_path(path.subspan(level + 1), value, &made));
      members.emplace_back(std::string(path[level]), std::move(made));
    }
    append_jsonb_object(std::move(members), out);
    return {};
  }
  if (kind != JsonKind::kArray) {
    return Status(SqlState::kInvalidParameterValue, "cannot replace existing key")
        .with_detail("The path assumes key is a composite object, but it is a scalar value.");
  }
  int32_t index = 0;
  const std::string position = "path element at position " + std::to_string(level + 1) + " is ";
  if (!as_index(path[level], &index)) {
    return Status(SqlState::kInvalidTextRepresentation,
                  position + "not an integer: \"" + std::string(path[level]) + "\"");
  }
  const auto count = static_cast<int32_t>(json_count(doc));
  if (index < 0) {
    if (-static_cast<int64_t>(index) > count) {
      return Status(SqlState::kInvalidParameterValue, position + "out of range: " + std::to_string(index));
    }
    index += count;
  }
  if (index > kGapMax) return Status(SqlState::kProgramLimitExceeded, "jsonb array is too long");
  out->push_back('[');
  int32_t at = 0;
  auto separate = [&] {
    if (at++ > 0) out->append(", ");
  };
  while (reader.next(&key, &member)) {
    const bool here = at == index;
    separate();
    if (here)
      RETURN_IF_ERROR(assign(member, path, level + 1, value, out));
    else
      out->append(member);
  }
  if (index >= count) {
    while (at < index) {
      separate();
      out->append("null");
    }
    separate();
    RETURN_IF_ERROR(make_path(path.subspan(level + 1), value, out));
  }
  out->push_back(']');
  return {};
}

}  // namespace

Status jsonb_assign(std::string_view doc, Path path, std::string_view value, std::string* out) {
  return assign(json_trim(doc), path, 0, value, out);
}

}  // namespace omendb::types
