// SET, RESET, SHOW.
#include <cstdio>

#include "sql/engine/portal.h"
#include "sql/engine/utility.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

/// '+02:00' of SET TIME ZONE INTERVAL, in the POSIX form that PostgreSQL shows: <+02>-02.
std::string zone_of_interval(const std::string& text) {
  int sign = 1, hours = 0, minutes = 0;
  size_t at = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) sign = text[at++] == '-' ? -1 : 1;
  if (std::sscanf(text.c_str() + at, "%d:%d", &hours, &minutes) < 1) {
    throw SqlError(SqlState::kInvalidDatetimeFormat, "invalid input syntax for type interval: \"" + text + "\"");
  }
  char zone[64];
  const char east = sign > 0 ? '+' : '-', west = sign > 0 ? '-' : '+';
  if (minutes != 0) {
    std::snprintf(zone, sizeof(zone), "<%c%02d:%02d>%c%02d:%02d", east, hours, minutes, west, hours, minutes);
  } else {
    std::snprintf(zone, sizeof(zone), "<%c%02d>%c%02d", east, hours, west, hours);
  }
  return zone;
}

std::string argument_text(const Node* node, bool quote) {
  if (nodeTag(node) == T_TypeCast) {
    const auto* cast = reinterpret_cast<const TypeCast*>(node);
    return zone_of_interval(argument_text(cast->arg, false));
  }
  if (nodeTag(node) != T_A_Const) not_supported("this value of SET");
  const auto* constant = reinterpret_cast<const A_Const*>(node);
  switch (nodeTag(&constant->val.node)) {
    case T_Integer: return std::to_string(constant->val.ival.ival);
    case T_Float: return constant->val.fval.fval;
    case T_Boolean: return constant->val.boolval.boolval ? "true" : "false";
    case T_String: return quote ? quote_identifier(constant->val.sval.sval) : constant->val.sval.sval;
    default: not_supported("this value of SET");
  }
}

void warn_outside_block(SessionImpl& session, const char* command) {
  if (session.in_transaction_block()) return;
  ErrorInfo info;
  info.code = SqlState::kNoActiveSqlTransaction;
  info.message = std::string(command) + " can only be used in transaction blocks";
  session.notice("WARNING", info);
}

}  // namespace

std::string run_set(SessionImpl& session, const Node* node) {
  const auto* statement = reinterpret_cast<const VariableSetStmt*>(node);
  Settings& settings = session.settings();
  const std::string name = statement->name != nullptr ? statement->name : "";
  if (statement->is_local) warn_outside_block(session, "SET LOCAL");
  switch (statement->kind) {
    case VAR_SET_VALUE: {
      // Lists are kept as they are written, with the names quoted that need it.
      const bool list = name == "search_path" || name == "temp_tablespaces" || name == "session_preload_libraries";
      std::string value;
      for (int i = 0; statement->args != nullptr && i < statement->args->length; ++i) {
        if (i > 0) value += ", ";
        value += argument_text(static_cast<const Node*>(statement->args->elements[i].ptr_value), list);
      }
      throw_if_error(settings.set(name, value, statement->is_local));
      return "SET";
    }
    case VAR_SET_DEFAULT: throw_if_error(settings.reset(name, statement->is_local)); return "SET";
    case VAR_SET_CURRENT: not_supported("SET ... FROM CURRENT");
    case VAR_SET_MULTI: {
      const bool characteristics = name == "SESSION CHARACTERISTICS";
      if (name == "TRANSACTION SNAPSHOT") not_supported("SET TRANSACTION SNAPSHOT");
      if (!characteristics) warn_outside_block(session, "SET TRANSACTION");
      for (int i = 0; statement->args != nullptr && i < statement->args->length; ++i) {
        const auto* option = static_cast<const DefElem*>(statement->args->elements[i].ptr_value);
        std::string setting = option->defname;
        std::string value = argument_text(option->arg, false);
        if (setting != "transaction_isolation") value = value == "0" || value == "false" ? "off" : "on";
        throw_if_error(settings.set(characteristics ? "default_" + setting : setting, value, !characteristics));
      }
      return "SET";
    }
    case VAR_RESET: throw_if_error(settings.reset(name, false)); return "RESET";
    case VAR_RESET_ALL: settings.reset_all(); return "RESET";
  }
  return "SET";
}

void describe_show(SessionImpl& session, const Node* node, std::vector<ColumnDescription>* columns) {
  const std::string name = reinterpret_cast<const VariableShowStmt*>(node)->name;
  if (name == "all") {
    for (const char* column : {"name", "setting", "description"}) columns->push_back(text_column(column));
    return;
  }
  if (!session.show_setting(name)) {
    throw SqlError(SqlState::kUndefinedObject, "unrecognized configuration parameter \"" + name + "\"");
  }
  columns->push_back(text_column(session.settings().canonical_name(name)));
}

std::string run_show(SessionImpl& session, const Node* node, RowSink& sink) {
  const std::string name = reinterpret_cast<const VariableShowStmt*>(node)->name;
  if (name == "all") {
    TextRows rows(3);
    for (const auto& row : session.settings().all()) {
      rows.add({row.name, session.show_setting(row.name).value_or(""), row.description});
    }
    rows.send(sink);
    return "SHOW";
  }
  const auto value = session.show_setting(name);
  if (!value) throw SqlError(SqlState::kUndefinedObject, "unrecognized configuration parameter \"" + name + "\"");
  TextRows rows(1);
  rows.add({*value});
  rows.send(sink);
  return "SHOW";
}

}  // namespace omendb::sql
