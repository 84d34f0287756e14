// DROP of what a database has only as PostgreSQL delivers it, or not at all: functions, operators, casts, languages, text search objects ...
// Nothing is ever dropped here: it does not exist, or the system needs it.
#include "sql/frontend/function_lookup.h"
#include "sql/frontend/pg_data.h"

#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {
namespace {

std::string dotted(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

/// A type as it was written, as PostgreSQL's TypeNameToString has it: pg_catalog.int4.
std::string written(const TypeName* type) {
  return dotted(strings_of(type->names)) + (type->arrayBounds != nullptr ? "[]" : "");
}

/// A kind of object that has a name and nothing else: where pg_catalog keeps it, if a table of its rows is with us.
struct NamedKind {
  const char* word;
  const char* tag;
  const char* table = nullptr;
  const char* column = nullptr;
};

const NamedKind* named_kind(ObjectType type) {
  static const std::map<int, NamedKind> kinds = {
      {OBJECT_COLLATION, {"collation", "DROP COLLATION", "pg_collation", "collname"}},
      {OBJECT_CONVERSION, {"conversion", "DROP CONVERSION", "pg_conversion", "conname"}},
      {OBJECT_FOREIGN_SERVER, {"server", "DROP SERVER"}},
      {OBJECT_FDW, {"foreign-data wrapper", "DROP FOREIGN DATA WRAPPER"}},
      {OBJECT_LANGUAGE, {"language", "DROP LANGUAGE", "pg_language", "lanname"}},
      {OBJECT_TSPARSER, {"text search parser", "DROP TEXT SEARCH PARSER", "pg_ts_parser", "prsname"}},
      {OBJECT_TSDICTIONARY, {"text search dictionary", "DROP TEXT SEARCH DICTIONARY", "pg_ts_dict", "dictname"}},
      {OBJECT_TSCONFIGURATION,
       {"text search configuration", "DROP TEXT SEARCH CONFIGURATION", "pg_ts_config", "cfgname"}},
      {OBJECT_TSTEMPLATE, {"text search template", "DROP TEXT SEARCH TEMPLATE", "pg_ts_template", "tmplname"}},
      {OBJECT_ACCESS_METHOD, {"access method", "DROP ACCESS METHOD", "pg_am", "amname"}},
      {OBJECT_PUBLICATION, {"publication", "DROP PUBLICATION"}},
      {OBJECT_EVENT_TRIGGER, {"event trigger", "DROP EVENT TRIGGER"}},
      {OBJECT_STATISTIC_EXT, {"statistics object", "DROP STATISTICS"}},
      {OBJECT_EXTENSION, {"extension", "DROP EXTENSION"}},
      {OBJECT_OPCLASS, {"operator class", "DROP OPERATOR CLASS", "pg_opclass", "opcname"}},
      {OBJECT_OPFAMILY, {"operator family", "DROP OPERATOR FAMILY", "pg_opfamily", "opfname"}},
  };
  auto it = kinds.find(type);
  return it == kinds.end() ? nullptr : &it->second;
}

bool row_exists(const NamedKind& kind, const std::string& name) {
  if (kind.table == nullptr) return false;
  PgDataTable table = parse_pg_data(kind.table);
  const size_t column = table.column(kind.column);
  for (const auto& row : table.rows) {
    if (row[column] == name) return true;
  }
  return false;
}

[[noreturn]] void throw_required(const std::string& what) {
  throw SqlError(SqlState::kDependentObjectsStillExist,
                 "cannot drop " + what + " because it is required by the database system");
}

}  // namespace

bool Ddl::absent_schema(const std::vector<std::string>& name, bool missing_ok) {
  if (name.size() < 2) return false;
  const std::string& schema = name[name.size() - 2];
  if (catalog()->find_schema(schema) != nullptr || schema == "pg_temp") return false;
  const std::string text = "schema " + quoted(schema) + " does not exist";
  if (!missing_ok) throw SqlError(SqlState::kUndefinedSchema, text);
  notice(SqlState::kSuccessfulCompletion, text + ", skipping");
  return true;
}

/// The types of an argument list; nullopt after a notice when one of them is not there and need not be.
std::optional<std::vector<Oid>> Ddl::argument_types(const List* list, bool missing_ok) {
  StatementContext statement = context_.analysis(text_);
  std::vector<Oid> types;
  bool skipped = false;
  for_list<Node>(list, [&](Node* node) {
    if (skipped) return;
    if (node == nullptr) {
      types.push_back(kInvalidOid);
      return;
    }
    auto* type = reinterpret_cast<TypeName*>(node);
    try {
      types.push_back(resolve_type(statement, type).type);
    } catch (SqlError& error) {
      if (error.info().code != SqlState::kUndefinedObject && error.info().code != SqlState::kUndefinedSchema) throw;
      if (!missing_ok) throw SqlError(error.info().code, error.info().message);  // without a position
      skipped = true;
      if (absent_schema(strings_of(type->names), true)) return;
      notice(SqlState::kSuccessfulCompletion, "type " + quoted(written(type)) + " does not exist, skipping");
    }
  });
  if (skipped) return std::nullopt;
  return types;
}

std::string Ddl::drop_routine(DropStmt* stmt) {
  const char* word = stmt->removeType == OBJECT_PROCEDURE   ? "procedure"
                     : stmt->removeType == OBJECT_AGGREGATE ? "aggregate"
                     : stmt->removeType == OBJECT_ROUTINE   ? "routine"
                                                            : "function";
  // An error knows no routine.
  const std::string lookup = stmt->removeType == OBJECT_ROUTINE ? "function" : word;
  StatementContext statement = context_.analysis(text_);
  for_list<ObjectWithArgs>(stmt->objects, [&](ObjectWithArgs* object) {
    const std::vector<std::string> parts = strings_of(object->objname);
    if (absent_schema(parts, stmt->missing_ok)) return;
    auto types = argument_types(object->objargs, stmt->missing_ok);
    if (!types) return;
    const std::vector<const ProcRow*>& known = procs_named(parts.back());
    for (const ProcRow* proc : known) {
      if (!object->args_unspecified && proc->arguments != *types) continue;
      if (object->args_unspecified && known.size() > 1) {
        throw SqlError(SqlState::kAmbiguousFunction, lookup + " name " + quoted(dotted(parts)) + " is not unique")
            .hint("Specify the argument list to select the " + lookup + " unambiguously.");
      }
      throw_required((proc->kind == 'a' ? "aggregate " : "function ") +
                     function_signature(statement, parts.back(), proc->arguments));
    }
    if (stmt->missing_ok) {
      std::string arguments;
      for_list<TypeName>(object->objargs,
                         [&](TypeName* type) { arguments += (arguments.empty() ? "" : ",") + written(type); });
      notice(SqlState::kSuccessfulCompletion,
             std::string(word) + " " + dotted(parts) + "(" + arguments + ") does not exist, skipping");
      return;
    }
    if (object->args_unspecified) {
      throw SqlError(SqlState::kUndefinedFunction, "could not find a " + lookup + " named " + quoted(dotted(parts)));
    }
    throw SqlError(SqlState::kUndefinedFunction,
                   lookup + " " + function_signature(statement, dotted(parts), *types) + " does not exist");
  });
  return std::string("DROP ") + (stmt->removeType == OBJECT_PROCEDURE   ? "PROCEDURE"
                                 : stmt->removeType == OBJECT_AGGREGATE ? "AGGREGATE"
                                 : stmt->removeType == OBJECT_ROUTINE   ? "ROUTINE"
                                                                        : "FUNCTION");
}

std::string Ddl::drop_of_relation(DropStmt* stmt) {
  const char* word = stmt->removeType == OBJECT_TRIGGER ? "trigger"
                     : stmt->removeType == OBJECT_RULE  ? "rule"
                                                        : "policy";
  for_list<List>(stmt->objects, [&](List* names) {
    std::vector<std::string> parts = strings_of(names);
    const std::string name = parts.back();
    parts.pop_back();
    if (absent_schema(parts, stmt->missing_ok)) return;
    Oid relation = lookup_relation(parts.size() > 1 ? parts[parts.size() - 2].c_str() : nullptr, parts.back().c_str());
    if (relation == kInvalidOid) {
      const std::string text =
          "relation " + quoted(stmt->missing_ok ? parts.back() : dotted(parts)) + " does not exist";
      if (!stmt->missing_ok) throw SqlError(SqlState::kUndefinedTable, text);
      notice(SqlState::kSuccessfulCompletion, text + ", skipping");
      return;
    }
    if (!stmt->missing_ok) {
      throw SqlError(SqlState::kUndefinedObject, std::string(word) + " " + quoted(name) + " for " +
                                                     (stmt->removeType == OBJECT_RULE ? "relation " : "table ") +
                                                     quoted(parts.back()) + " does not exist");
    }
    notice(SqlState::kSuccessfulCompletion, std::string(word) + " " + quoted(name) + " for relation " +
                                                quoted(dotted(parts)) + " does not exist, skipping");
  });
  return stmt->removeType == OBJECT_TRIGGER ? "DROP TRIGGER"
         : stmt->removeType == OBJECT_RULE  ? "DROP RULE"
                                            : "DROP POLICY";
}

std::string Ddl::drop_operator(DropStmt* stmt) {
  StatementContext statement = context_.analysis(text_);
  for_list<ObjectWithArgs>(stmt->objects, [&](ObjectWithArgs* object) {
    const std::vector<std::string> parts = strings_of(object->objname);
    if (absent_schema(parts, stmt->missing_ok)) return;
    auto types = argument_types(object->objargs, stmt->missing_ok);
    if (!types) return;
    const Oid left = types->at(0), right = types->at(1);
    auto name_of = [&](Oid type) { return format_type(*statement.catalog, type, -1); };
    for (const OperatorRow* row : operators_named(parts.back())) {
      if (row->left != left || row->right != right) continue;
      throw_required("operator " + parts.back() + "(" + (left == kInvalidOid ? "NONE" : name_of(left)) + "," +
                     name_of(right) + ")");
    }
    if (!stmt->missing_ok) {
      throw SqlError(SqlState::kUndefinedFunction,
                     "operator does not exist: " + (left == kInvalidOid ? "" : name_of(left) + " ") + dotted(parts) +
                         " " + name_of(right));
    }
    notice(SqlState::kSuccessfulCompletion, "operator " + dotted(parts) + " does not exist, skipping");
  });
  return "DROP OPERATOR";
}

std::string Ddl::drop_cast(DropStmt* stmt) {
  StatementContext statement = context_.analysis(text_);
  for_list<List>(stmt->objects, [&](List* pair) {
    auto types = argument_types(pair, stmt->missing_ok);
    if (!types) return;
    const Oid from = types->at(0), to = types->at(1);
    const std::string text = "cast from type " + format_type(*statement.catalog, from, -1) + " to type " +
                             format_type(*statement.catalog, to, -1);
    PgDataTable casts = parse_pg_data("pg_cast");
    const size_t source = casts.column("castsource"), target = casts.column("casttarget");
    for (const auto& row : casts.rows) {
      if (row[source] == std::to_string(from.value) && row[target] == std::to_string(to.value)) throw_required(text);
    }
    if (!stmt->missing_ok) throw SqlError(SqlState::kUndefinedObject, text + " does not exist");
    notice(SqlState::kSuccessfulCompletion, "cast from type " + written(static_cast<TypeName*>(linitial(pair))) +
                                                " to type " + written(static_cast<TypeName*>(lsecond(pair))) +
                                                " does not exist, skipping");
  });
  return "DROP CAST";
}

std::string Ddl::drop_named(DropStmt* stmt) {
  const NamedKind* kind = named_kind(stmt->removeType);
  if (kind == nullptr) not_supported("DROP of this kind of object");
  const bool of_method = stmt->removeType == OBJECT_OPCLASS || stmt->removeType == OBJECT_OPFAMILY;
  for_list<Node>(stmt->objects, [&](Node* node) {
    std::vector<std::string> parts =
        IsA(node, List) ? strings_of(reinterpret_cast<List*>(node)) : std::vector<std::string>{string_value(node)};
    std::string suffix;
    if (of_method) {
      if (!row_exists({"", "", "pg_am", "amname"}, parts[0])) {
        throw SqlError(SqlState::kUndefinedObject, "access method " + quoted(parts[0]) + " does not exist");
      }
      suffix = " for access method " + quoted(parts[0]);
      parts.erase(parts.begin());
    }
    if (absent_schema(parts, stmt->missing_ok)) return;
    if (row_exists(*kind, parts.back())) {
      throw_required(
          std::string(kind->word) + " " + quote_identifier(parts.back()) +
          (of_method ? " for access method " + quote_identifier(suffix.substr(20, suffix.size() - 21)) : ""));
    }
    const std::string what = std::string(kind->word) + " " + quoted(dotted(parts));
    if (stmt->missing_ok) {
      notice(SqlState::kSuccessfulCompletion,
             what + (of_method ? " does not exist" + suffix : " does not exist") + ", skipping");
      return;
    }
    if (stmt->removeType == OBJECT_COLLATION) suffix = " for encoding \"UTF8\"";
    throw SqlError(SqlState::kUndefinedObject,
                   of_method ? what + " does not exist" + suffix : what + suffix + " does not exist");
  });
  return kind->tag;
}

std::string Ddl::drop_database(DropdbStmt* stmt) {
  const std::string name = stmt->dbname;
  StatementContext statement = context_.analysis(text_);
  if (name == statement.database_name || name == "template0" || name == "template1") not_supported("DROP DATABASE");
  const std::string text = "database " + quoted(name) + " does not exist";
  if (!stmt->missing_ok) throw SqlError(SqlState::kUndefinedDatabase, text);
  notice(SqlState::kSuccessfulCompletion, text + ", skipping");
  return "DROP DATABASE";
}

std::string Ddl::drop_shared(const char* word, const char* tag, const char* name, bool missing_ok) {
  const std::string text = std::string(word) + " " + quoted(name) + " does not exist";
  if (!missing_ok) throw SqlError(SqlState::kUndefinedObject, text);
  notice(SqlState::kSuccessfulCompletion, text + ", skipping");
  return tag;
}

}  // namespace omendb::sql
