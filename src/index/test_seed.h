// Seeds and lengths of the property tests. OMENDB_INDEX_TEST_SEED replays a run; OMENDB_INDEX_TEST_OPS makes
// each pattern that long, and has it say what it did (./dev test soak adds that up).
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

namespace omendb::index {

inline uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline uint64_t test_seed() { return from_environment("OMENDB_INDEX_TEST_SEED", std::random_device{}()); }

inline uint64_t test_ops(uint64_t otherwise) {
#if defined(__SANITIZE_THREAD__)
  otherwise /= 20;
#elif defined(__SANITIZE_ADDRESS__)
  otherwise /= 4;
#endif
  return from_environment("OMENDB_INDEX_TEST_OPS", otherwise);
}

/// Says how long a pattern ran, where that was asked for.
inline void ran(uint64_t ops, uint64_t seed) {
  if (std::getenv("OMENDB_INDEX_TEST_OPS") == nullptr) return;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::printf("soak %s.%s seed %llu operations %llu\n", test->test_suite_name(), test->name(),
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(ops));
  std::fflush(stdout);
}

}  // namespace omendb::index
