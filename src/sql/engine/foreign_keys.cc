#include "sql/engine/foreign_keys.h"

#include <cstring>

#include "sql/engine/portal.h"
#include "sql/frontend/deparse.h"

namespace omendb::sql {
namespace {

class CountingSink final : public RowSink {
 public:
  Status rows(const std::vector<types::ColumnView>&, size_t count) override {
    rows_ += count;
    return Status();
  }
  uint64_t count() const { return rows_; }

 private:
  uint64_t rows_ = 0;
};

std::string qualified(const catalog::Catalog& catalog, const catalog::Table& table) {
  const auto* schema = catalog.find<catalog::Schema>(table.schema);
  return quote_identifier(schema->name) + "." + quote_identifier(table.name);
}

const catalog::Column& column_at(const catalog::Table& table, int16_t attnum) {
  return table.columns[static_cast<size_t>(attnum) - 1];
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

bool any_null(const std::vector<types::Value>& values) {
  for (const auto& value : values) {
    if (value.is_null()) return true;
  }
  return false;
}

}  // namespace

ForeignKeyChecks::ForeignKeyChecks(SessionImpl& session, std::shared_ptr<const TableSchema> schema)
    : session_(session), schema_(std::move(schema)), keys_(session.foreign_keys(schema_->table().oid)) {}

std::vector<types::Value> ForeignKeyChecks::values_of(const codec::RowView& row, const std::vector<int16_t>& columns) const {
  std::vector<types::Value> values;
  for (int16_t attnum : columns) {
    const auto position = static_cast<size_t>(attnum) - 1;
    if (!row.present(position) && schema_->table().columns[position].missing) {
      values.push_back(*schema_->table().columns[position].missing);
    } else {
      values.emplace_back(row.is_null(position) ? types::ValueView() : row.get(position));
    }
  }
  return values;
}

bool ForeignKeyChecks::same(const std::vector<types::Value>& a, const std::vector<types::Value>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = a[i].view(), y = b[i].view();
    if (x.null != y.null) return false;
    if (!x.null && (x.bytes != y.bytes || x.wide != y.wide || std::memcmp(&x.interval, &y.interval, sizeof(x.interval)) != 0)) {
      return false;
    }
  }
  return true;
}

void ForeignKeyChecks::inserted(const codec::RowView& row) {
  for (size_t i = 0; i < keys_->own.size(); ++i) {
    Values values;
    values.key = i;
    values.new_values = values_of(row, keys_->own[i].columns);
    children_.push_back(std::move(values));
  }
}

void ForeignKeyChecks::updated(const codec::RowView& old_row, const codec::RowView& new_row) {
  for (size_t i = 0; i < keys_->own.size(); ++i) {
    Values values;
    values.key = i;
    values.new_values = values_of(new_row, keys_->own[i].columns);
    if (same(values.new_values, values_of(old_row, keys_->own[i].columns))) continue;
    children_.push_back(std::move(values));
  }
  for (size_t i = 0; i < keys_->referencing.size(); ++i) {
    Values values;
    values.key = i;
    values.old_values = values_of(old_row, keys_->referencing[i].constraint.referenced_columns);
    values.new_values = values_of(new_row, keys_->referencing[i].constraint.referenced_columns);
    if (any_null(values.old_values) || same(values.old_values, values.new_values)) continue;
    parents_.push_back(std::move(values));
  }
}

void ForeignKeyChecks::deleted(const codec::RowView& row) {
  for (size_t i = 0; i < keys_->referencing.size(); ++i) {
    Values values;
    values.key = i;
    values.is_delete = true;
    values.old_values = values_of(row, keys_->referencing[i].constraint.referenced_columns);
    if (any_null(values.old_values)) continue;
    parents_.push_back(std::move(values));
  }
}

void ForeignKeyChecks::finish() {
  if (children_.empty() && parents_.empty()) return;
  // Parents first: a cascade may take away what a child row of this statement would be checked against.
  auto parents = std::move(parents_);
  auto children = std::move(children_);
  parents_.clear();
  children_.clear();
  for (const auto& change : parents) act_on_parent(keys_->referencing[change.key], change);
  for (const auto& child : children) check_child(keys_->own[child.key], child.new_values);
}

void ForeignKeyChecks::check_child(const catalog::Constraint& key, const std::vector<types::Value>& values) {
  const auto& catalog = *session_.statement_catalog();
  const auto& child = schema_->table();
  auto violation = [&](const std::string& detail) {
    SqlError error(SqlState::kForeignKeyViolation, "insert or update on table \"" + child.name +
                                                       "\" violates foreign key constraint \"" + key.name + "\"");
    error.info().detail = detail;
    error.info().schema = catalog.find<catalog::Schema>(child.schema)->name;
    error.info().table = child.name;
    error.info().constraint = key.name;
    throw error;
  };
  if (any_null(values)) {
    if (key.match == 'f') {
      for (const auto& value : values) {
        if (!value.is_null()) violation("MATCH FULL does not allow mixing of null and nonnull key values.");
      }
    }
    return;
  }
  const auto* parent = catalog.find<catalog::Table>(key.referenced_table);
  std::string sql = "SELECT 1 FROM ONLY " + qualified(catalog, *parent) + " x WHERE ";
  Parameters parameters;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    if (i > 0) sql += " AND ";
    sql += quote_identifier(column_at(*parent, key.referenced_columns[i]).name) + " = $" + std::to_string(i + 1);
    parameters.values.push_back(values[i]);
    parameters.types.push_back(column_at(child, key.columns[i]).type);
    parameters.physical.push_back(column_at(child, key.columns[i]).physical);
  }
  sql += " FOR KEY SHARE OF x";
  CountingSink sink;
  session_.run_internal(sql, std::move(parameters), sink);
  if (sink.count() == 0) {
    violation("Key (" + names_of(child, key.columns) + ")=(" + texts_of(session_, child, key.columns, values) +
              ") is not present in table \"" + parent->name + "\".");
  }
}

