// CREATE TABLE, its columns, CREATE TABLE AS, SELECT INTO, materialized views.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "types/scalar.h"
#include "types/type.h"

#include "sql/columnar/column_policy.h"
#include "sql/frontend/ddl_internal.h"
#include "sql/frontend/query.h"

namespace omendb::sql {
namespace {

/// A column's constraints in order: [NOT] DEFERRABLE and INITIALLY stand behind the one they are about.
class LateConstraint {
 public:
  void take(::Constraint* c) {
    switch (c->contype) {
      case CONSTR_ATTR_DEFERRABLE:
      case CONSTR_ATTR_NOT_DEFERRABLE: {
        const bool deferrable = c->contype == CONSTR_ATTR_DEFERRABLE;
        check_place(c, deferrable ? "DEFERRABLE" : "NOT DEFERRABLE");
        if (std::exchange(saw_deferrable_, true)) refuse(c, "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed");
        about_->deferrable = deferrable;
        if (!deferrable && about_->initdeferred) refuse(c, kMustBeDeferrable);
        break;
      }
      case CONSTR_ATTR_DEFERRED:
      case CONSTR_ATTR_IMMEDIATE: {
        const bool deferred = c->contype == CONSTR_ATTR_DEFERRED;
        check_place(c, deferred ? "INITIALLY DEFERRED" : "INITIALLY IMMEDIATE");
        if (std::exchange(saw_initially_, true)) refuse(c, "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed");
        about_->initdeferred = deferred;
        if (deferred && !saw_deferrable_) about_->deferrable = true;
        if (deferred && !about_->deferrable) refuse(c, kMustBeDeferrable);
        break;
      }
      default:
        about_ = c;
        saw_deferrable_ = saw_initially_ = false;
        break;
    }
  }

 private:
  static constexpr const char* kMustBeDeferrable = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";

  [[noreturn]] static void refuse(const ::Constraint* c, const std::string& message) {
    throw SqlError(SqlState::kSyntaxError, message, c->location);
  }
  void check_place(const ::Constraint* c, const char* clause) const {
    const bool takes_it =
        about_ != nullptr && (about_->contype == CONSTR_PRIMARY || about_->contype == CONSTR_UNIQUE ||
                              about_->contype == CONSTR_EXCLUSION || about_->contype == CONSTR_FOREIGN);
    if (!takes_it) refuse(c, std::string("misplaced ") + clause + " clause");
  }

