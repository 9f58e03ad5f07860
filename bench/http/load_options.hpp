#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/flash_sale/client/endpoint.hpp"

namespace troupe::bench {

struct load_options {
  std::string url = "http://127.0.0.1:8080";
  std::string method = "GET";
  std::string target = "/";
  std::string body;  ///< {user} becomes the user behind the token
  std::vector<std::string> headers;
  std::size_t connections = 64;
  double seconds = 3;
  double warm_up_seconds = 0.3;
  std::filesystem::path token_file;  ///< lines of TOKEN or TOKEN USER
  std::filesystem::path data;        ///< a server's data directory, to mint tokens from
  std::size_t users = 64;
  bool unique_key = false;
  pid_t server_pid = 0;
  bool settle_unread = false;
  bool burst = false;
  std::string sku;
};

/// One account that requests are made for.
struct caller {
  std::string user;
  std::string token;
};

/// From the token file, the data directory, or nobody.
std::vector<caller> callers(const load_options& options);

/// Headers of one caller's requests, those of the command line included.
std::vector<client::header> headers_for(const load_options& options, const caller& who);

}  // namespace troupe::bench
