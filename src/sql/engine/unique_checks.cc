#include "sql/engine/unique_checks.h"

#include <algorithm>
#include <utility>

#include "sql/engine/error_mapping.h"
#include "sql/engine/foreign_keys.h"

namespace omendb::sql {
namespace {

using UniqueCheck = table::Database::UniqueCheck;

bool is_deferred(SessionImpl& session, const UniqueCheck& check) {
  const auto* table = session.statement_catalog()->find<catalog::Table>(check.table);
  if (table == nullptr) return false;
  return std::any_of(table->constraints.begin(), table->constraints.end(), [&](const catalog::Constraint& constraint) {
    return constraint.kind != catalog::Constraint::Kind::kForeignKey && constraint.index == check.index &&
           session.foreign_key_queue().is_deferred(constraint);
  });
}

void run_check(SessionImpl& session, const UniqueCheck& check) {
  session.check_cancelled();
  if (session.statement_catalog()->find<catalog::Table>(check.table) == nullptr) return;  // dropped since
  throw_if_error(
      session.database().check_unique(session.transaction(), *session.table_schema(check.table)->access, check));
}

}  // namespace

void settle_unique_checks(SessionImpl& session) {
  auto& queue = session.foreign_key_queue();
  for (UniqueCheck& check : session.database().take_unique_checks(session.transaction()))
    queue.statement_unique.push_back(std::move(check));
  if (session.in_with_statement()) return;
  for (UniqueCheck& check : std::exchange(queue.statement_unique, {})) {
    if (is_deferred(session, check))
      queue.state.unique.push_back(std::move(check));
    else
      run_check(session, check);
  }
}

void fire_deferred_unique_checks(SessionImpl& session, bool all) {
  auto& waiting = session.foreign_key_queue().state.unique;
  if (waiting.empty()) return;
  const SessionImpl::StatementScope scope(session);
  session.set_statement_catalog(session.current_catalog());
  for (UniqueCheck& check : std::exchange(waiting, {})) {
    if (!all && is_deferred(session, check))
      waiting.push_back(std::move(check));
    else
      run_check(session, check);
  }
}

}  // namespace omendb::sql
