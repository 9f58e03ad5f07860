#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/base/hash.hpp"
#include "runtime/entity/table.hpp"
#include "test/integration/faults/life.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/served_life.hpp"
#include "test/integration/faults/snapshots.hpp"

/// A process that may die of a fault:
///   live ROOT SCRIPT-SEED LENGTH ROUNDS changes|reads|log_syncs|none N io|no_space
///     lives on the disk under ROOT, whose N-th I/O of that kind fails; prints a line for each thing that
///     happens, and exits with 0 at the end of its life or with 1 when the store refuses to open
///   serve ROOT SCRIPT-SEED LENGTH ROUNDS ... N ...
///     the same for a served_life; the script is not used
///   install ROOT SCRIPT-SEED LENGTH ROUNDS ... N ...
///     the same, with snapshots that are installed
///   read ROOT SCRIPT-SEED LENGTH
///     prints all answers of the store, and exits with 0, or with 1 when it refuses to open
namespace {

using namespace troupe;
using namespace troupe::faults;

/// One write each, so that lines stay whole and in order.
void say(const std::string& line) {
  const auto text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::_Exit(3);
}

std::string about(shard_id shard, std::uint64_t index) {
  return " " + std::to_string(shard) + " " + std::to_string(index);
}

int refused(const store_error& fault) {
  std::fprintf(stderr, "refused: %s\n", fault.message.c_str());
  return 1;
}

fault_plan plan_of(char** arguments) {
  fault_plan plan;
  const std::string where = arguments[0];
  if (where == "changes") plan.where = fault_plan::direction::changes;
  if (where == "reads") plan.where = fault_plan::direction::reads;
  if (where == "log_syncs") plan.where = fault_plan::direction::log_syncs;
  plan.at = std::strtoull(arguments[1], nullptr, 10);
  plan.how = std::string{arguments[2]} == "io" ? fault_plan::error::io : fault_plan::error::no_space;
  return plan;
}

template <class Life>
int live(const std::string& root, const fault_plan& faults, const std::function<void(Life&)>& run) {
  const auto disk = std::make_shared<powercut_disk>(root);
  disk->fail(faults, [](const std::string& what) { say("fault " + what); });
  life_events events;
  events.opened = [](std::uint64_t epoch) { say("opened " + std::to_string(epoch)); };
  events.appended = [](shard_id shard, std::uint64_t index) { say("appended" + about(shard, index)); };
  events.acknowledged = [](shard_id shard, std::uint64_t index) {
    say("acknowledged" + about(shard, index));
  };
  events.cut = [](shard_id shard, std::uint64_t epoch) { say("cut" + about(shard, epoch)); };
  auto begun = Life::begin(root + "/data", disk, events);
  if (const auto* fault = std::get_if<store_error>(&begun)) return refused(*fault);
  run(*std::get<std::unique_ptr<Life>>(begun));
  std::get<std::unique_ptr<Life>>(begun).reset();
  say("ended " + std::to_string(disk->changes()) + " " + std::to_string(disk->reads()));
  return 0;
}

int read(const std::string& root, const script& plan) {
  auto begun = life::begin(root + "/data", std::make_shared<powercut_disk>(root));
  if (const auto* fault = std::get_if<store_error>(&begun)) return refused(*fault);
  const auto& alive = *std::get<std::unique_ptr<life>>(begun);
  for (const auto end : alive.ends()) say("end " + std::to_string(end));
  std::string answers;
  byte_writer w{answers};
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    const auto prefix = keys::section(shard, row_section::entities).substr(0, 2);
    alive.stored().scan_rows(prefix, prefix_end(prefix), scan_order::ascending,
                             [&](std::string_view key, std::string_view value) {
                               w.sized(key);
                               w.sized(value);
                               return true;
                             });
    for (std::uint64_t index = 1; index <= plan.length(); ++index) {
      const auto& id = plan.command_id(shard, index);
      if (!id.empty()) w.sized(alive.stored().get_reply(shard, id).value_or("none"));
    }
  }
  say("answers " + std::to_string(answers.size()) + " " + std::to_string(stable_hash(answers)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "live" && argc == 9) {
    const script plan{static_cast<std::uint32_t>(number(3)), number(4)};
    return live<life>(argv[2], plan_of(argv + 6), [&](life& alive) { alive.run(plan, 1, number(5)); });
  }
  if (what == "install" && argc == 9) {
    const script plan{static_cast<std::uint32_t>(number(3)), number(4)};
    const auto given = snapshots_of(plan);
    return live<life>(argv[2], plan_of(argv + 6),
                      [&](life& alive) { alive.run_with_snapshots(plan, given, 1, number(5)); });
  }
  if (what == "serve" && argc == 9)
    return live<served_life>(argv[2], plan_of(argv + 6), [&](auto& alive) { alive.run(1, number(5)); });
  if (what == "read" && argc == 5) {
    return read(argv[2], script{static_cast<std::uint32_t>(number(3)), number(4)});
  }
  return 2;
}
