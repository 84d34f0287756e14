// Status and Result: how trouble that is expected travels through the house. Exceptions of foreign libraries are
// turned into a Status where they are met, and our own mistakes stop the process through CHECK (base/check.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb {

/// What a client is told of an error; the fields of PostgreSQL's ErrorResponse (manual, "Error and Notice Message Fields").
struct ErrorInfo {
  SqlState code = SqlState::kInternalError;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;  // field W
  int position = 0;     // 1-based, in characters of the statement's text; 0: none
  std::string schema;
  std::string table;
  std::string column;
  std::string data_type;
  std::string constraint;
  // Fields F and R: where PostgreSQL raises it. Empty but for errors that clients know by their place.
  std::string file;
  std::string routine;
};

/// Success, or an ErrorInfo. One pointer wide; copying copies the error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(SqlState code, std::string message) : info_(std::make_unique<ErrorInfo>()) {
    info_->code = code;
    info_->message = std::move(message);
  }
  explicit Status(ErrorInfo info) : info_(std::make_unique<ErrorInfo>(std::move(info))) {}
  Status(const Status& other) : info_(other.info_ ? std::make_unique<ErrorInfo>(*other.info_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) info_ = other.info_ ? std::make_unique<ErrorInfo>(*other.info_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return info_ == nullptr; }
  SqlState code() const { return info_ ? info_->code : SqlState::kSuccessfulCompletion; }
  bool is(SqlState code) const { return this->code() == code; }
  const std::string& message() const { return info().message; }
  /// Requires !ok().
  const ErrorInfo& info() const {
    CHECK(info_ != nullptr);
    return *info_;
  }

  // Builders, for `return Status(...).with_detail(...)`. On an ok status they do nothing.
  Status&& with_detail(std::string text) && { return std::move(set(&ErrorInfo::detail, std::move(text))); }
  Status&& with_hint(std::string text) && { return std::move(set(&ErrorInfo::hint, std::move(text))); }
  Status&& with_context(std::string text) && { return std::move(set(&ErrorInfo::context, std::move(text))); }
  Status&& with_table(std::string schema, std::string table) && {
    set(&ErrorInfo::schema, std::move(schema));
    return std::move(set(&ErrorInfo::table, std::move(table)));
  }
  Status&& with_column(std::string text) && { return std::move(set(&ErrorInfo::column, std::move(text))); }
  Status&& with_data_type(std::string text) && { return std::move(set(&ErrorInfo::data_type, std::move(text))); }
  Status&& with_constraint(std::string text) && { return std::move(set(&ErrorInfo::constraint, std::move(text))); }
  Status&& with_position(int position) && {
    if (info_) info_->position = position;
    return std::move(*this);
  }

 private:
  Status& set(std::string ErrorInfo::*field, std::string text) {
    if (info_) (*info_).*field = std::move(text);
    return *this;
  }
  std::unique_ptr<ErrorInfo> info_;
};

/// A T, or the Status that explains why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { CHECK(!status_.ok()); }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  Status take_status() && { return std::move(status_); }
  T& value() & {
    CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    CHECK(ok());
    return *value_;
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

#define OMENDB_CONCAT_(a, b) a##b
#define OMENDB_CONCAT(a, b) OMENDB_CONCAT_(a, b)

/// Leaves the function with the error, if there is one.
#define RETURN_IF_ERROR(expression) \
  do { \
    if (::omendb::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

/// `ASSIGN_OR_RETURN(auto row, read(key));`: the value, or leaves the function with the error.
#define ASSIGN_OR_RETURN(target, expression) ASSIGN_OR_RETURN_(OMENDB_CONCAT(result_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression); \
  if (!result.ok()) return std::move(result).take_status(); \
  target = std::move(result).value()

}  // namespace omendb
