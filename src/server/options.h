// What the operator decides: command line and configuration file (TOML). The command line wins.
//
//   data_dir = "/var/lib/omendb"       # --data-dir
//   pg_listen = "127.0.0.1:5433"       # --pg-listen
//   http_listen = "127.0.0.1:8080"     # --http-listen; empty: no HTTP
//   memory = "4GB"                     # --memory; one budget for everything; default a quarter of the machine
//   row_cache = "1GB"                  # of it, for rows in memory; default a quarter of it
//   temp_limit = "20GB"                # of what analytical statements spill; default what the disk has free but for a tenth
//   analytics_threads = 4              # for analytical statements; default one a core
//   analytics_priority = "low"         # long statements stand back behind short ones; normal: they do not
//   learned_index = "on"               # off: every read goes to the store, for measuring what the index gains
//   max_connections = 1000
//   authentication_timeout = "60s"
//   shutdown_grace = "5s"              # SIGTERM: open transactions may go on so long
//   log_level = "info"                 # trace, debug, info, warn, error
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "server/server.h"

namespace omendb::server {

/// How the one budget is divided. What a write set or DuckDB does not use is not lent to another.
struct MemoryBudget {
  size_t total = 0;
  size_t block_cache = 0;    // RocksDB blocks: 13 %
  size_t row_cache = 0;      // rows beside the learned index: 25 %
  size_t index = 0;          // the learned index, before it takes from row_cache: 5 %
  size_t write_buffers = 0;  // RocksDB memtables: 8 %, at most 512 MB
  size_t write_set = 0;      // one transaction's writes before they go to the store: 2 %, 16 to 256 MB
  size_t analytics = 0;      // DuckDB's operators and the copies in columns: 35 %
  size_t change_log = 0;     // of each table with a copy, and of a transaction's part of it; out of analytics
};
MemoryBudget divide_memory(size_t total);
/// Bytes of memory that this process may use: the machine's, or its control group's limit.
size_t machine_memory();

/// "512MB", "4GB", "64kB", "1073741824". Errors: F0000.
Result<size_t> parse_bytes(const std::string& text);
/// "60s", "500ms", "5min", "2h". A bare number counts seconds. Errors: F0000.
Result<int64_t> parse_duration_ms(const std::string& text);

struct StartOptions {
  std::string data_directory;
  std::string log_level = "info";
  MemoryBudget memory;
  bool learned_index = true;
  size_t temp_limit = 0;      // 0: not given
  int analytics_threads = 0;  // 0: not given
  bool analytics_stand_back = true;
  ServerOptions server;
};

/// As typed; empty: not given.
struct StartArguments {
  std::string data_directory, pg_listen, http_listen, config_file, memory, certificate, key;
};

/// Reads the configuration file, if any, and puts the arguments over it. Errors: F0000, one line that names what is wrong.
Result<StartOptions> resolve(const StartArguments& arguments);

}  // namespace omendb::server
