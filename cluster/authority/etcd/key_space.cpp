#include "cluster/authority/etcd/key_space.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::etcd {

key_space::key_space(std::string_view cluster) : root_("/f/" + std::string{cluster} + "/") {}

std::optional<std::string_view> key_space::tail(std::string_view key, std::string_view prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  return key.substr(prefix.size());
}

std::optional<shard_id> key_space::shard_of(std::string_view key) const {
  const auto digits = tail(key, shards());
  shard_id id = 0;
  if (!digits || digits->empty()) return std::nullopt;
  const auto* end = digits->data() + digits->size();
  const auto [stop, fault] = std::from_chars(digits->data(), end, id);
  // "007" would be another key of shard 7.
  if (fault != std::errc{} || stop != end || std::to_string(id) != *digits) return std::nullopt;
  return id;
}

bool is_plain_name(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace troupe::etcd
