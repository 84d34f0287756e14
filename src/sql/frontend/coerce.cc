#include "sql/frontend/coerce.h"

#include "duckdb/parser/expression/parameter_expression.hpp"

#include "sql/frontend/emission.h"
#include "sql/frontend/lifting.h"
#include "types/range.h"

namespace omendb::sql {

namespace oid = types::oid;
using types::Physical;
using types::PhysicalType;

// --- Which way from one type to another ---

namespace {

/// Contexts order as implicit < assignment < explicit.
bool context_allows(CoercionContext context, char cast_context) {
  switch (cast_context) {
    case 'i': return true;
    case 'a': return context != CoercionContext::kImplicit;
    default: return context == CoercionContext::kExplicit;
  }
}

}  // namespace

CoercionPath find_coercion_path(const StatementContext& statement, Oid target, Oid source, CoercionContext context,
                                Oid* function) {
  if (function != nullptr) *function = kInvalidOid;
  const Oid source_base = base_type_of(statement, source);
  const Oid target_base = base_type_of(statement, target);
  if (source_base == target_base) return CoercionPath::kRelabel;

  if (const CastRow* cast = find_cast(source_base, target_base)) {
    if (!context_allows(context, cast->context)) return CoercionPath::kNone;
    switch (cast->method) {
      case 'f':
        if (function != nullptr) *function = cast->function;
        return CoercionPath::kFunction;
      case 'i': return CoercionPath::kViaIo;
      default: return CoercionPath::kRelabel;
    }
  }
  // Arrays, by their elements. oidvector and int2vector are not true arrays here.
  if (target_base != oid::kOidVector && target_base != oid::kInt2Vector) {
    const Oid target_element = element_type_of(statement, target_base);
    const Oid source_element = element_type_of(statement, source_base);
    if (target_element != kInvalidOid && source_element != kInvalidOid) {
      const CoercionPath inner = find_coercion_path(statement, target_element, source_element, context, nullptr);
      if (inner != CoercionPath::kNone) return CoercionPath::kArray;
    }
  }
  // Assignment to any string type, and explicit casts from and to them, go through text.
  if (context != CoercionContext::kImplicit && type_category(statement, target_base) == 'S')
    return CoercionPath::kViaIo;
  if (context == CoercionContext::kExplicit && type_category(statement, source_base) == 'S')
    return CoercionPath::kViaIo;
  return CoercionPath::kNone;
}

bool is_binary_coercible(const StatementContext& statement, Oid source, Oid target) {
  if (source == target) return true;
  if (target == oid::kAny || target == oid::kAnyElement || target == oid::kAnyCompatible) return true;
  source = base_type_of(statement, source);
  if (source == target) return true;
  if (target == oid::kAnyArray || target == oid::kAnyCompatibleArray) return is_array(statement, source);
  if (target == oid::kAnyNonArray || target == oid::kAnyCompatibleNonArray) return !is_array(statement, source);
  if (target == oid::kAnyEnum) return type_kind(statement, source) == 'e';
  if (target == oid::kRecord) return is_composite(statement, source);
  if (target == oid::kRecordArray) {
    const Oid element = element_type_of(statement, source);
    return element != kInvalidOid && is_composite(statement, element);
  }
  const CastRow* cast = find_cast(source, target);
  return cast != nullptr && cast->method == 'b' && cast->context == 'i';
}

bool can_coerce(const StatementContext& statement, const std::vector<Oid>& inputs, const std::vector<Oid>& targets,
                CoercionContext context) {
  bool generics = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Oid input = inputs[i], target = targets[i];
    if (input == target) continue;
    if (target == oid::kAny) continue;
    if (is_polymorphic(target)) {
      generics = true;
      continue;
    }
    if (input == oid::kUnknown) continue;
    if (find_coercion_path(statement, target, input, context, nullptr) != CoercionPath::kNone) continue;
    if (input == oid::kRecord && is_composite(statement, target)) continue;
    if (target == oid::kRecord && is_composite(statement, input)) continue;
    if (input == oid::kRecordArray && is_array(statement, target) &&
        is_composite(statement, element_type_of(statement, target)))
      continue;
    if (target == oid::kRecordArray && is_array(statement, input) &&
        is_composite(statement, element_type_of(statement, input)))
      continue;
    return false;
  }
  if (generics && !generic_types_consistent(statement, inputs, targets)) return false;
  return true;
}

