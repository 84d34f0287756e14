#include "sql/frontend/keywords.h"

#include <algorithm>
#include <array>

#include "sql/frontend/pg_nodes.h"

extern "C" {
#include "common/keywords.h"
}

namespace omendb::sql {

std::vector<Keyword> sql_keywords() {
  // What the grammar takes for the continuation of an expression; the parser's library keeps this list to itself.
  static constexpr std::array<std::string_view, 39> kNeedAs = {
      "array", "as",      "char",    "character", "create", "day",       "except",   "fetch",     "filter",    "for",
      "from",  "grant",   "group",   "having",    "hour",   "intersect", "into",     "isnull",    "limit",     "minute",
      "month", "notnull", "offset",  "on",        "order",  "over",      "overlaps", "precision", "returning", "second",
      "to",    "union",   "varying", "where",     "window", "with",      "within",   "without",   "year"};
  std::vector<Keyword> list;
  for (int i = 0; i < ScanKeywords.num_keywords; ++i) {
    const std::string_view word = GetScanKeyword(i, &ScanKeywords);
    const int category = ScanKeywordCategories[i];
    list.push_back({word,
                    category == UNRESERVED_KEYWORD       ? 'U'
                    : category == COL_NAME_KEYWORD       ? 'C'
                    : category == TYPE_FUNC_NAME_KEYWORD ? 'T'
                                                         : 'R',
                    std::find(kNeedAs.begin(), kNeedAs.end(), word) == kNeedAs.end()});
  }
  return list;
}

}  // namespace omendb::sql
