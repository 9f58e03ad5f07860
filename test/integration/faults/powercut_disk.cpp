#include "test/integration/faults/powercut_disk.hpp"

#include <filesystem>

#include "runtime/base/assert.hpp"

namespace troupe::faults {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using action = disk_step::action;

class powercut_disk::sequential_file final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  sequential_file(powercut_disk& disk, std::string path, std::unique_ptr<rocksdb::FSSequentialFile>&& file)
      : FSSequentialFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}
  IOStatus Read(std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    auto status = disk_.begin_read("read", path_);
    return status.ok() ? FSSequentialFileOwnerWrapper::Read(n, options, result, scratch, context) : status;
  }

 private:
  powercut_disk& disk_;
  std::string path_;
};

class powercut_disk::random_access_file final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  random_access_file(powercut_disk& disk, std::string path,
                     std::unique_ptr<rocksdb::FSRandomAccessFile>&& file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) const override {
    auto status = disk_.begin_read("read", path_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, context)
                       : status;
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* context) override {
    auto status = disk_.begin_read("read", path_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, context)
                       : status;
  }

 private:
  powercut_disk& disk_;
  std::string path_;
};

/// Appended to by one thread and synced by another, as the write-ahead log is.
class powercut_disk::writable_file final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  writable_file(powercut_disk& disk, std::string path, std::uint64_t number, std::uint64_t size,
                std::unique_ptr<rocksdb::FSWritableFile>&& file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        disk_(disk),
        path_(std::move(path)),
        number_(number),
        size_(size),
        synced_(size) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("append", path_, room::needed);
    if (!status.ok()) {
      const Slice part{data.data(), data.size() / 2};
      target()->Append(part, options, context).PermitUncheckedError();
      size_ += part.size();
      return status;
    }
    status = target()->Append(data, options, context);
    disk_.done({action::write, {}, {}, number_, size_, data.ToString()});
    size_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* context) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("truncate", path_, room::not_needed);
    if (!status.ok()) return status;
    status = target()->Truncate(size, options, context);
    size_ = size;
    disk_.done({action::truncate, {}, {}, number_, size, {}});
    return status;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("sync", path_, room::not_needed);
    if (!status.ok()) {
      std::filesystem::resize_file(path_, synced_);
      return status;
    }
    synced_ = size_;
    disk_.done({action::sync, {}, {}, number_, 0, {}});
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Sync(options, context);
  }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();  // promises nothing
  }
  IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}

 private:
  powercut_disk& disk_;
  const std::string path_;
  const std::uint64_t number_;
  std::uint64_t size_;
  std::uint64_t synced_;
};

class powercut_disk::random_rw_file final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  random_rw_file(powercut_disk& disk, std::string path, std::uint64_t number,
                 std::unique_ptr<rocksdb::FSRandomRWFile>&& file)
      : FSRandomRWFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)), number_(number) {}

  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions& options,
                 IODebugContext* context) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("write", path_, room::needed);
    if (!status.ok()) {
      const Slice part{data.data(), data.size() / 2};
      FSRandomRWFileOwnerWrapper::Write(offset, part, options, context).PermitUncheckedError();
      return status;
    }
    status = FSRandomRWFileOwnerWrapper::Write(offset, data, options, context);
    disk_.done({action::write, {}, {}, number_, offset, data.ToString()});
    return status;
  }
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) const override {
    auto status = disk_.begin_read("read", path_);
    return status.ok() ? FSRandomRWFileOwnerWrapper::Read(offset, n, options, result, scratch, context)
                       : status;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("sync", path_, room::not_needed);
    if (status.ok()) disk_.done({action::sync, {}, {}, number_, 0, {}});
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Sync(options, context);
  }

 private:
  powercut_disk& disk_;
  const std::string path_;
  const std::uint64_t number_;
};

