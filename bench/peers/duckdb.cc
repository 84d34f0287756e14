// Native DuckDB of the release that OmenDB embeds, as a peer: reads statements from standard input, each ended by a line
// that is only ";", and prints one JSON object for each: milliseconds, CPU milliseconds, rows, error.
//
//   duckdb_peer FILE [THREADS]
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>

#include "duckdb.h"

int main(int argc, char** argv) {
  duckdb_database database;
  duckdb_connection connection;
  if (argc < 2 || duckdb_open(argv[1], &database) != DuckDBSuccess || duckdb_connect(database, &connection) != DuckDBSuccess) {
    std::cerr << "usage: duckdb_peer FILE [THREADS]\n";
    return 2;
  }
  if (argc > 2) duckdb_query(connection, ("set threads = " + std::string(argv[2])).c_str(), nullptr);
  std::string statement, line;
  while (std::getline(std::cin, line)) {
    if (line != ";") {
      statement += line + "\n";
      continue;
    }
    auto start = std::chrono::steady_clock::now();
    auto cpu = std::clock();
    duckdb_result result;
    bool ok = duckdb_query(connection, statement.c_str(), &result) == DuckDBSuccess;
    double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    double cpu_ms = 1000.0 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    std::cout << "{\"ms\": " << ms << ", \"cpu_ms\": " << cpu_ms << ", \"rows\": " << (ok ? duckdb_row_count(&result) : 0)
              << ", \"error\": ";
    if (ok) {
      std::cout << "null}" << std::endl;
    } else {
      std::string text = duckdb_result_error(&result);
      for (char& c : text) c = c == '"' || c == '\\' || c == '\n' ? ' ' : c;
      std::cout << '"' << text << "\"}" << std::endl;
    }
    duckdb_destroy_result(&result);
    statement.clear();
  }
  duckdb_disconnect(&connection);
  duckdb_close(&database);
}
