#include "sql/engine/foreign_keys.h"

#include <algorithm>
#include <cstring>

#include "sql/engine/counting_sink.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/portal.h"
#include "sql/engine/unique_checks.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

using Event = ForeignKeyEvent;

/// Rows that an INSERT or COPY collects before it checks those that nothing later in the statement can change.
constexpr size_t kEventsMax = 4096;

std::string schema_of(const catalog::Catalog& catalog, const catalog::Table& table) {
  return catalog.find<catalog::Schema>(table.schema)->name;
}

std::string qualified(const catalog::Catalog& catalog, const catalog::Table& table) {
  return quote_identifier(schema_of(catalog, table)) + "." + quote_identifier(table.name);
}

const catalog::Column& column_at(const catalog::Table& table, int16_t attnum) {
  return table.columns[static_cast<size_t>(attnum) - 1];
}

std::string quoted_column(const catalog::Table& table, int16_t attnum) {
  return quote_identifier(column_at(table, attnum).name);
}

std::string names_of(const catalog::Table& table, const std::vector<int16_t>& columns) {
  std::string names;
  for (int16_t attnum : columns) names += (names.empty() ? "" : ", ") + column_at(table, attnum).name;
  return names;
}

std::string texts_of(const SessionImpl& session, const catalog::Table& table, const std::vector<int16_t>& columns,
                     const std::vector<types::Value>& values) {
  std::string texts;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) texts += ", ";
    if (values[i].is_null()) {
      texts += "null";
      continue;
    }
    const auto& column = column_at(table, columns[i]);
    types::output(column.type, column.physical, values[i].view(), session.io_context(), &texts);
  }
  return texts;
}

size_t count_nulls(const std::vector<types::Value>& values) {
  return static_cast<size_t>(std::count_if(values.begin(), values.end(), [](const auto& v) { return v.is_null(); }));
}

std::vector<types::Value> values_of(const catalog::Table& table, const codec::RowView& row,
                                    const std::vector<int16_t>& columns) {
  std::vector<types::Value> values;
  for (int16_t attnum : columns) {
    const auto position = static_cast<size_t>(attnum) - 1;
    if (!row.present(position) && table.columns[position].missing)
      values.push_back(*table.columns[position].missing);
    else
      values.emplace_back(row.is_null(position) ? types::ValueView() : row.get(position));
  }
  return values;
}

bool same(const std::vector<types::Value>& a, const std::vector<types::Value>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = a[i].view(), y = b[i].view();
    if (x.null != y.null) return false;
    if (!x.null &&
        (x.bytes != y.bytes || x.wide != y.wide || std::memcmp(&x.interval, &y.interval, sizeof(x.interval)) != 0))
      return false;
  }
  return true;
}

/// `condition` over columns and parameters that all of them equal.
std::string equals(const catalog::Table& table, const std::vector<int16_t>& columns) {
  std::string condition;
  for (size_t i = 0; i < columns.size(); ++i) {
    condition += (i > 0 ? " AND " : "") + quoted_column(table, columns[i]) + " = $" + std::to_string(i + 1);
  }
  return condition;
}

/// A parameter has no modifier, so a decimal goes in its general form.
void add_parameters(const catalog::Catalog& catalog, Parameters& parameters, const catalog::Table& table,
                    const std::vector<int16_t>& columns, const std::vector<types::Value>& values) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& column = column_at(table, columns[i]);
    types::Value value = values[i];
    types::PhysicalType physical = column.physical;
    Oid type = column.type;
    while (const auto* domain = catalog.find<catalog::DomainType>(type)) type = domain->base_type;
    if (type == types::oid::kNumeric && physical.is_decimal()) {
      std::string text;
      types::output(types::oid::kNumeric, physical, values[i].view(), types::IoContext(), &text);
      throw_if_error(types::input(types::oid::kNumeric, -1, text, types::IoContext(), &value));
      physical = {types::Physical::kBytes};
    }
    parameters.values.push_back(std::move(value));
    parameters.types.push_back(type);
    parameters.physical.push_back(physical);
  }
}

