// Identities are types: a call such as read(Timestamp, TableId) cannot be made in the wrong order.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace omendb {

/// An integer that names one kind of thing. Tag is any type, used only to tell kinds apart.
template <class Tag, class Integer>
struct StrongId {
  using integer_type = Integer;
  Integer value = 0;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Integer v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
};

/// PostgreSQL's object identifier: types, tables, functions and every other catalog object share one number space.
using Oid = StrongId<struct OidTag, uint32_t>;
inline constexpr Oid kInvalidOid{};
/// Names one body of rows in the store. A table gets a new one when it is rewritten or truncated (PostgreSQL's relfilenode).
using StorageId = StrongId<struct StorageTag, uint32_t>;
/// A place in commit order. 0 is before every commit.
using Timestamp = StrongId<struct TimestampTag, uint64_t>;

}  // namespace omendb

template <class Tag, class Integer>
struct std::hash<omendb::StrongId<Tag, Integer>> {
  size_t operator()(omendb::StrongId<Tag, Integer> id) const { return std::hash<Integer>()(id.value); }
};
