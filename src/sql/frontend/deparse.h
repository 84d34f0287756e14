// Raw trees back to SQL, in the layout of PostgreSQL's ruleutils: `CHECK ((v > 0))`, a view as " SELECT a,\n    b\n   FROM t".
//
// The text is SQL again: parsed, it means the same. So it serves twice: as what the catalog keeps (every name qualified by
// the hooks) and as what pg_get_viewdef and its kin print (names shortened by other hooks).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types/type.h"

struct Node;  // PostgreSQL's
struct SelectStmt;
struct RangeVar;
struct ColumnRef;
struct TypeName;
struct A_Const;

namespace omendb::sql {

/// An identifier as SQL: quoted where it must be (capitals, odd characters, reserved words).
std::string quote_identifier(std::string_view name);
std::string quote_qualified(std::string_view schema, std::string_view name);
/// 'text' with quotes doubled; E'...' with backslashes doubled when there are any.
std::string quote_literal(std::string_view text);
/// A constant in a stored expression: quotes doubled, nothing else, for strings are always standard ones.
std::string quote_constant(std::string_view text);

/// How names come out. Unset hooks print what the tree says.
struct DeparseHooks {
  std::function<std::string(const RangeVar&)> relation;  // "schema.name"; alias not included
  /// Alias to print when the tree has none ("" for none): a renamed table keeps its old name in sight.
  std::function<std::string(const RangeVar&)> implied_alias;
  std::function<std::string(const ColumnRef&)> column;
  /// Columns of x.* or * in a target list; nullptr keeps the star.
  std::function<const std::vector<std::pair<std::string, std::string>>*(const ColumnRef&)> star;
  std::function<std::string(const TypeName&)> type;
  /// 'name'::regclass and the like, and the bare literal that nextval and its kin take (type is nullptr: regclass). Returns
  /// the literal to print instead, "" to leave it.
  std::function<std::string(std::string_view literal, const TypeName* type)> reg_literal;
  /// A literal that is a constant of `type` (printed) from now on: its text with the type, "" to leave it as it is written.
  std::function<std::string(std::string_view literal, const std::string& type)> constant;
  /// PostgreSQL prints the casts that analysis adds: 'x'::text beside a text column, and a varchar column as (c)::text in an
  /// operator. The type of a column ("text", "character varying"), "" when it is not known; then nothing is added.
  std::function<std::string(const ColumnRef&)> column_type;
  /// Name of an output that is no plain column and has none ("count"); unset: no AS.
  std::function<std::string(const Node*)> output_name;
  /// The columns that NATURAL JOIN joins, printed as USING; nullptr keeps NATURAL.
  std::function<const std::vector<std::string>*(const Node* join)> natural_columns;
  /// Names of the outermost query's outputs, when they are given from outside (CREATE VIEW v(a, b)).
  std::vector<std::string> output_names;
  bool pretty = false;  // leaves out parentheses that precedence implies
  /// Name of a single-FROM query's columns: without alias, as PostgreSQL prints them.
  bool bare_columns_when_single = false;
};

/// One expression. Errors: throws 0A000 for a construct it has no text for.
/// `context_type` is what a bare string literal is going to be ("text"), "" when that is to stay open.
std::string deparse_expression(const Node* expression, const DeparseHooks& hooks = {},
                               const std::string& context_type = {});
/// A SELECT, VALUES or set operation; no semicolon.
std::string deparse_select(const SelectStmt* select, const DeparseHooks& hooks = {});
/// The built-in type that deparse_type prints so, without a modifier; kInvalidOid: none.
Oid type_printed_as(std::string_view name);
/// A type as the tree says it: built-in ones by their SQL names ("character varying(10)", "integer[]").
std::string deparse_type(const TypeName& type);

}  // namespace omendb::sql
