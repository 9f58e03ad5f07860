#include "cli/flash_sale/client/endpoint.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/resource.h>

#include <charconv>
#include <cstring>

namespace troupe::client {

std::string endpoint::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

endpoint resolve(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const auto refuse = [&](std::string_view why) {
    return environment_error(fmt::format("The address {} {}. Give it as http://HOST:PORT.", url, why));
  };
  if (!url.starts_with(scheme)) throw refuse("does not start with http:// (this client speaks no TLS)");
  std::string_view rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) throw refuse("has a path");

  endpoint out;
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  out.host = bracket == std::string_view::npos ? rest.substr(0, colon) : rest.substr(1, bracket - 1);
  if (colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size()) throw refuse("has no valid port");
  }

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(out.host.c_str(), std::to_string(out.port).c_str(), &hints, &found) != 0 ||
      found == nullptr) {
    throw refuse("names a host that cannot be found");
  }
  std::memcpy(&out.address, found->ai_addr, found->ai_addrlen);
  out.address_bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return out;
}

std::string request_text(const endpoint& to, std::string_view method, std::string_view target,
                         const std::vector<header>& headers, std::string_view body) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, to.authority());
  for (const auto& h : headers) out += fmt::format("{}: {}\r\n", h.name, h.value);
  if (!body.empty())
    out += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  out += "\r\n";
  out += body;
  return out;
}

void allow_open_sockets(std::size_t connections) {
  constexpr rlim_t files_of_our_own = 64;
  const rlim_t needed = static_cast<rlim_t>(connections) + files_of_our_own;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  if (limit.rlim_max < needed) limit.rlim_max = needed;  // only root may do this
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  throw environment_error(
      fmt::format("{} connections need {} open files, which this session may not have. Run `ulimit -n {}` as "
                  "root first, or give "
                  "fewer --connections.",
                  connections, needed, needed));
}

}  // namespace troupe::client
