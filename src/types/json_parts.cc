#include "types/json_parts.h"

#include "types/scalar.h"

namespace omendb::types::internal {

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

}  // namespace omendb::types::internal
