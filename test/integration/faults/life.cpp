#include "test/integration/faults/life.hpp"

#include <future>

#include "runtime/base/assert.hpp"
#include "runtime/journal/snapshot_source.hpp"

namespace troupe::faults {

namespace {

/// The number of an epoch tells what its entries are. In a life they count on, and the store's own number,
/// which is greater in each life, comes first.
constexpr std::uint64_t epoch_kinds = 3;
constexpr std::uint64_t epochs_per_life = 1'000'000;

std::string shard_prefix(unsigned shard) {
  std::string out;
  byte_writer{out}.u16_be(static_cast<std::uint16_t>(shard));
  return out;
}

bool is_of_script(std::uint64_t epoch) { return epoch % epoch_kinds == 0; }

/// Where the script's entries end in a log; behind them are strays only, or the fault.
std::variant<std::uint64_t, std::string> script_end(const recovered_shard& found) {
  std::optional<std::uint64_t> end;
  for (std::size_t i = 0; i < found.history.size(); ++i) {
    const auto [epoch, first] = found.history[i];
    const auto last = i + 1 < found.history.size() ? found.history[i + 1].first_index - 1 : found.last;
    if (end && is_of_script(epoch)) return "entries behind strays: a cut is lost, or what it cut is back";
    const bool is_one_then_strays = epoch % epoch_kinds == 2;
    if (end || is_of_script(epoch) || (is_one_then_strays && last == first)) continue;
    end = is_one_then_strays ? first : first - 1;
  }
  return end.value_or(found.last);
}

}  // namespace

std::variant<std::unique_ptr<life>, store_error> life::begin(const std::string& directory,
                                                             std::shared_ptr<rocksdb::FileSystem> disk,
                                                             life_events events, const life_pace& pace) {
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
  quick.apply_delay = pace.apply_delay;
  quick.slice_rows = 8;
  quick.trim_bytes = 20'000;
  quick.mark_interval = pace.mark_interval;
  begun->journal_ = std::make_unique<journal>(*begun->store_, *begun, quick, directory);
  auto recovered = begun->journal_->recover();
  if (auto* fault = std::get_if<store_error>(&recovered)) return *fault;
  const auto& found = std::get<std::vector<recovered_shard>>(recovered);
  if (auto fault = begun->take(found)) return *fault;
  begun->journal_->start();
  begun->apply_recovered(found);
  return begun;
}

std::optional<store_error> life::take(const std::vector<recovered_shard>& found) {
  for (const auto& shard : found) {
    const auto end = script_end(shard);
    if (const auto* fault = std::get_if<std::string>(&end))
      return store_error{store_error::code::suspect, *fault};
    const auto last = std::get<std::uint64_t>(end);
    ends_.push_back(last);
    strays_.push_back(last < shard.last ? shard.last_epoch() : 0);
    epochs_.push_back(0);
    for (const auto& start : shard.history)
      if (start.first_index <= last) epochs_.back() = start.epoch;
  }
  return std::nullopt;
}

/// What is in the log is committed, up to the strays.
void life::apply_recovered(const std::vector<recovered_shard>& found) {
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    {
      const std::lock_guard lock{mutex_};
      synced_[shard] = ends_[shard];
      applied_[shard] = found[shard].applied;
    }
    if (strays_[shard] > 0) cut(shard, ends_[shard] + 1);
    if (ends_[shard] > found[shard].applied) journal_->commit(shard, ends_[shard], true);
  }
  wait(applied_);
}

life::~life() {
  journal_.reset();
  store_.reset();
}

