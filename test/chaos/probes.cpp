#include "test/chaos/probes.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cluster/history/recorder.hpp"
#include "test/chaos/front_client.hpp"

namespace troupe::chaos {

probes::probes(std::vector<std::string> urls, std::string token, const std::vector<std::string>& skus,
               int pause_ms)
    : gaps_(skus.size()), last_answer_ns_(skus.size(), history::history_now()) {
  for (std::size_t i = 0; i < skus.size(); ++i)
    threads_.emplace_back(
        [this, i, urls, token, name = skus[i], pause_ms] { run(i, urls, token, name, pause_ms); });
}

probes::~probes() { stop(); }

void probes::stop() {
  is_over_ = true;
  for (auto& one : threads_) one.join();
  threads_.clear();
}

void probes::run(std::size_t sku, const std::vector<std::string>& urls, const std::string& token,
                 const std::string& name, int pause_ms) {
  front_client front{urls, token, sku, 6000};
  const request read{"GET", "/api/v1/skus/" + name, "", ""};
  while (!is_over_) {
    const auto got = front.ask(read);
    ++asked_;
    if (got.is_ok()) {
      const auto now = history::history_now();
      const std::lock_guard lock{mutex_};
      const auto length = now - std::exchange(last_answer_ns_[sku], now);
      if (length >= 1'000'000) gaps_[sku].push_back({now, length});
    } else {
      ++failed_;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{pause_ms});
  }
}

probes::gap probes::longest_gap(std::int64_t since_ns) const {
  const std::lock_guard lock{mutex_};
  gap longest;
  const auto look_at = [&longest](const gap& one) {
    if (one.length_ns > longest.length_ns) longest = one;
  };
  const auto now = history::history_now();
  for (std::size_t sku = 0; sku < gaps_.size(); ++sku) {
    look_at({now, now - last_answer_ns_[sku]});
    for (auto at = gaps_[sku].rbegin(); at != gaps_[sku].rend() && at->end_ns >= since_ns; ++at) look_at(*at);
  }
  return longest;
}

std::int64_t probes::longest_gap_ns(std::size_t sku, std::int64_t since_ns, std::int64_t until_ns) const {
  const std::lock_guard lock{mutex_};
  std::int64_t longest = 0;
  for (auto at = gaps_[sku].rbegin(); at != gaps_[sku].rend() && at->end_ns >= since_ns; ++at)
    if (at->end_ns < until_ns) longest = std::max(longest, at->length_ns);
  return longest;
}

bool probes::have_all_answered_since(std::int64_t since_ns) const {
  const std::lock_guard lock{mutex_};
  return std::all_of(last_answer_ns_.begin(), last_answer_ns_.end(),
                     [since_ns](std::int64_t at) { return at > since_ns; });
}

}  // namespace troupe::chaos
