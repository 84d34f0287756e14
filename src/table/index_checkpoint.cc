#include "table/index_checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace omendb::table {
namespace {

constexpr std::string_view kMagic = "omendbix";
constexpr uint32_t kFormat = 1;
constexpr size_t kHeaderBytes = 40, kBlockHeaderBytes = 16;
constexpr size_t kBlockBytes = 256 << 10;

template <class Number>
void append(Number value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <class Number>
Number take_number(std::string_view* from) {
  Number value;
  std::memcpy(&value, from->data(), sizeof(value));
  from->remove_prefix(sizeof(value));
  return value;
}

/// `seed`: the checksum of the file's header, so that a block tells of its file too.
uint64_t checksum(uint32_t entries, std::string_view content, uint64_t seed) {
  const uint64_t head = uint64_t{entries} << 32 | static_cast<uint32_t>(content.size());
  return XXH3_64bits_withSeed(content.data(), content.size(), seed ^ XXH3_64bits(&head, sizeof(head)));
}

Status io_failure(const char* what, const std::string& path) {
  return Status(SqlState::kIoError, std::string("could not ") + what + " \"" + path + "\": " + std::strerror(errno));
}
Status damaged(const std::string& path) {
  return Status(SqlState::kDataCorrupted, "the index checkpoint \"" + path + "\" is damaged");
}

}  // namespace

std::string checkpoint_path(const std::string& directory, const CheckpointHeader& header) {
  char name[48];
  std::snprintf(name, sizeof(name), "/index/%x-%llx.idx", header.storage.value,
                static_cast<unsigned long long>(header.id));
  return directory + name;
}

void EntryBlock::add(std::string_view key, index::Payload payload) {
  if (fixed_ == 0) append(static_cast<uint32_t>(key.size()), &bytes_);
  bytes_.append(key);
  append(payload, &bytes_);
  ++entries_;
}

bool EntryBlock::take(uint32_t fixed_key_bytes, std::string_view* rest, std::string_view* key,
                      index::Payload* payload) {
  size_t bytes = fixed_key_bytes;
  if (bytes == 0) {
    if (rest->size() < sizeof(uint32_t)) return false;
    bytes = take_number<uint32_t>(rest);
  }
  if (rest->size() < bytes + sizeof(index::Payload)) return false;
  *key = rest->substr(0, bytes);
  rest->remove_prefix(bytes);
  *payload = take_number<index::Payload>(rest);
  return true;
}

// CheckpointWriter

Result<std::unique_ptr<CheckpointWriter>> CheckpointWriter::create(const std::string& directory,
                                                                   const CheckpointHeader& header) {
  std::error_code ignored;
  std::filesystem::create_directories(directory + "/index", ignored);
  std::string path = checkpoint_path(directory, header);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return io_failure("create", path);
  std::unique_ptr<CheckpointWriter> writer(new CheckpointWriter(std::move(path), fd, header));
  std::string head(kMagic);
  append(kFormat, &head);
  append(uint32_t{0}, &head);
  append(header.storage.value, &head);
  append(header.fixed_key_bytes, &head);
  append(header.position, &head);
  append(header.id, &head);
  writer->seed_ = XXH3_64bits(head.data(), head.size());
  RETURN_IF_ERROR(writer->write(head));
  return writer;
}

CheckpointWriter::CheckpointWriter(std::string path, int fd, const CheckpointHeader& header)
    : path_(std::move(path)), fd_(fd), block_(header.fixed_key_bytes) {}

CheckpointWriter::~CheckpointWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

Status CheckpointWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_failure("write", path_);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status CheckpointWriter::write_block() {
  std::string head;
  append(block_.entries(), &head);
  append(static_cast<uint32_t>(block_.bytes().size()), &head);
  append(checksum(block_.entries(), block_.bytes(), seed_), &head);
  RETURN_IF_ERROR(write(head));
  RETURN_IF_ERROR(write(block_.bytes()));
  entries_ += block_.entries();
  block_.clear();
  return {};
}

Status CheckpointWriter::add(std::string_view key, index::Payload payload) {
  block_.add(key, payload);
  return block_.bytes().size() < kBlockBytes ? Status() : write_block();
}

Status CheckpointWriter::finish() {
  if (block_.entries() > 0) RETURN_IF_ERROR(write_block());
  std::string content, tail;
  append(entries_, &content);
  append(uint32_t{0}, &tail);
  append(static_cast<uint32_t>(content.size()), &tail);
  append(checksum(0, content, seed_), &tail);
  RETURN_IF_ERROR(write(tail + content));
  if (::fsync(fd_) != 0) return io_failure("sync", path_);
  const std::string folder = std::filesystem::path(path_).parent_path();
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0 || ::fsync(folder_fd) != 0) {
    const Status s = io_failure("sync", folder);
    if (folder_fd >= 0) ::close(folder_fd);
    return s;
  }
  ::close(folder_fd);
  ::close(fd_);
  fd_ = -1;
  return {};
}

