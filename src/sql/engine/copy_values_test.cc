#include "sql/engine/copy_values.h"

#include <gtest/gtest.h>

#include "types/io.h"

namespace omendb::sql {
namespace {

namespace oid = types::oid;

TEST(CopyValues, WhatIsReadQuicklyIsWhatTypeInputReads) {
  struct Kind {
    Oid type;
    int32_t typmod;
  };
  const Kind kinds[] = {{oid::kInt2, -1},
                        {oid::kInt4, -1},
                        {oid::kInt8, -1},
                        {oid::kNumeric, types::numeric_typmod(15, 2)},
                        {oid::kNumeric, types::numeric_typmod(4, 4)},
                        {oid::kNumeric, types::numeric_typmod(9, 0)},
                        {oid::kNumeric, types::numeric_typmod(30, 2)},
                        {oid::kNumeric, -1},
                        {oid::kDate, -1},
                        {oid::kText, -1},
                        {oid::kVarchar, types::character_typmod(4)},
                        {oid::kBpchar, types::character_typmod(4)},
                        {oid::kBool, -1}};
  const char* texts[] = {"",
                         "0",
                         "-0",
                         "7",
                         "-12",
                         "007",
                         "+5",
                         " 5",
                         "5 ",
                         "32767",
                         "-32768",
                         "32768",
                         "2147483647",
                         "-2147483648",
                         "99999999999",
                         "1e3",
                         "1.5",
                         "-1.50",
                         "1.505",
                         ".5",
                         "5.",
                         "-",
                         "-.",
                         "12345678901234.99",
                         "9999999999999.99",
                         "99999999999999.99",
                         "0.1234",
                         "0000.1234",
                         "1.2.3",
                         "NaN",
                         "2024-02-28",
                         "2024-02-29",
                         "2023-02-29",
                         "1992-01-02",
                         "0001-01-01",
                         "0000-01-01",
                         "2024-13-01",
                         "2024-00-10",
                         "2024-1-1",
                         "20240101",
                         "2024-01-01 BC",
                         "infinity",
                         "abcd",
                         "abcde",
                         "abcd ",
                         "a  ",
                         "    ",
                         "\xC3\xA4\xC3\xB6\xC3\xBC",
                         "t"};
  types::IoContext context;
  size_t quick = 0;
  for (const auto& kind : kinds) {
    const types::PhysicalType physical = types::physical_type(kind.type, kind.typmod);
    for (const std::string text : texts) {
      types::ValueView view;
      if (!quick_value(kind.type, kind.typmod, physical, text, &view)) continue;
      ++quick;
      types::Value value;
      const Status status = types::input(kind.type, kind.typmod, text, context, &value);
      ASSERT_TRUE(status.ok()) << kind.type.value << " '" << text << "'";
      EXPECT_EQ(view.null, value.is_null());
      if (physical.kind == types::Physical::kBytes) {
        EXPECT_EQ(view.bytes, value.view().bytes) << kind.type.value << " '" << text << "'";
      } else {
        EXPECT_EQ(view.integer, value.view().integer) << kind.type.value << " '" << text << "'";
      }
    }
  }
  EXPECT_GT(quick, 100u);
}

}  // namespace
}  // namespace omendb::sql
