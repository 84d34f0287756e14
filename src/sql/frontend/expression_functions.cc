// FuncCall: functions, aggregates and window functions (ParseFuncOrColumn, transformAggregateCall, transformWindowFuncCall).
#include <algorithm>
#include <limits>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/window_expression.hpp"

#include "sql/frontend/expression.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/query.h"
#include "types/timezone.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using types::Physical;

namespace {

Oid type_of(const TypedExpr& e) { return is_unknown(e) ? oid::kUnknown : e.type; }

/// Analyses one SortBy of an aggregate or a window.
duckdb::OrderByNode sort_node(Scope& scope, const SortBy* sort, TypedExpr key) {
  if (sort->sortby_dir == SORTBY_USING) not_supported("ORDER BY USING", sort->location);
  key = resolve_unknown(scope, std::move(key));
  const bool descending = sort->sortby_dir == SORTBY_DESC;
  const bool nulls_first =
      sort->sortby_nulls == SORTBY_NULLS_FIRST || (sort->sortby_nulls == SORTBY_NULLS_DEFAULT && descending);
  DuckExpr duck = sort_key(base_type_of(*scope.statement, key.type), key.physical, std::move(key.duck));
  return duckdb::OrderByNode(descending ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING,
                             nulls_first ? duckdb::OrderByNullType::NULLS_FIRST : duckdb::OrderByNullType::NULLS_LAST,
                             duck_ptr(std::move(duck)));
}

void refuse_aggregate(const Scope& scope, const std::string& what, int location) {
  switch (scope.kind) {
    case ExprKind::kSelectTarget:
    case ExprKind::kHaving:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn:
    case ExprKind::kWindowPartition:
    case ExprKind::kWindowOrder: return;
    case ExprKind::kFilter: throw SqlError(SqlState::kGroupingError, what + " are not allowed in FILTER", location);
    default:
      throw SqlError(SqlState::kGroupingError, what + " are not allowed in " + place_phrase(scope.kind), location);
  }
}

void refuse_window(const Scope& scope, int location) {
  switch (scope.kind) {
    case ExprKind::kSelectTarget:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn: return;
    default:
      throw SqlError(SqlState::kWindowingError, "window functions are not allowed in " + place_phrase(scope.kind),
                     location);
  }
}

void refuse_set(const Scope& scope, int location) {
  switch (scope.kind) {
    case ExprKind::kSelectTarget:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn:
    case ExprKind::kGroupBy:
    case ExprKind::kInsertTarget:
    case ExprKind::kFromFunction: return;
    default:
      throw SqlError(SqlState::kFeatureNotSupported,
                     "set-returning functions are not allowed in " + place_phrase(scope.kind), location);
  }
}

struct ScopeKind {
  Scope& scope;
  ExprKind saved;
  ScopeKind(Scope& s, ExprKind kind) : scope(s), saved(s.kind) { s.kind = kind; }
  ~ScopeKind() { scope.kind = saved; }
};

const WindowDef* named_window(Scope& scope, const char* name, int location) {
  auto it = scope.windows.find(name);
  if (it == scope.windows.end()) {
    throw SqlError(SqlState::kUndefinedObject, "window \"" + std::string(name) + "\" does not exist", location);
  }
  return static_cast<const WindowDef*>(it->second);
}

/// A window definition with what it inherits (transformWindowDefinitions).
struct ResolvedWindow {
  List* partitions = nullptr;
  List* orders = nullptr;
  int frame = 0;
  Node* start = nullptr;
  Node* end = nullptr;
  int location = -1;
};

ResolvedWindow resolve_window(Scope& scope, const WindowDef* def, bool over_clause, int depth = 0) {
  if (depth > 100) throw SqlError(SqlState::kWindowingError, "window definitions are too deep", def->location);
  if (over_clause && def->name != nullptr)
    return resolve_window(scope, named_window(scope, def->name, def->location), false, depth + 1);
  ResolvedWindow w{def->partitionClause, def->orderClause, def->frameOptions,
                   def->startOffset,     def->endOffset,   def->location};
  if (def->refname != nullptr) {
    const ResolvedWindow base =
        resolve_window(scope, named_window(scope, def->refname, def->location), false, depth + 1);
    const std::string quoted = "\"" + std::string(def->refname) + "\"";
    if (w.partitions != nullptr) {
      throw SqlError(SqlState::kWindowingError, "cannot override PARTITION BY clause of window " + quoted,
                     def->location);
    }
    if (base.orders != nullptr && w.orders != nullptr) {
      throw SqlError(SqlState::kWindowingError, "cannot override ORDER BY clause of window " + quoted, def->location);
    }
    if ((base.frame & FRAMEOPTION_NONDEFAULT) != 0) {
      SqlError error(SqlState::kWindowingError, "cannot copy window " + quoted + " because it has a frame clause",
                     def->location);
      // OVER (w) is taken for a definition of its own.
      const bool bare = over_clause && w.orders == nullptr && (w.frame & FRAMEOPTION_NONDEFAULT) == 0;
      if (bare) error.info().hint = "Omit the parentheses in this OVER clause.";
      throw error;
    }
    w.partitions = base.partitions;
    if (w.orders == nullptr) w.orders = base.orders;
  }
  return w;
}

uint8_t boundary(int frame, bool start) {
  using duckdb::WindowBoundary;
  auto has = [&](int option) { return (frame & option) != 0; };
  WindowBoundary b;
  const bool rows = has(FRAMEOPTION_ROWS), groups = has(FRAMEOPTION_GROUPS);
  auto pick = [&](WindowBoundary r, WindowBoundary range, WindowBoundary g) { return rows ? r : groups ? g : range; };
  if (has(start ? FRAMEOPTION_START_UNBOUNDED_PRECEDING : FRAMEOPTION_END_UNBOUNDED_PRECEDING)) {
    b = WindowBoundary::UNBOUNDED_PRECEDING;
  } else if (has(start ? FRAMEOPTION_START_UNBOUNDED_FOLLOWING : FRAMEOPTION_END_UNBOUNDED_FOLLOWING)) {
    b = WindowBoundary::UNBOUNDED_FOLLOWING;
  } else if (has(start ? FRAMEOPTION_START_CURRENT_ROW : FRAMEOPTION_END_CURRENT_ROW)) {
    b = pick(WindowBoundary::CURRENT_ROW_ROWS, WindowBoundary::CURRENT_ROW_RANGE, WindowBoundary::CURRENT_ROW_GROUPS);
  } else if (has(start ? FRAMEOPTION_START_OFFSET_PRECEDING : FRAMEOPTION_END_OFFSET_PRECEDING)) {
    b = pick(WindowBoundary::EXPR_PRECEDING_ROWS, WindowBoundary::EXPR_PRECEDING_RANGE,
             WindowBoundary::EXPR_PRECEDING_GROUPS);
  } else {
    b = pick(WindowBoundary::EXPR_FOLLOWING_ROWS, WindowBoundary::EXPR_FOLLOWING_RANGE,
             WindowBoundary::EXPR_FOLLOWING_GROUPS);
  }
  return static_cast<uint8_t>(b);
}

/// What omen_range_key multiplies the microseconds of a timetz with, to have its zone below them.
constexpr int64_t kZoneSpan = 1 << 18;

bool is_utc(std::string_view zone) { return zone == "UTC" || zone == "Etc/UTC" || zone == "GMT"; }

/// The offset, or the error that a null or negative one is.
DuckExpr checked_offset(Scope& scope, TypedExpr offset, bool start, bool range) {
  const std::string descriptor = type_descriptor(*scope.statement, offset.type, offset.physical);
  auto raise = [&](const char* code, const std::string& message) {
    return make_call("omen_raise", make_text(descriptor), make_text(code), make_text(message));
  };
  const std::string what = std::string("frame ") + (start ? "starting" : "ending") + " offset must not be ";
  DuckExpr zero = offset.type == oid::kInterval ? make_constant(duckdb::Value::INTERVAL(duckdb::interval_t{0, 0, 0}))
                                                : make_integer(0);
  DuckExpr negative = make_compare(duckdb::ExpressionType::COMPARE_LESSTHAN, copy_of(offset.duck), std::move(zero));
  if (offset.type == oid::kFloat8) {
    DuckExpr infinity = make_constant(duckdb::Value::DOUBLE(std::numeric_limits<double>::infinity()));
    negative = make_or(std::move(negative), make_compare(duckdb::ExpressionType::COMPARE_GREATERTHAN,
                                                         copy_of(offset.duck), std::move(infinity)));
  }
  DuckExpr fail = range ? raise("22013", "invalid preceding or following size in window function")
                        : raise("22013", what + "negative");
  DuckExpr sized = make_case(std::move(negative), std::move(fail), copy_of(offset.duck));
  return make_case(make_is_null(std::move(offset.duck)), raise("22004", what + "null"), std::move(sized));
}

/// `order` is the frame's ordering; a RANGE frame gives it and its offset a form in which DuckDB's + and - do not overflow.
DuckExpr frame_offset(Scope& scope, Node* node, int frame, bool start, const TypedExpr& order, DuckExpr* order_key) {
  if (node == nullptr) return nullptr;
  TypedExpr e;
  {
    ScopeKind in_frame(scope, ExprKind::kWindowFrame);
    e = analyze_node(scope, node);
  }
  const int location = e.location;
  const bool range = (frame & FRAMEOPTION_RANGE) != 0;
  const char* construct = range ? "RANGE" : (frame & FRAMEOPTION_ROWS) != 0 ? "ROWS" : "GROUPS";
  if (e.duck != nullptr && level_of(scope, *e.duck) == &scope) {
    throw SqlError(SqlState::kInvalidColumnReference,
                   std::string("argument of ") + construct + " must not contain variables", location);
  }
  const Oid source = type_of(e);
  if (!range) {
    auto coerced = try_coerce(scope, std::move(e), oid::kInt8, -1, CoercionContext::kAssignment);
    if (!coerced) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     std::string("argument of ") + construct + " must be type bigint, not type " +
                         type_name(*scope.statement, source),
                     location);
    }
    return checked_offset(scope, std::move(*coerced), start, false);
  }
  // RANGE: the in_range function of the ordering type says which offset types there are.
  StatementContext& statement = *scope.statement;
  Oid wanted = order.type;
  switch (base_type_of(statement, order.type).value) {
    case 21:
    case 23:
    case 20: wanted = oid::kInt8; break;
    case 700:
    case 701: wanted = oid::kFloat8; break;
    case 1700: wanted = oid::kNumeric; break;
    case 1082:
    case 1114:
    case 1184:
    case 1083:
    case 1186:
    case 1266: wanted = oid::kInterval; break;
    default:
      throw SqlError(
          SqlState::kFeatureNotSupported,
          "RANGE with offset PRECEDING/FOLLOWING is not supported for column type " + type_name(statement, order.type),
          location);
  }
  auto coerced = try_coerce(scope, std::move(e), wanted, -1, CoercionContext::kImplicit);
  if (!coerced) {
    throw SqlError(SqlState::kFeatureNotSupported,
                   "RANGE with offset PRECEDING/FOLLOWING is not supported for column type " +
                       type_name(statement, order.type) + " and offset type " + type_name(statement, source),
                   location)
        .hint("Cast the offset value to an appropriate type.");
  }
  auto key_as = [&](const duckdb::LogicalType& type) { *order_key = make_cast(copy_of(order.duck), type); };
  switch (base_type_of(statement, order.type).value) {
    case 21:
    case 23:
    case 20: {
      key_as(duckdb::LogicalType::HUGEINT);
      return make_cast(checked_offset(scope, std::move(*coerced), start, true), duckdb::LogicalType::HUGEINT);
    }
    case 700:
    case 701: key_as(duckdb::LogicalType::DOUBLE); return checked_offset(scope, std::move(*coerced), start, true);
    case 1700: {
      const int scale = std::max(order.physical.scale, coerced->physical.scale);
      if (!order.physical.is_decimal() || !coerced->physical.is_decimal() ||
          order.physical.precision - order.physical.scale + scale > 36) {
        not_supported("RANGE with offset over type numeric without a precision", location);
      }
      key_as(duckdb::LogicalType::DECIMAL(38, static_cast<uint8_t>(scale)));
      return make_cast(checked_offset(scope, std::move(*coerced), start, true),
                       duckdb::LogicalType::DECIMAL(38, static_cast<uint8_t>(scale)));
    }
    case 1082: key_as(duckdb::LogicalType::TIMESTAMP); return checked_offset(scope, std::move(*coerced), start, true);
    case 1114: return checked_offset(scope, std::move(*coerced), start, true);
    case 1184: {
      // Days and months are the session zone's to measure; DuckDB would measure them in UTC.
      const duckdb::Value* value = constant_of(*coerced);
      if (statement.io != nullptr && statement.io->time_zone != nullptr && is_utc(statement.io->time_zone->name())) {
        statement.reads_clock = true;  // holds while the zone is this one
        return checked_offset(scope, std::move(*coerced), start, true);
      }
      if (value == nullptr || value->GetValueUnsafe<duckdb::interval_t>().months != 0 ||
          value->GetValueUnsafe<duckdb::interval_t>().days != 0) {
        not_supported("RANGE with an offset of days over type timestamp with time zone", location);
      }
      return checked_offset(scope, std::move(*coerced), start, true);
    }
    case 1083:
    case 1186:
    case 1266: {
      // Lengths as numbers of microseconds.
      *order_key = make_call("omen_range_key", copy_of(order.duck));
      const bool zoned = base_type_of(statement, order.type) == oid::kTimeTz;
      TypedExpr length =
          typed_constant(statement, oid::kInt8, -1, {Physical::kInt64}, types::ValueView::of_integer(0), location);
      length.duck =
          make_call(base_type_of(statement, order.type) == oid::kInterval ? "omen_range_key" : "omen_range_time_offset",
                    std::move(coerced->duck));
      DuckExpr offset = checked_offset(scope, std::move(length), start, true);
      return zoned ? make_call("*", std::move(offset),
                               make_constant(duckdb::Value::HUGEINT(duckdb::hugeint_t(kZoneSpan))))
                   : std::move(offset);
    }
    default: not_supported("RANGE with offset over type " + type_name(statement, order.type), location);
  }
}

