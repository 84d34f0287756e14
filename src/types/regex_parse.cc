// Parsing of advanced regular expressions: a pattern becomes a tree.
#include <algorithm>

#include "types/regex_program.h"
#include "types/scalar.h"
#include "types/text.h"
#include "types/utf8.h"

namespace omendb::types::internal {

bool in_class(CharClass k, uint32_t c) {
  switch (k) {
    case CharClass::kAlpha: return unicode_is_alpha(c);
    case CharClass::kDigit: return c >= '0' && c <= '9';
    case CharClass::kAlnum: return unicode_is_alnum(c);
    case CharClass::kUpper: return unicode_is_upper(c);
    case CharClass::kLower: return unicode_is_lower(c);
    case CharClass::kSpace: return unicode_is_space(c);
    case CharClass::kBlank: return c == ' ' || c == '\t';
    case CharClass::kPunct: return unicode_is_punct(c);
    case CharClass::kPrint: return (c >= 32 && c < 127) || c > 159;
    case CharClass::kGraph: return (c > 32 && c < 127) || (c > 159 && !unicode_is_space(c));
    case CharClass::kCntrl: return c < 32 || (c >= 127 && c <= 159);
    case CharClass::kXdigit: return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f' && c < 128);
    case CharClass::kWord: return c == '_' || unicode_is_alnum(c);
  }
  return false;
}

bool CharSet::slow(uint32_t c) const {
  if (no_newline && c == '\n') return false;
  auto plain = [&](uint32_t x) {
    for (auto [low, high] : ranges) {
      if (x >= low && x <= high) return true;
    }
    for (auto [k, negative] : classes) {
      if (in_class(k, x) != negative) return true;
    }
    return false;
  };
  bool in = plain(c) || (ignore_case && (plain(unicode_lower(c)) || plain(unicode_upper(c))));
  return in != negated;
}

void CharSet::finish() {
  for (uint32_t c = 0; c < 128; ++c) {
    if (slow(c)) ascii[c >> 6] |= uint64_t{1} << (c & 63);
  }
}

namespace {

using NodePtr = std::unique_ptr<Node>;
constexpr int kRepeatMax = 255;

class Parser {
 public:
  Parser(std::string_view pattern, RegexFlags flags, Regex::Program* out) : flags_(flags), out_(out) {
    for (size_t at = 0; at < pattern.size();) p_.push_back(utf8_next(pattern, &at));
  }

  Status run() {
    if (starts("***=")) {
      at_ = 4;
      flags_.literal = true;
    } else if (starts("***:")) {
      at_ = 4;
    } else if (starts("***")) {
      return error("invalid regexp");
    }
    if (!flags_.literal && at_ + 2 < p_.size() && p_[at_] == '(' && p_[at_ + 1] == '?' && p_[at_ + 2] < 128 &&
        ascii_lower(static_cast<char>(p_[at_ + 2])) >= 'a' && ascii_lower(static_cast<char>(p_[at_ + 2])) <= 'z') {
      size_t i = at_ + 2;
      std::string options;
      while (i < p_.size() && p_[i] != ')') append_utf8(p_[i++], &options);
      if (i == p_.size()) return error("invalid embedded option");
      flags_.global = false;  // the function's affair, not the pattern's
      if (!parse_regex_flags(options, &flags_).ok() || flags_.global) return error("invalid embedded option");
      at_ = i + 1;
    }
    NodePtr root;
    if (flags_.literal) {
      root = make(NodeKind::kConcat);
      for (; at_ < p_.size(); ++at_) root->children.push_back(character(p_[at_]));
    } else {
      RETURN_IF_ERROR(alternation(0, &root));
      if (at_ < p_.size()) return error("parentheses () not balanced");
    }
    out_->newline_anchors = flags_.newline_anchors;
    out_->ignore_case = flags_.ignore_case;
    settle(root.get());
    out_->root = std::move(root);
    return {};
  }

