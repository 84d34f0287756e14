// EXPLAIN: the route a statement takes (point plan, small plan, or rows and columns through DuckDB) and DuckDB's plan.
#include <chrono>
#include <cstdio>

#include "duckdb/parser/statement/explain_statement.hpp"

#include "sql/duck_types.h"
#include "sql/engine/counting_sink.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"
#include "sql/engine/explain_format.h"
#include "sql/engine/portal.h"
#include "sql/engine/scan.h"
#include "sql/engine/utility.h"
#include "sql/engine/vectors.h"
#include "sql/frontend/ddl.h"
#include "sql/frontend/pg_nodes.h"
#include "sql/point/point_plan.h"

namespace omendb::sql {
namespace {

struct Options {
  bool analyze = false, costs = true, verbose = false, timing = true, summary = false;
  std::string format = "text";
};

bool option_value(const DefElem* option) {
  if (option->arg == nullptr) return true;
  const auto* node = reinterpret_cast<const Node*>(option->arg);
  if (nodeTag(node) == T_Integer) return reinterpret_cast<const Integer*>(node)->ival != 0;
  if (nodeTag(node) == T_Boolean) return reinterpret_cast<const Boolean*>(node)->boolval;
  if (nodeTag(node) == T_String) {
    const auto value = parse_boolean(reinterpret_cast<const String*>(node)->sval);
    if (value) return *value;
  }
  throw SqlError(SqlState::kSyntaxError, std::string(option->defname) + " requires a Boolean value");
}

Options read_options(const ExplainStmt* statement) {
  Options options;
  for (int i = 0; statement->options != nullptr && i < statement->options->length; ++i) {
    const auto* option = static_cast<const DefElem*>(statement->options->elements[i].ptr_value);
    const std::string name = option->defname;
    if (name == "analyze")
      options.analyze = option_value(option);
    else if (name == "verbose")
      options.verbose = option_value(option);
    else if (name == "costs")
      options.costs = option_value(option);
    else if (name == "timing")
      options.timing = option_value(option);
    else if (name == "summary")
      options.summary = option_value(option);
    else if (name == "buffers" || name == "settings" || name == "wal")
      option_value(option);
    else if (name == "format") {
      if (option->arg == nullptr) throw SqlError(SqlState::kSyntaxError, "format requires a parameter");
      options.format = option->arg != nullptr && nodeTag(option->arg) == T_String
                           ? reinterpret_cast<const String*>(option->arg)->sval
                           : "";
      if (options.format != "text" && options.format != "json" && options.format != "xml" && options.format != "yaml") {
        throw SqlError(SqlState::kInvalidParameterValue,
                       "unrecognized value for EXPLAIN option \"format\": \"" + options.format + "\"",
                       option->location);
      }
    } else {
      throw SqlError(SqlState::kSyntaxError, "unrecognized EXPLAIN option \"" + name + "\"", option->location);
    }
  }
  return options;
}

/// What PostgreSQL's plan says of the one relation that a query is about.
struct ExplainedRelation {
  std::string schema, name, alias;
};
std::optional<ExplainedRelation> relation_of(SessionImpl& session, const Node* node) {
  const RangeVar* range = nullptr;
  switch (nodeTag(node)) {
    case T_InsertStmt: range = reinterpret_cast<const InsertStmt*>(node)->relation; break;
    case T_UpdateStmt: range = reinterpret_cast<const UpdateStmt*>(node)->relation; break;
    case T_DeleteStmt: range = reinterpret_cast<const DeleteStmt*>(node)->relation; break;
    case T_SelectStmt: {
      const List* from = reinterpret_cast<const SelectStmt*>(node)->fromClause;
      if (from == nullptr || from->length != 1) return std::nullopt;
      const auto* item = static_cast<const Node*>(from->elements[0].ptr_value);
      if (nodeTag(item) == T_RangeVar) range = reinterpret_cast<const RangeVar*>(item);
      break;
    }
    default: break;
  }
  if (range == nullptr) return std::nullopt;
  StatementContext context = session.analysis("");
  const Oid oid = find_relation(context, range->schemaname, range->relname);
  if (oid == kInvalidOid) return std::nullopt;  // a WITH query
  ExplainedRelation relation;
  relation.name = range->relname;
  relation.alias = range->alias != nullptr ? range->alias->aliasname : range->relname;
  relation.schema = "pg_catalog";
  if (const auto* table = context.catalog->find<catalog::Table>(oid))
    relation.schema = context.catalog->find<catalog::Schema>(table->schema)->name;
  return relation;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(c));
      out += buffer;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// DuckDB's rendering of the plan of `select`.
std::string duck_plan(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
                      bool analyze, bool json) {
  const ColumnStatement::Scope columns(*session.connection().context, use_of_columns(session.settings().route()));
  auto explain = duckdb::make_uniq<duckdb::ExplainStatement>(
      select.Copy(), analyze ? duckdb::ExplainType::EXPLAIN_ANALYZE : duckdb::ExplainType::EXPLAIN_STANDARD,
      json ? duckdb::ExplainFormat::JSON : duckdb::ExplainFormat::DEFAULT);
  duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
  for (size_t i = 0; i < parameters.values.size(); ++i) {
    const std::string name = std::to_string(i + 1);
    const auto type = duck_type(parameters.types[i], parameters.physical[i]);
    explain->named_param_map[name] = i + 1;
    values[name] =
        duckdb::BoundParameterData(duck_value(parameters.values[i].view(), parameters.physical[i], type), type);
  }
  auto pending = session.connection().context->PendingQuery(std::move(explain), values, false);
  if (pending->HasError()) throw_duck_error(pending->GetErrorObject());
  auto result = pending->Execute();
  if (result->HasError()) throw_duck_error(result->GetErrorObject());
  std::string text;
  while (auto chunk = result->Fetch()) {
    if (chunk->size() == 0) break;
    for (size_t i = 0; i < chunk->size(); ++i) text += chunk->GetValue(1, i).ToString();
  }
  return text;
}

/// What scans did; before they start, what they may do: each decides when it knows its keys.
std::string scans_route(const ColumnStatement::Scope& scans, bool ran) {
  if (scans.columns()) return scans.rows() ? "rows and columns" : "columns";
  if (scans.rows() || !scans.opened()) return "rows";
  return ran ? "columns" : "rows or columns";  // counts that need no scan
}

const char* kind_name(QueryKind kind) {
  switch (kind) {
    case QueryKind::kSelect: return "Select";
    case QueryKind::kInsert: return "Insert";
    case QueryKind::kUpdate: return "Update";
    case QueryKind::kDelete: return "Delete";
    case QueryKind::kMerge: return "Merge";
  }
  return "";
}

void add_lines(const std::string& text, TextRows* out) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out->add({text.substr(at, end - at)});
    at = end + 1;
  }
}

