// Tables for tests and benchmarks: made without SQL.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "table/database.h"
#include "table/row_read.h"
#include "types/type.h"

namespace omendb::table::testing {

/// A directory that goes with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "omendb-test-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct TableSpec {
  std::string name = "t";
  struct Column {
    std::string name;
    Oid type;
  };
  std::vector<Column> columns = {{"id", types::oid::kInt4}, {"v", types::oid::kInt4}, {"s", types::oid::kText}};
  bool primary_key = true;  // on the first column
  struct Index {
    std::string name;
    std::vector<int16_t> columns;
    bool unique = false;
  };
  std::vector<Index> indexes;
};

/// Makes the table in `transaction`; returns its OID.
inline Result<Oid> make_table(Database& database, txn::Transaction& transaction, const TableSpec& spec) {
  catalog::Table table;
  table.oid = database.new_oid();
  table.schema = catalog::oid::kPublicSchema;
  table.name = spec.name;
  table.storage = database.new_storage_id();
  table.row_type = database.new_oid();
  database.made_storage(transaction, table.storage);
  for (const auto& c : spec.columns) {
    catalog::Column column;
    column.attnum = static_cast<int16_t>(table.columns.size() + 1);
    column.name = c.name;
    column.type = c.type;
    column.physical = types::physical_type(c.type, -1);
    table.columns.push_back(column);
  }
  std::vector<catalog::Change> changes;
  const auto add_index = [&](const std::string& name, const std::vector<int16_t>& columns, bool unique, bool primary) {
    catalog::Index index;
    index.oid = database.new_oid();
    index.schema = table.schema;
    index.name = name;
    index.table = table.oid;
    index.unique = unique;
    index.primary = primary;
    index.storage = primary ? table.storage : database.new_storage_id();
    if (!primary) database.made_storage(transaction, index.storage);
    for (const int16_t attnum : columns) {
      catalog::IndexKey key;
      key.attnum = attnum;
      index.keys.push_back(key);
    }
    table.indexes.push_back(index.oid);
    changes.push_back({index.oid, std::make_shared<const catalog::Object>(index)});
    return index.oid;
  };
  if (spec.primary_key) {
    catalog::Constraint key;
    key.oid = database.new_oid();
    key.name = spec.name + "_pkey";
    key.kind = catalog::Constraint::Kind::kPrimaryKey;
    key.columns = {1};
    key.index = add_index(key.name, {1}, true, true);
    table.columns[0].not_null = true;
    table.constraints.push_back(key);
  }
  for (const auto& index : spec.indexes) add_index(index.name, index.columns, index.unique, false);
  const Oid oid = table.oid;
  changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(table))});
  RETURN_IF_ERROR(database.change_catalog(transaction, std::move(changes)));
  return oid;
}

/// A database with one table, and short words for what tests do with it.
class Fixture {
 public:
  explicit Fixture(const DatabaseOptions& options = {}, const TableSpec& spec = {}) : options_(options) {
    open();
    auto t = begin();
    auto oid = make_table(*database, *t, spec);
    CHECK(oid.ok());
    CHECK(database->commit(*t).ok());
    find(spec.name);
  }
  /// Of a directory that a Fixture has made before.
  static Fixture existing(const DatabaseOptions& options, const std::string& name = "t") {
    return Fixture(options, name);
  }

  void open() {
    auto opened = Database::open(options_);
    if (!opened.ok()) std::fprintf(stderr, "%s\n", opened.status().message().c_str());
    CHECK(opened.ok());
    database = std::move(*opened);
  }
  void find(const std::string& name) {
    auto t = begin();
    const auto catalog = database->catalog(*t);
    const auto* table = catalog->find<catalog::Table>(catalog->find_relation(catalog::oid::kPublicSchema, name));
    CHECK(table != nullptr);
    access = std::make_shared<TableAccess>(*catalog, *table);
    database->rollback(*t);
  }
  void reopen() {
    const std::string name = access->table().name;
    access.reset();
    database.reset();
    open();
    find(name);
  }

