#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "cli/flash_sale/client/connections.hpp"
#include "cli/flash_sale/ledger.hpp"
#include "cli/flash_sale/plan.hpp"
#include "cli/flash_sale/progress.hpp"
#include "cli/flash_sale/server_kill.hpp"
#include "runtime/base/random.hpp"

namespace troupe::flash_sale {

/// How hard the client tries.
struct sale_rules {
  std::chrono::milliseconds answer_timeout{10'000};
  bool retry_lost = false;
  std::chrono::milliseconds retry_for{30'000};
  double kill_at = 0.05;
  std::uint64_t seed = 1;  ///< spreads the back-off
};

/// The sale itself, from the first connection to the last answer, in one thread. Slot s serves the buyers s,
/// s + slots, s + 2 slots … in turn. Writes what happens into the ledger.
class sale final : private client::connections::listener {
 public:
  sale(const sale_plan& plan, const std::vector<client::endpoint>& servers, std::size_t slots,
       const sale_rules& rules, sale_ledger& ledger, progress& bar);

  /// Opens every connection and asks each for the stock, so that all of them are known to be accepted. Throws
  /// client::environment_error when the server does not take them.
  void open_all();

  /// The start gun: all connections send their first order at once. Returns when every buyer has an answer or
  /// has given up.
  void run(server_kill* kill);

  /// Where in the sale the server was killed, when it was.
  struct kill_moment {
    microseconds at{0};
    std::size_t answers_before = 0;
  };
  std::optional<kill_moment> killed() const { return killed_; }
  std::chrono::system_clock::time_point started_at() const { return started_wall_; }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  /// What a slot is doing. `turn` counts up with each step, so that an alarm set for an earlier one is
  /// ignored.
  struct slot_state {
    std::size_t buyer = nobody;  ///< whose turn it is; nobody: all done
    std::uint32_t turn = 0;
    bool has_viewed = false;
    bool is_waiting = false;  ///< a request is under way
    std::optional<clock::time_point> give_up_at;
  };
  struct alarm {
    clock::time_point due;
    std::size_t slot;
    std::uint32_t turn;
    friend bool operator>(const alarm& a, const alarm& b) { return a.due > b.due; }
  };

  void on_open(std::size_t slot) override;
  void on_response(std::size_t slot, client::response& answer) override;
  void on_broken(std::size_t slot) override;

  void begin(std::size_t slot);
  void go_on(server_kill* kill, std::chrono::milliseconds wait);
  void send_order(std::size_t slot);
  void next_buyer(std::size_t slot);
  void answer_missing(std::size_t slot, std::string_view why);
  /// Repeats later, or lets the next buyer have the connection.
  void try_again(std::size_t slot, std::optional<std::int64_t> retry_after_s);
  void ring(std::size_t slot);
  void ring_due_alarms();
  void set_alarm(std::size_t slot, clock::duration in);
  clock::duration back_off(std::size_t slot);
  void open_some();
  void count_open_failure();
  std::chrono::milliseconds until_next_alarm() const;
  void watch_kill(server_kill* kill);
  microseconds since_gun() const { return std::chrono::duration_cast<microseconds>(clock::now() - gun_); }

  const sale_plan& plan_;
  sale_rules rules_;
  sale_ledger& ledger_;
  progress& bar_;
  client::connections net_;
  std::vector<slot_state> slots_;
  std::priority_queue<alarm, std::vector<alarm>, std::greater<>> alarms_;
  id_source jitter_;

  bool is_running_ = false;
  std::size_t next_to_open_ = 0;
  std::size_t opening_ = 0;
  std::size_t viewed_ = 0;
  std::size_t open_failures_ = 0;
  std::size_t slots_done_ = 0;
  clock::time_point gun_{};
  std::chrono::system_clock::time_point started_wall_{};
  std::optional<kill_moment> killed_;
};

}  // namespace troupe::flash_sale
