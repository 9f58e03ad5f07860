#include "cluster/authority/etcd/hint_loop.hpp"

#include <algorithm>

#include "runtime/base/hash.hpp"

namespace troupe::etcd {
namespace {

using namespace std::chrono_literals;

/// However much the watch has to say, everything is not looked at more often than this.
constexpr auto look_interval_min = 50ms;
/// A watch that is silent for so long is made anew; it may have been forgotten by its server.
constexpr auto watch_silence_max = 60s;
constexpr auto watch_again_after = 1s;

/// Of the keys and their revisions: differs when anything was written or has gone.
std::uint64_t fingerprint(const range_answer& keys) {
  std::string text;
  for (const auto& kv : keys.found) text += kv.key + '=' + std::to_string(kv.revision) + ';';
  return stable_hash(text);
}

}  // namespace

hint_loop::hint_loop(endpoint_list& endpoints, checked_store& store, const key_space& keys, settings how)
    : settings_(how), store_(store), keys_(keys), poll_link_(endpoints), watch_link_(endpoints) {
  poller_ = std::thread{[this] { look_around(); }};
  watcher_ = std::thread{[this] { watch(); }};
}

hint_loop::~hint_loop() { stop(); }

void hint_loop::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  woken_.notify_all();
  poll_link_.abort();
  watch_link_.abort();
  if (poller_.joinable()) poller_.join();
  if (watcher_.joinable()) watcher_.join();
}

void hint_loop::on_hint(std::function<void()> changed) {
  const std::lock_guard lock{handler_mutex_};
  changed_ = std::move(changed);
}

void hint_loop::announce(const std::string& node_name, const std::string& record) {
  {
    const std::lock_guard lock{mutex_};
    address_key_ = keys_.address(node_name);
    address_record_ = record;
    has_changed_ = true;
  }
  woken_.notify_all();
}

bool hint_loop::pause(std::chrono::milliseconds at_most) {
  std::unique_lock lock{mutex_};
  woken_.wait_for(lock, look_interval_min, [this] { return is_stopping_; });
  woken_.wait_for(lock, at_most, [this] { return is_stopping_ || has_changed_; });
  has_changed_ = false;
  return !is_stopping_;
}

void hint_loop::look_around() {
  do {
    keep_address();
    look();
  } while (pause(settings_.interval));
}

void hint_loop::look() {
  asking who{poll_link_, clock::now() + settings_.patience};
  std::string error;
  const auto keys = store_.range(who, keys_.all(), want::keys, error);
  if (!keys) return;
  const auto now = fingerprint(*keys);
  if (now == last_seen_) return;
  last_seen_ = now;
  const std::lock_guard lock{handler_mutex_};
  if (changed_) changed_();
}

void hint_loop::keep_address() {
  std::string key;
  std::string record;
  {
    const std::lock_guard lock{mutex_};
    key = address_key_;
    record = address_record_;
  }
  const auto now = clock::now();
  if (key.empty() || now < address_due_) return;
  asking who{poll_link_, now + settings_.patience};
  if (lease_ != 0) {
    // etcd 3.4 may say that a lease lives which it has revoked (its issue 20590): the look at all keys would
    // show the address missing, and a hint may be missing.
    const auto reply = who.link.post_read("/v3/lease/keepalive", keep_alive_request(lease_), who.deadline);
    const auto answer = reply.is_ok() ? parse_keep_alive(reply.body) : std::nullopt;
    if (reply.is_ok() && !answer)
      store_.refuse(refusal::nonsense, "what it says of a lease that is kept alive cannot be read");
    if (!answer) return;  // not known: ask again at the next look
    if (answer->ttl_s <= 0) lease_ = 0;
  }
  if (lease_ == 0) put_address(who, key, record);
  if (lease_ != 0) address_due_ = now + settings_.address_lifetime / 3;
}

void hint_loop::put_address(asking& who, const std::string& key, const std::string& record) {
  const auto ttl = std::chrono::duration_cast<std::chrono::seconds>(settings_.address_lifetime).count();
  const auto reply =
      who.link.post_once("/v3/lease/grant", grant_request(std::max<std::int64_t>(ttl, 1)), who.deadline);
  const auto granted = reply.is_ok() ? parse_grant(reply.body) : std::nullopt;
  if (reply.is_ok() && !granted) store_.refuse(refusal::nonsense, "the lease that it grants cannot be read");
  if (!granted) return;
  std::string error;
  if (store_.txn(who, {}, {{key, record, granted->lease}}, {}, error)) lease_ = granted->lease;
}

void hint_loop::watch() {
  while (true) {
    watch_link_.stream("/v3/watch", watch_request(keys_.all()), watch_silence_max, [this](std::string_view) {
      const std::lock_guard lock{mutex_};
      has_changed_ = true;
      woken_.notify_all();
      return !is_stopping_;
    });
    std::unique_lock lock{mutex_};
    if (woken_.wait_for(lock, watch_again_after, [this] { return is_stopping_; })) return;
  }
}

}  // namespace troupe::etcd
