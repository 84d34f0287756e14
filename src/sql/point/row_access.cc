#include "sql/point/row_access.h"

#include <algorithm>

#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "table/row_read.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;

// What the first rows of an ordered path may read for rows that filters drop.
constexpr size_t kFilteredRowsMax = 4 * kSmallRows;
// A table of so few rows is read whole where no key leads to them.
constexpr uint64_t kTinyTable = 64;

class Rows final : public RowNode {
 public:
  Rows(TableAccessPath path, Bindings bindings)
      : RowNode(std::move(bindings), path.types()), fetcher_(std::move(path), kSmallRows) {}
  bool run(RunContext& context) override {
    fetcher_.start(nullptr);
    if (!fetcher_.fetch(context, 0)) return false;
    fetcher_.decode(output_.start(types_, fetcher_.size()));
    return true;
  }
  std::string describe() const override { return fetcher_.path().describe(); }

 private:
  RowFetcher fetcher_;
};

class Collection final : public RowNode {
 public:
  Collection(int64_t number, std::vector<size_t> columns, Bindings bindings, duckdb::vector<duckdb::LogicalType> types)
      : RowNode(std::move(bindings), std::move(types)), number_(number), columns_(std::move(columns)) {}
  bool run(RunContext& context) override {
    const auto& chunks = context.session.row_collection(number_).chunks;
    DataChunk& output = output_.start_references(types_);
    if (chunks.empty()) return true;
    if (chunks.size() > 1 || chunks[0]->size() > kSmallRows) return false;
    for (size_t i = 0; i < columns_.size(); ++i) output.data[i].Reference(chunks[0]->data[columns_[i]]);
    output.SetCardinality(chunks[0]->size());
    return true;
  }
  std::string describe() const override { return "Rows"; }

 private:
  int64_t number_;
  std::vector<size_t> columns_;
};

class FirstRows final : public RowNode {
 public:
  FirstRows(duckdb::ClientContext& context, TableAccessPath path, Bindings bindings, Expressions residual,
            duckdb::unique_ptr<duckdb::Expression> limit, duckdb::unique_ptr<duckdb::Expression> offset)
      : RowNode(std::move(bindings), path.types()),
        path_(std::move(path)),
        limit_(context, std::move(limit), UINT64_MAX),
        offset_(context, std::move(offset), 0) {
    if (residual.empty()) return;
    residual_ = conjunction(std::move(residual));
    executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *residual_);
  }

  bool run(RunContext& context) override {
    const uint64_t limit = limit_.value(), offset = offset_.value();
    if (limit > kSmallRows || offset > kSmallRows || limit + offset > kSmallRows) return false;
    const size_t wanted = limit + offset;
    DataChunk& output = output_.start(types_, wanted);
    table::KeyRange range;
    path_.key.for_each([](KeyPart& part) { part.compute(nullptr); });
    if (wanted == 0 || !path_.key.make_range(context.parameters, 0, &range)) return true;

    auto& database = context.session.database();
    auto& transaction = context.session.transaction();
    const auto& access = *path_.schema->access;
    auto cursor = path_.index == SIZE_MAX ? database.scan(transaction, access, range, path_.reverse)
                                          : database.scan_index(transaction, access, path_.index, range, path_.reverse);
    size_t read = 0;
    bool more = true;
    while (more && output.size() < wanted) {
      if (read > kFilteredRowsMax) return false;
      // Twice as many each time: a filter that drops most rows is met with few steps, one that drops none reads nothing in vain.
      const size_t step = std::min(std::max(read, wanted - output.size()), kSmallRows);
      batch_.clear();
      while (batch_.size() < step && (more = cursor->next())) batch_.add(cursor->key(), cursor->row());
      read += batch_.size();
      if (batch_.size() == 0) break;
      DataChunk& rows = batch_chunk_.start(types_, batch_.size());
      for (size_t i = 0; i < path_.columns.size(); ++i) {
        decode_column(*path_.schema, path_.columns[i], batch_, nullptr, batch_.size(), rows.data[i]);
      }
      rows.SetCardinality(batch_.size());
      take(rows, wanted, output);
    }
    throw_if_error(cursor->status());
    return true;
  }
  std::string describe() const override { return "First Rows: " + path_.describe(); }

 private:
  void take(DataChunk& rows, size_t wanted, DataChunk& output) {
    duckdb::SelectionVector selection(rows.size());
    size_t count = rows.size();
    if (executor_ != nullptr) {
      count = executor_->SelectExpression(rows, selection);
    } else {
      for (size_t i = 0; i < count; ++i) selection.set_index(i, i);
    }
    count = std::min(count, wanted - output.size());
    if (count > 0) output.Append(rows, false, &selection, count);
  }

  TableAccessPath path_;
  Count limit_, offset_;
  duckdb::unique_ptr<duckdb::Expression> residual_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
  RowBatch batch_;
  SmallChunk batch_chunk_;
};

}  // namespace

