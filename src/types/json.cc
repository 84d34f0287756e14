// Parsing and canonical form.
#include "types/json.h"

#include <algorithm>

#include "base/stack_depth.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

constexpr int kDepthMax = 6000;  // about what PostgreSQL's frames leave room for

bool json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

class JsonParser {
 public:
  enum class Mode : uint8_t { kSyntax, kStrings, kCanonical };  // what is checked; the last one writes, too

  JsonParser(std::string_view text, Mode mode)
      : s_(text), canonical_(mode == Mode::kCanonical), decodes_(mode != Mode::kSyntax) {}

  Status parse(std::string* out) {
    skip();
    RETURN_IF_ERROR(value(0, out));
    skip();
    if (at_ < s_.size()) return expected("Expected end of input, but found \"%s\".");
    return {};
  }

 private:
  enum class Where : uint8_t { kValue, kArrayStart, kObjectStart };

  void skip() {
    while (at_ < s_.size() && json_space(s_[at_])) ++at_;
  }
  char peek() const { return at_ < s_.size() ? s_[at_] : '\0'; }

  Status invalid(std::string detail, size_t end) {
    // The context shows the line up to the offending token, cut to a reasonable length.
    size_t line_start = 0, line = 1;
    for (size_t i = 0; i < std::min(at_, s_.size()); ++i) {
      if (s_[i] == '\n') {
        line_start = i + 1;
        ++line;
      }
    }
    size_t stop = std::min(end, s_.size());
    size_t start = line_start;
    while (stop - start >= 50) start += std::max<size_t>(1, std::min(utf8_width(s_[start]), s_.size() - start));
    std::string context = "JSON data, line " + std::to_string(line) + ": ";
    if (start > line_start) {
      if (start - line_start <= 3)
        start = line_start;
      else
        context += "...";
    }
    context.append(s_.substr(start, stop - start));
    if (stop < s_.size() && s_[stop] != '\n' && s_[stop] != '\r') context += "...";
    return Status(SqlState::kInvalidTextRepresentation, "invalid input syntax for type json")
        .with_detail(std::move(detail))
        .with_context(std::move(context));
  }
  size_t token_end() const {
    size_t i = at_;
    if (i >= s_.size()) return i;
    char c = s_[i];
    if (c == '"') {
      for (++i; i < s_.size() && s_[i] != '"'; ++i) {
        if (s_[i] == '\\') ++i;
      }
      return std::min(i + 1, s_.size());
    }
    auto word = [](char x) {
      return is_digit(x) || (ascii_lower(x) >= 'a' && ascii_lower(x) <= 'z') || x == '_' ||
             (static_cast<unsigned char>(x) & 0x80) != 0;
    };
    if (c == '-' || is_digit(c)) {
      while (i < s_.size() && (word(s_[i]) || s_[i] == '+' || s_[i] == '-' || s_[i] == '.')) ++i;
      return std::max(i, at_ + 1);
    }
    while (i < s_.size() && word(s_[i])) ++i;
    return std::max(i, at_ + 1);
  }
  // A wrong token where another was expected; `format` has one %s for the token.
  Status expected(const char* format) {
    if (at_ >= s_.size()) return invalid("The input string ended unexpectedly.", at_);
    // A token that is no token at all says so first.
    size_t end = token_end();
    std::string_view token = s_.substr(at_, end - at_);
    char c = s_[at_];
    bool known = c == '"' || c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':' || c == '-' ||
                 is_digit(c) || token == "true" || token == "false" || token == "null";
    if (!known) return invalid("Token \"" + std::string(token) + "\" is invalid.", end);
    if (c == '"') {
      size_t keep = at_;
      std::string scratch;
      Status s = string(&scratch);
      if (!s.ok()) return s;
      at_ = keep;
    }
    if (c == '-' || is_digit(c)) {
      size_t keep = at_;
      std::string scratch;
      Status s = number(&scratch);
      if (!s.ok()) return s;
      at_ = keep;
    }
    std::string detail(format);
    detail.replace(detail.find("%s"), 2, token);
    return invalid(std::move(detail), end);
  }

