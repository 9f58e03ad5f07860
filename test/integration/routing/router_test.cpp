#include "cluster/routing/router.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <optional>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr node_id first{1};
constexpr node_id second{2};

struct sent_command {
  node_id to = node_id::none;
  wire::shard_command what;
};

/// A router whose network the test plays; the loop is this thread.
struct routing {
  explicit routing(milliseconds retry_after = milliseconds{15}, std::uint16_t shards = 4,
                   std::optional<milliseconds> retry_after_max = {})
      : map(shards) {
    router::ways ways;
    ways.send = [this](node_id to, std::string_view bytes) {
      if (to == unreachable) return false;
      auto what = wire::decode_command(bytes, steady_clock::now());
      REQUIRE(what);
      sent.push_back({to, std::move(*what)});
      return true;
    };
    ways.refresh = [this] { ++refreshes; };
    router_options quick;
    quick.grace = milliseconds{200};
    quick.retry_after = retry_after;
    quick.retry_after_max = retry_after_max.value_or(retry_after);
    way = std::make_unique<router>(map, std::move(ways), quick);
    port = way->make_port([this] {
      const std::lock_guard lock{mutex};
      is_woken = true;
      woken.notify_all();
    });
  }
  ~routing() { port.reset(); }

  /// Every shard is at that node.
  void all_at(node_id primary) {
    ++revision;
    for (shard_id shard = 0; shard < map.shard_count(); ++shard) {
      stored_config now{shard, revision, {}};
      now.config.epoch = revision;
      now.config.primary = {primary, 1};
      map.learn(now);
    }
  }
  std::shared_ptr<std::optional<reply>> ask(bool is_query = false, milliseconds time = milliseconds{5000}) {
    command what;
    what.target = {kind_id{1}, "key"};
    what.body = "body";
    what.is_query = is_query;
    what.deadline = steady_clock::now() + time;
    auto got = std::make_shared<std::optional<reply>>();
    port->submit(std::move(what), [got](reply&& r) { *got = std::move(r); });
    port->flush();
    return got;
  }
  void answer(const sent_command& to, reply_status status) {
    way->on_reply({to.what.ticket, {status, "reply", 1, false}});
  }
  /// Does what a loop does, until `holds` or a deadline.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto deadline = steady_clock::now() + std::chrono::seconds{20};
    while (!holds()) {
      if (steady_clock::now() > deadline) return false;
      {
        std::unique_lock lock{mutex};
        woken.wait_for(lock, milliseconds{20}, [this] { return is_woken; });
        is_woken = false;
      }
      port->drain();
      port->expire(steady_clock::now());
    }
    return true;
  }

  shard_map map;
  std::uint64_t revision = 0;
  node_id unreachable = node_id::none;
  std::vector<sent_command> sent;
  std::size_t refreshes = 0;
  std::mutex mutex;
  std::condition_variable woken;
  bool is_woken = false;  // guarded by mutex
  std::unique_ptr<router> way;
  std::unique_ptr<command_port> port;
};

}  // namespace

TEST_CASE("router: a command goes to its shard's primary, and its reply comes back once") {
  routing r;
  r.all_at(first);
  const auto got = r.ask();
  REQUIRE(r.sent.size() == 1);
  CHECK(r.sent[0].to == first);
  CHECK(r.sent[0].what.shard == shard_of(r.sent[0].what.what.target, 4));
  CHECK(r.port->pending() == 1);
  r.answer(r.sent[0], reply_status::ok);
  REQUIRE(r.run_until([&] { return got->has_value(); }));
  CHECK((*got)->status == reply_status::ok);
  CHECK(r.port->pending() == 0);
  // A second answer, and one to nobody, reach nobody.
  const auto other = r.ask();
  r.answer(r.sent[0], reply_status::rejected);
  r.way->on_reply({~0ULL, {}});
  r.port->drain();
  CHECK_FALSE(other->has_value());
}

