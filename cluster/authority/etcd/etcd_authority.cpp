#include "cluster/authority/etcd/etcd_authority.hpp"

#include <algorithm>
#include <atomic>

#include "cluster/authority/etcd/call_queue.hpp"
#include "cluster/authority/etcd/checked_store.hpp"
#include "cluster/authority/etcd/config_table.hpp"
#include "cluster/authority/etcd/hint_loop.hpp"
#include "cluster/authority/etcd/key_space.hpp"
#include "cluster/authority/etcd/registration.hpp"
#include "cluster/authority/records.hpp"
#include "runtime/base/assert.hpp"

namespace troupe::etcd {

struct etcd_authority::parts {
  explicit parts(const etcd_options& o)
      : options(o),
        keys(o.cluster),
        endpoints(o.endpoints),
        gate(o.known_revision),
        store(gate),
        hints(endpoints, store, keys, {o.hint_interval, o.patience, o.address_lifetime}),
        queue(endpoints, {.workers = 4, .waiting_max = 1024, .patience = o.patience}) {}

  read_result read_all(asking& who);
  cas_result cas(asking& who, shard_id shard, std::uint64_t expected, const shard_config& proposed);
  nodes_result read_nodes(asking& who);
  registration_result register_node(asking& who, const node_profile& self);

  /// What can be read of them. A shard's record that cannot be is counted, named in `unreadable`, and left
  /// out: it must not take all the other shards with it.
  std::vector<stored_config> configs_in(const range_answer& shards, std::vector<shard_id>& unreadable);
  /// The conditions of a proposal; no value: a member that it adds is not (or no longer) known.
  std::optional<std::vector<unchanged>> conditions_of(asking& who, shard_id shard, std::uint64_t expected,
                                                      const shard_config& proposed, std::string& error);
  void learn_names(const std::vector<known_node>& nodes);
  cas_result lost_to(const txn_answer& answer, shard_id shard, std::uint64_t expected,
                     const config_table::revisions& seen);

  const etcd_options options;
  const key_space keys;
  endpoint_list endpoints;
  answer_gate gate;
  checked_store store;
  config_table table;
  std::atomic<std::uint64_t> unknown_outcomes{0};
  std::atomic<std::uint64_t> failed_reads{0};
  hint_loop hints;
  call_queue queue;  // last: its end answers what is open, with everything else still there
};

std::vector<stored_config> etcd_authority::parts::configs_in(const range_answer& shards,
                                                             std::vector<shard_id>& unreadable) {
  std::vector<stored_config> out;
  for (const auto& kv : shards.found) {
    const auto shard = keys.shard_of(kv.key);
    auto config = shard_config_from_json(kv.value);
    if (!shard || !config) {
      store.refuse(refusal::nonsense, "no shard's config: " + kv.key + " = " + kv.value.substr(0, 200));
      if (shard) unreadable.push_back(*shard);
      continue;
    }
    out.push_back({*shard, kv.revision, std::move(*config)});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.shard < b.shard; });
  return out;
}

read_result etcd_authority::parts::read_all(asking& who) {
  read_result out;
  auto seen = table.seen();
  const auto answer = store.range(who, keys.shards(), want::keys_and_values, out.error);
  if (!answer) return out;
  std::vector<shard_id> unreadable;
  auto configs = configs_in(*answer, unreadable);
  for (const auto shard : unreadable) seen.erase(shard);
  // A store that was restored and then written to may be past the revision that we knew: the shards tell.
  if (has_forgotten(configs, seen)) {
    out.error = "the authority has forgotten a shard's config";
    store.refuse(refusal::rolled_back, out.error);
    return out;
  }
  for (const auto& config : configs) table.learn(config);
  out.configs = std::move(configs);
  out.ok = true;
  return out;
}

void etcd_authority::parts::learn_names(const std::vector<known_node>& nodes) {
  for (const auto& node : nodes) table.learn_name(node.latest.node, node.name);
}

std::optional<std::vector<unchanged>> etcd_authority::parts::conditions_of(asking& who, shard_id shard,
                                                                           std::uint64_t expected,
                                                                           const shard_config& proposed,
                                                                           std::string& error) {
  std::vector<unchanged> out{{keys.shard(shard), expected}};
  const auto added = table.added_by(shard, expected, proposed);
  const auto is_strange = [this](const member& m) { return !table.name_of(m.node); };
  if (std::any_of(added.begin(), added.end(), is_strange)) {
    const auto nodes = read_nodes(who);
    error = nodes.error;
    if (nodes.ok) learn_names(nodes.nodes);
  }
  for (const auto& m : added) {
    const auto name = table.name_of(m.node);
    if (!name) return std::nullopt;
    out.push_back({keys.run(*name), m.run});
  }
  return out;
}

cas_result etcd_authority::parts::cas(asking& who, shard_id shard, std::uint64_t expected,
                                      const shard_config& proposed) {
  std::string error;
  const auto seen = table.seen();
  auto conditions = conditions_of(who, shard, expected, proposed, error);
  // Nobody is registered under that number: the proposal must lose, and what is held is still wanted.
  const bool cannot_win = !conditions;
  if (cannot_win) conditions = {{keys.all(), 1}};  // a key that is never written
  const auto answer =
      store.txn(who, *conditions, {{keys.shard(shard), to_json(proposed)}}, {keys.shard(shard)}, error);
  if (!answer) return {};
  if (!answer->succeeded) return lost_to(*answer, shard, expected, seen);
  if (cannot_win) {
    store.refuse(refusal::nonsense, "a transaction that cannot hold has succeeded");
    return {};
  }
  const stored_config now{shard, answer->header.revision, proposed};
  table.learn(now);
  return {cas_outcome::won, now};
}

