#include "txn/key_marks.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::txn {
namespace {

/// The least key above `key`.
std::string after(std::string_view key) {
  std::string next(key);
  next.push_back('\0');
  return next;
}

bool owns(const KeyMarks::Owners& owners, DependencyNode* owner) {
  return std::binary_search(owners.begin(), owners.end(), owner);
}

}  // namespace

KeyMarks::Added KeyMarks::add_point(Own& own, DependencyNode* owner, std::string_view key, const MarkLimits& limits,
                                    MarkedKeys* grown) {
  for (const auto& range : own.ranges) {
    if (range->contains(key)) return Added::kNothing;
  }
  if (own.hull) {
    extend_hull(own, key, after(key), grown);
    return Added::kRange;
  }
  auto at = points_.lower_bound(key);
  if (at == points_.end() || at->first != key) at = points_.emplace_hint(at, key, Owners());
  auto& owners = at->second;
  const auto place = std::lower_bound(owners.begin(), owners.end(), owner);
  if (place != owners.end() && *place == owner) return Added::kNothing;
  owners.insert(place, owner);
  own.points.push_back(at);
  if (own.points.size() <= limits.points) return Added::kPoint;
  *grown = hull_of(own);
  put_hull(own, owner, *grown);
  return Added::kRange;
}

KeyMarks::Added KeyMarks::add_range(Own& own, DependencyNode* owner, std::string_view lower, std::string_view upper,
                                    const MarkLimits& limits, MarkedKeys* grown) {
  for (const auto& range : own.ranges) {
    if (range->contains(lower, upper)) return Added::kNothing;
  }
  if (own.hull) return extend_hull(own, lower, upper, grown) ? Added::kRange : Added::kNothing;
  grown->lower = lower;
  grown->upper = upper;
  // A scan goes on where it stood.
  for (const auto& range : own.ranges) {
    if (!range->upper.empty() && range->upper == lower) {
      range->upper = upper;
      return Added::kRange;
    }
    if (!upper.empty() && range->lower == upper) {
      range->lower = lower;
      return Added::kRange;
    }
  }
  ranges_.push_back({{std::string(lower), std::string(upper)}, owner});
  own.ranges.push_back(std::prev(ranges_.end()));
  if (own.ranges.size() > limits.ranges) {
    *grown = hull_of(own);
    put_hull(own, owner, *grown);
  }
  return Added::kRange;
}

bool KeyMarks::extend_hull(Own& own, std::string_view lower, std::string_view upper, MarkedKeys* grown) {
  CHECK(own.ranges.size() == 1);
  Range& hull = *own.ranges[0];
  const bool down = lower < hull.lower;
  const bool up = !hull.upper.empty() && (upper.empty() || upper > hull.upper);
  if (!down && !up) return false;
  grown->lower = down ? std::string(lower) : hull.upper;
  grown->upper = up ? std::string(upper) : hull.lower;
  if (down) hull.lower = lower;
  if (up) hull.upper = upper;
  return true;
}

const KeyMarks::Owners* KeyMarks::owners_of(std::string_view key) const {
  const auto at = points_.find(key);
  return at == points_.end() ? nullptr : &at->second;
}

MarkedKeys KeyMarks::hull_of(const Own& own) {
  MarkedKeys hull;
  bool any = false;
  const auto add = [&](std::string_view lower, std::string_view upper) {
    if (!any || lower < hull.lower) hull.lower = lower;
    if (!any || (!hull.upper.empty() && (upper.empty() || upper > hull.upper))) hull.upper = upper;
    any = true;
  };
  for (const auto& point : own.points) add(point->first, after(point->first));
  for (const auto& range : own.ranges) add(range->lower, range->upper);
  CHECK(any);
  return hull;
}

void KeyMarks::put_hull(Own& own, DependencyNode* owner, MarkedKeys keys) {
  remove(own, owner);
  ranges_.push_back({std::move(keys), owner});
  own.ranges.push_back(std::prev(ranges_.end()));
  own.hull = true;
}

void KeyMarks::remove_point(Points::iterator point, DependencyNode* owner) {
  auto& owners = point->second;
  CHECK(owns(owners, owner));
  owners.erase(std::lower_bound(owners.begin(), owners.end(), owner));
  if (owners.empty()) points_.erase(point);
}

void KeyMarks::remove_last_point(Own& own, DependencyNode* owner) {
  remove_point(own.points.back(), owner);
  own.points.pop_back();
}

void KeyMarks::remove(Own& own, DependencyNode* owner) {
  for (const auto& point : own.points) remove_point(point, owner);
  for (const auto& range : own.ranges) ranges_.erase(range);
  own = Own();
}

}  // namespace omendb::txn
