#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "cluster/routing/cluster_view.hpp"
#include "cluster/routing/router.hpp"
#include "cluster/transport/transport.hpp"

namespace troupe {

struct cluster_front_options {
  etcd::etcd_options authority;
  transport_options transport;
  router_options routing;
  std::string name = "front";
  std::chrono::milliseconds find_patience{60'000};  // for a cluster to appear
  std::function<bool()> is_asked_to_end{};  // asked while a start waits, which ends then; may be empty
};

/// A process without data that speaks for a cluster: finds its nodes and routes commands to them. Its ports
/// are destroyed before it.
class cluster_front final : transport_listener {
 public:
  /// Waits until the authority knows the cluster; gives up at `find_patience`, or when the process is asked
  /// to end, with the reason.
  static std::variant<std::unique_ptr<cluster_front>, std::string> start(cluster_front_options options);
  ~cluster_front() override;
  cluster_front(const cluster_front&) = delete;
  cluster_front& operator=(const cluster_front&) = delete;

  std::unique_ptr<command_port> make_port(std::function<void()> wake);
  const shard_map& shards() const { return *map_; }
  std::vector<known_node> nodes() const;
  /// Why it cannot serve; empty when it can.
  std::vector<std::string> not_ready() const;
  router_figures routing() const { return router_->figures(); }
  transport_figures transport_state() const { return transport_->figures(); }

 private:
  explicit cluster_front(cluster_front_options options) : options_(std::move(options)) {}
  std::string find_cluster(hello& self);

  void on_hello(const hello& who) override;
  void on_word(const hello& who, wire::word what, std::string_view bytes) override;
  void on_lost(const hello& who) override;
  void on_look(const cluster_view::look& seen);

  const cluster_front_options options_;
  std::unique_ptr<etcd::etcd_authority> authority_;
  std::unique_ptr<shard_map> map_;
  mutable std::mutex mutex_;
  address_book addresses_;         // the view's thread only
  std::vector<known_node> nodes_;  // guarded by mutex_
  std::unique_ptr<router> router_;
  std::unique_ptr<transport> transport_;
  std::unique_ptr<cluster_view> view_;
};

}  // namespace troupe
