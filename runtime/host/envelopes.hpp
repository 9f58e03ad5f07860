#pragma once

#include <caf/all.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/host/work.hpp"
#include "runtime/outbox/outbox.hpp"

/// What the runtime's actors send each other: a handful of envelopes for the whole system, never a domain
/// type. All of them stay in this process; each is owned by its receiver from the moment it is sent.
namespace troupe {

struct command_batch {
  caf::actor front;  // where the replies go
  std::vector<ticketed_command> commands;
};
struct reply_batch {
  std::vector<ticketed_reply> replies;
};
struct acknowledgement {
  shard_id by = 0;
  std::vector<send_id> ids;
};
struct synced_notice {
  std::uint64_t number = 0;  // of the shard's write
};
struct applied_notice {
  std::uint64_t index = 0;
};
/// Time has passed; one too many does no harm.
struct wake_notice {};
/// The same for the shard's replica.
struct tick_notice {};
/// Asks a shard whether it is quiet; stops accepting first when `stop` is set.
struct quiet_question {
  bool stop = false;
};
struct storage_notice {
  bool is_full = false;
};

using command_batch_ptr = std::shared_ptr<command_batch>;
using reply_batch_ptr = std::shared_ptr<reply_batch>;
using run_batch_ptr = std::shared_ptr<run_batch>;
using parcel_batch_ptr = std::shared_ptr<parcel_batch>;
/// What another thread wants to run on the shard's.
using posted_call = std::shared_ptr<std::function<void()>>;
using acknowledgement_ptr = std::shared_ptr<acknowledgement>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::command_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::reply_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::parcel_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::acknowledgement_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::synced_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::applied_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wake_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tick_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::posted_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::quiet_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::storage_notice)

namespace troupe {

/// Long-lived actors must not die of a message that they do not know, and must not answer one they were not
/// asked: CAF's defaults do both (caf.md, section 0.2). An exception that gets this far (handlers of kinds
/// are caught before) ends the process: CAF would end the one actor, and all that waits for it would wait for
/// ever.
template <class Self>
void harden(Self* self) {
  self->set_error_handler([](caf::error&) {});
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    if (self->current_message_id().is_request()) return caf::sec::unexpected_message;
    return caf::message{};
  });
  self->set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      assertion_failed("no exception leaves an actor", __FILE__, __LINE__, e.what());
    } catch (...) {
      assertion_failed("no exception leaves an actor", __FILE__, __LINE__, "not a std::exception");
    }
  });
}

}  // namespace troupe
