#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/flash_sale/tokens.hpp"

namespace troupe::flash_sale {

/// Stands in for tokens.cpp until http_front/auth is in the tree.
token_source tokens_from(const std::filesystem::path&) {
  throw client::environment_error("This build cannot mint tokens.");
}

}  // namespace troupe::flash_sale
