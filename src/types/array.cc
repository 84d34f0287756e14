// Array bytes, input and output.
#include "types/array.h"

#include <algorithm>
#include <cstring>

#include "types/fixed_width.h"
#include "types/geometry.h"
#include "types/io_parts.h"
#include "types/numeric.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
// ---- ArrayView ----

int32_t ArrayView::read_int(size_t at) const { return load_raw<int32_t>(bytes_.data() + at); }

ArrayView::ArrayView(std::string_view bytes) : bytes_(bytes) {
  CHECK(bytes.size() >= 12);
  CHECK(bytes[0] == 1);
  dimensions_ = bytes[1];
  physical_.kind = static_cast<Physical>(bytes[2]);
  nulls_ = bytes[3] != 0;
  element_ = Oid{static_cast<uint32_t>(read_int(4))};
  physical_.width = read_int(8);
  size_t at = 12 + 8 * static_cast<size_t>(dimensions_);
  CHECK(bytes.size() >= at);
  size_ = dimensions_ > 0 ? 1 : 0;
  for (int d = 0; d < dimensions_; ++d) size_ *= static_cast<size_t>(length(d));
  bitmap_ = at;
  if (nulls_) at += (size_ + 7) / 8;
  data_ = at;
  width_ = fixed_width(physical_.kind);
}

bool ArrayView::is_valid(std::string_view b) {
  if (b.size() < 12 || b[0] != 1 || b[1] < 0 || b[1] > kArrayDimensionsMax || b[2] < 0 ||
      b[2] > static_cast<char>(Physical::kBytes) || b[3] < 0 || b[3] > 1) {
    return false;
  }
  size_t at = 12 + 8 * static_cast<size_t>(b[1]);
  if (b.size() < at) return false;
  uint64_t n = b[1] > 0 ? 1 : 0;
  for (int d = 0; d < b[1]; ++d) {
    auto length = load_raw<int32_t>(b.data() + 12 + 8 * d);
    if (length < 1) return false;
    n *= static_cast<uint64_t>(length);
    if (n > static_cast<uint64_t>(kArrayElementsMax)) return false;
  }
  if (b[3] != 0) at += (n + 7) / 8;
  size_t width = fixed_width(static_cast<Physical>(b[2]));
  if (width > 0) return b.size() == at + n * width;
  if (b.size() < at + 4 * n) return false;
  uint32_t last = 0;
  for (size_t i = 0; i < n; ++i) {
    auto end = load_raw<uint32_t>(b.data() + at + 4 * i);
    if (end < last) return false;
    last = end;
  }
  return b.size() == at + 4 * n + last;
}

ValueView ArrayView::at(size_t i) const {
  if (is_null(i)) return {};
  if (physical_.kind != Physical::kBytes) return load_fixed(physical_.kind, bytes_.data() + data_ + i * width_);
  const char* ends = bytes_.data() + data_;
  uint32_t from = i == 0 ? 0 : load_raw<uint32_t>(ends + 4 * (i - 1));
  auto to = load_raw<uint32_t>(ends + 4 * i);
  return ValueView::of_bytes({ends + 4 * size_ + from, to - from});
}

bool ArrayView::find(std::span<const int32_t> subscripts, size_t* position) const {
  if (static_cast<int>(subscripts.size()) != dimensions_ || dimensions_ == 0) return false;
  size_t at = 0;
  for (int d = 0; d < dimensions_; ++d) {
    int64_t i = static_cast<int64_t>(subscripts[static_cast<size_t>(d)]) - lower(d);
    if (i < 0 || i >= length(d)) return false;
    at = at * static_cast<size_t>(length(d)) + static_cast<size_t>(i);
  }
  *position = at;
  return true;
}

// ---- ArrayBuilder ----

ArrayBuilder::ArrayBuilder(Oid element, const PhysicalType& physical)
    : element_(element), from_(physical), kind_(physical.is_decimal() ? Physical::kBytes : physical.kind) {
  width_ = std::max(physical.width, 0);
}

void ArrayBuilder::add(const ValueView& v) {
  null_.push_back(v.null);
  null_count_ += v.null;
  ++count_;
  size_t width = fixed_width(kind_);
  if (v.null) {
    data_.append(width, '\0');
  } else if (from_.is_decimal()) {
    Numeric::from_scaled(from_.kind == Physical::kInt128 ? v.wide : v.integer, from_.scale).append_bytes(&data_);
  } else if (kind_ == Physical::kBytes) {
    data_.append(v.bytes);
  } else {
    data_.resize(data_.size() + width);
    store_fixed(kind_, v, data_.data() + data_.size() - width);
  }
  if (kind_ == Physical::kBytes) ends_.push_back(static_cast<uint32_t>(data_.size()));
}

