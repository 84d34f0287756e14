// Functions in FROM. Each is a list of rows (expr.h) or one row; several of them, and WITH ORDINALITY, run in lockstep.
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/query.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

std::string system_function_name(const FuncCall* call) {
  const int parts = list_length(call->funcname);
  if (parts > 2 || (parts == 2 && std::string_view(strVal(linitial(call->funcname))) != "pg_catalog")) return {};
  return strVal(llast(call->funcname));
}

namespace {

struct FromFunction {
  TypedExpr expr;
  std::string name;
  bool record = false;  // its rows are records, whose fields expr.fields describes
};

std::vector<Tree> one(Tree e) {
  std::vector<Tree> list;
  list.push_back(std::move(e));
  return list;
}

Tree text(const std::string& value) { return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(value)); }

void set_name(Tree& e, const std::string& name) { e->SetAlias(name); }

// The LIST below a set-returning call; one element for a plain function.
Tree list_of(TypedExpr& expr) {
  if (expr.duck->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
    auto& call = expr.duck->Cast<duckdb::FunctionExpression>();
    if (call.function_name == "unnest" && call.children.size() == 1) return std::move(call.children[0]);
  }
  return emit::call("list_value", one(owned(std::move(expr.duck))));
}

// unnest(a, b) in FROM is ROWS FROM (unnest(a), unnest(b)).
bool is_multiple_unnest(Node* node) {
  if (!IsA(node, FuncCall)) return false;
  auto* call = reinterpret_cast<FuncCall*>(node);
  return list_length(call->args) > 1 && system_function_name(call) == "unnest" && call->agg_order == nullptr &&
         !call->agg_star && !call->agg_distinct && !call->func_variadic && call->over == nullptr;
}

void add_record_field(Scope& scope, FromFunction* function, const std::string& name, Oid type, int32_t typmod) {
  TypedExpr field;
  field.type = type;
  field.typmod = typmod;
  // A record's numerics lie as bytes.
  field.physical = physical_of(*scope.statement, type, typmod);
  if (field.physical.is_decimal()) field.physical = {types::Physical::kBytes};
  function->expr.fields.push_back(std::move(field));
  function->expr.field_names.push_back(name);
  function->record = true;
}

/// json_to_record(...) AS t(a int, b text) and its kin.
FromFunction with_definitions(Scope& scope, Node* node, List* definitions) {
  StatementContext& statement = *scope.statement;
  const int location = exprLocation(node);
  auto refuse = [&](const char* message) { throw SqlError(SqlState::kSyntaxError, message, location); };
  if (!IsA(node, FuncCall)) refuse("a column definition list is only allowed for functions returning \"record\"");
  auto* call = reinterpret_cast<FuncCall*>(node);
  const std::string name = strVal(llast(call->funcname));
  const bool jsonb = name.starts_with("jsonb_");
  const bool known = name == "json_to_record" || name == "json_to_recordset" || name == "jsonb_to_record" ||
                     name == "jsonb_to_recordset";
  if (!known || list_length(call->args) != 1) {
    TypedExpr other = analyze_expr(scope, node, ExprKind::kFromFunction);  // for its errors
    if (!other.fields.empty()) refuse("a column definition list is redundant for a function with OUT parameters");
    if (other.type != types::oid::kRecord)
      refuse("a column definition list is only allowed for functions returning \"record\"");
    not_supported("a column definition list for function " + name, location);
  }
  const Oid type = jsonb ? types::oid::kJsonb : types::oid::kJson;
  TypedExpr argument =
      coerce(scope, analyze_expr(scope, static_cast<Node*>(linitial(call->args)), ExprKind::kFromFunction), type, -1,
             CoercionContext::kImplicit);
  FromFunction function;
  function.name = name;
  std::vector<DuckExpr> names, types;
  for (auto* list : {&names, &types})
    list->push_back(make_text(type_descriptor(statement, types::oid::kText, {types::Physical::kBytes})));
  ListCell* cell = nullptr;
  foreach (cell, definitions) {
    auto* definition = lfirst_node(ColumnDef, cell);
    const ResolvedType resolved = resolve_type(statement, definition->typeName);
    add_record_field(scope, &function, definition->colname, resolved.type, resolved.typmod);
    names.push_back(make_text(definition->colname));
    types.push_back(
        make_text(type_descriptor(statement, resolved.type, function.expr.fields.back().physical, resolved.typmod)));
  }
  DuckExpr rows = make_call("omen_" + name + "_as", make_function("omen_array", std::move(names)),
                            make_function("omen_array", std::move(types)), std::move(argument.duck));
  if (name.ends_with("set")) rows = make_call("unnest", std::move(rows));
  function.expr.duck = std::move(rows);
  function.expr.type = types::oid::kRecord;
  function.expr.physical = {types::Physical::kBytes};
  return function;
}

