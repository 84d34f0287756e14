#include "sql/engine/access_path.h"

#include <algorithm>

#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/planner/filter/selectivity_optional_filter.hpp"

#include "codec/key.h"
#include "sql/duck_types.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

using duckdb::ExpressionType;
using duckdb::TableFilterType;
using duckdb::Value;

// A lookup costs some 6 us, a row of a full scan some 0.3 us: beyond a twentieth of the table walking it all is cheaper.
constexpr uint64_t kLookupShareMax = 20;
constexpr size_t kLookupsAlways = 64;
constexpr size_t kRangesMax = 100000;

void intersect_equal(ColumnBounds* bounds, std::vector<Value> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (bounds->equal) {
    std::vector<Value> both;
    std::set_intersection(bounds->equal->begin(), bounds->equal->end(), values.begin(), values.end(),
                          std::back_inserter(both));
    values = std::move(both);
  }
  bounds->equal = std::move(values);
}

/// True when `filter` is an OR of equalities, whose constants are then appended.
bool collect_alternatives(const duckdb::TableFilter& filter, std::vector<Value>* values) {
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      if (comparison.comparison_type != ExpressionType::COMPARE_EQUAL) return false;
      values->push_back(comparison.constant);
      return true;
    }
    case TableFilterType::IN_FILTER:
      for (const auto& value : filter.Cast<duckdb::InFilter>().values) values->push_back(value);
      return true;
    case TableFilterType::CONJUNCTION_OR:
      for (const auto& child : filter.Cast<duckdb::ConjunctionOrFilter>().child_filters) {
        if (!collect_alternatives(*child, values)) return false;
      }
      return true;
    default: return false;
  }
}

/// numeric's bytes are ordered by functions, not by themselves: DuckDB never compares them with < in our plans, and a
/// range over them would have no meaning here.
bool rangeable(const codec::KeyColumn& column) {
  return column.physical.kind != types::Physical::kBytes || column.type == types::oid::kText ||
         column.type == types::oid::kVarchar || column.type == types::oid::kBpchar ||
         column.type == types::oid::kBytea || column.type == types::oid::kName || column.type == types::oid::kChar;
}

struct Candidate {
  std::vector<std::string> prefixes;  // of the leading columns bound by equality
  size_t equal_columns = 0;
  bool has_range = false;
  bool all_columns = false;
  std::vector<table::KeyRange> ranges;
};

bool append(const codec::KeyColumn& column, const Value& value, std::string* out) {
  return codec::append_key(column, value_view(value, column.physical), out).ok();
}

Candidate consider(const std::vector<codec::KeyColumn>& columns, const std::vector<size_t>& positions,
                   const std::vector<ColumnBounds>& bounds) {
  Candidate candidate;
  candidate.prefixes.emplace_back();
  size_t i = 0;
  for (; i < columns.size(); ++i) {
    if (positions[i] >= bounds.size() || !compares_as_key(columns[i].type)) break;
    const ColumnBounds& bound = bounds[positions[i]];
    if (!bound.equal || candidate.prefixes.size() * std::max<size_t>(1, bound.equal->size()) > kRangesMax) break;
    std::vector<std::string> longer;
    longer.reserve(candidate.prefixes.size() * bound.equal->size());
    bool usable = true;
    for (const auto& prefix : candidate.prefixes) {
      for (const auto& value : *bound.equal) {
        if (value.IsNull()) continue;  // = NULL is never true
        std::string key = prefix;
        if (!append(columns[i], value, &key)) {
          usable = false;
          break;
        }
        longer.push_back(std::move(key));
      }
      if (!usable) break;
    }
    if (!usable) break;
    candidate.prefixes = std::move(longer);
    ++candidate.equal_columns;
  }
  // Values arrive in DuckDB's order, keys want the key's.
  std::sort(candidate.prefixes.begin(), candidate.prefixes.end());
  candidate.prefixes.erase(std::unique(candidate.prefixes.begin(), candidate.prefixes.end()), candidate.prefixes.end());
  candidate.all_columns = candidate.equal_columns == columns.size();

  const ColumnBounds* range = nullptr;
  if (i < columns.size() && positions[i] < bounds.size() && rangeable(columns[i])) {
    const ColumnBounds& bound = bounds[positions[i]];
    if ((bound.lower && !bound.lower->IsNull()) || (bound.upper && !bound.upper->IsNull())) range = &bound;
  }
  for (const auto& prefix : candidate.prefixes) {
    table::KeyRange key_range{prefix, codec::prefix_successor(prefix)};
    if (range != nullptr) {
      const codec::KeyColumn& column = columns[i];
      std::string low = prefix, high = prefix;
      const bool has_low = range->lower && append(column, *range->lower, &low);
      const bool has_high = range->upper && append(column, *range->upper, &high);
      std::string* first = &low;
      std::string* last = &high;
      bool has_first = has_low, has_last = has_high, first_open = range->lower_open, last_open = range->upper_open;
      if (column.descending) {
        std::swap(first, last);
        std::swap(has_first, has_last);
        std::swap(first_open, last_open);
      }
      if (has_first) key_range.lower = first_open ? codec::prefix_successor(*first) : *first;
      if (has_last) key_range.upper = last_open ? *last : codec::prefix_successor(*last);
      candidate.has_range = candidate.has_range || has_low || has_high;
      if (!key_range.upper.empty() && key_range.lower >= key_range.upper) continue;  // nothing can match
    }
    candidate.ranges.push_back(std::move(key_range));
  }
  return candidate;
}

}  // namespace

