#include "test/integration/authority/etcd_members.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "test/integration/authority/authority_fixture.hpp"

// An etcd of three members of which some are away.

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using etcd::etcd_authority;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto patience = 1000ms;
/// How much later than its deadline an answer may be seen on a busy machine.
constexpr auto lateness_max = 1000ms;

etcd::etcd_options options(std::vector<std::string> endpoints) {
  etcd::etcd_options o;
  o.endpoints = std::move(endpoints);
  o.cluster = "test";
  o.patience = patience;
  o.hint_interval = 60s;
  return o;
}

/// The only one that changes a shard. It remembers what became of each of its proposals, and compares that
/// with all it is shown: a config is there because its proposal won, or because nobody could tell.
class only_writer {
 public:
  only_writer(etcd_authority& authority, member self) : authority_(authority), self_(self) {}

  /// Through another client from here on.
  void use(etcd_authority& authority) { authority_ = authority; }

  cas_outcome propose() {
    const auto epoch = ++epoch_;
    const auto result = cas(authority_, 0, now_.revision, led_by(self_, epoch, {self_}));
    if (result.outcome == cas_outcome::unknown) unknown_.insert(epoch);
    if (result.outcome == cas_outcome::won) {
      CHECK(result.now.config.epoch == epoch);
      CHECK(result.now.revision > now_.revision);
      now_ = result.now;
    }
    // Something that nobody could tell has been done since.
    if (result.outcome == cas_outcome::conflict) believe(result.now);
    return result.outcome;
  }

  /// Changes go on: one wins before the deadline.
  void propose_until_won() {
    const auto until = steady::now() + answer_max;
    while (propose() != cas_outcome::won)
      REQUIRE_MESSAGE(steady::now() < until, "epoch " << epoch_ << " has not won either");
  }

  /// Reads go on: one is answered before the deadline.
  void read_until_answered() {
    const auto until = steady::now() + answer_max;
    auto read = read_all(authority_);
    for (; !read.ok; read = read_all(authority_)) REQUIRE_MESSAGE(steady::now() < until, read.error);
    REQUIRE(read.configs.size() == 1);
    believe(read.configs[0]);
  }

 private:
  void believe(const stored_config& shown) {
    CHECK(shown.revision >= now_.revision);
    if (shown.revision == now_.revision) {
      CHECK(shown.config == now_.config);
    } else {
      CAPTURE(shown.config.epoch);
      CHECK(unknown_.contains(shown.config.epoch));
    }
    now_ = shown;
  }

  std::reference_wrapper<etcd_authority> authority_;
  const member self_;
  std::uint64_t epoch_ = 0;
  stored_config now_{.shard = 0, .revision = 0, .config = {}};
  std::set<std::uint64_t> unknown_;  // the epochs of proposals
};

}  // namespace

TEST_CASE("etcd of three: reads, changes and hints go on when the member that a client talks to is killed") {
  etcd_members members;
  const auto leader = members.leader();
  const auto follower = leader + 1;
  etcd_authority of_follower{options(members.endpoints_from(follower))};
  etcd_authority of_leader{options(members.endpoints_from(leader))};
  auto o = options(members.endpoints_from(leader));
  o.hint_interval = 500ms;
  etcd_authority listener{o};
  call_count hints;
  listener.on_hint([&] { hints(); });
  const auto self = enter(of_follower, profile("a", 1)).self;
  only_writer writer{of_follower, self};
  writer.propose_until_won();

  members.kill(follower);
  writer.propose_until_won();
  writer.read_until_answered();

  members.start();
  writer.use(of_leader);
  writer.propose_until_won();
  members.kill(leader);
  writer.propose_until_won();
  writer.read_until_answered();
  const auto hints_before = hints.now();
  writer.propose_until_won();
  CHECK(hints.wait_past(hints_before, answer_max));
  CHECK(read_all(listener).ok);
  for (const auto* each : {&of_follower, &of_leader, &listener})
    CHECK(each->figures().refused.impossible() == 0);
}

TEST_CASE(
    "etcd of three: what was asked of a leader that is frozen is unknown, and the others go on without it") {
  etcd_members members;
  const auto leader = members.leader();
  etcd_authority authority{options(members.endpoints_from(leader))};
  only_writer writer{authority, enter(authority, profile("a", 1)).self};
  writer.propose_until_won();

  members.pause(leader);
  const auto begin = steady::now();
  CHECK(writer.propose() == cas_outcome::unknown);
  CHECK(steady::now() - begin < patience + lateness_max);
  CHECK(authority.figures().unknown_outcomes >= 1);
  writer.propose_until_won();
  writer.read_until_answered();

  // What it was asked when it led may be done now, or never: it must not undo what has been done since.
  members.resume(leader);
  writer.propose_until_won();
  writer.read_until_answered();
  CHECK(authority.figures().refused.impossible() == 0);
}

TEST_CASE("etcd of three: one member alone changes nothing and shows nothing, until another one is back") {
  etcd_members members;
  const auto alone = members.leader();
  // One begins with the member that is left, the other one finds it last.
  etcd_authority near{options(members.endpoints_from(alone))};
  etcd_authority far{options(members.endpoints_from(alone + 1))};
  only_writer writer{near, enter(near, profile("a", 1)).self};
  writer.propose_until_won();

  members.kill(alone + 1);
  members.pause(alone + 2);
  for (auto* client : {&near, &far}) {
    writer.use(*client);
    auto begin = steady::now();
    CHECK(writer.propose() == cas_outcome::unknown);
    CHECK(steady::now() - begin < patience + lateness_max);
    begin = steady::now();
    const auto read = read_all(*client);
    CHECK_FALSE(read.ok);
    CHECK(read.configs.empty());
    CHECK(steady::now() - begin < patience + lateness_max);
  }

  members.resume(alone + 2);
  for (auto* client : {&near, &far}) {
    writer.use(*client);
    writer.propose_until_won();
    writer.read_until_answered();
    CHECK(client->figures().refused.impossible() == 0);
  }
}
