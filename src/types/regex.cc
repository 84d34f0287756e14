// Matching, and the functions over it.
#include "types/regex.h"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "types/regex_program.h"
#include "types/scalar.h"
#include "types/text.h"
#include "types/utf8.h"

namespace omendb::types {

using internal::CharClass;
using internal::Instruction;
using internal::Node;
using internal::NodeKind;
using internal::Op;
using internal::Preference;

Regex::Regex(std::unique_ptr<Program> program) : program_(std::move(program)) {}
Regex::~Regex() = default;
size_t Regex::group_count() const { return static_cast<size_t>(program_->groups); }

namespace {

// The subject as characters: bytes when it is ASCII, code points with their byte offsets otherwise.
class Subject {
 public:
  explicit Subject(std::string_view text) : text_(text) {
    ascii_ = std::none_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
    if (ascii_) {
      size_ = text.size();
      return;
    }
    for (size_t at = 0; at < text.size();) {
      offsets_.push_back(static_cast<uint32_t>(at));
      points_.push_back(utf8_next(text, &at));
    }
    offsets_.push_back(static_cast<uint32_t>(text.size()));
    size_ = points_.size();
  }
  size_t size() const { return size_; }
  uint32_t operator[](size_t i) const { return ascii_ ? static_cast<unsigned char>(text_[i]) : points_[i]; }
  size_t offset(size_t i) const { return ascii_ ? i : offsets_[i]; }
  size_t index(size_t offset) const {
    if (ascii_) return offset;
    return static_cast<size_t>(std::lower_bound(offsets_.begin(), offsets_.end(), offset) - offsets_.begin());
  }

 private:
  std::string_view text_;
  bool ascii_ = true;
  size_t size_ = 0;
  std::vector<uint32_t> points_, offsets_;
};

struct Group {
  size_t start = SIZE_MAX, end = 0;
};

class Matcher {
 public:
  Matcher(const Regex::Program& program, const Subject& text)
      : p_(program), t_(text), mark_(program.code.size() + 1, 0), groups_(static_cast<size_t>(program.groups) + 1) {}

  bool search(size_t from, bool spans);
  const std::vector<Group>& groups() const { return groups_; }

 private:
  // Runs the code [entry, end) from `start` and tells `accept` each position where it can end, in order. Stops when accept says so.
  template <class Accept>
  void run(int entry, int end, size_t start, size_t limit, Accept accept);
  void follow(int pc, int end, size_t at, bool* accepted, std::vector<int>* states);
  bool holds(const Node* n, size_t at);
  bool matches(const Node* n, size_t start, size_t end) {
    bool found = false;
    run(n->entry, n->end, start, end, [&](size_t at) {
      found = at == end;
      return at < end;
    });
    return found;
  }
  bool dissect(const Node* n, size_t start, size_t end);
  // Where a part of a sequence, or an iteration, began, and where it may end: the cut to try next is the last. A trail takes the place of
  // recursion, whose depth the subject would decide.
  struct Choice {
    size_t start;
    std::vector<size_t> cuts;
  };
  using Trail = std::vector<Choice>;
  void step(const Node* c, size_t start, size_t end, size_t least, Trail* trail);
  static bool next_cut(Trail* trail, size_t* at);
  bool dissect_sequence(const Node* n, size_t start, size_t end);
  bool dissect_repeat(const Node* n, size_t start, size_t end);
  bool dissect_last(const Node* n, size_t start, size_t end);
  void forget(const Node* n) {
    if (n->kind == NodeKind::kGroup && n->group != 0) groups_[static_cast<size_t>(n->group)] = {};
    for (const auto& c : n->children) {
      if (c->dissect) forget(c.get());
    }
  }
  bool word_at(size_t i) const { return i < t_.size() && internal::in_class(CharClass::kWord, t_[i]); }