  Status value(int depth, std::string* out) {
    if (depth > kDepthMax) return stack_too_deep();
    RETURN_IF_ERROR(check_stack_depth());
    switch (peek()) {
      case '{': return object(depth, out);
      case '[': return array(depth, out);
      case '"': {
        std::string text;
        RETURN_IF_ERROR(string(&text));
        if (canonical_) append_json_string(text, out);
        return {};
      }
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': return number(out);
      default: break;
    }
    for (std::string_view word : {std::string_view("true"), std::string_view("false"), std::string_view("null")}) {
      if (at_ < s_.size() && s_.substr(at_, token_end() - at_) == word) {
        if (canonical_) out->append(word);
        at_ += word.size();
        return {};
      }
    }
    return expected("Expected JSON value, but found \"%s\".");
  }

  Status number(std::string* out) {
    size_t start = at_, i = at_;
    bool bad = false;
    if (i < s_.size() && s_[i] == '-') ++i;
    if (i < s_.size() && s_[i] == '0') {
      ++i;
    } else if (i < s_.size() && is_digit(s_[i])) {
      while (i < s_.size() && is_digit(s_[i])) ++i;
    } else {
      bad = true;
    }
    if (!bad && i < s_.size() && s_[i] == '.') {
      ++i;
      if (i == s_.size() || !is_digit(s_[i])) bad = true;
      while (i < s_.size() && is_digit(s_[i])) ++i;
    }
    if (!bad && i < s_.size() && (s_[i] == 'e' || s_[i] == 'E')) {
      ++i;
      if (i < s_.size() && (s_[i] == '+' || s_[i] == '-')) ++i;
      if (i == s_.size() || !is_digit(s_[i])) bad = true;
      while (i < s_.size() && is_digit(s_[i])) ++i;
    }
    size_t end = token_end();
    if (bad || i != end) {
      return invalid("Token \"" + std::string(s_.substr(start, end - start)) + "\" is invalid.", end);
    }
    at_ = i;
    if (canonical_) {
      Numeric n;
      RETURN_IF_ERROR(Numeric::parse(s_.substr(start, i - start), &n));
      n.append_text(out);
    }
    return {};
  }

