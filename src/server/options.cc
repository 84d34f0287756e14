#include "server/options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <set>

#include <toml++/toml.h>

namespace omendb::server {
namespace {

constexpr size_t kMegabyte = 1 << 20;
// Of the budget: rows in memory, and those with RocksDB's blocks together.
constexpr size_t kRowsPercent = 25, kCachesPercent = 38;

Status bad(std::string text) { return Status(SqlState::kConfigFileError, std::move(text)); }

// Number and unit of "10s", "4 GB".
bool split_number(const std::string& text, double* number, std::string* unit) {
  size_t i = 0;
  while (i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) != 0 || text[i] == '.')) ++i;
  auto [end, error] = std::from_chars(text.data(), text.data() + i, *number);
  if (i == 0 || error != std::errc() || end != text.data() + i) return false;
  while (i < text.size() && text[i] == ' ') ++i;
  unit->clear();
  for (; i < text.size(); ++i) *unit += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
  return true;
}

// "127.0.0.1:5433", "[::1]:5433".
Status parse_endpoint(const std::string& what, const std::string& text, std::string* address, uint16_t* port) {
  size_t colon = text.rfind(':');
  int number = -1;
  if (colon != std::string::npos) {
    auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) number = -1;
  }
  if (number < 0 || number > 65535) return bad(what + ": \"" + text + "\" is not ADDRESS:PORT");
  *address = text.substr(0, colon);
  if (address->size() >= 2 && address->front() == '[' && address->back() == ']')
    *address = address->substr(1, address->size() - 2);
  if (*address == "localhost") *address = "127.0.0.1";
  *port = static_cast<uint16_t>(number);
  return {};
}

}  // namespace

MemoryBudget divide_memory(size_t total) {
  MemoryBudget budget;
  budget.total = total;
  budget.block_cache = total / 100 * (kCachesPercent - kRowsPercent);
  budget.row_cache = total / 100 * kRowsPercent;
  budget.index = total / 100 * 5;
  budget.write_buffers = std::clamp(total / 100 * 8, 16 * kMegabyte, 512 * kMegabyte);
  budget.write_set = std::clamp(total / 50, 16 * kMegabyte, 256 * kMegabyte);
  budget.analytics = total / 100 * 35;
  budget.change_log = std::clamp(budget.analytics / 16, kMegabyte, 64 * kMegabyte);
  return budget;
}

size_t machine_memory() {
  size_t bytes = static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    size_t limit = 0;
    if (file >> limit && limit > 0) bytes = std::min(bytes, limit);  // "max" is no number
  }
  return bytes;
}

Result<size_t> parse_bytes(const std::string& text) {
  double number = 0;
  std::string unit;
  if (!split_number(text, &number, &unit)) return bad("\"" + text + "\" is not a size in bytes");
  double factor = 0;
  if (unit.empty() || unit == "b") factor = 1;
  if (unit == "kb" || unit == "k") factor = 1024.0;
  if (unit == "mb" || unit == "m") factor = 1024.0 * 1024;
  if (unit == "gb" || unit == "g") factor = 1024.0 * 1024 * 1024;
  if (unit == "tb" || unit == "t") factor = 1024.0 * 1024 * 1024 * 1024;
  if (factor == 0) return bad("\"" + text + "\" is not a size in bytes; units are kB, MB, GB and TB");
  return static_cast<size_t>(number * factor);
}

Result<int64_t> parse_duration_ms(const std::string& text) {
  double number = 0;
  std::string unit;
  if (!split_number(text, &number, &unit)) return bad("\"" + text + "\" is not a duration");
  double factor = 0;
  if (unit == "ms") factor = 1;
  if (unit.empty() || unit == "s") factor = 1000;
  if (unit == "min") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (factor == 0) return bad("\"" + text + "\" is not a duration; units are ms, s, min and h");
  return static_cast<int64_t>(number * factor);
}