TEST_CASE("router: what was not done, or nobody knows of, goes again under the same id to the new primary") {
  for (const auto status : {reply_status::not_primary, reply_status::stopping, reply_status::unknown}) {
    CAPTURE(static_cast<int>(status));
    routing r;
    r.all_at(first);
    const auto got = r.ask();
    CHECK_FALSE(r.sent[0].what.what.id.is_nil());
    r.answer(r.sent[0], status);
    r.all_at(second);
    REQUIRE(r.run_until([&] { return r.sent.size() == 2; }));
    CHECK(r.refreshes > 0);
    CHECK(r.sent[1].to == second);
    CHECK(r.sent[1].what.what.id == r.sent[0].what.what.id);
    CHECK(r.sent[1].what.what.fingerprint == r.sent[0].what.what.fingerprint);
    r.answer(r.sent[1], reply_status::ok);
    REQUIRE(r.run_until([&] { return got->has_value(); }));
    CHECK((*got)->status == reply_status::ok);
  }
}

TEST_CASE("router: what a node was asked goes elsewhere when it is lost or another one is the primary") {
  for (const bool is_lost : {true, false}) {
    CAPTURE(is_lost);
    routing r;
    r.all_at(first);
    const auto got = r.ask();
    r.all_at(second);
    is_lost ? r.way->on_lost(first) : r.way->on_moved();
    REQUIRE(r.run_until([&] { return r.sent.size() == 2; }));
    CHECK(r.sent[1].to == second);
    r.answer(r.sent[1], reply_status::ok);
    REQUIRE(r.run_until([&] { return got->has_value(); }));
  }
}

TEST_CASE("router: what waits because it was refused goes at once when another one is the primary") {
  routing r{std::chrono::seconds{60}};
  r.all_at(first);
  const auto got = r.ask();
  r.answer(r.sent[0], reply_status::not_primary);
  r.port->drain();
  REQUIRE(r.refreshes == 1);  // it waits
  r.way->on_moved();          // of another shard
  r.port->drain();
  CHECK(r.sent.size() == 1);
  r.all_at(second);
  r.way->on_moved();
  REQUIRE(r.run_until([&] { return r.sent.size() == 2; }));
  r.answer(r.sent[1], reply_status::ok);
  REQUIRE(r.run_until([&] { return got->has_value(); }));
}

TEST_CASE("router: who has just become the primary and does not know it yet is asked again soon") {
  routing r{milliseconds{10}, 4, std::chrono::hours{1}};
  r.all_at(first);
  const auto got = r.ask(false, std::chrono::minutes{5});
  auto next = second;
  // Pauses that went on doubling would be as long as minutes.
  for (int moves = 0; moves < 14; ++moves) {
    r.answer(r.sent.back(), reply_status::not_primary);
    r.port->drain();
    r.all_at(next);
    r.way->on_moved();
    const auto sent = r.sent.size();
    REQUIRE(r.run_until([&] { return r.sent.size() > sent; }));
    CHECK(r.sent.back().to == next);
    r.answer(r.sent.back(), reply_status::not_primary);
    REQUIRE(r.run_until([&] { return r.sent.size() > sent + 1; }));
    CHECK(r.sent.back().to == next);
    next = next == first ? second : first;
  }
  CHECK_FALSE(got->has_value());
}

TEST_CASE("router: a refusal with a reason is an answer, and does not go again") {
  for (const auto status : {reply_status::rejected, reply_status::overloaded, reply_status::storage_full}) {
    routing r;
    r.all_at(first);
    const auto got = r.ask();
    r.answer(r.sent[0], status);
    REQUIRE(r.run_until([&] { return got->has_value(); }));
    CHECK((*got)->status == status);
    CHECK(r.sent.size() == 1);
  }
}

