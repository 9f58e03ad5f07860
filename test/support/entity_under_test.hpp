#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "runtime/entity/activation.hpp"
#include "test/support/memory_rows.hpp"

namespace troupe::test {

/// What the kit itself finds wrong, as opposed to what a test checks.
struct kit_violation : std::logic_error {
  using std::logic_error::logic_error;
};

inline void kit_check(bool condition, const std::string& what) {
  if (!condition) throw kit_violation{"kind test kit: " + what};
}

/// One entity with rows in memory. Every message runs twice, on the activation at hand and on a fresh one
/// made from the stored rows, and both must do the same: so passivation changes nothing, at any moment. A
/// refusal must leave no trace and a query no change. Throws kit_violation where that does not hold.
class entity_under_test {
 public:
  entity_under_test(const kind_descriptor& kind, std::string key)
      : kind_(kind),
        key_(std::move(key)),
        at_hand_(std::make_unique<activation>(kind_, key_, stored_.source())) {}

  outcome run(const call& in, message_no message, std::string_view body,
              const version_condition& expect_version = {}) {
    ++batch_;
    const auto state_before = at_hand_->state_bytes();
    const auto version_before = at_hand_->version();
    activation fresh{kind_, key_, stored_.source()};
    const auto out = at_hand_->execute(in, message, body, batch_, expect_version);
    const auto again = fresh.execute(in, message, body, batch_, expect_version);
    check_same(out, again);
    kit_check(!at_hand_->rows().has_open_writes(), "writes are left open");
    if (out.what == outcome::status::ok) {
      check_change(out, version_before, state_before);
    } else {
      kit_check(at_hand_->state_bytes() == state_before, "a refusal changed the state");
      kit_check(at_hand_->version() == version_before, "a refusal changed the version");
      kit_check(out.changes.empty(), "a refusal had effects");
    }
    apply(out.changes);
    return out;
  }

  const memory_rows& stored() const { return stored_; }
  /// Timers that are set and have neither fired nor been cancelled.
  const std::map<timer_id, timer_set>& timers() const { return timers_; }
  std::uint64_t version() const { return at_hand_->version(); }
  std::string state_bytes() const { return at_hand_->state_bytes(); }

  /// Runs the earliest timer; it must be due.
  outcome fire_next(const call& in) {
    kit_check(!timers_.empty(), "there is no timer to fire");
    const auto timer = timers_.begin()->second;
    kit_check(timer.id.due <= in.now, "the timer is not due");
    timers_.erase(timers_.begin());
    auto out = run(in, timer.message, timer.body);
    kit_check(out.what == outcome::status::ok, "a timer's message was refused");
    return out;
  }

 private:
  static void check_same(const outcome& a, const outcome& b) {
    kit_check(a.what == b.what && a.reply == b.reply && a.version == b.version,
              "a fresh activation answers differently");
    kit_check(a.changes.rows == b.changes.rows, "a fresh activation writes other rows");
    kit_check(a.changes.sends == b.changes.sends, "a fresh activation sends other messages");
    kit_check(a.changes.timers_set == b.changes.timers_set &&
                  a.changes.timers_cancelled == b.changes.timers_cancelled,
              "a fresh activation sets other timers");
  }

  void check_change(const outcome& out, std::uint64_t version_before, const std::string& state_before) const {
    const auto writes_state = std::any_of(out.changes.rows.begin(), out.changes.rows.end(),
                                          [](const row_write& w) { return w.table == state_table; });
    kit_check(out.version == version_before + (writes_state ? 1 : 0), "the version does not count edits");
    kit_check(writes_state || at_hand_->state_bytes() == state_before,
              "the state changed and was not written");
  }

  void apply(const effects& changes) {
    stored_.apply(changes.rows);
    for (const auto& id : changes.timers_cancelled) timers_.erase(id);
    for (const auto& timer : changes.timers_set) {
      kit_check(timers_.emplace(timer.id, timer).second, "two timers with one id");
    }
    // The store lags behind the entity, now more, now less; and now and then the entity is passivated.
    if (batch_ % 3 == 0) at_hand_->forget(batch_ - 2);
    if (batch_ % 5 == 0) at_hand_ = std::make_unique<activation>(kind_, key_, stored_.source());
    const activation from_rows{kind_, key_, stored_.source()};
    kit_check(from_rows.state_bytes() == at_hand_->state_bytes(), "re-activation changes the state");
    kit_check(from_rows.version() == at_hand_->version(), "re-activation changes the version");
  }

  const kind_descriptor& kind_;
  std::string key_;
  memory_rows stored_;
  std::unique_ptr<activation> at_hand_;
  std::map<timer_id, timer_set> timers_;
  std::uint64_t batch_ = 0;
};

}  // namespace troupe::test