duckdb::vector<duckdb::LogicalType> TableAccessPath::types() const {
  duckdb::vector<duckdb::LogicalType> types;
  for (size_t column : columns) types.push_back(schema->types[column]);
  return types;
}

int TableAccessPath::rank() const {
  if (everything) return 6;
  if (single) return key.alternatives.empty() ? 0 : 1;  // kComputedRank is the next
  if (key.alternatives.empty() && !key.equal.empty()) return 3;
  return key.equal.empty() ? 5 : 4;
}

std::string TableAccessPath::describe() const {
  const std::string& table = schema->table().name;
  if (everything) return "Full Scan on " + table;
  std::string index;
  if (this->index != SIZE_MAX) {
    index = schema->access->secondary()[this->index].index.name;
  } else {
    for (const auto& constraint : schema->table().constraints) {
      if (constraint.kind == catalog::Constraint::Kind::kPrimaryKey) index = constraint.name;
    }
  }
  if (index.empty()) return "Point Lookup on " + table;  // by the row's own key, in a table without a primary key
  return (single ? "Point Lookup on " : "Short Range on ") + table + " using " + index;
}

std::optional<TableAccessPath> find_path(SessionImpl& session, std::shared_ptr<const TableSchema> schema,
                                         std::vector<size_t> columns, const KeyPredicates& predicates) {
  const auto& access = *schema->access;
  TableAccessPath best;
  best.schema = schema;
  best.columns = std::move(columns);
  best.key = match_stored_key(*schema, predicates);
  if (!best.key.empty()) {
    best.single = true;
    return best;
  }
  bool found = false;
  auto consider = [&](KeyPath key, size_t width, bool unique, size_t index) {
    // A range open at one side is long, as a rule.
    if (key.equal.empty() && key.alternatives.empty() && !(key.lower && key.upper)) return;
    const bool complete = key.equal.size() + (key.alternatives.empty() ? 0 : 1) == width;
    TableAccessPath path;
    path.single = unique && complete;
    path.key = std::move(key);
    const auto better = [&] {
      if (path.rank() != best.rank()) return path.rank() < best.rank();
      return path.key.equal.size() > best.key.equal.size();
    };
    if (found && !better()) return;
    found = true;
    best.key = std::move(path.key);
    best.single = path.single;
    best.index = index;
  };
  if (!access.key_columns().empty()) {
    consider(match_key(*schema, access.key_columns(), access.key_positions(), predicates), access.key_columns().size(),
             true, SIZE_MAX);
  }
  for (size_t i = 0; i < access.secondary().size(); ++i) {
    const auto& index = access.secondary()[i];
    if (!index.index.predicate_sql.empty()) continue;  // a partial index lacks rows
    consider(match_key(*schema, index.columns, index.positions, predicates), index.columns.size(),
             index.index.unique && !index.deferrable, i);
  }
  if (!found) {
    if (session.database().estimate_rows(access) > kTinyTable) return std::nullopt;
    best.everything = true;
  }
  return best;
}

std::optional<TableAccessPath> find_ordered_path(std::shared_ptr<const TableSchema> schema, std::vector<size_t> columns,
                                                 const KeyPredicates& predicates,
                                                 const std::vector<OrderedColumn>& order) {
  const auto& access = *schema->access;
  std::optional<TableAccessPath> best;
  // `primary` stands behind the columns of an index: its entries end in the row's key.
  auto consider = [&](std::vector<codec::KeyColumn> key_columns, std::vector<size_t> positions, size_t index) {
    KeyPath key = match_key(*schema, key_columns, positions, predicates);
    if (!key.alternatives.empty()) return;
    if (best && key.equal.size() <= best->key.equal.size()) return;
    if (index != SIZE_MAX) {
      key_columns.insert(key_columns.end(), access.key_columns().begin(), access.key_columns().end());
      positions.insert(positions.end(), access.key_positions().begin(), access.key_positions().end());
    }
    std::optional<bool> reverse;
    size_t k = key.equal.size();
    for (const auto& wanted : order) {
      if (k == key_columns.size()) {
        if (access.key_columns().empty())
          return;  // behind an index stands a key of ours, which the order knows nothing of
        break;     // the whole key: no two rows tie
      }
      if (positions[k] != wanted.column) {
        // A column that equality settles does not order anything.
        const auto settled =
            std::find(positions.begin(), positions.begin() + static_cast<ptrdiff_t>(key.equal.size()), wanted.column);
        if (settled != positions.begin() + static_cast<ptrdiff_t>(key.equal.size())) continue;
        return;
      }
      if (!compares_as_key(key_columns[k].type)) return;
      const bool turned = wanted.descending != key_columns[k].descending;
      if (wanted.not_null && k == key.equal.size()) {
        key.not_null = key_columns[k];
      } else if (key_columns[k].nullable && (wanted.nulls_first != key_columns[k].nulls_first) != turned) {
        return;
      }
      if (reverse && *reverse != turned) return;
      reverse = turned;
      ++k;
    }
    TableAccessPath path;
    path.schema = schema;
    path.columns = columns;
    path.key = std::move(key);
    path.index = index;
    path.reverse = reverse.value_or(false);
    best = std::move(path);
  };
  if (!access.key_columns().empty()) consider(access.key_columns(), access.key_positions(), SIZE_MAX);
  for (size_t i = 0; i < access.secondary().size(); ++i) {
    const auto& index = access.secondary()[i];
    if (!index.index.predicate_sql.empty()) continue;
    consider(index.columns, index.positions, i);
  }
  return best;
}

