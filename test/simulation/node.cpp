#include "test/simulation/node.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and actions

namespace {

constexpr std::size_t snapshot_piece = 128;
constexpr std::uint64_t rows_every = 16;  // entries: then their rows are written
constexpr instant tick_interval = 50 * millisecond;

}  // namespace

node::node(simulation& world, std::uint8_t number, std::uint64_t seed)
    : world_(world), number_(number), random_(seed, 100U + number) {
  self_.node = static_cast<node_id>(number + 1);
  disk_.written.resize(world.drawn.shards);
  disk_.synced.resize(world.drawn.shards);
  parts_.resize(world.drawn.shards);
  lost_run.resize(world.drawn.shards, 0);
  disk_since.resize(world.drawn.shards, 0);
}

moment node::local_now() const {
  return moment{clock_offset + static_cast<instant>(static_cast<double>(world_.now_) * clock_rate)};
}

void node::start() {
  is_up_ = true;
  ++life_;
  sync_is_running_ = false;
  is_stepping_ = false;
  inner_.clear();
  self_.run = world_.authority.register_run(self_.node);
  auto options = world_.drawn.replica;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto shard = static_cast<shard_id>(i);
    parts_[i] = part{};
    auto from_disk = recover(shard);
    parts_[i].replica = std::make_unique<replica>(shard, self_, options, std::move(from_disk), local_now());
  }
  for (const auto& other : world_.nodes)
    if (other->is_up() && other.get() != this)
      for (std::size_t i = 0; i < parts_.size(); ++i)
        step(static_cast<shard_id>(i), peer_seen{other->self()});
  world_.say_hello(*this);
  schedule_tick();
}

/// What a restart finds: a damaged record means that the copy is set aside, and another one is begun.
durable_state node::recover(shard_id shard) {
  auto& image = disk_.written[shard];
  const auto damaged =
      std::find_if(image.log.begin(), image.log.end(), [](const log_record& r) { return r.is_damaged; });
  if (damaged != image.log.end() || image.meta_is_damaged || image.snapshot_is_damaged) {
    if (world_.options.bug == mutant::serve_corrupt_log) {
      image.log.erase(damaged, image.log.end());
      image.meta_is_damaged = image.snapshot_is_damaged = false;
    } else if (world_.options.bug == mutant::damaged_copy_leads) {
      const auto meta = image.meta;
      image = shard_image{};
      image.meta = meta;
    } else {
      image = shard_image{};
      forget_first_run(shard);
    }
    disk_.synced[shard] = image;
  }
  if (disk_since[shard] == 0) disk_since[shard] = self_.run;
  auto& p = parts_[shard];
  if (image.snapshot) {
    p.applied = image.snapshot->state;
    p.applied_index = p.compacted_at = image.snapshot->index;
  }
  return {image.meta, image.shape(), std::min(image.committed, image.last()), p.applied_index,
          disk_since[shard]};
}

/// With what the shard had on disk.
void node::forget_first_run(shard_id shard) {
  if (world_.options.bug != mutant::loss_keeps_since) disk_since[shard] = 0;
}

void node::stop(std::size_t kept_changes) {
  is_up_ = false;
  ++life_;
  if (world_.options.bug == mutant::retry_failed_sync && disk_.is_stuck) kept_changes = 0;
  for (const auto& image : disk_.written)
    if (!image.staged.empty()) world_.result.covered.add(mark::snapshot_interrupted);
  disk_.crash(kept_changes);
  for (auto& p : parts_) {
    if (p.replica) world_.collect(*p.replica);
    p = part{};
  }
  inner_.clear();
}

void node::schedule_tick() {
  const auto interval = static_cast<instant>(static_cast<double>(tick_interval) / clock_rate);
  world_.time.add({world_.now_ + interval, 0, happening::tick, number_, life_, 0, 0});
}

void node::on_tick() {
  for (std::size_t i = 0; i < parts_.size(); ++i) step(static_cast<shard_id>(i), tick{});
  schedule_tick();
}

