#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "test/simulation/node.hpp"
#include "test/simulation/random.hpp"

namespace troupe::simulation {

/// One who buys: one command at a time, repeated under the same id until its outcome is known.
class client {
 public:
  client(simulation& world, std::uint16_t number, std::uint64_t seed);
  /// Thinks, sends, or gives up waiting for an answer and asks another node.
  void act(std::uint64_t attempt);
  void on_answer(std::uint64_t attempt, verdict how, const reply& what, std::uint64_t index);
  bool is_idle() const { return !is_busy_; }
  shard_id shard() const { return shard_; }
  const command& current() const { return current_; }

 private:
  struct open_order {
    shard_id shard = 0;
    std::uint32_t number = 0;
    std::uint8_t sku = 0;
  };
  void choose();
  void send();
  void rest();

  simulation& world_;
  const std::uint16_t number_;
  random_stream random_;
  bool is_busy_ = false;
  bool is_waiting_ = false;  // for an answer; otherwise it knows whom to ask next
  bool is_repeat_ = false;   // of a command that was answered already
  reply first_answer_;
  command current_;
  shard_id shard_ = 0;
  std::vector<std::uint8_t> targets_;  // by shard: the node that was the primary last
  std::uint64_t attempt_ = 0;
  std::uint64_t repeats_since_ = 0;  // the attempt after which the command was known to be answered
  std::uint32_t next_number_ = 1;
  std::vector<open_order> orders_;
  // By shard: the largest index in an answer about the SKU.
  std::vector<std::array<std::uint64_t, sku_count>> seen_;
};

}  // namespace troupe::simulation
