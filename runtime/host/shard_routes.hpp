#pragma once

#include "runtime/outbox/outbox.hpp"

namespace troupe {

/// Where other shards are, for what shards send each other. Without one all of them are in this process.
/// Called on the shards' threads; must not block. What cannot be sent is dropped: the sender repeats it.
class shard_routes {
 public:
  virtual ~shard_routes() = default;
  virtual bool is_here(shard_id shard) const = 0;
  virtual void send_parcels(shard_id to, const parcel_batch& parcels) = 0;
  virtual void send_acknowledgements(shard_id to, shard_id by, const std::vector<send_id>& ids) = 0;
};

}  // namespace troupe