 private:
  static Status error(const char* what) {
    return Status(SqlState::kInvalidRegularExpression, std::string("invalid regular expression: ") + what);
  }
  bool starts(std::string_view s) const {
    if (p_.size() - at_ < s.size()) return false;
    for (size_t i = 0; i < s.size(); ++i) {
      if (p_[at_ + i] != static_cast<unsigned char>(s[i])) return false;
    }
    return true;
  }
  uint32_t peek(size_t ahead = 0) const { return at_ + ahead < p_.size() ? p_[at_ + ahead] : 0; }
  static NodePtr make(NodeKind kind) {
    auto n = std::make_unique<Node>();
    n->kind = kind;
    return n;
  }
  NodePtr of_set(CharSet set) {
    set.ignore_case = flags_.ignore_case;
    set.finish();
    NodePtr n = make(NodeKind::kSet);
    n->set = static_cast<int>(out_->sets.size());
    out_->sets.push_back(std::move(set));
    return n;
  }
  NodePtr character(uint32_t c) {
    CharSet s;
    s.ranges.emplace_back(c, c);
    return of_set(std::move(s));
  }
  NodePtr of_class(CharClass k, bool negative) {
    CharSet s;
    s.classes.emplace_back(k, false);
    s.negated = negative;
    s.no_newline = negative && flags_.newline_stops;
    return of_set(std::move(s));
  }
  void skip_ignored() {
    for (;;) {
      if (starts("(?#")) {
        while (at_ < p_.size() && p_[at_] != ')') ++at_;
        if (at_ < p_.size()) ++at_;
        continue;
      }
      if (flags_.expanded && at_ < p_.size()) {
        if (unicode_is_space(p_[at_])) {
          ++at_;
          continue;
        }
        if (p_[at_] == '#') {
          while (at_ < p_.size() && p_[at_] != '\n') ++at_;
          continue;
        }
      }
      return;
    }
  }

  Status alternation(int depth, NodePtr* out) {
    if (depth > 500) return error("regular expression is too complex");
    std::vector<NodePtr> branches;
    for (;;) {
      NodePtr branch;
      RETURN_IF_ERROR(concatenation(depth, &branch));
      branches.push_back(std::move(branch));
      if (peek() != '|' || at_ >= p_.size()) break;
      ++at_;
    }
    if (branches.size() == 1) {
      *out = std::move(branches[0]);
      return {};
    }
    *out = make(NodeKind::kAlternate);
    (*out)->children = std::move(branches);
    return {};
  }

  Status concatenation(int depth, NodePtr* out) {
    NodePtr all = make(NodeKind::kConcat);
    for (;;) {
      skip_ignored();
      if (at_ >= p_.size() || p_[at_] == '|' || (p_[at_] == ')' && depth > 0)) break;
      if (p_[at_] == ')') return error("parentheses () not balanced");
      NodePtr atom;
      bool constraint = false;
      RETURN_IF_ERROR(this->atom(depth, &atom, &constraint));
      skip_ignored();
      RETURN_IF_ERROR(quantifier(constraint, &atom));
      all->children.push_back(std::move(atom));
    }
    if (all->children.size() == 1)
      *out = std::move(all->children[0]);
    else
      *out = std::move(all);
    return {};
  }

  bool quantifier_here() const {
    uint32_t c = peek();
    if (at_ >= p_.size()) return false;
    return c == '*' || c == '+' || c == '?' || (c == '{' && peek(1) >= '0' && peek(1) <= '9');
  }

  Status quantifier(bool constraint, NodePtr* atom) {
    if (!quantifier_here()) return {};
    if (constraint) return error("quantifier operand invalid");
    int min = 0, max = -1;
    bool range = true;  // {m} alone has no preference of its own; {m,m} has
    switch (p_[at_++]) {
      case '*': break;
      case '+': min = 1; break;
      case '?': max = 1; break;
      default: {
        auto number = [&](int* v) {
          *v = 0;
          size_t start = at_;
          while (at_ < p_.size() && p_[at_] >= '0' && p_[at_] <= '9' && *v <= kRepeatMax)
            *v = *v * 10 + static_cast<int>(p_[at_++] - '0');
          return at_ > start && *v <= kRepeatMax;
        };
        if (!number(&min)) return error("invalid repetition count(s)");
        max = min;
        range = peek() == ',';
        if (range) {
          ++at_;
          max = -1;
          if (peek() >= '0' && peek() <= '9') {
            if (!number(&max)) return error("invalid repetition count(s)");
            if (max < min) return error("invalid repetition count(s)");
          }
        }
        if (peek() != '}') return error(at_ < p_.size() ? "invalid repetition count(s)" : "braces {} not balanced");
        ++at_;
      }
    }
    NodePtr repeat = make(NodeKind::kRepeat);
    repeat->min = min;
    repeat->max = max;
    const bool shortest = peek() == '?' && at_ < p_.size();
    if (shortest) ++at_;
    if (range) repeat->preference = shortest ? Preference::kShortest : Preference::kLongest;
    repeat->children.push_back(std::move(*atom));
    *atom = std::move(repeat);
    skip_ignored();
    if (quantifier_here()) return error("quantifier operand invalid");
    return {};
  }

