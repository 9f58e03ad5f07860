#include "cli/token.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include "cli/command.hpp"

#include "cli/token_press.hpp"
#include "http_front/boot_error.hpp"
#include "runtime/store/directory.hpp"

namespace troupe::cli {

CLI::App* add_token_command(CLI::App& program, token_options& options) {
  auto* command = add_command(program, "token", "Print an access token, signed with a data directory's key");
  command->add_option("--data", options.data, "Data directory of the server")->capture_default_str();
  command->add_option("--user", options.user, "The user's UUID")->required();
  command->add_option("--role", options.role, "user or admin")
      ->check(CLI::IsMember({"user", "admin"}))
      ->capture_default_str();
  command->add_option("--minutes", options.minutes, "How long it is valid")
      ->check(CLI::Range(1, 24 * 60))
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  TOKEN=$(troupe token --data data --user 0190b1c0-0000-7000-8000-000000000001 --role admin | tail -n "
      "1)");
  return command;
}

int run_token(const token_options& options) {
  const auto user = parse_uuid(options.user);
  if (!user || user->is_nil()) {
    fmt::print(stderr, "--user must be a UUID such as 0190b1c0-0000-7000-8000-000000000001\n");
    return 2;
  }
  if (!std::filesystem::is_directory(options.data)) {
    fmt::print(stderr, "There is no data directory {}. Start `troupe serve --data {}` once, it makes one.\n",
               options.data, options.data);
    return 2;
  }
  if (const auto refused = refuse_newer_format(options.data)) {
    fmt::print(stderr, "{}\n", refused->message);
    return 2;
  }
  try {
    token_press press{options.data, token_press::missing_key::make};
    const auto role = options.role == "admin" ? token_role::admin : token_role::user;
    if (::isatty(STDOUT_FILENO) != 0) {
      fmt::print(stderr, "{} for {}, valid {} minutes:\n", options.role, to_string(*user), options.minutes);
    }
    fmt::print("{}\n", press.mint(*user, role, std::chrono::minutes{options.minutes}));
    return 0;
  } catch (const http::boot_error& fault) {
    fmt::print(stderr, "{}\n", fault.what());
    return 2;
  }
}

}  // namespace troupe::cli
