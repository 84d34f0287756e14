#include "store/faulty_store.h"

#include <chrono>
#include <thread>

namespace omendb::store {
namespace {

bool fires(std::atomic<int64_t>& countdown) {
  if (countdown.load() < 0) return false;
  return countdown.fetch_sub(1) == 0;
}

class FaultyStore final : public Store {
 public:
  FaultyStore(std::unique_ptr<Store> inner, FaultPlan* plan) : inner_(std::move(inner)), plan_(plan) {}

  Status write(Batch& batch, Sync sync) override {
    RETURN_IF_ERROR(before_write());
    if (fires(plan_->unknown_in)) {
      (void)inner_->write(batch, sync);
      return unknown();
    }
    return inner_->write(batch, sync);
  }
  Status ingest(std::vector<std::unique_ptr<SortedFile>> files) override {
    RETURN_IF_ERROR(before_write());
    return inner_->ingest(std::move(files));
  }
  Result<bool> get(std::string_view key, std::string* value) override { return inner_->get(key, value); }
  std::unique_ptr<Iterator> iterate(const IterateOptions& options) override { return inner_->iterate(options); }
  Result<std::unique_ptr<SortedFile>> new_sorted_file() override { return inner_->new_sorted_file(); }
  Result<std::unique_ptr<ScratchFile>> new_scratch_file() override {
    ASSIGN_OR_RETURN(auto inner, inner_->new_scratch_file());
    return std::unique_ptr<ScratchFile>(std::make_unique<Scratch>(*this, std::move(inner)));
  }
  Status drop_range(std::string_view lower, std::string_view upper) override {
    return inner_->drop_range(lower, upper);
  }
  uint64_t approximate_bytes(std::string_view lower, std::string_view upper) override {
    return inner_->approximate_bytes(lower, upper);
  }
  Status flush() override { return inner_->flush(); }
  Status compact(std::string_view lower, std::string_view upper) override { return inner_->compact(lower, upper); }
  Status checkpoint(const std::string& directory) override { return inner_->checkpoint(directory); }
  bool failed() const override { return failed_.load() || inner_->failed(); }
  std::vector<std::pair<std::string, uint64_t>> statistics() override { return inner_->statistics(); }

 private:
  class Scratch final : public ScratchFile {
   public:
    Scratch(FaultyStore& store, std::unique_ptr<ScratchFile> inner) : store_(store), inner_(std::move(inner)) {}
    Status append(std::string_view bytes) override {
      if (fires(store_.plan_->disk_full_in)) return disk_full();
      return inner_->append(bytes);
    }
    Status read(uint64_t offset, size_t bytes, char* to) const override { return inner_->read(offset, bytes, to); }

   private:
    FaultyStore& store_;
    std::unique_ptr<ScratchFile> inner_;
  };

  static Status disk_full() {
    return Status(SqlState::kDiskFull, "could not write to the store: no space left on device");
  }
  Status before_write() {
    if (failed_.load()) {
      return Status(SqlState::kReadOnlySqlTransaction, "the store takes no more writes after a failed one");
    }
    if (const int64_t delay = plan_->delay_us.load(); delay > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
    }
    if (fires(plan_->disk_full_in)) return disk_full();
    if (fires(plan_->lost_in)) return unknown();
    return {};
  }
  Status unknown() {
    failed_.store(true);
    return Status(SqlState::kTRStatementCompletionUnknown, "a write to the store failed: injected");
  }

  std::unique_ptr<Store> inner_;
  FaultPlan* plan_;
  std::atomic<bool> failed_{false};
};

}  // namespace

std::unique_ptr<Store> make_faulty(std::unique_ptr<Store> inner, FaultPlan* plan) {
  return std::make_unique<FaultyStore>(std::move(inner), plan);
}

}  // namespace omendb::store
