// pg_catalog's views over the catalogs.
//
// Not known here, and shown empty although something may be there: pg_stats, pg_timezone_names and pg_timezone_abbrevs.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "sql/functions/system_rows.h"
#include "sql/neighbours.h"
#include "sql/services.h"
#include "table/serializable.h"

namespace omendb::sql {
namespace {

namespace cat = omendb::catalog;
using Text = std::optional<std::string>;

void pg_tables(const SystemContext& c, SystemRows& rows) {
  for (const SystemRelation& r : system_relations()) {
    if (r.kind == 'r')
      rows.add(r.schema_name, r.name, c.names.role_name(cat::oid::kBootstrapRole), Null{}, false, false, false, false);
  }
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    if (t.is_materialized_view()) return;
    rows.add(c.names.schema_name(t.schema), t.name, c.names.role_name(t.owner), Null{}, !t.indexes.empty(), false,
             false, false);
  });
}

void pg_views(const SystemContext& c, SystemRows& rows) {
  for (const SystemRelation& r : system_relations()) {
    if (r.kind == 'v') rows.add(r.schema_name, r.name, c.names.role_name(cat::oid::kBootstrapRole), Null{});
  }
  c.catalog.for_each_of<cat::View>([&](const cat::View& v) {
    rows.add(c.names.schema_name(v.schema), v.name, c.names.role_name(v.owner),
             query_definition(c.names, v.sql, false));
  });
}

void pg_matviews(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    if (!t.is_materialized_view()) return;
    rows.add(c.names.schema_name(t.schema), t.name, c.names.role_name(t.owner), Null{}, !t.indexes.empty(), t.populated,
             query_definition(c.names, t.view_sql, false));
  });
}

void pg_indexes(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Index>([&](const cat::Index& i) {
    const auto* table = c.catalog.find<cat::Table>(i.table);
    if (table == nullptr) return;
    rows.add(c.names.schema_name(i.schema), table->name, i.name, Null{}, index_definition(c.names, i, 0, false));
  });
}

void pg_sequences(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Sequence>([&](const cat::Sequence& s) {
    std::optional<int64_t> last;
    auto state = c.services->database().sequence_state(s);
    if (state.ok() && state->is_called) last = state->last_value;
    rows.add(c.names.schema_name(s.schema), s.name, c.names.role_name(s.owner), s.type, s.start, s.min, s.max,
             s.increment, s.cycle, s.cache, last);
  });
}

void pg_roles(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    rows.add(r.name, r.superuser, r.inherit, r.create_role, r.create_db, r.login, r.replication, r.connection_limit,
             "********", Null{}, r.bypass_rls, Null{}, r.oid);
  });
}

void users(const SystemContext& c, SystemRows& rows, bool with_password) {
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    if (!r.login) return;
    Text password = with_password ? (r.password.empty() ? Text() : Text(r.password)) : Text("********");
    rows.add(r.name, r.oid, r.create_db, r.superuser, r.replication, r.bypass_rls, password, Null{}, Null{});
  });
}

void pg_group(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    if (r.login) return;
    std::string members;
    c.catalog.for_each_of<cat::Role>([&](const cat::Role& m) {
      if (std::find(m.member_of.begin(), m.member_of.end(), r.oid) != m.member_of.end()) {
        members += (members.empty() ? "" : ",") + std::to_string(m.oid.value);
      }
    });
    rows.add(r.name, r.oid, "{" + members + "}");
  });
}

void pg_settings(const SystemContext& c, SystemRows& rows) {
  for (const auto& s : c.services->all_settings()) {
    rows.begin_row();
    rows.set("name", s.name);
    rows.set("setting", s.setting);
    if (!s.unit.empty()) rows.set("unit", s.unit);
    rows.set("category", s.category);
    rows.set("short_desc", s.description);
    rows.set("context", s.context);
    rows.set("vartype", s.type);
    rows.set("source", s.setting == s.boot_value ? "default" : "session");
    rows.set("boot_val", s.boot_value);
    rows.set("reset_val", s.reset_value);
    rows.set("pending_restart", false);
  }
}

