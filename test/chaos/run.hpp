#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/chaos/report.hpp"

namespace troupe::chaos {

struct chaos_options {
  std::string source;     // the project's directory
  std::string troupe;     // the program
  std::string directory;  // of the cluster and the histories; must not exist
  std::uint64_t seed = 1;
  int rounds = 10;
  double minutes = 0;                // not 0: as many rounds as begin within that time
  std::vector<std::string> only;     // names of faults; empty: all
  bool has_namespaces = false;       // faults of the network, too; needs root
  bool has_proxy = false;            // the same by a proxy between the processes
  int etcds = 3;                     // members of etcd
  bool has_forgetful_disks = false;  // the program is troupe_forgetful: a disk that hangs, too
  int small_disk_mib = 0;            // not 0: a full disk, too; needs root
  std::size_t clients = 8;           // that order without a pause; a quarter as many create tasks
  bool is_quiet = false;
};

/// One cluster, faults one after the other with clients at work, then the comparison of everything.
chaos_report run(const chaos_options& options);

}  // namespace troupe::chaos
