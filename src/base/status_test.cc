#include "base/status.h"

#include <gtest/gtest.h>

namespace omendb {
namespace {

TEST(SqlState, PacksAndUnpacksEveryCode) {
#define OMENDB_CASE(code, name, condition) \
  { \
    auto text = sqlstate_text(SqlState::name); \
    EXPECT_EQ(std::string(text.data(), 5), code); \
  }
  OMENDB_SQLSTATE_LIST(OMENDB_CASE)
#undef OMENDB_CASE
  EXPECT_EQ(static_cast<uint32_t>(SqlState::kSuccessfulCompletion), 0u);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Status(SqlState::kInvalidParameterValue, "odd").with_hint("pass an even number");
  return n / 2;
}
Result<int> quarter(int n) {
  ASSIGN_OR_RETURN(int h, half(n));
  return half(h);
}

TEST(Result, ErrorTravelsWithItsFields) {
  EXPECT_EQ(*quarter(12), 3);
  auto failed = quarter(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_TRUE(failed.status().is(SqlState::kInvalidParameterValue));
  EXPECT_EQ(failed.status().info().hint, "pass an even number");
}

}  // namespace
}  // namespace omendb