AggregateCall::Window build_window(Scope& scope, const WindowDef* over, TypedExpr* flags) {
  const ResolvedWindow w = resolve_window(scope, over, true);
  AggregateCall::Window window;
  ListCell* cell;
  TypedExpr order;
  {
    ScopeKind in_window(scope, ExprKind::kWindowPartition);
    foreach (cell, w.partitions) {
      TypedExpr e = resolve_unknown(scope, analyze_node(scope, static_cast<Node*>(lfirst(cell))));
      inherit_flags(*flags, e);
      window.partitions.push_back(sort_key(base_type_of(*scope.statement, e.type), e.physical, std::move(e.duck)));
    }
  }
  {
    ScopeKind in_window(scope, ExprKind::kWindowOrder);
    foreach (cell, w.orders) {
      auto* sort = static_cast<SortBy*>(lfirst(cell));
      TypedExpr e = analyze_node(scope, sort->node);
      inherit_flags(*flags, e);
      order = resolve_unknown(scope, e.clone());
      window.orders.push_back(sort_node(scope, sort, std::move(e)));
    }
  }
  const int frame = w.frame;
  const bool range_offset =
      (frame & FRAMEOPTION_RANGE) != 0 && (frame & (FRAMEOPTION_START_OFFSET | FRAMEOPTION_END_OFFSET)) != 0;
  if (range_offset && window.orders.size() != 1) {
    throw SqlError(SqlState::kWindowingError,
                   "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column", w.location);
  }
  if ((frame & FRAMEOPTION_GROUPS) != 0 && window.orders.empty()) {
    throw SqlError(SqlState::kWindowingError, "GROUPS mode requires an ORDER BY clause", w.location);
  }
  window.start = boundary(frame, true);
  window.end = boundary(frame, false);
  DuckExpr order_key;
  window.start_offset = frame_offset(scope, w.start, frame, true, order, &order_key);
  window.end_offset = frame_offset(scope, w.end, frame, false, order, &order_key);
  if (order_key != nullptr) window.orders[0].expression = duck_ptr(std::move(order_key));
  using duckdb::WindowExcludeMode;
  WindowExcludeMode exclude = WindowExcludeMode::NO_OTHER;
  if ((frame & FRAMEOPTION_EXCLUDE_CURRENT_ROW) != 0) exclude = WindowExcludeMode::CURRENT_ROW;
  if ((frame & FRAMEOPTION_EXCLUDE_GROUP) != 0) exclude = WindowExcludeMode::GROUP;
  if ((frame & FRAMEOPTION_EXCLUDE_TIES) != 0) exclude = WindowExcludeMode::TIES;
  window.exclude = static_cast<uint8_t>(exclude);
  return window;
}

