// Inside sql/, trouble is thrown; the doors of the folder (sql/session.h) turn it into a Status.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/status.h"

namespace omendb::sql {

/// An ErrorInfo on its way to the door. Safe to throw through DuckDB's operators: the door recognises it (see
/// engine/error_mapping.h), DuckDB's own exceptions are mapped there.
class SqlError : public std::exception {
 public:
  explicit SqlError(ErrorInfo info) : info_(std::move(info)) {}
  explicit SqlError(const Status& status) : info_(status.info()) {}
  SqlError(SqlState code, std::string message, int byte_location = -1) : byte_location_(byte_location) {
    info_.code = code;
    info_.message = std::move(message);
  }
  SqlError&& detail(std::string text) && {
    info_.detail = std::move(text);
    return std::move(*this);
  }
  SqlError&& hint(std::string text) && {
    info_.hint = std::move(text);
    return std::move(*this);
  }
  /// DuckDB keeps nothing of a foreign exception but what(), and that only when it has the form of its own: a JSON map. So
  /// what() is that map, with every field in it. For people: info().message.
  const char* what() const noexcept override;
  const ErrorInfo& info() const { return info_; }
  ErrorInfo& info() { return info_; }
  /// Byte offset in the statement's text (a node's location), -1: none. The door turns it into characters.
  int byte_location() const { return byte_location_; }

 private:
  ErrorInfo info_;
  int byte_location_ = -1;
  mutable std::string what_;  // made when asked for
};

/// Throws unless ok.
inline void throw_if_error(const Status& status) {
  if (!status.ok()) throw SqlError(status);
}
template <class T>
T value_or_throw(Result<T> result) {
  if (!result.ok()) throw SqlError(result.status());
  return std::move(result).value();
}

/// A prepared statement's result is another one now. Clients know this error by its routine: having met it, they prepare anew.
SqlError result_type_changed();

/// The one way to refuse what is not built yet: 0A000, naming the feature.
[[noreturn]] inline void not_supported(const std::string& feature, int byte_location = -1) {
  throw SqlError(SqlState::kFeatureNotSupported, feature + " is not supported", byte_location);
}

}  // namespace omendb::sql
