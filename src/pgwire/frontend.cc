#include "pgwire/frontend.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "types/utf8.h"

namespace omendb::pgwire {
namespace {

constexpr size_t kHeaderBytes = 5;

// Longest body by message type; 0: no such message.
uint32_t length_max(char type) {
  switch (type) {
    case 'Q':
    case 'F':
    case 'B':
    case 'P':
    case 'd': return kLargeMessageMax;
    case 'X':
    case 'C':
    case 'D':
    case 'E':
    case 'H':
    case 'S':
    case 'c':
    case 'f': return kSmallMessageMax;
    default: return 0;
  }
}

}  // namespace

char* FrontendDecoder::prepare(size_t at_least, size_t* capacity) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (capacity_ - end_ < at_least && begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ < at_least) {
    size_t wanted = std::max<size_t>(end_ + at_least, capacity_ * 2);
    bytes_.truncate(end_);
    bytes_.reserve(wanted - end_);
    capacity_ = wanted;
  }
  *capacity = capacity_ - end_;
  return bytes_.data() + end_;
}

void FrontendDecoder::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  size_t capacity;
  std::memcpy(prepare(bytes.size(), &capacity), bytes.data(), bytes.size());
  commit(bytes.size());
}

void FrontendDecoder::release_if_empty() {
  if (begin_ != end_) return;
  bytes_.release();
  capacity_ = begin_ = end_ = 0;
}

Decoded FrontendDecoder::take(size_t header, uint32_t length, std::string_view* body) {
  size_t whole = header - 4 + length;
  if (pending() < whole) {
    missing_ = whole - pending();
    return Decoded::kNeedMore;
  }
  missing_ = 0;
  *body = {bytes_.data() + begin_ + header, length - 4};
  begin_ += whole;
  return Decoded::kMessage;
}

Decoded FrontendDecoder::next_startup(std::string_view* body) {
  missing_ = 0;
  if (pending() < 4) return Decoded::kNeedMore;
  uint32_t length = load_be32(bytes_.data() + begin_);
  if (length < 8 || length - 4 > kStartupBodyMax) return Decoded::kBadLength;
  return take(4, length, body);
}

bool FrontendDecoder::skip_copy_rest() {
  size_t skipped = std::min(copy_remaining_, pending());
  begin_ += skipped;
  copy_remaining_ -= skipped;
  return copy_remaining_ == 0;
}

Decoded FrontendDecoder::next(FrontendMessage* message) {
  missing_ = 0;
  if (copy_remaining_ > 0 && !skip_copy_rest()) return Decoded::kNeedMore;
  if (pending() < 1) return Decoded::kNeedMore;
  message->type = bytes_.data()[begin_];
  uint32_t max = length_max(message->type);
  if (max == 0) return Decoded::kBadType;
  if (pending() < kHeaderBytes) return Decoded::kNeedMore;
  uint32_t length = load_be32(bytes_.data() + begin_ + 1);
  if (length < 4 || length > max) return Decoded::kBadLength;
  return take(kHeaderBytes, length, &message->body);
}

Decoded FrontendDecoder::next_copy(FrontendMessage* message) {
  missing_ = 0;
  if (copy_remaining_ == 0) {
    if (pending() < 1) return Decoded::kNeedMore;
    message->type = bytes_.data()[begin_];
    switch (message->type) {
      case 'd': break;
      case 'c':
      case 'f':
      case 'H':
      case 'S': return next(message);
      default: return Decoded::kBadType;
    }
    if (pending() < kHeaderBytes) return Decoded::kNeedMore;
    uint32_t length = load_be32(bytes_.data() + begin_ + 1);
    if (length < 4 || length > kLargeMessageMax) return Decoded::kBadLength;
    begin_ += kHeaderBytes;
    copy_remaining_ = length - 4;
    if (copy_remaining_ == 0) {
      message->body = {};
      return Decoded::kMessage;
    }
  }
  size_t piece = std::min(copy_remaining_, pending());
  if (piece == 0) return Decoded::kNeedMore;
  message->type = 'd';
  message->body = {bytes_.data() + begin_, piece};
  begin_ += piece;
  copy_remaining_ -= piece;
  return Decoded::kMessage;
}

