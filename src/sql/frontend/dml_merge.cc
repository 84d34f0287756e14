// MERGE: source and target joined, each row given the number of the first action that applies, and every action's new row.
#include <algorithm>

#include "duckdb/parser/expression/case_expression.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/joinref.hpp"

#include "sql/frontend/dml.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace {

struct MergeAction {
  WriteAction write;
  std::unique_ptr<RowBuilder> row;
  bool matched = false;
  Tree condition;
};

std::string value_name(size_t action, int16_t attnum) {
  return "a" + std::to_string(action) + "c" + std::to_string(attnum);
}

void analyze_insert_action(Scope& scope, MergeWhenClause* when, const TargetRows& target, RowBuilder& row) {
  std::vector<int16_t> attnums;
  ListCell* cell = nullptr;
  foreach (cell, when->targetList) {
    auto* name = lfirst_node(ResTarget, cell);
    if (name->indirection != nullptr) not_supported("assignment to an array element or field", name->location);
    int16_t attnum = target_attnum(target, target.table->name, name->name, name->location, DmlVerb::kInsert);
    if (std::find(attnums.begin(), attnums.end(), attnum) != attnums.end()) {
      throw SqlError(SqlState::kDuplicateColumn, std::string("column \"") + name->name + "\" specified more than once",
                     name->location);
    }
    attnums.push_back(attnum);
  }
  bool given = when->targetList != nullptr;
  if (!given) attnums = target.attnums;
  size_t count = static_cast<size_t>(list_length(when->values));
  if (count > attnums.size()) {
    throw SqlError(SqlState::kSyntaxError, "INSERT has more expressions than target columns",
                   exprLocation(static_cast<Node*>(list_nth(when->values, static_cast<int>(attnums.size())))));
  }
  if (given && when->values != nullptr && count < attnums.size()) {
    throw SqlError(SqlState::kSyntaxError, "INSERT has more target columns than expressions",
                   list_nth_node(ResTarget, when->targetList, static_cast<int>(count))->location);
  }
  size_t i = 0;
  foreach (cell, when->values) {
    const catalog::Column& column = target.table->columns[static_cast<size_t>(attnums[i++]) - 1];
    TypedExpr value = analyze_insert_value(scope, static_cast<Node*>(lfirst(cell)), *target.table, column,
                                           when->override, ExprKind::kValues);
    if (!column.generated) row.set(column.attnum, std::move(value));
  }
  row.fill("");
}

}  // namespace