  const Regex::Program& p_;
  const Subject& t_;
  std::vector<uint32_t> mark_;
  uint32_t generation_ = 0;
  std::vector<Group> groups_;
};

bool Matcher::holds(const Node* n, size_t at) {
  bool before = at > 0 && word_at(at - 1), after = word_at(at);
  switch (n->kind) {
    case NodeKind::kBeginText: return at == 0;
    case NodeKind::kEndText: return at == t_.size();
    case NodeKind::kBeginLine: return at == 0 || t_[at - 1] == '\n';
    case NodeKind::kEndLine: return at == t_.size() || t_[at] == '\n';
    case NodeKind::kWordStart: return !before && after;
    case NodeKind::kWordEnd: return before && !after;
    case NodeKind::kWordEdge: return before != after;
    case NodeKind::kNotWordEdge: return before == after;
    case NodeKind::kLook: {
      // A matcher of its own: this one is in the middle of a step.
      Matcher inner(p_, t_);
      const Node* body = n->children[0].get();
      bool found = false;
      if (n->ahead) {
        inner.run(body->entry, body->end, at, t_.size(), [&](size_t) {
          found = true;
          return false;
        });
      } else {
        for (size_t start = at + 1; start-- > 0 && !found;) found = inner.matches(body, start, at);
      }
      return found == n->wanted;
    }
    default: return true;
  }
}

void Matcher::follow(int pc, int end, size_t at, bool* accepted, std::vector<int>* states) {
  std::vector<int> stack = {pc};
  while (!stack.empty()) {
    pc = stack.back();
    stack.pop_back();
    if (pc == end) {
      *accepted = true;
      continue;
    }
    auto place = static_cast<size_t>(pc);
    if (mark_[place] == generation_) continue;
    mark_[place] = generation_;
    const Instruction& i = p_.code[place];
    switch (i.op) {
      case Op::kSet: states->push_back(pc); break;
      case Op::kSplit:
        stack.push_back(i.y);
        stack.push_back(i.x);
        break;
      case Op::kJump: stack.push_back(i.x); break;
      case Op::kAssert:
        if (holds(i.node, at)) stack.push_back(pc + 1);
        break;
      case Op::kAnyRun:
        states->push_back(pc);
        stack.push_back(pc + 1);
        break;
      case Op::kEnd: break;
    }
  }
}

template <class Accept>
void Matcher::run(int entry, int end, size_t start, size_t limit, Accept accept) {
  std::vector<int> now, next;
  bool accepted = false;
  auto advance = [&] {
    if (++generation_ == 0) {
      std::fill(mark_.begin(), mark_.end(), 0U);
      generation_ = 1;
    }
  };
  advance();
  follow(entry, end, start, &accepted, &now);
  for (size_t at = start;; ++at) {
    if (accepted && !accept(at)) return;
    if (at >= limit || now.empty()) return;
    accepted = false;
    next.clear();
    uint32_t c = t_[at];
    advance();
    for (int pc : now) {
      const Instruction& i = p_.code[static_cast<size_t>(pc)];
      if (i.op == Op::kAnyRun)
        follow(pc, end, at + 1, &accepted, &next);
      else if (p_.sets[static_cast<size_t>(i.x)].test(c))
        follow(pc + 1, end, at + 1, &accepted, &next);
    }
    std::swap(now, next);
  }
}

bool Matcher::dissect_sequence(const Node* n, size_t start, size_t end) {
  if (n->children.empty()) return start == end;
  Trail trail;
  for (size_t at = start;;) {
    const size_t child = trail.size();
    const Node* c = n->children[child].get();
    if (child + 1 < n->children.size()) {
      step(c, at, end, 0, &trail);
    } else if (matches(c, at, end) && dissect(c, at, end)) {
      return true;
    }
    // The rest must fit before a choice counts; with groups further right that is settled by trying.
    do {
      if (!next_cut(&trail, &at)) return false;
    } while (!dissect(n->children[trail.size() - 1].get(), trail.back().start, at));
  }
}

bool Matcher::dissect_repeat(const Node* n, size_t start, size_t end) {
  const Node* c = n->children[0].get();
  Trail trail;
  for (size_t at = start;;) {
    const int done = static_cast<int>(trail.size());
    if (at == end && done >= n->min) return true;
    if (n->max < 0 || done < n->max) {
      step(c, at, end, done < n->min ? 0 : 1, &trail);
    } else if (at == end) {
      return true;
    }
    // Where there is another choice, a cheap refusal: what is left must be more of the same.
    const auto refused = [&] {
      if (trail.back().cuts.empty()) return false;
      const bool enough = static_cast<int>(trail.size()) >= n->min;
      return at != end && n->max < 0 && enough && n->min == 0 && !matches(n, at, end);
    };
    do {
      if (!next_cut(&trail, &at)) return false;
    } while (refused() || !dissect(c, trail.back().start, at));
  }
}

void Matcher::step(const Node* c, size_t start, size_t end, size_t least, Trail* trail) {
  Choice choice{start, {}};
  run(c->entry, c->end, start, end, [&](size_t at) {
    if (at >= start + least) choice.cuts.push_back(at);
    return true;
  });
  if (c->preference == Preference::kShortest) std::reverse(choice.cuts.begin(), choice.cuts.end());
  trail->push_back(std::move(choice));
}

bool Matcher::next_cut(Trail* trail, size_t* at) {
  while (!trail->empty() && trail->back().cuts.empty()) trail->pop_back();
  if (trail->empty()) return false;
  *at = trail->back().cuts.back();
  trail->back().cuts.pop_back();
  return true;
}

// Only the last iteration's groups count: x{m,n} is taken as x{m-1,n-1} without groups and then x. (PostgreSQL does so when
// m > 0; x{0,n} it takes iteration by iteration, the first as long as it can be. The groups tell the difference.)
bool Matcher::dissect_last(const Node* n, size_t start, size_t end) {
  const Node* c = n->children[0].get();
  if (n->max == 0) return start == end;
  if (start == end && n->min == 0) {
    // No iteration, or one of nothing: the latter if x would rather be long.
    if (c->preference != Preference::kShortest && matches(c, start, end)) return dissect(c, start, end);
    return true;
  }
  if (n->max == 1) return matches(c, start, end) && dissect(c, start, end);
  std::vector<size_t> cuts;
  run(n->prefix_entry, n->prefix_end, start, end, [&](size_t at) {
    cuts.push_back(at);
    return true;
  });
  if (n->preference != Preference::kShortest) std::reverse(cuts.begin(), cuts.end());
  for (size_t cut : cuts) {
    if (matches(c, cut, end) && dissect(c, cut, end)) return true;
  }
  return false;
}

// Sets the groups within `n`, which matches [start, end); false when a back reference disagrees.
bool Matcher::dissect(const Node* n, size_t start, size_t end) {
  if (!n->dissect) return true;
  forget(n);  // what an earlier try left
  switch (n->kind) {
    case NodeKind::kBackReference: {
      const Group& g = groups_[static_cast<size_t>(n->group)];
      if (g.start == SIZE_MAX || g.end - g.start != end - start) return false;
      for (size_t i = 0; i < end - start; ++i) {
        uint32_t a = t_[g.start + i], b = t_[start + i];
        if (a != b && !(p_.ignore_case && unicode_lower(a) == unicode_lower(b))) {
          return false;
        }
      }
      return true;
    }
    case NodeKind::kGroup: {
      const Node* c = n->children[0].get();
      if (!matches(c, start, end) || !dissect(c, start, end)) return false;
      if (n->group != 0) groups_[static_cast<size_t>(n->group)] = {start, end};
      return true;
    }
    case NodeKind::kConcat: return dissect_sequence(n, start, end);
    case NodeKind::kAlternate:
      for (const auto& c : n->children) {
        if (matches(c.get(), start, end) && dissect(c.get(), start, end)) return true;
      }
      return false;
    case NodeKind::kRepeat:
      return n->refers || (n->min == 0 && start != end) ? dissect_repeat(n, start, end) : dissect_last(n, start, end);
    default: return true;
  }
}

bool Matcher::search(size_t from, bool spans) {
  const Node* root = p_.root.get();
  bool shortest = root->preference == Preference::kShortest;
  size_t last = p_.anchored ? 0 : t_.size();
  for (size_t start = from; start <= last; ++start) {
    if (!p_.may_be_empty) {
      if (start == t_.size()) break;
      uint32_t c = t_[start];
      if (c < 128 && ((p_.first[c >> 6] >> (c & 63)) & 1) == 0) continue;
    }
    std::vector<size_t> ends;
    bool first_will_do = !p_.back_references && (!spans || shortest);
    run(root->entry, root->end, start, t_.size(), [&](size_t at) {
      if (!p_.back_references) ends.clear();
      ends.push_back(at);
      return !first_will_do;
    });
    if (ends.empty()) continue;
    if (!p_.back_references && !spans) return true;
    if (!shortest) std::reverse(ends.begin(), ends.end());
    for (size_t end : ends) {
      std::fill(groups_.begin(), groups_.end(), Group{});
      if (!dissect(root, start, end)) continue;
      groups_[0] = {start, end};
      return true;
    }
  }
  return false;
}

}  // namespace

bool Regex::search(std::string_view text, size_t from, std::vector<Span>* spans) const {
  Subject subject(text);
  Matcher matcher(*program_, subject);
  if (!matcher.search(subject.index(from), spans != nullptr)) return false;
  if (spans != nullptr) {
    spans->assign(matcher.groups().size(), {});
    for (size_t i = 0; i < spans->size(); ++i) {
      const Group& g = matcher.groups()[i];
      if (g.start != SIZE_MAX) (*spans)[i] = {true, subject.offset(g.start), subject.offset(g.end)};
    }
  }
  return true;
}

Status Regex::get(std::string_view pattern, const RegexFlags& flags, std::shared_ptr<const Regex>* out) {
  constexpr size_t kCacheMax = 64;
  using List = std::list<std::pair<std::string, std::shared_ptr<const Regex>>>;
  struct Cache {
    List entries;  // most recently used first
    std::unordered_map<std::string_view, List::iterator> places;
  };
  thread_local Cache cache;
  std::string key;
  key.push_back(static_cast<char>('0' + flags.ignore_case + 2 * flags.expanded + 4 * flags.literal +
                                  8 * flags.newline_stops + 16 * flags.newline_anchors));
  key.append(pattern);
  if (auto it = cache.places.find(key); it != cache.places.end()) {
    cache.entries.splice(cache.entries.begin(), cache.entries, it->second);
    *out = cache.entries.front().second;
    return {};
  }
  auto program = std::make_unique<Program>();
  RETURN_IF_ERROR(internal::compile_regex(pattern, flags, program.get()));
  *out = std::shared_ptr<const Regex>(new Regex(std::move(program)));
  cache.entries.emplace_front(std::move(key), *out);
  cache.places.emplace(cache.entries.front().first, cache.entries.begin());
  if (cache.entries.size() > kCacheMax) {
    cache.places.erase(cache.entries.back().first);
    cache.entries.pop_back();
  }
  return {};
}

Status parse_regex_flags(std::string_view text, RegexFlags* out) {
  for (size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case 'g': out->global = true; break;
      case 'b':
        return Status(SqlState::kFeatureNotSupported, "basic regular expressions (option \"b\") are not supported yet");
      case 'c': out->ignore_case = false; break;
      case 'e': break;
      case 'i': out->ignore_case = true; break;
      case 'm':
      case 'n': out->newline_stops = out->newline_anchors = true; break;
      case 'p':
        out->newline_stops = true;
        out->newline_anchors = false;
        break;
      case 'q': out->literal = true; break;
      case 's': out->newline_stops = out->newline_anchors = false; break;
      case 't': out->expanded = false; break;
      case 'w':
        out->newline_stops = false;
        out->newline_anchors = true;
        break;
      case 'x': out->expanded = true; break;
      default: {
        size_t width = std::min(utf8_width(text[at]), text.size() - at);
        return Status(SqlState::kInvalidParameterValue,
                      "invalid regular expression option: \"" + std::string(text.substr(at, width)) + "\"");
      }
    }
  }
  return {};
}

