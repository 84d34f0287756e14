#include "txn/load_writer.h"

namespace omendb::txn {
namespace {
constexpr uint64_t kLoadFileBytes = 64 << 20;
}  // namespace

LoadWriter::LoadWriter(store::Store& store, StorageId storage, uint64_t number)
    : store_(store), number_(number), key_(storage_prefix(storage)) {}

Status LoadWriter::add(std::string_view key, std::string_view row, bool tombstone, uint32_t command) {
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, store_.new_sorted_file());
    file_bytes_ = 0;
  }
  key_.resize(kStorageBytes);
  key_.append(key);
  append_stamp(Stamp::load(number_), &key_);
  value_.resize(5);
  value_[0] = static_cast<char>(kCommandFlag | (tombstone ? kTombstoneFlag : 0));
  std::memcpy(value_.data() + 1, &command, 4);
  value_.append(row);
  RETURN_IF_ERROR(file_->add(key_, value_));
  file_bytes_ += key_.size() + value_.size();
  if (file_bytes_ <= kLoadFileBytes) return {};
  RETURN_IF_ERROR(file_->finish());
  files_.push_back(std::move(file_));
  return {};
}

Result<LoadWriter::Files> LoadWriter::finish() {
  if (file_ != nullptr) {
    RETURN_IF_ERROR(file_->finish());
    files_.push_back(std::move(file_));
  }
  return std::move(files_);
}

}  // namespace omendb::txn
