#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "test/integration/runtime/shard_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using counter::add;
using counter::get;

namespace {

std::int64_t total_in(const std::shared_ptr<std::optional<reply>>& slot) {
  counter::total t;
  REQUIRE(slot->has_value());
  REQUIRE(decode((*slot)->bytes, t));
  return t.value;
}

reply_status status_in(const std::shared_ptr<std::optional<reply>>& slot) {
  REQUIRE(slot->has_value());
  return (*slot)->status;
}

}  // namespace

TEST_CASE("shard: a reply leaves only when its entry is on disk") {
  shard_fixture f;
  const auto got = f.send(f.make("a", add{5}));
  CHECK_FALSE(got->has_value());
  CHECK(f.log.unsynced.size() == 1);
  f.sync();
  CHECK(total_in(got) == 5);
}

TEST_CASE("shard: a query that saw an uncommitted change waits for it, a query of another entity does not") {
  shard_fixture f;
  const auto written = f.send(f.make("a", add{5}));
  const auto read = f.send(f.make("a", get{}));
  std::string other = "b";
  while (f.home_of(other) == f.home_of("a")) other += "b";
  const auto elsewhere = f.send(f.make(other, get{}));
  CHECK_FALSE(read->has_value());
  CHECK(total_in(elsewhere) == 0);
  f.sync();
  CHECK(total_in(read) == 5);
  CHECK(total_in(written) == 5);
}

TEST_CASE("shard: a refusal waits for the entries that its entity had made before") {
  shard_fixture f;
  const auto written = f.send(f.make("a", add{5}));
  const auto refused = f.send(f.make("a", add{-1}));
  CHECK_FALSE(refused->has_value());
  f.sync();
  CHECK(status_in(refused) == reply_status::rejected);
  CHECK(f.log.unsynced.empty());
  CHECK(status_in(written) == reply_status::ok);
}

TEST_CASE("shard: a handler that throws, or refuses after edit, changes nothing and the entity goes on") {
  shard_fixture f;
  const auto before = f.send(f.make("a", add{5}));
  const auto thrown = f.send(f.make("a", counter::throws{}));
  const auto refused = f.send(f.make("a", counter::refuse_after_edit{}));
  const auto after = f.send(f.make("a", add{1}));
  f.sync();
  CHECK(status_in(before) == reply_status::ok);
  CHECK(status_in(thrown) == reply_status::failed);
  CHECK(status_in(refused) == reply_status::rejected);
  CHECK(total_in(after) == 6);
}

TEST_CASE("shard: a named command that had nothing to change does not change something when it is repeated") {
  shard_fixture f;
  const auto nothing_yet = f.make("a", counter::double_positive{}, "key-1");
  const auto first = f.send(nothing_yet);
  const auto unnamed = f.send(f.make("a", counter::double_positive{}));
  f.sync();
  CHECK(total_in(first) == 0);
  CHECK(total_in(unnamed) == 0);
  f.send(f.make("a", add{5}));
  f.sync();
  const auto again = f.send(nothing_yet);
  CHECK(total_in(again) == 0);
  CHECK((*again)->replayed);
  f.apply();
  f.crash_and_restart();
  CHECK(total_in(f.send(nothing_yet)) == 0);
  CHECK(total_in(f.send(f.make("a", counter::get{}))) == 5);
}

TEST_CASE("shard: a named command runs once, whenever it is repeated") {
  shard_fixture f;
  const auto command = f.make("a", add{5}, "key-1");
  const auto first = f.send(command);
  const auto while_unsynced = f.send(command);
  CHECK_FALSE(while_unsynced->has_value());
  f.sync();
  CHECK(total_in(first) == 5);
  CHECK(total_in(while_unsynced) == 5);
  CHECK((*while_unsynced)->replayed);
  const auto while_unapplied = f.send(command);
  CHECK(total_in(while_unapplied) == 5);
  CHECK(f.figures[f.home_of("a")].named == 1);
  f.apply();
  CHECK(f.figures[f.home_of("a")].named == 0);
  const auto from_store = f.send(command);
  CHECK(total_in(from_store) == 5);
  CHECK((*from_store)->replayed);
  CHECK((*from_store)->version == (*first)->version);
  CHECK_FALSE((*first)->replayed);
  f.crash_and_restart();
  const auto after_restart = f.send(command);
  CHECK(total_in(after_restart) == 5);
  CHECK(f.value_of("a") == 5);
}

TEST_CASE("shard: a command id used for another request is refused, before and after the store knows it") {
  shard_fixture f;
  f.send(f.make("a", add{5}, "key-1"));
  const auto other = f.make("a", add{6}, "key-1");
  const auto early = f.send(other);
  f.sync();
  CHECK(status_in(early) == reply_status::key_reused);
  f.apply();
  CHECK(status_in(f.send(other)) == reply_status::key_reused);
  CHECK(f.value_of("a") == 5);
}