// ---- functions ----

Status regex_matches(std::string_view text, std::string_view pattern, bool ignore_case, bool* out) {
  std::shared_ptr<const Regex> regex;
  RegexFlags flags;
  flags.ignore_case = ignore_case;
  RETURN_IF_ERROR(Regex::get(pattern, flags, &regex));
  *out = regex->search(text, 0, nullptr);
  return {};
}

Status regexp_match(std::string_view text, std::string_view pattern, const RegexFlags& flags,
                    std::vector<std::optional<std::string_view>>* out) {
  std::shared_ptr<const Regex> regex;
  RETURN_IF_ERROR(Regex::get(pattern, flags, &regex));
  out->clear();
  std::vector<Regex::Span> spans;
  if (!regex->search(text, 0, &spans)) return {};
  for (size_t i = spans.size() > 1 ? 1 : 0; i < spans.size(); ++i) {
    if (spans[i].matched)
      out->emplace_back(text.substr(spans[i].start, spans[i].end - spans[i].start));
    else
      out->emplace_back(std::nullopt);
  }
  return {};
}

namespace {
// Calls f(spans) for each match until it says false. An empty match moves on by one character.
template <class F>
Status each_match(std::string_view text, std::string_view pattern, const RegexFlags& flags, size_t from, F f) {
  std::shared_ptr<const Regex> regex;
  RETURN_IF_ERROR(Regex::get(pattern, flags, &regex));
  std::vector<Regex::Span> spans;
  while (from <= text.size() && regex->search(text, from, &spans)) {
    if (!f(spans)) break;
    from = spans[0].end;
    if (spans[0].start == spans[0].end) {
      if (from >= text.size()) break;
      from += std::min(utf8_width(text[from]), text.size() - from);
    }
  }
  return {};
}
}  // namespace