  ::Constraint* about_ = nullptr;
  bool saw_deferrable_ = false, saw_initially_ = false;
};

/// int2, int4 or int8 for smallserial, serial and bigserial; kInvalidOid for other names.
Oid serial_type(const TypeName* type) {
  if (type == nullptr || type->names == nullptr || type->names->length != 1) return kInvalidOid;
  std::string_view name = string_value(linitial(type->names));
  if (name == "smallserial" || name == "serial2") return types::oid::kInt2;
  if (name == "serial" || name == "serial4") return types::oid::kInt4;
  if (name == "bigserial" || name == "serial8") return types::oid::kInt8;
  return kInvalidOid;
}

bool is_null_constant(const Node* node) {
  while (node != nullptr && IsA(node, TypeCast)) node = reinterpret_cast<const TypeCast*>(node)->arg;
  return node != nullptr && IsA(node, A_Const) && reinterpret_cast<const A_Const*>(node)->isnull;
}

Oid collation_of(const List* name, int location) {
  std::string collation = strings_of(name).back();
  if (collation == "default") return Oid{100};
  if (collation == "C" || collation == "ucs_basic") return Oid{950};
  if (collation == "POSIX") return Oid{951};
  throw SqlError(SqlState::kUndefinedObject, "collation " + quoted(collation) + " for encoding \"UTF8\" does not exist",
                 location);
}

bool is_collatable(Oid type) {
  if (Oid element = types::array_element_type(type); element != kInvalidOid) type = element;
  return type == types::oid::kText || type == types::oid::kVarchar || type == types::oid::kBpchar ||
         type == types::oid::kName;
}

}  // namespace

bool Ddl::name_taken(const TableBuild& build, const std::string& name) {
  if (catalog()->find_relation(build.table.schema, name) != kInvalidOid || name == build.table.name) return true;
  for (const auto& index : build.new_indexes) {
    if (index.name == name) return true;
  }
  for (const auto& sequence : build.new_sequences) {
    if (sequence.name == name) return true;
  }
  return false;
}

std::string Ddl::stored_type_name(Oid type, int32_t typmod) {
  auto now = catalog();
  Oid element = now->element_of_array(type);
  if (element == kInvalidOid) element = types::array_element_type(type);
  Oid base = element == kInvalidOid ? type : element;
  Oid schema;
  std::string name;
  if (auto object = now->object(base)) {
    schema = catalog::object_schema(*object);
    name = catalog::object_name(*object);
  } else if (Oid relation = now->relation_of_row_type(base); relation != kInvalidOid) {
    schema = catalog::object_schema(*now->object(relation));
    name = catalog::object_name(*now->object(relation));
  } else {
    // Without a modifier: character would be character(1).
    if (typmod < 0 && base == types::oid::kBpchar) return element == kInvalidOid ? "bpchar" : "bpchar[]";
    if (typmod < 0 && base == types::oid::kBit) return element == kInvalidOid ? "\"bit\"" : "\"bit\"[]";
    return format_type(*now, type, typmod);
  }
  return quote_qualified(schema_name(schema), name) + (element == kInvalidOid ? "" : "[]");
}

catalog::Column Ddl::column_of_type(const std::string& name, const ResolvedType& type, const CollateClause* collate) {
  if (is_system_column(name)) {
    throw SqlError(SqlState::kDuplicateColumn, "column name " + quoted(name) + " conflicts with a system column name");
  }
  const types::TypeInfo* info = types::find_type(type.type);
  if (info != nullptr && info->kind == 'p') {
    throw SqlError(SqlState::kInvalidTableDefinition,
                   "column " + quoted(name) + " has pseudo-type " + format_type(*catalog(), type.type, -1));
  }
  catalog::Column column;
  column.name = name;
  column.type = type.type;
  column.typmod = type.typmod;
  column.physical = type.physical;
  if (is_collatable(type.type)) column.collation = type.type == types::oid::kName ? Oid{950} : Oid{100};
  if (auto* domain = catalog()->find<catalog::DomainType>(type.type);
      domain != nullptr && is_collatable(domain->base_type)) {
    column.collation = Oid{100};
  }
  if (collate != nullptr) {
    if (column.collation == kInvalidOid) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     "collations are not supported by type " + format_type(*catalog(), type.type, -1),
                     collate->location);
    }
    column.collation = collation_of(collate->collname, collate->location);
  }
  return column;
}

void Ddl::add_serial(TableBuild& build, catalog::Column& column, Oid type, const List* options, char identity) {
  catalog::Sequence sequence;
  sequence.oid = new_oid();
  sequence.schema = build.table.schema;
  sequence.owner = build.table.owner;
  sequence.type = type;
  sequence.persistence = build.table.persistence;
  sequence.owned_by_table = build.table.oid;
  sequence.owned_by_column = column.attnum;
  sequence.identity = identity != 0;
  sequence.storage = new_storage();
  std::string given;
  List* rest = NIL;
  std::vector<DefElem*> kept;
  for_list<DefElem>(options, [&](DefElem* def) {
    if (std::string_view(def->defname) == "sequence_name")
      given = strings_of(castNode(List, def->arg)).back();
    else
      kept.push_back(def);
  });
  (void)rest;
  // A List of the other options, on the stack of this call.
  std::vector<ListCell> cells(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) cells[i].ptr_value = kept[i];
  List list{};
  list.type = T_List;
  list.length = static_cast<int>(cells.size());
  list.elements = cells.data();
  sequence_options(sequence, &list, true, nullptr);
  sequence.name = !given.empty() ? given
                                 : choose_name(build.table.name, column.name, "seq",
                                               [&](const std::string& name) { return name_taken(build, name); });
  const bool creating = catalog()->find<catalog::Table>(build.table.oid) == nullptr;
  debug(std::string(creating ? "CREATE" : "ALTER") + " TABLE will create implicit sequence " + quoted(sequence.name) +
        " for serial column \"" + build.table.name + "." + column.name + "\"");
  column.not_null = true;
  column.identity = identity;
  column.default_sql = "nextval('" + std::to_string(sequence.oid.value) + "'::regclass)";
  build.new_sequences.push_back(std::move(sequence));
}

