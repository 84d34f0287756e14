#include "types/record.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "types/array.h"
#include "types/compare.h"
#include "types/io_parts.h"
#include "types/numeric.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr size_t kFieldBytes = 16;
constexpr char kVersion = 2;

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || is_space(c)) return true;
  }
  return false;
}

}  // namespace

PhysicalType input_form(Oid type, int32_t typmod, const IoContext& context) {
  while (context.catalog != nullptr && find_type(type) == nullptr && context.catalog->type_kind(type) == 'd') {
    type = context.catalog->base_type(type, &typmod);
  }
  return physical_type(type, typmod);
}

void RecordBuilder::add(Oid type, const PhysicalType& p, const ValueView& v) {
  ++count_;
  if (!v.null) {
    switch (p.kind) {
      case Physical::kBool:
      case Physical::kInt16:
      case Physical::kInt32:
      case Physical::kUInt32:
      case Physical::kInt64: append_raw(v.integer, &data_); break;
      case Physical::kInt128:
      case Physical::kUuid: append_raw(v.wide, &data_); break;
      case Physical::kFloat32:
      case Physical::kFloat64: append_raw(v.real, &data_); break;
      case Physical::kInterval: append_raw(v.interval, &data_); break;
      case Physical::kBytes: data_.append(v.bytes); break;
    }
  }
  append_raw(type.value, &head_);
  head_.push_back(static_cast<char>(p.kind));
  head_.push_back(static_cast<char>(p.precision));
  head_.push_back(static_cast<char>(p.scale));
  head_.push_back(v.null ? 1 : 0);
  append_raw(p.width, &head_);
  append_raw(static_cast<uint32_t>(data_.size()), &head_);
}

void RecordBuilder::add_name(std::string_view name) {
  append_raw(static_cast<uint16_t>(name.size()), &names_);
  names_.append(name);
}

std::string RecordBuilder::finish() {
  std::string out;
  out.push_back(kVersion);
  out.push_back(names_.empty() ? 0 : 1);
  append_raw(count_, &out);
  return out + head_ + data_ + names_;
}

void RecordBuilder::add(const CompositeField& field, const PhysicalType& physical, const ValueView& value) {
  if (value.null || physical == field.physical || !physical.is_decimal()) return add(field.type, field.physical, value);
  const Int128 scaled = physical.kind == Physical::kInt128 ? value.wide : value.integer;
  const std::string bytes = Numeric::from_scaled(scaled, physical.scale).to_bytes();
  add(field.type, field.physical, ValueView::of_bytes(bytes));
}

RecordView::RecordView(std::string_view bytes) : bytes_(bytes) {
  CHECK(bytes.size() >= 4);
  CHECK(bytes[0] == kVersion);
  count_ = load_raw<uint16_t>(bytes.data() + 2);
  CHECK((bytes.size() - 4) / kFieldBytes >= count_);
}
Oid RecordView::type(size_t i) const { return Oid{load_raw<uint32_t>(bytes_.data() + 4 + i * kFieldBytes)}; }
PhysicalType RecordView::physical(size_t i) const {
  const char* p = bytes_.data() + 4 + i * kFieldBytes;
  PhysicalType r;
  r.kind = static_cast<Physical>(p[4]);
  r.precision = static_cast<uint8_t>(p[5]);
  r.scale = static_cast<uint8_t>(p[6]);
  r.width = load_raw<int32_t>(p + 8);
  return r;
}
ValueView RecordView::at(size_t i) const {
  const char* p = bytes_.data() + 4 + i * kFieldBytes;
  if (p[7] != 0) return {};
  uint32_t from = i == 0 ? 0 : load_raw<uint32_t>(p - kFieldBytes + 12);
  auto to = load_raw<uint32_t>(p + 12);
  std::string_view data = bytes_.substr(4 + count_ * kFieldBytes + from, to - from);
  switch (static_cast<Physical>(p[4])) {
    case Physical::kBool:
    case Physical::kInt16:
    case Physical::kInt32:
    case Physical::kUInt32:
    case Physical::kInt64: return ValueView::of_integer(load_raw<int64_t>(data.data()));
    case Physical::kInt128:
    case Physical::kUuid: return ValueView::of_wide(load_raw<Int128>(data.data()));
    case Physical::kFloat32:
    case Physical::kFloat64: return ValueView::of_real(load_raw<double>(data.data()));
    case Physical::kInterval: return ValueView::of_interval(load_raw<Interval>(data.data()));
    case Physical::kBytes: return ValueView::of_bytes(data);
  }
  return {};
}

