// A session for tests of message order and of connections. It does what its statements' names say:
// "rows N", "error", "set", "begin", "commit", "rollback", "copyin", "copyout", "notice", "sleep"; a "bad..." does not parse.
#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sql/session.h"

namespace omendb::sql {
class ParsedStatement {
 public:
  std::string text;
};
class PreparedStatement {
 public:
  std::string text;
  std::vector<Oid> parameters;
  std::vector<ColumnDescription> columns;
};
}  // namespace omendb::sql

namespace omendb::server {

using sql::TransactionState;

class FakeSession;

class FakePortal : public sql::Portal {
 public:
  FakePortal(FakeSession& session, std::shared_ptr<sql::PreparedStatement> statement)
      : session_(session), statement_(std::move(statement)) {}
  const std::vector<sql::ColumnDescription>& columns() const override { return statement_->columns; }
  bool returns_rows() const override { return !statement_->columns.empty(); }
  Result<Progress> execute(uint64_t max_rows, sql::RowSink& sink) override;

 private:
  FakeSession& session_;
  std::shared_ptr<sql::PreparedStatement> statement_;
  int sent_ = 0;
};

class FakeSession : public sql::Session {
 public:
  explicit FakeSession(sql::SessionClient& client) : client(client) {}
  Result<std::vector<std::shared_ptr<const sql::ParsedStatement>>> parse(std::string_view sql) override {
    std::vector<std::shared_ptr<const sql::ParsedStatement>> all;
    std::stringstream stream{std::string(sql)};
    for (std::string part; std::getline(stream, part, ';');) {
      if (part.empty()) continue;
      if (part.starts_with("bad")) return Status(SqlState::kSyntaxError, "syntax error").with_position(1);
      auto one = std::make_shared<sql::ParsedStatement>();
      one->text = part;
      all.push_back(one);
    }
    return all;
  }
  std::unique_ptr<sql::Portal> recall(std::string_view) override { return nullptr; }
  Result<std::shared_ptr<sql::PreparedStatement>> prepare(std::shared_ptr<const sql::ParsedStatement> parsed,
                                                          const std::vector<Oid>& types) override {
    auto prepared = std::make_shared<sql::PreparedStatement>();
    prepared->text = parsed == nullptr ? "" : parsed->text;
    if (state == TransactionState::kFailed && prepared->text != "rollback")
      return Status(SqlState::kInFailedSqlTransaction, "current transaction is aborted");
    prepared->parameters = types;
    if (prepared->text.starts_with("rows"))
      prepared->columns.push_back({"n", kInvalidOid, 0, types::oid::kInt4, 4, -1, {types::Physical::kInt32}});
    return prepared;
  }
  Result<std::shared_ptr<sql::PreparedStatement>> prepare_simple(
      std::shared_ptr<const sql::ParsedStatement> parsed) override {
    return prepare(std::move(parsed), {});
  }
  const std::vector<Oid>& parameter_types(const sql::PreparedStatement& s) const override { return s.parameters; }
  const std::vector<sql::ColumnDescription>* result_columns(const sql::PreparedStatement& s) const override {
    return s.columns.empty() ? nullptr : &s.columns;
  }
  Result<std::unique_ptr<sql::Portal>> bind(std::shared_ptr<sql::PreparedStatement> s,
                                            const std::vector<sql::ParameterValue>&) override {
    return std::unique_ptr<sql::Portal>(new FakePortal(*this, std::move(s)));
  }
  Status store_prepared(const std::string& name, std::shared_ptr<sql::PreparedStatement> s) override {
    if (!prepared.emplace(name, s).second) return Status(SqlState::kDuplicatePstatement, "already exists");
    return {};
  }
  Result<std::shared_ptr<sql::PreparedStatement>> find_prepared(const std::string& name) override {
    if (!prepared.contains(name)) return Status(SqlState::kInvalidSqlStatementName, "does not exist");
    return prepared[name];
  }
  void close_prepared(const std::string& name) override { prepared.erase(name); }
  Status store_portal(const std::string& name, std::unique_ptr<sql::Portal> portal) override {
    portals[name] = std::move(portal);
    return {};
  }
  Result<sql::Portal*> find_portal(const std::string& name) override {
    if (!portals.contains(name)) return Status(SqlState::kInvalidCursorName, "does not exist");
    return portals[name].get();
  }
  void close_portal(const std::string& name) override { portals.erase(name); }
  void fail() override {
    ++failures;
    if (state == TransactionState::kInTransaction) state = TransactionState::kFailed;
  }
  Status sync() override {
    ++syncs;
    if (fail_commit) {
      fail_commit = false;
      return Status(SqlState::kTRSerializationFailure, "could not serialize");
    }
    return {};
  }
  void begin_implicit_block() override {}
  TransactionState transaction_state() const override { return state; }
  std::vector<std::pair<std::string, std::string>> take_changed_parameters() override {
    return std::exchange(changed, {});
  }
  std::vector<std::pair<std::string, std::string>> reported_parameters() const override {
    return {{"server_version", "15"}};
  }
  std::string setting(const std::string& name) const override {
    return settings.contains(name) ? settings.at(name) : "0";
  }
  const types::IoContext& io_context() const override { return io; }
  void cancel() override { cancelled = true; }

