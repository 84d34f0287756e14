#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <filesystem>

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "store/directory.h"
#include "store/store.h"

namespace omendb::store {
namespace {

namespace fs = std::filesystem;
using rocksdb::Slice;

Slice slice(std::string_view text) { return Slice(text.data(), text.size()); }
std::string_view view(const Slice& s) { return {s.data(), s.size()}; }

Status read_failure(const rocksdb::Status& status) {
  return Status(status.IsCorruption() ? SqlState::kDataCorrupted : SqlState::kIoError,
                "could not read from the store: " + status.ToString());
}

/// A key without its last eight bytes (txn/'s stamp): what the Bloom filters hold. One filter then answers get(), whose key's newest version
/// is the only one in its file as a rule, and iterators over the versions of one key.
class WithoutStamp final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "omendb.without_stamp.1"; }
  Slice Transform(const Slice& key) const override { return Slice(key.data(), key.size() - 8); }
  bool InDomain(const Slice& key) const override { return key.size() > 8; }
};

constexpr char kLeastTail[] = "omendb.least_tail";

/// Notes in each file the least number that the last eight bytes of a key make (IterateOptions::tail_below).
class LeastTail final : public rocksdb::TablePropertiesCollector {
 public:
  rocksdb::Status AddUserKey(const Slice& key, const Slice&, rocksdb::EntryType, rocksdb::SequenceNumber,
                             uint64_t) override {
    if (key.size() >= 8) least_ = std::min(least_, tail_of(key));
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    (*properties)[kLeastTail] = std::to_string(least_);
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }
  const char* Name() const override { return "omendb.least_tail"; }

  static uint64_t tail_of(const Slice& key) { return load_be64(key.data() + key.size() - 8); }
  /// False for certain when the file holds no key below `limit`.
  static bool may_be_below(const rocksdb::TableProperties& file, uint64_t limit) {
    const auto found = file.user_collected_properties.find(kLeastTail);
    return found == file.user_collected_properties.end() || std::strtoull(found->second.c_str(), nullptr, 10) < limit;
  }

 private:
  uint64_t least_ = UINT64_MAX;
};

class LeastTailFactory final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override { return new LeastTail; }
  const char* Name() const override { return "omendb.least_tail"; }
};

/// The cache's parts, each under a lock of its own, are large enough for many blocks: what is larger than its part is never kept.
int shard_bits(size_t cache_bytes) {
  constexpr size_t kLeastPart = 4 << 20;
  return std::min(6, static_cast<int>(std::bit_width(std::max(cache_bytes / kLeastPart, size_t{1}))) - 1);
}

class ReaperFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ReaperFilter(std::unique_ptr<Reaper> reaper) : reaper_(std::move(reaper)) {}
  const char* Name() const override { return "omendb.reaper"; }
  Decision FilterV2(int, const Slice& key, ValueType type, const Slice& value, std::string*,
                    std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    return reaper_->drop(view(key), view(value)) ? Decision::kRemove : Decision::kKeep;
  }

 private:
  std::unique_ptr<Reaper> reaper_;
};

class ReaperFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit ReaperFilterFactory(std::shared_ptr<ReaperFactory> reapers) : reapers_(std::move(reapers)) {}
  const char* Name() const override { return "omendb.reapers"; }
  // Flushes too: the many versions of a hot row should not reach a file at all.
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason reason) const override {
    return reason == rocksdb::TableFileCreationReason::kCompaction ||
           reason == rocksdb::TableFileCreationReason::kFlush;
  }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    auto reaper = reapers_->make();
    if (reaper == nullptr) return nullptr;
    return std::make_unique<ReaperFilter>(std::move(reaper));
  }

 private:
  std::shared_ptr<ReaperFactory> reapers_;
};