std::vector<std::string_view> RecordView::names() const {
  std::vector<std::string_view> names;
  if (bytes_[1] == 0) return names;
  const size_t values = count_ == 0 ? 0 : load_raw<uint32_t>(bytes_.data() + 4 + count_ * kFieldBytes - 4);
  size_t at = 4 + count_ * kFieldBytes + values;
  for (size_t i = 0; i < count_; ++i) {
    const auto length = load_raw<uint16_t>(bytes_.data() + at);
    names.push_back(bytes_.substr(at + 2, length));
    at += 2 + length;
  }
  return names;
}

void append_record(std::string_view bytes, const IoContext& context, std::string* out) {
  RecordView r(bytes);
  out->push_back('(');
  std::string text;
  for (size_t i = 0; i < r.size(); ++i) {
    if (i > 0) out->push_back(',');
    ValueView v = r.at(i);
    if (v.null) continue;
    text.clear();
    output(r.type(i), r.physical(i), v, context, &text);
    if (!needs_quotes(text)) {
      out->append(text);
      continue;
    }
    out->push_back('"');
    for (char c : text) {
      if (c == '"' || c == '\\') out->push_back(c);
      out->push_back(c);
    }
    out->push_back('"');
  }
  out->push_back(')');
}

Status send_record(std::string_view bytes, const IoContext& context, std::string* out) {
  RecordView r(bytes);
  append_be32(static_cast<uint32_t>(r.size()), out);
  for (size_t i = 0; i < r.size(); ++i) {
    append_be32(r.type(i).value, out);
    ValueView v = r.at(i);
    if (v.null) {
      append_be32(UINT32_MAX, out);
      continue;
    }
    size_t length_at = out->size();
    append_be32(0, out);
    RETURN_IF_ERROR(send(r.type(i), r.physical(i), v, context, out));
    store_be32(out->data() + length_at, static_cast<uint32_t>(out->size() - length_at - 4));
  }
  return {};
}

Status receive_record(std::span<const CompositeField> fields, std::string_view bytes, const IoContext& context,
                      std::string* out) {
  const auto short_message = [] { return Status(SqlState::kProtocolViolation, "insufficient data left in message"); };
  if (bytes.size() < 4) return short_message();
  const auto count = static_cast<int32_t>(load_be32(bytes.data()));
  if (count < 0 || static_cast<size_t>(count) != fields.size()) {
    return Status(SqlState::kDatatypeMismatch,
                  "wrong number of columns: " + std::to_string(count) + ", expected " + std::to_string(fields.size()));
  }
  size_t at = 4;
  RecordBuilder builder;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string column = "record column " + std::to_string(i + 1);
    if (bytes.size() - at < 4) return short_message();
    const Oid type{load_be32(bytes.data() + at)};
    if (!may_stand_for(type, fields[i].type)) {
      return Status(SqlState::kDatatypeMismatch, "binary data has type " + numbered_name(type, context) +
                                                     " instead of expected " + numbered_name(fields[i].type, context) +
                                                     " in " + column);
    }
    if (bytes.size() - at < 8) return short_message();
    const auto length = static_cast<int32_t>(load_be32(bytes.data() + at + 4));
    at += 8;
    Value value;
    if (length == -1) {
      RETURN_IF_ERROR(input_null(fields[i].type, context));
      builder.add(fields[i].type, fields[i].physical, value.view());
      continue;
    }
    if (length < 0 || bytes.size() - at < static_cast<size_t>(length)) {
      return Status(SqlState::kInvalidBinaryRepresentation, "insufficient data left in message");
    }
    const std::string_view item = bytes.substr(at, static_cast<size_t>(length));
    RETURN_IF_ERROR(part_received(receive(fields[i].type, fields[i].typmod, item, context, &value), column));
    builder.add(fields[i], input_form(fields[i].type, fields[i].typmod, context), value.view());
    at += static_cast<size_t>(length);
  }
  if (at != bytes.size()) return incorrect_binary_format();
  *out = builder.finish();
  return {};
}

Status parse_record(std::span<const CompositeField> fields, std::string_view text, const IoContext& context,
                    std::string* out) {
  auto malformed = [&](const char* detail) {
    return Status(SqlState::kInvalidTextRepresentation, "malformed record literal: \"" + std::string(text) + "\"")
        .with_detail(detail);
  };
  size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  if (at == text.size() || text[at] != '(') return malformed("Missing left parenthesis.");
  ++at;
  RecordBuilder builder;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      if (at >= text.size() || text[at] != ',') return malformed("Too few columns.");
      ++at;
    }
    Value value;
    if (at < text.size() && (text[at] == ',' || text[at] == ')')) {
      RETURN_IF_ERROR(input_null(fields[i].type, context));
      builder.add(fields[i].type, fields[i].physical, value.view());
      continue;
    }
    std::string field;
    bool quoted = false;
    while (quoted || (at < text.size() && text[at] != ',' && text[at] != ')')) {
      if (at >= text.size()) return malformed("Unexpected end of input.");
      char c = text[at++];
      if (c == '\\') {
        if (at >= text.size()) return malformed("Unexpected end of input.");
        field.push_back(text[at++]);
      } else if (c == '"') {
        if (quoted && at < text.size() && text[at] == '"') {
          field.push_back('"');
          ++at;
        } else {
          quoted = !quoted;
        }
      } else {
        field.push_back(c);
      }
    }
    if (at >= text.size()) return malformed("Unexpected end of input.");
    RETURN_IF_ERROR(input(fields[i].type, fields[i].typmod, field, context, &value));
    builder.add(fields[i], input_form(fields[i].type, fields[i].typmod, context), value.view());
  }
  if (at >= text.size() || text[at] != ')') return malformed("Too many columns.");
  ++at;
  while (at < text.size() && is_space(text[at])) ++at;
  if (at != text.size()) return malformed("Junk after right parenthesis.");
  *out = builder.finish();
  return {};
}

