#include "test/simulation/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "cluster/replica/codec.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and messages

namespace {

/// Where links are slower than a silence that is suspicious, a copy leaves and rejoins in the best of
/// weather too; so a cluster that is not whole at its scenario's end gets this long to be so for a moment.
constexpr instant grace = 5 * second;

template <typename T>
std::uint32_t keep(std::vector<T>& pool, std::vector<std::uint32_t>& free, T&& what) {
  if (free.empty()) {
    pool.push_back(std::move(what));
    return static_cast<std::uint32_t>(pool.size() - 1);
  }
  const auto slot = free.back();
  free.pop_back();
  pool[slot] = std::move(what);
  return slot;
}

}  // namespace

simulation::simulation(const run_options& run)
    : options(run),
      drawn(draw(run)),
      truth(drawn.shards, now_),
      authority(drawn.shards, run.bug),
      network_random_(run.seed, 2),
      connection_random_(run.seed, 6),
      authority_random_(run.seed, 3) {
  result.seed = run.seed;
  result.under = drawn.under;
  weather.cut_until.assign(drawn.nodes, 0);
}

simulation::~simulation() = default;

void simulation::trace(const std::string& line) {
  if (options.trace) std::printf("%10.3f ms  %s\n", static_cast<double>(now_) / 1000, line.c_str());
}

/// All nodes start; then each shard's config is written once, by its founder.
void simulation::found_cluster() {
  random_stream random(options.seed, 4);
  for (std::uint8_t i = 0; i < drawn.nodes; ++i) {
    nodes.push_back(std::make_unique<node>(*this, i, options.seed));
    nodes.back()->clock_rate = 1 + static_cast<double>(random.between(-50, 50)) / 1000;
    nodes.back()->clock_offset = random.between(0, 100 * second);
  }
  for (auto& from : delay_max)
    for (auto& link : from)
      link = drawn.has_odd_links ? random.skewed(millisecond, 10 * drawn.delay_max) : drawn.delay_max;
  for (auto& n : nodes) n->start();
  for (std::size_t i = 0; i < drawn.shards; ++i) {
    const auto shard = static_cast<shard_id>(i);
    shard_config config;
    config.epoch = 1;
    config.min_in_sync = drawn.min_in_sync;
    const auto first = random.below(drawn.nodes);
    for (std::size_t k = 0; k < drawn.copies; ++k) {
      const auto who = nodes[(first + k) % drawn.nodes]->self();
      config.in_sync.push_back(who);
      config.replicas.push_back(who.node);
    }
    config.primary = config.in_sync.front();
    std::sort(config.in_sync.begin(), config.in_sync.end());
    std::sort(config.replicas.begin(), config.replicas.end());
    authority.cas(shard, 0, config);
    for (auto& n : nodes) n->step(shard, config_read{authority.read(shard)});
  }
  for (std::uint16_t i = 0; i < drawn.clients; ++i) {
    clients.emplace_back(*this, i, options.seed);
    time.add({random.between(0, 50 * millisecond), 0, happening::client, 0, 0, i, 0});
  }
  // When faults happen is drawn beforehand, so that leaving one out leaves the others where they are.
  random_stream when(options.seed, 5);
  std::uint32_t number = 0;
  for (instant at = 300 * millisecond; at < drawn.heal_at && number < options.faults_max; ++number) {
    at += when.skewed(30 * millisecond, 2 * drawn.fault_pause_max);
    if (at < drawn.heal_at &&
        !std::binary_search(options.skipped_faults.begin(), options.skipped_faults.end(), number))
      time.add({at, 0, happening::fault, 0, 0, number, 0});
  }
  result.faults_drawn = number;
}

run_result simulation::run() {
  std::string why;
  try {
    found_cluster();
    auto next_look = drawn.end_at;
    while (!time.is_empty() && !truth.found()) {
      const auto what = time.take();
      now_ = what.at;
      if (now_ >= next_look) {
        if (is_recovered(&why) || now_ >= drawn.end_at + grace) break;
        result.is_late = true;
        next_look = now_ + 100 * millisecond;
      }
      if (!is_healed && now_ >= drawn.heal_at) heal();
      ++result.happenings;
      fold(mix(static_cast<std::uint64_t>(what.at), static_cast<std::uint64_t>(what.what)));
      handle(what);
    }
  } catch (const std::logic_error& broken) {
    truth.fail("assert", broken.what());
  }
  if (!truth.found() && !is_recovered(&why)) truth.fail("L", why);
  for (auto& n : nodes)
    for (std::size_t i = 0; i < drawn.shards; ++i)
      if (const auto* r = n->replica_of(static_cast<shard_id>(i))) {
        collect(*r);
        if (options.trace) trace(r->describe());
      }
  result.broken = truth.found();
  result.simulated = std::min(now_, drawn.end_at + grace);
  return result;
}

