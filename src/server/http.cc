// GET /health and GET /metrics (Prometheus' text format). One request a connection; loopback only, as the rest.
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/clock.h"
#include "server/server_impl.h"

namespace omendb::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(Server::Impl& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {}

  void start() {
    parser_.header_limit(8 << 10);
    parser_.body_limit(0);
    stream_.expires_after(std::chrono::seconds(10));
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](beast::error_code error, size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const auto& request = parser_.get();
    response_.version(request.version());
    response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response_.keep_alive(false);
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      response_.result(http::status::method_not_allowed);
      response_.set(http::field::allow, "GET, HEAD");
      response_.body() = "only GET is answered here\n";
    } else if (request.target() == "/health") {
      const bool stopping = server_.stopping.load() != Server::Impl::Stopping::kNo;
      response_.result(stopping ? http::status::service_unavailable : http::status::ok);
      response_.body() = stopping ? "stopping\n" : "ok\n";
    } else if (request.target() == "/metrics") {
      response_.result(http::status::ok);
      response_.body() = server_.render_metrics();
    } else {
      response_.result(http::status::not_found);
      response_.body() = "there are /health and /metrics\n";
    }
    response_.prepare_payload();
    if (request.method() == http::verb::head) response_.body().clear();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code, size_t) {
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  Server::Impl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

void Server::Impl::accept_http() {
  http_acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (stopping.load() != Stopping::kNo) return;
    if (!error) std::make_shared<HttpSession>(*this, std::move(socket))->start();
    accept_http();
  });
}

std::string Server::Impl::render_metrics() {
  std::string text;
  auto line = [&](const std::string& name, const char* type, uint64_t value) {
    text += "# TYPE omendb_" + name + " " + type + "\nomendb_" + name + " " + std::to_string(value) + "\n";
  };
  line("uptime_seconds", "gauge", static_cast<uint64_t>((system_clock().now_us() - started_us) / 1'000'000));
  line("sessions", "gauge", sessions.load());
  {
    MutexLock lock(workers_mutex);
    line("workers", "gauge", workers);
    line("workers_serving", "gauge", workers - watching);
  }
  line("connections_total", "counter", metrics.connections_total.load());
  line("connections_refused_total", "counter", metrics.connections_refused.load());
  line("statements_total", "counter", metrics.statements.load());
  line("rows_sent_total", "counter", metrics.rows.load());
  line("errors_total", "counter", metrics.errors.load());
  line("received_bytes_total", "counter", metrics.bytes_in.load());
  line("sent_bytes_total", "counter", metrics.bytes_out.load());
  if (statistics) {
    for (const auto& [name, value] : statistics()) {
      std::string safe;
      for (char c : name) safe += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      line(safe, "untyped", value);
    }
  }
  return text;
}

}  // namespace omendb::server
