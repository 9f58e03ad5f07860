#include "test/unit/cli/fake_shop.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <stdexcept>

namespace troupe::flash_sale {
namespace {

constexpr const char* sku_prefix = "/api/v1/skus/";

std::string http_answer(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                     status, body.size(), body);
}

std::string problem(int status, const char* slug) {
  return http_answer(status, fmt::format(R"({{"type":"/problems/{}","status":{}}})", slug, status));
}

std::string header_value(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto from = at + 2 + name.size() + 2;
  return head.substr(from, head.find("\r\n", from) - from);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

fake_shop::fake_shop(shop_fault fault, std::uint16_t port, const std::filesystem::path& journal)
    : fault_(fault), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), journal_path_(journal) {
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0) {
    throw std::runtime_error("the fake shop cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  if (!journal.empty()) load();
  threads_.emplace_back([this] { accept_all(); });
}

fake_shop::~fake_shop() { stop(); }

void fake_shop::stop() {
  if (stopping_.exchange(true)) return;
  ::shutdown(listener_, SHUT_RDWR);
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (auto& t : threads) t.join();
  for (const int fd : sockets_) ::close(fd);
  ::close(listener_);
}

void fake_shop::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(fd);
      return;
    }
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

bool fake_shop::read_request(int fd, std::string& buffer, request& out) {
  char bytes[4096];
  while (true) {
    const auto end = buffer.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string head = buffer.substr(0, end + 2);
      const std::string length = header_value(head, "Content-Length");
      const std::size_t body = length.empty() ? 0 : std::stoul(length);
      if (buffer.size() >= end + 4 + body) {
        out.method = head.substr(0, head.find(' '));
        const auto target = head.find(' ') + 1;
        out.target = head.substr(target, head.find(' ', target) - target);
        const std::string authorization = header_value(head, "Authorization");
        out.user = authorization.empty() ? "" : authorization.substr(7);
        out.key = header_value(head, "Idempotency-Key");
        out.body = buffer.substr(end + 4, body);
        buffer.erase(0, end + 4 + body);
        return true;
      }
    }
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(got));
  }
}

void fake_shop::serve(int fd) {
  std::string buffer;
  request r;
  while (read_request(fd, buffer, r)) {
    std::string out;
    if (answer(r, out) == then::close || !send_all(fd, out)) break;
  }
  ::shutdown(fd,
             SHUT_RDWR);  // closed by stop(), so that the number cannot be given to another socket meanwhile
}

fake_shop::then fake_shop::answer(const request& r, std::string& out) {
  const std::lock_guard lock(mutex_);
  if (!r.target.starts_with(sku_prefix)) {
    out = problem(404, "not-found");
  } else if (r.method == "PUT") {
    const auto body = boost::json::parse(r.body).as_object();
    stock_ = body.at("stock").as_int64();
    if (const auto* limit = body.if_contains("perUserLimit")) limit_ = limit->as_int64();
    out = http_answer(200, "{}");
  } else if (r.method == "POST") {
    return place_order(r, out);
  } else if (r.target.find("/orders") != std::string::npos) {
    out = http_answer(200, list_orders(r.target));
  } else {
    out = http_answer(200, fmt::format(R"({{"available":{},"reserved":0,"sold":{},"initial":{}}})",
                                       stock_ - sold_, sold_, stock_));
  }
  return then::answer;
}

fake_shop::then fake_shop::place_order(const request& r, std::string& out) {
  const int earlier_tries = tries_[r.key]++;
  if (fault_ == shop_fault::says_nothing) return then::answer;
  if (fault_ == shop_fault::is_busy && earlier_tries == 0 && tries_.size() % 2 == 0) {
    out = problem(503, "overloaded");
    return then::answer;
  }
  const auto receipt = [&](const order& o) {
    return http_answer(
        201, fmt::format(R"({{"orderId":"{}","quantity":{},"status":"confirmed","arrival":{}}})", o.id,
                         o.quantity, o.arrival));
  };
  const auto known = by_key_.find(r.key);
  if (known != by_key_.end() && fault_ != shop_fault::forgets_keys) {
    out = receipt(known->second);
    return then::answer;
  }
  const std::int64_t quantity = boost::json::parse(r.body).at("quantity").as_int64();
  const std::int64_t for_sale = stock_ + (fault_ == shop_fault::oversells ? quantity : 0);
  if (sold_ + quantity > for_sale) {
    out = problem(409, "sold-out");
    return then::answer;
  }
  if (limit_ > 0 && units_of_[r.user] + quantity > limit_) {
    out = problem(409, "limit-reached");
    return then::answer;
  }
  ++executed_;
  if (fault_ == shop_fault::leaves_arrival_gap && executed_ == 5) ++arrivals_;
  const order o{fmt::format("order-{}", executed_), r.user, quantity, ++arrivals_};
  sold_ += quantity;
  units_of_[r.user] += quantity;
  by_key_[r.key] = o;
  if (fault_ != shop_fault::loses_orders || executed_ % 10 != 0) orders_.push_back(o);
  append(o, r.key);
  out = receipt(o);
  const bool drops = fault_ == shop_fault::drops_answers || fault_ == shop_fault::forgets_keys;
  return drops && earlier_tries == 0 && executed_ % 10 == 0 ? then::close : then::answer;
}

std::string fake_shop::list_orders(const std::string& target) const {
  const auto at = target.find("cursor=");
  const std::size_t from = at == std::string::npos ? 0 : std::stoul(target.substr(at + 7));
  const std::size_t to = std::min(orders_.size(), from + 100);
  std::string items;
  for (std::size_t i = from; i < to; ++i) {
    const order& o = orders_[i];
    items +=
        fmt::format(R"({}{{"orderId":"{}","userId":"{}","quantity":{},"status":"confirmed","arrival":{}}})",
                    items.empty() ? "" : ",", o.id, o.user, o.quantity, o.arrival);
  }
  const std::string next = to < orders_.size() ? fmt::format(R"(,"nextCursor":"{}")", to) : "";
  return fmt::format(R"({{"items":[{}]{}}})", items, next);
}

void fake_shop::load() {
  std::ifstream in(journal_path_);
  order o;
  std::string key;
  if (in >> stock_) {
    while (in >> key >> o.id >> o.user >> o.quantity >> o.arrival) {
      orders_.push_back(o);
      by_key_[key] = o;
      units_of_[o.user] += o.quantity;
      sold_ += o.quantity;
      executed_ = arrivals_ = o.arrival;
    }
  }
  journal_.open(journal_path_, std::ios::app);
}

void fake_shop::append(const order& o, const std::string& key) {
  if (journal_path_.empty()) return;
  if (o.arrival == 1) journal_ << stock_ << '\n';
  journal_ << key << ' ' << o.id << ' ' << o.user << ' ' << o.quantity << ' ' << o.arrival << std::endl;
}

}  // namespace troupe::flash_sale
