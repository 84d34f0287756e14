#include "sql/point/row_join.h"

#include <unordered_map>

namespace omendb::sql {
namespace {

using duckdb::DataChunk;
using duckdb::LogicalType;
using duckdb::SelectionVector;

duckdb::vector<LogicalType> joined_types(const duckdb::vector<LogicalType>& left,
                                         const duckdb::vector<LogicalType>& right) {
  auto types = left;
  types.insert(types.end(), right.begin(), right.end());
  return types;
}

duckdb::vector<LogicalType> output_types(SmallJoin kind, const duckdb::vector<LogicalType>& left,
                                         const duckdb::vector<LogicalType>& right) {
  switch (kind) {
    case SmallJoin::kSemi:
    case SmallJoin::kAnti: return left;
    case SmallJoin::kMark: return joined_types(left, {LogicalType::BOOLEAN});
    default: return joined_types(left, right);
  }
}

/// Finds pairs of rows (in the order of the left ones), asks the residual predicates, and makes of them what the kind of join wants.
class Join : public RowNode {
 public:
  Join(duckdb::ClientContext& context, NodePtr left, duckdb::vector<LogicalType> right_types, JoinSpec spec)
      : RowNode(std::move(spec.bindings), output_types(spec.kind, left->types(), right_types)),
        kind_(spec.kind),
        left_width_(left->types().size()),
        right_types_(std::move(right_types)),
        pair_types_(joined_types(left->types(), right_types_)) {
    inputs_.push_back(std::move(left));
    if (spec.residual.empty()) return;
    residual_ = conjunction(std::move(spec.residual));
    residual_executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *residual_);
  }

  bool run(RunContext& context) final {
    if (!input().run(context)) return false;
    DataChunk& left = input().chunk();
    left_rows_.clear();
    right_rows_.clear();
    DataChunk* right = nullptr;
    if (!probe(context, left, &right)) return false;
    ask_residual(left, right);
    switch (kind_) {
      case SmallJoin::kInner: {
        DataChunk& output = output_.start_references(types_);
        combine(left, right, output);
        return true;
      }
      case SmallJoin::kLeft:
      case SmallJoin::kSingle: return outer(left, right);
      case SmallJoin::kSemi:
      case SmallJoin::kAnti:
      case SmallJoin::kMark: return existence(left);
    }
    return false;
  }

 protected:
  /// Fills left_rows_ and right_rows_ with what may pair; `right`: where the right rows are. A row of nulls must fit behind them.
  virtual bool probe(RunContext& context, DataChunk& left, DataChunk** right) = 0;
  /// kMark without a match: is the answer null?
  virtual bool unknown(size_t) const { return false; }

  bool pair(size_t left, size_t right) {
    if (left_rows_.size() >= kSmallRows) return false;
    left_rows_.push_back(static_cast<uint32_t>(left));
    right_rows_.push_back(static_cast<uint32_t>(right));
    return true;
  }
  bool is_outer() const { return kind_ == SmallJoin::kLeft || kind_ == SmallJoin::kSingle; }

  const SmallJoin kind_;
  const size_t left_width_;
  const duckdb::vector<LogicalType> right_types_, pair_types_;
  SmallChunk right_;

 private:
  void combine(DataChunk& left, DataChunk* right, DataChunk& output) {
    const size_t count = left_rows_.size();
    output.SetCardinality(count);
    if (count == 0) return;
    SelectionVector left_selection(count), right_selection(count);
    for (size_t i = 0; i < count; ++i) {
      left_selection.set_index(i, left_rows_[i]);
      right_selection.set_index(i, right_rows_[i]);
    }
    output.Slice(left, left_selection, count);
    output.Slice(*right, right_selection, count, left_width_);
    output.SetCardinality(count);
  }

  void ask_residual(DataChunk& left, DataChunk* right) {
    if (residual_executor_ == nullptr || left_rows_.empty()) return;
    DataChunk& pairs = pairs_.start_references(pair_types_);
    combine(left, right, pairs);
    SelectionVector selection(pairs.size());
    const size_t count = residual_executor_->SelectExpression(pairs, selection);
    for (size_t i = 0; i < count; ++i) {
      left_rows_[i] = left_rows_[selection.get_index(i)];
      right_rows_[i] = right_rows_[selection.get_index(i)];
    }
    left_rows_.resize(count);
    right_rows_.resize(count);
  }