void ArrayBuilder::set_dimensions(std::span<const int32_t> lengths, std::span<const int32_t> lowers) {
  lengths_.assign(lengths.begin(), lengths.end());
  lowers_.assign(lowers.begin(), lowers.end());
}

std::string ArrayBuilder::finish() {
  if (lengths_.empty() && count_ > 0) {
    lengths_ = {static_cast<int32_t>(count_)};
    lowers_ = {1};
  }
  if (count_ == 0) {
    lengths_.clear();
    lowers_.clear();
  }
  std::string out;
  out.reserve(12 + 8 * lengths_.size() + count_ / 8 + 1 + ends_.size() * 4 + data_.size());
  out.push_back(1);
  out.push_back(static_cast<char>(lengths_.size()));
  out.push_back(static_cast<char>(kind_));
  out.push_back(null_count_ > 0 ? 1 : 0);
  append_raw(element_.value, &out);
  append_raw(width_, &out);
  size_t product = lengths_.empty() ? 0 : 1;
  for (size_t d = 0; d < lengths_.size(); ++d) {
    append_raw(lengths_[d], &out);
    append_raw(lowers_[d], &out);
    product *= static_cast<size_t>(lengths_[d]);
  }
  CHECK(product == count_);
  if (null_count_ > 0) {
    size_t at = out.size();
    out.append((count_ + 7) / 8, '\0');
    for (size_t i = 0; i < count_; ++i) {
      if (!null_[i]) out[at + i / 8] = static_cast<char>(out[at + i / 8] | (1 << (i % 8)));
    }
  }
  for (uint32_t end : ends_) append_raw(end, &out);
  out.append(data_);
  return out;
}

std::string empty_array(Oid element) { return ArrayBuilder(element, physical_type(element, -1)).finish(); }

// ---- text ----

namespace {

PhysicalType element_physical(Oid element, int32_t typmod, const IoContext& context) {
  PhysicalType p = physical_type(element, typmod);
  if (find_type(element) == nullptr && context.catalog != nullptr) {
    char kind = context.catalog->type_kind(element);
    if (kind == 'e') p.kind = Physical::kFloat32;
    if (kind == 'd') {
      const DomainBase base(element, context);
      return element_physical(base.type, base.typmod, context);
    }
  }
  return p;
}

/// pg_type.typdelim: boxes have commas of their own.
char delimiter_of(Oid element) { return element == oid::kBox ? ';' : ','; }

class ArrayParser {
 public:
  ArrayParser(Oid element, int32_t typmod, std::string_view text, const IoContext& context)
      : element_(element),
        typmod_(typmod),
        s_(text),
        context_(context),
        builder_(element, element_physical(element, typmod, context)) {}

  Status parse(std::string* out);

 private:
  Status malformed(std::string detail) {
    return Status(SqlState::kInvalidTextRepresentation, "malformed array literal: \"" + std::string(s_) + "\"")
        .with_detail(std::move(detail));
  }
  void skip_space() {
    while (at_ < s_.size() && is_space(s_[at_])) ++at_;
  }
  char peek() const { return at_ < s_.size() ? s_[at_] : '\0'; }
  Status bounds();
  Status level(int depth);
  Status element(int depth);

