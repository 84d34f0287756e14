// The words of PostgreSQL's grammar, as pg_get_keywords lists them.
#pragma once

#include <string_view>
#include <vector>

namespace omendb::sql {

struct Keyword {
  std::string_view word;
  char category = 'U';     // U unreserved, C column name, T type or function name, R reserved
  bool bare_label = true;  // may name an output column without AS
};
/// In alphabetical order. Thread: any.
std::vector<Keyword> sql_keywords();

}  // namespace omendb::sql
