#include "runtime/outbox/outbox.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t batch_max = 256;

}  // namespace

void outbox::restore(const std::vector<shard_id>& destinations) {
  for (const auto to : destinations) channels_[to].stored_from = send_id{};
}

void outbox::add(shard_id to, parcel what) {
  auto& c = channels_[to];
  c.next = behind(what.id);
  if (c.stored_from || c.window.size() >= window_) {
    if (!c.stored_from) c.stored_from = what.id;
    c.stored_last = what.id.index;
    return;
  }
  c.window.push_back({std::move(what)});
}

void outbox::load_backlog(shard_id to, channel& c, std::uint64_t applied_index) {
  if (!c.stored_from || c.window.size() > window_ / 2) return;
  const auto room = window_ - c.window.size();
  std::size_t loaded = 0;
  bool more = false;
  stored_(to, *c.stored_from, [&](parcel&& what) {
    // Rows behind what is applied come in slices and in no order: one that is there may follow one that is
    // not.
    if (loaded == room || what.id.index > applied_index) {
      more = true;
      return false;
    }
    ++loaded;
    c.stored_from = behind(what.id);
    c.next = std::max(c.next, behind(what.id));
    c.window.push_back({std::move(what)});
    return true;
  });
  // Messages whose rows are not stored yet are still to come.
  if (!more && applied_index >= c.stored_last) c.stored_from.reset();
}

std::vector<std::pair<shard_id, parcel_batch>> outbox::take_outgoing(shard_id self,
                                                                     std::uint64_t applied_index,
                                                                     moment now) {
  std::vector<std::pair<shard_id, parcel_batch>> out;
  for (auto it = channels_.begin(); it != channels_.end();) {
    auto& [to, c] = *it;
    load_backlog(to, c, applied_index);
    parcel_batch batch{self, settled_below(c), {}};
    if (c.sent == 0) c.heard_at = now;
    for (; c.sent < c.window.size(); ++c.sent) {
      auto& one = c.window[c.sent];
      if (one.at != stage::unacknowledged) continue;
      batch.parcels.push_back(one.what);
      if (batch.parcels.size() == batch_max)
        out.emplace_back(to, std::exchange(batch, {self, batch.settled_below, {}}));
    }
    if (!batch.parcels.empty() || !c.told_settled) out.emplace_back(to, std::move(batch));
    c.told_settled = true;
    if (c.window.empty() && !c.stored_from) {
      it = channels_.erase(it);
    } else {
      ++it;
    }
  }
  return out;
}

outbox::item* outbox::find(channel& c, send_id id) {
  const auto it = std::lower_bound(c.window.begin(), c.window.end(), id,
                                   [](const item& one, const send_id& key) { return one.what.id < key; });
  return it != c.window.end() && it->what.id == id ? &*it : nullptr;
}

void outbox::acknowledged(shard_id from, const std::vector<send_id>& ids, moment now) {
  const auto channel_at = channels_.find(from);
  if (channel_at == channels_.end()) return;
  channel_at->second.heard_at = now;
  for (const auto& id : ids) {
    auto* one = find(channel_at->second, id);
    if (one == nullptr || one->at != stage::unacknowledged) continue;
    one->at = stage::acknowledged;
    one->what.message = {};
    arrived_.emplace_back(from, id);
  }
}

peer_sends outbox::take_arrived() { return std::exchange(arrived_, {}); }

void outbox::settled(const peer_sends& arrived) {
  for (const auto& [to, id] : arrived) {
    const auto it = channels_.find(to);
    if (it == channels_.end()) continue;
    auto& c = it->second;
    if (auto* one = find(c, id)) one->at = stage::settled;
    while (!c.window.empty() && c.window.front().at == stage::settled) {
      c.window.pop_front();
      if (c.sent > 0) --c.sent;
    }
    c.told_settled = false;
  }
}

bool outbox::resend_overdue(moment before) {
  bool is_any = false;
  for (auto& [to, c] : channels_) {
    if (c.sent == 0 || c.heard_at > before) continue;
    const bool waits = std::any_of(c.window.begin(), c.window.begin() + static_cast<std::ptrdiff_t>(c.sent),
                                   [](const item& one) { return one.at == stage::unacknowledged; });
    if (!waits) continue;
    c.sent = 0;
    is_any = true;
  }
  return is_any;
}

send_id outbox::settled_below(const channel& c) {
  if (!c.window.empty()) return c.window.front().what.id;
  return c.stored_from ? *c.stored_from : c.next;
}

bool outbox::has_backlog() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const auto& c) { return c.second.stored_from.has_value(); });
}

std::size_t outbox::in_memory() const {
  std::size_t total = 0;
  for (const auto& [to, c] : channels_) total += c.window.size();
  return total;
}

receipts::receipt_list::iterator receipts::place_of(receipt_list& list, send_id id) {
  if (list.empty() || list.back().id < id) return list.end();
  return std::lower_bound(list.begin(), list.end(), id,
                          [](const receipt& one, const send_id& key) { return one.id < key; });
}

bool receipts::begin(shard_id source, send_id id) {
  auto& from = sources_[source];
  if (id < from.settled_below) return false;
  const auto at = place_of(from.list, id);
  if (at != from.list.end() && at->id == id) return false;
  from.list.insert(at, {id, false});
  return true;
}

void receipts::done(shard_id source, send_id id) {
  auto& list = sources_[source].list;
  const auto at = place_of(list, id);
  if (at != list.end() && at->id == id) at->is_done = true;
}

bool receipts::is_done(shard_id source, send_id id) const {
  const auto it = sources_.find(source);
  if (it == sources_.end()) return false;
  const auto& [list, settled_below] = it->second;
  if (id < settled_below) return true;
  const auto at = std::lower_bound(list.begin(), list.end(), id,
                                   [](const receipt& one, const send_id& key) { return one.id < key; });
  return at != list.end() && at->id == id && at->is_done;
}

void receipts::settle(shard_id source, send_id below) {
  if (below == send_id{}) return;
  auto& [list, settled_below] = sources_[source];
  settled_below = std::max(settled_below, below);
  while (!list.empty() && list.front().id < below) {
    forgotten_.emplace_back(source, list.front().id);
    list.pop_front();
  }
}

std::size_t receipts::size() const {
  std::size_t total = 0;
  for (const auto& [source, from] : sources_) total += from.list.size();
  return total;
}

}  // namespace troupe
