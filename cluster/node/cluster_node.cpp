#include "cluster/node/cluster_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "cluster/authority/fresh_uuid.hpp"
#include "cluster/authority/start_patience.hpp"
#include "cluster/replica/codec.hpp"
#include "cluster/replica_host/replica_record.hpp"
#include "runtime/base/log.hpp"

namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t early_bytes_max = 4U << 20U;

/// The greatest revision that the replicas of a directory have acted upon.
std::uint64_t known_revision(const std::vector<recovered_shard>& found) {
  std::uint64_t revision = 0;
  for (const auto& one : found)
    if (const auto meta = decode_replica_record(one.meta)) revision = std::max(revision, meta->revision);
  return revision;
}

}  // namespace

cluster_node::cluster_node(cluster_node_options options)
    : options_(std::move(options)),
      map_(std::make_unique<shard_map>(options_.runtime.shard_count)),
      background_(std::make_unique<background>()),
      log_reader_(std::make_unique<background>()),
      hosted_(options_.runtime.shard_count) {}

std::variant<std::unique_ptr<cluster_node>, store_error> cluster_node::start(cluster_node_options options,
                                                                             const kind_registry& kinds,
                                                                             const clock_source& clock) {
  std::unique_ptr<cluster_node> out{new cluster_node{std::move(options)}};
  auto started =
      node::start(out->options_.runtime, kinds, clock,
                  [&](const node::opened_directory& directory) { return out->replicate(directory); });
  if (const auto* fault = std::get_if<store_error>(&started)) return *fault;
  out->node_ = std::move(std::get<std::unique_ptr<node>>(started));
  out->begin();
  return out;
}

cluster_node::~cluster_node() {
  if (node_) stop(milliseconds{0});
}

cluster_node::parts_or_error cluster_node::replicate(const node::opened_directory& directory) {
  if (auto fault = refuse_replicas(directory.found)) return *fault;
  if (auto fault = join(directory)) return *fault;
  reader_ = std::make_unique<authority_reader>(*authority_);
  replicas_.decides = static_cast<authority*>(this);
  replicas_.reader = reader_.get();
  replicas_.self = self_;
  replicas_.peers = this;
  replicas_.history = &directory.history;
  replicas_.in_background = [this](std::function<void()> what) { background_->run(std::move(what)); };
  replicas_.in_reader = [this](std::function<void()> what) { log_reader_->run(std::move(what)); };
  replicas_.message_bytes_max = 192U << 10U;
  replicas_.piece_bytes = 128U << 10U;
  return node::replica_parts{[this](replica_place place) -> std::unique_ptr<shard_replica> {
                               auto& here = hosted_[place.shard];
                               here.post = place.post;
                               auto made = std::make_unique<replica_host>(std::move(place), replicas_);
                               here.replica = made.get();
                               return made;
                             },
                             this};
}

/// Registers with the authority, and listens for other nodes from then on.
std::optional<store_error> cluster_node::join(const node::opened_directory& directory) {
  const auto& path = directory.path;
  auto known = load_identity(path, options_.name);
  if (const auto* fault = std::get_if<store_error>(&known)) return *fault;
  auto who = std::get<identity>(known);
  if (who.is_new && directory.has_data())
    return store_error{store_error::code::suspect,
                       path +
                           " has the data of a node, and its file `member`, which says whose, is missing; "
                           "nothing was changed"};
  const auto owner = to_string(who.disk);
  if (!directory.owner.empty() && directory.owner != owner)
    return store_error{store_error::code::suspect, path +
                                                       " has the store of another directory than its file "
                                                       "`member`; nothing was changed"};
  // A store that was made anew under the identity of an older one has lost what that held. That is on disk
  // before this start is known to anybody, and it stays so until the store knows whose it is.
  if (directory.is_blank()) who.disk_since = 0;
  // A start of which it is not known whether it was registered may be another's too, whose disk this is
  // trusted to stand for.
  if (options_.trusts_disk) who.pending_start = {};
  who.begin_start();
  if (auto fault = directory.raise_format()) return fault;
  if (auto fault = save_identity(path, who)) return fault;
  auto how = options_.authority;
  how.known_revision = known_revision(directory.found);
  authority_ = std::make_unique<etcd::etcd_authority>(how);
  if (auto fault = register_patiently(who)) return fault;
  who.cluster = cluster_;
  if (who.disk_since == 0) who.disk_since = self_.run;
  replicas_.disk_since = who.disk_since;
  who.confirm_start();
  if (auto fault = save_identity(path, who)) return fault;
  if (directory.owner.empty()) directory.set_owner(owner);
  if (auto fault = register_patiently(who)) return fault;
  hello us;
  us.cluster = cluster_;
  us.shard_count = options_.runtime.shard_count;
  us.who = self_;
  us.name = options_.name;
  try {
    transport_ = std::make_unique<transport>(options_.transport, us, static_cast<transport_listener&>(*this));
  } catch (const std::exception& fault) {
    return store_error{store_error::code::io, fault.what()};
  }
  return std::nullopt;
}

