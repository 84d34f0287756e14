// COPY: rows to and from the client or a file of the server (server_files.h) in PostgreSQL's text, CSV and binary formats, and
// files of the server in Parquet (parquet_files.h).
//
// COPY FROM streams: memory holds one read of the client and one batch of rows. A table whose missing columns have plain
// defaults and that has nothing to compute takes the short way, from type input into row bytes; otherwise each batch goes
// through a select that computes defaults, generated columns and checks, as INSERT's would.
#pragma once

#include <string>
#include <vector>

#include "sql/engine/session_impl.h"

namespace omendb::sql {

struct CopyOptions {
  enum class Format : uint8_t { kText, kCsv, kBinary, kParquet };
  Format format = Format::kText;
  char delimiter = '\t';
  std::string null_text = "\\N";
  bool header = false, header_match = false;
  char quote = '"', escape = '"';
  const types::Encoding* encoding = nullptr;  // null: UTF8
  bool force_quote_all = false;
  std::vector<std::string> force_quote, force_not_null, force_null;
};

/// Reads COPY's options; text is in the client's encoding unless they say otherwise. Throws PostgreSQL's errors for wrong ones.
CopyOptions read_copy_options(const void* copy_stmt, const types::Encoding* client_encoding);

/// Cuts the client's bytes into rows of fields.
class CopyReader {
 public:
  CopyReader(CopySource& source, const CopyOptions& options) : source_(source), options_(options) {}

  struct Field {
    bool null = false;
    bool quoted = false;    // CSV: the null text does not count
    std::string_view text;  // escapes undone (binary: the bytes)
  };
  /// The next row; false: the end. Fields are valid until the next call. Throws 22P04 and 22021, with the line's context.
  bool next(std::vector<Field>* fields);
  /// Skips the header line, or hands it out.
  bool read_header(std::vector<Field>* fields) { return next(fields); }
  uint64_t line() const { return line_; }
  std::string_view raw_line() const { return raw_; }
  void set_relation(std::string name) { relation_ = std::move(name); }
  /// "COPY t, line 3: "raw"", "COPY t, line 3, column c: "x"".
  std::string line_context() const { return line_context(line_, raw_); }
  std::string line_context(uint64_t line, std::string_view raw) const;
  std::string column_context(const std::string& column, const Field& field) const;

 private:
  bool fill();
  /// The next bytes of the source, as UTF8.
  Result<bool> read_more();
  bool next_text_line();
  bool next_csv_line();
  bool next_binary(std::vector<Field>* fields);
  void split_text(std::vector<Field>* fields);
  void split_csv(std::vector<Field>* fields);
  std::string_view need(size_t bytes);  // binary
  [[noreturn]] void fail(SqlState code, const std::string& message, const std::string& hint = "");

  CopySource& source_;
  const CopyOptions& options_;
  std::string relation_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;     // the source has no more
  bool finished_ = false;  // end marker seen
  char eol_ = 0;           // 0: not known yet; '\n', '\r', or 'b' for both
  uint64_t line_ = 0;
  std::string_view raw_;
  std::string undecoded_;  // what came of a character that is not whole yet
  Status decoding_;        // of what follows buffer_
  std::string values_;     // fields with their escapes undone
  bool binary_started_ = false;
};

}  // namespace omendb::sql