TEST_CASE("shard: a refused command leaves its id free") {
  shard_fixture f;
  auto command = f.make("a", add{-1}, "key-1");
  CHECK(status_in(f.send(command)) == reply_status::rejected);
  CHECK(status_in(f.send(command)) == reply_status::rejected);
  const auto other = f.send(f.make("a", add{1}, "key-1"));
  f.sync();
  CHECK(total_in(other) == 1);
}

TEST_CASE("shard: a command past its deadline is answered and not run") {
  shard_fixture f;
  auto late = f.make("a", add{5});
  late.deadline = f.clock.steady() - std::chrono::milliseconds{1};
  CHECK(status_in(f.send(late)) == reply_status::deadline_passed);
  CHECK(f.log.unsynced.empty());
}

TEST_CASE("shard: what a command has done is told to its repetition, however late that is") {
  shard_fixture f;
  auto command = f.make("a", add{5}, "key-1");
  f.send(command);
  f.sync();
  command.deadline = f.clock.steady() - std::chrono::milliseconds{1};
  CHECK(total_in(f.send(command)) == 5);
  f.apply();
  CHECK(total_in(f.send(command)) == 5);
}

TEST_CASE("shard: past the bounds the answer is overloaded and nothing has run") {
  shard_options options;
  options.uncommitted_entries_max = 10;
  options.queued_max = 20;
  shard_fixture f{options};
  std::vector<std::shared_ptr<std::optional<reply>>> slots;
  for (int i = 0; i < 40; ++i) slots.push_back(f.send(f.make("a", add{1})));
  std::size_t overloaded = 0;
  for (const auto& slot : slots) {
    if (slot->has_value() && (*slot)->status == reply_status::overloaded) ++overloaded;
  }
  CHECK(overloaded == 10);  // 10 uncommitted, 20 queued
  f.settle();
  std::size_t ok = 0;
  for (const auto& slot : slots) {
    if (status_in(slot) == reply_status::ok) ++ok;
  }
  CHECK(ok == 30);
  CHECK(f.value_of("a") == 30);
}

TEST_CASE("shard: entities wait for the applier when too much is not applied") {
  shard_options options;
  options.unapplied_entries_max = 10;
  shard_fixture f{options};
  std::vector<std::shared_ptr<std::optional<reply>>> slots;
  for (int i = 0; i < 15; ++i) {
    slots.push_back(f.send(f.make("a", add{1})));
    f.sync();
  }
  CHECK(f.figures[f.home_of("a")].last_index == 10);
  f.apply();
  f.sync();
  for (const auto& slot : slots) CHECK(status_in(slot) == reply_status::ok);
  CHECK(f.value_of("a") == 15);
}

TEST_CASE("shard: what the commands that wait carry is bounded, however few they are") {
  shard_options options;
  options.uncommitted_entries_max = 1;
  options.queued_bytes_max = 100;
  shard_fixture f{options};
  const auto running = f.send(f.make("a", add{5}));
  const auto large = f.make("a", counter::forward{std::string(60, 'b'), 1, 1});
  const auto waits = f.send(large);
  const auto refused = f.send(large);
  CHECK(status_in(refused) == reply_status::overloaded);
  CHECK_FALSE(waits->has_value());
  f.settle();
  CHECK(status_in(waits) == reply_status::ok);
  const auto again = f.send(large);
  f.settle();
  CHECK(status_in(again) == reply_status::ok);
}

TEST_CASE("shard: replies that wait for the disk are bounded") {
  shard_options options;
  options.gated_replies_max = 10;
  options.queued_max = 5;
  shard_fixture f{options};
  const auto command = f.make("a", add{5}, "key-1");
  const auto first = f.send(command);
  std::vector<std::shared_ptr<std::optional<reply>>> slots;
  for (int i = 0; i < 30; ++i) slots.push_back(f.send(f.make("a", get{})));
  std::size_t overloaded = 0;
  for (const auto& slot : slots) overloaded += slot->has_value() ? 1 : 0;
  CHECK(overloaded == 16);  // 9 wait behind the first reply, 5 are queued
  CHECK(status_in(f.send(command)) == reply_status::in_progress);
  f.sync();
  CHECK(total_in(first) == 5);
  std::size_t ok = 0;
  for (const auto& slot : slots) ok += status_in(slot) == reply_status::ok ? 1 : 0;
  CHECK(ok == 14);
}

