// read_parquet and read_csv: DuckDB's readers under the names omen_read_parquet and omen_read_csv, over files that the session's role may
// read. Projection, filters, statistics and threads are the readers' own.
//
// The statement holds its files' grants (server_files.h) from the time it is bound until it ends, and is refused when the files have
// other columns than analysis saw.
#pragma once

#include "duckdb/common/error_data.hpp"
#include "duckdb/main/client_context.hpp"

#include "sql/frontend/file_table.h"

namespace omendb::sql {

class SessionImpl;

class FileTables final : public ServerFiles {
 public:
  explicit FileTables(SessionImpl& session) : session_(session) {}
  FileTable describe(const FileRequest& request, const std::string& alias) override;

 private:
  SessionImpl& session_;
};

/// Whether files stand in the statement; for a string that looks like it, too.
bool reads_files(const duckdb::SelectStatement& select);

/// Throws 22P04, by the name that the client knows, when `error` tells of a file that the context's last statement read.
void throw_if_file_error(duckdb::ClientContext& context, const duckdb::ErrorData& error);

void register_file_functions(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
