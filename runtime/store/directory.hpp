#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/store/directory_lock.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// The format of the whole data directory. A greater number on disk is refused before anything is touched.
/// 2: the log has barriers and cuts, and each shard a replica's record (docs/replication.md). Directories of
/// earlier formats are taken over by raise_format().
/// 3: a shard may lie on its second side (shard_sides.hpp).
/// 4: receipts that have gone leave a mark (docs/decisions/016), which who does not know it would not heed.
/// 5: a replica's record says who is the primary of its epoch.
inline constexpr int data_format = 5;

/// Makes the directory when it does not exist, and refuses one of a newer format, of another shard count, or
/// that cannot be written. Touches nothing when it refuses.
std::optional<store_error> prepare_directory(const store_options& options, directory_lock& lock);

/// Says in FORMAT that this troupe writes here from now on, which an older one must not read. Called before
/// the first write that one would not understand.
std::optional<store_error> raise_format(const store_options& options);

/// Refuses a directory of a newer format; none or an unreadable one is not its business.
std::optional<store_error> refuse_newer_format(const std::string& directory);

/// Whether RocksDB has made its store in the prepared directory. One that has lost its CURRENT file is
/// refused: RocksDB would make a new store over the old one's files.
std::variant<bool, store_error> has_store(const store_options& options);

/// How many shards the data directory was made with; 0 when there is none, or none that can be read.
std::uint16_t shard_count_of(const std::string& directory);

/// Free space for unprivileged writers in the file system of the directory, 0 when it cannot be told.
std::uint64_t free_bytes(const std::string& directory);

}  // namespace troupe
