#include <gtest/gtest.h>

#include "sql/frontend/expression_fixture.h"

namespace omendb::sql {
namespace {

// What PostgreSQL 15 answers, drawn from grids of operators, functions and casts over values.
struct Case {
  const char* sql;
  const char* answer;
};
constexpr Case kCases[] = {
#include "sql/frontend/expression_cases.inc"
};

TEST(Expression, AnswersAsPostgresDoes) {
  ExpressionRunner runner;
  for (const Case& c : kCases) EXPECT_EQ(runner.run(c.sql), c.answer) << c.sql << "\n" << runner.emitted;
}

}  // namespace
}  // namespace omendb::sql
