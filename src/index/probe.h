// Comparing eight slots of a leaf with a key at once, where the processor turns out to have vectors. In assembler: what is
// compiled for any processor may have it inlined, and no compiler adds to it. All that waits for the slots waits in the
// processor's scheduler; every instruction less there leaves room for the next lookup.
#pragma once

#include <cstdint>

// ThreadSanitizer has to see the single words.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define OMENDB_INDEX_VECTORS 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef OMENDB_INDEX_VECTORS
#endif
#endif

#if defined(OMENDB_INDEX_VECTORS)
#if defined(__AVX512F__)  // elsewhere compilers neither use these registers nor let one name them
#define OMENDB_INDEX_WIDE_CLOBBERS "memory", "xmm16", "k1", "k2"
#else
#define OMENDB_INDEX_WIDE_CLOBBERS "memory"
#endif

namespace omendb::index {

/// equal(): which of the eight slots from the start of a cache line on have `key`: bit kBits * j for slot j.
///
/// Each word is read whole, as by Slot::get_key(): an aligned vector load does not tear an aligned word. The reader looks
/// at the entry's version afterwards.
struct WideProbe {  // AVX-512 F and BW
  static constexpr uint32_t kBits = 2;
  [[gnu::always_inline]] static inline uint32_t equal(const void* line, uint64_t key) {
    uint32_t equal;
    asm volatile(
        "vpbroadcastq %[key], %%zmm16\n\t"  // above the sixteenth: nothing to clean up for code without vectors
        "vpcmpeqq (%[line]), %%zmm16, %%k1\n\t"
        "vpcmpeqq 64(%[line]), %%zmm16, %%k2\n\t"
        "kunpckbw %%k1, %%k2, %%k1\n\t"
        "kmovw %%k1, %[equal]"
        : [equal] "=r"(equal)
        : [key] "r"(key), [line] "r"(line)
        : OMENDB_INDEX_WIDE_CLOBBERS);
    return equal & 0x5555;
  }
};

struct VectorProbe {  // AVX2
  static constexpr uint32_t kBits = 4;
  [[gnu::always_inline]] static inline uint32_t equal(const void* line, uint64_t key) {
    alignas(32) static constexpr uint32_t kOrder[8] = {0, 4, 1, 5, 2, 6, 3, 7};  // packing mixes the halves
    uint32_t equal;
    asm volatile(
        "vmovq %[key], %%xmm0\n\t"
        "vpbroadcastq %%xmm0, %%ymm0\n\t"
        "vpcmpeqq (%[line]), %%ymm0, %%ymm1\n\t"
        "vpcmpeqq 32(%[line]), %%ymm0, %%ymm2\n\t"
        "vpcmpeqq 64(%[line]), %%ymm0, %%ymm3\n\t"
        "vpcmpeqq 96(%[line]), %%ymm0, %%ymm4\n\t"
        "vmovdqa %[order], %%ymm0\n\t"
        "vpackssdw %%ymm2, %%ymm1, %%ymm1\n\t"
        "vpackssdw %%ymm4, %%ymm3, %%ymm3\n\t"
        "vpacksswb %%ymm3, %%ymm1, %%ymm1\n\t"
        "vpermd %%ymm1, %%ymm0, %%ymm1\n\t"
        "vpmovmskb %%ymm1, %[equal]\n\t"
        "vzeroupper"
        : [equal] "=r"(equal)
        : [key] "r"(key), [line] "r"(line), [order] "m"(kOrder)
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4");
    return equal & 0x11111111;
  }
};

}  // namespace omendb::index
#endif
