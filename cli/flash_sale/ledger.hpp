#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/flash_sale/client/response_parser.hpp"

namespace troupe::flash_sale {

using microseconds = std::chrono::microseconds;

enum class verdict : std::uint8_t {
  ordered,  ///< the server acknowledged an order
  refused,  ///< the server decided against it
  unknown,  ///< nobody can say: it may have been executed
};

/// How it went for one buyer. Times count from the start gun.
struct outcome {
  verdict decided = verdict::unknown;
  std::string reason;  ///< of a refusal (the problem's slug) or of a loss (a few words)
  std::string order_id;
  std::uint64_t arrival = 0;
  std::int64_t quantity = 0;
  bool is_replayed = false;
  std::uint32_t attempts = 0;
  microseconds sent_at{0};
  microseconds answered_at{0};  ///< of the deciding answer; meaningless when unknown

  microseconds latency() const { return answered_at - sent_at; }
};

/// Whether an answer settles the order, or leaves it open whether it was or will be executed.
enum class answer_weight { settles, may_be_repeated };

/// 408, 429, 500, 502, 503, 504 and "an earlier request with this key is still at work" settle nothing; the
/// rest does.
answer_weight weigh(const client::response& answer);

/// Writes down what happened to each buyer while the sale runs, without looking into the answers: that is
/// done afterwards, so that the client costs the server as little time as it can.
class sale_ledger {
 public:
  explicit sale_ledger(std::size_t buyers) : records_(buyers) {}

  void sent(std::size_t buyer, microseconds at);
  /// The attempt that is under way got no answer.
  void lost(std::size_t buyer, std::string_view why);
  /// The buyer got this answer. It is the last word unless another follows.
  void answered(std::size_t buyer, microseconds at, client::response&& answer);

  std::size_t settled_count() const { return settled_count_; }
  std::size_t size() const { return records_.size(); }
  std::uint32_t attempts(std::size_t buyer) const { return records_[buyer].attempts; }

  /// Reads all answers.
  std::vector<outcome> outcomes() const;
  /// The longest time in which no answer at all came in, and its start.
  struct silence {
    microseconds from{0};
    microseconds length{0};
  };
  silence longest_silence() const;

 private:
  struct record {
    microseconds sent_at{-1};
    microseconds answered_at{0};
    std::uint32_t attempts = 0;
    bool is_settled = false;
    bool may_have_run = false;  ///< an earlier attempt ended without a settling answer
    std::string loss;
    client::response answer;
  };
  static outcome read(const record& r);

  std::vector<record> records_;
  std::size_t settled_count_ = 0;
  microseconds last_answer_{0};
  silence longest_;
};

}  // namespace troupe::flash_sale