/// In the name of the start that is pending, or, when none is, confirms the one that is registered. When it
/// ends without an answer the disk still says which start may have been registered, as after a crash.
std::optional<store_error> cluster_node::register_patiently(const identity& who) {
  node_profile profile;
  profile.name = options_.name;
  profile.address = !options_.advertised.empty()
                        ? options_.advertised
                        : options_.transport.address + ":" + std::to_string(options_.transport.port);
  profile.zone = options_.zone;
  profile.ops = options_.ops;
  profile.disk = who.disk;
  profile.cluster = who.cluster;
  profile.shard_count = options_.runtime.shard_count;
  profile.protocol = transport_protocol;
  profile.process = process_;
  profile.is_confirmed = who.pending_start.is_nil();
  profile.start = profile.is_confirmed ? who.registered_start : who.pending_start;
  profile.is_trusted = options_.trusts_disk;
  if (who.knows_starts) profile.last_start = who.registered_start;
  start_patience patience{
      {}, options_.authority.endpoints, options_.register_patience, options_.is_asked_to_end};
  while (true) {
    auto answer = std::make_shared<std::promise<registration_result>>();
    authority_->register_node(profile, [answer](registration_result r) { answer->set_value(std::move(r)); });
    const auto result = patience.await(answer->get_future());
    if (!result) return store_error{store_error::code::suspect, patience.fault({})};
    if (result->outcome == registration_outcome::registered) {
      self_ = result->self;
      cluster_ = result->cluster;
      return std::nullopt;
    }
    if (result->outcome == registration_outcome::refused)
      return store_error{store_error::code::suspect, result->error};
    if (const auto line = patience.notice(result->error, steady_clock::now()); !line.empty())
      spdlog::warn("{}", line);
    if (!patience.pause()) return store_error{store_error::code::suspect, patience.fault(result->error)};
  }
}

void cluster_node::begin() {
  desk::ways back;
  back.answer = [this](const member& front, std::string_view reply) {
    transport_->send_to_front(front, wire::word::reply, reply);
  };
  back.redirect = [this](const member& front, shard_id shard) { tell_front(front, map_->of(shard)); };
  desk_ = std::make_unique<desk>(*node_, std::move(back));
  view_ = std::make_unique<cluster_view>(*authority_, *authority_, *map_,
                                         [this](const cluster_view::look& seen) { on_look(seen); });
  {
    const std::unique_lock lock{gate_};
    state_ = gate_state::open;
  }
  // Nothing is added any more.
  for (const auto& one : std::exchange(early_, {})) {
    if (one.what) {
      on_word(one.who, *one.what, one.bytes);
    } else {
      on_hello(one.who);
    }
  }
  view_->start();
}

/// What is too much is dropped: replicas repeat theirs, and a front learns at its deadline that it does not
/// know.
void cluster_node::keep_until_open(const hello& who, std::optional<wire::word> what, std::string_view bytes) {
  if (state_ == gate_state::closed) return;
  const std::lock_guard lock{early_mutex_};
  early_bytes_ += sizeof(early_word) + bytes.size();
  if (early_bytes_ <= early_bytes_max) early_.push_back({who, what, std::string{bytes}});
}

std::size_t cluster_node::primaries() const { return shards_where(&replica_progress::is_primary).size(); }

std::vector<const replica_progress*> cluster_node::progress() const {
  std::vector<const replica_progress*> out;
  for (const auto& one : hosted_) out.push_back(one.replica != nullptr ? &one.replica->progress() : nullptr);
  return out;
}

