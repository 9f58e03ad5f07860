#include "runtime/store/durable_file.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>

namespace troupe {

rocksdb::FileSystem& disk_of(const std::shared_ptr<rocksdb::FileSystem>& disk) {
  return disk ? *disk : *rocksdb::FileSystem::Default();
}

rocksdb::IOStatus sync_directory(rocksdb::FileSystem& disk, const std::string& directory) {
  std::unique_ptr<rocksdb::FSDirectory> handle;
  auto status = disk.NewDirectory(directory, {}, &handle, nullptr);
  if (status.ok()) status = handle->Fsync({}, nullptr);
  return status;
}

std::optional<std::string> replace_file(rocksdb::FileSystem& disk, const std::string& path,
                                        std::string_view content) {
  const auto temporary = path + ".new";
  constexpr bool synced = true;
  auto status = rocksdb::WriteStringToFile(&disk, {content.data(), content.size()}, temporary, synced);
  if (status.ok()) status = disk.RenameFile(temporary, path, {}, nullptr);
  if (!status.ok()) {
    disk.DeleteFile(temporary, {}, nullptr).PermitUncheckedError();
    return "cannot write " + path + ": " + status.ToString();
  }
  const auto parent = std::filesystem::path{path}.parent_path().string();
  status = sync_directory(disk, parent.empty() ? "." : parent);
  if (!status.ok()) return "cannot sync " + path + ": " + status.ToString();
  return std::nullopt;
}

std::optional<std::string> replace_file(const std::string& path, std::string_view content) {
  return replace_file(*rocksdb::FileSystem::Default(), path, content);
}

std::optional<std::string> replace_file(const std::shared_ptr<rocksdb::FileSystem>& disk,
                                        const std::string& path, std::string_view content) {
  return replace_file(disk_of(disk), path, content);
}

std::variant<std::optional<file_content>, std::string> read_file(
    const std::shared_ptr<rocksdb::FileSystem>& disk, const std::string& path) {
  auto& from = disk_of(disk);
  auto status = from.FileExists(path, {}, nullptr);
  if (status.IsNotFound()) return std::optional<file_content>{};
  file_content content;
  if (status.ok()) status = rocksdb::ReadFileToString(&from, path, &content.bytes);
  if (!status.ok()) return "cannot read " + path + ": " + status.ToString();
  return content;
}

}  // namespace troupe