void life::on_synced(shard_id shard, std::uint64_t number) {
  promise kept;
  {
    const std::lock_guard lock{mutex_};
    auto& waiting = waiting_[shard];
    for (; !waiting.empty() && waiting.front().first <= number; waiting.pop_front()) {
      kept.index = std::max(kept.index, waiting.front().second.index);
      kept.cut_epoch = std::max(kept.cut_epoch, waiting.front().second.cut_epoch);
    }
  }
  if (kept.cut_epoch > 0) events_.cut(shard, kept.cut_epoch);
  if (kept.index == 0) return;
  events_.acknowledged(shard, kept.index);
  const std::lock_guard lock{mutex_};
  synced_[shard] = kept.index;
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

std::uint64_t life::new_epoch(content what) {
  const auto counted = store_->epoch() * epochs_per_life + ++epochs_begun_;
  return counted * epoch_kinds + static_cast<std::uint64_t>(what);
}

void life::append(const script& plan, shard_id shard, std::uint64_t count) {
  const auto first = ends_[shard] + 1;
  const auto previous_epoch = epochs_[shard];
  // Goes on in the epoch of its last entry, unless that was made in an earlier life or before a cut.
  const bool goes_on = is_of_script(previous_epoch) &&
                       previous_epoch / epoch_kinds / epochs_per_life == store_->epoch() &&
                       previous_epoch > strays_[shard];
  epochs_[shard] = goes_on ? previous_epoch : new_epoch(content::script);
  chunk_writer chunk{shard};
  chunk.begin(first, epochs_[shard], previous_epoch);
  for (std::uint64_t i = 0; i < count; ++i) chunk.add(plan.entry(shard, first + i));
  ends_[shard] += count;
  events_.appended(shard, ends_[shard]);
  write({shard, log_write::kind::entries, 0, first, ends_[shard],
         std::make_shared<const std::string>(chunk.take()), count},
        {ends_[shard], 0});
}

void life::write(log_write&& what, promise promised) {
  what.number = ++numbers_[what.shard];
  if (promised.index > 0 || promised.cut_epoch > 0) {
    const std::lock_guard lock{mutex_};
    waiting_[what.shard].emplace_back(what.number, promised);
  }
  journal_->write(std::move(what));
}

/// One chunk, in an epoch of its own; not promised to anybody.
void life::append_strays(const script& plan, shard_id shard, std::uint64_t first, std::uint64_t count,
                         content what) {
  strays_[shard] = new_epoch(what);
  chunk_writer chunk{shard};
  chunk.begin(first, strays_[shard], epochs_[shard]);
  for (auto index = first; index < first + count; ++index) {
    const bool is_script = index == first && what == content::one_then_strays;
    chunk.add(is_script ? plan.entry(shard, index) : plan.stray(shard, index, strays_[shard]));
  }
  epochs_[shard] = strays_[shard];
  write({shard, log_write::kind::entries, 0, first, first + count - 1,
         std::make_shared<const std::string>(chunk.take()), count},
        {});
}

/// The shard's log ends before that entry.
void life::cut(shard_id shard, std::uint64_t first) {
  write({shard, log_write::kind::truncation, 0, first, 0, {}, 1}, {0, strays_[shard]});
}

/// As when another primary's log is taken over, which may happen twice before anything is committed. The
/// script goes on in a later epoch, so neither a lost cut nor a stray that is back can look like it.
void life::append_and_cut(const script& plan, shard_id shard, std::uint64_t count, std::uint32_t dice) {
  const auto last_epoch = epochs_[shard];
  const auto first = ends_[shard] + 1;
  const bool keeps_first = dice % 2 == 0 && count > 1;
  if (keeps_first) events_.appended(shard, first);
  append_strays(plan, shard, first, count, keeps_first ? content::one_then_strays : content::strays);
  const auto first_epoch = epochs_[shard];
  if (dice % 3 == 0) append_strays(plan, shard, first + count, 1, content::strays);
  if (dice % 5 == 0) wait(synced_);
  ends_[shard] = keeps_first ? first : first - 1;
  epochs_[shard] = keeps_first ? first_epoch : last_epoch;
  cut(shard, ends_[shard] + 1);
  write({shard, log_write::kind::meta, 0, 0, 0, std::make_shared<const std::string>("cut"), 1}, {});
}

void life::run(const script& plan, std::uint32_t seed, std::size_t rounds) {
  std::mt19937 random{seed};
  for (std::size_t n = 1; n <= rounds; ++n) round(plan, random, n % 6 == 0);
}

std::vector<snapshot> life::take_snapshots(const script& plan, std::uint64_t end) {
  for (shard_id shard = 0; shard < script::shards; ++shard) append(plan, shard, end - ends_[shard]);
  wait(synced_);
  for (shard_id shard = 0; shard < script::shards; ++shard) journal_->commit(shard, ends_[shard], true);
  wait(applied_);
  std::vector<snapshot> out;
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    std::promise<std::unique_ptr<shard_image>> image;
    journal_->take_image(shard,
                         [&](std::unique_ptr<shard_image> taken) { image.set_value(std::move(taken)); });
    constexpr std::size_t piece_bytes = 3000;
    const snapshot_source source{image.get_future().get(), piece_bytes};
    auto& one = out.emplace_back(snapshot{shard, source.index(), epochs_[shard], {}});
    for (std::uint64_t at = 0; at < source.total(); at += one.pieces.back().size())
      one.pieces.push_back(source.piece_at(at).value());
  }
  return out;
}

