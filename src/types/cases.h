// Tests only: cases whose answers a live PostgreSQL 15 gave (tools/generate_type_cases.py).
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::types {

using CaseArguments = std::vector<std::string>;  // "\N" is null

inline std::string case_unescape(std::string_view s) {
  std::string r;
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      r.push_back(s[i]);
      continue;
    }
    char c = s[++i];
    if (c == 'N')
      r += "\\N";
    else
      r.push_back(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
  }
  return r;
}

inline std::string case_error(const Status& s) {
  auto code = sqlstate_text(s.code());
  return "!" + std::string(code.data(), 5) + " " + s.message();
}

/// Runs every case through `evaluate(operation, arguments)`, which gives the answer's text, "\N" or case_error.
/// OMENDB_TYPE_CASES names a file to read instead of `cases`.
inline void run_cases(std::string_view suite, std::string_view cases,
                      const std::function<std::string(const std::string&, const CaseArguments&)>& evaluate) {
  std::string text(cases);
  if (const char* file = std::getenv("OMENDB_TYPE_CASES")) {
    if (std::string_view(file).find(suite) == std::string_view::npos) return;
    std::ifstream in(file);
    std::stringstream all;
    all << in.rdbuf();
    text = all.str();
  }
  size_t count = 0, wrong = 0;
  std::string line;
  std::istringstream lines(text);
  while (std::getline(lines, line)) {
    if (line.empty()) continue;
    std::vector<std::string> fields;
    size_t from = 0;
    for (size_t tab; (tab = line.find('\t', from)) != std::string::npos; from = tab + 1) {
      fields.push_back(case_unescape(std::string_view(line).substr(from, tab - from)));
    }
    fields.push_back(case_unescape(std::string_view(line).substr(from)));
    ASSERT_GE(fields.size(), 3u) << line;
    std::string expected = fields.back();
    CaseArguments arguments(fields.begin() + 1, fields.end() - 2);
    ++count;
    if (std::getenv("OMENDB_TYPE_TRACE") != nullptr) std::fprintf(stderr, "%s\n", line.c_str());
    std::string got = evaluate(fields[0], arguments);
    if (got != expected && ++wrong <= 40) ADD_FAILURE() << line << "\n  got: " << got;
  }
  EXPECT_EQ(wrong, 0u) << "of " << count;
  EXPECT_GT(count, 0u);
}

}  // namespace omendb::types