/// The query in a statement that EXPLAIN takes, its INTO away; null: none of its own.
Node* explained_query(Node* node, std::optional<WithoutInto>* select) {
  switch (nodeTag(node)) {
    case T_CreateTableAsStmt: node = reinterpret_cast<CreateTableAsStmt*>(node)->query; break;
    case T_DeclareCursorStmt: node = reinterpret_cast<DeclareCursorStmt*>(node)->query; break;
    case T_SelectStmt: select->emplace(reinterpret_cast<SelectStmt*>(node)); break;
    default: break;
  }
  return is_query(node) ? node : nullptr;
}

}  // namespace

void describe_explain(SessionImpl& session, PreparedStatement& statement) {
  const auto* explain = reinterpret_cast<const ExplainStmt*>(statement.parsed->node);
  const Options options = read_options(explain);
  ColumnDescription column = text_column("QUERY PLAN");
  if (options.format == "json") column.type = types::oid::kJson;
  if (options.format == "xml") column.type = types::oid::kXml;
  statement.columns.push_back(column);
  statement.returns_rows = true;
  std::optional<WithoutInto> select;
  if (Node* query = explained_query(explain->query, &select)) {
    statement.parameter_types = session.prepare_inner(*statement.parsed, query, statement.given_types)->parameter_types;
  }
}

