#include "sql/engine/file_tables.h"

#include <glob.h>

#include <algorithm>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/parsed_data/create_table_function_info.hpp"

#include "sql/engine/error_mapping.h"
#include "sql/engine/file_types.h"
#include "sql/engine/server_files.h"
#include "sql/engine/session_impl.h"

namespace omendb::sql {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

struct Reader {
  const char* name;
  const char* own;     // DuckDB's
  const char* format;  // for messages
};
constexpr Reader kReaders[] = {{"omen_read_parquet", "read_parquet", "Parquet"}, {"omen_read_csv", "read_csv", "CSV"}};
const Reader& reader_of(FileRequest::Format format) { return kReaders[format == FileRequest::Format::kCsv ? 1 : 0]; }

/// The files of a statement, opened for its DuckDB query.
class FileReads final : public duckdb::ClientContextState {
 public:
  static duckdb::shared_ptr<FileReads> of(duckdb::ClientContext& context) {
    return context.registered_state->GetOrCreate<FileReads>("omendb_file_reads");
  }
  void QueryBegin(duckdb::ClientContext&) override { names_.clear(); }
  void QueryEnd() override { grants_.clear(); }

  /// The names by which DuckDB may open `paths`.
  Value open(duckdb::DatabaseInstance& instance, const std::vector<std::string>& paths, const char* format) {
    duckdb::vector<Value> names;
    for (const std::string& path : paths) {
      grants_.push_back(std::make_unique<FileGrants::Grant>(instance, path, FileAccess::kRead));
      names.emplace_back(grants_.back()->name());
      names_.push_back({grants_.back()->name(), path, format});
    }
    return Value::LIST(LogicalType::VARCHAR, std::move(names));
  }

  void throw_if_mine(const duckdb::ErrorData& error) const {
    if (error.ExtraInfo().contains("omen_code")) return;
    for (const Name& name : names_) {
      const std::string& raw = error.RawMessage();
      if (raw.find(name.grant) == std::string::npos) continue;
      // What follows the first empty line is advice on DuckDB's options.
      const std::string message = duckdb::StringUtil::Replace(raw.substr(0, raw.find("\n\n")), name.grant, name.path);
      throw SqlError(SqlState::kBadCopyFileFormat, "could not read \"" + name.path + "\" as a " + name.format + " file")
          .detail(message);
    }
  }

 private:
  struct Name {
    std::string grant, path, format;
  };
  std::vector<std::unique_ptr<FileGrants::Grant>> grants_;
  std::vector<Name> names_;
};

std::vector<std::string> find_files(const std::vector<std::string>& patterns) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    glob_t found{};
    if (pattern.find_first_of("*?[") != std::string::npos && ::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      files.insert(files.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    } else {
      files.push_back(pattern);
    }
    ::globfree(&found);
  }
  for (const std::string& file : files) require_readable_file(file);
  return files;
}

/// What the emitted call hands to its binding: (paths, options, columns as analysis saw them).
Value call_argument(const FileRequest& request, const duckdb::vector<std::string>& names,
                    const duckdb::vector<LogicalType>& types) {
  duckdb::vector<Value> paths, columns;
  for (const std::string& path : request.paths) paths.emplace_back(path);
  for (size_t i = 0; i < names.size(); ++i) columns.emplace_back(names[i] + "\n" + types[i].ToString());
  duckdb::child_list_t<Value> options = {{"none", Value::BOOLEAN(false)}};
  for (const auto& [name, value] : request.options) options.emplace_back(name, value);
  return Value::STRUCT({{"paths", Value::LIST(LogicalType::VARCHAR, std::move(paths))},
                        {"options", Value::STRUCT(std::move(options))},
                        {"columns", Value::LIST(LogicalType::VARCHAR, std::move(columns))}});
}

/// What holds for every call of a reader, unless the request says otherwise.
duckdb::named_parameter_map_t reader_options(FileRequest::Format format) {
  duckdb::named_parameter_map_t options;
  // As in COPY, only what is not quoted is null.
  if (format == FileRequest::Format::kCsv) options["allow_quoted_nulls"] = Value::BOOLEAN(false);
  return options;
}

