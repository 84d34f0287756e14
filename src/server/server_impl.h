// The inside of Server, shared by server.cc, connection.cc and http.cc. Asio's headers are here and not in server.h.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.h"
#include "server/server.h"

namespace omendb::server {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Metrics {
  std::atomic<uint64_t> connections_total{0}, connections_refused{0}, statements{0}, rows{0}, errors{0}, bytes_in{0},
      bytes_out{0};
};

struct Server::Impl {
  explicit Impl(ServerOptions o) : options(std::move(o)) {}

  ServerOptions options;
  asio::io_context io;
  tcp::acceptor pg_acceptor{io};
  tcp::acceptor http_acceptor{io};
  asio::steady_timer stop_timer{io};
  SessionOpener opener;
  StatisticsSource statistics;
  Metrics metrics;
  int64_t started_us = 0;

  // Workers
  void worker();
  void begin_serving();  // the calling thread will block: see to it that another watches the reactor
  void end_serving();
  void spawn_locked() REQUIRES(workers_mutex);
  Mutex workers_mutex;
  std::condition_variable workers_changed;
  size_t workers GUARDED_BY(workers_mutex) = 0;
  size_t watching GUARDED_BY(workers_mutex) = 0;  // workers that do not serve
  size_t workers_max = 0;

  // Connections
  void accept();
  Status admit();
  void leave();  // gives admit()'s place back
  void forget(int32_t process_id);
  std::shared_ptr<Connection> find(int32_t process_id);
  std::vector<std::shared_ptr<Connection>> all();
  Mutex registry_mutex;
  std::unordered_map<int32_t, std::shared_ptr<Connection>> registry GUARDED_BY(registry_mutex);
  int32_t last_process_id GUARDED_BY(registry_mutex) = 0;
  std::atomic<size_t> sessions{0};

  // Shutdown
  enum class Stopping : int { kNo, kGraceful, kFast };
  std::atomic<Stopping> stopping{Stopping::kNo};
  std::atomic<bool> unfinished{false};
  int64_t stop_began_ns = 0;
  void begin_stop(bool fast);  // on the reactor
  void watch_stop();

  // HTTP (http.cc)
  void accept_http();
  std::string render_metrics();
};

/// While it lives, the calling worker serves a connection.
class ServingScope {
 public:
  explicit ServingScope(Server::Impl& impl) : impl_(impl) { impl_.begin_serving(); }
  ~ServingScope() { impl_.end_serving(); }

 private:
  Server::Impl& impl_;
};

}  // namespace omendb::server
