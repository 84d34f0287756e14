#include "sql/engine/parquet_files.h"

#include <unistd.h>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/copy_function_catalog_entry.hpp"
#include "duckdb/execution/execution_context.hpp"
#include "duckdb/function/copy_function.hpp"
#include "duckdb/main/stream_query_result.hpp"
#include "duckdb/parallel/thread_context.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/parsed_data/copy_info.hpp"

#include "sql/duck_types.h"
#include "sql/engine/copy_internal.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/file_types.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/vectors.h"
#include "sql/frontend/deparse.h"
#include "types/array.h"

namespace omendb::sql {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using types::Physical;
namespace oid = types::oid;

constexpr int64_t kDayUs = 86'400'000'000;

duckdb::unique_ptr<duckdb::Connection> connect(SessionImpl& session) {
  return session.engine().duck().connect(
      session.connection().context->registered_state->Get<SessionServices>(SessionServices::kKey));
}

[[noreturn]] void refuse(const std::string& column, const std::string& what, const std::string& hint) {
  throw SqlError(SqlState::kFeatureNotSupported, "column \"" + column + "\": Parquet cannot hold " + what + " exactly")
      .hint(hint);
}
constexpr const char* kCastToText = "Cast it to text.";

/// The type whose values lie in Parquet as they lie here; SQLNULL: none.
LogicalType same_type(Oid type, const types::PhysicalType& physical) {
  if (physical.is_decimal()) return duck_type(type, physical);
  for (const Oid same : {oid::kBool, oid::kInt2, oid::kInt4, oid::kInt8, oid::kFloat4, oid::kFloat8, oid::kBytea,
                         oid::kUuid, oid::kDate, oid::kTime, oid::kTimestamp, oid::kTimestampTz, oid::kInterval,
                         oid::kOid, oid::kText, oid::kVarchar, oid::kBpchar, oid::kName}) {
    if (type == same) return duck_type(type, physical);
  }
  return LogicalType::SQLNULL;
}

/// Refuses the values of same_type() that Parquet has no place for.
void check_value(const std::string& column, Oid type, const types::ValueView& value) {
  if (type == oid::kDate && (value.integer == INT32_MAX || value.integer == -INT32_MAX))
    refuse(column, "infinity", kCastToText);
  if ((type == oid::kTimestamp || type == oid::kTimestampTz) &&
      (value.integer == INT64_MAX || value.integer == -INT64_MAX)) {
    refuse(column, "infinity", kCastToText);
  }
  if (type == oid::kTime && value.integer >= kDayUs) refuse(column, "the time 24:00:00", kCastToText);
  if (type == oid::kInterval) {
    const types::Interval& i = value.interval;
    if (i.months < 0 || i.days < 0 || i.micros < 0 || i.micros % 1000 != 0 || i.micros / 1000 > UINT32_MAX) {
      refuse(column, "an interval that is negative or has fractions of a millisecond", kCastToText);
    }
  }
}

struct WrittenColumn {
  std::string name;
  Oid type;  // domains resolved
  LogicalType parquet;
  enum class Way : uint8_t { kSame, kText, kList } way = Way::kSame;
};

WrittenColumn written_column(const catalog::Catalog& catalog, const ColumnDescription& column) {
  WrittenColumn out{column.name, column.type, {}, WrittenColumn::Way::kSame};
  while (const auto* domain = catalog.find<catalog::DomainType>(out.type)) out.type = domain->base_type;
  out.parquet = same_type(out.type, column.physical);
  if (out.parquet.id() != LogicalTypeId::SQLNULL) return out;
  const LogicalType lies_as = duck_type(out.type, column.physical);
  if (lies_as == duck_numeric_type())
    refuse(column.name, "numeric without a precision of at most 38",
           "Cast it to numeric(precision, scale), or to text.");
  if (lies_as == duck_record_type()) refuse(column.name, "a record", "Write its fields as columns.");
  if (out.type == oid::kTimeTz) refuse(column.name, "time with time zone", kCastToText);
  if (const Oid element = types::array_element_type(out.type); element != kInvalidOid && lies_as == duck_array_type()) {
    const LogicalType of_element = same_type(element, types::physical_type(element, -1));
    if (element == oid::kNumeric || of_element.id() == LogicalTypeId::SQLNULL)
      refuse(column.name, "this type of array", kCastToText);
    out.way = WrittenColumn::Way::kList;
    out.parquet = LogicalType::LIST(of_element);
    return out;
  }
  if (lies_as == duck_array_type()) refuse(column.name, "this type", kCastToText);
  out.way = WrittenColumn::Way::kText;
  out.parquet = LogicalType::VARCHAR;
  return out;
}

duckdb::Value list_of(const WrittenColumn& column, std::string_view bytes) {
  const types::ArrayView array(bytes);
  const LogicalType& element = duckdb::ListType::GetChildType(column.parquet);
  if (array.dimensions() > 1 || (array.dimensions() == 1 && array.lower(0) != 1)) {
    refuse(column.name, "an array that is not of one dimension from 1", kCastToText);
  }
  duckdb::vector<duckdb::Value> values;
  for (size_t i = 0; i < array.size(); ++i) {
    const types::ValueView value = array.at(i);
    if (!value.null) check_value(column.name, array.element_type(), value);
    values.push_back(duck_value(value, array.physical(), element));
  }
  return duckdb::Value::LIST(element, std::move(values));
}

}  // namespace