void simulation::handle(const scheduled& what) {
  // What concerns a node waits while it is paused, and is forgotten when that life of it is over.
  const bool concerns_node = what.what != happening::authority_apply && what.what != happening::answer &&
                             what.what != happening::client && what.what != happening::fault &&
                             what.what != happening::clog && what.what != happening::start_node;
  if (concerns_node) {
    auto& n = *nodes[what.node];
    const bool is_dead = !n.is_up() || (what.life != 0 && what.life != n.life());
    if (is_dead) {
      if (what.what == happening::message) free_messages_.push_back(what.slot);
      if (what.what == happening::request) free_letters_.push_back(what.slot);
      if (what.what == happening::authority_answer) drop_call(what.slot);
      return;
    }
    if (n.paused_until > now_) {
      auto later = what;
      later.at = n.paused_until;
      time.add(later);
      return;
    }
  }
  switch (what.what) {
    case happening::tick:
      return nodes[what.node]->on_tick();
    case happening::message:
      return handle_message(what);
    case happening::sync:
      return nodes[what.node]->on_sync();
    case happening::authority_apply:
      return apply_at_authority(what);
    case happening::authority_answer:
      return answer_from_authority(what);
    case happening::request: {
      const auto letter = letters_[what.slot];
      free_letters_.push_back(what.slot);
      if (options.trace)
        trace(fmt::format("node {} shard {} asked by client {}: command {} attempt {}", what.node + 1,
                          letter.shard, letter.what.client, letter.what.what.number, letter.what.attempt));
      return nodes[what.node]->on_request(letter.what, letter.shard);
    }
    case happening::answer: {
      const auto letter = letters_[what.slot];
      free_letters_.push_back(what.slot);
      auto& to = clients[letter.what.client];
      if (options.trace)
        trace(fmt::format("client {} hears of command {} attempt {}: {}", letter.what.client,
                          letter.what.what.number, letter.what.attempt, static_cast<int>(letter.how)));
      if (to.current().number == letter.what.what.number)
        to.on_answer(letter.what.attempt, letter.how, letter.answer, letter.index);
      return;
    }
    case happening::client:
      return clients[what.slot].act(what.number);
    case happening::flush:
      return nodes[what.node]->flush(static_cast<shard_id>(what.slot));
    case happening::start_node:
      if (!nodes[what.node]->is_up()) {
        nodes[what.node]->start();
        if (options.trace)
          trace(fmt::format("node {} starts as run {}", what.node + 1, nodes[what.node]->self().run));
      }
      return;
    case happening::hello: {
      const member who{static_cast<node_id>(what.slot + 1), what.number};
      for (std::size_t i = 0; i < drawn.shards; ++i)
        nodes[what.node]->step(static_cast<shard_id>(i), peer_seen{who});
      return;
    }
    case happening::connection_lost: {
      const member who{static_cast<node_id>(what.slot + 1), what.number};
      for (std::size_t i = 0; i < drawn.shards; ++i)
        nodes[what.node]->step(static_cast<shard_id>(i), peer_lost{who});
      return;
    }
    case happening::greet:
      say_hello(*nodes[what.node]);
      return;
    case happening::hint:
      result.covered.add(mark::hint);
      return read_authority(*nodes[what.node], static_cast<shard_id>(what.slot));
    case happening::disk_has_room:
      return nodes[what.node]->set_full(false);
    case happening::clog:
      net.clogged_until[what.node] = net.clogged_from_until[what.node] =
          now_ + static_cast<instant>(what.number);
      return;
    case happening::end_life:
      return crash(*nodes[what.node], 0, 100 * millisecond);
    case happening::fault:
      return inject(what.slot);
  }
}

bool simulation::link_is_cut(const node& from, const node& to) const {
  return net.cut_until[from.number()][to.number()] > now_;
}

/// Every node tells every other one, now and then, which run of it this is.
void simulation::say_hello(node& from) {
  for (auto& to : nodes) {
    if (to.get() == &from || link_is_cut(from, *to) || network_random_.chance(drawn.drop)) continue;
    const auto at = now_ + network_random_.skewed(drawn.delay_min, drawn.delay_max);
    time.add({at, 0, happening::hello, to->number(), 0, from.number(), from.self().run});
  }
  time.add({now_ + network_random_.between(200, 400) * millisecond, 0, happening::greet, from.number(),
            from.life(), 0, 0});
}

