#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>

#include "cluster/replica_host/replica_host.hpp"
#include "runtime/entity/table.hpp"
#include "test/support/temporary_directory.hpp"

/// Two replicas of a shard, each on a real log and store. The test is the network: it carries what they send.
namespace {

using namespace troupe;
using namespace troupe::replication;

constexpr member first_node{node_id{1}, 5};
constexpr member second_node{node_id{2}, 6};
const entity_ref somebody{kind_id{201}, "somebody"};

/// One register for both.
struct shared_register final : authority {
  stored_config now{0,
                    20,
                    {.generation = 0,
                     .epoch = 4,
                     .primary = first_node,
                     .in_sync = {first_node},
                     .replicas = {first_node.node, second_node.node},
                     .min_in_sync = 1,
                     .written_by = {}}};

  void read_all(std::function<void(read_result)> done) override {
    done({.ok = true, .configs = {now}, .error = {}});
  }
  void cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
           std::function<void(cas_result)> done) override {
    if (expected_revision != now.revision) return done({cas_outcome::conflict, now});
    now = {shard, now.revision + 1, proposed};
    done({cas_outcome::won, now});
  }
  void on_hint(std::function<void()>) override {}
};

class stepped_clock final : public clock_source {
 public:
  timestamp wall() const override { return {now_ms}; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{now_ms}};
  }
  std::int64_t now_ms = 1'000'000;
};

struct replica_node final : journal_listener, replica_listener, replica_peers {
  replica_node(const std::string& directory, member self, shared_register& decides, const clock_source& clock)
      : reader(decides) {
    store_options options;
    options.directory = directory;
    options.shard_count = 1;
    auto opened = store::open(options);
    REQUIRE(std::holds_alternative<std::unique_ptr<store>>(opened));
    stored = std::move(std::get<std::unique_ptr<store>>(opened));
    journal_options quick;
    quick.trim_bytes = 1;
    quick.apply_delay = std::chrono::milliseconds{1};
    quick.keep_bytes_max = 60'000;
    log = std::make_unique<journal>(*stored, *this, quick, directory);
    auto recovered = log->recover();
    REQUIRE(std::holds_alternative<std::vector<recovered_shard>>(recovered));
    environment.decides = &decides;
    environment.reader = &reader;
    environment.self = self;
    environment.peers = this;
    environment.history = log.get();
    environment.in_background = [](const std::function<void()>& run) { run(); };
    environment.in_reader = [this](const std::function<void()>& run) {
      if (!is_reader_busy) return run();
      in_reader.push_back(run);
    };
    environment.message_bytes_max = 2000;
    environment.piece_bytes = 1500;
    replica_place place{0, std::get<std::vector<recovered_shard>>(recovered)[0], log.get(), &clock, this, {},
                        {}};
    place.post = [this](std::function<void()> run) { post(std::move(run)); };
    place.tick_after = [](std::chrono::milliseconds) {};
    host = std::make_unique<replica_host>(std::move(place), environment);
    log->start();
    host->start();
  }
  ~replica_node() override { log.reset(); }

  void post(std::function<void()> run) {
    const std::lock_guard lock{mutex};
    posted.push_back(std::move(run));
  }
  void on_synced(shard_id, std::uint64_t number) override {
    post([this, number] { host->on_synced(number); });
  }
  void on_applied(shard_id, std::uint64_t index) override {
    post([this, index] {
      applied = index;
      host->on_applied(index);
    });
  }
  void on_serve(std::uint64_t epoch, std::uint64_t barrier) override {
    served_epoch = epoch;
    last = barrier;
  }
  void on_committed(std::uint64_t index) override { committed = index; }
  void on_reads_released(std::uint64_t) override {}
  void on_holding(bool) override {}
  void on_accepting(bool) override {}
  void on_stop_serving() override { FAIL("nobody else is elected here"); }
  void send(const message& what) override { sent.push_back(what); }

