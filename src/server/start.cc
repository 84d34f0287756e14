#include "server/start.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "server/data_directory.h"
#include "server/server.h"
#include "server/stall_watch.h"
#include "sql/session.h"
#include "table/database.h"

namespace omendb::server {
namespace {

int fail(const Status& status, int code = 1) {
  std::fprintf(stderr, "omendb: %s\n", status.message().c_str());
  return code;
}

double seconds_since(int64_t began_ns) { return static_cast<double>(monotonic_ns() - began_ns) / 1e9; }

// A connection is a descriptor; the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

table::DatabaseOptions database_options(const std::string& directory, const MemoryBudget& memory,
                                        bool learned_index = true) {
  table::DatabaseOptions options;
  options.directory = directory + "/rows";
  options.block_cache_bytes = std::max<size_t>(memory.block_cache, 8 << 20);
  options.row_cache_bytes = memory.row_cache;
  options.index_bytes = memory.index;
  options.learned_index = learned_index;
  options.write_buffer_bytes = memory.write_buffers;
  options.write_set_bytes = memory.write_set;
  options.change_log_bytes = memory.change_log;
  return options;
}

}  // namespace

int start(const StartArguments& arguments) {
  if (!arguments.certificate.empty() || !arguments.key.empty())
    return fail(Status(SqlState::kFeatureNotSupported, "--cert and --key: TLS is not available yet"), 2);
  auto resolved = resolve(arguments);
  if (!resolved.ok()) return fail(resolved.status());
  const StartOptions& options = *resolved;
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  raise_descriptor_limit();

  Server server(options.server);
  auto directory = DataDirectory::acquire(options.data_directory, true);
  if (!directory.ok()) return fail(directory.status());
  if (Status bound = server.listen(); !bound.ok()) return fail(bound);

  const int64_t began_ns = monotonic_ns();
  auto database =
      table::Database::open(database_options(options.data_directory, options.memory, options.learned_index));
  if (!database.ok()) return fail(database.status());
  const double recovery_seconds = seconds_since(began_ns);
  sql::EngineOptions engine_options;
  engine_options.memory_bytes = options.memory.analytics;
  engine_options.temp_directory = options.data_directory + "/temp";
  engine_options.columns_directory = options.data_directory + "/columns";
  engine_options.release = kVersion;
  engine_options.temp_bytes = options.temp_limit;
  engine_options.threads = options.analytics_threads;
  engine_options.stand_back = options.analytics_stand_back;
  engine_options.backends = &server;
  engine_options.warn = [](const std::string& line) { spdlog::warn("{}", line); };
  auto engine = sql::Engine::create(**database, engine_options);
  if (!engine.ok()) return fail(engine.status());

  spdlog::info("omendb {} ready on {}:{}, data directory {}, recovery {:.3f} s, start {:.3f} s, memory budget {} MB",
               kVersion, options.server.pg_address, server.pg_port(), options.data_directory, recovery_seconds,
               seconds_since(began_ns), options.memory.total >> 20);
  if (server.http_port() != 0)
    spdlog::info("http on {}:{}: /health, /metrics", options.server.http_address, server.http_port());

  StallWatch stall_watch(StallWatch::kBytesMax, StallWatch::kEveryMs,
                         [](const std::string& text) { spdlog::warn("{}", text); });
  const bool ended =
      server.run([&engine](const sql::SessionOptions& session,
                           sql::SessionClient& client) { return engine.value()->open_session(session, client); },
                 [&database, &engine] {
                   auto all = database.value()->statistics();
                   for (auto& counter : engine.value()->statistics()) all.push_back(std::move(counter));
                   return all;
                 },
                 true);
  if (!ended) {
    // Threads are still inside the engine. What was acknowledged is durable; the next start recovers.
    spdlog::error("stopped without closing the database");
    spdlog::shutdown();
    std::_Exit(1);
  }
  const int64_t closing_ns = monotonic_ns();
  engine.value().reset();
  database.value().reset();
  spdlog::info("stopped cleanly, database closed in {:.3f} s", seconds_since(closing_ns));
  return 0;
}

int verify(const std::string& directory_path) {
  auto directory = DataDirectory::acquire(directory_path, false);
  if (!directory.ok()) return fail(directory.status());
  const int64_t began_ns = monotonic_ns();
  auto database = table::Database::open(database_options(directory_path, divide_memory(machine_memory() / 4)));
  if (!database.ok()) return fail(database.status());
  if (Status verified = database.value()->verify(); !verified.ok()) return fail(verified);
  std::printf("verified: indexes and rows agree (%.3f s)\n", seconds_since(began_ns));
  return 0;
}

}  // namespace omendb::server
