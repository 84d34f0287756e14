#include "table/ordered_rows.h"

#include "table/database_impl.h"
#include "txn/ordered_reader.h"

namespace omendb::table {
namespace {

class Rows final : public OrderedRows {
 public:
  Rows(store::Store& store, const txn::Loads& loads, const txn::VersionReader& reader, const TableTransaction& t,
       StorageId storage, txn::KeyDirectory* directory)
      : snapshot_(t.snapshot_ref()), reader_(store, loads, reader, t.view(), storage, directory) {}
  Result<bool> get(std::string_view key, std::string* row) override { return reader_.get(key, row); }

 private:
  const txn::SnapshotRef snapshot_;
  txn::OrderedReader reader_;
};

}  // namespace

std::unique_ptr<OrderedRows> ordered_rows(Database& database, txn::Transaction& transaction, const TableAccess& table) {
  auto& impl = static_cast<DatabaseImpl&>(database);
  return std::make_unique<Rows>(*impl.store_, impl.manager_.loads(), impl.manager_.reader(), own(transaction),
                                table.table().storage, impl.directory(table));
}

}  // namespace omendb::table