// Counters that nobody keeps are 0, as in a server whose statistics were reset; the number of live rows is true.
void stat_tables(const SystemContext& c, SystemRows& rows, bool user, bool system) {
  auto row = [&](Oid oid, const std::string& schema, const std::string& name, bool has_index, int64_t live) {
    std::optional<int64_t> none, zero = 0;
    auto index_counter = has_index ? zero : none;
    rows.add(oid, schema, name, 0, 0, index_counter, index_counter, 0, 0, 0, 0, live, 0, 0, 0, Null{}, Null{}, Null{},
             Null{}, 0, 0, 0, 0);
  };
  if (system) {
    for (const SystemRelation& r : system_relations()) {
      if (r.kind == 'r') row(r.oid, r.schema_name, r.name, false, 0);
    }
  }
  if (!user) return;
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    int64_t live = 0;
    if (auto access = c.services->table_access(t.oid))
      live = static_cast<int64_t>(c.services->database().estimate_rows(*access));
    row(t.oid, c.names.schema_name(t.schema), t.name, !t.indexes.empty(), live);
  });
}

void statio_tables(const SystemContext& c, SystemRows& rows, bool user, bool system) {
  auto row = [&](Oid oid, const std::string& schema, const std::string& name) {
    rows.add(oid, schema, name, 0, 0, Null{}, Null{}, Null{}, Null{}, Null{}, Null{});
  };
  if (system) {
    for (const SystemRelation& r : system_relations()) {
      if (r.kind == 'r') row(r.oid, r.schema_name, r.name);
    }
  }
  if (user) {
    c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) { row(t.oid, c.names.schema_name(t.schema), t.name); });
  }
}

void stat_indexes(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Index>([&](const cat::Index& i) {
    const auto* table = c.catalog.find<cat::Table>(i.table);
    if (table != nullptr) rows.add(i.table, i.oid, c.names.schema_name(table->schema), table->name, i.name, 0, 0, 0);
  });
}

void pg_stat_activity(const SystemContext& c, SystemRows& rows) {
  auto time = [&](const char* name, int64_t us) {
    if (us != 0) rows.set(name, us);
  };
  for (const auto& a : c.services->neighbours().activity()) {
    const auto* role = c.catalog.find_role(a.user);
    rows.begin_row();
    rows.set("datid", cat::oid::kDatabase);
    rows.set("datname", a.database);
    rows.set("pid", a.process_id);
    if (role != nullptr) rows.set("usesysid", role->oid);
    rows.set("usename", a.user);
    rows.set("application_name", a.application);
    time("backend_start", a.backend_start_us);
    time("xact_start", a.transaction_start_us);
    time("query_start", a.query_start_us);
    time("state_change", a.state_change_us);
    rows.set("state", a.state);
    rows.set("query", a.query);
    rows.set("backend_type", "client backend");
    if (a.state != "active") {
      rows.set("wait_event_type", "Client");
      rows.set("wait_event", "ClientRead");
    }
  }
}

void pg_stat_database(const SystemContext& c, SystemRows& rows) {
  rows.begin_row();
  rows.set("datid", cat::oid::kDatabase);
  rows.set("datname", c.services->database_name());
  rows.set("numbackends", 1);
  for (const char* name : {"xact_commit",    "xact_rollback",      "blks_read",
                           "blks_hit",       "tup_returned",       "tup_fetched",
                           "tup_inserted",   "tup_updated",        "tup_deleted",
                           "conflicts",      "temp_files",         "temp_bytes",
                           "deadlocks",      "blk_read_time",      "blk_write_time",
                           "session_time",   "active_time",        "idle_in_transaction_time",
                           "sessions",       "sessions_abandoned", "sessions_fatal",
                           "sessions_killed"}) {
    rows.set(name, 0);
  }
}

