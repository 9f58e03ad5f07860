#pragma once

#include <rocksdb/file_system.h>

namespace troupe::chaos {

/// The operating system's disk, except that what is appended to a file stays in this process until it is
/// synced: whoever kills the process takes it away, as a power cut takes what is in the page cache. Now and
/// then some of it goes through before, since a power cut may leave that too. Names (create, rename, remove)
/// and what is written in place take effect at once. It can hang, too (hanging_disk.hpp).
class forgetful_disk final : public rocksdb::FileSystemWrapper {
 public:
  forgetful_disk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  static const char* kClassName() { return "forgetful_disk"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* context) override;
};

}  // namespace troupe::chaos