struct ParquetWriter::Writing {
  Writing(SessionImpl& session, const std::string& path)
      : grant(session.engine().duck().instance(), path, FileAccess::kWrite),
        connection(connect(session)),
        thread(*connection->context),
        execution(*connection->context, thread, nullptr) {}
  FileGrants::Grant grant;
  duckdb::unique_ptr<duckdb::Connection> connection;
  duckdb::ThreadContext thread;
  duckdb::ExecutionContext execution;
  std::vector<WrittenColumn> columns;
  duckdb::CopyInfo info;
  duckdb::CopyFunction function{"parquet"};
  duckdb::unique_ptr<duckdb::FunctionData> bound;
  duckdb::unique_ptr<duckdb::GlobalFunctionData> global;
  duckdb::unique_ptr<duckdb::LocalFunctionData> local;
  duckdb::DataChunk chunk;
  std::string text;
};

ParquetWriter::ParquetWriter(SessionImpl& session, const std::vector<ColumnDescription>& columns,
                             const std::string& path)
    : session_(session), columns_(columns), path_(path) {
  std::vector<WrittenColumn> written;
  duckdb::vector<std::string> names;
  duckdb::vector<LogicalType> parquet;
  for (const ColumnDescription& column : columns) {
    written.push_back(written_column(*session.current_catalog(), column));
    names.push_back(column.name);
    parquet.push_back(written.back().parquet);
  }
  if (columns.empty()) not_supported("a Parquet file without columns");
  throw_if_error(FileSink(path).finish());  // PostgreSQL's errors for a path that cannot be written
  writing_ = std::make_unique<Writing>(session, path);
  Writing& w = *writing_;
  w.columns = std::move(written);
  auto& context = *w.connection->context;
  w.info.is_from = false;
  w.info.format = "parquet";
  w.info.file_path = w.grant.name();
  w.connection->BeginTransaction();
  context.RunFunctionInTransaction([&] {
    w.function =
        duckdb::Catalog::GetEntry<duckdb::CopyFunctionCatalogEntry>(context, INVALID_CATALOG, DEFAULT_SCHEMA, "parquet")
            .function;
    duckdb::CopyFunctionBindInput input(w.info, w.function.function_info);
    w.bound = w.function.copy_to_bind(context, input, names, parquet);
    w.global = w.function.copy_to_initialize_global(context, *w.bound, w.grant.name());
    w.local = w.function.copy_to_initialize_local(w.execution, *w.bound);
  });
  w.chunk.Initialize(duckdb::Allocator::DefaultAllocator(), parquet);
}

ParquetWriter::~ParquetWriter() {
  writing_.reset();
  if (!finished_) ::unlink(path_.c_str());
}

Status ParquetWriter::rows(const std::vector<types::ColumnView>& columns, size_t count) {
  return guarded("", [&] {
    Writing& w = *writing_;
    for (size_t row = 0; row < count; ++row) {
      const size_t at = w.chunk.size();
      for (size_t c = 0; c < columns.size(); ++c) {
        const WrittenColumn& column = w.columns[c];
        const types::ValueView value = columns[c].at(row);
        if (value.null || column.way == WrittenColumn::Way::kSame) {
          if (!value.null) check_value(column.name, column.type, value);
          if (value.null && column.way == WrittenColumn::Way::kList) {
            w.chunk.SetValue(c, at, duckdb::Value(column.parquet));
          } else {
            store_value(w.chunk.data[c], at, columns[c].physical, value);
          }
        } else if (column.way == WrittenColumn::Way::kText) {
          w.text.clear();
          types::output(columns[c].type, columns[c].physical, value, session_.io_context(), &w.text);
          duckdb::FlatVector::GetData<duckdb::string_t>(w.chunk.data[c])[at] =
              duckdb::StringVector::AddString(w.chunk.data[c], w.text);
        } else {
          w.chunk.SetValue(c, at, list_of(column, value.bytes));
        }
      }
      w.chunk.SetCardinality(at + 1);
      if (at + 1 == STANDARD_VECTOR_SIZE) flush();
    }
    count_ += count;
  });
}

