#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {
namespace {

int64_t type_min(Oid type) {
  return type == types::oid::kInt2 ? INT16_MIN : type == types::oid::kInt4 ? INT32_MIN : INT64_MIN;
}
int64_t type_max(Oid type) {
  return type == types::oid::kInt2 ? INT16_MAX : type == types::oid::kInt4 ? INT32_MAX : INT64_MAX;
}

}  // namespace

void Ddl::sequence_options(catalog::Sequence& s, const List* options, bool is_new, std::optional<int64_t>* restart) {
  DefElem *as = nullptr, *start = nullptr, *increment = nullptr, *max = nullptr, *min = nullptr, *cache = nullptr,
          *cycle = nullptr, *owned = nullptr, *again = nullptr;
  for_list<DefElem>(options, [&](DefElem* def) {
    std::string_view name = def->defname;
    auto take = [&](DefElem*& slot) {
      if (slot != nullptr) throw SqlError(SqlState::kSyntaxError, "conflicting or redundant options", def->location);
      slot = def;
    };
    if (name == "as")
      take(as);
    else if (name == "start")
      take(start);
    else if (name == "restart")
      take(again);
    else if (name == "increment")
      take(increment);
    else if (name == "maxvalue")
      take(max);
    else if (name == "minvalue")
      take(min);
    else if (name == "cache")
      take(cache);
    else if (name == "cycle")
      take(cycle);
    else if (name == "owned_by")
      take(owned);
    else if (name == "sequence_name")
      throw SqlError(SqlState::kSyntaxError, "invalid sequence option SEQUENCE NAME", def->location);
    else
      throw SqlError(SqlState::kSyntaxError, "option " + quoted(name) + " not recognized", def->location);
  });
  const Oid old_type = s.type;
  bool reset_max = false, reset_min = false;
  if (as != nullptr) {
    StatementContext statement = context_.analysis(text_);
    s.type = resolve_type(statement, castNode(TypeName, as->arg)).type;
    if (s.type != types::oid::kInt2 && s.type != types::oid::kInt4 && s.type != types::oid::kInt8) {
      throw SqlError(SqlState::kInvalidParameterValue, s.identity
                                                           ? "identity column type must be smallint, integer, or bigint"
                                                           : "sequence type must be smallint, integer, or bigint");
    }
    if (!is_new) {
      reset_max = s.max == type_max(old_type);
      reset_min = s.min == type_min(old_type);
    }
  }
  if (s.type == kInvalidOid) s.type = types::oid::kInt8;
  if (increment != nullptr) {
    s.increment = def_int64(increment);
    if (s.increment == 0) throw SqlError(SqlState::kInvalidParameterValue, "INCREMENT must not be zero");
  }
  if (cycle != nullptr) s.cycle = boolVal(cycle->arg);
  if (max != nullptr && max->arg != nullptr)
    s.max = def_int64(max);
  else if (is_new || max != nullptr || reset_max)
    s.max = s.increment > 0 || reset_max ? type_max(s.type) : -1;
  if (min != nullptr && min->arg != nullptr)
    s.min = def_int64(min);
  else if (is_new || min != nullptr || reset_min)
    s.min = s.increment < 0 || reset_min ? type_min(s.type) : 1;
  StatementContext statement = context_.analysis(text_);
  auto in_range = [&](int64_t value, const char* what) {
    if (value < type_min(s.type) || value > type_max(s.type)) {
      throw SqlError(SqlState::kInvalidParameterValue, std::string(what) + " (" + std::to_string(value) +
                                                           ") is out of range for sequence data type " +
                                                           format_type(*statement.catalog, s.type, -1));
    }
  };
  in_range(s.max, "MAXVALUE");
  in_range(s.min, "MINVALUE");
  if (s.min >= s.max) {
    throw SqlError(
        SqlState::kInvalidParameterValue,
        "MINVALUE (" + std::to_string(s.min) + ") must be less than MAXVALUE (" + std::to_string(s.max) + ")");
  }
  if (start != nullptr)
    s.start = def_int64(start);
  else if (is_new)
    s.start = s.increment > 0 ? s.min : s.max;
  auto between = [&](int64_t value, const char* what) {
    if (value < s.min) {
      throw SqlError(SqlState::kInvalidParameterValue, std::string(what) + " value (" + std::to_string(value) +
                                                           ") cannot be less than MINVALUE (" + std::to_string(s.min) +
                                                           ")");
    }
    if (value > s.max) {
      throw SqlError(SqlState::kInvalidParameterValue, std::string(what) + " value (" + std::to_string(value) +
                                                           ") cannot be greater than MAXVALUE (" +
                                                           std::to_string(s.max) + ")");
    }
  };
  between(s.start, "START");
  if (again != nullptr) {
    int64_t value = again->arg != nullptr ? def_int64(again) : s.start;
    between(value, "RESTART");
    if (restart != nullptr) *restart = value;
  }
  if (cache != nullptr) {
    s.cache = def_int64(cache);
    if (s.cache <= 0)
      throw SqlError(SqlState::kInvalidParameterValue,
                     "CACHE (" + std::to_string(s.cache) + ") must be greater than zero");
  }
  if (owned != nullptr) {
    std::vector<std::string> parts = strings_of(castNode(List, owned->arg));
    auto refuse_identity = [&] {
      if (is_new || !s.identity) return;
      throw SqlError(SqlState::kFeatureNotSupported, "cannot change ownership of identity sequence")
          .detail("Sequence " + quoted(s.name) + " is linked to table " +
                  quoted(catalog()->find<catalog::Table>(s.owned_by_table)->name) + ".");
    };
    if (parts.size() == 1) {
      if (parts[0] != "none") {
        throw SqlError(SqlState::kSyntaxError, "invalid OWNED BY option")
            .hint("Specify OWNED BY table.column or OWNED BY NONE.");
      }
      refuse_identity();
      s.owned_by_table = kInvalidOid;
      s.owned_by_column = 0;
      return;
    }
    refuse_identity();
    std::string column = parts.back();
    parts.pop_back();
    RangeVar var{};
    var.relname = parts.back().data();
    if (parts.size() > 1) var.schemaname = parts[parts.size() - 2].data();
    const catalog::Table* table = open_table(&var, txn::ObjectLockMode::kShareUpdateExclusive, false);
    if (table->owner != s.owner) {
      throw SqlError(SqlState::kObjectNotInPrerequisiteState, "sequence must have same owner as table it is linked to");
    }
    if (table->schema != s.schema) {
      throw SqlError(SqlState::kObjectNotInPrerequisiteState,
                     "sequence must be in same schema as table it is linked to");
    }
    s.owned_by_table = table->oid;
    s.owned_by_column = attnum_of(*table, column, nullptr);
  }
}

