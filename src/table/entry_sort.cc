#include "table/entry_sort.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace omendb::table {
namespace {

constexpr size_t kRecordHeader = 8;
constexpr size_t kBufferMin = 64 << 10;
constexpr size_t kBlockBytes = 64 << 10;  // a run's unit of reading
constexpr size_t kSamples = 64;

uint64_t head_of(std::string_view entry) {
  if (entry.size() >= 8) return load_be64(entry.data());
  uint64_t head = 0;
  for (const char c : entry) head = head << 8 | static_cast<unsigned char>(c);
  return entry.empty() ? 0 : head << (8 * (8 - entry.size()));
}

struct Record {
  std::string_view entry;
  uint32_t prefix_length;
  bool has_null;
};

/// The record at `at`, of which at least the header is there.
Record record_at(const char* at) {
  uint32_t length, prefix;
  std::memcpy(&length, at, 4);
  std::memcpy(&prefix, at + 4, 4);
  return {{at + kRecordHeader, length}, prefix >> 1, (prefix & 1) != 0};
}

}  // namespace

EntrySorter::EntrySorter(store::Store& store, size_t memory)
    : store_(store), capacity_(std::clamp<size_t>(memory, kBufferMin, UINT32_MAX) & ~size_t{15}) {}

std::string_view EntrySorter::entry_at(uint32_t offset) const { return record_at(buffer_.get() + offset).entry; }

Status EntrySorter::add(std::string_view entry, uint32_t prefix_length, bool has_null) {
  const size_t record = kRecordHeader + entry.size();
  CHECK(entry.size() < UINT32_MAX / 2);
  if (used_ + record + (count_ + 1) * sizeof(Place) > capacity_) {
    if (count_ > 0) RETURN_IF_ERROR(put_aside());
    if (record + sizeof(Place) > capacity_) {
      capacity_ = (record + sizeof(Place) + 15) & ~size_t{15};
      buffer_.reset();
    }
  }
  if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
  char* at = buffer_.get() + used_;
  const auto length = static_cast<uint32_t>(entry.size());
  const uint32_t prefix = prefix_length << 1 | static_cast<uint32_t>(has_null);
  std::memcpy(at, &length, 4);
  std::memcpy(at + 4, &prefix, 4);
  std::memcpy(at + kRecordHeader, entry.data(), entry.size());
  ++count_;
  *(end() - count_) = {head_of(entry), static_cast<uint32_t>(used_)};
  used_ += record;
  bytes_ += entry.size();
  return {};
}

void EntrySorter::sort() {
  if (count_ == 0) return;
  std::sort(end() - count_, end(), [this](const Place& a, const Place& b) {
    return a.head != b.head ? a.head < b.head : entry_at(a.offset) < entry_at(b.offset);
  });
}

Status EntrySorter::put_aside() {
  sort();
  Run run;
  ASSIGN_OR_RETURN(run.file, store_.new_scratch_file());
  std::string block;
  for (const Place& place : places()) {
    const Record record = record_at(buffer_.get() + place.offset);
    if (block.empty()) run.blocks.push_back({run.bytes, std::string(record.entry), record.prefix_length});
    block.append(buffer_.get() + place.offset, kRecordHeader + record.entry.size());
    if (block.size() < kBlockBytes) continue;
    RETURN_IF_ERROR(run.file->append(block));
    run.bytes += block.size();
    block.clear();
  }
  RETURN_IF_ERROR(run.file->append(block));
  run.bytes += block.size();
  runs_.push_back(std::move(run));
  used_ = count_ = 0;
  return {};
}

void EntrySorter::sample(std::vector<std::string>* out) const {
  const auto sorted = places();
  for (size_t i = 0; i < kSamples && !sorted.empty(); ++i) {
    const Record record = record_at(buffer_.get() + sorted[sorted.size() * i / kSamples].offset);
    out->emplace_back(record.entry.substr(0, record.prefix_length));
  }
  for (const Run& run : runs_) {
    for (size_t i = 0; i < kSamples; ++i) {
      const Run::Block& block = run.blocks[run.blocks.size() * i / kSamples];
      out->push_back(block.first.substr(0, block.prefix_length));
    }
  }
}