// --- Doing it ---

namespace {

/// Does the literal mean something else at another time ('now', 'tomorrow', a time in a zone with summer time)?
bool depends_on_clock(Oid type, const std::string& text, const types::IoContext& io, const types::Value& value) {
  Oid of = type;
  if (const types::RangeType* range = types::find_range_type(type)) of = range->element;
  if (const types::RangeType* range = types::find_multirange_type(type)) of = range->element;
  if (of != oid::kDate && of != oid::kTime && of != oid::kTimeTz && of != oid::kTimestamp && of != oid::kTimestampTz)
    return false;
  if (text.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos) return false;
  types::IoContext later = io;
  later.now_us += int64_t{200} * 86400 * 1000000 + 12345;
  types::Value then;
  return !types::input(type, -1, text, later, &then).ok() || then.view().integer != value.view().integer ||
         then.view().bytes != value.view().bytes || then.view().wide != value.view().wide;
}

/// A literal as a constant of a base type.
TypedExpr literal_of_type(Scope& scope, const TypedExpr& literal, Oid base, int32_t typmod, Oid type) {
  StatementContext& statement = *scope.statement;
  types::IoContext utc;
  const types::IoContext& io = statement.io != nullptr ? *statement.io : utc;
  types::Value value;
  // Numerics keep the digits that were written; the smallest decimal that holds them is found below.
  Status status = types::input(base, base == oid::kInterval ? typmod : -1, literal.literal, io, &value);
  if (!status.ok()) {
    SqlError error(status.info().code, status.info().message, literal.location);
    error.info() = status.info();
    throw error;
  }
  if (depends_on_clock(base, literal.literal, io, value)) statement.reads_clock = true;
  PhysicalType physical = physical_of(statement, base, -1);
  TypedExpr result = typed_constant(statement, type, -1, physical, value.view(), literal.location);
  // The digits of a numeric decide its form, and nobody counts those of a string.
  if (base == oid::kNumeric) return shrink_numeric_constant(scope, std::move(result));
  return remember(std::move(result), literal.slot, base == oid::kInterval ? typmod : -1);
}

TypedExpr parameter_of_type(Scope& scope, const TypedExpr& parameter, Oid type) {
  StatementContext& statement = *scope.statement;
  auto& types = statement.parameter_types;
  const size_t i = static_cast<size_t>(parameter.parameter - 1);
  if (types.size() <= i) types.resize(i + 1);
  if (types[i] == kInvalidOid || types[i] == oid::kUnknown) {
    types[i] = type;
  } else if (types[i] != type) {
    throw SqlError(SqlState::kAmbiguousParameter, "inconsistent types deduced for parameter $" + std::to_string(i + 1),
                   parameter.location)
        .detail(type_name(statement, types[i]) + " versus " + type_name(statement, type));
  }
  auto reference = std::make_unique<duckdb::ParameterExpression>();
  reference->identifier = std::to_string(parameter.parameter);
  const PhysicalType physical = physical_of(statement, type, -1);
  TypedExpr result = typed(make_cast(std::move(reference), duck_type(base_type_of(statement, type), physical)), type,
                           physical, {}, parameter.location);
  return result;
}

/// The checks of a domain, around a value of its base type. `named` is the domain that errors name, one over `type`.
TypedExpr check_domain(Scope& scope, TypedExpr value, Oid type, const catalog::DomainType* named = nullptr);

/// `e` taken for another type of the same bytes; changes the physical form where ours differ.
TypedExpr relabel(Scope& scope, TypedExpr e, Oid target) {
  StatementContext& statement = *scope.statement;
  e = without_spaces(std::move(e));
  const Oid from = base_type_of(statement, e.type), to = base_type_of(statement, target);
  PhysicalType physical = physical_of(statement, target, -1);
  if (from != to && is_array(statement, from) != is_array(statement, to))
    not_supported("cast from " + type_name(statement, from) + " to " + type_name(statement, to), e.location);
  if (physical.kind == e.physical.kind || e.physical.is_decimal()) {
    if (to == oid::kBpchar && from != oid::kBpchar) {
      physical.width = kOwnSpaces;
    } else {
      physical = e.physical;
      if (to != oid::kBpchar) physical.width = 0;
    }
    const bool same_duck = duck_type(from, e.physical) == duck_type(to, physical);
    if (!same_duck)
      e.duck =
          make_call("omen_reinterpret", make_text(type_descriptor(statement, target, physical)), std::move(e.duck));
  } else {
    // int4 and oid: the same 32 bits.
    e.duck = make_call("omen_reinterpret", make_text(type_descriptor(statement, target, physical)), std::move(e.duck));
  }
  e.type = target;
  e.typmod = -1;
  e.physical = physical;
  e.table = kInvalidOid;
  e.attnum = 0;
  return e;
}

TypedExpr cast_by_io(Scope& scope, TypedExpr e, Oid target) {
  StatementContext& statement = *scope.statement;
  const Oid to = base_type_of(statement, target);
  const int location = e.location;
  TypedExpr text = to_text_by_output(scope, std::move(e));
  if (to == oid::kText || to == oid::kVarchar) {
    text.type = target;
    return text;
  }
  if (to == oid::kBpchar) {
    text.duck = make_call("rtrim", std::move(text.duck), make_text(" "));
    text.type = target;
    return text;
  }
  const PhysicalType physical = physical_of(statement, target, -1);
  TypedExpr result =
      typed(make_call("omen_input", make_text(type_descriptor(statement, target, physical)), std::move(text.duck)),
            target, physical, {&text}, location);
  return result;
}

/// The same elements under the name of another type.
TypedExpr relabel_array(Scope& scope, TypedExpr e, Oid target) {
  const int location = e.location;
  const std::string descriptor = type_descriptor(*scope.statement, target, {Physical::kBytes});
  return typed(make_call("omen_array_relabel", make_text(descriptor), std::move(e.duck)), target, {Physical::kBytes},
               {&e}, location);
}

TypedExpr cast_array(Scope& scope, TypedExpr e, Oid target, CoercionContext context) {
  StatementContext& statement = *scope.statement;
  const Oid from = element_type_of(statement, e.type), to = element_type_of(statement, target);
  const int location = e.location;
  int32_t base_typmod = -1;
  const Oid base = base_type_of(statement, to, &base_typmod);
  if (const Oid base_array = array_type_of(statement, base); base != to && base_array != kInvalidOid) {
    // To a domain's array: as one of its base type, then checked.
    if (e.type != base_array) e = cast_array(scope, std::move(e), base_array, context);
    e = relabel_array(scope, coerce_typmod(scope, std::move(e), base_typmod, context), target);
    e.duck = make_call("omen_array_domain", std::move(e.duck));
    return e;
  }
  Oid function;
  const CoercionPath path = find_coercion_path(statement, to, from, context, &function);
  const bool sheds_spaces =
      base_type_of(statement, from) == oid::kBpchar && base_type_of(statement, to) != oid::kBpchar;
  if (path == CoercionPath::kRelabel && !sheds_spaces &&
      physical_of(statement, from, -1).kind == physical_of(statement, to, -1).kind) {
    return relabel_array(scope, std::move(e), target);
  }
  // Element by element through text gives what the element cast gives for every pair but numbers to integers (which
  // round), dates and timestamps among each other (zones, and what is cut), and booleans.
  const char category_from = type_category(statement, from), category_to = type_category(statement, to);
  const bool narrowing = category_from == 'N' && category_to == 'N' &&
                         (to == oid::kInt2 || to == oid::kInt4 || to == oid::kInt8) &&
                         (from == oid::kNumeric || from == oid::kFloat4 || from == oid::kFloat8);
  const char* function_name = "omen_array_cast_io";
  if ((category_from == 'D' || narrowing || category_from == 'B') && path != CoercionPath::kViaIo) {
    const auto is_instant = [](Oid type) {
      return type == oid::kDate || type == oid::kTimestamp || type == oid::kTimestampTz;
    };
    const bool instants = is_instant(from) && (is_instant(to) || (to == oid::kTime && from != oid::kDate));
    const bool booleans = from == oid::kBool && (to == oid::kInt4 || to == oid::kText || to == oid::kVarchar);
    if (!narrowing && !instants && !booleans) {
      not_supported("cast from " + type_name(statement, e.type) + " to " + type_name(statement, target), location);
    }
    function_name = "omen_array_cast";
  }
  return typed(make_call(function_name, make_text(type_descriptor(statement, e.type, e.physical)),
                         make_text(type_descriptor(statement, target, {Physical::kBytes})), std::move(e.duck)),
               target, {Physical::kBytes}, {&e}, location);
}

/// ROW(...) as a composite type: field by field.
TypedExpr row_to_composite(Scope& scope, TypedExpr row, Oid target, CoercionContext context, int location) {
  StatementContext& statement = *scope.statement;
  if (row.fields.empty()) not_supported("cast of a record to " + type_name(statement, target), location);
  const auto* columns = composite_columns(*statement.catalog, target);
  CHECK(columns != nullptr);
  auto refuse = [&](const std::string& detail) {
    throw SqlError(SqlState::kCannotCoerce, "cannot cast type record to " + type_name(statement, target), location)
        .detail(detail);
  };
  std::vector<TypedExpr> fields;
  std::vector<std::string> names;
  for (const auto& column : *columns) {
    if (column.dropped) continue;
    const size_t i = fields.size();
    if (i >= row.fields.size()) refuse("Input has too few columns.");
    const Oid source = is_unknown(row.fields[i]) ? oid::kUnknown : row.fields[i].type;
    auto field = try_coerce(scope, std::move(row.fields[i]), column.type, column.typmod, context);
    if (!field) {
      refuse("Cannot cast type " + type_name(statement, source) + " to " + type_name(statement, column.type) +
             " in column " + std::to_string(i + 1) + ".");
    }
    fields.push_back(std::move(*field));
    names.push_back(column.name);
  }
  if (fields.size() < row.fields.size()) refuse("Input has too many columns.");
  TypedExpr result = make_row(scope, std::move(fields), std::move(names), target);
  result.location = location;
  return result;
}

}  // namespace

