#include "cluster/authority/etcd/checked_store.hpp"

namespace troupe::etcd {
namespace {

constexpr std::size_t quoted_bytes_max = 200;

std::string quoted(const http_reply& reply) {
  return "status " + std::to_string(reply.status) + ", " + reply.body.substr(0, quoted_bytes_max);
}

}  // namespace

std::optional<range_answer> checked_store::range(asking& who, const std::string& prefix, want what,
                                                 std::string& error) {
  const auto newest = gate_.newest();
  const auto reply = who.link.post_read("/v3/kv/range", range_request(prefix, what), who.deadline);
  if (!reply.is_ok()) {
    error = reply.what == http_reply::fate::answered ? quoted(reply) : reply.error;
    return std::nullopt;
  }
  auto answer = parse_range(reply.body);
  if (!answer) {
    error = "not the answer to a range: " + quoted(reply);
    gate_.refuse(refusal::nonsense, error);
    return std::nullopt;
  }
  if (!gate_.admit(answer->header, newest)) {
    error = "the authority is older than what was seen, or another one";
    return std::nullopt;
  }
  return answer;
}

std::optional<txn_answer> checked_store::txn(asking& who, const std::vector<unchanged>& conditions,
                                             const std::vector<put>& puts,
                                             const std::vector<std::string>& read_otherwise,
                                             std::string& error) {
  const auto newest = gate_.newest();
  const auto reply =
      who.link.post_once("/v3/kv/txn", txn_request(conditions, puts, read_otherwise), who.deadline);
  if (!reply.is_ok()) {
    // Also a status like 503 "request timed out" says nothing about whether it was, or will be, applied.
    error = reply.what == http_reply::fate::answered ? quoted(reply) : reply.error;
    return std::nullopt;
  }
  auto answer = parse_txn(reply.body, puts.size());
  if (!answer) {
    error = "not the answer to a transaction: " + quoted(reply);
    gate_.refuse(refusal::nonsense, error);
    return std::nullopt;
  }
  if (!gate_.admit(answer->header, newest)) {
    error = "the authority is older than what was seen, or another one";
    return std::nullopt;
  }
  return answer;
}

}  // namespace troupe::etcd
