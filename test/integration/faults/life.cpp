#include "test/integration/faults/life.hpp"

#include "runtime/base/assert.hpp"

namespace troupe::faults {

std::variant<std::unique_ptr<life>, store_error> life::begin(const std::string& directory,
                                                             std::shared_ptr<rocksdb::FileSystem> disk,
                                                             life_events events) {
  store_options small;
  small.directory = directory;
  small.shard_count = script::shards;
  small.block_cache_bytes = 1U << 20U;
  small.write_buffer_bytes = 128U << 10U;
  small.disk = std::move(disk);
  auto opened = store::open(small);
  if (auto* fault = std::get_if<store_error>(&opened)) return *fault;
  std::unique_ptr<life> begun{new life{std::move(events)}};
  begun->store_ = std::move(std::get<std::unique_ptr<store>>(opened));
  begun->events_.opened(begun->store_->epoch());

  journal_options quick;
  quick.gather_max = std::chrono::microseconds{0};
  quick.apply_delay = std::chrono::milliseconds{1};
  quick.slice_rows = 8;
  quick.trim_bytes = 20'000;
  quick.mark_interval = std::chrono::milliseconds{1};
  begun->journal_ = std::make_unique<journal>(*begun->store_, *begun, quick, directory);
  auto recovered = begun->journal_->recover();
  if (auto* fault = std::get_if<store_error>(&recovered)) return *fault;
  const auto& found = std::get<std::vector<recovered_shard>>(recovered);
  for (const auto& shard : found) {
    begun->ends_.push_back(shard.last);
    begun->epochs_.push_back(shard.last_epoch());
  }
  begun->journal_->start();
  begun->apply_recovered(found);
  return begun;
}

/// As the only replica of each shard does: what is in the log is committed.
void life::apply_recovered(const std::vector<recovered_shard>& found) {
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    {
      const std::lock_guard lock{mutex_};
      synced_[shard] = found[shard].last;
      applied_[shard] = found[shard].applied;
    }
    if (found[shard].last > found[shard].applied) journal_->commit(shard, found[shard].last, true);
  }
  wait(applied_);
}

life::~life() {
  journal_.reset();
  store_.reset();
}

void life::on_synced(shard_id shard, std::uint64_t number) {
  std::uint64_t index = 0;
  {
    const std::lock_guard lock{mutex_};
    auto& waiting = waiting_[shard];
    for (; !waiting.empty() && waiting.front().first <= number; waiting.pop_front())
      index = waiting.front().second;
  }
  if (index == 0) return;
  events_.acknowledged(shard, index);
  const std::lock_guard lock{mutex_};
  synced_[shard] = index;
  changed_.notify_all();
}

void life::on_applied(shard_id shard, std::uint64_t index) {
  const std::lock_guard lock{mutex_};
  applied_[shard] = index;
  changed_.notify_all();
}

void life::wait(const std::array<std::uint64_t, script::shards>& at) {
  std::unique_lock lock{mutex_};
  const bool came = changed_.wait_for(lock, std::chrono::seconds{20}, [&] {
    for (shard_id shard = 0; shard < script::shards; ++shard) {
      if (at[shard] < ends_[shard]) return false;
    }
    return true;
  });
  TROUPE_ASSERT(came, "the journal did not come to the end of what was appended within 20 s");
}

void life::append(const script& plan, shard_id shard, std::uint64_t count) {
  const auto first = ends_[shard] + 1;
  chunk_writer chunk{shard};
  chunk.begin(first, store_->epoch(), epochs_[shard]);
  for (std::uint64_t i = 0; i < count; ++i) chunk.add(plan.entry(shard, first + i));
  ends_[shard] += count;
  epochs_[shard] = store_->epoch();
  events_.appended(shard, ends_[shard]);
  write({shard, log_write::kind::entries, 0, first, ends_[shard],
         std::make_shared<const std::string>(chunk.take()), count},
        ends_[shard]);
}

