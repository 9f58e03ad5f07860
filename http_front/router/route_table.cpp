#include "http_front/router/route_table.hpp"

#include <algorithm>
#include <optional>

#include "http_front/boot_error.hpp"
#include "http_front/router/target.hpp"

namespace troupe::http {
namespace {

constexpr std::size_t segments_max = 16;
constexpr std::size_t method_count = 5;

std::optional<http_method> to_method(verb v) {
  switch (v) {
    case verb::get:
    case verb::head:
      return http_method::get;
    case verb::post:
      return http_method::post;
    case verb::put:
      return http_method::put;
    case verb::patch:
      return http_method::patch;
    case verb::del:
      return http_method::del;
    case verb::options:
    case verb::other:
      return std::nullopt;
  }
  return std::nullopt;
}

struct segments {
  std::array<std::string_view, segments_max> part;
  std::size_t count = 0;
};

/// False when there are too many; an empty segment (a doubled or trailing slash) matches nothing later.
bool split(std::string_view path, segments& out) {
  path.remove_prefix(1);
  while (true) {
    if (out.count == segments_max) return false;
    const auto slash = path.find('/');
    out.part[out.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

std::string_view to_string(http_method method) {
  switch (method) {
    case http_method::get:
      return "GET";
    case http_method::post:
      return "POST";
    case http_method::put:
      return "PUT";
    case http_method::patch:
      return "PATCH";
    case http_method::del:
      return "DELETE";
  }
  return "?";
}

struct route_table::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literal;
  std::unique_ptr<node> parameter;
  std::array<std::unique_ptr<route_entry>, method_count> entry;
  std::string allow;  // empty: no path ends here

  const node* child(std::string_view segment) const {
    for (const auto& [text, next] : literal) {
      if (text == segment) return next.get();
    }
    return nullptr;
  }

  /// Literals first, so /users/me wins over /users/{id}; back to the parameter when that leads nowhere.
  const node* find(const std::string* segment, const std::string* end,
                   std::vector<const std::string*>& values) const {
    if (segment == end) return allow.empty() ? nullptr : this;
    if (const auto* next = child(*segment)) {
      if (const auto* found = next->find(segment + 1, end, values)) return found;
    }
    if (parameter == nullptr || segment->empty()) return nullptr;
    values.push_back(segment);
    if (const auto* found = parameter->find(segment + 1, end, values)) return found;
    values.pop_back();
    return nullptr;
  }
};

route_table::route_table(const std::vector<route_block>& blocks, compat_routes compat)
    : root_(std::make_unique<node>()) {
  for (const auto* prefix : {"", "/api/v1"}) {
    add({http_method::get, std::string{prefix} + "/health", nullptr, nullptr, local_page::health, {}, 0});
    add({http_method::get, std::string{prefix} + "/stats", nullptr, nullptr, local_page::stats, {}, 0});
  }
  add({http_method::get, "/problems", nullptr, nullptr, local_page::problems, {}, 0});
  add({http_method::get, "/problems/{slug}", nullptr, nullptr, local_page::problem, {}, 0});
  for (const auto& block : blocks) {
    for (const auto& route : block.routes) {
      if (route.compat_only && compat == compat_routes::absent) continue;
      if (route.bind == nullptr || (route.render == nullptr && route.success_status != 204)) {
        throw boot_error("route without bind or render: " + std::string{route.path});
      }
      add({route.method, std::string{route.path}, &route, &block, local_page::none, {}, 0});
    }
  }
}

route_table::~route_table() = default;

void route_table::add(route_entry entry) {
  segments parts;
  const bool has_root = entry.path.starts_with('/') && entry.path.size() > 1;
  if (!has_root || !split(entry.path, parts)) throw boot_error("malformed route template: " + entry.path);
  node* at = root_.get();
  for (std::size_t i = 0; i < parts.count; ++i) {
    const auto segment = parts.part[i];
    if (segment.empty() || segment.find_first_of("%?#") != std::string_view::npos) {
      throw boot_error("malformed route template: " + entry.path);
    }
    if (is_parameter(segment)) {
      entry.names.emplace_back(segment.substr(1, segment.size() - 2));
      if (!at->parameter) at->parameter = std::make_unique<node>();
      at = at->parameter.get();
      continue;
    }
    if (segment.find_first_of("{}") != std::string_view::npos) {
      throw boot_error("malformed route template: " + entry.path);
    }
    if (at->child(segment) == nullptr) at->literal.emplace_back(segment, std::make_unique<node>());
    const auto same = [&](const auto& literal) { return literal.first == segment; };
    at = std::find_if(at->literal.begin(), at->literal.end(), same)->second.get();
  }
  auto& place = at->entry[static_cast<std::size_t>(entry.method)];
  if (place) {
    throw boot_error("two routes for " + std::string{to_string(entry.method)} + " " + entry.path);
  }
  entry.number = static_cast<std::uint32_t>(entries_.size());
  if (!at->allow.empty()) at->allow += ", ";
  at->allow += to_string(entry.method);
  if (entry.method == http_method::get) at->allow += ", HEAD";
  place = std::make_unique<route_entry>(std::move(entry));
  entries_.push_back(place.get());
}

route_table::match route_table::find(verb method, std::string_view path,
                                     std::vector<std::pair<std::string_view, std::string>>& params) const {
  params.clear();
  segments parts;
  if (!split(path, parts)) return {};
  thread_local std::array<std::string, segments_max> decoded;  // only capacity survives a call
  for (std::size_t i = 0; i < parts.count; ++i) {
    if (!percent_decode(parts.part[i], plus::is_plus, decoded[i])) return {outcome::malformed, nullptr, {}};
  }
  thread_local std::vector<const std::string*> values;
  values.clear();
  const auto* at = root_->find(decoded.data(), decoded.data() + parts.count, values);
  if (at == nullptr) return {};
  const auto wanted = to_method(method);
  const auto* entry = wanted ? at->entry[static_cast<std::size_t>(*wanted)].get() : nullptr;
  if (entry == nullptr) return {outcome::no_such_method, nullptr, at->allow};
  for (std::size_t i = 0; i < values.size(); ++i) params.emplace_back(entry->names[i], *values[i]);
  return {outcome::found, entry, at->allow};
}

}  // namespace troupe::http