  // Reads a literal at '"' and decodes it into `text`, where strings are decoded.
  Status string(std::string* text) {
    size_t i = at_ + 1;
    uint32_t high = 0;
    auto fail = [&](std::string detail, size_t end) { return invalid(std::move(detail), end); };
    auto lone = [&](size_t end) { return fail("Unicode low surrogate must follow a high surrogate.", end); };
    for (;;) {
      if (i >= s_.size()) {
        return fail("Token \"" + std::string(s_.substr(at_)) + "\" is invalid.", s_.size());
      }
      char c = s_[i];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 32) {
        char hex[8];
        std::snprintf(hex, sizeof(hex), "%02x", static_cast<unsigned>(c));
        return fail("Character with value 0x" + std::string(hex) + " must be escaped.", i);
      }
      if (c != '\\') {
        if (decodes_) {
          if (high != 0) return lone(i + 1);
          text->push_back(c);
        }
        ++i;
        continue;
      }
      if (++i >= s_.size()) return fail("Token \"" + std::string(s_.substr(at_)) + "\" is invalid.", s_.size());
      c = s_[i];
      if (c == 'u') {
        uint32_t code = 0;
        for (int k = 1; k <= 4; ++k) {
          int h = i + static_cast<size_t>(k) < s_.size() ? hex_value(s_[i + static_cast<size_t>(k)]) : -1;
          if (h < 0) {
            if (i + static_cast<size_t>(k) >= s_.size()) {
              return fail("Token \"" + std::string(s_.substr(at_)) + "\" is invalid.", s_.size());
            }
            return fail(
                "\"\\u\" must be followed by four hexadecimal digits.",
                i + static_cast<size_t>(k) +
                    std::min(utf8_width(s_[i + static_cast<size_t>(k)]), s_.size() - i - static_cast<size_t>(k)));
          }
          code = code * 16 + static_cast<uint32_t>(h);
        }
        i += 5;
        if (!decodes_) continue;
        if (code >= 0xD800 && code <= 0xDBFF) {
          if (high != 0) return fail("Unicode high surrogate must not follow a high surrogate.", i);
          high = code;
          continue;
        }
        if (code >= 0xDC00 && code <= 0xDFFF) {
          if (high == 0) return lone(i);
          code = 0x10000 + ((high & 0x3FF) << 10) + (code & 0x3FF);
          high = 0;
        }
        if (high != 0) return lone(i);
        if (code == 0) {
          return Status(SqlState::kUntranslatableCharacter, "unsupported Unicode escape sequence")
              .with_detail("\\u0000 cannot be converted to text.")
              .with_context(invalid("", i).info().context);
        }
        append_utf8(code, text);
        continue;
      }
      if (decodes_ && high != 0) return lone(i + 1);
      char plain = 0;
      switch (c) {
        case '"':
        case '\\':
        case '/': plain = c; break;
        case 'b': plain = '\b'; break;
        case 'f': plain = '\f'; break;
        case 'n': plain = '\n'; break;
        case 'r': plain = '\r'; break;
        case 't': plain = '\t'; break;
        default: {
          size_t width = std::min(utf8_width(c), s_.size() - i);
          return fail("Escape sequence \"\\" + std::string(s_.substr(i, width)) + "\" is invalid.", i + width);
        }
      }
      if (decodes_) text->push_back(plain);
      ++i;
    }
    if (decodes_ && high != 0) return lone(i + 1);
    at_ = i + 1;
    return {};
  }

  Status array(int depth, std::string* out) {
    ++at_;
    if (canonical_) out->push_back('[');
    skip();
    if (peek() == ']') {
      ++at_;
      if (canonical_) out->push_back(']');
      return {};
    }
    for (bool first = true;; first = false) {
      skip();
      if (first && at_ < s_.size() && peek() != '{' && peek() != '[') {
        // PostgreSQL words this the same way for the first element.
      }
      RETURN_IF_ERROR(value(depth + 1, out));
      skip();
      if (peek() == ',') {
        ++at_;
        if (canonical_) out->append(", ");
        continue;
      }
      if (peek() == ']') {
        ++at_;
        if (canonical_) out->push_back(']');
        return {};
      }
      return expected("Expected \",\" or \"]\", but found \"%s\".");
    }
  }

  Status object(int depth, std::string* out) {
    ++at_;
    std::vector<std::pair<std::string, std::string>> members;
    skip();
    if (peek() == '}') {
      ++at_;
      if (canonical_) out->append("{}");
      return {};
    }
    for (bool first = true;; first = false) {
      skip();
      if (peek() != '"') {
        return expected(first ? "Expected string or \"}\", but found \"%s\"." : "Expected string, but found \"%s\".");
      }
      std::string key, text;
      RETURN_IF_ERROR(string(&key));
      skip();
      if (peek() != ':') return expected("Expected \":\", but found \"%s\".");
      ++at_;
      skip();
      RETURN_IF_ERROR(value(depth + 1, &text));
      if (canonical_) members.emplace_back(std::move(key), std::move(text));
      skip();
      if (peek() == ',') {
        ++at_;
        continue;
      }
      if (peek() == '}') {
        ++at_;
        break;
      }
      return expected("Expected \",\" or \"}\", but found \"%s\".");
    }
    if (canonical_) append_jsonb_object(std::move(members), out);
    return {};
  }

  std::string_view s_;
  const bool canonical_, decodes_;
  size_t at_ = 0;
};

// End of the value that begins at `at` in valid text.
size_t skip_value(std::string_view s, size_t at) {
  int depth = 0;
  while (at < s.size()) {
    char c = s[at];
    if (c == '"') {
      for (++at; s[at] != '"'; ++at) {
        if (s[at] == '\\') ++at;
      }
      ++at;
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[')
      ++depth;
    else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || json_space(c))) {
      return at;
    }
    ++at;
  }
  return at;
}

}  // namespace

Status json_validate(std::string_view text) {
  std::string none;
  return JsonParser(text, JsonParser::Mode::kSyntax).parse(&none);
}

Status json_check_strings(std::string_view text) {
  if (text.find("\\u") == std::string_view::npos) return {};  // nothing else can be wrong in valid text
  std::string none;
  return JsonParser(text, JsonParser::Mode::kStrings).parse(&none);
}

Status jsonb_from_text(std::string_view text, std::string* out) {
  std::string made;
  RETURN_IF_ERROR(JsonParser(text, JsonParser::Mode::kCanonical).parse(&made));
  *out = std::move(made);
  return {};
}

void append_jsonb_object(std::vector<std::pair<std::string, std::string>> members, std::string* out) {
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return a.first.size() != b.first.size() ? a.first.size() < b.first.size() : a.first < b.first;
  });
  out->push_back('{');
  bool first = true;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].first == members[i + 1].first) continue;  // the last one counts
    if (!first) out->append(", ");
    first = false;
    append_json_string(members[i].first, out);
    out->append(": ");
    out->append(members[i].second);
  }
  out->push_back('}');
}

