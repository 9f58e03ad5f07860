#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/flash_sale/options.hpp"
#include "runtime/base/uuid.hpp"

namespace troupe::flash_sale {

/// One order that will be placed: who, and the exact bytes. A repetition sends the same bytes, so it has the
/// same Idempotency-Key.
struct buyer {
  user_id user;
  std::string request;
};

/// Everything that is sent, made before the start gun.
struct sale_plan {
  std::string sku_target;  ///< /api/v1/skus/{sku}
  std::string admin_token;
  std::string view_request;  ///< what each connection asks first, as a buyer who has the page open
  std::vector<buyer> buyers;
};

/// The same seed makes the same users and keys.
sale_plan make_plan(const flash_sale_options& options, const client::endpoint& server,
                    const token_source& token_for);

}  // namespace troupe::flash_sale
