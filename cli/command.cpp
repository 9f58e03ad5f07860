#include "cli/command.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace troupe::cli {

CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& what) {
  return program.add_subcommand(name, what);
}

}  // namespace troupe::cli
