// What the server sends: one function a message, each appends one whole message to a Buffer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/strong_id.h"
#include "pgwire/buffer.h"

namespace omendb::pgwire {

/// A column of RowDescription.
struct FieldDescription {
  std::string_view name;
  Oid table;
  int16_t attnum = 0;
  Oid type;
  int16_t type_length = -1;
  int32_t typmod = -1;
  int16_t format = 0;
};

void write_authentication_ok(Buffer* out);
void write_parameter_status(Buffer* out, std::string_view name, std::string_view value);
void write_notification(Buffer* out, int32_t process_id, std::string_view channel, std::string_view payload);
void write_backend_key_data(Buffer* out, int32_t process_id, int32_t secret);
/// The newest minor version that we speak (3.0) and the protocol options that we do not know.
void write_negotiate_protocol_version(Buffer* out, const std::vector<std::string>& unknown_options);
void write_ready_for_query(Buffer* out, char transaction_state);

void write_row_description(Buffer* out, const std::vector<FieldDescription>& fields);
void write_parameter_description(Buffer* out, const std::vector<Oid>& types);
void write_no_data(Buffer* out);
void write_parse_complete(Buffer* out);
void write_bind_complete(Buffer* out);
void write_close_complete(Buffer* out);
void write_portal_suspended(Buffer* out);
void write_empty_query_response(Buffer* out);
void write_command_complete(Buffer* out, std::string_view tag);

/// severity: ERROR, FATAL, PANIC. Fields S V C M D H P W s t c d n, those that are set.
void write_error(Buffer* out, std::string_view severity, const ErrorInfo& info);
/// severity: WARNING, NOTICE, INFO, LOG, DEBUG.
void write_notice(Buffer* out, std::string_view severity, const ErrorInfo& info);
/// The reply to a client of protocol 1 or 2: 'E', text, newline, zero.
void write_old_style_error(Buffer* out, std::string_view text);

void write_copy_in_response(Buffer* out, size_t column_count, bool binary);
void write_copy_out_response(Buffer* out, size_t column_count, bool binary);
void write_copy_data(Buffer* out, std::string_view bytes);
void write_copy_done(Buffer* out);

}  // namespace omendb::pgwire
