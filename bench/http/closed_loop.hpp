#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/http/load_options.hpp"
#include "cli/flash_sale/client/connections.hpp"
#include "runtime/base/random.hpp"

namespace troupe::bench {

/// What one run of load measured.
struct load_result {
  std::int64_t answers = 0;         ///< within the measured time
  std::int64_t successes = 0;       ///< of these, 2xx
  std::int64_t conflicts = 0;       ///< of these, 409
  std::int64_t broken = 0;          ///< connections lost, in all
  std::int64_t created_in_all = 0;  ///< 201 from the first request to the last, warm-up included
  double seconds = 0;
  std::vector<std::int64_t> latency_us;
  std::int64_t server_cpu_us = 0;
  std::int64_t client_cpu_us = 0;
};

/// Each connection sends its next request when the answer to the one before is in, for a given time. One
/// thread; requests are formatted beforehand and only their key is written into them.
class closed_loop final : private client::connections::listener {
 public:
  closed_loop(const load_options& options, const client::endpoint& server,
              const std::vector<caller>& callers);

  load_result run();

 private:
  using clock = std::chrono::steady_clock;
  struct prepared {
    std::string text;
    std::size_t key_at = 0;
  };

  void on_open(std::size_t slot) override;
  void on_response(std::size_t slot, client::response& answer) override;
  void on_broken(std::size_t slot) override;
  void send(std::size_t slot);
  void open_all();
  void drain();

  const load_options& options_;
  client::connections net_;
  std::vector<prepared> requests_;
  std::vector<clock::time_point> sent_at_;
  std::vector<char> is_waiting_;  ///< by slot
  id_source keys_;
  std::size_t next_request_ = 0;
  std::size_t opened_ = 0;
  std::size_t under_way_ = 0;
  bool is_sending_ = false;
  bool is_measuring_ = false;
  load_result result_;
};

}  // namespace troupe::bench