cluster_refusals cluster_node::refusals() const {
  const auto links = transport_->figures();
  cluster_refusals out{links.refused, links.malformed, malformed_words_, 0,
                       authority_->figures().refused.impossible()};
  for (const auto* one : progress()) out.replication += one != nullptr ? one->refused.load() : 0;
  return out;
}

std::vector<std::size_t> cluster_node::shards_where(std::atomic<bool> replica_progress::*what) const {
  std::vector<std::size_t> out;
  for (std::size_t shard = 0; const auto* one : progress()) {
    if (one != nullptr && one->*what) out.push_back(shard);
    ++shard;
  }
  return out;
}

std::vector<std::string> cluster_node::not_ready() const {
  std::vector<std::string> why;
  if (is_superseded_) why.emplace_back("another process has been started as this node");
  if (const auto stuck = shards_where(&replica_progress::is_disk_stuck); !stuck.empty())
    why.emplace_back("the disk does not answer: what was written is not on it yet");
  if (!view_->is_current()) why.emplace_back("the authority does not answer");
  if (authority_->figures().is_full)
    why.emplace_back("etcd has no room and takes no changes: compact it, and disarm its alarm");
  if (const auto waiting = shards_where(&replica_progress::is_waiting_for_copies); !waiting.empty())
    why.push_back(fmt::format(
        "nobody serves shards {}: no copy is known to have everything, and not every node has answered",
        fmt::join(waiting, ", ")));
  if (const auto set_aside = quarantined(); !set_aside.empty())
    why.push_back(fmt::format("this node's copies of shards {} are quarantined, the log says why",
                              fmt::join(set_aside, ", ")));
  if (has_others_ && transport_->figures().links_open == 0)
    why.emplace_back("no other node can be reached, though some are there: the log says why");
  if (!map_->is_founded()) why.emplace_back("the cluster waits for enough nodes to found its shards");
  return why;
}

void cluster_node::in_replica(shard_id shard, std::function<void(replica_host&)> what) {
  auto& here = hosted_[shard];
  here.post([replica = here.replica, what = std::move(what)] { what(*replica); });
}

void cluster_node::on_hello(const hello& who) {
  const std::shared_lock lock{gate_};
  if (state_ != gate_state::open) return keep_until_open(who, std::nullopt, {});
  if (who.role != process_role::node) {
    // While it was not connected it may have missed who moved, and the authority may be away.
    for (const auto& now : map_->all()) tell_front(who.who, now);
    return;
  }
  for (shard_id shard = 0; shard < hosted_.size(); ++shard)
    in_replica(shard, [peer = who.who](replica_host& r) { r.on_peer(peer); });
}

void cluster_node::on_lost(const hello& who) {
  const std::shared_lock lock{gate_};
  if (state_ != gate_state::open) return;
  view_->refresh();
  if (who.role != process_role::node) return;
  for (shard_id shard = 0; shard < hosted_.size(); ++shard)
    in_replica(shard, [peer = who.who](replica_host& r) { r.on_peer_lost(peer); });
}

void cluster_node::on_word(const hello& who, wire::word what, std::string_view bytes) {
  const std::shared_lock lock{gate_};
  if (state_ != gate_state::open) return keep_until_open(who, what, bytes);
  switch (what) {
    case wire::word::replication: {
      auto message = replication::decode_message(cluster_, bytes);
      const bool is_its_own = message && who.role == process_role::node && message->from == who.who;
      if (!is_its_own || message->shard >= hosted_.size()) return refuse_word(who, "a replication frame");
      return in_replica(message->shard,
                        [m = std::move(*message)](replica_host& r) mutable { r.receive(std::move(m)); });
    }
    case wire::word::command: {
      auto asked = wire::decode_command(bytes, steady_clock::now());
      if (!asked) return refuse_word(who, "a command");
      return desk_->take(who.who, std::move(*asked));
    }
    case wire::word::parcels: {
      auto parcels = wire::decode_parcels(bytes);
      if (!parcels || parcels->to >= hosted_.size() || parcels->what.source >= hosted_.size())
        return refuse_word(who, "outbox messages");
      return node_->take_parcels(parcels->to, std::move(parcels->what));
    }
    case wire::word::acknowledgement: {
      auto ack = wire::decode_acknowledgement(bytes);
      if (!ack || ack->to >= hosted_.size() || ack->by >= hosted_.size())
        return refuse_word(who, "an acknowledgement");
      return node_->take_acknowledgements(ack->to, ack->by, std::move(ack->ids));
    }
    case wire::word::config: {
      auto now = wire::decode_config(bytes);
      if (!now || now->shard >= hosted_.size() || who.role != process_role::node)
        return refuse_word(who, "a config");
      return in_replica(now->shard, [this, c = std::move(*now)](replica_host& r) {
        r.on_config(c);
        map_->learn(r.config());  // what the replica refuses nobody learns
      });
    }
    case wire::word::reply:  // nodes ask nobody
    case wire::word::part:   // the transport puts them together
      return refuse_word(who, "a word that is for others");
  }
}

