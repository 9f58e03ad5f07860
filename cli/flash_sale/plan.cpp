#include "cli/flash_sale/plan.hpp"

#include <fmt/format.h>

#include <cstring>

#include "runtime/base/random.hpp"

namespace troupe::flash_sale {
namespace {

uuid draw_uuid(id_source& ids) {
  char bytes[16];
  const std::uint64_t halves[2] = {ids.next(), ids.next()};
  std::memcpy(bytes, halves, sizeof bytes);
  return make_uuid_v8({bytes, sizeof bytes});
}

}  // namespace

sale_plan make_plan(const flash_sale_options& options, const client::endpoint& server,
                    const token_source& token_for) {
  id_source ids(options.seed);
  sale_plan plan;
  plan.sku_target = "/api/v1/skus/" + options.sku;
  plan.admin_token = token_for(draw_uuid(ids), role::admin);
  plan.view_request = client::request_text(server, "GET", plan.sku_target, {}, "");

  struct account {
    user_id user;
    std::string authorization;
  };
  std::vector<account> accounts;
  accounts.reserve(static_cast<std::size_t>(options.users));
  for (std::int64_t i = 0; i < options.users; ++i) {
    const user_id user = draw_uuid(ids);
    accounts.push_back({user, "Bearer " + token_for(user, role::user)});
  }

  const std::string target = plan.sku_target + "/orders";
  const std::string body = fmt::format(R"({{"quantity":{}}})", options.quantity);
  plan.buyers.reserve(static_cast<std::size_t>(options.buyers));
  for (std::size_t i = 0; i < static_cast<std::size_t>(options.buyers); ++i) {
    const account& who = accounts[i % accounts.size()];
    plan.buyers.push_back({who.user, client::request_text(server, "POST", target,
                                                          {{"Authorization", who.authorization},
                                                           {"Idempotency-Key", to_string(draw_uuid(ids))}},
                                                          body)});
  }
  return plan;
}

}  // namespace troupe::flash_sale
