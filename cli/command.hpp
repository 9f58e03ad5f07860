#pragma once

#include <CLI/App.hpp>
#include <string>

namespace troupe::cli {

/// A subcommand of the program. Where it is made all of CLI11 is compiled, so it is made in one place.
CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& what);

}  // namespace troupe::cli
