#include "pgwire/data_row.h"

#include <charconv>
#include <cstring>

namespace omendb::pgwire {
namespace {

using types::ColumnView;
using types::Physical;
namespace oid = types::oid;

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int32_t kDaysTo2000 = 10'957;  // 1970-01-01 to 2000-01-01
constexpr int64_t kMicrosTo2000 = kDaysTo2000 * kMicrosPerDay;
constexpr size_t kRowBytesMax = 0x3FFFFFFF;
// Years 1 to 9999, the ones that need neither "BC" nor a fifth digit.
constexpr int32_t kDaysFirst = -719'162, kDaysLast = 2'932'896;

char* two_digits(char* at, unsigned v) {
  at[0] = static_cast<char>('0' + v / 10);
  at[1] = static_cast<char>('0' + v % 10);
  return at + 2;
}

// Proleptic Gregorian date of a day counted from 1970-01-01; Howard Hinnant's days_from_civil, backwards.
char* put_date(char* at, int32_t days) {
  int64_t z = static_cast<int64_t>(days) + 719'468;
  int64_t era = z / 146'097;  // z is positive for the years we print
  auto day_of_era = static_cast<unsigned>(z - era * 146'097);
  unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted_month = (5 * day_of_year + 2) / 153;
  unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  auto year = static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  at = two_digits(at, year / 100);
  at = two_digits(at, year % 100);
  *at++ = '-';
  at = two_digits(at, month);
  *at++ = '-';
  return two_digits(at, day);
}

// HH:MM:SS and, unless zero, the fraction without its trailing zeros.
char* put_time(char* at, int64_t micros) {
  auto fraction = static_cast<unsigned>(micros % 1'000'000);
  auto seconds = static_cast<unsigned>(micros / 1'000'000);
  at = two_digits(at, seconds / 3600);
  *at++ = ':';
  at = two_digits(at, seconds / 60 % 60);
  *at++ = ':';
  at = two_digits(at, seconds % 60);
  if (fraction == 0) return at;
  *at++ = '.';
  for (unsigned unit = 100'000; fraction != 0; unit /= 10) {
    *at++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return at;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// A decimal value * 10^scale.
char* put_decimal(char* at, int64_t value, unsigned scale) {
  char digits[24];
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (value < 0) *at++ = '-';
  char* end = std::to_chars(digits, digits + sizeof(digits), magnitude).ptr;
  auto count = static_cast<size_t>(end - digits);
  if (count > scale) {
    std::memcpy(at, digits, count - scale);
    at += count - scale;
    if (scale == 0) return at;
    *at++ = '.';
    std::memcpy(at, end - scale, scale);
    return at + scale;
  }
  *at++ = '0';
  *at++ = '.';
  std::memset(at, '0', scale - count);
  at += scale - count;
  std::memcpy(at, digits, count);
  return at + count;
}

// The length word goes before what was written at `at + 4`.
void finish(Buffer* out, char* at, const char* end) {
  store_be32(at, static_cast<uint32_t>(end - at - 4));
  out->advance(static_cast<size_t>(end - at));
}

}  // namespace

// The formatters; a struct so that RowEncoder can befriend them all.
struct Formatters {
  using State = RowEncoder::State;

  template <class Integer>
  static void integer_text(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(32);
    finish(out, at, std::to_chars(at + 4, at + 32, column.get<Integer>(row)).ptr);
  }
  template <class Integer>
  static void integer_binary(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(4 + sizeof(Integer));
    auto value = column.get<Integer>(row);
    if constexpr (sizeof(Integer) == 2) store_be16(at + 4, static_cast<uint16_t>(value));
    if constexpr (sizeof(Integer) == 4) store_be32(at + 4, static_cast<uint32_t>(value));
    if constexpr (sizeof(Integer) == 8) store_be64(at + 4, static_cast<uint64_t>(value));
    finish(out, at, at + 4 + sizeof(Integer));
  }
  template <class Real, class Bits>
  static void real_binary(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(4 + sizeof(Bits));
    auto bits = column.get<Bits>(row);
    if constexpr (sizeof(Bits) == 4)
      store_be32(at + 4, bits);
    else
      store_be64(at + 4, bits);
    finish(out, at, at + 4 + sizeof(Bits));
  }
  static void boolean_text(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(5);
    at[4] = column.get<uint8_t>(row) != 0 ? 't' : 'f';
    finish(out, at, at + 5);
  }
  static void boolean_binary(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(5);
    at[4] = column.get<uint8_t>(row) != 0 ? 1 : 0;
    finish(out, at, at + 5);
  }
  static void raw_bytes(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    std::string_view bytes = column.bytes(row);
    char* at = out->reserve(4 + bytes.size());
    std::memcpy(at + 4, bytes.data(), bytes.size());
    finish(out, at, at + 4 + bytes.size());
  }
  template <class Integer>
  static void decimal_text(RowEncoder&, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(64);
    finish(out, at, put_decimal(at + 4, column.get<Integer>(row), state.column.physical.scale));
  }
  static void wide_decimal_text(RowEncoder& self, const State& state, const ColumnView& column, size_t row,
                                Buffer* out) {
    auto value = column.get<types::Int128>(row);
    if (value < INT64_MIN || value > INT64_MAX) return general_text(self, state, column, row, out);
    char* at = out->reserve(96);
    finish(out, at, put_decimal(at + 4, static_cast<int64_t>(value), state.column.physical.scale));
  }
  static void date_text(RowEncoder& self, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    auto days = column.get<int32_t>(row);
    if (days < kDaysFirst || days > kDaysLast) return general_text(self, state, column, row, out);
    char* at = out->reserve(16);
    finish(out, at, put_date(at + 4, days));
  }
  template <bool kZone>
  static void timestamp_text(RowEncoder& self, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    auto micros = column.get<int64_t>(row);
    int64_t days = floor_div(micros, kMicrosPerDay);
    if (days < kDaysFirst || days > kDaysLast) return general_text(self, state, column, row, out);
    char* at = out->reserve(48);
    char* end = put_date(at + 4, static_cast<int32_t>(days));
    *end++ = ' ';
    end = put_time(end, micros - days * kMicrosPerDay);
    if (kZone) {
      std::memcpy(end, "+00", 3);
      end += 3;
    }
    finish(out, at, end);
  }
  static void time_text(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(32);
    finish(out, at, put_time(at + 4, column.get<int64_t>(row)));
  }
  static void date_binary(RowEncoder& self, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    auto days = column.get<int32_t>(row);
    if (days == INT32_MAX || days == -INT32_MAX) return general_binary(self, state, column, row, out);
    char* at = out->reserve(8);
    store_be32(at + 4, static_cast<uint32_t>(days - kDaysTo2000));
    finish(out, at, at + 8);
  }
  static void timestamp_binary(RowEncoder& self, const State& state, const ColumnView& column, size_t row,
                               Buffer* out) {
    auto micros = column.get<int64_t>(row);
    if (micros == INT64_MAX || micros == -INT64_MAX) return general_binary(self, state, column, row, out);
    char* at = out->reserve(12);
    store_be64(at + 4, static_cast<uint64_t>(micros - kMicrosTo2000));
    finish(out, at, at + 12);
  }
  static void uuid_text(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    static constexpr char kHex[] = "0123456789abcdef";
    unsigned char bytes[16];
    uuid_bytes(column, row, bytes);
    char* at = out->reserve(40);
    char* end = at + 4;
    for (int i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) *end++ = '-';
      *end++ = kHex[bytes[i] >> 4];
      *end++ = kHex[bytes[i] & 15];
    }
    finish(out, at, end);
  }
  static void uuid_binary(RowEncoder&, const State&, const ColumnView& column, size_t row, Buffer* out) {
    char* at = out->reserve(20);
    uuid_bytes(column, row, reinterpret_cast<unsigned char*>(at + 4));
    finish(out, at, at + 20);
  }
  static void uuid_bytes(const ColumnView& column, size_t row, unsigned char* bytes) {
    auto value = static_cast<types::UInt128>(column.get<types::Int128>(row)) ^ (static_cast<types::UInt128>(1) << 127);
    store_be64(reinterpret_cast<char*>(bytes), static_cast<uint64_t>(value >> 64));
    store_be64(reinterpret_cast<char*>(bytes) + 8, static_cast<uint64_t>(value));
  }
  static void general_text(RowEncoder& self, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    self.scratch_.clear();
    types::output(state.column.type, state.column.physical, column.at(row), *self.context_, &self.scratch_);
    append_scratch(self, out);
  }
  static void general_binary(RowEncoder& self, const State& state, const ColumnView& column, size_t row, Buffer* out) {
    self.scratch_.clear();
    Status sent = types::send(state.column.type, state.column.physical, column.at(row), *self.context_, &self.scratch_);
    if (!sent.ok()) self.trouble_ = std::move(sent);
    append_scratch(self, out);
  }
  static void append_scratch(RowEncoder& self, Buffer* out) {
    char* at = out->reserve(4 + self.scratch_.size());
    std::memcpy(at + 4, self.scratch_.data(), self.scratch_.size());
    finish(out, at, at + 4 + self.scratch_.size());
  }
};

RowEncoder::Formatter RowEncoder::choose(const types::IoContext& context, const Column& column) {
  using F = Formatters;
  const Oid type = column.type;
  const Physical kind = column.physical.kind;
  const bool text_like = kind == Physical::kBytes &&
                         (type == oid::kText || type == oid::kVarchar || type == oid::kName || type == oid::kUnknown ||
                          type == oid::kJson || type == oid::kCstring || type == oid::kRefcursor);
  if (text_like) return F::raw_bytes;
  if (column.binary) {
    if (column.physical.is_decimal()) return F::general_binary;
    if (type == oid::kInt2 && kind == Physical::kInt16) return F::integer_binary<int16_t>;
    if (type == oid::kInt4 && kind == Physical::kInt32) return F::integer_binary<int32_t>;
    if (type == oid::kInt8 && kind == Physical::kInt64) return F::integer_binary<int64_t>;
    if (type == oid::kOid && kind == Physical::kUInt32) return F::integer_binary<uint32_t>;
    if (type == oid::kBool && kind == Physical::kBool) return F::boolean_binary;
    if (type == oid::kFloat4 && kind == Physical::kFloat32) return F::real_binary<float, uint32_t>;
    if (type == oid::kFloat8 && kind == Physical::kFloat64) return F::real_binary<double, uint64_t>;
    if (type == oid::kDate && kind == Physical::kInt32) return F::date_binary;
    if ((type == oid::kTimestamp || type == oid::kTimestampTz) && kind == Physical::kInt64) return F::timestamp_binary;
    if (type == oid::kTime && kind == Physical::kInt64) return F::integer_binary<int64_t>;
    if (type == oid::kUuid && kind == Physical::kUuid) return F::uuid_binary;
    if (type == oid::kBytea && kind == Physical::kBytes) return F::raw_bytes;
    return F::general_binary;
  }
  if (type == oid::kNumeric && column.physical.is_decimal()) {
    if (kind == Physical::kInt16) return F::decimal_text<int16_t>;
    if (kind == Physical::kInt32) return F::decimal_text<int32_t>;
    if (kind == Physical::kInt64) return F::decimal_text<int64_t>;
    if (kind == Physical::kInt128) return F::wide_decimal_text;
    return F::general_text;
  }
  if (type == oid::kInt2 && kind == Physical::kInt16) return F::integer_text<int16_t>;
  if (type == oid::kInt4 && kind == Physical::kInt32) return F::integer_text<int32_t>;
  if (type == oid::kInt8 && kind == Physical::kInt64) return F::integer_text<int64_t>;
  if (type == oid::kOid && kind == Physical::kUInt32) return F::integer_text<uint32_t>;
  if (type == oid::kBool && kind == Physical::kBool) return F::boolean_text;
  if (type == oid::kUuid && kind == Physical::kUuid) return F::uuid_text;
  if (type == oid::kTime && kind == Physical::kInt64) return F::time_text;
  if (context.date_format == types::DateFormat::kIso) {
    if (type == oid::kDate && kind == Physical::kInt32) return F::date_text;
    if (type == oid::kTimestamp && kind == Physical::kInt64) return F::timestamp_text<false>;
    if (type == oid::kTimestampTz && kind == Physical::kInt64 && context.time_zone == nullptr)
      return F::timestamp_text<true>;
  }
  return F::general_text;
}

void RowEncoder::begin(const types::IoContext& context, size_t column_count) {
  context_ = &context;
  states_.resize(column_count);
}

void RowEncoder::set_column(size_t i, Column column) {
  states_[i].column = column;
  states_[i].formatter = choose(*context_, column);
}

Result<size_t> RowEncoder::encode(const std::vector<ColumnView>& columns, size_t first, size_t count, size_t stop_at,
                                  Buffer* out) {
  CHECK(columns.size() == states_.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    // A batch may come in another form of the same type than the description says (a decimal of another width).
    if (!(columns[c].physical == states_[c].column.physical)) {
      Column column = states_[c].column;
      column.physical = columns[c].physical;
      set_column(c, column);
    }
  }
  const size_t column_count = columns.size();
  size_t row = first;
  for (; row < count && out->size() < stop_at; ++row) {
    const size_t start = out->size();
    char* head = out->reserve(7);
    head[0] = 'D';
    store_be16(head + 5, static_cast<uint16_t>(column_count));
    out->advance(7);
    for (size_t c = 0; c < column_count; ++c) {
      const ColumnView& column = columns[c];
      if (column.is_null(row)) {
        out->append_int32(-1);
      } else {
        states_[c].formatter(*this, states_[c], column, row, out);
      }
    }
    const size_t length = out->size() - start - 1;
    if (length > kRowBytesMax && trouble_.ok())
      trouble_ = Status(SqlState::kProgramLimitExceeded,
                        "row of " + std::to_string(length) + " bytes exceeds the limit of 1 GB");
    if (!trouble_.ok()) [[unlikely]] {
      out->truncate(start);
      return std::exchange(trouble_, Status());
    }
    store_be32(out->data() + start + 1, static_cast<uint32_t>(length));
  }
  return row;
}

}  // namespace omendb::pgwire
