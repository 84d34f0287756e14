// COPY TO, and COPY's dispatch (copy.h).
#include <algorithm>
#include <optional>

#include "sql/engine/copy.h"
#include "sql/engine/copy_internal.h"
#include "sql/engine/parquet_files.h"
#include "sql/engine/portal.h"
#include "sql/engine/server_files.h"
#include "sql/engine/utility.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

class CopyFormatter final : public RowSink {
 public:
  CopyFormatter(SessionImpl& session, const CopyOptions& options, const std::vector<ColumnDescription>& columns,
                CopySink& sink)
      : session_(session),
        options_(options),
        columns_(columns),
        sink_(sink),
        force_(columns.size(), options.force_quote_all) {
    for (const auto& name : options.force_quote) {
      bool found = false;
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) found = force_[i] = true;
      }
      if (!found) {
        throw SqlError(SqlState::kInvalidColumnReference, "FORCE_QUOTE column \"" + name + "\" not referenced by COPY");
      }
    }
  }

  Status begin() {
    line_.clear();
    if (options_.format == CopyOptions::Format::kBinary) {
      line_.assign("PGCOPY\n\377\r\n\0", 11);
      line_.append(8, '\0');
      header_ = line_;  // goes out with the first row, as PostgreSQL sends it
      return Status();
    }
    if (!options_.header) return Status();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line_.push_back(options_.delimiter);
      if (options_.format == CopyOptions::Format::kCsv) {
        append_csv(columns_[i].name, false);
      } else {
        append_text(columns_[i].name);
      }
    }
    line_.push_back('\n');
    return write_line();
  }

  Status rows(const std::vector<types::ColumnView>& views, size_t count) override {
    for (size_t row = 0; row < count; ++row) {
      line_.clear();
      if (options_.format == CopyOptions::Format::kBinary) {
        line_.swap(header_);  // empty after the first row
        append_number(static_cast<uint32_t>(columns_.size()), 2);
        for (const auto& view : views) {
          if (view.is_null(row)) {
            append_number(0xFFFFFFFF, 4);
            continue;
          }
          value_.clear();
          RETURN_IF_ERROR(types::send(view.type, view.physical, view.at(row), session_.io_context(), &value_));
          append_number(static_cast<uint32_t>(value_.size()), 4);
          line_ += value_;
        }
      } else {
        for (size_t c = 0; c < views.size(); ++c) {
          if (c > 0) line_.push_back(options_.delimiter);
          if (views[c].is_null(row)) {
            line_ += options_.null_text;
            continue;
          }
          value_.clear();
          types::output(views[c].type, views[c].physical, views[c].at(row), session_.io_context(), &value_);
          if (options_.format == CopyOptions::Format::kCsv) {
            append_csv(value_, force_[c]);
          } else {
            append_text(value_);
          }
        }
        line_.push_back('\n');
      }
      RETURN_IF_ERROR(write_line());
      ++count_;
    }
    return Status();
  }

  Status end() {
    if (options_.format != CopyOptions::Format::kBinary) return Status();
    line_.clear();
    line_.swap(header_);
    append_number(0xFFFF, 2);
    return sink_.write(line_);
  }
  uint64_t count() const { return count_; }

 private:
  void append_number(uint32_t value, int bytes) {
    for (int i = bytes; i-- > 0;) line_.push_back(static_cast<char>(value >> (8 * i)));
  }

  void append_text(std::string_view value) { append_copy_text(value, options_.delimiter, &line_); }

  void append_csv(std::string_view value, bool force) {
    bool quote = force || value == options_.null_text || (columns_.size() == 1 && value == "\\.");
    for (char c : value) {
      if (c == options_.delimiter || c == options_.quote || c == '\n' || c == '\r') quote = true;
    }
    if (!quote) {
      line_ += value;
      return;
    }
    line_.push_back(options_.quote);
    for (char c : value) {
      if (c == options_.quote || c == options_.escape) line_.push_back(options_.escape);
      line_.push_back(c);
    }
    line_.push_back(options_.quote);
  }

  Status write_line() {
    if (options_.encoding == nullptr || options_.format == CopyOptions::Format::kBinary) return sink_.write(line_);
    encoded_.clear();
    RETURN_IF_ERROR(options_.encoding->from_utf8(line_, &encoded_));
    return sink_.write(encoded_);
  }

  SessionImpl& session_;
  const CopyOptions& options_;
  const std::vector<ColumnDescription>& columns_;
  CopySink& sink_;
  std::vector<bool> force_;
  std::string line_, value_, encoded_;
  std::string header_;  // of the binary format, until it is sent
  uint64_t count_ = 0;
};

