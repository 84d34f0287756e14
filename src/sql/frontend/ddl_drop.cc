// What depends on what, DROP and TRUNCATE.
//
// Edges are not stored: they are read from the objects (a view's dependencies, a default's text, a constraint's columns).
// An automatic edge (PostgreSQL's auto and internal) goes with its object; any other needs CASCADE.
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/parser.h"

#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {
namespace {

using Kind = catalog::Constraint::Kind;

bool contains(const std::vector<int16_t>& columns, int16_t attnum) {
  return std::find(columns.begin(), columns.end(), attnum) != columns.end();
}

bool contains(const std::vector<Oid>& oids, Oid oid) { return std::find(oids.begin(), oids.end(), oid) != oids.end(); }

/// The user-defined type that a column's type is or is an array of.
Oid element_or_self(const catalog::Catalog& catalog, Oid type) {
  Oid element = catalog.element_of_array(type);
  return element == kInvalidOid ? type : element;
}

}  // namespace

std::string Ddl::describe(const catalog::Catalog& now, const Thing& thing) {
  auto relation = [&](Oid oid) {
    auto object = now.object(oid);
    return visible_name(catalog::object_schema(*object), catalog::object_name(*object));
  };
  switch (thing.kind) {
    case Thing::Kind::kSchema: return "schema " + quote_identifier(now.find<catalog::Schema>(thing.oid)->name);
    case Thing::Kind::kRelation: return std::string(relation_kind(now, thing.oid)) + " " + relation(thing.oid);
    case Thing::Kind::kColumn: {
      const auto* table = now.find<catalog::Table>(thing.oid);
      return "column " + quote_identifier(table->columns[static_cast<size_t>(thing.attnum) - 1].name) + " of " +
             std::string(relation_kind(now, thing.oid)) + " " + relation(thing.oid);
    }
    case Thing::Kind::kDefault: {
      const auto* table = now.find<catalog::Table>(thing.oid);
      return "default value for column " +
             quote_identifier(table->columns[static_cast<size_t>(thing.attnum) - 1].name) + " of table " +
             relation(thing.oid);
    }
    case Thing::Kind::kConstraint:
      return "constraint " + quote_identifier(thing.name) + " on table " + relation(thing.oid);
    case Thing::Kind::kDomainConstraint: return "constraint " + quote_identifier(thing.name);
    case Thing::Kind::kType: {
      auto object = now.object(thing.oid);
      return "type " + visible_name(catalog::object_schema(*object), catalog::object_name(*object), true);
    }
  }
  return {};
}

// A view may name columns that it does not group by where it groups by their table's primary key.
bool Ddl::can_be_grouped(const std::string& sql, const std::vector<std::string>& path,
                         const std::shared_ptr<const catalog::Catalog>& catalog) {
  StatementContext statement = context_.analysis(sql);
  statement.catalog = catalog;
  statement.search_path = path;
  ParseTree tree(sql);
  try {
    analyze_query(statement, tree.statements()[0].node);
  } catch (const SqlError& error) {
    return error.info().code != SqlState::kGroupingError;
  }
  return true;
}