TypedExpr coerce_type(Scope& scope, TypedExpr e, Oid target, int32_t target_typmod, CoercionContext context,
                      int location) {
  StatementContext& statement = *scope.statement;
  if (location >= 0 && e.location < 0) e.location = location;
  if (e.kind == TypedExpr::Kind::kPlain && e.type == target) return e;
  if (target == oid::kUnknown && is_unknown(e)) return e;  // still what its place makes of it
  if (target == oid::kAny || is_polymorphic(target)) {
    // "any" and what is polymorphic still: literals become text, values stay what they are.
    return is_unknown(e) ? resolve_unknown(scope, std::move(e)) : std::move(e);
  }
  switch (e.kind) {
    case TypedExpr::Kind::kUnknownLiteral: {
      int32_t base_typmod = target_typmod;
      const Oid base = base_type_of(statement, target, &base_typmod);
      // A cast cuts a string to the domain's length, an assignment complains.
      const bool cuts =
          base != target && context == CoercionContext::kExplicit && (base == oid::kVarchar || base == oid::kBpchar);
      TypedExpr value = literal_of_type(scope, e, base, cuts ? -1 : base_typmod, base);
      if (base != target) {
        return check_domain(
            scope, coerce_typmod(scope, std::move(value), base_typmod, cuts ? context : CoercionContext::kImplicit),
            target);
      }
      return value;
    }
    case TypedExpr::Kind::kNull: {
      TypedExpr value = typed_null(statement, target, -1, e.location);
      return base_type_of(statement, target) != target ? check_domain(scope, std::move(value), target)
                                                       : std::move(value);
    }
    case TypedExpr::Kind::kUntypedParameter: return parameter_of_type(scope, e, target);
    case TypedExpr::Kind::kPlain: break;
  }
  Oid function;
  const CoercionPath path = find_coercion_path(statement, target, e.type, context, &function);
  const int32_t source_typmod = e.typmod;
  int32_t base_typmod = -1;
  const Oid base = base_type_of(statement, target, &base_typmod);
  TypedExpr value;
  const int from_location = e.location;
  switch (path) {
    case CoercionPath::kRelabel: {
      const bool same_base = base_type_of(statement, e.type) == base;
      value = same_base ? std::move(e) : relabel(scope, std::move(e), base);
      if (value.type != base) {
        value.type = base;
        value.table = kInvalidOid;
        value.attnum = 0;
      }
      if (same_base && base != target) value.typmod = source_typmod;
      break;
    }
    case CoercionPath::kFunction: {
      const ProcRow* proc = find_proc(function);
      CHECK(proc != nullptr);
      e = coerce_type(scope, std::move(e), base_type_of(statement, e.type), -1, CoercionContext::kImplicit, location);
      std::vector<TypedExpr> args;
      const Oid argument = proc->arguments[0];
      if (e.type != argument) e = relabel(scope, std::move(e), argument);
      args.push_back(std::move(e));
      std::vector<Oid> declared = {argument};
      // Length coercion functions take typmod and "is explicit" beside the value; the typmod itself is applied later.
      const bool sized = proc->source.starts_with("bitfrom");  // makes as many bits as the modifier says
      for (size_t i = 1; i < proc->arguments.size(); ++i) {
        args.push_back(i == 1 ? int4_constant(sized ? target_typmod : -1)
                              : bool_constant(context == CoercionContext::kExplicit));
        declared.push_back(proc->arguments[i]);
      }
      value = emit_call(Call{scope, *proc, std::move(args), std::move(declared), base, from_location});
      value.type = base;
      if (sized) value.typmod = target_typmod;
      break;
    }
    case CoercionPath::kArray: value = cast_array(scope, std::move(e), base, context); break;
    case CoercionPath::kViaIo: value = cast_by_io(scope, std::move(e), base); break;
    case CoercionPath::kNone:
      if (target == oid::kRecord || is_composite(statement, target)) {
        if (target == oid::kRecord) {
          // The record takes the names along that its type had.
          std::vector<TypedExpr> fields = std::move(e.fields);
          std::vector<DuckExpr> names;
          names.push_back(make_text(type_descriptor(statement, oid::kName, {Physical::kBytes})));
          if (const auto* columns = composite_columns(*statement.catalog, base_type_of(statement, e.type))) {
            for (const auto& column : *columns) {
              if (!column.dropped) names.push_back(make_text(column.name));
            }
          }
          value = relabel(scope, std::move(e), target);
          value.duck =
              make_call("omen_record_names", std::move(value.duck), make_function("omen_array", std::move(names)));
          value.fields = std::move(fields);
        } else {
          value = row_to_composite(scope, std::move(e), base, context, location);
        }
        break;
      }
      throw SqlError(SqlState::kInternalError, "failed to find conversion function from " +
                                                   type_name(statement, e.type) + " to " +
                                                   type_name(statement, target));
  }
  if (base != target) {
    value = coerce_typmod(scope, std::move(value), base_typmod, context);
    value = check_domain(scope, std::move(value), target);
  }
  return value;
}