class RocksIterator final : public Iterator {
 public:
  RocksIterator(rocksdb::DB& db, const IterateOptions& options) : lower_(options.lower), upper_(options.upper) {
    lower_slice_ = slice(lower_);
    upper_slice_ = slice(upper_);
    rocksdb::ReadOptions read;
    if (!lower_.empty()) read.iterate_lower_bound = &lower_slice_;
    if (!upper_.empty()) read.iterate_upper_bound = &upper_slice_;
    read.total_order_seek = !options.one_prefix;  // the prefix extractor is there for Bloom filters only
    read.prefix_same_as_start = options.one_prefix;
    read.fill_cache = options.fill_cache;
    read.adaptive_readahead = options.sequential;
    if (const uint64_t limit = options.tail_below; limit != 0) {
      read.table_filter = [limit](const rocksdb::TableProperties& file) {
        return LeastTail::may_be_below(file, limit);
      };
    }
    iterator_.reset(db.NewIterator(read));
  }
  std::string_view value() const override { return view(iterator_->value()); }
  void next() override {
    iterator_->Next();
    settle();
  }
  void prev() override {
    iterator_->Prev();
    settle();
  }
  void seek(std::string_view key) override {
    iterator_->Seek(slice(key));
    settle();
  }
  void seek_for_prev(std::string_view key) override {
    iterator_->SeekForPrev(slice(key));
    settle();
  }
  void seek_to_last() override {
    // Backwards, entries in memory that a dropped range covers are passed one by one, those before the lower bound too: the first
    // insert into a new table took more than 0.25 s after some hundred dropped ones. That there is nothing is seen from the front.
    if (!lower_.empty()) iterator_->Seek(lower_slice_);
    if (lower_.empty() || iterator_->Valid()) iterator_->SeekToLast();
    settle();
  }
  Status status() const override {
    const rocksdb::Status status = iterator_->status();
    return status.ok() ? Status() : read_failure(status);
  }

 private:
  void settle() {
    valid_ = iterator_->Valid();
    if (valid_) key_ = view(iterator_->key());
  }
  std::string lower_, upper_;
  Slice lower_slice_, upper_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

/// Of a file beside the store, which nobody was promised anything about.
Status side_failure(const rocksdb::Status& s) {
  if (s.IsNoSpace()) return Status(SqlState::kDiskFull, "could not write to the store: no space left on device");
  return Status(SqlState::kIoError, "could not write to the store: " + s.ToString());
}

class RocksSortedFile final : public SortedFile {
 public:
  RocksSortedFile(rocksdb::Env* env, const rocksdb::Options& options, std::string path)
      : env_(env), path_(std::move(path)), writer_(rocksdb::EnvOptions(), options) {}
  ~RocksSortedFile() override {
    if (!taken_) (void)env_->DeleteFile(path_);
  }
  rocksdb::Status start() { return writer_.Open(path_); }
  Status add(std::string_view key, std::string_view value) override {
    const rocksdb::Status s = writer_.Put(slice(key), slice(value));
    return s.ok() ? Status() : side_failure(s);
  }
  uint64_t bytes() const override { return writer_bytes_; }
  Status finish() override {
    if (finished_) return {};
    finished_ = true;
    rocksdb::ExternalSstFileInfo info;
    const rocksdb::Status s = writer_.Finish(&info);
    writer_bytes_ = info.file_size;
    return s.ok() ? Status() : side_failure(s);
  }
  const std::string& path() const { return path_; }
  void taken() { taken_ = true; }

 private:
  rocksdb::Env* env_;
  std::string path_;
  rocksdb::SstFileWriter writer_;
  uint64_t writer_bytes_ = 0;
  bool finished_ = false;
  bool taken_ = false;
};

class RocksScratchFile final : public ScratchFile {
 public:
  RocksScratchFile(rocksdb::Env* env, std::string path) : env_(env), path_(std::move(path)) {}
  ~RocksScratchFile() override {
    reader_.reset();
    writer_.reset();
    (void)env_->DeleteFile(path_);
  }
  rocksdb::Status start() {
    const rocksdb::Status s = env_->NewWritableFile(path_, &writer_, rocksdb::EnvOptions());
    return s.ok() ? env_->NewRandomAccessFile(path_, &reader_, rocksdb::EnvOptions()) : s;
  }
  Status append(std::string_view bytes) override {
    rocksdb::Status s = writer_->Append(slice(bytes));
    if (s.ok()) s = writer_->Flush();
    return s.ok() ? Status() : side_failure(s);
  }
  Status read(uint64_t offset, size_t bytes, char* to) const override {
    Slice got;
    const rocksdb::Status s = reader_->Read(offset, bytes, &got, to);
    if (!s.ok()) return read_failure(s);
    if (got.size() != bytes) return Status(SqlState::kIoError, "could not read from the store: a file is too short");
    if (got.data() != to) std::memcpy(to, got.data(), bytes);
    return {};
  }

