#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http_front/auth/access_token.hpp"
#include "http_front/gateway/exchange.hpp"
#include "http_front/net/response.hpp"
#include "http_front/problem/catalogue.hpp"
#include "http_front/problem/front_problems.hpp"
#include "http_front/server.hpp"

namespace troupe::http {

/// Of a body on a route that takes none: room for `{}`, which some clients send with everything.
inline constexpr std::uint64_t pointless_body_bytes_max = 1024;

/// What all loops read and nobody changes.
struct front {
  front(server_options options, server_parts parts);

  server_options options;
  server_parts parts;
  route_table routes;
  problem_catalogue problems;
  timestamp started;
};

/// Turns a request into a command and a reply into an answer: routing, authentication, idempotency,
/// preconditions, JSON, problems. Knows no socket. One for each loop.
class gateway {
 public:
  gateway(const front& shared, std::uint64_t seed);

  /// The first thing for a request, even for one that is not readable: it gets its trace.
  void begin(exchange& x);

  enum class step { answered, admitted, submit };
  /// All that can be said of a request by its head: where it goes, who sends it, whether it may. Once a
  /// request, and before its body is waited for: who may not send one takes no memory with it.
  /// Either the answer is in `answer`, or the request is admitted.
  step admit(exchange& x, std::unique_ptr<verified_token>& cache, response& answer);
  /// The rest, for an admitted request whose body is there. Either the answer is in `answer`, or x.outgoing
  /// is to be submitted and its reply brought to finish().
  step take(exchange& x, response& answer) const;
  void finish(exchange& x, const reply& reply, response& answer);

  /// Answers with a problem of the front itself.
  void refuse(const exchange& x, front_problem why, std::string_view detail, response& answer) const;

 private:
  step admit_routed(exchange& x, std::unique_ptr<verified_token>& cache, response& answer);
  step take_admitted(exchange& x, response& answer) const;
  step lose(const exchange& x, const std::exception& fault, response& answer) const;
  bool route(exchange& x, response& answer) const;
  void serve_page(exchange& x, response& answer) const;
  bool let_in(exchange& x, std::unique_ptr<verified_token>& cache, response& answer);
  token_fault authenticate(exchange& x, std::unique_ptr<verified_token>& cache);
  bool name_command(exchange& x, response& answer) const;
  bool check_versions(exchange& x, response& answer) const;
  bool check_body_kind(const exchange& x, response& answer) const;
  bool check_media_type(const exchange& x, response& answer) const;
  step bind(exchange& x, const boost::json::value* json, response& answer) const;
  void refuse_as(const exchange& x, const problem_kind& kind, std::string_view detail,
                 std::span<const problem_field> fields, response& answer) const;
  void answer_ok(exchange& x, const reply& reply, response& answer) const;
  void answer_rejection(const exchange& x, const reply& reply, response& answer) const;
  void common_headers(const exchange& x, response& answer) const;

  const front& front_;
  token_signer signer_;
  id_source ids_;
};

}  // namespace troupe::http
