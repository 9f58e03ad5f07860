#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cluster/history/recorder.hpp"
#include "cluster/history/replica_file.hpp"
#include "test/support/random_history.hpp"

namespace {

/// Takes the entry of an acknowledged command out of every log, without leaving a gap.
void lose_entry(troupe::history::recorded_history& h) {
  for (auto& r : h.replicas) {
    if (r.entries.empty()) continue;
    r.entries.pop_back();
    for (auto* end : {&r.commit, &r.applied}) *end = std::min<std::uint64_t>(*end, r.entries.size());
  }
}

}  // namespace

/// Writes a legal history, or one that has lost the last entry of each log:
///   make_history DIRECTORY OPERATIONS [lossy]
int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "Usage: make_history DIRECTORY OPERATIONS [lossy]\n");
    return 2;
  }
  troupe::test::history_shape shape;
  shape.operations = std::strtoull(argv[2], nullptr, 10);
  shape.clients = 100;
  shape.skus = 50;
  shape.shards = 16;
  shape.initial = static_cast<std::int64_t>(shape.operations / 100);
  shape.overlap = 20'000;
  shape.unknown_percent = 1;
  auto made = troupe::test::history_maker{1, shape}.make();
  if (argc > 3) lose_entry(made);
  troupe::history::recorder recorder{argv[1], made.skus};
  if (!recorder.fault().empty()) {
    std::fprintf(stderr, "%s\n", recorder.fault().c_str());
    return 1;
  }
  const auto file = recorder.client();
  for (const auto& op : made.operations) file->add(op);
  for (const auto& replica : made.replicas) troupe::history::write_replica(argv[1], replica);
  return file->flush() ? 0 : 1;
}
