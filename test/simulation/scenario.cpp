#include "test/simulation/scenario.hpp"

#include <algorithm>

#include "test/simulation/random.hpp"

namespace troupe::simulation {
namespace {

constexpr std::string_view fault_names[] = {"kill",
                                            "kill primary",
                                            "kill all",
                                            "partition",
                                            "isolate primary",
                                            "cut link",
                                            "cut one way",
                                            "drop messages",
                                            "delay messages",
                                            "clog a node",
                                            "swizzle-clog",
                                            "clients cut off",
                                            "authority outage",
                                            "authority cut off",
                                            "authority answers lost",
                                            "authority slow",
                                            "authority rolled back",
                                            "old authority answer",
                                            "pause",
                                            "clock jump",
                                            "slow disk",
                                            "failed sync",
                                            "full disk",
                                            "wiped disk",
                                            "bit flip",
                                            "bit flip in what is put aside",
                                            "lost synced data",
                                            "transfer",
                                            "resign",
                                            "move a copy",
                                            "add or remove a copy",
                                            "corrupt frame"};
static_assert(sizeof(fault_names) / sizeof(fault_names[0]) == static_cast<std::size_t>(fault::count));

constexpr std::string_view profile_names[] = {"mixed",     "elections", "power",    "authority", "lossy",
                                              "snapshots", "moves",     "relapses", "joins"};
static_assert(sizeof(profile_names) / sizeof(profile_names[0]) == static_cast<std::size_t>(profile::count));

using replication::moment;

void draw_timing(scenario& s, random_stream& random) {
  auto& r = s.replica;
  r.beat = moment{random.between(60, 120) * millisecond};
  r.suspect_after = moment{random.between(250, 700) * millisecond};
  r.haste = r.suspect_after > r.beat * 4 ? r.beat / 2 : r.beat;
  r.rank_delay = moment{random.between(20, 120) * millisecond};
  r.stall_after = r.suspect_after * random.between(2, 4);
  r.restarted_delay = moment{random.between(300, 1000) * millisecond};
  r.poll_patience = moment{random.between(800, 2000) * millisecond};
  r.election_retry = moment{random.between(200, 500) * millisecond};
  r.shrink_after = moment{random.between(250, 700) * millisecond};
  r.slow_after = moment{random.between(800, 2000) * millisecond};
  r.rejoin_after = moment{random.between(200, 1500) * millisecond};
  r.resend_after = moment{random.between(80, 300) * millisecond};
  r.config_interval = moment{random.between(800, 2500) * millisecond};
  r.transfer_patience = moment{random.between(300, 1200) * millisecond};
  r.window_entries = random.chance(0.3) ? 8 : 512;
  r.catch_up_entries = random.chance(0.3) ? 4 : 128;
  r.join_lag = random.chance(0.3) ? 2 : 64;
}

void draw_shape(scenario& s, random_stream& random) {
  s.nodes = static_cast<std::size_t>(random.between(3, 5));
  s.shards = static_cast<std::size_t>(random.between(2, 4));
  s.copies = random.chance(0.75)
                 ? 3
                 : static_cast<std::size_t>(random.between(1, static_cast<std::int64_t>(s.nodes)));
  s.min_in_sync = s.copies >= 5 ? static_cast<std::uint32_t>(random.between(2, 3)) : s.copies >= 3 ? 2 : 1;
  s.clients = static_cast<std::size_t>(random.between(3, 6));
  s.think_max = random.between(5, 40) * millisecond;
  s.read_share = random.chance(0.3) ? 0.7 : 0.3;
}

std::uint32_t& weight(scenario& s, fault f) { return s.weights[static_cast<std::size_t>(f)]; }

/// Swarm testing (Groce et al., ISSTA 2012): each seed has a subset of the faults, so that some of them get
/// the chance to be many.
void draw_faults(scenario& s, random_stream& random) {
  for (std::size_t i = 0; i < s.weights.size(); ++i)
    s.weights[i] = random.chance(0.5) ? static_cast<std::uint32_t>(random.between(1, 6)) : 0;
  weight(s, fault::lost_sync) = 0;
  weight(s, fault::wipe) = random.chance(0.3) ? 1 : 0;
  weight(s, fault::bit_flip) = random.chance(0.3) ? 1 : 0;
  weight(s, fault::kill_all) = random.chance(0.3) ? 1 : 0;
  weight(s, fault::move) = random.chance(0.3) ? 1 : 0;
  weight(s, fault::resize) = random.chance(0.3) ? 1 : 0;
  weight(s, fault::kill_primary) += 2;
  weight(s, fault::isolate_primary) += 2;
  const auto raise = [&](std::initializer_list<fault> faults, std::uint32_t by) {
    for (const auto f : faults) weight(s, f) += by;
  };
  switch (s.under) {
    case profile::elections:
      raise({fault::kill_primary, fault::isolate_primary, fault::cut_link, fault::cut_one_way, fault::delay},
            8);
      s.straggle = 0.02;
      break;
    case profile::power:
      raise({fault::kill_all, fault::kill, fault::kill_primary, fault::slow_disk}, 8);
      break;
    case profile::authority:
      raise({fault::authority_lost_answers, fault::authority_slow, fault::authority_cut,
             fault::authority_rollback, fault::old_answer},
            4);
      raise({fault::kill, fault::isolate_primary, fault::cut_link}, 6);
      s.authority_lost = 0.1;
      break;
    case profile::joins:
      // Two copies that lose each other all the time, and mostly do not hear that one has joined: who is the
      // primary and only knows itself must still ask the other before it answers a read.
      s.copies = 2;
      s.min_in_sync = 1;
      s.read_share = 0.8;
      s.think_max = 5 * millisecond;
      s.fault_pause_max = 400 * millisecond;
      s.authority_lost = 0.4;
      for (const auto f : {fault::kill, fault::kill_primary, fault::kill_all, fault::wipe, fault::bit_flip})
        weight(s, f) = 0;
      raise({fault::authority_lost_answers, fault::authority_slow}, 4);
      raise({fault::isolate_primary, fault::cut_link, fault::authority_cut}, 10);
      s.replica.rejoin_after = moment{100 * millisecond};
      s.replica.suspect_after = s.replica.shrink_after = moment{250 * millisecond};
      break;
    case profile::lossy:
      s.replica.trust = replication::disk_trust::none;
      weight(s, fault::lost_sync) = 12;
      raise({fault::kill, fault::kill_primary, fault::kill_all, fault::cut_link, fault::delay}, 6);
      weight(s, fault::wipe) = weight(s, fault::bit_flip) = 0;
      break;
    case profile::snapshots:
      raise({fault::kill, fault::cut_link, fault::wipe, fault::bit_flip, fault::damaged_stage, fault::pause},
            6);
      s.snapshot_every = static_cast<std::uint64_t>(random.between(10, 60));
      s.keeps_log_for_backups = random.chance(0.5);
      break;
    case profile::moves:
      raise({fault::transfer, fault::resign, fault::move, fault::resize, fault::full_disk}, 8);
      break;
    case profile::relapses:
      // Nobody dies, so the same runs become primary again and again while old messages are still under way.
      for (const auto f : {fault::kill, fault::kill_primary, fault::kill_all, fault::failed_sync,
                           fault::resign, fault::wipe, fault::bit_flip, fault::move, fault::resize})
        weight(s, f) = 0;
      raise({fault::isolate_primary, fault::transfer, fault::cut_one_way, fault::slow_disk, fault::delay}, 8);
      s.straggle = 0.1;
      s.straggle_max = 4 * second;
      s.replica.suspect_after = moment{random.between(150, 300) * millisecond};
      s.replica.rejoin_after = moment{100 * millisecond};
      break;
    default:
      break;
  }
}

}  // namespace

std::string_view to_string(fault f) { return fault_names[static_cast<std::size_t>(f)]; }
std::string_view to_string(profile p) { return profile_names[static_cast<std::size_t>(p)]; }

std::optional<profile> profile_named(std::string_view name) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(profile::count); ++i)
    if (profile_names[i] == name) return static_cast<profile>(i);
  return std::nullopt;
}

