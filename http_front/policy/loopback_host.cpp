#include "http_front/policy/loopback_host.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace troupe::http {
namespace {

bool is_port(std::string_view text) {
  return text.empty() ||
         (text.front() == ':' && text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

bool is_localhost(std::string_view name) {
  constexpr std::string_view wanted = "localhost";
  return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

bool is_ipv4_loopback(std::string_view name) {
  in_addr address{};
  return ::inet_pton(AF_INET, std::string{name}.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  constexpr std::string_view ipv6 = "[::1]";
  if (host.starts_with(ipv6)) return is_port(host.substr(ipv6.size()));
  const auto colon = std::min(host.find(':'), host.size());
  const auto name = host.substr(0, colon);
  return is_port(host.substr(colon)) && (is_localhost(name) || is_ipv4_loopback(name));
}

}  // namespace troupe::http