void Ddl::add_column(TableBuild& build, ColumnDef* def) {
  StatementContext statement = context_.analysis(text_);
  catalog::Table& table = build.table;
  if (table.find_column(def->colname) != nullptr) {
    throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(def->colname) + " specified more than once");
  }
  if (def->typeName == nullptr) not_supported("a column without a type");
  if (def->typeName->setof)
    throw SqlError(SqlState::kInvalidTableDefinition, "column " + quoted(def->colname) + " cannot be declared SETOF");
  const Oid serial = serial_type(def->typeName);
  if (serial != kInvalidOid && def->typeName->arrayBounds != nullptr) {
    throw SqlError(SqlState::kFeatureNotSupported, "array of serial is not implemented", def->typeName->location);
  }
  ResolvedType type{.type = serial, .typmod = -1, .physical = {}};
  if (serial != kInvalidOid)
    type.physical = types::physical_type(serial, -1);
  else
    type = resolve_type(statement, def->typeName);
  catalog::Column made = column_of_type(def->colname, type, def->collClause);
  made.attnum = static_cast<int16_t>(table.columns.size() + 1);
  if (table.columns.size() >= 1600) throw SqlError(SqlState::kTooManyColumns, "tables can have at most 1600 columns");
  table.columns.push_back(std::move(made));
  catalog::Column& column = table.columns.back();
  if (serial != kInvalidOid) add_serial(build, column, serial, nullptr, 0);

  bool saw_nullable = false, nullable = true, saw_default = false, saw_identity = false, saw_generated = false;
  auto no_second_default = [&](int location) {
    if (saw_default || (serial != kInvalidOid && !saw_identity)) {
      throw SqlError(
          SqlState::kSyntaxError,
          "multiple default values specified for column " + quoted(column.name) + " of table " + quoted(table.name),
          location);
    }
  };
  LateConstraint late;
  for_list<::Constraint>(def->constraints, [&](::Constraint* c) {
    late.take(c);
    switch (c->contype) {
      case CONSTR_NULL:
      case CONSTR_NOTNULL: {
        const bool wants_null = c->contype == CONSTR_NULL;
        if ((saw_nullable && nullable != wants_null) || (wants_null && column.not_null)) {
          throw SqlError(SqlState::kSyntaxError,
                         "conflicting NULL/NOT NULL declarations for column " + quoted(column.name) + " of table " +
                             quoted(table.name),
                         c->location);
        }
        saw_nullable = true;
        nullable = wants_null;
        if (!wants_null) column.not_null = true;
        break;
      }
      case CONSTR_DEFAULT:
        no_second_default(c->location);
        saw_default = true;
        if (saw_identity) {
          throw SqlError(SqlState::kSyntaxError,
                         "both default and identity specified for column " + quoted(column.name) + " of table " +
                             quoted(table.name),
                         c->location);
        }
        if (saw_generated) {
          throw SqlError(SqlState::kSyntaxError,
                         "both default and generation expression specified for column " + quoted(column.name) +
                             " of table " + quoted(table.name),
                         c->location);
        }
        build.defaults.push_back({column.attnum, c->raw_expr, false});
        break;
      case CONSTR_IDENTITY:
        if (saw_identity) {
          throw SqlError(
              SqlState::kSyntaxError,
              "multiple identity specifications for column " + quoted(column.name) + " of table " + quoted(table.name),
              c->location);
        }
        if (saw_default || serial != kInvalidOid) {
          // The default of a serial column stands nowhere in the text.
          throw SqlError(SqlState::kSyntaxError,
                         "both default and identity specified for column " + quoted(column.name) + " of table " +
                             quoted(table.name),
                         saw_default ? c->location : -1);
        }
        if (saw_generated) {
          throw SqlError(SqlState::kSyntaxError,
                         "both identity and generation expression specified for column " + quoted(column.name) +
                             " of table " + quoted(table.name),
                         c->location);
        }
        if (saw_nullable && nullable) {
          throw SqlError(SqlState::kSyntaxError,
                         "conflicting NULL/NOT NULL declarations for column " + quoted(column.name) + " of table " +
                             quoted(table.name),
                         c->location);
        }
        saw_identity = true;
        if (column.type != types::oid::kInt2 && column.type != types::oid::kInt4 && column.type != types::oid::kInt8) {
          throw SqlError(SqlState::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
        }
        add_serial(build, column, column.type, c->options, c->generated_when);
        break;
      case CONSTR_GENERATED:
        if (saw_generated) {
          throw SqlError(SqlState::kSyntaxError,
                         "multiple generation clauses specified for column " + quoted(column.name) + " of table " +
                             quoted(table.name),
                         c->location);
        }
        if (saw_default || serial != kInvalidOid) {
          throw SqlError(SqlState::kSyntaxError,
                         "both default and generation expression specified for column " + quoted(column.name) +
                             " of table " + quoted(table.name),
                         saw_default ? c->location : -1);
        }
        if (saw_identity) {
          throw SqlError(SqlState::kSyntaxError,
                         "both identity and generation expression specified for column " + quoted(column.name) +
                             " of table " + quoted(table.name),
                         c->location);
        }
        saw_generated = true;
        column.generated = true;
        build.defaults.push_back({column.attnum, c->raw_expr, true});
        break;
      case CONSTR_CHECK:
      case CONSTR_PRIMARY:
      case CONSTR_UNIQUE:
      case CONSTR_EXCLUSION:
      case CONSTR_FOREIGN: build.constraints.push_back({c, column.name}); break;
      case CONSTR_ATTR_DEFERRABLE:
      case CONSTR_ATTR_NOT_DEFERRABLE:
      case CONSTR_ATTR_DEFERRED:
      case CONSTR_ATTR_IMMEDIATE: break;
    }
  });
}