bool finds(SessionImpl& session, const std::string& sql, Parameters parameters) {
  CountingSink sink;
  session.run_internal(sql, std::move(parameters), sink);
  return sink.count() > 0;
}

bool is_integer(const types::PhysicalType& p) {
  return p.kind == types::Physical::kInt16 || p.kind == types::Physical::kInt32 || p.kind == types::Physical::kInt64;
}

/// The parent's row key for a child's values, when the constraint refers to the primary key and the types agree.
struct ParentKey {
  std::shared_ptr<const TableSchema> parent;
  std::vector<size_t> order;  // for each key column, which of the constraint's columns it is

  static std::optional<ParentKey> of(SessionImpl& session, const catalog::Table& child,
                                     const catalog::Constraint& key) {
    ParentKey result;
    result.parent = session.table_schema(key.referenced_table);
    const auto& access = *result.parent->access;
    if (access.key_columns().size() != key.columns.size()) return std::nullopt;
    for (size_t i = 0; i < access.key_columns().size(); ++i) {
      const auto wanted = static_cast<int16_t>(access.key_positions()[i] + 1);
      const auto found = std::find(key.referenced_columns.begin(), key.referenced_columns.end(), wanted);
      if (found == key.referenced_columns.end()) return std::nullopt;
      const auto at = static_cast<size_t>(found - key.referenced_columns.begin());
      const auto& from = column_at(child, key.columns[at]);
      const auto& to = access.key_columns()[i];
      const bool same_type = from.type == to.type && from.physical == to.physical;
      const bool text = (from.type == types::oid::kText || from.type == types::oid::kVarchar) &&
                        (to.type == types::oid::kText || to.type == types::oid::kVarchar);
      if (!same_type && !text && !(is_integer(from.physical) && is_integer(to.physical))) return std::nullopt;
      result.order.push_back(at);
    }
    return result;
  }

  /// False when no key can be like that (an integer out of the parent's range).
  bool make(const std::vector<types::Value>& values, std::string* key) const {
    for (size_t i = 0; i < order.size(); ++i) {
      const auto& column = parent->access->key_columns()[i];
      const auto value = values[order[i]].view();
      if (is_integer(column.physical)) {
        const int64_t low = column.physical.kind == types::Physical::kInt16   ? INT16_MIN
                            : column.physical.kind == types::Physical::kInt32 ? INT32_MIN
                                                                              : INT64_MIN;
        if (value.integer < low || value.integer > ~low) return false;
      }
      throw_if_error(codec::append_key(column, value, key));
    }
    return true;
  }
};

/// The events of one statement (or of the deferred ones), fired.
class Firing {
 public:
  explicit Firing(SessionImpl& session) : session_(session), catalog_(session.statement_catalog()) {}

  void fire(const Event& event) {
    const auto* child = catalog_->find<catalog::Table>(event.child);
    if (child == nullptr) return;
    const auto* constraint = find(*child, event.constraint);
    if (constraint == nullptr) return;  // dropped since
    if (event.kind == Event::Kind::kChild)
      check_child(*child, *constraint, event);
    else
      act_on_parent(*child, *constraint, event);
  }

  /// A child whose row cannot have changed since: its values are the event's.
  void check_values(const catalog::Table& child, const catalog::Constraint& key,
                    const std::vector<types::Value>& values) {
    const size_t nulls = count_nulls(values);
    if (nulls > 0) {
      if (key.match == 'f' && nulls < values.size()) {
        violation(child, key, "MATCH FULL does not allow mixing of null and nonnull key values.");
      }
      return;
    }
    if (parent_exists(child, key, values)) return;
    violation(child, key,
              "Key (" + names_of(child, key.columns) + ")=(" + texts_of(session_, child, key.columns, values) +
                  ") is not present in table \"" + catalog_->find<catalog::Table>(key.referenced_table)->name + "\".");
  }

