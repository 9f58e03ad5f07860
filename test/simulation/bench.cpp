#include "test/simulation/bench.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and actions

bench::bench(std::size_t count, std::uint32_t min_in_sync, replica_options options) : options_(options) {
  shard_config config;
  config.epoch = 1;
  config.min_in_sync = min_in_sync;
  places_.resize(count);
  std::vector<int> all;
  for (int node = 1; node <= static_cast<int>(count); ++node) {
    all.push_back(node);
    auto& p = places_[index(node)];
    p.self.node = static_cast<node_id>(node);
    restart(node);
    config.in_sync.push_back(p.self);
    config.replicas.push_back(p.self.node);
  }
  config.primary = places_[0].self;
  let_meet();
  authority.cas(0, 0, config);
  for (const auto node : all) step(node, config_read{authority.read(0)});
  settle(all);
}

void bench::restart(int node) {
  auto& p = places_[index(node)];
  p.self.run = authority.register_run(p.self.node);
  p.core = std::make_unique<replica>(shard_id{0}, p.self, options_, p.synced, p.clock);
  p.written = p.synced;
  p.last_number = p.synced_number = 0;
  p.unsent.clear();
  p.released = 0;
  p.staged.clear();
}

/// Everybody learns of everybody's present run.
void bench::let_meet() {
  for (auto& p : places_)
    for (const auto& other : places_)
      if (p.core && other.core && other.self.node != p.self.node)
        step(static_cast<int>(p.self.node), peer_seen{other.self});
}

void bench::crash(int node, std::uint64_t lost_entries) {
  auto& p = places_[index(node)];
  p.core.reset();
  const auto last = p.synced.log.last();
  p.synced.log.truncate(last - std::min(last, lost_entries));
}

void bench::replace_disk(int node) {
  auto& p = places_[index(node)];
  p.core.reset();
  p.synced = {};
}

void bench::crash_before_first_write(int node) {
  replace_disk(node);
  auto& p = places_[index(node)];
  p.synced.disk_since = p.self.run;
}

void bench::tick(int node, std::chrono::milliseconds later) {
  places_[index(node)].clock += later;
  step(node, replication::tick{});
}

void bench::sync(int node) {
  auto& p = places_[index(node)];
  p.synced = p.written;
  p.synced_number = p.last_number;
  for (; !p.unsent.empty() && p.unsent.front().first <= p.synced_number; p.unsent.pop_front())
    send_from_log(node, p.unsent.front().second);
  step(node, disk_done{p.last_number});
}

void bench::deliver(int from, int to, std::size_t at_most) {
  auto& queue = links_[{from, to}];
  for (auto n = std::min(at_most, queue.size()); n > 0; --n) {
    received e{std::move(queue.front())};
    queue.pop_front();
    if (places_[index(to)].core) step(to, e);
  }
}

void bench::settle(std::vector<int> nodes) {
  for (bool is_busy = true; is_busy;) {
    is_busy = false;
    for (const auto a : nodes)
      for (const auto b : nodes) {
        is_busy = is_busy || !links_[{a, b}].empty();
        deliver(a, b);
      }
    for (const auto n : nodes) {
      auto& p = places_[index(n)];
      if (!p.core || (p.written.log == p.synced.log && p.written.meta == p.synced.meta)) continue;
      sync(n);
      is_busy = true;
    }
  }
}

void bench::run(std::vector<int> nodes, std::chrono::milliseconds how_long) {
  constexpr std::chrono::milliseconds interval{50};
  for (std::chrono::milliseconds passed{}; passed < how_long; passed += interval) {
    for (const auto n : nodes) tick(n, interval);
    settle(nodes);
  }
}

void bench::propose(int node) {
  const auto& log = at(node).log();
  step(node, replication::propose{{log.last() + 1, log.last() + 1, at(node).epoch(), log.last_epoch(),
                                   std::make_shared<const std::string>("entry")}});
}

void bench::read(int node, std::uint64_t ticket) {
  step(node, replication::read{ticket, at(node).log().last()});
}