class powercut_disk::directory final : public rocksdb::FSDirectory {
 public:
  directory(powercut_disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock{disk_.mutex_};
    auto status = disk_.begin_change("sync directory", path_, room::not_needed);
    if (status.ok()) disk_.done({action::sync_directory, disk_.relative(path_), {}, 0, 0, {}});
    return status;
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  powercut_disk& disk_;
  const std::string path_;
};

namespace {

constexpr std::uint64_t first_new_file = 1'000'000;

/// As RocksDB reports it when the operating system says so.
IOStatus no_space(const char* what, const std::string& path) {
  auto status = IOStatus::NoSpace("injected: " + std::string{what}, path);
  status.SetRetryable(true);
  return status;
}

}  // namespace

powercut_disk::powercut_disk(std::string root)
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      root_(std::move(root)),
      next_file_(first_new_file),
      files_(disk_image::read_from(root_).numbers()) {}

void powercut_disk::fail(const fault_plan& plan, fault_handler on_fault) {
  plan_ = plan;
  on_fault_ = std::move(on_fault);
}

void powercut_disk::in_order(const std::function<void()>& what) {
  const std::lock_guard lock{mutex_};
  what();
}

std::string powercut_disk::relative(const std::string& path) const {
  TROUPE_ASSERT(path.starts_with(root_), "a path outside: " + path);
  auto from = root_.size();
  while (from < path.size() && path[from] == '/') ++from;
  auto out = path.substr(from);
  while (out.ends_with('/')) out.pop_back();
  return out;
}

IOStatus powercut_disk::injected(const char* what, const std::string& path) {
  on_fault_(std::string{what} + " " + path);
  if (plan_.how == fault_plan::error::io) return IOStatus::IOError("injected: " + std::string{what}, path);
  is_full_ = true;
  return no_space(what, path);
}

IOStatus powercut_disk::begin_change(const char* what, const std::string& path, room r) {
  const std::lock_guard lock{mutex_};
  ++changes_;
  if (is_full_ && r == room::needed) return no_space(what, path);
  const bool is_log_sync = std::string_view{what} == "sync" && path.ends_with(".log");
  if (is_log_sync) ++log_syncs_;
  using direction = fault_plan::direction;
  const bool is_due = (plan_.where == direction::changes && changes_ >= plan_.at) ||
                      (plan_.where == direction::log_syncs && is_log_sync && log_syncs_ >= plan_.at);
  if (!is_due || (plan_.how == fault_plan::error::no_space && r == room::not_needed)) return IOStatus::OK();
  plan_.where = direction::none;
  return injected(what, path);
}

IOStatus powercut_disk::begin_read(const char* what, const std::string& path) {
  const std::lock_guard lock{mutex_};
  ++reads_;
  if (plan_.where != fault_plan::direction::reads || reads_ != plan_.at) return IOStatus::OK();
  return injected(what, path);
}

void powercut_disk::done(disk_step&& step) {
  if (record_) record_(std::move(step));
}

std::uint64_t powercut_disk::number_of(const std::string& path) { return files_.at(relative(path)); }

IOStatus powercut_disk::NewSequentialFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                          IODebugContext* context) {
  auto status = begin_read("open", path);
  if (status.ok()) status = FileSystemWrapper::NewSequentialFile(path, options, file, context);
  if (status.ok()) *file = std::make_unique<sequential_file>(*this, path, std::move(*file));
  return status;
}

IOStatus powercut_disk::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                            std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                            IODebugContext* context) {
  auto status = begin_read("open", path);
  if (status.ok()) status = FileSystemWrapper::NewRandomAccessFile(path, options, file, context);
  if (status.ok()) *file = std::make_unique<random_access_file>(*this, path, std::move(*file));
  return status;
}

IOStatus powercut_disk::NewWritableFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file,
                                        IODebugContext* context) {
  if (is_left_out(path)) return FileSystemWrapper::NewWritableFile(path, options, file, context);
  const std::lock_guard lock{mutex_};
  auto status = begin_change("create", path, room::needed);
  if (status.ok()) status = FileSystemWrapper::NewWritableFile(path, options, file, context);
  if (!status.ok()) return status;
  const auto number = next_file_++;
  files_[relative(path)] = number;
  *file = std::make_unique<writable_file>(*this, path, number, 0, std::move(*file));
  done({action::create, relative(path), {}, number, 0, {}});
  return status;
}

IOStatus powercut_disk::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                                           IODebugContext* context) {
  const std::lock_guard lock{mutex_};
  if (!files_.contains(relative(path))) return NewWritableFile(path, options, file, context);
  auto status = begin_change("open", path, room::not_needed);
  if (status.ok()) status = FileSystemWrapper::ReopenWritableFile(path, options, file, context);
  if (!status.ok()) return status;
  *file = std::make_unique<writable_file>(*this, path, number_of(path), std::filesystem::file_size(path),
                                          std::move(*file));
  return status;
}