  /// Whether a check would pass now; what would not may find its parent in a later snapshot.
  bool passes(const catalog::Table& child, const catalog::Constraint& key, const std::vector<types::Value>& values) {
    return count_nulls(values) == 0 && parent_exists(child, key, values);
  }

  static const catalog::Constraint* find(const catalog::Table& child, Oid constraint) {
    for (const auto& c : child.constraints) {
      if (c.oid == constraint) return &c;
    }
    return nullptr;
  }

 private:
  struct Probe {
    std::optional<ParentKey> key;
    std::unordered_set<std::string> locked;  // parents that this firing has locked already
  };

  [[noreturn]] void violation(const catalog::Table& child, const catalog::Constraint& key, const std::string& detail) {
    SqlError error(SqlState::kForeignKeyViolation, "insert or update on table \"" + child.name +
                                                       "\" violates foreign key constraint \"" + key.name + "\"");
    error.info().detail = detail;
    error.info().schema = schema_of(*catalog_, child);
    error.info().table = child.name;
    error.info().constraint = key.name;
    throw error;
  }

  void check_child(const catalog::Table& child, const catalog::Constraint& key, const Event& event) {
    const auto schema = session_.table_schema(child.oid);
    std::string row;
    if (!value_or_throw(session_.database().get(session_.transaction(), *schema->access, event.row_key, &row))) return;
    check_values(child, key, values_of(child, codec::RowView(schema->access->layout(), row), key.columns));
  }

  bool parent_exists(const catalog::Table& child, const catalog::Constraint& key,
                     const std::vector<types::Value>& values) {
    auto [it, fresh] = probes_.try_emplace(key.oid);
    Probe& probe = it->second;
    if (fresh) probe.key = ParentKey::of(session_, child, key);
    if (!probe.key) {
      const auto* parent = catalog_->find<catalog::Table>(key.referenced_table);
      Parameters parameters;
      add_parameters(*catalog_, parameters, child, key.columns, values);
      return finds(session_,
                   "SELECT 1 FROM ONLY " + qualified(*catalog_, *parent) + " x WHERE " +
                       equals(*parent, key.referenced_columns) + " FOR KEY SHARE OF x",
                   std::move(parameters));
    }
    std::string bytes;
    if (!probe.key->make(values, &bytes)) return false;
    if (probe.locked.contains(bytes)) return true;
    const auto& access = *probe.key->parent->access;
    auto& database = session_.database();
    if (fresh) {
      throw_if_error(database.lock_object(session_.transaction(), key.referenced_table, txn::ObjectLockMode::kRowShare,
                                          table::LockWait::kWait));
    }
    std::string row;  // the snapshot decides which parents there are: one that nobody has committed is not waited for
    if (!value_or_throw(database.get(session_.transaction(), access, bytes, &row))) return false;
    using State = table::LockedRow::State;
    const auto found =
        value_or_throw(database.lock_row(session_.transaction(), access, bytes, table::RowLockMode::kKeyShare,
                                         table::LockWait::kWait, table::Follow::kKey));
    const bool exists = found.state == State::kCurrent || found.state == State::kChanged ||
                        (found.state == State::kSelf && !found.row.empty());
    if (exists && probe.locked.size() < 16 * kEventsMax) probe.locked.insert(std::move(bytes));
    return exists;
  }

