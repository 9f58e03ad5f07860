#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "runtime/base/uuid.hpp"
#include "runtime/entity/names.hpp"
#include "runtime/entity/version_condition.hpp"

namespace troupe {

/// The name of one command, for ever; nil when it has none.
using command_id = uuid;

/// One request to one entity, as a front hands it to the runtime. CAF carries this envelope, never a domain
/// type.
struct command {
  entity_ref target;
  message_no message{};
  bool is_query = false;
  std::string body;  // encoded message
  /// name.
  command_id id;  // from principal and Idempotency-Key
  /// Of the request as the client sent it: the same id with another fingerprint is refused.
  std::uint64_t fingerprint = 0;
  /// Nothing changes unless this holds for the entity (If-Match, If-None-Match). A refusal goes before it.
  version_condition expect_version;
  /// Past it a command that has not started is not started.
  std::chrono::steady_clock::time_point deadline{};
};

enum class reply_status : std::uint8_t {
  ok = 1,
  rejected,          // bytes: an encoded rejection
  malformed,         // the kind does not know this message
  failed,            // the handler threw; nothing changed
  version_mismatch,  // expect_version did not hold; nothing changed
  key_reused,        // the command id was used for another request; nothing ran
  in_progress,       // the same command id is still at work; nothing ran twice
  overloaded,        // a queue is full; nothing ran
  deadline_passed,   // nothing ran
  stopping,          // the node drains; nothing ran
  storage_full,      // the disk has no room for changes; nothing ran
  not_primary,       // another node runs this shard, or none does yet; nothing ran
  unknown,           // it may have run: repeat with the same id to find out
};

struct reply {
  reply_status status = reply_status::unknown;
  std::string bytes;
  std::uint64_t version = 0;  // of the entity
  bool replayed = false;      // the stored reply of an earlier command with this id
};

using reply_handler = std::function<void(reply&&)>;

/// An I/O loop's way into the runtime. Every function is called on that loop's thread; no call blocks.
/// Commands are gathered until flush(), which the loop calls once at the end of a round, and replies until
/// drain(), which the loop calls after the port's `wake` callback: many commands and replies to one wake-up.
/// Each handler is called exactly once, from drain() or from expire(), never from submit().
class command_port {
 public:
  virtual ~command_port() = default;
  virtual void submit(command&& what, reply_handler on_reply) = 0;
  virtual void flush() = 0;
  virtual void drain() = 0;
  /// Answers `unknown` to what has had no reply long after its deadline; call a few times a second.
  virtual void expire(std::chrono::steady_clock::time_point now) = 0;
  /// Commands submitted and not answered yet.
  virtual std::size_t pending() const = 0;
};

}  // namespace troupe
