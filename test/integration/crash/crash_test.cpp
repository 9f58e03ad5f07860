#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "actors/kinds.hpp"
#include "cluster/replica_host/standalone_node.hpp"
#include "test/integration/crash/blocking_client.hpp"
#include "test/integration/crash/crash_script.hpp"

namespace {

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// What the killed processes were told.
struct acknowledged {
  std::map<std::uint64_t, std::uint64_t> orders;  // command number, arrival
  std::set<std::uint64_t> tasks;
  std::uint64_t highest = 0;
  std::int64_t slowest_start_ms = 0;
  std::vector<std::string> contradictions;

  void take(const std::string& line) {
    std::istringstream in{line};
    std::string what;
    std::uint64_t n = 0;
    in >> what >> n;
    if (what == "ready") {
      slowest_start_ms = std::max(slowest_start_ms, static_cast<std::int64_t>(n));
    } else if (what == "order") {
      std::uint64_t arrival = 0;
      in >> arrival;
      const auto [it, is_new] = orders.emplace(n, arrival);
      if (!is_new && it->second != arrival) contradictions.push_back(line);
      highest = std::max(highest, n);
    } else if (what == "task") {
      tasks.insert(n);
      highest = std::max(highest, n);
    } else {
      contradictions.push_back(line);
    }
  }
};

/// One life: starts the child, reads its lines for `life`, kills it with SIGKILL, reads what was left in the
/// pipe.
void live_and_die(const std::string& directory, std::uint64_t first, milliseconds life, acknowledged& told) {
  int pipe_ends[2];
  REQUIRE(::pipe2(pipe_ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    const auto from = std::to_string(first);
    ::execl(TROUPE_CRASH_CHILD, TROUPE_CRASH_CHILD, directory.c_str(), from.c_str(),
            static_cast<char*>(nullptr));
    std::_Exit(127);
  }
  ::close(pipe_ends[1]);
  std::string text;
  std::optional<steady_clock::time_point> end;
  const auto give_up = steady_clock::now() + std::chrono::seconds{30};
  bool killed = false;
  for (;;) {
    const auto now = steady_clock::now();
    if (!killed && ((end && now >= *end) || now >= give_up)) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    const auto until = killed || !end ? give_up : *end;
    pollfd wait{pipe_ends[0], POLLIN, 0};
    ::poll(&wait, 1,
           static_cast<int>(
               std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(until - now).count())));
    char buffer[65536];
    if ((wait.revents & (POLLIN | POLLHUP)) == 0) continue;
    const auto got = ::read(pipe_ends[0], buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    // The clock of this life starts with its first command.
    if (!end && text.find('\n') != std::string::npos) end = steady_clock::now() + life;
  }
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (lines.eof() && text.back() != '\n') break;
    told.take(line);
  }
}

class reader {
 public:
  explicit reader(const std::string& directory) : kinds_(all_kinds()) {
    node_options options;
    options.data_directory = directory;
    options.shard_count = 8;
    auto started = standalone_node::start(options, kinds_, clock_);
    REQUIRE(std::holds_alternative<std::unique_ptr<standalone_node>>(started));
    node_ = std::move(std::get<std::unique_ptr<standalone_node>>(started));
    client_ = std::make_unique<crash::blocking_client>(node_->runtime());
  }
  ~reader() {
    client_.reset();
    node_->runtime().stop(std::chrono::seconds{5});
  }
  template <class Kind, class Reply, class Query>
  Reply ask(const std::string& key, const Query& query) {
    command what;
    what.target = {Kind::options.id, key};
    what.message = Kind::template number_of<Query>();
    what.is_query = true;
    what.body = encode(query);
    const auto got = client_->ask(std::move(what));
    REQUIRE(got.status == reply_status::ok);
    Reply reply;
    REQUIRE(decode(got.bytes, reply));
    return reply;
  }
  /// All pages of a list.
  template <class Kind, class Page, class Query>
  auto list(const std::string& key, Query query) {
    decltype(Page{}.items) all;
    for (;;) {
      query.page.limit = 100;
      const auto page = ask<Kind, Page>(key, query);
      all.insert(all.end(), page.items.begin(), page.items.end());
      if (!page.next_cursor) return all;
      query.page.cursor = decode_cursor(*page.next_cursor).value_or(*page.next_cursor);
    }
  }