  void act_on_parent(const catalog::Table& child, const catalog::Constraint& key, const Event& event) {
    // Under REPEATABLE READ the snapshot may not show a child that is there; it must not be left without its parent.
    struct Newest {
      SessionImpl& session;
      const bool on;
      explicit Newest(SessionImpl& s) : session(s), on(s.database().see_newest(s.transaction(), true)) {}
      ~Newest() {
        if (on) session.database().see_newest(session.transaction(), false);
      }
    } newest(session_);

    const auto& parent = *catalog_->find<catalog::Table>(key.referenced_table);
    const bool deleted = event.kind == Event::Kind::kParentDeleted;
    const char action = deleted ? key.on_delete : key.on_update;
    Parameters parameters;
    add_parameters(*catalog_, parameters, parent, key.referenced_columns, event.old_values);
    const std::string table = qualified(*catalog_, child), condition = equals(child, key.columns);
    const std::string any_child = "SELECT 1 FROM ONLY " + table + " x WHERE " + condition + " LIMIT 1";
    CountingSink sink;
    if (action == 'c' && deleted) {
      session_.run_internal("DELETE FROM ONLY " + table + " WHERE " + condition, std::move(parameters), sink);
      return;
    }
    if (action == 'c' || action == 'n' || action == 'd') {
      std::string set;
      Parameters with_new = parameters;
      if (action == 'c') add_parameters(*catalog_, with_new, parent, key.referenced_columns, event.new_values);
      for (size_t i = 0; i < key.columns.size(); ++i) {
        const auto& only = key.on_delete_columns;
        if (deleted && !only.empty() && std::find(only.begin(), only.end(), key.columns[i]) == only.end()) continue;
        set += (set.empty() ? "" : ", ") + quoted_column(child, key.columns[i]) + " = " +
               (action == 'c'   ? "$" + std::to_string(key.columns.size() + i + 1)
                : action == 'n' ? "NULL"
                                : "DEFAULT");
      }
      session_.run_internal("UPDATE ONLY " + table + " SET " + set + " WHERE " + condition, std::move(with_new), sink);
      // Where the default is the old key, nothing changed, and nobody has looked whether it is still there.
      if (action != 'd') return;
    }
    if (action != 'r' && finds(session_,
                               "SELECT 1 FROM ONLY " + qualified(*catalog_, parent) + " x WHERE " +
                                   equals(parent, key.referenced_columns),
                               parameters)) {
      return;  // NO ACTION: a parent with the old key is there again (deleted and inserted, or two keys swapped)
    }
    // The second look waits for whoever is about to take the child away.
    if (!finds(session_, any_child, parameters) || !finds(session_, any_child + " FOR KEY SHARE OF x", parameters))
      return;
    SqlError error(SqlState::kForeignKeyViolation, "update or delete on table \"" + parent.name +
                                                       "\" violates foreign key constraint \"" + key.name +
                                                       "\" on table \"" + child.name + "\"");
    error.info().detail = "Key (" + names_of(parent, key.referenced_columns) + ")=(" +
                          texts_of(session_, parent, key.referenced_columns, event.old_values) +
                          ") is still referenced from table \"" + child.name + "\".";
    error.info().schema = schema_of(*catalog_, child);
    error.info().table = child.name;
    error.info().constraint = key.name;
    throw error;
  }

  SessionImpl& session_;
  const std::shared_ptr<const catalog::Catalog> catalog_;
  std::unordered_map<Oid, Probe> probes_;
};

}  // namespace

// --- The queue ---

bool ForeignKeyQueue::is_deferred(const catalog::Constraint& constraint) const {
  if (!constraint.deferrable) return false;
  if (auto named = state.deferred_by_constraint.find(constraint.oid); named != state.deferred_by_constraint.end())
    return named->second;
  return state.all_deferred.value_or(constraint.initially_deferred);
}

bool ForeignKeyQueue::pending_on(Oid table, const catalog::Catalog& catalog) const {
  for (const auto& check : state.unique) {
    if (check.table == table) return true;
  }
  return std::any_of(state.deferred.begin(), state.deferred.end(), [&](const Event& event) {
    if (event.kind == Event::Kind::kChild) return event.child == table;
    const auto* child = catalog.find<catalog::Table>(event.child);
    const auto* constraint = child == nullptr ? nullptr : Firing::find(*child, event.constraint);
    return constraint != nullptr && constraint->referenced_table == table;
  });
}