void ForeignKeyChecks::act_on_parent(const ForeignKeys::Reference& reference, const Values& change) {
  const auto catalog_version = session_.statement_catalog();
  const auto& catalog = *catalog_version;
  const auto& key = reference.constraint;
  const auto& parent = schema_->table();
  const auto* child = catalog.find<catalog::Table>(reference.child);
  const char action = change.is_delete ? key.on_delete : key.on_update;

  Parameters parameters;
  std::string condition;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    if (i > 0) condition += " AND ";
    condition += quote_identifier(column_at(*child, key.columns[i]).name) + " = $" + std::to_string(i + 1);
    parameters.values.push_back(change.old_values[i]);
    parameters.types.push_back(column_at(parent, key.referenced_columns[i]).type);
    parameters.physical.push_back(column_at(parent, key.referenced_columns[i]).physical);
  }
  const std::string table = qualified(catalog, *child);
  CountingSink sink;
  switch (action) {
    case 'c':
      if (change.is_delete) {
        session_.run_internal("DELETE FROM ONLY " + table + " WHERE " + condition, std::move(parameters), sink);
        return;
      }
      [[fallthrough]];
    case 'n':
    case 'd': {
      std::string set;
      for (size_t i = 0; i < key.columns.size(); ++i) {
        if (i > 0) set += ", ";
        set += quote_identifier(column_at(*child, key.columns[i]).name) + " = ";
        if (action == 'c') {
          set += "$" + std::to_string(key.columns.size() + i + 1);
          parameters.values.push_back(change.new_values[i]);
          parameters.types.push_back(column_at(parent, key.referenced_columns[i]).type);
          parameters.physical.push_back(column_at(parent, key.referenced_columns[i]).physical);
        } else {
          set += action == 'n' ? "NULL" : "DEFAULT";
        }
      }
      session_.run_internal("UPDATE ONLY " + table + " SET " + set + " WHERE " + condition, std::move(parameters), sink);
      return;
    }
    default: {
      // NO ACTION: a parent row with the old key may be there again (deleted and inserted, or two keys swapped).
      if (action == 'a') {
        std::string still = "SELECT 1 FROM ONLY " + qualified(catalog, parent) + " x WHERE ";
        Parameters same = parameters;
        for (size_t i = 0; i < key.columns.size(); ++i) {
          if (i > 0) still += " AND ";
          still += quote_identifier(column_at(parent, key.referenced_columns[i]).name) + " = $" + std::to_string(i + 1);
        }
        CountingSink present;
        session_.run_internal(still, std::move(same), present);
        if (present.count() > 0) return;
      }
      session_.run_internal("SELECT 1 FROM ONLY " + table + " x WHERE " + condition + " LIMIT 1", std::move(parameters), sink);
      if (sink.count() == 0) return;
      SqlError error(SqlState::kForeignKeyViolation, "update or delete on table \"" + parent.name +
                                                         "\" violates foreign key constraint \"" + key.name + "\" on table \"" +
                                                         child->name + "\"");
      error.info().detail = "Key (" + names_of(parent, key.referenced_columns) + ")=(" +
                            texts_of(session_, parent, key.referenced_columns, change.old_values) +
                            ") is still referenced from table \"" + child->name + "\".";
      error.info().schema = catalog.find<catalog::Schema>(child->schema)->name;
      error.info().table = child->name;
      error.info().constraint = key.name;
      throw error;
    }
  }
}

}  // namespace omendb::sql
