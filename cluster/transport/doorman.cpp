#include <caf/io/all.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <optional>
#include <set>

#include "cluster/transport/transport_actors.hpp"

namespace troupe {
namespace {

/// CAF's own, except that somebody looks after who arrives. On the middleman's thread.
class doorman final : public caf::io::network::doorman_impl {
 public:
  doorman(caf::io::network::default_multiplexer& multiplexer, int socket, newcomers& arrivals)
      : doorman_impl(multiplexer, socket), arrivals_(arrivals) {}

  bool new_connection() override {
    arrivals_.add(acceptor_.accepted_socket());
    return doorman_impl::new_connection();
  }

 private:
  newcomers& arrivals_;
};

}  // namespace

std::uint64_t introduction_bytes_min() { return caf::io::basp::header_size; }

/// What middleman::publish() does, with that doorman.
std::optional<std::uint16_t> publish_dock(caf::actor_system& system, const caf::actor& dock,
                                          const transport_options& options, newcomers& arrivals) {
  auto& middleman = system.middleman();
  auto* multiplexer = dynamic_cast<caf::io::network::default_multiplexer*>(&middleman.backend());
  if (multiplexer == nullptr) return std::nullopt;
  const auto socket = caf::io::network::new_tcp_acceptor_impl(options.port, options.address.c_str(), true);
  if (!socket) return std::nullopt;
  const auto port = caf::io::network::local_port_of_fd(*socket);
  caf::io::doorman_ptr opens = caf::make_counted<doorman>(*multiplexer, *socket, arrivals);
  if (!port) return std::nullopt;
  const auto basp = middleman.named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  caf::anon_send(basp, caf::publish_atom_v, std::move(opens), *port,
                 caf::actor_cast<caf::strong_actor_ptr>(dock), std::set<std::string>{});
  return *port;
}

}  // namespace troupe
