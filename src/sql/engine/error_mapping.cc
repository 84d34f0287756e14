#include "sql/engine/error_mapping.h"

#include <cstdlib>
#include <new>

#include "duckdb/common/exception.hpp"

#include "base/stack_depth.h"

namespace omendb::sql {
namespace {

SqlState parse_state(const std::string& text) {
  char code[6] = "XX000";
  if (text.size() == 5) text.copy(code, 5);
  return static_cast<SqlState>(pack_sqlstate(code));
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// "INT32" and its kin, as DuckDB's messages print physical types, in PostgreSQL's words; null: no such word in `text`.
const char* integer_name(std::string_view text) {
  if (has(text, "INT16") || has(text, "SMALLINT")) return "smallint";
  if (has(text, "INT64") || has(text, "BIGINT")) return "bigint";
  if (has(text, "INT32") || has(text, "INTEGER")) return "integer";
  return nullptr;
}

SqlError out_of_range(const std::string& message) {
  // The destination type comes last in "Type INT64 with value 3 can't be cast ... the destination type INT32".
  std::string_view where = message;
  if (auto at = message.rfind("destination type"); at != std::string::npos) where = where.substr(at);
  if (const char* name = integer_name(where)) {
    return SqlError(SqlState::kNumericValueOutOfRange, std::string(name) + " out of range");
  }
  if (has(where, "DECIMAL") || has(where, "HUGEINT") || has(where, "INT128")) {
    return SqlError(SqlState::kNumericValueOutOfRange, "numeric field overflow");
  }
  if (has(where, "DOUBLE") || has(where, "FLOAT")) {
    return SqlError(SqlState::kNumericValueOutOfRange, "value out of range: overflow");
  }
  if (has(where, "TIMESTAMP") || has(where, "DATE") || has(where, "date") || has(where, "timestamp")) {
    return SqlError(SqlState::kDatetimeFieldOverflow, "timestamp out of range");
  }
  if (has(where, "INTERVAL") || has(where, "interval")) {
    return SqlError(SqlState::kDatetimeFieldOverflow, "interval out of range");
  }
  return SqlError(SqlState::kNumericValueOutOfRange, message);
}

SqlError conversion(const std::string& message) {
  if (has(message, "out of range") || has(message, "overflow") || has(message, "Overflow"))
    return out_of_range(message);
  // "Could not convert string 'x' to INT32"
  const auto open = message.find('\'');
  const auto close = message.rfind('\'');
  if (open != std::string::npos && close > open) {
    const std::string value = message.substr(open + 1, close - open - 1);
    const std::string_view tail = std::string_view(message).substr(close);
    const char* type = integer_name(tail);
    if (type == nullptr && has(tail, "DOUBLE")) type = "double precision";
    if (type == nullptr && has(tail, "FLOAT")) type = "real";
    if (type == nullptr && has(tail, "BOOL")) type = "boolean";
    if (type == nullptr && has(tail, "UUID")) type = "uuid";
    if (type == nullptr && has(tail, "DECIMAL")) type = "numeric";
    if (type != nullptr) {
      return SqlError(SqlState::kInvalidTextRepresentation,
                      std::string("invalid input syntax for type ") + type + ": \"" + value + "\"");
    }
  }
  return SqlError(SqlState::kInvalidTextRepresentation, message);
}

}  // namespace

SqlError map_duck_error(const duckdb::ErrorData& error) {
  const auto& extra = error.ExtraInfo();
  if (auto code = extra.find("omen_code"); code != extra.end()) {
    auto text = [&](const char* name) {
      auto it = extra.find(name);
      return it == extra.end() ? std::string() : it->second;
    };
    SqlError result(parse_state(code->second), error.RawMessage(), std::atoi(text("omen_location").c_str()));
    result.info().position = std::atoi(text("omen_position").c_str());
    result.info().detail = text("omen_detail");
    result.info().hint = text("omen_hint");
    result.info().context = text("omen_context");
    result.info().schema = text("omen_schema");
    result.info().table = text("omen_table");
    result.info().column = text("omen_column");
    result.info().data_type = text("omen_data_type");
    result.info().constraint = text("omen_constraint");
    result.info().file = text("omen_file");
    result.info().routine = text("omen_routine");
    return result;
  }

  const std::string& message = error.RawMessage();
  using duckdb::ExceptionType;
  if (has(message, "not supported in correlated subquery")) return SqlError(SqlState::kFeatureNotSupported, message);
  switch (error.Type()) {
    case ExceptionType::INTERRUPT: return SqlError(SqlState::kQueryCanceled, "canceling statement due to user request");
    case ExceptionType::OUT_OF_MEMORY:
      if (has(message, "max_temp_directory_size")) {
        // The rest tells how to change DuckDB's own setting.
        return SqlError(SqlState::kConfigurationLimitExceeded, "temporary file size exceeds the limit")
            .detail(message.substr(0, message.find('\n')));
      }
      return SqlError(SqlState::kOutOfMemory, "out of memory").detail(message);
    case ExceptionType::DIVIDE_BY_ZERO: return SqlError(SqlState::kDivisionByZero, "division by zero");
    case ExceptionType::OUT_OF_RANGE:
    case ExceptionType::DECIMAL: return out_of_range(message);
    case ExceptionType::CONVERSION:
    case ExceptionType::MISMATCH_TYPE: return conversion(message);
    case ExceptionType::NOT_IMPLEMENTED: return SqlError(SqlState::kFeatureNotSupported, message);
    case ExceptionType::IO: return SqlError(has(message, "space") ? SqlState::kDiskFull : SqlState::kIoError, message);
    case ExceptionType::INVALID_INPUT:
    case ExceptionType::EXECUTOR:
      if (has(message, "More than one row returned by a subquery")) {
        return SqlError(SqlState::kCardinalityViolation,
                        "more than one row returned by a subquery used as an expression");
      }
      if (has(message, "ivision by zero")) return SqlError(SqlState::kDivisionByZero, "division by zero");
      if (has(message, "Overflow") || has(message, "overflow") || has(message, "out of range"))
        return out_of_range(message);
      return SqlError(SqlState::kDataException, message);
    case ExceptionType::BINDER:
      if (has(message, "aggregate function calls cannot be nested")) {
        return SqlError(SqlState::kGroupingError, "aggregate function calls cannot be nested");
      }
      if (has(message, "Correlated columns not supported in LIMIT")) {
        return SqlError(SqlState::kFeatureNotSupported,
                        "LIMIT or OFFSET that refers to an outer query is not supported");
      }
      [[fallthrough]];
    default: {
      if (has(message, "Max expression depth limit")) return SqlError(stack_too_deep());
      std::string first_line = message.substr(0, message.find('\n'));
      return SqlError(SqlState::kInternalError, "internal error: " + first_line);
    }
  }
}

Status status_of_error(const SqlError& error, std::string_view text) {
  ErrorInfo info = error.info();
  if (info.position == 0 && error.byte_location() >= 0) {
    int position = 1;
    for (size_t i = 0; i < text.size() && i < static_cast<size_t>(error.byte_location()); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++position;
    }
    info.position = position;
  }
  return Status(std::move(info));
}

Status status_of_exception(std::string_view text) {
  try {
    throw;
  } catch (const SqlError& error) {
    return status_of_error(error, text);
  } catch (const std::bad_alloc&) {
    return Status(SqlState::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return status_of_error(map_duck_error(duckdb::ErrorData(error)), text);
  }
}

}  // namespace omendb::sql
