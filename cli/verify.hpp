#pragma once

#include <CLI/App.hpp>
#include <string>

namespace troupe::cli {

struct verify_options {
  std::string history;
  bool json = false;
  bool clients_only = false;  // there are no replicas' logs, and that is meant so
};

CLI::App* add_verify_command(CLI::App& program, verify_options& options);

/// Checks a recorded history. Exit code 0: legal, 1: not legal, 2: it cannot be read or checked.
int run_verify(const verify_options& options);

}  // namespace troupe::cli
