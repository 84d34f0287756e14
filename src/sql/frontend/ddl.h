// Utility statements that change the catalog: CREATE, ALTER, DROP, TRUNCATE, COMMENT, GRANT, CREATE TABLE AS, SELECT INTO,
// REFRESH MATERIALIZED VIEW.
//
// They read the raw tree, take the locks that PostgreSQL takes, and change the catalog value through
// Database::change_catalog, so they are part of the transaction like any write. DuckDB sees them only where rows must be
// read: filling a table, rewriting one, checking what is there already. These go through DdlContext, which the engine
// implements.
//
// Expressions that the catalog keeps (defaults, CHECK, generated columns, index keys) and views are stored as SQL text
// written by deparse.h, with every name qualified. How the text stays true when a name changes:
//   - a sequence is written by OID, nextval('16390'::regclass): no rename touches it;
//   - a column of the table itself is written bare, and RENAME COLUMN rewrites the texts of its table;
//   - a type or a relation (views) is written schema.name, and its rename, or its schema's, rewrites the dependants' texts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "sql/frontend/analyzer.h"
#include "table/database.h"

struct SelectStmt;  // PostgreSQL's
struct IntoClause;

namespace omendb::sql {

/// What DDL needs of the session that runs it. Every method may throw SqlError.
class DdlContext {
 public:
  virtual ~DdlContext() = default;
  virtual table::Database& database() = 0;
  virtual txn::Transaction& transaction() = 0;
  /// A new context for analysing `text`, over the transaction's newest catalog; `text` outlives it.
  virtual StatementContext analysis(std::string_view text) = 0;
  virtual int32_t backend_pid() = 0;
  /// As SHOW prints it.
  virtual std::string setting(const std::string& name) const = 0;
  /// Inside BEGIN, or one of several statements of a simple query.
  virtual bool in_transaction_block() = 0;
  virtual void notice(std::string_view severity, const ErrorInfo& info) = 0;
  /// Of the statement that runs, when it has parameters (CREATE TABLE AS); copy_rows() has their values.
  virtual std::vector<Oid> parameter_types() { return {}; }

  /// Runs a SELECT over the transaction's present catalog and inserts its rows into `target`, a table of `catalog`, which
  /// is not installed yet (the caller does that afterwards). Output i goes to the i-th live column in attnum order and
  /// has that column's physical form. NOT NULL and CHECK are the caller's; uniqueness raises 23505 as any insert.
  /// Returns the number of rows.
  virtual uint64_t copy_rows(AnalyzedQuery query, std::shared_ptr<const catalog::Catalog> catalog,
                             const catalog::Table& target) = 0;
  /// Runs a SELECT over the transaction's present catalog: whether it yields a row. Rows that an earlier copy_rows of the same
  /// statement wrote are seen.
  virtual bool has_rows(AnalyzedQuery query) = 0;
  /// As has_rows, for one output of type text: its value in the first row.
  virtual std::optional<std::string> first_text(AnalyzedQuery query) = 0;
  /// The value of an expression without columns, in its physical form. May be null.
  virtual types::Value evaluate(TypedExpr expression) = 0;
};

/// Whether execute_ddl is the one to run this statement. A SELECT INTO is. Statements it refuses (0A000) are its own too.
bool is_ddl(const Node* raw);

/// A SELECT INTO as the analyser may see it; the tree is whole again when this ends.
class WithoutInto {
 public:
  explicit WithoutInto(SelectStmt* select);
  ~WithoutInto();
  WithoutInto(const WithoutInto&) = delete;
  WithoutInto& operator=(const WithoutInto&) = delete;
  IntoClause* into() const { return into_; }

 private:
  SelectStmt* leaf_;
  IntoClause* into_;
};

/// Runs one statement and returns its command tag. Throws SqlError; then the caller rolls back to before the statement.
std::string execute_ddl(DdlContext& context, Node* raw, std::string_view statement_text);

/// The schema of a session's temporary tables. It appears with the first of them; until then find_schema knows no such name.
std::string temp_schema_name(int32_t backend_pid);
/// ON COMMIT DELETE ROWS and ON COMMIT DROP of the session's temporary tables; call before the commit of a transaction
/// that wrote. Returns whether there was anything to do.
bool run_on_commit_actions(DdlContext& context);
/// Drops the temporary tables of a session that ends (and their schema). Needs a transaction of its own.
void drop_temp_objects(DdlContext& context);

}  // namespace omendb::sql