void bench::step(int node, const event& what) {
  auto& p = places_[index(node)];
  actions out;
  p.core->step(p.clock, what, out);
  for (auto& a : out) carry_out(node, a);
}

void bench::apply_held() {
  for (auto& a : held_) authority.cas(0, a.expected_revision, a.proposed);
  held_.clear();
}

void bench::compact(int node) {
  auto& p = places_[index(node)];
  const auto start = at(node).commit() + 1;
  p.written.log.compact(start);
  p.synced.log.compact(start);
  step(node, compacted{start});
}

void bench::post(int node, message&& what) {
  const auto to = static_cast<int>(what.to.node);
  links_[{node, to}].push_back(std::move(what));
}

/// A snapshot is three pieces, whatever it holds.
void bench::carry_out_snapshot(int node, action& a) {
  constexpr std::size_t piece = 100;
  auto& p = places_[index(node)];
  if (const auto* take = std::get_if<take_snapshot>(&a)) {
    const auto last = p.core->commit();
    p.outgoing.assign(3 * piece, static_cast<char>('a' + last % 26));
    step(node, snapshot_taken{take->receiver, last, p.outgoing.size(), snapshot_hash(p.outgoing, piece)});
  } else if (auto* part = std::get_if<send_snapshot>(&a)) {
    auto& body = std::get<snapshot_part>(part->what.body);
    body.bytes = std::make_shared<const std::string>(p.outgoing.substr(body.offset, piece));
    post(node, std::move(part->what));
  } else if (const auto* stage = std::get_if<stage_snapshot>(&a)) {
    if (stage->offset == 0) p.staged.clear();
    p.staged += *stage->bytes;
    p.last_number = stage->number;
  } else if (const auto* install = std::get_if<install_snapshot>(&a)) {
    p.written.log.reset(install->index, install->history);
    p.staged.clear();
    p.last_number = install->number;
  }
}

void bench::send_from_log(int node, send_entries& e) {
  const auto& log = places_[index(node)].core->log();
  // Entries of one epoch are one chunk, as they are where logs are real.
  for (auto i = e.first; i <= e.last; ++i) {
    auto& chunks = std::get<append>(e.what.body).chunks;
    if (!chunks.empty() && chunks.back().epoch == log.epoch_at(i)) {
      chunks.back().last = i;
    } else {
      chunks.push_back(
          {i, i, log.epoch_at(i), log.epoch_at(i - 1), std::make_shared<const std::string>("entry")});
    }
  }
  post(node, std::move(e.what));
}

void bench::carry_out(int node, action& a) {
  auto& p = places_[index(node)];
  carry_out_snapshot(node, a);
  if (auto* s = std::get_if<send>(&a)) {
    post(node, std::move(s->what));
  } else if (auto* e = std::get_if<send_entries>(&a)) {
    if (p.synced_number >= p.last_number) return send_from_log(node, *e);
    p.unsent.emplace_back(p.last_number, std::move(*e));
  } else if (const auto* w = std::get_if<write_entries>(&a)) {
    p.written.log.append(w->entries.last, w->entries.epoch);
    p.last_number = w->number;
  } else if (const auto* t = std::get_if<truncate_log>(&a)) {
    p.written.log.truncate(t->last);
    p.unsent.clear();
    p.last_number = t->number;
  } else if (const auto* m = std::get_if<write_meta>(&a)) {
    p.written.meta = m->meta;
    p.last_number = m->number;
  } else if (const auto* r = std::get_if<reads_released>(&a)) {
    p.released = r->ticket;
  } else if (auto* c = std::get_if<compare_and_set>(&a)) {
    cas_done done{c->proposed.written_by, {}};
    if (cas_fate == fate::held || authority_is_out) {
      held_.push_back(*c);
    } else {
      done.result = authority.cas(0, c->expected_revision, c->proposed);
    }
    if (cas_fate != fate::answered) done.result = {};
    step(node, done);
  } else if (std::holds_alternative<read_authority>(a) && !authority_is_out) {
    step(node, config_read{authority.read(0)});
  }
}

}  // namespace troupe::simulation
