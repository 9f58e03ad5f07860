#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "cluster/replica_host/standalone_node.hpp"
#include "test/integration/runtime/toy_kinds.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;
namespace fs = std::filesystem;

namespace {

const kind_registry kinds{{describe_kind<counter::kind>()}};
const system_clock wall_clock;

auto start(const std::string& directory) {
  node_options options;
  options.data_directory = directory;
  options.shard_count = 4;
  return standalone_node::start(options, kinds, wall_clock);
}

/// Asks one thing and waits for its answer.
reply ask(node& runtime, command&& what) {
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  std::optional<reply> got;
  const auto port = runtime.make_port([&] {
    const std::lock_guard lock{mutex};
    woken = true;
    changed.notify_one();
  });
  what.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  port->submit(std::move(what), [&](reply&& r) { got = std::move(r); });
  port->flush();
  while (!got) {
    std::unique_lock lock{mutex};
    REQUIRE(changed.wait_for(lock, std::chrono::seconds{30}, [&] { return woken; }));
    woken = false;
    lock.unlock();
    port->drain();
  }
  return *got;
}

template <class Message>
std::int64_t total_after(standalone_node& node, const Message& message) {
  command what;
  what.target = {counter::kind::options.id, "a"};
  what.message = counter::kind::number_of<Message>();
  what.is_query = counter::kind::is_query<Message>();
  what.body = encode(message);
  const auto got = ask(node.runtime(), std::move(what));
  counter::total total;
  REQUIRE(got.status == reply_status::ok);
  REQUIRE(decode(got.bytes, total));
  return total.value;
}

/// A life that adds one.
void live(const std::string& directory, std::int64_t expected) {
  auto started = start(directory);
  if (const auto* fault = std::get_if<store_error>(&started)) FAIL(fault->message);
  auto& node = *std::get<std::unique_ptr<standalone_node>>(started);
  CHECK(total_after(node, counter::add{1}) == expected);
  CHECK(total_after(node, counter::get{}) == expected);
}

store_error refusal_of(const std::string& directory) {
  auto started = start(directory);
  REQUIRE(std::holds_alternative<store_error>(started));
  return std::get<store_error>(started);
}

}  // namespace

TEST_CASE("standalone node: each life takes up what the one before had acknowledged") {
  const temporary_directory directory;
  for (int life = 1; life <= 3; ++life) live(directory.path(), life);
}

TEST_CASE(
    "standalone node: a directory whose authority is lost or older than its logs is refused, until it is put "
    "back") {
  const temporary_directory directory;
  const auto file = directory.path() + "/authority";
  live(directory.path(), 1);
  fs::copy_file(file, directory.path() + "/older");
  live(directory.path(), 2);
  fs::rename(file, directory.path() + "/newest");

  auto fault = refusal_of(directory.path());
  CHECK(fault.what == store_error::code::suspect);
  CHECK(fault.message.find("is missing") != std::string::npos);
  CHECK_FALSE(fs::exists(file));

  fs::copy_file(directory.path() + "/older", file);
  fault = refusal_of(directory.path());
  CHECK(fault.what == store_error::code::suspect);
  CHECK(fault.message.find("older than the log") != std::string::npos);

  fs::rename(directory.path() + "/newest", file);
  live(directory.path(), 3);
}

TEST_CASE(
    "standalone node: a store that is gone beside the authority of what it held is refused, and stays so") {
  const temporary_directory directory;
  live(directory.path(), 1);
  for (const auto* lost : {"store", "manifest", "mark"}) fs::remove_all(directory.path() + "/" + lost);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto fault = refusal_of(directory.path());
    CHECK(fault.what == store_error::code::suspect);
    CHECK(fault.message.find("its store is empty") != std::string::npos);
  }
}

TEST_CASE(
    "standalone node: a directory of the first format is taken over, and then no longer for its troupe") {
  const temporary_directory directory;
  const auto format = [&] {
    std::stringstream out;
    out << std::ifstream{directory.path() + "/FORMAT"}.rdbuf();
    return out.str();
  };
  {
    // As a process of that time left it: an entry in the log, rows of an earlier one, no replica's record.
    auto opened = store::open({directory.path(), 4});
    auto& stored = *std::get<std::unique_ptr<store>>(opened);
    const auto shard = shard_of({counter::kind::options.id, "a"}, 4);
    chunk_writer chunk{shard};
    chunk.begin(1, 7, 0);
    std::string entry;
    encode_housekeeping(entry, {1}, {}, {});
    chunk.add(entry);
    log_frame frame;
    frame.add(shard, 1, chunk.take());
    store_batch batch;
    batch.put_frame(1, frame.bytes());
    stored.write(batch, store::durability::synced);
  }
  std::ofstream{directory.path() + "/FORMAT"} << "troupe data format 1\nshards 4\n";
  live(directory.path(), 1);
  CHECK(format() == "troupe data format 5\nshards 4\n");
  live(directory.path(), 2);
}

TEST_CASE("standalone node: a replica's record that does not decode is refused") {
  const temporary_directory directory;
  live(directory.path(), 1);
  {
    auto opened = store::open({directory.path(), 4});
    store_batch batch;
    batch.put_meta(2, "nonsense");
    std::get<std::unique_ptr<store>>(opened)->write(batch, store::durability::synced);
  }
  const auto fault = refusal_of(directory.path());
  CHECK(fault.what == store_error::code::corrupt);
  CHECK(fault.message.find("shard 2") != std::string::npos);
}
