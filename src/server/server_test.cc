// Real sockets, real threads, a fake session: who is served, who is refused, who is interrupted, and what that costs.
#include "server/server.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <thread>

#include "pgwire/pgwire.h"
#include "server/fake_session.h"

namespace omendb::server {
namespace {

using namespace std::chrono_literals;

std::string be32(uint32_t v) {
  std::string s(4, '\0');
  store_be32(s.data(), v);
  return s;
}
std::string zero(const std::string& text) { return text + std::string(1, '\0'); }

class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(const std::string& bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void query(const std::string& sql) { send("Q" + be32(static_cast<uint32_t>(sql.size() + 5)) + zero(sql)); }
  void start() {
    std::string body = be32(pgwire::kProtocol3) + zero("user") + zero("u") + zero("");
    send(be32(static_cast<uint32_t>(body.size() + 4)) + body);
  }
  // Types of the messages until ReadyForQuery or the end ('$'); SQLSTATE after E.
  std::string answer() {
    std::string text;
    while (true) {
      std::string head = read(5);
      if (head.size() < 5) return text + "$";
      std::string body = read(load_be32(head.data() + 1) - 4);
      text += head[0];
      if (head[0] == 'E') text += body.substr(body.find('C', body.find('V') + 6) + 1, 5);
      if (head[0] == 'K') key = body;
      if (head[0] == 'Z') return text + body;
    }
  }
  std::string ask(const std::string& sql) {
    query(sql);
    return answer();
  }
  std::string key;
  bool connected = false;

 private:
  std::string read(size_t n) {
    std::string bytes(n, '\0');
    size_t have = 0;
    while (have < n) {
      pollfd wait_for{fd_, POLLIN, 0};
      if (::poll(&wait_for, 1, 10'000) <= 0) return "timeout";
      ssize_t got = ::recv(fd_, bytes.data() + have, n - have, 0);
      if (got <= 0) return {};
      have += static_cast<size_t>(got);
    }
    return bytes;
  }
  int fd_;
};

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.pg_port = 0;
    server.emplace(options);
    Status bound = server->listen();
    ASSERT_TRUE(bound.ok()) << bound.message();
    port = server->pg_port();
    thread = std::thread([this] {
      ended = server->run(
          [this](const sql::SessionOptions&, sql::SessionClient& client) -> Result<std::unique_ptr<sql::Session>> {
            ++opened;
            return std::unique_ptr<sql::Session>(new CountedSession(client, closed));
          },
          {}, false);
    });
  }
  void TearDown() override { stop(true); }
  void stop(bool fast) {
    if (!thread.joinable()) return;
    server->stop(fast);
    thread.join();
    EXPECT_TRUE(ended);
    EXPECT_EQ(opened, closed);
  }
  struct CountedSession : FakeSession {
    CountedSession(sql::SessionClient& c, std::atomic<int>& closed_count) : FakeSession(c), closed(closed_count) {}
    ~CountedSession() override { ++closed; }
    std::atomic<int>& closed;
  };
  /// How many sessions are in a statement.
  size_t active() {
    const auto sessions = server->list();
    return static_cast<size_t>(std::count_if(sessions.begin(), sessions.end(), [](const auto& s) { return s.active; }));
  }
  std::atomic<int> opened{0}, closed{0};
  std::optional<Server> server;
  std::thread thread;
  uint16_t port = 0;
  bool ended = false;
};

size_t thread_count() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Threads:")) return std::stoul(line.substr(8));
  return 0;
}

template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST_F(ServerTest, ManyIdleClientsCostNoThread) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->start();
    ASSERT_EQ(clients.back()->answer(), "RSKZI");
  }
  EXPECT_TRUE(eventually([] { return thread_count() < 50; }));
  for (auto& client : clients) EXPECT_EQ(client->ask("rows 1"), "TDCZI");
}

TEST_F(ServerTest, BlockedStatementsDoNotKeepOthersWaiting) {
  start();
  std::vector<std::unique_ptr<Client>> sleepers;
  for (int i = 0; i < 20; ++i) {
    sleepers.push_back(std::make_unique<Client>(port));
    sleepers.back()->start();
    sleepers.back()->answer();
    sleepers.back()->query("sleep");
  }
  Client quick(port);
  quick.start();
  EXPECT_EQ(quick.answer(), "RSKZI");
  EXPECT_EQ(quick.ask("rows 3"), "TDDDCZI");
  for (auto& sleeper : sleepers) {  // cancel each by its key
    Client canceller(port);
    canceller.send(be32(16) + be32(pgwire::kCancelRequestCode) + sleeper->key);
    EXPECT_EQ(canceller.answer(), "$");
    EXPECT_EQ(sleeper->answer(), "E57014ZI");
  }
}

TEST_F(ServerTest, AWrongKeyCancelsNothing) {
  start();
  Client sleeper(port);
  sleeper.start();
  sleeper.answer();
  sleeper.query("sleep");
  ASSERT_TRUE(eventually([&] { return active() == 1; }));
  Client canceller(port);
  canceller.send(be32(16) + be32(pgwire::kCancelRequestCode) + sleeper.key.substr(0, 4) +
                 be32(load_be32(sleeper.key.data() + 4) + 1));
  EXPECT_EQ(canceller.answer(), "$");  // it was read and done with
  EXPECT_EQ(active(), 1u);
  EXPECT_TRUE(server->cancel(static_cast<int32_t>(load_be32(sleeper.key.data()))));
  EXPECT_EQ(sleeper.answer(), "E57014ZI");
  EXPECT_FALSE(server->cancel(1));
}

