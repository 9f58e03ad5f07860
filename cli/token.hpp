#pragma once

#include <CLI/App.hpp>
#include <string>

namespace troupe::cli {

struct token_options {
  std::string data = "data";
  std::string user;
  std::string role = "user";
  int minutes = 15;
};

CLI::App* add_token_command(CLI::App& program, token_options& options);

/// Prints an access token on the last line of stdout. Returns the exit code.
int run_token(const token_options& options);

}  // namespace troupe::cli