// CheckpointReader

Result<std::unique_ptr<CheckpointReader>> CheckpointReader::open(const std::string& directory,
                                                                 const CheckpointHeader& expected) {
  const std::string path = checkpoint_path(directory, expected);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_failure("open", path);
  struct stat file {};
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader);
  std::string& bytes = reader->bytes_;
  bool read = ::fstat(fd, &file) == 0;
  if (read) bytes.resize(static_cast<size_t>(file.st_size));
  for (size_t at = 0; read && at < bytes.size();) {
    const ssize_t n = ::read(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    read = n > 0;
    if (read) at += static_cast<size_t>(n);
  }
  ::close(fd);
  if (!read) return io_failure("read", path);

  std::string_view rest(bytes);
  if (rest.size() < kHeaderBytes || rest.substr(0, kMagic.size()) != kMagic) return damaged(path);
  const uint64_t seed = XXH3_64bits(rest.data(), kHeaderBytes);
  rest.remove_prefix(kMagic.size());
  if (take_number<uint32_t>(&rest) != kFormat) return damaged(path);
  (void)take_number<uint32_t>(&rest);
  if (take_number<uint32_t>(&rest) != expected.storage.value) return damaged(path);
  if (take_number<uint32_t>(&rest) != expected.fixed_key_bytes) return damaged(path);
  reader->fixed_ = expected.fixed_key_bytes;
  reader->position_ = take_number<uint64_t>(&rest);
  if (take_number<uint64_t>(&rest) != expected.id) return damaged(path);
  reader->blocks_ = rest;
  // All of it is checked before anything of it is believed.
  uint64_t entries = 0;
  for (;;) {
    if (rest.size() < kBlockHeaderBytes) return damaged(path);
    const auto count = take_number<uint32_t>(&rest);
    const auto size = take_number<uint32_t>(&rest);
    const auto sum = take_number<uint64_t>(&rest);
    if (rest.size() < size || checksum(count, rest.substr(0, size), seed) != sum) return damaged(path);
    std::string_view content = rest.substr(0, size);
    rest.remove_prefix(size);
    entries += count;
    if (count > 0) continue;
    if (content.size() != sizeof(uint64_t) || take_number<uint64_t>(&content) != entries || !rest.empty()) {
      return damaged(path);
    }
    reader->entries_ = entries;
    return reader;
  }
}

bool CheckpointReader::next(std::string_view* key, index::Payload* payload) {
  while (rest_.empty()) {
    if (blocks_.empty()) return false;
    const auto count = take_number<uint32_t>(&blocks_);
    const auto size = take_number<uint32_t>(&blocks_);
    (void)take_number<uint64_t>(&blocks_);
    if (count == 0) return blocks_ = {}, false;
    rest_ = blocks_.substr(0, size);
    blocks_.remove_prefix(size);
  }
  return EntryBlock::take(fixed_, &rest_, key, payload);
}

}  // namespace omendb::table
