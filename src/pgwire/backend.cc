#include "pgwire/backend.h"

#include <charconv>

namespace omendb::pgwire {
namespace {

/// Begins a message; the destructor writes its length.
class Message {
 public:
  Message(Buffer* out, char type) : out_(out) {
    out_->append_byte(type);
    start_ = out_->size();
    out_->append_int32(0);
  }
  ~Message() { store_be32(out_->data() + start_, static_cast<uint32_t>(out_->size() - start_)); }

 private:
  Buffer* out_;
  size_t start_;
};

void write_empty(Buffer* out, char type) {
  char* at = out->reserve(5);
  at[0] = type;
  store_be32(at + 1, 4);
  out->advance(5);
}

void write_fields(Buffer* out, char type, std::string_view severity, const ErrorInfo& info) {
  Message message(out, type);
  auto field = [&](char code, std::string_view text) {
    out->append_byte(code);
    // A zero in a text would end the field early; none of our messages has one, a foreign library's might.
    out->append_cstring(text.substr(0, text.find('\0')));
  };
  auto field_if = [&](char code, const std::string& text) {
    if (!text.empty()) field(code, text);
  };
  field('S', severity);
  field('V', severity);
  auto code = sqlstate_text(info.code);
  field('C', {code.data(), code.size()});
  field('M', info.message);
  field_if('D', info.detail);
  field_if('H', info.hint);
  if (info.position > 0) field('P', std::to_string(info.position));
  field_if('W', info.context);
  field_if('s', info.schema);
  field_if('t', info.table);
  field_if('c', info.column);
  field_if('d', info.data_type);
  field_if('n', info.constraint);
  field_if('F', info.file);
  field_if('R', info.routine);
  out->append_byte('\0');
}

void write_copy_response(Buffer* out, char type, size_t column_count, bool binary) {
  Message message(out, type);
  out->append_byte(binary ? 1 : 0);
  out->append_int16(static_cast<int16_t>(column_count));
  for (size_t i = 0; i < column_count; ++i) out->append_int16(binary ? 1 : 0);
}

}  // namespace

void write_authentication_ok(Buffer* out) {
  Message message(out, 'R');
  out->append_int32(0);
}

void write_parameter_status(Buffer* out, std::string_view name, std::string_view value) {
  Message message(out, 'S');
  out->append_cstring(name);
  out->append_cstring(value);
}

void write_notification(Buffer* out, int32_t process_id, std::string_view channel, std::string_view payload) {
  Message message(out, 'A');
  out->append_int32(process_id);
  out->append_cstring(channel);
  out->append_cstring(payload);
}

void write_backend_key_data(Buffer* out, int32_t process_id, int32_t secret) {
  Message message(out, 'K');
  out->append_int32(process_id);
  out->append_int32(secret);
}

void write_negotiate_protocol_version(Buffer* out, const std::vector<std::string>& unknown_options) {
  Message message(out, 'v');
  // PostgreSQL 15 sends the whole version word, not the minor version alone as its manual says.
  out->append_int32(3 << 16);
  out->append_int32(static_cast<int32_t>(unknown_options.size()));
  for (const std::string& option : unknown_options) out->append_cstring(option);
}

void write_ready_for_query(Buffer* out, char transaction_state) {
  char* at = out->reserve(6);
  at[0] = 'Z';
  store_be32(at + 1, 5);
  at[5] = transaction_state;
  out->advance(6);
}

void write_row_description(Buffer* out, const std::vector<FieldDescription>& fields) {
  Message message(out, 'T');
  out->append_int16(static_cast<int16_t>(fields.size()));
  for (const FieldDescription& field : fields) {
    out->append_cstring(field.name);
    out->append_int32(static_cast<int32_t>(field.table.value));
    out->append_int16(field.attnum);
    out->append_int32(static_cast<int32_t>(field.type.value));
    out->append_int16(field.type_length);
    out->append_int32(field.typmod);
    out->append_int16(field.format);
  }
}

void write_parameter_description(Buffer* out, const std::vector<Oid>& types) {
  Message message(out, 't');
  out->append_int16(static_cast<int16_t>(types.size()));
  for (Oid type : types) out->append_int32(static_cast<int32_t>(type.value));
}

void write_no_data(Buffer* out) { write_empty(out, 'n'); }
void write_parse_complete(Buffer* out) { write_empty(out, '1'); }
void write_bind_complete(Buffer* out) { write_empty(out, '2'); }
void write_close_complete(Buffer* out) { write_empty(out, '3'); }
void write_portal_suspended(Buffer* out) { write_empty(out, 's'); }
void write_empty_query_response(Buffer* out) { write_empty(out, 'I'); }
void write_copy_done(Buffer* out) { write_empty(out, 'c'); }

void write_command_complete(Buffer* out, std::string_view tag) {
  Message message(out, 'C');
  out->append_cstring(tag);
}

void write_error(Buffer* out, std::string_view severity, const ErrorInfo& info) {
  write_fields(out, 'E', severity, info);
}

void write_notice(Buffer* out, std::string_view severity, const ErrorInfo& info) {
  write_fields(out, 'N', severity, info);
}

void write_old_style_error(Buffer* out, std::string_view text) {
  out->append_byte('E');
  out->append(text);
  out->append_cstring("\n");
}

void write_copy_in_response(Buffer* out, size_t column_count, bool binary) {
  write_copy_response(out, 'G', column_count, binary);
}

void write_copy_out_response(Buffer* out, size_t column_count, bool binary) {
  write_copy_response(out, 'H', column_count, binary);
}

void write_copy_data(Buffer* out, std::string_view bytes) {
  Message message(out, 'd');
  out->append(bytes);
}

}  // namespace omendb::pgwire
