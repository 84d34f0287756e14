// Secondary indexes: entries, scans through them, checking them. Building: index_build.cc.
#include <algorithm>
#include <array>
#include <span>

#include "base/check.h"
#include "table/database_impl.h"
#include "table/read_trail.h"
#include "txn/cursor.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

uint32_t prefix_length_of(std::string_view payload) {
  uint32_t length = 0;
  if (payload.size() == sizeof(length)) std::memcpy(&length, payload.data(), sizeof(length));
  return length;
}

Status index_damaged(const std::string& index, const std::string& what) {
  return Status(SqlState::kIndexCorrupted, "index \"" + index + "\" is damaged: " + what);
}

/// Whether an index entry's indexed columns lie in the range.
bool in_range(std::string_view entry, const KeyRange& range) {
  return entry >= range.lower && (range.upper.empty() || entry < range.upper);
}

}  // namespace

/// Rows in the order of an index.
class IndexRows final : public RowCursor {
 public:
  IndexRows(DatabaseImpl& database, const TableTransaction& t, const TableAccess& table, size_t index,
            const KeyRange& range, bool reverse)
      : reader_(database.manager_.reader()),
        directory_(database.directory(table)),
        snapshot_(t.snapshot_ref()),
        view_(t.view()),
        table_(table),
        index_(table.secondary()[index]),
        entries_(*database.store_, database.manager_.loads(), view_, index_.index.storage, range.lower, range.upper,
                 reverse) {
    if (DatabaseImpl::marks(t, table)) trail_.emplace(database.manager_, t, index_.index.storage, range, reverse);
  }

  bool next() override {
    if (!status_.ok() || (at_ == ahead_ && !read_ahead())) return false;
    key_ = keys_[at_++];
    auto found = reader_.get(view_, table_.table().storage, key_, &row_, directory_);
    if (found.ok() && *found) {
      if (trail_.has_value()) status_ = trail_->met_row();
      return status_.ok();
    }
    status_ = found.ok() ? index_damaged(index_.index.name, "an entry has no row") : found.status();
    return false;
  }
  std::string_view key() const override { return key_; }
  std::string_view row() const override { return row_; }
  Status status() const override { return status_.ok() ? entries_.status() : status_; }

 private:
  static constexpr size_t kAhead = 16;

  /// Reads the next entries, one at first and then twice as many each time, so that their rows' cache misses overlap.
  bool read_ahead() {
    std::array<std::string_view, kAhead> views;
    at_ = ahead_ = 0;
    while (ahead_ < wanted_ && entries_.next()) {
      const uint32_t length = prefix_length_of(entries_.row());
      const std::string_view entry = entries_.key();
      if (length > entry.size()) {
        status_ = index_damaged(index_.index.name, "an entry has no length");
        return false;
      }
      views[ahead_] = keys_[ahead_].assign(entry.substr(length));
      ++ahead_;
      if (trail_.has_value() && ahead_ == wanted_) status_ = trail_->passed(entry);
    }
    if (trail_.has_value() && ahead_ < wanted_ && entries_.status().ok()) status_ = trail_->ended();
    if (!status_.ok()) return false;
    wanted_ = std::min(wanted_ * 2, kAhead);
    if (directory_ != nullptr && ahead_ > 1) directory_->prefetch_keys(std::span(views).first(ahead_));
    return ahead_ > 0;
  }

  const txn::VersionReader& reader_;
  txn::KeyDirectory* directory_;
  const txn::SnapshotRef snapshot_;
  const txn::View view_;
  const TableAccess& table_;
  const TableAccess::IndexAccess& index_;
  txn::VersionCursor entries_;
  std::optional<ReadTrail> trail_;        // in a serializable transaction: the entries stand for their rows
  std::array<std::string, kAhead> keys_;  // of the entries that were read ahead
  size_t at_ = 0, ahead_ = 0, wanted_ = 1;
  std::string_view key_;
  std::string row_;
  Status status_;
};

