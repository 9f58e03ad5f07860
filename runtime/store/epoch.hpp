#pragma once

#include <rocksdb/db.h>

#include <cstdint>

#include "runtime/store/wal_continuity.hpp"

namespace troupe {

/// Holds the write-ahead logs that were read against those that the opening before knew of.
rocksdb::Status check_known_logs(rocksdb::DB& db, const wal_continuity& read);

/// Makes the number of this opening durable, and with it which write-ahead logs there are.
rocksdb::Status begin_epoch(rocksdb::DB& db, const wal_continuity& read, std::uint64_t& number);

}  // namespace troupe
