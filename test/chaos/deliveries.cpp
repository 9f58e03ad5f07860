#include "test/chaos/deliveries.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <random>

#include "runtime/base/time.hpp"
#include "test/chaos/delivery_check.hpp"
#include "test/chaos/front_client.hpp"

namespace troupe::chaos {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t tasks_a_user = 200;
constexpr std::size_t faults_max = 5;

}  // namespace

class deliveries::client {
 public:
  client(deliveries& of, std::size_t number)
      : of_(of),
        number_(number),
        random_(number),
        front_(of.options_.urls, of.options_.token, number, 6000) {}

  void run() {
    while (!of_.is_over_) {
      create();
      std::this_thread::sleep_for(
          milliseconds{std::uniform_int_distribution<int>{0, of_.options_.think_ms_max}(random_)});
    }
  }

  std::uint64_t created = 0;
  std::uint64_t due = 0;

  void compare(steady_clock::time_point until, std::vector<std::string>& faults) {
    for (const auto& [user, tasks] : expected_) {
      auto wrong = wrong_in_inbox(user, tasks);
      while (!wrong.empty() && steady_clock::now() < until) {
        std::this_thread::sleep_for(milliseconds{100});
        wrong = wrong_in_inbox(user, tasks);
      }
      for (const auto& one : wrong)
        if (faults.size() < faults_max) faults.push_back(fmt::format("the inbox of {}: {}", user, one));
    }
    if (given_up_ > 0)
      faults.push_back(fmt::format("{} tasks found no outcome within their patience", given_up_));
  }

 private:
  void create() {
    const auto user = fmt::format("00000000-0000-7000-8000-0d{:02}{:08}", number_, created / tasks_a_user);
    const bool has_due_time = created % 3 == 0;
    auto body = fmt::format(R"({{"title":"Task {}","userId":"{}")", created, user);
    if (has_due_time) {
      const auto wall = std::chrono::system_clock::now() + milliseconds{of_.options_.due_in_ms};
      body += fmt::format(
          R"(,"dueAt":"{}")",
          to_rfc3339({std::chrono::duration_cast<milliseconds>(wall.time_since_epoch()).count()}));
    }
    const request asked{"POST", "/api/v1/tasks", body + "}", fmt::format("task-{}-{}", number_, created)};
    const auto until = steady_clock::now() + milliseconds{of_.options_.patience_ms};
    auto got = of_.writes_.ask(front_, asked);
    while (!got.is_ok()) {
      if (steady_clock::now() > until) {
        ++given_up_;
        return;
      }
      std::this_thread::sleep_for(milliseconds{30});
      got = front_.ask(asked);
    }
    if (created % 4 == 0) front_.ask(asked);
    expected_[user].push_back({std::string{boost::json::parse(got.body).at("id").as_string()}, has_due_time});
    ++created;
    due += has_due_time ? 1 : 0;
  }

  std::vector<std::string> wrong_in_inbox(const std::string& user, const std::vector<expected_task>& tasks) {
    std::vector<notification> inbox;
    std::string next;
    do {
      const auto got =
          front_.ask({"GET", fmt::format("/api/v1/users/{}/notifications?limit=100{}", user, next), "", ""});
      if (!got.is_ok()) return {fmt::format("it cannot be read: {} {}", got.status, got.body)};
      const auto page = boost::json::parse(got.body);
      for (const auto& one : page.at("items").as_array())
        inbox.push_back(
            {std::string{one.at("type").as_string()}, std::string{one.at("subject").as_string()}});
      const auto* cursor = page.as_object().if_contains("nextCursor");
      next = cursor != nullptr && cursor->is_string() ? "&cursor=" + std::string{cursor->get_string()} : "";
    } while (!next.empty());
    return differences(tasks, inbox);
  }

  deliveries& of_;
  const std::size_t number_;
  std::mt19937_64 random_;
  front_client front_;
  std::uint64_t given_up_ = 0;
  std::map<std::string, std::vector<expected_task>> expected_;  // by user
};

deliveries::deliveries(delivery_options options, first_attempts& writes)
    : options_(std::move(options)), writes_(writes) {
  for (std::size_t i = 1; i <= options_.clients; ++i) clients_.push_back(std::make_unique<client>(*this, i));
}

deliveries::~deliveries() { finish(); }

void deliveries::start() {
  for (auto& one : clients_) threads_.emplace_back([&one] { one->run(); });
}

void deliveries::finish() {
  is_over_ = true;
  for (auto& one : threads_) one.join();
  threads_.clear();
}

std::uint64_t deliveries::tasks() const {
  std::uint64_t out = 0;
  for (const auto& one : clients_) out += one->created;
  return out;
}

std::uint64_t deliveries::reminders() const {
  std::uint64_t out = 0;
  for (const auto& one : clients_) out += one->due;
  return out;
}

std::vector<std::string> deliveries::compare(int patience_ms) {
  std::vector<std::string> faults;
  const auto until = steady_clock::now() + milliseconds{patience_ms};
  for (auto& one : clients_) one->compare(until, faults);
  return faults;
}

}  // namespace troupe::chaos
