// DDL over a database in memory: what PostgreSQL 15 answered to the same statements in the same order (ddl_cases.inc).
#include "sql/frontend/ddl.h"

#include <gtest/gtest.h>

#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/parser.h"
#include "sql/functions/definitions.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

/// Enums of the transaction's catalog.
class Enums final : public types::TypeCatalog {
 public:
  std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
  std::optional<std::string> enum_label(Oid, float) const override { return std::nullopt; }
  std::optional<float> enum_sort_order(Oid type, std::string_view label) const override {
    const auto now = catalog();
    if (const auto* found = now->find<catalog::EnumType>(type)) {
      for (const auto& each : found->labels) {
        if (each.label == label) return each.sort_order;
      }
    }
    return std::nullopt;
  }
  std::optional<std::string> object_name(Oid, Oid) const override { return std::nullopt; }
  Result<Oid> object_oid(Oid, std::string_view) const override {
    return Status(SqlState::kUndefinedObject, "no such object");
  }
  std::optional<std::string> type_name(Oid type) const override {
    const auto now = catalog();
    const auto* found = now->find<catalog::EnumType>(type);
    return found == nullptr ? std::nullopt : std::optional<std::string>(found->name);
  }
  char type_kind(Oid type) const override {
    return catalog()->find<catalog::EnumType>(type) != nullptr     ? 'e'
           : catalog()->find<catalog::DomainType>(type) != nullptr ? 'd'
                                                                   : 0;
  }
  Oid element_type(Oid type) const override { return catalog()->element_of_array(type); }
  Oid base_type(Oid type, int32_t* typmod) const override {
    const auto now = catalog();
    const auto* found = now->find<catalog::DomainType>(type);
    if (found == nullptr) return kInvalidOid;
    if (typmod != nullptr) *typmod = found->typmod;
    return found->base_type;
  }
};

/// A session without an executor: tables are empty.
class Ddls final : public DdlContext {
 public:
  Ddls() : database_(std::move(table::Database::open(table::DatabaseOptions{})).value()) {
    begin();
    enums_.catalog = [this] { return database_->catalog(*transaction_); };
    io_.catalog = &enums_;
  }
  ~Ddls() override { database_->rollback(*transaction_); }
  table::Database& database() override { return *database_; }
  txn::Transaction& transaction() override { return *transaction_; }
  StatementContext analysis(std::string_view text) override {
    StatementContext statement;
    statement.catalog = database_->catalog(*transaction_);
    statement.search_path = {"pg_catalog", "postgres", "public"};
    statement.current_user = "postgres";
    statement.database_name = "postgres";
    statement.io = &io_;
    statement.text = text;
    if (const auto* temp = statement.catalog->find_schema(temp_schema_name(7))) {
      statement.temp_schema = temp->oid;
      statement.search_path.insert(statement.search_path.begin(), temp->name);
    }
    return statement;
  }
  int32_t backend_pid() override { return 7; }
  std::string setting(const std::string&) const override { return ""; }
  bool in_transaction_block() override { return false; }
  void notice(std::string_view severity, const ErrorInfo& info) override {
    if (severity == "DEBUG") return;
    std::string text = std::string(severity) + " " + info.message;
    if (!info.detail.empty()) text += "\nDETAIL " + info.detail;
    for (size_t at; (at = text.find('\n')) != std::string::npos;) text.replace(at, 1, " | ");
    notices_ += " | " + text;
  }
  uint64_t copy_rows(AnalyzedQuery, std::shared_ptr<const catalog::Catalog>, const catalog::Table&) override {
    return 0;
  }
  bool has_rows(AnalyzedQuery) override { return false; }
  std::optional<std::string> first_text(AnalyzedQuery) override { return std::nullopt; }
  types::Value evaluate(TypedExpr) override { return {}; }

  /// As ddl_cases.inc has it.
  std::string run(const std::string& sql) {
    notices_.clear();
    std::string answer;
    auto savepoint = database_->savepoint(*transaction_);
    try {
      ParseTree tree(sql);
      Node* node = tree.statements().at(0).node;
      EXPECT_TRUE(is_ddl(node)) << sql;
      answer = execute_ddl(*this, node, sql);
    } catch (const SqlError& error) {
      database_->rollback_to(*transaction_, savepoint);
      auto code = sqlstate_text(error.info().code);
      answer = std::string(code.data(), 5) + " " + error.info().message;
      if (!error.info().detail.empty()) answer += " | DETAIL " + error.info().detail;
      if (!error.info().hint.empty()) answer += " | HINT " + error.info().hint;
      int position =
          error.info().position != 0 ? error.info().position : character_position(sql, error.byte_location());
      if (position != 0) answer += " @" + std::to_string(position);
    }
    return answer + notices_;
  }
  NameView names() { return NameView(database_->catalog(*transaction_), {"pg_catalog", "public"}, kInvalidOid); }
  const catalog::Table& table(const std::string& name) {
    const auto& now = names_kept_.emplace_back(database_->catalog(*transaction_));
    return *now->find<catalog::Table>(now->find_relation(catalog::oid::kPublicSchema, name));
  }