/// One event, its actions, and whatever these lead to at once.
void node::step(shard_id shard, const event& what) {
  if (is_stepping_) {
    inner_.emplace_back(shard, what);
    return;
  }
  is_stepping_ = true;
  actions out;
  if (!spare_actions_.empty()) {
    out = std::move(spare_actions_.back());
    spare_actions_.pop_back();
  }
  const auto one = [&](shard_id of, const event& e) {
    auto& core = *parts_[of].replica;
    const auto role = core.role();
    const auto epoch = core.epoch();
    const auto releases = core.figures().releases;
    polls_won_before_ = core.figures().elections_by_poll;
    out.clear();
    core.step(local_now(), e, out);
    // M2, seen at the one message whose effect would only be an election that nobody needed.
    if (const auto* got = std::get_if<received>(&e); got != nullptr && got->what.epoch < epoch)
      if (core.figures().releases != releases)
        world_.truth.fail("M2", fmt::format("shard {} node {}: a release of epoch {} counts in epoch {}", of,
                                            number_ + 1, got->what.epoch, epoch));
    if (core.role() == replica_role::primary && (role != replica_role::primary || epoch != core.epoch()))
      world_.truth.on_primary(of, core.epoch(), self_, view(of));
    carry_out(of, out);
    // I12 across restarts: what it refuses to go back behind is written.
    auto kept = view(of).meta;
    kept.disk = core.meta().disk;              // may change with a restart, and goes with the next write,
    kept.disk_since = core.meta().disk_since;  // as this does
    if (kept != core.meta())
      world_.truth.fail("I12", fmt::format("shard {} node {}: at revision {} epoch {}, and writes {} and {}",
                                           of, number_ + 1, core.meta().revision, core.meta().epoch,
                                           kept.revision, kept.epoch));
    if (core.role() == replica_role::primary) world_.check_primary(of, core);
    world_.fold(mix(out.size(), mix(core.commit(), core.epoch())));
  };
  one(shard, what);
  while (!inner_.empty()) {
    const auto [of, e] = std::move(inner_.front());
    inner_.pop_front();
    one(of, e);
  }
  spare_actions_.push_back(std::move(out));
  is_stepping_ = false;
}

void node::carry_out(shard_id shard, actions& actions) {
  for (auto& a : actions) std::visit([&](auto& each) { carry_out(shard, each); }, a);
}

void node::carry_out(shard_id, send& a) { world_.post(*this, std::move(a.what)); }

void node::carry_out(shard_id shard, send_entries& a) {
  auto& p = parts_[shard];
  if (p.on_disk >= p.written) return send_from_log(shard, a);
  p.unsent.emplace_back(p.written, std::move(a));
}

void node::send_from_log(shard_id shard, send_entries& a) {
  auto& body = std::get<append>(a.what.body);
  const auto& image = view(shard);
  for (auto index = a.first; index <= a.last;) {
    chunk c{index, index, image.at(index).epoch, 0, nullptr};
    c.previous_epoch = parts_[shard].replica->log().epoch_at(index - 1);
    std::string bytes;
    bool is_barrier = image.at(index).entry.by.what == operation::none;
    if (!is_barrier) {
      while (c.last < a.last && image.at(c.last + 1).epoch == c.epoch &&
             image.at(c.last + 1).entry.by.what != operation::none)
        ++c.last;
      bytes.reserve((c.last - index + 1) * sizeof(stock_entry));
      for (auto i = index; i <= c.last; ++i) append_entry(bytes, image.at(i).entry);
      c.bytes = std::make_shared<const std::string>(std::move(bytes));
    }
    index = c.last + 1;
    body.chunks.push_back(std::move(c));
  }
  world_.post(*this, std::move(a.what));
}

void node::carry_out(shard_id shard, send_snapshot& a) {
  auto& body = std::get<snapshot_part>(a.what.body);
  const auto& source = parts_[shard].outgoing[static_cast<std::size_t>(a.what.to.node) - 1];
  if (!source.bytes || body.offset >= source.bytes->size()) return;
  body.bytes = std::make_shared<const std::string>(source.bytes->substr(body.offset, snapshot_piece));
  world_.post(*this, std::move(a.what));
}

void node::write_disk(disk_change&& change) {
  auto& p = parts_[change.shard];
  p.written = std::max(p.written, change.number);
  // What was to be read is not what it was.
  if (std::holds_alternative<cut_entries>(change.what)) p.unsent.clear();
  if (const auto* put = std::get_if<put_snapshot>(&change.what); put != nullptr && put->replaces_log)
    p.unsent.clear();
  disk_.write(std::move(change));
  begin_sync();
}

