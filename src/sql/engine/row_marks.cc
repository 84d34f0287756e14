// SELECT ... FOR UPDATE and its kin: every row is locked before it is returned; one that changed meanwhile is asked again.
#include <algorithm>

#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"

namespace omendb::sql {

void execute_locking_select(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                            const ChunkConsumer& consumer) {
  using duckdb::DataChunk;
  using State = table::LockedRow::State;
  ChunkBuffer input(session);
  run_select(session, *query.select, parameters, [&](duckdb::DataChunk& chunk) {
    input.append(chunk);
    return true;
  });

  auto& database = session.database();
  auto key_of = [](DataChunk& chunk, size_t column, size_t row) {
    const auto& text = duckdb::FlatVector::GetData<duckdb::string_t>(chunk.data[column])[row];
    return std::string(text.GetData(), text.GetSize());
  };
  // LIMIT and OFFSET count rows that were locked, so they are applied here.
  int64_t limit = -1, offset = 0;
  bool limits_known = false;
  auto read_limits = [&](DataChunk& chunk) {
    if (limits_known) return;
    limits_known = true;
    auto value = [&](size_t column, int64_t none) {
      if (column == SIZE_MAX || duckdb::FlatVector::IsNull(chunk.data[column], 0)) return none;
      return duckdb::FlatVector::GetData<int64_t>(chunk.data[column])[0];
    };
    limit = value(query.limit_column, -1);
    offset = value(query.offset_column, 0);
  };
  int64_t locked_rows = 0, emitted_rows = 0;
  auto full = [&] { return limit >= 0 && locked_rows >= offset + limit; };
  auto emit = [&](DataChunk& chunk, std::vector<uint32_t> rows) {
    const int64_t skip = std::clamp<int64_t>(offset - emitted_rows, 0, static_cast<int64_t>(rows.size()));
    emitted_rows += static_cast<int64_t>(rows.size());
    rows.erase(rows.begin(), rows.begin() + skip);
    if (rows.empty()) return true;
    duckdb::SelectionVector selection(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) selection.set_index(i, rows[i]);
    auto out = duckdb::make_uniq<DataChunk>();
    out->Initialize(duckdb::Allocator::DefaultAllocator(), chunk.GetTypes(), std::max<size_t>(rows.size(), STANDARD_VECTOR_SIZE));
    chunk.Copy(*out, selection, rows.size(), 0);
    return consumer(*out);
  };

  while (DataChunk* chunk = input.next()) {
    chunk->Flatten();
    read_limits(*chunk);
    std::vector<uint32_t> kept;
    for (size_t i = 0; i < chunk->size(); ++i) {
      session.check_cancelled();
      if (full()) break;
      bool keep = true;
      const RowMark* changed = nullptr;
      std::string changed_key, newest;
      for (const auto& mark : query.row_marks) {
        if (duckdb::FlatVector::IsNull(chunk->data[mark.key_column], i)) continue;  // null-extended by an outer join
        const auto schema = session.table_schema(mark.table);
        const std::string key = key_of(*chunk, mark.key_column, i);
        auto locked = value_or_throw(database.lock_row(session.transaction(), *schema->access, key, mark.mode, mark.wait));
        if (locked.state == State::kGone || locked.state == State::kSkipped || locked.state == State::kSelf) {
          keep = false;
          break;
        }
        if (locked.state == State::kChanged) {
          changed = &mark;
          changed_key = key;
          newest = std::move(locked.row);
        }
      }
      if (!keep) continue;
      if (changed == nullptr) {
        kept.push_back(static_cast<uint32_t>(i));
        ++locked_rows;
        continue;
      }
      if (!emit(*chunk, kept)) return;
      kept.clear();
      auto select = recheck_select(*query.select, changed->key_column, kRecheckCollection);
      if (select == nullptr) not_supported("re-checking a concurrently changed row in this form of statement");
      fill_collection(session, kRecheckCollection, *session.table_schema(changed->table), changed_key, newest);
      std::vector<duckdb::unique_ptr<DataChunk>> again;
      run_select(session, *select, parameters, [&](duckdb::DataChunk& part) {
        again.push_back(take_chunk(part));
        return true;
      });
      for (auto& part : again) {
        part->Flatten();
        // A join may pair the row with others too; those of this result row are meant.
        std::vector<uint32_t> same;
        for (size_t r = 0; r < part->size(); ++r) {
          bool matches = true;
          for (const auto& mark : query.row_marks) {
            const bool null_here = duckdb::FlatVector::IsNull(part->data[mark.key_column], r);
            const bool null_there = duckdb::FlatVector::IsNull(chunk->data[mark.key_column], i);
            if (null_here != null_there ||
                (!null_here && key_of(*part, mark.key_column, r) != key_of(*chunk, mark.key_column, i))) {
              matches = false;
            }
          }
          if (matches) same.push_back(static_cast<uint32_t>(r));
        }
        if (same.size() > 1) same.resize(1);
        locked_rows += static_cast<int64_t>(same.size());
        if (!emit(*part, same)) return;
        if (!same.empty()) break;
      }
    }
    if (!emit(*chunk, kept) || full()) return;
  }
}

}  // namespace omendb::sql
