// read_parquet('file', ...) and read_csv('file', ...) in FROM: the file's columns, which must be known while the statement is analysed;
// so their arguments are constants.
#include <algorithm>

#include "sql/frontend/file_table.h"
#include "sql/frontend/query.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

using duckdb::LogicalTypeId;

struct Option {
  const char* name;
  LogicalTypeId type;
};
constexpr Option kCsvOptions[] = {{"header", LogicalTypeId::BOOLEAN},       {"delim", LogicalTypeId::VARCHAR},
                                  {"quote", LogicalTypeId::VARCHAR},        {"escape", LogicalTypeId::VARCHAR},
                                  {"nullstr", LogicalTypeId::VARCHAR},      {"all_varchar", LogicalTypeId::BOOLEAN},
                                  {"skip", LogicalTypeId::BIGINT},          {"sample_size", LogicalTypeId::BIGINT},
                                  {"union_by_name", LogicalTypeId::BOOLEAN}};
constexpr Option kParquetOptions[] = {{"union_by_name", LogicalTypeId::BOOLEAN},
                                      {"binary_as_string", LogicalTypeId::BOOLEAN}};

/// 'x'::text is 'x'.
Node* without_cast(Node* node) {
  while (IsA(node, TypeCast)) node = reinterpret_cast<TypeCast*>(node)->arg;
  return node;
}

[[noreturn]] void refuse_argument(const std::string& function, Node* node) {
  not_supported(function + " with an argument that is not a constant", exprLocation(node));
}

void add_paths(const std::string& function, Node* node, std::vector<std::string>* paths) {
  node = without_cast(node);
  if (IsA(node, A_ArrayExpr)) {
    ListCell* cell = nullptr;
    foreach (cell, reinterpret_cast<A_ArrayExpr*>(node)->elements)
      add_paths(function, static_cast<Node*>(lfirst(cell)), paths);
    return;
  }
  if (!IsA(node, A_Const)) refuse_argument(function, node);
  auto* constant = reinterpret_cast<A_Const*>(node);
  if (constant->isnull || !IsA(&constant->val, String)) {
    throw SqlError(SqlState::kInvalidParameterValue, "a path for " + function + " must be a string",
                   constant->location);
  }
  paths->emplace_back(constant->val.sval.sval);
}

duckdb::Value option_value(const std::string& function, const Option& option, Node* node) {
  node = without_cast(node);
  if (!IsA(node, A_Const)) refuse_argument(function, node);
  auto* constant = reinterpret_cast<A_Const*>(node);
  if (!constant->isnull) {
    const Node* value = &constant->val.node;
    if (option.type == LogicalTypeId::VARCHAR && IsA(value, String)) return duckdb::Value(constant->val.sval.sval);
    if (option.type == LogicalTypeId::BOOLEAN && IsA(value, Boolean))
      return duckdb::Value::BOOLEAN(constant->val.boolval.boolval);
    if (option.type == LogicalTypeId::BIGINT && IsA(value, Integer))
      return duckdb::Value::BIGINT(constant->val.ival.ival);
  }
  const char* wanted = option.type == LogicalTypeId::VARCHAR   ? "a string"
                       : option.type == LogicalTypeId::BOOLEAN ? "a Boolean value"
                                                               : "an integer value";
  throw SqlError(SqlState::kInvalidParameterValue,
                 std::string("option \"") + option.name + "\" of " + function + " requires " + wanted,
                 constant->location);
}

template <size_t N>
const Option& find_option(const Option (&options)[N], const std::string& function, const NamedArgExpr* argument) {
  const auto* found = std::find_if(std::begin(options), std::end(options),
                                   [&](const Option& o) { return std::string_view(o.name) == argument->name; });
  if (found == std::end(options)) {
    throw SqlError(SqlState::kInvalidParameterValue,
                   "unrecognized option \"" + std::string(argument->name) + "\" of " + function, argument->location);
  }
  return *found;
}

/// The call, when it is one of the two; their names are also free for nobody else, so a schema other than pg_catalog is not ours.
const FuncCall* file_call(const RangeFunction* range, std::string* function) {
  auto* node = static_cast<Node*>(linitial(static_cast<List*>(linitial(range->functions))));
  if (!IsA(node, FuncCall)) return nullptr;
  auto* call = reinterpret_cast<FuncCall*>(node);
  *function = system_function_name(call);
  return *function == "read_parquet" || *function == "read_csv" ? call : nullptr;
}

}  // namespace

std::optional<FromItem> analyze_from_file(Scope& scope, Node* range_function) {
  auto* range = reinterpret_cast<RangeFunction*>(range_function);
  StatementContext& statement = *scope.statement;
  std::string function;
  const FuncCall* call = file_call(range, &function);
  if (call == nullptr || statement.files == nullptr) return std::nullopt;
  if (list_length(range->functions) > 1) not_supported(function + " in ROWS FROM", call->location);
  if (range->ordinality) not_supported(function + " WITH ORDINALITY", call->location);
  if (range->coldeflist != nullptr || lsecond(static_cast<List*>(linitial(range->functions))) != nullptr) {
    throw SqlError(SqlState::kSyntaxError, "a column definition list is redundant for a function with OUT parameters",
                   call->location);
  }
  FileRequest request;
  request.format = function == "read_csv" ? FileRequest::Format::kCsv : FileRequest::Format::kParquet;
  ListCell* cell = nullptr;
  foreach (cell, call->args) {
    auto* argument = static_cast<Node*>(lfirst(cell));
    if (!IsA(argument, NamedArgExpr)) {
      add_paths(function, argument, &request.paths);
      continue;
    }
    auto* named = reinterpret_cast<NamedArgExpr*>(argument);
    const Option& option = request.format == FileRequest::Format::kCsv ? find_option(kCsvOptions, function, named)
                                                                       : find_option(kParquetOptions, function, named);
    request.options.emplace_back(option.name, option_value(function, option, reinterpret_cast<Node*>(named->arg)));
  }
  if (request.paths.empty())
    throw SqlError(SqlState::kUndefinedFunction, "function " + function + "() does not exist", call->location);

  // What a file has in its columns holds for this moment only.
  statement.reads_files = statement.reads_clock = true;
  const std::string source = statement.new_alias("f"), alias = statement.new_alias("r");
  FileTable table = statement.files->describe(request, source);
  auto rows = emit::select();
  rows->from_table = std::move(table.ref);
  ScopeItem item;
  item.kind = 'f';
  item.alias = range->alias != nullptr ? range->alias->aliasname : function;
  for (FileColumn& column : table.columns) {
    ScopeColumn seen;
    seen.name = std::move(column.name);
    seen.type = column.type;
    seen.typmod = column.typmod;
    seen.physical = column.physical;
    seen.duck_alias = alias;
    seen.duck_name = "c" + std::to_string(item.columns.size() + 1);
    column.value->SetAlias(seen.duck_name);
    rows->select_list.push_back(std::move(column.value));
    item.columns.push_back(std::move(seen));
  }
  apply_alias(item, range->alias);
  return from_single(scope, std::move(item), emit::subquery(std::move(rows), alias), alias, "");
}

}  // namespace omendb::sql
