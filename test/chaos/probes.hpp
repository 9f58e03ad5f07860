#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::chaos {

/// Reads each SKU every few milliseconds, so that what cannot be answered shows as a gap between two answers.
class probes {
 public:
  struct gap {
    std::int64_t end_ns = 0;
    std::int64_t length_ns = 0;
  };

  probes(std::vector<std::string> urls, std::string token, const std::vector<std::string>& skus,
         int pause_ms);
  ~probes();
  probes(const probes&) = delete;
  probes& operator=(const probes&) = delete;

  /// The longest time between two answers about one SKU that ended after `since_ns`, the time that is passing
  /// included.
  gap longest_gap(std::int64_t since_ns) const;
  /// The longest time between two answers about that SKU that ended between these moments.
  std::int64_t longest_gap_ns(std::size_t sku, std::int64_t since_ns, std::int64_t until_ns) const;
  /// Whether every SKU has been answered for since then.
  bool have_all_answered_since(std::int64_t since_ns) const;
  std::uint64_t asked() const { return asked_; }
  /// Answers that were none: no answer, 5xx.
  std::uint64_t failed() const { return failed_; }
  void stop();

 private:
  void run(std::size_t sku, const std::vector<std::string>& urls, const std::string& token,
           const std::string& name, int pause_ms);

  std::atomic<bool> is_over_{false};
  std::atomic<std::uint64_t> asked_{0}, failed_{0};
  mutable std::mutex mutex_;
  std::vector<std::vector<gap>> gaps_;        // of a millisecond or more; guarded by mutex_
  std::vector<std::int64_t> last_answer_ns_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace troupe::chaos
