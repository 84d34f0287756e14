#include "sql/frontend/parser.h"

#include <gtest/gtest.h>

#include <thread>

#include "sql/error.h"

namespace omendb::sql {
namespace {

ErrorInfo error_of(std::string_view sql) {
  try {
    ParseTree tree(sql);
  } catch (const SqlError& e) {
    return e.info();
  }
  return ErrorInfo{SqlState::kSuccessfulCompletion, "no error"};
}

TEST(Parser, ErrorsReadAsPostgresPrintsThem) {
  ErrorInfo e = error_of("select 1; select \xC3\xA9 frm x y z");
  EXPECT_EQ(e.code, SqlState::kSyntaxError);
  EXPECT_EQ(e.message, "syntax error at or near \"x\"");
  EXPECT_EQ(e.position, 24);  // characters, not bytes
  EXPECT_EQ(error_of("select 1 +").message, "syntax error at end of input");
  EXPECT_EQ(error_of("select 1 +").position, 11);
  EXPECT_EQ(error_of("select * from (select 1)").hint, "For example, FROM (SELECT ...) [AS] foo.");
  EXPECT_EQ(error_of("create assertion x check (1=1)").code, SqlState::kFeatureNotSupported);
  EXPECT_EQ(error_of("select '\xff'").message, "invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(error_of(std::string_view("select 1\0", 9)).code, SqlState::kCharacterNotInRepertoire);
}

TEST(Parser, StatementsAreCutWithoutBlanksAndSemicolons) {
  std::string_view sql = " select 1 ;; \n insert into t values (';') ; ";
  ParseTree tree(sql);
  ASSERT_EQ(tree.statements().size(), 2u);
  auto text = [&](size_t i) { return sql.substr(tree.statements()[i].location, tree.statements()[i].length); };
  EXPECT_EQ(text(0), "select 1");
  EXPECT_EQ(text(1), "insert into t values (';')");
  EXPECT_TRUE(ParseTree("").statements().empty());
  EXPECT_TRUE(ParseTree(" ; -- nothing").statements().empty());
}

TEST(Parser, TreesMayDieOnAnotherThreadThanTheirMakers) {
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<ParseTree> tree;
    std::thread([&] { tree = std::make_unique<ParseTree>("select a, b from t where c = 1"); }).join();
    EXPECT_EQ(tree->statements().size(), 1u);
    std::thread([&] {
      tree.reset();
      EXPECT_EQ(error_of("selec").message, "syntax error at or near \"selec\"");
      ParseTree again("select 1");
    }).join();
  }
}

TEST(Parser, ByteOffsetsBecomeCharacterPositions) {
  EXPECT_EQ(character_position("abc", 0), 1);
  EXPECT_EQ(character_position("\xC3\xA9x", 2), 2);
  EXPECT_EQ(character_position("abc", -1), 0);
  EXPECT_EQ(character_position("abc", 3), 4);
}

}  // namespace
}  // namespace omendb::sql
