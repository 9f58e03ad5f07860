#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "cluster/history/operation.hpp"
#include "cluster/history/stock_model.hpp"
#include "runtime/base/random.hpp"

namespace troupe::test {

struct history_shape {
  std::size_t operations = 200;
  std::uint32_t clients = 5;
  std::uint32_t skus = 4;
  std::uint32_t shards = 2;
  std::uint32_t replicas = 3;
  std::int64_t initial = 20;
  std::int64_t overlap = 400;          // how far an operation's interval reaches; they are 100 apart
  std::uint32_t expire_percent = 3;    // holds that run out, a step
  std::uint32_t unknown_percent = 10;  // answers that get lost; half of them are asked again
};

/// Legal histories: commands run one at a time on the model and get intervals around the moment when they
/// ran. What a correct cluster could have shown, made without one.
class history_maker {
 public:
  history_maker(std::uint64_t seed, history_shape shape);
  history::recorded_history make();

 private:
  struct shard_state {
    std::uint64_t epoch = 1;
    std::vector<history::log_entry> log;
  };
  struct client_state {
    std::uint64_t next_command = 1;
    std::int64_t free_at = 0;
  };

  std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  void step();
  history::operation ask_something(std::uint32_t client);
  /// Runs it now: the entry, if it makes one, and the reply.
  void run(history::operation& op);
  void lose_answer(history::operation& op);
  void ask_again(const history::operation& first);
  void append(std::uint32_t shard, history::log_entry entry);
  void change_primary();
  void expire_something();
  void dump_replicas();
  void dump_rows(history::replica_dump& dump);

  id_source random_;
  history_shape shape_;
  history::recorded_history out_;
  std::map<std::uint32_t, history::stock_model> models_;
  std::vector<shard_state> shards_;
  std::vector<client_state> clients_;
  std::map<std::uint32_t, std::uint64_t> next_order_;
  std::int64_t now_ = 1000;
};

}  // namespace troupe::test
