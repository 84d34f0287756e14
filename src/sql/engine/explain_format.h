// The document that EXPLAIN answers, in its other forms.
#pragma once

#include <string>
#include <string_view>

namespace omendb::sql {

/// EXPLAIN (FORMAT XML) and (FORMAT YAML) of what (FORMAT JSON) says: a list of queries. Requires valid JSON.
std::string explain_xml(std::string_view json);
std::string explain_yaml(std::string_view json);

}  // namespace omendb::sql