void node::begin_sync() {
  if (!is_up_ || sync_is_running_ || disk_.unsynced.size() == disk_.reported) return;
  sync_is_running_ = true;
  disk_.syncing = disk_.unsynced.size() - disk_.reported;
  auto latency = random_.skewed(world_.drawn.sync_min, world_.drawn.sync_max);
  if (world_.now_ < slow_disk_until) latency += random_.skewed(millisecond, 4 * second);
  world_.time.add({world_.now_ + latency, 0, happening::sync, number_, life_, 0, 0});
}

void node::on_sync() {
  sync_is_running_ = false;
  if (std::exchange(next_sync_fails, false)) {
    // Never retried: nobody knows what the disk has of it (row 26).
    if (world_.options.bug != mutant::retry_failed_sync)
      return world_.crash(*this, random_.below(disk_.unsynced.size() + 1), random_.between(0, 3 * second));
    disk_.is_stuck = true;
  }
  std::vector<std::uint64_t> done(parts_.size(), 0);
  for (std::size_t i = 0; i < disk_.syncing; ++i) {
    const auto& change = disk_.unsynced[i + disk_.reported];
    done[change.shard] = std::max(done[change.shard], change.number);
  }
  if (disk_.is_stuck) {
    disk_.reported += disk_.syncing;
  } else {
    disk_.sync(disk_.syncing);
  }
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i] == 0) continue;
    auto& p = parts_[i];
    p.on_disk = std::max(p.on_disk, done[i]);
    for (; !p.unsent.empty() && p.unsent.front().first <= p.on_disk; p.unsent.pop_front())
      if (p.unsent.front().second.first >= view(static_cast<shard_id>(i)).start)
        send_from_log(static_cast<shard_id>(i), p.unsent.front().second);
    step(static_cast<shard_id>(i), disk_done{done[i]});
  }
  begin_sync();
}

void node::carry_out(shard_id shard, write_entries& a) {
  const auto first = a.entries.first;
  const auto last = a.entries.last;
  write_disk({shard, a.number, put_entries{std::move(a.entries)}});
  const auto& image = view(shard);
  for (auto index = first; index <= last; ++index)
    world_.truth.on_written(shard, self_, index, image.at(index));
}

void node::carry_out(shard_id shard, truncate_log& a) {
  world_.truth.on_truncated(shard, self_, a.last, parts_[shard].applied_index);
  if (a.last < view(shard).start - 1) return;  // reported as I8
  write_disk({shard, a.number, cut_entries{a.last}});
}

void node::carry_out(shard_id shard, write_meta& a) {
  world_.truth.on_position(shard, self_, a.meta);
  write_disk({shard, a.number, put_meta{a.meta}});
}

void node::carry_out(shard_id shard, stage_snapshot& a) {
  write_disk({shard, a.number, put_stage{a.index, a.offset, a.bytes}});
  if (std::exchange(next_stage_is_damaged, false)) disk_.written[shard].stage_is_damaged = true;
}

void node::carry_out(shard_id shard, install_snapshot& a) {
  if (view(shard).stage_is_damaged) {  // cannot be read: the process ends before it does anything else
    world_.result.covered.add(mark::damaged_stage_refused);
    world_.time.add({world_.now_, 0, happening::end_life, number_, life_, 0, 0});
    return;
  }
  auto state = stock::decode(view(shard).staged);
  if (!state) return world_.truth.fail("I13", "a snapshot that cannot be decoded");
  auto image = std::make_shared<snapshot_image>();
  image->index = a.index;
  image->chain = world_.truth.chain_at(shard, a.index);
  image->history = a.history;
  image->state = std::move(*state);
  auto& p = parts_[shard];
  p.applied = image->state;
  p.applied_index = p.compacted_at = a.index;
  world_.truth.on_applied(shard, a.index, p.applied);
  write_disk({shard, a.number, put_snapshot{std::move(image), true}});
}

void node::carry_out(shard_id shard, take_snapshot& a) {
  auto& p = parts_[shard];
  if (p.applied_index == 0) return;
  auto bytes = std::make_shared<const std::string>(p.applied.encode());
  step(shard,
       snapshot_taken{a.receiver, p.applied_index, bytes->size(), snapshot_hash(*bytes, snapshot_piece)});
  p.outgoing[static_cast<std::size_t>(a.receiver) - 1] = {std::move(bytes), p.applied_index};
}

