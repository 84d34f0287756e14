#include "sql/frontend/parser.h"

#include <csetjmp>
#include <cstdio>
#include <utility>

#include "sql/error.h"

// libpg_query keeps PostgreSQL's globals thread-local, but PostgreSQL's headers declare them as plain ones; the header's
// declarations are renamed away and the true ones made here.
#define PG_exception_stack plain_exception_stack
#define error_context_stack plain_error_context_stack
#define CurrentMemoryContext plain_current_memory_context
#define TopMemoryContext plain_top_memory_context
extern "C" {
#include "postgres.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "parser/parser.h"
#include "utils/memutils.h"
#include <pg_query.h>
#undef INFO
#include <pg_query/pg_query_internal.h>
}
#undef snprintf
#undef PG_exception_stack
#undef error_context_stack
#undef CurrentMemoryContext
#undef TopMemoryContext
extern "C" {
extern __thread sigjmp_buf* PG_exception_stack;
extern __thread ErrorContextCallback* error_context_stack;
extern __thread MemoryContext CurrentMemoryContext;
extern __thread MemoryContext TopMemoryContext;
}

namespace omendb::sql {

namespace {

// raw_parser reports errors by a longjmp to PG_exception_stack, so nothing with a destructor may live in this frame.
List* parse_catching(MemoryContext memory, const char* text, ErrorData** error) {
  sigjmp_buf* volatile outer_stack = PG_exception_stack;
  ErrorContextCallback* volatile outer_context = error_context_stack;
  List* volatile tree = nullptr;
  sigjmp_buf here;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    tree = raw_parser(text, RAW_PARSE_DEFAULT);
  } else {
    CurrentMemoryContext = memory;
    *error = CopyErrorData();
    FlushErrorState();
  }
  PG_exception_stack = outer_stack;
  error_context_stack = outer_context;
  return tree;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

// Length of a well-formed character at `p`, 0 for none. `left` bytes are there.
size_t utf8_character(const unsigned char* p, size_t left) {
  auto tail = [&](size_t i) { return i < left && (p[i] & 0xC0) == 0x80; };
  if (p[0] == 0) return 0;
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return tail(1) ? 2 : 0;
  if ((p[0] & 0xF0) == 0xE0) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

[[noreturn]] void throw_invalid_utf8(std::string_view rest) {
  // PostgreSQL prints as many bytes as the first one announces.
  auto first = static_cast<unsigned char>(rest[0]);
  size_t announced = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 1;
  std::string message = "invalid byte sequence for encoding \"UTF8\":";
  for (size_t i = 0; i < announced && i < rest.size(); ++i) {
    char hex[8];
    std::snprintf(hex, sizeof(hex), " 0x%02x", static_cast<unsigned char>(rest[i]));
    message += hex;
  }
  throw SqlError(SqlState::kCharacterNotInRepertoire, message);
}

}  // namespace

namespace {

/// PostgreSQL's minor releases name all of the word that begins as a number ("123abc"), the grammar's scanner as far as it read.
void complete_junk(std::string_view sql, ErrorInfo* info) {
  if (!info->message.starts_with("trailing junk after numeric literal") || !info->message.ends_with('"')) return;
  info->message.pop_back();
  const size_t quote = info->message.rfind('"');
  const size_t length = info->message.size() - quote - 1;
  size_t at = 0;
  for (int position = 0; at < sql.size(); ++at) {
    if ((static_cast<unsigned char>(sql[at]) & 0xC0) != 0x80 && ++position == info->position) break;
  }
  at = sql.find(std::string_view(info->message).substr(quote + 1), at);
  for (size_t i = at + length; at != std::string_view::npos && i < sql.size(); ++i) {
    const auto c = static_cast<unsigned char>(sql[i]);
    if (std::isalnum(c) == 0 && c != '_' && c != '$' && c < 0x80) break;
    info->message.push_back(sql[i]);
  }
  info->message.push_back('"');
}

const ParamRef* parameter_in(const List* values) {
  for (int i = 0; values != nullptr && i < values->length; ++i) {
    const Node* value = static_cast<const Node*>(values->elements[i].ptr_value);
    if (value != nullptr && IsA(value, DefElem)) value = reinterpret_cast<const DefElem*>(value)->arg;
    if (value != nullptr && IsA(value, ParamRef)) return reinterpret_cast<const ParamRef*>(value);
  }
  return nullptr;
}

/// libpg_query's grammar takes $1 for some constants of utility statements, whose nodes then are not of the kind that who reads them expects;
/// PostgreSQL's does not. Null: there is none.
const ParamRef* stray_parameter(const Node* statement) {
  switch (nodeTag(statement)) {
    case T_VariableSetStmt: return parameter_in(reinterpret_cast<const VariableSetStmt*>(statement)->args);
    case T_AlterRoleSetStmt: return parameter_in(reinterpret_cast<const AlterRoleSetStmt*>(statement)->setstmt->args);
    case T_AlterDatabaseSetStmt:
      return parameter_in(reinterpret_cast<const AlterDatabaseSetStmt*>(statement)->setstmt->args);
    case T_AlterSystemStmt: return parameter_in(reinterpret_cast<const AlterSystemStmt*>(statement)->setstmt->args);
    case T_CreateRoleStmt: return parameter_in(reinterpret_cast<const CreateRoleStmt*>(statement)->options);
    case T_AlterRoleStmt: return parameter_in(reinterpret_cast<const AlterRoleStmt*>(statement)->options);
    default: return nullptr;
  }
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    size_t length = utf8_character(bytes + at, text.size() - at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

int character_position(std::string_view text, int offset) {
  if (offset < 0) return 0;
  int position = 1;
  for (size_t i = 0; i < text.size() && i < static_cast<size_t>(offset); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++position;
  }
  // An offset inside a character does not occur; an offset past the end is the position after the last character.
  return position;
}

ParseTree::ParseTree(std::string_view sql) {
  if (size_t valid = valid_utf8_prefix(sql); valid < sql.size()) throw_invalid_utf8(sql.substr(valid));
  std::string text(sql);
  memory_ = pg_query_enter_memory_context();
  // Out of the thread's tree of contexts: the thread may end before this does, and another may delete it.
  MemoryContextSetParent(memory_, nullptr);
  ErrorData* error = nullptr;
  List* tree = parse_catching(memory_, text.c_str(), &error);
  // What the grammar allocates from now on (nothing) must not go to a context that may be gone.
  CurrentMemoryContext = TopMemoryContext;
  if (error != nullptr) {
    ErrorInfo info;
    info.code = static_cast<SqlState>(error->sqlerrcode);
    info.message = error->message != nullptr ? error->message : "";
    info.detail = error->detail != nullptr ? error->detail : "";
    info.hint = error->hint != nullptr ? error->hint : "";
    info.position = error->cursorpos;
    complete_junk(text, &info);
    MemoryContextDelete(memory_);
    memory_ = nullptr;
    throw SqlError(std::move(info));
  }
  for (int i = 0; tree != nullptr && i < tree->length; ++i) {
    auto* raw = static_cast<RawStmt*>(tree->elements[i].ptr_value);
    if (const ParamRef* stray = stray_parameter(raw->stmt); stray != nullptr) {
      const SqlError error_at(SqlState::kSyntaxError,
                              "syntax error at or near \"$" + std::to_string(stray->number) + "\"", stray->location);
      MemoryContextDelete(memory_);
      memory_ = nullptr;
      throw SqlError(error_at);
    }
    Statement statement;
    statement.node = raw->stmt;
    size_t begin = static_cast<size_t>(raw->stmt_location);
    size_t end = raw->stmt_len == 0 ? text.size() : begin + static_cast<size_t>(raw->stmt_len);
    while (begin < end && is_blank(text[begin])) ++begin;
    while (end > begin && (is_blank(text[end - 1]) || text[end - 1] == ';')) --end;
    statement.location = begin;
    statement.length = end - begin;
    statements_.push_back(statement);
  }
}

ParseTree::~ParseTree() {
  if (memory_ == nullptr) return;
  pg_query_init();  // a thread keeps some of what it deletes, and gives that back at its end only if it is known to the library
  MemoryContextDelete(memory_);
}

ParseTree::ParseTree(ParseTree&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), statements_(std::move(other.statements_)) {}

ParseTree& ParseTree::operator=(ParseTree&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(statements_, other.statements_);
  return *this;
}

}  // namespace omendb::sql
