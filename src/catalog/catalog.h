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
  Catalog() = default;  // empty: no schema, no role; initial() is where a database starts

  /// The catalog of an empty database: schemas pg_catalog, information_schema, public, the bootstrap role and the predefined ones.
  static std::shared_ptr<const Catalog> initial();
  /// A new version with `changes` applied; of several changes to one object the last counts.
  /// Errors: 42P07 / 42710 / 42P06 when two live objects would share a name.
  /// Cost:   copies the object list (16 bytes and a reference count an object), no object.
  Result<std::shared_ptr<const Catalog>> with(const std::vector<Change>& changes) const;

  /// Grows with every version of this process; equal versions have equal content.
  uint64_t version() const { return version_; }

  std::shared_ptr<const Object> object(Oid oid) const;
  template <class T>
  const T* find(Oid oid) const {
    const Object* found = find_object(oid);
    return found == nullptr ? nullptr : std::get_if<T>(found);
  }
  const Schema* find_schema(std::string_view name) const;
  /// The table, view, sequence, index or composite type of this name; kInvalidOid if there is none. A composite type is
  /// found by its pg_class OID (CompositeType::relation), which object() does not know.
  Oid find_relation(Oid schema, std::string_view name) const;
  /// The OID of the enum, domain or composite type, of a table's or view's row type, or of an array over one of these
  /// ("_name").
  Oid find_type(Oid schema, std::string_view name) const;
  const Role* find_role(std::string_view name) const;
  const Comment* find_comment(Oid class_oid, Oid object, int32_t sub_object) const;
  /// By type OID: the enum, domain, composite or row type whose array type this is; kInvalidOid for unknown ones, and for
  /// built-in types (types::array_element_type knows those).
  Oid element_of_array(Oid array_type) const;
  /// The array type over a user-defined type; kInvalidOid when there is none.
  Oid array_of(Oid type) const;
  /// The table or view whose row type this is, or kInvalidOid.
  Oid relation_of_row_type(Oid row_type) const;
  /// The table whose row type this is, or nullptr.
  const Table* table_of_row_type(Oid row_type) const;

  /// Every object, in OID order.
  void for_each(const std::function<void(const Object&)>& visit) const;
  /// Every object of one kind, in OID order.
  template <class T, class Visit>
  void for_each_of(Visit visit) const {
    for (const auto& entry : objects_) {
      if (const T* object = std::get_if<T>(entry.second.get())) visit(*object);
    }
  }
  size_t object_count() const { return objects_.size(); }

 private:
  enum class NameSpace : uint8_t { kSchema, kRole, kRelation, kType, kComment, kArrayElement, kRowType, kArrayOf };
  /// One entry of the index over names (and over the type OIDs that an object owns). `name` points into the object.
  struct Name {
    NameSpace space;
    uint32_t scope;       // schema; kComment: class; type OID for the kinds that look up by number
    int32_t sub = 0;      // kComment
    uint32_t object = 0;  // kComment: the described object
    std::string_view name;
    Oid target;
  };
  static bool name_less(const Name& a, const Name& b);
  static void names_of(const Object& object, std::vector<Name>* out);
  const Object* find_object(Oid oid) const;
  Oid find_name(const Name& key) const;

  std::vector<std::pair<Oid, std::shared_ptr<const Object>>> objects_;  // sorted by OID
  std::vector<Name> names_;                                             // sorted by name_less
  uint64_t version_ = 0;
};

/// Bytes of an object for the store, with a format version, and back. Errors: XX001 on damage.
std::string encode_object(const Object& object);
Result<Object> decode_object(std::string_view bytes);

}  // namespace omendb::catalog
