#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "runtime/base/uuid.hpp"

namespace troupe::cli {

/// The key file of a data directory.
std::filesystem::path key_file_of(const std::filesystem::path& data);

enum class token_role { user, admin };

/// Mints access tokens with the key in a data directory. One thread.
class token_press {
 public:
  /// Throws http::boot_error when the directory has no usable key. A missing key is made only when asked for:
  /// a client that made one would mint tokens that no running server accepts.
  enum class missing_key { refuse, make };
  token_press(const std::filesystem::path& data, missing_key when_missing);
  ~token_press();
  std::string mint(const user_id& user, token_role role, std::chrono::milliseconds life);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe::cli