/// What serializable transactions have read: keys as tuples, ranges as pages, though there are none.
void read_locks(const SystemContext& c, SystemRows& rows) {
  using Kind = txn::Dependencies::ReadMark::Kind;
  const auto marks = table::read_marks(c.services->database());
  if (marks.empty()) return;
  std::unordered_map<uint32_t, Oid> relations;
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) { relations[t.storage.value] = t.oid; });
  c.catalog.for_each_of<cat::Index>([&](const cat::Index& i) { relations[i.storage.value] = i.oid; });
  for (const auto& mark : marks) {
    const auto relation = relations.find(mark.storage.value);
    if (relation == relations.end()) continue;  // it is gone
    rows.begin_row();
    rows.set("locktype", mark.kind == Kind::kKey ? "tuple" : mark.kind == Kind::kRange ? "page" : "relation");
    rows.set("database", cat::oid::kDatabase);
    rows.set("relation", relation->second);
    rows.set("virtualtransaction", std::to_string(mark.process_id) + "/0");
    rows.set("pid", mark.process_id);
    rows.set("mode", "SIReadLock");
    rows.set("granted", true);
    rows.set("fastpath", false);
  }
}

/// Advisory locks, and marks of serializable transactions; row and table locks are not listed.
void pg_locks(const SystemContext& c, SystemRows& rows) {
  read_locks(c, rows);
  for (const auto& lock : c.services->neighbours().locks()) {
    const auto key = static_cast<uint64_t>(lock.key.key);
    rows.begin_row();
    rows.set("locktype", "advisory");
    rows.set("database", cat::oid::kDatabase);
    rows.set("classid", Oid{static_cast<uint32_t>(key >> 32)});
    rows.set("objid", Oid{static_cast<uint32_t>(key)});
    rows.set("objsubid", lock.key.pair ? 2 : 1);
    rows.set("virtualtransaction", std::to_string(lock.process_id) + "/0");
    rows.set("pid", lock.process_id);
    rows.set("mode", lock.shared ? "ShareLock" : "ExclusiveLock");
    rows.set("granted", lock.granted);
    rows.set("fastpath", false);
  }
}

void pg_cursors(const SystemContext& c, SystemRows& rows) {
  for (const auto& cursor : c.services->cursors()) {
    rows.add(cursor.name, cursor.statement, cursor.hold, cursor.binary, cursor.scrollable, cursor.created_us);
  }
}

/// How often a plan was made for the values and how often for any is not counted.
void pg_prepared_statements(const SystemContext& c, SystemRows& rows) {
  for (const auto& statement : c.services->prepared_statements()) {
    std::string types;
    for (const Oid type : statement.parameter_types) types += (types.empty() ? "" : ",") + std::to_string(type.value);
    rows.add(statement.name, statement.statement, statement.prepared_us, "{" + types + "}", statement.from_sql, 0, 0);
  }
}

}  // namespace

void add_view_sources(SystemSources* sources) {
  auto add = [&](const char* name, SystemProducer produce) {
    sources->push_back({std::string("pg_catalog.") + name, {std::move(produce), false}});
  };
  add("pg_tables", pg_tables);
  add("pg_views", pg_views);
  add("pg_matviews", pg_matviews);
  add("pg_indexes", pg_indexes);
  add("pg_sequences", pg_sequences);
  add("pg_roles", pg_roles);
  add("pg_user", [](const SystemContext& c, SystemRows& rows) { users(c, rows, false); });
  add("pg_shadow", [](const SystemContext& c, SystemRows& rows) { users(c, rows, true); });
  add("pg_group", pg_group);
  add("pg_settings", pg_settings);
  add("pg_available_extensions", [](const SystemContext&, SystemRows& rows) {
    rows.add("plpgsql", "1.0", "1.0", "PL/pgSQL procedural language");
  });
  add("pg_stat_activity", pg_stat_activity);
  add("pg_locks", pg_locks);
  add("pg_cursors", pg_cursors);
  add("pg_prepared_statements", pg_prepared_statements);
  add("pg_stat_database", pg_stat_database);
  for (auto [prefix, user, system] : {std::tuple{"all", true, true}, {"user", true, false}, {"sys", false, true}}) {
    bool u = user, s = system;
    add((std::string("pg_stat_") + prefix + "_tables").c_str(),
        [u, s](const SystemContext& c, SystemRows& rows) { stat_tables(c, rows, u, s); });
    add((std::string("pg_statio_") + prefix + "_tables").c_str(),
        [u, s](const SystemContext& c, SystemRows& rows) { statio_tables(c, rows, u, s); });
  }
  add("pg_stat_all_indexes", stat_indexes);
  add("pg_stat_user_indexes", stat_indexes);
}

}  // namespace omendb::sql
