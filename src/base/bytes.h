// Numbers among bytes, wherever they lie: unaligned reads and writes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace omendb {

// In the machine's order, which is little-endian everywhere we run.

template <class T>
T load_raw(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}
template <class T>
void store_raw(char* at, T value) {
  std::memcpy(at, &value, sizeof(value));
}
template <class T>
void append_raw(const T& value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Big-endian: network byte order, and numbers in keys, which memcmp orders.

inline uint16_t load_be16(const char* at) { return __builtin_bswap16(load_raw<uint16_t>(at)); }
inline uint32_t load_be32(const char* at) { return __builtin_bswap32(load_raw<uint32_t>(at)); }
inline uint64_t load_be64(const char* at) { return __builtin_bswap64(load_raw<uint64_t>(at)); }
inline void store_be16(char* at, uint16_t value) { store_raw(at, __builtin_bswap16(value)); }
inline void store_be32(char* at, uint32_t value) { store_raw(at, __builtin_bswap32(value)); }
inline void store_be64(char* at, uint64_t value) { store_raw(at, __builtin_bswap64(value)); }

}  // namespace omendb