  void run_posted() {
    for (;;) {
      std::function<void()> next;
      {
        const std::lock_guard lock{mutex};
        if (posted.empty()) return;
        next = std::move(posted.front());
        posted.pop_front();
      }
      next();
    }
  }
  void propose(int count) {
    chunk_writer chunk{0};
    chunk.begin(last + 1, served_epoch, served_epoch);
    const auto first = last + 1;
    for (; count > 0; --count) {
      ++last;
      effects changes;
      const auto key = "row" + std::to_string(last);
      const std::string value(300, static_cast<char>('a' + last % 26));
      changes.rows.push_back({table_no{1}, key, value});
      entry_head head;
      head.at = {1};
      head.kind = somebody.kind;
      head.key = somebody.key;
      head.message = message_no{1};
      std::string entry;
      encode_entry(entry, head, changes);
      chunk.add(entry);
    }
    host->propose({first, last, served_epoch, served_epoch, chunk.take(), 1});
  }
  std::string rows() const {
    std::string out;
    stored->rows_of(0, somebody)
        ->scan(table_no{1}, {}, scan_order::ascending, [&](std::string_view key, std::string_view value) {
          out.append(key).append("=").append(value).append(";");
          return true;
        });
    return out;
  }

  void free_reader() {
    is_reader_busy = false;
    for (const auto& run : std::exchange(in_reader, {})) run();
  }

  authority_reader reader;
  replica_environment environment;
  bool is_reader_busy = false;
  std::vector<std::function<void()>> in_reader;
  std::mutex mutex;
  std::deque<std::function<void()>> posted;  // guarded by mutex
  std::deque<message> sent;
  std::uint64_t served_epoch = 0;
  std::uint64_t last = 0;
  std::uint64_t applied = 0;
  std::uint64_t committed = 0;
  std::unique_ptr<store> stored;
  std::unique_ptr<journal> log;
  std::unique_ptr<replica_host> host;
};

struct network {
  stepped_clock clock;
  std::vector<replica_node*> nodes;
  bool is_cut = false;
  std::size_t appended_out_of_log = 0;  // messages of more than one chunk
  std::size_t pieces = 0;

  template <class Done>
  bool run_until(const Done& is_done) {
    for (int i = 0; i < 5000; ++i) {
      for (auto* node : nodes) node->run_posted();
      for (auto* from : nodes) {
        for (auto& m : std::exchange(from->sent, {})) {
          if (const auto* a = std::get_if<append>(&m.body); a != nullptr && a->chunks.size() > 1)
            ++appended_out_of_log;
          if (std::holds_alternative<snapshot_part>(m.body)) ++pieces;
          const auto to = std::find_if(nodes.begin(), nodes.end(),
                                       [&](const auto* node) { return node->environment.self == m.to; });
          if (!is_cut && to != nodes.end()) (*to)->host->receive(std::move(m));
        }
      }
      if (is_done()) return true;
      if (i % 10 != 0) continue;
      clock.now_ms += 20;
      for (auto* node : nodes) node->host->on_tick();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return false;
  }
};

}  // namespace

