// INSERT, UPDATE, DELETE and MERGE applied: the second phase of executor.h.
#include <unordered_set>

#include "duckdb/common/vector_operations/vector_operations.hpp"

#include "sql/duck_types.h"
#include "sql/engine/constraints.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"
#include "sql/engine/row_decoder.h"
#include "sql/engine/row_writer.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;

/// The columns of one chunk, flat.
struct Columns {
  DataChunk* chunk = nullptr;
  size_t count = 0;

  Columns(DataChunk& c) : chunk(&c), count(c.size()) { c.Flatten(); }
  bool is_null(size_t column, size_t row) const { return duckdb::FlatVector::IsNull(chunk->data[column], row); }
  std::string_view bytes(size_t column, size_t row) const {
    const auto& text = duckdb::FlatVector::GetData<duckdb::string_t>(chunk->data[column])[row];
    return {text.GetData(), text.GetSize()};
  }
};

class Writer {
 public:
  Writer(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters)
      : session_(session),
        database_(session.database()),
        query_(query),
        parameters_(parameters),
        schema_(session.table_schema(query.target)),
        rows_(session, schema_),
        constraints_(rows_.constraints()) {
    for (const auto& output : query.outputs) returned_types_.push_back(duck_type(output.type, output.physical));
  }

  uint64_t run(const ChunkConsumer& consumer) {
    ChunkBuffer input(session_);
    run_select(session_, *query_.select, parameters_, [&](duckdb::DataChunk& chunk) {
      input.append(chunk);
      return true;
    });
    while (DataChunk* chunk = input.next()) {
      session_.check_cancelled();
      apply_chunk(*chunk);
    }
    constraints_.finish_statement();
    if (query_.has_returning) {
      for (auto& chunk : returned_) consumer(*chunk);
    }
    return affected_;
  }

 private:
  void apply_chunk(DataChunk& chunk) {
    Columns columns(chunk);
    chunk_ = &chunk;
    if (query_.conflict) {
      insert_with_conflicts(columns);
    } else {
      for (size_t i = 0; i < columns.count; ++i) {
        if (apply_row(columns, i)) kept_.push_back(static_cast<uint32_t>(i));
      }
    }
    flush_kept();
  }

  /// RETURNING of the rows of the present chunk that were written so far.
  void flush_kept() {
    keep_returning(*chunk_, kept_, query_.returning);
    kept_.clear();
  }

  const WriteAction& action_of(const Columns& columns, size_t row) const {
    if (query_.action_column == SIZE_MAX) return query_.actions[0];
    const auto number = duckdb::FlatVector::GetData<int32_t>(columns.chunk->data[query_.action_column])[row];
    return query_.actions.at(static_cast<size_t>(number));
  }

  /// True when the row counts (and is returned).
  bool apply_row(const Columns& columns, size_t row) {
    if (query_.action_column != SIZE_MAX && columns.is_null(query_.action_column, row)) return false;
    const WriteAction& action = action_of(columns, row);
    switch (action.kind) {
      case WriteAction::Kind::kNothing: return false;
      case WriteAction::Kind::kInsert: {
        const std::string_view new_row = build(action, columns, row);
        auto outcome =
            value_or_throw(database_.insert(session_.transaction(), *schema_->access, new_row, nullptr, false));
        if (query_.kind == QueryKind::kMerge) touched_.insert(outcome.key);
        constraints_.inserted(outcome.key, codec::RowView(schema_->access->layout(), new_row));
        ++affected_;
        return true;
      }
      case WriteAction::Kind::kUpdate:
      case WriteAction::Kind::kDelete: return change_row(columns, row, action);
    }
    return false;
  }

  bool change_row(const Columns& columns, size_t row, const WriteAction& action) {
    if (columns.is_null(query_.key, row)) return false;
    const std::string key(columns.bytes(query_.key, row));
    if (!touched_.insert(key).second) {
      if (query_.kind == QueryKind::kMerge) {
        throw SqlError(SqlState::kCardinalityViolation, "MERGE command cannot affect row a second time")
            .hint("Ensure that not more than one source row matches any one target row.");
      }
      return false;  // a join found it twice; the first one counted
    }
    LockedRow locked = value_or_throw(database_.lock_row(session_.transaction(), *schema_->access, key,
                                                         RowWriter::lock_mode(action), table::LockWait::kWait));
    switch (locked.state) {
      case LockedRow::State::kCurrent: write_change(columns, row, action, key, locked.row); return true;
      case LockedRow::State::kChanged:
        recheck(locked.key.empty() ? key : locked.key, locked.row);
        return false;  // recheck kept its own rows
      case LockedRow::State::kGone:
      case LockedRow::State::kSkipped:
      case LockedRow::State::kSelf:  // another part of the statement (WITH) wrote it already
        return false;
    }
    return false;
  }
  using LockedRow = table::LockedRow;

