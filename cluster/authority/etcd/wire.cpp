#include "cluster/authority/etcd/wire.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>

namespace troupe::etcd {
namespace {

namespace json = boost::json;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

/// Integers of 64 bits travel as strings.
json::string number(std::uint64_t value) { return json::string{std::to_string(value)}; }

std::optional<json::object> parse_object(std::string_view body) {
  boost::system::error_code fault;
  auto parsed = json::parse(view(body), fault);
  if (fault || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.get_object());
}

/// An absent field is its default, 0. False: it is there and is no number.
template <class T>
bool read_number(const json::object& o, std::string_view name, T& value) {
  value = 0;
  const auto* field = o.if_contains(view(name));
  if (field == nullptr) return true;
  if (!field->is_string()) return false;
  const std::string_view text{field->get_string().data(), field->get_string().size()};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size();
}

bool read_bytes(const json::object& o, std::string_view name, std::string& bytes) {
  bytes.clear();
  const auto* field = o.if_contains(view(name));
  if (field == nullptr) return true;
  if (!field->is_string()) return false;
  auto decoded = from_base64({field->get_string().data(), field->get_string().size()});
  if (!decoded) return false;
  bytes = std::move(*decoded);
  return true;
}

/// Null when the field is absent; false when it is something else than an object.
bool read_object(const json::object& o, std::string_view name, const json::object*& found) {
  const auto* field = o.if_contains(view(name));
  found = field == nullptr ? nullptr : field->if_object();
  return field == nullptr || found != nullptr;
}

bool read_array(const json::object& o, std::string_view name, const json::array*& found) {
  const auto* field = o.if_contains(view(name));
  found = field == nullptr ? nullptr : field->if_array();
  return field == nullptr || found != nullptr;
}

/// Every answer has a header; a store that was ever opened has a revision above 0.
std::optional<answer_header> read_header(const json::object& answer) {
  const json::object* header = nullptr;
  answer_header out;
  if (!read_object(answer, "header", header) || header == nullptr) return std::nullopt;
  if (!read_number(*header, "cluster_id", out.etcd_cluster)) return std::nullopt;
  if (!read_number(*header, "revision", out.revision)) return std::nullopt;
  if (out.etcd_cluster == 0 || out.revision == 0) return std::nullopt;
  return out;
}

bool read_pairs(const json::object& range, std::uint64_t newest, std::vector<key_value>& out) {
  const json::array* pairs = nullptr;
  if (!read_array(range, "kvs", pairs)) return false;
  if (pairs == nullptr) return true;
  for (const auto& item : *pairs) {
    const auto* pair = item.if_object();
    key_value kv;
    if (pair == nullptr || !read_bytes(*pair, "key", kv.key) || !read_bytes(*pair, "value", kv.value) ||
        !read_number(*pair, "mod_revision", kv.revision))
      return false;
    if (kv.key.empty() || kv.revision == 0 || kv.revision > newest) return false;
    out.push_back(std::move(kv));
  }
  return true;
}

/// The parts of a txn's answer: as many puts as were asked for, or only ranges.
bool read_responses(const json::object& txn, std::size_t put_count, txn_answer& out) {
  const json::array* responses = nullptr;
  if (!read_array(txn, "responses", responses)) return false;
  std::size_t puts = 0;
  for (std::size_t i = 0; responses != nullptr && i < responses->size(); ++i) {
    const auto* response = (*responses)[i].if_object();
    const json::object* range = nullptr;
    if (response == nullptr) return false;
    if (response->contains("response_put")) {
      ++puts;
    } else if (!read_object(*response, "response_range", range) || range == nullptr ||
               !read_pairs(*range, out.header.revision, out.found)) {
      return false;
    }
  }
  return out.succeeded ? puts == put_count && out.found.empty() : puts == 0;
}

}  // namespace

std::string range_request(std::string_view prefix, want what) {
  // Without "serializable" a range is linearizable.
  json::object o{{"key", to_base64(prefix)}, {"range_end", to_base64(end_of_prefix(prefix))}};
  if (what == want::keys) o["keys_only"] = true;
  return json::serialize(o);
}

std::string txn_request(const std::vector<unchanged>& conditions, const std::vector<put>& puts,
                        const std::vector<std::string>& read_otherwise) {
  json::array compare;
  for (const auto& c : conditions)
    compare.push_back(json::object{{"target", "MOD"},
                                   {"key", to_base64(c.key)},
                                   {"mod_revision", number(c.revision)},
                                   {"result", "EQUAL"}});
  json::array success;
  for (const auto& p : puts) {
    json::object request{{"key", to_base64(p.key)}, {"value", to_base64(p.value)}};
    if (p.lease != 0) request["lease"] = number(p.lease);
    success.push_back(json::object{{"request_put", std::move(request)}});
  }
  json::array failure;
  for (const auto& key : read_otherwise)
    failure.push_back(json::object{{"request_range", json::object{{"key", to_base64(key)}}}});
  return json::serialize(json::object{
      {"compare", std::move(compare)}, {"success", std::move(success)}, {"failure", std::move(failure)}});
}

std::string grant_request(std::int64_t ttl_s) {
  return json::serialize(json::object{{"TTL", std::to_string(ttl_s)}});
}

std::string keep_alive_request(std::uint64_t lease) {
  return json::serialize(json::object{{"ID", number(lease)}});
}

std::string watch_request(std::string_view prefix) {
  return json::serialize(
      json::object{{"create_request", json::object{{"key", to_base64(prefix)},
                                                   {"range_end", to_base64(end_of_prefix(prefix))}}}});
}

std::optional<range_answer> parse_range(std::string_view body) {
  const auto o = parse_object(body);
  if (!o) return std::nullopt;
  const auto header = read_header(*o);
  if (!header) return std::nullopt;
  range_answer out{*header, {}};
  if (!read_pairs(*o, header->revision, out.found)) return std::nullopt;
  // "more" is there only with a limit, and none is asked for: such an answer is not whole.
  if (o->contains("more")) return std::nullopt;
  return out;
}

std::optional<txn_answer> parse_txn(std::string_view body, std::size_t put_count) {
  const auto o = parse_object(body);
  if (!o) return std::nullopt;
  const auto header = read_header(*o);
  if (!header) return std::nullopt;
  txn_answer out{*header, false, {}};
  if (const auto* succeeded = o->if_contains("succeeded")) {
    if (!succeeded->is_bool()) return std::nullopt;
    out.succeeded = succeeded->get_bool();
  }
  if (!read_responses(*o, put_count, out)) return std::nullopt;
  return out;
}

std::optional<lease_answer> parse_grant(std::string_view body) {
  const auto o = parse_object(body);
  lease_answer out;
  if (!o || !read_number(*o, "ID", out.lease) || !read_number(*o, "TTL", out.ttl_s) || out.lease == 0)
    return std::nullopt;
  return out;
}

std::optional<lease_answer> parse_keep_alive(std::string_view body) {
  // One message of a stream: wrapped in "result". A lease that is gone has no TTL.
  const auto o = parse_object(body);
  const json::object* result = nullptr;
  lease_answer out;
  if (!o || !read_object(*o, "result", result) || result == nullptr) return std::nullopt;
  if (!read_number(*result, "ID", out.lease) || !read_number(*result, "TTL", out.ttl_s)) return std::nullopt;
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t taken = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < taken ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out.push_back(i <= taken ? alphabet[group >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U;
  std::string out;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_padding = i + padding >= text.size();
    const auto digit = is_padding ? 0 : alphabet.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (int shift = 16; shift >= 0; shift -= 8) out.push_back(static_cast<char>(group >> shift & 255U));
    group = 0;
  }
  out.resize(out.size() - padding);
  return out;
}

std::string end_of_prefix(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace troupe::etcd
