#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// A stock server of a few lines to test the client against: one thread a connection, stock in memory, and on
/// demand one of the faults that the client's checks exist for.
namespace troupe::flash_sale {

enum class shop_fault : std::uint8_t {
  none,
  oversells,           ///< sells one unit more than it has
  loses_orders,        ///< acknowledges every tenth order and forgets it
  leaves_arrival_gap,  ///< skips an arrival number
  forgets_keys,        ///< executes a repeated key again
  drops_answers,       ///< executes every tenth order and closes the connection without an answer, once a key
  is_busy,             ///< answers every second first attempt with 503
  says_nothing,        ///< never answers orders
};

class fake_shop {
 public:
  /// Port 0 takes a free one. With a journal, every order is written to it before it is acknowledged, and is
  /// known again after a restart.
  explicit fake_shop(shop_fault fault, std::uint16_t port = 0, const std::filesystem::path& journal = {});
  ~fake_shop();

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void stop();

 private:
  struct order {
    std::string id;
    std::string user;
    std::int64_t quantity = 0;
    std::uint64_t arrival = 0;
  };
  struct request {
    std::string method;
    std::string target;
    std::string user;  ///< the token is the user's id
    std::string key;
    std::string body;
  };
  enum class then : std::uint8_t { answer, close };

  void accept_all();
  void serve(int fd);
  static bool read_request(int fd, std::string& buffer, request& out);
  then answer(const request& r, std::string& out);
  then place_order(const request& r, std::string& out);
  std::string list_orders(const std::string& target) const;
  void load();
  void append(const order& o, const std::string& key);

  shop_fault fault_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::filesystem::path journal_path_;
  std::ofstream journal_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;  // of everything below
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
  std::int64_t stock_ = 0;
  std::int64_t limit_ = 0;  ///< 0: none
  std::int64_t sold_ = 0;
  std::uint64_t arrivals_ = 0;
  std::vector<order> orders_;
  std::map<std::string, order> by_key_;
  std::map<std::string, std::int64_t> units_of_;
  std::map<std::string, int> tries_;
  std::uint64_t executed_ = 0;
};

}  // namespace troupe::flash_sale
