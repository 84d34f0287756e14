// Inside the geometric types: what several of their files use.
#pragma once

#include <cmath>

#include "types/geometry.h"

namespace omendb::types {

/// PostgreSQL's order of float8: NaN is greatest, and equal to itself.
inline bool less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

/// Calls f(segment) for every segment of the path until it answers true.
template <class F>
bool any_segment(const Path& path, F f) {
  const size_t count = path.points.size();
  for (size_t i = path.closed ? 0 : 1; i < count; ++i) {
    if (f(Lseg{{path.points[i == 0 ? count - 1 : i - 1], path.points[i]}})) return true;
  }
  return false;
}

}  // namespace omendb::types
