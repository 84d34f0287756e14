#include "pgwire/client_text.h"

#include <algorithm>
#include <utility>

#include "types/type.h"

namespace omendb::pgwire {
namespace {

namespace oid = types::oid;

enum class Direction : uint8_t { kToServer, kToClient };

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

/// Walks values in binary form and converts the texts in them.
class BinaryText {
 public:
  BinaryText(const types::Encoding& encoding, const types::IoContext& context, Direction direction)
      : encoding_(encoding), catalog_(context.catalog), direction_(direction) {}

  Status text(std::string_view bytes, std::string* out) const {
    return direction_ == Direction::kToServer ? encoding_.to_utf8(bytes, out) : encoding_.from_utf8(bytes, out);
  }

  /// A form that cannot be followed is left to the type's own reading.
  Status value(Oid type, std::string_view bytes, std::string* out) const {
    const bool built_in = types::find_type(type) != nullptr;
    const char kind = built_in || catalog_ == nullptr ? '\0' : catalog_->type_kind(type);
    if (kind == 'd') {
      int32_t typmod = -1;
      return value(catalog_->base_type(type, &typmod), bytes, out);
    }
    switch (type.value) {
      case oid::kText.value:
      case oid::kVarchar.value:
      case oid::kBpchar.value:
      case oid::kName.value:
      case oid::kJson.value:
      case oid::kUnknown.value:
      case oid::kCstring.value:
      case oid::kRefcursor.value: return text(bytes, out);
      case oid::kJsonb.value:  // a version byte before it
        out->append(bytes.substr(0, 1));
        return bytes.empty() ? Status() : text(bytes.substr(1), out);
      default: break;
    }
    if (kind == 'e') return text(bytes, out);
    if (kind == 'c' || type == oid::kRecord) return record(bytes, out);
    const bool array = built_in ? types::array_element_type(type) != kInvalidOid
                                : catalog_ != nullptr && catalog_->element_type(type) != kInvalidOid;
    if (array) return array_elements(bytes, out);
    out->append(bytes);
    return {};
  }

 private:
  // int32 dimensions, int32 has nulls, int32 element type; per dimension int32 length, int32 lower bound; elements.
  Status array_elements(std::string_view bytes, std::string* out) const {
    constexpr size_t kHeader = 12, kDimension = 8;
    if (bytes.size() < kHeader) return rest(bytes, out);
    const size_t head = kHeader + kDimension * static_cast<size_t>(load_be32(bytes.data()));
    if (bytes.size() < head || head > kHeader + 6 * kDimension) return rest(bytes, out);
    const Oid element(load_be32(bytes.data() + 8));
    out->append(bytes.substr(0, head));
    for (bytes.remove_prefix(head); !bytes.empty();) RETURN_IF_ERROR(item(element, &bytes, out));
    return {};
  }

  // int32 fields; per field its int32 type and its value.
  Status record(std::string_view bytes, std::string* out) const {
    out->append(bytes.substr(0, 4));
    bytes.remove_prefix(std::min<size_t>(4, bytes.size()));
    while (bytes.size() >= 8) {
      const Oid type(load_be32(bytes.data()));
      out->append(bytes.substr(0, 4));
      bytes.remove_prefix(4);
      RETURN_IF_ERROR(item(type, &bytes, out));
    }
    return rest(bytes, out);
  }

  // int32 length, or -1 for null, and the bytes.
  Status item(Oid type, std::string_view* bytes, std::string* out) const {
    if (bytes->size() < 4) return rest(std::exchange(*bytes, {}), out);
    const uint32_t length = load_be32(bytes->data());
    if (length == 0xFFFFFFFF) {
      out->append(bytes->substr(0, 4));
      bytes->remove_prefix(4);
      return {};
    }
    if (bytes->size() - 4 < length) return rest(std::exchange(*bytes, {}), out);
    const size_t start = out->size();
    out->append(4, '\0');
    RETURN_IF_ERROR(value(type, bytes->substr(4, length), out));
    store_be32(out->data() + start, static_cast<uint32_t>(out->size() - start - 4));
    bytes->remove_prefix(4 + length);
    return {};
  }

  static Status rest(std::string_view bytes, std::string* out) {
    out->append(bytes);
    return {};
  }

  const types::Encoding& encoding_;
  const types::TypeCatalog* catalog_;
  const Direction direction_;
};

}  // namespace

Result<std::string_view> ClientText::decode(std::string_view text) {
  std::string decoded;
  RETURN_IF_ERROR(encoding_->to_utf8(text, &decoded));
  return std::string_view(kept_.emplace_back(std::move(decoded)));
}

Result<std::string_view> ClientText::decode_value(const types::IoContext& context, Oid type, bool binary,
                                                  std::string_view bytes) {
  if (!binary) return decode(bytes);
  std::string decoded;
  RETURN_IF_ERROR(BinaryText(*encoding_, context, Direction::kToServer).value(type, bytes, &decoded));
  return std::string_view(kept_.emplace_back(std::move(decoded)));
}

Result<std::string> ClientText::encode(std::string_view text) const {
  std::string encoded;
  RETURN_IF_ERROR(encoding_->from_utf8(text, &encoded));
  return encoded;
}

Result<ErrorInfo> ClientText::encode(const ErrorInfo& info) const {
  ErrorInfo encoded = info;
  for (auto field : {&ErrorInfo::message, &ErrorInfo::detail, &ErrorInfo::hint, &ErrorInfo::context, &ErrorInfo::schema,
                     &ErrorInfo::table, &ErrorInfo::column, &ErrorInfo::data_type, &ErrorInfo::constraint}) {
    ASSIGN_OR_RETURN(encoded.*field, encode(info.*field));
  }
  return encoded;
}

Status ClientText::encode_rows(const types::IoContext& context, const std::vector<Column>& columns,
                               std::string_view rows, Buffer* out) const {
  const BinaryText binary(*encoding_, context, Direction::kToClient);
  std::string value;
  while (!rows.empty()) {
    // 'D', int32 length, int16 columns; per column int32 length or -1, and the bytes.
    const size_t length = 1 + load_be32(rows.data() + 1), start = out->size();
    std::string_view row = rows.substr(7, length - 7);
    out->append(rows.substr(0, 7));
    for (const Column& column : columns) {
      const uint32_t bytes = load_be32(row.data());
      const bool null = bytes == 0xFFFFFFFF;
      const std::string_view plain = row.substr(4, null ? 0 : bytes);
      row.remove_prefix(4 + plain.size());
      if (null || is_ascii(plain)) {
        out->append_int32(static_cast<int32_t>(bytes));
        out->append(plain);
        continue;
      }
      value.clear();
      Status converted = column.binary ? binary.value(column.type, plain, &value) : binary.text(plain, &value);
      if (!converted.ok()) {
        out->truncate(start);
        return converted;
      }
      out->append_int32(static_cast<int32_t>(value.size()));
      out->append(value);
    }
    store_be32(out->data() + start + 1, static_cast<uint32_t>(out->size() - start - 1));
    rows.remove_prefix(length);
  }
  return {};
}

}  // namespace omendb::pgwire
