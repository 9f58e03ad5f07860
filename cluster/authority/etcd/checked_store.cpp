#include "cluster/authority/etcd/checked_store.hpp"

namespace troupe::etcd {
namespace {

constexpr std::size_t quoted_bytes_max = 200;
/// Of etcd's rpctypes: no write succeeds until it is compacted and its alarm is disarmed, and reads go on as
/// ever.
constexpr std::string_view no_space = "mvcc: database space exceeded";

std::string quoted(const http_reply& reply) {
  return "status " + std::to_string(reply.status) + ", " + reply.body.substr(0, quoted_bytes_max);
}

/// What the reply says, if it is such an answer and may be believed. `call` names the request in the reason
/// why not; `newest` is what was known when it was sent.
template <class Parse>
auto believed(answer_gate& gate, const http_reply& reply, const char* call, std::uint64_t newest,
              std::string& error, Parse&& parse) -> decltype(parse(reply.body)) {
  if (!reply.is_ok()) {
    // Also a status like 503 "request timed out" says nothing about whether it was, or will be, done.
    error = reply.what == http_reply::fate::answered ? quoted(reply) : reply.error;
    if (reply.what == http_reply::fate::answered) gate.refuse(refusal::declined, error);
    return std::nullopt;
  }
  auto answer = parse(reply.body);
  if (!answer) {
    error = std::string{"not the answer to a "} + call + ": " + quoted(reply);
    gate.refuse(refusal::nonsense, error);
    return std::nullopt;
  }
  if (!gate.admit(answer->header, newest)) {
    error = "the authority is older than what was seen, or another one";
    return std::nullopt;
  }
  return answer;
}

}  // namespace

std::optional<range_answer> checked_store::range(asking& who, const std::string& prefix, want what,
                                                 std::string& error) {
  const auto newest = gate_.newest();
  const auto reply = who.link.post_read("/v3/kv/range", range_request(prefix, what), who.deadline);
  return believed(gate_, reply, "range", newest, error, parse_range);
}

std::optional<txn_answer> checked_store::txn(asking& who, const std::vector<unchanged>& conditions,
                                             const std::vector<put>& puts,
                                             const std::vector<std::string>& read_otherwise,
                                             std::string& error) {
  const auto newest = gate_.newest();
  const auto reply =
      who.link.post_once("/v3/kv/txn", txn_request(conditions, puts, read_otherwise), who.deadline);
  auto answer = believed(gate_, reply, "transaction", newest, error,
                         [&](std::string_view body) { return parse_txn(body, puts.size()); });
  if (answer) is_full_ = false;
  if (reply.body.find(no_space) != std::string::npos) is_full_ = true;
  return answer;
}

}  // namespace troupe::etcd
