#include "test/integration/faults/script.hpp"

#include <deque>

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/journal/apply_buffer.hpp"
#include "runtime/store/reply_record.hpp"

namespace troupe::faults {
namespace {

constexpr kind_id some_kind{201};
constexpr std::size_t entities = 6;
// Far ahead, so that no stored reply is too old.
constexpr std::int64_t base_ms = 4'102'444'800'000;

}  // namespace

/// Writes one shard's history and keeps what a later entry may refer to.
class script::author {
 public:
  author(std::uint32_t seed, shard_id shard) : random_(seed * 7919U + shard), shard_(shard) {}

  scripted_entry next() {
    ++index_;
    out_ = {};
    changes_ = {};
    written_.clear();
    const auto dice = below(100);
    if (dice < 15 && housekeeping()) return std::move(out_);
    entry_head head;
    head.at = {base_ms + static_cast<std::int64_t>(index_)};
    entity_ = {some_kind, "entity-" + std::to_string(below(entities))};
    head.kind = entity_.kind;
    head.key = entity_.key;
    head.message = message_no{1};
    if (dice < 30) {
      delivery(head);
    } else if (dice < 45 && !timers_[entity_.key].empty()) {
      fire(head);
    } else {
      command(head);
    }
    write_rows();
    send();
    set_timers();
    encode_entry(out_.bytes, head, changes_);
    return std::move(out_);
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string text(std::size_t size_max) {
    auto out = std::to_string(shard_) + "/" + std::to_string(index_) + ":";
    for (auto left = below(size_max); left > 0; --left) out.push_back(static_cast<char>('a' + below(26)));
    return out;
  }
  void put(std::string key, std::string value) { out_.rows.push_back({std::move(key), std::move(value)}); }
  void erase(std::string key) { out_.rows.push_back({std::move(key), std::nullopt}); }

  bool housekeeping() {
    peer_sends arrived;
    peer_sends forgotten;
    for (auto left = below(4); left > 0 && !outbox_.empty(); --left) arrived.push_back(take(outbox_));
    for (auto left = below(4); left > 0 && !received_.empty(); --left) forgotten.push_back(take(received_));
    if (arrived.empty() && forgotten.empty()) return false;
    for (const auto& [peer, id] : arrived) erase(keys::message(shard_, row_section::outbox, peer, id));
    for (const auto& [peer, id] : forgotten) erase(keys::message(shard_, row_section::received, peer, id));
    for (std::size_t i = 0; i < forgotten.size(); ++i) {
      const auto& [peer, id] = forgotten[i];
      const bool is_last_of_run = i + 1 == forgotten.size() || forgotten[i + 1].first != peer;
      if (is_last_of_run)
        put(keys::channel(shard_, row_section::settled, peer), encode_settled_row(behind(id)));
    }
    encode_housekeeping(out_.bytes, {base_ms}, arrived, forgotten);
    return true;
  }
  template <class T>
  T take(std::vector<T>& from) {
    const auto at = static_cast<std::ptrdiff_t>(below(from.size()));
    auto taken = from[static_cast<std::size_t>(at)];
    from.erase(from.begin() + at);
    return taken;
  }
  void delivery(entry_head& head) {
    head.cause = entry_cause::delivery;
    head.source = static_cast<shard_id>(below(shards));
    head.sent = {index_, static_cast<std::uint16_t>(below(3))};
    received_.emplace_back(head.source, head.sent);
    put(keys::message(shard_, row_section::received, head.source, head.sent), std::string(1, row_format));
  }
  void fire(entry_head& head) {
    head.cause = entry_cause::timer;
    head.fired = take(timers_[entity_.key]);
    erase(keys::timer(shard_, entity_, head.fired));
  }
  void command(entry_head& head) {
    head.cause = entry_cause::command;
    byte_writer id{out_.command_id};
    id.u64_be(shard_);
    id.u64_be(index_);
    head.command_id = out_.command_id;
    head.fingerprint = index_ * 31;
    head.version = index_;
    reply_ = text(50);
    head.reply = reply_;
    reply_record{head.at, head.fingerprint, head.version, reply_}.encode_to(out_.reply);
  }
  void write_rows() {
    write_row(state_table, {}, text(100));
    for (auto left = below(4); left > 0; --left) {
      const auto key = "row" + std::to_string(below(20));
      write_row(table_no{1}, key, below(5) == 0 ? std::optional<std::string>{} : text(1200));
    }
  }
  void write_row(table_no table, const std::string& key, std::optional<std::string> value) {
    out_.rows.push_back({keys::table_prefix(shard_, entity_, table) + key, value});
    // What is encoded below are views.
    const auto& kept = written_.emplace_back(key, std::move(value));
    changes_.rows.push_back({table, kept.first, kept.second});
  }
  void send() {
    for (std::uint16_t position = 0; position < below(3); ++position) {
      outbound what{{some_kind, "target-" + std::to_string(below(50))}, message_no{2}, text(80)};
      const auto to = shard_of(what.target, shards);
      outbox_.emplace_back(to, send_id{index_, position});
      put(keys::message(shard_, row_section::outbox, to, {index_, position}),
          encode_outbox_row({what.target, what.message, what.body}));
      changes_.sends.push_back(std::move(what));
    }
  }
  void set_timers() {
    auto& own = timers_[entity_.key];
    if (!own.empty() && below(4) == 0) {
      changes_.timers_cancelled.push_back(take(own));
      erase(keys::timer(shard_, entity_, changes_.timers_cancelled.back()));
    }
    if (below(3) != 0) return;
    timer_set timer{{{base_ms + static_cast<std::int64_t>(below(100'000))}, index_}, message_no{3}, text(40)};
    own.push_back(timer.id);
    put(keys::timer(shard_, entity_, timer.id), encode_timer_row(timer.message, timer.body));
    changes_.timers_set.push_back(std::move(timer));
  }

  std::mt19937 random_;
  const shard_id shard_;
  std::uint64_t index_ = 0;
  entity_ref entity_;
  std::string reply_;
  effects changes_;
  std::deque<std::pair<std::string, std::optional<std::string>>> written_;  // the rows that changes_ views
  scripted_entry out_;
  std::map<std::string, std::vector<timer_id>> timers_;  // by entity
  peer_sends outbox_;
  peer_sends received_;
};

script::script(std::uint32_t seed, std::uint64_t entries_per_shard) : length_(entries_per_shard) {
  for (shard_id shard = 0; shard < shards; ++shard) {
    author writer{seed, shard};
    auto& history = entries_.emplace_back();
    for (std::uint64_t i = 0; i < length_; ++i) history.push_back(writer.next());
  }
}

const std::string& script::entry(shard_id shard, std::uint64_t index) const {
  return entries_[shard].at(index - 1).bytes;
}

const std::string& script::command_id(shard_id shard, std::uint64_t index) const {
  return entries_[shard].at(index - 1).command_id;
}

std::string script::stray(shard_id shard, std::uint64_t index, std::uint64_t epoch) const {
  const auto text = "stray " + std::to_string(index) + " of epoch " + std::to_string(epoch);
  const auto key = "entity-" + std::to_string(index % entities);
  const auto put = "row" + std::to_string(index % 20);
  const auto erased = "row" + std::to_string((index + 7) % 20);
  entry_head head;
  head.cause = entry_cause::command;
  head.at = {base_ms + static_cast<std::int64_t>(index)};
  head.kind = some_kind;
  head.key = key;
  head.message = message_no{1};
  head.command_id = command_id(shard, index);
  head.fingerprint = epoch;
  head.reply = text;
  effects changes;
  changes.rows.push_back({state_table, {}, text});
  changes.rows.push_back({table_no{1}, put, text});
  changes.rows.push_back({table_no{1}, erased, std::nullopt});
  changes.sends.push_back({{some_kind, "target-0"}, message_no{2}, text});
  std::string out;
  encode_entry(out, head, changes);
  return out;
}

expected_state script::fold(const std::vector<std::uint64_t>& ends) const {
  expected_state state;
  for (shard_id shard = 0; shard < shards; ++shard) {
    for (std::uint64_t i = 0; i < ends[shard]; ++i) {
      const auto& one = entries_[shard].at(i);
      for (const auto& row : one.rows) {
        if (row.value) {
          state.rows[row.key] = *row.value;
        } else {
          state.rows.erase(row.key);
        }
      }
      if (!one.command_id.empty()) state.replies[{shard, one.command_id}] = one.reply;
    }
  }
  return state;
}

}  // namespace troupe::faults
