// PostgreSQL's grammar: a string of statements in, raw parse trees out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

struct Node;  // PostgreSQL's
struct MemoryContextData;

namespace omendb::sql {

/// The raw trees of one string of SQL. Owns the tree's memory; nodes live as long as this does.
///
/// Errors: constructing throws SqlError: 42601 and the other codes of PostgreSQL's grammar, with a position in characters
///         (ErrorInfo::position); 22021 for text that is not UTF-8.
/// Thread: any, one at a time. A tree may die on another thread than the one that made it.
/// Cost:   about 1 us for a short statement; parsing a text again is cheaper than keeping its tree.
class ParseTree {
 public:
  explicit ParseTree(std::string_view sql);
  ~ParseTree();
  ParseTree(ParseTree&& other) noexcept;
  ParseTree& operator=(ParseTree&& other) noexcept;
  ParseTree(const ParseTree&) = delete;
  ParseTree& operator=(const ParseTree&) = delete;

  struct Statement {
    Node* node = nullptr;  // SelectStmt, InsertStmt, ... (RawStmt is unwrapped)
    // Where it stands in the text, in bytes, without the blanks around it and without its semicolon. Node locations
    // count from the start of the whole text.
    size_t location = 0;
    size_t length = 0;
  };
  /// Empty statements are left out.
  const std::vector<Statement>& statements() const { return statements_; }

 private:
  MemoryContextData* memory_ = nullptr;
  std::vector<Statement> statements_;
};

/// The 1-based number of the character that stands at byte `offset` of `text` (UTF-8); 0 for a negative offset.
int character_position(std::string_view text, int offset);

/// The number of bytes at the start of `text` that are valid UTF-8 as PostgreSQL sees it (no NUL, no surrogates).
size_t valid_utf8_prefix(std::string_view text);

}  // namespace omendb::sql
