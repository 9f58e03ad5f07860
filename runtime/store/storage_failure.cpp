#include "runtime/store/storage_failure.hpp"

#include <string>

#include "runtime/base/assert.hpp"

namespace troupe {

void storage_failed(const char* what, const rocksdb::Status& status) {
  assertion_failed("storage works", __FILE__, __LINE__, std::string{what} + ": " + status.ToString());
}

namespace {

const char* to_string(rocksdb::BackgroundErrorReason what) {
  switch (what) {
    case rocksdb::BackgroundErrorReason::kFlush:
    case rocksdb::BackgroundErrorReason::kFlushNoWAL:
      return "flushing";
    case rocksdb::BackgroundErrorReason::kCompaction:
      return "compacting";
    case rocksdb::BackgroundErrorReason::kWriteCallback:
      return "writing or syncing the write-ahead log";
    case rocksdb::BackgroundErrorReason::kMemTable:
      return "inserting";
    case rocksdb::BackgroundErrorReason::kManifestWrite:
    case rocksdb::BackgroundErrorReason::kManifestWriteNoWAL:
      return "writing the manifest";
  }
  return "storing";
}

class failure_listener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason why, rocksdb::Status* status) override {
    storage_failed(to_string(why), *status);
  }
};

}  // namespace

std::shared_ptr<rocksdb::EventListener> watch_for_failures() { return std::make_shared<failure_listener>(); }

}  // namespace troupe
