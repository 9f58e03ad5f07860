#include "cli/flash_sale/tokens.hpp"

#include "cli/flash_sale/client/endpoint.hpp"

namespace troupe::flash_sale {

token_source tokens_from(const std::filesystem::path& data) {
  throw client::environment_error("There is no signing key in " + data.string());
}

}  // namespace troupe::flash_sale
