// catalog/: what exists in the database, as an immutable value.
//
// A Catalog is a version of all objects. Nobody changes one: a transaction that runs DDL collects Changes (object by
// object), and sees newest-committed-catalog + its own changes; commit writes the changed objects into the store in the
// same batch as the rows (storage kCatalogStorage, key: the object's OID) and publishes the new value. Rollback drops
// the changes. Savepoints are marks in the list of changes.
//
// Invariants
//   1. A Catalog and its objects never change after publication; a shared_ptr keeps a version alive while plans use it.
//   2. OIDs are unique over all kinds and never reused; names are unique per schema and namespace (relations; types).
//   3. A published catalog is exactly the committed objects of the store at its timestamp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "catalog/objects.h"

namespace omendb::catalog {

/// Rows of the catalog live in this storage; user storages start at kFirstUserStorage.
inline constexpr StorageId kCatalogStorage{1};
inline constexpr StorageId kSequenceStorage{2};
inline constexpr uint32_t kFirstUserStorage = 16;

/// One object replaced, made (no previous version) or dropped (object is null).
struct Change {
  Oid oid;
  std::shared_ptr<const Object> object;
};

/// Thread: any, it is immutable.
class Catalog {
 public:
  /// The catalog of an empty database: schemas pg_catalog, information_schema, public and the bootstrap role.
  static std::shared_ptr<const Catalog> initial();
  /// A new version with `changes` applied in order.
  /// Errors: 42P07 / 42710 when two live objects would share a name.
  Result<std::shared_ptr<const Catalog>> with(const std::vector<Change>& changes) const;

  /// Grows with every version of this process; equal versions have equal content.
  uint64_t version() const { return version_; }

  std::shared_ptr<const Object> object(Oid oid) const;
  template <class T>
  const T* find(Oid oid) const {
    auto it = objects_.find(oid);
    return it == objects_.end() ? nullptr : std::get_if<T>(it->second.get());
  }
  const Schema* find_schema(std::string_view name) const;
  /// The table, view, sequence or index of this name; kInvalidOid if there is none.
  Oid find_relation(Oid schema, std::string_view name) const;
  /// The enum, domain or composite (a table's row type included: its table's OID is found by row_type).
  Oid find_type(Oid schema, std::string_view name) const;
  const Role* find_role(std::string_view name) const;
  const Comment* find_comment(Oid class_oid, Oid object, int32_t sub_object) const;
  /// By type OID: the enum whose array type this is, and so on; kInvalidOid for unknown ones.
  Oid element_of_array(Oid array_type) const;
  /// The table whose row type this is, or nullptr.
  const Table* table_of_row_type(Oid row_type) const;

  /// Every object, in OID order.
  void for_each(const std::function<void(const Object&)>& visit) const;

 private:
  friend class CatalogBuilder;
  std::unordered_map<Oid, std::shared_ptr<const Object>> objects_;
  std::unordered_map<std::string, Oid> relation_names_, type_names_;  // "schema-oid.name"
  std::unordered_map<Oid, Oid> array_elements_, row_types_;
  uint64_t version_ = 0;
};

/// Bytes of an object for the store, with a format version, and back. Errors: XX001 on damage.
std::string encode_object(const Object& object);
Result<Object> decode_object(std::string_view bytes);

}  // namespace omendb::catalog
