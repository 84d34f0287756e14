#include "server/protocol.h"

#include <algorithm>
#include <utility>

#include "types/utf8.h"

namespace omendb::server {
namespace {

using pgwire::Decoded;
using sql::TransactionState;

const std::vector<int16_t> kTextFormats;

Status lost_client() { return Status(SqlState::kConnectionFailure, "connection to client lost"); }

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

int16_t format_of(const std::vector<int16_t>& formats, size_t i) {
  if (formats.empty()) return 0;
  return formats.size() == 1 ? formats[0] : formats[i];
}

}  // namespace

Protocol::Protocol(Host& host, Transport& transport) : host_(host), transport_(transport) {}

Protocol::~Protocol() { close(); }

void Protocol::close() {
  unnamed_portal_.reset();
  unnamed_statement_.reset();
  if (session_ != nullptr) host_.session_closing();
  notifications_ = nullptr;
  conversation_ = nullptr;
  session_.reset();
  state_ = State::kClosed;
}

void Protocol::release_memory() {
  input_.release_if_empty();
  if (output_.empty()) output_.release();
  plain_rows_.release();
  if (text_.capacity() > 4096) std::string().swap(text_);
}

bool Protocol::flush() {
  if (output_.empty()) return !transport_lost_;
  if (!transport_lost_ && !transport_.write(output_.view())) transport_lost_ = true;
  output_.clear();
  return !transport_lost_;
}

void Protocol::run() {
  while (state_ != State::kClosed) {
    if (check_interruption()) return;
    if (transport_lost_) return close();
    if (state_ == State::kStartup) {
      std::string_view body;
      Decoded decoded = input_.next_startup(&body);
      if (decoded == Decoded::kNeedMore) break;
      if (decoded == Decoded::kBadLength) return close();
      startup(body);
      continue;
    }
    pgwire::FrontendMessage message;
    switch (input_.next(&message)) {
      case Decoded::kNeedMore: flush(); return;
      case Decoded::kBadLength: flush(); return close();
      case Decoded::kBadType:
        return fatal(
            Status(SqlState::kProtocolViolation,
                   "invalid frontend message type " + std::to_string(static_cast<unsigned char>(message.type))));
      case Decoded::kMessage: handle(message);
    }
  }
  flush();
}

bool Protocol::check_interruption() {
  switch (transport_.interruption()) {
    case Interruption::kNone: return false;
    case Interruption::kTerminated:
      if (state_ == State::kStartup) {
        close();
      } else {
        fatal(Status(SqlState::kAdminShutdown, "terminating connection due to administrator command"));
      }
      return true;
    case Interruption::kIdleInTransaction:
      fatal(Status(SqlState::kIdleInTransactionSessionTimeout,
                   "terminating connection due to idle-in-transaction timeout"));
      return true;
    case Interruption::kIdleSession:
      fatal(Status(SqlState::kIdleSessionTimeout, "terminating connection due to idle-session timeout"));
      return true;
    case Interruption::kSilent: close(); return true;
  }
  return false;
}

// ---- Startup ----

void Protocol::startup(std::string_view body) {
  const uint32_t code = load_be32(body.data());
  if (code == pgwire::kCancelRequestCode) {
    if (body.size() == 12)
      host_.cancel_request(static_cast<int32_t>(load_be32(body.data() + 4)),
                           static_cast<int32_t>(load_be32(body.data() + 8)));
    return close();
  }
  const bool ssl = code == pgwire::kSslRequestCode && !ssl_refused_;
  const bool gss = code == pgwire::kGssEncRequestCode && !gss_refused_;
  if (ssl || gss) {
    (ssl ? ssl_refused_ : gss_refused_) = true;
    output_.append_byte('N');
    // What came along unasked may be an attacker's, sent before an encryption that we might have agreed to.
    if (input_.pending() > 0)
      return fatal(
          Status(SqlState::kProtocolViolation, ssl ? "received unencrypted data after SSL request"
                                                   : "received unencrypted data after GSSAPI encryption request")
              .with_detail("This could be either a client-software bug or evidence of an attempted "
                           "man-in-the-middle attack."));
    flush();
    return;
  }
  const uint32_t major = code >> 16;
  if (major != 3) {
    std::string text = "unsupported frontend protocol " + std::to_string(major) + "." + std::to_string(code & 0xFFFF) +
                       ": server supports 3.0 to 3.0";
    if (major == 1 || major == 2) {
      pgwire::write_old_style_error(&output_, "FATAL:  " + text);
      flush();
      return close();
    }
    return fatal(Status(SqlState::kFeatureNotSupported, std::move(text)));
  }
  auto packet = pgwire::parse_startup(body);
  if (!packet.ok()) return fatal(packet.status());
  begin_session(std::move(packet).value());
}

void Protocol::begin_session(pgwire::StartupPacket packet) {
  if (packet.negotiate()) pgwire::write_negotiate_protocol_version(&output_, packet.unknown_protocol_options);
  if (packet.user.empty())
    return fatal(
        Status(SqlState::kInvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet"));
  if (packet.replication)
    return fatal(Status(SqlState::kFeatureNotSupported, "replication connections are not supported"));
  if (Status admitted = host_.admit(); !admitted.ok()) return fatal(admitted);
  pgwire::write_authentication_ok(&output_);
  if (!packet.options_trouble.ok()) return fatal(packet.options_trouble);

  sql::SessionOptions options;
  options.user = std::move(packet.user);
  options.database = std::move(packet.database);
  options.settings = std::move(packet.settings);
  auto session = host_.open_session(std::move(options), *this);
  if (!session.ok()) return fatal(session.status());
  session_ = std::move(session).value();
  notifications_ = dynamic_cast<sql::NotificationSource*>(session_.get());
  conversation_ = dynamic_cast<sql::Conversation*>(session_.get());
  for (const auto& [name, value] : session_->reported_parameters()) write_parameter_status(name, value);
  pgwire::write_backend_key_data(&output_, host_.process_id(), host_.cancel_key());
  state_ = State::kReady;
  ready_for_query();
}

// ---- Dispatch ----

void Protocol::handle(const pgwire::FrontendMessage& message) {
  if (skipping_ && message.type != 'S' && message.type != 'X') return;
  if (!check_clock(message.type)) return;
  client_text_.forget();
  Status status;
  switch (message.type) {
    case 'Q': return on_query(message.body);
    case 'F': return on_function_call();
    case 'X': flush(); return close();
    case 'S': return on_sync(message.body);
    // Left over from a COPY that failed while its data were still on their way.
    case 'd':
    case 'c':
    case 'f': return;
    case 'P': status = on_parse(message.body); break;
    case 'B': status = on_bind(message.body); break;
    case 'D': status = on_describe(message.body); break;
    case 'E': status = on_execute(message.body); break;
    case 'C': status = on_close(message.body); break;
    case 'H':
      if (!message.body.empty()) {
        status = Status(SqlState::kProtocolViolation, "invalid message format");
      } else {
        flush();
      }
      break;
    default: CHECK(false);  // the decoder lets no other type pass
  }
  if (!status.ok()) {
    skipping_ = true;
    report_error(status);
  }
}

bool Protocol::check_clock(char type) {
  if (conversation_ == nullptr || type == 'X') return true;
  if (conversation_->clock_expired()) {
    report_error(Status(SqlState::kQueryCanceled, "canceling statement due to statement timeout"));
    const bool ends_query = type == 'S' || type == 'Q' || type == 'F';
    skipping_ = !ends_query;
    if (ends_query && state_ == State::kReady) {
      (void)session_->sync();
      drop_dead_portals();
      ready_for_query();
    }
    return false;
  }
  if (type == 'P' || type == 'B' || type == 'D' || type == 'E' || type == 'Q') conversation_->start_clock();
  return true;
}

void Protocol::report_error(const Status& error) {
  ++counters_.errors;
  unnamed_portal_.reset();
  if (session_ != nullptr) session_->fail();
  if (transport_lost_) return close();
  copying_out_ = false;
  if (sync_lost_) {
    write_error("ERROR", error.info());
    return fatal(
        Status(SqlState::kProtocolViolation, "terminating connection because protocol synchronization was lost"));
  }
  // A statement that was stopped because the connection shall end is not an error of its own.
  if (check_interruption()) return;
  write_error("ERROR", error.info());
}

pgwire::ClientText* Protocol::client_text() {
  if (conversation_ == nullptr) return nullptr;
  client_text_.use(conversation_->client_encoding());
  return client_text_.converts() ? &client_text_ : nullptr;
}

void Protocol::write_error(std::string_view severity, const ErrorInfo& info) {
  pgwire::ClientText* const text = client_text();
  if (text == nullptr) return pgwire::write_error(&output_, severity, info);
  auto encoded = text->encode(info);
  // An error that the client has no characters for is told as that.
  pgwire::write_error(&output_, severity, encoded.ok() ? *encoded : encoded.status().info());
}

void Protocol::write_parameter_status(std::string_view name, std::string_view value) {
  pgwire::ClientText* const text = client_text();
  const auto encoded = text == nullptr ? Result<std::string>(std::string()) : text->encode(value);
  pgwire::write_parameter_status(&output_, name, text != nullptr && encoded.ok() ? *encoded : value);
}

void Protocol::fatal(const Status& error) {
  ++counters_.errors;
  write_error("FATAL", error.info());
  flush();
  close();
}

void Protocol::ready_for_query() {
  if (state_ != State::kReady) return;
  for (const auto& [name, value] : session_->take_changed_parameters()) write_parameter_status(name, value);
  write_notifications();
  pgwire::write_ready_for_query(&output_, static_cast<char>(session_->transaction_state()));
  flush();
}

bool Protocol::write_notifications() {
  if (notifications_ == nullptr || state_ != State::kReady || transaction_state() != TransactionState::kIdle ||
      !notifications_->has_notifications()) {
    return false;
  }
  pgwire::ClientText* const text = client_text();
  for (const auto& n : notifications_->take_notifications()) {
    if (text == nullptr) {
      pgwire::write_notification(&output_, n.process_id, n.channel, n.payload);
      continue;
    }
    const auto channel = text->encode(n.channel), payload = text->encode(n.payload);
    if (channel.ok() && payload.ok()) {
      pgwire::write_notification(&output_, n.process_id, *channel, *payload);
    } else {
      write_error("ERROR", (channel.ok() ? payload : channel).status().info());
    }
  }
  return true;
}

void Protocol::deliver_notifications() {
  if (write_notifications()) flush();
}

void Protocol::drop_dead_portals() {
  if (session_->transaction_state() != TransactionState::kIdle) return;
  unnamed_portal_.reset();
  portal_info_.clear();
}

// ---- Simple query ----

void Protocol::on_query(std::string_view body) {
  unnamed_portal_.reset();
  unnamed_statement_.reset();
  std::string_view sql;
  Status status = pgwire::parse_query(body, &sql, client_text());
  std::vector<std::shared_ptr<const sql::ParsedStatement>> statements;
  bool recalled = false;
  if (status.ok()) {
    text_.assign(sql);
    if (auto portal = session_->recall(text_)) {
      recalled = true;
      ++counters_.statements;
      status = run_portal(std::move(portal), true);
      if (status.ok() && check_interruption()) return;
    } else if (auto parsed = session_->parse(text_); parsed.ok()) {
      statements = std::move(parsed).value();
    } else {
      status = parsed.status();
    }
  }
  const bool empty = status.ok() && statements.empty() && !recalled;
  for (size_t i = 0; i < statements.size() && status.ok(); ++i) {
    if (statements.size() > 1) session_->begin_implicit_block();
    status = run_simple(statements[i], i + 1 == statements.size());
    if (status.ok() && check_interruption()) return;
    statements[i].reset();
  }
  if (empty) status = session_->sync();
  if (status.ok() && empty) pgwire::write_empty_query_response(&output_);
  if (!status.ok()) {
    report_error(status);
    // The failed implicit transaction ends here; its rollback has nothing to tell.
    if (state_ == State::kReady) (void)session_->sync();
  }
  if (state_ != State::kReady) return;
  drop_dead_portals();
  ready_for_query();
}

Status Protocol::run_simple(const std::shared_ptr<const sql::ParsedStatement>& statement, bool last) {
  ++counters_.statements;
  parameters_.clear();
  ASSIGN_OR_RETURN(std::shared_ptr<sql::PreparedStatement> prepared, session_->prepare_simple(statement));
  ASSIGN_OR_RETURN(std::unique_ptr<sql::Portal> portal, session_->bind(prepared, parameters_));
  return run_portal(std::move(portal), last);
}

Status Protocol::run_portal(std::unique_ptr<sql::Portal> portal, bool last) {
  if (portal->returns_rows()) RETURN_IF_ERROR(describe_columns(portal->columns(), kTextFormats));
  RETURN_IF_ERROR(begin_rows(portal->columns(), kTextFormats));
  ASSIGN_OR_RETURN(sql::Portal::Progress progress, portal->execute(0, *this));
  RETURN_IF_ERROR(check_terminated());
  finish_copy_out();
  portal.reset();
  // Invariant 2: a commit that fails is told instead of the tag, not after it.
  if (last) RETURN_IF_ERROR(session_->sync());
  if (progress.empty_query) {
    pgwire::write_empty_query_response(&output_);
  } else {
    pgwire::write_command_complete(&output_, progress.tag);
  }
  return {};
}

// A statement that ended its own session, or ended with it, is not through.
Status Protocol::check_terminated() const {
  if (transport_.interruption() != Interruption::kTerminated) return {};
  return Status(SqlState::kAdminShutdown, "terminating connection due to administrator command");
}

// ---- Extended query ----

Status Protocol::on_parse(std::string_view body) {
  RETURN_IF_ERROR(pgwire::parse_parse(body, &parse_, client_text()));
  if (parse_.name.empty()) unnamed_statement_.reset();
  ASSIGN_OR_RETURN(auto statements, session_->parse(parse_.sql));
  if (statements.size() > 1)
    return Status(SqlState::kSyntaxError, "cannot insert multiple commands into a prepared statement");
  parameter_types_.clear();
  for (uint32_t type : parse_.parameter_types) parameter_types_.push_back(Oid(type));
  ASSIGN_OR_RETURN(auto prepared,
                   session_->prepare(statements.empty() ? nullptr : std::move(statements[0]), parameter_types_));
  if (parse_.name.empty()) {
    unnamed_statement_ = std::move(prepared);
  } else {
    RETURN_IF_ERROR(session_->store_prepared(std::string(parse_.name), std::move(prepared)));
  }
  pgwire::write_parse_complete(&output_);
  return {};
}

Status Protocol::on_bind(std::string_view body) {
  // PostgreSQL looks the statement up before it reads on, so an unknown one is told first.
  pgwire::ClientText* const text = client_text();
  Status parsed = pgwire::parse_bind(body, &bind_, text);
  if (!bind_.named) return parsed;
  std::shared_ptr<sql::PreparedStatement> statement;
  if (bind_.statement.empty()) {
    if (unnamed_statement_ == nullptr)
      return Status(SqlState::kInvalidSqlStatementName, "unnamed prepared statement does not exist");
    statement = unnamed_statement_;
  } else {
    ASSIGN_OR_RETURN(statement, session_->find_prepared(std::string(bind_.statement)));
  }
  // Who reads a parameter knows which one it is, not for which portal.
  const std::string portal_name =
      bind_.portal.empty() ? std::string("unnamed portal") : "portal " + quoted(bind_.portal);
  const auto name_portal = [&](const Status& status) {
    ErrorInfo info = status.info();
    if (info.context.starts_with("parameter $")) info.context = portal_name + " " + info.context;
    return Status(std::move(info));
  };
  if (!parsed.ok()) return name_portal(parsed);
  const size_t count = bind_.parameters.size(), formats = bind_.parameter_formats.size();
  if (formats > 1 && formats != count)
    return Status(SqlState::kProtocolViolation, "bind message has " + std::to_string(formats) +
                                                    " parameter formats but " + std::to_string(count) + " parameters");
  const size_t wanted = session_->parameter_types(*statement).size();
  if (count != wanted)
    return Status(SqlState::kProtocolViolation, "bind message supplies " + std::to_string(count) +
                                                    " parameters, but prepared statement " + quoted(bind_.statement) +
                                                    " requires " + std::to_string(wanted));
  const auto parameter_context = [&](size_t i) { return portal_name + " parameter $" + std::to_string(i + 1); };
  parameters_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    int16_t format = format_of(bind_.parameter_formats, i);
    if (format != 0 && format != 1)
      return Status(SqlState::kInvalidParameterValue, "unsupported format code: " + std::to_string(format))
          .with_context(parameter_context(i));
    parameters_[i].null = bind_.parameters[i].null;
    parameters_[i].binary = format == 1;
    parameters_[i].bytes = bind_.parameters[i].bytes;
    if (parameters_[i].null) continue;
    if (text != nullptr) {
      const Oid type = session_->parameter_types(*statement)[i];
      auto decoded = text->decode_value(session_->io_context(), type, format == 1, parameters_[i].bytes);
      if (!decoded.ok()) return Status(decoded.status()).with_context(parameter_context(i));
      parameters_[i].bytes = *decoded;
    } else if (format == 0) {
      if (Status valid = types::verify_utf8(parameters_[i].bytes); !valid.ok())
        return std::move(valid).with_context(parameter_context(i));
    }
  }
  const bool named = !bind_.portal.empty();
  if (!named) unnamed_portal_.reset();
  auto bound = session_->bind(statement, parameters_);
  if (!bound.ok()) return name_portal(bound.status());
  std::unique_ptr<sql::Portal> portal = std::move(bound).value();
  const size_t results = bind_.result_formats.size();
  if (results > 1 && results != portal->columns().size())
    return Status(SqlState::kProtocolViolation, "bind message has " + std::to_string(results) +
                                                    " result formats but query has " +
                                                    std::to_string(portal->columns().size()) + " columns");
  const bool returns_rows = portal->returns_rows();
  if (named) {
    std::string name(bind_.portal);
    RETURN_IF_ERROR(session_->store_portal(name, std::move(portal)));
    portal_info_[name] = PortalInfo{bind_.result_formats, returns_rows};
  } else {
    unnamed_portal_ = std::move(portal);
    unnamed_info_.formats = bind_.result_formats;
    unnamed_info_.returns_rows = returns_rows;
  }
  pgwire::write_bind_complete(&output_);
  return {};
}

Status Protocol::on_describe(std::string_view body) {
  pgwire::TargetMessage target;
  RETURN_IF_ERROR(pgwire::parse_target(body, &target, client_text()));
  if (target.kind == 'S') {
    std::shared_ptr<sql::PreparedStatement> statement = unnamed_statement_;
    if (!target.name.empty()) {
      ASSIGN_OR_RETURN(statement, session_->find_prepared(std::string(target.name)));
    } else if (statement == nullptr) {
      return Status(SqlState::kInvalidSqlStatementName, "unnamed prepared statement does not exist");
    }
    const auto* columns = session_->result_columns(*statement);
    if (columns != nullptr && session_->transaction_state() == TransactionState::kFailed)
      return Status(SqlState::kInFailedSqlTransaction,
                    "current transaction is aborted, commands ignored until end of transaction block");
    pgwire::write_parameter_description(&output_, session_->parameter_types(*statement));
    if (columns != nullptr) {
      RETURN_IF_ERROR(describe_columns(*columns, kTextFormats));
    } else {
      pgwire::write_no_data(&output_);
    }
    return {};
  }
  if (target.kind != 'P')
    return Status(SqlState::kProtocolViolation,
                  "invalid DESCRIBE message subtype " + std::to_string(static_cast<unsigned char>(target.kind)));
  sql::Portal* portal = unnamed_portal_.get();
  PortalInfo cursor{{}, true};  // made by DECLARE: text
  const PortalInfo* info = &unnamed_info_;
  if (!target.name.empty()) {
    std::string name(target.name);
    ASSIGN_OR_RETURN(portal, session_->find_portal(name));
    auto found = portal_info_.find(name);
    info = found == portal_info_.end() ? &cursor : &found->second;
  } else if (portal == nullptr) {
    return Status(SqlState::kInvalidCursorName, "portal \"\" does not exist");
  }
  if (!info->returns_rows) {
    pgwire::write_no_data(&output_);
    return {};
  }
  if (session_->transaction_state() == TransactionState::kFailed)
    return Status(SqlState::kInFailedSqlTransaction,
                  "current transaction is aborted, commands ignored until end of transaction block");
  return describe_columns(portal->columns(), info->formats);
}

Status Protocol::on_execute(std::string_view body) {
  pgwire::ExecuteMessage message;
  RETURN_IF_ERROR(pgwire::parse_execute(body, &message, client_text()));
  ++counters_.statements;
  sql::Portal* portal = unnamed_portal_.get();
  const PortalInfo* info = &unnamed_info_;
  if (!message.portal.empty()) {
    std::string name(message.portal);
    ASSIGN_OR_RETURN(portal, session_->find_portal(name));
    auto found = portal_info_.find(name);
    info = found == portal_info_.end() ? nullptr : &found->second;
  } else if (portal == nullptr) {
    return Status(SqlState::kInvalidCursorName, "portal \"\" does not exist");
  }
  RETURN_IF_ERROR(begin_rows(portal->columns(), info == nullptr ? kTextFormats : info->formats));
  ASSIGN_OR_RETURN(auto progress,
                   portal->execute(message.max_rows > 0 ? static_cast<uint64_t>(message.max_rows) : 0, *this));
  RETURN_IF_ERROR(check_terminated());
  finish_copy_out();
  if (progress.empty_query) {
    pgwire::write_empty_query_response(&output_);
  } else if (!progress.complete) {
    pgwire::write_portal_suspended(&output_);
  } else {
    pgwire::write_command_complete(&output_, progress.tag);
    // The transaction is over, and its portals with it.
    if (progress.tag == "COMMIT" || progress.tag == "ROLLBACK") drop_dead_portals();
  }
  return {};
}

Status Protocol::on_close(std::string_view body) {
  pgwire::TargetMessage target;
  RETURN_IF_ERROR(pgwire::parse_target(body, &target, client_text()));
  std::string name(target.name);
  if (target.kind == 'S') {
    if (name.empty()) {
      unnamed_statement_.reset();
    } else {
      session_->close_prepared(name);
    }
  } else if (target.kind == 'P') {
    if (name.empty()) {
      unnamed_portal_.reset();
    } else {
      session_->close_portal(name);
      portal_info_.erase(name);
    }
  } else {
    return Status(SqlState::kProtocolViolation,
                  "invalid CLOSE message subtype " + std::to_string(static_cast<unsigned char>(target.kind)));
  }
  pgwire::write_close_complete(&output_);
  return {};
}

void Protocol::on_sync(std::string_view body) {
  skipping_ = false;
  if (!body.empty()) report_error(Status(SqlState::kProtocolViolation, "invalid message format"));
  if (state_ != State::kReady) return;
  if (Status status = session_->sync(); !status.ok()) report_error(status);
  if (state_ != State::kReady) return;
  drop_dead_portals();
  ready_for_query();
}

void Protocol::on_function_call() {
  const bool failed = session_->transaction_state() == TransactionState::kFailed;
  report_error(
      failed ? Status(SqlState::kInFailedSqlTransaction,
                      "current transaction is aborted, commands ignored until end of transaction block")
             : Status(SqlState::kFeatureNotSupported, "function calls by the fast-path protocol are not supported")
                   .with_hint("Call the function in a SELECT."));
  if (state_ == State::kReady) (void)session_->sync();
  ready_for_query();
}

// ---- Results ----

Status Protocol::describe_columns(const std::vector<sql::ColumnDescription>& columns,
                                  const std::vector<int16_t>& formats) {
  fields_.clear();
  const types::TypeCatalog* catalog = session_->io_context().catalog;
  for (size_t i = 0; i < columns.size(); ++i) {
    const sql::ColumnDescription& column = columns[i];
    pgwire::FieldDescription field{column.name,        column.table,  column.attnum,        column.type,
                                   column.type_length, column.typmod, format_of(formats, i)};
    // A client is told the base type of a domain, as PostgreSQL does.
    if (catalog != nullptr && types::find_type(column.type) == nullptr && catalog->type_kind(column.type) == 'd')
      field.type = catalog->base_type(column.type, &field.typmod);
    fields_.push_back(field);
  }
  std::vector<std::string> names;
  if (pgwire::ClientText* const text = client_text()) {
    names.reserve(fields_.size());
    for (auto& field : fields_) {
      ASSIGN_OR_RETURN(std::string name, text->encode(field.name));
      field.name = names.emplace_back(std::move(name));
    }
  }
  pgwire::write_row_description(&output_, fields_);
  return {};
}

Status Protocol::begin_rows(const std::vector<sql::ColumnDescription>& columns, const std::vector<int16_t>& formats) {
  const types::IoContext& context = session_->io_context();
  encoder_.begin(context, columns.size());
  converted_columns_.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    int16_t format = format_of(formats, i);
    if (format != 0 && format != 1)
      return Status(SqlState::kInvalidParameterValue, "unsupported format code: " + std::to_string(format));
    Oid type = columns[i].type;
    if (context.catalog != nullptr && types::find_type(type) == nullptr && context.catalog->type_kind(type) == 'd') {
      int32_t typmod = columns[i].typmod;
      type = context.catalog->base_type(type, &typmod);
    }
    encoder_.set_column(i, {type, columns[i].physical, format == 1});
    converted_columns_.push_back({type, format == 1});
  }
  return {};
}

Status Protocol::rows(const std::vector<types::ColumnView>& columns, size_t count) {
  if (columns.size() != encoder_.column_count())
    return Status(SqlState::kInternalError, "a result of " + std::to_string(columns.size()) +
                                                " columns was described with " +
                                                std::to_string(encoder_.column_count()));
  counters_.rows += count;
  const pgwire::ClientText* const text = client_text();
  for (size_t row = 0; row < count;) {
    if (text == nullptr) {
      ASSIGN_OR_RETURN(row, encoder_.encode(columns, row, count, kFlushBytes, &output_));
    } else {
      plain_rows_.clear();
      ASSIGN_OR_RETURN(row, encoder_.encode(columns, row, count, kFlushBytes, &plain_rows_));
      RETURN_IF_ERROR(text->encode_rows(session_->io_context(), converted_columns_, plain_rows_.view(), &output_));
    }
    if (output_.size() >= kFlushBytes && !flush()) return lost_client();
  }
  return {};
}

void Protocol::notice(std::string_view severity, const ErrorInfo& info) {
  pgwire::ClientText* const text = client_text();
  if (text == nullptr) return pgwire::write_notice(&output_, severity, info);
  if (const auto encoded = text->encode(info); encoded.ok()) pgwire::write_notice(&output_, severity, *encoded);
}

// ---- COPY ----

Result<sql::CopySource*> Protocol::begin_copy_in(size_t column_count, bool binary) {
  pgwire::write_copy_in_response(&output_, column_count, binary);
  copy_done_ = false;
  if (!flush()) return lost_client();
  return static_cast<sql::CopySource*>(this);
}

Result<bool> Protocol::read(std::string* out) {
  if (copy_done_) return false;
  const auto lost = [] {
    return Status(SqlState::kConnectionFailure, "unexpected EOF on client connection with an open transaction");
  };
  while (true) {
    pgwire::FrontendMessage message;
    switch (input_.next_copy(&message)) {
      case Decoded::kNeedMore: {
        size_t capacity;
        char* into = input_.prepare(kFlushBytes, &capacity);
        size_t n = transport_.read(into, capacity);
        if (n == 0) {
          if (transport_.interruption() == Interruption::kNone) transport_lost_ = true;
          return lost();
        }
        input_.commit(n);
        continue;
      }
      case Decoded::kBadLength: transport_lost_ = true; return lost();
      case Decoded::kBadType: {
        sync_lost_ = true;
        static constexpr char kHex[] = "0123456789ABCDEF";
        auto type = static_cast<unsigned char>(message.type);
        return Status(SqlState::kProtocolViolation, std::string("unexpected message type 0x") + kHex[type >> 4] +
                                                        kHex[type & 15] + " during COPY from stdin");
      }
      case Decoded::kMessage: break;
    }
    switch (message.type) {
      case 'd':
        if (message.body.empty()) continue;
        out->append(message.body);
        return true;
      case 'c': copy_done_ = true; return false;
      case 'f': {
        pgwire::BodyReader reader(message.body, client_text());
        std::string text = "COPY from stdin failed: " + std::string(reader.string());
        if (!reader.ok()) return reader.status();
        return Status(SqlState::kQueryCanceled, std::move(text));
      }
      default: continue;  // Flush and Sync are ignored here
    }
  }
}

Result<sql::CopySink*> Protocol::begin_copy_out(size_t column_count, bool binary) {
  pgwire::write_copy_out_response(&output_, column_count, binary);
  copying_out_ = true;
  return static_cast<sql::CopySink*>(this);
}

Status Protocol::write(std::string_view bytes) {
  pgwire::write_copy_data(&output_, bytes);
  if (output_.size() >= kFlushBytes && !flush()) return lost_client();
  return {};
}

void Protocol::finish_copy_out() {
  if (std::exchange(copying_out_, false)) pgwire::write_copy_done(&output_);
}

}  // namespace omendb::server