 private:
  void begin() {
    transaction_ = database_->begin(txn::Isolation::kReadCommitted, false);
    database_->begin_statement(*transaction_);
  }
  std::unique_ptr<table::Database> database_;
  std::unique_ptr<txn::Transaction> transaction_;
  std::vector<std::shared_ptr<const catalog::Catalog>> names_kept_;
  types::IoContext io_;
  Enums enums_;
  std::string notices_;
};

struct Case {
  const char* sql;
  const char* answer;
};

TEST(Ddl, AnswersAsPostgresDoes) {
  static constexpr Case kCases[] = {
#include "sql/frontend/ddl_cases.inc"
  };
  Ddls ddl;
  for (const Case& each : kCases) EXPECT_EQ(ddl.run(each.sql), each.answer) << each.sql;
}

TEST(Ddl, StoredTextsFollowRenames) {
  Ddls ddl;
  auto ok = [&](const std::string& sql) {
    std::string answer = ddl.run(sql);
    ASSERT_FALSE(std::isdigit(static_cast<unsigned char>(answer[0])) != 0) << sql << ": " << answer;
  };
  ok("CREATE TYPE mood AS ENUM ('sad', 'ok')");
  ok("CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (a > 0), m mood DEFAULT 'ok', g int GENERATED ALWAYS AS (a * "
     "2) STORED)");
  ok("CREATE INDEX ON t ((a + 1)) WHERE a > 5");
  ok("CREATE VIEW v AS SELECT *, t.a + 1 AS n FROM t WHERE a > 3");
  ok("ALTER TABLE t RENAME COLUMN a TO b");
  ok("ALTER TABLE t RENAME TO u");
  ok("ALTER SEQUENCE t_id_seq RENAME TO s");
  ok("ALTER TYPE mood RENAME TO feeling");
  ASSERT_FALSE(HasFatalFailure());
  const catalog::Table& u = ddl.table("u");
  NameView names = ddl.names();
  EXPECT_EQ(expression_text(names, u.columns[0].default_sql, &u, false), "nextval('s'::regclass)");
  EXPECT_EQ(expression_text(names, u.columns[2].default_sql, &u, false), "'ok'::feeling");
  EXPECT_EQ(expression_text(names, u.columns[3].default_sql, &u, false), "(b * 2)");
  EXPECT_EQ(constraint_definition(names, u, *u.find_constraint("t_a_check"), false), "CHECK ((b > 0))");
  const auto& now = names.catalog();
  EXPECT_EQ(index_definition(names, *now.find<catalog::Index>(u.indexes[1]), 0, false),
            "CREATE INDEX t_expr_idx ON public.u USING btree (((b + 1))) WHERE (b > 5)");
  const auto* view = now.find<catalog::View>(now.find_relation(catalog::oid::kPublicSchema, "v"));
  EXPECT_EQ(query_definition(names, view->sql, false),
            " SELECT t.id,\n    t.b AS a,\n    t.m,\n    t.g,\n    (t.b + 1) AS n\n   FROM u t\n  WHERE (t.b > 3);");
}

TEST(Ddl, RefusesWhatItCannotDo) {
  Ddls ddl;
  EXPECT_EQ(ddl.run("CREATE FUNCTION f() RETURNS int AS 'select 1' LANGUAGE sql"),
            "0A000 CREATE FUNCTION is not supported");
  EXPECT_EQ(ddl.run("CREATE TABLE p (a int) PARTITION BY RANGE (a)"), "0A000 table partitioning is not supported");
  EXPECT_EQ(ddl.run("CREATE POLICY p ON t"), "0A000 row-level security is not supported");
  EXPECT_EQ(ddl.run("CREATE EXTENSION hstore").substr(0, 41), "0A000 extension \"hstore\" is not available");
}

TEST(Ddl, TemporaryTablesEndAsTheySay) {
  Ddls ddl;
  EXPECT_EQ(ddl.run("CREATE TEMP TABLE gone (a int) ON COMMIT DROP"), "CREATE TABLE");
  EXPECT_EQ(ddl.run("CREATE TEMP TABLE stays (a int)"), "CREATE TABLE");
  EXPECT_TRUE(run_on_commit_actions(ddl));
  auto now = ddl.database().catalog(ddl.transaction());
  const auto* schema = now->find_schema(temp_schema_name(7));
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(now->find_relation(schema->oid, "gone"), kInvalidOid);
  EXPECT_NE(now->find_relation(schema->oid, "stays"), kInvalidOid);
  drop_temp_objects(ddl);
  EXPECT_EQ(ddl.database().catalog(ddl.transaction())->find_schema(temp_schema_name(7)), nullptr);
}

}  // namespace
}  // namespace omendb::sql
