#include "server/connection.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/clock.h"

namespace omendb::server {
namespace {

constexpr size_t kReadBytes = 8 << 10;
constexpr size_t kReadBytesMax = 1 << 20;

// A time setting as SHOW prints it ("0", "500ms", "10s", "1min") in milliseconds.
int64_t parse_milliseconds(const std::string& text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit == "s") return number * 1000;
  if (unit == "min") return number * 60'000;
  if (unit == "h") return number * 3'600'000;
  if (unit == "d") return number * 86'400'000;
  return number;
}

void set_timeout(int fd, int option, int64_t micros) {
  timeval time{micros / 1'000'000, static_cast<suseconds_t>(micros % 1'000'000)};
  ::setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time));
}

}  // namespace

Connection::Connection(Server::Impl& server, tcp::socket socket, int32_t process_id, int32_t cancel_key,
                       std::string remote_address)
    : server_(server),
      socket_(std::move(socket)),
      fd_(socket_.native_handle()),
      process_id_(process_id),
      cancel_key_(cancel_key),
      remote_address_(std::move(remote_address)),
      start_us_(system_clock().now_us()),
      protocol_(static_cast<Host&>(*this), static_cast<Transport&>(*this)) {
  set_timeout(fd_, SO_RCVTIMEO, kLingerUs);
  set_timeout(fd_, SO_SNDTIMEO, 1'000'000);
}

Connection::~Connection() {
  if (detached_) ::close(fd_);
}

void Connection::start() {
  if (server_.options.authentication_timeout_ms > 0) {
    timer_ = std::make_unique<asio::steady_timer>(server_.io);
    timer_->expires_after(std::chrono::milliseconds(server_.options.authentication_timeout_ms));
    timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (auto self = weak.lock(); self && !error) self->interrupt(Interruption::kSilent);
    });
  }
  wait();
}

void Connection::wait() {
  MutexLock lock(mutex_);
  wait_locked();
}

void Connection::detach() {
  MutexLock lock(mutex_);
  boost::system::error_code error;
  family_ = socket_.local_endpoint(error).protocol();
  if (error) return;
  socket_.release(error);
  detached_ = !error;
}

void Connection::wait_locked() {
  if (detached_) {
    boost::system::error_code error;
    socket_.assign(family_, fd_, error);
    detached_ = static_cast<bool>(error);
    if (error) ::shutdown(fd_, SHUT_RDWR);  // the next read ends it
    made_blocking_ = false;
  }
  waiting_ = true;
  ++wait_number_;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code&) { self->on_ready(); });
  // Asio makes a socket non-blocking when it first waits for it. We read and write it ourselves, blocking with a
  // timeout: one system call where a non-blocking read would need three.
  if (!made_blocking_) {
    int off = 0;
    ::ioctl(fd_, FIONBIO, &off);
    made_blocking_ = true;
  }
  // An interruption that came while we were still serving would not have cancelled this wait.
  if (interruption() != Interruption::kNone) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    return;
  }
  if (protocol_.state() != Protocol::State::kReady) return;  // the authentication timer runs
  const bool idle = protocol_.transaction_state() == sql::TransactionState::kIdle;
  if (idle && protocol_.notifications() != nullptr && protocol_.notifications()->has_notifications()) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    return;
  }
  int64_t limit_ms = parse_milliseconds(
      protocol_.session()->setting(idle ? "idle_session_timeout" : "idle_in_transaction_session_timeout"));
  if (limit_ms <= 0) return;
  if (timer_ == nullptr) timer_ = std::make_unique<asio::steady_timer>(server_.io);
  timer_->expires_after(std::chrono::milliseconds(std::max<int64_t>(limit_ms - kLingerUs / 1000, 1)));
  timer_->async_wait([weak = weak_from_this(), number = wait_number_, idle](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!self || error) return;
    {
      MutexLock inner(self->mutex_);
      if (!self->waiting_ || self->wait_number_ != number) return;  // it spoke in the meantime
    }
    self->interrupt(idle ? Interruption::kIdleSession : Interruption::kIdleInTransaction);
  });
}

void Connection::on_ready() {
  {
    MutexLock lock(mutex_);
    waiting_ = false;
    if (timer_ != nullptr && protocol_.state() == Protocol::State::kReady) timer_->cancel();
  }
  ServingScope scope(server_);
  lingers_ = monotonic_ns() - handed_back_ns_ < kLingerUs * 1000;
  serve();
}

void Connection::serve() {
  protocol_.deliver_notifications();
  bool first = true;  // the reactor says that there is something to read
  while (true) {
    if (interruption() != Interruption::kNone) {
      protocol_.run();
      if (protocol_.state() != Protocol::State::kClosed) protocol_.close();
      return finish();
    }
    size_t capacity;
    size_t wanted = std::clamp(protocol_.input().missing(), kReadBytes, kReadBytesMax);
    char* into = protocol_.input().prepare(wanted, &capacity);
    if (!first && lingers_ && !detached_) detach();
    ssize_t n = ::recv(fd_, into, capacity, first || lingers_ ? 0 : MSG_DONTWAIT);
    first = false;
    if (n > 0) {
      server_.metrics.bytes_in.fetch_add(static_cast<uint64_t>(n), std::memory_order_relaxed);
      protocol_.input().commit(static_cast<size_t>(n));
      const bool starting = protocol_.state() == Protocol::State::kStartup;
      executing_.store(true, std::memory_order_release);
      protocol_.run();
      executing_.store(false, std::memory_order_release);
      transaction_state_.store(static_cast<char>(protocol_.transaction_state()), std::memory_order_relaxed);
      publish_counters();
      if (protocol_.state() == Protocol::State::kClosed) return finish();
      if (starting && protocol_.state() == Protocol::State::kReady) {
        MutexLock lock(mutex_);
        if (timer_ != nullptr) timer_->cancel();
      }
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      protocol_.release_memory();
      handed_back_ns_ = monotonic_ns();
      if (server_.stopping.load() != Server::Impl::Stopping::kNo) interrupt_if_idle();
      wait();
      return;
    }
    protocol_.close();  // the client is gone
    return finish();
  }
}

