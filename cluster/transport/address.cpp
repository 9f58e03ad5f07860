#include "cluster/transport/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace troupe {
namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> parse(const std::string& text) {
  boost::system::error_code fault;
  auto out = ip::make_address(text, fault);
  return fault ? std::nullopt : std::optional{std::move(out)};
}

std::string no_ip(const std::string& text) {
  return "\"" + text + "\" is no IP address, as 127.0.0.1 or 10.0.0.7 is; names are not looked up";
}

struct ipv4_network {
  std::uint32_t first = 0;
  unsigned prefix_bits = 0;
};

/// RFC 1918, link-local (RFC 3927), and what providers share among their customers (RFC 6598).
constexpr ipv4_network private_networks[] = {
    {0x0A000000, 8}, {0xAC100000, 12}, {0xC0A80000, 16}, {0xA9FE0000, 16}, {0x64400000, 10}};

bool is_private(const ip::address_v4& address) {
  for (const auto& [first, prefix_bits] : private_networks)
    if ((address.to_uint() ^ first) >> (32 - prefix_bits) == 0) return true;
  return false;
}

/// Unique local addresses (RFC 4193) and link-local ones.
bool is_private(const ip::address_v6& address) {
  return (address.to_bytes()[0] & 0xFEU) == 0xFCU || address.is_link_local();
}

bool is_private(const ip::address& address) {
  return address.is_v4() ? is_private(address.to_v4()) : is_private(address.to_v6());
}

}  // namespace

std::optional<ip_port> parse_ip_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  ip_port out{text.substr(0, colon), 0};
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, out.port);
  if (!parse(out.ip) || read.ec != std::errc{} || read.ptr != end || out.port == 0) return std::nullopt;
  return out;
}

std::string fault_in_listening(const std::string& address) {
  const auto parsed = parse(address);
  if (!parsed) return no_ip(address);
  if (parsed->is_loopback() || is_private(*parsed)) return {};
  return address +
         " is neither a loopback nor a private address. What nodes and fronts say there is neither encrypted "
         "nor authenticated: whoever reached it could read and change everything. Give one address of this "
         "machine that is: of 127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, "
         "100.64.0.0/10, fc00::/7 or fe80::/10, or ::1";
}

std::string fault_in_advertised(const std::string& text) {
  const auto parts = parse_ip_port(text);
  if (!parts)
    return "\"" + text + "\" is no IP:PORT, as 10.0.0.7:7400 or fd00::7:7400 is; names are not looked up";
  const auto parsed = parse(parts->ip);
  if (parsed->is_unspecified() || parsed->is_multicast() || *parsed == ip::address_v4::broadcast())
    return text + " is not the address of one machine: others could not reach this node there";
  return {};
}

std::string fault_in_source(const std::string& address) { return parse(address) ? "" : no_ip(address); }

bool is_loopback(const std::string& address) {
  const auto parsed = parse(address);
  return parsed ? parsed->is_loopback() : address == "localhost";
}

}  // namespace troupe