  Status atom(int depth, NodePtr* out, bool* constraint) {
    uint32_t c = p_[at_];
    switch (c) {
      case '^':
        ++at_;
        *out = make(flags_.newline_anchors ? NodeKind::kBeginLine : NodeKind::kBeginText);
        *constraint = true;
        return {};
      case '$':
        ++at_;
        *out = make(flags_.newline_anchors ? NodeKind::kEndLine : NodeKind::kEndText);
        *constraint = true;
        return {};
      case '.': {
        ++at_;
        CharSet s;
        s.negated = true;
        s.no_newline = flags_.newline_stops;
        *out = of_set(std::move(s));
        return {};
      }
      case '[': return bracket(out, constraint);
      case '\\': return escape(out, constraint);
      case '(': return group(depth, out, constraint);
      case '*':
      case '+':
      case '?': return error("quantifier operand invalid");
      case '{':
        if (peek(1) >= '0' && peek(1) <= '9') return error("quantifier operand invalid");
        break;
      default: break;
    }
    ++at_;
    *out = character(c);
    return {};
  }

  Status group(int depth, NodePtr* out, bool* constraint) {
    ++at_;
    NodePtr inside;
    auto close = [&]() -> Status {
      if (peek() != ')' || at_ >= p_.size()) return error("parentheses () not balanced");
      ++at_;
      return {};
    };
    auto look = [&](size_t skip, bool ahead, bool wanted) -> Status {
      at_ += skip;
      int groups = out_->groups;
      RETURN_IF_ERROR(alternation(depth + 1, &inside));
      out_->groups = groups;
      drop_groups(inside.get());
      RETURN_IF_ERROR(close());
      *out = make(NodeKind::kLook);
      (*out)->ahead = ahead;
      (*out)->wanted = wanted;
      (*out)->children.push_back(std::move(inside));
      *constraint = true;
      return {};
    };
    if (starts("?=")) return look(2, true, true);
    if (starts("?!")) return look(2, true, false);
    if (starts("?<=")) return look(3, false, true);
    if (starts("?<!")) return look(3, false, false);
    if (starts("?:")) {
      at_ += 2;
      RETURN_IF_ERROR(alternation(depth + 1, &inside));
      RETURN_IF_ERROR(close());
      *out = make(NodeKind::kGroup);
      (*out)->children.push_back(std::move(inside));
      return {};
    }
    if (peek() == '?' && at_ < p_.size()) return error("quantifier operand invalid");
    int number = ++out_->groups;
    RETURN_IF_ERROR(alternation(depth + 1, &inside));
    RETURN_IF_ERROR(close());
    closed_groups_.push_back(number);
    *out = make(NodeKind::kGroup);
    (*out)->group = number;
    (*out)->children.push_back(std::move(inside));
    return {};
  }

  static void drop_groups(Node* n) {
    if (n->kind == NodeKind::kGroup) n->group = 0;
    for (auto& child : n->children) drop_groups(child.get());
  }

  bool hex(size_t least, size_t most, uint32_t* v) {
    *v = 0;
    size_t n = 0;
    while (n < most && at_ < p_.size() && in_class(CharClass::kXdigit, p_[at_])) {
      uint32_t c = p_[at_++];
      *v = *v * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      ++n;
    }
    return n >= least && *v <= 0x10FFFF;
  }

