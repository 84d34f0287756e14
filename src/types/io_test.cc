#include "types/io.h"

#include <gtest/gtest.h>

#include "types/numeric.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

// Input then output; an error gives "SQLSTATE message".
std::string through(Oid type, std::string_view text, int32_t typmod = -1, const IoContext& context = {}) {
  Value value;
  Status s = input(type, typmod, text, context, &value);
  if (!s.ok()) {
    auto code = sqlstate_text(s.code());
    return std::string(code.data(), 5) + " " + s.message();
  }
  PhysicalType physical = physical_type(type, typmod);
  std::string out, binary;
  output(type, physical, value.view(), context, &out);
  if (send(type, physical, value.view(), context, &binary).ok()) {
    Value back;
    Status received = receive(type, typmod, binary, context, &back);
    EXPECT_TRUE(received.ok()) << received.message();
    std::string again;
    output(type, physical, back.view(), context, &again);
    EXPECT_EQ(again, out);
  }
  return out;
}

TEST(TypeTable, FindsByOidAndName) {
  EXPECT_EQ(find_type(oid::kInt4)->name, "int4");
  EXPECT_EQ(find_type("_int4")->oid, Oid{1007});
  EXPECT_EQ(array_element_type(Oid{1007}), oid::kInt4);
  EXPECT_EQ(array_element_type(oid::kInt4), kInvalidOid);
  EXPECT_EQ(find_type(Oid{4000000000}), nullptr);
  EXPECT_EQ(find_type("nothing"), nullptr);
}

TEST(Io, Integers) {
  EXPECT_EQ(through(oid::kInt4, " -2147483648 "), "-2147483648");
  EXPECT_EQ(through(oid::kInt4, "2147483648"), "22003 value \"2147483648\" is out of range for type integer");
  EXPECT_EQ(through(oid::kInt4, "x"), "22P02 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(through(oid::kInt4, ""), "22P02 invalid input syntax for type integer: \"\"");
  EXPECT_EQ(through(oid::kInt4, "99999999999x"), "22003 value \"99999999999x\" is out of range for type integer");
  EXPECT_EQ(through(oid::kInt2, "-32769"), "22003 value \"-32769\" is out of range for type smallint");
  EXPECT_EQ(through(oid::kInt8, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(through(oid::kInt8, "9223372036854775808"),
            "22003 value \"9223372036854775808\" is out of range for type bigint");
  EXPECT_EQ(through(oid::kOid, "-1"), "4294967295");
  EXPECT_EQ(through(oid::kOid, "-2147483649"), "22003 value \"-2147483649\" is out of range for type oid");
}

TEST(Io, Floats) {
  EXPECT_EQ(through(oid::kFloat8, "1e20"), "1e+20");
  EXPECT_EQ(through(oid::kFloat8, "1e15"), "1e+15");
  EXPECT_EQ(through(oid::kFloat8, "1e14"), "100000000000000");
  EXPECT_EQ(through(oid::kFloat8, "0.0001"), "0.0001");
  EXPECT_EQ(through(oid::kFloat8, "0.00001"), "1e-05");
  EXPECT_EQ(through(oid::kFloat8, "-0"), "-0");
  EXPECT_EQ(through(oid::kFloat8, "123456.789"), "123456.789");
  EXPECT_EQ(through(oid::kFloat8, "+nan"), "NaN");
  EXPECT_EQ(through(oid::kFloat8, "-inf"), "-Infinity");
  EXPECT_EQ(through(oid::kFloat8, "0x10"), "16");
  EXPECT_EQ(through(oid::kFloat8, "1e400"), "22003 \"1e400\" is out of range for type double precision");
  EXPECT_EQ(through(oid::kFloat8, "1e-400"), "22003 \"1e-400\" is out of range for type double precision");
  EXPECT_EQ(through(oid::kFloat8, "4.9e-324"), "5e-324");
  EXPECT_EQ(through(oid::kFloat4, "1e6"), "1e+06");
  EXPECT_EQ(through(oid::kFloat4, "100000"), "100000");
  EXPECT_EQ(through(oid::kFloat4, "3.4028235e38"), "3.4028235e+38");
  EXPECT_EQ(through(oid::kFloat8, "0.1", -1, IoContext{.extra_float_digits = 0}), "0.1");
  EXPECT_EQ(through(oid::kFloat8, "1.1.1"), "22P02 invalid input syntax for type double precision: \"1.1.1\"");
}

TEST(Io, TextAndBytes) {
  EXPECT_EQ(through(oid::kVarchar, "abc  ", character_typmod(3)), "abc");
  EXPECT_EQ(through(oid::kVarchar, "abcd", character_typmod(3)), "22001 value too long for type character varying(3)");
  EXPECT_EQ(through(oid::kBpchar, "ab", character_typmod(4)), "ab  ");
  EXPECT_EQ(through(oid::kBpchar, "\xC3\xA4", character_typmod(2)), "\xC3\xA4 ");
  EXPECT_EQ(through(oid::kBpchar, "abcde", character_typmod(4)), "22001 value too long for type character(4)");
  EXPECT_EQ(through(oid::kText, "a\xFF"), "22021 invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(through(oid::kText, "\xE2\x28\xA1"), "22021 invalid byte sequence for encoding \"UTF8\": 0xe2 0x28 0xa1");
  EXPECT_EQ(through(oid::kText, std::string_view("a\0", 2)), "22021 invalid byte sequence for encoding \"UTF8\": 0x00");
  EXPECT_EQ(through(oid::kBytea, "\\xDE ad"), "\\xdead");
  EXPECT_EQ(through(oid::kBytea, "\\xabc"), "22023 invalid hexadecimal data: odd number of digits");
  EXPECT_EQ(through(oid::kBytea, "a\\\\\\001", -1, IoContext{.bytea_escape = true}), "a\\\\\\001");
  EXPECT_EQ(through(oid::kUuid, "{A0EEBC99-9c0b4ef8-bb6d6bb9bd380a11}"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(through(oid::kUuid, "a0"), "22P02 invalid input syntax for type uuid: \"a0\"");
  EXPECT_EQ(through(oid::kBool, " oN "), "t");
  EXPECT_EQ(through(oid::kBool, "o"), "22P02 invalid input syntax for type boolean: \"o\"");
  EXPECT_EQ(through(oid::kChar, "\\200"), "\\200");
  EXPECT_EQ(through(oid::kTid, "(1,2)"), "(1,2)");
  EXPECT_EQ(through(oid::kName, std::string(70, 'a')), std::string(63, 'a'));
}

TEST(Io, NumericForms) {
  EXPECT_EQ(through(oid::kNumeric, "1.50"), "1.50");
  EXPECT_EQ(through(oid::kNumeric, "-1e-3"), "-0.001");
  EXPECT_EQ(through(oid::kNumeric, "-Infinity"), "-Infinity");
  EXPECT_EQ(through(oid::kNumeric, "12.345", numeric_typmod(5, 2)), "12.35");
  EXPECT_EQ(through(oid::kNumeric, "999.995", numeric_typmod(5, 2)), "22003 numeric field overflow");
  EXPECT_EQ(through(oid::kNumeric, "12345678901234567890.5", numeric_typmod(38, 3)), "12345678901234567890.500");
  EXPECT_EQ(through(oid::kNumeric, "12345", numeric_typmod(3, -2)), "12300");
  EXPECT_EQ(through(oid::kNumeric, "0.00012", numeric_typmod(2, 5)), "0.00012");
}

}  // namespace
}  // namespace omendb::types
