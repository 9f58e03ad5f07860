#include <fmt/core.h>
#include <httplib.h>

#include <algorithm>
#include <boost/json.hpp>
#include <future>
#include <map>

#include "actors/kinds.hpp"
#include "cli/status.hpp"
#include "cli/terminal.hpp"
#include "cluster/authority/etcd/etcd_authority.hpp"
#include "cluster/authority/start_patience.hpp"
#include "runtime/store/keys.hpp"

namespace troupe::cli {
namespace {

struct cluster_now {
  std::vector<known_node> nodes;
  std::vector<stored_config> shards;  // by number
  std::uint32_t shard_count = 0;
  std::map<std::pair<node_id, shard_id>, std::uint64_t> last;  // entry in each copy's log, as far as asked

  /// Entries that the copy lacks of what its primary has; no value: one of the two did not say. They are
  /// asked one after the other, so under load a copy may even seem to be ahead: then it lacks none.
  std::optional<std::uint64_t> lag_of(const stored_config& s, node_id copy) const {
    const auto primary = last.find({s.config.primary.node, s.shard});
    const auto here = last.find({copy, s.shard});
    if (primary == last.end() || here == last.end()) return std::nullopt;
    return primary->second - std::min(primary->second, here->second);
  }
  /// "n2 12 n3 4", of copies that lack something or do not say.
  std::string lags_of(const stored_config& s) const {
    std::string out;
    for (const auto node : s.config.replicas) {
      const auto lag = lag_of(s, node);
      if (lag && *lag == 0) continue;
      out += fmt::format("{}{} {}", out.empty() ? "" : " ", name_of(node), lag ? std::to_string(*lag) : "?");
    }
    return out.empty() ? "none" : out;
  }
  std::string name_of(node_id id) const {
    for (const auto& one : nodes)
      if (one.latest.node == id) return one.name;
    return id == node_id::none ? "-" : fmt::format("#{}", static_cast<std::uint32_t>(id));
  }
  bool is_present(const member& who) const {
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](const known_node& n) { return n.latest == who && n.is_present(); });
  }
  std::string names_of(const std::vector<member>& members) const {
    std::string out;
    for (const auto& m : members) out += (out.empty() ? "" : " ") + name_of(m.node);
    return out;
  }
  std::size_t primaries_of(node_id id) const {
    return static_cast<std::size_t>(std::count_if(
        shards.begin(), shards.end(), [&](const auto& s) { return s.config.primary.node == id; }));
  }
  std::size_t copies_of(node_id id) const {
    return static_cast<std::size_t>(std::count_if(shards.begin(), shards.end(), [&](const auto& s) {
      return std::any_of(s.config.in_sync.begin(), s.config.in_sync.end(),
                         [&](const member& m) { return m.node == id; });
    }));
  }
  /// Why the shard is less than whole; empty when it is whole.
  std::string fault_of(const stored_config& s) const {
    if (!is_present(s.config.primary)) return "its primary is gone";
    if (s.config.in_sync.size() < s.config.replicas.size()) return "a copy is missing";
    return {};
  }
};

/// Whether the answer is that node's. Another one may sit at the address that it has announced: on loopback
/// this machine's own.
bool is_of(const boost::json::object& stats, const known_node& node) {
  const auto* name = stats.if_contains("name");
  const auto* text = name != nullptr ? name->if_string() : nullptr;
  return text != nullptr && std::string_view{text->data(), text->size()} == node.name;
}

/// Each node that is there says how far its copies are. Who does not answer soon is left out.
void ask_nodes(cluster_now& now) {
  for (const auto& one : now.nodes) {
    if (one.ops.empty()) continue;
    httplib::Client client{"http://" + one.ops};
    client.set_connection_timeout(1);
    client.set_read_timeout(1);
    const auto answer = client.Get("/stats");
    if (!answer || answer->status != 200) continue;
    boost::json::error_code fault;
    const auto stats = boost::json::parse(answer->body, fault);
    const auto* object = fault ? nullptr : stats.if_object();
    if (object == nullptr || !is_of(*object, one)) continue;
    const auto* shards = object->if_contains("shards");
    const auto* list = shards != nullptr ? shards->if_array() : nullptr;
    if (list == nullptr) continue;
    for (const auto& shard : *list) {
      const auto* fields = shard.if_object();
      const auto* number = fields != nullptr ? fields->if_contains("shard") : nullptr;
      const auto* last = fields != nullptr ? fields->if_contains("last") : nullptr;
      if (number == nullptr || last == nullptr || !number->is_number() || !last->is_number()) continue;
      now.last[{one.latest.node, number->to_number<shard_id>(fault)}] = last->to_number<std::uint64_t>(fault);
    }
  }
}

/// Empty, or why it could not be read.
std::string read_cluster(const status_options& options, cluster_now& out) {
  etcd::etcd_options how;
  how.endpoints = options.cluster.etcd;
  how.cluster = options.cluster.cluster;
  if (auto fault = etcd::fault_in(how); !fault.empty()) return fault;
  etcd::etcd_authority authority{how};
  std::promise<nodes_result> nodes;
  std::promise<read_result> shards;
  authority.read_nodes([&](nodes_result r) { nodes.set_value(std::move(r)); });
  auto found = nodes.get_future().get();
  if (!found.ok) return "etcd did not answer: " + start_patience::in_plain_words(found.error);
  authority.read_all([&](read_result r) { shards.set_value(std::move(r)); });
  auto configs = shards.get_future().get();
  if (!configs.ok) return "etcd did not answer: " + start_patience::in_plain_words(configs.error);
  if (found.cluster.is_nil()) return "there is no cluster " + options.cluster.cluster + " in that etcd";
  out.nodes = std::move(found.nodes);
  out.shards = std::move(configs.configs);
  out.shard_count = found.shard_count;
  std::sort(out.shards.begin(), out.shards.end(),
            [](const auto& a, const auto& b) { return a.shard < b.shard; });
  return {};
}