TEST_CASE(
    "router: what an earlier attempt may have done is not denied by a node that has not looked for it") {
  for (const auto status : {reply_status::overloaded, reply_status::deadline_passed,
                            reply_status::in_progress, reply_status::stopping, reply_status::not_primary}) {
    CAPTURE(static_cast<int>(status));
    routing r;
    r.all_at(first);
    const auto got = r.ask();
    const auto until_deadline = r.ask(false, milliseconds{100});
    r.way->on_lost(first);  // nobody knows what became of it
    REQUIRE(r.run_until([&] { return r.sent.size() >= 4; }));
    for (std::size_t i = 2; i < 4; ++i) r.answer(r.sent[i], status);
    REQUIRE(r.run_until([&] { return until_deadline->has_value(); }));
    CHECK((*until_deadline)->status == reply_status::unknown);
    CHECK_FALSE(got->has_value());
    // Asked again, it finds what the first attempt did.
    const auto is_got = [&](const sent_command& one) { return one.what.what.id == r.sent[0].what.what.id; };
    REQUIRE(r.run_until([&] { return std::count_if(r.sent.begin(), r.sent.end(), is_got) == 3; }));
    r.answer(*std::find_if(r.sent.rbegin(), r.sent.rend(), is_got), reply_status::ok);
    REQUIRE(r.run_until([&] { return got->has_value(); }));
    CHECK((*got)->status == reply_status::ok);
  }
}

TEST_CASE("router: a refusal of an earlier attempt is not the end of one that is under way") {
  routing r;
  r.all_at(first);
  const auto got = r.ask();
  r.all_at(second);
  r.way->on_moved();
  REQUIRE(r.run_until([&] { return r.sent.size() == 2; }));
  r.answer(r.sent[0], reply_status::rejected);
  r.port->drain();
  CHECK_FALSE(got->has_value());
  r.answer(r.sent[1], reply_status::ok);
  REQUIRE(r.run_until([&] { return got->has_value(); }));
  CHECK((*got)->status == reply_status::ok);
}

TEST_CASE("router: when all that were asked have said that nothing came of it, nothing is unknown") {
  routing r;
  r.all_at(first);
  const auto got = r.ask(false, milliseconds{100});
  r.answer(r.sent[0], reply_status::not_primary);
  r.unreachable = first;
  REQUIRE(r.run_until([&] { return got->has_value(); }));
  CHECK((*got)->status == reply_status::not_primary);
}

TEST_CASE("router: at the deadline nobody is told that something failed which may have been done") {
  routing r;
  r.all_at(first);
  const auto silent = r.ask(false, milliseconds{50});
  const auto query = r.ask(true, milliseconds{50});
  REQUIRE(r.run_until([&] { return silent->has_value() && query->has_value(); }));
  CHECK((*silent)->status == reply_status::unknown);
  CHECK((*query)->status == reply_status::not_primary);

  // Nobody could be asked: nothing was done.
  r.unreachable = first;
  const auto unsent = r.ask(false, milliseconds{50});
  REQUIRE(r.run_until([&] { return unsent->has_value(); }));
  CHECK((*unsent)->status == reply_status::not_primary);
  CHECK(r.way->figures().gave_up == 3);
}

TEST_CASE("router: a command waits for a primary to be known") {
  routing r;
  const auto got = r.ask();
  CHECK(r.sent.empty());
  r.all_at(second);
  REQUIRE(r.run_until([&] { return r.sent.size() == 1; }));
  r.answer(r.sent[0], reply_status::ok);
  REQUIRE(r.run_until([&] { return got->has_value(); }));
}

TEST_CASE("shard map: only a greater revision changes anything") {
  shard_map map{2};
  stored_config now{1, 5, {}};
  now.config.primary = {first, 1};
  CHECK(map.learn(now));
  CHECK(map.primary_of(1) == first);
  CHECK(map.primary_of(0) == node_id::none);
  CHECK(map.primary_of(7) == node_id::none);
  now.config.primary = {second, 1};
  CHECK_FALSE(map.learn(now));
  now.revision = 4;
  CHECK_FALSE(map.learn(now));
  CHECK(map.primary_of(1) == first);
  now.revision = 6;
  CHECK(map.learn(now));
  now.revision = 7;
  CHECK_FALSE(map.learn(now));  // the same primary
  CHECK(map.all()[1].revision == 7);
  now.shard = 2;
  CHECK_FALSE(map.learn(now));
}
