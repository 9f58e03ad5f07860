// What is checked across nodes, and what is counted at the end.

#include <fmt/format.h>

#include <algorithm>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and messages

void simulation::on_config_written(shard_id shard) {
  const auto& config = authority.read(shard).config;
  if (options.trace) {
    std::string set;
    for (const auto& m : config.in_sync) set += fmt::format(" {}.{}", static_cast<int>(m.node), m.run);
    trace(fmt::format("shard {} config: revision {} epoch {} primary {}.{} in sync{}", shard,
                      authority.read(shard).revision, config.epoch, static_cast<int>(config.primary.node),
                      config.primary.run, set));
  }
  // A2: a stale run that is let in breaks nothing else, as the floor and the runs in the set protect as well.
  for (const auto& m : config.in_sync) {
    const auto& before = authority.read_old(shard, 1).config.in_sync;
    if (!std::binary_search(before.begin(), before.end(), m) && authority.registered(m.node) != m.run)
      truth.fail("A2", fmt::format("shard {}: run {} of node {} is let in after a later one has registered",
                                   shard, m.run, static_cast<int>(m.node)));
  }
  check_in_sync(shard);
  announce(shard);
  for (auto& n : nodes)
    if (const auto* r = n->replica_of(shard); r != nullptr && r->role() == replica_role::primary)
      check_primary(shard, *r);
}

/// I4: while the authority's epoch is the primary's, the primary counts everybody that the authority counts.
void simulation::check_primary(shard_id shard, const replica& primary) {
  const auto& config = authority.read(shard).config;
  if (config.epoch != primary.epoch()) return;
  const auto& counted = primary.maximal_in_sync();
  for (const auto& m : config.in_sync)
    if (!std::binary_search(counted.begin(), counted.end(), m))
      truth.fail("I4", fmt::format("shard {} epoch {}: node {} run {} is in sync and not counted", shard,
                                   config.epoch, static_cast<int>(m.node), m.run));
}

/// I7: what the primary calls committed is on the disk of everybody whom it counts, acknowledged in this
/// epoch by that run, from its barrier on, and they are enough.
void simulation::check_commit(shard_id shard, const replica& primary, std::uint64_t index) {
  const auto epoch = primary.epoch();
  const auto broken = [&](std::string_view why) {
    truth.fail("I7", fmt::format("shard {} epoch {}: commit {} {}", shard, epoch, index, why));
  };
  for (const auto& m : primary.maximal_in_sync()) {
    const auto& n = *nodes[static_cast<std::size_t>(m.node) - 1];
    if (n.lost_run[shard] < m.run && !truth.holds(shard, n.disk().synced[shard], index))
      broken(fmt::format("is not on the disk of node {}", static_cast<int>(m.node)));
    if (m != primary.self() && truth.acknowledged(shard, m, epoch) < index)
      broken(fmt::format("was not acknowledged by node {} run {}", static_cast<int>(m.node), m.run));
  }
  // The epoch's first entry is its barrier, so that the entry is of this epoch says that it is not below.
  const auto& own = nodes[static_cast<std::size_t>(primary.self().node) - 1]->view(shard);
  if (index >= own.start && index <= own.last() && own.at(index).epoch != epoch)
    broken("is below the barrier");
  const auto& known = primary.config().config;
  const auto& decided = authority.read(shard).config;
  const bool is_current = decided.epoch == epoch;
  if (known.in_sync.size() < known.min_in_sync ||
      (is_current && decided.in_sync.size() < decided.min_in_sync))
    broken("with fewer copies than the floor");
}

/// I15: who is elected without asking anybody is sound, as far as anybody can know, and in the set with this
/// run.
void simulation::check_own_word(shard_id shard, const node& candidate) {
  const auto& core = *candidate.replica_of(shard);
  const auto& set = core.config().config.in_sync;
  const bool is_in = std::find(set.begin(), set.end(), candidate.self()) != set.end();
  const bool is_sound =
      core.meta().disk == disk_state::sound && candidate.lost_run[shard] < candidate.self().run;
  if (!is_in || !is_sound)
    truth.fail("I15", fmt::format("shard {} node {} run {} stands by its own word, {}", shard,
                                  candidate.number() + 1, candidate.self().run,
                                  is_in ? "and is not sound" : "and is not in sync"));
}