TypedExpr coerce_typmod(Scope& scope, TypedExpr e, int32_t typmod, CoercionContext context) {
  StatementContext& statement = *scope.statement;
  const Oid base = base_type_of(statement, e.type);
  if (typmod < 0 || typmod == e.typmod) return e;
  const bool is_explicit = context == CoercionContext::kExplicit;
  const PhysicalType form = physical_of(statement, base, typmod);
  const Oid type = e.type;
  switch (base.value) {
    case 1043:
      e.duck = make_call("omen_varchar", std::move(e.duck), make_integer(typmod),
                         make_constant(duckdb::Value::BOOLEAN(is_explicit)));
      break;
    case 1042:
      e.duck = make_call("omen_bpchar", std::move(e.duck), make_integer(typmod),
                         make_constant(duckdb::Value::BOOLEAN(is_explicit)));
      break;
    case 1700:
      if (form.is_decimal()) {
        e = to_numeric_form(scope, std::move(e), form);
      } else {
        e = to_plain(scope, std::move(e));
        e.duck = make_call("omen_numeric", std::move(e.duck), make_integer(typmod));
      }
      break;
    case 1560:
    case 1562:
      e.duck = make_call(base == oid::kBit ? "omen_bit" : "omen_varbit", std::move(e.duck), make_integer(typmod),
                         make_constant(duckdb::Value::BOOLEAN(is_explicit)));
      break;
    case 1083: e.duck = make_call("omen_time_scale", std::move(e.duck), make_integer(typmod)); break;
    case 1114: e.duck = make_call("omen_timestamp_scale", std::move(e.duck), make_integer(typmod)); break;
    case 1184: e.duck = make_call("omen_timestamptz_scale", std::move(e.duck), make_integer(typmod)); break;
    case 1186: e.duck = make_call("omen_interval_scale", std::move(e.duck), make_integer(typmod)); break;
    case 1266: e.duck = make_call("omen_timetz_scale", std::move(e.duck), make_integer(typmod)); break;
    default:
      if (is_array(statement, base)) {
        e.duck = make_call("omen_array_typmod", make_text(type_descriptor(statement, base, e.physical, typmod)),
                           std::move(e.duck), make_constant(duckdb::Value::BOOLEAN(is_explicit)));
        break;
      }
      return e;
  }
  e.type = type;
  e.typmod = typmod;
  e.physical = form;
  e.table = kInvalidOid;
  e.attnum = 0;
  return e;
}

