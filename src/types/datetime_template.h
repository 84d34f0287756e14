// Inside formatting: the templates of to_char, to_date and to_timestamp over dates and times, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::types::internal {

/// A field of a template, named as PostgreSQL's manual does; kAdDots is `A.D.`, kAd is `AD`, and so on.
enum class TemplateKey : uint8_t {
  kAdDots,
  kAmDots,
  kAd,
  kAm,
  kCc,
  kDay,
  kDdd,
  kDd,
  kDy,
  kD,
  kFf1,
  kFf2,
  kFf3,
  kFf4,
  kFf5,
  kFf6,
  kFx,
  kHh24,
  kHh12,
  kHh,
  kIddd,
  kId,
  kIw,
  kIyyy,
  kIyy,
  kIy,
  kI,
  kJ,
  kMi,
  kMm,
  kMonth,
  kMon,
  kMs,
  kOf,
  kQ,
  kRm,
  kSssss,
  kSs,
  kTzh,
  kTzm,
  kTz,
  kUs,
  kWw,
  kW,
  kYCommaYyy,
  kYyyy,
  kYyy,
  kYy,
  kY
};
enum class LetterCase : uint8_t { kUpper, kCapital, kLower };

struct TemplateKeyword {
  std::string_view name;  // as the template spells it
  TemplateKey key;
  LetterCase letters;
  bool digits;      // to_date reads digits for it
  char convention;  // 'g' Gregorian, 'i' ISO week, 0 either
};

struct TemplateNode {
  enum class Kind : uint8_t { kField, kCharacter, kSeparator, kSpace } kind = Kind::kCharacter;
  TemplateKeyword keyword{};  // of a field
  std::string text;           // of everything else: one character
  bool fill = false;          // FM: neither padded nor of fixed width
  bool th_upper = false, th_lower = false, translated = false;

  bool has_ordinal() const { return th_upper || th_lower; }
};

/// The nodes of `format`, which must outlive them. Every text is a template: what is no keyword stands for itself.
std::vector<TemplateNode> parse_template(std::string_view format);

/// Is `c` printable ASCII but neither a letter nor a digit?
bool is_separator(char c);

}  // namespace omendb::types::internal