  bool outer(DataChunk& left, DataChunk* right) {
    // Behind the right rows stands one of nulls.
    const uint32_t null_row = static_cast<uint32_t>(right->size());
    for (auto& vector : right->data) duckdb::FlatVector::SetNull(vector, null_row, true);
    std::vector<uint32_t> left_rows, right_rows;
    left_rows.swap(left_rows_);
    right_rows.swap(right_rows_);
    size_t next = 0;
    for (size_t row = 0; row < left.size(); ++row) {
      const size_t first = next;
      for (; next < left_rows.size() && left_rows[next] == row; ++next) {
        if (!pair(row, right_rows[next])) return false;
      }
      if (kind_ == SmallJoin::kSingle && next - first > 1) return false;
      if (next == first && !pair(row, null_row)) return false;
    }
    combine(left, right, output_.start_references(types_));
    return true;
  }

  bool existence(DataChunk& left) {
    std::vector<bool> matched(left.size());
    for (uint32_t row : left_rows_) matched[row] = true;
    DataChunk& output =
        kind_ == SmallJoin::kMark ? output_.start(types_, left.size()) : output_.start_references(types_);
    if (kind_ == SmallJoin::kMark) {
      for (size_t i = 0; i < left_width_; ++i) output.data[i].Reference(left.data[i]);
      auto& mark = output.data[left_width_];
      for (size_t row = 0; row < left.size(); ++row) {
        duckdb::FlatVector::GetData<bool>(mark)[row] = matched[row];
        if (!matched[row] && unknown(row)) duckdb::FlatVector::SetNull(mark, row, true);
      }
      output.SetCardinality(left.size());
      return true;
    }
    const bool wanted = kind_ == SmallJoin::kSemi;
    SelectionVector selection(left.size() + 1);
    size_t count = 0;
    for (size_t row = 0; row < left.size(); ++row) {
      if (matched[row] == wanted) selection.set_index(count++, row);
    }
    if (count > 0) output.Slice(left, selection, count);
    output.SetCardinality(count);
    return true;
  }

  duckdb::unique_ptr<duckdb::Expression> residual_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> residual_executor_;
  std::vector<uint32_t> left_rows_, right_rows_;
  SmallChunk pairs_;
};

class LookupJoin final : public Join {
 public:
  LookupJoin(duckdb::ClientContext& context, NodePtr left, TableAccessPath path, JoinSpec spec)
      : Join(context, std::move(left), path.types(), std::move(spec)), fetcher_(std::move(path), kSmallRows) {}
  std::string describe() const override { return "Nested Loop: " + fetcher_.path().describe(); }

 protected:
  bool probe(RunContext& context, DataChunk& left, DataChunk** right) override {
    if (left.size() == 0) {
      *right = &right_.start(right_types_, 1);
      return true;
    }
    fetcher_.start(&left);
    for (size_t row = 0; row < left.size(); ++row) {
      const size_t first = fetcher_.size();
      if (!fetcher_.fetch(context, row)) return false;
      for (size_t i = first; i < fetcher_.size(); ++i) {
        if (!pair(row, i)) return false;
      }
    }
    *right = &right_.start(right_types_, fetcher_.size() + 1);
    fetcher_.decode(**right);
    return true;
  }

 private:
  RowFetcher fetcher_;
};

class HashJoin final : public Join {
 public:
  HashJoin(duckdb::ClientContext& context, NodePtr left, NodePtr right, Expressions left_keys, Expressions right_keys,
           std::vector<bool> nulls_match, JoinSpec spec)
      : Join(context, std::move(left), right->types(), std::move(spec)),
        left_keys_(context, std::move(left_keys)),
        right_keys_(context, std::move(right_keys)),
        nulls_match_(std::move(nulls_match)) {
    inputs_.push_back(std::move(right));
  }
  std::string describe() const override { return left_keys_.size() == 0 ? "Nested Loop" : "Hash Join"; }