cas_result etcd_authority::parts::lost_to(const txn_answer& answer, shard_id shard, std::uint64_t expected,
                                          const config_table::revisions& seen) {
  std::vector<shard_id> unreadable;
  const auto configs = configs_in({answer.header, answer.found}, unreadable);
  const bool is_it = configs.empty() || (configs.size() == 1 && configs.front().shard == shard);
  if (configs.size() < answer.found.size() || !is_it) return {};
  stored_config now{.shard = shard, .revision = 0, .config = {}};
  if (!configs.empty()) now = configs.front();
  const auto known = seen.find(shard);
  const auto oldest = std::max(expected, known == seen.end() ? 0 : known->second);
  if (now.revision < oldest) {
    store.refuse(refusal::rolled_back,
                 "the authority has forgotten the config of shard " + std::to_string(shard));
    return {};
  }
  table.learn(now);
  return {cas_outcome::conflict, now};
}

nodes_result etcd_authority::parts::read_nodes(asking& who) {
  nodes_result out;
  const auto all = store.range(who, keys.all(), want::keys_and_values, out.error);
  if (!all) return out;
  auto nodes = nodes_in(*all, keys);
  if (!nodes) {
    out.error = "a node's record cannot be read";
    store.refuse(refusal::nonsense, out.error);
    return out;
  }
  for (const auto& kv : all->found) {
    if (kv.key != keys.meta()) continue;
    const auto meta = meta_from_json(kv.value);
    if (!meta || meta->format > authority_format) {
      out.error = meta ? "the cluster's record is of a newer troupe" : "the cluster's record cannot be read";
      if (!meta) store.refuse(refusal::nonsense, out.error);
      return out;
    }
    out.cluster = meta->cluster;
    out.shard_count = meta->shard_count;
  }
  learn_names(*nodes);
  out.nodes = std::move(*nodes);
  out.ok = true;
  return out;
}

registration_result etcd_authority::parts::register_node(asking& who, const node_profile& self) {
  auto result = registration{store, keys, self}.run(who);
  if (result.outcome != registration_outcome::registered) return result;
  table.learn_name(result.self.node, self.name);
  // Who is there may be listed as holding a copy, and its disk must know this run by then.
  if (!self.address.empty() && self.is_confirmed)
    hints.announce(self.name, to_json(address_record{.number = static_cast<std::uint32_t>(result.self.node),
                                                     .address = self.address,
                                                     .zone = self.zone,
                                                     .ops = self.ops,
                                                     .protocol = self.protocol}));
  return result;
}

etcd_authority::etcd_authority(etcd_options options) {
  const auto fault = fault_in(options);
  TROUPE_ASSERT(fault.empty(), fault);
  parts_ = std::make_unique<parts>(options);
}

// Hints first: what they call may ask the queue.
etcd_authority::~etcd_authority() { parts_->hints.stop(); }

void etcd_authority::read_all(std::function<void(read_result)> done) {
  auto& p = *parts_;
  p.queue.submit(
      [&p, done](gateway_link& link, call& c) {
        asking who{link, c.deadline};
        auto result = p.read_all(who);
        if (!result.ok) ++p.failed_reads;
        if (c.claim()) done(std::move(result));
      },
      [&p, done] {
        ++p.failed_reads;
        done({.ok = false, .configs = {}, .error = "no answer in time"});
      });
}

void etcd_authority::cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
                         std::function<void(cas_result)> done) {
  const auto fault = fault_in(proposed);
  TROUPE_ASSERT(fault.empty(), "shard " + std::to_string(shard) + ": " + fault);
  auto& p = *parts_;
  p.queue.submit(
      [&p, shard, expected_revision, proposed, done](gateway_link& link, call& c) {
        asking who{link, c.deadline};
        auto result = p.cas(who, shard, expected_revision, proposed);
        if (!c.claim()) return;
        if (result.outcome == cas_outcome::unknown) ++p.unknown_outcomes;
        done(std::move(result));
      },
      [&p, done] {
        ++p.unknown_outcomes;
        done({});
      });
}

void etcd_authority::on_hint(std::function<void()> changed) { parts_->hints.on_hint(std::move(changed)); }

void etcd_authority::register_node(const node_profile& self, std::function<void(registration_result)> done) {
  auto& p = *parts_;
  p.queue.submit(
      [&p, self, done](gateway_link& link, call& c) {
        asking who{link, c.deadline};
        auto result = p.register_node(who, self);
        if (c.claim()) done(std::move(result));
      },
      [done] {
        done({.outcome = registration_outcome::unreachable,
              .cluster = {},
              .self = {},
              .disk_is_new = false,
              .error = "no answer in time"});
      });
}

void etcd_authority::read_nodes(std::function<void(nodes_result)> done) {
  auto& p = *parts_;
  p.queue.submit(
      [&p, done](gateway_link& link, call& c) {
        asking who{link, c.deadline};
        auto result = p.read_nodes(who);
        if (!result.ok) ++p.failed_reads;
        if (c.claim()) done(std::move(result));
      },
      [&p, done] {
        ++p.failed_reads;
        done({.ok = false, .nodes = {}, .error = "no answer in time", .cluster = {}, .shard_count = 0});
      });
}

etcd_figures etcd_authority::figures() const {
  return {parts_->gate.counts(), parts_->unknown_outcomes.load(), parts_->failed_reads.load(),
          parts_->store.is_full()};
}

std::string fault_in(const etcd_options& options) {
  if (options.endpoints.empty()) return "no etcd endpoint is given";
  for (const auto& url : options.endpoints)
    if (!url.starts_with("http://")) return "an etcd endpoint is http://host:port, not " + url;
  if (!is_plain_name(options.cluster)) return "\"" + options.cluster + "\" is no cluster name";
  return {};
}

}  // namespace troupe::etcd
