#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rocksdb {
class FileSystem;
class IOStatus;
}  // namespace rocksdb

namespace troupe {

/// None: the operating system's.
rocksdb::FileSystem& disk_of(const std::shared_ptr<rocksdb::FileSystem>& disk);

/// Replaces what the file holds, or makes it: after a crash at any moment it has the old content or the new,
/// whole. On return the new one is on disk, file and name. Otherwise the reason; the file is then as it was,
/// unless only the last step failed (the directory could not be synced), where it may be either.
[[nodiscard]] std::optional<std::string> replace_file(rocksdb::FileSystem& disk, const std::string& path,
                                                      std::string_view content);
/// On the operating system's disk.
[[nodiscard]] std::optional<std::string> replace_file(const std::string& path, std::string_view content);
/// For who does not know RocksDB; no disk: the operating system's.
[[nodiscard]] std::optional<std::string> replace_file(const std::shared_ptr<rocksdb::FileSystem>& disk,
                                                      const std::string& path, std::string_view content);

struct file_content {
  std::string bytes;
};
/// What the file holds, none when there is no such file, or why it cannot be read.
std::variant<std::optional<file_content>, std::string> read_file(
    const std::shared_ptr<rocksdb::FileSystem>& disk, const std::string& path);

/// What was made, renamed or removed in a directory is on disk only when the directory is.
rocksdb::IOStatus sync_directory(rocksdb::FileSystem& disk, const std::string& directory);

}  // namespace troupe
