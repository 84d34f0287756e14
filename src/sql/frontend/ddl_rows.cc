// Rows read, written again, or looked at for DDL.
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"

#include "sql/frontend/emission.h"
#include "sql/frontend/parser.h"

#include "sql/frontend/ddl_internal.h"

namespace omendb::sql {

// SELECT <assignment cast of each output> FROM (query) q(o1, o2, ...): what an INSERT of the query would store.
AnalyzedQuery Ddl::assign_outputs(StatementContext& statement, AnalyzedQuery query,
                                  const std::vector<catalog::Column>& targets) {
  CHECK(query.outputs.size() == targets.size());
  Scope scope;
  scope.statement = &statement;
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  const std::string alias = statement.new_alias("a");
  duckdb::vector<std::string> names;
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::string name = "o" + std::to_string(i + 1);
    names.push_back(name);
    TypedExpr value;
    value.duck = duckdb::make_uniq<duckdb::ColumnRefExpression>(name, alias);
    value.type = query.outputs[i].type;
    value.typmod = query.outputs[i].typmod;
    value.physical = query.outputs[i].physical;
    auto cast = try_coerce(scope, std::move(value), targets[i].type, targets[i].typmod, CoercionContext::kAssignment);
    if (!cast) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     "column " + quoted(targets[i].name) + " cannot be cast automatically to type " +
                         format_type(*statement.catalog, targets[i].type, targets[i].typmod));
    }
    const bool decimal = cast->physical.is_decimal() || targets[i].physical.is_decimal();
    if (decimal && !(cast->physical == targets[i].physical))
      *cast = to_numeric_form(scope, std::move(*cast), targets[i].physical);
    cast->duck->SetAlias(name);
    node->select_list.push_back(duckdb::unique_ptr<duckdb::ParsedExpression>(cast->duck.release()));
    query.outputs[i].type = targets[i].type;
    query.outputs[i].typmod = targets[i].typmod;
    query.outputs[i].physical = targets[i].physical;
  }
  // Hidden outputs (none for a plain SELECT) would have no name here.
  auto from = duckdb::make_uniq<duckdb::SubqueryRef>(
      duckdb::unique_ptr<duckdb::SelectStatement>(query.select.release()), alias);
  from->column_name_alias = names;
  node->from_table = std::move(from);
  auto select = duckdb::make_uniq<duckdb::SelectStatement>();
  select->node = std::move(node);
  query.select = std::move(select);
  return query;
}

AnalyzedQuery Ddl::rows_query(std::string_view sql, const std::vector<catalog::Column>& targets) {
  std::string text(sql);
  ParseTree tree(text);
  StatementContext statement = context_.analysis(text);
  AnalyzedQuery query = analyze_query(statement, tree.statements().at(0).node);
  std::vector<catalog::Column> live;
  for (const auto& column : targets) {
    if (!column.dropped) live.push_back(column);
  }
  return assign_outputs(statement, std::move(query), live);
}

bool Ddl::has_rows(const std::string& sql) {
  ParseTree tree(sql);
  StatementContext statement = context_.analysis(sql);
  return context_.has_rows(analyze_query(statement, tree.statements().at(0).node));
}

std::optional<std::string> Ddl::first_text(const std::string& sql) {
  ParseTree tree(sql);
  StatementContext statement = context_.analysis(sql);
  return context_.first_text(analyze_query(statement, tree.statements().at(0).node));
}

void Ddl::rewrite_table(const catalog::Table& given, const std::map<int16_t, std::string>& expressions,
                        std::vector<catalog::Index> next_indexes, const std::string& key_being_made,
                        const std::map<int16_t, std::string>& shapes) {
  auto now = catalog();
  const catalog::Table* old = now->find<catalog::Table>(given.oid);
  catalog::Table next = given;
  std::string sql = "SELECT ";
  bool first = true;
  for (const catalog::Column& column : next.columns) {
    if (column.dropped) continue;
    if (!first) sql += ", ";
    first = false;
    auto it = expressions.find(column.attnum);
    if (it != expressions.end()) {
      sql += "(" + it->second + ")";
    } else {
      // By its name before this change.
      sql += quote_identifier(old->columns[static_cast<size_t>(column.attnum) - 1].name);
    }
    sql += " AS " + quote_identifier(column.name);
  }
  if (first) sql += "NULL::integer";
  sql += " FROM ONLY " + quote_qualified(schema_name(old->schema), old->name);
  next.storage = new_storage();
  for (catalog::Column& column : next.columns) column.missing.reset();
  std::vector<catalog::Change> changes;
  for (Oid oid : next.indexes) {
    const catalog::Index* index = nullptr;
    for (const auto& made : next_indexes) {
      if (made.oid == oid) index = &made;
    }
    if (index == nullptr) index = now->find<catalog::Index>(oid);
    catalog::Index copy = *index;
    if (const auto* before = now->find<catalog::Index>(oid); before != nullptr && !before->primary) {
      context_.database().drop_storage(context_.transaction(), before->storage);
    }
    copy.storage = copy.primary ? next.storage : new_storage();
    changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(copy))});
  }
  changes.push_back({next.oid, std::make_shared<const catalog::Object>(next)});
  auto after = value_or_throw(now->with(changes));
  if (!first) {
    AnalyzedQuery query = rows_query(sql, next.columns);
    auto& outputs = query.select->node->Cast<duckdb::SelectNode>().select_list;
    size_t position = 0;
    for (const catalog::Column& column : next.columns) {
      if (column.dropped) continue;
      auto& output = outputs[position++];
      const auto shape = shapes.find(column.attnum);
      if (shape == shapes.end()) continue;
      const std::string alias = output->GetAlias();
      output = duckdb::unique_ptr<duckdb::ParsedExpression>(
          make_call("omen_reshape", DuckExpr(output.release()), make_text(shape->second)).release());
      output->SetAlias(alias);
    }
    try {
      context_.copy_rows(std::move(query), after, *after->find<catalog::Table>(next.oid));
    } catch (SqlError& error) {
      if (error.info().code == SqlState::kUniqueViolation &&
          (key_being_made.empty() || error.info().constraint == key_being_made)) {
        error.info().message = "could not create unique index " + quoted(error.info().constraint);
        const std::string tail = " already exists.";
        std::string& detail = error.info().detail;
        if (detail.ends_with(tail)) detail.replace(detail.size() - tail.size(), tail.size(), " is duplicated.");
      }
      throw;
    }
  }
  context_.database().drop_storage(context_.transaction(), old->storage);
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
}

void Ddl::empty_table(Oid oid) {
  auto now = catalog();
  catalog::Table next = *now->find<catalog::Table>(oid);
  context_.database().drop_storage(context_.transaction(), next.storage);
  next.storage = new_storage();
  std::vector<catalog::Change> changes;
  for (Oid index_oid : next.indexes) {
    catalog::Index index = *now->find<catalog::Index>(index_oid);
    if (index.primary) {
      index.storage = next.storage;
    } else {
      context_.database().drop_storage(context_.transaction(), index.storage);
      index.storage = new_storage();
    }
    changes.push_back({index_oid, std::make_shared<const catalog::Object>(std::move(index))});
  }
  changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(next))});
  throw_if_error(context_.database().change_catalog(context_.transaction(), std::move(changes)));
}

}  // namespace omendb::sql