/// Parses "true, 0.0" (pg_proc's defaults) and analyses entry `i` of `count`, counted from the end.
TypedExpr default_argument(Scope& scope, const ProcRow& proc, size_t parameter) {
  ParseTree tree("SELECT " + std::string(proc.defaults));
  auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
  const size_t first = proc.arguments.size() - static_cast<size_t>(proc.default_count);
  auto* target = static_cast<ResTarget*>(list_nth(select->targetList, static_cast<int>(parameter - first)));
  Scope empty;
  empty.statement = scope.statement;
  TypedExpr e = analyze_node(empty, target->val);
  e.location = -1;
  return e;
}

[[noreturn]] void no_function(Scope& scope, const FuncCall* node, const std::string& full,
                              const std::vector<Oid>& actual, const std::vector<std::string>& names) {
  StatementContext& statement = *scope.statement;
  if (const int parts = list_length(node->funcname); parts > 1) {
    const std::string schema = strVal(list_nth(node->funcname, parts - 2));
    if (schema != "pg_temp" && statement.catalog->find_schema(schema) == nullptr)
      throw SqlError(SqlState::kUndefinedSchema, "schema \"" + schema + "\" does not exist", node->location);
  }
  const std::string signature = function_signature(statement, full, actual, names);
  if (list_length(node->agg_order) > 1 && !node->agg_within_group) {
    throw SqlError(SqlState::kUndefinedFunction, "function " + signature + " does not exist", node->location)
        .hint(
            "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY "
            "must appear after all regular arguments of the aggregate.");
  }
  throw SqlError(SqlState::kUndefinedFunction, "function " + signature + " does not exist", node->location)
      .hint("No function matches the given name and argument types. You might need to add explicit type casts.");
}

