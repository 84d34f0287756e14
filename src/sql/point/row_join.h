// The joins of small plans, and what correlated subqueries start from.
#pragma once

#include <memory>
#include <vector>

#include "sql/point/row_access.h"

namespace omendb::sql {

/// kInner, kLeft, kSingle (as kLeft; two matches are too many), kSemi, kAnti, kMark (a boolean column behind the left ones).
enum class SmallJoin : uint8_t { kInner, kLeft, kSingle, kSemi, kAnti, kMark };

struct JoinSpec {
  SmallJoin kind = SmallJoin::kInner;
  Expressions residual;  // over the left columns followed by the right ones
  Bindings bindings;     // of the output
};

/// The inner table's rows are fetched for each row of `left`. Not for kMark.
NodePtr make_lookup_join(duckdb::ClientContext& context, NodePtr left, TableAccessPath path, JoinSpec spec);
/// Rows pair when their keys are equal; where `nulls_match[i]`, a null equals a null. Without keys all rows pair.
NodePtr make_hash_join(duckdb::ClientContext& context, NodePtr left, NodePtr right, Expressions left_keys,
                       Expressions right_keys, std::vector<bool> nulls_match, JoinSpec spec);

/// What a correlated subquery starts from: the distinct rows of `keys` over the rows of a node that runs before.
class DelimSource {
 public:
  DelimSource(duckdb::ClientContext& context, Expressions keys) : keys_(context, std::move(keys)) {}
  void load(duckdb::DataChunk& rows);
  duckdb::DataChunk& chunk() { return chunk_; }
  const duckdb::vector<duckdb::LogicalType>& types() const { return keys_.types(); }

 private:
  Computed keys_;
  duckdb::DataChunk chunk_;
};
/// Runs `left`, loads `source` with it and hands its rows on.
NodePtr make_delim(NodePtr left, std::shared_ptr<DelimSource> source);
NodePtr make_delim_get(std::shared_ptr<DelimSource> source, Bindings bindings);

}  // namespace omendb::sql