void life::write(log_write&& what, std::uint64_t promises) {
  what.number = ++numbers_[what.shard];
  if (promises > 0) {
    const std::lock_guard lock{mutex_};
    waiting_[what.shard].emplace_back(what.number, promises);
  }
  journal_->write(std::move(what));
}

/// Entries that are cut off again, from their second on, before anybody was promised anything: as when
/// another primary's log is taken over. They are the script's own, so it does no harm when the cut is lost.
void life::append_and_cut(const script& plan, shard_id shard, std::uint64_t count) {
  const auto first = ends_[shard] + 1;
  chunk_writer chunk{shard};
  chunk.begin(first, store_->epoch(), epochs_[shard]);
  for (std::uint64_t i = 0; i < count; ++i) chunk.add(plan.entry(shard, first + i));
  events_.appended(shard, ends_[shard] + count);
  write({shard, log_write::kind::entries, 0, first, ends_[shard] + count,
         std::make_shared<const std::string>(chunk.take()), count},
        0);
  write({shard, log_write::kind::truncation, 0, first + 1, 0, {}, 1}, 0);
  write({shard, log_write::kind::meta, 0, 0, 0, std::make_shared<const std::string>("cut"), 1}, 0);
  ends_[shard] = first;
  epochs_[shard] = store_->epoch();
}

void life::run(const script& plan, std::uint32_t seed, std::size_t rounds) {
  std::mt19937 random{seed};
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (shard_id shard = 0; shard < script::shards; ++shard) {
      auto left = plan.length() - ends_[shard];
      if (random() % 4 == 0 && left > 1) {
        append_and_cut(plan, shard, std::min<std::uint64_t>(2 + random() % 3, left));
        // Numbered behind the cut, so its promise is one of all before.
        append(plan, shard, 1);
      }
      left = plan.length() - ends_[shard];
      const auto count = std::min<std::uint64_t>(random() % 3, left);
      if (count > 0) append(plan, shard, count);
    }
    wait(synced_);
    for (shard_id shard = 0; shard < script::shards; ++shard) journal_->commit(shard, ends_[shard], false);
    if (round % 6 == 0) wait(applied_);
  }
}

std::string compare(const store& stored, const script& plan, const std::vector<std::uint64_t>& ends) {
  auto expected = plan.fold(ends);
  std::string fault;
  const auto name = [](std::string_view key) {
    std::string out;
    for (const char c : key) {
      constexpr const char* digits = "0123456789abcdef";
      out.push_back(digits[static_cast<unsigned char>(c) >> 4U]);
      out.push_back(digits[static_cast<unsigned char>(c) & 15U]);
    }
    return out;
  };
  stored.scan_rows("", "", scan_order::ascending, [&](std::string_view key, std::string_view value) {
    const auto it = expected.rows.find(std::string{key});
    if (it == expected.rows.end()) {
      fault = "row " + name(key) + " should not be there";
    } else if (it->second != value) {
      fault = "row " + name(key) + " is another";
    } else {
      expected.rows.erase(it);
    }
    return fault.empty();
  });
  if (!fault.empty()) return fault;
  if (!expected.rows.empty()) return "row " + name(expected.rows.begin()->first) + " is missing";
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    for (std::uint64_t index = 1; index <= plan.length(); ++index) {
      const auto& id = plan.command_id(shard, index);
      if (id.empty()) continue;
      const auto it = expected.replies.find({shard, id});
      const auto reply = stored.get_reply(shard, id);
      const auto which = std::to_string(index) + " of shard " + std::to_string(shard);
      if (reply.has_value() != (it != expected.replies.end()))
        return "the reply of entry " + which + (reply ? " should not be there" : " is missing");
      if (reply && *reply != it->second) return "the reply of entry " + which + " is another";
    }
  }
  return {};
}

}  // namespace troupe::faults
