// PostgreSQL's character encodings and what becomes of text between them and UTF8, which is all that the house itself knows.
// Which character stands for which is iconv(3)'s knowledge; what a byte sequence may look like, and the errors, are PostgreSQL's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::types {

/// Thread: any. Lives as long as the process.
class Encoding {
 public:
  /// By any of its names, in any spelling ("iso-8859-1", "Latin1"). Null: PostgreSQL knows none of that name.
  static const Encoding* find(std::string_view name);

  /// As PostgreSQL writes it: "LATIN1".
  std::string_view name() const { return name_; }
  /// UTF8, and SQL_ASCII, of which PostgreSQL takes the bytes for UTF8.
  bool is_utf8() const { return form_ == Form::kUtf8; }
  /// There is a way to UTF8 and back.
  bool converts() const;

  /// Appends `bytes` as UTF8. Requires converts().
  /// Errors: 22021 for what is no character of this encoding, 22P05 for one that UTF8 has not; what came before it is appended.
  Status to_utf8(std::string_view bytes, std::string* out) const;
  /// Appends valid `text` in this encoding. Requires converts(). Errors: 22P05.
  Status from_utf8(std::string_view text, std::string* out) const;
  /// How many bytes the first character of `bytes` has; 0: more than there are, to judge from these.
  size_t character_bytes(std::string_view bytes) const;

 private:
  enum class Form : uint8_t { kUtf8, kSingle, kEucJp, kEucTw, kEuc, kShiftJis, kTwoBytes, kJohab, kGb18030, kNone };
  struct Table;
  Encoding(const char* name, const char* iconv_name, Form form) : name_(name), iconv_name_(iconv_name), form_(form) {}
  static const Encoding* all(size_t* count);
  size_t width(std::string_view bytes) const;
  bool well_formed(std::string_view character) const;
  bool takes(std::string_view character) const;
  bool gives(char* bytes, size_t size) const;
  const Table& table() const;

  std::string_view name_;
  const char* iconv_name_;
  Form form_;
};

}  // namespace omendb::types
