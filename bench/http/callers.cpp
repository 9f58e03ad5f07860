#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "bench/http/load_options.hpp"
#include "cli/flash_sale/tokens.hpp"
#include "runtime/base/random.hpp"

namespace troupe::bench {
namespace {

std::vector<caller> from_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<caller> out;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    caller c;
    if (words >> c.token) {
      words >> c.user;
      out.push_back(std::move(c));
    }
  }
  if (out.empty())
    throw client::environment_error(
        fmt::format("{} has no tokens. Each line is TOKEN or TOKEN USER.", path.string()));
  return out;
}

std::vector<caller> minted(const std::filesystem::path& data, std::size_t users) {
  const auto token_for = flash_sale::tokens_from(data);
  // The same users in every run on the same data, so that repetitions find the entities they made.
  id_source ids(users);
  std::vector<caller> out;
  for (std::size_t i = 0; i < users; ++i) {
    const user_id user = make_uuid_v7({1'700'000'000'000}, ids.next(), ids.next());
    out.push_back({to_string(user), token_for(user, flash_sale::role::user)});
  }
  return out;
}

}  // namespace

std::vector<caller> callers(const load_options& o) {
  if (!o.token_file.empty()) return from_file(o.token_file);
  if (!o.data.empty()) return minted(o.data, o.users);
  return {caller{}};
}

std::vector<client::header> headers_for(const load_options& o, const caller& who) {
  std::vector<client::header> out;
  for (const auto& text : o.headers) {
    const auto colon = text.find(':');
    if (colon == std::string::npos)
      throw client::environment_error(fmt::format("--header takes NAME: VALUE, not {}", text));
    const auto value = text.find_first_not_of(' ', colon + 1);
    out.push_back({text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)});
  }
  if (!who.token.empty()) out.push_back({"Authorization", "Bearer " + who.token});
  return out;
}

}  // namespace troupe::bench
