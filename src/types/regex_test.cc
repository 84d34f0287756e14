#include "types/regex.h"

#include "types/array.h"
#include "types/cases.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/regex.inc"
    ;
#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string array_text(const std::vector<std::optional<std::string_view>>& values) {
  ArrayBuilder b(oid::kText, {Physical::kBytes});
  for (const auto& v : values) {
    if (v.has_value())
      b.add(ValueView::of_bytes(*v));
    else
      b.add_null();
  }
  std::string out;
  append_array(b.finish(), IoContext{}, &out);
  return out;
}

std::string evaluate(const std::string& op, const CaseArguments& a) {
  std::string out;
  bool yes = false;
  RegexFlags flags;
  std::vector<std::optional<std::string_view>> groups;
  if (op == "test" || op == "itest") {
    TRY(regex_matches(a[0], a[1], op == "itest", &yes));
    return yes ? "true" : "false";
  }
  if (op == "match" || op == "match_flags") {
    if (a.size() > 2) TRY(parse_regex_flags(a[2], &flags));
    TRY(regexp_match(a[0], a[1], flags, &groups));
    return groups.empty() ? "\\N" : array_text(groups);
  }
  if (op == "replace") {
    TRY(parse_regex_flags(a[3], &flags));
    TRY(regexp_replace(a[0], a[1], a[2], flags, 1, flags.global ? 0 : 1, &out));
    return out;
  }
  if (op == "replace_n") {
    TRY(regexp_replace(a[0], a[1], "X", flags, std::stoi(a[2]), std::stoi(a[3]), &out));
    return out;
  }
  if (op == "split") {
    std::vector<std::string_view> parts;
    TRY(regexp_split(a[0], a[1], flags, &parts));
    groups.assign(parts.begin(), parts.end());
    return array_text(groups);
  }
  if (op == "substring") {
    std::string_view v;
    TRY(regexp_substring(a[0], a[1], &yes, &v));
    return yes ? "\\N" : std::string(v);
  }
  std::vector<std::vector<Regex::Span>> all;
  if (op == "count") {
    TRY(regexp_all(a[0], a[1], flags, std::stoi(a[2]), &all));
    return std::to_string(all.size());
  }
  if (op == "all") {
    TRY(regexp_all(a[0], a[1], flags, 1, &all));
    if (all.empty()) return "\\N";
    std::vector<std::string> texts;
    for (const auto& spans : all) {
      groups.clear();
      for (size_t i = spans.size() > 1 ? 1 : 0; i < spans.size(); ++i) {
        if (spans[i].matched)
          groups.emplace_back(std::string_view(a[0]).substr(spans[i].start, spans[i].end - spans[i].start));
        else
          groups.emplace_back(std::nullopt);
      }
      texts.push_back(array_text(groups));
    }
    groups.clear();
    for (const auto& t : texts) groups.emplace_back(t);
    return array_text(groups);
  }
  return "?";
}

TEST(Regex, AnswersAsPostgres) { run_cases("regex", kCases, evaluate); }

TEST(Regex, NestedStarsDoNotExplode) {
  bool yes = true;
  std::string text(5000, 'a');
  ASSERT_TRUE(regex_matches(text, "^(a*)*b$", false, &yes).ok());
  EXPECT_FALSE(yes);
  ASSERT_TRUE(regex_matches(text, "(a|aa)+$", false, &yes).ok());
  EXPECT_TRUE(yes);
}

// Neither a long subject nor a long pattern is a deep recursion.
TEST(Regex, LengthIsNotDepth) {
  std::string text, pattern;
  for (int i = 0; i < 20'000; ++i) text += "ab";
  for (int i = 0; i < 2'000; ++i) pattern += "(a)b";
  std::shared_ptr<const Regex> regex;
  std::vector<Regex::Span> spans;
  ASSERT_TRUE(Regex::get("^(ab|c)*$", {}, &regex).ok());
  ASSERT_TRUE(regex->search(text, 0, &spans));
  EXPECT_EQ(spans[1].start, text.size() - 2);
  ASSERT_TRUE(Regex::get(pattern, {}, &regex).ok());
  ASSERT_TRUE(regex->search(text, 0, &spans));
  EXPECT_EQ(spans.back().start, 3998u);
}

}  // namespace
}  // namespace omendb::types
