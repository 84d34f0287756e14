#include "server/start.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "server/data_directory.h"
#include "server/server.h"
#include "sql/session.h"
#include "table/database.h"

namespace omendb::server {
namespace {

int fail(const Status& status, int code = 1) {
  std::fprintf(stderr, "omendb: %s\n", status.message().c_str());
  return code;
}

// A connection is a descriptor; the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
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

  table::DatabaseOptions rows;
  rows.directory = options.data_directory + "/rows";
  rows.block_cache_bytes = options.memory.block_cache;
  rows.write_buffer_bytes = options.memory.write_buffers;
  rows.write_set_bytes = options.memory.write_set;
  const int64_t opening = monotonic_ns();
  auto database = table::Database::open(rows);
  if (!database.ok()) return fail(database.status());
  spdlog::info("opened {} in {} ms", options.data_directory, (monotonic_ns() - opening) / 1'000'000);

  sql::EngineOptions engine_options;
  engine_options.memory_bytes = options.memory.analytics;
  engine_options.temp_directory = options.data_directory + "/temp";
  auto engine = sql::Engine::create(**database, engine_options);
  if (!engine.ok()) return fail(engine.status());
  const bool ended = server.run(
      [&](const sql::SessionOptions& session, sql::SessionClient& client) { return (*engine)->open_session(session, client); },
      [&] { return (*database)->statistics(); }, true);
  if (!ended) std::_Exit(1);  // a session still runs: what it uses must not be taken away under it
  return 0;
}

int verify(const std::string& directory_path) {
  auto directory = DataDirectory::acquire(directory_path, false);
  if (!directory.ok()) return fail(directory.status());
  table::DatabaseOptions rows;
  rows.directory = directory_path + "/rows";
  auto database = table::Database::open(rows);
  if (!database.ok()) return fail(database.status());
  if (Status verified = (*database)->verify(); !verified.ok()) return fail(verified);
  std::printf("indexes and rows agree\n");
  return 0;
}

}  // namespace omendb::server
