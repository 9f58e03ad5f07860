#pragma once

#include <memory>

#include "runtime/host/node.hpp"

namespace prometheus {
class Collectable;
}

namespace troupe {

/// The node's figures as Prometheus families (troupe_commands_total, troupe_journal_sync_seconds_sum, …),
/// read at each scrape. The node outlives every scrape.
std::shared_ptr<prometheus::Collectable> make_node_metrics(const node& of);

}  // namespace troupe
