#include "runtime/store/wal_continuity.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>

#include "runtime/base/bytes.hpp"

namespace troupe {

namespace {

/// A batch's bytes begin with the number of its first record, 8 bytes, least significant first.
std::uint64_t first_sequence(const rocksdb::WriteBatch& batch) {
  const auto& bytes = batch.Data();
  std::uint64_t sequence = 0;
  for (std::size_t i = 0; i < 8 && i < bytes.size(); ++i) {
    sequence |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  }
  return sequence;
}

bool begins_life(const rocksdb::WriteBatch& batch) {
  class key_finder final : public rocksdb::WriteBatch::Handler {
   public:
    rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice&) override {
      if (key == epoch_key) found = true;
      return rocksdb::Status::OK();
    }
    rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
    rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
      return rocksdb::Status::OK();
    }
    bool found = false;
  } finder;
  return !batch.Iterate(&finder).ok() || finder.found;
}

}  // namespace

void wal_continuity::ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& first_logs,
                                              const std::map<std::string, std::uint32_t>&) {
  for (const auto& [family, log] : first_logs) oldest_needed_ = std::min(oldest_needed_, log);
}

rocksdb::WalFilter::WalProcessingOption wal_continuity::LogRecordFound(unsigned long long log,
                                                                       const std::string&,
                                                                       const rocksdb::WriteBatch& batch,
                                                                       rocksdb::WriteBatch*, bool*) {
  const auto first = first_sequence(batch);
  const bool is_next = next_sequence_ == 0 || first == next_sequence_;
  seen_.insert(log);
  if (!is_next) {
    if (log == last_log_ || begins_life(batch)) return WalProcessingOption::kCorruptedRecord;
    return WalProcessingOption::kIgnoreCurrentRecord;
  }
  next_sequence_ = first + static_cast<std::uint64_t>(batch.Count());
  last_log_ = log;
  return WalProcessingOption::kContinueProcessing;
}

std::string encode_logs(const std::set<std::uint64_t>& numbers) {
  std::string out;
  byte_writer w{out};
  for (const auto number : numbers) w.varint(number);
  return out;
}

std::set<std::uint64_t> decode_logs(std::string_view bytes) {
  std::set<std::uint64_t> numbers;
  for (byte_reader in{bytes}; in.ok() && !in.at_end();) numbers.insert(in.varint());
  return numbers;
}

}  // namespace troupe
