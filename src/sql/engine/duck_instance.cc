#include "sql/engine/duck_instance.h"

#include <unistd.h>

#include <filesystem>
#include <limits>
#include <thread>

#include "duckdb/main/client_context.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/storage/buffer_manager.hpp"

#include "sql/columnar/column_store.h"
#include "sql/engine/file_tables.h"
#include "sql/engine/implied_filters.h"
#include "sql/engine/dynamic_filters.h"
#include "sql/engine/exact_arithmetic.h"
#include "sql/engine/ordered_scan.h"
#include "sql/engine/route_counters.h"
#include "sql/engine/row_at_a_time.h"
#include "sql/engine/scan.h"
#include "sql/engine/server_files.h"
#include "sql/engine/spill_files.h"
#include "sql/functions/register.h"

// jemalloc's mallctl, as DuckDB's library exports it.
extern "C" [[gnu::weak]] int duckdb_je_mallctl(const char* name, void* old_value, size_t* old_size, void* new_value,
                                               size_t new_size);

namespace omendb::sql {
namespace {

// Who sends short statements sends the next one soon: long ones stand back for so long after each.
constexpr std::chrono::milliseconds kShortWork{100};
// How long workers do without SCHED_IDLE after one of them got no processor there.
constexpr std::chrono::milliseconds kFreed{2000};

/// What a killed process spilled is nobody's any more.
void remove_leftovers(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().starts_with("duckdb_temp")) std::filesystem::remove(entry.path(), ignored);
  }
}

/// What operators free goes back to the system soon. DuckDB's allocator keeps such pages for seconds otherwise, and beside the limit
/// that its buffers keep: a large sort stood at half as much again.
void give_pages_back() {
  if (duckdb_je_mallctl == nullptr) return;  // a build on another allocator
  ssize_t soon_ms = 50;
  unsigned arenas = 0;
  size_t size = sizeof(arenas);
  duckdb_je_mallctl("arenas.narenas", &arenas, &size, nullptr, 0);
  for (const char* kind : {"dirty_decay_ms", "muzzy_decay_ms"}) {
    duckdb_je_mallctl((std::string("arenas.") + kind).c_str(), nullptr, nullptr, &soon_ms, sizeof(soon_ms));
    for (unsigned i = 0; i < arenas; ++i) {
      duckdb_je_mallctl(("arena." + std::to_string(i) + "." + kind).c_str(), nullptr, nullptr, &soon_ms,
                        sizeof(soon_ms));
    }
  }
}

}  // namespace

DuckInstance::DuckInstance(const EngineOptions& options) {
  using duckdb::Value;
  threads_ =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  size_t memory = options.memory_bytes;
  if (memory == 0) {
    memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE)) / 8;
  }

  memory_bytes_ = memory;
  duckdb::DBConfig config;
  config.options.maximum_memory = memory;
  config.options.maximum_threads = static_cast<duckdb::idx_t>(threads_);
  give_pages_back();
  if (options.temp_directory.empty()) {
    config.options.use_temporary_directory = false;
  } else {
    remove_leftovers(options.temp_directory);
    config.options.temporary_directory = options.temp_directory;
  }
  // Copies in columns are written down when their store says so, not when a commit has grown large or when they are closed.
  config.options.checkpoint_wal_size = std::numeric_limits<duckdb::idx_t>::max();
  config.options.checkpoint_on_shutdown = false;
  config.SetOptionByName("order_by_non_integer_literal", Value::BOOLEAN(true));  // it has no effect, as in PostgreSQL
  config.SetOptionByName("autoinstall_known_extensions", Value::BOOLEAN(false));
  config.SetOptionByName("autoload_known_extensions", Value::BOOLEAN(false));
  config.SetOptionByName("enable_external_access", Value::BOOLEAN(false));
  // A file of the server is read once and under a name that nobody has again.
  config.SetOptionByName("enable_external_file_cache", Value::BOOLEAN(false));
  // An internal error ends its statement, not the instance.
  config.SetOptionByName("disable_database_invalidation", Value::BOOLEAN(true));
  // A join with a small build side hands its keys to the other side's scan, which then looks them up (scan.h).
  config.SetOptionByName("dynamic_or_filter_threshold", Value::UBIGINT(20000));
  if (options.stand_back) {
    config.SetOptionByName("external_threads", Value::UBIGINT(static_cast<uint64_t>(threads_)));
    config.SetOptionByName("scheduler_process_partial", Value::BOOLEAN(true));
    idle_threads_ = std::make_unique<BackgroundThreads>(Priority::kIdle);
    low_threads_ = std::make_unique<BackgroundThreads>(Priority::kLow);
  }
  database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  if (options.stand_back && threads_ > 1) {
    workers_ = std::make_unique<DuckWorkers>(duckdb::TaskScheduler::GetScheduler(*database_->instance), threads_ - 1);
  }
  if (!options.temp_directory.empty()) {
    // The one place that spilling operators may write to; a path is only understood once the instance has its file system.
    duckdb::DBConfig::GetConfig(*database_->instance).AddAllowedDirectory(options.temp_directory);
    if (options.temp_bytes > 0)
      duckdb::BufferManager::GetBufferManager(*database_->instance).SetSwapLimit(options.temp_bytes);
    install_spill_files(*database_->instance, options.temp_directory, options.temp_bytes);
  }

  FileGrants::install(*database_->instance);
  register_scan_functions(*database_->instance);
  register_implied_filters(*database_->instance);
  register_column_opening(*database_->instance);
  register_ordered_scan(*database_->instance);
  register_dynamic_filter_check(*database_->instance);
  register_exact_arithmetic(*database_->instance);
  register_row_at_a_time(*database_->instance);  // last: nobody else knows its operator
  register_functions(*database_->instance);
  register_file_functions(*database_->instance);
}

bool DuckInstance::stands_back() {
  if (idle_threads_ == nullptr) return false;
  const bool back = short_statement_within(kShortWork);
  if (workers_ == nullptr) return back;
  const auto now = Clock::now();
  if (!back || now < normal_until_.load(std::memory_order_relaxed)) {
    workers_->use(Priority::kNormal);
  } else {
    workers_->use(now < low_until_.load(std::memory_order_relaxed) ? Priority::kLow : Priority::kIdle);
  }
  return back;
}

void DuckInstance::free_workers() {
  if (workers_ == nullptr) return;
  low_until_.store(Clock::now() + kFreed, std::memory_order_relaxed);
  (void)stands_back();
  workers_->raise_others();
  count_stand_back(StandBackCount::kWorkersFreed);
}

void DuckInstance::raise_workers(std::chrono::milliseconds time) {
  if (workers_ == nullptr) return;
  normal_until_.store(Clock::now() + time, std::memory_order_relaxed);
  (void)stands_back();
  workers_->raise_others();
}

duckdb::unique_ptr<duckdb::Connection> DuckInstance::connect(duckdb::shared_ptr<SessionServices> services) {
  auto connection = duckdb::make_uniq<duckdb::Connection>(*database_);
  connection->context->registered_state->Insert(SessionServices::kKey, std::move(services));
  connection->context->config.enable_progress_bar = false;
  connection->context->config.query_verification_enabled = false;
  return connection;
}

SessionServices& services(duckdb::ClientContext& context) {
  auto state = context.registered_state->Get<SessionServices>(SessionServices::kKey);
  CHECK(state != nullptr);
  return *state;  // the session holds it as long as the context lives
}

}  // namespace omendb::sql
