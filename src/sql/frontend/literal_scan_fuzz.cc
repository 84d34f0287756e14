// libFuzzer: what scan_literals takes apart goes together again, and two texts of one shape have the same tokens: the text with each literal
// exchanged for another of its kind has the shape that it had.
#include <string>

#include "base/check.h"
#include "sql/frontend/literal_scan.h"

using omendb::sql::LiteralKind;
using omendb::sql::scan_literals;
using omendb::sql::ScannedText;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), size);
  ScannedText scan;
  if (!scan_literals(sql, &scan)) return 0;
  std::string same, other;
  size_t literal = 0, at = 0;
  for (char c : scan.shape) {
    if (c < 1 || c > static_cast<char>(LiteralKind::kString)) {
      same.push_back(c);
      other.push_back(c);
      ++at;
      continue;
    }
    CHECK(literal < scan.literals.size());
    const auto& found = scan.literals[literal++];
    CHECK(found.kind == static_cast<LiteralKind>(c));
    CHECK(found.begin == at);
    CHECK(found.end > found.begin);
    CHECK(found.end <= sql.size());
    at = found.end;
    same.append(sql, found.begin, found.end - found.begin);
    switch (found.kind) {
      case LiteralKind::kInt4: other += "7"; break;
      case LiteralKind::kInt8: other += "8000000000"; break;
      case LiteralKind::kNumeric: other += sql[found.begin] == '.' ? ".25" : "0.25"; break;
      case LiteralKind::kString: other += "'it''s -- ; /*'"; break;
    }
  }
  CHECK(literal == scan.literals.size());
  CHECK(same == sql);
  ScannedText again;
  CHECK(scan_literals(other, &again));
  CHECK(again.shape == scan.shape);
  return 0;
}
