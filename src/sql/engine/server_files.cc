#include "sql/engine/server_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "duckdb/common/file_system.hpp"
#include "duckdb/common/local_file_system.hpp"
#include "duckdb/main/config.hpp"

#include "sql/engine/session_impl.h"

namespace omendb::sql {
namespace {

constexpr const char* kFolder = "omendb-file:/";
constexpr size_t kReadBytes = 64 << 10;

bool has_privileges_of(const catalog::Catalog& catalog, Oid role, Oid wanted) {
  std::set<Oid> seen;
  std::vector<Oid> open = {role};
  while (!open.empty()) {
    const Oid next = open.back();
    open.pop_back();
    if (next == wanted) return true;
    const auto* found = seen.insert(next).second ? catalog.find<catalog::Role>(next) : nullptr;
    if (found != nullptr && found->inherit) open.insert(open.end(), found->member_of.begin(), found->member_of.end());
  }
  return false;
}

const char* role_for(FileAccess access) {
  return access == FileAccess::kRead ? "pg_read_server_files" : "pg_write_server_files";
}

bool may_use_files(const catalog::Catalog& catalog, const std::string& user, const char* role) {
  const auto* me = catalog.find_role(user);
  const auto* wanted = catalog.find_role(role);
  return me != nullptr && (me->superuser || (wanted != nullptr && has_privileges_of(catalog, me->oid, wanted->oid)));
}

/// errcode_for_file_access.
SqlState file_state(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
    case EROFS: return SqlState::kInsufficientPrivilege;
    case ENOENT: return SqlState::kUndefinedFile;
    case EEXIST: return SqlState::kDuplicateFile;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY: return SqlState::kWrongObjectType;
    case ENOSPC: return SqlState::kDiskFull;
    case ENFILE:
    case EMFILE: return SqlState::kInsufficientResources;
    case EIO: return SqlState::kIoError;
    default: return SqlState::kInternalError;
  }
}

std::FILE* open_file(const std::string& path, FileAccess access) {
  const bool reads = access == FileAccess::kRead;
  std::FILE* file = std::fopen(path.c_str(), reads ? "r" : "w");
  if (file == nullptr) {
    const int error = errno;
    SqlError failure(file_state(error), "could not open file \"" + path + "\" for " +
                                            (reads ? "reading: " : "writing: ") + std::strerror(error));
    if (error != ENOENT && error != EACCES) throw failure;
    throw std::move(failure).hint(reads ? "COPY FROM instructs the PostgreSQL server process to read a file. You may "
                                          "want a client-side facility such as psql's \\copy."
                                        : "COPY TO instructs the PostgreSQL server process to write a file. You may "
                                          "want a client-side facility such as psql's \\copy.");
  }
  struct stat status;
  if (::fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
    std::fclose(file);
    throw SqlError(SqlState::kWrongObjectType, "\"" + path + "\" is a directory");
  }
  return file;
}

/// The folder of grants: opens what a name stands for with DuckDB's own local files.
class GrantFiles final : public duckdb::FileSystem {
 public:
  explicit GrantFiles(duckdb::shared_ptr<FileGrants> grants)
      : grants_(std::move(grants)), local_(duckdb::FileSystem::CreateLocal()) {}

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(const std::string& path, duckdb::FileOpenFlags flags,
                                                  duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    const FileGrants::Entry entry = grants_->find(path);
    if (flags.OpenForWriting() != (entry.access == FileAccess::kWrite))
      throw duckdb::PermissionException("\"%s\" was granted otherwise", path);
    return local_->OpenFile(entry.path, flags, opener);
  }
  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    grants_->find(path);
    return true;
  }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return false; }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    return {duckdb::OpenFileInfo(path)};
  }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kFolder); }
  std::string CanonicalizePath(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return path;
  }
  std::string PathSeparator(const std::string&) override { return "/"; }
  std::string GetName() const override { return "omendb_files"; }

 private:
  const duckdb::shared_ptr<FileGrants> grants_;
  const duckdb::unique_ptr<duckdb::FileSystem> local_;
};

}  // namespace

void require_file_access(SessionImpl& session, FileAccess access) {
  const bool reads = access == FileAccess::kRead;
  const char* name = role_for(access);
  if (may_use_files(*session.current_catalog(), session.current_user(), name)) return;
  throw SqlError(SqlState::kInsufficientPrivilege, std::string("must be superuser or have privileges of the ") + name +
                                                       " role to COPY " + (reads ? "from" : "to") + " a file")
      .hint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.");
}

void require_file_reading(const catalog::Catalog& catalog, const std::string& user) {
  const char* name = role_for(FileAccess::kRead);
  if (may_use_files(catalog, user, name)) return;
  throw SqlError(SqlState::kInsufficientPrivilege,
                 std::string("must be superuser or have privileges of the ") + name + " role to read a file");
}

void require_readable_file(const std::string& path) {
  try {
    std::fclose(open_file(path, FileAccess::kRead));
  } catch (SqlError& error) {
    error.info().hint.clear();  // it is COPY's
    throw;
  }
}

FileSource::FileSource(const std::string& path) : path_(path), file_(open_file(path, FileAccess::kRead)) {}

Result<bool> FileSource::read(std::string* out) {
  const size_t before = out->size();
  out->resize(before + kReadBytes);
  const size_t got = std::fread(out->data() + before, 1, kReadBytes, file_.get());
  out->resize(before + got);
  if (std::ferror(file_.get()))
    return Status(file_state(errno), std::string("could not read from COPY file: ") + std::strerror(errno));
  return got > 0;
}

FileSink::FileSink(const std::string& path) {
  if (path.empty() || path[0] != '/')
    throw SqlError(SqlState::kInvalidName, "relative path not allowed for COPY to file");
  file_ = open_file(path, FileAccess::kWrite);
}

FileSink::~FileSink() {
  if (file_ != nullptr) std::fclose(file_);
}

Status FileSink::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
  return Status(file_state(errno), std::string("could not write to COPY file: ") + std::strerror(errno));
}

Status FileSink::finish() {
  std::FILE* const file = file_;
  file_ = nullptr;
  if (std::fclose(file) == 0) return {};
  return Status(file_state(errno), std::string("could not write to COPY file: ") + std::strerror(errno));
}

void FileGrants::install(duckdb::DatabaseInstance& instance) {
  duckdb::FileSystem::GetFileSystem(instance).RegisterSubSystem(duckdb::make_uniq<GrantFiles>(of(instance)));
  duckdb::DBConfig::GetConfig(instance).AddAllowedDirectory(kFolder);
}

duckdb::shared_ptr<FileGrants> FileGrants::of(duckdb::DatabaseInstance& instance) {
  return instance.GetObjectCache().GetOrCreate<FileGrants>(ObjectType());
}

FileGrants::Grant::Grant(duckdb::DatabaseInstance& instance, const std::string& path, FileAccess access)
    : grants_(of(instance)) {
  MutexLock lock(grants_->mutex_);
  name_ = kFolder + std::to_string(++grants_->next_);
  // DuckDB's readers tell compressed files by their names.
  for (const char* compressed : {".gz", ".zst"}) {
    if (path.ends_with(compressed)) name_ += compressed;
  }
  grants_->entries_[name_] = {path, access};
}

FileGrants::Grant::~Grant() {
  MutexLock lock(grants_->mutex_);
  grants_->entries_.erase(name_);
}

FileGrants::Entry FileGrants::find(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw duckdb::PermissionException("Cannot access file \"%s\"", name);
  return found->second;
}

}  // namespace omendb::sql
