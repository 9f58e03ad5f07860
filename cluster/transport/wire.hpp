#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/host/command.hpp"
#include "runtime/outbox/outbox.hpp"

/// What processes tell each other once they have said hello, but for the replication protocol, whose codec is
/// its own (cluster/replica/codec.hpp). Pure text in, text out. The reading side believes nothing: bytes that
/// are not exactly such a word give nothing.
namespace troupe::wire {

enum class word : std::uint8_t {
  replication = 1,      // one frame of the replication protocol
  command = 2,          // front to node
  reply = 3,            // node to front
  parcels = 4,          // outbox messages of one shard to another
  acknowledgement = 5,  // of parcels
  config = 6,           // what the authority holds of a shard, as the sender knows it
  part = 7,             // of a word that is longer than a message may be (parts.hpp)
};

inline constexpr auto last_word = word::part;

/// One command to a shard. Its deadline travels as what is left of it.
struct shard_command {
  std::uint64_t ticket = 0;  // the front's
  shard_id shard = 0;
  command what;
};

struct shard_reply {
  std::uint64_t ticket = 0;
  reply what;
};

struct shard_parcels {
  shard_id to = 0;
  parcel_batch what;
};

struct shard_acknowledgement {
  shard_id to = 0;
  shard_id by = 0;
  std::vector<send_id> ids;
};

using moment = std::chrono::steady_clock::time_point;

void encode(std::string& out, const shard_command& what, moment now);
void encode(std::string& out, const shard_reply& what);
void encode(std::string& out, const shard_parcels& what);
void encode(std::string& out, const shard_acknowledgement& what);
void encode(std::string& out, const stored_config& what);

[[nodiscard]] std::optional<shard_command> decode_command(std::string_view bytes, moment now);
[[nodiscard]] std::optional<shard_reply> decode_reply(std::string_view bytes);
[[nodiscard]] std::optional<shard_parcels> decode_parcels(std::string_view bytes);
[[nodiscard]] std::optional<shard_acknowledgement> decode_acknowledgement(std::string_view bytes);
[[nodiscard]] std::optional<stored_config> decode_config(std::string_view bytes);

/// Words one after the other, as they travel: [word][length][bytes][hash]… The hash is of the bytes, seeded
/// with the word: what is believed and kept must not only look like a word.
inline constexpr std::size_t word_overhead_max = 1 + 10 + 8;
void append_word(std::string& out, word kind, std::string_view bytes);
/// False for bytes that are not whole and sound words; what came before has been visited then.
template <class Visit>
[[nodiscard]] bool for_each_word(std::string_view bytes, Visit&& visit) {
  byte_reader in{bytes};
  while (!in.at_end()) {
    const auto kind = in.u8();
    const auto body = in.sized();
    if (in.u64_be() != stable_hash(body, kind)) return false;
    if (!in.ok() || kind < 1 || kind > static_cast<std::uint8_t>(last_word)) return false;
    visit(static_cast<word>(kind), body);
  }
  return true;
}

}  // namespace troupe::wire
