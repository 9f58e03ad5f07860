#include "test/integration/faults/served_life.hpp"

#include <algorithm>

#include "cluster/authority/standalone.hpp"
#include "cluster/replica_host/standalone_node.hpp"
#include "runtime/base/assert.hpp"

namespace troupe::faults {

namespace {

const entity_ref somebody{kind_id{201}, "somebody"};
constexpr table_no rows_table{1};

std::string row_key(std::uint64_t n) {
  std::string key;
  byte_writer{key}.u64_be(n);
  return key;
}

std::string entry_writing(std::uint64_t n) {
  effects changes;
  const auto key = row_key(n);
  const auto value = "value " + std::to_string(n);
  changes.rows.push_back({rows_table, key, value});
  entry_head head;
  head.at = {static_cast<std::int64_t>(n)};
  head.kind = somebody.kind;
  head.key = somebody.key;
  head.message = message_no{1};
  std::string out;
  encode_entry(out, head, changes);
  return out;
}

/// Time decides nothing here.
class still_clock final : public clock_source {
 public:
  timestamp wall() const override { return {1}; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::hours{1}};
  }
};
const still_clock no_time;

}  // namespace

class served_life::served_shard final : public replica_listener {
 public:
  served_shard(served_life& life, shard_id id, const recovered_shard& found)
      : life_(life), id_(id), applied_(found.applied), epoch_found_(found.last_epoch()) {}

  void on_serve(std::uint64_t epoch, std::uint64_t barrier) override {
    TROUPE_ASSERT(epoch > epoch_found_, "an epoch was given out twice");
    epoch_ = epoch;
    barrier_ = last_ = committed_ = barrier;
  }
  void on_committed(std::uint64_t index) override {
    committed_ = std::max(committed_, index);
    if (is_ready_ && index > barrier_) life_.events_.acknowledged(id_, entries_before_ + index - barrier_);
  }
  void on_reads_released(std::uint64_t) override {}
  void on_holding(bool) override {}
  void on_accepting(bool) override {}
  void on_stop_serving() override { TROUPE_ASSERT(false, "there is nobody else to serve"); }
  void on_applied(std::uint64_t index) {
    applied_ = index;
    replica->on_applied(index);
  }

