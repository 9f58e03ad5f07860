#pragma once

#include <CLI/App.hpp>
#include <string>

namespace troupe::cli {

struct status_options {
  std::string ops_url = "http://127.0.0.1:9090";
  bool json = false;
};

CLI::App* add_status_command(CLI::App& program, status_options& options);

/// Asks the operations port of a running server. Exit code 0: ready, 1: not ready, 2: not reached.
int run_status(const status_options& options);

}  // namespace troupe::cli
