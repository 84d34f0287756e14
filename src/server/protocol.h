// The protocol's state machine: what each message means, and in which order answers come.
//
// One Protocol per connection, between a Transport (bytes) and a sql::Session (statements); it knows neither sockets nor
// threads. Whoever owns it puts what the client sent into input() and calls run() on the thread that shall execute.
//
//   kStartup --SSLRequest, GSSENCRequest--> kStartup          'N'
//   kStartup --CancelRequest, garbage-----> kClosed           no answer
//   kStartup --StartupPacket--------------> kReady            AuthenticationOk ... ReadyForQuery
//   kReady   --error in extended query----> kReady, skipping  to the next Sync
//   kReady   --Terminate, lost client-----> kClosed
//   any      --FATAL----------------------> kClosed
//
// Invariants
//   1. Every Query, FunctionCall and Sync is answered by exactly one ReadyForQuery, or the connection is closed.
//   2. A statement of a simple query that ends its transaction is committed before its CommandComplete is written.
//   3. Settings that changed are reported right before ReadyForQuery, once.
//   4. Output never grows beyond one row above kFlushBytes: full, it is written, and the writer waits for the client.
//   5. When kClosed is reached without Terminate, whatever transaction was open is rolled back with the session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "pgwire/pgwire.h"
#include "sql/conversation.h"
#include "sql/neighbours.h"
#include "sql/session.h"

namespace omendb::server {

/// Why a connection has to end, told from outside.
enum class Interruption : uint8_t {
  kNone,
  kTerminated,         // pg_terminate_backend, shutdown: 57P01
  kIdleInTransaction,  // 25P03
  kIdleSession,        // 57P05
  kSilent,             // no answer: startup took too long
};

/// The connection's bytes, as the protocol sees them while a statement runs.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Waits for at least one byte. 0: the client is gone, or an interruption came.
  virtual size_t read(char* into, size_t capacity) = 0;
  /// Writes all of `bytes`, waiting for a slow client. False: the client is gone, or an interruption came.
  virtual bool write(std::string_view bytes) = 0;
  virtual Interruption interruption() const = 0;
};

/// The server around a connection.
class Host {
 public:
  virtual ~Host() = default;
  /// Opens the session; process id and limits are the host's to add. Errors: 53300, 57P03, and those of Engine::open_session.
  virtual Status admit() = 0;
  virtual Result<std::unique_ptr<sql::Session>> open_session(sql::SessionOptions options,
                                                             sql::SessionClient& client) = 0;
  /// The session is about to be destroyed: nobody may cancel it from now on.
  virtual void session_closing() = 0;
  virtual int32_t process_id() const = 0;
  virtual int32_t cancel_key() const = 0;
  /// A CancelRequest: cancels the named connection's statement if the key is right.
  virtual void cancel_request(int32_t process_id, int32_t key) = 0;
};

class Protocol final : private sql::SessionClient,
                       private sql::RowSink,
                       private sql::CopySource,
                       private sql::CopySink {
 public:
  static constexpr size_t kFlushBytes = 64 << 10;

  enum class State : uint8_t { kStartup, kReady, kClosed };

  Protocol(Host& host, Transport& transport);
  ~Protocol() override;

  pgwire::FrontendDecoder& input() { return input_; }
  /// Handles every complete message of the input; output is written. Afterwards more input is needed, or state() is kClosed.
  /// `interruption` of the transport is honoured between messages.
  void run();
  /// Rolls back and forgets the session. The client is gone.
  void close();

  State state() const { return state_; }
  sql::Session* session() const { return session_.get(); }
  sql::TransactionState transaction_state() const {
    return session_ == nullptr ? sql::TransactionState::kIdle : session_->transaction_state();
  }
  /// Sends the notifications that came while the client was idle, or nothing inside a transaction.
  void deliver_notifications();
  /// Where they come from; nullptr before the session is there.
  sql::NotificationSource* notifications() const { return notifications_; }
  /// Gives back what an idle connection does not need.
  void release_memory();

  struct Counters {
    uint64_t statements = 0, rows = 0, errors = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  // A bound statement with what the protocol has to remember of it.
  struct PortalInfo {
    std::vector<int16_t> formats;
    bool returns_rows = false;
  };

  void startup(std::string_view body);
  void begin_session(pgwire::StartupPacket packet);
  void handle(const pgwire::FrontendMessage& message);

  void on_query(std::string_view body);
  Status run_simple(const std::shared_ptr<const sql::ParsedStatement>& statement, bool last);
  Status run_portal(std::unique_ptr<sql::Portal> portal, bool last);
  Status check_terminated() const;
  Status on_parse(std::string_view body);
  Status on_bind(std::string_view body);
  Status on_describe(std::string_view body);
  Status on_execute(std::string_view body);
  Status on_close(std::string_view body);
  void on_sync(std::string_view body);
  void on_function_call();

  void ready_for_query();
  void drop_dead_portals();
  void report_error(const Status& error);
  void fatal(const Status& error);
  bool check_interruption();
  /// Starts the statement's clock. False: it ran out before this message came, which is answered so.
  bool check_clock(char type);
  /// The converter to the client's encoding of this moment; nullptr: UTF8.
  pgwire::ClientText* client_text();
  void write_error(std::string_view severity, const ErrorInfo& info);
  void write_parameter_status(std::string_view name, std::string_view value);
  Status describe_columns(const std::vector<sql::ColumnDescription>& columns, const std::vector<int16_t>& formats);
  Status begin_rows(const std::vector<sql::ColumnDescription>& columns, const std::vector<int16_t>& formats);
  void finish_copy_out();
  bool flush();

  // sql::SessionClient
  void notice(std::string_view severity, const ErrorInfo& info) override;
  Result<sql::CopySource*> begin_copy_in(size_t column_count, bool binary) override;
  Result<sql::CopySink*> begin_copy_out(size_t column_count, bool binary) override;
  // sql::RowSink, sql::CopySource, sql::CopySink
  Status rows(const std::vector<types::ColumnView>& columns, size_t count) override;
  Result<bool> read(std::string* out) override;
  Status write(std::string_view bytes) override;

  Host& host_;
  Transport& transport_;
  State state_ = State::kStartup;
  bool ssl_refused_ = false, gss_refused_ = false;
  bool skipping_ = false;        // to the next Sync
  bool transport_lost_ = false;  // nothing can be written any more
  bool sync_lost_ = false;       // a message in the middle of COPY that may not stand there
  bool copy_done_ = false;       // CopyDone was read
  bool copying_out_ = false;

  pgwire::FrontendDecoder input_;
  pgwire::Buffer output_;
  pgwire::RowEncoder encoder_;
  pgwire::ClientText client_text_;
  pgwire::Buffer plain_rows_;  // before they are converted
  std::vector<pgwire::ClientText::Column> converted_columns_;
  std::vector<pgwire::FieldDescription> fields_;
  std::string text_;  // of the simple query: the input buffer moves when COPY reads
  pgwire::ParseMessage parse_;
  pgwire::BindMessage bind_;
  std::vector<Oid> parameter_types_;
  std::vector<sql::ParameterValue> parameters_;

  std::unique_ptr<sql::Session> session_;
  sql::NotificationSource* notifications_ = nullptr;  // the session again
  sql::Conversation* conversation_ = nullptr;         // and again
  bool write_notifications();
  std::shared_ptr<sql::PreparedStatement> unnamed_statement_;
  std::unique_ptr<sql::Portal> unnamed_portal_;  // destroyed before the session
  PortalInfo unnamed_info_;
  std::unordered_map<std::string, PortalInfo> portal_info_;
  Counters counters_;
};

}  // namespace omendb::server
