// Which keys of a storage have serializable transactions read, or written? Points, ranges, and a hull where these become too many.
#pragma once

#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::txn {

struct DependencyNode;

/// Keys from `lower` on, below `upper`. Empty upper: no bound.
struct MarkedKeys {
  std::string lower, upper;
  bool contains(std::string_view key) const { return key >= lower && (upper.empty() || key < upper); }
  bool contains(std::string_view from, std::string_view to) const {
    return from >= lower && (upper.empty() || (!to.empty() && to <= upper));
  }
  bool meets(std::string_view from, std::string_view to) const {
    return (to.empty() || lower < to) && (upper.empty() || from < upper);
  }
};

/// How many marks one transaction may have in one storage before a hull takes their place: everything from its least key to its greatest.
struct MarkLimits {
  size_t points = 1024;
  size_t ranges = 128;
};

/// The marks of one kind (reads, or writes) in one storage. Thread: one at a time. Cost: points as a std::map, ranges one after the other.
class KeyMarks {
 public:
  struct Range : MarkedKeys {
    DependencyNode* owner;
  };
  using Owners = std::vector<DependencyNode*>;  // ascending
  using Points = std::map<std::string, Owners, std::less<>>;
  /// What one owner has here, in the order it came.
  struct Own {
    std::vector<Points::iterator> points;
    std::vector<std::list<Range>::iterator> ranges;
    bool hull = false;  // the one range is all there is
    size_t count() const { return points.size() + ranges.size(); }
  };
  enum class Added { kNothing, kPoint, kRange };

  /// Adds a mark, unless the owner's cover it. `grown` is what has been covered anew; it is not set for a point.
  Added add_point(Own& own, DependencyNode* owner, std::string_view key, const MarkLimits& limits, MarkedKeys* grown);
  Added add_range(Own& own, DependencyNode* owner, std::string_view lower, std::string_view upper,
                  const MarkLimits& limits, MarkedKeys* grown);
  void remove_last_point(Own& own, DependencyNode* owner);
  void remove(Own& own, DependencyNode* owner);
  /// The least range that holds all of the owner's marks.
  static MarkedKeys hull_of(const Own& own);

  /// Who has a point on the key; null: nobody.
  const Owners* owners_of(std::string_view key) const;
  /// Calls `f(owner, owners)` for each mark that meets the keys, until it answers false: `owners` have a point on the same key, null for a
  /// range.
  template <class F>
  void for_each_on(std::string_view key, F f) const;
  template <class F>
  void for_each_in(std::string_view lower, std::string_view upper, F f) const;

  bool empty() const { return points_.empty() && ranges_.empty(); }

 private:
  void remove_point(Points::iterator point, DependencyNode* owner);
  void put_hull(Own& own, DependencyNode* owner, MarkedKeys keys);
  bool extend_hull(Own& own, std::string_view lower, std::string_view upper, MarkedKeys* grown);

  Points points_;
  std::list<Range> ranges_;
};

template <class F>
void KeyMarks::for_each_on(std::string_view key, F f) const {
  if (const Owners* owners = owners_of(key)) {
    for (DependencyNode* owner : *owners) {
      if (!f(owner, owners)) return;
    }
  }
  for (const Range& range : ranges_) {
    if (range.contains(key) && !f(range.owner, static_cast<const Owners*>(nullptr))) return;
  }
}

template <class F>
void KeyMarks::for_each_in(std::string_view lower, std::string_view upper, F f) const {
  for (auto at = points_.lower_bound(lower); at != points_.end() && (upper.empty() || at->first < upper); ++at) {
    for (DependencyNode* owner : at->second) {
      if (!f(owner, &at->second)) return;
    }
  }
  for (const Range& range : ranges_) {
    if (range.meets(lower, upper) && !f(range.owner, static_cast<const Owners*>(nullptr))) return;
  }
}

}  // namespace omendb::txn