template <FileRequest::Format kFormat>
duckdb::unique_ptr<duckdb::FunctionData> bind_file(duckdb::ClientContext& context,
                                                   duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  const Reader& reader = reader_of(kFormat);
  auto& session = services(context);
  require_file_reading(*session.catalog(), session.current_user());
  const auto& request = duckdb::StructValue::GetChildren(input.inputs[0]);
  std::vector<std::string> patterns;
  for (const Value& path : duckdb::ListValue::GetChildren(request[0])) patterns.push_back(path.ToString());
  const std::vector<std::string> files = find_files(patterns);
  duckdb::vector<Value> inputs = {FileReads::of(context)->open(*context.db, files, reader.format)};
  duckdb::named_parameter_map_t options = reader_options(kFormat);
  for (size_t i = 0; i < duckdb::StructType::GetChildCount(request[1].type()); ++i) {
    const auto& name = duckdb::StructType::GetChildName(request[1].type(), i);
    if (name != "none") options[name] = duckdb::StructValue::GetChildren(request[1])[i];
  }
  auto& entry = duckdb::Catalog::GetEntry<duckdb::TableFunctionCatalogEntry>(context, INVALID_CATALOG, DEFAULT_SCHEMA,
                                                                             reader.own);
  const auto own = entry.functions.GetFunctionByArguments(context, {LogicalType::LIST(LogicalType::VARCHAR)});
  duckdb::TableFunctionBindInput as_own(inputs, options, input.input_table_types, input.input_table_names,
                                        own.function_info, input.binder, input.table_function, input.ref);
  auto data = own.bind(context, as_own, types, names);

  const auto& expected = duckdb::ListValue::GetChildren(request[2]);
  bool same = expected.size() == names.size();
  for (size_t i = 0; same && i < names.size(); ++i)
    same = expected[i].ToString() == names[i] + "\n" + types[i].ToString();
  if (!same) {
    throw result_type_changed().detail("File \"" + files.front() +
                                       "\" has other columns than when the statement was prepared.");
  }
  // The emitted statement knows them by number: DuckDB's names do not tell upper case from lower.
  for (size_t i = 0; i < names.size(); ++i) names[i] = "c" + std::to_string(i + 1);
  return data;
}

}  // namespace

FileTable FileTables::describe(const FileRequest& request, const std::string& alias) {
  require_file_reading(*session_.current_catalog(), session_.current_user());
  const Reader& reader = reader_of(request.format);
  auto& duck = session_.engine().duck();
  const auto connection =
      duck.connect(session_.connection().context->registered_state->Get<SessionServices>(SessionServices::kKey));
  auto& context = *connection->context;
  const auto reads = FileReads::of(context);
  const std::string files = reads->open(duck.instance(), find_files(request.paths), reader.format).ToSQLString();
  std::string options;
  auto given = reader_options(request.format);
  for (const auto& [name, value] : request.options) given[name] = value;
  for (const auto& [name, value] : given) options += ", " + name + " = " + value.ToSQLString();
  // A prepared statement is bound and no more; grants last until the connection goes.
  const auto shape = connection->Prepare(std::string("SELECT * FROM ") + reader.own + "(" + files + options + ")");
  session_.check_cancelled();
  if (shape->HasError()) {
    reads->throw_if_mine(shape->error);
    throw_duck_error(shape->error);
  }

  FileTable table;
  const auto& names = shape->GetNames();
  const auto& types = shape->GetTypes();
  for (size_t i = 0; i < names.size(); ++i) {
    const auto type = file_type(types[i]);
    if (!type)
      not_supported(std::string("reading column \"") + names[i] + "\" of the " + reader.format + " type " +
                    types[i].ToString());
    FileColumn column;
    column.name = names[i];
    column.type = type->type;
    column.typmod = type->typmod;
    column.physical = type->physical;
    column.value = file_value(emit::column(alias, "c" + std::to_string(i + 1)), types[i], names[i]);
    table.columns.push_back(std::move(column));
  }
  table.ref = emit::table_function(
      reader.name, duckdb::make_uniq<duckdb::ConstantExpression>(call_argument(request, names, types)), alias);
  return table;
}

bool reads_files(const duckdb::SelectStatement& select) {
  const std::string text = select.ToString();
  return std::any_of(std::begin(kReaders), std::end(kReaders),
                     [&](const Reader& reader) { return text.find(reader.name) != std::string::npos; });
}

void throw_if_file_error(duckdb::ClientContext& context, const duckdb::ErrorData& error) {
  FileReads::of(context)->throw_if_mine(error);
}

void register_file_functions(duckdb::DatabaseInstance& database) {
  register_file_values(database);
  auto& catalog = duckdb::Catalog::GetSystemCatalog(database);
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
  duckdb::Connection connection(database);
  connection.BeginTransaction();
  for (const Reader& reader : kReaders) {
    auto& entry = duckdb::Catalog::GetEntry<duckdb::TableFunctionCatalogEntry>(*connection.context, INVALID_CATALOG,
                                                                               DEFAULT_SCHEMA, reader.own);
    auto function =
        entry.functions.GetFunctionByArguments(*connection.context, {LogicalType::LIST(LogicalType::VARCHAR)});
    function.name = reader.name;
    function.arguments = {LogicalType::ANY};
    function.named_parameters.clear();
    function.bind =
        &reader == &kReaders[0] ? bind_file<FileRequest::Format::kParquet> : bind_file<FileRequest::Format::kCsv>;
    duckdb::CreateTableFunctionInfo info(function);
    info.internal = true;
    catalog.CreateFunction(transaction, info);
  }
  connection.Rollback();
}

}  // namespace omendb::sql
