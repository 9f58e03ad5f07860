#include "runtime/store/store.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "runtime/store/reply_expiry.hpp"
#include "runtime/store/reply_record.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;

namespace {

/// One byte more than RocksDB takes, and no memory: nothing ever looks at it.
class oversized_value {
 public:
  oversized_value() { REQUIRE(at_ != MAP_FAILED); }
  ~oversized_value() { ::munmap(at_, bytes); }
  oversized_value(const oversized_value&) = delete;
  oversized_value& operator=(const oversized_value&) = delete;
  std::string_view view() const { return {static_cast<const char*>(at_), bytes}; }

 private:
  static constexpr std::size_t bytes = std::size_t{1} << 32U;
  void* at_ = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
};

/// Whether a process that does this is ended by an assertion.
bool aborts(const std::function<void()>& what) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::close(STDERR_FILENO);
    what();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("store: what RocksDB does not take into a batch ends the process and never counts as written") {
  const oversized_value large;
  store_batch batch;
  CHECK(aborts([&] { batch.put_frame(1, large.view()); }));
  CHECK(aborts([&] { batch.put_row("row", large.view()); }));
  CHECK(aborts([&] { batch.put_reply(0, "0123456789abcdef", large.view()); }));
  CHECK_FALSE(aborts([&] { batch.put_row("row", "value"); }));
}

namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
constexpr const char* command = "0123456789abcdef";

std::string answered_at(timestamp at) {
  reply_record record;
  record.at = at;
  std::string out;
  record.encode_to(out);
  return out;
}

std::unique_ptr<store> open_store(const std::string& directory) {
  store_options options;
  options.directory = directory;
  options.shard_count = 2;
  auto opened = store::open(options);
  REQUIRE(std::holds_alternative<std::unique_ptr<store>>(opened));
  return std::move(std::get<std::unique_ptr<store>>(opened));
}

void stamp(store& stored, shard_id shard, timestamp at) {
  store_batch batch;
  batch.put_stamp(shard, at);
  stored.write(batch, store::durability::synced);
}

}  // namespace

TEST_CASE("store: how long a reply is known is a matter of its shard's log, whatever the clock here says") {
  const test::temporary_directory there;
  {
    auto stored = open_store(there.path());
    store_batch batch;
    batch.put_reply(1, command, answered_at({1000}));
    batch.put_stamp(1, {1000});
    stored->write(batch, store::durability::synced);
    CHECK(stored->get_reply(1, command));  // the clock here is half a century later
    stamp(*stored, 0, {1001 + day_ms});    // another shard
    CHECK(stored->get_reply(1, command));
    stamp(*stored, 1, {1000 + day_ms});
    CHECK(stored->get_reply(1, command));
  }
  auto again = open_store(there.path());
  CHECK(again->get_reply(1, command));
  stamp(*again, 1, {1001 + day_ms});
  CHECK_FALSE(again->get_reply(1, command));
}

TEST_CASE("store: compaction drops what is long over on either side of a shard, and nothing else") {
  reply_expiry expiry{day_ms, 2};
  const auto drops = [&](const std::string& key, std::int64_t at_ms) {
    return expiry.Filter(1, key, answered_at({at_ms}), nullptr, nullptr);
  };
  const std::string first_side{"\x00\x01key", 5};
  const std::string second_side{"\x80\x01key", 5};
  CHECK_FALSE(drops(first_side, 1));  // nothing is known of the log yet
  expiry.on_stamp(1, {3 * day_ms});
  CHECK(drops(first_side, day_ms));
  CHECK(drops(second_side, day_ms));
  CHECK_FALSE(drops(first_side, 2 * day_ms - 60'000));  // over, and a snapshot may hold it
  CHECK_FALSE(drops(first_side, 2 * day_ms));
  CHECK_FALSE(drops(std::string{"\x00\x00key", 5}, day_ms));
  CHECK_FALSE(drops(std::string{"\x00\x07key", 5}, day_ms));
  CHECK_FALSE(drops("k", day_ms));
}