IOStatus powercut_disk::ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                                          std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("reused files");
}

IOStatus powercut_disk::NewRandomRWFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                        IODebugContext* context) {
  const std::lock_guard lock{mutex_};
  auto status = begin_change("open", path, room::not_needed);
  if (status.ok()) status = FileSystemWrapper::NewRandomRWFile(path, options, file, context);
  if (status.ok()) *file = std::make_unique<random_rw_file>(*this, path, number_of(path), std::move(*file));
  return status;
}

IOStatus powercut_disk::NewDirectory(const std::string& path, const IOOptions&,
                                     std::unique_ptr<rocksdb::FSDirectory>* opened, IODebugContext*) {
  auto status = begin_change("open directory", path, room::not_needed);
  if (!status.ok()) return status;
  if (!std::filesystem::is_directory(path)) return IOStatus::NotFound("no such directory", path);
  *opened = std::make_unique<directory>(*this, path);
  return status;
}

IOStatus powercut_disk::FileExists(const std::string& path, const IOOptions& options,
                                   IODebugContext* context) {
  auto status = begin_read("look for", path);
  return status.ok() ? FileSystemWrapper::FileExists(path, options, context) : status;
}

IOStatus powercut_disk::GetChildren(const std::string& path, const IOOptions& options,
                                    std::vector<std::string>* names, IODebugContext* context) {
  auto status = begin_read("list", path);
  return status.ok() ? FileSystemWrapper::GetChildren(path, options, names, context) : status;
}

IOStatus powercut_disk::GetFileSize(const std::string& path, const IOOptions& options, std::uint64_t* size,
                                    IODebugContext* context) {
  auto status = begin_read("size of", path);
  return status.ok() ? FileSystemWrapper::GetFileSize(path, options, size, context) : status;
}

IOStatus powercut_disk::DeleteFile(const std::string& path, const IOOptions& options,
                                   IODebugContext* context) {
  if (is_left_out(path)) return FileSystemWrapper::DeleteFile(path, options, context);
  const std::lock_guard lock{mutex_};
  auto status = begin_change("remove", path, room::not_needed);
  if (status.ok()) status = FileSystemWrapper::DeleteFile(path, options, context);
  if (!status.ok()) return status;
  files_.erase(relative(path));
  done({action::remove, relative(path), {}, 0, 0, {}});
  return status;
}

IOStatus powercut_disk::Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                                 IODebugContext* context) {
  const std::lock_guard lock{mutex_};
  auto status = begin_change("truncate", path, room::not_needed);
  if (status.ok()) status = FileSystemWrapper::Truncate(path, size, options, context);
  if (status.ok()) done({action::truncate, {}, {}, number_of(path), size, {}});
  return status;
}

IOStatus powercut_disk::CreateDir(const std::string& path, const IOOptions& options,
                                  IODebugContext* context) {
  const std::lock_guard lock{mutex_};
  auto status = begin_change("make directory", path, room::needed);
  if (status.ok()) status = FileSystemWrapper::CreateDir(path, options, context);
  if (!status.ok()) return status;
  const auto number = next_file_++;
  files_[relative(path)] = number;
  done({action::make_directory, relative(path), {}, number, 0, {}});
  return status;
}

IOStatus powercut_disk::CreateDirIfMissing(const std::string& path, const IOOptions& options,
                                           IODebugContext* context) {
  if (std::filesystem::is_directory(path)) return IOStatus::OK();
  return CreateDir(path, options, context);
}

IOStatus powercut_disk::DeleteDir(const std::string&, const IOOptions&, IODebugContext*) {
  return IOStatus::NotSupported("removing directories");
}

IOStatus powercut_disk::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                   IODebugContext* context) {
  if (is_left_out(from)) return FileSystemWrapper::RenameFile(from, to, options, context);
  const std::lock_guard lock{mutex_};
  auto status = begin_change("rename", from, room::not_needed);
  if (status.ok()) status = FileSystemWrapper::RenameFile(from, to, options, context);
  if (!status.ok()) return status;
  files_[relative(to)] = number_of(from);
  files_.erase(relative(from));
  done({action::rename, relative(from), relative(to), 0, 0, {}});
  return status;
}

IOStatus powercut_disk::LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) {
  return IOStatus::NotSupported("links");
}

}  // namespace troupe::faults