namespace {

int64_t take_number(std::string_view* shape) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(shape->data(), shape->data() + shape->size(), value);
  CHECK(error == std::errc());
  shape->remove_prefix(static_cast<size_t>(end - shape->data()));
  return value;
}
char take_char(std::string_view* shape) {
  CHECK(!shape->empty());
  const char c = shape->front();
  shape->remove_prefix(1);
  return c;
}

/// Takes one shape off the front. Without a value there is nothing to do but that.
std::string reshape_part(const ValueView& value, std::string_view* shape) {
  const char kind = take_char(shape);
  if (kind == '=') return value.null ? std::string() : std::string(value.bytes);
  if (kind == '[') {
    const std::string_view element = *shape;
    reshape_part(ValueView(), shape);
    if (value.null) return {};
    const ArrayView array(value.bytes);
    ArrayBuilder builder(array.element_type(), array.physical());
    std::vector<int32_t> lengths, lowers;
    for (int d = 0; d < array.dimensions(); ++d) {
      lengths.push_back(array.length(d));
      lowers.push_back(array.lower(d));
    }
    for (size_t i = 0; i < array.size(); ++i) {
      if (array.is_null(i)) {
        builder.add_null();
        continue;
      }
      builder.add(ValueView::of_bytes(reshape(array.at(i).bytes, element)));
    }
    if (array.size() > 0) builder.set_dimensions(lengths, lowers);
    return builder.finish();
  }
  CHECK(kind == '(');
  std::optional<RecordView> record;
  if (!value.null) record.emplace(value.bytes);
  RecordBuilder builder;
  while (shape->front() != ')') {
    if (shape->front() == '-') {
      take_char(shape);
      const Oid type{static_cast<uint32_t>(take_number(shape))};
      PhysicalType physical;
      CHECK(take_char(shape) == ':');
      physical.kind = static_cast<Physical>(take_number(shape));
      CHECK(take_char(shape) == ':');
      physical.width = static_cast<int32_t>(take_number(shape));
      CHECK(take_char(shape) == ';');
      builder.add(type, physical, ValueView());
      continue;
    }
    const auto i = static_cast<size_t>(take_number(shape));
    const bool changes = shape->front() != '=';
    const ValueView field = record ? record->at(i) : ValueView();
    const std::string changed = reshape_part(changes ? field : ValueView(), shape);
    if (record) {
      builder.add(record->type(i), record->physical(i), changes && !field.null ? ValueView::of_bytes(changed) : field);
    }
  }
  take_char(shape);
  return value.null ? std::string() : builder.finish();
}

}  // namespace

std::string reshape(std::string_view bytes, std::string_view shape) {
  return reshape_part(ValueView::of_bytes(bytes), &shape);
}

int record_compare(std::string_view x, std::string_view y) {
  RecordView a(x), b(y);
  size_t n = std::min(a.size(), b.size());
  for (size_t i = 0; i < n; ++i) {
    ValueView va = a.at(i), vb = b.at(i);
    if (va.null && vb.null) continue;
    if (va.null) return 1;
    if (vb.null) return -1;
    PhysicalType pa = a.physical(i), pb = b.physical(i);
    std::string sa, sb;
    if (a.type(i) == oid::kNumeric && pa != pb) {  // one numeric in two forms
      auto to_bytes = [](PhysicalType* p, ValueView* v, std::string* storage) {
        if (!p->is_decimal()) return;
        *storage = Numeric::from_scaled(p->kind == Physical::kInt128 ? v->wide : v->integer, p->scale).to_bytes();
        *v = ValueView::of_bytes(*storage);
        *p = {Physical::kBytes};
      };
      to_bytes(&pa, &va, &sa);
      to_bytes(&pb, &vb, &sb);
    }
    int c = compare_values(a.type(i), pa, va, vb);
    if (c != 0) return c;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

}  // namespace omendb::types
