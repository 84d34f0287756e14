// What a server asks a session while it talks to the client, message by message.
#pragma once

#include "types/encoding.h"

namespace omendb::sql {

/// Every Session is one.
class Conversation {
 public:
  virtual ~Conversation() = default;

  // statement_timeout: the time of a statement runs from the first of its messages until its Execute is through, Sync, or an
  // error. When it has run out while the client was silent, the client's next message is answered with the error.
  /// A message that works on a statement came. Again, while the clock runs: nothing.
  virtual void start_clock() = 0;
  virtual bool clock_expired() const = 0;

  /// What the client's text is in by now; null: UTF8.
  virtual const types::Encoding* client_encoding() const = 0;
};

}  // namespace omendb::sql