scenario draw(const run_options& options) {
  random_stream random(options.seed, 1);
  scenario s;
  const auto drawn = static_cast<profile>(random.below(static_cast<std::size_t>(profile::count)));
  s.under = options.under.value_or(drawn);
  draw_shape(s, random);
  draw_timing(s, random);
  s.drop = random.chance(0.5) ? static_cast<double>(random.between(0, 8)) / 100 : 0;
  s.duplicate = random.chance(0.5) ? static_cast<double>(random.between(0, 5)) / 100 : 0;
  s.straggle = random.chance(0.5) ? 0.003 : 0;
  s.delay_max = random.between(1, 10) * millisecond;
  s.has_odd_links = random.chance(0.3);
  s.sync_max = random.between(1, 8) * millisecond;
  s.authority_max = random.between(5, 60) * millisecond;
  s.authority_lost = random.chance(0.4) ? 0.05 : 0;
  s.hint_lost = random.chance(0.5) ? 1 : static_cast<double>(random.between(0, 60)) / 100;
  s.snapshot_every = static_cast<std::uint64_t>(random.between(30, 400));
  s.keeps_log_for_backups = random.chance(0.7);
  s.fault_pause_max = random.between(200, 1200) * millisecond;
  draw_faults(s, random);
  if (s.under == profile::lossy) {
    s.copies = std::max<std::size_t>(s.copies, 3);
    s.min_in_sync = random.chance(0.5) ? 3 : 2;
    s.delay_max = random.between(1, 60) * millisecond;
  }
  if (random.chance(0.01)) {  // long enough for a pause of half a minute
    s.heal_at = 45 * second;
    s.end_at = 56 * second;
    s.pause_max = 30 * second;
    s.fault_pause_max = std::max(s.fault_pause_max, second);
  }
  s.replica.bug = options.bug;
  s.clients = std::min<std::size_t>(s.clients, options.clients_max);
  s.nodes = std::min<std::size_t>(s.nodes, options.nodes_max);
  s.copies = std::min(s.copies, s.nodes);
  s.min_in_sync = std::min<std::uint32_t>(s.min_in_sync, static_cast<std::uint32_t>(s.copies));
  return s;
}

}  // namespace troupe::simulation
