#include "test/chaos/front_client.hpp"

#include <httplib.h>

#include <charconv>

namespace troupe::chaos {

struct front_client::connection {
  httplib::Client http;
};

front_client::front_client(std::vector<std::string> urls, std::string token, std::size_t first,
                           int timeout_ms)
    : urls_(std::move(urls)), token_(std::move(token)), timeout_ms_(timeout_ms), at_(first) {}

front_client::~front_client() = default;

answer front_client::ask(const request& what) {
  if (!connection_) {
    connection_.reset(new connection{httplib::Client{urls_[at_ % urls_.size()]}});
    auto& http = connection_->http;
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
    http.set_connection_timeout(0, 300'000);
    http.set_read_timeout(timeout_ms_ / 1000, timeout_ms_ % 1000 * 1000);
  }
  httplib::Request out;
  out.method = what.method;
  out.path = what.path;
  out.body = what.body;
  out.set_header("Authorization", "Bearer " + token_);
  out.set_header("X-Want-Version", "1");
  if (!what.key.empty()) out.set_header("Idempotency-Key", what.key);
  if (!what.body.empty()) out.set_header("Content-Type", "application/json");
  const auto got = connection_->http.send(out);
  if (!got) {
    connection_.reset();
    ++at_;
    return {};
  }
  answer in{got->status, got->body, {}, 0, got->has_header("Idempotent-Replayed")};
  const auto version = got->get_header_value("X-Entity-Version");
  std::from_chars(version.data(), version.data() + version.size(), in.version);
  constexpr std::string_view problems = "/problems/";
  if (const auto type = in.body.find(problems); in.status >= 400 && type != std::string::npos) {
    const auto begin = type + problems.size();
    in.problem = in.body.substr(begin, in.body.find('"', begin) - begin);
  }
  return in;
}

}  // namespace troupe::chaos
