// What DDL asks of the session (frontend/ddl.h): rows of a select into a table that is being made, existence, constants.
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/emptytableref.hpp"

#include "sql/duck_types.h"
#include "sql/engine/executor.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {

uint64_t SessionImpl::copy_rows(AnalyzedQuery query, std::shared_ptr<const catalog::Catalog> catalog,
                                const catalog::Table& target) {
  const auto schema = make_schema(*catalog, target);
  statement_catalog_ = current_catalog();
  refuse_unpopulated(*this, query);
  ChunkBuffer rows(*this);
  const Parameters none;
  execute_query(*this, query, ddl_parameters_ != nullptr ? *ddl_parameters_ : none, [&](duckdb::DataChunk& chunk) {
    rows.append(chunk);
    return true;
  });
  codec::RowBuilder builder(schema->access->layout());
  std::vector<size_t> positions;
  for (size_t i = 0; i < target.columns.size(); ++i) {
    if (!target.columns[i].dropped) positions.push_back(i);
  }
  uint64_t count = 0;
  while (duckdb::DataChunk* chunk = rows.next()) {
    check_cancelled();
    chunk->Flatten();
    for (size_t row = 0; row < chunk->size(); ++row) {
      builder.reset();
      for (size_t c = 0; c < positions.size() && c < query.outputs.size(); ++c) {
        builder.set(positions[c], load_value(chunk->data[c], row, target.columns[positions[c]].physical));
      }
      auto outcome = database().insert(*transaction_, *schema->access, builder.finish(), nullptr, false);
      if (!outcome.ok()) throw SqlError(outcome.status());
      ++count;
    }
  }
  for (const auto& check : database().take_unique_checks(*transaction_))
    throw_if_error(database().check_unique(*transaction_, *schema->access, check));
  return count;
}

bool SessionImpl::has_rows(AnalyzedQuery query) { return first_text(std::move(query)).has_value(); }

std::optional<std::string> SessionImpl::first_text(AnalyzedQuery query) {
  statement_catalog_ = current_catalog();
  // Rows that this statement wrote count: a new command sees them.
  engine_.database().begin_statement(*transaction_);
  std::optional<std::string> found;
  run_select(*this, *query.select, Parameters(), [&](duckdb::DataChunk& chunk) {
    if (found || chunk.size() == 0) return !found;
    chunk.Flatten();
    found.emplace();
    if (query.outputs.at(0).type == types::oid::kText)
      *found = load_value(chunk.data[0], 0, query.outputs[0].physical).bytes;
    return false;
  });
  return found;
}

types::Value SessionImpl::evaluate(TypedExpr expression) {
  statement_catalog_ = current_catalog();
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  node->select_list.push_back(duckdb::unique_ptr<duckdb::ParsedExpression>(expression.duck.release()));
  node->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
  duckdb::SelectStatement select;
  select.node = std::move(node);
  types::Value value;
  run_select(*this, select, Parameters(), [&](duckdb::DataChunk& chunk) {
    chunk.Flatten();
    value = types::Value(load_value(chunk.data[0], 0, expression.physical));
    return true;
  });
  return value;
}

}  // namespace omendb::sql
