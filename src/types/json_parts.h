// Inside json: what its functions ask of keys and of steps of a path.
#pragma once

#include <string>
#include <string_view>

#include "types/json.h"

namespace omendb::types::internal {

inline bool is_container(JsonKind kind) { return kind == JsonKind::kArray || kind == JsonKind::kObject; }
inline Status invalid_parameter(std::string message) {
  return Status(SqlState::kInvalidParameterValue, std::move(message));
}

/// Decoded key of a member; a key that cannot be decoded is compared as written.
std::string decoded(std::string_view literal);
bool key_is(std::string_view literal, std::string_view key);
/// A step of a path as an index into an array. False: it is none.
bool parse_index(std::string_view text, int64_t* index);

}  // namespace omendb::types::internal
