#include "sql/engine/route_counters.h"

#include <atomic>

#include "base/striped_counter.h"

#include "sql/columnar/column_store.h"
#include "sql/engine/scan.h"

namespace omendb::sql {
namespace {

struct Counter {
  StripedCounter statements, nanoseconds;
};
std::array<Counter, kRouteNames.size()> g_routes;
std::array<StripedCounter, kStandBackNames.size()> g_stand_back;

using Clock = std::chrono::steady_clock;
// Of the last short statement, written once in so long: all sessions share the line.
std::atomic<Clock::duration> g_last_short{-std::chrono::hours(1)};
constexpr std::chrono::milliseconds kLastShortStep{10};

}  // namespace

RouteCount route_count(StatementRoute route) {
  const Counter& counter = g_routes[static_cast<size_t>(route)];
  return {counter.statements.total(), counter.nanoseconds.total() / 1000};
}

void RouteTimer::done(StatementRoute route) const {
  Counter& counter = g_routes[static_cast<size_t>(route)];
  counter.statements.add();
  const auto now = Clock::now();
  counter.nanoseconds.add(static_cast<uint64_t>((now - start_).count()));
  if (route > StatementRoute::kSmall) return;
  if (now.time_since_epoch() - g_last_short.load(std::memory_order_relaxed) > kLastShortStep)
    g_last_short.store(now.time_since_epoch(), std::memory_order_relaxed);
}

bool short_statement_within(std::chrono::milliseconds time) {
  return Clock::now().time_since_epoch() - g_last_short.load(std::memory_order_relaxed) < time;
}

void count_stand_back(StandBackCount what) { g_stand_back[static_cast<size_t>(what)].add(); }

uint64_t stand_back_count(StandBackCount what) { return g_stand_back[static_cast<size_t>(what)].total(); }

std::vector<std::pair<std::string, uint64_t>> engine_counters(ColumnStore& columns) {
  std::vector<std::pair<std::string, uint64_t>> result;
  for (size_t i = 0; i < kRouteNames.size(); ++i) {
    const RouteCount count = route_count(static_cast<StatementRoute>(i));
    result.emplace_back(std::string("route_") + kRouteNames[i] + "_statements", count.statements);
    result.emplace_back(std::string("route_") + kRouteNames[i] + "_microseconds", count.microseconds);
  }
  for (size_t i = 0; i < kStandBackNames.size(); ++i) result.emplace_back(kStandBackNames[i], g_stand_back[i].total());
  const ScanCounters scans = scan_counters();
  result.emplace_back("scan_rows_from_columns", scans.column_rows);
  result.emplace_back("scan_rows_from_delta", scans.delta_rows);
  result.emplace_back("scan_rows_from_rows", scans.rows_read);
  for (auto& counter : columns.statistics()) result.push_back(std::move(counter));
  return result;
}

}  // namespace omendb::sql
