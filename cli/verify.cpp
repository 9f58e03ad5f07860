#include "cli/verify.hpp"

#include <fmt/core.h>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "cluster/history/check.hpp"
#include "cluster/history/replica_file.hpp"

namespace troupe::cli {

CLI::App* add_verify_command(CLI::App& program, verify_options& options) {
  auto* command =
      add_command(program, "verify", "Check what clients saw of a run against the replicas' logs");
  command->add_option("history", options.history, "Directory of the history")
      ->required()
      ->type_name("HISTORY");
  command->add_flag("--json", options.json, "One JSON object on stdout");
  command->add_flag("--clients-only", options.clients_only,
                    "Check what clients saw although no replica's log is there, which finds less");
  command->footer(
      "Exit code 0: legal, 1: not legal, 2: unreadable.\nExample:\n  troupe verify chaos/history");
  return command;
}

int run_verify(const verify_options& options) {
  history::recorded_history recorded;
  auto fault = history::read_history(options.history, recorded);
  if (!fault) fault = history::unfit(recorded);
  if (!fault && recorded.replicas.empty() && !options.clients_only)
    fault = "no replica's log is in it, so most checks could not be made; --clients-only does without";
  if (fault) {
    fmt::print(stderr, "The history cannot be checked: {}.\n", *fault);
    return 2;
  }
  const auto verdict = history::check(recorded);
  if (options.json) {
    fmt::print("{}\n", history::to_json(verdict));
  } else {
    fmt::print("{}", history::to_text(verdict, look_at(stdout).colour));
  }
  return verdict.holds() ? 0 : 1;
}

}  // namespace troupe::cli
