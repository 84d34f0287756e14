// Message order, against a session that does what its statements' names say. What statements mean is tested elsewhere.
#include "server/protocol.h"

#include <gtest/gtest.h>

#include "server/fake_session.h"

namespace omendb::server {
namespace {

using sql::TransactionState;

class FakeTransport : public Transport {
 public:
  size_t read(char* into, size_t capacity) override {
    size_t n = std::min(capacity, std::min<size_t>(later.size(), 7));  // in small pieces
    std::memcpy(into, later.data(), n);
    later.erase(0, n);
    return n;
  }
  bool write(std::string_view bytes) override {
    if (gone) return false;
    written.append(bytes);
    largest = std::max(largest, bytes.size());
    return true;
  }
  Interruption interruption() const override { return interrupted; }
  std::string later, written;
  size_t largest = 0;
  bool gone = false;
  Interruption interrupted = Interruption::kNone;
};

class FakeHost : public Host {
 public:
  Status admit() override {
    return full ? Status(SqlState::kTooManyConnections, "sorry, too many clients already") : Status();
  }
  Result<std::unique_ptr<sql::Session>> open_session(sql::SessionOptions, sql::SessionClient& client) override {
    auto made = std::make_unique<FakeSession>(client);
    session = made.get();
    return std::unique_ptr<sql::Session>(std::move(made));
  }
  void session_closing() override { session = nullptr; }
  int32_t process_id() const override { return 1; }
  int32_t cancel_key() const override { return 2; }
  void cancel_request(int32_t pid, int32_t key) override { cancelled = {pid, key}; }
  FakeSession* session = nullptr;
  bool full = false;
  std::pair<int32_t, int32_t> cancelled;
};

std::string be32(uint32_t v) {
  std::string s(4, '\0');
  store_be32(s.data(), v);
  return s;
}
std::string zero(const std::string& text) { return text + std::string(1, '\0'); }
std::string message(char type, const std::string& body) {
  return type + be32(static_cast<uint32_t>(body.size() + 4)) + body;
}
std::string Q(const std::string& sql) { return message('Q', zero(sql)); }
std::string P(const std::string& name, const std::string& sql) {
  return message('P', zero(name) + zero(sql) + std::string(2, '\0'));
}
std::string B(const std::string& portal, const std::string& name) {
  return message('B', zero(portal) + zero(name) + std::string(6, '\0'));
}
std::string D(char kind, const std::string& name) { return message('D', kind + zero(name)); }
std::string E(const std::string& portal, uint32_t max = 0) { return message('E', zero(portal) + be32(max)); }
std::string C(char kind, const std::string& name) { return message('C', kind + zero(name)); }
const std::string S = message('S', ""), H = message('H', ""), X = message('X', "");

class ProtocolTest : public ::testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    send(startup_packet());
    transport.written.clear();
  }
  static std::string startup_packet() {
    std::string body = be32(pgwire::kProtocol3) + zero("user") + zero("u") + zero("");
    return be32(static_cast<uint32_t>(body.size() + 4)) + body;
  }
  void send(const std::string& bytes) {
    protocol.input().feed(bytes);
    protocol.run();
  }
  // The types of what came back: SQLSTATE after E, tag after C, state after Z.
  std::string answer() {
    std::string text;
    for (size_t at = 0; at < transport.written.size();) {
      char type = transport.written[at];
      size_t length = load_be32(transport.written.data() + at + 1);
      std::string body = transport.written.substr(at + 5, length - 4);
      if (!text.empty()) text += ' ';
      text += type;
      if (type == 'C') text += "(" + body.substr(0, body.size() - 1) + ")";
      if (type == 'Z') text += body;
      if (type == 'E')
        text += body.substr(body.find('C', body.find('V') + 6), 6).substr(1) + (body[1] == 'F' ? "!" : "");
      at += 1 + length;
    }
    transport.written.clear();
    return text;
  }
  std::string ask(const std::string& bytes) {
    send(bytes);
    return answer();
  }
  FakeHost host;
  FakeTransport transport;
  Protocol protocol{host, transport};
};

