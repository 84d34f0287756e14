// Queries, in the layout of PostgreSQL's ruleutils: keywords hang on an indentation that grows by eight for each query.
#include <cstring>
#include <utility>

#include "sql/frontend/deparse_internal.h"

namespace omendb::sql {
namespace {

constexpr int kStep = 8, kJoin = 4, kVar = 4;
// libpg_query has LimitOption in another order than PostgreSQL's header: 0 none, 1 LIMIT, 2 WITH TIES.
constexpr int kLimitWithTies = 2;

}  // namespace

std::string deparse_select(const SelectStmt* select, const DeparseHooks& hooks) {
  Deparser printer(hooks);
  if (!hooks.output_names.empty()) printer.name_outputs(&hooks.output_names);
  printer.query(select, 0, false);
  return printer.take();
}

void Deparser::line(const char* text, int before, int after, int plus) {
  indent_ += before;
  remove_trailing_spaces();
  out_ += '\n';
  out_.append(static_cast<size_t>(std::max(indent_, 0) + plus), ' ');
  out_ += text;
  indent_ = std::max(indent_ + after, 0);
}

void Deparser::query(const SelectStmt* select, int indent, bool has_parent) {
  const int saved_indent = indent_;
  const bool saved_parent = has_parent_, saved_single = single_from_;
  indent_ = indent;
  has_parent_ = has_parent;
  auto* from = select->fromClause;
  single_from_ = !has_parent && list_length(from) == 1 && !IsA(linitial(from), JoinExpr) && select->op == SETOP_NONE &&
                 select->withClause == nullptr;
  if (select->intoClause != nullptr) not_supported("SELECT INTO in a stored query");
  if (select->withClause != nullptr) {
    auto* names = std::exchange(output_names_, nullptr);
    with_clause(select->withClause);
    output_names_ = names;
  }
  if (select->op != SETOP_NONE)
    set_operation(select);
  else
    basic_select(select);
  if (select->sortClause != nullptr) {
    line(" ORDER BY ", -kStep, kStep, 1);
    targets_ = select->op == SETOP_NONE ? select->targetList : nullptr;
    sort_list(select->sortClause);
    targets_ = nullptr;
  }
  if (select->limitOffset != nullptr) {
    line(" OFFSET ", -kStep, kStep, 0);
    expression(select->limitOffset);
  }
  if (select->limitCount != nullptr) {
    if (static_cast<int>(select->limitOption) == kLimitWithTies) {
      line(" FETCH FIRST ", -kStep, kStep, 0);
      expression(select->limitCount);
      out_ += " ROWS WITH TIES";
    } else {
      line(" LIMIT ", -kStep, kStep, 0);
      if (IsA(select->limitCount, A_Const) && reinterpret_cast<const A_Const*>(select->limitCount)->isnull)
        out_ += "ALL";
      else
        expression(select->limitCount);
    }
  }
  locking(select->lockingClause);
  indent_ = saved_indent;
  has_parent_ = saved_parent;
  single_from_ = saved_single;
}

void Deparser::with_clause(const WithClause* with) {
  indent_ += kStep;
  out_ += ' ';
  each<CommonTableExpr>(with->ctes, [&](int i, const CommonTableExpr* cte) {
    out_ += i > 0 ? ", " : with->recursive ? "WITH RECURSIVE " : "WITH ";
    out_ += quote_identifier(cte->ctename);
    if (cte->aliascolnames != nullptr) {
      each<Node>(cte->aliascolnames,
                 [&](int j, const Node* name) { out_ += (j > 0 ? ", " : "(") + quote_identifier(string_of(name)); });
      out_ += ')';
    }
    out_ += " AS ";
    if (cte->ctematerialized == CTEMaterializeAlways) out_ += "MATERIALIZED ";
    if (cte->ctematerialized == CTEMaterializeNever) out_ += "NOT MATERIALIZED ";
    if (!IsA(cte->ctequery, SelectStmt)) not_supported("a data-modifying WITH in a stored query");
    out_ += '(';
    line("", 0, 0, 0);
    query(reinterpret_cast<const SelectStmt*>(cte->ctequery), indent_, true);
    line("", 0, 0, 0);
    out_ += ')';
    search_and_cycle(cte);
  });
  indent_ -= kStep;
  line("", 0, 0, 0);
}

void Deparser::search_and_cycle(const CommonTableExpr* cte) {
  auto names = [&](const List* list) {
    each<Node>(list, [&](int i, const Node* name) { out_ += (i > 0 ? ", " : "") + quote_identifier(string_of(name)); });
  };
  if (cte->search_clause != nullptr) {
    const auto* search = reinterpret_cast<const CTESearchClause*>(cte->search_clause);
    out_ += search->search_breadth_first ? " SEARCH BREADTH FIRST BY " : " SEARCH DEPTH FIRST BY ";
    names(search->search_col_list);
    out_ += " SET " + quote_identifier(search->search_seq_column);
  }
  if (cte->cycle_clause != nullptr) {
    const auto* cycle = reinterpret_cast<const CTECycleClause*>(cte->cycle_clause);
    out_ += " CYCLE ";
    names(cycle->cycle_col_list);
    out_ += " SET " + quote_identifier(cycle->cycle_mark_column);
    auto is_bool = [](const Node* node, bool wanted) {
      if (IsA(node, TypeCast)) node = reinterpret_cast<const TypeCast*>(node)->arg;
      if (!IsA(node, A_Const)) return false;
      const auto* constant = reinterpret_cast<const A_Const*>(node);
      return !constant->isnull && IsA(&constant->val, Boolean) && constant->val.boolval.boolval == wanted;
    };
    if (!is_bool(cycle->cycle_mark_value, true) || !is_bool(cycle->cycle_mark_default, false)) {
      out_ += " TO ";
      expression(cycle->cycle_mark_value);
      out_ += " DEFAULT ";
      expression(cycle->cycle_mark_default);
    }
    out_ += " USING " + quote_identifier(cycle->cycle_path_column);
  }
}

void Deparser::set_operand(const SelectStmt* s) {
  if (s->op != SETOP_NONE && s->withClause == nullptr && s->sortClause == nullptr && s->limitCount == nullptr &&
      s->limitOffset == nullptr) {
    set_operation(s);
    return;
  }
  const bool parentheses = s->withClause != nullptr || s->sortClause != nullptr || s->lockingClause != nullptr ||
                           s->limitOffset != nullptr || s->limitCount != nullptr || s->op != SETOP_NONE;
  if (parentheses) out_ += '(';
  query(s, indent_, true);
  if (parentheses) out_ += ')';
}

void Deparser::set_operation(const SelectStmt* s) {
  const bool left_nested = s->larg->op != SETOP_NONE && !(s->larg->op == s->op && s->larg->all == s->all);
  int sub = 0;
  if (left_nested) {
    out_ += '(';
    sub = kStep;
    line("", sub, 0, 0);
  }
  set_operand(s->larg);
  if (left_nested)
    line(") ", -sub, 0, 0);
  else
    line("", -sub, 0, 0);
  out_ += s->op == SETOP_UNION ? "UNION " : s->op == SETOP_INTERSECT ? "INTERSECT " : "EXCEPT ";
  if (s->all) out_ += "ALL ";
  const bool right_nested = s->rarg->op != SETOP_NONE;
  sub = right_nested ? kStep : 0;
  if (right_nested) out_ += '(';
  line("", sub, 0, 0);
  set_operand(s->rarg);
  indent_ -= sub;
  if (right_nested) line(")", 0, 0, 0);
}

void Deparser::values(const List* lists) {
  out_ += "VALUES ";
  each<List>(lists, [&](int i, const List* row) {
    if (i > 0) out_ += ", ";
    out_ += '(';
    each<Node>(row, [&](int j, const Node* value) {
      if (j > 0) out_ += ',';
      expression(value);
    });
    out_ += ')';
  });
}

void Deparser::basic_select(const SelectStmt* s) {
  indent_ += kStep;
  out_ += ' ';
  if (s->valuesLists != nullptr) {
    values(s->valuesLists);
    return;
  }
  out_ += "SELECT";
  if (s->distinctClause != nullptr) {
    out_ += " DISTINCT";
    if (linitial(s->distinctClause) != nullptr) {
      out_ += " ON (";
      targets_ = s->targetList;
      each<Node>(s->distinctClause, [&](int i, const Node* node) {
        if (i > 0) out_ += ", ";
        sort_key(node, true);
      });
      targets_ = nullptr;
      out_ += ')';
    }
  }
  target_list(s->targetList);
  from_clause(s->fromClause);
  if (s->whereClause != nullptr) {
    line(" WHERE ", -kStep, kStep, 1);
    expression(s->whereClause);
  }
  if (s->groupClause != nullptr) {
    line(" GROUP BY ", -kStep, kStep, 1);
    if (s->groupDistinct) out_ += "DISTINCT ";
    targets_ = s->targetList;
    group_by(s->groupClause);
    targets_ = nullptr;
  }
  if (s->havingClause != nullptr) {
    line(" HAVING ", -kStep, kStep, 0);
    expression(s->havingClause);
  }
  each<WindowDef>(s->windowClause, [&](int i, const WindowDef* w) {
    if (i == 0)
      line(" WINDOW ", -kStep, kStep, 1);
    else
      out_ += ", ";
    out_ += quote_identifier(w->name) + " AS ";
    window(w);
  });
}

void Deparser::target_list(const List* targets) {
  const char* separator = " ";
  int number = 0;
  const auto* names = std::exchange(output_names_, nullptr);
  auto name_given = [&]() -> const std::string* {
    return names != nullptr && static_cast<size_t>(number) < names->size() ? &(*names)[static_cast<size_t>(number)]
                                                                           : nullptr;
  };
  auto put = [&](const std::string& text) {
    out_ += separator;
    separator = ", ";
    ++number;
    const bool starts_line = !text.empty() && text[0] == '\n';
    if (starts_line)
      remove_trailing_spaces();
    else if (number > 1)
      line("", -kStep, kStep, kVar);
    out_ += text;
  };
  each<ResTarget>(targets, [&](int, const ResTarget* target) {
    if (IsA(target->val, ColumnRef)) {
      auto* ref = reinterpret_cast<const ColumnRef*>(target->val);
      if (IsA(llast(ref->fields), A_Star)) {
        const auto* columns = hooks_.star ? hooks_.star(*ref) : nullptr;
        if (columns == nullptr) {
          put(column_text(ref));
          return;
        }
        for (const auto& [alias, column] : *columns) {
          std::string text = single_from_ && hooks_.bare_columns_when_single ? quote_identifier(column)
                                                                             : quote_qualified(alias, column);
          const std::string* name = name_given();
          put(name == nullptr || *name == column ? text : text + " AS " + quote_identifier(*name));
        }
        return;
      }
      std::string text = column_text(ref);
      const char* column = string_of(llast(ref->fields));
      // A hook may print another column name than the tree's (after a rename); the output keeps its name.
      std::string wanted = name_given() != nullptr ? *name_given() : target->name != nullptr ? target->name : column;
      std::string tail = quote_identifier(wanted);
      const bool same = text.size() >= tail.size() && text.compare(text.size() - tail.size(), tail.size(), tail) == 0 &&
                        (text.size() == tail.size() || text[text.size() - tail.size() - 1] == '.');
      put(same ? text : text + " AS " + tail);
      return;
    }
    std::string before = std::move(out_);
    out_.clear();
    expression(target->val);
    if (name_given() != nullptr)
      out_ += " AS " + quote_identifier(*name_given());
    else if (target->name != nullptr)
      out_ += " AS " + quote_identifier(target->name);
    else if (hooks_.output_name)
      out_ += " AS " + quote_identifier(hooks_.output_name(target->val));
    std::string text = std::move(out_);
    out_ = std::move(before);
    put(text);
  });
}

void Deparser::from_clause(const List* items) {
  each<Node>(items, [&](int i, const Node* item) {
    if (i == 0) {
      line(" FROM ", -kStep, kStep, 2);
      from_item(item);
      return;
    }
    out_ += ", ";
    std::string before = std::move(out_);
    out_.clear();
    from_item(item);
    std::string text = std::move(out_);
    out_ = std::move(before);
    if (!text.empty() && text[0] == '\n')
      remove_trailing_spaces();
    else
      line("", -kStep, kStep, kVar);
    out_ += text;
  });
}

void Deparser::alias(const Alias* alias) {
  if (alias == nullptr) return;
  out_ += ' ';
  out_ += quote_identifier(alias->aliasname);
  each<Node>(alias->colnames,
             [&](int i, const Node* name) { out_ += (i > 0 ? ", " : "(") + quote_identifier(string_of(name)); });
  if (alias->colnames != nullptr) out_ += ')';
}

void Deparser::from_item(const Node* item) {
  switch (nodeTag(item)) {
    case T_RangeVar: {
      auto* v = reinterpret_cast<const RangeVar*>(item);
      if (!v->inh) out_ += "ONLY ";
      out_ += hooks_.relation ? hooks_.relation(*v)
                              : quote_qualified(v->schemaname == nullptr ? "" : v->schemaname, v->relname);
      if (v->alias != nullptr) {
        alias(v->alias);
      } else if (hooks_.implied_alias) {
        std::string implied = hooks_.implied_alias(*v);
        if (!implied.empty()) out_ += " " + quote_identifier(implied);
      }
      return;
    }
    case T_RangeSubselect: {
      auto* s = reinterpret_cast<const RangeSubselect*>(item);
      if (s->lateral) out_ += "LATERAL ";
      out_ += '(';
      query(reinterpret_cast<const SelectStmt*>(s->subquery), indent_, true);
      out_ += ')';
      alias(s->alias);
      return;
    }
    case T_JoinExpr: {
      auto* j = reinterpret_cast<const JoinExpr*>(item);
      const bool right_parentheses =
          hooks_.pretty && IsA(j->rarg, JoinExpr) && reinterpret_cast<const JoinExpr*>(j->rarg)->alias == nullptr;
      const bool parentheses = !hooks_.pretty || j->alias != nullptr;
      if (parentheses) out_ += '(';
      from_item(j->larg);
      const auto* natural = j->isNatural && hooks_.natural_columns ? hooks_.natural_columns(item) : nullptr;
      std::string word = j->isNatural && natural == nullptr ? " NATURAL" : "";
      switch (j->jointype) {
        case JOIN_INNER:
          word += j->quals != nullptr || j->usingClause != nullptr || j->isNatural ? " JOIN " : " CROSS JOIN ";
          break;
        case JOIN_LEFT: word += " LEFT JOIN "; break;
        case JOIN_FULL: word += " FULL JOIN "; break;
        case JOIN_RIGHT: word += " RIGHT JOIN "; break;
        default: not_supported("this kind of join in a stored query");
      }
      line(word.c_str(), -kStep, kStep, kJoin);
      if (right_parentheses) out_ += '(';
      from_item(j->rarg);
      if (right_parentheses) out_ += ')';
      if (natural != nullptr && !natural->empty()) {
        for (size_t i = 0; i < natural->size(); ++i)
          out_ += (i > 0 ? ", " : " USING (") + quote_identifier((*natural)[i]);
        out_ += ')';
      } else if (natural != nullptr) {
        out_ += " ON (true)";
      } else if (j->usingClause != nullptr) {
        out_ += " USING ";
        each<Node>(j->usingClause,
                   [&](int i, const Node* name) { out_ += (i > 0 ? ", " : "(") + quote_identifier(string_of(name)); });
        out_ += ')';
        if (j->join_using_alias != nullptr) out_ += " AS " + quote_identifier(j->join_using_alias->aliasname);
      } else if (j->quals != nullptr) {
        out_ += " ON ";
        if (!hooks_.pretty) out_ += '(';
        expression(j->quals);
        if (!hooks_.pretty) out_ += ')';
      }
      if (parentheses) out_ += ')';
      alias(j->alias);
      return;
    }
    case T_RangeFunction: {
      auto* f = reinterpret_cast<const RangeFunction*>(item);
      if (f->lateral) out_ += "LATERAL ";
      if (f->is_rowsfrom) out_ += "ROWS FROM(";
      each<List>(f->functions, [&](int i, const List* pair) {
        if (i > 0) out_ += ", ";
        expression(static_cast<const Node*>(linitial(const_cast<List*>(pair))));
        if (lsecond(const_cast<List*>(pair)) != nullptr) not_supported("a column definition list in a stored query");
      });
      if (f->is_rowsfrom) out_ += ')';
      if (f->ordinality) out_ += " WITH ORDINALITY";
      if (f->coldeflist != nullptr) not_supported("a column definition list in a stored query");
      alias(f->alias);
      return;
    }
    case T_RangeTableSample: {
      auto* t = reinterpret_cast<const RangeTableSample*>(item);
      from_item(t->relation);
      out_ += " TABLESAMPLE ";
      out_ += quote_identifier(string_of(llast(t->method))) + " (";
      list(t->args);
      out_ += ')';
      if (t->repeatable != nullptr) {
        out_ += " REPEATABLE (";
        expression(t->repeatable);
        out_ += ')';
      }
      return;
    }
    default: not_supported("this FROM item in a stored query");
  }
}

void Deparser::group_by(const List* clause) {
  each<Node>(clause, [&](int i, const Node* node) {
    if (i > 0) out_ += ", ";
    if (!IsA(node, GroupingSet)) {
      sort_key(node, false);
      return;
    }
    auto* set = reinterpret_cast<const GroupingSet*>(node);
    switch (set->kind) {
      case GROUPING_SET_EMPTY: out_ += "()"; return;
      case GROUPING_SET_ROLLUP: out_ += "ROLLUP("; break;
      case GROUPING_SET_CUBE: out_ += "CUBE("; break;
      case GROUPING_SET_SETS: out_ += "GROUPING SETS ("; break;
      default: out_ += '(';
    }
    group_by(set->content);
    out_ += ')';
  });
}

namespace {

/// The output that `node` names by number or name; nullptr when it is an expression of its own (or a star hides which one).
const Node* output_named(const List* targets, const Node* node, bool by_name) {
  const bool number = IsA(node, A_Const) && !reinterpret_cast<const A_Const*>(node)->isnull &&
                      nodeTag(&reinterpret_cast<const A_Const*>(node)->val.node) == T_Integer;
  const auto* ref = IsA(node, ColumnRef) ? reinterpret_cast<const ColumnRef*>(node) : nullptr;
  const char* name = ref != nullptr && list_length(ref->fields) == 1 && IsA(linitial(ref->fields), String)
                         ? string_of(linitial(ref->fields))
                         : nullptr;
  const Node* found = nullptr;
  bool star = false;
  each<ResTarget>(targets, [&](int i, const ResTarget* target) {
    if (found != nullptr || star) return;
    if (IsA(target->val, ColumnRef) && IsA(llast(reinterpret_cast<const ColumnRef*>(target->val)->fields), A_Star))
      star = true;
    else if (number && reinterpret_cast<const A_Const*>(node)->val.ival.ival == i + 1)
      found = target->val;
    else if (by_name && name != nullptr) {
      const char* own = target->name;
      if (own == nullptr && IsA(target->val, ColumnRef))
        own = string_of(llast(reinterpret_cast<const ColumnRef*>(target->val)->fields));
      if (own != nullptr && std::string_view(name) == own) found = target->val;
    }
  });
  return found;
}

/// Whether one pair of parentheses holds the whole text.
bool enclosed(std::string_view text) {
  if (text.empty() || text.front() != '(') return false;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return i + 1 == text.size();
    }
  }
  return false;
}

}  // namespace

