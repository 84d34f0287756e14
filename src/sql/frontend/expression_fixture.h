// For tests: analyses SELECT lists without tables, runs them on a DuckDB with our functions, and prints values as psql does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref/emptytableref.hpp"

#include "base/check.h"
#include "sql/frontend/expression.h"
#include "sql/frontend/parser.h"
#include "sql/functions/library.h"
#include "sql/functions/register.h"
#include "sql/services.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

/// A session without a database. Time stands still at 2024-02-29 12:34:56.789 UTC.
class FakeServices : public SessionServices {
 public:
  table::Database& database() override {
    CHECK(false);
    std::abort();
  }
  txn::Transaction& transaction() override {
    CHECK(false);
    std::abort();
  }
  std::shared_ptr<const catalog::Catalog> catalog() override { return catalog::Catalog::initial(); }
  std::shared_ptr<const table::TableAccess> table_access(Oid) override { return nullptr; }
  const types::IoContext& io() override { return io_; }
  int64_t transaction_start_us() override { return 1709210096789000; }
  int64_t statement_start_us() override { return 1709210096789000; }
  int64_t clock_us() override { return 1709210096789000; }
  std::string current_user() override { return "postgres"; }
  std::string session_user() override { return "postgres"; }
  std::string database_name() override { return "postgres"; }
  int32_t backend_pid() override { return 4711; }
  std::vector<std::string> search_path() override { return {"public"}; }
  Oid temp_schema() override { return kInvalidOid; }
  std::optional<std::string> get_setting(std::string_view) override { return std::nullopt; }
  Status set_setting(std::string_view, std::string_view, bool) override { return Status(); }
  std::vector<SettingRow> all_settings() override { return {}; }
  int64_t sequence_nextval(Oid) override { return 1; }
  int64_t sequence_currval(Oid) override { return 1; }
  int64_t sequence_lastval() override { return 1; }
  void sequence_setval(Oid, int64_t, bool) override {}
  std::vector<Cursor> cursors() override { return {}; }
  std::vector<Prepared> prepared_statements() override { return {}; }
  Neighbours& neighbours() override {
    CHECK(false);
    std::abort();
  }
  void notice(std::string_view, const ErrorInfo&) override {}
  void check_cancelled() override {}
  types::IoContext io_;
};

class ExpressionRunner {
 public:
  ExpressionRunner() : db_(nullptr), connection_(db_) {
    register_functions(*db_.instance);
    services_ = duckdb::make_shared_ptr<FakeServices>();
    connection_.context->registered_state->Insert(SessionServices::kKey, services_);
  }

  /// "1|abc|" (null is empty), or "ERROR: message (SQLSTATE)".
  std::string run(const std::string& sql) {
    try {
      ParseTree tree(sql);
      auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
      StatementContext statement;
      statement.catalog = catalog::Catalog::initial();
      statement.search_path = {"pg_catalog", "public"};
      statement.current_user = statement.database_name = "postgres";
      statement.io = &services_->io_;
      statement.text = sql;
      Scope scope;
      scope.statement = &statement;
      auto node = duckdb::make_uniq<duckdb::SelectNode>();
      std::vector<TypedExpr> outputs;
      ListCell* cell;
      foreach (cell, select->targetList) {
        auto* target = static_cast<ResTarget*>(lfirst(cell));
        TypedExpr e = resolve_unknown(scope, analyze_expr(scope, target->val, ExprKind::kSelectTarget));
        node->select_list.push_back(duck_ptr(copy_of(e.duck)));
        outputs.push_back(std::move(e));
      }
      node->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
      auto duck = duckdb::make_uniq<duckdb::SelectStatement>();
      duck->node = std::move(node);
      emitted = duck->ToString();
      auto result = connection_.Query(std::move(duck));
      if (result->HasError()) return "ERROR: " + result->GetErrorObject().RawMessage();
      std::string text;
      while (auto chunk = result->Fetch()) {
        chunk->Flatten();
        for (size_t row = 0; row < chunk->size(); ++row) {
          if (!text.empty()) text += "\n";
          for (size_t i = 0; i < outputs.size(); ++i) {
            if (i > 0) text += "|";
            auto& vector = chunk->data[i];
            if (!duckdb::FlatVector::Validity(vector).RowIsValid(row)) continue;
            const duckdb::LogicalType wanted = duck_type(base_type_of(statement, outputs[i].type), outputs[i].physical);
            if (vector.GetType() != wanted) {
              return "ERROR: DuckDB's type is " + vector.GetType().ToString() + ", not " + wanted.ToString();
            }
            types::output(outputs[i].type, outputs[i].physical,
                          functions::value_at(duckdb::FlatVector::GetData(vector), row, outputs[i].physical),
                          services_->io_, &text);
          }
        }
      }
      return text;
    } catch (const SqlError& e) {
      return "ERROR: " + e.info().message;
    } catch (const std::exception& e) {
      return "ERROR: " + duckdb::ErrorData(e).RawMessage();
    }
  }
  std::string emitted;

 private:
  duckdb::DuckDB db_;
  duckdb::Connection connection_;
  duckdb::shared_ptr<FakeServices> services_;
};

}  // namespace omendb::sql