  sql::SessionClient& client;
  TransactionState state = TransactionState::kIdle;
  std::map<std::string, std::shared_ptr<sql::PreparedStatement>> prepared;
  std::map<std::string, std::unique_ptr<sql::Portal>> portals;
  std::vector<std::pair<std::string, std::string>> changed;
  types::IoContext io;
  std::map<std::string, std::string> settings;
  std::atomic<bool> cancelled{false};
  int failures = 0, syncs = 0;
  bool fail_commit = false;
  std::string copied;
};

inline Result<sql::Portal::Progress> FakePortal::execute(uint64_t max_rows, sql::RowSink& sink) {
  const std::string& text = statement_->text;
  Progress progress;
  if (text.empty()) {
    progress.empty_query = true;
  } else if (text.starts_with("rows")) {
    int total = std::stoi(text.substr(5)), batch = 0;
    for (; sent_ < total && (max_rows == 0 || batch < static_cast<int>(max_rows)); ++sent_, ++batch) {
      types::ColumnView view;
      view.type = types::oid::kInt4;
      view.physical = {types::Physical::kInt32};
      view.data = &sent_;
      RETURN_IF_ERROR(sink.rows({view}, 1));
    }
    progress.complete = max_rows == 0 || batch < static_cast<int>(max_rows);
    progress.tag = "SELECT " + std::to_string(batch);
  } else if (text == "error") {
    return Status(SqlState::kDivisionByZero, "division by zero");
  } else if (text == "set") {
    session_.changed = {{"TimeZone", "UTC"}};
    progress.tag = "SET";
  } else if (text.starts_with("sleep")) {
    session_.cancelled = false;
    for (int i = 0; i < 1000; ++i) {
      if (session_.cancelled) return Status(SqlState::kQueryCanceled, "canceling statement due to user request");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    progress.tag = "SLEEP";
  } else if (text.starts_with("limit ")) {  // "limit idle_session_timeout 50ms"
    size_t space = text.find(' ', 6);
    session_.settings[text.substr(6, space - 6)] = text.substr(space + 1);
    progress.tag = "SET";
  } else if (text == "begin") {
    session_.state = TransactionState::kInTransaction;
    progress.tag = "BEGIN";
  } else if (text == "commit" || text == "rollback") {
    session_.state = TransactionState::kIdle;
    session_.portals.clear();
    progress.tag = text == "commit" ? "COMMIT" : "ROLLBACK";
  } else if (text == "notice") {
    session_.client.notice("WARNING", {});
    progress.tag = "NOTICE";
  } else if (text == "copyin") {
    ASSIGN_OR_RETURN(sql::CopySource * source, session_.client.begin_copy_in(1, false));
    session_.copied.clear();
    while (true) {
      ASSIGN_OR_RETURN(bool more, source->read(&session_.copied));
      if (session_.copied.find("wrong") != std::string::npos)
        return Status(SqlState::kInvalidTextRepresentation, "wrong");
      if (!more) break;
    }
    progress.tag = "COPY 1";
  } else if (text == "copyout") {
    ASSIGN_OR_RETURN(sql::CopySink * copy_sink, session_.client.begin_copy_out(1, false));
    RETURN_IF_ERROR(copy_sink->write("1\n"));
    RETURN_IF_ERROR(copy_sink->write("2\n"));
    progress.tag = "COPY 2";
  }
  return progress;
}

}  // namespace omendb::server
