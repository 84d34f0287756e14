#include "sql/frontend/literal_scan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "sql/error.h"
#include "sql/frontend/parser.h"

extern "C" {
#include <pg_query.h>
}

namespace omendb::sql {
namespace {

constexpr uint64_t kFconst = 260, kSconst = 261, kIconst = 266;  // ScanToken's Token of pg_query.proto

struct Token {
  uint64_t begin = 0, end = 0, kind = 0;
};

uint64_t varint(std::string_view bytes, size_t* at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[(*at)++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

/// The tokens of PostgreSQL's own scanner, out of its protobuf: ScanResult's field 2 is a ScanToken, whose fields are start = 1, end = 2,
/// token = 4. False: the text cannot be scanned.
bool postgres_tokens(const std::string& sql, std::vector<Token>* tokens) {
  PgQueryScanResult result = pg_query_scan(sql.c_str());
  const bool ok = result.error == nullptr;
  const std::string_view bytes = ok ? std::string_view(result.pbuf.data, result.pbuf.len) : std::string_view();
  for (size_t at = 0; at < bytes.size();) {
    const uint64_t key = varint(bytes, &at);
    const uint64_t value = varint(bytes, &at);
    if (key % 8 == 0) continue;
    const size_t end = at + value;
    if (key / 8 == 2) {
      Token token;
      while (at < end) {
        const uint64_t field = varint(bytes, &at) / 8;
        const uint64_t number = varint(bytes, &at);
        if (field == 1) token.begin = number;
        if (field == 2) token.end = number;
        if (field == 4) token.kind = number;
      }
      tokens->push_back(token);
    }
    at = end;
  }
  pg_query_free_scan_result(result);
  return ok;
}

/// Every literal of the shape is one of PostgreSQL's, every one of PostgreSQL's numbers and strings is in it, and a '-' that
/// may be a sign is a token of its own. True: the scanner took the text.
bool agree(const std::string& sql) {
  ScannedText scan;
  if (!scan_literals(sql, &scan)) return false;
  std::vector<Token> tokens;
  if (!postgres_tokens(sql, &tokens)) return true;  // an error that the grammar will tell
  std::vector<Token> literals;
  std::map<uint64_t, Token> by_begin;
  for (const Token& t : tokens) {
    by_begin[t.begin] = t;
    if (t.kind == kIconst || t.kind == kFconst || t.kind == kSconst) literals.push_back(t);
  }
  EXPECT_EQ(literals.size(), scan.literals.size()) << sql;
  for (size_t i = 0; i < std::min(literals.size(), scan.literals.size()); ++i) {
    const ScannedLiteral& found = scan.literals[i];
    EXPECT_EQ(literals[i].begin, found.begin) << sql;
    EXPECT_EQ(literals[i].end, found.end) << sql;
    const uint64_t kind = found.kind == LiteralKind::kString ? kSconst
                          : found.kind == LiteralKind::kInt4 ? kIconst
                                                             : kFconst;
    EXPECT_EQ(literals[i].kind, kind) << sql;
    if (found.minus == UINT32_MAX) continue;
    auto minus = by_begin.find(found.minus);
    EXPECT_TRUE(minus != by_begin.end() && minus->second.end == minus->second.begin + 1) << sql;
  }
  return true;
}

ScannedText scanned(std::string_view sql) {
  ScannedText scan;
  EXPECT_TRUE(scan_literals(sql, &scan)) << sql;
  return scan;
}

TEST(LiteralScan, ShapesAreEqualWhenOnlyLiteralsDiffer) {
  EXPECT_EQ(scanned("select a from t where b = 5 and c = 'x'").shape,
            scanned("select a from t where b = 12345 and c = 'it''s; $1'").shape);
  EXPECT_NE(scanned("select 5").shape, scanned("select 5000000000").shape);
  EXPECT_NE(scanned("select 5").shape, scanned("select 5.0").shape);
  EXPECT_NE(scanned("select 5").shape, scanned("select '5'").shape);
  EXPECT_NE(scanned("select 5").shape, scanned("select -5").shape);
  EXPECT_NE(scanned("select \"5\"").shape, scanned("select \"6\"").shape);
  EXPECT_NE(scanned("select 1 /* 5 */").shape, scanned("select 1 /* 6 */").shape);
  EXPECT_EQ(string_value("'it''s'''"), "it's'");
}

TEST(LiteralScan, SignsAreLoneMinusesOnly) {
  EXPECT_EQ(scanned("select -5").literals[0].minus, 7u);
  EXPECT_EQ(scanned("select - /* c */ 5").literals[0].minus, 7u);
  EXPECT_EQ(scanned("select a=-5").literals[0].minus, 9u);
  EXPECT_EQ(scanned("select a @-5").literals[0].minus, UINT32_MAX);
  EXPECT_EQ(scanned("select a-b, 5").literals[0].minus, UINT32_MAX);
  EXPECT_EQ(scanned("select 1--5\n+2").literals.size(), 2u);
}

TEST(LiteralScan, RefusesWhatPostgresReadsInItsOwnWay) {
  for (const char* sql : {"select $1",
                          "select E'a'",
                          "select e'a'",
                          "select b'1'",
                          "select X'1'",
                          "select n'a'",
                          "select U&'a'",
                          "select u&\"a\"",
                          "select $$a$$",
                          "select 'a'\n'b'",
                          "select 'a' -- c\n 'b'",
                          "select 'a",
                          "select \"a",
                          "select /* a",
                          "select 1a",
                          "select 1e5",
                          "select 1..2",
                          "select 1; select 2",
                          "select 2147483648",
                          "select 9223372036854775808",
                          "select 0x1F",
                          "select 1_000",
                          "select \x01"}) {
    ScannedText scan;
    EXPECT_FALSE(scan_literals(sql, &scan)) << sql;
  }
  EXPECT_EQ(scanned("select date'2020-01-01', .5, 5., 1.25, 007;; -- end").literals.size(), 5u);
}

TEST(LiteralScan, AgreesWithPostgresScannerOnEveryTestStatementAndItsMutants) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  size_t taken = 0, seen = 0;
  static constexpr std::string_view kPieces[] = {
      "'", "''", "\"", "-", "--", "/*", "*/", ".", "..", "5",        "0",  "e",          "E'", "1.5", "\n", " ",
      "$", ";",  "+",  "@", "=",  "<",  "::", ":", "\\", "\xC3\xA9", "u&", "2147483648", "x",  "(",   ",",  "/"};
  for (const auto& file : std::filesystem::directory_iterator("tests/sql")) {
    if (file.path().extension() != ".sql") continue;
    std::ifstream in(file.path());
    std::string line;
    while (std::getline(in, line)) {
      if (line.empty()) continue;
      ++seen;
      taken += agree(line) ? 1 : 0;
      for (int i = 0; i < 20; ++i) {
        std::string mutant = line;
        for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
          const size_t at = random() % (mutant.size() + 1);
          if (random() % 3 == 0) {
            mutant.erase(at, 1 + random() % 4);
          } else {
            mutant.insert(at, kPieces[random() % std::size(kPieces)]);
          }
        }
        if (valid_utf8_prefix(mutant) == mutant.size()) agree(mutant);
      }
      if (HasFailure()) return;
    }
  }
  ASSERT_GT(seen, 1000u) << "run from the project's folder";
  EXPECT_GT(taken, seen / 2);
}

}  // namespace
}  // namespace omendb::sql
