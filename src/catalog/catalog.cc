#include "catalog/catalog.h"

#include <algorithm>
#include <atomic>
#include <tuple>

namespace omendb::catalog {
namespace {

uint64_t next_version() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

bool Catalog::name_less(const Name& a, const Name& b) {
  return std::tie(a.space, a.scope, a.object, a.sub, a.name) < std::tie(b.space, b.scope, b.object, b.sub, b.name);
}

// What each object puts into the index. kType and kRelation are PostgreSQL's two name spaces; a table, a view and a
// composite type have a name in both.
void Catalog::names_of(const Object& object, std::vector<Name>* out) {
  auto add = [out](NameSpace space, uint32_t scope, std::string_view name, Oid target) {
    out->push_back({.space = space, .scope = scope, .name = name, .target = target});
  };
  auto add_type = [&](const auto& o, Oid type) {
    if (type == kInvalidOid) return;
    add(NameSpace::kType, o.schema.value, o.name, type);
    if (o.array_type == kInvalidOid) return;
    add(NameSpace::kArrayElement, o.array_type.value, {}, type);
    add(NameSpace::kArrayOf, type.value, {}, o.array_type);
  };
  std::visit(
      [&](const auto& o) {
        using T = std::decay_t<decltype(o)>;
        if constexpr (std::is_same_v<T, Schema>) {
          add(NameSpace::kSchema, 0, o.name, o.oid);
        } else if constexpr (std::is_same_v<T, Role>) {
          add(NameSpace::kRole, 0, o.name, o.oid);
        } else if constexpr (std::is_same_v<T, Comment>) {
          out->push_back({.space = NameSpace::kComment,
                          .scope = o.class_oid.value,
                          .sub = o.sub_object,
                          .object = o.object.value,
                          .name = {},
                          .target = o.oid});
        } else if constexpr (std::is_same_v<T, Table> || std::is_same_v<T, View>) {
          add(NameSpace::kRelation, o.schema.value, o.name, o.oid);
          add_type(o, o.row_type);
          if (o.row_type != kInvalidOid) add(NameSpace::kRowType, o.row_type.value, {}, o.oid);
        } else if constexpr (std::is_same_v<T, Index> || std::is_same_v<T, Sequence>) {
          add(NameSpace::kRelation, o.schema.value, o.name, o.oid);
        } else if constexpr (std::is_same_v<T, CompositeType>) {
          add(NameSpace::kRelation, o.schema.value, o.name, o.relation);
          add_type(o, o.oid);
        } else {
          add_type(o, o.oid);
        }
      },
      object);
}

std::shared_ptr<const Catalog> Catalog::initial() {
  static const std::shared_ptr<const Catalog> catalog = [] {
    std::vector<Change> changes;
    auto add = [&](Object object) {
      Oid oid = object_oid(object);
      changes.push_back({oid, std::make_shared<const Object>(std::move(object))});
    };
    add(Role{.oid = oid::kBootstrapRole,
             .name = "postgres",
             .superuser = true,
             .create_role = true,
             .create_db = true,
             .login = true,
             .replication = true,
             .bypass_rls = true});
    // PostgreSQL's predefined roles. They own the schema public and hold nothing else here.
    for (auto [oid, name] : {std::pair{3373u, "pg_monitor"},
                             {3374u, "pg_read_all_settings"},
                             {3375u, "pg_read_all_stats"},
                             {3377u, "pg_stat_scan_tables"},
                             {4200u, "pg_signal_backend"},
                             {4544u, "pg_checkpoint"},
                             {4569u, "pg_read_server_files"},
                             {4570u, "pg_write_server_files"},
                             {4571u, "pg_execute_server_program"},
                             {6171u, "pg_database_owner"},
                             {6181u, "pg_read_all_data"},
                             {6182u, "pg_write_all_data"}}) {
      add(Role{.oid = Oid{oid}, .name = name});
    }
    add(Schema{.oid = oid::kPgCatalogSchema, .name = "pg_catalog"});
    add(Schema{.oid = oid::kPublicSchema, .name = "public", .owner = Oid{6171}});
    add(Schema{.oid = oid::kInformationSchema, .name = "information_schema"});
    auto made = Catalog().with(changes);
    CHECK(made.ok());
    return std::move(made).value();
  }();
  return catalog;
}

Result<std::shared_ptr<const Catalog>> Catalog::with(const std::vector<Change>& changes) const {
  // The last change of each object, in OID order.
  std::vector<const Change*> last;
  last.reserve(changes.size());
  for (const Change& change : changes) {
    CHECK(change.oid != kInvalidOid);
    CHECK(change.object == nullptr || object_oid(*change.object) == change.oid);
    last.push_back(&change);
  }
  std::stable_sort(last.begin(), last.end(), [](const Change* a, const Change* b) { return a->oid < b->oid; });
  last.erase(last.begin(), std::unique(last.rbegin(), last.rend(), [](const Change* a, const Change* b) {
                             return a->oid == b->oid;
                           }).base());

  auto next = std::make_shared<Catalog>();
  next->objects_.reserve(objects_.size() + last.size());
  std::vector<Name> gone, made;
  auto old = objects_.begin();
  for (const Change* change : last) {
    while (old != objects_.end() && old->first < change->oid) next->objects_.push_back(*old++);
    if (old != objects_.end() && old->first == change->oid) names_of(*old++->second, &gone);
    if (change->object == nullptr) continue;
    next->objects_.emplace_back(change->oid, change->object);
    names_of(*change->object, &made);
  }
  next->objects_.insert(next->objects_.end(), old, objects_.end());

  std::sort(gone.begin(), gone.end(), name_less);
  std::sort(made.begin(), made.end(), name_less);
  std::vector<Name> kept;
  kept.reserve(names_.size());
  std::set_difference(names_.begin(), names_.end(), gone.begin(), gone.end(), std::back_inserter(kept), name_less);
  next->names_.reserve(kept.size() + made.size());
  std::merge(kept.begin(), kept.end(), made.begin(), made.end(), std::back_inserter(next->names_), name_less);

  auto same = std::adjacent_find(next->names_.begin(), next->names_.end(),
                                 [](const Name& a, const Name& b) { return !name_less(a, b); });
  if (same != next->names_.end()) {
    std::string quoted = "\"" + std::string(same->name) + "\" already exists";
    switch (same->space) {
      case NameSpace::kSchema: return Status(SqlState::kDuplicateSchema, "schema " + quoted);
      case NameSpace::kRole: return Status(SqlState::kDuplicateObject, "role " + quoted);
      case NameSpace::kRelation: return Status(SqlState::kDuplicateTable, "relation " + quoted);
      case NameSpace::kType: return Status(SqlState::kDuplicateObject, "type " + quoted);
      case NameSpace::kComment:
        return Status(SqlState::kDuplicateObject, "this object was given a comment at the same time");
      default: CHECK(!"two objects own one type OID");
    }
  }
  next->version_ = next_version();
  return std::shared_ptr<const Catalog>(std::move(next));
}

const Object* Catalog::find_object(Oid oid) const {
  auto it = std::lower_bound(objects_.begin(), objects_.end(), oid,
                             [](const auto& entry, Oid key) { return entry.first < key; });
  return it == objects_.end() || it->first != oid ? nullptr : it->second.get();
}

std::shared_ptr<const Object> Catalog::object(Oid oid) const {
  auto it = std::lower_bound(objects_.begin(), objects_.end(), oid,
                             [](const auto& entry, Oid key) { return entry.first < key; });
  return it == objects_.end() || it->first != oid ? nullptr : it->second;
}

Oid Catalog::find_name(const Name& key) const {
  auto it = std::lower_bound(names_.begin(), names_.end(), key, name_less);
  return it == names_.end() || name_less(key, *it) ? kInvalidOid : it->target;
}

const Schema* Catalog::find_schema(std::string_view name) const {
  return find<Schema>(find_name({.space = NameSpace::kSchema, .scope = 0, .name = name}));
}

const Role* Catalog::find_role(std::string_view name) const {
  return find<Role>(find_name({.space = NameSpace::kRole, .scope = 0, .name = name}));
}

Oid Catalog::find_relation(Oid schema, std::string_view name) const {
  return find_name({.space = NameSpace::kRelation, .scope = schema.value, .name = name});
}

Oid Catalog::find_type(Oid schema, std::string_view name) const {
  Oid found = find_name({.space = NameSpace::kType, .scope = schema.value, .name = name});
  if (found != kInvalidOid || name.size() < 2 || name[0] != '_') return found;
  Oid element = find_name({.space = NameSpace::kType, .scope = schema.value, .name = name.substr(1)});
  return element == kInvalidOid ? kInvalidOid : array_of(element);
}

const Comment* Catalog::find_comment(Oid class_oid, Oid object, int32_t sub_object) const {
  return find<Comment>(
      find_name({.space = NameSpace::kComment, .scope = class_oid.value, .sub = sub_object, .object = object.value}));
}

Oid Catalog::element_of_array(Oid array_type) const {
  return find_name({.space = NameSpace::kArrayElement, .scope = array_type.value});
}

Oid Catalog::array_of(Oid type) const { return find_name({.space = NameSpace::kArrayOf, .scope = type.value}); }

Oid Catalog::relation_of_row_type(Oid row_type) const {
  return find_name({.space = NameSpace::kRowType, .scope = row_type.value});
}

const Table* Catalog::table_of_row_type(Oid row_type) const { return find<Table>(relation_of_row_type(row_type)); }

void Catalog::for_each(const std::function<void(const Object&)>& visit) const {
  for (const auto& entry : objects_) visit(*entry.second);
}

}  // namespace omendb::catalog
