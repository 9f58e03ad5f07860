#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <vector>

#include "runtime/store/reply_expiry.hpp"
#include "runtime/store/store.hpp"

/// RocksDB as the store wants it: its column families, and every option that is not as it comes.
namespace troupe {

/// In the order of their creation, which gives them their ids.
enum family : std::uint32_t { meta_family, log_family, rows_family, replies_family, family_count };

/// Names a column family in a batch. WriteBatch wants handles, but takes only the id from them; so a batch
/// can be built without the database at hand.
rocksdb::ColumnFamilyHandle* family_in_batch(family which);

rocksdb::DBOptions db_options(rocksdb::Env* env, rocksdb::WalFilter* filter);
std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const store_options& options, reply_expiry* expiry);

}  // namespace troupe