std::optional<TypedExpr> try_coerce(Scope& scope, TypedExpr e, Oid type, int32_t typmod, CoercionContext context) {
  const Oid source = is_unknown(e) ? oid::kUnknown : e.type;
  if (!can_coerce(*scope.statement, source, type, context)) return std::nullopt;
  const int location = e.location;
  const bool same = e.type == type && e.kind == TypedExpr::Kind::kPlain;
  if (same && (typmod < 0 || e.typmod == typmod)) return e;
  TypedExpr result = coerce_type(scope, std::move(e), type, typmod, context, location);
  return coerce_typmod(scope, std::move(result), typmod, context);
}

TypedExpr coerce(Scope& scope, TypedExpr e, Oid type, int32_t typmod, CoercionContext context) {
  const Oid source = is_unknown(e) ? oid::kUnknown : e.type;
  const int location = e.location;
  auto result = try_coerce(scope, std::move(e), type, typmod, context);
  if (!result) {
    throw SqlError(SqlState::kDatatypeMismatch,
                   "expression is of type " + type_name(*scope.statement, source) + " but type " +
                       type_name(*scope.statement, type) + " is needed",
                   location);
  }
  return std::move(*result);
}

TypedExpr coerce_to_boolean(Scope& scope, TypedExpr e, const char* construct) {
  if (e.kind != TypedExpr::Kind::kPlain || e.type != oid::kBool) {
    const Oid source = is_unknown(e) ? oid::kUnknown : e.type;
    const int location = e.location;
    auto result = try_coerce(scope, std::move(e), oid::kBool, -1, CoercionContext::kAssignment);
    if (!result) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     std::string("argument of ") + construct + " must be type boolean, not type " +
                         type_name(*scope.statement, source),
                     location);
    }
    e = std::move(*result);
  }
  if (e.returns_set) {
    throw SqlError(SqlState::kDatatypeMismatch, std::string("argument of ") + construct + " must not return a set",
                   e.location);
  }
  return e;
}

