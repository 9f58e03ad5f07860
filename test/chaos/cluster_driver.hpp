#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "test/chaos/link_proxy.hpp"

namespace troupe::chaos {

/// What the command printed; `code`, when wanted: its exit code, 255 when a signal ended it.
std::string run_command(const std::string& line, int* code);

/// Why something could not be done, in words; empty: it is done. What was not done to a cluster is no fault
/// that it has borne, so nobody may overlook it.
using trouble = std::string;

/// How a process is to have ended.
enum class ending : std::uint8_t {
  killed,       // by SIGKILL
  in_peace,     // by itself, with exit code 0
  handed_over,  // a node: the same, and its log says that others have all that it was the primary of
};

/// A cluster of real processes, made and driven by scripts/cluster.sh. They are this process's children once
/// the script has ended.
class cluster_driver {
 public:
  struct shape {
    int nodes = 3;
    int fronts = 2;
    int etcds = 3;  // members of etcd
    int replicas = 3;
    int shards = 8;
    bool has_namespaces = false;  // then links can be cut by the kernel
    bool has_proxy = false;       // or by this process
    int small_disk_mib = 0;       // of the first node; 0: as large as it is
  };
  /// `source`: the project's directory. `directory`: must not exist; everything of the cluster is in it.
  cluster_driver(std::string source, std::string troupe, std::string directory, shape of);
  ~cluster_driver();
  cluster_driver(const cluster_driver&) = delete;
  cluster_driver& operator=(const cluster_driver&) = delete;

  /// False: see `fault`.
  bool start(std::string& fault);
  /// Graceful; what is on disk stays. Returns what did not end as it should, a sentence each.
  std::vector<trouble> stop();

  const shape& made_as() const { return shape_; }
  std::vector<std::string> urls() const;
  std::vector<std::string> nodes() const;
  std::vector<std::string> fronts() const;
  std::vector<std::string> etcds() const;
  const std::string& directory() const { return directory_; }
  std::string data_of(const std::string& name) const { return directory_ + "/" + name; }
  std::string token(const std::string& user) const;
  /// The node that is the primary of that SKU; empty: nobody knows.
  std::string primary_of(const std::string& sku) const;
  /// The member of etcd that leads; empty: nobody knows.
  std::string etcd_leader() const;
  /// Whether every shard has a primary and all its copies in sync.
  bool is_whole() const;

  /// The nodes and fronts that do not run, in words.
  trouble missing() const;
  /// A copy that is not where all copies of its shard are, all of its log applied; only with nobody at work.
  trouble copy_behind() const;

  [[nodiscard]] trouble signal(const std::string& name, int number) const;
  bool is_running(const std::string& name) const;
  [[nodiscard]] trouble await_end(const std::string& name, ending how, int deadline_ms) const;
  /// Starts a process that has ended, on its data.
  [[nodiscard]] trouble launch(const std::string& name) const;
  [[nodiscard]] trouble empty_disk(const std::string& name) const;
  /// Takes all the room there is, until free_disk(). Only where the disk is its own.
  [[nodiscard]] trouble fill_disk(const std::string& name) const;
  [[nodiscard]] trouble free_disk(const std::string& name) const;
  /// No sync on its disk returns, until let_disk_go(). Only where the program is troupe_forgetful.
  [[nodiscard]] trouble hang_disk(const std::string& name) const;
  [[nodiscard]] trouble let_disk_go(const std::string& name) const;

  /// What `from` sends does not reach `to`, which may be "etcd", all of its members; until heal().
  [[nodiscard]] trouble cut(const std::string& from, const std::string& to) const;
  [[nodiscard]] trouble unplug(const std::string& name) const;
  [[nodiscard]] trouble heal() const;

  [[nodiscard]] trouble signal_etcd(const std::string& member, int number) const;
  [[nodiscard]] trouble await_etcd_end(const std::string& member, int deadline_ms) const;
  /// Starts the members that have ended, on their data.
  [[nodiscard]] trouble launch_etcds() const;

 private:
  bool start_proxy();
  /// From here on this process, and what it starts, is where etcd is.
  bool enter_hub() const;
  int pid_of(const std::string& file) const;
  std::string etcd_directory(const std::string& member) const;
  bool is_etcd_running(const std::string& member) const;
  /// The node's figures, of its operations port; empty: it does not answer.
  std::string stats_of(const std::string& node) const;
  bool says_handed_over(const std::string& node) const;
  trouble try_script(const std::string& words) const;
  /// What it printed; `code`: its exit code.
  std::string script(const std::string& words, int* code = nullptr) const;

  const std::string source_;
  const std::string troupe_;
  const std::string directory_;
  const shape shape_;
  std::unique_ptr<link_proxy> proxy_;  // null: links are cut by the kernel, or not at all
};

}  // namespace troupe::chaos