void Connection::finish() {
  if (finished_) return;
  finished_ = true;
  {
    MutexLock lock(mutex_);
    boost::system::error_code ignored;
    if (timer_ != nullptr) timer_->cancel();
    ::shutdown(fd_, SHUT_WR);
    // Bytes that nobody reads would make the kernel answer with a reset, which can overtake our last message.
    char rest[4096];
    for (int i = 0; i < 64 && ::recv(fd_, rest, sizeof(rest), MSG_DONTWAIT) > 0; ++i) {
    }
    if (std::exchange(detached_, false)) {
      ::close(fd_);
    } else {
      socket_.close(ignored);
    }
  }
  if (admitted_) server_.leave();
  server_.forget(process_id_);
}

void Connection::publish_counters() {
  const Protocol::Counters& now = protocol_.counters();
  auto add = [](std::atomic<uint64_t>& to, uint64_t now_value, uint64_t* before) {
    if (now_value != *before) to.fetch_add(now_value - std::exchange(*before, now_value), std::memory_order_relaxed);
  };
  add(server_.metrics.statements, now.statements, &published_.statements);
  add(server_.metrics.rows, now.rows, &published_.rows);
  add(server_.metrics.errors, now.errors, &published_.errors);
}

// ---- From other threads ----

void Connection::interrupt(Interruption reason) {
  MutexLock lock(mutex_);
  Interruption none = Interruption::kNone;
  interruption_.compare_exchange_strong(none, reason, std::memory_order_acq_rel);
  if (waiting_) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  } else if (session_ != nullptr && executing_.load(std::memory_order_acquire)) {
    session_->cancel();
  }
}

void Connection::cancel(std::optional<int32_t> key) {
  if (key.has_value() && *key != cancel_key_) return;
  MutexLock lock(mutex_);
  if (session_ != nullptr && executing_.load(std::memory_order_acquire)) session_->cancel();
}

void Connection::wake() {
  MutexLock lock(mutex_);
  if (!waiting_) return;  // it is looked for before the next ReadyForQuery, and before the next wait
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::interrupt_if_idle() {
  if (executing_.load() || transaction_state_.load() != 'I') return;
  interrupt(Interruption::kTerminated);
}

void Connection::abandon() { ::shutdown(fd_, SHUT_RDWR); }

sql::Backends::Backend Connection::describe() {
  sql::Backends::Backend backend;
  backend.process_id = process_id_;
  backend.remote_address = remote_address_;
  backend.start_us = start_us_;
  backend.active = executing_.load(std::memory_order_relaxed);
  backend.transaction_state = transaction_state_.load(std::memory_order_relaxed);
  MutexLock lock(mutex_);
  backend.user = user_;
  backend.database = database_;
  return backend;
}

// ---- Transport ----

size_t Connection::read(char* into, size_t capacity) {
  while (interruption() == Interruption::kNone) {
    ssize_t n = ::recv(fd_, into, capacity, 0);
    if (n > 0) {
      server_.metrics.bytes_in.fetch_add(static_cast<uint64_t>(n), std::memory_order_relaxed);
      return static_cast<size_t>(n);
    }
    if (n == 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return 0;
    pollfd wait_for{fd_, POLLIN, 0};
    ::poll(&wait_for, 1, 500);
  }
  return 0;
}

bool Connection::write(std::string_view bytes) {
  server_.metrics.bytes_out.fetch_add(bytes.size(), std::memory_order_relaxed);
  while (!bytes.empty()) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (interruption() != Interruption::kNone) return false;  // it does not read, and it shall end
  }
  return true;
}

// ---- Host ----

Status Connection::admit() {
  RETURN_IF_ERROR(server_.admit());
  admitted_ = true;
  return {};
}

Result<std::unique_ptr<sql::Session>> Connection::open_session(sql::SessionOptions options,
                                                               sql::SessionClient& client) {
  options.process_id = process_id_;
  options.remote_address = remote_address_;
  auto session = server_.opener(options, client);
  MutexLock lock(mutex_);
  user_ = options.user;
  database_ = options.database;
  if (session.ok()) session_ = session.value().get();
  if (auto* source = session.ok() ? dynamic_cast<sql::NotificationSource*>(session_) : nullptr) {
    source->on_notification([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->wake();
    });
  }
  return session;
}

void Connection::session_closing() {
  MutexLock lock(mutex_);
  session_ = nullptr;
}

void Connection::cancel_request(int32_t process_id, int32_t key) {
  if (auto connection = server_.find(process_id)) connection->cancel(key);
}

}  // namespace omendb::server
