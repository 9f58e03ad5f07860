#include "cluster/transport/address.hpp"

#include <doctest/doctest.h>

using namespace troupe;

TEST_CASE("address: ip:port is taken apart, and nothing else") {
  CHECK(parse_ip_port("10.0.0.7:7400") == ip_port{"10.0.0.7", 7400});
  CHECK(parse_ip_port("fd00::7:7400") == ip_port{"fd00::7", 7400});
  CHECK(parse_ip_port("127.0.0.1:65535") == ip_port{"127.0.0.1", 65'535});
  for (const auto* none : {"", ":", "foo", "foo:1", "localhost:7400", "10.0.0.7", "10.0.0.7:", ":7400",
                           "10.0.0.7:0", "10.0.0.7:65536", "10.0.0.7:-1", "10.0.0.7:74x", "10.0.0.7: 7400",
                           "10.0.0:7400", "[fd00::7]:7400", "fd00::7"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_ip_port(none));
  }
}

TEST_CASE("address: a node listens on loopback and private addresses only, to the edge of each network") {
  for (const auto* good :
       {"127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
        "192.168.0.0", "192.168.255.255", "169.254.0.0", "169.254.255.255", "100.64.0.0", "100.127.255.255",
        "::1", "fc00::1", "fdff:ffff::1", "fe80::1", "febf::1"}) {
    CAPTURE(good);
    CHECK(fault_in_listening(good) == "");
  }
  for (const auto* bad : {"0.0.0.0",         "::",
                          "8.8.8.8",         "126.255.255.255",
                          "128.0.0.0",       "9.255.255.255",
                          "11.0.0.0",        "172.15.255.255",
                          "172.32.0.0",      "192.167.255.255",
                          "192.169.0.0",     "169.253.255.255",
                          "169.255.0.0",     "100.63.255.255",
                          "100.128.0.0",     "224.0.0.1",
                          "255.255.255.255", "2001:db8::1",
                          "fbff::1",         "fe00::1",
                          "fec0::1",         "ff02::1",
                          "::ffff:8.8.8.8"}) {
    CAPTURE(bad);
    CHECK(fault_in_listening(bad).find("neither a loopback nor a private address") != std::string::npos);
  }
  for (const auto* none : {"", " ", "localhost", "node-1.internal", "127.0.0.1:7400", "10.0.0", "[::1]"}) {
    CAPTURE(none);
    CHECK(fault_in_listening(none).find("is no IP address") != std::string::npos);
  }
}

TEST_CASE("address: what is announced may be any address of one machine") {
  for (const auto* good : {"10.0.0.7:7400", "203.0.113.5:1", "127.1.0.1:7400", "2001:db8::1:7400"}) {
    CAPTURE(good);
    CHECK(fault_in_advertised(good) == "");
  }
  for (const auto* bad :
       {"0.0.0.0:7400", ":::7400", "224.0.0.1:7400", "ff02::1:7400", "255.255.255.255:7400"}) {
    CAPTURE(bad);
    CHECK(fault_in_advertised(bad).find("not the address of one machine") != std::string::npos);
  }
  for (const auto* none : {"", "foo", "10.0.0.7", "localhost:7400", "10.0.0.7:0"}) {
    CAPTURE(none);
    CHECK(fault_in_advertised(none).find("is no IP:PORT") != std::string::npos);
  }
}

TEST_CASE("address: connections are made from IP addresses") {
  CHECK(fault_in_source("127.1.1.1") == "");
  CHECK(fault_in_source("203.0.113.5") == "");
  CHECK(fault_in_source("eth0") != "");
}

TEST_CASE("address: only loopback is of this machine alone, and no other name is known") {
  for (const auto* here : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) CHECK(is_loopback(here));
  for (const auto* not_here : {"", "0.0.0.0", "::", "10.0.0.7", "node-1"}) CHECK_FALSE(is_loopback(not_here));
}