 private:
  rocksdb::Env* env_;
  std::string path_;
  std::unique_ptr<rocksdb::WritableFile> writer_;
  std::unique_ptr<rocksdb::RandomAccessFile> reader_;
};

}  // namespace

struct Batch::Impl {
  rocksdb::WriteBatch batch;
};

Batch::Batch() : impl_(std::make_unique<Impl>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
void Batch::put(std::string_view key, std::string_view value) { (void)impl_->batch.Put(slice(key), slice(value)); }
void Batch::put(std::string_view key1, std::string_view key2, std::string_view value1, std::string_view value2) {
  const Slice key[2] = {slice(key1), slice(key2)};
  const Slice value[2] = {slice(value1), slice(value2)};
  (void)impl_->batch.Put(rocksdb::SliceParts(key, 2), rocksdb::SliceParts(value, 2));
}
void Batch::erase(std::string_view key) { (void)impl_->batch.Delete(slice(key)); }
void Batch::erase_range(std::string_view lower, std::string_view upper) {
  (void)impl_->batch.DeleteRange(slice(lower), slice(upper));
}
void Batch::clear() { impl_->batch.Clear(); }
size_t Batch::bytes() const { return impl_->batch.GetDataSize(); }
size_t Batch::count() const { return impl_->batch.Count(); }

class RocksStore final : public Store {
 public:
  ~RocksStore() override {
    if (db_ == nullptr) return;
    rocksdb::CancelAllBackgroundWork(db_.get(), true);
    (void)db_->Close();
  }

  Status start(const Options& options) {
    options_ = options;
    std::string path = "/omendb";
    if (options.directory.empty()) {
      memory_env_.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
      env_ = memory_env_.get();
    } else {
      std::error_code error;
      fs::create_directories(options.directory, error);
      if (error) {
        return Status(SqlState::kIoError, "could not create \"" + options.directory + "\": " + error.message());
      }
      RETURN_IF_ERROR(lock_.take(options.directory));
      RETURN_IF_ERROR(check_format(options.directory));
      env_ = rocksdb::Env::Default();
      path = options.directory + "/store";
      fs::remove_all(options.directory + "/staging", error);  // files of loads that a crash interrupted
    }
    staging_ = options.directory + "/staging";
    rocks_ = rocks_options();
    rocksdb::DB* db = nullptr;
    const rocksdb::Status s = rocksdb::DB::Open(rocks_, path, &db);
    if (!s.ok()) {
      return Status(s.IsCorruption() ? SqlState::kDataCorrupted : SqlState::kIoError,
                    "could not open the store: " + s.ToString());
    }
    db_.reset(db);
    if (!env_->CreateDirIfMissing(staging_).ok()) {
      return Status(SqlState::kIoError, "could not create \"" + staging_ + "\"");
    }
    return {};
  }

  Status write(Batch& batch, Sync sync) override {
    RETURN_IF_ERROR(ready_to_write(batch.bytes()));
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::kYes;
#if defined(__SANITIZE_THREAD__)
    // RocksDB is not built with TSan: that one writer hands its batch to another is not seen, so there is one writer at a time.
    const MutexLock alone(write_mutex_);
#endif
    const rocksdb::Status s = db_->Write(options, &batch.impl_->batch);
    return s.ok() ? Status() : write_failure(s);
  }

  Result<bool> get(std::string_view key, std::string* value) override {
    rocksdb::PinnableSlice pinned(value);
    const rocksdb::Status s = db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), slice(key), &pinned);
    if (s.IsNotFound()) return false;
    if (!s.ok()) return read_failure(s);
    if (pinned.IsPinned()) value->assign(pinned.data(), pinned.size());
    return true;
  }

  std::unique_ptr<Iterator> iterate(const IterateOptions& options) override {
    return std::make_unique<RocksIterator>(*db_, options);
  }

  Result<std::unique_ptr<SortedFile>> new_sorted_file() override {
    auto file = std::make_unique<RocksSortedFile>(env_, rocks_,
                                                  staging_ + "/" + std::to_string(next_file_.fetch_add(1)) + ".sst");
    const rocksdb::Status s = file->start();
    if (!s.ok()) return side_failure(s);
    return std::unique_ptr<SortedFile>(std::move(file));
  }

  Result<std::unique_ptr<ScratchFile>> new_scratch_file() override {
    RETURN_IF_ERROR(ready_to_write(0));
    auto file =
        std::make_unique<RocksScratchFile>(env_, staging_ + "/" + std::to_string(next_file_.fetch_add(1)) + ".scratch");
    const rocksdb::Status s = file->start();
    if (!s.ok()) return side_failure(s);
    return std::unique_ptr<ScratchFile>(std::move(file));
  }

  Status ingest(std::vector<std::unique_ptr<SortedFile>> files) override {
    if (files.empty()) return {};
    uint64_t bytes = 0;
    std::vector<std::string> paths;
    for (auto& file : files) {
      auto& rocks_file = static_cast<RocksSortedFile&>(*file);
      RETURN_IF_ERROR(rocks_file.finish());
      bytes += rocks_file.bytes();
      paths.push_back(rocks_file.path());
    }
    RETURN_IF_ERROR(ready_to_write(bytes));
    rocksdb::IngestExternalFileOptions options;
    options.move_files = !options_.directory.empty();
    options.snapshot_consistency = true;
    const rocksdb::Status s = db_->IngestExternalFile(paths, options);
    if (!s.ok()) return write_failure(s);
    for (auto& file : files) {
      if (options.move_files) static_cast<RocksSortedFile&>(*file).taken();
    }
    return {};
  }

  Status drop_range(std::string_view lower, std::string_view upper) override {
    RETURN_IF_ERROR(ready_to_write(0));
    const Slice from = slice(lower), to = slice(upper);
    const rocksdb::RangePtr range(&from, &to);
    (void)rocksdb::DeleteFilesInRanges(db_.get(), db_->DefaultColumnFamily(), &range, 1, false);
    const rocksdb::Status s = db_->DeleteRange(rocksdb::WriteOptions(), db_->DefaultColumnFamily(), from, to);
    return s.ok() ? Status() : write_failure(s);
  }

  uint64_t approximate_bytes(std::string_view lower, std::string_view upper) override {
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    options.include_files = true;
    const rocksdb::Range range(slice(lower), slice(upper));
    uint64_t size = 0;
    (void)db_->GetApproximateSizes(options, db_->DefaultColumnFamily(), &range, 1, &size);
    return size;
  }

  Status flush() override {
    const rocksdb::Status s = db_->Flush(rocksdb::FlushOptions());
    return s.ok() ? Status() : write_failure(s);
  }

  Status compact(std::string_view lower, std::string_view upper) override {
    const Slice from = slice(lower), to = slice(upper);
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    options.exclusive_manual_compaction = false;
    const rocksdb::Status s =
        db_->CompactRange(options, lower.empty() ? nullptr : &from, upper.empty() ? nullptr : &to);
    return s.ok() || s.IsIncomplete() || s.IsShutdownInProgress() ? Status() : write_failure(s);
  }

  Status checkpoint(const std::string& directory) override {
    rocksdb::Checkpoint* checkpoint = nullptr;
    rocksdb::Status s = rocksdb::Checkpoint::Create(db_.get(), &checkpoint);
    std::unique_ptr<rocksdb::Checkpoint> owner(checkpoint);
    if (s.ok()) s = checkpoint->CreateCheckpoint(directory + "/store");
    if (!s.ok()) return Status(SqlState::kIoError, "could not copy the store: " + s.ToString());
    return write_format(directory);
  }

  bool failed() const override { return failed_.load(std::memory_order_acquire); }

  std::vector<std::pair<std::string, uint64_t>> statistics() override {
    std::vector<std::pair<std::string, uint64_t>> out;
    const std::pair<const char*, const char*> properties[] = {
        {"store_bytes", "rocksdb.total-sst-files-size"},
        {"store_live_bytes", "rocksdb.estimate-live-data-size"},
        {"store_entries", "rocksdb.estimate-num-keys"},
        {"store_memtable_bytes", "rocksdb.cur-size-all-mem-tables"},
        {"store_cache_bytes", "rocksdb.block-cache-usage"},
        {"store_pending_compaction_bytes", "rocksdb.estimate-pending-compaction-bytes"},
        {"store_running_compactions", "rocksdb.num-running-compactions"},
    };
    for (const auto& [name, property] : properties) {
      uint64_t value = 0;
      if (db_->GetIntProperty(property, &value)) out.emplace_back(name, value);
    }
    out.emplace_back("store_failed", failed() ? 1 : 0);
    return out;
  }

 private:
  rocksdb::Options rocks_options() {
    rocksdb::Options o;
    o.env = env_;
    o.create_if_missing = true;
    o.max_open_files = -1;
    o.max_background_jobs = 4;
    o.max_subcompactions = 2;
    o.write_buffer_size = std::max<size_t>(options_.write_buffer_bytes / 4, 1 << 20);
    o.max_write_buffer_number = 4;
    o.level_compaction_dynamic_level_bytes = true;
    o.target_file_size_base = 64 << 20;
    o.max_bytes_for_level_base = 512 << 20;
    o.bytes_per_sync = 1 << 20;
    o.compaction_readahead_size = 2 << 20;
    o.allow_concurrent_memtable_write = false;  // one group leader writes
    // A crash can cut the last record short; damage anywhere else must be an error, never a silent loss of what followed.
    o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    o.compression = rocksdb::kNoCompression;
    o.prefix_extractor = std::make_shared<WithoutStamp>();
    o.table_properties_collector_factories.push_back(std::make_shared<LeastTailFactory>());
    o.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    o.keep_log_file_num = 4;
    o.stats_dump_period_sec = 0;
    o.stats_persist_period_sec = 0;
    if (options_.reapers) o.compaction_filter_factory = std::make_shared<ReaperFilterFactory>(options_.reapers);
    // Who calls get() knows that the key is there, so a filter only spares levels above the one that has it; and the last level has
    // nine tenths of all.
    o.optimize_filters_for_hits = true;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options_.block_cache_bytes, shard_bits(options_.block_cache_bytes));
    table.block_size = 16 << 10;
    table.format_version = 5;
    // Indexes and filters lie in the cache, in pieces: a file's as a whole are megabytes, more than a part of a small cache takes, and were
    // then read from the file for each key. What finds the pieces is a kilobyte or two a file and stays.
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.whole_key_filtering = false;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return o;
  }

  Status ready_to_write(size_t bytes) {
    if (failed()) {
      return Status(SqlState::kReadOnlySqlTransaction, "the store takes no more writes after a failed one")
          .with_hint("Check the disk and restart the server.");
    }
    if (options_.directory.empty() || options_.reserve_bytes == 0) return {};
    // Asking the file system costs a microsecond or two; often enough is every 50 ms or 4 MB.
    const int64_t now = monotonic_ns();
    written_since_check_.fetch_add(bytes, std::memory_order_relaxed);
    if (now - last_check_ns_.load(std::memory_order_relaxed) > 50'000'000 ||
        written_since_check_.load(std::memory_order_relaxed) > (4u << 20)) {
      last_check_ns_.store(now, std::memory_order_relaxed);
      written_since_check_.store(bytes, std::memory_order_relaxed);
      struct statvfs file_system {};
      if (::statvfs(options_.directory.c_str(), &file_system) == 0) {
        free_bytes_.store(uint64_t{file_system.f_bavail} * file_system.f_frsize, std::memory_order_relaxed);
      }
    }
    if (free_bytes_.load(std::memory_order_relaxed) < options_.reserve_bytes + 2 * bytes) {
      return Status(SqlState::kDiskFull, "could not write to the store: no space left on device")
          .with_hint("Check free disk space.");
    }
    return {};
  }

  Status write_failure(const rocksdb::Status& s) {
    failed_.store(true, std::memory_order_release);
    return Status(SqlState::kTRStatementCompletionUnknown, "a write to the store failed: " + s.ToString())
        .with_hint("Whether the transaction is committed is unknown until the server is restarted.");
  }

  Options options_;
  DirectoryLock lock_;
  std::unique_ptr<rocksdb::Env> memory_env_;
  rocksdb::Env* env_ = nullptr;
  rocksdb::Options rocks_;
  std::string staging_;
  std::unique_ptr<rocksdb::DB> db_;
#if defined(__SANITIZE_THREAD__)
  Mutex write_mutex_;
#endif
  std::atomic<uint64_t> next_file_{1};
  std::atomic<bool> failed_{false};
  std::atomic<int64_t> last_check_ns_{0};
  std::atomic<uint64_t> written_since_check_{0};
  std::atomic<uint64_t> free_bytes_{UINT64_MAX};
};

Result<std::unique_ptr<Store>> Store::open(const Options& options) {
  auto store = std::make_unique<RocksStore>();
  if (Status s = store->start(options); !s.ok()) return s;
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace omendb::store
