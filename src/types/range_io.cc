// Ranges as text and on the wire.
#include "types/io_parts.h"
#include "types/range.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

constexpr std::string_view kEmptyWord = "empty";
// The first byte on the wire.
constexpr uint8_t kIsEmpty = 1, kLowerInclusive = 2, kUpperInclusive = 4, kLowerInfinite = 8, kUpperInfinite = 16;

class RangeParser {
 public:
  explicit RangeParser(std::string_view text) : text_(text) {}
  Status parse();

  bool empty = false, lower_inclusive = false, upper_inclusive = false;
  std::optional<std::string> lower, upper;  // nullopt: infinite

 private:
  Status malformed(const char* detail) const {
    return Status(SqlState::kInvalidTextRepresentation, "malformed range literal: \"" + std::string(text_) + "\"")
        .with_detail(detail);
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool ended() const { return at_ == text_.size(); }
  char peek() const { return ended() ? '\0' : text_[at_]; }
  bool at_bound_end() const { return peek() == ',' || peek() == ')' || peek() == ']'; }
  Status bound(std::optional<std::string>* out);

  std::string_view text_;
  size_t at_ = 0;
};

Status RangeParser::bound(std::optional<std::string>* out) {
  if (at_bound_end()) return {};
  std::string value;
  for (bool quoted = false; quoted || !at_bound_end();) {
    if (ended()) return malformed("Unexpected end of input.");
    const char c = text_[at_++];
    if (c == '\\') {
      if (ended()) return malformed("Unexpected end of input.");
      value.push_back(text_[at_++]);
    } else if (c != '"') {
      value.push_back(c);
    } else if (quoted && peek() == '"') {
      value.push_back(text_[at_++]);
    } else {
      quoted = !quoted;
    }
  }
  *out = std::move(value);
  return {};
}

Status RangeParser::parse() {
  skip_space();
  if (equal_ignoring_case(text_.substr(at_, kEmptyWord.size()), kEmptyWord)) {
    at_ += kEmptyWord.size();
    skip_space();
    if (!ended()) return malformed("Junk after \"empty\" key word.");
    empty = true;
    return {};
  }
  if (peek() != '[' && peek() != '(') return malformed("Missing left parenthesis or bracket.");
  lower_inclusive = text_[at_++] == '[';
  RETURN_IF_ERROR(bound(&lower));
  if (peek() != ',') return malformed("Missing comma after lower bound.");
  ++at_;
  RETURN_IF_ERROR(bound(&upper));
  if (peek() != ']' && peek() != ')') return malformed("Too many commas.");
  upper_inclusive = text_[at_++] == ']';
  skip_space();
  if (!ended()) return malformed("Junk after right parenthesis or bracket.");
  return {};
}

void append_bound(const RangeType& type, const RangeBound& bound, const IoContext& context, std::string* out) {
  std::string storage, text;
  output(type.element, physical_type(type.element, -1), bound.value(type.form, &storage), context, &text);
  bool quote = text.empty();
  for (char c : text) {
    quote = quote || c == '"' || c == '\\' || c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || is_space(c);
  }
  if (quote) out->push_back('"');
  for (char c : text) {
    if (c == '"' || c == '\\') out->push_back(c);
    out->push_back(c);
  }
  if (quote) out->push_back('"');
}

Status input_bound(const RangeType& type, const std::optional<std::string>& text, bool inclusive,
                   const IoContext& context, Value* storage, NewBound* out) {
  if (!text) return {};
  RETURN_IF_ERROR(input(type.element, -1, *text, context, storage));
  *out = {.infinite = false, .inclusive = inclusive, .value = storage->view()};
  return {};
}

}  // namespace

Status parse_range(const RangeType& type, std::string_view text, const IoContext& context, std::string* out) {
  RETURN_IF_ERROR(verify_utf8(text));
  RangeParser parser(text);
  RETURN_IF_ERROR(parser.parse());
  if (parser.empty) {
    *out = Range().bytes();
    return {};
  }
  Value from, to;
  NewBound lower, upper;
  RETURN_IF_ERROR(input_bound(type, parser.lower, parser.lower_inclusive, context, &from, &lower));
  RETURN_IF_ERROR(input_bound(type, parser.upper, parser.upper_inclusive, context, &to, &upper));
  return make_range(type, lower, upper, out);
}

void append_range(const RangeType& type, const Range& range, const IoContext& context, std::string* out) {
  if (range.empty) {
    out->append(kEmptyWord);
    return;
  }
  out->push_back(range.lower.inclusive ? '[' : '(');
  if (!range.lower.infinite) append_bound(type, range.lower, context, out);
  out->push_back(',');
  if (!range.upper.infinite) append_bound(type, range.upper, context, out);
  out->push_back(range.upper.inclusive ? ']' : ')');
}

Status receive_range(const RangeType& type, std::string_view bytes, const IoContext& context, std::string* out) {
  const Status too_short(SqlState::kProtocolViolation, "insufficient data left in message");
  if (bytes.empty()) return too_short;
  const auto flags = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  Value from, to;
  NewBound lower, upper;
  auto take = [&](bool infinite, bool inclusive, Value* storage, NewBound* bound) -> Status {
    if ((flags & kIsEmpty) != 0 || infinite) return {};
    if (bytes.size() < 4) return too_short;
    const uint32_t length = load_be32(bytes.data());
    bytes.remove_prefix(4);
    if (bytes.size() < length) return too_short;
    RETURN_IF_ERROR(receive(type.element, -1, bytes.substr(0, length), context, storage));
    bytes.remove_prefix(length);
    *bound = {.infinite = false, .inclusive = inclusive, .value = storage->view()};
    return {};
  };
  RETURN_IF_ERROR(take((flags & kLowerInfinite) != 0, (flags & kLowerInclusive) != 0, &from, &lower));
  RETURN_IF_ERROR(take((flags & kUpperInfinite) != 0, (flags & kUpperInclusive) != 0, &to, &upper));
  if (!bytes.empty()) return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
  if ((flags & kIsEmpty) != 0) {
    *out = Range().bytes();
    return {};
  }
  return make_range(type, lower, upper, out);
}

Status send_range(const RangeType& type, const Range& range, const IoContext& context, std::string* out) {
  uint8_t flags = 0;
  if (range.empty) {
    flags = kIsEmpty;
  } else {
    if (range.lower.inclusive) flags |= kLowerInclusive;
    if (range.upper.inclusive) flags |= kUpperInclusive;
    if (range.lower.infinite) flags |= kLowerInfinite;
    if (range.upper.infinite) flags |= kUpperInfinite;
  }
  out->push_back(static_cast<char>(flags));
  if (range.empty) return {};
  for (const RangeBound* bound : {&range.lower, &range.upper}) {
    if (bound->infinite) continue;
    std::string storage, value;
    RETURN_IF_ERROR(
        send(type.element, physical_type(type.element, -1), bound->value(type.form, &storage), context, &value));
    append_be32(static_cast<uint32_t>(value.size()), out);
    out->append(value);
  }
  return {};
}

}  // namespace omendb::types