void fire_foreign_keys(SessionImpl& session, std::vector<ForeignKeyEvent> events) {
  if (events.empty()) return;
  session.next_command();  // sees what the statement wrote
  Firing firing(session);
  for (const Event& event : events) {
    session.check_cancelled();
    firing.fire(event);
  }
}

void fire_deferred_foreign_keys(SessionImpl& session) {
  auto& deferred = session.foreign_key_queue().state.deferred;
  while (!deferred.empty()) {
    const SessionImpl::StatementScope scope(session);
    session.set_statement_catalog(session.current_catalog());
    fire_foreign_keys(session, std::exchange(deferred, {}));
  }
}

void set_constraints(SessionImpl& session, const ConstraintsSetStmt* statement) {
  if (!session.in_transaction_block()) {
    ErrorInfo info;
    info.code = SqlState::kNoActiveSqlTransaction;
    info.message = "SET CONSTRAINTS can only be used in transaction blocks";
    session.notice("WARNING", info);
  }
  auto& queue = session.foreign_key_queue();
  const auto catalog = session.current_catalog();
  session.set_statement_catalog(catalog);
  if (statement->constraints == nullptr) {
    queue.state.deferred_by_constraint.clear();
    queue.state.all_deferred = statement->deferred;
  }
  for (int i = 0; statement->constraints != nullptr && i < statement->constraints->length; ++i) {
    const auto* name = static_cast<const RangeVar*>(statement->constraints->elements[i].ptr_value);
    const std::string temporary = temp_schema_name(session.options().process_id);
    std::vector<std::string> path;
    if (name->schemaname != nullptr) {
      path = {std::string_view(name->schemaname) == "pg_temp" ? temporary : name->schemaname};
      if (catalog->find_schema(path[0]) == nullptr)
        throw SqlError(SqlState::kUndefinedSchema, "schema \"" + std::string(name->schemaname) + "\" does not exist");
    } else {
      path = session.resolved_search_path(*catalog);
      // Temporary tables come first, unless the path says otherwise.
      if (std::find(path.begin(), path.end(), temporary) == path.end()) path.insert(path.begin(), temporary);
    }
    bool found = false;
    // All constraints of this name in the first schema of the path that has one.
    for (size_t p = 0; p < path.size() && !found; ++p) {
      const auto* schema = catalog->find_schema(path[p]);
      if (schema == nullptr) continue;
      catalog->for_each_of<catalog::Table>([&](const catalog::Table& table) {
        const auto* constraint = table.schema == schema->oid ? table.find_constraint(name->relname) : nullptr;
        if (constraint == nullptr) return;
        found = true;
        if (!constraint->deferrable) {
          throw SqlError(SqlState::kWrongObjectType,
                         "constraint \"" + std::string(name->relname) + "\" is not deferrable");
        }
        queue.state.deferred_by_constraint[constraint->oid] = statement->deferred;
      });
    }
    if (!found)
      throw SqlError(SqlState::kUndefinedObject, "constraint \"" + std::string(name->relname) + "\" does not exist");
  }
  if (statement->deferred) return;
  // What is immediate from now on is checked now.
  std::vector<Event> now, later;
  for (Event& event : queue.state.deferred) {
    const auto* child = catalog->find<catalog::Table>(event.child);
    const auto* constraint = child == nullptr ? nullptr : Firing::find(*child, event.constraint);
    (constraint != nullptr && queue.is_deferred(*constraint) ? later : now).push_back(std::move(event));
  }
  queue.state.deferred = std::move(later);
  fire_foreign_keys(session, std::move(now));
  fire_deferred_unique_checks(session, false);
}

// --- One statement on one table ---

ForeignKeyChecks::ForeignKeyChecks(SessionImpl& session, std::shared_ptr<const TableSchema> schema)
    : session_(session), schema_(std::move(schema)), keys_(session.foreign_keys(schema_->table().oid)) {}

