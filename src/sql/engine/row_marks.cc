// SELECT ... FOR UPDATE and its kin: every row is locked before it is returned; one that changed meanwhile is asked again. LIMIT and
// OFFSET count rows that were locked, so they are applied here. The select itself stops at some more rows than they want; where
// those are not enough, because others hold them or they are gone, it is asked once more without an end.
#include <algorithm>
#include <unordered_set>

#include "duckdb/parser/query_node/select_node.hpp"

#include "sql/engine/error_mapping.h"
#include "sql/engine/executor.h"
#include "table/key_index.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;

bool is_limit(const duckdb::unique_ptr<duckdb::ResultModifier>& modifier) {
  return modifier->type == duckdb::ResultModifierType::LIMIT_MODIFIER;
}

void take_limit_away(duckdb::SelectStatement& select) {
  auto& modifiers = select.node->modifiers;
  modifiers.erase(std::remove_if(modifiers.begin(), modifiers.end(), is_limit), modifiers.end());
}

class LockingSelect {
 public:
  LockingSelect(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                const ChunkConsumer& consumer)
      : session_(session), query_(query), parameters_(parameters), consumer_(consumer) {}

  void run() {
    const auto& modifiers = query_.select->node->modifiers;
    bounded_ = std::any_of(modifiers.begin(), modifiers.end(), is_limit);
    pass(*query_.select);
    if (!bounded_ || done_ || candidates_ < wanted_) return;
    again_ = true;
    auto all = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(query_.select->Copy());
    take_limit_away(*all);
    pass(*all);
  }

 private:
  using State = table::LockedRow::State;
  struct Changed {
    const RowMark* mark = nullptr;
    std::string key, row;
  };

  bool full() const { return locked_rows_ >= wanted_; }

  void pass(const duckdb::SelectStatement& select) {
    ChunkBuffer input(session_);
    run_select(session_, select, parameters_, [&](DataChunk& chunk) {
      input.append(chunk);
      return true;
    });
    while (DataChunk* chunk = input.next()) {
      chunk->Flatten();
      read_limits(*chunk);
      lock_rows(*chunk);
      if (done_) return;
    }
  }

  void read_limits(DataChunk& chunk) {
    if (limits_known_) return;
    limits_known_ = true;
    const auto value = [&](size_t column, int64_t none) {
      if (column == SIZE_MAX || duckdb::FlatVector::IsNull(chunk.data[column], 0)) return none;
      return duckdb::FlatVector::GetData<int64_t>(chunk.data[column])[0];
    };
    offset_ = value(query_.offset_column, 0);
    const int64_t limit = value(query_.limit_column, INT64_MAX);
    wanted_ = limit > INT64_MAX - offset_ ? INT64_MAX : offset_ + limit;
  }

  void lock_rows(DataChunk& chunk) {
    std::vector<uint32_t> kept;
    for (size_t i = 0; i < chunk.size() && !full(); ++i) {
      session_.check_cancelled();
      if (again_ && seen_.contains(identity(chunk, i))) continue;
      if (bounded_ && !again_) seen_.insert(identity(chunk, i));
      ++candidates_;
      Changed changed;
      if (!lock_row(chunk, i, &changed)) continue;
      if (changed.mark == nullptr) {
        kept.push_back(static_cast<uint32_t>(i));
        ++locked_rows_;
        continue;
      }
      emit(chunk, std::move(kept));
      kept.clear();
      if (!done_) ask_again(chunk, i, changed);
      if (done_) return;
    }
    emit(chunk, std::move(kept));
    if (full()) done_ = true;
  }

  /// False: the row is none of the result.
  bool lock_row(DataChunk& chunk, size_t row, Changed* changed) {
    for (const auto& mark : query_.row_marks) {
      if (is_null(chunk, mark, row)) continue;  // null-extended by an outer join
      const auto schema = session_.table_schema(mark.table);
      std::string key(key_of(chunk, mark, row));
      auto locked = value_or_throw(
          session_.database().lock_row(session_.transaction(), *schema->access, key, mark.mode, mark.wait));
      if (locked.state == State::kGone || locked.state == State::kSkipped || locked.state == State::kSelf) return false;
      if (locked.state != State::kChanged) continue;
      // A key-share lock cares for keys alone: beside an update that left them, the row is what the snapshot shows.
      const bool moved = !locked.key.empty();
      if (!moved && mark.mode == table::RowLockMode::kKeyShare && !has_other_keys(*schema)) continue;
      *changed = {&mark, moved ? std::move(locked.key) : std::move(key), std::move(locked.row)};
    }
    return true;
  }

