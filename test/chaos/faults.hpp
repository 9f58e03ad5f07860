#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/chaos/cluster_driver.hpp"

namespace troupe::chaos {

/// SKUs whose primary was told to stop in peace: each is handed over, and back when the node is there again.
struct hand_over {
  std::int64_t began_ns = 0;
  std::vector<std::size_t> skus;  // places in scene::skus
};

/// What a fault is done to, and by which draws.
struct scene {
  const cluster_driver& cluster;
  std::mt19937_64& random;
  const std::vector<std::string>& skus;
  std::string sku;                // whose primary is meant where one is meant
  std::vector<trouble> undone{};  // what of the fault could not be done
  std::vector<hand_over> hand_overs{};

  int draw(int lowest, int highest) { return std::uniform_int_distribution<int>{lowest, highest}(random); }
  const std::string& any(const std::vector<std::string>& of) {
    return of[static_cast<std::size_t>(draw(0, static_cast<int>(of.size()) - 1))];
  }
  /// The SKU's primary. When nobody knows it: any node, and then it is not the fault that was meant.
  std::string primary();
  /// The member of etcd that leads, or any one, likewise.
  std::string etcd_leader();
  /// What the fault is made of. It goes on all the same, so that everything is started again.
  void must(trouble why) {
    if (!why.empty()) undone.push_back(std::move(why));
  }
};

/// What goes wrong. `happen` returns when it is over and everything is started again: what is left is to
/// recover.
struct fault {
  std::string_view name;
  std::string_view means;
  std::function<void(scene&)> happen;
  enum class needs : std::uint8_t {
    nothing,
    links,
    small_disk,
    forgetful_disk,
    its_name
  };  // its_name: takes long
  needs what = needs::nothing;
  /// Nobody is to notice: no read and no first attempt of a write fails, and no read waits for longer than
  /// planned_gap_ms. Far above what is usual, since a busy machine must not fail a run: it is there for a
  /// cluster that stands still.
  bool is_planned = false;
};
inline constexpr int planned_gap_ms = 5000;
inline constexpr int gap_ms_max = 30'000;  // of any other

const std::vector<fault>& all_faults();

}  // namespace troupe::chaos
