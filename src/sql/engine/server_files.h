// Files of the server that a statement reads or writes for its client: who may, PostgreSQL's errors, and the one door through
// which DuckDB's readers and writers of file formats reach a file.
//
// DuckDB has no access to files. Its file system knows one made-up folder, omendb-file:/, whose entries are grants: a number
// for each open statement, made after the privileges were checked and gone with the statement. SQL cannot name one, and a
// grant opens one file in one direction (docs/decisions/0042-files.md).
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "duckdb/main/database.hpp"
#include "duckdb/storage/object_cache.hpp"

#include "base/mutex.h"
#include "sql/session.h"

namespace omendb::sql {

class SessionImpl;

enum class FileAccess : uint8_t { kRead, kWrite };

/// COPY: refuses who is neither a superuser nor has the privileges of pg_read_server_files or pg_write_server_files (42501).
void require_file_access(SessionImpl& session, FileAccess access);
/// As for COPY from a file, for `user` who reads files otherwise.
void require_file_reading(const catalog::Catalog& catalog, const std::string& user);
/// Throws what opening for COPY FROM would.
void require_readable_file(const std::string& path);

/// COPY FROM a file. Opening throws PostgreSQL's errors: 58P01, 42501, 42809, ...
class FileSource final : public CopySource {
 public:
  explicit FileSource(const std::string& path);
  Result<bool> read(std::string* out) override;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// COPY TO a file, which is emptied first.
class FileSink final : public CopySink {
 public:
  /// Throws as FileSource, and 42602 for a relative path.
  explicit FileSink(const std::string& path);
  ~FileSink() override;
  Status write(std::string_view bytes) override;
  /// Everything is written, or the error that tells why not.
  Status finish();

 private:
  std::FILE* file_;
};

/// What DuckDB may open; it is kept with the instance. Thread: any.
class FileGrants final : public duckdb::ObjectCacheEntry {
 public:
  /// Makes the folder known to the instance.
  static void install(duckdb::DatabaseInstance& instance);
  static duckdb::shared_ptr<FileGrants> of(duckdb::DatabaseInstance& instance);
  static std::string ObjectType() { return "omendb_files"; }
  std::string GetObjectType() override { return ObjectType(); }
  duckdb::optional_idx GetEstimatedCacheMemory() const override { return {}; }  // never evicted

  /// DuckDB may open `path` under the name that this has, while it lives.
  class Grant {
   public:
    Grant(duckdb::DatabaseInstance& instance, const std::string& path, FileAccess access);
    ~Grant();
    Grant(const Grant&) = delete;
    Grant& operator=(const Grant&) = delete;
    const std::string& name() const { return name_; }

   private:
    const duckdb::shared_ptr<FileGrants> grants_;
    std::string name_;
  };

  struct Entry {
    std::string path;
    FileAccess access;
  };
  /// Throws DuckDB's PermissionException for a name that nobody was granted.
  Entry find(const std::string& name);

 private:
  Mutex mutex_;
  uint64_t next_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace omendb::sql
