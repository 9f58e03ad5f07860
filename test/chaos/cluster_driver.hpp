#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/chaos/link_proxy.hpp"

namespace troupe::chaos {

/// What the command printed; `code`, when wanted: its exit code, 255 when a signal ended it.
std::string run_command(const std::string& line, int* code);

/// A cluster of real processes, made and driven by scripts/cluster.sh.
class cluster_driver {
 public:
  struct shape {
    int nodes = 3;
    int fronts = 2;
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
  /// Graceful; what is on disk stays.
  void stop();

  const shape& made_as() const { return shape_; }
  std::vector<std::string> urls() const;
  std::vector<std::string> nodes() const;
  std::vector<std::string> fronts() const;
  std::string data_of(const std::string& name) const { return directory_ + "/" + name; }
  std::string token(const std::string& user) const;
  /// The node that is the primary of that SKU; empty: nobody knows.
  std::string primary_of(const std::string& sku) const;
  /// Whether every shard has a primary and all its copies in sync.
  bool is_whole() const;

  void signal(const std::string& name, int number) const;
  bool is_running(const std::string& name) const;
  /// False: it still runs at the deadline.
  bool wait_ended(const std::string& name, int deadline_ms) const;
  /// Starts a process that has ended, on its data.
  void launch(const std::string& name) const;
  void empty_disk(const std::string& name) const;
  /// Takes all the room there is, until free_disk(). Only where the disk is its own.
  void fill_disk(const std::string& name) const;
  void free_disk(const std::string& name) const;

  /// What `from` sends does not reach `to`, which may be "etcd"; until heal().
  void cut(const std::string& from, const std::string& to) const;
  void unplug(const std::string& name) const;
  void heal() const;

  void signal_etcd(int number) const;
  void launch_etcd() const;

 private:
  bool start_proxy();
  /// From here on this process, and what it starts, is where etcd is.
  bool enter_hub() const;
  int pid_of(const std::string& file) const;
  /// What it printed; `code`: its exit code.
  std::string script(const std::string& words, int* code = nullptr) const;

  const std::string source_;
  const std::string troupe_;
  const std::string directory_;
  const shape shape_;
  std::unique_ptr<link_proxy> proxy_;  // null: links are cut by the kernel, or not at all
};

}  // namespace troupe::chaos
