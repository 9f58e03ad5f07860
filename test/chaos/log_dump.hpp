#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/history/operation.hpp"
#include "test/chaos/workload.hpp"

namespace troupe::chaos {

/// What a stopped node's disk says of the shop: one dump a SKU, in which the SKU's version is the index.
struct node_dump {
  std::vector<history::replica_dump> skus;
  std::size_t without_beginning = 0;  // SKUs whose log begins with a snapshot: no dump, only a digest
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>>
      digests;        // SKU -> version, digest of its rows
  std::string fault;  // not empty: the directory cannot be read
};

node_dump dump_node(const std::string& directory, std::uint32_t node, const shop& of,
                    const std::map<std::string, history::command_id>& commands);

}  // namespace troupe::chaos
