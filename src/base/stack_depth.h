// How deep a recursion over outside input may go.
#pragma once

#include "base/status.h"

namespace omendb {

/// Fails when the calling thread has little of its stack left. Call it at every level of a recursion whose depth a client decides: the
/// bytes are counted, so frames of any size are right, a sanitizer's too.
///
/// Errors: 54001 in PostgreSQL's words.
/// Thread: any.
/// Cost:   a comparison; once a thread, a look at its stack's bounds.
Status check_stack_depth();

/// What check_stack_depth() says; for those who count levels besides.
Status stack_too_deep();

}  // namespace omendb
