#include "types/text.h"

#include "types/cases.h"
#include "types/regex.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/text.inc"
    ;
#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string evaluate(const std::string& op, const CaseArguments& a) {
  std::string out, escaped;
  std::string_view view;
  bool yes = false;
  auto n = [&](size_t i) { return std::stoi(a[i]); };
  auto boolean = [](bool b) { return std::string(b ? "true" : "false"); };
  if (op == "substring2") {
    TRY(text_substring(a[0], n(1), std::nullopt, &view));
    return std::string(view);
  }
  if (op == "substring3") {
    TRY(text_substring(a[0], n(1), n(2), &view));
    return std::string(view);
  }
  if (op == "left") return std::string(text_left(a[0], n(1)));
  if (op == "right") return std::string(text_right(a[0], n(1)));
  if (op == "position") return std::to_string(text_position(a[0], a[1]));
  if (op == "length") return std::to_string(utf8_count(a[0]));
  if (op == "ltrim") return std::string(text_trim(a[0], a[1], true, false));
  if (op == "rtrim") return std::string(text_trim(a[0], a[1], false, true));
  if (op == "btrim") return std::string(text_trim(a[0], a[1], true, true));
  if (op == "split_part") {
    TRY(text_split_part(a[0], a[1], n(2), &view));
    return std::string(view);
  }
  if (op == "overlay3") {
    TRY(text_overlay(a[0], a[1], n(2), std::nullopt, &out));
    return out;
  }
  if (op == "overlay4") {
    TRY(text_overlay(a[0], a[1], n(2), n(3), &out));
    return out;
  }
  if (op == "lpad" || op == "rpad") {
    TRY(text_pad(a[0], n(1), a[2], op == "lpad", &out));
    return out;
  }
  if (op == "translate") {
    text_translate(a[0], a[1], a[2], &out);
    return out;
  }
  if (op == "replace") {
    text_replace(a[0], a[1], a[2], &out);
    return out;
  }
  if (op == "reverse") {
    text_reverse(a[0], &out);
    return out;
  }
  if (op == "repeat") {
    TRY(text_repeat(a[0], n(1), &out));
    return out;
  }
  if (op == "upper") {
    text_upper(a[0], &out);
    return out;
  }
  if (op == "lower") {
    text_lower(a[0], &out);
    return out;
  }
  if (op == "initcap") {
    text_initcap(a[0], &out);
    return out;
  }
  if (op == "chr") {
    TRY(text_chr(n(0), &out));
    return out;
  }
  if (op == "ascii") return std::to_string(text_ascii(a[0]));
  if (op == "to_hex") {
    text_to_hex(static_cast<uint64_t>(std::stoll(a[0])), &out);
    return out;
  }
  if (op == "quote_ident") {
    append_quoted_ident(a[0], &out);
    return out;
  }
  if (op == "quote_literal") {
    append_quoted_literal(a[0], &out);
    return out;
  }
  if (op == "format") {
    std::vector<std::optional<std::string_view>> arguments;
    for (size_t i = 1; i < a.size(); ++i) {
      if (a[i] == "\\N")
        arguments.emplace_back(std::nullopt);
      else
        arguments.emplace_back(a[i]);
    }
    TRY(text_format(a[0], arguments, &out));
    return out;
  }
  if (op == "md5") {
    append_md5_hex(a[0], &out);
    return out;
  }
  if (op == "sha256" || op == "sha512") {
    append_hex(sha_digest(op == "sha256" ? Sha::k256 : Sha::k512, a[0]), &out);
    return out;
  }
  if (op == "encode") {
    TRY(encode_bytes(a[0], a[1], &out));
    return out;
  }
  if (op == "decode") {
    std::string bytes;
    TRY(decode_bytes(a[0], a[1], &bytes));
    append_hex(bytes, &out);
    return out;
  }
  if (op == "similar") {
    TRY(similar_to_regex(a[1], nullptr, &escaped));
    TRY(regex_matches(a[0], escaped, false, &yes));
    return boolean(yes);
  }
  if (op == "similar_escape") {
    std::string_view hash = "#";
    TRY(similar_to_regex("%#\"o_b#\"%", &hash, &escaped));
    TRY(regexp_substring(a[0], escaped, &yes, &view));
    return yes ? "\\N" : std::string(view);
  }
  return "?";
}

TEST(Text, AnswersAsPostgres) { run_cases("text", kCases, evaluate); }

TEST(Utf8, CountsAndFindsCharacters) {
  EXPECT_EQ(utf8_count("h\xC3\xA9llo w\xC3\xB6rld"), 11u);
  EXPECT_EQ(utf8_offset("\xC3\xA9x", 1), 2u);
  EXPECT_EQ(utf8_clip("\xC3\xA9\xC3\xA9", 3), "\xC3\xA9");
  EXPECT_EQ(valid_utf8_prefix("abcdefgh\xC0\x80"), 8u);
  EXPECT_EQ(valid_utf8_prefix("\xED\xA0\x80"), 0u);
}

}  // namespace
}  // namespace omendb::types