TEST_CASE("catch-up: a new copy gets a snapshot, and one that was away gets entries out of the log") {
  const test::temporary_directory here;
  const test::temporary_directory there;
  shared_register decides;
  network net;
  replica_node primary{here.path(), first_node, decides, net.clock};
  net.nodes = {&primary};
  REQUIRE(net.run_until([&] { return primary.served_epoch == 4; }));
  for (int i = 0; i < 20; ++i) {
    primary.propose(2);
    REQUIRE(net.run_until([&] { return primary.applied == primary.last; }));
  }

  auto backup = std::make_unique<replica_node>(there.path(), second_node, decides, net.clock);
  net.nodes.push_back(backup.get());
  primary.host->on_peer(second_node);
  backup->host->on_peer(first_node);
  REQUIRE(net.run_until([&] { return backup->applied == primary.last; }));
  CHECK(net.pieces > 3);
  CHECK(backup->rows() == primary.rows());

  // Not in the set yet, or it would be waited for; away, and back before it is too far behind.
  net.is_cut = true;
  for (int i = 0; i < 100; ++i) primary.propose(1);
  for (int i = 0; i < 3; ++i) net.run_until([] { return true; });
  net.is_cut = false;
  const auto pieces = net.pieces;
  // Reading an old log takes as long as it likes: the shard goes on meanwhile, and asks for no range twice.
  primary.is_reader_busy = true;
  REQUIRE(net.run_until([&] { return !primary.in_reader.empty(); }));
  primary.propose(1);
  REQUIRE(net.run_until([&] { return primary.committed == primary.last; }));
  const auto asked_until_ms = net.clock.now_ms + 5000;  // by then the protocol has asked again, many times
  net.run_until([&] { return net.clock.now_ms >= asked_until_ms; });
  CHECK(primary.in_reader.size() <= 3);
  CHECK(net.appended_out_of_log == 0);
  primary.free_reader();
  REQUIRE(
      net.run_until([&] { return backup->applied == primary.last && primary.committed == primary.last; }));
  CHECK(net.pieces == pieces);
  CHECK(net.appended_out_of_log > 1);
  CHECK(backup->rows() == primary.rows());

  // It is still there when it is opened again.
  const auto rows = backup->rows();
  const auto end = backup->applied;
  net.nodes.pop_back();
  backup.reset();
  constexpr member second_run{second_node.node, 7};
  replica_node again{there.path(), second_run, decides, net.clock};
  CHECK(again.rows() == rows);
  CHECK(again.stored->applied(0).index == end);

  // What it lacks is in the log no more: a snapshot on top of what it has, and then entries again.
  for (int i = 0; i < 200; ++i) {
    primary.propose(2);
    REQUIRE(net.run_until([&] { return primary.applied == primary.last; }));
  }
  net.nodes.push_back(&again);
  primary.host->on_peer(second_run);
  again.host->on_peer(first_node);
  const auto pieces_before = net.pieces;
  REQUIRE(net.run_until([&] { return again.applied == primary.last; }));
  CHECK(net.pieces > pieces_before);
  for (int i = 0; i < 20; ++i) {
    primary.propose(2);
    REQUIRE(net.run_until([&] { return again.applied == primary.last; }));
  }
  CHECK(again.rows() == primary.rows());
}

namespace {

/// A primary and a backup that is in sync.
struct pair_of_nodes {
  pair_of_nodes() {
    net.nodes = {&primary, &backup};
    primary.host->on_peer(second_node);
    backup.host->on_peer(first_node);
    REQUIRE(
        net.run_until([&] { return decides.now.config.in_sync.size() == 2 && primary.served_epoch == 4; }));
  }
  /// What the primary sends of it is lost.
  void propose_unheard(int times, int entries) {
    net.is_cut = true;
    for (int i = 0; i < times; ++i) primary.propose(entries);
    net.run_until([] { return true; });
    net.is_cut = false;
  }

  test::temporary_directory here;
  test::temporary_directory there;
  shared_register decides;
  network net;
  replica_node primary{here.path(), first_node, decides, net.clock};
  replica_node backup{there.path(), second_node, decides, net.clock};
};

}  // namespace

TEST_CASE("catch-up: what everybody waits for waits for no old log that is being read") {
  pair_of_nodes both;
  auto& net = both.net;
  auto& primary = both.primary;
  primary.is_reader_busy = true;
  both.propose_unheard(1, 3);
  REQUIRE(net.run_until([&] { return primary.committed == primary.last; }));
  CHECK(both.decides.now.config.in_sync.size() == 2);
}

TEST_CASE("catch-up: what is asked for while the log before it is read is sent when that has been read") {
  pair_of_nodes both;
  auto& net = both.net;
  auto& primary = both.primary;
  primary.is_reader_busy = true;
  both.propose_unheard(100, 1);
  REQUIRE(net.run_until([&] { return !primary.in_reader.empty(); }));
  // Sent at once, too early for the backup, which says what it lacks.
  for (int i = 0; i < 100; ++i) primary.propose(1);
  const auto asked_until_ms = net.clock.now_ms + 200;
  net.run_until([&] { return net.clock.now_ms >= asked_until_ms; });
  const auto freed_ms = net.clock.now_ms;
  primary.free_reader();
  REQUIRE(net.run_until([&] { return primary.committed == primary.last; }));
  CHECK(net.clock.now_ms - freed_ms < 200);  // sooner than anything is sent again for want of an answer
}
