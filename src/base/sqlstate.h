// SQLSTATE: the five characters by which a client program tells one trouble from another.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/sqlstate_list.h"

namespace omendb {

/// Packs a five-character code, six bits a character, first character lowest (PostgreSQL's MAKE_SQLSTATE order).
constexpr uint32_t pack_sqlstate(const char (&code)[6]) {
  uint32_t packed = 0;
  for (int i = 4; i >= 0; --i) packed = (packed << 6) | ((static_cast<uint32_t>(code[i]) - '0') & 0x3F);
  return packed;
}

/// Every condition PostgreSQL 15 knows; kSuccessfulCompletion is 0.
enum class SqlState : uint32_t {
#define OMENDB_ENUMERATOR(code, name, condition) name = pack_sqlstate(code),
  OMENDB_SQLSTATE_LIST(OMENDB_ENUMERATOR)
#undef OMENDB_ENUMERATOR
};

/// The five characters of `state`, not terminated.
constexpr std::array<char, 5> sqlstate_text(SqlState state) {
  std::array<char, 5> text{};
  auto packed = static_cast<uint32_t>(state);
  for (char& c : text) {
    c = static_cast<char>((packed & 0x3F) + '0');
    packed >>= 6;
  }
  return text;
}

/// The class is the first two characters: sqlstate_class_is(s, "22").
constexpr bool sqlstate_class_is(SqlState state, std::string_view two) {
  auto text = sqlstate_text(state);
  return text[0] == two[0] && text[1] == two[1];
}

}  // namespace omendb