/// COPY t (a, b) TO is COPY (SELECT a, b FROM t) TO.
std::shared_ptr<PreparedStatement> select_of_table(SessionImpl& session, const CopyStmt* statement) {
  const RangeVar* range = statement->relation;
  StatementContext context = session.analysis("");
  const Oid oid = find_relation(context, range->schemaname, range->relname);
  const std::string shown =
      range->schemaname != nullptr ? std::string(range->schemaname) + "." + range->relname : range->relname;
  if (oid == kInvalidOid) throw SqlError(SqlState::kUndefinedTable, "relation \"" + shown + "\" does not exist");
  const auto* table = context.catalog->find<catalog::Table>(oid);
  if (table == nullptr) {
    const bool view = context.catalog->find<catalog::View>(oid) != nullptr;
    throw SqlError(SqlState::kWrongObjectType,
                   (view ? "cannot copy from view \"" : "cannot copy from non-table relation \"") +
                       std::string(range->relname) + "\"")
        .hint("Try the COPY (SELECT ...) TO variant.");
  }
  std::string list;
  auto add = [&](const std::string& name) { list += (list.empty() ? "" : ", ") + quote_identifier(name); };
  if (statement->attlist == nullptr) {
    for (const auto& column : table->columns) {
      if (!column.dropped && !column.generated) add(column.name);
    }
  } else {
    for (int i = 0; i < statement->attlist->length; ++i) {
      const std::string name = reinterpret_cast<const String*>(statement->attlist->elements[i].ptr_value)->sval;
      find_copy_column(*table, name);
      add(name);
    }
  }
  const auto* schema = context.catalog->find<catalog::Schema>(table->schema);
  const std::string sql =
      "SELECT " + list + " FROM ONLY " + quote_identifier(schema->name) + "." + quote_identifier(table->name);
  auto parsed = value_or_throw(session.parse(sql));
  return session.prepare_or_throw(parsed.at(0), {});
}

uint64_t copy_to(SessionImpl& session, PreparedStatement& outer, const CopyStmt* statement) {
  const CopyOptions options = read_copy_options(statement, session.settings().client_encoding());
  std::shared_ptr<PreparedStatement> query;
  if (statement->relation != nullptr) {
    query = select_of_table(session, statement);
  } else {
    if (!is_query(statement->query)) not_supported("COPY of this query");
    if (IsA(statement->query, MergeStmt)) throw SqlError(SqlState::kFeatureNotSupported, "MERGE not supported in COPY");
    auto inner = std::make_shared<ParsedStatement>(*outer.parsed);
    inner->node = statement->query;
    inner->alone = false;
    query = value_or_throw(
        session.prepare_simple(std::move(inner)));  // COPY takes no parameters in the other protocol either
    if (!query->returns_rows) {
      throw SqlError(SqlState::kFeatureNotSupported, "COPY query must have a RETURNING clause");
    }
  }
  auto portal = session.bind_values(query, Parameters());
  auto& rows = static_cast<PortalImpl&>(*portal);
  if (options.format == CopyOptions::Format::kParquet) {
    if (statement->filename == nullptr) not_supported("COPY in Parquet format to the client");
    ParquetWriter writer(session, query->columns, statement->filename);
    rows.execute_or_throw(0, writer);
    writer.finish();
    return writer.count();
  }
  std::optional<FileSink> file;
  if (statement->filename != nullptr) file.emplace(statement->filename);
  CopySink* sink = file.has_value() ? &*file
                                    : value_or_throw(session.client().begin_copy_out(
                                          query->columns.size(), options.format == CopyOptions::Format::kBinary));
  CopyFormatter formatter(session, options, query->columns, *sink);
  throw_if_error(formatter.begin());
  rows.execute_or_throw(0, formatter);
  throw_if_error(formatter.end());
  if (file.has_value()) throw_if_error(file->finish());
  return formatter.count();
}

}  // namespace

void append_copy_text(std::string_view value, char delimiter, std::string* out) {
  for (char c : value) {
    switch (c) {
      case '\b': *out += "\\b"; break;
      case '\f': *out += "\\f"; break;
      case '\n': *out += "\\n"; break;
      case '\r': *out += "\\r"; break;
      case '\t': *out += "\\t"; break;
      case '\v': *out += "\\v"; break;
      case '\\': *out += "\\\\"; break;
      default:
        if (c == delimiter) out->push_back('\\');
        out->push_back(c);
    }
  }
}

std::string run_copy(SessionImpl& session, PreparedStatement& prepared, const Parameters&) {
  const auto* statement = reinterpret_cast<const CopyStmt*>(prepared.parsed->node);
  if (statement->is_program) not_supported("COPY to or from an external program");
  if (statement->filename != nullptr)
    require_file_access(session, statement->is_from ? FileAccess::kRead : FileAccess::kWrite);
  const uint64_t rows = statement->is_from ? copy_from(session, statement, *prepared.parsed->text)
                                           : copy_to(session, prepared, statement);
  return "COPY " + std::to_string(rows);
}

}  // namespace omendb::sql