TEST_F(ServerTest, OneTooManyIsToldAndAPlaceIsFreedByLeaving) {
  ServerOptions options;
  options.max_connections = 2;
  start(options);
  auto first = std::make_unique<Client>(port);
  Client second(port), third(port);
  first->start();
  second.start();
  EXPECT_EQ(first->answer(), "RSKZI");
  EXPECT_EQ(second.answer(), "RSKZI");
  third.start();
  EXPECT_EQ(third.answer(), "E53300$");
  first->close();
  EXPECT_TRUE(eventually([&] {
    Client again(port);
    again.start();
    return again.answer() == "RSKZI";
  }));
}

TEST_F(ServerTest, TerminateReachesTheIdleAndTheBusy) {
  start();
  Client idle(port), busy(port);
  idle.start();
  busy.start();
  idle.answer();
  busy.answer();
  busy.query("sleep");
  ASSERT_TRUE(eventually([&] { return active() == 1; }));  // idle is back in the reactor, busy is in its statement
  for (Client* client : {&idle, &busy}) {
    EXPECT_TRUE(server->terminate(static_cast<int32_t>(load_be32(client->key.data()))));
    EXPECT_EQ(client->answer(), "E57P01$");
  }
  EXPECT_TRUE(eventually([&] { return server->list().empty(); }));
}

TEST_F(ServerTest, IdleTimeouts) {
  start();
  Client in_transaction(port), idle(port);
  in_transaction.start();
  idle.start();
  in_transaction.answer();
  idle.answer();
  EXPECT_EQ(in_transaction.ask("limit idle_in_transaction_session_timeout 60ms;begin"), "CCZT");
  EXPECT_EQ(in_transaction.answer(), "E25P03$");
  EXPECT_EQ(idle.ask("limit idle_session_timeout 60ms"), "CZI");
  EXPECT_EQ(idle.answer(), "E57P05$");
}

TEST_F(ServerTest, SilenceAtTheStartIsNotWaitedForLong) {
  ServerOptions options;
  options.authentication_timeout_ms = 100;
  start(options);
  Client silent(port), talking(port);
  silent.send(std::string("\0\0", 2));
  talking.start();
  EXPECT_EQ(talking.answer(), "RSKZI");
  EXPECT_EQ(silent.answer(), "$");
  Client later(port);  // its time is over after talking's would have been
  EXPECT_EQ(later.answer(), "$");
  EXPECT_EQ(talking.ask("rows 0"), "TCZI");
}

TEST_F(ServerTest, AVanishedClientEndsItsSession) {
  start();
  Client reader(port), sender(port);
  reader.start();
  sender.start();
  reader.answer();
  sender.answer();
  reader.query("rows 100000000");  // more than every buffer between us
  sender.query("copyin");
  ASSERT_TRUE(eventually([&] { return active() == 2; }));
  reader.close();
  sender.close();
  EXPECT_TRUE(eventually([&] { return closed == 2; }));
}

TEST_F(ServerTest, AGracefulStopLetsTransactionsEnd) {
  ServerOptions options;
  options.shutdown_grace_ms = 5'000;
  start(options);
  Client idle(port), working(port);
  idle.start();
  working.start();
  idle.answer();
  working.answer();
  EXPECT_EQ(working.ask("begin"), "CZT");
  server->stop(false);
  EXPECT_EQ(idle.answer(), "E57P01$");
  EXPECT_EQ(working.ask("rows 1"), "TDCZT");
  EXPECT_EQ(working.ask("commit"), "CZI");
  EXPECT_EQ(working.answer(), "E57P01$");
  thread.join();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(Client(port).connected);
}

TEST_F(ServerTest, AFastStopEndsEverythingAtOnce) {
  start();
  Client idle(port), working(port), busy(port);
  for (Client* client : {&idle, &working, &busy}) {
    client->start();
    client->answer();
  }
  working.ask("begin");
  busy.query("sleep");
  ASSERT_TRUE(eventually([&] { return active() == 1; }));
  auto before = std::chrono::steady_clock::now();
  stop(true);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_EQ(idle.answer(), "E57P01$");
  EXPECT_EQ(working.answer(), "E57P01$");
  EXPECT_EQ(busy.answer(), "E57P01$");
}

TEST(ServerListen, RefusesWhatIsNotLoopbackAndSaysWhatIsOccupied) {
  ServerOptions options;
  options.pg_address = "0.0.0.0";
  EXPECT_EQ(Server(options).listen().code(), SqlState::kConfigFileError);
  options.pg_address = "127.0.0.1";
  options.pg_port = 0;
  Server first(options);
  ASSERT_TRUE(first.listen().ok());
  options.pg_port = first.pg_port();
  Server second(options);
  EXPECT_EQ(second.listen().message(),
            "cannot listen on 127.0.0.1:" + std::to_string(options.pg_port) + ": Address already in use");
}

}  // namespace
}  // namespace omendb::server
