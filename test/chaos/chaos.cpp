#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "test/chaos/faults.hpp"
#include "test/chaos/run.hpp"

int main(int count, char** words) {
  using namespace troupe::chaos;  // NOLINT: the program of that namespace
  CLI::App program{
      "Breaks a real cluster on this machine and compares what clients saw with what is on its disks"};
  chaos_options options;
  bool json = false;
  program.add_option("--source", options.source, "The project's directory")->required();
  program.add_option("--troupe", options.troupe, "The program")->required();
  program.add_option("--data", options.directory, "Directory of the cluster and the history; must not exist")
      ->required();
  program.add_option("--seed", options.seed, "Which faults in which order")->capture_default_str();
  program.add_option("--rounds", options.rounds, "Faults")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  program.add_option("--minutes", options.minutes, "As many rounds as begin within that time, instead");
  program.add_option("--fault", options.only, "Only this one (repeatable)")->take_all();
  program.add_flag("--namespaces", options.has_namespaces,
                   "Faults of the network, too: each process in a network of its own (root)");
  program.add_flag("--proxy", options.has_proxy,
                   "The same without root: this process stands between the others");
  program.add_option("--etcds", options.etcds, "Members of etcd")
      ->check(CLI::Range(1, 9))
      ->capture_default_str();
  program.add_flag("--forgetful-disks", options.has_forgetful_disks,
                   "A disk that hangs, too: the program is troupe_forgetful");
  program.add_option("--small-disk-mib", options.small_disk_mib,
                     "A full disk, too: one node's disk is a tmpfs of that size (root)");
  program
      .add_option("--clients", options.clients, "That order without a pause; a quarter as many create tasks")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  program.add_flag("--quiet", options.is_quiet, "No line a round");
  program.add_flag("--json", json, "The report as JSON");
  std::string list = "Faults:\n";
  for (const auto& one : all_faults()) list += fmt::format("  {:<28} {}\n", one.name, one.means);
  program.footer(list + "Exit code 0: everything held, 1: something did not.");
  CLI11_PARSE(program, count, words);
  const auto report = run(options);
  fmt::print("{}", json ? to_json(report) : to_text(report));
  return report.holds() ? 0 : 1;
}
