// Functions over money: an int8 of cents (the C locale's two digits).
#include <cmath>
#include <limits>

#include "sql/functions/library.h"
#include "types/numeric.h"

namespace omendb::sql::functions {

using types::Numeric;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kMoney = oid::kMoney;

ValueView checked(types::Int128 cents) {
  if (cents < std::numeric_limits<int64_t>::min() || cents > std::numeric_limits<int64_t>::max())
    throw SqlError(SqlState::kNumericValueOutOfRange, "money out of range");
  return int_value(static_cast<int64_t>(cents));
}

ValueView checked(double cents) {
  constexpr double kLimit = 9223372036854775808.0;
  cents = std::rint(cents);
  if (!(cents >= -kLimit && cents < kLimit)) throw SqlError(SqlState::kNumericValueOutOfRange, "money out of range");
  return int_value(static_cast<int64_t>(cents));
}

[[noreturn]] void throw_division() { throw SqlError(SqlState::kDivisionByZero, "division by zero"); }

void add_arithmetic(Library& library) {
  library.row({"cash_pl", {kMoney, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                 return checked(types::Int128{a[0].integer} + a[1].integer);
               }});
  library.row({"cash_mi", {kMoney, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                 return checked(types::Int128{a[0].integer} - a[1].integer);
               }});
  library.row({"cash_div_cash", {kMoney, kMoney}, oid::kFloat8, [](RowCall&, const ValueView* a) {
                 if (a[1].integer == 0) throw_division();
                 return real_value(static_cast<double>(a[0].integer) / static_cast<double>(a[1].integer));
               }});
  for (const auto& [name, type] : {std::pair{"int2", oid::kInt2}, {"int4", oid::kInt4}, {"int8", oid::kInt8}}) {
    library.row({std::string("cash_mul_") + name, {kMoney, type}, kMoney, [](RowCall&, const ValueView* a) {
                   return checked(types::Int128{a[0].integer} * a[1].integer);
                 }});
    library.row({std::string(name) + "_mul_cash", {type, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                   return checked(types::Int128{a[0].integer} * a[1].integer);
                 }});
    library.row({std::string("cash_div_") + name, {kMoney, type}, kMoney, [](RowCall&, const ValueView* a) {
                   if (a[1].integer == 0) throw_division();
                   return checked(types::Int128{a[0].integer} / a[1].integer);
                 }});
  }
  for (const auto& [name, type] : {std::pair{"flt4", oid::kFloat4}, {"flt8", oid::kFloat8}}) {
    library.row({std::string("cash_mul_") + name, {kMoney, type}, kMoney, [](RowCall&, const ValueView* a) {
                   return checked(static_cast<double>(a[0].integer) * a[1].real);
                 }});
    library.row({std::string(name) + "_mul_cash", {type, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                   return checked(a[0].real * static_cast<double>(a[1].integer));
                 }});
    library.row({std::string("cash_div_") + name, {kMoney, type}, kMoney, [](RowCall&, const ValueView* a) {
                   if (a[1].real == 0) throw_division();
                   return checked(static_cast<double>(a[0].integer) / a[1].real);
                 }});
  }
  library.row({"cashlarger", {kMoney, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                 return int_value(std::max(a[0].integer, a[1].integer));
               }});
  library.row({"cashsmaller", {kMoney, kMoney}, kMoney, [](RowCall&, const ValueView* a) {
                 return int_value(std::min(a[0].integer, a[1].integer));
               }});
  library.row({"cash_cmp", {kMoney, kMoney}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(a[0].integer < a[1].integer ? -1 : a[0].integer > a[1].integer ? 1 : 0);
               }});
}

void add_casts(Library& library) {
  for (const auto& [name, type] : {std::pair{"int4_cash", oid::kInt4}, {"int8_cash", oid::kInt8}}) {
    library.row({name, {type}, kMoney, [](RowCall&, const ValueView* a) {
                   int64_t cents = 0;
                   if (__builtin_mul_overflow(a[0].integer, int64_t{100}, &cents))
                     throw SqlError(SqlState::kNumericValueOutOfRange, "bigint out of range");
                   return int_value(cents);
                 }});
  }
  library.row({"numeric_cash", {oid::kNumeric}, kMoney, [](RowCall&, const ValueView* a) {
                 Numeric cents;
                 throw_if_error(types::numeric_mul(Numeric::from_bytes(a[0].bytes), Numeric::from_int64(100), &cents));
                 int64_t value = 0;
                 throw_if_error(cents.to_int64(&value));
                 return int_value(value);
               }});
  library.row({"cash_numeric", {kMoney}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 Numeric::from_scaled(a[0].integer, 2).append_bytes(&call.buffer);
                 return call.bytes();
               }});
}

/// A number below a thousand in words.
std::string in_words(uint64_t number) {
  static constexpr const char* kOnes[] = {
      "zero", "one",    "two",    "three",    "four",     "five",    "six",     "seven",     "eight",    "nine",
      "ten",  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr const char* kTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                          "fifty", "sixty", "seventy", "eighty", "ninety"};
  const uint64_t rest = number % 100;
  auto below_hundred = [&] {
    if (rest < 20) return std::string(kOnes[rest]);
    return kTens[rest / 10] + (rest % 10 == 0 ? "" : std::string(" ") + kOnes[rest % 10]);
  };
  if (number < 100) return below_hundred();
  const std::string hundreds = std::string(kOnes[number / 100]) + " hundred";
  if (rest == 0) return hundreds;
  // PostgreSQL puts "and" before what has a word of its own, but for ten.
  return hundreds + (rest < 20 ? " and " : " ") + below_hundred();
}

std::string money_in_words(int64_t cents) {
  std::string words;
  uint64_t value = static_cast<uint64_t>(cents);
  if (cents < 0) {
    value = 0 - value;
    words = "minus ";
  }
  const uint64_t dollars = value / 100;
  static constexpr std::pair<uint64_t, const char*> kGroups[] = {{1000000000000000, " quadrillion "},
                                                                 {1000000000000, " trillion "},
                                                                 {1000000000, " billion "},
                                                                 {1000000, " million "},
                                                                 {1000, " thousand "},
                                                                 {1, ""}};
  for (const auto& [unit, name] : kGroups) {
    const uint64_t group = dollars / unit % 1000;
    if (group != 0) words += in_words(group) + name;
  }
  if (dollars == 0) words += "zero";
  words += dollars == 1 ? " dollar and " : " dollars and ";
  words += in_words(value % 100) + (value % 100 == 1 ? " cent" : " cents");
  words[0] = static_cast<char>(words[0] - 'a' + 'A');
  return words;
}

}  // namespace

void add_money_functions(Library& library) {
  add_arithmetic(library);
  add_casts(library);
  library.row({"cash_words", {kMoney}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(money_in_words(a[0].integer));
               }});
}

}  // namespace omendb::sql::functions
