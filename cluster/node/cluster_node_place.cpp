#include <algorithm>
#include <utility>

#include "cluster/authority/fresh_uuid.hpp"
#include "cluster/node/cluster_node.hpp"
#include "runtime/base/log.hpp"

/// Where copies and primaries belong (cluster/placement), from the view's thread.
namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// A node that is away for longer holds nothing any more.
constexpr std::chrono::minutes replace_after{10};
/// After so long without a whole look nobody knows who has been away: all are given time anew.
constexpr std::chrono::minutes sightings_last{1};
/// How long all must have been well before the next copy moves, and before primaries go where they belong.
constexpr milliseconds move_pause{300};
constexpr milliseconds hand_back_after{10'000};
/// How often one shard's is tried.
constexpr std::chrono::minutes hand_back_again{1};

}  // namespace

/// Whether it is there and can be talked to. One that speaks another protocol was refused, unless it
/// registered at the same moment.
bool cluster_node::is_usable(const known_node& one) {
  return one.is_present() && (one.protocol == 0 || one.protocol == transport_protocol);
}

/// A cluster whose shards have no config is new. The node with the lowest number gives them one, once enough
/// nodes are there; a second one that thinks it is the lowest loses the compare-and-set.
void cluster_node::found_shards(const std::vector<known_node>& nodes) {
  std::vector<placement::site> sites;
  std::map<node_id, member> latest;
  for (const auto& one : nodes) {
    if (!is_usable(one)) continue;
    sites.push_back({one.latest.node, one.zone});
    latest[one.latest.node] = one.latest;
  }
  const auto now = steady_clock::now();
  if (std::exchange(founding_nodes_, sites.size()) != sites.size()) founding_nodes_since_ = now;
  if (sites.size() < options_.replicas || latest.begin()->first != self_.node) return;
  if (now - founding_nodes_since_ < options_.found_after) return;
  placement::alternate_zones(sites);
  std::vector<member> present;
  for (const auto& one : sites) present.push_back(latest.at(one.node));
  for (const auto& one : map_->all()) {
    if (one.revision != 0) continue;
    auto first = placement::first_config(one.shard, present, options_.replicas);
    first.written_by = fresh_uuid();
    authority_->cas(one.shard, 0, first, [](cas_result) {});
  }
}

/// Nodes that are there, and those that hold copies and have not been away for long.
std::vector<placement::site> cluster_node::usable(const std::vector<known_node>& nodes,
                                                  const std::vector<stored_config>& shards) {
  const auto now = steady_clock::now();
  std::vector<placement::site> out;
  for (const auto& one : nodes) {
    const auto id = one.latest.node;
    auto& seen = seen_.try_emplace(id, sighting{now, {}}).first->second;
    if (is_usable(one)) seen = {now, one.zone};
    const bool has_copies = std::any_of(shards.begin(), shards.end(), [id](const stored_config& s) {
      return std::binary_search(s.config.replicas.begin(), s.config.replicas.end(), id);
    });
    if (is_usable(one) || (has_copies && now - seen.at < replace_after)) out.push_back({id, seen.zone});
  }
  return out;
}

/// Copies and primaries go where they belong, one at a time, and only while all are well.
void cluster_node::place(const std::vector<known_node>& nodes) {
  const auto shards = map_->all();
  const auto now = steady_clock::now();
  if (now - placed_at_ > sightings_last) {
    for (auto& [node, seen] : seen_) seen.at = now;
    whole_since_.reset();
  }
  placed_at_ = now;
  const auto may_hold = usable(nodes, shards);
  if (!placement::is_whole(shards, may_hold)) return whole_since_.reset();
  if (!whole_since_) whole_since_ = now;
  const auto lowest = std::find_if(nodes.begin(), nodes.end(), is_usable);
  const bool is_lowest = lowest != nodes.end() && lowest->latest == self_;
  if (is_lowest && now - *whole_since_ >= move_pause) move_copies(shards, may_hold);
  if (now - *whole_since_ >= hand_back_after) hand_back_one(shards);
}

void cluster_node::move_copies(const std::vector<stored_config>& shards,
                               const std::vector<placement::site>& may_hold) {
  const auto step = placement::next_move(shards, may_hold);
  if (!step) return;
  auto proposed = shards[step->shard].config;
  spdlog::info("shard {}: {} copies belong to it from now on, {} until now", step->shard,
               step->replicas.size(), proposed.replicas.size());
  proposed.replicas = step->replicas;
  proposed.written_by = fresh_uuid();
  cas(step->shard, step->expected_revision, proposed, [](cas_result) {});  // lost: looked at again
}

/// A shard that this node runs, and another one is to run.
void cluster_node::hand_back_one(const std::vector<stored_config>& shards) {
  const auto preferred = placement::preferred_primaries(shards);
  for (const auto& s : shards) {
    const auto to = preferred[s.shard];
    if (s.config.primary != self_ || to == self_.node || to == node_id::none) continue;
    auto& tried = hosted_[s.shard].handed_back_at;
    const auto now = steady_clock::now();
    if (tried && now - *tried < hand_back_again) continue;
    tried = now;
    return in_replica(s.shard, [to](replica_host& r) { r.hand_over(to); });
  }
}

}  // namespace troupe
