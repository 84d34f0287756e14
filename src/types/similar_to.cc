// SIMILAR TO as a regular expression.
#include <algorithm>

#include "types/text.h"
#include "types/utf8.h"

namespace omendb::types {

Status similar_to_regex(std::string_view pattern, const std::string_view* escape_given, std::string* out) {
  std::string_view escape = escape_given != nullptr ? *escape_given : std::string_view("\\");
  if (utf8_count(escape) > 1) {
    return Status(SqlState::kInvalidEscapeSequence, "invalid escape string")
        .with_hint("Escape string must be empty or one character.");
  }
  std::string made = "^(?:";
  bool after = false, in_set = false;
  int quotes = 0;
  for (size_t at = 0; at < pattern.size();) {
    std::string_view c = pattern.substr(at, std::min(utf8_width(pattern[at]), pattern.size() - at));
    at += c.size();
    char first = c[0];
    if (after) {
      if (first == '"' && !in_set) {  // SUBSTRING's separators
        if (quotes == 0)
          made.append("){1,1}?(");
        else if (quotes == 1)
          made.append("){1,1}(?:");
        else
          return Status(SqlState::kInvalidUseOfEscapeCharacter,
                        "SQL regular expression may not contain more than two escape-double-quote separators");
        ++quotes;
      } else {
        if (c.size() == 1) made.push_back('\\');
        made.append(c);
      }
      after = false;
    } else if (!escape.empty() && c == escape) {
      after = true;
    } else if (in_set) {
      if (first == '\\') made.push_back('\\');
      made.append(c);
      if (first == ']') in_set = false;
    } else if (first == '[') {
      made.push_back('[');
      in_set = true;
    } else if (first == '%') {
      made.append(".*");
    } else if (first == '_') {
      made.push_back('.');
    } else if (first == '(') {
      made.append("(?:");
    } else if (first == '\\' || first == '.' || first == '^' || first == '$') {
      made.push_back('\\');
      made.push_back(first);
    } else {
      made.append(c);
    }
  }
  made.append(")$");
  *out = std::move(made);
  return {};
}

}  // namespace omendb::types
