#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http_front/auth/access_token.hpp"
#include "http_front/server.hpp"
#include "test/integration/http/client.hpp"
#include "test/integration/http/fake_port.hpp"
#include "test/integration/http/toy_routes.hpp"

namespace troupe::http::test {

/// The system's time, shifted by what a test says.
struct shifted_clock final : clock_source {
  timestamp wall() const override { return {system_clock{}.wall().ms + shift_ms.load()}; }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
  std::atomic<std::int64_t> shift_ms{0};
};

/// A server on a free port over a fake runtime that answers every command with a toy.
struct http_fixture {
  explicit http_fixture(server_options with = {});

  client connect() const { return client{web->port()}; }
  answer ask(std::string_view request) const { return connect().ask(request); }
  std::string token(const std::vector<std::string>& roles = {"user"}) const;

  shifted_clock clock;
  std::shared_ptr<const signing_keys> keys;
  fake_runtime runtime;
  std::unique_ptr<server> web;
};

inline constexpr std::string_view user_text = "0192d1c0-7a3b-7cde-8f01-23456789abcd";

/// Options whose time-outs are over in a moment.
server_options hasty();

/// A request with a body and its length.
std::string with_body(std::string_view method, std::string_view path, std::string_view headers,
                      std::string_view body);
std::string get(std::string_view path, std::string_view headers = {});

}  // namespace troupe::http::test