std::string run_explain(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                        RowSink& sink) {
  const auto* explain = reinterpret_cast<const ExplainStmt*>(statement.parsed->node);
  const Options options = read_options(explain);
  Node* explained = explain->query;
  if (nodeTag(explained) == T_RefreshMatViewStmt && options.format == "text") {
    TextRows out(1);
    out.add({"Utility statements have no plan structure"});
    out.send(sink);
    return "EXPLAIN";
  }
  // What it would do beside its query is not done.
  if (options.analyze && !is_query(explained) && nodeTag(explained) != T_ExecuteStmt &&
      nodeTag(explained) != T_DeclareCursorStmt) {
    not_supported("EXPLAIN ANALYZE of this statement");
  }
  std::optional<WithoutInto> select;
  Node* const own_query = explained_query(explained, &select);
  Parameters given = parameters;
  std::shared_ptr<PreparedStatement> inner;
  if (own_query != nullptr) {
    inner = session.prepare_inner(*statement.parsed, own_query, parameters.types);
    explained = own_query;
  } else {
    if (nodeTag(explained) == T_CreateTableAsStmt)
      explained = reinterpret_cast<const CreateTableAsStmt*>(explained)->query;
    if (nodeTag(explained) != T_ExecuteStmt) not_supported("EXPLAIN of this statement");
    const auto* execute = reinterpret_cast<const ExecuteStmt*>(explained);
    inner = find_prepared_or_throw(session, execute->name);
    if (inner->kind != StatementKind::kQuery) not_supported("EXPLAIN of this statement");
    given = execute_parameters(session, *statement.parsed, *inner, execute);
    session.ensure_analyzed(*inner);
    explained = inner->parsed->node;
  }
  const auto query = inner->query;
  lock_relations(session, *query);
  session.next_command();
  const bool json = options.format != "text";  // the others are made of it

  auto point = PointPlan::try_create(session, query, given);
  const ColumnStatement::Scope scans(*session.connection().context, use_of_columns(session.settings().route()));
  std::string head;
  if (point != nullptr) {
    head = point->describe();
  } else if (query->kind != QueryKind::kSelect) {
    const auto* table = session.statement_catalog()->find<catalog::Table>(query->target);
    head = std::string(kind_name(query->kind)) + " on " + (table == nullptr ? "?" : table->name);
  }

  double milliseconds = 0;
  uint64_t rows = 0;
  std::string plan;
  if (options.analyze) {
    const bool duck_runs_it = point == nullptr && query->kind == QueryKind::kSelect && query->row_marks.empty() &&
                              query->modifying_ctes.empty();
    const auto start = std::chrono::steady_clock::now();
    if (duck_runs_it) {
      plan = duck_plan(session, *query->select, given, true, json);
    } else {
      CountingSink counted;
      PortalImpl portal(session, inner, given);
      portal.execute_or_throw(0, counted);
      rows = counted.count();
    }
    milliseconds =
        static_cast<double>(
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count()) /
        1000.0;
  }
  if (plan.empty() && point == nullptr && query->modifying_ctes.empty()) {
    plan = duck_plan(session, *query->select, given, false, json);
  }

  const std::string route =
      point != nullptr ? kRouteNames[static_cast<size_t>(point->route())] : scans_route(scans, options.analyze);
  TextRows out(1);
  char time[64];
  std::snprintf(time, sizeof(time), "%.3f", milliseconds);
  if (json) {
    std::string text = "[\n  {\n    \"Plan\": {\n      \"Node Type\": " +
                       json_string(point != nullptr ? head
                                   : head.empty()   ? "Select"
                                                    : head) +
                       ",\n      \"Route\": " + json_string(route);
    const auto add = [&](const char* name, const std::string& value) {
      text += std::string(",\n      \"") + name + "\": " + value;
    };
    if (query->kind != QueryKind::kSelect) add("Operation", json_string(kind_name(query->kind)));
    if (const auto relation = relation_of(session, explained)) {
      add("Relation Name", json_string(relation->name));
      if (options.verbose) add("Schema", json_string(relation->schema));
      add("Alias", json_string(relation->alias));
    }
    if (options.analyze) add("Actual Total Time", time);
    if (!plan.empty()) text += ",\n      \"DuckDB\": " + plan;
    text += "\n    }";
    if (options.analyze) text += std::string(",\n    \"Execution Time\": ") + time;
    text += "\n  }\n]";
    out.add({options.format == "xml" ? explain_xml(text) : options.format == "yaml" ? explain_yaml(text) : text});
  } else {
    add_lines(head, &out);
    out.add({"Route: " + route});
    add_lines(plan, &out);
    if (options.analyze) {
      if (point != nullptr) out.add({"Rows: " + std::to_string(rows)});
      out.add({std::string("Execution Time: ") + time + " ms"});
    }
  }
  out.send(sink);
  return "EXPLAIN";
}

}  // namespace omendb::sql