CommonType::CommonType(const StatementContext& statement, Oid first)
    : statement_(statement),
      type_(base_type_of(statement, first)),
      category_(type_category(statement, type_, &preferred_)) {}

bool CommonType::add(Oid next) {
  next = base_type_of(statement_, next);
  if (next == oid::kUnknown || next == type_) return true;
  bool preferred;
  const char category = type_category(statement_, next, &preferred);
  if (type_ != oid::kUnknown) {
    if (category != category_) return false;
    if (preferred_ || !can_coerce(statement_, type_, next, CoercionContext::kImplicit) ||
        can_coerce(statement_, next, type_, CoercionContext::kImplicit)) {
      return true;
    }
  }
  type_ = next;
  category_ = category;
  preferred_ = preferred;
  return true;
}

Oid select_common_type(Scope& scope, const std::vector<TypedExpr*>& exprs, const char* construct) {
  StatementContext& statement = *scope.statement;
  auto type_at = [&](size_t i) { return is_unknown(*exprs[i]) ? oid::kUnknown : exprs[i]->type; };
  CHECK(!exprs.empty());
  const Oid first = type_at(0);
  if (first != oid::kUnknown) {
    bool same = true;
    for (size_t i = 1; i < exprs.size() && same; ++i) same = type_at(i) == first;
    if (same) return first;
  }
  CommonType common(statement, first);
  for (size_t i = 1; i < exprs.size(); ++i) {
    if (common.add(type_at(i))) continue;
    throw SqlError(SqlState::kDatatypeMismatch,
                   std::string(construct) + " types " + type_name(statement, common.type()) + " and " +
                       type_name(statement, base_type_of(statement, type_at(i))) + " cannot be matched",
                   exprs[i]->location);
  }
  return common.type() == oid::kUnknown ? oid::kText : common.type();
}