TEST_F(ProtocolTest, SimpleQueryAnswersEachStatementAndIsReadyOnce) {
  EXPECT_EQ(ask(Q("rows 2")), "T D D C(SELECT 2) ZI");
  EXPECT_EQ(ask(Q("begin;rows 0;notice;commit")), "C(BEGIN) T C(SELECT 0) N C(NOTICE) C(COMMIT) ZI");
  EXPECT_EQ(ask(Q("")), "I ZI");
  EXPECT_EQ(ask(Q(";;")), "I ZI");
  EXPECT_EQ(ask(Q("rows 1;error;rows 1")), "T D C(SELECT 1) E22012 ZI");
  EXPECT_EQ(ask(Q("rows 1;bad")), "E42601 ZI");
  EXPECT_EQ(ask(Q("begin;error")), "C(BEGIN) E22012 ZE");
  EXPECT_EQ(ask(Q("rows 1")), "E25P02 ZE");
  EXPECT_EQ(ask(Q("rollback")), "C(ROLLBACK) ZI");
}

TEST_F(ProtocolTest, ACommitThatFailsIsToldInsteadOfTheTag) {
  host.session->fail_commit = true;
  EXPECT_EQ(ask(Q("rows 1")), "T D E40001 ZI");
  host.session->fail_commit = true;
  EXPECT_EQ(ask(P("", "rows 1") + B("", "") + E("") + S), "1 2 D C(SELECT 1) E40001 ZI");
}

TEST_F(ProtocolTest, ExtendedQuery) {
  EXPECT_EQ(ask(P("", "rows 2") + B("", "") + D('P', "") + E("") + S), "1 2 T D D C(SELECT 2) ZI");
  EXPECT_EQ(ask(P("s", "rows 1") + D('S', "s") + S), "1 t T ZI");
  EXPECT_EQ(ask(P("s", "rows 1") + S), "E42P05 ZI");
  EXPECT_EQ(ask(P("", "") + D('S', "") + B("", "") + D('P', "") + E("") + S), "1 t n 2 n I ZI");
  EXPECT_EQ(ask(P("", "rows 1;rows 2") + S), "E42601 ZI");
  EXPECT_EQ(ask(B("", "missing") + S), "E26000 ZI");
  EXPECT_EQ(ask(E("missing") + S), "E34000 ZI");
  EXPECT_EQ(ask(D('P', "") + S), "E34000 ZI");
  EXPECT_EQ(ask(D('x', "") + S), "E08P01 ZI");
  EXPECT_EQ(ask(C('S', "missing") + C('P', "missing") + C('S', "s") + S), "3 3 3 ZI");
  EXPECT_EQ(ask(B("", "s") + S), "E26000 ZI");
}

TEST_F(ProtocolTest, PortalsSuspendAndTagTheLastFetchOnly) {
  EXPECT_EQ(ask(Q("begin")), "C(BEGIN) ZT");
  EXPECT_EQ(ask(P("", "rows 5") + B("p", "") + E("p", 2) + E("p", 2) + S), "1 2 D D s D D s ZT");
  EXPECT_EQ(ask(E("p", 2) + S), "D C(SELECT 1) ZT");
  EXPECT_EQ(ask(P("", "commit") + B("", "") + E("") + E("p") + S), "1 2 C(COMMIT) E34000 ZI");
}

TEST_F(ProtocolTest, AfterAnErrorEverythingIsSkippedToSync) {
  EXPECT_EQ(
      ask(P("", "error") + B("", "") + E("") + P("", "rows 1") + Q("rows 1") + H + E("") + S + P("", "rows 0") + S),
      "1 2 E22012 ZI 1 ZI");
  EXPECT_EQ(host.session->failures, 1);
}

TEST_F(ProtocolTest, SettingsAreReportedRightBeforeReadyForQuery) {
  EXPECT_EQ(ask(Q("set;rows 0")), "C(SET) T C(SELECT 0) S ZI");
  EXPECT_EQ(ask(Q("rows 0")), "T C(SELECT 0) ZI");
}

TEST_F(ProtocolTest, BadBodiesAreErrorsNotTheEnd) {
  EXPECT_EQ(ask(message('Q', "no end")), "E08P01 ZI");
  EXPECT_EQ(ask(message('Q', zero("x") + "y")), "E08P01 ZI");
  EXPECT_EQ(ask(Q("\xff")), "E22021 ZI");
  EXPECT_EQ(ask(message('B', zero("")) + S), "E08P01 ZI");
  EXPECT_EQ(ask(message('F', "")), "E0A000 ZI");
  EXPECT_EQ(ask(message('d', "late") + message('c', "") + Q("rows 0")), "T C(SELECT 0) ZI");
}