 protected:
  bool probe(RunContext& context, DataChunk& left, DataChunk** right) override {
    if (!input(1).run(context)) return false;
    DataChunk& rows = input(1).chunk();
    *right = &rows;
    if (is_outer()) {
      DataChunk& copy = right_.start(right_types_, rows.size() + 1);
      if (rows.size() > 0) copy.Append(rows);
      *right = &copy;
    }
    has_null_.assign(left.size(), false);
    right_has_null_ = false;
    right_empty_ = rows.size() == 0;
    if (left_keys_.size() == 0) {
      for (size_t i = 0; i < left.size(); ++i) {
        for (size_t j = 0; j < rows.size(); ++j) {
          if (!pair(i, j)) return false;
        }
      }
      return true;
    }
    DataChunk& left_keys = left_keys_.run(left);
    DataChunk& right_keys = right_keys_.run(rows);
    if (left.size() == 0 || rows.size() == 0) return true;
    std::vector<bool> left_null = never_equal(left_keys), right_null = never_equal(right_keys);
    const SortKeys left_sorted(left_keys), right_sorted(right_keys);
    std::unordered_multimap<std::string_view, size_t> table;
    for (size_t j = rows.size(); j-- > 0;) {
      if (right_null[j]) {
        right_has_null_ = true;
      } else {
        table.emplace(right_sorted.at(j), j);
      }
    }
    for (size_t i = 0; i < left.size(); ++i) {
      if (left_null[i]) continue;
      const auto [first, last] = table.equal_range(left_sorted.at(i));
      for (auto it = first; it != last; ++it) {
        if (!pair(i, it->second)) return false;
      }
    }
    has_null_ = std::move(left_null);
    return true;
  }
  bool unknown(size_t row) const override { return !right_empty_ && (has_null_[row] || right_has_null_); }

 private:
  std::vector<bool> never_equal(DataChunk& keys) const {
    std::vector<bool> result(keys.size(), false);
    for (size_t k = 0; k < keys.ColumnCount(); ++k) {
      if (nulls_match_[k]) continue;
      duckdb::UnifiedVectorFormat format;
      keys.data[k].ToUnifiedFormat(keys.size(), format);
      for (size_t i = 0; i < keys.size(); ++i) {
        if (!format.validity.RowIsValid(format.sel->get_index(i))) result[i] = true;
      }
    }
    return result;
  }

  Computed left_keys_, right_keys_;
  const std::vector<bool> nulls_match_;
  std::vector<bool> has_null_;
  bool right_has_null_ = false, right_empty_ = true;
};

class Delim final : public RowNode {
 public:
  Delim(NodePtr left, std::shared_ptr<DelimSource> source)
      : RowNode(left->bindings(), left->types()), source_(std::move(source)) {
    inputs_.push_back(std::move(left));
  }
  bool run(RunContext& context) override {
    if (!input().run(context)) return false;
    current_ = &input().chunk();
    source_->load(*current_);
    return true;
  }
  std::string describe() const override { return "Correlation"; }

 private:
  std::shared_ptr<DelimSource> source_;
};

class DelimGet final : public RowNode {
 public:
  DelimGet(std::shared_ptr<DelimSource> source, Bindings bindings)
      : RowNode(std::move(bindings), source->types()), source_(std::move(source)) {}
  bool run(RunContext&) override {
    current_ = &source_->chunk();
    return true;
  }
  std::string describe() const override { return "Correlated Rows"; }

 private:
  std::shared_ptr<DelimSource> source_;
};

}  // namespace

void DelimSource::load(DataChunk& rows) {
  DataChunk& keys = keys_.run(rows);
  chunk_.Destroy();
  chunk_.InitializeEmpty(types());
  if (rows.size() == 0) return;
  const SortKeys sort_keys(keys);
  std::unordered_map<std::string_view, bool> seen;
  SelectionVector selection(rows.size());
  size_t count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (seen.emplace(sort_keys.at(i), true).second) selection.set_index(count++, i);
  }
  chunk_.Slice(keys, selection, count);
  chunk_.SetCardinality(count);
}

NodePtr make_lookup_join(duckdb::ClientContext& context, NodePtr left, TableAccessPath path, JoinSpec spec) {
  return std::make_unique<LookupJoin>(context, std::move(left), std::move(path), std::move(spec));
}
NodePtr make_hash_join(duckdb::ClientContext& context, NodePtr left, NodePtr right, Expressions left_keys,
                       Expressions right_keys, std::vector<bool> nulls_match, JoinSpec spec) {
  return std::make_unique<HashJoin>(context, std::move(left), std::move(right), std::move(left_keys),
                                    std::move(right_keys), std::move(nulls_match), std::move(spec));
}
NodePtr make_delim(NodePtr left, std::shared_ptr<DelimSource> source) {
  return std::make_unique<Delim>(std::move(left), std::move(source));
}
NodePtr make_delim_get(std::shared_ptr<DelimSource> source, Bindings bindings) {
  return std::make_unique<DelimGet>(std::move(source), std::move(bindings));
}

}  // namespace omendb::sql