void analyze_one(Scope& scope, Node* node, List* definitions, std::vector<FromFunction>* functions) {
  if (definitions != nullptr) {
    functions->push_back(with_definitions(scope, node, definitions));
    return;
  }
  if (is_multiple_unnest(node)) {
    auto* call = reinterpret_cast<FuncCall*>(node);
    ListCell* cell = nullptr;
    foreach (cell, call->args) {
      FuncCall single = *call;
      List arguments{};
      arguments.type = T_List;
      arguments.length = arguments.max_length = 1;
      arguments.elements = cell;
      single.args = &arguments;
      analyze_one(scope, reinterpret_cast<Node*>(&single), nullptr, functions);
    }
    return;
  }
  FromFunction function;
  function.name = target_name(node);
  function.expr = resolve_unknown(scope, analyze_expr(scope, node, ExprKind::kFromFunction));
  if (function.expr.type == types::oid::kRecord && function.expr.fields.empty()) {
    throw SqlError(SqlState::kSyntaxError, "a column definition list is required for functions returning \"record\"",
                   exprLocation(node));
  }
  if (const auto* columns =
          function.expr.fields.empty()
              ? composite_columns(*scope.statement->catalog, base_type_of(*scope.statement, function.expr.type))
              : nullptr) {
    for (const catalog::Column& column : *columns) {
      if (!column.dropped) add_record_field(scope, &function, column.name, column.type, column.typmod);
    }
  }
  functions->push_back(std::move(function));
}

}  // namespace