void RowFetcher::start(DataChunk* outer) {
  batch_.clear();
  path_.key.for_each([&](KeyPart& part) { part.compute(outer); });
}

bool RowFetcher::fetch(RunContext& context, size_t row) {
  if (path_.everything) return fetch_range(context, {});
  const auto& key = path_.key;
  if (key.alternatives.empty()) {
    if (path_.single && path_.index == SIZE_MAX) {
      key_.clear();
      for (const auto& part : key.equal) {
        if (!part.append(context.parameters, row, &key_)) return true;
      }
      return fetch_key(context, key_);
    }
    table::KeyRange range;
    return !key.make_range(context.parameters, row, &range) || fetch_range(context, range);
  }
  std::string prefix;
  for (const auto& part : key.equal) {
    if (!part.append(context.parameters, row, &prefix)) return true;
  }
  keys_.clear();
  for (const auto& part : key.alternatives) {
    std::string longer = prefix;
    if (part.append(context.parameters, row, &longer)) keys_.push_back(std::move(longer));
  }
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  const bool whole_keys = path_.single && path_.index == SIZE_MAX;
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (whole_keys && i % kAhead == 0 && i + 1 < keys_.size()) {
      const std::vector<std::string_view> ahead(
          keys_.begin() + static_cast<ptrdiff_t>(i),
          keys_.begin() + static_cast<ptrdiff_t>(std::min(i + kAhead, keys_.size())));
      table::prefetch_rows(context.session.database(), *path_.schema->access, ahead);
    }
    const std::string& one = keys_[i];
    const bool fits = whole_keys ? fetch_key(context, one) : fetch_range(context, {one, codec::prefix_successor(one)});
    if (!fits) return false;
  }
  return true;
}

bool RowFetcher::fetch_key(RunContext& context, const std::string& key) {
  if (!value_or_throw(context.session.database().get(context.session.transaction(), *path_.schema->access, key, &row_)))
    return true;
  if (batch_.size() >= rows_max_) return false;
  batch_.add(key, row_);
  return true;
}

bool RowFetcher::fetch_range(RunContext& context, const table::KeyRange& range) {
  auto& database = context.session.database();
  auto& transaction = context.session.transaction();
  const auto& access = *path_.schema->access;
  auto cursor = path_.index == SIZE_MAX ? database.scan(transaction, access, range, false)
                                        : database.scan_index(transaction, access, path_.index, range, false);
  while (cursor->next()) {
    if (batch_.size() >= rows_max_) return false;
    batch_.add(cursor->key(), cursor->row());
  }
  throw_if_error(cursor->status());
  return true;
}

void RowFetcher::decode(DataChunk& output) const {
  for (size_t i = 0; i < path_.columns.size() && batch_.size() > 0; ++i) {
    decode_column(*path_.schema, path_.columns[i], batch_, nullptr, batch_.size(), output.data[i]);
  }
  output.SetCardinality(batch_.size());
}

NodePtr make_rows(TableAccessPath path, Bindings bindings) {
  return std::make_unique<Rows>(std::move(path), std::move(bindings));
}

NodePtr make_collection(int64_t number, std::vector<size_t> columns, Bindings bindings,
                        duckdb::vector<duckdb::LogicalType> types) {
  return std::make_unique<Collection>(number, std::move(columns), std::move(bindings), std::move(types));
}

NodePtr make_first_rows(duckdb::ClientContext& context, TableAccessPath path, Bindings bindings, Expressions residual,
                        duckdb::unique_ptr<duckdb::Expression> limit, duckdb::unique_ptr<duckdb::Expression> offset) {
  return std::make_unique<FirstRows>(context, std::move(path), std::move(bindings), std::move(residual),
                                     std::move(limit), std::move(offset));
}

}  // namespace omendb::sql
