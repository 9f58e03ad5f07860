#pragma once

#include <rocksdb/file_system.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "test/integration/faults/disk_model.hpp"

namespace troupe::faults {

/// Which I/O fails, and how. I/Os are numbered from 1; those that change the disk, those that read it and the
/// syncs of a write-ahead log are counted apart.
struct fault_plan {
  enum class direction { none = 1, changes, reads, log_syncs };
  enum class error {
    io = 1,    // this once
    no_space,  // from here on, whatever needs room
  };
  direction where = direction::none;
  std::uint64_t at = 0;
  error how = error::io;
};

/// A file system that keeps a store's files under `root`, tells each change to a recorder, and fails when the
/// plan says so. Never waits for the real disk: what is synced is the disk_model's business. A write that
/// fails has written a part; a sync that fails has lost what it was to sync, as Linux does when it marks the
/// pages clean.
class powercut_disk final : public rocksdb::FileSystemWrapper {
 public:
  using recorder = std::function<void(disk_step&&)>;
  using fault_handler = std::function<void(const std::string& what)>;

  explicit powercut_disk(std::string root);
  /// Called with all I/O held, so in the order in which things happen to the disk.
  void record(recorder to) { record_ = std::move(to); }
  void fail(const fault_plan& plan, fault_handler on_fault);
  /// Holds all I/O while `what` runs.
  void in_order(const std::function<void()>& what);
  std::uint64_t changes() const { return changes_; }
  std::uint64_t reads() const { return reads_; }

  static const char* kClassName() { return "powercut_disk"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string&, const std::string&, const rocksdb::FileOptions&,
                                      std::unique_ptr<rocksdb::FSWritableFile>*,
                                      rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus FileExists(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetChildren(const std::string& path, const rocksdb::IOOptions& options,
                                std::vector<std::string>* names, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options,
                                std::uint64_t* size, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus Truncate(const std::string& path, std::size_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteDir(const std::string&, const rocksdb::IOOptions&,
                              rocksdb::IODebugContext*) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus LinkFile(const std::string&, const std::string&, const rocksdb::IOOptions&,
                             rocksdb::IODebugContext*) override;

 private:
  class sequential_file;
  class random_access_file;
  class writable_file;
  class random_rw_file;
  class directory;

  /// Counts an I/O, and gives the error when this is the one to fail. `needs_room` when a full disk matters.
  enum class room { needed, not_needed };
  rocksdb::IOStatus begin_change(const char* what, const std::string& path, room r);
  rocksdb::IOStatus begin_read(const char* what, const std::string& path);
  rocksdb::IOStatus injected(const char* what, const std::string& path);
  void done(disk_step&& step);
  std::string relative(const std::string& path) const;
  std::uint64_t number_of(const std::string& path);

  const std::string root_;
  std::recursive_mutex mutex_;
  recorder record_;
  fault_plan plan_;
  fault_handler on_fault_;
  bool is_full_ = false;
  std::uint64_t changes_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t log_syncs_ = 0;
  std::uint64_t next_file_;
  std::map<std::string, std::uint64_t> files_;  // numbers, by relative path
};

}  // namespace troupe::faults
