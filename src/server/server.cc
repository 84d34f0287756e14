#include "server/server.h"

#include <sys/random.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "server/connection.h"
#include "server/server_impl.h"

namespace omendb::server {
namespace {

// How long an idle worker is kept for the next burst.
constexpr auto kWorkerIdle = std::chrono::seconds(10);
// More than so many do not wait for work at all. Asio wakes waiting threads in turn, so a trickle of work would keep
// every thread that a burst has left behind.
constexpr size_t kWorkersSpare = 16;
// Beyond the limit of sessions, room for connections that start, cancel, or are told that there are too many.
constexpr size_t kExtraConnections = 64;
constexpr int64_t kStopHardLimitNs = 20'000'000'000;

Status bind_acceptor(tcp::acceptor* acceptor, const std::string& address, uint16_t port, const char* what) {
  boost::system::error_code error;
  auto where = address + ":" + std::to_string(port);
  auto parsed = asio::ip::make_address(address, error);
  if (error)
    return Status(SqlState::kConfigFileError, std::string(what) + ": \"" + address + "\" is not an IP address");
  if (!parsed.is_loopback())
    return Status(
        SqlState::kConfigFileError,
        std::string(what) + ": " + where +
            " is not a loopback address; without password authentication the server listens on loopback only");
  tcp::endpoint endpoint(parsed, port);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(1024, error);
  if (error) return Status(SqlState::kIoError, "cannot listen on " + where + ": " + error.message());
  return {};
}

}  // namespace

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;

Status Server::listen() {
  RETURN_IF_ERROR(bind_acceptor(&impl_->pg_acceptor, impl_->options.pg_address, impl_->options.pg_port, "--pg-listen"));
  if (!impl_->options.http_address.empty())
    RETURN_IF_ERROR(
        bind_acceptor(&impl_->http_acceptor, impl_->options.http_address, impl_->options.http_port, "--http-listen"));
  return {};
}

uint16_t Server::pg_port() const { return impl_->pg_acceptor.local_endpoint().port(); }
uint16_t Server::http_port() const {
  return impl_->http_acceptor.is_open() ? impl_->http_acceptor.local_endpoint().port() : 0;
}

bool Server::run(SessionOpener opener, StatisticsSource statistics, bool handle_signals) {
  Impl& impl = *impl_;
  impl.opener = std::move(opener);
  impl.statistics = std::move(statistics);
  impl.started_us = system_clock().now_us();
  impl.workers_max = impl.options.max_connections + kExtraConnections;
  auto keep_running = asio::make_work_guard(impl.io);
  asio::signal_set signals(impl.io);
  std::function<void(const boost::system::error_code&, int)> on_signal = [&](const auto& error, int number) {
    if (error) return;
    spdlog::info("received {}, shutting down", number == SIGINT ? "SIGINT" : "SIGTERM");
    impl.begin_stop(number == SIGINT || impl.stopping.load() != Impl::Stopping::kNo);
    signals.async_wait(on_signal);
  };
  if (handle_signals) {
    signals.add(SIGINT);
    signals.add(SIGTERM);
    signals.async_wait(on_signal);
  }
  impl.accept();
  if (impl.http_acceptor.is_open()) impl.accept_http();
  {
    MutexLock lock(impl.workers_mutex);
    impl.spawn_locked();
  }
  MutexLock lock(impl.workers_mutex);
  // A session that does not end keeps its worker; the caller is told and ends the process.
  while (impl.workers > 0 && !impl.unfinished.load())
    lock.wait_for(impl.workers_changed, std::chrono::milliseconds(100));
  return !impl.unfinished.load();
}

void Server::stop(bool fast) {
  asio::post(impl_->io, [this, fast] { impl_->begin_stop(fast); });
}

bool Server::cancel(int32_t process_id) {
  auto connection = impl_->find(process_id);
  if (connection == nullptr) return false;
  connection->cancel();
  return true;
}

bool Server::terminate(int32_t process_id) {
  auto connection = impl_->find(process_id);
  if (connection == nullptr) return false;
  connection->interrupt(Interruption::kTerminated);
  return true;
}

std::vector<sql::Backends::Backend> Server::list() {
  std::vector<Backend> backends;
  for (const auto& connection : impl_->all()) backends.push_back(connection->describe());
  return backends;
}

// ---- Workers ----

void Server::Impl::spawn_locked() {
  ++workers;
  ++watching;
  std::thread([this] { worker(); }).detach();
}

void Server::Impl::worker() {
  while (!io.stopped()) {
    const bool worked = io.run_one_for(kWorkerIdle) > 0;
    MutexLock lock(workers_mutex);
    if (watching > (worked ? kWorkersSpare : 1) && !io.stopped()) {
      --watching;
      --workers;
      return;
    }
  }
  MutexLock lock(workers_mutex);
  --watching;
  --workers;
  workers_changed.notify_all();
}

void Server::Impl::begin_serving() {
  MutexLock lock(workers_mutex);
  --watching;
  if (watching == 0 && workers < workers_max && !io.stopped()) spawn_locked();
}

void Server::Impl::end_serving() {
  MutexLock lock(workers_mutex);
  ++watching;
}

// ---- Connections ----

void Server::Impl::accept() {
  pg_acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (stopping.load() != Stopping::kNo) return;
    if (error) {
      // Out of descriptors, most likely: wait a little rather than spin.
      spdlog::warn("cannot accept a connection: {}", error.message());
      stop_timer.expires_after(std::chrono::milliseconds(100));
      stop_timer.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) accept();
      });
      return;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    auto remote = socket.remote_endpoint(ignored);
    std::string address = ignored ? std::string() : remote.address().to_string();
    int32_t key = 0;
    CHECK(::getrandom(&key, sizeof(key), 0) == sizeof(key));
    std::shared_ptr<Connection> connection;
    {
      MutexLock lock(registry_mutex);
      if (registry.size() < options.max_connections + kExtraConnections) {
        do {
          last_process_id = last_process_id < static_cast<int32_t>(::getpid()) || last_process_id == INT32_MAX
                                ? static_cast<int32_t>(::getpid()) + 1
                                : last_process_id + 1;
        } while (registry.contains(last_process_id));
        connection = std::make_shared<Connection>(*this, std::move(socket), last_process_id, key, std::move(address));
        registry.emplace(last_process_id, connection);
      }
    }
    metrics.connections_total.fetch_add(1, std::memory_order_relaxed);
    if (connection != nullptr) {
      connection->start();
    } else {
      metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);  // the socket closes here
    }
    accept();
  });
}

