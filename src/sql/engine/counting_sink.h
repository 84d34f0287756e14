// A sink that counts rows and forgets them.
#pragma once

#include "sql/session.h"

namespace omendb::sql {

class CountingSink final : public RowSink {
 public:
  Status rows(const std::vector<types::ColumnView>&, size_t count) override {
    rows_ += count;
    return {};
  }
  uint64_t count() const { return rows_; }

 private:
  uint64_t rows_ = 0;
};

}  // namespace omendb::sql
