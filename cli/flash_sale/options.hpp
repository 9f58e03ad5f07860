#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/flash_sale/tokens.hpp"

namespace troupe::flash_sale {

/// What `troupe flash-sale` was asked to do.
struct flash_sale_options {
  std::string url = "http://127.0.0.1:8080";
  std::string sku;  ///< empty: a fresh name
  std::int64_t buyers = 10'000;
  std::int64_t users = 0;  ///< accounts behind the buyers; 0: one each
  std::int64_t stock = 1'000;
  std::int64_t quantity = 1;
  std::optional<std::int64_t> per_user_limit;
  std::optional<std::int64_t> hold_seconds;
  std::int64_t connections = 0;  ///< 0: one a buyer, up to 10,000
  double timeout_seconds = 10;
  std::uint64_t seed = 0;  ///< 0: drawn

  bool retry_lost = false;
  double retry_seconds = 30;

  std::filesystem::path data = "data";
  /// Where tokens come from; empty: minted with the key in `data`. Tests put their own here.
  token_source token_for;

  std::filesystem::path kill_pid_file;  ///< empty: nobody is killed
  std::string restart_command;
  double kill_at = 0.05;  ///< amid the sale: units go to who is first

  bool json = false;
  std::filesystem::path html;  ///< empty: no page
};

inline constexpr std::int64_t connections_max = 10'000;

/// Adds `flash-sale` to the program. Its options are parsed into `options`, which must outlive the parsing;
/// the caller runs `run_flash_sale(options)` when the subcommand was given.
CLI::App* add_flash_sale_command(CLI::App& program, flash_sale_options& options);

/// Fills what follows from other options, and refuses what cannot work (client::environment_error).
void complete(flash_sale_options& options);

}  // namespace troupe::flash_sale
