// A database in memory or on disk, an engine over it and sessions that run SQL text as the simple protocol does: for tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "sql/session.h"

namespace omendb::sql::testing {

class TextSink final : public RowSink {
 public:
  explicit TextSink(const types::IoContext& io) : io_(io) {}
  Status rows(const std::vector<types::ColumnView>& columns, size_t count) override {
    for (size_t i = 0; i < count; ++i) {
      if (!text.empty()) text += "\n";
      for (size_t c = 0; c < columns.size(); ++c) {
        if (c > 0) text += "|";
        if (columns[c].is_null(i)) {
          text += "NULL";
        } else {
          types::output(columns[c].type, columns[c].physical, columns[c].at(i), io_, &text);
        }
      }
      ++row_count;
    }
    return Status();
  }
  std::string text;
  uint64_t row_count = 0;

 private:
  const types::IoContext& io_;
};

class TestClient final : public SessionClient, public CopySource, public CopySink {
 public:
  void notice(std::string_view severity, const ErrorInfo& info) override {
    notices += std::string(severity) + ": " + info.message + "\n";
  }
  Result<CopySource*> begin_copy_in(size_t, bool) override { return static_cast<CopySource*>(this); }
  Result<CopySink*> begin_copy_out(size_t, bool) override { return static_cast<CopySink*>(this); }
  Result<bool> read(std::string* out) override {
    if (copy_at >= copy_input.size()) return false;
    const size_t take = std::min<size_t>(7, copy_input.size() - copy_at);  // lines arrive in pieces
    out->append(copy_input, copy_at, take);
    copy_at += take;
    return true;
  }
  Status write(std::string_view bytes) override {
    copy_output += bytes;
    return Status();
  }
  std::string notices, copy_input, copy_output;
  size_t copy_at = 0;
};

class TestSession {
 public:
  TestSession(Engine& engine, int32_t process_id) {
    SessionOptions options;
    options.process_id = process_id;
    auto opened = engine.open_session(options, client);
    CHECK(opened.ok());
    session = std::move(opened).value();
  }

  /// Runs a string of statements; rows as "a|b" lines, else the tag of the last statement, else "ERROR code: message".
  std::string run(const std::string& sql) {
    last_tag.clear();
    auto error = [&](const Status& status) {
      const Status synced = session->sync();
      (void)synced;
      last_error = status.info();
      const auto state = sqlstate_text(status.code());
      return "ERROR " + std::string(state.data(), 5) + ": " + status.message();
    };
    TextSink sink(session->io_context());
    if (auto known = session->recall(sql)) {
      auto progress = known->execute(0, sink);
      known.reset();
      if (!progress.ok()) return error(progress.status());
      last_tag = progress->tag;
      const Status synced = session->sync();
      if (!synced.ok()) return error(synced);
      return sink.row_count > 0 ? sink.text : last_tag;
    }
    auto parsed = session->parse(sql);
    if (!parsed.ok()) return error(parsed.status());
    if (parsed->size() > 1) session->begin_implicit_block();
    for (const auto& statement : *parsed) {
      auto prepared = session->prepare_simple(statement);
      if (!prepared.ok()) return error(prepared.status());
      auto portal = session->bind(*prepared, {});
      if (!portal.ok()) return error(portal.status());
      auto progress = (*portal)->execute(0, sink);
      if (!progress.ok()) return error(progress.status());
      last_tag = progress->tag;
    }
    const Status synced = session->sync();
    if (!synced.ok()) return error(synced);
    return sink.row_count > 0 ? sink.text : last_tag;
  }

  /// Extended protocol with text parameters; as run().
  std::string run(const std::string& sql, const std::vector<std::string>& values, const std::vector<Oid>& types = {}) {
    auto prepared = prepare(sql, types);
    if (!prepared.ok()) return fail(prepared.status());
    return run(*prepared, values);
  }
  Result<std::shared_ptr<PreparedStatement>> prepare(const std::string& sql, const std::vector<Oid>& types = {}) {
    auto parsed = session->parse(sql);
    if (!parsed.ok()) return parsed.status();
    return session->prepare(parsed->at(0), types);
  }
  std::string run(std::shared_ptr<PreparedStatement> prepared, const std::vector<std::string>& values) {
    std::vector<ParameterValue> parameters;
    for (const auto& value : values) parameters.push_back({value == "NULL", false, value});
    auto portal = session->bind(std::move(prepared), parameters);
    if (!portal.ok()) return fail(portal.status());
    TextSink sink(session->io_context());
    auto progress = (*portal)->execute(0, sink);
    if (!progress.ok()) return fail(progress.status());
    last_tag = progress->tag;
    const Status synced = session->sync();
    if (!synced.ok()) return fail(synced);
    return sink.row_count > 0 ? sink.text : last_tag;
  }
  std::string copy_in(const std::string& sql, const std::string& data) {
    client.copy_input = data;
    client.copy_at = 0;
    return run(sql);
  }
  std::string copy_out(const std::string& sql) {
    client.copy_output.clear();
    const std::string result = run(sql);
    return result.rfind("ERROR", 0) == 0 ? result : client.copy_output;
  }

  TestClient client;
  std::unique_ptr<Session> session;
  std::string last_tag;
  ErrorInfo last_error;

 private:
  std::string fail(const Status& status) {
    const Status synced = session->sync();
    (void)synced;
    last_error = status.info();
    const auto state = sqlstate_text(status.code());
    return "ERROR " + std::string(state.data(), 5) + ": " + status.message();
  }
};

class TestDatabase {
 public:
  /// Without a directory it is in memory.
  explicit TestDatabase(const std::string& directory = "", const std::string& release = "test",
                        table::DatabaseOptions options = {}) {
    if (!directory.empty()) options.directory = directory + "/data";
    options.block_cache_bytes = 16 << 20;
    options.write_buffer_bytes = 16 << 20;
    auto opened = table::Database::open(options);
    CHECK(opened.ok());
    database = std::move(opened).value();
    EngineOptions engine_options;
    engine_options.memory_bytes = 256 << 20;
    engine_options.threads = 2;
    if (!directory.empty()) engine_options.columns_directory = directory + "/columns";
    engine_options.release = release;
    auto created = Engine::create(*database, engine_options);
    CHECK(created.ok());
    engine = std::move(created).value();
  }
  std::unique_ptr<TestSession> connect() { return std::make_unique<TestSession>(*engine, next_process_id_++); }

  /// How often somebody has begun to wait for a lock.
  uint64_t lock_waits() const {
    for (const auto& [name, value] : database->statistics()) {
      if (name == "lock_waits") return value;
    }
    return 0;
  }
  /// Returns once there have been more waits than `before`; false after 20 seconds.
  bool await_lock_wait(uint64_t before) const {
    for (int i = 0; i < 4000 && lock_waits() <= before; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return lock_waits() > before;
  }

  std::unique_ptr<table::Database> database;
  std::unique_ptr<Engine> engine;

 private:
  int32_t next_process_id_ = 1;
};

}  // namespace omendb::sql::testing