  Oid element_;
  int32_t typmod_;
  std::string_view s_;
  const IoContext& context_;
  ArrayBuilder builder_;
  size_t at_ = 0;
  std::vector<int32_t> lengths_, lowers_;
  bool explicit_ = false, escaped_ = false;
  int leaf_depth_ = -1;                      // depth at which elements lie
  int32_t counts_[kArrayDimensionsMax + 1];  // of each depth, -1 unknown
};

Status ArrayParser::bounds() {
  while (peek() == '[') {
    ++at_;
    if (lengths_.size() >= static_cast<size_t>(kArrayDimensionsMax)) {
      return Status(
          SqlState::kProgramLimitExceeded,
          "number of array dimensions (" + std::to_string(lengths_.size() + 1) + ") exceeds the maximum allowed (6)");
    }
    auto number = [&](int32_t* v) {
      size_t start = at_;
      if (peek() == '-' || peek() == '+') ++at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      return at_ > start && parse_int4(s_.substr(start, at_ - start), v).ok();
    };
    int32_t lower = 1, upper = 0;
    if (!number(&upper)) return malformed("\"[\" must introduce explicitly-specified array dimensions.");
    if (peek() == ':') {
      ++at_;
      lower = upper;
      if (!number(&upper)) return malformed("Missing array dimension value.");
    }
    if (peek() != ']') return malformed("Missing \"]\" after array dimensions.");
    ++at_;
    if (upper < lower) return Status(SqlState::kArraySubscriptError, "upper bound cannot be less than lower bound");
    int64_t length = static_cast<int64_t>(upper) - lower + 1;
    if (length > kArrayElementsMax) {
      return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
    }
    lengths_.push_back(static_cast<int32_t>(length));
    lowers_.push_back(lower);
    skip_space();
  }
  return {};
}

Status ArrayParser::element(int depth) {
  escaped_ = false;
  if (leaf_depth_ < 0) leaf_depth_ = depth;
  if (leaf_depth_ != depth) return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
  std::string text;
  bool quoted = false;
  size_t keep = 0;  // unquoted trailing space beyond this is dropped
  for (;; ++at_) {
    if (at_ >= s_.size()) return malformed("Unexpected end of input.");
    char c = s_[at_];
    if (c == '"') {
      if (quoted || !trim_space(text).empty()) return malformed("Unexpected array element.");
      text.clear();
      quoted = true;
      for (++at_;; ++at_) {
        if (at_ >= s_.size()) return malformed("Unexpected end of input.");
        if (s_[at_] == '"') break;
        if (s_[at_] == '\\' && ++at_ >= s_.size()) return malformed("Unexpected end of input.");
        text.push_back(s_[at_]);
      }
      keep = text.size();
      continue;
    }
    if (c == delimiter_of(element_) || c == '}') break;
    if (c == '{') return malformed("Unexpected \"{\" character.");
    if (quoted) {
      if (!is_space(c)) return malformed("Unexpected array element.");
      continue;
    }
    if (c == '\\') {
      if (++at_ >= s_.size()) return malformed("Unexpected end of input.");
      text.push_back(s_[at_]);
      keep = text.size();
      quoted = false;
      escaped_ = true;
      continue;
    }
    text.push_back(c);
    if (!is_space(c)) keep = text.size();
  }
  text.resize(keep);
  if (!quoted && text.empty()) return malformed("Unexpected \"" + std::string(1, peek()) + "\" character.");
  if (!quoted && !escaped_ && equal_ignoring_case(text, "null")) {
    builder_.add_null();
    return input_null(element_, context_);
  }
  escaped_ = false;
  Value value;
  RETURN_IF_ERROR(input_element(element_, typmod_, text, context_, &value));
  builder_.add(value.view());
  return {};
}

// At a '{'. Reads one brace level.
Status ArrayParser::level(int depth) {
  if (depth >= kArrayDimensionsMax) {
    return Status(SqlState::kProgramLimitExceeded,
                  "number of array dimensions (" + std::to_string(depth + 1) + ") exceeds the maximum allowed (6)");
  }
  ++at_;
  int32_t count = 0;
  skip_space();
  if (peek() == '}') {
    if (depth > 0) return malformed("Unexpected \"}\" character.");
    ++at_;
  } else {
    for (;;) {
      skip_space();
      if (at_ >= s_.size()) return malformed("Unexpected end of input.");
      if (peek() == '{') {
        if (leaf_depth_ >= 0 && leaf_depth_ <= depth) {
          return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
        }
        RETURN_IF_ERROR(level(depth + 1));
      } else {
        RETURN_IF_ERROR(element(depth));
      }
      ++count;
      skip_space();
      if (at_ >= s_.size()) return malformed("Unexpected end of input.");
      if (peek() == delimiter_of(element_)) {
        ++at_;
        continue;
      }
      if (peek() == '}') {
        ++at_;
        break;
      }
      return malformed("Unexpected array element.");
    }
  }
  if (counts_[depth] >= 0 && counts_[depth] != count) {
    return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
  }
  counts_[depth] = count;
  return {};
}

Status ArrayParser::parse(std::string* out) {
  for (int32_t& c : counts_) c = -1;
  skip_space();
  RETURN_IF_ERROR(bounds());
  explicit_ = !lengths_.empty();
  if (explicit_) {
    if (peek() != '=') return malformed("Missing \"=\" after array dimensions.");
    ++at_;
    skip_space();
    if (peek() != '{') return malformed("Array contents must start with \"{\".");
  } else if (peek() != '{') {
    return malformed("Array value must start with \"{\" or dimension information.");
  }
  RETURN_IF_ERROR(level(0));
  skip_space();
  if (at_ != s_.size()) return malformed("Junk after closing right brace.");
  std::vector<int32_t> lengths;
  for (int d = 0; d <= kArrayDimensionsMax - 1 && counts_[d] >= 0; ++d) lengths.push_back(counts_[d]);
  if (builder_.size() == 0) lengths.clear();
  if (explicit_) {
    if (lengths != lengths_) return malformed("Specified array dimensions do not match array contents.");
  } else {
    lowers_.assign(lengths.size(), 1);
  }
  if (static_cast<int64_t>(builder_.size()) > kArrayElementsMax) {
    return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
  }
  builder_.set_dimensions(lengths, lowers_);
  *out = builder_.finish();
  return {};
}

bool needs_quotes(std::string_view text, char delimiter) {
  if (text.empty() || equal_ignoring_case(text, "null")) return true;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c)) return true;
  }
  return false;
}

}  // namespace