  /// The select over the newest version of a row that changed since the snapshot.
  void ask_again(DataChunk& chunk, size_t row, const Changed& changed) {
    auto select = recheck_select(*query_.select, changed.mark->key_column, kRecheckCollection);
    if (select == nullptr) not_supported("re-checking a concurrently changed row in this form of statement");
    take_limit_away(*select);
    fill_collection(session_, kRecheckCollection, *session_.table_schema(changed.mark->table), changed.key,
                    changed.row);
    std::vector<duckdb::unique_ptr<DataChunk>> parts;
    run_select(session_, *select, parameters_, [&](DataChunk& part) {
      parts.push_back(take_chunk(part));
      return true;
    });
    for (auto& part : parts) {
      part->Flatten();
      // A join may pair the row with others too; those of this result row are meant.
      for (size_t r = 0; r < part->size(); ++r) {
        if (identity(*part, r) != identity(chunk, row, &changed)) continue;
        ++locked_rows_;
        emit(*part, {static_cast<uint32_t>(r)});
        return;
      }
    }
  }

  void emit(DataChunk& chunk, std::vector<uint32_t> rows) {
    const int64_t skip = std::clamp<int64_t>(offset_ - emitted_rows_, 0, static_cast<int64_t>(rows.size()));
    emitted_rows_ += static_cast<int64_t>(rows.size());
    rows.erase(rows.begin(), rows.begin() + skip);
    if (rows.empty()) return;
    duckdb::SelectionVector selection(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) selection.set_index(i, rows[i]);
    auto out = duckdb::make_uniq<DataChunk>();
    out->Initialize(duckdb::Allocator::DefaultAllocator(), chunk.GetTypes(),
                    std::max<size_t>(rows.size(), STANDARD_VECTOR_SIZE));
    chunk.Copy(*out, selection, rows.size(), 0);
    if (!consumer_(*out)) done_ = true;
  }

  static bool has_other_keys(const TableSchema& schema) {
    const auto& indexes = schema.access->secondary();
    return std::any_of(indexes.begin(), indexes.end(), table::is_key);
  }
  static bool is_null(DataChunk& chunk, const RowMark& mark, size_t row) {
    return duckdb::FlatVector::IsNull(chunk.data[mark.key_column], row);
  }
  static std::string_view key_of(DataChunk& chunk, const RowMark& mark, size_t row) {
    const auto& text = duckdb::FlatVector::GetData<duckdb::string_t>(chunk.data[mark.key_column])[row];
    return {text.GetData(), text.GetSize()};
  }
  /// The keys of its tables' rows, which tell a row of the result from the others. `changed`: with that row's present key.
  std::string identity(DataChunk& chunk, size_t row, const Changed* changed = nullptr) const {
    std::string all;
    for (const auto& mark : query_.row_marks) {
      const bool null = is_null(chunk, mark, row);
      const bool other = changed != nullptr && changed->mark == &mark;
      const std::string_view key = null ? std::string_view() : other ? changed->key : key_of(chunk, mark, row);
      all += (null ? "-" : std::to_string(key.size()) + ":");
      all += key;
    }
    return all;
  }

  SessionImpl& session_;
  const AnalyzedQuery& query_;
  const Parameters& parameters_;
  const ChunkConsumer& consumer_;
  int64_t offset_ = 0, wanted_ = INT64_MAX;  // rows that are locked: LIMIT's and OFFSET's together
  bool limits_known_ = false;
  int64_t candidates_ = 0, locked_rows_ = 0, emitted_rows_ = 0;
  bool bounded_ = false, again_ = false;  // the select stops early; it is asked without an end
  std::unordered_set<std::string> seen_;  // rows of a bounded select, which reads one table
  bool done_ = false;
};

}  // namespace

void execute_locking_select(SessionImpl& session, const AnalyzedQuery& query, const Parameters& parameters,
                            const ChunkConsumer& consumer) {
  LockingSelect(session, query, parameters, consumer).run();
}

}  // namespace omendb::sql
