// The printer behind deparse.h: expressions in deparse.cc, queries in deparse_query.cc.
#pragma once

#include <string>

#include "sql/error.h"
#include "sql/frontend/deparse.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

inline const char* string_of(const void* node) { return strVal(const_cast<void*>(node)); }

class Deparser {
 public:
  explicit Deparser(const DeparseHooks& hooks) : hooks_(hooks) {}
  std::string take() { return std::move(out_); }

  // Expressions
  void expression(const Node* node) { expression_in(node, nullptr); }
  /// As an argument of `parent`: with parentheses where the layout wants them.
  void expression_in(const Node* node, const Node* parent);
  void literal_as(const Node* node, const std::string& type);
  /// Prints a string as what it stands for; false: it is left as it is written.
  bool constant_of(const Node* literal, const std::string& type);
  std::string column_text(const ColumnRef* ref);

  // Queries
  void name_outputs(const std::vector<std::string>* names) { output_names_ = names; }
  void query(const SelectStmt* select, int indent, bool has_parent);

 private:
  // deparse.cc
  void list(const List* nodes);
  void operand(const Node* node, const Node* parent, const Node* sibling, bool cast_varchar);
  void a_expr(const A_Expr* e, const Node* parent);
  void bool_expr(const BoolExpr* e, const Node* parent);
  void constant(const A_Const* c);
  void function(const FuncCall* f);
  bool special_function(const FuncCall* f, const std::string& name);
  void case_expr(const CaseExpr* c);
  void cast(const TypeCast* c, const Node* parent);
  void sublink(const SubLink* s, const Node* parent);
  void value_function(const SQLValueFunction* f);
  void indirection(const List* steps);
  void type_name(const TypeName* type);
  void operator_name(const List* name);
  bool needs_parentheses(const Node* node, const Node* parent) const;
  std::string literal_suffix(const Node* sibling);
  std::string json_suffix(const Node* parent, const Node* sibling);
  std::string number_cast(const Node* node, const Node* sibling);
  std::string type_of(const Node* node) const;
  bool concatenates_text(const A_Expr* e) const;
  bool takes_text(const FuncCall* f, int argument) const;
  bool is_varchar(const Node* node) const;
  void as_text(const Node* node, const Node* parent);
  void text_operand(const Node* node, const Node* parent);

  // deparse_query.cc
  void basic_select(const SelectStmt* s);
  void values(const List* lists);
  void set_operation(const SelectStmt* s);
  void set_operand(const SelectStmt* s);
  void with_clause(const WithClause* with);
  void search_and_cycle(const CommonTableExpr* cte);
  void target_list(const List* targets);
  void from_clause(const List* items);
  void from_item(const Node* item);
  void alias(const Alias* alias);
  void group_by(const List* clause);
  void sort_list(const List* sorts);
  /// A member of ORDER BY, GROUP BY or DISTINCT ON. The number or (`by_name`) the name of an output is printed as that output's
  /// expression; whatever is not a column stands in parentheses.
  void sort_key(const Node* node, bool by_name);
  void window(const WindowDef* w);
  void locking(const List* clauses);

  // Layout
  void line(const char* text, int before, int after, int plus);
  void remove_trailing_spaces() {
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
  }

  const DeparseHooks& hooks_;
  std::string out_;
  int indent_ = 0;
  const std::vector<std::string>* output_names_ = nullptr;  // for the next target list
  const List* targets_ = nullptr;  // set while ORDER BY, GROUP BY or DISTINCT ON of that select are printed
  bool has_parent_ = false;        // inside another query
  bool single_from_ = false;       // columns are printed without their table
};

/// Runs `visit(i, element)` over a list of nodes.
template <class T, class Visit>
void each(const List* nodes, Visit visit) {
  if (nodes == nullptr) return;
  for (int i = 0; i < nodes->length; ++i) visit(i, static_cast<const T*>(nodes->elements[i].ptr_value));
}

}  // namespace omendb::sql
