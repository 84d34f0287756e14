#include "base/stack_depth.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>

namespace omendb {
namespace {

constexpr size_t kReserveBytes = 1 << 20;  // for what the recursion calls

/// The lowest address that a frame of this thread may have.
uintptr_t lowest_frame() {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return 0;
  void* low = nullptr;
  size_t bytes = 0;
  const int failed = ::pthread_attr_getstack(&attributes, &low, &bytes);
  ::pthread_attr_destroy(&attributes);
  if (failed != 0) return 0;
  return reinterpret_cast<uintptr_t>(low) + std::min(kReserveBytes, bytes / 2);
}

}  // namespace

Status stack_too_deep() {
  return Status(SqlState::kStatementTooComplex, "stack depth limit exceeded")
      .with_hint(
          "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the "
          "platform's stack depth limit is adequate.");
}

Status check_stack_depth() {
  static thread_local const uintptr_t lowest = lowest_frame();
  if (reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) >= lowest) return {};
  return stack_too_deep();
}

}  // namespace omendb
