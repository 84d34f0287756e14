// server/: connections, sessions, limits, configuration and the process itself.
//
//   protocol.h        what messages mean; no socket, no thread
//   connection.h      one client's socket, and the thread that serves it for the moment
//   server.h          listening, workers, the registry of connections, limits, shutdown (server_impl.h)
//   start.h           the commands of the binary;  stall_watch.h: a warning when something keeps memory from being freed
//   http.cc           /health and /metrics
//   options.h         command line, configuration file, memory budget
//   data_directory.h  the lock of a data directory
//
// Threads. A connection that waits for its client costs no thread: its socket stands in the reactor (Asio, epoll). When bytes
// arrive, the very thread that learns of it serves the connection: it reads, executes and writes, blocking where it must, as
// PostgreSQL's process would. After a statement it stays with its client for kLingerUs, so that a busy client is served by one thread
// without a hop; then it gives the connection back. A thread that begins to serve makes sure that another one
// watches the reactor, and starts it if there is none, so a statement that waits for a row lock never keeps the
// statement that would free it from running.
//
//   waiting --bytes--> served --kLingerUs without bytes--> waiting
//   either  --client gone, Terminate, FATAL--> closed
//
// Invariants
//   1. As long as fewer than the limit of threads serve, one thread watches the reactor.
//   2. A connection is served by one thread at a time; everybody else may only interrupt() or cancel() it.
//   3. A session is destroyed, and its transaction rolled back, before its connection leaves the registry.
//   4. Shutdown: no new connection, then every session ended, then run() returns; the database is closed after that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "sql/session.h"

namespace omendb::server {

class Connection;

struct ServerOptions {
  std::string pg_address = "127.0.0.1";
  uint16_t pg_port = 5433;
  std::string http_address;  // empty: no HTTP
  uint16_t http_port = 0;
  size_t max_connections = 1000;
  int64_t authentication_timeout_ms = 60'000;
  int64_t shutdown_grace_ms = 5'000;  // SIGTERM: how long open transactions may go on
};

using SessionOpener =
    std::function<Result<std::unique_ptr<sql::Session>>(const sql::SessionOptions&, sql::SessionClient&)>;
/// Counters by name, for /metrics.
using StatisticsSource = std::function<std::vector<std::pair<std::string, uint64_t>>()>;

class Server final : public sql::Backends {
 public:
  explicit Server(ServerOptions options);
  ~Server() override;

  /// Binds the ports; clients that connect from now on wait until run(). Errors: one line for the operator.
  Status listen();
  uint16_t pg_port() const;
  uint16_t http_port() const;

  /// Serves until stop() or a signal (if `handle_signals`: SIGTERM as stop(false), SIGINT as stop(true)).
  /// True: every session ended. False: some did not; the process must not touch what they use.
  bool run(SessionOpener opener, StatisticsSource statistics, bool handle_signals);
  /// Thread: any. `fast`: open transactions are ended at once.
  void stop(bool fast);

  // sql::Backends
  bool cancel(int32_t process_id) override;
  bool terminate(int32_t process_id) override;
  std::vector<Backend> list() override;

  struct Impl;  // Asio's part; server.cc and connection.cc

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace omendb::server
