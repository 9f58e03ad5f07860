#include "cluster/authority/etcd/registration.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "cluster/authority/fresh_uuid.hpp"

namespace troupe::etcd {
namespace {

/// Each round but the last has lost against another writer, or has an unknown outcome.
constexpr int rounds_max = 16;

registration_result refused(std::string why) {
  return {.outcome = registration_outcome::refused,
          .cluster = {},
          .self = {},
          .disk_is_new = false,
          .error = std::move(why)};
}

}  // namespace

struct registration::view {
  std::optional<meta_record> meta;
  std::optional<run_record> own;
  std::uint64_t own_revision = 0;
  confirmed_record confirmed;  // the name's latest start that has spoken, nil: none
  std::uint64_t confirmed_revision = 0;
  std::uint32_t greatest_number = 0;  // ever given out
  std::string other;                  // a node that is there and speaks another protocol
  std::uint32_t other_protocol = 0;
};

std::optional<registration::view> registration::read(asking& who) {
  const auto all = store_.range(who, keys_.all(), want::keys_and_values, error_);
  if (!all) return std::nullopt;
  view now;
  bool is_sound = true;
  for (const auto& kv : all->found) {
    if (kv.key == keys_.meta()) {
      now.meta = meta_from_json(kv.value);
      is_sound = is_sound && now.meta;
    } else if (kv.key == keys_.run(self_.name)) {
      now.own = run_from_json(kv.value);
      now.own_revision = kv.revision;
      is_sound = is_sound && now.own;
    } else if (kv.key == keys_.confirmed(self_.name)) {
      const auto record = confirmed_from_json(kv.value);
      is_sound = is_sound && record;
      if (record) now.confirmed = *record;
      now.confirmed_revision = kv.revision;
    } else if (const auto name = key_space::tail(kv.key, keys_.addresses())) {
      const auto record = *name != self_.name ? address_from_json(kv.value) : std::nullopt;
      if (!record || record->protocol == 0 || record->protocol == self_.protocol) continue;
      now.other = *name;
      now.other_protocol = record->protocol;
    } else if (const auto digits = key_space::tail(kv.key, keys_.numbers())) {
      std::uint32_t number = 0;
      std::from_chars(digits->data(), digits->data() + digits->size(), number);
      now.greatest_number = std::max(now.greatest_number, number);
    }
  }
  if (!is_sound) {
    error_ = "the authority's records of this cluster or node cannot be read";
    store_.refuse(refusal::nonsense, error_);
    return std::nullopt;
  }
  return now;
}

registration_result registration::run(asking& who) {
  nonce_ = self_.start.is_nil() ? fresh_uuid() : self_.start;
  for (int round = 0; round < rounds_max && std::chrono::steady_clock::now() < who.deadline; ++round) {
    const auto now = read(who);
    if (!now) break;
    if (auto result = advance(who, *now)) return *result;
  }
  return {.outcome = registration_outcome::unreachable,
          .cluster = {},
          .self = {},
          .disk_is_new = false,
          .error = error_};
}

std::optional<registration_result> registration::advance(asking& who, const view& now) {
  if (const auto why = objection(now)) return refused(*why);
  if (!now.meta) {
    create_cluster(who);
    return std::nullopt;
  }
  // An earlier transaction of ours, whose answer got lost, was done.
  if (now.own && now.own->started_by == nonce_) {
    if (!self_.is_confirmed || now.confirmed.start == nonce_)
      return registered(now, {node_id{now.own->number}, now.own_revision});
    confirm(who, now);
    return std::nullopt;
  }
  return start_run(who, now);
}

// Whether it was done does not matter here either. One that is done late loses against another process that
// has confirmed the same start.
void registration::confirm(asking& who, const view& now) {
  store_.txn(
      who, {{keys_.run(self_.name), now.own_revision}, {keys_.confirmed(self_.name), now.confirmed_revision}},
      {{keys_.confirmed(self_.name), to_json(confirmed_record{.start = nonce_, .process = self_.process})}},
      {}, error_);
}

std::optional<std::string> registration::objection(const view& now) const {
  if (!is_plain_name(self_.name))
    return "\"" + self_.name + "\" is no node name: a-z, 0-9 and '-' are, up to 63 of them";
  if (!self_.zone.empty() && !is_plain_name(self_.zone))
    return "\"" + self_.zone + "\" is no zone: a-z, 0-9 and '-' are, up to 63 of them";
  if (!now.meta) {
    if (self_.cluster.is_nil()) return std::nullopt;
    return "the data directory belongs to cluster " + to_string(self_.cluster) +
           ", and the authority has none under " + keys_.all();
  }
  if (now.meta->format > authority_format)
    return "the cluster has format " + std::to_string(now.meta->format) + ", this troupe knows up to " +
           std::to_string(authority_format) + "; run a newer troupe";
  if (!self_.cluster.is_nil() && self_.cluster != now.meta->cluster)
    return "the data directory belongs to cluster " + to_string(self_.cluster) + ", not to " +
           to_string(now.meta->cluster);
  if (self_.shard_count != now.meta->shard_count)
    return "the cluster was made with " + std::to_string(now.meta->shard_count) + " shards, not " +
           std::to_string(self_.shard_count) + "; the count never changes";
  if (self_.protocol != 0 && !now.other.empty())
    return "the node " + now.other + " is there and speaks protocol " + std::to_string(now.other_protocol) +
           ", this one " + std::to_string(self_.protocol) +
           ": run the same version everywhere, or stop all nodes of the other one first";
  if (self_.is_confirmed && !may_speak(now))
    return "another process has been started as the node " + self_.name + " meanwhile";
  if (now.own && has_lost_something(now))
    return "the data directory is an older copy, or another one has been in its place: the node has been "
           "started since, and what it acknowledged is not all in here. Put that directory back, or move "
           "this one away: an empty one gets everything from other nodes. Only after the authority was "
           "restored from a backup, or when the other one never held anything: --trust-disk";
  return std::nullopt;
}

/// Its start is still the node's last one, and no other process speaks in its name.
bool registration::may_speak(const view& now) const {
  if (!now.own || now.own->started_by != nonce_) return false;
  return now.confirmed.start != nonce_ || now.confirmed.process == self_.process;
}

/// The node's last start was on another disk than this one, which is not new, or on a state of this one that
/// it does not know; or it has spoken, which this state does not know.
bool registration::has_lost_something(const view& now) const {
  const auto& last = *now.own;
  if (last.started_by == nonce_) return !self_.is_confirmed && now.confirmed.start == nonce_;
  if (self_.is_trusted) return false;
  if (last.disk != self_.disk) return !self_.cluster.is_nil();
  return self_.last_start && *self_.last_start != last.started_by;
}

// Whether it won does not matter: the next round reads who did.
void registration::create_cluster(asking& who) {
  const meta_record meta{
      .cluster = fresh_uuid(), .shard_count = self_.shard_count, .format = authority_format};
  store_.txn(who, {{keys_.meta(), 0}}, {{keys_.meta(), to_json(meta)}}, {}, error_);
}

std::optional<registration_result> registration::start_run(asking& who, const view& now) {
  const auto number = now.own ? now.own->number : now.greatest_number + 1;
  const auto key = keys_.run(self_.name);
  std::vector<unchanged> conditions{{key, now.own_revision}};
  std::vector<put> puts{
      {key, to_json(run_record{.number = number, .disk = self_.disk, .started_by = nonce_})}};
  if (!now.own) {
    conditions.push_back({keys_.number(number), 0});
    puts.push_back({keys_.number(number), self_.name});
  }
  disk_is_new_ = now.own && now.own->disk != self_.disk;
  const auto answer = store_.txn(who, conditions, puts, {}, error_);
  if (!answer || !answer->succeeded) return std::nullopt;
  return registered(now, {node_id{number}, answer->header.revision});
}

registration_result registration::registered(const view& now, member as) const {
  return {.outcome = registration_outcome::registered,
          .cluster = now.meta->cluster,
          .self = as,
          .disk_is_new = disk_is_new_,
          .error = {}};
}

std::optional<std::vector<known_node>> nodes_in(const range_answer& all, const key_space& keys) {
  std::map<std::string_view, known_node> by_name;
  for (const auto& kv : all.found) {
    const auto name = key_space::tail(kv.key, keys.runs());
    if (!name) continue;
    const auto record = run_from_json(kv.value);
    if (!record) return std::nullopt;
    by_name[*name] = {
        std::string{*name}, {node_id{record->number}, kv.revision}, record->disk, {}, {}, {}, 0};
  }
  for (const auto& kv : all.found) {
    const auto name = key_space::tail(kv.key, keys.addresses());
    const auto node = name ? by_name.find(*name) : by_name.end();
    // A hint that cannot be read is none.
    const auto record = node == by_name.end() ? std::nullopt : address_from_json(kv.value);
    if (!record) continue;
    node->second.address = record->address;
    node->second.zone = record->zone;
    node->second.ops = record->ops;
    node->second.protocol = record->protocol;
  }
  std::vector<known_node> out;
  for (auto& [name, node] : by_name) out.push_back(std::move(node));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.latest < b.latest; });
  return out;
}

}  // namespace troupe::etcd
