// Bytes on their way to a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"

namespace omendb::pgwire {

/// A byte array that grows. Unlike std::string it does not fill what it is about to overwrite.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  char* data() { return data_; }
  std::string_view view() const { return {data_, size_}; }

  /// Room for `n` more bytes; what is written there counts after advance(). Invalidates earlier pointers.
  char* reserve(size_t n) {
    if (capacity_ - size_ < n) [[unlikely]]
      grow(n);
    return data_ + size_;
  }
  void advance(size_t n) { size_ += n; }
  /// Drops what lies beyond `size`.
  void truncate(size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  /// Gives the memory back.
  void release() {
    std::free(data_);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append_cstring(std::string_view text) {
    append(text);
    append_byte('\0');
  }
  void append_byte(char c) {
    *reserve(1) = c;
    ++size_;
  }
  void append_int16(int16_t v) {
    store_be16(reserve(2), static_cast<uint16_t>(v));
    size_ += 2;
  }
  void append_int32(int32_t v) {
    store_be32(reserve(4), static_cast<uint32_t>(v));
    size_ += 4;
  }

 private:
  void grow(size_t n) {
    size_t wanted = capacity_ < 512 ? 1024 : capacity_ * 2;
    if (wanted < size_ + n) wanted = size_ + n;
    data_ = static_cast<char*>(std::realloc(data_, wanted));
    CHECK(data_ != nullptr);
    capacity_ = wanted;
  }

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace omendb::pgwire
