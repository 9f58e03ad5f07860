#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "cluster/history/check.hpp"
#include "cluster/history/recorder.hpp"
#include "cluster/history/replica_file.hpp"
#include "test/support/random_history.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::history;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

void write_history(const std::string& path, const recorded_history& h) {
  recorder r{path, h.skus};
  REQUIRE(r.fault().empty());
  const auto file = r.client();
  for (const auto& op : h.operations) file->add(op);
  REQUIRE(file->flush());
  for (const auto& dump : h.replicas) write_replica(path, dump);
}

auto fields(const operation& op) {
  return std::tuple{op.command, op.kind,     op.outcome,    op.why,         op.is_replay, op.sku,
                    op.order,   op.quantity, op.invoked_ns, op.returned_ns, op.witness,   op.said};
}

}  // namespace

TEST_CASE("history files: what was written is read back, operation for operation and row for row") {
  const test::temporary_directory d;
  const auto h = test::history_maker{7, {.operations = 3000}}.make();
  write_history(d.path(), h);
  recorded_history read;
  const auto why = read_history(d.path(), read);
  REQUIRE_MESSAGE(!why, why.value_or(""));
  REQUIRE(read.operations.size() == h.operations.size());
  for (std::size_t i = 0; i < h.operations.size(); ++i)
    REQUIRE(fields(read.operations[i]) == fields(h.operations[i]));
  REQUIRE(read.replicas.size() == h.replicas.size());
  for (const auto& dump : h.replicas) {
    const auto same = std::find_if(read.replicas.begin(), read.replicas.end(), [&](const replica_dump& r) {
      return r.node == dump.node && r.shard == dump.shard;
    });
    REQUIRE(same != read.replicas.end());
    CHECK(same->entries == dump.entries);
    CHECK(same->commit == dump.commit);
    CHECK(same->applied == dump.applied);
    CHECK(same->digest == dump.digest);
    CHECK(same->skus.size() == dump.skus.size());
    CHECK(same->orders.size() == dump.orders.size());
  }
  CHECK(check(read).holds());
}

TEST_CASE("recorder: threads record side by side, and what was not answered is unknown") {
  const test::temporary_directory d;
  constexpr std::uint64_t threads = 4;
  constexpr std::uint64_t each = 500;
  {
    recorder r{d.path(), {{.sku = 1, .shard = 0, .initial = 5, .holds = true}}};
    REQUIRE(r.fault().empty());
    std::vector<std::thread> running;
    for (std::uint64_t t = 1; t <= threads; ++t)
      running.emplace_back([&r, t] {
        const auto mine = r.client();
        for (std::uint64_t i = 1; i <= each; ++i) {
          operation op;
          op.command = {t, i};
          op.kind = op_kind::reserve;
          op.sku = 1;
          op.quantity = 1;
          const auto ticket = mine->asked(op);
          operation reply;
          reply.outcome = outcome::rejected;
          reply.why = reason::sold_out;
          reply.said.available = 0;
          if (i % 10 != 0) mine->answered(ticket, reply);
        }
      });
    for (auto& t : running) t.join();
  }
  recorded_history read;
  REQUIRE_FALSE(read_history(d.path(), read));
  CHECK(read.operations.size() == threads * each);
  CHECK(std::count_if(read.operations.begin(), read.operations.end(), [](const operation& op) {
          return op.outcome == outcome::unknown && op.returned_ns == never;
        }) == threads * each / 10);
  for (const auto& op : read.operations)
    if (op.outcome == outcome::rejected) {
      REQUIRE(op.why == reason::sold_out);
      REQUIRE(op.returned_ns >= op.invoked_ns);
    }
  // Without logs what clients saw is checked, and the rest said to be unchecked.
  const auto v = check(read);
  CHECK(v.holds());
  CHECK(std::count_if(v.checks.begin(), v.checks.end(),
                      [](const check_result& c) { return !c.skipped.empty(); }) == 6);
}