/// The same for a snapshot older than the index, whose entries say nothing about the rows it sees: they are sorted here.
class SortedIndexRows final : public RowCursor {
 public:
  SortedIndexRows(DatabaseImpl& database, TableTransaction& t, const TableAccess& table, size_t index,
                  const KeyRange& range, bool reverse) {
    auto rows = database.scan(t, table, {}, false);
    while (rows->next()) {
      DatabaseImpl::Entry entry;
      status_ = database.make_entry(table, table.secondary()[index], rows->key(), rows->row(), &entry);
      if (!status_.ok()) return;
      if (!entry.included || !in_range(entry.bytes, range)) continue;
      rows_.push_back({std::move(entry.bytes), std::string(rows->key()), std::string(rows->row())});
    }
    status_ = rows->status();
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.entry < b.entry; });
    if (reverse) std::reverse(rows_.begin(), rows_.end());
  }
  bool next() override { return status_.ok() && at_++ < rows_.size(); }
  std::string_view key() const override { return rows_[at_ - 1].key; }
  std::string_view row() const override { return rows_[at_ - 1].row; }
  Status status() const override { return status_; }

 private:
  struct Row {
    std::string entry, key, row;
  };
  std::vector<Row> rows_;
  size_t at_ = 0;
  Status status_;
};

std::unique_ptr<RowCursor> DatabaseImpl::scan_index(txn::Transaction& transaction, const TableAccess& table,
                                                    size_t index, const KeyRange& range, bool reverse) {
  scans_.add();
  TableTransaction& t = own(transaction);
  const StorageId storage = table.secondary()[index].index.storage;
  if (state(storage).created_ts.load() > t.snapshot().value && !t.made(storage)) {
    return std::make_unique<SortedIndexRows>(*this, t, table, index, range, reverse);
  }
  return std::make_unique<IndexRows>(*this, t, table, index, range, reverse);
}

Status DatabaseImpl::evaluate(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view row,
                              std::vector<types::Value>* expressions, bool* included) {
  IndexEvaluator* evaluator = evaluator_.load(std::memory_order_acquire);
  if (evaluator == nullptr) {
    return Status(SqlState::kFeatureNotSupported, "indexes on expressions and partial indexes are not supported");
  }
  return evaluator->evaluate(table, index, row, expressions, included);
}

Status DatabaseImpl::make_entry(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view key,
                                std::string_view row, Entry* entry) {
  entry->bytes.clear();
  entry->included = true;
  entry->has_null = false;
  std::vector<types::Value> expressions;
  if (index.needs_evaluator) {
    RETURN_IF_ERROR(evaluate(table, index, row, &expressions, &entry->included));
    if (!entry->included) return {};
  }
  const codec::RowView view(table.layout(), row);
  size_t expression = 0;
  for (size_t i = 0; i < index.columns.size(); ++i) {
    types::ValueView value;
    types::Value missing;
    if (const size_t position = index.positions[i]; position == SIZE_MAX) {
      CHECK(expression < expressions.size());
      value = expressions[expression++].view();
    } else if (view.present(position)) {
      value = view.get(position);
    } else if (const auto& filler = table.table().columns[position].missing; filler.has_value()) {
      value = filler->view();  // the row is older than the column
    }
    entry->has_null |= value.null;
    RETURN_IF_ERROR(codec::append_key(index.columns[i], value, &entry->bytes));
  }
  entry->prefix_length = static_cast<uint32_t>(entry->bytes.size());
  entry->bytes.append(key);
  return {};
}

std::string DatabaseImpl::entry_payload(uint32_t prefix_length) {
  return std::string(reinterpret_cast<const char*>(&prefix_length), sizeof(prefix_length));
}

void DatabaseImpl::put_entry(TableTransaction& t, const TableAccess::IndexAccess& index, const Entry& entry) {
  t.writes.put(index.index.storage, entry.bytes, entry_payload(entry.prefix_length), t.command);
}

