#include "sql/engine/table_statistics.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "codec/key.h"
#include "codec/row.h"

namespace omendb::sql {
namespace {

// Below this many rows every plan is fast enough, and DuckDB takes all values for distinct.
constexpr uint64_t kRowsMin = 10000;
// Runs of neighbours, spread over the key space.
constexpr size_t kRuns = 256;
constexpr size_t kRunRows = 16;
constexpr size_t kEntriesMax = 4096;

uint64_t hash_value(const types::ValueView& value, const types::PhysicalType& physical) {
  switch (physical.kind) {
    case types::Physical::kBytes: return std::hash<std::string_view>()(value.bytes);
    case types::Physical::kFloat32:
    case types::Physical::kFloat64: return std::hash<double>()(value.real);
    case types::Physical::kInt128:
    case types::Physical::kUuid:
      return std::hash<uint64_t>()(static_cast<uint64_t>(value.wide)) * 31 +
             std::hash<uint64_t>()(static_cast<uint64_t>(value.wide >> 64));
    case types::Physical::kInterval:
      return static_cast<uint64_t>(value.interval.micros) * 31 + static_cast<uint64_t>(value.interval.days) * 17 +
             static_cast<uint64_t>(value.interval.months);
    default: return std::hash<int64_t>()(value.integer);
  }
}

/// Distinct values of a table of `rows` rows of which `sampled` were seen: Duj1 (Haas and Stokes 1998), as PostgreSQL does.
uint64_t estimate_distinct(const std::unordered_map<uint64_t, uint32_t>& seen, uint64_t sampled, uint64_t rows) {
  if (sampled == 0) return 0;
  const auto d = static_cast<double>(seen.size()), n = static_cast<double>(sampled), all = static_cast<double>(rows);
  const auto once =
      static_cast<double>(std::count_if(seen.begin(), seen.end(), [](const auto& v) { return v.second == 1; }));
  const double estimate = n * d / (n - once + once * n / all);
  return static_cast<uint64_t>(std::clamp(estimate, d, all));
}

class Sampler {
 public:
  Sampler(table::Database& database, txn::Transaction& transaction, const table::TableAccess& access, uint64_t rows)
      : database_(database), transaction_(transaction), access_(access), counts_(access.layout().column_count()) {
    result_.rows = rows;
    result_.index_sample.resize(access.secondary().size());
  }

  std::optional<TableStatistics> run() {
    for (const auto& range : database_.split(access_, {}, kRuns)) {
      auto cursor = database_.scan(transaction_, access_, range, false);
      previous_.reset();
      for (size_t i = 0; i < kRunRows && cursor->next(); ++i) add(cursor->row());
      if (!cursor->status().ok()) return std::nullopt;
    }
    for (size_t i = 0; i < counts_.size(); ++i) {
      result_.distinct.push_back(estimate_distinct(counts_[i], sampled_, result_.rows));
    }
    // Neighbours in key order share the first key column's value, which the estimator would take for a common one.
    if (!access_.key_positions().empty() && steps_ > 0) {
      const double share =
          access_.key_positions().size() == 1 ? 1 : static_cast<double>(changes_) / static_cast<double>(steps_);
      result_.distinct[access_.key_positions()[0]] =
          std::max<uint64_t>(1, static_cast<uint64_t>(share * static_cast<double>(result_.rows)));
    }
    for (auto& sample : result_.index_sample) std::sort(sample.begin(), sample.end());
    return std::move(result_);
  }

 private:
  void add(std::string_view bytes) {
    const codec::RowView row(access_.layout(), bytes);
    ++sampled_;
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (row.is_null(i)) continue;
      const uint64_t hash = hash_value(row.get(i), access_.layout().column(i));
      ++counts_[i][hash];
      if (!access_.key_positions().empty() && access_.key_positions()[0] == i) {
        if (previous_) {
          ++steps_;
          changes_ += *previous_ != hash;
        }
        previous_ = hash;
      }
    }
    for (size_t i = 0; i < result_.index_sample.size(); ++i) {
      const auto& index = access_.secondary()[i];
      if (index.needs_evaluator || result_.index_sample[i].size() >= kEntriesMax) continue;
      std::string entry;
      bool usable = true;
      for (size_t c = 0; c < index.columns.size() && usable; ++c) {
        usable = codec::append_key(index.columns[c], row.get(index.positions[c]), &entry).ok();
      }
      if (usable) result_.index_sample[i].push_back(std::move(entry));
    }
  }

  table::Database& database_;
  txn::Transaction& transaction_;
  const table::TableAccess& access_;
  TableStatistics result_;
  std::vector<std::unordered_map<uint64_t, uint32_t>> counts_;
  std::optional<uint64_t> previous_;
  uint64_t sampled_ = 0, steps_ = 0, changes_ = 0;
};

}  // namespace

uint64_t TableStatistics::rows_in(size_t index, const std::vector<table::KeyRange>& ranges, uint64_t rows_now) const {
  if (index >= index_sample.size() || index_sample[index].empty()) return UINT64_MAX;
  const auto& sample = index_sample[index];
  size_t hits = 0;
  for (const auto& range : ranges) {
    const auto first = std::lower_bound(sample.begin(), sample.end(), range.lower);
    const auto last = range.upper.empty() ? sample.end() : std::lower_bound(first, sample.end(), range.upper);
    hits += static_cast<size_t>(last - first);
  }
  return static_cast<uint64_t>(static_cast<double>(hits) / static_cast<double>(sample.size()) *
                               static_cast<double>(rows_now));
}

std::shared_ptr<const TableStatistics> StatisticsCache::get(table::Database& database, txn::Transaction& transaction,
                                                            const table::TableAccess& access) {
  const uint64_t rows = database.estimate_rows(access);
  if (rows < kRowsMin || !transaction.has_snapshot()) return nullptr;
  const uint32_t storage = access.table().storage.value;
  const size_t columns = access.layout().column_count(), indexes = access.secondary().size();
  {
    MutexLock lock(mutex_);
    auto found = entries_.find(storage);
    if (found != entries_.end() && found->second.columns == columns && found->second.indexes == indexes) {
      const uint64_t then = found->second.statistics->rows;
      if (rows <= then + then / 5 && rows + rows / 5 >= then) return found->second.statistics;
    }
  }
  // What is looked at here, a serializable statement has not read.
  const auto beside =
      transaction.isolation() == txn::Isolation::kSerializable ? database.begin_beside(transaction) : nullptr;
  auto sampled = Sampler(database, beside != nullptr ? *beside : transaction, access, rows).run();
  if (!sampled) return nullptr;
  auto statistics = std::make_shared<const TableStatistics>(std::move(*sampled));
  MutexLock lock(mutex_);
  entries_[storage] = {statistics, columns, indexes};
  return statistics;
}

}  // namespace omendb::sql