std::string Ddl::default_text(StatementContext& statement, const catalog::Table& table, const catalog::Column& column,
                              Node* expression, bool generated) {
  Scope scope;
  scope.statement = &statement;
  scope.kind = generated ? ExprKind::kGeneratedColumn : ExprKind::kColumnDefault;
  TypedExpr analyzed = analyze_in(statement, expression, generated ? &table : nullptr, scope.kind);
  if (generated && analyzed.is_volatile) {
    throw SqlError(SqlState::kInvalidObjectDefinition, "generation expression is not immutable");
  }
  const Oid from = analyzed.type;
  if (analyzed.kind == TypedExpr::Kind::kPlain || analyzed.kind == TypedExpr::Kind::kUnknownLiteral) {
    const bool literal = analyzed.kind == TypedExpr::Kind::kUnknownLiteral;
    if (!try_coerce(scope, std::move(analyzed), column.type, column.typmod, CoercionContext::kAssignment)) {
      throw SqlError(SqlState::kDatatypeMismatch, "column " + quoted(column.name) + " is of type " +
                                                      format_type(*statement.catalog, column.type, -1) +
                                                      " but default expression is of type " +
                                                      (literal ? "text" : format_type(*statement.catalog, from, -1)))
          .hint("You will need to rewrite or cast the expression.");
    }
  }
  return store_text(statement, expression, generated ? &table : nullptr, stored_type_name(column.type, -1));
}

void Ddl::finish_defaults(TableBuild& build) {
  StatementContext statement = context_.analysis(text_);
  for (const auto& pending : build.defaults) {
    catalog::Column& column = build.table.columns[static_cast<size_t>(pending.attnum) - 1];
    // Over a domain, NULL is kept: the domain's default must not step in.
    if (!pending.generated && is_null_constant(pending.expression) &&
        catalog()->find<catalog::DomainType>(column.type) == nullptr)
      continue;
    column.default_sql = default_text(statement, build.table, column, pending.expression, pending.generated);
  }
  build.defaults.clear();
}

namespace {

/// With its namespace, "omendb.columns". pg_dump writes that name as one identifier.
std::string option_name(const DefElem* def) {
  return (def->defnamespace == nullptr ? std::string() : std::string(def->defnamespace) + ".") + def->defname;
}

std::string columns_option(const DefElem* def) {
  const std::string text = def_text(def);
  std::string word = text;
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word == "auto") return word;
  for (const char* on : {"on", "true", "yes", "1"}) {
    if (word == on) return "on";
  }
  for (const char* off : {"off", "false", "no", "0"}) {
    if (word == off) return "off";
  }
  throw SqlError(SqlState::kInvalidParameterValue, "invalid value for enum option \"omendb.columns\": " + text)
      .detail("Valid values are \"on\", \"off\", and \"auto\".");
}

}  // namespace

void Ddl::reset_options(std::map<std::string, std::string>& options, const List* list) {
  for_list<DefElem>(list, [&](DefElem* def) { options.erase(option_name(def)); });
}