Status input_element(Oid element, int32_t typmod, std::string_view text, const IoContext& context, Value* out) {
  RETURN_IF_ERROR(input(element, typmod, text, context, out));
  if (element != oid::kBpchar) return {};
  std::string padded(typmod >= 4 ? out->view().bytes : text);
  for (size_t n = utf8_count(padded); typmod >= 4 && n < static_cast<size_t>(typmod - 4); ++n) padded += ' ';
  *out = Value::of_bytes(std::move(padded));
  return {};
}

Status check_elements(Oid element, std::string_view bytes, const IoContext& context) {
  if (!is_domain(element, context)) return {};
  const ArrayView array(bytes);
  for (size_t i = 0; i < array.size(); ++i) {
    const ValueView value = array.is_null(i) ? ValueView() : array.at(i);
    RETURN_IF_ERROR(context.catalog->check_domain(element, array.physical(), value));
  }
  return {};
}

Status parse_array(Oid element, int32_t typmod, std::string_view text, const IoContext& context, std::string* out) {
  return ArrayParser(element, typmod, text, context).parse(out);
}

void append_array(std::string_view bytes, const IoContext& context, std::string* out) {
  ArrayView a(bytes);
  if (a.size() == 0) {
    out->append("{}");
    return;
  }
  bool shifted = false;
  for (int d = 0; d < a.dimensions(); ++d) shifted = shifted || a.lower(d) != 1;
  if (shifted) {
    out->append(array_dims(bytes));
    out->push_back('=');
  }
  // Braces open before the first element of a run and close after its last.
  size_t run[kArrayDimensionsMax];
  size_t product = 1;
  for (int d = a.dimensions() - 1; d >= 0; --d) {
    product *= static_cast<size_t>(a.length(d));
    run[d] = product;
  }
  const char delimiter = delimiter_of(a.element_type());
  std::string text;
  for (size_t i = 0; i < a.size(); ++i) {
    if (i > 0) out->push_back(delimiter);
    for (int d = 0; d < a.dimensions(); ++d) {
      if (i % run[d] == 0) out->push_back('{');
    }
    if (a.is_null(i)) {
      out->append("NULL");
    } else {
      text.clear();
      output(a.element_type(), a.physical(), a.at(i), context, &text);
      if (needs_quotes(text, delimiter)) {
        out->push_back('"');
        for (char c : text) {
          if (c == '"' || c == '\\') out->push_back('\\');
          out->push_back(c);
        }
        out->push_back('"');
      } else {
        out->append(text);
      }
    }
    for (int d = 0; d < a.dimensions(); ++d) {
      if ((i + 1) % run[d] == 0) out->push_back('}');
    }
  }
}

std::string array_dims(std::string_view bytes) {
  ArrayView a(bytes);
  std::string out;
  for (int d = 0; d < a.dimensions(); ++d) {
    out.push_back('[');
    append_int64(a.lower(d), &out);
    out.push_back(':');
    append_int64(a.upper(d), &out);
    out.push_back(']');
  }
  return out;
}

Status parse_vector(Oid element, std::string_view text, std::string* out) {
  ArrayBuilder b(element, physical_type(element, -1));
  IoContext plain;
  size_t at = 0;
  for (;;) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) break;
    size_t start = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    Value v;
    RETURN_IF_ERROR(input(element, -1, text.substr(start, at - start), plain, &v));
    b.add(v.view());
  }
  auto n = static_cast<int32_t>(b.size());
  int32_t zero = 0;
  if (n > 0) b.set_dimensions({&n, 1}, {&zero, 1});
  *out = b.finish();
  return {};
}

