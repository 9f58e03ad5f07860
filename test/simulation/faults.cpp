#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events

namespace {

/// Down for a moment, mostly.
instant downtime(random_stream& random) {
  return random.chance(0.2) ? 0 : random.skewed(millisecond, random.chance(0.1) ? 10 * second : 5 * second);
}

/// Somewhere in what is stored of a shard; a checksum shows it when it is read.
void flip_bit(shard_image& image, random_stream& random) {
  const auto where = random.below(4);
  if (where == 0 && image.snapshot) {
    image.snapshot_is_damaged = true;
  } else if (where == 1 || image.log.empty()) {
    image.meta_is_damaged = true;
  } else {
    image.log[random.below(image.log.size())].is_damaged = true;
  }
}

}  // namespace

void simulation::crash(node& which, std::size_t kept_changes, instant down_for) {
  if (!which.is_up()) return;
  which.stop(kept_changes);
  for (const auto& n : nodes)
    if (n.get() != &which && !link_is_cut(which, *n)) break_connection(which, *n);
  time.add({now_ + down_for, 0, happening::start_node, which.number(), 0, 0, 0});
}

node& simulation::any_node(random_stream& random) { return *nodes[random.below(nodes.size())]; }

/// Whether the shard still counts on data that this node lost: a run from before the loss is in the set, or
/// may yet be let in by a proposal that is under way (not after a later run has registered).
bool simulation::is_damaged(const node& which, shard_id shard) const {
  const auto lost = which.lost_run[shard];
  if (lost == 0) return false;
  const auto counted = find_node(authority.read(shard).config.in_sync, which.self().node).run;
  return which.self().run <= lost || (counted != 0 && counted <= lost);
}

/// The floor promises to survive one lost copy less than there are at least in sync (KIP-966). What was
/// repaired since does not count.
bool simulation::may_lose_data(const node& which) const {
  for (std::size_t i = 0; i < drawn.shards; ++i) {
    const auto shard = static_cast<shard_id>(i);
    std::uint32_t damaged = 1;
    for (const auto& n : nodes) damaged += n.get() != &which && is_damaged(*n, shard) ? 1 : 0;
    if (damaged >= drawn.min_in_sync || is_damaged(which, shard)) return false;
  }
  return true;
}

