#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/flash_sale/checks.hpp"
#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/flash_sale/options.hpp"

namespace troupe::flash_sale {

/// The administrator's side of a sale: puts the SKU up before it, and reads everything back afterwards. Plain
/// calls that wait, on a connection of their own. Every one throws client::environment_error when it fails.
class sale_control {
 public:
  sale_control(const client::endpoint& server, std::string sku_target, const std::string& admin_token);
  ~sale_control();

  /// Refuses a SKU that has orders already: what is counted afterwards would not be this sale.
  void put_up(const flash_sale_options& options);
  /// Waits until the server answers again, after a restart.
  void await_server(std::chrono::seconds patience);
  stock_view read_stock();
  std::vector<listed_order> read_orders();

 private:
  struct connection;
  std::string get(const std::string& target);

  std::string sku_target_;
  std::string authority_;
  std::unique_ptr<connection> connection_;
};

}  // namespace troupe::flash_sale