void BodyReader::fail(const char* message) {
  if (status_.ok()) status_ = Status(SqlState::kProtocolViolation, message);
  at_ = end_;
}

bool BodyReader::need(size_t n) {
  if (left() >= n) return true;
  fail("insufficient data left in message");
  return false;
}

uint8_t BodyReader::byte() {
  if (left() < 1) {
    fail("no data left in message");
    return 0;
  }
  return static_cast<uint8_t>(*at_++);
}

int16_t BodyReader::int16() {
  if (!need(2)) return 0;
  at_ += 2;
  return static_cast<int16_t>(load_be16(at_ - 2));
}

int32_t BodyReader::int32() {
  if (!need(4)) return 0;
  at_ += 4;
  return static_cast<int32_t>(load_be32(at_ - 4));
}

std::string_view BodyReader::bytes(size_t n) {
  if (!need(n)) return {};
  at_ += n;
  return {at_ - n, n};
}

std::string_view BodyReader::string() {
  const void* zero = left() == 0 ? nullptr : std::memchr(at_, 0, left());
  if (zero == nullptr) {
    fail("invalid string in message");
    return {};
  }
  std::string_view text{at_, static_cast<size_t>(static_cast<const char*>(zero) - at_)};
  at_ += text.size() + 1;
  Status valid;
  if (text_ == nullptr) {
    valid = types::verify_utf8(text);
  } else if (auto decoded = text_->decode(text); decoded.ok()) {
    text = *decoded;
  } else {
    valid = decoded.status();
  }
  if (!valid.ok()) {
    if (status_.ok()) status_ = std::move(valid);
    at_ = end_;
    return {};
  }
  return text;
}

Status BodyReader::finish() {
  if (status_.ok() && at_ != end_) fail("invalid message format");
  return status_;
}

namespace {

// PostgreSQL's pg_split_opts: words parted by white space, a backslash keeps the next character.
std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> words;
  size_t i = 0;
  auto space = [&](size_t at) { return std::isspace(static_cast<unsigned char>(text[at])) != 0; };
  while (true) {
    while (i < text.size() && space(i)) ++i;
    if (i == text.size()) return words;
    std::string word;
    for (; i < text.size() && !space(i); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      word += text[i];
    }
    words.push_back(std::move(word));
  }
}

// "-c name=value", "--name=value": the switches that make sense for a session.
Status parse_options(std::string_view text, std::vector<std::pair<std::string, std::string>>* settings) {
  std::vector<std::string> words = split_options(text);
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    std::string assignment;
    bool long_form = false;
    if (word.starts_with("--")) {
      assignment = word.substr(2);
      long_form = true;
    } else if (word.starts_with("-c")) {
      assignment = word.size() > 2 ? word.substr(2) : i + 1 < words.size() ? words[++i] : "";
    } else {
      return Status(SqlState::kSyntaxError, "invalid command-line argument for server process: " + word)
          .with_hint("Try \"postgres --help\" for more information.");
    }
    size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Status(SqlState::kSyntaxError, (long_form ? "--" : "-c ") + assignment + " requires a value");
    std::string name = assignment.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');  // --enable-seqscan=off
    settings->emplace_back(std::move(name), assignment.substr(equals + 1));
  }
  return {};
}

bool starts_word(std::string_view value, std::string_view word) {
  if (value.empty() || value.size() > word.size()) return false;
  for (size_t i = 0; i < value.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(value[i])) != word[i]) return false;
  return true;
}

Result<bool> parse_replication(std::string_view value) {
  if (value == "database") return true;
  if (value == "1" || starts_word(value, "true") || starts_word(value, "yes")) return true;
  if (value == "0" || starts_word(value, "false") || starts_word(value, "no")) return false;
  if (value.size() >= 2 && starts_word(value, "on")) return true;
  if (value.size() >= 2 && starts_word(value, "off")) return false;
  return Status(SqlState::kInvalidParameterValue,
                "invalid value for parameter \"replication\": \"" + std::string(value) + "\"")
      .with_hint("Valid values are: \"false\", 0, \"true\", 1, \"database\".");
}

