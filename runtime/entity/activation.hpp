#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/entity/kind.hpp"
#include "runtime/entity/version_condition.hpp"

namespace troupe {

/// What one message to one entity came to.
struct outcome {
  enum class status : std::uint8_t {
    ok = 1,
    rejected = 2,   // `reply` is an encoded rejection
    malformed = 3,  // the kind does not know the message, or its bytes do not decode
    failed = 4,     // the handler threw; nothing changed
    version_mismatch = 5,
  };
  status what = status::ok;
  std::string reply;
  std::uint64_t version = 0;  // of the entity, after the message
  effects changes;            // empty unless ok
};

/// One entity in memory: runs one message after the other and records what each did. Does no I/O but reading
/// rows, knows nothing of threads, actors or logs; the runtime's actors and the test kit both drive it.
///
/// Invariant entity/E1: when execute() returns anything but ok, state, rows and version are as before.
class activation {
 public:
  /// Reads the state row through `stored`.
  activation(const kind_descriptor& kind, std::string key, std::unique_ptr<row_source> stored);

  /// `batch` numbers the changes for forget() and must not decrease. Nothing changes unless `expect` holds
  /// for the entity's version; a refusal of the handler goes before that.
  outcome execute(const call& in, message_no message, std::string_view body, std::uint64_t batch,
                  const version_condition& expect = {});

  /// Changes up to this batch can be read from the store.
  void forget(std::uint64_t applied_batch) { rows_.forget(applied_batch); }

  std::uint64_t version() const { return entity_->version_; }
  bool has_pending_rows() const { return rows_.size() > 0; }
  const entity_base& object() const { return *entity_; }
  /// The state as it would be stored now.
  std::string state_bytes() const {
    std::string out;
    entity_->save_state(out);
    return out;
  }
  row_overlay& rows() { return rows_; }

 private:
  void load();
  void roll_back();
  void put_state();
  void seal(outcome& out, std::uint64_t batch);

  const kind_descriptor& kind_;
  row_overlay rows_;
  std::unique_ptr<entity_base> entity_;
};

}  // namespace troupe