void life::put_aside(const snapshot& what, std::size_t pieces) {
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < pieces; ++i) {
    write({what.shard, log_write::kind::piece, 0, offset, what.index,
           std::make_shared<const std::string>(what.pieces[i]), 1},
          {});
    offset += what.pieces[i].size();
  }
}

void life::install(const snapshot& what) {
  put_aside(what, what.pieces.size());
  ends_[what.shard] = what.index;
  epochs_[what.shard] = what.epoch;
  // The snapshot's may be a later one than any of this life.
  epochs_begun_ = std::max(epochs_begun_, what.epoch / epoch_kinds % epochs_per_life);
  events_.appended(what.shard, what.index);
  write({what.shard, log_write::kind::install, 0, 0, what.index, {}, 1}, {what.index, 0});
}

void life::run_with_snapshots(const script& plan, const std::vector<snapshot>& given, std::uint32_t seed,
                              std::size_t rounds) {
  std::mt19937 random{seed};
  for (std::size_t n = 1; n <= rounds; ++n) {
    for (const auto& one : given) {
      if (one.index <= ends_[one.shard] || random() % 6 != 0) continue;
      if (random() % 3 == 0) put_aside(one, 1 + random() % one.pieces.size());
      if (random() % 3 != 0) install(one);
    }
    round(plan, random, n % 6 == 0);
  }
}

void life::round(const script& plan, std::mt19937& random, bool is_applied) {
  for (shard_id shard = 0; shard < script::shards; ++shard) {
    auto left = plan.length() - ends_[shard];
    if (random() % 4 == 0 && left > 3) {
      append_and_cut(plan, shard, 1 + random() % 3, static_cast<std::uint32_t>(random()));
      // Numbered behind the cut, so its promise is one of all before.
      append(plan, shard, 1);
    }
    left = plan.length() - ends_[shard];
    const auto count = std::min<std::uint64_t>(random() % 3, left);
    if (count > 0) append(plan, shard, count);
  }
  wait(synced_);
  // Some shards stay behind, so that the log begins at another place of each shard's.
  for (shard_id shard = 0; shard < script::shards; ++shard)
    if (is_applied || random() % 3 != 0) journal_->commit(shard, ends_[shard], false);
  if (is_applied) wait(applied_);
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
  const auto check = [&](std::string_view key, std::string_view value) {
    const auto it = expected.rows.find(std::string{key});
    if (it == expected.rows.end()) {
      fault = "row " + name(key) + " should not be there";
    } else if (it->second != value) {
      fault = "row " + name(key) + " is another";
    } else {
      expected.rows.erase(it);
    }
    return fault.empty();
  };
  for (shard_id shard = 0; shard < script::shards; ++shard)
    stored.scan_rows(shard_prefix(shard), shard_prefix(shard + 1), scan_order::ascending, check);
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
