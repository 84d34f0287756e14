// LIKE, ILIKE and the translation of SIMILAR TO.
#include <algorithm>

#include "base/stack_depth.h"
#include "types/scalar.h"
#include "types/text.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

Status dangling() {
  return Status(SqlState::kInvalidEscapeSequence, "LIKE pattern must not end with escape character");
}

// 1 match, 0 no match, -1 no match and none further right either, -2 pattern ends with its escape character,
// -3 too many % for the stack.
int match(std::string_view t, std::string_view p, std::string_view escape) {
  if (p == "%") return 1;
  if (!check_stack_depth().ok()) return -3;
  while (!t.empty() && !p.empty()) {
    if (!escape.empty() && p.starts_with(escape)) {
      p.remove_prefix(escape.size());
      if (p.empty()) return -2;
      if (p[0] != t[0]) return 0;
    } else if (p[0] == '%') {
      p.remove_prefix(1);
      while (!p.empty()) {  // %% and %_: skip characters once
        if (p[0] == '%') {
          p.remove_prefix(1);
        } else if (p[0] == '_') {
          if (t.empty()) return -1;
          t.remove_prefix(std::min(utf8_width(t[0]), t.size()));
          p.remove_prefix(1);
        } else {
          break;
        }
      }
      if (p.empty()) return 1;
      char first = p[0];
      if (!escape.empty() && p.starts_with(escape)) {
        if (p.size() == escape.size()) return -2;
        first = p[escape.size()];
      }
      while (!t.empty()) {
        if (t[0] == first) {
          int r = match(t, p, escape);
          if (r != 0) return r;
        }
        t.remove_prefix(std::min(utf8_width(t[0]), t.size()));
      }
      return -1;
    } else if (p[0] == '_') {
      t.remove_prefix(std::min(utf8_width(t[0]), t.size()));
      p.remove_prefix(1);
      continue;
    } else if (p[0] != t[0]) {
      return 0;
    }
    t.remove_prefix(1);
    p.remove_prefix(1);
  }
  if (!t.empty()) return 0;
  while (!p.empty() && p[0] == '%') p.remove_prefix(1);
  return p.empty() ? 1 : -1;
}

}  // namespace

Status like_match(std::string_view text, std::string_view pattern, std::string_view escape, bool ignore_case,
                  bool* out) {
  std::string lower_text, lower_pattern;
  if (ignore_case) {
    text_lower(text, &lower_text);
    text_lower(pattern, &lower_pattern);
    text = lower_text;
    pattern = lower_pattern;
  }
  int r = match(text, pattern, escape);
  if (r == -2) return dangling();
  if (r == -3) return stack_too_deep();
  *out = r == 1;
  return {};
}

Status like_escape(std::string_view pattern, std::string_view escape, std::string* out) {
  std::string made;
  if (escape.empty()) {  // no escape character: backslashes are ordinary
    for (char c : pattern) {
      if (c == '\\') made.push_back('\\');
      made.push_back(c);
    }
    *out = std::move(made);
    return {};
  }
  if (utf8_count(escape) != 1) {
    return Status(SqlState::kInvalidEscapeSequence, "invalid escape string")
        .with_hint("Escape string must be empty or one character.");
  }
  if (escape == "\\") {
    out->assign(pattern);
    return {};
  }
  bool after = false;
  for (size_t at = 0; at < pattern.size();) {
    std::string_view c = pattern.substr(at, std::min(utf8_width(pattern[at]), pattern.size() - at));
    at += c.size();
    if (c == escape && !after) {
      made.push_back('\\');
      after = true;
    } else if (c == "\\") {
      made.push_back('\\');
      if (!after) made.push_back('\\');
      after = false;
    } else {
      made.append(c);
      after = false;
    }
  }
  *out = std::move(made);
  return {};
}

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