/// M3 (row 30): who has answered a poll acknowledges nothing of that revision or before. What the primary
/// knows is at least what the one who acknowledges has heard of it.
void simulation::check_fence(shard_id shard, const node& by, const node& primary) {
  const auto* core = by.replica_of(shard);
  const auto* leader = primary.replica_of(shard);
  if (core == nullptr || leader == nullptr || core->meta().fence_revision == 0) return;
  const auto fence = core->meta().fence_revision;
  if (core->config().revision <= fence && leader->config().revision <= fence)
    truth.fail("M3", fmt::format("shard {}: node {} run {} acknowledges behind its fence at revision {}",
                                 shard, by.number() + 1, by.self().run, fence));
}

/// I5: each in-sync copy, unless that run of it lost data, holds everything committed, on disk. Who lost it
/// and is in the set with a later run was let in again, so it has everything again.
void simulation::check_in_sync(shard_id shard) {
  const auto& config = authority.read(shard).config;
  for (const auto& m : config.in_sync) {
    const auto& n = *nodes[static_cast<std::size_t>(m.node) - 1];
    if (n.self() != m || n.lost_run[shard] >= m.run) continue;
    if (!truth.holds_committed(shard, n.disk().synced[shard]))
      truth.fail("I5",
                 fmt::format("shard {}: node {} run {} is in sync and lacks committed entries ({} of {})",
                             shard, static_cast<int>(m.node), m.run, n.disk().synced[shard].last(),
                             truth.committed(shard)));
  }
}

node* simulation::primary_of(shard_id shard) {
  const auto& primary = authority.read(shard).config.primary;
  if (primary.node == node_id::none) return nullptr;
  auto& n = *nodes[static_cast<std::size_t>(primary.node) - 1];
  return n.is_up() && n.self() == primary ? &n : nullptr;
}

void simulation::collect(const replica& r) {
  const auto& f = r.figures();
  auto& c = result.covered;
  c.add(mark::truncation, f.truncations);
  c.add(mark::election, f.elections);
  c.add(mark::election_by_poll, f.elections_by_poll);
  c.add(mark::poll_outdone, f.polls_outdone);
  c.add(mark::poll_fenced, f.polls_fenced);
  c.add(mark::swap_at_floor, f.swaps_at_floor);
  c.add(mark::touch, f.touches);
  c.add(mark::snapshot_installed, f.snapshots_installed);
  c.add(mark::snapshot_interrupted, f.snapshots_abandoned);
  c.add(mark::transfer, f.transfers);
  c.add(mark::foreign_run, f.foreign);
  c.add(mark::pre_vote_heeded, f.pre_votes_heeded);
  c.add(mark::joined, f.joined);
  c.add(mark::left, f.left);
  c.add(mark::poll_waited_for_all, f.polls_waiting);
  c.add(mark::transfer_unknown, f.transfers_unknown);
  c.add(mark::transfer_left_open, f.transfers_left_open);
  c.add(mark::stuck_disk, f.stuck_disks);
  c.add(mark::release, f.releases);
  c.add(mark::double_failover, f.lost_before_serving);
  c.add(mark::proof_of_death, f.proofs_of_death);
  c.add(mark::primary_lost, f.primaries_lost);
}

/// L1, L2, L3: every shard serves, all its copies and nobody else are in sync, no client waits.
bool simulation::is_recovered(std::string* why) const {
  for (std::size_t i = 0; i < drawn.shards; ++i) {
    const auto shard = static_cast<shard_id>(i);
    const auto& config = authority.read(shard).config;
    const auto& primary = *nodes[static_cast<std::size_t>(config.primary.node) - 1];
    const auto* r = primary.replica_of(shard);
    if (r == nullptr || primary.self() != config.primary || !r->is_serving()) {
      *why = fmt::format("L1: shard {} has no serving primary: epoch {} revision {} primary {}.{}", shard,
                         config.epoch, authority.read(shard).revision, static_cast<int>(config.primary.node),
                         config.primary.run);
      return false;
    }
    for (const auto id : config.replicas) {
      const auto who = nodes[static_cast<std::size_t>(id) - 1]->self();
      if (find_node(config.in_sync, id) != who) {
        *why = fmt::format("L2: shard {} epoch {}: node {} run {} is not in sync", shard, config.epoch,
                           static_cast<int>(id), who.run);
        return false;
      }
    }
    if (config.in_sync.size() != config.replicas.size()) {
      *why = fmt::format("L2: shard {} epoch {}: who is no longer wanted has not left", shard, config.epoch);
      return false;
    }
  }
  for (const auto& c : clients)
    if (!c.is_idle()) {
      *why = fmt::format("L3: client {} waits for command {} on shard {}", c.current().client,
                         c.current().number, c.shard());
      return false;
    }
  return true;
}

}  // namespace troupe::simulation