Status Server::Impl::admit() {
  if (stopping.load() != Stopping::kNo)
    return Status(SqlState::kCannotConnectNow, "the database system is shutting down");
  size_t now = sessions.load();
  do {
    if (now >= options.max_connections) {
      metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
      return Status(SqlState::kTooManyConnections, "sorry, too many clients already");
    }
  } while (!sessions.compare_exchange_weak(now, now + 1));
  return {};
}

void Server::Impl::leave() { sessions.fetch_sub(1); }

void Server::Impl::forget(int32_t process_id) {
  std::shared_ptr<Connection> last;  // destroyed outside the lock
  MutexLock lock(registry_mutex);
  auto found = registry.find(process_id);
  if (found == registry.end()) return;
  last = std::move(found->second);
  registry.erase(found);
  lock.unlock();
}

std::shared_ptr<Connection> Server::Impl::find(int32_t process_id) {
  MutexLock lock(registry_mutex);
  auto found = registry.find(process_id);
  return found == registry.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Connection>> Server::Impl::all() {
  MutexLock lock(registry_mutex);
  std::vector<std::shared_ptr<Connection>> connections;
  for (const auto& [id, connection] : registry) connections.push_back(connection);
  return connections;
}

// ---- Shutdown ----

void Server::Impl::begin_stop(bool fast) {
  const bool first = stopping.load() == Stopping::kNo;
  if (fast || !first) {
    stopping.store(Stopping::kFast);
  } else {
    stopping.store(Stopping::kGraceful);
  }
  if (!first) return;
  stop_began_ns = monotonic_ns();
  boost::system::error_code ignored;
  pg_acceptor.close(ignored);
  http_acceptor.close(ignored);
  watch_stop();
}

void Server::Impl::watch_stop() {
  const int64_t passed_ns = monotonic_ns() - stop_began_ns;
  if (stopping.load() == Stopping::kGraceful && passed_ns > options.shutdown_grace_ms * 1'000'000)
    stopping.store(Stopping::kFast);
  auto connections = all();
  if (connections.empty()) {
    io.stop();
    return;
  }
  const bool give_up = passed_ns > options.shutdown_grace_ms * 1'000'000 + kStopHardLimitNs;
  for (const auto& connection : connections) {
    if (stopping.load() == Stopping::kFast) {
      connection->interrupt(Interruption::kTerminated);
    } else {
      connection->interrupt_if_idle();
    }
    if (give_up) connection->abandon();
  }
  if (give_up) {
    spdlog::error("{} sessions did not end", connections.size());
    unfinished.store(true);
    io.stop();
    workers_changed.notify_all();
    return;
  }
  stop_timer.expires_after(std::chrono::milliseconds(20));
  stop_timer.async_wait([this](const boost::system::error_code&) { watch_stop(); });
}

}  // namespace omendb::server
