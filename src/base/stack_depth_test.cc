#include "base/stack_depth.h"

#include <gtest/gtest.h>
#include <pthread.h>

namespace omendb {
namespace {

/// Takes about a kilobyte a level. Returns how many levels there were.
int descend(int level, Status* refused) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(level);
  *refused = check_stack_depth();
  if (!refused->ok() || level > 1'000'000) return level;
  const int reached = descend(level + 1, refused);
  return frame[0] == static_cast<char>(level) ? reached : -1;
}

void* descend_in_thread(void* reached) {
  Status refused;
  *static_cast<int*>(reached) = descend(0, &refused);
  EXPECT_TRUE(refused.is(SqlState::kStatementTooComplex));
  return nullptr;
}

TEST(StackDepth, EndlessRecursionIsRefusedBeforeTheStackEnds) {
  Status refused;
  const int reached = descend(0, &refused);
  EXPECT_GT(reached, 100);
  EXPECT_LT(reached, 1'000'000);
  EXPECT_TRUE(refused.is(SqlState::kStatementTooComplex));
  EXPECT_EQ(refused.message(), "stack depth limit exceeded");
  EXPECT_TRUE(check_stack_depth().ok());
}

TEST(StackDepth, SmallStacksAreRefusedEarlier) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 1 << 20), 0);
  pthread_t thread;
  int reached = 0;
  ASSERT_EQ(pthread_create(&thread, &attributes, descend_in_thread, &reached), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_GT(reached, 50);
  EXPECT_LE(reached, 1024);
}

}  // namespace
}  // namespace omendb