TEST_CASE("work queue: stays in order, and small however long it never gets empty") {
  work_queue queue;
  std::uint64_t pushed = 0;
  std::uint64_t taken = 0;
  const auto push = [&](int count) {
    for (int i = 0; i < count; ++i) {
      work item;
      item.fingerprint = pushed++;
      queue.push(std::move(item));
    }
  };
  push(500);
  for (int round = 0; round < 200; ++round) {
    push(256);
    for (const auto& item : queue.take(256)) CHECK(item.fingerprint == taken++);
  }
  CHECK(queue.size() == 500);
  CHECK(queue.capacity() <= 4096);
}

TEST_CASE("actors: an exception that reaches one ends the process, not only the actor") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // not the test runner's
    ::close(STDERR_FILENO);
    caf::actor_system_config config;
    config.set("scheduler.policy", caf::atom("testing"));
    caf::actor_system system{config};
    const auto throwing = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      harden(self);
      return {[](int) { throw std::bad_alloc{}; }};
    });
    caf::anon_send(throwing, 1);
    dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run();
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("shard: an unknown kind, message or key is malformed") {
  shard_fixture f;
  auto no_kind = f.make("a", add{1});
  no_kind.target.kind = kind_id{77};
  auto no_message = f.make("a", add{1});
  no_message.message = message_no{99};
  auto no_key = f.make("", add{1});
  auto long_key = f.make(std::string(201, 'k'), add{1});
  auto not_a_query = f.make("a", add{1});
  not_a_query.is_query = true;
  for (const auto& bad : {no_kind, no_message, no_key, long_key, not_a_query}) {
    CHECK(status_in(f.send(bad)) == reply_status::malformed);
  }
  CHECK(f.log.unsynced.empty());
}

TEST_CASE("shard: an expected version that does not hold changes nothing") {
  shard_fixture f;
  f.send(f.make("a", add{5}));
  auto stale = f.make("a", add{1});
  stale.expect_version = 0;
  auto fresh = f.make("a", add{1});
  fresh.expect_version = 1;
  const auto refused = f.send(stale);
  const auto done = f.send(fresh);
  f.sync();
  CHECK(status_in(refused) == reply_status::version_mismatch);
  CHECK((*refused)->version == 1);
  CHECK(total_in(done) == 6);
}

TEST_CASE("shard: an idle entity leaves memory once its rows are stored, and comes back as it was") {
  shard_fixture f;
  f.send(f.make("a", add{5}));
  f.sync();
  f.advance(std::chrono::seconds{61});
  f.advance(std::chrono::seconds{2});
  auto& figures = f.figures[f.home_of("a")];
  CHECK(figures.residents == 1);  // not applied yet
  f.apply();
  f.advance(std::chrono::seconds{2});
  CHECK(figures.residents == 0);
  CHECK(f.value_of("a") == 5);
}

TEST_CASE("shard: the bound on entities in memory holds however many are touched") {
  shard_options options;
  options.resident_max = 5;
  shard_fixture f{options};
  for (int i = 0; i < 100; ++i) {
    f.send(f.make("e" + std::to_string(i), add{i}));
    f.sync();
    f.apply();
  }
  for (const auto& figures : f.figures) CHECK(figures.residents <= 5);
  for (int i = 0; i < 100; i += 7) CHECK(f.value_of("e" + std::to_string(i)) == i);
}

TEST_CASE("shard: entities over the bound leave memory once they are no longer busy") {
  shard_options options;
  options.resident_max = 5;
  shard_fixture f{options};
  for (int i = 0; i < 100; ++i)
    f.send(f.make("e" + std::to_string(i), add{i}));  // all busy: nothing is on disk
  std::size_t residents = 0;
  for (const auto& figures : f.figures) residents += figures.residents;
  CHECK(residents == 100);
  f.settle();
  for (const auto& figures : f.figures) CHECK(figures.residents <= 5);
}

TEST_CASE("shard: while the disk is full changes are refused and queries go on") {
  shard_fixture f;
  f.send(f.make("a", add{5}));
  f.settle();
  for (const auto& to : f.environment.shards) caf::anon_send(to, storage_notice{true});
  CHECK(status_in(f.send(f.make("a", add{1}))) == reply_status::storage_full);
  CHECK(total_in(f.send(f.make("a", get{}))) == 5);
  for (const auto& to : f.environment.shards) caf::anon_send(to, storage_notice{false});
  const auto again = f.send(f.make("a", add{1}));
  f.sync();
  CHECK(total_in(again) == 6);
}

