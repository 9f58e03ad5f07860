#include "runtime/store/sync_mark.hpp"

#include <rocksdb/file_system.h>

#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {

store_error lost_data(const std::string& what) {
  return {store_error::code::suspect,
          what + " was on disk before: the disk lost acknowledged data, the store is not used"};
}

// The file has two slots that are written in turn, so that a torn write leaves the other one whole.
namespace {
constexpr std::size_t slot_bytes = 64U << 10U;

synced_state decode_slot(std::string_view slot, std::uint64_t& number) {
  byte_reader in{slot};
  const auto sum = in.u32_be();
  const auto body = in.sized();
  if (!in.ok() || body.empty() || checksum(body) != sum) return {};
  byte_reader fields{body};
  number = fields.varint();
  synced_state out;
  out.ends.resize(static_cast<std::size_t>(fields.varint()) & 0xffff);
  for (auto& end : out.ends) end = fields.varint();
  if (!fields.at_end()) out.sequence = fields.varint();
  return fields.ok() ? out : synced_state{};
}

struct newest_mark {
  synced_state state;
  bool is_in_second_slot = false;
  std::uint64_t number = 0;
};

newest_mark read_mark(const std::string& directory, const std::shared_ptr<rocksdb::FileSystem>& disk) {
  auto& from = disk_of(disk);
  const auto path = directory + "/mark";
  std::string bytes;
  auto status = from.FileExists(path, {}, nullptr);
  if (status.ok()) status = rocksdb::ReadFileToString(&from, path, &bytes);
  TROUPE_ASSERT(status.ok() || status.IsNotFound(), "cannot read " + path + ": " + status.ToString());
  newest_mark newest;
  for (std::size_t at = 0; at < bytes.size() && at <= slot_bytes; at += slot_bytes) {
    std::uint64_t number = 0;
    auto state = decode_slot(std::string_view{bytes}.substr(at, slot_bytes), number);
    if (!state.ends.empty() && number >= newest.number) newest = {std::move(state), at == slot_bytes, number};
  }
  return newest;
}

}  // namespace

sync_mark::sync_mark(const std::string& directory, const std::shared_ptr<rocksdb::FileSystem>& disk) {
  auto& on = disk_of(disk);
  const auto path = directory + "/mark";
  auto status = on.FileExists(path, {}, nullptr);
  if (status.IsNotFound()) {
    std::unique_ptr<rocksdb::FSWritableFile> made;
    status = on.NewWritableFile(path, {}, &made, nullptr);
    if (status.ok()) status = made->Close({}, nullptr);
  }
  // Without its name the file is not found after a power cut, and nothing is held against the log. A process
  // before this one may have made it and ended here.
  if (status.ok()) status = sync_directory(on, directory);
  if (status.ok()) status = on.NewRandomRWFile(path, {}, &file_, nullptr);
  // A process that was killed may have noted the newest: it must be on disk before the other slot is not.
  if (status.ok()) status = file_->Sync({}, nullptr);
  TROUPE_ASSERT(status.ok(), "cannot open " + path + ": " + status.ToString());
  // The first write goes over the older slot, or one that is not whole.
  const auto newest = read_mark(directory, disk);
  second_slot_ = !newest.state.ends.empty() && !newest.is_in_second_slot;
  number_ = newest.number;
}

sync_mark::~sync_mark() = default;

synced_state sync_mark::read(const std::string& directory, const std::shared_ptr<rocksdb::FileSystem>& disk) {
  return read_mark(directory, disk).state;
}

void sync_mark::write(const synced_state& now) {
  put(now);
  const auto status = file_->Sync({}, nullptr);
  TROUPE_ASSERT(status.ok(), "syncing the sync mark failed: " + status.ToString());
  second_slot_ = !second_slot_;
}

void sync_mark::note(const synced_state& now) { put(now); }

void sync_mark::put(const synced_state& now) {
  std::string body;
  byte_writer w{body};
  w.varint(++number_);
  w.varint(now.ends.size());
  for (const auto end : now.ends) w.varint(end);
  w.varint(now.sequence);
  std::string slot;
  byte_writer{slot}.u32_be(checksum(body));
  byte_writer{slot}.sized(body);
  TROUPE_ASSERT(slot.size() <= slot_bytes, "the mark does not fit its slot");
  const auto at = second_slot_ ? slot_bytes : 0;
  const auto status = file_->Write(at, slot, {}, nullptr);
  TROUPE_ASSERT(status.ok(), "writing the sync mark failed: " + status.ToString());
}

}  // namespace troupe