TEST_CASE("recorder: a directory that has a history already is left alone") {
  const test::temporary_directory d;
  { const recorder first{d.path(), {}}; }
  const auto before = read_file(d.path() + "/setup.json");
  const recorder second{d.path(), {{.sku = 1}}};
  CHECK(second.fault().find("has a history already") != std::string::npos);
  CHECK(read_file(d.path() + "/setup.json") == before);
}

TEST_CASE("history files: damage is told with the file's name, never read as something else") {
  const test::temporary_directory d;
  write_history(d.path(), test::history_maker{3, {.operations = 300}}.make());
  for (const auto* name : {"/operations-1", "/replica-1-0", "/setup.json"}) {
    CAPTURE(name);
    const auto path = d.path() + name;
    const auto good = read_file(path);
    REQUIRE(good.size() > 100);
    std::vector<std::string> damaged{"", good.substr(0, good.size() - 1), good.substr(0, good.size() / 2),
                                     good + "x", "x" + good};
    auto flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
    if (std::string{name} != "/setup.json") damaged.push_back(flipped);
    for (const auto& bytes : damaged) {
      write_file(path, bytes);
      recorded_history read;
      const auto why = read_history(d.path(), read);
      REQUIRE(why);
      CHECK(why->find(path) != std::string::npos);
    }
    write_file(path, good);
  }
  recorded_history read;
  CHECK_FALSE(read_history(d.path(), read));
  CHECK(read_history(d.path() + "/none", read));
}

TEST_CASE("history: a SKU that is not set up, or no operation at all, is unfit to be checked") {
  auto h = test::history_maker{3, {.operations = 30}}.make();
  CHECK_FALSE(unfit(h));
  h.operations[3].sku = 99;
  CHECK(unfit(h));
  CHECK(unfit({}));
}

TEST_CASE("history: answers before questions, and one copy's log told twice, are unfit to be checked") {
  const auto h = test::history_maker{3, {.operations = 30}}.make();
  auto early = h;
  early.operations[3].returned_ns = early.operations[3].invoked_ns - 1;
  CHECK(unfit(early));
  auto twice = h;
  twice.replicas.push_back(twice.replicas.front());
  CHECK(unfit(twice));
}

TEST_CASE("history: the file of one copy does not pass for another's") {
  const test::temporary_directory d;
  const auto h = test::history_maker{5, {.operations = 30}}.make();
  const auto& r = h.replicas.front();
  write_replica(d.path(), r);
  const auto name = d.path() + "/replica-" + std::to_string(r.node) + "-" + std::to_string(r.shard);
  replica_dump read;
  CHECK_FALSE(read_replica(name, read));
  const auto other = d.path() + "/replica-77-" + std::to_string(r.shard);
  std::filesystem::rename(name, other);
  replica_dump again;
  CHECK(read_replica(other, again));
}

TEST_CASE("history: the report names the offending operation in a plain sentence") {
  recorded_history h;
  h.skus = {{.sku = 1, .shard = 0, .initial = 5, .holds = true}};
  operation op;
  op.command = {3, 17};
  op.kind = op_kind::reserve;
  op.sku = 1;
  op.order = 9;
  op.quantity = 2;
  op.invoked_ns = 1'500'000'000;
  op.returned_ns = 1'501'000'000;
  op.outcome = outcome::ok;
  op.witness = {2, 1};
  op.said.available = 3;
  h.operations = {op};
  h.replicas = {{.node = 1, .shard = 0}};
  h.replicas[0].skus = {{1, 5, 0, {5, 0, 0}}};
  const auto v = check(h);
  CHECK_FALSE(v.holds());
  const auto text = to_text(v, false);
  CHECK(text.find("acknowledged and lost, no committed entry has it: client 3 command 17: reserve SKU 1 × 2, "
                  "order 9, "
                  "asked at 1.500000 s, answered at 1.501000 s: ok, available 3 at epoch 2 index 1") !=
        std::string::npos);
  CHECK(to_json(v).find("\"holds\":false") != std::string::npos);
}