TEST_CASE(
    "shard: one that is deposed tells everybody what is known, and its next life reads the log's state") {
  shard_fixture f;
  f.send(f.make("a", add{5}, "first"));
  f.settle();
  auto& replica = *f.replicas[f.home_of("a")];
  f.control.confirms_reads = false;
  const auto uncommitted = f.send(f.make("a", add{1}, "second"));
  const auto repeated = f.send(f.make("a", add{1}, "second"));
  const auto read = f.send(f.make("a", get{}));
  CHECK_FALSE(uncommitted->has_value());
  replica.depose();
  caf::anon_send(f.environment.shards[f.home_of("a")], wake_notice{});
  f.run();
  CHECK(status_in(uncommitted) == reply_status::unknown);
  CHECK(status_in(repeated) == reply_status::unknown);
  CHECK(status_in(read) == reply_status::not_primary);
  f.log.unsynced.clear();  // another primary has cut it off

  f.control.confirms_reads = true;
  replica.serve_again();
  const auto again = f.send(f.make("a", add{1}, "second"));
  const auto known = f.send(f.make("a", add{5}, "first"));
  f.sync();
  CHECK(total_in(again) == 6);
  CHECK(total_in(known) == 5);
  CHECK((*known)->replayed);
  CHECK(f.value_of("a") == 6);
}

TEST_CASE("shard: a life ends only when no entity is at work, and what comes meanwhile is refused after it") {
  shard_options options;
  options.is_only_replica = false;
  shard_fixture f{options};
  f.send(f.make("a", add{5}));
  f.settle();
  const auto home = f.home_of("a");
  // The entity has the command in its mailbox, and has not run.
  auto slot = std::make_shared<std::optional<reply>>();
  auto what = f.make("a", add{1}, "running");
  what.deadline = f.clock.steady() + std::chrono::seconds{5};
  f.port->submit(std::move(what), [slot](reply&& r) { *slot = std::move(r); });
  f.port->flush();
  REQUIRE(f.scheduler().try_run_once());  // the shard
  f.replicas[home]->depose();
  caf::anon_send(f.environment.shards[home], wake_notice{});
  const auto late = f.send(f.make("a", get{}));
  CHECK(status_in(slot) == reply_status::not_primary);
  CHECK(status_in(late) == reply_status::not_primary);
  CHECK(f.log.unsynced.empty());
  f.replicas[home]->serve_again();
  CHECK(f.value_of("a") == 5);
}

TEST_CASE("shard: before it serves commands wait, until it does, or is said not to do so soon") {
  shard_options options;
  options.is_only_replica = false;
  options.queued_max = 2;
  shard_fixture f{options};
  f.send(f.make("a", add{5}));
  f.settle();
  const auto home = f.home_of("a");
  auto& replica = *f.replicas[home];
  const auto hold = [&](bool begins) {
    replica.hold(begins);
    caf::anon_send(f.environment.shards[home], wake_notice{});
    f.run();
  };
  replica.depose();
  caf::anon_send(f.environment.shards[home], wake_notice{});
  f.run();
  CHECK(status_in(f.send(f.make("a", get{}))) == reply_status::not_primary);

  hold(true);
  const auto waits = f.send(f.make("a", get{}));
  CHECK_FALSE(waits->has_value());
  const auto waits_too = f.send(f.make("a", add{1}));
  // It may never serve, so who asks keeps what is too much.
  CHECK(status_in(f.send(f.make("a", add{1}))) == reply_status::not_primary);
  hold(false);
  CHECK(status_in(waits) == reply_status::not_primary);
  CHECK(status_in(waits_too) == reply_status::not_primary);
  CHECK(status_in(f.send(f.make("a", get{}))) == reply_status::not_primary);

  hold(true);
  const auto answered = f.send(f.make("a", add{1}));
  replica.serve_again();
  f.run();
  f.sync();
  CHECK(total_in(answered) == 6);

  // Who stops holds nothing that would keep it.
  replica.depose();
  caf::anon_send(f.environment.shards[home], wake_notice{});
  f.run();
  hold(true);
  CHECK(f.is_quiet_at_stop(home));
  CHECK(status_in(f.send(f.make("a", get{}))) == reply_status::not_primary);
  CHECK(f.is_quiet_at_stop(home));
}

TEST_CASE("shard: while its role is handed over commands wait, and go on when it is kept") {
  shard_fixture f;
  f.send(f.make("a", add{5}));
  f.settle();
  auto& replica = *f.replicas[f.home_of("a")];
  replica.hand_over(true);
  const auto waits = f.send(f.make("a", add{1}));
  f.sync();
  CHECK_FALSE(waits->has_value());
  CHECK(f.log.unsynced.empty());
  replica.hand_over(false);
  f.run();
  f.sync();
  CHECK(total_in(waits) == 6);
  replica.hand_over(true);
  const auto refused = f.send(f.make("a", add{1}));
  replica.depose();
  caf::anon_send(f.environment.shards[f.home_of("a")], wake_notice{});
  f.run();
  CHECK(status_in(refused) == reply_status::not_primary);
  // A backup has nothing to wait for before it ends.
  CHECK(f.is_quiet_at_stop(f.home_of("a")));
}