std::string Ddl::create_sequence(CreateSeqStmt* stmt) {
  Place place = place_for(stmt->sequence);
  if (catalog()->find_relation(place.schema, place.name) != kInvalidOid) {
    if (!stmt->if_not_exists)
      throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists");
    notice(SqlState::kDuplicateTable, "relation " + quoted(place.name) + " already exists, skipping");
    return "CREATE SEQUENCE";
  }
  catalog::Sequence sequence;
  sequence.oid = new_oid();
  sequence.schema = place.schema;
  sequence.name = place.name;
  sequence.persistence = place.persistence;
  sequence.owner = current_role();
  sequence_options(sequence, stmt->options, true, nullptr);
  sequence.storage = new_storage();
  put(std::move(sequence));
  return "CREATE SEQUENCE";
}

void Ddl::restart_sequence(catalog::Sequence sequence, int64_t value) {
  // A new counter, so that a rollback brings the old one back.
  context_.database().drop_storage(context_.transaction(), sequence.storage);
  sequence.storage = new_storage();
  throw_if_error(context_.database().sequence_set(sequence, value, false));
  put(std::move(sequence));
}

std::string Ddl::alter_sequence(AlterSeqStmt* stmt) {
  Oid oid = open_relation(stmt->sequence, txn::ObjectLockMode::kShareRowExclusive, stmt->missing_ok);
  if (oid == kInvalidOid) {
    notice(SqlState::kSuccessfulCompletion,
           "relation " + quoted(stmt->sequence->relname) + " does not exist, skipping");
    return "ALTER SEQUENCE";
  }
  const catalog::Sequence* found = catalog()->find<catalog::Sequence>(oid);
  if (found == nullptr)
    throw SqlError(SqlState::kWrongObjectType, quoted(stmt->sequence->relname) + " is not a sequence");
  check_owner(found->owner, "sequence", found->name);
  catalog::Sequence next = *found;
  std::optional<int64_t> restart;
  sequence_options(next, stmt->options, false, &restart);
  if (restart) {
    restart_sequence(std::move(next), *restart);
    return "ALTER SEQUENCE";
  }
  auto state = value_or_throw(context_.database().sequence_state(*found));
  for (auto [bad, word, bound] : {std::tuple{state.last_value < next.min, "less than MINVALUE", next.min},
                                  std::tuple{state.last_value > next.max, "greater than MAXVALUE", next.max}}) {
    if (bad) {
      throw SqlError(SqlState::kInvalidParameterValue, "RESTART value (" + std::to_string(state.last_value) +
                                                           ") cannot be " + word + " (" + std::to_string(bound) + ")");
    }
  }
  put(std::move(next));
  return "ALTER SEQUENCE";
}

}  // namespace omendb::sql