  void write_change(const Columns& columns, size_t row, const WriteAction& action, const std::string& key,
                    const std::string& old_row) {
    const codec::RowView old_view(schema_->access->layout(), old_row);
    if (action.kind == WriteAction::Kind::kDelete) {
      throw_if_error(database_.erase(session_.transaction(), *schema_->access, key, old_row));
      constraints_.deleted(old_view);
    } else {
      const std::string_view new_row = build(action, columns, row);
      throw_if_error(database_.update(session_.transaction(), *schema_->access, key, old_row, new_row));
      constraints_.updated(key, old_view, codec::RowView(schema_->access->layout(), new_row));
    }
    ++affected_;
  }

  /// PostgreSQL's EvalPlanQual: the row changed after the snapshot, so the statement is asked again about its newest version.
  void recheck(const std::string& key, const std::string& newest) {
    auto select = recheck_select(*query_.select, query_.key, kRecheckCollection);
    if (select == nullptr) not_supported("re-checking a concurrently changed row in this form of statement");
    fill_collection(session_, kRecheckCollection, *schema_, key, newest);
    std::vector<duckdb::unique_ptr<DataChunk>> chunks;
    run_select(session_, *select, parameters_, [&](duckdb::DataChunk& chunk) {
      chunks.push_back(take_chunk(chunk));
      return true;
    });
    for (auto& chunk : chunks) {
      Columns columns(*chunk);
      for (size_t i = 0; i < columns.count; ++i) {
        if (query_.action_column != SIZE_MAX && columns.is_null(query_.action_column, i)) return;
        if (columns.is_null(query_.key, i)) continue;
        const WriteAction& action = action_of(columns, i);
        if (action.kind == WriteAction::Kind::kNothing || action.kind == WriteAction::Kind::kInsert) return;
        write_change(columns, i, action, key, newest);
        flush_kept();  // those before it come first
        keep_returning(*chunk, {static_cast<uint32_t>(i)}, query_.returning);
        return;  // joins: the first match counts
      }
    }
  }

  std::string_view build(const WriteAction& action, const Columns& columns, size_t row) {
    return rows_.build(action, *columns.chunk, row);
  }