void Deparser::sort_key(const Node* node, bool by_name) {
  if (const Node* output = output_named(targets_, node, by_name)) node = output;
  const auto* targets = std::exchange(targets_, nullptr);  // inside of the expression a number is a number
  const size_t start = out_.size();
  expression(node);
  if (!IsA(node, ColumnRef) && !IsA(node, A_Const) && !enclosed(std::string_view(out_).substr(start))) {
    out_.insert(start, "(");
    out_ += ')';
  }
  targets_ = targets;
}

void Deparser::sort_list(const List* sorts) {
  each<SortBy>(sorts, [&](int i, const SortBy* s) {
    if (i > 0) out_ += ", ";
    sort_key(s->node, true);
    if (s->useOp != nullptr) {
      out_ += " USING ";
      operator_name(s->useOp);
    } else if (s->sortby_dir == SORTBY_DESC) {
      out_ += " DESC";
      if (s->sortby_nulls == SORTBY_NULLS_LAST) out_ += " NULLS LAST";
    } else if (s->sortby_nulls == SORTBY_NULLS_FIRST) {
      out_ += " NULLS FIRST";
    }
  });
}

void Deparser::window(const WindowDef* w) {
  out_ += '(';
  const char* separator = "";
  if (w->refname != nullptr) {
    out_ += quote_identifier(w->refname);
    separator = " ";
  }
  if (w->partitionClause != nullptr) {
    out_ += separator;
    out_ += "PARTITION BY ";
    list(w->partitionClause);
    separator = " ";
  }
  if (w->orderClause != nullptr) {
    out_ += separator;
    out_ += "ORDER BY ";
    sort_list(w->orderClause);
    separator = " ";
  }
  const int o = w->frameOptions;
  if ((o & FRAMEOPTION_NONDEFAULT) != 0) {
    out_ += separator;
    out_ += (o & FRAMEOPTION_RANGE) != 0 ? "RANGE " : (o & FRAMEOPTION_ROWS) != 0 ? "ROWS " : "GROUPS ";
    if ((o & FRAMEOPTION_BETWEEN) != 0) out_ += "BETWEEN ";
    if ((o & FRAMEOPTION_START_UNBOUNDED_PRECEDING) != 0)
      out_ += "UNBOUNDED PRECEDING ";
    else if ((o & FRAMEOPTION_START_CURRENT_ROW) != 0)
      out_ += "CURRENT ROW ";
    else {
      expression(w->startOffset);
      out_ += (o & FRAMEOPTION_START_OFFSET_PRECEDING) != 0 ? " PRECEDING " : " FOLLOWING ";
    }
    if ((o & FRAMEOPTION_BETWEEN) != 0) {
      out_ += "AND ";
      if ((o & FRAMEOPTION_END_UNBOUNDED_FOLLOWING) != 0)
        out_ += "UNBOUNDED FOLLOWING ";
      else if ((o & FRAMEOPTION_END_CURRENT_ROW) != 0)
        out_ += "CURRENT ROW ";
      else {
        expression(w->endOffset);
        out_ += (o & FRAMEOPTION_END_OFFSET_PRECEDING) != 0 ? " PRECEDING " : " FOLLOWING ";
      }
    }
    if ((o & FRAMEOPTION_EXCLUDE_CURRENT_ROW) != 0)
      out_ += "EXCLUDE CURRENT ROW ";
    else if ((o & FRAMEOPTION_EXCLUDE_GROUP) != 0)
      out_ += "EXCLUDE GROUP ";
    else if ((o & FRAMEOPTION_EXCLUDE_TIES) != 0)
      out_ += "EXCLUDE TIES ";
    remove_trailing_spaces();
  }
  out_ += ')';
}

void Deparser::locking(const List* clauses) {
  each<LockingClause>(clauses, [&](int, const LockingClause* c) {
    constexpr const char* kWords[] = {"", " FOR KEY SHARE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE"};
    line(kWords[c->strength], -kStep, kStep, 0);
    each<RangeVar>(c->lockedRels,
                   [&](int i, const RangeVar* v) { out_ += (i > 0 ? ", " : " OF ") + quote_identifier(v->relname); });
    if (c->waitPolicy == LockWaitError) out_ += " NOWAIT";
    if (c->waitPolicy == LockWaitSkip) out_ += " SKIP LOCKED";
  });
}

}  // namespace omendb::sql
