// Aggregates over numerics: sum, avg, variance and stddev, with the digits and display scales of PostgreSQL's.
#pragma once

#include "types/numeric.h"

namespace omendb::types {

/// Running sum, sum of squares and count, exact, of numeric and integer arguments.
/// Small values are kept in 128 bits and folded only when they no longer fit. Copyable; merges with another.
/// Thread: one at a time, readers too: they fold.
class NumericSum {
 public:
  explicit NumericSum(bool squares = false) : with_squares_(squares) {}
  void add(const Numeric& x);
  /// x / 10^scale; every call should pass one scale.
  void add_scaled(Int128 x, int scale);
  /// Takes one value out again (moving frames). Display scales do not shrink.
  void remove(const Numeric& x);
  void merge(const NumericSum& other);
  int64_t count() const { return count_ + nan_count_ + pos_inf_count_ + neg_inf_count_; }

  /// Requires count() > 0. Errors: 22003.
  Status sum(Numeric* out) const;
  Status avg(Numeric* out) const;
  /// `*null`: there are too few values. Requires squares. Errors: 22003.
  Status variance(bool sample, bool* null, Numeric* out) const;
  Status stddev(bool sample, bool* null, Numeric* out) const;

 private:
  void fold() const;
  /// False: all values are finite, and `*out` is untouched.
  bool special(Numeric* out) const;
  Status spread(bool sample, bool root, bool* null, Numeric* out) const;

  bool with_squares_ = false;
  int64_t count_ = 0;  // finite values
  int64_t nan_count_ = 0, pos_inf_count_ = 0, neg_inf_count_ = 0;
  int max_scale_ = 0;
  mutable Int128 small_ = 0;  // part of the sum, times 10^small_scale_
  mutable Int128 small_squares_ = 0;
  mutable int small_scale_ = 0;
  mutable Numeric sum_, squares_;
};

}  // namespace omendb::types
