#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace troupe::cli {

/// How a process finds its cluster.
struct cluster_options {
  std::vector<std::string> etcd{"http://127.0.0.1:2379"};
  std::string cluster = "troupe";
};

void add_cluster_options(CLI::App& command, cluster_options& options);

}  // namespace troupe::cli
