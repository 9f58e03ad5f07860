#include "runtime/store/directory.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {
namespace {

namespace fs = std::filesystem;
using code = store_error::code;

constexpr std::uint64_t start_free_bytes_min = 64U << 20U;

std::string errno_text() { return std::strerror(errno); }

/// Two lines: "troupe data format N" and "shards N".
struct format_file {
  int format = 0;
  int shards = 0;
};

std::optional<format_file> read_format(const fs::path& file) {
  std::ifstream in{file};
  std::string a, b, c, d;
  format_file f;
  if (!(in >> a >> b >> c >> f.format) || a != "troupe" || b != "data" || c != "format") return std::nullopt;
  if (!(in >> d >> f.shards) || d != "shards") return std::nullopt;
  return f;
}

std::optional<store_error> write_format(const fs::path& file, std::uint16_t shards) {
  const std::string text =
      "troupe data format " + std::to_string(data_format) + "\nshards " + std::to_string(shards) + "\n";
  const auto temporary = file.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return store_error{code::not_writable, "cannot write " + temporary + ": " + errno_text()};
  const bool ok =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const auto why = errno_text();
  ::close(fd);
  if (!ok || ::rename(temporary.c_str(), file.c_str()) != 0) {
    ::unlink(temporary.c_str());
    return store_error{code::not_writable,
                       "cannot write " + file.string() + ": " + (ok ? errno_text() : why)};
  }
  // The new name is on disk only when its directory is: a store without this file is refused.
  const int parent = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = parent >= 0 && ::fsync(parent) == 0;
  const auto why_not = errno_text();
  if (parent >= 0) ::close(parent);
  if (!is_synced) return store_error{code::not_writable, "cannot sync " + file.string() + ": " + why_not};
  return std::nullopt;
}

}  // namespace

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

std::optional<store_error> prepare_directory(const std::string& directory, std::uint16_t shard_count) {
  std::error_code fault;
  fs::create_directories(directory, fault);
  if (fault)
    return store_error{code::not_writable,
                       "cannot make the data directory " + directory + ": " + fault.message()};
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return store_error{code::not_writable,
                       "the data directory " + directory + " is not writable: " + errno_text()};
  }
  const fs::path file = fs::path{directory} / "FORMAT";
  if (!fs::exists(file)) {
    if (fs::exists(fs::path{directory} / "store")) {
      return store_error{code::corrupt,
                         "the data directory " + directory + " has a store but no FORMAT file"};
    }
    if (free_bytes(directory) < start_free_bytes_min) {
      return store_error{code::not_writable,
                         "the disk of " + directory + " is full: 64 MiB free are needed to start"};
    }
    return write_format(file, shard_count);
  }
  const auto format = read_format(file);
  if (!format) return store_error{code::corrupt, file.string() + " is not a troupe format file"};
  if (format->format > data_format) {
    return store_error{code::newer_format, "the data directory " + directory + " has format " +
                                               std::to_string(format->format) + ", this troupe reads up to " +
                                               std::to_string(data_format) + "; run a newer troupe"};
  }
  if (format->shards != shard_count) {
    return store_error{code::other_shard_count, "the data directory " + directory + " was made with " +
                                                    std::to_string(format->shards) + " shards, not " +
                                                    std::to_string(shard_count) +
                                                    "; the count never changes"};
  }
  if (free_bytes(directory) < start_free_bytes_min) {
    return store_error{code::not_writable,
                       "the disk of " + directory + " is full: 64 MiB free are needed to start"};
  }
  return std::nullopt;
}

// The file has two slots that are written in turn, so that a torn write leaves the other one whole.
namespace {
constexpr std::size_t slot_bytes = 64U << 10U;

std::vector<std::uint64_t> decode_slot(std::string_view slot, std::uint64_t& sequence) {
  byte_reader in{slot};
  const auto sum = in.u32_be();
  const auto body = in.sized();
  if (!in.ok() || body.empty() || checksum(body) != sum) return {};
  byte_reader fields{body};
  sequence = fields.varint();
  std::vector<std::uint64_t> indexes(static_cast<std::size_t>(fields.varint()) & 0xffff);
  for (auto& index : indexes) index = fields.varint();
  return fields.ok() ? indexes : std::vector<std::uint64_t>{};
}
}  // namespace

sync_mark::sync_mark(const std::string& directory) {
  const auto path = directory + "/mark";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
  TROUPE_ASSERT(file_ >= 0, "cannot open " + path + ": " + errno_text());
}

sync_mark::~sync_mark() {
  if (file_ >= 0) ::close(file_);
}

std::vector<std::uint64_t> sync_mark::read(const std::string& directory) {
  std::ifstream in{directory + "/mark", std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  const std::string bytes = text.str();
  std::vector<std::uint64_t> newest;
  std::uint64_t newest_sequence = 0;
  for (std::size_t at = 0; at < bytes.size() && at <= slot_bytes; at += slot_bytes) {
    std::uint64_t sequence = 0;
    auto indexes = decode_slot(std::string_view{bytes}.substr(at, slot_bytes), sequence);
    if (!indexes.empty() && sequence >= newest_sequence) {
      newest_sequence = sequence;
      newest = std::move(indexes);
    }
  }
  return newest;
}

void sync_mark::write(const std::vector<std::uint64_t>& last_indexes) {
  std::string body;
  byte_writer w{body};
  // The sum of all indexes only grows, so it orders the two slots across restarts too.
  std::uint64_t sequence = 0;
  for (const auto index : last_indexes) sequence += index;
  w.varint(sequence);
  w.varint(last_indexes.size());
  for (const auto index : last_indexes) w.varint(index);
  std::string slot;
  byte_writer{slot}.u32_be(checksum(body));
  byte_writer{slot}.sized(body);
  TROUPE_ASSERT(slot.size() <= slot_bytes, "the mark does not fit its slot");
  const auto at = second_slot_ ? static_cast<off_t>(slot_bytes) : off_t{0};
  second_slot_ = !second_slot_;
  const auto written = ::pwrite(file_, slot.data(), slot.size(), at);
  TROUPE_ASSERT(written == static_cast<ssize_t>(slot.size()),
                "writing the sync mark failed: " + errno_text());
}

}  // namespace troupe