std::vector<Ddl::Edge> Ddl::dependents(const catalog::Catalog& now, const Thing& thing) {
  std::vector<Edge> edges;
  auto add = [&](Thing dependent, bool automatic) { edges.push_back({std::move(dependent), automatic, {}}); };
  auto relation = [](Oid oid) { return Thing{.kind = Thing::Kind::kRelation, .oid = oid}; };
  auto views_over = [&](Oid oid, int16_t attnum) {
    const std::string* column = nullptr;
    if (attnum != 0) column = &now.find<catalog::Table>(oid)->columns[static_cast<size_t>(attnum) - 1].name;
    now.for_each_of<catalog::View>([&](const catalog::View& view) {
      if (view.oid != oid && contains(view.dependencies, oid) &&
          (column == nullptr || view_names_column(now, view.sql, oid, attnum)))
        add(relation(view.oid), false);
    });
    now.for_each_of<catalog::Table>([&](const catalog::Table& table) {
      if (table.is_materialized_view() && table.oid != oid && contains(table.view_dependencies, oid) &&
          (column == nullptr || view_names_column(now, table.view_sql, oid, attnum))) {
        add(relation(table.oid), false);
      }
    });
  };
  switch (thing.kind) {
    case Thing::Kind::kSchema:
      now.for_each([&](const catalog::Object& object) {
        if (catalog::object_schema(object) != thing.oid) return;
        Oid oid = catalog::object_oid(object);
        if (std::holds_alternative<catalog::Index>(object)) return;
        if (auto* s = std::get_if<catalog::Sequence>(&object); s != nullptr && s->owned_by_table != kInvalidOid) return;
        const bool type = std::holds_alternative<catalog::EnumType>(object) ||
                          std::holds_alternative<catalog::DomainType>(object) ||
                          std::holds_alternative<catalog::CompositeType>(object);
        add(type ? Thing{.kind = Thing::Kind::kType, .oid = oid} : relation(oid), false);
      });
      break;
    case Thing::Kind::kRelation: {
      if (const auto* table = now.find<catalog::Table>(thing.oid)) {
        for (Oid index : table->indexes) add(relation(index), true);
        now.for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
          if (s.owned_by_table == thing.oid) add(relation(s.oid), true);
        });
        now.for_each_of<catalog::Table>([&](const catalog::Table& other) {
          if (other.oid == thing.oid) return;
          for (const auto& c : other.constraints) {
            if (c.kind == Kind::kForeignKey && c.referenced_table == thing.oid) {
              add({.kind = Thing::Kind::kConstraint, .oid = other.oid, .name = c.name}, false);
            }
          }
          for (const auto& column : other.columns) {
            if (!column.dropped && element_or_self(now, column.type) == table->row_type) {
              add({.kind = Thing::Kind::kColumn, .oid = other.oid, .attnum = column.attnum}, false);
            }
          }
        });
      }
      if (now.find<catalog::Sequence>(thing.oid) != nullptr) {
        now.for_each_of<catalog::Table>([&](const catalog::Table& table) {
          for (const auto& column : table.columns) {
            if (column.dropped || column.default_sql.empty() || column.identity != 0) continue;
            if (column.default_sql.find("regclass") == std::string::npos) continue;
            if (uses_of(now, column.default_sql).sequences.count(thing.oid) != 0) {
              add({.kind = Thing::Kind::kDefault, .oid = table.oid, .attnum = column.attnum}, false);
            }
          }
        });
      }
      views_over(thing.oid, 0);
      break;
    }
    case Thing::Kind::kColumn: {
      const auto* table = now.find<catalog::Table>(thing.oid);
      const std::string& name = table->columns[static_cast<size_t>(thing.attnum) - 1].name;
      for (const auto& c : table->constraints) {
        if (contains(c.columns, thing.attnum))
          add({.kind = Thing::Kind::kConstraint, .oid = table->oid, .name = c.name}, true);
        else if (c.kind == Kind::kForeignKey && c.referenced_table == table->oid &&
                 contains(c.referenced_columns, thing.attnum)) {
          add({.kind = Thing::Kind::kConstraint, .oid = table->oid, .name = c.name}, true);
        }
      }
      for (Oid oid : table->indexes) {
        const auto* index = now.find<catalog::Index>(oid);
        bool uses = contains(index->included, thing.attnum);
        for (const auto& key : index->keys) {
          uses = uses || key.attnum == thing.attnum ||
                 (key.attnum == 0 && uses_of(now, key.expression_sql).columns.count(name) != 0);
        }
        uses = uses || (!index->predicate_sql.empty() && uses_of(now, index->predicate_sql).columns.count(name) != 0);
        bool constrained = false;
        for (const auto& c : table->constraints)
          constrained = constrained || (c.kind != Kind::kForeignKey && c.index == oid);
        if (uses && !constrained) add(relation(oid), true);
      }
      for (const auto& other : table->columns) {
        if (!other.dropped && other.generated && other.attnum != thing.attnum &&
            uses_of(now, other.default_sql).columns.count(name) != 0) {
          add({.kind = Thing::Kind::kColumn, .oid = table->oid, .attnum = other.attnum}, false);
        }
      }
      now.for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
        if (s.owned_by_table == thing.oid && s.owned_by_column == thing.attnum) add(relation(s.oid), true);
      });
      views_over(thing.oid, thing.attnum);
      break;
    }
    case Thing::Kind::kConstraint: {
      const auto* table = now.find<catalog::Table>(thing.oid);
      const auto* constraint = table->find_constraint(thing.name);
      if (constraint == nullptr || constraint->kind == Kind::kCheck || constraint->kind == Kind::kForeignKey) break;
      add(relation(constraint->index), true);
      if (constraint->kind == Kind::kPrimaryKey) {
        catalog::Table without = *table;
        std::erase_if(without.constraints, [&](const auto& c) { return c.name == thing.name; });
        const auto after = value_or_throw(now.with({{table->oid, std::make_shared<const catalog::Object>(without)}}));
        now.for_each_of<catalog::View>([&](const catalog::View& view) {
          if (contains(view.dependencies, table->oid) && !can_be_grouped(view.sql, view.search_path, after))
            add(relation(view.oid), false);
        });
        now.for_each_of<catalog::Table>([&](const catalog::Table& other) {
          if (other.is_materialized_view() && contains(other.view_dependencies, table->oid) &&
              !can_be_grouped(other.view_sql, other.view_search_path, after)) {
            add(relation(other.oid), false);
          }
        });
      }
      now.for_each_of<catalog::Table>([&](const catalog::Table& other) {
        for (const auto& c : other.constraints) {
          if (c.kind == Kind::kForeignKey && c.index == constraint->index) {
            edges.push_back({{.kind = Thing::Kind::kConstraint, .oid = other.oid, .name = c.name},
                             false,
                             describe(now, relation(constraint->index))});
          }
        }
      });
      break;
    }
    case Thing::Kind::kType:
      // PostgreSQL comes upon the array type first.
      now.for_each_of<catalog::Table>([&](const catalog::Table& table) {
        for (const auto& column : table.columns) {
          if (column.dropped || now.element_of_array(column.type) != thing.oid) continue;
          edges.push_back({{.kind = Thing::Kind::kColumn, .oid = table.oid, .attnum = column.attnum},
                           false,
                           describe(now, thing) + "[]"});
        }
      });
      now.for_each_of<catalog::Table>([&](const catalog::Table& table) {
        for (const auto& column : table.columns) {
          if (column.dropped || now.element_of_array(column.type) == thing.oid) continue;
          if (element_or_self(now, column.type) == thing.oid) {
            add({.kind = Thing::Kind::kColumn, .oid = table.oid, .attnum = column.attnum}, false);
          } else if (column.default_sql.find("::") != std::string::npos &&
                     uses_of(now, column.default_sql).types.count(thing.oid) != 0) {
            add({.kind = Thing::Kind::kDefault, .oid = table.oid, .attnum = column.attnum}, false);
          }
        }
        for (const auto& c : table.constraints) {
          if (c.kind == Kind::kCheck && uses_of(now, c.check_sql).types.count(thing.oid) != 0) {
            add({.kind = Thing::Kind::kConstraint, .oid = table.oid, .name = c.name}, false);
          }
        }
      });
      now.for_each_of<catalog::DomainType>([&](const catalog::DomainType& domain) {
        if (domain.oid != thing.oid && element_or_self(now, domain.base_type) == thing.oid)
          add({.kind = Thing::Kind::kType, .oid = domain.oid}, false);
      });
      now.for_each_of<catalog::CompositeType>([&](const catalog::CompositeType& composite) {
        for (const auto& column : composite.columns) {
          if (composite.oid != thing.oid && element_or_self(now, column.type) == thing.oid) {
            add({.kind = Thing::Kind::kType, .oid = composite.oid}, false);
            break;
          }
        }
      });
      now.for_each_of<catalog::View>([&](const catalog::View& view) {
        if (contains(view.dependencies, thing.oid)) add(relation(view.oid), false);
      });
      break;
    case Thing::Kind::kDefault:
    case Thing::Kind::kDomainConstraint: break;
  }
  return edges;
}

