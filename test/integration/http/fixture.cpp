#include "test/integration/http/fixture.hpp"

namespace troupe::http::test {
namespace {

server_options on_free_port(server_options options) {
  options.port = 0;
  return options;
}

}  // namespace

http_fixture::http_fixture(server_options with)
    : keys(std::make_shared<signing_keys>(std::vector<signing_key>{{"k1", {1, 2, 3}}})) {
  runtime.decide = [](const command& what) {
    reply ok{reply_status::ok, {}, 7, false};
    if (what.message == list_toys) {
      ok.bytes = encode(
          toy_page{{{"bear", 1}}, what.body.empty() ? std::optional<std::string>{"bear"} : std::nullopt});
    } else {
      ok.bytes = encode(toy_view{what.target.key, 3});
    }
    return verdict{false, std::move(ok)};
  };
  server_parts parts;
  parts.routes = toy_blocks();
  parts.make_port = [this](std::function<void()> wake) {
    return std::make_unique<fake_port>(runtime, std::move(wake));
  };
  parts.keys = keys;
  parts.clock = &clock;
  parts.health = [] { return std::vector<health_check>{{"store", ""}}; };
  parts.stats = [] { return std::string{R"({"entities":5})"}; };
  web = std::make_unique<server>(on_free_port(std::move(with)), std::move(parts));
  web->start();
}

std::string http_fixture::token(const std::vector<std::string>& roles) const {
  using namespace std::chrono_literals;
  const auto now = clock.wall();
  token_signer signer{keys};
  return signer.mint({*parse_uuid(user_text), "session-1", "token-1", now, now + 60s, roles});
}

server_options hasty() {
  using namespace std::chrono_literals;
  server_options options;
  options.head_timeout = 60ms;
  options.body_timeout = 60ms;
  options.idle_timeout = 60ms;
  options.write_timeout = 60ms;
  options.linger_timeout = 60ms;
  options.sweep_every = 5ms;
  return options;
}

std::string with_body(std::string_view method, std::string_view path, std::string_view headers,
                      std::string_view body) {
  std::string out;
  out.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: test\r\nContent-Length: ");
  out.append(std::to_string(body.size())).append("\r\n").append(headers).append("\r\n").append(body);
  return out;
}

std::string get(std::string_view path, std::string_view headers) {
  std::string out = "GET ";
  out.append(path).append(" HTTP/1.1\r\nHost: test\r\n").append(headers).append("\r\n");
  return out;
}

}  // namespace troupe::http::test
