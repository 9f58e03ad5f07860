#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

struct ip_port {
  std::string ip;  // of an IPv6 address without brackets
  std::uint16_t port = 0;
  friend bool operator==(const ip_port&, const ip_port&) = default;
};

/// Of "ip:port", as nodes announce themselves; nothing for anything else, names and port 0 among it.
std::optional<ip_port> parse_ip_port(const std::string& text);

/// Why a node must not listen for other processes there; empty when it may. What they say is neither
/// encrypted nor authenticated, so only addresses will do that are not routed on the internet.
std::string fault_in_listening(const std::string& address);

/// Why others cannot be told to come to that ip:port; empty when they can. What stands between may have a
/// public address.
std::string fault_in_advertised(const std::string& text);

/// Why connections cannot be made from there; empty when they can.
std::string fault_in_source(const std::string& address);

/// Whether only processes of the same machine reach what listens there. Of names it knows "localhost".
bool is_loopback(const std::string& address);

}  // namespace troupe
