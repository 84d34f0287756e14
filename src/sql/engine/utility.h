// Statements that are no queries: transaction control, settings, cursors, prepared statements, EXPLAIN, COPY, locks, DDL.
#pragma once

#include <string>

#include "sql/engine/session_impl.h"

struct ExecuteStmt;  // PostgreSQL's

namespace omendb::sql {

/// SELECT, INSERT, UPDATE, DELETE, MERGE (not SELECT INTO).
bool is_query(const Node* node);
/// BEGIN, COMMIT, ROLLBACK and savepoints.
bool is_transaction_control(const Node* node);
/// What a failed transaction still accepts.
bool ends_failed_transaction(const Node* node);

/// Finds out what a utility statement returns and which parameters it has. Throws SqlError.
void describe_utility(SessionImpl& session, PreparedStatement& statement);
/// Runs it; returns the command tag. Throws SqlError.
std::string run_utility(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                        RowSink& sink);

// utility_maintenance.cc
std::string run_vacuum(SessionImpl& session, const Node* node);
std::string run_reindex(SessionImpl& session, const Node* node);
std::string run_cluster(SessionImpl& session, const Node* node);
/// What a statement of is_ddl calls itself: "CREATE TABLE".
std::string ddl_name(const Node* node);

// utility_settings.cc
std::string run_set(SessionImpl& session, const Node* node);
std::string run_show(SessionImpl& session, const Node* node, RowSink& sink);
void describe_show(SessionImpl& session, const Node* node, std::vector<ColumnDescription>* columns);

// utility_cursors.cc: PREPARE, EXECUTE, DEALLOCATE, DECLARE, FETCH, MOVE, CLOSE
std::shared_ptr<PreparedStatement> find_prepared_or_throw(SessionImpl& session, const std::string& name);
/// The values that EXECUTE gives to a prepared statement.
Parameters execute_parameters(SessionImpl& session, const ParsedStatement& outer, const PreparedStatement& prepared,
                              const ExecuteStmt* statement);
std::string run_cursor_utility(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                               RowSink& sink);
/// The result, as far as it is known: a cursor or a statement of that name may not be there yet. False: none.
bool describe_cursor_utility(SessionImpl& session, const Node* node, std::vector<ColumnDescription>* columns);
bool is_cursor_utility(const Node* node);

// explain.cc
void describe_explain(SessionImpl& session, PreparedStatement& statement);
std::string run_explain(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters,
                        RowSink& sink);

// copy_to.cc, copy_from.cc
std::string run_copy(SessionImpl& session, PreparedStatement& statement, const Parameters& parameters);

/// A column of type text.
ColumnDescription text_column(const std::string& name);

/// The cursor of UPDATE and DELETE ... WHERE CURRENT OF; nullptr for every other statement.
const char* cursor_named(const Node* node);
/// Makes the query of a cursor yield its row's key in a column behind the others, where the cursor is a simple scan of one table that
/// WHERE CURRENT OF may name: that table, or kInvalidOid.
Oid add_cursor_key(const Node* select, PreparedStatement& statement);

}  // namespace omendb::sql
