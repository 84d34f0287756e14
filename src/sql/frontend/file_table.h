// read_parquet and read_csv in FROM: what analysis asks of whoever can look into files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "duckdb/common/types/value.hpp"

#include "sql/frontend/emit.h"
#include "types/type.h"

namespace omendb::sql {

struct FileRequest {
  enum class Format : uint8_t { kParquet, kCsv } format = Format::kParquet;
  std::vector<std::string> paths;                              // patterns among them
  std::vector<std::pair<std::string, duckdb::Value>> options;  // by DuckDB's names
};

/// A column as PostgreSQL has it; `value` computes it from the file's.
struct FileColumn {
  std::string name;
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;
  Tree value;
};

struct FileTable {
  DuckTable ref;
  std::vector<FileColumn> columns;
};

class ServerFiles {
 public:
  virtual ~ServerFiles() = default;
  /// Looks into the files, whose columns `alias` will have. Throws 42501, 58P01 and its kin, 22P04, 0A000 for a column's type.
  virtual FileTable describe(const FileRequest& request, const std::string& alias) = 0;
};

}  // namespace omendb::sql