/// One run, from the first entry at or after `lower`.
class EntryMerge::Source {
 public:
  Source(const EntrySorter& sorter, const EntrySorter::Run* run, std::string_view lower) : sorter_(sorter), run_(run) {
    if (run == nullptr) {
      const auto places = sorter.places();
      at_ = static_cast<size_t>(
          std::partition_point(places.begin(), places.end(),
                               [&](const EntrySorter::Place& p) { return sorter.entry_at(p.offset) < lower; }) -
          places.begin());
      return;
    }
    // The last block that begins before `lower` may still hold some of what is wanted.
    auto block = std::partition_point(run->blocks.begin(), run->blocks.end(),
                                      [&](const EntrySorter::Run::Block& b) { return b.first < lower; });
    at_ = static_cast<size_t>(block - run->blocks.begin());
    if (at_ > 0) --at_;
    skip_below_ = lower;
  }
  /// False at the end or on an error.
  bool next() {
    if (run_ == nullptr) {
      const auto places = sorter_.places();
      if (at_ == places.size()) return false;
      record_ = record_at(sorter_.buffer_.get() + places[at_++].offset);
      return true;
    }
    do {
      if (left_.empty() && !read_block()) return false;
      record_ = record_at(left_.data());
      left_.remove_prefix(kRecordHeader + record_.entry.size());
    } while (record_.entry < skip_below_);
    skip_below_.clear();
    return true;
  }
  const Record& record() const { return record_; }
  Status status() const { return status_; }

 private:
  bool read_block() {
    const auto& blocks = run_->blocks;
    if (at_ == blocks.size()) return false;
    const uint64_t from = blocks[at_].offset, to = at_ + 1 < blocks.size() ? blocks[at_ + 1].offset : run_->bytes;
    ++at_;
    block_.resize(to - from);
    status_ = run_->file->read(from, block_.size(), block_.data());
    left_ = block_;
    return status_.ok() && !left_.empty();
  }

  const EntrySorter& sorter_;
  const EntrySorter::Run* const run_;  // null: what is in the buffer
  size_t at_ = 0;                      // the next place, or block
  std::string block_, skip_below_;
  std::string_view left_;  // of the block
  Record record_{};
  Status status_;
};

EntryMerge::EntryMerge(std::span<const std::unique_ptr<EntrySorter>> sorters, std::string_view lower,
                       std::string_view upper)
    : upper_(upper) {
  for (const auto& sorter : sorters) {
    sources_.push_back(std::make_unique<Source>(*sorter, nullptr, lower));
    for (const auto& run : sorter->runs_) sources_.push_back(std::make_unique<Source>(*sorter, &run, lower));
  }
  for (const auto& source : sources_) push(*source);
}

EntryMerge::~EntryMerge() = default;

bool EntryMerge::later(const Head& a, const Head& b) { return a.head != b.head ? a.head > b.head : a.entry > b.entry; }

void EntryMerge::push(Source& source) {
  if (!source.next()) {
    if (status_.ok()) status_ = source.status();
    return;
  }
  heads_.push_back({head_of(source.record().entry), source.record().entry, &source});
  std::push_heap(heads_.begin(), heads_.end(), later);
}

bool EntryMerge::next() {
  if (current_ != nullptr) push(*current_);
  current_ = nullptr;
  if (!status_.ok() || heads_.empty()) return false;
  std::pop_heap(heads_.begin(), heads_.end(), later);
  current_ = heads_.back().source;
  heads_.pop_back();
  const Record& record = current_->record();
  if (!upper_.empty() && record.entry >= upper_) {
    heads_.clear();
    current_ = nullptr;
    return false;
  }
  entry_ = record.entry;
  prefix_length_ = record.prefix_length;
  has_null_ = record.has_null;
  return true;
}

}  // namespace omendb::table
