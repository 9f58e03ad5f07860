#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "runtime/base/assert.hpp"

namespace troupe::faults {

/// An empty directory, gone with its owner.
class temporary_disk {
 public:
  temporary_disk() {
    root_ = (std::filesystem::temp_directory_path() / "troupe-faults-XXXXXX").string();
    TROUPE_ASSERT(::mkdtemp(root_.data()) != nullptr, "no temporary directory");
  }
  ~temporary_disk() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  temporary_disk(const temporary_disk&) = delete;
  temporary_disk& operator=(const temporary_disk&) = delete;
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace troupe::faults
