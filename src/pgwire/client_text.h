// Text between the server's UTF8 and a client's other encoding: what PostgreSQL's pq_getmsgstring, pq_sendtext and their kin convert.
// The texts of messages, and values: in text format whole, in binary format where the type is text or holds some.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "pgwire/buffer.h"
#include "types/encoding.h"
#include "types/io.h"

namespace omendb::pgwire {

/// Thread: one at a time.
class ClientText {
 public:
  /// Null: UTF8, with which nothing here needs to be called.
  void use(const types::Encoding* encoding) { encoding_ = encoding; }
  bool converts() const { return encoding_ != nullptr; }

  /// What the client sent, as UTF8, kept until forget(). Errors: 22021, 22P05.
  Result<std::string_view> decode(std::string_view text);
  Result<std::string_view> decode_value(const types::IoContext& context, Oid type, bool binary, std::string_view bytes);
  void forget() { kept_.clear(); }

  /// UTF8 as the client wants it. Errors: 22P05.
  Result<std::string> encode(std::string_view text) const;
  /// Every text of an error or a notice.
  Result<ErrorInfo> encode(const ErrorInfo& info) const;

  struct Column {
    Oid type;
    bool binary = false;
  };
  /// Appends the DataRow messages `rows`, their values converted.
  Status encode_rows(const types::IoContext& context, const std::vector<Column>& columns, std::string_view rows,
                     Buffer* out) const;

 private:
  const types::Encoding* encoding_ = nullptr;
  std::list<std::string> kept_;
};

}  // namespace omendb::pgwire
