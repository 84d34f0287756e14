// Inside regex: the parsed expression and its program.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "types/regex.h"

namespace omendb::types {

namespace internal {

enum class CharClass : uint8_t {
  kAlpha,
  kDigit,
  kAlnum,
  kUpper,
  kLower,
  kSpace,
  kBlank,
  kPunct,
  kPrint,
  kGraph,
  kCntrl,
  kXdigit,
  kWord
};
bool in_class(CharClass c, uint32_t ch);

struct CharSet {
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  std::vector<std::pair<CharClass, bool>> classes;  // true: negated
  bool negated = false;
  bool ignore_case = false;
  bool no_newline = false;
  uint64_t ascii[2] = {0, 0};  // the answer for the first 128 characters
  bool test(uint32_t c) const { return c < 128 ? ((ascii[c >> 6] >> (c & 63)) & 1) != 0 : slow(c); }
  bool slow(uint32_t c) const;
  void finish();
};

enum class NodeKind : uint8_t {
  kEmpty,
  kSet,
  kConcat,
  kAlternate,
  kRepeat,
  kGroup,
  kBackReference,
  kBeginLine,
  kEndLine,
  kBeginText,
  kEndText,
  kWordStart,
  kWordEnd,
  kWordEdge,
  kNotWordEdge,
  kLook
};
enum class Preference : uint8_t { kNone, kLongest, kShortest };

struct Node {
  NodeKind kind = NodeKind::kEmpty;
  int set = -1;
  int min = 0, max = 0;  // max -1: no end
  Preference preference = Preference::kNone;
  int group = 0;                     // capturing group or back reference; 0: none
  bool ahead = true, wanted = true;  // of a lookaround
  bool dissect = false;              // holds groups or back references
  std::vector<std::unique_ptr<Node>> children;
  int entry = 0, end = 0;  // its code
  bool refers = false;     // holds a back reference
  // Of a repetition x{m,n} whose groups count: the code of x{m-1,n-1}, all iterations but the last.
  int prefix_entry = 0, prefix_end = 0;
};

enum class Op : uint8_t { kSet, kSplit, kJump, kAssert, kAnyRun, kEnd };
struct Instruction {
  Op op;
  int x = 0, y = 0;
  const Node* node = nullptr;
};

}  // namespace internal

struct Regex::Program {
  std::vector<internal::CharSet> sets;
  std::unique_ptr<internal::Node> root;
  std::vector<internal::Instruction> code;
  int groups = 0;
  bool back_references = false;
  bool newline_anchors = false;
  bool ignore_case = false;
  bool anchored = false;               // can only begin at the start of the text
  bool may_be_empty = true;            // no first character is needed
  uint64_t first[2] = {~0ULL, ~0ULL};  // ASCII characters a match may begin with
};

namespace internal {
/// Sets `out`'s tree, sets and what the pattern's options say. Errors: 2201B.
Status parse_regex(std::string_view pattern, const RegexFlags& flags, Regex::Program* out);
/// All of `out`. Errors: 2201B.
Status compile_regex(std::string_view pattern, const RegexFlags& flags, Regex::Program* out);
}  // namespace internal

}  // namespace omendb::types