void ForeignKeyChecks::add(const catalog::Constraint& constraint, Event event) {
  // RESTRICT does not wait.
  const bool restricts = (event.kind == Event::Kind::kParentDeleted && constraint.on_delete != 'a') ||
                         (event.kind == Event::Kind::kParentChanged && constraint.on_update != 'a');
  auto& queue = session_.foreign_key_queue();
  if (!restricts && queue.is_deferred(constraint))
    queue.state.deferred.push_back(std::move(event));
  else
    events_.push_back(std::move(event));
}

void ForeignKeyChecks::add_child(const catalog::Constraint& constraint, const std::string& key,
                                 const codec::RowView& row) {
  Event event{Event::Kind::kChild,
              schema_->table().oid,
              constraint.oid,
              key,
              {},
              values_of(schema_->table(), row, constraint.columns)};
  const size_t nulls = count_nulls(event.new_values);
  if (nulls == event.new_values.size() || (nulls > 0 && constraint.match != 'f')) return;
  add(constraint, std::move(event));
}

void ForeignKeyChecks::inserted(const std::string& key, const codec::RowView& row) {
  for (const auto& constraint : keys_->own) add_child(constraint, key, row);
  if (events_.size() >= kEventsMax) check_early();
}

void ForeignKeyChecks::updated(const std::string& key, const codec::RowView& old_row, const codec::RowView& new_row) {
  const auto& table = schema_->table();
  for (const auto& [child, constraint] : keys_->referencing) {
    Event event{Event::Kind::kParentChanged,
                child,
                constraint.oid,
                {},
                values_of(table, old_row, constraint.referenced_columns),
                values_of(table, new_row, constraint.referenced_columns)};
    if (count_nulls(event.old_values) > 0 || same(event.old_values, event.new_values)) continue;
    add(constraint, std::move(event));
  }
  if (keys_->own.empty()) return;
  std::string new_key;
  const auto& access = *schema_->access;
  for (size_t i = 0; i < access.key_columns().size(); ++i) {
    throw_if_error(codec::append_key(access.key_columns()[i], new_row.get(access.key_positions()[i]), &new_key));
  }
  if (access.key_columns().empty()) new_key = key;
  for (const auto& constraint : keys_->own) {
    // A row that moved is no longer found by what was queued before.
    if (new_key == key &&
        same(values_of(table, old_row, constraint.columns), values_of(table, new_row, constraint.columns)))
      continue;
    add_child(constraint, new_key, new_row);
  }
}

void ForeignKeyChecks::deleted(const codec::RowView& row) {
  for (const auto& [child, constraint] : keys_->referencing) {
    Event event{Event::Kind::kParentDeleted,
                child,
                constraint.oid,
                {},
                values_of(schema_->table(), row, constraint.referenced_columns),
                {}};
    if (count_nulls(event.old_values) == 0) add(constraint, std::move(event));
  }
}

void ForeignKeyChecks::check_early() {
  if (session_.in_with_statement()) return;
  Firing firing(session_);
  std::vector<Event> kept;
  const auto& table = schema_->table();
  for (Event& event : events_) {
    const auto* constraint = event.kind == Event::Kind::kChild ? Firing::find(table, event.constraint) : nullptr;
    // What refers to its own table may find its parent further on in the statement.
    if (constraint == nullptr || constraint->referenced_table == table.oid ||
        !ParentKey::of(session_, table, *constraint) || !firing.passes(table, *constraint, event.new_values)) {
      kept.push_back(std::move(event));
    }
  }
  events_ = std::move(kept);
}

void ForeignKeyChecks::finish() {
  auto events = std::exchange(events_, {});
  if (session_.in_with_statement()) {
    auto& statement = session_.foreign_key_queue().statement;
    statement.insert(statement.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  } else {
    fire_foreign_keys(session_, std::move(events));
  }
}

}  // namespace omendb::sql