  // The escapes that stand for one character; false when it is none of them. At the letter.
  Status character_escape(uint32_t c, bool* is_one, uint32_t* value) {
    *is_one = true;
    switch (c) {
      case 'a': *value = 7; return {};
      case 'b': *value = 8; return {};
      case 'B': *value = '\\'; return {};
      case 'c':
        if (at_ >= p_.size()) return error("invalid escape \\ sequence");
        *value = p_[at_++] & 31;
        return {};
      case 'e': *value = 27; return {};
      case 'f': *value = 12; return {};
      case 'n': *value = 10; return {};
      case 'r': *value = 13; return {};
      case 't': *value = 9; return {};
      case 'v': *value = 11; return {};
      case 'u': return hex(4, 4, value) ? Status() : error("invalid escape \\ sequence");
      case 'U': return hex(8, 8, value) ? Status() : error("invalid escape \\ sequence");
      case 'x': return hex(1, 255, value) ? Status() : error("invalid escape \\ sequence");
      case '0': {
        *value = 0;
        for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i) *value = *value * 8 + (p_[at_++] - '0');
        return {};
      }
      default: *is_one = false; return {};
    }
  }

  static bool class_escape(uint32_t c, CharClass* k, bool* negative) {
    *negative = c == 'D' || c == 'S' || c == 'W';
    switch (c | 32) {
      case 'd': *k = CharClass::kDigit; return c < 128;
      case 's': *k = CharClass::kSpace; return c < 128;
      case 'w': *k = CharClass::kWord; return c < 128;
      default: return false;
    }
  }

  Status escape(NodePtr* out, bool* constraint) {
    ++at_;
    if (at_ >= p_.size()) return error("invalid escape \\ sequence");
    uint32_t c = p_[at_++];
    CharClass k;
    bool negative = false;
    if (class_escape(c, &k, &negative)) {
      *out = of_class(k, negative);
      return {};
    }
    NodeKind anchor = NodeKind::kEmpty;
    switch (c) {
      case 'A': anchor = NodeKind::kBeginText; break;
      case 'Z': anchor = NodeKind::kEndText; break;
      case 'm': anchor = NodeKind::kWordStart; break;
      case 'M': anchor = NodeKind::kWordEnd; break;
      case 'y': anchor = NodeKind::kWordEdge; break;
      case 'Y': anchor = NodeKind::kNotWordEdge; break;
      default: break;
    }
    if (anchor != NodeKind::kEmpty) {
      *out = make(anchor);
      *constraint = true;
      return {};
    }
    if (c >= '1' && c <= '9') {
      int number = static_cast<int>(c - '0');
      if (peek() >= '0' && peek() <= '9') {
        int longer = number * 10 + static_cast<int>(peek() - '0');
        if (longer <= out_->groups) {
          number = longer;
          ++at_;
        }
      }
      if (std::find(closed_groups_.begin(), closed_groups_.end(), number) == closed_groups_.end()) {
        return error("invalid backreference number");
      }
      *out = make(NodeKind::kBackReference);
      (*out)->group = number;
      out_->back_references = true;
      return {};
    }
    bool one = false;
    uint32_t value = 0;
    RETURN_IF_ERROR(character_escape(c, &one, &value));
    if (!one) {
      if (c < 128 && in_class(CharClass::kAlnum, c)) return error("invalid escape \\ sequence");
      value = c;
    }
    *out = character(value);
    return {};
  }

  static bool named_class(std::string_view name, CharClass* k) {
    static constexpr std::pair<std::string_view, CharClass> kNames[] = {
        {"alpha", CharClass::kAlpha}, {"digit", CharClass::kDigit}, {"alnum", CharClass::kAlnum},
        {"upper", CharClass::kUpper}, {"lower", CharClass::kLower}, {"space", CharClass::kSpace},
        {"blank", CharClass::kBlank}, {"punct", CharClass::kPunct}, {"print", CharClass::kPrint},
        {"graph", CharClass::kGraph}, {"cntrl", CharClass::kCntrl}, {"xdigit", CharClass::kXdigit},
        {"word", CharClass::kWord}};
    for (auto [n, value] : kNames) {
      if (n == name) {
        *k = value;
        return true;
      }
    }
    return false;
  }

