// The omendb binary: start, verify, version. Trouble is one line on stderr; exit 1, or 2 for a wrong command line.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "server/start.h"

/// jemalloc's settings (its manual, TUNING): freed memory goes back to the system within a second, also when nobody allocates, so
/// that what is resident is what the shares of the memory budget hold. glibc's arenas kept half as much again.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

int main(int argc, char** argv) {
  using omendb::server::StartArguments;
  CLI::App app("OmenDB: a PostgreSQL-compatible database");
  app.require_subcommand(1);

  StartArguments start;
  CLI::App* start_command = app.add_subcommand("start", "run a server");
  start_command->add_option("--data-dir", start.data_directory, "where the database lies; made if it does not exist");
  start_command->add_option("--pg-listen", start.pg_listen, "ADDRESS:PORT for PostgreSQL clients (127.0.0.1:5433)");
  start_command->add_option("--http-listen", start.http_listen, "ADDRESS:PORT for /health and /metrics (off)");
  start_command->add_option("--config", start.config_file, "configuration file (TOML)");
  start_command->add_option("--memory", start.memory, "memory budget, such as 4GB (a quarter of the machine)");
  start_command->add_option("--cert", start.certificate, "TLS certificate");
  start_command->add_option("--key", start.key, "TLS key");

  std::string verify_directory;
  CLI::App* verify_command = app.add_subcommand("verify", "compare indexes with rows; the server must be stopped");
  verify_command->add_option("--data-dir", verify_directory, "where the database lies")->required();

  CLI::App* version_command = app.add_subcommand("version", "print the version");
  for (const char* name : {"backup", "restore"}) {
    CLI::App* command = app.add_subcommand(name, "not available yet");
    command->allow_extras();
    command->callback([name] {
      std::fprintf(stderr, "omendb: '%s' is not available yet\n", name);
      std::exit(2);
    });
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (version_command->parsed()) {
    std::printf("omendb %s (PostgreSQL %s compatible)\n", omendb::server::kVersion, omendb::server::kPostgresVersion);
    return 0;
  }
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("omendb", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e%z %l %v");
  spdlog::flush_on(spdlog::level::info);
  if (start_command->parsed()) return omendb::server::start(start);
  if (verify_command->parsed()) return omendb::server::verify(verify_directory);
  return 2;
}
