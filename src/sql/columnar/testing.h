// A database whose queries are asked of rows and of copies in columns.
#pragma once

#include <gtest/gtest.h>

#include "sql/columnar/column_store.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/testing.h"

namespace omendb::sql::testing {

class ColumnDatabase : public TestDatabase {
 public:
  explicit ColumnDatabase(const std::string& directory = "", const std::string& release = "test",
                          const table::DatabaseOptions& options = {})
      : TestDatabase(directory, release, options) {}

  ColumnStore& store() { return static_cast<EngineImpl&>(*engine).columns(); }
  /// What must not be an error.
  static std::string run(TestSession& session, const std::string& sql) {
    const std::string result = session.run(sql);
    EXPECT_NE(result.rfind("ERROR", 0), 0u) << sql << "\n" << result;
    return result;
  }
  std::string run(const std::string& sql) { return run(*first_session, sql); }
  /// The answer, which both ways must give; of a query whose order is fixed.
  static std::string both(TestSession& session, const std::string& query) {
    run(session, "SET omendb.route = columns");
    const std::string columns = run(session, query);
    run(session, "SET omendb.route = rows");
    EXPECT_EQ(columns, run(session, query)) << query;
    run(session, "RESET omendb.route");
    return columns;
  }
  std::string both(const std::string& query) { return both(*first_session, query); }
  /// Every copy is what its table holds.
  void expect_sound() {
    const Status status = store().verify();
    EXPECT_TRUE(status.ok()) << status.message();
  }

  std::unique_ptr<TestSession> first_session = connect();
};

}  // namespace omendb::sql::testing
