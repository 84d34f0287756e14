#include "sql/engine/explain_format.h"

#include <cctype>

#include "sql/engine/error_mapping.h"
#include "types/json.h"

namespace omendb::sql {
namespace {

using types::JsonKind;

std::string text_of(std::string_view literal) {
  std::string text;
  throw_if_error(types::json_unquote(literal, &text));
  return text;
}

bool is_container(JsonKind kind) { return kind == JsonKind::kObject || kind == JsonKind::kArray; }

std::string spaces(int indent) { return std::string(static_cast<size_t>(indent) * 2, ' '); }

// --- XML ---

std::string xml_name(const std::string& name) {
  std::string out;
  for (char c : name) out += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' ? c : '-';
  // Not PostgreSQL's rule: none of its names begins like that.
  if (out.empty() || !(std::isalpha(static_cast<unsigned char>(out[0])) || out[0] == '_')) out.insert(0, "_");
  return out;
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\r')
      out += "&#x0d;";
    else if (byte >= 0x20 || c == '\n' || c == '\t')
      out += c;
    else
      out += '?';  // no XML has it, escaped or not
  }
  return out;
}

void add_xml(std::string_view value, const std::string& name, int indent, std::string* out) {
  const JsonKind kind = types::json_kind(value);
  *out += spaces(indent) + "<" + name + ">";
  if (!is_container(kind)) {
    const std::string_view bare = types::json_trim(value);
    *out += kind == JsonKind::kString ? xml_text(text_of(bare)) : std::string(bare);
  } else {
    *out += "\n";
    types::JsonReader reader(value);
    std::string_view key, member;
    while (reader.next(&key, &member)) {
      const bool plan = kind == JsonKind::kArray && types::json_kind(member) == JsonKind::kObject;
      add_xml(member, kind == JsonKind::kObject ? xml_name(text_of(key)) : plan ? "Plan" : "Item", indent + 1, out);
    }
    *out += spaces(indent);
  }
  *out += "</" + name + ">\n";
}

// --- YAML ---

void add_yaml(std::string_view container, int indent, bool in_list, std::string* out) {
  const JsonKind kind = types::json_kind(container);
  types::JsonReader reader(container);
  std::string_view key, member;
  bool first = in_list;  // goes on the line of its dash
  while (reader.next(&key, &member)) {
    if (!first) *out += "\n" + spaces(indent);
    first = false;
    const JsonKind of_member = types::json_kind(member);
    if (kind == JsonKind::kObject)
      *out += text_of(key) + ": ";
    else
      *out += "- ";
    if (is_container(of_member)) {
      add_yaml(member, indent + 1, kind == JsonKind::kArray, out);
    } else if (of_member == JsonKind::kString) {
      types::append_json_string(text_of(types::json_trim(member)), out);
    } else {
      *out += types::json_trim(member);
    }
  }
}

}  // namespace

std::string explain_xml(std::string_view json) {
  std::string out = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n";
  types::JsonReader queries(json);
  std::string_view query;
  while (queries.next(&query)) add_xml(query, "Query", 1, &out);
  return out + "</explain>";
}

std::string explain_yaml(std::string_view json) {
  std::string out;
  add_yaml(json, 0, true, &out);
  return out;
}

}  // namespace omendb::sql