void simulation::inject(std::uint32_t number) {
  random_stream random(options.seed, 10'000U + number);
  const auto total = std::accumulate(drawn.weights.begin(), drawn.weights.end(), 0U);
  if (total == 0) return;
  auto pick = static_cast<std::uint32_t>(random.below(total));
  std::size_t which = 0;
  while (pick >= drawn.weights[which]) pick -= drawn.weights[which++];
  start_fault(static_cast<fault>(which), random);
}

void simulation::start_fault(fault f, random_stream& random) {
  const bool took = start_process_fault(f, random) || start_network_fault(f, random) ||
                    start_authority_fault(f, random) || start_disk_fault(f, random) ||
                    start_planned_change(f, random);
  if (!took) return;
  count(f);
  if (options.trace) trace(fmt::format("fault: {}", to_string(f)));
}

bool simulation::start_process_fault(fault f, random_stream& random) {
  const auto kill = [&](node& n, instant down_for) {
    if (options.trace) trace(fmt::format("node {} dies", n.number() + 1));
    crash(n, random.below(n.disk().unsynced.size() + 1), down_for);
  };
  switch (f) {
    case fault::kill:
      kill(any_node(random), downtime(random));
      return true;
    case fault::kill_primary: {
      auto* primary = primary_of(static_cast<shard_id>(random.below(drawn.shards)));
      if (primary == nullptr) return false;
      kill(*primary, downtime(random));
      return true;
    }
    case fault::kill_all:
      for (auto& n : nodes) kill(*n, random.skewed(0, 2 * second));
      return true;
    case fault::pause: {
      auto& n = any_node(random);
      const auto longest = random.chance(0.1) ? drawn.pause_max : std::min(drawn.pause_max, 4 * second);
      n.paused_until = std::min(now_ + random.skewed(10 * millisecond, longest), drawn.heal_at);
      return true;
    }
    case fault::clock_jump:
      any_node(random).clock_offset += random.between(-2 * second, 5 * second);
      return true;
    default:
      return false;
  }
}

bool simulation::start_network_fault(fault f, random_stream& random) {
  const auto until = now_ + random.skewed(100 * millisecond, 4 * second);
  const auto cut = [&](std::size_t from, std::size_t to) {
    net.cut_until[from][to] = std::max(net.cut_until[from][to], until);
  };
  const auto count_of = nodes.size();
  switch (f) {
    case fault::partition: {
      const auto side = random.next();
      for (std::size_t a = 0; a < count_of; ++a)
        for (std::size_t b = 0; b < count_of; ++b)
          if (((side >> a) & 1U) != ((side >> b) & 1U)) cut(a, b);
      return true;
    }
    case fault::isolate_primary: {
      // From its peers, and often from the authority; its clients still reach it, and read.
      auto* primary = primary_of(static_cast<shard_id>(random.below(drawn.shards)));
      if (primary == nullptr) return false;
      const auto p = primary->number();
      for (std::size_t other = 0; other < count_of; ++other) {
        cut(p, other);
        if (!random.chance(0.2)) cut(other, p);
      }
      if (random.chance(0.5)) weather.cut_until[p] = until;
      return true;
    }
    case fault::cut_link: {
      const auto a = random.below(count_of);
      const auto b = random.below(count_of);
      cut(a, b);
      cut(b, a);
      // Nobody has died of that.
      break_connection(*nodes[a], *nodes[b]);
      break_connection(*nodes[b], *nodes[a]);
      return true;
    }
    case fault::cut_one_way:
      cut(random.below(count_of), random.below(count_of));
      return true;
    case fault::drop:
      net.lossy_until = until;
      return true;
    case fault::delay:
      net.delayed_until = until;
      return true;
    case fault::clog:
      net.clogged_until[random.below(count_of)] = until;
      return true;
    case fault::swizzle: {
      // One after the other in both directions, and released in another order (FoundationDB).
      auto at = now_;
      for (std::size_t i = 0; i < count_of; ++i) {
        if (random.chance(0.4)) continue;
        const auto release = now_ + random.skewed(200 * millisecond, 4 * second);
        time.add({at, 0, happening::clog, static_cast<std::uint8_t>(i), 0, 0,
                  static_cast<std::uint64_t>(std::max<instant>(release - at, millisecond))});
        at += random.between(0, 200 * millisecond);
      }
      return true;
    }
    case fault::clients_cut:
      net.clients_cut_until[random.below(count_of)] = until;
      return true;
    case fault::corrupt_frame:
      net.corrupting_until = until;
      return true;
    default:
      return false;
  }
}

bool simulation::start_authority_fault(fault f, random_stream& random) {
  const auto until = now_ + random.skewed(100 * millisecond, 5 * second);
  switch (f) {
    case fault::authority_outage:
      weather.out_until = until;
      return true;
    case fault::authority_cut:
      weather.cut_until[random.below(nodes.size())] = until;
      return true;
    case fault::authority_lost_answers:
      weather.lossy_until = until;
      return true;
    case fault::authority_slow:
      weather.slow_until = until;
      return true;
    case fault::authority_rollback:
      weather.rolled_back_until = now_ + random.skewed(100 * millisecond, 2 * second);
      weather.rolled_back_by = 1 + random.below(6);
      return true;
    case fault::old_answer: {
      auto& n = any_node(random);
      const auto shard = static_cast<shard_id>(random.below(drawn.shards));
      if (!n.is_up()) return false;
      n.step(shard, config_read{authority.read_old(shard, random.below(6))});
      return true;
    }
    default:
      return false;
  }
}

bool simulation::start_disk_fault(fault f, random_stream& random) {
  auto* primary = primary_of(static_cast<shard_id>(random.below(drawn.shards)));
  auto& n = primary != nullptr && random.chance(0.3) ? *primary : any_node(random);
  switch (f) {
    case fault::slow_disk:
      n.slow_disk_until = now_ + random.skewed(100 * millisecond, 6 * second);
      return true;
    case fault::failed_sync:
      n.next_sync_fails = true;
      return true;
    case fault::full_disk:
      if (!n.is_up()) return false;
      n.full_until = now_ + random.skewed(100 * millisecond, 4 * second);
      n.set_full(true);
      time.add({n.full_until, 0, happening::disk_has_room, n.number(), n.life(), 0, 0});
      return true;
    case fault::damaged_stage:
      n.next_stage_is_damaged = true;
      return true;
    case fault::wipe:
    case fault::bit_flip:
    case fault::lost_sync: {
      if (!may_lose_data(n)) return false;
      if (options.trace) trace(fmt::format("node {} dies and loses data", n.number() + 1));
      if (n.is_up()) crash(n, random.below(n.disk().unsynced.size() + 1), downtime(random));
      for (std::size_t i = 0; i < drawn.shards; ++i) {
        n.lost_run[i] = n.self().run;
        auto& image = n.disk().synced[i];
        if (f == fault::wipe) {
          image = {};
          n.forget_first_run(static_cast<shard_id>(i));
        }
        if (f == fault::bit_flip) flip_bit(image, random);
        if (f == fault::lost_sync)
          image.log.resize(image.log.size() - random.below(std::min<std::size_t>(image.log.size(), 60) + 1));
        n.disk().written[i] = image;
      }
      return true;
    }
    default:
      return false;
  }
}

bool simulation::start_planned_change(fault f, random_stream& random) {
  const auto shard = static_cast<shard_id>(random.below(drawn.shards));
  switch (f) {
    case fault::transfer: {
      auto* primary = primary_of(shard);
      if (primary == nullptr) return false;
      primary->step(shard, transfer_to{any_node(random).self().node});
      return true;
    }
    case fault::resign: {
      auto& n = any_node(random);
      if (!n.is_up()) return false;
      for (std::size_t i = 0; i < drawn.shards; ++i) n.step(static_cast<shard_id>(i), resign{});
      time.add({now_ + random.skewed(50 * millisecond, 2 * second), 0, happening::end_life, n.number(),
                n.life(), 0, 0});
      return true;
    }
    case fault::resize: {
      // One more or one less: 3, 4, 3, 2, as the floor allows.
      auto config = authority.read(shard).config;
      auto& wanted = config.replicas;
      const auto who = nodes[random.below(nodes.size())]->self().node;
      const auto at = std::lower_bound(wanted.begin(), wanted.end(), who);
      if (at == wanted.end() || *at != who) {
        wanted.insert(at, who);
      } else if (wanted.size() > std::max<std::size_t>(drawn.min_in_sync, 1)) {
        wanted.erase(at);
      } else {
        return false;
      }
      authority.cas(shard, authority.read(shard).revision, config);
      on_config_written(shard);
      return true;
    }
    case fault::move: {
      // What placement does: says where the copies belong, and touches nothing else.
      auto config = authority.read(shard).config;
      const auto first = random.below(nodes.size());
      config.replicas.clear();
      for (std::size_t i = 0; i < drawn.copies; ++i)
        config.replicas.push_back(nodes[(first + i) % nodes.size()]->self().node);
      std::sort(config.replicas.begin(), config.replicas.end());
      authority.cas(shard, authority.read(shard).revision, config);
      on_config_written(shard);
      return true;
    }
    default:
      return false;
  }
}

/// All faults end. What is under way goes on.
void simulation::heal() {
  is_healed = true;
  trace("healed");
  net = network{};
  weather.out_until = weather.lossy_until = weather.slow_until = weather.rolled_back_until = 0;
  std::fill(weather.cut_until.begin(), weather.cut_until.end(), 0);
  for (auto& n : nodes) {
    n->paused_until = n->slow_disk_until = n->full_until = 0;
    n->next_sync_fails = n->next_stage_is_damaged = false;
    if (n->is_up()) {
      n->set_full(false);
    } else {
      n->start();
    }
  }
}

}  // namespace troupe::simulation
