#include "pgwire/data_row.h"

#include <gtest/gtest.h>

#include <random>

namespace omendb::pgwire {
namespace {

namespace oid = types::oid;
using types::ColumnView;
using types::Physical;
using types::PhysicalType;

// The value of the only column of the only row.
std::string encode_one(Oid type, const PhysicalType& physical, const void* data, bool binary) {
  types::IoContext context;
  RowEncoder encoder;
  encoder.begin(context, 1);
  encoder.set_column(0, {type, physical, binary});
  ColumnView column;
  column.type = type;
  column.physical = physical;
  column.data = data;
  Buffer out;
  auto done = encoder.encode({column}, 0, 1, SIZE_MAX, &out);
  if (!done.ok()) return "error: " + done.status().message();
  std::string_view bytes = out.view();
  EXPECT_EQ(bytes[0], 'D');
  EXPECT_EQ(load_be32(bytes.data() + 1), bytes.size() - 1);
  EXPECT_EQ(load_be16(bytes.data() + 5), 1);
  EXPECT_EQ(load_be32(bytes.data() + 7), bytes.size() - 11);
  return std::string(bytes.substr(11));
}

// The fast formatters must say what the types' own output and send functions say.
void expect_as_general(Oid type, const PhysicalType& physical, const void* data) {
  types::IoContext context;
  ColumnView column;
  column.type = type;
  column.physical = physical;
  column.data = data;
  std::string text, binary;
  types::output(type, physical, column.at(0), context, &text);
  EXPECT_EQ(encode_one(type, physical, data, false), text) << "type " << type.value;
  ASSERT_TRUE(types::send(type, physical, column.at(0), context, &binary).ok());
  EXPECT_EQ(encode_one(type, physical, data, true), binary) << "type " << type.value << " value " << text;
}

template <class T>
void compare(Oid type, PhysicalType physical, T value) {
  expect_as_general(type, physical, &value);
}

PhysicalType kind(Physical k) { return PhysicalType{k}; }
PhysicalType decimal(Physical k, uint8_t precision, uint8_t scale) { return PhysicalType{k, precision, scale}; }

TEST(RowEncoder, FastFormattersAgreeWithTheTypes) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    auto bits = static_cast<int64_t>(random() >> (random() % 64));
    if (random() % 2 == 0) bits = -bits;
    compare<int16_t>(oid::kInt2, kind(Physical::kInt16), static_cast<int16_t>(bits));
    compare<int32_t>(oid::kInt4, kind(Physical::kInt32), static_cast<int32_t>(bits));
    compare<int64_t>(oid::kInt8, kind(Physical::kInt64), bits);
    compare<uint32_t>(oid::kOid, kind(Physical::kUInt32), static_cast<uint32_t>(bits));
    compare<uint8_t>(oid::kBool, kind(Physical::kBool), static_cast<uint8_t>(random() % 2));
    compare<types::Int128>(oid::kUuid, kind(Physical::kUuid), static_cast<types::Int128>(random()) << 64 | random());
    auto scale = static_cast<uint8_t>(random() % 5);
    compare<int16_t>(oid::kNumeric, decimal(Physical::kInt16, 4, scale), static_cast<int16_t>(bits % 10'000));
    compare<int32_t>(oid::kNumeric, decimal(Physical::kInt32, 9, scale), static_cast<int32_t>(bits % 1'000'000'000));
    compare<int64_t>(oid::kNumeric, decimal(Physical::kInt64, 18, static_cast<uint8_t>(random() % 19)),
                     bits % 1'000'000'000'000'000'000);
    compare<types::Int128>(oid::kNumeric, decimal(Physical::kInt128, 38, static_cast<uint8_t>(random() % 39)),
                           static_cast<types::Int128>(bits) * static_cast<types::Int128>(random() % 1000));
  }
}

TEST(RowEncoder, FastFormattersAgreeAtTheEdges) {
  for (int64_t v : {INT64_MAX, INT64_MIN, int64_t{0}}) compare<int64_t>(oid::kInt8, kind(Physical::kInt64), v);
  for (double v : {0.0, -0.0, 1.5, 1e300, 1e-300, 0.1}) compare<double>(oid::kFloat8, kind(Physical::kFloat64), v);
  for (float v : {0.0f, 1.5f, 3e38f}) compare<float>(oid::kFloat4, kind(Physical::kFloat32), v);
}

TEST(RowEncoder, FastDatesAndTimesAgreeWithTheTypes) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 3000; ++i) {
    compare<int64_t>(oid::kTime, kind(Physical::kInt64), static_cast<int64_t>(random() % 86'400'000'001));
    auto day = static_cast<int32_t>(static_cast<int64_t>(random() % 4'000'000) - 1'000'000);
    compare<int32_t>(oid::kDate, kind(Physical::kInt32), day);
    int64_t micros = day * 86'400'000'000 + static_cast<int64_t>(random() % 86'400'000'000);
    if (random() % 3 == 0) micros -= micros % 1'000'000;
    if (random() % 3 == 0) micros -= micros % 1'000;
    compare<int64_t>(oid::kTimestamp, kind(Physical::kInt64), micros);
    compare<int64_t>(oid::kTimestampTz, kind(Physical::kInt64), micros);
  }
  for (int32_t day : {INT32_MAX, -INT32_MAX, 0, -1, -719'162, -719'163, 2'932'896, 2'932'897, 11'016, 47'541})
    compare<int32_t>(oid::kDate, kind(Physical::kInt32), day);
  for (int64_t us : {INT64_MAX, -INT64_MAX, int64_t{0}, int64_t{-1}, int64_t{-719'162} * 86'400'000'000,
                     int64_t{-719'162} * 86'400'000'000 - 1, int64_t{2'932'897} * 86'400'000'000})
    for (Oid type : {oid::kTimestamp, oid::kTimestampTz}) compare<int64_t>(type, kind(Physical::kInt64), us);
}

TEST(RowEncoder, StopsBetweenRowsAndGoesOn) {
  std::vector<int32_t> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  std::vector<uint64_t> validity(16, ~0ull);
  validity[0] &= ~(1ull << 5);
  ColumnView column;
  column.type = oid::kInt4;
  column.physical = kind(Physical::kInt32);
  column.data = values.data();
  column.validity = validity.data();
  types::IoContext context;
  RowEncoder encoder;
  encoder.begin(context, 1);
  encoder.set_column(0, {oid::kInt4, column.physical, false});
  std::string all;
  Buffer out;
  for (size_t row = 0; row < values.size();) {
    auto next = encoder.encode({column}, row, values.size(), 100, &out);
    ASSERT_TRUE(next.ok());
    ASSERT_GT(*next, row);
    row = *next;
    EXPECT_LE(out.size(), 100u + 7 + 4 + 11);
    all.append(out.view());
    out.clear();
  }
  size_t at = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(all[at], 'D');
    auto length = static_cast<int32_t>(load_be32(all.data() + at + 7));
    if (i == 5) {
      EXPECT_EQ(length, -1);
      at += 11;
    } else {
      EXPECT_EQ(all.substr(at + 11, static_cast<size_t>(length)), std::to_string(i));
      at += 11 + static_cast<size_t>(length);
    }
  }
  EXPECT_EQ(at, all.size());
}

}  // namespace
}  // namespace omendb::pgwire
