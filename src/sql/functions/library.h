// How our functions are written: as vectorised DuckDB functions (hot ones), or row by row over types::ValueView (the long tail).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "duckdb/common/vector_operations/binary_executor.hpp"
#include "duckdb/common/vector_operations/unary_executor.hpp"
#include "duckdb/execution/expression_executor_state.hpp"
#include "duckdb/function/aggregate_function.hpp"
#include "duckdb/function/function_set.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"

#include "sql/duck_types.h"
#include "sql/error.h"
#include "sql/functions/register.h"
#include "sql/services.h"
#include "types/value.h"

namespace omendb::sql::functions {

/// A type descriptor (emission.h, type_descriptor), parsed.
struct TypeArgument {
  Oid type, base;
  int32_t typmod = -1;
  types::PhysicalType physical;
  Oid element;  // of arrays
  types::PhysicalType element_physical;
  static TypeArgument parse(const std::string& text);
  bool operator==(const TypeArgument&) const = default;
};

/// One call of a row function: what it may use beside its arguments.
class RowCall {
 public:
  RowCall(duckdb::ClientContext* context, const std::vector<TypeArgument>& types) : types(types), context_(context) {}
  SessionServices& services() {
    CHECK(context_ != nullptr);
    return omendb::sql::services(*context_);
  }
  const types::IoContext& io() { return services().io(); }
  /// Descriptors among the arguments, in order.
  const std::vector<TypeArgument>& types;
  size_t argument_count = 0;  // descriptors left out
  std::string buffer;         // bytes of the result may lie here
  types::Value value;         // or here
  types::ValueView bytes() { return types::ValueView::of_bytes(buffer); }
  /// This call with other types for its arguments.
  RowCall with(const std::vector<TypeArgument>& other) const { return RowCall(context_, other); }
  types::ValueView text(std::string s) {
    buffer = std::move(s);
    return bytes();
  }

 private:
  duckdb::ClientContext* context_;
};

using RowFunction = std::function<types::ValueView(RowCall&, const types::ValueView* args)>;
inline types::ValueView null_value() { return types::ValueView(); }
inline types::ValueView bool_value(bool b) { return types::ValueView::of_integer(b ? 1 : 0); }
inline types::ValueView int_value(int64_t v) { return types::ValueView::of_integer(v); }
inline types::ValueView real_value(double v) { return types::ValueView::of_real(v); }

/// Marks in a row function's argument list.
inline constexpr Oid kDescriptor{0xFFFFFFFF};  // a type descriptor, not passed to the function
inline constexpr Oid kAnyValue{0xFFFFFFFE};    // any type; its form comes from the descriptor before it
inline constexpr Oid kAnyTail{0xFFFFFFFD};     // any number of (descriptor, value) pairs
inline constexpr Oid kDescribed{0xFFFFFFFC};   // result: as the first descriptor says

enum class Volatility : uint8_t { kImmutable, kStable, kVolatile };

struct RowSpec {
  std::string name;  // without "omen_"
  std::vector<Oid> arguments;
  Oid result;
  RowFunction function;
  Volatility volatility = Volatility::kImmutable;
  bool strict = true;
  Oid tail{};  // more arguments of this type (not kAnyTail)
};

/// A scalar function of ours as it was bound, for callers that compute single rows without DuckDB.
struct BoundRowFunction {
  RowFunction function;
  std::vector<TypeArgument> types;  // for its RowCall
  std::vector<size_t> values;       // positions of the arguments that it takes
  types::Physical result = types::Physical::kBytes;
  bool strict = true;
  Volatility volatility = Volatility::kImmutable;
};
/// Nullopt: a function of DuckDB's, or one that has a vectorised form only.
std::optional<BoundRowFunction> bound_row_function(const duckdb::BoundFunctionExpression& call);

/// Makes the row form of a vectorised function for arguments of these types; empty: there is none. It must be strict and immutable.
using RowForm =
    std::function<RowFunction(const std::vector<duckdb::LogicalType>& arguments, const duckdb::LogicalType& result)>;

/// A function of `fixed` arguments and any number of others (kAnyTail), over an array that holds the others.
RowFunction over_array(size_t fixed, RowFunction function);

/// Takes the rows of a set-returning function, one value a column.
class RowSink {
 public:
  RowSink(duckdb::Vector& list, const std::vector<types::PhysicalType>& columns) : list_(list), columns_(columns) {}
  void row(const std::vector<types::ValueView>& values);
  void row(const types::ValueView& value) { put(next_++, 0, value); }
  size_t count() const { return next_; }

