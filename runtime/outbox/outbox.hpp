#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/entity/effects.hpp"
#include "runtime/journal/entry.hpp"

namespace troupe {

/// One message on its way to another shard.
struct parcel {
  send_id id;
  outbound message;
};

/// What goes to another shard in one message. `settled_below`: the sender will never repeat a parcel below
/// it.
struct parcel_batch {
  shard_id source = 0;
  send_id settled_below;
  std::vector<parcel> parcels;
};

/// The sending half of the outbox of one shard: committed messages, per destination shard, until the
/// destination has them on disk and this shard has logged that. At most `window` a destination are in memory;
/// what is beyond waits in the store.
///
/// With the receiver's receipts this gives exactly one effect a message (outbox/O1): a message is repeated
/// until it is acknowledged, and a receipt outlives every repetition.
class outbox {
 public:
  /// Visits the stored messages for a destination from an id on, in order, until false.
  using loader = std::function<void(shard_id to, send_id from, const std::function<bool(parcel&&)>&)>;

  explicit outbox(loader stored, std::size_t window = 1024) : stored_(std::move(stored)), window_(window) {}

  /// After a restart: the destinations that the store has messages for.
  void restore(const std::vector<shard_id>& destinations);
  /// A committed message. Ids grow.
  void add(shard_id to, parcel what);
  using moment = std::chrono::steady_clock::time_point;

  /// What has not been sent since it was added, or since it became overdue.
  std::vector<std::pair<shard_id, parcel_batch>> take_outgoing(shard_id self, std::uint64_t applied_index,
                                                               moment now);
  /// The destination has these on disk.
  void acknowledged(shard_id from, const std::vector<send_id>& ids, moment now);
  /// Messages that are acknowledged and whose rows can go: for a housekeeping entry.
  peer_sends take_arrived();
  bool has_arrived() const { return !arrived_.empty(); }
  /// The housekeeping entry with these is committed.
  void settled(const peer_sends& arrived);
  /// Destinations that were sent to and have acknowledged nothing since `before` are sent everything again
  /// that they have not acknowledged. True when there is something.
  bool resend_overdue(moment before);
  bool is_idle() const { return channels_.empty(); }
  /// True while rows wait in the store for room in memory.
  bool has_backlog() const;
  std::size_t in_memory() const;

 private:
  enum class stage : std::uint8_t { unacknowledged, acknowledged, settled };
  struct item {
    parcel what;
    stage at = stage::unacknowledged;
  };
  struct channel {
    std::deque<item> window;             // by id; acknowledged ones leave when their arrival is on record
    std::size_t sent = 0;                // this many from the front need no sending
    std::optional<send_id> stored_from;  // from here on messages are only in the store
    std::uint64_t stored_last = 0;       // index of the last such message, as far as known
    send_id next;                        // behind the last message ever added or loaded
    bool told_settled = true;
    moment heard_at;  // of the destination, or when the first message was sent after a pause
  };
  void load_backlog(shard_id to, channel& c, std::uint64_t applied_index);
  static send_id settled_below(const channel& c);
  static item* find(channel& c, send_id id);

  loader stored_;
  std::size_t window_;
  std::map<shard_id, channel> channels_;
  peer_sends arrived_;
};

/// The receiving half: which messages have had their effect here. A receipt is durable with the effect and
/// goes when its sender says that it will not repeat the message. What goes leaves a mark of how far: who was
/// the sender before, and does not know yet that it is no more, may repeat it all the same, and so may a
/// connection.
class receipts {
 public:
  void restore(shard_id source, send_id id) { sources_[source].list.push_back({id, true}); }
  void restore_settled(shard_id source, send_id below) { sources_[source].settled_below = below; }
  /// False: already here, at work or done.
  [[nodiscard]] bool begin(shard_id source, send_id id);
  void done(shard_id source, send_id id);
  bool is_done(shard_id source, send_id id) const;
  /// Receipts below go; gives them for a housekeeping entry.
  void settle(shard_id source, send_id below);
  peer_sends take_forgotten() { return std::exchange(forgotten_, {}); }
  bool has_forgotten() const { return !forgotten_.empty(); }
  std::size_t size() const;

 private:
  struct receipt {
    send_id id;
    bool is_done = false;
  };
  using receipt_list = std::deque<receipt>;  // by id: messages mostly come in order
  struct sender {
    receipt_list list;
    send_id settled_below;
  };
  static receipt_list::iterator place_of(receipt_list& list, send_id id);

  std::map<shard_id, sender> sources_;
  peer_sends forgotten_;
};

}  // namespace troupe
