#pragma once

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

#include "runtime/base/log.hpp"

namespace troupe::test {

/// What is logged while it lives.
class log_of_test {
 public:
  log_of_test() {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)));
  }
  ~log_of_test() { spdlog::set_default_logger(before_); }
  log_of_test(const log_of_test&) = delete;
  log_of_test& operator=(const log_of_test&) = delete;

  std::size_t count(const std::string& text) const {
    const auto all = out_.str();
    std::size_t out = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++out;
    return out;
  }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

}  // namespace troupe::test