void append_json_string(std::string_view text, std::string* out) {
  out->push_back('"');
  for (char c : text) {
    switch (c) {
      case '\b': out->append("\\b"); break;
      case '\f': out->append("\\f"); break;
      case '\n': out->append("\\n"); break;
      case '\r': out->append("\\r"); break;
      case '\t': out->append("\\t"); break;
      case '"': out->append("\\\""); break;
      case '\\': out->append("\\\\"); break;
      default:
        if (static_cast<unsigned char>(c) < ' ') {
          char hex[8];
          std::snprintf(hex, sizeof(hex), "\\u%04x", static_cast<unsigned>(c));
          out->append(hex);
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

Status json_unquote(std::string_view literal, std::string* out) {
  if (literal.find('\\') == std::string_view::npos) {
    out->assign(literal.substr(1, literal.size() - 2));
    return {};
  }
  // The parser decodes and checks; its canonical text is decoded once more without escapes to check.
  out->clear();
  uint32_t high = 0;
  for (size_t i = 1; i + 1 < literal.size(); ++i) {
    char c = literal[i];
    if (c != '\\') {
      if (high != 0) break;
      out->push_back(c);
      continue;
    }
    c = literal[++i];
    if (c == 'u') {
      uint32_t code = 0;
      for (int k = 0; k < 4; ++k) code = code * 16 + static_cast<uint32_t>(hex_value(literal[++i]));
      if (code >= 0xD800 && code <= 0xDBFF) {
        if (high != 0) {
          return Status(SqlState::kInvalidTextRepresentation, "invalid input syntax for type json")
              .with_detail("Unicode high surrogate must not follow a high surrogate.");
        }
        high = code;
        continue;
      }
      if (code >= 0xDC00 && code <= 0xDFFF) {
        if (high == 0) {
          high = 1;
          break;
        }
        code = 0x10000 + ((high & 0x3FF) << 10) + (code & 0x3FF);
        high = 0;
      }
      if (high != 0) break;
      if (code == 0) {
        return Status(SqlState::kUntranslatableCharacter, "unsupported Unicode escape sequence")
            .with_detail("\\u0000 cannot be converted to text.");
      }
      append_utf8(code, out);
      continue;
    }
    if (high != 0) break;
    out->push_back(c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
  }
  if (high != 0) {
    return Status(SqlState::kInvalidTextRepresentation, "invalid input syntax for type json")
        .with_detail("Unicode low surrogate must follow a high surrogate.");
  }
  return {};
}

std::string_view json_trim(std::string_view s) {
  while (!s.empty() && json_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && json_space(s.back())) s.remove_suffix(1);
  return s;
}

JsonKind json_kind(std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '{': return JsonKind::kObject;
      case '[': return JsonKind::kArray;
      case '"': return JsonKind::kString;
      case 't':
      case 'f': return JsonKind::kBool;
      case 'n': return JsonKind::kNull;
      default:
        if (!json_space(c)) return JsonKind::kNumber;
    }
  }
  return JsonKind::kNull;
}

const char* json_kind_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return "null";
    case JsonKind::kString: return "string";
    case JsonKind::kNumber: return "number";
    case JsonKind::kBool: return "boolean";
    case JsonKind::kArray: return "array";
    case JsonKind::kObject: return "object";
  }
  return "";
}

JsonReader::JsonReader(std::string_view container) : s_(json_trim(container)) {
  object_ = !s_.empty() && s_[0] == '{';
  at_ = 1;
}

bool JsonReader::next(std::string_view* key, std::string_view* value) {
  auto skip = [&] {
    while (at_ < s_.size() && json_space(s_[at_])) ++at_;
  };
  skip();
  if (at_ < s_.size() && s_[at_] == ',') {
    ++at_;
    skip();
  }
  if (at_ >= s_.size() || s_[at_] == '}' || s_[at_] == ']') return false;
  if (object_) {
    size_t end = skip_value(s_, at_);
    *key = s_.substr(at_, end - at_);
    at_ = end;
    skip();
    ++at_;  // ':'
    skip();
  }
  size_t end = skip_value(s_, at_);
  *value = s_.substr(at_, end - at_);
  at_ = end;
  return true;
}

size_t json_count(std::string_view container) {
  JsonReader reader(container);
  std::string_view value;
  size_t n = 0;
  while (reader.next(&value)) ++n;
  return n;
}

}  // namespace omendb::types
