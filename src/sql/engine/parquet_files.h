// Parquet: DuckDB's writer and reader, fed with and drained of PostgreSQL's values.
//
// What a Parquet column can hold exactly is written as that; the rest is refused with 0A000 and a hint, never rounded:
//   bool, int2, int4, int8, float4, float8, bytea, uuid, date, time, timestamp, timestamptz   the same types of Parquet
//   oid and its kin                   unsigned 32-bit integers
//   numeric(p,s), p <= 38             decimal(p,s); any other numeric is refused
//   text types, json, jsonb, enums and the others that are written as text    strings (char(n) without its trailing spaces)
//   interval                          interval, if it is not negative and of whole milliseconds
//   one-dimensional arrays from 1     lists
//   infinity, 24:00:00, other arrays, timetz, records   refused
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/engine/server_files.h"

namespace omendb::sql {

/// Writes rows to a file. Memory: one row group. A file that is not finished is removed.
class ParquetWriter final : public RowSink {
 public:
  /// Throws 0A000 for a column's type, and what FileSink throws.
  ParquetWriter(SessionImpl& session, const std::vector<ColumnDescription>& columns, const std::string& path);
  ~ParquetWriter() override;
  Status rows(const std::vector<types::ColumnView>& columns, size_t count) override;
  /// Throws.
  void finish();
  uint64_t count() const { return count_; }

 private:
  struct Writing;
  void flush();

  SessionImpl& session_;
  const std::vector<ColumnDescription> columns_;
  const std::string path_;
  std::unique_ptr<Writing> writing_;
  uint64_t count_ = 0;
  bool finished_ = false;
};

/// The rows of a file as lines of COPY's text format, in ISO form.
class ParquetSource final : public CopySource {
 public:
  /// `columns` are taken by name. Throws 42703 for one that the file has not, 0A000 for a type that has no counterpart.
  ParquetSource(SessionImpl& session, const std::string& path, const std::vector<std::string>& columns);
  ~ParquetSource() override;
  Result<bool> read(std::string* out) override;

 private:
  struct Reading;
  std::unique_ptr<Reading> reading_;
};

}  // namespace omendb::sql
