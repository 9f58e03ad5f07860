#include "cli/cluster_options.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace troupe::cli {

void add_cluster_options(CLI::App& command, cluster_options& options) {
  command.add_option("--etcd", options.etcd, "The authority: URLs of etcd's members, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--cluster", options.cluster, "The cluster's name in etcd")->capture_default_str();
}

}  // namespace troupe::cli