void Ddl::drop_things(const std::vector<Thing>& targets, bool cascade) {
  auto now = catalog();
  std::set<Thing> doomed(targets.begin(), targets.end());
  // Things that a table's drop takes along need no word of their own.
  auto covered = [&](const Thing& thing) {
    switch (thing.kind) {
      case Thing::Kind::kColumn:
      case Thing::Kind::kDefault:
      case Thing::Kind::kConstraint:
        return doomed.count(Thing{.kind = Thing::Kind::kRelation, .oid = thing.oid}) != 0 ||
               (thing.kind == Thing::Kind::kDefault &&
                doomed.count(Thing{.kind = Thing::Kind::kColumn, .oid = thing.oid, .attnum = thing.attnum}) != 0);
      default: return false;
    }
  };
  struct Found {
    Thing thing;
    std::string on;
  };
  std::vector<Found> reported;
  // Automatic edges first, so that what they take is not reported through another way.
  std::function<void(const Thing&)> silently = [&](const Thing& thing) {
    for (const Edge& edge : dependents(*now, thing)) {
      if (edge.automatic && doomed.insert(edge.dependent).second) {
        silently(edge.dependent);
      }
    }
  };
  for (const Thing& target : targets) silently(target);
  std::set<Thing> seen;
  std::function<void(const Thing&)> visit = [&](const Thing& thing) {
    std::vector<Edge> edges = dependents(*now, thing);
    std::stable_sort(edges.begin(), edges.end(),
                     [](const Edge& a, const Edge& b) { return a.dependent.oid < b.dependent.oid; });
    for (const Edge& edge : edges) {
      if (edge.automatic) {
        doomed.insert(edge.dependent);
        if (seen.insert(edge.dependent).second) visit(edge.dependent);
        continue;
      }
      if (covered(edge.dependent) || !doomed.insert(edge.dependent).second) continue;
      reported.push_back({edge.dependent, edge.on.empty() ? describe(*now, thing) : edge.on});
      silently(edge.dependent);
      visit(edge.dependent);
    }
  };
  for (const Thing& target : targets) visit(target);
  reported.erase(std::remove_if(reported.begin(), reported.end(), [&](const Found& f) { return covered(f.thing); }),
                 reported.end());
  if (!reported.empty() && !cascade) {
    std::string detail;
    for (const Found& f : reported) {
      detail += (detail.empty() ? "" : "\n") + describe(*now, f.thing) + " depends on " + f.on;
    }
    SqlError error(SqlState::kDependentObjectsStillExist,
                   targets.size() == 1
                       ? "cannot drop " + describe(*now, targets[0]) + " because other objects depend on it"
                       : "cannot drop desired object(s) because other objects depend on them");
    throw std::move(error).detail(detail).hint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (reported.size() == 1) {
    notice(SqlState::kSuccessfulCompletion, "drop cascades to " + describe(*now, reported[0].thing));
  } else if (!reported.empty()) {
    std::string detail;
    for (const Found& f : reported)
      detail += (detail.empty() ? "" : "\n") + ("drop cascades to " + describe(*now, f.thing));
    notice(SqlState::kSuccessfulCompletion, "drop cascades to " + std::to_string(reported.size()) + " other objects",
           detail);
  }
  carry_out(doomed);
}

void Ddl::drop_comments(Oid object) {
  std::vector<Oid> gone;
  catalog()->for_each_of<catalog::Comment>([&](const catalog::Comment& c) {
    if (c.object == object) gone.push_back(c.oid);
  });
  for (Oid oid : gone) remove(oid);
}

void Ddl::drop_relation_object(const catalog::Catalog& now, Oid oid) {
  if (auto* table = now.find<catalog::Table>(oid))
    context_.database().drop_storage(context_.transaction(), table->storage);
  if (auto* index = now.find<catalog::Index>(oid); index != nullptr && !index->primary) {
    context_.database().drop_storage(context_.transaction(), index->storage);
  }
  if (auto* sequence = now.find<catalog::Sequence>(oid))
    context_.database().drop_storage(context_.transaction(), sequence->storage);
  drop_comments(oid);
  remove(oid);
}

void Ddl::carry_out(const std::set<Thing>& doomed) {
  auto now = catalog();
  // Lock what goes, first; what only changes too.
  for (const Thing& thing : doomed) lock(thing.oid, txn::ObjectLockMode::kAccessExclusive);
  auto gone = [&](Oid oid) { return doomed.count(Thing{.kind = Thing::Kind::kRelation, .oid = oid}) != 0; };
  // Tables that stay lose parts.
  std::map<Oid, catalog::Table> changed;
  auto table_of = [&](Oid oid) -> catalog::Table& {
    auto it = changed.find(oid);
    if (it == changed.end()) it = changed.emplace(oid, *now->find<catalog::Table>(oid)).first;
    return it->second;
  };
  std::set<Oid> lost_key;
  for (const Thing& thing : doomed) {
    switch (thing.kind) {
      case Thing::Kind::kRelation:
        if (auto* index = now->find<catalog::Index>(thing.oid); index != nullptr && !gone(index->table)) {
          auto& indexes = table_of(index->table).indexes;
          indexes.erase(std::remove(indexes.begin(), indexes.end(), thing.oid), indexes.end());
        }
        break;
      case Thing::Kind::kColumn: {
        if (gone(thing.oid)) break;
        catalog::Column& column = table_of(thing.oid).columns[static_cast<size_t>(thing.attnum) - 1];
        column.dropped = true;
        column.not_null = false;
        column.default_sql.clear();
        column.generated = false;
        column.identity = 0;
        column.missing.reset();
        column.name = "........pg.dropped." + std::to_string(thing.attnum) + "........";
        if (const auto* comment = now->find_comment(catalog::oid::kPgClass, thing.oid, thing.attnum))
          remove(comment->oid);
        break;
      }
      case Thing::Kind::kDefault:
        if (!gone(thing.oid)) table_of(thing.oid).columns[static_cast<size_t>(thing.attnum) - 1].default_sql.clear();
        break;
      case Thing::Kind::kConstraint: {
        if (gone(thing.oid)) break;
        auto& constraints = table_of(thing.oid).constraints;
        for (const auto& c : constraints) {
          if (c.name == thing.name && c.kind == Kind::kPrimaryKey && !c.deferrable) lost_key.insert(thing.oid);
          if (c.name == thing.name) drop_comments(c.oid);
        }
        constraints.erase(
            std::remove_if(constraints.begin(), constraints.end(), [&](const auto& c) { return c.name == thing.name; }),
            constraints.end());
        break;
      }
      default: break;
    }
  }
  // A table that loses its primary key has its rows in the order of a key that is no more: they move.
  for (auto& [oid, table] : changed) {
    if (lost_key.count(oid) != 0) {
      for (Oid index : now->find<catalog::Table>(oid)->indexes) {
        if (std::find(table.indexes.begin(), table.indexes.end(), index) == table.indexes.end()) drop_comments(index);
      }
      rewrite_table(table, {}, {});
    } else {
      put(table);
    }
  }
  for (const Thing& thing : doomed) {
    switch (thing.kind) {
      case Thing::Kind::kRelation: drop_relation_object(*now, thing.oid); break;
      case Thing::Kind::kSchema:
      case Thing::Kind::kType:
        drop_comments(thing.oid);
        remove(thing.oid);
        break;
      default: break;
    }
  }
  std::set<Oid> lost_columns;
  for (const Thing& thing : doomed) {
    if (thing.kind == Thing::Kind::kColumn && !gone(thing.oid)) lost_columns.insert(thing.oid);
  }
  for (Oid oid : lost_columns) reshape_stored(*now->find<catalog::Table>(oid));
}

std::string Ddl::drop(DropStmt* stmt) {
  const char* kind = nullptr;
  std::string tag;
  switch (stmt->removeType) {
    case OBJECT_TABLE:
      kind = "table";
      tag = "DROP TABLE";
      break;
    case OBJECT_VIEW:
      kind = "view";
      tag = "DROP VIEW";
      break;
    case OBJECT_MATVIEW:
      kind = "materialized view";
      tag = "DROP MATERIALIZED VIEW";
      break;
    case OBJECT_INDEX:
      kind = "index";
      tag = "DROP INDEX";
      break;
    case OBJECT_SEQUENCE:
      kind = "sequence";
      tag = "DROP SEQUENCE";
      break;
    case OBJECT_SCHEMA: tag = "DROP SCHEMA"; break;
    case OBJECT_TYPE: tag = "DROP TYPE"; break;
    case OBJECT_DOMAIN: tag = "DROP DOMAIN"; break;
    case OBJECT_FOREIGN_TABLE:
      kind = "foreign table";
      tag = "DROP FOREIGN TABLE";
      break;
    case OBJECT_FUNCTION:
    case OBJECT_PROCEDURE:
    case OBJECT_ROUTINE:
    case OBJECT_AGGREGATE: return drop_routine(stmt);
    case OBJECT_TRIGGER:
    case OBJECT_RULE:
    case OBJECT_POLICY: return drop_of_relation(stmt);
    case OBJECT_OPERATOR: return drop_operator(stmt);
    case OBJECT_CAST: return drop_cast(stmt);
    default: return drop_named(stmt);
  }
  if (stmt->concurrent && context_.in_transaction_block()) {
    throw SqlError(SqlState::kActiveSqlTransaction, "DROP INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  std::vector<Thing> targets;
  for_list<Node>(stmt->objects, [&](Node* node) {
    auto missing = [&](SqlState code, const std::string& what) {
      if (!stmt->missing_ok) throw SqlError(code, what + " does not exist");
      notice(SqlState::kSuccessfulCompletion, what + " does not exist, skipping");
    };
    if (stmt->removeType == OBJECT_SCHEMA) {
      std::string name = string_value(node);
      const catalog::Schema* schema = catalog()->find_schema(name);
      if (schema == nullptr) {
        missing(SqlState::kUndefinedSchema, "schema " + quoted(name));
        return;
      }
      if (schema->oid.value < catalog::oid::kFirstUserOid && schema->oid != catalog::oid::kPublicSchema) {
        throw SqlError(SqlState::kDependentObjectsStillExist,
                       "cannot drop schema " + name + " because it is required by the database system");
      }
      check_owner(schema->owner, "schema", name);
      targets.push_back({.kind = Thing::Kind::kSchema, .oid = schema->oid});
      return;
    }
    if (stmt->removeType == OBJECT_TYPE || stmt->removeType == OBJECT_DOMAIN) {
      auto* type = reinterpret_cast<TypeName*>(node);
      std::vector<std::string> parts = strings_of(type->names);
      std::string full;
      for (const auto& part : parts) full += (full.empty() ? "" : ".") + part;
      Oid oid = lookup_type(type->names);
      if (oid == kInvalidOid) {
        StatementContext statement = context_.analysis(text_);
        const types::TypeInfo* built_in = types::find_type(parts.back());
        if (built_in != nullptr) {
          throw SqlError(SqlState::kDependentObjectsStillExist, "cannot drop type " +
                                                                    format_type(*statement.catalog, built_in->oid, -1) +
                                                                    " because it is required by the database system");
        }
        missing(SqlState::kUndefinedObject, "type " + quoted(full));
        return;
      }
      auto object = catalog()->object(oid);
      if (object == nullptr) {
        Oid relation = catalog()->relation_of_row_type(oid);
        if (relation != kInvalidOid) {
          throw SqlError(SqlState::kDependentObjectsStillExist,
                         "cannot drop type " + parts.back() + " because table " + parts.back() + " requires it")
              .hint("You can drop table " + parts.back() + " instead.");
        }
        std::string element = parts.back().substr(1);
        throw SqlError(SqlState::kDependentObjectsStillExist,
                       "cannot drop type " + element + "[] because type " + element + " requires it")
            .hint("You can drop type " + element + " instead.");
      }
      if (stmt->removeType == OBJECT_DOMAIN && !std::holds_alternative<catalog::DomainType>(*object)) {
        throw SqlError(SqlState::kWrongObjectType, quoted(full) + " is not a domain");
      }
      targets.push_back({.kind = Thing::Kind::kType, .oid = oid});
      return;
    }
    std::vector<std::string> parts = strings_of(reinterpret_cast<List*>(node));
    RangeVar var{};
    var.relname = parts.back().data();
    if (parts.size() > 1) {
      var.schemaname = parts[parts.size() - 2].data();
      if (catalog()->find_schema(var.schemaname) == nullptr && std::string_view(var.schemaname) != "pg_temp") {
        if (!stmt->missing_ok)
          throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(var.schemaname) + " does not exist");
        notice(SqlState::kSuccessfulCompletion, "schema " + quoted(var.schemaname) + " does not exist, skipping");
        return;
      }
    }
    Oid oid = open_relation(&var, txn::ObjectLockMode::kAccessExclusive, true);
    if (oid == kInvalidOid) {
      std::string full;
      for (const auto& part : parts) full += (full.empty() ? "" : ".") + part;
      missing(stmt->removeType == OBJECT_INDEX || stmt->removeType == OBJECT_FOREIGN_TABLE ? SqlState::kUndefinedObject
                                                                                           : SqlState::kUndefinedTable,
              std::string(kind) + " " + quoted(stmt->missing_ok ? parts.back() : full));
      return;
    }
    auto now = catalog();
    std::string_view actual = relation_kind(*now, oid);
    if (actual != kind) {
      std::string upper;
      for (char c : actual) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (actual == "composite type") upper = "TYPE";
      throw SqlError(SqlState::kWrongObjectType,
                     quoted(parts.back()) + " is not " + (*kind == 'i' ? "an " : "a ") + kind)
          .hint("Use DROP " + upper + " to remove " + (actual[0] == 'i' ? "an " : "a ") +
                (actual == "composite type" ? "type" : std::string(actual)) + ".");
    }
    if (auto* index = now->find<catalog::Index>(oid)) {
      const auto* table = now->find<catalog::Table>(index->table);
      check_owner(table->owner, "index", index->name);
      for (const auto& c : table->constraints) {
        if (c.kind != Kind::kForeignKey && c.index == oid) {
          std::string constraint =
              "constraint " + quote_identifier(c.name) + " on table " + visible_name(table->schema, table->name);
          throw SqlError(SqlState::kDependentObjectsStillExist, "cannot drop index " +
                                                                    visible_name(index->schema, index->name) +
                                                                    " because " + constraint + " requires it")
              .hint("You can drop " + constraint + " instead.");
        }
      }
      lock(table->oid, txn::ObjectLockMode::kAccessExclusive);
    } else {
      auto object = now->object(oid);
      Oid owner = std::visit(
          [](const auto& o) -> Oid {
            if constexpr (requires { o.owner; })
              return o.owner;
            else
              return kInvalidOid;
          },
          *object);
      check_owner(owner, kind, parts.back());
    }
    if (auto* sequence = now->find<catalog::Sequence>(oid); sequence != nullptr && sequence->identity) {
      std::string column = describe(
          *now, {.kind = Thing::Kind::kColumn, .oid = sequence->owned_by_table, .attnum = sequence->owned_by_column});
      throw SqlError(SqlState::kDependentObjectsStillExist, "cannot drop sequence " +
                                                                visible_name(sequence->schema, sequence->name) +
                                                                " because " + column + " requires it")
          .hint("You can drop " + column + " instead.");
    }
    targets.push_back({.kind = Thing::Kind::kRelation, .oid = oid});
  });
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  if (!targets.empty()) drop_things(targets, stmt->behavior == DROP_CASCADE);
  return tag;
}

std::string Ddl::truncate(TruncateStmt* stmt) {
  std::vector<Oid> tables;
  for_list<RangeVar>(stmt->relations, [&](RangeVar* var) {
    const catalog::Table* table = open_table(var, txn::ObjectLockMode::kAccessExclusive, false);
    if (!contains(tables, table->oid)) tables.push_back(table->oid);
  });
  auto now = catalog();
  for (size_t i = 0; i < tables.size(); ++i) {
    now->for_each_of<catalog::Table>([&](const catalog::Table& other) {
      for (const auto& c : other.constraints) {
        if (c.kind != Kind::kForeignKey || c.referenced_table != tables[i] || contains(tables, other.oid)) continue;
        if (stmt->behavior != DROP_CASCADE) {
          const auto* table = now->find<catalog::Table>(tables[i]);
          throw SqlError(SqlState::kFeatureNotSupported,
                         "cannot truncate a table referenced in a foreign key constraint")
              .detail("Table " + quoted(other.name) + " references " + quoted(table->name) + ".")
              .hint("Truncate table " + quoted(other.name) + " at the same time, or use TRUNCATE ... CASCADE.");
        }
        notice(SqlState::kSuccessfulCompletion, "truncate cascades to table " + quoted(other.name));
        tables.push_back(other.oid);
        lock(other.oid, txn::ObjectLockMode::kAccessExclusive);
      }
    });
  }
  for (Oid table : tables) {
    empty_table(table);
    if (!stmt->restart_seqs) continue;
    std::vector<catalog::Sequence> owned;
    catalog()->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
      if (s.owned_by_table == table) owned.push_back(s);
    });
    for (auto& s : owned) restart_sequence(s, s.start);
  }
  return "TRUNCATE TABLE";
}

}  // namespace omendb::sql
