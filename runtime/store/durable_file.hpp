#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class FileSystem;
class IOStatus;
}  // namespace rocksdb

namespace troupe {

/// Replaces what the file holds, or makes it: after a crash at any moment it has the old content or the new,
/// whole. On return the new one is on disk, file and name. Otherwise the reason; the file is then as it was,
/// unless only the last step failed (the directory could not be synced), where it may be either.
[[nodiscard]] std::optional<std::string> replace_file(rocksdb::FileSystem& disk, const std::string& path,
                                                      std::string_view content);
/// On the operating system's disk.
[[nodiscard]] std::optional<std::string> replace_file(const std::string& path, std::string_view content);

/// What was made, renamed or removed in a directory is on disk only when the directory is.
rocksdb::IOStatus sync_directory(rocksdb::FileSystem& disk, const std::string& directory);

}  // namespace troupe
