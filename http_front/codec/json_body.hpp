#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace troupe::http {

inline constexpr std::size_t json_depth_max = 32;

/// Whether a Content-Type header means JSON in UTF-8.
bool is_json_media_type(std::string_view content_type);

/// Parses a request body: one JSON object, in `memory`, and nothing after it. Empty when it is good,
/// otherwise what is wrong with it, for the client. Numbers may be huge and strings empty: the fields' own
/// rules say more.
std::string_view parse_json_body(std::string_view text, const boost::json::storage_ptr& memory,
                                 boost::json::value& out);

}  // namespace troupe::http
