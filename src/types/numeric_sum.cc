#include "types/numeric_sum.h"

#include <algorithm>

namespace omendb::types {

void NumericSum::fold() const {
  if (small_ != 0) {
    (void)numeric_add(sum_, Numeric::from_scaled(small_, small_scale_), &sum_).ok();
    small_ = 0;
  }
  if (small_squares_ != 0) {
    (void)numeric_add(squares_, Numeric::from_scaled(small_squares_, 2 * small_scale_), &squares_).ok();
    small_squares_ = 0;
  }
}

void NumericSum::add_scaled(Int128 x, int scale) {
  if (scale != small_scale_) {
    fold();
    small_scale_ = scale;
  }
  max_scale_ = std::max(max_scale_, scale);
  ++count_;
  Int128 next;
  if (__builtin_add_overflow(small_, x, &next)) {
    fold();
    next = x;
  }
  small_ = next;
  if (!with_squares_) return;
  constexpr Int128 kSquareMax = static_cast<Int128>(1) << 62;
  if (x > -kSquareMax && x < kSquareMax) {
    Int128 square = x * x;
    if (__builtin_add_overflow(small_squares_, square, &next)) {
      fold();
      next = square;
    }
    small_squares_ = next;
  } else {
    Numeric n = Numeric::from_scaled(x, scale), square;
    (void)numeric_mul(n, n, &square).ok();
    (void)numeric_add(squares_, square, &squares_).ok();
  }
}

void NumericSum::add(const Numeric& x) {
  switch (x.kind) {
    case Numeric::Kind::kNaN: ++nan_count_; return;
    case Numeric::Kind::kPosInf: ++pos_inf_count_; return;
    case Numeric::Kind::kNegInf: ++neg_inf_count_; return;
    case Numeric::Kind::kFinite: break;
  }
  max_scale_ = std::max(max_scale_, x.dscale);
  ++count_;
  (void)numeric_add(sum_, x, &sum_).ok();
  if (with_squares_) {
    Numeric square;
    (void)numeric_mul(x, x, &square).ok();
    (void)numeric_add(squares_, square, &squares_).ok();
  }
}

void NumericSum::remove(const Numeric& x) {
  switch (x.kind) {
    case Numeric::Kind::kNaN: --nan_count_; return;
    case Numeric::Kind::kPosInf: --pos_inf_count_; return;
    case Numeric::Kind::kNegInf: --neg_inf_count_; return;
    case Numeric::Kind::kFinite: break;
  }
  --count_;
  (void)numeric_sub(sum_, x, &sum_).ok();
  if (with_squares_) {
    Numeric square;
    (void)numeric_mul(x, x, &square).ok();
    (void)numeric_sub(squares_, square, &squares_).ok();
  }
}

void NumericSum::merge(const NumericSum& other) {
  other.fold();
  (void)numeric_add(sum_, other.sum_, &sum_).ok();
  if (with_squares_) (void)numeric_add(squares_, other.squares_, &squares_).ok();
  count_ += other.count_;
  nan_count_ += other.nan_count_;
  pos_inf_count_ += other.pos_inf_count_;
  neg_inf_count_ += other.neg_inf_count_;
  max_scale_ = std::max(max_scale_, other.max_scale_);
}

bool NumericSum::special(Numeric* out) const {
  if (nan_count_ > 0 || (pos_inf_count_ > 0 && neg_inf_count_ > 0))
    *out = Numeric::nan();
  else if (pos_inf_count_ > 0)
    *out = Numeric::infinity();
  else if (neg_inf_count_ > 0)
    *out = Numeric::infinity(true);
  else
    return false;
  return true;
}

Status NumericSum::sum(Numeric* out) const {
  if (special(out)) return {};
  fold();
  *out = sum_;
  out->dscale = max_scale_;
  return out->check_range();
}

Status NumericSum::avg(Numeric* out) const {
  if (special(out)) return {};
  Numeric total;
  RETURN_IF_ERROR(sum(&total));
  return numeric_div(total, Numeric::from_int64(count_), out);
}

Status NumericSum::variance(bool sample, bool* null, Numeric* out) const { return spread(sample, false, null, out); }
Status NumericSum::stddev(bool sample, bool* null, Numeric* out) const { return spread(sample, true, null, out); }

Status NumericSum::spread(bool sample, bool root, bool* null, Numeric* out) const {
  *null = sample ? count() <= 1 : count() == 0;
  if (*null) return {};
  if (special(out)) {
    *out = Numeric::nan();
    return {};
  }
  Numeric total;
  RETURN_IF_ERROR(sum(&total));
  Numeric squares = squares_;
  squares.dscale = std::min(2 * max_scale_, Numeric::kScaleMax);

  // (n * sum(x^2) - sum(x)^2) / (n * (n or n - 1))
  const Numeric n = Numeric::from_int64(count_);
  Numeric a, b, divisor;
  RETURN_IF_ERROR(numeric_mul(total, total, &a));
  RETURN_IF_ERROR(numeric_mul(n, squares, &b));
  RETURN_IF_ERROR(numeric_sub(b, a, &b));
  if (b.sign() <= 0) {
    *out = Numeric();
    return {};
  }
  RETURN_IF_ERROR(numeric_mul(n, Numeric::from_int64(sample ? count_ - 1 : count_), &divisor));
  int scale = numeric_division_scale(b, divisor);
  numeric_divide_to_scale(b, divisor, scale, true, out);
  if (root) *out = numeric_root_to_scale(*out, scale);
  return out->check_range();
}

}  // namespace omendb::types
