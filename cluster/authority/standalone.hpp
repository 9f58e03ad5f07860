#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cluster/authority/authority.hpp"
#include "cluster/authority/membership.hpp"
#include "cluster/authority/records.hpp"

namespace rocksdb {
class FileSystem;
}

namespace troupe {

/// What a shard has seen of the authority, according to its own disk.
struct standalone_seen {
  std::uint64_t revision = 0;
  std::uint64_t epoch = 0;
};

struct standalone_options {
  std::string directory;  // the data directory, which this process has locked
  std::uint32_t shard_count = 0;
  /// By shard; empty: nothing. A file that knows less than the shards has been lost or put back, and is
  /// refused.
  std::vector<standalone_seen> seen{};
  /// As in store_options: that of the whole directory.
  std::shared_ptr<rocksdb::FileSystem> disk{};
};

/// The authority of one machine: the file `authority` in its data directory, replaced as a whole and synced
/// at each change. Opening it starts a new run and a new epoch of every shard, with this node as the only
/// member, so an entry of an earlier run is never taken for one of this run. One thread of its own writes and
/// calls back; callbacks must not block. A write or fsync that fails ends the process.
class standalone_authority final : public authority, public membership {
 public:
  struct opened {
    std::unique_ptr<standalone_authority> authority;  // null: see error; the file is as it was
    std::string error;
  };
  static opened open(const standalone_options& options);
  /// Open calls are done before it returns.
  ~standalone_authority() override;

  void read_all(std::function<void(read_result)> done) override;
  void cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
           std::function<void(cas_result)> done) override;
  /// Nobody else writes, so there are no hints.
  void on_hint(std::function<void()>) override {}
  /// There is one node, and it is registered by opening: the name becomes its name.
  void register_node(const node_profile& self, std::function<void(registration_result)> done) override;
  void read_nodes(std::function<void(nodes_result)> done) override;
  /// This run: the only member. Any thread.
  member self() const;

 private:
  standalone_authority(std::string file, standalone_record record, std::shared_ptr<rocksdb::FileSystem> disk);
  void work();
  void submit(std::function<void()> task);
  void save() const;
  cas_result apply(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed);
  stored_config config_of(const stored_shard_record& shard) const;

  const std::string file_;
  const std::shared_ptr<rocksdb::FileSystem> disk_;
  standalone_record record_;  // the worker's alone
  std::mutex mutex_;
  std::condition_variable task_came_;
  bool is_stopping_ = false;
  std::deque<std::function<void()>> tasks_;
  std::thread worker_;
};

}  // namespace troupe