constexpr size_t kNameMax = 63;  // NAMEDATALEN - 1

}  // namespace

Result<StartupPacket> parse_startup(std::string_view body) {
  CHECK(body.size() >= 4);
  StartupPacket packet;
  packet.protocol = load_be32(body.data());
  std::string_view options;
  std::vector<std::pair<std::string, std::string>> rest;
  size_t at = 4;
  while (at < body.size() && body[at] != '\0') {
    size_t name_end = body.find('\0', at);
    // The last string may lack its zero: PostgreSQL appends one, and then complains of the missing terminator below.
    size_t value_at = name_end == std::string_view::npos ? body.size() : name_end + 1;
    if (value_at >= body.size()) break;
    size_t value_end = std::min(body.find('\0', value_at), body.size());
    std::string_view name = body.substr(at, name_end - at), value = body.substr(value_at, value_end - value_at);
    if (name == "user") {
      packet.user = value.substr(0, kNameMax);
    } else if (name == "database") {
      packet.database = value.substr(0, kNameMax);
    } else if (name == "options") {
      options = value;
    } else if (name == "replication") {
      ASSIGN_OR_RETURN(packet.replication, parse_replication(value));
    } else if (name.starts_with("_pq_.")) {
      packet.unknown_protocol_options.emplace_back(name);
    } else {
      rest.emplace_back(name, value);
    }
    at = value_end + 1;
  }
  if (at != body.size() - 1)
    return Status(SqlState::kProtocolViolation, "invalid startup packet layout: expected terminator as last byte");
  if (packet.database.empty()) packet.database = packet.user;
  packet.options_trouble = parse_options(options, &packet.settings);
  for (auto& setting : rest) packet.settings.push_back(std::move(setting));
  return packet;
}

Status parse_query(std::string_view body, std::string_view* sql, ClientText* client_text) {
  BodyReader reader(body, client_text);
  *sql = reader.string();
  return reader.finish();
}

Status parse_parse(std::string_view body, ParseMessage* out, ClientText* client_text) {
  BodyReader reader(body, client_text);
  out->name = reader.string();
  out->sql = reader.string();
  const int count = reader.count();
  out->parameter_types.clear();
  for (int i = 0; i < count && reader.ok(); ++i) out->parameter_types.push_back(static_cast<uint32_t>(reader.int32()));
  return reader.finish();
}

Status parse_bind(std::string_view body, BindMessage* out, ClientText* client_text) {
  BodyReader reader(body, client_text);
  out->portal = reader.string();
  out->statement = reader.string();
  out->named = reader.ok();
  out->parameter_formats.clear();
  out->parameters.clear();
  out->result_formats.clear();
  const int formats = reader.count();
  for (int i = 0; i < formats && reader.ok(); ++i) out->parameter_formats.push_back(reader.int16());
  const int parameters = reader.count();
  for (int i = 0; i < parameters && reader.ok(); ++i) {
    int32_t length = reader.int32();
    BindMessage::Parameter parameter;
    if (length != -1) {
      parameter.null = false;
      parameter.bytes = reader.bytes(static_cast<uint32_t>(length));
      if (!reader.ok()) return Status(reader.status()).with_context("parameter $" + std::to_string(i + 1));
    }
    out->parameters.push_back(parameter);
  }
  const int results = reader.count();
  for (int i = 0; i < results && reader.ok(); ++i) out->result_formats.push_back(reader.int16());
  return reader.finish();
}

Status parse_execute(std::string_view body, ExecuteMessage* out, ClientText* client_text) {
  BodyReader reader(body, client_text);
  out->portal = reader.string();
  out->max_rows = reader.int32();
  return reader.finish();
}

Status parse_target(std::string_view body, TargetMessage* out, ClientText* client_text) {
  BodyReader reader(body, client_text);
  out->kind = static_cast<char>(reader.byte());
  out->name = reader.string();
  return reader.finish();
}

}  // namespace omendb::pgwire
