#include "sql/functions/system_catalogs.h"

#include <gtest/gtest.h>

#include "types/type.h"

namespace omendb::sql {
namespace {

TEST(SystemCatalogs, HoldEveryRelationOfPostgres15) {
  EXPECT_EQ(system_relations().size(), 139u + 69u);
  const SystemRelation* pg_class = find_system_relation("pg_catalog", "pg_class");
  ASSERT_NE(pg_class, nullptr);
  EXPECT_EQ(pg_class->oid, Oid{1259});
  EXPECT_EQ(pg_class->columns.size(), 33u);
  EXPECT_EQ(pg_class->columns[1].name, "relname");
  EXPECT_EQ(pg_class->columns[1].type, types::oid::kName);
  EXPECT_EQ(find_system_relation(Oid{1259}), pg_class);
  EXPECT_EQ(find_system_relation("public", "pg_class"), nullptr);
}

TEST(SystemCatalogs, DomainsOfTheInformationSchemaAreSeenAsTheirBaseTypes) {
  const SystemRelation* columns = find_system_relation("information_schema", "columns");
  ASSERT_NE(columns, nullptr);
  EXPECT_EQ(columns->columns[3].name, "column_name");
  EXPECT_EQ(columns->columns[3].type, types::oid::kName);
  EXPECT_EQ(columns->columns[4].type, types::oid::kInt4);
  EXPECT_NE(columns->columns[4].declared_type, types::oid::kInt4);
  EXPECT_EQ(columns->columns[6].type, types::oid::kVarchar);
}

}  // namespace
}  // namespace omendb::sql