 private:
  void put(size_t index, size_t column, const types::ValueView& value);
  duckdb::Vector& list_;
  const std::vector<types::PhysicalType>& columns_;
  size_t next_ = 0;
};

/// A set-returning function: a DuckDB scalar that yields a LIST, of STRUCTs "f1", "f2", ... when it has several columns (expr.h).
struct SetSpec {
  std::string name;
  std::vector<Oid> arguments;
  std::vector<Oid> columns;  // kDescribed: as the first descriptor says
  std::function<void(RowCall&, const types::ValueView* args, RowSink&)> function;
  Volatility volatility = Volatility::kImmutable;
  bool strict = true;      // null argument: no rows
  bool null_list = false;  // ... but a null list, where the list itself is the value
};

/// Everything that functions/ registers; made once.
class Library {
 public:
  static const Library& instance();

  void row(RowSpec spec);
  void set(SetSpec spec);
  void scalar(const std::string& name, duckdb::ScalarFunction function, Volatility volatility = Volatility::kImmutable);
  void aggregate(const std::string& name, duckdb::AggregateFunction function);
  /// Beside scalar() of the same name.
  void row_form(const std::string& name, RowForm form) { row_forms["omen_" + name] = std::move(form); }

  std::map<std::string, duckdb::ScalarFunctionSet> scalars;
  std::map<std::string, duckdb::AggregateFunctionSet> aggregates;
  std::map<std::string, OwnFunction, std::less<>> own;
  std::unordered_map<std::string, RowForm> row_forms;

 private:
  Library();
};

// Each family fills the library.
void add_core_functions(Library& library);
void add_numeric_functions(Library& library);
void add_cast_functions(Library& library);
void add_text_functions(Library& library);
void add_datetime_functions(Library& library);
void add_array_functions(Library& library);
void add_json_functions(Library& library);
void add_catalog_functions(Library& library);  // system_functions.cc
void add_administration_functions(Library& library);
void add_pattern_functions(Library& library);
void add_session_functions(Library& library);
void add_column_functions(Library& library);  // ../columnar/
void add_set_functions(Library& library);
void add_query_functions(Library& library);
void add_aggregates(Library& library);

// --- Values and vectors ---

/// Value `index` of a vector's data of this form; not null.
types::ValueView value_at(const void* data, size_t index, const types::PhysicalType& physical);
/// Stores into a flat vector (bytes are copied).
void store(duckdb::Vector& result, size_t index, const types::PhysicalType& physical, const types::ValueView& value);

inline std::string_view view_of(const duckdb::string_t& s) { return {s.GetData(), s.GetSize()}; }
inline duckdb::hugeint_t to_hugeint(types::Int128 v) {
  duckdb::hugeint_t h;
  h.lower = static_cast<uint64_t>(v);
  h.upper = static_cast<int64_t>(v >> 64);
  return h;
}
inline types::Int128 from_hugeint(duckdb::hugeint_t h) {
  return static_cast<types::Int128>((static_cast<types::UInt128>(static_cast<uint64_t>(h.upper)) << 64) | h.lower);
}

/// Vectorised functions of one and two arguments from a callable.
template <class A, class R, class F>
duckdb::scalar_function_t unary(F f) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::UnaryExecutor::Execute<A, R>(args.data[0], result, args.size(), f);
  };
}
template <class A, class B, class R, class F>
duckdb::scalar_function_t binary(F f) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::BinaryExecutor::Execute<A, B, R>(args.data[0], args.data[1], result, args.size(), f);
  };
}

/// As binary(), for a callable (a, b, mask, row) that may set its row of the result to null.
template <class A, class B, class R, class F>
duckdb::scalar_function_t binary_or_null(F f) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::BinaryExecutor::ExecuteWithNulls<A, B, R>(args.data[0], args.data[1], result, args.size(), f);
  };
}

duckdb::LogicalType logical_type(Oid type);

}  // namespace omendb::sql::functions
