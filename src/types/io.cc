#include "types/io.h"

#include <cstring>

#include "types/io_parts.h"
#include "types/numeric.h"
#include "types/record.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

constexpr size_t kNameBytesMax = 63;

bool is_reg_type(Oid type) {
  switch (type.value) {
    case oid::kRegproc.value:
    case oid::kRegprocedure.value:
    case oid::kRegoper.value:
    case oid::kRegoperator.value:
    case oid::kRegclass.value:
    case oid::kRegtype.value:
    case oid::kRegnamespace.value:
    case oid::kRegrole.value:
    case oid::kRegcollation.value:
    case oid::kRegconfig.value:
    case oid::kRegdictionary.value: return true;
    default: return false;
  }
}

std::string type_label(Oid type, const IoContext& context) {
  if (const TypeInfo* info = find_type(type)) return std::string(info->name);
  if (context.catalog != nullptr) {
    if (auto name = context.catalog->type_name(type)) return *name;
  }
  return std::to_string(type.value);
}

Status numeric_value(Numeric n, int32_t typmod, Value* out) {
  RETURN_IF_ERROR(n.apply_typmod(typmod));
  PhysicalType physical = physical_type(oid::kNumeric, typmod);
  if (!physical.is_decimal()) {
    *out = Value::of_bytes(n.to_bytes());
    return {};
  }
  Int128 scaled;
  if (!n.to_scaled(physical.scale, &scaled)) {
    return Status(SqlState::kFeatureNotSupported, "NaN in a numeric of given precision is not supported");
  }
  *out = Value(physical.kind == Physical::kInt128 ? ValueView::of_wide(scaled)
                                                  : ValueView::of_integer(static_cast<int64_t>(scaled)));
  return {};
}

Numeric numeric_of(const PhysicalType& physical, const ValueView& value) {
  if (physical.kind == Physical::kBytes) return Numeric::from_bytes(value.bytes);
  return Numeric::from_scaled(physical.kind == Physical::kInt128 ? value.wide : value.integer, physical.scale);
}

Status input_reg(Oid type, std::string_view text, const IoContext& context, Value* out) {
  if (text == "-") {
    *out = Value(ValueView::of_integer(0));
    return {};
  }
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    uint32_t number = 0;
    RETURN_IF_ERROR(parse_unsigned("oid", text, &number));
    *out = Value(ValueView::of_integer(number));
    return {};
  }
  if (context.catalog == nullptr) {
    if (type == oid::kRegtype) {
      if (const TypeInfo* info = find_type(text)) {
        *out = Value(ValueView::of_integer(info->oid.value));
        return {};
      }
    }
    return Status(SqlState::kUndefinedObject, "\"" + std::string(text) + "\" does not exist");
  }
  ASSIGN_OR_RETURN(Oid found, context.catalog->object_oid(type, text));
  *out = Value(ValueView::of_integer(found.value));
  return {};
}

Status input_enum(Oid type, std::string_view text, const IoContext& context, Value* out) {
  RETURN_IF_ERROR(verify_utf8(text));
  if (auto place = context.catalog->enum_sort_order(type, text)) {
    *out = Value(ValueView::of_real(*place));
    return {};
  }
  return Status(SqlState::kInvalidTextRepresentation,
                "invalid input value for enum " + type_label(type, context) + ": \"" + std::string(text) + "\"");
}

Status input_tid(std::string_view text, Value* out) {
  std::string_view s = trim_space(text);
  uint32_t block = 0, offset = 0;
  size_t comma = s.find(',');
  if (s.size() < 5 || s.front() != '(' || s.back() != ')' || comma == std::string_view::npos ||
      !parse_unsigned("tid", s.substr(1, comma - 1), &block).ok() ||
      !parse_unsigned("tid", s.substr(comma + 1, s.size() - comma - 2), &offset).ok() || offset > 65535) {
    return invalid_syntax("tid", text);
  }
  std::string bytes;
  append_be32(block, &bytes);
  append_be16(static_cast<uint16_t>(offset), &bytes);
  *out = Value::of_bytes(std::move(bytes));
  return {};
}

