// The two halves of COPY FROM's short way on two threads: the session's thread reads the client and makes row bytes, a second one
// inserts them. Rows go in order; the first row that fails is the one reported, whichever half it fails in.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace omendb::sql {

class CopyPipeline {
 public:
  /// Inserts one row; throws. `line` and `raw` say where it came from. Called by one thread at a time, in order.
  using Insert = std::function<void(std::string_view row, uint64_t line, std::string_view raw)>;

  explicit CopyPipeline(Insert insert) : insert_(std::move(insert)) {}
  /// Waits for the rows under way; their errors are lost.
  ~CopyPipeline();

  /// Thread: the session's. Throws what inserting an earlier row threw.
  void add(std::string_view row, uint64_t line, std::string_view raw);
  /// Inserts everything that was added. Throws what inserting threw, unless add() has thrown it.
  void finish();

 private:
  struct Batch {
    struct Row {
      size_t row_end, raw_end;
      uint64_t line;
    };
    std::string bytes;
    std::vector<Row> rows;
  };
  void hand_over();
  void wait_idle();
  void insert_batch();
  void work();

  const Insert insert_;
  Batch filling_;
  bool failed_ = false;
  std::thread worker_;
  Mutex mutex_;
  std::condition_variable changed_;
  Batch inserting_;  // the worker's while busy_
  bool busy_ GUARDED_BY(mutex_) = false;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::exception_ptr error_ GUARDED_BY(mutex_);
};

}  // namespace omendb::sql
