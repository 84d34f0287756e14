// CREATE INDEX: entries of the table's rows gathered and sorted by several threads, written as one ascending load that
// needs no compaction. Few entries go through the write set.
#include <algorithm>
#include <cstring>
#include <thread>

#include "table/database_impl.h"
#include "table/entry_sort.h"
#include "txn/cursor.h"
#include "txn/load_writer.h"

namespace omendb::table {
namespace {

constexpr size_t kThreadsMax = 4;
// Below, an index is cheaper in the commit's batch than in files of its own.
constexpr uint64_t kLoadBytesMin = 1 << 20;
constexpr uint64_t kRowsBetweenLooks = 1024;  // at a cancellation

/// Runs work(0) to work(n - 1), each on a thread of its own; returns the first error by number.
template <class Work>
Status in_parallel(size_t n, const Work& work) {
  std::vector<Status> status(n);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < n; ++i) threads.emplace_back([&, i] { status[i] = work(i); });
  status[0] = work(0);
  for (auto& thread : threads) thread.join();
  for (Status& s : status) RETURN_IF_ERROR(std::move(s));
  return {};
}

/// Where to cut the entries into `parts` ranges of roughly equal size, never between entries of the same indexed columns.
std::vector<std::string> cuts_of(const std::vector<std::unique_ptr<EntrySorter>>& sorters, size_t parts) {
  std::vector<std::string> samples, cuts;
  for (const auto& sorter : sorters) sorter->sample(&samples);
  std::sort(samples.begin(), samples.end());
  for (size_t i = 1; i < parts && !samples.empty(); ++i) {
    std::string& cut = samples[samples.size() * i / parts];
    if (!cut.empty() && (cuts.empty() || cut > cuts.back())) cuts.push_back(std::move(cut));
  }
  return cuts;
}

}  // namespace

Status DatabaseImpl::gather_entries(const TableTransaction& t, const TableAccess& table,
                                    const TableAccess::IndexAccess& index, const KeyRange& range, EntrySorter& sorter) {
  // The table is locked against writers, so the newest versions are the rows, whatever this transaction's snapshot is.
  txn::VersionCursor rows(*store_, manager_.loads(), latest_view(t), table.table().storage, range.lower, range.upper,
                          false);
  Entry entry;
  uint64_t count = 0;
  while (rows.next()) {
    if (++count % kRowsBetweenLooks == 0 && t.cancelled()) return lock_failure(t, txn::LockOutcome::kCancelled, {});
    RETURN_IF_ERROR(make_entry(table, index, rows.key(), rows.row(), &entry));
    if (entry.included) RETURN_IF_ERROR(sorter.add(entry.bytes, entry.prefix_length, entry.has_null));
  }
  RETURN_IF_ERROR(rows.status());
  sorter.finish();
  return {};
}

Status DatabaseImpl::drain_entries(
    const TableTransaction& t, const TableAccess& table, const TableAccess::IndexAccess& index,
    const types::IoContext& io, EntryMerge& entries,
    const std::function<Status(std::string_view entry, std::string_view payload)>& take) {
  std::string last;
  bool has_last = false;
  uint64_t count = 0;
  while (entries.next()) {
    if (++count % kRowsBetweenLooks == 0 && t.cancelled()) return lock_failure(t, txn::LockOutcome::kCancelled, {});
    const std::string_view prefix = entries.entry().substr(0, entries.prefix_length());
    if (index.index.unique && (!entries.has_null() || index.index.nulls_not_distinct)) {
      if (has_last && prefix == last) {
        const std::string_view key = entries.entry().substr(entries.prefix_length());
        txn::VersionCursor row(*store_, manager_.loads(), latest_view(t), table.table().storage, key, {}, false);
        if (!row.next() || row.key() != key) {
          RETURN_IF_ERROR(row.status());
          return Status(SqlState::kDataCorrupted, "the row of an index entry is gone");
        }
        ErrorInfo info = index_duplicate(table, index, row.row(), io).info();
        info.message = "could not create unique index \"" + index.index.name + "\"";
        if (const size_t at = info.detail.rfind(" already exists."); at != std::string::npos) {
          info.detail.replace(at, std::string::npos, " is duplicated.");
        }
        return Status(std::move(info));
      }
      last.assign(prefix);
      has_last = true;
    }
    RETURN_IF_ERROR(take(entries.entry(), entry_payload(entries.prefix_length())));
  }
  return entries.status();
}

Status DatabaseImpl::build_index(txn::Transaction& transaction, const TableAccess& table, size_t index) {
  TableTransaction& t = own(transaction);
  const auto& access = table.secondary()[index];
  const StorageId storage = access.index.storage;
  const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax);

  const types::IoContext io = session_io();
  // An evaluator runs one thing at a time.
  const auto ranges = split(table, {}, access.needs_evaluator ? 1 : threads);
  std::vector<std::unique_ptr<EntrySorter>> sorters;
  for (size_t i = 0; i < ranges.size(); ++i) {
    sorters.push_back(std::make_unique<EntrySorter>(*store_, options_.write_set_bytes / ranges.size()));
  }
  RETURN_IF_ERROR(
      in_parallel(ranges.size(), [&](size_t i) { return gather_entries(t, table, access, ranges[i], *sorters[i]); }));

  uint64_t bytes = 0;
  for (const auto& sorter : sorters) {
    bytes += sorter->bytes();
    index_runs_.fetch_add(sorter->runs_put_aside(), std::memory_order_relaxed);
  }
  if (bytes < std::min<uint64_t>(kLoadBytesMin, options_.write_set_bytes / 2)) {
    EntryMerge entries(sorters, {}, {});
    return drain_entries(t, table, access, io, entries, [&](std::string_view entry, std::string_view payload) {
      t.writes.put(storage, entry, payload, t.command);
      return Status();
    });
  }
  index_loads_.fetch_add(1, std::memory_order_relaxed);
  return manager_.load(t, [&](uint64_t number) -> Result<txn::LoadWriter::Files> {
    const std::vector<std::string> cuts = cuts_of(sorters, threads);
    const size_t parts = cuts.size() + 1;
    std::vector<txn::LoadWriter::Files> written(parts);
    std::vector<std::string> greatest(parts);
    RETURN_IF_ERROR(in_parallel(parts, [&](size_t i) -> Status {
      EntryMerge entries(sorters, i == 0 ? std::string_view() : cuts[i - 1],
                         i + 1 == parts ? std::string_view() : cuts[i]);
      txn::LoadWriter writer(*store_, storage, number);
      std::string& last = greatest[i];
      RETURN_IF_ERROR(
          drain_entries(t, table, access, io, entries, [&](std::string_view entry, std::string_view payload) {
            last.assign(entry);
            return writer.add(entry, payload, false, t.command);
          }));
      ASSIGN_OR_RETURN(written[i], writer.finish());
      return {};
    }));
    for (const std::string& last : greatest) {
      if (!last.empty()) state(storage).raise_early(*store_, storage, last);
    }
    for (size_t i = 1; i < parts; ++i) {
      std::move(written[i].begin(), written[i].end(), std::back_inserter(written[0]));
    }
    return std::move(written[0]);
  });
}

}  // namespace omendb::table