void ParquetWriter::flush() {
  Writing& w = *writing_;
  if (w.chunk.size() == 0) return;
  w.function.copy_to_sink(w.execution, *w.bound, *w.global, *w.local, w.chunk);
  w.chunk.Reset();
}

void ParquetWriter::finish() {
  flush();
  Writing& w = *writing_;
  w.function.copy_to_combine(w.execution, *w.bound, *w.global, *w.local);
  w.function.copy_to_finalize(*w.connection->context, *w.bound, *w.global);
  finished_ = true;
}

// Reading

namespace {

struct ReadColumn {
  Oid type;
  types::PhysicalType physical;
};

}  // namespace

struct ParquetSource::Reading {
  /// What DuckDB says of the file, by the name that the client knows.
  [[noreturn]] void fail(const duckdb::ErrorData& error) {
    session.check_cancelled();
    if (error.ExtraInfo().contains("omen_code")) throw_duck_error(error);
    const std::string& raw = error.RawMessage();
    const std::string message = duckdb::StringUtil::Replace(raw.substr(0, raw.find('\n')), grant.name(), path);
    throw SqlError(SqlState::kBadCopyFileFormat, "could not read \"" + path + "\" as a Parquet file").detail(message);
  }

  Reading(SessionImpl& session, const std::string& path)
      : session(session),
        path(path),
        grant(session.engine().duck().instance(), path, FileAccess::kRead),
        connection(connect(session)) {}
  SessionImpl& session;
  const std::string path;
  FileGrants::Grant grant;
  duckdb::unique_ptr<duckdb::Connection> connection;
  std::vector<ReadColumn> columns;
  duckdb::unique_ptr<duckdb::QueryResult> result;
};

ParquetSource::ParquetSource(SessionImpl& session, const std::string& path, const std::vector<std::string>& columns) {
  { const FileSource probe(path); }  // PostgreSQL's errors for a path that cannot be read
  reading_ = std::make_unique<Reading>(session, path);
  Reading& r = *reading_;
  const std::string from = " FROM read_parquet('" + r.grant.name() + "')";
  const auto shape = r.connection->Query("SELECT *" + from + " LIMIT 0");
  if (shape->HasError()) r.fail(shape->GetErrorObject());
  std::string list;
  for (const std::string& name : columns) {
    const auto found = std::find(shape->names.begin(), shape->names.end(), name);
    if (found == shape->names.end())
      throw SqlError(SqlState::kUndefinedColumn, "column \"" + name + "\" does not exist in file \"" + path + "\"");
    const LogicalType& type = shape->types[static_cast<size_t>(found - shape->names.begin())];
    const auto counterpart = file_type(type);
    if (!counterpart) not_supported("reading column \"" + name + "\" of the Parquet type " + type.ToString());
    Tree value = file_value(duckdb::make_uniq<duckdb::ColumnRefExpression>(name), type, name);
    list += (list.empty() ? "" : ", ") + value->ToString();
    r.columns.push_back({counterpart->type, counterpart->physical});
  }
  r.result = r.connection->SendQuery("SELECT " + (list.empty() ? std::string("1") : list) + from);
  if (r.result->HasError()) r.fail(r.result->GetErrorObject());
}

ParquetSource::~ParquetSource() = default;

Result<bool> ParquetSource::read(std::string* out) {
  bool more = false;
  Status status = guarded("", [&] {
    Reading& r = *reading_;
    r.session.check_cancelled();
    auto chunk = r.result->Fetch();
    if (r.result->HasError()) r.fail(r.result->GetErrorObject());
    if (chunk == nullptr || chunk->size() == 0) return;
    more = true;
    chunk->Flatten();
    const types::IoContext iso;
    std::string text;
    for (size_t row = 0; row < chunk->size(); ++row) {
      for (size_t c = 0; c < r.columns.size(); ++c) {
        const ReadColumn& column = r.columns[c];
        if (c > 0) out->push_back('\t');
        if (duckdb::FlatVector::IsNull(chunk->data[c], row)) {
          out->append("\\N");
          continue;
        }
        text.clear();
        types::output(column.type, column.physical, load_value(chunk->data[c], row, column.physical), iso, &text);
        append_copy_text(text, '\t', out);
      }
      out->push_back('\n');
    }
  });
  if (!status.ok()) return status;
  return more;
}

}  // namespace omendb::sql
