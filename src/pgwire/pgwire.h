// pgwire/: PostgreSQL's frontend/backend protocol 3.0 as bytes. Touches no socket, no session, no clock.
//
//   buffer.h     the growable byte array that replies are written into
//   frontend.h   bytes from a client -> messages: startup packets, then typed messages, cut out incrementally
//   backend.h    messages to a client -> bytes: one function a message
//   data_row.h   columns of values -> DataRow messages, text or binary, a formatter per column chosen once a result
//
// Who decides what a message means, and in which order messages may come, is server/protocol.h.
//
// Invariants
//   1. A decoder never allocates by what a length word promises, only by what has arrived.
//   2. A length outside the limits of PostgreSQL ends the connection without an answer; it is found before the body is awaited.
//   3. A body is read through BodyReader, which cannot leave it: a short body is 08P01, never a read past its end.
//   4. Whatever backend.h or data_row.h writes is whole messages; a reader of the buffer never sees a length word unset.
#pragma once

#include "pgwire/backend.h"
#include "pgwire/buffer.h"
#include "pgwire/data_row.h"
#include "pgwire/frontend.h"
