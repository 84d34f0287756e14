#include "types/numeric.h"

#include <algorithm>
#include <random>

#include "types/cases.h"
#include "types/numeric_sum.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/numeric.inc"
    ;

std::string evaluate(const std::string& op, const CaseArguments& a) {
  std::string out;
  Numeric x, y, r;
  if (op == "from_float8" || op == "float8_text") {
    double v = 0;
    if (Status s = parse_float8(a[0], &v); !s.ok()) return case_error(s);
    if (op == "from_float8") return Numeric::from_float8(v).to_text();
    append_float8(v, 1, &out);
    return out;
  }
  if (op == "from_float4" || op == "float4_text") {
    float v = 0;
    if (Status s = parse_float4(a[0], &v); !s.ok()) return case_error(s);
    if (op == "from_float4") return Numeric::from_float4(v).to_text();
    append_float4(v, 1, &out);
    return out;
  }
  if (op == "factorial") {
    if (Status s = numeric_factorial(std::stoll(a[0]), &r); !s.ok()) return case_error(s);
    return r.to_text();
  }
  if (op == "sum" || op == "avg" || op.starts_with("var") || op.starts_with("std")) {
    NumericSum sum(true), other(true);
    size_t i = 0;
    std::istringstream words(a[0]);
    std::string word;
    while (words >> word) {
      if (Status s = Numeric::parse(word, &x); !s.ok()) return case_error(s);
      Int128 scaled;
      NumericSum& to = i++ % 2 == 0 ? sum : other;
      if (i % 3 == 0 && x.to_scaled(x.dscale, &scaled))
        to.add_scaled(scaled, x.dscale);
      else
        to.add(x);
    }
    Numeric noise = Numeric::from_int64(77);
    sum.add(noise);
    sum.remove(noise);
    sum.merge(other);
    bool null = false;
    Status s = op == "sum"             ? sum.sum(&r)
               : op == "avg"           ? sum.avg(&r)
               : op.starts_with("var") ? sum.variance(op == "var_samp", &null, &r)
                                       : sum.stddev(op == "stddev_samp", &null, &r);
    return !s.ok() ? case_error(s) : null ? "\\N" : r.to_text();
  }
  if (Status s = Numeric::parse(a[0], &x); !s.ok()) return case_error(s);
  EXPECT_EQ(Numeric::from_bytes(x.to_bytes()).to_text(), x.to_text());
  if (op.starts_with("typmod")) {
    int p = 0, q = 0;
    std::sscanf(op.c_str(), "typmod %d %d", &p, &q);
    if (Status s = x.apply_typmod(numeric_typmod(p, q)); !s.ok()) return case_error(s);
    return x.to_text();
  }
  if (op == "round" || op == "trunc") {
    (op == "round" ? numeric_round : numeric_trunc)(x, std::stoi(a[1]), &r);
    return r.to_text();
  }
  if (a.size() > 1) {
    if (Status s = Numeric::parse(a[1], &y); !s.ok()) return case_error(s);
  }
  Status s;
  if (op == "add")
    s = numeric_add(x, y, &r);
  else if (op == "sub")
    s = numeric_sub(x, y, &r);
  else if (op == "mul")
    s = numeric_mul(x, y, &r);
  else if (op == "div")
    s = numeric_div(x, y, &r);
  else if (op == "mod")
    s = numeric_mod(x, y, &r);
  else if (op == "div_trunc")
    s = numeric_div_trunc(x, y, &r);
  else if (op == "gcd")
    s = numeric_gcd(x, y, &r);
  else if (op == "lcm")
    s = numeric_lcm(x, y, &r);
  else if (op == "power")
    s = numeric_power(x, y, &r);
  else if (op == "log")
    s = numeric_log(x, y, &r);
  else if (op == "abs")
    numeric_abs(x, &r);
  else if (op == "ceil")
    numeric_ceil(x, &r);
  else if (op == "floor")
    numeric_floor(x, &r);
  else if (op == "sign")
    numeric_sign(x, &r);
  else if (op == "trim_scale")
    numeric_trim_scale(x, &r);
  else if (op == "sqrt")
    s = numeric_sqrt(x, &r);
  else if (op == "ln")
    s = numeric_ln(x, &r);
  else if (op == "exp")
    s = numeric_exp(x, &r);
  else if (op == "text")
    r = x;
  else if (op == "scale" || op == "min_scale") {
    if (!x.is_finite()) return "\\N";
    return std::to_string(op == "scale" ? x.dscale : x.min_scale());
  } else if (op == "compare") {
    int c = Numeric::compare(x, y);
    std::string kx(x.to_bytes()), ky(y.to_bytes());
    int k = numeric_key(kx).compare(numeric_key(ky));
    EXPECT_EQ(c, k < 0 ? -1 : k > 0 ? 1 : 0);
    return std::to_string(c);
  } else if (op == "int8") {
    int64_t v = 0;
    if (s = x.to_int64(&v); s.ok()) return std::to_string(v);
  } else if (op == "int4") {
    int32_t v = 0;
    if (s = x.to_int32(&v); s.ok()) return std::to_string(v);
  } else if (op == "float8") {
    double v = 0;
    if (s = x.to_float8(&v); s.ok()) {
      append_float8(v, 1, &out);
      return out;
    }
  } else if (op == "float4") {
    float v = 0;
    if (s = x.to_float4(&v); s.ok()) {
      append_float4(v, 1, &out);
      return out;
    }
  } else if (op == "width_bucket") {
    Numeric high;
    if (Status h = Numeric::parse(a[2], &high); !h.ok()) return case_error(h);
    int32_t v = 0;
    if (s = numeric_width_bucket(x, y, high, std::stoi(a[3]), &v); s.ok()) return std::to_string(v);
  } else {
    return "?";
  }
  return s.ok() ? r.to_text() : case_error(s);
}

TEST(Numeric, AnswersAsPostgres) { run_cases("numeric", kCases, evaluate); }

TEST(Numeric, KeysOrderAsValues) {
  std::mt19937_64 random(7);
  std::vector<Numeric> values = {Numeric::nan(), Numeric::infinity(), Numeric::infinity(true), Numeric()};
  for (int i = 0; i < 400; ++i) {
    Numeric n =
        Numeric::from_scaled(static_cast<int64_t>(random()) >> (random() % 64), static_cast<int>(random() % 40));
    if (i % 10 == 0) n.weight += static_cast<int>(random() % 200) - 100;
    values.push_back(n);
  }
  for (const Numeric& a : values) {
    std::string ka = a.to_bytes();
    EXPECT_EQ(numeric_key_length(ka), ka.size() - 2);
    Numeric back;
    ASSERT_TRUE(Numeric::from_key(numeric_key(ka), &back));
    EXPECT_EQ(Numeric::compare(a, back), 0);
    for (const Numeric& b : values) {
      std::string kb = b.to_bytes();
      int k = numeric_key(ka).compare(numeric_key(kb));
      EXPECT_EQ(Numeric::compare(a, b), k < 0 ? -1 : k > 0) << a.to_text() << " " << b.to_text();
    }
  }
}

TEST(Numeric, EqualValuesShareTheirKey) {
  Numeric a, b;
  ASSERT_TRUE(Numeric::parse("1.10", &a).ok());
  ASSERT_TRUE(Numeric::parse("1.1", &b).ok());
  std::string ka = a.to_bytes(), kb = b.to_bytes();
  EXPECT_EQ(numeric_key(ka), numeric_key(kb));
  EXPECT_NE(ka, kb);
}

}  // namespace
}  // namespace omendb::types
