#include "runtime/store/epoch.hpp"

#include <rocksdb/write_batch.h>

#include <string>

#include "runtime/base/bytes.hpp"

namespace troupe {

namespace {
constexpr const char* logs_key = "logs";
}

rocksdb::Status check_known_logs(rocksdb::DB& db, const wal_continuity& read) {
  std::string known;
  const auto status = db.Get({}, logs_key, &known);
  if (status.IsNotFound()) return rocksdb::Status::OK();
  if (!status.ok()) return status;
  for (const auto number : decode_logs(known)) {
    if (number < read.oldest_needed() || read.seen().contains(number)) continue;
    return rocksdb::Status::Corruption("nothing can be read of write-ahead log " + std::to_string(number));
  }
  return rocksdb::Status::OK();
}

rocksdb::Status begin_epoch(rocksdb::DB& db, const wal_continuity& read, std::uint64_t& number) {
  std::string epoch;
  auto status = db.Get({}, epoch_key, &epoch);
  if (!status.ok() && !status.IsNotFound()) return status;
  byte_reader in{epoch};
  number = (epoch.empty() ? 0 : in.varint()) + 1;
  std::string next;
  byte_writer{next}.varint(number);
  rocksdb::WriteBatch batch;
  status = batch.Put(epoch_key, next);
  // Not the log that this is written to: who cannot read that one cannot read this either.
  if (status.ok()) status = batch.Put(logs_key, encode_logs(read.seen()));
  if (!status.ok()) return status;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return db.Write(synced, &batch);
}

}  // namespace troupe
