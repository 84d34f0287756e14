// What a client sends: startup packets, then typed messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "pgwire/buffer.h"
#include "pgwire/client_text.h"

namespace omendb::pgwire {

inline constexpr uint32_t kProtocol3 = 3u << 16;
inline constexpr uint32_t kCancelRequestCode = (1234u << 16) | 5678;
inline constexpr uint32_t kSslRequestCode = (1234u << 16) | 5679;
inline constexpr uint32_t kGssEncRequestCode = (1234u << 16) | 5680;

// PostgreSQL's limits. A length counts its own four bytes; the startup limit does not.
inline constexpr uint32_t kStartupBodyMax = 10000;
inline constexpr uint32_t kSmallMessageMax = 10000;
inline constexpr uint32_t kLargeMessageMax = 0x3FFFFFFE;

/// One typed message. `body` is without the length word.
struct FrontendMessage {
  char type = 0;
  std::string_view body;
};

enum class Decoded {
  kMessage,
  kNeedMore,   // read more bytes first
  kBadLength,  // close without a word
  kBadType,    // FATAL 08P01; FrontendMessage::type is the culprit
};

/// Cuts a byte stream into messages.
///
/// Use:    prepare(), put bytes there, commit(); then call one of the next functions until it wants more.
/// Owns:   its input. A returned body is valid until the next call of prepare().
/// Thread: one at a time.
class FrontendDecoder {
 public:
  /// Room for the next bytes; *capacity at least `at_least`. Grows with what has arrived, not with what was promised.
  char* prepare(size_t at_least, size_t* capacity);
  void commit(size_t n) { end_ += n; }
  void feed(std::string_view bytes);

  /// Startup phase: int32 length, then the body.
  Decoded next_startup(std::string_view* body);
  /// Normal phase.
  Decoded next(FrontendMessage* message);
  /// During COPY FROM STDIN: as next(), but the body of a CopyData may come in pieces, each as it arrives. A type that may not
  /// stand here is kBadType (PostgreSQL looks at the length of the known ones only).
  Decoded next_copy(FrontendMessage* message);

  /// Bytes that arrived and were not taken yet.
  size_t pending() const { return end_ - begin_; }
  /// How many bytes the current message lacks, as far as known; 0: unknown.
  size_t missing() const { return missing_; }
  /// Gives memory back when nothing is pending.
  void release_if_empty();

 private:
  Decoded take(size_t header, uint32_t length, std::string_view* body);
  bool skip_copy_rest();

  Buffer bytes_;  // bytes_.data()[begin_, end_) is pending; its own size is not used
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t missing_ = 0;
  size_t copy_remaining_ = 0;  // of a CopyData that next_copy began
};

/// Reads a body front to back. The first trouble sticks: every later read gives zeros, and status() says 08P01 or 22021.
class BodyReader {
 public:
  /// Strings are decoded by `text`; nullptr: they are UTF8.
  explicit BodyReader(std::string_view body, ClientText* text = nullptr)
      : at_(body.data()), end_(body.data() + body.size()), text_(text) {}
  uint8_t byte();
  int16_t int16();
  /// A count: unsigned.
  uint16_t count() { return static_cast<uint16_t>(int16()); }
  int32_t int32();
  /// `n` raw bytes.
  std::string_view bytes(size_t n);
  /// A zero-terminated string, as valid UTF-8.
  std::string_view string();
  /// What the body should be over by now. Returns status().
  Status finish();
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

 private:
  bool need(size_t n);
  void fail(const char* message);
  const char* at_;
  const char* end_;
  ClientText* text_;
  Status status_;
};

struct StartupPacket {
  uint32_t protocol = 0;
  std::string user, database;
  bool replication = false;
  std::vector<std::pair<std::string, std::string>> settings;  // in order; "options" taken apart, then the rest
  std::vector<std::string> unknown_protocol_options;          // _pq_.*
  Status options_trouble;  // of "options": PostgreSQL reads them after authentication. 42601
  bool negotiate() const { return (protocol & 0xFFFF) != 0 || !unknown_protocol_options.empty(); }
};

/// The body of a startup packet of major version 3 (with its version word). Errors: 08P01, 22023; all are FATAL.
Result<StartupPacket> parse_startup(std::string_view body);

struct ParseMessage {
  std::string_view name, sql;
  std::vector<uint32_t> parameter_types;
};
struct BindMessage {
  bool named = false;  // portal and statement could be read, whatever came after
  struct Parameter {
    bool null = true;
    std::string_view bytes;
  };
  std::string_view portal, statement;
  std::vector<int16_t> parameter_formats;
  std::vector<Parameter> parameters;
  std::vector<int16_t> result_formats;
};
struct ExecuteMessage {
  std::string_view portal;
  int32_t max_rows = 0;
};
/// Close and Describe.
struct TargetMessage {
  char kind = 0;  // 'S' or 'P'; anything else is the caller's to refuse
  std::string_view name;
};

// Errors: 08P01 for a body that is too short, too long, or not terminated; 22021. The out parameter keeps its memory. `text`: the client's encoding, nullptr for UTF8.
Status parse_query(std::string_view body, std::string_view* sql, ClientText* text = nullptr);
Status parse_parse(std::string_view body, ParseMessage* out, ClientText* text = nullptr);
Status parse_bind(std::string_view body, BindMessage* out, ClientText* text = nullptr);
Status parse_execute(std::string_view body, ExecuteMessage* out, ClientText* text = nullptr);
Status parse_target(std::string_view body, TargetMessage* out, ClientText* text = nullptr);

}  // namespace omendb::pgwire
