// What replicas on other nodes get, and what is got from them.
#include <algorithm>

#include "cluster/replica_host/replica_host.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/journal/snapshot_stage.hpp"

namespace troupe {

using namespace replication;

namespace {

/// So few are read on the shard's thread: the barrier of a new primary, or what a lost message held, is
/// waited for by everybody.
constexpr std::uint64_t read_at_once_max = 64;

/// Once they are written they are acknowledged, and every copy applies them; a snapshot is installed.
bool is_sound(shard_id shard, const message& what) {
  if (const auto* part = std::get_if<snapshot_part>(&what.body))
    return part->bytes != nullptr &&
           is_snapshot_piece(part->index, part->history, part->offset, *part->bytes);
  const auto* sent = std::get_if<append>(&what.body);
  if (sent == nullptr) return true;
  chunk_view view;
  entry_view entry;
  return std::all_of(sent->chunks.begin(), sent->chunks.end(), [&](const chunk& c) {
    if (!c.bytes) return true;  // a barrier
    return decode_chunk(shard, c.first, *c.bytes, view) && view.last_index() == c.last &&
           view.epoch == c.epoch && view.previous_epoch == c.previous_epoch &&
           std::all_of(view.entries.begin(), view.entries.end(),
                       [&](std::string_view one) { return decode_entry(one, entry); });
  });
}

}  // namespace

void replica_host::receive(message&& what) {
  if (is_sound(place_.shard, what)) {
    step(received{std::move(what)});
  } else {
    ++damaged_;
    publish();
  }
}
void replica_host::on_peer(member who) { step(peer_seen{who}); }
void replica_host::on_peer_lost(member who) {
  step(peer_lost{who});
  if (core_.is_in_haste()) tick_soon();  // instead of the tick that is to come
}
void replica_host::on_config(const stored_config& now) { step(config_read{now}); }
void replica_host::resign() { step(replication::resign{}); }
void replica_host::hand_over(node_id to) { step(transfer_to{to}); }

void replica_host::carry_out(const send& a) {
  TROUPE_ASSERT(environment_.peers != nullptr,
                "the only replica of a shard has nobody to talk to: " + core_.describe());
  environment_.peers->send(a.what);
}

/// Entries are read where everything that was written before is in the log, cuts too.
void replica_host::carry_out(const send_entries& a) {
  waiting_.push_back({written_, a});
  send_what_waited();
}

void replica_host::send_what_waited() {
  for (; !waiting_.empty() && waiting_.front().number <= synced_; waiting_.pop_front())
    send_from_log(waiting_.front().what);
}

/// As many messages as it takes. What is not in the log any more is left out: the protocol hears of that with
/// the next tick, and asks for a snapshot. An old log is read from disk, so that is done in the background:
/// on the shard's thread it kept all shards of the node from answering for seconds while an empty one caught
/// up.
void replica_host::send_from_log(const send_entries& what) {
  const auto read_all = [shard = place_.shard, &environment = environment_, what] {
    std::vector<replication::message> out;
    for (auto first = what.first; first <= what.last;) {
      const auto extracts = environment.history->read(shard, first, what.last, environment.message_bytes_max);
      if (extracts.empty()) break;
      auto one = what.what;
      for (const auto& e : extracts) {
        std::get<append>(one.body).chunks.push_back(
            {e.first_index, e.last_index, e.epoch, e.previous_epoch, e.bytes});
        first = e.last_index + 1;
      }
      out.push_back(std::move(one));
    }
    return out;
  };
  const auto send_all = [this, epoch = what.what.epoch](const std::vector<replication::message>& messages) {
    // The log has only grown since, as long as this is still the primary of that epoch.
    if (core_.role() != replication::replica_role::primary || core_.epoch() != epoch) return;
    for (const auto& one : messages) environment_.peers->send(one);
  };
  if (!environment_.in_reader || what.last - what.first < read_at_once_max) return send_all(read_all());
  const std::pair range{what.what.to.node, what.first};
  const auto [reading, is_new] = being_read_.try_emplace(range, what.last);
  // Asked again because it takes long, or because more is wanted by now.
  reading->second = std::max(reading->second, what.last);
  if (!is_new) return;
  environment_.in_reader([this, read_all, send_all, range, what, post = place_.post] {
    auto messages = std::make_shared<const std::vector<replication::message>>(read_all());
    post([this, send_all, range, what, messages] {
      const auto wanted = being_read_.extract(range).mapped();
      send_all(*messages);
      if (wanted > what.last) send_from_log({what.what, what.last + 1, wanted});
    });
  });
}

/// The shard is held still by the journal, and measured in the background. Asked again meanwhile, it is the
/// same one that is wanted.
void replica_host::carry_out(const take_snapshot& a) {
  if (!being_taken_.insert(a.receiver).second) return;
  const auto take = [this, receiver = a.receiver, post = place_.post](std::shared_ptr<shard_image> image,
                                                                      std::size_t piece_bytes) {
    // Nothing is applied: asked for too early; it will be again.
    if (image->applied().index == 0) return post([this, receiver] { being_taken_.erase(receiver); });
    auto source = std::make_shared<snapshot_source>(std::move(image), piece_bytes);
    post([this, receiver, source] {
      being_taken_.erase(receiver);
      sources_[receiver] = source;
      step(snapshot_taken{receiver, source->index(), source->total(), source->hash()});
    });
  };
  environment_.history->take_image(place_.shard, [take, environment = &environment_](
                                                     std::unique_ptr<shard_image> image) {
    environment->in_background([take, environment, held = std::shared_ptr<shard_image>{std::move(image)}] {
      take(held, environment->piece_bytes);
    });
  });
}

void replica_host::carry_out(const send_snapshot& a) {
  auto one = a.what;
  auto& part = std::get<snapshot_part>(one.body);
  const auto source = sources_.find(one.to.node);
  if (source == sources_.end() || source->second->index() != part.index) return;
  auto piece = source->second->piece_at(part.offset);
  // It is no longer what was announced.
  if (!piece) return carry_out(take_snapshot{one.to.node});
  part.bytes = std::make_shared<const std::string>(std::move(*piece));
  environment_.peers->send(one);
}

void replica_host::forget_old_snapshots() {
  std::erase_if(sources_,
                [needed = core_.needed_from()](const auto& one) { return one.second->index() + 1 < needed; });
}

void replica_host::carry_out(const stage_snapshot& a) {
  write({place_.shard, log_write::kind::piece, a.number, a.offset, a.index, a.bytes, 1});
}

void replica_host::carry_out(const install_snapshot& a) {
  give_way();
  compacted_ = std::max(compacted_, a.index + 1);  // the protocol's log begins there now
  applied_ = std::max(applied_, a.index);
  write({place_.shard, log_write::kind::install, a.number, 0, a.index, {}, 1});
}

/// Before a cut or a snapshot: entities have run ahead of the commit, so the shard must have ended its life
/// as the primary. What backups were to get out of the log is void.
void replica_host::give_way() {
  TROUPE_ASSERT(!is_serving_, "the log of a shard that serves gives way: " + core_.describe());
  waiting_.clear();
}

}  // namespace troupe