 private:
  kind_registry kinds_;
  system_clock clock_;
  std::unique_ptr<standalone_node> node_;
  std::unique_ptr<crash::blocking_client> client_;
};

void check_orders(reader& r, const acknowledged& told) {
  std::map<std::string, std::set<std::uint64_t>> arrivals;
  for (std::uint64_t i = 0; i < crash::skus; ++i) {
    const auto key = crash::sku_of(i);
    const auto orders = r.list<sku::kind, sku::receipt_page>(key, sku::list_orders{});
    for (const auto& order : orders) CHECK(arrivals[key].insert(order.arrival()).second);
    const auto view = r.ask<sku::kind, sku::stock_view>(key, sku::get_stock{});
    CHECK(view.initial + view.restocked == view.available + view.reserved + view.sold);
    CHECK(view.sold == static_cast<std::int64_t>(orders.size()));
    CHECK((arrivals[key].empty() || *arrivals[key].rbegin() == arrivals[key].size()));
  }
  std::map<std::string, std::set<std::uint64_t>> acknowledged_arrivals;
  for (const auto& [n, arrival] : told.orders) {
    const auto key = crash::sku_of(n / 2);
    CHECK(arrivals[key].contains(arrival));
    CHECK(acknowledged_arrivals[key].insert(arrival).second);  // two commands never got one order
  }
}

/// Every acknowledged task has exactly one notification; a count always equals its list.
void check_notifications(reader& r, const acknowledged& told) {
  std::map<std::string, int> notified;
  const auto collect = [&] {
    notified.clear();
    for (std::uint64_t u = 0; u < crash::users; ++u) {
      const auto key = to_string(crash::user_of(u));
      const auto count = [&] {
        return r.ask<inbox::kind, inbox::unread_total>(key, inbox::get_unread_count{}).unread_count;
      };
      // A list of several pages and a count are one picture only when nothing arrived in between.
      auto before = count();
      auto items = r.list<inbox::kind, inbox::notification_page>(key, inbox::list{});
      for (int tries = 0; tries < 50 && count() != before; ++tries) {
        before = count();
        items = r.list<inbox::kind, inbox::notification_page>(key, inbox::list{});
      }
      for (const auto& item : items) ++notified[item.subject.value_or("")];
      CHECK(before == items.size());
    }
  };
  const auto is_complete = [&] {
    return std::all_of(told.tasks.begin(), told.tasks.end(),
                       [&](auto n) { return notified.contains(crash::task_key_of(n)); });
  };
  // Delivery goes on after the restart; it is awaited with a deadline. Their number alone would not tell:
  // tasks whose answer got lost are notified too.
  const auto deadline = steady_clock::now() + std::chrono::seconds{20};
  do {
    collect();
  } while (!is_complete() && steady_clock::now() < deadline);
  for (const auto n : told.tasks) {
    CAPTURE(n);
    CHECK(notified[crash::task_key_of(n)] == 1);
  }
  for (const auto& [subject, times] : notified) CHECK(times == 1);
}

}  // namespace

TEST_CASE("crash: after kill -9 at random moments nothing acknowledged is missing and nothing is doubled") {
  const char* asked = std::getenv("TROUPE_CRASH_ROUNDS");
  const int rounds = asked != nullptr ? std::atoi(asked) : 50;
  const char* seeded = std::getenv("TROUPE_CRASH_SEED");
  const auto seed = seeded != nullptr ? static_cast<unsigned>(std::atoi(seeded)) : std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};

  std::string directory = (std::filesystem::temp_directory_path() / "troupe-crash-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  acknowledged told;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    // Repeats the last commands of the life before: some were answered, some not, some never arrived.
    const auto first = told.highest > 150 ? told.highest - 150 : 0;
    live_and_die(directory, first, milliseconds{random() % 60}, told);
    REQUIRE(told.contradictions.empty());
    if (round % 10 != 9 && round + 1 != rounds) continue;
    reader r{directory};
    check_orders(r, told);
    check_notifications(r, told);
  }
  MESSAGE(rounds << " kills: " << told.orders.size() << " orders and " << told.tasks.size()
                 << " tasks acknowledged, slowest start " << told.slowest_start_ms << " ms");
  CHECK(told.orders.size() > static_cast<std::size_t>(rounds));
  std::filesystem::remove_all(directory);
}