int print_entity(const cluster_now& now, const std::string& entity) {
  const auto slash = entity.find('/');
  const auto kinds = all_kinds();
  const auto* kind =
      slash == std::string::npos ? nullptr : kinds.find(std::string_view{entity}.substr(0, slash));
  if (now.shard_count == 0) return 2;  // read_cluster() has refused that
  if (kind == nullptr || slash + 1 == entity.size()) {
    fmt::print(stderr, "\"{}\" names no entity: a kind, a slash and a key do, for instance sku/phone\n",
               entity);
    return 2;
  }
  const entity_ref ref{kind->options.id, entity.substr(slash + 1)};
  const auto shard = shard_of(ref, static_cast<std::uint16_t>(now.shard_count));
  for (const auto& one : now.shards)
    if (one.shard == shard) {
      fmt::print("{}\n", now.name_of(one.config.primary.node));
      return 0;
    }
  fmt::print(stderr, "shard {} has no config yet\n", shard);
  return 1;
}

void print_json(const cluster_now& now) {
  boost::json::array nodes;
  for (const auto& one : now.nodes)
    nodes.push_back({{"name", one.name},
                     {"number", static_cast<std::uint32_t>(one.latest.node)},
                     {"run", one.latest.run},
                     {"address", one.address},
                     {"zone", one.zone},
                     {"isPresent", one.is_present()},
                     {"primaries", now.primaries_of(one.latest.node)},
                     {"inSync", now.copies_of(one.latest.node)}});
  boost::json::array shards;
  for (const auto& one : now.shards) {
    boost::json::array in_sync;
    for (const auto& m : one.config.in_sync) in_sync.push_back(boost::json::string{now.name_of(m.node)});
    boost::json::object lag;
    for (const auto node : one.config.replicas) {
      const auto entries = now.lag_of(one, node);
      lag[now.name_of(node)] = entries ? boost::json::value(*entries) : boost::json::value();
    }
    shards.push_back({{"shard", one.shard},
                      {"epoch", one.config.epoch},
                      {"revision", one.revision},
                      {"primary", now.name_of(one.config.primary.node)},
                      {"inSync", in_sync},
                      {"lagEntries", lag},
                      {"replicas", one.config.replicas.size()},
                      {"fault", now.fault_of(one)}});
  }
  fmt::print("{}\n", boost::json::serialize(boost::json::object{
                         {"shardCount", now.shard_count}, {"nodes", nodes}, {"shards", shards}}));
}

void print_tables(const cluster_now& now, std::size_t faults) {
  const bool colour = look_at(stdout).colour;
  const auto paint = [&](const std::string& text, const char* code) {
    return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  };
  fmt::print("{}\n\n", faults == 0 && now.shards.size() == now.shard_count
                           ? paint(fmt::format("all {} shards are whole", now.shard_count), "32")
                           : paint(fmt::format("{} of {} shards are not whole",
                                               faults + now.shard_count - now.shards.size(), now.shard_count),
                                   "33"));
  const bool has_zones =
      std::any_of(now.nodes.begin(), now.nodes.end(), [](const known_node& n) { return !n.zone.empty(); });
  fmt::print("{:<16} {:>6} {:>8} {:<22} {:>9} {:>8}{}\n", "node", "number", "run", "address", "primaries",
             "in sync", has_zones ? "  zone" : "");
  for (const auto& one : now.nodes) {
    const auto line = fmt::format(
        "{:<16} {:>6} {:>8} {:<22} {:>9} {:>8}  {}", one.name, static_cast<std::uint32_t>(one.latest.node),
        one.latest.run, one.is_present() ? one.address : "not there", now.primaries_of(one.latest.node),
        now.copies_of(one.latest.node), one.zone);
    fmt::print("{}\n", one.is_present() ? line : paint(line, "31"));
  }
  fmt::print("\n{:>5} {:>6} {:<12} {:<24} {:<24}\n", "shard", "epoch", "primary", "in sync",
             "entries behind");
  for (const auto& one : now.shards) {
    const auto fault = now.fault_of(one);
    const auto line = fmt::format("{:>5} {:>6} {:<12} {:<24} {:<24}  {}", one.shard, one.config.epoch,
                                  now.name_of(one.config.primary.node), now.names_of(one.config.in_sync),
                                  now.lags_of(one), fault);
    fmt::print("{}\n", fault.empty() ? line : paint(line, "33"));
  }
}

}  // namespace

int run_cluster_status(const status_options& options) {
  cluster_now now;
  if (const auto why = read_cluster(options, now); !why.empty()) {
    fmt::print(stderr, "{}\n", why);
    return 2;
  }
  if (!options.entity.empty()) return print_entity(now, options.entity);
  ask_nodes(now);
  const auto faults = static_cast<std::size_t>(std::count_if(
      now.shards.begin(), now.shards.end(), [&](const auto& one) { return !now.fault_of(one).empty(); }));
  if (options.json) {
    print_json(now);
  } else {
    print_tables(now, faults);
  }
  return faults == 0 && now.shards.size() == now.shard_count ? 0 : 1;
}

}  // namespace troupe::cli
