#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::chaos {

/// Stands between processes on this machine, so that what one sends another can be held back without any
/// rights: each connection goes through here, on a thread of its own. What is held back arrives when the cut
/// ends, as over a network that repeats; new connections are taken and say nothing meanwhile.
class link_proxy {
 public:
  /// "ip:port", asked at each connection; empty: not there.
  using address_source = std::function<std::string()>;
  /// Of the process that connects from that IP address.
  using name_source = std::function<std::string(const std::string& address)>;

  explicit link_proxy(name_source names);
  ~link_proxy();
  link_proxy(const link_proxy&) = delete;
  link_proxy& operator=(const link_proxy&) = delete;

  /// A way to `target`, on 127.0.0.1; returns its port. `source`: who alone uses it; empty: the connection's
  /// own address tells. All ways are added before any is used.
  std::uint16_t add(const std::string& target, address_source where, const std::string& source = "");

  /// What `from` sends does not reach `to`, until heal(). Any thread.
  void cut(const std::string& from, const std::string& to);
  void heal();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe::chaos
