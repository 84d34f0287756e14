// Case and class of characters: the C library's C.UTF-8, which PostgreSQL uses too. Not the process's locale.
#include <clocale>
#include <cwctype>

#include <locale.h>

#include "types/text.h"

namespace omendb::types {
namespace {
locale_t unicode_locale() {
  static locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return l;
}
}  // namespace

uint32_t unicode_lower(uint32_t c) {
  if (c < 128) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  locale_t l = unicode_locale();
  return l == nullptr ? c : static_cast<uint32_t>(towlower_l(static_cast<wint_t>(c), l));
}
uint32_t unicode_upper(uint32_t c) {
  if (c < 128) return c >= 'a' && c <= 'z' ? c - 32 : c;
  locale_t l = unicode_locale();
  return l == nullptr ? c : static_cast<uint32_t>(towupper_l(static_cast<wint_t>(c), l));
}
#define OMENDB_CLASS(name, test, ascii) \
  bool name(uint32_t c) { \
    if (c < 128) return ascii; \
    locale_t l = unicode_locale(); \
    return l != nullptr && test(static_cast<wint_t>(c), l) != 0; \
  }
OMENDB_CLASS(unicode_is_alnum, iswalnum_l, (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
OMENDB_CLASS(unicode_is_alpha, iswalpha_l, (c | 32) >= 'a' && (c | 32) <= 'z')
OMENDB_CLASS(unicode_is_space, iswspace_l, c == ' ' || (c >= 9 && c <= 13))
OMENDB_CLASS(unicode_is_upper, iswupper_l, c >= 'A' && c <= 'Z')
OMENDB_CLASS(unicode_is_lower, iswlower_l, c >= 'a' && c <= 'z')
OMENDB_CLASS(unicode_is_punct, iswpunct_l, c > 32 && c < 127 && !unicode_is_alnum(c))
#undef OMENDB_CLASS

}  // namespace omendb::types