  std::unique_ptr<txn::Transaction> begin(txn::Isolation isolation = txn::Isolation::kReadCommitted) {
    auto t = database->begin(isolation, false);
    database->begin_statement(*t);
    return t;
  }
  /// (id, v, s); an absent v is null.
  std::string row(int64_t id, std::optional<int64_t> v = 0, std::string_view s = "") const {
    codec::RowBuilder builder(access->layout());
    builder.set(0, types::ValueView::of_integer(id));
    if (v.has_value()) builder.set(1, types::ValueView::of_integer(*v));
    if (access->layout().column_count() > 2) builder.set(2, types::ValueView::of_bytes(s));
    return std::string(builder.finish());
  }
  std::string key(int64_t id) const {
    std::string out;
    CHECK(codec::append_key(access->key_columns()[0], types::ValueView::of_integer(id), &out).ok());
    return out;
  }
  int64_t id_of(std::string_view row) const { return codec::RowView(access->layout(), row).get(0).integer; }
  int64_t value_of(std::string_view row) const { return codec::RowView(access->layout(), row).get(1).integer; }

  Status insert(txn::Transaction& t, int64_t id, std::optional<int64_t> v = 0, std::string_view s = "") {
    auto outcome = database->insert(t, *access, row(id, v, s), nullptr, false);
    return outcome.ok() ? Status() : outcome.status();
  }
  /// Locks, re-reads and writes, as an UPDATE does. Errors: those of the database; 02000 when the row is gone.
  Status update(txn::Transaction& t, int64_t id, std::optional<int64_t> v, std::string_view s = "") {
    auto locked = database->lock_row(t, *access, key(id), RowLockMode::kNoKeyUpdate, LockWait::kWait);
    if (!locked.ok()) return locked.status();
    if (locked->state == LockedRow::State::kGone) return Status(SqlState::kNoData, "gone");
    return database->update(t, *access, key(id), locked->row, row(id, v, s));
  }
  Status erase(txn::Transaction& t, int64_t id) {
    auto locked = database->lock_row(t, *access, key(id), RowLockMode::kUpdate, LockWait::kWait);
    if (!locked.ok()) return locked.status();
    if (locked->state == LockedRow::State::kGone) return Status(SqlState::kNoData, "gone");
    return database->erase(t, *access, key(id), locked->row);
  }
  /// Adds an index in `t` and fills it; `access` becomes the table's with the index.
  Status add_index(txn::Transaction& t, const TableSpec::Index& spec) {
    catalog::Table table = access->table();
    catalog::Index index;
    index.oid = database->new_oid();
    index.schema = table.schema;
    index.name = spec.name;
    index.table = table.oid;
    index.unique = spec.unique;
    index.storage = database->new_storage_id();
    database->made_storage(t, index.storage);
    for (const int16_t attnum : spec.columns) {
      catalog::IndexKey key;
      key.attnum = attnum;
      index.keys.push_back(key);
    }
    table.indexes.push_back(index.oid);
    RETURN_IF_ERROR(database->change_catalog(t, {{index.oid, std::make_shared<const catalog::Object>(index)},
                                                 {table.oid, std::make_shared<const catalog::Object>(table)}}));
    access = std::make_shared<TableAccess>(*database->catalog(t), table);
    return database->build_index(t, *access, access->secondary().size() - 1);
  }
  /// The row's v as the current statement sees it; nullopt: no row.
  std::optional<int64_t> get(txn::Transaction& t, int64_t id) {
    std::string found;
    auto r = database->get(t, *access, key(id), &found);
    CHECK(r.ok());
    if (!*r) return std::nullopt;
    return value_of(found);
  }
  /// The same through a RowReader: by the number, or by the bytes of its key.
  std::optional<int64_t> read(txn::Transaction& t, int64_t id, bool by_bytes = false) {
    txn::RowRef found;
    RowReader reader(*database, t, *access);
    auto r = by_bytes || !reader.takes_integers() ? reader.read(key(id), &found) : reader.read(id, &found);
    CHECK(r.ok());
    if (!*r) return std::nullopt;
    return value_of(found.bytes());
  }
  std::vector<std::pair<int64_t, int64_t>> all(txn::Transaction& t, bool reverse = false, const KeyRange& range = {}) {
    return drain(*database->scan(t, *access, range, reverse));
  }
  std::vector<std::pair<int64_t, int64_t>> drain(RowCursor& cursor) {
    std::vector<std::pair<int64_t, int64_t>> out;
    while (cursor.next()) out.emplace_back(id_of(cursor.row()), value_of(cursor.row()));
    if (!cursor.status().ok()) std::fprintf(stderr, "%s\n", cursor.status().message().c_str());
    CHECK(cursor.status().ok());
    return out;
  }
  void next_statement(txn::Transaction& t) { database->begin_statement(t); }

  std::unique_ptr<Database> database;
  std::shared_ptr<TableAccess> access;

 private:
  Fixture(const DatabaseOptions& options, const std::string& name) : options_(options) {
    open();
    find(name);
  }
  DatabaseOptions options_;
};

}  // namespace omendb::table::testing