Status DatabaseImpl::verify_table(const catalog::Catalog& catalog, const catalog::Table& table, Timestamp snapshot) {
  const TableAccess access(catalog, table);
  const txn::View view{snapshot};
  std::vector<uint64_t> expected(access.secondary().size(), 0);
  txn::VersionCursor rows(*store_, manager_.loads(), view, table.storage, {}, {}, false);
  txn::KeyDirectory* keys = options_.learned_index ? directory(access) : nullptr;
  std::string payload;
  Entry entry;
  while (rows.next()) {
    if (keys != nullptr) {
      ASSIGN_OR_RETURN(const bool found, manager_.reader().get(view, table.storage, rows.key(), &payload, keys));
      if (!found || payload != rows.row()) {
        return Status(SqlState::kIndexCorrupted, "the learned index of table \"" + table.name + "\" misses a row");
      }
    }
    if (!codec::RowView::valid(access.layout(), rows.row())) {
      return Status(SqlState::kDataCorrupted, "table \"" + table.name + "\" has a damaged row");
    }
    for (size_t i = 0; i < access.secondary().size(); ++i) {
      const auto& index = access.secondary()[i];
      if (index.needs_evaluator && evaluator_.load() == nullptr) continue;
      RETURN_IF_ERROR(make_entry(access, index, rows.key(), rows.row(), &entry));
      if (!entry.included) continue;
      ++expected[i];
      ASSIGN_OR_RETURN(const bool found, manager_.reader().get(view, index.index.storage, entry.bytes, &payload));
      if (!found) return index_damaged(index.index.name, "a row has no entry");
      if (prefix_length_of(payload) != entry.prefix_length) {
        return index_damaged(index.index.name, "an entry has a wrong length");
      }
    }
  }
  RETURN_IF_ERROR(rows.status());
  if (keys != nullptr) {
    // What the index knows and the rows do not must be on its way in or out, or garbage of a load; never a row.
    std::string row;
    auto cursor = keys->index().cursor();
    for (bool more = cursor.seek_first(); more; more = cursor.next()) {
      ASSIGN_OR_RETURN(const bool found, manager_.reader().get(view, table.storage, cursor.key(), &row, keys));
      ASSIGN_OR_RETURN(const bool stored, manager_.reader().get(view, table.storage, cursor.key(), &row));
      // Uniqueness checks ask for the newest version, and believe the index without a look at the row.
      ASSIGN_OR_RETURN(const txn::Newest told,
                       manager_.reader().newest(table.storage, cursor.key(), nullptr, nullptr, keys));
      ASSIGN_OR_RETURN(const txn::Newest true_one,
                       manager_.reader().newest(table.storage, cursor.key(), nullptr, nullptr));
      if (found != stored ||
          (told.commit_ts <= snapshot && true_one.commit_ts <= snapshot && told.exists != true_one.exists)) {
        return Status(SqlState::kIndexCorrupted, "the learned index of table \"" + table.name + "\" has a wrong key");
      }
    }
  }
  for (size_t i = 0; i < access.secondary().size(); ++i) {
    const auto& index = access.secondary()[i];
    if (index.needs_evaluator && evaluator_.load() == nullptr) continue;
    uint64_t count = 0;
    txn::VersionCursor entries(*store_, manager_.loads(), view, index.index.storage, {}, {}, false);
    while (entries.next()) ++count;
    RETURN_IF_ERROR(entries.status());
    if (count != expected[i]) {
      return index_damaged(index.index.name,
                           std::to_string(count) + " entries for " + std::to_string(expected[i]) + " rows");
    }
  }
  return {};
}

Status DatabaseImpl::verify() {
  const txn::SnapshotRef snapshot = manager_.timeline().snapshot();
  const auto catalog = committed_catalog();
  Status status;
  catalog->for_each([&](const catalog::Object& object) {
    const auto* table = std::get_if<catalog::Table>(&object);
    if (table != nullptr && status.ok()) status = verify_table(*catalog, *table, snapshot.timestamp());
  });
  return status;
}

}  // namespace omendb::table
