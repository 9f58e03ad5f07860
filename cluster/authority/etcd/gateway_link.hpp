#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace httplib {
class Client;
}

namespace troupe::etcd {

/// The members of the etcd cluster, any of which answers for all. Shared by the links; any thread.
class endpoint_list {
 public:
  /// As "http://host:port". At least one.
  explicit endpoint_list(std::vector<std::string> urls) : urls_(std::move(urls)) {}
  std::size_t count() const { return urls_.size(); }
  std::size_t preferred() const { return preferred_.load(std::memory_order_relaxed); }
  const std::string& url(std::size_t which) const { return urls_[which]; }
  /// That one did not answer: the next calls go to its neighbour.
  void avoid(std::size_t which);

 private:
  std::vector<std::string> urls_;
  std::atomic<std::size_t> preferred_{0};
};

struct http_reply {
  enum class fate : std::uint8_t {
    answered,
    not_sent,  // no connection: nobody has seen the request
    unknown,   // it may have been seen, and done
  };
  fate what = fate::not_sent;
  int status = 0;
  std::string body;
  std::string error;

  bool is_ok() const { return what == fate::answered && status == 200; }
};

/// One keep-alive connection to etcd's gateway. Used by one thread; only abort() may come from others.
/// Nothing is ever sent twice unless post_read() is asked to.
class gateway_link {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Takes what has arrived of a stream; false ends it.
  using chunk_sink = std::function<bool(std::string_view)>;

  explicit gateway_link(endpoint_list& endpoints);
  ~gateway_link();
  gateway_link(const gateway_link&) = delete;
  gateway_link& operator=(const gateway_link&) = delete;

  /// Asks once. It tries another endpoint only while nothing has been sent. Waits for connections and for
  /// each part of the answer until `deadline` at the longest; abort() bounds an answer that trickles.
  http_reply post_once(const std::string& path, const std::string& body, time_point deadline);
  /// Asks until somebody answers with 200 or the deadline has come. For requests that change nothing.
  http_reply post_read(const std::string& path, const std::string& body, time_point deadline);
  /// Reads a stream until the sink or the server ends it, or nothing comes for `silence_max`.
  http_reply stream(const std::string& path, const std::string& body, std::chrono::milliseconds silence_max,
                    const chunk_sink& sink);
  /// Makes the call that runs now fail soon.
  void abort();

 private:
  http_reply post(const std::string& path, const std::string& body, std::chrono::milliseconds patience,
                  const chunk_sink& sink);
  /// The connection to the preferred endpoint; makes one when that has changed.
  httplib::Client& client();
  void drop_client();

  endpoint_list& endpoints_;
  std::size_t connected_to_ = 0;
  std::mutex mutex_;  // guards the pointer against abort()
  std::unique_ptr<httplib::Client> client_;
};

}  // namespace troupe::etcd
