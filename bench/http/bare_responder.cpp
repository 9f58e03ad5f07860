#include "bench/http/bare_responder.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <thread>
#include <vector>

/// What HTTP alone costs with Boost.Beast on this machine: the session of Beast's own asynchronous server
/// example, answering each request with the same small JSON text. Rates of the real server are given as a
/// share of this.

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

/// As long as an order's receipt.
constexpr const char* body =
    R"({"orderId":"hot.0192f0c1-2a3b-7c4d-8e5f-60718293a4b5","sku":"hot","quantity":1,"status":"confirmed","arrival":1000})";

/// One connection: reads a request, answers it, reads the next. Keeps itself alive through its handlers.
class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket&& socket) : stream_(std::move(socket)) {}

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    const auto status = request_.method() == http::verb::post ? http::status::created : http::status::ok;
    response_ = http::response<http::string_body>(status, request_.version());
    response_.set(http::field::content_type, "application/json");
    response_.keep_alive(request_.keep_alive());
    response_.body() = body;
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept_next(tcp::acceptor& acceptor, asio::io_context& io, bool is_shared) {
  const auto take = [&acceptor, &io, is_shared](boost::system::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<session>(std::move(socket))->read();
    accept_next(acceptor, io, is_shared);
  };
  if (is_shared) {
    acceptor.async_accept(asio::make_strand(io), take);
  } else {
    acceptor.async_accept(io, take);
  }
}

}  // namespace

void answer_for_ever(std::uint16_t port, int threads) {
  asio::io_context io(threads);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), port});
  accept_next(acceptor, io, threads > 1);
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&io] { io.run(); });
  io.run();
}
