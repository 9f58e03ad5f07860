#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::chaos {

/// What came of one request.
struct answer {
  int status = 0;  // 0: no answer at all
  std::string body;
  std::string problem;        // the type's last part, of a problem
  std::uint64_t version = 0;  // of the entity that it was made of; 0: not said
  bool is_replay = false;

  bool is_ok() const { return status >= 200 && status < 300; }
  /// It says what is so. Otherwise nobody could tell, or would do it now, or there was no answer: also where
  /// a queue was full, since to a client that is a request that failed.
  bool has_outcome() const { return status != 0 && status < 500 && problem != "request-in-progress"; }
  bool is_rejection() const { return status == 409 && has_outcome(); }
};

struct request {
  std::string method = "GET";
  std::string path;
  std::string body;
  std::string key;  // Idempotency-Key
};

/// One HTTP client with a kept connection, which goes to another front when its own does not answer. One
/// thread.
class front_client {
 public:
  front_client(std::vector<std::string> urls, std::string token, std::size_t first, int timeout_ms);
  ~front_client();

  answer ask(const request& what);

 private:
  struct connection;
  const std::vector<std::string> urls_;
  const std::string token_;
  const int timeout_ms_;
  std::size_t at_;
  std::unique_ptr<connection> connection_;
};

}  // namespace troupe::chaos