TEST_F(ProtocolTest, UnknownTypesAreFatalAndBadLengthsSilent) {
  EXPECT_EQ(ask("?" + be32(4)), "E08P01!");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
  EXPECT_EQ(host.session, nullptr);
}

TEST_F(ProtocolTest, BadLengthClosesWithoutAWord) {
  EXPECT_EQ(ask("Q" + be32(3)), "");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

TEST_F(ProtocolTest, CopyInTakesItsDataHoweverTheyAreCut) {
  transport.later = message('d', "one\ntw") + H + S + message('d', "") + message('d', "o\n") + message('c', "");
  EXPECT_EQ(ask(Q("copyin")), "G C(COPY 1) ZI");
  EXPECT_EQ(host.session->copied, "one\ntwo\n");
}

TEST_F(ProtocolTest, CopyInFailures) {
  transport.later = message('f', zero("stop"));
  EXPECT_EQ(ask(Q("copyin")), "G E57014 ZI");
  // The rest of the data is on its way while the statement fails.
  EXPECT_EQ(ask(Q("copyin") + message('d', "wrong") + message('d', "more") + message('c', "") + Q("rows 0")),
            "G E22P02 ZI T C(SELECT 0) ZI");
  transport.later = Q("rows 1");
  EXPECT_EQ(ask(Q("copyin")), "G E08P01 E08P01!");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

TEST_F(ProtocolTest, CopyInFromAClientThatVanishes) {
  EXPECT_EQ(ask(Q("copyin")), "G");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
  EXPECT_EQ(host.session, nullptr);
}

TEST_F(ProtocolTest, CopyOutEndsWithCopyDone) {
  EXPECT_EQ(ask(Q("copyout;rows 0")), "H d d c C(COPY 2) T C(SELECT 0) ZI");
}

TEST_F(ProtocolTest, ResultsAreWrittenInBoundedPieces) {
  send(Q("rows 100000"));
  EXPECT_LT(transport.largest, Protocol::kFlushBytes + 1024);
  EXPECT_GT(transport.written.size(), 1'000'000u);
}

TEST_F(ProtocolTest, AVanishedClientEndsTheStatement) {
  transport.gone = true;
  send(Q("rows 1000000"));
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
  EXPECT_LT(protocol.counters().rows, 10'000u);
}

TEST_F(ProtocolTest, InterruptionsSpeakBeforeTheyClose) {
  transport.interrupted = Interruption::kIdleInTransaction;
  EXPECT_EQ(ask(Q("rows 1")), "E25P03!");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

TEST_F(ProtocolTest, TerminateEndsWithoutAWord) {
  EXPECT_EQ(ask(Q("rows 0") + X + Q("rows 0")), "T C(SELECT 0) ZI");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

class StartupTest : public ProtocolTest {
 protected:
  void SetUp() override {}
};

TEST_F(StartupTest, OrdinaryStart) { EXPECT_EQ(ask(startup_packet()), "R S K ZI"); }

TEST_F(StartupTest, EncryptionIsDeclinedOnceEach) {
  send(be32(8) + be32(pgwire::kSslRequestCode));
  EXPECT_EQ(transport.written, "N");
  send(be32(8) + be32(pgwire::kGssEncRequestCode));
  EXPECT_EQ(transport.written, "NN");
  transport.written.clear();
  EXPECT_EQ(ask(be32(8) + be32(pgwire::kSslRequestCode)), "E0A000!");
}

TEST_F(StartupTest, BytesBehindAnEncryptionRequestAreRefused) {
  send(be32(8) + be32(pgwire::kSslRequestCode) + startup_packet());
  EXPECT_EQ(transport.written.substr(0, 2), "NE");
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

TEST_F(StartupTest, CancelRequestIsPassedOnAndNotAnswered) {
  EXPECT_EQ(ask(be32(16) + be32(pgwire::kCancelRequestCode) + be32(7) + be32(9)), "");
  EXPECT_EQ(host.cancelled, std::make_pair(7, 9));
  EXPECT_EQ(protocol.state(), Protocol::State::kClosed);
}

TEST_F(StartupTest, OldProtocolsGetTheirOldError) {
  send(be32(8) + be32(2u << 16));
  EXPECT_EQ(transport.written, zero("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n"));
}

TEST_F(StartupTest, TooManyClients) {
  host.full = true;
  EXPECT_EQ(ask(startup_packet()), "E53300!");
}

}  // namespace
}  // namespace omendb::server
