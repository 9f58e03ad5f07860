#include "test/chaos/forgetful_disk.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "test/chaos/hanging_disk.hpp"

namespace troupe::chaos {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// Appended to by one thread and synced by another, as the write-ahead log is.
class forgetful_file final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  forgetful_file(std::unique_ptr<rocksdb::FSWritableFile>&& file, const std::string& path)
      : FSWritableFileOwnerWrapper(std::move(file)),
        hangs_(std::filesystem::path{path}.parent_path().parent_path() / hangs_name),
        random_(std::random_device{}()) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{mutex_};
    unsynced_.append(data.data(), data.size());
    const bool goes_through = unsynced_.size() > unsynced_bytes_max || random_() % 8 == 0;
    return goes_through ? write_through(options, context) : IOStatus::OK();
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus PositionedAppend(const Slice&, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("direct writes");
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{mutex_};
    auto status = write_through(options, context);
    return status.ok() ? target()->Truncate(size, options, context) : status;
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    while (::access(hangs_.c_str(), F_OK) == 0) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    const std::lock_guard lock{mutex_};
    auto status = write_through(options, context);
    return status.ok() ? target()->Sync(options, context) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Sync(options, context);
  }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();  // promises nothing
  }
  /// Others may read it from here on, so it has to be there.
  IOStatus Close(const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{mutex_};
    auto status = write_through(options, context);
    return status.ok() ? target()->Close(options, context) : status;
  }
  std::uint64_t GetFileSize(const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{mutex_};
    return target()->GetFileSize(options, context) + unsynced_.size();
  }

 private:
  static constexpr std::size_t unsynced_bytes_max = 64U << 20U;

  IOStatus write_through(const IOOptions& options, IODebugContext* context) {
    if (unsynced_.empty()) return IOStatus::OK();
    auto status = target()->Append(unsynced_, options, context);
    if (status.ok()) status = target()->Flush(options, context);
    if (status.ok()) unsynced_.clear();
    return status;
  }

  const std::string hangs_;
  std::mutex mutex_;
  std::string unsynced_;     // guarded by mutex_
  std::minstd_rand random_;  // guarded by mutex_
};

void make_forgetful(const IOStatus& opened, std::unique_ptr<rocksdb::FSWritableFile>* file,
                    const std::string& path) {
  if (opened.ok()) *file = std::make_unique<forgetful_file>(std::move(*file), path);
}

}  // namespace

IOStatus forgetful_disk::NewWritableFile(const std::string& path, const FileOptions& options,
                                         std::unique_ptr<rocksdb::FSWritableFile>* file,
                                         IODebugContext* context) {
  auto status = FileSystemWrapper::NewWritableFile(path, options, file, context);
  make_forgetful(status, file, path);
  return status;
}

IOStatus forgetful_disk::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                            std::unique_ptr<rocksdb::FSWritableFile>* file,
                                            IODebugContext* context) {
  auto status = FileSystemWrapper::ReopenWritableFile(path, options, file, context);
  make_forgetful(status, file, path);
  return status;
}

IOStatus forgetful_disk::ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                                           std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("reused files");
}

}  // namespace troupe::chaos