/// rank(a, b) WITHIN GROUP (ORDER BY x, y): each direct argument takes its place among the values it is compared with.
void match_hypothetical(Scope& scope, std::vector<TypedExpr>& args, size_t direct, const std::string& name,
                        int location) {
  StatementContext& statement = *scope.statement;
  if (direct * 2 != args.size()) {
    std::vector<Oid> actual;
    for (const TypedExpr& a : args) actual.push_back(type_of(a));
    throw SqlError(SqlState::kUndefinedFunction,
                   "function " + function_signature(statement, name, actual) + " does not exist", location)
        .hint("To use the hypothetical-set aggregate " + name + ", the number of hypothetical direct arguments (here " +
              std::to_string(direct) + ") must match the number of ordering columns (here " +
              std::to_string(args.size() - direct) + ").");
  }
  for (size_t i = 0; i < direct; ++i) {
    std::vector<TypedExpr*> pair = {&args[direct + i], &args[i]};
    const Oid common = select_common_type(scope, pair, "WITHIN GROUP");
    for (TypedExpr* e : pair) {
      const int at = e->location;
      *e = coerce_type(scope, std::move(*e), common, -1, CoercionContext::kImplicit, at);
    }
    common_physical(scope, common, pair);
  }
}

}  // namespace

TypedExpr analyze_function_call(Scope& scope, FuncCall* node) {
  StatementContext& statement = *scope.statement;
  std::string schema, name;
  split_name(node->funcname, &schema, &name);
  const std::string full = schema.empty() ? name : schema + "." + name;
  const int location = node->location;

  // Arguments. An aggregate's own arguments may hold no aggregate; that is checked when we know that it is one.
  std::vector<TypedExpr> args;
  std::vector<std::string> names;
  ListCell* cell;
  foreach (cell, node->args) {
    auto* arg = static_cast<Node*>(lfirst(cell));
    if (IsA(arg, NamedArgExpr)) {
      const std::string arg_name = reinterpret_cast<NamedArgExpr*>(arg)->name;
      for (const auto& n : names) {
        if (n == arg_name) {
          throw SqlError(SqlState::kSyntaxError, "argument name \"" + arg_name + "\" used more than once",
                         reinterpret_cast<NamedArgExpr*>(arg)->location);
        }
      }
      names.push_back(arg_name);
    } else if (!names.empty()) {
      throw SqlError(SqlState::kSyntaxError, "positional argument cannot follow named argument", location);
    }
    args.push_back(analyze_node(scope, arg));
    // A driver's OUT parameter is a parameter of type void: no argument.
    const Node* plain = IsA(arg, TypeCast) ? reinterpret_cast<TypeCast*>(arg)->arg : arg;
    if (args.back().type == oid::kVoid && IsA(plain, ParamRef)) {
      args.pop_back();
      continue;
    }
  }
  std::optional<TypedExpr> filter;
  if (node->agg_filter != nullptr) {
    ScopeKind in_filter(scope, ExprKind::kFilter);
    filter = coerce_to_boolean(scope, analyze_node(scope, node->agg_filter), "FILTER");
  }
  // WITHIN GROUP: the sort expressions are arguments too.
  std::vector<const SortBy*> sorts;
  foreach (cell, node->agg_order) sorts.push_back(static_cast<SortBy*>(lfirst(cell)));
  const size_t direct = args.size();
  if (node->agg_within_group) {
    for (const SortBy* s : sorts) args.push_back(analyze_node(scope, s->node));
  }
  std::vector<Oid> actual;
  for (const auto& a : args) actual.push_back(type_of(a));

  // column.field written as field(column), and a whole row's column as column(row).
  if (args.size() == 1 && schema.empty() && names.empty() && !node->agg_star && !node->agg_distinct &&
      node->over == nullptr && node->agg_order == nullptr && !filter && !args[0].fields.empty()) {
    for (const auto& f : args[0].field_names) {
      if (f == name) return select_field(scope, std::move(args[0]), name, location);
    }
  }

  FunctionChoice choice = find_function(statement, schema, name, actual, names, node->func_variadic);
  const bool aggregate_syntax =
      node->agg_star || node->agg_distinct || node->agg_order != nullptr || filter || node->over != nullptr;
  switch (choice.kind) {
    case FunctionChoice::Kind::kNotFound: no_function(scope, node, full, actual, names);
    case FunctionChoice::Kind::kAmbiguous:
      throw SqlError(SqlState::kAmbiguousFunction,
                     "function " + function_signature(statement, full, actual, names) + " is not unique", location)
          .hint("Could not choose a best candidate function. You might need to add explicit type casts.");
    case FunctionChoice::Kind::kCoercion: {
      if (aggregate_syntax) {
        throw SqlError(SqlState::kWrongObjectType, full + " is not an aggregate function", location);
      }
      TypedExpr e =
          coerce_type(scope, std::move(args[0]), choice.coercion_target, -1, CoercionContext::kExplicit, location);
      e.location = location;
      return e;
    }
    case FunctionChoice::Kind::kFunction: break;
  }
  const FunctionCandidate& candidate = choice.candidate;
  const ProcRow& proc = *candidate.proc;
  const bool is_window_function = proc.kind == 'w';
  const bool is_aggregate = proc.kind == 'a';
  if (proc.kind == 'p') {
    throw SqlError(SqlState::kWrongObjectType, full + "() is a procedure", location)
        .hint("To call a procedure, use CALL.");
  }
  if (!is_aggregate) {
    auto refuse = [&](bool given, const char* what) {
      if (given)
        throw SqlError(SqlState::kWrongObjectType,
                       std::string(what) + " specified, but " + full + " is not an aggregate function", location);
    };
    if (node->agg_star)
      throw SqlError(SqlState::kWrongObjectType, full + "(*) specified, but " + full + " is not an aggregate function",
                     location);
    refuse(node->agg_distinct, "DISTINCT");
    refuse(node->agg_within_group, "WITHIN GROUP");
    refuse(node->agg_order != nullptr, "ORDER BY");
    if (filter && !is_window_function) refuse(true, "FILTER");
    if (filter) {
      throw SqlError(SqlState::kFeatureNotSupported, "FILTER is not implemented for non-aggregate window functions",
                     location);
    }
    if (node->over != nullptr && !is_window_function) {
      throw SqlError(SqlState::kWrongObjectType,
                     "OVER specified, but " + full + " is not a window function nor an aggregate function", location);
    }
    if (is_window_function && node->over == nullptr) {
      throw SqlError(SqlState::kWrongObjectType, "window function " + full + " requires an OVER clause", location);
    }
  }
  const AggregateRow* aggregate = is_aggregate ? find_aggregate(proc.oid) : nullptr;
  if (aggregate != nullptr) {
    if (aggregate->kind == 'n' && node->agg_within_group) {
      throw SqlError(SqlState::kWrongObjectType,
                     full + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP", location);
    }
    if (aggregate->kind != 'n' && !node->agg_within_group) {
      throw SqlError(SqlState::kWrongObjectType, "WITHIN GROUP is required for ordered-set aggregate " + full,
                     location);
    }
    if (aggregate->kind != 'n' && node->over != nullptr) {
      throw SqlError(SqlState::kFeatureNotSupported, "OVER is not supported for ordered-set aggregate " + full,
                     location);
    }
    if (node->agg_star && !args.empty()) throw SqlError(SqlState::kSyntaxError, "syntax error", location);
    if (!node->agg_star && args.empty() && aggregate->kind == 'n') {
      throw SqlError(SqlState::kWrongObjectType, full + "(*) must be used to call a parameterless aggregate function",
                     location);
    }
    if (node->over != nullptr && node->agg_distinct) {
      throw SqlError(SqlState::kFeatureNotSupported, "DISTINCT is not implemented for window functions", location);
    }
    if (node->over != nullptr && node->agg_order != nullptr) {
      throw SqlError(SqlState::kFeatureNotSupported, "aggregate ORDER BY is not implemented for window functions",
                     location);
    }
  }
  if (node->over != nullptr) refuse_window(scope, location);
  if (proc.returns_set) refuse_set(scope, location);

  // Defaults, then types.
  std::vector<TypedExpr> full_args;
  std::vector<Oid> declared;
  if (!names.empty()) {
    std::vector<std::optional<TypedExpr>> slots(proc.arguments.size());
    for (size_t i = 0; i < args.size(); ++i) slots[static_cast<size_t>(candidate.positions[i])] = std::move(args[i]);
    for (size_t p = 0; p < slots.size(); ++p) {
      full_args.push_back(slots[p] ? std::move(*slots[p]) : default_argument(scope, proc, p));
    }
    declared = proc.arguments;
  } else {
    full_args = std::move(args);
    for (size_t p = full_args.size(); candidate.default_count > 0 && p < proc.arguments.size(); ++p) {
      full_args.push_back(default_argument(scope, proc, p));
    }
    declared = candidate.arguments;
  }
  if (aggregate != nullptr && aggregate->kind == 'h') match_hypothetical(scope, full_args, direct, full, location);
  // VARIADIC arguments of one type are an array; those of "any" stay as they are.
  const size_t variadic_from =
      candidate.variadic_count > 0 ? full_args.size() - static_cast<size_t>(candidate.variadic_count) : SIZE_MAX;
  std::vector<Oid> full_actual;
  for (const auto& a : full_args) full_actual.push_back(type_of(a));
  const Oid result = enforce_generic_types(statement, full_actual, declared, proc.result);
  if (proc.source == "pg_typeof" && is_unknown(full_args[0])) {
    return typed_constant(statement, oid::kRegtype, -1, {Physical::kUInt32},
                          types::ValueView::of_integer(oid::kUnknown.value), location);
  }
  for (size_t i = 0; i < full_args.size(); ++i) {
    full_args[i] = coerce_type(scope, std::move(full_args[i]), declared[i], -1, CoercionContext::kImplicit, -1);
    if (declared[i] == oid::kAny) declared[i] = full_args[i].type;
  }
  if (variadic_from != SIZE_MAX && proc.variadic != oid::kAny) {
    const Oid element = declared[variadic_from];
    const Oid array = array_type_of(statement, element);
    TypedExpr list = typed(nullptr, array, {Physical::kBytes}, {}, location);
    std::vector<DuckExpr> elements;
    elements.push_back(make_text(type_descriptor(statement, element, physical_of(statement, element, -1))));
    for (size_t i = variadic_from; i < full_args.size(); ++i) {
      TypedExpr value = to_plain(scope, std::move(full_args[i]));
      inherit_flags(list, value);
      elements.push_back(std::move(value.duck));
    }
    list.duck = make_function("omen_array", std::move(elements));
    full_args.resize(variadic_from);
    declared.resize(variadic_from);
    full_args.push_back(std::move(list));
    declared.push_back(array);
  }
  Call call{scope, proc, std::move(full_args), declared, result, location};
  call.variadic_array = node->func_variadic;
  if (node->func_variadic && proc.variadic == oid::kAny && !is_unknown(call.args.back()) &&
      element_type_of(statement, base_type_of(statement, call.args.back().type)) == kInvalidOid) {
    throw SqlError(SqlState::kDatatypeMismatch, "VARIADIC argument must be an array", call.args.back().location);
  }

  if (!is_aggregate && !is_window_function) {
    for (const auto& a : call.args) {
      // f(srf()) runs the set through; DuckDB does so too for a plain function over unnest.
      if (a.returns_set && proc.returns_set) not_supported("nested set-returning functions", location);
    }
    TypedExpr e = emit_call(std::move(call));
    if (proc.returns_set) e.returns_set = true;
    if (proc.volatility == 'v') {
      e.is_volatile = true;
      statement.has_volatile = true;
    }
    return e;
  }

  for (const auto& a : call.args) {
    if (a.returns_set) {
      throw SqlError(SqlState::kFeatureNotSupported,
                     std::string(is_aggregate && node->over == nullptr ? "aggregate function" : "window function") +
                         " calls cannot contain set-returning function calls",
                     location)
          .hint("You might be able to move the set-returning function into a LATERAL FROM item.");
    }
    if (is_aggregate && node->over == nullptr) {
      if (a.has_aggregate)
        throw SqlError(SqlState::kGroupingError, "aggregate function calls cannot be nested",
                       a.location >= 0 ? a.location : location);
      if (a.has_window)
        throw SqlError(SqlState::kGroupingError, "aggregate function calls cannot contain window function calls",
                       a.location >= 0 ? a.location : location);
    } else if (a.has_window) {
      throw SqlError(SqlState::kWindowingError, "window function calls cannot be nested",
                     a.location >= 0 ? a.location : location);
    }
  }
  TypedExpr flags;
  for (const auto& a : call.args) inherit_flags(flags, a);
  AggregateCall agg{std::move(call)};
  agg.distinct = node->agg_distinct;
  if (agg.distinct) {
    for (const TypedExpr& a : agg.call.args) {
      if (!is_unknown(a)) check_groupable(statement, a.type, a.location);
    }
  }
  agg.star = node->agg_star;
  agg.within_group = node->agg_within_group;
  if (filter) {
    if (filter->has_aggregate)
      throw SqlError(SqlState::kGroupingError, "aggregate functions are not allowed in FILTER", filter->location);
    agg.filter = std::move(filter->duck);
    // DuckDB computes the arguments of rows that the filter drops; they must not fail.
    auto guard = [&](DuckExpr& e) {
      if (!e || node->agg_distinct || node->agg_within_group || agg.call.proc.kind == 'w') return;
      const auto kind = e->GetExpressionClass();
      if (kind == duckdb::ExpressionClass::COLUMN_REF || kind == duckdb::ExpressionClass::CONSTANT) return;
      e = make_case(copy_of(agg.filter), std::move(e), make_constant(duckdb::Value()));
    };
    for (TypedExpr& a : agg.call.args) {
      if (is_constant(a)) continue;
      guard(a.duck);
      guard(a.as_decimal);
      guard(a.display_scale);
    }
  }
  if (node->agg_within_group) {
    const bool hypothetical = aggregate != nullptr && aggregate->kind == 'h';
    for (size_t i = 0; i < sorts.size(); ++i) {
      if (is_constant(agg.call.args[direct + i]) && !hypothetical) continue;
      agg.orders.push_back(sort_node(scope, sorts[i], agg.call.args[direct + i].clone()));
    }
  } else {
    for (const SortBy* s : sorts) {
      TypedExpr key = analyze_node(scope, s->node);
      if (node->agg_distinct) {
        bool found = false;
        for (const auto& a : agg.call.args) found = found || (a.duck && key.duck && a.duck->Equals(*key.duck));
        if (!found && key.duck) {
          throw SqlError(SqlState::kInvalidColumnReference,
                         "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                         key.location);
        }
      }
      // A constant orders nothing, and DuckDB refuses one.
      if (is_unknown(key) || is_constant(key)) continue;
      agg.orders.push_back(sort_node(scope, s, std::move(key)));
    }
    // PostgreSQL finds distinct values by sorting, so that is the order in which the aggregate meets them.
    for (size_t i = 0; node->agg_distinct && i < agg.call.args.size(); ++i) {
      const TypedExpr& a = agg.call.args[i];
      if (is_constant(a)) continue;
      DuckExpr key = sort_key(base_type_of(statement, a.type), a.physical, copy_of(a.duck));
      const bool there =
          std::any_of(agg.orders.begin(), agg.orders.end(), [&](const auto& o) { return o.expression->Equals(*key); });
      if (there) continue;
      agg.orders.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST,
                              duck_ptr(std::move(key)));
    }
  }
  std::optional<AggregateCall::Window> window;
  if (node->over != nullptr) {
    window = build_window(scope, node->over, &flags);
    agg.window = &*window;
  }
  // The level to which an aggregate belongs is that of its arguments.
  Scope* level = &scope;
  if (is_aggregate && node->over == nullptr) {
    Scope* found = nullptr;
    for (const auto& a : agg.call.args) {
      Scope* l = a.duck ? level_of(scope, *a.duck) : nullptr;
      if (l == nullptr) continue;
      // The innermost: the one that is reached first going up.
      for (Scope* s = &scope; s != nullptr; s = s->parent) {
        if (s == l || s == found) {
          found = s;
          break;
        }
      }
    }
    if (found != nullptr) level = found;
    refuse_aggregate(*level, "aggregate functions", location);
    level->has_aggregates = true;
  }
  TypedExpr e = is_window_function ? emit_window_function(agg) : emit_aggregate(agg);
  e.location = location;
  inherit_flags(e, flags);
  if (node->over != nullptr)
    e.has_window = true;
  else
    e.has_aggregate = level == &scope;
  return e;
}

}  // namespace omendb::sql
