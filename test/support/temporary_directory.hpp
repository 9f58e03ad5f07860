#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "runtime/base/assert.hpp"

namespace troupe::test {

/// An empty directory, gone with its owner.
class temporary_directory {
 public:
  temporary_directory() {
    path_ = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    TROUPE_ASSERT(::mkdtemp(path_.data()) != nullptr, "no temporary directory");
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace troupe::test
