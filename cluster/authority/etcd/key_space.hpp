#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/shard_id.hpp"

namespace troupe::etcd {

/// Where things are in etcd: everything of one cluster under /f/<cluster>/.
class key_space {
 public:
  explicit key_space(std::string_view cluster);

  const std::string& all() const { return root_; }
  std::string shards() const { return root_ + "shard/"; }
  std::string shard(shard_id id) const { return shards() + std::to_string(id); }
  std::string meta() const { return root_ + "meta"; }
  std::string runs() const { return root_ + "inc/"; }
  std::string run(std::string_view node_name) const { return runs().append(node_name); }
  /// Which of its starts has spoken to others. Not part of `run`, whose revision is the incarnation.
  std::string confirmed(std::string_view node_name) const {
    return std::string{root_}.append("confirmed/").append(node_name);
  }
  /// Whose number that is. Stays when the node is forgotten, so a number is never given out twice.
  std::string number(std::uint32_t number) const { return numbers() + std::to_string(number); }
  std::string numbers() const { return root_ + "number/"; }
  std::string addresses() const { return root_ + "node/"; }
  std::string address(std::string_view node_name) const { return addresses().append(node_name); }

  /// The shard whose key this is.
  std::optional<shard_id> shard_of(std::string_view key) const;
  /// What follows the prefix in the key, when it has that prefix.
  static std::optional<std::string_view> tail(std::string_view key, std::string_view prefix);

 private:
  std::string root_;
};

/// Names of clusters and nodes: [a-z0-9][a-z0-9-]{0,62}, so that they fit into keys and file names.
bool is_plain_name(std::string_view name);

}  // namespace troupe::etcd
