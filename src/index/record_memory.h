// Memory for tails and bunches of byte keys: small blocks of one size side by side, in slabs of 16 KB, on the huge pages that
// leaves are on too (node_memory.h).
//
// A scan asks for the tails of many keys at once, and each that lies on a small page of its own costs a walk through the page
// tables, which no processor does many of at a time. malloc gives small pages.
#pragma once

#include <cstddef>

namespace omendb::index {

/// Thread: any. free_record_memory() gets the size that was asked for.
void* allocate_record(size_t bytes);
void free_record_memory(void* record, size_t bytes);

/// free_record_memory() as epoch_retire() takes it, for a block of so many bytes.
void (*record_destroyer(size_t bytes))(void*);

/// What a block of so many bytes takes.
inline size_t record_memory_bytes(size_t bytes) { return (bytes + 7) / 8 * 8; }

/// Bytes of all slabs in use, their free blocks included; of the whole process. 0 where malloc is used (sanitizers watch it).
size_t record_memory_used();

}  // namespace omendb::index