void node::carry_out(shard_id shard, compare_and_set& a) {
  const auto& core = *parts_[shard].replica;
  const bool stands = a.proposed.primary == self_ && a.proposed.epoch > core.config().config.epoch;
  if (stands && core.figures().elections_by_poll == polls_won_before_) world_.check_own_word(shard, *this);
  world_.write_authority(*this, shard, std::move(a));
}
void node::carry_out(shard_id shard, read_authority&) { world_.read_authority(*this, shard); }

void node::carry_out(shard_id shard, committed& a) {
  const auto& core = *parts_[shard].replica;
  // The rows of what is committed are written from here on, and must not be ahead of the log.
  if (a.index > disk_.synced[shard].last())
    world_.truth.fail("I10", fmt::format("shard {}: node {} takes {} for committed, and has {} on disk",
                                         shard, number_ + 1, a.index, disk_.synced[shard].last()));
  if (core.role() == replica_role::primary) {
    world_.truth.on_committed(shard, core.epoch(), view(shard), a.index);
    world_.check_commit(shard, core, a.index);
    world_.check_in_sync(shard);
  }
  apply_until(shard, a.index);
  if (a.index - std::min(a.index, view(shard).committed) >= rows_every)
    write_disk({shard, 0, put_committed{a.index}});
  answer_writes(shard);
  maybe_compact(shard);
}

void node::apply_until(shard_id shard, std::uint64_t index) {
  auto& p = parts_[shard];
  const auto& image = view(shard);
  if (index <= p.applied_index) return;
  for (auto i = p.applied_index + 1; i <= index && i <= image.last(); ++i) p.applied.apply(image.at(i).entry);
  p.applied_index = index;
  world_.truth.on_applied(shard, index, p.applied);
}

void node::maybe_compact(shard_id shard) {
  auto& p = parts_[shard];
  const auto every = world_.drawn.snapshot_every;
  const auto grown = p.applied_index - p.compacted_at;
  if (grown < every) return;
  const bool is_wanted = p.replica->needed_from() <= p.applied_index;
  if (is_wanted && world_.drawn.keeps_log_for_backups && grown < 4 * every) return;
  auto image = std::make_shared<snapshot_image>();
  image->index = p.applied_index;
  image->chain = view(shard).chain_at(p.applied_index);
  image->history = p.replica->log().history_until(p.applied_index);
  image->state = p.applied;
  p.compacted_at = p.applied_index;
  write_disk({shard, 0, put_snapshot{std::move(image), false}});
  step(shard, compacted{p.applied_index + 1});
}

void node::carry_out(shard_id shard, serve& a) {
  auto& p = parts_[shard];
  const bool again = p.is_serving;
  p.is_serving = p.is_accepting = true;
  p.epoch = a.epoch;
  if (again) return;
  p.working = p.applied;
  // With a barrier the log ends there, and all of it is applied.
  p.working_index = p.read_index = p.replica->log().last();
  p.sku_index.fill(p.working_index);
  p.client_index.fill(p.working_index);
  for (std::uint16_t c = 0; c < client_max; ++c) p.known_at_start[c] = p.working.last_of(c).number;
}

void node::carry_out(shard_id shard, stop_serving&) {
  auto& p = parts_[shard];
  p.is_serving = p.is_accepting = false;
  const bool lies = world_.options.bug == mutant::unknown_is_failed;
  for (const auto& w : p.writes) {
    if (lies) world_.truth.on_failed(shard, w.by.what);
    answer(w.by, shard, lies ? verdict::failed : verdict::unknown, {}, 0);
    world_.result.covered.add(mark::unknown_outcome);
  }
  // Released now they would show less than somebody has seen.
  for (const auto& r : p.reads)
    if (r.seen.index < world_.truth.revealed(shard, r.seen.sku))
      world_.result.covered.add(mark::stale_read_blocked);
  p.writes.clear();
  p.reads.clear();
  p.pending.clear();
  p.pending_count = 0;
}

void node::carry_out(shard_id shard, set_accepting& a) {
  auto& p = parts_[shard];
  p.is_accepting = p.is_serving && a.accepts;
  if (!a.accepts) flush(shard);
}

void node::carry_out(shard_id shard, quarantined& a) {
  world_.truth.fail("I8", "shard " + std::to_string(shard) + " node " + std::to_string(number_ + 1) +
                              ": quarantined, cut to " + std::to_string(a.cut) + " below " +
                              std::to_string(a.commit));
}

}  // namespace troupe::simulation
