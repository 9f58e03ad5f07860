#pragma once

#include <functional>
#include <memory>

#include "runtime/host/command.hpp"

namespace troupe {

struct shard_environment;
struct bridge_options {
  std::size_t pending_max = 65'536;
  /// How long after its deadline a command may still be answered, before the answer is `unknown`.
  std::chrono::milliseconds grace{1000};
};

/// Makes the way from one I/O loop to all shards of this process. `wake` is called from any thread when
/// drain() has something to do, once until the next drain(). The port must be destroyed before the node.
std::unique_ptr<command_port> make_bridge(void* actor_system, const shard_environment& shards,
                                          std::function<void()> wake, bridge_options options = {});

}  // namespace troupe
