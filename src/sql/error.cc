#include "sql/error.h"

#include <cstdio>

namespace omendb::sql {
namespace {

void append_field(std::string* out, const char* name, const std::string& value) {
  if (out->size() > 1) out->push_back(',');
  out->push_back('"');
  out->append(name);
  out->append("\":\"");
  for (char c : value) {
    switch (c) {
      case '"': out->append("\\\""); break;
      case '\\': out->append("\\\\"); break;
      case '\n': out->append("\\n"); break;
      case '\r': out->append("\\r"); break;
      case '\t': out->append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escape[8];
          std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
          out->append(escape);
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

}  // namespace

const char* SqlError::what() const noexcept {
  if (what_.empty()) {
    const auto state = sqlstate_text(info_.code);
    std::string text = "{";
    append_field(&text, "exception_type", "Invalid Input");
    append_field(&text, "exception_message", info_.message);
    append_field(&text, "omen_code", std::string(state.data(), state.size()));
    append_field(&text, "omen_location", std::to_string(byte_location_));
    append_field(&text, "omen_position", std::to_string(info_.position));
    const std::pair<const char*, const std::string*> fields[] = {
        {"omen_detail", &info_.detail},       {"omen_hint", &info_.hint},
        {"omen_context", &info_.context},     {"omen_schema", &info_.schema},
        {"omen_table", &info_.table},         {"omen_column", &info_.column},
        {"omen_data_type", &info_.data_type}, {"omen_constraint", &info_.constraint},
        {"omen_file", &info_.file},           {"omen_routine", &info_.routine}};
    for (const auto& [name, value] : fields) {
      if (!value->empty()) append_field(&text, name, *value);
    }
    text.push_back('}');
    what_ = std::move(text);
  }
  return what_.c_str();
}

SqlError result_type_changed() {
  SqlError error(SqlState::kFeatureNotSupported, "cached plan must not change result type");
  error.info().file = "plancache.c";
  error.info().routine = "RevalidateCachedQuery";
  return error;
}

}  // namespace omendb::sql