void Ddl::set_options(std::map<std::string, std::string>& options, const List* list, bool of_table) {
  constexpr std::array<std::string_view, 24> kKnown{"fillfactor",
                                                    "autovacuum_enabled",
                                                    "toast_tuple_target",
                                                    "parallel_workers",
                                                    "user_catalog_table",
                                                    "autovacuum_vacuum_threshold",
                                                    "autovacuum_vacuum_scale_factor",
                                                    "autovacuum_analyze_threshold",
                                                    "autovacuum_analyze_scale_factor",
                                                    "autovacuum_vacuum_cost_delay",
                                                    "autovacuum_vacuum_cost_limit",
                                                    "autovacuum_freeze_min_age",
                                                    "autovacuum_freeze_max_age",
                                                    "autovacuum_freeze_table_age",
                                                    "vacuum_index_cleanup",
                                                    "vacuum_truncate",
                                                    "log_autovacuum_min_duration",
                                                    "autovacuum_vacuum_insert_threshold",
                                                    "autovacuum_vacuum_insert_scale_factor",
                                                    "deduplicate_items",
                                                    "security_barrier",
                                                    "security_invoker",
                                                    "check_option",
                                                    "autovacuum_multixact_freeze_max_age"};
  std::set<std::string> given;
  for_list<DefElem>(list, [&](DefElem* def) {
    const std::string name = option_name(def);
    if (!given.insert(name).second)
      throw SqlError(SqlState::kInvalidParameterValue, "parameter " + quoted(name) + " specified more than once");
    if (def->defnamespace != nullptr && std::string_view(def->defnamespace) == "toast") return;
    if (of_table && name == kColumnsOption) {
      options[name] = columns_option(def);
      return;
    }
    if (def->defnamespace != nullptr) {
      throw SqlError(SqlState::kInvalidParameterValue, "unrecognized parameter namespace " + quoted(def->defnamespace));
    }
    if (name == "oids") {
      if (def_bool(def)) throw SqlError(SqlState::kFeatureNotSupported, "tables declared WITH OIDS are not supported");
      return;
    }
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      throw SqlError(SqlState::kInvalidParameterValue, "unrecognized parameter " + quoted(name));
    }
    if (name == "security_barrier" || name == "security_invoker" || name == "autovacuum_enabled" ||
        name == "user_catalog_table") {
      std::string word = def_text(def);
      for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      constexpr std::array<std::string_view, 8> kBooleans{"true", "false", "on", "off", "yes", "no", "1", "0"};
      if (std::find(kBooleans.begin(), kBooleans.end(), word) == kBooleans.end()) {
        throw SqlError(SqlState::kInvalidParameterValue,
                       "invalid value for boolean option " + quoted(name) + ": " + def_text(def));
      }
    }
    if (name == "check_option" && def_text(def) != "local" && def_text(def) != "cascaded") {
      throw SqlError(SqlState::kInvalidParameterValue,
                     "invalid value for enum option \"check_option\": " + def_text(def))
          .detail("Valid values are \"local\" and \"cascaded\".");
    }
    if (name == "fillfactor") {
      const std::string text = def_text(def);
      // An integer option takes any number and rounds it.
      double value = 0;
      if (!types::parse_float8(text, &value).ok() || !(std::abs(value) <= INT32_MAX)) {
        throw SqlError(SqlState::kInvalidParameterValue, "invalid value for integer option \"fillfactor\": " + text);
      }
      if (const double rounded = std::rint(value); rounded < 10 || rounded > 100) {
        throw SqlError(SqlState::kInvalidParameterValue, "value " + text + " out of bounds for option \"fillfactor\"")
            .detail("Valid values are between \"10\" and \"100\".");
      }
    }
    options[name] = def_text(def);
  });
}

