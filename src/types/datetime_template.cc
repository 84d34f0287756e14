#include "types/datetime_template.h"

#include <algorithm>

#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types::internal {
namespace {

using Key = TemplateKey;
using enum LetterCase;

// The first that a text begins with is meant, so longer ones stand before their beginnings.
// clang-format off
constexpr TemplateKeyword kKeywords[] = {
    {"A.D.", Key::kAdDots, kUpper, false, 0}, {"A.M.", Key::kAmDots, kUpper, false, 0}, {"AD", Key::kAd, kUpper, false, 0},
    {"AM", Key::kAm, kUpper, false, 0}, {"B.C.", Key::kAdDots, kUpper, false, 0}, {"BC", Key::kAd, kUpper, false, 0},
    {"CC", Key::kCc, kUpper, true, 0}, {"DAY", Key::kDay, kUpper, false, 0}, {"DDD", Key::kDdd, kUpper, true, 'g'},
    {"DD", Key::kDd, kUpper, true, 'g'}, {"DY", Key::kDy, kUpper, false, 0}, {"Day", Key::kDay, kCapital, false, 0},
    {"Dy", Key::kDy, kCapital, false, 0}, {"D", Key::kD, kUpper, true, 'g'}, {"FF1", Key::kFf1, kUpper, false, 0},
    {"FF2", Key::kFf2, kUpper, false, 0}, {"FF3", Key::kFf3, kUpper, false, 0}, {"FF4", Key::kFf4, kUpper, false, 0},
    {"FF5", Key::kFf5, kUpper, false, 0}, {"FF6", Key::kFf6, kUpper, false, 0}, {"FX", Key::kFx, kUpper, false, 0},
    {"HH24", Key::kHh24, kUpper, true, 0}, {"HH12", Key::kHh12, kUpper, true, 0}, {"HH", Key::kHh, kUpper, true, 0},
    {"IDDD", Key::kIddd, kUpper, true, 'i'}, {"ID", Key::kId, kUpper, true, 'i'}, {"IW", Key::kIw, kUpper, true, 'i'},
    {"IYYY", Key::kIyyy, kUpper, true, 'i'}, {"IYY", Key::kIyy, kUpper, true, 'i'}, {"IY", Key::kIy, kUpper, true, 'i'},
    {"I", Key::kI, kUpper, true, 'i'}, {"J", Key::kJ, kUpper, true, 0}, {"MI", Key::kMi, kUpper, true, 0},
    {"MM", Key::kMm, kUpper, true, 'g'}, {"MONTH", Key::kMonth, kUpper, false, 'g'}, {"MON", Key::kMon, kUpper, false, 'g'},
    {"MS", Key::kMs, kUpper, true, 0}, {"Month", Key::kMonth, kCapital, false, 'g'}, {"Mon", Key::kMon, kCapital, false, 'g'},
    {"OF", Key::kOf, kUpper, false, 0}, {"P.M.", Key::kAmDots, kUpper, false, 0}, {"PM", Key::kAm, kUpper, false, 0},
    {"Q", Key::kQ, kUpper, true, 0}, {"RM", Key::kRm, kUpper, false, 'g'}, {"SSSSS", Key::kSssss, kUpper, true, 0},
    {"SSSS", Key::kSssss, kUpper, true, 0}, {"SS", Key::kSs, kUpper, true, 0}, {"TZH", Key::kTzh, kUpper, false, 0},
    {"TZM", Key::kTzm, kUpper, true, 0}, {"TZ", Key::kTz, kUpper, false, 0}, {"US", Key::kUs, kUpper, true, 0},
    {"WW", Key::kWw, kUpper, true, 'g'}, {"W", Key::kW, kUpper, true, 'g'}, {"Y,YYY", Key::kYCommaYyy, kUpper, true, 'g'},
    {"YYYY", Key::kYyyy, kUpper, true, 'g'}, {"YYY", Key::kYyy, kUpper, true, 'g'}, {"YY", Key::kYy, kUpper, true, 'g'},
    {"Y", Key::kY, kUpper, true, 'g'}};
// clang-format on

// Keywords exist in upper case and in lower case; Day, Dy, Month and Mon capitalised too.
bool find_keyword(std::string_view s, TemplateKeyword* out) {
  for (const TemplateKeyword& k : kKeywords) {
    if (s.size() < k.name.size()) continue;
    if (s.starts_with(k.name)) {
      *out = k;
      return true;
    }
    if (k.letters == kCapital) continue;
    bool lower = true;
    for (size_t i = 0; i < k.name.size() && lower; ++i) lower = s[i] == ascii_lower(k.name[i]);
    if (lower) {
      *out = k;
      out->letters = kLower;
      out->name = s.substr(0, k.name.size());
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_separator(char c) {
  return c > 0x20 && c < 0x7F && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
}

std::vector<TemplateNode> parse_template(std::string_view f) {
  using Kind = TemplateNode::Kind;
  std::vector<TemplateNode> nodes;
  size_t i = 0;
  auto prefix = [&](std::string_view upper, std::string_view lower) {
    if (!f.substr(i).starts_with(upper) && !f.substr(i).starts_with(lower)) return false;
    i += upper.size();
    return true;
  };
  while (i < f.size()) {
    TemplateNode n;
    size_t start = i;
    for (bool again = true; again && i < f.size();) {
      again = false;
      if (prefix("FM", "fm"))
        n.fill = again = true;
      else if (prefix("TM", "tm"))
        n.translated = again = true;
    }
    if (find_keyword(f.substr(i), &n.keyword)) {
      n.kind = Kind::kField;
      i += n.keyword.name.size();
      for (bool again = true; again && i < f.size();) {
        again = false;
        if (f.substr(i).starts_with("TH"))
          n.th_upper = again = true;
        else if (f.substr(i).starts_with("th"))
          n.th_lower = again = true;
        else if (f.substr(i).starts_with("SP"))
          again = true;
        if (again) i += 2;
      }
      nodes.push_back(std::move(n));
      continue;
    }
    if (i > start) continue;  // a prefix of nothing
    if (f[i] == '"') {
      for (++i; i < f.size() && f[i] != '"';) {
        if (f[i] == '\\' && i + 1 < f.size()) ++i;
        size_t width = std::min(utf8_width(f[i]), f.size() - i);
        TemplateNode c;
        c.text = f.substr(i, width);
        nodes.push_back(std::move(c));
        i += width;
      }
      ++i;
      continue;
    }
    if (f[i] == '\\' && i + 1 < f.size() && f[i + 1] == '"') ++i;
    size_t width = std::min(utf8_width(f[i]), f.size() - i);
    TemplateNode c;
    c.text = f.substr(i, width);
    c.kind = is_space(f[i]) ? Kind::kSpace : is_separator(f[i]) ? Kind::kSeparator : Kind::kCharacter;
    nodes.push_back(std::move(c));
    i += width;
  }
  return nodes;
}

}  // namespace omendb::types::internal