AnalyzedQuery analyze_merge(StatementContext& statement, Scope* parent, Node* raw) {
  auto* stmt = reinterpret_cast<MergeStmt*>(raw);
  AnalyzedQuery query;
  query.kind = QueryKind::kMerge;
  Scope scope;
  scope.statement = &statement;
  scope.parent = parent;
  duckdb::CommonTableExpressionMap ctes;
  if (stmt->withClause != nullptr) {
    if (stmt->withClause->recursive) {
      throw SqlError(SqlState::kFeatureNotSupported, "WITH RECURSIVE is not supported for MERGE statement");
    }
    analyze_with(scope, ctes, stmt->withClause);
  }
  // What can be reached: after an unconditional clause of a kind, nothing of that kind.
  bool matched_final = false, unmatched_final = false, has_unmatched = false;
  ListCell* cell = nullptr;
  foreach (cell, stmt->mergeWhenClauses) {
    auto* when = lfirst_node(MergeWhenClause, cell);
    bool& final = when->matched ? matched_final : unmatched_final;
    if (final) {
      throw SqlError(SqlState::kSyntaxError, "unreachable WHEN clause specified after unconditional WHEN clause");
    }
    final = when->condition == nullptr;
    has_unmatched |= !when->matched;
  }

  std::string alias = statement.new_alias("r");
  TargetRows target = open_target(statement, stmt->relation, alias, DmlVerb::kMerge);
  const catalog::Table& table = *target.table;
  query.target = table.oid;
  scope.duck_aliases.insert(alias);

  FromItem source = analyze_from_item(scope, stmt->sourceRelation);
  for (const ScopeItem& item : source.items) {
    if (item.relation_visible && !item.alias.empty() && item.alias == target.item.alias) {
      throw SqlError(SqlState::kDuplicateAlias, "name \"" + item.alias + "\" specified more than once")
          .detail("The name is used both as MERGE target table and data source.");
    }
  }
  note_seen(scope, target.item, table.name);
  std::vector<ScopeItem> source_items = source.items;
  std::vector<ScopeItem> both = source_items;
  both.insert(both.begin(), target.item);

  scope.items = both;
  Tree on = boolean_tree(scope, analyze_expr(scope, stmt->joinCondition, ExprKind::kJoinOn), "JOIN/ON");

  std::vector<MergeAction> actions;
  foreach (cell, stmt->mergeWhenClauses) {
    auto* when = lfirst_node(MergeWhenClause, cell);
    MergeAction action;
    action.matched = when->matched;
    scope.items = when->matched ? both : source_items;
    if (when->condition != nullptr) {
      action.condition = boolean_tree(scope, analyze_expr(scope, when->condition, ExprKind::kMergeWhen), "WHEN");
    }
    switch (when->commandType) {
      case CMD_INSERT:
        action.write.kind = WriteAction::Kind::kInsert;
        action.row = std::make_unique<RowBuilder>(scope, table);
        analyze_insert_action(scope, when, target, *action.row);
        action.row->derive();
        break;
      case CMD_UPDATE:
        action.write.kind = WriteAction::Kind::kUpdate;
        action.row = std::make_unique<RowBuilder>(scope, table);
        action.write.changed =
            analyze_set_clause(scope, when->targetList, target, stmt->relation->relname, *action.row);
        action.row->fill(alias);
        action.row->derive();
        break;
      case CMD_DELETE: action.write.kind = WriteAction::Kind::kDelete; break;
      default: action.write.kind = WriteAction::Kind::kNothing; break;
    }
    actions.push_back(std::move(action));
  }
  scope.items = both;

  // Level 1: the join, the key and the number of the action; and the columns that actions read.
  std::string joined = statement.new_alias("q"), valued = statement.new_alias("q");
  auto first = emit::select();
  auto join = duckdb::make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::REGULAR);
  join->type = has_unmatched ? duckdb::JoinType::LEFT : duckdb::JoinType::INNER;
  join->left = std::move(source.ref);
  join->right = scan_of(table, alias);
  join->condition = std::move(on);
  first->from_table = std::move(join);
  auto number = duckdb::make_uniq<duckdb::CaseExpression>();
  for (size_t i = 0; i < actions.size(); ++i) {
    Tree key = emit::column(alias, "_key");
    Tree when = actions[i].matched ? emit::is_not_null(std::move(key)) : emit::is_null(std::move(key));
    duckdb::CaseCheck check;
    check.when_expr = emit::conjunction(std::move(when), std::move(actions[i].condition));
    check.then_expr = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(static_cast<int32_t>(i)));
    number->case_checks.push_back(std::move(check));
  }
  number->else_expr = emit::null_of(duckdb::LogicalType::INTEGER);
  auto add = [](duckdb::SelectNode& node, Tree e, const std::string& name) {
    e->SetAlias(name);
    node.select_list.push_back(std::move(e));
  };
  add(*first, emit::column(alias, "_key"), "key");
  add(*first, std::move(number), "action");
  std::map<std::pair<std::string, std::string>, std::string> carried;
  auto carry = [&](Tree& tree) {
    visit_expressions(tree, [&](Tree& e) {
      if (e->GetExpressionClass() != duckdb::ExpressionClass::COLUMN_REF) return true;
      const auto& ref = e->Cast<duckdb::ColumnRefExpression>();
      if (ref.column_names.size() != 2 || scope.duck_aliases.count(ref.column_names[0]) == 0) return false;
      std::string& name = carried[{ref.column_names[0], ref.column_names[1]}];
      if (name.empty()) {
        name = "p" + std::to_string(carried.size());
        add(*first, e->Copy(), name);
      }
      replace(e, emit::column(joined, name));
      return false;
    });
  };

  // Level 2: the values of every action, computed only for the rows that it takes.
  auto second = emit::select();
  add(*second, emit::column(joined, "key"), "key");
  add(*second, emit::column(joined, "action"), "action");
  auto gate = [&](const std::string& from, size_t i, Tree value) {
    Tree mine =
        emit::compare(duckdb::ExpressionType::COMPARE_EQUAL, emit::column(from, "action"),
                      duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(static_cast<int32_t>(i))));
    return emit::case_when(std::move(mine), std::move(value), nullptr);
  };
  for (size_t i = 0; i < actions.size(); ++i) {
    if (actions[i].row == nullptr) continue;
    std::vector<Tree>& values = actions[i].row->values();
    for (size_t k = 0; k < values.size(); ++k) {
      if (values[k] == nullptr) continue;
      carry(values[k]);
      add(*second, gate(joined, i, std::move(values[k])), value_name(i, static_cast<int16_t>(k + 1)));
    }
  }
  second->where_clause = emit::is_not_null(emit::column(joined, "action"));
  second->from_table = emit::subquery(std::move(first), joined);

  // Level 3: generated columns and checks over those values.
  auto third = emit::select();
  add(*third, emit::column(valued, "key"), "o1");
  add(*third, emit::column(valued, "action"), "o2");
  query.key = 0;
  query.action_column = 1;
  for (size_t i = 0; i < actions.size(); ++i) {
    MergeAction& action = actions[i];
    if (action.row != nullptr) {
      RowBuilder& row = *action.row;
      std::function<Tree(const std::string&)> value = [&](const std::string& name) -> Tree {
        if (name == "_key") return emit::boolean(true);
        auto attnum = static_cast<int16_t>(std::stoi(name.substr(1)));
        auto generated = row.generated().find(attnum);
        if (generated == row.generated().end()) return emit::column(valued, value_name(i, attnum));
        Tree copy = generated->second->Copy();
        substitute_columns(copy, row.new_row(), value);
        return copy;
      };
      action.write.row.assign(table.columns.size(), SIZE_MAX);
      for (const catalog::Column& column : table.columns) {
        if (column.dropped) continue;
        Tree e = value("c" + std::to_string(column.attnum));
        if (column.generated) e = gate(valued, i, std::move(e));
        action.write.row[static_cast<size_t>(column.attnum) - 1] = third->select_list.size();
        add(*third, std::move(e), "o" + std::to_string(third->select_list.size() + 1));
      }
      for (RowBuilder::CheckExpr& check : row.checks()) {
        substitute_columns(check.condition, row.new_row(), value);
        action.write.checks.push_back({third->select_list.size(), check.name, check.view});
        add(*third, gate(valued, i, std::move(check.condition)), "o" + std::to_string(third->select_list.size() + 1));
      }
    }
    query.actions.push_back(std::move(action.write));
  }
  third->from_table = emit::subquery(std::move(second), valued);
  DuckNode node = std::move(third);
  attach_ctes(node, ctes);
  query.select = emit::statement(std::move(node));
  return query;
}

}  // namespace omendb::sql
