#include "runtime/store/manifest_mark.hpp"

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>

#include <sstream>
#include <utility>
#include <vector>

#include "runtime/base/hash.hpp"
#include "runtime/store/durable_file.hpp"
#include "runtime/store/storage_failure.hpp"
#include "runtime/store/sync_mark.hpp"

namespace troupe {
namespace {

constexpr std::string_view first_line = "troupe manifest 1";

/// A MANIFEST and how many bytes of it are on disk.
struct extent {
  std::string name;
  std::uint64_t bytes = 0;
};

std::string to_text(const extent& what) {
  const auto out = std::string{first_line} + "\n" + what.name + " " + std::to_string(what.bytes) + "\nhash ";
  return out + std::to_string(stable_hash(out)) + "\n";
}

std::optional<extent> parse(const std::string& text) {
  std::istringstream in{text};
  std::string first;
  extent out;
  if (!std::getline(in, first) || first != first_line || !(in >> out.name >> out.bytes)) return std::nullopt;
  return to_text(out) == text ? std::optional{out} : std::nullopt;  // the hash is part of that
}

extent extent_of(rocksdb::DB& db) {
  std::vector<std::string> files;
  extent out;
  const auto status = db.GetLiveFiles(files, &out.bytes, /*flush_memtable=*/false);
  if (!status.ok()) storage_failed("asking for the manifest", status);
  for (const auto& name : files)
    if (name.starts_with("/MANIFEST-")) out.name = name.substr(1);
  return out;
}

class flush_listener final : public rocksdb::EventListener {
 public:
  explicit flush_listener(std::shared_ptr<const manifest_mark> mark) : mark_(std::move(mark)) {}
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override { mark_->write(*db); }

 private:
  std::shared_ptr<const manifest_mark> mark_;
};

}  // namespace

manifest_mark::manifest_mark(std::string directory, std::shared_ptr<rocksdb::FileSystem> disk)
    : directory_(std::move(directory)), disk_(std::move(disk)) {}

std::variant<bool, store_error> manifest_mark::check() const {
  using code = store_error::code;
  const auto read = [&](const std::string& file) { return read_file(disk_, file); };
  const auto own = read(path());
  if (const auto* fault = std::get_if<std::string>(&own)) return store_error{code::io, *fault};
  const auto& text = std::get<std::optional<file_content>>(own);
  if (!text) return false;
  const auto known = parse(text->bytes);
  if (!known) return store_error{code::corrupt, path() + " is damaged; nothing was changed"};

  const auto store_directory = directory_ + "/store/";
  const auto current = read(store_directory + "CURRENT");
  if (const auto* fault = std::get_if<std::string>(&current)) return store_error{code::io, *fault};
  const auto& name = std::get<std::optional<file_content>>(current);
  // A later one was written whole before CURRENT named it; one that is not there RocksDB itself refuses.
  if (!name || name->bytes != known->name + "\n") return true;
  const auto manifest = read(store_directory + known->name);
  if (const auto* fault = std::get_if<std::string>(&manifest)) return store_error{code::io, *fault};
  const auto& bytes = std::get<std::optional<file_content>>(manifest);
  if (!bytes || whole_records_end(bytes->bytes, known->bytes) >= known->bytes) return true;
  return lost_data("what stands before byte " + std::to_string(known->bytes) + " of " + store_directory +
                   known->name);
}

void manifest_mark::write(rocksdb::DB& db) const {
  const std::lock_guard lock{mutex_};
  if (const auto fault = replace_file(disk_, path(), to_text(extent_of(db))))
    storage_failed("noting the manifest", rocksdb::Status::IOError(*fault));
}

std::shared_ptr<rocksdb::EventListener> manifest_mark::watch(std::shared_ptr<const manifest_mark> mark) {
  return std::make_shared<flush_listener>(std::move(mark));
}

std::uint64_t whole_records_end(std::string_view log, std::uint64_t bytes) {
  constexpr std::uint64_t block_bytes = 32U << 10U;
  constexpr std::uint64_t header_bytes = 7;
  std::uint64_t at = 0;
  while (at < bytes) {
    const auto left = block_bytes - at % block_bytes;
    if (left < header_bytes) {
      at += left;
      continue;
    }
    if (at + header_bytes > log.size()) break;
    const auto byte = [&](std::uint64_t offset) { return static_cast<std::uint8_t>(log[at + offset]); };
    const std::uint64_t length = byte(4) + (std::uint64_t{byte(5)} << 8U);
    // Whole, first, middle and last are all that a MANIFEST has. RocksDB takes a record of any other type for
    // the end of the file, some of them before it looks at the checksum.
    const bool is_known = byte(6) >= 1 && byte(6) <= 4;
    if (!is_known || header_bytes + length > left || at + header_bytes + length > log.size()) break;
    at += header_bytes + length;
  }
  return at;
}

}  // namespace troupe
