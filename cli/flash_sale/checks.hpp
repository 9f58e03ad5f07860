#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/flash_sale/ledger.hpp"
#include "runtime/entity/describe.hpp"

/// What must be true after a sale, as pure functions of what the buyers were told and what the server says
/// now.
namespace troupe::flash_sale {

/// GET /api/v1/skus/{sku}
struct stock_view {
  std::int64_t available = 0;
  std::int64_t reserved = 0;
  std::int64_t sold = 0;
  std::int64_t initial = 0;
  std::int64_t restocked = 0;
};

/// One of GET /api/v1/skus/{sku}/orders
struct listed_order {
  std::string order_id;
  std::string user_id;
  std::int64_t quantity = 0;
  std::string status;
  std::uint64_t arrival = 0;

  /// Expired and cancelled orders have given their units back.
  bool holds_units() const { return status == "reserved" || status == "confirmed"; }
};

/// Everything that the checks look at.
struct sale_facts {
  std::int64_t stock = 0;
  std::int64_t quantity = 1;
  std::optional<std::int64_t> per_user_limit;
  /// The server was killed and nobody was told to try again: buyers without an answer are what was asked for.
  bool losses_are_expected = false;
  std::vector<std::string> users;  ///< of buyer i
  std::vector<outcome> outcomes;   ///< of buyer i
  stock_view view;
  std::vector<listed_order> listed;
};

enum class check_state : std::uint8_t { held, noted, violated };
TROUPE_DESCRIBE_ENUM(check_state, held, noted, violated)

struct check_result {
  std::string name;
  check_state state = check_state::held;
  std::string sentence;
};
TROUPE_DESCRIBE(check_result, name, state, sentence)

/// In the order in which they are reported. A check that fails says what was seen, with one example.
std::vector<check_result> check_sale(const sale_facts& facts);

/// Orders that exist twice: an id or arrival number given to more than one buyer, or listed more than once,
/// and orders of a user beyond those that the user asked for.
std::int64_t count_duplicates(const sale_facts& facts);

}  // namespace troupe::flash_sale