void ColumnBounds::narrow(const duckdb::TableFilter& filter) {
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      const Value& value = comparison.constant;
      switch (comparison.comparison_type) {
        case ExpressionType::COMPARE_EQUAL:
          intersect_equal(this, {value});
          bounded = true;
          break;
        case ExpressionType::COMPARE_GREATERTHAN:
        case ExpressionType::COMPARE_GREATERTHANOREQUALTO: {
          const bool open = comparison.comparison_type == ExpressionType::COMPARE_GREATERTHAN;
          if (!lower || *lower < value || (*lower == value && open)) {
            lower = value;
            lower_open = open;
          }
          bounded = true;
          break;
        }
        case ExpressionType::COMPARE_LESSTHAN:
        case ExpressionType::COMPARE_LESSTHANOREQUALTO: {
          const bool open = comparison.comparison_type == ExpressionType::COMPARE_LESSTHAN;
          if (!upper || value < *upper || (*upper == value && open)) {
            upper = value;
            upper_open = open;
          }
          bounded = true;
          break;
        }
        default: break;
      }
      break;
    }
    case TableFilterType::IN_FILTER:
    case TableFilterType::CONJUNCTION_OR: {
      std::vector<Value> values;
      if (collect_alternatives(filter, &values)) {
        intersect_equal(this, std::move(values));
        bounded = true;
      }
      break;
    }
    case TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) narrow(*child);
      break;
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& optional = filter.Cast<duckdb::OptionalFilter>();
      if (optional.child_filter) narrow(*optional.child_filter);
      break;
    }
    default: break;
  }
}

std::string AccessPath::describe(const table::TableAccess& access) const {
  switch (kind) {
    case Kind::kFull: return "Full Scan";
    case Kind::kLookup: return "Primary Key Lookup";
    case Kind::kRange: return "Primary Key Range";
    case Kind::kIndex:
      return std::string(unique ? "Index Lookup using " : "Index Range using ") + access.secondary()[index].index.name;
  }
  return "";
}

AccessPath choose_access_path(const table::TableAccess& access, const std::vector<ColumnBounds>& bounds,
                              uint64_t rows) {
  AccessPath path;
  const bool any = std::any_of(bounds.begin(), bounds.end(), [](const ColumnBounds& b) { return b.bounded; });
  if (!any) return path;

  auto affordable = [&](size_t lookups) { return lookups <= kLookupsAlways || lookups * kLookupShareMax < rows; };

  std::optional<Candidate> primary;
  if (!access.key_columns().empty()) {
    primary = consider(access.key_columns(), access.key_positions(), bounds);
    if (primary->all_columns && affordable(primary->prefixes.size())) {
      path.kind = AccessPath::Kind::kLookup;
      path.keys = std::move(primary->prefixes);
      return path;
    }
  }
  const bool primary_usable =
      primary && (primary->equal_columns > 0 || primary->has_range) && affordable(primary->ranges.size());

  std::optional<Candidate> best;
  for (size_t i = 0; i < access.secondary().size(); ++i) {
    const auto& index = access.secondary()[i];
    if (!index.index.predicate_sql.empty()) continue;  // a partial index lacks rows
    Candidate candidate = consider(index.columns, index.positions, bounds);
    if (candidate.equal_columns == 0 && !candidate.has_range) continue;
    if (!affordable(candidate.ranges.size())) continue;
    if (best && (candidate.equal_columns < best->equal_columns ||
                 (candidate.equal_columns == best->equal_columns && !candidate.has_range))) {
      continue;
    }
    path.index = i;
    path.unique = index.index.unique && !index.deferrable && candidate.all_columns;
    best = std::move(candidate);
    if (path.unique) break;
  }
  if (best && (!primary_usable || path.unique || best->equal_columns > primary->equal_columns)) {
    path.kind = AccessPath::Kind::kIndex;
    path.ranges = std::move(best->ranges);
    return path;
  }
  path.unique = false;
  if (primary_usable) {
    path.kind = AccessPath::Kind::kRange;
    path.ranges = std::move(primary->ranges);
  }
  return path;
}

}  // namespace omendb::sql