TypedExpr resolve_unknown(Scope& scope, TypedExpr e) {
  if (!is_unknown(e)) return e;
  const int location = e.location;
  return coerce_type(scope, std::move(e), oid::kText, -1, CoercionContext::kImplicit, location);
}

namespace {

TypedExpr check_domain(Scope& scope, TypedExpr value, Oid type, const catalog::DomainType* named) {
  StatementContext& statement = *scope.statement;
  const auto* domain = statement.catalog->find<catalog::DomainType>(type);
  CHECK(domain != nullptr);
  if (named == nullptr) named = domain;
  statement.other_dependencies.insert(type.value);
  // A domain over a domain: the inner checks first.
  if (statement.catalog->find<catalog::DomainType>(domain->base_type) != nullptr) {
    value = check_domain(scope, std::move(value), domain->base_type, named);
  }
  const int location = value.location;
  const auto* schema = statement.catalog->find<catalog::Schema>(named->schema);
  auto refuse = [&](const std::string& message, const std::string& constraint) {
    return make_call("omen_refuse_value", make_text(type_descriptor(statement, type, value.physical)),
                     make_text(message), make_text(schema == nullptr ? "" : schema->name), make_text(named->name),
                     make_text(constraint));
  };
  if (domain->not_null) {
    DuckExpr fail = refuse("domain " + named->name + " does not allow null values", "");
    DuckExpr test = make_is_null(copy_of(value.duck));
    value.duck = make_case(std::move(test), std::move(fail), std::move(value.duck));
  }
  for (const auto& check : domain->checks) {
    TypedExpr condition = analyze_domain_check(scope, check.check_sql, value);
    DuckExpr fail =
        refuse("value for domain " + named->name + " violates check constraint \"" + check.name + "\"", check.name);
    DuckExpr failed = make_compare(duckdb::ExpressionType::COMPARE_NOT_DISTINCT_FROM, std::move(condition.duck),
                                   make_constant(duckdb::Value::BOOLEAN(false)));
    value.duck = make_case(std::move(failed), std::move(fail), std::move(value.duck));
  }
  value.type = type;
  value.typmod = -1;
  value.table = kInvalidOid;
  value.attnum = 0;
  value.location = location;
  return value;
}

}  // namespace

}  // namespace omendb::sql