Result<StartOptions> resolve(const StartArguments& arguments) {
  StartOptions options;
  options.server.http_address.clear();
  std::string pg_listen = "127.0.0.1:5433", http_listen, memory, row_cache;
  if (!arguments.config_file.empty()) {
    std::ifstream file(arguments.config_file);
    if (!file) return bad("cannot read the configuration file \"" + arguments.config_file + "\"");
    toml::table table;
    try {
      table = toml::parse(file, arguments.config_file);
    } catch (const toml::parse_error& error) {
      return bad(arguments.config_file + ":" + std::to_string(error.source().begin.line) + ": " +
                 std::string(error.description()));
    }
    for (const auto& [key, value] : table) {
      std::string name(key.str());
      std::string text;
      if (auto as_text = value.value<std::string>()) {
        text = *as_text;
      } else if (auto as_number = value.value<int64_t>()) {
        text = std::to_string(*as_number);
      } else {
        return bad(arguments.config_file + ": " + name + " must be a text or a number");
      }
      const auto trouble = [&](const Status& s) {
        return bad(arguments.config_file + ": " + name + ": " + s.message());
      };
      if (name == "data_dir") {
        options.data_directory = text;
      } else if (name == "pg_listen") {
        pg_listen = text;
      } else if (name == "http_listen") {
        http_listen = text;
      } else if (name == "memory") {
        memory = text;
      } else if (name == "row_cache") {
        row_cache = text;
      } else if (name == "temp_limit") {
        auto bytes = parse_bytes(text);
        if (!bytes.ok()) return trouble(bytes.status());
        if (*bytes == 0) return bad(arguments.config_file + ": temp_limit must not be 0");
        options.temp_limit = *bytes;
      } else if (name == "analytics_threads") {
        auto number = value.value<int64_t>();
        if (!number || *number < 1 || *number > 1024)
          return bad(arguments.config_file + ": analytics_threads must be a number from 1 to 1024");
        options.analytics_threads = static_cast<int>(*number);
      } else if (name == "analytics_priority") {
        if (text != "low" && text != "normal")
          return bad(arguments.config_file + ": analytics_priority must be \"low\" or \"normal\"");
        options.analytics_stand_back = text == "low";
      } else if (name == "learned_index") {
        if (text != "on" && text != "off")
          return bad(arguments.config_file + ": learned_index must be \"on\" or \"off\"");
        options.learned_index = text == "on";
      } else if (name == "log_level") {
        options.log_level = text;
      } else if (name == "max_connections") {
        auto number = value.value<int64_t>();
        if (!number || *number < 1 || *number > 100'000)
          return bad(arguments.config_file + ": max_connections must be a number from 1 to 100000");
        options.server.max_connections = static_cast<size_t>(*number);
      } else if (name == "authentication_timeout" || name == "shutdown_grace") {
        auto duration = parse_duration_ms(text);
        if (!duration.ok()) return trouble(duration.status());
        (name == "shutdown_grace" ? options.server.shutdown_grace_ms : options.server.authentication_timeout_ms) =
            *duration;
      } else {
        return bad(arguments.config_file + ": unknown setting \"" + name + "\"");
      }
    }
  }
  if (!arguments.data_directory.empty()) options.data_directory = arguments.data_directory;
  if (!arguments.pg_listen.empty()) pg_listen = arguments.pg_listen;
  if (!arguments.http_listen.empty()) http_listen = arguments.http_listen;
  if (!arguments.memory.empty()) memory = arguments.memory;

  if (options.data_directory.empty())
    return bad("no data directory: give --data-dir DIR or data_dir in the configuration file");
  static const std::set<std::string> kLevels = {"trace", "debug", "info", "warn", "error"};
  if (!kLevels.contains(options.log_level))
    return bad("log_level: \"" + options.log_level + "\" is not trace, debug, info, warn or error");
  RETURN_IF_ERROR(parse_endpoint("--pg-listen", pg_listen, &options.server.pg_address, &options.server.pg_port));
  if (!http_listen.empty())
    RETURN_IF_ERROR(
        parse_endpoint("--http-listen", http_listen, &options.server.http_address, &options.server.http_port));
  size_t total = machine_memory() / 4;
  if (!memory.empty()) {
    auto parsed = parse_bytes(memory);
    if (!parsed.ok()) return bad("memory: " + parsed.status().message());
    total = *parsed;
  }
  if (total < 128 * kMegabyte) return bad("memory: at least 128MB are needed");
  options.memory = divide_memory(total);
  if (!row_cache.empty()) {
    auto parsed = parse_bytes(row_cache);
    if (!parsed.ok()) return bad("row_cache: " + parsed.status().message());
    if (*parsed > total / 100 * kCachesPercent)
      return bad("row_cache: more than " + std::to_string(kCachesPercent) + " % of the memory budget");
    // What rows take, RocksDB's blocks do without: the one is there to spare the other.
    options.memory.block_cache = total / 100 * kCachesPercent - *parsed;
    options.memory.row_cache = *parsed;
  }
  return options;
}

}  // namespace omendb::server
