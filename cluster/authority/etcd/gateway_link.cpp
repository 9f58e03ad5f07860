#include "cluster/authority/etcd/gateway_link.hpp"

#include <httplib.h>

#include <algorithm>

namespace troupe::etcd {
namespace {

using namespace std::chrono_literals;

/// All shards of the largest cluster are a few hundred kilobytes.
constexpr std::size_t body_bytes_max = 16U << 20U;
constexpr auto connect_max = 500ms;
/// A hung member must leave time to ask another one.
constexpr auto one_try_min = 200ms;

std::chrono::milliseconds time_left(gateway_link::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, 0ms);
}

bool was_never_sent(httplib::Error error) {
  return error == httplib::Error::Connection || error == httplib::Error::ConnectionTimeout ||
         error == httplib::Error::BindIPAddress;
}

}  // namespace

void endpoint_list::avoid(std::size_t which) {
  auto expected = which;
  preferred_.compare_exchange_strong(expected, (which + 1) % urls_.size(), std::memory_order_relaxed);
}

gateway_link::gateway_link(endpoint_list& endpoints) : endpoints_(endpoints) {}

gateway_link::~gateway_link() = default;

httplib::Client& gateway_link::client() {
  const auto wanted = endpoints_.preferred();
  if (!client_ || connected_to_ != wanted) {
    auto fresh = std::make_unique<httplib::Client>(endpoints_.url(wanted));
    fresh->set_keep_alive(true);
    fresh->set_tcp_nodelay(true);
    const std::lock_guard lock{mutex_};
    client_ = std::move(fresh);
    connected_to_ = wanted;
  }
  return *client_;
}

void gateway_link::drop_client() {
  const std::lock_guard lock{mutex_};
  client_.reset();
}

void gateway_link::abort() {
  const std::lock_guard lock{mutex_};
  if (client_) client_->stop();
}

http_reply gateway_link::post(const std::string& path, const std::string& body,
                              std::chrono::milliseconds patience, const chunk_sink& sink) {
  auto& http = client();
  http.set_connection_timeout(std::min<std::chrono::milliseconds>(patience, connect_max));
  http.set_read_timeout(patience);
  http.set_write_timeout(patience);
  http_reply out;
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.response_handler = [&](const httplib::Response& head) {
    out.status = head.status;
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (sink) return sink({data, size});
    out.body.append(data, size);
    return out.body.size() <= body_bytes_max;
  };
  const auto result = http.send(request);
  // etcd ends an error's body with a trailer, on which cpp-httplib 0.11 gives up after the whole body.
  const bool is_refusal = !result && out.status != 0 && out.status != 200;
  if (is_refusal) drop_client();
  if (result || is_refusal) {
    out.what = http_reply::fate::answered;
    return out;
  }
  out.what = was_never_sent(result.error()) ? http_reply::fate::not_sent : http_reply::fate::unknown;
  out.error = endpoints_.url(connected_to_) + ": " + httplib::to_string(result.error());
  out.body.clear();
  out.status = 0;
  endpoints_.avoid(connected_to_);
  drop_client();
  return out;
}

http_reply gateway_link::post_once(const std::string& path, const std::string& body, time_point deadline) {
  http_reply out;
  out.error = "no time left";
  for (std::size_t tried = 0; tried < endpoints_.count(); ++tried) {
    const auto left = time_left(deadline);
    if (left == 0ms) break;
    out = post(path, body, left, {});
    if (out.what != http_reply::fate::not_sent) break;
  }
  return out;
}

http_reply gateway_link::post_read(const std::string& path, const std::string& body, time_point deadline) {
  http_reply out;
  out.error = "no time left";
  const auto whole = time_left(deadline);
  const auto one_try =
      std::max<std::chrono::milliseconds>(whole / static_cast<std::int64_t>(endpoints_.count()), one_try_min);
  // Two rounds: the second is for a member that restarts.
  for (std::size_t tried = 0; tried < 2 * endpoints_.count(); ++tried) {
    const auto left = std::min(time_left(deadline), one_try);
    if (left == 0ms) break;
    out = post(path, body, left, {});
    if (out.is_ok()) break;
    if (out.what == http_reply::fate::answered) endpoints_.avoid(connected_to_);
  }
  return out;
}

http_reply gateway_link::stream(const std::string& path, const std::string& body,
                                std::chrono::milliseconds silence_max, const chunk_sink& sink) {
  auto out = post(path, body, silence_max, sink);
  drop_client();  // a stream that was left in the middle cannot be used again
  return out;
}

}  // namespace troupe::etcd