FromItem analyze_from_function(Scope& scope, Node* range_function) {
  auto* range = reinterpret_cast<RangeFunction*>(range_function);
  StatementContext& statement = *scope.statement;
  if (auto file = analyze_from_file(scope, range_function)) return std::move(*file);
  std::vector<FromFunction> functions;
  {
    Restore active(scope.lateral_active);
    scope.lateral_active = true;  // a function in FROM always sees what stands before it
    ListCell* cell = nullptr;
    foreach (cell, range->functions) {
      auto* pair = static_cast<List*>(lfirst(cell));
      List* definitions = static_cast<List*>(lsecond(pair));
      if (definitions == nullptr && list_length(range->functions) == 1) definitions = range->coldeflist;
      analyze_one(scope, static_cast<Node*>(linitial(pair)), definitions, &functions);
    }
  }

  std::string alias = statement.new_alias("r");
  ScopeItem item;
  item.kind = 'f';
  item.alias = range->alias != nullptr ? range->alias->aliasname : functions[0].name;

  auto rows = emit::select();  // one column a function: u1, u2, ...; then the ordinality
  bool lockstep = functions.size() > 1 || range->ordinality;
  bool any_fields = false;
  for (const FromFunction& f : functions) any_fields |= !f.expr.fields.empty();
  if (!lockstep) {
    rows->select_list.push_back(owned(std::move(functions[0].expr.duck)));
    set_name(rows->select_list.back(), "c1");
    rows->from_table = emit::empty();
  } else {
    std::string lists_alias = statement.new_alias("f");
    auto lists = emit::select();
    lists->from_table = emit::empty();
    std::vector<Tree> lengths;
    for (size_t i = 0; i < functions.size(); ++i) {
      std::string list_name = "l" + std::to_string(i + 1);
      Tree list = list_of(functions[i].expr);
      set_name(list, list_name);
      lists->select_list.push_back(std::move(list));
      Tree unnest = emit::call("unnest", one(emit::column(lists_alias, list_name)));
      set_name(unnest, "c" + std::to_string(i + 1));
      rows->select_list.push_back(std::move(unnest));
      lengths.push_back(emit::coalesce(emit::call("len", one(emit::column(lists_alias, list_name))), emit::integer(0)));
    }
    if (range->ordinality) {
      Tree longest = lengths.size() == 1 ? std::move(lengths[0]) : emit::call("greatest", std::move(lengths));
      std::vector<Tree> bounds;
      bounds.push_back(emit::integer(1));
      bounds.push_back(std::move(longest));
      Tree number = emit::call("unnest", one(emit::call("generate_series", std::move(bounds))));
      set_name(number, "ordinality");
      rows->select_list.push_back(std::move(number));
    }
    rows->from_table = emit::subquery(std::move(lists), lists_alias);
  }

  // Fields of rows become columns one level up.
  std::string row_alias = alias;
  duckdb::unique_ptr<duckdb::SelectNode> fields;
  if (any_fields) {
    row_alias = statement.new_alias("f");
    fields = emit::select();
  }
  size_t next = 1;
  for (size_t i = 0; i < functions.size(); ++i) {
    TypedExpr& e = functions[i].expr;
    std::string source = "c" + std::to_string(i + 1);
    size_t count = e.fields.empty() ? 1 : e.fields.size();
    for (size_t j = 0; j < count; ++j) {
      ScopeColumn column;
      const TypedExpr& field = e.fields.empty() ? e : e.fields[j];
      column.type = field.type;
      column.typmod = field.typmod;
      column.physical = field.physical;
      column.duck_alias = alias;
      if (!e.fields.empty()) {
        column.name = e.field_names[j];
      } else if (e.field_names.size() == 1) {
        column.name = e.field_names[0];
      } else {
        column.name = range->alias != nullptr && functions.size() == 1 ? range->alias->aliasname : functions[i].name;
      }
      column.duck_name = "c" + std::to_string(any_fields ? next : i + 1);
      if (any_fields) {
        Tree value = emit::column(row_alias, source);
        if (functions[i].record) {
          std::vector<Tree> arguments;
          arguments.push_back(text(type_descriptor(statement, field.type, field.physical)));
          arguments.push_back(text(type_descriptor(statement, e.type, {types::Physical::kBytes})));
          arguments.push_back(std::move(value));
          arguments.push_back(
              duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(static_cast<int32_t>(j + 1))));
          value = emit::call("omen_record_field", std::move(arguments));
        } else if (!e.fields.empty()) {
          std::vector<Tree> arguments;
          arguments.push_back(std::move(value));
          arguments.push_back(text("f" + std::to_string(j + 1)));
          value = emit::call("struct_extract", std::move(arguments));
        }
        set_name(value, column.duck_name);
        fields->select_list.push_back(std::move(value));
      }
      ++next;
      item.columns.push_back(std::move(column));
    }
  }
  if (range->ordinality) {
    ScopeColumn column;
    column.name = "ordinality";
    column.duck_alias = alias;
    column.duck_name = "ordinality";
    column.type = types::oid::kInt8;
    column.physical = types::physical_type(types::oid::kInt8, -1);
    if (any_fields) {
      Tree value = emit::column(row_alias, "ordinality");
      set_name(value, "ordinality");
      fields->select_list.push_back(std::move(value));
    }
    item.columns.push_back(std::move(column));
  }
  DuckTable ref;
  if (any_fields) {
    fields->from_table = emit::subquery(std::move(rows), row_alias);
    ref = emit::subquery(std::move(fields), alias);
  } else {
    ref = emit::subquery(std::move(rows), alias);
  }
  apply_alias(item, range->alias);
  return from_single(scope, std::move(item), std::move(ref), alias, "");
}

}  // namespace omendb::sql