void Ddl::copy_like(TableBuild& build, TableLikeClause* like) {
  Oid source = lookup_relation(like->relation->schemaname, like->relation->relname);
  if (source == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedTable, "relation " + quoted(like->relation->relname) + " does not exist",
                   like->relation->location);
  }
  lock(source, txn::ObjectLockMode::kAccessShare);
  auto now = catalog();
  const std::vector<catalog::Column>* columns = nullptr;
  const auto* table = now->find<catalog::Table>(source);
  if (table != nullptr) columns = &table->columns;
  if (auto* view = now->find<catalog::View>(source)) columns = &view->columns;
  now->for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& composite) {
    if (composite.relation == source) columns = &composite.columns;
  });
  if (columns == nullptr) {
    const std::string kind(relation_kind(*now, source));
    throw SqlError(SqlState::kWrongObjectType,
                   "relation " + quoted(like->relation->relname) + " is invalid in LIKE clause",
                   like->relation->location)
        .detail("This operation is not supported for " + kind + (kind == "index" ? "es." : "s."));
  }
  const auto options = like->options;
  std::map<int16_t, int16_t> moved;
  for (const catalog::Column& old : *columns) {
    if (old.dropped) continue;
    if (build.table.find_column(old.name) != nullptr) {
      throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(old.name) + " specified more than once");
    }
    catalog::Column copy = old;
    copy.attnum = static_cast<int16_t>(build.table.columns.size() + 1);
    copy.missing.reset();
    copy.identity = 0;
    moved[old.attnum] = copy.attnum;
    const bool keep = old.generated ? (options & CREATE_TABLE_LIKE_GENERATED) != 0
                                    : old.identity == 0 && (options & CREATE_TABLE_LIKE_DEFAULTS) != 0;
    if (!keep) {
      copy.default_sql.clear();
      copy.generated = false;
    }
    build.table.columns.push_back(std::move(copy));
    if (old.identity != 0 && (options & CREATE_TABLE_LIKE_IDENTITY) != 0) {
      add_serial(build, build.table.columns.back(), old.type, nullptr, old.identity);
      now->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
        if (s.owned_by_table != source || s.owned_by_column != old.attnum || !s.identity) return;
        catalog::Sequence& made = build.new_sequences.back();
        made.start = s.start, made.increment = s.increment, made.min = s.min, made.max = s.max, made.cache = s.cache,
        made.cycle = s.cycle;
      });
    }
    if ((options & CREATE_TABLE_LIKE_COMMENTS) != 0) {
      if (auto* c = now->find_comment(catalog::oid::kPgClass, source, old.attnum))
        build.comments.emplace_back(moved[old.attnum], c->text);
    }
  }
  if (table == nullptr) return;
  if ((options & CREATE_TABLE_LIKE_CONSTRAINTS) != 0) {
    for (const catalog::Constraint& c : table->constraints) {
      if (c.kind != catalog::Constraint::Kind::kCheck) continue;
      catalog::Constraint copy = c;
      copy.oid = new_oid();
      for (int16_t& attnum : copy.columns) attnum = moved[attnum];
      if ((options & CREATE_TABLE_LIKE_COMMENTS) != 0)
        copy_comment(build, catalog::oid::kPgConstraint, c.oid, copy.oid);
      build.table.constraints.push_back(std::move(copy));
    }
  }
  if ((options & CREATE_TABLE_LIKE_INDEXES) != 0) {
    build.like_comments = (options & CREATE_TABLE_LIKE_COMMENTS) != 0;
    for (Oid index : table->indexes) {
      build.like_indexes.push_back(index);
      build.like_columns[index] = moved;
    }
  }
}

void Ddl::commit_build(TableBuild& build) {
  std::vector<catalog::Change> changes;
  auto add = [&](catalog::Object object) {
    Oid oid = catalog::object_oid(object);
    changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(object))});
  };
  const Oid table = build.table.oid;
  add(std::move(build.table));
  for (auto& index : build.new_indexes) add(std::move(index));
  for (auto& sequence : build.new_sequences) add(std::move(sequence));
  for (auto& [attnum, text] : build.comments) {
    add(catalog::Comment{
        .oid = new_oid(), .class_oid = catalog::oid::kPgClass, .object = table, .sub_object = attnum, .text = text});
  }
  for (catalog::Comment& comment : build.other_comments) add(std::move(comment));
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
}

void Ddl::copy_comment(TableBuild& build, Oid class_oid, Oid from, Oid to) {
  const catalog::Comment* found = catalog()->find_comment(class_oid, from, 0);
  if (found == nullptr) return;
  build.other_comments.push_back({.oid = new_oid(), .class_oid = class_oid, .object = to, .text = found->text});
}