  void insert_with_conflicts(const Columns& columns) {
    const ConflictClause& conflict = *query_.conflict;
    const WriteAction& action = query_.actions[0];
    // What is returned comes in the order of the rows that were given, inserted and updated ones mixed.
    struct Returned {
      DataChunk* chunk = nullptr;
      uint32_t row = 0;
      const std::vector<size_t>* columns = nullptr;
    };
    std::vector<Returned> returned(columns.count);
    std::vector<duckdb::unique_ptr<DataChunk>> updates;
    const auto keep_all = [&] {
      std::vector<uint32_t> run;
      for (size_t i = 0; i < returned.size(); ++i) {
        if (returned[i].chunk != nullptr) run.push_back(returned[i].row);
        const bool last = i + 1 == returned.size() || returned[i + 1].chunk != returned[i].chunk;
        if (!last || run.empty()) continue;
        keep_returning(*returned[i].chunk, run, *returned[i].columns);
        run.clear();
      }
    };
    struct Conflict {
      size_t row;
      std::string key, existing, proposed;
    };
    std::vector<Conflict> conflicts;
    for (size_t i = 0; i < columns.count; ++i) {
      const std::string_view new_row = build(action, columns, i);
      while (true) {
        auto outcome = value_or_throw(database_.insert(session_.transaction(), *schema_->access, new_row,
                                                       &conflict.arbiters, conflict.any_index));
        if (outcome.inserted) {
          touched_.insert(outcome.key);
          constraints_.inserted(outcome.key, codec::RowView(schema_->access->layout(), new_row));
          ++affected_;
          returned[i] = {chunk_, static_cast<uint32_t>(i), &query_.returning};
          break;
        }
        if (!conflict.do_update) break;
        if (!touched_.insert(outcome.key).second) {
          throw SqlError(SqlState::kCardinalityViolation,
                         "ON CONFLICT DO UPDATE command cannot affect row a second time")
              .hint(
                  "Ensure that no rows proposed for insertion within the same command have duplicate constrained "
                  "values.");
        }
        LockedRow locked = value_or_throw(database_.lock_row(session_.transaction(), *schema_->access, outcome.key,
                                                             rows_.conflict_lock_mode(conflict.action),
                                                             table::LockWait::kWait, table::Follow::kKey));
        if (locked.state == LockedRow::State::kSelf) {
          throw SqlError(SqlState::kCardinalityViolation,
                         "ON CONFLICT DO UPDATE command cannot affect row a second time")
              .hint(
                  "Ensure that no rows proposed for insertion within the same command have duplicate constrained "
                  "values.");
        }
        if (locked.state == LockedRow::State::kGone) {
          touched_.erase(outcome.key);
          continue;  // deleted meanwhile: try to insert again
        }
        conflicts.push_back({i, outcome.key, std::move(locked.row), std::string(new_row)});
        break;
      }
    }
    if (conflicts.empty()) return keep_all();

    for (int side = 0; side < 2; ++side) {
      RowCollection& collection = session_.set_row_collection(side);
      collection.names = schema_->names;
      collection.types = schema_->types;
      collection.names.push_back("_ordinal");
      collection.types.push_back(duckdb::LogicalType::BIGINT);
      auto chunk = duckdb::make_uniq<DataChunk>();
      chunk->Initialize(duckdb::Allocator::DefaultAllocator(), collection.types,
                        std::max<size_t>(conflicts.size(), STANDARD_VECTOR_SIZE));
      RowBatch batch;
      batch.clear();
      for (const auto& c : conflicts) batch.add(c.key, side == 0 ? c.existing : c.proposed);
      for (size_t c = 0; c < schema_->types.size(); ++c) {
        decode_column(*schema_, c, batch, nullptr, conflicts.size(), chunk->data[c]);
      }
      auto* ordinals = duckdb::FlatVector::GetData<int64_t>(chunk->data[schema_->types.size()]);
      for (size_t i = 0; i < conflicts.size(); ++i) ordinals[i] = static_cast<int64_t>(i);
      chunk->SetCardinality(conflicts.size());
      collection.chunks.push_back(std::move(chunk));
    }
    run_select(session_, *conflict.update, parameters_, [&](duckdb::DataChunk& chunk) {
      updates.push_back(take_chunk(chunk));
      return true;
    });
    size_t ordinal = 0;
    for (auto& chunk : updates) {
      Columns update(*chunk);
      for (size_t i = 0; i < update.count; ++i, ++ordinal) {
        if (update.is_null(0, i) || !duckdb::FlatVector::GetData<bool>(chunk->data[0])[i]) continue;
        const Conflict& c = conflicts[ordinal];
        const std::string_view new_row = build(conflict.action, update, i);
        throw_if_error(database_.update(session_.transaction(), *schema_->access, c.key, c.existing, new_row));
        constraints_.updated(c.key, codec::RowView(schema_->access->layout(), c.existing),
                             codec::RowView(schema_->access->layout(), new_row));
        ++affected_;
        returned[c.row] = {chunk.get(), static_cast<uint32_t>(i), &conflict.returning};
      }
    }
    keep_all();
  }

  void keep_returning(DataChunk& chunk, const std::vector<uint32_t>& rows, const std::vector<size_t>& columns) {
    if (!query_.has_returning || rows.empty()) return;
    auto out = duckdb::make_uniq<DataChunk>();
    out->Initialize(duckdb::Allocator::DefaultAllocator(), returned_types_,
                    std::max<size_t>(rows.size(), STANDARD_VECTOR_SIZE));
    duckdb::SelectionVector selection(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) selection.set_index(i, rows[i]);
    for (size_t c = 0; c < columns.size(); ++c) {
      duckdb::VectorOperations::Copy(chunk.data[columns[c]], out->data[c], selection, rows.size(), 0, 0);
    }
    out->SetCardinality(rows.size());
    returned_.push_back(std::move(out));
  }

  SessionImpl& session_;
  table::Database& database_;
  const AnalyzedQuery& query_;
  const Parameters& parameters_;
  std::shared_ptr<const TableSchema> schema_;
  RowWriter rows_;
  Constraints& constraints_;
  duckdb::vector<duckdb::LogicalType> returned_types_;
  std::vector<duckdb::unique_ptr<DataChunk>> returned_;
  DataChunk* chunk_ = nullptr;
  std::vector<uint32_t> kept_;
  std::unordered_set<std::string> touched_;
  uint64_t affected_ = 0;
};

}  // namespace

uint64_t execute_write(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                       const ChunkConsumer& consumer) {
  return Writer(session, query, parameters).run(consumer);
}

}  // namespace omendb::sql