Status input_lsn(std::string_view text, Value* out) {
  size_t slash = text.find('/');
  auto hex = [&](std::string_view part, uint64_t* v) {
    *v = 0;
    if (part.empty() || part.size() > 8) return false;
    for (char c : part) {
      int d = c >= '0' && c <= '9'                             ? c - '0'
              : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10
                                                               : -1;
      if (d < 0) return false;
      *v = *v << 4 | static_cast<uint64_t>(d);
    }
    return true;
  };
  uint64_t high = 0, low = 0;
  if (slash == std::string_view::npos || !hex(text.substr(0, slash), &high) || !hex(text.substr(slash + 1), &low)) {
    return invalid_syntax("pg_lsn", text);
  }
  *out = Value(ValueView::of_integer(static_cast<int64_t>(high << 32 | low)));
  return {};
}

Status input_single_char(std::string_view text, Value* out) {
  std::string bytes;
  if (text.size() == 4 && text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7' &&
      text[3] >= '0' && text[3] <= '7') {
    bytes.push_back(static_cast<char>((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')));
  } else if (!text.empty()) {
    bytes.push_back(text[0]);
  }
  *out = Value::of_bytes(std::move(bytes));
  return {};
}

void output_single_char(std::string_view bytes, std::string* out) {
  if (bytes.empty() || bytes[0] == '\0') return;
  auto c = static_cast<unsigned char>(bytes[0]);
  if (c < 0x80) {
    out->push_back(bytes[0]);
    return;
  }
  out->push_back('\\');
  out->push_back(static_cast<char>('0' + (c >> 6)));
  out->push_back(static_cast<char>('0' + ((c >> 3) & 7)));
  out->push_back(static_cast<char>('0' + (c & 7)));
}

void append_lsn(uint64_t lsn, std::string* out) {
  char text[32];
  int n = std::snprintf(text, sizeof(text), "%X/%X", static_cast<unsigned>(lsn >> 32), static_cast<unsigned>(lsn));
  out->append(text, static_cast<size_t>(n));
}

Status bounded_text(Oid type, int32_t typmod, std::string_view text, Value* out) {
  RETURN_IF_ERROR(verify_utf8(text));
  if (type == oid::kName) {
    *out = Value(ValueView::of_bytes(utf8_clip(text, kNameBytesMax)));
    return {};
  }
  if (typmod < 4 && type != oid::kBpchar) {
    *out = Value(ValueView::of_bytes(text));
    return {};
  }
  std::string kept;
  RETURN_IF_ERROR(apply_length(type, typmod, text, false, &kept));
  *out = Value::of_bytes(std::move(kept));
  return {};
}

}  // namespace

Status apply_length(Oid type, int32_t typmod, std::string_view text, bool explicit_cast, std::string* out) {
  if (typmod >= 4 && (type == oid::kVarchar || type == oid::kBpchar)) {
    auto limit = static_cast<size_t>(typmod - 4);
    if (text.size() > limit) {
      size_t cut = utf8_offset(text, limit);
      if (cut < text.size()) {
        if (!explicit_cast && text.find_first_not_of(' ', cut) != std::string_view::npos) {
          return Status(SqlState::kStringDataRightTruncation, std::string("value too long for type character") +
                                                                  (type == oid::kVarchar ? " varying(" : "(") +
                                                                  std::to_string(limit) + ")");
        }
        text = text.substr(0, cut);
      }
    }
  }
  if (type == oid::kBpchar) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  }
  out->assign(text);
  return {};
}

Status input_null(Oid type, const IoContext& context) {
  if (!is_domain(type, context)) return {};
  return context.catalog->check_domain(type, DomainBase(type, context).physical(), ValueView());
}

Status input(Oid type, int32_t typmod, std::string_view text, const IoContext& context, Value* out) {
  switch (type.value) {
    case oid::kInt4.value: {
      int32_t v = 0;
      RETURN_IF_ERROR(parse_int4(text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kInt8.value: {
      int64_t v = 0;
      RETURN_IF_ERROR(parse_int8(text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kInt2.value: {
      int16_t v = 0;
      RETURN_IF_ERROR(parse_int2(text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kText.value:
    case oid::kVarchar.value:
    case oid::kBpchar.value:
    case oid::kName.value:
    case oid::kUnknown.value:
    case oid::kCstring.value:
    case oid::kRefcursor.value: return bounded_text(type, typmod, text, out);
    case oid::kBool.value: {
      bool v = false;
      RETURN_IF_ERROR(parse_bool(text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kFloat8.value: {
      double v = 0;
      RETURN_IF_ERROR(parse_float8(text, &v));
      *out = Value(ValueView::of_real(v));
      return {};
    }
    case oid::kFloat4.value: {
      float v = 0;
      RETURN_IF_ERROR(parse_float4(text, &v));
      *out = Value(ValueView::of_real(v));
      return {};
    }
    case oid::kNumeric.value: {
      Numeric n;
      RETURN_IF_ERROR(Numeric::parse(text, &n));
      return numeric_value(std::move(n), typmod, out);
    }
    case oid::kOid.value:
    case oid::kXid.value:
    case oid::kCid.value: {
      uint32_t v = 0;
      RETURN_IF_ERROR(parse_unsigned(find_type(type)->name, text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kXid8.value: {
      Numeric n;
      Int128 v = 0;
      if (!Numeric::parse(text, &n).ok() || !n.is_integer()) return invalid_syntax("xid8", text);
      if (!n.to_scaled(0, &v) || v < 0 || v > static_cast<Int128>(UINT64_MAX)) return value_out_of_range("xid8", text);
      *out = Value(ValueView::of_integer(static_cast<int64_t>(static_cast<uint64_t>(v))));
      return {};
    }
    case oid::kBytea.value: {
      std::string bytes;
      RETURN_IF_ERROR(parse_bytea(text, &bytes));
      *out = Value::of_bytes(std::move(bytes));
      return {};
    }
    case oid::kUuid.value: {
      Int128 v = 0;
      RETURN_IF_ERROR(parse_uuid(text, &v));
      *out = Value(ValueView::of_wide(v));
      return {};
    }
    case oid::kChar.value: return input_single_char(text, out);
    case oid::kTid.value: return input_tid(text, out);
    case oid::kPgLsn.value: return input_lsn(text, out);
    case oid::kVoid.value: *out = Value::of_bytes(""); return {};
    default: break;
  }
  if (is_reg_type(type)) return input_reg(type, text, context, out);
  bool handled = false;
  Status s = input_part(type, typmod, text, context, out, &handled);
  if (handled) return s;
  if (context.catalog != nullptr) {
    char kind = context.catalog->type_kind(type);
    if (kind == 'e') return input_enum(type, text, context, out);
    if (kind == 'd') {
      const DomainBase base(type, context);
      RETURN_IF_ERROR(input(base.type, base.typmod, text, context, out));
      return context.catalog->check_domain(type, base.physical(), out->view());
    }
    if (kind == 'c') {
      std::string record;
      RETURN_IF_ERROR(parse_record(context.catalog->composite_fields(type), text, context, &record));
      *out = Value::of_bytes(std::move(record));
      return {};
    }
  }
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->kind == 'p') {
    return Status(SqlState::kFeatureNotSupported, "cannot accept a value of type " + std::string(info->name));
  }
  return Status(SqlState::kFeatureNotSupported, "type " + type_label(type, context) + " is not supported yet");
}

void output(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
            std::string* out) {
  switch (type.value) {
    case oid::kInt2.value:
    case oid::kInt4.value:
    case oid::kInt8.value: append_int64(value.integer, out); return;
    case oid::kText.value:
    case oid::kVarchar.value:
    case oid::kName.value:
    case oid::kUnknown.value:
    case oid::kCstring.value:
    case oid::kRefcursor.value:
    case oid::kJson.value:
    case oid::kJsonb.value:
    case oid::kXml.value:
    case oid::kPgNodeTree.value: out->append(value.bytes); return;
    case oid::kBpchar.value: {
      out->append(value.bytes);
      if (physical.width > 0) {
        size_t length = utf8_count(value.bytes);
        if (length < static_cast<size_t>(physical.width))
          out->append(static_cast<size_t>(physical.width) - length, ' ');
      }
      return;
    }
    case oid::kBool.value: out->push_back(value.integer != 0 ? 't' : 'f'); return;
    case oid::kFloat8.value: append_float8(value.real, context.extra_float_digits, out); return;
    case oid::kFloat4.value: append_float4(static_cast<float>(value.real), context.extra_float_digits, out); return;
    case oid::kNumeric.value:
      if (physical.is_decimal()) {
        append_decimal(physical.kind == Physical::kInt128 ? value.wide : value.integer, physical.scale, out);
      } else {
        Numeric::from_bytes(value.bytes).append_text(out);
      }
      return;
    case oid::kOid.value:
    case oid::kXid.value:
    case oid::kCid.value:
    case oid::kXid8.value: append_uint64(static_cast<uint64_t>(value.integer), out); return;
    case oid::kBytea.value: append_bytea(value.bytes, context.bytea_escape, out); return;
    case oid::kUuid.value: append_uuid(value.wide, out); return;
    case oid::kChar.value: output_single_char(value.bytes, out); return;
    case oid::kTid.value:
      if (value.bytes.size() == 6) {
        out->push_back('(');
        append_uint64(load_be32(value.bytes.data()), out);
        out->push_back(',');
        append_uint64(load_be16(value.bytes.data() + 4), out);
        out->push_back(')');
      }
      return;
    case oid::kPgLsn.value: append_lsn(static_cast<uint64_t>(value.integer), out); return;
    case oid::kVoid.value: return;
    default: break;
  }
  if (is_reg_type(type)) {
    if (value.integer == 0) {
      out->push_back('-');
      return;
    }
    if (context.catalog != nullptr) {
      if (auto name = context.catalog->object_name(type, Oid{static_cast<uint32_t>(value.integer)})) {
        out->append(*name);
        return;
      }
    } else if (type == oid::kRegtype) {
      if (const TypeInfo* info = find_type(Oid{static_cast<uint32_t>(value.integer)})) {
        out->append(info->name);
        return;
      }
    }
    append_uint64(static_cast<uint32_t>(value.integer), out);
    return;
  }
  if (output_part(type, physical, value, context, out)) return;
  if (context.catalog != nullptr) {
    char kind = context.catalog->type_kind(type);
    if (kind == 'e') {
      if (auto label = context.catalog->enum_label(type, static_cast<float>(value.real))) out->append(*label);
      return;
    }
    if (kind == 'd') {
      int32_t base_typmod = -1;
      Oid base = context.catalog->base_type(type, &base_typmod);
      output(base, physical, value, context, out);
      return;
    }
    if (kind == 'c') return append_record(value.bytes, context, out);
  }
  // A type without a form of its own (pseudo-types, internal ones): its bytes are its text.
  if (physical.kind == Physical::kBytes) out->append(value.bytes);
}

namespace {

Status short_message() { return Status(SqlState::kProtocolViolation, "insufficient data left in message"); }

Status receive_numeric(int32_t typmod, std::string_view bytes, Value* out) {
  Numeric n;
  if (bytes.size() < 8) return short_message();
  size_t count = load_be16(bytes.data());
  auto weight = static_cast<int16_t>(load_be16(bytes.data() + 2));
  uint16_t sign = load_be16(bytes.data() + 4), scale = load_be16(bytes.data() + 6);
  if (bytes.size() < 8 + 2 * count) return short_message();
  if (bytes.size() > 8 + 2 * count) return incorrect_binary_format();
  switch (sign) {
    case 0x0000: break;
    case 0x4000: n.negative = true; break;
    case 0xC000: n = Numeric::nan(); break;
    case 0xD000: n = Numeric::infinity(); break;
    case 0xF000: n = Numeric::infinity(true); break;
    default: return Status(SqlState::kInvalidBinaryRepresentation, "invalid sign in external \"numeric\" value");
  }
  if ((scale & 0xC000) != 0) {
    return Status(SqlState::kInvalidBinaryRepresentation, "invalid scale in external \"numeric\" value");
  }
  if (n.is_finite()) {
    n.weight = weight;
    n.dscale = scale;
    for (size_t i = 0; i < count; ++i) {
      auto d = static_cast<int16_t>(load_be16(bytes.data() + 8 + 2 * i));
      if (d < 0 || d >= Numeric::kBase) {
        return Status(SqlState::kInvalidBinaryRepresentation, "invalid digit in external \"numeric\" value");
      }
      n.digits.push_back(d);
    }
    n.strip();
    n.truncate(scale);  // digits that would not be shown do not exist
    RETURN_IF_ERROR(n.check_range());
  }
  return numeric_value(std::move(n), typmod, out);
}

}  // namespace

Status receive(Oid type, int32_t typmod, std::string_view bytes, const IoContext& context, Value* out) {
  auto fixed = [&](size_t n) -> Status {
    if (bytes.size() < n) return short_message();
    if (bytes.size() > n) return incorrect_binary_format();
    return {};
  };
  if (is_reg_type(type)) type = oid::kOid;
  switch (type.value) {
    case oid::kInt2.value:
      RETURN_IF_ERROR(fixed(2));
      *out = Value(ValueView::of_integer(static_cast<int16_t>(load_be16(bytes.data()))));
      return {};
    case oid::kInt4.value:
      RETURN_IF_ERROR(fixed(4));
      *out = Value(ValueView::of_integer(static_cast<int32_t>(load_be32(bytes.data()))));
      return {};
    case oid::kInt8.value:
    case oid::kXid8.value:
    case oid::kPgLsn.value:
    case oid::kMoney.value:
      RETURN_IF_ERROR(fixed(8));
      *out = Value(ValueView::of_integer(static_cast<int64_t>(load_be64(bytes.data()))));
      return {};
    case oid::kOid.value:
    case oid::kXid.value:
    case oid::kCid.value:
      RETURN_IF_ERROR(fixed(4));
      *out = Value(ValueView::of_integer(load_be32(bytes.data())));
      return {};
    case oid::kBool.value:
      RETURN_IF_ERROR(fixed(1));
      *out = Value(ValueView::of_integer(bytes[0] != 0));
      return {};
    case oid::kFloat4.value: {
      RETURN_IF_ERROR(fixed(4));
      uint32_t bits = load_be32(bytes.data());
      float v;
      std::memcpy(&v, &bits, sizeof(v));
      *out = Value(ValueView::of_real(v));
      return {};
    }
    case oid::kFloat8.value: {
      RETURN_IF_ERROR(fixed(8));
      uint64_t bits = load_be64(bytes.data());
      double v;
      std::memcpy(&v, &bits, sizeof(v));
      *out = Value(ValueView::of_real(v));
      return {};
    }
    case oid::kUuid.value:
      RETURN_IF_ERROR(fixed(16));
      *out = Value(ValueView::of_wide(uuid_from_bytes(bytes.data())));
      return {};
    case oid::kTid.value:
      RETURN_IF_ERROR(fixed(6));
      *out = Value(ValueView::of_bytes(bytes));
      return {};
    case oid::kChar.value:
      RETURN_IF_ERROR(fixed(1));
      *out = bytes[0] == '\0' ? Value::of_bytes("") : Value(ValueView::of_bytes(bytes));
      return {};
    case oid::kText.value:
    case oid::kVarchar.value:
    case oid::kBpchar.value:
    case oid::kUnknown.value:
    case oid::kCstring.value:
    case oid::kRefcursor.value: return bounded_text(type, typmod, bytes, out);
    case oid::kName.value:
      if (bytes.size() > kNameBytesMax) {
        return Status(SqlState::kNameTooLong, "identifier too long")
            .with_detail("Identifier must be less than 64 characters.");
      }
      return bounded_text(type, typmod, bytes, out);
    case oid::kBytea.value: *out = Value(ValueView::of_bytes(bytes)); return {};
    case oid::kVoid.value: *out = Value::of_bytes(""); return {};
    case oid::kNumeric.value: return receive_numeric(typmod, bytes, out);
    default: break;
  }
  bool handled = false;
  Status s = receive_part(type, typmod, bytes, context, out, &handled);
  if (handled) return s;
  if (context.catalog != nullptr) {
    char kind = context.catalog->type_kind(type);
    if (kind == 'e') return input_enum(type, bytes, context, out);
    if (kind == 'd') {
      const DomainBase base(type, context);
      RETURN_IF_ERROR(receive(base.type, base.typmod, bytes, context, out));
      return context.catalog->check_domain(type, base.physical(), out->view());
    }
    if (kind == 'c') {
      std::string record;
      RETURN_IF_ERROR(receive_record(context.catalog->composite_fields(type), bytes, context, &record));
      *out = Value::of_bytes(std::move(record));
      return {};
    }
  }
  return Status(SqlState::kUndefinedFunction,
                "no binary input function available for type " + type_label(type, context));
}

Status send(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
            std::string* out) {
  if (is_reg_type(type)) type = oid::kOid;
  switch (type.value) {
    case oid::kInt2.value: append_be16(static_cast<uint16_t>(value.integer), out); return {};
    case oid::kInt4.value:
    case oid::kOid.value:
    case oid::kXid.value:
    case oid::kCid.value: append_be32(static_cast<uint32_t>(value.integer), out); return {};
    case oid::kInt8.value:
    case oid::kXid8.value:
    case oid::kPgLsn.value:
    case oid::kMoney.value: append_be64(static_cast<uint64_t>(value.integer), out); return {};
    case oid::kBool.value: out->push_back(value.integer != 0 ? '\1' : '\0'); return {};
    case oid::kFloat4.value: {
      auto v = static_cast<float>(value.real);
      uint32_t bits;
      std::memcpy(&bits, &v, sizeof(bits));
      append_be32(bits, out);
      return {};
    }
    case oid::kFloat8.value: {
      uint64_t bits;
      std::memcpy(&bits, &value.real, sizeof(bits));
      append_be64(bits, out);
      return {};
    }
    case oid::kUuid.value: {
      char bytes[16];
      uuid_to_bytes(value.wide, bytes);
      out->append(bytes, sizeof(bytes));
      return {};
    }
    case oid::kChar.value: out->push_back(value.bytes.empty() ? '\0' : value.bytes[0]); return {};
    case oid::kText.value:
    case oid::kVarchar.value:
    case oid::kName.value:
    case oid::kUnknown.value:
    case oid::kCstring.value:
    case oid::kRefcursor.value:
    case oid::kBytea.value:
    case oid::kTid.value:
    case oid::kPgNodeTree.value:
    case oid::kXml.value:
    case oid::kVoid.value: out->append(value.bytes); return {};
    case oid::kBpchar.value: output(type, physical, value, context, out); return {};
    case oid::kNumeric.value: {
      Numeric n = numeric_of(physical, value);
      append_be16(static_cast<uint16_t>(n.digits.size()), out);
      append_be16(static_cast<uint16_t>(n.weight), out);
      uint16_t sign = n.negative ? 0x4000 : 0;
      if (n.is_nan())
        sign = 0xC000;
      else if (n.kind == Numeric::Kind::kPosInf)
        sign = 0xD000;
      else if (n.kind == Numeric::Kind::kNegInf)
        sign = 0xF000;
      append_be16(sign, out);
      append_be16(static_cast<uint16_t>(n.is_inf() ? 0x20 : n.dscale), out);
      for (int16_t d : n.digits) append_be16(static_cast<uint16_t>(d), out);
      return {};
    }
    default: break;
  }
  bool handled = false;
  Status s = send_part(type, physical, value, context, out, &handled);
  if (handled) return s;
  if (context.catalog != nullptr) {
    char kind = context.catalog->type_kind(type);
    if (kind == 'e') {
      output(type, physical, value, context, out);
      return {};
    }
    if (kind == 'd') {
      int32_t base_typmod = -1;
      Oid base = context.catalog->base_type(type, &base_typmod);
      return send(base, physical, value, context, out);
    }
    if (kind == 'c') return send_record(value.bytes, context, out);
  }
  return Status(SqlState::kUndefinedFunction,
                "no binary output function available for type " + type_label(type, context));
}

Status coerce_physical(Oid type, const PhysicalType& from, const ValueView& value, int32_t typmod, Value* out) {
  if (value.null) {
    *out = Value();
    return {};
  }
  switch (type.value) {
    case oid::kNumeric.value: {
      PhysicalType to = physical_type(type, typmod);
      if (from == to && from.is_decimal()) {
        *out = Value(value);
        return {};
      }
      return numeric_value(numeric_of(from, value), typmod, out);
    }
    case oid::kVarchar.value:
    case oid::kBpchar.value: {
      std::string kept;
      RETURN_IF_ERROR(apply_length(type, typmod, value.bytes, false, &kept));
      *out = Value::of_bytes(std::move(kept));
      return {};
    }
    default: break;
  }
  if (coerce_part(type, value, typmod, out)) return {};
  *out = Value(value);
  return {};
}

}  // namespace omendb::types
