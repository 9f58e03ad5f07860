#pragma once

#include <memory>
#include <variant>

#include "cluster/replica_host/replica_host.hpp"
#include "runtime/host/node.hpp"

namespace troupe {

class standalone_authority;

/// The authority in a data directory, held against what the replicas there have seen. Refuses before it has
/// changed anything.
std::variant<std::unique_ptr<standalone_authority>, store_error> open_standalone(
    const std::string& directory, const std::vector<recovered_shard>& found,
    const std::shared_ptr<rocksdb::FileSystem>& disk = {});

/// Everything on one machine: a node whose shards have one replica each, and the authority in its data
/// directory. Owned and ended like a node.
class standalone_node {
 public:
  static std::variant<std::unique_ptr<standalone_node>, store_error> start(const node_options& options,
                                                                           const kind_registry& kinds,
                                                                           const clock_source& clock);
  ~standalone_node();
  standalone_node(const standalone_node&) = delete;
  standalone_node& operator=(const standalone_node&) = delete;

  node& runtime() { return *node_; }

 private:
  standalone_node() = default;
  std::optional<store_error> adopt(const node::opened_directory& directory,
                                   const std::shared_ptr<rocksdb::FileSystem>& disk);
  std::variant<node::replica_parts, store_error> replicate(const node::opened_directory& directory,
                                                           const std::shared_ptr<rocksdb::FileSystem>& disk);

  std::unique_ptr<authority> authority_;
  std::unique_ptr<authority_reader> reader_;
  replica_environment replicas_;
  std::unique_ptr<node> node_;
};

}  // namespace troupe
