// Memory for leaves and segments: blocks of 256 bytes and up, cut from chunks of two megabytes on huge pages.
//
// A lookup's one unavoidable miss is a leaf's slot, and on small pages each such miss is two: the page tables
// of a large index do not stay in the TLB. malloc gives small pages. Measurements:
// docs/decisions/0010-learned-index.md.
//
// Blocks are found best-fit by size class and joined with free neighbours at once, so rebuilt leaves of all
// sizes leave few holes. The next chunk is made ready by a helper thread, for zeroing two megabytes takes
// longer than an insert may; who needs one before it is ready takes small pages, except in a bulk load, which
// waits.
#pragma once

#include <cstddef>

// Sanitizers watch malloc.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OMENDB_INDEX_PLAIN_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OMENDB_INDEX_PLAIN_MEMORY 1
#endif
#endif

namespace omendb::index {

/// Blocks are multiples of this, and aligned to it.
inline constexpr size_t kNodeUnit = 256;

/// Thread: any.
void* allocate_node(size_t bytes);
void free_node(void* node);

/// While one lives, this thread's allocate_node() prefers huge pages to being quick.
class PatientAllocation {
 public:
  PatientAllocation();
  ~PatientAllocation();

 private:
  bool before_;
};

/// A whole chunk of zeros, aligned to its size, for who cuts it up by other rules. Not where malloc is used (sanitizers).
inline constexpr size_t kChunkBytes = size_t{2} << 20;
void* allocate_chunk();
void free_chunk(void* chunk);

struct NodeMemory {
  size_t used = 0;      // by blocks handed out, rounding included
  size_t reserved = 0;  // in chunks, and their tables
};
/// Of the whole process.
NodeMemory node_memory();

}  // namespace omendb::index
