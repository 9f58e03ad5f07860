#include "http_front/net/response.hpp"

#include <charconv>
#include <ctime>

namespace troupe::http {
namespace {

constexpr std::size_t kept_bytes_max = 64 * 1024;

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

void append_number(std::string& out, std::size_t value) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

void response::reset() {
  status = 200;
  content_type = {};
  headers.clear();
  body.clear();
  if (body.capacity() > kept_bytes_max) body.shrink_to_fit();
  close = false;
}

void response::add(std::string_view name, std::string_view value) {
  headers.append(name).append(": ").append(value).append("\r\n");
}

void append_response(std::string& out, const response& what, framing how, std::string_view date) {
  if (what.status == 200) {
    out.append("HTTP/1.1 200 OK\r\nDate: ");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(what.status));
    out.push_back(' ');
    out.append(reason(what.status)).append("\r\nDate: ");
  }
  out.append(date).append("\r\nX-Content-Type-Options: nosniff\r\n");
  const bool no_content = what.status == 204 || what.status == 304;
  if (!no_content) {
    if (!what.content_type.empty()) out.append("Content-Type: ").append(what.content_type).append("\r\n");
    out.append("Content-Length: ");
    append_number(out, what.body.size());
    out.append("\r\n");
  }
  out.append(what.headers);
  if (!how.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (how.http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (!no_content && !how.head_only) out.append(what.body);
}

std::string_view date_cache::at(timestamp now) {
  constexpr std::size_t length = sizeof "Sun, 06 Nov 1994 08:49:37 GMT" - 1;
  const std::int64_t second = now.ms / 1000;
  if (second != second_) {
    second_ = second;
    const auto whole = static_cast<std::time_t>(second);
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::strftime(text_, sizeof text_, "%a, %d %b %Y %H:%M:%S GMT",
                  &parts);  // the locale is "C": nobody sets one
  }
  return {text_, length};
}

}  // namespace troupe::http
