#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/authority/shard_config.hpp"

namespace troupe {

/// The format of what the authority holds. A greater one is refused: run a newer troupe.
inline constexpr std::uint32_t authority_format = 1;

/// What one process says about itself when it starts.
struct node_profile {
  std::string name;     // unique in the cluster and the same at every start: [a-z0-9][a-z0-9-]{0,62}
  std::string address;  // where peers reach it; passed on as a hint, empty: none
  std::string zone;     // what fails together with it; like a name, or empty. Passed on with the address
  std::string ops;      // where its operations port is, for `troupe status`; empty: not said
  uuid disk;            // made with its data directory: another one means that the old data is gone
  uuid cluster;         // what the data directory belongs to, nil when it is new
  std::uint32_t shard_count = 0;
  std::uint32_t protocol = 0;  // that it speaks to other nodes; 0: not said
  uuid start{};                // of this process, on its disk before it registers; nil: one is made
  /// The disk's last start that it knows to be registered; nil: none. When another one is, that one went on
  /// from another state of the disk, and this is an older copy. None: not known.
  std::optional<uuid> last_start{};
  /// The second call of a start: its disk knows now that it is registered. It speaks to nobody before this
  /// has been answered. A first call in the name of a start that is confirmed comes from an older copy of the
  /// disk.
  bool is_confirmed = false;
  /// Of the process alone, on no disk: of two that have copies of one disk, and so one start, one may speak.
  uuid process{};
  bool is_trusted = false;  // an operator says that nothing is missing on the disk
};

enum class registration_outcome : std::uint8_t {
  registered,
  refused,      // it does not belong here; trying again will not help
  unreachable,  // not known in time: ask again, which is safe
};

struct registration_result {
  registration_outcome outcome = registration_outcome::unreachable;
  uuid cluster;
  member self;               // the number of its name, and this run
  bool disk_is_new = false;  // the name was registered before, with another disk: it has lost its data
  std::string error;
};

/// A node that has registered at least once.
struct known_node {
  std::string name;
  member latest;  // its number and its latest run
  uuid disk;
  std::string address;         // a hint: empty when it has not been heard of lately
  std::string zone;            // the same
  std::string ops;             // the same
  std::uint32_t protocol = 0;  // the same; 0: not said

  bool is_present() const { return !address.empty(); }
};

struct nodes_result {
  bool ok = false;                // false: the authority could not be reached; nothing else is set
  std::vector<known_node> nodes;  // by number
  std::string error;
  uuid cluster;  // nil: no node has ever registered
  std::uint32_t shard_count = 0;
};

/// Who belongs to the cluster. Kept by the same authority as the shards' configs, with the same rules: each
/// callback is called once, on a thread of the authority's, within its deadline; no call blocks.
class membership {
 public:
  virtual ~membership() = default;
  /// Twice at each start of a process (`is_confirmed`): checks that cluster, shard count and format fit (the
  /// first node of a cluster sets them) and that no node is there which speaks another protocol, gives the
  /// name its number, and starts a new run.
  virtual void register_node(const node_profile& self, std::function<void(registration_result)> done) = 0;
  virtual void read_nodes(std::function<void(nodes_result)> done) = 0;
};

}  // namespace troupe
