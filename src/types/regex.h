// PostgreSQL's regular expressions ("advanced" ones: POSIX with Perl's escapes, lookaround, back references, non-greedy quantifiers).
//
// The rules of a match are PostgreSQL's, not Perl's: of the matches that begin earliest, the longest is taken if the expression is
// greedy (as it is with a | at its top), the shortest if its first quantifier is not; then each part takes its share from left to right
// by its own preference. Matching never backtracks over the whole: it costs O(text * pattern) for each start, but for back references.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace omendb::types {

struct RegexFlags {
  bool ignore_case = false;
  bool expanded = false;         // x: white space and comments in the pattern do not count
  bool literal = false;          // q
  bool newline_stops = false;    // . and [^x] do not match a newline (n, p)
  bool newline_anchors = false;  // ^ and $ match at newlines (n, w)
  bool global = false;           // g, of the functions
};
/// The flags argument of regexp_*. Errors: 22023 `invalid regular expression option: "z"`.
Status parse_regex_flags(std::string_view text, RegexFlags* out);

/// A compiled expression. Immutable; Thread: any.
class Regex {
 public:
  /// From a cache of the thread, compiled on a miss. Errors: 2201B `invalid regular expression: ...`.
  static Status get(std::string_view pattern, const RegexFlags& flags, std::shared_ptr<const Regex>* out);
  ~Regex();

  struct Span {
    bool matched = false;
    size_t start = 0, end = 0;  // bytes
  };
  size_t group_count() const;
  /// The first match at or after byte `from`; spans[0] is all of it, spans[i] group i. Without `spans` it only looks.
  bool search(std::string_view text, size_t from, std::vector<Span>* spans) const;

  struct Program;

 private:
  explicit Regex(std::unique_ptr<Program> program);
  std::unique_ptr<Program> program_;
};

/// text ~ pattern.
Status regex_matches(std::string_view text, std::string_view pattern, bool ignore_case, bool* out);
/// regexp_match: the groups (or all of the match when there are none) of the first match; empty vector for none.
Status regexp_match(std::string_view text, std::string_view pattern, const RegexFlags& flags,
                    std::vector<std::optional<std::string_view>>* out);
/// Every match (regexp_matches with g, regexp_count, regexp_instr): spans of each, whole match first, from character `start` (1-based).
Status regexp_all(std::string_view text, std::string_view pattern, const RegexFlags& flags, int32_t start,
                  std::vector<std::vector<Regex::Span>>* out);
/// regexp_replace: `n` 0 replaces all, otherwise the n-th match, from character `start` (1-based) on.
Status regexp_replace(std::string_view text, std::string_view pattern, std::string_view replacement,
                      const RegexFlags& flags, int32_t start, int32_t n, std::string* out);
/// regexp_split_to_array / _to_table.
Status regexp_split(std::string_view text, std::string_view pattern, const RegexFlags& flags,
                    std::vector<std::string_view>* out);
/// substring(text from pattern): group 1, or all of the match; *null when nothing matches.
Status regexp_substring(std::string_view text, std::string_view pattern, bool* null, std::string_view* out);

}  // namespace omendb::types
