// One client: its socket, its protocol state, and the thread that serves it for the moment (see server.h).
#pragma once

#include <atomic>
#include <memory>

#include "base/mutex.h"
#include "server/protocol.h"
#include "server/server_impl.h"

namespace omendb::server {

class Connection final : public std::enable_shared_from_this<Connection>, private Transport, private Host {
 public:
  /// How long a thread stays with a client that says nothing, if that client's last pause was shorter than this. A client
  /// that thinks longer costs one hand-over per statement (about 10 us) instead of a thread.
  static constexpr int64_t kLingerUs = 10'000;

  Connection(Server::Impl& server, tcp::socket socket, int32_t process_id, int32_t cancel_key,
             std::string remote_address);
  ~Connection() override;

  /// Puts the socket into the reactor for the first time. Silence ends it after the authentication timeout.
  void start();

  // Thread: any.
  /// Ends the connection for `reason` as soon as possible; a running statement is cancelled. Again: cancels again.
  void interrupt(Interruption reason);
  /// Cancels the running statement, if there is one.
  void cancel(std::optional<int32_t> key = std::nullopt);
  /// For shutdown: interrupts unless a transaction is open or a statement runs.
  void interrupt_if_idle();
  /// A notification came: sent at once to a client that is idle.
  void wake();
  /// The last resort of a shutdown: the socket is shut under the thread that uses it.
  void abandon();
  sql::Backends::Backend describe();

 private:
  void wait();
  void wait_locked() REQUIRES(mutex_);
  void on_ready();
  void serve();
  /// Takes the socket out of the reactor until wait(): what arrives while we block on it ourselves would wake a second thread each time.
  void detach();
  void finish();
  void publish_counters();

  // Transport
  size_t read(char* into, size_t capacity) override;
  bool write(std::string_view bytes) override;
  Interruption interruption() const override { return interruption_.load(std::memory_order_acquire); }
  // Host
  Status admit() override;
  Result<std::unique_ptr<sql::Session>> open_session(sql::SessionOptions options, sql::SessionClient& client) override;
  void session_closing() override;
  int32_t process_id() const override { return process_id_; }
  int32_t cancel_key() const override { return cancel_key_; }
  void cancel_request(int32_t process_id, int32_t key) override;

  Server::Impl& server_;
  tcp::socket socket_;
  const int fd_;
  const int32_t process_id_, cancel_key_;
  const std::string remote_address_;
  const int64_t start_us_;

  std::atomic<Interruption> interruption_{Interruption::kNone};
  std::atomic<bool> executing_{false};
  std::atomic<char> transaction_state_{'I'};
  bool admitted_ = false;
  bool made_blocking_ = false;
  bool finished_ = false;
  bool lingers_ = false;   // its last pause was short
  bool detached_ = false;  // fd_ is ours alone; socket_ is closed
  tcp family_ = tcp::v4();
  int64_t handed_back_ns_ = 0;
  Protocol::Counters published_;

  Mutex mutex_;
  bool waiting_ GUARDED_BY(mutex_) = false;
  sql::Session* session_ GUARDED_BY(mutex_) = nullptr;  // for cancel
  std::string user_ GUARDED_BY(mutex_), database_ GUARDED_BY(mutex_);
  uint64_t wait_number_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<asio::steady_timer> timer_;  // made when first needed
  Protocol protocol_;
};

}  // namespace omendb::server
