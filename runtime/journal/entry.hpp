#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/entity/effects.hpp"
#include "runtime/store/keys.hpp"

namespace troupe {

/// What made an entry.
enum class entry_cause : std::uint8_t {
  command = 1,       // a client's command
  delivery = 2,      // a message from another entity's outbox
  timer = 3,         // a durable timer that fired
  housekeeping = 4,  // no entity: outbox messages that arrived, and receipts that are no longer needed
  barrier = 5,       // no entity: the first entry of an epoch; it changes nothing
};

/// The head of a log entry: which message to which entity, and why.
struct entry_head {
  entry_cause cause = entry_cause::command;
  timestamp at;  // stamped by the primary
  kind_id kind{};
  std::string_view key;
  message_no message{};

  // command
  std::string_view command_id;  // empty: the command has no name, and its reply is not kept
  std::uint64_t fingerprint = 0;
  std::uint64_t version = 0;
  std::string_view reply;
  // delivery
  shard_id source = 0;
  send_id sent;
  // timer
  timer_id fired;
};

/// Messages between shards that housekeeping is about.
using peer_sends = std::vector<std::pair<shard_id, send_id>>;

/// Appends one encoded entry: physical, so that applying it runs no domain code.
void encode_entry(std::string& out, const entry_head& head, const effects& changes);
void encode_housekeeping(std::string& out, timestamp at, const peer_sends& arrived,
                         const peer_sends& forgotten);

/// The same bytes in every replica: it has no time.
void encode_barrier(std::string& out);

/// A decoded entry. All views point into the bytes that it was decoded from.
struct entry_view {
  entry_head head;
  struct row {
    table_no table{};
    std::string_view key;
    bool erased = false;
    std::string_view value;
  };
  struct sent_message {
    entity_ref target;
    message_no message{};
    std::string_view body;
  };
  struct timer {
    timer_id id;
    message_no message{};
    std::string_view body;
  };
  std::vector<row> rows;
  std::vector<sent_message> sends;
  std::vector<timer> timers_set;
  std::vector<timer_id> timers_cancelled;
  peer_sends arrived;    // of this shard's outbox: delivered, their rows go
  peer_sends forgotten;  // receipts whose sender will never repeat
};

/// False when the bytes are not an entry of this or an older format.
[[nodiscard]] bool decode_entry(std::string_view bytes, entry_view& entry);

/// Entries of one shard and one epoch that follow each other: what one append hands to the journal and one
/// record of the log holds. [format][epoch][epoch of the entry before][count] then, an entry,
/// [checksum][length][bytes].
class chunk_writer {
 public:
  explicit chunk_writer(shard_id shard) : shard_(shard) {}
  /// Adds the entry with the next index.
  void add(std::string_view entry);
  std::size_t count() const { return count_; }
  std::size_t bytes() const { return entries_.size(); }
  std::uint64_t first_index() const { return first_index_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t previous_epoch() const { return previous_epoch_; }
  /// Starts over at that index, in an epoch and behind an entry of an epoch, perhaps the same.
  void begin(std::uint64_t first_index, std::uint64_t epoch, std::uint64_t previous_epoch);
  /// The finished chunk.
  std::string take();

 private:
  shard_id shard_;
  std::uint64_t epoch_ = 0;
  std::uint64_t previous_epoch_ = 0;
  std::uint64_t first_index_ = 1;
  std::size_t count_ = 0;
  std::string entries_;
};

struct chunk_view {
  std::uint64_t first_index = 0;
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;
  std::vector<std::string_view> entries;

  std::uint64_t last_index() const { return first_index + entries.size() - 1; }
};

/// Checks the checksum of every entry. False for anything that is not a whole, undamaged chunk.
[[nodiscard]] bool decode_chunk(shard_id shard, std::uint64_t first_index, std::string_view bytes,
                                chunk_view& chunk);

struct chunk_part {
  std::string bytes;
  std::uint64_t entries = 0;
};
/// Cuts a chunk that chunk_writer made into ones of at most `bytes_max`, or of one entry where that is
/// larger. The entries and their checksums stay as they are.
std::vector<chunk_part> split_chunk(std::string_view chunk, std::size_t bytes_max);
/// So many entries of a chunk behind the first `skipped`; it has that many.
std::string chunk_range(std::string_view chunk, std::uint64_t skipped, std::uint64_t entries);
/// The first `entries` of a chunk; it has that many.
std::string chunk_prefix(std::string_view chunk, std::uint64_t entries);

}  // namespace troupe
