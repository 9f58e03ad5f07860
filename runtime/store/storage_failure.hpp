#pragma once

#include <rocksdb/listener.h>
#include <rocksdb/status.h>

#include <memory>

namespace troupe {

/// Ends the process with a message: what is on disk is not known.
[[noreturn]] void storage_failed(const char* what, const rocksdb::Status& status);

/// Ends the process when a flush or compaction fails. It would else be known only at the next write: until
/// then reads would go on, and what RocksDB tries again would be on a disk whose content is in doubt.
std::shared_ptr<rocksdb::EventListener> watch_for_failures();

}  // namespace troupe
