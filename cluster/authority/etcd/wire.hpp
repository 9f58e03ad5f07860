#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The JSON of etcd's v3 gateway, as etcd 3.4.23 speaks it: keys and values in base64, 64-bit integers as
/// strings, fields with their default value left out. Pure text in, text out; no I/O. The reading side
/// believes nothing: what is not exactly such an answer is no answer.
namespace troupe::etcd {

struct key_value {
  std::string key;
  std::string value;
  std::uint64_t revision = 0;  // of its last change (etcd's mod_revision)
};

/// Who answered, and how far its store was.
struct answer_header {
  std::uint64_t etcd_cluster = 0;
  std::uint64_t revision = 0;
};

struct range_answer {
  answer_header header;
  std::vector<key_value> found;
};

struct txn_answer {
  answer_header header;  // its revision is the one that the puts got
  bool succeeded = false;
  std::vector<key_value> found;  // what the failure branch read
};

struct lease_answer {
  std::uint64_t lease = 0;
  std::int64_t ttl_s = 0;  // 0: the lease is gone
};

/// Holds when the key's last change is of that revision; 0: when there is no such key.
struct unchanged {
  std::string key;
  std::uint64_t revision = 0;
};

struct put {
  std::string key;
  std::string value;
  std::uint64_t lease = 0;  // 0: none
};

enum class want : std::uint8_t { keys_and_values, keys };

std::string range_request(std::string_view prefix, want what);
/// All of `conditions` hold: `puts` at one revision. Else: what is at the keys `read_otherwise`.
std::string txn_request(const std::vector<unchanged>& conditions, const std::vector<put>& puts,
                        const std::vector<std::string>& read_otherwise);
std::string grant_request(std::int64_t ttl_s);
std::string keep_alive_request(std::uint64_t lease);
std::string watch_request(std::string_view prefix);

std::optional<range_answer> parse_range(std::string_view body);
/// `put_count` as in the request: an answer that has done another number of them is nonsense.
std::optional<txn_answer> parse_txn(std::string_view body, std::size_t put_count);
std::optional<lease_answer> parse_grant(std::string_view body);
std::optional<lease_answer> parse_keep_alive(std::string_view body);

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

/// The first key that is greater than every key with this prefix.
std::string end_of_prefix(std::string_view prefix);

}  // namespace troupe::etcd
