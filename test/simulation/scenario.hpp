#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/replica/options.hpp"

namespace troupe::simulation {

/// Simulated microseconds since the start.
using instant = std::int64_t;
constexpr instant millisecond = 1000;
constexpr instant second = 1000 * millisecond;

enum class profile : std::uint8_t {
  mixed = 0,
  elections,
  power,
  authority,
  lossy,
  snapshots,
  moves,
  relapses,
  joins,
  count
};

enum class fault : std::uint8_t {
  kill,
  kill_primary,
  kill_all,
  partition,
  isolate_primary,
  cut_link,
  cut_one_way,
  drop,
  delay,
  clog,
  swizzle,
  clients_cut,
  authority_outage,
  authority_cut,
  authority_lost_answers,
  authority_slow,
  authority_rollback,
  old_answer,
  pause,
  clock_jump,
  slow_disk,
  failed_sync,
  full_disk,
  wipe,
  bit_flip,
  damaged_stage,
  lost_sync,
  transfer,
  resign,
  move,
  resize,
  corrupt_frame,
  count,
};

std::string_view to_string(fault f);
std::string_view to_string(profile p);
std::optional<profile> profile_named(std::string_view name);

/// What is simulated; everything follows from it. A shrunk failure differs in the lower half only.
struct run_options {
  std::uint64_t seed = 0;
  std::optional<profile> under;  // the seed chooses otherwise
  replication::mutant bug = replication::mutant::none;

  std::vector<std::uint32_t> skipped_faults;  // numbers of faults that are left out, sorted
  std::uint32_t faults_max = 100'000;
  std::uint32_t clients_max = 8;
  std::uint32_t nodes_max = 5;
  std::uint32_t operations_max = 100'000;  // of each client
  bool trace = false;
};

/// Drawn from the seed.
struct scenario {
  profile under = profile::mixed;
  std::size_t nodes = 3;
  std::size_t shards = 2;
  std::size_t copies = 3;
  std::uint32_t min_in_sync = 2;
  std::size_t clients = 4;
  instant think_max = 20 * millisecond;
  double read_share = 0.3;
  double repeat_share = 0.3;
  replication::replica_options replica;
  instant heal_at = 15 * second;
  instant end_at = 26 * second;
  // network
  instant delay_min = 100, delay_max = 2 * millisecond;
  double drop = 0, duplicate = 0, straggle = 0;
  instant straggle_max = 6 * second;
  bool has_odd_links = false;  // each directed link draws how slow it is
  double encode_share = 0.02;
  // disk
  instant sync_min = 200, sync_max = 3 * millisecond;
  std::uint64_t snapshot_every = 200;
  bool keeps_log_for_backups = true;
  // authority
  instant authority_min = 1 * millisecond, authority_max = 10 * millisecond;
  instant authority_deadline = 400 * millisecond;
  double authority_lost = 0;
  double hint_lost = 0;
  // faults
  instant fault_pause_max = 700 * millisecond;  // between faults
  instant pause_max = 4 * second;               // of a process
  std::array<std::uint32_t, static_cast<std::size_t>(fault::count)> weights{};
};

scenario draw(const run_options& options);

}  // namespace troupe::simulation
