#include "bench/http/unread_count.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>

#include "cli/flash_sale/client/connections.hpp"

namespace troupe::bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{60};
constexpr std::size_t connections_max = 16;

/// Asks for each user once, over a few connections.
class count_round final : private client::connections::listener {
 public:
  count_round(const client::endpoint& server, const std::vector<caller>& users)
      : server_(server), users_(users), net_({server}, std::min(users.size(), connections_max), *this) {}

  std::int64_t run() {
    for (std::size_t slot = 0; slot < net_.slot_count(); ++slot) net_.open(slot);
    const auto until = clock::now() + patience;
    while (answered_ < users_.size()) {
      net_.poll(std::chrono::milliseconds{10});
      if (clock::now() > until) throw client::environment_error("The unread counts are not answered.");
    }
    return sum_;
  }

 private:
  void ask(std::size_t slot) {
    if (next_ == users_.size()) return;
    const caller& who = users_[next_++];
    net_.send(slot, client::request_text(server_, "GET",
                                         "/api/v1/users/" + who.user + "/notifications/unread-count",
                                         {{"Authorization", "Bearer " + who.token}}, ""));
  }
  void on_open(std::size_t slot) override { ask(slot); }
  void on_response(std::size_t slot, client::response& answer) override {
    boost::system::error_code error;
    const auto json = boost::json::parse(answer.body, error);
    const auto* count = !error && json.is_object() ? json.get_object().if_contains("unreadCount") : nullptr;
    if (answer.status != 200 || count == nullptr || !count->is_number()) {
      throw client::environment_error(
          fmt::format("An unread count was answered with {}: {}", answer.status, answer.body));
    }
    sum_ += count->to_number<std::int64_t>();
    ++answered_;
    ask(slot);
  }
  void on_broken(std::size_t) override {
    throw client::environment_error("The server broke a connection while unread counts were read.");
  }

  const client::endpoint& server_;
  const std::vector<caller>& users_;
  client::connections net_;
  std::size_t next_ = 0;
  std::size_t answered_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace

std::int64_t unread_sum(const client::endpoint& server, const std::vector<caller>& users) {
  return count_round(server, users).run();
}

void await_unread(const client::endpoint& server, const std::vector<caller>& users, std::int64_t expected) {
  const auto until = clock::now() + patience;
  while (true) {
    const std::int64_t sum = unread_sum(server, users);
    if (sum == expected) return;
    if (sum > expected)
      throw client::environment_error(
          fmt::format("{} notifications for {} tasks: some were delivered twice.", sum, expected));
    if (clock::now() > until)
      throw client::environment_error(
          fmt::format("Only {} of {} notifications were delivered.", sum, expected));
  }
}

}  // namespace troupe::bench