std::string Ddl::create_table(CreateStmt* stmt) {
  if (stmt->inhRelations != nullptr) not_supported("table inheritance");
  if (stmt->partspec != nullptr || stmt->partbound != nullptr) not_supported("table partitioning");
  if (stmt->ofTypename != nullptr) not_supported("CREATE TABLE OF");
  if (stmt->tablespacename != nullptr && std::string_view(stmt->tablespacename) != "pg_default") {
    throw SqlError(SqlState::kUndefinedObject, "tablespace " + quoted(stmt->tablespacename) + " does not exist");
  }
  if (stmt->accessMethod != nullptr && std::string_view(stmt->accessMethod) != "heap") {
    throw SqlError(SqlState::kUndefinedObject, "access method " + quoted(stmt->accessMethod) + " does not exist");
  }
  Place place = place_for(stmt->relation);
  if (stmt->if_not_exists && catalog()->find_relation(place.schema, place.name) != kInvalidOid) {
    notice(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists, skipping");
    return "CREATE TABLE";
  }
  if (stmt->oncommit != ONCOMMIT_NOOP && place.persistence != 't') {
    throw SqlError(SqlState::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  }
  if (catalog()->find_relation(place.schema, place.name) != kInvalidOid) {
    throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists");
  }
  TableBuild build;
  catalog::Table& table = build.table;
  table.oid = new_oid();
  table.row_type = new_oid();
  table.array_type = new_oid();
  table.schema = place.schema;
  table.name = place.name;
  table.persistence = place.persistence;
  table.owner = current_role();
  table.storage = new_storage();
  table.on_commit = stmt->oncommit == ONCOMMIT_DELETE_ROWS ? 'd' : stmt->oncommit == ONCOMMIT_DROP ? 'D' : 'n';
  set_options(table.options, stmt->options, true);
  auto element = [&](Node* node) {
    switch (nodeTag(node)) {
      case T_ColumnDef: add_column(build, reinterpret_cast<ColumnDef*>(node)); break;
      case T_TableLikeClause: copy_like(build, reinterpret_cast<TableLikeClause*>(node)); break;
      case T_Constraint: build.constraints.push_back({reinterpret_cast<::Constraint*>(node), ""}); break;
      default: not_supported("this element of CREATE TABLE");
    }
  };
  for_list<Node>(stmt->tableElts, element);
  for_list<Node>(stmt->constraints, element);
  finish_defaults(build);
  // There are no rows yet that NOT VALID could spare.
  for (auto& pending : build.constraints) pending.constraint->skip_validation = false;
  finish_constraints(build);
  commit_build(build);
  return "CREATE TABLE";
}

// --- Tables from queries ---

std::string Ddl::fill_new_table(Node* query, IntoClause* into, bool materialized, bool if_not_exists) {
  const char* no_data_tag = materialized ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";
  if (!IsA(query, SelectStmt)) not_supported("CREATE TABLE AS EXECUTE");
  Place place = place_for(into->rel);
  if (if_not_exists && catalog()->find_relation(place.schema, place.name) != kInvalidOid) {
    notice(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists, skipping");
    return no_data_tag;
  }
  if (catalog()->find_relation(place.schema, place.name) != kInvalidOid) {
    throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists");
  }
  StatementContext statement = context_.analysis(text_);
  if (!materialized) statement.parameter_types = context_.parameter_types();
  statement.parameters_fixed = true;
  StoredQuery stored;
  if (materialized) {
    stored = store_query(query, into->colNames);
    if (stored.temporary)
      throw SqlError(SqlState::kFeatureNotSupported, "materialized views must not use temporary tables or views");
  }
  AnalyzedQuery analyzed = analyze_query(statement, query);
  TableBuild build;
  catalog::Table& table = build.table;
  table.oid = new_oid();
  table.row_type = new_oid();
  table.array_type = new_oid();
  table.schema = place.schema;
  table.name = place.name;
  table.persistence = place.persistence;
  table.owner = current_role();
  table.storage = new_storage();
  if (into->onCommit != ONCOMMIT_NOOP && place.persistence != 't')
    throw SqlError(SqlState::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  table.on_commit = into->onCommit == ONCOMMIT_DELETE_ROWS ? 'd' : into->onCommit == ONCOMMIT_DROP ? 'D' : 'n';
  set_options(table.options, into->options, true);
  std::vector<std::string> names = strings_of(into->colNames);
  if (names.size() > analyzed.outputs.size())
    throw SqlError(SqlState::kSyntaxError, "too many column names were specified");
  for (size_t i = 0; i < analyzed.outputs.size(); ++i) {
    const ColumnDescription& output = analyzed.outputs[i];
    const std::string& name = i < names.size() ? names[i] : output.name;
    if (table.find_column(name) != nullptr) {
      throw SqlError(SqlState::kDuplicateColumn, "column " + quoted(name) + " specified more than once");
    }
    catalog::Column column = column_of_type(name, {output.type, output.typmod, output.physical}, nullptr);
    column.attnum = static_cast<int16_t>(i + 1);
    table.columns.push_back(std::move(column));
  }
  if (materialized) {
    table.view_sql = stored.sql;
    table.view_dependencies = stored.dependencies;
    table.view_search_path = statement.search_path;
    table.populated = !into->skipData;
  }
  std::string tag = no_data_tag;
  if (!into->skipData) {
    auto next = catalog()->with({{table.oid, std::make_shared<const catalog::Object>(table)}});
    if (!next.ok()) throw SqlError(next.status());
    const catalog::Table* target = (*next)->find<catalog::Table>(table.oid);
    uint64_t rows = context_.copy_rows(std::move(analyzed), *next, *target);
    tag = "SELECT " + std::to_string(rows);
  }
  commit_build(build);
  return tag;
}

std::string Ddl::create_table_as(CreateTableAsStmt* stmt) {
  return fill_new_table(stmt->query, stmt->into, stmt->objtype == OBJECT_MATVIEW, stmt->if_not_exists);
}

WithoutInto::WithoutInto(SelectStmt* select) : leaf_(select) {
  while (leaf_->op != SETOP_NONE) leaf_ = leaf_->larg;
  into_ = std::exchange(leaf_->intoClause, nullptr);
}

WithoutInto::~WithoutInto() { leaf_->intoClause = into_; }

std::string Ddl::select_into(SelectStmt* stmt) {
  const WithoutInto select(stmt);
  return fill_new_table(reinterpret_cast<Node*>(stmt), select.into(), false, false);
}

std::string Ddl::refresh(RefreshMatViewStmt* stmt) {
  Oid oid =
      open_relation(stmt->relation,
                    stmt->concurrent ? txn::ObjectLockMode::kExclusive : txn::ObjectLockMode::kAccessExclusive, false);
  auto now = catalog();
  const auto* view = now->find<catalog::Table>(oid);
  if (view == nullptr || !view->is_materialized_view()) {
    throw SqlError(SqlState::kFeatureNotSupported, quoted(stmt->relation->relname) + " is not a materialized view");
  }
  check_owner(view->owner, "materialized view", view->name);
  if (stmt->concurrent && !view->populated) {
    throw SqlError(SqlState::kFeatureNotSupported,
                   "CONCURRENTLY cannot be used when the materialized view is not populated");
  }
  if (stmt->concurrent && stmt->skipData) {
    throw SqlError(SqlState::kSyntaxError, "CONCURRENTLY and WITH NO DATA options cannot be used together");
  }
  const bool keyed = std::any_of(view->indexes.begin(), view->indexes.end(), [&](Oid index_oid) {
    const auto* index = now->find<catalog::Index>(index_oid);
    return index->unique && index->predicate_sql.empty() &&
           std::none_of(index->keys.begin(), index->keys.end(),
                        [](const catalog::IndexKey& key) { return key.attnum == 0; });
  });
  if (stmt->concurrent && !keyed) {
    throw SqlError(SqlState::kObjectNotInPrerequisiteState, "cannot refresh materialized view \"" +
                                                                quote_qualified(schema_name(view->schema), view->name) +
                                                                "\" concurrently")
        .hint("Create a unique index with no WHERE clause on one or more columns of the materialized view.");
  }
  catalog::Table next = *view;
  next.populated = !stmt->skipData;
  if (stmt->skipData) {
    put(next);
    empty_table(oid);
    return "REFRESH MATERIALIZED VIEW";
  }
  AnalyzedQuery query = rows_query(view->view_sql, view->columns);
  std::vector<catalog::Change> changes;
  next.storage = new_storage();
  std::vector<catalog::Index> indexes;
  for (Oid index_oid : next.indexes) {
    catalog::Index index = *now->find<catalog::Index>(index_oid);
    context_.database().drop_storage(context_.transaction(), index.storage);
    index.storage = new_storage();
    changes.push_back({index_oid, std::make_shared<const catalog::Object>(index)});
  }
  context_.database().drop_storage(context_.transaction(), view->storage);
  changes.push_back({oid, std::make_shared<const catalog::Object>(next)});
  auto after = value_or_throw(now->with(changes));
  context_.copy_rows(std::move(query), after, *after->find<catalog::Table>(oid));
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
  return "REFRESH MATERIALIZED VIEW";
}

}  // namespace omendb::sql