/// Nothing was changed by it. The first one is logged, and then every thousandth.
void cluster_node::refuse_word(const hello& from, const char* what) {
  if (malformed_words_++ % 1000 == 0)
    spdlog::warn("{} sent {} that is damaged, of another cluster or not its to send; {} such words so far",
                 from.name, what, malformed_words_.load());
}

void cluster_node::cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
                       std::function<void(cas_result)> done) {
  authority_->cas(shard, expected_revision, proposed, [this, done = std::move(done)](cas_result result) {
    if (result.outcome == cas_outcome::won) {
      map_->learn(result.now);
      std::string bytes;
      wire::encode(bytes, result.now);
      transport_->broadcast(wire::word::config, bytes);
    }
    done(std::move(result));
  });
}

void cluster_node::send(const replication::message& what) {
  std::string frame;
  replication::encode_message(frame, cluster_, what);
  transport_->send(what.to.node, wire::word::replication, frame);
}

void cluster_node::send_parcels(shard_id to, const parcel_batch& parcels) {
  std::string bytes;
  wire::encode(bytes, wire::shard_parcels{to, parcels});
  transport_->send(map_->primary_of(to), wire::word::parcels, bytes);
}

void cluster_node::send_acknowledgements(shard_id to, shard_id by, const std::vector<send_id>& ids) {
  std::string bytes;
  wire::encode(bytes, wire::shard_acknowledgement{to, by, ids});
  transport_->send(map_->primary_of(to), wire::word::acknowledgement, bytes);
}

/// What this node knows of a shard; a front that knows better ignores it.
void cluster_node::tell_front(const member& front, const stored_config& now) {
  if (now.revision == 0) return;
  std::string bytes;
  wire::encode(bytes, now);
  transport_->send_to_front(front, wire::word::config, bytes);
}

void cluster_node::on_look(const cluster_view::look& seen) {
  // Who begins to move things while the authority comes and goes makes it worse.
  if (!seen.is_complete) return whole_since_.reset();
  note_later_run(seen.nodes);
  has_others_ = std::any_of(seen.nodes.begin(), seen.nodes.end(), [this](const known_node& n) {
    return n.is_present() && n.latest.node != self_.node;
  });
  transport_->connect_to(addresses_.learn(seen.nodes, map_->all()));
  tell_replicas();
  found_shards(seen.nodes);
  place(seen.nodes);
}

/// Nobody listens to this run any more: its replicas were deposed by the later one's registration, or will
/// be.
void cluster_node::note_later_run(const std::vector<known_node>& nodes) {
  const auto own = std::find_if(nodes.begin(), nodes.end(),
                                [this](const known_node& n) { return n.latest.node == self_.node; });
  if (own == nodes.end() || own->latest.run <= self_.run || is_superseded_.exchange(true)) return;
  spdlog::critical("another process has been started as the node {} (run {}, this is {}): this one ends",
                   options_.name, own->latest.run, self_.run);
  if (options_.on_superseded) options_.on_superseded();
}

/// What the authority holds now, to those who may act upon it.
void cluster_node::tell_replicas() {
  for (auto& one : map_->all()) {
    auto& told = hosted_[one.shard].told_revision;
    if (one.revision <= told) continue;
    told = one.revision;
    in_replica(one.shard, [one](replica_host& r) { r.on_config(one); });
  }
}

}  // namespace troupe
