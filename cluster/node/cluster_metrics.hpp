#pragma once

#include <memory>

#include "cluster/node/cluster_node.hpp"

namespace prometheus {
class Collectable;
}

namespace troupe {

/// What a node of a cluster adds to the figures of its runtime, as Prometheus families (troupe_primaries,
/// troupe_refused_total{what="…"}, …), read at each scrape. The node outlives every scrape.
std::shared_ptr<prometheus::Collectable> make_cluster_metrics(const cluster_node& of);

}  // namespace troupe