Status regexp_all(std::string_view text, std::string_view pattern, const RegexFlags& flags, int32_t start,
                  std::vector<std::vector<Regex::Span>>* out) {
  out->clear();
  size_t from = start > 1 ? utf8_offset(text, static_cast<size_t>(start - 1)) : 0;
  if (start > 1 && static_cast<size_t>(start - 1) > utf8_count(text)) from = text.size() + 1;
  return each_match(text, pattern, flags, from, [&](const std::vector<Regex::Span>& spans) {
    out->push_back(spans);
    return true;
  });
}

Status regexp_replace(std::string_view text, std::string_view pattern, std::string_view replacement,
                      const RegexFlags& flags, int32_t start, int32_t n, std::string* out) {
  std::string made;
  size_t copied = 0;
  int32_t seen = 0;
  size_t from = start > 1 ? utf8_offset(text, static_cast<size_t>(start - 1)) : 0;
  if (start > 1 && static_cast<size_t>(start - 1) > utf8_count(text)) from = text.size() + 1;
  Status s = each_match(text, pattern, flags, from, [&](const std::vector<Regex::Span>& spans) {
    if (n > 0 && ++seen < n) return true;
    made.append(text.substr(copied, spans[0].start - copied));
    for (size_t i = 0; i < replacement.size(); ++i) {
      if (replacement[i] != '\\' || i + 1 == replacement.size()) {
        made.push_back(replacement[i]);
        continue;
      }
      char c = replacement[++i];
      if (c == '&' || (c >= '1' && c <= '9')) {
        size_t group = c == '&' ? 0 : static_cast<size_t>(c - '0');
        if (group < spans.size() && spans[group].matched) {
          made.append(text.substr(spans[group].start, spans[group].end - spans[group].start));
        }
      } else if (c == '\\') {
        made.push_back('\\');
      } else {
        made.push_back('\\');  // an unknown escape stays as it is
        made.push_back(c);
      }
    }
    copied = spans[0].end;
    return n == 0;
  });
  RETURN_IF_ERROR(std::move(s));
  made.append(text.substr(copied));
  *out = std::move(made);
  return {};
}

Status regexp_split(std::string_view text, std::string_view pattern, const RegexFlags& flags,
                    std::vector<std::string_view>* out) {
  out->clear();
  size_t from = 0;
  RETURN_IF_ERROR(each_match(text, pattern, flags, 0, [&](const std::vector<Regex::Span>& spans) {
    // Empty matches at the ends, or right after the match before, split nothing.
    if (spans[0].start == spans[0].end && (spans[0].start == from || spans[0].start >= text.size())) return true;
    out->push_back(text.substr(from, spans[0].start - from));
    from = spans[0].end;
    return true;
  }));
  out->push_back(text.substr(from));
  return {};
}

Status regexp_substring(std::string_view text, std::string_view pattern, bool* null, std::string_view* out) {
  std::shared_ptr<const Regex> regex;
  RETURN_IF_ERROR(Regex::get(pattern, RegexFlags{}, &regex));
  std::vector<Regex::Span> spans;
  *null = !regex->search(text, 0, &spans);
  if (*null) return {};
  const Regex::Span& s = spans.size() > 1 ? spans[1] : spans[0];
  *null = !s.matched;
  if (!*null) *out = text.substr(s.start, s.end - s.start);
  return {};
}

}  // namespace omendb::types
