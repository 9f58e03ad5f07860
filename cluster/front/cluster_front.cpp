#include "cluster/front/cluster_front.hpp"

#include <future>
#include <random>

#include "cluster/authority/start_patience.hpp"
#include "runtime/base/log.hpp"

namespace troupe {

using std::chrono::steady_clock;

std::variant<std::unique_ptr<cluster_front>, std::string> cluster_front::start(
    cluster_front_options options) {
  std::unique_ptr<cluster_front> out{new cluster_front{std::move(options)}};
  out->authority_ = std::make_unique<etcd::etcd_authority>(out->options_.authority);
  hello self;
  if (auto why = out->find_cluster(self); !why.empty()) return why;
  out->map_ = std::make_unique<shard_map>(static_cast<std::uint16_t>(self.shard_count));
  router::ways ways;
  ways.send = [front = out.get()](node_id to, std::string_view bytes) {
    return front->transport_->send(to, wire::word::command, bytes);
  };
  ways.refresh = [front = out.get()] { front->view_->refresh(); };
  out->router_ = std::make_unique<router>(*out->map_, std::move(ways), out->options_.routing);
  out->transport_ =
      std::make_unique<transport>(out->options_.transport, self, static_cast<transport_listener&>(*out));
  out->view_ = std::make_unique<cluster_view>(
      *out->authority_, *out->authority_, *out->map_,
      [front = out.get()](const cluster_view::look& seen) { front->on_look(seen); });
  out->view_->start();
  return out;
}

cluster_front::~cluster_front() {
  view_.reset();
  transport_.reset();
  router_.reset();
}

/// What the cluster is, once a node has founded it. Empty, or why it was not found.
std::string cluster_front::find_cluster(hello& self) {
  start_patience patience{"cluster " + options_.authority.cluster, options_.authority.endpoints,
                          options_.find_patience, options_.is_asked_to_end};
  while (true) {
    auto answer = std::make_shared<std::promise<nodes_result>>();
    authority_->read_nodes([answer](nodes_result r) { answer->set_value(std::move(r)); });
    const auto found = patience.await(answer->get_future());
    if (!found) return patience.fault({});
    if (found->ok && !found->cluster.is_nil()) {
      self.role = process_role::front;
      self.cluster = found->cluster;
      self.shard_count = found->shard_count;
      self.name = options_.name;
      std::random_device entropy;
      self.who = {node_id{entropy() | 1U}, (static_cast<std::uint64_t>(entropy()) << 32U) | entropy()};
      return {};
    }
    const auto why = found->ok ? "no node has registered yet" : found->error;
    if (const auto line = patience.notice(why, steady_clock::now()); !line.empty()) spdlog::warn("{}", line);
    if (!patience.pause()) return patience.fault(why);
  }
}

std::unique_ptr<command_port> cluster_front::make_port(std::function<void()> wake) {
  return router_->make_port(std::move(wake));
}

std::vector<known_node> cluster_front::nodes() const {
  const std::lock_guard lock{mutex_};
  return nodes_;
}

std::vector<std::string> cluster_front::not_ready() const {
  std::vector<std::string> why;
  if (transport_->figures().links_open == 0) why.emplace_back("no node can be reached");
  if (!map_->is_founded()) why.emplace_back("the cluster has no shards yet");
  return why;
}

void cluster_front::on_hello(const hello&) { router_->on_moved(); }

void cluster_front::on_word(const hello&, wire::word what, std::string_view bytes) {
  if (what == wire::word::config) {
    const auto now = wire::decode_config(bytes);
    if (now && map_->learn(*now)) router_->on_moved();
    return;
  }
  if (what != wire::word::reply) return;
  if (auto answer = wire::decode_reply(bytes)) router_->on_reply(std::move(*answer));
}

void cluster_front::on_lost(const hello& who) { router_->on_lost(who.who.node); }

void cluster_front::on_look(const cluster_view::look& seen) {
  if (seen.has_moved) router_->on_moved();
  if (!seen.is_complete) return;
  transport_->connect_to(addresses_.learn(seen.nodes, map_->all()));
  const std::lock_guard lock{mutex_};
  nodes_ = seen.nodes;
}

}  // namespace troupe