  Status bracket(NodePtr* out, bool* constraint) {
    if (starts("[[:<:]]") || starts("[[:>:]]")) {
      *out = make(peek(3) == '<' ? NodeKind::kWordStart : NodeKind::kWordEnd);
      at_ += 7;
      *constraint = true;
      return {};
    }
    auto unbalanced = [] { return error("brackets [] not balanced"); };
    ++at_;
    CharSet set;
    if (peek() == '^' && at_ < p_.size()) {
      set.negated = true;
      set.no_newline = flags_.newline_stops;
      ++at_;
    }
    for (bool first = true;; first = false) {
      if (at_ >= p_.size()) return unbalanced();
      uint32_t c = p_[at_];
      if (c == ']' && !first) {
        ++at_;
        break;
      }
      uint32_t low = 0;
      bool single = true;
      auto endpoint = [&](uint32_t* value) -> Status {
        uint32_t ch = p_[at_];
        if (ch == '[' && (peek(1) == ':' || peek(1) == '.' || peek(1) == '=')) {
          uint32_t kind = peek(1);
          size_t end = at_ + 2;
          std::string name;
          while (end + 1 < p_.size() && !(p_[end] == kind && p_[end + 1] == ']')) append_utf8(p_[end++], &name);
          if (end + 1 >= p_.size()) return unbalanced();
          at_ = end + 2;
          if (kind == ':') {
            CharClass k;
            if (!named_class(name, &k)) return error("invalid character class");
            if (flags_.ignore_case && (k == CharClass::kUpper || k == CharClass::kLower)) k = CharClass::kAlpha;
            set.classes.emplace_back(k, false);
            single = false;
            return {};
          }
          if (utf8_count(name) != 1) return error("invalid collating element");
          size_t at = 0;
          *value = utf8_next(name, &at);
          return {};
        }
        ++at_;
        if (ch != '\\') {
          *value = ch;
          return {};
        }
        if (at_ >= p_.size()) return error("invalid escape \\ sequence");
        ch = p_[at_++];
        CharClass k;
        bool negative = false;
        if (class_escape(ch, &k, &negative)) {
          set.classes.emplace_back(k, negative);
          single = false;
          return {};
        }
        bool one = false;
        RETURN_IF_ERROR(character_escape(ch, &one, value));
        if (!one) {
          if (ch < 128 && in_class(CharClass::kAlnum, ch)) return error("invalid escape \\ sequence");
          *value = ch;
        }
        return {};
      };
      if (c == '-' && !first && peek(1) != ']') return error("invalid character range");
      RETURN_IF_ERROR(endpoint(&low));
      if (!single) continue;
      uint32_t high = low;
      if (peek() == '-' && at_ < p_.size() && peek(1) != ']') {
        ++at_;
        if (at_ >= p_.size()) return unbalanced();
        RETURN_IF_ERROR(endpoint(&high));
        if (!single || high < low) return error("invalid character range");
      }
      set.ranges.emplace_back(low, high);
    }
    *out = of_set(std::move(set));
    return {};
  }

  // Preferences of the composed nodes, and which of them must be dissected.
  void settle(Node* n) {
    n->dissect = n->kind == NodeKind::kBackReference || n->group != 0;
    n->refers = n->kind == NodeKind::kBackReference;
    for (auto& child : n->children) {
      settle(child.get());
      n->dissect = n->dissect || (child->dissect && n->kind != NodeKind::kLook);
      n->refers = n->refers || child->refers;
    }
    switch (n->kind) {
      case NodeKind::kAlternate: n->preference = Preference::kLongest; break;
      case NodeKind::kConcat:
      case NodeKind::kGroup:
        n->preference = Preference::kNone;
        for (auto& child : n->children) {
          if (n->preference == Preference::kNone) n->preference = child->preference;
        }
        break;
      case NodeKind::kRepeat:
        if (n->max == 0) {
          n->preference = Preference::kNone;
        } else if (n->preference == Preference::kNone) {
          n->preference = n->children[0]->preference;
        }
        break;
      default: break;
    }
  }

  RegexFlags flags_;
  Regex::Program* out_;
  std::vector<uint32_t> p_;
  std::vector<int> closed_groups_;
  size_t at_ = 0;
};

}  // namespace

Status parse_regex(std::string_view pattern, const RegexFlags& flags, Regex::Program* out) {
  return Parser(pattern, flags, out).run();
}

}  // namespace omendb::types::internal
