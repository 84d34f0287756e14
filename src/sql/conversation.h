// What a server asks a session while it talks to the client, message by message.
#pragma once

#include "types/encoding.h"

namespace omendb::sql {

/// Every Session is one.
class Conversation {
 public:
  virtual ~Conversation() = default;

  /// What the client's text is in by now; null: UTF8.
  virtual const types::Encoding* client_encoding() const = 0;
};

}  // namespace omendb::sql
