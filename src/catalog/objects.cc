#include "catalog/objects.h"

#include "base/check.h"

namespace omendb::catalog {

std::vector<int16_t> Table::primary_key() const {
  const Constraint* key = primary_constraint();
  return key == nullptr || key->deferrable ? std::vector<int16_t>() : key->columns;
}

const Constraint* Table::primary_constraint() const {
  for (const Constraint& constraint : constraints) {
    if (constraint.kind == Constraint::Kind::kPrimaryKey) return &constraint;
  }
  return nullptr;
}

const Column* Table::find_column(std::string_view wanted) const {
  for (const Column& column : columns) {
    if (!column.dropped && column.name == wanted) return &column;
  }
  return nullptr;
}

const Column* Table::column(int16_t attnum) const {
  if (attnum < 1 || static_cast<size_t>(attnum) > columns.size()) return nullptr;
  const Column& found = columns[static_cast<size_t>(attnum) - 1];
  CHECK(found.attnum == attnum);
  return found.dropped ? nullptr : &found;
}

const Constraint* Table::find_constraint(std::string_view wanted) const {
  for (const Constraint& constraint : constraints) {
    if (constraint.name == wanted) return &constraint;
  }
  return nullptr;
}

Oid object_oid(const Object& object) {
  return std::visit([](const auto& o) { return o.oid; }, object);
}

std::string_view object_name(const Object& object) {
  return std::visit(
      [](const auto& o) -> std::string_view {
        if constexpr (requires { o.name; }) {
          return o.name;
        } else {
          return {};
        }
      },
      object);
}

Oid object_schema(const Object& object) {
  return std::visit(
      [](const auto& o) -> Oid {
        if constexpr (requires { o.schema; }) {
          return o.schema;
        } else {
          return kInvalidOid;
        }
      },
      object);
}

}  // namespace omendb::catalog