  /// The rows show everything before the barrier.
  bool is_ready() const { return epoch_ > 0 && applied_ + 1 >= barrier_; }
  bool is_committed() const { return committed_ == last_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t entries() const { return entries_before_ + last_ - barrier_; }

  /// As a shard does when it begins to serve. False when the rows are not those of the first so many entries.
  bool take_up() {
    bool is_whole = true;
    life_.store_->rows_of(id_, somebody)
        ->scan(rows_table, {}, scan_order::ascending, [&](std::string_view key, std::string_view value) {
          ++entries_before_;
          is_whole = is_whole && key == row_key(entries_before_) &&
                     value == "value " + std::to_string(entries_before_);
          return is_whole;
        });
    is_ready_ = true;
    return is_whole;
  }
  void propose(std::uint64_t count) {
    chunk_writer chunk{id_};
    chunk.begin(last_ + 1, epoch_, epoch_);
    for (std::uint64_t i = 1; i <= count; ++i) chunk.add(entry_writing(entries() + i));
    const auto first = last_ + 1;
    last_ += count;
    life_.events_.appended(id_, entries());
    replica->propose({first, last_, epoch_, epoch_, chunk.take(), count});
  }

  std::unique_ptr<replica_host> replica;

 private:
  served_life& life_;
  const shard_id id_;
  std::uint64_t applied_;
  const std::uint64_t epoch_found_;
  std::uint64_t epoch_ = 0;
  std::uint64_t barrier_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t entries_before_ = 0;
  bool is_ready_ = false;
};

served_life::served_life(life_events events) : events_(std::move(events)) {}

std::variant<std::unique_ptr<served_life>, store_error> served_life::begin(
    const std::string& directory, std::shared_ptr<rocksdb::FileSystem> disk, life_events events) {
  store_options small;
  small.directory = directory;
  small.shard_count = shards;
  small.block_cache_bytes = 1U << 20U;
  small.write_buffer_bytes = 128U << 10U;
  small.disk = std::move(disk);
  auto opened = store::open(small);
  if (auto* fault = std::get_if<store_error>(&opened)) return *fault;
  std::unique_ptr<served_life> begun{new served_life{std::move(events)}};
  begun->store_ = std::move(std::get<std::unique_ptr<store>>(opened));
  journal_options quick;
  quick.gather_max = std::chrono::microseconds{0};
  quick.apply_delay = std::chrono::milliseconds{1};
  quick.trim_bytes = 2000;
  quick.mark_interval = std::chrono::milliseconds{1};
  begun->journal_ = std::make_unique<journal>(*begun->store_, *begun, quick, directory);
  auto recovered = begun->journal_->recover();
  if (auto* fault = std::get_if<store_error>(&recovered)) return *fault;
  const auto& found = std::get<std::vector<recovered_shard>>(recovered);
  if (auto fault = begun->replicate(directory, found)) return *fault;
  begun->journal_->start();
  for (auto& one : begun->shards_) one->replica->start();
  begun->run_until([&] {
    return std::all_of(begun->shards_.begin(), begun->shards_.end(),
                       [](const auto& one) { return one->is_ready(); });
  });
  begun->events_.opened(begun->epoch());
  for (auto& one : begun->shards_)
    if (!one->take_up()) return store_error{store_error::code::suspect, "the rows are not those of a log"};
  return begun;
}

std::optional<store_error> served_life::replicate(const std::string& directory,
                                                  const std::vector<recovered_shard>& found) {
  auto opened = open_standalone(directory, found, store_->disk());
  if (const auto* fault = std::get_if<store_error>(&opened)) return *fault;
  auto& decides = std::get<std::unique_ptr<standalone_authority>>(opened);
  environment_.self = decides->self();
  authority_ = std::move(decides);
  reader_ = std::make_unique<authority_reader>(*authority_);
  environment_.decides = authority_.get();
  environment_.reader = reader_.get();
  for (shard_id id = 0; id < shards; ++id) {
    auto& one = shards_.emplace_back(std::make_unique<served_shard>(*this, id, found[id]));
    replica_place place{id, found[id], journal_.get(), &no_time, one.get(), {}, {}};
    place.post = [this](std::function<void()> run) { post(std::move(run)); };
    place.tick_after = [](std::chrono::milliseconds) {};
    one->replica = std::make_unique<replica_host>(std::move(place), environment_);
  }
  return std::nullopt;
}

served_life::~served_life() {
  journal_.reset();
  reader_.reset();
  authority_.reset();
}

void served_life::post(std::function<void()> run) {
  const std::lock_guard lock{mutex_};
  posted_.push_back(std::move(run));
  came_.notify_one();
}

void served_life::on_synced(shard_id shard, std::uint64_t number) {
  post([this, shard, number] { shards_[shard]->replica->on_synced(number); });
}

void served_life::on_applied(shard_id shard, std::uint64_t index) {
  post([this, shard, index] { shards_[shard]->on_applied(index); });
}

void served_life::run_until(const std::function<bool()>& is_done) {
  while (!is_done()) {
    std::function<void()> next;
    {
      std::unique_lock lock{mutex_};
      const bool is_there =
          came_.wait_for(lock, std::chrono::seconds{20}, [this] { return !posted_.empty(); });
      TROUPE_ASSERT(is_there, "nothing happened for 20 s");
      next = std::move(posted_.front());
      posted_.pop_front();
    }
    next();
  }
}

void served_life::run(std::uint32_t seed, std::size_t rounds) {
  std::mt19937 random{seed};
  for (std::size_t round = 0; round < rounds; ++round) {
    for (auto& one : shards_)
      if (const auto count = random() % 3; count > 0) one->propose(count);
    run_until([this] {
      return std::all_of(shards_.begin(), shards_.end(), [](const auto& one) { return one->is_committed(); });
    });
  }
}

std::vector<std::uint64_t> served_life::ends() const {
  std::vector<std::uint64_t> out;
  for (const auto& one : shards_) out.push_back(one->entries());
  return out;
}

std::uint64_t served_life::epoch() const {
  std::uint64_t greatest = 0;
  for (const auto& one : shards_) greatest = std::max(greatest, one->epoch());
  return greatest;
}

}  // namespace troupe::faults
