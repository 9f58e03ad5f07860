#include "runtime/store/directory.hpp"

#include <rocksdb/file_system.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {
namespace {

namespace fs = std::filesystem;
using code = store_error::code;

constexpr std::uint64_t start_free_bytes_min = 64U << 20U;

/// Two lines: "troupe data format N" and "shards N".
struct format_file {
  int format = 0;
  int shards = 0;
};

std::optional<format_file> parse_format(const std::string& text) {
  std::istringstream in{text};
  std::string a, b, c, d;
  format_file f;
  if (!(in >> a >> b >> c >> f.format) || a != "troupe" || b != "data" || c != "format") return std::nullopt;
  if (!(in >> d >> f.shards) || d != "shards" || f.format < 1 || f.shards < 1 || f.shards > 65'535)
    return std::nullopt;
  return f;
}

store_error not_writable(const std::string& what, const rocksdb::IOStatus& why) {
  return {code::not_writable, what + ": " + why.ToString()};
}

std::optional<store_error> make_directories(rocksdb::FileSystem& disk, const fs::path& directory) {
  if (fs::exists(directory)) return std::nullopt;
  const auto parent = fs::absolute(directory).parent_path();
  if (auto refused = make_directories(disk, parent)) return refused;
  auto status = disk.CreateDirIfMissing(directory.string(), {}, nullptr);
  if (status.ok()) status = sync_directory(disk, parent.string());
  if (!status.ok()) return not_writable("cannot make the directory " + directory.string(), status);
  return std::nullopt;
}

/// RocksDB syncs what is in this directory, but not its name in ours; without that all of it may be gone.
std::optional<store_error> make_store_directory(rocksdb::FileSystem& disk, const std::string& directory) {
  auto status = disk.CreateDirIfMissing(directory + "/store", {}, nullptr);
  if (status.ok()) status = sync_directory(disk, directory);
  if (!status.ok()) return not_writable("cannot make the directory " + directory + "/store", status);
  return std::nullopt;
}

/// What a process that was killed wrote and did not sync is still read, by RocksDB now and never again: what
/// this process builds on it must not outlive it at a power cut.
std::optional<store_error> sync_logs(rocksdb::FileSystem& disk, const std::string& directory) {
  const auto store_directory = directory + "/store";
  std::vector<std::string> names;
  auto status = disk.GetChildren(store_directory, {}, &names, nullptr);
  for (const auto& name : names) {
    if (!status.ok()) break;
    if (!name.ends_with(".log")) continue;
    std::unique_ptr<rocksdb::FSWritableFile> log;
    status = disk.ReopenWritableFile(store_directory + "/" + name, {}, &log, nullptr);
    if (status.ok()) status = log->Fsync({}, nullptr);
    if (status.ok()) status = log->Close({}, nullptr);
  }
  if (status.ok()) status = sync_directory(disk, store_directory);
  if (!status.ok()) return not_writable("cannot sync the write-ahead logs in " + store_directory, status);
  return std::nullopt;
}

/// A disk that cannot tell is not one without the file.
std::variant<bool, store_error> exists(rocksdb::FileSystem& disk, const std::string& path) {
  const auto status = disk.FileExists(path, {}, nullptr);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return store_error{code::io, "cannot look for " + path + ": " + status.ToString()};
}

std::optional<store_error> write_format(rocksdb::FileSystem& disk, const std::string& file,
                                        std::uint16_t shards) {
  const std::string text =
      "troupe data format " + std::to_string(data_format) + "\nshards " + std::to_string(shards) + "\n";
  // Its name too is on disk then: a store without this file is refused.
  if (const auto why = replace_file(disk, file, text)) return store_error{code::not_writable, *why};
  return std::nullopt;
}

/// `code::io` when it cannot be read or is not there, `code::corrupt` when it is something else.
std::variant<format_file, store_error> read_format(rocksdb::FileSystem& disk, const std::string& directory) {
  const auto file = directory + "/FORMAT";
  std::string text;
  const auto status = rocksdb::ReadFileToString(&disk, file, &text);
  if (!status.ok()) return store_error{code::io, "cannot read " + file + ": " + status.ToString()};
  if (const auto format = parse_format(text)) return *format;
  return store_error{code::corrupt, file + " is not a troupe format file"};
}

}  // namespace

std::uint16_t shard_count_of(const std::string& directory) {
  const auto read = read_format(*rocksdb::FileSystem::Default(), directory);
  const auto* format = std::get_if<format_file>(&read);
  return format != nullptr ? static_cast<std::uint16_t>(format->shards) : std::uint16_t{0};
}

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

namespace {

/// Of a directory that may have to be made.
std::optional<store_error> check_room(const std::string& directory) {
  std::error_code ignored;
  auto there = fs::absolute(directory);
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  if (free_bytes(there.string()) >= start_free_bytes_min) return std::nullopt;
  return store_error{code::not_writable,
                     "the disk of " + directory + " is full: 64 MiB free are needed to start"};
}

store_error newer_format(const std::string& directory, int format) {
  return {code::newer_format, "the data directory " + directory + " has format " + std::to_string(format) +
                                  ", this troupe reads up to " + std::to_string(data_format) +
                                  "; run a newer troupe"};
}

std::optional<store_error> check_format(rocksdb::FileSystem& disk, const std::string& directory,
                                        int shard_count) {
  const auto read = read_format(disk, directory);
  if (const auto* fault = std::get_if<store_error>(&read)) return *fault;
  const auto& format = std::get<format_file>(read);
  if (format.format > data_format) return newer_format(directory, format.format);
  if (format.shards != shard_count) {
    return store_error{code::other_shard_count,
                       "the data directory " + directory + " was made with " + std::to_string(format.shards) +
                           " shards, not " + std::to_string(shard_count) + "; the count never changes"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<store_error> refuse_newer_format(const std::string& directory) {
  const auto read = read_format(*rocksdb::FileSystem::Default(), directory);
  const auto* format = std::get_if<format_file>(&read);
  if (format == nullptr || format->format <= data_format) return std::nullopt;
  return newer_format(directory, format->format);
}

std::optional<store_error> raise_format(const store_options& options) {
  auto& disk = disk_of(options.disk);
  const auto read = read_format(disk, options.directory);
  if (const auto* fault = std::get_if<store_error>(&read)) return *fault;
  if (std::get<format_file>(read).format == data_format) return std::nullopt;
  return write_format(disk, options.directory + "/FORMAT", options.shard_count);
}

std::variant<bool, store_error> has_store(const store_options& options) {
  auto& disk = disk_of(options.disk);
  const auto store_directory = options.directory + "/store";
  auto found = exists(disk, store_directory + "/CURRENT");
  if (std::holds_alternative<store_error>(found) || std::get<bool>(found)) return found;
  std::vector<std::string> names;
  const auto status = disk.GetChildren(store_directory, {}, &names, nullptr);
  if (!status.ok()) return store_error{code::io, "cannot read " + store_directory + ": " + status.ToString()};
  for (const auto& name : names) {
    // Both come after CURRENT; what comes before it is left by a process that ended while it made the store.
    if (!name.ends_with(".sst") && !name.ends_with(".log")) continue;
    return store_error{code::corrupt, "the store in " + options.directory +
                                          " is damaged and was left as it is: it has no file CURRENT"};
  }
  return false;
}

std::optional<store_error> prepare_directory(const store_options& options, directory_lock& lock) {
  const auto& directory = options.directory;
  auto& disk = disk_of(options.disk);
  // A new directory needs room before anything is made; of one that is there the format is told first.
  const auto is_there = exists(disk, directory + "/FORMAT");
  if (const auto* fault = std::get_if<store_error>(&is_there)) return *fault;
  if (!std::get<bool>(is_there))
    if (auto refused = check_room(directory)) return refused;
  if (auto refused = make_directories(disk, directory)) return refused;
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return store_error{code::not_writable,
                       "the data directory " + directory + " is not writable: " + std::strerror(errno)};
  }
  switch (lock.take(directory)) {
    case directory_lock::outcome::taken:
      break;
    case directory_lock::outcome::held_by_another:
      return store_error{code::locked, "the data directory " + directory + " is in use by another process"};
    case directory_lock::outcome::failed:
      return store_error{code::not_writable, "cannot lock " + directory + "/LOCK: " + std::strerror(errno)};
  }
  const auto file = directory + "/FORMAT";
  const auto has_format = exists(disk, file);
  if (const auto* fault = std::get_if<store_error>(&has_format)) return *fault;
  if (std::get<bool>(has_format)) {
    if (auto refused = check_format(disk, directory, options.shard_count)) return refused;
    if (auto refused = check_room(directory)) return refused;
    if (auto refused = make_store_directory(disk, directory)) return refused;
    return sync_logs(disk, directory);
  }
  const auto has_store = exists(disk, directory + "/store");
  if (const auto* fault = std::get_if<store_error>(&has_store)) return *fault;
  if (std::get<bool>(has_store)) {
    return store_error{code::corrupt, "the data directory " + directory + " has a store but no FORMAT file"};
  }
  if (auto refused = write_format(disk, file, options.shard_count)) return refused;
  return make_store_directory(disk, directory);
}

}  // namespace troupe