/// `to` hears that its connection to `from` broke: soon, late or never, and what was under way may come
/// later.
void simulation::break_connection(const node& from, const node& to) {
  if (!to.is_up() || connection_random_.chance(0.2)) return;
  const auto at =
      now_ + connection_random_.skewed(100, connection_random_.chance(0.1) ? second : 5 * millisecond);
  time.add({at, 0, happening::connection_lost, to.number(), to.life(), from.number(), from.self().run});
}

void simulation::post(node& from, message&& what) {
  auto& to = *nodes[static_cast<std::size_t>(what.to.node) - 1];
  if (const auto* ack = std::get_if<append_ack>(&what.body)) {
    truth.on_acknowledged(what.shard, what.from, what.epoch, ack->match);
    if (to.self() == what.to) check_fence(what.shard, from, to);
  }
  if (link_is_cut(from, to)) return;
  auto drop = drawn.drop;
  auto& random = network_random_;
  if (now_ < net.lossy_until) drop += 0.2;
  if (is_healed) drop = 0;
  if (random.chance(drop)) return;
  auto delay = random.skewed(drawn.delay_min, delay_max[from.number()][to.number()]);
  if (!is_healed) {
    if (now_ < net.delayed_until) delay += random.skewed(0, second);
    if (random.chance(drawn.straggle)) delay += random.between(0, drawn.straggle_max);
    const auto clogged = std::max(net.clogged_until[to.number()], net.clogged_from_until[from.number()]);
    if (clogged > now_) delay += clogged - now_;
  }
  const bool twice = !is_healed && random.chance(drawn.duplicate);
  if (twice) {
    const auto later = now_ + delay + random.skewed(0, 100 * millisecond);
    time.add({later, 0, happening::message, to.number(), 0, keep_message(message(what)), 0});
  }
  time.add({now_ + delay, 0, happening::message, to.number(), 0, keep_message(std::move(what)), 0});
}

std::uint32_t simulation::keep_message(message&& what) {
  return keep(messages_, free_messages_, std::move(what));
}
std::uint32_t simulation::keep_letter(client_letter letter) {
  return keep(letters_, free_letters_, client_letter(letter));
}
std::uint32_t simulation::keep_call(authority_call&& call) {
  return keep(calls_, free_calls_, std::move(call));
}

void simulation::drop_call(std::uint32_t slot) {
  if (--calls_[slot].uses == 0) free_calls_.push_back(slot);
}

/// Some messages travel as bytes, and some of those arrive damaged: then nothing may come of them.
std::optional<message> simulation::through_bytes(const message& what) {
  constexpr uuid cluster{{1, 2, 3}};
  frame_.clear();
  encode_message(frame_, cluster, what);
  auto decoded = decode_message(cluster, frame_);
  if (!decoded || !(*decoded == what)) truth.fail("codec", "a message that does not survive its encoding");
  if (net.corrupting_until <= now_ || !network_random_.chance(0.5)) return decoded;
  const auto damage = network_random_.below(3);
  if (damage == 0)
    frame_[network_random_.below(frame_.size())] ^= static_cast<char>(1U << network_random_.below(8));
  if (damage == 1) frame_.resize(network_random_.below(frame_.size()));
  const bool is_foreign = damage == 2;
  if (decode_message(is_foreign ? uuid{{9}} : cluster, frame_))
    truth.fail("codec", "a damaged frame was accepted");
  result.covered.add(mark::frame_refused);
  return std::nullopt;
}

void simulation::handle_message(const scheduled& what) {
  received e{std::move(messages_[what.slot])};
  free_messages_.push_back(what.slot);
  if (network_random_.chance(net.corrupting_until > now_ ? 0.3 : drawn.encode_share)) {
    auto decoded = through_bytes(e.what);
    if (!decoded) return;
    e.what = std::move(*decoded);
  }
  nodes[what.node]->step(e.what.shard, e);
}

void simulation::ask(client&, std::uint8_t target, const request& what, shard_id shard) {
  if (net.clients_cut_until[target] > now_ || (!is_healed && network_random_.chance(drawn.drop))) return;
  const auto at = now_ + network_random_.skewed(drawn.delay_min, drawn.delay_max);
  time.add({at, 0, happening::request, target, 0, keep_letter({what, shard, verdict::answered, {}, 0}), 0});
}

void simulation::answer(node& from, const request& to, verdict how, const reply& what, std::uint64_t index) {
  if (net.clients_cut_until[from.number()] > now_ || (!is_healed && network_random_.chance(drawn.drop)))
    return;
  const auto at = now_ + network_random_.skewed(drawn.delay_min, drawn.delay_max);
  time.add({at, 0, happening::answer, 0, 0, keep_letter({to, 0, how, what, index}), 0});
}

}  // namespace troupe::simulation
