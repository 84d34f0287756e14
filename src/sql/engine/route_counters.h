// How many statements each route ran, and how long they took, client waits included. Of the process, as scan_counters().
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace omendb::sql {

class ColumnStore;

/// kSmall: a plan of ../point/row_plan.h. kColumns: at least one scan read a copy.
enum class StatementRoute : uint8_t { kPoint, kSmall, kRows, kColumns };
inline constexpr std::array<const char*, 4> kRouteNames = {"point", "small", "rows", "columns"};

struct RouteCount {
  uint64_t statements = 0, microseconds = 0;
};
RouteCount route_count(StatementRoute route);
/// Whether a point or small statement has ended in the last `time`, by any session; give or take 10 ms.
bool short_statement_within(std::chrono::milliseconds time);
/// What long statements did beside short ones (standing_back.h). kNice, kRaised: a time at nice 10, at normal priority.
/// kWorkersFreed: workers got nice 10.
enum class StandBackCount : uint8_t { kNice, kRaised, kWorkersFreed };
inline constexpr std::array<const char*, 3> kStandBackNames = {"standing_back_nice", "standing_back_raised",
                                                               "workers_freed"};
void count_stand_back(StandBackCount what);
uint64_t stand_back_count(StandBackCount what);
/// These, where scans found their rows, and the copies' own, by name.
std::vector<std::pair<std::string, uint64_t>> engine_counters(ColumnStore& columns);

/// Counts a statement, or a part of one that is run by itself, when it ends well.
class RouteTimer {
 public:
  void done(StatementRoute route) const;

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace omendb::sql