void append_vector(std::string_view bytes, std::string* out) {
  ArrayView a(bytes);
  for (size_t i = 0; i < a.size(); ++i) {
    if (i > 0) out->push_back(' ');
    append_int64(a.at(i).integer, out);
  }
}

// ---- binary ----

Status receive_array(Oid element, int32_t typmod, std::string_view bytes, const IoContext& context, std::string* out) {
  auto bad = [](const char* text) { return Status(SqlState::kInvalidBinaryRepresentation, text); };
  auto short_message = [] { return Status(SqlState::kProtocolViolation, "insufficient data left in message"); };
  if (bytes.size() < 12) return short_message();
  auto dimensions = static_cast<int32_t>(load_be32(bytes.data()));
  auto flags = static_cast<int32_t>(load_be32(bytes.data() + 4));
  Oid type{load_be32(bytes.data() + 8)};
  if (dimensions < 0) return bad(("invalid number of dimensions: " + std::to_string(dimensions)).c_str());
  if (dimensions > kArrayDimensionsMax) {
    return Status(SqlState::kProgramLimitExceeded,
                  "number of array dimensions (" + std::to_string(dimensions) + ") exceeds the maximum allowed (6)");
  }
  if (flags != 0 && flags != 1) return bad("invalid array flags");
  if (!may_stand_for(type, element)) {
    return Status(SqlState::kDatatypeMismatch, "binary data has array element type " + numbered_name(type, context) +
                                                   " instead of expected " + numbered_name(element, context));
  }
  size_t at = 12;
  std::vector<int32_t> lengths, lowers;
  int64_t count = dimensions > 0 ? 1 : 0;
  for (int d = 0; d < dimensions; ++d) {
    if (bytes.size() < at + 8) return short_message();
    auto length = static_cast<int32_t>(load_be32(bytes.data() + at));
    auto lower = static_cast<int32_t>(load_be32(bytes.data() + at + 4));
    if (length < 0 || static_cast<int64_t>(lower) + length > INT32_MAX) {
      return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
    }
    count *= length;
    if (count > kArrayElementsMax) {
      return Status(SqlState::kProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)");
    }
    lengths.push_back(length);
    lowers.push_back(lower);
    at += 8;
  }
  ArrayBuilder builder(element, element_physical(element, typmod, context));
  for (int64_t i = 0; i < count; ++i) {
    if (bytes.size() < at + 4) return short_message();
    auto length = static_cast<int32_t>(load_be32(bytes.data() + at));
    at += 4;
    if (length == -1) {
      RETURN_IF_ERROR(input_null(element, context));
      builder.add_null();
      continue;
    }
    if (length < 0 || bytes.size() - at < static_cast<size_t>(length)) return bad("insufficient data left in message");
    Value value;
    const std::string_view item = bytes.substr(at, static_cast<size_t>(length));
    RETURN_IF_ERROR(part_received(element == oid::kBpchar ? input_element(element, typmod, item, context, &value)
                                                          : receive(element, typmod, item, context, &value),
                                  "array element " + std::to_string(i + 1)));
    builder.add(value.view());
    at += static_cast<size_t>(length);
  }
  if (at != bytes.size()) return incorrect_binary_format();
  if (count > 0) builder.set_dimensions(lengths, lowers);
  *out = builder.finish();
  return {};
}

Status send_array(std::string_view bytes, const IoContext& context, std::string* out) {
  ArrayView a(bytes);
  append_be32(static_cast<uint32_t>(a.dimensions()), out);
  append_be32(a.has_nulls() ? 1 : 0, out);
  append_be32(a.element_type().value, out);
  for (int d = 0; d < a.dimensions(); ++d) {
    append_be32(static_cast<uint32_t>(a.length(d)), out);
    append_be32(static_cast<uint32_t>(a.lower(d)), out);
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.is_null(i)) {
      append_be32(UINT32_MAX, out);
      continue;
    }
    size_t length_at = out->size();
    append_be32(0, out);
    RETURN_IF_ERROR(send(a.element_type(), a.physical(), a.at(i), context, out));
    store_be32(out->data() + length_at, static_cast<uint32_t>(out->size() - length_at - 4));
  }
  return {};
}

}  // namespace omendb::types
